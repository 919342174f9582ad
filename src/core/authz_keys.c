/* Condition keys: which there are, and those that every request and every piece of Weir's own work
 * has. What a request of one operation has besides is in the spec (wire_keys_each) or its service's
 * hooks (svc.h).
 *
 * Source: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference.
 * Layer: core. Thread: the transaction's. */
#include "base/clock.h"
#include "core/call_int.h"
#include "core/core.h"

/* --- which there are -------------------------------------------------------------------------- */

/* Global keys. A name that ends in '/' goes on with the key of a tag, one in ':' with a word of the
 * service's (a key of an encryption context). */
static const struct str global_keys[] = {
    STR_INIT("aws:CalledVia"),
    STR_INIT("aws:CalledViaFirst"),
    STR_INIT("aws:CalledViaLast"),
    STR_INIT("aws:CurrentTime"),
    STR_INIT("aws:EpochTime"),
    STR_INIT("aws:FederatedProvider"),
    STR_INIT("aws:MultiFactorAuthPresent"),
    STR_INIT("aws:PrincipalAccount"),
    STR_INIT("aws:PrincipalArn"),
    STR_INIT("aws:PrincipalIsAWSService"),
    STR_INIT("aws:PrincipalServiceName"),
    STR_INIT("aws:PrincipalServiceNamesList"),
    STR_INIT("aws:PrincipalTag/"),
    STR_INIT("aws:PrincipalType"),
    STR_INIT("aws:Referer"),
    STR_INIT("aws:RequestedRegion"),
    STR_INIT("aws:RequestTag/"),
    STR_INIT("aws:ResourceAccount"),
    STR_INIT("aws:ResourceTag/"),
    STR_INIT("aws:SecureTransport"),
    STR_INIT("aws:SourceAccount"),
    STR_INIT("aws:SourceArn"),
    STR_INIT("aws:SourceIdentity"),
    STR_INIT("aws:SourceIp"),
    STR_INIT("aws:TagKeys"),
    STR_INIT("aws:TokenIssueTime"),
    STR_INIT("aws:UserAgent"),
    STR_INIT("aws:userid"),
    STR_INIT("aws:username"),
    STR_INIT("aws:ViaAWSService"),
    /* Absent, as on AWS from an account without organisation, endpoints in a VPC, MFA devices and
     * the like. */
    STR_INIT("aws:AssumedRoot"),
    STR_INIT("aws:ChatbotSourceArn"),
    STR_INIT("aws:Ec2InstanceSourcePrivateIPv4"),
    STR_INIT("aws:Ec2InstanceSourceVpc"),
    STR_INIT("aws:MultiFactorAuthAge"),
    STR_INIT("aws:PrincipalOrgID"),
    STR_INIT("aws:PrincipalOrgPaths"),
    STR_INIT("aws:ResourceOrgID"),
    STR_INIT("aws:ResourceOrgPaths"),
    STR_INIT("aws:SourceOrgID"),
    STR_INIT("aws:SourceOrgPaths"),
    STR_INIT("aws:SourceOwner"),
    STR_INIT("aws:SourceVpc"),
    STR_INIT("aws:SourceVpcArn"),
    STR_INIT("aws:SourceVpce"),
    STR_INIT("aws:VpceAccount"),
    STR_INIT("aws:VpceOrgID"),
    STR_INIT("aws:VpceOrgPaths"),
    STR_INIT("aws:VpcSourceIp"),
};

static bool key_fits(struct str known, struct str key)
{
    bool family = str_ends(known, STR("/")) || str_ends(known, STR(":"));
    return (family ? key.len > known.len : key.len == known.len) &&
           str_eq_nocase(str_sub(key, 0, known.len), known);
}

static bool has_key(const struct str *keys, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (key_fits(keys[i], key))
            return true;
    return false;
}

/* What stands before the colon in the actions of a service. */
static struct str prefix_of(const struct wire_service *wire)
{
    struct str action = STR_NONE;
    for (size_t i = 0; i < wire->n_ops && action.len == 0; i++)
        action = wire->ops[i].action;
    return str_cut(&action, ':');
}

/* Whether Weir gives the key the values that AWS does. Keys with the prefix of a service that Weir has
 * not are absent from requests to those that it has, on AWS as here. */
static bool key_is_known(const struct core *core, struct str key)
{
    struct str rest = key, prefix = str_cut(&rest, ':');
    if (str_eq_nocase(prefix, STR("aws")))
        return has_key(global_keys, ARRAY_LEN(global_keys), key);
    bool own = false;
    for (size_t i = 0; i < core->n_svcs; i++) {
        const struct wire_service *wire = core->svcs[i].def->wire;
        if (has_key(wire->condition_keys, wire->n_condition_keys, key))
            return true;
        own |= str_eq_nocase(prefix_of(wire), prefix);
    }
    return !own;
}

struct key_check {
    struct core *core;
    struct arena *a;
    const char *why;
};

static enum err check_key(void *arg, struct str key)
{
    struct key_check *c = arg;
    if (key_is_known(c->core, key))
        return ERR_OK;
    struct str why = str_fmt(
        c->a, "Policy has a condition key that Weir does not support: " STR_FMT, STR_ARG(key));
    if (!str_is_set(why))
        return ERR_NOMEM;
    c->why = why.p; /* str_fmt ends it with NUL */
    return ERR_INVALID;
}

enum err core_policy_check(struct core *core, struct arena *a, enum policy_kind kind,
                           struct str json, const char **ret_why)
{
    struct policy *policy;
    struct key_check c = {core, a, NULL};
    if (kind == POLICY_IDENTITY)
        TRY(policy_check_identity(a, json, ret_why));
    TRY(policy_parse(a, kind, json, ret_why, &policy));
    enum err err = policy_each_key(policy, check_key, &c);
    if (err == ERR_INVALID)
        *ret_why = c.why;
    return err;
}

/* --- what they are ---------------------------------------------------------------------------- */

static const char *type_of(const struct principal *who)
{
    switch (who->kind) {
    case PRINCIPAL_ANONYMOUS:
    case PRINCIPAL_WEB:
    case PRINCIPALS:
        break;
    case PRINCIPAL_FEDERATED:
        return "FederatedUser";
    case PRINCIPAL_ROOT:
        return "Account";
    case PRINCIPAL_USER:
        return "User";
    case PRINCIPAL_ROLE:
        return "AssumedRole";
    case PRINCIPAL_SERVICE:
        return "Service";
    }
    return "Anonymous";
}

/* What everybody's request has, whoever makes it and however. */
static void fill_request_keys(struct policy_context *ctx, int64_t now_ms)
{
    policy_context_add_time(ctx, STR("aws:CurrentTime"), now_ms);
    policy_context_add_i64(ctx, STR("aws:EpochTime"), now_ms / 1000);
}

/* Who asks: the keys of a principal's own. A service principal has no account and no ARN. */
static void fill_principal_keys(struct policy_context *ctx, const struct principal *who)
{
    bool is_service = who->kind == PRINCIPAL_SERVICE;
    policy_context_add(ctx, STR("aws:PrincipalType"), str_c(type_of(who)));
    policy_context_add_bool(ctx, STR("aws:PrincipalIsAWSService"), is_service);
    if (is_service) {
        policy_context_add(ctx, STR("aws:PrincipalServiceName"), who->service);
        policy_context_add(ctx, STR("aws:PrincipalServiceNamesList"), who->service);
    }
    policy_context_add(ctx, STR("aws:FederatedProvider"), who->provider);
    for (size_t i = 0; i < who->n_claims; i++)
        policy_context_add(ctx, who->claims[i].key, who->claims[i].value);
    if (is_service || who->kind == PRINCIPAL_ANONYMOUS || who->kind == PRINCIPAL_WEB)
        return;
    bool role = who->kind == PRINCIPAL_ROLE;
    policy_context_add(ctx, STR("aws:PrincipalAccount"), who->account);
    policy_context_add(ctx, STR("aws:PrincipalArn"), role ? who->role_arn : who->arn);
    policy_context_add(ctx, STR("aws:SourceIdentity"), who->source_identity);
    policy_context_add(ctx, STR("aws:userid"), who->user_id);
    if (who->kind == PRINCIPAL_USER)
        policy_context_add(ctx, STR("aws:username"), who->user_name);
    for (size_t i = 0; i < who->n_tags; i++)
        policy_context_add2(ctx, STR("aws:PrincipalTag/"), who->tags[i].key, who->tags[i].value);
    if (!who->token_issued_ms)
        return;
    policy_context_add_time(ctx, STR("aws:TokenIssueTime"), who->token_issued_ms);
    /* Of temporary credentials alone; there are no devices to have signed in with. */
    policy_context_add_bool(ctx, STR("aws:MultiFactorAuthPresent"), false);
}

/* A service principal asks for itself; what anybody else asks by a service (absent: none) is via it. */
static void fill_via(struct policy_context *ctx, const struct principal *who, struct str service,
                     struct str source_arn, struct str source_account)
{
    bool via = str_is_set(service) && who->kind != PRINCIPAL_SERVICE;
    policy_context_add_bool(ctx, STR("aws:ViaAWSService"), via);
    if (via) {
        policy_context_add(ctx, STR("aws:CalledVia"), service);
        policy_context_add(ctx, STR("aws:CalledViaFirst"), service);
        policy_context_add(ctx, STR("aws:CalledViaLast"), service);
    }
    policy_context_add(ctx, STR("aws:SourceArn"), source_arn);
    policy_context_add(ctx, STR("aws:SourceAccount"), source_account);
}

/* What never leaves the machine nobody reads on its way: asked over loopback, the policies that buckets of
 * CDK and others have against plain HTTP let pass what they are meant to let pass. */
bool call_is_secure(const struct call *call)
{
    return call->request->tls || str_starts(call->source_ip, STR("127.")) ||
           str_eq(call->source_ip, STR("::1"));
}

void authz_call_keys(struct policy_context *ctx, const struct call_impl *c)
{
    fill_request_keys(ctx, c->txn.wall_ms);
    fill_principal_keys(ctx, &c->who);
    fill_via(ctx, &c->who, c->via.service, c->via.source_arn, c->via.source_account);
    policy_context_add(ctx, STR("aws:SourceIp"), c->call.source_ip);
    policy_context_add_bool(ctx, STR("aws:SecureTransport"), call_is_secure(&c->call));
    policy_context_add(ctx, STR("aws:RequestedRegion"), c->call.region);
    policy_context_add(ctx, STR("aws:UserAgent"), wire_header_get(&c->request, STR("user-agent")));
    policy_context_add(ctx, STR("aws:Referer"), wire_header_get(&c->request, STR("referer")));
}

static enum err fill_work_keys(struct policy_context *ctx, void *arg)
{
    const struct core_work *work = arg;
    struct str resource = work->resource, region = STR_NONE;
    fill_request_keys(ctx, work->now_ms);
    fill_principal_keys(ctx, work->who);
    fill_via(ctx, work->who, work->called_via, work->source_arn, work->source_account);
    policy_context_add(ctx, STR("aws:SourceOwner"), work->source_owner);
    policy_context_add_bool(ctx, STR("aws:SecureTransport"), true);
    for (int i = 0; i < 4 && str_is_set(resource); i++)
        region = str_cut(&resource, ':');
    policy_context_add(ctx, STR("aws:RequestedRegion"),
                       region.len ? region : work->core->cfg.region);
    return ctx->err;
}

void core_work_keys(struct policy_context *ctx, struct core_work *work)
{
    policy_context_late(ctx, STR(""), fill_work_keys, work);
}
