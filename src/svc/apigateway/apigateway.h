/* The service's definition, for the list of services. Layer: svc/apigateway. */
#ifndef WEIR_SVC_APIGATEWAY_APIGATEWAY_H
#define WEIR_SVC_APIGATEWAY_APIGATEWAY_H

#include "core/svc.h"

extern const struct svc_def apigateway_def;

#endif
