/* The delivery engine over a store that fails: each single failure of each kind of call, anywhere
 * in the life of a piece, must neither lose the piece nor leave half of it behind. */
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
#include "kv/drv_fault/kv_fault.h"
#include "kv/drv_fault/kv_mem.h"
#include "unit/idle.h"

enum { STEP_MS = 1100 };

struct env {
    struct core core;
    struct io_loop *loop;
    struct io_loop *loops[1];
    struct kv_mem_disk *disk;
    struct kv *kv;
    struct deliver *d;
    size_t n_attempts, n_payload_ok, n_gave_up;
    enum err add_err;
    bool add_done;
};

static void attempt(void *self, struct deliver_work *work)
{
    struct env *env = self;
    env->n_attempts++;
    if (str_eq_c(work->payload, "payload"))
        env->n_payload_ok++;
    deliver_done(env->d, work, env->n_attempts == 1 ? DELIVER_RETRY : DELIVER_GIVE_UP);
}

static enum err give_up(void *self, struct txn *txn, const struct deliver_work *work, bool expired)
{
    struct env *env = self;
    env->n_gave_up++;
    return txn_put(txn, STR("\x7f\x01gave-up"), work->payload);
}

static int64_t backoff(void *self, const struct deliver_work *work, int next)
{
    return 100;
}

static void env_init(struct env *env)
{
    const struct deliver_kind kind = {
        .id = DELIVER_TEST,
        .name = "test",
        .self = env,
        .running_max = 4,
        .attempt = attempt,
        .give_up = give_up,
        .backoff_ms = backoff,
    };
    struct kv *inner;

    *env = (struct env){0};
    env->disk = kv_mem_disk_new();
    assert_non_null(env->disk);
    assert_int_equal(kv_mem_open(env->disk, false, &inner), ERR_OK);
    assert_int_equal(kv_fault_wrap(inner, &env->kv), ERR_OK);
    assert_int_equal(io_loop_new(0, &env->loop), ERR_OK);
    env->loops[0] = env->loop;
    env->core.kv = env->kv;
    env->core.loops = env->loops;
    env->core.n_loops = 1;
    assert_int_equal(core_start(&env->core), ERR_OK);
    assert_int_equal(deliver_new(&env->core, &env->d), ERR_OK);
    assert_int_equal(deliver_register(env->d, &kind), ERR_OK);
}

static void env_release(struct env *env)
{
    deliver_stop(env->d);
    run_until_idle(&env->core);
    deliver_free(env->d);
    core_stop(&env->core);
    io_loop_free(env->loop);
    kv_close(env->kv);
    kv_mem_disk_free(env->disk);
}

static void fired(struct io_timer *t)
{
    *(bool *)t->arg = true;
}

static void run_ms(struct env *env, int64_t ms)
{
    bool over = false;
    struct io_timer t;
    io_timer_init(&t, env->loop, fired, &over);
    assert_int_equal(io_timer_start(&t, ms), ERR_OK);
    while (!over)
        uv_run(io_loop_uv(env->loop), UV_RUN_ONCE);
}

static enum err add_body(struct txn *txn, void *arg)
{
    struct env *env = arg;
    const struct deliver_options opt = {.attempts_max = 5};
    return deliver_add(env->d, txn, DELIVER_TEST, STR("payload"), &opt);
}

static void add_done(void *arg, enum err err)
{
    struct env *env = arg;
    env->add_err = err;
    env->add_done = true;
}

struct found {
    size_t due, gave_up;
};

static enum err find_body(struct txn *txn, void *arg)
{
    struct found *f = arg;
    struct kv_iter *it;
    struct str key, val;

    *f = (struct found){0};
    TRY(kv_scan(txn->kv, str_n("\x08\x02", 2), STR_NONE, false, &it));
    enum err err;
    while ((err = kv_next(it, &key, &val)) == ERR_OK) {
        if (key.p[0] == 8)
            f->due++;
        else
            f->gave_up++;
    }
    kv_iter_close(it);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* One life of a piece (added, failed once, retried, given up) with one failure in it. */
static void one_life(enum kv_fault_call call, uint64_t nth, enum err err)
{
    struct env env;
    struct found found;

    clock_fake_set_ms(1700000000000);
    env_init(&env);
    assert_int_equal(deliver_start(env.d), ERR_OK);
    run_ms(&env, 5);
    kv_fault_fail(env.kv, call, nth, err);
    assert_int_equal(txn_run(&env.core, env.loop, add_body, &env, add_done), ERR_OK);
    run_ms(&env, 5);
    assert_true(env.add_done);
    for (int i = 0; i < 4 && env.n_gave_up == 0; i++) {
        clock_fake_advance_ms(61000);
        deliver_wake(env.d);
        run_ms(&env, i == 0 ? 5 : STEP_MS); /* the engine itself waits a second after a failure */
    }
    kv_fault_fail(env.kv, call, 0, ERR_OK);
    clock_fake_advance_ms(61000);
    deliver_wake(env.d);
    run_ms(&env, 10);
    assert_int_equal(txn_run_now(&env.core, find_body, &found), ERR_OK);
    if (env.add_err != ERR_OK) { /* never committed, so never attempted */
        assert_int_equal(env.n_attempts, 0);
        assert_int_equal(found.due + found.gave_up, 0);
    } else {
        if (found.gave_up != 1 || found.due != 0)
            fail_msg("call %d, time %d, %s: %zu left, %zu given up", (int)call, (int)nth,
                     err_name(err), found.due, found.gave_up);
        assert_true(env.n_attempts >= 2);
        assert_int_equal(env.n_payload_ok, env.n_attempts);
    }
    env_release(&env);
}

static void test_each_failure(void **state)
{
    static const struct {
        enum kv_fault_call call;
        enum err err;
    } rows[] = {
        {KV_FAULT_BEGIN, ERR_IO},  {KV_FAULT_COMMIT, ERR_IO}, {KV_FAULT_COMMIT, ERR_CONFLICT},
        {KV_FAULT_GET, ERR_IO},    {KV_FAULT_PUT, ERR_IO},    {KV_FAULT_DEL, ERR_IO},
        {KV_FAULT_PUT, ERR_NOMEM},
    };
    log_set_level(LOG_ERROR + 1);
    rng_seed(11);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (uint64_t nth = 1; nth <= 3; nth++)
            one_life(rows[i].call, nth, rows[i].err);
    rng_seed(0);
    clock_fake_set_ms(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_failure)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
