/* Rules and digests of messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "svc/sqs/sqs_int.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

/* The values were computed with an independent implementation. */
static void test_md5(void **state)
{
    static const struct {
        struct sqs_attr attrs[2];
        size_t n;
        const char *want;
    } rows[] = {
        {{{STR_INIT("timestamp"), STR_INIT("Number"), STR_INIT("1493147359900")}},
         1,
         "235c5c510d26fb653d073faed50ae77c"},
        {{{STR_INIT("timestamp"), STR_INIT("Number.java.lang.Long"), STR_INIT("1493147359900")}},
         1,
         "2e2e4876d8e0bd6b8c2c8f556831c349"},
        {{{STR_INIT("a"), STR_INIT("String"), STR_INIT("x")},
          {STR_INIT("b"), STR_INIT("Binary"), STR_INIT("\0\xff")}},
         2,
         "c4ec7d55335539420ccc7ec70efeb4a1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_true(str_eq_c(sqs_attrs_md5(&arena, rows[i].attrs, rows[i].n), rows[i].want));
    assert_false(str_is_set(sqs_attrs_md5(&arena, NULL, 0)));
}

static void test_text(void **state)
{
    static const struct {
        struct str s;
        bool want;
    } rows[] = {
        {STR_INIT("a\t\r\n"), true},       {STR_INIT("\xc3\xa9\xf0\x9f\x98\x80"), true},
        {STR_INIT("a\0"), false},          {STR_INIT("\x0b"), false},
        {STR_INIT("\x1f"), false},         {STR_INIT("\xff"), false},
        {STR_INIT("\xed\xa0\x80"), false}, {STR_INIT("\xef\xbf\xbe"), false},
        {STR_INIT("\xef\xbf\xbf"), false}, {STR_INIT("\xef\xbf\xbd"), true},
        {STR_INIT("\x7f"), true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(sqs_text_ok(rows[i].s), rows[i].want);
}

static struct sqs_config config(bool fifo)
{
    struct sqs_config c;
    sqs_config_init(&c, 0);
    c.fifo = fifo;
    return c;
}

/* Size: body, and names, types and values of attributes; at the limit and one past it. */
static void test_size(void **state)
{
    struct sqs_config c = config(false);
    c.size_max = 1024;
    char body[1025];
    memset(body, 'x', sizeof(body));
    struct sqs_message_body_attribute_map_entry e = {
        .key = STR("n"), .value = {.data_type = STR("String"), .string_value = STR("v")}};
    struct sqs_message_body_attribute_map attrs = {&e, 1};
    for (int with = 0; with < 2; with++) {
        size_t extra = with ? 1 + 6 + 1 : 0;
        struct sqs_checked checked;
        struct fault f;
        struct sqs_draft d = {.body = str_n(body, 1024 - extra),
                              .attributes = with ? &attrs : NULL};
        assert_int_equal(sqs_message_check(&arena, &c, &d, &checked, &f), ERR_OK);
        assert_int_equal(checked.size, 1024);
        d.body.len++;
        assert_int_equal(sqs_message_check(&arena, &c, &d, &checked, &f), ERR_FAILED);
        assert_ptr_equal(f.error, &sqs_err_invalid_parameter_value);
    }
}

static void test_attributes(void **state)
{
    char long_name[257];
    memset(long_name, 'n', sizeof(long_name));
    const struct {
        const char *what;
        struct str name;
        struct sqs_message_attribute_value v;
        const struct wire_error *want; /* NULL: fine */
    } rows[] = {
        {"string", STR("a.b-c_9"), {.data_type = STR("String"), .string_value = STR("x")}, NULL},
        {"custom", STR("a"), {.data_type = STR("String.x.y"), .string_value = STR("x")}, NULL},
        {"number", STR("a"), {.data_type = STR("Number"), .string_value = STR("-1.5e3")}, NULL},
        {"binary", STR("a"), {.data_type = STR("Binary.png"), .binary_value = STR("\0")}, NULL},
        {"longest name",
         str_n(long_name, 256),
         {.data_type = STR("String"), .string_value = STR("x")},
         NULL},
        {"too long",
         str_n(long_name, 257),
         {.data_type = STR("String"), .string_value = STR("x")},
         &sqs_err_invalid_parameter_value},
        {"empty name",
         STR(""),
         {.data_type = STR("String"), .string_value = STR("x")},
         &sqs_err_invalid_parameter_value},
        {"reserved",
         STR("aws.x"),
         {.data_type = STR("String"), .string_value = STR("x")},
         &sqs_err_invalid_parameter_value},
        {"reserved",
         STR("Amazon.x"),
         {.data_type = STR("String"), .string_value = STR("x")},
         &sqs_err_invalid_parameter_value},
        {"dots",
         STR("a..b"),
         {.data_type = STR("String"), .string_value = STR("x")},
         &sqs_err_invalid_parameter_value},
        {"dot first",
         STR(".a"),
         {.data_type = STR("String"), .string_value = STR("x")},
         &sqs_err_invalid_parameter_value},
        {"dot last",
         STR("a."),
         {.data_type = STR("String"), .string_value = STR("x")},
         &sqs_err_invalid_parameter_value},
        {"space",
         STR("a b"),
         {.data_type = STR("String"), .string_value = STR("x")},
         &sqs_err_invalid_parameter_value},
        {"no type", STR("a"), {.string_value = STR("x")}, &sqs_err_invalid_parameter_value},
        {"odd type",
         STR("a"),
         {.data_type = STR("Strings"), .string_value = STR("x")},
         &sqs_err_invalid_parameter_value},
        {"type ends in dot",
         STR("a"),
         {.data_type = STR("String."), .string_value = STR("x")},
         &sqs_err_invalid_parameter_value},
        {"no value", STR("a"), {.data_type = STR("String")}, &sqs_err_invalid_parameter_value},
        {"empty value",
         STR("a"),
         {.data_type = STR("String"), .string_value = STR("")},
         &sqs_err_invalid_parameter_value},
        {"wrong kind",
         STR("a"),
         {.data_type = STR("Binary"), .string_value = STR("x")},
         &sqs_err_invalid_parameter_value},
        {"not a number",
         STR("a"),
         {.data_type = STR("Number"), .string_value = STR("1x")},
         &sqs_err_invalid_parameter_value},
        {"control character",
         STR("a"),
         {.data_type = STR("String"), .string_value = STR("\x01")},
         &sqs_err_invalid_parameter_value},
        {"list",
         STR("a"),
         {.data_type = STR("String"), .string_list_values = {.v = &STR_NONE, .n = 1}},
         &sqs_err_unsupported_operation},
    };
    struct sqs_config c = config(false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sqs_message_body_attribute_map_entry e = {.key = rows[i].name, .value = rows[i].v};
        struct sqs_message_body_attribute_map attrs = {&e, 1};
        struct sqs_draft d = {.body = STR("b"), .attributes = &attrs};
        struct sqs_checked checked;
        struct fault f = {0};
        enum err err = sqs_message_check(&arena, &c, &d, &checked, &f);
        if (err != (rows[i].want ? ERR_FAILED : ERR_OK) || f.error != rows[i].want)
            fail_msg("%s: %s", rows[i].what, err_name(err));
    }
}

static void test_fifo(void **state)
{
    char long_id[129];
    memset(long_id, 'i', sizeof(long_id));
    const struct {
        const char *what;
        bool fifo, content;
        struct str group, dedup;
        bool has_delay;
        bool ok;
    } rows[] = {
        {"standard", false, false, STR_NONE, STR_NONE, true, true},
        {"standard with group", false, false, STR("g"), STR_NONE, false, true},
        {"standard with id", false, false, STR_NONE, STR("d"), false, false},
        {"both given", true, false, STR("g"), STR("d"), false, true},
        {"no group", true, true, STR_NONE, STR("d"), false, false},
        {"no id", true, false, STR("g"), STR_NONE, false, false},
        {"id from content", true, true, STR("g"), STR_NONE, false, true},
        {"own delay", true, true, STR("g"), STR_NONE, true, false},
        {"empty group", true, true, STR(""), STR_NONE, false, false},
        {"space in group", true, true, STR("a b"), STR_NONE, false, false},
        {"longest id", true, false, STR("g"), str_n(long_id, 128), false, true},
        {"too long", true, false, STR("g"), str_n(long_id, 129), false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sqs_config c = config(rows[i].fifo);
        c.content_dedup = rows[i].content;
        struct sqs_draft d = {.body = STR("b"),
                              .group = rows[i].group,
                              .dedup = rows[i].dedup,
                              .has_delay = rows[i].has_delay,
                              .delay_s = 5};
        struct sqs_checked checked;
        struct fault f = {0};
        enum err err = sqs_message_check(&arena, &c, &d, &checked, &f);
        if (err != (rows[i].ok ? ERR_OK : ERR_FAILED))
            fail_msg("%s: %s", rows[i].what, err_name(err));
        if (rows[i].ok && rows[i].fifo)
            assert_true(str_is_set(checked.body.dedup));
    }
}

static void test_names(void **state)
{
    static const struct {
        struct str url;
        const char *account, *name; /* NULL: refused */
    } rows[] = {
        {STR_INIT("http://127.0.0.1:4566/000000000000/q"), "000000000000", "q"},
        {STR_INIT("https://sqs.eu-west-1.amazonaws.com/1/q.fifo"), "1", "q.fifo"},
        {STR_INIT("http://eu-west-1.queue.localhost:4566/1/q"), "1", "q"},
        {STR_INIT("http://127.0.0.1:4566/1/q/"), NULL, NULL},
        {STR_INIT("/1/q"), "1", "q"},
        {STR_INIT("1/q"), "1", "q"},
        {STR_INIT("q"), NULL, "q"}, /* the caller's */
        {STR_INIT(""), NULL, NULL},
        {STR_INIT("///"), NULL, NULL},
        {STR_INIT("/q"), NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str account, name;
        enum err err = sqs_url_parse(rows[i].url, &account, &name);
        assert_int_equal(err, rows[i].name ? ERR_OK : ERR_INVALID);
        if (!rows[i].name)
            continue;
        assert_true(str_eq_c(name, rows[i].name));
        assert_int_equal(str_is_set(account), rows[i].account != NULL);
        assert_true(!rows[i].account || str_eq_c(account, rows[i].account));
    }
    struct key_scope scope;
    struct str name;
    assert_int_equal(sqs_arn_parse(STR("arn:aws:sqs:eu-west-1:000000000001:q"), &scope, &name),
                     ERR_OK);
    assert_true(str_eq_c(scope.region, "eu-west-1") && str_eq_c(scope.account, "000000000001") &&
                str_eq_c(name, "q"));
    static const char *const bad[] = {"",
                                      "q",
                                      "arn:aws:sns:r:000000000001:q",
                                      "arn:aws:sqs:r:000000000001:",
                                      "arn:aws:sqs:r:000000000001:q:x",
                                      "arn:aws:sqs:r:000000000001:q/x"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(sqs_arn_parse(str_c(bad[i]), &scope, &name), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_md5, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_size, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attributes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fifo, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
