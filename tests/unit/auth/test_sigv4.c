/* Signing and verifying round trips, and every kind of refusal with its code and wording. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/sigv4_int.h"
#include "base/clock.h"
#include "help_auth.h"

#define KEY "AKIAIOSFODNN7EXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define NOW_MS 1440938160000 /* 2015-08-30T12:36:00Z */
#define SCOPE "20150830/us-east-1/sqs/aws4_request"
#define SIG64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define QUERY SIGV4_DIALECT_QUERY
#define JSON SIGV4_DIALECT_JSON
#define S3 SIGV4_DIALECT_S3

enum { VERIFIED = -1 };

static void fail_row(const char *name, enum err e, const struct sigv4_fault *f)
{
    fprintf(stderr, "%s: %s %d \"" STR_FMT "\"\n", name, err_name(e), f->kind, STR_ARG(f->message));
    fail();
}

/* Heads that cannot even be read. */
static const struct {
    const char *name;
    enum sigv4_dialect dialect;
    const char *raw;
    enum sigv4_fault_kind kind;
    const char *message; /* start of it */
} malformed[] = {
    {"no credential", QUERY,
     "GET / H\nHost:h\nAuthorization:AWS4-HMAC-SHA256 SignedHeaders=host, Signature=" SIG64 "\n\n",
     SIGV4_FAULT_INCOMPLETE,
     "Authorization header requires 'Credential' parameter. Authorization header requires "
     "existence "
     "of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256"},
    {"no equals", QUERY,
     "GET / H\nHost:h\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 Credential\n\n",
     SIGV4_FAULT_INCOMPLETE, "'Credential' not a valid key=value pair (missing equal-sign)"},
    {"twice", JSON,
     "GET / H\nHost:h\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 Credential=a, "
     "Credential=b\n\n",
     SIGV4_FAULT_INCOMPLETE, ""},
    {"two headers", QUERY, "GET / H\nHost:h\nAuthorization:AWS4-HMAC-SHA256 a\nauthorization:x\n\n",
     SIGV4_FAULT_INCOMPLETE, "Header 'authorization' must not appear more than once."},
    {"credential parts", QUERY,
     "GET / H\nHost:h\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 "
     "Credential=AKID/x, SignedHeaders=host, Signature=" SIG64 "\n\n",
     SIGV4_FAULT_INCOMPLETE, "Credential must have exactly 5 slash-delimited elements"},
    {"credential parts s3", S3,
     "GET / H\nHost:h\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 "
     "Credential=AKID/x, SignedHeaders=host, Signature=" SIG64 "\n\n",
     SIGV4_FAULT_INCOMPLETE, "The authorization header is malformed; the Credential is mal-formed"},
    {"terminator", QUERY,
     "GET / H\nHost:h\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 "
     "Credential=AKID/20150830/r/s/aws5, SignedHeaders=host, Signature=" SIG64 "\n\n",
     SIGV4_FAULT_INCOMPLETE,
     "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'."},
    {"scope date", QUERY,
     "GET / H\nHost:h\nX-Amz-Date:20150831T123600Z\nAuthorization:AWS4-HMAC-SHA256 "
     "Credential=AKID/" SCOPE ", SignedHeaders=host, Signature=" SIG64 "\n\n",
     SIGV4_FAULT_SCOPE,
     "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
     "'20150830' != '20150831', from '20150831T123600Z'."},
    {"bad date", QUERY,
     "GET / H\nHost:h\nX-Amz-Date:yesterday\nAuthorization:AWS4-HMAC-SHA256 "
     "Credential=AKID/" SCOPE ", SignedHeaders=host, Signature=" SIG64 "\n\n",
     SIGV4_FAULT_INCOMPLETE, "Date must be in ISO-8601 'basic format'. Got 'yesterday'."},
    {"signature form", QUERY,
     "GET / H\nHost:h\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 "
     "Credential=AKID/" SCOPE ", SignedHeaders=host, Signature=abc\n\n",
     SIGV4_FAULT_INCOMPLETE, ""},
    {"signed headers case", QUERY,
     "GET / H\nHost:h\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 "
     "Credential=AKID/" SCOPE ", SignedHeaders=Host, Signature=" SIG64 "\n\n",
     SIGV4_FAULT_INCOMPLETE, "SignedHeaders must be lower case."},
    {"signed headers empty", QUERY,
     "GET / H\nHost:h\nX-Amz-Date:20150830T123600Z\nAuthorization:AWS4-HMAC-SHA256 "
     "Credential=AKID/" SCOPE ", SignedHeaders=host;;x, Signature=" SIG64 "\n\n",
     SIGV4_FAULT_INCOMPLETE, ""},
    {"v2 header", S3, "GET / H\nHost:h\nAuthorization:AWS AKID:abc=\n\n", SIGV4_FAULT_MECHANISM,
     "The authorization mechanism you have provided is not supported. Please use "
     "AWS4-HMAC-SHA256."},
    {"basic", QUERY, "GET / H\nHost:h\nAuthorization:Basic abc\n\n", SIGV4_FAULT_MECHANISM, ""},
    {"both", S3,
     "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256 H\nHost:h\nAuthorization:AWS4-HMAC-SHA256 x=y\n\n",
     SIGV4_FAULT_TWO_MECHANISMS, "Only one auth mechanism allowed"},
    {"presigned parts", S3, "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256 H\nHost:h\n\n",
     SIGV4_FAULT_QUERY_INCOMPLETE, "Query-string authentication version 4 requires"},
    {"presigned algorithm", S3, "GET /?X-Amz-Algorithm=AWS5&X-Amz-Signature=a H\nHost:h\n\n",
     SIGV4_FAULT_QUERY_INCOMPLETE, "X-Amz-Algorithm only supports"},
    {"presigned twice", S3,
     "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=a&X-Amz-Date=b H\nHost:h\n\n",
     SIGV4_FAULT_QUERY_INCOMPLETE, ""},
    {"presigned week", S3,
     "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20150830%2Fr%2Fs3%2F"
     "aws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=604801&X-Amz-SignedHeaders=host&"
     "X-Amz-Signature=" SIG64 " H\nHost:h\n\n",
     SIGV4_FAULT_EXPIRES_RANGE, "X-Amz-Expires must be less than a week"},
    {"presigned negative", S3,
     "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20150830%2Fr%2Fs3%2F"
     "aws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=-1&X-Amz-SignedHeaders=host&"
     "X-Amz-Signature=" SIG64 " H\nHost:h\n\n",
     SIGV4_FAULT_EXPIRES_RANGE, "X-Amz-Expires must be non-negative"},
    {"presigned number", S3,
     "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20150830%2Fr%2Fs3%2F"
     "aws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=soon&X-Amz-SignedHeaders=host&"
     "X-Amz-Signature=" SIG64 " H\nHost:h\n\n",
     SIGV4_FAULT_EXPIRES_RANGE, "X-Amz-Expires should be a number"},
    {"v2 parts", S3, "GET /b/k?AWSAccessKeyId=a&Expires=1 H\nHost:h\n\n", SIGV4_FAULT_MISSING,
     "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"},
    {"v2 expires", S3, "GET /b/k?AWSAccessKeyId=a&Signature=b&Expires=x H\nHost:h\n\n",
     SIGV4_FAULT_MISSING, "Invalid date (should be seconds since epoch): x"},
    {"payload word", S3, "GET / H\nHost:h\nx-amz-content-sha256:NOTHING\n\n",
     SIGV4_FAULT_BAD_CONTENT_SHA256, "x-amz-content-sha256 must be"},
};

static void test_malformed(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
        struct arena a;
        arena_init(&a, 4 << 20);
        struct help_request hr;
        struct sigv4_request req;
        struct sigv4_fault f = {0};
        help_parse_request(&a, str_c(malformed[i].raw), &hr);
        enum err e = sigv4_parse(&a, &hr.http, malformed[i].dialect, &req, &f);
        if (e != ERR_DENIED || f.kind != malformed[i].kind ||
            !str_starts(f.message, str_c(malformed[i].message)) || f.message.len == 0)
            fail_row(malformed[i].name, e, &f);
        arena_release(&a);
    }
}

/* A signed request, changed in one way, verified. */
enum change {
    CHANGE_NONE,
    CHANGE_SECRET,
    CHANGE_BODY,
    CHANGE_METHOD,
    CHANGE_PATH,
    CHANGE_QUERY,
    CHANGE_HEADER,    /* value of a signed header */
    CHANGE_ADD_AMZ,   /* unsigned x-amz-* header */
    CHANGE_ADD_OTHER, /* unsigned other header */
    CHANGE_LATE,
    CHANGE_EARLY,
    CHANGE_EDGE, /* exactly the skew */
    CHANGE_SERVICE,
    CHANGE_TOKEN_GONE, /* the credential demands a token that did not come */
    CHANGE_TOKEN_OTHER,
    CHANGE_TOKEN_EXTRA,
    CHANGE_EXPIRED, /* credential */
};

static const struct {
    const char *name;
    enum sigv4_dialect dialect;
    enum change change;
    const char *token;
    int kind; /* enum sigv4_fault_kind, or VERIFIED */
    const char *message;
} checks[] = {
    {"right", QUERY, CHANGE_NONE, NULL, VERIFIED, NULL},
    {"right json", JSON, CHANGE_NONE, NULL, VERIFIED, NULL},
    {"right s3", S3, CHANGE_NONE, NULL, VERIFIED, NULL},
    {"right with token", QUERY, CHANGE_NONE, "token==", VERIFIED, NULL},
    {"edge of the clock", QUERY, CHANGE_EDGE, NULL, VERIFIED, NULL},
    {"other header added", QUERY, CHANGE_ADD_OTHER, NULL, VERIFIED, NULL},
    {"secret", QUERY, CHANGE_SECRET, NULL, SIGV4_FAULT_MISMATCH,
     "The request signature we calculated does not match the signature you provided. Check your "
     "AWS Secret Access Key and signing method. Consult the service documentation for "
     "details.\n\nThe Canonical String for this request should have been\n'POST\n/"},
    {"secret json", JSON, CHANGE_SECRET, NULL, SIGV4_FAULT_MISMATCH, "The request signature"},
    {"secret s3", S3, CHANGE_SECRET, NULL, SIGV4_FAULT_MISMATCH,
     "The request signature we calculated does not match the signature you provided. Check your "
     "key and signing method."},
    {"body", QUERY, CHANGE_BODY, NULL, SIGV4_FAULT_MISMATCH, "The request signature"},
    {"body s3 comes later", S3, CHANGE_BODY, NULL, VERIFIED, NULL},
    {"method", QUERY, CHANGE_METHOD, NULL, SIGV4_FAULT_MISMATCH, "The request signature"},
    {"path", S3, CHANGE_PATH, NULL, SIGV4_FAULT_MISMATCH, "The request signature"},
    {"query", S3, CHANGE_QUERY, NULL, SIGV4_FAULT_MISMATCH, "The request signature"},
    {"header", QUERY, CHANGE_HEADER, NULL, SIGV4_FAULT_MISMATCH, "The request signature"},
    {"x-amz header added", QUERY, CHANGE_ADD_AMZ, NULL, SIGV4_FAULT_HEADERS_UNSIGNED,
     "'x-amz-extra' must be a 'SignedHeader' in the AWS Authorization."},
    {"x-amz header added s3", S3, CHANGE_ADD_AMZ, NULL, SIGV4_FAULT_HEADERS_UNSIGNED,
     "There were headers present in the request which were not signed"},
    {"late", QUERY, CHANGE_LATE, NULL, SIGV4_FAULT_SKEWED,
     "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - "
     "15 min.)"},
    {"late json", JSON, CHANGE_LATE, NULL, SIGV4_FAULT_SKEWED, "Signature expired: "},
    {"late s3", S3, CHANGE_LATE, NULL, SIGV4_FAULT_SKEWED,
     "The difference between the request time and the current time is too large."},
    {"early", QUERY, CHANGE_EARLY, NULL, SIGV4_FAULT_SKEWED,
     "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z "
     "(20150830T122059Z + 15 min.)"},
    {"early s3", S3, CHANGE_EARLY, NULL, SIGV4_FAULT_SKEWED, "The difference"},
    {"service", QUERY, CHANGE_SERVICE, NULL, SIGV4_FAULT_SCOPE,
     "Credential should be scoped to correct service: 'sns'."},
    {"service s3", S3, CHANGE_SERVICE, NULL, SIGV4_FAULT_SCOPE,
     "The authorization header is malformed; incorrect service \"sqs\". This endpoint belongs to "
     "\"sns\"."},
    {"token gone", QUERY, CHANGE_TOKEN_GONE, NULL, SIGV4_FAULT_TOKEN_INVALID,
     "The security token included in the request is invalid."},
    {"token other", JSON, CHANGE_TOKEN_OTHER, "tok", SIGV4_FAULT_TOKEN_INVALID,
     "The security token included in the request is invalid."},
    {"token extra", S3, CHANGE_TOKEN_EXTRA, "tok", SIGV4_FAULT_TOKEN_INVALID,
     "The provided token is malformed or otherwise invalid."},
    {"token expired", QUERY, CHANGE_EXPIRED, "tok", SIGV4_FAULT_TOKEN_EXPIRED,
     "The security token included in the request is expired"},
    {"token expired s3", S3, CHANGE_EXPIRED, "tok", SIGV4_FAULT_TOKEN_EXPIRED,
     "The provided token has expired."},
};

static void apply(enum change change, struct sigv4_check *c, struct sigv4_http *http,
                  struct sigv4_header *headers)
{
    switch (change) {
    case CHANGE_NONE:
        break;
    case CHANGE_SECRET:
        c->secret = STR("other");
        break;
    case CHANGE_BODY:
        c->body = STR("Action=DeleteQueue");
        break;
    case CHANGE_METHOD:
        http->method = STR("GET");
        break;
    case CHANGE_PATH:
        http->path = STR("/other");
        break;
    case CHANGE_QUERY:
        http->query = STR("a=2");
        break;
    case CHANGE_HEADER:
        headers[0].value = STR("elsewhere");
        break;
    case CHANGE_ADD_AMZ:
        headers[http->n_headers++] = (struct sigv4_header){STR("X-Amz-Extra"), STR("1")};
        break;
    case CHANGE_ADD_OTHER:
        headers[http->n_headers++] = (struct sigv4_header){STR("X-Amzn-Trace-Id"), STR("1")};
        break;
    case CHANGE_LATE:
        c->now_ms += c->skew_ms + 1000;
        break;
    case CHANGE_EARLY:
        c->now_ms -= c->skew_ms + 1000;
        break;
    case CHANGE_EDGE:
        c->now_ms += c->skew_ms;
        break;
    case CHANGE_SERVICE:
        c->service = STR("sns");
        break;
    case CHANGE_TOKEN_GONE:
    case CHANGE_TOKEN_OTHER:
        c->session_token = STR("toc");
        break;
    case CHANGE_TOKEN_EXTRA:
        c->session_token = STR_NONE;
        break;
    case CHANGE_EXPIRED:
        c->credential_expires_ms = c->now_ms;
        break;
    }
}

static enum err sign_and_check(struct arena *a, size_t i, struct sigv4_fault *f)
{
    bool s3 = checks[i].dialect == S3;
    struct sigv4_header headers[16] = {{STR("Host"), STR("sqs.local:4566")},
                                       {STR("Content-Type"), STR("text/plain;  x=y")}};
    struct sigv4_http http = {STR("POST"), s3 ? STR("/b/a%20key+%C3%A9") : STR("/"),
                              STR("z=1&a=%7E"), headers, 2};
    struct sigv4_sign sign = {.access_key = STR(KEY),
                              .secret = STR(SECRET),
                              .session_token = str_c(checks[i].token),
                              .region = STR("us-east-1"),
                              .service = STR("sqs"),
                              .now_ms = NOW_MS,
                              .s3 = s3,
                              .body = STR("Action=ListQueues")};
    struct sigv4_header add[SIGV4_SIGN_HEADERS];
    size_t n;
    TRY(sigv4_sign(a, &http, &sign, add, &n));
    memcpy(headers + http.n_headers, add, n * sizeof(*add));
    http.n_headers += n;
    struct sigv4_request req;
    TRY(sigv4_parse(a, &http, checks[i].dialect, &req, f));
    struct sigv4_check c = {.http = &http,
                            .req = &req,
                            .dialect = checks[i].dialect,
                            .service = STR("sqs"),
                            .secret = sign.secret,
                            .session_token = sign.session_token,
                            .now_ms = NOW_MS,
                            .skew_ms = 15 * 60000,
                            .body = sign.body};
    apply(checks[i].change, &c, &http, headers);
    return sigv4_verify(a, &c, f);
}

static void test_checks(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct arena a;
        arena_init(&a, 4 << 20);
        struct sigv4_fault f = {0};
        enum err e = sign_and_check(&a, i, &f);
        bool right = checks[i].kind != VERIFIED
                         ? e == ERR_DENIED && (int)f.kind == checks[i].kind &&
                               str_starts(f.message, str_c(checks[i].message))
                         : e == ERR_OK;
        if (!right)
            fail_row(checks[i].name, e, &f);
        arena_release(&a);
    }
}

/* Clients of HTTP/2 sign the host by the name that it has there. */
static void test_authority(void **state)
{
    struct arena a;
    arena_init(&a, 4 << 20);
    struct sigv4_header headers[8] = {{STR("host"), STR("h:1")}, {STR(":authority"), STR("h:1")}};
    struct sigv4_http http = {STR("GET"), STR("/"), STR_NONE, headers, 2};
    struct sigv4_sign sign = {.access_key = STR(KEY),
                              .secret = STR(SECRET),
                              .region = STR("us-east-1"),
                              .service = STR("sqs"),
                              .now_ms = NOW_MS};
    struct sigv4_request req;
    struct sigv4_fault f = {0};
    size_t n;
    assert_int_equal(sigv4_sign(&a, &http, &sign, headers + 2, &n), ERR_OK);
    headers[1] = headers[2 + --n]; /* as it arrives: the host alone */
    http.n_headers += n;
    for (; n > 0; n--)
        assert_false(str_starts(headers[1 + n].name, STR(":")));
    assert_int_equal(sigv4_parse(&a, &http, JSON, &req, &f), ERR_OK);
    assert_true(str_starts(req.signed_headers, STR(":authority;host;")));
    struct sigv4_check c = {.http = &http,
                            .req = &req,
                            .dialect = JSON,
                            .service = STR("sqs"),
                            .secret = STR(SECRET),
                            .now_ms = NOW_MS,
                            .skew_ms = 1};
    assert_int_equal(sigv4_verify(&a, &c, &f), ERR_OK);
    headers[0].value = STR("other:1");
    assert_int_equal(sigv4_verify(&a, &c, &f), ERR_DENIED);
    arena_release(&a);
}

static enum err presigned_at(struct arena *a, int64_t now_ms, enum sigv4_dialect dialect,
                             const char *token, struct sigv4_fault *f)
{
    struct sigv4_header headers[] = {{STR("host"), STR("b.s3.local")}};
    struct sigv4_http http = {STR("GET"), STR("/k%2F%20x"), STR("versionId=1"), headers, 1};
    struct sigv4_sign sign = {.access_key = STR(KEY),
                              .secret = STR(SECRET),
                              .session_token = str_c(token),
                              .region = STR("eu-west-1"),
                              .service = STR("s3"),
                              .now_ms = NOW_MS,
                              .s3 = dialect == S3,
                              .expires_s = 60};
    struct sigv4_request req;
    TRY(sigv4_presign(a, &http, &sign, &http.query));
    TRY(sigv4_parse(a, &http, dialect, &req, f));
    assert_int_equal(req.kind, SIGV4_PRESIGNED);
    struct sigv4_check c = {.http = &http,
                            .req = &req,
                            .dialect = dialect,
                            .service = STR("s3"),
                            .secret = STR(SECRET),
                            .session_token = str_c(token),
                            .now_ms = now_ms,
                            .skew_ms = 15 * 60000};
    return sigv4_verify(a, &c, f);
}

static void test_presigned(void **state)
{
    static const struct {
        int64_t after_ms;
        enum sigv4_dialect dialect;
        const char *token;
        int kind;
        const char *message;
    } rows[] = {
        {0, S3, NULL, VERIFIED, NULL},
        {0, QUERY, NULL, VERIFIED, NULL},
        {60000, S3, "tok+/=", VERIFIED, NULL},
        {60001, S3, NULL, SIGV4_FAULT_EXPIRED, "Request has expired"},
        {60001, QUERY, NULL, SIGV4_FAULT_EXPIRED, "Signature expired: 20150830T123700Z is now "},
        {-15 * 60000, S3, NULL, VERIFIED, NULL},
        {-15 * 60000 - 1, S3, NULL, SIGV4_FAULT_NOT_YET, "Request is not yet valid"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        arena_init(&a, 4 << 20);
        struct sigv4_fault f = {0};
        enum err e =
            presigned_at(&a, NOW_MS + rows[i].after_ms, rows[i].dialect, rows[i].token, &f);
        bool right = rows[i].kind != VERIFIED ? e == ERR_DENIED && (int)f.kind == rows[i].kind &&
                                                    str_starts(f.message, str_c(rows[i].message))
                                              : e == ERR_OK;
        if (!right)
            fail_row("presigned", e, &f);
        arena_release(&a);
    }
}

/* S3 Developer Guide, "Signing and Authenticating REST Requests", query string example. */
static void test_v2(void **state)
{
    struct arena a;
    arena_init(&a, 4 << 20);
    struct help_request hr;
    help_parse_request(&a,
                       STR("GET /photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature="
                           "NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620 HTTP/1.1\n"
                           "Host:johnsmith.s3.amazonaws.com\n\n"),
                       &hr);
    struct sigv4_request req;
    struct sigv4_fault f;
    assert_int_equal(sigv4_parse(&a, &hr.http, S3, &req, &f), ERR_OK);
    assert_int_equal(req.kind, SIGV2_PRESIGNED);
    struct sigv4_check c = {.http = &hr.http,
                            .req = &req,
                            .dialect = S3,
                            .secret = STR(SECRET),
                            .now_ms = 1175139620000,
                            .v2 = {.vhost_bucket = STR("johnsmith")}};
    assert_int_equal(sigv4_verify(&a, &c, &f), ERR_OK);
    c.now_ms++;
    assert_int_equal(sigv4_verify(&a, &c, &f), ERR_DENIED);
    assert_int_equal(f.kind, SIGV4_FAULT_EXPIRED);
    c.now_ms--;
    c.v2.vhost_bucket = STR("other");
    assert_int_equal(sigv4_verify(&a, &c, &f), ERR_DENIED);
    assert_int_equal(f.kind, SIGV4_FAULT_MISMATCH);
    /* A week at most, as in version 4. */
    c.now_ms = (1175139620LL - SIGV4_PRESIGN_MAX_S) * 1000;
    c.v2.vhost_bucket = STR("johnsmith");
    assert_int_equal(sigv4_verify(&a, &c, &f), ERR_OK);
    c.now_ms -= 1000;
    assert_int_equal(sigv4_verify(&a, &c, &f), ERR_DENIED);
    assert_int_equal(f.kind, SIGV4_FAULT_EXPIRES_RANGE);
    arena_release(&a);
}

static const struct str v2_names[] = {
    STR_INIT("acl"),
    STR_INIT("partNumber"),
    STR_INIT("uploadId"),
};

/* What is signed of a URL: queries, and what stands in the last line. */
static const struct {
    const char *query, *host, *resource;
} v2_resources[] = {
    {"x=1&uploadId=a%2Bb&partNumber=2&acl", "", "/b/k?acl&partNumber=2&uploadId=a+b"},
    {"", "", "/b/k"},
    {"?acl", "", "/b/k"}, /* "?acl" is another name */
    {"%61cl", "", "/b/k?acl"},
    {"acl=", "", "/b/k?acl="},
    {"acl&acl=2&acl=1", "", "/b/k?acl&acl=2&acl=1"},
    {"uploadId=a+b", "", "/b/k?uploadId=a+b"},
    {"acl", "host", "/host/b/k?acl"},
};

static void test_v2_resource(void **state)
{
    struct arena a;
    arena_init(&a, 4 << 20);
    for (size_t i = 0; i < ARRAY_LEN(v2_resources); i++) {
        struct help_request hr;
        struct str text, signature;
        struct sigv2_resource r = {str_c(v2_resources[i].host), v2_names, ARRAY_LEN(v2_names)};
        help_parse_request(&a, str_fmt(&a, "GET /b/k?%s H\nHost:h\n\n", v2_resources[i].query),
                           &hr);
        assert_int_equal(sigv2_signature(&a, &hr.http, STR("1"), &r, STR("s"), &text, &signature),
                         ERR_OK);
        struct str want = str_fmt(&a, "GET\n\n\n1\n%s", v2_resources[i].resource);
        if (!str_eq(text, want))
            fail_msg("%s: " STR_FMT, v2_resources[i].query, STR_ARG(text));
    }
    arena_release(&a);
}

static void test_v2_text(void **state)
{
    struct arena a;
    struct help_request hr;
    struct sigv4_request req;
    struct sigv4_fault f;
    struct str text, signature;
    const struct sigv2_resource r = {STR_NONE, v2_names, ARRAY_LEN(v2_names)};
    arena_init(&a, 4 << 20);
    help_parse_request(
        &a,
        STR("PUT /b/k?x=1&uploadId=a%2Bb&partNumber=2&acl H\nHost:h\nContent-Type:t\n"
            "X-Amz-Meta-B:2\nx-amz-acl:private\nx-amz-meta-b:3\n\n"),
        &hr);
    assert_int_equal(sigv2_signature(&a, &hr.http, STR("1"), &r, STR("s"), &text, &signature),
                     ERR_OK);
    assert_true(str_eq_c(text, "PUT\n\nt\n1\nx-amz-acl:private\nx-amz-meta-b:2,3\n/b/k?acl&"
                               "partNumber=2&uploadId=a+b"));
    /* What a client signed as a header and put into the URL. */
    help_parse_request(
        &a, STR("GET /b/k?x-amz-security-token=t%2B&x-amz-acl=a H\nHost:h\nX-Amz-Meta-B:2\n\n"),
        &hr);
    assert_int_equal(sigv2_signature(&a, &hr.http, STR("1"), &r, STR("s"), &text, &signature),
                     ERR_OK);
    assert_true(
        str_eq_c(text, "GET\n\n\n1\nx-amz-acl:a\nx-amz-meta-b:2\nx-amz-security-token:t+\n/b/k"));
    /* Outside S3 these parameters mean nothing. */
    assert_int_equal(sigv4_parse(&a, &hr.http, QUERY, &req, &f), ERR_OK);
    assert_int_equal(req.kind, SIGV4_NONE);
    arena_release(&a);
}

static void test_payload(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    static const struct {
        const char *value;
        enum sigv4_payload payload;
    } rows[] = {
        {"UNSIGNED-PAYLOAD", SIGV4_PAYLOAD_UNSIGNED},
        {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", SIGV4_PAYLOAD_STREAM},
        {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", SIGV4_PAYLOAD_STREAM_TRAILER},
        {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", SIGV4_PAYLOAD_UNSIGNED_TRAILER},
        {"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", SIGV4_PAYLOAD_HEX},
    };
    uint8_t hash[SIGV4_HASH_BYTES];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sigv4_header h = {STR("x-amz-content-sha256"), str_c(rows[i].value)};
        struct sigv4_http http = {STR("PUT"), STR("/b/k"), STR_NONE, &h, 1};
        struct sigv4_request req;
        struct sigv4_fault f;
        assert_int_equal(sigv4_parse(&a, &http, S3, &req, &f), ERR_OK);
        assert_int_equal(req.payload, rows[i].payload);
        assert_int_equal(req.decoded_length, -1);
        sigv4_sha256(STR(""), hash);
        assert_true(sigv4_payload_matches(&req, hash));
        sigv4_sha256(STR("x"), hash);
        assert_int_equal(sigv4_payload_matches(&req, hash), req.payload != SIGV4_PAYLOAD_HEX);
    }
    arena_release(&a);
}

/* The cache must give each scope and secret its own key, however often they alternate. */
static void test_key_cache(void **state)
{
    uint8_t first[200][SIGV4_HASH_BYTES], again[SIGV4_HASH_BYTES];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++) {
            char secret[16];
            snprintf(secret, sizeof(secret), "s%d", i);
            sigv4_hmac(
                sigv4_signing_key(STR(KEY), str_c(secret), STR("20150830"), STR("r"), STR("s")),
                STR("text"), round ? again : first[i]);
            if (round)
                assert_memory_equal(first[i], again, sizeof(again));
            for (int k = 0; !round && k < i; k++)
                assert_memory_not_equal(first[i], first[k], sizeof(again));
        }
    }
    char long_region[400];
    memset(long_region, 'r', sizeof(long_region));
    (void)sigv4_signing_key(STR(KEY), STR(SECRET), STR("d"), str_n(long_region, 400), STR("s"));
}

/* Whole verification; the figure is printed, not judged, for machines differ. */
static void test_cost(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    int64_t start = clock_mono_ns();
    enum { ROUNDS = 2000 };
    for (int i = 0; i < ROUNDS; i++) {
        struct sigv4_fault f;
        assert_int_equal(sign_and_check(&a, 0, &f), ERR_OK);
        arena_clear(&a);
    }
    print_message("sign + parse + verify: %lld ns\n",
                  (long long)(clock_mono_ns() - start) / ROUNDS);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malformed),   cmocka_unit_test(test_checks),
        cmocka_unit_test(test_presigned),   cmocka_unit_test(test_v2),
        cmocka_unit_test(test_v2_resource), cmocka_unit_test(test_v2_text),
        cmocka_unit_test(test_payload),     cmocka_unit_test(test_key_cache),
        cmocka_unit_test(test_cost),        cmocka_unit_test(test_authority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
