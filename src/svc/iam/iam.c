/* The service's life: made, loaded from the store, registered.
 *
 * Layer: svc. */
#include "svc/iam/iam.h"

#include "base/arn.h"
#include "base/mem.h"
#include "base/rng.h"
#include "core/secret.h"
#include "svc/iam/iam_int.h"

static void fill_port(struct iam *iam);

static void release(void *self)
{
    struct iam *iam = self;
    iam_catalogue_release(iam);
    mem_free(iam);
}

static enum err make(struct core *core, void **ret_self)
{
    struct iam *iam = mem_calloc(1, sizeof(*iam));
    if (!iam)
        return ERR_NOMEM;
    iam->core = core;
    enum err err = iam_catalogue_init(iam);
    if (err) {
        release(iam);
        return err;
    }
    fill_port(iam);
    *ret_self = iam;
    return ERR_OK;
}

static enum err load_token_key(struct iam *iam, struct txn *txn)
{
    struct str key = key_prefix_vals(txn->arena, &iam_k_token_key, NULL, 0), value;
    enum err err = txn_get(txn, key, &value);
    if (err == ERR_NOT_FOUND) {
        rng_bytes(iam->token_key, sizeof(iam->token_key));
        value = str_n((const char *)iam->token_key, sizeof(iam->token_key));
        TRY(secret_close(iam->core, txn->arena, STR("token key"), value, &value));
        return txn_put(txn, key, value);
    }
    TRY(err);
    TRY(secret_open(iam->core, txn->arena, STR("token key"), value, &value));
    if (value.len != sizeof(iam->token_key))
        return ERR_CORRUPT;
    memcpy(iam->token_key, value.p, value.len);
    return ERR_OK;
}

static enum err load(struct txn *txn, void *arg)
{
    struct iam *iam = arg;
    TRY(load_token_key(iam, txn));
    return iam_catalogue_load(iam, txn);
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

/* Of these the resource ends in a path, not in a name. */
static bool lists_paths(size_t op)
{
    return op == IAM_OP_LIST_USERS || op == IAM_OP_LIST_ROLES || op == IAM_OP_LIST_GROUPS ||
           op == IAM_OP_LIST_INSTANCE_PROFILES;
}

/* "task/aws-service-role/SERVICE/NAME/ID" is about the role. */
static enum err role_of_task(struct call *call, const struct arn *arn, struct str *resource)
{
    struct arn role = *arn;
    struct str path = str_sub(arn->resource, 4, str_rfind(arn->resource, '/'));
    *resource = arn_make(call->arena, &role, "role" STR_FMT, STR_ARG(path));
    return str_is_set(*resource) ? ERR_OK : ERR_NOMEM;
}

/* A request names a user, role, group or profile without its path, and a user may leave out himself: the ARN that
 * policies speak of has both. */
static enum err real_resource(struct call *call, struct str *resource)
{
    struct arn arn;
    if (lists_paths(call->op->index))
        return ERR_OK;
    if (arn_parse_as(*resource, "iam", NULL, &arn) != ERR_OK)
        return ERR_OK;
    if (str_eq_c(arn_segment(&arn, 0), "task"))
        return role_of_task(call, &arn, resource);
    int kind = 0;
    while (kind < IAM_KINDS && !str_eq_c(arn_segment(&arn, 0), iam_kind_word[kind]))
        kind++;
    if (kind == IAM_KINDS)
        return ERR_OK;
    struct str name = str_sub(*resource, str_rfind(*resource, '/') + 1, resource->len);
    if (kind == IAM_USER && str_eq_c(name, "*") && call->who->kind == PRINCIPAL_USER) {
        *resource = call->who->arn;
        return ERR_OK;
    }
    const struct iam_entity *e;
    enum err err =
        iam_known_named(iam_of(call), call->account, call->arena, (enum iam_kind)kind, name, &e);
    if (err == ERR_OK)
        *resource = e->arn;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
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
    .resource_tags = iam_resource_tags,
    .authorize_more = authorize_more,
};

/* --- port ------------------------------------------------------------------------------------- */

static enum err port_role(void *self, struct str role_arn, struct arena *arena,
                          struct iam_assumable *ret_role)
{
    const struct iam_entity *e;
    TRY(iam_known_role(self, arena, role_arn, &e));
    *ret_role = (struct iam_assumable){.name = e->name,
                                       .arn = e->arn,
                                       .id = e->id,
                                       .trust = e->trust_policy,
                                       .max_session_s = e->max_session_s};
    return ERR_OK;
}

static enum err port_managed_policy(void *self, struct str policy_arn, struct arena *arena)
{
    const struct policy *policy;
    return iam_known_policy(self, arena, policy_arn, &policy);
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
