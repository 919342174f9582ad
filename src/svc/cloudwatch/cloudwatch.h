/* The service's definition, for the list of services. Layer: svc/cloudwatch. */
#ifndef WEIR_SVC_CLOUDWATCH_CLOUDWATCH_H
#define WEIR_SVC_CLOUDWATCH_CLOUDWATCH_H

#include "core/svc.h"

extern const struct svc_def cloudwatch_def;

#endif
