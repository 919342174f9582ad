/* The service as a whole. Layer: svc/apigateway. Thread: see core/svc.h. */
#include "svc/apigateway/apigateway.h"

#include "base/mem.h"
#include "svc/apigateway/apigateway_int.h"
#include "svc/apigateway/domain.h"
#include "svc/apigateway/serve_life.h"
#include "svc/apigateway/usage.h"
#include "svc/apigateway/usage_int.h"

static void release(void *self)
{
    struct apigateway *gw = self;
    serve_free(gw->serve);
    usage_free(gw->usage);
    catalogue_free(gw->domains);
    catalogue_free(gw->stages);
    mem_free(gw);
}

static enum err start(void *self)
{
    struct apigateway *gw = self;
    TRY(usage_start(gw->usage));
    TRY(usage_plans_register(gw->usage));
    TRY(txn_run_now(gw->core, domain_load, gw));
    TRY(txn_run_now(gw->core, apigateway_stages_load, gw));
    return serve_start(gw->serve);
}

static void usage_drained(void *arg)
{
    struct apigateway *gw = arg;
    serve_drain(gw->serve, gw->drained, gw->drained_arg);
}

static void drain(void *self, void (*done)(void *arg), void *arg)
{
    struct apigateway *gw = self;
    gw->drained = done;
    gw->drained_arg = arg;
    usage_drain(gw->usage, usage_drained, gw);
}

static enum err make(struct core *core, void **ret_self)
{
    struct apigateway *gw = mem_calloc(1, sizeof(*gw));
    if (!gw)
        return ERR_NOMEM;
    gw->core = core;
    enum err err = apigateway_stages_init(gw);
    if (err == ERR_OK)
        err = usage_new(core, &gw->usage);
    if (err == ERR_OK)
        err = catalogue_new(core, &domain_catalogue, gw, &gw->domains);
    if (err == ERR_OK)
        err = serve_new(core, gw, gw->usage, &gw->serve);
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
    .drain = drain,
    .release = release,
    .authorize_more = apigateway_authorize_more,
    .measure = serve_measure,
    .tags = &apigateway_tags,
};
