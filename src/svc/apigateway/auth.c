/* The way of a request through its method's authorization. auth.h draws it.
 *
 * Source: API Gateway Developer Guide, "Control and manage access to REST APIs in API Gateway", "How API
 * Gateway resource policies affect authorization workflow"; replies of AWS for their wording. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/claim.h"
#include "core/inner.h"
#include "svc/apigateway/auth_int.h"
#include "svc/cognito/cognito_port.h"

#define INVOKE "execute-api:Invoke"
#define OWN_NAME "apigateway.amazonaws.com"

static const struct str UNAUTHORIZED = STR_INIT("Unauthorized");
static const struct str DENIED = STR_INIT("User is not authorized to access this resource");
static const struct str DENIED_OUTRIGHT =
    STR_INIT("User is not authorized to access this resource with an explicit deny");

struct auth {
    struct core *core;
    struct auth_cache *cache;
};

/* A function that is asked. Lifetime: from auth_begin to auth_take or auth_cancel; the heap's, since the
 * answer may come when the call is gone no more, but never after auth_cancel. */
struct auth_wait {
    struct auth_request req;
    struct str method_arn, cache_key; /* the call's arena; key absent: not kept */
    struct core_inner *inner;
    int64_t begin_ms;
    /* What came: of the call's arena. */
    enum err err; /* ERR_FAILED: it could not be invoked */
    bool function_error;
    int status;
    struct str body, request_id, why;
};

struct auth *auth_new(struct core *core)
{
    struct auth *auth = mem_calloc(1, sizeof(*auth));
    if (!auth)
        return NULL;
    auth->core = core;
    auth->cache = auth_cache_new();
    if (!auth->cache) {
        mem_free(auth);
        return NULL;
    }
    return auth;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    auth_cache_free(auth->cache);
    mem_free(auth);
}

void auth_flush(struct auth *auth, struct str api_id, struct str stage)
{
    char text[AUTH_PREFIX_MAX];
    struct buf b;
    buf_init_fixed(&b, text, sizeof(text));
    buf_add_fmt(&b, STR_FMT "/", STR_ARG(api_id));
    if (str_is_set(stage))
        buf_add_fmt(&b, STR_FMT "/", STR_ARG(stage));
    auth_cache_drop(auth->cache, buf_str(&b));
}

const char *auth_outcome_type(enum auth_outcome outcome)
{
    static const char *const names[] = {
        [AUTH_ALLOWED] = "",
        [AUTH_UNAUTHORIZED] = "UNAUTHORIZED",
        [AUTH_DENIED] = "ACCESS_DENIED",
        [AUTH_MISSING_TOKEN] = "MISSING_AUTHENTICATION_TOKEN",
        [AUTH_INVALID_SIGNATURE] = "INVALID_SIGNATURE",
        [AUTH_EXPIRED_TOKEN] = "EXPIRED_TOKEN",
        [AUTH_CONFIGURATION_ERROR] = "AUTHORIZER_CONFIGURATION_ERROR",
        [AUTH_FAILURE] = "AUTHORIZER_FAILURE",
    };
    return names[outcome];
}

struct str auth_method_arn(struct call *call, struct str account, struct str api_id,
                           struct str stage, struct str http_method, struct str path)
{
    while (str_starts(path, STR("/")))
        path = str_sub(path, 1, SIZE_MAX);
    return str_fmt(call->arena,
                   "arn:" STR_FMT ":execute-api:" STR_FMT ":" STR_FMT ":" STR_FMT "/" STR_FMT
                   "/" STR_FMT "/" STR_FMT,
                   STR_ARG(call->partition), STR_ARG(call->region), STR_ARG(account),
                   STR_ARG(api_id), STR_ARG(stage), STR_ARG(http_method), STR_ARG(path));
}

/* --- outcomes --------------------------------------------------------------------------------- */

static enum err refuse(struct auth_result *r, enum auth_outcome outcome, struct str message,
                       struct str why)
{
    r->outcome = outcome;
    r->message = message;
    r->why = why;
    return ERR_OK;
}

static enum err misconfigured(struct auth_result *r, const char *why)
{
    return refuse(r, AUTH_CONFIGURATION_ERROR, STR_NONE, str_c(why));
}

/* "User: X is not authorized to perform: .. on resource: ..", the account but for its end hidden. */
static enum err denied_by_policies(const struct auth_request *req, struct str arn, bool outright,
                                   struct auth_result *r)
{
    const struct principal *who = req->call->who;
    struct str user = who->kind == PRINCIPAL_ANONYMOUS ? STR("anonymous") : who->arn;
    struct str after = arn, shown = STR_NONE;
    for (int i = 0; i < 5 && str_is_set(after); i++)
        (void)str_cut(&after, ':');
    struct str account = req->account;
    if (account.len > 4)
        account = str_sub(account, account.len - 4, 4);
    shown = str_fmt(req->call->arena,
                    "User: " STR_FMT " is not authorized to perform: " INVOKE
                    " on resource: arn:" STR_FMT ":execute-api:" STR_FMT ":********" STR_FMT
                    ":" STR_FMT "%s",
                    STR_ARG(user), STR_ARG(req->call->partition), STR_ARG(req->call->region),
                    STR_ARG(account), STR_ARG(after), outright ? " with an explicit deny" : "");
    return str_is_set(shown) ? refuse(r, AUTH_DENIED, shown, STR_NONE) : ERR_NOMEM;
}

/* --- resource policies ------------------------------------------------------------------------ */

/* NULL: the API has none. */
static enum err api_policy(const struct auth_request *req, const struct policy **ret_policy)
{
    *ret_policy = NULL;
    if (req->policy.len == 0)
        return ERR_OK;
    enum err err =
        core_policy(req->call->core, req->call->arena, POLICY_RESOURCE, req->policy, ret_policy);
    return err == ERR_OK || err == ERR_NOMEM ? err : ERR_CORRUPT; /* it was checked when stored */
}

/* NONE: only the API's policy has a say. */
static enum err open_to_all(const struct auth_request *req, struct str arn, struct auth_result *r)
{
    const struct policy *policy;
    enum policy_decision d = POLICY_ALLOW;
    TRY(api_policy(req, &policy));
    if (policy)
        TRY(call_policy_match(req->call, INVOKE, arn, policy, &d));
    return d == POLICY_ALLOW ? ERR_OK : denied_by_policies(req, arn, d == POLICY_EXPLICIT_DENY, r);
}

/* What an authorizer cannot make good: *ret_denied. */
static enum err denied_before(const struct auth_request *req, struct str arn, struct auth_result *r,
                              bool *ret_denied)
{
    const struct policy *policy;
    enum policy_decision d = POLICY_IMPLICIT_DENY;
    TRY(api_policy(req, &policy));
    if (policy)
        TRY(call_policy_match(req->call, INVOKE, arn, policy, &d));
    *ret_denied = d == POLICY_EXPLICIT_DENY;
    return *ret_denied ? denied_by_policies(req, arn, true, r) : ERR_OK;
}

/* --- AWS_IAM ---------------------------------------------------------------------------------- */

static bool is_signed(const struct wire_request *http)
{
    return wire_header_get(http, STR("authorization")).p ||
           str_find_str(http->query, STR("X-Amz-Signature=")) != SIZE_MAX ||
           str_find_str(http->query, STR("X-Amz-Algorithm=")) != SIZE_MAX;
}

/* The error of a signature as API Gateway tells it. */
static enum err bad_signature(struct call *call, struct auth_result *r)
{
    struct str code = call_error_code(call), message = call_error_message(call);
    enum auth_outcome outcome = AUTH_INVALID_SIGNATURE;
    if (str_find_str(code, STR("ExpiredToken")) != SIZE_MAX)
        outcome = AUTH_EXPIRED_TOKEN;
    else if (str_find_str(code, STR("MissingAuthentication")) != SIZE_MAX)
        outcome = AUTH_MISSING_TOKEN;
    message = str_dup(call->arena, message.p ? message : STR(""));
    call_error_clear(call);
    return str_is_set(message) ? refuse(r, outcome, message, STR_NONE) : ERR_NOMEM;
}

static enum err by_signature(const struct auth_request *req, struct str arn, struct auth_result *r)
{
    struct call *call = req->call;
    const struct policy *policy;
    enum policy_decision d;
    if (!is_signed(call->request))
        return refuse(r, AUTH_MISSING_TOKEN, STR("Missing Authentication Token"), STR_NONE);
    enum err err = call_authenticate(call);
    if (err == ERR_FAILED)
        return bad_signature(call, r);
    TRY(err);
    TRY(api_policy(req, &policy));
    TRY(call_decide(call, INVOKE, arn, policy, &d));
    if (d != POLICY_ALLOW)
        return denied_by_policies(req, arn, d == POLICY_EXPLICIT_DENY, r);
    r->who = call->who;
    return ERR_OK;
}

/* --- Lambda authorizers ----------------------------------------------------------------------- */

static enum err decide(const struct auth_request *req, struct str arn, struct str answer_json,
                       struct auth_result *r)
{
    struct arena *a = req->call->arena;
    struct auth_answer answer;
    const struct policy *policy;
    const char *why = "";
    enum policy_decision d;
    enum err err = auth_answer_read(a, answer_json, &answer, &why);
    if (err == ERR_OK)
        err = core_policy(req->call->core, a, POLICY_IDENTITY, answer.policy, &policy);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return misconfigured(r, why[0] ? why : "policyDocument is no policy");
    TRY(err);
    TRY(call_policy_match(req->call, INVOKE, arn, policy, &d));
    r->principal_id = answer.principal_id;
    r->usage_key = answer.usage_key;
    r->policy = answer.policy;
    r->authorizer = answer.authorizer;
    if (d == POLICY_ALLOW)
        return ERR_OK;
    return refuse(r, AUTH_DENIED, d == POLICY_EXPLICIT_DENY ? DENIED_OUTRIGHT : DENIED, STR_NONE);
}

/* The function failed: raised "Unauthorized", or something else. */
static enum err function_failed(struct auth_wait *w, struct auth_result *r)
{
    struct json *doc;
    enum err err = json_parse(w->req.call->arena, w->body, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    struct str message = err ? STR_NONE : json_get_str(doc, STR("errorMessage"));
    if (str_eq_c(message, "Unauthorized") || str_eq_c(message, "Error: Unauthorized"))
        return refuse(r, AUTH_UNAUTHORIZED, UNAUTHORIZED, STR_NONE);
    return misconfigured(r, "the authorizer function failed");
}

/* Decides by what came; in the call's transaction. */
static enum err take_answer(struct auth_wait *w, struct auth_result *r)
{
    r->request_id = w->request_id;
    r->status = w->status;
    if (w->err == ERR_FAILED)
        return refuse(r, AUTH_CONFIGURATION_ERROR, STR_NONE, w->why);
    TRY(w->err);
    if (w->function_error)
        return function_failed(w, r);
    TRY(decide(&w->req, w->method_arn, w->body, r));
    int64_t ttl_ms = auth_ttl_s(w->req.authorizer) * 1000;
    if ((r->outcome == AUTH_ALLOWED || r->outcome == AUTH_DENIED) && str_is_set(w->cache_key))
        auth_cache_put(w->req.auth->cache, w->cache_key, w->body,
                       w->req.call->txn->now_ms + ttl_ms);
    return ERR_OK;
}

static enum err keep(struct auth_wait *w, const struct core_result *res)
{
    struct arena *a = w->req.call->arena;
    struct json *output;
    w->status = res->status;
    w->body = str_dup(a, res->body.p ? res->body : STR(""));
    w->request_id = str_dup(a, res->request_id);
    if (res->err == ERR_NOMEM || a->failed)
        return ERR_NOMEM;
    if (res->err != ERR_OK) {
        w->why = str_fmt(a, "the authorizer function could not be invoked: " STR_FMT " " STR_FMT,
                         STR_ARG(res->code), STR_ARG(res->message));
        return str_is_set(w->why) ? ERR_FAILED : ERR_NOMEM;
    }
    struct str text = str_dup(a, res->output.len ? res->output : STR("{}"));
    if (!str_is_set(text))
        return ERR_NOMEM;
    TRY(json_parse(a, text, &output, NULL));
    w->function_error = json_get(output, STR("FunctionError")) != NULL;
    return ERR_OK;
}

static void on_done(void *arg, const struct core_result *res)
{
    struct auth_wait *w = arg;
    w->inner = NULL;
    w->err = keep(w, res);
    w->req.wake(w->req.arg);
}

static enum err invoke(struct auth_wait *w, struct str function, struct str event)
{
    static const struct principal service = {
        .kind = PRINCIPAL_SERVICE, .service = STR_INIT(OWN_NAME), .arn = STR_INIT(OWN_NAME)};
    const struct auth_request *req = &w->req;
    struct call *call = req->call;
    struct str role = json_get_str(req->authorizer, STR("authorizerCredentials"));
    struct str id = json_get_str(req->authorizer, STR("id")), input, source;
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, call->arena, AUTH_EVENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("FunctionName"), function);
    json_close(&o, '}');
    input = buf_str(&b);
    source = str_fmt(call->arena,
                     "arn:" STR_FMT ":execute-api:" STR_FMT ":" STR_FMT ":" STR_FMT
                     "/authorizers/" STR_FMT,
                     STR_ARG(call->partition), STR_ARG(call->region), STR_ARG(req->account),
                     STR_ARG(req->api_id), STR_ARG(id));
    if (buf_err(&b) || !str_is_set(source))
        return ERR_NOMEM;
    return core_call(call->core,
                     &(struct core_request){.service = STR("lambda"),
                                            .operation = STR("Invoke"),
                                            .input = input,
                                            .body = event,
                                            .who = role.len ? NULL : &service,
                                            .role_arn = role,
                                            .session_name = STR("BackplaneAssumeRoleSession"),
                                            .region = call->region,
                                            .source_arn = role.len ? STR_NONE : source,
                                            .source_account = role.len ? STR_NONE : req->account,
                                            .from = call},
                     on_done, w, &w->inner);
}

/* A role that does not trust API Gateway is not assumed. */
static enum err check_role(const struct auth_request *req, struct auth_result *r)
{
    const struct identity_port *id = &req->call->core->identity;
    struct str role = json_get_str(req->authorizer, STR("authorizerCredentials"));
    if (role.len == 0)
        return ERR_OK;
    enum err err = id->role_trusts(id->self, req->call->txn, role, STR(OWN_NAME));
    if (err == ERR_DENIED || err == ERR_NOT_FOUND || err == ERR_INVALID)
        return misconfigured(r, "the authorizer's role cannot be assumed");
    return err;
}

static enum err ask(const struct auth_request *req, struct str arn, const struct auth_identity *id,
                    bool token, struct auth_wait **ret_wait, struct auth_result *r)
{
    struct arena *a = req->call->arena;
    struct str uri = json_get_str(req->authorizer, STR("authorizerUri")), event;
    TRY(map_stage_variables(a, uri, req->scope->stage_variables, &uri));
    struct str function = auth_function(uri);
    if (!str_is_set(function))
        return misconfigured(r, "authorizerUri names no function");
    TRY(check_role(req, r));
    if (r->outcome != AUTH_ALLOWED)
        return ERR_OK;
    enum err err =
        token ? auth_token_event(a, arn, id->token, &event) : auth_request_event(req, arn, &event);
    if (err == ERR_LIMIT)
        return refuse(r, AUTH_FAILURE, STR_NONE, STR("the request is too large for an event"));
    TRY(err);
    struct auth_wait *w = mem_calloc(1, sizeof(*w));
    if (!w)
        return ERR_NOMEM;
    w->req = *req;
    w->method_arn = arn;
    w->cache_key = id->key;
    w->begin_ms = req->call->txn->now_ms;
    err = invoke(w, function, event);
    if (err) {
        mem_free(w);
        return err;
    }
    *ret_wait = w;
    return ERR_SUSPENDED;
}

/* api/stage/version/authorizer and the identity's values; absent: answers are not kept. By its version a
 * stage that shows another deployment, whose authorizer may be another under the same id, has answers of its
 * own; one that was asked before, and answers afterwards, is of the old version. */
static enum err cache_key(const struct auth_request *req, struct auth_identity *id)
{
    struct str key = id->key;
    id->key = STR_NONE;
    if (auth_ttl_s(req->authorizer) == 0 || id->n == 0)
        return ERR_OK;
    id->key = str_fmt(req->call->arena, STR_FMT "/" STR_FMT "/%" PRIu64 "/" STR_FMT "/" STR_FMT,
                      STR_ARG(req->api_id), STR_ARG(req->stage), req->version,
                      STR_ARG(json_get_str(req->authorizer, STR("id"))), STR_ARG(key));
    return str_is_set(id->key) ? ERR_OK : ERR_NOMEM;
}

/* The values of the identity sources, checked; refused: r says so. */
static enum err identify(const struct auth_request *req, bool token, struct auth_identity *id,
                         struct auth_result *r)
{
    bool valid = true;
    enum err err = auth_sources(req->call->arena, req->authorizer, req->scope, req->message, id);
    if (err == ERR_NOT_FOUND || err == ERR_LIMIT)
        return refuse(r, AUTH_UNAUTHORIZED, UNAUTHORIZED, STR_NONE);
    if (err == ERR_INVALID || (err == ERR_OK && token && id->n != 1))
        return misconfigured(r, "identitySource is none");
    TRY(err);
    if (token)
        err = auth_validates(req->call->arena, req->authorizer, id->token, &valid);
    if (err == ERR_INVALID)
        return misconfigured(r, "identityValidationExpression is no regular expression");
    if (err == ERR_LIMIT || (err == ERR_OK && !valid))
        return refuse(r, AUTH_UNAUTHORIZED, UNAUTHORIZED, STR_NONE);
    return err;
}

static enum err by_function(const struct auth_request *req, struct str arn,
                            struct auth_wait **ret_wait, struct auth_result *r)
{
    struct auth_identity id;
    struct str answer;
    bool token = str_eq_c(json_get_str(req->authorizer, STR("type")), "TOKEN");
    TRY(identify(req, token, &id, r));
    if (r->outcome != AUTH_ALLOWED)
        return ERR_OK;
    TRY(cache_key(req, &id));
    if (str_is_set(id.key)) {
        enum err err = auth_cache_get(req->auth->cache, id.key, req->call->txn->now_ms,
                                      req->call->arena, &answer);
        if (err == ERR_OK) {
            r->cached = true;
            return decide(req, arn, answer, r);
        }
        if (err != ERR_NOT_FOUND)
            return err;
    }
    return ask(req, arn, &id, token, ret_wait, r);
}

/* --- user pools ------------------------------------------------------------------------------- */

/* Without scopes an ID token is asked for; with them an access token that has one of them. */
static bool fits(const struct auth_request *req, const struct cognito_identity *who)
{
    if (req->n_scopes == 0)
        return str_eq_c(who->use, "id");
    if (!str_eq_c(who->use, "access"))
        return false;
    for (struct str rest = who->scope; str_is_set(rest);) {
        struct str scope = str_cut(&rest, ' ');
        for (size_t i = 0; i < req->n_scopes && scope.len; i++)
            if (str_eq(scope, req->scopes[i]))
                return true;
    }
    return false;
}

static enum err take_identity(const struct auth_request *req, const struct cognito_identity *who,
                              struct auth_result *r)
{
    bool valid;
    enum err err = auth_validates(req->call->arena, req->authorizer, who->client_id, &valid);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return misconfigured(r, "identityValidationExpression is no regular expression");
    TRY(err);
    if (!valid || !fits(req, who))
        return refuse(r, AUTH_UNAUTHORIZED, UNAUTHORIZED, STR_NONE);
    r->principal_id = who->subject;
    return auth_claims(req->call->arena, who->claims, &r->authorizer);
}

static enum err pools_of(const struct auth_request *req, struct str **ret_arns, size_t *ret_n)
{
    const struct json *list = json_get(req->authorizer, STR("providerARNs"));
    size_t n = list && list->kind == JSON_ARRAY ? list->n : 0, i = 0;
    *ret_arns = ARENA_ARRAY(req->call->arena, struct str, n);
    if (!*ret_arns)
        return ERR_NOMEM;
    JSON_EACH (n ? list : NULL, it)
        (*ret_arns)[i++] = it->text;
    *ret_n = n;
    return ERR_OK;
}

static enum err by_pool(const struct auth_request *req, struct auth_result *r)
{
    const struct cognito_port *port = cognito_port_of(req->call->core);
    struct auth_identity id;
    struct cognito_identity who;
    struct str *arns;
    size_t n;
    enum err err = auth_sources(req->call->arena, req->authorizer, req->scope, req->message, &id);
    if (err == ERR_NOT_FOUND || err == ERR_LIMIT)
        return refuse(r, AUTH_UNAUTHORIZED, UNAUTHORIZED, STR_NONE);
    if (!port || err == ERR_INVALID || (err == ERR_OK && id.n != 1))
        return misconfigured(r, "the authorizer has no user pool or no identity source");
    TRY(err);
    TRY(pools_of(req, &arns, &n));
    struct str token = str_trim(id.token);
    if (str_eq_nocase(str_sub(token, 0, 7), STR("Bearer ")))
        token = str_trim(str_sub(token, 7, SIZE_MAX));
    err = port->verify(port->self, req->call->txn, arns, n, token, &who);
    if (err == ERR_TIMEOUT)
        return refuse(r, AUTH_UNAUTHORIZED, STR("The incoming token has expired"), STR_NONE);
    if (err == ERR_INVALID || err == ERR_DENIED || err == ERR_NOT_FOUND || err == ERR_LIMIT)
        return refuse(r, AUTH_UNAUTHORIZED, UNAUTHORIZED, STR_NONE);
    TRY(err);
    return take_identity(req, &who, r);
}

/* --- all of them ------------------------------------------------------------------------------ */

static enum err by_authorizer(const struct auth_request *req, struct str arn,
                              struct auth_wait **ret_wait, struct auth_result *r)
{
    bool denied, custom = str_eq_c(req->authorization, "CUSTOM");
    TRY(denied_before(req, arn, r, &denied));
    if (denied)
        return ERR_OK;
    if (!req->authorizer)
        return misconfigured(r, "the method's authorizer is not there");
    return custom ? by_function(req, arn, ret_wait, r) : by_pool(req, r);
}

enum err auth_begin(const struct auth_request *req, struct auth_wait **ret_wait,
                    struct auth_result *ret_result)
{
    struct auth_result r = {.outcome = AUTH_ALLOWED, .latency_ms = -1};
    enum err err;
    struct str arn = auth_method_arn(req->call, req->account, req->api_id, req->stage,
                                     req->http_method, req->path);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    if (str_eq_c(req->authorization, "NONE"))
        err = open_to_all(req, arn, &r);
    else if (str_eq_c(req->authorization, "AWS_IAM"))
        err = by_signature(req, arn, &r);
    else if (str_eq_c(req->authorization, "CUSTOM") ||
             str_eq_c(req->authorization, "COGNITO_USER_POOLS"))
        err = by_authorizer(req, arn, ret_wait, &r);
    else /* AU1 */
        err = misconfigured(&r, "the method's authorization is unknown");
    if (err == ERR_OK)
        *ret_result = r;
    return err;
}

enum err auth_take(struct auth_wait *wait, struct auth_result *ret_result)
{
    struct auth_result r = {.outcome = AUTH_ALLOWED};
    r.latency_ms = max_i64(wait->req.call->txn->now_ms - wait->begin_ms, 0);
    enum err err = take_answer(wait, &r);
    if (err == ERR_OK)
        *ret_result = r;
    mem_free(wait);
    return err;
}

void auth_cancel(struct auth_wait *wait)
{
    if (wait->inner)
        core_call_cancel(wait->inner);
    mem_free(wait);
}
