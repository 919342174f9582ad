/* The identity port: secrets and principals from memory, and roles taken on by services.
 *
 * Layer: svc. Thread: any. */
#include <assert.h>

#include "base/arn.h"
#include "base/clock.h"
#include "core/account.h"
#include "svc/iam/iam_int.h"

/* The first root key, and the development key. */
static bool is_root_key(const struct iam *iam, struct str access_key, struct str *ret_secret)
{
    const struct core_config *cfg = &iam->core->cfg;
    if (cfg->root_access_key.len > 0 && str_eq(access_key, cfg->root_access_key)) {
        *ret_secret = cfg->root_secret;
        return true;
    }
    if (cfg->dev_key && str_eq_c(access_key, CORE_DEV_KEY)) {
        *ret_secret = STR(CORE_DEV_KEY);
        return true;
    }
    return false;
}

static enum err long_lived(struct iam *iam, struct str access_key, struct arena *arena,
                           struct credential *ret_cred)
{
    const struct iam_entity *e;
    TRY(iam_known(iam, arena, IAM_BY_ACCESS_KEY, access_key, &e));
    for (size_t i = 0; i < e->n_keys; i++) {
        if (!str_eq(e->keys[i].id, access_key))
            continue;
        ret_cred->secret = e->keys[i].secret;
        return e->keys[i].active ? ERR_OK : ERR_DENIED;
    }
    assert(!"the index leads to the key's user");
    return ERR_NOT_FOUND;
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
    struct str account;
    enum err err = long_lived(iam, access_key, arena, &cred);
    if (err == ERR_NOT_FOUND)
        err = account_of_key(iam->core, access_key, arena, &account, &cred.secret);
    if (err == ERR_OK)
        *ret_cred = cred;
    return err;
}

/* --- principals ------------------------------------------------------------------------------- */

/* What stands for a policy that is gone and may have limited: it allows nothing. */
static enum err nothing_allowed(struct iam *iam, struct arena *arena, const struct policy **ret)
{
    return core_policy(
        iam->core, arena, POLICY_IDENTITY,
        STR("{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}"), ret);
}

/* One that is gone though it is in use is damaged: it may have denied. */
static enum err policy_in_use(struct iam *iam, struct arena *arena, struct str arn,
                              const struct policy **ret)
{
    enum err err = iam_known_policy(iam, arena, arn, ret);
    return err == ERR_NOT_FOUND ? nothing_allowed(iam, arena, ret) : err;
}

static enum err add_policies(struct iam *iam, const struct iam_entity *e, struct arena *arena,
                             const struct policy **policies, size_t *n)
{
    for (size_t i = 0; i < e->n_inlines; i++)
        policies[(*n)++] = e->inline_policies[i];
    for (size_t i = 0; i < e->n_attached; i++)
        TRY(policy_in_use(iam, arena, e->attached[i], &policies[(*n)++]));
    return ERR_OK;
}

/* The groups of a user, as they are in memory: each request finds them there, so that a change of a
 * group touches no user's record. One that is not found may have denied: ERR_NOT_FOUND, and so is the
 * user (IM1). Adds how many policies they have to *count. */
static enum err find_groups(struct iam *iam, const struct iam_entity *e, struct arena *arena,
                            const struct iam_entity **groups, size_t *count)
{
    for (size_t i = 0; i < e->n_groups; i++) {
        TRY(iam_known(iam, arena, IAM_BY_ID, e->groups[i], &groups[i]));
        *count += groups[i]->n_inlines + groups[i]->n_attached;
    }
    return ERR_OK;
}

/* Policies, boundary and tags of a user or role, which the arena holds. */
static enum err fill_entity(struct iam *iam, const struct iam_entity *e, struct arena *arena,
                            struct principal *who)
{
    const struct iam_entity *groups[IAM_GROUPS_MAX];
    size_t count = e->n_inlines + e->n_attached, n = 0;
    TRY(find_groups(iam, e, arena, groups, &count));
    const struct policy **policies = ARENA_ARRAY(arena, const struct policy *, count);
    if (!policies)
        return ERR_NOMEM;
    TRY(add_policies(iam, e, arena, policies, &n));
    for (size_t i = 0; i < e->n_groups; i++)
        TRY(add_policies(iam, groups[i], arena, policies, &n));
    assert(n == count);
    if (str_is_set(e->boundary))
        TRY(policy_in_use(iam, arena, e->boundary, &who->boundary));
    assert(!str_is_set(e->boundary) || who->boundary); /* one that is gone still limits */
    who->identity_policies = policies;
    who->n_identity_policies = n;
    who->account = e->account;
    who->user_name = e->name;
    /* struct tag has the members of struct principal_tag, in their order. */
    _Static_assert(sizeof(struct tag) == sizeof(struct principal_tag), "tag layouts differ");
    who->tags = (const struct principal_tag *)(const void *)e->tags.v;
    who->n_tags = e->tags.n;
    return ERR_OK;
}

static enum err fill_user(struct iam *iam, const struct iam_entity *e, struct arena *arena,
                          struct principal *who)
{
    assert(e->kind == IAM_USER);
    who->kind = PRINCIPAL_USER;
    who->arn = e->arn;
    who->user_id = e->id;
    return fill_entity(iam, e, arena, who);
}

static enum err fill_root(const struct iam *iam, struct str account, struct arena *arena,
                          struct principal *who)
{
    who->kind = PRINCIPAL_ROOT;
    who->account = account;
    who->user_id = account;
    who->arn = str_fmt(arena, "arn:" STR_FMT ":iam::" STR_FMT ":root",
                       STR_ARG(iam->core->cfg.partition), STR_ARG(account));
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
    assert(n <= s->n_tags + who->n_tags);
    who->tags = tags;
    who->n_tags = n;
    return ERR_OK;
}

static enum err fill_session_policies(struct iam *iam, const struct iam_session *s,
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
        enum err err = iam_known_policy(iam, arena, s->policy_arns[i], &policies[n]);
        if (err && err != ERR_NOT_FOUND)
            return err;
        n += err == ERR_OK;
    }
    if (n == 0) /* all were deleted since: the session still is limited */
        TRY(nothing_allowed(iam, arena, &policies[n++]));
    assert(n > 0); /* a session with policies is never without a limit */
    who->session_policies = policies;
    who->n_session_policies = n;
    return ERR_OK;
}

/* What a session has of its own, beside the role or user it is of. */
static enum err fill_session(struct iam *iam, const struct iam_session *s, struct arena *arena,
                             struct principal *who)
{
    who->transitive_keys = s->transitive_keys;
    who->n_transitive_keys = s->n_transitive_keys;
    who->source_identity = s->source_identity;
    who->provider = s->provider;
    who->claims = s->claims;
    who->n_claims = s->n_claims;
    TRY(merge_tags(arena, s, who));
    return fill_session_policies(iam, s, arena, who);
}

/* No Deny, so that resource policies still may allow. */
#define ALLOW_NOTHING                                                                              \
    STR("{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"none:None\",\"Resource\":\"*\"}}")
#define ALLOW_ALL STR("{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}")

static enum err policy_alone(struct iam *iam, struct arena *arena, struct str json,
                             const struct policy *const **ret_list)
{
    const struct policy **list = ARENA_ARRAY(arena, const struct policy *, 1);
    if (!list)
        return ERR_NOMEM;
    TRY(core_policy(iam->core, arena, POLICY_IDENTITY, json, &list[0]));
    *ret_list = list;
    return ERR_OK;
}

static struct str session_arn(const struct iam *iam, const struct iam_entity *role,
                              struct str session_name, struct arena *arena)
{
    const struct arn arn = {
        .partition = iam->core->cfg.partition, .service = STR("sts"), .account = role->account};
    return arn_make(arena, &arn, "assumed-role/" STR_FMT "/" STR_FMT, STR_ARG(role->name),
                    STR_ARG(session_name));
}

static enum err fill_role(struct iam *iam, const struct iam_entity *e, const struct iam_session *s,
                          struct arena *arena, struct principal *who)
{
    assert(e->kind == IAM_ROLE);
    TRY(fill_entity(iam, e, arena, who));
    who->kind = PRINCIPAL_ROLE;
    who->role_arn = e->arn;
    who->arn = session_arn(iam, e, s->session_name, arena);
    who->user_id = str_fmt(arena, STR_FMT ":" STR_FMT, STR_ARG(e->id), STR_ARG(s->session_name));
    if (!str_is_set(who->arn) || !str_is_set(who->user_id))
        return ERR_NOMEM;
    return fill_session(iam, s, arena, who);
}

/* A federated user is his user (an account's id: its root) within the policies that he was given: without any, what
 * resource policies alone allow him. */
static enum err fill_federated(struct iam *iam, const struct iam_session *s, struct arena *arena,
                               struct principal *who)
{
    const struct iam_entity *e;
    if (!arn_account_valid(s->id)) {
        TRY(iam_known(iam, arena, IAM_BY_ID, s->id, &e));
        if (e->kind != IAM_USER)
            return ERR_NOT_FOUND;
        TRY(fill_entity(iam, e, arena, who));
        who->role_arn = e->arn;
        who->owner_id = e->id;
        who->user_name = STR_NONE;
    } else {
        TRY(fill_root(iam, s->id, arena, who));
        TRY(policy_alone(iam, arena, ALLOW_ALL, &who->identity_policies));
        who->n_identity_policies = 1;
    }
    who->kind = PRINCIPAL_FEDERATED;
    const struct arn arn = {
        .partition = iam->core->cfg.partition, .service = STR("sts"), .account = who->account};
    who->arn = arn_make(arena, &arn, "federated-user/" STR_FMT, STR_ARG(s->session_name));
    who->user_id =
        str_fmt(arena, STR_FMT ":" STR_FMT, STR_ARG(who->account), STR_ARG(s->session_name));
    if (!str_is_set(who->arn) || !str_is_set(who->user_id))
        return ERR_NOMEM;
    TRY(fill_session(iam, s, arena, who));
    if (who->n_session_policies > 0)
        return ERR_OK;
    TRY(policy_alone(iam, arena, ALLOW_NOTHING, &who->session_policies));
    who->n_session_policies = 1;
    return ERR_OK;
}

/* By id: one of the same name made later is not the one the session was given for. */
static enum err session_principal(struct iam *iam, struct str access_key, struct str token,
                                  struct arena *arena, struct principal *who)
{
    struct iam_session s;
    const struct iam_entity *e;
    TRY(iam_open_token(iam, access_key, token, arena, &s));
    who->token_issued_ms = s.issued_ms;
    if (s.kind == PRINCIPAL_ROOT)
        return fill_root(iam, str_is_set(s.id) ? s.id : iam->core->cfg.account, arena, who);
    if (s.kind == PRINCIPAL_FEDERATED)
        return fill_federated(iam, &s, arena, who);
    TRY(iam_known(iam, arena, IAM_BY_ID, s.id, &e));
    if (e->kind != (s.kind == PRINCIPAL_ROLE ? IAM_ROLE : IAM_USER))
        return ERR_NOT_FOUND;
    return e->kind == IAM_ROLE ? fill_role(iam, e, &s, arena, who) : fill_user(iam, e, arena, who);
}

static enum err principal(void *self, struct str access_key, struct str session_token,
                          struct arena *arena, struct principal *ret_who)
{
    struct iam *iam = self;
    struct principal who = {.access_key = access_key};
    struct str account, secret;
    if (is_root_key(iam, access_key, &secret)) {
        TRY(fill_root(iam, iam->core->cfg.account, arena, &who));
    } else if (iam_is_temporary(access_key)) {
        TRY(session_principal(iam, access_key, session_token, arena, &who));
    } else {
        const struct iam_entity *e;
        enum err err = iam_known(iam, arena, IAM_BY_ACCESS_KEY, access_key, &e);
        if (err == ERR_OK)
            err = fill_user(iam, e, arena, &who);
        else if (err == ERR_NOT_FOUND)
            err = account_of_key(iam->core, access_key, arena, &account, &secret) == ERR_OK
                      ? fill_root(iam, account, arena, &who)
                      : ERR_NOT_FOUND;
        TRY(err);
    }
    *ret_who = who;
    return ERR_OK;
}

static enum err role_principal(void *self, struct str role_arn, struct str session_name,
                               struct arena *arena, struct principal *ret_who)
{
    const struct iam_entity *role;
    struct iam_session s = {.kind = PRINCIPAL_ROLE, .session_name = session_name};
    struct principal who = {0};
    TRY(iam_known_role(self, arena, role_arn, &role));
    TRY(fill_role(self, role, &s, arena, &who));
    *ret_who = who;
    return ERR_OK;
}

/* --- roles of services ------------------------------------------------------------------------ */

static enum err trusts(struct iam *iam, const struct iam_entity *role, struct str service,
                       struct arena *arena)
{
    struct policy_context ctx;
    const struct principal who = {.kind = PRINCIPAL_SERVICE, .service = service};
    assert(role->kind == IAM_ROLE && role->trust_policy);
    policy_context_init(&ctx, arena);
    struct core_work work = {.core = iam->core,
                             .now_ms = clock_wall_ms(),
                             .who = &who,
                             .resource = role->arn,
                             .source_account = role->account};
    core_work_keys(&ctx, &work);
    policy_context_add(&ctx, STR("aws:ResourceAccount"), role->account);
    TRY(core_tag_keys(&ctx, iam_service.arn, TAGS_FROM(role->tags)));
    struct policy_request req = {.who = {.kind = POLICY_SERVICE, .service = service},
                                 .action = STR("sts:AssumeRole"),
                                 .resource = role->arn,
                                 .resource_account = role->account,
                                 .ctx = &ctx,
                                 .resource_policy = role->trust_policy,
                                 .resource_must_allow = true};
    return policy_decide(&req) == POLICY_ALLOW ? ERR_OK : ERR_DENIED;
}

static enum err assume_for_service(void *self, struct str role_arn, struct str service,
                                   struct str session_name, int64_t duration_s, struct arena *arena,
                                   struct str *ret_access_key, struct str *ret_secret,
                                   struct str *ret_token, int64_t *ret_expires_ms)
{
    const struct iam_entity *role;
    TRY(iam_known_role(self, arena, role_arn, &role));
    TRY(trusts(self, role, service, arena));
    int64_t now_ms = clock_wall_ms();
    struct iam_session s = {.kind = PRINCIPAL_ROLE,
                            .id = role->id,
                            .session_name = str_sub(session_name, 0, IAM_SESSION_NAME_MAX),
                            .issued_ms = now_ms,
                            .expires_ms = now_ms + duration_s * 1000};
    TRY(iam_mint(self, &s, arena, ret_access_key, ret_secret, ret_token));
    *ret_expires_ms = s.expires_ms;
    return ERR_OK;
}

static enum err role_trusts(void *self, struct txn *txn, struct str role_arn, struct str service)
{
    const struct iam_entity *role;
    TRY(iam_known_role(self, txn->arena, role_arn, &role));
    return trusts(self, role, service, txn->arena);
}

/* --- ids ---------------------------------------------------------------------------------------- */

static enum err load_by_id(struct iam *iam, struct txn *txn, struct str text)
{
    struct iam_entity *e;
    struct str id = str_cut(&text, ':');
    return iam_load_id(iam, txn, id, &e);
}

static enum err id_of_arn(void *self, struct txn *txn, struct str text, struct str *ret_id)
{
    struct iam *iam = self;
    struct arn arn;
    struct iam_entity *e;
    *ret_id = text;
    if (policy_is_id(text))
        return load_by_id(iam, txn, text);
    if (arn_parse(text, &arn) != ERR_OK || !account_known(iam->core, arn.account))
        return ERR_OK;
    struct str type = arn_segment(&arn, 0), name = arn_last(&arn);
    bool session = str_eq_c(arn.service, "sts") && str_eq_c(type, "assumed-role");
    if (!session &&
        !(str_eq_c(arn.service, "iam") && (str_eq_c(type, "user") || str_eq_c(type, "role"))))
        return ERR_OK;
    if (session && (!policy_is_session(arn_segment(&arn, 2)) || str_is_set(arn_segment(&arn, 3))))
        return ERR_NOT_FOUND;
    enum iam_kind kind = str_eq_c(type, "user") ? IAM_USER : IAM_ROLE;
    TRY(iam_entity_load(iam, arn.account, txn, kind, session ? arn_segment(&arn, 1) : name, &e));
    if (!session && !str_eq(e->arn, text)) /* of another path */
        return ERR_NOT_FOUND;
    *ret_id =
        session ? str_fmt(txn->arena, STR_FMT ":" STR_FMT, STR_ARG(e->id), STR_ARG(name)) : e->id;
    return str_is_set(*ret_id) ? ERR_OK : ERR_NOMEM;
}

static enum err arn_of_id(void *self, struct str text, struct arena *arena, struct str *ret_arn)
{
    struct iam *iam = self;
    const struct iam_entity *e;
    struct str session = text, id = str_cut(&session, ':');
    TRY(iam_known(iam, arena, IAM_BY_ID, id, &e));
    *ret_arn = str_is_set(session) ? session_arn(iam, e, session, arena) : e->arn;
    return str_is_set(*ret_arn) ? ERR_OK : ERR_NOMEM;
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
        .id_of_arn = id_of_arn,
        .arn_of_id = arn_of_id,
    };
}
