/* Resource types against the services themselves: the stories of types/<service>.json make, change,
 * read and remove resources through the interpreter and inner calls, as CloudFormation does.
 *
 * "${Q}" in a story's texts is the physical id of Q, "${Q.Arn}" an attribute. After each create and
 * update the resource is read back: what it was given must be what the service has, but for the
 * properties in "unread". */
#include <dirent.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/inner.h"
#include "help_world.h"
#include "svc/cloudformation/type.h"
#include "svc/cloudformation/type_int.h"

#define STORIES SOURCE_DIR "/tests/unit/fault/types"
#define ACCOUNT "000000000000"
#define STACK_ID                                                                                   \
    "arn:aws:cloudformation:us-east-1:" ACCOUNT ":stack/Stack/"                                    \
    "8b2c0a4e-0000-4000-8000-000000000000"

enum { FILE_MAX = 1024 * 1024, THINGS_MAX = 40, TURNS_MAX = 100000 };

static const struct principal root = {
    .kind = PRINCIPAL_ROOT,
    .account = STR_INIT(ACCOUNT),
    .arn = STR_INIT("arn:aws:iam::" ACCOUNT ":root"),
    .access_key = STR_INIT("test"), /* by which a service acts for it later */
};

/* A resource of a story. */
struct thing {
    struct str name, id, attributes;
    const struct type_row *type;
    const struct json *properties;
};

struct story {
    struct world *w;
    struct arena a;
    struct str name, region;
    struct thing things[THINGS_MAX];
    size_t n;
    unsigned token;
};

struct asked {
    struct io_task task;
    struct core *core;
    struct core_request req;
    struct arena *a;
    struct core_result result;
    sem_t done;
};

static void on_done(void *arg, const struct core_result *r)
{
    struct asked *q = arg;
    q->result = *r;
    q->result.output = str_dup(q->a, r->output);
    q->result.body = str_dup(q->a, r->body);
    q->result.code = str_dup(q->a, r->code);
    q->result.message = str_dup(q->a, r->message);
    q->result.request_id = STR("RID");
    sem_post(&q->done);
}

static void begin(struct io_task *task)
{
    struct asked *q = CONTAINER_OF(task, struct asked, task);
    assert_int_equal(core_call(q->core, &q->req, on_done, q, NULL), ERR_OK);
}

static struct core_result ask(struct story *s, struct core_request req)
{
    struct asked q = {.core = &s->w->core, .req = req, .a = &s->a};
    q.task.fn = begin;
    q.req.who = &root;
    q.req.via = STR("cloudformation.amazonaws.com");
    q.req.region = s->region;
    q.req.system_tags = true;
    sem_init(&q.done, 0, 0);
    io_post(s->w->loop, &q.task);
    while (sem_wait(&q.done) < 0)
        continue;
    return q.result;
}

static struct str text_of(struct arena *a, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, a, FILE_MAX);
    json_put(&b, v);
    return buf_str(&b);
}

static struct thing *thing(struct story *s, struct str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(s->things[i].name, name))
            return &s->things[i];
    fail_msg(STR_FMT ": no such thing: " STR_FMT, STR_ARG(s->name), STR_ARG(name));
    return NULL;
}

static struct str value_of(struct story *s, struct str reference)
{
    struct str attribute = reference, name = str_cut(&attribute, '.');
    struct json *v = NULL;
    const struct thing *t = thing(s, name);
    if (!str_is_set(attribute))
        return t->id;
    assert_true(type_has_attribute(t->type, attribute));
    assert_int_equal(json_parse(&s->a, t->attributes, &v, NULL), ERR_OK);
    const struct json *found = json_get(v, attribute);
    if (!found)
        fail_msg(STR_FMT ": " STR_FMT " is absent", STR_ARG(s->name), STR_ARG(reference));
    return found->kind == JSON_STRING ? found->text : text_of(&s->a, found);
}

/* The tree with references put in. */
static const struct json *filled(struct story *s, const struct json *v)
{
    struct buf b;
    struct json *out = NULL;
    if (!v)
        return NULL;
    struct str text = text_of(&s->a, v);
    buf_init_arena(&b, &s->a, FILE_MAX);
    for (size_t i = 0; i < text.len; i++) {
        struct str rest = str_sub(text, i, SIZE_MAX);
        if (!str_starts(rest, STR("${"))) {
            buf_add_byte(&b, text.p[i]);
            continue;
        }
        size_t len = str_find(rest, '}');
        buf_add_str(&b, value_of(s, str_sub(rest, 2, len - 2)));
        i += len;
    }
    assert_int_equal(json_parse(&s->a, buf_str(&b), &out, NULL), ERR_OK);
    return out;
}

static struct type_work work_of(struct story *s, enum type_verb verb, const struct thing *t)
{
    return (struct type_work){
        .verb = verb,
        .type = t->type,
        .account = STR(ACCOUNT),
        .region = s->region,
        .partition = STR("aws"),
        .url_suffix = STR("amazonaws.com"),
        .stack_id = STR(STACK_ID),
        .stack_name = STR("Stack"),
        .logical_id = t->name,
        .token = str_fmt(&s->a, "TOKEN%07u", s->token),
        .physical_id = t->id,
        .attributes = t->attributes,
        .before = t->properties,
    };
}

static struct type_state run(struct story *s, struct type_work *w)
{
    struct type_state state = {0};
    for (size_t turn = 0; turn < TURNS_MAX; turn++) {
        struct core_request req;
        assert_int_equal(type_next(w, &s->a, &req, &state), ERR_OK);
        if (state.doing != TYPE_CALL)
            return state;
        struct core_result result = ask(s, req);
        if (getenv("SHOW"))
            fprintf(stderr, STR_FMT ":" STR_FMT " " STR_FMT "\n  -> %d " STR_FMT STR_FMT "\n",
                    STR_ARG(req.service), STR_ARG(req.operation), STR_ARG(req.input), result.status,
                    STR_ARG(result.err == ERR_OK ? result.output : result.code),
                    STR_ARG(result.err == ERR_OK ? STR("") : result.message));
        assert_true(result.err == ERR_OK || result.err == ERR_FAILED);
        assert_int_equal(type_took(w, &s->a, &result, &state), ERR_OK);
        w->physical_id = state.physical_id;
        w->attributes = state.attributes;
        w->cursor = state.cursor;
        if (state.doing == TYPE_DONE || state.doing == TYPE_FAILED)
            return state;
    }
    fail_msg(STR_FMT ": does not end", STR_ARG(s->name));
    return state;
}

/* Whether the work ended as the step says. */
static void expect_end(struct story *s, const struct json *step, const struct type_state *state)
{
    struct str fails = json_get_str(step, STR("fails"));
    struct str code = state->doing == TYPE_FAILED ? state->code : STR_NONE;
    if (!str_eq(fails, code))
        fail_msg(STR_FMT ": " STR_FMT "\n ends with " STR_FMT " " STR_FMT, STR_ARG(s->name),
                 STR_ARG(text_of(&s->a, step)), STR_ARG(code), STR_ARG(state->reason));
    struct str says = json_get_str(step, STR("says"));
    if (str_is_set(says) && str_find_str(state->reason, says) == SIZE_MAX)
        fail_msg(STR_FMT ": " STR_FMT, STR_ARG(s->name), STR_ARG(state->reason));
}

/* Members of `given` are those of `live`, at all levels; lists are equal as sets of texts or element by
 * element. */
static bool covers(const struct json *live, const struct json *given)
{
    if (!live)
        return false;
    if (given->kind == JSON_OBJECT && live->kind == JSON_OBJECT) {
        JSON_EACH (given, it)
            if (!covers(json_get(live, it->key), it))
                return false;
        return true;
    }
    if (given->kind == JSON_ARRAY && live->kind == JSON_ARRAY && given->n == live->n) {
        JSON_EACH (given, it) {
            bool found = false;
            JSON_EACH (live, other)
                found |= covers(other, it);
            if (!found)
                return false;
        }
        return true;
    }
    if (given->kind == JSON_STRING && live->kind == JSON_NUMBER)
        return str_eq(given->text, live->text);
    return type_equal(given, live);
}

static void read_back(struct story *s, struct thing *t, const struct json *step)
{
    if (t->type->read.n == 0)
        return;
    struct type_work w = work_of(s, TYPE_READ, t);
    struct json *live = NULL;
    struct type_state state = run(s, &w);
    assert_int_equal(state.doing, TYPE_DONE);
    if (state.gone)
        fail_msg(STR_FMT ": " STR_FMT " is gone", STR_ARG(s->name), STR_ARG(t->name));
    assert_int_equal(json_parse(&s->a, state.live, &live, NULL), ERR_OK);
    const struct json *unread = json_get(step, STR("unread"));
    const struct json *given =
        t->properties ? type_coerce(&s->a, t->type->shape, t->properties) : NULL;
    JSON_EACH (given, it)
        if (json_index_of(unread, it->key) == SIZE_MAX && !covers(json_get(live, it->key), it))
            fail_msg(STR_FMT ": " STR_FMT "." STR_FMT "\n given " STR_FMT "\n live " STR_FMT,
                     STR_ARG(s->name), STR_ARG(t->name), STR_ARG(it->key),
                     STR_ARG(text_of(&s->a, it)), STR_ARG(state.live));
}

static void check_given(struct story *s, const struct thing *t, const struct json *properties)
{
    struct str message = STR("");
    if (properties && type_check(t->type, properties, &s->a, &message) != ERR_OK)
        fail_msg(STR_FMT ": " STR_FMT, STR_ARG(s->name), STR_ARG(message));
}

static void create(struct story *s, const struct json *step)
{
    assert_true(s->n < THINGS_MAX);
    struct thing t = {.name = json_get_str(step, STR("create"))};
    t.type = type_find(json_get_str(step, STR("type")));
    if (!t.type)
        fail_msg(STR_FMT ": no such type", STR_ARG(json_get_str(step, STR("type"))));
    const struct json *properties = filled(s, json_get(step, STR("properties")));
    check_given(s, &t, properties);
    s->token++;
    struct type_work w = work_of(s, TYPE_CREATE, &t);
    w.after = properties;
    struct type_state state = run(s, &w);
    expect_end(s, step, &state);
    if (state.doing == TYPE_FAILED)
        return;
    assert_true(str_is_set(state.physical_id));
    t.id = state.physical_id;
    t.attributes = state.attributes;
    t.properties = properties;
    read_back(s, &t, step);
    s->things[s->n++] = t;
}

static void update(struct story *s, const struct json *step)
{
    struct thing *t = thing(s, json_get_str(step, STR("update")));
    enum type_change change;
    struct type_difference *differences;
    const struct json *properties = filled(s, json_get(step, STR("properties")));
    check_given(s, t, properties);
    assert_int_equal(type_compare(t->type, &s->a, t->properties, properties, &change, &differences),
                     ERR_OK);
    assert_int_equal(change, TYPE_IN_PLACE);
    s->token++;
    struct type_work w = work_of(s, TYPE_UPDATE, t);
    w.after = properties;
    struct type_state state = run(s, &w);
    expect_end(s, step, &state);
    if (state.doing == TYPE_FAILED)
        return;
    assert_true(str_eq(t->id, state.physical_id));
    t->attributes = state.attributes;
    t->properties = properties;
    read_back(s, t, step);
}

static void delete (struct story *s, const struct json *step)
{
    struct thing *t = thing(s, json_get_str(step, STR("delete")));
    struct type_work w = work_of(s, TYPE_DELETE, t);
    struct type_state state = run(s, &w);
    expect_end(s, step, &state);
    if (state.doing == TYPE_FAILED || t->type->read.n == 0 || json_get(step, STR("stays")))
        return;
    struct type_work r = work_of(s, TYPE_READ, t);
    state = run(s, &r);
    if (state.doing != TYPE_DONE || !state.gone)
        fail_msg(STR_FMT ": " STR_FMT " is still there", STR_ARG(s->name), STR_ARG(t->name));
    /* What is gone already is deleted all the same. */
    struct type_work again = work_of(s, TYPE_DELETE, t);
    state = run(s, &again);
    if (state.doing != TYPE_DONE)
        fail_msg(STR_FMT ": deleted twice: " STR_FMT, STR_ARG(s->name), STR_ARG(state.reason));
}

static void call(struct story *s, const struct json *step)
{
    struct str op = json_get_str(step, STR("call")), service = str_cut(&op, ':');
    const struct json *input = filled(s, json_get(step, STR("input")));
    struct core_request req = {.service = service, .operation = op};
    req.input = input ? text_of(&s->a, input) : STR("{}");
    req.body = json_get_str(step, STR("body"));
    struct core_result result = ask(s, req);
    struct json *output = NULL;
    const struct json *expected = filled(s, json_get(step, STR("output")));
    if (result.err == ERR_OK)
        assert_int_equal(json_parse(&s->a, result.output, &output, NULL), ERR_OK);
    if (result.err != ERR_OK || (expected && !covers(output, expected)))
        fail_msg(STR_FMT ": " STR_FMT " " STR_FMT STR_FMT STR_FMT, STR_ARG(s->name),
                 STR_ARG(json_get_str(step, STR("call"))), STR_ARG(result.code),
                 STR_ARG(result.message), STR_ARG(result.output));
}

static void tell(struct world *w, const struct json *story)
{
    struct story s = {.w = w, .name = json_get_str(story, STR("name")), .region = STR("us-east-1")};
    arena_init(&s.a, 512 * 1024 * 1024);
    if (getenv("SHOW"))
        fprintf(stderr, "--- " STR_FMT "\n", STR_ARG(s.name));
    JSON_EACH (json_get(story, STR("do")), step) {
        if (json_get(step, STR("create")))
            create(&s, step);
        else if (json_get(step, STR("update")))
            update(&s, step);
        else if (json_get(step, STR("delete")))
            delete (&s, step);
        else
            call(&s, step);
    }
    arena_release(&s.a);
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

static void test_stories(void **state)
{
    static struct world w;
    const char *only = getenv("STORIES");
    DIR *dir = opendir(STORIES);
    assert_non_null(dir);
    world_make(&w);
    world_up(&w);
    for (struct dirent *e; (e = readdir(dir));) {
        struct arena a;
        struct json *stories = NULL;
        char path[1024];
        if (!str_ends(str_c(e->d_name), STR(".json")) || (only && strcmp(only, e->d_name) != 0))
            continue;
        snprintf(path, sizeof(path), "%s/%s", STORIES, e->d_name);
        arena_init(&a, 16 * 1024 * 1024);
        size_t at = 0;
        if (json_parse(&a, read_file(&a, path), &stories, &at) != ERR_OK)
            fail_msg("%s: no JSON at byte %zu", e->d_name, at);
        JSON_EACH (stories, story)
            tell(&w, story);
        arena_release(&a);
    }
    closedir(dir);
    world_down(&w);
    world_remove(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
