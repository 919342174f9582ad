/* CreateUserPoolDomain, DescribeUserPoolDomain, DeleteUserPoolDomain; resource servers.
 * Layer: svc/cognito. Thread: the call's. Source: Cognito user pools API Reference. */
#include "svc/cognito/cognito_int.h"

enum { SERVERS_MAX = 50 };

/* The stored pool with another domain (absent: none). */
static enum err set_domain(struct call *call, const struct cognito_pool *known, struct str domain)
{
    struct cognito *c = cognito_of(call);
    const struct key_scope scope = {known->rec.account, known->rec.region};
    void *object;
    enum err err = catalogue_read(
        c->pools, call->txn, key_make(call->arena, &cognito_k_pool, scope, known->rec.id), &object);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_CONFLICT : err;
    struct cognito_pool *pool = object;
    pool->set.domain = domain;
    return cognito_pool_save(c, call->txn, pool);
}

enum err cognito_create_user_pool_domain(struct call *call,
                                         const struct cognito_create_user_pool_domain_input *in,
                                         struct cognito_create_user_pool_domain_output *out)
{
    static const char *const reserved[] = {"aws", "amazon", "cognito"};
    const struct cognito_pool *pool;
    struct str owner, key = key_make(call->arena, &cognito_k_domain, in->domain);
    if (in->custom_domain_config ||
        (in->has_managed_login_version && in->managed_login_version != 1))
        return COGNITO_INVALID(call, "Of domains, Weir supports prefixes with ManagedLoginVersion "
                                     "1: CustomDomainConfig is not supported.");
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (str_find_str(in->domain, str_c(reserved[i])) != SIZE_MAX)
            return COGNITO_INVALID(call, "Domain cannot contain reserved word: %s", reserved[i]);
    if (str_is_set(pool->set.domain))
        return COGNITO_INVALID(call, "User pool already has a domain configured.");
    enum err err = txn_get(call->txn, key, &owner);
    if (err == ERR_OK)
        return COGNITO_INVALID(call, "Domain already associated with another user pool.");
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(txn_put(call->txn, key, pool->rec.id));
    WIRE_SET(out, managed_login_version, 1);
    return set_domain(call, pool, in->domain);
}

enum err cognito_describe_user_pool_domain(struct call *call,
                                           const struct cognito_describe_user_pool_domain_input *in,
                                           struct cognito_describe_user_pool_domain_output *out)
{
    struct cognito_domain_description_type *d =
        ARENA_NEW(call->arena, struct cognito_domain_description_type);
    const struct cognito_pool *pool;
    struct str id;
    if (!d)
        return ERR_NOMEM;
    out->domain_description = d; /* empty: there is none */
    enum err err = txn_get(call->txn, key_make(call->arena, &cognito_k_domain, in->domain), &id);
    if (err == ERR_OK)
        err = cognito_pool_find(cognito_of(call), call->txn, id, &pool);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (!str_eq(pool->rec.account, call->account) || !str_eq(pool->rec.region, call->region))
        return ERR_OK;
    *d = (struct cognito_domain_description_type){.user_pool_id = id,
                                                  .aws_account_id = pool->rec.account,
                                                  .domain = in->domain,
                                                  .version = STR("1"),
                                                  .status = STR("ACTIVE")};
    WIRE_SET(d, managed_login_version, 1);
    return ERR_OK;
}

enum err cognito_delete_user_pool_domain(struct call *call,
                                         const struct cognito_delete_user_pool_domain_input *in,
                                         struct cognito_delete_user_pool_domain_output *out)
{
    const struct cognito_pool *pool;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    if (!str_eq(pool->set.domain, in->domain))
        return COGNITO_INVALID(call, "No such domain or user pool exists.");
    TRY(txn_del(call->txn, key_make(call->arena, &cognito_k_domain, in->domain)));
    return set_domain(call, pool, STR_NONE);
}

/* --- resource servers --------------------------------------------------------------------------- */

static const struct wire_shape *server_shape(void)
{
    return wire_shape_of(cognito_service.ops[COGNITO_OP_DESCRIBE_RESOURCE_SERVER].output,
                         STR("ResourceServer"));
}

static enum err read_server(struct call *call, struct str pool_id, struct str identifier,
                            struct cognito_resource_server_type *ret)
{
    struct str json;
    *ret = (struct cognito_resource_server_type){0};
    enum err err =
        txn_get(call->txn, key_make(call->arena, &cognito_k_server, pool_id, identifier), &json);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &cognito_err_resource_not_found_exception,
                          "Resource server " STR_FMT " does not exist.", STR_ARG(identifier));
    TRY(err);
    return wire_kept(&cognito_service, server_shape(), json, call->arena, ret);
}

static enum err write_server(struct call *call, const struct cognito_pool *pool,
                             const struct cognito_resource_server_type *s,
                             const struct cognito_resource_server_type **ret)
{
    struct str json;
    struct cognito_resource_server_type *shown =
        ARENA_NEW(call->arena, struct cognito_resource_server_type);
    if (!shown)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->scopes.n; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(s->scopes.v[i].scope_name, s->scopes.v[j].scope_name))
                return COGNITO_INVALID(call, "Duplicate scope " STR_FMT,
                                       STR_ARG(s->scopes.v[i].scope_name));
    TRY(cognito_pool_guard(call->txn, pool));
    TRY(wire_keep(server_shape(), s, call->arena, &json));
    *shown = *s;
    *ret = shown;
    return txn_put(call->txn, key_make(call->arena, &cognito_k_server, pool->rec.id, s->identifier),
                   json);
}

enum err cognito_create_resource_server(struct call *call,
                                        const struct cognito_create_resource_server_input *in,
                                        struct cognito_create_resource_server_output *out)
{
    const struct cognito_pool *pool;
    struct str old;
    struct cognito_resource_server_type s = {in->user_pool_id, in->identifier, in->name,
                                             in->scopes};
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    enum err err = txn_get(
        call->txn, key_make(call->arena, &cognito_k_server, pool->rec.id, in->identifier), &old);
    if (err == ERR_OK)
        return COGNITO_INVALID(call, STR_FMT " already exists in user pool " STR_FMT ".",
                               STR_ARG(in->identifier), STR_ARG(pool->rec.id));
    if (err != ERR_NOT_FOUND)
        return err;
    return write_server(call, pool, &s, &out->resource_server);
}

enum err cognito_update_resource_server(struct call *call,
                                        const struct cognito_update_resource_server_input *in,
                                        struct cognito_update_resource_server_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_resource_server_type s;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(read_server(call, pool->rec.id, in->identifier, &s));
    s.name = in->name;
    s.scopes = in->scopes;
    return write_server(call, pool, &s, &out->resource_server);
}

enum err cognito_describe_resource_server(struct call *call,
                                          const struct cognito_describe_resource_server_input *in,
                                          struct cognito_describe_resource_server_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_resource_server_type *s =
        ARENA_NEW(call->arena, struct cognito_resource_server_type);
    if (!s)
        return ERR_NOMEM;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(read_server(call, pool->rec.id, in->identifier, s));
    out->resource_server = s;
    return ERR_OK;
}

enum err cognito_delete_resource_server(struct call *call,
                                        const struct cognito_delete_resource_server_input *in,
                                        struct cognito_delete_resource_server_output *out)
{
    const struct cognito_pool *pool;
    struct cognito_resource_server_type s;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    TRY(read_server(call, pool->rec.id, in->identifier, &s));
    return txn_del(call->txn,
                   key_make(call->arena, &cognito_k_server, pool->rec.id, in->identifier));
}

struct listing {
    struct call *call;
    struct cognito_resource_server_type *v;
    size_t n;
};

static enum err take(void *arg, struct str key, struct str json)
{
    struct listing *l = arg;
    struct str copy = str_dup(l->call->arena, json);
    return str_is_set(copy)
               ? wire_kept(&cognito_service, server_shape(), copy, l->call->arena, &l->v[l->n++])
               : ERR_NOMEM;
}

enum err cognito_list_resource_servers(struct call *call,
                                       const struct cognito_list_resource_servers_input *in,
                                       struct cognito_list_resource_servers_output *out)
{
    static const struct page_fns fns = {NULL, take};
    struct listing l = {.call = call};
    size_t limit = in->has_max_results ? (size_t)in->max_results : SERVERS_MAX;
    const struct cognito_pool *pool;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    l.v = ARENA_ARRAY(call->arena, struct cognito_resource_server_type, limit);
    if (!l.v)
        return ERR_NOMEM;
    struct page page = page_of_call(call, pool->rec.id, in->next_token, limit);
    struct key_range range = key_range(call->arena, &cognito_k_server, pool->rec.id);
    TRY(cognito_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->resource_servers.v = l.v;
    out->resource_servers.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
