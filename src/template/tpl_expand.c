/* Transforms of the template's own text: AWS::Include, and Fn::ForEach of AWS::LanguageExtensions. What else
 * the extensions bring (Fn::Length, Fn::ToJsonString, defaults of Fn::FindInMap) is called like any
 * function, by tpl_eval; only names must be plain when the template is looked at: those that Ref,
 * Fn::GetAtt, Fn::If, Condition and DependsOn are told by functions are called here.
 *
 * An identifier stands for its item in the keys of a loop's fragment (${Id}, or &{Id} without what is no
 * letter or digit), in the texts of Fn::Sub, and where Ref names it; plain texts keep their placeholders.
 *
 * Source: the CloudFormation user guide, "Fn::ForEach" and "AWS::Include transform".
 * Layer: template. Thread: pure but for the host's answers. */
#include "base/buf.h"
#include "codec/json_edit.h"
#include "template/tpl_int.h"

enum { INCLUDES_MAX = 100 };

#define EXTENSIONS "Transform " TPL_TRANSFORM_EXTENSIONS " failed with: "
#define INCLUDE "Transform " TPL_TRANSFORM_INCLUDE " failed with: "

/* What a loop's identifier stands for; inner loops first. */
struct binding {
    struct str name, item;
    const struct binding *outer;
};

struct expand {
    struct tpl t; /* parameters and mappings alone */
    struct tpl_run r;
    size_t includes;
};

static enum err expand(struct expand *e, const struct json *v, const struct binding *in,
                       size_t depth, struct json **ret_v);

static const struct binding *bound(const struct binding *in, struct str name)
{
    while (in && !str_eq(in->name, name))
        in = in->outer;
    return in;
}

/* --- texts --------------------------------------------------------------------------------------- */

static void put_item(struct buf *b, struct str item, bool letters_only)
{
    for (size_t i = 0; i < item.len; i++)
        if (!letters_only || tpl_is_alphanumeric(str_sub(item, i, 1)))
            buf_add_byte(b, item.p[i]);
}

/* `s` with its placeholders filled in: ${Id}, and &{Id} in keys. */
static enum err substitute(struct expand *e, struct str s, const struct binding *in, bool key,
                           struct str *ret_s)
{
    struct buf b;
    size_t done = 0;
    *ret_s = s;
    if (!in || str_find(s, '{') == SIZE_MAX)
        return ERR_OK;
    buf_init_arena(&b, e->r.a, TPL_EXPANDED_BYTES_MAX);
    for (size_t i = 0; i + 2 < s.len; i++) {
        if ((s.p[i] != '$' && (!key || s.p[i] != '&')) || s.p[i + 1] != '{')
            continue;
        size_t end = str_find(str_sub(s, i, SIZE_MAX), '}');
        const struct binding *is = end == SIZE_MAX ? NULL : bound(in, str_sub(s, i + 2, end - 2));
        if (!is)
            continue;
        buf_add_str(&b, str_sub(s, done, i - done));
        put_item(&b, is->item, s.p[i] == '&');
        i += end;
        done = i + 1;
    }
    buf_add_str(&b, str_sub(s, done, SIZE_MAX));
    *ret_s = buf_str(&b);
    TRY(buf_err(&b));
    return tpl_made(&e->r, b.len);
}

static enum err copy_scalar(struct expand *e, const struct json *v, struct json **ret_v)
{
    struct json *made = json_new(e->r.a, v->kind);
    if (!made)
        return ERR_NOMEM;
    made->b = v->b;
    made->text = v->text;
    *ret_v = made;
    return ERR_OK;
}

/* A name that a function may tell: the function is called. */
static enum err expand_name(struct expand *e, const struct json *v, const struct binding *in,
                            size_t depth, struct json **ret_v)
{
    const struct json *arg;
    struct json *made;
    TRY(expand(e, v, in, depth, &made));
    if (made->kind == JSON_STRING)
        TRY(substitute(e, made->text, in, false, &made->text));
    if (tpl_fn_of(made, &arg) != TPL_NONE) {
        TRY(tpl_eval(&e->r, made, &made));
        if (!made || made->kind != JSON_STRING)
            return tpl_refuse(e->r.a, e->r.fault,
                              EXTENSIONS "A name could not be resolved to a string");
    }
    *ret_v = made;
    return ERR_OK;
}

/* --- calls whose names may come from a loop ------------------------------------------------------ */

/* The call's own object around its new argument. */
static enum err wrap(struct expand *e, const struct json *call, struct json *arg,
                     struct json **ret_v)
{
    *ret_v = json_new(e->r.a, JSON_OBJECT);
    return *ret_v ? json_set(*ret_v, call->child->key, arg) : ERR_NOMEM;
}

static enum err expand_ref(struct expand *e, const struct json *v, const struct binding *in,
                           size_t depth, struct json **ret_v)
{
    const struct binding *is = bound(in, tpl_scalar(v->child));
    struct json *name;
    if (is) {
        *ret_v = json_new_str(e->r.a, is->item);
        return *ret_v ? ERR_OK : ERR_NOMEM;
    }
    TRY(expand_name(e, v->child, in, depth + 1, &name));
    return wrap(e, v, name, ret_v);
}

/* The first `names` elements of the argument are names, the rest values. */
static enum err expand_named(struct expand *e, const struct json *v, const struct binding *in,
                             size_t depth, size_t names, struct json **ret_v)
{
    struct json *list = json_new(e->r.a, JSON_ARRAY), *made;
    if (!list)
        return ERR_NOMEM;
    if (v->child->kind != JSON_ARRAY) {
        TRY(expand(e, v->child, in, depth + 1, &made));
        return wrap(e, v, made, ret_v);
    }
    JSON_EACH (v->child, it) {
        if (list->n < names)
            TRY(expand_name(e, it, in, depth + 2, &made));
        else
            TRY(expand(e, it, in, depth + 2, &made));
        TRY(json_push(list, made));
    }
    return wrap(e, v, list, ret_v);
}

/* A variable's name made of another's value is none, with loops, too. */
static bool is_nested(struct str format)
{
    struct tpl_piece piece;
    while (tpl_sub_next(&format, &piece))
        if (str_find(piece.name, '{') != SIZE_MAX)
            return true;
    return false;
}

static enum err expand_sub(struct expand *e, const struct json *v, const struct binding *in,
                           size_t depth, struct json **ret_v)
{
    struct json *made;
    TRY(expand(e, v->child, in, depth + 1, &made));
    struct json *format = made->kind == JSON_ARRAY ? made->child : made;
    if (format && format->kind == JSON_STRING && !is_nested(format->text))
        TRY(substitute(e, format->text, in, false, &format->text));
    return wrap(e, v, made, ret_v);
}

/* --- AWS::Include -------------------------------------------------------------------------------- */

static bool is_include(const struct json *v)
{
    return str_eq(json_get_str(v, STR("Name")), STR(TPL_TRANSFORM_INCLUDE));
}

/* The members of the text at the location. */
static enum err include(struct expand *e, const struct json *transform, struct json **ret_members)
{
    const struct json *where = json_get(json_get(transform, STR("Parameters")), STR("Location"));
    const struct tpl_host *host = e->t.world->host;
    struct json *location = NULL;
    struct str text;
    if (++e->includes > INCLUDES_MAX)
        return tpl_refuse(e->r.a, e->r.fault, INCLUDE "more than %d inclusions", INCLUDES_MAX);
    if (where)
        TRY(tpl_eval(&e->r, where, &location));
    if (!location || location->kind != JSON_STRING || !str_starts(location->text, STR("s3://")))
        return tpl_refuse(e->r.a, e->r.fault,
                          INCLUDE "The location parameter is not a valid S3 uri.");
    enum err err = ERR_NOT_FOUND;
    if (host && host->text)
        err = host->text(e->t.world->host_arg, e->r.a, location->text, &text, e->r.fault);
    if (err == ERR_NOT_FOUND)
        return tpl_refuse(e->r.a, e->r.fault, INCLUDE "The specified key does not exist.");
    TRY(err);
    TRY(tpl_made(&e->r, text.len));
    err = tpl_read(e->r.a, text, ret_members, e->r.fault);
    return err != ERR_INVALID
               ? err
               : tpl_refuse(e->r.a, e->r.fault,
                            INCLUDE "The specified S3 object's content should be valid Yaml/JSON");
}

/* --- Fn::ForEach --------------------------------------------------------------------------------- */

/* An object that is being made. A map beside it, since a loop may make many members. */
struct making {
    struct json *object, **tail;
    struct map seen;
    bool in_loop; /* a key that is there already is refused, else it stays as it was */
};

static enum err add(struct expand *e, struct making *m, struct str key, struct json *v)
{
    TRY(tpl_step(&e->r));
    if (map_get(&m->seen, key))
        return m->in_loop ? tpl_refuse(e->r.a, e->r.fault,
                                       EXTENSIONS "Duplicate key '" STR_FMT
                                                  "' when merging keys to parent object in "
                                                  "Fn::ForEach",
                                       STR_ARG(key))
                          : ERR_OK;
    TRY(map_put(&m->seen, key, m, NULL));
    v->key = key;
    v->next = NULL;
    *m->tail = v;
    m->tail = &v->next;
    m->object->n++;
    return ERR_OK;
}

static enum err loop(struct expand *e, struct making *m, const struct json *spec,
                     const struct binding *in, size_t depth);

static enum err one_round(struct expand *e, struct making *m, const struct json *fragment,
                          const struct binding *in, size_t depth)
{
    JSON_EACH (fragment, it) {
        struct json *made;
        struct str key;
        if (str_starts(it->key, STR(TPL_FOR_EACH))) {
            TRY(loop(e, m, it, in, depth + 1));
            continue;
        }
        TRY(substitute(e, it->key, in, true, &key));
        TRY(expand(e, it, in, depth + 1, &made));
        TRY(add(e, m, key, made));
    }
    return ERR_OK;
}

static enum err collection(struct expand *e, const struct json *v, const struct binding *in,
                           size_t depth, struct json **ret_list)
{
    struct json *list;
    TRY(expand(e, v, in, depth, &list));
    enum err err = tpl_eval(&e->r, list, &list);
    bool ok = err == ERR_OK && list && list->kind == JSON_ARRAY;
    if (err != ERR_OK && err != ERR_INVALID && err != ERR_SUSPENDED)
        return err;
    if (ok)
        JSON_EACH (list, it)
            ok = ok && (tpl_is_scalar(it) || it->kind == JSON_ARRAY);
    *ret_list = list;
    return ok ? ERR_OK
              : tpl_refuse(e->r.a, e->r.fault,
                           EXTENSIONS "Could not find a collection or could not be resolved for "
                                      "Fn::ForEach");
}

/* [identifier, collection, fragment]. A list in the collection (of a Ref) counts with its members. */
static enum err loop(struct expand *e, struct making *m, const struct json *spec,
                     const struct binding *in, size_t depth)
{
    const struct json *id = tpl_item(spec, 0), *fragment = tpl_item(spec, 2);
    struct json *list;
    if (spec->kind != JSON_ARRAY || spec->n != 3 || id->kind != JSON_STRING || !id->text.len ||
        fragment->kind != JSON_OBJECT || depth > TPL_DEPTH_MAX)
        return tpl_refuse(e->r.a, e->r.fault, EXTENSIONS "Fn::ForEach layout is incorrect");
    TRY(collection(e, id->next, in, depth + 1, &list));
    bool in_loop = m->in_loop;
    m->in_loop = true;
    JSON_EACH (list, it) {
        const struct json *item = it->kind == JSON_ARRAY ? it->child : it;
        for (; item; item = it->kind == JSON_ARRAY ? item->next : NULL) {
            const struct binding inner = {id->text, tpl_scalar(item), in};
            TRY(one_round(e, m, fragment, &inner, depth + 1));
        }
    }
    m->in_loop = in_loop;
    return ERR_OK;
}

/* --- objects ------------------------------------------------------------------------------------- */

/* What is included is as deep again as what includes it, and may include more. */
static enum err add_included(struct expand *e, struct making *m, const struct json *transform,
                             size_t depth)
{
    struct json *members, *made;
    TRY(include(e, transform, &members));
    JSON_EACH (members, it) {
        TRY(expand(e, it, NULL, depth + 1, &made));
        TRY(add(e, m, it->key, made));
    }
    return ERR_OK;
}

static enum err fill(struct expand *e, struct making *m, const struct json *v,
                     const struct binding *in, size_t depth)
{
    JSON_EACH (v, it) {
        struct json *made;
        if (e->t.extensions && str_starts(it->key, STR(TPL_FOR_EACH))) {
            TRY(loop(e, m, it, in, depth + 1));
        } else if (str_eq(it->key, STR("Fn::Transform")) && is_include(it)) {
            TRY(add_included(e, m, it, depth));
        } else {
            TRY(expand(e, it, in, depth + 1, &made));
            TRY(add(e, m, it->key, made));
        }
    }
    return ERR_OK;
}

static enum err expand_object(struct expand *e, const struct json *v, const struct binding *in,
                              size_t depth, struct json **ret_v)
{
    struct making m = {.object = json_new(e->r.a, JSON_OBJECT)};
    if (!m.object)
        return ERR_NOMEM;
    m.tail = &m.object->child;
    map_init(&m.seen);
    enum err err = fill(e, &m, v, in, depth);
    map_release(&m.seen);
    *ret_v = m.object;
    return err;
}

static enum err expand(struct expand *e, const struct json *v, const struct binding *in,
                       size_t depth, struct json **ret_v)
{
    const struct json *arg;
    TRY(tpl_step(&e->r));
    if (depth > TPL_DEPTH_MAX)
        return tpl_refuse(e->r.a, e->r.fault, "Template format error: nested too deep.");
    if (v->kind == JSON_ARRAY) {
        struct json *list = json_new(e->r.a, JSON_ARRAY);
        struct json **tail = list ? &list->child : NULL;
        JSON_EACH (v, it) {
            TRY(list ? expand(e, it, in, depth + 1, tail) : ERR_NOMEM);
            tail = &(*tail)->next;
            list->n++;
        }
        *ret_v = list;
        return list ? ERR_OK : ERR_NOMEM;
    }
    if (v->kind != JSON_OBJECT)
        return copy_scalar(e, v, ret_v);
    enum tpl_fn fn = e->t.extensions ? tpl_fn_of(v, &arg) : TPL_NONE;
    switch (fn) {
    case TPL_REF:
        return expand_ref(e, v, in, depth, ret_v);
    case TPL_GET_ATT:
        return expand_named(e, v, in, depth, 2, ret_v);
    case TPL_IF:
        return expand_named(e, v, in, depth, 1, ret_v);
    case TPL_SUB:
        return expand_sub(e, v, in, depth, ret_v);
    default:
        return expand_object(e, v, in, depth, ret_v);
    }
}

/* --- the whole ----------------------------------------------------------------------------------- */

/* What is at *place, if it is a call: its result in its place. */
static enum err name_one(struct expand *e, struct json **place)
{
    const struct json *arg;
    struct json *was = *place, *made;
    if (tpl_fn_of(was, &arg) == TPL_NONE)
        return ERR_OK;
    TRY(tpl_eval(&e->r, was, &made));
    if (!made)
        return ERR_OK;
    made->key = was->key;
    made->next = was->next;
    *place = made;
    return ERR_OK;
}

/* Condition and DependsOn of resources and outputs are names. */
static enum err name_members(struct expand *e, struct json *body)
{
    for (struct json **p = &body->child; *p; p = &(*p)->next) {
        if (!str_eq((*p)->key, STR("Condition")) && !str_eq((*p)->key, STR("DependsOn")))
            continue;
        if ((*p)->kind != JSON_ARRAY)
            TRY(name_one(e, p));
        else
            for (struct json **it = &(*p)->child; *it; it = &(*it)->next)
                TRY(name_one(e, it));
    }
    return ERR_OK;
}

static bool includes(const struct json *v)
{
    JSON_EACH (v, it)
        if ((str_eq(it->key, STR("Fn::Transform")) && is_include(it)) || includes(it))
            return true;
    return false;
}

/* "Transform" without what was included: that is done, and not to be done again where nobody can fetch it. NULL: nothing
 * is left of it. */
static enum err left_of(struct expand *e, const struct json *transform, struct json **ret)
{
    struct json *list = json_new(e->r.a, JSON_ARRAY);
    *ret = NULL;
    if (is_include(transform))
        return ERR_OK;
    if (transform->kind != JSON_ARRAY)
        return expand(e, transform, NULL, 1, ret);
    JSON_EACH (transform, it)
        if (!is_include(it))
            TRY(json_push(list, json_copy(e->r.a, it)));
    if (!list)
        return ERR_NOMEM;
    *ret = list->n ? list : NULL;
    return ERR_OK;
}

/* The top: sections that loops may be in, and what "Transform" includes. */
static enum err expand_top(struct expand *e, struct making *m)
{
    const struct json *transform = json_get(e->t.tree, STR("Transform"));
    bool extensions = e->t.extensions;
    JSON_EACH (e->t.tree, it) {
        struct json *made;
        bool loops = str_eq(it->key, STR("Resources")) || str_eq(it->key, STR("Conditions")) ||
                     str_eq(it->key, STR("Outputs"));
        e->t.extensions = extensions && loops;
        if (str_eq(it->key, STR("Fn::Transform")) && is_include(it)) {
            TRY(add_included(e, m, it, 0));
            continue;
        }
        if (it == transform)
            TRY(left_of(e, it, &made));
        else
            TRY(expand(e, it, NULL, 1, &made));
        e->t.extensions = extensions;
        if (!made)
            continue;
        bool named = loops && extensions && !str_eq(it->key, STR("Conditions"));
        for (struct json *body = named ? made->child : NULL; body; body = body->next)
            if (body->kind == JSON_OBJECT)
                TRY(name_members(e, body));
        TRY(add(e, m, it->key, made));
    }
    e->t.extensions = extensions;
    if (is_include(transform))
        TRY(add_included(e, m, transform, 0));
    if (transform && transform->kind == JSON_ARRAY)
        JSON_EACH (transform, it)
            if (is_include(it))
                TRY(add_included(e, m, it, 0));
    return ERR_OK;
}

static enum err expand_all(struct expand *e, struct json **ret_tree)
{
    struct making m = {.object = json_new(e->r.a, JSON_OBJECT)};
    if (!m.object)
        return ERR_NOMEM;
    m.tail = &m.object->child;
    map_init(&m.seen);
    enum err err = expand_top(e, &m);
    map_release(&m.seen);
    *ret_tree = m.object;
    return err;
}

bool tpl_expands(const struct json *tree, const struct tpl_world *world)
{
    return world->extensions || tpl_has_transform(tree, STR(TPL_TRANSFORM_EXTENSIONS)) ||
           tpl_has_transform(tree, STR(TPL_TRANSFORM_INCLUDE)) || includes(tree);
}

enum err tpl_expand_tree(struct arena *a, const struct json *tree, const struct tpl_world *world,
                         struct json **ret_tree, struct tpl_fault *ret_fault)
{
    struct expand e = {
        .t = {.arena = a,
              .world = world,
              .tree = tree,
              .extensions =
                  world->extensions || tpl_has_transform(tree, STR(TPL_TRANSFORM_EXTENSIONS))},
        .r = {.a = a, .fault = ret_fault, .block = "Resources"},
    };
    e.r.t = &e.t;
    map_init(&e.t.parameter_by);
    map_init(&e.t.declared_by);
    map_init(&e.t.condition_by);
    enum err err = tpl_param_read(&e.t, ret_fault);
    if (err == ERR_OK)
        err = expand_all(&e, ret_tree);
    map_release(&e.t.parameter_by);
    return err;
}

enum err tpl_expand(struct arena *a, struct json *tree, const struct tpl_world *world,
                    struct json **ret_tree, struct tpl_fault *ret_fault)
{
    if (tpl_expands(tree, world))
        return tpl_expand_tree(a, tree, world, ret_tree, ret_fault);
    *ret_tree = tree;
    return ERR_OK;
}
