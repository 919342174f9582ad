/* STS: temporary credentials. See README.md.
 *
 * Layer: svc. Lifetime: process. */
#ifndef WEIR_SVC_STS_STS_H
#define WEIR_SVC_STS_STS_H

#include "core/core.h"
#include "svc/iam/iam_port.h"

struct sts;

extern const struct svc_def sts_def;

#endif
