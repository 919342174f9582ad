/* The Resource Groups Tagging API: tags across services. See README.md.
 *
 * Layer: svc. Lifetime: process; it has no state. */
#ifndef WEIR_SVC_TAGGING_TAGGING_H
#define WEIR_SVC_TAGGING_TAGGING_H

#include "core/core.h"

extern const struct svc_def tagging_def;

#endif
