/* Every condition operator, with and without IfExists and the set operators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/policy.h"

/* `context` is "key=value;key=value"; `cond` the Condition block; want: does the Allow match. */
static const struct {
    const char *cond;
    const char *context;
    bool want;
} rows[] = {
    {"'StringEquals':{'a:k':'v'}", "a:k=v", true},
    {"'StringEquals':{'a:k':'v'}", "A:K=v", true},
    {"'StringEquals':{'a:k':'v'}", "a:k=V", false},
    {"'StringEquals':{'a:k':'v*'}", "a:k=vx", false},
    {"'StringEquals':{'a:k':['u','v']}", "a:k=v", true},
    {"'StringEquals':{'a:k':'v'}", "", false},
    {"'StringEquals':{'a:k':[]}", "a:k=v", false},
    {"'StringEqualsIfExists':{'a:k':'v'}", "", true},
    {"'StringEqualsIfExists':{'a:k':'v'}", "a:k=w", false},
    {"'StringNotEquals':{'a:k':'v'}", "a:k=w", true},
    {"'StringNotEquals':{'a:k':'v'}", "a:k=v", false},
    {"'StringNotEquals':{'a:k':['v','w']}", "a:k=w", false},
    {"'StringNotEquals':{'a:k':'v'}", "", true},
    {"'StringEqualsIgnoreCase':{'a:k':'vAl'}", "a:k=VaL", true},
    {"'StringNotEqualsIgnoreCase':{'a:k':'vAl'}", "a:k=VaL", false},
    {"'StringLike':{'a:k':'v*x?'}", "a:k=v12xy", true},
    {"'StringLike':{'a:k':'v*x?'}", "a:k=v12x", false},
    {"'StringNotLike':{'a:k':'v*'}", "a:k=v12x", false},
    {"'StringLike':{'a:k':'${*}x'}", "a:k=*x", true},
    {"'StringLike':{'a:k':'${*}x'}", "a:k=yx", false},
    {"'StringLike':{'a:k':'${$}${?}'}", "a:k=$?", true},
    {"'StringEquals':{'a:k':'${a:u}/z'}", "a:k=bob/z;a:u=bob", true},
    {"'StringLike':{'a:k':'${a:u}/z'}", "a:k=bob/z;a:u=*", false},
    {"'StringEquals':{'a:k':'${a:u}/z'}", "a:k=bob/z", false},
    {"'StringEquals':{'a:k':'${a:u, 'none'}'}", "a:k=none", true},
    {"'StringEquals':{'a:k':'${a:u, 'none'}'}", "a:k=bob;a:u=bob", true},
    {"'NumericEquals':{'a:n':'10'}", "a:n=10.0", true},
    {"'NumericEquals':{'a:n':10}", "a:n=11", false},
    {"'NumericNotEquals':{'a:n':10}", "a:n=11", true},
    {"'NumericNotEquals':{'a:n':10}", "a:n=ten", false},
    {"'NumericLessThan':{'a:n':10}", "a:n=9", true},
    {"'NumericLessThan':{'a:n':10}", "a:n=10", false},
    {"'NumericLessThanEquals':{'a:n':10}", "a:n=10", true},
    {"'NumericGreaterThan':{'a:n':10}", "a:n=10", false},
    {"'NumericGreaterThanEquals':{'a:n':10}", "a:n=10", true},
    {"'NumericGreaterThanEquals':{'a:n':10}", "a:n=x", false},
    {"'DateEquals':{'a:d':'2026-01-02T03:04:05Z'}", "a:d=2026-01-02T03:04:05Z", true},
    {"'DateEquals':{'a:d':'1767323045'}", "a:d=2026-01-02T03:04:05Z", true},
    {"'DateNotEquals':{'a:d':'2026-01-02'}", "a:d=2026-01-02T00:00:00Z", false},
    {"'DateLessThan':{'a:d':'2026-01-02T03:04:05Z'}", "a:d=2026-01-02T03:04:04Z", true},
    {"'DateLessThanEquals':{'a:d':'2026-01-02T03:04:05Z'}", "a:d=2026-01-02T03:04:06Z", false},
    {"'DateGreaterThan':{'a:d':'2026-01-02'}", "a:d=1767323045", true},
    {"'DateGreaterThanEquals':{'a:d':'2026-01-02'}", "a:d=garbage", false},
    {"'DateGreaterThanEquals':{'a:d':'2026-01-02'}", "", false},
    {"'Bool':{'a:b':'true'}", "a:b=true", true},
    {"'Bool':{'a:b':true}", "a:b=TRUE", true},
    {"'Bool':{'a:b':'false'}", "a:b=true", false},
    {"'Bool':{'a:b':'false'}", "", false},
    {"'BoolIfExists':{'a:b':'false'}", "", true},
    {"'Bool':{'a:b':'false'}", "a:b=0", false},
    {"'BinaryEquals':{'a:x':'YWJj'}", "a:x=abc", true},
    {"'BinaryEquals':{'a:x':'YWJj'}", "a:x=abd", false},
    {"'IpAddress':{'a:i':'10.1.0.0/16'}", "a:i=10.1.2.3", true},
    {"'IpAddress':{'a:i':'10.1.0.0/16'}", "a:i=10.2.2.3", false},
    {"'IpAddress':{'a:i':'10.1.2.3'}", "a:i=10.1.2.3", true},
    {"'IpAddress':{'a:i':'10.1.2.128/25'}", "a:i=10.1.2.127", false},
    {"'IpAddress':{'a:i':'0.0.0.0/0'}", "a:i=1.2.3.4", true},
    {"'IpAddress':{'a:i':'0.0.0.0/0'}", "a:i=2001:db8::1", false},
    {"'IpAddress':{'a:i':'2001:db8::/32'}", "a:i=2001:db8::1", true},
    {"'IpAddress':{'a:i':'2001:db8::/32'}", "a:i=2001:db9::1", false},
    {"'IpAddress':{'a:i':'10.0.0.0/8'}", "a:i=nonsense", false},
    {"'NotIpAddress':{'a:i':'10.0.0.0/8'}", "a:i=11.0.0.1", true},
    {"'NotIpAddress':{'a:i':'10.0.0.0/8'}", "a:i=10.0.0.1", false},
    {"'NotIpAddress':{'a:i':'10.0.0.0/8'}", "a:i=nonsense", false},
    {"'ArnLike':{'a:a':'arn:aws:s3:*:*:b*'}", "a:a=arn:aws:s3:::bucket", true},
    {"'ArnEquals':{'a:a':'arn:aws:sns:*:1:t'}", "a:a=arn:aws:sns:eu-west-1:1:t", true},
    {"'ArnLike':{'a:a':'arn:aws:*:t'}", "a:a=arn:aws:sns:eu-west-1:1:t", false},
    {"'ArnLike':{'a:a':'*'}", "a:a=arn:aws:sns:eu-west-1:1:t", true},
    {"'ArnNotLike':{'a:a':'arn:aws:sns:*:1:t'}", "a:a=arn:aws:sns:eu-west-1:2:t", true},
    {"'ArnNotEquals':{'a:a':'arn:aws:sns:*:1:t'}", "a:a=arn:aws:sns:eu-west-1:1:t", false},
    {"'ArnLike':{'a:a':'arn:aws:lambda:*:*:function:f:*'}", "a:a=arn:aws:lambda:r:1:function:f:2",
     true},
    {"'Null':{'a:k':'true'}", "", true},
    {"'Null':{'a:k':'true'}", "a:k=v", false},
    {"'Null':{'a:k':false}", "a:k=v", true},
    {"'ForAllValues:StringEquals':{'a:k':['x','y']}", "a:k=x;a:k=y", true},
    {"'ForAllValues:StringEquals':{'a:k':['x','y']}", "a:k=x;a:k=z", false},
    {"'ForAllValues:StringEquals':{'a:k':['x','y']}", "", true},
    {"'ForAnyValue:StringEquals':{'a:k':['x','y']}", "a:k=q;a:k=y", true},
    {"'ForAnyValue:StringEquals':{'a:k':['x','y']}", "a:k=q;a:k=z", false},
    {"'ForAnyValue:StringEquals':{'a:k':['x','y']}", "", false},
    {"'ForAnyValue:StringEqualsIfExists':{'a:k':['x','y']}", "", true},
    {"'ForAnyValue:StringNotEquals':{'a:k':['x']}", "a:k=x;a:k=z", true},
    {"'ForAnyValue:StringNotEquals':{'a:k':['x']}", "", false},
    {"'ForAllValues:StringNotLike':{'a:k':['x*']}", "a:k=ax;a:k=xa", false},
    {"'StringEquals':{'a:k':'v'},'Bool':{'a:b':'true'}", "a:k=v;a:b=true", true},
    {"'StringEquals':{'a:k':'v'},'Bool':{'a:b':'true'}", "a:k=v;a:b=false", false},
    {"'StringEquals':{'a:k':'v','a:j':'w'}", "a:k=v", false},
};

static struct str json_quotes(struct arena *a, const char *text)
{
    /* ' stands for ", but inside ${...} it is meant. */
    struct str s = str_fmt(a, "%s", text);
    char *p = (char *)s.p;
    bool variable = false;
    for (size_t i = 0; i < s.len; i++) {
        if (p[i] == '{' && i > 0 && p[i - 1] == '$')
            variable = true;
        if (p[i] == '}')
            variable = false;
        if (p[i] == '\'' && !variable)
            p[i] = '"';
    }
    return s;
}

static enum policy_decision decide(struct arena *a, const char *effect, const char *cond,
                                   const char *context)
{
    struct str block = json_quotes(a, cond);
    struct str doc = str_fmt(a,
                             "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"%s\","
                             "\"Action\":\"a:Do\",\"Resource\":\"*\",\"Condition\":{" STR_FMT "}}}",
                             effect, STR_ARG(block));
    struct policy *policy;
    const char *why = "";
    if (policy_parse(a, POLICY_IDENTITY, doc, &why, &policy) != ERR_OK) {
        fprintf(stderr, "%s: %s\n", cond, why);
        fail();
    }
    struct policy_context ctx;
    policy_context_init(&ctx, a);
    struct str rest = str_c(context);
    while (rest.len > 0) {
        struct str value = str_cut(&rest, ';');
        struct str key = str_cut(&value, '=');
        policy_context_add(&ctx, key, value);
    }
    struct policy_request req = {.who = {.kind = POLICY_USER},
                                 .action = STR("a:Do"),
                                 .resource = STR("arn:aws:a:::x"),
                                 .ctx = &ctx};
    return policy_match(policy, &req);
}

static void test_operators(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        bool got = decide(&a, "Allow", rows[i].cond, rows[i].context) == POLICY_ALLOW;
        if (got != rows[i].want) {
            fprintf(stderr, "%s with %s: %d\n", rows[i].cond, rows[i].context, got);
            fail();
        }
        arena_release(&a);
    }
}

/* What cannot be compared makes a Deny match (P1). */
static void test_unknown_denies(void **state)
{
    static const char *const conds[][2] = {
        {"'NumericLessThan':{'a:n':10}", "a:n=ten"},
        {"'IpAddress':{'a:i':'10.0.0.0/8'}", "a:i=nonsense"},
        {"'DateLessThan':{'a:d':'2026-01-01'}", "a:d=later"},
        {"'Bool':{'a:b':'true'}", "a:b=maybe"},
    };
    for (size_t i = 0; i < ARRAY_LEN(conds); i++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        assert_int_equal(decide(&a, "Deny", conds[i][0], conds[i][1]), POLICY_EXPLICIT_DENY);
        assert_int_equal(decide(&a, "Allow", conds[i][0], conds[i][1]), POLICY_IMPLICIT_DENY);
        arena_release(&a);
    }
}

static void test_context(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct policy_context ctx;
    policy_context_init(&ctx, &a);
    policy_context_add2(&ctx, STR("aws:RequestTag/"), STR("team"), STR("x"));
    policy_context_add_i64(&ctx, STR("a:n"), -5);
    policy_context_add_bool(&ctx, STR("a:b"), true);
    policy_context_add_time(&ctx, STR("a:t"), 1000);
    policy_context_add(&ctx, STR("a:none"), STR_NONE);
    assert_true(str_eq_c(policy_context_find(&ctx, STR("aws:requesttag/TEAM"))->values[0], "x"));
    assert_true(str_eq_c(policy_context_find(&ctx, STR("a:n"))->values[0], "-5"));
    assert_true(str_eq_c(policy_context_find(&ctx, STR("a:t"))->values[0], "1970-01-01T00:00:01Z"));
    assert_null(policy_context_find(&ctx, STR("a:none")));
    for (int i = 0; ctx.n < POLICY_CONTEXT_KEYS_MAX; i++)
        policy_context_add2(&ctx, STR("k:"), str_fmt(&a, "%d", i), STR("v"));
    assert_int_equal(ctx.err, ERR_OK);
    policy_context_add(&ctx, STR("one:more"), STR("v"));
    assert_int_equal(ctx.err, ERR_LIMIT);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_operators),
                                       cmocka_unit_test(test_unknown_denies),
                                       cmocka_unit_test(test_context)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
