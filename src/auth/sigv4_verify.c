/* Whether a request's signature is right and in time.
 *
 * Order of the checks, as AWS's: scope, clock, token, signed headers, signature, token's expiry.
 *
 * Layer: auth. Thread: any. */
#include "auth/sigv4_int.h"
#include "base/clock.h"
#include "codec/base64.h"
#include "codec/hash.h"

static enum err refuse(const struct sigv4_check *c, struct sigv4_fault *fault,
                       enum sigv4_fault_kind kind)
{
    sigv4_fault_set(fault, kind, c->dialect);
    return ERR_DENIED;
}

static struct str iso(struct arena *a, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];
    return str_dup(a, clock_iso8601(text, ms));
}

/* "Signature expired: A is now earlier than B (C - 15 min.)" and its mirror image. */
static void word_skew(struct arena *a, const struct sigv4_check *c, bool late,
                      struct sigv4_fault *fault)
{
    char now[CLOCK_TEXT_MAX], edge[CLOCK_TEXT_MAX];
    struct str n = clock_basic(now, c->now_ms);
    struct str e = clock_basic(edge, late ? c->now_ms - c->skew_ms : c->now_ms + c->skew_ms);
    struct str text =
        str_fmt(a, "Signature %s: " STR_FMT " is %s than " STR_FMT " (" STR_FMT " %c %lld min.)",
                late ? "expired" : "not yet current", STR_ARG(c->req->timestamp),
                late ? "now earlier" : "still later", STR_ARG(e), STR_ARG(n), late ? '-' : '+',
                (long long)(c->skew_ms / 60000));
    if (str_is_set(text))
        fault->message = text;
}

static enum err check_presigned_time(struct arena *a, const struct sigv4_check *c,
                                     struct sigv4_fault *fault)
{
    const struct sigv4_request *r = c->req;
    bool s3 = c->dialect == SIGV4_DIALECT_S3;
    int64_t end_ms = r->timestamp_ms + r->expires_s * 1000;
    if (c->now_ms > end_ms) {
        (void)refuse(c, fault, SIGV4_FAULT_EXPIRED);
        if (!s3) {
            char now[CLOCK_TEXT_MAX], end[CLOCK_TEXT_MAX];
            struct str text =
                str_fmt(a, "Signature expired: " STR_FMT " is now earlier than " STR_FMT,
                        STR_ARG(clock_basic(end, end_ms)), STR_ARG(clock_basic(now, c->now_ms)));
            if (str_is_set(text))
                fault->message = text;
            return ERR_DENIED;
        }
        sigv4_fault_detail(fault, STR("X-Amz-Expires"),
                           str_fmt(a, "%lld", (long long)r->expires_s));
        sigv4_fault_detail(fault, STR("Expires"), iso(a, end_ms));
        sigv4_fault_detail(fault, STR("ServerTime"), iso(a, c->now_ms));
        return ERR_DENIED;
    }
    if (r->timestamp_ms > c->now_ms + c->skew_ms) {
        (void)refuse(c, fault, SIGV4_FAULT_NOT_YET);
        if (!s3)
            word_skew(a, c, false, fault);
        return ERR_DENIED;
    }
    return ERR_OK;
}

static enum err check_time(struct arena *a, const struct sigv4_check *c, struct sigv4_fault *fault)
{
    const struct sigv4_request *r = c->req;
    if (r->kind == SIGV4_PRESIGNED)
        return check_presigned_time(a, c, fault);
    if (r->kind == SIGV2_PRESIGNED) {
        if (r->expires_s > (c->now_ms + c->skew_ms) / 1000 + SIGV4_PRESIGN_MAX_S) {
            (void)refuse(c, fault, SIGV4_FAULT_EXPIRES_RANGE);
            fault->message = STR("Expires must be less than a week (in seconds) from now");
            return ERR_DENIED;
        }
        if (c->now_ms <= r->expires_s * 1000)
            return ERR_OK;
        (void)refuse(c, fault, SIGV4_FAULT_EXPIRED);
        sigv4_fault_detail(fault, STR("Expires"), iso(a, r->expires_s * 1000));
        sigv4_fault_detail(fault, STR("ServerTime"), iso(a, c->now_ms));
        return ERR_DENIED;
    }
    int64_t late_ms = c->now_ms - r->timestamp_ms;
    if (late_ms <= c->skew_ms && late_ms >= -c->skew_ms)
        return ERR_OK;
    (void)refuse(c, fault, SIGV4_FAULT_SKEWED);
    if (c->dialect != SIGV4_DIALECT_S3) {
        word_skew(a, c, late_ms > 0, fault);
        return ERR_DENIED;
    }
    sigv4_fault_detail(fault, STR("RequestTime"), r->timestamp);
    sigv4_fault_detail(fault, STR("ServerTime"), iso(a, c->now_ms));
    sigv4_fault_detail(fault, STR("MaxAllowedSkewMilliseconds"),
                       str_fmt(a, "%lld", (long long)c->skew_ms));
    return ERR_DENIED;
}

static enum err check_scope(struct arena *a, const struct sigv4_check *c, struct sigv4_fault *fault)
{
    if (!str_is_set(c->service) || str_eq(c->service, c->req->service))
        return ERR_OK;
    (void)refuse(c, fault, SIGV4_FAULT_SCOPE);
    struct str text =
        c->dialect == SIGV4_DIALECT_S3
            ? str_fmt(a,
                      "The authorization header is malformed; incorrect service \"" STR_FMT
                      "\". This endpoint belongs to \"" STR_FMT "\".",
                      STR_ARG(c->req->service), STR_ARG(c->service))
            : str_fmt(a, "Credential should be scoped to correct service: '" STR_FMT "'.",
                      STR_ARG(c->service));
    if (str_is_set(text))
        fault->message = text;
    return ERR_DENIED;
}

static enum err check_token(const struct sigv4_check *c, struct sigv4_fault *fault)
{
    struct str has = c->req->session_token, needs = c->session_token;
    if (str_is_set(has) == str_is_set(needs) && str_eq_consttime(has, needs))
        return ERR_OK;
    return refuse(c, fault, SIGV4_FAULT_TOKEN_INVALID);
}

static bool list_has(struct str names, struct str name)
{
    while (str_is_set(names)) {
        struct str n = str_cut(&names, ';');
        if (n.len == name.len && str_eq_nocase(n, name))
            return true;
    }
    return false;
}

/* Host and every x-amz-* header must be signed. Outside S3 a session token may be added after
 * signing: it is bound to the key by itself. */
static enum err check_signed(struct arena *a, const struct sigv4_check *c,
                             struct sigv4_fault *fault)
{
    bool s3 = c->dialect == SIGV4_DIALECT_S3;
    struct str names = c->req->signed_headers;
    if (!list_has(names, STR("host")) && !list_has(names, SIGV4_AUTHORITY)) {
        (void)refuse(c, fault, SIGV4_FAULT_HEADERS_UNSIGNED);
        if (!s3)
            fault->message = STR("'Host' or ':authority' must be a 'SignedHeader' in the AWS "
                                 "Authorization.");
        sigv4_fault_detail(fault, STR("HeadersNotSigned"), STR("host"));
        return ERR_DENIED;
    }
    for (size_t i = 0; i < c->http->n_headers; i++) {
        struct str name = c->http->headers[i].name;
        if (name.len <= 6 || !str_eq_nocase(str_sub(name, 0, 6), STR("x-amz-")) ||
            list_has(names, name) || (!s3 && str_eq_nocase(name, STR("x-amz-security-token"))))
            continue;
        (void)refuse(c, fault, SIGV4_FAULT_HEADERS_UNSIGNED);
        struct str lower = str_lower(a, name);
        if (!s3) {
            struct str text = str_fmt(a,
                                      "'" STR_FMT "' must be a 'SignedHeader' in the AWS "
                                      "Authorization.",
                                      STR_ARG(lower));
            if (str_is_set(text))
                fault->message = text;
        }
        sigv4_fault_detail(fault, STR("HeadersNotSigned"), lower);
        return ERR_DENIED;
    }
    return ERR_OK;
}

/* The last line of the canonical request. */
static enum err payload_line(struct arena *a, const struct sigv4_check *c, struct str *ret,
                             struct sigv4_fault *fault)
{
    const struct sigv4_request *r = c->req;
    if (c->dialect == SIGV4_DIALECT_S3) {
        if (r->payload == SIGV4_PAYLOAD_ABSENT && r->kind != SIGV4_PRESIGNED)
            return refuse(c, fault, SIGV4_FAULT_NO_CONTENT_SHA256);
        *ret = r->payload == SIGV4_PAYLOAD_ABSENT ? STR("UNSIGNED-PAYLOAD") : r->payload_hash;
        return ERR_OK;
    }
    if (c->body.len == 0) {
        *ret = str_n(sigv4_empty_sha256, SIGV4_HEX_LEN);
        return ERR_OK;
    }
    uint8_t hash[SIGV4_HASH_BYTES];
    char *hex = arena_alloc(a, SIGV4_HEX_LEN);
    if (!hex)
        return ERR_NOMEM;
    sigv4_sha256(c->body, hash);
    hex_to(hex, hash, sizeof(hash));
    *ret = str_n(hex, SIGV4_HEX_LEN);
    return ERR_OK;
}

static struct str spaced_hex(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len * 3 + 1);
    if (!p)
        return STR_NONE;
    for (size_t i = 0; i < s.len; i++) {
        hex_to(p + 3 * i, (const uint8_t *)s.p + i, 1);
        p[3 * i + 2] = ' ';
    }
    return str_n(p, s.len ? s.len * 3 - 1 : 0);
}

static enum err refuse_mismatch(struct arena *a, const struct sigv4_check *c, struct str text,
                                struct str canonical, struct sigv4_fault *fault)
{
    (void)refuse(c, fault, SIGV4_FAULT_MISMATCH);
    if (c->dialect != SIGV4_DIALECT_S3) {
        struct str whole = str_fmt(a,
                                   STR_FMT "\n\nThe Canonical String for this request should have "
                                           "been\n'" STR_FMT "'\n\nThe String-to-Sign should have "
                                           "been\n'" STR_FMT "'\n",
                                   STR_ARG(fault->message), STR_ARG(canonical), STR_ARG(text));
        if (str_is_set(whole))
            fault->message = whole;
        return ERR_DENIED;
    }
    sigv4_fault_detail(fault, STR("AWSAccessKeyId"), c->req->access_key);
    sigv4_fault_detail(fault, STR("StringToSign"), text);
    sigv4_fault_detail(fault, STR("SignatureProvided"), c->req->signature);
    sigv4_fault_detail(fault, STR("StringToSignBytes"), spaced_hex(a, text));
    if (str_is_set(canonical)) {
        sigv4_fault_detail(fault, STR("CanonicalRequest"), canonical);
        sigv4_fault_detail(fault, STR("CanonicalRequestBytes"), spaced_hex(a, canonical));
    }
    return ERR_DENIED;
}

static enum err matches_v2(struct arena *a, const struct sigv4_check *c,
                           const struct sigv4_http *http, struct str *ret_text, bool *ret_matches)
{
    struct str right;
    struct str expires = str_fmt(a, "%lld", (long long)c->req->expires_s);
    TRY(sigv2_signature(a, http, expires, &c->v2, c->secret, ret_text, &right));
    *ret_matches = str_eq_consttime(right, c->req->signature);
    return ERR_OK;
}

/* Whether the path is a bucket's alone, in path style. */
static bool is_bucket(const struct sigv4_check *c)
{
    struct str path = c->http->path;
    return c->v2.vhost_bucket.len == 0 && path.len > 1 &&
           str_find(str_sub(path, 1, path.len), '/') == SIZE_MAX;
}

static enum err check_v2(struct arena *a, const struct sigv4_check *c, struct sigv4_fault *fault)
{
    struct str text, slashed;
    struct sigv4_http http = *c->http;
    bool matches;
    enum err e = matches_v2(a, c, &http, &text, &matches);
    if (e == ERR_OK && !matches && is_bucket(c)) { /* clients sign "/bucket/" for "/bucket" */
        http.path = str_fmt(a, STR_FMT "/", STR_ARG(c->http->path));
        if (!str_is_set(http.path))
            return ERR_NOMEM;
        e = matches_v2(a, c, &http, &slashed, &matches);
    }
    if (e == ERR_LIMIT)
        return refuse(c, fault, SIGV4_FAULT_QUERY_INCOMPLETE);
    TRY(e);
    return matches ? ERR_OK : refuse_mismatch(a, c, text, STR_NONE, fault);
}

static bool signature_matches(const struct sigv4_check *c, struct str text)
{
    const struct sigv4_request *r = c->req;
    uint8_t mac[SIGV4_HASH_BYTES];
    char hex[SIGV4_HEX_LEN];
    sigv4_hmac(sigv4_signing_key(r->access_key, c->secret, r->date, r->region, r->service), text,
               mac);
    hex_to(hex, mac, sizeof(mac));
    return str_eq_consttime(str_n(hex, sizeof(hex)), r->signature);
}

static enum err check_v4(struct arena *a, const struct sigv4_check *c, struct sigv4_fault *fault)
{
    const struct sigv4_request *r = c->req;
    bool presigned = r->kind == SIGV4_PRESIGNED;
    TRY(check_signed(a, c, fault));
    struct sigv4_canon canon = {.http = c->http,
                                .signed_headers = r->signed_headers,
                                .s3 = c->dialect == SIGV4_DIALECT_S3,
                                .skip = presigned ? STR("X-Amz-Signature") : STR_NONE};
    TRY(payload_line(a, c, &canon.payload, fault));
    struct str canonical;
    enum err e = sigv4_canonical(a, &canon, &canonical);
    if (e == ERR_LIMIT)
        return refuse(c, fault, SIGV4_FAULT_INCOMPLETE);
    TRY(e);
    struct str text = sigv4_string_to_sign(a, r->timestamp, r->scope, canonical);
    if (!str_is_set(text))
        return ERR_NOMEM;
    if (signature_matches(c, text))
        return ERR_OK;
    if (presigned && str_is_set(r->session_token)) {
        /* Some clients add the token to the query after signing. */
        struct str other;
        canon.skip2 = STR("X-Amz-Security-Token");
        TRY(sigv4_canonical(a, &canon, &other));
        other = sigv4_string_to_sign(a, r->timestamp, r->scope, other);
        if (!str_is_set(other))
            return ERR_NOMEM;
        if (signature_matches(c, other))
            return ERR_OK;
    }
    return refuse_mismatch(a, c, text, canonical, fault);
}

/* What a form signs is its policy, as it was sent. */
static enum err check_form(struct arena *a, const struct sigv4_check *c, struct sigv4_fault *fault)
{
    uint8_t mac[HASH_SHA1_LEN];
    if (c->req->kind == SIGV4_FORM)
        return signature_matches(c, c->body) ? ERR_OK
                                             : refuse_mismatch(a, c, c->body, STR_NONE, fault);
    hmac_sha1(c->secret.p, c->secret.len, c->body.p, c->body.len, mac);
    struct str text = base64_encode(a, mac, sizeof(mac));
    if (!str_is_set(text))
        return ERR_NOMEM;
    return str_eq_consttime(text, c->req->signature)
               ? ERR_OK
               : refuse_mismatch(a, c, c->body, STR_NONE, fault);
}

enum err sigv4_verify(struct arena *a, const struct sigv4_check *c, struct sigv4_fault *ret_fault)
{
    if (c->req->kind == SIGV4_NONE || c->secret.len == 0)
        return refuse(c, ret_fault, SIGV4_FAULT_MISSING);
    TRY(check_scope(a, c, ret_fault));
    bool form = c->req->kind == SIGV4_FORM || c->req->kind == SIGV2_FORM;
    if (!form) /* how long it is good for, the policy says */
        TRY(check_time(a, c, ret_fault));
    TRY(check_token(c, ret_fault));
    if (form)
        TRY(check_form(a, c, ret_fault));
    else if (c->req->kind == SIGV2_PRESIGNED)
        TRY(check_v2(a, c, ret_fault));
    else
        TRY(check_v4(a, c, ret_fault));
    if (c->credential_expires_ms != 0 && c->now_ms >= c->credential_expires_ms)
        return refuse(c, ret_fault, SIGV4_FAULT_TOKEN_EXPIRED);
    return ERR_OK;
}

bool sigv4_payload_matches(const struct sigv4_request *req, const uint8_t sha256[SIGV4_HASH_BYTES])
{
    if (req->payload != SIGV4_PAYLOAD_HEX)
        return true;
    char hex[SIGV4_HEX_LEN];
    hex_to(hex, sha256, SIGV4_HASH_BYTES);
    return str_eq_nocase(str_n(hex, sizeof(hex)), req->payload_hash);
}
