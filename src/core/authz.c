/* Authorisation: every operation's action and resource against identity, resource, boundary and
 * session policies (P3). An operation without an action in the spec needs authentication only. */
#include <assert.h>

#include "base/arn.h"
#include "core/account.h"
#include "core/call_int.h"
#include "core/claim.h"
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
    case PRINCIPAL_FEDERATED:
        return POLICY_SESSION;
    case PRINCIPAL_WEB:
        return POLICY_WEB;
    case PRINCIPAL_SERVICE:
        return POLICY_SERVICE;
    case PRINCIPALS:
        break;
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
                .id = who->user_id,
                .owner_id = who->owner_id,
                .service = who->service,
                .provider = who->provider,
            },
        .identity = who->identity_policies,
        .n_identity = who->n_identity_policies,
        .boundary = who->boundary,
        .session = who->session_policies,
        .n_session = who->n_session_policies,
    };
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
    /* A resource of another account: what its owner allows is missing, or what his own account does. */
    if (implicit && by_resource)
        why = "because no resource-based policy allows the";
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

/* --- keys of resources ------------------------------------------------------------------------ */

static const struct str TAG_MARK = STR_INIT(":ResourceTag/");

enum err core_owner(struct txn *txn, struct str arn, struct str otherwise, struct str *ret_account)
{
    *ret_account = otherwise;
    if (!txn->core->more_accounts)
        return ERR_OK;
    struct str told = wire_account_in(arn);
    const struct svc *owner = str_is_set(told) ? NULL : owner_of(txn->core, arn);
    if (str_is_set(told))
        *ret_account = told;
    else if (owner && owner->def->arn_owner)
        return owner->def->arn_owner(owner->self, txn, arn, ret_account);
    return ERR_OK;
}

/* What the late keys of a resource are made from. */
struct subject {
    struct txn *txn;
    struct call *call; /* NULL: nobody's */
    const struct svc *owner;
    struct str arn, action;
    struct str account; /* whose it is */
};

/* A part of something has the tags of the whole: the index of a table, the stream of a log group, the
 * version of a function. Types are "type:NAME" or "type/NAME"; what follows is the part. */
static struct str whole_of(const struct svc *owner, struct str text)
{
    struct arn arn;
    const struct tags_service *tags = owner ? owner->def->tags : NULL;
    if (!tags || tags->paths || arn_parse(text, &arn) != ERR_OK)
        return text;
    struct str type = arn_segment(&arn, 0), name = arn_segment(&arn, 1);
    for (size_t i = 0; i < tags->n_types && str_is_set(name); i++)
        if (tags->types[i].type && str_eq_c(type, tags->types[i].type))
            return str_n(text.p, (size_t)(name.p + name.len - text.p));
    return text;
}

enum err core_tag_keys(struct policy_context *ctx, struct str own, struct tag_list tags)
{
    struct str prefix = STR_NONE;
    if (str_is_set(own)) {
        prefix = str_fmt(ctx->arena, STR_FMT ":ResourceTag/", STR_ARG(own));
        if (!str_is_set(prefix))
            return ERR_NOMEM;
    }
    for (size_t i = 0; i < tags.n; i++) {
        policy_context_add2(ctx, STR("aws:ResourceTag/"), tags.v[i].key, tags.v[i].value);
        if (str_is_set(own))
            policy_context_add2(ctx, prefix, tags.v[i].key, tags.v[i].value);
    }
    return ctx->err;
}

static enum err fill_tags(struct policy_context *ctx, void *arg)
{
    const struct subject *s = arg;
    struct tag_list tags = {0};
    const struct svc_def *def = s->owner ? s->owner->def : NULL;
    bool own = def && def->resource_tags;
    enum err err = own ? def->resource_tags(s->owner->self, s->txn, s->arn, &tags)
                       : tags_of(s->txn, whole_of(s->owner, s->arn), &tags);
    /* "*", an object's key that no ARN of a tagged resource has, or nothing there */
    if (err == ERR_INVALID || err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    own |= def && def->tags && def->tags->own_keys;
    return core_tag_keys(ctx, own ? def->wire->arn : STR_NONE, tags);
}

static enum err fill_resource(struct policy_context *ctx, void *arg)
{
    const struct subject *s = arg;
    return s->owner->def->resource_keys(s->owner->self, s->txn, s->call, s->action, s->arn, ctx);
}

static enum err fill_account(struct policy_context *ctx, void *arg)
{
    const struct subject *s = arg;
    policy_context_add(ctx, STR("aws:ResourceAccount"), s->account);
    return ctx->err;
}

/* Keys of the resource, made when a policy asks for one. `s` must outlive the decision. */
static void add_resource(struct policy_context *ctx, struct subject *s)
{
    s->owner = owner_of(s->txn->core, s->arn);
    policy_context_late(ctx, TAG_MARK, fill_tags, s);
    policy_context_late(ctx, STR(":ResourceAccount"), fill_account, s);
    for (size_t i = 0; i < s->txn->core->n_svcs; i++) {
        const struct svc *svc = &s->txn->core->svcs[i];
        if (svc->def->resource_mark)
            policy_context_late(ctx, str_c(svc->def->resource_mark),
                                svc == s->owner ? fill_resource : NULL, s);
    }
}

/* What could not be read to answer a policy is the store's error, which may pass; a context that
 * grew too large stays a denial. */
static enum err context_err(const struct policy_context *ctx)
{
    return ctx->err == ERR_LIMIT ? ERR_OK : ctx->err;
}

/* --- requests --------------------------------------------------------------------------------- */

/* What is asked about a call's caller. The keys of the request are made when a policy first asks for
 * any, and serve all further questions of the same operation. */
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

static enum err fill_request_keys(struct policy_context *ctx, void *arg)
{
    struct question *q = arg;
    struct call_impl *c = q->c;
    authz_call_keys(ctx, c);
    if (c->in) {
        struct wire_ask ask = ask_of(c);
        TRY(wire_keys_each(&ask, add_key, ctx));
        if (q->svc->def->auth_context)
            TRY(q->svc->def->auth_context(&c->call, c->in, ctx));
    }
    if (c->claim && c->claim->auth_context)
        TRY(c->claim->auth_context(&c->call, ctx));
    q->n_keys = ctx->n;
    return ctx->err;
}

/* Completes the request of the question for one resource. */
static void pose(struct question *q, struct str action, struct subject *s)
{
    struct call_impl *c = q->c;
    if (!q->made) {
        fill_request(&c->who, &q->req);
        policy_context_init(&q->ctx, &c->arena);
        policy_context_late(&q->ctx, STR(""), fill_request_keys, q);
        q->req.ctx = &q->ctx;
        q->made = true;
    }
    q->ctx.n = q->n_keys;
    s->action = action;
    add_resource(&q->ctx, s);
    q->req.action = action;
    q->req.resource = s->arn;
    q->req.resource_account = s->account;
}

/* Whether a policy that rules (svc.h) is there. */
static bool rules(const struct subject *s, const struct policy *resource_policy)
{
    return resource_policy && s->owner && s->owner->def->policy_rules;
}

/* Whether policies of the caller's account alone would allow it, were the resource that account's. */
static bool own_account_allows(const struct policy_request *req, struct str account)
{
    struct policy_request own = *req;
    own.resource_account = account;
    own.resource_policy = NULL;
    own.resource_must_allow = false;
    return policy_decide(&own) == POLICY_ALLOW;
}

/* What no policy allows may be granted otherwise. */
static enum err ask_grants(struct subject *s, const struct principal *who,
                           const struct policy_request *req, enum policy_decision *decision)
{
    const struct svc_def *def = s->owner ? s->owner->def : NULL;
    enum svc_grant grant = SVC_GRANT_NONE;
    if (*decision != POLICY_IMPLICIT_DENY || !def || !def->grants)
        return ERR_OK;
    TRY(def->grants(s->owner->self, s->txn, s->call, who, s->action, s->arn, &grant));
    if (grant == SVC_GRANT_ACCOUNT && !own_account_allows(req, who->account))
        return context_err(req->ctx);
    if (grant == SVC_GRANT_NONE)
        return ERR_OK;
    *decision = POLICY_ALLOW;
    if (s->call)
        s->call->by_grant = true;
    return ERR_OK;
}

/* What all policies together say; *ret_by_resource: it is the resource's that denies, or does not allow
 * what another account asks. */
static enum err decide(struct question *q, struct str action, struct str resource,
                       enum policy_decision *ret_decision, bool *ret_by_resource)
{
    struct call_impl *c = q->c;
    const struct policy *resource_policy;
    TRY(core_resource_policy(&c->txn, resource, &resource_policy));
    *ret_by_resource = false;
    *ret_decision = POLICY_ALLOW;
    struct subject subject = {.txn = &c->txn, .call = &c->call, .arn = resource};
    TRY(core_owner(&c->txn, resource, c->call.account, &subject.account));
    bool foreign = str_is_set(c->who.account) && !str_eq(c->who.account, subject.account);
    if (c->who.kind == PRINCIPAL_ROOT && !resource_policy && !foreign)
        return ERR_OK; /* the common case of a developer's machine */

    pose(q, action, &subject);
    q->req.resource_policy = resource_policy;
    q->req.resource_must_allow = rules(&subject, resource_policy);
    *ret_decision = policy_decide(&q->req);
    TRY(context_err(&q->ctx));
    TRY(ask_grants(&subject, &c->who, &q->req, ret_decision));
    *ret_by_resource = *ret_decision == POLICY_EXPLICIT_DENY && resource_policy &&
                       policy_match(resource_policy, &q->req) == POLICY_EXPLICIT_DENY;
    if (foreign && *ret_decision == POLICY_IMPLICIT_DENY)
        *ret_by_resource = own_account_allows(&q->req, c->who.account);
    return ERR_OK;
}

static enum err check(struct question *q, struct str action, struct str resource)
{
    enum policy_decision d;
    bool by_resource;
    TRY(decide(q, action, resource, &d, &by_resource));
    return d == POLICY_ALLOW ? ERR_OK : denied(q->c, action, resource, d, by_resource);
}

/* One (action, resource) pair of the spec, if it arises. */
static enum err check_need(struct question *q, const struct wire_need *need)
{
    struct wire_ask ask = ask_of(q->c);
    struct str resource;
    enum policy_decision d;
    bool arises, by_resource;
    TRY(wire_when(&ask, need->when, &arises));
    if (!arises)
        return ERR_OK;
    TRY(wire_resource(&ask, need->resource, &resource));
    if (q->svc->def->real_resource)
        TRY(q->svc->def->real_resource(&q->c->call, &resource));
    if (str_is_set(need->instead)) {
        TRY(decide(q, need->instead, resource, &d, &by_resource));
        if (d == POLICY_ALLOW)
            return ERR_OK;
    }
    return check(q, need->action, resource);
}

/* Another account than the caller's, whose resource the request names, is the one in which the call acts
 * from here on: under whose keys the handler looks, and whose policies have a say. One that is not here
 * owns nothing: the caller's own stays, where nothing has such a name. */
static enum err find_owner(struct call_impl *c, const struct svc *svc)
{
    struct str owner =
        c->routed.op->owner.len && c->in ? wire_owner(c->routed.op, c->in) : STR_NONE;
    if (!str_is_set(owner) && svc && svc->def->owner)
        TRY(svc->def->owner(&c->call, c->in, &owner));
    if (str_is_set(owner) && !str_eq(owner, c->call.account) && account_known(c->core, owner)) {
        owner = str_dup(&c->arena, owner);
        if (!str_is_set(owner))
            return ERR_NOMEM;
        call_act_in(c, owner);
    }
    return ERR_OK;
}

enum err authz_check(struct call_impl *c, const struct svc *svc)
{
    const struct wire_op *op = c->routed.op;
    if (c->core->more_accounts)
        TRY(find_owner(c, svc));
    struct question q = {.c = c, .svc = svc};
    if (op->action.len && !(op->flags & WIRE_OP_SELF_AUTH)) {
        struct wire_need own = {op->action, op->resource, op->when, STR_NONE};
        TRY(check_need(&q, &own));
    }
    for (size_t i = 0; i < op->n_also; i++)
        TRY(check_need(&q, &op->also[i]));
    /* WIRE_OP_SELF_AUTH: the service judges alone, here or in its handler (role trust policies). */
    return svc->def->authorize_more ? svc->def->authorize_more(&c->call, c->in) : ERR_OK;
}

enum err call_decide(struct call *call, const char *action, struct str resource_arn,
                     const struct policy *policy, enum policy_decision *ret_decision)
{
    struct call_impl *c = call->impl;
    struct question q = {.c = c, .svc = core_svc(c->core, c->routed.service)};
    struct subject subject = {.txn = &c->txn, .call = call, .arn = resource_arn};
    TRY(core_owner(&c->txn, resource_arn, call->account, &subject.account));
    pose(&q, str_c(action), &subject);
    q.req.resource_policy = policy;
    *ret_decision = policy_decide(&q.req);
    return context_err(&q.ctx);
}

enum err call_policy_match(struct call *call, const char *action, struct str resource_arn,
                           const struct policy *policy, enum policy_decision *ret_decision)
{
    struct call_impl *c = call->impl;
    struct question q = {.c = c, .svc = core_svc(c->core, c->routed.service)};
    struct subject subject = {.txn = &c->txn, .call = call, .arn = resource_arn};
    TRY(core_owner(&c->txn, resource_arn, call->account, &subject.account));
    pose(&q, str_c(action), &subject);
    *ret_decision = policy_match(policy, &q.req);
    return context_err(&q.ctx);
}

enum err call_allowed_by(struct call *call, const char *action, struct str resource_arn,
                         const struct policy *policy)
{
    struct call_impl *c = call->impl;
    struct question q = {.c = c, .svc = core_svc(c->core, c->routed.service)};
    struct subject subject = {.txn = &c->txn, .call = call, .arn = resource_arn};
    TRY(core_owner(&c->txn, resource_arn, call->account, &subject.account));
    pose(&q, str_c(action), &subject);
    q.req.resource_policy = policy;
    q.req.resource_must_allow = true;
    enum policy_decision d = policy_decide(&q.req);
    TRY(context_err(&q.ctx));
    return d == POLICY_ALLOW ? ERR_OK : ERR_DENIED;
}

void call_vouch(struct call *call, const struct principal *who)
{
    assert(call->op->flags & WIRE_OP_UNSIGNED);
    call->impl->who = *who;
}

enum err call_authorize(struct call *call, const char *action, struct str resource_arn)
{
    struct call_impl *c = call->impl;
    struct question q = {.c = c, .svc = core_svc(c->core, c->routed.service)};
    return check(&q, str_c(action), resource_arn);
}

/* --- work done by Weir itself ----------------------------------------------------------------- */

enum err core_service_allowed(struct txn *txn, struct core_work *work, const char *action)
{
    const struct policy *policy;
    struct str who = work->who->service;
    TRY(core_resource_policy(txn, work->resource, &policy));
    if (!policy)
        return ERR_DENIED;
    struct policy_context ctx;
    struct subject subject = {.txn = txn, .arn = work->resource, .action = str_c(action)};
    TRY(core_owner(txn, work->resource, txn->core->cfg.account, &subject.account));
    policy_context_init(&ctx, txn->arena);
    work->core = txn->core;
    work->now_ms = txn->wall_ms;
    core_work_keys(&ctx, work);
    add_resource(&ctx, &subject);
    struct policy_request r = {
        .who = {.kind = POLICY_SERVICE, .service = who, .arn = who},
        .action = str_c(action),
        .resource = work->resource,
        .resource_account = subject.account,
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
    who.token_issued_ms = txn->wall_ms; /* a session for this piece of work */
    struct subject subject = {.txn = txn, .arn = resource_arn, .action = str_c(action)};
    TRY(core_owner(txn, resource_arn, who.account, &subject.account));
    policy_context_init(&ctx, txn->arena);
    struct core_work work = {.core = txn->core,
                             .now_ms = txn->wall_ms,
                             .who = &who,
                             .resource = resource_arn,
                             .called_via = service};
    core_work_keys(&ctx, &work);
    add_resource(&ctx, &subject);
    fill_request(&who, &r);
    r.action = str_c(action);
    r.resource = resource_arn;
    r.resource_account = subject.account;
    r.ctx = &ctx;
    r.resource_policy = policy;
    r.resource_must_allow = rules(&subject, policy);
    enum policy_decision decision = policy_decide(&r);
    TRY(context_err(&ctx));
    TRY(ask_grants(&subject, &who, &r, &decision));
    return decision == POLICY_ALLOW ? ERR_OK : ERR_DENIED;
}
