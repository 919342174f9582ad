/* The service's life: made, loaded from the store, registered.
 *
 * Layer: svc. */
#include "svc/iam/iam.h"

#include "base/mem.h"
#include "base/rng.h"
#include "svc/iam/iam_int.h"

static void fill_port(struct iam *iam);

static enum err make(struct core *core, void **ret_self)
{
    struct iam *iam = mem_calloc(1, sizeof(*iam));
    if (!iam)
        return ERR_NOMEM;
    iam->core = core;
    enum err e = iam_memory_init(iam);
    if (e != ERR_OK) {
        mem_free(iam);
        return e;
    }
    fill_port(iam);
    *ret_self = iam;
    return ERR_OK;
}

static void release(void *self)
{
    struct iam *iam = self;
    iam_memory_release(iam);
    mem_free(iam);
}

static enum err load_token_key(struct iam *iam, struct txn *txn)
{
    struct str key = key_prefix_vals(txn->arena, &iam_k_token_key, NULL, 0), value;
    enum err e = txn_get(txn, key, &value);
    if (e == ERR_NOT_FOUND) {
        rng_bytes(iam->token_key, sizeof(iam->token_key));
        return txn_put(txn, key, str_n((const char *)iam->token_key, sizeof(iam->token_key)));
    }
    TRY(e);
    if (value.len != sizeof(iam->token_key))
        return ERR_CORRUPT;
    memcpy(iam->token_key, value.p, value.len);
    return ERR_OK;
}

static enum err load(struct txn *txn, void *arg)
{
    struct iam *iam = arg;
    TRY(load_token_key(iam, txn));
    return iam_memory_load(iam, txn);
}

static enum err start(void *self)
{
    struct iam *iam = self;
    return txn_run_now(iam->core, load, iam);
}

/* Credentials of GetSessionToken without MFA may not change or read identities (STS API Reference,
 * GetSessionToken). */
static enum err authorize_more(struct call *call, const void *in)
{
    const struct principal *who = call->who;
    if (who->token_issued_ms != 0 && (who->kind == PRINCIPAL_USER || who->kind == PRINCIPAL_ROOT))
        return call_error(call, &iam_err_unknown_key,
                          "The security token included in the request is invalid");
    return ERR_OK;
}

/* A request names a user or role without its path, and a user may leave out himself: the ARN that
 * policies speak of has both. */
static enum err real_resource(struct call *call, struct str *resource)
{
    struct iam *iam = iam_of(call);
    size_t slash = str_rfind(*resource, '/');
    bool user = str_find_str(*resource, STR(":user/")) != SIZE_MAX;
    bool role = str_find_str(*resource, STR(":role/")) != SIZE_MAX;
    if ((!user && !role) || slash == SIZE_MAX)
        return ERR_OK;
    struct str name = str_sub(*resource, slash + 1, resource->len);
    bool self = user && (name.len == 0 || str_eq_c(name, "*"));
    if (self && call->who->kind == PRINCIPAL_USER) {
        *resource = call->who->arn;
        return ERR_OK;
    }
    struct iam_known *known = iam_find(iam, user ? IAM_USER : IAM_ROLE, name);
    if (!known)
        return ERR_OK;
    struct str arn = str_dup(call->arena, known->arn);
    iam_known_unref(known);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    *resource = arn;
    return ERR_OK;
}

static const void *port(void *self)
{
    struct iam *iam = self;
    return &iam->port;
}

const struct svc_def iam_def = {
    .wire = &iam_service,
    .make = make,
    .start = start,
    .release = release,
    .port = port,
    .identity = iam_identity,
    .real_resource = real_resource,
    .auth_context = iam_auth_context,
    .authorize_more = authorize_more,
};

/* --- port ------------------------------------------------------------------------------------- */

static enum err port_role(void *self, struct str role_arn, struct arena *arena,
                          struct iam_assumable *ret_role)
{
    struct iam_known *k = iam_find_role_arn(self, role_arn);
    if (!k)
        return ERR_NOT_FOUND;
    struct iam_assumable r = {.name = str_dup(arena, k->e->name),
                              .arn = str_dup(arena, k->arn),
                              .id = str_dup(arena, k->e->id),
                              .trust_json = str_dup(arena, k->e->trust),
                              .max_session_s = k->e->max_session_s};
    iam_known_unref(k);
    if (!str_is_set(r.name) || !str_is_set(r.arn) || !str_is_set(r.id) || !str_is_set(r.trust_json))
        return ERR_NOMEM;
    *ret_role = r;
    return ERR_OK;
}

static enum err port_managed_policy(void *self, struct str policy_arn)
{
    struct iam_doc *doc = iam_find_doc(self, policy_arn);
    iam_doc_unref(doc);
    return doc ? ERR_OK : ERR_NOT_FOUND;
}

static void fill_port(struct iam *iam)
{
    iam->port = (struct iam_port){
        .self = iam,
        .role = port_role,
        .managed_policy = port_managed_policy,
        .mint = iam_mint,
        .open_token = iam_open_token,
    };
}
