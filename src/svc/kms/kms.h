/* KMS: keys whose material never leaves the process. For the composition root.
 *
 * Layer: svc. */
#ifndef WEIR_SVC_KMS_KMS_H
#define WEIR_SVC_KMS_KMS_H

#include "core/svc.h"

extern const struct svc_def kms_def;

#endif
