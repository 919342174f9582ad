/* Tumbling windows: which one a record is of, what events and responses say of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "svc/lambda/lambda_window.h"

static void which(void **state)
{
    static const struct {
        const char *name;
        struct lambda_window open;
        int64_t wall_ms, length_s, start_ms, end_ms;
    } rows[] = {
        {"first", {0}, 65500, 60, 60000, 120000},
        {"at its beginning", {0}, 60000, 60, 60000, 120000},
        {"before 1970", {0}, -1, 60, -60000, 0},
        {"in the open one", {.start_ms = 60000, .end_ms = 120000}, 119999, 60, 60000, 120000},
        {"late for the open one", {.start_ms = 60000, .end_ms = 120000}, 5, 60, 60000, 120000},
        {"behind the open one", {.start_ms = 60000, .end_ms = 120000}, 120000, 60, 120000, 180000},
        {"open one of another length", {.start_ms = 0, .end_ms = 900000}, 61000, 1, 0, 900000},
        {"the longest", {0}, 1000 * 900 + 1, 900, 900000, 1800000},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct lambda_window w = lambda_window_of(&rows[i].open, rows[i].wall_ms, rows[i].length_s);
        if (w.start_ms != rows[i].start_ms || w.end_ms != rows[i].end_ms)
            fail_msg("%s: %lld to %lld", rows[i].name, (long long)w.start_ms, (long long)w.end_ms);
        if (!lambda_window_is_open(&rows[i].open))
            assert_true(str_eq_c(w.state, "{}"));
    }
}

static void event(void **state)
{
    struct buf b;
    const struct lambda_window w = {.start_ms = 1596128400000,
                                    .end_ms = 1596128700000,
                                    .early = true,
                                    .state = STR("{\"a\":1}")};
    buf_init(&b, 4096);
    lambda_window_put_event(&b, &w, true, STR("shardId-1"), STR("arn:x"));
    assert_true(str_eq_c(
        buf_str(&b),
        ",\"window\":{\"start\":\"2020-07-30T17:00:00Z\",\"end\":\"2020-07-30T17:05:00Z\"},"
        "\"state\":{\"a\":1},\"shardId\":\"shardId-1\",\"eventSourceARN\":\"arn:x\","
        "\"isFinalInvokeForWindow\":true,\"isWindowTerminatedEarly\":true"));
    buf_release(&b);
}

static void answer(void **state)
{
    static const struct {
        const char *in, *state; /* NULL: refused */
    } rows[] = {
        {"{\"state\":{\"a\":[1,{\"b\":null}]}}", "{\"a\":[1,{\"b\":null}]}"},
        {"{\"batchItemFailures\":[],\"state\":{}}", "{}"},
        {"{\"state\":null}", "{}"},
        {"{\"state\":1}", NULL},
        {"{\"state\":[]}", NULL},
        {"{\"State\":{}}", NULL},
        {"{}", NULL},
        {"null", NULL},
        {"", NULL},
        {"{\"state\":{}", NULL},
    };
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str got;
        enum err err = lambda_window_answer(&a, str_c(rows[i].in), &got);
        if (err != (rows[i].state ? ERR_OK : ERR_INVALID) ||
            (rows[i].state && !str_eq_c(got, rows[i].state)))
            fail_msg("%s: %s", rows[i].in, err_name(err));
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which),
        cmocka_unit_test(event),
        cmocka_unit_test(answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
