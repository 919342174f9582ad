/* Writing a Lambda function in C: the loop that speaks the Lambda Runtime API.
 *
 * One process handles one event at a time; lambda_run asks for an event, calls the handler,
 * answers, and frees what the handler took from the context's arena. It works on Weir and on AWS
 * Lambda (provided.al2023) alike.
 *
 * Layer: runtime/c (includes base). Thread: one. */
#ifndef WEIR_RUNTIME_LAMBDA_H
#define WEIR_RUNTIME_LAMBDA_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    LAMBDA_EVENT_MAX = 8 * 1024 * 1024, /* bytes of an event that are accepted */
    LAMBDA_REPLY_MAX = 8 * 1024 * 1024, /* bytes of a reply; Lambda itself takes 6 MB */
    LAMBDA_ARENA_MAX = 1024 * 1024 * 1024,
};

/* One invocation. Lifetime: the handler's call. */
struct lambda_context {
    struct str request_id;
    struct str function_arn;
    struct str trace_id;       /* absent: none */
    struct str client_context; /* JSON; absent: none */
    int64_t deadline_ms;       /* wall clock, ms since the epoch */
    struct arena *arena;       /* cleared after the reply */
    struct str error_type;     /* the handler may set both before it returns non-zero; */
    struct str error_message;  /* texts live in the arena */
    struct runtime *runtime;   /* lambda.c's */
    bool streams;              /* a streamed response was begun */
};

/* Milliseconds until the function is stopped; at least 0. */
int64_t lambda_remaining_ms(const struct lambda_context *ctx);

/* Records an error for Lambda and returns 1, so that a handler can `return lambda_fail(...)`. */
int lambda_fail(struct lambda_context *ctx, const char *type, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* The handler appends its JSON answer to `reply` (nothing appended: null) and returns 0, or returns
 * non-zero for a function error (`lambda_fail`). */
typedef int lambda_handler(struct lambda_context *ctx, struct str event, struct buf *reply);

/* --- responses that go out as they are written -------------------------------------------------- */

/* Instead of a reply (what `reply` has is then left out): begins a streamed response, which whoever called
 * InvokeWithResponseStream, or a function URL in the mode RESPONSE_STREAM, gets piece by piece. A handler
 * that returns non-zero afterwards breaks it off with its error. Once an invocation. ERR_CLOSED,
 * ERR_NOMEM: return non-zero then. Source: Lambda Developer Guide, "Response streaming", custom runtimes. */
enum err lambda_stream_begin(struct lambda_context *ctx, struct str content_type) WARN_UNUSED;
/* The same with the head of the reply that a function URL gives: a JSON object of "statusCode", "headers"
 * and "cookies". */
enum err lambda_stream_begin_http(struct lambda_context *ctx, struct str metadata) WARN_UNUSED;
/* Waits while whoever reads it is slow. ERR_CLOSED. */
enum err lambda_stream_write(struct lambda_context *ctx, struct str bytes) WARN_UNUSED;

/* Serves events for ever. Returns only when the Runtime API cannot be reached or breaks the
 * protocol (a sentence is on stderr): 1, to be returned from main. */
int lambda_run(lambda_handler *handler);

/* Reports that the function cannot start (POST /runtime/init/error); then exit with status 1. */
void lambda_init_error(const char *type, const char *message);

#endif
