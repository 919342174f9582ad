/* A client's error that is not yet a reply: what checks of one item of a batch give, and checks that
 * are made for callers who are no request (a delivery that another service staged).
 *
 * Layer: core. Lifetime: the arena's. Thread: pure. */
#ifndef WEIR_CORE_FAULT_H
#define WEIR_CORE_FAULT_H

#include "core/call.h"

struct fault {
    const struct wire_error *error;
    struct str message;
};

/* Always ERR_FAILED (ERR_NOMEM when the message does not fit). */
enum err fault_set(struct arena *a, struct fault *f, const struct wire_error *error,
                   const char *fmt, ...) PRINTF_LIKE(4, 5) WARN_UNUSED;
/* `err` as it is, but ERR_FAILED becomes the call's error. */
enum err fault_reply(struct call *call, enum err err, const struct fault *f) WARN_UNUSED;
/* The code that clients of the query protocol are told. */
struct str fault_code(const struct fault *f);

#endif
