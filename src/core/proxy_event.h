/* HTTP requests as events of functions, and functions' answers as HTTP replies: what function URLs and
 * the proxy integrations of API Gateway have in common. Payload formats 2.0 (proxy_event.c) and 1.0, that
 * of REST APIs (proxy_event_rest.c).
 *
 * Source: Lambda Developer Guide, "Invoking Lambda function URLs"; API Gateway Developer Guide, "Create
 * AWS Lambda proxy integrations for HTTP APIs in API Gateway".
 * "Set up Lambda proxy integrations in API Gateway".
 * Layer: core. Lifetime: what is made lives in the arena, and may borrow from what it was made of.
 * Thread: pure. */
#ifndef WEIR_CORE_PROXY_EVENT_H
#define WEIR_CORE_PROXY_EVENT_H

#include "http/http.h"
#include "wire/wire.h"

enum {
    PROXY_HEADERS_MAX = 256, /* of a function's answer, cookies included */
    PROXY_STATUS_MIN = 200,  /* interim statuses are no replies */
    PROXY_STATUS_MAX = 599,
    PROXY_MALFORMED_STATUS = 502, /* what an answer that is none becomes */
};

/* Whether it may be the status of a reply. */
static inline bool proxy_status_ok(int64_t status)
{
    return status >= PROXY_STATUS_MIN && status <= PROXY_STATUS_MAX;
}

/* What the front knows of a request beside its bytes. Texts may be absent where the words say so. */
struct proxy_request {
    const struct wire_request *http; /* with the whole body */
    struct str account;              /* of the caller; "anonymous" */
    struct str api_id;
    struct str domain_name, domain_prefix;
    struct str route_key, stage; /* "$default" */
    struct str request_id;
    struct str source_ip;
    struct str trace;      /* X-Amzn-Trace-Id for the client's; absent: the client's, if any */
    struct str authorizer; /* requestContext.authorizer as a JSON object; absent: none */
    uint16_t port;         /* that the client asked; of X-Forwarded-Port */
    bool hide_signature;   /* the front has checked it: Authorization and token are not passed on */
    int64_t wall_ms;
};

/* The port that the Host names, or that of the scheme. */
uint16_t proxy_port(const struct wire_request *req);

/* The event as JSON text. ERR_INVALID: the query string is malformed; ERR_LIMIT; ERR_NOMEM. */
enum err proxy_event_make(struct arena *a, const struct proxy_request *req,
                          struct str *ret_json) WARN_UNUSED;

struct proxy_reply {
    int status;
    struct http_header *headers; /* but for Content-Type; of cookies a Set-Cookie each */
    size_t n_headers;
    struct str
        content_type; /* of a whole answer "application/json" when it says none; else absent */
    struct str body;
};

/* A function's whole answer: an object with a statusCode says its reply member by member, any other JSON
 * is the body of a 200. ERR_INVALID: it is malformed; ERR_NOMEM. */
enum err proxy_reply_read(struct arena *a, struct str answer,
                          struct proxy_reply *ret_reply) WARN_UNUSED;
/* The metadata in front of a streamed answer, {"statusCode":..,"headers":..,"cookies":..}: all but the
 * body; without a statusCode it is 200. Errors as above. */
enum err proxy_reply_read_head(struct arena *a, struct str metadata,
                               struct proxy_reply *ret_reply) WARN_UNUSED;

/* --- format 1.0: REST APIs -------------------------------------------------------------------- */

struct proxy_pair {
    struct str name, value;
};

/* Who asks, as requestContext.identity says it; what is absent is null there, but for the key, which is
 * left out. */
struct proxy_identity {
    struct str account, caller, user, user_arn, access_key;
    struct str key, key_id; /* of a usage plan */
};

struct proxy_rest_request {
    const struct wire_request *http; /* with the whole body */
    struct str path;                 /* without the stage */
    struct str context_path;         /* with it */
    struct str resource, resource_id, stage, api_id, deployment_id, account;
    struct str domain_name, domain_prefix;
    struct str request_id, extended_id, trace; /* trace: X-Amzn-Trace-Id as it is passed on */
    struct str source_ip, protocol;            /* "HTTP/1.1" */
    struct str authorizer;                     /* a JSON object; absent: none */
    struct proxy_identity identity;
    const struct proxy_pair *params, *variables; /* of the path, of the stage */
    size_t n_params, n_variables;
    const struct percent_pair *query;
    size_t n_query;
    uint16_t port;
    bool binary; /* the body goes in base64 */
    int64_t wall_ms;
};

/* The event as JSON text. Bytes of a body that is not `binary` and no UTF-8 are replaced. ERR_LIMIT;
 * ERR_NOMEM. */
enum err proxy_rest_event_make(struct arena *a, const struct proxy_rest_request *req,
                               struct str *ret_json) WARN_UNUSED;

/* As $context.requestTime: "12/Mar/2020:19:03:58 +0000"; STR_NONE on exhaustion. */
struct str proxy_log_time(struct arena *a, int64_t ms);

/* Headers that a proxy adds to a request, or replaces: those of `http`, then X-Forwarded-For, -Port,
 * -Proto and X-Amzn-Trace-Id; names as sent. An array in the arena. ERR_NOMEM. */
enum err proxy_rest_headers(struct arena *a, const struct proxy_rest_request *req,
                            struct wire_header **ret_headers, size_t *ret_n) WARN_UNUSED;

/* A function's answer: an object of statusCode (200 where it is left out), headers, multiValueHeaders,
 * body and isBase64Encoded, and nothing else. ret_reply->body is as it came; *ret_coded: it says that it
 * is base64. ERR_INVALID: it is malformed; ERR_NOMEM. */
enum err proxy_rest_reply_read(struct arena *a, struct str answer, struct proxy_reply *ret_reply,
                               bool *ret_coded) WARN_UNUSED;

#endif
