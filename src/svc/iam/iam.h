/* IAM: users, access keys, roles, policies; and the process's knowledge of who may do what.
 * See README.md.
 *
 * Layer: svc. Lifetime: process. */
#ifndef WEIR_SVC_IAM_IAM_H
#define WEIR_SVC_IAM_IAM_H

#include "core/core.h"
#include "svc/iam/iam_port.h"

struct iam;

/* start loads identities and the token key (made at the first start) from the store. */
extern const struct svc_def iam_def;

#endif
