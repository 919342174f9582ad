/* The service's definition, and its metrics. Nothing is kept in memory.
 * Layer: svc. Source: DynamoDB Developer Guide, "DynamoDB metrics and dimensions". */
#include "core/measure.h"
#include "core/observe.h"
#include "svc/streams/streams_int.h"

/* Of GetRecords, in "AWS/DynamoDB". */
static void measure(void *self, const struct core_seen *seen)
{
    const struct streams_found *f = seen->call->state;
    struct core *core = seen->call->core;
    if (!f || seen->error)
        return;
    const struct measure_dim dims[] = {
        {STR("Operation"), STR("GetRecords")},
        {STR("StreamLabel"), f->label},
        {STR("TableName"), f->table},
    };
    const struct measure what = {seen->call->region, STR("AWS/DynamoDB"), dims, ARRAY_LEN(dims),
                                 seen->call->account};
    measure_put(core, &what, STR("ReturnedRecordsCount"), MEASURE_COUNT, (double)f->n);
    measure_put(core, &what, STR("ReturnedBytes"), MEASURE_BYTES, (double)f->bytes);
    measure_put(core, &what, STR("SuccessfulRequestLatency"), MEASURE_MILLISECONDS,
                (double)seen->duration_ns / 1e6);
}

static enum err make(struct core *core, void **ret_self)
{
    *ret_self = core;
    return ERR_OK;
}

extern const struct svc_def streams_def;
const struct svc_def streams_def = {
    .wire = &streams_service,
    .make = make,
    .authorize_more = streams_authorize_more,
    .measure = measure,
};
