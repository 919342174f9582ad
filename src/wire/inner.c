/* Inputs and outputs as JSON by member names. See inner.h.
 *
 * Layer: wire. Thread: pure. */
#include "wire/inner.h"

#include <assert.h>

#include "codec/json.h"
#include "wire/wire_int.h"

/* The member that is the whole body as bytes or text; NULL where there is none. */
static const struct wire_member *raw_payload(const struct wire_shape *shape)
{
    const struct wire_member *m = shape->payload;
    return m && (m->shape->kind == WIRE_BLOB || m->shape->kind == WIRE_STRING) ? m : NULL;
}

/* What a member is called here: as on the wire, but where two members share a name there (PutIntegration's
 * own method and that of the integration). */
static struct str inner_name(const struct wire_member *m)
{
    return m->location == WIRE_IN_BODY && str_is_set(m->at) ? m->at : m->name;
}

static const struct wire_member *named(const struct wire_shape *shape, struct str name)
{
    for (size_t i = 0; i < shape->n_members; i++)
        if (str_eq(inner_name(&shape->members[i]), name))
            return &shape->members[i];
    return NULL;
}

static enum err members(struct wire_dec *d, const struct wire_shape *shape, struct str text,
                        void *in)
{
    struct json *root = NULL;
    if (str_trim(text).len == 0)
        return ERR_OK;
    enum err err = json_parse(d->arena, text, &root, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK || root->kind != JSON_OBJECT)
        return wire_dec_fault(d, STR("The input is not a JSON object."));
    JSON_EACH (root, it) {
        const struct wire_member *m = it->kind == JSON_NULL ? NULL : named(shape, it->key);
        if (m)
            TRY(wire_dec_json_value(d, m, it, wire_at(m, in), wire_has_at(m, in)));
    }
    return ERR_OK;
}

static enum err fill(struct wire_dec *d, const struct wire_op *op, struct str json, struct str body,
                     void *in)
{
    const struct wire_member *payload = raw_payload(op->input);
    TRY(members(d, op->input, json, in));
    if (payload && str_is_set(body)) {
        if (payload->shape->kind == WIRE_STRING && !str_is_utf8(body))
            return wire_dec_fault(d, STR("The body is not valid UTF-8."));
        *(struct str *)wire_at(payload, in) = body;
    }
    return op->input->flags & WIRE_CHECKED ? wire_check(d, op->input, in) : ERR_OK;
}

enum err wire_inner_decode(const struct wire_op *op, struct str json, struct str body,
                           struct arena *arena, void **ret_in, struct wire_fault *ret_fault)
{
    assert(op->service && op->input);
    struct wire_fault fault = {0};
    struct wire_dec d = {.service = op->service, .arena = arena, .fault = &fault};
    void *in = arena_calloc(arena, 1, op->in_size);
    if (!in)
        return ERR_NOMEM;
    enum err err = fill(&d, op, json, body, in);
    if (err == ERR_FAILED && !str_is_set(fault.message))
        return ERR_NOMEM;
    if (err == ERR_FAILED)
        *ret_fault = fault;
    if (err != ERR_OK)
        return err;
    *ret_in = in;
    return ERR_OK;
}

enum err wire_inner_encode(const struct wire_op *op, const void *out, struct arena *arena,
                           struct str *ret_json, struct str *ret_body)
{
    const struct wire_shape *shape = op->output;
    assert(out);
    const struct wire_member *payload = raw_payload(shape);
    struct str body = STR_NONE;
    struct buf b;
    bool more = false;
    buf_init_arena(&b, arena, WIRE_REPLY_MAX);
    buf_add_byte(&b, '{');
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        if (!wire_is_set(m, out))
            continue;
        if (m == payload) {
            body = *(const struct str *)wire_at(m, out);
            continue;
        }
        if (more)
            buf_add_byte(&b, ',');
        more = true;
        json_put_str(&b, inner_name(m));
        buf_add_byte(&b, ':');
        wire_enc_json_value(&b, m, wire_at(m, out));
    }
    buf_add_byte(&b, '}');
    TRY(buf_err(&b));
    *ret_json = buf_str(&b);
    *ret_body = body;
    return ERR_OK;
}

enum err wire_document_of(const struct wire_shape *shape, const void *v, struct arena *arena,
                          struct str *ret_json)
{
    struct buf b;
    buf_init_arena(&b, arena, WIRE_REPLY_MAX);
    wire_enc_json(&b, shape, v);
    TRY(buf_err(&b));
    *ret_json = buf_str(&b);
    return ERR_OK;
}

enum err wire_document_read(const struct wire_service *service, const struct wire_shape *shape,
                            const struct json *document, struct arena *arena, void *ret_v)
{
    struct wire_fault fault = {0};
    struct wire_dec d = {.service = service, .arena = arena, .fault = &fault};
    enum err err = wire_dec_json(&d, shape, document, ret_v);
    if (err == ERR_FAILED)
        return str_is_set(fault.message) ? ERR_CORRUPT : ERR_NOMEM;
    return err;
}
