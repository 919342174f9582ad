/* Condition keys of IAM's own requests: what is attached, under which boundary, with which tags.
 *
 * Source: Service Authorization Reference, "Condition keys for AWS Identity and Access Management".
 * Layer: svc. Thread: the call's loop. */
#include "svc/iam/iam_int.h"

static void add_request_tags(struct policy_context *ctx, const struct iam_tag_list_type *tags)
{
    for (size_t i = 0; i < tags->n; i++) {
        policy_context_add(ctx, STR("aws:TagKeys"), tags->v[i].key);
        policy_context_add2(ctx, STR("aws:RequestTag/"), tags->v[i].key, tags->v[i].value);
    }
}

static void add_tag_keys(struct policy_context *ctx, const struct iam_tag_key_list_type *keys)
{
    for (size_t i = 0; i < keys->n; i++)
        policy_context_add(ctx, STR("aws:TagKeys"), keys->v[i]);
}

/* Tags and boundary of the user or role that the request is about; the boundary is the one it has,
 * unless the request brings one. */
static enum err add_entity(struct call *call, struct policy_context *ctx, enum iam_kind kind,
                           struct str name, bool brings_boundary)
{
    struct iam_known *known = iam_find(iam_of(call), kind, name);
    if (!known)
        return ERR_OK;
    const struct iam_entity *e = known->e;
    enum err err = ERR_OK;
    for (size_t i = 0; i < e->n_tags && err == ERR_OK; i++) {
        struct str key = str_dup(call->arena, e->tags[i].key);
        struct str value = str_dup(call->arena, e->tags[i].value);
        if (!str_is_set(key) || !str_is_set(value))
            err = ERR_NOMEM;
        policy_context_add2(ctx, STR("aws:ResourceTag/"), key, value);
        policy_context_add2(ctx, STR("iam:ResourceTag/"), key, value);
    }
    if (!brings_boundary && str_is_set(e->boundary)) {
        struct str arn = str_dup(call->arena, e->boundary);
        if (!str_is_set(arn))
            err = ERR_NOMEM;
        policy_context_add(ctx, STR("iam:PermissionsBoundary"), arn);
    }
    iam_known_unref(known);
    return err;
}

/* Name member of an input whose first member it is. */
static struct str first_name(const void *in)
{
    return *(const struct str *)in;
}

static enum err add_subject(struct call *call, const void *in, struct policy_context *ctx,
                            bool brings_boundary)
{
    const struct str resource = call->op->resource;
    if (str_find_str(resource, STR(":role/{RoleName}")) != SIZE_MAX)
        return add_entity(call, ctx, IAM_ROLE, first_name(in), brings_boundary);
    if (str_find_str(resource, STR(":user/{UserName}")) != SIZE_MAX)
        return add_entity(call, ctx, IAM_USER, first_name(in), brings_boundary);
    return ERR_OK;
}

enum err iam_auth_context(struct call *call, const void *in, struct policy_context *ctx)
{
    struct str boundary = STR_NONE, policy = STR_NONE;
    switch (call->op->index) {
    case IAM_OP_CREATE_ROLE: {
        const struct iam_create_role_input *x = in;
        policy_context_add(ctx, STR("iam:PermissionsBoundary"), x->permissions_boundary);
        add_request_tags(ctx, &x->tags);
        return ERR_OK; /* nothing is there yet */
    }
    case IAM_OP_CREATE_USER: {
        const struct iam_create_user_input *x = in;
        policy_context_add(ctx, STR("iam:PermissionsBoundary"), x->permissions_boundary);
        add_request_tags(ctx, &x->tags);
        return ERR_OK;
    }
    case IAM_OP_CREATE_POLICY:
        add_request_tags(ctx, &((const struct iam_create_policy_input *)in)->tags);
        return ERR_OK;
    case IAM_OP_PUT_ROLE_PERMISSIONS_BOUNDARY:
        boundary =
            ((const struct iam_put_role_permissions_boundary_input *)in)->permissions_boundary;
        break;
    case IAM_OP_PUT_USER_PERMISSIONS_BOUNDARY:
        boundary =
            ((const struct iam_put_user_permissions_boundary_input *)in)->permissions_boundary;
        break;
    case IAM_OP_ATTACH_ROLE_POLICY:
        policy = ((const struct iam_attach_role_policy_input *)in)->policy_arn;
        break;
    case IAM_OP_ATTACH_USER_POLICY:
        policy = ((const struct iam_attach_user_policy_input *)in)->policy_arn;
        break;
    case IAM_OP_DETACH_ROLE_POLICY:
        policy = ((const struct iam_detach_role_policy_input *)in)->policy_arn;
        break;
    case IAM_OP_DETACH_USER_POLICY:
        policy = ((const struct iam_detach_user_policy_input *)in)->policy_arn;
        break;
    case IAM_OP_TAG_ROLE:
        add_request_tags(ctx, &((const struct iam_tag_role_input *)in)->tags);
        break;
    case IAM_OP_TAG_USER:
        add_request_tags(ctx, &((const struct iam_tag_user_input *)in)->tags);
        break;
    case IAM_OP_UNTAG_ROLE:
        add_tag_keys(ctx, &((const struct iam_untag_role_input *)in)->tag_keys);
        break;
    case IAM_OP_UNTAG_USER:
        add_tag_keys(ctx, &((const struct iam_untag_user_input *)in)->tag_keys);
        break;
    default:
        break;
    }
    policy_context_add(ctx, STR("iam:PermissionsBoundary"), boundary);
    policy_context_add(ctx, STR("iam:PolicyARN"), policy);
    return add_subject(call, in, ctx, str_is_set(boundary));
}
