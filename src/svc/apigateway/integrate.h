/* Integrations: what a method request becomes, asked of whoever answers it.
 *
 *   integrate_begin --> answered at once (MOCK)
 *                   --> ERR_SUSPENDED --> answered: `answer` is filled, the call is woken
 *                                    +--> flowing: `answer` has all but the body, which goes on as it
 *                                    |    comes (integrate_flow); woken, too
 *                                    +--> time is up, or the client left: integrate_cancel
 *
 * Invariants
 *   IN1  At most one thing is under way for a request: an inner call or a request over HTTP.
 *   IN2  What an integration answers is copied into the call's arena, SERVE_BODY_MAX bytes at most; of
 *        an answer that may flow INTEGRATE_FLOW_BYTES, and whoever answers waits for the client then.
 *   IN3  Nobody is asked with more rights than the method's integration says: its role, the caller, or
 *        API Gateway's own name, which the resource's policy then has to allow for this method's ARN.
 *   IN4  An answer that breaks off while it flows breaks the reply off: it never looks complete.
 *
 * Layer: svc. Thread: the call's loop. */
#ifndef WEIR_SVC_APIGATEWAY_INTEGRATE_H
#define WEIR_SVC_APIGATEWAY_INTEGRATE_H

#include "core/inner.h"
#include "fetch/fetch.h"
#include "svc/apigateway/serve.h"

enum {
    /* Shorter answers are taken whole: their length is known, and a failure is still an error. */
    INTEGRATE_FLOW_BYTES = 64 * 1024,
    /* For all of an answer that flows, as slow as its reader may be. */
    INTEGRATE_FLOW_MS = 15 * 60 * 1000,
};

struct integrate_answer;

/* What is asked; made by mapping. Lifetime: the call's arena, as everything here. */
struct integrate_ask {
    const struct serve_integration *of;
    struct str http_method;        /* of the integration; of ANY the request's */
    struct str uri;                /* stage variables and path parameters are in their places */
    struct map_made header, query; /* values as they are to be sent */
    struct str body;
    int64_t timeout_ms;
    bool may_flow; /* nobody needs the whole body before the reply begins, */
    /* as far as this agrees, which is asked once status and headers of the answer are there. NULL: it does. */
    bool (*flows)(void *arg, const struct integrate_answer *head);
    void *arg;
    /* As whom, where the integration asks a service. */
    struct str role_arn;         /* absent: `who` */
    const struct principal *who; /* the caller; NULL: API Gateway itself */
    struct str source_arn;       /* of the method */
    struct str trace;            /* X-Amzn-Trace-Id that goes along */
};

enum integrate_fault {
    INTEGRATE_OK,
    INTEGRATE_MISCONFIGURED, /* 500: the URI, the role, the function's policy */
    INTEGRATE_UNREACHABLE,   /* 504: nobody there, or cut off */
    INTEGRATE_TIMED_OUT,     /* 504 */
    INTEGRATE_MALFORMED,     /* 502 */
    INTEGRATE_TOO_LARGE,     /* 500: the answer */
};

struct integrate_answer {
    enum integrate_fault fault;
    struct str why; /* for the execution log */
    int status;
    struct map_made header;
    struct str body;
    struct str
        selection; /* what selection patterns are matched with; absent: a function's success */
    bool function_error; /* of a function */
    struct str request_id;
};

/* What is under way. Zeroed: nothing. */
struct integrate_wait {
    struct call *call;
    struct fetch_op *fetch;
    struct core_inner *inner;
    struct buf body; /* of an answer over HTTP; while it flows, what its reader has not taken yet */
    const struct integrate_ask *ask;
    bool done;
    bool may_flow; /* both say so */
    bool flows;    /* the body goes on as it comes */
    bool paused;   /* whoever answers waits until there is room in `body` */
    bool asleep;   /* the reply waits for bytes: call_wake */
    bool broken;   /* while it flowed */
    struct integrate_answer answer;
};

/* Where connections of integrations are. Lifetime: the service's. */
struct integrate_http {
    struct core *core;
    struct fetch **loops; /* by index; made on first use, on the loop */
};
enum err integrate_http_init(struct integrate_http *h, struct core *core) WARN_UNUSED;
void integrate_http_release(struct integrate_http *h);

/* The function that an integration's URI invokes; STR_NONE: it is another service's. */
struct str integrate_function(struct str uri);

/* Each sets w->done at once or later, and wakes the call later. ERR_NOMEM. */
enum err integrate_mock(struct integrate_wait *w, const struct integrate_ask *ask) WARN_UNUSED;
enum err integrate_aws(struct integrate_wait *w, const struct integrate_ask *ask) WARN_UNUSED;
enum err integrate_http(struct integrate_wait *w, struct integrate_http *h,
                        const struct integrate_ask *ask) WARN_UNUSED;
/* By its kind. */
enum err integrate_begin(struct integrate_wait *w, struct integrate_http *h,
                         const struct integrate_ask *ask) WARN_UNUSED;
/* Where the reply's body comes from, of an answer that flows; its release cancels the integration. */
struct call_source integrate_flow(struct integrate_wait *w);
/* What is under way is no longer wanted; an answer that flows is broken off. Nothing where nothing is. */
void integrate_cancel(struct integrate_wait *w);

/* "/a/{name}" with what `values` have for each name, encoded; ERR_INVALID: one has none. ERR_NOMEM. */
enum err integrate_fill_path(struct arena *a, struct str uri, const struct map_made *values,
                             struct str *ret_uri) WARN_UNUSED;

#endif
