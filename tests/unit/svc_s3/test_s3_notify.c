/* Notification rules: which events they meet, which sets are refused, their record, the document.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/json.h"
#include "svc/s3/s3_int.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 1 << 22);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static void test_event_names(void **state)
{
    static const struct {
        const char *name;
        uint32_t bits;
    } rows[] = {
        {"s3:ObjectCreated:*", 1u << S3_EVENT_PUT | 1u << S3_EVENT_COPY | 1u << S3_EVENT_COMPLETE},
        {"s3:ObjectCreated:Put", 1u << S3_EVENT_PUT},
        {"s3:ObjectCreated:CompleteMultipartUpload", 1u << S3_EVENT_COMPLETE},
        {"s3:ObjectRemoved:*", 1u << S3_EVENT_DELETE | 1u << S3_EVENT_MARKER},
        {"s3:ObjectTagging:Delete", 1u << S3_EVENT_TAGS_DELETE},
        {"s3:ObjectRestore:*", 0},
        {"s3:LifecycleExpiration:Delete", 1u << S3_EVENT_EXPIRED},
        {"s3:LifecycleTransition", 0},
        {"ObjectCreated:*", 0},
        {"s3:", 0},
        {"", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (s3_event_bits(str_c(rows[i].name)) != rows[i].bits)
            fail_msg("%s", rows[i].name);
}

static struct s3_rule rule(const char *event, const char *prefix, const char *suffix)
{
    return (struct s3_rule){
        .events = s3_event_bits(str_c(event)), .prefix = str_c(prefix), .suffix = str_c(suffix)};
}

static void test_matching(void **state)
{
    static const struct {
        const char *prefix, *suffix, *key;
        bool want;
    } rows[] = {
        {NULL, NULL, "any", true},       {"in/", NULL, "in/x", true},
        {"in/", NULL, "out/x", false},   {NULL, ".csv", "a.csv", true},
        {NULL, ".csv", "a.txt", false},  {"in/", ".csv", "in/a.csv", true},
        {"in/", ".csv", "a.csv", false}, {"", "", "x", true},
        {NULL, ".CSV", "a.csv", false},  {"long", NULL, "l", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct s3_rule r = rule("s3:ObjectCreated:*", rows[i].prefix, rows[i].suffix);
        if (s3_rule_matches(&r, S3_EVENT_PUT, str_c(rows[i].key)) != rows[i].want)
            fail_msg("row %zu", i);
        assert_false(s3_rule_matches(&r, S3_EVENT_DELETE, str_c(rows[i].key)));
    }
}

static void test_overlaps(void **state)
{
    static const struct {
        const char *name;
        struct {
            const char *event, *prefix, *suffix;
        } a, b;
        bool overlap;
    } rows[] = {
        {"same event",
         {"s3:ObjectCreated:*", NULL, NULL},
         {"s3:ObjectCreated:Put", NULL, NULL},
         true},
        {"other event",
         {"s3:ObjectCreated:*", NULL, NULL},
         {"s3:ObjectRemoved:*", NULL, NULL},
         false},
        {"disjoint prefixes",
         {"s3:ObjectCreated:*", "a/", NULL},
         {"s3:ObjectCreated:*", "b/", NULL},
         false},
        {"nested prefixes",
         {"s3:ObjectCreated:*", "a/", NULL},
         {"s3:ObjectCreated:*", "a/b", NULL},
         true},
        {"disjoint suffixes",
         {"s3:ObjectCreated:*", "a/", ".x"},
         {"s3:ObjectCreated:*", "a/", ".y"},
         false},
        {"nested suffixes",
         {"s3:ObjectCreated:*", "a/", ".tar.gz"},
         {"s3:ObjectCreated:*", "a/b", ".gz"},
         true},
        {"prefix and suffix",
         {"s3:ObjectCreated:*", "a/", NULL},
         {"s3:ObjectCreated:*", NULL, ".x"},
         true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct s3_rule a = rule(rows[i].a.event, rows[i].a.prefix, rows[i].a.suffix);
        struct s3_rule b = rule(rows[i].b.event, rows[i].b.prefix, rows[i].b.suffix);
        if ((s3_rules_overlap(&a, &b) != NULL) != rows[i].overlap ||
            (s3_rules_overlap(&b, &a) != NULL) != rows[i].overlap)
            fail_msg("%s", rows[i].name);
    }
}

static void test_record(void **state)
{
    struct str name = STR("s3:ObjectCreated:*");
    struct s3_rule two[] = {
        {.kind = S3_TO_QUEUE, .id = STR("q"), .arn = STR("arn:q"), .names = {&name, 1}},
        {.id = STR("f"),
         .arn = STR("arn:f"),
         .names = {&name, 1},
         .prefix = STR("p"),
         .suffix = STR("")},
    };
    struct s3_rules rules = {two, 2}, back;
    struct str b;
    assert_int_equal(record_make(&s3_rules_type, &arena, &rules, &b), ERR_OK);
    assert_int_equal(record_unpack(&s3_rules_type, &arena, b, &back), ERR_OK);
    s3_rules_bits(&back);
    assert_int_equal(back.n, 2);
    assert_true(back.v[0].kind == S3_TO_QUEUE && back.v[1].kind == S3_TO_FUNCTION);
    assert_int_equal(back.v[0].events, s3_event_bits(name));
    assert_false(str_is_set(back.v[0].prefix));
    assert_true(str_is_set(back.v[1].suffix) && str_empty(back.v[1].suffix));
    for (size_t cut = 0; cut < b.len; cut++)
        assert_int_equal(record_unpack(&s3_rules_type, &arena, str_n(b.p, cut), &back),
                         ERR_CORRUPT);
}

static void test_document(void **state)
{
    struct core core = {.cfg = {.host_id = STR("HOST")}};
    struct principal who = {.user_id = STR("AIDA1")};
    struct txn txn = {.wall_ms = 1700000000123, .arena = &arena};
    struct call call = {.arena = &arena,
                        .txn = &txn,
                        .core = &core,
                        .region = STR("eu-west-1"),
                        .account = STR("000000000000"),
                        .partition = STR("aws"),
                        .who = &who,
                        .source_ip = STR("127.0.0.1"),
                        .request_id = STR("REQ")};
    struct s3_rule r = {.id = STR("rule \"1\"")};
    struct s3_happening h = {.event = S3_EVENT_PUT,
                             .key = STR("in/a b+\xc3\xbc.csv"),
                             .etag = STR("abc"),
                             .size = 42,
                             .seq = 0x18bcfe56800ull};
    struct buf b;
    buf_init_arena(&b, &arena, 10000);
    s3_event_json(&b, &call, STR("bkt"), &r, &h);
    assert_true(str_find_str(buf_str(&b), STR("\"key\":\"in/a+b%2B%C3%BC.csv\",\"size\":42,"
                                              "\"eTag\":\"abc\",\"sequencer\":\"")) != SIZE_MAX);
    struct json *doc;
    assert_int_equal(json_parse(&arena, buf_str(&b), &doc, NULL), ERR_OK);
    const struct json *rec = json_get(doc, STR("Records"))->child;
    const struct json *s3 = json_get(rec, STR("s3"));
    const struct json *object = json_get(s3, STR("object"));
    assert_true(str_eq_c(json_get_str(rec, STR("eventName")), "ObjectCreated:Put"));
    assert_true(str_eq_c(json_get_str(rec, STR("eventTime")), "2023-11-14T22:13:20.123Z"));
    assert_true(str_eq_c(json_get_str(rec, STR("awsRegion")), "eu-west-1"));
    assert_true(str_eq_c(json_get_str(s3, STR("configurationId")), "rule \"1\""));
    assert_true(
        str_eq_c(json_get_str(json_get(s3, STR("bucket")), STR("arn")), "arn:aws:s3:::bkt"));
    assert_true(str_eq_c(json_get_str(json_get(rec, STR("userIdentity")), STR("principalId")),
                         "AWS:AIDA1"));
    assert_null(json_get(object, STR("versionId")));
    assert_int_equal(json_get_str(object, STR("sequencer")).len, 18);
}

static void test_policy_questions(void **state)
{
    static const struct {
        const char *name, *json;
        bool open;
    } rows[] = {
        {"account", "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"1\"}}}", false},
        {"everyone", "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\"}]}", true},
        {"everyone as list",
         "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"1\",\"*\"]}}]}", true},
        {"deny everyone", "{\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\"}]}", false},
        {"fixed source",
         "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Condition\":{"
         "\"StringEquals\":"
         "{\"aws:SourceAccount\":\"1\"}}}]}",
         false},
        {"negated condition",
         "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Condition\":{"
         "\"StringNotEquals\":{\"aws:SourceAccount\":\"1\"}}}]}",
         true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool open;
        assert_int_equal(s3_policy_public(&arena, str_c(rows[i].json), &open), ERR_OK);
        if (open != rows[i].open)
            fail_msg("%s", rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_event_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_matching, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overlaps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_record, setup, teardown),
        cmocka_unit_test_setup_teardown(test_document, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy_questions, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
