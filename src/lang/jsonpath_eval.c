/* Paths over values: one step after another, depth first, so that results come in document order. */
#include <assert.h>

#include "lang/jsonpath_int.h"

/* What a path leads to: one value, or a list that grows. */
struct found {
    const struct json *one;
    struct json *list; /* NULL: definite */
    struct json **tail;
};

static enum err apply(struct jp_eval *e, const struct jp_step *s, const struct json *v,
                      struct found *f);

static enum err work(struct jp_eval *e)
{
    return ++e->steps > JSONPATH_STEPS_MAX ? ERR_LIMIT : ERR_OK;
}

static enum err append(struct jp_eval *e, struct json *list, struct json ***tail,
                       const struct json *v)
{
    if (list->n == JSONPATH_RESULTS_MAX)
        return ERR_LIMIT;
    struct json *copy = ARENA_NEW(e->a, struct json);
    if (!copy)
        return ERR_NOMEM;
    *copy = *v;
    copy->next = NULL;
    assert(!**tail);
    **tail = copy;
    *tail = &copy->next;
    list->n++;
    return ERR_OK;
}

static enum err take(struct jp_eval *e, const struct json *v, struct found *f)
{
    if (f->list)
        return append(e, f->list, &f->tail, v);
    f->one = v;
    return ERR_OK;
}

/* --- steps ------------------------------------------------------------------------------------------ */

/* ['a','b'] at the end: an object of those that are there. */
static enum err merge(struct jp_eval *e, const struct jp_step *s, const struct json *v,
                      struct found *f)
{
    struct json *object = ARENA_NEW(e->a, struct json);
    if (!object)
        return ERR_NOMEM;
    object->kind = JSON_OBJECT;
    struct json **tail = &object->child;
    for (size_t i = 0; i < s->n; i++) {
        const struct json *member = json_get(v, s->names[i]);
        if (member)
            TRY(append(e, object, &tail, member));
    }
    return take(e, object, f);
}

static enum err names(struct jp_eval *e, const struct jp_step *s, const struct json *v,
                      struct found *f)
{
    if (v->kind != JSON_OBJECT)
        return ERR_OK;
    e->steps += v->n;
    if (s->n > 1 && !s->next)
        return merge(e, s, v, f);
    for (size_t i = 0; i < s->n; i++) {
        const struct json *member = json_get(v, s->names[i]);
        if (member)
            TRY(apply(e, s->next, member, f));
    }
    return ERR_OK;
}

static const struct json *element(const struct json *list, int64_t index)
{
    assert(list->kind == JSON_ARRAY);
    int64_t n = list->n, i = index < 0 ? index + n : index;
    if (i < 0 || i >= n)
        return NULL;
    const struct json *it = list->child;
    while (i-- > 0)
        it = it->next;
    assert(it); /* n says how many there are */
    return it;
}

static enum err indexes(struct jp_eval *e, const struct jp_step *s, const struct json *v,
                        struct found *f)
{
    for (size_t i = 0; v->kind == JSON_ARRAY && i < s->n; i++) {
        const struct json *it = element(v, s->indexes[i]);
        e->steps += v->n;
        if (it)
            TRY(apply(e, s->next, it, f));
    }
    return ERR_OK;
}

static enum err slice(struct jp_eval *e, const struct jp_step *s, const struct json *v,
                      struct found *f)
{
    int64_t n = v->n, i = 0, from = s->has_from ? s->from : 0, to = s->has_to ? s->to : n;
    if (v->kind != JSON_ARRAY)
        return ERR_OK;
    from = from < 0 ? max_i64(from + n, 0) : from;
    to = to < 0 ? to + n : to;
    JSON_EACH (v, it) {
        TRY(work(e));
        if (i >= from && i < to)
            TRY(apply(e, s->next, it, f));
        i++;
    }
    return ERR_OK;
}

static enum err filter(struct jp_eval *e, const struct jp_step *s, const struct json *v,
                       struct found *f)
{
    bool holds;
    if (v->kind == JSON_OBJECT) {
        TRY(jp_expr_holds(e, s->filter, v, &holds));
        return holds ? apply(e, s->next, v, f) : ERR_OK;
    }
    if (v->kind != JSON_ARRAY)
        return ERR_OK;
    JSON_EACH (v, it) {
        TRY(work(e));
        TRY(jp_expr_holds(e, s->filter, it, &holds));
        if (holds)
            TRY(apply(e, s->next, it, f));
    }
    return ERR_OK;
}

static enum err shallow(struct jp_eval *e, const struct jp_step *s, const struct json *v,
                        struct found *f)
{
    switch (s->kind) {
    case JP_NAMES:
        return names(e, s, v, f);
    case JP_INDEXES:
        return indexes(e, s, v, f);
    case JP_SLICE:
        return slice(e, s, v, f);
    case JP_FILTER:
        return filter(e, s, v, f);
    default:
        assert(s->kind == JP_ALL);
        if (v->kind == JSON_ARRAY || v->kind == JSON_OBJECT)
            JSON_EACH (v, it)
                TRY(apply(e, s->next, it, f));
        return ERR_OK;
    }
}

/* The step at `v` and at everything below, as deep as the JSON parser lets values be. */
static enum err deep(struct jp_eval *e, const struct jp_step *s, const struct json *v,
                     struct found *f)
{
    TRY(work(e));
    TRY(shallow(e, s, v, f));
    if (v->kind == JSON_ARRAY || v->kind == JSON_OBJECT)
        JSON_EACH (v, it)
            TRY(deep(e, s, it, f));
    return ERR_OK;
}

/* The rest of a path from `s` on; a function is not part of it. */
static enum err apply(struct jp_eval *e, const struct jp_step *s, const struct json *v,
                      struct found *f)
{
    TRY(work(e));
    if (!s || s->kind == JP_FUNCTION)
        return take(e, v, f);
    return s->deep ? deep(e, s, v, f) : shallow(e, s, v, f);
}

/* Whether the steps before a function lead to one value. */
static bool is_single(const struct jp_step *s)
{
    for (; s && s->kind != JP_FUNCTION; s = s->next)
        if (s->deep || s->n != 1 || (s->kind != JP_NAMES && s->kind != JP_INDEXES))
            return false;
    return true;
}

static enum err path_value(struct jp_eval *e, const struct jsonpath *p, const struct json *at,
                           const struct json **ret_v)
{
    struct found f = {0};
    const struct jp_step *last = p->steps;
    while (last && last->next)
        last = last->next;
    bool function = last && last->kind == JP_FUNCTION;
    if (!(function ? is_single(p->steps) : p->definite)) {
        f.list = ARENA_NEW(e->a, struct json);
        if (!f.list)
            return ERR_NOMEM;
        f.list->kind = JSON_ARRAY;
        f.tail = &f.list->child;
    }
    TRY(apply(e, p->steps, p->relative ? at : e->root, &f));
    *ret_v = f.list ? f.list : f.one;
    return function && *ret_v ? jp_function_value(e, last, *ret_v, ret_v) : ERR_OK;
}

enum err jsonpath_eval(const struct jsonpath *p, const struct json *root, struct arena *a,
                       const struct json **ret_v)
{
    struct jp_eval e = {.root = root, .a = a, .path_value = path_value};
    const struct json *v;
    TRY(path_value(&e, p, root, &v));
    if (!v)
        return ERR_NOT_FOUND;
    *ret_v = v;
    return ERR_OK;
}
