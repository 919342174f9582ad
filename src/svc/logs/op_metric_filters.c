/* PutMetricFilter, DescribeMetricFilters, DeleteMetricFilter, TestMetricFilter. Layer: svc/logs.
 * Source: CloudWatch Logs API Reference. */
#include <math.h>

#include "svc/logs/logs_int.h"

#define INVALID(call, ...) call_error((call), &logs_err_invalid_parameter_exception, __VA_ARGS__)

/* --- putting ------------------------------------------------------------------------------------ */

static enum err take_dims(struct call *call, const struct logs_metric_transformation *t,
                          const struct filter *f, struct logs_metric_rec *ret)
{
    struct filter_extract *x = ARENA_NEW(call->arena, struct filter_extract);
    ret->dims = ARENA_ARRAY(call->arena, struct logs_metric_dim, LOGS_METRIC_DIMS_MAX);
    if (!ret->dims || !x)
        return ERR_NOMEM;
    if (t->dimensions.n > LOGS_METRIC_DIMS_MAX)
        return INVALID(call, "A metric filter can have at most %d dimensions.",
                       LOGS_METRIC_DIMS_MAX);
    if (t->dimensions.n > 0 && f->kind == FILTER_TERMS)
        return INVALID(call, "The specified filter pattern does not support dimensions");
    if (t->dimensions.n > 0 && t->has_default_value)
        return INVALID(call, "defaultValue and dimensions cannot be given together.");
    for (size_t i = 0; i < t->dimensions.n; i++) {
        enum err err = filter_extract_parse(call->arena, f, t->dimensions.v[i].value, x);
        if (err == ERR_INVALID || err == ERR_LIMIT)
            return INVALID(call, "Invalid dimension value: " STR_FMT,
                           STR_ARG(t->dimensions.v[i].value));
        TRY(err);
        ret->dims[ret->n_dims++] =
            (struct logs_metric_dim){t->dimensions.v[i].key, t->dimensions.v[i].value};
    }
    return ERR_OK;
}

static enum err take(struct call *call, const struct logs_put_metric_filter_input *in,
                     uint64_t group_id, struct logs_metric_rec *ret)
{
    const struct logs_metric_transformation *t = &in->metric_transformations.v[0];
    struct filter f;
    struct filter_extract *x = ARENA_NEW(call->arena, struct filter_extract);
    double fixed;
    if (!x)
        return ERR_NOMEM;
    if (in->has_apply_on_transformed_logs && in->apply_on_transformed_logs)
        return INVALID(call, "Transformed logs are not supported by Weir.");
    if (str_is_set(in->field_selection_criteria) || in->emit_system_field_dimensions.n > 0)
        return INVALID(call, "fieldSelectionCriteria and emitSystemFieldDimensions are not "
                             "supported by Weir.");
    TRY(logs_pattern(call, in->filter_pattern, &f));
    TRY(logs_regex_room(call, group_id, false, in->filter_name, &f));
    if (str_empty(t->metric_name) || str_empty(t->metric_namespace))
        return INVALID(call, "metricName and metricNamespace must not be empty.");
    if (str_starts(t->metric_namespace, STR("AWS/")))
        return INVALID(call, "The namespace must not begin with AWS/.");
    if (t->has_default_value && !isfinite(t->default_value))
        return INVALID(call, "defaultValue must be a number.");
    if (str_to_f64(t->metric_value, &fixed) != ERR_OK) {
        enum err err = filter_extract_parse(call->arena, &f, t->metric_value, x);
        if (err == ERR_INVALID || err == ERR_LIMIT)
            return INVALID(call, "Invalid metric transformation: invalid metricValue: " STR_FMT,
                           STR_ARG(t->metric_value));
        TRY(err);
    }
    *ret = (struct logs_metric_rec){
        .pattern = in->filter_pattern,
        .name = t->metric_name,
        .space = t->metric_namespace,
        .value = t->metric_value,
        .unit = t->unit,
        .has_otherwise = t->has_default_value,
        .otherwise = t->default_value,
        .created_ms = call->txn->wall_ms,
    };
    return take_dims(call, t, &f, ret);
}

enum err logs_put_metric_filter(struct call *call, const struct logs_put_metric_filter_input *in,
                                struct logs_put_metric_filter_output *out)
{
    struct logs_group g;
    struct logs_metric_rec rec, old;
    TRY(logs_need_group(call, in->log_group_name, STR_NONE, NULL, &g));
    TRY(take(call, in, g.id, &rec));
    enum err err = logs_metric_read(call->txn, g.id, in->filter_name, &old);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (err == ERR_NOT_FOUND) {
        if (g.metric_filters >= LOGS_METRIC_FILTERS_MAX)
            return call_error(call, &logs_err_limit_exceeded_exception, "Resource limit exceeded.");
        g.metric_filters++;
        TRY(logs_write_group(call->txn, call_scope(call), in->log_group_name, &g));
    } else {
        rec.created_ms = old.created_ms;
    }
    return logs_metric_write(call->txn, g.id, in->filter_name, &rec);
}

enum err logs_delete_metric_filter(struct call *call,
                                   const struct logs_delete_metric_filter_input *in,
                                   struct logs_delete_metric_filter_output *out)
{
    struct logs_group g;
    struct logs_metric_rec rec;
    TRY(logs_need_group(call, in->log_group_name, STR_NONE, NULL, &g));
    enum err err = logs_metric_read(call->txn, g.id, in->filter_name, &rec);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &logs_err_resource_not_found_exception,
                          "The specified metric filter does not exist.");
    TRY(err);
    g.metric_filters--;
    TRY(logs_write_group(call->txn, call_scope(call), in->log_group_name, &g));
    return txn_del(call->txn, key_make(call->arena, &logs_k_metric, g.id, in->filter_name));
}

/* --- listing ------------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    const struct logs_describe_metric_filters_input *in;
    struct logs_metric_filter *v;
    size_t n;
    struct str group;
};

static enum err put_filter(struct listing *l, struct str name, const struct logs_metric_rec *rec)
{
    struct logs_metric_filter *f = &l->v[l->n++];
    struct logs_metric_transformation *t =
        ARENA_NEW(l->call->arena, struct logs_metric_transformation);
    if (!t)
        return ERR_NOMEM;
    *t = (struct logs_metric_transformation){
        .metric_name = rec->name,
        .metric_namespace = rec->space,
        .metric_value = rec->value,
        .unit = rec->unit,
    };
    if (rec->has_otherwise)
        WIRE_SET(t, default_value, rec->otherwise);
    if (rec->n_dims > 0)
        t->dimensions = (struct logs_dimensions){
            (const struct logs_dimensions_entry *)(const void *)rec->dims, rec->n_dims};
    f->filter_name = name;
    f->filter_pattern = rec->pattern;
    f->log_group_name = l->group;
    WIRE_SET(f, creation_time, rec->created_ms);
    WIRE_SET(f, apply_on_transformed_logs, false);
    f->metric_transformations = (struct logs_metric_transformations){t, 1};
    return ERR_OK;
}

static bool wanted(const struct logs_describe_metric_filters_input *in,
                   const struct logs_metric_rec *rec)
{
    return (!str_is_set(in->metric_name) || str_eq(in->metric_name, rec->name)) &&
           (!str_is_set(in->metric_namespace) || str_eq(in->metric_namespace, rec->space));
}

static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct logs_metric_rec rec;
    TRY(logs_metric_parse(l->call->arena, record, &rec));
    *ret_match = wanted(l->in, &rec);
    return ERR_OK;
}

static enum err take_filter(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct logs_metric_rec rec;
    struct str name;
    TRY(key_read(&logs_k_metric, key, l->call->arena, KEY_SKIP, &name));
    TRY(logs_metric_parse(l->call->arena, record, &rec));
    return put_filter(l, name, &rec);
}

/* Of a group without any, nothing is read. */
static enum err match_group(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct logs_group g = {0};
    TRY(logs_parse_group(l->call->arena, record, &g));
    *ret_match = g.metric_filters > 0;
    return ERR_OK;
}

static enum err take_any(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct logs_metric_rec rec;
    struct str name;
    TRY(key_read(&logs_k_metric, key, l->call->arena, KEY_SKIP, &name));
    TRY(logs_metric_parse(l->call->arena, record, &rec));
    if (!wanted(l->in, &rec) ||
        (str_is_set(l->in->filter_name_prefix) && !str_starts(name, l->in->filter_name_prefix)))
        return ERR_OK;
    return put_filter(l, name, &rec);
}

/* A page of all groups' filters is those of whole groups: as many as fit. */
static enum err take_group(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct logs_group g = {0};
    if (l->n > 0 && l->n + LOGS_METRIC_FILTERS_MAX > LOGS_DESCRIBE_MAX + LOGS_METRIC_FILTERS_MAX)
        return ERR_CLOSED;
    TRY(logs_parse_group(l->call->arena, record, &g));
    TRY(key_read(&logs_k_group, key, l->call->arena, KEY_SKIP, &l->group));
    return txn_each(l->call->txn, key_range(l->call->arena, &logs_k_metric, g.id), take_any, l);
}

enum err logs_describe_metric_filters(struct call *call,
                                      const struct logs_describe_metric_filters_input *in,
                                      struct logs_describe_metric_filters_output *out)
{
    static const struct page_fns of_group = {match, take_filter};
    static const struct page_fns of_all = {match_group, take_group};
    struct listing l = {.call = call, .in = in, .group = in->log_group_name};
    bool one = str_is_set(in->log_group_name);
    struct str prefix = str_is_set(in->filter_name_prefix) ? in->filter_name_prefix : STR("");
    struct str scope =
        str_fmt(call->arena, STR_FMT ":" STR_FMT, STR_ARG(in->log_group_name), STR_ARG(prefix));
    struct logs_group g;
    struct key_range range = key_range(call->arena, &logs_k_group, call_scope(call));
    if (str_is_set(in->metric_name) != str_is_set(in->metric_namespace))
        return INVALID(call, "metricName and metricNamespace must be given together.");
    if (one) {
        TRY(logs_need_group(call, in->log_group_name, STR_NONE, NULL, &g));
        range = key_range(call->arena, &logs_k_metric, g.id, KEY_STARTS(prefix));
    }
    l.v = ARENA_ARRAY(call->arena, struct logs_metric_filter,
                      LOGS_DESCRIBE_MAX + 2 * LOGS_METRIC_FILTERS_MAX);
    if (!l.v || !str_is_set(scope))
        return ERR_NOMEM;
    struct page page = page_of_call(call, scope, in->next_token,
                                    in->has_limit ? (size_t)in->limit : LOGS_DESCRIBE_MAX);
    TRY(logs_paged(call, page_scan(call->txn, &page, range, one ? &of_group : &of_all, &l)));
    out->metric_filters = (struct logs_metric_filters){l.v, l.n};
    out->next_token = page.next_token;
    return ERR_OK;
}

/* --- trying ------------------------------------------------------------------------------------- */

/* What was taken out of a message: columns by their names. */
static enum err put_extracted(struct call *call, const struct filter *f,
                              const struct filter_parts *parts,
                              struct logs_metric_filter_match_record *ret)
{
    struct logs_extracted_values_entry *v =
        ARENA_ARRAY(call->arena, struct logs_extracted_values_entry, f->n_columns + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; parts->fields && i < f->n_columns; i++, n++) {
        v[n].key = str_fmt(call->arena, "$" STR_FMT, STR_ARG(f->columns[i]));
        v[n].value = parts->fields[i];
        if (!str_is_set(v[n].key))
            return ERR_NOMEM;
    }
    ret->extracted_values = (struct logs_extracted_values){v, n};
    return ERR_OK;
}

enum err logs_test_metric_filter(struct call *call, const struct logs_test_metric_filter_input *in,
                                 struct logs_test_metric_filter_output *out)
{
    struct filter f;
    struct logs_metric_filter_match_record *v = ARENA_ARRAY(
        call->arena, struct logs_metric_filter_match_record, in->log_event_messages.n + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    TRY(logs_pattern(call, in->filter_pattern, &f));
    for (size_t i = 0; i < in->log_event_messages.n; i++) {
        struct filter_parts parts;
        bool matches;
        TRY(filter_matches(&f, call->arena, in->log_event_messages.v[i], &parts, &matches));
        if (!matches)
            continue;
        WIRE_SET(&v[n], event_number, (int64_t)i + 1);
        v[n].event_message = in->log_event_messages.v[i];
        TRY(put_extracted(call, &f, &parts, &v[n++]));
    }
    out->matches = (struct logs_metric_filter_matches){v, n};
    return ERR_OK;
}
