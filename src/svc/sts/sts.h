/* STS: temporary credentials. See README.md.
 *
 * Layer: svc. Lifetime: process. */
#ifndef WEIR_SVC_STS_STS_H
#define WEIR_SVC_STS_STS_H

#include "core/core.h"
#include "svc/iam/iam_port.h"

struct sts;

/* ERR_NOMEM. */
enum err sts_new(struct core *core, const struct iam_port *iam, struct sts **ret_sts) WARN_UNUSED;
/* NULL is fine. */
void sts_free(struct sts *sts);
void sts_svc(struct sts *sts, struct svc *ret_svc);

#endif
