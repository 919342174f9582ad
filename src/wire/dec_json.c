/* A JSON tree, or the like one that CBOR makes, to a generated struct.
 *
 * Unknown members are ignored and null ones count as absent, as AWS does; a value of another type
 * than the spec's is the serialization fault, in the words of AWS's JSON services. Recursion is
 * bounded by JSON_DEPTH_MAX.
 *
 * Layer: wire. Thread: pure. */
#include <assert.h>

#include "base/clock.h"
#include "codec/base64.h"
#include "wire/wire_int.h"

static enum err value(struct wire_dec *d, const struct wire_member *m, const struct json *v,
                      void *dst, bool *has);

/* Java's name of a scalar, as the messages have it. */
static const char *type_word(const struct wire_shape *shape)
{
    switch ((enum wire_kind)shape->kind) {
    case WIRE_BLOB:
        return "ByteBuffer";
    case WIRE_INT:
        return shape->flags & WIRE_INT32 ? "Integer" : "Long";
    case WIRE_BOOL:
        return "Boolean";
    case WIRE_DOUBLE:
        return "Double";
    case WIRE_TIME:
        return "Timestamp";
    default:
        return "String";
    }
}

/* Words of a type mismatch. */
static enum err mismatch(struct wire_dec *d, const struct wire_shape *shape, const struct json *v)
{
    const char *found = "NULL_VALUE";
    bool is_scalar = shape->kind <= WIRE_TIME;
    switch (v->kind) {
    case JSON_OBJECT:
        return wire_dec_fault(d, STR("Start of structure or map found where not expected."));
    case JSON_ARRAY:
        if (is_scalar)
            return wire_dec_fault(d, str_fmt(d->arena,
                                             "Unrecognized collection type class java.lang.%s",
                                             type_word(shape)));
        return wire_dec_fault(d, STR("Start of list found where not expected"));
    case JSON_STRING:
        found = "STRING_VALUE";
        break;
    case JSON_BYTES:
        found = "BINARY_VALUE";
        break;
    case JSON_NUMBER:
        found = "NUMBER_VALUE";
        break;
    case JSON_BOOL:
        found = v->b ? "TRUE_VALUE" : "FALSE_VALUE";
        break;
    case JSON_NULL:
        break;
    }
    if (!is_scalar)
        return wire_dec_fault(d, STR("Unexpected field type"));
    return wire_dec_fault(
        d, str_fmt(d->arena, "%s cannot be converted to %s", found, type_word(shape)));
}

static enum err int_value(struct wire_dec *d, const struct wire_shape *shape, const struct json *v,
                          int64_t *dst)
{
    int64_t i;
    if (v->kind != JSON_NUMBER || json_to_i64(v, &i) != ERR_OK ||
        ((shape->flags & WIRE_INT32) && (i < INT32_MIN || i > INT32_MAX)))
        return mismatch(d, shape, v);
    *dst = i;
    return ERR_OK;
}

static enum err time_value(struct wire_dec *d, const struct wire_member *m, const struct json *v,
                           int64_t *dst)
{
    double seconds;
    if (v->kind == JSON_STRING)
        return wire_dec_text(d, m, v->text, WIRE_TIME_ISO8601, dst, NULL);
    if (v->kind != JSON_NUMBER || json_to_f64(v, &seconds) != ERR_OK ||
        !(seconds > -9e12 && seconds < 9e12))
        return mismatch(d, m->shape, v);
    *dst = (int64_t)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5));
    return ERR_OK;
}

static enum err blob_value(struct wire_dec *d, const struct wire_shape *shape, const struct json *v,
                           struct str *dst)
{
    if (v->kind == JSON_BYTES) {
        *dst = str_is_set(v->text) ? v->text : STR("");
        return ERR_OK;
    }
    if (v->kind != JSON_STRING)
        return mismatch(d, shape, v);
    enum err err = base64_decode(d->arena, v->text, dst);
    if (err == ERR_INVALID)
        return wire_dec_fault(d, STR("Value is not valid base64."));
    return err;
}

static enum err list_value(struct wire_dec *d, const struct wire_shape *shape, const struct json *v,
                           struct wire_list *dst)
{
    if (v->kind != JSON_ARRAY)
        return mismatch(d, shape, v);
    char *items = arena_calloc(d->arena, v->n ? v->n : 1, shape->size);
    if (!items)
        return ERR_NOMEM;
    size_t n = 0;
    JSON_EACH (v, it) {
        if (it->kind == JSON_NULL)
            return mismatch(d, shape, it);
        TRY(value(d, &shape->members[0], it, items + n++ * shape->size, NULL));
    }
    assert(n == v->n);
    *dst = (struct wire_list){items, n};
    return ERR_OK;
}

static enum err map_value(struct wire_dec *d, const struct wire_shape *shape, const struct json *v,
                          struct wire_list *dst)
{
    if (v->kind != JSON_OBJECT)
        return mismatch(d, shape, v);
    char *items = arena_calloc(d->arena, v->n ? v->n : 1, shape->size);
    if (!items)
        return ERR_NOMEM;
    size_t n = 0;
    JSON_EACH (v, it) {
        if (it->kind == JSON_NULL)
            continue;
        char *entry = items + n++ * shape->size;
        *(struct str *)entry = it->key;
        TRY(value(d, &shape->members[1], it, entry + shape->value_offset, NULL));
    }
    *dst = (struct wire_list){items, n};
    return ERR_OK;
}

/* A struct: in place inside lists and maps (`has` NULL and not a member), else by pointer. */
static enum err struct_value(struct wire_dec *d, const struct wire_member *m, const struct json *v,
                             void *dst)
{
    if (v->kind != JSON_OBJECT)
        return mismatch(d, m->shape, v);
    if (m->flags & WIRE_ELEMENT)
        return wire_dec_json(d, m->shape, v, dst);
    void *s = arena_calloc(d->arena, 1, m->shape->size);
    if (!s)
        return ERR_NOMEM;
    *(void **)dst = s;
    return wire_dec_json(d, m->shape, v, s);
}

static enum err tree_value(struct wire_dec *d, const struct wire_shape *shape, const struct json *v,
                           const struct json **dst)
{
    enum json_kind want = shape->flags & WIRE_JSON_LIST ? JSON_ARRAY : JSON_OBJECT;
    if (v->kind != want && !(shape->flags & WIRE_DOCUMENT))
        return mismatch(d, shape, v);
    *dst = v;
    return ERR_OK;
}

static enum err scalar(struct wire_dec *d, const struct wire_member *m, const struct json *v,
                       void *dst)
{
    const struct wire_shape *shape = m->shape;
    switch ((enum wire_kind)shape->kind) {
    case WIRE_STRING:
        if (v->kind != JSON_STRING)
            return mismatch(d, shape, v);
        *(struct str *)dst = str_is_set(v->text) ? v->text : STR("");
        return ERR_OK;
    case WIRE_BLOB:
        return blob_value(d, shape, v, dst);
    case WIRE_INT:
        return int_value(d, shape, v, dst);
    case WIRE_BOOL:
        if (v->kind != JSON_BOOL)
            return mismatch(d, shape, v);
        *(bool *)dst = v->b;
        return ERR_OK;
    case WIRE_DOUBLE:
        /* The words are texts in JSON, numbers in the tree of CBOR. */
        if ((v->kind == JSON_STRING || v->kind == JSON_NUMBER) && wire_f64_of_word(v->text, dst))
            return ERR_OK;
        if (v->kind != JSON_NUMBER || json_to_f64(v, dst) != ERR_OK)
            return mismatch(d, shape, v);
        return ERR_OK;
    default:
        return time_value(d, m, v, dst);
    }
}

static enum err value(struct wire_dec *d, const struct wire_member *m, const struct json *v,
                      void *dst, bool *has)
{
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRUCT:
        return struct_value(d, m, v, dst);
    case WIRE_LIST:
        return list_value(d, m->shape, v, dst);
    case WIRE_MAP:
        return map_value(d, m->shape, v, dst);
    case WIRE_JSON_IN:
        return tree_value(d, m->shape, v, dst);
    case WIRE_JSON_BOTH:
        return tree_value(d, m->shape, v, &((struct wire_json *)dst)->in);
    case WIRE_JSON_OUT:
        return ERR_OK;
    default:
        TRY(scalar(d, m, v, dst));
        if (has)
            *has = true;
        return ERR_OK;
    }
}

enum err wire_dec_json_member(struct wire_dec *d, const struct wire_member *m, const struct json *v,
                              void *base)
{
    return value(d, m, v, wire_at(m, base), wire_has_at(m, base));
}

static const struct wire_member *member_named(const struct wire_shape *shape, struct str name)
{
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        /* A label may have the same name (API Gateway's PutIntegration). */
        if (m->location == WIRE_IN_BODY && m->name.len == name.len &&
            memcmp(m->name.p, name.p, name.len) == 0)
            return m;
    }
    return NULL;
}

enum err wire_dec_json(struct wire_dec *d, const struct wire_shape *shape, const struct json *v,
                       void *dst)
{
    assert(shape->kind == WIRE_STRUCT);
    if (v->kind != JSON_OBJECT)
        return mismatch(d, shape, v);
    JSON_EACH (v, it) {
        if (it->kind == JSON_NULL)
            continue;
        const struct wire_member *m = member_named(shape, it->key);
        if (m)
            TRY(value(d, m, it, wire_at(m, dst), wire_has_at(m, dst)));
    }
    return ERR_OK;
}

enum err wire_dec_json_value(struct wire_dec *d, const struct wire_member *m, const struct json *v,
                             void *dst, bool *has)
{
    return value(d, m, v, dst, has);
}
