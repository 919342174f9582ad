/* Subscription filters: events that match a pattern are sent to a function, staged in the commit that
 * stores them (P2). The function is invoked asynchronously: that it is tried again, and what becomes of what
 * it cannot take, is Lambda's business.
 *
 *   {"awslogs": {"data": base64(gzip({"messageType": "DATA_MESSAGE", "owner": account, "logGroup": ..,
 *     "logStream": .., "subscriptionFilters": [name], "logEvents": [{"id", "timestamp", "message"}]}))}}
 *
 * A chain of functions that feed each other by their logs is told by the trace header of what they were
 * invoked with, which goes along with their lines (core/trace.h): Lambda ends it.
 *
 * Layer: svc/logs. Thread: the transaction's. Source: CloudWatch Logs User Guide, "Subscription filters with
 * AWS Lambda", "Log recursion prevention". */
#include "base/arn.h"
#include "base/log.h"
#include "base/record.h"
#include "codec/base64.h"
#include "codec/gzip.h"
#include "core/measure.h"
#include "core/target.h"
#include "svc/logs/logs_int.h"

enum {
    /* What a function takes, less what stands around the data; base64 takes 4 bytes for 3. */
    DATA_BYTES_MAX = (1024 * 1024 - 64) / 4 * 3,
    /* Of the texts of a batch: less than what does not shrink at all may have. */
    BATCH_BYTES = 640 * 1024,
    /* Of a batch as JSON, whose escapes take 6 bytes for 1. */
    JSON_BYTES_MAX = 6 * (LOGS_EVENT_BYTES_MAX + BATCH_BYTES) + 4096 + 100 * 10000,
    REGEX_WORK =
        16, /* what a byte costs that a regular expression looks at, of one that is copied */
};

static const struct record_field sub_fields[] = {
    REC_STR(struct logs_sub, pattern),
    REC_STR(struct logs_sub, destination),
    REC_STR(struct logs_sub, distribution),
    REC_INT(struct logs_sub, created_ms),
};
static const struct record_type sub_type = RECORD_TYPE(struct logs_sub, 1, sub_fields);

enum err logs_sub_parse(struct arena *a, struct str record, struct logs_sub *ret)
{
    return record_unpack_copy(&sub_type, a, record, ret);
}

enum err logs_sub_read(struct txn *txn, uint64_t group_id, struct str name, struct logs_sub *ret)
{
    struct str record;
    TRY(txn_get(txn, key_make(txn->arena, &logs_k_sub, group_id, name), &record));
    return record_unpack(&sub_type, txn->arena, record, ret);
}

enum err logs_sub_write(struct txn *txn, uint64_t group_id, struct str name,
                        const struct logs_sub *sub)
{
    struct str record;
    TRY(record_make(&sub_type, txn->arena, sub, &record));
    return txn_put(txn, key_make(txn->arena, &logs_k_sub, group_id, name), record);
}

/* --- sending -------------------------------------------------------------------------------------- */

struct sending {
    struct logs *logs;
    struct txn *txn;
    const struct logs_put *put;
    struct str name;
    struct logs_sub sub;
    struct filter filter;
    const struct logs_event **matched; /* of a batch */
    size_t n;
};

/* Functions name the service with or without its region. Others' errors, and ERR_DENIED by both names. */
static enum err try_principals(struct logs *logs, struct txn *txn, struct key_scope scope,
                               struct str group, struct str function,
                               const struct target_delivery *d)
{
    struct arena *a = txn->arena;
    const struct str names[] = {
        STR("logs.amazonaws.com"),
        str_fmt(a, "logs." STR_FMT ".amazonaws.com", STR_ARG(scope.region)),
    };
    struct target t = {
        .arn = function,
        .source_arn =
            str_fmt(a, "arn:" STR_FMT ":logs:" STR_FMT ":" STR_FMT ":log-group:" STR_FMT ":*",
                    STR_ARG(logs->core->cfg.partition), STR_ARG(scope.region),
                    STR_ARG(scope.account), STR_ARG(group)),
        .source_account = scope.account,
    };
    enum err err = ERR_DENIED;
    if (!str_is_set(names[1]) || !str_is_set(t.source_arn))
        return ERR_NOMEM;
    for (size_t i = 0; i < ARRAY_LEN(names) && err == ERR_DENIED; i++) {
        t.service = names[i];
        err = target_stage(txn, &t, d);
    }
    return err;
}

static void put_event(struct json_out *o, struct str id, int64_t at_ms, struct str message)
{
    json_open(o, '{');
    json_kv_str(o, STR("id"), id);
    json_kv_i64(o, STR("timestamp"), at_ms);
    json_kv_str(o, STR("message"), message);
    json_close(o, '}');
}

static void open_message(struct json_out *o, const char *type, struct str owner, struct str group,
                         struct str stream, struct str filter)
{
    json_open(o, '{');
    json_kv_str(o, STR("messageType"), str_c(type));
    json_kv_str(o, STR("owner"), owner);
    json_kv_str(o, STR("logGroup"), group);
    json_kv_str(o, STR("logStream"), stream);
    json_key(o, STR("subscriptionFilters"));
    json_open(o, '[');
    if (str_is_set(filter))
        json_str(o, filter);
    json_close(o, ']');
    json_key(o, STR("logEvents"));
    json_open(o, '[');
}

/* The message packed as functions are given it. ERR_LIMIT: it is too large. */
static enum err pack(struct arena *a, struct buf *json, struct str *ret_payload)
{
    struct buf packed, out;
    TRY(buf_err(json));
    buf_init_arena(&packed, a, DATA_BYTES_MAX);
    TRY(gzip_pack(buf_str(json), &packed));
    buf_init_arena(&out, a, base64_encoded_len(packed.len) + 64);
    BUF_ADD_LIT(&out, "{\"awslogs\":{\"data\":\"");
    base64_put(&out, packed.p, packed.len);
    BUF_ADD_LIT(&out, "\"}}");
    *ret_payload = buf_str(&out);
    return buf_err(&out);
}

static enum err make_batch(struct sending *s, struct target_delivery *ret)
{
    const struct logs_put *put = s->put;
    struct buf json;
    struct json_out o;
    buf_init_arena(&json, s->txn->arena, JSON_BYTES_MAX);
    json_out_init(&o, &json);
    open_message(&o, "DATA_MESSAGE", put->scope.account, put->group_name, put->stream_name,
                 s->name);
    for (size_t i = 0; i < s->n; i++) {
        const struct logs_event *e = s->matched[i];
        struct str id = logs_event_id(s->txn->arena, e->timestamp_ms, put->stream_id,
                                      put->first_seq + (uint64_t)(e - put->events));
        if (!str_is_set(id))
            return ERR_NOMEM;
        put_event(&o, id, e->timestamp_ms, e->message);
        if (str_is_set(e->trace))
            ret->trace = e->trace;
    }
    json_close(&o, ']');
    json_close(&o, '}');
    return pack(s->txn->arena, &json, &ret->payload);
}

struct told {
    struct core *core;
    struct str account, region, group, filter;
    size_t events, bytes;
    bool failed;
};

static void tell(void *arg)
{
    const struct told *t = arg;
    const struct measure_dim dims[] = {{STR("DestinationType"), STR("Lambda")},
                                       {STR("FilterName"), t->filter},
                                       {STR("LogGroupName"), t->group}};
    const struct measure what = {t->region, STR("AWS/Logs"), dims, ARRAY_LEN(dims), t->account};
    if (t->failed) {
        measure_put(t->core, &what, STR("DeliveryErrors"), MEASURE_COUNT, (double)t->events);
        return;
    }
    measure_put(t->core, &what, STR("ForwardedLogEvents"), MEASURE_COUNT, (double)t->events);
    measure_put(t->core, &what, STR("ForwardedBytes"), MEASURE_BYTES, (double)t->bytes);
}

static enum err tell_later(const struct sending *s, size_t bytes, bool failed)
{
    struct arena *a = s->txn->arena;
    if (!measure_wanted(s->logs->core))
        return ERR_OK;
    struct told *t = ARENA_NEW(a, struct told);
    if (!t)
        return ERR_NOMEM;
    *t = (struct told){s->logs->core,
                       str_dup(a, s->put->scope.account),
                       str_dup(a, s->put->scope.region),
                       str_dup(a, s->put->group_name),
                       str_dup(a, s->name),
                       s->n,
                       bytes,
                       failed};
    if (!str_is_set(t->region) || !str_is_set(t->group) || !str_is_set(t->filter))
        return ERR_NOMEM;
    return txn_on_commit(s->txn, tell, t);
}

static enum err send_batch(struct sending *s)
{
    struct target_delivery d = {0};
    if (s->n == 0)
        return ERR_OK;
    enum err err = make_batch(s, &d);
    if (err == ERR_OK)
        err = try_principals(s->logs, s->txn, s->put->scope, s->put->group_name, s->sub.destination,
                             &d);
    if (err && !target_fault(err))
        return err;
    if (err)
        log_warn("logs", "%zu events of " STR_FMT " cannot be sent to " STR_FMT ": %s", s->n,
                 STR_ARG(s->put->group_name), STR_ARG(s->sub.destination), err_name(err));
    TRY(tell_later(s, d.payload.len, err != ERR_OK));
    s->n = 0;
    return ERR_OK;
}

static enum err send_by(void *arg, struct str key, struct str record)
{
    struct sending *s = arg;
    struct arena *a = s->txn->arena;
    size_t bytes = 0;
    TRY(key_read(&logs_k_sub, key, a, KEY_SKIP, &s->name));
    TRY(logs_sub_parse(a, record, &s->sub));
    enum err err = filter_parse(a, s->sub.pattern, &s->filter, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_OK; /* stored by a version that knew more */
    for (size_t i = 0; i < s->put->n; i++) {
        const struct logs_event *e = &s->put->events[i];
        bool matches;
        TRY(txn_work(s->txn, e->message.len * (s->filter.n_regex ? REGEX_WORK : 1)));
        TRY(filter_matches(&s->filter, a, e->message, NULL, &matches));
        if (!matches)
            continue;
        if (bytes + e->message.len > BATCH_BYTES) {
            TRY(send_batch(s));
            bytes = 0;
        }
        bytes += e->message.len + LOGS_EVENT_OVERHEAD;
        s->matched[s->n++] = e;
    }
    return send_batch(s);
}

enum err logs_subscribers_send(struct logs *logs, struct txn *txn, const struct logs_group *g,
                               const struct logs_put *put)
{
    if (g->subscriptions == 0 || put->n == 0)
        return ERR_OK;
    struct sending s = {.logs = logs, .txn = txn, .put = put};
    s.matched = ARENA_ARRAY(txn->arena, const struct logs_event *, put->n);
    if (!s.matched)
        return ERR_NOMEM;
    return txn_each(txn, key_range(txn->arena, &logs_k_sub, g->id), send_by, &s);
}

enum err logs_subscriber_try(struct logs *logs, struct txn *txn, struct key_scope scope,
                             struct str group, struct str function)
{
    struct target_delivery d = {0};
    struct buf json;
    struct json_out o;
    buf_init_arena(&json, txn->arena, JSON_BYTES_MAX);
    json_out_init(&o, &json);
    open_message(&o, "CONTROL_MESSAGE", STR("CloudwatchLogs"), STR(""), STR(""), STR_NONE);
    put_event(&o, STR(""), txn->wall_ms,
              STR("CWL CONTROL MESSAGE: Checking health of destination Lambda."));
    json_close(&o, ']');
    json_close(&o, '}');
    TRY(pack(txn->arena, &json, &d.payload));
    return try_principals(logs, txn, scope, group, function, &d);
}
