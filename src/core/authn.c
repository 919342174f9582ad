/* Authentication: the signature of a request, checked against the identity port (P3). */
#include <assert.h>

#include "codec/percent.h"
#include "core/account.h"
#include "core/call_int.h"
#include "core/claim.h"
#include "core/web.h"

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
        .n_headers = c->n_sent_headers,
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
    case WIRE_RPC_CBOR:
        break;
    case WIRE_REST_JSON:
        return SIGV4_DIALECT_REST;
    }
    return SIGV4_DIALECT_JSON;
}

/* What a fault of the signature is among the errors that every service has. S3 tells some faults
 * apart that others do not: S3 API Reference, "Error responses". */
static enum wire_common common_of(enum sigv4_fault_kind kind, bool s3)
{
    switch (kind) {
    case SIGV4_FAULT_MISSING:
        return WIRE_E_MISSING_AUTH;
    case SIGV4_FAULT_INCOMPLETE:
    case SIGV4_FAULT_QUERY_INCOMPLETE:
    case SIGV4_FAULT_EXPIRES_RANGE:
        return WIRE_E_BAD_AUTH;
    case SIGV4_FAULT_TWO_MECHANISMS:
        return s3 ? WIRE_E_VALIDATION : WIRE_E_BAD_AUTH;
    case SIGV4_FAULT_MECHANISM:
        return s3 ? WIRE_E_MISSING_PARAMETER : WIRE_E_BAD_AUTH;
    case SIGV4_FAULT_SCOPE:
        return s3 ? WIRE_E_BAD_AUTH : WIRE_E_BAD_SIGNATURE;
    case SIGV4_FAULT_UNKNOWN_KEY:
        return WIRE_E_UNKNOWN_KEY;
    case SIGV4_FAULT_TOKEN_INVALID:
        return WIRE_E_BAD_TOKEN;
    case SIGV4_FAULT_TOKEN_EXPIRED:
        return WIRE_E_EXPIRED_TOKEN;
    case SIGV4_FAULT_SKEWED:
        return WIRE_E_SKEW;
    case SIGV4_FAULT_EXPIRED:
    case SIGV4_FAULT_NOT_YET:
        return s3 ? WIRE_E_ACCESS_DENIED : WIRE_E_SKEW;
    case SIGV4_FAULT_HEADERS_UNSIGNED:
        return s3 ? WIRE_E_ACCESS_DENIED : WIRE_E_BAD_SIGNATURE;
    case SIGV4_FAULT_NO_CONTENT_SHA256:
        return s3 ? WIRE_E_MISSING_PARAMETER : WIRE_E_BAD_SIGNATURE;
    case SIGV4_FAULT_BAD_CONTENT_SHA256:
        return s3 ? WIRE_E_VALIDATION : WIRE_E_BAD_SIGNATURE;
    case SIGV4_FAULT_CONTENT_MISMATCH:
        return WIRE_E_BAD_DIGEST;
    case SIGV4_FAULT_MISMATCH:
        break;
    }
    return WIRE_E_BAD_SIGNATURE;
}

/* Of a presigned request to S3; no other service has a code for that. */
static const struct wire_error bad_query = {
    .name = STR_INIT("AuthorizationQueryParametersError"),
    .code = STR_INIT("AuthorizationQueryParametersError"),
    .json_type = STR_INIT("AuthorizationQueryParametersError"),
    .status = 400,
};
/* Of a request that names no service of Weir: as AWS's front answers before it knows one. */
static const struct wire_error missing_token = {
    .name = STR_INIT("MissingAuthenticationTokenException"),
    .code = STR_INIT("MissingAuthenticationToken"),
    .json_type = STR_INIT("com.amazon.coral.service#MissingAuthenticationTokenException"),
    .status = 400,
};
static const struct wire_error unknown_caller = {
    .name = STR_INIT("UnrecognizedClientException"),
    .code = STR_INIT("InvalidClientTokenId"),
    .json_type = STR_INIT("com.amazon.coral.service#UnrecognizedClientException"),
    .status = 400,
};

static enum err fail(struct call_impl *c, const struct sigv4_fault *fault)
{
    const struct wire_service *service = c->routed.service;
    bool s3 = dialect_of(c) == SIGV4_DIALECT_S3;
    bool in_query =
        fault->kind == SIGV4_FAULT_QUERY_INCOMPLETE || fault->kind == SIGV4_FAULT_EXPIRES_RANGE;
    const struct wire_error *error = service ? service->common[common_of(fault->kind, s3)] : NULL;
    if (s3 && in_query)
        error = &bad_query;
    if (!error)
        error = fault->kind == SIGV4_FAULT_MISSING ? &missing_token : &unknown_caller;
    for (size_t i = 0; s3 && i < fault->n_details; i++) { /* members of S3's document only */
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
    /* Most often a profile or a variable of the real AWS. */
    if (kind == SIGV4_FAULT_UNKNOWN_KEY && !c->key_refused) {
        fault.message =
            str_fmt(&c->arena,
                    STR_FMT " `weir env` prints what leads to this Weir with a key that it knows.",
                    STR_ARG(fault.message));
        if (!str_is_set(fault.message))
            return ERR_NOMEM;
    }
    return fail(c, &fault);
}

/* Whether a parameter of a presigned URL stands for a header of the same name. Not the signature's
 * own, nor what would name another service's operation. */
static bool stands_for_header(enum sigv4_kind kind, struct str name)
{
    static const struct str not_these[] = {
        STR_INIT("x-amz-algorithm"),      STR_INIT("x-amz-credential"),
        STR_INIT("x-amz-date"),           STR_INIT("x-amz-expires"),
        STR_INIT("x-amz-signature"),      STR_INIT("x-amz-signedheaders"),
        STR_INIT("x-amz-security-token"), STR_INIT("x-amz-target"),
    };
    if (str_eq_nocase(name, STR("if-match")) || str_eq_nocase(name, STR("if-none-match")))
        return kind == SIGV4_PRESIGNED; /* version 2 does not sign them */
    if (str_eq_nocase(name, STR("content-type")) || str_eq_nocase(name, STR("content-md5")))
        return kind == SIGV2_PRESIGNED;
    if (name.len <= 6 || !str_eq_nocase(str_sub(name, 0, 6), STR("x-amz-")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(not_these); i++)
        if (str_eq_nocase(name, not_these[i]))
            return false;
    return true;
}

/* A presigned URL of S3 carries headers in its query, where SDKs put them for who can send none. They
 * are appended to those sent, which the signature alone goes on to see by themselves. */
static enum err take_query_headers(struct call_impl *c)
{
    struct percent_pair *params;
    size_t n, at = c->n_sent_headers;
    if (!str_eq_c(c->sig.service, "s3"))
        return ERR_OK;
    enum err err = percent_parse_query(&c->arena, c->request.query, false, &params, &n);
    if (err == ERR_INVALID || err == ERR_LIMIT) /* routing says so */
        return ERR_OK;
    TRY(err);
    struct wire_header *all = ARENA_ARRAY(&c->arena, struct wire_header, at + n);
    if (!all)
        return ERR_NOMEM;
    memcpy(all, c->request.headers, at * sizeof(*all));
    for (size_t i = 0; i < n; i++)
        if (stands_for_header(c->sig.kind, params[i].key))
            all[at++] = (struct wire_header){
                params[i].key, str_is_set(params[i].value) ? params[i].value : STR("")};
    c->request.headers = all;
    c->request.n_headers = at;
    return ERR_OK;
}

enum err authn_parse(struct call_impl *c)
{
    struct sigv4_http http = head_of(c);
    enum err err = sigv4_parse(&c->arena, &http, dialect_of(c), &c->sig, &c->sig_fault);
    if (err == ERR_DENIED) {
        c->sig_bad = true;
        return ERR_OK;
    }
    TRY(err);
    return c->sig.kind == SIGV4_PRESIGNED || c->sig.kind == SIGV2_PRESIGNED ? take_query_headers(c)
                                                                            : ERR_OK;
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

/* What SigV2 signs of the URL: what S3 reads in it to tell operations and versions apart. */
static struct sigv2_resource v2_resource_of(const struct call_impl *c)
{
    const struct wire_service *s = c->routed.service;
    return (struct sigv2_resource){
        .vhost_bucket = c->routed.host_bucket,
        .names = s ? s->signed_query : NULL,
        .n_names = s ? s->n_signed_query : 0,
    };
}

/* What the signature's scope must name. */
static struct str scope_of(const struct call_impl *c)
{
    if (c->claim && c->claim->signing.p)
        return c->claim->signing;
    return c->routed.service ? c->routed.service->signing : STR_NONE;
}

/* Whether the signature is that of the key it names; c->secret then. */
static enum err verify(struct call_impl *c, struct str body)
{
    const struct identity_port *id = &c->core->identity;
    struct credential cred = {0};
    if (c->key_refused)
        return fail_kind(c, SIGV4_FAULT_UNKNOWN_KEY);
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
        .now_ms = c->txn.wall_ms,
        .skew_ms = c->core->cfg.skew_ms,
        .body = body,
        .v2 = v2_resource_of(c),
    };
    struct sigv4_fault fault = {0};
    err = sigv4_verify(&c->arena, &check, &fault);
    if (err == ERR_DENIED)
        return fail(c, &fault);
    TRY(err);
    c->secret = cred.secret;
    return ERR_OK;
}

static enum call_signed signed_by(enum sigv4_kind kind)
{
    switch (kind) {
    case SIGV4_NONE:
        return CALL_NOT_SIGNED;
    case SIGV4_HEADER:
        return CALL_SIGNED_HEADER;
    case SIGV2_PRESIGNED:
        return CALL_SIGNED_QUERY_V2;
    case SIGV4_FORM:
        return CALL_SIGNED_FORM;
    case SIGV2_FORM:
        return CALL_SIGNED_FORM_V2;
    case SIGV4_PRESIGNED:
        break;
    }
    return CALL_SIGNED_QUERY;
}

/* Who it is that signed. */
static enum err take_signer(struct call_impl *c)
{
    const struct identity_port *id = &c->core->identity;
    enum err err =
        id->principal(id->self, c->sig.access_key, c->sig.session_token, &c->arena, &c->who);
    if (err == ERR_NOT_FOUND || err == ERR_DENIED || err == ERR_INVALID)
        return fail_kind(c, SIGV4_FAULT_TOKEN_INVALID);
    TRY(err);
    call_act_in(c, c->who.account);
    c->call.signed_by = signed_by(c->sig.kind);
    c->call.signed_ms = c->sig.timestamp_ms;
    if (c->sig.region.len)
        c->call.region = c->sig.region;
    return ERR_OK;
}

static enum err check_signature(struct call_impl *c)
{
    TRY(verify(c, c->request.body));
    return take_signer(c);
}

enum err call_form_verify(struct call *call, const struct sigv4_request *sig, struct str policy)
{
    struct call_impl *c = call->impl;
    assert(c->claim && (sig->kind == SIGV4_FORM || sig->kind == SIGV2_FORM));
    c->sig = *sig;
    c->key_refused = c->function_asks && account_is_dev_key(c->core, sig->access_key);
    TRY(web_check(c));
    return verify(c, policy);
}

enum err call_form_signer(struct call *call)
{
    return take_signer(call->impl);
}

/* Whether no other body than the signer's can come with this head. */
static bool covers_body(const struct sigv4_request *sig)
{
    return sig->payload == SIGV4_PAYLOAD_HEX || sig->payload == SIGV4_PAYLOAD_STREAM ||
           sig->payload == SIGV4_PAYLOAD_STREAM_TRAILER;
}

enum err authn_head(struct call_impl *c, bool *ret_proven)
{
    *ret_proven = false;
    if (c->sig_bad || c->sig.kind == SIGV4_NONE || !covers_body(&c->sig) || !c->routed.service)
        return ERR_OK;
    enum err err = check_signature(c);
    if (err == ERR_FAILED) { /* authn_check says so when its turn comes */
        call_error_clear(&c->call);
        return ERR_OK;
    }
    TRY(err);
    *ret_proven = c->signed_head = true;
    return ERR_OK;
}

enum err authn_check(struct call_impl *c, bool streamed)
{
    if (c->authenticated)
        return ERR_OK;
    if (c->sig_bad)
        return fail(c, &c->sig_fault);
    if (is_streaming(&c->sig) && c->sig.kind != SIGV4_HEADER &&
        c->sig.payload != SIGV4_PAYLOAD_UNSIGNED_TRAILER)
        return fail_kind(c, SIGV4_FAULT_INCOMPLETE);
    if (c->sig.kind == SIGV4_NONE)
        TRY(check_anonymous(c));
    else if (!c->signed_head)
        TRY(check_signature(c));
    if (is_streaming(&c->sig))
        TRY(sigv4_chunk_new(&c->arena, &c->sig, c->secret, &c->chunk));
    if (!streamed)
        TRY(check_body(c));
    c->authenticated = true;
    return ERR_OK;
}
