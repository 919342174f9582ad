/* GetCallerIdentity, GetSessionToken and DecodeAuthorizationMessage.
 *
 * Layer: svc. Thread: the call's loop. */
#include "svc/sts/sts_int.h"

/* Needs no permission, and none can take it away. */
enum err sts_get_caller_identity(struct call *call, const struct sts_get_caller_identity_input *in,
                                 struct sts_get_caller_identity_output *out)
{
    out->user_id = call->who->user_id;
    out->account = call->who->account;
    out->arn = call->who->arn;
    return ERR_OK;
}

enum err sts_get_session_token(struct call *call, const struct sts_get_session_token_input *in,
                               struct sts_get_session_token_output *out)
{
    const struct principal *who = call->who;
    bool root = who->kind == PRINCIPAL_ROOT;
    if (who->token_issued_ms != 0 || (!root && who->kind != PRINCIPAL_USER))
        return call_error(call, &sts_err_access_denied,
                          "Cannot call GetSessionToken with session credentials");
    if (str_is_set(in->serial_number) || str_is_set(in->token_code))
        return call_error(call, &sts_err_access_denied,
                          "MultiFactorAuthentication failed, must provide both MFA serial number "
                          "and one time pass code: MFA devices are not supported.");
    int64_t duration_s = in->has_duration_seconds ? in->duration_seconds : STS_SESSION_DEFAULT_S;
    if (root)
        duration_s = min_i64(duration_s, STS_SESSION_ROOT_MAX_S);
    struct iam_session session = {.kind = who->kind,
                                  .id = root ? who->account : who->user_id,
                                  .issued_ms = call->txn->wall_ms,
                                  .expires_ms = call->txn->wall_ms + duration_s * 1000};
    return sts_credentials(call, &session, &out->credentials);
}

/* No service here answers with an encoded message (EC2's do): what Weir refuses is said in the clear, and nothing that
 * anybody brings is one of its own. */
enum err sts_decode_authorization_message(struct call *call,
                                          const struct sts_decode_authorization_message_input *in,
                                          struct sts_decode_authorization_message_output *out)
{
    return call_error(call, &sts_err_invalid_authorization_message_exception,
                      "Message is not valid");
}
