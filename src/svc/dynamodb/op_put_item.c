#include "svc/dynamodb/ddb_legacy.h"

static enum err put_item(struct call *call, struct ddb_diag *diag,
                         const struct dynamodb_put_item_input *in,
                         struct dynamodb_put_item_output *out)
{
    struct ddb_table *table;
    struct ddb_node *condition;
    struct ddb_av *item;
    struct ddb_write w = {.txn = call->txn, .diag = diag};
    bool all_old = str_eq_c(in->return_values, "ALL_OLD"), holds = true;
    const struct ddb_condition_params params = {in->condition_expression, in->conditional_operator,
                                                &in->expression_attribute_names,
                                                in->expression_attribute_values, &in->expected};
    if (!all_old && !str_empty(in->return_values) && !str_eq_c(in->return_values, "NONE"))
        return ddb_invalid(diag, "Return values set to invalid value");
    TRY(ddb_condition_of(diag, &params, &condition));
    TRY(ddb_item_from_json(diag, in->item, &item));
    TRY(ddb_use_table(call, in->table_name, false, &table));
    w.table = table;
    TRY(ddb_key_of_item(diag, &table->key, item, &w.key));
    if (ddb_item_size(item) > DDB_ITEM_BYTES_MAX)
        return ddb_invalid(diag, "Item size has exceeded the maximum allowed size");
    TRY(ddb_write_open(&w));
    /* A plain put is blind: nothing of the old item is needed. */
    if (condition || all_old || ddb_write_needs_old(table) ||
        str_is_set(in->return_consumed_capacity))
        TRY(ddb_write_read(&w));
    if (condition)
        TRY(ddb_write_check(&w, condition, &holds));
    if (!holds)
        return ddb_condition_failed(call, &w, in->return_values_on_condition_check_failure);
    TRY(ddb_write_commit(&w, item));
    if (all_old)
        TRY(ddb_raw_text(call->arena, w.old_raw, &out->attributes));
    TRY(ddb_collection_metrics(call, in->return_item_collection_metrics, table, &w.key,
                               &out->item_collection_metrics));
    return ddb_consumed(call, in->return_consumed_capacity, table, &w.units,
                        &out->consumed_capacity);
}

enum err dynamodb_put_item(struct call *call, const struct dynamodb_put_item_input *in,
                           struct dynamodb_put_item_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    return ddb_answer(call, &diag, put_item(call, &diag, in, out));
}
