/* Calling AWS services from a function: SigV4-signed requests over kept-alive HTTP/1.1 connections.
 *
 * Where a service is: AWS_ENDPOINT_URL_<SERVICE> (DYNAMODB, DYNAMODB_STREAMS, SQS, S3...), else AWS_ENDPOINT_URL,
 * else https://<service>.<region>.amazonaws.com with the certificate verified. Credentials are
 * AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; the region is AWS_REGION, else
 * AWS_DEFAULT_REGION.
 *
 * Invariants
 *   AW1  A call ends within its deadline: connect, send, receive and back-off together.
 *   AW2  Tried again: no connection, connection lost, 5xx, 429 and throttling codes; at most
 *        AWS_ATTEMPTS_MAX times, with jittered exponential back-off. A request may therefore take
 *        effect twice; the caller uses conditions or tokens where that matters.
 *   AW3  A reply body beyond the caller's maximum is ERR_LIMIT, and its connection is closed.
 *
 * Layer: runtime/c (includes base, codec, auth). Thread: a client belongs to one thread. */
#ifndef WEIR_RUNTIME_AWS_H
#define WEIR_RUNTIME_AWS_H

#include "base/arena.h"
#include "base/buf.h"
#include "codec/json.h"

enum {
    AWS_ATTEMPTS_MAX = 5,
    AWS_HEADERS_MAX = 16,            /* of the caller, in one request */
    AWS_HEAD_MAX = 64 * 1024,        /* bytes of a reply's head */
    AWS_ENDPOINTS_MAX = 8,           /* services that one client talks to */
    AWS_TIMEOUT_MS = 30 * 1000,      /* of a call, when it names none */
    AWS_BODY_MAX = 64 * 1024 * 1024, /* of a JSON or XML reply */
};

struct aws;

/* Reads the environment; connects to nothing yet. ERR_INVALID (no credentials, no region, a bad
 * endpoint; a sentence is in aws_error), ERR_NOMEM. */
enum err aws_new(struct aws **ret_aws) WARN_UNUSED;
void aws_free(struct aws *aws);
/* What went wrong last, for a log line. */
const char *aws_error(const struct aws *aws);

struct aws_header {
    struct str name, value;
};

struct aws_request {
    const char *service; /* signing name and endpoint prefix: "dynamodb", "sqs", "s3"; or
                            "dynamodb-streams" */
    const char *method;  /* "POST" */
    struct str path;     /* percent-encoded, starts with '/'; absent: "/" */
    struct str query;    /* percent-encoded; absent: none */
    const struct aws_header *headers; /* beyond Host, Content-Length and the signature's */
    size_t n_headers;
    struct str body;    /* absent: none */
    int64_t timeout_ms; /* 0: AWS_TIMEOUT_MS */
    bool is_unsigned;   /* for what is public, such as a user pool's keys */
};

struct aws_reply {
    int status;
    struct aws_header *headers; /* in the arena */
    size_t n_headers;
    struct str error_code; /* of a status >= 300: "ConditionalCheckFailedException"; else absent */
    struct str error_message;
};

/* Sends, and reads the whole reply into `body` (cleared first; its max bounds the reply). Any HTTP
 * status is ERR_OK. ERR_TIMEOUT, ERR_CLOSED (no connection), ERR_LIMIT, ERR_INVALID (a reply that
 * is not HTTP), ERR_NOMEM. */
enum err aws_call(struct aws *aws, const struct aws_request *req, struct arena *arena,
                  struct aws_reply *ret_reply, struct buf *body) WARN_UNUSED;

/* First header of that name, without case; absent when there is none. */
struct str aws_reply_header(const struct aws_reply *reply, struct str name);

/* What a call came to, as a sentence for a log line: passes `err` on, and unless it is ERR_OK, *ret_why (arena)
 * says the operation and what went wrong. */
enum err aws_explain(const struct aws *aws, struct arena *arena, const char *operation,
                     enum err err, const struct aws_reply *reply, struct str *ret_why) WARN_UNUSED;

/* --- services with JSON bodies ---------------------------------------------------------------- */

/* "dynamodb", "dynamodb-streams", "events" or "sqs", operation "PutItem", JSON text. *ret_json (arena) is the reply's body, also
 * of an error; NULL for an empty body. ERR_OK only for a 2xx status; ERR_FAILED for a service error
 * (look at ret_reply->error_code); else as aws_call. */
enum err aws_json(struct aws *aws, const char *service, const char *operation, struct str body,
                  struct arena *arena, struct aws_reply *ret_reply,
                  const struct json **ret_json) WARN_UNUSED;

/* --- objects ---------------------------------------------------------------------------------- */

/* GetObject; `if_match` (ETag with its quotes) and `version_id` may be absent. The bytes go to
 * `body`. ERR_FAILED: a service error, e.g. NoSuchKey, PreconditionFailed. */
enum err aws_s3_get(struct aws *aws, struct str bucket, struct str key, struct str version_id,
                    struct str if_match, struct arena *arena, struct aws_reply *ret_reply,
                    struct buf *body) WARN_UNUSED;
/* PutObject of a whole body. */
enum err aws_s3_put(struct aws *aws, struct str bucket, struct str key, struct str content_type,
                    struct str body, struct arena *arena, struct aws_reply *ret_reply) WARN_UNUSED;
/* DeleteObject. */
enum err aws_s3_delete(struct aws *aws, struct str bucket, struct str key, struct arena *arena,
                       struct aws_reply *ret_reply) WARN_UNUSED;

#endif
