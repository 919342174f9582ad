/* pattern.h: operators, AWS's refusals, arrays, the index; and thousands of generated patterns and
 * events against a plain matcher that shares nothing with the one under test. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/rng.h"
#include "lang/pattern.h"

static const char *message;

static enum err match_one(const char *pattern, const char *event, enum pattern_dialect d,
                          bool *ret_matches)
{
    static struct arena a;
    arena_release(&a);
    arena_init(&a, 16 << 20);
    struct pattern *p;
    struct pattern_set *set;
    struct json *ev;
    struct str text = STR_NONE;
    const uint32_t *ids;
    size_t n;
    enum err e = pattern_parse(&a, str_c(pattern), d, &p, &text);
    message = e == ERR_INVALID ? str_cstr(&a, text) : NULL;
    if (e != ERR_OK)
        return e;
    assert_int_equal(pattern_set_new(&a, &p, 1, &set), ERR_OK);
    assert_int_equal(json_parse(&a, str_c(event), &ev, NULL), ERR_OK);
    e = pattern_set_match(set, ev, &a, &ids, &n);
    *ret_matches = n == 1;
    return e;
}

static void test_operators(void **state)
{
    static const struct {
        const char *pattern, *event;
        bool matches;
    } rows[] = {
        {"{\"a\":[\"x\"]}", "{\"a\":\"x\"}", true},
        {"{\"a\":[\"x\"]}", "{\"a\":\"xy\"}", false},
        {"{\"a\":[\"x\",\"y\"]}", "{\"a\":\"y\"}", true},
        {"{\"a\":[\"x\"]}", "{\"b\":\"x\"}", false},
        {"{\"a\":[\"x\"]}", "{\"a\":[\"y\",\"x\"]}", true},
        {"{\"a\":[\"x\"]}", "{\"a\":{\"x\":1}}", false},
        {"{\"a\":[\"x\"],\"b\":[1]}", "{\"a\":\"x\",\"b\":1}", true},
        {"{\"a\":[\"x\"],\"b\":[1]}", "{\"a\":\"x\",\"b\":2}", false},
        {"{\"a\":[null]}", "{\"a\":null}", true},
        {"{\"a\":[null]}", "{\"a\":\"null\"}", false},
        {"{\"a\":[null]}", "{}", false},
        {"{\"a\":[true]}", "{\"a\":true}", true},
        {"{\"a\":[true]}", "{\"a\":\"true\"}", false},
        {"{\"a\":[false]}", "{\"a\":true}", false},
        {"{\"a\":[\"\"]}", "{\"a\":\"\"}", true},
        {"{\"a\":[{\"exactly\":\"x\"}]}", "{\"a\":\"x\"}", true},
        /* L4 */
        {"{\"a\":[5]}", "{\"a\":5.0}", true},
        {"{\"a\":[3.018e2]}", "{\"a\":301.8}", true},
        {"{\"a\":[5]}", "{\"a\":\"5\"}", false},
        {"{\"a\":[0.1]}", "{\"a\":0.1000000}", true},
        {"{\"a\":[123456789012]}", "{\"a\":123456789012}", true},
        {"{\"a\":[123456789012]}", "{\"a\":1.23456789012e11}", false},
        {"{\"a\":[0]}", "{\"a\":-0.0}", true},
        {"{\"a\":[{\"numeric\":[\"=\",5]}]}", "{\"a\":5e0}", true},
        {"{\"a\":[{\"numeric\":[\">\",0,\"<=\",5]}]}", "{\"a\":5}", true},
        {"{\"a\":[{\"numeric\":[\">\",0,\"<=\",5]}]}", "{\"a\":0}", false},
        {"{\"a\":[{\"numeric\":[\">\",0,\"<\",5]}]}", "{\"a\":4.999999}", true},
        {"{\"a\":[{\"numeric\":[\">\",0,\"<\",5]}]}", "{\"a\":4.9999999}", false},
        {"{\"a\":[{\"numeric\":[\">=\",-5e9]}]}", "{\"a\":-5000000000}", true},
        {"{\"a\":[{\"numeric\":[\"<\",0.000001]}]}", "{\"a\":0}", true},
        {"{\"a\":[{\"numeric\":[\">\",0]}]}", "{\"a\":5000000001}", false},
        {"{\"a\":[{\"numeric\":[\">\",0]}]}", "{\"a\":\"1\"}", false},
        /* strings */
        {"{\"a\":[{\"prefix\":\"ab\"}]}", "{\"a\":\"abc\"}", true},
        {"{\"a\":[{\"prefix\":\"ab\"}]}", "{\"a\":\"a\"}", false},
        {"{\"a\":[{\"prefix\":\"\"}]}", "{\"a\":\"\"}", true},
        {"{\"a\":[{\"prefix\":\"1\"}]}", "{\"a\":12}", false},
        {"{\"a\":[{\"prefix\":{\"equals-ignore-case\":\"AB\"}}]}", "{\"a\":\"aBc\"}", true},
        {"{\"a\":[{\"suffix\":\".png\"}]}", "{\"a\":\"x.png\"}", true},
        {"{\"a\":[{\"suffix\":\".png\"}]}", "{\"a\":\"x.PNG\"}", false},
        {"{\"a\":[{\"suffix\":{\"equals-ignore-case\":\".png\"}}]}", "{\"a\":\"x.PNG\"}", true},
        {"{\"a\":[{\"equals-ignore-case\":\"aLpha\"}]}", "{\"a\":\"AlphA\"}", true},
        {"{\"a\":[{\"equals-ignore-case\":\"alpha\"}]}", "{\"a\":\"alphabet\"}", false},
        {"{\"a\":[{\"wildcard\":\"a*c\"}]}", "{\"a\":\"ac\"}", true},
        {"{\"a\":[{\"wildcard\":\"a*c*e\"}]}", "{\"a\":\"abcde\"}", true},
        {"{\"a\":[{\"wildcard\":\"a*c*e\"}]}", "{\"a\":\"abde\"}", false},
        {"{\"a\":[{\"wildcard\":\"ab*ba\"}]}", "{\"a\":\"aba\"}", false},
        {"{\"a\":[{\"wildcard\":\"*\"}]}", "{\"a\":\"\"}", true},
        {"{\"a\":[{\"wildcard\":\"a\\\\*b\"}]}", "{\"a\":\"a*b\"}", true},
        {"{\"a\":[{\"wildcard\":\"a\\\\*b\"}]}", "{\"a\":\"axb\"}", false},
        {"{\"a\":[{\"wildcard\":\"a\\\\\\\\*\"}]}", "{\"a\":\"a\\\\z\"}", true},
        /* anything-but */
        {"{\"a\":[{\"anything-but\":\"x\"}]}", "{\"a\":\"y\"}", true},
        {"{\"a\":[{\"anything-but\":\"x\"}]}", "{\"a\":\"x\"}", false},
        {"{\"a\":[{\"anything-but\":\"x\"}]}", "{}", false},
        {"{\"a\":[{\"anything-but\":\"x\"}]}", "{\"a\":null}", true},
        {"{\"a\":[{\"anything-but\":[\"x\",\"y\"]}]}", "{\"a\":\"y\"}", false},
        {"{\"a\":[{\"anything-but\":[\"x\",\"y\"]}]}", "{\"a\":[\"y\",\"z\"]}", true},
        {"{\"a\":[{\"anything-but\":[1,2.50]}]}", "{\"a\":2.5}", false},
        {"{\"a\":[{\"anything-but\":1}]}", "{\"a\":1.5}", true},
        {"{\"a\":[{\"anything-but\":{\"prefix\":\"in\"}}]}", "{\"a\":\"init\"}", false},
        {"{\"a\":[{\"anything-but\":{\"prefix\":[\"in\",\"un\"]}}]}", "{\"a\":\"up\"}", true},
        {"{\"a\":[{\"anything-but\":{\"suffix\":[\".c\",\".h\"]}}]}", "{\"a\":\"a.h\"}", false},
        {"{\"a\":[{\"anything-but\":{\"equals-ignore-case\":[\"X\",\"Y\"]}}]}", "{\"a\":\"x\"}",
         false},
        {"{\"a\":[{\"anything-but\":{\"wildcard\":\"*/lib/*\"}}]}", "{\"a\":\"/usr/lib/x\"}",
         false},
        {"{\"a\":[{\"anything-but\":{\"wildcard\":[\"*b\",\"a*\"]}}]}", "{\"a\":\"ca\"}", true},
        /* L5, L6 */
        {"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "{\"a\":\"10.0.0.255\"}", true},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "{\"a\":\"10.0.1.0\"}", false},
        {"{\"a\":[{\"cidr\":\"10.0.0.5/24\"}]}", "{\"a\":\"10.0.0.4\"}", false},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/9\"}]}", "{\"a\":\"10.127.3.4\"}", true},
        {"{\"a\":[{\"cidr\":\"2001:db8::/32\"}]}", "{\"a\":\"2001:DB8:ffff::1\"}", true},
        {"{\"a\":[{\"cidr\":\"::/0\"}]}", "{\"a\":\"1.2.3.4\"}", false},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "{\"a\":\"localhost\"}", false},
        {"{\"a\":[\"::1\"]}", "{\"a\":\"0:0:0:0:0:0:0:1\"}", true},
        {"{\"a\":[\"10.0.0.1\"]}", "{\"a\":\"10.0.0.1\"}", true},
        /* L2 */
        {"{\"a\":[{\"exists\":true}]}", "{\"a\":null}", true},
        {"{\"a\":[{\"exists\":true}]}", "{\"a\":{\"b\":1}}", false},
        {"{\"a\":[{\"exists\":true}]}", "{\"a\":[]}", false},
        {"{\"a\":[{\"exists\":false}]}", "{\"a\":[]}", true},
        {"{\"a\":[{\"exists\":false}]}", "{\"a\":1}", false},
        {"{\"a\":[{\"exists\":false},\"x\"]}", "{\"a\":\"x\"}", true},
        {"{\"a\":[{\"exists\":false},\"x\"]}", "{}", true},
        {"{\"a\":[{\"exists\":false},\"x\"]}", "{\"a\":\"y\"}", false},
        {"{\"a\":{\"b\":[{\"exists\":false}]},\"c\":[1]}", "{\"c\":1}", true},
        /* L1, $or */
        {"{\"a\":{\"b\":[1]}}", "{\"a.b\":1}", true},
        {"{\"a.b\":[1]}", "{\"a\":{\"b\":1}}", true},
        {"{\"a\":[1],\"a\":[2]}", "{\"a\":1}", false},
        {"{\"$or\":[{\"a\":[1]},{\"b\":[2]}]}", "{\"b\":2}", true},
        {"{\"$or\":[{\"a\":[1]},{\"b\":[2]}]}", "{\"a\":2,\"b\":1}", false},
        {"{\"c\":[3],\"$or\":[{\"a\":[1]},{\"b\":[2]}]}", "{\"b\":2}", false},
        {"{\"c\":[3],\"$or\":[{\"a\":[1]},{\"b\":[2]}]}", "{\"b\":2,\"c\":3}", true},
        {"{\"d\":{\"$or\":[{\"a\":[1]},{\"b\":[2]}]}}", "{\"d\":{\"b\":2}}", true},
        {"{\"$or\":[{\"a\":[1],\"$or\":[{\"x\":[1]},{\"y\":[1]}]},{\"b\":[2]}]}",
         "{\"a\":1,\"y\":1}", true},
        /* L3 */
        {"{\"l\":{\"a\":[1],\"b\":[2]}}", "{\"l\":[{\"a\":1,\"b\":2}]}", true},
        {"{\"l\":{\"a\":[1],\"b\":[2]}}", "{\"l\":[{\"a\":1,\"b\":1},{\"a\":2,\"b\":2}]}", false},
        {"{\"l\":{\"a\":[1],\"b\":[2]}}", "{\"l\":[{\"a\":1},{\"a\":1,\"b\":2}]}", true},
        {"{\"l\":{\"a\":[1]},\"m\":{\"b\":[2]}}", "{\"l\":[{\"a\":0},{\"a\":1}],\"m\":[{\"b\":2}]}",
         true},
        {"{\"l\":{\"a\":[1],\"b\":[{\"exists\":false}]}}", "{\"l\":[{\"a\":1},{\"a\":2,\"b\":1}]}",
         true},
        {"{\"l\":{\"a\":[1],\"b\":[{\"exists\":false}]}}", "{\"l\":[{\"a\":1,\"b\":1},{\"a\":2}]}",
         false},
        {"{\"l\":{\"a\":[1],\"k\":{\"b\":[2],\"c\":[3]}}}",
         "{\"l\":[{\"a\":1,\"k\":[{\"b\":2},{\"c\":3}]},{\"a\":1,\"k\":[{\"b\":2,\"c\":3}]}]}",
         true},
        {"{\"l\":{\"a\":[1],\"k\":{\"b\":[2],\"c\":[3]}}}",
         "{\"l\":[{\"a\":1,\"k\":[{\"b\":2},{\"c\":3}]},{\"a\":2,\"k\":[{\"b\":2,\"c\":3}]}]}",
         false},
        {"{\"l\":[1]}", "{\"l\":[[2],[1]]}", true},
        {"{\"a\":[1]}", "[1]", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool matches = false;
        enum err e = match_one(rows[i].pattern, rows[i].event, PATTERN_EVENTS, &matches);
        if (e != ERR_OK || matches != rows[i].matches)
            fail_msg("%s on %s: %s, matches %d", rows[i].pattern, rows[i].event, err_name(e),
                     matches);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        const char *pattern, *reason;
    } rows[] = {
        {"", "Invalid JSON"},
        {"{", "Invalid JSON"},
        {"[]", "Filter is not an object"},
        {"{}", "Empty objects are not allowed"},
        {"{\"a\":{}}", "Empty objects are not allowed"},
        {"{\"a\":[]}", "Empty arrays are not allowed"},
        {"{\"a\":\"x\"}", "\"a\" must be an object or an array"},
        {"{\"a\":{\"b\":1}}", "\"b\" must be an object or an array"},
        {"{\"a\":[[1]]}", "Match value must be String, number, true, false, or null"},
        {"{\"a\":[{}]}", "Match expression name not found"},
        {"{\"a\":[{\"foo\":1}]}", "Unrecognized match type foo"},
        {"{\"a\":[{\"prefix\":1}]}", "prefix match pattern must be a string"},
        {"{\"a\":[{\"prefix\":{}}]}", "Prefix expression name not found"},
        {"{\"a\":[{\"prefix\":{\"x\":1}}]}", "Unsupported prefix pattern: x"},
        {"{\"a\":[{\"suffix\":{\"equals-ignore-case\":1}}]}",
         "equals-ignore-case match pattern must be a string"},
        {"{\"a\":[{\"prefix\":\"a\",\"suffix\":\"b\"}]}",
         "Only one key allowed in match expression"},
        {"{\"a\":[{\"exactly\":1}]}", "exact match pattern must be a string"},
        {"{\"a\":[{\"wildcard\":1}]}", "wildcard match pattern must be a string"},
        {"{\"a\":[{\"wildcard\":\"a**\"}]}", "Consecutive wildcard characters at pos 2"},
        {"{\"a\":[{\"wildcard\":\"a\\\\b\"}]}", "Invalid escape character at pos 2"},
        {"{\"a\":[{\"wildcard\":\"a\\\\\"}]}", "Invalid escape character at pos 2"},
        {"{\"a\":[{\"exists\":\"true\"}]}", "exists match pattern must be either true or false."},
        {"{\"a\":[{\"numeric\":5}]}", "Value of numeric must be an array."},
        {"{\"a\":[{\"numeric\":[]}]}", "Invalid member in numeric match: ]"},
        {"{\"a\":[{\"numeric\":[5]}]}", "Invalid member in numeric match: 5"},
        {"{\"a\":[{\"numeric\":[\"!\",5]}]}", "Unrecognized numeric range operator: !"},
        {"{\"a\":[{\"numeric\":[\"=\",\"5\"]}]}", "Value of equals must be numeric"},
        {"{\"a\":[{\"numeric\":[\">=\"]}]}", "Value of >= must be numeric"},
        {"{\"a\":[{\"numeric\":[\"=\",5,6]}]}", "Too many elements in numeric expression"},
        {"{\"a\":[{\"numeric\":[\">\",5,6]}]}", "Bad value in numeric range: 6"},
        {"{\"a\":[{\"numeric\":[\">\",5,\">\",6]}]}", "Bad numeric range operator: >"},
        {"{\"a\":[{\"numeric\":[\">\",5,\"<\"]}]}", "Value of < must be numeric"},
        {"{\"a\":[{\"numeric\":[\">\",5,\"<\",6,7]}]}",
         "Too many terms in numeric range expression"},
        {"{\"a\":[{\"numeric\":[\">\",5,\"<\",5]}]}", "Bottom must be less than top"},
        {"{\"a\":[{\"numeric\":[\">=\",5,\"<=\",5]}]}", "Bottom must be less than top"},
        {"{\"a\":[{\"numeric\":[\"=\",5000000001]}]}",
         "Value must be between -5.0E9 and 5.0E9, inclusive"},
        {"{\"a\":[{\"numeric\":[\"=\",0.0000001]}]}", "Only values upto 6 decimals are supported"},
        {"{\"a\":[{\"cidr\":\"10.0.0.0\"}]}", "Malformed CIDR, one '/' required"},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/x\"}]}", "Malformed CIDR, mask bits must be an integer"},
        {"{\"a\":[{\"cidr\":\"10.0.0.0/32\"}]}", "IPv4 mask bits must be < 32"},
        {"{\"a\":[{\"cidr\":\"::/128\"}]}", "IPv6 mask bits must be < 128"},
        {"{\"a\":[{\"cidr\":\"host/8\"}]}", "Nonstandard IP address: host"},
        {"{\"a\":[{\"anything-but\":true}]}",
         "Value of anything-but must be an array or single string/number value."},
        {"{\"a\":[{\"anything-but\":{}}]}", "Anything-But expression name not found"},
        {"{\"a\":[{\"anything-but\":{\"numeric\":[\"=\",1]}}]}",
         "Unsupported anything-but pattern: numeric"},
        {"{\"a\":[{\"anything-but\":[1,\"x\"]}]}",
         "Inside anything but list, either all values are number or string, mixed type is not "
         "supported"},
        {"{\"a\":[{\"anything-but\":[null]}]}",
         "Inside anything but list, start|null|boolean is not supported."},
        {"{\"a\":[{\"anything-but\":{\"prefix\":\"\"}}]}", "Null prefix/suffix not allowed"},
        {"{\"a\":[{\"anything-but\":{\"suffix\":[1]}}]}",
         "prefix/suffix match pattern must be a string"},
        {"{\"a\":[{\"anything-but\":\"x\",\"b\":1}]}", "Too many elements in numeric expression"},
        {"{\"$or\":{}}", "It must be an Array followed with $or."},
        {"{\"$or\":[{\"a\":[1]}]}", "There must have at least 2 Objects in $or relationship."},
        {"{\"$or\":[{\"a\":[1]},1]}", "Only JSON object is allowed in array of $or relationship."},
        {"{\"$or\":[{\"a\":[1]},{\"prefix\":[1]}]}",
         "prefix is Ruler reserved fieldName which cannot be used inside $or."},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool matches;
        char wanted[256];
        snprintf(wanted, sizeof(wanted), "Event pattern is not valid. Reason: %s", rows[i].reason);
        enum err e = match_one(rows[i].pattern, "{}", PATTERN_EVENTS, &matches);
        if (e != ERR_INVALID || strcmp(message, wanted) != 0)
            fail_msg("%s: %s, %s", rows[i].pattern, err_name(e), message ? message : "-");
    }
}

static void test_dialects(void **state)
{
    bool m = false;
    assert_int_equal(match_one("{\"a\":\"x\"}", "{}", PATTERN_LAMBDA, &m), ERR_INVALID);
    assert_string_equal(message, "Invalid filter pattern definition.");
    assert_int_equal(match_one("{\"a\":{\"b\":[1]}}", "{}", PATTERN_SNS_ATTRIBUTES, &m),
                     ERR_INVALID);
    assert_string_equal(message,
                        "Invalid parameter: Filter policy scope MessageAttributes does not "
                        "support nested filter policy");
    assert_int_equal(match_one("{\"a\":{\"b\":[1]}}", "{\"a\":{\"b\":1}}", PATTERN_SNS_BODY, &m),
                     ERR_OK);
    assert_true(m);
    static const struct {
        const char *policy, *reason;
    } rows[] = {
        {"{\"a\":\"x\"}", "\"a\" must be an object or an array"},
        {"{", "failed to parse JSON."},
        {"{\"a\":[1],\"b\":[1],\"c\":[1],\"d\":[1],\"e\":[1],\"f\":[1]}",
         "Filter policy can not have more than 5 keys"},
        {"{\"a\":{\"b\":{\"c\":[1,2,3,4]}},\"d\":{\"e\":[1,2,3]},\"f\":[1,2,3]}",
         "Filter policy is too complex"},
        {"{\"a\":[{\"numeric\":[\"=\",1000000001]}]}",
         "Value must be between -1.0E9 and 1.0E9, inclusive"},
        {"{\"a\":[{\"numeric\":[\"=\",0.000001]}]}", "Only values upto 5 decimals are supported"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char wanted[200];
        snprintf(wanted, sizeof(wanted), "Invalid parameter: FilterPolicy: %s", rows[i].reason);
        assert_int_equal(match_one(rows[i].policy, "{}", PATTERN_SNS_BODY, &m), ERR_INVALID);
        assert_string_equal(message, wanted);
    }
}

static void test_attributes(void **state)
{
    const struct pattern_attribute attributes[] = {
        {STR_INIT("s"), STR_INIT("String"), STR_INIT("x")},
        {STR_INIT("n"), STR_INIT("Number"), STR_INIT("1.50")},
        {STR_INIT("bad"), STR_INIT("Number"), STR_INIT("abc")},
        {STR_INIT("l"), STR_INIT("String.Array"), STR_INIT("[\"p\",7,null]")},
        {STR_INIT("b"), STR_INIT("Binary"), STR_INIT("AAAA")},
    };
    struct arena a;
    arena_init(&a, 1 << 20);
    struct json *event;
    assert_int_equal(pattern_attributes(&a, attributes, ARRAY_LEN(attributes), &event), ERR_OK);
    struct buf b;
    buf_init_arena(&b, &a, 1 << 16);
    json_put(&b, event);
    assert_true(str_eq_c(buf_str(&b), "{\"s\":\"x\",\"n\":1.50,\"l\":[\"p\",7,null]}"));
    arena_release(&a);
}

static void test_limits(void **state)
{
    struct buf b;
    struct arena a;
    struct pattern *p;
    struct str text;
    /* One wildcard too many, in as many values. */
    for (int n = PATTERN_WILDCARDS_MAX; n <= PATTERN_WILDCARDS_MAX + 1; n++) {
        arena_init(&a, 64 << 20);
        buf_init(&b, 1 << 20);
        BUF_ADD_LIT(&b, "{\"a\":[");
        for (int i = 0; i < n; i++)
            buf_add_fmt(&b, "%s{\"wildcard\":\"%d*\"}", i ? "," : "", i);
        BUF_ADD_LIT(&b, "]}");
        assert_int_equal(pattern_parse(&a, buf_str(&b), PATTERN_EVENTS, &p, &text),
                         n > PATTERN_WILDCARDS_MAX ? ERR_INVALID : ERR_OK);
        arena_release(&a);
        buf_release(&b);
    }
    /* 10 * 10 * 10 alternatives are the limit; twice that is refused. */
    for (int twice = 0; twice <= 1; twice++) {
        arena_init(&a, 64 << 20);
        buf_init(&b, 1 << 20);
        BUF_ADD_LIT(&b, "{");
        for (int k = 0; k < 3 + twice; k++) {
            buf_add_fmt(&b, "%s\"%c\":{\"$or\":[", k ? "," : "", 'a' + k);
            for (int i = 0; i < (k == 3 ? 2 : 10); i++)
                buf_add_fmt(&b, "%s{\"f%d\":[1]}", i ? "," : "", i);
            BUF_ADD_LIT(&b, "]}");
        }
        BUF_ADD_LIT(&b, "}");
        assert_int_equal(pattern_parse(&a, buf_str(&b), PATTERN_EVENTS, &p, &text),
                         twice ? ERR_INVALID : ERR_OK);
        arena_release(&a);
        buf_release(&b);
    }
}

/* Every arena that is too small says so, and nothing else happens. */
static void test_memory(void **state)
{
    struct str text = STR("{\"$or\":[{\"a\":[{\"wildcard\":\"x*\"},{\"prefix\":\"y\"}]},{\"b\":"
                          "[{\"anything-but\":[1,2]}]}],\"c\":{\"d\":[1,\"q\"]}}");
    size_t failures = 0;
    for (size_t limit = 0;; limit += 16) {
        struct arena a, tree;
        struct pattern *p;
        struct pattern_set *set;
        struct json *event;
        struct str reason;
        const uint32_t *ids;
        size_t n = 0;
        arena_init(&a, limit);
        arena_init(&tree, 1 << 20);
        assert_int_equal(
            json_parse(&tree, STR("{\"a\":[\"xyz\",{}],\"c\":[{\"d\":1}]}"), &event, NULL), ERR_OK);
        enum err e = pattern_parse(&a, text, PATTERN_EVENTS, &p, &reason);
        if (e == ERR_OK)
            e = pattern_set_new(&a, &p, 1, &set);
        if (e == ERR_OK)
            e = pattern_set_match(set, event, &a, &ids, &n);
        arena_release(&a);
        arena_release(&tree);
        if (e == ERR_OK) {
            assert_int_equal(n, 1);
            break;
        }
        assert_int_equal(e, ERR_NOMEM);
        failures++;
    }
    assert_true(failures > 50);
}

/* Three independent arrays of 200 elements, of which no combination has the last field. */
static void test_steps(void **state)
{
    struct arena a;
    struct buf b;
    struct pattern *p;
    struct pattern_set *set;
    struct json *event;
    struct str text;
    const uint32_t *ids;
    size_t n;
    arena_init(&a, 64 << 20);
    buf_init(&b, 1 << 20);
    BUF_ADD_LIT(&b, "{");
    for (int k = 0; k < 3; k++) {
        buf_add_fmt(&b, "\"%c\":[", 'a' + k);
        for (int i = 0; i < 200; i++)
            buf_add_fmt(&b, "%s{\"x\":1}", i ? "," : "");
        BUF_ADD_LIT(&b, "],");
    }
    BUF_ADD_LIT(&b, "\"z\":[{\"p\":1},{\"q\":1}]}");
    struct str pattern =
        STR("{\"a\":{\"x\":[1]},\"b\":{\"x\":[1]},\"c\":{\"x\":[1]},\"z\":{\"p\":[1],\"q\":[1]}}");
    assert_int_equal(pattern_parse(&a, pattern, PATTERN_EVENTS, &p, &text), ERR_OK);
    assert_int_equal(pattern_set_new(&a, &p, 1, &set), ERR_OK);
    assert_int_equal(json_parse(&a, buf_str(&b), &event, NULL), ERR_OK);
    assert_int_equal(pattern_set_match(set, event, &a, &ids, &n), ERR_LIMIT);
    buf_release(&b);
    arena_release(&a);
}

/* --- the plain matcher ------------------------------------------------------------------------ */

struct flat {
    char path[64];
    const struct json *v;
    int array[16], index[16], places;
};

struct plain {
    struct flat leaves[256];
    int n, arrays;
    int array[64], index[64], settled;
};

static void flatten(struct plain *w, const struct json *v, struct flat at)
{
    if (v->kind == JSON_OBJECT) {
        JSON_EACH (v, it) {
            struct flat in = at;
            size_t len = strlen(in.path);
            snprintf(in.path + len, sizeof(in.path) - len, "%s%.*s", len ? "." : "",
                     STR_ARG(it->key));
            flatten(w, it, in);
        }
    } else if (v->kind == JSON_ARRAY) {
        int id = w->arrays++, i = 0;
        JSON_EACH (v, it) {
            struct flat in = at;
            if (it->kind == JSON_ARRAY || it->kind == JSON_OBJECT) {
                in.array[in.places] = id;
                in.index[in.places++] = i;
            }
            flatten(w, it, in);
            i++;
        }
    } else {
        at.v = v;
        assert_true(w->n < 256);
        w->leaves[w->n++] = at;
    }
}

static bool may_take(const struct plain *w, const struct flat *l)
{
    for (int i = 0; i < l->places; i++)
        for (int k = 0; k < w->settled; k++)
            if (w->array[k] == l->array[i] && w->index[k] != l->index[i])
                return false;
    return true;
}

static long double as_number(const struct json *v)
{
    return strtold(v->text.p, NULL);
}

static bool plain_text(const char *op, struct str want, const struct json *v)
{
    if (v->kind != JSON_STRING)
        return false;
    char p[64], s[64];
    snprintf(p, sizeof(p), "%.*s", STR_ARG(want));
    snprintf(s, sizeof(s), "%.*s", STR_ARG(v->text));
    size_t pl = strlen(p), sl = strlen(s);
    if (!strcmp(op, "prefix"))
        return !strncmp(s, p, pl);
    if (!strcmp(op, "suffix"))
        return sl >= pl && !strcmp(s + sl - pl, p);
    if (!strcmp(op, "equals-ignore-case"))
        return !strcasecmp(s, p);
    if (!strcmp(op, "wildcard")) {
        /* Table over (pattern, text), the text-book way; an escaped character is itself. */
        bool ok[64][64] = {{false}}, star[64];
        size_t n = 0;
        for (size_t i = 0; i < pl; i++) {
            star[n] = p[i] == '*';
            i += p[i] == '\\';
            p[n++] = p[i];
        }
        pl = n;
        ok[0][0] = true;
        for (size_t i = 1; i <= pl; i++)
            for (size_t j = 0; j <= sl; j++)
                ok[i][j] = star[i - 1] ? ok[i - 1][j] || (j && ok[i][j - 1])
                                       : j && ok[i - 1][j - 1] && p[i - 1] == s[j - 1];
        return ok[pl][sl];
    }
    return !strcmp(s, p);
}

/* libc's reader of addresses. Family and bytes; 0: it is none. */
static int plain_address(struct str text, unsigned char bytes[16])
{
    char s[64];
    snprintf(s, sizeof(s), "%.*s", STR_ARG(text));
    if (inet_pton(AF_INET, s, bytes) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, s, bytes) == 1 ? AF_INET6 : 0;
}

/* From the address as written to the end of its network (EP6). */
static bool plain_cidr(struct str net, const struct json *v)
{
    unsigned char from[16], to[16], have[16];
    struct str bits_text = net, address = str_cut(&bits_text, '/');
    int64_t bits;
    if (v->kind != JSON_STRING)
        return false;
    assert_int_equal(str_to_i64(bits_text, &bits), ERR_OK);
    int family = plain_address(address, from);
    int size = family == AF_INET ? 4 : 16;
    assert_int_not_equal(family, 0);
    memcpy(to, from, 16);
    for (int64_t i = bits; i < size * 8; i++)
        to[i / 8] |= (unsigned char)(0x80 >> i % 8);
    return plain_address(v->text, have) == family && memcmp(have, from, (size_t)size) >= 0 &&
           memcmp(have, to, (size_t)size) <= 0;
}

static bool plain_value(const struct json *m, const struct json *v);

static bool plain_operator(const struct json *m, const struct json *v)
{
    char op[32];
    snprintf(op, sizeof(op), "%.*s", STR_ARG(m->key));
    if (!strcmp(op, "exists"))
        return m->b;
    if (!strcmp(op, "cidr"))
        return plain_cidr(m->text, v);
    if (!strcmp(op, "numeric")) {
        if (v->kind != JSON_NUMBER)
            return false;
        long double n = as_number(v);
        for (const struct json *o = m->child; o; o = o->next->next) {
            long double x = as_number(o->next);
            bool ok = str_eq_c(o->text, "=")    ? n == x
                      : str_eq_c(o->text, ">")  ? n > x
                      : str_eq_c(o->text, ">=") ? n >= x
                      : str_eq_c(o->text, "<")  ? n < x
                                                : n <= x;
            if (!ok)
                return false;
        }
        return true;
    }
    if (!strcmp(op, "anything-but")) {
        const struct json *values = m;
        if (m->kind == JSON_OBJECT)
            values = m->child;
        for (const struct json *it = values->kind == JSON_ARRAY ? values->child : values; it;
             it = values->kind == JSON_ARRAY ? it->next : NULL) {
            char inner[32] = "";
            if (m->kind == JSON_OBJECT)
                snprintf(inner, sizeof(inner), "%.*s", STR_ARG(values->key));
            if (inner[0] ? plain_text(inner, it->text, v) : plain_value(it, v))
                return false;
        }
        return true;
    }
    if (m->kind == JSON_OBJECT) { /* prefix and suffix, folded */
        struct str want = m->child->text, have = v->text;
        if (v->kind != JSON_STRING || have.len < want.len)
            return false;
        const char *at = !strcmp(op, "prefix") ? have.p : have.p + have.len - want.len;
        return !strncasecmp(at, want.p, want.len);
    }
    return plain_text(op, m->text, v);
}

static bool plain_value(const struct json *m, const struct json *v)
{
    if (m->kind == JSON_OBJECT)
        return plain_operator(m->child, v);
    if (m->kind != v->kind)
        return false;
    if (m->kind == JSON_NUMBER)
        return as_number(m) == as_number(v);
    if (m->kind == JSON_STRING) { /* EP5 */
        unsigned char a[16] = {0}, b[16] = {0};
        int family = plain_address(m->text, a);
        return str_eq(m->text, v->text) ||
               (family && plain_address(v->text, b) == family && memcmp(a, b, 16) == 0);
    }
    return m->kind == JSON_NULL || m->b == v->b;
}

struct clause {
    char path[64];
    const struct json *values;
};

struct clauses {
    struct clause v[32];
    int n;
};

static bool plain_rest(struct plain *w, const struct clauses *c, int i)
{
    if (i == c->n)
        return true;
    bool found = false;
    for (int k = 0; k < w->n; k++)
        found |= !strcmp(w->leaves[k].path, c->v[i].path) && may_take(w, &w->leaves[k]);
    JSON_EACH (c->v[i].values, m) {
        bool absent = m->kind == JSON_OBJECT && str_eq_c(m->child->key, "exists") && !m->child->b;
        if (absent && !found && plain_rest(w, c, i + 1))
            return true;
        for (int k = 0; k < w->n && !absent; k++) {
            const struct flat *l = &w->leaves[k];
            if (strcmp(l->path, c->v[i].path) != 0 || !may_take(w, l) || !plain_value(m, l->v))
                continue;
            int before = w->settled;
            for (int p = 0; p < l->places; p++) {
                w->array[w->settled] = l->array[p];
                w->index[w->settled++] = l->index[p];
            }
            bool ok = plain_rest(w, c, i + 1);
            w->settled = before;
            if (ok)
                return true;
        }
    }
    return false;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct clause *)a)->path, ((const struct clause *)b)->path);
}

/* Members of an object still to be put, then what comes after the object. */
struct todo {
    const struct json *member;
    char path[64];
    const struct todo *then;
};

static bool plain_todo(struct plain *w, struct clauses c, const struct todo *t)
{
    while (t && !t->member)
        t = t->then;
    if (!t) {
        qsort(c.v, (size_t)c.n, sizeof(c.v[0]), by_path);
        w->settled = 0;
        return plain_rest(w, &c, 0);
    }
    const struct json *m = t->member;
    struct todo rest = {m->next, "", t->then};
    strcpy(rest.path, t->path);
    if (str_eq_c(m->key, "$or")) {
        JSON_EACH (m, branch) {
            struct todo in = {branch->child, "", &rest};
            strcpy(in.path, t->path);
            if (plain_todo(w, c, &in))
                return true;
        }
        return false;
    }
    char path[64];
    snprintf(path, sizeof(path), "%.40s%s%.*s", t->path, t->path[0] ? "." : "", STR_ARG(m->key));
    if (m->kind == JSON_OBJECT) {
        struct todo in = {m->child, "", &rest};
        strcpy(in.path, path);
        return plain_todo(w, c, &in);
    }
    int k = 0;
    while (k < c.n && strcmp(c.v[k].path, path) != 0)
        k++;
    strcpy(c.v[k].path, path);
    c.v[k].values = m;
    c.n = k == c.n ? k + 1 : c.n;
    return plain_todo(w, c, &rest);
}

static bool plain_match(const struct json *pattern, const struct json *event)
{
    static struct plain w;
    memset(&w, 0, sizeof(w));
    flatten(&w, event, (struct flat){0});
    struct todo t = {pattern->child, "", NULL};
    return plain_todo(&w, (struct clauses){0}, &t);
}

/* --- generators: few names and values, so that things meet ------------------------------------- */

static uint64_t dice;

static unsigned roll(unsigned n)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (unsigned)((dice >> 11) % n);
}

static const char *const WORDS[] = {"a", "ab", "abc", "B", "ba", "AB", "", "b", "a*c", "\u00e4b"};
static const char *const ADDRESSES[] = {"10.0.0.1",    "10.0.0.129",    "10.0.1.1",     "11.0.0.1",
                                        "2001:db8::1", "2001:DB8:0::2", "2001:db8:1::1"};
static const char *const NETS[] = {"10.0.0.0/24",   "10.0.0.64/25",  "0.0.0.0/0",     "10.0.0.1/31",
                                   "10.0.0.128/25", "2001:db8::/32", "2001:db8::/64", "::/0"};
static const char *const NUMBERS[] = {"0", "1", "1.0", "2.5", "-1", "10e-1", "0.000001", "250e-2"};
static const char *const NAMES[] = {"p", "q", "r", "p.q", "s"};

static void put_word(struct buf *b)
{
    buf_add_fmt(b, "\"%s\"", WORDS[roll(ARRAY_LEN(WORDS))]);
}

static void put_leaf(struct buf *b)
{
    switch (roll(7)) {
    case 6:
        buf_add_fmt(b, "\"%s\"", ADDRESSES[roll(ARRAY_LEN(ADDRESSES))]);
        break;
    case 0:
        buf_add_c(b, roll(2) ? "true" : "false");
        break;
    case 1:
        buf_add_c(b, "null");
        break;
    case 2:
    case 3:
        buf_add_c(b, NUMBERS[roll(ARRAY_LEN(NUMBERS))]);
        break;
    default:
        put_word(b);
    }
}

static void put_event(struct buf *b, int depth)
{
    unsigned kind = depth == 0 ? 0 : roll(4);
    if (kind == 0 && depth < 4) {
        buf_add_byte(b, '{');
        for (unsigned i = 0, n = roll(4) + (depth == 0); i < n; i++) {
            buf_add_fmt(b, "%s\"%s\":", i ? "," : "", NAMES[roll(ARRAY_LEN(NAMES))]);
            put_event(b, depth + 1);
        }
        buf_add_byte(b, '}');
    } else if (kind == 1 && depth < 4) {
        buf_add_byte(b, '[');
        for (unsigned i = 0, n = roll(4); i < n; i++) {
            if (i)
                buf_add_byte(b, ',');
            put_event(b, depth + 1);
        }
        buf_add_byte(b, ']');
    } else {
        put_leaf(b);
    }
}

static void put_affix(struct buf *b, bool nonempty)
{
    const char *w;
    do
        w = WORDS[roll(ARRAY_LEN(WORDS))];
    while (nonempty && !*w);
    buf_add_fmt(b, "\"%s\"", w);
}

static void put_negation(struct buf *b)
{
    static const char *const ops[] = {"prefix", "suffix", "equals-ignore-case", "wildcard"};
    const char *op = ops[roll(4)];
    BUF_ADD_LIT(b, "{\"anything-but\":");
    switch (roll(4)) {
    case 0:
        put_word(b);
        break;
    case 1:
        buf_add_fmt(b, "[%s,%s]", NUMBERS[roll(8)], NUMBERS[roll(8)]);
        break;
    case 2:
        BUF_ADD_LIT(b, "[");
        put_word(b);
        BUF_ADD_LIT(b, ",");
        put_word(b);
        BUF_ADD_LIT(b, "]");
        break;
    default:
        buf_add_fmt(b, "{\"%s\":", op);
        if (roll(2)) {
            put_affix(b, true);
        } else {
            BUF_ADD_LIT(b, "[");
            put_affix(b, true);
            BUF_ADD_LIT(b, ",");
            put_affix(b, true);
            BUF_ADD_LIT(b, "]");
        }
        BUF_ADD_LIT(b, "}");
    }
    BUF_ADD_LIT(b, "}");
}

static void put_value(struct buf *b)
{
    switch (roll(14)) {
    case 12:
        buf_add_fmt(b, "{\"cidr\":\"%s\"}", NETS[roll(ARRAY_LEN(NETS))]);
        break;
    case 13:
        BUF_ADD_LIT(b, "{\"exactly\":");
        put_word(b);
        BUF_ADD_LIT(b, "}");
        break;
    case 0:
        buf_add_fmt(b, "{\"%s\":", roll(2) ? "prefix" : "suffix");
        put_word(b);
        BUF_ADD_LIT(b, "}");
        break;
    case 1:
        buf_add_fmt(b, "{\"%s\":{\"equals-ignore-case\":", roll(2) ? "prefix" : "suffix");
        put_word(b);
        BUF_ADD_LIT(b, "}}");
        break;
    case 2:
        put_negation(b);
        break;
    case 3:
        BUF_ADD_LIT(b, "{\"equals-ignore-case\":");
        put_word(b);
        BUF_ADD_LIT(b, "}");
        break;
    case 4: {
        static const char *const w[] = {"*",    "a*", "*b",      "a*c",    "*b*",
                                        "a*b*", "b",  "a\\\\*c", "*\\\\**"};
        buf_add_fmt(b, "{\"wildcard\":\"%s\"}", w[roll(ARRAY_LEN(w))]);
        break;
    }
    case 5: {
        static const char *const ops[] = {"=", "<", "<=", ">", ">="};
        buf_add_fmt(b, "{\"numeric\":[\"%s\",%s]}", ops[roll(5)], NUMBERS[roll(8)]);
        break;
    }
    case 6:
        buf_add_fmt(b, "{\"numeric\":[\"%s\",%s,\"%s\",2.6]}",
                    roll(2) ? ">" : ">=", NUMBERS[roll(8)], roll(2) ? "<" : "<=");
        break;
    case 7:
        buf_add_fmt(b, "{\"exists\":%s}", roll(2) ? "true" : "false");
        break;
    default:
        put_leaf(b);
    }
}

static void put_pattern(struct buf *b, int depth)
{
    buf_add_byte(b, '{');
    for (unsigned i = 0, n = roll(3) + 1; i < n; i++) {
        buf_add_c(b, i ? "," : "");
        unsigned kind = roll(8);
        if (kind == 0 && depth < 3) {
            BUF_ADD_LIT(b, "\"$or\":[");
            put_pattern(b, depth + 1);
            buf_add_byte(b, ',');
            put_pattern(b, depth + 1);
            buf_add_byte(b, ']');
            continue;
        }
        buf_add_fmt(b, "\"%s\":", NAMES[roll(ARRAY_LEN(NAMES))]);
        if (kind < 4 && depth < 3) {
            put_pattern(b, depth + 1);
            continue;
        }
        buf_add_byte(b, '[');
        put_value(b);
        if (roll(3) == 0) {
            buf_add_byte(b, ',');
            put_value(b);
        }
        buf_add_byte(b, ']');
    }
    buf_add_byte(b, '}');
}

enum { ROUNDS = 1500, PATTERNS = 12, EVENTS = 6 };

static void one_round(size_t *matched)
{
    struct arena a;
    struct pattern *patterns[PATTERNS];
    struct json *trees[PATTERNS];
    struct pattern_set *set;
    struct str text;
    arena_init(&a, 64 << 20);
    for (int i = 0; i < PATTERNS; i++) {
        struct buf b;
        buf_init_arena(&b, &a, 1 << 20);
        put_pattern(&b, 0);
        assert_int_equal(json_parse(&a, buf_str(&b), &trees[i], NULL), ERR_OK);
        enum err e = pattern_parse(&a, buf_str(&b), PATTERN_EVENTS, &patterns[i], &text);
        if (e != ERR_OK)
            fail_msg("%.*s: %.*s", STR_ARG(buf_str(&b)), STR_ARG(text));
    }
    assert_int_equal(pattern_set_new(&a, patterns, PATTERNS, &set), ERR_OK);
    for (int k = 0; k < EVENTS; k++) {
        struct buf b;
        struct json *event;
        const uint32_t *ids;
        size_t n, at = 0;
        buf_init_arena(&b, &a, 1 << 20);
        put_event(&b, 0);
        assert_int_equal(json_parse(&a, buf_str(&b), &event, NULL), ERR_OK);
        assert_int_equal(pattern_set_match(set, event, &a, &ids, &n), ERR_OK);
        for (uint32_t i = 0; i < PATTERNS; i++) {
            bool found = at < n && ids[at] == i;
            at += found;
            if (found != plain_match(trees[i], event))
                fail_msg("%.*s on %.*s: %d", STR_ARG(trees[i]->raw), STR_ARG(event->raw), found);
        }
        *matched += n;
    }
    arena_release(&a);
}

static void test_against_plain(void **state)
{
    const char *given = getenv("PATTERN_SEED");
    dice = given ? strtoull(given, NULL, 0) : 0x9e3779b97f4a7c15ull;
    printf("PATTERN_SEED=0x%" PRIx64 "\n", dice);
    size_t matched = 0;
    for (int i = 0; i < ROUNDS; i++)
        one_round(&matched);
    printf("%d pairs, %zu match\n", ROUNDS * PATTERNS * EVENTS, matched);
    assert_true(matched > 1000);
}

/* --- many rules; PATTERN_BENCH=1 prints the cost, for the note in src/lang/README.md ------------ */

static void fill(struct arena *a, struct pattern **patterns, int n)
{
    for (int i = 0; i < n; i++) {
        struct str message_text;
        struct str text = str_fmt(
            a,
            "{\"source\":[\"shop\"],\"detail-type\":[\"order\"],\"detail\":{\"customer\":{\"id\":"
            "[\"c%d\"]},\"total\":[{\"numeric\":[\">\",%d]}],\"country\":[{\"anything-but\":\"x\"}]"
            "}}",
            i, i);
        assert_int_equal(pattern_parse(a, text, PATTERN_EVENTS, &patterns[i], &message_text),
                         ERR_OK);
    }
}

static void test_many_rules(void **state)
{
    static const int sizes[] = {10, 1000, 10000};
    struct str text =
        STR("{\"version\":\"0\",\"id\":\"6a7e8feb\",\"source\":\"shop\",\"detail-type\":"
            "\"order\",\"account\":\"123456789012\",\"detail\":{\"customer\":{\"id\":"
            "\"c7\",\"name\":\"n\"},\"total\":99.5,\"country\":\"NO\",\"lines\":[{\"sku\":"
            "\"a\",\"n\":1},{\"sku\":\"b\",\"n\":2}]}}");
    for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
        struct arena a, scratch;
        struct pattern *patterns[10000];
        struct pattern_set *set;
        struct json *event;
        const uint32_t *ids;
        size_t n;
        arena_init(&a, 256 << 20);
        arena_init(&scratch, 1 << 20);
        fill(&a, patterns, sizes[k]);
        assert_int_equal(pattern_set_new(&a, patterns, (size_t)sizes[k], &set), ERR_OK);
        assert_int_equal(json_parse(&a, text, &event, NULL), ERR_OK);
        const int times = getenv("PATTERN_BENCH") ? 20000 : 1;
        struct timespec from, to;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        for (int i = 0; i < times; i++) {
            arena_clear(&scratch);
            assert_int_equal(pattern_set_match(set, event, &scratch, &ids, &n), ERR_OK);
            assert_int_equal(n, 1);
            assert_int_equal(ids[0], 7);
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
        if (times > 1)
            printf("%d rules: %.0f ns an event\n", sizes[k], ns / times);
        arena_release(&a);
        arena_release(&scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators),  cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_dialects),   cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_steps),
        cmocka_unit_test(test_memory),     cmocka_unit_test(test_against_plain),
        cmocka_unit_test(test_many_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
