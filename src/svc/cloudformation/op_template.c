/* GetTemplate, GetTemplateSummary, ValidateTemplate.
 *
 * Source: CloudFormation API Reference. Layer: svc. Thread: the call's. */
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_own.h"

enum err cloudformation_get_template(struct call *call,
                                     const struct cloudformation_get_template_input *in,
                                     struct cloudformation_get_template_output *out)
{
    static const struct str stages[] = {STR_INIT("Original"), STR_INIT("Processed")};
    struct cfn_stack s;
    struct cfn_change_set cs;
    uint64_t no;
    struct str ref = in->stack_name;
    if (str_is_set(in->change_set_name)) {
        TRY(cfn_change_set_find(call, in->change_set_name, in->stack_name, &s, &cs));
        no = cs.config.template_no;
    } else {
        if (!str_is_set(ref))
            return CFN_INVALID(call, "StackName is required");
        TRY(cfn_need_stack(call, ref, &s));
        no = s.config.template_no;
    }
    bool processed = str_eq(in->template_stage, STR("Processed"));
    out->stages_available = (struct cloudformation_stage_list){stages, ARRAY_LEN(stages)};
    if (!no) /* in review: there is none yet, and CDK asks all the same */
        return ERR_OK;
    enum err err = cfn_template_read(call->txn, s.uuid, no, processed, &out->template_body);
    if (err == ERR_NOT_FOUND)
        return CFN_INVALID(call, "Template for stack " STR_FMT " is not available",
                           STR_ARG(s.name));
    return err;
}

static enum err summarise(struct call *call, struct str text, struct tpl_summary *ret)
{
    struct json *tree;
    struct tpl_fault fault = {{0}};
    enum err err = tpl_read(call->arena, text, &tree, &fault);
    if (err == ERR_OK)
        err = tpl_summarise(call->arena, tree, ret, &fault);
    return err == ERR_INVALID ? CFN_INVALID(call, STR_FMT, STR_ARG(fault.message)) : err;
}

static enum err capabilities_of(struct call *call, const struct tpl_summary *sum,
                                struct cloudformation_capabilities *ret)
{
    struct str *v = ARENA_ARRAY(call->arena, struct str, 3);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    if (sum->needs_named_iam)
        v[n++] = STR("CAPABILITY_NAMED_IAM");
    else if (sum->needs_iam)
        v[n++] = STR("CAPABILITY_IAM");
    if (sum->needs_auto_expand)
        v[n++] = STR("CAPABILITY_AUTO_EXPAND");
    *ret = (struct cloudformation_capabilities){v, n};
    return ERR_OK;
}

/* Text of a list of JSON texts. */
static enum err texts_of(struct call *call, const struct json *list,
                         struct cloudformation_parameter_constraints *ret)
{
    struct str *v = ARENA_ARRAY(call->arena, struct str, list->n + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    JSON_EACH (list, it)
        v[n++] = it->text;
    ret->allowed_values = (struct cloudformation_allowed_values){v, n};
    return ERR_OK;
}

static enum err declare(struct call *call, const struct tpl_summary *sum,
                        struct cloudformation_parameter_declarations *ret)
{
    struct cloudformation_parameter_declaration *v =
        ARENA_ARRAY(call->arena, struct cloudformation_parameter_declaration, sum->parameter_n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < sum->parameter_n; i++) {
        const struct tpl_parameter *p = &sum->parameters[i];
        struct cloudformation_parameter_constraints *c =
            ARENA_NEW(call->arena, struct cloudformation_parameter_constraints);
        if (!c)
            return ERR_NOMEM;
        if (p->allowed_values)
            TRY(texts_of(call, p->allowed_values, c));
        v[i] = (struct cloudformation_parameter_declaration){
            .parameter_key = p->key,
            .parameter_type = p->type,
            .default_value = p->default_value,
            .description = p->description,
            .parameter_constraints = c,
        };
        WIRE_SET(&v[i], no_echo, p->no_echo);
    }
    *ret = (struct cloudformation_parameter_declarations){v, sum->parameter_n};
    return ERR_OK;
}

enum err
cloudformation_get_template_summary(struct call *call,
                                    const struct cloudformation_get_template_summary_input *in,
                                    struct cloudformation_get_template_summary_output *out)
{
    struct cfn_stack s = {0};
    struct str text;
    struct tpl_summary sum;
    struct cfn_wish wish = {.body = in->template_body, .url = in->template_url};
    if (str_is_set(in->stack_set_name))
        return CFN_INVALID(call, "StackSets are not supported by Weir.");
    if (str_is_set(in->stack_name)) {
        TRY(cfn_need_stack(call, in->stack_name, &s));
        wish.use_previous = true;
    }
    TRY(cfn_wish_text(call, &s, &wish, &text));
    TRY(summarise(call, text, &sum));
    TRY(declare(call, &sum, &out->parameters));
    TRY(capabilities_of(call, &sum, &out->capabilities));
    out->description = sum.description;
    out->version = sum.version;
    out->metadata = cfn_json_text(call->arena, sum.metadata);
    if (out->capabilities.n)
        out->capabilities_reason = sum.capabilities_reason;
    out->resource_types = (struct cloudformation_resource_types){sum.types, sum.type_n};
    out->declared_transforms =
        (struct cloudformation_transforms_list){sum.transforms, sum.transform_n};
    return ERR_OK;
}

static enum err check_whole(struct call *call, struct str text)
{
    struct cfn_open open = {0};
    struct cfn_stack s = {
        .name = STR("validated"), .account = call->account, .region = call->region};
    struct tpl_fault fault = {{0}};
    enum err err = cfn_open_text(call, &s, text, &open, &fault);
    return err == ERR_INVALID ? CFN_INVALID(call, STR_FMT, STR_ARG(fault.message)) : err;
}

enum err cloudformation_validate_template(struct call *call,
                                          const struct cloudformation_validate_template_input *in,
                                          struct cloudformation_validate_template_output *out)
{
    struct cfn_stack s = {0};
    struct str text;
    struct tpl_summary sum;
    const struct cfn_wish wish = {.body = in->template_body, .url = in->template_url};
    TRY(cfn_wish_text(call, &s, &wish, &text));
    TRY(summarise(call, text, &sum));
    if (sum.transform_n == 0)
        TRY(check_whole(call, text));
    struct cloudformation_template_parameter *v =
        ARENA_ARRAY(call->arena, struct cloudformation_template_parameter, sum.parameter_n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < sum.parameter_n; i++) {
        v[i] = (struct cloudformation_template_parameter){
            .parameter_key = sum.parameters[i].key,
            .default_value = sum.parameters[i].default_value,
            .description = sum.parameters[i].description,
        };
        WIRE_SET(&v[i], no_echo, sum.parameters[i].no_echo);
    }
    out->parameters = (struct cloudformation_template_parameters){v, sum.parameter_n};
    out->description = sum.description;
    TRY(capabilities_of(call, &sum, &out->capabilities));
    if (out->capabilities.n)
        out->capabilities_reason = sum.capabilities_reason;
    out->declared_transforms =
        (struct cloudformation_transforms_list){sum.transforms, sum.transform_n};
    return ERR_OK;
}
