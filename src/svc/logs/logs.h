/* CloudWatch Logs: groups, streams and events in the store. See README.md.
 *
 * Layer: svc. Lifetime: process. */
#ifndef WEIR_SVC_LOGS_LOGS_H
#define WEIR_SVC_LOGS_LOGS_H

#include "core/core.h"
#include "svc/logs/logs_port.h"

struct logs;

/* start begins the background removal of expired and deleted events. */
extern const struct svc_def logs_def;

#endif
