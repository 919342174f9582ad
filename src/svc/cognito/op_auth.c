/* InitiateAuth, RespondToAuthChallenge, their Admin forms, GetTokensFromRefreshToken, RevokeToken.
 * Layer: svc/cognito. Thread: the call's. Source: Cognito user pools API Reference. */
#include "svc/cognito/cognito_int.h"

/* What of a sign-in is told: one shape under four names. */
#define TELL(at, out)                                                                              \
    do {                                                                                           \
        const struct tag_list params_ = {(at)->params, (at)->n_params};                            \
        (out)->challenge_name = (at)->challenge;                                                   \
        (out)->session = (at)->session_told;                                                       \
        (out)->authentication_result = (at)->result;                                               \
        TAGS_INTO((out)->challenge_parameters, params_);                                           \
    } while (0)

enum err cognito_initiate_auth(struct call *call, const struct cognito_initiate_auth_input *in,
                               struct cognito_initiate_auth_output *out)
{
    struct cognito_auth at = {.act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)},
                              .flow = in->auth_flow,
                              .parameters = TAGS_FROM(in->auth_parameters)};
    TRY(cognito_client_open(call, in->client_id, &at.act.pool, &at.act.client));
    TRY(cognito_auth_begin(&at));
    TELL(&at, out);
    return ERR_OK;
}

enum err cognito_admin_initiate_auth(struct call *call,
                                     const struct cognito_admin_initiate_auth_input *in,
                                     struct cognito_admin_initiate_auth_output *out)
{
    struct cognito_auth at = {.act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)},
                              .admin = true,
                              .flow = in->auth_flow,
                              .parameters = TAGS_FROM(in->auth_parameters)};
    TRY(cognito_pool_need(call, in->user_pool_id, &at.act.pool));
    TRY(cognito_client_need(call, at.act.pool, in->client_id, &at.act.client));
    TRY(cognito_auth_begin(&at));
    TELL(&at, out);
    return ERR_OK;
}

enum err cognito_respond_to_auth_challenge(struct call *call,
                                           const struct cognito_respond_to_auth_challenge_input *in,
                                           struct cognito_respond_to_auth_challenge_output *out)
{
    struct cognito_auth at = {.act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)},
                              .challenge_asked = in->challenge_name,
                              .session_asked = in->session,
                              .parameters = TAGS_FROM(in->challenge_responses)};
    TRY(cognito_client_open(call, in->client_id, &at.act.pool, &at.act.client));
    TRY(cognito_auth_answer(&at));
    TELL(&at, out);
    return ERR_OK;
}

enum err cognito_admin_respond_to_auth_challenge(
    struct call *call, const struct cognito_admin_respond_to_auth_challenge_input *in,
    struct cognito_admin_respond_to_auth_challenge_output *out)
{
    struct cognito_auth at = {.act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)},
                              .admin = true,
                              .challenge_asked = in->challenge_name,
                              .session_asked = in->session,
                              .parameters = TAGS_FROM(in->challenge_responses)};
    TRY(cognito_pool_need(call, in->user_pool_id, &at.act.pool));
    TRY(cognito_client_need(call, at.act.pool, in->client_id, &at.act.client));
    TRY(cognito_auth_answer(&at));
    TELL(&at, out);
    return ERR_OK;
}

/* --- by secret, not by hash --------------------------------------------------------------------- */

static enum err check_secret(struct call *call, const struct cognito_client *client,
                             struct str given)
{
    struct str secret;
    TRY(cognito_client_secret(call->txn, client, &secret));
    if (str_is_set(secret) == str_is_set(given) &&
        (!str_is_set(secret) || str_eq_consttime(secret, given)))
        return ERR_OK;
    return COGNITO_REFUSED(call, "Client authentication failed for " STR_FMT,
                           STR_ARG(client->set.client_id));
}

enum err
cognito_get_tokens_from_refresh_token(struct call *call,
                                      const struct cognito_get_tokens_from_refresh_token_input *in,
                                      struct cognito_get_tokens_from_refresh_token_output *out)
{
    struct cognito_act act = {.call = call, .metadata = TAGS_FROM(in->client_metadata)};
    struct cognito_session s;
    struct cognito_user user;
    struct cognito_authentication_result_type *result =
        ARENA_NEW(call->arena, struct cognito_authentication_result_type);
    if (!result)
        return ERR_NOMEM;
    if (str_is_set(in->device_key))
        return COGNITO_INVALID(call, "Remembered devices are not supported by Weir.");
    TRY(cognito_client_open(call, in->client_id, &act.pool, &act.client));
    TRY(check_secret(call, act.client, in->client_secret));
    TRY(cognito_refresh_open(call, act.client, in->refresh_token, &s, &user));
    TRY(cognito_tokens(&(struct cognito_grant){.act = &act,
                                               .user = &user,
                                               .auth_ms = s.auth_ms,
                                               .origin = s.origin,
                                               .scope = s.scope,
                                               .source = "TokenGeneration_RefreshTokens",
                                               .id = true},
                       result));
    out->authentication_result = result;
    return ERR_OK;
}

enum err cognito_revoke_token(struct call *call, const struct cognito_revoke_token_input *in,
                              struct cognito_revoke_token_output *out)
{
    const struct cognito_pool *pool;
    const struct cognito_client *client;
    struct cognito_session s;
    struct jwt jwt;
    TRY(cognito_client_open(call, in->client_id, &pool, &client));
    TRY(check_secret(call, client, in->client_secret));
    if (!client->set.enable_token_revocation)
        return call_error(call, &cognito_err_unsupported_operation_exception,
                          "Token revocation is not enabled for the client.");
    if (jwt_parse(in->token, call->arena, &jwt) == ERR_OK)
        return call_error(call, &cognito_err_unsupported_token_type_exception,
                          "Only refresh tokens can be revoked.");
    enum err err = cognito_refresh_read(call->txn, in->token, &s);
    if (err == ERR_INVALID)
        return ERR_OK; /* RFC 7009: what is no token is as good as revoked */
    TRY(err);
    if (!str_eq(s.client_id, client->set.client_id))
        return call_error(call, &cognito_err_unauthorized_exception,
                          "The token was issued to another client.");
    return cognito_revoke(call->txn, cognito_of(call), s.pool_id, s.origin,
                          cognito_validity_ms(client, COGNITO_REFRESH));
}
