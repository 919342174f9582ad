/* Background work on a real loop: what deletion, purge, retention and old deduplication ids leave in
 * the store goes away, and nothing else does; what move tasks move is moved once. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "deliver/deliver.h"
#include "deliver/due.h"
#include "kv/drv_fault/kv_mem.h"
#include "svc/sqs/sqs_move.h"

enum { T0 = 1700000000, MESSAGES = 1700 };

static struct kv_mem_disk *disk;
static struct core core;
static struct io_loop *loop;
static struct sqs *s;
static const struct key_scope scope = {STR_INIT("000000000001"), STR_INIT("r")};

static void start(void)
{
    assert_int_equal(kv_mem_open(disk, false, &core.kv), ERR_OK);
    assert_int_equal(io_loop_new(0, &loop), ERR_OK);
    core.loops = &loop;
    core.n_loops = 1;
    assert_int_equal(core_start(&core), ERR_OK);
    assert_int_equal(deliver_new(&core, &core.deliver), ERR_OK);
    void *self;
    assert_int_equal(sqs_def.make(&core, &self), ERR_OK);
    s = self;
    assert_int_equal(sqs_def.start(s), ERR_OK);
    assert_int_equal(deliver_start(core.deliver), ERR_OK);
    assert_int_equal(io_loop_start(loop), ERR_OK);
}

struct stop {
    struct io_task task;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
};

static void idle(void *arg)
{
    struct stop *st = arg;
    pthread_mutex_lock(&st->lock);
    st->done = true;
    pthread_cond_signal(&st->cond);
    pthread_mutex_unlock(&st->lock);
}

static void stop_task(struct io_task *task)
{
    sqs_def.begin_stop(s);
    deliver_stop(core.deliver);
    core_when_idle(&core, idle, CONTAINER_OF(task, struct stop, task));
}

static void finish(void)
{
    struct stop st = {.task = {.fn = stop_task},
                      .lock = PTHREAD_MUTEX_INITIALIZER,
                      .cond = PTHREAD_COND_INITIALIZER};
    io_post(loop, &st.task);
    pthread_mutex_lock(&st.lock);
    while (!st.done)
        pthread_cond_wait(&st.cond, &st.lock);
    pthread_mutex_unlock(&st.lock);
    io_loop_stop(loop);
    io_loop_join(loop);
    sqs_def.release(s);
    deliver_free(core.deliver);
    io_loop_free(loop);
    core_stop(&core);
    kv_close(core.kv);
}

static int setup(void **state)
{
    core = (struct core){.cfg = {.account = STR("000000000001"),
                                 .region = STR("r"),
                                 .partition = STR("aws"),
                                 .endpoint = STR("http://h")}};
    clock_fake_set_ms((int64_t)T0 * 1000);
    disk = kv_mem_disk_new();
    start();
    return 0;
}

static int teardown(void **state)
{
    finish();
    kv_mem_disk_free(disk);
    clock_fake_set_ms(-1);
    return 0;
}

/* --- doing ------------------------------------------------------------------------------------ */

struct act {
    const char *name;
    bool fifo;
    uint64_t id;
    int i;
};

static void entered(void *arg)
{
    assert_int_equal(sqs_queue_enter(arg), ERR_OK);
}

static enum err create_body(struct txn *txn, void *arg)
{
    const struct act *act = arg;
    struct sqs_config c;
    struct sqs_queue *q;
    sqs_config_init(&c, clock_now_ms());
    c.id = act->id;
    c.fifo = c.content_dedup = act->fifo;
    TRY(sqs_queue_new(s, scope, str_c(act->name), &c, &q));
    TRY(txn_on_commit(txn, entered, q));
    return sqs_save(txn, q, &c);
}

static enum err open_queue(struct txn *txn, const char *name, struct sqs_open *ret_o)
{
    return sqs_open_arn(s, txn, str_fmt(txn->arena, "arn:aws:sqs:r:000000000001:%s", name), ret_o);
}

static enum err send_body(struct txn *txn, void *arg)
{
    const struct act *act = arg;
    struct sqs_open o;
    struct fault f;
    struct sqs_checked checked;
    struct sqs_sent sent;
    struct sqs_draft d = {.body = str_fmt(txn->arena, "m%d", act->i),
                          .sender = STR("me"),
                          .group = act->fifo ? STR("g") : STR_NONE};
    TRY(open_queue(txn, act->name, &o));
    TRY(sqs_message_check(txn->arena, &o.config, &d, &checked, &f));
    return sqs_send_stage(txn, &o, &checked.body, 0, &sent);
}

static void fill(const char *name, bool fifo, uint64_t id, int n)
{
    struct act act = {.name = name, .fifo = fifo, .id = id};
    assert_int_equal(txn_run_now(&core, create_body, &act), ERR_OK);
    for (act.i = 0; act.i < n; act.i++)
        assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
}

/* As DeleteQueue and PurgeQueue leave it. */
static enum err delete_body(struct txn *txn, void *arg)
{
    const struct act *act = arg;
    struct sqs_open o;
    TRY(open_queue(txn, act->name, &o));
    TRY(txn_del(txn, o.queue->key));
    return txn_put(txn, key_make(txn->arena, &sqs_k_garbage, o.config.id, (uint64_t)UINT64_MAX),
                   STR(""));
}

static enum err purge_body(struct txn *txn, void *arg)
{
    const struct act *act = arg;
    struct sqs_open o;
    TRY(open_queue(txn, act->name, &o));
    o.config.purge_seq = sqs_queue_next_seq(o.queue, txn->now_ms);
    TRY(txn_put(txn, key_make(txn->arena, &sqs_k_garbage, o.config.id, o.config.purge_seq),
                STR("")));
    return sqs_save(txn, o.queue, &o.config);
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Counts records again and again, on the loop that cleans, until there are as many as wanted. */
struct count {
    struct str from, to;
    size_t want, n, rounds;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
};

static enum err count_body(struct txn *txn, void *arg)
{
    struct count *c = arg;
    struct kv_iter *it;
    struct str key, val;
    c->n = 0;
    TRY(kv_scan(txn->kv, c->from, c->to, false, &it));
    while (kv_next(it, &key, &val) == ERR_OK)
        c->n++;
    kv_iter_close(it);
    return ERR_OK;
}

static void counted(void *arg, enum err err)
{
    struct count *c = arg;
    if (err == ERR_OK && c->n > c->want && ++c->rounds < 1000 &&
        txn_run(&core, loop, count_body, c, counted) == ERR_OK)
        return;
    pthread_mutex_lock(&c->lock);
    c->done = true;
    pthread_cond_signal(&c->cond);
    pthread_mutex_unlock(&c->lock);
}

static void wait_for_count(struct key_range range, size_t want)
{
    struct count c = {.from = range.from,
                      .to = range.to,
                      .want = want,
                      .lock = PTHREAD_MUTEX_INITIALIZER,
                      .cond = PTHREAD_COND_INITIALIZER};
    assert_int_equal(txn_run(&core, loop, count_body, &c, counted), ERR_OK);
    pthread_mutex_lock(&c.lock);
    while (!c.done)
        pthread_cond_wait(&c.cond, &c.lock);
    pthread_mutex_unlock(&c.lock);
    assert_int_equal(c.n, want);
}

static void expect_messages(struct arena *a, uint64_t id, size_t want)
{
    wait_for_count(key_range(a, &sqs_k_state, id), want);
    wait_for_count(key_range(a, &sqs_k_body, id), want);
}

static void expect_no_garbage(struct arena *a)
{
    wait_for_count(key_range_table(a, &sqs_k_garbage), 0);
}

static struct str key_of(struct arena *a, const char *name)
{
    return key_make(a, &sqs_k_queue, scope, str_c(name));
}

static void test_deleted_queue(void **state)
{
    struct arena a;
    struct act act = {.name = "gone.fifo"};
    arena_init(&a, 1 << 20);
    fill("kept", false, 1, 10);
    fill("gone.fifo", true, 2, MESSAGES);
    fill("kept2", false, 3, 10);
    assert_int_equal(txn_run_now(&core, delete_body, &act), ERR_OK);
    sqs_clean_soon(s);
    expect_no_garbage(&a);
    expect_messages(&a, 2, 0);
    expect_messages(&a, 1, 10);
    expect_messages(&a, 3, 10);
    arena_release(&a);
}

static void test_purged_queue_after_restart(void **state)
{
    struct arena a;
    struct act act = {.name = "q"};
    arena_init(&a, 1 << 20);
    fill("q", false, 7, MESSAGES);
    assert_int_equal(txn_run_now(&core, purge_body, &act), ERR_OK);
    for (act.i = 0; act.i < 3; act.i++)
        assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
    finish(); /* the garbage is found by the next start */
    start();
    assert_int_equal(sqs_load_now(s, key_of(&a, "q")), ERR_OK);
    const struct sqs_queue *q = map_get(&s->queues, key_of(&a, "q"));
    assert_int_equal(q->ix->n, 3);
    expect_no_garbage(&a);
    expect_messages(&a, 7, 3);
    arena_release(&a);
}

static void test_retention_and_dedup(void **state)
{
    struct arena a;
    struct act act = {.name = "q.fifo", .fifo = true, .i = MESSAGES};
    arena_init(&a, 1 << 20);
    fill("q.fifo", true, 4, MESSAGES);
    clock_fake_advance_ms(4LL * 86400 * 1000 - 1000);
    assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
    clock_fake_advance_ms(2000);
    sqs_clean_soon(s);
    expect_messages(&a, 4, 1);
    wait_for_count(key_range_table(&a, &sqs_k_dedup), 1);
    struct sqs_queue *q = map_get(&s->queues, key_of(&a, "q.fifo"));
    pthread_mutex_lock(&q->lock);
    assert_int_equal(q->ix->n, 1);
    assert_int_equal(q->ix->count[SQS_SLOT_VISIBLE], 1);
    pthread_mutex_unlock(&q->lock);
    arena_release(&a);
}

/* --- receives that are repeated ---------------------------------------------------------------- */

struct receive {
    const char *id;
    bool again; /* what the last one under this id gave */
    size_t n;
    uint64_t first;
};

static enum err receive_body(struct txn *txn, void *arg)
{
    struct receive *r = arg;
    struct sqs_open o;
    struct sqs_taken taken[SQS_BATCH_MAX];
    bool staged;
    r->n = 0;
    TRY(open_queue(txn, "q.fifo", &o));
    enum err err = sqs_attempt_again(txn, &o, str_c(r->id), 100, taken, &r->n);
    r->again = err == ERR_OK;
    if (err == ERR_NOT_FOUND) {
        TRY(sqs_take(txn, &o, 2, 100, taken, &r->n, &staged));
        if (r->n > 0)
            TRY(sqs_attempt_note(txn, &o, str_c(r->id), 100, taken, r->n));
        err = ERR_OK;
    }
    r->first = r->n ? taken[0].seq : 0;
    return err;
}

static void test_attempts(void **state)
{
    struct arena a;
    uint64_t first = 0;
    static const struct {
        int64_t pass_s; /* before it */
        const char *id;
        bool again, some;
    } rows[] = {
        {0, "a", false, true},  {60, "a", true, true},   {60, "b", false, false},
        {0, "a", true, true},   {99, "b", false, false}, /* 39 s after the first time-out */
        {0, "a", true, true},   {81, "a", false, false}, /* 300 s: the id is forgotten, the lease is not */
        {19, "a", false, true}, {100, "a", false, true}, /* the lease was over: received anew */
        {0, "a", true, true},
    };
    arena_init(&a, 1 << 20);
    fill("q.fifo", true, 5, 3);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct receive r = {.id = rows[i].id};
        clock_fake_advance_ms(rows[i].pass_s * 1000);
        if (i == 4) { /* leases and ids outlive the process */
            finish();
            start();
            assert_int_equal(sqs_load_now(s, key_of(&a, "q.fifo")), ERR_OK);
        }
        assert_int_equal(txn_run_now(&core, receive_body, &r), ERR_OK);
        if (r.again != rows[i].again || (r.n == 2) != rows[i].some)
            fail_msg("row %zu: %s, %zu messages", i, r.again ? "again" : "anew", r.n);
        if (first == 0)
            first = r.first;
        assert_true(r.n == 0 || r.first == first);
    }
    clock_fake_advance_ms(900 * 1000);
    sqs_clean_soon(s);
    wait_for_count(key_range_table(&a, &sqs_k_attempt), 0);
    arena_release(&a);
}

/* --- names ------------------------------------------------------------------------------------ */

static enum err hold_body(struct txn *txn, void *arg)
{
    return sqs_hold_name(s, txn, key_of(txn->arena, arg));
}

static enum err held_body(struct txn *txn, void *arg)
{
    bool *held = arg;
    return sqs_name_is_held(s, txn, key_of(txn->arena, "q"), held);
}

static bool is_held(void)
{
    bool held;
    assert_int_equal(txn_run_now(&core, held_body, &held), ERR_OK);
    return held;
}

static void test_held_names(void **state)
{
    assert_false(is_held());
    assert_int_equal(txn_run_now(&core, hold_body, "q"), ERR_OK);
    assert_false(is_held()); /* nothing is held where the option says so */
    core.cfg.queue_held_ms = 60000;
    assert_int_equal(txn_run_now(&core, hold_body, "other"), ERR_OK);
    assert_false(is_held());
    assert_int_equal(txn_run_now(&core, hold_body, "q"), ERR_OK);
    clock_fake_advance_ms(30000);
    finish();
    start();
    clock_fake_advance_ms(29999);
    assert_true(is_held());
    core.cfg.queue_held_ms = 0;
    assert_false(is_held());
    core.cfg.queue_held_ms = 60000;
    clock_fake_advance_ms(1);
    assert_false(is_held());
    deliver_wake(core.deliver); /* and nothing stays behind */
    while (due_kind_stats(s->held).fired < 2)
        sched_yield();
}

/* --- moving ----------------------------------------------------------------------------------- */

static enum err start_move_body(struct txn *txn, void *arg)
{
    struct sqs_move_task *task = arg;
    struct sqs_open from;
    TRY(sqs_open_arn(s, txn, task->source_arn, &from));
    return sqs_move_start(txn, &from, task);
}

/* Looks again and again, on the loop that moves, until no task of the queue is running. */
struct found {
    struct sqs_move_list list; /* the texts go with the transaction */
    const char *name;
    bool running, done;
    size_t rounds;
    pthread_mutex_t lock;
    pthread_cond_t cond;
};

static enum err list_body(struct txn *txn, void *arg)
{
    struct found *f = arg;
    struct sqs_open from;
    TRY(open_queue(txn, f->name, &from));
    TRY(sqs_move_running(txn, &from, &f->running));
    return sqs_move_list(txn, from.config.id, &f->list);
}

static void listed(void *arg, enum err err)
{
    struct found *f = arg;
    if (err == ERR_OK && f->running && ++f->rounds < 1000 &&
        txn_run(&core, loop, list_body, f, listed) == ERR_OK)
        return;
    pthread_mutex_lock(&f->lock);
    f->done = true;
    pthread_cond_signal(&f->cond);
    pthread_mutex_unlock(&f->lock);
}

/* How many tasks there are of the queue, and how the newest ended. */
static void expect_task(const char *name, size_t n, enum sqs_move_status status, uint64_t moved)
{
    static struct found f;
    f = (struct found){
        .name = name, .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    assert_int_equal(txn_run(&core, loop, list_body, &f, listed), ERR_OK);
    pthread_mutex_lock(&f.lock);
    while (!f.done)
        pthread_cond_wait(&f.cond, &f.lock);
    pthread_mutex_unlock(&f.lock);
    assert_false(f.running);
    assert_int_equal(f.list.n, n);
    assert_int_equal(f.list.tasks[n - 1].status, status);
    assert_int_equal(f.list.tasks[n - 1].moved, moved);
}

#define ARN(name) STR("arn:aws:sqs:r:000000000001:" name)

/* Nothing is lost or doubled where a stop comes between the steps. */
static void test_move_over_restarts(void **state)
{
    struct arena a;
    struct sqs_move_task task = {
        .id = STR("t"), .source_arn = ARN("dead"), .destination_arn = ARN("to")};
    arena_init(&a, 1 << 20);
    fill("dead", false, 11, MESSAGES);
    fill("to", false, 12, 3);
    assert_int_equal(txn_run_now(&core, start_move_body, &task), ERR_OK);
    for (int i = 0; i < 3; i++) {
        finish();
        start();
    }
    expect_messages(&a, 11, 0);
    wait_for_count(key_range_table(&a, &sqs_k_body), MESSAGES + 3);
    expect_messages(&a, 12, MESSAGES + 3);
    expect_task("dead", 1, SQS_MOVE_COMPLETED, MESSAGES);
    assert_int_equal(sqs_load_now(s, key_of(&a, "dead")), ERR_OK);
    assert_int_equal(sqs_load_now(s, key_of(&a, "to")), ERR_OK);
    const struct sqs_queue *q = map_get(&s->queues, key_of(&a, "to"));
    assert_int_equal(q->ix->count[SQS_SLOT_VISIBLE], MESSAGES + 3);
    arena_release(&a);
}

/* What came from no queue cannot go back: it stays, to be received. */
static void test_move_fails(void **state)
{
    struct arena a;
    struct sqs_move_task task = {.id = STR("t"), .source_arn = ARN("dead.fifo")};
    arena_init(&a, 1 << 20);
    fill("dead.fifo", true, 13, 30);
    for (size_t i = 1; i < SQS_MOVE_KEPT + 3; i++) { /* the oldest are forgotten */
        clock_fake_advance_ms(1);
        assert_int_equal(txn_run_now(&core, start_move_body, &task), ERR_OK);
        expect_task("dead.fifo", i < SQS_MOVE_KEPT ? i : SQS_MOVE_KEPT, SQS_MOVE_FAILED, 0);
    }
    expect_messages(&a, 13, 30);
    struct sqs_queue *q = map_get(&s->queues, key_of(&a, "dead.fifo"));
    pthread_mutex_lock(&q->lock);
    assert_int_equal(q->ix->count[SQS_SLOT_VISIBLE], 30);
    pthread_mutex_unlock(&q->lock);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_deleted_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_purged_queue_after_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retention_and_dedup, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attempts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_held_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_move_over_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_move_fails, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
