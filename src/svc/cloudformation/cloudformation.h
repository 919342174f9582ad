/* AWS CloudFormation: stacks of resources made from templates. README.md says how.
 *
 * Layer: svc. */
#ifndef WEIR_SVC_CLOUDFORMATION_CLOUDFORMATION_H
#define WEIR_SVC_CLOUDFORMATION_CLOUDFORMATION_H

#include "core/svc.h"

extern const struct svc_def cloudformation_def;

#endif
