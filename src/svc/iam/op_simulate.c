/* The policy simulator: what the evaluator would say to actions on resources, of policies that the
 * request brings and of those that a user, group or role has.
 *
 * Of what AWS's simulator does not know either, nothing is made up: a condition key that the request
 * does not bring is missing, and is named.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "base/arn.h"
#include "svc/iam/iam_int.h"
#include "svc/iam/iam_simulate.h"

enum { RESULTS_MAX = 100000 }; /* actions times resources of one request */

static const char *const decision_word[] = {
    [POLICY_IMPLICIT_DENY] = "implicitDeny",
    [POLICY_EXPLICIT_DENY] = "explicitDeny",
    [POLICY_ALLOW] = "allowed",
};

/* One question, whichever operation asks it: the two inputs differ in one member. */
struct asked {
    struct call *call;
    struct simulate s;
    struct policy_context ctx;
    struct policy_request req;
    struct iam_action_name_list_type actions;
    struct iam_resource_name_list_type resources;
    struct str resource_owner; /* account; absent: that of the ARN */
    const struct str *missing;
    size_t n_missing;
};

static enum err invalid(struct call *call, const char *what, struct str value)
{
    return call_error(call, &iam_err_invalid_input_exception, "%s: " STR_FMT, what, STR_ARG(value));
}

/* --- policies --------------------------------------------------------------------------------- */

static enum err add(struct asked *q, enum simulate_role role, struct str source, struct str json)
{
    const char *why = "Syntax errors in policy.";
    if (!str_is_set(source))
        return ERR_NOMEM;
    enum err err = iam_simulate_add(&q->s, role, source, json, &why);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return call_error(q->call, &iam_err_invalid_input_exception,
                          "Invalid policy " STR_FMT ": %s", STR_ARG(source),
                          err == ERR_LIMIT ? "too many statements" : why);
    return err;
}

static enum err add_inputs(struct asked *q, enum simulate_role role, const char *list,
                           const struct iam_simulation_policy_list_type *policies)
{
    for (size_t i = 0; i < policies->n; i++)
        TRY(add(q, role, str_fmt(q->call->arena, "%s.%zu", list, i + 1), policies->v[i]));
    return ERR_OK;
}

/* A managed policy's default version. One that is gone is left out: it allows nothing. */
static enum err add_managed(struct asked *q, enum simulate_role role, struct str arn)
{
    const struct iam_aws_policy *aws = iam_aws_find(iam_of(q->call), arn);
    struct iam_managed *m;
    if (aws)
        return add(q, role, str_c(aws->name), str_c(aws->document));
    enum err err = iam_managed_load(iam_of(q->call), q->call->account, q->call->txn, arn, &m);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    return add(q, role, m->name, iam_managed_version(m, m->default_version)->document);
}

static enum err add_entity(struct asked *q, const struct iam_entity *e)
{
    for (size_t i = 0; i < e->n_inlines; i++)
        TRY(add(q, SIMULATE_IDENTITY,
                str_fmt(q->call->arena, "%s_" STR_FMT "_" STR_FMT, iam_kind_word[e->kind],
                        STR_ARG(e->name), STR_ARG(e->inlines[i].name)),
                e->inlines[i].document));
    for (size_t i = 0; i < e->n_attached; i++)
        TRY(add_managed(q, SIMULATE_IDENTITY, e->attached[i]));
    for (size_t i = 0; i < e->n_groups; i++) {
        struct iam_entity *g;
        TRY(iam_load_id(iam_of(q->call), q->call->txn, e->groups[i], &g));
        TRY(add_entity(q, g));
    }
    return ERR_OK;
}

/* The user, group or role of an ARN: NoSuchEntity, or InvalidInput for an ARN of anything else. */
static enum err find_source(struct call *call, struct str text, struct iam_entity **ret_e)
{
    struct arn arn;
    if (arn_parse_as(text, "iam", NULL, &arn) != ERR_OK)
        return invalid(call, "Invalid PolicySourceArn", text);
    for (int kind = 0; kind < IAM_PROFILE; kind++)
        if (str_eq_c(arn_segment(&arn, 0), iam_kind_word[kind])) {
            TRY(iam_get_entity(call, (enum iam_kind)kind, arn_last(&arn), ret_e));
            return str_eq((*ret_e)->arn, text)
                       ? ERR_OK
                       : call_error(call, &iam_err_no_such_entity_exception,
                                    STR_FMT " cannot be found.", STR_ARG(text));
        }
    return invalid(call, "Invalid PolicySourceArn", text);
}

/* --- context ---------------------------------------------------------------------------------- */

static bool fits(struct str type, struct str value)
{
    if (str_starts(type, STR("numeric"))) {
        double v;
        return str_to_f64(value, &v) == ERR_OK;
    }
    if (str_starts(type, STR("boolean")))
        return str_eq_c(value, "true") || str_eq_c(value, "false");
    return true;
}

static enum err add_context(struct asked *q, const struct iam_context_entry_list_type *entries)
{
    for (size_t i = 0; i < entries->n; i++) {
        const struct iam_context_entry *e = &entries->v[i];
        struct str type = str_is_set(e->context_key_type) ? e->context_key_type : STR("string");
        if (!str_is_set(e->context_key_name))
            return invalid(q->call, "A context entry has no name", STR(""));
        if (e->context_key_values.n > 1 && !str_ends(type, STR("List")))
            return invalid(q->call, "More than one value for context key", e->context_key_name);
        for (size_t k = 0; k < e->context_key_values.n; k++) {
            if (!fits(type, e->context_key_values.v[k]))
                return invalid(q->call, "Invalid value for context key", e->context_key_name);
            policy_context_add(&q->ctx, e->context_key_name, e->context_key_values.v[k]);
        }
    }
    return q->ctx.err == ERR_LIMIT ? invalid(q->call, "Too many context entries", STR(""))
                                   : q->ctx.err;
}

/* What is known of him without a request, unless the request says otherwise. */
static void add_known(struct asked *q, const struct iam_entity *e)
{
    const struct {
        struct str key, value;
    } known[] = {
        {STR("aws:username"), e->kind == IAM_USER ? e->name : STR_NONE},
        {STR("aws:userid"), e->kind == IAM_USER ? e->id : STR_NONE},
        {STR("aws:PrincipalArn"), e->kind == IAM_GROUP ? STR_NONE : e->arn},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (!policy_context_find(&q->ctx, known[i].key))
            policy_context_add(&q->ctx, known[i].key, known[i].value);
}

/* --- the question ----------------------------------------------------------------------------- */

static enum err set_caller(struct asked *q, struct str caller, struct str resource_policy)
{
    struct arn arn;
    q->req.who = (struct policy_principal){.kind = POLICY_USER, .account = q->call->account};
    if (!str_is_set(caller))
        return str_is_set(resource_policy)
                   ? invalid(q->call, "A resource policy needs a CallerArn", STR(""))
                   : ERR_OK;
    if (arn_parse_as(caller, "iam", NULL, &arn) != ERR_OK)
        return invalid(q->call, "Invalid CallerArn", caller);
    q->req.who.arn = caller;
    q->req.who.account = arn.account;
    if (str_eq_c(arn_segment(&arn, 0), "role")) {
        q->req.who.kind = POLICY_SESSION;
        q->req.who.role_arn = caller;
    }
    return ERR_OK;
}

static enum err check_names(struct asked *q)
{
    struct arn arn;
    for (size_t i = 0; i < q->actions.n; i++) {
        struct str rest = q->actions.v[i], service = str_cut(&rest, ':');
        if (service.len == 0 || !str_is_set(rest) || rest.len == 0 ||
            str_find(q->actions.v[i], '*') != SIZE_MAX)
            return invalid(q->call, "Invalid action name", q->actions.v[i]);
    }
    for (size_t i = 0; i < q->resources.n; i++)
        if (!str_eq_c(q->resources.v[i], "*") && arn_parse(q->resources.v[i], &arn) != ERR_OK)
            return invalid(q->call, "Invalid resource", q->resources.v[i]);
    if (q->resources.n > RESULTS_MAX / (q->actions.n + 1))
        return invalid(q->call, "Too many actions and resources", STR(""));
    return ERR_OK;
}

static enum err set_owner(struct asked *q, struct str owner)
{
    struct arn arn;
    q->resource_owner = owner;
    if (str_is_set(owner) && arn_parse(owner, &arn) == ERR_OK)
        q->resource_owner = arn.account;
    return !str_is_set(owner) || q->resource_owner.len == 12
               ? ERR_OK
               : invalid(q->call, "Invalid ResourceOwner", owner);
}

/* --- answers ---------------------------------------------------------------------------------- */

static enum err show_matched(struct call *call, const struct simulate_result *r,
                             struct iam_statement_list_type *ret)
{
    struct iam_statement *v = ARENA_ARRAY(call->arena, struct iam_statement, r->n_matched);
    struct iam_position *at = ARENA_ARRAY(call->arena, struct iam_position, 2 * r->n_matched);
    if (!v || !at)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n_matched; i++) {
        const struct simulate_statement *st = r->matched[i];
        at[2 * i] = (struct iam_position){st->from.line, true, st->from.column, true};
        at[2 * i + 1] = (struct iam_position){st->to.line, true, st->to.column, true};
        v[i] = (struct iam_statement){.source_policy_id = st->source,
                                      .source_policy_type = STR("IAM Policy"),
                                      .start_position = &at[2 * i],
                                      .end_position = &at[2 * i + 1]};
    }
    *ret = (struct iam_statement_list_type){v, r->n_matched};
    return ERR_OK;
}

static enum err show_boundary(struct asked *q, const struct simulate_result *r,
                              const struct iam_permissions_boundary_decision_detail **ret)
{
    struct iam_permissions_boundary_decision_detail *d =
        ARENA_NEW(q->call->arena, struct iam_permissions_boundary_decision_detail);
    if (!d)
        return ERR_NOMEM;
    WIRE_SET(d, allowed_by_permissions_boundary, r->within_boundary);
    if (q->s.boundary)
        *ret = d;
    return ERR_OK;
}

/* The account that owns a resource: what the request says, what its ARN says, this one. */
static struct str owner_of(const struct asked *q, struct str resource)
{
    struct arn arn;
    if (str_is_set(q->resource_owner))
        return q->resource_owner;
    return arn_parse(resource, &arn) == ERR_OK && arn.account.len == 12 ? arn.account
                                                                        : q->call->account;
}

static enum err answer(struct asked *q, struct str action, struct str resource,
                       struct iam_evaluation_result *out)
{
    struct simulate_result r;
    struct iam_resource_specific_result *own =
        ARENA_NEW(q->call->arena, struct iam_resource_specific_result);
    if (!own)
        return ERR_NOMEM;
    q->req.action = action;
    q->req.resource = resource;
    q->req.resource_account = owner_of(q, resource);
    TRY(iam_simulate_decide(&q->s, &q->req, &r));
    *out = (struct iam_evaluation_result){.eval_action_name = action,
                                          .eval_resource_name = resource,
                                          .eval_decision = str_c(decision_word[r.decision]),
                                          .missing_context_values = {q->missing, q->n_missing}};
    TRY(show_matched(q->call, &r, &out->matched_statements));
    TRY(show_boundary(q, &r, &out->permissions_boundary_decision_detail));
    if (q->resources.n == 0)
        return ERR_OK;
    *own = (struct iam_resource_specific_result){
        .eval_resource_name = resource,
        .eval_resource_decision = out->eval_decision,
        .matched_statements = out->matched_statements,
        .missing_context_values = out->missing_context_values,
        .permissions_boundary_decision_detail = out->permissions_boundary_decision_detail};
    out->resource_specific_results = (struct iam_resource_specific_result_list_type){own, 1};
    return ERR_OK;
}

/* The results of a page; a position is the number of the last one. */
static enum err answer_page(struct asked *q, struct page *page,
                            struct iam_evaluation_results_list_type *ret)
{
    size_t per = q->resources.n ? q->resources.n : 1, all = q->actions.n * per;
    struct str after;
    int64_t at = 0;
    struct iam_evaluation_result *v =
        ARENA_ARRAY(q->call->arena, struct iam_evaluation_result, page->limit);
    if (!v)
        return ERR_NOMEM;
    TRY(page_start(page, &after));
    if (str_is_set(after))
        TRY(str_to_i64(after, &at));
    for (; (size_t)at < all && page->n < page->limit; at++)
        TRY(answer(q, q->actions.v[(size_t)at / per],
                   q->resources.n ? q->resources.v[(size_t)at % per] : STR("*"), &v[page->n++]));
    *ret = (struct iam_evaluation_results_list_type){v, page->n};
    if ((size_t)at >= all)
        return ERR_OK;
    struct str last = str_fmt(q->call->arena, "%lld", (long long)at);
    return str_is_set(last) ? page_end(page, last) : ERR_NOMEM;
}

static struct asked *new_asked(struct call *call)
{
    struct asked *q = ARENA_NEW(call->arena, struct asked);
    if (!q)
        return NULL;
    q->call = call;
    iam_simulate_init(&q->s, call->arena);
    policy_context_init(&q->ctx, call->arena);
    q->req.ctx = &q->ctx;
    return q;
}

/* What both operations do once their own policies are in: `in` is either's input. */
#define PREPARE(q, in)                                                                             \
    do {                                                                                           \
        (q)->actions = (in)->action_names;                                                         \
        (q)->resources = (in)->resource_arns;                                                      \
        TRY(check_names(q));                                                                       \
        TRY(set_owner((q), (in)->resource_owner));                                                 \
        TRY(add_inputs((q), SIMULATE_IDENTITY, "PolicyInputList", &(in)->policy_input_list));      \
        TRY(add_inputs((q), SIMULATE_BOUNDARY, "PermissionsBoundaryPolicyInputList",               \
                       &(in)->permissions_boundary_policy_input_list));                            \
        if (str_is_set((in)->resource_policy))                                                     \
            TRY(add((q), SIMULATE_RESOURCE, STR("ResourcePolicy"), (in)->resource_policy));        \
        TRY(add_context((q), &(in)->context_entries));                                             \
        if (str_is_set((in)->resource_handling_option))                                            \
            return invalid((q)->call, "ResourceHandlingOption is not supported",                   \
                           (in)->resource_handling_option);                                        \
    } while (0)

enum err iam_simulate_custom_policy(struct call *call,
                                    const struct iam_simulate_custom_policy_input *in,
                                    struct iam_simulate_custom_policy_output *out)
{
    struct asked *q = new_asked(call);
    struct iam_page *page = IAM_PAGE(call, in, out, STR("custom"));
    if (!q)
        return ERR_NOMEM;
    PREPARE(q, in);
    TRY(set_caller(q, in->caller_arn, in->resource_policy));
    TRY(iam_simulate_keys(&q->s, &q->ctx, &q->missing, &q->n_missing));
    return iam_page_told(call, page, answer_page(q, &page->p, &out->evaluation_results));
}

enum err iam_simulate_principal_policy(struct call *call,
                                       const struct iam_simulate_principal_policy_input *in,
                                       struct iam_simulate_principal_policy_output *out)
{
    struct asked *q = new_asked(call);
    struct iam_entity *e;
    struct iam_page *page = IAM_PAGE(call, in, out, in->policy_source_arn);
    if (!q)
        return ERR_NOMEM;
    TRY(find_source(call, in->policy_source_arn, &e));
    PREPARE(q, in);
    TRY(add_entity(q, e));
    if (str_is_set(e->boundary) && !q->s.boundary)
        TRY(add_managed(q, SIMULATE_BOUNDARY, e->boundary));
    struct str caller = str_is_set(in->caller_arn) || e->kind != IAM_USER ? in->caller_arn : e->arn;
    TRY(set_caller(q, caller, in->resource_policy));
    add_known(q, e);
    TRY(iam_simulate_keys(&q->s, &q->ctx, &q->missing, &q->n_missing));
    return iam_page_told(call, page, answer_page(q, &page->p, &out->evaluation_results));
}

/* --- what the policies ask for ---------------------------------------------------------------- */

static enum err show_keys(struct asked *q, struct iam_context_key_names_result_list_type *ret)
{
    return iam_simulate_keys(&q->s, NULL, &ret->v, &ret->n);
}

enum err iam_get_context_keys_for_custom_policy(
    struct call *call, const struct iam_get_context_keys_for_custom_policy_input *in,
    struct iam_get_context_keys_for_custom_policy_output *out)
{
    struct asked *q = new_asked(call);
    if (!q)
        return ERR_NOMEM;
    TRY(add_inputs(q, SIMULATE_IDENTITY, "PolicyInputList", &in->policy_input_list));
    return show_keys(q, &out->context_key_names);
}

enum err iam_get_context_keys_for_principal_policy(
    struct call *call, const struct iam_get_context_keys_for_principal_policy_input *in,
    struct iam_get_context_keys_for_principal_policy_output *out)
{
    struct asked *q = new_asked(call);
    struct iam_entity *e;
    if (!q)
        return ERR_NOMEM;
    TRY(find_source(call, in->policy_source_arn, &e));
    TRY(add_inputs(q, SIMULATE_IDENTITY, "PolicyInputList", &in->policy_input_list));
    TRY(add_entity(q, e));
    return show_keys(q, &out->context_key_names);
}
