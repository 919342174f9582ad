/* The delivery engine's loop: what is due is attempted, what ended is concluded in the store.
 *
 *   committed --notice--> waiting --due--> running --deliver_done--> concluding --> gone
 *   stored ----scan-----> (heap)             ^                           |
 *                            ^               +-- payload read first      | retry, commit done
 *                            +-------------------------------------------+
 *   notice: add_durable -> notice_task; scan: scan_start, scan_done; running: entry_start;
 *   concluding: deliver_conclude.c
 *
 * A notice comes after its commit is durable (P1), so nothing is attempted that a crash could undo;
 * a scan's result likewise, since txn_run waits for the durability of what it read.
 *
 * Layer: deliver. Thread: home loop, but deliver_add, add_durable and deliver_wake (any). */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "deliver/deliver_conclude.h"
#include "deliver/deliver_int.h"
#include "deliver/due.h"
#include "deliver/outgoing.h"
#include "deliver/pace.h"

enum { ID_COUNTER_BITS = 20 };

/* --- making ----------------------------------------------------------------------------------- */

static void pump(struct deliver *d);

static void pump_task(struct io_task *task)
{
    struct deliver *d = CONTAINER_OF(task, struct deliver, pump_task);
    atomic_store(&d->pump_posted, false);
    pump(d);
}

static enum err lease_start(struct deliver *d);

static void on_timer(struct io_timer *timer)
{
    struct deliver *d = timer->arg;
    if (d->leased || d->stopped || d->leasing || lease_start(d) == ERR_OK)
        pump(d);
    else if (io_timer_start(&d->timer, DELIVER_STORE_RETRY_MS) != ERR_OK)
        log_error("deliver", "no memory to try again");
}

enum err deliver_new(struct core *core, struct deliver **ret_deliver)
{
    struct deliver *d = mem_calloc(1, sizeof(*d));
    if (!d)
        return ERR_NOMEM;
    if (due_new(core, &d->due) != ERR_OK) {
        mem_free(d);
        return ERR_NOMEM;
    }
    d->core = core;
    d->token = rng_u64();
    atomic_init(&d->next_id, rng_below(1u << ID_COUNTER_BITS));
    list_init(&d->concluding);
    list_init(&d->postponed);
    list_init(&d->outgoing.asking);
    map_init(&d->outgoing.paces);
    d->pump_task.fn = pump_task;
    *ret_deliver = d;
    return ERR_OK;
}

static struct deliver_queue *queue_of(const struct deliver *d, enum deliver_kind_id kind)
{
    for (size_t i = 0; i < d->n_queues; i++)
        if (d->queues[i]->kind.id == kind)
            return d->queues[i];
    return NULL;
}

enum err deliver_register(struct deliver *d, const struct deliver_kind *kind)
{
    assert(!d->started && kind->attempt && kind->running_max > 0);
    if (queue_of(d, kind->id))
        return ERR_EXISTS;
    if (d->n_queues == DELIVER_KINDS_MAX)
        return ERR_LIMIT;
    struct deliver_queue *q = mem_calloc(1, sizeof(*q));
    if (!q)
        return ERR_NOMEM;
    q->d = d;
    q->kind = *kind;
    heap_init(&q->heap);
    map_init(&q->by_id);
    map_init(&q->shares);
    list_init(&q->deferred);
    q->read_to = (struct deliver_pos){INT64_MIN, 0};
    d->queues[d->n_queues++] = q;
    return ERR_OK;
}

static void lease_done(void *arg, enum err err);

static enum err lease_body(struct txn *txn, void *arg)
{
    struct deliver *d = arg;
    return deliver_lease_take(txn, DELIVER_LEASE_WORK, d->token);
}

static enum err lease_start(struct deliver *d)
{
    assert(!d->leasing && !d->leased);
    d->leasing = true;
    enum err err = txn_run(d->core, d->home, lease_body, d, lease_done);
    if (err != ERR_OK)
        d->leasing = false;
    return err;
}

static void lease_done(void *arg, enum err err)
{
    struct deliver *d = arg;

    d->leasing = false;
    if (err == ERR_OK) {
        d->leased = true;
        pump(d);
        return;
    }
    log_error("deliver", "cannot take the lease of due work (%s): nothing is delivered yet",
              err_name(err));
    if (!d->stopped && io_timer_start(&d->timer, DELIVER_STORE_RETRY_MS) != ERR_OK)
        log_error("deliver", "no memory to try again");
}

enum err deliver_start(struct deliver *d)
{
    assert(!d->started);
    d->home = core_home_loop(d->core);
    io_timer_init(&d->timer, d->home, on_timer, d);
    d->started = true;
    TRY(due_start(d->due));
    return lease_start(d);
}

struct due *deliver_due(struct deliver *d)
{
    return d->due;
}

void deliver_stop(struct deliver *d)
{
    d->stopped = true;
    due_stop(d->due);
    if (d->started)
        io_timer_stop(&d->timer);
}

static void queue_free(struct deliver_queue *q)
{
    size_t it = 0;
    struct str key;
    void *value;

    /* Entries unlink themselves from the map, which must not change during iteration. */
    while (q->by_id.n) {
        it = 0;
        if (!map_next(&q->by_id, &it, &key, &value))
            break;
        deliver_entry_free(value);
    }
    struct list *link;
    while ((link = list_pop_front(&q->deferred)))
        deliver_entry_free(CONTAINER_OF(link, struct deliver_entry, link));
    if (q->scan) {
        deliver_scan_drop(q->scan);
        mem_free(q->scan->entries);
        mem_free(q->scan);
    }
    heap_release(&q->heap);
    map_release(&q->by_id);
    deliver_shares_free(q);
    mem_free(q);
}

void deliver_free(struct deliver *d)
{
    if (!d)
        return;
    outgoing_release(d); /* before what it would tell */
    for (size_t i = 0; i < d->n_queues; i++)
        queue_free(d->queues[i]);
    due_free(d->due);
    paces_release(&d->outgoing.paces);
    mem_free(d);
}

void deliver_wake(struct deliver *d)
{
    due_wake(d->due);
    deliver_pump_soon(d);
}

struct deliver_stats deliver_get_stats(const struct deliver *d)
{
    struct deliver_stats stats = d->stats;
    for (size_t i = 0; i < d->n_queues; i++)
        stats.pending += d->queues[i]->heap.n + d->queues[i]->n_parked;
    stats.running = d->running;
    return stats;
}

/* --- adding ----------------------------------------------------------------------------------- */

/* Of deliver_add, in the transaction's arena until the commit is durable. */
struct added {
    struct deliver_queue *q;
    struct deliver_pos at;
    struct deliver_record rec;
    struct str payload; /* absent: read when attempted */
};

static void notice_task(struct io_task *task)
{
    struct deliver_entry *e = CONTAINER_OF(task, struct deliver_entry, task);
    struct deliver *d = e->q->d;

    if (d->stopped) {
        deliver_entry_free(e);
        return;
    }
    deliver_queue_admit(e->q, e);
    pump(d);
}

static void add_durable(void *arg)
{
    struct added *added = arg;
    struct deliver *d = added->q->d;

    if (!d->started) /* work of start-up: the first scan finds it */
        return;
    struct deliver_entry *e = deliver_entry_new(added->q, added->at, &added->rec, added->payload);
    if (!e) {
        atomic_store(&d->rescan, true);
        deliver_pump_soon(d);
        return;
    }
    e->task.fn = notice_task;
    io_post(d->home, &e->task);
}

/* Grows with time, unique within a process start, and hardly ever equal to that of another. */
static uint64_t new_id(struct deliver *d, int64_t now_ms)
{
    uint64_t counter = atomic_fetch_add(&d->next_id, 1);
    return ((uint64_t)now_ms << ID_COUNTER_BITS) | (counter & ((1u << ID_COUNTER_BITS) - 1));
}

enum err deliver_add(struct deliver *d, struct txn *txn, enum deliver_kind_id kind,
                     struct str payload, const struct deliver_options *opt)
{
    struct deliver_queue *q = queue_of(d, kind);
    assert(q); /* kinds are registered before anything is added */
    if (opt->attempts_max < 1 || opt->delay_ms < 0 || opt->age_max_ms < 0)
        return ERR_INVALID;
    if (payload.len > DELIVER_PAYLOAD_MAX)
        return ERR_LIMIT;
    struct added *added = ARENA_NEW(txn->arena, struct added);
    if (!added)
        return ERR_NOMEM;
    added->q = q;
    added->at = (struct deliver_pos){txn->now_ms + opt->delay_ms, new_id(d, txn->now_ms)};
    added->rec = (struct deliver_record){
        .created_ms = txn->now_ms,
        .attempt = 1,
        .attempts_max = opt->attempts_max,
        .age_max_ms = opt->age_max_ms,
        .large = payload.len > DELIVER_INLINE_MAX,
        .payload_len = payload.len,
    };
    if (!added->rec.large) {
        added->payload = str_dup(txn->arena, str_is_set(payload) ? payload : STR(""));
        if (!str_is_set(added->payload))
            return ERR_NOMEM;
    }
    TRY(deliver_record_put(txn, kind, added->at, &added->rec, payload, true));
    return txn_on_durable(txn, add_durable, added);
}

/* --- attempting ------------------------------------------------------------------------------- */

struct payload_load {
    struct deliver_entry *e;
    bool lost;
};

static enum err load_body(struct txn *txn, void *arg)
{
    struct payload_load *load = arg;
    struct deliver_entry *e = load->e;
    struct str payload;

    deliver_entry_drop_payload(e);
    load->lost = false;
    enum err err = deliver_payload_read(txn, e->q->kind.id, e->at, e->rec.large, &payload);
    if (err == ERR_NOT_FOUND || err == ERR_CORRUPT) {
        load->lost = true;
        return ERR_OK;
    }
    TRY(err);
    return deliver_entry_set_payload(e, payload);
}

static void begin(struct deliver_entry *e)
{
    int64_t due_ms;
    if (e->expired) {
        deliver_conclude_give_up(e);
        return;
    }
    switch (deliver_share_enter(e, &due_ms)) {
    case DELIVER_ENTERED:
        e->q->kind.attempt(e->q->kind.self, &e->work);
        break;
    case DELIVER_PARKED:
        break;
    case DELIVER_POSTPONED:
        deliver_conclude_postpone(e, due_ms);
        break;
    }
}

static void load_done(void *arg, enum err err)
{
    struct payload_load *load = arg;
    struct deliver_entry *e = load->e;
    assert(e->state == DELIVER_ENTRY_RUNNING);
    bool lost = load->lost;

    mem_free(load);
    if (lost) {
        log_error("deliver", "payload of %s work %llu is unreadable: dropped", e->q->kind.name,
                  (unsigned long long)e->at.id);
        deliver_conclude_drop(e);
    } else if (err != ERR_OK) {
        deliver_conclude_later(e);
    } else {
        begin(e);
    }
}

static void entry_start(struct deliver_entry *e, int64_t now_ms)
{
    assert(e->state == DELIVER_ENTRY_WAITING && !e->node.index);
    e->state = DELIVER_ENTRY_RUNNING;
    e->q->running++;
    e->q->d->running++;
    e->expired = e->rec.age_max_ms && now_ms - e->rec.created_ms >= e->rec.age_max_ms;
    if (!e->payload) {
        struct payload_load *load = mem_calloc(1, sizeof(*load));
        if (load) {
            load->e = e;
            if (txn_run(e->q->d->core, e->q->d->home, load_body, load, load_done) == ERR_OK)
                return;
            mem_free(load);
        }
        deliver_conclude_later(e);
        return;
    }
    begin(e);
}

static void attempt_due(struct deliver_queue *q, int64_t now_ms)
{
    struct deliver *d = q->d;
    struct heap_node *node;

    while (q->running < q->kind.running_max && d->running < DELIVER_RUNNING_MAX &&
           (node = heap_peek(&q->heap)) && node->key <= now_ms) {
        assert(CONTAINER_OF(node, struct deliver_entry, node)->q == q);
        heap_pop(&q->heap);
        entry_start(CONTAINER_OF(node, struct deliver_entry, node), now_ms);
    }
}

/* --- reading on ------------------------------------------------------------------------------- */

static void scan_done(void *arg, enum err err)
{
    struct deliver_scan *s = arg;
    struct deliver_queue *q = s->q;
    struct deliver *d = q->d;

    assert(q->scanning && q->scan == s);
    q->scan = NULL;
    q->scanning = false;
    if (s->corrupt)
        log_error("deliver", "%zu records of %s work do not decode: skipped", s->corrupt,
                  q->kind.name);
    /* Evictions during the scan moved read_to back: then only what is before it is wanted. */
    if (err == ERR_OK && !deliver_pos_before(q->read_to, s->from))
        q->read_to = s->read_to;
    size_t n = s->n;
    s->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (err == ERR_OK)
            deliver_queue_admit(q, s->entries[i]);
        else
            deliver_entry_free(s->entries[i]);
    }
    mem_free(s->entries);
    mem_free(s);
    struct list deferred;
    list_init(&deferred);
    struct list *link;
    while ((link = list_pop_front(&q->deferred)))
        list_push_back(&deferred, link);
    while ((link = list_pop_front(&deferred)))
        deliver_queue_admit(q, CONTAINER_OF(link, struct deliver_entry, link));
    if (err != ERR_OK) {
        log_error("deliver", "cannot read due work (%s)", err_name(err));
        d->commit_after_ns = clock_mono_ns() + (int64_t)DELIVER_STORE_RETRY_MS * 1000000;
    }
    pump(d);
}

static void scan_start(struct deliver_queue *q)
{
    struct deliver_scan *s = mem_calloc(1, sizeof(*s));
    if (!s)
        return;
    s->q = q;
    assert(!q->scan && !q->scanning);
    s->from = q->read_to;
    s->max = DELIVER_SCAN_MAX;
    s->entries = mem_calloc(s->max, sizeof(struct deliver_entry *));
    if (!s->entries || txn_run(q->d->core, q->d->home, deliver_scan_body, s, scan_done) != ERR_OK) {
        mem_free(s->entries);
        mem_free(s);
        return;
    }
    q->scan = s;
    q->scanning = true;
}

static bool wants_scan(const struct deliver_queue *q)
{
    return !q->scanning && q->by_id.n - q->n_parked < DELIVER_WINDOW_LOW &&
           deliver_pos_before(q->read_to, DELIVER_POS_END);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void rearm(struct deliver *d, int64_t now_ms, bool store_failing)
{
    int64_t delay = DELIVER_TIMER_MAX_MS;

    for (size_t i = 0; i < d->n_queues; i++) {
        struct deliver_queue *q = d->queues[i];
        struct heap_node *node = heap_peek(&q->heap);
        /* At its cap a kind is woken by the end of an attempt. */
        if (node && q->running < q->kind.running_max && d->running < DELIVER_RUNNING_MAX)
            delay = min_i64(delay, max_i64(node->key - now_ms, 0));
        if (wants_scan(q))
            delay = min_i64(delay, DELIVER_STORE_RETRY_MS);
    }
    if (store_failing)
        delay = min_i64(delay, DELIVER_STORE_RETRY_MS);
    if (io_timer_start(&d->timer, delay) != ERR_OK)
        deliver_pump_soon(d); /* no memory for a timer: poll until there is */
}

static void forget_positions(struct deliver *d)
{
    for (size_t i = 0; i < d->n_queues; i++)
        d->queues[i]->read_to = (struct deliver_pos){INT64_MIN, 0};
}

static void pump(struct deliver *d)
{
    if (d->stopped || !d->leased) {
        deliver_conclude_pump(d);
        return;
    }
    int64_t now_ms = clock_now_ms();
    bool store_failing = clock_mono_ns() < d->commit_after_ns;

    if (atomic_exchange(&d->rescan, false))
        forget_positions(d);
    for (size_t i = 0; i < d->n_queues; i++) {
        attempt_due(d->queues[i], now_ms);
        if (!store_failing && wants_scan(d->queues[i]))
            scan_start(d->queues[i]);
    }
    deliver_conclude_pump(d);
    rearm(d, now_ms, store_failing);
}
