/* CreateUserPoolClient, DescribeUserPoolClient, UpdateUserPoolClient, DeleteUserPoolClient,
 * ListUserPoolClients.
 * Layer: svc/cognito. Thread: the call's. Source: Cognito user pools API Reference. */
#include "svc/cognito/cognito_int.h"

enum { ID_LEN = 26, SECRET_LEN = 51, REFRESH_DAYS = 30, SESSION_MINUTES = 3 };
#define ID_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789"

/* --- checks ------------------------------------------------------------------------------------- */

static enum err check_supported(struct call *call, const struct cognito_user_pool_client_type *c)
{
    if (c->analytics_configuration)
        return COGNITO_INVALID(call, "AnalyticsConfiguration is not supported by Weir.");
    if (c->enable_propagate_additional_user_context_data)
        return COGNITO_INVALID(
            call, "EnablePropagateAdditionalUserContextData is not supported by Weir.");
    if (c->refresh_token_rotation && str_eq_c(c->refresh_token_rotation->feature, "ENABLED"))
        return COGNITO_INVALID(call, "RefreshTokenRotation is not supported by Weir.");
    for (size_t i = 0; i < c->supported_identity_providers.n; i++)
        if (!str_eq_c(c->supported_identity_providers.v[i], "COGNITO"))
            return COGNITO_INVALID(
                call, "The provider " STR_FMT " does not exist for User Pool " STR_FMT ".",
                STR_ARG(c->supported_identity_providers.v[i]), STR_ARG(c->user_pool_id));
    if (COGNITO_HAS(c->explicit_auth_flows, STR("ALLOW_USER_AUTH")))
        return COGNITO_INVALID(call, "ALLOW_USER_AUTH is not supported by Weir.");
    return ERR_OK;
}

static enum err check_flows(struct call *call, const struct cognito_user_pool_client_type *c)
{
    size_t allow = 0;
    for (size_t i = 0; i < c->explicit_auth_flows.n; i++)
        allow += str_starts(c->explicit_auth_flows.v[i], STR("ALLOW_"));
    if (allow && allow != c->explicit_auth_flows.n)
        return COGNITO_INVALID(call, "Clients may not mix new and legacy auth flows.");
    return ERR_OK;
}

static enum err check_validity(struct call *call, const struct cognito_client *client)
{
    const int64_t refresh = cognito_validity_ms(client, COGNITO_REFRESH);
    const int64_t access = cognito_validity_ms(client, COGNITO_ACCESS);
    const int64_t id = cognito_validity_ms(client, COGNITO_ID);
    if (access < 5 * COGNITO_MINUTE_MS || access > COGNITO_DAY_MS || id < 5 * COGNITO_MINUTE_MS ||
        id > COGNITO_DAY_MS || refresh < 60 * COGNITO_MINUTE_MS ||
        refresh > 3650 * COGNITO_DAY_MS || refresh < access || refresh < id)
        return COGNITO_INVALID(call, "Invalid range for token validity.");
    return ERR_OK;
}

/* Absolute, without a fragment, and of a scheme that no network reads on its way, but for loopback. */
static bool url_valid(struct str url)
{
    size_t colon = str_find(url, ':');
    if (colon == SIZE_MAX || colon == 0 || str_find(url, '#') != SIZE_MAX)
        return false;
    if (str_starts(url, STR("http://")))
        return str_starts(url, STR("http://localhost")) || str_starts(url, STR("http://127.0.0.1"));
    return true;
}

static enum err check_scopes(struct call *call, const struct cognito_user_pool_client_type *c)
{
    static const char *const known[] = {"phone", "email", "openid", "profile", COGNITO_SCOPE_ADMIN};
    for (size_t i = 0; i < c->allowed_o_auth_scopes.n; i++) {
        struct str scope = c->allowed_o_auth_scopes.v[i], record;
        size_t slash = str_rfind(scope, '/');
        bool found = false;
        for (size_t j = 0; j < ARRAY_LEN(known); j++)
            found |= str_eq_c(scope, known[j]);
        if (!found && slash != SIZE_MAX) {
            enum err err = txn_get(
                call->txn,
                key_make(call->arena, &cognito_k_server, c->user_pool_id, str_sub(scope, 0, slash)),
                &record);
            if (err != ERR_OK && err != ERR_NOT_FOUND)
                return err;
            found = err == ERR_OK;
        }
        if (!found)
            return call_error(call, &cognito_err_scope_does_not_exist_exception,
                              "Invalid scope requested: " STR_FMT, STR_ARG(scope));
    }
    return ERR_OK;
}

static enum err check_oauth(struct call *call, const struct cognito_client *client)
{
    const struct cognito_user_pool_client_type *c = &client->set;
    const bool machine = COGNITO_HAS(c->allowed_o_auth_flows, STR("client_credentials"));
    const bool browser = COGNITO_HAS(c->allowed_o_auth_flows, STR("code")) ||
                         COGNITO_HAS(c->allowed_o_auth_flows, STR("implicit"));
    if (machine && browser)
        return call_error(call, &cognito_err_invalid_o_auth_flow_exception,
                          "client_credentials flow can not be selected along with code flow or "
                          "implicit flow.");
    if (machine && !str_is_set(client->rec.secret))
        return call_error(call, &cognito_err_invalid_o_auth_flow_exception,
                          "client_credentials flow can not be selected if client does not have a "
                          "client secret.");
    if ((machine || browser) && c->allowed_o_auth_scopes.n == 0)
        return call_error(call, &cognito_err_invalid_o_auth_flow_exception,
                          "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool "
                          "client is allowed to use OAuth flows.");
    for (size_t i = 0; i < c->callback_urls.n; i++)
        if (!url_valid(c->callback_urls.v[i]))
            return COGNITO_INVALID(call, "Invalid callback URL: " STR_FMT,
                                   STR_ARG(c->callback_urls.v[i]));
    for (size_t i = 0; i < c->logout_urls.n; i++)
        if (!url_valid(c->logout_urls.v[i]))
            return COGNITO_INVALID(call, "Invalid logout URL: " STR_FMT,
                                   STR_ARG(c->logout_urls.v[i]));
    if (str_is_set(c->default_redirect_uri) &&
        !COGNITO_HAS(c->callback_urls, c->default_redirect_uri))
        return COGNITO_INVALID(call, "Invalid default redirect URI: it must be a callback URL.");
    return check_scopes(call, c);
}

static void fill_defaults(struct call *call, struct cognito_user_pool_client_type *c)
{
    if (!c->has_refresh_token_validity || c->refresh_token_validity == 0)
        WIRE_SET(c, refresh_token_validity, REFRESH_DAYS);
    if (!c->has_enable_token_revocation)
        WIRE_SET(c, enable_token_revocation, true);
    if (!c->has_auth_session_validity)
        WIRE_SET(c, auth_session_validity, SESSION_MINUTES);
    WIRE_SET(c, enable_propagate_additional_user_context_data, false);
    if (!c->has_allowed_o_auth_flows_user_pool_client)
        WIRE_SET(c, allowed_o_auth_flows_user_pool_client, false);
    WIRE_SET(c, last_modified_date, call->txn->wall_ms);
}

static enum err check(struct call *call, struct cognito_client *client)
{
    TRY(check_supported(call, &client->set));
    fill_defaults(call, &client->set);
    TRY(check_flows(call, &client->set));
    TRY(check_validity(call, client));
    return check_oauth(call, client);
}

/* --- making and changing ------------------------------------------------------------------------ */

static enum err show(struct call *call, const struct cognito_client *client,
                     const struct cognito_user_pool_client_type **ret)
{
    struct cognito_user_pool_client_type *shown =
        ARENA_NEW(call->arena, struct cognito_user_pool_client_type);
    if (!shown)
        return ERR_NOMEM;
    *shown = client->set;
    *ret = shown;
    return cognito_client_secret(call->txn, client, &shown->client_secret);
}

enum err cognito_create_user_pool_client(struct call *call,
                                         const struct cognito_create_user_pool_client_input *in,
                                         struct cognito_create_user_pool_client_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_client client = {0};
    if (str_is_set(in->client_secret))
        return COGNITO_INVALID(call, "Weir makes client secrets itself: ClientSecret is not "
                                     "supported, GenerateSecret is.");
    wire_copy_same(call->op->input, in, cognito_client_shape(), &client.set);
    TRY(check_supported(call, &client.set));
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(cognito_pool_guard(call->txn, pool));
    client.set.client_id = cognito_random_text(call->arena, ID_LEN, ID_LETTERS);
    if (!str_is_set(client.set.client_id))
        return ERR_NOMEM;
    client.rec.pool_id = pool->rec.id;
    if (in->generate_secret) {
        struct str secret = cognito_random_text(call->arena, SECRET_LEN, ID_LETTERS);
        if (!str_is_set(secret))
            return ERR_NOMEM;
        TRY(secret_close(call->core, call->arena, client.set.client_id, secret,
                         &client.rec.secret));
    }
    TRY(check(call, &client));
    WIRE_SET(&client.set, creation_date, call->txn->wall_ms);
    TRY(cognito_client_save(cognito_of(call), call->txn, &client));
    return show(call, &client, &out->user_pool_client);
}

enum err cognito_describe_user_pool_client(struct call *call,
                                           const struct cognito_describe_user_pool_client_input *in,
                                           struct cognito_describe_user_pool_client_output *out)
{
    const struct cognito_pool *pool;
    const struct cognito_client *client;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(cognito_client_need(call, pool, in->client_id, &client));
    return show(call, client, &out->user_pool_client);
}

enum err cognito_update_user_pool_client(struct call *call,
                                         const struct cognito_update_user_pool_client_input *in,
                                         struct cognito_update_user_pool_client_output *out)
{
    const struct cognito_pool *pool;
    const struct cognito_client *known;
    void *object;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(cognito_client_need(call, pool, in->client_id, &known));
    TRY(cognito_pool_guard(call->txn, pool));
    enum err err = catalogue_read(
        cognito_of(call)->clients, call->txn,
        key_make(call->arena, &cognito_k_client, pool->rec.id, in->client_id), &object);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_CONFLICT : err;
    struct cognito_client *client = object;
    const struct cognito_user_pool_client_type old = client->set;
    client->set =
        (struct cognito_user_pool_client_type){.client_name = old.client_name,
                                               .creation_date = old.creation_date,
                                               .has_creation_date = old.has_creation_date};
    wire_copy_same(call->op->input, in, cognito_client_shape(), &client->set);
    TRY(check(call, client));
    TRY(cognito_client_save(cognito_of(call), call->txn, client));
    return show(call, client, &out->user_pool_client);
}

enum err cognito_delete_user_pool_client(struct call *call,
                                         const struct cognito_delete_user_pool_client_input *in,
                                         struct cognito_delete_user_pool_client_output *out)
{
    const struct cognito_pool *pool;
    const struct cognito_client *client;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(cognito_client_need(call, pool, in->client_id, &client));
    return catalogue_del(cognito_of(call)->clients, call->txn,
                         key_make(call->arena, &cognito_k_client, pool->rec.id, in->client_id));
}

/* --- listing ------------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    struct cognito_user_pool_client_description *v;
    size_t n;
};

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct cognito_client_rec rec = {0};
    struct cognito_user_pool_client_type set = {0};
    TRY(record_unpack_copy(&cognito_client_rec_type, l->call->arena, record, &rec));
    TRY(wire_kept(&cognito_service, cognito_client_shape(), rec.settings, l->call->arena, &set));
    l->v[l->n++] = (struct cognito_user_pool_client_description){
        .client_id = set.client_id, .user_pool_id = rec.pool_id, .client_name = set.client_name};
    return ERR_OK;
}

enum err cognito_list_user_pool_clients(struct call *call,
                                        const struct cognito_list_user_pool_clients_input *in,
                                        struct cognito_list_user_pool_clients_output *out)
{
    static const struct page_fns fns = {NULL, take};
    struct listing l = {.call = call};
    size_t limit = in->has_max_results ? (size_t)in->max_results : COGNITO_LIST_MAX;
    const struct cognito_pool *pool;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    l.v = ARENA_ARRAY(call->arena, struct cognito_user_pool_client_description, limit);
    if (!l.v)
        return ERR_NOMEM;
    struct page page = page_of_call(call, pool->rec.id, in->next_token, limit);
    struct key_range range = key_range(call->arena, &cognito_k_client, pool->rec.id);
    TRY(cognito_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->user_pool_clients.v = l.v;
    out->user_pool_clients.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
