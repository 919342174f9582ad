/* Expressions: conditions, updates, projections, key conditions, and their errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svc/dynamodb/ddb_item.h"
#include "svc/dynamodb/ddb_words.h"
#include "svc/dynamodb/dynamodb_keys.h"

static struct arena arena;
static struct ddb_diag diag;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 256 * 1024 * 1024);
    diag = (struct ddb_diag){.arena = &arena};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* JSON from text with ' for ". */
static struct json *parse_json(const char *text)
{
    struct json *v;
    struct str copy = str_dup(&arena, str_c(text));
    for (size_t i = 0; i < copy.len; i++)
        if (copy.p[i] == '\'')
            ((char *)copy.p)[i] = '"';
    assert_int_equal(json_parse(&arena, copy, &v, NULL), ERR_OK);
    return v;
}

static const char NAMES[] = "{'#n':'name','#s':'status','#d':'a.b','#v':'version'}";
static const char VALUES[] =
    "{':one':{'N':'1'},':two':{'N':'2'},':x':{'S':'x'},':xy':{'S':'xy'},':l':{'L':[{'S':'z'}]},"
    "':ss':{'SS':['p','q']},':ns':{'NS':['1','5']},':m':{'M':{'k':{'S':'v'}}},':t':{'BOOL':true},"
    "':null':{'NULL':true},':b':{'B':'aGk='},':tS':{'S':'S'},':tQ':{'S':'Q'},':big':{'N':'10'},"
    "':empty':{'S':''},':nine':{'N':'9'}}";
static const char ITEM[] =
    "{'id':{'S':'1'},'n':{'N':'5'},'s':{'S':'hello'},'name':{'S':'bob'},'status':{'S':'x'},"
    "'l':{'L':[{'N':'1'},{'N':'2'},{'M':{'k':{'S':'deep'}}}]},'m':{'M':{'k':{'S':'v'},'j':{'N':'3'}"
    "}},'ss':{'SS':['p','r']},'ns':{'NS':['1','2']},'t':{'BOOL':true},'z':{'NULL':true},"
    "'b':{'B':'aGk='},'a.b':{'S':'dot'},'version':{'N':'1'}}";

static struct ddb_av *make_item(const char *text)
{
    struct ddb_av *item;
    assert_int_equal(ddb_item_from_json(&diag, parse_json(text), &item), ERR_OK);
    return item;
}

static struct ddb_env make_env(void)
{
    struct ddb_env env = {.diag = &diag};
    struct json *names = parse_json(NAMES);
    env.names = ARENA_ARRAY(&arena, struct ddb_env_name, names->n);
    JSON_EACH (names, e)
        assert_int_equal(ddb_env_add_name(&env, e->key, e->text), ERR_OK);
    assert_int_equal(ddb_env_set_values(&env, parse_json(VALUES)), ERR_OK);
    return env;
}

/* --- conditions ------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    bool holds;
} CONDITIONS[] = {
    {"id = :x", false},
    {"n > :one", true},
    {"n>:one", true},
    {"n < :one", false},
    {"n >= :one AND n <= :big", true},
    {"n BETWEEN :one AND :two", false},
    {"n between :one and :big", true},
    {"NOT n BETWEEN :one AND :two", true},
    {"n IN (:one, :two)", false},
    {"#n IN (:x, :xy)", false},
    {"#s IN (:xy, :x)", true},
    {"#s = :x", true},
    {"#s <> :x", false},
    {"#s <> :one", true},
    {"gone <> :one", true},
    {"gone = :one", false},
    {"gone < :one", false},
    {"NOT gone = :one", true},
    {":one = :two", false},
    {":one < :two", true},
    {"attribute_exists(n)", true},
    {"attribute_exists(gone)", false},
    {"attribute_not_exists(gone)", true},
    {"attribute_exists(m.k)", true},
    {"attribute_exists(m.q)", false},
    {"attribute_exists(l[2].k)", true},
    {"attribute_exists(l[3])", false},
    {"attribute_exists(l.k)", false},
    {"attribute_exists(m[0])", false},
    {"attribute_exists(#d)", true},
    {"attribute_type(s, :tS)", true},
    {"attribute_type(n, :tS)", false},
    {"begins_with(#s, :x)", true},
    {"begins_with(#s, :xy)", false},
    {"begins_with(b, :b)", true},
    {"begins_with(n, :x)", false},
    {"contains(ss, :x)", false},
    {"contains(ns, :one)", true},
    {"contains(l, :two)", true},
    {"contains(l, :x)", false},
    {"contains(s, :empty)", true},
    {"size(s) > :two", true},
    {"size(l) = :two", false},
    {"size(l) > :two", true},
    {"size(ss) = :two", true},
    {"size(n) = :one", false},
    {"size(b) = :two", true},
    {":one < size(s)", true},
    {"version = :one", true},
    {"t = :t", true},
    {"z = :null", true},
    {"m = :m", false},
    {"n = :one OR s = :x OR t = :t", true},
    {"n = :one OR s = :x AND t = :t", false},
    {"(n = :one OR t = :t) AND z = :null", true},
    {"NOT (n = :one OR t = :t)", false},
    {"NOT NOT t = :t", true},
    {"l[0] = :one and l[1] = :two", true},
    {"n > m.j", true},
    {"ns <> ss", true},
    {"n = :one OR NOT (attribute_exists(n) AND size(s) > :big)", true},
    {"(size(l)) > :two", true},
    {"(n) = (m.j)", false},
    {":two < (size(l))", true},
    {"(n) BETWEEN (:one) AND (:big)", true},
    {"(t) IN ((:one), :t)", true},
    {"((n) > :one)", true},
    {"NOT ((n) > :one)", false},
    {"attribute_type(:x, :tS)", true},
    {"attribute_type(:one, :tS)", false},
    {"contains(:xy, :x)", true},
};

static void test_conditions(void **state)
{
    (void)state;
    struct ddb_av *item = make_item(ITEM);
    struct str raw;
    assert_int_equal(ddb_item_encode(&arena, item, ddb_item_size(item), &raw), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(CONDITIONS); i++) {
        struct ddb_env env = make_env();
        struct ddb_node *node;
        struct ddb_source tree = {&arena, item, STR_NONE}, stored = {&arena, NULL, raw};
        bool holds;
        if (ddb_parse_condition(&env, "ConditionExpression", str_c(CONDITIONS[i].text), &node))
            fail_msg("%s: " STR_FMT, CONDITIONS[i].text, STR_ARG(diag.msg));
        assert_int_equal(ddb_eval_condition(&diag, node, &tree, &holds), ERR_OK);
        if (holds != CONDITIONS[i].holds)
            fail_msg("%s: %d", CONDITIONS[i].text, holds);
        assert_int_equal(ddb_eval_condition(&diag, node, &stored, &holds), ERR_OK);
        assert_int_equal(holds, CONDITIONS[i].holds);
    }
}

static const struct {
    const char *text, *message;
} BAD_CONDITIONS[] = {
    {"", "The expression can not be empty;"},
    {"   ", "The expression can not be empty;"},
    {"a", "Syntax error; token: \"<EOF>\", near: \"a\""},
    {"a =", "Syntax error; token: \"<EOF>\", near: \"=\""},
    {"= :one", "Syntax error; token: \"=\", near: \"= :one\""},
    {"a = :one b", "Syntax error; token: \"b\", near: \":one b\""},
    {"a x b", "Syntax error; token: \"x\", near: \"a x b\""},
    {"a = = :one", "Syntax error; token: \"=\", near: \"= = :one\""},
    {"(a = :one", "Syntax error; token: \"<EOF>\", near: \":one\""},
    {"a = :one)", "Syntax error; token: \")\", near: \":one)\""},
    {"a = :one AND", "Syntax error; token: \"<EOF>\", near: \"AND\""},
    {"a == :one", "Syntax error; token: \"=\", near: \"== :one\""},
    {"a != :one", "Syntax error; token: \"!\", near: \"a !=\""},
    {"a = 5", "Syntax error; token: \"5\", near: \"= 5\""},
    {"a = 'x'", "Syntax error; token: \"'\", near: \"= 'x\""},
    {"a[x] = :one", "Syntax error; token: \"x\", near: \"[x]\""},
    {"a. = :one", "Syntax error; token: \"=\", near: \". = :one\""},
    {"a\xc3\xa9 = :one", "Syntax error; token: \"\xc3\xa9\", near: \"a\xc3\xa9 =\""},
    {"!!! INVALID !!!", "Syntax error; token: \"!\", near: \"!!\""},
    {"a b !", "Syntax error; token: \"b\", near: \"a b !\""},
    {"_abc = :one", "Syntax error; token: \"_\", near: \"_abc\""},
    {"# = :one", "Syntax error; token: \"#\", near: \"# =\""},
    {"a = :", "Syntax error; token: \":\", near: \"= :\""},
    {"name = :one", "Attribute name is a reserved keyword; reserved keyword: name"},
    {"a.Status = :one", "Attribute name is a reserved keyword; reserved keyword: Status"},
    {"#zz = :one", "An expression attribute name used in the document path is not defined; "
                   "attribute name: #zz"},
    {"a = :zz",
     "An expression attribute value used in expression is not defined; attribute value: :zz"},
    {"foo(a)", "Invalid function name; function: foo"},
    {"ATTRIBUTE_EXISTS(a)", "Invalid function name; function: ATTRIBUTE_EXISTS"},
    {"attribute_exists(a, b)", "Incorrect number of operands for operator or function; operator or "
                               "function: attribute_exists, number of operands: 2"},
    {"begins_with(a)", "Incorrect number of operands for operator or function; operator or "
                       "function: begins_with, number of operands: 1"},
    {"attribute_exists(:one)",
     "Operator or function requires a document path; operator or function: attribute_exists"},
    {"begins_with(a, :one)", "Incorrect operand type for operator or function; operator or "
                             "function: begins_with, operand type: N"},
    {"attribute_type(a, :tQ)", "Invalid attribute type name found; type: Q, valid types: "
                               "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
    {"size(a)", "The function is not allowed to be used this way in an expression; function: size"},
    {"size(a) AND b = :one",
     "The function is not allowed to be used this way in an expression; function: size"},
    {"attribute_exists(a) = :t", "Syntax error; token: \"=\", near: \") = :t\""},
    {"a = attribute_exists(b)", "The function is not allowed to be used this way in an expression; "
                                "function: attribute_exists"},
    {"a = if_not_exists(b, :one)",
     "The function is not allowed in a condition expression; function: if_not_exists"},
    {"a < :l", "Incorrect operand type for operator or function; operator: <, operand type: L"},
    {"a BETWEEN :two AND :one",
     "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower "
     "bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}"},
    {"a BETWEEN :one AND :x", "The BETWEEN operator requires same data type for lower and upper "
                              "bounds; lower bound operand: "
                              "AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:x}"},
    {"a = a", "The first operand must be distinct from the remaining operands for this operator or "
              "function; operator: =, first operand: [a]"},
    {"((a = :one))", "The expression has redundant parentheses;"},
    {"a = :one AND ((b = :two))", "The expression has redundant parentheses;"},
    {"((a)) = :one", "The expression has redundant parentheses;"},
    {"a = ((:one))", "The expression has redundant parentheses;"},
    {"(a)", "Syntax error; token: \"<EOF>\", near: \")\""},
    {"a = :one AND (b)", "Syntax error; token: \"<EOF>\", near: \")\""},
    {"(a = :one AND b)", "Syntax error; token: \")\", near: \"b)\""},
    {"(a) AND b = :one", "Syntax error; token: \"AND\", near: \") AND b\""},
    {"NOT (a)", "Syntax error; token: \"<EOF>\", near: \")\""},
    {"(size(a))",
     "The function is not allowed to be used this way in an expression; function: size"},
    {"size(size(a)) = :one",
     "The function is not allowed to be used this way in an expression; function: size"},
    {"contains(a, a)", "The first operand must be distinct from the remaining operands for this "
                       "operator or function; operator: contains, first operand: [a]"},
    {"begins_with(a.b, a.b)",
     "The first operand must be distinct from the remaining operands for this operator or "
     "function; operator: begins_with, first operand: [a, b]"},
    {"attribute_type(a, b)", "Incorrect operand type for operator or function; operator or "
                             "function: attribute_type, operand type: M"},
    {"_abc = :one", "Syntax error; token: \"_\", near: \"_abc\""},
    {"_f(a)", "Syntax error; token: \"_\", near: \"_f\""},
};

static void test_bad_conditions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(BAD_CONDITIONS); i++) {
        struct ddb_env env = make_env();
        struct ddb_node *node;
        struct str want =
            str_fmt(&arena, "Invalid ConditionExpression: %s", BAD_CONDITIONS[i].message);
        if (ddb_parse_condition(&env, "ConditionExpression", str_c(BAD_CONDITIONS[i].text),
                                &node) != ERR_INVALID)
            fail_msg("%s: accepted", BAD_CONDITIONS[i].text);
        if (!str_eq(diag.msg, want))
            fail_msg("%s: " STR_FMT, BAD_CONDITIONS[i].text, STR_ARG(diag.msg));
    }
}

static struct str repeated(const char *first, const char *more, size_t n, const char *last)
{
    struct buf b;
    buf_init_arena(&b, &arena, 1024 * 1024);
    buf_add_c(&b, first);
    for (size_t i = 0; i < n; i++)
        buf_add_c(&b, more);
    buf_add_c(&b, last);
    return buf_str(&b);
}

static void test_limits(void **state)
{
    (void)state;
    struct ddb_env env = make_env();
    struct ddb_node *node;
    /* operators: n comparisons and n - 1 ORs */
    assert_int_equal(ddb_parse_condition(&env, "ConditionExpression",
                                         repeated("a=:x", " OR a=:x", 149, ""), &node),
                     ERR_OK);
    assert_int_equal(ddb_parse_condition(&env, "ConditionExpression",
                                         repeated("a=:x", " OR a=:x", 150, ""), &node),
                     ERR_INVALID);
    /* bytes */
    assert_int_equal(ddb_parse_condition(&env, "ConditionExpression",
                                         repeated("a=:x", " ", DDB_EXPR_BYTES_MAX - 4, ""), &node),
                     ERR_OK);
    assert_int_equal(ddb_parse_condition(&env, "ConditionExpression",
                                         repeated("a=:x", " ", DDB_EXPR_BYTES_MAX - 3, ""), &node),
                     ERR_INVALID);
    /* nesting */
    assert_int_equal(ddb_parse_condition(&env, "ConditionExpression",
                                         repeated("", "NOT ", DDB_EXPR_DEPTH_MAX - 1, "a=:x"),
                                         &node),
                     ERR_OK);
    assert_int_equal(ddb_parse_condition(&env, "ConditionExpression",
                                         repeated("", "NOT ", DDB_EXPR_DEPTH_MAX, "a=:x"), &node),
                     ERR_INVALID);
    assert_int_equal(
        ddb_parse_condition(&env, "ConditionExpression", repeated("", "(", 4000, ""), &node),
        ERR_INVALID);
    assert_int_equal(
        ddb_parse_condition(&env, "ConditionExpression", repeated("", "size(", 800, ""), &node),
        ERR_INVALID);
    /* parentheses: each after an operator, so that none is redundant */
    static const size_t deep[] = {148, 149};
    for (size_t i = 0; i < ARRAY_LEN(deep); i++) {
        struct str head = repeated("", "a=:x AND (", deep[i], "a=:x");
        struct str text = str_fmt(&arena, STR_FMT STR_FMT, STR_ARG(head),
                                  STR_ARG(repeated("", ")", deep[i], "")));
        assert_int_equal(ddb_parse_condition(&env, "ConditionExpression", text, &node), ERR_OK);
    }
    /* elements of a path */
    struct ddb_paths paths;
    assert_int_equal(ddb_parse_projection(&env, repeated("a", ".a", DDB_DEPTH_MAX - 1, ""), &paths),
                     ERR_OK);
    assert_int_equal(ddb_parse_projection(&env, repeated("a", ".a", DDB_DEPTH_MAX, ""), &paths),
                     ERR_INVALID);
    /* operands of IN */
    assert_int_equal(ddb_parse_condition(&env, "ConditionExpression",
                                         repeated("a IN (:x", ",:x", DDB_EXPR_IN_MAX - 1, ")"),
                                         &node),
                     ERR_OK);
    assert_int_equal(ddb_parse_condition(&env, "ConditionExpression",
                                         repeated("a IN (:x", ",:x", DDB_EXPR_IN_MAX, ")"), &node),
                     ERR_INVALID);
}

/* --- names and values ------------------------------------------------------------------------- */

static void test_env(void **state)
{
    (void)state;
    struct ddb_env env = {.diag = &diag};
    struct ddb_node *node;
    env.names = ARENA_ARRAY(&arena, struct ddb_env_name, 4);
    assert_int_equal(ddb_env_add_name(&env, STR("n"), STR("x")), ERR_INVALID);
    assert_true(str_eq_c(diag.msg, "ExpressionAttributeNames contains invalid key: Syntax error; "
                                   "key: \"n\""));
    assert_int_equal(ddb_env_add_name(&env, STR("#"), STR("x")), ERR_INVALID);
    assert_int_equal(ddb_env_add_name(&env, STR("#a-b"), STR("x")), ERR_INVALID);
    assert_int_equal(ddb_env_add_name(&env, STR("#a"), STR("")), ERR_INVALID);
    assert_int_equal(ddb_env_add_name(&env, STR("#a"), STR("x")), ERR_OK);
    assert_int_equal(ddb_env_add_name(&env, STR("#b"), STR("y")), ERR_OK);
    assert_int_equal(ddb_env_set_values(&env, parse_json("{}")), ERR_INVALID);
    assert_int_equal(ddb_env_set_values(&env, parse_json("{'v':{'S':'x'}}")), ERR_INVALID);
    assert_int_equal(ddb_env_set_values(&env, parse_json("{':v':{}}")), ERR_INVALID);
    assert_true(str_eq_c(diag.msg,
                         "ExpressionAttributeValues contains invalid value: Supplied "
                         "AttributeValue is empty, must contain exactly one of the supported "
                         "datatypes for key :v"));
    assert_int_equal(ddb_env_set_values(&env, parse_json("{':v':{'S':'x'},':w':{'S':'y'}}")),
                     ERR_OK);
    assert_int_equal(ddb_env_check_used(&env), ERR_INVALID);
    assert_true(str_eq_c(diag.msg, "Value provided in ExpressionAttributeValues unused in "
                                   "expressions: keys: {:v, :w}"));
    assert_int_equal(
        ddb_parse_condition(&env, "ConditionExpression", STR("#a = :v OR #a = :w"), &node), ERR_OK);
    assert_int_equal(ddb_env_check_used(&env), ERR_INVALID);
    assert_true(str_eq_c(diag.msg,
                         "Value provided in ExpressionAttributeNames unused in expressions: keys: "
                         "{#b}"));
}

static void test_words(void **state)
{
    (void)state;
    assert_true(ddb_word_reserved(STR("name")));
    assert_true(ddb_word_reserved(STR("NAME")));
    assert_true(ddb_word_reserved(STR("Abort")));
    assert_true(ddb_word_reserved(STR("zone")));
    assert_true(ddb_word_reserved(STR("localtimestamp")));
    assert_false(ddb_word_reserved(STR("version")));
    assert_false(ddb_word_reserved(STR("id")));
    assert_false(ddb_word_reserved(STR("")));
    assert_false(ddb_word_reserved(STR("averyveryverylongattributename")));
}

/* --- updates ---------------------------------------------------------------------------------- */

static const char OLD[] = "{'id':{'S':'1'},'n':{'N':'5'},'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'}]},"
                          "'m':{'M':{'k':{'S':'v'}}},'ss':{'SS':['p','r']}}";

static const struct {
    const char *text, *result; /* what changed of OLD, whole item */
} UPDATES[] = {
    {"SET a = :x", "{'id':{'S':'1'},'n':{'N':'5'},'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'}]},"
                   "'m':{'M':{'k':{'S':'v'}}},'ss':{'SS':['p','r']},'a':{'S':'x'}}"},
    {"REMOVE l, m, ss SET n = n + :one", "{'id':{'S':'1'},'n':{'N':'6'}}"},
    {"set n = n - :nine remove l, m, ss", "{'id':{'S':'1'},'n':{'N':'-4'}}"},
    {"SET n = :one + n REMOVE l, m, ss", "{'id':{'S':'1'},'n':{'N':'6'}}"},
    {"SET n = if_not_exists(n, :one) REMOVE l, m, ss", "{'id':{'S':'1'},'n':{'N':'5'}}"},
    {"SET c = if_not_exists(c, :one) + :two REMOVE l, m, ss, n", "{'id':{'S':'1'},'c':{'N':'3'}}"},
    {"SET l = list_append(l, :l) REMOVE n, m, ss",
     "{'id':{'S':'1'},'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},{'S':'z'}]}}"},
    {"SET l = list_append(:l, l) REMOVE n, m, ss",
     "{'id':{'S':'1'},'l':{'L':[{'S':'z'},{'N':'0'},{'N':'1'},{'N':'2'}]}}"},
    {"SET q = list_append(if_not_exists(q, :l), :l) REMOVE n, m, ss, l",
     "{'id':{'S':'1'},'q':{'L':[{'S':'z'},{'S':'z'}]}}"},
    {"SET l[1] = :x REMOVE n, m, ss", "{'id':{'S':'1'},'l':{'L':[{'N':'0'},{'S':'x'},{'N':'2'}]}}"},
    {"SET l[9] = :x, l[7] = :one REMOVE n, m, ss",
     "{'id':{'S':'1'},'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},{'N':'1'},{'S':'x'}]}}"},
    {"REMOVE l[0], l[2], n, m, ss", "{'id':{'S':'1'},'l':{'L':[{'N':'1'}]}}"},
    {"REMOVE l[8], n, m, ss", "{'id':{'S':'1'},'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'}]}}"},
    {"REMOVE l[0], n, m, ss SET l[2] = :x", "{'id':{'S':'1'},'l':{'L':[{'N':'1'},{'S':'x'}]}}"},
    {"SET m.j = :one, m.k = m.k REMOVE n, l, ss",
     "{'id':{'S':'1'},'m':{'M':{'k':{'S':'v'},'j':{'N':'1'}}}}"},
    {"REMOVE m.k, n, l, ss", "{'id':{'S':'1'},'m':{'M':{}}}"},
    {"REMOVE m.zz, n, l, ss", "{'id':{'S':'1'},'m':{'M':{'k':{'S':'v'}}}}"},
    {"SET m.k = n, n = :x REMOVE l, ss",
     "{'id':{'S':'1'},'n':{'S':'x'},'m':{'M':{'k':{'N':'5'}}}}"},
    {"ADD n :one REMOVE l, m, ss", "{'id':{'S':'1'},'n':{'N':'6'}}"},
    {"ADD c :two REMOVE l, m, ss, n", "{'id':{'S':'1'},'c':{'N':'2'}}"},
    {"ADD ss :ss REMOVE l, m, n", "{'id':{'S':'1'},'ss':{'SS':['p','r','q']}}"},
    {"ADD fresh :ns REMOVE l, m, n, ss", "{'id':{'S':'1'},'fresh':{'NS':['1','5']}}"},
    {"ADD m.c :one REMOVE l, n, ss", "{'id':{'S':'1'},'m':{'M':{'k':{'S':'v'},'c':{'N':'1'}}}}"},
    {"DELETE ss :ss REMOVE l, m, n", "{'id':{'S':'1'},'ss':{'SS':['r']}}"},
    {"DELETE zz :ss REMOVE l, m, n, ss", "{'id':{'S':'1'}}"},
    {"SET #n = :x REMOVE l, m, n, ss", "{'id':{'S':'1'},'name':{'S':'x'}}"},
    {"SET version = :two REMOVE l, m, n, ss", "{'id':{'S':'1'},'version':{'N':'2'}}"},
    {"SET version = (:one)+(:two) REMOVE l, m, n, ss", "{'id':{'S':'1'},'version':{'N':'3'}}"},
    {"SET version = (n - :two) REMOVE l, m, n, ss", "{'id':{'S':'1'},'version':{'N':'3'}}"},
    {"SET version = (n) REMOVE l, m, n, ss", "{'id':{'S':'1'},'version':{'N':'5'}}"},
    {"SET version = if_not_exists(n, (:two)) REMOVE l, m, n, ss",
     "{'id':{'S':'1'},'version':{'N':'5'}}"},
    {"SET a_b = :x REMOVE l, m, n, ss", "{'id':{'S':'1'},'a_b':{'S':'x'}}"},
};

static void test_updates(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(UPDATES); i++) {
        struct ddb_env env = make_env();
        struct ddb_update update;
        struct ddb_av *old = make_item(OLD), *item = ddb_av_copy(&arena, old);
        struct ddb_av *want = make_item(UPDATES[i].result);
        struct buf b;
        if (ddb_parse_update(&env, str_c(UPDATES[i].text), &update) ||
            ddb_update_apply(&diag, &update, old, item))
            fail_msg("%s: " STR_FMT, UPDATES[i].text, STR_ARG(diag.msg));
        buf_init_arena(&b, &arena, 4096);
        ddb_item_put_json(&b, item);
        if (!ddb_av_equal(item, want))
            fail_msg("%s: " STR_FMT, UPDATES[i].text, STR_ARG(buf_str(&b)));
        assert_true(ddb_av_equal(old, make_item(OLD)));
    }
}

static const struct {
    const char *text, *message;
} BAD_UPDATES[] = {
    {"", "Invalid UpdateExpression: The expression can not be empty;"},
    {"a = :x", "Invalid UpdateExpression: Syntax error; token: \"a\", near: \"a =\""},
    {"SET", "Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \"SET\""},
    {"SET a", "Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \"a\""},
    {"SET a = ", "Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \"=\""},
    {"SET a = :x,", "Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \",\""},
    {"SET a = :x b = :x", "Invalid UpdateExpression: Syntax error; token: \"b\", near: \":x b =\""},
    {"SET a = :one * :two",
     "Invalid UpdateExpression: Syntax error; token: \"*\", near: \":one * :two\""},
    {"SET a = :x SET b = :x", "Invalid UpdateExpression: The \"SET\" section can only be used once "
                              "in an update expression;"},
    {"SET a = :x, a = :xy",
     "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite "
     "one of these paths; path one: [a], path two: [a]"},
    {"SET a.b = :x REMOVE a",
     "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite "
     "one of these paths; path one: [a, b], path two: [a]"},
    {"SET a.b = :x, a[0] = :x", "Invalid UpdateExpression: Two document paths conflict with each "
                                "other; must remove or rewrite "
                                "one of these paths; path one: [a, b], path two: [a, [0]]"},
    {"SET name = :x", "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved "
                      "keyword: name"},
    {"SET a = size(b)", "Invalid UpdateExpression: The function is not allowed in an update "
                        "expression; function: size"},
    {"SET a = list_append(b, :x)",
     "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or "
     "function: list_append, operand type: S"},
    {"SET a = n + :x", "Invalid UpdateExpression: Incorrect operand type for operator or function; "
                       "operator or function: +, operand type: S"},
    {"SET a = if_not_exists(:x, :x)", "Invalid UpdateExpression: Operator or function requires a "
                                      "document path; operator or function: if_not_exists"},
    {"ADD n :x", "Invalid UpdateExpression: Incorrect operand type for operator or function; "
                 "operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"},
    {"ADD n n", "Invalid UpdateExpression: Syntax error; token: \"n\", near: \"n n\""},
    {"DELETE n :one", "Invalid UpdateExpression: Incorrect operand type for operator or function; "
                      "operator: DELETE, operand type: NUMBER, typeSet: "
                      "ALLOWED_FOR_DELETE_OPERAND"},
    {"SET a = gone",
     "The provided expression refers to an attribute that does not exist in the item"},
    {"SET a = gone + :one",
     "The provided expression refers to an attribute that does not exist in the item"},
    {"SET a = ss + :one", "An operand in the update expression has an incorrect data type"},
    {"SET a = list_append(n, :l)",
     "An operand in the update expression has an incorrect data type"},
    {"SET q.r = :x", "The document path provided in the update expression is invalid for update"},
    {"SET n.r = :x", "The document path provided in the update expression is invalid for update"},
    {"SET m[0] = :x", "The document path provided in the update expression is invalid for update"},
    {"REMOVE q.r", "The document path provided in the update expression is invalid for update"},
    {"ADD l :one", "An operand in the update expression has an incorrect data type"},
    {"SET a = (n + :one) + :one", "Invalid UpdateExpression: Syntax error; token: \"+\", near: "
                                  "\") + :one\""},
    {"SET a = ((n))", "Invalid UpdateExpression: The expression has redundant parentheses;"},
    {"SET a = list_append(list_append(l, :l), :l)",
     "Invalid UpdateExpression: The function is not allowed to be used this way in an expression; "
     "function: list_append"},
    {"SET _a = :x", "Invalid UpdateExpression: Syntax error; token: \"_\", near: \"SET _a\""},
    {"ADD n :ss", "An operand in the update expression has an incorrect data type"},
    {"DELETE ss :ns", "An operand in the update expression has an incorrect data type"},
};

static void test_bad_updates(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(BAD_UPDATES); i++) {
        struct ddb_env env = make_env();
        struct ddb_update update;
        struct ddb_av *old = make_item(OLD), *item = ddb_av_copy(&arena, old);
        enum err err = ddb_parse_update(&env, str_c(BAD_UPDATES[i].text), &update);
        if (!err)
            err = ddb_update_apply(&diag, &update, old, item);
        if (err != ERR_INVALID)
            fail_msg("%s: accepted", BAD_UPDATES[i].text);
        if (!str_eq_c(diag.msg, BAD_UPDATES[i].message))
            fail_msg("%s: " STR_FMT, BAD_UPDATES[i].text, STR_ARG(diag.msg));
    }
}

/* --- projections ------------------------------------------------------------------------------ */

static const struct {
    const char *text, *result;
} PROJECTIONS[] = {
    {"id", "{'id':{'S':'1'}}"},
    {"id, n", "{'id':{'S':'1'},'n':{'N':'5'}}"},
    {"gone", "{}"},
    {"m.k", "{'m':{'M':{'k':{'S':'v'}}}}"},
    {"m.k, m.j", "{'m':{'M':{'k':{'S':'v'},'j':{'N':'3'}}}}"},
    {"m.q", "{}"},
    {"l[1]", "{'l':{'L':[{'N':'2'}]}}"},
    {"l[2], l[0]", "{'l':{'L':[{'N':'1'},{'M':{'k':{'S':'deep'}}}]}}"},
    {"l[2].k", "{'l':{'L':[{'M':{'k':{'S':'deep'}}}]}}"},
    {"l[9]", "{}"},
    {"l.k", "{}"},
    {"#d, #n", "{'name':{'S':'bob'},'a.b':{'S':'dot'}}"},
};

static void test_projections(void **state)
{
    (void)state;
    struct ddb_av *item = make_item(ITEM), *part;
    for (size_t i = 0; i < ARRAY_LEN(PROJECTIONS); i++) {
        struct ddb_env env = make_env();
        struct ddb_paths paths;
        if (ddb_parse_projection(&env, str_c(PROJECTIONS[i].text), &paths))
            fail_msg("%s: " STR_FMT, PROJECTIONS[i].text, STR_ARG(diag.msg));
        assert_int_equal(ddb_project(&arena, &paths, item, &part), ERR_OK);
        if (!ddb_av_equal(part, make_item(PROJECTIONS[i].result)))
            fail_msg("%s", PROJECTIONS[i].text);
    }
    static const char *const bad[] = {
        "",   "a,",    ",a",   "a b", "a, a",    "a, a.b",        "a.b, a[0]",
        "a[", "a[-1]", "a..b", ":x",  "size(a)", "a[1234567890]", "name"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct ddb_env env = make_env();
        struct ddb_paths paths;
        if (ddb_parse_projection(&env, str_c(bad[i]), &paths) != ERR_INVALID)
            fail_msg("%s: accepted", bad[i]);
    }
}

/* --- key conditions --------------------------------------------------------------------------- */

static const struct {
    const char *text, *message; /* NULL: accepted */
    enum ddb_op op;             /* 0: no range condition */
} KEYS[] = {
    {"id = :x", NULL, 0},
    {":x = id", NULL, 0},
    {"(id = :x)", NULL, 0},
    {"id = :x AND sk = :one", NULL, DDB_OP_EQ},
    {"sk > :one AND id = :x", NULL, DDB_OP_GT},
    {"(id = :x) AND (sk BETWEEN :one AND :two)", NULL, DDB_OP_BETWEEN},
    {"id = :x AND begins_with(sk, :x)", NULL, DDB_FN_BEGINS_WITH},
    {":x = id AND :one < sk", NULL, DDB_OP_GT},
    {":x = id AND :one >= sk", NULL, DDB_OP_LE},
    {"(id) = (:x) AND (sk) < :one", NULL, DDB_OP_LT},
    {":x < id", "Query key condition not supported", 0},
    {"sk = :x", "Query condition missed key schema element: id", 0},
    {"id > :x", "Query key condition not supported", 0},
    {"begins_with(id, :x)", "Query key condition not supported", 0},
    {"id = :x OR sk = :one",
     "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR", 0},
    {"NOT id = :x",
     "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: NOT", 0},
    {"id = :x AND sk <> :one",
     "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: <>", 0},
    {"id = :x AND sk IN (:one)",
     "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: IN", 0},
    {"id = :x AND attribute_exists(sk)",
     "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: "
     "attribute_exists",
     0},
    {"id = :x AND id = :xy",
     "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per "
     "key",
     0},
    {"id = :x AND sk > :one AND sk < :two",
     "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per "
     "key",
     0},
    {"id = :x AND third = :one", "Query condition missed key schema element: sk", 0},
    {"id = :x AND sk = :one AND third = :one",
     "The number of query conditions (3) exceeds the number of key attributes defined in the "
     "schema "
     "(2)",
     0},
    {"id = sk",
     "Invalid KeyConditionExpression: KeyConditionExpressions cannot contain nested "
     "operations",
     0},
    {"id.a = :x",
     "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions "
     "on nested attributes",
     0},
};

/* Of an index with the HASH attributes a, b and the RANGE attributes c, d, e. */
static const struct {
    const char *text, *message; /* NULL: taken */
    size_t n_equal;
    enum ddb_op op;
} MULTI_KEYS[] = {
    {"a = :x AND b = :x", NULL, 0, 0},
    {"b = :x AND c = :one AND a = :x", NULL, 0, DDB_OP_EQ},
    {"a = :x AND b = :x AND c = :one AND d > :two", NULL, 1, DDB_OP_GT},
    {"d = :x AND a = :x AND e BETWEEN :one AND :two AND b = :x AND c = :one", NULL, 2,
     DDB_OP_BETWEEN},
    {"a = :x", "Query condition missed key schema element: b", 0, 0},
    {"a = :x AND c = :one", "Query condition missed key schema element: b", 0, 0},
    {"a = :x AND b > :x", "Query key condition not supported", 0, 0},
    {"a = :x AND begins_with(b, :x)", "Query key condition not supported", 0, 0},
    {"a = :x AND b = :x AND d = :one",
     "RANGE key attributes c must have equality conditions specified in the query because a "
     "condition is "
     "present on key attribute d",
     0, 0},
    {"a = :x AND b = :x AND e = :one",
     "RANGE key attributes c, d must have equality conditions specified in the query because a "
     "condition "
     "is present on key attribute e",
     0, 0},
    {"a = :x AND b = :x AND c > :one AND d = :one",
     "RANGE key attributes c must have equality conditions specified in the query because a "
     "condition is "
     "present on key attribute d",
     0, 0},
    {"a = :x AND b = :x AND begins_with(c, :x) AND d = :one",
     "RANGE key attributes c must have equality conditions specified in the query because a "
     "condition is "
     "present on key attribute d",
     0, 0},
    {"a = :x AND b = :x AND c = :one AND third = :one", "Query key condition not supported", 0, 0},
    {"a = :x AND b = :x AND c = :one AND d = :one AND e = :one AND third = :one",
     "The number of query conditions (6) exceeds the number of key attributes defined in the "
     "schema (5)",
     0, 0},
};

static void test_multi_key_conditions(void **state)
{
    (void)state;
    static struct ddb_key_part more[] = {
        {STR_INIT("b"), DDB_S}, {STR_INIT("d"), DDB_S}, {STR_INIT("e"), DDB_S}};
    static const struct ddb_key_schema schema = {
        .hash = STR_INIT("a"), .range = STR_INIT("c"), .more = more, .n_more = 3, .more_hash = 1};
    for (size_t i = 0; i < ARRAY_LEN(MULTI_KEYS); i++) {
        struct ddb_env env = make_env();
        struct ddb_node *node;
        struct ddb_key_condition cond;
        assert_int_equal(
            ddb_parse_condition(&env, "KeyConditionExpression", str_c(MULTI_KEYS[i].text), &node),
            ERR_OK);
        enum err err = ddb_key_condition_from(&diag, node, &schema, &cond);
        if ((err == ERR_OK) != (MULTI_KEYS[i].message == NULL))
            fail_msg("%s: %s", MULTI_KEYS[i].text, err_name(err));
        if (MULTI_KEYS[i].message && !str_eq_c(diag.msg, MULTI_KEYS[i].message))
            fail_msg("%s: " STR_FMT, MULTI_KEYS[i].text, STR_ARG(diag.msg));
        if (MULTI_KEYS[i].message)
            continue;
        assert_int_equal(cond.n_more_hash, 1);
        assert_int_equal(cond.n_equal, MULTI_KEYS[i].n_equal);
        assert_int_equal(cond.has_range, MULTI_KEYS[i].op != 0);
        if (cond.has_range)
            assert_int_equal(cond.op, MULTI_KEYS[i].op);
    }
}

static void test_key_conditions(void **state)
{
    (void)state;
    static const struct ddb_key_schema schema = {.hash = STR_INIT("id"), .range = STR_INIT("sk")};
    for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
        struct ddb_env env = make_env();
        struct ddb_node *node;
        struct ddb_key_condition cond;
        assert_int_equal(
            ddb_parse_condition(&env, "KeyConditionExpression", str_c(KEYS[i].text), &node),
            ERR_OK);
        enum err err = ddb_key_condition_from(&diag, node, &schema, &cond);
        if ((err == ERR_OK) != (KEYS[i].message == NULL))
            fail_msg("%s: %s", KEYS[i].text, err_name(err));
        if (KEYS[i].message && !str_eq_c(diag.msg, KEYS[i].message))
            fail_msg("%s: " STR_FMT, KEYS[i].text, STR_ARG(diag.msg));
        if (KEYS[i].message)
            continue;
        assert_true(str_eq_c(cond.hash->s, "x"));
        assert_int_equal(cond.has_range, KEYS[i].op != 0);
        if (cond.has_range)
            assert_int_equal(cond.op, KEYS[i].op);
    }
}

/* Whatever allocation fails, parsing and evaluation answer ERR_NOMEM. */
static enum err all_of_it(struct arena *a)
{
    struct ddb_diag d = {.arena = a};
    struct ddb_env env = {.diag = &d};
    struct ddb_node *node;
    struct ddb_update update;
    struct ddb_paths paths;
    struct ddb_av *old, *item, *part;
    bool holds;
    TRY(ddb_item_from_json(&d, parse_json(OLD), &old));
    TRY(ddb_env_set_values(&env, parse_json(VALUES)));
    TRY(ddb_parse_condition(&env, "ConditionExpression",
                            STR("size(l) > :one AND (n IN (:one, :two) OR contains(ss, :x))"),
                            &node));
    struct ddb_source src = {a, old, STR_NONE};
    TRY(ddb_eval_condition(&d, node, &src, &holds));
    TRY(ddb_parse_update(
        &env, STR("SET n = n + :one, l = list_append(l, :l) ADD ss :ss REMOVE m.k"), &update));
    item = ddb_av_copy(a, old);
    if (!item)
        return ERR_NOMEM;
    TRY(ddb_update_apply(&d, &update, old, item));
    TRY(ddb_parse_projection(&env, STR("l[1], m.k, n"), &paths));
    return ddb_project(a, &paths, item, &part);
}

static void test_exhaustion(void **state)
{
    (void)state;
    enum err err = ERR_NOMEM;
    size_t limit = 0;
    for (; err != ERR_OK; limit += 16) {
        struct arena a;
        arena_init(&a, limit);
        err = all_of_it(&a);
        if (err)
            assert_int_equal(err, ERR_NOMEM);
        arena_release(&a);
        assert_true(limit < 1024 * 1024);
    }
    assert_true(limit > 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_env, setup, teardown),
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_updates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_updates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_projections, setup, teardown),
        cmocka_unit_test_setup_teardown(test_key_conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_multi_key_conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exhaustion, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
