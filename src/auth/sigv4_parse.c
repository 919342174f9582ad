/* What a request's head says about its authentication.
 *
 * Layer: auth. Thread: pure. */
#include "auth/sigv4_int.h"
#include "base/clock.h"

static const struct str algorithm_v4 = STR_INIT("AWS4-HMAC-SHA256");

struct parse {
    struct arena *a;
    const struct sigv4_http *http;
    enum sigv4_dialect dialect;
    struct sigv4_request *req;
    struct sigv4_fault *fault;
};

static enum err refuse(struct parse *p, enum sigv4_fault_kind kind, struct str message)
{
    sigv4_fault_set(p->fault, kind, p->dialect);
    if (str_is_set(message))
        p->fault->message = message;
    return ERR_DENIED;
}

/* A header that matters must not be said twice (S2). */
static enum err single_header(struct parse *p, struct str name, struct str *ret_value)
{
    size_t n;
    struct str v = sigv4_find_header(p->http, name, &n);
    if (n > 1)
        return refuse(
            p, SIGV4_FAULT_INCOMPLETE,
            str_fmt(p->a, "Header '" STR_FMT "' must not appear more than once.", STR_ARG(name)));
    *ret_value = v;
    return ERR_OK;
}

static bool is_hex_lower(struct str s, size_t len)
{
    if (s.len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

/* "AKID/20150830/us-east-1/service/aws4_request": cut from the right, since nothing forbids a
 * slash in a key id. */
static enum err parse_credential(struct parse *p, struct str credential, enum sigv4_fault_kind kind)
{
    struct sigv4_request *r = p->req;
    struct str part[4], rest = credential;
    for (size_t i = 4; i-- > 0;) {
        size_t at = rest.len ? str_rfind(rest, '/') : SIZE_MAX;
        if (at == SIZE_MAX)
            return refuse(p, kind,
                          p->dialect == SIGV4_DIALECT_S3
                              ? STR("The authorization header is malformed; the Credential is "
                                    "mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/"
                                    "aws4_request\".")
                              : str_fmt(p->a,
                                        "Credential must have exactly 5 slash-delimited elements, "
                                        "e.g. keyid/date/region/service/term, got '" STR_FMT "'",
                                        STR_ARG(credential)));
        part[i] = str_sub(rest, at + 1, rest.len);
        rest = str_sub(rest, 0, at);
    }
    if (!str_eq_c(part[3], "aws4_request"))
        return refuse(p, kind,
                      str_fmt(p->a,
                              "Credential should be scoped with a valid terminator: "
                              "'aws4_request', not '" STR_FMT "'.",
                              STR_ARG(part[3])));
    if (rest.len == 0 || part[0].len != 8 || part[1].len == 0 || part[2].len == 0)
        return refuse(p, kind, STR_NONE);
    r->access_key = rest;
    r->date = part[0];
    r->region = part[1];
    r->service = part[2];
    r->scope = str_n(part[0].p, (size_t)(credential.p + credential.len - part[0].p));
    return ERR_OK;
}

static enum err check_signed_headers(struct parse *p, struct str names, enum sigv4_fault_kind kind)
{
    size_t n = 0;
    for (struct str rest = names; str_is_set(rest); n++) {
        struct str name = str_cut(&rest, ';');
        if (name.len == 0 || n == SIGV4_SIGNED_HEADERS_MAX)
            return refuse(p, kind, STR_NONE);
        for (size_t i = 0; i < name.len; i++)
            if (name.p[i] >= 'A' && name.p[i] <= 'Z')
                return refuse(p, kind, STR("SignedHeaders must be lower case."));
    }
    p->req->signed_headers = names;
    return ERR_OK;
}

/* x-amz-date, or Date in either of its forms. */
static enum err parse_date(struct parse *p, struct str *ret_missing)
{
    struct sigv4_request *r = p->req;
    struct str date;
    TRY(single_header(p, STR("x-amz-date"), &date));
    if (str_is_set(date)) {
        date = str_trim(date);
        if (clock_parse_basic(date, &r->timestamp_ms) != ERR_OK)
            return refuse(p, SIGV4_FAULT_INCOMPLETE,
                          str_fmt(p->a,
                                  "Date must be in ISO-8601 'basic format'. Got '" STR_FMT
                                  "'. See http://en.wikipedia.org/wiki/ISO_8601",
                                  STR_ARG(date)));
        r->timestamp = date;
        return ERR_OK;
    }
    TRY(single_header(p, STR("date"), &date));
    if (!str_is_set(date)) {
        *ret_missing = STR("Authorization header requires existence of either a 'X-Amz-Date' or a "
                           "'Date' header. ");
        return ERR_OK;
    }
    date = str_trim(date);
    if (clock_parse_basic(date, &r->timestamp_ms) != ERR_OK &&
        clock_parse_http(date, &r->timestamp_ms) != ERR_OK)
        return refuse(p, SIGV4_FAULT_INCOMPLETE, STR("The Date header is not a valid date."));
    char text[CLOCK_TEXT_MAX];
    r->timestamp = str_dup(p->a, clock_basic(text, r->timestamp_ms));
    return str_is_set(r->timestamp) ? ERR_OK : ERR_NOMEM;
}

static enum err check_scope_date(struct parse *p, enum sigv4_fault_kind kind)
{
    struct sigv4_request *r = p->req;
    if (str_eq(r->date, str_sub(r->timestamp, 0, 8)))
        return ERR_OK;
    if (p->dialect == SIGV4_DIALECT_S3)
        return refuse(p, kind,
                      str_fmt(p->a,
                              "The authorization header is malformed; Invalid credential date "
                              "\"" STR_FMT "\". This date is not the same as X-Amz-Date: \"%.8s\".",
                              STR_ARG(r->date), r->timestamp.p));
    return refuse(p, SIGV4_FAULT_SCOPE,
                  str_fmt(p->a,
                          "Date in Credential scope does not match YYYYMMDD from ISO-8601 version "
                          "of date from HTTP: '" STR_FMT "' != '%.8s', from '" STR_FMT "'.",
                          STR_ARG(r->date), r->timestamp.p, STR_ARG(r->timestamp)));
}

/* "Credential=..., SignedHeaders=..., Signature=..." in any order. */
static enum err parse_authorization(struct parse *p, struct str value)
{
    struct str credential = STR_NONE, names = STR_NONE, signature = STR_NONE, no_date = STR("");
    struct str rest = str_sub(value, algorithm_v4.len, value.len);
    while (str_is_set(rest)) {
        struct str item = str_trim(str_cut(&rest, ','));
        if (item.len == 0)
            continue;
        struct str v = item, name = str_cut(&v, '=');
        if (!str_is_set(v))
            return refuse(p, SIGV4_FAULT_INCOMPLETE,
                          str_fmt(p->a,
                                  "'" STR_FMT "' not a valid key=value pair (missing equal-sign) "
                                  "in Authorization header: '" STR_FMT "'.",
                                  STR_ARG(item), STR_ARG(value)));
        struct str *slot = str_eq_c(name, "Credential")      ? &credential
                           : str_eq_c(name, "SignedHeaders") ? &names
                           : str_eq_c(name, "Signature")     ? &signature
                                                             : NULL;
        if (!slot || str_is_set(*slot))
            return refuse(p, SIGV4_FAULT_INCOMPLETE, STR_NONE);
        *slot = v;
    }
    p->req->kind = SIGV4_HEADER;
    TRY(parse_date(p, &no_date));
    if (!str_is_set(credential) || !str_is_set(signature) || !str_is_set(names) ||
        no_date.len > 0) {
        struct str why = str_fmt(
            p->a, "%s%s%s" STR_FMT "Authorization=" STR_FMT,
            str_is_set(credential) ? "" : "Authorization header requires 'Credential' parameter. ",
            str_is_set(signature) ? "" : "Authorization header requires 'Signature' parameter. ",
            str_is_set(names) ? "" : "Authorization header requires 'SignedHeaders' parameter. ",
            STR_ARG(no_date), STR_ARG(str_sub(value, 0, algorithm_v4.len)));
        return refuse(p, SIGV4_FAULT_INCOMPLETE, why);
    }
    TRY(parse_credential(p, credential, SIGV4_FAULT_INCOMPLETE));
    TRY(check_signed_headers(p, names, SIGV4_FAULT_INCOMPLETE));
    if (!is_hex_lower(signature, SIGV4_HEX_LEN))
        return refuse(p, SIGV4_FAULT_INCOMPLETE, STR_NONE);
    p->req->signature = signature;
    TRY(check_scope_date(p, SIGV4_FAULT_INCOMPLETE));
    return single_header(p, STR("x-amz-security-token"), &p->req->session_token);
}

/* --- query ------------------------------------------------------------------------------------ */

struct query_auth {
    struct str algorithm, credential, date, expires, signed_headers, signature, token, sha256;
    struct str v2_key, v2_signature, v2_expires, v2_token;
};

static const struct {
    struct str name;
    size_t offset;
} query_params[] = {
    {STR_INIT("X-Amz-Algorithm"), offsetof(struct query_auth, algorithm)},
    {STR_INIT("X-Amz-Credential"), offsetof(struct query_auth, credential)},
    {STR_INIT("X-Amz-Date"), offsetof(struct query_auth, date)},
    {STR_INIT("X-Amz-Expires"), offsetof(struct query_auth, expires)},
    {STR_INIT("X-Amz-SignedHeaders"), offsetof(struct query_auth, signed_headers)},
    {STR_INIT("X-Amz-Signature"), offsetof(struct query_auth, signature)},
    {STR_INIT("X-Amz-Security-Token"), offsetof(struct query_auth, token)},
    {STR_INIT("X-Amz-Content-Sha256"), offsetof(struct query_auth, sha256)},
    {STR_INIT("AWSAccessKeyId"), offsetof(struct query_auth, v2_key)},
    {STR_INIT("Signature"), offsetof(struct query_auth, v2_signature)},
    {STR_INIT("Expires"), offsetof(struct query_auth, v2_expires)},
    {STR_INIT("x-amz-security-token"), offsetof(struct query_auth, v2_token)},
};

static enum err read_query(struct parse *p, struct query_auth *q)
{
    struct str rest = p->http->query;
    while (str_is_set(rest)) {
        struct str v = str_cut(&rest, '&');
        struct str name = str_cut(&v, '=');
        for (size_t i = 0; i < ARRAY_LEN(query_params); i++) {
            if (!str_eq(name, query_params[i].name))
                continue;
            struct str *slot = (struct str *)((char *)q + query_params[i].offset);
            if (str_is_set(*slot))
                return refuse(p, SIGV4_FAULT_QUERY_INCOMPLETE, STR_NONE);
            *slot = sigv4_decode(p->a, str_is_set(v) ? v : STR(""), true);
            if (!str_is_set(*slot))
                return ERR_NOMEM;
        }
    }
    return ERR_OK;
}

static enum err parse_expires(struct parse *p, struct str text)
{
    int64_t s;
    if (str_to_i64(text, &s) != ERR_OK)
        return refuse(p, SIGV4_FAULT_EXPIRES_RANGE, STR("X-Amz-Expires should be a number"));
    if (s < 0)
        return refuse(p, SIGV4_FAULT_EXPIRES_RANGE, STR("X-Amz-Expires must be non-negative"));
    if (s > SIGV4_PRESIGN_MAX_S)
        return refuse(p, SIGV4_FAULT_EXPIRES_RANGE,
                      STR("X-Amz-Expires must be less than a week (in seconds); that is, the given "
                          "X-Amz-Expires must be less than 604800 seconds"));
    p->req->expires_s = s;
    return ERR_OK;
}

static enum err parse_presigned(struct parse *p, const struct query_auth *q)
{
    struct sigv4_request *r = p->req;
    if (!str_eq(q->algorithm, algorithm_v4))
        return refuse(p, SIGV4_FAULT_QUERY_INCOMPLETE,
                      p->dialect == SIGV4_DIALECT_S3
                          ? STR("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"")
                          : STR_NONE);
    if (!str_is_set(q->credential) || !str_is_set(q->date) || !str_is_set(q->signed_headers) ||
        !str_is_set(q->signature) || !str_is_set(q->expires)) {
        if (p->dialect == SIGV4_DIALECT_S3)
            return refuse(p, SIGV4_FAULT_QUERY_INCOMPLETE, STR_NONE);
        return refuse(
            p, SIGV4_FAULT_QUERY_INCOMPLETE,
            str_fmt(p->a, "%s%s%s%s%sRe-examine the query-string parameters.",
                    str_is_set(q->credential)
                        ? ""
                        : "AWS query-string parameters must include 'X-Amz-Credential'. ",
                    str_is_set(q->signature)
                        ? ""
                        : "AWS query-string parameters must include 'X-Amz-Signature'. ",
                    str_is_set(q->signed_headers)
                        ? ""
                        : "AWS query-string parameters must include 'X-Amz-SignedHeaders'. ",
                    str_is_set(q->date) ? ""
                                        : "AWS query-string parameters must include 'X-Amz-Date'. ",
                    str_is_set(q->expires)
                        ? ""
                        : "AWS query-string parameters must include 'X-Amz-Expires'. "));
    }
    r->kind = SIGV4_PRESIGNED;
    if (clock_parse_basic(q->date, &r->timestamp_ms) != ERR_OK)
        return refuse(
            p, SIGV4_FAULT_QUERY_INCOMPLETE,
            STR("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""));
    r->timestamp = q->date;
    TRY(parse_expires(p, q->expires));
    TRY(parse_credential(p, q->credential, SIGV4_FAULT_QUERY_INCOMPLETE));
    TRY(check_signed_headers(p, q->signed_headers, SIGV4_FAULT_QUERY_INCOMPLETE));
    if (!is_hex_lower(q->signature, SIGV4_HEX_LEN))
        return refuse(p, SIGV4_FAULT_QUERY_INCOMPLETE, STR_NONE);
    r->signature = q->signature;
    r->session_token = q->token;
    return check_scope_date(p, SIGV4_FAULT_QUERY_INCOMPLETE);
}

static enum err parse_v2(struct parse *p, const struct query_auth *q)
{
    struct sigv4_request *r = p->req;
    if (!str_is_set(q->v2_key) || !str_is_set(q->v2_signature) || !str_is_set(q->v2_expires))
        return refuse(p, SIGV4_FAULT_MISSING,
                      STR("Query-string authentication requires the Signature, Expires and "
                          "AWSAccessKeyId parameters"));
    if (str_to_i64(q->v2_expires, &r->expires_s) != ERR_OK || r->expires_s < 0)
        return refuse(p, SIGV4_FAULT_MISSING,
                      str_fmt(p->a, "Invalid date (should be seconds since epoch): " STR_FMT,
                              STR_ARG(q->v2_expires)));
    r->kind = SIGV2_PRESIGNED;
    r->access_key = q->v2_key;
    r->signature = q->v2_signature;
    r->session_token = q->v2_token;
    r->service = STR("s3");
    return ERR_OK;
}

/* --- payload ---------------------------------------------------------------------------------- */

static const struct {
    struct str word;
    enum sigv4_payload payload;
} payload_words[] = {
    {STR_INIT("UNSIGNED-PAYLOAD"), SIGV4_PAYLOAD_UNSIGNED},
    {STR_INIT("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), SIGV4_PAYLOAD_STREAM},
    {STR_INIT("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"), SIGV4_PAYLOAD_STREAM_TRAILER},
    {STR_INIT("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), SIGV4_PAYLOAD_UNSIGNED_TRAILER},
};

static enum err parse_payload(struct parse *p, struct str in_query)
{
    struct sigv4_request *r = p->req;
    struct str hash, length;
    TRY(single_header(p, STR("x-amz-content-sha256"), &hash));
    TRY(single_header(p, STR("x-amz-decoded-content-length"), &length));
    if (!str_is_set(hash))
        hash = in_query;
    uint64_t v;
    if (str_is_set(length) && str_to_u64(length, &v) == ERR_OK && v <= INT64_MAX)
        r->decoded_length = (int64_t)v; /* anything else is none, of which a stream is told */
    if (!str_is_set(hash))
        return ERR_OK;
    r->payload_hash = hash;
    for (size_t i = 0; i < ARRAY_LEN(payload_words); i++) {
        if (str_eq(hash, payload_words[i].word)) {
            r->payload = payload_words[i].payload;
            return ERR_OK;
        }
    }
    /* Upper-case digits are accepted, as the comparison is of values. */
    struct str folded = str_lower(p->a, hash);
    if (is_hex_lower(folded, SIGV4_HEX_LEN)) {
        r->payload = SIGV4_PAYLOAD_HEX;
        return ERR_OK;
    }
    return refuse(p, SIGV4_FAULT_BAD_CONTENT_SHA256, STR_NONE);
}

enum err sigv4_parse(struct arena *a, const struct sigv4_http *http, enum sigv4_dialect dialect,
                     struct sigv4_request *ret_req, struct sigv4_fault *ret_fault)
{
    struct sigv4_request req = {.decoded_length = -1};
    struct parse p = {a, http, dialect, &req, ret_fault};
    struct query_auth q = {0};
    struct str authorization;
    TRY(single_header(&p, STR("authorization"), &authorization));
    if (http->query.len > 0)
        TRY(read_query(&p, &q));
    bool v4_query = str_is_set(q.algorithm) || str_is_set(q.credential) || str_is_set(q.signature);
    bool v2_query =
        dialect == SIGV4_DIALECT_S3 && (str_is_set(q.v2_key) || str_is_set(q.v2_signature));
    if (str_is_set(authorization) + v4_query + v2_query > 1)
        return refuse(&p, SIGV4_FAULT_TWO_MECHANISMS, STR_NONE);
    if (str_is_set(authorization)) {
        authorization = str_trim(authorization);
        if (!str_starts(authorization, STR("AWS4-HMAC-SHA256 ")))
            return refuse(&p, SIGV4_FAULT_MECHANISM, STR_NONE);
        TRY(parse_authorization(&p, authorization));
    } else if (v4_query) {
        TRY(parse_presigned(&p, &q));
    } else if (v2_query) {
        TRY(parse_v2(&p, &q));
    }
    TRY(parse_payload(&p, q.sha256));
    *ret_req = req;
    return ERR_OK;
}
