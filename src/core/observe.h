/* Observers: whoever wants to see each finished call (audit record, trace, figures).
 *
 * Every call ends here once, whatever brought it and however it ended: refused before its operation
 * was known, denied, failed, answered, or left by its asker (a call that was cancelled before its
 * handler committed is not told). What an inner call inside a transaction did is told when that
 * transaction commits. Costs one comparison when nobody listens.
 *
 * Layer: core. Thread: the call's loop; several loops at once. */
#ifndef WEIR_CORE_OBSERVE_H
#define WEIR_CORE_OBSERVE_H

#include "core/core.h"

/* Borrowed for the time of the observer's call, all of it. */
struct core_seen {
    const struct call *call;          /* who, service, op, source_ip, request_id, region */
    const char *carrier;              /* "http", "inner" */
    struct str op_name;               /* as asked for, also of an operation that does not exist */
    const struct wire_routed *routed; /* what the request names, as far as it could be told */
    const void *in;                   /* call->op's input struct; NULL when it never decoded */
    const void *out;                  /* its output struct; NULL on error */
    const struct wire_error *error;   /* NULL: none, or nobody's (call->service is NULL then) */
    struct str error_message;
    int status;             /* of HTTP, in the service's own protocol */
    int64_t duration_ns;    /* until the reply was there */
    uint64_t request_bytes; /* of the request's body, unpacked */
    uint64_t reply_bytes;   /* of the reply's body; of a streamed one none yet */
    bool streams;           /* the reply's body follows */
};

/* Must neither block nor start anything that needs the call later. Lifetime: process. */
struct core_observer {
    struct core_observer *next; /* core's */
    void (*fn)(void *arg, const struct core_seen *seen);
    void *arg;
};

/* Adds one; after core_start and before the loops serve. Borrowed until core_stop. */
void core_observe(struct core *core, struct core_observer *o);

#endif
