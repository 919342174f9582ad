/* template.h: cases as data (tests/data/templates/README.md), and limits, which would make poor data. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec/json_edit.h"
#include "lang/equal.h"
#include "template/template.h"

enum { ARENA_MAX = 512 << 20 };

static struct str read_file(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    struct buf b;
    size_t n;
    assert_non_null(f);
    buf_init_arena(&b, a, 64 << 20);
    do {
        char *p = buf_reserve(&b, 65536);
        assert_non_null(p);
        n = fread(p, 1, 65536, f);
        buf_grew(&b, n);
    } while (n);
    fclose(f);
    return buf_str(&b);
}

/* --- the world of the cases ---------------------------------------------------------------------- */

struct host {
    const struct json *file, *one; /* the case's own answers, and its file's */
};

static const struct json *known(const struct host *h, const char *what, struct str name)
{
    const struct json *v = json_get(json_get(h->one, str_c(what)), name);
    return v ? v : json_get(json_get(h->file, str_c(what)), name);
}

/* "store": {name: value or [type, value]}; "name:2" is version 2. */
static enum err parameter(void *arg, struct arena *a, struct str name, int64_t version,
                          bool decrypt, struct str *ret_value, struct str *ret_type,
                          struct tpl_fault *ret_fault)
{
    struct str key = version ? str_fmt(a, STR_FMT ":%d", STR_ARG(name), (int)version) : name;
    const struct json *v = known(arg, "store", key);
    if (!v)
        return ERR_NOT_FOUND;
    *ret_type = v->kind == JSON_ARRAY ? v->child->text : STR("String");
    *ret_value = v->kind == JSON_ARRAY ? v->child->next->text : v->text;
    assert_true(!decrypt || str_is_set(*ret_value));
    return ERR_OK;
}

static enum err export_value(void *arg, struct arena *a, struct str name, struct str *ret_value,
                             struct tpl_fault *ret_fault)
{
    const struct json *v = known(arg, "exports", name);
    *ret_value = v ? v->text : STR_NONE;
    return v ? ERR_OK : ERR_NOT_FOUND;
}

static enum err text(void *arg, struct arena *a, struct str location, struct str *ret_text,
                     struct tpl_fault *ret_fault)
{
    const struct json *v = known(arg, "texts", location);
    *ret_text = v ? v->text : STR_NONE;
    return v ? ERR_OK : ERR_NOT_FOUND;
}

static bool has_type(void *arg, struct str type)
{
    return !str_starts(type, STR("Unknown::"));
}

static bool has_attribute(void *arg, struct str type, struct str attribute)
{
    return !str_eq(attribute, STR("Nothing"));
}

static const struct tpl_host HOST = {parameter, export_value, text, has_type, has_attribute};

/* Ref X is "X-id", Fn::GetAtt X.Y "X-Y"; of LaterX nothing is known. */
static enum err lookup(void *arg, struct arena *a, struct str id, struct str attribute,
                       const struct json **ret_v)
{
    if (str_starts(id, STR("Later")))
        return ERR_SUSPENDED;
    if (str_eq(attribute, STR("Unheard")))
        return ERR_NOT_FOUND;
    if (str_eq(attribute, STR("List"))) {
        struct json *list = json_new(a, JSON_ARRAY);
        assert_int_equal(json_push(list, json_new_str(a, STR("one"))), ERR_OK);
        assert_int_equal(json_push(list, json_new_str(a, STR("two"))), ERR_OK);
        *ret_v = list;
        return ERR_OK;
    }
    struct str s = str_is_set(attribute)
                       ? str_fmt(a, STR_FMT "-" STR_FMT, STR_ARG(id), STR_ARG(attribute))
                       : str_fmt(a, STR_FMT "-id", STR_ARG(id));
    *ret_v = json_new_str(a, s);
    return ERR_OK;
}

/* --- one case ------------------------------------------------------------------------------------ */

struct outcome {
    struct str error;       /* absent: none */
    struct json *resources; /* id -> properties */
    struct json *after;     /* id -> ids, where there are any */
    struct json *policies;  /* id -> [deletion, update-replace], where there are any */
    struct json *outputs;   /* key -> value */
    struct json *exports;   /* key -> name */
    bool whole;
};

static struct tpl_world world_of(struct arena *a, const struct json *one, struct host *host)
{
    static const struct str topics[] = {STR_INIT("arn:aws:sns:eu-west-1:123456789012:t")};
    const struct json *given = json_get(one, STR("parameters"));
    struct tpl_given *p = ARENA_ARRAY(a, struct tpl_given, given ? given->n : 0);
    struct tpl_world w = {
        .region = STR("eu-west-1"),
        .account = STR("123456789012"),
        .partition = STR("aws"),
        .url_suffix = STR("amazonaws.com"),
        .stack_name = STR("s"),
        .stack_id = STR("arn:aws:cloudformation:eu-west-1:123456789012:stack/s/1"),
        .notification_arns = topics,
        .notification_arn_n = 1,
        .given = p,
        .host = &HOST,
        .host_arg = host,
        .check_only = json_get(one, STR("check_only")) != NULL,
    };
    JSON_EACH (given, it)
        p[w.given_n++] = (struct tpl_given){.key = it->key, .value = it->text};
    return w;
}

static enum err resolved(struct arena *a, struct tpl *tpl, const struct json *v, struct outcome *o,
                         struct json *into, struct str key)
{
    struct tpl_fault fault = {0};
    const struct json *made = NULL;
    bool whole = true;
    enum err err = v ? tpl_resolve(tpl, a, v, lookup, NULL, &made, &whole, &fault) : ERR_OK;
    if (err != ERR_OK) {
        o->error = fault.message;
        return err;
    }
    o->whole = o->whole && whole;
    struct json *copy = made ? json_copy(a, made) : json_new(a, JSON_NULL);
    return json_set(into, key, copy);
}

static void note_resource(struct arena *a, const struct tpl_resource *all,
                          const struct tpl_resource *r, struct outcome *o)
{
    struct json *after = json_new(a, JSON_ARRAY), *policies = json_new(a, JSON_ARRAY);
    for (size_t i = 0; i < r->after_n; i++)
        assert_int_equal(json_push(after, json_new_str(a, all[r->after[i]].id)), ERR_OK);
    if (after->n)
        assert_int_equal(json_set(o->after, r->id, after), ERR_OK);
    assert_int_equal(json_push(policies, json_new_str(a, r->deletion_policy)), ERR_OK);
    assert_int_equal(json_push(policies, json_new_str(a, r->update_replace_policy)), ERR_OK);
    if (str_is_set(r->deletion_policy) || str_is_set(r->update_replace_policy))
        assert_int_equal(json_set(o->policies, r->id, policies), ERR_OK);
}

static void note_all(struct arena *a, struct tpl *tpl, struct outcome *o)
{
    size_t n;
    const struct tpl_resource *all = tpl_resources(tpl, &n);
    for (size_t i = 0; i < n; i++) {
        note_resource(a, all, &all[i], o);
        if (resolved(a, tpl, all[i].properties, o, o->resources, all[i].id) != ERR_OK)
            return;
    }
    const struct tpl_output *outputs = tpl_outputs(tpl, &n);
    for (size_t i = 0; i < n; i++)
        if (resolved(a, tpl, outputs[i].value, o, o->outputs, outputs[i].key) != ERR_OK ||
            (outputs[i].export_name &&
             resolved(a, tpl, outputs[i].export_name, o, o->exports, outputs[i].key) != ERR_OK))
            return;
}

static struct outcome play(struct arena *a, struct str source, const struct json *one,
                           const struct json *file)
{
    struct outcome o = {.resources = json_new(a, JSON_OBJECT),
                        .after = json_new(a, JSON_OBJECT),
                        .policies = json_new(a, JSON_OBJECT),
                        .outputs = json_new(a, JSON_OBJECT),
                        .exports = json_new(a, JSON_OBJECT),
                        .whole = true};
    struct host *host = ARENA_NEW(a, struct host);
    struct tpl_world *world = ARENA_NEW(a, struct tpl_world);
    struct tpl_fault fault = {0};
    struct json *tree;
    struct tpl *tpl;
    *host = (struct host){file, one};
    *world = world_of(a, one, host);
    enum err err = tpl_read(a, source, &tree, &fault);
    if (err == ERR_OK)
        err = tpl_open(a, tree, world, &tpl, &fault);
    if (err == ERR_OK && !world->check_only)
        note_all(a, tpl, &o);
    if (err != ERR_OK) {
        assert_int_equal(err, ERR_INVALID);
        o.error = fault.message;
        assert_true(str_is_set(o.error));
    }
    return o;
}

/* --- judging ------------------------------------------------------------------------------------- */

static int failures;

static void complain(const char *file, const struct json *one, const char *what,
                     const struct json *wanted, const struct json *got, struct str error)
{
    struct arena a;
    struct buf w, g;
    arena_init(&a, ARENA_MAX);
    buf_init_arena(&w, &a, 1 << 20);
    buf_init_arena(&g, &a, 1 << 20);
    if (wanted)
        json_put(&w, wanted);
    if (got)
        json_put(&g, got);
    printf("%s: " STR_FMT ": %s\n  wanted " STR_FMT "\n  got    " STR_FMT " " STR_FMT "\n", file,
           STR_ARG(json_get_str(one, STR("name"))), what, STR_ARG(buf_str(&w)),
           STR_ARG(buf_str(&g)), STR_ARG(error));
    failures++;
    arena_release(&a);
}

static void judge(const char *file, const struct json *one, const struct outcome *o)
{
    const struct {
        const char *what;
        const struct json *got;
    } rows[] = {{"resources", o->resources},
                {"after", o->after},
                {"policies", o->policies},
                {"outputs", o->outputs},
                {"exports_are", o->exports}};
    struct str error = json_get_str(one, STR("error"));
    const struct json *want = json_get(one, STR("want"));
    size_t steps = 0;
    if (!str_eq(error, o->error)) {
        complain(file, one, "error", json_get(one, STR("error")), NULL, o->error);
        return;
    }
    if (str_is_set(error))
        return;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct json *wanted = json_get(one, str_c(rows[i].what));
        if (wanted && !value_equal(wanted, rows[i].got, &steps))
            complain(file, one, rows[i].what, wanted, rows[i].got, STR_NONE);
    }
    if (want) {
        const struct json *r = json_get(o->resources, STR("R")), *p = json_get(r, STR("P"));
        if (want->kind == JSON_NULL ? p != NULL : !p || !value_equal(want, p, &steps))
            complain(file, one, "want", want, p, STR_NONE);
    }
    const struct json *whole = json_get(one, STR("whole"));
    if (o->whole != (!whole || whole->b))
        complain(file, one, "whole", whole, NULL, STR_NONE);
}

/* The file's "base" with the case's "value" in the place of "@". */
static struct str in_base(struct arena *a, const struct json *file, const struct json *one)
{
    struct str base = json_get_str(file, STR("base")), value = json_get_str(one, STR("value"));
    size_t at = str_find(base, '@');
    assert_true(at != SIZE_MAX);
    return str_fmt(a, STR_FMT STR_FMT STR_FMT, STR_ARG(str_sub(base, 0, at)), STR_ARG(value),
                   STR_ARG(str_sub(base, at + 1, SIZE_MAX)));
}

static void play_case(const char *file_name, const struct json *file, const struct json *one)
{
    struct arena a;
    struct outcome o;
    arena_init(&a, ARENA_MAX);
    const struct json *template = json_get(one, STR("template"));
    if (template && template->kind == JSON_STRING) {
        o = play(&a, template->text, one, file);
    } else if (template) {
        struct buf b;
        buf_init_arena(&b, &a, 16 << 20);
        json_put(&b, template);
        o = play(&a, buf_str(&b), one, file);
    } else { /* JSON in a base of JSON is also YAML, and must say the same there */
        struct str source = in_base(&a, file, one);
        struct json *unused;
        if (json_parse(&a, source, &unused, NULL) == ERR_OK) {
            o = play(&a, source, one, file);
            judge(file_name, one, &o);
        }
        o = play(&a, str_fmt(&a, "---\n" STR_FMT, STR_ARG(source)), one, file);
    }
    judge(file_name, one, &o);
    arena_release(&a);
}

static void test_cases(void **state)
{
    DIR *dir = opendir(SOURCE_DIR "/tests/data/templates");
    struct dirent *entry;
    int played = 0;
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        struct arena a;
        struct json *file;
        if (!str_ends(str_c(entry->d_name), STR(".json")))
            continue;
        arena_init(&a, ARENA_MAX);
        struct str path = str_fmt(&a, "%s/tests/data/templates/%s", SOURCE_DIR, entry->d_name);
        size_t at = 0;
        if (json_parse(&a, read_file(&a, path.p), &file, &at) != ERR_OK)
            fail_msg("%s is no JSON at byte %zu", entry->d_name, at);
        JSON_EACH (json_get(file, STR("cases")), one) {
            play_case(entry->d_name, file, one);
            played++;
        }
        arena_release(&a);
    }
    closedir(dir);
    printf("%d cases\n", played);
    assert_true(played > 0);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
