/* The AWS Lambda Runtime API of one instance, on a loopback port of its own (that is how instances
 * are told apart: standard runtimes can send no token).
 *
 *   GET  /2018-06-01/runtime/invocation/next            waits; 200 with the event
 *   POST /2018-06-01/runtime/invocation/{id}/response   202; 413 when too large
 *        with Lambda-Runtime-Function-Response-Mode: streaming it is handed on as it comes; trailers
 *        Lambda-Runtime-Function-Error-Type and -Body (base64) tell of an error on the way
 *   POST /2018-06-01/runtime/invocation/{id}/error      202
 *   POST /2018-06-01/runtime/init/error                 202
 *   /2020-01-01/extension/..., /2020-08-15/logs, /2022-07-01/telemetry   403: no extensions
 * Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
 *
 * Layer: sandbox. Thread: the home loop. */
#include <assert.h>
#include <stdio.h>

#include "base/log.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "sandbox/sandbox_int.h"

enum {
    NEXT_HEADERS_MAX = 8,
    NEVER_MS = 1000000000,
    UPLOAD_MAX = 1024 * 1024 * 1024, /* bytes of an answer that are read, kept or not */
};

static const struct http_header json_type = {STR_INIT("Content-Type"),
                                             STR_INIT("application/json")};

static void reply_error(struct http_req *req, int status, const char *type, const char *message)
{
    char text[256];
    int n = snprintf(text, sizeof text, "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}", message,
                     type);
    http_reply(req, status, &json_type, 1, str_n(text, (size_t)n));
}

static void reply_accepted(struct http_req *req)
{
    http_reply(req, 202, &json_type, 1, STR("{\"status\":\"OK\"}"));
}

static void reply_transition(struct http_req *req)
{
    reply_error(req, 403, "InvalidStateTransition", "State transition is not allowed");
}

/* --- uploads ---------------------------------------------------------------------------------- */

/* "errorType" of an error document, when the header does not say it. */
static struct str error_type_of(struct http_req *req, struct str body)
{
    struct str type = http_header(req, STR("Lambda-Runtime-Function-Error-Type"));
    struct json *doc = NULL;
    if (type.len)
        return type;
    if (body.len <= SANDBOX_ERROR_BODY_MAX && json_parse(req->arena, body, &doc, NULL) == ERR_OK)
        type = json_get_str(doc, STR("errorType"));
    return type.len ? type : STR("Unhandled");
}

static void upload_done(struct sandbox_instance *in, struct http_req *req)
{
    struct rapi *api = &in->api;
    /* The type outlives the request's arena: the reply ends that. */
    struct buf body = api->body;
    assert(api->upload == req);
    enum rapi_upload kind = api->upload_kind;
    char type_text[SANDBOX_ERROR_TYPE_MAX];
    struct str type = STR_NONE;
    if (kind != RAPI_RESPONSE) {
        struct str t = error_type_of(req, buf_str(&body));
        t.len = min_size(t.len, sizeof type_text);
        memcpy(type_text, t.p, t.len);
        type = str_n(type_text, t.len);
    }
    buf_init(&api->body, SANDBOX_RESPONSE_MAX);
    api->upload = NULL;
    reply_accepted(req);
    if (kind == RAPI_INIT_ERROR)
        in->api.told->init_error(in, type, buf_str(&body));
    else
        in->api.told->answered(in, kind == RAPI_RESPONSE ? SANDBOX_OK : SANDBOX_FUNCTION_ERROR,
                               type, buf_str(&body));
    buf_release(&body);
}

static void upload_failed(struct sandbox_instance *in, struct http_req *req, bool too_large)
{
    struct rapi *api = &in->api;
    enum rapi_upload kind = api->upload_kind;
    assert(api->upload == req);
    api->upload = NULL;
    buf_clear(&api->body);
    if (!too_large) {
        reply_error(req, 400, "BadRequest", "The request's body could not be read");
        return;
    }
    reply_error(req, 413, "RequestEntityTooLarge",
                "Exceeded maximum allowed payload size (6291556 bytes).");
    if (kind == RAPI_INIT_ERROR)
        in->api.told->init_error(in, STR("Runtime.Unknown"), STR(""));
    else
        in->api.told->answered(in, SANDBOX_RESPONSE_TOO_LARGE, STR("Function.ResponseSizeTooLarge"),
                               STR(""));
}

/* --- streamed responses ----------------------------------------------------------------------- */

static struct str trailer(const struct http_req *req, struct str name)
{
    for (size_t i = 0; i < req->n_trailers; i++)
        if (str_eq_nocase(req->trailers[i].name, name))
            return req->trailers[i].value;
    return STR_NONE;
}

/* The response ended, whole or not. The document of its error lives in `text`. */
static void streamed_end(struct sandbox_instance *in, struct http_req *req, struct str type,
                         struct str error)
{
    enum { BYTES_MAX = SANDBOX_ERROR_TYPE_MAX + SANDBOX_ERROR_BODY_MAX };
    char type_text[SANDBOX_ERROR_TYPE_MAX];
    struct buf text;
    buf_init(&text, BYTES_MAX);
    buf_add_str(&text, error); /* the reply ends the request's memory */
    type.len = min_size(type.len, sizeof type_text);
    if (type.len)
        memcpy(type_text, type.p, type.len);
    bool failed = type.len > 0;
    in->api.upload = NULL;
    in->api.streamed = false;
    reply_accepted(req);
    in->api.told->answered(in, failed ? SANDBOX_FUNCTION_ERROR : SANDBOX_OK,
                           failed ? str_n(type_text, type.len) : STR_NONE,
                           buf_err(&text) == ERR_OK ? buf_str(&text) : STR("{}"));
    buf_release(&text);
}

static bool failed_on_the_way(const struct http_req *req)
{
    return trailer(req, STR("Lambda-Runtime-Function-Error-Type")).len > 0;
}

/* What the trailers tell of an error. */
static void streamed_last(struct sandbox_instance *in, struct http_req *req)
{
    struct str type = trailer(req, STR("Lambda-Runtime-Function-Error-Type"));
    struct str coded = trailer(req, STR("Lambda-Runtime-Function-Error-Body")), error = STR("");
    if (coded.p && base64_decode(req->arena, coded, &error) != ERR_OK)
        error = STR("{}");
    streamed_end(in, req, type, error);
}

static void on_streamed(struct http_req *req, const void *p, size_t len, bool last, enum err err)
{
    struct sandbox_instance *in = req->user;
    struct rapi *api = &in->api;
    bool serves =
        in->state == SANDBOX_BUSY && in->inv && in->handed; /* else it passed its deadline */
    api->streamed_bytes += len;
    if (err != ERR_OK || api->streamed_bytes > SANDBOX_STREAMED_MAX) {
        bool large = err == ERR_OK || err == ERR_LIMIT;
        streamed_end(
            in, req,
            large ? STR("Function.ResponseSizeTooLarge") : STR("Runtime.TruncatedResponse"),
            large ? STR("{\"errorType\":\"Function.ResponseSizeTooLarge\",\"errorMessage\":"
                        "\"Response payload size exceeded maximum allowed payload size.\"}")
                  : STR("{\"errorType\":\"Runtime.TruncatedResponse\",\"errorMessage\":"
                        "\"The response broke off.\"}"));
        return;
    }
    if (serves && len > 0 && !in->inv->on_piece(in->inv, str_n(p, len)) && !last)
        http_body_pause(req);
    if (last)
        streamed_last(in, req);
}

void sandbox_instance_resume(struct sandbox_instance *in)
{
    if (in->api.upload && in->api.streamed)
        http_body_resume(in->api.upload);
}

/* False: it is taken whole. */
static bool stream(struct sandbox_instance *in, struct http_req *req)
{
    struct sandbox_invoke *inv = in->inv;
    struct str mode = http_header(req, STR("Lambda-Runtime-Function-Response-Mode"));
    if (!inv->on_piece || !str_eq_nocase(mode, STR("streaming")))
        return false;
    in->api.streamed = in->api.stream_begun = true;
    in->api.streamed_bytes = 0;
    inv->on_head(inv, http_header(req, STR("Content-Type")));
    http_body_start(req, UINT64_MAX, on_streamed);
    return true;
}

/* --- whole ones ------------------------------------------------------------------------------- */

static void on_body(struct http_req *req, const void *p, size_t len, bool last, enum err err)
{
    struct sandbox_instance *in = req->user;
    struct rapi *api = &in->api;
    /* An answer that is too large is read to its end, without being kept: a client that is still
     * sending would not see the reply but a broken connection. */
    buf_add(&api->body, p, len);
    if (err != ERR_OK || buf_err(&api->body) == ERR_NOMEM)
        upload_failed(in, req, err == ERR_LIMIT);
    else if (last && buf_err(&api->body) == ERR_LIMIT)
        upload_failed(in, req, true);
    else if (last && api->upload_kind == RAPI_RESPONSE && failed_on_the_way(req)) {
        buf_clear(&api->body); /* streamed, to who takes it whole */
        streamed_last(in, req);
    } else if (last)
        upload_done(in, req);
}

static void upload(struct sandbox_instance *in, struct http_req *req, enum rapi_upload kind)
{
    /* Nor is there a second answer after one that was handed on and broke off. */
    if (in->api.upload || (kind == RAPI_RESPONSE && in->api.stream_begun)) {
        reply_transition(req);
        return;
    }
    in->api.upload = req;
    in->api.upload_kind = kind;
    in->api.streamed = false;
    buf_clear(&in->api.body);
    if (kind == RAPI_RESPONSE && stream(in, req))
        return;
    http_body_start(req, UPLOAD_MAX, on_body);
}

/* --- routes ----------------------------------------------------------------------------------- */

static void route_next(struct sandbox_instance *in, struct http_req *req)
{
    if (in->api.next || in->state == SANDBOX_BUSY || in->state >= SANDBOX_DYING) {
        reply_transition(req);
        return;
    }
    in->api.next = req;
    in->api.told->wants_event(in);
}

/* `rest` is "{id}/response" or "{id}/error". */
static void route_invocation(struct sandbox_instance *in, struct http_req *req, struct str rest)
{
    struct str id = str_cut(&rest, '/');
    bool response = str_eq_c(rest, "response");
    if (!response && !str_eq_c(rest, "error"))
        http_reply(req, 404, NULL, 0, STR(""));
    else if (!sandbox_instance_serves(in, id))
        reply_error(req, 400, "InvalidRequestID", "Invalid request ID");
    else
        upload(in, req, response ? RAPI_RESPONSE : RAPI_ERROR);
}

static void on_request(void *ctx, struct http_req *req)
{
    struct sandbox_instance *in = ctx;
    static const struct str invocation = STR_INIT("/2018-06-01/runtime/invocation/");
    bool get = str_eq_c(req->method, "GET"), post = str_eq_c(req->method, "POST");
    req->user = in;
    if (!sandbox_peer_is_instance(in, req))
        reply_error(req, 403, "Forbidden", "This Runtime API belongs to another function");
    else if (get && str_eq_c(req->path, "/2018-06-01/runtime/invocation/next"))
        route_next(in, req);
    else if (post && str_starts(req->path, invocation))
        route_invocation(in, req, str_sub(req->path, invocation.len, SIZE_MAX));
    else if (post && str_eq_c(req->path, "/2018-06-01/runtime/init/error"))
        in->ready ? reply_transition(req) : upload(in, req, RAPI_INIT_ERROR);
    else if (str_starts(req->path, STR("/2020-01-01/extension/")) ||
             str_starts(req->path, STR("/2020-08-15/logs")) ||
             str_starts(req->path, STR("/2022-07-01/telemetry")))
        reply_error(req, 403, "Extension.NotSupported", "Weir runs functions without extensions");
    else
        http_reply(req, 404, NULL, 0, STR(""));
}

static void on_close(void *ctx, struct http_req *req)
{
    struct sandbox_instance *in = ctx;
    if (in->api.next == req)
        in->api.next = NULL;
    if (in->api.upload == req) {
        in->api.upload = NULL;
        buf_clear(&in->api.body);
    }
}

void sandbox_rapi_hand_over(struct sandbox_instance *in, int64_t deadline_ms)
{
    const struct sandbox_invoke *inv = in->inv;
    struct http_header headers[NEXT_HEADERS_MAX];
    char deadline[24];
    size_t n = 0;
    int len = snprintf(deadline, sizeof deadline, "%lld", (long long)deadline_ms);
    headers[n++] = json_type;
    headers[n++] = (struct http_header){STR("Lambda-Runtime-Aws-Request-Id"), inv->request_id};
    headers[n++] =
        (struct http_header){STR("Lambda-Runtime-Deadline-Ms"), str_n(deadline, (size_t)len)};
    headers[n++] =
        (struct http_header){STR("Lambda-Runtime-Invoked-Function-Arn"), inv->function_arn};
    if (inv->trace_id.len)
        headers[n++] = (struct http_header){STR("Lambda-Runtime-Trace-Id"), inv->trace_id};
    if (inv->client_context.len)
        headers[n++] =
            (struct http_header){STR("Lambda-Runtime-Client-Context"), inv->client_context};
    struct http_req *req = in->api.next;
    assert(req && in->inv);
    in->api.stream_begun = false;
    in->api.next = NULL;
    http_reply(req, 200, headers, n, inv->event);
}

/* On `fd` if that is a socket, else on a free port of the host's loopback. */
static enum err serve(struct sandbox_instance *in, int fd)
{
    char why[256];
    struct io_loop *home = core_home_loop(in->sb->core);
    struct http_server_config cfg = {
        .has_listener = fd >= 0,
        .listener = fd,
        .host = "127.0.0.1",
        .loops = &home,
        .n_loops = 1,
        .handler = {.ctx = in, .on_request = on_request, .on_close = on_close},
        /* A function is frozen or busy for as long as it likes between two requests. */
        .idle_timeout_ms = NEVER_MS,
        /* And between two pieces of what it streams: its own deadline ends it. */
        .body_timeout_ms = NEVER_MS,
        .connections_max = 64,
    };
    enum err err = http_server_new(&cfg, &in->api.server, why, sizeof why);
    if (err != ERR_OK)
        log_error("sandbox", "no port for a function's Runtime API: %s", why);
    return err;
}

enum err sandbox_rapi_listen(struct sandbox_instance *in, int fd)
{
    assert(in->api.open && !in->api.server);
    return serve(in, fd);
}

enum err sandbox_rapi_open(struct sandbox_instance *in)
{
    struct rapi *api = &in->api;
    bool own = in->sb->ready.host.network;
    if (!own)
        TRY(serve(in, -1));
    api->open = true;
    api->port = own ? BOX_API_PORT : http_server_port(api->server);
    (void)snprintf(api->address, sizeof api->address, "127.0.0.1:%u", api->port);
    buf_init(&api->body, SANDBOX_RESPONSE_MAX);
    return ERR_OK;
}

static void closed(struct sandbox_instance *in)
{
    buf_release(&in->api.body);
    in->api.open = false;
    in->api.told->closed(in);
}

static void on_drained(void *arg)
{
    struct sandbox_instance *in = arg;
    http_server_free(in->api.server);
    in->api.server = NULL;
    closed(in);
}

static void on_never_listened(struct io_task *task)
{
    closed(CONTAINER_OF(task, struct sandbox_instance, api.closed));
}

void sandbox_rapi_close(struct sandbox_instance *in)
{
    if (in->api.server) {
        http_server_drain(in->api.server, 0, on_drained, in);
        return;
    }
    in->api.closed.fn = on_never_listened;
    io_post(core_home_loop(in->sb->core), &in->api.closed);
}
