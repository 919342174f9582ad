/* What user pools do for other services: they say whose token this is. Of API Gateway's
 * COGNITO_USER_POOLS authorizers.
 *
 * A token is judged by its pool's key, issuer and times alone, as everybody judges it who has the
 * pool's JWKS: that it was revoked, or its user signed out or was disabled, is known to the pool's
 * own operations only, as on AWS.
 *
 * Layer: svc/cognito. Thread: the transaction's; the first check of a token costs an RSA verification, some
 * 40 us. */
#ifndef WEIR_SVC_COGNITO_COGNITO_PORT_H
#define WEIR_SVC_COGNITO_COGNITO_PORT_H

#include "codec/json.h"
#include "core/core.h"

/* Whose a token is. Lifetime: the transaction's arena. */
struct cognito_identity {
    struct str pool_arn; /* the one of those asked for that issued it */
    struct str use;      /* "id" or "access" */
    struct str client_id;
    struct str subject;
    struct str scope;          /* of an access token: names divided by spaces; absent: none */
    int64_t expires_ms;        /* of the wall clock */
    const struct json *claims; /* all of them: an object */
};

struct cognito_port {
    void *self;
    /* Whether one of these pools (ARNs, borrowed) issued this token, an ID or access token without
     * "Bearer ", and it holds at the transaction's wall_ms. ERR_INVALID: no token of this form;
     * ERR_DENIED: of none of these pools, or its signature is wrong; ERR_TIMEOUT: it has expired;
     * ERR_NOMEM, and the store's errors. */
    enum err (*verify)(void *self, struct txn *txn, const struct str *pool_arns, size_t n_pools,
                       struct str token, struct cognito_identity *ret);
    /* Whether `arn` is that of a pool that exists. ERR_NOT_FOUND; ERR_INVALID: the ARN of something else. */
    enum err (*check)(void *self, struct txn *txn, struct str arn);
};

/* The port of this process's instance; NULL without one. From start on. */
static inline const struct cognito_port *cognito_port_of(const struct core *core)
{
    return core_port(core, "cognito");
}

#endif
