/* Where each finished call passes: counters, the debug log, whoever listens. See observe.h. */
#include "core/observe.h"

#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/call_int.h"

void core_observe(struct core *core, struct core_observer *o)
{
    assert(core->impl && o->fn && !o->next);
    o->next = core->impl->observers;
    core->impl->observers = o;
}

/* The service that wants to see calls of its operations; NULL: there is none. */
static const struct svc *watching(const struct call_impl *c)
{
    const struct svc *svc = c->call.service ? core_svc(c->core, c->call.service) : NULL;
    return svc && svc->def->measure ? svc : NULL;
}

static struct core_seen seen_of(const struct call_impl *c)
{
    return (struct core_seen){
        .call = &c->call,
        .carrier = c->front->name,
        .op_name = c->routed.op_name,
        .routed = &c->routed,
        .in = c->in,
        .out = c->error ? NULL : c->out,
        .error = c->error,
        .error_message = c->error_message,
        .status = c->told_status,
        .duration_ns = c->told_ns,
        .request_bytes = c->request.body.p ? c->request.body.len : c->body_taken,
        .reply_bytes = c->reply_bytes,
        .streams = c->reply_stream != NULL,
    };
}

void call_streamed(struct call_impl *c)
{
    const struct svc *svc = watching(c);
    if (!svc || !svc->def->measure_end)
        return;
    const struct core_seen seen = seen_of(c);
    svc->def->measure_end(svc->self, &seen, clock_mono_ns() - c->start_ns);
}

void call_finished(struct call_impl *c, int status)
{
    assert(c->start_ns > 0 && status > 0);
    const struct svc *svc = watching(c);
    c->told_status = status;
    c->told_ns = clock_mono_ns() - c->start_ns;
    if (c->routed.op)
        metrics_call(c->core->impl->metrics, c->routed.op, c->claim, status, c->told_ns);
    log_debug("call", "%d " STR_FMT " " STR_FMT " who=" STR_FMT " us=%" PRId64 " id=" STR_FMT,
              status, STR_ARG(c->routed.service ? c->routed.service->name : STR("?")),
              STR_ARG(c->routed.op_name), STR_ARG(c->who.arn), c->told_ns / 1000,
              STR_ARG(c->call.request_id));
    if (!svc && !c->core->impl->observers)
        return;
    const struct core_seen seen = seen_of(c);
    if (svc)
        svc->def->measure(svc->self, &seen);
    for (struct core_observer *o = c->core->impl->observers; o; o = o->next)
        o->fn(o->arg, &seen);
}
