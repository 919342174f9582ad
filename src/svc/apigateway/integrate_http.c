/* Integrations that ask over HTTP. See integrate.h.
 *
 * Source: API Gateway Developer Guide, "HTTP integrations for REST APIs in API Gateway", "Important
 * notes" (headers that are dropped).
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "base/mem.h"
#include "svc/apigateway/integrate.h"

enum err integrate_http_init(struct integrate_http *h, struct core *core)
{
    h->core = core;
    h->loops = mem_calloc(core->n_loops, sizeof(struct fetch *));
    return h->loops ? ERR_OK : ERR_NOMEM;
}

void integrate_http_release(struct integrate_http *h)
{
    for (size_t i = 0; h->loops && i < h->core->n_loops; i++)
        if (h->loops[i])
            fetch_free(h->loops[i]);
    mem_free(h->loops);
    h->loops = NULL;
}

static enum err fetch_of(struct integrate_http *h, struct io_loop *loop, struct fetch **ret_fetch)
{
    struct fetch **at = &h->loops[io_loop_index(loop)];
    const struct fetch_config cfg = {.loop = loop,
                                     .allow_loopback = h->core->cfg.outgoing_loopback};
    if (!*at)
        TRY(fetch_new(&cfg, at));
    *ret_fetch = *at;
    return ERR_OK;
}

/* --- the answer ------------------------------------------------------------------------------- */

/* What flows must be refused before it does. */
static bool too_long(const struct integrate_ask *ask, const struct fetch_header *h)
{
    int64_t length;
    return str_eq_nocase(h->name, STR("content-length")) && !str_eq_c(ask->http_method, "HEAD") &&
           (str_to_i64(h->value, &length) != ERR_OK || length > SERVE_BODY_MAX);
}

static enum fetch_flow on_head(void *arg, int status, const struct fetch_header *headers, size_t n)
{
    struct integrate_wait *w = arg;
    struct arena *a = w->call->arena;
    w->answer.status = status;
    for (size_t i = 0; i < n; i++)
        if (too_long(w->ask, &headers[i]) ||
            map_made_add(a, &w->answer.header, str_dup(a, headers[i].name),
                         str_dup(a, headers[i].value)) != ERR_OK)
            return FETCH_ABORT;
    w->answer.selection = str_fmt(a, "%d", status);
    w->may_flow = w->ask->may_flow && (!w->ask->flows || w->ask->flows(w->ask->arg, &w->answer));
    return a->failed ? FETCH_ABORT : FETCH_GO;
}

/* The reply takes it from here: at once, or when it asks for more. */
static void tell_reader(struct integrate_wait *w)
{
    if (w->flows && !w->asleep)
        return;
    w->flows = true;
    w->asleep = false;
    call_wake(w->call);
}

static enum fetch_flow on_data(void *arg, struct str piece)
{
    struct integrate_wait *w = arg;
    if (w->may_flow && w->body.len && w->body.len + piece.len > INTEGRATE_FLOW_BYTES) {
        w->paused = true;
        tell_reader(w);
        return FETCH_PAUSE;
    }
    buf_add_str(&w->body, piece);
    if (w->flows)
        tell_reader(w);
    return buf_err(&w->body) ? FETCH_ABORT : FETCH_GO;
}

static enum integrate_fault fault_of(enum err err)
{
    switch (err) {
    case ERR_TIMEOUT:
        return INTEGRATE_TIMED_OUT;
    case ERR_LIMIT:
    case ERR_FAILED:
        return INTEGRATE_TOO_LARGE;
    case ERR_DENIED:
    case ERR_NOMEM:
        return INTEGRATE_MISCONFIGURED;
    default:
        return INTEGRATE_UNREACHABLE;
    }
}

static void on_done(void *arg, enum err err, struct str why)
{
    struct integrate_wait *w = arg;
    struct arena *a = w->call->arena;
    w->fetch = NULL;
    w->done = true;
    if (w->flows) {
        w->broken = err != ERR_OK;
        tell_reader(w);
        return;
    }
    if (err) {
        w->answer = (struct integrate_answer){.fault = fault_of(err), .why = str_dup(a, why)};
    } else {
        w->answer.body = buf_str(&w->body);
    }
    call_wake(w->call);
}

/* --- the request ------------------------------------------------------------------------------ */

/* The endpoint, and behind its own query string that of the mappings. */
static enum err make_url(struct arena *a, const struct integrate_ask *ask, struct str *ret_url)
{
    struct buf b;
    bool first = str_find(ask->uri, '?') == SIZE_MAX;
    buf_init_arena(&b, a, FETCH_URL_BYTES_MAX);
    buf_add_str(&b, ask->uri);
    for (size_t i = 0; i < ask->query.n; i++) {
        buf_add_byte(&b, first ? '?' : '&');
        percent_put(&b, ask->query.v[i].name, false);
        buf_add_byte(&b, '=');
        percent_put(&b, ask->query.v[i].value, false);
        first = false;
    }
    *ret_url = buf_str(&b);
    return buf_err(&b);
}

/* What is the connection's own business. */
static bool is_ours(struct str name)
{
    static const char *const names[] = {
        "host", "content-length", "connection", "keep-alive",          "expect",
        "te",   "trailer",        "upgrade",    "proxy-authorization", "transfer-encoding"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_c(names[i])))
            return true;
    return false;
}

static enum err begin(struct integrate_wait *w, struct fetch *f, const struct integrate_ask *ask)
{
    struct fetch_header h[FETCH_HEADERS_MAX];
    size_t n = 0;
    struct str url;
    TRY(make_url(w->call->arena, ask, &url));
    for (size_t i = 0; i < ask->header.n; i++) {
        if (is_ours(ask->header.v[i].name))
            continue;
        if (n == FETCH_HEADERS_MAX)
            return ERR_LIMIT;
        h[n++] = (struct fetch_header){ask->header.v[i].name, ask->header.v[i].value};
    }
    buf_init_arena(&w->body, w->call->arena, SERVE_BODY_MAX);
    return fetch_start(f,
                       &(struct fetch_call){
                           .method = ask->http_method,
                           .url = url,
                           .headers = h,
                           .headers_n = n,
                           .body = ask->body.len ? ask->body : STR_NONE,
                           .head = on_head,
                           .data = on_data,
                           .done = on_done,
                           .arg = w,
                           .response_bytes_max = SERVE_BODY_MAX,
                           /* Until it flows the call's own time-out holds. */
                           .timeout_ms = ask->may_flow ? INTEGRATE_FLOW_MS : ask->timeout_ms,
                       },
                       &w->fetch);
}

enum err integrate_http(struct integrate_wait *w, struct integrate_http *h,
                        const struct integrate_ask *ask)
{
    struct fetch *f;
    TRY(fetch_of(h, w->call->loop, &f));
    w->answer = (struct integrate_answer){0};
    enum err err = begin(w, f, ask);
    if (err == ERR_NOMEM || err == ERR_OK)
        return err;
    w->done = true;
    w->answer = (struct integrate_answer){.fault = err == ERR_INVALID || err == ERR_UNSUPPORTED
                                                       ? INTEGRATE_MISCONFIGURED
                                                       : INTEGRATE_UNREACHABLE,
                                          .why = STR("The endpoint cannot be asked")};
    return ERR_OK;
}
