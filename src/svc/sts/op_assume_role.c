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

/* --- what is asked for ------------------------------------------------------------------------ */

static enum err check_input(struct call *call, const struct sts_assume_role_input *in)
{
    if (str_is_set(in->serial_number) || str_is_set(in->token_code))
        return call_error(call, &sts_err_access_denied,
                          "MultiFactorAuthentication failed: MFA devices are not supported.");
    if (str_is_set(in->source_identity))
        return call_error(call, &sts_err_not_implemented, "SourceIdentity is not supported.");
    if (in->provided_contexts.n > 0)
        return call_error(call, &sts_err_not_implemented, "ProvidedContexts is not supported.");
    if (in->transitive_tag_keys.n > 0)
        return call_error(call, &sts_err_not_implemented, "TransitiveTagKeys is not supported.");
    if (in->policy_arns.n > IAM_SESSION_POLICY_ARNS_MAX)
        return call_error(call, &sts_err_validation,
                          "You can provide up to %d managed policies for a session.",
                          IAM_SESSION_POLICY_ARNS_MAX);
    return ERR_OK;
}

/* AWS's own, or one of the role's account. */
static bool may_limit(struct str policy_arn, const struct iam_assumable *role)
{
    struct arn arn;
    return str_is_set(policy_arn) && arn_parse_as(policy_arn, "iam", NULL, &arn) == ERR_OK &&
           (str_eq_c(arn.account, "aws") || str_eq(arn.account, wire_account_in(role->arn)));
}

static enum err session_policies(struct call *call, const struct sts_assume_role_input *in,
                                 const struct iam_assumable *role, struct iam_session *session)
{
    struct sts *sts = call->svc;
    if (str_is_set(in->policy)) {
        const char *why = NULL;
        if (in->policy.len > STS_POLICY_CHARS)
            return call_error(call, &sts_err_packed_policy_too_large_exception,
                              "The session policy is longer than %d characters.", STS_POLICY_CHARS);
        enum err err =
            core_policy_check(call->core, call->arena, POLICY_IDENTITY, in->policy, &why);
        if (err == ERR_INVALID || err == ERR_LIMIT)
            return call_error(call, &sts_err_malformed_policy_document_exception, "%s", why);
        TRY(err);
        session->policy_json = in->policy;
    }
    struct str *arns = ARENA_ARRAY(call->arena, struct str, in->policy_arns.n + 1);
    if (!arns)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->policy_arns.n; i++) {
        arns[i] = in->policy_arns.v[i].arn;
        enum err err = may_limit(arns[i], role)
                           ? sts->iam->managed_policy(sts->iam->self, arns[i], call->arena)
                           : ERR_NOT_FOUND;
        if (err == ERR_NOT_FOUND)
            return call_error(call, &sts_err_validation, "The policy " STR_FMT " does not exist.",
                              STR_ARG(arns[i]));
        TRY(err);
    }
    session->policy_arns = arns;
    session->n_policy_arns = in->policy_arns.n;
    return ERR_OK;
}

static enum err session_tags(struct call *call, const struct sts_assume_role_input *in,
                             struct iam_session *session)
{
    struct principal_tag *tags = ARENA_ARRAY(call->arena, struct principal_tag, in->tags.n + 1);
    if (!tags)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->tags.n; i++) {
        for (size_t k = 0; k < i; k++)
            if (str_eq_nocase(tags[k].key, in->tags.v[i].key))
                return call_error(call, &sts_err_validation,
                                  "Duplicate tag keys found. Please note that Tag keys are case "
                                  "insensitive.");
        tags[i] = (struct principal_tag){in->tags.v[i].key, in->tags.v[i].value};
    }
    session->tags = tags;
    session->n_tags = in->tags.n;
    return ERR_OK;
}

static enum err session_duration(struct call *call, const struct sts_assume_role_input *in,
                                 const struct iam_assumable *role, struct iam_session *session)
{
    int64_t duration_s = in->has_duration_seconds ? in->duration_seconds : STS_DURATION_DEFAULT_S;
    session->chained = call->who->kind == PRINCIPAL_ROLE;
    if (session->chained && duration_s > STS_CHAINED_MAX_S)
        return call_error(
            call, &sts_err_validation,
            "The requested DurationSeconds exceeds the 1 hour session limit for roles "
            "assumed by role chaining.");
    if (duration_s > role->max_session_s)
        return call_error(call, &sts_err_validation,
                          "The requested DurationSeconds exceeds the MaxSessionDuration set for "
                          "this role.");
    session->issued_ms = call->txn->wall_ms;
    session->expires_ms = session->issued_ms + duration_s * 1000;
    return ERR_OK;
}

/* --- who asks --------------------------------------------------------------------------------- */

static enum err check_trust(struct call *call, const struct sts_assume_role_input *in,
                            const struct iam_assumable *role, const char *action)
{
    enum err err = call_allowed_by(call, action, role->arn, role->trust);
    return err == ERR_DENIED ? not_authorised(call, action, in->role_arn) : err;
}

enum err sts_authorize_assume_role(struct call *call, const struct sts_assume_role_input *in)
{
    struct sts *sts = call->svc;
    struct iam_assumable role;
    enum err err = sts->iam->role(sts->iam->self, in->role_arn, call->arena, &role);
    if (err ==
        ERR_NOT_FOUND) /* says no more of a role that is not there than of one that refuses */
        return not_authorised(call, "sts:AssumeRole", in->role_arn);
    TRY(err);
    TRY(check_trust(call, in, &role, "sts:AssumeRole"));
    return in->tags.n > 0 ? check_trust(call, in, &role, "sts:TagSession") : ERR_OK;
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
    struct iam_session session = {
        .kind = PRINCIPAL_ROLE, .id = role.id, .session_name = in->role_session_name};
    TRY(session_duration(call, in, &role, &session));
    TRY(session_policies(call, in, &role, &session));
    TRY(session_tags(call, in, &session));
    TRY(sts_credentials(call, &session, &out->credentials));

    struct sts_assumed_role_user *user = ARENA_NEW(call->arena, struct sts_assumed_role_user);
    if (!user)
        return ERR_NOMEM;
    user->assumed_role_id =
        str_fmt(call->arena, STR_FMT ":" STR_FMT, STR_ARG(role.id), STR_ARG(in->role_session_name));
    user->arn =
        str_fmt(call->arena, "arn:" STR_FMT ":sts::" STR_FMT ":assumed-role/" STR_FMT "/" STR_FMT,
                STR_ARG(call->partition), STR_ARG(wire_account_in(role.arn)), STR_ARG(role.name),
                STR_ARG(in->role_session_name));
    if (!str_is_set(user->assumed_role_id) || !str_is_set(user->arn))
        return ERR_NOMEM;
    out->assumed_role_user = user;
    if (session.n_policy_arns > 0 || str_is_set(session.policy_json) || session.n_tags > 0)
        WIRE_SET(out, packed_policy_size, (int64_t)(in->policy.len * 100 / STS_POLICY_CHARS + 1));
    return ERR_OK;
}
