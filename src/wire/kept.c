/* Generated structs as JSON. See kept.h.
 *
 * Layer: wire. Thread: pure. */
#include "wire/kept.h"

#include <assert.h>

#include "codec/json.h"
#include "wire/wire_int.h"

static const struct wire_member *find(const struct wire_shape *shape, struct str name)
{
    for (size_t i = 0; i < shape->n_members; i++)
        if (str_eq(shape->members[i].name, name))
            return &shape->members[i];
    return NULL;
}

const struct wire_shape *wire_shape_of(const struct wire_shape *of, struct str member)
{
    const struct wire_member *m = find(of, member);
    assert(m);
    return m->shape;
}

enum err wire_keep(const struct wire_shape *shape, const void *from, struct arena *arena,
                   struct str *ret_json)
{
    struct buf b;
    assert(shape->kind == WIRE_STRUCT);
    buf_init_arena(&b, arena, WIRE_REPLY_MAX);
    wire_enc_json(&b, shape, from);
    TRY(buf_err(&b));
    *ret_json = buf_str(&b);
    return ERR_OK;
}

enum err wire_kept(const struct wire_service *service, const struct wire_shape *shape,
                   struct str json, struct arena *arena, void *to)
{
    struct json *root;
    struct wire_fault fault = {0};
    struct wire_dec d = {.service = service, .arena = arena, .fault = &fault};
    assert(shape->kind == WIRE_STRUCT);
    enum err err = json_parse(arena, json, &root, NULL);
    if (err == ERR_OK)
        err = root->kind == JSON_OBJECT ? wire_dec_json(&d, shape, root, to) : ERR_CORRUPT;
    return err == ERR_OK || err == ERR_NOMEM ? err : ERR_CORRUPT;
}

/* Bytes of a member's value in its struct. */
static size_t value_size(const struct wire_shape *shape)
{
    switch ((enum wire_kind)shape->kind) {
    case WIRE_BOOL:
        return sizeof(bool);
    case WIRE_INT:
    case WIRE_TIME:
        return sizeof(int64_t);
    case WIRE_DOUBLE:
        return sizeof(double);
    case WIRE_STRUCT:
    case WIRE_JSON_IN:
        return sizeof(void *);
    case WIRE_LIST:
    case WIRE_MAP:
        return sizeof(struct wire_list);
    case WIRE_STRING:
    case WIRE_BLOB:
    case WIRE_JSON_OUT:
        return sizeof(struct str);
    case WIRE_JSON_BOTH:
        break;
    }
    return sizeof(struct wire_json);
}

void wire_copy_same(const struct wire_shape *from_shape, const void *from,
                    const struct wire_shape *to_shape, void *to)
{
    for (size_t i = 0; i < from_shape->n_members; i++) {
        const struct wire_member *m = &from_shape->members[i];
        const struct wire_member *t = find(to_shape, m->name);
        if (!t || t->shape != m->shape || !wire_is_set(m, from))
            continue;
        memcpy(wire_at(t, to), wire_at(m, from), value_size(m->shape));
        if (wire_has_at(t, to))
            *wire_has_at(t, to) = true;
    }
}
