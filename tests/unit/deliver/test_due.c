/* Due times and jobs on the in-memory store with a fake clock: order, moving, clearing, catching
 * up, the window, steps, cursors, holds, singletons, restarts, crashes, failing stores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "deliver/job.h"
#include "kv/drv_fault/kv_fault.h"
#include "kv/drv_fault/kv_mem.h"
#include "kv/key.h"
#include "unit/idle.h"

enum { SEEN_MAX = 64, GUARD_MS = 240000, WINDOW_PART = DUE_WINDOW_MAX / 3 + 1500 };
static const int64_t T0 = 1700000000000;

struct seen {
    char key[32];
    int64_t when_ms;
};

struct env {
    struct core core;
    struct io_loop *loop;
    struct io_loop *loops[1];
    struct kv_mem_disk *disk;
    struct kv *kv;
    struct due *due;
    struct due_kind *kind;
    struct job_kind *job, *other, *one;
    /* script */
    enum due_next next;
    int64_t move_by_ms;
    enum err fire_err;
    bool job_runs; /* every second step is a run */
    size_t n_per_step;
    enum job_state one_state;
    int64_t every_ms;
    bool keep_run;
    /* observed */
    struct seen seen[SEEN_MAX];
    size_t n_seen, n_fired;
    char steps[SEEN_MAX]; /* which job stepped, in order */
    size_t n_steps, n_one, n_runs, n_released, n_done;
    struct due_fire *held;
    bool txn_over;
    enum err txn_err;
};

/* --- kinds ------------------------------------------------------------------------------------ */

static struct str test_key(struct txn *txn, uint8_t table, struct str name)
{
    struct buf b;
    buf_init_arena(&b, txn->arena, DUE_KEY_MAX + 8);
    key_start(&b, KEY_TEST, table);
    key_raw(&b, name);
    return buf_str(&b);
}

static enum err fire(void *self, struct txn *txn, struct due_fire *f)
{
    struct env *env = self;
    if (env->fire_err)
        return env->fire_err;
    f->next = env->next;
    f->next_ms = f->when_ms + env->move_by_ms;
    return txn_put(txn, test_key(txn, 1, f->key), f->value);
}

static void fired(void *self, struct due_fire *f)
{
    struct env *env = self;
    if (env->n_seen < SEEN_MAX) {
        struct seen *s = &env->seen[env->n_seen++];
        memcpy(s->key, f->key.p, min_size(f->key.len, sizeof(s->key) - 1));
        s->when_ms = f->when_ms;
    }
    env->n_fired++;
    if (f->next == DUE_HOLD)
        env->held = f;
}

/* The job: counts its cursor up to the number in its argument; a record per number. */
static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct env *env = self;
    uint64_t at = 0, end;
    TRY(str_to_u64(job->argument, &end));
    if (job->cursor.len)
        TRY(str_to_u64(job->cursor, &at));
    if (env->fire_err)
        return env->fire_err;
    for (size_t i = 0; i < env->n_per_step && at < end; i++) {
        struct buf b;
        buf_init_arena(&b, txn->arena, 64);
        buf_add_str(&b, job->key);
        buf_add_u64(&b, ++at);
        struct str key = test_key(txn, 2, buf_str(&b)), val;
        if (txn_get(txn, key, &val) == ERR_OK)
            return ERR_CORRUPT; /* done twice */
        TRY(txn_put(txn, key, STR("")));
        job_spend(budget, 1);
    }
    struct buf b;
    buf_init_arena(&b, txn->arena, 64);
    buf_add_u64(&b, at);
    job->cursor = buf_str(&b);
    if (!job->user && env->job_runs) {
        job->user = mem_alloc(1);
        if (!job->user)
            return ERR_NOMEM;
    }
    *ret_state = at == end ? JOB_DONE : env->job_runs ? JOB_RUN : JOB_MORE;
    return ERR_OK;
}

static void run(void *self, struct due_fire *f)
{
    struct env *env = self;
    env->n_runs++;
    assert_non_null(f->user);
    if (env->keep_run)
        env->held = f;
    else
        job_continue(f);
}

static void release(void *self, void *user)
{
    struct env *env = self;
    env->n_released++;
    mem_free(user);
}

static void stepped(void *self, const struct job *job, enum job_state state)
{
    struct env *env = self;
    if (env->n_steps < SEEN_MAX)
        env->steps[env->n_steps] = job->key.p[0];
    env->n_steps++;
    env->n_done += state == JOB_DONE;
}

static enum err one_step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                         enum job_state *ret_state)
{
    struct env *env = self;
    *ret_state = env->one_state;
    job->wait_until_ms = txn->now_ms + 5000;
    if (env->one_state == JOB_MORE)
        job->cursor = STR("half");
    return env->fire_err;
}

static void one_stepped(void *self, const struct job *job, enum job_state state)
{
    struct env *env = self;
    env->n_one++;
    if (state == JOB_MORE)
        env->one_state = JOB_DONE;
}

/* --- the world -------------------------------------------------------------------------------- */

static void engine_new(struct env *env)
{
    const struct due_def def = {
        .name = "test",
        .self = env,
        .fire = fire,
        .fired = fired,
        .running_max = 16,
    };
    struct job_def job = {
        .name = "test.job",
        .self = env,
        .step = step,
        .run = run,
        .stepped = stepped,
        .release = release,
        .at_once = 1,
    };
    const struct job_def one = {
        .name = "test.one",
        .self = env,
        .step = one_step,
        .stepped = one_stepped,
        .at_once = 1,
        .singleton = true,
        .every_ms = env->every_ms,
    };
    struct due_kind *again;
    assert_int_equal(due_new(&env->core, &env->due), ERR_OK);
    assert_int_equal(due_register(env->due, &def, &env->kind), ERR_OK);
    assert_int_equal(due_register(env->due, &def, &again), ERR_EXISTS);
    assert_int_equal(job_register(env->due, &job, &env->job), ERR_OK);
    job.name = "test.other";
    assert_int_equal(job_register(env->due, &job, &env->other), ERR_OK);
    assert_int_equal(job_register(env->due, &one, &env->one), ERR_OK);
}

static void open_store(struct env *env, bool manual)
{
    struct kv *inner;
    assert_int_equal(kv_mem_open(env->disk, manual, &inner), ERR_OK);
    assert_int_equal(kv_fault_wrap(inner, &env->kv), ERR_OK);
    env->core.kv = env->kv;
}

static int setup(void **state)
{
    struct env *env = mem_calloc(1, sizeof(*env));
    assert_non_null(env);
    log_set_level(LOG_ERROR + 1);
    clock_fake_set_ms(T0);
    rng_seed(7);
    env->disk = kv_mem_disk_new();
    assert_non_null(env->disk);
    open_store(env, false);
    assert_int_equal(io_loop_new(0, &env->loop), ERR_OK);
    env->loops[0] = env->loop;
    env->core.loops = env->loops;
    env->core.n_loops = 1;
    assert_int_equal(core_start(&env->core), ERR_OK);
    env->n_per_step = 1;
    engine_new(env);
    *state = env;
    return 0;
}

static int teardown(void **state)
{
    struct env *env = *state;
    due_stop(env->due);
    run_until_idle(&env->core);
    due_free(env->due);
    core_stop(&env->core);
    io_loop_free(env->loop);
    kv_close(env->kv);
    kv_mem_disk_free(env->disk);
    mem_free(env);
    clock_fake_set_ms(-1);
    rng_seed(0);
    return 0;
}

static void over(struct io_timer *t)
{
    *(bool *)t->arg = true;
}

static bool run_until(struct env *env, bool (*cond)(struct env *env))
{
    bool fired = false;
    struct io_timer guard;
    io_timer_init(&guard, env->loop, over, &fired);
    assert_int_equal(io_timer_start(&guard, GUARD_MS), ERR_OK);
    while (!fired && !cond(env))
        uv_run(io_loop_uv(env->loop), UV_RUN_ONCE);
    io_timer_stop(&guard);
    return cond(env);
}

static void run_a_while(struct env *env)
{
    run_what_is_ready(&env->core);
}

static void advance(struct env *env, int64_t ms)
{
    clock_fake_advance_ms(ms);
    due_wake(env->due);
    run_a_while(env);
}

static void start(struct env *env)
{
    assert_int_equal(due_start(env->due), ERR_OK);
    run_a_while(env);
}

/* The process ends and another begins on the same disk. */
static void restart(struct env *env)
{
    due_stop(env->due);
    due_free(env->due);
    engine_new(env);
    start(env);
}

/* --- transactions ----------------------------------------------------------------------------- */

enum act { SET, MOVE, CLEAR, ADD, CANCEL };

struct act_row {
    struct env *env;
    enum act act;
    const char *key;
    int64_t when_ms;
    const char *value;
    struct job_kind *job;
    size_t n; /* SET: so many keys of this beginning */
    enum err fail;
};

static enum err act_body(struct txn *txn, void *arg)
{
    const struct act_row *row = arg;
    struct str key = str_c(row->key), value = str_c(row->value ? row->value : "");
    switch (row->act) {
    case SET:
        for (size_t i = 0; i < row->n; i++) {
            struct buf b;
            buf_init_arena(&b, txn->arena, 64);
            buf_add_fmt(&b, "%s%07zu", row->key, i);
            TRY(due_set(txn, row->env->kind, buf_str(&b), row->when_ms + (int64_t)i, value));
        }
        return row->n ? ERR_OK : due_set(txn, row->env->kind, key, row->when_ms, value);
    case MOVE:
        return due_move(txn, row->env->kind, key, row->when_ms);
    case CLEAR:
        return due_clear(txn, row->env->kind, key);
    case ADD:
        TRY(job_add(txn, row->job, key, value));
        return row->fail;
    case CANCEL:
        return job_cancel(txn, row->job, key);
    }
    return ERR_INVALID;
}

static void act_done(void *arg, enum err err)
{
    struct env *env = ((struct act_row *)arg)->env;
    env->txn_over = true;
    env->txn_err = err;
}

static bool txn_over(struct env *env)
{
    return env->txn_over;
}

static enum err act(struct env *env, struct act_row row)
{
    row.env = env;
    env->txn_over = false;
    assert_int_equal(txn_run(&env->core, env->loop, act_body, &row, act_done), ERR_OK);
    assert_true(run_until(env, txn_over));
    return env->txn_err;
}

static void set(struct env *env, const char *key, int64_t when_ms)
{
    assert_int_equal(act(env, (struct act_row){.act = SET, .key = key, .when_ms = when_ms}),
                     ERR_OK);
}

struct count {
    struct str from, to;
    size_t n;
};

static enum err count_body(struct txn *txn, void *arg)
{
    struct count *c = arg;
    struct kv_iter *it;
    struct str key, val;
    c->n = 0;
    TRY(kv_scan(txn->kv, c->from, c->to, false, &it));
    enum err err;
    while ((err = kv_next(it, &key, &val)) == ERR_OK)
        c->n++;
    kv_iter_close(it);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Keys of the engine in the store, but for the lease; two per key that is set. */
static size_t stored(struct env *env)
{
    struct count c = {str_n("\x08\x05", 2), str_n("\x09", 1), 0};
    assert_int_equal(txn_run_now(&env->core, count_body, &c), ERR_OK);
    return c.n;
}

/* Numbers that jobs counted. */
static size_t counted(struct env *env)
{
    struct count c = {str_n("\x7f\x02", 2), str_n("\x7f\x03", 2), 0};
    assert_int_equal(txn_run_now(&env->core, count_body, &c), ERR_OK);
    return c.n;
}

/* --- due times -------------------------------------------------------------------------------- */

static void test_fires_in_order(void **state)
{
    struct env *env = *state;
    start(env);
    set(env, "b", T0 + 2000);
    set(env, "a", T0 + 1000);
    set(env, "c", T0 - 5);
    run_a_while(env);
    assert_int_equal(env->n_fired, 1);
    assert_string_equal(env->seen[0].key, "c");
    advance(env, 999);
    assert_int_equal(env->n_fired, 1);
    advance(env, 1);
    assert_int_equal(env->n_fired, 2);
    assert_string_equal(env->seen[1].key, "a");
    assert_int_equal(env->seen[1].when_ms, T0 + 1000);
    advance(env, 1000);
    assert_int_equal(env->n_fired, 3);
    assert_int_equal(stored(env), 0);
}

static void test_move_and_clear(void **state)
{
    struct env *env = *state;
    start(env);
    set(env, "later", T0 + 1000);
    set(env, "sooner", T0 + 50000);
    set(env, "gone", T0 + 1000);
    assert_int_equal(act(env, (struct act_row){.act = MOVE, .key = "later", .when_ms = T0 + 9000}),
                     ERR_OK);
    assert_int_equal(act(env, (struct act_row){.act = MOVE, .key = "sooner", .when_ms = T0 + 500}),
                     ERR_OK);
    assert_int_equal(act(env, (struct act_row){.act = CLEAR, .key = "gone"}), ERR_OK);
    assert_int_equal(act(env, (struct act_row){.act = CLEAR, .key = "never"}), ERR_OK);
    assert_int_equal(act(env, (struct act_row){.act = MOVE, .key = "never"}), ERR_NOT_FOUND);
    advance(env, 1000);
    assert_int_equal(env->n_fired, 1);
    assert_string_equal(env->seen[0].key, "sooner");
    advance(env, 7999);
    assert_int_equal(env->n_fired, 1);
    advance(env, 1);
    assert_int_equal(env->n_fired, 2);
    assert_string_equal(env->seen[1].key, "later");
    assert_int_equal(env->seen[1].when_ms, T0 + 9000);
    assert_int_equal(stored(env), 0);
}

static void test_limits(void **state)
{
    struct env *env = *state;
    static char big[DUE_KEY_MAX + 2];
    memset(big, 'k', DUE_KEY_MAX);
    start(env);
    set(env, big, T0);
    run_a_while(env);
    assert_int_equal(env->n_fired, 1);
    big[DUE_KEY_MAX] = 'k';
    assert_int_equal(act(env, (struct act_row){.act = SET, .key = big}), ERR_LIMIT);
}

/* A recurring key catches up as its kind decides: it is told each moment, once. */
static void test_missed_while_down(void **state)
{
    struct env *env = *state;
    start(env);
    set(env, "k", T0 + 1000);
    run_a_while(env);
    due_stop(env->due);
    due_free(env->due);
    clock_fake_advance_ms(3600 * 1000);
    engine_new(env);
    start(env);
    assert_int_equal(env->n_fired, 1);
    assert_int_equal(env->seen[0].when_ms, T0 + 1000);
    restart(env);
    assert_int_equal(env->n_fired, 1);
}

static void test_recurs(void **state)
{
    struct env *env = *state;
    env->next = DUE_MOVE;
    env->move_by_ms = 1000;
    start(env);
    set(env, "k", T0 + 1000);
    for (int i = 1; i <= 5; i++) {
        advance(env, 1000);
        assert_int_equal(env->n_fired, i);
        assert_int_equal(env->seen[i - 1].when_ms, T0 + i * 1000);
    }
    assert_int_equal(stored(env), 2);
}

static void test_clock_steps(void **state)
{
    struct env *env = *state;
    start(env);
    set(env, "k", T0 + 1000);
    advance(env, -3600 * 1000);
    advance(env, 1000);
    assert_int_equal(env->n_fired, 0);
    env->fire_err = ERR_IO;
    advance(env, 3600 * 1000 + 5000); /* fails, and pauses until a moment that ... */
    env->fire_err = ERR_OK;
    assert_int_equal(due_kind_stats(env->kind).failed, 1);
    advance(env, -500); /* ... a step back must not put off */
    assert_int_equal(env->n_fired, 1);
}

static void test_error_is_retried(void **state)
{
    struct env *env = *state;
    start(env);
    env->fire_err = ERR_IO;
    set(env, "k", T0);
    run_a_while(env);
    assert_int_equal(due_kind_stats(env->kind).failed, 1);
    advance(env, 1000);
    assert_int_equal(due_kind_stats(env->kind).failed, 2);
    advance(env, 1999);
    assert_int_equal(due_kind_stats(env->kind).failed, 2);
    env->fire_err = ERR_OK;
    advance(env, 1);
    assert_int_equal(env->n_fired, 1);
    assert_int_equal(stored(env), 0);
}

static void test_hold(void **state)
{
    struct env *env = *state;
    start(env);
    env->next = DUE_HOLD;
    set(env, "k", T0);
    run_a_while(env);
    assert_int_equal(env->n_fired, 1);
    assert_non_null(env->held);
    advance(env, 100000);
    assert_int_equal(env->n_fired, 1);
    assert_int_equal(stored(env), 2);
    env->next = DUE_DONE;
    due_resume(env->held);
    run_a_while(env);
    assert_int_equal(env->n_fired, 2);
    assert_int_equal(stored(env), 0);
}

static bool all_fired(struct env *env)
{
    return env->n_fired == 3 * WINDOW_PART;
}

/* More than the window holds, set in any order; each fires once, and a second time as told. */
static void test_window(void **state)
{
    struct env *env = *state;
    start(env);
    const char *names[] = {"z", "m", "a"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(act(env, (struct act_row){.act = SET,
                                                   .key = names[i],
                                                   .n = WINDOW_PART,
                                                   .when_ms = T0 + 1000}),
                         ERR_OK);
    run_a_while(env);
    assert_true(due_kind_stats(env->kind).waiting <= DUE_WINDOW_MAX);
    clock_fake_advance_ms(1000 + DUE_WINDOW_MAX);
    due_wake(env->due);
    if (!run_until(env, all_fired))
        fail_msg("%zu fired", env->n_fired);
    run_a_while(env);
    assert_true(all_fired(env));
    assert_int_equal(stored(env), 0);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static enum err add(struct env *env, struct job_kind *kind, const char *key, const char *end)
{
    return act(env, (struct act_row){.act = ADD, .job = kind, .key = key, .value = end});
}

static bool one_done(struct env *env)
{
    return env->n_done > 0;
}

static void test_job(void **state)
{
    struct env *env = *state;
    start(env);
    assert_int_equal(add(env, env->job, "a", "5"), ERR_OK);
    assert_true(run_until(env, one_done));
    run_a_while(env);
    assert_int_equal(env->n_steps, 5);
    assert_int_equal(env->n_done, 1);
    assert_int_equal(counted(env), 5);
    assert_int_equal(stored(env), 0);
    assert_int_equal(job_stats(env->job).fired, 5);
}

static void test_job_aborted(void **state)
{
    struct env *env = *state;
    start(env);
    assert_int_equal(
        act(env,
            (struct act_row){
                .act = ADD, .job = env->job, .key = "a", .value = "5", .fail = ERR_INVALID}),
        ERR_INVALID);
    run_a_while(env);
    assert_int_equal(env->n_steps, 0);
    assert_int_equal(stored(env), 0);
}

static void test_job_fairness(void **state)
{
    struct env *env = *state;
    assert_int_equal(add(env, env->job, "a", "8"), ERR_OK);
    assert_int_equal(add(env, env->other, "b", "8"), ERR_OK);
    assert_int_equal(add(env, env->job, "c", "8"), ERR_OK);
    start(env);
    run_a_while(env);
    assert_int_equal(env->n_steps, 24);
    size_t n[3] = {0};
    for (size_t i = 0; i < 12; i++)
        n[env->steps[i] - 'a']++;
    assert_in_range(n[0], 2, 4); /* the two share the turns of their kind */
    assert_in_range(n[1], 5, 7);
    assert_in_range(n[2], 2, 4);
}

static void test_job_cancel(void **state)
{
    struct env *env = *state;
    start(env);
    env->fire_err = ERR_IO;
    assert_int_equal(add(env, env->job, "a", "5"), ERR_OK);
    run_a_while(env);
    env->fire_err = ERR_OK;
    assert_int_equal(act(env, (struct act_row){.act = CANCEL, .job = env->job, .key = "a"}),
                     ERR_OK);
    advance(env, 60000);
    assert_int_equal(counted(env), 0);
    assert_int_equal(job_stats(env->job).waiting, 0);
}

static void test_job_run(void **state)
{
    struct env *env = *state;
    start(env);
    env->job_runs = true;
    assert_int_equal(add(env, env->job, "a", "3"), ERR_OK);
    run_a_while(env);
    assert_int_equal(env->n_runs, 2);
    assert_int_equal(env->n_done, 1);
    assert_int_equal(env->n_released, 1);
    env->keep_run = true; /* the process ends while it runs */
    assert_int_equal(add(env, env->job, "b", "3"), ERR_OK);
    run_a_while(env);
    assert_non_null(env->held);
    env->keep_run = false;
    restart(env);
    assert_int_equal(env->n_done, 2);
    assert_int_equal(counted(env), 6);
    assert_int_equal(stored(env), 0);
    assert_int_equal(env->n_released, 3);
}

/* Stopped between any two steps, the next start goes on at the cursor. */
static void test_job_resumes(void **state)
{
    struct env *env = *state;
    start(env);
    env->core.stopping = true;
    assert_int_equal(add(env, env->job, "a", "9"), ERR_OK);
    run_a_while(env);
    assert_int_equal(env->n_steps, 0); /* JB4 */
    env->core.stopping = false;
    for (int i = 0; i < 3; i++) {
        env->n_per_step = 1;
        due_wake(env->due);
        size_t before = env->n_steps;
        while (env->n_steps < before + 2)
            uv_run(io_loop_uv(env->loop), UV_RUN_ONCE);
        env->core.stopping = true;
        run_a_while(env);
        env->core.stopping = false;
        restart(env);
        if (env->n_done)
            break;
    }
    run_a_while(env);
    assert_int_equal(env->n_done, 1);
    assert_int_equal(counted(env), 9);
}

static void test_singleton(void **state)
{
    struct env *env = *state;
    start(env);
    assert_int_equal(env->n_one, 1); /* at start */
    advance(env, 3600 * 1000);
    assert_int_equal(env->n_one, 1);
    job_kick(env->one);
    job_kick(env->one);
    run_a_while(env);
    assert_int_equal(env->n_one, 2);
    env->one_state = JOB_WAIT;
    job_kick(env->one);
    run_a_while(env);
    assert_int_equal(env->n_one, 3);
    job_kick(env->one); /* it asked to wait */
    run_a_while(env);
    assert_int_equal(env->n_one, 3);
    env->one_state = JOB_MORE;
    advance(env, 5000);
    assert_int_equal(env->n_one, 5);
    assert_int_equal(stored(env), 0);
}

static void test_singleton_every(void **state)
{
    struct env *env = *state;
    due_free(env->due);
    env->every_ms = 1000;
    engine_new(env);
    start(env);
    for (size_t i = 1; i <= 3; i++) {
        assert_int_equal(env->n_one, i);
        advance(env, 999);
        assert_int_equal(env->n_one, i);
        advance(env, 1);
    }
    job_kick(env->one);
    run_a_while(env);
    assert_int_equal(env->n_one, 5);
    env->fire_err = ERR_IO;
    advance(env, 1000);
    job_kick(env->one); /* does not shorten the pause after an error */
    run_a_while(env);
    assert_int_equal(job_stats(env->one).failed, 1);
}

/* --- crashes and failing stores --------------------------------------------------------------- */

/* Nothing is stepped before it is durable, and a crash takes a step and its cursor together. */
static void test_crash(void **state)
{
    struct env *env = *state;
    assert_int_equal(add(env, env->job, "a", "6"), ERR_OK);
    run_a_while(env);
    due_free(env->due);
    for (int life = 0; life < 6 && env->n_done == 0; life++) {
        core_stop(&env->core);
        io_loop_free(env->loop);
        kv_close(env->kv);
        open_store(env, false);
        assert_int_equal(io_loop_new(0, &env->loop), ERR_OK);
        env->loops[0] = env->loop;
        assert_int_equal(core_start(&env->core), ERR_OK);
        engine_new(env);
        assert_int_equal(due_start(env->due), ERR_OK);
        size_t before = env->n_steps;
        while (env->n_steps < before + 2 && env->n_done == 0)
            uv_run(io_loop_uv(env->loop), UV_RUN_ONCE);
        env->core.stopping = true;
        run_a_while(env);
        env->core.stopping = false;
        due_stop(env->due);
        due_free(env->due);
    }
    assert_int_equal(env->n_done, 1);
    assert_int_equal(counted(env), 6);
    engine_new(env);
}

/* A start that failed is tried again by the machine's clock, all else by the fake one. */
static bool done_and_fired_in_time(struct env *env)
{
    advance(env, 2000);
    return env->n_done > 0 && env->n_fired > 0;
}

/* One failure of one kind of call anywhere in the life of a job and a due key: nothing is lost, done
 * twice or left. */
static void test_each_failure(void **state)
{
    static const struct {
        enum kv_fault_call call;
        enum err err;
    } rows[] = {
        {KV_FAULT_BEGIN, ERR_IO}, {KV_FAULT_COMMIT, ERR_IO}, {KV_FAULT_COMMIT, ERR_CONFLICT},
        {KV_FAULT_GET, ERR_IO},   {KV_FAULT_PUT, ERR_IO},    {KV_FAULT_DEL, ERR_IO},
        {KV_FAULT_SCAN, ERR_IO},  {KV_FAULT_NEXT, ERR_IO},   {KV_FAULT_PUT, ERR_NOMEM},
    };
    teardown(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (uint64_t nth = 1; nth <= 12; nth += 1 + nth / 4) {
            setup(state);
            struct env *env = *state;
            assert_int_equal(add(env, env->job, "a", "4"), ERR_OK);
            set(env, "k", T0 + 10);
            kv_fault_fail(env->kv, rows[i].call, nth, rows[i].err);
            enum err err = due_start(env->due);
            assert_int_equal(err, ERR_OK);
            run_until(env, done_and_fired_in_time);
            kv_fault_fail(env->kv, rows[i].call, 0, ERR_OK);
            if (env->n_done != 1 || env->n_fired != 1 || counted(env) != 4 || stored(env) != 0)
                fail_msg("call %d, time %d: %zu done, %zu fired, %zu counted, %zu left",
                         (int)rows[i].call, (int)nth, env->n_done, env->n_fired, counted(env),
                         stored(env));
            teardown(state);
        }
    }
    setup(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fires_in_order),   TEST(test_move_and_clear),
        TEST(test_limits),           TEST(test_missed_while_down),
        TEST(test_recurs),           TEST(test_clock_steps),
        TEST(test_error_is_retried), TEST(test_hold),
        TEST(test_window),           TEST(test_job),
        TEST(test_job_aborted),      TEST(test_job_fairness),
        TEST(test_job_cancel),       TEST(test_job_run),
        TEST(test_job_resumes),      TEST(test_singleton),
        TEST(test_singleton_every),  TEST(test_crash),
        TEST(test_each_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
