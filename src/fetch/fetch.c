/* Requests on libcurl's multi interface, driven by the loop's polls and one timer.
 *
 * libcurl may not be called from inside its own callbacks, so what callers ask for there (cancel,
 * resume) is noted on the request and done by `sweep` on the loop's next turn. See fetch.h. */
#include "fetch/fetch.h"

#include <assert.h>
#include <unistd.h>

#include "base/mem.h"
#include "fetch/fetch_int.h"

struct fetch {
    struct fetch_config cfg;
    struct fetch_curl curl;
    CURLM *multi;
    uv_timer_t timer, sweeper;
    struct list ops;
    size_t n;
    int closing; /* handles still to be closed */
};

struct fetch_op {
    struct list link; /* fetch.ops */
    struct fetch *f;
    struct fetch_call call;
    struct arena arena; /* copies, and the answer's headers */
    CURL *easy;
    struct curl_slist *headers;
    struct fetch_header *answer;
    size_t answer_n, answer_bytes;
    int64_t received, sent;
    int status;
    bool cancelled, resumed, added, denied;
    enum err err; /* why we made libcurl stop */
    char why[CURL_ERROR_SIZE];
};

struct watch {
    uv_poll_t poll;
    struct fetch *f;
    curl_socket_t socket;
};

static void op_free(struct fetch_op *op)
{
    struct fetch *f = op->f;
    if (op->added)
        f->curl.curl_multi_remove_handle_(f->multi, op->easy);
    if (op->easy)
        f->curl.curl_easy_cleanup_(op->easy);
    if (op->headers)
        f->curl.curl_slist_free_all_(op->headers);
    list_remove(&op->link);
    f->n--;
    arena_release(&op->arena);
    mem_free(op);
}

/* --- the answer -------------------------------------------------------------------------------------- */

static enum err error_of(const struct fetch_op *op, CURLcode code)
{
    if (op->err != ERR_OK)
        return op->err;
    switch (code) {
    case CURLE_OK:
        return ERR_OK;
    case CURLE_OUT_OF_MEMORY:
        return ERR_NOMEM;
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
        return ERR_NOT_FOUND;
    case CURLE_COULDNT_CONNECT:
        return op->denied ? ERR_DENIED : ERR_CLOSED;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return ERR_CLOSED;
    case CURLE_URL_MALFORMAT:
        return ERR_INVALID;
    default:
        return ERR_IO;
    }
}

static size_t stop(struct fetch_op *op, enum err err)
{
    op->err = err;
    return 0;
}

static enum err header_add(struct fetch_op *op, struct str line)
{
    struct str value = line;
    struct str name = str_cut(&value, ':');
    if (!str_is_set(value))
        return ERR_OK;
    if (op->answer_n == FETCH_HEADERS_MAX)
        return ERR_LIMIT;
    if (!op->answer)
        op->answer = ARENA_ARRAY(&op->arena, struct fetch_header, FETCH_HEADERS_MAX);
    struct fetch_header h = {str_dup(&op->arena, name), str_dup(&op->arena, str_trim(value))};
    if (!op->answer || !str_is_set(h.name) || !str_is_set(h.value))
        return ERR_NOMEM;
    op->answer[op->answer_n++] = h;
    return ERR_OK;
}

/* One line at a time; an empty one ends the head. 1xx heads come before the real one. */
static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct fetch_op *op = arg;
    struct str line = str_trim(str_n(p, size * n));
    long status = 0;
    op->answer_bytes += size * n;
    if (op->cancelled || op->answer_bytes > FETCH_HEADERS_BYTES_MAX)
        return stop(op, ERR_LIMIT);
    if (str_starts(line, STR("HTTP/")) && op->status == 0) {
        op->answer_n = 0;
        return size * n;
    }
    if (line.len > 0) {
        enum err err = op->status ? ERR_OK : header_add(op, line); /* trailers are dropped */
        return err == ERR_OK ? size * n : stop(op, err);
    }
    op->f->curl.curl_easy_getinfo_(op->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || op->status)
        return size * n;
    op->status = (int)status;
    if (op->call.head &&
        op->call.head(op->call.arg, op->status, op->answer, op->answer_n) == FETCH_ABORT)
        return stop(op, ERR_FAILED);
    return size * n;
}

static size_t on_data(char *p, size_t size, size_t n, void *arg)
{
    struct fetch_op *op = arg;
    if (op->cancelled)
        return stop(op, ERR_FAILED);
    if ((int64_t)n > op->call.response_bytes_max - op->received)
        return stop(op, ERR_LIMIT);
    enum fetch_flow flow =
        op->call.data ? op->call.data(op->call.arg, str_n(p, size * n)) : FETCH_GO;
    if (flow == FETCH_PAUSE)
        return CURL_WRITEFUNC_PAUSE;
    if (flow == FETCH_ABORT)
        return stop(op, ERR_FAILED);
    op->received += (int64_t)(size * n);
    return size * n;
}

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
    struct fetch_op *op = arg;
    size_t got = 0;
    enum fetch_flow flow = FETCH_ABORT;
    if (!op->cancelled && op->call.read)
        flow = op->call.read(op->call.arg, p, size * n, &got);
    if (flow == FETCH_PAUSE)
        return CURL_READFUNC_PAUSE;
    if (flow == FETCH_ABORT) {
        op->err = ERR_FAILED;
        return CURL_READFUNC_ABORT;
    }
    assert(got <= size * n);
    return got;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct fetch_op *op = arg;
    if (fetch_is_denied(&address->addr, op->f->cfg.allow_loopback)) { /* FE3 */
        op->denied = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- libcurl and the loop ------------------------------------------------------------------------------ */

static void finish(struct fetch *f)
{
    CURLMsg *m;
    int left;
    while ((m = f->curl.curl_multi_info_read_(f->multi, &left)) != NULL) {
        struct fetch_op *op = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        CURLcode code = m->data.result;
        f->curl.curl_easy_getinfo_(m->easy_handle, CURLINFO_PRIVATE, (char **)&op);
        assert(op && op->easy == m->easy_handle);
        enum err err = error_of(op, code);
        struct str why = str_c(op->why[0] ? op->why : f->curl.curl_easy_strerror_(code));
        if (!op->cancelled) {
            op->cancelled = true; /* a cancel from inside `done` is harmless */
            op->call.done(op->call.arg, err, err == ERR_OK ? STR("") : why);
        }
        op_free(op);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *w = CONTAINER_OF(poll, struct watch, poll);
    struct fetch *f = w->f;
    int running, flags = status < 0 ? CURL_CSELECT_ERR : 0;
    flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    f->curl.curl_multi_socket_action_(f->multi, w->socket, flags, &running);
    finish(f);
}

static void on_timer(uv_timer_t *timer)
{
    struct fetch *f = CONTAINER_OF(timer, struct fetch, timer);
    int running;
    f->curl.curl_multi_socket_action_(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish(f);
}

static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct fetch *f = arg;
    if (timeout_ms < 0)
        uv_timer_stop(&f->timer);
    else
        uv_timer_start(&f->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static void watch_closed(uv_handle_t *handle)
{
    mem_free(CONTAINER_OF((uv_poll_t *)handle, struct watch, poll));
}

static int set_socket(CURL *easy, curl_socket_t s, int what, void *arg, void *socket_arg)
{
    struct fetch *f = arg;
    struct watch *w = socket_arg;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, watch_closed);
            f->curl.curl_multi_assign_(f->multi, s, NULL);
        }
        return 0;
    }
    if (!w) {
        w = mem_calloc(1, sizeof(*w));
        if (!w)
            return -1;
        w->f = f;
        w->socket = s;
        if (uv_poll_init_socket(io_loop_uv(f->cfg.loop), &w->poll, s) != 0) {
            mem_free(w);
            return -1;
        }
        f->curl.curl_multi_assign_(f->multi, s, w);
    }
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&w->poll, events, on_poll) == 0 ? 0 : -1;
}

/* What was asked for since the last turn. `done`s that resuming leads to may start or cancel others,
 * so the list is begun anew after each. */
static void sweep(uv_timer_t *sweeper)
{
    struct fetch *f = CONTAINER_OF(sweeper, struct fetch, sweeper);
    LIST_EACH_SAFE (&f->ops, it, tmp) {
        struct fetch_op *op = CONTAINER_OF(it, struct fetch_op, link);
        if (op->cancelled)
            op_free(op);
    }
    LIST_EACH (&f->ops, it) {
        struct fetch_op *op = CONTAINER_OF(it, struct fetch_op, link);
        if (!op->resumed)
            continue;
        op->resumed = false;
        f->curl.curl_easy_pause_(op->easy, CURLPAUSE_CONT);
    }
    int running;
    f->curl.curl_multi_socket_action_(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish(f);
}

void fetch_cancel(struct fetch_op *op)
{
    op->cancelled = true;
    uv_timer_start(&op->f->sweeper, sweep, 0, 0);
}

void fetch_resume(struct fetch_op *op)
{
    op->resumed = true;
    uv_timer_start(&op->f->sweeper, sweep, 0, 0);
}

/* --- starting -------------------------------------------------------------------------------------------- */

static enum err set_headers(struct fetch_op *op)
{
    const struct fetch_curl *c = &op->f->curl;
    struct str fixed[] = {STR("Expect:"), STR("Accept:")}; /* libcurl's own are not wanted */
    for (size_t i = 0; i < ARRAY_LEN(fixed) + op->call.headers_n; i++) {
        const struct fetch_header *h =
            i < ARRAY_LEN(fixed) ? NULL : &op->call.headers[i - ARRAY_LEN(fixed)];
        /* "Name;" is how libcurl spells a header without value. */
        struct str line =
            !h ? fixed[i]
            : str_empty(str_trim(h->value))
                ? str_fmt(&op->arena, STR_FMT ";", STR_ARG(h->name))
                : str_fmt(&op->arena, STR_FMT ": " STR_FMT, STR_ARG(h->name), STR_ARG(h->value));
        struct curl_slist *longer =
            str_is_set(line) ? c->curl_slist_append_(op->headers, line.p) : NULL;
        if (!longer)
            return ERR_NOMEM;
        op->headers = longer;
    }
    op->call.headers = NULL; /* the caller's */
    return ERR_OK;
}

/* Settings that cannot fail but for memory. */
static enum err set_options(struct fetch_op *op)
{
    const struct fetch_call *call = &op->call;
    CURLcode bad = CURLE_OK;
    char *url = str_cstr(&op->arena, call->url), *method = str_cstr(&op->arena, call->method);
    struct str body = str_dup(&op->arena, call->body);
    if (!url || !method || (str_is_set(call->body) && !str_is_set(body)))
        return ERR_NOMEM;
#define SET(option, value) bad |= op->f->curl.curl_easy_setopt_(op->easy, option, value)
    SET(CURLOPT_PRIVATE, op);
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(CURLOPT_HTTPHEADER, op->headers);
    SET(CURLOPT_ERRORBUFFER, op->why);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_OPENSOCKETDATA, op);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, op);
    SET(CURLOPT_WRITEFUNCTION, on_data);
    SET(CURLOPT_WRITEDATA, op);
    SET(CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_timeout_ms);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)call->idle_timeout_s);
    if (op->f->cfg.ca_file)
        SET(CURLOPT_CAINFO, op->f->cfg.ca_file);
    if (call->read) {
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_READFUNCTION, on_read);
        SET(CURLOPT_READDATA, op);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->body_bytes);
    } else if (str_is_set(body)) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        SET(CURLOPT_POSTFIELDS, body.p);
    } else if (str_eq_c(call->method, "HEAD")) {
        SET(CURLOPT_NOBODY, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, method);
#undef SET
    return bad == CURLE_OK ? ERR_OK : ERR_NOMEM;
}

static void set_defaults(struct fetch_call *call)
{
    call->response_bytes_max =
        call->response_bytes_max ? call->response_bytes_max : FETCH_BODY_BYTES_MAX;
    call->timeout_ms = call->timeout_ms ? call->timeout_ms : FETCH_TIMEOUT_MS;
    call->connect_timeout_ms =
        call->connect_timeout_ms ? call->connect_timeout_ms : FETCH_CONNECT_TIMEOUT_MS;
    call->idle_timeout_s = call->idle_timeout_s ? call->idle_timeout_s : FETCH_IDLE_TIMEOUT_S;
}

static enum err multi_start(struct fetch *f)
{
    if (f->multi)
        return ERR_OK;
    TRY(fetch_curl_load(&f->curl));
    f->multi = f->curl.curl_multi_init_();
    if (!f->multi)
        return ERR_NOMEM;
    f->curl.curl_multi_setopt_(f->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    f->curl.curl_multi_setopt_(f->multi, CURLMOPT_SOCKETDATA, f);
    f->curl.curl_multi_setopt_(f->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    f->curl.curl_multi_setopt_(f->multi, CURLMOPT_TIMERDATA, f);
    f->curl.curl_multi_setopt_(f->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, f->cfg.connections_max);
    f->curl.curl_multi_setopt_(f->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                               f->cfg.host_connections_max);
    f->curl.curl_multi_setopt_(f->multi, CURLMOPT_MAXCONNECTS, f->cfg.host_connections_max);
    return ERR_OK;
}

enum err fetch_start(struct fetch *f, const struct fetch_call *call, struct fetch_op **ret_op)
{
    assert(call->done);
    TRY(fetch_check(call));
    if (f->n >= (size_t)f->cfg.requests_max)
        return ERR_LIMIT;
    TRY(multi_start(f));
    struct fetch_op *op = mem_calloc(1, sizeof(*op));
    if (!op)
        return ERR_NOMEM;
    op->f = f;
    op->call = *call;
    set_defaults(&op->call);
    arena_init(&op->arena, call->body.len + 8 * FETCH_HEADERS_BYTES_MAX);
    list_push_back(&f->ops, &op->link);
    f->n++;
    op->easy = f->curl.curl_easy_init_();
    enum err err = op->easy ? set_headers(op) : ERR_NOMEM;
    if (err == ERR_OK)
        err = set_options(op);
    if (err == ERR_OK && f->curl.curl_multi_add_handle_(f->multi, op->easy) != CURLM_OK)
        err = ERR_IO;
    op->added = err == ERR_OK;
    if (err != ERR_OK)
        op_free(op);
    else if (ret_op)
        *ret_op = op;
    return err;
}

enum err fetch_new(const struct fetch_config *cfg, struct fetch **ret_fetch)
{
    struct fetch *f = mem_calloc(1, sizeof(*f));
    if (!f)
        return ERR_NOMEM;
    f->cfg = *cfg;
    if (!f->cfg.connections_max)
        f->cfg.connections_max = FETCH_CONNECTIONS_MAX;
    if (!f->cfg.host_connections_max)
        f->cfg.host_connections_max = FETCH_HOST_CONNECTIONS_MAX;
    if (!f->cfg.requests_max)
        f->cfg.requests_max = FETCH_REQUESTS_MAX;
    list_init(&f->ops);
    uv_timer_init(io_loop_uv(cfg->loop), &f->timer);
    uv_timer_init(io_loop_uv(cfg->loop), &f->sweeper);
    *ret_fetch = f;
    return ERR_OK;
}

static void timer_closed(uv_handle_t *handle)
{
    struct fetch *f = handle->data;
    if (--f->closing == 0)
        mem_free(f);
}

void fetch_free(struct fetch *f)
{
    if (!f)
        return;
    while (!list_empty(&f->ops))
        op_free(CONTAINER_OF(f->ops.next, struct fetch_op, link));
    if (f->multi)
        f->curl.curl_multi_cleanup_(f->multi);
    f->closing = 2;
    f->timer.data = f->sweeper.data = f;
    uv_close((uv_handle_t *)&f->timer, timer_closed);
    uv_close((uv_handle_t *)&f->sweeper, timer_closed);
}
