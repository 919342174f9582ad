/* Removal of files whose reference is gone, of what a deleted bucket's uploads left, and of the
 * memory of uploads completed a day ago. A singleton job (deliver/job.h):
 *
 *   step: what was unlinked is taken off the list, the next ripe files are collected
 *     --ripe ones--> run: unlinked on the pool --> step
 *     --more------> step      --not ripe yet--> wait --> step      --nothing--> idle until kicked
 *
 * A file is ripe GRACE_MS after the commit that dropped it: by then every reader whose snapshot is
 * older has pinned itself, and the pins tell whether one is still at work (SF3). A run begins once
 * what its step read is durable, as all background transactions do.
 *
 * The scan of the list goes on where the last one stopped, since the range behind it is full of
 * tombstones; the keys begin with the time of their commit. The job's cursor is the upload at which
 * the removal of a deleted bucket's goes on.
 *
 * Layer: svc. Thread: home loop, but for unlinking. */
#include <assert.h>

#include "base/mem.h"
#include "core/page.h"
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

/* --- a step ----------------------------------------------------------------------------------- */

/* A reader that began before the limit may still need what was dropped shortly before. */
static int64_t ripe_before(struct s3 *s3, int64_t now_ms)
{
    int64_t limit = now_ms - GRACE_MS, held_ms = atomic_load(&s3->core->held_since_ms);
    if (held_ms != CORE_HELD_NEVER)
        limit = min_i64(limit, held_ms - GRACE_MS);
    pthread_mutex_lock(&s3->lock);
    LIST_EACH (&s3->pins, it)
        limit = min_i64(limit, CONTAINER_OF(it, struct s3_pin, link)->since_ms - GRACE_MS);
    pthread_mutex_unlock(&s3->lock);
    return limit;
}

/* One step at work: what the scans' callbacks share. */
struct stepping {
    struct cleaning *c;
    struct txn *txn;
    struct job_budget *budget;
    struct str *cursor; /* the job's */
    int64_t limit_ms;   /* what was dropped before is ripe */
    bool more;          /* the budget is spent, and something may be left */
};

/* Ends the scan when the budget is spent. */
static enum err spend(struct stepping *st)
{
    job_spend(st->budget, 1);
    st->more = job_spent(st->budget);
    return st->more ? ERR_CLOSED : ERR_OK;
}

static enum err collect_file(void *arg, struct str key, struct str value)
{
    struct stepping *st = arg;
    struct batch *b = &st->c->ripe;
    struct str id;
    int64_t since_ms;
    if (b->n == BATCH)
        return ERR_CLOSED;
    TRY(key_read(&s3_k_trash, key, st->txn->arena, &since_ms, &id));
    if (id.len != S3_ID_LEN)
        return ERR_CORRUPT;
    if (since_ms > st->limit_ms) {
        st->c->unripe_ms = since_ms;
        return ERR_CLOSED;
    }
    b->since[b->n] = since_ms;
    memcpy(b->ids[b->n++].b, id.p, S3_ID_LEN);
    return ERR_OK;
}

static enum err collect(struct stepping *st)
{
    struct cleaning *c = st->c;
    struct key_range r = key_range_table(st->txn->arena, &s3_k_trash);
    if (c->resume_len && str_is_set(r.from))
        r.from = str_n(c->resume, c->resume_len);
    c->ripe.n = 0;
    c->unripe_ms = INT64_MAX;
    st->limit_ms = ripe_before(c->s3, st->txn->now_ms);
    return txn_each(st->txn, r, collect_file, st);
}

static enum err drop_part(void *arg, struct str key, struct str value)
{
    struct stepping *st = arg;
    struct s3_part_rec part;
    TRY(record_unpack(&s3_part_type, st->txn->arena, value, &part));
    TRY(s3_trash_file(st->c->s3, st->txn, &part.file));
    TRY(txn_del(st->txn, key));
    return spend(st);
}

/* The parts first; the cursor says where to go on when they were too many. */
static enum err drop_upload(void *arg, struct str key, struct str value)
{
    struct stepping *st = arg;
    struct arena *a = st->txn->arena;
    struct str upload_id, own = str_dup(a, key);
    if (!str_is_set(own))
        return ERR_NOMEM;
    TRY(key_read(&s3_k_upload, own, a, KEY_SKIP, KEY_SKIP, &upload_id));
    *st->cursor = own;
    TRY(txn_each(st->txn, key_range(a, &s3_k_part, upload_id), drop_part, st));
    if (st->more)
        return ERR_CLOSED;
    TRY(txn_del(st->txn, own));
    return spend(st);
}

/* What the uploads of deleted buckets left, from the cursor on. */
static enum err drop_buckets(struct stepping *st)
{
    struct txn *txn = st->txn;
    struct key_range dropped = key_range_table(txn->arena, &s3_k_dropped), r;
    struct str key, value;
    uint64_t bucket;
    st->more = false;
    while (!st->more) {
        enum err err = job_first_pair(txn, dropped.from, dropped.to, &key, &value);
        if (err == ERR_NOT_FOUND) {
            *st->cursor = STR("");
            return ERR_OK;
        }
        TRY(err);
        TRY(key_read(&s3_k_dropped, key, txn->arena, &bucket));
        r = key_range(txn->arena, &s3_k_upload, bucket);
        if (str_cmp(*st->cursor, r.from) > 0 && str_cmp(*st->cursor, r.to) < 0)
            r.from = *st->cursor;
        TRY(txn_each(txn, r, drop_upload, st));
        if (!st->more)
            TRY(txn_del(txn, key));
        job_spend(st->budget, 1);
        st->more = st->more || job_spent(st->budget);
    }
    return ERR_OK;
}

static enum err forget(void *arg, struct str key, struct str done)
{
    struct stepping *st = arg;
    TRY(txn_del(st->txn, done));
    TRY(txn_del(st->txn, key));
    return spend(st);
}

/* Every completion wakes the cleaner, so the table holds those of a day. */
static enum err forget_done(struct stepping *st)
{
    struct arena *a = st->txn->arena;
    struct key_range r = key_range_table(a, &s3_k_done_since);
    r.to = key_prefix(a, &s3_k_done_since, st->txn->now_ms - DONE_KEPT_MS);
    return txn_each(st->txn, r, forget, st);
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
    TRY(cleaning_of(s3, job, &c));
    struct stepping st = {.c = c, .txn = txn, .budget = budget, .cursor = &job->cursor};
    TRY(purge(c, txn, budget));
    TRY(forget_done(&st));
    bool more = st.more;
    TRY(drop_buckets(&st));
    more = more || st.more;
    TRY(collect(&st));
    if (c->ripe.n > 0)
        *ret_state = c->stuck ? JOB_WAIT : JOB_RUN;
    else if (more)
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
    assert(c && (state != JOB_RUN || c->ripe.n > 0));
    c->gone.n = 0; /* purged */
    c->stuck = false;
}

static void run(void *self, struct due_fire *fire)
{
    struct cleaning *c = fire->user;
    assert(c && c->ripe.n > 0 && c->gone.n == 0);
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
