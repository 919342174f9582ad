/* CreateStack, UpdateStack, DeleteStack, CancelUpdateStack, ContinueUpdateRollback, RollbackStack.
 *
 * Source: CloudFormation API Reference. Layer: svc. Thread: the call's. */
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_run.h"

/* --- CreateStack -------------------------------------------------------------------------------- */

static enum err on_failure_of(struct call *call, struct str name, bool has_disable, bool disable,
                              enum cfn_on_failure *ret)
{
    if (str_is_set(name) && has_disable && disable)
        return CFN_INVALID(call,
                           "You can specify either DisableRollback or OnFailure, but not both.");
    *ret = str_eq(name, STR("DO_NOTHING")) || disable ? CFN_DO_NOTHING
           : str_eq(name, STR("DELETE"))              ? CFN_DELETE
                                                      : CFN_ROLL_BACK;
    return ERR_OK;
}

/* Text of a policy: given, or by its address. */
static enum err policy_text(struct call *call, struct str body, struct str url, struct str *ret)
{
    if (str_is_set(body) && str_is_set(url))
        return CFN_INVALID(call, "You cannot specify both StackPolicyURL and StackPolicyBody");
    if (str_is_set(url))
        TRY(cfn_fetch(call, url, CFN_POLICY_BYTES_MAX, ret));
    else
        *ret = body;
    return cfn_policy_check(call, *ret);
}

/* A stack that is there for a change set of its parent, whose operation makes it now. */
static enum err reviewed(struct call *call, struct str name, struct cfn_stack *ret)
{
    if (!str_eq(call_via_service(call), STR(CFN_PRINCIPAL)))
        return ERR_NOT_FOUND;
    TRY(cfn_stack_find(call->txn, call_scope(call), name, ret));
    return ret->status == CFN_REVIEW_IN_PROGRESS && str_is_set(ret->parent_id) &&
                   str_eq(ret->parent_id, call_via_source(call))
               ? ERR_OK
               : ERR_NOT_FOUND;
}

/* The same token again: the stack that it made. */
static enum err created_before(struct call *call,
                               const struct cloudformation_create_stack_input *in,
                               struct str *ret_id)
{
    struct cfn_stack s;
    TRY(cfn_stack_find(call->txn, call_scope(call), in->stack_name, &s));
    if (str_is_set(in->client_request_token) && str_eq(s.token, in->client_request_token) &&
        str_eq(s.token_op, STR("CreateStack"))) {
        *ret_id = s.id;
        return ERR_OK;
    }
    return call_error(call, &cloudformation_err_already_exists_exception,
                      "Stack [" STR_FMT "] already exists", STR_ARG(in->stack_name));
}

static enum err create(struct call *call, const struct cloudformation_create_stack_input *in,
                       struct cfn_stack *s)
{
    const struct cfn_wish wish = CFN_WISH(in);
    struct cfn_open open;
    bool again;
    s->policy = STR_NONE;
    TRY(on_failure_of(call, in->on_failure, in->has_disable_rollback, in->disable_rollback,
                      &s->on_failure));
    TRY(policy_text(call, in->stack_policy_body, in->stack_policy_url, &s->policy));
    struct cfn_config config;
    TRY(cfn_prepare(call, s, &wish, &config, &open));
    s->config = config;
    s->timeout_min = in->timeout_in_minutes;
    s->protected_from_deletion = in->enable_termination_protection;
    s->retain_except_on_create = in->retain_except_on_create;
    TRY(cfn_once(call, s, in->client_request_token, "CreateStack", &again));
    return cfn_begin(call, s, CFN_CREATE_IN_PROGRESS,
                     str_is_set(s->parent_uuid) ? STR_NONE : STR("User Initiated"));
}

enum err cloudformation_create_stack(struct call *call,
                                     const struct cloudformation_create_stack_input *in,
                                     struct cloudformation_create_stack_output *out)
{
    struct cfn_stack s;
    struct str name = str_dup(call->arena, in->stack_name);
    enum err err = cfn_stack_new(call, name, NULL, 0, &s);
    if (err == ERR_EXISTS) {
        err = reviewed(call, name, &s);
        if (err == ERR_NOT_FOUND)
            return created_before(call, in, &out->stack_id);
    }
    TRY(err);
    TRY(create(call, in, &s));
    out->stack_id = s.id;
    return ERR_OK;
}

/* --- UpdateStack -------------------------------------------------------------------------------- */

bool cfn_can_update(const struct cfn_stack *s)
{
    switch (s->status) {
    case CFN_CREATE_COMPLETE:
    case CFN_UPDATE_COMPLETE:
    case CFN_UPDATE_ROLLBACK_COMPLETE:
    case CFN_UPDATE_FAILED:
        return true;
    default:
        return false;
    }
}

/* Whether anything that is no resource's is another. */
static bool same_tags(const struct cfn_config *a, const struct cfn_config *b)
{
    if (a->n_tags != b->n_tags)
        return false;
    for (size_t i = 0; i < a->n_tags; i++)
        if (!str_eq(a->tags[i].key, b->tags[i].key) || !str_eq(a->tags[i].value, b->tags[i].value))
            return false;
    return true;
}

static bool same_topics(const struct cfn_config *a, const struct cfn_config *b)
{
    if (a->n_notification_arns != b->n_notification_arns)
        return false;
    for (size_t i = 0; i < a->n_notification_arns; i++)
        if (!str_eq(a->notification_arns[i], b->notification_arns[i]))
            return false;
    return true;
}

static enum err outputs_text(struct arena *a, const struct json *tree, struct str *ret)
{
    const struct json *o = json_get(tree, STR("Outputs"));
    *ret = o ? cfn_json_text(a, o) : STR("");
    return str_is_set(*ret) ? ERR_OK : ERR_NOMEM;
}

enum err cfn_config_same(struct call *call, const struct cfn_stack *s, const struct cfn_open *open,
                         const struct cfn_config *config, bool *ret_same)
{
    struct str text, was, is;
    struct json *tree;
    struct tpl_fault fault;
    const struct cfn_config *c = &s->config;
    *ret_same = false;
    if (!c->template_no)
        return ERR_OK;
    if (!same_tags(c, config) || !same_topics(c, config))
        return ERR_OK;
    TRY(cfn_template_read(call->txn, s->uuid, c->template_no, true, &text));
    enum err err = tpl_read(call->arena, text, &tree, &fault);
    if (err == ERR_INVALID)
        return ERR_OK;
    TRY(err);
    TRY(outputs_text(call->arena, tree, &was));
    TRY(outputs_text(call->arena, open->tree, &is));
    *ret_same = str_eq(was, is);
    return ERR_OK;
}

static enum err update(struct call *call, const struct cloudformation_update_stack_input *in,
                       struct cfn_stack *s)
{
    struct cfn_wish wish = CFN_WISH(in);
    struct cfn_open open;
    struct cfn_config config;
    struct tpl_fault fault = {{0}};
    struct str policy = STR_NONE, during = STR_NONE;
    struct cfn_differences differences;
    bool same;
    wish.use_previous = in->use_previous_template;
    TRY(policy_text(call, in->stack_policy_body, in->stack_policy_url, &policy));
    TRY(policy_text(call, in->stack_policy_during_update_body, in->stack_policy_during_update_url,
                    &during));
    TRY(cfn_prepare(call, s, &wish, &config, &open));
    enum err err = cfn_diff(call->txn, call->arena, s, &open, &config, NULL, &differences, &fault);
    if (err == ERR_INVALID)
        return CFN_INVALID(call, STR_FMT, STR_ARG(fault.message));
    TRY(err);
    TRY(cfn_config_same(call, s, &open, &config, &same));
    if (differences.n == 0 && same && s->status != CFN_UPDATE_FAILED)
        return CFN_INVALID(call, "No updates are to be performed.");
    if (str_is_set(policy))
        s->policy = policy;
    s->policy_during = during;
    s->disable_rollback = in->disable_rollback;
    s->retain_except_on_create = in->retain_except_on_create;
    return cfn_update_begin(call, s, &config);
}

enum err cfn_update_begin(struct call *call, struct cfn_stack *s, const struct cfn_config *config)
{
    uint64_t failed_no = s->previous ? s->config.template_no : 0; /* of one that was not undone */
    if (!s->previous) {
        s->previous = ARENA_NEW(call->arena, struct cfn_config);
        if (!s->previous)
            return ERR_NOMEM;
        *s->previous = s->config;
        s->span_ms = call->txn->wall_ms;
    }
    s->config = *config;
    TRY(cfn_template_drop(call->txn, s, failed_no));
    s->updated_ms = call->txn->wall_ms;
    return cfn_begin(call, s, CFN_UPDATE_IN_PROGRESS,
                     str_is_set(s->parent_uuid) ? STR_NONE : STR("User Initiated"));
}

enum err cfn_need_to_change(struct call *call, struct str name, struct cfn_stack *ret)
{
    enum err err = cfn_stack_find(call->txn, call_scope(call), name, ret);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && ret->status == CFN_DELETE_COMPLETE))
        return CFN_INVALID(call, "Stack [" STR_FMT "] does not exist", STR_ARG(name));
    return err;
}

enum err cfn_state_refused(struct call *call, const struct cfn_stack *s, const char *what)
{
    return CFN_INVALID(call, "Stack:" STR_FMT " is in " STR_FMT " state and can not be %s.",
                       STR_ARG(s->id), STR_ARG(cfn_status_name(s->status)), what);
}

enum err cloudformation_update_stack(struct call *call,
                                     const struct cloudformation_update_stack_input *in,
                                     struct cloudformation_update_stack_output *out)
{
    struct cfn_stack s;
    bool again;
    TRY(cfn_need_to_change(call, in->stack_name, &s));
    out->stack_id = s.id;
    TRY(cfn_once(call, &s, in->client_request_token, "UpdateStack", &again));
    if (again)
        return ERR_OK;
    if (!cfn_can_update(&s))
        return cfn_state_refused(call, &s, "updated");
    return update(call, in, &s);
}

/* --- DeleteStack -------------------------------------------------------------------------------- */

static enum err take_list(struct call *call, struct cfn_stack *s, const struct str *v, size_t n)
{
    struct cfn_resource r;
    for (size_t i = 0; i < n; i++) {
        enum err err = cfn_resource_read(call->txn, s->uuid, v[i], &r);
        if (err == ERR_NOT_FOUND)
            return CFN_INVALID(call, "The following resources are not in the stack: [" STR_FMT "]",
                               STR_ARG(v[i]));
        TRY(err);
    }
    s->keep = (struct str *)(uintptr_t)v;
    s->n_keep = n;
    return ERR_OK;
}

/* Protected, or part of a stack that is. */
static enum err check_protection(struct call *call, const struct cfn_stack *s)
{
    struct cfn_stack root;
    const struct cfn_stack *protected = s;
    bool is_part = str_is_set(s->parent_uuid) && !str_is_set(call_via_source(call)) &&
                   s->status != CFN_DELETE_FAILED;
    if (is_part && !s->protected_from_deletion) {
        enum err err = cfn_stack_find(call->txn, call_scope(call), s->root_id, &root);
        if (err != ERR_NOT_FOUND)
            TRY(err);
        if (err == ERR_OK)
        protected = &root;
    }
    return protected->protected_from_deletion
               ? CFN_INVALID(call,
                             "Stack [" STR_FMT
                             "] cannot be deleted while TerminationProtection is enabled",
                             STR_ARG(protected->name))
               : ERR_OK;
}

static enum err begin_deletion(struct call *call,
                               const struct cloudformation_delete_stack_input *in,
                               struct cfn_stack *s)
{
    struct str why = STR_NONE;
    TRY(check_protection(call, s));
    if (in->retain_resources.n && s->status != CFN_DELETE_FAILED)
        return CFN_INVALID(call,
                           "Invalid operation on stack [" STR_FMT
                           "]. RetainResources may only be given for a stack in the "
                           "DELETE_FAILED state.",
                           STR_ARG(s->id));
    if (s->status == CFN_UPDATE_IN_PROGRESS || s->status == CFN_UPDATE_ROLLBACK_IN_PROGRESS ||
        s->status == CFN_UPDATE_CLEANUP || s->status == CFN_UPDATE_ROLLBACK_CLEANUP)
        return cfn_state_refused(call, s, "deleted");
    enum err err = cfn_exports_unused(call->txn, s, &why);
    if (err == ERR_INVALID)
        return CFN_INVALID(call, STR_FMT, STR_ARG(why));
    TRY(err);
    TRY(take_list(call, s, in->retain_resources.v, in->retain_resources.n));
    if (str_is_set(in->role_arn))
        s->config.role_arn = in->role_arn;
    return cfn_begin(call, s, CFN_DELETE_IN_PROGRESS, STR("User Initiated"));
}

enum err cloudformation_delete_stack(struct call *call,
                                     const struct cloudformation_delete_stack_input *in,
                                     struct cloudformation_delete_stack_output *out)
{
    struct cfn_stack s;
    bool again;
    (void)out;
    if (str_eq(in->deletion_mode, STR("FORCE_DELETE_STACK")))
        return CFN_INVALID(call, "DeletionMode FORCE_DELETE_STACK is not supported by Weir: give "
                                 "RetainResources.");
    enum err err = cfn_stack_find(call->txn, call_scope(call), in->stack_name, &s);
    if (err == ERR_NOT_FOUND)
        return ERR_OK; /* as AWS: it is gone */
    TRY(err);
    if (s.status == CFN_DELETE_COMPLETE || s.status == CFN_DELETE_IN_PROGRESS)
        return ERR_OK;
    TRY(cfn_once(call, &s, in->client_request_token, "DeleteStack", &again));
    return again ? ERR_OK : begin_deletion(call, in, &s);
}

/* --- going back --------------------------------------------------------------------------------- */

enum err
cloudformation_cancel_update_stack(struct call *call,
                                   const struct cloudformation_cancel_update_stack_input *in,
                                   struct cloudformation_cancel_update_stack_output *out)
{
    struct cfn_stack s;
    (void)out;
    TRY(cfn_need_to_change(call, in->stack_name, &s));
    if (s.status != CFN_UPDATE_IN_PROGRESS)
        return CFN_INVALID(call, "CancelUpdateStack cannot be called from current stack status");
    s.cancelled = true;
    TRY(cfn_stack_write(call->txn, &s));
    return cfn_poke(cfn_of(call), call->txn, s.uuid);
}

enum err cloudformation_continue_update_rollback(
    struct call *call, const struct cloudformation_continue_update_rollback_input *in,
    struct cloudformation_continue_update_rollback_output *out)
{
    struct cfn_stack s;
    bool again;
    (void)out;
    TRY(cfn_need_to_change(call, in->stack_name, &s));
    TRY(cfn_once(call, &s, in->client_request_token, "ContinueUpdateRollback", &again));
    if (again)
        return ERR_OK;
    if (s.status != CFN_UPDATE_ROLLBACK_FAILED)
        return cfn_state_refused(call, &s, "rolled back further");
    TRY(take_list(call, &s, in->resources_to_skip.v, in->resources_to_skip.n));
    if (str_is_set(in->role_arn))
        s.config.role_arn = in->role_arn;
    return cfn_begin(call, &s, CFN_UPDATE_ROLLBACK_IN_PROGRESS, STR("User Initiated"));
}

enum err cloudformation_rollback_stack(struct call *call,
                                       const struct cloudformation_rollback_stack_input *in,
                                       struct cloudformation_rollback_stack_output *out)
{
    struct cfn_stack s;
    bool again;
    TRY(cfn_need_to_change(call, in->stack_name, &s));
    out->stack_id = s.id;
    TRY(cfn_once(call, &s, in->client_request_token, "RollbackStack", &again));
    if (again)
        return ERR_OK;
    if (s.status != CFN_CREATE_FAILED && s.status != CFN_UPDATE_FAILED)
        return cfn_state_refused(call, &s, "rolled back");
    s.retain_except_on_create = in->retain_except_on_create;
    if (str_is_set(in->role_arn))
        s.config.role_arn = in->role_arn;
    if (s.status == CFN_CREATE_FAILED)
        return cfn_begin(call, &s, CFN_ROLLBACK_IN_PROGRESS, STR("User Initiated"));
    TRY(cfn_go_back(call->txn, &s));
    return cfn_begin(call, &s, CFN_UPDATE_ROLLBACK_IN_PROGRESS, STR("User Initiated"));
}
