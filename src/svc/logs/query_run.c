/* The job that runs queries. See query.h.
 *
 *   reading (events, group by group, stream by stream) --> ordering (worker pool) --> writing rows
 *
 * Layer: svc/logs. Thread: the home loop; ordering: a worker. */
#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/record.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/logs/query.h"

extern const struct record_type logs_query_row_type;

enum phase { READING, ORDERING, WRITING };

/* A query at work: job->user. Heap. */
struct running {
    struct logs *logs; /* not to be looked at in release: it may be gone */
    struct logs_places *places;
    struct arena arena; /* the query and what it is of */
    const struct insights_query *query;
    struct insights_run *run;
    struct key_scope scope;
    struct logs_query rec;
    enum phase phase;
    enum err failed; /* of reading or ordering */
    size_t at;       /* group that is read */
    struct logs_group group;
    bool in_group, in_stream;
    struct buf stream_from, event_from; /* keys */
    struct buf stream_name;
    struct logs_stream stream;
    uint32_t written, stored; /* rows: staged, committed */
    struct io_work work;
    struct due_fire *fire;
};

enum { KEY_BYTES_MAX = 4096, ARENA_BYTES_MAX = 4 * 1024 * 1024 };

void logs_places_unref(struct logs_places *places)
{
    if (places && --places->refs == 0)
        mem_free(places);
}

static void running_free(struct running *r)
{
    r->places->running--;
    logs_places_unref(r->places);
    insights_run_free(r->run);
    buf_release(&r->stream_from);
    buf_release(&r->event_from);
    buf_release(&r->stream_name);
    arena_release(&r->arena);
    mem_free(r);
}

static void release(void *self, void *user)
{
    running_free(user);
}

static enum err running_prepare(struct running *r, struct str id, const struct logs_query *rec,
                                int64_t now_ms)
{
    struct insights_fault fault;
    r->rec = *rec;
    r->rec.text = str_dup(&r->arena, rec->text);
    r->rec.groups = ARENA_ARRAY(&r->arena, struct str, rec->n_groups + 1);
    if (!r->rec.groups || !str_is_set(r->rec.text))
        return ERR_NOMEM;
    for (size_t i = 0; i < rec->n_groups; i++) {
        r->rec.groups[i] = str_dup(&r->arena, rec->groups[i]);
        if (!str_is_set(r->rec.groups[i]))
            return ERR_NOMEM;
    }
    r->rec.matched = r->rec.scanned = r->rec.bytes = r->rec.groups_scanned = 0;
    TRY(insights_parse(&r->arena, r->rec.text, &r->query, &fault));
    return insights_run_new(r->query, LOGS_QUERY_BYTES_MAX, rec->limit, now_ms, &r->run);
}

static enum err running_new(struct logs *logs, struct key_scope scope, struct str id,
                            const struct logs_query *rec, int64_t now_ms, struct running **ret)
{
    struct running *r = mem_calloc(1, sizeof(*r));
    if (!r)
        return ERR_NOMEM;
    r->logs = logs;
    r->places = logs->places;
    r->places->running++;
    r->places->refs++;
    arena_init(&r->arena, ARENA_BYTES_MAX);
    buf_init(&r->stream_from, KEY_BYTES_MAX);
    buf_init(&r->event_from, KEY_BYTES_MAX);
    buf_init(&r->stream_name, KEY_BYTES_MAX);
    r->scope.account = str_dup(&r->arena, scope.account);
    r->scope.region = str_dup(&r->arena, scope.region);
    enum err err = str_is_set(r->scope.account) && str_is_set(r->scope.region)
                       ? running_prepare(r, id, rec, now_ms)
                       : ERR_NOMEM;
    if (err) {
        running_free(r);
        return err;
    }
    *ret = r;
    return ERR_OK;
}

/* --- reading -------------------------------------------------------------------------------------- */

static enum err keep(struct buf *b, struct str s)
{
    buf_clear(b);
    if (!str_is_set(s))
        return ERR_NOMEM;
    buf_add_str(b, s);
    return buf_err(b);
}

struct reading {
    struct running *r;
    struct txn *txn;
    struct job_budget *budget;
    struct logs_cipher cipher;
    bool paused;
};

static enum err take(struct reading *rd, const struct logs_stored_event *e)
{
    struct running *r = rd->r;
    struct insights_event event = {
        .timestamp_ms = e->timestamp,
        .ingested_ms = e->ingested_ms,
        .message = e->message,
        .stream = buf_str(&r->stream_name),
        .group = r->rec.groups[r->at],
        .account = r->scope.account,
        .region = r->scope.region,
    };
    const struct logs_ptr ptr = {event.group,  event.stream, r->group.id,
                                 r->stream.id, e->timestamp, e->seq};
    bool matched;
    TRY(logs_ptr_make(rd->txn->arena, &ptr, &event.ref));
    r->failed = insights_run_event(r->run, &event, &matched);
    if (r->failed)
        return ERR_CLOSED;
    r->rec.scanned++;
    r->rec.bytes += e->message.len;
    r->rec.matched += matched;
    return ERR_OK;
}

static enum err read_event(void *arg, struct str key, struct str record)
{
    struct reading *rd = arg;
    struct running *r = rd->r;
    struct arena *a = rd->txn->arena;
    struct logs_stored_event e;
    TRY(logs_parse_event(a, key, record, &e));
    enum err err = logs_cipher_open(r->logs, rd->txn, r->scope, r->rec.groups[r->at], r->group.id,
                                    key, &e, &rd->cipher);
    if (err == ERR_DENIED) {
        r->failed = err;
        return ERR_CLOSED;
    }
    TRY(err);
    TRY(take(rd, &e));
    if (!job_spent(rd->budget))
        return ERR_OK;
    TRY(keep(&r->event_from, key_successor(a, key)));
    rd->paused = true;
    return ERR_CLOSED;
}

static enum err read_stream(struct reading *rd)
{
    struct running *r = rd->r;
    struct arena *a = rd->txn->arena;
    struct key_range range = {
        buf_str(&r->event_from),
        r->rec.to_ms < INT64_MAX
            ? key_make(a, &logs_k_event, r->stream.id, r->rec.to_ms + 1, (uint64_t)0)
            : key_range(a, &logs_k_event, r->stream.id).to};
    rd->paused = false;
    if (!str_is_set(range.to))
        return ERR_NOMEM;
    if (str_cmp(range.from, range.to) < 0)
        TRY(txn_each(rd->txn, range, read_event, rd));
    r->in_stream = rd->paused;
    return ERR_OK;
}

/* The next stream of the group that may have events of the time asked for. */
static enum err next_stream(struct reading *rd)
{
    struct running *r = rd->r;
    struct arena *a = rd->txn->arena;
    struct str key, record, name;
    struct key_range all = key_range(a, &logs_k_stream, r->group.id);
    enum err err = str_is_set(all.from)
                       ? job_first_pair(rd->txn, buf_str(&r->stream_from), all.to, &key, &record)
                       : ERR_NOMEM;
    if (err == ERR_NOT_FOUND) {
        r->in_group = false;
        r->at++;
        r->rec.groups_scanned++;
        return ERR_OK;
    }
    TRY(err);
    TRY(logs_parse_stream(a, record, &r->stream));
    TRY(key_read(&logs_k_stream, key, a, KEY_SKIP, &name));
    TRY(keep(&r->stream_from, key_successor(a, key)));
    if (r->stream.last_ms == 0 || r->stream.last_ms < r->rec.from_ms ||
        r->stream.first_ms > r->rec.to_ms)
        return ERR_OK;
    int64_t from = max_i64(r->rec.from_ms, logs_cutoff(&r->group, rd->txn->wall_ms));
    TRY(keep(&r->stream_name, name));
    TRY(keep(&r->event_from, key_make(a, &logs_k_event, r->stream.id, from, (uint64_t)0)));
    r->in_stream = true;
    return ERR_OK;
}

static enum err next_group(struct reading *rd)
{
    struct running *r = rd->r;
    enum err err = logs_read_group(rd->txn, r->scope, r->rec.groups[r->at], &r->group);
    if (err == ERR_NOT_FOUND) { /* deleted meanwhile */
        r->at++;
        return ERR_OK;
    }
    TRY(err);
    r->group.kms_key = STR_NONE; /* not asked for here, and the transaction's */
    r->in_group = true;
    rd->cipher = (struct logs_cipher){0}; /* data keys are numbered by group */
    return keep(&r->stream_from, key_range(rd->txn->arena, &logs_k_stream, r->group.id).from);
}

static enum err read_some(struct running *r, struct txn *txn, struct job_budget *budget)
{
    struct reading rd = {.r = r, .txn = txn, .budget = budget};
    do {
        if (r->at == r->rec.n_groups) {
            r->phase = ORDERING;
            return ERR_OK;
        }
        TRY(r->in_stream ? read_stream(&rd) : r->in_group ? next_stream(&rd) : next_group(&rd));
    } while (!r->failed && !job_spent(budget));
    return ERR_OK;
}

/* --- ordering -------------------------------------------------------------------------------------- */

static void order(struct io_work *w)
{
    struct running *r = CONTAINER_OF(w, struct running, work);
    r->failed = insights_run_end(r->run);
    r->phase = WRITING;
}

static void ordered(struct io_work *w)
{
    job_continue(CONTAINER_OF(w, struct running, work)->fire);
}

static void run(void *self, struct due_fire *fire)
{
    struct running *r = fire->user;
    r->fire = fire;
    r->work = (struct io_work){.work = order, .done = ordered};
    if (io_work_start(core_home_loop(r->logs->core), &r->work) == ERR_OK)
        return;
    order(&r->work); /* no worker takes it: slow is better than not */
    job_continue(fire);
}

/* --- writing --------------------------------------------------------------------------------------- */

/* The first group with a KMS key seals (QY3). */
static enum err choose_cipher(struct running *r, struct txn *txn, struct logs_query *q,
                              struct logs_cipher *cipher)
{
    *cipher = (struct logs_cipher){0};
    q->sealed_for = STR_NONE;
    for (size_t i = 0; i < r->rec.n_groups; i++) {
        struct logs_group g;
        enum err err = logs_read_group(txn, r->scope, r->rec.groups[i], &g);
        if (err == ERR_NOT_FOUND)
            continue;
        TRY(err);
        if (!str_is_set(g.kms_key))
            continue;
        TRY(logs_cipher_to_write(r->logs, txn, r->scope, r->rec.groups[i], &g, cipher));
        q->sealed_for = str_dup(txn->arena, r->rec.groups[i]);
        q->sealed_group = g.id;
        q->data_key = cipher->number;
        return str_is_set(q->sealed_for) ? ERR_OK : ERR_NOMEM;
    }
    return ERR_OK;
}

static enum err write_row(struct running *r, struct txn *txn, const struct logs_cipher *cipher)
{
    struct arena *a = txn->arena;
    struct insights_field *v;
    struct logs_query_row row = {0};
    struct str record, key = key_make(a, &logs_k_query_row, r->rec.uid, r->written);
    TRY(insights_run_row(r->run, r->written, a, &v, &row.n, &row.ptr));
    row.fields = (struct logs_query_field *)v;
    _Static_assert(sizeof(*v) == sizeof(*row.fields) &&
                       offsetof(struct insights_field, value) ==
                           offsetof(struct logs_query_field, value),
                   "one layout");
    TRY(record_make(&logs_query_row_type, a, &row, &record));
    TRY(logs_cipher_seal(cipher, a, key, record, &record));
    r->written++;
    return txn_put(txn, key, record);
}

static void rows_committed(void *arg)
{
    struct running *r = arg;
    r->stored = r->written;
}

static enum err write_some(struct running *r, struct txn *txn, struct job_budget *budget,
                           struct logs_query *q, bool *ret_more)
{
    struct logs_cipher cipher;
    size_t n = insights_run_rows(r->run);
    r->written = r->stored;
    TRY(choose_cipher(r, txn, q, &cipher));
    while (r->written < n && !job_spent(budget)) {
        TRY(write_row(r, txn, &cipher));
        job_spend(budget, 1);
    }
    *ret_more = r->written < n;
    q->n_rows = r->written;
    return *ret_more ? txn_on_commit(txn, rows_committed, r) : ERR_OK;
}

/* --- steps ----------------------------------------------------------------------------------------- */

static void copy_figures(struct logs_query *q, const struct running *r)
{
    q->matched = r->rec.matched;
    q->scanned = r->rec.scanned;
    q->bytes = r->rec.bytes;
    q->groups_scanned = r->rec.groups_scanned;
}

/* Whatever it was, it is over: waits to be forgotten. */
static enum err end(struct txn *txn, struct key_scope scope, struct str id, struct job *job,
                    struct logs_query *q, enum logs_query_status status, enum job_state *ret_state)
{
    struct running *r = job->user;
    if (r) {
        copy_figures(q, r);
        running_free(r);
        job->user = NULL;
    }
    if (logs_query_is_active(q)) {
        TRY(logs_query_over(txn, scope, q, status));
        TRY(logs_query_write(txn, scope, id, q));
    }
    job->wait_until_ms = txn->now_ms + LOGS_QUERY_KEPT_MS;
    *ret_state = JOB_WAIT;
    return ERR_OK;
}

static enum err forget(struct txn *txn, struct key_scope scope, struct str id, struct job *job,
                       const struct logs_query *q, struct job_budget *budget,
                       enum job_state *ret_state)
{
    struct key_range rows = key_range(txn->arena, &logs_k_query_row, q->uid);
    struct logs_query_counts c;
    bool more;
    if (!str_is_set(rows.from))
        return ERR_NOMEM;
    TRY(job_remove_range(txn, &rows.from, rows.to, budget, &more));
    *ret_state = more ? JOB_MORE : JOB_DONE;
    if (more)
        return ERR_OK;
    TRY(logs_query_counts_read(txn, scope, &c));
    if (c.kept > 0)
        c.kept--;
    TRY(logs_query_counts_write(txn, scope, &c));
    TRY(txn_del(txn, key_make(txn->arena, &logs_k_query_time, scope, q->created_ms, id)));
    return txn_del(txn, key_make(txn->arena, &logs_k_query, scope, id));
}

/* Also of a step that is rerun, or that a restart made begin anew. */
static enum err begin(struct logs *logs, struct txn *txn, struct key_scope scope, struct str id,
                      struct job *job, struct logs_query *q, enum job_state *ret_state)
{
    struct running *r = NULL;
    if (!job->user && logs->places->running >= LOGS_QUERIES_RUNNING_MAX) {
        job->wait_until_ms = txn->now_ms + LOGS_QUERY_PLACE_MS;
        *ret_state = JOB_WAIT;
        return ERR_OK;
    }
    if (q->status == LOGS_QUERY_SCHEDULED) {
        q->started_ms = txn->wall_ms;
        q->status = LOGS_QUERY_RUNNING;
        TRY(logs_query_write(txn, scope, id, q));
    }
    *ret_state = JOB_MORE;
    if (job->user)
        return ERR_OK;
    enum err err = running_new(logs, scope, id, q, q->started_ms, &r);
    if (err == ERR_INVALID || err == ERR_LIMIT) /* taken by a version that knew more */
        return end(txn, scope, id, job, q, LOGS_QUERY_FAILED, ret_state);
    TRY(err);
    job->user = r;
    return ERR_OK;
}

static enum err work(struct txn *txn, struct key_scope scope, struct str id, struct job *job,
                     struct logs_query *q, struct job_budget *budget, enum job_state *ret_state)
{
    struct running *r = job->user;
    bool more = true;
    if (txn->wall_ms - q->started_ms > LOGS_QUERY_RUN_MS)
        return end(txn, scope, id, job, q, LOGS_QUERY_TIMEOUT, ret_state);
    enum err err = ERR_OK;
    if (r->phase == READING)
        err = read_some(r, txn, budget);
    else if (r->phase == WRITING && !r->failed)
        err = write_some(r, txn, budget, q, &more);
    if (err == ERR_DENIED || err == ERR_CORRUPT) /* no later try would find it otherwise */
        r->failed = err;
    else if (err)
        return err;
    if (r->failed) {
        log_info("logs", "query " STR_FMT " failed: %s", STR_ARG(id), err_name(r->failed));
        return end(txn, scope, id, job, q, LOGS_QUERY_FAILED, ret_state);
    }
    if (!more)
        return end(txn, scope, id, job, q, LOGS_QUERY_COMPLETE, ret_state);
    *ret_state = r->phase == ORDERING ? JOB_RUN : JOB_MORE;
    return ERR_OK;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct key_scope scope;
    struct str id;
    struct logs_query q;
    TRY(key_read(&logs_k_query, job->key, txn->arena, &scope, &id));
    enum err err = logs_query_read(txn, scope, id, &q);
    if (err == ERR_NOT_FOUND) {
        *ret_state = JOB_DONE;
        return ERR_OK;
    }
    TRY(err);
    if (!logs_query_is_active(&q)) {
        if (job->user) /* cancelled */
            return end(txn, scope, id, job, &q, q.status, ret_state);
        bool early =
            !str_eq_c(job->argument, "now") && txn->wall_ms < q.ended_ms + LOGS_QUERY_KEPT_MS;
        if (!early)
            return forget(txn, scope, id, job, &q, budget, ret_state);
        job->wait_until_ms = txn->now_ms + (q.ended_ms + LOGS_QUERY_KEPT_MS - txn->wall_ms);
        *ret_state = JOB_WAIT;
        return ERR_OK;
    }
    return job->user && q.status == LOGS_QUERY_RUNNING
               ? work(txn, scope, id, job, &q, budget, ret_state)
               : begin(self, txn, scope, id, job, &q, ret_state);
}

enum err logs_queries_register(struct logs *logs)
{
    const struct job_def def = {
        .name = "logs.query",
        .self = logs,
        .step = step,
        .run = run,
        .release = release,
        .at_once = 2,
    };
    logs->places = mem_calloc(1, sizeof(*logs->places));
    if (!logs->places)
        return ERR_NOMEM;
    logs->places->refs = 1;
    return job_register(deliver_due(logs->core->deliver), &def, &logs->queries);
}
