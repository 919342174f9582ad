/* CreateLogStream, DeleteLogStream, DescribeLogStreams. */
#include "svc/logs/logs_int.h"

enum err logs_create_log_stream(struct call *call, const struct logs_create_log_stream_input *in,
                                struct logs_create_log_stream_output *out)
{
    struct logs_group g;
    struct logs_stream s;
    TRY(logs_need_group(call, in->log_group_name, STR_NONE, NULL, &g));
    enum err err = logs_make_stream(call->txn, g.id, in->log_stream_name, &s);
    if (err == ERR_EXISTS)
        return call_error(call, &logs_err_resource_already_exists_exception,
                          "The specified log stream already exists");
    return err;
}

enum err logs_delete_log_stream(struct call *call, const struct logs_delete_log_stream_input *in,
                                struct logs_delete_log_stream_output *out)
{
    struct logs_group g;
    struct logs_stream s;
    TRY(logs_need_group(call, in->log_group_name, STR_NONE, NULL, &g));
    TRY(logs_need_stream(call, g.id, in->log_stream_name, &s));
    TRY(logs_drop_stream(call->txn, g.id, in->log_stream_name, &s));
    return txn_on_commit(call->txn, logs_sweep_soon, call->svc);
}

static enum err describe(struct call *call, struct str group, struct str name,
                         const struct logs_stream *s, struct logs_log_stream *ret)
{
    struct logs_log_stream d = {.log_stream_name = name};
    d.arn = call_arn(call, "logs", "log-group:" STR_FMT ":log-stream:" STR_FMT, STR_ARG(group),
                     STR_ARG(name));
    if (!str_is_set(d.arn))
        return ERR_NOMEM;
    WIRE_SET(&d, creation_time, s->created_ms);
    WIRE_SET(&d, stored_bytes, 0); /* as AWS answers for streams since 2019 */
    if (s->last_ms) {
        WIRE_SET(&d, first_event_timestamp, s->first_ms);
        WIRE_SET(&d, last_event_timestamp, s->last_ms);
        WIRE_SET(&d, last_ingestion_time, s->ingested_ms);
        d.upload_sequence_token = str_fmt(call->arena, "%049llu", (unsigned long long)s->next_seq);
    }
    *ret = d;
    return ERR_OK;
}

struct listing {
    struct call *call;
    struct str group;
    uint64_t group_id;
    bool by_time;
    struct logs_log_stream *list;
    size_t n;
};

static enum err take_by_name(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct str name;
    struct logs_stream s;
    TRY(key_read(&logs_k_stream, key, l->call->arena, KEY_SKIP, &name));
    TRY(logs_parse_stream(l->call->arena, record, &s));
    return describe(l->call, l->group, name, &s, &l->list[l->n++]);
}

static enum err take_by_time(void *arg, struct str key, struct str empty)
{
    struct listing *l = arg;
    struct call *call = l->call;
    struct str name, record;
    TRY(key_read(&logs_k_by_time, key, call->arena, KEY_SKIP, KEY_SKIP, &name));
    struct str stream_key = key_make(call->arena, &logs_k_stream, l->group_id, name);
    enum err err = txn_peek(call->txn, stream_key, &record);
    if (err == ERR_NOT_FOUND)
        return ERR_CORRUPT; /* L3 */
    TRY(err);
    return take_by_name(l, stream_key, record);
}

static enum err scan(struct listing *l, const struct logs_describe_log_streams_input *in,
                     struct logs_describe_log_streams_output *out)
{
    struct call *call = l->call;
    struct arena *a = call->arena;
    const struct page_fns fns = {.take = l->by_time ? take_by_time : take_by_name};
    struct str prefix = in->log_stream_name_prefix;
    struct key_range range = l->by_time
                                 ? key_range(a, &logs_k_by_time, l->group_id)
                                 : key_range(a, &logs_k_stream, l->group_id,
                                             KEY_STARTS(str_is_set(prefix) ? prefix : STR("")));
    /* A place in one order is none in the other. */
    struct str scope = str_fmt(a, STR_FMT ":%d%d", STR_ARG(l->group), l->by_time, in->descending);
    if (!str_is_set(scope))
        return ERR_NOMEM;
    struct page page = page_of_call(call, scope, in->next_token,
                                    in->has_limit ? (size_t)in->limit : LOGS_DESCRIBE_MAX);
    page.reverse = in->descending;
    TRY(logs_paged(call, page_scan(call->txn, &page, range, &fns, l)));
    out->next_token = page.next_token;
    return ERR_OK;
}

enum err logs_describe_log_streams(struct call *call,
                                   const struct logs_describe_log_streams_input *in,
                                   struct logs_describe_log_streams_output *out)
{
    struct logs_group g;
    struct listing l = {.call = call, .by_time = str_eq_c(in->order_by, "LastEventTime")};
    TRY(logs_need_group(call, in->log_group_name, in->log_group_identifier, &l.group, &g));
    if (l.by_time && str_is_set(in->log_stream_name_prefix))
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Cannot order by LastEventTime with a logStreamNamePrefix.");
    l.group_id = g.id;
    l.list = ARENA_ARRAY(call->arena, struct logs_log_stream, LOGS_DESCRIBE_MAX);
    if (!l.list)
        return ERR_NOMEM;
    TRY(scan(&l, in, out));
    out->log_streams.v = l.list;
    out->log_streams.n = l.n;
    return ERR_OK;
}
