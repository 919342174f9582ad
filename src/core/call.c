/* What a handler can do with its call, and how calls come and go. See call.h. */
#include "core/call.h"

#include <assert.h>
#include <stdio.h>

#include "base/arn.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "core/call_int.h"
#include "core/trace.h"

/* --- life ------------------------------------------------------------------------------------- */

struct call_impl *call_new(struct core *core, struct io_loop *on, const struct call_front *front,
                           void *asker)
{
    int loop = io_loop_index(on);
    struct call_impl *c = core->impl->free_calls[loop].first;
    struct arena arena;
    if (c) {
        core->impl->free_calls[loop].first = c->next_free;
        core->impl->free_calls[loop].n--;
        assert(c->magic == 0 && c->arena.used == 0); /* freed, and not since written to */
        arena = c->arena;
    } else {
        c = mem_alloc(sizeof(*c));
        if (!c)
            return NULL;
        arena_init(&arena, CALL_ARENA_MAX);
    }
    memset(c, 0, sizeof(*c));
    c->magic = CALL_MAGIC;
    c->arena = arena;
    c->core = core;
    c->front = front;
    c->asker = asker;
    c->txn = (struct txn){.core = core, .arena = &c->arena, .loop = on};
    c->call = (struct call){
        .txn = &c->txn,
        .arena = &c->arena,
        .core = core,
        .loop = on,
        .account = core->cfg.account,
        .region = core->cfg.region,
        .partition = core->cfg.partition,
        .who = &c->who,
        .request = &c->request,
        .impl = c,
    };
    return c;
}

void call_free(struct call_impl *c)
{
    assert(c->magic == CALL_MAGIC);
    c->magic = 0;
    int loop = io_loop_index(c->call.loop);
    arena_clear(&c->arena);
    if (c->core->impl->free_calls[loop].n >= CORE_FREE_CALLS_MAX) {
        arena_release(&c->arena);
        mem_free(c);
        return;
    }
    assert(!c->asker && !c->txn.kv && !c->source.read);
    c->next_free = c->core->impl->free_calls[loop].first;
    c->core->impl->free_calls[loop].first = c;
    c->core->impl->free_calls[loop].n++;
}

enum err call_make_id(struct call_impl *c)
{
    char id[RNG_UUID_LEN + 1];
    size_t len = RNG_UUID_LEN;
    rng_uuid(id);
    if (c->routed.protocol == WIRE_REST_XML) {
        rng_text(id, 16, "0123456789ABCDEF");
        len = 16;
    }
    c->call.request_id = str_dup(&c->arena, str_n(id, len));
    return str_is_set(c->call.request_id) ? ERR_OK : ERR_NOMEM;
}

/* --- errors ----------------------------------------------------------------------------------- */

struct str call_trace_begin(struct call *call)
{
    struct call_impl *c = call->impl;
    char root[TRACE_ROOT_LEN + 1];
    if (str_is_set(c->trace))
        return c->trace;
    c->trace = wire_header_get(call->request, STR("x-amzn-trace-id"));
    if (!trace_root(c->trace).p)
        c->trace = str_fmt(call->arena, "Root=" STR_FMT,
                           STR_ARG(trace_root_make(root, call->txn->wall_ms)));
    return c->trace;
}

struct str call_trace(const struct call *call)
{
    const struct principal *who = call->who;
    if (str_is_set(call->impl->trace))
        return call->impl->trace;
    if (!who || (!str_is_set(who->role_arn) && who->kind != PRINCIPAL_SERVICE))
        return STR_NONE;
    return wire_header_get(call->request, STR("x-amzn-trace-id"));
}

static enum err set_error(struct call_impl *c, const struct wire_error *error, const char *fmt,
                          va_list ap)
{
    assert(c->phase != CALL_OVER);
    c->error = error;
    c->error_message = str_vfmt(&c->arena, fmt, ap);
    return ERR_FAILED;
}

enum err call_error(struct call *call, const struct wire_error *error, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    enum err err = set_error(call->impl, error, fmt, ap);
    va_end(ap);
    return err;
}

enum err call_error_common(struct call_impl *c, enum wire_common which, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const struct wire_service *service = c->routed.service;
    enum err err = set_error(c, service ? service->common[which] : NULL, fmt, ap);
    va_end(ap);
    return err;
}

struct str call_input_str(const struct call *call, struct str name)
{
    const void *in = call->impl->in;
    return in ? wire_input_str(call->op, in, name) : STR_NONE;
}

const void *call_input(const struct call *call)
{
    return call->impl->in;
}

bool call_brings_system_tags(const struct call *call)
{
    return call->impl->system_tags;
}

struct str call_via_service(const struct call *call)
{
    return call->impl->via.service;
}

void call_error_clear(struct call *call)
{
    struct call_impl *c = call->impl;
    c->error = NULL;
    c->error_message = STR_NONE;
    c->details = NULL;
}

struct str call_error_code(const struct call *call)
{
    return call->impl->error ? call->impl->error->code : STR_NONE;
}

const char *call_resource_kind(const struct call_impl *c)
{
    struct str path = str_sub(c->request.path, 1, SIZE_MAX);
    if (!str_is_set(c->routed.host_bucket)) {
        if (path.len == 0)
            return "SERVICE";
        (void)str_cut(&path, '/');
    }
    return str_is_set(path) && path.len > 0 ? "OBJECT" : "BUCKET";
}

bool call_error_some(struct call_impl *c, enum wire_common which, const char *why)
{
    const struct wire_service *s = c->routed.service;
    if (!s || !s->common[which])
        return false;
    (void)!call_error(&c->call, s->common[which], "%s", why);
    return true;
}

enum err call_error_fault(struct call_impl *c, const struct wire_fault *fault)
{
    c->error = fault->error;
    c->error_message = fault->message;
    if (str_is_set(fault->name)) {
        TRY(call_error_detail(&c->call, "ArgumentName", fault->name));
        TRY(call_error_detail(&c->call, "ArgumentValue", fault->value));
    }
    return ERR_FAILED;
}

struct str call_error_message(const struct call *call)
{
    return call->impl->error ? call->impl->error_message : STR_NONE;
}

enum err call_error_detail(struct call *call, const char *name, struct str value)
{
    struct call_detail *d = ARENA_NEW(call->arena, struct call_detail);
    if (!d)
        return ERR_NOMEM;
    *d = (struct call_detail){NULL, name, value};
    struct call_detail **end = &call->impl->details;
    while (*end)
        end = &(*end)->next;
    *end = d;
    return ERR_OK;
}

/* --- waiting ---------------------------------------------------------------------------------- */

enum err call_suspend(struct call *call, int64_t timeout_ms, void (*on_cancel)(struct call *call))
{
    struct call_impl *c = call->impl;
    if (c->within)
        return ERR_UNSUPPORTED;
    if (!c->is_busy) /* on a worker: it will ask again on the loop */
        TRY(io_timer_start(&c->timer, timeout_ms < 0 ? 0 : timeout_ms));
    c->on_cancel = on_cancel;
    return ERR_SUSPENDED;
}

void call_wake(struct call *call)
{
    struct call_impl *c = call->impl;
    assert(c->magic == CALL_MAGIC);
    if (!atomic_exchange(&c->wake_posted, true))
        io_post(c->call.loop, &c->wake_task);
}

/* --- the reply -------------------------------------------------------------------------------- */

enum err call_reply_header(struct call *call, struct str name, struct str value)
{
    struct call_impl *c = call->impl;
    if (c->n_reply_headers == c->cap_reply_headers) {
        size_t cap = c->cap_reply_headers ? c->cap_reply_headers * 2 : 8;
        struct http_header *grown = ARENA_ARRAY(&c->arena, struct http_header, cap);
        if (!grown)
            return ERR_NOMEM;
        if (c->n_reply_headers)
            memcpy(grown, c->reply_headers, c->n_reply_headers * sizeof(*grown));
        c->reply_headers = grown;
        c->cap_reply_headers = cap;
    }
    struct http_header h = {str_dup(&c->arena, name), str_dup(&c->arena, value)};
    if (!str_is_set(h.name) || !str_is_set(h.value))
        return ERR_NOMEM;
    c->reply_headers[c->n_reply_headers++] = h;
    return ERR_OK;
}

void call_reply_status(struct call *call, int status)
{
    call->impl->reply_status = status;
}

void call_reply_source(struct call *call, const struct call_source *source)
{
    struct call_impl *c = call->impl;
    assert(!c->source.read); /* one a call; a rerun handler starts without */
    assert(source->read && source->release && source->length > 0);
    c->source = *source;
}

void call_source_release(struct call_impl *c)
{
    if (c->source.read)
        c->source.release(c->source.ctx);
    c->source = (struct call_source){0};
}

void call_reply_raw(struct call *call, struct str content_type, struct str body)
{
    assert(!call->impl->reply_is_raw); /* one body a reply; a rerun handler starts without */
    struct call_impl *c = call->impl;
    c->reply_is_raw = true;
    c->raw_type = content_type;
    c->raw_body = body;
}

struct str call_arn(struct call *call, const char *service, const char *fmt, ...)
{
    struct arn arn = {.partition = call->partition,
                      .service = str_c(service),
                      .region = call->region,
                      .account = call->account};
    va_list ap;
    va_start(ap, fmt);
    struct str text = arn_vmake(call->arena, &arn, fmt, ap);
    va_end(ap);
    return text;
}
