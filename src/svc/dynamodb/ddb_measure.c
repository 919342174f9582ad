/* The tables' own metrics ("AWS/DynamoDB" by TableName and Operation), of calls that name one table.
 *
 * Layer: svc/dynamodb. Thread: the call's loop. Source: DynamoDB Developer Guide, "DynamoDB metrics and
 * dimensions". */
#include "core/measure.h"
#include "core/observe.h"
#include "svc/dynamodb/dynamodb_int.h"

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
    const struct measure of_table = {call->region, STR("AWS/DynamoDB"), dims, 2};
    const struct measure all = {call->region, STR("AWS/DynamoDB"), NULL, 0};
    if (seen->error == &dynamodb_err_conditional_check_failed_exception && table.len > 0)
        measure_put(call->core, &(struct measure){call->region, STR("AWS/DynamoDB"), &dims[1], 1},
                    STR("ConditionalCheckFailedRequests"), MEASURE_COUNT, 1);
    else if (seen->error && seen->status < 500)
        measure_put(call->core, &all, STR("UserErrors"), MEASURE_COUNT, 1);
    if (table.len == 0)
        return;
    if (seen->error && seen->status >= 500)
        measure_put(call->core, &of_table, STR("SystemErrors"), MEASURE_COUNT, 1);
    if (!seen->error)
        measure_put(call->core, &of_table, STR("SuccessfulRequestLatency"), MEASURE_MILLISECONDS,
                    (double)seen->duration_ns / 1e6);
}
