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
    void *user; /* the caller's, for when the call runs again */
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
/* Of a call that lambda_sync_start parked. */
void *lambda_sync_user(const struct call *call);

/* Whether the payload of a synchronous (or asynchronous: `event`) invocation is JSON and not too large;
 * ERR_FAILED with the service's error (op_invoke.c). */
enum err lambda_check_payload(struct call *call, struct str payload, bool event) WARN_UNUSED;

#endif
