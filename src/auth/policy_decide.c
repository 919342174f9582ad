/* Deciding a request: which statements match, and how the kinds of policy combine.
 *
 *   any Deny that matches                                     -> explicit deny
 *   same account:
 *     resource policy allows this very user or role session   -> allow
 *     resource policy allows the role, or anyone              -> allow, if boundary and session do
 *     identity policy allows                                  -> allow, if boundary and session do
 *     (a resource policy that names the account only delegates to identity policies)
 *   another account's resource:
 *     resource policy allows (naming the account is enough), and identity policy, boundary and
 *     session policy all allow                                -> allow
 *   services, unsigned requests and whom an identity provider vouches for: resource policy alone
 *   otherwise                                                 -> implicit deny
 *
 * Layer: auth. Thread: pure. */
#include <assert.h>

#include "auth/policy_int.h"

/* How a Principal element names the caller, from the vaguest to the most exact. */
enum {
    NAMED_ANYONE = 1,
    NAMED_ACCOUNT = 2,
    NAMED_ROLE = 4,
    NAMED_EXACTLY = 8,
};

struct verdict {
    bool deny;
    unsigned named; /* of the Allow statements that match; NAMED_EXACTLY without Principal */
};

/* A session is named by its role's id, or by that and its own name; a federated user by his user's. */
static unsigned names_id(struct str id, const struct policy_principal *who)
{
    if (who->id.len == 0)
        return 0;
    if (str_eq(id, who->id))
        return NAMED_EXACTLY;
    if (str_is_set(who->owner_id) && str_eq(id, who->owner_id))
        return NAMED_ROLE; /* within the session's policies, as a role's session is */
    struct str rest = who->id;
    return who->kind == POLICY_SESSION && str_eq(id, str_cut(&rest, ':')) ? NAMED_ROLE : 0;
}

static unsigned names(const struct principal_entry *e, const struct policy_principal *who)
{
    switch (e->kind) {
    case ENTRY_ANYONE:
        return NAMED_ANYONE;
    case ENTRY_ACCOUNT:
        if (who->account.len == 0 || !str_eq(e->text, who->account))
            return 0;
        return who->kind == POLICY_ROOT ? NAMED_EXACTLY : NAMED_ACCOUNT;
    case ENTRY_ARN:
        if (who->arn.len > 0 && str_eq(e->text, who->arn))
            return NAMED_EXACTLY;
        return who->role_arn.len > 0 && str_eq(e->text, who->role_arn) ? NAMED_ROLE : 0;
    case ENTRY_ID:
        return names_id(e->text, who);
    case ENTRY_SERVICE:
        return who->kind == POLICY_SERVICE && str_eq(e->text, who->service) ? NAMED_EXACTLY : 0;
    case ENTRY_FEDERATED:
        return who->kind == POLICY_WEB && str_eq(e->text, who->provider) ? NAMED_EXACTLY : 0;
    }
    return 0;
}

static unsigned match_principal(const struct statement *s, const struct policy_principal *who)
{
    if (!s->has_principal)
        return NAMED_EXACTLY;
    unsigned named = 0;
    for (size_t i = 0; i < s->n_principals; i++)
        named |= names(&s->principals[i], who);
    if (!s->not_principal)
        return named;
    /* NotPrincipal spares from a Deny only who is named himself, not by account; a session must be
     * named and its role, too (IAM User Guide, "NotPrincipal with Deny"). */
    bool himself = named & NAMED_EXACTLY && (who->kind != POLICY_SESSION || named & NAMED_ROLE);
    bool spared = s->allow ? named != 0 : himself || named & NAMED_ANYONE;
    return spared ? 0 : NAMED_ANYONE;
}

static bool match_list(const struct pattern_list *list, struct str text, bool fold_case,
                       const struct policy_context *ctx, struct pattern_trouble *trouble)
{
    for (size_t i = 0; i < list->n; i++)
        if (pattern_match(&list->v[i], text, fold_case, ctx, trouble))
            return true;
    return false;
}

static unsigned match_statement(const struct statement *s, const struct policy_request *req)
{
    assert(s->actions.n > 0 && (!s->has_resource || s->resources.n > 0)); /* of policy_parse */
    unsigned named = match_principal(s, &req->who);
    struct pattern_trouble trouble = {0};
    if (!named)
        return 0;
    if (match_list(&s->actions, req->action, true, req->ctx, &trouble) == s->not_action)
        return 0;
    if (s->has_resource &&
        match_list(&s->resources, req->resource, false, req->ctx, &trouble) == s->not_resource &&
        !trouble.failed)
        return 0;
    /* From here on, what could not be told counts against the caller (P1): whether a resource is
     * another one than `${aws:username}`'s, when there is no user name, for one. */
    bool unknown = trouble.failed || (s->not_resource && trouble.unresolved);
    for (size_t i = 0; i < s->n_conds; i++) {
        switch (cond_eval(&s->conds[i], req->ctx)) {
        case COND_NO:
            return 0;
        case COND_YES:
            break;
        case COND_UNKNOWN:
            unknown = true;
            break;
        }
    }
    return unknown && s->allow ? 0 : named;
}

static struct verdict evaluate(const struct policy *policy, const struct policy_request *req)
{
    assert(policy->n > 0); /* an empty one is a syntax error, not a policy that denies nothing */
    struct verdict v = {0};
    for (size_t i = 0; i < policy->n && !v.deny; i++) {
        const struct statement *s = &policy->statements[i];
        unsigned named = match_statement(s, req);
        if (named && s->allow)
            v.named |= named;
        else if (named)
            v.deny = true;
    }
    return v;
}

/* Adds a policy's verdict to a sum in which policies are alternatives. */
static void add(struct verdict *sum, const struct policy *policy, const struct policy_request *req)
{
    struct verdict v = evaluate(policy, req);
    sum->deny |= v.deny;
    sum->named |= v.named;
}

enum policy_decision policy_match(const struct policy *policy, const struct policy_request *req)
{
    struct verdict v = evaluate(policy, req);
    return v.deny ? POLICY_EXPLICIT_DENY : v.named ? POLICY_ALLOW : POLICY_IMPLICIT_DENY;
}

/* However a bucket's policy locks its owner out, root can still look at it and replace it. */
static bool root_rescue(const struct policy_request *req)
{
    return req->who.kind == POLICY_ROOT && str_eq(req->who.account, req->resource_account) &&
           (str_eq_nocase(req->action, STR("s3:GetBucketPolicy")) ||
            str_eq_nocase(req->action, STR("s3:PutBucketPolicy")) ||
            str_eq_nocase(req->action, STR("s3:DeleteBucketPolicy")));
}

enum policy_decision policy_decide(const struct policy_request *req)
{
    if (!req->ctx || req->ctx->err != ERR_OK)
        return POLICY_IMPLICIT_DENY;
    struct verdict identity = {0}, boundary = {0}, session = {0}, resource = {0};
    for (size_t i = 0; i < req->n_identity; i++)
        add(&identity, req->identity[i], req);
    for (size_t i = 0; i < req->n_session; i++)
        add(&session, req->session[i], req);
    if (req->boundary)
        add(&boundary, req->boundary, req);
    if (req->resource_policy)
        add(&resource, req->resource_policy, req);
    if (req->ctx->err != ERR_OK) /* a key that was asked for could not be had */
        return POLICY_IMPLICIT_DENY;
    if (root_rescue(req))
        return POLICY_ALLOW;
    if (identity.deny || boundary.deny || session.deny || resource.deny)
        return POLICY_EXPLICIT_DENY;

    const struct policy_principal *who = &req->who;
    if (who->kind == POLICY_ANONYMOUS || who->kind == POLICY_SERVICE || who->kind == POLICY_WEB)
        return resource.named ? POLICY_ALLOW : POLICY_IMPLICIT_DENY;
    bool within = (!req->boundary || boundary.named) && (req->n_session == 0 || session.named);
    bool own = (who->kind == POLICY_ROOT || identity.named) && within;
    if (who->account.len == 0 || !str_eq(who->account, req->resource_account))
        return own && resource.named ? POLICY_ALLOW : POLICY_IMPLICIT_DENY;
    if (resource.named & NAMED_EXACTLY)
        return POLICY_ALLOW;
    if ((resource.named & (NAMED_ROLE | NAMED_ANYONE)) && within)
        return POLICY_ALLOW;
    if (req->resource_must_allow && !(resource.named & NAMED_ACCOUNT))
        return POLICY_IMPLICIT_DENY;
    return own ? POLICY_ALLOW : POLICY_IMPLICIT_DENY;
}
