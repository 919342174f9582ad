/* Stages inside of the control plane. Layer: svc/apigateway. */
#ifndef WEIR_SVC_APIGATEWAY_APIGATEWAY_STAGE_H
#define WEIR_SVC_APIGATEWAY_APIGATEWAY_STAGE_H

#include "svc/apigateway/apigateway_int.h"

/* A stage's record, and its object in memory. */
struct apigateway_stage_rec {
    struct catalogue_object object;
    struct str account, region;
    struct str deployment_id;
    struct str json; /* Stage, without tags */
    uint64_t cache_flushes, authorizer_flushes;
};

/* The stored stage, tracked; its document is the call's to change. ERR_NOT_FOUND. */
enum err apigateway_stage_read(struct call *call, struct str api_id, struct str name,
                               struct apigateway_stage_rec *ret, struct json **ret_doc) WARN_UNUSED;
/* The same; NotFoundException for API and stage. */
enum err apigateway_stage_need(struct call *call, struct str api_id, struct str name,
                               struct apigateway_stage_rec *ret, struct json **ret_doc) WARN_UNUSED;
/* A new one without a deployment: its name is checked, and that there may be one more. */
enum err apigateway_stage_begin(struct call *call, struct str api_id, struct str name,
                                struct apigateway_stage_rec *ret,
                                struct json **ret_doc) WARN_UNUSED;
/* Checks the document, brings defaults and times, and writes it. */
enum err apigateway_stage_write(struct call *call, struct str api_id,
                                struct apigateway_stage_rec *s, struct json *doc) WARN_UNUSED;
/* Documents of all of an API's stages, in an array. */
enum err apigateway_stages_of(struct call *call, struct str api_id,
                              struct json **ret_array) WARN_UNUSED;
struct str apigateway_stage_arn(struct call *call, struct str api_id, struct str name);
/* Takes the stage away, with its tags, out of every usage plan. */
enum err apigateway_stage_drop(struct call *call, struct str api_id, struct str name) WARN_UNUSED;

#endif
