#include "svc/dynamodb/ddb_legacy.h"

static enum err delete_item(struct call *call, struct ddb_diag *diag,
                            const struct dynamodb_delete_item_input *in,
                            struct dynamodb_delete_item_output *out)
{
    struct ddb_table *table;
    struct ddb_node *condition;
    struct ddb_write w = {.txn = call->txn, .diag = diag};
    bool all_old = str_eq_c(in->return_values, "ALL_OLD"), holds = true;
    const struct ddb_condition_params params = {in->condition_expression, in->conditional_operator,
                                                &in->expression_attribute_names,
                                                in->expression_attribute_values, &in->expected};
    if (!all_old && !str_empty(in->return_values) && !str_eq_c(in->return_values, "NONE"))
        return ddb_invalid(diag, "Return values set to invalid value");
    TRY(ddb_condition_of(diag, &params, &condition));
    TRY(ddb_use_table(call, in->table_name, false, &table));
    w.table = table;
    TRY(ddb_key_from_json(diag, &table->key, in->key, &w.key));
    TRY(ddb_write_open(&w));
    if (condition || all_old || ddb_write_needs_old(table) ||
        str_is_set(in->return_consumed_capacity))
        TRY(ddb_write_read(&w));
    if (condition)
        TRY(ddb_write_check(&w, condition, &holds));
    if (!holds)
        return ddb_condition_failed(call, &w, in->return_values_on_condition_check_failure);
    TRY(ddb_write_commit(&w, NULL));
    if (all_old)
        TRY(ddb_raw_text(call->arena, w.old_raw, &out->attributes));
    TRY(ddb_collection_metrics(call, in->return_item_collection_metrics, table, &w.key,
                               &out->item_collection_metrics));
    return ddb_consumed(call, in->return_consumed_capacity, table, &w.units,
                        &out->consumed_capacity);
}

enum err dynamodb_delete_item(struct call *call, const struct dynamodb_delete_item_input *in,
                              struct dynamodb_delete_item_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    return ddb_answer(call, &diag, delete_item(call, &diag, in, out));
}
