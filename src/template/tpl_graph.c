/* What asks for what: references of values, order of resources, circles. See tpl_int.h.
 * Layer: template. Thread: pure. */
#include <stdlib.h>

#include "template/tpl_int.h"

/* --- references ---------------------------------------------------------------------------------- */

/* Hears of each name that a value asks for; `attribute` absent: as Ref does. */
typedef enum err meet_fn(void *arg, struct str name, struct str attribute);

struct walk {
    meet_fn *meet;
    void *arg;
};

static enum err meet_dotted(const struct walk *w, struct str name)
{
    size_t dot = str_find(name, '.');
    return dot == SIZE_MAX
               ? w->meet(w->arg, name, STR_NONE)
               : w->meet(w->arg, str_sub(name, 0, dot), str_sub(name, dot + 1, SIZE_MAX));
}

static enum err walk_sub(const struct walk *w, const struct json *arg)
{
    const struct json *format = arg->kind == JSON_ARRAY ? arg->child : arg;
    const struct json *own = arg->kind == JSON_ARRAY && format ? format->next : NULL;
    struct tpl_piece piece;
    for (struct str rest = tpl_scalar(format); tpl_sub_next(&rest, &piece);)
        if (str_is_set(piece.name) && !json_get(own, piece.name))
            TRY(meet_dotted(w, piece.name));
    return ERR_OK;
}

static enum err walk_value(const struct walk *w, const struct json *v)
{
    const struct json *arg = NULL;
    switch (tpl_fn_of(v, &arg)) {
    case TPL_REF:
        if (arg->kind == JSON_STRING)
            return w->meet(w->arg, arg->text, STR_NONE);
        break;
    case TPL_GET_ATT:
        if (arg->child && arg->child->kind == JSON_STRING) {
            struct str attribute = tpl_scalar(arg->child->next);
            TRY(w->meet(w->arg, arg->child->text, str_is_set(attribute) ? attribute : STR("")));
        }
        break;
    case TPL_SUB:
        TRY(walk_sub(w, arg));
        break;
    default:
        break;
    }
    for (const struct json *it = v->child; it; it = it->next)
        TRY(walk_value(w, it));
    return ERR_OK;
}

/* Whom tpl_graph_walk tells. */
struct listener {
    struct tpl *t;
    struct tpl_names *missing;
    tpl_found_fn *found;
    void *arg;
};

static enum err meet_resource(void *arg, struct str name, struct str attribute)
{
    const struct listener *l = arg;
    struct tpl_declared *d = map_get(&l->t->declared_by, name);
    if (!d) /* a parameter, or AWS's own; all else was refused before */
        return ERR_OK;
    if (!d->made)
        return tpl_names_add(l->t->arena, l->missing, name);
    return l->found ? l->found(l->arg, d) : ERR_OK;
}

enum err tpl_graph_walk(struct tpl *t, const struct json *v, struct tpl_names *missing,
                        tpl_found_fn *found, void *arg)
{
    struct listener l = {t, missing, found, arg};
    const struct walk w = {meet_resource, &l};
    return v ? walk_value(&w, v) : ERR_OK;
}

/* What tpl_references lists. */
struct listing {
    const struct tpl *t;
    struct arena *a;
    struct tpl_reference *p;
    size_t n, cap;
};

static enum err list_reference(void *arg, struct str name, struct str attribute)
{
    struct listing *l = arg;
    if (tpl_is_pseudo(name))
        return ERR_OK;
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->p[i].name, name) && str_eq(l->p[i].attribute, attribute))
            return ERR_OK;
    if (l->n == TPL_REFERENCES_MAX)
        return ERR_OK;
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 8;
        struct tpl_reference *p = ARENA_ARRAY(l->a, struct tpl_reference, cap);
        if (!p)
            return ERR_NOMEM;
        if (l->n)
            memcpy(p, l->p, l->n * sizeof(*p));
        l->p = p;
        l->cap = cap;
    }
    l->p[l->n++] = (struct tpl_reference){
        .kind = map_get(&l->t->parameter_by, name) ? TPL_TO_PARAMETER
                : str_is_set(attribute)            ? TPL_TO_ATTRIBUTE
                                                   : TPL_TO_RESOURCE,
        .name = name,
        .attribute = attribute,
    };
    return ERR_OK;
}

enum err tpl_references(const struct tpl *tpl, struct arena *a, const struct json *value,
                        const struct tpl_reference **ret_references, size_t *ret_n)
{
    struct listing l = {.t = tpl, .a = a};
    const struct walk w = {list_reference, &l};
    TRY(walk_value(&w, value));
    *ret_references = l.p;
    *ret_n = l.n;
    return ERR_OK;
}

/* --- edges --------------------------------------------------------------------------------------- */

/* The resources that one resource asks for, each once. */
struct edges {
    size_t self;   /* index + 1 of the resource they are of */
    size_t *stamp; /* by index: `self` of the last that asked for it */
    size_t *to, n;
};

static enum err add_edge(void *arg, struct tpl_declared *d)
{
    struct edges *e = arg;
    if (e->stamp[d->index] != e->self) {
        e->stamp[d->index] = e->self;
        e->to[e->n++] = d->index;
    }
    return ERR_OK;
}

/* What DependsOn names and is not there is not waited for, as AWS has it. */
static enum err add_depends(struct tpl *t, struct edges *e, const struct json *depends)
{
    const struct json *it = depends && depends->kind == JSON_ARRAY ? depends->child : depends;
    for (; it; it = depends->kind == JSON_ARRAY ? it->next : NULL) {
        struct tpl_declared *d = map_get(&t->declared_by, it->text);
        if (d && d->made)
            TRY(add_edge(e, d));
    }
    return ERR_OK;
}

static int by_index(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

static enum err edges_of(struct tpl *t, struct edges *e, const struct tpl_declared *d,
                         struct tpl_names *missing)
{
    struct tpl_resource *r = d->made;
    e->self = d->index + 1;
    e->n = 0;
    TRY(tpl_graph_walk(t, r->properties, missing, add_edge, e));
    TRY(tpl_graph_walk(t, r->metadata, missing, add_edge, e));
    TRY(tpl_graph_walk(t, r->creation_policy, missing, add_edge, e));
    TRY(tpl_graph_walk(t, r->update_policy, missing, add_edge, e));
    TRY(add_depends(t, e, json_get(d->body, STR("DependsOn"))));
    size_t *after = ARENA_ARRAY(t->arena, size_t, e->n);
    if (!after)
        return ERR_NOMEM;
    if (e->n)
        memcpy(after, e->to, e->n * sizeof(*after));
    qsort(after, e->n, sizeof(*after), by_index);
    r->after = after;
    r->after_n = e->n;
    return ERR_OK;
}

/* --- circles ------------------------------------------------------------------------------------- */

/* A walk along `after`, depth first: path[0..n) with the next edge of each. */
struct search {
    const struct tpl *t;
    enum { UNSEEN, ON_PATH, DONE } * state;
    size_t *path, *edge, n;
};

/* From one resource; true: path[*ret_first..n) is a circle. */
static bool find_circle(struct search *s, size_t from, size_t *ret_first)
{
    s->n = 0;
    s->path[s->n++] = from;
    s->edge[0] = 0;
    s->state[from] = ON_PATH;
    while (s->n) {
        size_t at = s->path[s->n - 1];
        const struct tpl_resource *r = &s->t->resources[at];
        if (s->edge[s->n - 1] == r->after_n) {
            s->state[at] = DONE;
            s->n--;
            continue;
        }
        size_t next = r->after[s->edge[s->n - 1]++];
        if (s->state[next] == ON_PATH) {
            for (*ret_first = 0; s->path[*ret_first] != next; ++*ret_first)
                ;
            return true;
        }
        if (s->state[next] == UNSEEN) {
            s->state[next] = ON_PATH;
            s->edge[s->n] = 0;
            s->path[s->n++] = next;
        }
    }
    return false;
}

static enum err refuse_circle(struct tpl *t, const struct search *s, size_t first,
                              struct tpl_fault *fault)
{
    struct tpl_names names = {0};
    qsort(s->path + first, s->n - first, sizeof(*s->path), by_index);
    for (size_t i = first; i < s->n; i++)
        TRY(tpl_names_add(t->arena, &names, t->resources[s->path[i]].id));
    return tpl_refuse(t->arena, fault, "Circular dependency between resources: " STR_FMT,
                      STR_ARG(tpl_names_text(t->arena, &names)));
}

static enum err check_circles(struct tpl *t, struct tpl_fault *fault)
{
    size_t n = t->resource_n, first;
    struct search s = {.t = t,
                       .state = arena_calloc(t->arena, n, sizeof(*s.state)),
                       .path = ARENA_ARRAY(t->arena, size_t, n),
                       .edge = ARENA_ARRAY(t->arena, size_t, n)};
    if (!s.state || !s.path || !s.edge)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (s.state[i] == UNSEEN && find_circle(&s, i, &first))
            return refuse_circle(t, &s, first, fault);
    return ERR_OK;
}

enum err tpl_graph_make(struct tpl *t, struct tpl_fault *fault)
{
    struct edges e = {.stamp = ARENA_ARRAY(t->arena, size_t, t->resource_n),
                      .to = ARENA_ARRAY(t->arena, size_t, t->resource_n)};
    struct tpl_names missing = {0};
    if (!e.stamp || !e.to)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->declared_n; i++)
        if (t->declared[i].made)
            TRY(edges_of(t, &e, &t->declared[i], &missing));
    TRY(tpl_refuse_missing(t->arena, fault, &missing, "Resources"));
    return check_circles(t, fault);
}
