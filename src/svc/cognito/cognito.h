/* The service's definition, for the list of services. Layer: svc/cognito. */
#ifndef WEIR_SVC_COGNITO_COGNITO_H
#define WEIR_SVC_COGNITO_COGNITO_H

#include "core/svc.h"

extern const struct svc_def cognito_def;

#endif
