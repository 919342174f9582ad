/* Stages over compiled APIs, what they keep, and the targets of integrations: serve.h, serve_store.h,
 * integrate.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "svc/apigateway/integrate.h"
#include "svc/apigateway/serve_store.h"

enum { ARENA_MAX = 1 << 24 };

static const char snapshot[] =
    "{\"restApi\":{},\"resources\":["
    "{\"id\":\"r\",\"path\":\"/\",\"resourceMethods\":{\"GET\":{},\"POST\":{}}},"
    "{\"id\":\"a\",\"path\":\"/a/{b}\",\"resourceMethods\":{\"GET\":{},\"PUT\":{}}}]}";

static struct serve_stage *staged(const char *json)
{
    struct serve_api *api;
    struct serve_stage *stage;
    assert_int_equal(serve_compile(STR("x"), str_c(snapshot), &api), ERR_OK);
    assert_int_equal(serve_stage_compile(api, STR("prod"), STR("d"), 7, str_c(json), &stage),
                     ERR_OK);
    return stage;
}

static const struct serve_settings *settings_of(const struct serve_stage *stage, const char *method,
                                                const char *path)
{
    struct serve_route r;
    assert_int_equal(serve_find(stage->api, str_c(method), str_c(path), &r), ERR_OK);
    return &stage->settings[r.method->index];
}

static void test_settings(void **state)
{
    struct serve_stage *stage = staged(
        "{\"variables\":{\"v\":\"w\"},\"cacheClusterEnabled\":true,\"accessLogSettings\":{"
        "\"format\":"
        "\"f\",\"destinationArn\":\"d\"},\"methodSettings\":{"
        "\"*/*\":{\"loggingLevel\":\"ERROR\",\"cachingEnabled\":true,\"throttlingRateLimit\":5.5,"
        "\"throttlingBurstLimit\":3},"
        "\"a~1{b}/GET\":{\"loggingLevel\":\"INFO\",\"dataTraceEnabled\":true,\"cacheTtlInSeconds\":"
        "9,\"throttlingRateLimit\":-1.0,\"throttlingBurstLimit\":-1},"
        "\"/a/{b}/PUT\":{\"cachingEnabled\":true,\"metricsEnabled\":true,"
        "\"requireAuthorizationForCacheControl\":false,\"unauthorizedCacheControlHeaderStrategy\":"
        "\"FAIL_WITH_403\"},"
        "\"none/GET\":{\"loggingLevel\":\"INFO\"}}}");
    const struct serve_settings *all = settings_of(stage, "GET", "/"),
                                *post = settings_of(stage, "POST", "/"),
                                *get = settings_of(stage, "GET", "/a/1"),
                                *put = settings_of(stage, "PUT", "/a/1");
    assert_true(stage->caches && stage->n_pairs == 1 && str_eq_c(stage->pairs[0].value, "w"));
    assert_true(str_eq_c(stage->log_format, "f") && str_eq_c(stage->log_arn, "d"));
    assert_int_equal(all->log_level, SERVE_LOG_ERROR);
    assert_true(all->cached && all->cache_ttl_s == 300 && all->flush_needs_permission);
    assert_int_equal(all->stale, SERVE_STALE_TOLD);
    assert_true(all->limit.set && all->limit.rate == 5.5 && all->limit.burst == 3);
    assert_false(post->cached); /* by the stage's own, GET alone */
    assert_true(get->log_level == SERVE_LOG_INFO && get->log_data && get->cache_ttl_s == 9);
    assert_true(get->limit.rate == 5.5); /* -1: none of its own */
    assert_true(put->cached && put->metrics && !put->flush_needs_permission);
    assert_int_equal(put->stale, SERVE_STALE_REFUSED);
    serve_stage_ref(stage);
    serve_stage_unref(stage);
    serve_stage_unref(stage);
}

static void test_a_damaged_stage(void **state)
{
    struct serve_api *api;
    struct serve_stage *stage;
    assert_int_equal(serve_compile(STR("x"), str_c(snapshot), &api), ERR_OK);
    assert_int_equal(serve_stage_compile(api, STR("s"), STR("d"), 1, STR("{"), &stage),
                     ERR_CORRUPT);
    serve_api_unref(api); /* still ours */
}

/* --- what is kept ----------------------------------------------------------------------------- */

static struct serve_out answer_of(const char *body)
{
    return (struct serve_out){
        .status = 200, .content_type = STR("application/json"), .body = str_c(body)};
}

static void test_kept_answers(void **state)
{
    struct serve_store *store;
    struct serve_out out = answer_of("one"), got;
    struct arena a;
    arena_init(&a, ARENA_MAX);
    assert_int_equal(serve_store_new(&store), ERR_OK);
    assert_int_equal(map_made_add(&a, &out.header, STR("X"), STR("y")), ERR_OK);
    serve_store_put(store, STR("k"), 1, 100, &out);
    assert_int_equal(serve_store_get(store, &a, STR("other"), 1, 0, &got), ERR_NOT_FOUND);
    assert_int_equal(serve_store_get(store, &a, STR("k"), 1, 99, &got), ERR_OK);
    assert_true(str_eq_c(got.body, "one") && got.header.n == 1);
    out = answer_of("two");
    serve_store_put(store, STR("k"), 1, 100, &out);
    assert_int_equal(serve_store_get(store, &a, STR("k"), 1, 99, &got), ERR_OK);
    assert_true(str_eq_c(got.body, "two"));
    assert_int_equal(serve_store_get(store, &a, STR("k"), 2, 99, &got), ERR_NOT_FOUND); /* GC3 */
    serve_store_put(store, STR("k"), 2, 100, &out);
    assert_int_equal(serve_store_get(store, &a, STR("k"), 2, 100, &got), ERR_NOT_FOUND);
    serve_store_free(store);
    serve_store_free(NULL);
    arena_release(&a);
}

/* GC2, at the limit and past it. */
static void test_kept_answers_are_bounded(void **state)
{
    struct serve_store *store;
    struct serve_out got, out = answer_of("");
    struct arena a;
    char *big = calloc(1, SERVE_STORE_ANSWER_MAX + 1);
    arena_init(&a, SERVE_STORE_BYTES_MAX);
    assert_int_equal(serve_store_new(&store), ERR_OK);
    out.body = str_n(big, SERVE_STORE_ANSWER_MAX + 1);
    serve_store_put(store, STR("k"), 1, 100, &out);
    assert_int_equal(serve_store_get(store, &a, STR("k"), 1, 1, &got), ERR_NOT_FOUND);
    out.body.len--;
    for (int i = 0; i < SERVE_STORE_BYTES_MAX / SERVE_STORE_ANSWER_MAX + 1; i++)
        serve_store_put(store, str_fmt(&a, "%d", i), 1, 100, &out);
    assert_int_equal(serve_store_get(store, &a, STR("0"), 1, 1, &got), ERR_NOT_FOUND);
    assert_int_equal(serve_store_get(store, &a, STR("9"), 1, 1, &got), ERR_OK);
    serve_store_free(store);
    arena_release(&a);
    free(big);
}

/* --- targets ---------------------------------------------------------------------------------- */

static void test_paths_are_filled(void **state)
{
    static struct map_pair pairs[] = {{STR_INIT("a"), STR_INIT("x y")},
                                      {STR_INIT("rest"), STR_INIT("b/c")}};
    const struct map_made values = {pairs, ARRAY_LEN(pairs), ARRAY_LEN(pairs)};
    static const struct {
        const char *uri, *filled; /* NULL: refused */
    } rows[] = {
        {"http://h/", "http://h/"},
        {"http://h/{a}/z", "http://h/x%20y/z"},
        {"http://h/{rest+}", "http://h/b/c"},
        {"http://h/{rest}?q={a}", "http://h/b/c?q=x%20y"},
        {"http://h/{none}", NULL},
        {"http://h/{a", NULL},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct str got;
        arena_init(&a, ARENA_MAX);
        enum err err = integrate_fill_path(&a, str_c(rows[i].uri), &values, &got);
        assert_int_equal(err, rows[i].filled ? ERR_OK : ERR_INVALID);
        if (!err)
            assert_true(str_eq_c(got, rows[i].filled));
        arena_release(&a);
    }
}

static void test_functions_by_uri(void **state)
{
    static const struct {
        const char *uri, *function; /* NULL: none */
    } rows[] = {
        {"arn:aws:apigateway:r:lambda:path/2015-03-31/functions/"
         "arn:aws:lambda:r:1:function:f/invocations",
         "arn:aws:lambda:r:1:function:f"},
        {"arn:aws:apigateway:r:lambda:path/2015-03-31/functions/f:v/invocations", "f:v"},
        {"arn:aws:apigateway:r:lambda:path/2015-03-31/functions//invocations", NULL},
        {"arn:aws:apigateway:r:lambda:path/2015-03-31/functions/f", NULL},
        {"arn:aws:apigateway:r:sqs:path/1/q/functions/f/invocations", NULL},
        {"arn:aws:apigateway:r:lambda:action/ListFunctions", NULL},
        {"http://h/functions/f/invocations", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str got = integrate_function(str_c(rows[i].uri));
        assert_int_equal(str_is_set(got), rows[i].function != NULL);
        if (rows[i].function)
            assert_true(str_eq_c(got, rows[i].function));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),         cmocka_unit_test(test_a_damaged_stage),
        cmocka_unit_test(test_kept_answers),     cmocka_unit_test(test_kept_answers_are_bounded),
        cmocka_unit_test(test_paths_are_filled), cmocka_unit_test(test_functions_by_uri),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
