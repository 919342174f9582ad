/* GetAccountAuthorizationDetails: everybody with all he may do, in one list of five parts, which has
 * pages. Of the policies AWS made it tells those that somebody has.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "svc/iam/iam_int.h"

/* The parts, in their order: the kinds, then policies. A position is the part's digit and a name. */
enum { PART_OWN = IAM_PROFILE, PART_AWS, PARTS };

struct details {
    struct call *call;
    struct page *page;
    struct str last;
    bool wanted[PARTS];
    int part;
    struct iam_user_detail *users;
    struct iam_role_detail *roles;
    struct iam_group_detail *groups;
    struct iam_managed_policy_detail *policies;
    size_t n_users, n_roles, n_groups, n_policies;
};

/* --- shapes ----------------------------------------------------------------------------------- */

static enum err inlines(struct call *call, const struct iam_entity *e,
                        struct iam_policy_detail_list_type *ret)
{
    struct iam_policy_detail *v = ARENA_ARRAY(call->arena, struct iam_policy_detail, e->n_inlines);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < e->n_inlines; i++) {
        v[i] = (struct iam_policy_detail){e->inlines[i].name,
                                          iam_encoded(call, e->inlines[i].document)};
        if (!str_is_set(v[i].policy_document))
            return ERR_NOMEM;
    }
    *ret = (struct iam_policy_detail_list_type){v, e->n_inlines};
    return ERR_OK;
}

static enum err attached(struct call *call, const struct iam_entity *e,
                         struct iam_attached_policies_list_type *ret)
{
    struct iam_attached_policy *v =
        ARENA_ARRAY(call->arena, struct iam_attached_policy, e->n_attached);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < e->n_attached; i++) {
        struct str arn = e->attached[i];
        v[i] = (struct iam_attached_policy){str_sub(arn, str_rfind(arn, '/') + 1, arn.len), arn};
    }
    *ret = (struct iam_attached_policies_list_type){v, e->n_attached};
    return ERR_OK;
}

static enum err group_names(struct call *call, const struct iam_entity *e,
                            struct iam_group_name_list_type *ret)
{
    struct str *v = ARENA_ARRAY(call->arena, struct str, e->n_groups);
    struct iam_entity *g;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < e->n_groups; i++) {
        TRY(iam_load_id(iam_of(call), call->txn, e->groups[i], &g));
        v[i] = g->name;
    }
    *ret = (struct iam_group_name_list_type){v, e->n_groups};
    return ERR_OK;
}

static enum err user(struct details *d, const struct iam_entity *e)
{
    struct iam_user_detail *u = &d->users[d->n_users++];
    *u = (struct iam_user_detail){
        .path = e->path, .user_name = e->name, .user_id = e->id, .arn = e->arn};
    WIRE_SET(u, create_date, e->created_ms);
    TAGS_INTO(u->tags, e->tags);
    TRY(inlines(d->call, e, &u->user_policy_list));
    TRY(group_names(d->call, e, &u->group_list));
    TRY(iam_boundary_shape(d->call, e, &u->permissions_boundary));
    return attached(d->call, e, &u->attached_managed_policies);
}

static enum err group(struct details *d, const struct iam_entity *e)
{
    struct iam_group_detail *g = &d->groups[d->n_groups++];
    *g = (struct iam_group_detail){
        .path = e->path, .group_name = e->name, .group_id = e->id, .arn = e->arn};
    WIRE_SET(g, create_date, e->created_ms);
    TRY(inlines(d->call, e, &g->group_policy_list));
    return attached(d->call, e, &g->attached_managed_policies);
}

static enum err role(struct details *d, const struct iam_entity *e)
{
    struct iam_role_detail *r = &d->roles[d->n_roles++];
    struct iam_role shape;
    TRY(iam_role_shape(d->call, e, &shape));
    *r = (struct iam_role_detail){.path = e->path,
                                  .role_name = e->name,
                                  .role_id = e->id,
                                  .arn = e->arn,
                                  .assume_role_policy_document = shape.assume_role_policy_document};
    WIRE_SET(r, create_date, e->created_ms);
    TAGS_INTO(r->tags, e->tags);
    TRY(inlines(d->call, e, &r->role_policy_list));
    TRY(iam_boundary_shape(d->call, e, &r->permissions_boundary));
    TRY(iam_profiles_of(d->call, e, &r->instance_profile_list));
    TRY(iam_role_used_shape(d->call, e, &r->role_last_used));
    return attached(d->call, e, &r->attached_managed_policies);
}

static enum err policy(struct details *d, const struct iam_policy *p, struct iam_policy_version *v,
                       size_t n_versions)
{
    struct iam_managed_policy_detail *m = &d->policies[d->n_policies++];
    *m = (struct iam_managed_policy_detail){.policy_name = p->policy_name,
                                            .policy_id = p->policy_id,
                                            .arn = p->arn,
                                            .path = p->path,
                                            .default_version_id = p->default_version_id,
                                            .description = p->description,
                                            .policy_version_list = {v, n_versions}};
    WIRE_SET(m, attachment_count, p->attachment_count);
    WIRE_SET(m, permissions_boundary_usage_count, p->permissions_boundary_usage_count);
    WIRE_SET(m, is_attachable, true);
    WIRE_SET(m, create_date, p->create_date);
    WIRE_SET(m, update_date, p->update_date);
    return ERR_OK;
}

/* --- the list --------------------------------------------------------------------------------- */

/* Whether there is room for the next one, named so. ERR_CLOSED: the page ends before it. */
static enum err next(struct details *d, struct str name)
{
    if (d->page->n == d->page->limit) {
        TRY(page_end(d->page, d->last));
        return ERR_CLOSED;
    }
    d->page->n++;
    d->last = str_fmt(d->call->arena, "%d" STR_FMT, d->part, STR_ARG(name));
    return str_is_set(d->last) ? ERR_OK : ERR_NOMEM;
}

static enum err take_entity(void *arg, struct str key, struct str record)
{
    struct details *d = arg;
    struct iam_entity *e = ARENA_NEW(d->call->arena, struct iam_entity); /* its tags are shown */
    if (!e)
        return ERR_NOMEM;
    TRY(iam_entity_unpack(iam_of(d->call), d->call->account, d->call->arena, (enum iam_kind)d->part,
                          record, e));
    TRY(next(d, e->name));
    return d->part == IAM_USER ? user(d, e) : d->part == IAM_ROLE ? role(d, e) : group(d, e);
}

static enum err take_own(void *arg, struct str key, struct str record)
{
    struct details *d = arg;
    struct iam_managed m = {0};
    struct iam_policy p;
    struct iam_policy_version *v =
        ARENA_ARRAY(d->call->arena, struct iam_policy_version, IAM_VERSIONS_MAX);
    if (!v)
        return ERR_NOMEM;
    TRY(iam_managed_unpack(iam_of(d->call), d->call->account, d->call->arena, record, &m));
    TRY(next(d, m.name));
    TRY(iam_own_shape(d->call, &m, &p));
    for (size_t i = 0; i < m.n_versions; i++)
        TRY(iam_version_shape(d->call, &m, &m.versions[m.n_versions - 1 - i], true, &v[i]));
    return policy(d, &p, v, m.n_versions);
}

static enum err list_aws(struct details *d, struct str after)
{
    int64_t *attachments, *boundaries;
    TRY(iam_aws_uses(d->call, &attachments, &boundaries));
    for (size_t i = 0; i < iam_n_aws_policies; i++) {
        const struct iam_aws_policy *aws = &iam_aws_policies[i];
        struct iam_policy p;
        struct iam_policy_version *v = ARENA_NEW(d->call->arena, struct iam_policy_version);
        if (!v)
            return ERR_NOMEM;
        if (attachments[i] == 0 || (str_is_set(after) && str_cmp(str_c(aws->name), after) <= 0))
            continue;
        TRY(next(d, str_c(aws->name)));
        iam_aws_shape(d->call, aws, attachments[i], boundaries[i], &p);
        TRY(iam_aws_version_shape(d->call, aws, true, v));
        TRY(policy(d, &p, v, 1));
    }
    return ERR_OK;
}

static enum err list_part(struct details *d, struct str after)
{
    struct arena *a = d->call->arena;
    struct key_range range;
    if (d->part == PART_AWS)
        return list_aws(d, after);
    bool own = d->part == PART_OWN;
    range = own ? key_range(a, &iam_k_managed, iam_scope(d->call->account))
                : key_range(a, &iam_k_entity, iam_scope(d->call->account), (uint8_t)d->part);
    if (str_is_set(after))
        range.from = key_successor(
            a, own ? iam_managed_key(d->call->account, a, after)
                   : iam_entity_key(d->call->account, a, (enum iam_kind)d->part, after));
    return txn_each(d->call->txn, range, own ? take_own : take_entity, d);
}

static enum err list(struct details *d)
{
    struct str after;
    TRY(page_start(d->page, &after));
    int first = 0;
    if (str_is_set(after)) {
        first = after.len ? after.p[0] - '0' : PARTS;
        after = str_sub(after, 1, after.len);
    }
    for (d->part = first; d->part >= 0 && d->part < PARTS; d->part++)
        if (d->wanted[d->part])
            TRY(list_part(d, d->part == first ? after : STR_NONE));
    return ERR_OK;
}

static void set_wanted(struct details *d, const struct iam_entity_list_type *filter)
{
    static const char *const words[PARTS] = {"User", "Role", "Group", "LocalManagedPolicy",
                                             "AWSManagedPolicy"};
    for (int part = 0; part < PARTS; part++) {
        d->wanted[part] = filter->n == 0;
        for (size_t i = 0; i < filter->n; i++)
            d->wanted[part] |= str_eq_c(filter->v[i], words[part]);
    }
}

enum err
iam_get_account_authorization_details(struct call *call,
                                      const struct iam_get_account_authorization_details_input *in,
                                      struct iam_get_account_authorization_details_output *out)
{
    struct iam_page *page = IAM_PAGE(call, in, out, STR(""));
    struct details d = {.call = call, .page = &page->p};
    size_t n = page->p.limit;
    d.users = ARENA_ARRAY(call->arena, struct iam_user_detail, n);
    d.roles = ARENA_ARRAY(call->arena, struct iam_role_detail, n);
    d.groups = ARENA_ARRAY(call->arena, struct iam_group_detail, n);
    d.policies = ARENA_ARRAY(call->arena, struct iam_managed_policy_detail, n);
    if (!d.users || !d.roles || !d.groups || !d.policies)
        return ERR_NOMEM;
    set_wanted(&d, &in->filter);
    enum err err = list(&d);
    TRY(iam_page_told(call, page, err == ERR_CLOSED ? ERR_OK : err));
    out->user_detail_list = (struct iam_user_detail_list_type){d.users, d.n_users};
    out->role_detail_list = (struct iam_role_detail_list_type){d.roles, d.n_roles};
    out->group_detail_list = (struct iam_group_detail_list_type){d.groups, d.n_groups};
    out->policies = (struct iam_managed_policy_detail_list_type){d.policies, d.n_policies};
    return ERR_OK;
}
