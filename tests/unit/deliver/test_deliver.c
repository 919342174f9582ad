/* The delivery engine on the in-memory store with a fake clock: attempts, backoff, age, give-up,
 * recovery, caps, the window, the lease. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "deliver/deliver.h"
#include "kv/drv_fault/kv_mem.h"
#include "kv/key.h"
#include "unit/idle.h"

enum { SEEN_MAX = 64, GUARD_MS = 240000 };
static const int64_t T0 = 1700000000000;

struct seen {
    uint64_t id;
    int attempt;
    int64_t at_ms;
    char payload[32];
    size_t payload_len;
};

struct env {
    struct core core;
    struct io_loop *loop;
    struct io_loop *loops[1];
    struct kv *kv;
    struct kv_mem_disk *disk;
    struct deliver *d;
    /* script of the kind */
    enum deliver_outcome outcome;
    bool hold; /* attempts stay running until release() */
    int64_t backoff;
    enum err give_up_err;
    /* observed */
    struct seen seen[SEEN_MAX];
    size_t n_seen, n_running, max_running, n_gave_up;
    bool expired;
    int64_t last_due;
    bool out_of_order;
    struct deliver_work *held[SEEN_MAX];
    size_t n_held;
    int pending_jobs;
    enum err job_err;
};

static void attempt(void *self, struct deliver_work *work)
{
    struct env *env = self;
    if (env->n_seen < SEEN_MAX) {
        struct seen *s = &env->seen[env->n_seen];
        s->id = work->id;
        s->attempt = work->attempt;
        s->at_ms = clock_now_ms();
        s->payload_len = work->payload.len;
        memcpy(s->payload, work->payload.p, min_size(work->payload.len, sizeof(s->payload)));
    }
    env->n_seen++;
    env->n_running++;
    if (env->n_running > env->max_running)
        env->max_running = env->n_running;
    if (work->created_ms < env->last_due)
        env->out_of_order = true;
    env->last_due = work->created_ms;
    if (env->hold) {
        assert_true(env->n_held < SEEN_MAX);
        env->held[env->n_held++] = work;
        return;
    }
    env->n_running--;
    deliver_done(env->d, work, env->outcome);
}

static struct str give_up_key(struct buf *b)
{
    key_start(b, KEY_TEST, 1);
    return buf_str(b);
}

static enum err give_up(void *self, struct txn *txn, const struct deliver_work *work, bool expired)
{
    struct env *env = self;
    struct buf key;

    if (env->give_up_err)
        return env->give_up_err;
    buf_init_arena(&key, txn->arena, 64);
    TRY(txn_put(txn, give_up_key(&key), work->payload));
    env->n_gave_up++;
    env->expired = expired;
    return ERR_OK;
}

static int64_t backoff(void *self, const struct deliver_work *work, int next)
{
    struct env *env = self;
    return env->backoff;
}

static void engine_new_shared(struct env *env, size_t running_max,
                              uint64_t (*share)(void *self, const struct deliver_work *work))
{
    struct deliver_kind kind = {
        .share = share,
        .id = DELIVER_TEST,
        .name = "test",
        .self = env,
        .running_max = running_max,
        .attempt = attempt,
        .give_up = give_up,
        .backoff_ms = backoff,
    };
    assert_int_equal(deliver_new(&env->core, &env->d), ERR_OK);
    assert_int_equal(deliver_register(env->d, &kind), ERR_OK);
    assert_int_equal(deliver_register(env->d, &kind), ERR_EXISTS);
}

static void engine_new(struct env *env, size_t running_max)
{
    engine_new_shared(env, running_max, NULL);
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
    assert_int_equal(kv_mem_open(env->disk, false, &env->kv), ERR_OK);
    assert_int_equal(io_loop_new(0, &env->loop), ERR_OK);
    env->loops[0] = env->loop;
    env->core.kv = env->kv;
    env->core.loops = env->loops;
    env->core.n_loops = 1;
    assert_int_equal(core_start(&env->core), ERR_OK);
    env->backoff = 1000;
    env->outcome = DELIVER_OK;
    engine_new(env, 16);
    *state = env;
    return 0;
}

static int teardown(void **state)
{
    struct env *env = *state;
    if (env->d)
        deliver_stop(env->d);
    run_until_idle(&env->core);
    deliver_free(env->d);
    core_stop(&env->core);
    io_loop_free(env->loop);
    kv_close(env->kv);
    kv_mem_disk_free(env->disk);
    mem_free(env);
    clock_fake_set_ms(-1);
    rng_seed(0);
    return 0;
}

/* --- driving ---------------------------------------------------------------------------------- */

static void guard_fired(struct io_timer *t)
{
    *(bool *)t->arg = true;
}

/* Runs the loop until `cond(env)`; false when it never came. */
static bool run_until(struct env *env, bool (*cond)(struct env *env))
{
    bool fired = false;
    struct io_timer guard;
    io_timer_init(&guard, env->loop, guard_fired, &fired);
    assert_int_equal(io_timer_start(&guard, GUARD_MS), ERR_OK);
    while (!fired && !cond(env))
        uv_run(io_loop_uv(env->loop), UV_RUN_ONCE);
    io_timer_stop(&guard);
    return cond(env);
}

static bool settled(struct env *env)
{
    struct deliver_stats s = deliver_get_stats(env->d);
    return s.pending == 0 && s.running == 0;
}

static bool none_running(struct env *env)
{
    return deliver_get_stats(env->d).running == 0;
}

static void run_a_while(struct env *env)
{
    run_what_is_ready(&env->core);
}

static void advance(struct env *env, int64_t ms)
{
    clock_fake_advance_ms(ms);
    deliver_wake(env->d);
    run_a_while(env);
}

struct add {
    struct env *env;
    struct str payload;
    struct deliver_options opt;
    size_t n;
    enum err fail;
};

static enum err add_body(struct txn *txn, void *arg)
{
    struct add *add = arg;
    for (size_t i = 0; i < add->n; i++)
        TRY(deliver_add(add->env->d, txn, DELIVER_TEST, add->payload, &add->opt));
    return add->fail;
}

static void add_done(void *arg, enum err err)
{
    struct env *env = ((struct add *)arg)->env;
    env->pending_jobs--;
    env->job_err = err;
}

static bool jobs_done(struct env *env)
{
    return env->pending_jobs == 0;
}

/* Adds through a transaction of the home loop, as a handler would. */
static enum err add_n(struct env *env, struct str payload, int attempts, int64_t age, size_t n,
                      enum err fail)
{
    struct add add = {env, payload, {.attempts_max = attempts, .age_max_ms = age}, n, fail};
    env->pending_jobs++;
    assert_int_equal(txn_run(&env->core, env->loop, add_body, &add, add_done), ERR_OK);
    assert_true(run_until(env, jobs_done));
    return env->job_err;
}

static void start(struct env *env)
{
    assert_int_equal(deliver_start(env->d), ERR_OK);
    run_a_while(env);
}

static enum err count_body(struct txn *txn, void *arg)
{
    size_t *n = arg;
    struct kv_iter *it;
    struct str key, val, from = str_n("\x08\x02", 2), to = str_n("\x08\x04", 2);
    *n = 0;
    TRY(kv_scan(txn->kv, from, to, false, &it));
    enum err err;
    while ((err = kv_next(it, &key, &val)) == ERR_OK)
        (*n)++;
    kv_iter_close(it);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Due records and payloads in the store. */
static size_t stored(struct env *env)
{
    size_t n = 0;
    assert_int_equal(txn_run_now(&env->core, count_body, &n), ERR_OK);
    return n;
}

static enum err gave_up_body(struct txn *txn, void *arg)
{
    struct buf key;
    struct str val;
    buf_init_arena(&key, txn->arena, 64);
    enum err err = txn_peek(txn, give_up_key(&key), &val);
    *(bool *)arg = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static bool gave_up_stored(struct env *env)
{
    bool found = false;
    assert_int_equal(txn_run_now(&env->core, gave_up_body, &found), ERR_OK);
    return found;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_ok(void **state)
{
    struct env *env = *state;
    start(env);
    assert_int_equal(add_n(env, STR("hello"), 3, 0, 1, ERR_OK), ERR_OK);
    run_a_while(env);
    assert_true(run_until(env, settled));
    assert_int_equal(env->n_seen, 1);
    assert_int_equal(env->seen[0].attempt, 1);
    assert_int_equal(env->seen[0].payload_len, 5);
    assert_memory_equal(env->seen[0].payload, "hello", 5);
    assert_int_equal(stored(env), 0);
    assert_int_equal(deliver_get_stats(env->d).done, 1);
}

static void test_aborted(void **state)
{
    struct env *env = *state;
    start(env);
    assert_int_equal(add_n(env, STR("x"), 3, 0, 1, ERR_INVALID), ERR_INVALID);
    run_a_while(env);
    assert_int_equal(env->n_seen, 0);
    assert_int_equal(stored(env), 0);
}

static void test_limits(void **state)
{
    struct env *env = *state;
    static char big[DELIVER_PAYLOAD_MAX + 1];
    memset(big, 'x', sizeof(big));
    struct {
        const char *name;
        struct str payload;
        int attempts;
        int64_t age;
        enum err expected;
    } rows[] = {
        {"at the limit", str_n(big, DELIVER_PAYLOAD_MAX), 1, 0, ERR_OK},
        {"one over", str_n(big, DELIVER_PAYLOAD_MAX + 1), 1, 0, ERR_LIMIT},
        {"no attempts", STR("x"), 0, 0, ERR_INVALID},
        {"negative age", STR("x"), 1, -1, ERR_INVALID},
        {"empty payload", STR(""), 1, 0, ERR_OK},
        {"absent payload", STR_NONE, 1, 0, ERR_OK},
    };
    start(env);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        env->n_seen = 0;
        enum err err = add_n(env, rows[i].payload, rows[i].attempts, rows[i].age, 1, ERR_OK);
        if (err != rows[i].expected)
            fail_msg("%s: %s", rows[i].name, err_name(err));
        run_a_while(env);
        assert_true(run_until(env, settled));
        assert_int_equal(env->n_seen, err == ERR_OK ? 1 : 0);
        if (err == ERR_OK)
            assert_int_equal(env->seen[0].payload_len, rows[i].payload.len);
        assert_int_equal(stored(env), 0);
    }
}

static void test_retry_backoff(void **state)
{
    struct env *env = *state;
    start(env);
    env->outcome = DELIVER_RETRY;
    env->backoff = 60000;
    assert_int_equal(add_n(env, STR("x"), 3, 0, 1, ERR_OK), ERR_OK);
    assert_true(run_until(env, none_running));
    run_a_while(env);
    assert_int_equal(env->n_seen, 1);
    advance(env, 60000 * 79 / 100); /* jitter is +-20 % */
    assert_int_equal(env->n_seen, 1);
    env->outcome = DELIVER_OK;
    advance(env, 60000 * 42 / 100);
    assert_int_equal(env->n_seen, 2);
    assert_int_equal(env->seen[1].attempt, 2);
    assert_int_equal(env->seen[1].id, env->seen[0].id);
    assert_true(run_until(env, settled));
    assert_int_equal(stored(env), 0);
}

static void test_attempts_max(void **state)
{
    struct env *env = *state;
    start(env);
    env->outcome = DELIVER_RETRY;
    assert_int_equal(add_n(env, STR("x"), 3, 0, 1, ERR_OK), ERR_OK);
    for (int i = 0; i < 2; i++) {
        run_a_while(env);
        advance(env, 1300);
    }
    assert_true(run_until(env, settled));
    assert_int_equal(env->n_seen, 3);
    assert_int_equal(env->seen[2].attempt, 3);
    assert_int_equal(env->n_gave_up, 1);
    assert_false(env->expired);
    assert_true(gave_up_stored(env));
    assert_int_equal(stored(env), 0);
    assert_int_equal(deliver_get_stats(env->d).given_up, 1);
}

static void test_give_up_outcome(void **state)
{
    struct env *env = *state;
    start(env);
    env->outcome = DELIVER_GIVE_UP;
    assert_int_equal(add_n(env, STR("x"), 3, 0, 1, ERR_OK), ERR_OK);
    run_a_while(env);
    assert_true(run_until(env, settled));
    assert_int_equal(env->n_seen, 1);
    assert_int_equal(env->n_gave_up, 1);
}

static void test_give_up_fails(void **state)
{
    struct env *env = *state;
    start(env);
    env->outcome = DELIVER_GIVE_UP;
    env->give_up_err = ERR_IO;
    assert_int_equal(add_n(env, STR("x"), 1, 0, 1, ERR_OK), ERR_OK);
    assert_true(run_until(env, none_running));
    run_a_while(env);
    assert_int_equal(stored(env), 1); /* kept */
    env->give_up_err = ERR_OK;
    advance(env, 61000);
    assert_true(run_until(env, settled));
    assert_int_equal(env->n_gave_up, 1);
    assert_int_equal(stored(env), 0);
}

static void test_age(void **state)
{
    struct env *env = *state;
    start(env);
    env->outcome = DELIVER_RETRY_UNCOUNTED;
    env->backoff = 4000;
    assert_int_equal(add_n(env, STR("x"), 1, 10000, 1, ERR_OK), ERR_OK);
    for (int i = 0; i < 4; i++) {
        run_a_while(env);
        advance(env, 5000);
    }
    assert_true(run_until(env, settled));
    assert_true(env->n_seen >= 2 && env->n_seen <= 4);
    assert_int_equal(env->seen[1].attempt, 1);
    assert_int_equal(env->n_gave_up, 1);
    assert_true(env->expired);
    assert_true(gave_up_stored(env));
}

static void test_large_payload_retried(void **state)
{
    struct env *env = *state;
    static char big[100 * 1024];
    memset(big, 'b', sizeof(big));
    start(env);
    env->outcome = DELIVER_RETRY;
    assert_int_equal(add_n(env, str_n(big, sizeof(big)), 2, 0, 1, ERR_OK), ERR_OK);
    assert_true(run_until(env, none_running));
    run_a_while(env);
    assert_int_equal(stored(env), 2);
    env->outcome = DELIVER_OK;
    advance(env, 1300);
    assert_true(run_until(env, settled));
    assert_int_equal(env->n_seen, 2);
    assert_int_equal(env->seen[1].payload_len, sizeof(big));
    assert_int_equal(stored(env), 0);
}

static void test_running_max(void **state)
{
    struct env *env = *state;
    start(env);
    env->hold = true;
    assert_int_equal(add_n(env, STR("x"), 1, 0, 40, ERR_OK), ERR_OK);
    run_a_while(env);
    assert_int_equal(env->n_held, 16);
    env->hold = false;
    for (size_t i = 0; i < 16; i++) {
        env->n_running--;
        deliver_done(env->d, env->held[i], DELIVER_OK);
    }
    assert_true(run_until(env, settled));
    assert_int_equal(env->n_seen, 40);
    assert_int_equal(env->max_running, 16);
    assert_int_equal(stored(env), 0);
}

static uint64_t share_of(void *self, const struct deliver_work *work)
{
    return (uint64_t)(unsigned char)work->payload.p[0];
}

/* Ends the attempts that are held of payloads that begin so. */
static void end_held(struct env *env, char of)
{
    struct deliver_work *held[SEEN_MAX];
    size_t n = env->n_held;
    memcpy(held, env->held, n * sizeof(held[0]));
    env->n_held = 0;
    for (size_t i = 0; i < n; i++) {
        if (held[i]->payload.p[0] != of) {
            env->held[env->n_held++] = held[i];
            continue;
        }
        env->n_running--;
        deliver_done(env->d, held[i], DELIVER_OK);
    }
}

static size_t held_of(const struct env *env, char of)
{
    size_t n = 0;
    for (size_t i = 0; i < env->n_held; i++)
        n += env->held[i]->payload.p[0] == of;
    return n;
}

static bool other_held(struct env *env)
{
    return held_of(env, 't') > 0;
}

static bool large_held(struct env *env)
{
    return held_of(env, 'l') == 1;
}

/* Pieces that hang hold up none that wait for something else, however many they are; and come when they may. */
static void test_shares(void **state)
{
    struct env *env = *state;
    enum { HANGING = 6 * 1024, ADDED = 1024 };
    static char bytes[64 * 1024]; /* read back for its attempt */
    const struct str large = str_n(bytes, sizeof(bytes));
    memset(bytes, 'l', sizeof(bytes));
    deliver_free(env->d);
    engine_new_shared(env, 16, share_of);
    start(env);
    env->hold = true;
    for (size_t i = 0; i < HANGING / ADDED; i++)
        assert_int_equal(add_n(env, STR("hangs"), 1, 0, ADDED, ERR_OK), ERR_OK);
    run_a_while(env);
    assert_int_equal(env->n_held, 8); /* half of 16 */
    assert_int_equal(add_n(env, STR("too"), 1, 0, 10, ERR_OK), ERR_OK);
    assert_true(run_until(env, other_held));
    assert_int_equal(held_of(env, 'h'), 8);
    while (env->n_seen < 18) {
        assert_true(run_until(env, other_held));
        end_held(env, 't');
    }
    end_held(env, 't');
    assert_int_equal(add_n(env, large, 1, 0, 1, ERR_OK), ERR_OK);
    assert_true(run_until(env, large_held));
    env->hold = false;
    end_held(env, 'l');
    end_held(env, 'h');
    for (int i = 0; i < 400 && !settled(env); i++) {
        clock_fake_advance_ms(1000); /* what was postponed */
        deliver_wake(env->d);
        run_a_while(env);
    }
    assert_int_equal(env->n_seen, HANGING + 11);
    assert_int_equal(stored(env), 0);
}

/* What a crashed start was attempting, and what it never came to, is due for the next start. */
static void test_restart(void **state)
{
    struct env *env = *state;
    start(env);
    env->hold = true;
    assert_int_equal(add_n(env, STR("x"), 3, 0, 20, ERR_OK), ERR_OK);
    run_a_while(env);
    assert_int_equal(env->n_held, 16);
    deliver_stop(env->d);
    deliver_free(env->d);
    env->d = NULL;
    assert_int_equal(stored(env), 20);
    env->hold = false;
    env->n_seen = 0;
    engine_new(env, 16);
    start(env);
    assert_true(run_until(env, settled));
    assert_int_equal(env->n_seen, 20);
    assert_int_equal(env->seen[0].attempt, 1);
    assert_int_equal(stored(env), 0);
}

/* A start whose lease was taken over concludes nothing any more. */
static void test_lease(void **state)
{
    struct env *env = *state;
    start(env);
    env->hold = true;
    assert_int_equal(add_n(env, STR("x"), 3, 0, 1, ERR_OK), ERR_OK);
    run_a_while(env);
    assert_int_equal(env->n_held, 1);
    struct deliver *first = env->d;
    engine_new(env, 16);
    start(env);
    assert_int_equal(env->n_held, 2);
    deliver_done(first, env->held[0], DELIVER_OK);
    run_a_while(env);
    assert_int_equal(stored(env), 1);
    deliver_done(env->d, env->held[1], DELIVER_OK);
    assert_true(run_until(env, settled));
    assert_int_equal(stored(env), 0);
    deliver_stop(first);
    run_a_while(env);
    deliver_free(first);
}

static bool all_window(struct env *env)
{
    return env->n_seen >= 2 * DELIVER_WINDOW_MAX && settled(env);
}

/* More work than the window: memory stays bounded, everything is delivered. */
static void test_window(void **state)
{
    struct env *env = *state;
    start(env);
    clock_fake_advance_ms(-100000); /* due order across the batches */
    env->hold = true;
    for (size_t i = 0; i < 2 * DELIVER_WINDOW_MAX / 1024; i++) {
        assert_int_equal(add_n(env, STR("x"), 1, 0, 1024, ERR_OK), ERR_OK);
        clock_fake_advance_ms(1);
        assert_true(deliver_get_stats(env->d).pending <= DELIVER_WINDOW_MAX);
    }
    env->hold = false;
    for (size_t i = 0; i < env->n_held; i++)
        deliver_done(env->d, env->held[i], DELIVER_OK);
    assert_true(run_until(env, all_window));
    assert_int_equal(env->n_seen, 2 * DELIVER_WINDOW_MAX);
    assert_false(env->out_of_order);
    assert_int_equal(stored(env), 0);
}

static void test_future_in_order(void **state)
{
    struct env *env = *state;
    start(env);
    struct add add = {env, STR("later"), {.attempts_max = 1, .delay_ms = 5000}, 1, ERR_OK};
    env->pending_jobs++;
    assert_int_equal(txn_run(&env->core, env->loop, add_body, &add, add_done), ERR_OK);
    assert_true(run_until(env, jobs_done));
    run_a_while(env);
    assert_int_equal(env->n_seen, 0);
    advance(env, 4999);
    assert_int_equal(env->n_seen, 0);
    advance(env, 1);
    assert_int_equal(env->n_seen, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ok, setup, teardown),
        cmocka_unit_test_setup_teardown(test_aborted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retry_backoff, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attempts_max, setup, teardown),
        cmocka_unit_test_setup_teardown(test_give_up_outcome, setup, teardown),
        cmocka_unit_test_setup_teardown(test_give_up_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_age, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_payload_retried, setup, teardown),
        cmocka_unit_test_setup_teardown(test_running_max, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shares, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lease, setup, teardown),
        cmocka_unit_test_setup_teardown(test_window, setup, teardown),
        cmocka_unit_test_setup_teardown(test_future_in_order, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
