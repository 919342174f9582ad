/* GetFederationToken: credentials for somebody whom a user vouches for, within policies that he names; and whose
 * account an access key is.
 *
 * Source: STS API Reference, GetFederationToken, GetAccessKeyInfo.
 * Layer: svc. Thread: the call's loop. */
#include "base/arn.h"
#include "svc/sts/sts_int.h"

enum err sts_get_federation_token(struct call *call,
                                  const struct sts_get_federation_token_input *in,
                                  struct sts_get_federation_token_output *out)
{
    const struct principal *who = call->who;
    bool root = who->kind == PRINCIPAL_ROOT;
    if (who->token_issued_ms != 0 || (!root && who->kind != PRINCIPAL_USER))
        return call_error(call, &sts_err_access_denied,
                          "Cannot call GetFederationToken with session credentials");
    int64_t duration_s = in->has_duration_seconds ? in->duration_seconds : STS_SESSION_DEFAULT_S;
    if (root)
        duration_s = min_i64(duration_s, STS_SESSION_ROOT_MAX_S);
    struct iam_session session = {.kind = PRINCIPAL_FEDERATED,
                                  .id = root ? who->account : who->user_id,
                                  .session_name = in->name,
                                  .issued_ms = call->txn->wall_ms,
                                  .expires_ms = call->txn->wall_ms + duration_s * 1000};
    TRY(sts_session_policies(call, who->account, in->policy, &in->policy_arns, &session));
    TRY(sts_session_tags(call, &in->tags, NULL, 0, false, &session));
    TRY(sts_credentials(call, &session, &out->credentials));
    struct sts_federated_user *user = ARENA_NEW(call->arena, struct sts_federated_user);
    if (!user)
        return ERR_NOMEM;
    const struct arn arn = {
        .partition = call->partition, .service = STR("sts"), .account = who->account};
    user->arn = arn_make(call->arena, &arn, "federated-user/" STR_FMT, STR_ARG(in->name));
    user->federated_user_id =
        str_fmt(call->arena, STR_FMT ":" STR_FMT, STR_ARG(who->account), STR_ARG(in->name));
    if (!str_is_set(user->arn) || !str_is_set(user->federated_user_id))
        return ERR_NOMEM;
    out->federated_user = user;
    out->has_packed_policy_size = sts_packed_size(&session, &out->packed_policy_size);
    return ERR_OK;
}

enum err sts_get_access_key_info(struct call *call, const struct sts_get_access_key_info_input *in,
                                 struct sts_get_access_key_info_output *out)
{
    struct sts *sts = call->svc;
    enum err err =
        sts->iam->key_account(sts->iam->self, in->access_key_id, call->arena, &out->account);
    return err == ERR_NOT_FOUND ? call_error(call, &sts_err_validation,
                                             "Invalid value for parameter AccessKeyId: " STR_FMT,
                                             STR_ARG(in->access_key_id))
                                : err;
}
