/* SNS: topics, subscriptions, messages. See README.md.
 *
 * Layer: svc. Lifetime: process. */
#ifndef WEIR_SVC_SNS_SNS_H
#define WEIR_SVC_SNS_SNS_H

#include "core/core.h"

struct sns;

/* start reads subscriptions and the signing key, and begins background work. */
extern const struct svc_def sns_def;

#endif
