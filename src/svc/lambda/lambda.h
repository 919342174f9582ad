/* The Lambda service: functions, their policies and mappings, and the engine that runs them.
 *
 * Layer: svc. Thread: handlers on any loop, the engine on the home loop. README.md argues the
 * design. */
#ifndef WEIR_SVC_LAMBDA_LAMBDA_H
#define WEIR_SVC_LAMBDA_LAMBDA_H

#include "core/core.h"
#include "deliver/deliver.h"
#include "sandbox/sandbox.h"
#include "svc/dynamodb/dynamodb_port.h"
#include "svc/logs/logs_port.h"
#include "svc/s3/s3_port.h"
#include "svc/sqs/sqs_port.h"

struct lambda;

/* make registers its kinds with the delivery engine. start reads functions and mappings from the
 * store, removes packages that nothing refers to, adds the route of package downloads. drain stops
 * the pollers, starts no environment any more and writes the logs that are there. */
extern const struct svc_def lambda_def;

#endif
