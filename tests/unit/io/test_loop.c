/* Loops: posting from many threads, timers, pool work, starting and stopping. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "io/io.h"

/* --- posting ---------------------------------------------------------------------------------- */

enum { POSTERS = 8, POSTS = 5000 };

struct post {
    struct io_task task;
    int poster;
    int number;
};

/* Touched on the loop's thread only, so plain memory: a race here is a race in io_post. */
static struct {
    struct io_loop *loop;
    int last[POSTERS];
    int seen;
    bool in_order, on_loop;
} sink;

static void on_post(struct io_task *task)
{
    struct post *p = CONTAINER_OF(task, struct post, task);
    sink.in_order &= p->number == sink.last[p->poster] + 1;
    sink.on_loop &= io_loop_current() == sink.loop;
    sink.last[p->poster] = p->number;
    mem_free(p);
    if (++sink.seen == POSTERS * POSTS)
        io_loop_stop(sink.loop);
}

static void *poster_main(void *arg)
{
    for (int i = 1; i <= POSTS; i++) {
        struct post *p = mem_alloc(sizeof(*p));
        if (!p)
            abort();
        *p = (struct post){.task.fn = on_post, .poster = (int)(intptr_t)arg, .number = i};
        io_post(sink.loop, &p->task);
    }
    return NULL;
}

static void test_post_from_many_threads(void **state)
{
    pthread_t threads[POSTERS];
    memset(&sink, 0, sizeof(sink));
    sink.in_order = sink.on_loop = true;
    assert_int_equal(io_loop_new(3, &sink.loop), ERR_OK);
    assert_int_equal(io_loop_index(sink.loop), 3);
    assert_null(io_loop_current());
    for (intptr_t i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, poster_main, (void *)i), 0);
    assert_int_equal(io_loop_start(sink.loop), ERR_OK);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    io_loop_join(sink.loop);
    io_loop_free(sink.loop);
    assert_int_equal(sink.seen, POSTERS * POSTS);
    assert_true(sink.in_order);
    assert_true(sink.on_loop);
}

/* Two loops hand one task back and forth. */
struct ball {
    struct io_task task;
    struct io_loop *loops[2];
    int left;
};

static void on_ball(struct io_task *task)
{
    struct ball *b = CONTAINER_OF(task, struct ball, task);
    if (b->left == 0) {
        io_loop_stop(b->loops[0]);
        io_loop_stop(b->loops[1]);
        return;
    }
    b->left--;
    io_post(b->loops[b->left % 2], &b->task);
}

static void test_ping_pong(void **state)
{
    struct ball b = {.task.fn = on_ball, .left = 2000};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(io_loop_new(i, &b.loops[i]), ERR_OK);
        assert_int_equal(io_loop_start(b.loops[i]), ERR_OK);
    }
    io_post(b.loops[0], &b.task);
    for (int i = 0; i < 2; i++)
        io_loop_free(b.loops[i]);
    assert_int_equal(b.left, 0);
}

/* A task that posts itself again runs in a later round: others get their turn. */
struct greedy {
    struct io_task task;
    struct io_loop *loop;
    struct io_timer timer;
    int rounds;
    bool timer_ran;
};

static void on_greedy(struct io_task *task)
{
    struct greedy *g = CONTAINER_OF(task, struct greedy, task);
    g->rounds++;
    if (!g->timer_ran)
        io_post(g->loop, &g->task);
    else
        io_loop_stop(g->loop);
}

static void on_greedy_timer(struct io_timer *t)
{
    ((struct greedy *)t->arg)->timer_ran = true;
}

static void test_repost_is_fair(void **state)
{
    struct greedy g = {.task.fn = on_greedy};
    assert_int_equal(io_loop_new(0, &g.loop), ERR_OK);
    io_timer_init(&g.timer, g.loop, on_greedy_timer, &g);
    assert_int_equal(io_timer_start(&g.timer, 2), ERR_OK);
    io_post(g.loop, &g.task);
    io_loop_run(g.loop);
    assert_true(g.timer_ran && g.rounds > 0);
    io_loop_free(g.loop);
}

/* --- timers ----------------------------------------------------------------------------------- */

enum { TIMERS = 6 };

static struct {
    struct io_loop *loop;
    struct io_timer timers[TIMERS];
    int order[16];
    int n;
    int64_t began_ns;
    int again;
    bool early;
} clockwork;

static const int64_t delays[TIMERS] = {30, 10, 10, 0, 20, 15};

static void on_tick(struct io_timer *t)
{
    int i = (int)(t - clockwork.timers);
    assert_true(clockwork.n < 16);
    clockwork.order[clockwork.n++] = i;
    if (clock_mono_ns() - clockwork.began_ns < delays[i] * 1000000)
        clockwork.early = true;
    if (i == 4)
        io_timer_stop(&clockwork.timers[0]);
    if (i == 3 && clockwork.again-- > 0)
        assert_int_equal(io_timer_start(t, 0), ERR_OK);
    if (i == 4)
        io_loop_stop(clockwork.loop);
}

static void test_timers(void **state)
{
    static const int want[] = {3, 3, 3, 1, 2, 4};
    memset(&clockwork, 0, sizeof(clockwork));
    clockwork.again = 2;
    assert_int_equal(io_loop_new(0, &clockwork.loop), ERR_OK);
    clockwork.began_ns = clock_mono_ns();
    for (int i = 0; i < TIMERS; i++) {
        io_timer_init(&clockwork.timers[i], clockwork.loop, on_tick, NULL);
        io_timer_stop(&clockwork.timers[i]); /* harmless */
        assert_int_equal(io_timer_start(&clockwork.timers[i], delays[i]), ERR_OK);
    }
    io_timer_stop(&clockwork.timers[5]);
    assert_int_equal(clockwork.n, 0); /* never from inside */
    io_loop_run(clockwork.loop);
    assert_int_equal(clockwork.n, ARRAY_LEN(want));
    assert_memory_equal(clockwork.order, want, sizeof(want));
    assert_false(clockwork.early);
    io_loop_free(clockwork.loop);
}

static void on_move(struct io_timer *t)
{
    clockwork.n++;
    io_loop_stop(clockwork.loop);
}

/* Moved later, then earlier; only the last counts. */
static void test_timer_moves(void **state)
{
    struct io_timer t;
    memset(&clockwork, 0, sizeof(clockwork));
    assert_int_equal(io_loop_new(0, &clockwork.loop), ERR_OK);
    io_timer_init(&t, clockwork.loop, on_move, NULL);
    assert_int_equal(io_timer_start(&t, 5), ERR_OK);
    assert_int_equal(io_timer_start(&t, INT64_MAX), ERR_OK);
    assert_int_equal(io_timer_start(&t, 20), ERR_OK);
    int64_t began = clock_mono_ns();
    io_loop_run(clockwork.loop);
    assert_int_equal(clockwork.n, 1);
    assert_true(clock_mono_ns() - began >= 19 * 1000000);
    /* Out of memory leaves it unarmed. */
    mem_fail_after(1);
    enum err err = io_timer_start(&t, 0);
    mem_fail_after(0);
    if (err != ERR_OK)
        assert_int_equal(err, ERR_NOMEM);
    io_timer_stop(&t);
    io_loop_free(clockwork.loop);
}

/* --- pool ------------------------------------------------------------------------------------- */

enum { JOBS = 50 };

static struct {
    struct io_loop *loop;
    _Atomic int worked, on_pool;
    int done;
    bool done_on_loop;
} pool;

static void job_work(struct io_work *w)
{
    atomic_fetch_add(&pool.worked, 1);
    if (io_loop_current() != pool.loop)
        atomic_fetch_add(&pool.on_pool, 1);
}

static void job_done(struct io_work *w)
{
    pool.done_on_loop &= io_loop_current() == pool.loop;
    if (++pool.done == JOBS)
        io_loop_stop(pool.loop);
}

static void test_pool(void **state)
{
    struct io_work jobs[JOBS];
    memset(&pool, 0, sizeof(pool));
    pool.done_on_loop = true;
    assert_int_equal(io_loop_new(0, &pool.loop), ERR_OK);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct io_work){.work = job_work, .done = job_done};
        assert_int_equal(io_work_start(pool.loop, &jobs[i]), ERR_OK);
    }
    assert_int_equal(pool.done, 0);
    io_loop_run(pool.loop);
    assert_int_equal(pool.done, JOBS);
    assert_int_equal(atomic_load(&pool.on_pool), JOBS);
    assert_true(pool.done_on_loop);
    io_loop_free(pool.loop);
}

/* Work that is still out when the loop is freed. */
static void test_free_waits_for_work(void **state)
{
    struct io_work job = {.work = job_work, .done = job_done};
    memset(&pool, 0, sizeof(pool));
    assert_int_equal(io_loop_new(0, &pool.loop), ERR_OK);
    assert_int_equal(io_work_start(pool.loop, &job), ERR_OK);
    io_loop_free(pool.loop);
    assert_int_equal(pool.done, 1);
}

static void on_never_timer(struct io_timer *timer)
{
    fail();
}

static void on_never_task(struct io_task *task)
{
    fail();
}

/* The owner of running pool work can be freed after the join, not only after the loop. */
static void test_join_waits_for_the_pool(void **state)
{
    struct io_work job = {.work = job_work, .done = job_done};
    struct io_task task = {.fn = on_never_task};
    struct io_timer timer;
    memset(&pool, 0, sizeof(pool));
    assert_int_equal(io_loop_new(0, &pool.loop), ERR_OK);
    io_timer_init(&timer, pool.loop, on_never_timer, NULL);
    assert_int_equal(io_timer_start(&timer, 0), ERR_OK);
    assert_int_equal(io_work_start(pool.loop, &job), ERR_OK);
    io_post(pool.loop, &task);
    io_loop_join(pool.loop);
    assert_int_equal(pool.done, 1);
    io_timer_stop(&timer);
    io_loop_free(pool.loop);
}

/* --- life ------------------------------------------------------------------------------------- */

/* Told once for all that one turn brought. */
static struct {
    struct io_loop *loop;
    struct io_task tasks[3];
    int ran, told;
    int ran_when_told;
} turn;

static void turn_task(struct io_task *task)
{
    turn.ran++;
}

static void turn_over(void *arg)
{
    assert_ptr_equal(arg, &turn);
    if (turn.ran == 0)
        return;
    turn.told++;
    turn.ran_when_told = turn.ran;
    io_loop_stop(turn.loop);
}

static void test_before_wait(void **state)
{
    memset(&turn, 0, sizeof(turn));
    assert_int_equal(io_loop_new(0, &turn.loop), ERR_OK);
    io_loop_before_wait(turn.loop, turn_over, &turn);
    for (size_t i = 0; i < ARRAY_LEN(turn.tasks); i++) {
        turn.tasks[i].fn = turn_task;
        io_post(turn.loop, &turn.tasks[i]);
    }
    io_loop_run(turn.loop);
    assert_int_equal(turn.ran_when_told, 3);
    assert_int_equal(turn.told, 1);
    io_loop_before_wait(turn.loop, NULL, NULL);
    io_loop_free(turn.loop);
}

static void test_stop_before_run(void **state)
{
    struct io_loop *loop;
    assert_int_equal(io_loop_new(0, &loop), ERR_OK);
    io_loop_stop(loop);
    io_loop_run(loop);
    io_loop_stop(loop);
    assert_int_equal(io_loop_start(loop), ERR_OK);
    io_loop_free(loop);
    io_loop_free(NULL);
    assert_int_equal(io_loop_new(0, &loop), ERR_OK);
    io_loop_join(loop); /* never started */
    io_loop_free(loop);
}

static void on_never(struct io_task *task)
{
    fail();
}

static void test_posted_but_never_run(void **state)
{
    struct io_loop *loop;
    struct io_task task = {.fn = on_never};
    assert_int_equal(io_loop_new(0, &loop), ERR_OK);
    io_post(loop, &task);
    io_loop_free(loop);
}

static void test_out_of_memory(void **state)
{
    struct io_loop *loop;
    mem_fail_after(1);
    assert_int_equal(io_loop_new(0, &loop), ERR_NOMEM);
    mem_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_post_from_many_threads),
        cmocka_unit_test(test_ping_pong),
        cmocka_unit_test(test_repost_is_fair),
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_timer_moves),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_free_waits_for_work),
        cmocka_unit_test(test_join_waits_for_the_pool),
        cmocka_unit_test(test_before_wait),
        cmocka_unit_test(test_stop_before_run),
        cmocka_unit_test(test_posted_but_never_run),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
