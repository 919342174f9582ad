/* Condition keys of IAM's own requests that are not in the request: the tags and the boundary that
 * its user or role has.
 *
 * Source: Service Authorization Reference, "Condition keys for AWS Identity and Access Management".
 * Layer: svc. Thread: the call's loop. */
#include "svc/iam/iam_int.h"

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
    for (size_t i = 0; i < e->tags.n && err == ERR_OK; i++) {
        struct str key = str_dup(call->arena, e->tags.v[i].key);
        struct str value = str_dup(call->arena, e->tags.v[i].value);
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
    if (call->op->index == IAM_OP_CREATE_ROLE || call->op->index == IAM_OP_CREATE_USER)
        return ERR_OK; /* nothing is there yet */
    bool brings = str_is_set(wire_input_str(call->op, in, STR("PermissionsBoundary")));
    return add_subject(call, in, ctx, brings);
}
