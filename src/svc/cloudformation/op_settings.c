/* SetStackPolicy, GetStackPolicy, UpdateTerminationProtection, SignalResource, DescribeAccountLimits.
 *
 * Source: CloudFormation API Reference. Layer: svc. Thread: the call's. */
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_own.h"

enum err cloudformation_set_stack_policy(struct call *call,
                                         const struct cloudformation_set_stack_policy_input *in,
                                         struct cloudformation_set_stack_policy_output *out)
{
    struct cfn_stack s;
    struct str text = in->stack_policy_body;
    (void)out;
    if (str_is_set(in->stack_policy_body) == str_is_set(in->stack_policy_url))
        return CFN_INVALID(call,
                           "You must specify exactly one of StackPolicyBody and StackPolicyURL");
    if (str_is_set(in->stack_policy_url))
        TRY(cfn_fetch(call, in->stack_policy_url, CFN_POLICY_BYTES_MAX, &text));
    TRY(cfn_policy_check(call, text));
    TRY(cfn_need_stack(call, in->stack_name, &s));
    s.policy = text;
    return cfn_stack_write(call->txn, &s);
}

enum err cloudformation_get_stack_policy(struct call *call,
                                         const struct cloudformation_get_stack_policy_input *in,
                                         struct cloudformation_get_stack_policy_output *out)
{
    struct cfn_stack s;
    TRY(cfn_need_stack(call, in->stack_name, &s));
    out->stack_policy_body = s.policy;
    return ERR_OK;
}

enum err cloudformation_update_termination_protection(
    struct call *call, const struct cloudformation_update_termination_protection_input *in,
    struct cloudformation_update_termination_protection_output *out)
{
    struct cfn_stack s;
    TRY(cfn_need_stack(call, in->stack_name, &s));
    if (str_is_set(s.parent_uuid))
        return CFN_INVALID(call, "Cannot enable or disable TerminationProtection on nested stacks: "
                                 "its root's holds.");
    s.protected_from_deletion = in->enable_termination_protection;
    out->stack_id = s.id;
    return cfn_stack_write(call->txn, &s);
}

enum err cloudformation_signal_resource(struct call *call,
                                        const struct cloudformation_signal_resource_input *in,
                                        struct cloudformation_signal_resource_output *out)
{
    struct cfn_stack s;
    struct cfn_resource r;
    struct cfn_answer answer = {0};
    const struct json *p;
    (void)out;
    TRY(cfn_need_stack(call, in->stack_name, &s));
    enum err err = cfn_resource_read(call->txn, s.uuid, in->logical_resource_id, &r);
    if (err == ERR_NOT_FOUND ||
        (err == ERR_OK && (!r.work || cfn_own_find(r.type) != &cfn_own_condition)))
        return CFN_INVALID(call,
                           "Resource " STR_FMT " of stack " STR_FMT
                           " does not wait for signals: only wait conditions in progress do.",
                           STR_ARG(in->logical_resource_id), STR_ARG(s.name));
    TRY(err);
    TRY(cfn_json(call->arena, r.work->goal.properties, &p));
    struct str key = key_make(call->arena, &cloudformation_k_answer,
                              cfn_answer_token(json_get_str(p, STR("Handle"))));
    TRY(txn_read(call->txn, key, &cfn_answer_type, &answer));
    err = cfn_answer_signal(call->txn, &answer,
                            &(struct cfn_signal){.unique_id = in->unique_id, .status = in->status});
    if (err == ERR_LIMIT)
        return CFN_INVALID(call, "The wait condition was signalled too often.");
    TRY(err);
    TRY(txn_write(call->txn, key, &cfn_answer_type, &answer));
    return cfn_poke(cfn_of(call), call->txn, s.uuid);
}

enum err cloudformation_describe_account_limits(
    struct call *call, const struct cloudformation_describe_account_limits_input *in,
    struct cloudformation_describe_account_limits_output *out)
{
    static const struct cloudformation_account_limit limits[] = {
        {.name = STR_INIT("StackLimit"), .value = CFN_STACKS_MAX, .has_value = true},
        {.name = STR_INIT("StackOutputsLimit"), .value = TPL_OUTPUTS_MAX, .has_value = true},
    };
    (void)call;
    (void)in;
    out->account_limits = (struct cloudformation_account_limit_list){limits, ARRAY_LEN(limits)};
    return ERR_OK;
}
