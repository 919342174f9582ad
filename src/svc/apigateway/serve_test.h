/* TestInvokeMethod: a method of an API as it is, past its authorizer, keys and limits, with its
 * execution log. TestInvokeAuthorizer: an authorizer as it is.
 *
 * Layer: svc. Thread: the call's loop. */
#ifndef WEIR_SVC_APIGATEWAY_SERVE_TEST_H
#define WEIR_SVC_APIGATEWAY_SERVE_TEST_H

#include "core/call.h"
#include "svc/apigateway/map.h"

struct serve;

/* Borrowed while the call lives. */
struct serve_test {
    struct str api_id, snapshot; /* as apigateway_snapshot.h has it */
    struct str resource_id, http_method;
    struct str path_and_query;     /* absent: the resource's own path */
    struct str body;               /* absent: none */
    const struct json *variables;  /* stageVariables: object of texts; NULL: none */
    const struct json *authorizer; /* of serve_test_authorizer: Authorizer */
    const struct json
        *additional; /* of that: object of texts, further members of $context; NULL: none */
    struct map_pairs headers;
};

/* In the call's arena. */
struct serve_tested {
    int status;
    struct map_pairs headers; /* with Content-Type */
    struct str body, log;
    int64_t latency_ms;
    /* Of an authorizer: struct auth_result. */
    struct str principal_id, policy;
    const struct json *authorizer;
};

/* Of a handler, which does nothing before it but what it may do again: ERR_SUSPENDED, to be given on, and
 * when the handler runs again the result; `test` is looked at the first time only. Owns call->state.
 * ERR_NOT_FOUND: the API has no such method, or the path is no such resource's; ERR_NOMEM, ERR_CORRUPT,
 * ERR_LIMIT. */
enum err serve_test_method(struct serve *serve, struct call *call, const struct serve_test *test,
                           struct serve_tested *ret_tested) WARN_UNUSED;
/* The same of an authorizer. `status`: 200 where it answered by a policy, allowing or not, and otherwise
 * what a client would get. */
enum err serve_test_authorizer(struct serve *serve, struct call *call,
                               const struct serve_test *test,
                               struct serve_tested *ret_tested) WARN_UNUSED;

#endif
