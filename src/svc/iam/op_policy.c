/* Managed policies and their versions.
 *
 * Layer: svc. Thread: the call's loop. */
#include "kv/key.h"
#include "svc/iam/iam_int.h"

static enum err not_found(struct call *call, struct str arn)
{
    return call_error(call, &iam_err_no_such_entity_exception, "Policy " STR_FMT " was not found.",
                      STR_ARG(arn));
}

static enum err no_version(struct call *call, struct str arn, struct str version)
{
    return call_error(call, &iam_err_no_such_entity_exception,
                      "Policy " STR_FMT " version " STR_FMT " does not exist or is not attachable.",
                      STR_ARG(arn), STR_ARG(version));
}

enum err iam_get_managed(struct call *call, struct str arn, struct iam_managed **ret_m)
{
    struct iam *iam = iam_of(call);
    if (iam_aws_find(iam, arn))
        return call_error(call, &iam_err_access_denied,
                          "Policy " STR_FMT " is managed by AWS and cannot be changed.",
                          STR_ARG(arn));
    struct str name = iam_arn_policy_name(iam, arn);
    struct iam_managed *m;
    enum err e = str_is_set(name) ? iam_managed_load(call->txn, name, &m) : ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND)
        return not_found(call, arn);
    TRY(e);
    struct str real = iam_managed_arn(iam, call->arena, m);
    if (!str_is_set(real))
        return ERR_NOMEM;
    if (!str_eq(real, arn))
        return not_found(call, arn);
    *ret_m = m;
    return ERR_OK;
}

/* --- shapes ----------------------------------------------------------------------------------- */

static struct str version_text(struct call *call, int64_t number)
{
    return str_fmt(call->arena, "v%lld", (long long)number);
}

static enum err own_shape(struct call *call, const struct iam_managed *m, bool whole,
                          struct iam_policy *ret)
{
    struct iam_policy p = {.policy_name = m->name,
                           .policy_id = m->id,
                           .arn = iam_managed_arn(iam_of(call), call->arena, m),
                           .path = m->path,
                           .default_version_id = version_text(call, m->default_version)};
    if (!str_is_set(p.arn) || !str_is_set(p.default_version_id))
        return ERR_NOMEM;
    WIRE_SET(&p, attachment_count, m->attachments);
    WIRE_SET(&p, permissions_boundary_usage_count, m->boundaries);
    WIRE_SET(&p, is_attachable, true);
    WIRE_SET(&p, create_date, m->created_ms);
    WIRE_SET(&p, update_date, m->updated_ms);
    if (whole) {
        p.description = m->description;
        p.tags = (struct iam_tag_list_type){m->tags, m->n_tags};
    }
    *ret = p;
    return ERR_OK;
}

/* How many users and roles use a policy AWS made: counted from the index. */
static enum err count_uses(struct call *call, enum iam_use use, struct str arn, int64_t *ret_n)
{
    struct str from = iam_key_uses(call->arena, use, arn), key, value;
    struct str to = str_is_set(from) ? key_after_prefix(call->arena, from) : STR_NONE;
    struct kv_iter *it;
    int64_t n = 0;
    if (!str_is_set(to))
        return ERR_NOMEM;
    TRY(kv_scan(call->txn->kv, from, to, false, &it));
    enum err e;
    while ((e = kv_next(it, &key, &value)) == ERR_OK)
        n++;
    kv_iter_close(it);
    *ret_n = n;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Uses of every policy AWS made, by its place in iam_aws_policies: one scan for a whole list. */
static enum err count_all_uses(struct call *call, enum iam_use use, int64_t **ret_counts)
{
    struct arena *a = call->arena;
    struct str from = iam_key_aws_uses(a, use, iam_of(call)->core->cfg.partition), key, value, arn;
    struct str to = str_is_set(from) ? key_after_prefix(a, from) : STR_NONE;
    int64_t *counts = ARENA_ARRAY(a, int64_t, iam_n_aws_policies);
    const struct iam_aws_policy *p = NULL;
    struct str last = STR_NONE;
    struct kv_iter *it;
    if (!str_is_set(to) || !counts)
        return ERR_NOMEM;
    TRY(kv_scan(call->txn->kv, from, to, false, &it));
    enum err e;
    while ((e = kv_next(it, &key, &value)) == ERR_OK) {
        e = iam_key_read_policy(key, a, &arn);
        if (e != ERR_OK)
            break;
        if (!str_eq(arn, last)) {
            last = arn;
            p = iam_aws_find(iam_of(call), arn);
        }
        if (p)
            counts[p - iam_aws_policies]++;
    }
    kv_iter_close(it);
    *ret_counts = counts;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err aws_shape(struct call *call, const struct iam_aws_policy *a, int64_t attachments,
                          int64_t boundaries, struct iam_policy *ret)
{
    struct iam_policy p = {.policy_name = str_c(a->name),
                           .policy_id = str_c(a->id),
                           .arn = iam_aws_arn(iam_of(call), call->arena, a),
                           .path = str_c(a->path),
                           .default_version_id = str_c(a->version)};
    if (!str_is_set(p.arn))
        return ERR_NOMEM;
    WIRE_SET(&p, attachment_count, attachments);
    WIRE_SET(&p, permissions_boundary_usage_count, boundaries);
    WIRE_SET(&p, is_attachable, true);
    WIRE_SET(&p, create_date, a->created_ms);
    WIRE_SET(&p, update_date, a->updated_ms);
    *ret = p;
    return ERR_OK;
}

/* --- policies --------------------------------------------------------------------------------- */

static enum err check_managed_document(struct call *call, struct str document)
{
    TRY(iam_check_document(call, POLICY_IDENTITY, document));
    if (iam_document_chars(document) > IAM_MANAGED_CHARS)
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Cannot exceed quota for PolicySize: %d", IAM_MANAGED_CHARS);
    return ERR_OK;
}

static enum err check_name_free(struct call *call, struct str name)
{
    struct iam_managed *there;
    enum err e = iam_managed_load(call->txn, name, &there);
    if (e == ERR_OK)
        return call_error(call, &iam_err_entity_already_exists_exception,
                          "A policy called " STR_FMT " already exists. Duplicate names are not "
                          "allowed.",
                          STR_ARG(name));
    return e == ERR_NOT_FOUND ? ERR_OK : e;
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
    m->created_ms = m->updated_ms = call->txn->now_ms;
    m->default_version = 1;
    m->next_version = 2;
    m->versions[0] = (struct iam_version){1, call->txn->now_ms, in->policy_document};
    m->n_versions = 1;
    if (!str_is_set(m->id))
        return ERR_NOMEM;
    TRY(iam_merge_tags(call, m->tags, &m->n_tags, &in->tags));
    TRY(iam_managed_store(iam_of(call), call->txn, m));
    TRY(own_shape(call, m, true, shape));
    out->policy = shape;
    return ERR_OK;
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
        int64_t attachments, boundaries;
        TRY(count_uses(call, IAM_ATTACHED, in->policy_arn, &attachments));
        TRY(count_uses(call, IAM_BOUNDARY, in->policy_arn, &boundaries));
        return aws_shape(call, aws, attachments, boundaries, shape);
    }
    struct iam_managed *m;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    return own_shape(call, m, true, shape);
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

/* AWS's policies come first, by name, then the account's. The marker says which part it is in. */
enum { MARK_AWS = 'A', MARK_OWN = 'L' };

struct lister {
    struct call *call;
    const struct iam_list_policies_input *in;
    struct iam_page page;
    struct iam_policy *v;
    size_t n;
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

/* ERR_LIMIT: the page is full, and the marker set. */
static enum err take(struct lister *l, const struct iam_policy *p, char part)
{
    if (!wanted(l, p))
        return ERR_OK;
    if (l->n == l->page.max) {
        const struct iam_policy *last = &l->v[l->n - 1];
        bool aws = str_find_str(last->arn, STR(":iam::aws:")) != SIZE_MAX;
        struct str mark = str_fmt(l->call->arena, "%c" STR_FMT, aws ? MARK_AWS : MARK_OWN,
                                  STR_ARG(last->policy_name));
        if (!str_is_set(mark))
            return ERR_NOMEM;
        TRY(iam_page_more(l->call, &l->page, mark));
        return ERR_LIMIT;
    }
    l->v[l->n++] = *p;
    return ERR_OK;
}

static enum err list_aws(struct lister *l, struct str after)
{
    int64_t *attachments, *boundaries;
    TRY(count_all_uses(l->call, IAM_ATTACHED, &attachments));
    TRY(count_all_uses(l->call, IAM_BOUNDARY, &boundaries));
    for (size_t i = 0; i < iam_n_aws_policies; i++) {
        struct iam_policy p;
        if (str_is_set(after) && str_cmp(str_c(iam_aws_policies[i].name), after) <= 0)
            continue;
        TRY(aws_shape(l->call, &iam_aws_policies[i], attachments[i], boundaries[i], &p));
        TRY(take(l, &p, MARK_AWS));
    }
    return ERR_OK;
}

static enum err list_own(struct lister *l, struct str after)
{
    struct arena *a = l->call->arena;
    struct str from = iam_key_all_managed(a), key, record;
    struct str to = str_is_set(from) ? key_after_prefix(a, from) : STR_NONE;
    if (str_is_set(after))
        from = iam_scan_after(l->call, iam_key_managed(a, after));
    if (!str_is_set(from) || !str_is_set(to))
        return ERR_NOMEM;
    struct kv_iter *it;
    TRY(kv_scan(l->call->txn->kv, from, to, false, &it));
    enum err e;
    while ((e = kv_next(it, &key, &record)) == ERR_OK) {
        struct iam_managed *m;
        struct iam_policy p;
        e = iam_managed_decode(a, record, &m);
        if (e == ERR_OK)
            e = own_shape(l->call, m, false, &p);
        if (e == ERR_OK)
            e = take(l, &p, MARK_OWN);
        if (e != ERR_OK)
            break;
    }
    kv_iter_close(it);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err iam_list_policies(struct call *call, const struct iam_list_policies_input *in,
                           struct iam_list_policies_output *out)
{
    struct lister l = {.call = call, .in = in};
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &l.page));
    l.v = ARENA_ARRAY(call->arena, struct iam_policy, l.page.max);
    if (!l.v)
        return ERR_NOMEM;
    bool in_own = str_is_set(l.page.after) && l.page.after.p[0] == MARK_OWN;
    struct str after =
        str_is_set(l.page.after) ? str_sub(l.page.after, 1, l.page.after.len) : STR_NONE;
    enum err e = ERR_OK;
    if (!in_own && !str_eq_c(in->scope, "Local"))
        e = list_aws(&l, after);
    if (e == ERR_OK && !str_eq_c(in->scope, "AWS"))
        e = list_own(&l, in_own ? after : STR_NONE);
    if (e != ERR_OK && e != ERR_LIMIT)
        return e;
    out->policies = (struct iam_policy_list_type){l.v, l.n};
    WIRE_SET(out, is_truncated, l.page.truncated);
    out->marker = l.page.marker;
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

static enum err version_shape(struct call *call, const struct iam_managed *m,
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

static enum err aws_version_shape(struct call *call, const struct iam_aws_policy *aws,
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
    *v = (struct iam_version){m->next_version++, call->txn->now_ms, in->policy_document};
    m->updated_ms = call->txn->now_ms;
    if (in->set_as_default)
        m->default_version = v->number;
    TRY(iam_managed_store(iam_of(call), call->txn, m));
    TRY(version_shape(call, m, v, false, shape));
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
        return aws_version_shape(call, aws, true, shape);
    if (aws)
        return no_version(call, in->policy_arn, in->version_id);
    struct iam_managed *m;
    TRY(iam_get_managed(call, in->policy_arn, &m));
    const struct iam_version *v = find_version(m, in->version_id);
    return v ? version_shape(call, m, v, true, shape)
             : no_version(call, in->policy_arn, in->version_id);
}

enum err iam_list_policy_versions(struct call *call,
                                  const struct iam_list_policy_versions_input *in,
                                  struct iam_list_policy_versions_output *out)
{
    const struct iam_aws_policy *aws = iam_aws_find(iam_of(call), in->policy_arn);
    struct iam_page page;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    struct iam_policy_version *v =
        ARENA_ARRAY(call->arena, struct iam_policy_version, IAM_VERSIONS_MAX);
    struct iam_managed *m = NULL;
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    if (aws)
        TRY(aws_version_shape(call, aws, false, &v[n++]));
    else
        TRY(iam_get_managed(call, in->policy_arn, &m));
    /* Newest first; a page begins after the version of the marker. */
    bool skipping = str_is_set(page.after);
    for (size_t i = m ? m->n_versions : 0; i-- > 0;) {
        struct iam_policy_version s;
        TRY(version_shape(call, m, &m->versions[i], false, &s));
        if (skipping) {
            skipping = !str_eq(s.version_id, page.after);
            continue;
        }
        if (n == page.max) {
            TRY(iam_page_more(call, &page, v[n - 1].version_id));
            break;
        }
        v[n++] = s;
    }
    out->versions = (struct iam_policy_document_version_list_type){v, n};
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
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
    m->updated_ms = call->txn->now_ms;
    return iam_managed_store(iam_of(call), call->txn, m);
}

/* --- ListEntitiesForPolicy -------------------------------------------------------------------- */

struct entities {
    struct call *call;
    struct iam_policy_user *users;
    struct iam_policy_role *roles;
    size_t n_users, n_roles;
};

static enum err take_entity(struct entities *x, enum iam_kind kind, struct str lower,
                            struct str prefix)
{
    struct str key = iam_key_entity(x->call->arena, kind, lower), record;
    struct iam_entity *e;
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(txn_peek(x->call->txn, key, &record));
    TRY(iam_entity_decode(x->call->arena, kind, record, &e));
    if (str_is_set(prefix) && !str_starts(e->path, prefix))
        return ERR_OK;
    if (kind == IAM_USER)
        x->users[x->n_users++] = (struct iam_policy_user){e->name, e->id};
    else
        x->roles[x->n_roles++] = (struct iam_policy_role){e->name, e->id};
    return ERR_OK;
}

/* One page of one kind of use. A marker is "0name" or "1name", the kind before the name. */
static enum err scan_uses(struct entities *x, enum iam_use use,
                          const struct iam_list_entities_for_policy_input *in,
                          struct iam_page *page)
{
    struct arena *a = x->call->arena;
    struct str from = iam_key_uses(a, use, in->policy_arn), key, value, last = STR_NONE;
    struct str to = str_is_set(from) ? key_after_prefix(a, from) : STR_NONE;
    if (str_is_set(page->after))
        from = iam_scan_after(x->call, iam_key_use(a, use, in->policy_arn,
                                                   page->after.p[0] == '1' ? IAM_ROLE : IAM_USER,
                                                   str_sub(page->after, 1, page->after.len)));
    if (!str_is_set(from) || !str_is_set(to))
        return ERR_NOMEM;
    struct kv_iter *it;
    TRY(kv_scan(x->call->txn->kv, from, to, false, &it));
    enum err e;
    while ((e = kv_next(it, &key, &value)) == ERR_OK) {
        enum iam_kind kind;
        struct str name;
        if (x->n_users + x->n_roles == page->max) {
            e = iam_page_more(x->call, page, last);
            break;
        }
        e = iam_key_read_use(key, a, &kind, &name);
        if (e != ERR_OK)
            break;
        last = str_fmt(a, "%c" STR_FMT, kind == IAM_ROLE ? '1' : '0', STR_ARG(name));
        bool other = (str_eq_c(in->entity_filter, "User") && kind != IAM_USER) ||
                     (str_eq_c(in->entity_filter, "Role") && kind != IAM_ROLE);
        e = str_is_set(last) ? ERR_OK : ERR_NOMEM;
        if (e == ERR_OK && !other)
            e = take_entity(x, kind, name, in->path_prefix);
        if (e != ERR_OK)
            break;
    }
    kv_iter_close(it);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err iam_list_entities_for_policy(struct call *call,
                                      const struct iam_list_entities_for_policy_input *in,
                                      struct iam_list_entities_for_policy_output *out)
{
    static const struct iam_policy_group no_groups[1];
    struct entities x = {.call = call};
    struct iam_page page;
    struct iam_managed *m;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    if (!iam_aws_find(iam_of(call), in->policy_arn))
        TRY(iam_get_managed(call, in->policy_arn, &m));
    x.users = ARENA_ARRAY(call->arena, struct iam_policy_user, page.max);
    x.roles = ARENA_ARRAY(call->arena, struct iam_policy_role, page.max);
    if (!x.users || !x.roles)
        return ERR_NOMEM;
    bool boundary = str_eq_c(in->policy_usage_filter, "PermissionsBoundary");
    bool nothing = str_eq_c(in->entity_filter, "Group") ||
                   str_eq_c(in->entity_filter, "AWSManagedPolicy") ||
                   str_eq_c(in->entity_filter, "LocalManagedPolicy");
    if (!nothing)
        TRY(scan_uses(&x, boundary ? IAM_BOUNDARY : IAM_ATTACHED, in, &page));
    out->policy_groups = (struct iam_policy_group_list_type){no_groups, 0};
    out->policy_users = (struct iam_policy_user_list_type){x.users, x.n_users};
    out->policy_roles = (struct iam_policy_role_list_type){x.roles, x.n_roles};
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
    return ERR_OK;
}
