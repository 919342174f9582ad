/* What everybody may read of a pool: its keys, and where its endpoints are (OpenID Connect Discovery 1.0).
 *
 *   GET /POOL/.well-known/jwks.json
 *   GET /POOL/.well-known/openid-configuration
 *
 * at any host that leads here: cognito-idp.REGION.amazonaws.com, which tokens name as their issuer, and
 * Weir's own address.
 *
 * Layer: svc/cognito. Thread: the call's. */
#include "svc/cognito/cognito_int.h"

enum { PAGE_MAX = 16 * 1024 };
#define JWKS "/.well-known/jwks.json"
#define DISCOVERY "/.well-known/openid-configuration"

static bool match(void *self, const struct wire_request *head)
{
    /* No bucket has '_' in its name: such a path is nobody else's. */
    struct str first = str_sub(head->path, 1, SIZE_MAX);
    return (str_ends(head->path, STR(JWKS)) || str_ends(head->path, STR(DISCOVERY))) &&
           str_find(str_cut(&first, '/'), '_') != SIZE_MAX;
}

static enum err put_keys(struct call *call, const struct cognito_pool *pool, struct json_out *o)
{
    json_open(o, '{');
    json_key(o, STR("keys"));
    json_open(o, '[');
    for (int use = 0; use < COGNITO_KEYS; use++) {
        struct jwt_key *key;
        TRY(cognito_key_need(cognito_of(call), call->txn, pool, (enum cognito_key_use)use, &key));
        jwt_key_put(o, key);
    }
    json_close(o, ']');
    json_close(o, '}');
    return ERR_OK;
}

static void put_list(struct json_out *o, const char *name, const char *const *v, size_t n)
{
    json_key(o, str_c(name));
    json_open(o, '[');
    for (size_t i = 0; i < n; i++)
        json_str(o, str_c(v[i]));
    json_close(o, ']');
}

static enum err put_discovery(struct call *call, const struct cognito_pool *pool,
                              struct json_out *o)
{
    static const char *const types[] = {"code", "token"}, *const subjects[] = {"public"},
                             *const algs[] = {"RS256"},
                             *const scopes[] = {"openid", "email", "phone", "profile"},
                             *const methods[] = {"client_secret_basic", "client_secret_post"};
    struct arena *a = call->arena;
    json_open(o, '{');
    json_kv_str(o, STR("issuer"), pool->issuer);
    json_kv_str(o, STR("jwks_uri"), str_fmt(a, STR_FMT JWKS, STR_ARG(pool->issuer)));
    put_list(o, "id_token_signing_alg_values_supported", algs, ARRAY_LEN(algs));
    put_list(o, "response_types_supported", types, ARRAY_LEN(types));
    put_list(o, "scopes_supported", scopes, ARRAY_LEN(scopes));
    put_list(o, "subject_types_supported", subjects, ARRAY_LEN(subjects));
    put_list(o, "token_endpoint_auth_methods_supported", methods, ARRAY_LEN(methods));
    if (str_is_set(pool->set.domain)) {
        struct str base = str_fmt(a, "https://" STR_FMT ".auth." STR_FMT ".amazoncognito.com",
                                  STR_ARG(pool->set.domain), STR_ARG(pool->rec.region));
        const char *const pages[][2] = {{"authorization_endpoint", "/oauth2/authorize"},
                                        {"token_endpoint", "/oauth2/token"},
                                        {"userinfo_endpoint", "/oauth2/userInfo"},
                                        {"end_session_endpoint", "/logout"}};
        for (size_t i = 0; i < ARRAY_LEN(pages); i++)
            json_kv_str(o, str_c(pages[i][0]),
                        str_fmt(a, STR_FMT "%s", STR_ARG(base), pages[i][1]));
    }
    json_close(o, '}');
    return a->failed ? ERR_NOMEM : ERR_OK;
}

static enum err serve(struct call *call, const void *in, void *out)
{
    const struct cognito_pool *pool;
    struct buf b;
    struct json_out o;
    struct str first = str_sub(call->request->path, 1, SIZE_MAX), id = str_cut(&first, '/');
    const bool keys = str_eq_c(first, JWKS + 1);
    if (!keys && !str_eq_c(first, DISCOVERY + 1))
        return call_error(call, &cognito_err_resource_not_found_exception,
                          "There is no such page.");
    if (!str_eq_c(call->request->method, "GET"))
        return COGNITO_INVALID(call, "Only GET is supported.");
    enum err err = cognito_pool_find(cognito_of(call), call->txn, id, &pool);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &cognito_err_resource_not_found_exception,
                          "User pool " STR_FMT " does not exist.", STR_ARG(id));
    TRY(err);
    buf_init_arena(&b, call->arena, PAGE_MAX);
    json_out_init(&o, &b);
    TRY(keys ? put_keys(call, pool, &o) : put_discovery(call, pool, &o));
    TRY(buf_err(&b));
    call_reply_raw(call, STR("application/json"), buf_str(&b));
    return ERR_OK;
}

static const struct wire_op keys_op = {
    .name = STR_INIT("GetKeys"),
    .service = &cognito_service,
    .flags = WIRE_OP_UNSIGNED,
    .run = serve,
};

enum err cognito_claims_register(struct cognito *c)
{
    c->keys_claim = (struct core_claim){.match = match, .op = &keys_op, .self = c};
    return core_claim(c->core, &c->keys_claim);
}
