/* DescribeStacks, DescribeStackEvents, DescribeStackResource(s), ListStackResources, ListStacks, ListExports,
 * ListImports.
 *
 * Source: CloudFormation API Reference. Layer: svc. Thread: the call's. */
#include "svc/cloudformation/cloudformation_int.h"

/* --- stacks ------------------------------------------------------------------------------------- */

enum err cfn_shown_parameters(struct arena *a, const struct cfn_config *c,
                              struct cloudformation_parameters *ret)
{
    struct cloudformation_parameter *v =
        ARENA_ARRAY(a, struct cloudformation_parameter, c->n_parameters + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->n_parameters; i++) {
        const struct cfn_parameter *p = &c->parameters[i];
        v[i] = (struct cloudformation_parameter){
            .parameter_key = p->key,
            .parameter_value = p->no_echo ? STR("****") : p->value,
            .resolved_value = p->no_echo ? STR_NONE : p->resolved,
        };
    }
    *ret = (struct cloudformation_parameters){v, c->n_parameters};
    return ERR_OK;
}

static enum err shown_outputs(struct arena *a, const struct cfn_stack *s,
                              struct cloudformation_outputs *ret)
{
    struct cloudformation_output *v =
        ARENA_ARRAY(a, struct cloudformation_output, s->n_outputs + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_outputs; i++)
        v[i] = (struct cloudformation_output){
            .output_key = s->outputs[i].key,
            .output_value = s->outputs[i].value,
            .description = s->outputs[i].description,
            .export_name = s->outputs[i].export_name,
        };
    *ret = (struct cloudformation_outputs){v, s->n_outputs};
    return ERR_OK;
}

static enum err show(struct call *call, const struct cfn_stack *s, struct cloudformation_stack *out)
{
    const struct cfn_config *c = &s->config;
    struct cloudformation_stack_drift_information *drift =
        ARENA_NEW(call->arena, struct cloudformation_stack_drift_information);
    struct cloudformation_rollback_configuration *rollback =
        ARENA_NEW(call->arena, struct cloudformation_rollback_configuration);
    if (!drift || !rollback)
        return ERR_NOMEM;
    drift->stack_drift_status =
        s->drift == CFN_MODIFIED ? STR("DRIFTED") : cfn_drift_name(s->drift);
    if (s->drift_ms)
        WIRE_SET(drift, last_check_timestamp, s->drift_ms);
    *out = (struct cloudformation_stack){
        .stack_id = s->id,
        .stack_name = s->name,
        .change_set_id = s->change_set_id,
        .description = c->description,
        .stack_status = cfn_status_name(s->status),
        .stack_status_reason = s->reason,
        .role_arn = c->role_arn,
        .parent_id = s->parent_id,
        .root_id = s->root_id,
        .drift_information = drift,
        .rollback_configuration = rollback,
        .capabilities = {c->capabilities, c->n_capabilities},
        .notification_arns = {c->notification_arns ? c->notification_arns : &STR_NONE,
                              c->n_notification_arns},
    };
    TAGS_INTO(out->tags,
              ((struct tag_list){c->tags ? c->tags : &(struct tag){{0}, {0}}, c->n_tags}));
    WIRE_SET(out, creation_time, s->created_ms);
    if (s->updated_ms)
        WIRE_SET(out, last_updated_time, s->updated_ms);
    if (s->deleted_ms)
        WIRE_SET(out, deletion_time, s->deleted_ms);
    if (s->timeout_min)
        WIRE_SET(out, timeout_in_minutes, s->timeout_min);
    WIRE_SET(out, disable_rollback, s->on_failure == CFN_DO_NOTHING || s->disable_rollback);
    WIRE_SET(out, enable_termination_protection, s->protected_from_deletion);
    if (s->retain_except_on_create)
        WIRE_SET(out, retain_except_on_create, true);
    TRY(cfn_shown_parameters(call->arena, c, &out->parameters));
    return shown_outputs(call->arena, s, &out->outputs);
}

struct listing {
    struct call *call;
    struct cloudformation_stack *stacks;
    struct cloudformation_stack_summary *summaries;
    const struct cloudformation_stack_status_filter *filter;
    size_t n;
};

/* Nested stacks are told of, too, and those that were deleted, until they are swept. */
static enum err stack_matches(void *arg, struct str key, struct str val, bool *ret_match)
{
    struct listing *l = arg;
    struct cfn_stack s;
    (void)key;
    TRY(cfn_stack_of_name(l->call->txn, call_scope(l->call), val, &s));
    *ret_match = l->filter->n == 0;
    for (size_t i = 0; i < l->filter->n; i++)
        *ret_match |= str_eq(l->filter->v[i], cfn_status_name(s.status));
    return ERR_OK;
}

static enum err take_stack(void *arg, struct str key, struct str val)
{
    struct listing *l = arg;
    struct cfn_stack s;
    (void)key;
    TRY(cfn_stack_of_name(l->call->txn, call_scope(l->call), val, &s));
    return show(l->call, &s, &l->stacks[l->n++]);
}

/* Those that are there, by name: what was deleted before costs nothing. */
static enum err describe_all(struct call *call, struct str token,
                             struct cloudformation_describe_stacks_output *out)
{
    static const struct page_fns fns = {.take = take_stack};
    struct listing l = {.call = call};
    struct page page = page_of_call(call, STR(""), token, CFN_PAGE);
    l.stacks = ARENA_ARRAY(call->arena, struct cloudformation_stack, CFN_PAGE);
    if (!l.stacks)
        return ERR_NOMEM;
    TRY(cfn_paged(call, page_scan(call->txn, &page,
                                  key_range(call->arena, &cloudformation_k_name, call_scope(call)),
                                  &fns, &l)));
    out->stacks = (struct cloudformation_stacks){l.stacks, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}

enum err cloudformation_describe_stacks(struct call *call,
                                        const struct cloudformation_describe_stacks_input *in,
                                        struct cloudformation_describe_stacks_output *out)
{
    struct cfn_stack s;
    if (str_empty(in->stack_name))
        return describe_all(call, in->next_token, out);
    struct cloudformation_stack *v = ARENA_NEW(call->arena, struct cloudformation_stack);
    if (!v)
        return ERR_NOMEM;
    TRY(cfn_need_stack(call, in->stack_name, &s));
    TRY(show(call, &s, v));
    out->stacks = (struct cloudformation_stacks){v, 1};
    return ERR_OK;
}

static enum err take_summary(void *arg, struct str key, struct str val)
{
    struct listing *l = arg;
    struct cfn_stack s;
    (void)key;
    TRY(cfn_stack_of_name(l->call->txn, call_scope(l->call), val, &s));
    struct cloudformation_stack_summary *out = &l->summaries[l->n++];
    struct cloudformation_stack_drift_information_summary *drift =
        ARENA_NEW(l->call->arena, struct cloudformation_stack_drift_information_summary);
    if (!drift)
        return ERR_NOMEM;
    drift->stack_drift_status = s.drift == CFN_MODIFIED ? STR("DRIFTED") : cfn_drift_name(s.drift);
    if (s.drift_ms)
        WIRE_SET(drift, last_check_timestamp, s.drift_ms);
    *out = (struct cloudformation_stack_summary){
        .stack_id = s.id,
        .stack_name = s.name,
        .template_description = s.config.description,
        .stack_status = cfn_status_name(s.status),
        .stack_status_reason = s.reason,
        .parent_id = s.parent_id,
        .root_id = s.root_id,
        .drift_information = drift,
    };
    WIRE_SET(out, creation_time, s.created_ms);
    if (s.updated_ms)
        WIRE_SET(out, last_updated_time, s.updated_ms);
    if (s.deleted_ms)
        WIRE_SET(out, deletion_time, s.deleted_ms);
    return ERR_OK;
}

enum err cloudformation_list_stacks(struct call *call,
                                    const struct cloudformation_list_stacks_input *in,
                                    struct cloudformation_list_stacks_output *out)
{
    static const struct page_fns fns = {.match = stack_matches, .take = take_summary};
    struct listing l = {.call = call, .filter = &in->stack_status_filter};
    struct page page = page_of_call(call, STR(""), in->next_token, CFN_PAGE);
    page.reverse = true; /* the newest first */
    l.summaries = ARENA_ARRAY(call->arena, struct cloudformation_stack_summary, CFN_PAGE);
    if (!l.summaries)
        return ERR_NOMEM;
    TRY(cfn_paged(call, page_scan(call->txn, &page,
                                  key_range(call->arena, &cloudformation_k_order, call_scope(call)),
                                  &fns, &l)));
    out->stack_summaries = (struct cloudformation_stack_summaries){l.summaries, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}

/* --- events ------------------------------------------------------------------------------------- */

struct events {
    struct call *call;
    struct cloudformation_stack_event *v;
    size_t n;
};

static enum err take_event(void *arg, struct str key, struct str val)
{
    struct events *l = arg;
    struct cfn_event e;
    (void)key;
    TRY(cfn_event_unpack(l->call->txn, val, &e));
    struct cloudformation_stack_event *out = &l->v[l->n++];
    *out = (struct cloudformation_stack_event){
        .stack_id = e.stack_id,
        .event_id = e.id,
        .stack_name = e.stack_name,
        .logical_resource_id = e.logical_id,
        .physical_resource_id = e.physical_id,
        .resource_type = e.type,
        .resource_status = cfn_status_name(e.status),
        .resource_status_reason = e.reason,
        .resource_properties = e.properties,
        .client_request_token = e.token,
    };
    WIRE_SET(out, timestamp, e.ms);
    return ERR_OK;
}

enum err
cloudformation_describe_stack_events(struct call *call,
                                     const struct cloudformation_describe_stack_events_input *in,
                                     struct cloudformation_describe_stack_events_output *out)
{
    static const struct page_fns fns = {.take = take_event};
    struct cfn_stack s;
    struct events l = {.call = call};
    enum err err = cfn_stack_find(call->txn, call_scope(call), in->stack_name, &s);
    if (err == ERR_NOT_FOUND)
        return CFN_INVALID(call, "Stack [" STR_FMT "] does not exist", STR_ARG(in->stack_name));
    TRY(err);
    struct page page = page_of_call(call, s.uuid, in->next_token, CFN_PAGE);
    page.reverse = true;
    l.v = ARENA_ARRAY(call->arena, struct cloudformation_stack_event, CFN_PAGE);
    if (!l.v)
        return ERR_NOMEM;
    TRY(cfn_paged(call,
                  page_scan(call->txn, &page,
                            key_range(call->arena, &cloudformation_k_event, s.uuid), &fns, &l)));
    out->stack_events = (struct cloudformation_stack_events){l.v, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}

/* --- resources ---------------------------------------------------------------------------------- */

static struct str physical_id(const struct cfn_resource *r)
{
    if (r->work && str_is_set(r->work->goal.physical_id) && !r->work->on_before)
        return r->work->goal.physical_id;
    return r->now ? r->now->physical_id : r->shown_id;
}

static enum err missing(struct call *call, const struct cfn_stack *s, struct str id)
{
    return CFN_INVALID(call, "Resource " STR_FMT " does not exist for stack " STR_FMT, STR_ARG(id),
                       STR_ARG(s->name));
}

enum err cloudformation_describe_stack_resource(
    struct call *call, const struct cloudformation_describe_stack_resource_input *in,
    struct cloudformation_describe_stack_resource_output *out)
{
    struct cfn_stack s;
    struct cfn_resource r;
    TRY(cfn_need_stack(call, in->stack_name, &s));
    enum err err = cfn_resource_read(call->txn, s.uuid, in->logical_resource_id, &r);
    if (err == ERR_NOT_FOUND)
        return missing(call, &s, in->logical_resource_id);
    TRY(err);
    struct cloudformation_stack_resource_detail *d =
        ARENA_NEW(call->arena, struct cloudformation_stack_resource_detail);
    struct cloudformation_stack_resource_drift_information *drift =
        ARENA_NEW(call->arena, struct cloudformation_stack_resource_drift_information);
    if (!d || !drift)
        return ERR_NOMEM;
    drift->stack_resource_drift_status = cfn_drift_name(r.drift);
    if (r.drift_ms)
        WIRE_SET(drift, last_check_timestamp, r.drift_ms);
    *d = (struct cloudformation_stack_resource_detail){
        .stack_name = s.name,
        .stack_id = s.id,
        .logical_resource_id = r.id,
        .physical_resource_id = physical_id(&r),
        .resource_type = r.type,
        .resource_status = cfn_status_name(r.status),
        .resource_status_reason = r.reason,
        .metadata = r.now ? r.now->metadata : STR_NONE,
        .drift_information = drift,
    };
    WIRE_SET(d, last_updated_timestamp, r.updated_ms);
    out->stack_resource_detail = d;
    return ERR_OK;
}

static enum err show_resource(struct call *call, const struct cfn_stack *s,
                              const struct cfn_resource *r,
                              struct cloudformation_stack_resource *out)
{
    struct cloudformation_stack_resource_drift_information *drift =
        ARENA_NEW(call->arena, struct cloudformation_stack_resource_drift_information);
    if (!drift)
        return ERR_NOMEM;
    drift->stack_resource_drift_status = cfn_drift_name(r->drift);
    if (r->drift_ms)
        WIRE_SET(drift, last_check_timestamp, r->drift_ms);
    *out = (struct cloudformation_stack_resource){
        .stack_name = s->name,
        .stack_id = s->id,
        .logical_resource_id = r->id,
        .physical_resource_id = physical_id(r),
        .resource_type = r->type,
        .resource_status = cfn_status_name(r->status),
        .resource_status_reason = r->reason,
        .drift_information = drift,
    };
    WIRE_SET(out, timestamp, r->updated_ms);
    return ERR_OK;
}

/* The stack that has a physical resource; O(stacks that are there and their resources) of the region. */
struct seeking {
    struct call *call;
    struct str physical_id;
    struct cfn_stack found;
    bool is_found;
};

static enum err seek(void *arg, struct str key, struct str val)
{
    struct seeking *k = arg;
    struct cfn_stack s;
    struct cfn_resource *r;
    size_t n;
    (void)key;
    TRY(cfn_stack_of_name(k->call->txn, call_scope(k->call), val, &s));
    TRY(cfn_resources(k->call->txn, s.uuid, &r, &n));
    TRY(txn_work(k->call->txn, n * TXN_ROW_WORK));
    for (size_t i = 0; i < n; i++)
        if (str_eq(physical_id(&r[i]), k->physical_id)) {
            k->found = s;
            k->is_found = true;
            return ERR_CLOSED;
        }
    return ERR_OK;
}

static enum err stack_of(struct call *call,
                         const struct cloudformation_describe_stack_resources_input *in,
                         struct cfn_stack *ret)
{
    struct seeking k = {.call = call, .physical_id = in->physical_resource_id};
    if (str_is_set(in->stack_name))
        return cfn_need_stack(call, in->stack_name, ret);
    if (!str_is_set(in->physical_resource_id))
        return CFN_INVALID(call, "Either StackName or PhysicalResourceId must be specified");
    TRY(txn_each(call->txn, key_range(call->arena, &cloudformation_k_name, call_scope(call)), seek,
                 &k));
    if (!k.is_found)
        return CFN_INVALID(call, "Stack for " STR_FMT " does not exist",
                           STR_ARG(in->physical_resource_id));
    *ret = k.found;
    return ERR_OK;
}

enum err cloudformation_describe_stack_resources(
    struct call *call, const struct cloudformation_describe_stack_resources_input *in,
    struct cloudformation_describe_stack_resources_output *out)
{
    struct cfn_stack s;
    struct cfn_resource *r;
    size_t n, k = 0;
    TRY(stack_of(call, in, &s));
    TRY(cfn_resources(call->txn, s.uuid, &r, &n));
    struct cloudformation_stack_resource *v =
        ARENA_ARRAY(call->arena, struct cloudformation_stack_resource, n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (!str_is_set(in->logical_resource_id) || str_eq(in->logical_resource_id, r[i].id))
            TRY(show_resource(call, &s, &r[i], &v[k++]));
    if (k == 0 && str_is_set(in->logical_resource_id))
        return missing(call, &s, in->logical_resource_id);
    out->stack_resources = (struct cloudformation_stack_resources){v, k};
    return ERR_OK;
}

enum err
cloudformation_list_stack_resources(struct call *call,
                                    const struct cloudformation_list_stack_resources_input *in,
                                    struct cloudformation_list_stack_resources_output *out)
{
    struct cfn_stack s;
    struct cfn_resource *r;
    struct str after;
    size_t n, k = 0;
    TRY(cfn_need_stack(call, in->stack_name, &s));
    struct page page = page_of_call(call, s.uuid, in->next_token, CFN_PAGE);
    TRY(cfn_paged(call, page_start(&page, &after)));
    TRY(cfn_resources(call->txn, s.uuid, &r, &n));
    struct cloudformation_stack_resource_summary *v =
        ARENA_ARRAY(call->arena, struct cloudformation_stack_resource_summary, CFN_PAGE);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (str_is_set(after) && str_cmp(r[i].id, after) <= 0)
            continue;
        if (k == CFN_PAGE) {
            TRY(page_end(&page, v[k - 1].logical_resource_id));
            break;
        }
        v[k] = (struct cloudformation_stack_resource_summary){
            .logical_resource_id = r[i].id,
            .physical_resource_id = physical_id(&r[i]),
            .resource_type = r[i].type,
            .resource_status = cfn_status_name(r[i].status),
            .resource_status_reason = r[i].reason,
        };
        WIRE_SET(&v[k], last_updated_timestamp, r[i].updated_ms);
        k++;
    }
    out->stack_resource_summaries = (struct cloudformation_stack_resource_summaries){v, k};
    out->next_token = page.next_token;
    return ERR_OK;
}

/* --- exports and imports ------------------------------------------------------------------------ */

struct names {
    struct call *call;
    struct cloudformation_export *exports;
    struct str *texts;
    size_t n;
};

static enum err take_export(void *arg, struct str key, struct str val)
{
    struct names *l = arg;
    struct arena *a = l->call->arena;
    struct key_scope scope;
    struct cfn_export e = {0};
    struct cloudformation_export *out = &l->exports[l->n++];
    TRY(key_read(&cloudformation_k_export, key, a, &scope, &out->name));
    TRY(record_unpack_copy(&cfn_export_type, a, val, &e));
    out->value = e.value;
    out->exporting_stack_id = e.stack_id;
    return ERR_OK;
}

enum err cloudformation_list_exports(struct call *call,
                                     const struct cloudformation_list_exports_input *in,
                                     struct cloudformation_list_exports_output *out)
{
    static const struct page_fns fns = {.take = take_export};
    struct names l = {.call = call};
    struct page page = page_of_call(call, STR(""), in->next_token, CFN_PAGE);
    l.exports = ARENA_ARRAY(call->arena, struct cloudformation_export, CFN_PAGE);
    if (!l.exports)
        return ERR_NOMEM;
    TRY(cfn_paged(call,
                  page_scan(call->txn, &page,
                            key_range(call->arena, &cloudformation_k_export, call_scope(call)),
                            &fns, &l)));
    out->exports = (struct cloudformation_exports){l.exports, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}

static enum err take_import(void *arg, struct str key, struct str val)
{
    struct names *l = arg;
    (void)key;
    l->texts[l->n] = str_dup(l->call->arena, val);
    return str_is_set(l->texts[l->n++]) ? ERR_OK : ERR_NOMEM;
}

enum err cloudformation_list_imports(struct call *call,
                                     const struct cloudformation_list_imports_input *in,
                                     struct cloudformation_list_imports_output *out)
{
    static const struct page_fns fns = {.take = take_import};
    struct names l = {.call = call};
    struct page page = page_of_call(call, in->export_name, in->next_token, CFN_PAGE);
    l.texts = ARENA_ARRAY(call->arena, struct str, CFN_PAGE);
    if (!l.texts)
        return ERR_NOMEM;
    TRY(cfn_paged(call, page_scan(call->txn, &page,
                                  key_range(call->arena, &cloudformation_k_import, call_scope(call),
                                            in->export_name),
                                  &fns, &l)));
    if (l.n == 0 && !str_is_set(in->next_token))
        return CFN_INVALID(call, "Export '" STR_FMT "' is not imported by any stack.",
                           STR_ARG(in->export_name));
    out->imports = (struct cloudformation_imports){l.texts, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}
