/* AssumeRole: whether the role's trust policy and the caller's own policies let him, and a session
 * of the role for as long as both sides allow.
 *
 * The trust policy must allow. One that names the caller himself (or anyone) is enough within the
 * account; one that names the account leaves it to the caller's identity policies.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "base/arn.h"
#include "svc/sts/sts_int.h"

static enum err not_authorised(struct call *call, const char *action, struct str role_arn)
{
    return call_error(call, &sts_err_access_denied,
                      "User: " STR_FMT " is not authorized to perform: %s on resource: " STR_FMT,
                      STR_ARG(call->who->arn), action, STR_ARG(role_arn));
}

static enum err check_input(struct call *call, const struct sts_assume_role_input *in)
{
    if (str_is_set(in->serial_number) || str_is_set(in->token_code))
        return call_error(call, &sts_err_access_denied,
                          "MultiFactorAuthentication failed: MFA devices are not supported.");
    if (in->provided_contexts.n > 0)
        return call_error(call, &sts_err_not_implemented, "ProvidedContexts is not supported.");
    return ERR_OK;
}

/* --- who asks --------------------------------------------------------------------------------- */

static enum err check_trust(struct call *call, const struct sts_assume_role_input *in,
                            const struct iam_assumable *role, const char *action)
{
    enum err err = call_allowed_by(call, action, role->arn, role->trust);
    return err == ERR_DENIED ? not_authorised(call, action, in->role_arn) : err;
}

/* A source identity stays what it was in all sessions that follow, each of whose roles must allow it. */
static enum err check_source(struct call *call, const struct sts_assume_role_input *in,
                             const struct iam_assumable *role)
{
    struct str was = call->who->source_identity;
    if (!str_is_set(in->source_identity) && !str_is_set(was))
        return ERR_OK;
    if (str_is_set(in->source_identity) && str_is_set(was) && !str_eq(in->source_identity, was))
        return not_authorised(call, "sts:SetSourceIdentity", in->role_arn);
    return check_trust(call, in, role, "sts:SetSourceIdentity");
}

enum err sts_authorize_assume_role(struct call *call, const struct sts_assume_role_input *in)
{
    struct sts *sts = call->svc;
    struct iam_assumable role;
    struct arn arn;
    if (arn_parse_as(in->role_arn, "iam", "role", &arn) != ERR_OK)
        return call_error(call, &sts_err_validation, STR_FMT " is invalid", STR_ARG(in->role_arn));
    if (call->who->kind == PRINCIPAL_FEDERATED)
        return not_authorised(call, "sts:AssumeRole", in->role_arn);
    enum err err = sts->iam->role(sts->iam->self, in->role_arn, call->arena, &role);
    if (err ==
        ERR_NOT_FOUND) /* says no more of a role that is not there than of one that refuses */
        return not_authorised(call, "sts:AssumeRole", in->role_arn);
    TRY(err);
    TRY(check_trust(call, in, &role, "sts:AssumeRole"));
    TRY(check_source(call, in, &role));
    return in->tags.n > 0 || call->who->n_transitive_keys > 0
               ? check_trust(call, in, &role, "sts:TagSession")
               : ERR_OK;
}

enum err sts_assume_role(struct call *call, const struct sts_assume_role_input *in,
                         struct sts_assume_role_output *out)
{
    struct sts *sts = call->svc;
    struct iam_assumable role;
    TRY(check_input(call, in));
    enum err err = sts->iam->role(sts->iam->self, in->role_arn, call->arena, &role);
    if (err == ERR_NOT_FOUND) /* deleted since the caller was authorised */
        return not_authorised(call, "sts:AssumeRole", in->role_arn);
    TRY(err);
    assert(str_is_set(role.id) && str_is_set(role.name));
    struct str source = call->who->source_identity;
    struct iam_session session = {
        .kind = PRINCIPAL_ROLE,
        .id = role.id,
        .session_name = in->role_session_name,
        .source_identity = str_is_set(source) ? source : in->source_identity,
    };
    TRY(sts_session_duration(call, in->has_duration_seconds, in->duration_seconds, &role,
                             &session));
    TRY(sts_session_policies(call, wire_account_in(role.arn), in->policy, &in->policy_arns,
                             &session));
    TRY(sts_session_tags(call, &in->tags, in->transitive_tag_keys.v, in->transitive_tag_keys.n,
                         true, &session));
    TRY(sts_credentials(call, &session, &out->credentials));
    TRY(sts_assumed_role(call, &role, in->role_session_name, &out->assumed_role_user));
    out->has_packed_policy_size = sts_packed_size(&session, &out->packed_policy_size);
    out->source_identity = session.source_identity;
    return ERR_OK;
}
