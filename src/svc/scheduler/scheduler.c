/* The service as a whole. Layer: svc/scheduler. Thread: see core/svc.h. */
#include "svc/scheduler/scheduler.h"

#include "base/mem.h"
#include "svc/scheduler/scheduler_int.h"

static void release(void *self)
{
    mem_free(self);
}

static enum err make(struct core *core, void **ret_self)
{
    struct scheduler *sc = mem_calloc(1, sizeof(*sc));
    if (!sc)
        return ERR_NOMEM;
    sc->core = core;
    enum err err = send_register(core->deliver);
    if (err == ERR_OK)
        err = scheduler_fire_register(sc);
    if (err == ERR_OK)
        err = scheduler_groups_register(sc);
    if (err) {
        release(sc);
        return err;
    }
    *ret_self = sc;
    return ERR_OK;
}

const struct svc_def scheduler_def = {
    .wire = &scheduler_service,
    .make = make,
    .release = release,
    .tags = &scheduler_tags,
};
