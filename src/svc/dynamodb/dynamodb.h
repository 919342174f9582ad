/* Amazon DynamoDB: tables of items with keys, secondary indexes and expressions.
 *
 * Layer: svc/dynamodb. Thread: the instance is shared by all loops; new, start and free run
 * on the main thread while no call runs. */
#ifndef WEIR_SVC_DYNAMODB_DYNAMODB_H
#define WEIR_SVC_DYNAMODB_DYNAMODB_H

#include "core/core.h"

struct dynamodb;

/* start reads all table definitions and resumes background work (sweeps, backfills); what a stop
 * interrupts midway resumes at the next start. */
extern const struct svc_def dynamodb_def;

#endif
