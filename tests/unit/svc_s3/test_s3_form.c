/* s3_form.h: keys and policies of forms. What policies say is driven through HTTP, too
 * (tests/compat/test_s3_forms.py); here are limits and what no client sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/base64.h"
#include "svc/s3/s3_form.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static void test_keys(void **state)
{
    static const struct {
        const char *key, *filename, *want;
    } rows[] = {
        {"k", "x", "k"},
        {"${filename}", "x", "x"},
        {"a/${filename}/b", "c:\\d\\x.txt", "a/x.txt/b"},
        {"a/${filename}", "/etc/x", "a/x"},
        {"a/${filename}", "", "a/"},
        {"a/${filename}", "x/", "a/"},
        {"${filename}${filename}", "x", "x${filename}"},
        {"${file}", "x", "${file}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str got = s3_form_key(&arena, str_c(rows[i].key), str_c(rows[i].filename));
        if (!str_eq_c(got, rows[i].want))
            fail_msg("%s: " STR_FMT, rows[i].key, STR_ARG(got));
    }
}

#define UNTIL "\"expiration\":\"2030-01-01T00:00:00Z\""
#define BUCKET "{\"bucket\":\"b\"}"

static void test_policies(void **state)
{
    static const struct {
        const char *policy;
        enum s3_form_outcome outcome;
        int64_t min, max;
    } rows[] = {
        {"{" UNTIL ",\"conditions\":[" BUCKET ",{\"key\":\"k\"}]}", S3_FORM_FITS, 0, INT64_MAX},
        {"{" UNTIL ",\"conditions\":[" BUCKET
         ",[\"eq\",\"$key\",\"k\"],[\"content-length-range\",1,9],"
         "[\"content-length-range\",\"2\",\"10\"]]}",
         S3_FORM_FITS, 2, 9},
        {"{" UNTIL ",\"conditions\":[" BUCKET ",[\"starts-with\",\"$key\",\"\"]]}", S3_FORM_FITS, 0,
         INT64_MAX},
        {"{" UNTIL ",\"conditions\":[" BUCKET ",[\"starts-with\",\"\\$key\",\"\"]]}", S3_FORM_FITS,
         0, INT64_MAX},
        {"{" UNTIL ",\"conditions\":[" BUCKET ",[\"starts-with\",\"$key\",\"\\\\$\"]]}",
         S3_FORM_DENIED, 0, INT64_MAX},
        {"{" UNTIL ",\"conditions\":[" BUCKET "]}", S3_FORM_DENIED, 0, INT64_MAX},
        {"{" UNTIL ",\"conditions\":[{\"key\":\"k\"}]}", S3_FORM_DENIED, 0, INT64_MAX},
        /* A field that is not there fits nothing. */
        {"{" UNTIL ",\"conditions\":[" BUCKET ",{\"key\":\"k\"},[\"starts-with\",\"$acl\",\"\"]]}",
         S3_FORM_DENIED, 0, INT64_MAX},
        {"{\"expiration\":\"2020-01-01T00:00:00Z\",\"conditions\":[" BUCKET ",{\"key\":\"k\"}]}",
         S3_FORM_DENIED, 0, INT64_MAX},
        {"{" UNTIL ",\"conditions\":[" BUCKET ",{\"key\":1}]}", S3_FORM_BAD_POLICY, 0, INT64_MAX},
        {"{" UNTIL ",\"conditions\":[" BUCKET ",[]]}", S3_FORM_BAD_POLICY, 0, INT64_MAX},
        {"{" UNTIL ",\"conditions\":[" BUCKET ",7]}", S3_FORM_BAD_POLICY, 0, INT64_MAX},
        {"{" UNTIL ",\"conditions\":[" BUCKET ",[\"eq\",\"$key\"]]}", S3_FORM_BAD_POLICY, 0,
         INT64_MAX},
        {"{" UNTIL ",\"conditions\":[" BUCKET ",[\"eq\",\"$key\",\"k\",\"k\"]]}",
         S3_FORM_BAD_POLICY, 0, INT64_MAX},
        {"{" UNTIL ",\"conditions\":[" BUCKET ",[\"content-length-range\",1.5,2]]}",
         S3_FORM_BAD_POLICY, 0, INT64_MAX},
        {"{\"expiration\":7,\"conditions\":[]}", S3_FORM_BAD_POLICY, 0, INT64_MAX},
        {"\\$", S3_FORM_BAD_POLICY, 0, INT64_MAX},
        {"", S3_FORM_BAD_POLICY, 0, INT64_MAX},
    };
    static struct s3_form_fields fields = {.v = {{STR_INIT("key"), STR_INIT("k")},
                                                 {STR_INIT("policy"), STR_INIT("p")},
                                                 {STR_INIT("x-ignore-this"), STR_INIT("")}},
                                           .n = 3};
    const int64_t now_ms = 1800000000000; /* 2027 */
    struct s3_form_verdict v;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str policy = str_c(rows[i].policy);
        policy = base64_encode(&arena, policy.p, policy.len);
        assert_int_equal(s3_form_judge(&arena, policy, &fields, STR("b"), now_ms, &v), ERR_OK);
        if (v.outcome != rows[i].outcome || v.min != rows[i].min || v.max != rows[i].max ||
            (v.outcome != S3_FORM_FITS) != str_is_set(v.message))
            fail_msg("%s: %d " STR_FMT, rows[i].policy, v.outcome, STR_ARG(v.message));
    }
    assert_int_equal(s3_form_judge(&arena, STR("*"), &fields, STR("b"), now_ms, &v), ERR_OK);
    assert_int_equal(v.outcome, S3_FORM_BAD_POLICY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policies, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
