/* A generated struct to JSON.
 *
 * Layer: wire. Thread: pure. */
#include "base/clock.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "wire/wire_int.h"

static void put(struct buf *b, const struct wire_member *m, const void *v);

static void put_struct(struct buf *b, const struct wire_shape *shape, const void *base)
{
    bool more = false;
    buf_add_byte(b, '{');
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        if (m->location != WIRE_IN_BODY || !wire_is_set(m, base))
            continue;
        if (more)
            buf_add_byte(b, ',');
        more = true;
        json_put_str(b, m->name);
        buf_add_byte(b, ':');
        put(b, m, wire_at(m, base));
    }
    buf_add_byte(b, '}');
}

static void put_list(struct buf *b, const struct wire_shape *shape, const struct wire_list *list)
{
    buf_add_byte(b, '[');
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            buf_add_byte(b, ',');
        put(b, &shape->members[0], (const char *)list->v + i * shape->size);
    }
    buf_add_byte(b, ']');
}

static void put_map(struct buf *b, const struct wire_shape *shape, const struct wire_list *map)
{
    buf_add_byte(b, '{');
    for (size_t i = 0; i < map->n; i++) {
        const char *entry = (const char *)map->v + i * shape->size;
        if (i > 0)
            buf_add_byte(b, ',');
        json_put_str(b, *(const struct str *)entry);
        buf_add_byte(b, ':');
        put(b, &shape->members[1], entry + shape->value_offset);
    }
    buf_add_byte(b, '}');
}

static void put_blob(struct buf *b, struct str bytes)
{
    buf_add_byte(b, '"');
    base64_put(b, bytes.p, bytes.len);
    buf_add_byte(b, '"');
}

static void put_f64(struct buf *b, double v)
{
    struct str word = wire_word_of_f64(v);
    if (str_is_set(word))
        json_put_str(b, word);
    else
        json_put_f64(b, v);
}

/* Epoch seconds, with a fraction where there is one; other formats as text. */
static void put_time(struct buf *b, const struct wire_member *m, int64_t ms)
{
    if (m->time_format == WIRE_TIME_ISO8601 || m->time_format == WIRE_TIME_HTTP) {
        char text[CLOCK_TEXT_MAX];
        json_put_str(b, m->time_format == WIRE_TIME_HTTP ? clock_http(text, ms)
                                                         : clock_iso8601_ms(text, ms));
        return;
    }
    int64_t s = ms / 1000, rest = ms % 1000;
    if (rest < 0) {
        s--;
        rest += 1000;
    }
    if (s < 0 && rest > 0) {
        json_put_f64(b, (double)ms / 1000);
        return;
    }
    buf_add_i64(b, s);
    if (rest > 0)
        buf_add_fmt(b, ".%03d", (int)rest);
}

/* JSON text of a value kept as JSON; `null` cannot occur, since absent members are left out. */
static void put_tree(struct buf *b, const struct wire_json *v)
{
    if (str_is_set(v->out))
        buf_add_str(b, v->out);
    else if (v->in)
        json_put(b, v->in);
    else
        BUF_ADD_LIT(b, "{}");
}

static void put(struct buf *b, const struct wire_member *m, const void *v)
{
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRING:
        json_put_str(b, *(const struct str *)v);
        break;
    case WIRE_BLOB:
        put_blob(b, *(const struct str *)v);
        break;
    case WIRE_INT:
        buf_add_i64(b, *(const int64_t *)v);
        break;
    case WIRE_BOOL:
        json_put_bool(b, *(const bool *)v);
        break;
    case WIRE_DOUBLE:
        put_f64(b, *(const double *)v);
        break;
    case WIRE_TIME:
        put_time(b, m, *(const int64_t *)v);
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
        buf_add_str(b, *(const struct str *)v);
        break;
    case WIRE_JSON_IN:
        json_put(b, *(const struct json *const *)v);
        break;
    case WIRE_JSON_BOTH:
        put_tree(b, v);
        break;
    }
}

void wire_enc_json(struct buf *b, const struct wire_shape *shape, const void *out)
{
    put_struct(b, shape, out);
}

void wire_enc_json_value(struct buf *b, const struct wire_member *m, const void *v)
{
    put(b, m, v);
}
