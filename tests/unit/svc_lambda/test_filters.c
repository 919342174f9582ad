/* Filters of event source mappings: which records are taken, of streams and of queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "svc/lambda/lambda_int.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 8 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static void rows(void **state)
{
    static const struct {
        const char *name, *patterns[2];
        bool stream;
        const char *record;
        bool want;
    } cases[] = {
        {"no filter", {NULL}, true, "{}", true},
        {"event name", {"{\"eventName\":[\"INSERT\"]}"}, true, "{\"eventName\":\"INSERT\"}", true},
        {"other name", {"{\"eventName\":[\"INSERT\"]}"}, true, "{\"eventName\":\"MODIFY\"}", false},
        {"second of two",
         {"{\"eventName\":[\"INSERT\"]}", "{\"eventName\":[\"MODIFY\"]}"},
         true,
         "{\"eventName\":\"MODIFY\"}",
         true},
        {"body as JSON", {"{\"body\":{\"a\":[1]}}"}, false, "{\"body\":\"{\\\"a\\\":1}\"}", true},
        {"body behind others",
         {"{\"body\":{\"a\":[1]}}"},
         false,
         "{\"messageId\":\"m\",\"body\":\"{\\\"a\\\":1}\",\"md5OfBody\":\"x\"}",
         true},
        {"what stands behind the body",
         {"{\"body\":{\"a\":[1]},\"md5OfBody\":[\"y\"]}"},
         false,
         "{\"body\":\"{\\\"a\\\":1}\",\"md5OfBody\":\"x\"}",
         false},
        {"plain body", {"{\"body\":[\"a\"]}"}, false, "{\"body\":\"a\"}", true},
        {"plain body, pattern of JSON",
         {"{\"body\":{\"a\":[1]}}"},
         false,
         "{\"body\":\"a\"}",
         false},
        {"JSON body, pattern of text",
         {"{\"body\":[\"{}\"]}"},
         false,
         "{\"body\":\"{\\\"a\\\":1}\"}",
         false},
        {"no body", {"{\"body\":[\"a\"]}"}, false, "{}", false},
        {"a stream's text stays text",
         {"{\"body\":{\"a\":[1]}}"},
         true,
         "{\"body\":\"{\\\"a\\\":1}\"}",
         false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str patterns[2], message;
        struct lambda_mapping m = {.stream = cases[i].stream, .filters = patterns};
        for (; m.n_filters < 2 && cases[i].patterns[m.n_filters]; m.n_filters++)
            patterns[m.n_filters] = str_c(cases[i].patterns[m.n_filters]);
        bool match = !cases[i].want;
        assert_int_equal(lambda_filters_open(&arena, &m, &message), ERR_OK);
        assert_int_equal(lambda_filters_match(&m, &arena, str_c(cases[i].record), &match), ERR_OK);
        if (match != cases[i].want)
            fail_msg("%s", cases[i].name);
    }
}

static void bad_patterns_are_told(void **state)
{
    static const char *const bad[] = {
        "", "x", "[]", "{}", "{\"a\":1}", "{\"a\":[]}", "{\"a\":[{\"numeric\":[\"~\",1]}]}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct str pattern = str_c(bad[i]), message = STR("");
        struct lambda_mapping m = {.filters = &pattern, .n_filters = 1};
        if (lambda_filters_open(&arena, &m, &message) != ERR_INVALID || str_empty(message))
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(bad_patterns_are_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
