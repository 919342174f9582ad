/* What Weir serves besides AWS's protocols: health, metrics. */
#ifndef WEIR_MAIN_LOCAL_H
#define WEIR_MAIN_LOCAL_H

#include "core/core.h"

/* Registers /_weir/health, /_localstack/health, /_weir/metrics. */
void local_routes(struct core *core);

#endif
