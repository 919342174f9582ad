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
    if (!d.arn.p)
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

struct page {
    struct str group;
    uint64_t group_id;
    bool by_time, descending;
    size_t limit;
    struct str token; /* last name, or "<last ms>/<name>" by time */
};

/* Bounds of the scan: the rest of the table's prefix after (or before) the token. */
static enum err bounds(struct call *call, const struct page *p, struct str prefix_name,
                       struct str *ret_from, struct str *ret_to)
{
    struct str prefix = p->by_time ? logs_key_by_time_prefix(call->arena, p->group_id)
                                   : logs_key_stream_prefix(call->arena, p->group_id, prefix_name);
    if (!prefix.p)
        return ERR_NOMEM;
    *ret_from = prefix;
    *ret_to = key_after_prefix(call->arena, prefix);
    if (!p->token.p)
        return ERR_OK;
    struct str at;
    if (p->by_time) {
        struct str name = p->token;
        int64_t last;
        struct str ms = str_cut(&name, '/');
        if (!name.p || str_to_i64(ms, &last) != ERR_OK)
            return call_error(call, &logs_err_invalid_parameter_exception,
                              "The specified nextToken is invalid.");
        at = logs_key_by_time(call->arena, p->group_id, last, name);
    } else {
        at = logs_key_stream(call->arena, p->group_id, p->token);
    }
    if (!at.p)
        return ERR_NOMEM;
    if (p->descending) /* exclusive already */
        *ret_to = at;
    else /* the key right after it: memdup ended the copy with a NUL */
        *ret_from = str_n(arena_memdup(call->arena, at.p, at.len), at.len + 1);
    return ret_from->p ? ERR_OK : ERR_NOMEM;
}

/* Name and record of the stream that a scan stands at. */
static enum err read_entry(struct call *call, const struct page *p, struct str key,
                           struct str record, int64_t *ret_last, struct str *ret_name,
                           struct logs_stream *ret_s)
{
    if (!p->by_time) {
        TRY(logs_key_read_stream(key, call->arena, ret_name));
        return logs_parse_stream(record, ret_s);
    }
    TRY(logs_key_read_by_time(key, call->arena, ret_last, ret_name));
    struct str stream_key = logs_key_stream(call->arena, p->group_id, *ret_name);
    struct str value;
    if (!stream_key.p)
        return ERR_NOMEM;
    enum err err = txn_peek(call->txn, stream_key, &value);
    if (err == ERR_NOT_FOUND)
        return ERR_CORRUPT; /* L3 */
    TRY(err);
    return logs_parse_stream(value, ret_s);
}

static enum err scan(struct call *call, const struct page *p, struct str prefix,
                     struct logs_describe_log_streams_output *out)
{
    struct logs_log_stream *list =
        ARENA_ARRAY(call->arena, struct logs_log_stream, LOGS_DESCRIBE_MAX);
    struct str from, to;
    if (!list)
        return ERR_NOMEM;
    TRY(bounds(call, p, prefix, &from, &to));
    struct kv_iter *it;
    struct str key, record;
    TRY(kv_scan(call->txn->kv, from, to, p->descending, &it));
    size_t n = 0;
    int64_t last = 0, token_last = 0;
    enum err err;
    while ((err = kv_next(it, &key, &record)) == ERR_OK) {
        struct str name;
        struct logs_stream s;
        if (n == p->limit) {
            out->next_token = p->by_time
                                  ? str_fmt(call->arena, "%lld/" STR_FMT, (long long)token_last,
                                            STR_ARG(list[n - 1].log_stream_name))
                                  : list[n - 1].log_stream_name;
            break;
        }
        err = read_entry(call, p, key, record, &last, &name, &s);
        if (!err)
            err = describe(call, p->group, name, &s, &list[n]);
        if (err)
            break;
        n++;
        token_last = last;
    }
    kv_iter_close(it);
    out->log_streams.v = list;
    out->log_streams.n = n;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err logs_describe_log_streams(struct call *call,
                                   const struct logs_describe_log_streams_input *in,
                                   struct logs_describe_log_streams_output *out)
{
    struct logs_group g;
    struct page p = {.descending = in->descending, .token = in->next_token};
    TRY(logs_need_group(call, in->log_group_name, in->log_group_identifier, &p.group, &g));
    p.group_id = g.id;
    p.by_time = str_eq(in->order_by, STR("LastEventTime"));
    p.limit = in->has_limit ? (size_t)in->limit : LOGS_DESCRIBE_MAX;
    if (p.by_time && in->log_stream_name_prefix.p)
        return call_error(call, &logs_err_invalid_parameter_exception,
                          "Cannot order by LastEventTime with a logStreamNamePrefix.");
    struct str prefix = in->log_stream_name_prefix;
    return scan(call, &p, prefix.p ? prefix : STR(""), out);
}
