/* The tables' own metrics ("AWS/DynamoDB" by TableName, by that and Operation, by that and
 * GlobalSecondaryIndexName), of calls that name one table, and of all that reads and writes.
 *
 * Layer: svc/dynamodb. Thread: the call's loop, the committing one. Source: DynamoDB Developer Guide,
 * "DynamoDB metrics and dimensions". */
#include "core/measure.h"
#include "core/observe.h"
#include "svc/dynamodb/dynamodb_int.h"

#define SPACE STR("AWS/DynamoDB")

/* --- what is read and written ------------------------------------------------------------------- */

/* One value of a table (absent: and of its index). */
static void put(const struct ddb_table *t, struct str index, struct str name, double value)
{
    const struct measure_dim dims[] = {
        {STR("GlobalSecondaryIndexName"), index},
        {STR("TableName"), t->name},
    };
    const struct measure what = {t->region, SPACE, str_is_set(index) ? dims : dims + 1,
                                 str_is_set(index) ? 2 : 1};
    measure_put(t->figures->core, &what, name, MEASURE_COUNT, value);
}

void ddb_measure_units(const struct ddb_table *t, const struct ddb_units *units, bool write)
{
    const struct str name =
        write ? STR("ConsumedWriteCapacityUnits") : STR("ConsumedReadCapacityUnits");
    double of_table = units->table; /* with those of its local indexes */
    if (!measure_wanted(t->figures->core))
        return;
    for (size_t i = 0; i < t->n_indexes; i++)
        if (!t->indexes[i].global)
            of_table += units->index[i];
        else if (units->index[i] > 0)
            put(t, t->indexes[i].name, name, units->index[i]);
    if (of_table > 0)
        put(t, STR_NONE, name, of_table);
}

void ddb_measure_throttle(const struct ddb_table *t, const struct ddb_index *index, bool write)
{
    if (measure_wanted(t->figures->core))
        put(t, index ? index->name : STR_NONE,
            write ? STR("WriteThrottleEvents") : STR("ReadThrottleEvents"), 1);
}

void ddb_measure_expired(const struct ddb_table *t)
{
    if (measure_wanted(t->figures->core))
        put(t, STR_NONE, STR("TimeToLiveDeletedItemCount"), 1);
}

/* --- calls -------------------------------------------------------------------------------------- */

/* What the caller's own mistakes are told by; STR_NONE: not of this table. */
static struct str name_of_error(const struct core_seen *seen)
{
    if (seen->error == &dynamodb_err_conditional_check_failed_exception)
        return STR("ConditionalCheckFailedRequests");
    if (seen->error == &dynamodb_err_transaction_conflict_exception)
        return STR("TransactionConflict");
    return STR_NONE;
}

static void tell_error(const struct core_seen *seen, const struct measure *table,
                       const struct measure *op)
{
    struct core *core = seen->call->core;
    struct str of_table = name_of_error(seen);
    if (str_is_set(of_table) && table)
        measure_put(core, table, of_table, MEASURE_COUNT, 1);
    else if (seen->status >= 500 && op)
        measure_put(core, op, STR("SystemErrors"), MEASURE_COUNT, 1);
    else if (seen->error == &dynamodb_err_provisioned_throughput_exceeded_exception && op)
        measure_put(core, op, STR("ThrottledRequests"), MEASURE_COUNT, 1);
    else if (seen->status < 500)
        measure_put(core, &(struct measure){seen->call->region, SPACE, NULL, 0}, STR("UserErrors"),
                    MEASURE_COUNT, 1);
}

static void tell_success(const struct core_seen *seen, const struct measure *op)
{
    struct core *core = seen->call->core;
    measure_put(core, op, STR("SuccessfulRequestLatency"), MEASURE_MILLISECONDS,
                (double)seen->duration_ns / 1e6);
    if (seen->call->op->index == DYNAMODB_OP_QUERY)
        measure_put(core, op, STR("ReturnedItemCount"), MEASURE_COUNT,
                    (double)((const struct dynamodb_query_output *)seen->out)->count);
    else if (seen->call->op->index == DYNAMODB_OP_SCAN)
        measure_put(core, op, STR("ReturnedItemCount"), MEASURE_COUNT,
                    (double)((const struct dynamodb_scan_output *)seen->out)->count);
}

void ddb_measure(void *self, const struct core_seen *seen)
{
    const struct call *call = seen->call;
    if (!call->op || !seen->in)
        return;
    struct str table = call_input_str(call, STR("TableName"));
    size_t slash = str_is_set(table) ? str_find(table, '/') : SIZE_MAX; /* of an ARN */
    const struct measure_dim dims[] = {
        {STR("Operation"), call->op->name},
        {STR("TableName"), slash == SIZE_MAX ? table : str_sub(table, slash + 1, SIZE_MAX)},
    };
    const struct measure by_op = {call->region, SPACE, dims, 2};
    const struct measure by_table = {call->region, SPACE, &dims[1], 1};
    if (seen->error)
        tell_error(seen, table.len ? &by_table : NULL, table.len ? &by_op : NULL);
    else if (table.len)
        tell_success(seen, &by_op);
}
