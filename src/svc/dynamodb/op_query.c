#include "svc/dynamodb/ddb_legacy.h"
#include "svc/dynamodb/ddb_page.h"

static enum err check_params(struct ddb_diag *diag, const struct dynamodb_query_input *in)
{
    const struct ddb_param legacy[] = {
        {"AttributesToGet", in->attributes_to_get.v != NULL},
        {"QueryFilter", in->query_filter.v != NULL},
        {"ConditionalOperator", str_is_set(in->conditional_operator)},
        {"KeyConditions", in->key_conditions.v != NULL},
        {0}};
    const struct ddb_param expressions[] = {
        {"ProjectionExpression", str_is_set(in->projection_expression)},
        {"FilterExpression", str_is_set(in->filter_expression)},
        {"KeyConditionExpression", str_is_set(in->key_condition_expression)},
        {0}};
    return ddb_check_mixed(diag, legacy, expressions);
}

/* A filter may not look at the key that the query is about. */
static enum err check_filter_path(void *arg, const struct ddb_path *path)
{
    struct ddb_page *page = arg;
    if (!ddb_is_key(ddb_page_schema(page), path->steps[0].name))
        return ERR_OK;
    return ddb_invalid(
        page->diag,
        "%s can only contain non-primary key attributes: Primary key attribute: " STR_FMT,
        page->legacy ? "QueryFilter" : "Filter Expression", STR_ARG(path->steps[0].name));
}

static enum err check_key_type(struct ddb_diag *diag, const struct ddb_av *v, enum ddb_type type)
{
    if (v && v->type != type)
        return ddb_invalid(diag, "One or more parameter values were invalid: Condition parameter "
                                 "type does not match schema type");
    return ERR_OK;
}

static enum err check_not_empty(struct ddb_diag *diag, const struct ddb_av *v, struct str name)
{
    if (!v || v->type == DDB_N || !str_empty(v->s))
        return ERR_OK;
    return ddb_invalid(diag,
                       "One or more parameter values are not valid. The AttributeValue for a key "
                       "attribute cannot contain an empty %s value. Key: " STR_FMT,
                       v->type == DDB_S ? "string" : "binary", STR_ARG(name));
}

static enum err check_key_value(struct ddb_page *page, const struct ddb_av *v,
                                struct ddb_key_part part)
{
    TRY(check_key_type(page->diag, v, part.type));
    return check_not_empty(page->diag, v, part.name);
}

static enum err check_key_values(struct ddb_page *page, const struct ddb_key_condition *cond)
{
    const struct ddb_key_schema *schema = ddb_page_schema(page);
    size_t hashes = ddb_schema_hashes(schema), last = hashes + cond->n_equal;
    TRY(check_key_value(page, cond->hash, ddb_schema_part(schema, 0)));
    for (size_t i = 1; i < hashes; i++)
        TRY(check_key_value(page, cond->more_hash[i - 1], ddb_schema_part(schema, i)));
    for (size_t i = hashes; i < last; i++)
        TRY(check_key_value(page, cond->equal[i - hashes], ddb_schema_part(schema, i)));
    if (!cond->has_range)
        return ERR_OK;
    struct ddb_key_part part = ddb_schema_part(schema, last);
    TRY(check_key_type(page->diag, cond->lo, part.type));
    if (cond->op != DDB_FN_BEGINS_WITH)
        TRY(check_not_empty(page->diag, cond->lo, part.name));
    return check_key_value(page, cond->hi, part);
}

static enum err parse(struct ddb_page *page, const struct dynamodb_query_input *in,
                      struct ddb_key_condition *ret_cond)
{
    struct ddb_env env;
    struct ddb_node *key, *filter = NULL;
    struct ddb_page_request req = {in->index_name,
                                   in->select,
                                   in->projection_expression,
                                   &in->attributes_to_get,
                                   in->exclusive_start_key,
                                   in->consistent_read};
    TRY(check_params(page->diag, in));
    page->legacy = in->key_conditions.v != NULL;
    if (!str_is_set(in->key_condition_expression) && !page->legacy)
        return ddb_invalid(page->diag, "Either the KeyConditions or KeyConditionExpression "
                                       "parameter must be specified in the request.");
    TRY(ddb_env_check_needed(page->diag, &in->expression_attribute_names,
                             in->expression_attribute_values, !page->legacy,
                             "KeyConditionExpression"));
    TRY(ddb_env_open(&env, page->diag, &in->expression_attribute_names,
                     in->expression_attribute_values));
    TRY(ddb_page_setup(page, &env, &req));
    if (str_is_set(in->filter_expression))
        TRY(ddb_parse_condition(&env, "FilterExpression", in->filter_expression, &filter));
    if (page->legacy) {
        if (in->key_conditions.n > 2)
            return ddb_invalid(page->diag, "Conditions can be of length 1 or 2 only");
        if (ddb_page_schema(page)->n_more)
            return ddb_invalid(page->diag, "KeyConditions cannot be used on an index with "
                                           "multi-attribute keys; use KeyConditionExpression");
        TRY(ddb_legacy_key_conditions(page->diag, &in->key_conditions, &key));
        TRY(ddb_legacy_filter(page->diag, &in->query_filter, in->conditional_operator, &filter));
    } else {
        TRY(ddb_parse_condition(&env, "KeyConditionExpression", in->key_condition_expression,
                                &key));
    }
    TRY(ddb_env_check_used(&env));
    if (filter)
        TRY(ddb_node_each_path(filter, check_filter_path, page));
    page->filter = filter;
    TRY(ddb_key_condition_from(page->diag, key, ddb_page_schema(page), ret_cond));
    return check_key_values(page, ret_cond);
}

static enum err query(struct call *call, struct ddb_diag *diag,
                      const struct dynamodb_query_input *in, struct dynamodb_query_output *out)
{
    struct ddb_page page = {.call = call, .diag = diag};
    struct ddb_table *table;
    struct ddb_key_condition cond;
    TRY(ddb_use_table(call, in->table_name, false, &table));
    page.table = table;
    TRY(parse(&page, in, &cond));
    page.reverse = in->has_scan_index_forward && !in->scan_index_forward;
    page.limit = in->has_limit ? in->limit : 0;
    page.partition =
        ddb_partition_prefix(call->arena, table->id, page.index ? page.index->id : 0, &cond);
    page.range = ddb_query_range(call->arena, table->id, page.index ? page.index->id : 0, &cond);
    if (!str_is_set(page.partition) || !str_is_set(page.range.from) || !str_is_set(page.range.to))
        return ERR_NOMEM;
    if (in->exclusive_start_key && !page.index && !str_is_set(table->key.range))
        return ddb_invalid(diag, "The query can return at most one row and cannot be restarted");
    TRY(ddb_page_start_after(&page, in->exclusive_start_key));
    TRY(ddb_page_run(&page));
    if (!page.count_only)
        out->items = buf_str(&page.items);
    WIRE_SET(out, count, page.count);
    WIRE_SET(out, scanned_count, page.scanned);
    out->last_evaluated_key = page.last_key;
    return ddb_page_consumed(&page, in->return_consumed_capacity, &out->consumed_capacity);
}

enum err dynamodb_query(struct call *call, const struct dynamodb_query_input *in,
                        struct dynamodb_query_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    return ddb_answer(call, &diag, query(call, &diag, in, out));
}
