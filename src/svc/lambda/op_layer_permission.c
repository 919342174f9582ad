/* AddLayerVersionPermission, RemoveLayerVersionPermission, GetLayerVersionPolicy: the resource policy of a
 * layer version, which is part of its record.
 *
 * Layer: svc. Thread: the call's. */
#include "base/rng.h"
#include "svc/lambda/lambda_int.h"

#define POLICY_API "GetLayerVersionPolicy"

static enum err put_policy(struct call *call, struct lambda_layer_version *layer)
{
    char id[RNG_UUID_LEN + 1];
    layer->policy.revision = str_dup(call->arena, rng_uuid(id));
    if (!str_is_set(layer->policy.revision))
        return ERR_NOMEM;
    return lambda_layer_put(call->txn, lambda_of(call), layer);
}

enum err
lambda_add_layer_version_permission(struct call *call,
                                    const struct lambda_add_layer_version_permission_input *in,
                                    struct lambda_add_layer_version_permission_output *out)
{
    struct lambda_layer_version *layer;
    const struct statement_condition condition = {"StringEquals", "aws:PrincipalOrgID",
                                                  in->organization_id};

    TRY(lambda_layer_of_call(call, in->layer_name, in->version_number, &layer));
    TRY(lambda_policy_check_revision(call, in->revision_id, layer->policy.revision, POLICY_API));
    const struct lambda_grant grant = {
        .sid = in->statement_id,
        .principal = in->principal,
        .action = in->action,
        .resource = lambda_layer_arn(call->arena, call->partition, &layer->name),
        .conditions = &condition,
        .n_conditions = 1,
    };
    if (!str_is_set(grant.resource))
        return ERR_NOMEM;
    TRY(lambda_policy_grant(call, &grant, &layer->policy, &out->statement));
    TRY(put_policy(call, layer));
    out->revision_id = layer->policy.revision;
    return ERR_OK;
}

enum err lambda_remove_layer_version_permission(
    struct call *call, const struct lambda_remove_layer_version_permission_input *in,
    struct lambda_remove_layer_version_permission_output *out)
{
    struct lambda_layer_version *layer;

    TRY(lambda_layer_of_call(call, in->layer_name, in->version_number, &layer));
    TRY(lambda_policy_needed(call, &layer->policy));
    TRY(lambda_policy_check_revision(call, in->revision_id, layer->policy.revision, POLICY_API));
    TRY(lambda_policy_revoke(call, in->statement_id, &layer->policy));
    return put_policy(call, layer);
}

enum err lambda_get_layer_version_policy(struct call *call,
                                         const struct lambda_get_layer_version_policy_input *in,
                                         struct lambda_get_layer_version_policy_output *out)
{
    struct lambda_layer_version *layer;

    TRY(lambda_layer_of_call(call, in->layer_name, in->version_number, &layer));
    TRY(lambda_policy_needed(call, &layer->policy));
    TRY(core_policy_shown(call->core, call->arena, layer->policy.document, &out->policy));
    out->revision_id = layer->policy.revision;
    return ERR_OK;
}
