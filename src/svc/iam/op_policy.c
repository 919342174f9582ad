/* Managed policies and their versions.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "codec/json.h"
#include "svc/iam/iam_int.h"

static enum err no_version(struct call *call, struct str arn, struct str version)
{
    return call_error(call, &iam_err_no_such_entity_exception,
                      "Policy " STR_FMT " version " STR_FMT " does not exist or is not attachable.",
                      STR_ARG(arn), STR_ARG(version));
}

/* --- shapes ----------------------------------------------------------------------------------- */

static struct str version_text(struct call *call, int64_t number)
{
    return str_fmt(call->arena, "v%lld", (long long)number);
}

enum err iam_own_shape(struct call *call, const struct iam_managed *m, struct iam_policy *p)
{
    *p = (struct iam_policy){.policy_name = m->name,
                             .policy_id = m->id,
                             .arn = m->arn,
                             .path = m->path,
                             .default_version_id = version_text(call, m->default_version)};
    WIRE_SET(p, attachment_count, m->attachments);
    WIRE_SET(p, permissions_boundary_usage_count, m->boundaries);
    WIRE_SET(p, is_attachable, true);
    WIRE_SET(p, create_date, m->created_ms);
    WIRE_SET(p, update_date, m->updated_ms);
    return str_is_set(p->default_version_id) ? ERR_OK : ERR_NOMEM;
}

/* With what lists leave out. */
static enum err whole_own(struct call *call, const struct iam_managed *m, struct iam_policy *p)
{
    TRY(iam_own_shape(call, m, p));
    p->description = m->description;
    TAGS_INTO(p->tags, m->tags);
    return ERR_OK;
}

struct counting {
    struct call *call;
    enum iam_use use;
    int64_t *counts; /* by place in iam_aws_policies */
};

static enum err count_one(void *arg, struct str key, struct str value)
{
    struct counting *c = arg;
    struct str arn;
    TRY(key_read(&iam_k_use[c->use], key, c->call->arena, KEY_SKIP, &arn, KEY_SKIP, KEY_SKIP));
    const struct iam_aws_policy *p = iam_aws_find(iam_of(c->call), arn);
    if (p)
        c->counts[p - iam_aws_policies]++;
    return ERR_OK;
}

/* How many users and roles use the policies AWS made whose ARN begins with `starts`: counted from
 * the index, in one scan for a whole list. */
static enum err count_uses(struct call *call, enum iam_use use, struct str starts,
                           int64_t **ret_counts)
{
    struct counting c = {call, use, ARENA_ARRAY(call->arena, int64_t, iam_n_aws_policies)};
    if (!c.counts)
        return ERR_NOMEM;
    TRY(txn_each(
        call->txn,
        key_range(call->arena, &iam_k_use[use], iam_scope(call->account), KEY_STARTS(starts)),
        count_one, &c));
    *ret_counts = c.counts;
    return ERR_OK;
}

void iam_aws_shape(struct call *call, const struct iam_aws_policy *aws, int64_t attachments,
                   int64_t boundaries, struct iam_policy *p)
{
    *p = (struct iam_policy){.policy_name = str_c(aws->name),
                             .policy_id = str_c(aws->id),
                             .arn = iam_of(call)->aws[aws - iam_aws_policies].arn,
                             .path = str_c(aws->path),
                             .default_version_id = str_c(aws->version)};
    WIRE_SET(p, attachment_count, attachments);
    WIRE_SET(p, permissions_boundary_usage_count, boundaries);
    WIRE_SET(p, is_attachable, true);
    WIRE_SET(p, create_date, aws->created_ms);
    WIRE_SET(p, update_date, aws->updated_ms);
}

/* --- policies --------------------------------------------------------------------------------- */

/* Inline policies may be of the older language, managed ones not. */
static enum err check_language(struct call *call, struct str document)
{
    struct json *doc;
    enum err err = json_parse(call->arena, document, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err || !json_get(doc, STR("Statement"))) /* then it has other faults */
        return ERR_OK;
    const struct json *version = json_get(doc, STR("Version"));
    return version && !str_eq_c(json_get_str(doc, STR("Version")), "2008-10-17")
               ? ERR_OK
               : call_error(call, &iam_err_malformed_policy_document_exception,
                            "Policy document must be version 2012-10-17 or greater.");
}

static enum err check_managed_document(struct call *call, struct str document)
{
    TRY(check_language(call, document));
    return iam_check_document(call, POLICY_IDENTITY, document, "PolicySize", IAM_MANAGED_CHARS);
}

static enum err check_name_free(struct call *call, struct str name)
{
    struct str there;
    enum err err = txn_get(call->txn, iam_managed_key(call->account, call->arena, name), &there);
    if (err == ERR_OK)
        return call_error(call, &iam_err_entity_already_exists_exception,
                          "A policy called " STR_FMT " already exists. Duplicate names are not "
                          "allowed.",
                          STR_ARG(name));
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err iam_create_policy(struct call *call, const struct iam_create_policy_input *in,
                           struct iam_create_policy_output *out)
{
    struct iam_managed *m = ARENA_NEW(call->arena, struct iam_managed);
    struct iam_policy *shape = ARENA_NEW(call->arena, struct iam_policy);
    if (!m || !shape)
        return ERR_NOMEM;
    TRY(check_managed_document(call, in->policy_document));
    TRY(check_name_free(call, in->policy_name));
    m->name = in->policy_name;
    m->path = str_is_set(in->path) ? in->path : STR("/");
    m->id = iam_new_id(call->arena, "ANPA");
    m->description = in->description;
    m->created_ms = m->updated_ms = call->txn->wall_ms;
    m->default_version = 1;
    m->next_version = 2;
    m->versions[0] = (struct iam_version){1, call->txn->wall_ms, in->policy_document};
    m->n_versions = 1;
    m->account = call->account;
    m->arn = iam_managed_arn(iam_of(call), call->arena, m);
    if (!str_is_set(m->id) || !str_is_set(m->arn))
        return ERR_NOMEM;
    TRY(iam_merge_tags(call, &m->tags, TAGS_FROM(in->tags)));
    TRY(iam_managed_store(iam_of(call), call->txn, m));
    out->policy = shape;
    return whole_own(call, m, shape);
}

enum err iam_get_policy(struct call *call, const struct iam_get_policy_input *in,
                        struct iam_get_policy_output *out)
{
    const struct iam_aws_policy *aws = iam_aws_find(iam_of(call), in->policy_arn);
    struct iam_policy *shape = ARENA_NEW(call->arena, struct iam_policy);
    if (!shape)
        return ERR_NOMEM;
    out->policy = shape;
    if (aws) {
        size_t at = (size_t)(aws - iam_aws_policies);
        int64_t *attachments, *boundaries;
        TRY(count_uses(call, IAM_ATTACHED, in->policy_arn, &attachments));
        TRY(count_uses(call, IAM_BOUNDARY, in->policy_arn, &boundaries));
        iam_aws_shape(call, aws, attachments[at], boundaries[at], shape);
        return ERR_OK;
    }
    struct iam_managed *m;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    return whole_own(call, m, shape);
}

enum err iam_delete_policy(struct call *call, const struct iam_delete_policy_input *in,
                           struct iam_delete_policy_output *out)
{
    struct iam_managed *m;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    if (m->attachments > 0 || m->boundaries > 0)
        return call_error(call, &iam_err_delete_conflict_exception,
                          "Cannot delete a policy attached to entities.");
    if (m->n_versions > 1)
        return call_error(call, &iam_err_delete_conflict_exception,
                          "This policy has more than one version. Before you delete a policy, you "
                          "must delete the policy's versions. The default version is deleted with "
                          "the policy.");
    return iam_managed_remove(iam_of(call), call->txn, m);
}

/* --- ListPolicies ----------------------------------------------------------------------------- */

/* AWS's policies come first, by name, then the account's. A position is the part and the name. */
enum { PART_AWS = 'A', PART_OWN = 'L' };

struct lister {
    struct call *call;
    const struct iam_list_policies_input *in;
    struct page *page;
    struct str last; /* position of the last one taken or passed over */
    size_t passed;
    struct iam_policy *v;
};

static bool wanted(const struct lister *l, const struct iam_policy *p)
{
    if (str_is_set(l->in->path_prefix) && !str_starts(p->path, l->in->path_prefix))
        return false;
    if (l->in->only_attached && p->attachment_count == 0)
        return false;
    if (str_eq_c(l->in->policy_usage_filter, "PermissionsBoundary"))
        return p->permissions_boundary_usage_count > 0;
    return true;
}

/* ERR_CLOSED: the page ends before this one. */
static enum err take(struct lister *l, const struct iam_policy *p, char part)
{
    bool want = wanted(l, p);
    if (want ? l->page->n == l->page->limit : l->passed == l->page->look_max) {
        TRY(page_end(l->page, l->last));
        return ERR_CLOSED;
    }
    if (want)
        l->v[l->page->n++] = *p;
    else
        l->passed++;
    l->last = str_fmt(l->call->arena, "%c" STR_FMT, part, STR_ARG(p->policy_name));
    return str_is_set(l->last) ? ERR_OK : ERR_NOMEM;
}

enum err iam_aws_uses(struct call *call, int64_t **ret_attachments, int64_t **ret_boundaries)
{
    struct str all = str_fmt(call->arena, "arn:" STR_FMT ":iam::aws:", STR_ARG(call->partition));
    if (!str_is_set(all))
        return ERR_NOMEM;
    TRY(count_uses(call, IAM_ATTACHED, all, ret_attachments));
    return count_uses(call, IAM_BOUNDARY, all, ret_boundaries);
}

static enum err list_aws(struct lister *l, struct str after)
{
    int64_t *attachments, *boundaries;
    TRY(iam_aws_uses(l->call, &attachments, &boundaries));
    for (size_t i = 0; i < iam_n_aws_policies; i++) {
        struct iam_policy p;
        if (str_is_set(after) && str_cmp(str_c(iam_aws_policies[i].name), after) <= 0)
            continue;
        iam_aws_shape(l->call, &iam_aws_policies[i], attachments[i], boundaries[i], &p);
        TRY(take(l, &p, PART_AWS));
    }
    return ERR_OK;
}

static enum err take_own(void *arg, struct str key, struct str record)
{
    struct lister *l = arg;
    struct iam_managed m;
    struct iam_policy p;
    TRY(iam_managed_unpack(iam_of(l->call), l->call->account, l->call->arena, record, &m));
    TRY(iam_own_shape(l->call, &m, &p));
    return take(l, &p, PART_OWN);
}

static enum err list_own(struct lister *l, struct str after)
{
    struct arena *a = l->call->arena;
    struct key_range range = key_range(a, &iam_k_managed, iam_scope(l->call->account));
    if (str_is_set(after))
        range.from = key_successor(a, iam_managed_key(l->call->account, a, after));
    return txn_each(l->call->txn, range, take_own, l);
}

static enum err list_policies(struct lister *l, struct str after)
{
    bool in_own = after.len > 0 && after.p[0] == PART_OWN;
    struct str name = str_is_set(after) ? str_sub(after, 1, after.len) : STR_NONE;
    if (!in_own && !str_eq_c(l->in->scope, "Local"))
        TRY(list_aws(l, name));
    return str_eq_c(l->in->scope, "AWS") ? ERR_OK : list_own(l, in_own ? name : STR_NONE);
}

enum err iam_list_policies(struct call *call, const struct iam_list_policies_input *in,
                           struct iam_list_policies_output *out)
{
    struct iam_page *page = IAM_PAGE(call, in, out, STR(""));
    struct lister l = {.call = call, .in = in, .page = &page->p};
    struct str after;
    l.v = ARENA_ARRAY(call->arena, struct iam_policy, page->p.limit);
    if (!l.v)
        return ERR_NOMEM;
    enum err err = page_start(&page->p, &after);
    if (err == ERR_OK)
        err = list_policies(&l, after);
    TRY(iam_page_told(call, page, err == ERR_CLOSED ? ERR_OK : err));
    assert(page->p.n <= page->p.limit && l.passed <= page->p.look_max);
    out->policies = (struct iam_policy_list_type){l.v, page->p.n};
    return ERR_OK;
}

/* --- versions --------------------------------------------------------------------------------- */

/* "v12" */
static const struct iam_version *find_version(const struct iam_managed *m, struct str id)
{
    int64_t number;
    if (id.len < 2 || id.p[0] != 'v' || str_to_i64(str_sub(id, 1, id.len), &number) != ERR_OK)
        return NULL;
    return iam_managed_version(m, number);
}

enum err iam_version_shape(struct call *call, const struct iam_managed *m,
                           const struct iam_version *v, bool with_document,
                           struct iam_policy_version *ret)
{
    struct iam_policy_version s = {.version_id = version_text(call, v->number)};
    if (with_document)
        s.document = iam_encoded(call, v->document);
    if (!str_is_set(s.version_id) || (with_document && !str_is_set(s.document)))
        return ERR_NOMEM;
    WIRE_SET(&s, is_default_version, v->number == m->default_version);
    WIRE_SET(&s, create_date, v->created_ms);
    *ret = s;
    return ERR_OK;
}

enum err iam_aws_version_shape(struct call *call, const struct iam_aws_policy *aws,
                               bool with_document, struct iam_policy_version *ret)
{
    struct iam_policy_version s = {.version_id = str_c(aws->version)};
    if (with_document)
        s.document = iam_encoded(call, str_c(aws->document));
    if (with_document && !str_is_set(s.document))
        return ERR_NOMEM;
    WIRE_SET(&s, is_default_version, true);
    WIRE_SET(&s, create_date, aws->updated_ms);
    *ret = s;
    return ERR_OK;
}

enum err iam_create_policy_version(struct call *call,
                                   const struct iam_create_policy_version_input *in,
                                   struct iam_create_policy_version_output *out)
{
    struct iam_managed *m;
    struct iam_policy_version *shape = ARENA_NEW(call->arena, struct iam_policy_version);
    if (!shape)
        return ERR_NOMEM;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    TRY(check_managed_document(call, in->policy_document));
    if (m->n_versions == IAM_VERSIONS_MAX)
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "A managed policy can have up to %d versions. Before you create a new "
                          "version, you must delete an existing version.",
                          IAM_VERSIONS_MAX);
    struct iam_version *v = &m->versions[m->n_versions++];
    *v = (struct iam_version){m->next_version++, call->txn->wall_ms, in->policy_document};
    m->updated_ms = call->txn->wall_ms;
    if (in->set_as_default)
        m->default_version = v->number;
    TRY(iam_managed_store(iam_of(call), call->txn, m));
    TRY(iam_version_shape(call, m, v, false, shape));
    out->policy_version = shape;
    return ERR_OK;
}

enum err iam_get_policy_version(struct call *call, const struct iam_get_policy_version_input *in,
                                struct iam_get_policy_version_output *out)
{
    const struct iam_aws_policy *aws = iam_aws_find(iam_of(call), in->policy_arn);
    struct iam_policy_version *shape = ARENA_NEW(call->arena, struct iam_policy_version);
    if (!shape)
        return ERR_NOMEM;
    out->policy_version = shape;
    if (aws && str_eq_c(in->version_id, aws->version))
        return iam_aws_version_shape(call, aws, true, shape);
    if (aws)
        return no_version(call, in->policy_arn, in->version_id);
    struct iam_managed *m;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    const struct iam_version *v = find_version(m, in->version_id);
    return v ? iam_version_shape(call, m, v, true, shape)
             : no_version(call, in->policy_arn, in->version_id);
}

/* Newest first: the first of them older than the version `after` (absent: all), as a count. */
static size_t versions_left(const struct iam_managed *m, struct str after)
{
    int64_t number = 0;
    size_t left = m->n_versions;
    if (str_is_set(after) && str_to_i64(after, &number) == ERR_OK)
        while (left > 0 && m->versions[left - 1].number >= number)
            left--;
    return left;
}

static enum err list_versions(struct call *call, const struct iam_managed *m, struct page *page,
                              struct iam_policy_version *v)
{
    struct str after;
    TRY(page_start(page, &after));
    size_t left = versions_left(m, after);
    for (; left > 0 && page->n < page->limit; left--)
        TRY(iam_version_shape(call, m, &m->versions[left - 1], false, &v[page->n++]));
    if (left == 0)
        return ERR_OK;
    struct str last = str_fmt(call->arena, "%lld", (long long)m->versions[left].number);
    return str_is_set(last) ? page_end(page, last) : ERR_NOMEM;
}

enum err iam_list_policy_versions(struct call *call,
                                  const struct iam_list_policy_versions_input *in,
                                  struct iam_list_policy_versions_output *out)
{
    const struct iam_aws_policy *aws = iam_aws_find(iam_of(call), in->policy_arn);
    struct iam_page *page = IAM_PAGE(call, in, out, in->policy_arn);
    struct iam_policy_version *v =
        ARENA_ARRAY(call->arena, struct iam_policy_version, IAM_VERSIONS_MAX);
    struct iam_managed *m;
    if (!v)
        return ERR_NOMEM;
    out->versions.v = v;
    if (aws) {
        out->versions.n = 1;
        TRY(iam_aws_version_shape(call, aws, false, v));
        return iam_page_told(call, page, ERR_OK);
    }
    TRY(iam_get_managed(call, in->policy_arn, &m));
    TRY(iam_page_told(call, page, list_versions(call, m, &page->p, v)));
    out->versions.n = page->p.n;
    return ERR_OK;
}

enum err iam_delete_policy_version(struct call *call,
                                   const struct iam_delete_policy_version_input *in,
                                   struct iam_delete_policy_version_output *out)
{
    struct iam_managed *m;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    const struct iam_version *v = find_version(m, in->version_id);
    if (!v)
        return no_version(call, in->policy_arn, in->version_id);
    if (v->number == m->default_version)
        return call_error(call, &iam_err_delete_conflict_exception,
                          "Cannot delete the default version of a policy.");
    size_t at = (size_t)(v - m->versions);
    assert(m->n_versions > 1 && at < m->n_versions); /* the default one stays */
    for (m->n_versions--; at < m->n_versions; at++)
        m->versions[at] = m->versions[at + 1];
    return iam_managed_store(iam_of(call), call->txn, m);
}

enum err iam_set_default_policy_version(struct call *call,
                                        const struct iam_set_default_policy_version_input *in,
                                        struct iam_set_default_policy_version_output *out)
{
    struct iam_managed *m;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    const struct iam_version *v = find_version(m, in->version_id);
    if (!v)
        return no_version(call, in->policy_arn, in->version_id);
    m->default_version = v->number;
    m->updated_ms = call->txn->wall_ms;
    return iam_managed_store(iam_of(call), call->txn, m);
}

/* --- ListEntitiesForPolicy -------------------------------------------------------------------- */

struct users {
    struct call *call;
    enum iam_use use;
    const struct iam_list_entities_for_policy_input *in;
    struct iam_policy_user *users;
    struct iam_policy_role *roles;
    struct iam_policy_group *groups;
    size_t n_users, n_roles, n_groups;
    struct iam_entity e; /* the one looked at */
};

static enum err match_use(void *arg, struct str key, struct str value, bool *ret_match)
{
    struct users *x = arg;
    struct arena *a = x->call->arena;
    const struct iam *iam = iam_of(x->call);
    struct str lower, record;
    uint8_t kind;
    TRY(key_read(&iam_k_use[x->use], key, a, KEY_SKIP, KEY_SKIP, &kind, &lower));
    if (kind >= IAM_KINDS)
        return ERR_CORRUPT;
    struct str filter = x->in->entity_filter;
    *ret_match = !str_is_set(filter) || str_eq_c(filter, iam_kind_title[kind]);
    if (!*ret_match)
        return ERR_OK;
    TRY(txn_peek(x->call->txn, iam_entity_key(x->call->account, a, kind, lower), &record));
    TRY(iam_entity_unpack(iam, x->call->account, a, kind, record, &x->e));
    *ret_match = !str_is_set(x->in->path_prefix) || str_starts(x->e.path, x->in->path_prefix);
    return ERR_OK;
}

static enum err take_use(void *arg, struct str key, struct str value)
{
    struct users *x = arg;
    if (x->e.kind == IAM_USER)
        x->users[x->n_users++] = (struct iam_policy_user){x->e.name, x->e.id};
    else if (x->e.kind == IAM_GROUP)
        x->groups[x->n_groups++] = (struct iam_policy_group){x->e.name, x->e.id};
    else
        x->roles[x->n_roles++] = (struct iam_policy_role){x->e.name, x->e.id};
    return ERR_OK;
}

enum err iam_list_entities_for_policy(struct call *call,
                                      const struct iam_list_entities_for_policy_input *in,
                                      struct iam_list_entities_for_policy_output *out)
{
    static const struct page_fns fns = {match_use, take_use};
    struct users x = {.call = call, .in = in};
    struct iam_page *page = IAM_PAGE(call, in, out, in->policy_arn);
    struct iam_managed *m;
    if (!iam_aws_find(iam_of(call), in->policy_arn))
        TRY(iam_get_managed(call, in->policy_arn, &m));
    x.users = ARENA_ARRAY(call->arena, struct iam_policy_user, page->p.limit);
    x.roles = ARENA_ARRAY(call->arena, struct iam_policy_role, page->p.limit);
    x.groups = ARENA_ARRAY(call->arena, struct iam_policy_group, page->p.limit);
    if (!x.users || !x.roles || !x.groups)
        return ERR_NOMEM;
    if (str_eq_c(in->policy_usage_filter, "PermissionsBoundary"))
        x.use = IAM_BOUNDARY;
    struct key_range range =
        key_range(call->arena, &iam_k_use[x.use], iam_scope(call->account), in->policy_arn);
    TRY(iam_page_scan(call, page, range, &fns, &x));
    assert(x.n_users + x.n_roles + x.n_groups == page->p.n);
    out->policy_groups = (struct iam_policy_group_list_type){x.groups, x.n_groups};
    out->policy_users = (struct iam_policy_user_list_type){x.users, x.n_users};
    out->policy_roles = (struct iam_policy_role_list_type){x.roles, x.n_roles};
    return ERR_OK;
}
