/* The trace header (X-Amzn-Trace-Id): "Root=1-5f84c7a1-<24 hex>;Parent=<16 hex>;Sampled=0". Its root names
 * a chain of requests, messages and invocations from its front on.
 *
 * Source: X-Ray developer guide, "Tracing header".
 * Layer: core. Thread: pure. */
#ifndef WEIR_CORE_TRACE_H
#define WEIR_CORE_TRACE_H

#include "base/str.h"

enum {
    TRACE_ROOT_LEN = 35,    /* "1-", 8 digits, '-', 24 digits */
    TRACE_GIVEN_MAX = 1024, /* bytes; longer is no header */
};

/* The value of a header's "name=value"; STR_NONE without. Names are compared without case. */
struct str trace_field(struct str header, const char *name);
/* The root that it names, borrowed; STR_NONE for none, or one that is malformed. */
struct str trace_root(struct str header);
/* A new root, of this moment. */
struct str trace_root_make(char out[TRACE_ROOT_LEN + 1], int64_t wall_ms);

#endif
