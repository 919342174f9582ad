/* Authorisation: every operation's action and resource against identity, resource, boundary and
 * session policies (P3). An operation without an action in the spec needs authentication only. */
#include <assert.h>

#include "base/clock.h"
#include "core/call_int.h"
#include "core/tags.h"

static enum policy_principal_kind kind_of(enum principal_kind kind)
{
    switch (kind) {
    case PRINCIPAL_ANONYMOUS:
        return POLICY_ANONYMOUS;
    case PRINCIPAL_ROOT:
        return POLICY_ROOT;
    case PRINCIPAL_USER:
        return POLICY_USER;
    case PRINCIPAL_ROLE:
        return POLICY_SESSION;
    case PRINCIPAL_SERVICE:
        return POLICY_SERVICE;
    }
    return POLICY_ANONYMOUS;
}

static void fill_request(const struct principal *who, struct policy_request *r)
{
    *r = (struct policy_request){
        .who =
            {
                .kind = kind_of(who->kind),
                .account = who->account,
                .arn = who->arn,
                .role_arn = who->role_arn,
                .service = who->service,
            },
        .identity = who->identity_policies,
        .n_identity = who->n_identity_policies,
        .boundary = who->boundary,
        .session = who->session_policies,
        .n_session = who->n_session_policies,
    };
}

/* A service principal asks for itself; anybody else's call that a service makes is via it. */
static void fill_via(const struct call_impl *c, struct policy_context *ctx)
{
    bool is_service = c->who.kind == PRINCIPAL_SERVICE;
    bool via = str_is_set(c->via.service) && !is_service;
    policy_context_add_bool(ctx, STR("aws:ViaAWSService"), via);
    policy_context_add_bool(ctx, STR("aws:PrincipalIsAWSService"), is_service);
    if (via) {
        policy_context_add(ctx, STR("aws:CalledVia"), c->via.service);
        policy_context_add(ctx, STR("aws:CalledViaFirst"), c->via.service);
        policy_context_add(ctx, STR("aws:CalledViaLast"), c->via.service);
    }
    if (is_service)
        policy_context_add(ctx, STR("aws:PrincipalServiceName"), c->who.service);
    if (str_is_set(c->via.source_arn))
        policy_context_add(ctx, STR("aws:SourceArn"), c->via.source_arn);
    if (str_is_set(c->via.source_account))
        policy_context_add(ctx, STR("aws:SourceAccount"), c->via.source_account);
}

/* Global condition keys: IAM User Guide, "AWS global condition context keys". */
static void fill_context(struct policy_context *ctx, const struct call_impl *c)
{
    const struct principal *who = &c->who;
    char ts[CLOCK_TEXT_MAX];
    policy_context_add(ctx, STR("aws:SourceIp"), c->call.source_ip);
    policy_context_add_bool(ctx, STR("aws:SecureTransport"), c->request.tls);
    policy_context_add(ctx, STR("aws:CurrentTime"),
                       str_dup(ctx->arena, clock_iso8601(ts, c->txn.wall_ms)));
    policy_context_add_i64(ctx, STR("aws:EpochTime"), c->txn.wall_ms / 1000);
    policy_context_add(ctx, STR("aws:RequestedRegion"), c->call.region);
    policy_context_add(ctx, STR("aws:UserAgent"), wire_header_get(&c->request, STR("user-agent")));
    policy_context_add(ctx, STR("aws:Referer"), wire_header_get(&c->request, STR("referer")));
    fill_via(c, ctx);
    policy_context_add(ctx, STR("aws:PrincipalType"),
                       who->kind == PRINCIPAL_ROOT      ? STR("Account")
                       : who->kind == PRINCIPAL_USER    ? STR("User")
                       : who->kind == PRINCIPAL_ROLE    ? STR("AssumedRole")
                       : who->kind == PRINCIPAL_SERVICE ? STR("Service")
                                                        : STR("Anonymous"));
    policy_context_add(ctx, STR("aws:PrincipalAccount"), who->account);
    policy_context_add(ctx, STR("aws:PrincipalArn"), who->role_arn.p ? who->role_arn : who->arn);
    policy_context_add(ctx, STR("aws:userid"), who->user_id);
    if (who->kind == PRINCIPAL_USER)
        policy_context_add(ctx, STR("aws:username"), who->user_name);
    for (size_t i = 0; i < who->n_tags; i++)
        policy_context_add2(ctx, STR("aws:PrincipalTag/"), who->tags[i].key, who->tags[i].value);
    if (who->token_issued_ms)
        policy_context_add_time(ctx, STR("aws:TokenIssueTime"), who->token_issued_ms);
}

static enum err denied(struct call_impl *c, struct str action, struct str resource,
                       enum policy_decision decision, bool by_resource)
{
    if (c->routed.protocol == WIRE_REST_XML) /* S3 tells nothing more to the anonymous */
        if (c->who.kind == PRINCIPAL_ANONYMOUS)
            return call_error_common(c, WIRE_E_ACCESS_DENIED, "Access Denied");
    const char *why = decision == POLICY_EXPLICIT_DENY
                          ? (by_resource ? "with an explicit deny in a resource-based policy"
                                         : "with an explicit deny in an identity-based policy")
                          : "because no identity-based policy allows the";
    bool implicit = decision != POLICY_EXPLICIT_DENY;
    return call_error_common(c, WIRE_E_ACCESS_DENIED,
                             "User: " STR_FMT " is not authorized to perform: " STR_FMT
                             " on resource: " STR_FMT " %s%s" STR_FMT "%s",
                             STR_ARG(c->who.arn), STR_ARG(action), STR_ARG(resource), why,
                             implicit ? " " : "", STR_ARG(implicit ? action : STR_NONE),
                             implicit ? " action" : "");
}

/* --- resource policies ------------------------------------------------------------------------ */

enum err core_policy(struct core *core, struct arena *a, enum policy_kind kind, struct str json,
                     const struct policy **ret_policy)
{
    return policy_cache_get(core->policies, a, kind, json, NULL, ret_policy);
}

/* The service that owns a resource, by its ARN: an operation of one may need a permission on what
 * is another's, whose resource policy then has a say. NULL: nobody here. */
static const struct svc *owner_of(const struct core *core, struct str arn)
{
    struct str service = STR_NONE;
    for (int i = 0; i < 3 && str_is_set(arn); i++)
        service = str_cut(&arn, ':');
    for (size_t i = 0; i < core->n_svcs; i++)
        if (str_eq(core->svcs[i].def->wire->arn, service))
            return &core->svcs[i];
    return NULL;
}

enum err core_resource_policy(struct txn *txn, struct str arn, const struct policy **ret_policy)
{
    const struct svc *owner = owner_of(txn->core, arn);
    struct str json = STR_NONE;
    const struct policy *policy = NULL;
    if (owner && owner->def->resource_policy)
        TRY(owner->def->resource_policy(owner->self, txn, arn, &json));
    if (str_is_set(json)) {
        enum err err = core_policy(txn->core, txn->arena, POLICY_RESOURCE, json, &policy);
        if (err) /* it was checked when it was stored: what does not parse now is damaged */
            return err == ERR_NOMEM ? err : ERR_CORRUPT;
    }
    *ret_policy = policy;
    return ERR_OK;
}

/* --- tags of resources ------------------------------------------------------------------------ */

static const struct str TAG_MARK = STR_INIT(":ResourceTag/");

/* What the late keys of a context are made from. */
struct tagged {
    struct txn *txn;
    struct policy_context *ctx;
    struct str arn;
};

static enum err fill_tags(struct policy_context *ctx, void *arg)
{
    const struct tagged *t = arg;
    struct tag_list tags;
    assert(t->ctx == ctx);
    enum err err = tags_of(t->txn, t->arn, &tags);
    if (err == ERR_INVALID) /* "*", or an object's key that no ARN of a tagged resource has */
        return ERR_OK;
    TRY(err);
    for (size_t i = 0; i < tags.n; i++)
        policy_context_add2(ctx, STR("aws:ResourceTag/"), tags.v[i].key, tags.v[i].value);
    return ctx->err;
}

/* What could not be read to answer a policy is the store's error, which may pass; a context that
 * grew too large stays a denial. */
static enum err context_err(const struct policy_context *ctx)
{
    return ctx->err == ERR_LIMIT ? ERR_OK : ctx->err;
}

/* --- requests --------------------------------------------------------------------------------- */

/* What is asked about a call's caller. The context is made at the first question that needs one,
 * and serves all further ones of the same operation. */
struct question {
    struct call_impl *c;
    const struct svc *svc;
    bool made;
    struct policy_request req;
    struct policy_context ctx;
    size_t n_keys; /* of the request; behind them stand those of the last resource asked about */
};

static struct wire_ask ask_of(struct call_impl *c)
{
    return (struct wire_ask){
        .op = c->routed.op,
        .in = c->in,
        .account = c->call.account,
        .region = c->call.region,
        .partition = c->call.partition,
        .arena = &c->arena,
    };
}

static enum err add_key(void *arg, struct str name, struct str value)
{
    struct policy_context *ctx = arg;
    policy_context_add(ctx, name, value);
    return context_err(ctx);
}

static enum err fill_spec_keys(struct policy_context *ctx, struct call_impl *c)
{
    struct wire_ask ask = ask_of(c);
    return wire_keys_each(&ask, add_key, ctx);
}

static enum err make_question(struct question *q)
{
    if (q->made)
        return ERR_OK;
    struct call_impl *c = q->c;
    fill_request(&c->who, &q->req);
    q->req.resource_account = c->call.account;
    policy_context_init(&q->ctx, &c->arena);
    fill_context(&q->ctx, c);
    if (c->in) {
        TRY(fill_spec_keys(&q->ctx, c));
        if (q->svc->def->auth_context)
            TRY(q->svc->def->auth_context(&c->call, c->in, &q->ctx));
    }
    q->req.ctx = &q->ctx;
    q->n_keys = q->ctx.n;
    q->made = true;
    return ERR_OK;
}

static enum err check(struct question *q, struct str action, struct str resource)
{
    struct call_impl *c = q->c;
    const struct policy *resource_policy;
    TRY(core_resource_policy(&c->txn, resource, &resource_policy));
    if (c->who.kind == PRINCIPAL_ROOT && !resource_policy)
        return ERR_OK; /* the common case of a developer's machine, without building a context */

    TRY(make_question(q));
    struct tagged tagged = {&c->txn, &q->ctx, resource};
    q->ctx.n = q->n_keys;
    policy_context_late(&q->ctx, TAG_MARK, fill_tags, &tagged);
    q->req.action = action;
    q->req.resource = resource;
    q->req.resource_policy = resource_policy;
    enum policy_decision d = policy_decide(&q->req);
    TRY(context_err(&q->ctx));
    if (d == POLICY_ALLOW)
        return ERR_OK;
    bool by_resource = d == POLICY_EXPLICIT_DENY && resource_policy &&
                       policy_match(resource_policy, &q->req) == POLICY_EXPLICIT_DENY;
    return denied(c, action, resource, d, by_resource);
}

/* One (action, resource) pair of the spec, if it arises. */
static enum err check_need(struct question *q, const struct wire_need *need)
{
    struct wire_ask ask = ask_of(q->c);
    struct str resource;
    bool arises;
    TRY(wire_when(&ask, need->when, &arises));
    if (!arises)
        return ERR_OK;
    TRY(wire_resource(&ask, need->resource, &resource));
    if (q->svc->def->real_resource)
        TRY(q->svc->def->real_resource(&q->c->call, &resource));
    return check(q, need->action, resource);
}

enum err authz_check(struct call_impl *c, const struct svc *svc)
{
    const struct wire_op *op = c->routed.op;
    struct question q = {.c = c, .svc = svc};
    if (op->action.len && !(op->flags & WIRE_OP_SELF_AUTH)) {
        struct wire_need own = {op->action, op->resource, op->when};
        TRY(check_need(&q, &own));
    }
    for (size_t i = 0; i < op->n_also; i++)
        TRY(check_need(&q, &op->also[i]));
    /* WIRE_OP_SELF_AUTH: the service judges alone, here or in its handler (role trust policies). */
    return svc->def->authorize_more ? svc->def->authorize_more(&c->call, c->in) : ERR_OK;
}

enum err call_policy_request(struct call *call, struct policy_context *ctx,
                             struct policy_request *ret_req)
{
    struct call_impl *c = call->impl;
    policy_context_init(ctx, &c->arena);
    fill_context(ctx, c);
    TRY(fill_spec_keys(ctx, c));
    fill_request(&c->who, ret_req);
    ret_req->resource_account = c->call.account;
    ret_req->ctx = ctx;
    return ERR_OK;
}

enum err call_authorize(struct call *call, const char *action, struct str resource_arn)
{
    struct call_impl *c = call->impl;
    struct question q = {.c = c, .svc = core_svc(c->core, c->routed.service)};
    return check(&q, str_c(action), resource_arn);
}

/* --- work done by Weir itself ----------------------------------------------------------------- */

enum err core_service_allowed(struct txn *txn, struct str service_principal, const char *action,
                              struct str arn, struct str source_arn, struct str source_account)
{
    const struct policy *policy;
    TRY(core_resource_policy(txn, arn, &policy));
    if (!policy)
        return ERR_DENIED;
    struct policy_context ctx;
    policy_context_init(&ctx, txn->arena);
    policy_context_add(&ctx, STR("aws:SourceArn"), source_arn);
    policy_context_add(&ctx, STR("aws:SourceAccount"), source_account);
    policy_context_add_bool(&ctx, STR("aws:PrincipalIsAWSService"), true);
    policy_context_add_bool(&ctx, STR("aws:SecureTransport"), true);
    policy_context_add(&ctx, STR("aws:PrincipalServiceName"), service_principal);
    struct tagged tagged = {txn, &ctx, arn};
    policy_context_late(&ctx, TAG_MARK, fill_tags, &tagged);
    struct policy_request r = {
        .who = {.kind = POLICY_SERVICE, .service = service_principal, .arn = service_principal},
        .action = str_c(action),
        .resource = arn,
        .resource_account = txn->core->cfg.account,
        .ctx = &ctx,
        .resource_policy = policy,
    };
    bool allowed = policy_decide(&r) == POLICY_ALLOW;
    TRY(context_err(&ctx));
    return allowed ? ERR_OK : ERR_DENIED;
}

enum err core_role_allowed(struct txn *txn, struct str role_arn, struct str service,
                           const char *action, struct str resource_arn)
{
    const struct identity_port *id = &txn->core->identity;
    struct principal who;
    struct policy_request r;
    struct policy_context ctx;
    const struct policy *policy;
    enum err err = id->role_principal(id->self, role_arn, STR("weir"), txn->arena, &who);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DENIED : err;
    TRY(core_resource_policy(txn, resource_arn, &policy));
    policy_context_init(&ctx, txn->arena);
    policy_context_add(&ctx, STR("aws:PrincipalArn"), role_arn);
    policy_context_add(&ctx, STR("aws:PrincipalAccount"), who.account);
    policy_context_add_bool(&ctx, STR("aws:SecureTransport"), true);
    policy_context_add(&ctx, STR("aws:CalledVia"), service);
    struct tagged tagged = {txn, &ctx, resource_arn};
    policy_context_late(&ctx, TAG_MARK, fill_tags, &tagged);
    fill_request(&who, &r);
    r.action = str_c(action);
    r.resource = resource_arn;
    r.resource_account = txn->core->cfg.account;
    r.ctx = &ctx;
    r.resource_policy = policy;
    bool allowed = policy_decide(&r) == POLICY_ALLOW;
    TRY(context_err(&ctx));
    return allowed ? ERR_OK : ERR_DENIED;
}
