/* Amazon DynamoDB: tables of items with keys, secondary indexes and expressions.
 *
 * Layer: svc/dynamodb. Thread: the instance is shared by all loops; new, start and free run
 * on the main thread while no call runs. */
#ifndef WEIR_SVC_DYNAMODB_DYNAMODB_H
#define WEIR_SVC_DYNAMODB_DYNAMODB_H

#include "core/core.h"

struct dynamodb;

/* ERR_NOMEM. */
enum err dynamodb_new(struct core *core, struct dynamodb **ret_ddb) WARN_UNUSED;
/* Reads all table definitions and resumes background work (sweeps, backfills). Before the loops
 * serve. */
enum err dynamodb_start(struct dynamodb *ddb) WARN_UNUSED;
/* After core is idle. Background work that was stopped midway resumes at the next start. */
void dynamodb_free(struct dynamodb *ddb);
/* For registration with core. */
void dynamodb_svc(struct dynamodb *ddb, struct svc *ret_svc);

#endif
