/* AWS Systems Manager Parameter Store. Layer: svc. */
#ifndef WEIR_SVC_SSM_SSM_H
#define WEIR_SVC_SSM_SSM_H

#include "core/svc.h"

extern const struct svc_def ssm_def;

#endif
