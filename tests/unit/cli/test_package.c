/* Local paths of a template, the archives made of them, names of stacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sys.h"
#include "cli/archive.h"
#include "cli/deploy.h"
#include "cli/package.h"

/* A folder of the test's own, and what was put. */
struct place {
    struct arena a;
    char dir[64];
    struct package_store store;
    size_t puts;
    struct str what, bytes; /* of the last one */
    enum err fault;
};

static enum err put(void *arg, struct str what, struct str key, struct str bytes)
{
    struct place *p = arg;
    p->puts++;
    p->what = what;
    p->bytes = bytes;
    p->store.bucket = STR("b");
    p->store.url = STR("http://h:1/b");
    return p->fault;
}

static void write_file(const struct place *p, const char *name, const char *text, mode_t mode)
{
    assert_int_equal(sys_replace_file(p->dir, name, text, strlen(text), mode, false), ERR_OK);
}

static int open_place(void **state)
{
    static struct place p;
    char below[80];
    p = (struct place){.dir = "/tmp/weir-package-XXXXXX"};
    arena_init(&p.a, 256 << 20);
    assert_non_null(mkdtemp(p.dir));
    p.store = (struct package_store){.put = put, .arg = &p};
    snprintf(below, sizeof(below), "%s/code", p.dir);
    assert_int_equal(sys.mkdir(below, 0700), 0);
    write_file(&p, "code/b", "two", 0600);
    write_file(&p, "code/a", "one", 0700);
    write_file(&p, "api.json", "{}", 0600);
    write_file(&p, "whole.zip", "PK\3\4rest", 0600);
    write_file(&p, "inner.yaml",
               "Resources: {F: {Type: 'AWS::Lambda::Function', Properties: {Code: code}}}", 0600);
    *state = &p;
    return 0;
}

static int close_place(void **state)
{
    struct place *p = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
    arena_release(&p->a);
    return system(command);
}

static enum err package(struct place *p, const char *text, struct package *ret, char *why)
{
    char path[80];
    write_file(p, "template.yaml", text, 0600);
    snprintf(path, sizeof(path), "%s/template.yaml", p->dir);
    return package_template(&p->a, path, &p->store, ret, why);
}

/* `want` with HASH for any key. */
static bool is_like(struct str text, struct str want)
{
    while (want.len) {
        if (str_starts(want, STR("HASH"))) {
            want = str_sub(want, 4, SIZE_MAX);
            for (int i = 0; i < 32; i++, text = str_sub(text, 1, SIZE_MAX))
                if (!text.len || !strchr("0123456789abcdef", text.p[0]))
                    return false;
            continue;
        }
        if (!text.len || text.p[0] != want.p[0])
            return false;
        text = str_sub(text, 1, SIZE_MAX);
        want = str_sub(want, 1, SIZE_MAX);
    }
    return !text.len;
}

static void what_is_replaced(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: it stays */
        size_t puts;
    } rows[] = {
        {"# mine\nResources:\n  F: # \u00fc\n    Type: AWS::Serverless::Function\n    Properties:\n"
         "      CodeUri: code/ # here\n      Handler: !Sub \"${A}\"\n",
         "# mine\nResources:\n  F: # \u00fc\n    Type: AWS::Serverless::Function\n    Properties:\n"
         "      CodeUri: \"s3://b/HASH.zip\" # here\n      Handler: !Sub \"${A}\"\n",
         1},
        {"{\"Resources\": {\"F\": {\"Type\": \"AWS::Lambda::Function\", \"Properties\": {\"Code\": "
         "\"./code\"}}}}",
         "{\"Resources\": {\"F\": {\"Type\": \"AWS::Lambda::Function\", \"Properties\": {\"Code\": "
         "{\"S3Bucket\": \"b\", \"S3Key\": \"HASH.zip\"}}}}}",
         1},
        {"Resources: {L: {Type: 'AWS::Lambda::LayerVersion', Properties: {Content: 'whole.zip'}}}",
         "Resources: {L: {Type: 'AWS::Lambda::LayerVersion', Properties: {Content: {\"S3Bucket\": "
         "\"b\", \"S3Key\": \"HASH.zip\"}}}}",
         1},
        {"Resources: {A: {Type: 'AWS::ApiGateway::RestApi', Properties: {BodyS3Location: "
         "api.json}}}",
         "Resources: {A: {Type: 'AWS::ApiGateway::RestApi', Properties: {BodyS3Location: "
         "{\"Bucket\": \"b\", \"Key\": \"HASH.json\"}}}}",
         1},
        {"Resources: {S: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: "
         "inner.yaml}}}",
         "Resources: {S: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: "
         "\"http://h:1/b/HASH.template\"}}}",
         2},
        {"Globals: {Function: {CodeUri: code}}\nResources: {F: {Type: AWS::Serverless::Function}}",
         "Globals: {Function: {CodeUri: \"s3://b/HASH.zip\"}}\nResources: {F: {Type: "
         "AWS::Serverless::Function}}",
         1},
        {"Resources: {F: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: api.json}}}}",
         "Resources: {F: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: "
         "\"s3://b/HASH.json\"}}}}",
         1},
        {"Resources: {F: {Type: 'AWS::Lambda::Function', Properties: {Code: {ZipFile: code}}}}",
         NULL, 0},
        {"Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {CodeUri: 's3://x/y'}}}",
         NULL, 0},
        {"Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {CodeUri: !Ref P}}}", NULL,
         0},
        {"Resources: {F: {Type: 'AWS::SQS::Queue', Properties: {Code: code}}}", NULL, 0},
    };
    struct place *p = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct package got;
        char why[PACKAGE_WHY_MAX];
        p->puts = 0;
        enum err err = package(p, rows[i].text, &got, why);
        if (err)
            print_error("%s: %s\n", rows[i].text, why);
        assert_int_equal(err, ERR_OK);
        if (!is_like(got.text, str_c(rows[i].want ? rows[i].want : rows[i].text)))
            print_error("%.*s\n", STR_ARG(got.text));
        assert_true(is_like(got.text, str_c(rows[i].want ? rows[i].want : rows[i].text)));
        assert_int_equal(p->puts, rows[i].puts);
    }
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"Resources: {F: {Type: 'AWS::Lambda::Function', Properties: {Code: nowhere}}}",
         "F.Code is "},
        {"Resources: {F: {Type: 'AWS::Serverless::Api', Properties: {DefinitionUri: code}}}",
         "F.DefinitionUri is "},
        {"X: &x code\nResources: {F: {Type: 'AWS::Lambda::Function', Properties: {Code: *x}}}",
         "F.Code is a local path that must stand there"},
        {"Resources: {F: {Type: 'AWS::Lambda::Function', Properties: {Code: &x code}}}",
         "F.Code is a local path that must stand there"},
        {"Resources: {S: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: "
         "template.yaml}}}",
         NULL},
        {"a: [", NULL},
        {"a: 1", NULL},
        {"", NULL},
    };
    struct place *p = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct package got;
        char why[PACKAGE_WHY_MAX];
        assert_int_not_equal(package(p, rows[i].text, &got, why), ERR_OK);
        if (rows[i].why && !str_starts(str_c(why), str_c(rows[i].why)))
            print_error("%s\n", why);
        assert_true(why[0] && (!rows[i].why || str_starts(str_c(why), str_c(rows[i].why))));
    }
}

static void the_store_refuses(void **state)
{
    struct place *p = *state;
    struct package got;
    char why[PACKAGE_WHY_MAX];
    p->fault = ERR_FAILED;
    assert_int_equal(
        package(p, "Resources: {F: {Type: 'AWS::Lambda::Function', Properties: {Code: code}}}",
                &got, why),
        ERR_FAILED);
    p->fault = ERR_OK;
}

/* Order, times and owners of the files do not matter, contents and what may be run do. */
static void archives_are_the_same(void **state)
{
    struct place *p = *state;
    char code[80];
    struct str first, again, at;
    snprintf(code, sizeof(code), "%s/code", p->dir);
    assert_int_equal(archive_make(&p->a, code, &first, &at), ERR_OK);
    write_file(p, "code/a", "one", 0755);
    write_file(p, "code/b", "two", 0644);
    assert_int_equal(archive_make(&p->a, code, &again, &at), ERR_OK);
    assert_true(str_eq(first, again));
    write_file(p, "code/b", "two", 0755);
    assert_int_equal(archive_make(&p->a, code, &again, &at), ERR_OK);
    assert_false(str_eq(first, again));
    write_file(p, "code/b", "three", 0644);
    assert_int_equal(archive_make(&p->a, code, &again, &at), ERR_OK);
    assert_false(str_eq(first, again));
    assert_int_equal(archive_make(&p->a, "/nonexistent", &again, &at), ERR_IO);
}

static void names_of_stacks(void **state)
{
    static const struct {
        const char *path, *name;
    } rows[] = {
        {"/nowhere/order-aggregation/template.yaml", "order-aggregation"},
        {"/nowhere/2 my_app/template.json", "my-app"},
        {"/nowhere/x/queue.yaml", "queue"},
        {"/nowhere/42/template.yaml", NULL},
    };
    struct place *p = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str name;
        enum err err = deploy_name(&p->a, rows[i].path, &name);
        assert_int_equal(err, rows[i].name ? ERR_OK : ERR_INVALID);
        assert_true(err || str_eq_c(name, rows[i].name));
    }
    const char *path;
    assert_int_equal(deploy_template(&p->a, p->dir, &path), ERR_OK);
    assert_true(str_ends(str_c(path), STR("/template.yaml")));
    assert_int_equal(deploy_template(&p->a, "/nonexistent", &path), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_replaced),      cmocka_unit_test(what_is_refused),
        cmocka_unit_test(the_store_refuses),     cmocka_unit_test(names_of_stacks),
        cmocka_unit_test(archives_are_the_same),
    };
    return cmocka_run_group_tests(tests, open_place, close_place);
}
