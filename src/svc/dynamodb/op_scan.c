#include "svc/dynamodb/ddb_legacy.h"
#include "svc/dynamodb/ddb_page.h"

static enum err check_params(struct ddb_diag *diag, const struct dynamodb_scan_input *in)
{
    const struct ddb_param legacy[] = {
        {"AttributesToGet", in->attributes_to_get.v != NULL},
        {"ScanFilter", in->scan_filter.v != NULL},
        {"ConditionalOperator", str_is_set(in->conditional_operator)},
        {0}};
    const struct ddb_param expressions[] = {
        {"ProjectionExpression", str_is_set(in->projection_expression)},
        {"FilterExpression", str_is_set(in->filter_expression)},
        {0}};
    return ddb_check_mixed(diag, legacy, expressions);
}

static enum err parse(struct ddb_page *page, const struct dynamodb_scan_input *in)
{
    struct ddb_env env;
    struct ddb_node *filter = NULL;
    struct ddb_page_request req = {in->index_name,
                                   in->select,
                                   in->projection_expression,
                                   &in->attributes_to_get,
                                   in->exclusive_start_key,
                                   in->consistent_read};
    bool any = str_is_set(in->filter_expression) || str_is_set(in->projection_expression);
    TRY(check_params(page->diag, in));
    TRY(ddb_env_check_needed(page->diag, &in->expression_attribute_names,
                             in->expression_attribute_values, any, "FilterExpression"));
    TRY(ddb_env_open(&env, page->diag, &in->expression_attribute_names,
                     in->expression_attribute_values));
    TRY(ddb_page_setup(page, &env, &req));
    if (str_is_set(in->filter_expression))
        TRY(ddb_parse_condition(&env, "FilterExpression", in->filter_expression, &filter));
    else
        TRY(ddb_legacy_filter(page->diag, &in->scan_filter, in->conditional_operator, &filter));
    page->filter = filter;
    return ddb_env_check_used(&env);
}

static enum err check_segments(struct ddb_diag *diag, const struct dynamodb_scan_input *in)
{
    if (in->has_segment && !in->has_total_segments)
        return ddb_invalid(diag, "The TotalSegments parameter is required but was not present in "
                                 "the request when Segment parameter is present");
    if (in->has_total_segments && !in->has_segment)
        return ddb_invalid(diag, "The Segment parameter is required but was not present in the "
                                 "request when parameter TotalSegments is present");
    if (in->has_segment && in->segment >= in->total_segments)
        return ddb_invalid(diag,
                           "The Segment parameter is zero-based and must be less than parameter "
                           "TotalSegments: Segment: %lld is not less than TotalSegments: %lld",
                           (long long)in->segment, (long long)in->total_segments);
    return ERR_OK;
}

static enum err scan(struct call *call, struct ddb_diag *diag, const struct dynamodb_scan_input *in,
                     struct dynamodb_scan_output *out)
{
    struct ddb_page page = {.call = call, .diag = diag};
    struct ddb_table *table;
    TRY(check_segments(diag, in));
    TRY(ddb_use_table(call, in->table_name, false, &table));
    page.table = table;
    TRY(parse(&page, in));
    page.limit = in->has_limit ? in->limit : 0;
    page.segment = in->has_segment ? (uint32_t)in->segment : 0;
    page.segments = in->has_segment ? (uint32_t)in->total_segments : 0;
    page.range = ddb_scan_range(call->arena, table->id, page.index ? page.index->id : 0,
                                in->has_segment ? (uint32_t)in->segment : 0,
                                in->has_segment ? (uint32_t)in->total_segments : 1);
    if (!str_is_set(page.range.from) || !str_is_set(page.range.to))
        return ERR_NOMEM;
    TRY(ddb_page_start_after(&page, in->exclusive_start_key));
    TRY(ddb_page_run(&page));
    if (!page.count_only)
        out->items = buf_str(&page.items);
    WIRE_SET(out, count, page.count);
    WIRE_SET(out, scanned_count, page.scanned);
    out->last_evaluated_key = page.last_key;
    return ddb_page_consumed(&page, in->return_consumed_capacity, &out->consumed_capacity);
}

enum err dynamodb_scan(struct call *call, const struct dynamodb_scan_input *in,
                       struct dynamodb_scan_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    return ddb_answer(call, &diag, scan(call, &diag, in, out));
}
