/* Stored records read back as written, and no cut of one is taken for whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svc/lambda/lambda_int.h"

static void test_function(void **state)
{
    struct lambda_environment_variables_entry env[] = {{STR("A"), STR("1")}, {STR("B"), STR("")}};
    struct lambda_fn_layer layers[] = {{STR("arn:1"), 1, 10}, {STR("arn:2"), 2, 20}};
    struct lambda_fn in = {
        .name = {{STR("000000000000"), STR("us-east-1")}, STR("orders"), STR_NONE},
        .id = STR("id"),
        .revision = STR("rev"),
        .runtime = STR("provided.al2023"),
        .role = STR("arn:aws:iam::000000000000:role/r"),
        .handler = STR("h"),
        .description = STR(""),
        .timeout_s = 900,
        .memory_mb = 10240,
        .ephemeral_mb = 512,
        .code_id = STR("c"),
        .code_sha256 = STR("s"),
        .code_size = 5,
        .architecture = STR("x86_64"),
        .modified_ms = -1,
        .env = env,
        .n_env = 2,
        .layers = layers,
        .n_layers = 2,
        .opt_id = STR("o"),
        .code_unzipped = 7,
        .log_group = STR("/aws/lambda/orders"),
        .reserved = -1,
        .async = {true, 2, -1, STR_NONE, STR("arn:aws:sqs:us-east-1:000000000000:q"), 77},
    };
    struct arena a;
    struct buf b;
    struct lambda_fn out;

    arena_init(&a, 1024 * 1024);
    buf_init_arena(&b, &a, RECORD_BYTES_MAX);
    assert_int_equal(record_pack(&lambda_fn_type, &in, &b), ERR_OK);
    assert_int_equal(record_unpack(&lambda_fn_type, &a, buf_str(&b), &out), ERR_OK);
    assert_true(str_eq(out.name.name, in.name.name) && str_eq(out.role, in.role));
    assert_int_equal(out.modified_ms, -1);
    assert_int_equal(out.n_env, 2);
    assert_true(str_eq_c(out.env[0].value, "1") && str_is_set(out.env[1].value));
    assert_false(str_is_set(out.dlq_arn));
    assert_int_equal(out.async.retries, 2);
    assert_int_equal(out.async.age_max_s, -1);
    assert_false(str_is_set(out.async.on_success));
    assert_true(str_eq(out.async.on_failure, in.async.on_failure));
    assert_int_equal(out.reserved, -1);
    assert_int_equal(out.n_layers, 2);
    assert_true(str_eq_c(out.layers[1].arn, "arn:2") && str_eq_c(out.opt_id, "o"));
    assert_int_equal(lambda_layers_unzipped(&out), 30);
    assert_int_equal(out.code_unzipped, 7);
    for (size_t n = 0; n < b.len; n++)
        assert_int_equal(record_unpack(&lambda_fn_type, &a, str_n(b.p, n), &out), ERR_CORRUPT);
    arena_release(&a);
}

static void test_mapping(void **state)
{
    struct lambda_mapping in = {
        .uuid = STR("u"),
        .function = {{STR("000000000000"), STR("us-east-1")}, STR("f"), STR("live")},
        .function_arn = STR("arn"),
        .source_arn = STR("q"),
        .batch_size = 10000,
        .window_s = 300,
        .enabled = true,
        .partial = true,
        .concurrency_max = 2,
        .modified_ms = 3,
        .tumbling_s = 900,
    };
    struct arena a;
    struct buf b;
    struct lambda_mapping out;

    arena_init(&a, 1024 * 1024);
    buf_init_arena(&b, &a, RECORD_BYTES_MAX);
    assert_int_equal(record_pack(&lambda_mapping_type, &in, &b), ERR_OK);
    assert_int_equal(record_unpack(&lambda_mapping_type, &a, buf_str(&b), &out), ERR_OK);
    assert_int_equal(out.batch_size, 10000);
    assert_true(out.enabled && out.partial);
    assert_int_equal(out.concurrency_max, 2);
    assert_int_equal(out.tumbling_s, 900);
    assert_true(str_eq(out.function.qualifier, in.function.qualifier));
    for (size_t n = 0; n < b.len; n++)
        assert_int_equal(record_unpack(&lambda_mapping_type, &a, str_n(b.p, n), &out), ERR_CORRUPT);
    arena_release(&a);
}

static void test_event(void **state)
{
    struct lambda_event in = {
        .name = {{STR("000000000000"), STR("us-east-1")}, STR("f"), STR("live")},
        .fn_id = STR("id"),
        .request_id = STR("req"),
        .payload = STR("{\"a\":1}"),
        .cause = STR("Root=1"),
    };
    struct lambda_event out;
    struct buf b;

    buf_init(&b, 4096);
    assert_int_equal(record_pack(&lambda_event_type, &in, &b), ERR_OK);
    assert_int_equal(record_unpack(&lambda_event_type, NULL, buf_str(&b), &out), ERR_OK);
    assert_true(str_eq(out.payload, in.payload) && str_eq(out.fn_id, in.fn_id));
    assert_false(str_is_set(out.client_context));
    assert_true(str_eq(out.name.qualifier, in.name.qualifier) && str_eq(out.cause, in.cause));
    for (size_t n = 0; n < b.len; n++)
        assert_int_equal(record_unpack(&lambda_event_type, NULL, str_n(b.p, n), &out), ERR_CORRUPT);
    buf_release(&b);
}

static void test_layer(void **state)
{
    const struct str runtimes[] = {STR("python3.11"), STR("nodejs20.x")};
    const struct lambda_layer_version in = {
        .name = {{STR("000000000000"), STR("us-east-1")}, STR("l"), 3},
        .code_id = STR("c"),
        .code_sha256 = STR("s"),
        .code_size = 5,
        .unzipped = 50,
        .description = STR(""),
        .runtimes = runtimes,
        .n_runtimes = 2,
        .created_ms = 9,
        .policy = {STR("rev"), STR("{}")},
    };
    struct arena a;
    struct buf b;
    struct lambda_layer_version out;

    arena_init(&a, 1024 * 1024);
    buf_init_arena(&b, &a, RECORD_BYTES_MAX);
    assert_int_equal(record_pack(&lambda_layer_type, &in, &b), ERR_OK);
    assert_int_equal(record_unpack(&lambda_layer_type, &a, buf_str(&b), &out), ERR_OK);
    assert_true(str_eq(out.name.name, in.name.name) && out.name.number == 3);
    assert_int_equal(out.unzipped, 50);
    assert_int_equal(out.n_runtimes, 2);
    assert_true(str_eq_c(out.runtimes[1], "nodejs20.x"));
    assert_int_equal(out.n_architectures, 0);
    assert_true(str_eq_c(out.policy.document, "{}") && !str_is_set(out.license));
    for (size_t n = 0; n < b.len; n++)
        assert_int_equal(record_unpack(&lambda_layer_type, &a, str_n(b.p, n), &out), ERR_CORRUPT);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layer),
        cmocka_unit_test(test_function),
        cmocka_unit_test(test_mapping),
        cmocka_unit_test(test_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
