/* Properties of resources: whether they fit their type, their values by kind, and what of them is
 * another. See type.h.
 *
 * Layer: svc. Thread: pure. */
#include "lang/equal.h"
#include "svc/cloudformation/type_int.h"

enum { TYPE_VIOLATIONS_MAX = 20 }; /* told at once */

bool type_is_intrinsic(const struct json *v)
{
    if (!v || v->kind != JSON_OBJECT || v->n != 1)
        return false;
    struct str key = v->child->key;
    return str_eq_c(key, "Ref") || str_starts(key, STR("Fn::")) || str_eq_c(key, "Condition");
}

const struct type_property *type_property(const struct type_shape *shape, struct str name)
{
    size_t low = 0, high = shape->n_members;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = str_cmp(name, shape->members[mid].name);
        if (order == 0)
            return &shape->members[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* --- coercion ------------------------------------------------------------------------------------- */

static bool is_number(struct str s)
{
    double v;
    return s.len > 0 && s.p[0] != '+' && str_to_f64(s, &v) == ERR_OK;
}

static struct json *scalar(struct arena *a, enum type_kind kind, const struct json *v)
{
    struct json *copy = json_copy(a, v);
    if (!copy)
        return NULL;
    if (kind == TYPE_STRING && v->kind == JSON_BOOL) {
        copy->kind = JSON_STRING;
        copy->text = v->b ? STR("true") : STR("false");
    } else if (kind == TYPE_STRING && v->kind == JSON_NUMBER) {
        copy->kind = JSON_STRING;
    } else if (kind == TYPE_BOOLEAN && v->kind == JSON_STRING) {
        bool yes = str_eq_nocase(v->text, STR("true"));
        if (yes || str_eq_nocase(v->text, STR("false"))) {
            copy->kind = JSON_BOOL;
            copy->b = yes;
        }
    } else if (v->kind == JSON_STRING && (kind == TYPE_INTEGER || kind == TYPE_NUMBER) &&
               is_number(v->text)) {
        copy->kind = JSON_NUMBER;
    }
    return copy;
}

/* A document given as text is read, so that texts that say the same are the same. */
static struct json *document(struct arena *a, const struct json *v)
{
    struct json *read = NULL;
    if (v->kind == JSON_STRING && json_parse(a, v->text, &read, NULL) == ERR_OK &&
        (read->kind == JSON_OBJECT || read->kind == JSON_ARRAY)) {
        read->key = v->key;
        return read;
    }
    return json_copy(a, v);
}

static const struct type_shape *shape_of(const struct type_shape *shape, const struct json *child)
{
    if (shape->kind != TYPE_OBJECT)
        return shape->of;
    const struct type_property *p = type_property(shape, child->key);
    return p ? p->shape : NULL;
}

static bool is_container(const struct type_shape *shape, const struct json *v)
{
    return shape->kind == TYPE_LIST ? v->kind == JSON_ARRAY
                                    : shape->kind >= TYPE_OBJECT && v->kind == JSON_OBJECT;
}

struct json *type_coerce(struct arena *a, const struct type_shape *shape, const struct json *v)
{
    if (!shape || shape->kind == TYPE_ANY || type_is_intrinsic(v))
        return json_copy(a, v);
    if (shape->kind == TYPE_JSON)
        return document(a, v);
    if (!is_container(shape, v))
        return scalar(a, shape->kind, v);
    struct json *copy = json_new(a, v->kind);
    if (!copy)
        return NULL;
    copy->key = v->key;
    struct json **end = &copy->child;
    JSON_EACH (v, it) {
        struct json *child = type_coerce(a, shape_of(shape, it), it);
        if (!child)
            return NULL;
        child->key = it->key;
        child->next = NULL;
        *end = child;
        end = &child->next;
        copy->n++;
    }
    return copy;
}

/* --- fit ------------------------------------------------------------------------------------------ */

struct check {
    struct arena *a;
    struct buf said;
    size_t n;
};

struct place {
    const struct place *up;
    struct str name;
    size_t index; /* of a list's element: name absent */
};

static void put_place(struct buf *b, const struct place *p)
{
    if (!p) {
        buf_add_byte(b, '#');
        return;
    }
    put_place(b, p->up);
    buf_add_byte(b, '/');
    if (str_is_set(p->name))
        buf_add_str(b, p->name);
    else
        buf_add_u64(b, p->index);
}

/* `format` has one %s-like place for `word`. */
static void say(struct check *c, const struct place *at, const char *head, struct str word,
                const char *tail)
{
    if (c->n++ >= TYPE_VIOLATIONS_MAX)
        return;
    if (c->said.len)
        buf_add_byte(&c->said, '\n');
    put_place(&c->said, at);
    BUF_ADD_LIT(&c->said, ": ");
    buf_add_c(&c->said, head);
    buf_add_str(&c->said, word);
    buf_add_c(&c->said, tail);
}

static const char *const kind_words[] = {
    [TYPE_STRING] = "String",     [TYPE_INTEGER] = "Integer", [TYPE_NUMBER] = "Number",
    [TYPE_BOOLEAN] = "Boolean",   [TYPE_JSON] = "JSONObject", [TYPE_ANY] = "Any",
    [TYPE_OBJECT] = "JSONObject", [TYPE_LIST] = "JSONArray",  [TYPE_MAP] = "JSONObject",
};

static const char *found_word(const struct json *v)
{
    static const char *const words[] = {
        [JSON_NULL] = "Null",     [JSON_BOOL] = "Boolean",    [JSON_NUMBER] = "Number",
        [JSON_STRING] = "String", [JSON_ARRAY] = "JSONArray", [JSON_OBJECT] = "JSONObject",
        [JSON_BYTES] = "String",
    };
    return words[v->kind];
}

/* Whether a value of no container can be of the kind, as it is or coerced. */
static bool fits(enum type_kind kind, const struct json *v)
{
    bool scalar_value = v->kind == JSON_BOOL || v->kind == JSON_NUMBER || v->kind == JSON_STRING;
    int64_t whole;
    switch (kind) {
    case TYPE_STRING:
        return scalar_value;
    case TYPE_BOOLEAN:
        return v->kind == JSON_BOOL ||
               (v->kind == JSON_STRING &&
                (str_eq_nocase(v->text, STR("true")) || str_eq_nocase(v->text, STR("false"))));
    case TYPE_INTEGER:
        return (v->kind == JSON_NUMBER && json_to_i64(v, &whole) == ERR_OK) ||
               (v->kind == JSON_STRING && str_to_i64(v->text, &whole) == ERR_OK);
    case TYPE_NUMBER:
        return v->kind == JSON_NUMBER || (v->kind == JSON_STRING && is_number(v->text));
    case TYPE_JSON:
        return v->kind == JSON_OBJECT || v->kind == JSON_ARRAY || v->kind == JSON_STRING;
    default:
        return kind == TYPE_ANY;
    }
}

static void check_value(struct check *c, const struct place *at, const struct type_shape *shape,
                        const struct json *v);

static void check_members(struct check *c, const struct place *at, const struct type_shape *shape,
                          const struct json *v)
{
    JSON_EACH (v, it) {
        const struct type_property *p = type_property(shape, it->key);
        struct place here = {at, it->key, 0};
        if (!p)
            say(c, at, "extraneous key [", it->key, "] is not permitted");
        else if (p->flags & TYPE_P_REFUSED)
            say(c, at, "property [", it->key, "] is not supported");
        else
            check_value(c, &here, p->shape, it);
    }
    for (size_t i = 0; i < shape->n_members; i++)
        if ((shape->members[i].flags & TYPE_P_REQUIRED) &&
            !(shape->members[i].flags & TYPE_P_REFUSED) && !json_get(v, shape->members[i].name))
            say(c, at, "required key [", shape->members[i].name, "] not found");
}

static void check_value(struct check *c, const struct place *at, const struct type_shape *shape,
                        const struct json *v)
{
    if (type_is_intrinsic(v))
        return;
    if (shape->kind < TYPE_OBJECT ? !fits(shape->kind, v) : !is_container(shape, v)) {
        say(c, at, "expected type: ", str_c(kind_words[shape->kind]),
            str_fmt(c->a, ", found: %s", found_word(v)).p);
        return;
    }
    if (shape->kind == TYPE_OBJECT) {
        check_members(c, at, shape, v);
        return;
    }
    size_t index = 0;
    if (shape->kind > TYPE_OBJECT)
        JSON_EACH (v, it) {
            struct place here = {at, shape->kind == TYPE_MAP ? it->key : STR_NONE, index++};
            check_value(c, &here, shape->of, it);
        }
}

static void check_only(struct check *c, const struct type_row *type, const struct json *properties)
{
    JSON_EACH (type->only, it) {
        const struct json *v = json_get(properties, it->key);
        struct place here = {NULL, it->key, 0};
        if (v && v->kind == JSON_STRING && json_index_of(it, v->text) == SIZE_MAX)
            say(c, &here, "", v->text, " is not a valid enum value");
    }
}

static enum err said(struct check *c, struct str *ret_message)
{
    if (c->n == 0)
        return c->a->failed ? ERR_NOMEM : ERR_OK;
    TRY(buf_err(&c->said));
    *ret_message = buf_str(&c->said);
    return c->a->failed ? ERR_NOMEM : ERR_INVALID;
}

enum err type_check_values(const struct type_row *type, const struct json *properties,
                           struct arena *a, struct str *ret_message)
{
    struct check c = {.a = a};
    buf_init_arena(&c.said, a, 64 * 1024);
    check_only(&c, type, properties);
    return said(&c, ret_message);
}

enum err type_check(const struct type_row *type, const struct json *properties, struct arena *a,
                    struct str *ret_message)
{
    static const struct json none = {.kind = JSON_OBJECT};
    struct check c = {.a = a};
    buf_init_arena(&c.said, a, 64 * 1024);
    check_value(&c, NULL, type->shape, properties ? properties : &none);
    check_only(&c, type, properties);
    return said(&c, ret_message);
}

/* --- comparison ----------------------------------------------------------------------------------- */

bool type_equal(const struct json *a, const struct json *b)
{
    if (!a || !b)
        return a == b;
    size_t steps = 0;
    return value_equal(a, b, &steps);
}

/* Whether a value that is not known yet stands in it. */
static bool has_intrinsic(const struct json *v)
{
    if (!v)
        return false;
    if (type_is_intrinsic(v))
        return true;
    JSON_EACH (v, it)
        if (has_intrinsic(it))
            return true;
    return false;
}

static enum type_change change_of(const struct type_row *type, struct str name,
                                  const struct json *before, const struct json *after)
{
    const struct type_property *p = type_property(type->shape, name);
    if (type_equal(before, after) && !has_intrinsic(after))
        return TYPE_SAME;
    if (p && p->flags & TYPE_P_REPLACES)
        return has_intrinsic(after) ? TYPE_MAYBE : TYPE_REPLACEMENT;
    return p && p->flags & TYPE_P_MAYBE ? TYPE_MAYBE : TYPE_IN_PLACE;
}

static enum err add_change(struct arena *a, struct str name, enum type_change change,
                           enum type_change *change_max, struct type_difference ***end)
{
    if (change == TYPE_SAME)
        return ERR_OK;
    struct type_difference *d = ARENA_NEW(a, struct type_difference);
    if (!d)
        return ERR_NOMEM;
    *d = (struct type_difference){name, change, NULL};
    **end = d;
    *end = &d->next;
    if (change > *change_max)
        *change_max = change;
    return ERR_OK;
}

enum err type_compare(const struct type_row *type, struct arena *a, const struct json *before,
                      const struct json *after, enum type_change *ret_change,
                      struct type_difference **ret_differences)
{
    static const struct json none = {.kind = JSON_OBJECT};
    struct type_difference *first = NULL, **end = &first;
    enum type_change change = TYPE_SAME;
    const struct json *was = type_coerce(a, type->shape, before ? before : &none);
    const struct json *is = type_coerce(a, type->shape, after ? after : &none);
    if (!was || !is)
        return ERR_NOMEM;
    JSON_EACH (is, it)
        TRY(add_change(a, it->key, change_of(type, it->key, json_get(was, it->key), it), &change,
                       &end));
    JSON_EACH (was, it)
        if (!json_get(is, it->key))
            TRY(add_change(a, it->key, change_of(type, it->key, it, NULL), &change, &end));
    *ret_change = change;
    *ret_differences = first;
    return ERR_OK;
}
