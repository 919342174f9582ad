/* The service's definition, for the list of services. Layer: svc/events. */
#ifndef WEIR_SVC_EVENTS_EVENTS_H
#define WEIR_SVC_EVENTS_EVENTS_H

#include "core/svc.h"

extern const struct svc_def events_def;

#endif
