/* From a routed request to the operation's typed input: where each member comes from (head or
 * body), scalars written as text, and then the checks of the spec.
 *
 * Layer: wire. Thread: pure. */
#include <assert.h>

#include "codec/cbor.h"
#include "wire/wire_int.h"

/* --- members in the head ---------------------------------------------------------------------- */

static struct str label_of(const struct wire_routed *r, struct str name)
{
    size_t n = 0;
    for (size_t i = 0; i < r->route->n_segments && n < WIRE_LABELS_MAX; i++) {
        if (r->route->segments[i].kind == WIRE_SEG_TEXT)
            continue;
        if (str_eq(r->route->segments[i].text, name))
            return r->labels[n];
        n++;
    }
    return STR_NONE;
}

/* A generated map entry of string to string. */
struct text_entry {
    struct str key, value;
};

/* Puts the value of a header that came before behind a comma, as HTTP has it; false: it did not. */
static bool join_header(struct arena *a, struct text_entry *entries, size_t n,
                        const struct text_entry *one)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(entries[i].key, one->key)) {
            entries[i].value =
                str_fmt(a, STR_FMT "," STR_FMT, STR_ARG(entries[i].value), STR_ARG(one->value));
            return true;
        }
    return false;
}

static enum err headers_with_prefix(struct wire_dec *d, const struct wire_member *m,
                                    const struct wire_request *req, struct wire_list *dst)
{
    size_t n = 0;
    for (size_t i = 0; i < req->n_headers; i++)
        n += str_eq_nocase(str_sub(req->headers[i].name, 0, m->at.len), m->at);
    if (n == 0)
        return ERR_OK;
    struct text_entry *entries = ARENA_ARRAY(d->arena, struct text_entry, n);
    if (!entries)
        return ERR_NOMEM;
    size_t at = 0;
    for (size_t i = 0; i < req->n_headers; i++) {
        const struct wire_header *h = &req->headers[i];
        if (!str_eq_nocase(str_sub(h->name, 0, m->at.len), m->at))
            continue;
        struct text_entry one = {str_lower(d->arena, str_sub(h->name, m->at.len, SIZE_MAX)),
                                 str_is_set(h->value) ? h->value : STR("")};
        if (!str_is_set(one.key))
            return ERR_NOMEM;
        assert(at < n); /* counted and copied alike */
        if (!join_header(d->arena, entries, at, &one))
            entries[at++] = one;
    }
    *dst = (struct wire_list){entries, at};
    return ERR_OK;
}

/* The next value of a header's list: "quoted, with \\ escapes", or up to the comma; a date of HTTP
 * has a comma of its own. */
static enum err header_item(struct wire_dec *d, const struct wire_member *element, struct str *rest,
                            struct str *ret_item)
{
    bool date = element->shape->kind == WIRE_TIME && element->time_format != WIRE_TIME_ISO8601 &&
                element->time_format != WIRE_TIME_EPOCH;
    struct str text = str_trim(*rest);
    if (text.len == 0 || text.p[0] != '"') {
        size_t at = str_find(text, ',');
        if (date && at != SIZE_MAX)
            at += 1 + min_size(str_find(str_sub(text, at + 1, SIZE_MAX), ','), text.len - at - 1);
        at = min_size(at, text.len);
        *ret_item = str_trim(str_n(text.p, at));
        *rest = at < text.len ? str_sub(text, at + 1, SIZE_MAX) : STR_NONE;
        return ERR_OK;
    }
    char *out = arena_alloc(d->arena, text.len);
    size_t n = 0, i = 1;
    if (!out)
        return ERR_NOMEM;
    for (; i < text.len && text.p[i] != '"'; i++) {
        i += text.p[i] == '\\' && i + 1 < text.len;
        out[n++] = text.p[i];
    }
    assert(n < text.len);
    *ret_item = str_n(out, n);
    text = str_trim(str_sub(text, min_size(i + 1, text.len), SIZE_MAX));
    *rest = text.len > 0 ? str_sub(text, 1, SIZE_MAX) : STR_NONE;
    return text.len == 0 || text.p[0] == ',' ? ERR_OK : ERR_INVALID;
}

/* A header that carries a list: values divided by commas. */
static enum err list_header(struct wire_dec *d, const struct wire_member *m, struct str text,
                            struct wire_list *dst)
{
    const struct wire_member *element = &m->shape->members[0];
    struct str rest = str_trim(text);
    size_t most = 1, n = 0;
    for (size_t i = 0; i < text.len; i++)
        most += text.p[i] == ',';
    char *v = arena_calloc(d->arena, most, m->shape->size);
    if (!v)
        return ERR_NOMEM;
    if (rest.len == 0)
        rest = STR_NONE;
    while (str_is_set(rest)) {
        struct str item;
        enum err err = header_item(d, element, &rest, &item);
        if (err == ERR_INVALID)
            return wire_dec_bad_text(d, m, text, "list");
        TRY(err);
        assert(n < most); /* a value ends at a comma each */
        TRY(wire_dec_text(d, element, item, WIRE_TIME_HTTP, v + n++ * m->shape->size, NULL));
    }
    *dst = (struct wire_list){v, n};
    return ERR_OK;
}

/* Every query parameter named `key`, as a list (Lambda's tagKeys). */
static enum err list_param(struct wire_dec *d, const struct wire_shape *shape, struct str key,
                           const struct wire_routed *r, struct wire_list *dst)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < r->n_params; i++)
        n += str_eq(r->params[i].key, key);
    if (n == 0)
        return ERR_OK;
    char *v = arena_calloc(d->arena, n, shape->size);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n_params && at < n; i++) {
        if (str_eq(r->params[i].key, key))
            TRY(wire_dec_text(d, &shape->members[0], r->params[i].value, WIRE_TIME_ISO8601,
                              v + at++ * shape->size, NULL));
    }
    *dst = (struct wire_list){v, n};
    return ERR_OK;
}

/* Whether another member, or the route itself, has the query parameter. */
static bool param_is_taken(const struct wire_routed *r, struct str key)
{
    const struct wire_shape *shape = r->op->input;
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        if (m->location == WIRE_IN_QUERY && m->shape->kind != WIRE_MAP && str_eq(m->at, key))
            return true;
    }
    for (size_t i = 0; i < r->route->n_query; i++) {
        if (str_eq(r->route->query[i].name, key))
            return true;
    }
    return false;
}

/* The parameters that nobody else takes as a map of texts or of lists of them (httpQueryParams). */
static enum err map_params(struct wire_dec *d, const struct wire_member *m,
                           const struct wire_routed *r, struct wire_list *dst)
{
    const struct wire_shape *shape = m->shape, *value = shape->members[1].shape;
    assert(shape->kind == WIRE_MAP);
    size_t n = 0, j;
    char *v = arena_calloc(d->arena, min_size(r->n_params, WIRE_QUERY_KEYS_MAX), shape->size);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n_params; i++) {
        struct str key = r->params[i].key;
        for (j = 0; j < n && !str_eq(*(struct str *)(v + j * shape->size), key);)
            j++;
        if (j < n || param_is_taken(r, key))
            continue;
        if (n == WIRE_QUERY_KEYS_MAX)
            return wire_dec_fault(d, STR("The request has too many query parameters."));
        char *entry = v + n++ * shape->size;
        *(struct str *)entry = key;
        if (value->kind == WIRE_LIST)
            TRY(list_param(d, value, key, r, (void *)(entry + shape->value_offset)));
        else
            TRY(wire_dec_text(d, &shape->members[1], r->params[i].value, WIRE_TIME_ISO8601,
                              entry + shape->value_offset, NULL));
    }
    if (n > 0)
        *dst = (struct wire_list){v, n};
    return ERR_OK;
}

static enum err head_member(struct wire_dec *d, const struct wire_routed *r,
                            const struct wire_request *req, const struct wire_member *m, void *in)
{
    struct str text = STR_NONE;
    enum wire_time_format format = WIRE_TIME_ISO8601;
    switch ((enum wire_location)m->location) {
    case WIRE_IN_HEADER:
        text = wire_header_get(req, m->at);
        format = WIRE_TIME_HTTP;
        if (str_is_set(text) && m->shape->kind == WIRE_LIST)
            return list_header(d, m, text, wire_at(m, in));
        break;
    case WIRE_IN_QUERY:
        if (m->shape->kind == WIRE_LIST)
            return list_param(d, m->shape, m->at, r, wire_at(m, in));
        if (m->shape->kind == WIRE_MAP)
            return map_params(d, m, r, wire_at(m, in));
        text = percent_get(r->params, r->n_params, m->at);
        /* "?max-keys=" says nothing about a number. */
        if (str_is_set(text) && text.len == 0 && m->shape->kind != WIRE_STRING)
            return ERR_OK;
        break;
    case WIRE_IN_URI:
        text = label_of(r, m->at);
        break;
    case WIRE_IN_HEADERS:
        return headers_with_prefix(d, m, req, wire_at(m, in));
    default:
        return ERR_OK;
    }
    if (!str_is_set(text))
        return ERR_OK;
    return wire_dec_text(d, m, text, format, wire_at(m, in), wire_has_at(m, in));
}

/* --- bodies ----------------------------------------------------------------------------------- */

static enum err json_body(struct wire_dec *d, const struct wire_shape *shape, struct str body,
                          void *dst)
{
    struct json *root = NULL;
    if (str_trim(body).len == 0)
        return ERR_OK;
    enum err err = json_parse(d->arena, body, &root, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK)
        return wire_dec_fault(d, STR("The request body is not valid JSON."));
    return wire_dec_json(d, shape, root, dst);
}

static enum err cbor_body(struct wire_dec *d, const struct wire_shape *shape, struct str body,
                          void *dst)
{
    struct json *root = NULL;
    if (body.len == 0)
        return ERR_OK;
    enum err err = cbor_parse(d->arena, body, &root);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK)
        return wire_dec_fault(d, STR("The request body is not valid CBOR."));
    return wire_dec_json(d, shape, root, dst);
}

static enum err xml_body(struct wire_dec *d, const struct wire_shape *shape, struct str root_name,
                         struct str body, void *dst)
{
    static const char *malformed = "The XML you provided was not well-formed or did not validate "
                                   "against our published schema";
    struct xml *root = NULL;
    enum err err = xml_parse(d->arena, body, &root, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK || (str_is_set(root_name) && !str_eq(root->name, root_name) &&
                          !str_eq(root->name, shape->name)))
        return wire_dec_fault(d, str_c(malformed));
    err = wire_dec_xml(d, shape, root, dst);
    if (err == ERR_FAILED)
        d->fault->message = str_c(malformed);
    return err;
}

/* A body that stays JSON. */
static enum err json_payload(struct wire_dec *d, const struct wire_member *m, struct str body,
                             void *in)
{
    struct json *root = NULL;
    enum err err = json_parse(d->arena, body, &root, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK)
        return wire_dec_fault(d, STR("The request body is not valid JSON."));
    return wire_dec_json_member(d, m, root, in);
}

/* The member that is the whole body. */
static enum err payload_body(struct wire_dec *d, const struct wire_member *m,
                             const struct wire_request *req, void *in)
{
    struct str body = req->body;
    if (!str_is_set(body) || body.len == 0)
        return ERR_OK;
    if (m->shape->kind == WIRE_BLOB || m->shape->kind == WIRE_STRING) {
        if (m->shape->kind == WIRE_STRING && !str_is_utf8(body))
            return wire_dec_not_utf8(d, m);
        *(struct str *)wire_at(m, in) = body;
        return ERR_OK;
    }
    if (m->shape->kind == WIRE_JSON_IN || m->shape->kind == WIRE_JSON_BOTH)
        return json_payload(d, m, body, in);
    if (m->shape->kind != WIRE_STRUCT)
        return wire_dec_bad_text(d, m, STR("body"), "value of its type");
    void *v = arena_calloc(d->arena, 1, m->shape->size);
    if (!v)
        return ERR_NOMEM;
    *(void **)wire_at(m, in) = v;
    if (d->service->protocol == WIRE_REST_JSON)
        return json_body(d, m->shape, body, v);
    return xml_body(d, m->shape, m->xml, body, v);
}

static enum err rest_input(struct wire_dec *d, const struct wire_routed *r,
                           const struct wire_request *req, void *in)
{
    const struct wire_shape *shape = r->op->input;
    for (size_t i = 0; i < shape->n_members; i++) {
        if (shape->members[i].location != WIRE_IN_BODY)
            TRY(head_member(d, r, req, &shape->members[i], in));
    }
    if (req->body_is_stream || (r->op->flags & WIRE_OP_STREAM_IN))
        return ERR_OK;
    if (shape->payload)
        return payload_body(d, shape->payload, req, in);
    if (!(shape->flags & WIRE_BODY_MEMBERS) || !str_is_set(req->body) || req->body.len == 0)
        return ERR_OK;
    struct str body = req->body;
    if (r->coded && !r->service->buckets)
        TRY(wire_content(r->service, req, d->arena, &body, d->fault));
    if (r->protocol == WIRE_REST_JSON)
        return json_body(d, shape, body, in);
    return xml_body(d, shape, STR_NONE, body, in);
}

/* A query request posted to a queue's URL need not repeat it as a parameter. */
static enum err fill_url(struct wire_dec *d, const struct wire_request *req,
                         const struct wire_op *op, void *in)
{
    for (size_t i = 0; i < op->input->n_members; i++) {
        const struct wire_member *m = &op->input->members[i];
        if (!str_eq(m->name, d->service->url_member) || wire_is_set(m, in))
            continue;
        struct str host = wire_header_get(req, STR("host"));
        struct str url = str_fmt(d->arena, "%s://" STR_FMT STR_FMT, req->tls ? "https" : "http",
                                 STR_ARG(host), STR_ARG(req->path));
        if (!str_is_set(url))
            return ERR_NOMEM;
        *(struct str *)wire_at(m, in) = url;
    }
    return ERR_OK;
}

static enum err query_input(struct wire_dec *d, const struct wire_routed *r,
                            const struct wire_request *req, void *in)
{
    const struct percent_pair *pairs = r->n_form > 0 ? r->form : r->params;
    size_t n = r->n_form > 0 ? r->n_form : r->n_params;
    TRY(wire_dec_form(d, r->op->input, pairs, n, in));
    if (str_is_set(d->service->url_member) && req->path.len > 1)
        return fill_url(d, req, r->op, in);
    return ERR_OK;
}

/* The body of a protocol that has all its input there. */
static enum err rpc_body(struct wire_dec *d, const struct wire_routed *r,
                         const struct wire_request *req, void *in)
{
    struct str body = req->body;
    if (r->coded)
        TRY(wire_content(r->service, req, d->arena, &body, d->fault));
    if (r->protocol == WIRE_RPC_CBOR)
        return cbor_body(d, r->op->input, body, in);
    return json_body(d, r->op->input, body, in);
}

enum err wire_decode(const struct wire_routed *r, const struct wire_request *req,
                     struct arena *arena, void **ret_in, struct wire_fault *ret_fault)
{
    assert(r->outcome == WIRE_ROUTED && r->op && r->service);
    struct wire_fault fault = {0};
    struct wire_dec d = {.service = r->service, .arena = arena, .fault = &fault};
    void *in = arena_calloc(arena, 1, r->op->in_size);
    if (!in)
        return ERR_NOMEM;
    enum err err;
    switch (r->protocol) {
    case WIRE_JSON10:
    case WIRE_JSON11:
    case WIRE_RPC_CBOR:
        err = rpc_body(&d, r, req, in);
        break;
    case WIRE_QUERY:
        err = query_input(&d, r, req, in);
        break;
    default:
        err = rest_input(&d, r, req, in);
        break;
    }
    if (err == ERR_OK && (r->op->input->flags & WIRE_CHECKED))
        err = wire_check(&d, r->op->input, in);
    if (err == ERR_FAILED) {
        if (!str_is_set(fault.message))
            return ERR_NOMEM;
        assert(fault.error ||
               !r->service->common[WIRE_E_SERIALIZATION]); /* a client learns which */
        *ret_fault = fault;
    }
    if (err == ERR_OK)
        *ret_in = in;
    return err;
}
