/* Amazon ECR, as far as repositories are records. Layer: svc. */
#ifndef WEIR_SVC_ECR_ECR_H
#define WEIR_SVC_ECR_ECR_H

#include "core/svc.h"

extern const struct svc_def ecr_def;

#endif
