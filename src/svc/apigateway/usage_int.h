/* What operations on keys and plans need of the module. Layer: svc/apigateway. */
#ifndef WEIR_SVC_APIGATEWAY_USAGE_INT_H
#define WEIR_SVC_APIGATEWAY_USAGE_INT_H

#include "core/catalogue.h"
#include "svc/apigateway/usage_bucket.h"
#include "svc/apigateway/usage_counter.h"

struct job_kind;

struct usage {
    struct core *core;
    struct usage_buckets *buckets;
    struct usage_counters *counters;
    struct catalogue *plans; /* usage_plan_catalogue */
    struct job_kind *plans_gone;
};

/* op_plan.c: the job of plans that were deleted. Before the deliveries start. */
enum err usage_plans_register(struct usage *u) WARN_UNUSED;

#endif
