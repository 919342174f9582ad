/* schema.h: the cases of the JSON Schema test suite for draft 4 (tests/data/json-schema-draft4, MIT),
 * messages, refusals, limits. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lang/schema.h"

#define DATA SOURCE_DIR "/tests/data/json-schema-draft4"

/* The suite's remote documents, which are not among its cases. */
static enum err remote(void *arg, struct str uri, struct str *ret_text)
{
    static const struct {
        const char *uri, *text;
    } rows[] = {
        {"http://localhost:1234/integer.json", "{\"type\":\"integer\"}"},
        {"http://localhost:1234/draft4/subSchemas.json",
         "{\"definitions\":{\"integer\":{\"type\":\"integer\"},\"refToInteger\":{\"$ref\":"
         "\"#/definitions/integer\"}}}"},
        {"http://localhost:1234/baseUriChange/folderInteger.json", "{\"type\":\"integer\"}"},
        {"http://localhost:1234/baseUriChangeFolder/folderInteger.json", "{\"type\":\"integer\"}"},
        {"http://localhost:1234/baseUriChangeFolderInSubschema/folderInteger.json",
         "{\"type\":\"integer\"}"},
        {"http://localhost:1234/draft4/name.json",
         "{\"definitions\":{\"orNull\":{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#\"}]}},"
         "\"type\":\"string\"}"},
        {"http://localhost:1234/draft4/locationIndependentIdentifier.json",
         "{\"definitions\":{\"refToInteger\":{\"$ref\":\"#foo\"},\"A\":{\"id\":\"#foo\",\"type\":"
         "\"integer\"}}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq_c(uri, rows[i].uri)) {
            *ret_text = str_c(rows[i].text);
            return ERR_OK;
        }
    return ERR_NOT_FOUND;
}

static const struct schema_resolver REMOTE = {remote, NULL};

/* Optional cases that are not applicable, by file and group; "": the whole file. */
static const struct {
    const char *file, *group, *why;
} SKIPPED[] = {
    {"optional/format", "", "format is an annotation (S4-1)"},
    {"optional/ecmascript-regex.json", "ECMA 262 \\s matches whitespace",
     "PCRE2's \\s is ASCII's unless \\d and \\w become Unicode's too"},
    {"optional/ecmascript-regex.json", "ECMA 262 \\S matches everything but whitespace",
     "as above"},
    {"optional/ecmascript-regex.json", "patterns always use unicode semantics with pattern",
     "PCRE2 knows \\p{L}, not \\p{Letter}"},
    {"optional/ecmascript-regex.json", "pattern with non-ASCII digits", "nor \\p{digit}"},
    {"optional/ecmascript-regex.json",
     "patterns always use unicode semantics with patternProperties", "as above"},
    {"optional/ecmascript-regex.json", "patternProperties with non-ASCII digits", "as above"},
    {"optional/ecmascript-regex.json", "\\a is not an ECMA 262 control escape", "PCRE2 knows \\a"},
};

struct totals {
    size_t passed, failed, skipped;
};

static bool is_skipped(const char *file, struct str group)
{
    for (size_t i = 0; i < ARRAY_LEN(SKIPPED); i++)
        if (!strncmp(file, SKIPPED[i].file, strlen(SKIPPED[i].file)) &&
            (!*SKIPPED[i].group || str_eq_c(group, SKIPPED[i].group)))
            return true;
    return false;
}

static void run_group(const char *file, const struct json *group, struct totals *t)
{
    struct arena a;
    const struct schema *s = NULL;
    struct str why = STR_NONE, name = json_get_str(group, STR("description"));
    const struct json *tests = json_get(group, STR("tests"));
    if (is_skipped(file, name)) {
        t->skipped += tests->n;
        return;
    }
    arena_init(&a, 64 << 20);
    enum err e =
        schema_compile(&a, json_get(group, STR("schema"))->raw, STR_NONE, &REMOTE, &s, &why);
    if (e != ERR_OK)
        printf("%s: %.*s: %s %.*s\n", file, STR_ARG(name), err_name(e), STR_ARG(why));
    JSON_EACH (tests, it) {
        struct schema_result r = {0};
        if (e == ERR_OK)
            assert_int_equal(schema_validate(s, json_get(it, STR("data")), &a, &r), ERR_OK);
        bool good = e == ERR_OK && r.valid == json_get(it, STR("valid"))->b;
        struct str test = json_get_str(it, STR("description"));
        if (!good)
            printf("%s: %.*s: %.*s\n", file, STR_ARG(name), STR_ARG(test));
        t->passed += good;
        t->failed += !good;
    }
    arena_release(&a);
}

static void run_file(const char *file, struct totals *t)
{
    static char text[256 * 1024];
    char path[600];
    struct arena a;
    struct json *groups;
    snprintf(path, sizeof(path), "%s/%s", DATA, file);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof(text), f);
    fclose(f);
    arena_init(&a, 64 << 20);
    assert_int_equal(json_parse(&a, str_n(text, n), &groups, NULL), ERR_OK);
    JSON_EACH (groups, it)
        run_group(file, it, t);
    arena_release(&a);
}

static void run_folder(const char *under, struct totals *t)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", DATA, under);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    struct dirent *e;
    while ((e = readdir(dir)) != NULL) {
        char name[300];
        snprintf(name, sizeof(name), "%s%s", under, e->d_name);
        if (strstr(name, ".json"))
            run_file(name, t);
        else if (e->d_type == DT_DIR && e->d_name[0] != '.') {
            strcat(name, "/");
            run_folder(name, t);
        }
    }
    closedir(dir);
}

static void test_suite(void **state)
{
    struct totals t = {0};
    run_folder("", &t);
    printf("%zu cases passed, %zu failed, %zu not applicable\n", t.passed, t.failed, t.skipped);
    assert_int_equal(t.failed, 0);
    assert_true(t.passed > 600);
}

static void test_messages(void **state)
{
    static const struct {
        const char *schema, *value, *text;
    } rows[] = {
        {"{\"type\":\"number\"}", "\"x\"",
         "[instance type (string) does not match any allowed primitive type (allowed: "
         "[\"integer\",\"number\"])]"},
        {"{\"required\":[\"price\",\"id\"]}", "{}",
         "[object has missing required properties ([\"id\",\"price\"])]"},
        {"{\"enum\":[\"a\",1]}", "\"b\"",
         "[instance value (\"b\") not found in enum (possible values: [\"a\",1])]"},
        {"{\"properties\":{\"a\":{\"minimum\":2}},\"additionalProperties\":false}",
         "{\"a\":1.5,\"z\":0}",
         "[numeric instance is lower than the required minimum (minimum: 2, found: 1.5), object "
         "instance has properties which are not allowed by the schema: [\"z\"]]"},
        {"{\"maximum\":1,\"exclusiveMaximum\":true}", "1.0",
         "[numeric instance is not strictly lower than the required maximum 1]"},
        {"{\"multipleOf\":0.01}", "0.015", "[remainder of division is not zero (0.015 / 0.01)]"},
        {"{\"minLength\":3}", "\"\\u00e9\"",
         "[string \"\xc3\xa9\" is too short (length: 1, required minimum: 3)]"},
        {"{\"pattern\":\"^a\"}", "\"ba\"",
         "[ECMA 262 regex \"^a\" does not match input string \"ba\"]"},
        {"{\"minItems\":2,\"uniqueItems\":true}", "[1]",
         "[array is too short: must have at least 2 elements but instance has 1 elements]"},
        {"{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},{\"b\":2.0,\"a\":1}]",
         "[array must not contain duplicate elements]"},
        {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"array\"}]}", "1",
         "[instance failed to match at least one required schema among 2]"},
        {"{\"oneOf\":[{},{}]}", "1",
         "[instance failed to match exactly one schema (matched 2 out of 2)]"},
        {"{\"not\":{}}", "1", "[instance matched a schema which it should not have]"},
        {"{\"dependencies\":{\"a\":[\"b\"]}}", "{\"a\":1}",
         "[property \"a\" of object has missing property dependencies (schema requires [\"b\"]; "
         "missing: [\"b\"])]"},
        {"{}", "1", "[]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        const struct schema *s;
        struct json *v;
        struct schema_result r;
        struct str why;
        arena_init(&a, 1 << 20);
        assert_int_equal(schema_compile(&a, str_c(rows[i].schema), STR_NONE, NULL, &s, &why),
                         ERR_OK);
        assert_int_equal(json_parse(&a, str_c(rows[i].value), &v, NULL), ERR_OK);
        assert_int_equal(schema_validate(s, v, &a, &r), ERR_OK);
        struct str text = schema_errors_text(&a, &r);
        if (!str_eq_c(text, rows[i].text))
            fail_msg("%s: %.*s", rows[i].schema, STR_ARG(text));
        arena_release(&a);
    }
}

static void test_pointer(void **state)
{
    struct arena a;
    const struct schema *s;
    struct json *v;
    struct schema_result r;
    struct str why;
    arena_init(&a, 1 << 20);
    assert_int_equal(
        schema_compile(&a, STR("{\"properties\":{\"a/b~\":{\"items\":{\"type\":\"null\"}}}}"),
                       STR_NONE, NULL, &s, &why),
        ERR_OK);
    assert_int_equal(json_parse(&a, STR("{\"a/b~\":[null,1]}"), &v, NULL), ERR_OK);
    assert_int_equal(schema_validate(s, v, &a, &r), ERR_OK);
    assert_int_equal(r.n, 1);
    assert_true(str_eq_c(r.errors->pointer, "/a~1b~0/1"));
    assert_string_equal(r.errors->keyword, "type");
    arena_release(&a);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *schema, *why;
    } rows[] = {
        {"{", "not valid JSON"},
        {"[]", "a schema must be an object"},
        {"{\"type\":\"text\"}", "\"type\" must be one of draft 4's types, or a list of them"},
        {"{\"type\":[]}", "\"type\" must not be an empty list"},
        {"{\"minimum\":\"1\"}", "\"minimum\" must be a number"},
        {"{\"exclusiveMinimum\":1}", "\"exclusiveMinimum\" must be a boolean"},
        {"{\"multipleOf\":0}", "\"multipleOf\" must be greater than 0"},
        {"{\"maxLength\":-1}", "\"maxLength\" must be a whole number, 0 or more"},
        {"{\"pattern\":\"(\"}", "\"(\" is not a regular expression"},
        {"{\"properties\":[]}", "\"properties\" must be an object"},
        {"{\"properties\":{\"a\":1}}", "\"a\" must be a schema"},
        {"{\"required\":[]}", "\"required\" must not be empty"},
        {"{\"required\":[1]}", "\"required\" must be a list of strings"},
        {"{\"allOf\":{}}", "\"allOf\" must be an array"},
        {"{\"anyOf\":[]}", "\"anyOf\" must not be empty"},
        {"{\"not\":true}", "\"not\" must be a schema"},
        {"{\"$ref\":\"#/definitions/x\"}", "reference \"#/definitions/x\" leads nowhere"},
        {"{\"$ref\":\"http://nowhere/\"}", "reference \"http://nowhere/\" leads nowhere"},
        {"{\"$ref\":\"#/a/9\",\"a\":[{}]}", "reference \"#/a/9\" leads nowhere"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        const struct schema *s;
        struct str why = STR_NONE;
        arena_init(&a, 1 << 20);
        enum err e = schema_compile(&a, str_c(rows[i].schema), STR_NONE, NULL, &s, &why);
        if (e != ERR_INVALID || !str_eq_c(why, rows[i].why))
            fail_msg("%s: %s, %.*s", rows[i].schema, err_name(e), STR_ARG(why));
        arena_release(&a);
    }
}

/* A reference to itself, and a pattern that backtracks for ever. */
static void test_limits(void **state)
{
    static const struct {
        const char *schema, *value;
    } rows[] = {
        {"{\"$ref\":\"#\"}", "1"},
        {"{\"allOf\":[{\"$ref\":\"#\"}]}", "1"},
        {"{\"pattern\":\"^(a+)+$\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        const struct schema *s;
        struct json *v;
        struct schema_result r;
        struct str why;
        arena_init(&a, 1 << 20);
        assert_int_equal(schema_compile(&a, str_c(rows[i].schema), STR_NONE, NULL, &s, &why),
                         ERR_OK);
        assert_int_equal(json_parse(&a, str_c(rows[i].value), &v, NULL), ERR_OK);
        assert_int_equal(schema_validate(s, v, &a, &r), ERR_LIMIT);
        arena_release(&a);
    }
}

static void test_memory(void **state)
{
    struct str text =
        STR("{\"properties\":{\"a\":{\"pattern\":\"^x\"},\"b\":{\"$ref\":\"#/d\"}},\"d\":"
            "{\"enum\":[1,{\"k\":2}]},\"required\":[\"q\"]}");
    size_t failures = 0;
    for (size_t limit = 0;; limit += 16) {
        struct arena a, tree;
        const struct schema *s;
        struct json *v;
        struct schema_result r = {0};
        struct str why;
        arena_init(&a, limit);
        arena_init(&tree, 1 << 20);
        assert_int_equal(json_parse(&tree, STR("{\"a\":\"y\",\"b\":5}"), &v, NULL), ERR_OK);
        enum err e = schema_compile(&a, text, STR_NONE, NULL, &s, &why);
        if (e == ERR_OK)
            e = schema_validate(s, v, &a, &r);
        arena_release(&a);
        arena_release(&tree);
        if (e == ERR_OK) {
            assert_int_equal(r.n, 3);
            break;
        }
        assert_int_equal(e, ERR_NOMEM);
        failures++;
    }
    assert_true(failures > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suite),   cmocka_unit_test(test_messages),
        cmocka_unit_test(test_pointer), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
