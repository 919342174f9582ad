/* Calls that wait: order, deadlines, clients that leave, wakes from many threads. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/call_int.h"
#include "help_core.h"

/* A client that stands in line under its name. */
static int line_up(struct fixture *f, const char *name)
{
    int fd = client_connect(f), before = atomic_load(&f->suspended);
    client_send(fd, "Line", name);
    wait_count(&f->suspended, before + 1);
    return fd;
}

static void expect_reply(int fd, int status, const char *part)
{
    char body[512];
    assert_int_equal(client_read(fd, body, sizeof(body)), status);
    assert_non_null(strstr(body, part));
}

static void first_come_first_woken(void **state)
{
    struct fixture f;
    fixture_start(&f, false);
    int a = line_up(&f, "a"), b = line_up(&f, "b"), c = line_up(&f, "c");
    fixture_give(&f, 1);
    expect_reply(a, 200, "a");
    assert_false(client_has_reply(b));
    assert_false(client_has_reply(c));
    fixture_give(&f, 2);
    expect_reply(b, 200, "b");
    expect_reply(c, 200, "c");
    assert_true(waiters_empty(&f.line));
    close(a);
    close(b);
    close(c);
    fixture_stop(&f);
}

static void the_deadline_ends_a_wait(void **state)
{
    struct fixture f;
    fixture_start(&f, false);
    int a = line_up(&f, "short"), b = line_up(&f, "b");
    expect_reply(a, 404, "timed out");
    fixture_give(&f, 1); /* none is kept for the one that went */
    expect_reply(b, 200, "b");
    close(a);
    close(b);
    fixture_stop(&f);
}

static void who_left_is_passed_over(void **state)
{
    struct fixture f;
    char body[512];
    fixture_start(&f, false);
    int a = line_up(&f, "a"), b = line_up(&f, "b");
    close(a);
    int other = client_connect(&f); /* a request after the close was seen */
    client_send(other, "Clash", "x");
    assert_int_equal(client_read(other, body, sizeof(body)), 200);
    fixture_give(&f, 1);
    expect_reply(b, 200, "b");
    close(b);
    close(other);
    fixture_stop(&f); /* and draining cancels nobody that is gone */
}

/* --- WT3, where the client leaves between its wake and its rerun ------------------------------- */

struct fakes {
    struct io_task task;
    struct io_loop *loop;
    struct core core;
    struct call_impl call[3];
    struct waiter waiter[3];
    struct waiters line;
    pthread_mutex_t lock;
    int woken;  /* bit by call */
    int passed; /* pass_on ran */
    atomic_int done;
};

static struct fakes *fakes_of(struct waiters *ws)
{
    return CONTAINER_OF(ws, struct fakes, line);
}

static void wake_the_last(struct waiters *ws)
{
    fakes_of(ws)->passed++;
    (void)waiters_wake(ws, SIZE_MAX);
}

static void note_wakes(struct fakes *k)
{
    for (int i = 0; i < 3; i++)
        k->woken |= atomic_load(&k->call[i].wake_posted) << i;
}

static void no_rerun(struct io_task *task)
{
}

static void no_deadline(struct io_timer *timer)
{
}

static void leave_after_wake(struct io_task *task)
{
    struct fakes *k = CONTAINER_OF(task, struct fakes, task);
    for (int i = 0; i < 3; i++) {
        struct call_impl *c = &k->call[i];
        c->magic = CALL_MAGIC;
        c->call.impl = c;
        c->call.loop = k->loop;
        c->wake_task.fn = no_rerun;
        io_timer_init(&c->timer, k->loop, no_deadline, c);
        waiter_init(&k->waiter[i], &c->call);
        assert_int_equal(waiter_wait(&k->waiter[i], &k->line, 60 * 1000), ERR_SUSPENDED);
    }
    (void)waiters_wake(&k->line, 1);
    k->call[1].on_cancel(&k->call[1].call); /* had not been woken: nothing to hand on */
    note_wakes(k);
    assert_int_equal(k->woken, 1);
    assert_int_equal(k->passed, 0);
    k->call[0].on_cancel(&k->call[0].call);
    note_wakes(k);
    assert_int_equal(k->woken, 1 | 4);
    assert_true(waiters_empty(&k->line));
    assert_true(waiter_resume(&k->waiter[2]));
    assert_false(waiter_resume(&k->waiter[2])); /* once */
    for (int i = 0; i < 3; i++)
        io_timer_stop(&k->call[i].timer);
    atomic_store(&k->done, 1);
}

static void a_wake_is_handed_on(void **state)
{
    for (int own = 0; own < 2; own++) {
        struct fixture f;
        static struct fakes k;
        memset(&k, 0, sizeof(k));
        fixture_start(&f, false);
        pthread_mutex_init(&k.lock, NULL);
        waiters_init(&k.line, &k.lock, own ? wake_the_last : NULL);
        k.loop = f.loop;
        k.task.fn = leave_after_wake;
        io_post(f.loop, &k.task);
        wait_count(&k.done, 1);
        assert_int_equal(k.passed, own);
        fixture_stop(&f);
        pthread_mutex_destroy(&k.lock);
    }
}

/* --- many at once ----------------------------------------------------------------------------- */

enum { CLIENTS = 6, GIVERS = 3, ROUNDS = 40 };

static void *give_on(void *arg)
{
    for (int i = 0; i < CLIENTS * ROUNDS / GIVERS; i++) {
        fixture_give(arg, 1);
        sched_yield();
    }
    return NULL;
}

/* WT1: every token finds its waiter, whoever came first. */
static void no_wake_is_lost(void **state)
{
    struct fixture f;
    pthread_t givers[GIVERS];
    int fds[CLIENTS];
    fixture_start(&f, false);
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = client_connect(&f);
    for (int i = 0; i < GIVERS; i++)
        assert_int_equal(pthread_create(&givers[i], NULL, give_on, &f), 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++)
            client_send(fds[i], "Line", "x");
        for (int i = 0; i < CLIENTS; i++)
            expect_reply(fds[i], 200, "x");
    }
    for (int i = 0; i < GIVERS; i++)
        pthread_join(givers[i], NULL);
    assert_int_equal(f.tokens, 0);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    fixture_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_come_first_woken),  cmocka_unit_test(the_deadline_ends_a_wait),
        cmocka_unit_test(who_left_is_passed_over), cmocka_unit_test(a_wake_is_handed_on),
        cmocka_unit_test(no_wake_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
