/* The groups' own metrics ("AWS/Logs" by LogGroupName): what was put into them by calls.
 *
 * Layer: svc/logs. Thread: the call's loop. Source: CloudWatch Logs User Guide, "CloudWatch Logs metrics and
 * dimensions". */
#include "core/measure.h"
#include "core/observe.h"
#include "svc/logs/logs_int.h"

void logs_measure(void *self, const struct core_seen *seen)
{
    if (!seen->call->op || seen->call->op->index != LOGS_OP_PUT_LOG_EVENTS || !seen->in ||
        !seen->out)
        return;
    const struct logs_put_log_events_input *in = seen->in;
    const struct measure_dim dim = {STR("LogGroupName"), in->log_group_name};
    const struct measure what = {seen->call->region, STR("AWS/Logs"), &dim, 1};
    size_t bytes = 0;
    for (size_t i = 0; i < in->log_events.n; i++)
        bytes += in->log_events.v[i].message.len;
    if (in->log_events.n == 0)
        return;
    measure_put_many(seen->call->core, &what, STR("IncomingLogEvents"), MEASURE_COUNT, 1,
                     (double)in->log_events.n);
    measure_put(seen->call->core, &what, STR("IncomingBytes"), MEASURE_BYTES, (double)bytes);
}
