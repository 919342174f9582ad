/* Authentication: the signature of a request, checked against the identity port (P3). */
#include "core/call_int.h"
#include "core/claim.h"

/* struct http_header, wire_header and sigv4_header have one layout, so heads pass without copies.
 */
_Static_assert(sizeof(struct wire_header) == sizeof(struct sigv4_header) &&
                   sizeof(struct wire_header) == sizeof(struct http_header),
               "header layouts differ");

static struct sigv4_http head_of(const struct call_impl *c)
{
    return (struct sigv4_http){
        .method = c->request.method,
        .path = c->request.path,
        .query = c->request.query,
        .headers = (const struct sigv4_header *)(const void *)c->request.headers,
        .n_headers = c->request.n_headers,
    };
}

static enum sigv4_dialect dialect_of(const struct call_impl *c)
{
    if (!c->routed.service) { /* before routing: only the wording of faults depends on it */
        if (wire_header_get(&c->request, STR("x-amz-target")).p)
            return SIGV4_DIALECT_JSON;
        struct str type = wire_header_get(&c->request, STR("content-type"));
        return str_starts(type, STR("application/x-www-form-urlencoded")) ? SIGV4_DIALECT_QUERY
                                                                          : SIGV4_DIALECT_S3;
    }
    switch (c->routed.protocol) {
    case WIRE_QUERY:
        return SIGV4_DIALECT_QUERY;
    case WIRE_REST_XML:
        return SIGV4_DIALECT_S3;
    case WIRE_JSON10:
    case WIRE_JSON11:
    case WIRE_REST_JSON:
        break;
    }
    return SIGV4_DIALECT_JSON;
}

/* A wire_error made from the signature layer's table, which knows every dialect's code. */
static enum err fail(struct call_impl *c, const struct sigv4_fault *fault)
{
    const struct wire_service *service = c->routed.service;
    struct sigv4_error e = sigv4_error(fault->kind, dialect_of(c));
    struct str code = str_c(e.code);
    struct wire_error *error = ARENA_NEW(&c->arena, struct wire_error);
    if (!error)
        return ERR_NOMEM;
    *error = (struct wire_error){
        .name = code,
        .code = code,
        .status = e.status,
        .json_type = service ? str_fmt(&c->arena, STR_FMT STR_FMT, STR_ARG(service->type_prefix),
                                       STR_ARG(code))
                             : code,
    };
    /* Details are members of S3's error document only. */
    size_t n_details = dialect_of(c) == SIGV4_DIALECT_S3 ? fault->n_details : 0;
    for (size_t i = 0; i < n_details; i++) {
        char *name = str_cstr(&c->arena, fault->details[i].name);
        if (!name)
            return ERR_NOMEM;
        TRY(call_error_detail(&c->call, name, fault->details[i].value));
    }
    return call_error(&c->call, error, STR_FMT, STR_ARG(fault->message));
}

static enum err fail_kind(struct call_impl *c, enum sigv4_fault_kind kind)
{
    struct sigv4_fault fault = {0};
    sigv4_fault_set(&fault, kind, dialect_of(c));
    if (kind == SIGV4_FAULT_UNKNOWN_KEY)
        sigv4_fault_detail(&fault, STR("AWSAccessKeyId"), c->sig.access_key);
    return fail(c, &fault);
}

enum err authn_parse(struct call_impl *c)
{
    struct sigv4_http http = head_of(c);
    enum err err = sigv4_parse(&c->arena, &http, dialect_of(c), &c->sig, &c->sig_fault);
    if (err == ERR_DENIED) {
        c->sig_bad = true;
        return ERR_OK;
    }
    return err;
}

static bool is_streaming(const struct sigv4_request *sig)
{
    return sig->payload == SIGV4_PAYLOAD_STREAM || sig->payload == SIGV4_PAYLOAD_STREAM_TRAILER ||
           sig->payload == SIGV4_PAYLOAD_UNSIGNED_TRAILER;
}

static enum err append(void *arg, const void *p, size_t len)
{
    buf_add(arg, p, len);
    return buf_err(arg);
}

/* A buffered body that came in aws-chunked form is replaced by what it carries. */
static enum err unpack_chunked(struct call_impl *c)
{
    struct buf plain;
    buf_init_arena(&plain, &c->arena, CALL_BODY_MAX);
    enum err err =
        sigv4_chunk_feed(c->chunk, c->request.body.p, c->request.body.len, append, &plain);
    if (!err)
        err = sigv4_chunk_finish(c->chunk);
    if (err == ERR_DENIED)
        return fail_kind(c, SIGV4_FAULT_MISMATCH);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return call_error_common(c, WIRE_E_SERIALIZATION,
                                 "The request body is not well-formed aws-chunked data.");
    if (err)
        return err;
    c->request.body = buf_str(&plain);
    size_t n;
    c->call.trailers = (const struct http_header *)(const void *)sigv4_chunk_trailers(c->chunk, &n);
    c->call.n_trailers = n;
    return ERR_OK;
}

static enum err check_body(struct call_impl *c)
{
    if (c->chunk)
        return unpack_chunked(c);
    if (c->sig.payload != SIGV4_PAYLOAD_HEX)
        return ERR_OK;
    uint8_t digest[HASH_SHA256_LEN];
    hash_once(HASH_SHA256, c->request.body.p, c->request.body.len, digest);
    return sigv4_payload_matches(&c->sig, digest) ? ERR_OK
                                                  : fail_kind(c, SIGV4_FAULT_CONTENT_MISMATCH);
}

static enum err check_anonymous(struct call_impl *c)
{
    bool allowed = dialect_of(c) == SIGV4_DIALECT_S3 || /* a bucket policy may allow anyone */
                   (c->routed.op && c->routed.op->flags & WIRE_OP_UNSIGNED && !c->claim);
    if (!allowed)
        return fail_kind(c, SIGV4_FAULT_MISSING);
    c->who = (struct principal){.kind = PRINCIPAL_ANONYMOUS, .arn = STR("*")};
    return ERR_OK;
}

/* What the signature's scope must name. */
static struct str scope_of(const struct call_impl *c)
{
    if (c->claim && c->claim->signing.p)
        return c->claim->signing;
    return c->routed.service ? c->routed.service->signing : STR_NONE;
}

enum err authn_check(struct call_impl *c, bool streamed)
{
    if (c->sig_bad)
        return fail(c, &c->sig_fault);
    if (is_streaming(&c->sig) && c->sig.kind != SIGV4_HEADER &&
        c->sig.payload != SIGV4_PAYLOAD_UNSIGNED_TRAILER)
        return fail_kind(c, SIGV4_FAULT_INCOMPLETE);
    if (c->sig.kind == SIGV4_NONE) {
        TRY(check_anonymous(c));
    } else {
        const struct identity_port *id = &c->core->identity;
        struct credential cred = {0};
        enum err err =
            id->credential(id->self, c->sig.access_key, c->sig.session_token, &c->arena, &cred);
        if (err == ERR_NOT_FOUND || err == ERR_DENIED)
            return fail_kind(c, SIGV4_FAULT_UNKNOWN_KEY);
        if (err == ERR_INVALID)
            return fail_kind(c, SIGV4_FAULT_TOKEN_INVALID);
        TRY(err);
        struct sigv4_http http = head_of(c);
        struct sigv4_check check = {
            .http = &http,
            .req = &c->sig,
            .dialect = dialect_of(c),
            .service = scope_of(c),
            .secret = cred.secret,
            .session_token = cred.session_token,
            .credential_expires_ms = cred.expires_ms,
            .now_ms = c->txn.now_ms,
            .skew_ms = c->core->cfg.skew_ms,
            .body = c->request.body,
        };
        struct sigv4_fault fault = {0};
        err = sigv4_verify(&c->arena, &check, &fault);
        if (err == ERR_DENIED)
            return fail(c, &fault);
        TRY(err);
        err = id->principal(id->self, c->sig.access_key, c->sig.session_token, &c->arena, &c->who);
        if (err == ERR_NOT_FOUND || err == ERR_DENIED || err == ERR_INVALID)
            return fail_kind(c, SIGV4_FAULT_TOKEN_INVALID);
        TRY(err);
        c->secret = cred.secret;
        if (c->sig.region.len)
            c->call.region = c->sig.region;
    }
    if (is_streaming(&c->sig)) {
        enum err err = sigv4_chunk_new(&c->arena, &c->sig, c->secret, &c->chunk);
        if (err)
            return err;
    }
    return streamed ? ERR_OK : check_body(c);
}
