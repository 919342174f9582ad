/* Synchronous invocations: a call is suspended while the engine, on the home loop, has a function run.
 *
 *   handler --lambda_sync_start--> suspended --io_post--> engine (home loop) --> result --waiters_wake-->
 *   handler again --lambda_sync_resume--> outcome
 *
 * Layer: svc. Thread: the call's loop; what says home runs there. */
#ifndef WEIR_SVC_LAMBDA_SYNC_H
#define WEIR_SVC_LAMBDA_SYNC_H

#include "svc/lambda/lambda_int.h"

/* Borrowed until lambda_sync_start returns, but for `user`, which lives in the call's arena. */
struct lambda_sync_request {
    const struct lambda_name *name; /* as it was invoked */
    struct lambda_fn *fn;
    struct str payload; /* JSON */
    struct str context; /* ClientContext as JSON; absent: none */
    bool want_tail;
    bool streams; /* lambda_sync_streamed takes what comes, instead of lambda_sync_resume */
    void *user;   /* the caller's, for when the call runs again */
};

/* How it ended; texts live as long as the call. */
struct lambda_outcome {
    bool function_error; /* body is the error document */
    struct str body;
    struct str tail; /* of the log, when asked for */
    struct str version;
};

/* Sets call->state, and parks the call. ERR_SUSPENDED, or ERR_NOMEM. */
enum err lambda_sync_start(struct call *call, const struct lambda_sync_request *req) WARN_UNUSED;
/* The call runs again. ERR_SUSPENDED: not yet; ERR_FAILED with the service's error: the function did not
 * run (throttled, could not start). */
enum err lambda_sync_resume(struct call *call, struct lambda_outcome *ret_outcome) WARN_UNUSED;
/* The version that runs, and the caller's pointer, of a call that lambda_sync_start parked. */
struct str lambda_sync_version(const struct call *call);
void *lambda_sync_user(const struct call *call);

/* --- responses that are streamed --------------------------------------------------------------- */

enum {
    LAMBDA_STREAM_HIGH =
        256 * 1024, /* bytes that wait for their reader, over which the function does */
    LAMBDA_STREAM_LOW = 64 * 1024,       /* and under which it goes on */
    LAMBDA_STREAM_TYPE_MAX = 255,        /* bytes of a Content-Type; longer ones are cut */
    LAMBDA_STREAM_BEGIN_MAX = 64 * 1024, /* that are looked at before the reply's head is known */
};

/* What has come of a response; texts are in the call's arena. */
struct lambda_streamed {
    bool ended;
    bool function_error;     /* once it ended */
    struct str content_type; /* absent: it is answered whole, which is JSON */
    struct str begin;        /* the first bytes, LAMBDA_STREAM_BEGIN_MAX at most */
};

/* The call runs again: something came, or the end. Errors as lambda_sync_resume's, of a function that did
 * not run. */
enum err lambda_sync_streamed(struct call *call, struct lambda_streamed *ret_streamed) WARN_UNUSED;
/* Parks the call again, until more came: ERR_SUSPENDED. */
enum err lambda_sync_more(struct call *call) WARN_UNUSED;
/* The reply does not have the first `n` bytes of what lambda_sync_streamed showed. */
void lambda_sync_drop(struct call *call, size_t n);
/* Members of a struct call_source, whose ctx is call->state. Of lambda_sync_read *ret_n is 0 at the end,
 * also when the function failed on the way: lambda_sync_end says so. ERR_NOMEM. */
bool lambda_sync_ready(void *sync);
enum err lambda_sync_read(void *sync, char *p, size_t max, size_t *ret_n) WARN_UNUSED;
void lambda_sync_leave(void *sync);
/* How it ended, once it has; borrowed from `sync`. */
struct lambda_outcome lambda_sync_end(void *sync);

/* Whether the payload of a synchronous (or asynchronous: `event`) invocation is JSON and not too large;
 * ERR_FAILED with the service's error (op_invoke.c). */
enum err lambda_check_payload(struct call *call, struct str payload, bool event) WARN_UNUSED;
/* X-Amz-Client-Context as JSON; absent where there is none. ERR_FAILED likewise. */
enum err lambda_client_context(struct call *call, struct str coded,
                               struct str *ret_context) WARN_UNUSED;

#endif
