/* The service as a whole. Layer: svc/apigateway. Thread: see core/svc.h. */
#include "svc/apigateway/apigateway.h"

#include "base/mem.h"
#include "svc/apigateway/apigateway_int.h"

static void release(void *self)
{
    struct apigateway *gw = self;
    catalogue_free(gw->stages);
    mem_free(gw);
}

static enum err start(void *self)
{
    struct apigateway *gw = self;
    return txn_run_now(gw->core, apigateway_stages_load, gw);
}

static enum err make(struct core *core, void **ret_self)
{
    struct apigateway *gw = mem_calloc(1, sizeof(*gw));
    if (!gw)
        return ERR_NOMEM;
    gw->core = core;
    enum err err = apigateway_stages_init(gw);
    if (err) {
        release(gw);
        return err;
    }
    *ret_self = gw;
    return ERR_OK;
}

const struct svc_def apigateway_def = {
    .wire = &apigateway_service,
    .make = make,
    .start = start,
    .release = release,
    .authorize_more = apigateway_authorize_more,
    .tags = &apigateway_tags,
};
