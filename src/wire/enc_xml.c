/* A generated struct to XML, for restXml and the query protocol.
 *
 * Layer: wire. Thread: pure. */
#include <math.h>

#include "base/clock.h"
#include "codec/base64.h"
#include "wire/wire_int.h"

static void put_element(struct buf *b, struct str name, const struct wire_member *m, const void *v,
                        bool ms);

static void put_time(struct buf *b, enum wire_time_format format, int64_t t, bool ms)
{
    char text[CLOCK_TEXT_MAX];
    if (format == WIRE_TIME_HTTP)
        buf_add_str(b, clock_http(text, t));
    else if (format == WIRE_TIME_EPOCH)
        buf_add_i64(b, t / 1000);
    else
        buf_add_str(b, ms ? clock_iso8601_ms(text, t) : clock_iso8601(text, t));
}

struct str wire_word_of_f64(double v)
{
    if (isfinite(v))
        return STR_NONE;
    return isnan(v) ? STR("NaN") : v > 0 ? STR("Infinity") : STR("-Infinity");
}

static void put_f64(struct buf *b, double v)
{
    struct str word = wire_word_of_f64(v);
    if (str_is_set(word))
        buf_add_str(b, word);
    else
        json_put_f64(b, v);
}

/* Character data of a scalar, not escaped; false for other kinds. */
static bool put_scalar(struct buf *b, const struct wire_member *m, const void *v,
                       enum wire_time_format time_default, bool ms)
{
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRING:
        buf_add_str(b, *(const struct str *)v);
        return true;
    case WIRE_BLOB:
        base64_put(b, ((const struct str *)v)->p, ((const struct str *)v)->len);
        return true;
    case WIRE_INT:
        buf_add_i64(b, *(const int64_t *)v);
        return true;
    case WIRE_BOOL:
        buf_add_c(b, *(const bool *)v ? "true" : "false");
        return true;
    case WIRE_DOUBLE:
        put_f64(b, *(const double *)v);
        return true;
    case WIRE_TIME:
        put_time(b, m->time_format ? (enum wire_time_format)m->time_format : time_default,
                 *(const int64_t *)v, ms);
        return true;
    default:
        return false;
    }
}

struct str wire_enc_text(struct arena *arena, const struct wire_member *m, const void *v,
                         enum wire_time_format time_default, bool ms)
{
    struct buf b;
    if (m->shape->kind == WIRE_STRING)
        return *(const struct str *)v;
    buf_init_arena(&b, arena, WIRE_REPLY_MAX);
    if (!put_scalar(&b, m, v, time_default, ms) || buf_err(&b) != ERR_OK)
        return STR_NONE;
    return buf_str(&b);
}

static void put_list(struct buf *b, const struct wire_shape *shape, struct str name,
                     const struct wire_list *list, bool ms)
{
    for (size_t i = 0; i < list->n; i++)
        put_element(b, name, &shape->members[0], (const char *)list->v + i * shape->size, ms);
}

static void put_map(struct buf *b, const struct wire_shape *shape, struct str name,
                    const struct wire_list *map, bool ms)
{
    for (size_t i = 0; i < map->n; i++) {
        const char *entry = (const char *)map->v + i * shape->size;
        xml_put_open(b, name, STR_NONE);
        put_element(b, shape->members[0].xml, &shape->members[0], entry, ms);
        put_element(b, shape->members[1].xml, &shape->members[1], entry + shape->value_offset, ms);
        xml_put_close(b, name);
    }
}

/* <name attr="..">: of a shape that has attribute members (S3's Grantee). */
static void open_with_attributes(struct buf *b, struct str name, const struct wire_shape *shape,
                                 const void *base)
{
    buf_add_byte(b, '<');
    buf_add_str(b, name);
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        if (!(m->flags & WIRE_XML_ATTRIBUTE) || m->shape->kind != WIRE_STRING ||
            !wire_is_set(m, base))
            continue;
        struct str prefix = m->xml;
        size_t colon = str_find(prefix, ':');
        if (colon != SIZE_MAX && str_is_set(shape->xmlns)) {
            buf_add_fmt(b, " xmlns:" STR_FMT "=\"" STR_FMT "\"", (int)colon, prefix.p,
                        STR_ARG(shape->xmlns));
        }
        buf_add_byte(b, ' ');
        buf_add_str(b, m->xml);
        BUF_ADD_LIT(b, "=\"");
        xml_put_text(b, *(const struct str *)wire_at(m, base));
        buf_add_byte(b, '"');
    }
    buf_add_byte(b, '>');
}

static bool has_attributes(const struct wire_shape *shape)
{
    for (size_t i = 0; i < shape->n_members; i++) {
        if (shape->members[i].flags & WIRE_XML_ATTRIBUTE)
            return true;
    }
    return false;
}

void wire_enc_xml_struct(struct buf *b, struct str name, struct str ns,
                         const struct wire_shape *shape, const void *v, bool ms)
{
    if (has_attributes(shape))
        open_with_attributes(b, name, shape, v);
    else
        xml_put_open(b, name, ns);
    wire_enc_xml(b, shape, v, ms);
    xml_put_close(b, name);
}

static void put_element(struct buf *b, struct str name, const struct wire_member *m, const void *v,
                        bool ms)
{
    const struct wire_shape *shape = m->shape;
    switch ((enum wire_kind)shape->kind) {
    case WIRE_STRUCT:
        wire_enc_xml_struct(b, name, STR_NONE, shape,
                            m->flags & WIRE_ELEMENT ? v : *(const void *const *)v, ms);
        break;
    case WIRE_LIST:
        xml_put_open(b, name, STR_NONE);
        put_list(b, shape, shape->members[0].xml, v, ms);
        xml_put_close(b, name);
        break;
    case WIRE_MAP:
        xml_put_open(b, name, STR_NONE);
        put_map(b, shape, STR("entry"), v, ms);
        xml_put_close(b, name);
        break;
    case WIRE_STRING:
        /* An absent string as an element of a list or map is an empty one. */
        xml_put_open(b, name, STR_NONE);
        if (ms) /* S3's */
            xml_put_references(b, *(const struct str *)v);
        else
            xml_put_text(b, *(const struct str *)v);
        xml_put_close(b, name);
        break;
    default:
        xml_put_open(b, name, STR_NONE);
        put_scalar(b, m, v, WIRE_TIME_ISO8601, ms);
        xml_put_close(b, name);
        break;
    }
}

void wire_enc_xml(struct buf *b, const struct wire_shape *shape, const void *out, bool ms)
{
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        if (m->location != WIRE_IN_BODY || (m->flags & WIRE_XML_ATTRIBUTE) || !wire_is_set(m, out))
            continue;
        if ((m->flags & WIRE_FLATTENED) && m->shape->kind == WIRE_LIST)
            put_list(b, m->shape, m->xml, wire_at(m, out), ms);
        else if ((m->flags & WIRE_FLATTENED) && m->shape->kind == WIRE_MAP)
            put_map(b, m->shape, m->xml, wire_at(m, out), ms);
        else
            put_element(b, m->xml, m, wire_at(m, out), ms);
    }
}
