/* apigateway_patch.h: paths of patch operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svc/apigateway/apigateway_patch.h"

static void test_split(void **state)
{
    static const struct {
        const char *path;
        enum err err;
        const char *raw, *decoded; /* segments, divided by '|' */
    } rows[] = {
        {"/name", ERR_OK, "name", "name"},
        {"/requestTemplates/application~1json", ERR_OK, "requestTemplates|application~1json",
         "requestTemplates|application/json"},
        {"/a~0b", ERR_OK, "a~0b", "a~b"},
        {"/a~01", ERR_OK, "a~01", "a~1"}, /* RFC 6901: ~1 first would make it '/' */
        {"/~1cars/POST/logging/loglevel", ERR_OK, "~1cars|POST|logging|loglevel",
         "/cars|POST|logging|loglevel"},
        {"/*/*/throttling/burstLimit", ERR_OK, "*|*|throttling|burstLimit",
         "*|*|throttling|burstLimit"},
        {"/a~", ERR_OK, "a~", "a~"},
        {"/a~2", ERR_OK, "a~2", "a~2"},
        {"/a/", ERR_OK, "a|", "a|"},
        {"//a", ERR_OK, "|a", "|a"},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/31/32",
         ERR_OK,
         "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22|23|24|25|26|27|28|29|30|31|32",
         "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22|23|24|25|26|27|28|29|30|31|32"},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/31/32/"
         "33",
         ERR_INVALID, NULL, NULL}, /* one more than APIGATEWAY_PATCH_DEPTH */
        {"", ERR_INVALID, NULL, NULL},
        {"/", ERR_INVALID, NULL, NULL},
        {"name", ERR_INVALID, NULL, NULL},
        {"~1name", ERR_INVALID, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct apigateway_patch p = {.path = str_c(rows[i].path)};
        arena_init(&a, 4096);
        assert_int_equal(apigateway_patch_split(&a, &p), rows[i].err);
        if (rows[i].err == ERR_OK) {
            struct str raw = str_c(rows[i].raw), decoded = str_c(rows[i].decoded);
            for (size_t k = 0; k < p.n; k++) {
                assert_true(str_eq(p.raw[k], str_cut(&raw, '|')));
                assert_true(str_eq(p.segment[k], str_cut(&decoded, '|')));
            }
            assert_false(str_is_set(raw));
        }
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_split)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
