/* What CloudWatch does for other services: puts metrics in their transactions, for what must be as durable
 * as its cause (metric filters, the embedded metric format). What is only counted goes by core/measure.h. */
#ifndef WEIR_SVC_CLOUDWATCH_CLOUDWATCH_PORT_H
#define WEIR_SVC_CLOUDWATCH_CLOUDWATCH_PORT_H

#include "base/tally.h"
#include "core/core.h"
#include "kv/key.h"

struct cw_dim {
    struct str name, value;
};

struct cw_metric {
    struct str space, name;
    struct cw_dim *dims;
    size_t n_dims;
};

/* Values of one metric with one moment. */
struct cw_datum {
    struct cw_metric metric;
    struct str unit; /* "Seconds"; absent: None */
    int64_t at_ms;
    bool high; /* kept by the second for a while */
    const struct tally *values;
};

struct cloudwatch_port {
    void *self;
    /* Stages it; the metric's dimensions are sorted in place. ERR_INVALID: a name, unit or moment that
     * PutMetricData would refuse; ERR_NOMEM, the store's errors. */
    enum err (*put)(void *self, struct txn *txn, struct key_scope scope, struct cw_datum *datum);
};

/* The port of this process's instance; NULL without one. From start on. */
static inline const struct cloudwatch_port *cloudwatch_port_of(const struct core *core)
{
    return core_port(core, "cloudwatch");
}

#endif
