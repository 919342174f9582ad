/* The services of a process: made, started, stopped and released together, and their ports. svc.h
 * says in which order. */
#include <assert.h>

#include "base/mem.h"
#include "core/account.h"
#include "core/call_int.h"
#include "core/page.h"

enum err core_services_make(struct core *core, const struct svc_def *const *defs)
{
    assert(!core->svcs && core->n_svcs == 0);
    size_t n = 0;
    while (defs[n])
        n++;
    core->svcs = mem_calloc(n + 1, sizeof(*core->svcs));
    if (!core->svcs)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct svc *svc = &core->svcs[i];
        assert(defs[i]->wire);
        assert(defs[i]->n_targets == 0 || defs[i]->targets);
        if (defs[i]->make)
            TRY(defs[i]->make(core, &svc->self));
        svc->def = defs[i];
        core->n_svcs = i + 1;
        if (svc->def->identity)
            svc->def->identity(svc->self, &core->identity);
    }
    return ERR_OK;
}

enum err core_services_start(struct core *core)
{
    TRY(page_key_load(core));
    TRY(account_start(core));
    for (size_t i = 0; i < core->n_svcs; i++)
        if (core->svcs[i].def->start)
            TRY(core->svcs[i].def->start(core->svcs[i].self));
    return ERR_OK;
}

void core_services_begin_stop(struct core *core)
{
    for (size_t i = core->n_svcs; i > 0; i--)
        if (core->svcs[i - 1].def->begin_stop)
            core->svcs[i - 1].def->begin_stop(core->svcs[i - 1].self);
}

static void drain_next(void *arg)
{
    struct core *core = arg;
    struct core_drain *d = &core->impl->drain;
    while (d->left > 0) {
        const struct svc *svc = &core->svcs[--d->left];
        if (svc->def->drain) {
            svc->def->drain(svc->self, drain_next, core);
            return;
        }
    }
    d->done(d->arg);
}

static void drain_task(struct io_task *task)
{
    drain_next(CONTAINER_OF(task, struct core_impl, drain.task)->drain.core);
}

void core_services_drain(struct core *core, void (*done)(void *arg), void *arg)
{
    struct core_drain *d = &core->impl->drain;
    assert(!d->done); /* once */
    *d = (struct core_drain){
        .core = core, .left = core->n_svcs, .done = done, .arg = arg, .task = {.fn = drain_task}};
    io_post(core_home_loop(core), &d->task);
}

void core_services_release(struct core *core)
{
    if (core->impl) { /* claims are the services' */
        metrics_free_claims(core->impl->claims);
        core->impl->claims = NULL;
    }
    while (core->n_svcs > 0) {
        const struct svc *svc = &core->svcs[--core->n_svcs];
        if (svc->def->release)
            svc->def->release(svc->self);
    }
    mem_free(core->svcs);
    core->svcs = NULL;
    account_stop(core);
}

const void *core_port(const struct core *core, const char *service)
{
    for (size_t i = 0; i < core->n_svcs; i++) {
        const struct svc *svc = &core->svcs[i];
        if (str_eq_c(svc->def->wire->name, service))
            return svc->def->port ? svc->def->port(svc->self) : NULL;
    }
    return NULL;
}
