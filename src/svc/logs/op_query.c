/* StartQuery, StopQuery, GetQueryResults, DescribeQueries, ListLogGroupsForQuery. Layer: svc/logs.
 * Source: CloudWatch Logs API Reference. */
#include "base/record.h"
#include "base/rng.h"
#include "core/svc.h"
#include "svc/logs/query.h"

enum { LOGS_SOURCE_MAX = 64 * 1024 }; /* 50 names of 512 bytes and a query of 10,000 */

#define INVALID(call, ...) call_error((call), &logs_err_invalid_parameter_exception, __VA_ARGS__)

/* --- starting --------------------------------------------------------------------------------------- */

/* The groups that it names, in one of three ways. */
static const struct str *groups_of(const struct logs_start_query_input *in, size_t *ret_n)
{
    if (str_is_set(in->log_group_name)) {
        *ret_n = 1;
        return &in->log_group_name;
    }
    *ret_n = in->log_group_names.n ? in->log_group_names.n : in->log_group_identifiers.n;
    return in->log_group_names.n ? in->log_group_names.v : in->log_group_identifiers.v;
}

/* Names of log groups that SOURCE finds. */
struct finding {
    struct call *call;
    const struct insights_source *source;
    size_t prefix; /* that is looked for */
    struct str *v;
    size_t n, cap;
};

static enum err find_group(void *arg, struct str key, struct str record)
{
    struct finding *f = arg;
    struct arena *a = f->call->arena;
    struct str name;
    TRY(key_read(&logs_k_group, key, a, KEY_SKIP, &name));
    for (size_t i = 0; i < f->prefix; i++)
        if (str_starts(name, f->source->prefixes[i])) /* found by that one */
            return ERR_OK;
    if (f->n == LOGS_SOURCE_GROUPS_MAX)
        return INVALID(f->call, "SOURCE finds more than %d log groups; give it longer prefixes.",
                       LOGS_SOURCE_GROUPS_MAX);
    TRY(ARENA_GROW(a, f->v, f->n, f->cap, LOGS_QUERY_GROUPS_MAX));
    f->v[f->n++] = name;
    return ERR_OK;
}

static enum err find_groups(struct finding *f)
{
    struct key_scope scope = call_scope(f->call);
    const struct insights_source *s = f->source;
    for (f->prefix = 0; s->standard && f->prefix < (s->n_prefixes ? s->n_prefixes : 1); f->prefix++)
        TRY(txn_each(f->call->txn,
                     key_range(f->call->arena, &logs_k_group, scope,
                               KEY_STARTS(s->n_prefixes ? s->prefixes[f->prefix] : STR(""))),
                     find_group, f));
    return ERR_OK;
}

/* Of a query that parses, and names groups itself: these. */
static enum err source_groups(struct call *call, struct str text, const struct str **ret, size_t *n)
{
    const struct insights_query *parsed;
    struct insights_fault fault;
    struct finding f = {.call = call};
    enum err err = insights_parse(call->arena, text, &parsed, &fault);
    if (err == ERR_NOMEM)
        return err;
    if (err == ERR_OK && insights_source_of(parsed)->is_set) {
        f.source = insights_source_of(parsed);
        TRY(find_groups(&f));
    }
    *ret = f.v;
    *n = f.n;
    return ERR_OK;
}

enum err logs_authorize_more(struct call *call, const void *in)
{
    const struct logs_start_query_input *q = in;
    size_t n;
    if (call->op != &logs_service.ops[LOGS_OP_START_QUERY])
        return ERR_OK;
    const struct str *names = groups_of(q, &n);
    if (n == 0)
        TRY(source_groups(call, q->query_string, &names, &n));
    else
        n = min_size(n, LOGS_QUERY_GROUPS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct str name = logs_group_name(call, names[i]);
        struct str arn =
            str_is_set(name)
                ? call_arn(call, "logs", "log-group:" STR_FMT ":log-stream:", STR_ARG(name))
                : names[i];
        if (!str_is_set(arn))
            return ERR_NOMEM;
        TRY(call_authorize(call, "logs:StartQuery", arn));
    }
    return n > 0 ? ERR_OK : call_authorize(call, "logs:StartQuery", STR("*"));
}

static enum err malformed(struct call *call, const struct insights_fault *f)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, call->arena, 64 * 1024);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_key(&o, STR("location"));
    json_open(&o, '{');
    json_kv_i64(&o, STR("startCharOffset"), (int64_t)f->from);
    json_kv_i64(&o, STR("endCharOffset"), (int64_t)f->to);
    json_close(&o, '}');
    json_kv_str(&o, STR("message"), f->message);
    json_close(&o, '}');
    TRY(buf_err(&b));
    TRY(call_error_detail(call, "queryCompileError", buf_str(&b)));
    return call_error(call, &logs_err_malformed_query_exception, STR_FMT, STR_ARG(f->message));
}

/* Where one millisecond has more digits than a second of any year to come, milliseconds are taken, as by AWS. */
static int64_t to_ms(int64_t t, bool end)
{
    const int64_t first_ms = 100LL * 1000 * 1000 * 1000;
    if (t >= first_ms)
        return t;
    return t * 1000 + (end ? 999 : 0);
}

/* SOURCE's, which need not have events of the time. */
static enum err take_source(struct call *call, const struct logs_start_query_input *in,
                            const struct insights_source *source, struct logs_query *q)
{
    struct finding f = {.call = call, .source = source};
    size_t n;
    groups_of(in, &n);
    if (n > 0)
        return INVALID(call, "Log groups must be given by SOURCE or by parameters, not by both.");
    TRY(find_groups(&f));
    q->sourced = true;
    q->groups = f.v;
    q->n_groups = f.n;
    return ERR_OK;
}

static enum err take_groups(struct call *call, const struct logs_start_query_input *in,
                            struct logs_query *q)
{
    size_t n;
    const struct str *names = groups_of(in, &n);
    bool reached = false;
    if (str_is_set(in->log_group_name) + (in->log_group_names.n > 0) +
            (in->log_group_identifiers.n > 0) !=
        1)
        return INVALID(call, "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers "
                             "must be given.");
    if (n > LOGS_QUERY_GROUPS_MAX)
        return INVALID(call, "A query can have at most %d log groups.", LOGS_QUERY_GROUPS_MAX);
    q->groups = ARENA_ARRAY(call->arena, struct str, n);
    if (!q->groups)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct logs_group g;
        struct str name = logs_group_name(call, names[i]);
        bool twice = false;
        enum err err = str_is_set(name) ? logs_read_group(call->txn, call_scope(call), name, &g)
                                        : ERR_NOT_FOUND;
        if (err == ERR_NOT_FOUND)
            return call_error(call, &logs_err_resource_not_found_exception,
                              "Log group '" STR_FMT "' does not exist for account ID '" STR_FMT
                              "' (Service: AWSLogs; Status Code: 400; Error Code: "
                              "ResourceNotFoundException; Request ID: " STR_FMT "; Proxy: null)",
                              STR_ARG(str_is_set(name) ? name : names[i]), STR_ARG(call->account),
                              STR_ARG(call->request_id));
        TRY(err);
        reached = reached || q->to_ms >= max_i64(g.created_ms, logs_cutoff(&g, call->txn->wall_ms));
        for (size_t k = 0; k < q->n_groups; k++)
            twice = twice || str_eq(q->groups[k], name);
        if (!twice)
            q->groups[q->n_groups++] = name;
    }
    if (!reached)
        return call_error(call, &logs_err_malformed_query_exception,
                          "Query's end date and time is either before the log groups creation time "
                          "or exceeds the log groups log retention settings");
    return ERR_OK;
}

struct oldest {
    struct txn *txn;
    struct str id;
};

static enum err take_oldest(void *arg, struct str key, struct str value)
{
    struct oldest *o = arg;
    struct key_scope scope;
    TRY(key_read(&logs_k_query_time, key, o->txn->arena, &scope, KEY_SKIP, &o->id));
    return ERR_CLOSED;
}

/* One more, if fewer than so many are at work; the oldest makes room where too many are kept. */
static enum err count(struct call *call)
{
    struct txn *txn = call->txn;
    struct key_scope scope = call_scope(call);
    struct logs_query_counts c;
    TRY(logs_query_counts_read(txn, scope, &c));
    if (c.active >= LOGS_QUERIES_ACTIVE_MAX)
        return call_error(call, &logs_err_limit_exceeded_exception,
                          "Account maximum query concurrency limit of [%d] reached.",
                          LOGS_QUERIES_ACTIVE_MAX);
    if (c.kept >= LOGS_QUERIES_KEPT_MAX) {
        struct oldest o = {.txn = txn};
        struct logs_query q;
        TRY(txn_each(txn, key_range(txn->arena, &logs_k_query_time, scope), take_oldest, &o));
        enum err err = str_is_set(o.id) ? logs_query_read(txn, scope, o.id, &q) : ERR_NOT_FOUND;
        if (err == ERR_OK && !logs_query_is_active(&q))
            TRY(logs_query_job(call->svc, txn, scope, o.id, true));
        else if (err && err != ERR_NOT_FOUND)
            return err;
    }
    c.active++;
    c.kept++;
    return logs_query_counts_write(txn, scope, &c);
}

enum err logs_start_query(struct call *call, const struct logs_start_query_input *in,
                          struct logs_start_query_output *out)
{
    char uuid[RNG_UUID_LEN + 1];
    const struct insights_query *parsed;
    struct insights_fault fault;
    struct logs_query q = {
        .uid = rng_u64(),
        .text = in->query_string,
        .from_ms = to_ms(in->start_time, false),
        .to_ms = to_ms(in->end_time, true),
        .limit = in->has_limit ? (uint32_t)in->limit : LOGS_QUERY_ROWS,
        .created_ms = call->txn->wall_ms,
    };
    if (str_is_set(in->query_language) && !str_eq_c(in->query_language, "CWLI"))
        return INVALID(call, "Only the query language CWLI is supported by Weir.");
    if (q.from_ms > q.to_ms)
        return INVALID(call, "The start time of a query must not be after its end time.");
    enum err err = insights_parse(call->arena, in->query_string, &parsed, &fault);
    if (err == ERR_NOMEM)
        return err;
    if (err == ERR_OK && insights_source_of(parsed)->is_set)
        TRY(take_source(call, in, insights_source_of(parsed), &q));
    else
        TRY(take_groups(call, in, &q));
    if (err)
        return malformed(call, &fault);
    TRY(count(call));
    out->query_id = str_dup(call->arena, rng_uuid(uuid));
    if (!str_is_set(out->query_id))
        return ERR_NOMEM;
    TRY(logs_query_write(call->txn, call_scope(call), out->query_id, &q));
    TRY(txn_put(
        call->txn,
        key_make(call->arena, &logs_k_query_time, call_scope(call), q.created_ms, out->query_id),
        STR("")));
    return logs_query_job(call->svc, call->txn, call_scope(call), out->query_id, false);
}

/* --- one query -------------------------------------------------------------------------------------- */

static enum err need_query(struct call *call, struct str id, struct logs_query *ret)
{
    enum err err = logs_query_read(call->txn, call_scope(call), id, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &logs_err_resource_not_found_exception,
                          "The specified query does not exist.");
    return err;
}

enum err logs_stop_query(struct call *call, const struct logs_stop_query_input *in,
                         struct logs_stop_query_output *out)
{
    struct logs_query q;
    TRY(need_query(call, in->query_id, &q));
    if (!logs_query_is_active(&q))
        return INVALID(call, "The specified query is not running.");
    TRY(logs_query_over(call->txn, call_scope(call), &q, LOGS_QUERY_CANCELLED));
    WIRE_SET(out, success, true);
    return logs_query_write(call->txn, call_scope(call), in->query_id, &q);
}

enum err logs_list_log_groups_for_query(struct call *call,
                                        const struct logs_list_log_groups_for_query_input *in,
                                        struct logs_list_log_groups_for_query_output *out)
{
    struct logs_query q;
    struct str after;
    TRY(need_query(call, in->query_id, &q));
    struct page page =
        page_of_call(call, in->query_id, in->next_token,
                     in->has_max_results ? (size_t)in->max_results : LOGS_QUERY_GROUPS_MAX);
    TRY(logs_paged(call, page_start(&page, &after)));
    uint64_t from = 0;
    if (str_is_set(after) && str_to_u64(after, &from) != ERR_OK)
        return logs_paged(call, ERR_INVALID);
    size_t n = min_size(page.limit, q.n_groups - min_size(from, q.n_groups));
    out->log_group_identifiers = (struct logs_log_group_identifiers){q.groups + from, n};
    if (from + n < q.n_groups) {
        TRY(page_end(&page, str_fmt(call->arena, "%zu", (size_t)from + n)));
        out->next_token = page.next_token;
    }
    return ERR_OK;
}

/* --- results ---------------------------------------------------------------------------------------- */

struct telling {
    struct call *call;
    const struct logs_query *q;
    struct logs_cipher cipher;
    struct page_bind ptr_bind;
    struct logs_result_rows *rows;
    size_t n, bytes;
};

static enum err tell_row(struct telling *t, struct str record)
{
    struct arena *a = t->call->arena;
    struct logs_query_row row;
    TRY(logs_query_row_parse(a, record, &row));
    struct logs_result_field *v = ARENA_ARRAY(a, struct logs_result_field, row.n + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (; n < row.n; n++)
        v[n] = (struct logs_result_field){row.fields[n].name, row.fields[n].value};
    if (str_is_set(row.ptr)) {
        v[n].field = STR("@ptr");
        TRY(page_seal(&t->ptr_bind, row.ptr, &v[n++].value));
    }
    t->rows[t->n++] = (struct logs_result_rows){v, n};
    return ERR_OK;
}

static enum err take_row(void *arg, struct str key, struct str record)
{
    struct telling *t = arg;
    struct call *call = t->call;
    struct logs_stored_event stored = {.message = record, .data_key = t->q->data_key};
    if (str_is_set(t->q->sealed_for)) {
        enum err err = logs_cipher_open(call->svc, call->txn, call_scope(call), t->q->sealed_for,
                                        t->q->sealed_group, key, &stored, &t->cipher);
        TRY(logs_kms(call, err, &t->cipher));
    }
    return tell_row(t, stored.message);
}

/* KMS must let the service use the keys of all groups (QY3). */
static enum err ask_kms(struct call *call, const struct logs_query *q)
{
    for (size_t i = 0; i < q->n_groups && str_is_set(q->sealed_for); i++) {
        struct logs_group g;
        struct logs_cipher cipher;
        enum err err = logs_read_group(call->txn, call_scope(call), q->groups[i], &g);
        if (err == ERR_NOT_FOUND)
            continue;
        TRY(err);
        err =
            logs_cipher_to_write(call->svc, call->txn, call_scope(call), q->groups[i], &g, &cipher);
        TRY(logs_kms(call, err, &cipher));
    }
    return ERR_OK;
}

static enum err tell_figures(struct call *call, const struct logs_query *q,
                             struct logs_get_query_results_output *out)
{
    struct logs_query_statistics *s = ARENA_NEW(call->arena, struct logs_query_statistics);
    if (!s)
        return ERR_NOMEM;
    WIRE_SET(s, records_matched, (double)q->matched);
    WIRE_SET(s, records_scanned, (double)q->scanned);
    WIRE_SET(s, estimated_records_skipped, 0);
    WIRE_SET(s, bytes_scanned, (double)q->bytes);
    WIRE_SET(s, estimated_bytes_skipped, 0);
    WIRE_SET(s, log_groups_scanned, (double)q->groups_scanned);
    out->statistics = s;
    out->status = logs_query_status_name(q->status);
    out->query_language = STR("CWLI");
    return ERR_OK;
}

static struct page_bind ptr_bind(struct call *call)
{
    struct page_bind bind = page_bind_of(call, STR("ptr"));
    bind.operation = STR("GetLogRecord");
    return bind;
}

enum err logs_get_query_results(struct call *call, const struct logs_get_query_results_input *in,
                                struct logs_get_query_results_output *out)
{
    static const struct page_fns fns = {.take = take_row};
    struct logs_query q;
    struct telling t = {.call = call, .q = &q, .ptr_bind = ptr_bind(call)};
    TRY(need_query(call, in->query_id, &q));
    TRY(tell_figures(call, &q, out));
    struct page page =
        page_of_call(call, in->query_id, in->next_token,
                     in->has_max_items ? (size_t)in->max_items : LOGS_QUERY_PAGE_ROWS);
    size_t n = min_size(page.limit, q.n_rows);
    t.rows = ARENA_ARRAY(call->arena, struct logs_result_rows, n + 1);
    if (!t.rows)
        return ERR_NOMEM;
    if (q.status == LOGS_QUERY_COMPLETE && q.n_rows > 0) {
        struct key_range range = key_range(call->arena, &logs_k_query_row, q.uid);
        range.to = key_make(call->arena, &logs_k_query_row, q.uid, q.n_rows);
        if (!str_is_set(range.to))
            return ERR_NOMEM;
        TRY(ask_kms(call, &q));
        TRY(logs_paged(call, page_scan(call->txn, &page, range, &fns, &t)));
        out->next_token = page.next_token;
    }
    out->results = (struct logs_query_results){t.rows, t.n};
    return ERR_OK;
}

enum err logs_get_log_record(struct call *call, const struct logs_get_log_record_input *in,
                             struct logs_get_log_record_output *out)
{
    struct page_bind bind = ptr_bind(call);
    struct arena *a = call->arena;
    struct str position, record;
    struct logs_ptr ptr;
    struct logs_group g;
    struct logs_stored_event e;
    struct logs_cipher cipher = {0};
    struct insights_field *v;
    size_t n;
    enum err err = page_open(&bind, in->log_record_pointer, &position);
    if (err == ERR_INVALID)
        return INVALID(call, "The specified logRecordPointer is invalid.");
    TRY(err);
    TRY(logs_ptr_parse(a, position, &ptr));
    struct str key = key_make(a, &logs_k_event, ptr.stream_id, ptr.timestamp, ptr.seq);
    err = logs_read_group(call->txn, call_scope(call), ptr.group, &g);
    if (err == ERR_OK &&
        (g.id != ptr.group_id || ptr.timestamp < logs_cutoff(&g, call->txn->wall_ms)))
        err = ERR_NOT_FOUND;
    struct logs_stream s;
    if (err == ERR_OK)
        err = logs_read_stream(call->txn, g.id, ptr.stream, &s);
    if (err == ERR_OK)
        err = s.id == ptr.stream_id ? txn_get(call->txn, key, &record) : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return call_error(call, &logs_err_resource_not_found_exception,
                          "The specified log record does not exist.");
    TRY(err);
    TRY(logs_parse_event(a, key, record, &e));
    err =
        logs_cipher_open(call->svc, call->txn, call_scope(call), ptr.group, g.id, key, &e, &cipher);
    TRY(logs_kms(call, err, &cipher));
    const struct insights_event event = {.timestamp_ms = e.timestamp,
                                         .ingested_ms = e.ingested_ms,
                                         .message = e.message,
                                         .stream = ptr.stream,
                                         .group = ptr.group,
                                         .account = call->account,
                                         .region = call->region};
    TRY(insights_discover(a, &event, &v, &n));
    struct logs_log_record_entry *entries = ARENA_ARRAY(a, struct logs_log_record_entry, n + 1);
    if (!entries)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        entries[i].key = v[i].name;
        entries[i].value = v[i].value;
    }
    entries[n].key = STR("@ptr");
    entries[n].value = in->log_record_pointer;
    out->log_record = (struct logs_log_record){entries, n + 1};
    return ERR_OK;
}

/* --- listing ---------------------------------------------------------------------------------------- */

struct listing {
    struct call *call;
    const struct logs_describe_queries_input *in;
    struct logs_query_info *v;
    size_t n;
};

static enum err read_listed(struct listing *l, struct str key, struct str *ret_id,
                            struct logs_query *ret)
{
    struct arena *a = l->call->arena;
    struct key_scope scope;
    struct str record;
    TRY(key_read(&logs_k_query_time, key, a, &scope, KEY_SKIP, ret_id));
    TRY(txn_peek(l->call->txn, key_make(a, &logs_k_query, call_scope(l->call), *ret_id), &record));
    return logs_query_parse(a, record, ret);
}

static enum err match(void *arg, struct str key, struct str value, bool *ret_match)
{
    struct listing *l = arg;
    struct logs_query q;
    struct str id;
    TRY(read_listed(l, key, &id, &q));
    bool named = !str_is_set(l->in->log_group_name);
    for (size_t i = 0; i < q.n_groups; i++)
        named = named || str_eq(q.groups[i], l->in->log_group_name);
    *ret_match = named && (!str_is_set(l->in->status) ||
                           str_eq(l->in->status, logs_query_status_name(q.status)));
    return ERR_OK;
}

/* A query as it is listed: behind what it was asked of, as AWS tells it. */
static enum err with_source(struct arena *a, const struct logs_query *q, struct str *ret)
{
    struct buf b;
    *ret = q->text;
    if (q->sourced)
        return ERR_OK;
    buf_init_arena(&b, a, LOGS_SOURCE_MAX);
    for (size_t i = 0; i < q->n_groups; i++)
        buf_add_fmt(&b, "%sSOURCE \"" STR_FMT "\"", i ? " | " : "", STR_ARG(q->groups[i]));
    buf_add_fmt(&b, " START=%lld END=%lld | " STR_FMT, (long long)q->from_ms, (long long)q->to_ms,
                STR_ARG(q->text));
    *ret = buf_str(&b);
    return buf_err(&b);
}

static enum err take(void *arg, struct str key, struct str value)
{
    struct listing *l = arg;
    struct logs_query_info *info = &l->v[l->n++];
    struct logs_query q;
    TRY(read_listed(l, key, &info->query_id, &q));
    info->query_language = STR("CWLI");
    TRY(with_source(l->call->arena, &q, &info->query_string));
    info->status = logs_query_status_name(q.status);
    if (!q.sourced)
        info->log_group_name = q.groups[0];
    WIRE_SET(info, create_time, q.created_ms);
    if (!logs_query_is_active(&q) && q.started_ms > 0)
        WIRE_SET(info, query_duration, q.ended_ms - q.started_ms);
    WIRE_SET(info, bytes_scanned, (double)q.bytes);
    return ERR_OK;
}

enum err logs_describe_queries(struct call *call, const struct logs_describe_queries_input *in,
                               struct logs_describe_queries_output *out)
{
    static const struct page_fns fns = {match, take};
    struct listing l = {.call = call, .in = in};
    struct str scope =
        str_fmt(call->arena, STR_FMT ":" STR_FMT, STR_ARG(in->log_group_name), STR_ARG(in->status));
    size_t limit = in->has_max_results ? (size_t)in->max_results : LOGS_QUERIES_KEPT_MAX;
    l.v = ARENA_ARRAY(call->arena, struct logs_query_info, limit);
    if (!l.v || !str_is_set(scope))
        return ERR_NOMEM;
    out->queries.v = l.v;
    /* Of other languages there are none. */
    if (str_is_set(in->query_language) && !str_eq_c(in->query_language, "CWLI"))
        return ERR_OK;
    struct page page = page_of_call(call, scope, in->next_token, limit);
    page.reverse = true;
    struct key_range range = key_range(call->arena, &logs_k_query_time, call_scope(call));
    TRY(logs_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->queries.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
