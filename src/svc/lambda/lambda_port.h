/* What Lambda does for other services. Reached by lambda_port_of. */
#ifndef WEIR_SVC_LAMBDA_LAMBDA_PORT_H
#define WEIR_SVC_LAMBDA_LAMBDA_PORT_H

#include "core/core.h"

struct lambda_port {
    void *self;
    /* Stages an asynchronous invocation of `function_arn` with `payload` (JSON) in `txn` (P2).
     * `service_principal` (e.g. "s3.amazonaws.com") must be allowed by the function's policy for
     * `source_arn` and `source_account`. ERR_NOT_FOUND, ERR_DENIED, ERR_LIMIT. */
    enum err (*invoke_async)(void *self, struct txn *txn, struct str function_arn,
                             struct str payload, struct str service_principal,
                             struct str source_arn, struct str source_account);
    /* Whether the function exists and its policy allows the principal: what
     * PutBucketNotificationConfiguration validates. ERR_NOT_FOUND, ERR_DENIED. */
    enum err (*check_target)(void *self, struct txn *txn, struct str function_arn,
                             struct str service_principal, struct str source_arn,
                             struct str source_account);
};

/* The port of this process's instance; NULL without one. From start on. */
static inline const struct lambda_port *lambda_port_of(const struct core *core)
{
    return core_port(core, "lambda");
}

#endif
