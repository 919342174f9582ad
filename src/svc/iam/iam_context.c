/* Condition keys that are not in the request: the boundary that its user or role has, and the tags of
 * users, roles and policies, whoever's request is about them (iam:PassRole).
 *
 * Source: Service Authorization Reference, "Condition keys for AWS Identity and Access Management".
 * Layer: svc. Thread: the call's loop. */
#include "svc/iam/iam_provider.h"

/* Boundary of the user or role that the request is about, unless the request brings one. */
static enum err add_entity(struct call *call, struct policy_context *ctx, enum iam_kind kind,
                           struct str name)
{
    const struct iam_entity *e;
    enum err err = iam_known_named(iam_of(call), call->account, call->arena, kind, name, &e);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    policy_context_add(ctx, STR("iam:PermissionsBoundary"), e->boundary);
    return ERR_OK;
}

enum err iam_auth_context(struct call *call, const void *in, struct policy_context *ctx)
{
    if (call->op->index == IAM_OP_CREATE_ROLE || call->op->index == IAM_OP_CREATE_USER)
        return ERR_OK; /* nothing is there yet */
    if (str_is_set(wire_input_str(call->op, in, STR("PermissionsBoundary"))))
        return ERR_OK;
    struct str role = wire_input_str(call->op, in, STR("RoleName"));
    if (str_is_set(role))
        return add_entity(call, ctx, IAM_ROLE, role);
    struct str user = wire_input_str(call->op, in, STR("UserName"));
    return str_is_set(user) ? add_entity(call, ctx, IAM_USER, user) : ERR_OK;
}

enum err iam_resource_tags(void *self, struct txn *txn, struct str arn, struct tag_list *ret_tags)
{
    struct str account, url;
    if (!iam_provider_of_arn(arn, &account, &url))
        return iam_known_tags(self, txn->arena, arn, ret_tags);
    struct iam_provider *p = ARENA_NEW(txn->arena, struct iam_provider);
    if (!p)
        return ERR_NOMEM;
    TRY(iam_provider_load(txn, account, url, p));
    *ret_tags = TAGS_FROM(p->tags);
    return ERR_OK;
}
