/* CloudWatch Logs: groups, streams and events in the store. See README.md.
 *
 * Layer: svc. Lifetime: process. */
#ifndef WEIR_SVC_LOGS_LOGS_H
#define WEIR_SVC_LOGS_LOGS_H

#include "core/core.h"
#include "svc/logs/logs_port.h"

struct logs;

enum err logs_new(struct core *core, struct logs **ret_logs) WARN_UNUSED;
/* Begins the background removal of expired and deleted events. */
enum err logs_start(struct logs *logs) WARN_UNUSED;
/* After the loops stopped. NULL is fine. */
void logs_free(struct logs *logs);
void logs_svc(struct logs *logs, struct svc *ret_svc);
void logs_port(struct logs *logs, struct logs_port *ret_port);

#endif
