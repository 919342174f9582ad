/* See usage_counter.h. Layer: svc/apigateway. */
#include "svc/apigateway/usage_counter.h"

#include <assert.h>
#include <pthread.h>

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/page.h"
#include "io/io.h"
#include "svc/apigateway/usage.h"
#include "svc/apigateway/usage_store.h"

enum {
    BATCH_MAX = 1000, /* counters of one commit */
    LOOKS_MAX = 16,   /* at counters that might leave for a new one */
};

struct counter {
    struct list all;     /* oldest first */
    struct list changed; /* linked while not written */
    bool writing;        /* in the batch */
    bool gone;           /* dropped while it was written */
    struct usage_count count;
    size_t key_len;
    char key[]; /* of its record */
};

/* What is being written, as it was when the batch was made. */
struct write {
    struct counter *counter;
    struct usage_count count;
};

struct usage_counters {
    struct core *core;
    pthread_mutex_t lock; /* of all but what says else */
    struct map by_key;
    struct list all, changed;
    bool awake; /* the timer runs, is about to, or a batch is written */
    struct io_task wake;
    /* The home loop's. */
    struct io_timer timer;
    bool timer_made, draining;
    struct write batch[BATCH_MAX];
    size_t n_batch;
    void (*drained)(void *arg);
    void *drained_arg;
};

/* --- writing ----------------------------------------------------------------------------------- */

static struct str key_of(const struct counter *k)
{
    return str_n(k->key, k->key_len);
}

static enum err put_day(struct txn *txn, const struct usage_member *m, const struct usage_day *d)
{
    struct str bytes;
    struct str key = key_make(txn->arena, &usage_k_day, m->scope, m->plan_id, m->key_id, d->day);
    TRY(record_make(&usage_day_type, txn->arena, d, &bytes));
    return txn_put(txn, key, bytes);
}

static enum err drop_pair(void *arg, struct str key, struct str val)
{
    return txn_del(arg, key);
}

/* Days that are too old go with the first write of a new one. */
static enum err drop_old_days(struct txn *txn, const struct usage_member *m, int64_t day)
{
    struct key_range old = key_range(txn->arena, &usage_k_day, m->scope, m->plan_id, m->key_id);
    old.to =
        key_make(txn->arena, &usage_k_day, m->scope, m->plan_id, m->key_id, day - USAGE_DAYS_KEPT);
    return str_is_set(old.to) ? txn_each(txn, old, drop_pair, txn) : ERR_NOMEM;
}

static enum err put_count(struct txn *txn, struct str key, const struct usage_count *count)
{
    struct usage_member m;
    struct str bytes;
    TRY(key_read(&usage_k_count, key, txn->arena, &m.scope, &m.plan_id, &m.key_id));
    struct usage_count c = *count;
    c.before = (struct usage_day){0};
    TRY(record_make(&usage_count_type, txn->arena, &c, &bytes));
    TRY(txn_put(txn, key, bytes));
    if (count->before.day == 0) /* the counter itself says what today was */
        return ERR_OK;
    TRY(put_day(txn, &m, &count->before));
    return drop_old_days(txn, &m, count->today.day);
}

static enum err write_body(struct txn *txn, void *arg)
{
    struct usage_counters *c = arg;
    for (size_t i = 0; i < c->n_batch; i++)
        TRY(put_count(txn, key_of(c->batch[i].counter), &c->batch[i].count));
    return ERR_OK;
}

/* Under the lock. */
static void mark(struct usage_counters *c, struct counter *k)
{
    if (!list_linked(&k->changed))
        list_push_back(&c->changed, &k->changed);
    if (c->awake || !c->core->n_loops)
        return;
    c->awake = true;
    io_post(core_home_loop(c->core), &c->wake);
}

/* Under the lock. */
static void settle(struct usage_counters *c, const struct write *w, enum err err)
{
    struct counter *k = w->counter;
    k->writing = false;
    if (k->gone) {
        mem_free(k);
        return;
    }
    if (err)
        mark(c, k);
    else if (k->count.before.day == w->count.before.day)
        k->count.before = (struct usage_day){0};
}

static void sleep_or_write(struct usage_counters *c);

static void written(void *arg, enum err err)
{
    struct usage_counters *c = arg;
    if (err)
        log_error("apigateway", "cannot write what was used of usage plans: %s", err_name(err));
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n_batch; i++)
        settle(c, &c->batch[i], err);
    c->n_batch = 0;
    pthread_mutex_unlock(&c->lock);
    if (err && c->draining) { /* the store takes nothing more */
        c->drained(c->drained_arg);
        return;
    }
    sleep_or_write(c);
}

/* The next batch; false: there is none, or no memory for it. */
static bool write_batch(struct usage_counters *c)
{
    pthread_mutex_lock(&c->lock);
    assert(c->n_batch == 0);
    while (c->n_batch < BATCH_MAX && !list_empty(&c->changed)) {
        struct counter *k = CONTAINER_OF(list_pop_front(&c->changed), struct counter, changed);
        k->writing = true;
        c->batch[c->n_batch++] = (struct write){k, k->count};
    }
    pthread_mutex_unlock(&c->lock);
    if (c->n_batch == 0)
        return false;
    if (txn_run(c->core, core_home_loop(c->core), write_body, c, written) == ERR_OK)
        return true;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n_batch; i++)
        settle(c, &c->batch[i], ERR_NOMEM);
    c->n_batch = 0;
    pthread_mutex_unlock(&c->lock);
    return false;
}

/* A write ended, or none was at work: on with it now (draining), in a while, or not before something is
 * counted again. */
static void sleep_or_write(struct usage_counters *c)
{
    if (c->draining) {
        if (!write_batch(c))
            c->drained(c->drained_arg);
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->awake = !list_empty(&c->changed);
    bool again = c->awake;
    pthread_mutex_unlock(&c->lock);
    if (again && io_timer_start(&c->timer, USAGE_FLUSH_MS) != ERR_OK) {
        pthread_mutex_lock(&c->lock);
        c->awake = false; /* the next request that is counted tries again */
        pthread_mutex_unlock(&c->lock);
    }
}

static void on_timer(struct io_timer *timer)
{
    struct usage_counters *c = timer->arg;
    if (!write_batch(c))
        sleep_or_write(c);
}

static void on_wake(struct io_task *task)
{
    struct usage_counters *c = CONTAINER_OF(task, struct usage_counters, wake);
    if (!c->timer_made)
        io_timer_init(&c->timer, core_home_loop(c->core), on_timer, c);
    c->timer_made = true;
    if (!c->draining && c->n_batch == 0)
        sleep_or_write(c);
}

void usage_counters_drain(struct usage_counters *c, void (*done)(void *arg), void *arg)
{
    c->draining = true;
    c->drained = done;
    c->drained_arg = arg;
    if (c->timer_made)
        io_timer_stop(&c->timer);
    if (c->n_batch == 0) /* else when that is written */
        sleep_or_write(c);
}

/* --- the table --------------------------------------------------------------------------------- */

static struct str record_key(struct arena *a, const struct usage_member *m)
{
    return key_make(a, &usage_k_count, m->scope, m->plan_id, m->key_id);
}

/* Under the lock: the oldest that was written makes room. */
static bool make_room(struct usage_counters *c)
{
    for (size_t i = 0; c->by_key.n >= USAGE_COUNTERS_MAX && i < LOOKS_MAX; i++) {
        struct counter *k = CONTAINER_OF(list_pop_front(&c->all), struct counter, all);
        if (k->writing || list_linked(&k->changed)) {
            list_push_back(&c->all, &k->all);
            continue;
        }
        (void)map_del(&c->by_key, key_of(k));
        mem_free(k);
    }
    return c->by_key.n < USAGE_COUNTERS_MAX;
}

/* Under the lock. */
static enum err insert(struct usage_counters *c, struct str key, const struct usage_count *count,
                       struct counter **ret)
{
    if (!make_room(c))
        return ERR_LIMIT;
    struct counter *k = mem_calloc(1, sizeof(*k) + key.len);
    if (!k)
        return ERR_NOMEM;
    memcpy(k->key, key.p, key.len);
    k->key_len = key.len;
    k->count = *count;
    enum err err = map_put(&c->by_key, key, k, NULL);
    if (err) {
        mem_free(k);
        return err;
    }
    list_push_back(&c->all, &k->all);
    list_init(&k->changed);
    *ret = k;
    return ERR_OK;
}

/* Under the lock: to the day. A day that is over is written before the next one is, too. */
static void roll(struct usage_counters *c, struct counter *k, const struct usage_quota *quota,
                 int64_t day)
{
    usage_count_roll(&k->count, quota, day);
    if (k->count.before.day)
        mark(c, k);
}

/* Locks, and finds the counter or brings it into memory; on ERR_OK the lock is held. */
static enum err lock_counter(struct usage_counters *c, struct txn *txn, struct str key,
                             struct counter **ret)
{
    struct usage_count count = {0};
    struct str record;
    if (!str_is_set(key))
        return ERR_NOMEM;
    pthread_mutex_lock(&c->lock);
    *ret = map_get(&c->by_key, key);
    if (*ret)
        return ERR_OK;
    pthread_mutex_unlock(&c->lock);
    enum err err = txn_peek(txn, key, &record);
    if (err == ERR_OK)
        err = record_unpack(&usage_count_type, txn->arena, record, &count);
    if (err && err != ERR_NOT_FOUND)
        return err;
    pthread_mutex_lock(&c->lock);
    *ret = map_get(&c->by_key, key); /* somebody else's request may have brought it */
    err = *ret ? ERR_OK : insert(c, key, &count, ret);
    if (err)
        pthread_mutex_unlock(&c->lock);
    return err;
}

enum err usage_counters_take(struct usage_counters *c, struct txn *txn,
                             const struct usage_member *member, const struct usage_quota *quota,
                             int64_t day, bool take, bool *ret_left)
{
    struct counter *k;
    TRY(lock_counter(c, txn, record_key(txn->arena, member), &k));
    roll(c, k, quota, day);
    bool left = usage_count_left(&k->count, quota) != 0;
    if (take && left) {
        usage_count_add(&k->count, quota);
        mark(c, k);
    }
    pthread_mutex_unlock(&c->lock);
    *ret_left = left;
    return ERR_OK;
}

enum err usage_counters_read(struct usage_counters *c, struct txn *txn,
                             const struct usage_member *member, const struct usage_quota *quota,
                             int64_t day, struct usage_count *ret)
{
    struct counter *k;
    TRY(lock_counter(c, txn, record_key(txn->arena, member), &k));
    roll(c, k, quota, day);
    *ret = k->count;
    pthread_mutex_unlock(&c->lock);
    return ERR_OK;
}

/* --- changes by operations ---------------------------------------------------------------------- */

struct change {
    struct usage_counters *c;
    struct str key;
    int64_t granted, first_day;
};

static void granted(void *arg)
{
    struct change *g = arg;
    pthread_mutex_lock(&g->c->lock);
    struct counter *k = map_get(&g->c->by_key, g->key);
    if (k && k->count.first_day == g->first_day) {
        k->count.granted = g->granted;
        mark(g->c, k);
    }
    pthread_mutex_unlock(&g->c->lock);
}

enum err usage_counters_grant(struct usage_counters *c, struct txn *txn,
                              const struct usage_member *member, const struct usage_quota *quota,
                              int64_t day, int64_t left, struct usage_count *ret)
{
    struct change *g = ARENA_NEW(txn->arena, struct change);
    struct usage_count count;
    struct str key = record_key(txn->arena, member), bytes;
    if (!g)
        return ERR_NOMEM;
    TRY(usage_counters_read(c, txn, member, quota, day, &count));
    usage_count_grant(&count, quota, left);
    *g = (struct change){c, key, count.granted, count.first_day};
    TRY(record_make(&usage_count_type, txn->arena, &count, &bytes));
    TRY(txn_put(txn, key, bytes));
    TRY(txn_on_commit(txn, granted, g));
    *ret = count;
    return ERR_OK;
}

static void dropped(void *arg)
{
    struct change *d = arg;
    pthread_mutex_lock(&d->c->lock);
    struct counter *k = map_del(&d->c->by_key, d->key);
    if (k) {
        list_remove(&k->all);
        list_remove(&k->changed);
        k->gone = k->writing;
        if (!k->writing)
            mem_free(k);
    }
    pthread_mutex_unlock(&d->c->lock);
}

enum err usage_counters_drop(struct usage_counters *c, struct txn *txn,
                             const struct usage_member *member)
{
    struct change *d = ARENA_NEW(txn->arena, struct change);
    struct str key = record_key(txn->arena, member);
    if (!d)
        return ERR_NOMEM;
    *d = (struct change){.c = c, .key = key};
    TRY(txn_each(
        txn, key_range(txn->arena, &usage_k_day, member->scope, member->plan_id, member->key_id),
        drop_pair, txn));
    TRY(txn_del(txn, key));
    return txn_on_commit(txn, dropped, d);
}

/* --- life -------------------------------------------------------------------------------------- */

enum err usage_counters_new(struct core *core, struct usage_counters **ret_counters)
{
    struct usage_counters *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    c->core = core;
    c->wake.fn = on_wake;
    pthread_mutex_init(&c->lock, NULL);
    map_init(&c->by_key);
    list_init(&c->all);
    list_init(&c->changed);
    *ret_counters = c;
    return ERR_OK;
}

void usage_counters_free(struct usage_counters *c)
{
    if (!c)
        return;
    while (!list_empty(&c->all))
        mem_free(CONTAINER_OF(list_pop_front(&c->all), struct counter, all));
    map_release(&c->by_key);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}
