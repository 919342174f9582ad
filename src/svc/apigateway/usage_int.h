/* What operations on keys and plans need of the module. Layer: svc/apigateway. */
#ifndef WEIR_SVC_APIGATEWAY_USAGE_INT_H
#define WEIR_SVC_APIGATEWAY_USAGE_INT_H

#include "core/catalogue.h"
#include "svc/apigateway/usage_bucket.h"
#include "svc/apigateway/usage_counter.h"

struct usage {
    struct core *core;
    struct usage_buckets *buckets;
    struct usage_counters *counters;
    struct catalogue *plans; /* usage_plan_catalogue */
};

#endif
