/* One API request as a handler sees it.
 *
 * A handler is a plain function, generated prototype
 *     enum err <svc>_<op>(struct call *call, const struct <svc>_<op>_input *in,
 *                         struct <svc>_<op>_output *out);
 * It reads and stages writes through call->txn, fills *out (zeroed before) and returns ERR_OK, or
 * `return call_error(call, &<svc>_err_<name>, "message")`, or an environment error (the dispatcher
 * answers 500/503), or ERR_SUSPENDED from call_suspend. It may be rerun (T1), so it keeps no state
 * but call->state. Everything it points to lives in call->arena.
 *
 * States (dispatch.c makes the transitions):
 *   decoded -> authorised -> running -> committed -> durable -> replied
 *                               |  ^
 *              call_suspend     v  |  call_wake, deadline
 *                            suspended -- client gone --> cancelled
 *
 * Layer: core. Thread: the connection's loop; call_wake alone may come from any thread. */
#ifndef WEIR_CORE_CALL_H
#define WEIR_CORE_CALL_H

#include "core/identity.h"
#include "core/txn.h"
#include "kv/key.h"
#include "wire/wire.h"

struct call;

/* Where a streamed request body goes (S3 PutObject, UploadPart): set by the operation's
 * `<svc>_<op>_body` function. For bodies over CALL_BODY_INLINE_MAX all but abort run on the worker
 * pool, in order; for smaller ones on the loop. */
struct call_sink {
    void *ctx;
    enum err (*write)(void *ctx, const void *p, size_t len);
    /* NULL: none. Sees the same bytes in the same order, at the same time as write of others: the two
     * share nothing that changes. */
    void (*digest)(void *ctx, const void *p, size_t len);
    /* Neither of the two runs any more. All bytes were written and the payload hash was right: flush
     * and fsync. The handler runs after this. */
    enum err (*finish)(void *ctx);
    /* The body failed or the client left before the handler ran: undo. Never both after finish and
     * a handler run. */
    void (*abort)(void *ctx);
};

enum {
    CALL_BODY_INLINE_MAX = 16 * 1024,
    CALL_BLOCK_BYTES = 256 * 1024,    /* of streamed replies */
    CALL_BODY_MAX = 16 * 1024 * 1024, /* buffered (not streamed) request bodies */
    CALL_ARENA_MAX = 256 * 1024 * 1024,
};

/* Where a request's signature stood. */
enum call_signed {
    CALL_NOT_SIGNED,
    CALL_SIGNED_HEADER,
    CALL_SIGNED_QUERY,
    CALL_SIGNED_QUERY_V2,
    CALL_SIGNED_FORM, /* in a form that is posted (S3) */
    CALL_SIGNED_FORM_V2,
};

struct call {
    struct txn *txn;
    struct arena *arena; /* the request's */
    const struct wire_service *service;
    const struct wire_op *op;
    void *svc; /* the service instance, e.g. struct sqs * */
    struct core *core;
    struct io_loop *loop;
    struct str request_id; /* UUID text; S3 has its own form */
    struct str account;    /* 12 digits, of the resource owner */
    struct str region;     /* from the signature's scope, or the configured one */
    struct str partition;  /* "aws" */
    const struct principal *who;
    struct str source_ip;
    struct str tls_version; /* "1.2", "1.3"; absent: the request came in the clear */
    enum call_signed signed_by;
    int64_t signed_ms; /* when; 0 where the signature does not say */
    bool by_grant;     /* something that no policy allows was granted otherwise (svc_def.grants) */
    const struct wire_request *request; /* head and buffered body, for what the spec cannot say */
    struct call_sink *sink;             /* of a streamed body, after finish */
    const struct http_header *trailers; /* of a streamed body */
    size_t n_trailers;
    void *state;            /* the handler's, NULL at first; survives suspension */
    bool timed_out;         /* rerun because the suspension's deadline passed */
    struct call_impl *impl; /* dispatch.c's */
};

/* Whose records the call is about: the first field of their keys (kv/key.h). */
static inline struct key_scope call_scope(const struct call *call)
{
    return (struct key_scope){call->account, call->region};
}

/* Sets the service's error; formatted message for the user. Always returns ERR_FAILED. */
enum err call_error(struct call *call, const struct wire_error *error, const char *fmt, ...)
    PRINTF_LIKE(3, 4) WARN_UNUSED;

/* Text member of the call's decoded input, by its name in the spec; STR_NONE absent. */
struct str call_input_str(const struct call *call, struct str name);

/* The decoded input, of the operation's generated struct; NULL: no member is present. */
const void *call_input(const struct call *call);

/* The trace header (X-Amzn-Trace-Id) that came with a call of a role's session, as functions make them, or
 * of a service's own; absent: none, or of anybody else, who is spared the search for it. */
struct str call_trace(const struct call *call);
/* Of a request to a front (a function's URL): the trace that begins or goes on with it, which call_trace
 * says from now on. Its X-Amzn-Trace-Id where that names a root, else a root made at the first question.
 * Absent: out of memory. */
struct str call_trace_begin(struct call *call);

/* Whether the request came where nobody reads it on its way: over TLS, or loopback (aws:SecureTransport). */
bool call_is_secure(const struct call *call);

/* Whether the tags that the call brings may be CloudFormation's own (core/inner.h). */
bool call_brings_system_tags(const struct call *call);

/* The service that asks on the caller's behalf ("s3.amazonaws.com"); absent: he does so himself. */
struct str call_via_service(const struct call *call);

/* Takes an error back that call_error or call_authorize set, details included: for operations that
 * report per item (S3 DeleteObjects). */
void call_error_clear(struct call *call);

/* Code and message of the error that is set ("IncompleteSignatureException"); STR_NONE: none. For those
 * who answer in words of their own. */
struct str call_error_code(const struct call *call);
struct str call_error_message(const struct call *call);

/* Adds a member to the error's body (S3 BucketName, DynamoDB Item, ...): raw text. ERR_NOMEM. */
enum err call_error_detail(struct call *call, const char *name, struct str value) WARN_UNUSED;

/* Parks the call: its transaction of this attempt is rolled back (stage nothing before), and the
 * handler reruns on call_wake or when clock passes `timeout_ms` from now (call->timed_out).
 * on_cancel(call) runs on the loop when the client left or the server drains; after it call_wake
 * is not allowed. Returns ERR_SUSPENDED, or
 * ERR_NOMEM, or ERR_UNSUPPORTED for a call in another's transaction (inner.h): then nothing waits,
 * and the handler gives that error on. */
enum err call_suspend(struct call *call, int64_t timeout_ms,
                      void (*on_cancel)(struct call *call)) WARN_UNUSED;
/* Any thread, any number of times between suspend and rerun/cancel; the service's own lock orders
 * it against on_cancel. */
void call_wake(struct call *call);

/* Reply headers beyond what the spec's output shape can say. Copied. ERR_NOMEM. */
enum err call_reply_header(struct call *call, struct str name, struct str value) WARN_UNUSED;
/* Replaces the success status of the spec (e.g. 206). */
void call_reply_status(struct call *call, int status);
#define CALL_LENGTH_UNKNOWN UINT64_MAX
/* Where a reply's body comes from that is not in memory. */
struct call_source {
    void *ctx;
    /* Bytes in all, at least 1. CALL_LENGTH_UNKNOWN, with `ready` only: until read gives nothing. */
    uint64_t length;
    /* Of bytes that are still being made: whether read has some, or is at its end. While it has not,
     * call_wake tells that it is worth asking again: until release, which the source's own lock orders
     * it against. Then read is on the loop, too, and must not block; and the reply's head goes out
     * before there are bytes. NULL: read always has some, and may block. */
    bool (*ready)(void *ctx);
    /* The next bytes, some while any are left: *ret_bytes lies somewhere in `block`, which has `cap`
     * bytes, CALL_BLOCK_BYTES or more. On the worker pool, one call at a time. What it gives is
     * sent, so it checks that first. ERR_IO, ERR_CORRUPT, ERR_NOMEM: the reply is an error, if
     * nothing of it was sent yet, and breaks off otherwise; ERR_FAILED: so it does, and it is not
     * Weir's fault. */
    enum err (*read)(void *ctx, char *block, size_t cap, struct str *ret_bytes);
    /* Frees it; on the loop, exactly once, also when the client leaves. */
    void (*release)(void *ctx);
};
/* Takes the source; the reply's body is what it gives, streamed in constant memory after the head.
 * For operations with a streamed output. */
void call_reply_source(struct call *call, const struct call_source *source);
/* The reply's body is these bytes (arena) as they are, instead of the encoded output shape. */
void call_reply_raw(struct call *call, struct str content_type, struct str body);

/* "arn:aws:<service>:<region>:<account>:<rest>" in the call's arena; STR_NONE on exhaustion. */
struct str call_arn(struct call *call, const char *service, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
