/* DetectStackDrift, DetectStackResourceDrift, DescribeStackDriftDetectionStatus, DescribeStackResourceDrifts: what
 * resources are by their services, beside what they were told to be.
 *
 * A detection reads every resource within the call, in its transaction, as the caller: reads are quick, and
 * those that would have to wait leave the resource NOT_CHECKED.
 *
 * Source: CloudFormation API Reference. Layer: svc. Thread: the call's. */
#include "base/rng.h"
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_own.h"

enum { READS_MAX = 64, LIVE_BYTES_MAX = 16 << 20 };

/* Only what the template says counts: services add defaults. */
static bool differs(const struct json *expected, const struct json *actual, struct arena *a)
{
    if (!actual)
        return true;
    if (expected->kind == JSON_OBJECT) {
        JSON_EACH (expected, m)
            if (differs(m, json_get(actual, m->key), a))
                return true;
        return false;
    }
    if (expected->kind == JSON_ARRAY) {
        const struct json *y = actual->child;
        if (actual->kind != JSON_ARRAY || actual->n != expected->n)
            return true;
        JSON_EACH (expected, x) {
            if (differs(x, y, a))
                return true;
            y = y->next;
        }
        return false;
    }
    struct str x =
        expected->kind == JSON_BOOL ? (expected->b ? STR("true") : STR("false")) : expected->text;
    struct str y =
        actual->kind == JSON_BOOL ? (actual->b ? STR("true") : STR("false")) : actual->text;
    return !str_eq(x, y);
}

/* Of properties, of which those that nothing reads are not looked at, as on AWS (writeOnlyProperties). */
static bool property_differs(const struct type_row *row, const struct json *expected,
                             const struct json *actual, struct arena *a)
{
    return type_is_read(row, expected->key) &&
           differs(expected, json_get(actual, expected->key), a);
}

static bool any_differs(const struct type_row *row, const struct json *expected,
                        const struct json *actual, struct arena *a)
{
    JSON_EACH (expected, e)
        if (property_differs(row, e, actual, a))
            return true;
    return false;
}

static enum err read_step(struct call *call, const struct type_work *w, struct type_state *state)
{
    struct core_request req = {0};
    struct core_result result = {0};
    TRY(type_next(w, call->arena, &req, state));
    if (state->doing != TYPE_CALL)
        return ERR_OK;
    req.who = call->who;
    req.region = call->region;
    req.via = STR(CFN_PRINCIPAL);
    req.from = call;
    enum err err = core_call_in_txn(call->txn, &req, &result);
    if (err != ERR_OK && err != ERR_FAILED)
        return err;
    return type_took(w, call->arena, &result, state);
}

static enum err live_of(struct call *call, const struct cfn_stack *s, const struct cfn_resource *r,
                        struct type_state *state)
{
    struct type_work w = {
        .verb = TYPE_READ,
        .type = type_find(r->now->type),
        .account = s->account,
        .region = s->region,
        .partition = call->partition,
        .url_suffix = cfn_url_suffix(call->core),
        .stack_id = s->id,
        .stack_name = s->name,
        .logical_id = r->id,
        .token = STR("DriftDetectr"),
        .physical_id = r->now->physical_id,
        .attributes = r->now->attributes,
    };
    TRY(cfn_json(call->arena, r->now->properties, &w.before));
    for (int i = 0; i < READS_MAX; i++) {
        *state = (struct type_state){0};
        TRY(read_step(call, &w, state));
        if (state->doing != TYPE_MORE)
            return ERR_OK;
        w.cursor = state->cursor;
        if (str_is_set(state->attributes))
            w.attributes = state->attributes;
    }
    return ERR_UNSUPPORTED;
}

static enum err check_one(struct call *call, const struct cfn_stack *s, struct cfn_resource *r)
{
    struct type_state state = {0};
    const struct json *expected, *actual;
    r->drift_ms = call->txn->wall_ms;
    r->drift = CFN_NOT_CHECKED;
    r->live = STR_NONE;
    if (!r->now || cfn_own_find(r->now->type) || !type_find(r->now->type))
        return ERR_OK;
    enum err err = live_of(call, s, r, &state);
    if (err == ERR_UNSUPPORTED || err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    if (state.doing != TYPE_DONE) {
        r->drift_why = state.reason;
        return ERR_OK;
    }
    r->drift_why = STR_NONE;
    if (state.gone) {
        r->drift = CFN_DELETED;
        return ERR_OK;
    }
    r->live = state.live;
    TRY(cfn_json(call->arena, r->now->properties, &expected));
    TRY(cfn_json(call->arena, r->live, &actual));
    r->drift = any_differs(type_find(r->now->type), expected, actual, call->arena) ? CFN_MODIFIED
                                                                                   : CFN_IN_SYNC;
    return ERR_OK;
}

/* --- what is told ------------------------------------------------------------------------------- */

/* The live properties, without those of which something is not shown. */
static struct str live_shown(struct call *call, const struct json *live,
                             const struct json *expected, const struct json *shown)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, call->arena, LIVE_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    JSON_EACH (live, l) {
        const struct json *e = json_get(expected, l->key), *s = json_get(shown, l->key);
        json_key(&o, l->key);
        if (e && s && differs(e, s, call->arena))
            json_str(&o, STR(TPL_NO_ECHO));
        else
            json_tree(&o, l);
    }
    json_close(&o, '}');
    return buf_str(&b);
}

static enum err difference(struct call *call, const struct json *e, const struct json *l,
                           struct cloudformation_property_difference *d)
{
    *d = (struct cloudformation_property_difference){
        .property_path = str_fmt(call->arena, "/" STR_FMT, STR_ARG(e->key)),
        .expected_value = e->kind == JSON_STRING ? e->text : cfn_json_text(call->arena, e),
        .actual_value = !l                       ? STR("null")
                        : l->kind == JSON_STRING ? l->text
                                                 : cfn_json_text(call->arena, l),
        .difference_type = l ? STR("NOT_EQUAL") : STR("REMOVE"),
    };
    return call->arena->failed ? ERR_NOMEM : ERR_OK;
}

static enum err show(struct call *call, const struct cfn_stack *s, const struct cfn_resource *r,
                     struct cloudformation_stack_resource_drift *out)
{
    const struct json *expected = NULL, *actual = NULL, *shown = NULL, *live = NULL;
    size_t n = 0;
    struct str live_text = r->live;
    TRY(cfn_json(call->arena, r->now ? r->now->properties : STR_NONE, &expected));
    TRY(cfn_json(call->arena, r->now ? cfn_shown(r->now) : STR_NONE, &shown));
    TRY(cfn_json(call->arena, r->live, &actual));
    if (r->now && str_is_set(r->now->shown) && actual)
        live_text = live_shown(call, actual, expected, shown);
    TRY(cfn_json(call->arena, live_text, &live));
    *out = (struct cloudformation_stack_resource_drift){
        .stack_id = s->id,
        .logical_resource_id = r->id,
        .physical_resource_id = r->now ? r->now->physical_id : r->shown_id,
        .resource_type = r->type,
        .stack_resource_drift_status = cfn_drift_name(r->drift),
        .expected_properties = r->now ? cfn_shown(r->now) : STR_NONE,
        .actual_properties = live_text,
        .drift_status_reason = r->drift_why,
    };
    WIRE_SET(out, timestamp, r->drift_ms);
    struct cloudformation_property_difference *v = ARENA_ARRAY(
        call->arena, struct cloudformation_property_difference, (expected ? expected->n : 0) + 1);
    if (!v)
        return ERR_NOMEM;
    if (r->drift == CFN_MODIFIED)
        JSON_EACH (expected, e)
            if (property_differs(type_find(r->now->type), e, actual, call->arena))
                TRY(difference(call, json_get(shown, e->key), json_get(live, e->key), &v[n++]));
    out->property_differences = (struct cloudformation_property_differences){v, n};
    return ERR_OK;
}

/* --- operations --------------------------------------------------------------------------------- */

static bool chosen(const struct cloudformation_logical_resource_ids *ids, struct str id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (str_eq(ids->v[i], id))
            return true;
    return ids->n == 0;
}

static enum err detect(struct call *call, struct cfn_stack *s,
                       const struct cloudformation_logical_resource_ids *ids,
                       struct cfn_detection *d)
{
    struct cfn_resource *r;
    size_t n;
    TRY(cfn_resources(call->txn, s->uuid, &r, &n));
    s->drift = CFN_IN_SYNC;
    for (size_t i = 0; i < n; i++) {
        if (!r[i].now)
            continue;
        if (chosen(ids, r[i].id)) {
            TRY(check_one(call, s, &r[i]));
            TRY(cfn_resource_write(call->txn, s->uuid, &r[i]));
        }
        if (r[i].drift == CFN_MODIFIED || r[i].drift == CFN_DELETED) {
            d->drifted++;
            s->drift = CFN_MODIFIED;
        }
    }
    s->drift_ms = call->txn->wall_ms;
    d->drift = s->drift;
    return cfn_stack_write(call->txn, s);
}

static enum err need_settled(struct call *call, const struct cfn_stack *s)
{
    if (cfn_in_progress(s->status) || s->status == CFN_DELETE_COMPLETE ||
        s->status == CFN_REVIEW_IN_PROGRESS)
        return CFN_INVALID(
            call, "Drift detection cannot be performed on stack " STR_FMT " in state " STR_FMT,
            STR_ARG(s->name), STR_ARG(cfn_status_name(s->status)));
    return ERR_OK;
}

enum err cloudformation_detect_stack_drift(struct call *call,
                                           const struct cloudformation_detect_stack_drift_input *in,
                                           struct cloudformation_detect_stack_drift_output *out)
{
    struct cfn_stack s;
    char uuid[RNG_UUID_LEN + 1];
    struct cfn_detection d = {.ms = call->txn->wall_ms};
    TRY(cfn_need_stack(call, in->stack_name, &s));
    TRY(need_settled(call, &s));
    TRY(detect(call, &s, &in->logical_resource_ids, &d));
    d.stack_id = s.id;
    out->stack_drift_detection_id = str_dup(call->arena, rng_uuid(uuid));
    return cfn_detection_keep(cfn_of(call), call->txn,
                              key_make(call->arena, &cloudformation_k_detection, call_scope(call),
                                       out->stack_drift_detection_id),
                              &d);
}

enum err cloudformation_describe_stack_drift_detection_status(
    struct call *call, const struct cloudformation_describe_stack_drift_detection_status_input *in,
    struct cloudformation_describe_stack_drift_detection_status_output *out)
{
    struct cfn_detection d = {0};
    enum err err = txn_read(call->txn,
                            key_make(call->arena, &cloudformation_k_detection, call_scope(call),
                                     in->stack_drift_detection_id),
                            &cfn_detection_type, &d);
    if (err == ERR_NOT_FOUND)
        return CFN_INVALID(call, "Stack drift detection " STR_FMT " does not exist",
                           STR_ARG(in->stack_drift_detection_id));
    TRY(err);
    out->stack_id = d.stack_id;
    out->stack_drift_detection_id = in->stack_drift_detection_id;
    out->stack_drift_status = d.drift == CFN_MODIFIED ? STR("DRIFTED") : cfn_drift_name(d.drift);
    out->detection_status = STR("DETECTION_COMPLETE");
    WIRE_SET(out, drifted_stack_resource_count, (int64_t)d.drifted);
    WIRE_SET(out, timestamp, d.ms);
    return ERR_OK;
}

enum err cloudformation_detect_stack_resource_drift(
    struct call *call, const struct cloudformation_detect_stack_resource_drift_input *in,
    struct cloudformation_detect_stack_resource_drift_output *out)
{
    struct cfn_stack s;
    struct cfn_resource r;
    TRY(cfn_need_stack(call, in->stack_name, &s));
    TRY(need_settled(call, &s));
    enum err err = cfn_resource_read(call->txn, s.uuid, in->logical_resource_id, &r);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !r.now))
        return CFN_INVALID(call, "Resource " STR_FMT " does not exist for stack " STR_FMT,
                           STR_ARG(in->logical_resource_id), STR_ARG(s.name));
    TRY(err);
    struct cloudformation_stack_resource_drift *v =
        ARENA_NEW(call->arena, struct cloudformation_stack_resource_drift);
    if (!v)
        return ERR_NOMEM;
    TRY(check_one(call, &s, &r));
    TRY(cfn_resource_write(call->txn, s.uuid, &r));
    TRY(show(call, &s, &r, v));
    out->stack_resource_drift = v;
    return ERR_OK;
}

enum err cloudformation_describe_stack_resource_drifts(
    struct call *call, const struct cloudformation_describe_stack_resource_drifts_input *in,
    struct cloudformation_describe_stack_resource_drifts_output *out)
{
    struct cfn_stack s;
    struct cfn_resource *r;
    struct str after;
    size_t n, k = 0, max = in->has_max_results ? (size_t)in->max_results : CFN_PAGE;
    TRY(cfn_need_stack(call, in->stack_name, &s));
    struct page page = page_of_call(call, s.uuid, in->next_token, max);
    TRY(cfn_paged(call, page_start(&page, &after)));
    TRY(cfn_resources(call->txn, s.uuid, &r, &n));
    struct cloudformation_stack_resource_drift *v =
        ARENA_ARRAY(call->arena, struct cloudformation_stack_resource_drift, n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        bool wanted = in->stack_resource_drift_status_filters.n == 0;
        for (size_t f = 0; f < in->stack_resource_drift_status_filters.n; f++)
            wanted |=
                str_eq(in->stack_resource_drift_status_filters.v[f], cfn_drift_name(r[i].drift));
        if (!r[i].drift_ms || !r[i].now || !wanted ||
            (str_is_set(after) && str_cmp(r[i].id, after) <= 0))
            continue;
        if (k == max) {
            TRY(page_end(&page, v[k - 1].logical_resource_id));
            break;
        }
        TRY(show(call, &s, &r[i], &v[k++]));
    }
    out->stack_resource_drifts = (struct cloudformation_stack_resource_drifts){v, k};
    out->next_token = page.next_token;
    return ERR_OK;
}
