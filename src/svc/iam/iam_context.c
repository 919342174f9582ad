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
    const struct iam_entity *e;
    enum err err = iam_known_named(iam_of(call), call->arena, kind, name, &e);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    for (size_t i = 0; i < e->tags.n; i++) {
        const struct tag *t = &e->tags.v[i];
        policy_context_add2(ctx, STR("aws:ResourceTag/"), t->key, t->value);
        policy_context_add2(ctx, STR("iam:ResourceTag/"), t->key, t->value);
    }
    if (!brings_boundary && str_is_set(e->boundary))
        policy_context_add(ctx, STR("iam:PermissionsBoundary"), e->boundary);
    return ERR_OK;
}

enum err iam_auth_context(struct call *call, const void *in, struct policy_context *ctx)
{
    if (call->op->index == IAM_OP_CREATE_ROLE || call->op->index == IAM_OP_CREATE_USER)
        return ERR_OK; /* nothing is there yet */
    bool brings = str_is_set(wire_input_str(call->op, in, STR("PermissionsBoundary")));
    struct str role = wire_input_str(call->op, in, STR("RoleName"));
    if (str_is_set(role))
        return add_entity(call, ctx, IAM_ROLE, role, brings);
    struct str user = wire_input_str(call->op, in, STR("UserName"));
    return str_is_set(user) ? add_entity(call, ctx, IAM_USER, user, brings) : ERR_OK;
}
