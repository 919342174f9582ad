/* The identity port: secrets and principals from memory, and roles taken on by services.
 *
 * Layer: svc. Thread: any. */
#include "base/clock.h"
#include "svc/iam/iam_int.h"

/* Counts that a principal holds, given back when the call's arena goes. */
struct held {
    struct iam_known *known;
    struct iam_doc **docs;
    size_t n_docs;
};

static void give_back(void *arg)
{
    struct held *h = arg;
    for (size_t i = 0; i < h->n_docs; i++)
        iam_doc_unref(h->docs[i]);
    iam_known_unref(h->known);
}

static bool is_root_key(const struct iam *iam, struct str access_key, struct str *ret_secret)
{
    const struct core_config *cfg = &iam->core->cfg;
    if (cfg->root_access_key.len > 0 && str_eq(access_key, cfg->root_access_key)) {
        *ret_secret = cfg->root_secret;
        return true;
    }
    if (cfg->dev_key && str_eq_c(access_key, "test")) {
        *ret_secret = STR("test");
        return true;
    }
    return false;
}

static const struct iam_access *key_of(const struct iam_known *known, struct str access_key)
{
    for (size_t i = 0; i < known->e->n_keys; i++)
        if (str_eq(known->e->keys[i].id, access_key))
            return &known->e->keys[i];
    return NULL;
}

static enum err credential(void *self, struct str access_key, struct str session_token,
                           struct arena *arena, struct credential *ret_cred)
{
    struct iam *iam = self;
    struct credential cred = {0};
    if (is_root_key(iam, access_key, &cred.secret)) {
        *ret_cred = cred;
        return ERR_OK;
    }
    if (iam_is_temporary(access_key)) {
        struct iam_session s;
        TRY(iam_open_token(iam, access_key, session_token, arena, &s));
        cred.secret = iam_temporary_secret(iam, access_key, arena);
        cred.session_token = session_token;
        cred.expires_ms = s.expires_ms;
        if (!str_is_set(cred.secret))
            return ERR_NOMEM;
        *ret_cred = cred;
        return ERR_OK;
    }
    struct iam_known *known = iam_find_key(iam, access_key);
    if (!known)
        return ERR_NOT_FOUND;
    const struct iam_access *key = key_of(known, access_key);
    enum err e = key && key->active ? ERR_OK : ERR_DENIED;
    if (e == ERR_OK) {
        cred.secret = str_dup(arena, key->secret);
        e = str_is_set(cred.secret) ? ERR_OK : ERR_NOMEM;
    }
    iam_known_unref(known);
    if (e == ERR_OK)
        *ret_cred = cred;
    return e;
}

/* --- principals ------------------------------------------------------------------------------- */

static enum err hold(struct arena *arena, struct iam_known *known, size_t max_docs,
                     struct held **ret_held)
{
    struct held *h = ARENA_NEW(arena, struct held);
    if (h)
        h->docs = ARENA_ARRAY(arena, struct iam_doc *, max_docs);
    if (!h || !h->docs || arena_on_release(arena, give_back, h) != ERR_OK) {
        iam_known_unref(known);
        return ERR_NOMEM;
    }
    h->known = known;
    *ret_held = h;
    return ERR_OK;
}

/* A managed policy by ARN, held; NULL when it is missing. */
static const struct policy *held_doc(struct iam *iam, struct held *h, struct str arn)
{
    struct iam_doc *doc = iam_find_doc(iam, arn);
    if (!doc)
        return NULL;
    h->docs[h->n_docs++] = doc;
    return doc->policy;
}

/* What stands for a policy that is gone and may have limited: it allows nothing. */
static enum err nothing_allowed(struct iam *iam, struct arena *arena, const struct policy **ret)
{
    return core_policy(
        iam->core, arena, POLICY_IDENTITY,
        STR("{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}"), ret);
}

/* Policies, boundary and tags of a user or role; takes `known`'s count. */
static enum err fill_entity(struct iam *iam, struct iam_known *known, struct arena *arena,
                            struct principal *who, struct held **ret_held)
{
    const struct iam_entity *e = known->e;
    struct held *h;
    TRY(hold(arena, known, IAM_ATTACHED_MAX + 1 + IAM_SESSION_POLICY_ARNS_MAX, &h));
    const struct policy **policies =
        ARENA_ARRAY(arena, const struct policy *, e->n_inlines + e->n_attached + 1);
    if (!policies)
        return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < e->n_inlines; i++)
        policies[n++] = known->inlines[i];
    for (size_t i = 0; i < e->n_attached; i++) {
        policies[n] = held_doc(iam, h, e->attached[i]);
        if (!policies[n]) /* damaged, as one in use cannot be deleted: it may have denied */
            TRY(nothing_allowed(iam, arena, &policies[n]));
        n++;
    }
    if (str_is_set(e->boundary)) {
        who->boundary = held_doc(iam, h, e->boundary);
        if (!who->boundary)
            TRY(nothing_allowed(iam, arena, &who->boundary));
    }
    who->identity_policies = policies;
    who->n_identity_policies = n;
    who->account = iam->core->cfg.account;
    who->user_name = e->name;
    /* struct tag has the members of struct principal_tag, in their order. */
    _Static_assert(sizeof(struct tag) == sizeof(struct principal_tag), "tag layouts differ");
    who->tags = (const struct principal_tag *)(const void *)e->tags.v;
    who->n_tags = e->tags.n;
    *ret_held = h;
    return ERR_OK;
}

static enum err fill_user(struct iam *iam, struct iam_known *known, struct arena *arena,
                          struct principal *who)
{
    struct held *h;
    who->kind = PRINCIPAL_USER;
    who->arn = known->arn;
    who->user_id = known->e->id;
    return fill_entity(iam, known, arena, who, &h);
}

static enum err fill_root(const struct iam *iam, struct arena *arena, struct principal *who)
{
    const struct core_config *cfg = &iam->core->cfg;
    who->kind = PRINCIPAL_ROOT;
    who->account = cfg->account;
    who->user_id = cfg->account;
    who->arn = str_fmt(arena, "arn:" STR_FMT ":iam::" STR_FMT ":root", STR_ARG(cfg->partition),
                       STR_ARG(cfg->account));
    return str_is_set(who->arn) ? ERR_OK : ERR_NOMEM;
}

/* Tags of the session override the role's, without regard to case. */
static enum err merge_tags(struct arena *arena, const struct iam_session *s, struct principal *who)
{
    if (s->n_tags == 0)
        return ERR_OK;
    struct principal_tag *tags = ARENA_ARRAY(arena, struct principal_tag, s->n_tags + who->n_tags);
    if (!tags)
        return ERR_NOMEM;
    size_t n = s->n_tags;
    memcpy(tags, s->tags, n * sizeof(*tags));
    for (size_t i = 0; i < who->n_tags; i++) {
        bool there = false;
        for (size_t k = 0; k < s->n_tags && !there; k++)
            there = str_eq_nocase(tags[k].key, who->tags[i].key);
        if (!there)
            tags[n++] = who->tags[i];
    }
    who->tags = tags;
    who->n_tags = n;
    return ERR_OK;
}

static enum err fill_session_policies(struct iam *iam, const struct iam_session *s, struct held *h,
                                      struct arena *arena, struct principal *who)
{
    size_t n = 0;
    if (!str_is_set(s->policy_json) && s->n_policy_arns == 0)
        return ERR_OK;
    const struct policy **policies =
        ARENA_ARRAY(arena, const struct policy *, s->n_policy_arns + 2);
    if (!policies)
        return ERR_NOMEM;
    if (str_is_set(s->policy_json)) {
        TRY(core_policy(iam->core, arena, POLICY_IDENTITY, s->policy_json, &policies[n]));
        n++;
    }
    for (size_t i = 0; i < s->n_policy_arns; i++) {
        const struct policy *p = held_doc(iam, h, s->policy_arns[i]);
        if (p)
            policies[n++] = p;
    }
    if (n == 0) /* all were deleted since: the session still is limited */
        TRY(nothing_allowed(iam, arena, &policies[n++]));
    who->session_policies = policies;
    who->n_session_policies = n;
    return ERR_OK;
}

/* Takes `known`'s count. */
static enum err fill_role(struct iam *iam, struct iam_known *known, const struct iam_session *s,
                          struct arena *arena, struct principal *who)
{
    struct held *h;
    TRY(fill_entity(iam, known, arena, who, &h));
    who->kind = PRINCIPAL_ROLE;
    who->role_arn = known->arn;
    who->arn = str_fmt(arena, "arn:" STR_FMT ":sts::" STR_FMT ":assumed-role/" STR_FMT "/" STR_FMT,
                       STR_ARG(iam->core->cfg.partition), STR_ARG(iam->core->cfg.account),
                       STR_ARG(known->e->name), STR_ARG(s->session_name));
    who->user_id =
        str_fmt(arena, STR_FMT ":" STR_FMT, STR_ARG(known->e->id), STR_ARG(s->session_name));
    if (!str_is_set(who->arn) || !str_is_set(who->user_id))
        return ERR_NOMEM;
    TRY(merge_tags(arena, s, who));
    return fill_session_policies(iam, s, h, arena, who);
}

static enum err session_principal(struct iam *iam, struct str access_key, struct str token,
                                  struct arena *arena, struct principal *who)
{
    struct iam_session s;
    TRY(iam_open_token(iam, access_key, token, arena, &s));
    who->token_issued_ms = s.issued_ms;
    if (s.kind == PRINCIPAL_ROOT)
        return fill_root(iam, arena, who);
    struct iam_known *known = iam_find(iam, s.kind == PRINCIPAL_ROLE ? IAM_ROLE : IAM_USER, s.name);
    if (!known)
        return ERR_NOT_FOUND;
    /* One of the same name made later is not the one the session was given for. */
    if (!str_eq(known->e->id, s.id)) {
        iam_known_unref(known);
        return ERR_NOT_FOUND;
    }
    return s.kind == PRINCIPAL_ROLE ? fill_role(iam, known, &s, arena, who)
                                    : fill_user(iam, known, arena, who);
}

static enum err principal(void *self, struct str access_key, struct str session_token,
                          struct arena *arena, struct principal *ret_who)
{
    struct iam *iam = self;
    struct principal who = {.access_key = access_key};
    struct str secret;
    if (is_root_key(iam, access_key, &secret)) {
        TRY(fill_root(iam, arena, &who));
    } else if (iam_is_temporary(access_key)) {
        TRY(session_principal(iam, access_key, session_token, arena, &who));
    } else {
        struct iam_known *known = iam_find_key(iam, access_key);
        if (!known)
            return ERR_NOT_FOUND;
        TRY(fill_user(iam, known, arena, &who));
    }
    *ret_who = who;
    return ERR_OK;
}

static enum err role_principal(void *self, struct str role_arn, struct str session_name,
                               struct arena *arena, struct principal *ret_who)
{
    struct iam *iam = self;
    struct iam_known *known = iam_find_role_arn(iam, role_arn);
    struct iam_session s = {.kind = PRINCIPAL_ROLE, .session_name = session_name};
    struct principal who = {0};
    if (!known)
        return ERR_NOT_FOUND;
    TRY(fill_role(iam, known, &s, arena, &who));
    *ret_who = who;
    return ERR_OK;
}

/* --- roles of services ------------------------------------------------------------------------ */

static enum err trusts(struct iam *iam, const struct iam_known *role, struct str service,
                       struct arena *arena)
{
    struct policy_context ctx;
    policy_context_init(&ctx, arena);
    policy_context_add(&ctx, STR("aws:SourceAccount"), iam->core->cfg.account);
    policy_context_add_bool(&ctx, STR("aws:PrincipalIsAWSService"), true);
    policy_context_add(&ctx, STR("aws:PrincipalServiceName"), service);
    policy_context_add_bool(&ctx, STR("aws:SecureTransport"), true);
    struct policy_request req = {.who = {.kind = POLICY_SERVICE, .service = service},
                                 .action = STR("sts:AssumeRole"),
                                 .resource = role->arn,
                                 .resource_account = iam->core->cfg.account,
                                 .ctx = &ctx,
                                 .resource_policy = role->trust,
                                 .resource_must_allow = true};
    return policy_decide(&req) == POLICY_ALLOW ? ERR_OK : ERR_DENIED;
}

static enum err assume_for_service(void *self, struct str role_arn, struct str service,
                                   struct str session_name, int64_t duration_s, struct arena *arena,
                                   struct str *ret_access_key, struct str *ret_secret,
                                   struct str *ret_token, int64_t *ret_expires_ms)
{
    struct iam *iam = self;
    struct iam_known *role = iam_find_role_arn(iam, role_arn);
    if (!role)
        return ERR_NOT_FOUND;
    enum err e = trusts(iam, role, service, arena);
    int64_t now_ms = clock_now_ms();
    struct iam_session s = {.kind = PRINCIPAL_ROLE,
                            .name = role->e->name,
                            .id = role->e->id,
                            .session_name = str_sub(session_name, 0, IAM_SESSION_NAME_MAX),
                            .issued_ms = now_ms,
                            .expires_ms = now_ms + duration_s * 1000};
    if (e == ERR_OK)
        e = iam_mint(iam, &s, arena, ret_access_key, ret_secret, ret_token);
    if (e == ERR_OK)
        *ret_expires_ms = s.expires_ms;
    iam_known_unref(role);
    return e;
}

static enum err role_trusts(void *self, struct txn *txn, struct str role_arn, struct str service)
{
    struct iam *iam = self;
    struct iam_known *role = iam_find_role_arn(iam, role_arn);
    if (!role)
        return ERR_NOT_FOUND;
    enum err e = trusts(iam, role, service, txn->arena);
    iam_known_unref(role);
    return e;
}

void iam_identity(void *self, struct identity_port *ret_port)
{
    *ret_port = (struct identity_port){
        .self = self,
        .credential = credential,
        .principal = principal,
        .role_principal = role_principal,
        .assume_for_service = assume_for_service,
        .role_trusts = role_trusts,
    };
}
