/* Policies as they are stored: the keys that they ask for, and principals replaced in their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/policy.h"
#include "base/buf.h"

#define TEN "0123456789"
#define STATEMENT(principal)                                                                       \
    "{ \"Effect\":\"Allow\",  \"Principal\":" principal                                            \
    ", \"Action\":\"sqs:*\",\"Resource\":\"*\" }"

static enum err to_id(void *arg, struct str text, struct str *ret_text)
{
    (*(int *)arg)++;
    *ret_text = text;
    if (str_eq_c(text, "bob"))
        *ret_text = STR("AIDABOB");
    else if (str_eq_c(text, "r\"x"))
        *ret_text = STR("a \"quoted\" id");
    return str_eq_c(text, "nobody") ? ERR_DENIED : ERR_OK;
}

static const struct {
    const char *name, *json, *want;
    int calls;
    enum err err;
} mappings[] = {
    {"one", "{\"Statement\":[" STATEMENT("{\"AWS\":\"bob\"}") "]}",
     "{\"Statement\":[" STATEMENT("{\"AWS\":\"AIDABOB\"}") "]}", 1, ERR_OK},
    {"statement without a list", " {\"Statement\": " STATEMENT("{\"AWS\" : \"bob\"}") "} ",
     " {\"Statement\": " STATEMENT("{\"AWS\" : \"AIDABOB\"}") "} ", 1, ERR_OK},
    {"list", "{\"Statement\":[" STATEMENT("{\"AWS\":[\"eve\", \"bob\",\"bob\"]}") "]}",
     "{\"Statement\":[" STATEMENT("{\"AWS\":[\"eve\", \"AIDABOB\",\"AIDABOB\"]}") "]}", 3, ERR_OK},
    {"two statements",
     "{\"Statement\":[" STATEMENT("{\"AWS\":\"bob\"}") "," STATEMENT("{\"AWS\":\"bob\"}") "]}",
     "{\"Statement\":[" STATEMENT("{\"AWS\":\"AIDABOB\"}") "," STATEMENT(
         "{\"AWS\":\"AIDABOB\"}") "]}",
     2, ERR_OK},
    {"not principal", "{\"Statement\":{\"NotPrincipal\":{\"AWS\":\"bob\"}}}",
     "{\"Statement\":{\"NotPrincipal\":{\"AWS\":\"AIDABOB\"}}}", 1, ERR_OK},
    {"elsewhere",
     "{\"Id\":\"bob\",\"Statement\":{\"Sid\":\"bob\",\"Principal\":{\"Service\":\"bob\"}}}", NULL,
     0, ERR_OK},
    {"anyone", "{\"Statement\":{\"Principal\":\"*\"}}", NULL, 0, ERR_OK},
    {"nothing to replace", "{\"Statement\":{\"Principal\":{\"AWS\":[\"eve\"]}}}", NULL, 1, ERR_OK},
    {"empty text", "{\"Statement\":{\"Principal\":{\"AWS\":\"\"}}}", NULL, 1, ERR_OK},
    {"with escapes", "{ \"Statement\":{\"Principal\":{\"AWS\":\"b\\u006fb\"}}}",
     "{\"Statement\":{\"Principal\":{\"AWS\":\"AIDABOB\"}}}", 2, ERR_OK},
    {"a text that needs escapes", "{\"Statement\":{\"Principal\":{\"AWS\":\"r\\\"x\"}}}", NULL, 2,
     ERR_INVALID},
    {"refused", "{\"Statement\":{\"Principal\":{\"AWS\":[\"nobody\",\"bob\"]}}}", NULL, 1,
     ERR_DENIED},
    {"no JSON", "{\"Statement\":", NULL, 0, ERR_INVALID},
    {"no statement", "{}", NULL, 0, ERR_OK},
    {"numbers", "{\"Statement\":[1,{\"Principal\":{\"AWS\":1}}]}", NULL, 0, ERR_OK},
};

static void test_principals(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mappings); i++) {
        struct arena a;
        struct str got = STR_NONE;
        int calls = 0;
        arena_init(&a, 1 << 20);
        enum err err = policy_map_principals(&a, str_c(mappings[i].json), to_id, &calls,
                                             POLICY_TEXT_MAX, &got);
        struct str want = str_c(mappings[i].want ? mappings[i].want : mappings[i].json);
        if (err != mappings[i].err || calls != mappings[i].calls ||
            (err == ERR_OK && !str_eq(got, want)))
            fail_msg("%s: %d, %d calls, " STR_FMT, mappings[i].name, (int)err, calls, STR_ARG(got));
        arena_release(&a);
    }
}

/* The given limit is that of the result, whatever the document's own. */
static void test_result_is_limited(void **state)
{
    static const char doc[] = "{\"Statement\":{\"Principal\":{\"AWS\":[\"bob\",\"bob\"]}}}";
    static const size_t grown = sizeof(doc) - 1 + 2 * (sizeof("AIDABOB") - sizeof("bob"));
    struct arena a;
    struct str got;
    int calls = 0;
    (void)state;
    arena_init(&a, 1 << 20);
    assert_int_equal(policy_map_principals(&a, str_c(doc), to_id, &calls, grown, &got), ERR_OK);
    assert_int_equal(got.len, grown);
    assert_int_equal(policy_map_principals(&a, str_c(doc), to_id, &calls, grown - 1, &got),
                     ERR_LIMIT);
    arena_release(&a);
}

static void test_ids(void **state)
{
    static const struct {
        const char *text;
        bool is;
    } rows[] = {
        {"AIDABOBBOBBOBBOBBOB2", true},
        {"AROABOBBOBBOBBOBBOB2", true},
        {"AROABOBBOBBOBBOBBOB2:se", true},
        {"AROABOBBOBBOBBOBBOB2:aZ09_+=,.@-", true},
        {"AROABOBBOBBOBBOBBOB2:" TEN TEN TEN TEN TEN TEN "0123", true},
        {"AROABOBBOBBOBBOBBOB2:" TEN TEN TEN TEN TEN TEN "01234", false},
        {"AROABOBBOBBOBBOBBOB2:s", false},
        {"AROABOBBOBBOBBOBBOB2:a\"b", false},
        {"AROABOBBOBBOBBOBBOB2:a\\b", false},
        {"AROABOBBOBBOBBOBBOB2:a/b", false},
        {"AROABOBBOBBOBBOBBOB2:a:b", false},
        {"AROABOBBOBBOBBOBBOB2:*", false},
        {"AROABOBBOBBOBBOBBOB2:", false},
        {"AIDABOBBOBBOBBOBBOB2:se", false},
        {"AIDABOBBOBBOBBOBBOb2", false},
        {"AIDA", false},
        {"AKIABOBBOBBOBBOBBOB2", false},
        {"", false},
        {"*", false},
        {"arn:aws:iam::111122223333:user/bob", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (policy_is_id(str_c(rows[i].text)) != rows[i].is)
            fail_msg("%s", rows[i].text);
}

struct seen {
    struct buf b;
    struct str stop;
};

static enum err see(void *arg, struct str key)
{
    struct seen *s = arg;
    buf_add_str(&s->b, key);
    buf_add_byte(&s->b, ' ');
    return str_eq(key, s->stop) ? ERR_EXISTS : ERR_OK;
}

static void test_keys(void **state)
{
    static const char doc[] =
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\","
        "\"Resource\":[\"arn:aws:s3:::${a:one}/${a:two}\",\"*\"],\"Condition\":{"
        "\"StringEquals\":{\"b:one\":[\"x\",\"${b:two}\"]},\"NumericLessThan\":{\"c:one\":\"1\"}}},"
        "{\"Effect\":\"Deny\",\"Action\":\"*\",\"NotResource\":\"arn:aws:s3:::${d:one}\"}]}";
    struct arena a;
    struct policy *p;
    struct seen s = {.stop = STR("d:one")};
    (void)state;
    arena_init(&a, 1 << 20);
    buf_init_arena(&s.b, &a, 1024);
    assert_int_equal(policy_parse(&a, POLICY_IDENTITY, str_c(doc), NULL, &p), ERR_OK);
    assert_int_equal(policy_each_key(p, see, &s), ERR_EXISTS);
    assert_true(str_eq_c(buf_str(&s.b), "a:one a:two b:one b:two c:one d:one "));
    arena_release(&a);
}

/* --- keys made late --------------------------------------------------------------------------- */

struct order {
    struct buf b;
};

static enum err fill_all(struct policy_context *ctx, void *arg)
{
    buf_add_byte(&((struct order *)arg)->b, 'a');
    policy_context_add(ctx, STR("x:y"), STR("1"));
    return ERR_OK;
}

static enum err fill_tags(struct policy_context *ctx, void *arg)
{
    buf_add_byte(&((struct order *)arg)->b, 't');
    policy_context_add(ctx, STR("x:Tag/k"), STR("1"));
    return ERR_OK;
}

static void test_late(void **state)
{
    struct arena a;
    struct policy_context ctx;
    struct order o;
    (void)state;
    arena_init(&a, 1 << 20);
    buf_init_arena(&o.b, &a, 64);
    policy_context_init(&ctx, &a);
    policy_context_late(&ctx, STR(""), fill_all, &o);
    policy_context_late(&ctx, STR(":Tag/"), fill_tags, &o);
    policy_context_late(&ctx, STR(":None/"), NULL, NULL);
    assert_non_null(policy_context_find(&ctx, STR("x:tag/K")));
    assert_true(str_eq_c(buf_str(&o.b), "at"));
    assert_non_null(policy_context_find(&ctx, STR("x:y")));
    assert_null(policy_context_find(&ctx, STR("x:None/z")));
    assert_true(str_eq_c(buf_str(&o.b), "at"));
    policy_context_late(&ctx, STR(":Tag/"), fill_tags, &o); /* of another resource */
    assert_non_null(policy_context_find(&ctx, STR("x:y")));
    assert_true(str_eq_c(buf_str(&o.b), "at"));
    assert_int_equal(policy_context_find(&ctx, STR("x:Tag/k"))->n, 2);
    assert_true(str_eq_c(buf_str(&o.b), "att"));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_principals), cmocka_unit_test(test_result_is_limited),
        cmocka_unit_test(test_ids),        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
