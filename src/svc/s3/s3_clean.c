/* Removal of files whose reference is gone, of what a deleted bucket's uploads left, and of the
 * memory of uploads completed a day ago.
 *
 *   idle --kick--> waiting (timer) --> collecting (txn) --> unlinking (worker) --> purging (txn)
 *     ^               ^                   |  nothing ripe       |                     |
 *     +--nothing left-+-------------------+---------------------+---------------------+
 *
 * A file is ripe GRACE_MS after the commit that dropped it: by then every reader whose snapshot is
 * older has pinned itself, and the pins tell whether one is still at work (F3). Collecting waits
 * until what it read is durable, as all background transactions do.
 *
 * The scan goes on where the last one stopped, since the range behind it is full of tombstones; the
 * keys begin with the time of their commit.
 *
 * Layer: svc. Thread: home loop, but for kick, s3_trash_* and unlinking. */
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "svc/s3/s3_int.h"

enum { GRACE_MS = 2000, INTERVAL_MS = 1000, BATCH = 256, DONE_KEPT_MS = 24 * 3600 * 1000 };

struct s3_cleaner {
    struct s3 *s3;
    struct io_task kick;
    _Atomic bool kicked;
    bool timer_ready;
    bool busy;
    struct io_timer timer;
    struct io_work work;
    struct s3_id ids[BATCH];
    int64_t since[BATCH];
    size_t n;
    bool dropping;   /* a deleted bucket's uploads are being removed */
    bool more;       /* there is work left after this batch */
    char resume[64]; /* key behind the last purged one */
    size_t resume_len;
    int64_t limit_ms; /* ripe: dropped before this */
};

static void cycle_start(struct s3_cleaner *c);

static void on_timer(struct io_timer *timer)
{
    cycle_start(timer->arg);
}

static void arm(struct s3_cleaner *c)
{
    if (!c->s3->core->stopping && io_timer_start(&c->timer, INTERVAL_MS) != ERR_OK)
        log_warn("s3", "removal of files waits for the next deletion: out of memory");
}

static void on_kick(struct io_task *task)
{
    struct s3_cleaner *c = CONTAINER_OF(task, struct s3_cleaner, kick);
    atomic_store(&c->kicked, false);
    if (!c->timer_ready) {
        io_timer_init(&c->timer, core_home_loop(c->s3->core), on_timer, c);
        c->timer_ready = true;
    }
    c->more = true;
    if (!c->busy)
        arm(c);
}

void s3_cleaner_kick(struct s3_cleaner *c)
{
    if (!atomic_exchange(&c->kicked, true))
        io_post(core_home_loop(c->s3->core), &c->kick);
}

enum err s3_cleaner_new(struct s3 *s3, struct s3_cleaner **ret_c)
{
    struct s3_cleaner *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    c->s3 = s3;
    c->kick.fn = on_kick;
    *ret_c = c;
    return ERR_OK;
}

void s3_cleaner_free(struct s3_cleaner *c)
{
    if (c && c->timer_ready)
        io_timer_stop(&c->timer);
    mem_free(c);
}

/* --- a cycle ---------------------------------------------------------------------------------- */

/* A full batch is followed by the next at once; what is left but not ripe is looked at later. */
static void finish(struct s3_cleaner *c, bool at_once)
{
    c->busy = false;
    if (at_once)
        cycle_start(c);
    else if (c->more)
        arm(c);
}

/* A reader that began before the limit may still need what was dropped shortly before. */
static int64_t ripe_before(struct s3 *s3)
{
    int64_t limit = clock_now_ms() - GRACE_MS;
    pthread_mutex_lock(&s3->lock);
    LIST_EACH (&s3->pins, it)
        limit = min_i64(limit, CONTAINER_OF(it, struct s3_pin, link)->since_ms - GRACE_MS);
    pthread_mutex_unlock(&s3->lock);
    return limit;
}

static enum err collect(struct txn *txn, void *arg)
{
    struct s3_cleaner *c = arg;
    struct s3_range r =
        s3_range_trash(txn->arena, c->resume_len ? str_n(c->resume, c->resume_len) : STR_NONE);
    struct kv_iter *it;
    struct str key, value;
    c->n = 0;
    c->more = false;
    c->limit_ms = ripe_before(c->s3);
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err e;
    while ((e = kv_next(it, &key, &value)) == ERR_OK) {
        c->more = true;
        if (c->n == BATCH)
            break;
        e = s3_read_trash_key(key, &c->since[c->n], &c->ids[c->n]);
        if (e != ERR_OK || c->since[c->n] > c->limit_ms)
            break;
        c->n++;
    }
    kv_iter_close(it);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err drop_parts(struct s3_cleaner *c, struct txn *txn, struct str upload_id,
                           size_t *left)
{
    struct s3_range r = s3_range_parts(txn->arena, upload_id, 0);
    struct kv_iter *it;
    struct str key, value;
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err e = ERR_OK;
    while (e == ERR_OK && *left > 0 && (e = kv_next(it, &key, &value)) == ERR_OK) {
        struct s3_part_rec part;
        e = s3_unpack_part(value, &part);
        if (e == ERR_OK)
            e = s3_trash_file(c->s3, txn, &part.file);
        if (e == ERR_OK)
            e = txn_del(txn, key);
        (*left)--;
    }
    kv_iter_close(it);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Removes up to a batch of what the uploads of one deleted bucket left. */
static enum err drop_uploads(struct s3_cleaner *c, struct txn *txn, uint64_t bucket, bool *ret_all)
{
    struct s3_range r = s3_range_prefix(txn->arena, S3_TABLE_UPLOAD, bucket, STR(""));
    struct kv_iter *it;
    struct str key, value, object, upload_id;
    size_t left = BATCH;
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err e = ERR_OK;
    while (left > 0 && (e = kv_next(it, &key, &value)) == ERR_OK) {
        e = s3_read_upload_key(txn->arena, key, &object, &upload_id);
        if (e == ERR_OK)
            e = drop_parts(c, txn, upload_id, &left);
        if (e == ERR_OK && left > 0) {
            e = txn_del(txn, key);
            left--;
        }
        if (e != ERR_OK)
            break;
    }
    kv_iter_close(it);
    *ret_all = e == ERR_NOT_FOUND;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err drop_buckets(struct s3_cleaner *c, struct txn *txn)
{
    struct s3_range r = s3_range_dropped(txn->arena);
    struct kv_iter *it;
    struct str key, value;
    uint64_t bucket = 0;
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err e = kv_next(it, &key, &value);
    if (e == ERR_OK)
        e = s3_read_dropped_key(key, &bucket);
    kv_iter_close(it);
    c->dropping = e == ERR_OK;
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    bool all;
    TRY(drop_uploads(c, txn, bucket, &all));
    c->more = true;
    return all ? txn_del(txn, s3_key_dropped(txn->arena, bucket)) : ERR_OK;
}

/* Every completion wakes the cleaner, so the table holds those of a day. */
static enum err forget_done(struct s3_cleaner *c, struct txn *txn)
{
    struct s3_range r = s3_range_done(txn->arena, txn->now_ms - DONE_KEPT_MS);
    struct kv_iter *it;
    struct str key, value;
    size_t n = 0;
    TRY(kv_scan(txn->kv, r.from, r.to, false, &it));
    enum err e = ERR_OK;
    while (n < BATCH && (e = kv_next(it, &key, &value)) == ERR_OK) {
        e = txn_del(txn, value);
        if (e == ERR_OK)
            e = txn_del(txn, key);
        if (e != ERR_OK)
            break;
        n++;
    }
    kv_iter_close(it);
    c->more = c->more || n == BATCH;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err purge(struct txn *txn, void *arg)
{
    struct s3_cleaner *c = arg;
    for (size_t i = 0; i < c->n; i++)
        TRY(txn_del(txn, s3_key_trash(txn->arena, c->since[i], &c->ids[i])));
    TRY(forget_done(c, txn));
    return drop_buckets(c, txn);
}

static void purged(void *arg, enum err e)
{
    struct s3_cleaner *c = arg;
    if (e != ERR_OK) {
        log_error("s3", "removed files stay listed: %s", err_name(e));
        c->more = true;
    } else if (c->n > 0) {
        struct arena a;
        arena_init(&a, KV_KEY_MAX * 4);
        struct str key = s3_key_trash(&a, c->since[c->n - 1], &c->ids[c->n - 1]);
        if (str_is_set(key) && key.len < sizeof(c->resume)) {
            memcpy(c->resume, key.p, key.len);
            c->resume_len = key.len;
        }
        arena_release(&a);
    }
    finish(c, e == ERR_OK && (c->n == BATCH || c->dropping));
}

static void purge_start(struct s3_cleaner *c)
{
    if (txn_run(c->s3->core, core_home_loop(c->s3->core), purge, c, purged) != ERR_OK)
        finish(c, false);
}

static void unlink_files(struct io_work *w)
{
    struct s3_cleaner *c = CONTAINER_OF(w, struct s3_cleaner, work);
    for (size_t i = 0; i < c->n; i++)
        s3_file_remove(c->s3, &c->ids[i]);
}

static void unlinked(struct io_work *w)
{
    struct s3_cleaner *c = CONTAINER_OF(w, struct s3_cleaner, work);
    if (c->s3->core->stopping) /* the loop may have ended: the next start removes them again */
        finish(c, false);
    else
        purge_start(c);
}

static void collected(void *arg, enum err e)
{
    struct s3_cleaner *c = arg;
    if (e != ERR_OK) {
        log_error("s3", "cannot list files to remove: %s", err_name(e));
        c->more = true;
        finish(c, false);
        return;
    }
    if (c->n == 0) {
        purge_start(c);
        return;
    }
    c->work.work = unlink_files;
    c->work.done = unlinked;
    if (io_work_start(core_home_loop(c->s3->core), &c->work) != ERR_OK)
        finish(c, false);
}

static void cycle_start(struct s3_cleaner *c)
{
    if (c->s3->core->stopping || c->busy)
        return;
    c->busy = true;
    if (txn_run(c->s3->core, core_home_loop(c->s3->core), collect, c, collected) != ERR_OK)
        finish(c, false);
}

/* --- staging removal -------------------------------------------------------------------------- */

static void kick_hook(void *arg)
{
    s3_cleaner_kick(arg);
}

enum err s3_forget_later(struct s3 *s3, struct txn *txn)
{
    return txn_on_durable(txn, kick_hook, s3->cleaner);
}

enum err s3_trash_file(struct s3 *s3, struct txn *txn, const struct s3_id *id)
{
    TRY(txn_del(txn, s3_key_file(txn->arena, id)));
    TRY(txn_put(txn, s3_key_trash(txn->arena, txn->now_ms, id), STR("")));
    return txn_on_durable(txn, kick_hook, s3->cleaner);
}

enum err s3_trash_body(struct s3 *s3, struct txn *txn, const struct s3_body *body)
{
    switch (body->kind) {
    case S3_BODY_EMPTY:
        return ERR_OK;
    case S3_BODY_BYTES:
        return txn_del(txn, s3_key_bytes(txn->arena, &body->id));
    case S3_BODY_FILE:
        return s3_trash_file(s3, txn, &body->id);
    case S3_BODY_PARTS:
        break;
    }
    struct s3_manifest m;
    TRY(s3_body_manifest(txn, body, &m));
    for (size_t i = 0; i < m.n; i++)
        TRY(s3_trash_file(s3, txn, &m.parts[i].file));
    return txn_del(txn, s3_key_manifest(txn->arena, &body->id));
}
