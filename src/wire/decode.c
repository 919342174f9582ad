/* From a routed request to the operation's typed input: where each member comes from (head or
 * body), scalars written as text, and then the checks of the spec.
 *
 * Layer: wire. Thread: pure. */
#include "base/clock.h"
#include "codec/base64.h"
#include "wire/wire_int.h"

enum err wire_dec_fault(struct wire_dec *d, struct str message)
{
    d->fault->error = d->service->common[WIRE_E_SERIALIZATION];
    d->fault->message = message;
    return ERR_FAILED;
}

bool wire_is_set(const struct wire_member *m, const void *base)
{
    const void *v = wire_at(m, base);
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRING:
    case WIRE_BLOB:
    case WIRE_JSON_OUT:
        return ((const struct str *)v)->p != NULL;
    case WIRE_INT:
    case WIRE_BOOL:
    case WIRE_DOUBLE:
    case WIRE_TIME:
        return *wire_has_at(m, base);
    case WIRE_STRUCT:
    case WIRE_JSON_IN:
        return *(const void *const *)v != NULL;
    case WIRE_LIST:
    case WIRE_MAP:
        return ((const struct wire_list *)v)->v != NULL;
    case WIRE_JSON_BOTH:
        return ((const struct wire_json *)v)->in || ((const struct wire_json *)v)->out.p;
    }
    return false;
}

/* --- scalars as text -------------------------------------------------------------------------- */

static enum err bad_text(struct wire_dec *d, const struct wire_member *m, struct str text,
                         const char *what)
{
    /* S3 tells a wrong argument in the head from a document that does not fit its schema. */
    if (d->service->wording == WIRE_WORDING_S3 && m->at.p) {
        struct str message = str_fmt(
            d->arena, "Provided " STR_FMT " not %s %s", STR_ARG(m->at), what[0] == 'i' ? "an" : "a",
            m->shape->kind == WIRE_INT ? "integer or within integer range" : what);
        enum err e = wire_dec_fault(d, message);
        d->fault->error = d->service->common[WIRE_E_VALIDATION];
        return e;
    }
    struct str cut = str_sub(text, 0, 100);
    return wire_dec_fault(d, str_fmt(d->arena, STR_FMT ": '" STR_FMT "' is not a valid %s.",
                                     STR_ARG(m->name), STR_ARG(cut), what));
}

static enum err not_utf8(struct wire_dec *d, const struct wire_member *m)
{
    return wire_dec_fault(d, str_fmt(d->arena, STR_FMT " is not valid UTF-8.", STR_ARG(m->name)));
}

static enum err time_of_text(enum wire_time_format format, struct str text, int64_t *ret_ms)
{
    double seconds;
    switch (format) {
    case WIRE_TIME_HTTP:
        return clock_parse_http(text, ret_ms);
    case WIRE_TIME_EPOCH:
        TRY(str_to_f64(text, &seconds));
        if (!(seconds > -9e12 && seconds < 9e12))
            return ERR_INVALID;
        *ret_ms = (int64_t)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5));
        return ERR_OK;
    default:
        if (clock_parse_iso8601(text, ret_ms) == ERR_OK)
            return ERR_OK;
        return clock_parse_basic(text, ret_ms);
    }
}

static enum err int_of_text(const struct wire_shape *shape, struct str text, int64_t *ret_v)
{
    int64_t v;
    TRY(str_to_i64(str_trim(text), &v));
    if ((shape->flags & WIRE_INT32) && (v < INT32_MIN || v > INT32_MAX))
        return ERR_LIMIT;
    *ret_v = v;
    return ERR_OK;
}

static enum err bool_of_text(struct str text, bool *ret_v)
{
    text = str_trim(text);
    *ret_v = str_eq_nocase(text, STR("true"));
    return *ret_v || str_eq_nocase(text, STR("false")) ? ERR_OK : ERR_INVALID;
}

enum err wire_dec_text(struct wire_dec *d, const struct wire_member *m, struct str text,
                       enum wire_time_format time_default, void *dst, bool *has)
{
    enum wire_time_format format =
        m->time_format ? (enum wire_time_format)m->time_format : time_default;
    const char *what = NULL;
    enum err e = ERR_OK;
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_STRING:
        if (!str_is_utf8(text))
            return not_utf8(d, m);
        *(struct str *)dst = text.p ? text : STR("");
        break;
    case WIRE_BLOB:
        what = "base64 text";
        e = base64_decode(d->arena, str_trim(text), dst);
        break;
    case WIRE_INT:
        what = "integer";
        e = int_of_text(m->shape, text, dst);
        break;
    case WIRE_BOOL:
        what = "boolean";
        e = bool_of_text(text, dst);
        break;
    case WIRE_DOUBLE:
        what = "number";
        e = str_to_f64(str_trim(text), dst);
        break;
    case WIRE_TIME:
        what = "timestamp";
        e = time_of_text(format, str_trim(text), dst);
        break;
    default:
        return bad_text(d, m, text, "structure");
    }
    if (e == ERR_NOMEM)
        return e;
    if (e != ERR_OK)
        return bad_text(d, m, text, what);
    if (has)
        *has = true;
    return ERR_OK;
}

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
    for (size_t i = 0; i < req->n_headers && at < n; i++) {
        const struct wire_header *h = &req->headers[i];
        if (!str_eq_nocase(str_sub(h->name, 0, m->at.len), m->at))
            continue;
        entries[at].key = str_lower(d->arena, str_sub(h->name, m->at.len, SIZE_MAX));
        entries[at].value = h->value.p ? h->value : STR("");
        if (!entries[at++].key.p)
            return ERR_NOMEM;
    }
    *dst = (struct wire_list){entries, n};
    return ERR_OK;
}

/* A header that carries a list: values divided by commas. */
static enum err list_header(struct wire_dec *d, const struct wire_member *m, struct str text,
                            struct wire_list *dst)
{
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.p[i] == ',';
    if (m->shape->members[0].shape->kind != WIRE_STRING)
        return bad_text(d, m, text, "list");
    struct str *v = ARENA_ARRAY(d->arena, struct str, n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        v[i] = str_trim(str_cut(&text, ','));
    *dst = (struct wire_list){v, n};
    return ERR_OK;
}

/* Every query parameter of the name, as a list (Lambda tagKeys). */
static enum err list_param(struct wire_dec *d, const struct wire_member *m,
                           const struct wire_routed *r, struct wire_list *dst)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < r->n_params; i++)
        n += str_eq(r->params[i].key, m->at);
    if (n == 0)
        return ERR_OK;
    if (m->shape->members[0].shape->kind != WIRE_STRING)
        return bad_text(d, m, m->at, "list");
    struct str *v = ARENA_ARRAY(d->arena, struct str, n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n_params && at < n; i++) {
        if (str_eq(r->params[i].key, m->at))
            v[at++] = r->params[i].value.p ? r->params[i].value : STR("");
    }
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
        if (text.p && m->shape->kind == WIRE_LIST)
            return list_header(d, m, text, wire_at(m, in));
        break;
    case WIRE_IN_QUERY:
        if (m->shape->kind == WIRE_LIST)
            return list_param(d, m, r, wire_at(m, in));
        text = percent_get(r->params, r->n_params, m->at);
        /* "?max-keys=" says nothing about a number. */
        if (text.p && text.len == 0 && m->shape->kind != WIRE_STRING)
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
    if (!text.p)
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
    enum err e = json_parse(d->arena, body, &root, NULL);
    if (e == ERR_NOMEM)
        return e;
    if (e != ERR_OK)
        return wire_dec_fault(d, STR("The request body is not valid JSON."));
    return wire_dec_json(d, shape, root, dst);
}

static enum err xml_body(struct wire_dec *d, const struct wire_shape *shape, struct str root_name,
                         struct str body, void *dst)
{
    static const char *malformed = "The XML you provided was not well-formed or did not validate "
                                   "against our published schema";
    struct xml *root = NULL;
    enum err e = xml_parse(d->arena, body, &root, NULL);
    if (e == ERR_NOMEM)
        return e;
    if (e != ERR_OK || (root_name.p && !str_eq(root->name, root_name)))
        return wire_dec_fault(d, str_c(malformed));
    e = wire_dec_xml(d, shape, root, dst);
    if (e == ERR_FAILED)
        d->fault->message = str_c(malformed);
    return e;
}

/* The member that is the whole body. */
static enum err payload_body(struct wire_dec *d, const struct wire_member *m,
                             const struct wire_request *req, void *in)
{
    struct str body = req->body;
    if (!body.p || body.len == 0)
        return ERR_OK;
    if (m->shape->kind == WIRE_BLOB || m->shape->kind == WIRE_STRING) {
        if (m->shape->kind == WIRE_STRING && !str_is_utf8(body))
            return not_utf8(d, m);
        *(struct str *)wire_at(m, in) = body;
        return ERR_OK;
    }
    if (m->shape->kind != WIRE_STRUCT)
        return bad_text(d, m, STR("body"), "value of its type");
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
    if (!(shape->flags & WIRE_BODY_MEMBERS) || !req->body.p || req->body.len == 0)
        return ERR_OK;
    if (r->protocol == WIRE_REST_JSON)
        return json_body(d, shape, req->body, in);
    return xml_body(d, shape, STR_NONE, req->body, in);
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
        if (!url.p)
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
    if (d->service->url_member.p && req->path.len > 1)
        return fill_url(d, req, r->op, in);
    return ERR_OK;
}

enum err wire_decode(const struct wire_routed *r, const struct wire_request *req,
                     struct arena *arena, void **ret_in, struct wire_fault *ret_fault)
{
    struct wire_fault fault = {0};
    struct wire_dec d = {.service = r->service, .arena = arena, .fault = &fault};
    void *in = arena_calloc(arena, 1, r->op->in_size);
    if (!in)
        return ERR_NOMEM;
    enum err e;
    switch (r->protocol) {
    case WIRE_JSON10:
    case WIRE_JSON11:
        e = json_body(&d, r->op->input, req->body, in);
        break;
    case WIRE_QUERY:
        e = query_input(&d, r, req, in);
        break;
    default:
        e = rest_input(&d, r, req, in);
        break;
    }
    if (e == ERR_OK && (r->op->input->flags & WIRE_CHECKED))
        e = wire_check(&d, r->op->input, in);
    if (e == ERR_FAILED) {
        if (!fault.message.p)
            return ERR_NOMEM;
        *ret_fault = fault;
    }
    if (e == ERR_OK)
        *ret_in = in;
    return e;
}
