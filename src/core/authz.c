/* Authorisation: every operation's action and resource against identity, resource, boundary and
 * session policies (P3). An operation without an action in the spec needs authentication only. */
#include "base/clock.h"
#include "core/call_int.h"

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

/* Global condition keys: IAM User Guide, "AWS global condition context keys". */
static void fill_context(struct policy_context *ctx, const struct call_impl *c)
{
    const struct principal *who = &c->who;
    char ts[CLOCK_TEXT_MAX];
    policy_context_add(ctx, STR("aws:SourceIp"), c->call.source_ip);
    policy_context_add_bool(ctx, STR("aws:SecureTransport"), c->request.tls);
    policy_context_add(ctx, STR("aws:CurrentTime"),
                       str_dup(ctx->arena, clock_iso8601(ts, c->txn.now_ms)));
    policy_context_add_i64(ctx, STR("aws:EpochTime"), c->txn.now_ms / 1000);
    policy_context_add(ctx, STR("aws:RequestedRegion"), c->call.region);
    policy_context_add(ctx, STR("aws:UserAgent"), wire_header_get(&c->request, STR("user-agent")));
    policy_context_add(ctx, STR("aws:Referer"), wire_header_get(&c->request, STR("referer")));
    call_via_context(c, ctx);
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

/* The service that owns a resource, by its ARN: an operation of one may need a permission on what
 * is another's, whose resource policy then has a say. NULL: nobody here. */
static const struct svc *owner_of(const struct core *core, struct str arn)
{
    struct str service = STR_NONE;
    for (int i = 0; i < 3 && str_is_set(arn); i++)
        service = str_cut(&arn, ':');
    for (size_t i = 0; i < core->n_svcs; i++)
        if (str_eq(core->svcs[i].def->wire->signing, service))
            return &core->svcs[i];
    return NULL;
}

static enum err check(struct call_impl *c, const struct svc *svc, struct str action,
                      struct str resource, const void *in)
{
    struct str policy_json = STR_NONE;
    const struct svc *owner = owner_of(c->core, resource);
    if (owner && owner->def->resource_policy)
        TRY(owner->def->resource_policy(&c->call, resource, &policy_json));
    if (c->who.kind == PRINCIPAL_ROOT && !policy_json.p)
        return ERR_OK; /* the common case of a developer's machine, without building a context */

    struct policy_request r;
    fill_request(&c->who, &r);
    r.action = action;
    r.resource = resource;
    r.resource_account = c->call.account;
    struct policy_context ctx;
    policy_context_init(&ctx, &c->arena);
    fill_context(&ctx, c);
    if (svc->def->auth_context && in)
        TRY(svc->def->auth_context(&c->call, in, &ctx));
    r.ctx = &ctx;
    struct policy *resource_policy = NULL;
    if (policy_json.p) {
        enum err err =
            policy_parse(&c->arena, POLICY_RESOURCE, policy_json, NULL, &resource_policy);
        if (err) /* it was checked when it was stored: what does not parse now is damaged */
            return err == ERR_NOMEM ? err : ERR_CORRUPT;
        r.resource_policy = resource_policy;
    }
    enum policy_decision d = policy_decide(&r);
    if (d == POLICY_ALLOW)
        return ERR_OK;
    bool by_resource = d == POLICY_EXPLICIT_DENY && resource_policy &&
                       policy_match(resource_policy, &r) == POLICY_EXPLICIT_DENY;
    return denied(c, action, resource, d, by_resource);
}

enum err authz_check(struct call_impl *c, const struct svc *svc)
{
    const struct wire_op *op = c->routed.op;
    if (op->action.len && !(op->flags & WIRE_OP_SELF_AUTH)) {
        struct str resource;
        TRY(wire_resource(op, c->in, c->call.account, c->call.region, c->call.partition, &c->arena,
                          &resource));
        if (svc->def->real_resource)
            TRY(svc->def->real_resource(&c->call, &resource));
        TRY(check(c, svc, op->action, resource, c->in));
    }
    /* WIRE_OP_SELF_AUTH: the service judges alone, here or in its handler (role trust policies). */
    return svc->def->authorize_more ? svc->def->authorize_more(&c->call, c->in) : ERR_OK;
}

void call_policy_request(struct call *call, struct policy_context *ctx,
                         struct policy_request *ret_req)
{
    struct call_impl *c = call->impl;
    policy_context_init(ctx, &c->arena);
    fill_context(ctx, c);
    fill_request(&c->who, ret_req);
    ret_req->resource_account = c->call.account;
    ret_req->ctx = ctx;
}

enum err call_authorize(struct call *call, const char *action, struct str resource_arn)
{
    struct call_impl *c = call->impl;
    return check(c, core_svc(c->core, c->routed.service), str_c(action), resource_arn, c->in);
}

/* --- work done by Weir itself ----------------------------------------------------------------- */

enum err core_service_allowed(struct txn *txn, struct core *core, struct str service_principal,
                              const char *action, struct str arn, struct str resource_policy,
                              struct str source_arn, struct str source_account)
{
    if (!resource_policy.p)
        return ERR_DENIED;
    struct policy *policy;
    enum err err = policy_parse(txn->arena, POLICY_RESOURCE, resource_policy, NULL, &policy);
    if (err)
        return err == ERR_NOMEM ? err : ERR_CORRUPT;
    struct policy_context ctx;
    policy_context_init(&ctx, txn->arena);
    policy_context_add(&ctx, STR("aws:SourceArn"), source_arn);
    policy_context_add(&ctx, STR("aws:SourceAccount"), source_account);
    policy_context_add_bool(&ctx, STR("aws:PrincipalIsAWSService"), true);
    policy_context_add_bool(&ctx, STR("aws:SecureTransport"), true);
    policy_context_add(&ctx, STR("aws:PrincipalServiceName"), service_principal);
    struct policy_request r = {
        .who = {.kind = POLICY_SERVICE, .service = service_principal, .arn = service_principal},
        .action = str_c(action),
        .resource = arn,
        .resource_account = core->cfg.account,
        .ctx = &ctx,
        .resource_policy = policy,
    };
    return policy_decide(&r) == POLICY_ALLOW ? ERR_OK : ERR_DENIED;
}

enum err core_role_allowed(struct core *core, struct str role_arn, struct str service,
                           const char *action, struct str resource_arn, struct str resource_policy)
{
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    const struct identity_port *id = &core->identity;
    struct principal who;
    struct policy *policy = NULL;
    enum err err = id->role_principal(id->self, role_arn, STR("weir"), &arena, &who);
    if (err == ERR_NOT_FOUND)
        err = ERR_DENIED;
    if (err == ERR_OK && resource_policy.p) {
        err = policy_parse(&arena, POLICY_RESOURCE, resource_policy, NULL, &policy);
        if (err != ERR_OK && err != ERR_NOMEM) /* checked when it was stored */
            err = ERR_CORRUPT;
    }
    if (err == ERR_OK) {
        struct policy_context ctx;
        policy_context_init(&ctx, &arena);
        policy_context_add(&ctx, STR("aws:PrincipalArn"), role_arn);
        policy_context_add(&ctx, STR("aws:PrincipalAccount"), who.account);
        policy_context_add_bool(&ctx, STR("aws:SecureTransport"), true);
        policy_context_add(&ctx, STR("aws:CalledVia"), service);
        struct policy_request r;
        fill_request(&who, &r);
        r.action = str_c(action);
        r.resource = resource_arn;
        r.resource_account = core->cfg.account;
        r.ctx = &ctx;
        r.resource_policy = policy;
        err = policy_decide(&r) == POLICY_ALLOW ? ERR_OK : ERR_DENIED;
    }
    if (arena.failed)
        err = ERR_NOMEM;
    arena_release(&arena);
    return err;
}
