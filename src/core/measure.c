/* See measure.h.
 *
 * A table is a map from a metric's names, as packed bytes, to its series; those with values since the last
 * flush are in the list `fresh`. A flush moves the values of MEASURE_BATCH_MAX series at a time into a batch
 * on the heap, which a transaction of the same loop stages; while it is on its way values gather anew. */
#include "core/measure.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/pack.h"
#include "core/txn.h"

enum {
    BATCH_ARENA_MAX = 4 * 1024 * 1024,
    IDLE_FLUSHES_MAX = 600, /* a series that nothing was told of for so long goes */
    TIDY_EVERY = 64,        /* flushes */
    GAUGE_EVERY_MS = 60 * 1000,
};

struct series {
    struct list link; /* of table.fresh; not linked: no values */
    struct tally values;
    int64_t at_ms;
    uint64_t flush; /* number of the flush that last took values */
    size_t key_len;
    char key[];
};

struct table {
    struct measures *all;
    struct io_loop *loop;
    bool shared; /* by threads that are no loop's: under `lock` */
    pthread_mutex_t lock;
    struct map map;
    struct list fresh;
    struct io_timer timer;
    struct io_task task; /* arms the timer of the shared one */
    atomic_bool asked;   /* `task` is posted */
    struct io_task drain;
    bool armed, flying;
    bool drains; /* its loop was told to: what it has goes, and then it is counted, once */
    uint64_t flushes;
};

struct measures {
    struct core *core;
    enum err (*put)(void *arg, struct txn *txn, const struct measure_seen *seen);
    void *arg;
    _Atomic uint64_t lost;
    _Atomic size_t draining;
    atomic_bool drained;
    void (*done)(void *arg);
    void *done_arg;
    struct io_task done_task;
    struct io_timer gauge_timer; /* home loop */
    struct io_task gauge_task;
    atomic_bool gauging; /* the task is posted or the timer runs */
    size_t n;            /* tables: one a loop, and the shared one */
    struct table tables[];
};

struct batch {
    struct table *table;
    struct arena arena;
    size_t n;
    struct measure_seen seen[MEASURE_BATCH_MAX];
};

static void flush(struct table *t);

static void lock(struct table *t)
{
    if (t->shared)
        pthread_mutex_lock(&t->lock);
}

static void unlock(struct table *t)
{
    if (t->shared)
        pthread_mutex_unlock(&t->lock);
}

/* --- telling ------------------------------------------------------------------------------------ */

static void arm(struct table *t)
{
    if (t->armed || t->flying || t->drains)
        return;
    t->armed = io_timer_start(&t->timer, MEASURE_FLUSH_MS) == ERR_OK;
}

/* The shared table's timer belongs to the home loop. */
static void arm_soon(struct table *t)
{
    if (!t->shared)
        arm(t);
    else if (!atomic_exchange(&t->asked, true))
        io_post(t->loop, &t->task);
}

static struct series *series_of(struct table *t, struct str key)
{
    struct series *s = map_get(&t->map, key);
    if (s || t->map.n >= MEASURE_SERIES_MAX)
        return s;
    s = mem_calloc(1, sizeof(*s) + key.len);
    if (!s)
        return NULL;
    tally_init(&s->values, NULL);
    s->key_len = key.len;
    memcpy(s->key, key.p, key.len);
    if (map_put(&t->map, key, s, NULL) == ERR_OK)
        return s;
    mem_free(s);
    return NULL;
}

static void tell(struct table *t, struct str key, double value, double weight)
{
    struct series *s = series_of(t, key);
    if (!s || tally_add(&s->values, value, weight) != ERR_OK) {
        atomic_fetch_add_explicit(&t->all->lost, 1, memory_order_relaxed);
        return;
    }
    if (list_linked(&s->link))
        return;
    s->at_ms = clock_wall_ms();
    list_push_back(&t->fresh, &s->link);
    arm_soon(t);
}

void measure_put_many(struct core *core, const struct measure *what, struct str name,
                      enum measure_unit unit, double value, double weight)
{
    struct measures *all = core->measures;
    char bytes[MEASURE_KEY_MAX];
    struct buf key;
    assert(what->n_dims <= MEASURE_DIMS_MAX);
    if (!all)
        return;
    buf_init_fixed(&key, bytes, sizeof(bytes));
    pack_u8(&key, (uint8_t)unit);
    pack_str(&key, what->account);
    pack_str(&key, what->region);
    pack_str(&key, what->space);
    pack_str(&key, name);
    for (size_t i = 0; i < what->n_dims; i++) {
        pack_str(&key, what->dims[i].name);
        pack_str(&key, what->dims[i].value);
    }
    if (buf_err(&key) != ERR_OK) {
        atomic_fetch_add_explicit(&all->lost, 1, memory_order_relaxed);
        return;
    }
    struct io_loop *loop = io_loop_current();
    struct table *t = &all->tables[loop ? (size_t)io_loop_index(loop) : all->n - 1];
    assert(t->shared == !loop);
    lock(t);
    tell(t, buf_str(&key), value, weight);
    unlock(t);
}

void measure_put(struct core *core, const struct measure *what, struct str name,
                 enum measure_unit unit, double value)
{
    measure_put_many(core, what, name, unit, value, 1);
}

/* --- handing over ------------------------------------------------------------------------------- */

static void batch_free(struct batch *b)
{
    arena_release(&b->arena);
    mem_free(b);
}

/* The names of a series, borrowed from a copy of its key. */
static enum err names(struct batch *b, const struct series *s, struct measure_seen *seen)
{
    struct unpack u;
    struct str key = str_dup(&b->arena, str_n(s->key, s->key_len));
    if (!str_is_set(key))
        return ERR_NOMEM;
    unpack_init(&u, key);
    seen->unit = (enum measure_unit)unpack_u8(&u);
    seen->account = unpack_str(&u);
    seen->region = unpack_str(&u);
    seen->space = unpack_str(&u);
    seen->name = unpack_str(&u);
    for (; unpack_more(&u); seen->n_dims++) {
        seen->dims[seen->n_dims].name = unpack_str(&u);
        seen->dims[seen->n_dims].value = unpack_str(&u);
    }
    seen->at_ms = s->at_ms;
    return unpack_end(&u);
}

static enum err take(struct batch *b, struct series *s)
{
    struct measure_seen *seen = &b->seen[b->n];
    struct tally *values = ARENA_NEW(&b->arena, struct tally);
    *seen = (struct measure_seen){0};
    if (!values)
        return ERR_NOMEM;
    tally_init(values, &b->arena);
    TRY(names(b, s, seen));
    TRY(tally_merge(values, &s->values));
    seen->values = values;
    b->n++;
    return ERR_OK;
}

static enum err stage(struct txn *txn, void *arg)
{
    struct batch *b = arg;
    struct measures *all = b->table->all;
    for (size_t i = 0; i < b->n; i++)
        TRY(all->put(all->arg, txn, &b->seen[i]));
    return ERR_OK;
}

static void drained(struct io_task *task)
{
    struct measures *all = CONTAINER_OF(task, struct measures, done_task);
    all->done(all->done_arg);
}

/* Of a table that drains: nothing is left. */
static void one_drained(struct table *t)
{
    struct measures *all = t->all;
    if (atomic_fetch_sub(&all->draining, 1) > 1)
        return;
    all->done_task.fn = drained;
    io_post(core_home_loop(all->core), &all->done_task);
}

static void flown(void *arg, enum err err)
{
    struct batch *b = arg;
    struct table *t = b->table;
    if (err) {
        log_warn("measure", "metrics of services were lost: n=%zu err=%s", b->n, err_name(err));
        atomic_fetch_add(&t->all->lost, b->n);
    }
    batch_free(b);
    lock(t);
    t->flying = false;
    bool more = !list_empty(&t->fresh);
    unlock(t);
    if (t->drains && more)
        flush(t);
    else if (t->drains)
        one_drained(t);
    else if (more)
        arm(t);
}

/* Series that nothing is told of any more would stay for ever. */
static void tidy(struct table *t)
{
    struct str key;
    void *value;
    for (size_t it = 0; map_next(&t->map, &it, &key, &value);) {
        struct series *s = value;
        if (list_linked(&s->link) || s->flush + IDLE_FLUSHES_MAX > t->flushes)
            continue;
        map_del(&t->map, str_n(s->key, s->key_len));
        tally_release(&s->values);
        mem_free(s);
        return; /* the map changed: the rest another time */
    }
}

static void fill(struct table *t, struct batch *b)
{
    lock(t);
    t->flushes++;
    while (!list_empty(&t->fresh) && b->n < MEASURE_BATCH_MAX) {
        struct series *s = CONTAINER_OF(t->fresh.next, struct series, link);
        if (take(b, s) != ERR_OK)
            atomic_fetch_add(&t->all->lost, 1);
        tally_clear(&s->values);
        s->flush = t->flushes;
        list_remove(&s->link);
    }
    if (t->flushes % TIDY_EVERY == 0)
        tidy(t);
    unlock(t);
}

/* --- gauges (ME5) ------------------------------------------------------------------------------- */

static void on_gauge_timer(struct io_timer *timer)
{
    struct measures *all = timer->arg;
    const struct core *core = all->core;
    atomic_store(&all->gauging, false);
    for (size_t i = 0; i < core->n_svcs; i++)
        if (core->svcs[i].def->gauges)
            core->svcs[i].def->gauges(core->svcs[i].self);
}

static void on_gauge_task(struct io_task *task)
{
    struct measures *all = CONTAINER_OF(task, struct measures, gauge_task);
    int64_t into = clock_wall_ms() % GAUGE_EVERY_MS;
    if (all->drained || io_timer_start(&all->gauge_timer, GAUGE_EVERY_MS - into) != ERR_OK)
        atomic_store(&all->gauging, false);
}

static void gauge_soon(struct measures *all)
{
    if (!all->drained && !atomic_exchange(&all->gauging, true))
        io_post(core_home_loop(all->core), &all->gauge_task);
}

/* The loop's thread; the table has none on its way. */
static void flush(struct table *t)
{
    struct batch *b = mem_calloc(1, sizeof(*b));
    assert(!t->flying);
    if (b) {
        b->table = t;
        arena_init(&b->arena, BATCH_ARENA_MAX);
        fill(t, b);
        if (b->n > 0)
            gauge_soon(t->all);
        t->flying = true;
        if (txn_run(t->all->core, t->loop, stage, b, flown) == ERR_OK)
            return;
        t->flying = false;
        atomic_fetch_add(&t->all->lost, b->n);
        batch_free(b);
    }
    if (t->drains)
        one_drained(t);
    else
        arm(t); /* later, with what there is then */
}

static void on_timer(struct io_timer *timer)
{
    struct table *t = timer->arg;
    t->armed = false;
    if (!t->flying)
        flush(t);
}

static void on_task(struct io_task *task)
{
    struct table *t = CONTAINER_OF(task, struct table, task);
    atomic_store(&t->asked, false);
    arm(t);
}

/* --- life --------------------------------------------------------------------------------------- */

enum err measures_new(struct core *core,
                      enum err (*put)(void *arg, struct txn *txn, const struct measure_seen *seen),
                      void *arg)
{
    size_t n = core->n_loops + 1;
    struct measures *all = mem_calloc(1, sizeof(*all) + n * sizeof(all->tables[0]));
    assert(!core->measures);
    if (!all)
        return ERR_NOMEM;
    all->core = core;
    all->put = put;
    all->arg = arg;
    all->n = n;
    all->gauge_task.fn = on_gauge_task;
    io_timer_init(&all->gauge_timer, core_home_loop(core), on_gauge_timer, all);
    for (size_t i = 0; i < n; i++) {
        struct table *t = &all->tables[i];
        t->all = all;
        t->shared = i == core->n_loops;
        t->loop = t->shared ? core_home_loop(core) : core->loops[i];
        t->task.fn = on_task;
        pthread_mutex_init(&t->lock, NULL);
        map_init(&t->map);
        list_init(&t->fresh);
        io_timer_init(&t->timer, t->loop, on_timer, t);
    }
    core->measures = all;
    return ERR_OK;
}

static void drain_one(struct io_task *task)
{
    struct table *t = CONTAINER_OF(task, struct table, drain);
    t->drains = true;
    io_timer_stop(&t->timer);
    if (t->shared) /* which is the home loop's, too */
        io_timer_stop(&t->all->gauge_timer);
    if (!t->flying) /* else it goes on by itself */
        flush(t);
}

void measures_drain(struct core *core, void (*done)(void *arg), void *arg)
{
    struct measures *all = core->measures;
    all->done = done;
    all->done_arg = arg;
    atomic_store(&all->draining, all->n);
    atomic_store(&all->drained, true);
    for (size_t i = 0; i < all->n; i++) {
        struct table *t = &all->tables[i];
        t->drain.fn = drain_one;
        io_post(t->loop, &t->drain);
    }
}

void measures_free(struct core *core)
{
    struct measures *all = core->measures;
    struct str key;
    void *value;
    if (!all)
        return;
    for (size_t i = 0; i < all->n; i++) {
        struct table *t = &all->tables[i];
        for (size_t it = 0; map_next(&t->map, &it, &key, &value);) {
            struct series *s = value;
            tally_release(&s->values);
            mem_free(s);
        }
        map_release(&t->map);
        pthread_mutex_destroy(&t->lock);
    }
    mem_free(all);
    core->measures = NULL;
}
