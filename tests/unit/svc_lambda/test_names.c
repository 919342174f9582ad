/* Function names, ARNs and validity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arn.h"
#include "svc/lambda/lambda_int.h"

#define ARN "arn:aws:lambda:eu-west-1:123456789012:function:"

static void test_parse(void **state)
{
    static const struct {
        const char *name, *in;
        enum err err;
        const char *account, *region, *fn, *qualifier;
    } rows[] = {
        {"plain", "orders", ERR_OK, "000000000000", "us-east-1", "orders", NULL},
        {"with version", "orders:$LATEST", ERR_OK, "000000000000", "us-east-1", "orders",
         "$LATEST"},
        {"with alias", "orders:live", ERR_OK, "000000000000", "us-east-1", "orders", "live"},
        {"partial", "123456789012:function:orders", ERR_OK, "123456789012", "us-east-1", "orders",
         NULL},
        {"account and name", "123456789012:orders", ERR_OK, "123456789012", "us-east-1", "orders",
         NULL},
        {"a number's version", "123456789012:", ERR_INVALID, NULL, NULL, NULL, NULL},
        {"partial with version", "123456789012:function:orders:7", ERR_OK, "123456789012",
         "us-east-1", "orders", "7"},
        {"function prefix", "function:orders", ERR_OK, "000000000000", "us-east-1", "orders", NULL},
        {"arn", ARN "orders", ERR_OK, "123456789012", "eu-west-1", "orders", NULL},
        {"arn with version", ARN "orders:$LATEST", ERR_OK, "123456789012", "eu-west-1", "orders",
         "$LATEST"},
        {"64 characters", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         ERR_OK, "000000000000", "us-east-1",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
        {"65 characters", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         ERR_INVALID, NULL, NULL, NULL, NULL},
        {"empty", "", ERR_INVALID, NULL, NULL, NULL, NULL},
        {"space", "or ders", ERR_INVALID, NULL, NULL, NULL, NULL},
        {"slash", "../etc", ERR_INVALID, NULL, NULL, NULL, NULL},
        {"empty qualifier", "orders:", ERR_INVALID, NULL, NULL, NULL, NULL},
        {"two qualifiers", "orders:a:b", ERR_INVALID, NULL, NULL, NULL, NULL},
        {"arn of a queue", "arn:aws:sqs:eu-west-1:123456789012:orders", ERR_INVALID, NULL, NULL,
         NULL, NULL},
        {"arn without account", "arn:aws:lambda:eu-west-1:orders", ERR_INVALID, NULL, NULL, NULL,
         NULL},
        {"arn without name", "arn:aws:lambda:eu-west-1:123456789012:function:", ERR_INVALID, NULL,
         NULL, NULL, NULL},
        {"arn of a layer", "arn:aws:lambda:eu-west-1:123456789012:layer:x", ERR_INVALID, NULL, NULL,
         NULL, NULL},
        {"arn without region", "arn:aws:lambda::123456789012:function:orders", ERR_INVALID, NULL,
         NULL, NULL, NULL},
        {"arn with a slash", "arn:aws:lambda:eu-west-1:123456789012:function/orders", ERR_INVALID,
         NULL, NULL, NULL, NULL},
        {"twelve digits", "123456789012", ERR_OK, "000000000000", "us-east-1", "123456789012",
         NULL},
        {"cut arn", "arn:aws:lambda", ERR_INVALID, NULL, NULL, NULL, NULL},
    };
    const struct key_scope here = {STR("000000000000"), STR("us-east-1")};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct lambda_name n;
        enum err err = lambda_name_parse(str_c(rows[i].in), here, &n);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].name, err_name(err));
        if (err != ERR_OK)
            continue;
        if (!str_eq_c(n.scope.account, rows[i].account) ||
            !str_eq_c(n.scope.region, rows[i].region) || !str_eq_c(n.name, rows[i].fn) ||
            !str_eq(n.qualifier, str_c(rows[i].qualifier)))
            fail_msg("%s: parts differ", rows[i].name);
        assert_int_equal(str_is_set(n.qualifier), rows[i].qualifier != NULL);
    }
}

static void test_arn(void **state)
{
    struct arena a;
    const struct lambda_name name = {
        {STR("123456789012"), STR("eu-west-1")}, STR("orders"), STR_NONE};
    arena_init(&a, 4096);
    assert_true(str_eq_c(lambda_arn(&a, STR("aws"), &name, STR_NONE), ARN "orders"));
    assert_true(str_eq_c(lambda_arn(&a, STR("aws"), &name, STR("$LATEST")), ARN "orders:$LATEST"));
    arena_release(&a);
}

#define LAYER "arn:aws:lambda:eu-west-1:123456789012:layer:"

static void test_layers(void **state)
{
    static const struct {
        const char *name, *in;
        enum err err;
        const char *account, *layer;
        uint64_t number;
    } rows[] = {
        {"plain", "pandas", ERR_OK, "000000000000", "pandas", 0},
        {"with number", "pandas:3", ERR_OK, "000000000000", "pandas", 3},
        {"arn", LAYER "pandas", ERR_OK, "123456789012", "pandas", 0},
        {"arn of a version", LAYER "pandas:12", ERR_OK, "123456789012", "pandas", 12},
        {"large number", LAYER "l:9223372036854775807", ERR_OK, "123456789012", "l", INT64_MAX},
        {"too large number", LAYER "l:9223372036854775808", ERR_INVALID, NULL, NULL, 0},
        {"no version", LAYER "l:0", ERR_INVALID, NULL, NULL, 0},
        {"slash", "../etc", ERR_INVALID, NULL, NULL, 0},
        {"space", "a b", ERR_INVALID, NULL, NULL, 0},
        {"negative number", LAYER "l:-1", ERR_INVALID, NULL, NULL, 0},
        {"no number", LAYER "l:latest", ERR_INVALID, NULL, NULL, 0},
        {"empty number", LAYER "l:", ERR_INVALID, NULL, NULL, 0},
        {"two numbers", LAYER "l:1:2", ERR_INVALID, NULL, NULL, 0},
        {"arn without name", LAYER, ERR_INVALID, NULL, NULL, 0},
        {"empty", "", ERR_INVALID, NULL, NULL, 0},
        {"arn of a function", ARN "orders", ERR_INVALID, NULL, NULL, 0},
        {"arn without account", "arn:aws:lambda:eu-west-1::layer:l:1", ERR_INVALID, NULL, NULL, 0},
        {"arn without region", "arn:aws:lambda::123456789012:layer:l:1", ERR_INVALID, NULL, NULL,
         0},
        {"arn of a bucket", "arn:aws:s3:::layer:l:1", ERR_INVALID, NULL, NULL, 0},
    };
    const struct key_scope here = {STR("000000000000"), STR("us-east-1")};
    struct arena a;
    arena_init(&a, 16 * 1024);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct lambda_layer_name n;
        enum err err = lambda_layer_name_parse(str_c(rows[i].in), here, &n);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].name, err_name(err));
        if (err != ERR_OK)
            continue;
        if (!str_eq_c(n.scope.account, rows[i].account) || !str_eq_c(n.name, rows[i].layer) ||
            n.number != rows[i].number)
            fail_msg("%s: parts differ", rows[i].name);
        if (arn_is(str_c(rows[i].in)) &&
            !str_eq_c(lambda_layer_arn(&a, STR("aws"), &n), rows[i].in))
            fail_msg("%s: another ARN", rows[i].name);
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_arn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
