/* Claims: a service takes requests by their host or path, before AWS's routing: the addresses of an
 * API (execute-api), public pages, function URLs. Such a request is a call like any other, with its
 * limits, transaction, durability, metrics and observers; only its input and output are raw.
 *
 * The claim's operation is a constant that the service writes by hand: name, service (for errors and
 * metrics), run. Its run gets no input and no output struct: it reads call->request (head, and the
 * whole body; or, with WIRE_OP_STREAM_IN, what its `body` made the sink of), and answers by call_reply_status, call_reply_header, call_reply_raw or
 * call_reply_source, or by an error, which is told in the service's protocol.
 *
 * Layer: core. Thread: the call's loop. */
#ifndef WEIR_CORE_CLAIM_H
#define WEIR_CORE_CLAIM_H

#include "core/core.h"

struct op_metrics;

/* Lifetime: process; the service's. */
struct core_claim {
    struct core_claim *next; /* core's */
    /* What it takes: hosts (without port, any case) that end in `host_suffix`, those whose second label
     * is `host_kind` ("lambda-url" of ID.lambda-url.REGION.on.aws, under whatever domain Weir is reached
     * by), paths (as sent) that begin with `path_prefix`; absent: any. And what `match` says yes to;
     * NULL: all of those. */
    struct str host_suffix, host_kind, path_prefix;
    bool (*match)(void *self, const struct wire_request *head);
    /* WIRE_OP_UNSIGNED: the claim decides itself who may call: nothing was checked when `run` begins,
     * call->who is anonymous, and call_authenticate is there to be asked. Otherwise the request is
     * signed, and `run` asks call_authorize. */
    const struct wire_op *op;
    struct str signing; /* service of the signature's scope; absent: op->service's */
    /* Condition keys of what `run` asks call_authorize for; NULL: the global ones alone. */
    enum err (*auth_context)(struct call *call, struct policy_context *ctx);
    void *self;                 /* call->svc */
    struct op_metrics *metrics; /* core's */
};

/* Registers a claim; in a service's start. Of several that match the first registered takes the
 * request. ERR_NOMEM. */
enum err core_claim(struct core *core, struct core_claim *claim) WARN_UNUSED;

/* In the handler of a claim that authenticates itself: checks the request's signature as for any
 * call, and puts who signed it in call->who. ERR_FAILED with the service's error, ERR_NOMEM. */
enum err call_authenticate(struct call *call) WARN_UNUSED;

/* The same for a form that carries its signature in fields (SIGV4_FORM, SIGV2_FORM): whether the key it names
 * signed its policy, in the sink or the handler, on any thread; then, in the handler, call->who. */
struct sigv4_request;
enum err call_form_verify(struct call *call, const struct sigv4_request *sig,
                          struct str policy) WARN_UNUSED;
enum err call_form_signer(struct call *call) WARN_UNUSED;
/* Has the cross-origin rules of the service's resource `bucket` speak for the claim's request as for any other:
 * web pages that they let in may send it, and its reply says so. ERR_NOMEM, the store's errors. */
enum err call_claim_cors(struct call *call, struct str bucket) WARN_UNUSED;

/* In the handler of a claim whose operation is another's in all but how it is asked for: permission by the
 * operation's rows for this input. As call_authorize. */
enum err call_claim_authorize(struct call *call, const void *in) WARN_UNUSED;

/* In the handler of a claim: the operator asks (web.h). */
bool call_is_operator(const struct call *call);

#endif
