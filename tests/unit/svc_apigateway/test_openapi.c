/* Descriptions of APIs: the files of tests/data/openapi, and what they export to. OPENAPI_WRITE=1 writes the
 * expected results anew, to be looked at as a difference. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/yaml.h"
#include "svc/apigateway/openapi.h"

#define DATA SOURCE_DIR "/tests/data/openapi"

enum { FILES_MAX = 64, TEXT_MAX = 1 << 20 };

static unsigned ids;

static struct str count_id(struct arena *a, size_t len)
{
    return str_fmt(a, "id%0*u", (int)len - 2, ++ids);
}

static struct str slurp(struct arena *a, const char *path)
{
    char *p = arena_alloc(a, TEXT_MAX);
    FILE *f = fopen(path, "r");
    if (!f)
        return STR_NONE;
    size_t n = fread(p, 1, TEXT_MAX, f);
    fclose(f);
    return str_n(p, n);
}

static void write_out(const char *path, struct str text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, STR_FMT "\n", STR_ARG(text));
    fclose(f);
}

static struct str result_of(struct arena *a, struct str text, enum openapi_base base)
{
    const struct openapi_how how = {base, count_id};
    struct openapi_read r = {0};
    struct buf b;
    ids = 0;
    enum err err = openapi_import(a, text, &how, &r);
    if (err) {
        assert_true(err == ERR_INVALID || err == ERR_LIMIT);
        assert_true(str_is_set(r.fault));
        return r.fault;
    }
    buf_init_arena(&b, a, TEXT_MAX);
    json_put(&b, r.document);
    buf_add_byte(&b, '\n');
    json_put(&b, r.warnings);
    assert_int_equal(buf_err(&b), ERR_OK);
    return buf_str(&b);
}

static void check_file(const char *name)
{
    struct arena a;
    char path[512], out[512];
    arena_init(&a, 64 << 20);
    snprintf(path, sizeof(path), DATA "/%s", name);
    snprintf(out, sizeof(out), DATA "/%.*s.out", (int)(strrchr(name, '.') - name), name);
    struct str got = result_of(&a, slurp(&a, path), OPENAPI_BASE_IGNORE);
    if (getenv("OPENAPI_WRITE"))
        write_out(out, got);
    struct str want = str_trim(slurp(&a, out));
    if (!str_eq(got, want))
        print_error("%s:\n" STR_FMT "\nis not\n" STR_FMT "\n", name, STR_ARG(got), STR_ARG(want));
    assert_true(str_eq(got, want));
    arena_release(&a);
}

static void the_files(void **state)
{
    struct dirent *e;
    int n = 0;
    DIR *d = opendir(DATA);
    assert_non_null(d);
    while ((e = readdir(d))) {
        struct str name = str_c(e->d_name);
        if (!str_ends(name, STR(".yaml")) && !str_ends(name, STR(".json")))
            continue;
        check_file(e->d_name);
        n++;
    }
    closedir(d);
    assert_in_range(n, 6, FILES_MAX);
}

/* The paths that are left of two, by what is done with the base path. */
static void base_paths(void **state)
{
    static const struct {
        const char *head;
        enum openapi_base base;
        const char *path;
    } rows[] = {
        {"swagger: '2.0'\nbasePath: /prod/v1/", OPENAPI_BASE_IGNORE, "/a"},
        {"swagger: '2.0'\nbasePath: /prod/v1/", OPENAPI_BASE_PREPEND, "/prod/v1/a"},
        {"swagger: '2.0'\nbasePath: /prod/v1/", OPENAPI_BASE_SPLIT, "/v1/a"},
        {"swagger: '2.0'\nbasePath: prod", OPENAPI_BASE_PREPEND, "/prod/a"},
        {"swagger: '2.0'\nbasePath: /prod", OPENAPI_BASE_SPLIT, "/a"},
        {"swagger: '2.0'\nbasePath: /", OPENAPI_BASE_PREPEND, "/a"},
        {"swagger: '2.0'", OPENAPI_BASE_PREPEND, "/a"},
        {"openapi: 3.0.1\nservers: [{url: 'https://h/p/q'}]", OPENAPI_BASE_PREPEND, "/p/q/a"},
        {"openapi: 3.0.1\nservers: [{url: 'https://h'}]", OPENAPI_BASE_PREPEND, "/a"},
        {"openapi: 3.0.1\nservers: [{url: 'https://h/{b}/q', variables: {b: {default: s}}}]",
         OPENAPI_BASE_PREPEND, "/s/q/a"},
        {"openapi: 3.0.1\nservers: [{url: 'https://h/{b'}]", OPENAPI_BASE_SPLIT, "/a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        char want[128];
        arena_init(&a, 16 << 20);
        struct str text = str_fmt(&a, "%s\npaths: {/a: {}}\n", rows[i].head);
        struct str got = result_of(&a, text, rows[i].base);
        snprintf(want, sizeof(want), "\"path\":\"%s\"}]", rows[i].path);
        if (str_find_str(got, str_c(want)) == SIZE_MAX)
            print_error("%s: " STR_FMT "\n", rows[i].head, STR_ARG(got));
        assert_true(str_find_str(got, str_c(want)) != SIZE_MAX);
        arena_release(&a);
    }
}

static void limits(void **state)
{
    struct arena a;
    struct buf b;
    arena_init(&a, 256 << 20);
    buf_init_arena(&b, &a, 2 * OPENAPI_BYTES_MAX);
    BUF_ADD_LIT(&b, "{\"swagger\":\"2.0\",\"paths\":{");
    for (int i = 0; i <= OPENAPI_MEMBERS_MAX; i++)
        buf_add_fmt(&b, "%s\"/p%d\":{}", i ? "," : "", i);
    BUF_ADD_LIT(&b, "}}");
    struct str got = result_of(&a, buf_str(&b), OPENAPI_BASE_IGNORE);
    assert_true(str_find_str(got, STR("more than 1000 members")) != SIZE_MAX);
    while (b.len <= OPENAPI_BYTES_MAX)
        BUF_ADD_LIT(&b, "                                                                ");
    got = result_of(&a, buf_str(&b), OPENAPI_BASE_IGNORE);
    assert_true(str_starts(got, STR("The description is larger")));
    buf_clear(&b);
    BUF_ADD_LIT(&b, "{\"swagger\":\"2.0\",\"paths\":{\"/a");
    for (int i = 0; i < OPENAPI_RESOURCES_MAX; i++)
        BUF_ADD_LIT(&b, "/a");
    BUF_ADD_LIT(&b, "\":{}}}");
    got = result_of(&a, buf_str(&b), OPENAPI_BASE_IGNORE);
    assert_true(str_find_str(got, STR("More than 1000 resources")) != SIZE_MAX);
    arena_release(&a);
}

/* --- and back ------------------------------------------------------------------------------------ */

static struct json *imported(struct arena *a, struct str text)
{
    const struct openapi_how how = {OPENAPI_BASE_IGNORE, count_id};
    struct openapi_read r = {0};
    ids = 0;
    enum err err = openapi_import(a, text, &how, &r);
    if (err)
        print_error(STR_FMT "\n", STR_ARG(r.fault));
    assert_int_equal(err, ERR_OK);
    return r.document;
}

static struct str text_of(struct arena *a, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, a, TEXT_MAX);
    json_put(&b, v);
    assert_int_equal(buf_err(&b), ERR_OK);
    return buf_str(&b);
}

static struct json *members(struct json *doc, const char *name)
{
    for (struct json *it = doc->child; it; it = it->next)
        if (str_eq_c(it->key, name))
            return it;
    return NULL;
}

static size_t methods_of(const struct json *doc)
{
    size_t n = 0;
    JSON_EACH (json_get(doc, STR("resources")), it)
        JSON_EACH (json_get(it, STR("resourceMethods")), m)
            n += 1 + (json_get(m, STR("methodIntegration")) != NULL) * 100;
    return n;
}

static void exports_read_back(void **state)
{
    static const char *const files[] = {"swagger_all.yaml", "openapi3_all.json"};
    for (size_t i = 0; i < 2 * ARRAY_LEN(files); i++) {
        struct arena a;
        char path[512];
        struct json *doc, *out;
        const struct openapi_export how = {i % 2,       true,    true, true, STR("h.example"),
                                           STR("prod"), STR("1")};
        arena_init(&a, 64 << 20);
        snprintf(path, sizeof(path), DATA "/%s", files[i / 2]);
        doc = imported(&a, slurp(&a, path));
        assert_int_equal(openapi_export(&a, doc, &how, &out), ERR_OK);
        struct str first = text_of(&a, out);
        struct json *again = imported(&a, first);
        assert_true(
            str_eq(text_of(&a, members(doc, "restApi")), text_of(&a, members(again, "restApi"))) ||
            str_find_str(text_of(&a, members(doc, "restApi")), STR("disableExecute")) != SIZE_MAX);
        assert_int_equal(methods_of(again), methods_of(doc));
        assert_int_equal(json_get(again, STR("models"))->n, json_get(doc, STR("models"))->n);
        assert_int_equal(json_get(again, STR("authorizers"))->n,
                         json_get(doc, STR("authorizers"))->n);
        assert_int_equal(openapi_export(&a, again, &how, &out), ERR_OK);
        struct str second = text_of(&a, out);
        if (!str_eq(first, second))
            print_error(STR_FMT "\n\n" STR_FMT "\n", STR_ARG(first), STR_ARG(second));
        assert_true(str_eq(first, second));
        arena_release(&a);
    }
}

static void exports_leave_extensions_out(void **state)
{
    struct arena a;
    struct json *out;
    const struct openapi_export how = {.host = STR("h"), .stage = STR("s")};
    arena_init(&a, 64 << 20);
    struct json *doc = imported(&a, slurp(&a, DATA "/swagger_all.yaml"));
    assert_int_equal(openapi_export(&a, doc, &how, &out), ERR_OK);
    assert_true(str_find_str(text_of(&a, out), STR("integration")) == SIZE_MAX);
    assert_true(str_find_str(text_of(&a, out), STR("authorizer")) == SIZE_MAX);
    assert_true(str_find_str(text_of(&a, out), STR("policy")) == SIZE_MAX);
    assert_true(str_find_str(text_of(&a, out), STR("api_key")) != SIZE_MAX);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files),
        cmocka_unit_test(base_paths),
        cmocka_unit_test(limits),
        cmocka_unit_test(exports_read_back),
        cmocka_unit_test(exports_leave_extensions_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
