/* template.h: each limit at its edge and one past it, what could explode, memory that ends, summaries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "codec/json_edit.h"
#include "template/template.h"

enum { ARENA_MAX = 1 << 30, TEXT_MAX = 64 << 20 };

static const struct tpl_world WORLD = {
    .region = STR_INIT("eu-west-1"),
    .account = STR_INIT("123456789012"),
    .partition = STR_INIT("aws"),
    .url_suffix = STR_INIT("amazonaws.com"),
    .stack_name = STR_INIT("s"),
    .stack_id = STR_INIT("arn:s"),
};

static enum err lookup(void *arg, struct arena *a, struct str id, struct str attribute,
                       const struct json **ret_v)
{
    *ret_v = json_new_str(a, id);
    return *ret_v ? ERR_OK : ERR_NOMEM;
}

/* Opens and resolves all. The message, or "" when it went well. */
static enum err run(struct arena *a, struct str source, struct tpl_fault *fault)
{
    struct json *tree;
    struct tpl *tpl;
    size_t n;
    TRY(tpl_read(a, source, &tree, fault));
    TRY(tpl_open(a, tree, &WORLD, &tpl, fault));
    const struct tpl_resource *all = tpl_resources(tpl, &n);
    for (size_t i = 0; i < n; i++) {
        const struct json *made;
        bool whole;
        if (all[i].properties)
            TRY(tpl_resolve(tpl, a, all[i].properties, lookup, NULL, &made, &whole, fault));
    }
    return ERR_OK;
}

static void expect(struct buf *b, const char *message)
{
    struct arena a;
    struct tpl_fault fault = {0};
    arena_init(&a, ARENA_MAX);
    assert_int_equal(buf_err(b), ERR_OK);
    enum err err = run(&a, buf_str(b), &fault);
    if (!message) {
        if (err == ERR_INVALID)
            print_message(STR_FMT "\n", STR_ARG(fault.message));
        assert_int_equal(err, ERR_OK);
    } else {
        assert_int_equal(err, ERR_INVALID);
        assert_string_equal(str_cstr(&a, fault.message), message);
    }
    arena_release(&a);
    buf_release(b);
}

/* --- numbers of members -------------------------------------------------------------------------- */

/* {"Section": {"N0": member, ...}, "Resources": ...} */
static void many(struct buf *b, const char *section, int n, const char *member)
{
    buf_init(b, TEXT_MAX);
    buf_add_fmt(b, "{\"%s\": {", section);
    for (int i = 0; i < n; i++)
        buf_add_fmt(b, "%s\"N%d\": %s", i ? "," : "", i, member);
    buf_add_c(b, "}");
    if (strcmp(section, "Resources") != 0)
        buf_add_c(b, ", \"Resources\": {\"R\": {\"Type\": \"T\"}}");
    buf_add_c(b, "}");
}

static void test_numbers(void **state)
{
    static const struct {
        const char *section, *member, *what;
        int max;
    } rows[] = {
        {"Resources", "{\"Type\": \"T\"}", "resources", TPL_RESOURCES_MAX},
        {"Parameters", "{\"Type\": \"String\", \"Default\": \"\"}", "parameters",
         TPL_PARAMETERS_MAX},
        {"Outputs", "{\"Value\": \"x\"}", "outputs", TPL_OUTPUTS_MAX},
        {"Mappings", "{\"A\": {\"B\": \"c\"}}", "mappings", TPL_MAPPINGS_MAX},
        {"Conditions", "{\"Fn::Equals\": [\"a\", \"b\"]}", "conditions", TPL_CONDITIONS_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        char message[200];
        many(&b, rows[i].section, rows[i].max, rows[i].member);
        expect(&b, NULL);
        many(&b, rows[i].section, rows[i].max + 1, rows[i].member);
        snprintf(message, sizeof(message),
                 "Template format error: Number of %s, %d, is greater than maximum allowed, %d",
                 rows[i].what, rows[i].max + 1, rows[i].max);
        expect(&b, message);
    }
}

static void repeat(struct buf *b, const char *s, int n)
{
    for (int i = 0; i < n; i++)
        buf_add_c(b, s);
}

static void around(struct buf *b, const char *before, const char *unit, int n, const char *after)
{
    buf_init(b, TEXT_MAX);
    buf_add_c(b, before);
    repeat(b, unit, n);
    buf_add_c(b, after);
}

static void test_lengths(void **state)
{
    struct buf b;
    around(&b, "{\"Resources\": {\"", "n", TPL_NAME_BYTES_MAX, "\": {\"Type\": \"T\"}}}");
    expect(&b, NULL);
    around(&b, "{\"Description\": \"", "d", TPL_DESCRIPTION_BYTES_MAX,
           "\", \"Resources\": {\"R\": {\"Type\": \"T\"}}}");
    expect(&b, NULL);
    around(&b, "{\"Description\": \"", "d", TPL_DESCRIPTION_BYTES_MAX + 1,
           "\", \"Resources\": {\"R\": {\"Type\": \"T\"}}}");
    expect(&b, "Template format error: 'Description' length is greater than 1024.");
    around(&b, "{\"Parameters\": {\"P\": {\"Type\": \"String\", \"Default\": \"", "v",
           TPL_VALUE_BYTES_MAX, "\"}}, \"Resources\": {\"R\": {\"Type\": \"T\"}}}");
    expect(&b, NULL);
    around(&b, "{\"Parameters\": {\"P\": {\"Type\": \"String\", \"Default\": \"", "v",
           TPL_VALUE_BYTES_MAX + 1, "\"}}, \"Resources\": {\"R\": {\"Type\": \"T\"}}}");
    expect(&b, "Parameter 'P' must be no longer than 4096 bytes");
    around(&b, "{\"Mappings\": {\"M\": {\"K\": {\"A\": \"\"", "", 0, "");
    for (int i = 1; i <= TPL_MAPPING_ATTRIBUTES_MAX; i++)
        buf_add_fmt(&b, ", \"A%d\": \"\"", i);
    buf_add_c(&b, "}}}, \"Resources\": {\"R\": {\"Type\": \"T\"}}}");
    expect(&b, "Template format error: Number of mapping attributes, 201, is greater than maximum "
               "allowed, 200");
}

static void test_long_name(void **state)
{
    struct buf b;
    struct arena a;
    struct tpl_fault fault = {0};
    around(&b, "{\"Resources\": {\"", "n", TPL_NAME_BYTES_MAX + 1, "\": {\"Type\": \"T\"}}}");
    arena_init(&a, ARENA_MAX);
    assert_int_equal(run(&a, buf_str(&b), &fault), ERR_INVALID);
    assert_true(str_starts(fault.message, STR("Template format error: Resource name nnn")));
    arena_release(&a);
    buf_release(&b);
}

/* --- depth --------------------------------------------------------------------------------------- */

#define DEEP "{\"Resources\": {\"R\": {\"Type\": \"T\", \"Properties\": {\"P\": "

static void test_depth(void **state)
{
    struct buf b;
    int most = TPL_DEPTH_MAX - 4 + 1; /* four containers are around it, the innermost is one */
    around(&b, DEEP, "[", most, "");
    repeat(&b, "]", most);
    buf_add_c(&b, "}}}}");
    expect(&b, NULL);
    around(&b, DEEP, "[", most + 1, "");
    repeat(&b, "]", most + 1);
    buf_add_c(&b, "}}}}");
    expect(&b, "Template format error: nested too deep.");
    around(&b, DEEP, "[", 1000, "");
    repeat(&b, "]", 1000);
    buf_add_c(&b, "}}}}");
    struct arena a;
    struct tpl_fault fault = {0};
    arena_init(&a, ARENA_MAX);
    assert_int_equal(run(&a, buf_str(&b), &fault), ERR_INVALID);
    arena_release(&a);
    buf_release(&b);
}

/* Conditions that name the one before: as deep as values in values, however many there are. */
static void conditions_chain(struct buf *b, int n)
{
    buf_init(b, TEXT_MAX);
    buf_add_c(b, "{\"Conditions\": {");
    for (int i = n; i > 0; i--)
        buf_add_fmt(b, "\"C%d\": {\"Fn::Not\": [{\"Condition\": \"C%d\"}]}, ", i, i - 1);
    buf_add_c(b, "\"C0\": {\"Fn::Equals\": [\"a\", \"a\"]}}, "
                 "\"Resources\": {\"R\": {\"Type\": \"T\"}}}");
}

static void test_chain_of_conditions(void **state)
{
    struct buf b;
    conditions_chain(&b, 90);
    expect(&b, NULL);
    conditions_chain(&b, 400);
    expect(&b, "Template error: conditions are nested too deep.");
}

/* --- explosions ---------------------------------------------------------------------------------- */

static void loops(struct buf *b, int depth, int items)
{
    buf_init(b, TEXT_MAX);
    buf_add_c(b, "{\"Transform\": \"AWS::LanguageExtensions\", \"Resources\": {\"R\": {\"Type\": "
                 "\"T\", \"Properties\": {");
    for (int d = 0; d < depth; d++) {
        buf_add_fmt(b, "\"Fn::ForEach::L%d\": [\"I%d\", [", d, d);
        for (int i = 0; i < items; i++)
            buf_add_fmt(b, "%s\"%d\"", i ? "," : "", i);
        buf_add_c(b, "], {");
    }
    buf_add_c(b, "\"K");
    for (int d = 0; d < depth; d++)
        buf_add_fmt(b, "x${I%d}", d);
    buf_add_c(b, "\": 1");
    for (int d = 0; d < depth; d++)
        buf_add_c(b, "}]");
    buf_add_c(b, "}}}}");
}

static void test_loops(void **state)
{
    struct buf b;
    loops(&b, 3, 10);
    expect(&b, NULL);
    loops(&b, 5, 100); /* 10^10 */
    expect(&b, "Template error: the template asks for too much work.");
    loops(&b, 60, 2);
    expect(&b, "Template error: the template asks for too much work.");
}

/* Values that double: 2^n parts of a text by variables of variables. */
static void test_growth(void **state)
{
    struct buf b;
    around(&b, DEEP "{\"Fn::Join\": [\"\", [", "{\"Fn::Sub\": [\"${A}${A}${A}${A}\", {\"A\": ", 12,
           "\"aaaaaaaaaaaaaaaa\"");
    repeat(&b, "}]}", 12);
    buf_add_c(&b, "]]}}}}}");
    expect(&b, "Template error: the template makes too much text.");
    /* A list of 2,000 by 80,000 calls. */
    buf_init(&b, TEXT_MAX);
    buf_add_c(&b, "{\"Parameters\": {\"L\": {\"Type\": \"CommaDelimitedList\", \"Default\": \"");
    repeat(&b, "a,", 2000);
    buf_add_c(&b, "\"}}, \"Resources\": {\"R\": {\"Type\": \"T\", \"Properties\": {\"P\": [1");
    repeat(&b, ",{\"Ref\": \"L\"}", 50000);
    buf_add_c(&b, "]}}}}");
    expect(&b, "Template error: the template asks for too much work.");
}

static void test_aliases(void **state)
{
    struct buf b;
    struct arena a;
    struct tpl_fault fault = {0};
    buf_init(&b, TEXT_MAX);
    buf_add_c(&b, "Metadata:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++)
        buf_add_fmt(&b, "  a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1,
                    i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    buf_add_c(&b, "Resources: {R: {Type: T}}\n");
    arena_init(&a, ARENA_MAX);
    assert_int_equal(run(&a, buf_str(&b), &fault), ERR_INVALID);
    assert_true(str_starts(fault.message, STR("Template format error: YAML not well-formed.")));
    arena_release(&a);
    buf_release(&b);
}

/* 500 resources each of which comes after all before it, and one long circle. */
static void test_dense_graph(void **state)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    buf_add_c(&b, "{\"Resources\": {");
    for (int i = 0; i < TPL_RESOURCES_MAX; i++) {
        buf_add_fmt(&b, "%s\"R%d\": {\"Type\": \"T\", \"DependsOn\": [", i ? "," : "", i);
        for (int j = 0; j < i; j++)
            buf_add_fmt(&b, "%s\"R%d\"", j ? "," : "", j);
        buf_add_c(&b, "]}");
    }
    buf_add_c(&b, "}}");
    expect(&b, NULL);
    struct arena a;
    struct tpl_fault fault = {0};
    buf_init(&b, TEXT_MAX);
    buf_add_c(&b, "{\"Resources\": {");
    for (int i = 0; i < TPL_RESOURCES_MAX; i++)
        buf_add_fmt(&b, "%s\"R%d\": {\"Type\": \"T\", \"Properties\": {\"P\": {\"Ref\": \"R%d\"}}}",
                    i ? "," : "", i, (i + 1) % TPL_RESOURCES_MAX);
    buf_add_c(&b, "}}");
    arena_init(&a, ARENA_MAX);
    assert_int_equal(run(&a, buf_str(&b), &fault), ERR_INVALID);
    assert_true(
        str_starts(fault.message, STR("Circular dependency between resources: [R0, R1, R2, ")));
    assert_true(str_ends(fault.message, STR(", R499]")));
    arena_release(&a);
    buf_release(&b);
}

static void test_dynamic_references(void **state)
{
    struct buf b;
    around(&b, DEEP "\"", "{{resolve:ssm:x}}", 1, "\"}}}}");
    expect(&b, "Unable to fetch parameters [x] from parameter store for this account.");
}

/* --- memory -------------------------------------------------------------------------------------- */

static const char ALL[] =
    "Transform: AWS::LanguageExtensions\n"
    "Parameters: {E: {Type: String, Default: dev, AllowedPattern: '[a-z]+'}, L: {Type: "
    "CommaDelimitedList, Default: 'a,b'}}\n"
    "Mappings: {M: {dev: {K: v}}}\n"
    "Conditions: {C: !Equals [!Ref E, dev], D: !Not [!Condition C]}\n"
    "Rules: {R: {Assertions: [{Assert: !Contains [[dev], !Ref E]}]}}\n"
    "Resources:\n"
    "  Fn::ForEach::Q: [N, !Ref L, {'Q${N}': {Type: T, Properties: {P: !Sub '${N}-${E}'}}}]\n"
    "  B: {Type: T, Condition: D}\n"
    "  A:\n"
    "    Type: T\n"
    "    DependsOn: Qa\n"
    "    Properties:\n"
    "      P: !If [C, !Join ['-', [!GetAtt Qb.Arn, !Ref Qa]], !Ref AWS::NoValue]\n"
    "      S: !Select [0, !Split [',', !FindInMap [M, !Ref E, K]]]\n"
    "      J: !ToJsonString {a: !Cidr ['10.0.0.0/16', 2, 8]}\n"
    "      Z: !GetAZs ''\n"
    "      X: !Base64 x\n"
    "Outputs: {O: {Value: !Ref A, Export: {Name: !Sub '${AWS::StackName}-o'}}}\n";

static void test_memory(void **state)
{
    struct tpl_fault fault = {0};
    struct arena a;
    bool ended = false;
    arena_init(&a, ARENA_MAX);
    assert_int_equal(run(&a, str_c(ALL), &fault), ERR_OK);
    size_t used = a.used;
    arena_release(&a);
    for (size_t limit = 0; limit < used; limit += 96) {
        arena_init(&a, limit);
        assert_int_equal(run(&a, str_c(ALL), &fault), ERR_NOMEM);
        arena_release(&a);
    }
    for (uint64_t n = 1; !ended; n++) {
        arena_init(&a, ARENA_MAX);
        mem_fail_after(n);
        enum err err = run(&a, str_c(ALL), &fault);
        ended = mem_allocations() < n;
        mem_fail_after(0);
        assert_int_equal(err, ended ? ERR_OK : ERR_NOMEM);
        arena_release(&a);
    }
}

/* --- summaries ----------------------------------------------------------------------------------- */

static void test_summary(void **state)
{
    static const struct {
        const char *source, *reason;
        const char *missing; /* of what is given */
        const char *given;
    } rows[] = {
        {"Resources: {A: {Type: 'AWS::SQS::Queue'}}", "", "", ""},
        {"Resources: {A: {Type: 'AWS::IAM::Role'}}",
         "The following resource(s) require capabilities: [AWS::IAM::Role]",
         "Requires capabilities : [CAPABILITY_IAM]", ""},
        {"Resources: {A: {Type: 'AWS::IAM::Role'}, B: {Type: 'AWS::IAM::Policy'}}",
         "The following resource(s) require capabilities: [AWS::IAM::Role, AWS::IAM::Policy]", "",
         "CAPABILITY_IAM"},
        {"Resources: {A: {Type: 'AWS::IAM::Role'}}",
         "The following resource(s) require capabilities: [AWS::IAM::Role]", "",
         "CAPABILITY_NAMED_IAM"},
        {"Resources: {A: {Type: 'AWS::IAM::Role', Properties: {RoleName: r}}}",
         "The following resource(s) require capabilities: [AWS::IAM::Role]",
         "Requires capabilities : [CAPABILITY_NAMED_IAM]", "CAPABILITY_IAM"},
        {"Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: 'AWS::Serverless::Api'}}",
         "", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]", "CAPABILITY_NAMED_IAM"},
        {"Transform: [AWS::LanguageExtensions]\nResources: {A: {Type: 'AWS::IAM::User'}}",
         "The following resource(s) require capabilities: [AWS::IAM::User]",
         "Requires capabilities : [CAPABILITY_IAM, CAPABILITY_AUTO_EXPAND]", ""},
        {"Resources: {A: {Type: T, Properties: {'Fn::Transform': {Name: 'AWS::Include'}}}}", "",
         "Requires capabilities : [CAPABILITY_AUTO_EXPAND]", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct json *tree;
        struct tpl_summary s;
        struct tpl_fault fault = {0};
        const struct str given = str_c(rows[i].given);
        arena_init(&a, ARENA_MAX);
        assert_int_equal(tpl_read(&a, str_c(rows[i].source), &tree, &fault), ERR_OK);
        assert_int_equal(tpl_summarise(&a, tree, &s, &fault), ERR_OK);
        assert_true(str_eq_c(s.capabilities_reason, rows[i].reason));
        assert_true(str_eq_c(tpl_capabilities_missing(&a, &s, &given, 1), rows[i].missing));
        arena_release(&a);
    }
}

static void test_summary_members(void **state)
{
    struct arena a;
    struct json *tree;
    struct tpl_summary s;
    struct tpl_fault fault = {0};
    arena_init(&a, ARENA_MAX);
    assert_int_equal(tpl_read(&a,
                              STR("AWSTemplateFormatVersion: 2010-09-09\nDescription: d\n"
                                  "Metadata: {m: 1}\nTransform: [X, Y]\n"
                                  "Parameters: {P: {Type: Number, NoEcho: true}}\n"
                                  "Resources: {A: {Type: T}, B: {Type: U}, C: {Type: T}}\n"),
                              &tree, &fault),
                     ERR_OK);
    assert_int_equal(tpl_summarise(&a, tree, &s, &fault), ERR_OK);
    assert_true(str_eq(s.version, STR("2010-09-09")) && str_eq(s.description, STR("d")));
    assert_true(s.metadata && s.parameter_n == 1 && s.parameters[0].no_echo);
    assert_false(str_is_set(s.parameters[0].default_value));
    assert_true(s.type_n == 2 && str_eq(s.types[0], STR("T")) && str_eq(s.types[1], STR("U")));
    assert_true(s.transform_n == 2 && str_eq(s.transforms[1], STR("Y")));
    arena_release(&a);
}

/* --- expanding ----------------------------------------------------------------------------------- */

static struct json *expanded(struct arena *a, struct json *tree)
{
    struct tpl_fault fault = {0};
    struct json *made = NULL;
    assert_int_equal(tpl_expand(a, tree, &WORLD, &made, &fault), ERR_OK);
    return made;
}

/* What was expanded says the same when it is expanded again; what needs it not stays itself. */
static void test_expand_again(void **state)
{
    struct arena a;
    struct tpl_fault fault = {0};
    struct json *tree;
    struct buf once, twice;
    arena_init(&a, ARENA_MAX);
    assert_int_equal(tpl_read(&a, STR("Resources: {A: {Type: T}}"), &tree, &fault), ERR_OK);
    assert_ptr_equal(expanded(&a, tree), tree);
    assert_int_equal(tpl_read(&a, str_c(ALL), &tree, &fault), ERR_OK);
    struct json *first = expanded(&a, tree);
    assert_ptr_not_equal(first, tree);
    assert_non_null(json_get(json_get(first, STR("Resources")), STR("Qb")));
    buf_init_arena(&once, &a, TEXT_MAX);
    buf_init_arena(&twice, &a, TEXT_MAX);
    json_put(&once, first);
    json_put(&twice, expanded(&a, first));
    assert_true(str_eq(buf_str(&once), buf_str(&twice)));
    arena_release(&a);
}

/* --- what engines ask ---------------------------------------------------------------------------- */

static struct tpl *opened(struct arena *a, const char *source)
{
    struct tpl_fault fault = {0};
    struct json *tree;
    struct tpl *tpl = NULL;
    assert_int_equal(tpl_read(a, str_c(source), &tree, &fault), ERR_OK);
    assert_int_equal(tpl_open(a, tree, &WORLD, &tpl, &fault), ERR_OK);
    return tpl;
}

static void test_references(void **state)
{
    static const struct {
        int kind;
        const char *name, *attribute;
    } rows[] = {{TPL_TO_PARAMETER, "E", ""},
                {TPL_TO_RESOURCE, "A", ""},
                {TPL_TO_ATTRIBUTE, "A", "Arn"},
                {TPL_TO_ATTRIBUTE, "A", "X.Y"},
                {TPL_TO_RESOURCE, "C", ""}};
    struct arena a;
    const struct tpl_reference *refs;
    size_t n;
    arena_init(&a, ARENA_MAX);
    const struct tpl *tpl =
        opened(&a, "Parameters: {E: {Type: String, Default: x}}\n"
                   "Resources:\n"
                   "  A: {Type: T}\n"
                   "  B: {Type: T, Properties: {P: [!Ref E, !Ref A, !GetAtt A.Arn, !Ref E,\n"
                   "    !Sub ['${A.X.Y}${E}${AWS::Region}${V}', {V: !Ref C}]]}}\n"
                   "  C: {Type: T}\n");
    const struct tpl_resource *b = tpl_resource(tpl, STR("B"));
    assert_int_equal(tpl_references(tpl, &a, b->properties, &refs, &n), ERR_OK);
    assert_int_equal(n, ARRAY_LEN(rows));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(refs[i].kind, rows[i].kind);
        assert_true(str_eq_c(refs[i].name, rows[i].name));
        assert_true(str_eq_c(refs[i].attribute, rows[i].attribute));
    }
    assert_null(tpl_resource(tpl, STR("D")));
    arena_release(&a);
}

static void test_shown(void **state)
{
    struct arena a;
    struct tpl_fault fault = {0};
    const struct json *made;
    bool whole;
    arena_init(&a, ARENA_MAX);
    struct tpl *tpl = opened(&a, "Parameters: {S: {Type: String, Default: hush, NoEcho: true}}\n"
                                 "Resources:\n"
                                 "  A:\n"
                                 "    Type: AWS::IAM::User\n"
                                 "    Properties:\n"
                                 "      LoginProfile: {Password: 'x{{resolve:ssm-secure:/p:1}}y'}\n"
                                 "      P: !Sub 'a-${S}'\n");
    const struct json *v = tpl_resource(tpl, STR("A"))->properties;
    assert_int_equal(tpl_resolve_shown(tpl, &a, v, lookup, NULL, &made, &whole, &fault), ERR_OK);
    assert_true(whole && str_eq(json_get_str(made, STR("P")), STR("a-****")));
    assert_true(str_eq(json_get_str(json_get(made, STR("LoginProfile")), STR("Password")),
                       STR("x{{resolve:ssm-secure:/p:1}}y")));
    assert_int_equal(
        tpl_resolve(tpl, &a, json_get(v, STR("P")), lookup, NULL, &made, &whole, &fault), ERR_OK);
    assert_true(str_eq(made->text, STR("a-hush")));
    arena_release(&a);
}

static enum err later(void *arg, struct arena *a, struct str id, struct str attribute,
                      const struct json **ret_v)
{
    return ERR_SUSPENDED;
}

static void test_text(void **state)
{
    static const struct {
        const char *output;
        const char *text; /* NULL: refused */
    } rows[] = {{"a", "a"}, {"b", "5"}, {"c", "true"}, {"d", NULL}, {"e", NULL}, {"f", "A"}};
    struct arena a;
    size_t n;
    arena_init(&a, ARENA_MAX);
    struct tpl *tpl = opened(&a, "Transform: AWS::LanguageExtensions\n"
                                 "Mappings: {M: {a: {b: c}}}\nResources: {A: {Type: T}}\n"
                                 "Outputs: {a: {Value: a}, b: {Value: 5}, c: {Value: true},\n"
                                 "  d: {Value: [1]}, f: {Value: !Ref A},\n"
                                 "  e: {Value: !FindInMap [M, x, y, {DefaultValue: !Ref "
                                 "AWS::NoValue}]}}\n");
    const struct tpl_output *o = tpl_outputs(tpl, &n);
    for (size_t i = 0; i < n; i++) {
        struct tpl_fault fault = {0};
        struct str s = STR_NONE;
        bool whole;
        size_t k = 0;
        while (!str_eq_c(o[i].key, rows[k].output))
            k++;
        enum err err = tpl_resolve_text(tpl, &a, o[i].value, lookup, NULL, &s, &whole, &fault);
        assert_int_equal(err, rows[k].text ? ERR_OK : ERR_INVALID);
        assert_true(!rows[k].text || str_eq_c(s, rows[k].text));
        if (rows[k].text) {
            err = tpl_resolve_text(tpl, &a, o[i].value, later, NULL, &s, &whole, &fault);
            assert_int_equal(err, ERR_OK);
            assert_int_equal(whole, !str_eq_c(o[i].key, "f"));
            assert_int_equal(str_is_set(s), whole);
        }
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_chain_of_conditions),
        cmocka_unit_test(test_loops),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_dense_graph),
        cmocka_unit_test(test_dynamic_references),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_summary_members),
        cmocka_unit_test(test_expand_again),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
