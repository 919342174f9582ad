/* Requests to an API: what the gateway adds to HTTP, what it adds to a function's or a table's own cost, who may
 * ask, and how often.
 *
 * An account may ask 10,000 times a second, and 5,000 more at once, so rows are made of parts that stay below, with
 * pauses between in which the bucket fills again. */
#include "scenarios.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "setup.h"

enum {
    /* An account may ask 10,000 times a second and 5,000 times at once: a part, with what warms up, is no more than
     * passes on a machine however quick, and a pause fills the bucket again. */
    PARTS = 5,
    PART_REQUESTS = 4600,
    PART_WARMUP = 400,
    PART_PAUSE_MS = 700,
    KEYS_FEW = 10,
    KEYS_MANY = 100 * 1000,
    KEYS_A_CALL = 1000,
    IDLE_APIS = 200,
    ID_MAX = 64,
    TOKEN_MAX = 4096,
    DESCRIPTION_MAX = 64 * 1024,
    THROTTLE_RATE = 500,
    THROTTLE_BURST = 100,
};

#define ACCOUNT "000000000000"
#define FUNCTION "bench-api"
#define FUNCTION_ARN "arn:aws:lambda:us-east-1:" ACCOUNT ":function:" FUNCTION

/* --- calls of the control plane ------------------------------------------------------------------- */

/* *ret_text (ID_MAX or more): the reply's member `name`; NULL: not looked at. */
static enum err ask(struct bench *b, const struct aws_request *req, const char *name,
                    char *ret_text, size_t size)
{
    struct buf reply;
    buf_init(&reply, LOAD_KEEP_MAX);
    enum err err = aws_call(&b->aws, req, false, &reply);
    struct str text = name ? aws_json_text(buf_str(&reply), name) : STR("");
    if (err == ERR_OK && (!str_is_set(text) || text.len >= size))
        err = name ? ERR_FAILED : ERR_OK;
    if (err == ERR_OK && name)
        (void)snprintf(ret_text, size, STR_FMT, STR_ARG(text));
    buf_release(&reply);
    return err;
}

static enum err gateway(struct bench *b, const char *method, const char *path, const char *query,
                        struct str body, const char *name, char *ret_text)
{
    const struct aws_request req = {
        .method = method,
        .service = "apigateway",
        .path = str_c(path),
        .query = query ? str_c(query) : STR_NONE,
        .content_type = "application/json",
        .body = body,
    };
    return ask(b, &req, name, ret_text, ID_MAX);
}

static enum err pool_call(struct bench *b, const char *operation, struct str body, const char *name,
                          char *ret_text, size_t size)
{
    char target[96];
    (void)snprintf(target, sizeof(target), "AWSCognitoIdentityProviderService.%s", operation);
    const struct aws_request req = {
        .method = "POST",
        .service = "cognito-idp",
        .target = target,
        .content_type = "application/x-amz-json-1.1",
        .body = body,
    };
    return ask(b, &req, name, ret_text, size);
}

/* A user's ID token of a new pool. */
static enum err make_token(struct bench *b, char *ret_pool, char *ret_token)
{
    char client[ID_MAX], text[512];
    TRY(pool_call(b, "CreateUserPool", STR("{\"PoolName\":\"bench\"}"), "Id", ret_pool, ID_MAX));
    int n = snprintf(text, sizeof(text),
                     "{\"UserPoolId\":\"%s\",\"ClientName\":\"c\",\"ExplicitAuthFlows\":["
                     "\"ALLOW_USER_PASSWORD_AUTH\"]}",
                     ret_pool);
    TRY(pool_call(b, "CreateUserPoolClient", str_n(text, (size_t)n), "ClientId", client, ID_MAX));
    n = snprintf(text, sizeof(text),
                 "{\"ClientId\":\"%s\",\"Username\":\"u\",\"Password\":\"Correct-horse-1\"}",
                 client);
    TRY(pool_call(b, "SignUp", str_n(text, (size_t)n), NULL, NULL, 0));
    n = snprintf(text, sizeof(text), "{\"UserPoolId\":\"%s\",\"Username\":\"u\"}", ret_pool);
    TRY(pool_call(b, "AdminConfirmSignUp", str_n(text, (size_t)n), NULL, NULL, 0));
    n = snprintf(text, sizeof(text),
                 "{\"ClientId\":\"%s\",\"AuthFlow\":\"USER_PASSWORD_AUTH\",\"AuthParameters\":{"
                 "\"USERNAME\":\"u\",\"PASSWORD\":\"Correct-horse-1\"}}",
                 client);
    return pool_call(b, "InitiateAuth", str_n(text, (size_t)n), "IdToken", ret_token, TOKEN_MAX);
}

/* --- the API -------------------------------------------------------------------------------------- */

#define MOCK                                                                                       \
    "\"responses\":{\"200\":{\"description\":\"ok\"}},\"x-amazon-apigateway-integration\":{"       \
    "\"type\":\"mock\","                                                                           \
    "\"requestTemplates\":{\"application/json\":\"{\\\"statusCode\\\": "                           \
    "200}\"},\"responses\":{\"default\":{"                                                         \
    "\"statusCode\":\"200\",\"responseTemplates\":{\"application/json\":\"{\\\"ok\\\": "           \
    "true}\"}}}}"

/* A table's action with a template for the request and one for the reply. */
#define TABLE(operation, request, reply)                                                           \
    "\"responses\":{\"200\":{\"description\":\"ok\"}},\"x-amazon-apigateway-integration\":{"       \
    "\"type\":\"aws\","                                                                            \
    "\"httpMethod\":\"POST\",\"credentials\":\"" SETUP_ROLE_ARN "\",\"uri\":"                      \
    "\"arn:aws:apigateway:us-east-1:dynamodb:action/" operation                                    \
    "\",\"requestTemplates\":{\"application/json\":\"" request                                     \
    "\"},\"responses\":{\"default\":{\"statusCode\":\"200\",\"responseTemplates\":{\"application/" \
    "json\":\"" reply "\"}}}}"

static const char PUT_REQUEST[] = TABLE("PutItem",
                                        "#set($in = $input.path('$')){\\\"TableName\\\": "
                                        "\\\"bench-api\\\", \\\"Item\\\": {\\\"id\\\": {\\\"S\\\": "
                                        "\\\"$context.requestId\\\"}, \\\"make\\\": {\\\"S\\\": "
                                        "\\\"$util.escapeJavaScript($in.make)\\\"}, \\\"year\\\": "
                                        "{\\\"N\\\": \\\"$in.year\\\"}}}",
                                        "{\\\"id\\\": \\\"$context.requestId\\\"}");
static const char GET_REQUEST[] =
    TABLE("GetItem",
          "{\\\"TableName\\\": \\\"bench-api\\\", \\\"Key\\\": {\\\"id\\\": {\\\"S\\\": "
          "\\\"$input.params('id')\\\"}}}",
          "#set($item = $input.path('$.Item')){\\\"id\\\": \\\"$item.id.S\\\", \\\"make\\\": "
          "\\\"$util.escapeJavaScript($item.make.S)\\\", \\\"year\\\": $item.year.N}");

static void describe(struct buf *d, const char *pool)
{
    buf_add_fmt(
        d,
        "{\"swagger\":\"2.0\",\"info\":{\"title\":\"bench\",\"version\":\"1\"},"
        "\"securityDefinitions\":{"
        "\"key\":{\"type\":\"apiKey\",\"name\":\"x-api-key\",\"in\":\"header\"},"
        "\"pool\":{\"type\":\"apiKey\",\"name\":\"Authorization\",\"in\":\"header\","
        "\"x-amazon-apigateway-authtype\":\"cognito_user_pools\",\"x-amazon-apigateway-"
        "authorizer\":{"
        "\"type\":\"cognito_user_pools\",\"providerARNs\":[\"arn:aws:cognito-idp:us-east-1:" ACCOUNT
        ":userpool/%s\"]}},"
        "\"custom\":{\"type\":\"apiKey\",\"name\":\"Authorization\",\"in\":\"header\","
        "\"x-amazon-apigateway-authtype\":\"custom\",\"x-amazon-apigateway-authorizer\":{\"type\":"
        "\"request\","
        "\"identitySource\":\"method.request.header.Authorization\","
        "\"authorizerResultTtlInSeconds\":3600,"
        "\"authorizerUri\":\"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/"
        "functions/" FUNCTION_ARN "/invocations\"}}},\"paths\":{",
        pool);
    buf_add_fmt(d,
                "\"/mock\":{\"get\":{%s}},\"/throttled\":{\"get\":{%s}},"
                "\"/key\":{\"get\":{\"security\":[{\"key\":[]}],%s}},"
                "\"/pool\":{\"get\":{\"security\":[{\"pool\":[]}],%s}},"
                "\"/custom\":{\"get\":{\"security\":[{\"custom\":[]}],%s}},",
                MOCK, MOCK, MOCK, MOCK, MOCK);
    buf_add_fmt(d,
                "\"/item\":{\"post\":{%s}},\"/item/{id}\":{\"get\":{%s}},\"/proxy\":{\"post\":{"
                "\"x-amazon-apigateway-integration\":{\"type\":\"aws_proxy\",\"httpMethod\":"
                "\"POST\",\"uri\":"
                "\"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" FUNCTION_ARN
                "/invocations\"}}}}}",
                PUT_REQUEST, GET_REQUEST);
}

static enum err deploy(struct bench *b, struct str description, char *ret_id)
{
    char path[128];
    TRY(gateway(b, "POST", "/restapis", "mode=import", description, "id", ret_id));
    (void)snprintf(path, sizeof(path), "/restapis/%s/deployments", ret_id);
    return gateway(b, "POST", path, NULL, STR("{\"stageName\":\"p\"}"), NULL, NULL);
}

static enum err permit(struct bench *b)
{
    const struct aws_request req = {
        .method = "POST",
        .service = "lambda",
        .path = STR("/2015-03-31/functions/" FUNCTION "/policy"),
        .content_type = "application/json",
        .body = STR("{\"StatementId\":\"g\",\"Action\":\"lambda:InvokeFunction\",\"Principal\":"
                    "\"apigateway.amazonaws.com\"}"),
    };
    return aws_call(&b->aws, &req, false, NULL);
}

/* --- requests ------------------------------------------------------------------------------------- */

struct api {
    struct bench *b;
    char id[ID_MAX], pool[ID_MAX], token[TOKEN_MAX];
};

struct requests {
    const struct api *api;
    const char *method, *path, *body; /* path: after the stage */
    const char *header;               /* a line with its end, or "" */
    uint64_t keys;                    /* x-api-key of as many; 0: none */
    uint64_t allowed;                 /* counted: replies that were no 429 */
    bool throttled;
};

/* Values of keys, in an order that no cache foresees. */
static void add_key(struct buf *out, uint64_t keys, uint64_t n)
{
    buf_add_fmt(out, "bench-key-number-%012llu", (unsigned long long)(n * 7919 % keys));
}

static void make(void *ctx, struct load_conn *c)
{
    const struct requests *r = ctx;
    buf_add_fmt(&c->out, "%s /restapis/%s/p/_user_request_%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s",
                r->method, r->api->id, r->path, r->header);
    if (r->keys) {
        BUF_ADD_LIT(&c->out, "x-api-key: ");
        add_key(&c->out, r->keys, c->number);
        BUF_ADD_LIT(&c->out, "\r\n");
    }
    if (r->body)
        buf_add_fmt(&c->out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                    strlen(r->body));
    buf_add_fmt(&c->out, "\r\n%s", r->body ? r->body : "");
}

static bool check(void *ctx, struct load_conn *c, struct str body)
{
    struct requests *r = ctx;
    r->allowed += c->status == 200;
    return c->status == 200 || (r->throttled && c->status == 429);
}

/* A row of parts: of times the least, of CPU the mean. */
static enum err row(struct requests *r, const char *name, int connections, const char *budget)
{
    struct bench *b = r->api->b;
    struct load_result all = {0};
    for (int i = 0; i < PARTS; i++) {
        struct load_plan plan = {
            .requests = (uint64_t)(PART_REQUESTS * (b->scale < 1 ? b->scale : 1)),
            .warmup = i ? 0 : PART_WARMUP,
            .connections = connections,
            .make = make,
            .check = check,
            .ctx = r,
        };
        struct load_result part;
        (void)poll(NULL, 0, PART_PAUSE_MS);
        TRY(load_run(&b->aws.target, &plan, &part));
        all.p50_us = i == 0 || part.p50_us < all.p50_us ? part.p50_us : all.p50_us;
        all.p99_us = i == 0 || part.p99_us < all.p99_us ? part.p99_us : all.p99_us;
        all.cpu_us += part.cpu_us / PARTS;
        all.requests += part.requests;
        all.failed += part.failed;
        all.seconds += part.seconds;
    }
    b->wrong += all.failed > 0;
    print_row(b, name, &all, budget);
    return ERR_OK;
}

/* --- keys ----------------------------------------------------------------------------------------- */

static enum err import_keys(struct bench *b, const char *plan, uint64_t from, uint64_t to)
{
    struct buf csv;
    buf_init(&csv, LOAD_KEEP_MAX);
    BUF_ADD_LIT(&csv, "name,key,enabled,usageplanIds\n");
    for (uint64_t i = from; i < to; i++)
        buf_add_fmt(&csv, "k%llu,bench-key-number-%012llu,true,%s\n", (unsigned long long)i,
                    (unsigned long long)i, plan);
    enum err err =
        gateway(b, "POST", "/apikeys", "format=csv&mode=import", buf_str(&csv), NULL, NULL);
    buf_release(&csv);
    return err;
}

static enum err key_rows(struct api *api)
{
    struct bench *b = api->b;
    struct requests r = {
        .api = api, .method = "GET", .path = "/key", .header = "", .keys = KEYS_FEW};
    char plan[ID_MAX], text[256];
    uint64_t many = (uint64_t)(KEYS_MANY * (b->scale < 1 ? b->scale : 1));
    int n = snprintf(text, sizeof(text),
                     "{\"name\":\"bench\",\"apiStages\":[{\"apiId\":\"%s\",\"stage\":\"p\"}]}",
                     api->id);
    TRY(gateway(b, "POST", "/usageplans", NULL, str_n(text, (size_t)n), "id", plan));
    TRY(import_keys(b, plan, 0, KEYS_FEW));
    TRY(row(&r, "API MOCK, one of 10 keys", SCENARIO_CONNECTIONS, ""));
    for (uint64_t at = KEYS_FEW; at < many; at += KEYS_A_CALL)
        TRY(import_keys(b, plan, at, at + KEYS_A_CALL < many ? at + KEYS_A_CALL : many));
    load_settle(b->aws.target.pid);
    r.keys = many;
    (void)snprintf(text, sizeof(text), "API MOCK, one of %llu keys", (unsigned long long)many);
    return row(&r, text, SCENARIO_CONNECTIONS, "that of 10");
}

/* --- ten times the limit -------------------------------------------------------------------------- */

static enum err throttle_row(struct api *api)
{
    struct bench *b = api->b;
    struct requests r = {
        .api = api, .method = "GET", .path = "/throttled", .header = "", .throttled = true};
    struct load_plan plan = {
        .requests = (uint64_t)(12000 * (b->scale < 1 ? b->scale : 1)),
        .connections = 8,
        .make = make,
        .check = check,
        .ctx = &r,
    };
    struct load_result result;
    char path[128], body[512];
    (void)snprintf(path, sizeof(path), "/restapis/%s/stages/p", api->id);
    int n = snprintf(
        body, sizeof(body),
        "{\"patchOperations\":[{\"op\":\"replace\",\"path\":\"/~1throttled/GET/throttling/"
        "rateLimit\","
        "\"value\":\"%d\"},{\"op\":\"replace\",\"path\":\"/~1throttled/GET/throttling/burstLimit\","
        "\"value\":\"%d\"}]}",
        THROTTLE_RATE, THROTTLE_BURST);
    TRY(gateway(b, "PATCH", path, NULL, str_n(body, (size_t)n), NULL, NULL));
    (void)poll(NULL, 0, PART_PAUSE_MS);
    TRY(load_run(&b->aws.target, &plan, &result));
    double allowed = THROTTLE_BURST + THROTTLE_RATE * result.seconds;
    print_row(b, "API MOCK over its limit", &result, "");
    printf("  %.0f asked a second of %d allowed: %llu passed, %.2f %% of what the limit allows "
           "(budget 98 to 102 %%)\n",
           (double)result.requests / result.seconds, THROTTLE_RATE, (unsigned long long)r.allowed,
           100 * (double)r.allowed / allowed);
    b->wrong += result.failed > 0;
    return ERR_OK;
}

/* --- memory --------------------------------------------------------------------------------------- */

static enum err memory_row(struct bench *b, struct str description)
{
    char id[ID_MAX];
    for (int i = 0; i < 10; i++) /* what the first ones cost once */
        TRY(deploy(b, description, id));
    load_settle(b->aws.target.pid);
    double before = load_rss_mib(b->aws.target.pid);
    for (int i = 0; i < IDLE_APIS; i++)
        TRY(deploy(b, description, id));
    load_settle(b->aws.target.pid);
    double after = load_rss_mib(b->aws.target.pid);
    printf("%d more APIs that nobody asks: %.1f KiB of memory each (budget 64 KiB)\n", IDLE_APIS,
           (after - before) * 1024 / IDLE_APIS);
    return ERR_OK;
}

/* --- all of them ---------------------------------------------------------------------------------- */

static enum err table_rows(struct api *api)
{
    struct bench *b = api->b;
    struct requests put = {.api = api,
                           .method = "POST",
                           .path = "/item",
                           .header = "",
                           .body = "{\"make\":\"Ford\",\"year\":1999}"};
    struct requests get = {.api = api, .method = "GET", .path = "/item/one", .header = ""};
    TRY(setup_json(b, "dynamodb", "DynamoDB_20120810.CreateTable",
                   STR("{\"TableName\":\"bench-api\",\"BillingMode\":\"PAY_PER_REQUEST\","
                       "\"KeySchema\":[{\"AttributeName\":"
                       "\"id\",\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":"
                       "\"id\",\"AttributeType\":"
                       "\"S\"}]}")));
    TRY(setup_json(b, "dynamodb", "DynamoDB_20120810.PutItem",
                   STR("{\"TableName\":\"bench-api\",\"Item\":{\"id\":{\"S\":\"one\"},\"make\":{"
                       "\"S\":\"Ford\"},\"year\":"
                       "{\"N\":\"1999\"}}}")));
    TRY(row(&get, "API, GetItem by two templates", SCENARIO_CONNECTIONS, "< 60 us"));
    return row(&put, "API, PutItem by two templates", SCENARIO_CONNECTIONS, "");
}

static enum err ask_once(struct requests *r)
{
    const struct load_plan plan = {
        .requests = 1, .connections = 1, .make = make, .check = check, .ctx = r};
    struct load_result result;
    return load_run(&r->api->b->aws.target, &plan, &result);
}

static enum err function_rows(struct api *api, const char *header)
{
    struct requests proxy = {
        .api = api, .method = "POST", .path = "/proxy", .header = "", .body = "{\"n\":1}"};
    struct requests custom = {.api = api, .method = "GET", .path = "/custom", .header = header};
    TRY(ask_once(
        &custom)); /* else each connection asks the function, and a part of them all start one */
    load_settle(api->b->aws.target.pid);
    TRY(row(&custom, "API MOCK, authorizer's kept answer", SCENARIO_CONNECTIONS, "MOCK + 5 us"));
    return row(&proxy, "API, AWS_PROXY, 1 at once", 1, "p50 < 250 us");
}

static enum err run_all(struct api *api, struct buf *description)
{
    char header[TOKEN_MAX + 64];
    struct requests mock = {.api = api, .method = "GET", .path = "/mock", .header = ""};
    struct requests pool = {.api = api, .method = "GET", .path = "/pool", .header = header};
    TRY(make_token(api->b, api->pool, api->token));
    (void)snprintf(header, sizeof(header), "Authorization: %s\r\n", api->token);
    describe(description, api->pool);
    TRY(buf_err(description));
    TRY(deploy(api->b, buf_str(description), api->id));
    TRY(row(&mock, "API MOCK", SCENARIO_CONNECTIONS, "HTTP + 15 us"));
    TRY(row(&pool, "API MOCK, user pool's token", SCENARIO_CONNECTIONS,
            "MOCK + 5 us; new + 60 us"));
    if (api->b->proxy)
        TRY(function_rows(api, header));
    TRY(table_rows(api));
    TRY(throttle_row(api));
    TRY(key_rows(api));
    return memory_row(api->b, buf_str(description));
}

enum err scenario_apigateway(struct bench *b)
{
    struct api *api = mem_calloc(1, sizeof(*api));
    struct buf description;
    if (!api)
        return ERR_NOMEM;
    api->b = b;
    buf_init(&description, DESCRIPTION_MAX);
    enum err err = setup_role(b);
    if (err == ERR_OK && b->proxy) {
        const struct bench_function f = {"provided.al2023", b->proxy};
        err = setup_function(b, &f, FUNCTION, NULL);
        if (err == ERR_OK)
            err = permit(b);
    }
    if (err == ERR_OK)
        err = run_all(api, &description);
    buf_release(&description);
    mem_free(api);
    return err;
}
