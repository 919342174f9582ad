/* CreateChangeSet, DescribeChangeSet, ExecuteChangeSet, DeleteChangeSet, ListChangeSets.
 *
 * Source: CloudFormation API Reference. Layer: svc. Thread: the call's. */
#include "base/rng.h"
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_int.h"

/* --- finding ------------------------------------------------------------------------------------ */

static enum err missing(struct call *call, struct str ref)
{
    return call_error(call, &cloudformation_err_change_set_not_found_exception,
                      "ChangeSet [" STR_FMT "] does not exist", STR_ARG(ref));
}

/* By its name and the stack, or by its ARN alone. */
enum err cfn_change_set_find(struct call *call, struct str ref, struct str stack,
                             struct cfn_stack *ret_s, struct cfn_change_set *ret)
{
    struct arn arn;
    struct str name = ref, uuid = STR_NONE;
    enum err err;
    if (arn_is(ref)) {
        if (arn_parse_as(ref, "cloudformation", "changeSet", &arn) != ERR_OK)
            return missing(call, ref);
        name = arn_segment(&arn, 1);
        uuid = arn_segment(&arn, 2);
    } else if (!str_is_set(stack)) {
        return CFN_INVALID(
            call, "StackName must be specified if ChangeSetName is not specified as an ARN.");
    }
    if (str_is_set(stack)) {
        TRY(cfn_need_stack(call, stack, ret_s));
    } else {
        err = cfn_change_set_stack(call->txn, call_scope(call), uuid, &uuid);
        if (err == ERR_OK)
            err = cfn_stack_read(call->txn, call_scope(call), uuid, ret_s);
        if (err)
            return err == ERR_NOT_FOUND ? missing(call, ref) : err;
    }
    err = ret_s->status == CFN_DELETE_COMPLETE
              ? ERR_NOT_FOUND /* it goes with the sweep */
              : cfn_change_set_read(call->txn, ret_s->uuid, name, ret);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && arn_is(ref) && !str_eq(ret->id, ref)))
        return missing(call, ref);
    return err;
}

/* --- CreateChangeSet ---------------------------------------------------------------------------- */

static enum err check(struct call *call, const struct cloudformation_create_change_set_input *in)
{
    if (str_eq(in->change_set_type, STR("IMPORT")) || in->resources_to_import.n)
        return CFN_INVALID(call, "Change sets of type IMPORT are not supported by Weir.");
    if (str_is_set(in->deployment_mode) && !str_eq(in->deployment_mode, STR("STANDARD")))
        return CFN_INVALID(call, "DeploymentMode " STR_FMT " is not supported by Weir.",
                           STR_ARG(in->deployment_mode));
    return ERR_OK;
}

/* The stack that it is for: a new one in review, or one that is there. */
static enum err stack_of(struct call *call, const struct cloudformation_create_change_set_input *in,
                         struct cfn_stack *s)
{
    bool creates = str_eq(in->change_set_type, STR("CREATE"));
    enum err err = cfn_stack_find(call->txn, call_scope(call), in->stack_name, s);
    if (err == ERR_OK && s->status == CFN_DELETE_COMPLETE)
        err = ERR_NOT_FOUND;
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    if (creates && err == ERR_NOT_FOUND) {
        if (arn_is(in->stack_name))
            return CFN_INVALID(call, "Stack [" STR_FMT "] does not exist", STR_ARG(in->stack_name));
        TRY(cfn_stack_new(call, str_dup(call->arena, in->stack_name), NULL, 0, s));
        return ERR_OK;
    }
    if (err == ERR_NOT_FOUND)
        return CFN_INVALID(call, "Stack [" STR_FMT "] does not exist", STR_ARG(in->stack_name));
    if (creates && s->status != CFN_REVIEW_IN_PROGRESS)
        return CFN_INVALID(call,
                           "Stack [" STR_FMT "] already exists and cannot be created again with "
                           "the changeSet [" STR_FMT "].",
                           STR_ARG(s->name), STR_ARG(in->change_set_name));
    if (!creates && !cfn_can_update(s))
        return cfn_state_refused(call, s, "updated");
    return ERR_OK;
}

struct counting {
    size_t n;
};
static enum err count_one(void *arg, struct str key, struct str val)
{
    struct counting *c = arg;
    (void)key;
    (void)val;
    return ++c->n > CFN_CHANGE_SETS_MAX ? ERR_CLOSED : ERR_OK;
}

static enum err name_is_free(struct call *call, const struct cfn_stack *s,
                             const struct cloudformation_create_change_set_input *in)
{
    struct cfn_change_set old;
    struct counting counting = {0};
    enum err err = cfn_change_set_read(call->txn, s->uuid, in->change_set_name, &old);
    if (err == ERR_OK)
        return call_error(call, &cloudformation_err_already_exists_exception,
                          "ChangeSet " STR_FMT " already exists", STR_ARG(in->change_set_name));
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(txn_each(call->txn, key_range(call->arena, &cloudformation_k_change_set, s->uuid),
                 count_one, &counting));
    return counting.n < CFN_CHANGE_SETS_MAX
               ? ERR_OK
               : call_error(call, &cloudformation_err_limit_exceeded_exception,
                            "ChangeSet limit exceeded for stack " STR_FMT, STR_ARG(s->name));
}

static enum err make(struct call *call, const struct cloudformation_create_change_set_input *in,
                     struct cfn_stack *s, struct cfn_change_set *cs)
{
    struct cfn_wish wish = CFN_WISH(in);
    struct cfn_open open;
    char uuid[RNG_UUID_LEN + 1];
    wish.use_previous = in->use_previous_template;
    wish.of_change_set = true;
    TRY(cfn_prepare(call, s, &wish, &cs->config, &open));
    cs->name = in->change_set_name;
    cs->id = call_arn(call, "cloudformation", "changeSet/" STR_FMT "/" STR_FMT, STR_ARG(cs->name),
                      STR_ARG(rng_uuid(uuid)));
    cs->stack_id = s->id;
    cs->description = in->description;
    cs->token = in->client_token;
    cs->created_ms = call->txn->wall_ms;
    cs->nested = in->include_nested_stacks;
    cs->import_existing = in->import_existing_resources;
    cs->on_failure = in->on_stack_failure;
    cs->deployment_mode = in->deployment_mode;
    return cfn_change_set_compute(call, in, s, &open, cs);
}

/* What can be done with it now: what the stack was made by since makes it worth nothing. */
static struct str execution_status(const struct cfn_stack *s, const struct cfn_change_set *cs)
{
    return str_eq(cs->execution_status, STR("AVAILABLE")) && cs->made_no &&
                   cs->made_no != s->op_no + 1
               ? STR("OBSOLETE")
               : cs->execution_status;
}

enum err cloudformation_create_change_set(struct call *call,
                                          const struct cloudformation_create_change_set_input *in,
                                          struct cloudformation_create_change_set_output *out)
{
    struct cfn_stack s;
    struct cfn_change_set cs = {0};
    TRY(check(call, in));
    TRY(stack_of(call, in, &s));
    bool is_new = s.status == CFN_NO_STATUS;
    cs.creates = str_eq(in->change_set_type, STR("CREATE"));
    if (!is_new)
        TRY(name_is_free(call, &s, in));
    if (is_new) {
        s.status = CFN_REVIEW_IN_PROGRESS;
        s.reason = STR("User Initiated");
        TRY(cfn_tell_stack(call->txn, &s));
        TRY(cfn_sweep_later(cfn_of(call), call->txn, &s));
    }
    TRY(make(call, in, &s, &cs));
    out->id = cs.id;
    out->stack_id = s.id;
    return ERR_OK;
}

/* --- DescribeChangeSet -------------------------------------------------------------------------- */

static enum err show_scope(struct arena *a, const struct json *change,
                           struct cloudformation_scope *ret)
{
    const struct json *list = json_get(change, STR("scope"));
    struct str *v = ARENA_ARRAY(a, struct str, (list ? list->n : 0) + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    JSON_EACH (list, it)
        v[n++] = it->text;
    *ret = (struct cloudformation_scope){v, n};
    return ERR_OK;
}

static void show_target(const struct json *d, bool values,
                        struct cloudformation_resource_target_definition *t)
{
    *t = (struct cloudformation_resource_target_definition){
        .attribute = json_get_str(d, STR("attribute")),
        .name = json_get_str(d, STR("name")),
        .requires_recreation = json_get_str(d, STR("recreation")),
    };
    if (!values)
        return;
    t->before_value = json_get_str(d, STR("before"));
    t->after_value = json_get_str(d, STR("after"));
    t->attribute_change_type = !t->before_value.p  ? STR("Add")
                               : !t->after_value.p ? STR("Remove")
                                                   : STR("Modify");
}

static enum err show_details(struct arena *a, const struct json *change, bool values,
                             struct cloudformation_resource_change_details *ret)
{
    const struct json *list = json_get(change, STR("details"));
    size_t max = list ? list->n : 0, n = 0;
    struct cloudformation_resource_change_detail *v =
        ARENA_ARRAY(a, struct cloudformation_resource_change_detail, max + 1);
    if (!v)
        return ERR_NOMEM;
    JSON_EACH (list, d) {
        struct cloudformation_resource_target_definition *t =
            ARENA_NEW(a, struct cloudformation_resource_target_definition);
        if (!t)
            return ERR_NOMEM;
        show_target(d, values, t);
        v[n++] = (struct cloudformation_resource_change_detail){
            .target = t,
            .evaluation = json_get_str(d, STR("evaluation")),
            .change_source = json_get_str(d, STR("source")),
            .causing_entity = json_get_str(d, STR("causing")),
        };
    }
    *ret = (struct cloudformation_resource_change_details){v, n};
    return ERR_OK;
}

static enum err show_change(struct arena *a, const struct json *c, bool values,
                            struct cloudformation_change *out)
{
    struct cloudformation_resource_change *r = ARENA_NEW(a, struct cloudformation_resource_change);
    if (!r)
        return ERR_NOMEM;
    *r = (struct cloudformation_resource_change){
        .action = json_get_str(c, STR("action")),
        .policy_action = json_get_str(c, STR("policy")),
        .logical_resource_id = json_get_str(c, STR("id")),
        .physical_resource_id = json_get_str(c, STR("physical")),
        .resource_type = json_get_str(c, STR("type")),
        .replacement = json_get_str(c, STR("replacement")),
        .change_set_id = json_get_str(c, STR("change_set")),
    };
    if (values) {
        r->before_context = json_get_str(c, STR("before_context"));
        r->after_context = json_get_str(c, STR("after_context"));
    }
    TRY(show_scope(a, c, &r->scope));
    TRY(show_details(a, c, values, &r->details));
    *out = (struct cloudformation_change){.type = STR("Resource"), .resource_change = r};
    return ERR_OK;
}

static enum err show_changes(struct call *call, const struct cfn_change_set *cs, bool values,
                             struct str token,
                             struct cloudformation_describe_change_set_output *out)
{
    const struct json *list;
    struct str after;
    size_t n = 0, at = 0, first = 0;
    uint64_t from = 0;
    struct page page = page_of_call(call, cs->id, token, CFN_PAGE);
    TRY(cfn_paged(call, page_start(&page, &after)));
    if (str_is_set(after) && str_to_u64(after, &from) == ERR_OK)
        first = (size_t)from;
    TRY(cfn_json(call->arena, cs->changes, &list));
    struct cloudformation_change *v =
        ARENA_ARRAY(call->arena, struct cloudformation_change, CFN_PAGE);
    if (!v)
        return ERR_NOMEM;
    JSON_EACH (list, c) {
        if (at++ < first)
            continue;
        if (n == CFN_PAGE) {
            TRY(page_end(&page, str_fmt(call->arena, "%zu", at - 1)));
            break;
        }
        TRY(show_change(call->arena, c, values, &v[n++]));
    }
    out->changes = (struct cloudformation_changes){v, n};
    out->next_token = page.next_token;
    return ERR_OK;
}

enum err
cloudformation_describe_change_set(struct call *call,
                                   const struct cloudformation_describe_change_set_input *in,
                                   struct cloudformation_describe_change_set_output *out)
{
    struct cfn_stack s;
    struct cfn_change_set cs;
    struct cloudformation_rollback_configuration *rollback =
        ARENA_NEW(call->arena, struct cloudformation_rollback_configuration);
    if (!rollback)
        return ERR_NOMEM;
    TRY(cfn_change_set_find(call, in->change_set_name, in->stack_name, &s, &cs));
    out->change_set_name = cs.name;
    out->change_set_id = cs.id;
    out->stack_id = s.id;
    out->stack_name = s.name;
    out->description = cs.description;
    out->status = cs.status;
    out->status_reason = cs.status_reason;
    out->execution_status = execution_status(&s, &cs);
    out->parent_change_set_id = cs.parent_id;
    out->root_change_set_id = cs.root_id;
    out->rollback_configuration = rollback;
    out->on_stack_failure = cs.on_failure;
    out->deployment_mode = cs.deployment_mode;
    WIRE_SET(out, creation_time, cs.created_ms);
    WIRE_SET(out, include_nested_stacks, cs.nested);
    if (cs.import_existing)
        WIRE_SET(out, import_existing_resources, true);
    out->capabilities =
        (struct cloudformation_capabilities){cs.config.capabilities, cs.config.n_capabilities};
    out->notification_arns = (struct cloudformation_notification_arns){
        cs.config.notification_arns, cs.config.n_notification_arns};
    TAGS_INTO(out->tags, ((struct tag_list){cs.config.tags, cs.config.n_tags}));
    TRY(cfn_shown_parameters(call->arena, &cs.config, &out->parameters));
    return show_changes(call, &cs, in->include_property_values, in->next_token, out);
}

/* --- ExecuteChangeSet --------------------------------------------------------------------------- */

static enum err on_failure_of(struct call *call, const struct cfn_change_set *cs,
                              const struct cloudformation_execute_change_set_input *in,
                              struct cfn_stack *s)
{
    if (in->disable_rollback && str_is_set(cs->on_failure))
        return CFN_INVALID(call,
                           "DisableRollback cannot be given: the change set has OnStackFailure.");
    s->disable_rollback = in->disable_rollback || str_eq(cs->on_failure, STR("DO_NOTHING"));
    s->on_failure = s->disable_rollback                     ? CFN_DO_NOTHING
                    : str_eq(cs->on_failure, STR("DELETE")) ? CFN_DELETE
                                                            : CFN_ROLL_BACK;
    s->retain_except_on_create = in->retain_except_on_create;
    return ERR_OK;
}

struct others {
    struct call *call;
    const struct cfn_stack *s;
    struct str executed; /* name */
};

static enum err drop_other(void *arg, struct str key, struct str val)
{
    struct others *o = arg;
    struct cfn_change_set cs;
    (void)key;
    TRY(cfn_change_set_unpack(o->call->txn, val, &cs));
    if (str_eq(cs.name, o->executed))
        return ERR_OK;
    return cfn_hierarchy_drop(cfn_of(o->call), o->call->txn, o->s, &cs);
}

/* Those of a hierarchy go as one. */
static enum err need_root(struct call *call, const struct cfn_change_set *cs, const char *what)
{
    return str_is_set(cs->root_id)
               ? CFN_INVALID(call,
                             "%s operation not supported on nested change sets; operation must be "
                             "initiated from root change set [" STR_FMT "]",
                             what, STR_ARG(cs->root_id))
               : ERR_OK;
}

enum err cloudformation_execute_change_set(struct call *call,
                                           const struct cloudformation_execute_change_set_input *in,
                                           struct cloudformation_execute_change_set_output *out)
{
    struct cfn_stack s;
    struct cfn_change_set cs;
    bool again;
    (void)out;
    TRY(cfn_change_set_find(call, in->change_set_name, in->stack_name, &s, &cs));
    TRY(cfn_once(call, &s, in->client_request_token, "ExecuteChangeSet", &again));
    if (again)
        return ERR_OK;
    struct str now = execution_status(&s, &cs);
    TRY(need_root(call, &cs, "Execute"));
    if (!str_eq(now, STR("AVAILABLE")))
        return call_error(call, &cloudformation_err_invalid_change_set_status_exception,
                          "ChangeSet [" STR_FMT "] cannot be executed in its current %s of "
                          "[" STR_FMT "]",
                          STR_ARG(cs.id),
                          str_eq(now, STR("OBSOLETE")) ? "execution status" : "status",
                          STR_ARG(str_eq(now, STR("OBSOLETE")) ? now : cs.status));
    if (cs.creates ? s.status != CFN_REVIEW_IN_PROGRESS : !cfn_can_update(&s))
        return cfn_state_refused(call, &s, "updated");
    TRY(on_failure_of(call, &cs, in, &s));
    /* The others were made for what the stack is no more. */
    struct others others = {call, &s, cs.name};
    TRY(txn_each(call->txn, key_range(call->arena, &cloudformation_k_change_set, s.uuid),
                 drop_other, &others));
    s.change_set_id = cs.id;
    if (!cs.creates) {
        TRY(cfn_update_begin(call, &s, &cs.config));
    } else {
        s.config = cs.config;
        TRY(cfn_begin(call, &s, CFN_CREATE_IN_PROGRESS, STR("User Initiated")));
    }
    return cfn_hierarchy_begin(call->txn, &s, &cs);
}

/* --- the rest ----------------------------------------------------------------------------------- */

enum err cloudformation_delete_change_set(struct call *call,
                                          const struct cloudformation_delete_change_set_input *in,
                                          struct cloudformation_delete_change_set_output *out)
{
    struct cfn_stack s;
    struct cfn_change_set cs;
    (void)out;
    enum err err = cfn_change_set_find(call, in->change_set_name, in->stack_name, &s, &cs);
    if (err == ERR_FAILED && str_eq(call_error_code(call), STR("ChangeSetNotFound"))) {
        call_error_clear(call); /* as AWS: it is gone */
        return ERR_OK;
    }
    TRY(err);
    TRY(need_root(call, &cs, "Delete"));
    if (str_eq(cs.execution_status, STR("EXECUTE_COMPLETE")) && cfn_in_progress(s.status))
        return call_error(call, &cloudformation_err_invalid_change_set_status_exception,
                          "The change set [" STR_FMT "] is being executed", STR_ARG(cs.id));
    return cfn_hierarchy_drop(cfn_of(call), call->txn, &s, &cs);
}

struct listing {
    struct call *call;
    const struct cfn_stack *s;
    struct cloudformation_change_set_summary *v;
    size_t n;
};

static enum err take(void *arg, struct str key, struct str val)
{
    struct listing *l = arg;
    struct cfn_change_set cs;
    (void)key;
    TRY(cfn_change_set_unpack(l->call->txn, val, &cs));
    struct cloudformation_change_set_summary *out = &l->v[l->n++];
    *out = (struct cloudformation_change_set_summary){
        .stack_id = l->s->id,
        .stack_name = l->s->name,
        .change_set_id = cs.id,
        .change_set_name = cs.name,
        .execution_status = execution_status(l->s, &cs),
        .parent_change_set_id = cs.parent_id,
        .root_change_set_id = cs.root_id,
        .status = cs.status,
        .status_reason = cs.status_reason,
        .description = cs.description,
    };
    WIRE_SET(out, creation_time, cs.created_ms);
    WIRE_SET(out, include_nested_stacks, cs.nested);
    if (cs.import_existing)
        WIRE_SET(out, import_existing_resources, true);
    return ERR_OK;
}

enum err cloudformation_list_change_sets(struct call *call,
                                         const struct cloudformation_list_change_sets_input *in,
                                         struct cloudformation_list_change_sets_output *out)
{
    static const struct page_fns fns = {.take = take};
    struct cfn_stack s;
    TRY(cfn_need_stack(call, in->stack_name, &s));
    struct listing l = {.call = call, .s = &s};
    struct page page = page_of_call(call, s.uuid, in->next_token, CFN_PAGE);
    l.v = ARENA_ARRAY(call->arena, struct cloudformation_change_set_summary, CFN_PAGE);
    if (!l.v)
        return ERR_NOMEM;
    TRY(cfn_paged(call, page_scan(call->txn, &page,
                                  key_range(call->arena, &cloudformation_k_change_set, s.uuid),
                                  &fns, &l)));
    out->summaries = (struct cloudformation_change_set_summaries){l.v, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}
