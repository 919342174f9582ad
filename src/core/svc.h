/* What a service gives the core: its generated tables, its instance, and a few questions that only
 * it can answer. main.c makes one struct svc per service.
 *
 * Layer: core. */
#ifndef WEIR_CORE_SVC_H
#define WEIR_CORE_SVC_H

#include "auth/policy.h"
#include "core/call.h"

struct svc {
    const struct wire_service *wire; /* generated: operations, routes, errors */
    void *self;
    /* Resource-based policy document (JSON text) attached to `arn`: bucket policy, queue policy,
     * function policy, topic policy. STR_NONE when there is none. NULL: the service has none.
     * Runs inside the call's transaction; the call may be another service's. */
    enum err (*resource_policy)(struct call *call, struct str arn, struct str *ret_json);
    /* Puts the resource's real ARN in place of what the spec's template made of the request, where
     * the request alone does not say it (the path of an IAM role). NULL: the template is right. */
    enum err (*real_resource)(struct call *call, struct str *resource);
    /* Adds the service's condition keys (s3:prefix, sqs:..., dynamodb:LeadingKeys) for this
     * request. NULL: none. */
    enum err (*auth_context)(struct call *call, const void *in, struct policy_context *ctx);
    /* Further (action, resource) pairs that this request needs besides the spec's, e.g. the source
     * of CopyObject, or iam:PassRole. Calls call_authorize for each. NULL: none. */
    enum err (*authorize_more)(struct call *call, const void *in);
};

/* Checks one more permission for the caller; ERR_FAILED with the service's access-denied error set
 * when it is not granted. */
enum err call_authorize(struct call *call, const char *action, struct str resource_arn) WARN_UNUSED;

/* For a service that itself decides by a policy about the caller (a role's trust policy): fills
 * *ret_req with the caller and his policies, and `ctx` (initialised here, in the call's arena) with
 * the global condition keys. The service adds its keys, action, resource and resource policy. */
void call_policy_request(struct call *call, struct policy_context *ctx,
                         struct policy_request *ret_req);

#endif
