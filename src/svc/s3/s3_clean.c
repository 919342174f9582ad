/* Removal of files whose reference is gone, of what a deleted bucket's uploads left, and of the
 * memory of uploads completed a day ago. A singleton job (deliver/job.h):
 *
 *   step: what was unlinked is taken off the list, the next ripe files are collected
 *     --ripe ones--> run: unlinked on the pool --> step
 *     --more------> step      --not ripe yet--> wait --> step      --nothing--> idle until kicked
 *
 * A file is ripe GRACE_MS after the commit that dropped it: by then every reader whose snapshot is
 * older has pinned itself, and the pins tell whether one is still at work (F3). A run begins once
 * what its step read is durable, as all background transactions do.
 *
 * The scan of the list goes on where the last one stopped, since the range behind it is full of
 * tombstones; the keys begin with the time of their commit. The job's cursor is the upload at which
 * the removal of a deleted bucket's goes on.
 *
 * Layer: svc. Thread: home loop, but for kick, s3_trash_* and unlinking. */
#include "base/log.h"
#include "base/mem.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/s3/s3_int.h"

enum { GRACE_MS = 2000, WAIT_MIN_MS = 1000, BATCH = 256, DONE_KEPT_MS = 24 * 3600 * 1000 };

struct batch {
    struct s3_id ids[BATCH];
    int64_t since[BATCH];
    size_t n;
};

/* What the job keeps in memory. */
struct cleaning {
    struct s3 *s3;
    struct io_work work;
    struct due_fire *run;
    struct batch gone; /* unlinked, still listed */
    struct batch ripe; /* collected by the step that commits */
    int64_t unripe_ms; /* when the next file was dropped; INT64_MAX: there is none */
    bool stuck;        /* a file could not be unlinked: pause */
    char resume[64];   /* key behind the last purged one */
    size_t resume_len;
};

static void kick_hook(void *arg)
{
    s3_clean_kick(arg);
}

/* --- a step ----------------------------------------------------------------------------------- */

/* A reader that began before the limit may still need what was dropped shortly before. */
static int64_t ripe_before(struct s3 *s3, int64_t now_ms)
{
    int64_t limit = now_ms - GRACE_MS;
    pthread_mutex_lock(&s3->lock);
    LIST_EACH (&s3->pins, it)
        limit = min_i64(limit, CONTAINER_OF(it, struct s3_pin, link)->since_ms - GRACE_MS);
    pthread_mutex_unlock(&s3->lock);
    return limit;
}

static enum err read_trash(struct arena *a, struct str key, int64_t *ret_since_ms,
                           struct s3_id *ret_id)
{
    struct str id;
    TRY(key_read(&s3_k_trash, key, a, ret_since_ms, &id));
    if (id.len != S3_ID_LEN)
        return ERR_CORRUPT;
    memcpy(ret_id->b, id.p, S3_ID_LEN);
    return ERR_OK;
}

static enum err collect(struct cleaning *c, struct txn *txn)
{
    struct key_range r = key_range_table(txn->arena, &s3_k_trash);
    int64_t limit_ms = ripe_before(c->s3, txn->now_ms);
    struct batch *b = &c->ripe;
    struct kv_iter *it;
    struct str key, value;
    if (!str_is_set(r.from))
        return ERR_NOMEM;
    if (c->resume_len)
        r.from = str_n(c->resume, c->resume_len);
    b->n = 0;
    c->unripe_ms = INT64_MAX;
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err e = ERR_OK;
    while (b->n < BATCH && (e = kv_next(it, &key, &value)) == ERR_OK) {
        e = read_trash(txn->arena, key, &b->since[b->n], &b->ids[b->n]);
        if (e != ERR_OK)
            break;
        if (b->since[b->n] > limit_ms) {
            c->unripe_ms = b->since[b->n];
            break;
        }
        b->n++;
    }
    kv_iter_close(it);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err drop_parts(struct s3 *s3, struct txn *txn, struct str upload_id,
                           struct job_budget *budget, bool *ret_more)
{
    struct key_range r = key_range(txn->arena, &s3_k_part, upload_id);
    struct kv_iter *it;
    struct str key, value;
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err e;
    bool more = false;
    while (!more && (e = kv_next(it, &key, &value)) == ERR_OK) {
        struct s3_part_rec part;
        e = record_unpack(&s3_part_type, txn->arena, value, &part);
        if (e == ERR_OK)
            e = s3_trash_file(s3, txn, &part.file);
        if (e == ERR_OK)
            e = txn_del(txn, key);
        if (e != ERR_OK)
            break;
        job_spend(budget, 1);
        more = job_spent(budget);
    }
    kv_iter_close(it);
    *ret_more = more;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Removes what the uploads of one deleted bucket left, from *cursor on, until the budget is spent;
 * *ret_more then, and *cursor says where to go on. */
static enum err drop_uploads(struct s3 *s3, struct txn *txn, uint64_t bucket, struct str *cursor,
                             struct job_budget *budget, bool *ret_more)
{
    struct key_range r = key_range(txn->arena, &s3_k_upload, bucket);
    struct kv_iter *it;
    struct str key, value, upload_id;
    bool inside = str_cmp(*cursor, r.from) > 0 && str_cmp(*cursor, r.to) < 0;
    bool more = false;
    TRY(kv_scan(txn->kv, inside ? *cursor : r.from, r.to, false, &it));
    enum err e;
    while (!more && (e = kv_next(it, &key, &value)) == ERR_OK) {
        key = str_dup(txn->arena, key);
        e = key.p ? key_read(&s3_k_upload, key, txn->arena, KEY_SKIP, KEY_SKIP, &upload_id)
                  : ERR_NOMEM;
        if (e == ERR_OK)
            e = drop_parts(s3, txn, upload_id, budget, &more);
        if (e == ERR_OK && !more) {
            e = txn_del(txn, key);
            job_spend(budget, 1);
            more = job_spent(budget);
        }
        if (e != ERR_OK)
            break;
        *cursor = key;
    }
    kv_iter_close(it);
    *ret_more = more;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The same of every deleted bucket; *ret_more: there is work left. */
static enum err drop_buckets(struct s3 *s3, struct txn *txn, struct job *job,
                             struct job_budget *budget, bool *ret_more)
{
    struct key_range r = key_range_table(txn->arena, &s3_k_dropped);
    struct str key, value;
    uint64_t bucket = 0;
    bool more = false;
    while (!more) {
        enum err e = job_first_pair(txn, r.from, r.to, &key, &value);
        if (e == ERR_NOT_FOUND) {
            job->cursor = STR("");
            break;
        }
        TRY(e);
        TRY(key_read(&s3_k_dropped, key, txn->arena, &bucket));
        TRY(drop_uploads(s3, txn, bucket, &job->cursor, budget, &more));
        if (!more)
            TRY(txn_del(txn, key));
        job_spend(budget, 1);
        more = more || job_spent(budget);
    }
    *ret_more = more;
    return ERR_OK;
}

/* Every completion wakes the cleaner, so the table holds those of a day. */
static enum err forget_done(struct txn *txn, struct job_budget *budget, bool *ret_more)
{
    struct key_range r = key_range_table(txn->arena, &s3_k_done_since);
    r.to = key_prefix(txn->arena, &s3_k_done_since, txn->now_ms - DONE_KEPT_MS);
    struct kv_iter *it;
    struct str key, value;
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err e;
    bool more = false;
    while (!more && (e = kv_next(it, &key, &value)) == ERR_OK) {
        e = txn_del(txn, value);
        if (e == ERR_OK)
            e = txn_del(txn, key);
        if (e != ERR_OK)
            break;
        job_spend(budget, 1);
        more = job_spent(budget);
    }
    kv_iter_close(it);
    *ret_more = more;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Takes what is gone off the list; the scan goes on behind it. */
static enum err purge(struct cleaning *c, struct txn *txn, struct job_budget *budget)
{
    struct str key = STR("");
    for (size_t i = 0; i < c->gone.n; i++) {
        key = key_make(txn->arena, &s3_k_trash, c->gone.since[i], s3_id_str(&c->gone.ids[i]));
        TRY(txn_del(txn, key));
    }
    job_spend(budget, c->gone.n);
    if (c->gone.n > 0 && key.len < sizeof(c->resume)) {
        memcpy(c->resume, key.p, key.len);
        c->resume_len = key.len;
    }
    return ERR_OK;
}

static enum err cleaning_of(struct s3 *s3, struct job *job, struct cleaning **ret_c)
{
    if (!job->user) {
        struct cleaning *c = mem_calloc(1, sizeof(*c));
        if (!c)
            return ERR_NOMEM;
        c->s3 = s3;
        job->user = c;
    }
    *ret_c = job->user;
    return ERR_OK;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct s3 *s3 = self;
    struct cleaning *c = NULL;
    bool more_done, more_dropped;
    TRY(cleaning_of(s3, job, &c));
    TRY(purge(c, txn, budget));
    TRY(forget_done(txn, budget, &more_done));
    TRY(drop_buckets(s3, txn, job, budget, &more_dropped));
    TRY(collect(c, txn));
    if (c->ripe.n > 0)
        *ret_state = c->stuck ? JOB_WAIT : JOB_RUN;
    else if (more_done || more_dropped)
        *ret_state = JOB_MORE;
    else
        *ret_state = c->unripe_ms < INT64_MAX ? JOB_WAIT : JOB_DONE;
    if (*ret_state == JOB_WAIT)
        job->wait_until_ms = txn->now_ms + WAIT_MIN_MS;
    if (*ret_state == JOB_WAIT && c->ripe.n == 0)
        job->wait_until_ms = max_i64(job->wait_until_ms, c->unripe_ms + GRACE_MS + 1);
    return ERR_OK;
}

/* --- unlinking -------------------------------------------------------------------------------- */

static void unlink_files(struct io_work *w)
{
    struct cleaning *c = CONTAINER_OF(w, struct cleaning, work);
    size_t n = 0;
    while (n < c->gone.n && s3_file_remove(c->s3, &c->gone.ids[n]))
        n++;
    c->stuck = n < c->gone.n;
    c->gone.n = n; /* the others stay listed, and are collected again */
}

static void unlinked(struct io_work *w)
{
    struct cleaning *c = CONTAINER_OF(w, struct cleaning, work);
    job_continue(c->run);
}

static void stepped(void *self, const struct job *job, enum job_state state)
{
    struct cleaning *c = job->user;
    c->gone.n = 0; /* purged */
    c->stuck = false;
}

static void run(void *self, struct due_fire *fire)
{
    struct cleaning *c = fire->user;
    c->gone = c->ripe;
    c->run = fire;
    c->work.work = unlink_files;
    c->work.done = unlinked;
    if (io_work_start(core_home_loop(c->s3->core), &c->work) == ERR_OK)
        return;
    c->gone.n = 0; /* the next step collects them again */
    job_continue(fire);
}

static void release(void *self, void *user)
{
    mem_free(user);
}

enum err s3_clean_register(struct s3 *s3)
{
    const struct job_def def = {
        .name = "s3.clean",
        .self = s3,
        .step = step,
        .run = run,
        .stepped = stepped,
        .release = release,
        .at_once = 1,
        .singleton = true,
    };
    return job_register(deliver_due(s3->core->deliver), &def, &s3->clean);
}

void s3_clean_kick(struct s3 *s3)
{
    job_kick(s3->clean);
}

/* --- staging removal -------------------------------------------------------------------------- */

enum err s3_forget_later(struct s3 *s3, struct txn *txn)
{
    return txn_on_durable(txn, kick_hook, s3);
}

enum err s3_trash_file(struct s3 *s3, struct txn *txn, const struct s3_id *id)
{
    TRY(txn_del(txn, key_make(txn->arena, &s3_k_file, s3_id_str(id))));
    TRY(txn_put(txn, key_make(txn->arena, &s3_k_trash, txn->now_ms, s3_id_str(id)), STR("")));
    return txn_on_durable(txn, kick_hook, s3);
}

enum err s3_trash_body(struct s3 *s3, struct txn *txn, const struct s3_body *body)
{
    switch (body->kind) {
    case S3_BODY_EMPTY:
        return ERR_OK;
    case S3_BODY_BYTES:
        return txn_del(txn, key_make(txn->arena, &s3_k_bytes, s3_id_str(&body->id)));
    case S3_BODY_FILE:
        return s3_trash_file(s3, txn, &body->id);
    case S3_BODY_PARTS:
        break;
    }
    struct s3_manifest m;
    TRY(s3_body_manifest(txn, body, &m));
    for (size_t i = 0; i < m.n; i++)
        TRY(s3_trash_file(s3, txn, &m.parts[i].file));
    return txn_del(txn, key_make(txn->arena, &s3_k_manifest, s3_id_str(&body->id)));
}
