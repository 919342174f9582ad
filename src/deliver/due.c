/* The engine of due times: what is due fires, what fired goes, moves or waits. See due.h for the
 * states; transitions: due_notice and scan_done (into waiting), start_firing, fire_done, due_resume.
 *
 * A notice comes after its commit is durable, and so does a scan's result, since txn_run waits for
 * the durability of what it read: nothing fires that a crash could undo (P1).
 *
 * Layer: deliver. Thread: home loop, but due_notice, due_kick, due_wake and figures (any). */
#include "deliver/due.h"

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "deliver/deliver_lease.h"
#include "deliver/due_int.h"

/* --- making ----------------------------------------------------------------------------------- */

static void pump(struct due *due);
static enum err lease_start(struct due *due);

static bool may_run(const struct due *due)
{
    return due->leased && !due->stopped && !atomic_load(&due->core->stopping);
}

static void on_pump_task(struct io_task *task)
{
    struct due *due = CONTAINER_OF(task, struct due, pump_task);
    atomic_store(&due->pump_posted, false);
    pump(due);
}

static void on_timer(struct io_timer *timer)
{
    struct due *due = timer->arg;
    if (due->leased || due->stopped || due->leasing || lease_start(due) == ERR_OK)
        pump(due);
    else if (io_timer_start(&due->timer, DUE_RETRY_MIN_MS) != ERR_OK)
        log_error("due", "no memory to try again");
}

enum err due_new(struct core *core, struct due **ret_due)
{
    struct due *due = mem_calloc(1, sizeof(*due));
    if (!due)
        return ERR_NOMEM;
    due->core = core;
    due->token = rng_u64();
    due->last_ms = INT64_MIN;
    due->pump_task.fn = on_pump_task;
    *ret_due = due;
    return ERR_OK;
}

static void kind_free(struct due_kind *kind)
{
    struct heap_node *node;
    size_t it = 0;
    struct str key;
    void *value;

    while ((node = heap_peek(&kind->heap)))
        due_entry_free(CONTAINER_OF(node, struct due_entry, node));
    while (map_next(&kind->by_key, &it, &key, &value)) { /* held, or firing when the loops ended */
        due_entry_free(value);
        it = 0;
    }
    due_entry_free(kind->one);
    heap_release(&kind->heap);
    map_release(&kind->by_key);
    if (kind->def.ended)
        kind->def.ended(kind->def.self);
    mem_free(kind);
}

enum err due_register(struct due *due, const struct due_def *def, struct due_kind **ret_kind)
{
    assert(!due->started && def->fire && def->running_max > 0);
    if (strlen(def->name) > DUE_NAME_MAX || due->n_kinds == DUE_KINDS_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < due->n_kinds; i++)
        if (strcmp(due->kinds[i]->def.name, def->name) == 0)
            return ERR_EXISTS;
    struct due_kind *kind = mem_calloc(1, sizeof(*kind));
    if (!kind)
        return ERR_NOMEM;
    kind->due = due;
    kind->def = *def;
    heap_init(&kind->heap);
    map_init(&kind->by_key);
    due_mark_start(&kind->read_to);
    if (def->singleton) {
        kind->read_to.end = true; /* it is never in the order index */
        kind->one = due_entry_new(kind, STR(""), 0);
        if (!kind->one) {
            mem_free(kind);
            return ERR_NOMEM;
        }
        atomic_init(&kind->kicked, true); /* it fires at start */
    }
    due->kinds[due->n_kinds++] = kind;
    *ret_kind = kind;
    return ERR_OK;
}

static enum err lease_body(struct txn *txn, void *arg)
{
    struct due *due = arg;
    return deliver_lease_take(txn, DELIVER_LEASE_DUE, due->token);
}

static void lease_done(void *arg, enum err err)
{
    struct due *due = arg;

    due->leasing = false;
    if (err == ERR_OK) {
        due->leased = true;
        pump(due);
        return;
    }
    log_error("due", "cannot take the lease of due keys (%s): nothing fires yet", err_name(err));
    if (!due->stopped && io_timer_start(&due->timer, DUE_RETRY_MIN_MS) != ERR_OK)
        log_error("due", "no memory to try again");
}

static enum err lease_start(struct due *due)
{
    assert(!due->leasing && !due->leased);
    due->leasing = true;
    enum err err = txn_run(due->core, due->home, lease_body, due, lease_done);
    if (err != ERR_OK)
        due->leasing = false;
    return err;
}

enum err due_start(struct due *due)
{
    assert(!due->started);
    due->home = core_home_loop(due->core);
    io_timer_init(&due->timer, due->home, on_timer, due);
    due->started = true;
    return lease_start(due);
}

void due_stop(struct due *due)
{
    due->stopped = true;
    if (due->started)
        io_timer_stop(&due->timer);
}

void due_free(struct due *due)
{
    if (!due)
        return;
    for (size_t i = 0; i < due->n_kinds; i++)
        kind_free(due->kinds[i]);
    mem_free(due);
}

void due_wake(struct due *due)
{
    if (due->started && !atomic_exchange(&due->pump_posted, true))
        io_post(due->home, &due->pump_task);
}

void due_kick(struct due_kind *kind)
{
    assert(kind->def.singleton);
    if (!atomic_exchange(&kind->kicked, true))
        due_wake(kind->due);
}

/* --- notices ---------------------------------------------------------------------------------- */

static void on_notice(struct io_task *task)
{
    struct due_entry *e = CONTAINER_OF(task, struct due_entry, task);
    struct due *due = e->kind->due;

    if (due->stopped) {
        due_entry_free(e);
        return;
    }
    due_admit(e);
    pump(due);
}

void due_notice(struct due_kind *kind, struct str key, int64_t when_ms)
{
    struct due *due = kind->due;

    if (!due->started) /* set during start-up: the first scan finds it */
        return;
    struct due_entry *e = due_entry_new(kind, key, when_ms);
    if (!e) {
        atomic_store(&due->rescan, true);
        due_wake(due);
        return;
    }
    e->task.fn = on_notice;
    io_post(due->home, &e->task);
}

/* --- firing ----------------------------------------------------------------------------------- */

/* What the kind decided, staged. `had`: there is a record. */
static enum err stage_next(struct txn *txn, struct due_entry *e, bool had,
                           const struct due_record *old)
{
    const struct due_kind *kind = e->kind;
    struct due_fire *f = &e->fire;
    assert(had || e == kind->one); /* what is not set is stale, and does not fire */
    bool one = e == kind->one;
    bool moves = !one && f->next == DUE_MOVE && f->next_ms != old->when_ms;
    struct due_record rec = {f->next == DUE_MOVE ? f->next_ms : old->when_ms, f->value};

    if (f->value.len > DUE_VALUE_MAX)
        return ERR_LIMIT;
    if (!one && (f->next == DUE_DONE || moves))
        TRY(due_order_del(txn, kind, (struct due_at){old->when_ms, f->key}));
    if (one ? f->value.len == 0 : f->next == DUE_DONE)
        return had ? due_record_del(txn, kind, f->key) : ERR_OK;
    if (moves)
        TRY(due_order_put(txn, kind, (struct due_at){f->next_ms, f->key}));
    else if (had && str_eq(f->value, old->value))
        return ERR_OK;
    return due_record_put(txn, kind, f->key, &rec);
}

static enum err fire_body(struct txn *txn, void *arg)
{
    struct due_entry *e = arg;
    struct due_kind *kind = e->kind;
    struct due_record old = {.when_ms = e->when_ms, .value = STR("")};

    e->stale = e->set = false;
    enum err err = deliver_lease_check(txn, DELIVER_LEASE_DUE, kind->due->token);
    e->lease_lost = err == ERR_CLOSED;
    TRY(err);
    err = due_record_get(txn, kind, due_entry_key(e), &old);
    bool had = err == ERR_OK;
    if (err && err != ERR_NOT_FOUND)
        return err;
    assert(e->state == DUE_FIRING);
    if (e != kind->one) {
        e->set = had;
        e->stored_ms = old.when_ms;
        e->stale = !had || (old.when_ms != e->when_ms && old.when_ms > txn->now_ms);
        if (e->stale)
            return ERR_OK;
    }
    e->fire.key = due_entry_key(e);
    e->fire.value = old.value;
    e->fire.when_ms = e == kind->one ? e->when_ms : old.when_ms;
    e->fire.next = DUE_DONE;
    e->fire.next_ms = 0;
    TRY(kind->def.fire(kind->def.self, txn, &e->fire));
    return stage_next(txn, e, had, &old);
}

/* Not before `fire_ms`, and what was heard meanwhile. */
static void wait_again(struct due_entry *e, int64_t when_ms, int64_t fire_ms)
{
    if (e->noticed_ms < when_ms) {
        when_ms = e->noticed_ms;
        fire_ms = min_i64(fire_ms, when_ms);
    }
    assert(e->state == DUE_IDLE); /* neither firing nor held any more */
    e->noticed_ms = INT64_MAX;
    e->when_ms = when_ms;
    due_wait(e, fire_ms);
}

static void gone(struct due_entry *e, int64_t now_ms)
{
    const struct due_def *def = &e->kind->def;

    if (e == e->kind->one && (e->kicked || def->every_ms > 0)) {
        int64_t when = e->kicked ? now_ms : now_ms + def->every_ms;
        e->turn = !e->kicked;
        e->kicked = false;
        wait_again(e, when, when);
    } else if (e == e->kind->one) {
        e->state = DUE_IDLE;
    } else if (e->noticed_ms < INT64_MAX) { /* set anew meanwhile */
        wait_again(e, e->noticed_ms, e->noticed_ms);
    } else {
        due_entry_free(e);
    }
}

static void failed(struct due_entry *e, enum err err)
{
    int64_t pause = DUE_RETRY_MIN_MS;

    for (int i = 0; i < e->fire.failures && pause < DUE_RETRY_MAX_MS; i++)
        pause *= 2;
    pause = min_i64(pause, DUE_RETRY_MAX_MS);
    e->fire.failures++;
    atomic_fetch_add(&e->kind->n_failed, 1);
    log_error("due", "%s failed: %s; again in %lld ms", e->kind->def.name, err_name(err),
              (long long)pause);
    int64_t noticed = e->noticed_ms;
    e->noticed_ms = INT64_MAX;
    e->when_ms = min_i64(e->when_ms, noticed);
    due_wait(e, clock_now_ms() + pause);
}

static void fired(struct due_entry *e)
{
    const struct due_def *def = &e->kind->def;
    struct due_fire *f = &e->fire;
    enum due_next next = f->next;
    int64_t now_ms = clock_now_ms();

    f->failures = 0;
    atomic_fetch_add(&e->kind->n_fired, 1);
    if (next == DUE_HOLD) {
        e->state = DUE_HELD;
        e->kind->running++;
    }
    if (def->fired)
        def->fired(def->self, f); /* may resume it */
    if (next == DUE_DONE)
        gone(e, now_ms);
    else if (next == DUE_MOVE)
        wait_again(e, f->next_ms, f->next_ms);
    else if (next == DUE_AGAIN)
        wait_again(e, e->when_ms, now_ms);
}

static void fire_done(void *arg, enum err err)
{
    struct due_entry *e = arg;
    struct due_kind *kind = e->kind;
    struct due *due = kind->due;

    assert(e->state == DUE_FIRING && kind->running > 0 && due->running > 0);
    kind->running--;
    due->running--;
    due->running_steps -= kind->def.steps;
    e->state = DUE_IDLE;
    if (err && e->lease_lost) {
        log_error("due", "another process took the due keys over: this one fires no more");
        due->stopped = true;
        due_entry_free(e);
    } else if (err) {
        failed(e, err);
    } else if (!e->stale) {
        fired(e);
    } else if (e->set) {
        wait_again(e, e->stored_ms, e->stored_ms);
    } else {
        gone(e, clock_now_ms());
    }
    due_wake(due);
}

void due_resume(struct due_fire *f)
{
    struct due_entry *e = CONTAINER_OF(f, struct due_entry, fire);
    struct due *due = e->kind->due;

    assert(e->state == DUE_HELD && e->kind->running > 0);
    if (due->stopped)
        return;
    e->kind->running--;
    e->state = DUE_IDLE;
    wait_again(e, e->when_ms, clock_now_ms());
    due_wake(due);
}

static void start_firing(struct due_entry *e)
{
    struct due *due = e->kind->due;

    assert(e->state == DUE_WAITING);
    e->state = DUE_FIRING;
    assert(due->running < DUE_RUNNING_MAX && e->noticed_ms == INT64_MAX);
    e->turn = false;
    e->kind->running++;
    due->running++;
    due->running_steps += e->kind->def.steps;
    if (txn_run(due->core, due->home, fire_body, e, fire_done) != ERR_OK) {
        e->lease_lost = false;
        fire_done(e, ERR_NOMEM);
    }
}

static bool has_room(const struct due_kind *kind)
{
    const struct due *due = kind->due;
    return kind->running < kind->def.running_max && due->running < DUE_RUNNING_MAX &&
           (!kind->def.steps || due->running_steps < DUE_STEPS_MAX);
}

/* One firing of each kind in turn while there is room (DU5). */
static void fire_due(struct due *due, int64_t now_ms)
{
    size_t idle = 0; /* kinds in a row with nothing to start */

    while (idle < due->n_kinds) {
        struct due_kind *kind = due->kinds[due->turn];
        struct heap_node *node = heap_peek(&kind->heap);
        due->turn = (due->turn + 1) % due->n_kinds;
        if (!node || node->key > now_ms || !has_room(kind)) {
            idle++;
            continue;
        }
        idle = 0;
        assert(CONTAINER_OF(node, struct due_entry, node)->kind == kind);
        heap_pop(&kind->heap);
        start_firing(CONTAINER_OF(node, struct due_entry, node));
    }
}

/* A kick makes a singleton due, unless it paused itself or after an error. */
static void take_kick(struct due_kind *kind, int64_t now_ms)
{
    struct due_entry *e = kind->one;

    if (!e || !atomic_exchange(&kind->kicked, false))
        return;
    if (e->state == DUE_FIRING || e->state == DUE_HELD) {
        e->kicked = true;
    } else if (e->state == DUE_IDLE) {
        e->when_ms = now_ms;
        due_wait(e, now_ms);
    } else if (e->turn) {
        e->when_ms = now_ms;
        heap_update(&kind->heap, &e->node, now_ms);
    }
}

/* --- reading on ------------------------------------------------------------------------------- */

static void scan_done(void *arg, enum err err)
{
    struct due_scan *s = arg;
    struct due_kind *kind = s->kind;
    struct due *due = kind->due;

    assert(kind->scanning && !kind->read_to.end);
    if (s->corrupt)
        log_error("due", "%zu keys of %s do not decode: skipped", s->corrupt, kind->def.name);
    /* Evictions during the scan moved the mark back: then only what is before it is wanted. */
    bool moved_back = due_mark_after(&s->from, due_mark_at(&kind->read_to));
    if (err == ERR_OK && !moved_back)
        kind->read_to =
            s->read_to.end || (!kind->scan_cap.end &&
                               due_mark_after(&s->read_to, due_mark_at(&kind->scan_cap)))
                ? kind->scan_cap
                : s->read_to;
    size_t n = s->n;
    for (size_t i = 0; i < n; i++) {
        if (err == ERR_OK)
            due_admit(s->entries[i]);
        else
            due_entry_free(s->entries[i]);
    }
    kind->scanning = false;
    mem_free(s);
    if (err != ERR_OK) {
        log_error("due", "cannot read due keys (%s)", err_name(err));
        due->scan_after_ns = clock_mono_ns() + (int64_t)DUE_RETRY_MIN_MS * 1000000;
    }
    pump(due);
}

static void scan_start(struct due_kind *kind)
{
    struct due_scan *s = mem_calloc(1, sizeof(*s));
    if (!s)
        return;
    s->kind = kind;
    assert(!kind->scanning && !kind->read_to.end);
    s->from = kind->read_to;
    kind->scan_cap.end = true;
    if (txn_run(kind->due->core, kind->due->home, due_scan_body, s, scan_done) != ERR_OK)
        mem_free(s);
    else
        kind->scanning = true;
}

static bool wants_scan(const struct due_kind *kind)
{
    return !kind->scanning && !kind->read_to.end && kind->by_key.n < DUE_WINDOW_LOW;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void rearm(struct due *due, int64_t now_ms)
{
    int64_t delay = INT64_MAX;

    for (size_t i = 0; i < due->n_kinds; i++) {
        struct due_kind *kind = due->kinds[i];
        struct heap_node *node = heap_peek(&kind->heap);
        /* Without room a kind is woken by the end of a firing. */
        if (node && has_room(kind))
            delay = min_i64(delay, max_i64(node->key - now_ms, 0));
        else if (node)
            delay = min_i64(delay, DUE_TIMER_MAX_MS);
        if (wants_scan(kind) || atomic_load(&kind->kicked))
            delay = min_i64(delay, DUE_RETRY_MIN_MS);
        atomic_store(&kind->n_waiting, kind->heap.n);
        atomic_store(&kind->n_running, kind->running);
    }
    if (delay == INT64_MAX) /* idle (DU6) */
        io_timer_stop(&due->timer);
    else if (io_timer_start(&due->timer, min_i64(delay, DUE_TIMER_MAX_MS)) != ERR_OK)
        due_wake(due); /* no memory for a timer: poll until there is */
}

static void pump(struct due *due)
{
    if (!may_run(due))
        return;
    int64_t now_ms = clock_now_ms();
    bool went_back = now_ms < due->last_ms;
    bool rescan = atomic_exchange(&due->rescan, false);

    due->last_ms = now_ms;
    for (size_t i = 0; i < due->n_kinds; i++) {
        struct due_kind *kind = due->kinds[i];
        if (went_back)
            due_clock_went_back(kind, now_ms);
        if (rescan && !kind->def.singleton)
            due_mark_start(&kind->read_to);
        take_kick(kind, now_ms);
    }
    fire_due(due, now_ms);
    for (size_t i = 0; i < due->n_kinds; i++)
        if (wants_scan(due->kinds[i]) && clock_mono_ns() >= due->scan_after_ns)
            scan_start(due->kinds[i]);
    rearm(due, now_ms);
}

/* --- figures ---------------------------------------------------------------------------------- */

struct due_stats due_kind_stats(const struct due_kind *kind)
{
    return (struct due_stats){
        .waiting = atomic_load(&kind->n_waiting),
        .running = atomic_load(&kind->n_running),
        .fired = atomic_load(&kind->n_fired),
        .failed = atomic_load(&kind->n_failed),
    };
}

void due_metrics(const struct due *due, struct buf *b)
{
    static const char *const names[] = {"waiting", "running", "fired_total", "failed_total"};

    for (size_t m = 0; m < ARRAY_LEN(names); m++) {
        buf_add_fmt(b, "# TYPE weir_due_%s %s\n", names[m], m < 2 ? "gauge" : "counter");
        for (size_t i = 0; i < due->n_kinds; i++) {
            struct due_stats s = due_kind_stats(due->kinds[i]);
            const uint64_t values[] = {s.waiting, s.running, s.fired, s.failed};
            buf_add_fmt(b, "weir_due_%s{kind=\"%s\"} %llu\n", names[m], due->kinds[i]->def.name,
                        (unsigned long long)values[m]);
        }
    }
}
