/* Requests to function URLs. lambda_url.h draws their way.
 *
 * Source: Lambda Developer Guide, "Invoking Lambda function URLs", "Control access to Lambda function
 * URLs" (lambda:InvokeFunctionUrl and, for what comes by a URL, lambda:InvokeFunction).
 * Layer: svc. Thread: the call's loop. */
#include "base/host.h"
#include "codec/json.h"
#include "core/claim.h"
#include "core/proxy_event.h"
#include "svc/lambda/lambda_sync.h"
#include "svc/lambda/lambda_url.h"

enum { STATUS_FORBIDDEN = 403, AUTHORIZER_BYTES_MAX = 64 * 1024 };

/* --- which URL -------------------------------------------------------------------------------- */

/* ERR_NOT_FOUND: there is none, or in another region. `txn` NULL: outside of any. */
static enum err url_of_call(struct call *call, struct txn *txn, const struct lambda_url **ret_url)
{
    struct str rest = host_bare(wire_header_get(call->request, STR("host")));
    struct str id = str_lower(call->arena, str_cut(&rest, '.'));
    (void)str_cut(&rest, '.'); /* "lambda-url", by which it came here */
    struct str region = str_cut(&rest, '.');
    if (!str_is_set(id))
        return ERR_NOMEM;
    TRY(lambda_url_find(txn, call->arena, lambda_of(call), id, ret_url));
    return str_eq_nocase(region, (*ret_url)->function.scope.region) ? ERR_OK : ERR_NOT_FOUND;
}

/* --- replies of our own ----------------------------------------------------------------------- */

static enum err say(struct call *call, int status, const char *error_type, struct str type,
                    struct str body)
{
    call_reply_status(call, status);
    if (error_type)
        TRY(call_reply_header(call, STR("x-amzn-ErrorType"), str_c(error_type)));
    call_reply_raw(call, type, body);
    return ERR_OK;
}

/* LU1 */
static enum err forbidden(struct call *call)
{
    return say(call, STATUS_FORBIDDEN, "AccessDeniedException", STR("application/json"),
               STR("{\"Message\":\"Forbidden\"}"));
}

static enum err malformed(struct call *call)
{
    return say(call, PROXY_MALFORMED_STATUS, NULL, STR("text/plain"), STR("Internal Server Error"));
}

static enum err put_request_id(struct call *call)
{
    struct str trace = call_trace(call);
    if (str_is_set(trace))
        TRY(call_reply_header(call, STR("X-Amzn-Trace-Id"), trace));
    return call_reply_header(call, STR("x-amzn-RequestId"), call->request_id);
}

/* --- who may ---------------------------------------------------------------------------------- */

static enum err url_keys(struct call *call, struct policy_context *ctx)
{
    const struct lambda_url *url;
    TRY(url_of_call(call, call->txn, &url));
    policy_context_add(ctx, STR("lambda:FunctionUrlAuthType"),
                       url->iam ? STR(LAMBDA_URL_IAM) : STR("NONE"));
    policy_context_add_bool(ctx, STR("lambda:InvokedViaFunctionUrl"), true);
    return ctx->err;
}

/* ERR_DENIED: not; ERR_FAILED with the service's error: the signature is wrong. */
static enum err check_caller(struct call *call, const struct lambda_url *url)
{
    static const char *const actions[] = {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"};
    const struct lambda_name *fn = &url->function;
    struct str arn = lambda_arn(call->arena, call->partition, fn, fn->qualifier);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    if (url->iam && !wire_header_get(call->request, STR("authorization")).p &&
        str_find_str(call->request->query, STR("X-Amz-Signature=")) == SIZE_MAX)
        return ERR_DENIED;
    if (url->iam)
        TRY(call_authenticate(call));
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        enum err err = call_authorize(call, actions[i], arn);
        if (err == ERR_FAILED) {
            call_error_clear(call);
            return ERR_DENIED;
        }
        TRY(err);
    }
    return ERR_OK;
}

/* --- the event -------------------------------------------------------------------------------- */

static enum err put_authorizer(struct call *call, struct str *ret_json)
{
    const struct principal *who = call->who;
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, call->arena, AUTHORIZER_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_key(&o, STR("iam"));
    json_open(&o, '{');
    json_kv_str(&o, STR("accessKey"), who->access_key);
    json_kv_str(&o, STR("accountId"), who->account);
    json_kv_str(&o, STR("callerId"), who->user_id);
    json_key(&o, STR("cognitoIdentity"));
    json_null(&o);
    json_key(&o, STR("principalOrgId"));
    json_null(&o);
    json_kv_str(&o, STR("userArn"), who->arn);
    json_kv_str(&o, STR("userId"), who->user_id);
    json_close(&o, '}');
    json_close(&o, '}');
    *ret_json = buf_str(&b);
    return buf_err(&b);
}

static enum err make_event(struct call *call, const struct lambda_url *url, struct str *ret_event)
{
    struct proxy_request req = {
        .http = call->request,
        .account = url->iam ? call->who->account : STR("anonymous"),
        .api_id = url->id,
        .domain_name = host_bare(wire_header_get(call->request, STR("host"))),
        .domain_prefix = url->id,
        .route_key = STR("$default"),
        .stage = STR("$default"),
        .request_id = call->request_id,
        .source_ip = call->source_ip,
        .port = proxy_port(call->request),
        .trace = call_trace_begin(call),
        .hide_signature = url->iam,
        .wall_ms = call->txn->wall_ms,
    };
    if (url->iam)
        TRY(put_authorizer(call, &req.authorizer));
    enum err err = proxy_event_make(call->arena, &req, ret_event);
    if (err == ERR_INVALID)
        return call_error(call, &lambda_err_invalid_request_content_exception,
                          "The query string is malformed");
    return err;
}

/* --- the reply -------------------------------------------------------------------------------- */

static enum err put_reply(struct call *call, const struct lambda_url *url,
                          const struct proxy_reply *reply)
{
    call_reply_status(call, reply->status);
    for (size_t i = 0; i < reply->n_headers; i++)
        if (!lambda_cors_owns(&url->cors, reply->headers[i].name))
            TRY(call_reply_header(call, reply->headers[i].name, reply->headers[i].value));
    return ERR_OK;
}

static enum err answer(struct call *call)
{
    const struct lambda_url *url = lambda_sync_user(call);
    struct lambda_outcome outcome;
    struct proxy_reply reply;
    TRY(lambda_sync_resume(call, &outcome));
    TRY(put_request_id(call));
    TRY(lambda_cors_reply(call, &url->cors, false));
    if (outcome.function_error)
        return malformed(call);
    enum err err = proxy_reply_read(call->arena, outcome.body, &reply);
    if (err == ERR_INVALID)
        return malformed(call);
    TRY(err);
    TRY(put_reply(call, url, &reply));
    call_reply_raw(call, reply.content_type, reply.body);
    return ERR_OK;
}

/* --- the reply, streamed ---------------------------------------------------------------------- */

/* What stands in front of a streamed answer that says its head, and what ends that. */
#define METADATA_TYPE "application/vnd.awslambda.http-integration-response"
static const struct str METADATA_END = {"\0\0\0\0\0\0\0\0", 8};

static enum err read_piece(void *ctx, char *block, size_t cap, struct str *ret_bytes)
{
    size_t n = 0;
    TRY(lambda_sync_read(ctx, block, cap, &n));
    *ret_bytes = str_n(block, n);
    /* The reply must not look complete. */
    return n == 0 && lambda_sync_end(ctx).function_error ? ERR_FAILED : ERR_OK;
}

static enum err start_stream(struct call *call, const struct lambda_url *url,
                             const struct proxy_reply *head)
{
    bool bodyless = head->status == 204 || head->status == 304;
    TRY(put_reply(call, url, head));
    call_reply_raw(
        call, str_is_set(head->content_type) ? head->content_type : STR("application/octet-stream"),
        STR(""));
    if (!bodyless)
        call_reply_source(call, &(struct call_source){.ctx = call->state,
                                                      .length = CALL_LENGTH_UNKNOWN,
                                                      .ready = lambda_sync_ready,
                                                      .read = read_piece,
                                                      .release = lambda_sync_leave});
    return ERR_OK;
}

/* ERR_INVALID: it is malformed, or too long. */
static enum err stream_with_head(struct call *call, const struct lambda_url *url,
                                 const struct lambda_streamed *streamed)
{
    struct proxy_reply head;
    size_t end = str_find_str(streamed->begin, METADATA_END);
    if (end == SIZE_MAX)
        return streamed->ended || streamed->begin.len == LAMBDA_STREAM_BEGIN_MAX
                   ? ERR_INVALID
                   : lambda_sync_more(call);
    TRY(proxy_reply_read_head(call->arena, str_n(streamed->begin.p, end), &head));
    lambda_sync_drop(call, end + METADATA_END.len);
    return start_stream(call, url, &head);
}

static enum err answer_streamed(struct call *call)
{
    const struct lambda_url *url = lambda_sync_user(call);
    struct lambda_streamed streamed;
    TRY(lambda_sync_streamed(call, &streamed));
    TRY(put_request_id(call));
    TRY(lambda_cors_reply(call, &url->cors, false));
    if (streamed.function_error && streamed.begin.len == 0)
        return malformed(call);
    if (str_eq_nocase(streamed.content_type, STR(METADATA_TYPE))) {
        enum err err = stream_with_head(call, url, &streamed);
        return err == ERR_INVALID ? malformed(call) : err;
    }
    bool whole = !streamed.content_type.p;
    const struct proxy_reply head = {
        .status = 200, .content_type = whole ? STR("application/json") : streamed.content_type};
    return start_stream(call, url, &head);
}

/* --- the claim -------------------------------------------------------------------------------- */

static enum err invoke(struct call *call, const struct lambda_url *url)
{
    struct str event;
    struct lambda_fn *fn;
    TRY(make_event(call, url, &event));
    TRY(lambda_check_payload(call, event, false));
    enum err err = lambda_fn_find(lambda_of(call), &url->function, &fn);
    if (err == ERR_NOT_FOUND)
        return forbidden(call);
    TRY(err);
    err = lambda_sync_start(call, &(struct lambda_sync_request){
                                      .name = &url->function,
                                      .fn = fn,
                                      .payload = event,
                                      .streams = url->stream,
                                      .user = (void *)url,
                                  });
    lambda_fn_unref(fn);
    return err;
}

static enum err serve(struct call *call, const void *in, void *out)
{
    const struct lambda_url *url;
    if (call->state) {
        url = lambda_sync_user(call);
        return url->stream ? answer_streamed(call) : answer(call);
    }
    enum err err = url_of_call(call, call->txn, &url);
    if (err == ERR_NOT_FOUND)
        return forbidden(call);
    TRY(err);
    if (lambda_cors_is_preflight(&url->cors, call->request)) {
        TRY(put_request_id(call));
        TRY(lambda_cors_reply(call, &url->cors, true));
        return say(call, 200, NULL, STR_NONE, STR(""));
    }
    err = check_caller(call, url);
    if (err == ERR_DENIED) {
        TRY(put_request_id(call));
        TRY(lambda_cors_reply(call, &url->cors, false));
        return forbidden(call);
    }
    TRY(err);
    return invoke(call, url);
}

static const struct wire_op url_op = {
    .name = STR_INIT("InvokeFunctionUrl"),
    .service = &lambda_service,
    .flags = WIRE_OP_UNSIGNED,
    .run = serve,
};

void lambda_urls_measure(void *self, const struct core_seen *seen)
{
    struct call *call = (struct call *)seen->call;
    const struct lambda_url *url;
    if (call->op == &url_op && url_of_call(call, NULL, &url) == ERR_OK)
        lambda_measure_url(call->core, &url->function, seen->status, seen->duration_ns);
}

enum err lambda_urls_claim(struct lambda *l)
{
    l->url_claim = (struct core_claim){
        .host_kind = STR("lambda-url"),
        .op = &url_op,
        .auth_context = url_keys,
        .self = l,
    };
    return core_claim(l->core, &l->url_claim);
}
