/* Long calls: what they do not hold up, and that all else is as for any call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/call_int.h"
#include "help_core.h"

static atomic_int on_loop, on_pool, may_end, conflicts_left, waits_left;
static _Atomic uint64_t work;

static void nothing(struct call *call)
{
}

/* Does `work`; on the pool it ends when it may. */
static enum err run(struct call *call, const void *in, void *out)
{
    struct fixture *f = call->svc;
    bool at_home = io_loop_current() != NULL;
    atomic_fetch_add(at_home ? &on_loop : &on_pool, 1);
    TRY(txn_work(call->txn, atomic_load(&work)));
    if (!at_home)
        wait_count(&may_end, 1);
    if (atomic_load(&conflicts_left) > 0) {
        atomic_fetch_sub(&conflicts_left, 1);
        return ERR_CONFLICT;
    }
    if (atomic_load(&waits_left) > 0 && !call->timed_out) {
        atomic_fetch_add(&f->suspended, 1);
        return call_suspend(call, 1, nothing);
    }
    ((struct str *)out)[0] = STR("done");
    return ERR_OK;
}

static void start(struct fixture *f, uint64_t how_much)
{
    atomic_store(&on_loop, 0);
    atomic_store(&on_pool, 0);
    atomic_store(&may_end, 0);
    atomic_store(&conflicts_left, 0);
    atomic_store(&waits_left, 0);
    atomic_store(&work, how_much);
    fixture_nest = run;
    fixture_start(f, false);
}

static void expect(int fd, const char *want)
{
    char body[512];
    assert_int_equal(client_read(fd, body, sizeof(body)), 200);
    assert_string_equal(body, want);
}

static void a_slice_is_done_on_the_loop(void **state)
{
    struct fixture f;
    start(&f, TXN_SLICE_WORK);
    int fd = client_connect(&f);
    client_send(fd, "Nest", "a");
    expect(fd, "{\"value\":\"done\"}");
    assert_int_equal(atomic_load(&on_loop), 1);
    assert_int_equal(atomic_load(&on_pool), 0);
    assert_int_equal(atomic_load(&f.core.impl->handed_over), 0);
    close(fd);
    fixture_stop(&f);
}

/* More is done elsewhere: other calls of the same loop are answered meanwhile. */
static void more_holds_up_nobody(void **state)
{
    struct fixture f;
    start(&f, TXN_SLICE_WORK + 1);
    int heavy = client_connect(&f), light = client_connect(&f);
    client_send(heavy, "Nest", "a");
    wait_count(&on_pool, 1);
    for (int i = 1; i <= 3; i++) {
        char want[32];
        snprintf(want, sizeof(want), "{\"value\":\"%d\"}", i);
        client_send(light, "Put", "a");
        expect(light, want);
    }
    assert_false(client_has_reply(heavy));
    atomic_store(&may_end, 1);
    expect(heavy, "{\"value\":\"done\"}");
    assert_int_equal(atomic_load(&on_loop), 1);
    assert_int_equal(atomic_load(&on_pool), 1);
    close(heavy);
    close(light);
    fixture_stop(&f);
}

/* They take a part of the workers only, in turn. */
static void few_at_once(void **state)
{
    enum { N = CORE_LONG_MAX + 3 };
    struct fixture f;
    int fds[N];
    start(&f, TXN_SLICE_WORK + 1);
    for (int i = 0; i < N; i++) {
        fds[i] = client_connect(&f);
        client_send(fds[i], "Nest", "a");
    }
    wait_count(&on_loop, N);
    wait_count(&on_pool, CORE_LONG_MAX);
    int light = client_connect(&f);
    client_send(light, "Put", "a");
    expect(light, "{\"value\":\"1\"}");
    assert_int_equal(atomic_load(&on_pool), CORE_LONG_MAX);
    atomic_store(&may_end, 1);
    for (int i = 0; i < N; i++) {
        expect(fds[i], "{\"value\":\"done\"}");
        close(fds[i]);
    }
    assert_int_equal(atomic_load(&on_pool), N);
    close(light);
    fixture_stop(&f);
}

static void conflicts_are_rerun_there(void **state)
{
    struct fixture f;
    start(&f, TXN_SLICE_WORK + 1);
    atomic_store(&conflicts_left, 5);
    atomic_store(&may_end, 1);
    int fd = client_connect(&f);
    client_send(fd, "Nest", "a");
    expect(fd, "{\"value\":\"done\"}");
    assert_int_equal(atomic_load(&on_loop), 1);
    assert_int_equal(atomic_load(&on_pool), 6);
    close(fd);
    fixture_stop(&f);
}

/* A call that comes to wait does so on its loop. */
static void waiting_is_the_loops(void **state)
{
    struct fixture f;
    start(&f, TXN_SLICE_WORK + 1);
    atomic_store(&waits_left, 1);
    atomic_store(&may_end, 1);
    int fd = client_connect(&f);
    client_send(fd, "Nest", "a");
    expect(fd, "{\"value\":\"done\"}");
    assert_int_equal(atomic_load(&f.suspended), 2);
    assert_int_equal(atomic_load(&on_pool), 1);
    close(fd);
    fixture_stop(&f);
}

/* Who asked may leave while a worker has the call, or while it waits for one. */
static void clients_leave(void **state)
{
    enum { N = CORE_LONG_MAX + 2 };
    struct fixture f;
    start(&f, TXN_SLICE_WORK + 1);
    int fds[N];
    for (int i = 0; i < N; i++) {
        fds[i] = client_connect(&f);
        client_send(fds[i], "Nest", "a");
    }
    wait_count(&on_pool, CORE_LONG_MAX);
    wait_count(&on_loop, N);
    for (int i = 0; i < N; i++)
        close(fds[i]);
    int light = client_connect(&f);
    client_send(light, "Put", "a");
    expect(light, "{\"value\":\"1\"}");
    atomic_store(&may_end, 1);
    wait_count(&on_pool, N);
    close(light);
    fixture_stop(&f);
}

/* A large body is checked and decoded there, whatever its operation. */
static void large_bodies(void **state)
{
    enum { LEN = CORE_LOOP_BODY_MAX };
    struct fixture f;
    start(&f, 0);
    int fd = client_connect(&f);
    char *request = malloc(LEN + 1024);
    for (int over = 0; over < 2; over++) {
        int n = snprintf(request, 1024,
                         "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Test.Put\r\nContent-Length: "
                         "%d\r\n\r\n{\"key\":\"a\"}",
                         LEN + over);
        memset(request + n, ' ', (size_t)(LEN + over - 11));
        client_send_raw(fd, request, (size_t)(n + LEN + over - 11));
        expect(fd, over ? "{\"value\":\"2\"}" : "{\"value\":\"1\"}");
        assert_int_equal(atomic_load(&f.core.impl->handed_over), over);
    }
    free(request);
    close(fd);
    fixture_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_is_done_on_the_loop),
        cmocka_unit_test(more_holds_up_nobody),
        cmocka_unit_test(few_at_once),
        cmocka_unit_test(conflicts_are_rerun_there),
        cmocka_unit_test(waiting_is_the_loops),
        cmocka_unit_test(clients_leave),
        cmocka_unit_test(large_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
