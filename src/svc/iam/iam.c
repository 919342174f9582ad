/* The service's life: made, loaded from the store, registered.
 *
 * Layer: svc. */
#include "svc/iam/iam.h"

#include "base/arn.h"
#include "base/mem.h"
#include "base/rng.h"
#include "core/secret.h"
#include "svc/iam/iam_provider.h"
#include "svc/iam/iam_used.h"

static void fill_port(struct iam *iam);

static void release(void *self)
{
    struct iam *iam = self;
    iam_uses_free(iam->uses);
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
    if (!err)
        err = iam_uses_new(iam, &iam->uses);
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
    TRY(iam_catalogue_load(iam, txn));
    return iam_uses_load(iam->uses, txn);
}

static enum err start(void *self)
{
    struct iam *iam = self;
    TRY(txn_run_now(iam->core, load, iam));
    iam_uses_start(iam->uses);
    return ERR_OK;
}

static void drain(void *self, void (*done)(void *arg), void *arg)
{
    struct iam *iam = self;
    iam_uses_drain(iam->uses, done, arg);
}

/* Credentials of GetSessionToken without MFA, and those of GetFederationToken, may not change or read
 * identities (STS API Reference). */
static enum err authorize_more(struct call *call, const void *in)
{
    const struct principal *who = call->who;
    if (who->token_issued_ms != 0 && (who->kind == PRINCIPAL_USER || who->kind == PRINCIPAL_ROOT ||
                                      who->kind == PRINCIPAL_FEDERATED))
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
    if (call->op->index == IAM_OP_CREATE_OPEN_ID_CONNECT_PROVIDER) {
        *resource = iam_provider_arn(iam_of(call), call->arena, call->account,
                                     iam_provider_url(arn_tail(&arn, 1)));
        return str_is_set(*resource) ? ERR_OK : ERR_NOMEM;
    }
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
    .drain = drain,
    .release = release,
    .port = port,
    .identity = iam_identity,
    .real_resource = real_resource,
    .auth_context = iam_auth_context,
    .resource_tags = iam_resource_tags,
    .authorize_more = authorize_more,
    .grants = iam_grants,
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

/* Temporary keys are not kept: while there is one account, it is theirs. */
static enum err port_key_account(void *self, struct str access_key, struct arena *arena,
                                 struct str *ret_account)
{
    struct iam *iam = self;
    struct principal who;
    if (iam_is_temporary(access_key)) {
        *ret_account = iam->core->cfg.account;
        return iam->core->more_accounts ? ERR_NOT_FOUND : ERR_OK;
    }
    const struct identity_port *id = &iam->core->identity;
    enum err err = id->principal(id->self, access_key, STR_NONE, arena, &who);
    if (err == ERR_OK)
        *ret_account = who.account;
    return err == ERR_INVALID || err == ERR_DENIED ? ERR_NOT_FOUND : err;
}

static void fill_port(struct iam *iam)
{
    iam->port = (struct iam_port){
        .self = iam,
        .role = port_role,
        .managed_policy = port_managed_policy,
        .web_provider = iam_web_provider,
        .key_account = port_key_account,
        .mint = iam_mint,
        .open_token = iam_open_token,
    };
}
