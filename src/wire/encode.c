/* Typed outputs and errors to reply heads and bodies.
 *
 *   awsJson   {members}                    error {"__type":ns#Name,"message":..}
 *   cbor      a map of the members         error the same map as in awsJson
 *   query     <OpResponse><OpResult>members</OpResult><ResponseMetadata>..
 *                                          error <ErrorResponse><Error><Type/><Code/><Message/>
 *             or, by Accept, {"OpResponse":{..}}, {"Error":{..},"RequestId":..}
 *   restJson  headers + {members}          error x-amzn-ErrorType + {"Type":"User","message":..}
 *   restXml   headers + <Root>members      error <Error><Code/><Message/>..<RequestId/><HostId/>
 *
 * Layer: wire. Thread: pure. */
#include <assert.h>

#include "base/clock.h"
#include "codec/cbor.h"
#include "codec/crc.h"
#include "wire/wire_int.h"

static const struct str CONTENT_JSON = STR_INIT("application/json");
static const struct str CONTENT_JSON10 = STR_INIT("application/x-amz-json-1.0");
static const struct str CONTENT_JSON11 = STR_INIT("application/x-amz-json-1.1");
static const struct str CONTENT_CBOR = STR_INIT("application/cbor");
static const struct str CONTENT_XML = STR_INIT("application/xml");
static const struct str CONTENT_TEXT_XML = STR_INIT("text/xml");

void *wire_output_new(const struct wire_op *op, struct arena *arena)
{
    return arena_calloc(arena, 1, op->out_size);
}

/* An empty reply with the ids that every reply of the protocol carries. */
static enum err reply_init(struct wire_reply *reply, const struct wire_routed *r,
                           struct str request_id, struct str host_id, struct arena *arena)
{
    enum wire_protocol protocol = r->protocol;
    *reply = (struct wire_reply){.status = 200, .body = STR(""), .arena = arena};
    if (r->service && str_is_set(r->service->server))
        TRY(wire_reply_add(reply, STR("Server"), r->service->server));
    if (protocol == WIRE_REST_XML) {
        TRY(wire_reply_add(reply, STR("x-amz-request-id"), request_id));
        if (str_is_set(host_id))
            TRY(wire_reply_add(reply, STR("x-amz-id-2"), host_id));
        return ERR_OK;
    }
    if (protocol == WIRE_RPC_CBOR)
        TRY(wire_reply_add(reply, STR("smithy-protocol"), STR("rpc-v2-cbor")));
    return wire_reply_add(reply, STR("x-amzn-RequestId"), request_id);
}

/* Takes what was written as the reply's body. */
static enum err set_body(struct wire_reply *reply, const struct buf *b, struct str content_type)
{
    TRY(buf_err(b));
    reply->body = buf_str(b);
    reply->content_type = content_type;
    return ERR_OK;
}

/* DynamoDB's checksum of the body as it is sent, which SDKs verify. */
static enum err add_crc32(struct wire_reply *reply, const struct wire_service *service,
                          struct arena *arena)
{
    if (!service->crc32)
        return ERR_OK;
    uint32_t crc = crc32_update(0, reply->body.p, reply->body.len);
    struct str text = str_fmt(arena, "%u", crc);
    if (!str_is_set(text))
        return ERR_NOMEM;
    return wire_reply_add(reply, STR("x-amz-crc32"), text);
}

/* --- success ---------------------------------------------------------------------------------- */

static enum err encode_json(const struct wire_routed *r, const void *out, struct buf *b,
                            struct arena *arena, struct wire_reply *reply)
{
    if (!(r->op->flags & WIRE_OP_NO_OUTPUT))
        wire_enc_json(b, r->op->output, out);
    TRY(set_body(reply, b, r->protocol == WIRE_JSON11 ? CONTENT_JSON11 : CONTENT_JSON10));
    TRY(wire_compress(r, arena, reply));
    return add_crc32(reply, r->service, arena);
}

static enum err encode_cbor(const struct wire_routed *r, const void *out, struct buf *b,
                            struct arena *arena, struct wire_reply *reply)
{
    if (r->op->flags & WIRE_OP_NO_OUTPUT)
        return ERR_OK;
    wire_enc_cbor(b, r->op->output, out);
    TRY(set_body(reply, b, CONTENT_CBOR));
    return wire_compress(r, arena, reply);
}

/* Sorted, like the members. */
static enum err encode_query_json(const struct wire_routed *r, const void *out, struct buf *b,
                                  struct str request_id, struct wire_reply *reply)
{
    bool has = str_is_set(r->op->result);
    bool first = has && str_cmp(r->op->result, STR("ResponseMetadata")) < 0;
    buf_add_fmt(b, "{\"" STR_FMT "Response\":{", STR_ARG(r->op->name));
    for (int i = 0; i < 2; i++) {
        if ((i == 0) != first) {
            BUF_ADD_LIT(b, "\"ResponseMetadata\":{\"RequestId\":");
            json_put_str(b, request_id);
            buf_add_byte(b, '}');
        } else if (has) {
            json_put_str(b, r->op->result);
            buf_add_byte(b, ':');
            wire_enc_query_json(b, r->service, r->op->output, out);
        }
        if (i == 0 && has)
            buf_add_byte(b, ',');
    }
    BUF_ADD_LIT(b, "}}");
    return set_body(reply, b, CONTENT_JSON);
}

static enum err encode_query(const struct wire_routed *r, const void *out, struct buf *b,
                             struct str request_id, struct wire_reply *reply)
{
    const struct wire_service *s = r->service;
    if (r->accepts_json)
        return encode_query_json(r, out, b, request_id, reply);
    buf_add_fmt(b, "<" STR_FMT "Response", STR_ARG(r->op->name));
    if (str_is_set(s->xmlns))
        buf_add_fmt(b, " xmlns=\"" STR_FMT "\"", STR_ARG(s->xmlns));
    buf_add_byte(b, '>');
    if (str_is_set(r->op->result)) {
        size_t at = b->len;
        xml_put_open(b, r->op->result, STR_NONE);
        size_t empty = b->len;
        wire_enc_xml(b, r->op->output, out, false);
        if (b->len > empty) {
            xml_put_close(b, r->op->result);
        } else {
            b->len = at;
            buf_add_fmt(b, "<" STR_FMT "/>", STR_ARG(r->op->result));
        }
    }
    BUF_ADD_LIT(b, "<ResponseMetadata>");
    xml_put_str(b, STR("RequestId"), request_id);
    buf_add_fmt(b, "</ResponseMetadata></" STR_FMT "Response>", STR_ARG(r->op->name));
    return set_body(reply, b, CONTENT_TEXT_XML);
}

static enum err header_map(const struct wire_member *m, const struct wire_list *map,
                           struct arena *arena, struct wire_reply *reply)
{
    const struct wire_shape *shape = m->shape;
    if (shape->members[1].shape->kind != WIRE_STRING)
        return ERR_UNSUPPORTED;
    for (size_t i = 0; i < map->n; i++) {
        const char *entry = (const char *)map->v + i * shape->size;
        struct str name =
            str_fmt(arena, STR_FMT STR_FMT, STR_ARG(m->at), STR_ARG(*(const struct str *)entry));
        if (!str_is_set(name))
            return ERR_NOMEM;
        TRY(wire_reply_add(reply, name, *(const struct str *)(entry + shape->value_offset)));
    }
    return ERR_OK;
}

/* A text in a header's list, quoted where it would be taken for several (RFC 9110, 5.6.4). */
static void put_header_text(struct buf *b, struct str s)
{
    if (str_find(s, ',') == SIZE_MAX && str_find(s, '"') == SIZE_MAX) {
        buf_add_str(b, s);
        return;
    }
    buf_add_byte(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_add_byte(b, '\\');
        buf_add_byte(b, s.p[i]);
    }
    buf_add_byte(b, '"');
}

/* A list as one header, divided by commas. */
static enum err header_list(const struct wire_member *m, const struct wire_list *list,
                            struct arena *arena, struct wire_reply *reply)
{
    const struct wire_member *element = &m->shape->members[0];
    struct buf b;
    buf_init_arena(&b, arena, WIRE_REPLY_MAX);
    for (size_t i = 0; i < list->n; i++) {
        const void *v = (const char *)list->v + i * m->shape->size;
        struct str text = wire_enc_text(arena, element, v, WIRE_TIME_HTTP, false);
        if (!str_is_set(text) && element->shape->kind != WIRE_STRING)
            return ERR_NOMEM;
        if (i > 0)
            BUF_ADD_LIT(&b, ", ");
        if (element->shape->kind == WIRE_STRING)
            put_header_text(&b, text);
        else
            buf_add_str(&b, text);
    }
    TRY(buf_err(&b));
    return wire_reply_add(reply, m->at, buf_str(&b));
}

static enum err head_member(const struct wire_member *m, const void *out, struct arena *arena,
                            struct wire_reply *reply)
{
    const void *v = wire_at(m, out);
    if (m->location == WIRE_IN_STATUS) {
        assert(m->shape->kind == WIRE_INT);
        reply->status = (int)*(const int64_t *)v;
        return ERR_OK;
    }
    if (m->location == WIRE_IN_HEADERS)
        return header_map(m, v, arena, reply);
    if (m->location != WIRE_IN_HEADER)
        return ERR_OK;
    if (m->shape->kind == WIRE_LIST)
        return header_list(m, v, arena, reply);
    struct str text = wire_enc_text(arena, m, v, WIRE_TIME_HTTP, false);
    if (!str_is_set(text))
        return ERR_NOMEM;
    if (str_eq_nocase(m->at, STR("content-type"))) {
        reply->content_type = text;
        return ERR_OK;
    }
    return wire_reply_add(reply, m->at, text);
}

/* The document of a restXml output that is not one payload member. */
static void xml_document(const struct wire_routed *r, const void *out, struct buf *b)
{
    const struct wire_shape *shape = r->op->output;
    struct str root = str_is_set(r->op->result) ? r->op->result : shape->name;
    xml_put_decl(b);
    /* GetBucketLocation: the one member is the root's own text. */
    if (shape->n_members == 1 && str_eq(shape->members[0].xml, root) &&
        shape->members[0].shape->kind == WIRE_STRING) {
        xml_put_open(b, root, r->service->xmlns);
        xml_put_text(b, *(const struct str *)wire_at(&shape->members[0], out));
        xml_put_close(b, root);
        return;
    }
    wire_enc_xml_struct(b, root, r->service->xmlns, shape, out, true);
}

static enum err payload(const struct wire_routed *r, const struct wire_member *m, const void *out,
                        struct buf *b, struct wire_reply *reply)
{
    struct str kept = reply->content_type;
    if (!wire_is_set(m, out))
        return ERR_OK;
    const void *v = wire_at(m, out);
    if (m->shape->kind == WIRE_JSON_BOTH)
        v = &((const struct wire_json *)v)->out;
    if (m->shape->kind != WIRE_STRUCT) {
        reply->body = *(const struct str *)v;
        reply->content_type = str_is_set(kept) ? kept : CONTENT_JSON;
        return ERR_OK;
    }
    v = *(const void *const *)v;
    if (r->protocol == WIRE_REST_JSON) {
        wire_enc_json(b, m->shape, v);
        return set_body(reply, b, CONTENT_JSON);
    }
    xml_put_decl(b);
    wire_enc_xml_struct(b, m->xml, r->service->xmlns, m->shape, v, true);
    return set_body(reply, b, CONTENT_XML);
}

static enum err encode_rest(const struct wire_routed *r, const void *out, struct buf *b,
                            struct arena *arena, struct wire_reply *reply)
{
    const struct wire_shape *shape = r->op->output;
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        if (m->location != WIRE_IN_BODY && m->location != WIRE_IN_PAYLOAD && wire_is_set(m, out))
            TRY(head_member(m, out, arena, reply));
    }
    if (r->head || (r->op->flags & (WIRE_OP_STREAM_OUT | WIRE_OP_NO_OUTPUT)))
        return ERR_OK;
    if (shape->payload)
        return payload(r, shape->payload, out, b, reply);
    if (!(shape->flags & WIRE_BODY_MEMBERS))
        return ERR_OK;
    if (r->protocol == WIRE_REST_JSON) {
        wire_enc_json(b, shape, out);
        return set_body(reply, b, CONTENT_JSON);
    }
    xml_document(r, out, b);
    return set_body(reply, b, CONTENT_XML);
}

enum err wire_encode(const struct wire_routed *r, const void *out, struct str request_id,
                     struct str host_id, struct arena *arena, struct wire_reply *ret_reply)
{
    struct wire_reply reply;
    struct buf b;
    assert(r->op);
    assert(out);
    TRY(reply_init(&reply, r, request_id, host_id, arena));
    reply.status = r->op->status;
    buf_init_arena(&b, arena, WIRE_REPLY_MAX);
    switch (r->protocol) {
    case WIRE_JSON10:
    case WIRE_JSON11:
        TRY(encode_json(r, out, &b, arena, &reply));
        break;
    case WIRE_RPC_CBOR:
        TRY(encode_cbor(r, out, &b, arena, &reply));
        break;
    case WIRE_QUERY:
        TRY(encode_query(r, out, &b, request_id, &reply));
        break;
    default:
        TRY(encode_rest(r, out, &b, arena, &reply));
        break;
    }
    assert(reply.status >= 200 && reply.status < 600); /* also what a member said */
    *ret_reply = reply;
    return ERR_OK;
}

/* --- errors ----------------------------------------------------------------------------------- */

static const struct wire_error unknown_service = {
    .name = STR_INIT("UnknownService"),
    .json_type = STR_INIT("com.amazon.coral.service#UnknownOperationException"),
    .code = STR_INIT("UnknownService"),
    .status = 400,
};

struct failure {
    const struct wire_error *error;
    struct str message;
    const struct wire_detail *details;
    size_t n_details;
    struct str request_id, host_id;
};

/* Members of a JSON error after its type. */
static void json_error_members(struct buf *b, const struct failure *f)
{
    json_put_str(b, f->error->message_capital ? STR("Message") : STR("message"));
    buf_add_byte(b, ':');
    json_put_str(b, f->message);
    for (size_t i = 0; i < f->n_details; i++) {
        buf_add_byte(b, ',');
        json_put_str(b, f->details[i].name);
        buf_add_byte(b, ':');
        buf_add_str(b, f->details[i].value);
    }
    buf_add_byte(b, '}');
}

/* What a client reads that knows the error by its query protocol's code (awsQueryCompatible). */
static enum err add_query_error(const struct wire_routed *r, const struct wire_error *e,
                                struct arena *arena, struct wire_reply *reply)
{
    if (!r->query_mode || !str_is_set(e->query_code))
        return ERR_OK;
    struct str code =
        str_fmt(arena, STR_FMT ";%s", STR_ARG(e->query_code), e->server ? "Receiver" : "Sender");
    if (!str_is_set(code))
        return ERR_NOMEM;
    return wire_reply_add(reply, STR("x-amzn-query-error"), code);
}

static enum err error_cbor(const struct wire_routed *r, const struct failure *f, struct buf *b,
                           struct arena *arena, struct wire_reply *reply)
{
    cbor_put_map(b, 2 + f->n_details);
    cbor_put_text(b, STR("__type"));
    cbor_put_text(b, f->error->json_type);
    cbor_put_text(b, f->error->message_capital ? STR("Message") : STR("message"));
    cbor_put_text(b, f->message);
    for (size_t i = 0; i < f->n_details; i++) {
        struct json *v = NULL;
        cbor_put_text(b, f->details[i].name);
        TRY(json_parse(arena, f->details[i].value, &v, NULL));
        cbor_put_tree(b, v);
    }
    TRY(set_body(reply, b, CONTENT_CBOR));
    return add_query_error(r, f->error, arena, reply);
}

static enum err error_json(const struct wire_routed *r, const struct failure *f, struct buf *b,
                           struct arena *arena, struct wire_reply *reply)
{
    const struct wire_error *e = f->error;
    BUF_ADD_LIT(b, "{\"__type\":");
    json_put_str(b, e->json_type);
    buf_add_byte(b, ',');
    json_error_members(b, f);
    TRY(set_body(reply, b, r->protocol == WIRE_JSON11 ? CONTENT_JSON11 : CONTENT_JSON10));
    TRY(add_query_error(r, e, arena, reply));
    TRY(wire_compress(r, arena, reply));
    return r->service ? add_crc32(reply, r->service, arena) : ERR_OK;
}

static enum err error_query_json(const struct failure *f, struct str code, struct str message,
                                 struct buf *b, struct wire_reply *reply)
{
    struct json_out o;
    json_out_init(&o, b);
    json_open(&o, '{');
    json_key(&o, STR("Error"));
    json_open(&o, '{');
    json_kv_str(&o, STR("Code"), code);
    json_kv_str(&o, STR("Message"), message);
    json_kv_str(&o, STR("Type"), f->error->server ? STR("Receiver") : STR("Sender"));
    for (size_t i = 0; i < f->n_details; i++)
        json_kv_str(&o, f->details[i].name, f->details[i].value);
    json_close(&o, '}');
    json_kv_str(&o, STR("RequestId"), f->request_id);
    json_close(&o, '}');
    return set_body(reply, b, CONTENT_JSON);
}

static enum err error_query(const struct wire_routed *r, const struct failure *f, struct buf *b,
                            struct wire_reply *reply)
{
    const struct wire_error *e = f->error;
    struct str code = str_is_set(e->query_code) ? e->query_code : e->code;
    struct str message = str_is_set(e->query_message) ? e->query_message : f->message;
    if (r->service && str_is_set(r->service->url_member) && !str_is_set(r->op_name) &&
        e == r->service
                 ->common[WIRE_E_UNKNOWN_OPERATION]) { /* no action at all: not even an error */
        BUF_ADD_LIT(b, "<UnknownOperationException/>\n");
        reply->status = 404;
        return set_body(reply, b, CONTENT_TEXT_XML);
    }
    if (r->accepts_json)
        return error_query_json(f, code, message, b, reply);
    BUF_ADD_LIT(b, "<ErrorResponse");
    if (r->service && str_is_set(r->service->xmlns))
        buf_add_fmt(b, " xmlns=\"" STR_FMT "\"", STR_ARG(r->service->xmlns));
    BUF_ADD_LIT(b, "><Error>");
    xml_put_str(b, STR("Type"), e->server ? STR("Receiver") : STR("Sender"));
    xml_put_str(b, STR("Code"), code);
    xml_put_str(b, STR("Message"), message);
    if (r->service && r->service->query_detail)
        BUF_ADD_LIT(b, "<Detail/>");
    for (size_t i = 0; i < f->n_details; i++)
        xml_put_str(b, f->details[i].name, f->details[i].value);
    BUF_ADD_LIT(b, "</Error>");
    xml_put_str(b, STR("RequestId"), f->request_id);
    BUF_ADD_LIT(b, "</ErrorResponse>");
    return set_body(reply, b, CONTENT_TEXT_XML);
}

static enum err error_rest_json(const struct failure *f, struct buf *b, struct wire_reply *reply)
{
    const struct wire_error *e = f->error;
    TRY(wire_reply_add(reply, STR("x-amzn-ErrorType"), e->name));
    buf_add_byte(b, '{');
    if (e->has_type)
        buf_add_fmt(b, "\"Type\":\"%s\",", e->server ? "Service" : "User");
    json_error_members(b, f);
    return set_body(reply, b, CONTENT_JSON);
}

/* S3's documentation shows a <Resource>; its replies have none. */
static enum err error_rest_xml(const struct wire_routed *r, const struct failure *f, struct buf *b,
                               struct wire_reply *reply)
{
    if (r->head || f->error->status == 304)
        return ERR_OK;
    xml_put_decl(b);
    BUF_ADD_LIT(b, "<Error>");
    xml_put_str(b, STR("Code"), f->error->code);
    xml_put_str(b, STR("Message"), f->message);
    for (size_t i = 0; i < f->n_details; i++) {
        if (!str_is_set(f->details[i].value))
            continue;
        xml_put_open(b, f->details[i].name, STR_NONE);
        xml_put_references(b, f->details[i].value);
        xml_put_close(b, f->details[i].name);
    }
    xml_put_str(b, STR("RequestId"), f->request_id);
    xml_put_str(b, STR("HostId"), f->host_id);
    BUF_ADD_LIT(b, "</Error>");
    return set_body(reply, b, CONTENT_XML);
}

enum err wire_encode_error(const struct wire_routed *r, const struct wire_error *error,
                           struct str message, const struct wire_detail *details, size_t n_details,
                           struct str request_id, struct str host_id, struct arena *arena,
                           struct wire_reply *ret_reply)
{
    struct wire_reply reply;
    struct buf b;
    struct failure f = {error ? error : &unknown_service,
                        str_is_set(message) ? message : STR(""),
                        details,
                        n_details,
                        request_id,
                        host_id};
    TRY(reply_init(&reply, r, request_id, host_id, arena));
    reply.status = f.error->status;
    assert(reply.status >= 300); /* 304 is S3's only one below 400 */
    buf_init_arena(&b, arena, WIRE_REPLY_MAX);
    switch (r->protocol) {
    case WIRE_JSON10:
    case WIRE_JSON11:
        TRY(error_json(r, &f, &b, arena, &reply));
        break;
    case WIRE_RPC_CBOR:
        TRY(error_cbor(r, &f, &b, arena, &reply));
        break;
    case WIRE_QUERY:
        TRY(error_query(r, &f, &b, &reply));
        break;
    case WIRE_REST_JSON:
        TRY(error_rest_json(&f, &b, &reply));
        break;
    case WIRE_REST_XML:
        TRY(error_rest_xml(r, &f, &b, &reply));
        break;
    }
    *ret_reply = reply;
    return ERR_OK;
}
