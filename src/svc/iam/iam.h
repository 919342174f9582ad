/* IAM: users, access keys, roles, policies; and the process's knowledge of who may do what.
 * See README.md.
 *
 * Layer: svc. Lifetime: process. */
#ifndef WEIR_SVC_IAM_IAM_H
#define WEIR_SVC_IAM_IAM_H

#include "core/core.h"
#include "svc/iam/iam_port.h"

struct iam;

/* ERR_NOMEM. */
enum err iam_new(struct core *core, struct iam **ret_iam) WARN_UNUSED;
/* Loads identities and the token key (made at the first start) from the store. Before loops run. */
enum err iam_start(struct iam *iam) WARN_UNUSED;
/* After the loops stopped. NULL is fine. */
void iam_free(struct iam *iam);
void iam_svc(struct iam *iam, struct svc *ret_svc);
/* What core asks about callers. */
void iam_identity(struct iam *iam, struct identity_port *ret_port);
/* What STS asks. */
void iam_port(struct iam *iam, struct iam_port *ret_port);

#endif
