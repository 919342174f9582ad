#include "help_wire.h"

#include "wire/wire_int.h"

#ifndef HELP_WIRE_OTHER_SERVICES /* tests/protocols brings its own list */
const struct wire_service *const all_services[] = {EVERY_SERVICE};
const size_t n_all_services = ARRAY_LEN(all_services);
#endif

enum { HEADERS_MAX = 128, ARENA_BYTES_MAX = 64 * 1024 * 1024 };

void exchange_parse(struct exchange *x, const char *text)
{
    exchange_parse_n(x, str_c(text));
}

void exchange_parse_n(struct exchange *x, struct str text)
{
    memset(x, 0, sizeof(*x));
    arena_init(&x->arena, ARENA_BYTES_MAX);
    struct str rest = str_dup(&x->arena, text);
    struct wire_header *headers = ARENA_ARRAY(&x->arena, struct wire_header, HEADERS_MAX);
    struct str line = str_cut(&rest, '\n');
    x->req.method = str_cut(&line, ' ');
    x->req.query = line;
    x->req.path = str_cut(&x->req.query, '?');
    x->req.headers = headers;
    while (rest.p) {
        line = str_cut(&rest, '\n');
        if (line.len == 0) {
            x->req.body = rest.p ? rest : STR("");
            return;
        }
        struct str name = str_cut(&line, ':');
        assert_true(x->req.n_headers < HEADERS_MAX);
        headers[x->req.n_headers++] = (struct wire_header){name, str_trim(line)};
    }
}

void exchange_route(struct exchange *x, const char *scope, const char *text)
{
    exchange_parse(x, text);
    assert_int_equal(
        wire_route(all_services, n_all_services, &x->req, str_c(scope), &x->arena, &x->routed),
        ERR_OK);
}

enum err exchange_decode(struct exchange *x, const char *scope, const char *text)
{
    exchange_route(x, scope, text);
    if (x->routed.outcome != WIRE_ROUTED)
        fail_msg("not routed (%d): %s", (int)x->routed.outcome, text);
    return wire_decode(&x->routed, &x->req, &x->arena, &x->in, &x->fault);
}

void exchange_encode(struct exchange *x, const void *out)
{
    assert_int_equal(wire_encode(&x->routed, out, STR("RID"), STR("HID"), &x->arena, &x->reply),
                     ERR_OK);
}

void exchange_fail(struct exchange *x, const struct wire_error *error, const char *message)
{
    assert_int_equal(wire_encode_error(&x->routed, error, str_c(message), NULL, 0, STR("RID"),
                                       STR("HID"), &x->arena, &x->reply),
                     ERR_OK);
}

const char *cstr(struct exchange *x, struct str s)
{
    return s.p ? str_cstr(&x->arena, s) : "(absent)";
}

const char *exchange_header(struct exchange *x, const char *name)
{
    for (size_t i = 0; i < x->reply.n_headers; i++) {
        if (str_eq_nocase(x->reply.headers[i].name, str_c(name)))
            return cstr(x, x->reply.headers[i].value);
    }
    return "";
}

const char *exchange_body(struct exchange *x)
{
    return cstr(x, x->reply.body);
}

void exchange_release(struct exchange *x)
{
    arena_release(&x->arena);
}

static void dump_value(struct buf *b, const struct wire_member *m, const void *v);

static void dump_struct(struct buf *b, const struct wire_shape *shape, const void *base)
{
    bool more = false;
    buf_add_byte(b, '{');
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        if (!wire_is_set(m, base))
            continue;
        if (more)
            buf_add_byte(b, ',');
        more = true;
        buf_add_str(b, m->name);
        buf_add_byte(b, ':');
        dump_value(b, m, wire_at(m, base));
    }
    buf_add_byte(b, '}');
}

static void dump_items(struct buf *b, const struct wire_shape *shape, const struct wire_list *list)
{
    bool map = shape->kind == WIRE_MAP;
    buf_add_byte(b, map ? '{' : '[');
    for (size_t i = 0; i < list->n; i++) {
        const char *item = (const char *)list->v + i * shape->size;
        if (i > 0)
            buf_add_byte(b, ',');
        if (map) {
            buf_add_str(b, *(const struct str *)item);
            buf_add_byte(b, ':');
        }
        dump_value(b, &shape->members[map ? 1 : 0], item + (map ? shape->value_offset : 0));
    }
    buf_add_byte(b, map ? '}' : ']');
}

static void dump_value(struct buf *b, const struct wire_member *m, const void *v)
{
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRING:
    case WIRE_BLOB:
    case WIRE_JSON_OUT:
        buf_add_str(b, *(const struct str *)v);
        break;
    case WIRE_INT:
    case WIRE_TIME:
        buf_add_i64(b, *(const int64_t *)v);
        break;
    case WIRE_BOOL:
        buf_add_c(b, *(const bool *)v ? "true" : "false");
        break;
    case WIRE_DOUBLE:
        buf_add_fmt(b, "%g", *(const double *)v);
        break;
    case WIRE_STRUCT:
        dump_struct(b, m->shape, m->flags & WIRE_ELEMENT ? v : *(const void *const *)v);
        break;
    case WIRE_LIST:
    case WIRE_MAP:
        dump_items(b, m->shape, v);
        break;
    case WIRE_JSON_IN:
        json_put(b, *(const struct json *const *)v);
        break;
    case WIRE_JSON_BOTH:
        json_put(b, ((const struct wire_json *)v)->in);
        break;
    }
}

const char *dump(struct exchange *x, const struct wire_shape *shape, const void *v)
{
    struct buf b;
    buf_init_arena(&b, &x->arena, 1 << 20);
    dump_struct(&b, shape, v);
    return cstr(x, buf_str(&b));
}
