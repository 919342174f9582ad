/* Lets tests/gen/roundtrip.py (botocore writes the requests and reads the replies) and
 * tests/protocols/protocols.py (others' cases) play client to src/wire. Commands on standard input, each with a body of LEN bytes after its line:
 *
 *   D SCOPE LEN                 a request as text: answers "Operation {input as JSON}", or "!fault"
 *   E SERVICE OP PROTOCOL LEN   an output as JSON: answers the encoded reply, head and body
 *   F SERVICE INDEX PROTOCOL LEN  a message: answers error INDEX of the service, encoded, after a
 *                               line with the code that a client should read; nothing past the last
 *
 *   X SERVICE ERROR PROTOCOL LEN  {"message":..,"members":{..}}: answers that error, encoded
 *
 * An answer is its length on a line, then the bytes. In this JSON, members of every location are
 * there, blobs are base64, timestamps milliseconds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/base64.h"
#include "help_wire.h"
#include "wire/wire_int.h"

enum { BODY_MAX = 1 << 20, ANSWER_MAX = 1 << 22 };

/* --- struct to JSON --------------------------------------------------------------------------- */

static void put(struct buf *b, const struct wire_member *m, const void *v);

static void put_struct(struct buf *b, const struct wire_shape *shape, const void *base)
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
        json_put_str(b, m->name);
        buf_add_byte(b, ':');
        put(b, m, wire_at(m, base));
    }
    buf_add_byte(b, '}');
}

static void put_items(struct buf *b, const struct wire_shape *shape, const struct wire_list *list)
{
    bool map = shape->kind == WIRE_MAP;
    buf_add_byte(b, map ? '{' : '[');
    for (size_t i = 0; i < list->n; i++) {
        const char *item = (const char *)list->v + i * shape->size;
        if (i > 0)
            buf_add_byte(b, ',');
        if (map) {
            json_put_str(b, *(const struct str *)item);
            buf_add_byte(b, ':');
        }
        put(b, &shape->members[map ? 1 : 0], item + (map ? shape->value_offset : 0));
    }
    buf_add_byte(b, map ? '}' : ']');
}

/* What no JSON number can say is a text. */
static void put_f64(struct buf *b, double v)
{
    if (isfinite(v))
        json_put_f64(b, v);
    else
        buf_add_c(b, isnan(v) ? "\"NaN\"" : v > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}

static void put(struct buf *b, const struct wire_member *m, const void *v)
{
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRING:
        json_put_str(b, *(const struct str *)v);
        break;
    case WIRE_BLOB:
        buf_add_byte(b, '"');
        base64_put(b, ((const struct str *)v)->p, ((const struct str *)v)->len);
        buf_add_byte(b, '"');
        break;
    case WIRE_INT:
    case WIRE_TIME:
        buf_add_i64(b, *(const int64_t *)v);
        break;
    case WIRE_BOOL:
        json_put_bool(b, *(const bool *)v);
        break;
    case WIRE_DOUBLE:
        put_f64(b, *(const double *)v);
        break;
    case WIRE_STRUCT:
        put_struct(b, m->shape, m->flags & WIRE_ELEMENT ? v : *(const void *const *)v);
        break;
    case WIRE_LIST:
    case WIRE_MAP:
        put_items(b, m->shape, v);
        break;
    case WIRE_JSON_IN:
        json_put(b, *(const struct json *const *)v);
        break;
    case WIRE_JSON_BOTH:
        json_put(b, ((const struct wire_json *)v)->in);
        break;
    case WIRE_JSON_OUT:
        break;
    }
}

/* --- JSON to struct --------------------------------------------------------------------------- */

/* This program's own inputs: what does not fit is a bug of the test. */
static void must(enum err e)
{
    if (e != ERR_OK) {
        fprintf(stderr, "roundtrip: %s\n", err_name(e));
        exit(1);
    }
}

static void *zeroed(struct arena *arena, size_t n, size_t size)
{
    void *p = arena_calloc(arena, n ? n : 1, size);
    if (!p)
        must(ERR_NOMEM);
    return p;
}

static void fill(struct arena *arena, const struct wire_member *m, const struct json *v, void *dst,
                 bool *has);

static void fill_struct(struct arena *arena, const struct wire_shape *shape, const struct json *v,
                        void *dst)
{
    JSON_EACH (v, it) {
        for (size_t i = 0; i < shape->n_members; i++) {
            const struct wire_member *m = &shape->members[i];
            if (str_eq(m->name, it->key))
                fill(arena, m, it, wire_at(m, dst), wire_has_at(m, dst));
        }
    }
}

static struct wire_list fill_items(struct arena *arena, const struct wire_shape *shape,
                                   const struct json *v)
{
    bool map = shape->kind == WIRE_MAP;
    char *items = zeroed(arena, v->n, shape->size);
    size_t n = 0;
    JSON_EACH (v, it) {
        char *item = items + n++ * shape->size;
        if (map)
            *(struct str *)item = it->key;
        fill(arena, &shape->members[map ? 1 : 0], it, item + (map ? shape->value_offset : 0), NULL);
    }
    return (struct wire_list){items, n};
}

static struct str text_of(struct arena *arena, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, arena, BODY_MAX);
    json_put(&b, v);
    return buf_str(&b);
}

static void fill(struct arena *arena, const struct wire_member *m, const struct json *v, void *dst,
                 bool *has)
{
    if (has)
        *has = true;
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRING:
        *(struct str *)dst = v->text.p ? v->text : STR("");
        break;
    case WIRE_BLOB:
        must(base64_decode(arena, v->text, dst));
        break;
    case WIRE_INT:
    case WIRE_TIME:
        must(json_to_i64(v, dst));
        break;
    case WIRE_BOOL:
        *(bool *)dst = v->b;
        break;
    case WIRE_DOUBLE:
        if (v->kind == JSON_STRING)
            *(double *)dst = strtod(v->text.p, NULL);
        else
            must(json_to_f64(v, dst));
        break;
    case WIRE_STRUCT:
        if (!(m->flags & WIRE_ELEMENT)) {
            void *s = zeroed(arena, 1, m->shape->size);
            *(void **)dst = s;
            dst = s;
        }
        fill_struct(arena, m->shape, v, dst);
        break;
    case WIRE_LIST:
    case WIRE_MAP:
        *(struct wire_list *)dst = fill_items(arena, m->shape, v);
        break;
    case WIRE_JSON_OUT:
        *(struct str *)dst = text_of(arena, v);
        break;
    case WIRE_JSON_BOTH:
        ((struct wire_json *)dst)->out = text_of(arena, v);
        break;
    case WIRE_JSON_IN:
        break;
    }
}

/* --- commands --------------------------------------------------------------------------------- */

static void decode(const char *scope, struct str text, struct buf *answer)
{
    struct exchange x;
    exchange_parse_n(&x, text);
    must(wire_route(all_services, n_all_services, &x.req, str_c(scope), &x.arena, &x.routed));
    if (x.routed.outcome != WIRE_ROUTED) {
        buf_add_fmt(answer, "!outcome %d " STR_FMT, (int)x.routed.outcome,
                    STR_ARG(x.routed.op_name));
    } else if (wire_decode(&x.routed, &x.req, &x.arena, &x.in, &x.fault) == ERR_OK) {
        buf_add_fmt(answer, STR_FMT " ", STR_ARG(x.routed.op_name));
        put_struct(answer, x.routed.op->input, x.in);
    } else {
        buf_add_fmt(answer, "!" STR_FMT " " STR_FMT, STR_ARG(x.fault.error->name),
                    STR_ARG(x.fault.message));
    }
    exchange_release(&x);
}

static void put_reply(struct buf *answer, const struct wire_reply *reply)
{
    buf_add_fmt(answer, "%d\n", reply->status);
    for (size_t i = 0; i < reply->n_headers; i++)
        buf_add_fmt(answer, STR_FMT ":" STR_FMT "\n", STR_ARG(reply->headers[i].name),
                    STR_ARG(reply->headers[i].value));
    if (reply->content_type.p)
        buf_add_fmt(answer, "Content-Type:" STR_FMT "\n", STR_ARG(reply->content_type));
    buf_add_byte(answer, '\n');
    buf_add_str(answer, reply->body);
}

static const struct wire_service *service_named(const char *name)
{
    for (size_t i = 0; i < n_all_services; i++) {
        if (str_eq_c(all_services[i]->name, name))
            return all_services[i];
    }
    must(ERR_NOT_FOUND);
    return NULL;
}

static void encode_error(const char *service_name, size_t index, int protocol, struct str message,
                         struct buf *answer)
{
    struct arena arena;
    struct wire_reply reply;
    struct wire_routed routed = {.service = service_named(service_name),
                                 .protocol = (enum wire_protocol)protocol,
                                 .query_mode = true};
    if (index >= routed.service->n_errors)
        return;
    const struct wire_error *e = routed.service->errors[index];
    bool by_name = protocol == WIRE_JSON10 || protocol == WIRE_JSON11 || protocol == WIRE_REST_JSON;
    arena_init(&arena, BODY_MAX);
    must(wire_encode_error(&routed, e, message, NULL, 0, STR("RID"), STR("HID"), &arena, &reply));
    buf_add_str(answer, e->query_code.p ? e->query_code : by_name ? e->name : e->code);
    buf_add_byte(answer, '\n');
    put_reply(answer, &reply);
    arena_release(&arena);
}

/* An error with members of its own; it may be absent from the tables of no service. */
static void encode_members(const char *service_name, const char *name, int protocol,
                           struct str text, struct buf *answer)
{
    enum { DETAILS_MAX = 16 };
    struct arena arena;
    struct json *v;
    struct wire_reply reply;
    struct wire_detail details[DETAILS_MAX];
    size_t n = 0, i = 0;
    struct wire_routed routed = {.service = service_named(service_name),
                                 .protocol = (enum wire_protocol)protocol,
                                 .query_mode = true};
    while (i < routed.service->n_errors && !str_eq_c(routed.service->errors[i]->name, name))
        i++;
    if (i == routed.service->n_errors)
        must(ERR_NOT_FOUND);
    arena_init(&arena, 64 * BODY_MAX);
    must(json_parse(&arena, text, &v, NULL));
    JSON_EACH (json_get(v, STR("members")), it) {
        if (n == DETAILS_MAX)
            must(ERR_LIMIT);
        bool json = protocol != WIRE_QUERY && protocol != WIRE_REST_XML;
        details[n++] = (struct wire_detail){
            it->key, json || it->kind != JSON_STRING ? text_of(&arena, it) : it->text};
    }
    must(wire_encode_error(&routed, routed.service->errors[i], json_get_str(v, STR("message")),
                           details, n, STR("RID"), STR("HID"), &arena, &reply));
    put_reply(answer, &reply);
    arena_release(&arena);
}

static void encode(const char *service_name, const char *op_name, int protocol, struct str text,
                   struct buf *answer)
{
    struct arena arena;
    struct json *v;
    struct wire_reply reply;
    struct wire_routed routed = {.outcome = WIRE_ROUTED, .protocol = (enum wire_protocol)protocol};
    arena_init(&arena, 64 * BODY_MAX);
    routed.service = service_named(service_name);
    routed.op = wire_op_find(routed.service, str_c(op_name));
    if (!routed.op)
        must(ERR_NOT_FOUND);
    must(json_parse(&arena, text, &v, NULL));
    void *out = zeroed(&arena, 1, routed.op->out_size);
    fill_struct(&arena, routed.op->output, v, out);
    must(wire_encode(&routed, out, STR("RID"), STR("HID"), &arena, &reply));
    put_reply(answer, &reply);
    arena_release(&arena);
}

int main(void)
{
    static char body[BODY_MAX + 1];
    char line[256], a[64], b[128];
    while (fgets(line, sizeof(line), stdin)) {
        int protocol = 0;
        size_t len = 0;
        struct buf answer;
        size_t index = 0;
        bool is_decode = sscanf(line, "D %63s %zu", a, &len) == 2;
        bool is_error = sscanf(line, "F %63s %zu %d %zu", a, &index, &protocol, &len) == 4;
        bool is_members = sscanf(line, "X %63s %127s %d %zu", a, b, &protocol, &len) == 4;
        if (!is_decode && !is_error && !is_members &&
            sscanf(line, "E %63s %127s %d %zu", a, b, &protocol, &len) != 4)
            return 2;
        if (len > BODY_MAX || fread(body, 1, len, stdin) != len)
            return 2;
        body[len] = '\0';
        buf_init(&answer, ANSWER_MAX);
        if (is_decode)
            decode(a, str_n(body, len), &answer);
        else if (is_error)
            encode_error(a, index, protocol, str_n(body, len), &answer);
        else if (is_members)
            encode_members(a, b, protocol, str_n(body, len), &answer);
        else
            encode(a, b, protocol, str_n(body, len), &answer);
        must(buf_err(&answer));
        printf("%zu\n", answer.len);
        if (answer.len > 0)
            fwrite(answer.p, 1, answer.len, stdout);
        fflush(stdout);
        buf_release(&answer);
    }
    return 0;
}
