/* The service's definition, for the list of services. Layer: svc/scheduler. */
#ifndef WEIR_SVC_SCHEDULER_SCHEDULER_H
#define WEIR_SVC_SCHEDULER_SCHEDULER_H

#include "core/svc.h"

extern const struct svc_def scheduler_def;

#endif
