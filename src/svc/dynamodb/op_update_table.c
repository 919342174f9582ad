/* UpdateTable and DeleteTable. */
#include <assert.h>

#include "svc/dynamodb/ddb_backup.h"
#include "svc/dynamodb/ddb_schema.h"

enum { INDEX_CHANGES_MAX = 1 /* indexes made or dropped by one request, and at any time */ };

static enum err add_defs(struct ddb_diag *diag, struct arena *a, struct ddb_table *table,
                         const struct dynamodb_attribute_definitions *in)
{
    if (!in->v)
        return ERR_OK;
    struct ddb_attribute_def *defs;
    size_t n;
    TRY(ddb_defs_from(diag, a, in, &defs, &n));
    struct ddb_attribute_def *all = ARENA_ARRAY(a, struct ddb_attribute_def, table->n_defs + n);
    if (!all)
        return ERR_NOMEM;
    memcpy(all, table->defs, table->n_defs * sizeof(*all));
    for (size_t i = 0; i < n; i++) {
        size_t j = 0;
        while (j < table->n_defs && !str_eq(all[j].name, defs[i].name))
            j++;
        if (j == table->n_defs)
            all[table->n_defs++] = defs[i];
        else if (ddb_def_used(table, defs[i].name) && all[j].type != defs[i].type)
            return ddb_invalid(diag,
                               "One or more parameter values were invalid: Attribute " STR_FMT
                               " is a key of the table or an index; its type cannot change",
                               STR_ARG(defs[i].name));
    }
    table->defs = all;
    return ERR_OK;
}

static enum err create_index(struct call *call, struct ddb_diag *diag, struct ddb_table *table,
                             const struct dynamodb_create_global_secondary_index_action *in)
{
    struct ddb_index *all = ARENA_ARRAY(call->arena, struct ddb_index, table->n_indexes + 1);
    size_t global = 0;
    if (!all)
        return ERR_NOMEM;
    for (size_t i = 0; i < table->n_indexes; i++)
        global += table->indexes[i].global;
    if (global >= DDB_GLOBAL_INDEXES_MAX)
        return call_error(call, &dynamodb_err_limit_exceeded_exception,
                          "One or more parameter values were invalid: GlobalSecondaryIndex count "
                          "exceeds the per-table limit of %d",
                          DDB_GLOBAL_INDEXES_MAX);
    if (ddb_table_index(table, in->index_name))
        return ddb_invalid(diag, "Attempting to create an index which already exists");
    memcpy(all, table->indexes, table->n_indexes * sizeof(*all));
    assert(table->n_indexes < DDB_INDEXES_MAX); /* local ones are limited when the table is made */
    struct ddb_index *index = &all[table->n_indexes];
    index->id = ++table->last_index_id;
    index->name = in->index_name;
    index->global = true;
    index->backfilling = true;
    TRY(ddb_schema_from(diag, table, &in->key_schema, &index->key));
    TRY(ddb_throughput_from(diag, table->on_demand, in->provisioned_throughput,
                            &index->throughput));
    TRY(ddb_projection_from(diag, call->arena, in->projection, index));
    table->indexes = all;
    table->n_indexes++;
    return ddb_stage_backfill(call->svc, call->txn, table, index->id);
}

static enum err find_global(struct call *call, struct ddb_table *table, struct str name,
                            const char *verb, struct ddb_index **ret_index)
{
    struct ddb_index *index = (struct ddb_index *)ddb_table_index(table, name);
    if (index && !index->global)
        return ddb_refuse(call, "Cannot %s an index that is not a GlobalSecondaryIndex: " STR_FMT,
                          verb, STR_ARG(name));
    if (!index)
        return call_error(call, &dynamodb_err_resource_not_found_exception,
                          "Requested resource not found: Table: " STR_FMT
                          " does not have the index " STR_FMT,
                          STR_ARG(table->name), STR_ARG(name));
    *ret_index = index;
    return ERR_OK;
}

static enum err delete_index(struct call *call, struct ddb_table *table, struct str name)
{
    struct ddb_index *index;
    TRY(find_global(call, table, name, "delete", &index));
    TRY(ddb_stage_sweep(call->svc, call->txn, table->id, index->id));
    size_t at = (size_t)(index - table->indexes);
    assert(at < table->n_indexes);
    memmove(index, index + 1, (table->n_indexes - at - 1) * sizeof(*index));
    table->n_indexes--;
    return ERR_OK;
}

/* The index that a change is about. */
static struct str changed(const struct dynamodb_global_secondary_index_update *u)
{
    return u->create   ? u->create->index_name
           : u->delete ? u->delete->index_name
                       : u->update->index_name;
}

/* Each change is one action, and no index has two. */
static enum err check_changes(struct ddb_diag *diag,
                              const struct dynamodb_global_secondary_index_update_list *in)
{
    for (size_t i = 0; i < in->n; i++) {
        const struct dynamodb_global_secondary_index_update *u = &in->v[i];
        int actions = (u->create != NULL) + (u->delete != NULL) + (u->update != NULL);
        if (actions == 0)
            return ddb_invalid(diag, "One or more parameter values were invalid: One of "
                                     "GlobalSecondaryIndexUpdate.Update, "
                                     "GlobalSecondaryIndexUpdate.Create, "
                                     "GlobalSecondaryIndexUpdate.Delete must not be null");
        if (actions > 1)
            return ddb_invalid(diag, "One or more parameter values were invalid: Only one global "
                                     "secondary index action is allowed per "
                                     "GlobalSecondaryIndexUpdate object");
        for (size_t k = 0; k < i; k++)
            if (str_eq(changed(u), changed(&in->v[k])))
                return ddb_invalid(diag,
                                   "One or more parameter values were invalid: Only one global "
                                   "secondary index update per index is allowed simultaneously. "
                                   "Index: " STR_FMT,
                                   STR_ARG(changed(u)));
    }
    return ERR_OK;
}

static enum err change_indexes(struct call *call, struct ddb_diag *diag, struct ddb_table *table,
                               const struct dynamodb_global_secondary_index_update_list *in)
{
    size_t changes = 0;
    TRY(check_changes(diag, in));
    for (size_t i = 0; i < in->n; i++)
        changes += in->v[i].create || in->v[i].delete;
    for (size_t i = 0; i < table->n_indexes; i++)
        changes += changes && table->indexes[i].backfilling;
    if (changes > INDEX_CHANGES_MAX)
        return call_error(call, &dynamodb_err_limit_exceeded_exception,
                          "Subscriber limit exceeded: Only %d online index can be created or "
                          "deleted simultaneously per table",
                          INDEX_CHANGES_MAX);
    for (size_t i = 0; i < in->n; i++) {
        const struct dynamodb_global_secondary_index_update *u = &in->v[i];
        if (u->create) {
            TRY(ddb_refuse_settings(call, u->create->warm_throughput,
                                    u->create->on_demand_throughput));
            TRY(create_index(call, diag, table, u->create));
        } else if (u->delete) {
            TRY(delete_index(call, table, u->delete->index_name));
        } else {
            struct ddb_index *index;
            TRY(ddb_refuse_settings(call, u->update->warm_throughput,
                                    u->update->on_demand_throughput));
            TRY(find_global(call, table, u->update->index_name, "update", &index));
            TRY(ddb_throughput_from(diag, table->on_demand, u->update->provisioned_throughput,
                                    &index->throughput));
        }
    }
    return ERR_OK;
}

static enum err change_billing(struct ddb_diag *diag, struct ddb_table *table, int64_t now_ms,
                               const struct dynamodb_update_table_input *in)
{
    bool was_on_demand = table->on_demand;
    if (str_is_set(in->billing_mode)) {
        table->on_demand = str_eq_c(in->billing_mode, "PAY_PER_REQUEST");
        table->billing_told = true;
    }
    if (table->on_demand && !was_on_demand) {
        table->on_demand_since_ms = now_ms;
        table->throughput = (struct ddb_throughput){0};
        for (size_t i = 0; i < table->n_indexes; i++)
            table->indexes[i].throughput = (struct ddb_throughput){0};
    }
    if (!in->provisioned_throughput && table->on_demand == was_on_demand)
        return ERR_OK;
    struct ddb_throughput before = table->throughput;
    if (!table->on_demand && !in->provisioned_throughput)
        return ddb_invalid(diag, "One or more parameter values were invalid: ProvisionedThroughput "
                                 "must be specified when BillingMode is PROVISIONED");
    TRY(ddb_throughput_from(diag, table->on_demand, in->provisioned_throughput,
                            &table->throughput));
    if (!was_on_demand && !table->on_demand && before.read == table->throughput.read &&
        before.write == table->throughput.write && !in->global_secondary_index_updates.v)
        return ddb_invalid(
            diag,
            "The provisioned throughput for the table will not change. The requested "
            "value equals the current value. Current ReadCapacityUnits provisioned "
            "for the table: %lld. Requested ReadCapacityUnits: %lld. Current "
            "WriteCapacityUnits provisioned for the table: %lld. Requested "
            "WriteCapacityUnits: %lld. Refer to the Amazon DynamoDB Developer Guide for current "
            "limits and how to request higher limits.",
            (long long)before.read, (long long)before.read, (long long)before.write,
            (long long)before.write);
    return ERR_OK;
}

/* What may not be changed together. */
static enum err check_together(struct ddb_diag *diag, const struct dynamodb_update_table_input *in)
{
    const struct {
        bool given;
        const char *alone; /* what may only be by itself */
    } parts[] = {
        {in->sse_specification != NULL, "Server-Side Encryption"},
        {str_is_set(in->table_class), "TableClass"},
        {in->has_deletion_protection_enabled, "DeletionProtection"},
        {in->stream_specification != NULL, NULL},
        {in->provisioned_throughput || str_is_set(in->billing_mode), NULL},
        {in->global_secondary_index_updates.n > 0, NULL},
    };
    size_t given = 0;
    bool index = false;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        given += parts[i].given;
    for (size_t i = 0; i < ARRAY_LEN(parts) && given > 1; i++)
        if (parts[i].given && parts[i].alone)
            return ddb_invalid(diag,
                               "One or more parameter values were invalid: %s modification must be "
                               "the only operation in the request",
                               parts[i].alone);
    for (size_t i = 0; i < in->global_secondary_index_updates.n; i++)
        index |= in->global_secondary_index_updates.v[i].create ||
                 in->global_secondary_index_updates.v[i].delete;
    const char *both =
        in->stream_specification && in->provisioned_throughput
            ? "modify stream status while updating table IOPS"
        : index && in->provisioned_throughput ? "create or delete index while updating table IOPS"
        : index && in->stream_specification ? "create or delete index while changing stream status"
                                            : NULL;
    return both
               ? ddb_invalid(diag, "One or more parameter values were invalid: You cannot %s", both)
               : ERR_OK;
}

static enum err update(struct call *call, struct ddb_diag *diag,
                       const struct dynamodb_update_table_input *in,
                       struct dynamodb_update_table_output *out)
{
    struct ddb_table *cached, *table;
    bool any = str_is_set(in->billing_mode) || in->provisioned_throughput ||
               in->global_secondary_index_updates.n || in->sse_specification ||
               str_is_set(in->table_class) || in->has_deletion_protection_enabled ||
               in->stream_specification || in->on_demand_throughput;
    if (!any)
        return ddb_invalid(diag, "At least one of ProvisionedThroughput, BillingMode, "
                                 "UpdateStreamEnabled, GlobalSecondaryIndexUpdates or "
                                 "SSESpecification or ReplicaUpdates is required");
    TRY(ddb_use_table(call, in->table_name, true, &cached));
    TRY(ddb_read_table(call, cached, &table));
    table->figures = ddb_figures_ref(cached->figures);
    TRY(check_together(diag, in));
    TRY(add_defs(diag, call->arena, table, &in->attribute_definitions));
    TRY(change_billing(diag, table, call->txn->now_ms, in));
    TRY(change_indexes(call, diag, table, &in->global_secondary_index_updates));
    size_t kept = 0; /* definitions that no key uses any more go */
    for (size_t i = 0; i < table->n_defs; i++)
        if (ddb_def_used(table, table->defs[i].name))
            table->defs[kept++] = table->defs[i];
    assert(kept > 0); /* the table's own key is one */
    table->n_defs = kept;
    if (str_is_set(in->table_class))
        table->table_class = in->table_class;
    if (in->has_deletion_protection_enabled)
        table->protect = in->deletion_protection_enabled;
    TRY(ddb_set_sse(call, diag, in->sse_specification, table));
    TRY(ddb_set_stream(call, diag, in->stream_specification, table));
    table->generation++;
    TRY(ddb_stage_table(call->svc, call->txn, table));
    bool updating = false;
    for (size_t i = 0; i < table->n_indexes; i++)
        updating = updating || table->indexes[i].backfilling;
    return ddb_describe(call, table, updating ? "UPDATING" : "ACTIVE", &out->table_description);
}

enum err dynamodb_update_table(struct call *call, const struct dynamodb_update_table_input *in,
                               struct dynamodb_update_table_output *out)
{
    struct ddb_diag diag = {.arena = call->arena};
    TRY(ddb_refuse_settings(call, in->warm_throughput, in->on_demand_throughput));
    if (in->replica_updates.v || in->global_table_witness_updates.v ||
        str_is_set(in->multi_region_consistency) ||
        str_is_set(in->global_table_settings_replication_mode))
        return ddb_refuse(call, "Global tables are not supported here");
    return ddb_answer(call, &diag, update(call, &diag, in, out));
}

enum err dynamodb_delete_table(struct call *call, const struct dynamodb_delete_table_input *in,
                               struct dynamodb_delete_table_output *out)
{
    struct ddb_table *cached, *table;
    TRY(ddb_use_table(call, in->table_name, true, &cached));
    TRY(ddb_read_table(call, cached, &table));
    if (table->protect)
        return ddb_refuse(call, "Resource cannot be deleted as it is currently protected against "
                                "deletion. Disable deletion protection first.");
    table->figures = ddb_figures_ref(cached->figures);
    TRY(ddb_close_stream(call->svc, call->txn, table));
    TRY(ddb_stage_drop(call->svc, call->txn, table));
    TRY(ddb_let_go(call, table));
    return ddb_describe_deleted(call, cached, &out->table_description);
}
