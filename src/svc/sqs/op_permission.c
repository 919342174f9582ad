/* AddPermission and RemovePermission: statements of the queue's policy. Layer: svc/sqs.
 * Source: SQS API Reference, AddPermission. */
#include "core/statement.h"
#include "svc/sqs/sqs_int.h"

enum { ACTIONS_MAX = 7 };

static bool is_one_of(const struct str *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static enum err check_action(struct call *call, struct str action)
{
    static const struct str grantable[] = {
        STR_INIT("*"),
        STR_INIT("SendMessage"),
        STR_INIT("ReceiveMessage"),
        STR_INIT("DeleteMessage"),
        STR_INIT("ChangeMessageVisibility"),
        STR_INIT("GetQueueAttributes"),
        STR_INIT("GetQueueUrl"),
        STR_INIT("ListDeadLetterSourceQueues"),
        STR_INIT("PurgeQueue"),
    };
    static const struct str owners[] = {
        STR_INIT("AddPermission"),
        STR_INIT("CancelMessageMoveTask"),
        STR_INIT("CreateQueue"),
        STR_INIT("DeleteQueue"),
        STR_INIT("ListMessageMoveTasks"),
        STR_INIT("ListQueueTags"),
        STR_INIT("ListQueues"),
        STR_INIT("RemovePermission"),
        STR_INIT("SetQueueAttributes"),
        STR_INIT("StartMessageMoveTask"),
        STR_INIT("TagQueue"),
        STR_INIT("UntagQueue"),
    };
    if (is_one_of(grantable, ARRAY_LEN(grantable), action))
        return ERR_OK;
    return call_error(call, &sqs_err_invalid_parameter_value,
                      "Value SQS:" STR_FMT " for parameter ActionName is invalid. Reason: %s",
                      STR_ARG(action),
                      is_one_of(owners, ARRAY_LEN(owners), action)
                          ? "Only the queue owner is allowed to invoke this action."
                          : "Please refer to the appropriate WSDL for a list of valid actions.");
}

static enum err label_error(struct call *call, struct str label, const char *why)
{
    return call_error(call, &sqs_err_invalid_parameter_value,
                      "Value " STR_FMT " for parameter Label is invalid. Reason: %s",
                      STR_ARG(label), why);
}

static enum err no_label(struct call *call)
{
    return call_error(call, &sqs_err_missing_parameter,
                      "The request must contain the parameter Label.");
}

static enum err check_input(struct call *call, const struct sqs_add_permission_input *in)
{
    if (str_empty(in->label))
        return no_label(call);
    if (!sqs_word_ok(in->label))
        return label_error(call, in->label,
                           "Can only include alphanumeric characters, hyphens, or underscores. 1 "
                           "to 80 in length.");
    if (in->actions.n == 0 || in->aws_account_ids.n == 0)
        return call_error(call, &sqs_err_missing_parameter,
                          "The request must contain the parameter %s.",
                          in->actions.n ? "AWSAccountIds" : "ActionName");
    if (in->actions.n > ACTIONS_MAX)
        return call_error(call, &sqs_err_over_limit,
                          "%zu Actions were found, maximum allowed is 7.", in->actions.n);
    for (size_t i = 0; i < in->actions.n; i++)
        TRY(check_action(call, in->actions.v[i]));
    return ERR_OK;
}

static enum err unverified(struct call *call)
{
    return call_error(call, &sqs_err_invalid_parameter_value,
                      "Value for parameter PrincipalId is invalid. Reason: Unable to verify.");
}

static enum err stored_principals(struct call *call, const struct sqs_add_permission_input *in,
                                  struct str **ret_who)
{
    const char *why;
    struct str *who = ARENA_ARRAY(call->arena, struct str, in->aws_account_ids.n + 1);
    if (!who)
        return ERR_NOMEM;
    for (size_t i = 0; i < in->aws_account_ids.n; i++) {
        enum err err = core_principal_stored(call->txn, in->aws_account_ids.v[i], &why, &who[i]);
        if (err)
            return err == ERR_INVALID ? unverified(call) : err;
    }
    *ret_who = who;
    return ERR_OK;
}

/* The statement, and the policy with it. */
static enum err build(struct call *call, const struct sqs_add_permission_input *in, struct str arn,
                      struct str policy, struct str *ret_policy)
{
    struct str actions[ACTIONS_MAX], json, *who = NULL;
    struct str id = str_fmt(call->arena, STR_FMT "/SQSDefaultPolicy", STR_ARG(arn));
    for (size_t i = 0; i < in->actions.n; i++) {
        actions[i] = str_fmt(call->arena, "SQS:" STR_FMT, STR_ARG(in->actions.v[i]));
        if (!str_is_set(actions[i]))
            return ERR_NOMEM;
    }
    TRY(stored_principals(call, in, &who));
    const struct statement st = {
        .sid = in->label,
        .principals = who,
        .n_principals = in->aws_account_ids.n,
        .actions = actions,
        .n_actions = in->actions.n,
        .resource = arn,
    };
    if (!str_is_set(id))
        return ERR_NOMEM;
    enum err err = statement_json(call->arena, call->partition, &st, &json);
    if (err == ERR_INVALID)
        return unverified(call);
    TRY(err);
    err = statement_add(call->arena, policy, STR("2008-10-17"), id, in->label, json, ret_policy);
    if (err == ERR_EXISTS && statement_has(call->arena, policy, in->label, json) == ERR_OK) {
        *ret_policy = policy; /* the same once more */
        return ERR_OK;
    }
    return err == ERR_EXISTS ? label_error(call, in->label, "Already exists.") : err;
}

enum err sqs_add_permission(struct call *call, const struct sqs_add_permission_input *in,
                            struct sqs_add_permission_output *out)
{
    struct sqs_open o;
    struct fault f;
    TRY(sqs_open_url(call, in->queue_url, &o));
    TRY(check_input(call, in));
    struct str arn = sqs_queue_arn(call->arena, o.queue);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(build(call, in, arn, o.config.policy, &o.config.policy));
    TRY(fault_reply(call, sqs_policy_check(call->txn, o.config.policy, true, &f), &f));
    return sqs_save_changed(call, &o);
}

enum err sqs_remove_permission(struct call *call, const struct sqs_remove_permission_input *in,
                               struct sqs_remove_permission_output *out)
{
    struct sqs_open o;
    TRY(sqs_open_url(call, in->queue_url, &o));
    if (str_empty(in->label))
        return no_label(call);
    enum err err = statement_remove(call->arena, o.config.policy, in->label, &o.config.policy);
    if (err == ERR_NOT_FOUND)
        return label_error(call, in->label,
                           str_is_set(o.config.policy) ? "can't find label on existing policy."
                                                       : "can't find label.");
    TRY(err);
    return sqs_save_changed(call, &o);
}
