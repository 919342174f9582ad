/* Signed calls with retries: see aws.h.
 *
 * Layer: runtime/c. Thread: one a client. */
#include "aws.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net.h"

enum {
    NS_PER_MS = 1000 * 1000,
    BACKOFF_FIRST_MS = 50,
    BACKOFF_MAX_MS = 2000,
    TEXT_MAX = 512,
    PORT_HTTP = 80,
    PORT_HTTPS = 443,
    OWN_HEADERS = 1 + SIGV4_SIGN_HEADERS, /* Host and the signature's */
};

struct endpoint {
    char service[32];
    char host[NET_HOST_MAX];
    char authority[NET_HOST_MAX + 8]; /* Host header */
    uint16_t port;
    bool tls;
    struct net_conn conn;
};

/* Services that are not called by the name that they sign with. */
static const struct alias {
    const char *service, *signing, *host;
} aliases[] = {
    {"dynamodb-streams", "dynamodb", "streams.dynamodb"},
};

struct aws {
    struct str access_key, secret, token, region; /* of the environment */
    struct endpoint endpoints[AWS_ENDPOINTS_MAX];
    size_t n_endpoints;
    char error[TEXT_MAX];
};

static struct str from_env(const char *name)
{
    struct str s = str_c(getenv(name));
    return s.len ? s : STR_NONE;
}

static enum err explain(struct aws *aws, enum err err, const char *what, const char *detail)
{
    (void)snprintf(aws->error, sizeof aws->error, "%s%s%s (%s)", what, detail ? " " : "",
                   detail ? detail : "", err_name(err));
    return err;
}

const char *aws_error(const struct aws *aws)
{
    return aws->error;
}

enum err aws_new(struct aws **ret_aws)
{
    struct aws *aws = mem_calloc(1, sizeof *aws);
    if (!aws)
        return ERR_NOMEM;
    aws->access_key = from_env("AWS_ACCESS_KEY_ID");
    aws->secret = from_env("AWS_SECRET_ACCESS_KEY");
    aws->token = from_env("AWS_SESSION_TOKEN");
    aws->region = from_env("AWS_REGION");
    if (!str_is_set(aws->region))
        aws->region = from_env("AWS_DEFAULT_REGION");
    if (!str_is_set(aws->access_key) || !str_is_set(aws->secret) || !str_is_set(aws->region)) {
        mem_free(aws);
        return ERR_INVALID;
    }
    *ret_aws = aws;
    return ERR_OK;
}

void aws_free(struct aws *aws)
{
    if (!aws)
        return;
    for (size_t i = 0; i < aws->n_endpoints; i++)
        net_close(&aws->endpoints[i].conn);
    mem_free(aws);
}

/* --- endpoints -------------------------------------------------------------------------------- */

/* "http://host:port[/]" into `e`. */
static enum err parse_endpoint(struct str url, struct endpoint *e)
{
    uint64_t port;
    if (str_starts(url, STR("http://"))) {
        url = str_sub(url, 7, SIZE_MAX);
        port = PORT_HTTP;
    } else if (str_starts(url, STR("https://"))) {
        url = str_sub(url, 8, SIZE_MAX);
        e->tls = true;
        port = PORT_HTTPS;
    } else {
        return ERR_INVALID;
    }
    struct str rest = url;
    struct str authority = str_cut(&rest, '/');
    if (rest.len || authority.len == 0 || authority.len >= NET_HOST_MAX)
        return ERR_INVALID;
    (void)snprintf(e->authority, sizeof e->authority, STR_FMT, STR_ARG(authority));
    struct str host = str_cut(&authority, ':');
    if (str_is_set(authority))
        TRY(str_to_u64(authority, &port));
    if (port == 0 || port > UINT16_MAX)
        return ERR_INVALID;
    (void)snprintf(e->host, sizeof e->host, STR_FMT, STR_ARG(host));
    e->port = (uint16_t)port;
    return ERR_OK;
}

static const struct alias *alias_of(const char *service)
{
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (strcmp(aliases[i].service, service) == 0)
            return &aliases[i];
    return NULL;
}

static enum err find_endpoint(struct aws *aws, const char *service, struct endpoint **ret_endpoint)
{
    char name[64] = "AWS_ENDPOINT_URL_", url[NET_HOST_MAX];
    for (size_t i = 0; i < aws->n_endpoints; i++)
        if (strcmp(aws->endpoints[i].service, service) == 0) {
            *ret_endpoint = &aws->endpoints[i];
            return ERR_OK;
        }
    if (aws->n_endpoints == AWS_ENDPOINTS_MAX ||
        strlen(service) >= sizeof aws->endpoints[0].service)
        return explain(aws, ERR_LIMIT, "too many services", service);
    struct endpoint *e = &aws->endpoints[aws->n_endpoints];
    *e = (struct endpoint){0};
    net_init(&e->conn);
    size_t n = strlen(name);
    for (const char *p = service; *p && n < sizeof name - 1; p++)
        name[n++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    name[n] = 0;
    struct str given = from_env(name);
    if (!str_is_set(given))
        given = from_env("AWS_ENDPOINT_URL");
    if (!str_is_set(given)) {
        const struct alias *alias = alias_of(service);
        (void)snprintf(url, sizeof url, "https://%s." STR_FMT ".amazonaws.com",
                       alias ? alias->host : service, STR_ARG(aws->region));
        given = str_c(url);
    }
    enum err err = parse_endpoint(given, e);
    if (err != ERR_OK)
        return explain(aws, err, "bad endpoint of service", service);
    (void)snprintf(e->service, sizeof e->service, "%s", service);
    aws->n_endpoints++;
    *ret_endpoint = e;
    return ERR_OK;
}

/* --- one attempt ------------------------------------------------------------------------------ */

/* The head of the request, signed now, if it is to be. */
static enum err make_head(struct aws *aws, const struct endpoint *e, const struct aws_request *req,
                          struct arena *arena, struct buf *head)
{
    struct sigv4_header headers[AWS_HEADERS_MAX + OWN_HEADERS];
    size_t n = 0, added = 0;
    const struct alias *alias = alias_of(req->service);
    if (req->n_headers > AWS_HEADERS_MAX)
        return ERR_LIMIT;
    headers[n++] = (struct sigv4_header){STR("host"), str_c(e->authority)};
    for (size_t i = 0; i < req->n_headers; i++)
        headers[n++] = (struct sigv4_header){req->headers[i].name, req->headers[i].value};
    struct sigv4_http http = {
        .method = str_c(req->method),
        .path = req->path.len ? req->path : STR("/"),
        .query = req->query,
        .headers = headers,
        .n_headers = n,
    };
    struct sigv4_sign sign = {
        .access_key = aws->access_key,
        .secret = aws->secret,
        .session_token = aws->token,
        .region = aws->region,
        .service = str_c(alias ? alias->signing : req->service),
        .now_ms = clock_now_ms(),
        .s3 = strcmp(req->service, "s3") == 0,
        .body = str_is_set(req->body) ? req->body : STR(""),
    };
    if (!req->is_unsigned)
        TRY(sigv4_sign(arena, &http, &sign, headers + n, &added));
    n += added;
    buf_add_fmt(head, "%s " STR_FMT "%s" STR_FMT " HTTP/1.1\r\n", req->method, STR_ARG(http.path),
                req->query.len ? "?" : "", STR_ARG(req->query));
    for (size_t i = 0; i < n; i++)
        buf_add_fmt(head, STR_FMT ": " STR_FMT "\r\n", STR_ARG(headers[i].name),
                    STR_ARG(headers[i].value));
    /* Of the invocation that the call is made in: by it, loops of functions are found. */
    const char *trace = getenv("_X_AMZN_TRACE_ID");
    if (trace && !strpbrk(trace, "\r\n"))
        buf_add_fmt(head, "x-amzn-trace-id: %s\r\n", trace);
    buf_add_fmt(head, "content-length: %zu\r\nuser-agent: weir-runtime-c\r\n\r\n", req->body.len);
    return buf_err(head);
}

static enum err attempt(struct aws *aws, struct endpoint *e, const struct aws_request *req,
                        struct arena *arena, struct aws_reply *reply, struct buf *body,
                        int64_t deadline_ns)
{
    struct net_reply r = {0};
    struct buf head;
    enum err err;
    buf_init_arena(&head, arena, AWS_HEAD_MAX);
    TRY(make_head(aws, e, req, arena, &head));
    const struct str pieces[] = {buf_str(&head), req->body};
    /* A kept connection may have been closed by the peer meanwhile: one fresh one, at once. */
    for (int fresh = e->conn.fd < 0; fresh < 2; fresh++) {
        if (e->conn.fd < 0) {
            err = net_connect(&e->conn, e->host, e->port, e->tls, deadline_ns);
            if (err != ERR_OK)
                return explain(aws, err, "no connection to", e->authority);
        }
        err = net_send(&e->conn, pieces, req->body.len ? 2 : 1, deadline_ns);
        if (err == ERR_OK)
            err =
                net_reply(&e->conn, strcmp(req->method, "HEAD") == 0, arena, &r, body, deadline_ns);
        if (err != ERR_OK || !r.keep)
            net_close(&e->conn);
        if (err != ERR_CLOSED)
            break;
    }
    if (err != ERR_OK)
        return explain(aws, err, "no reply from", e->authority);
    *reply = (struct aws_reply){.status = r.status, .n_headers = r.n_headers};
    reply->headers = ARENA_ARRAY(arena, struct aws_header, r.n_headers);
    if (!reply->headers)
        return ERR_NOMEM;
    for (size_t i = 0; i < r.n_headers; i++)
        reply->headers[i] = (struct aws_header){r.headers[i].name, r.headers[i].value};
    return ERR_OK;
}

struct str aws_reply_header(const struct aws_reply *reply, struct str name)
{
    for (size_t i = 0; i < reply->n_headers; i++)
        if (str_eq_nocase(reply->headers[i].name, name))
            return reply->headers[i].value;
    return STR_NONE;
}

/* --- errors and retries ----------------------------------------------------------------------- */

/* Text of <tag>..</tag>, for S3's small error documents. */
static struct str xml_text(struct arena *arena, struct str body, const char *tag)
{
    char open[40];
    int n = snprintf(open, sizeof open, "<%s>", tag);
    size_t at = str_find_str(body, str_n(open, (size_t)n));
    if (at == SIZE_MAX)
        return STR_NONE;
    struct str rest = str_sub(body, at + (size_t)n, SIZE_MAX);
    return str_dup(arena, str_cut(&rest, '<'));
}

static void read_error(struct arena *arena, struct aws_reply *reply, struct str body)
{
    struct json *doc = NULL;
    struct str code = aws_reply_header(reply, STR("x-amzn-errortype"));
    if (body.len && body.p[0] == '<') {
        reply->error_code = xml_text(arena, body, "Code");
        reply->error_message = xml_text(arena, body, "Message");
    } else if (json_parse(arena, body, &doc, NULL) == ERR_OK) {
        if (!code.len)
            code = json_get_str(doc, STR("__type"));
        struct str message = json_get_str(doc, STR("message"));
        if (!str_is_set(message))
            message = json_get_str(doc, STR("Message"));
        reply->error_message = str_dup(arena, message);
    }
    if (code.len) {
        /* "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "Code:http://..." */
        size_t hash = str_rfind(code, '#');
        if (hash != SIZE_MAX)
            code = str_sub(code, hash + 1, SIZE_MAX);
        reply->error_code = str_dup(arena, str_cut(&code, ':'));
    }
    if (!str_is_set(reply->error_code))
        reply->error_code = str_fmt(arena, "Http%d", reply->status);
    if (!str_is_set(reply->error_message))
        reply->error_message = STR("");
}

static bool is_temporary(const struct aws_reply *reply)
{
    static const char *const codes[] = {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestThrottled",
        "RequestThrottledException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "RequestTimeout",
        "TransactionInProgressException",
        "PriorRequestNotComplete",
        "BandwidthLimitExceeded",
    };
    if (reply->status >= 500 || reply->status == 429)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (str_eq_c(reply->error_code, codes[i]))
            return true;
    return false;
}

/* Waits a random time up to a bound that doubles; false when the deadline comes before. */
static bool back_off(int tries, int64_t deadline_ns)
{
    int64_t bound = min_i64(BACKOFF_MAX_MS, (int64_t)BACKOFF_FIRST_MS << tries);
    int64_t ms = 1 + (int64_t)rng_below((uint64_t)bound);
    if (clock_mono_ns() + ms * NS_PER_MS >= deadline_ns)
        return false;
    (void)poll(NULL, 0, (int)ms);
    return true;
}

enum err aws_call(struct aws *aws, const struct aws_request *req, struct arena *arena,
                  struct aws_reply *ret_reply, struct buf *body)
{
    struct endpoint *e = NULL;
    struct aws_reply reply = {0};
    int64_t timeout = req->timeout_ms ? req->timeout_ms : AWS_TIMEOUT_MS;
    int64_t deadline_ns = clock_mono_ns() + timeout * NS_PER_MS;
    enum err err = ERR_CLOSED;
    TRY(find_endpoint(aws, req->service, &e));
    for (int tries = 0; tries < AWS_ATTEMPTS_MAX; tries++) {
        if (tries && !back_off(tries, deadline_ns))
            break;
        err = attempt(aws, e, req, arena, &reply, body, deadline_ns);
        if (err == ERR_OK && reply.status >= 300)
            read_error(arena, &reply, buf_str(body));
        if (err != ERR_OK ? err != ERR_CLOSED : !is_temporary(&reply))
            break;
    }
    if (err == ERR_OK)
        *ret_reply = reply;
    return err;
}
