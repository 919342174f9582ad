/* Tokens: ID and access tokens, signed with the pool's key, and refresh tokens, sealed under the store's.
 *
 * An origin_jti ends in 12 digits of the user's epoch, which is drawn anew when the user is signed out
 * everywhere: so a token says by itself whether it is from before that (CG7).
 *
 * Source: Cognito developer guide, "Understanding user pool JSON web tokens", "Revoking a token",
 * "Pre token generation Lambda trigger" (events of version 1 and 2).
 * Layer: svc/cognito. Thread: the call's; signing is work (CG2). */
#include "base/arn.h"
#include "base/rng.h"
#include "codec/base64.h"
#include "svc/cognito/cognito_int.h"

enum { KEY_BITS = 2048, ORIGIN_EPOCH_LEN = 12, SKEW_MS = 0 };
#define REFRESH_BOUND "cognito/refresh"

/* --- the key ------------------------------------------------------------------------------------ */

static enum err make_key(struct cognito *c, struct txn *txn, const struct cognito_pool *pool,
                         struct str key)
{
    struct jwt_key *fresh;
    struct str der, sealed;
    TRY(txn_work(txn, TXN_SLICE_WORK + 1)); /* a tenth of a second: not on a loop */
    TRY(cognito_pool_guard(txn, pool));
    TRY(jwt_key_generate_rsa(KEY_BITS, STR_NONE, &fresh));
    enum err err = jwt_key_der(fresh, txn->arena, &der);
    jwt_key_free(fresh);
    TRY(err);
    TRY(secret_close(c->core, txn->arena, key, der, &sealed));
    return catalogue_put(c->keys, txn, key, sealed);
}

struct str cognito_key_key(struct arena *a, const struct cognito_pool *pool,
                           enum cognito_key_use use)
{
    return key_make(a, use == COGNITO_KEY_ID ? &cognito_k_id_key : &cognito_k_access_key,
                    pool->rec.id);
}

enum err cognito_key_need(struct cognito *c, struct txn *txn, const struct cognito_pool *pool,
                          enum cognito_key_use use, struct jwt_key **ret)
{
    void *object;
    struct str key = cognito_key_key(txn->arena, pool, use);
    enum err err = catalogue_get(c->keys, txn, key, &object);
    if (err == ERR_NOT_FOUND) {
        /* Two that find none conflict: the record is read by both. */
        err = catalogue_read(c->keys, txn, key, &object);
        if (err == ERR_NOT_FOUND) {
            TRY(make_key(c, txn, pool, key));
            err = catalogue_read(c->keys, txn, key, &object);
        }
    }
    TRY(err);
    *ret = ((struct cognito_key *)object)->key;
    return ERR_OK;
}

/* --- claims ------------------------------------------------------------------------------------- */

/* A token as it is being made. */
struct making {
    const struct cognito_grant *g;
    const struct cognito_pool *pool;
    struct cognito_groups groups;
    const struct json *id_override, *access_override, *groups_override; /* NULL: none */
    struct str origin, event_id;
    int64_t now_s;
};

static bool says_list(const struct json *list, struct str name)
{
    JSON_EACH (list, it)
        if (str_eq(it->text, name))
            return true;
    return false;
}

/* A claim is left out when the trigger suppresses it or gives another value. */
static bool may_write(const struct json *override, struct str name)
{
    return !says_list(json_get(override, STR("claimsToSuppress")), name) &&
           !json_get(json_get(override, STR("claimsToAddOrOverride")), name);
}

static void claim(struct json_out *o, const struct json *override, const char *name,
                  struct str value)
{
    if (str_is_set(value) && may_write(override, str_c(name)))
        json_kv_str(o, str_c(name), value);
}

/* Claims that no trigger may change. */
static bool reserved(struct str name)
{
    static const char *const names[] = {"acr",
                                        "amr",
                                        "at_hash",
                                        "auth_time",
                                        "azp",
                                        "exp",
                                        "iat",
                                        "iss",
                                        "jti",
                                        "nbf",
                                        "nonce",
                                        "origin_jti",
                                        "sub",
                                        "token_use",
                                        "aud",
                                        "client_id",
                                        "cognito:username",
                                        "username",
                                        "event_id"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(name, names[i]))
            return true;
    return false;
}

static void put_overrides(struct json_out *o, const struct json *override)
{
    JSON_EACH (json_get(override, STR("claimsToAddOrOverride")), it) {
        if (reserved(it->key))
            continue;
        json_key(o, it->key);
        json_tree(o, it);
    }
}

static void put_groups(struct json_out *o, const struct making *m, const struct json *override,
                       bool id)
{
    const struct json *given = json_get(m->groups_override, STR("groupsToOverride"));
    const struct json *roles = json_get(m->groups_override, STR("iamRolesToOverride"));
    struct str preferred = json_get_str(m->groups_override, STR("preferredRole"));
    if ((given ? given->n : m->groups.n) > 0 && may_write(override, STR("cognito:groups"))) {
        json_key(o, STR("cognito:groups"));
        if (given)
            json_tree(o, given);
        else {
            json_open(o, '[');
            for (size_t i = 0; i < m->groups.n; i++)
                json_str(o, m->groups.v[i].name);
            json_close(o, ']');
        }
    }
    if (!id)
        return;
    bool any = roles && roles->n;
    for (size_t i = 0; i < m->groups.n && !roles; i++)
        if (str_is_set(m->groups.v[i].role)) {
            if (!any)
                preferred = str_is_set(preferred) ? preferred : m->groups.v[i].role;
            any = true;
        }
    claim(o, override, "cognito:preferred_role", preferred);
    if (!any || !may_write(override, STR("cognito:roles")))
        return;
    json_key(o, STR("cognito:roles"));
    if (roles) {
        json_tree(o, roles);
        return;
    }
    json_open(o, '[');
    for (size_t i = 0; i < m->groups.n; i++)
        if (str_is_set(m->groups.v[i].role))
            json_str(o, m->groups.v[i].role);
    json_close(o, ']');
}

static void put_common(struct json_out *o, const struct making *m, const char *use,
                       int64_t validity_ms)
{
    char jti[RNG_UUID_LEN + 1];
    json_kv_str(o, STR("iss"), m->pool->issuer);
    json_kv_str(o, STR("origin_jti"), m->origin);
    json_kv_str(o, STR("event_id"), m->event_id);
    json_kv_str(o, STR("token_use"), str_c(use));
    json_kv_i64(o, STR("auth_time"), m->g->auth_ms / 1000);
    json_kv_i64(o, STR("exp"), m->now_s + validity_ms / 1000);
    json_kv_i64(o, STR("iat"), m->now_s);
    json_kv_str(o, STR("jti"), rng_uuid(jti));
}

static bool may_read(const struct cognito_client *client, struct str name)
{
    return client->set.read_attributes.n == 0 || COGNITO_HAS(client->set.read_attributes, name);
}

static bool is_bool_attr(struct str name)
{
    return str_eq_c(name, "email_verified") || str_eq_c(name, "phone_number_verified");
}

static void put_attributes(struct json_out *o, const struct making *m)
{
    const struct cognito_user *user = m->g->user;
    for (size_t i = 0; i < user->n_attrs; i++) {
        struct str name = user->attrs[i].key, value = user->attrs[i].value;
        if (str_eq_c(name, "sub") || !may_read(m->g->act->client, name) ||
            !may_write(m->id_override, name))
            continue;
        if (is_bool_attr(name))
            json_kv_bool(o, name, str_eq_nocase(value, STR("true")));
        else
            json_kv_str(o, name, value);
    }
}

static enum err sign(const struct making *m, enum cognito_key_use use, struct buf *b,
                     struct str *ret)
{
    struct call *call = m->g->act->call;
    struct jwt_key *key;
    TRY(buf_err(b));
    TRY(cognito_key_need(cognito_of(call), call->txn, m->pool, use, &key));
    return jwt_sign(key, buf_str(b), call->arena, ret);
}

static enum err make_id(const struct making *m, struct str *ret)
{
    struct buf b;
    struct json_out o;
    const struct cognito_client *client = m->g->act->client;
    buf_init_arena(&b, m->g->act->call->arena, COGNITO_TOKEN_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("sub"), m->g->user->sub);
    put_groups(&o, m, m->id_override, true);
    json_kv_str(&o, STR("cognito:username"), m->g->user->name);
    json_kv_str(&o, STR("aud"), client->set.client_id);
    json_kv_str(&o, STR("nonce"), m->g->nonce);
    put_common(&o, m, "id", cognito_validity_ms(client, COGNITO_ID));
    put_attributes(&o, m);
    put_overrides(&o, m->id_override);
    json_close(&o, '}');
    return sign(m, COGNITO_KEY_ID, &b, ret);
}

/* The scopes asked for, and what the trigger adds or takes. */
static struct str scopes_of(const struct making *m)
{
    struct buf b;
    struct str rest = str_is_set(m->g->scope) ? m->g->scope : STR(COGNITO_SCOPE_ADMIN);
    buf_init_arena(&b, m->g->act->call->arena, COGNITO_TOKEN_BYTES_MAX);
    while (str_is_set(rest)) {
        struct str scope = str_cut(&rest, ' ');
        if (scope.len && !says_list(json_get(m->access_override, STR("scopesToSuppress")), scope))
            buf_add_fmt(&b, "%s" STR_FMT, b.len ? " " : "", STR_ARG(scope));
    }
    JSON_EACH (json_get(m->access_override, STR("scopesToAdd")), it)
        buf_add_fmt(&b, "%s" STR_FMT, b.len ? " " : "", STR_ARG(it->text));
    return buf_str(&b);
}

static enum err make_access(const struct making *m, struct str *ret)
{
    struct buf b;
    struct json_out o;
    const struct cognito_client *client = m->g->act->client;
    const struct cognito_user *user = m->g->user;
    buf_init_arena(&b, m->g->act->call->arena, COGNITO_TOKEN_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("sub"), user ? user->sub : client->set.client_id);
    if (user)
        put_groups(&o, m, m->access_override, false);
    if (str_is_set(m->g->scope))
        json_kv_i64(&o, STR("version"), 2);
    json_kv_str(&o, STR("client_id"), client->set.client_id);
    json_kv_str(&o, STR("scope"), scopes_of(m));
    put_common(&o, m, "access", cognito_validity_ms(client, COGNITO_ACCESS));
    if (user)
        json_kv_str(&o, STR("username"), user->name);
    put_overrides(&o, m->access_override);
    json_close(&o, '}');
    return sign(m, COGNITO_KEY_ACCESS, &b, ret);
}

/* --- refresh tokens ----------------------------------------------------------------------------- */

static enum err make_refresh(const struct making *m, struct str *ret)
{
    struct call *call = m->g->act->call;
    struct str plain, sealed;
    const struct cognito_session s = {
        .pool_id = m->pool->rec.id,
        .client_id = m->g->act->client->set.client_id,
        .user = m->g->user->name,
        .sub = m->g->user->sub,
        .epoch = m->g->user->epoch,
        .issued_ms = call->txn->wall_ms,
        .auth_ms = m->g->auth_ms,
        .origin = m->origin,
        .scope = m->g->scope,
    };
    TRY(record_make(&cognito_session_rec_type, call->arena, &s, &plain));
    TRY(secret_close(call->core, call->arena, STR(REFRESH_BOUND), plain, &sealed));
    *ret = base64url_encode(call->arena, sealed.p, sealed.len);
    return str_is_set(*ret) ? ERR_OK : ERR_NOMEM;
}

enum err cognito_refresh_read(struct txn *txn, struct str token, struct cognito_session *ret)
{
    struct str sealed, plain;
    *ret = (struct cognito_session){0};
    TRY(base64url_decode(txn->arena, token, &sealed));
    enum err err = secret_open(txn->core, txn->arena, STR(REFRESH_BOUND), sealed, &plain);
    if (err == ERR_OK)
        err = record_unpack(&cognito_session_rec_type, txn->arena, plain, ret);
    return err == ERR_CORRUPT ? ERR_INVALID : err;
}

enum err cognito_refresh_open(struct call *call, const struct cognito_client *client,
                              struct str token, struct cognito_session *ret,
                              struct cognito_user *ret_user)
{
    const struct cognito_pool *pool;
    bool revoked;
    enum err err = cognito_refresh_read(call->txn, token, ret);
    if (err == ERR_INVALID || (err == ERR_OK && !str_eq(ret->client_id, client->set.client_id)))
        return COGNITO_REFUSED(call, "Invalid Refresh Token.");
    TRY(err);
    if (ret->issued_ms + cognito_validity_ms(client, COGNITO_REFRESH) <= call->txn->wall_ms)
        return COGNITO_REFUSED(call, "Refresh Token has expired");
    TRY(cognito_pool_find(cognito_of(call), call->txn, ret->pool_id, &pool));
    TRY(cognito_is_revoked(call->txn, cognito_of(call), ret->pool_id, ret->origin, &revoked));
    err = cognito_user_find(call->txn, pool, ret->user, ret_user);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    if (revoked || err == ERR_NOT_FOUND || !str_eq(ret_user->sub, ret->sub) ||
        ret_user->epoch != ret->epoch)
        return COGNITO_REFUSED(call, "Refresh Token has been revoked");
    if (ret_user->disabled)
        return COGNITO_REFUSED(call, "User is disabled.");
    return ERR_OK;
}

/* --- making them -------------------------------------------------------------------------------- */

static void put_group_configuration(struct json_out *o, const struct making *m)
{
    struct str preferred = STR_NONE;
    json_key(o, STR("groupConfiguration"));
    json_open(o, '{');
    json_key(o, STR("groupsToOverride"));
    json_open(o, '[');
    for (size_t i = 0; i < m->groups.n; i++)
        json_str(o, m->groups.v[i].name);
    json_close(o, ']');
    json_key(o, STR("iamRolesToOverride"));
    json_open(o, '[');
    for (size_t i = 0; i < m->groups.n; i++)
        if (str_is_set(m->groups.v[i].role)) {
            json_str(o, m->groups.v[i].role);
            if (!str_is_set(preferred))
                preferred = m->groups.v[i].role;
        }
    json_close(o, ']');
    json_kv_str(o, STR("preferredRole"), preferred);
    json_close(o, '}');
}

static void put_scopes(struct json_out *o, const struct making *m)
{
    struct str rest = scopes_of(m);
    json_key(o, STR("scopes"));
    json_open(o, '[');
    while (str_is_set(rest))
        json_str(o, str_cut(&rest, ' '));
    json_close(o, ']');
}

static enum err ask_trigger(struct making *m)
{
    const struct cognito_lambda_config_type *l = m->pool->set.lambda_config;
    const bool v2 = l && l->pre_token_generation_config &&
                    str_eq_c(l->pre_token_generation_config->lambda_version, "V2_0");
    struct buf b;
    struct json_out o;
    const struct json *said;
    buf_init_arena(&b, m->g->act->call->arena, COGNITO_TOKEN_BYTES_MAX);
    json_out_init(&o, &b);
    cognito_event_begin(&o, m->g->user);
    put_group_configuration(&o, m);
    if (v2)
        put_scopes(&o, m);
    cognito_event_end(&o, m->g->act, "clientMetadata");
    TRY(buf_err(&b));
    TRY(cognito_trigger(
        m->g->act,
        &(struct cognito_event){.trigger = "PreTokenGeneration",
                                .source = m->g->source,
                                .user = m->g->user->name,
                                .request = buf_str(&b),
                                .response = v2 ? STR("{\"claimsAndScopeOverrideDetails\":null}")
                                               : STR("{\"claimsOverrideDetails\":null}")},
        &said));
    const struct json *details =
        json_get(said, v2 ? STR("claimsAndScopeOverrideDetails") : STR("claimsOverrideDetails"));
    m->id_override = v2 ? json_get(details, STR("idTokenGeneration")) : details;
    m->access_override = v2 ? json_get(details, STR("accessTokenGeneration")) : NULL;
    m->groups_override = json_get(details, STR("groupOverrideDetails"));
    return ERR_OK;
}

static struct str new_origin(struct arena *a, const struct cognito_user *user)
{
    char uuid[RNG_UUID_LEN + 1];
    rng_uuid(uuid);
    return str_fmt(a, "%.*s%012llx", RNG_UUID_LEN - ORIGIN_EPOCH_LEN, uuid,
                   (unsigned long long)(user ? user->epoch : 0));
}

enum err cognito_tokens(const struct cognito_grant *g,
                        struct cognito_authentication_result_type *ret)
{
    struct call *call = g->act->call;
    struct making m = {.g = g, .pool = g->act->pool, .now_s = call->txn->wall_ms / 1000};
    char uuid[RNG_UUID_LEN + 1];
    if (g->user) {
        TRY(cognito_groups_of(call->txn, m.pool, g->user, &m.groups));
        TRY(ask_trigger(&m));
    }
    TRY(txn_work(call->txn, COGNITO_SIGN_WORK));
    m.origin = str_is_set(g->origin) ? g->origin : new_origin(call->arena, g->user);
    m.event_id = str_dup(call->arena, rng_uuid(uuid));
    if (!str_is_set(m.origin) || !str_is_set(m.event_id))
        return ERR_NOMEM;
    *ret = (struct cognito_authentication_result_type){.token_type = STR("Bearer")};
    TRY(make_access(&m, &ret->access_token));
    if (g->id)
        TRY(make_id(&m, &ret->id_token));
    if (g->refresh)
        TRY(make_refresh(&m, &ret->refresh_token));
    WIRE_SET(ret, expires_in, cognito_validity_ms(g->act->client, COGNITO_ACCESS) / 1000);
    return ERR_OK;
}

/* --- reading them ------------------------------------------------------------------------------- */

/* The pool that a token says issued it. */
static enum err issuer_of(struct cognito *c, struct txn *txn, const struct jwt *jwt,
                          const struct cognito_pool **ret)
{
    struct str iss = json_get_str(jwt->claims, STR("iss"));
    size_t slash = str_rfind(iss, '/');
    if (slash == SIZE_MAX)
        return ERR_DENIED;
    enum err err = cognito_pool_find(c, txn, str_sub(iss, slash + 1, SIZE_MAX), ret);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !str_eq(iss, (*ret)->issuer)))
        return ERR_DENIED;
    return err;
}

/* The one of the pool's keys that a token names. ERR_DENIED: none. */
static enum err key_by_id(struct cognito *c, struct txn *txn, const struct cognito_pool *pool,
                          struct str kid, const struct jwt_key **ret)
{
    for (int use = 0; use < COGNITO_KEYS; use++) {
        void *object;
        enum err err = catalogue_get(
            c->keys, txn, cognito_key_key(txn->arena, pool, (enum cognito_key_use)use), &object);
        if (err == ERR_NOT_FOUND)
            continue;
        TRY(err);
        *ret = ((struct cognito_key *)object)->key;
        if (str_eq(kid, jwt_key_kid(*ret)))
            return ERR_OK;
    }
    return ERR_DENIED;
}

/* ERR_INVALID, ERR_DENIED, ERR_TIMEOUT as the port says them. */
static enum err verify(struct cognito *c, struct txn *txn, struct str token, struct jwt *jwt,
                       const struct cognito_pool **ret_pool)
{
    const struct jwt_key *key = NULL;
    enum err err = jwt_parse(token, txn->arena, jwt);
    if (err)
        return err == ERR_NOMEM ? err : ERR_INVALID;
    TRY(issuer_of(c, txn, jwt, ret_pool));
    TRY(key_by_id(c, txn, *ret_pool, jwt->kid, &key));
    TRY(jwt_seen_verify(c->seen, token, jwt, key));
    err = jwt_check_times(jwt, txn->wall_ms, SKEW_MS, true);
    return err == ERR_INVALID ? ERR_DENIED : err;
}

enum err cognito_verify(void *self, struct txn *txn, const struct str *pool_arns, size_t n_pools,
                        struct str token, struct cognito_identity *ret)
{
    const struct cognito_pool *pool;
    struct jwt jwt;
    int64_t exp = 0;
    TRY(verify(self, txn, token, &jwt, &pool));
    if (!cognito_has(pool_arns, n_pools, pool->arn))
        return ERR_DENIED;
    TRY(json_to_i64(json_get(jwt.claims, STR("exp")), &exp));
    *ret = (struct cognito_identity){
        .pool_arn = pool->arn,
        .use = json_get_str(jwt.claims, STR("token_use")),
        .client_id = json_get_str(jwt.claims, STR("client_id")),
        .subject = json_get_str(jwt.claims, STR("sub")),
        .scope = json_get_str(jwt.claims, STR("scope")),
        .expires_ms = exp * 1000,
        .claims = jwt.claims,
    };
    if (!str_is_set(ret->client_id))
        ret->client_id = json_get_str(jwt.claims, STR("aud"));
    return ERR_OK;
}

static bool of_epoch(struct str origin, const struct cognito_user *user)
{
    char hex[ORIGIN_EPOCH_LEN + 5];
    int n = snprintf(hex, sizeof(hex), "%012llx", (unsigned long long)user->epoch);
    return n == ORIGIN_EPOCH_LEN && str_ends(origin, str_n(hex, ORIGIN_EPOCH_LEN));
}

/* The user of the token, as things stand. */
static enum err bearer_user(struct call *call, const struct jwt *jwt, struct cognito_bearer *b)
{
    bool revoked;
    void *client;
    enum err err = catalogue_get_by(cognito_of(call)->clients, call->txn, COGNITO_CLIENTS_BY_ID,
                                    json_get_str(jwt->claims, STR("client_id")), &client);
    if (err == ERR_NOT_FOUND)
        return COGNITO_REFUSED(call, "Invalid Access Token");
    TRY(err);
    b->client = client;
    TRY(cognito_is_revoked(call->txn, cognito_of(call), b->pool->rec.id, b->origin, &revoked));
    err =
        cognito_user_find(call->txn, b->pool, json_get_str(jwt->claims, STR("username")), &b->user);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !jwt_claim_has(jwt, STR("sub"), b->user.sub)))
        return call_error(call, &cognito_err_user_not_found_exception, "User does not exist.");
    TRY(err);
    if (revoked || !of_epoch(b->origin, &b->user))
        return COGNITO_REFUSED(call, "Access Token has been revoked");
    return b->user.disabled ? COGNITO_REFUSED(call, "User is disabled.") : ERR_OK;
}

enum err cognito_bearer(struct call *call, struct str token, struct cognito_bearer *ret)
{
    struct jwt jwt;
    *ret = (struct cognito_bearer){0};
    enum err err = verify(cognito_of(call), call->txn, token, &jwt, &ret->pool);
    if (err == ERR_TIMEOUT)
        return COGNITO_REFUSED(call, "Access Token has expired");
    if (err == ERR_INVALID || err == ERR_DENIED ||
        (err == ERR_OK && !jwt_claim_has(&jwt, STR("token_use"), STR("access"))))
        return COGNITO_REFUSED(call, "Invalid Access Token");
    TRY(err);
    TRY(cognito_rate(call, ret->pool->rec.id));
    ret->origin = json_get_str(jwt.claims, STR("origin_jti"));
    ret->scope = json_get_str(jwt.claims, STR("scope"));
    TRY(bearer_user(call, &jwt, ret));
    if (!cognito_has_scope(ret->scope, COGNITO_SCOPE_ADMIN) &&
        call->op->service == &cognito_service && call->op >= cognito_service.ops &&
        call->op < cognito_service.ops + cognito_service.n_ops)
        return COGNITO_REFUSED(call, "Access Token does not have required scopes");
    return ERR_OK;
}
