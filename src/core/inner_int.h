/* Inner calls whose request is written as the service's own protocol has it: inner_wire.c, for inner.c.
 *
 * Layer: core, private. */
#ifndef WEIR_CORE_INNER_INT_H
#define WEIR_CORE_INNER_INT_H

#include "core/call_int.h"
#include "core/inner.h"

/* A deep copy in the arena. NULL on exhaustion. */
const struct wire_request *inner_wire_copy(struct arena *a, const struct wire_request *http);
/* Names the operation. ERR_NOT_FOUND; ERR_NOMEM. */
enum err inner_wire_route(struct call_impl *c, const struct core_request *req) WARN_UNUSED;
/* The typed input into *ret_in, as of a request from outside; errors as wire_decode's. */
enum err inner_wire_decode(struct call_impl *c, void **ret_in,
                           struct wire_fault *ret_fault) WARN_UNUSED;
/* The reply's bytes: of the output, or of the error where the call has one. */
enum err inner_wire_reply(struct call_impl *c, bool is_error, struct core_result *ret) WARN_UNUSED;

#endif
