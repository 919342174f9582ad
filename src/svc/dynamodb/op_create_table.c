#include "base/rng.h"
#include "svc/dynamodb/ddb_schema.h"

enum { TABLE_NAME_MIN = 3, TABLE_NAME_MAX = 255 };

static enum err add_local(struct ddb_diag *diag, struct arena *a, struct ddb_table *table,
                          const struct dynamodb_local_secondary_index *in, struct ddb_index *index)
{
    index->name = in->index_name;
    if (!str_is_set(table->key.range))
        return ddb_invalid(diag, "One or more parameter values were invalid: Table KeySchema does "
                                 "not have a range key, which is required when specifying a "
                                 "LocalSecondaryIndex");
    TRY(ddb_simple_schema_from(diag, table, &in->key_schema, &index->key));
    if (!str_is_set(index->key.range))
        return ddb_invalid(diag,
                           "One or more parameter values were invalid: Index KeySchema does not "
                           "have a range key for index: " STR_FMT,
                           STR_ARG(in->index_name));
    if (!str_eq(index->key.hash, table->key.hash))
        return ddb_invalid(diag,
                           "One or more parameter values were invalid: Index KeySchema does not "
                           "have the same leading hash key as table KeySchema for index: " STR_FMT
                           ". index hash key: " STR_FMT ", table hash key: " STR_FMT,
                           STR_ARG(in->index_name), STR_ARG(index->key.hash),
                           STR_ARG(table->key.hash));
    return ddb_projection_from(diag, a, in->projection, index);
}

static enum err add_global(struct ddb_diag *diag, struct arena *a, struct ddb_table *table,
                           const struct dynamodb_global_secondary_index *in,
                           struct ddb_index *index)
{
    index->name = in->index_name;
    index->global = true;
    TRY(ddb_schema_from(diag, table, &in->key_schema, &index->key));
    TRY(ddb_throughput_from(diag, table->on_demand, in->provisioned_throughput,
                            &index->throughput));
    return ddb_projection_from(diag, a, in->projection, index);
}

static enum err add_indexes(struct ddb_diag *diag, struct arena *a, struct ddb_table *table,
                            const struct dynamodb_create_table_input *in)
{
    size_t n_local = in->local_secondary_indexes.n, n_global = in->global_secondary_indexes.n;
    if (n_local > DDB_LOCAL_INDEXES_MAX)
        return ddb_invalid(diag,
                           "One or more parameter values were invalid: Number of "
                           "LocalSecondaryIndexes exceeds per-table limit of %d",
                           DDB_LOCAL_INDEXES_MAX);
    if (n_global > DDB_GLOBAL_INDEXES_MAX)
        return ddb_invalid(diag,
                           "One or more parameter values were invalid: GlobalSecondaryIndex count "
                           "exceeds the per-table limit of %d",
                           DDB_GLOBAL_INDEXES_MAX);
    table->indexes = ARENA_ARRAY(a, struct ddb_index, n_local + n_global);
    if (!table->indexes)
        return ERR_NOMEM;
    if (in->local_secondary_indexes.v && n_local == 0)
        return ddb_invalid(diag, "One or more parameter values were invalid: List of "
                                 "LocalSecondaryIndexes is empty");
    if (in->global_secondary_indexes.v && n_global == 0)
        return ddb_invalid(diag, "One or more parameter values were invalid: List of "
                                 "GlobalSecondaryIndexes is empty");
    for (size_t i = 0; i < n_local; i++)
        TRY(ddb_check_key_length(diag, &in->local_secondary_indexes.v[i].key_schema,
                                 "localSecondaryIndexes", i + 1));
    for (size_t i = 0; i < n_local + n_global; i++) {
        struct ddb_index *index = &table->indexes[i];
        index->id = ++table->last_index_id;
        if (i < n_local)
            TRY(add_local(diag, a, table, &in->local_secondary_indexes.v[i], index));
        else
            TRY(add_global(diag, a, table, &in->global_secondary_indexes.v[i - n_local], index));
        if (ddb_table_index(table, index->name))
            return ddb_invalid(
                diag, "One or more parameter values were invalid: Duplicate index name: " STR_FMT,
                STR_ARG(index->name));
        table->n_indexes++;
    }
    return ERR_OK;
}

static enum err define(struct call *call, struct ddb_diag *diag,
                       const struct dynamodb_create_table_input *in, struct ddb_table *table)
{
    struct arena *a = call->arena;
    struct str name = ddb_table_name(in->table_name);
    if (name.len < TABLE_NAME_MIN || name.len > TABLE_NAME_MAX)
        return ddb_invalid(diag,
                           "TableName must be at least %d characters long and at most %d "
                           "characters long",
                           TABLE_NAME_MIN, TABLE_NAME_MAX);
    table->object.key = key_make(a, &ddb_k_table, call_scope(call), name);
    table->name = name;
    table->arn = call_arn(call, "dynamodb", "table/" STR_FMT, STR_ARG(name));
    char uuid[RNG_UUID_LEN + 1];
    table->uuid = str_dup(a, rng_uuid(uuid));
    if (!str_is_set(table->object.key) || !str_is_set(table->arn) || !str_is_set(table->uuid))
        return ERR_NOMEM;
    table->generation = 1;
    table->created_ms = call->txn->wall_ms;
    table->on_demand = str_eq_c(in->billing_mode, "PAY_PER_REQUEST");
    table->billing_told = table->on_demand;
    table->on_demand_since_ms = table->on_demand ? table->created_ms : 0;
    table->table_class = in->table_class;
    table->protect = in->deletion_protection_enabled;
    TRY(ddb_throughput_from(diag, table->on_demand, in->provisioned_throughput,
                            &table->throughput));
    TRY(ddb_defs_from(diag, a, &in->attribute_definitions, &table->defs, &table->n_defs));
    TRY(ddb_check_key_length(diag, &in->key_schema, "keySchema", 0));
    if (in->key_schema.n > table->n_defs)
        return ddb_invalid(diag, "Invalid KeySchema: Some index key attribute have no definition");
    TRY(ddb_simple_schema_from(diag, table, &in->key_schema, &table->key));
    TRY(add_indexes(diag, a, table, in));
    return ddb_check_defs_used(diag, table);
}

static enum err refuse_unsupported(struct call *call, const struct dynamodb_create_table_input *in)
{
    for (size_t i = 0; i < in->global_secondary_indexes.n; i++) {
        const struct dynamodb_global_secondary_index *g = &in->global_secondary_indexes.v[i];
        TRY(ddb_refuse_settings(call, g->warm_throughput, g->on_demand_throughput));
    }
    TRY(ddb_refuse_settings(call, in->warm_throughput, in->on_demand_throughput));
    if (str_is_set(in->global_table_source_arn) ||
        str_is_set(in->global_table_settings_replication_mode))
        return ddb_refuse(call, "Global tables are not supported here");
    return ERR_OK;
}

enum err ddb_create_table(struct call *call, struct ddb_diag *diag,
                          const struct dynamodb_create_table_input *in, bool filling,
                          struct ddb_table **ret_table)
{
    struct dynamodb *ddb = call->svc;
    struct ddb_table *table = ARENA_NEW(call->arena, struct ddb_table);
    if (!table)
        return ERR_NOMEM;
    TRY(refuse_unsupported(call, in));
    TRY(define(call, diag, in, table));
    table->restoring = filling;
    TRY(ddb_check_place(call, table, &dynamodb_err_resource_in_use_exception));
    TRY(tags_op_create(call, &dynamodb_tags, &(struct tags_resource){.arn = table->arn},
                       TAGS_FROM(in->tags)));
    TRY(ddb_next_id(call->txn, DDB_ID_TABLE, &table->id));
    if (str_is_set(in->resource_policy))
        TRY(ddb_take_policy(call, table->arn, in->resource_policy, false, &table->policy));
    TRY(ddb_set_sse(call, diag, in->sse_specification, table));
    TRY(ddb_set_stream(call, diag, in->stream_specification, table));
    *ret_table = table;
    return ddb_stage_table(ddb, call->txn, table);
}

static enum err create(struct call *call, struct ddb_diag *diag,
                       const struct dynamodb_create_table_input *in,
                       struct dynamodb_create_table_output *out)
{
    struct ddb_table *table;
    TRY(ddb_create_table(call, diag, in, false, &table));
    return ddb_describe(call, table, "ACTIVE", &out->table_description);
}

enum err dynamodb_create_table(struct call *call, const struct dynamodb_create_table_input *in,
                               struct dynamodb_create_table_output *out)
{
    struct ddb_diag diag = {.arena = call->arena};
    return ddb_answer(call, &diag, create(call, &diag, in, out));
}
