/* The service's definition. Layer: svc/cloudformation. */
#include "svc/cloudformation/cloudformation.h"

#include "base/mem.h"
#include "svc/cloudformation/cloudformation_int.h"

static enum err make(struct core *core, void **ret_self)
{
    struct cfn *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    c->core = core;
    enum err err = cfn_run_register(c);
    if (err == ERR_OK)
        err = cfn_sweep_register(c);
    if (err == ERR_OK)
        err = cfn_order_register(c);
    if (err) {
        cfn_run_release(c);
        mem_free(c);
        return err;
    }
    *ret_self = c;
    return ERR_OK;
}

static enum err start(void *self)
{
    return cfn_answers_claim(self);
}

static void release(void *self)
{
    if (self)
        cfn_run_release(self);
    mem_free(self);
}

const struct svc_def cloudformation_def = {
    .wire = &cloudformation_service,
    .make = make,
    .start = start,
    .release = release,
};
