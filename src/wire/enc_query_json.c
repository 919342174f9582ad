/* A generated struct to the JSON that the query protocol answers to who asks for it (Accept: application/json),
 * as API Gateway does:
 *
 *   {"SendMessageResponse":{"ResponseMetadata":{"RequestId":".."},"SendMessageResult":{"MessageId":"..",..}}}
 *
 * Members come sorted by name, those that have no value as null. A flattened map, which is a list to this
 * protocol, is a list of objects here as well; another map is an object.
 *
 * Source: recorded replies of SQS, SNS and STS. Layer: wire. Thread: pure. */
#include "codec/json.h"
#include "wire/wire_int.h"

static void put(struct buf *b, const struct wire_service *s, const struct wire_member *m,
                const void *v);

/* Members had other names in JSON when they got those that they have. */
static struct str name_of(const struct wire_service *s, const struct wire_member *m)
{
    for (size_t i = 0; i < s->n_query_json; i++)
        if (str_eq(s->query_json[i].name, m->name))
            return s->query_json[i].value;
    return m->name;
}

/* The member whose name comes next after `last`; NULL: that was the last. */
static const struct wire_member *next_member(const struct wire_service *s,
                                             const struct wire_shape *shape, struct str last)
{
    const struct wire_member *next = NULL;
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        struct str name = name_of(s, m);
        if (m->location == WIRE_IN_BODY && (!str_is_set(last) || str_cmp(name, last) > 0) &&
            (!next || str_cmp(name, name_of(s, next)) < 0))
            next = m;
    }
    return next;
}

/* Quadratic in the members, which are a handful. */
static void put_struct(struct buf *b, const struct wire_service *s, const struct wire_shape *shape,
                       const void *base)
{
    struct str last = STR_NONE;
    const struct wire_member *m;
    buf_add_byte(b, '{');
    while ((m = next_member(s, shape, last)) != NULL) {
        if (str_is_set(last))
            buf_add_byte(b, ',');
        last = name_of(s, m);
        json_put_str(b, last);
        buf_add_byte(b, ':');
        if (wire_is_set(m, base))
            put(b, s, m, wire_at(m, base));
        else
            BUF_ADD_LIT(b, "null");
    }
    buf_add_byte(b, '}');
}

static void put_list(struct buf *b, const struct wire_service *s, const struct wire_shape *shape,
                     const struct wire_list *list)
{
    buf_add_byte(b, '[');
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            buf_add_byte(b, ',');
        put(b, s, &shape->members[0], (const char *)list->v + i * shape->size);
    }
    buf_add_byte(b, ']');
}

/* As entries: [{"Name":key,"Value":value}]; else {key: value}. */
static void put_map(struct buf *b, const struct wire_service *s, const struct wire_shape *shape,
                    const struct wire_list *map, bool entries)
{
    buf_add_byte(b, entries ? '[' : '{');
    for (size_t i = 0; i < map->n; i++) {
        const char *entry = (const char *)map->v + i * shape->size;
        if (i > 0)
            buf_add_byte(b, ',');
        if (entries) {
            buf_add_byte(b, '{');
            json_put_str(b, shape->members[0].xml);
            buf_add_byte(b, ':');
        }
        json_put_str(b, *(const struct str *)entry);
        buf_add_byte(b, entries ? ',' : ':');
        if (entries) {
            json_put_str(b, shape->members[1].xml);
            buf_add_byte(b, ':');
        }
        put(b, s, &shape->members[1], entry + shape->value_offset);
        if (entries)
            buf_add_byte(b, '}');
    }
    buf_add_byte(b, entries ? ']' : '}');
}

static void put(struct buf *b, const struct wire_service *s, const struct wire_member *m,
                const void *v)
{
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRUCT:
        put_struct(b, s, m->shape, m->flags & WIRE_ELEMENT ? v : *(const void *const *)v);
        break;
    case WIRE_LIST:
        put_list(b, s, m->shape, v);
        break;
    case WIRE_MAP:
        put_map(b, s, m->shape, v, m->flags & WIRE_FLATTENED);
        break;
    default:
        wire_enc_json_value(b, m, v);
        break;
    }
}

void wire_enc_query_json(struct buf *b, const struct wire_service *service,
                         const struct wire_shape *shape, const void *out)
{
    put_struct(b, service, shape, out);
}
