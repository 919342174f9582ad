/* The trace header (X-Amzn-Trace-Id) that goes with an invocation, and loops by it.
 *
 *   Root=1-5f84c7a1-<24 hex>;Parent=<16 hex>;Sampled=0;Lineage=<8 hex>:<times>|<8 hex>:<times>
 *
 * A function is given it by the Runtime API; SDKs send it with the calls that they make within the
 * invocation, queues and topics pass it on with messages. So the lineage tells how often a function was
 * invoked in the chain that led here: over LAMBDA_HOPS_MAX times, it is a loop. What the hexadecimal digits
 * say of a function is ours alone. A sender who makes a lineage up can stop what he sends himself, and
 * nothing else.
 *
 * Source: Lambda developer guide, "Recursive loop detection"; X-Ray developer guide, "Tracing header".
 * Layer: svc/lambda. Thread: pure. */
#ifndef WEIR_SVC_LAMBDA_TRACE_H
#define WEIR_SVC_LAMBDA_TRACE_H

#include "core/trace.h"
#include "svc/lambda/lambda_int.h"

enum {
    LAMBDA_HOPS_MAX = 16,   /* invocations of a function in a chain */
    LAMBDA_LINEAGE_MAX = 8, /* functions that a header tells of; the earliest give way */
    LAMBDA_TRACE_GIVEN_MAX = TRACE_GIVEN_MAX,
};

/* How often the function was invoked in the chain that this header is of. 0 also for what is no header. */
int lambda_trace_hops(struct str given, const struct lambda_name *function);
/* Of two headers of a batch, the one with more hops of the function. */
struct str lambda_trace_longer(struct str a, struct str b, const struct lambda_name *function);
/* Writes the header of an invocation of `function`, caused by what came with `given` (absent: nothing):
 * its root, a parent of its own, and its lineage with this invocation. */
struct str lambda_trace_next(char out[LAMBDA_TRACE_MAX], struct str given,
                             const struct lambda_name *function);

/* Whether an invocation caused by what came with `given` is one too many. The configuration of the
 * function is looked at only where the hops are. */
bool lambda_is_loop(struct lambda *l, const struct lambda_name *function, struct str given);
/* Counts and tells of one that was not begun. */
void lambda_loop_stopped(struct lambda *l, const struct lambda_name *function);

#endif
