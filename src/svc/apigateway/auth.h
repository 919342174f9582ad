/* Who may call a method: NONE, AWS_IAM, Lambda authorizers (TOKEN, REQUEST), user pools, and the API's
 * resource policy with each of them.
 *
 *   auth_begin --> decided at once (nothing to ask, a cached answer, IAM, a user pool's token)
 *              --> ERR_SUSPENDED: a function is asked; wake(arg) --> auth_take
 *
 * What comes out is a gateway response's type, or who it is that calls and what $context.authorizer and
 * $context.identity say of it. Nothing here replies.
 *
 * Invariants
 *   AU1  Fails closed: what is not AUTH_ALLOWED is a refusal, and what cannot be decided is one.
 *   AU2  An explicit denial by any policy wins. Of the rest, API Gateway Developer Guide, "How API
 *        Gateway resource policies affect authorization workflow": without an authorizer the resource
 *        policy must allow; with IAM one of the two, in the owner's account; with a Lambda authorizer or a
 *        user pool it is looked at first, must not deny, and need not allow.
 *   AU3  An authorizer's answer is cached by its identity sources, for its TTL, for all loops; never one
 *        that came with an error. The policy of a cached answer is evaluated anew for each method.
 *   AU4  Without its identity sources no function is asked: 401.
 *
 * Source: API Gateway Developer Guide, "Control and manage access to REST APIs in API Gateway".
 * Layer: svc. Thread: the call's loop; the cache any. */
#ifndef WEIR_SVC_APIGATEWAY_AUTH_H
#define WEIR_SVC_APIGATEWAY_AUTH_H

#include "core/core.h"
#include "svc/apigateway/map.h"

enum {
    AUTH_CACHE_MAX = 10 * 1000,              /* answers, of all APIs */
    AUTH_CACHE_BYTES_MAX = 32 * 1024 * 1024, /* of their texts */
    AUTH_TTL_S_MAX = 3600,
    AUTH_TTL_S = 300,                 /* of an authorizer; its default */
    AUTH_SOURCES_MAX = 10,            /* identity sources of one authorizer */
    AUTH_EVENT_MAX = 6 * 1024 * 1024, /* bytes of what a function is asked */
    AUTH_CONTEXT_MAX = 64 * 1024,     /* bytes of a function's context map */
    AUTH_PREFIX_MAX = 1024,           /* bytes of an API and a stage */
    AUTH_PAIRS_MAX = 1000,            /* headers or query parameters of a request that is told of */
    AUTH_IDENTITY_MAX = 16 * 1024,    /* bytes of the identity sources' values */
};

/* What a request is answered with: the gateway response's type. */
enum auth_outcome {
    AUTH_ALLOWED,
    AUTH_UNAUTHORIZED,        /* UNAUTHORIZED, 401 */
    AUTH_DENIED,              /* ACCESS_DENIED, 403 */
    AUTH_MISSING_TOKEN,       /* MISSING_AUTHENTICATION_TOKEN, 403 */
    AUTH_INVALID_SIGNATURE,   /* INVALID_SIGNATURE, 403 */
    AUTH_EXPIRED_TOKEN,       /* EXPIRED_TOKEN, 403 */
    AUTH_CONFIGURATION_ERROR, /* AUTHORIZER_CONFIGURATION_ERROR, 500 */
    AUTH_FAILURE,             /* AUTHORIZER_FAILURE, 500 */
};

/* "ACCESS_DENIED"; "" of AUTH_ALLOWED. */
const char *auth_outcome_type(enum auth_outcome outcome);

/* One method request. Borrowed until it is decided, but for what the members say. */
struct auth_request {
    struct call *call; /* with the head, `who` anonymous */
    struct str api_id, stage;
    uint64_t version;              /* of the stage: no answer that was given to another is taken */
    struct str account;            /* the API's owner */
    struct str policy;             /* the API's resource policy; absent: none */
    struct str http_method;        /* of the request */
    struct str path;               /* as sent, after the stage, "/pets/1" */
    struct str resource_path;      /* "/pets/{id}" */
    struct str authorization;      /* "NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS" */
    const struct json *authorizer; /* Authorizer as GetAuthorizer shows; NULL: none */
    const struct str *scopes;      /* authorizationScopes */
    size_t n_scopes;
    const struct map_scope *scope;
    const struct map_message *message;  /* parameters; the body is not looked at */
    const struct json *request_context; /* requestContext of a REQUEST event; NULL: an empty one */
    struct auth *auth;
    void (*wake)(void *arg); /* on the loop, at most once, never from inside auth_begin */
    void *arg;
};

/* Lifetime: the call's arena. */
struct auth_result {
    enum auth_outcome outcome;
    struct str message;      /* $context.error.message of a refusal */
    struct str why;          /* for the execution log; absent: nothing more to say */
    struct str principal_id; /* absent: none */
    struct str usage_key;    /* usageIdentifierKey; absent: none */
    struct str policy;       /* of a function's answer, which may deny; absent: none was read */
    const struct json
        *authorizer; /* object: $context.authorizer; NULL: none. `claims` of a user pool */
    const struct principal *who; /* AWS_IAM; NULL: nobody signed */
    int64_t latency_ms;          /* of the function; -1: none was asked */
    int status;                  /* $context.authorizer.status: of the function's answer; 0: none */
    struct str request_id;       /* of that call */
    bool cached;
};

struct auth;
struct auth_wait;

/* One of a process, shared by its loops. NULL: no memory. */
struct auth *auth_new(struct core *core);
void auth_free(struct auth *auth);
/* FlushStageAuthorizersCache; absent stage: of all stages (an authorizer changed). Any thread. */
void auth_flush(struct auth *auth, struct str api_id, struct str stage);

/* ERR_OK: *ret_result is the decision. ERR_SUSPENDED: a function is asked, *ret_wait is for auth_take
 * once woken or auth_cancel before that. Others are the environment's. */
enum err auth_begin(const struct auth_request *req, struct auth_wait **ret_wait,
                    struct auth_result *ret_result) WARN_UNUSED;
/* After wake: the decision, into the call's arena; frees the wait. ERR_NOMEM and others likewise. */
enum err auth_take(struct auth_wait *wait, struct auth_result *ret_result) WARN_UNUSED;
/* The answer is no longer wanted: wake is not called. */
void auth_cancel(struct auth_wait *wait);

/* "arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path": what policies are asked about. */
struct str auth_method_arn(struct call *call, struct str account, struct str api_id,
                           struct str stage, struct str http_method, struct str path);

#endif
