/* Where the control plane and the data plane meet: what a deployment deployed, and the stages that
 * show deployments to the world.
 *
 * A snapshot is immutable, JSON text of the API's own wire shapes:
 *   {"restApi": RestApi; its "policy" is the document itself (GetRestApi shows it escaped), no tags,
 *    "resources": [Resource with "resourceMethods": {"GET": Method with methodResponses,
 *                  methodIntegration and its integrationResponses}],
 *    "models": [Model], "requestValidators": [RequestValidator], "authorizers": [Authorizer],
 *    "gatewayResponses": [GatewayResponse, those that were set]}
 *
 * Layer: svc/apigateway. Thread: the transaction's. */
#ifndef WEIR_SVC_APIGATEWAY_APIGATEWAY_SNAPSHOT_H
#define WEIR_SVC_APIGATEWAY_APIGATEWAY_SNAPSHOT_H

#include "codec/json.h"
#include "core/txn.h"
#include "kv/key.h"

struct apigateway;

enum { APIGATEWAY_SNAPSHOT_BYTES_MAX = 12 * 1024 * 1024 };

/* A stage as it is now, from memory. */
struct apigateway_stage_now {
    struct key_scope scope; /* the API's account and region */
    struct str deployment_id;
    /* Stage as GetStage shows it, without tags. Keys of methodSettings are two segments of patch paths
     * as they stand there: "~1cars/POST" (or "cars/POST") is one method, '*' stands for any. */
    struct str json;
    /* Another one whenever the stage changed, also to another deployment: what was compiled for a
     * version holds for it. Not kept over restarts. */
    uint64_t version;
    /* Count FlushStageCache and FlushStageAuthorizersCache: what is cached under a lower count is
     * void. */
    uint64_t cache_flushes, authorizer_flushes;
};

/* One lookup; text lives until the transaction's arena goes. ERR_NOT_FOUND: no such API or no such
 * stage. ERR_NOMEM, ERR_IO. */
enum err apigateway_stage_find(struct apigateway *gw, struct txn *txn, struct str api_id,
                               struct str stage, struct apigateway_stage_now *ret) WARN_UNUSED;
/* The snapshot of a deployment, in the transaction's arena. ERR_NOT_FOUND: deleted meanwhile.
 * ERR_NOMEM, ERR_IO. O(snapshot). */
enum err apigateway_snapshot_read(struct txn *txn, struct str api_id, struct str deployment_id,
                                  struct str *ret_json) WARN_UNUSED;
/* The same of an API as it is now, undeployed; `api` is its document. ERR_LIMIT: too large. */
enum err apigateway_snapshot_make(struct txn *txn, struct str api_id, const struct json *api,
                                  struct str *ret_json) WARN_UNUSED;

#endif
