/* An XML tree to a generated struct.
 *
 *   list            <Name><member>..</member>..</Name>
 *   flattened list  <Name>..</Name><Name>..</Name>
 *   map             <Name><entry><key/><value/></entry>..</Name>
 *
 * Unknown elements are ignored. Recursion is bounded by XML_DEPTH_MAX.
 *
 * Layer: wire. Thread: pure. */
#include "wire/wire_int.h"

static enum err value(struct wire_dec *d, const struct wire_member *m, const struct xml *e,
                      void *dst, bool *has);

static size_t count_named(const struct xml *e, struct str name)
{
    size_t n = 0;
    XML_EACH_NAMED(e, name, it)
    {
        n++;
    }
    return n;
}

/* Elements named `name` inside `e`. */
static enum err list_value(struct wire_dec *d, const struct wire_shape *shape, const struct xml *e,
                           struct str name, struct wire_list *dst)
{
    size_t n = count_named(e, name), at = 0;
    char *v = arena_calloc(d->arena, n ? n : 1, shape->size);
    if (!v)
        return ERR_NOMEM;
    XML_EACH_NAMED(e, name, it)
    {
        TRY(value(d, &shape->members[0], it, v + at++ * shape->size, NULL));
    }
    *dst = (struct wire_list){v, n};
    return ERR_OK;
}

static enum err map_value(struct wire_dec *d, const struct wire_shape *shape, const struct xml *e,
                          struct str name, struct wire_list *dst)
{
    size_t n = count_named(e, name), at = 0;
    char *v = arena_calloc(d->arena, n ? n : 1, shape->size);
    if (!v)
        return ERR_NOMEM;
    XML_EACH_NAMED(e, name, it)
    {
        char *entry = v + at++ * shape->size;
        const struct xml *val = xml_get(it, shape->members[1].xml);
        struct str key = xml_get_str(it, shape->members[0].xml);
        *(struct str *)entry = str_is_set(key) ? key : STR("");
        if (val)
            TRY(value(d, &shape->members[1], val, entry + shape->value_offset, NULL));
    }
    *dst = (struct wire_list){v, n};
    return ERR_OK;
}

static enum err value(struct wire_dec *d, const struct wire_member *m, const struct xml *e,
                      void *dst, bool *has)
{
    void *s = dst;
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_LIST:
        return list_value(d, m->shape, e, m->shape->members[0].xml, dst);
    case WIRE_MAP:
        return map_value(d, m->shape, e, STR("entry"), dst);
    case WIRE_STRUCT:
        if (!(m->flags & WIRE_ELEMENT)) {
            s = arena_calloc(d->arena, 1, m->shape->size);
            if (!s)
                return ERR_NOMEM;
            *(void **)dst = s;
        }
        return wire_dec_xml(d, m->shape, e, s);
    default:
        return wire_dec_text(d, m, e->text, WIRE_TIME_ISO8601, dst, has);
    }
}

/* The reader drops prefixes, so `xsi:type` is looked for as `type`. */
static struct str local_name(struct str name)
{
    size_t colon = str_find(name, ':');
    return colon == SIZE_MAX ? name : str_sub(name, colon + 1, SIZE_MAX);
}

static enum err member(struct wire_dec *d, const struct wire_member *m, const struct xml *e,
                       void *dst)
{
    if (m->flags & WIRE_XML_ATTRIBUTE) {
        struct str text = xml_attr(e, local_name(m->xml));
        if (!str_is_set(text))
            return ERR_OK;
        return wire_dec_text(d, m, text, WIRE_TIME_ISO8601, wire_at(m, dst), wire_has_at(m, dst));
    }
    const struct xml *first = xml_get(e, m->xml);
    if (!first)
        return ERR_OK;
    if ((m->flags & WIRE_FLATTENED) && m->shape->kind == WIRE_LIST)
        return list_value(d, m->shape, e, m->xml, wire_at(m, dst));
    if ((m->flags & WIRE_FLATTENED) && m->shape->kind == WIRE_MAP)
        return map_value(d, m->shape, e, m->xml, wire_at(m, dst));
    return value(d, m, first, wire_at(m, dst), wire_has_at(m, dst));
}

enum err wire_dec_xml(struct wire_dec *d, const struct wire_shape *shape, const struct xml *e,
                      void *dst)
{
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        if (m->location == WIRE_IN_BODY)
            TRY(member(d, m, e, dst));
    }
    return ERR_OK;
}
