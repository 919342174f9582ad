/* The dispatcher's promises: P1, reruns, suspension, clients that leave, failing stores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "help_core.h"

static void grant_all(struct fixture *f)
{
    kv_mem_grant(f->mem, kv_mem_committed(f->mem));
}

static void answers_and_keeps_the_connection(void **state)
{
    struct fixture f;
    char body[512];
    fixture_start(&f, false);
    int fd = client_connect(&f);
    for (int i = 1; i <= 3; i++) {
        char want[32];
        client_send(fd, "Put", "a");
        assert_int_equal(client_read(fd, body, sizeof(body)), 200);
        snprintf(want, sizeof(want), "{\"value\":\"%d\"}", i);
        assert_string_equal(body, want);
    }
    client_send(fd, "Get", "none");
    assert_int_equal(client_read(fd, body, sizeof(body)), 404);
    assert_non_null(strstr(body, "test#Missing"));
    close(fd);
    fixture_stop(&f);
}

/* P1: the reply to a write is held until the write is durable. */
static void a_write_is_answered_when_durable(void **state)
{
    struct fixture f;
    char body[512];
    fixture_start(&f, true);
    int fd = client_connect(&f);
    client_send(fd, "Put", "a");
    wait_count(&f.committed, 1);
    assert_false(client_has_reply(fd));
    assert_int_equal(atomic_load(&f.durable), 0);
    grant_all(&f);
    assert_int_equal(client_read(fd, body, sizeof(body)), 200);
    assert_int_equal(atomic_load(&f.durable), 1);
    close(fd);
    fixture_stop(&f);
}

/* X1: neither a read nor an error may tell of a write that a crash could undo. */
static void a_read_of_an_undurable_write_waits(void **state)
{
    static const char *const ops[] = {"Get", "Fail"};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        struct fixture f;
        char body[512];
        fixture_start(&f, true);
        int writer = client_connect(&f), reader = client_connect(&f);
        client_send(writer, "Put", "a");
        wait_count(&f.committed, 1);
        client_send(reader, ops[i], "a");
        wait_count(&f.ran, 2);
        assert_false(client_has_reply(reader));
        grant_all(&f);
        assert_int_equal(client_read(reader, body, sizeof(body)), i == 0 ? 200 : 404);
        assert_int_equal(client_read(writer, body, sizeof(body)), 200);
        close(writer);
        close(reader);
        fixture_stop(&f);
    }
}

/* What handlers read from memory (identities, definitions) is held to the same promise. */
static void a_reply_waits_for_memory_that_changed(void **state)
{
    struct fixture f;
    char body[512];
    fixture_start(&f, true);
    int writer = client_connect(&f), reader = client_connect(&f);
    client_send(writer, "Put", "a");
    wait_count(&f.committed, 1);
    client_send(reader, "Clash", "x"); /* reads nothing: answered at once */
    assert_int_equal(client_read(reader, body, sizeof(body)), 200);
    core_memory_changes(&f.core);
    client_send(reader, "Clash", "x");
    wait_count(&f.ran, 3);
    assert_false(client_has_reply(reader));
    grant_all(&f);
    assert_int_equal(client_read(reader, body, sizeof(body)), 200);
    assert_int_equal(client_read(writer, body, sizeof(body)), 200);
    close(writer);
    close(reader);
    fixture_stop(&f);
}

static void a_failed_sync_is_an_error(void **state)
{
    struct fixture f;
    char body[512];
    fixture_start(&f, true);
    int fd = client_connect(&f);
    client_send(fd, "Put", "a");
    wait_count(&f.committed, 1);
    kv_mem_fail_sync(f.mem);
    grant_all(&f);
    assert_int_equal(client_read(fd, body, sizeof(body)), 500);
    assert_int_equal(atomic_load(&f.durable), 0);
    close(fd);
    fixture_stop(&f);
}

/* The client leaves while its commit is on the way to the disk: hooks run all the same. */
static void hooks_run_without_the_client(void **state)
{
    struct fixture f;
    fixture_start(&f, true);
    int fd = client_connect(&f);
    client_send(fd, "Put", "a");
    wait_count(&f.committed, 1);
    close(fd);
    int other = client_connect(&f); /* a request after the close was seen */
    char body[512];
    client_send(other, "Clash", "x");
    grant_all(&f);
    assert_int_equal(client_read(other, body, sizeof(body)), 200);
    wait_count(&f.durable, 2);
    close(other);
    fixture_stop(&f);
}

static void conflicts_rerun_the_handler(void **state)
{
    static const struct {
        int clashes, status, ran;
    } rows[] = {
        {0, 200, 1},
        {1, 200, 2},
        {20, 200, 21}, /* more than in a row: other work gets a turn between */
        {TXN_ATTEMPTS_MAX - 1, 200, TXN_ATTEMPTS_MAX},
        {TXN_ATTEMPTS_MAX, 500, TXN_ATTEMPTS_MAX}, /* the fixture's conflict error */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        char body[512];
        fixture_start(&f, false);
        int fd = client_connect(&f);
        atomic_store(&f.clashes_left, rows[i].clashes);
        client_send(fd, "Clash", "x");
        assert_int_equal(client_read(fd, body, sizeof(body)), rows[i].status);
        assert_int_equal(atomic_load(&f.ran), rows[i].ran);
        assert_int_equal(atomic_load(&f.committed), rows[i].status == 200);
        assert_int_equal(atomic_load(&f.aborted), rows[i].ran - (rows[i].status == 200));
        close(fd);
        fixture_stop(&f);
    }
}

static void a_suspended_call_wakes(void **state)
{
    struct fixture f;
    char body[512];
    fixture_start(&f, false);
    int waiter = client_connect(&f), writer = client_connect(&f);
    client_send(waiter, "Wait", "a");
    wait_count(&f.suspended, 1);
    client_send(writer, "Put", "a");
    assert_int_equal(client_read(writer, body, sizeof(body)), 200);
    fixture_wake(&f, 3); /* more than once is harmless */
    assert_int_equal(client_read(waiter, body, sizeof(body)), 200);
    assert_string_equal(body, "{\"value\":\"1\"}");
    close(waiter);
    close(writer);
    fixture_stop(&f);
}

static void a_suspended_call_times_out(void **state)
{
    struct fixture f;
    char body[512];
    fixture_start(&f, false);
    int fd = client_connect(&f);
    client_send(fd, "Wait", "never");
    assert_int_equal(client_read(fd, body, sizeof(body)), 404);
    assert_non_null(strstr(body, "timed out"));
    assert_int_equal(atomic_load(&f.cancelled), 0);
    close(fd);
    fixture_stop(&f);
}

static void a_suspended_call_is_cancelled(void **state)
{
    struct fixture f;
    fixture_start(&f, false);
    int fd = client_connect(&f);
    client_send(fd, "Wait", "never");
    wait_count(&f.suspended, 1);
    close(fd);
    wait_count(&f.cancelled, 1);
    fixture_stop(&f);
}

/* --- streamed bodies -------------------------------------------------------------------------- */

static char
    pattern[60 * 1024 + 7]; /* filled by main; no block of the server's is a multiple of it */

static void send_pattern(int fd, size_t n)
{
    for (size_t part; n > 0; n -= part) {
        part = min_size(n, sizeof(pattern));
        client_send_raw(fd, pattern, part);
    }
}

static void upload(int fd, size_t declared, size_t sent)
{
    char head[256];
    int n = snprintf(head, sizeof(head),
                     "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Test.Upload\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     declared);
    client_send_raw(fd, head, (size_t)n);
    send_pattern(fd, sent);
}

static uint32_t sum_of_upload(size_t sent)
{
    uint32_t sum = 0;
    for (; sent > 0; sent -= min_size(sent, sizeof(pattern)))
        sum = fixture_sum(sum, pattern, min_size(sent, sizeof(pattern)));
    return sum;
}

static void streamed_bodies_reach_the_sink(void **state)
{
    static const size_t sizes[] = {
        0, 1, CALL_BODY_INLINE_MAX, CALL_BODY_INLINE_MAX + 1, 131072, 524288, 3000000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct fixture f;
        char body[512], want[64];
        fixture_start(&f, false);
        int fd = client_connect(&f);
        upload(fd, sizes[i], sizes[i]);
        assert_int_equal(client_read(fd, body, sizeof(body)), 200);
        snprintf(want, sizeof(want), "{\"value\":\"%zu bytes\"}", sizes[i]);
        assert_string_equal(body, want);
        assert_int_equal(atomic_load(&f.sink_finished), 1);
        assert_int_equal(f.sink_written, sum_of_upload(sizes[i])); /* in order, each byte once */
        assert_int_equal(f.sink_digested, f.sink_written);
        assert_int_equal(atomic_load(&f.sink_aborted), 0);
        close(fd);
        fixture_stop(&f);
    }
}

static void a_client_that_leaves_aborts_the_sink(void **state)
{
    static const size_t sent[] = {0, 10, 200000, 900000};
    for (size_t i = 0; i < ARRAY_LEN(sent); i++) {
        struct fixture f;
        fixture_start(&f, false);
        int fd = client_connect(&f);
        upload(fd, 1000000, sent[i]);
        close(fd);
        wait_count(&f.sink_aborted, 1);
        assert_int_equal(atomic_load(&f.sink_finished), 0);
        assert_int_equal(atomic_load(&f.ran), 0);
        fixture_stop(&f);
    }
}

/* By then the loop has seen all that came before. */
static void two_round_trips(int fd)
{
    char body[512];
    for (int i = 0; i < 2; i++) {
        client_send(fd, "Put", "a");
        assert_int_equal(client_read(fd, body, sizeof(body)), 200);
    }
}

/* Nothing is asked of a client that left while both workers had a block and the third was full:
 * body_stream.c's blocks are 512 KiB, and an idle worker takes one from 128 KiB on. */
static void a_client_leaves_while_its_body_pauses(void **state)
{
    struct fixture f;
    fixture_start(&f, false);
    int fd = client_connect(&f), other = client_connect(&f);
    atomic_store(&f.hold_digest, 1);
    atomic_store(&f.hold_write, 2);
    upload(fd, 2000000, 0);
    send_pattern(fd, 128 * 1024);
    wait_count(&f.sink_digests, 1);
    send_pattern(fd, 128 * 1024);
    wait_count(&f.sink_writes, 2);
    send_pattern(fd, 512 * 1024 - HTTP_READ_BYTES + 1);
    two_round_trips(other);
    close(fd);
    two_round_trips(other);
    atomic_store(&f.hold_digest, 0); /* now there is room */
    two_round_trips(other);
    assert_int_equal(atomic_load(&f.sink_aborted), 0);
    atomic_store(&f.hold_write, 0);
    wait_count(&f.sink_aborted, 1);
    assert_int_equal(atomic_load(&f.sink_finished), 0);
    assert_int_equal(atomic_load(&f.ran), 3 * 2); /* the round trips */
    close(other);
    fixture_stop(&f);
}

/* --- a store that fails ----------------------------------------------------------------------- */

static void every_store_failure_is_an_error_and_nothing_more(void **state)
{
    static const enum kv_fault_call calls[] = {KV_FAULT_BEGIN, KV_FAULT_GET, KV_FAULT_PUT,
                                               KV_FAULT_COMMIT};
    static const enum err errors[] = {ERR_IO, ERR_NOMEM, ERR_CORRUPT};
    struct fixture f;
    char body[512];
    fixture_start(&f, false);
    int fd = client_connect(&f);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        for (size_t k = 0; k < ARRAY_LEN(errors); k++) {
            kv_fault_fail(f.core.kv, calls[i], 1, errors[k]);
            client_send(fd, "Put", "a");
            assert_int_equal(client_read(fd, body, sizeof(body)), 500);
        }
    assert_int_equal(atomic_load(&f.committed), 0);
    client_send(fd, "Put", "a"); /* no half of any of them is left */
    assert_int_equal(client_read(fd, body, sizeof(body)), 200);
    assert_string_equal(body, "{\"value\":\"1\"}");
    close(fd);
    fixture_stop(&f);
}

static void bad_requests(void **state)
{
    static const struct {
        const char *name, *request;
        int status;
    } rows[] = {
        {"unknown operation, unsigned: the signature comes first",
         "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Test.No\r\nContent-Length: 2\r\n\r\n{}", 400},
        {"not JSON",
         "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Test.Get\r\nContent-Length: 1\r\n\r\n{", 500},
        {"wrong type",
         "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Test.Get\r\nContent-Length: "
         "9\r\n\r\n{\"key\":1}",
         500},
        {"unknown service",
         "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Other.Get\r\nContent-Length: 2\r\n\r\n{}",
         400},
        {"unknown key",
         "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Test.Get\r\nX-Amz-Date: 20261121T000000Z\r\n"
         "Authorization: AWS4-HMAC-SHA256 Credential=A/20261121/r/test/aws4_request, "
         "SignedHeaders=host;x-amz-date, Signature=00\r\nContent-Length: 2\r\n\r\n{}",
         0},
        {"broken signature header",
         "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Test.Get\r\nAuthorization: AWS4-HMAC-SHA256 "
         "x\r\n"
         "Content-Length: 2\r\n\r\n{}",
         0},
    };
    struct fixture f;
    fixture_start(&f, false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char body[2048];
        int fd = client_connect(&f);
        client_send_raw(fd, rows[i].request, strlen(rows[i].request));
        int status = client_read(fd, body, sizeof(body));
        if (rows[i].status ? status != rows[i].status : status < 400 || status > 403)
            fail_msg("%s: %d %s", rows[i].name, status, body);
        close(fd);
    }
    assert_int_equal(atomic_load(&f.ran), 0);
    fixture_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_keeps_the_connection),
        cmocka_unit_test(a_write_is_answered_when_durable),
        cmocka_unit_test(a_read_of_an_undurable_write_waits),
        cmocka_unit_test(a_reply_waits_for_memory_that_changed),
        cmocka_unit_test(a_failed_sync_is_an_error),
        cmocka_unit_test(hooks_run_without_the_client),
        cmocka_unit_test(conflicts_rerun_the_handler),
        cmocka_unit_test(a_suspended_call_wakes),
        cmocka_unit_test(a_suspended_call_times_out),
        cmocka_unit_test(a_suspended_call_is_cancelled),
        cmocka_unit_test(streamed_bodies_reach_the_sink),
        cmocka_unit_test(a_client_that_leaves_aborts_the_sink),
        cmocka_unit_test(a_client_leaves_while_its_body_pauses),
        cmocka_unit_test(every_store_failure_is_an_error_and_nothing_more),
        cmocka_unit_test(bad_requests),
    };
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (char)(i * 7 + i / 251);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
