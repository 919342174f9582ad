/* What Weir serves besides AWS's protocols: health, metrics. */
#ifndef WEIR_MAIN_LOCAL_H
#define WEIR_MAIN_LOCAL_H

#include "core/core.h"

/* Registers /_weir/health, /_localstack/health, /_weir/metrics. */
void local_routes(struct core *core);

/* Whether the request brings `token`, "Authorization: Bearer TOKEN" (RFC 6750 section 2.1). Nobody brings
 * an empty one. */
bool local_has_token(const struct http_req *req, struct str token);

#endif
