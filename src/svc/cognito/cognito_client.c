/* Clients of pools: how requests name them, prove their secret, and what they are allowed.
 *
 * Source: Cognito developer guide, "Computing secret hash values", "Application-specific settings with
 * app clients", "Managing error responses".
 * Layer: svc/cognito. Thread: the transaction's. */
#include "codec/base64.h"
#include "svc/cognito/cognito_int.h"

static enum err missing(struct call *call, struct str id)
{
    return call_error(call, &cognito_err_resource_not_found_exception,
                      "User pool client " STR_FMT " does not exist.", STR_ARG(id));
}

enum err cognito_client_need(struct call *call, const struct cognito_pool *pool, struct str id,
                             const struct cognito_client **ret)
{
    void *object;
    enum err err =
        catalogue_get(cognito_of(call)->clients, call->txn,
                      key_make(call->arena, &cognito_k_client, pool->rec.id, id), &object);
    if (err == ERR_NOT_FOUND)
        return missing(call, id);
    TRY(err);
    *ret = object;
    return ERR_OK;
}

enum err cognito_rate(struct call *call, struct str pool_id)
{
    /* Once a call, however often it begins anew. */
    struct str taken;
    enum err err = cognito_kept(call, "rate", &taken);
    if (err != ERR_NOT_FOUND)
        return err;
    if (!cognito_rate_take(cognito_of(call)->rates, pool_id, call->txn->now_ms))
        return call_error(call, &cognito_err_too_many_requests_exception, "Too many requests");
    return cognito_keep(call, "rate", STR("taken"));
}

enum err cognito_client_open(struct call *call, struct str id, const struct cognito_pool **ret_pool,
                             const struct cognito_client **ret)
{
    struct cognito *c = cognito_of(call);
    void *object;
    enum err err = catalogue_get_by(c->clients, call->txn, COGNITO_CLIENTS_BY_ID, id, &object);
    if (err == ERR_NOT_FOUND)
        return missing(call, id);
    TRY(err);
    struct cognito_client *client = object;
    err = cognito_pool_find(c, call->txn, client->rec.pool_id, ret_pool);
    if (err == ERR_NOT_FOUND)
        return missing(call, id);
    TRY(err);
    *ret = client;
    return cognito_rate(call, client->rec.pool_id);
}

enum err cognito_client_secret(struct txn *txn, const struct cognito_client *client,
                               struct str *ret)
{
    *ret = STR_NONE;
    if (!str_is_set(client->rec.secret))
        return ERR_OK;
    return secret_open(txn->core, txn->arena, client->set.client_id, client->rec.secret, ret);
}

struct str cognito_secret_hash_of(struct arena *a, const struct cognito_client *client,
                                  struct str secret, struct str username)
{
    uint8_t mac[HASH_SHA256_LEN];
    struct str said =
        str_fmt(a, STR_FMT STR_FMT, STR_ARG(username), STR_ARG(client->set.client_id));
    if (!str_is_set(said))
        return STR_NONE;
    hmac_sha256(secret.p, secret.len, said.p, said.len, mac);
    return base64_encode(a, mac, sizeof(mac));
}

enum err cognito_secret_hash(struct call *call, const struct cognito_client *client,
                             struct str username, struct str hash)
{
    struct str secret, want = STR_NONE;
    TRY(cognito_client_secret(call->txn, client, &secret));
    if (!str_is_set(secret) && !str_is_set(hash))
        return ERR_OK;
    if (!str_is_set(hash))
        return COGNITO_REFUSED(
            call, "Client " STR_FMT " is configured with secret but SECRET_HASH was not received",
            STR_ARG(client->set.client_id));
    if (str_is_set(secret)) {
        want = cognito_secret_hash_of(call->arena, client, secret, username);
        if (!str_is_set(want))
            return ERR_NOMEM;
        if (str_eq_consttime(want, hash))
            return ERR_OK;
    }
    return COGNITO_REFUSED(call, "Unable to verify secret hash for client " STR_FMT,
                           STR_ARG(client->set.client_id));
}

bool cognito_flow_allowed(const struct cognito_client *client, const char *name, const char *old)
{
    const struct cognito_explicit_auth_flows_list_type *flows = &client->set.explicit_auth_flows;
    static const struct str by_default[] = {STR_INIT("ALLOW_REFRESH_TOKEN_AUTH"),
                                            STR_INIT("ALLOW_USER_SRP_AUTH"),
                                            STR_INIT("ALLOW_CUSTOM_AUTH")};
    if (flows->n == 0)
        return cognito_has(by_default, ARRAY_LEN(by_default), str_c(name));
    return COGNITO_HAS(*flows, str_c(name)) || (old && COGNITO_HAS(*flows, str_c(old)));
}

static int64_t unit_ms(struct str unit, int64_t otherwise)
{
    if (str_eq_c(unit, "seconds"))
        return 1000;
    if (str_eq_c(unit, "minutes"))
        return COGNITO_MINUTE_MS;
    if (str_eq_c(unit, "hours"))
        return 60 * COGNITO_MINUTE_MS;
    return str_eq_c(unit, "days") ? COGNITO_DAY_MS : otherwise;
}

int64_t cognito_validity_ms(const struct cognito_client *client, enum cognito_use use)
{
    const struct cognito_user_pool_client_type *s = &client->set;
    const struct cognito_token_validity_units_type none = {0};
    const struct cognito_token_validity_units_type *u =
        s->token_validity_units ? s->token_validity_units : &none;
    const int64_t hour = 60 * COGNITO_MINUTE_MS;
    if (use == COGNITO_REFRESH)
        return (s->has_refresh_token_validity && s->refresh_token_validity > 0
                    ? s->refresh_token_validity
                    : 30) *
               unit_ms(u->refresh_token, COGNITO_DAY_MS);
    if (use == COGNITO_ID)
        return (s->has_id_token_validity ? s->id_token_validity : 1) * unit_ms(u->id_token, hour);
    return (s->has_access_token_validity ? s->access_token_validity : 1) *
           unit_ms(u->access_token, hour);
}

bool cognito_hides_users(const struct cognito_client *client)
{
    return str_eq_c(client->set.prevent_user_existence_errors, "ENABLED");
}

enum err cognito_claimed_user(struct cognito_act *act, const struct cognito_claimed *claimed,
                              struct cognito_user *ret)
{
    struct call *call = act->call;
    TRY(cognito_client_open(call, claimed->client_id, &act->pool, &act->client));
    TRY(cognito_secret_hash(call, act->client, claimed->username, claimed->secret_hash));
    enum err err = cognito_user_find(call->txn, act->pool, claimed->username, ret);
    if (err == ERR_NOT_FOUND && !cognito_hides_users(act->client))
        return call_error(call, &cognito_err_user_not_found_exception, "%s", claimed->absent);
    return err;
}
