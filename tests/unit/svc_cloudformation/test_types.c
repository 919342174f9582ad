/* Resource types: rows of cases/<service>.json (properties, the calls that are expected, what they
 * are answered, how the work ends), played against the interpreter. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/json.h"
#include "svc/cloudformation/type.h"
#include "svc/cloudformation/type_int.h"

enum { FILE_MAX = 1024 * 1024, STEPS_MAX = 200 };

#define CASES SOURCE_DIR "/tests/unit/svc_cloudformation/cases"
#define STACK_ID                                                                                   \
    "arn:aws:cloudformation:eu-west-1:000000000000:stack/Stack/"                                   \
    "8b2c0a4e-0000-4000-8000-000000000000"

struct play {
    struct arena a;
    const struct json *row;
    struct str name;
    struct type_work work;
    struct type_state state;
};

static const char *where(const struct play *p, const char *what)
{
    static char text[512];
    snprintf(text, sizeof(text), STR_FMT ": %s", STR_ARG(p->name), what);
    return text;
}

static struct str text_of(struct arena *a, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, a, FILE_MAX);
    json_put(&b, v);
    return buf_str(&b);
}

/* Every member that is expected is there; objects within must be equal. */
static void expect_json(struct play *p, const char *what, const struct json *expected,
                        struct str found)
{
    struct json *v = NULL;
    assert_int_equal(json_parse(&p->a, found, &v, NULL), ERR_OK);
    if (!type_equal(expected, v))
        fail_msg("%s\n expected " STR_FMT "\n found    " STR_FMT, where(p, what),
                 STR_ARG(text_of(&p->a, expected)), STR_ARG(found));
}

static void expect_text(struct play *p, const char *what, struct str expected, struct str found)
{
    if (!str_eq(expected, found))
        fail_msg("%s\n expected " STR_FMT "\n found    " STR_FMT, where(p, what), STR_ARG(expected),
                 STR_ARG(found));
}

static struct core_result answer(struct play *p, const struct json *step)
{
    const struct json *error = json_get(step, STR("error"));
    struct core_result r = {.err = ERR_OK, .status = 200, .request_id = STR("RID")};
    if (error) {
        int64_t status = 400;
        r.err = ERR_FAILED;
        r.code = json_get_str(error, STR("code"));
        r.message = json_get_str(error, STR("message"));
        if (json_get(error, STR("status")))
            assert_int_equal(json_to_i64(json_get(error, STR("status")), &status), ERR_OK);
        r.status = (int)status;
        return r;
    }
    const struct json *output = json_get(step, STR("output"));
    r.output = output ? text_of(&p->a, output) : STR("{}");
    r.body = json_get_str(step, STR("body"));
    return r;
}

static void keep_state(struct play *p)
{
    p->work.cursor = p->state.cursor;
    p->work.physical_id = p->state.physical_id;
    p->work.attributes = p->state.attributes;
}

static void play_step(struct play *p, const struct json *step)
{
    struct core_request request;
    assert_int_equal(type_next(&p->work, &p->a, &request, &p->state), ERR_OK);
    if (p->state.doing != TYPE_CALL)
        fail_msg("%s " STR_FMT " but it is over: %d " STR_FMT, where(p, "expected"),
                 STR_ARG(json_get_str(step, STR("call"))), p->state.doing,
                 STR_ARG(p->state.reason));
    expect_text(
        p, "call", json_get_str(step, STR("call")),
        str_fmt(&p->a, STR_FMT ":" STR_FMT, STR_ARG(request.service), STR_ARG(request.operation)));
    if (json_get(step, STR("input")))
        expect_json(p, request.operation.p, json_get(step, STR("input")), request.input);
    const struct json *again = json_get(step, STR("again"));
    p->work.again = again && again->b;
    struct core_result result = answer(p, step);
    assert_int_equal(type_took(&p->work, &p->a, &result, &p->state), ERR_OK);
    bool waits = json_get(step, STR("waits")) != NULL;
    if (waits != (p->state.doing == TYPE_WAIT))
        fail_msg("%s %d", where(p, "state after the call"), p->state.doing);
    keep_state(p);
}

static void check_end(struct play *p)
{
    const struct json *done = json_get(p->row, STR("done"));
    const struct json *refused = json_get(p->row, STR("failed"));
    struct core_request request;
    if (p->state.doing != TYPE_DONE && p->state.doing != TYPE_FAILED)
        assert_int_equal(type_next(&p->work, &p->a, &request, &p->state), ERR_OK);
    if (p->state.doing != (refused ? TYPE_FAILED : TYPE_DONE))
        fail_msg("%s %d " STR_FMT " " STR_FMT, where(p, "ends as"), p->state.doing,
                 STR_ARG(p->state.reason),
                 STR_ARG(p->state.doing == TYPE_CALL ? request.operation : STR("")));
    if (refused) {
        expect_text(p, "code", json_get_str(refused, STR("code")), p->state.code);
        if (json_get(refused, STR("reason")))
            expect_text(p, "reason", json_get_str(refused, STR("reason")), p->state.reason);
        return;
    }
    if (json_get(done, STR("id")))
        expect_text(p, "id", json_get_str(done, STR("id")), p->state.physical_id);
    if (json_get(done, STR("live")))
        expect_json(p, "live", json_get(done, STR("live")), p->state.live);
    struct json *attributes = NULL;
    assert_int_equal(json_parse(&p->a, p->state.attributes, &attributes, NULL), ERR_OK);
    JSON_EACH (json_get(done, STR("attributes")), it) {
        assert_true(type_has_attribute(p->work.type, it->key));
        const struct json *found = json_get(attributes, it->key);
        struct str text = found ? text_of(&p->a, found) : STR("absent");
        if (!type_equal(it, found))
            fail_msg("%s " STR_FMT " is " STR_FMT, where(p, "attribute"), STR_ARG(it->key),
                     STR_ARG(text));
    }
}

static enum type_verb verb_of(struct str name)
{
    static const char *const names[] = {"create", "update", "delete", "read"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(name, names[i]))
            return (enum type_verb)i;
    fail_msg("no such verb: " STR_FMT, STR_ARG(name));
    return TYPE_CREATE;
}

static void check_properties(struct play *p, const struct json *properties)
{
    struct str message = STR_NONE;
    if (properties && type_check(p->work.type, properties, &p->a, &message) != ERR_OK)
        fail_msg("%s " STR_FMT, where(p, "refused:"), STR_ARG(message));
}

static struct str or_else(struct str text, struct str other)
{
    return str_is_set(text) ? text : other;
}

static void play_row(const struct json *row)
{
    struct play p = {.row = row, .name = json_get_str(row, STR("name"))};
    arena_init(&p.a, 64 * 1024 * 1024);
    const struct json *attributes = json_get(row, STR("attributes"));
    p.work = (struct type_work){
        .verb = verb_of(json_get_str(row, STR("verb"))),
        .type = type_find(json_get_str(row, STR("type"))),
        .account = STR("000000000000"),
        .region = STR("eu-west-1"),
        .partition = STR("aws"),
        .url_suffix = STR("amazonaws.com"),
        .stack_id = STR(STACK_ID),
        .stack_name = or_else(json_get_str(row, STR("stack")), STR("Stack")),
        .logical_id = or_else(json_get_str(row, STR("logical")), STR("Thing")),
        .token = STR("TOKENTOKEN12"),
        .tags = json_get(row, STR("tags")),
        .tags_before = json_get(row, STR("tags_before")),
        .before = json_get(row, STR("before")),
        .after = json_get(row, STR("after")),
        .physical_id = json_get_str(row, STR("id")),
        .attributes = attributes ? text_of(&p.a, attributes) : STR_NONE,
    };
    if (!p.work.type)
        fail_msg("%s", where(&p, "no such type"));
    if (!json_get(row, STR("unchecked"))) {
        check_properties(&p, p.work.before);
        check_properties(&p, p.work.after);
    }
    JSON_EACH (json_get(row, STR("steps")), step)
        play_step(&p, step);
    check_end(&p);
    arena_release(&p.a);
}

static struct str read_file(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *p = arena_alloc(a, FILE_MAX);
    assert_non_null(p);
    size_t n = fread(p, 1, FILE_MAX, f);
    fclose(f);
    assert_true(n < FILE_MAX);
    return str_n(p, n);
}

static void each_row(const char *part, void (*fn)(const struct json *row))
{
    DIR *dir = opendir(CASES);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (!str_ends(str_c(e->d_name), STR(".json")))
            continue;
        struct arena a;
        struct json *rows = NULL;
        size_t at = 0;
        char path[1024];
        snprintf(path, sizeof(path), "%s/%s", CASES, e->d_name);
        arena_init(&a, 64 * 1024 * 1024);
        if (json_parse(&a, read_file(&a, path), &rows, &at) != ERR_OK)
            fail_msg("%s: no JSON at byte %zu", e->d_name, at);
        JSON_EACH (json_get(rows, str_c(part)), row)
            fn(row);
        arena_release(&a);
    }
    closedir(dir);
}

static void test_work(void **state)
{
    (void)state;
    each_row("work", play_row);
}

/* Properties that a type refuses, and in which words. */
static void check_row(const struct json *row)
{
    struct arena a;
    struct str message = STR_NONE;
    const struct type_row *type = type_find(json_get_str(row, STR("type")));
    arena_init(&a, 1024 * 1024);
    assert_non_null(type);
    enum err err = type_check(type, json_get(row, STR("properties")), &a, &message);
    struct str expected = json_get_str(row, STR("message"));
    if (err != (str_is_set(expected) ? ERR_INVALID : ERR_OK) || !str_eq(message, expected))
        fail_msg(STR_FMT ": " STR_FMT, STR_ARG(json_get_str(row, STR("name"))), STR_ARG(message));
    arena_release(&a);
}

static void test_check(void **state)
{
    (void)state;
    each_row("check", check_row);
}

static void compare_row(const struct json *row)
{
    static const char *const words[] = {"same", "in place", "maybe", "replacement"};
    struct arena a;
    enum type_change change;
    struct type_difference *d;
    const struct type_row *type = type_find(json_get_str(row, STR("type")));
    arena_init(&a, 1024 * 1024);
    assert_non_null(type);
    assert_int_equal(type_compare(type, &a, json_get(row, STR("before")),
                                  json_get(row, STR("after")), &change, &d),
                     ERR_OK);
    if (!str_eq_c(json_get_str(row, STR("is")), words[change]))
        fail_msg(STR_FMT ": %s", STR_ARG(json_get_str(row, STR("name"))), words[change]);
    JSON_EACH (json_get(row, STR("differences")), it) {
        assert_non_null(d);
        assert_true(str_eq(it->text, d->property));
        d = d->next;
    }
    assert_null(d);
    arena_release(&a);
}

static void test_compare(void **state)
{
    (void)state;
    each_row("compare", compare_row);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < type_count(); i++) {
        assert_ptr_equal(type_find(type_name_at(i)), &type_rows[i]);
        assert_true(type_rows[i].create.n > 0);
    }
    assert_null(type_find(STR("AWS::No::Such")));
    assert_null(type_find(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
