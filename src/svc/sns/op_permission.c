/* AddPermission and RemovePermission: statements of the topic's policy. Layer: svc/sns.
 * Source: SNS API Reference, AddPermission. */
#include "core/statement.h"
#include "svc/sns/sns_int.h"

enum { LABEL_MAX = 80, ACTIONS_MAX = 20 };

static bool action_ok(struct str action)
{
    static const struct str known[] = {
        STR_INIT("AddPermission"),
        STR_INIT("DeleteTopic"),
        STR_INIT("GetTopicAttributes"),
        STR_INIT("ListSubscriptionsByTopic"),
        STR_INIT("Publish"),
        STR_INIT("RemovePermission"),
        STR_INIT("SetTopicAttributes"),
        STR_INIT("Subscribe"),
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(known[i], action))
            return true;
    return false;
}

static enum err check_input(struct call *call, const struct sns_add_permission_input *in)
{
    if (in->label.len == 0 || in->label.len > LABEL_MAX)
        return SNS_INVALID(call, "Label");
    if (in->aws_account_id.n == 0)
        return SNS_INVALID(call, "AWSAccountId");
    if (in->action_name.n == 0 || in->action_name.n > ACTIONS_MAX)
        return SNS_INVALID(call, "ActionName");
    for (size_t i = 0; i < in->action_name.n; i++)
        if (!action_ok(in->action_name.v[i]))
            return SNS_INVALID(call, "Policy statement action out of service scope!");
    return ERR_OK;
}

/* Accounts as they are stored. */
static enum err take_principals(struct call *call, const struct sns_add_permission_input *in,
                                struct str **ret_who)
{
    const char *why;
    struct str *who = ARENA_ARRAY(call->arena, struct str, in->aws_account_id.n + 1);
    if (!who)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->aws_account_id.n; i++) {
        enum err err = core_principal_stored(call->txn, in->aws_account_id.v[i], &why, &who[i]);
        if (err)
            return err == ERR_INVALID ? SNS_INVALID(call, "AWSAccountId") : err;
    }
    *ret_who = who;
    return ERR_OK;
}

/* The statement of the request as JSON. */
static enum err build(struct call *call, const struct sns_add_permission_input *in, struct str arn,
                      struct str *ret_json)
{
    struct str actions[ACTIONS_MAX], *who = NULL;
    for (size_t i = 0; i < in->action_name.n; i++) {
        actions[i] = str_fmt(call->arena, "SNS:" STR_FMT, STR_ARG(in->action_name.v[i]));
        if (!str_is_set(actions[i]))
            return ERR_NOMEM;
    }
    TRY(take_principals(call, in, &who));
    const struct statement st = {
        .sid = in->label,
        .principals = who,
        .n_principals = in->aws_account_id.n,
        .actions = actions,
        .n_actions = in->action_name.n,
        .lists = true,
        .resource = arn,
    };
    enum err err = statement_json(call->arena, call->partition, &st, ret_json);
    return err == ERR_INVALID ? SNS_INVALID(call, "AWSAccountId") : err;
}

/* The policy to change: the default one is AWS's, and becomes the topic's own with the first change. */
static enum err own_policy(struct call *call, struct sns_topic_ref *t)
{
    struct str shown;
    struct fault f;
    if (str_is_set(t->rec.policy))
        return ERR_OK;
    TRY(sns_default_policy(call->arena, t, &shown));
    return fault_reply(call, sns_policy_stored(call->txn, shown, &t->rec.policy, &f), &f);
}

enum err sns_add_permission(struct call *call, const struct sns_add_permission_input *in,
                            struct sns_add_permission_output *out)
{
    struct sns_topic_ref t;
    struct str json;
    const char *why;
    TRY(sns_topic_need(call, "TopicArn", in->topic_arn, &t));
    TRY(check_input(call, in));
    TRY(own_policy(call, &t));
    TRY(build(call, in, t.arn, &json));
    enum err err = statement_add(call->arena, t.rec.policy, STR("2012-10-17"),
                                 STR("__default_policy_ID"), in->label, json, &t.rec.policy);
    if (err == ERR_EXISTS)
        return SNS_INVALID(call, "Statement already exists");
    if (err == ERR_OK && t.rec.policy.len > SNS_POLICY_MAX)
        err = ERR_LIMIT;
    if (err == ERR_OK)
        err = core_policy_check(call->core, call->arena, POLICY_RESOURCE, t.rec.policy, &why);
    if (err == ERR_LIMIT || err == ERR_INVALID)
        return SNS_INVALID(call, "Policy Error: %s",
                           err == ERR_LIMIT ? "the policy is too long" : why);
    TRY(err);
    return sns_topic_save(call->txn, &t);
}

enum err sns_remove_permission(struct call *call, const struct sns_remove_permission_input *in,
                               struct sns_remove_permission_output *out)
{
    struct sns_topic_ref t;
    TRY(sns_topic_need(call, "TopicArn", in->topic_arn, &t));
    TRY(own_policy(call, &t));
    enum err err = statement_remove(call->arena, t.rec.policy, in->label, &t.rec.policy);
    if (err == ERR_NOT_FOUND) /* what is not there is removed already, as on AWS */
        return ERR_OK;
    TRY(err);
    return sns_topic_save(call->txn, &t);
}
