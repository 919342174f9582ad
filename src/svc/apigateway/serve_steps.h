/* The steps of a request, for who begins one. See serve_request.h.
 *
 * Layer: svc, private. Thread: the call's loop. */
#ifndef WEIR_SVC_APIGATEWAY_SERVE_STEPS_H
#define WEIR_SVC_APIGATEWAY_SERVE_STEPS_H

#include "svc/apigateway/serve_request.h"

enum serve_steps {
    SERVE_STEPS_ALL,
    SERVE_STEPS_TEST,       /* without authorizer, key, limits and cache */
    SERVE_STEPS_AUTHORIZER, /* that alone */
};

/* A request with its ids, of `call`; where it goes is the caller's to say. ERR_NOMEM. */
enum err serve_req_new(struct serve *serve, struct call *call,
                       struct serve_req **ret_r) WARN_UNUSED;
/* Takes it as far as it goes, and makes it the call's state. ERR_OK: r->out is made. ERR_SUSPENDED: it
 * waits, and is to be taken on when the handler runs again. */
enum err serve_go_on(struct serve_req *r, enum serve_steps which) WARN_UNUSED;

#endif
