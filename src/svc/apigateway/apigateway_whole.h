/* A whole API at once: what cloning and importing have in common.
 * Layer: svc/apigateway. Thread: the transaction's. */
#ifndef WEIR_SVC_APIGATEWAY_APIGATEWAY_WHOLE_H
#define WEIR_SVC_APIGATEWAY_APIGATEWAY_WHOLE_H

#include "svc/apigateway/apigateway_int.h"

/* What an API that was just made begins with: its root, and the models Empty and Error. */
enum err apigateway_whole_begin(struct call *call, struct str api_id,
                                struct str root_id) WARN_UNUSED;
/* Puts what `whole` has into the API, whose root exists. `whole` is the caller's own tree of the form
 * of snapshots (apigateway_snapshot.h); it is changed. Of its parts:
 *   requestValidators, authorizers  by name, in the place of those there are, else with new ids;
 *                     methods name them by the ids that stand in `whole`
 *   models            by name, in the place of those there are; "$ref"s are addresses within the API
 *                     (APIGATEWAY_MODEL_URI)
 *   resources         by "path", with all above it; "id" and "parentId" say nothing. Their methods,
 *                     complete with responses and integration, take the place of those there are
 *   gatewayResponses  by type
 * Everything is checked, and refused, as by the operations that make it. */
enum err apigateway_whole_put(struct call *call, struct str api_id, struct json *whole) WARN_UNUSED;
/* Takes all parts away but the root resource (without its methods), stages and deployments. */
enum err apigateway_whole_clear(struct call *call, struct str api_id) WARN_UNUSED;
/* Takes everything away, stages, deployments and root included. */
enum err apigateway_whole_drop(struct call *call, struct str api_id) WARN_UNUSED;

#endif
