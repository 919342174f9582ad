/* Documents of the API, items of the raw table, events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "quote.h"

enum { ARENA_BYTES = 16 << 20, OUT_MAX = 4 << 20 };
#define NOON 1764331200000 /* 2025-11-28T12:00:00Z */

#define MIN_QUOTE "\"_id\":\"a\",\"content\":\"b\""

static void test_documents(void **state)
{
    static const struct {
        const char *name, *document, *want; /* item of the first quote; or !sentence */
    } rows[] = {
        {"all members",
         "{\"_id\":\"i\",\"content\":\"To "
         "be\",\"author\":\"W\",\"authorSlug\":\"w\",\"tags\":[\"a\",\"b"
         "\"],\"length\":5,\"dateAdded\":\"2023-04-14\",\"dateModified\":\"2023-04-15\",\"other\":{"
         "}}",
         "{\"ingested_date\":{\"S\":\"2025-11-28\"},\"ingested_at\":{\"S\":\"2025-11-28T12:00:00."
         "000Z\"},"
         "\"quote_id\":{\"S\":\"i\"},\"quote\":{\"S\":\"To "
         "be\"},\"author\":{\"S\":\"W\"},\"author_slug\":{"
         "\"S\":\"w\"},\"added_on\":{\"S\":\"2023-04-14\"},\"modified_on\":{\"S\":\"2023-04-15\"},"
         "\"tags\":{"
         "\"L\":[{\"S\":\"a\"},{\"S\":\"b\"}]},\"quote_length\":{\"N\":\"5\"}}"},
        {"only what is needed, in a list", "[{" MIN_QUOTE "}]",
         "{\"ingested_date\":{\"S\":\"2025-11-28\"},\"ingested_at\":{\"S\":\"2025-11-28T12:00:00."
         "000Z\"},"
         "\"quote_id\":{\"S\":\"a\"},\"quote\":{\"S\":\"b\"}}"},
        {"nulls and empty texts are nothing",
         "{" MIN_QUOTE ",\"author\":null,\"authorSlug\":\"\",\"tags\":null,\"length\":null}",
         "{\"ingested_date\":{\"S\":\"2025-11-28\"},\"ingested_at\":{\"S\":\"2025-11-28T12:00:00."
         "000Z\"},"
         "\"quote_id\":{\"S\":\"a\"},\"quote\":{\"S\":\"b\"}}"},
        {"no tags, length nought", "{" MIN_QUOTE ",\"tags\":[],\"length\":0}",
         "{\"ingested_date\":{\"S\":\"2025-11-28\"},\"ingested_at\":{\"S\":\"2025-11-28T12:00:00."
         "000Z\"},"
         "\"quote_id\":{\"S\":\"a\"},\"quote\":{\"S\":\"b\"},\"quote_length\":{\"N\":\"0\"}}"},
        {"not JSON", "{\"_id\"", "!it is not JSON, from byte 6 on"},
        {"nothing", "", "!it is not JSON, from byte 0 on"},
        {"a text", "\"x\"", "!quote 1: it is not an object"},
        {"the second", "[{" MIN_QUOTE "},7]", "!quote 2: it is not an object"},
        {"no id", "{\"content\":\"b\"}", "!quote 1: _id is missing"},
        {"empty id", "{\"_id\":\"\",\"content\":\"b\"}", "!quote 1: _id is missing"},
        {"no text", "{\"_id\":\"a\",\"content\":null}", "!quote 1: content is missing"},
        {"a number for a text", "{" MIN_QUOTE ",\"author\":7}", "!quote 1: author is not text"},
        {"control character", "{\"_id\":\"a\",\"content\":\"b\\u001f\"}",
         "!quote 1: content has a control character"},
        {"DEL", "{\"_id\":\"a\",\"content\":\"b\\u007f\"}",
         "!quote 1: content has a control character"},
        {"tags that are text", "{" MIN_QUOTE ",\"tags\":\"a\"}", "!quote 1: tags is not a list"},
        {"a tag that is none", "{" MIN_QUOTE ",\"tags\":[null]}", "!quote 1: tags is not text"},
        {"a tag with a control character", "{" MIN_QUOTE ",\"tags\":[\"a\\u0000\"]}",
         "!quote 1: tags has a control character"},
        {"length below nought", "{" MIN_QUOTE ",\"length\":-1}", "!quote 1: length is no length"},
        {"length of a part", "{" MIN_QUOTE ",\"length\":1.5}", "!quote 1: length is no length"},
        {"length too large", "{" MIN_QUOTE ",\"length\":1000001}", "!quote 1: length is no length"},
        {"length as text", "{" MIN_QUOTE ",\"length\":\"5\"}", "!quote 1: length is no length"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct buf b;
        struct json_out o;
        struct quote *quotes = NULL;
        struct str why = STR_NONE;
        size_t n = 0;
        arena_init(&a, ARENA_BYTES);
        buf_init_arena(&b, &a, OUT_MAX);
        json_out_init(&o, &b);
        enum err err = quotes_read(&a, str_c(rows[i].document), &quotes, &n, &why);
        if (err == ERR_OK)
            quote_put_item(&o, &quotes[0], 0, NOON);
        else
            buf_add_fmt(&b, "!" STR_FMT, STR_ARG(why));
        if (!str_eq_c(buf_str(&b), rows[i].want))
            fail_msg("%s: " STR_FMT, rows[i].name, STR_ARG(buf_str(&b)));
        arena_release(&a);
    }
}

static void test_an_empty_list(void **state)
{
    struct arena a;
    struct quote *quotes = NULL;
    struct str why = STR_NONE;
    size_t n = 7;
    arena_init(&a, ARENA_BYTES);
    assert_int_equal(quotes_read(&a, STR("[]"), &quotes, &n, &why), ERR_OK);
    assert_int_equal(n, 0);
    arena_release(&a);
}

/* A document of `n` quotes whose text has `len` bytes and that have `tags` tags. */
static enum err read_many(struct arena *a, size_t n, size_t len, size_t tags)
{
    struct buf b;
    struct quote *quotes = NULL;
    struct str why = STR_NONE;
    size_t got = 0;
    buf_init_arena(&b, a, OUT_MAX);
    for (size_t i = 0; i < n; i++) {
        buf_add_c(&b, i ? ",{\"_id\":\"x\",\"content\":\"" : "[{\"_id\":\"x\",\"content\":\"");
        for (size_t c = 0; c < len; c++)
            buf_add_byte(&b, 'x');
        buf_add_c(&b, "\",\"tags\":[");
        for (size_t t = 0; t < tags; t++)
            buf_add_c(&b, t ? ",\"t\"" : "\"t\"");
        buf_add_c(&b, "]}");
    }
    buf_add_byte(&b, ']');
    enum err err = quotes_read(a, buf_str(&b), &quotes, &got, &why);
    if (err == ERR_OK)
        assert_int_equal(got, n);
    return err;
}

static void test_limits(void **state)
{
    struct arena a;
    arena_init(&a, ARENA_BYTES);
    assert_int_equal(read_many(&a, QUOTES_MAX, 10, 1), ERR_OK);
    assert_int_equal(read_many(&a, QUOTES_MAX + 1, 10, 1), ERR_INVALID);
    assert_int_equal(read_many(&a, 1, QUOTE_TEXT_MAX, 1), ERR_OK);
    assert_int_equal(read_many(&a, 1, QUOTE_TEXT_MAX + 1, 1), ERR_INVALID);
    assert_int_equal(read_many(&a, 1, 10, QUOTE_TAGS_MAX), ERR_OK);
    assert_int_equal(read_many(&a, 1, 10, QUOTE_TAGS_MAX + 1), ERR_INVALID);
    arena_release(&a);
}

static void test_keys_of_a_list(void **state)
{
    struct arena a;
    struct quote q = {.id = STR("i"), .text = STR("t"), .length = -1}, back;
    struct buf b;
    struct json_out o;
    struct json *item = NULL;
    struct str at;
    arena_init(&a, ARENA_BYTES);
    buf_init_arena(&b, &a, OUT_MAX);
    json_out_init(&o, &b);
    quote_put_item(&o, &q, 99, NOON + 7);
    assert_int_equal(json_parse(&a, buf_str(&b), &item, NULL), ERR_OK);
    assert_int_equal(quote_of_item(item, &back, &at), ERR_OK);
    assert_true(str_eq_c(at, "2025-11-28T12:00:00.106Z"));
    assert_true(str_eq_c(back.id, "i") && back.length == -1 && !str_is_set(back.author));
    arena_release(&a);
}

static void test_items_that_are_none(void **state)
{
    static const char *const rows[] = {
        "{}",
        "[]",
        "{\"ingested_at\":{\"S\":\"x\"},\"quote_id\":{\"S\":\"i\"}}",
        "{\"quote_id\":{\"S\":\"i\"},\"quote\":{\"S\":\"q\"}}",
        "{\"ingested_at\":{\"S\":\"x\"},\"quote_id\":{\"N\":\"1\"},\"quote\":{\"S\":\"q\"}}",
        "{\"ingested_at\":{\"S\":\"x\"},\"quote_id\":{\"S\":\"i\"},\"quote\":{\"S\":\"q\"},"
        "\"tags\":{\"L\":[{"
        "\"N\":\"1\"}]}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct json *item = NULL;
        struct quote q;
        struct str at;
        arena_init(&a, ARENA_BYTES);
        assert_int_equal(json_parse(&a, str_c(rows[i]), &item, NULL), ERR_OK);
        assert_int_equal(quote_of_item(item, &q, &at), ERR_INVALID);
        arena_release(&a);
    }
}

static void test_events(void **state)
{
    static const struct {
        const char *event;
        int64_t time;     /* -1: it is none */
        const char *date; /* NULL: it is none */
    } rows[] = {
        {"{}", NOON, "2025-11-27"},
        {"null", NOON, "2025-11-27"},
        {"{\"time\":\"2026-03-01T00:00:30Z\"}", 1772323230000, "2026-02-28"},
        {"{\"time\":\"2024-03-01T23:59:59.999Z\"}", 1709337599999, "2024-02-29"},
        {"{\"time\":\"yesterday\"}", -1, NULL},
        {"{\"time\":7}", -1, NULL},
        {"{\"date\":\"2024-02-29\"}", NOON, "2024-02-29"},
        {"{\"date\":\"2026-11-28\",\"time\":\"2020-01-01T00:00:00Z\"}", 1577836800000,
         "2026-11-28"},
        {"{\"date\":\"2026-13-01\"}", NOON, NULL},
        {"{\"date\":\"2026-1-01x\"}", NOON, NULL},
        {"{\"date\":\"2026-11-2\"}", NOON, NULL},
        {"{\"date\":\"2026-11-28T\"}", NOON, NULL},
        {"{\"date\":20261128}", NOON, NULL},
        {"{\"date\":\"2026-1\\u0000-01\"}", NOON, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct json *event = NULL;
        int64_t at = -1;
        char date[QUOTES_DATE_LEN + 1];
        arena_init(&a, ARENA_BYTES);
        assert_int_equal(json_parse(&a, str_c(rows[i].event), &event, NULL), ERR_OK);
        enum err err = event_time(event, NOON, &at);
        assert_int_equal(err, rows[i].time < 0 ? ERR_INVALID : ERR_OK);
        if (at != rows[i].time)
            fail_msg("%s: %lld", rows[i].event, (long long)at);
        err = event_date(event, NOON, date);
        if ((err == ERR_OK) != (rows[i].date != NULL))
            fail_msg("%s: %s", rows[i].event, err_name(err));
        if (rows[i].date)
            assert_string_equal(date, rows[i].date);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_an_empty_list),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_keys_of_a_list),
        cmocka_unit_test(test_items_that_are_none),
        cmocka_unit_test(test_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
