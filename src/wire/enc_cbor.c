/* A generated struct to CBOR (smithy rpc-v2-cbor).
 *
 * Layer: wire. Thread: pure. */
#include "codec/cbor.h"
#include "wire/wire_int.h"

static void put(struct buf *b, const struct wire_member *m, const void *v);

static void put_struct(struct buf *b, const struct wire_shape *shape, const void *base)
{
    size_t n = 0;
    for (size_t i = 0; i < shape->n_members; i++)
        n += wire_is_set(&shape->members[i], base);
    cbor_put_map(b, n);
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        if (!wire_is_set(m, base))
            continue;
        cbor_put_text(b, m->name);
        put(b, m, wire_at(m, base));
    }
}

static void put_list(struct buf *b, const struct wire_shape *shape, const struct wire_list *list)
{
    cbor_put_array(b, list->n);
    for (size_t i = 0; i < list->n; i++)
        put(b, &shape->members[0], (const char *)list->v + i * shape->size);
}

static void put_map(struct buf *b, const struct wire_shape *shape, const struct wire_list *map)
{
    cbor_put_map(b, map->n);
    for (size_t i = 0; i < map->n; i++) {
        const char *entry = (const char *)map->v + i * shape->size;
        cbor_put_text(b, *(const struct str *)entry);
        put(b, &shape->members[1], entry + shape->value_offset);
    }
}

/* JSON text that a handler wrote: what is none is a bug of the handler. */
static void put_json_text(struct buf *b, struct str text)
{
    struct json *v = NULL;
    enum err err = json_parse(b->arena, text, &v, NULL);
    if (err == ERR_OK)
        cbor_put_tree(b, v);
    else if (b->err == ERR_OK)
        b->err = err == ERR_NOMEM ? ERR_NOMEM : ERR_LIMIT;
}

static void put(struct buf *b, const struct wire_member *m, const void *v)
{
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRING:
        cbor_put_text(b, *(const struct str *)v);
        break;
    case WIRE_BLOB:
        cbor_put_bytes(b, *(const struct str *)v);
        break;
    case WIRE_INT:
        cbor_put_i64(b, *(const int64_t *)v);
        break;
    case WIRE_BOOL:
        cbor_put_bool(b, *(const bool *)v);
        break;
    case WIRE_DOUBLE:
        cbor_put_f64(b, *(const double *)v);
        break;
    case WIRE_TIME:
        cbor_put_time(b, *(const int64_t *)v);
        break;
    case WIRE_STRUCT:
        put_struct(b, m->shape, m->flags & WIRE_ELEMENT ? v : *(const void *const *)v);
        break;
    case WIRE_LIST:
        put_list(b, m->shape, v);
        break;
    case WIRE_MAP:
        put_map(b, m->shape, v);
        break;
    case WIRE_JSON_OUT:
        put_json_text(b, *(const struct str *)v);
        break;
    case WIRE_JSON_IN:
        cbor_put_tree(b, *(const struct json *const *)v);
        break;
    case WIRE_JSON_BOTH: {
        const struct wire_json *both = v;
        if (both->in && !str_is_set(both->out))
            cbor_put_tree(b, both->in);
        else
            put_json_text(b, str_is_set(both->out) ? both->out : STR("{}"));
        break;
    }
    }
}

void wire_enc_cbor(struct buf *b, const struct wire_shape *shape, const void *out)
{
    put_struct(b, shape, out);
}
