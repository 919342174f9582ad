/* The process-wide state of the core: services, custom routes, overload. See core.h. */
#include "core/core.h"

#include <assert.h>

#include "base/mem.h"
#include "core/call_int.h"
#include "core/secret.h"

/* What a loop committed in one turn becomes durable by one sync. `arg` is the store, which is closed
 * after the loops are freed. */
static void before_wait(void *arg)
{
    kv_kick(arg);
}

enum err core_start(struct core *core)
{
    assert(core->n_loops > 0 && core->n_loops <= CORE_LOOPS_MAX);
    struct core_impl *impl = mem_calloc(1, sizeof(*impl));
    if (!impl)
        return ERR_NOMEM;
    core->impl = impl;
    secret_key_init(core);
    map_init(&impl->told);
    pthread_mutex_init(&impl->told_lock, NULL);
    impl->wires = mem_calloc(core->n_svcs, sizeof(*impl->wires));
    impl->metrics = metrics_new(core);
    core->policies = policy_cache_new();
    if (!impl->wires || !impl->metrics || !core->policies) {
        core_stop(core);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < core->n_svcs; i++) {
        impl->wires[i] = core->svcs[i].def->wire;
        /* A table beyond the limit is a bug of the build. */
        assert(wire_labels_fit(impl->wires[i]));
    }
    for (size_t i = 0; i < core->n_loops; i++)
        io_loop_before_wait(core->loops[i], before_wait, core->kv);
    return ERR_OK;
}

void core_stop(struct core *core)
{
    struct core_impl *impl = core->impl;
    if (!impl)
        return;
    for (size_t i = 0; i < CORE_LOOPS_MAX; i++) {
        while (impl->free_calls[i].first) {
            struct call_impl *c = impl->free_calls[i].first;
            impl->free_calls[i].first = c->next_free;
            arena_release(&c->arena);
            mem_free(c);
        }
    }
    map_release(&impl->told);
    pthread_mutex_destroy(&impl->told_lock);
    metrics_free_claims(impl->claims);
    metrics_free(impl->metrics);
    mem_free(impl->wires);
    policy_cache_free(core->policies);
    core->policies = NULL;
    mem_free(impl);
    core->impl = NULL;
}

static void idle(struct io_task *task)
{
    struct core_impl *impl = CONTAINER_OF(task, struct core_impl, idle_task);
    atomic_store(&impl->idle_posted, false);
    if (!atomic_load(&impl->idle_wanted) || atomic_load(&impl->running) || atomic_load(&impl->jobs))
        return; /* something began again: its end comes here again */
    atomic_store(&impl->idle_wanted, false);
    impl->idle_fn(impl->idle_arg);
}

static void check_idle(struct core *core)
{
    struct core_impl *impl = core->impl;
    if (!atomic_load(&impl->idle_wanted) || atomic_load(&impl->running) || atomic_load(&impl->jobs))
        return;
    if (!atomic_exchange(&impl->idle_posted, true))
        io_post(core_home_loop(core), &impl->idle_task);
}

void core_one_less(struct core *core, _Atomic size_t *counter)
{
    atomic_fetch_sub(counter, 1);
    check_idle(core);
}

void core_when_idle(struct core *core, void (*fn)(void *arg), void *arg)
{
    core->impl->idle_fn = fn;
    core->impl->idle_arg = arg;
    core->impl->idle_task.fn = idle;
    atomic_store(&core->impl->idle_wanted, true);
    check_idle(core);
}

const struct svc *core_svc(struct core *core, const struct wire_service *wire)
{
    for (size_t i = 0; i < core->n_svcs; i++)
        if (core->svcs[i].def->wire == wire)
            return &core->svcs[i];
    return NULL;
}

void core_add_route(struct core *core, const char *path_prefix,
                    void (*fn)(void *arg, struct http_req *req), void *arg)
{
    struct core_impl *impl = core->impl;
    assert(impl->n_routes < CORE_ROUTES_MAX);
    impl->routes[impl->n_routes++] = (struct core_route){str_c(path_prefix), fn, arg};
}

void core_memory_changes(struct core *core)
{
    uint64_t seq = kv_last_seq(core->kv);
    uint64_t old = atomic_load(&core->memory_seq);
    while (old < seq && !atomic_compare_exchange_weak(&core->memory_seq, &old, seq)) {
    }
}

void core_metrics(struct core *core, struct buf *b)
{
    metrics_put(core->impl->metrics, core, b);
    for (size_t i = 0; i < core->n_svcs; i++)
        if (core->svcs[i].def->metrics)
            core->svcs[i].def->metrics(core->svcs[i].self, b);
}
