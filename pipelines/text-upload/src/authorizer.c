/* text-upload: the authorizer of the API, of type REQUEST. Verifies the caller's token with the keys of the
 * user pool, which it keeps between requests.
 *
 * Invariants
 *   V1  Whoever brings no token that bearer.h takes is answered 401, and nothing is said of why but in
 *       the log. Keys that cannot be had make it fail, which is 500: nobody passes then.
 *   V2  Tokens with unknown keys make it ask for the keys once in KEYS_PAUSE_MS, no more often.
 *
 * Layer: pipeline. Thread: one. */
#include <stdio.h>
#include <stdlib.h>

#include "aws.h"
#include "base/clock.h"
#include "bearer.h"
#include "lambda.h"
#include "rest.h"

enum {
    KEYS_BYTES_MAX = 64 * 1024,
    KEYS_TIMEOUT_MS = 3000,
    KEYS_PAUSE_MS = 60 * 1000,
    KEYS_AGE_MS = 60 * 60 * 1000, /* a key that the pool has withdrawn is taken no longer */
};

static struct {
    struct aws *aws;
    struct str pool_id;
    struct bearer_rules rules;
    struct jwt_keys keys;
    int64_t asked_ms; /* when the keys were had; 0: never */
} app;

static enum err ask_for_keys(struct arena *a, struct str *ret_why)
{
    struct aws_reply reply = {0};
    struct jwt_keys keys;
    struct buf body;
    struct aws_request request = {
        .service = "cognito-idp",
        .method = "GET",
        .path = str_fmt(a, "/" STR_FMT "/.well-known/jwks.json", STR_ARG(app.pool_id)),
        .timeout_ms = KEYS_TIMEOUT_MS,
        .is_unsigned = true,
    };
    if (!str_is_set(request.path))
        return ERR_NOMEM;
    buf_init_arena(&body, a, KEYS_BYTES_MAX);
    enum err err = aws_call(app.aws, &request, a, &reply, &body);
    if (err == ERR_OK && reply.status != 200)
        err = ERR_FAILED;
    TRY(aws_explain(app.aws, a, "jwks.json", err, &reply, ret_why));
    *ret_why = STR("jwks.json: not a set of keys");
    TRY(jwt_keys_parse(buf_str(&body), a, &keys));
    jwt_keys_release(&app.keys);
    app.keys = keys;
    app.asked_ms = clock_wall_ms();
    return ERR_OK;
}

static int64_t age_ms(void)
{
    int64_t age = clock_wall_ms() - app.asked_ms;
    return app.asked_ms && age >= 0 ? age : INT64_MAX;
}

/* ERR_DENIED: *ret_fault says what is wrong with the token. Others: with the keys, *ret_why. */
static enum err judge(struct arena *a, struct str token, struct str *ret_subject,
                      const char **ret_fault, struct str *ret_why)
{
    if (age_ms() > KEYS_AGE_MS)
        TRY(ask_for_keys(a, ret_why));
    enum err err =
        bearer_subject(a, token, &app.keys, &app.rules, clock_wall_ms(), ret_subject, ret_fault);
    if (err != ERR_NOT_FOUND)
        return err;
    if (age_ms() < KEYS_PAUSE_MS)
        return ERR_DENIED;
    TRY(ask_for_keys(a, ret_why));
    err = bearer_subject(a, token, &app.keys, &app.rules, clock_wall_ms(), ret_subject, ret_fault);
    return err == ERR_NOT_FOUND ? ERR_DENIED : err;
}

static int handle(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    struct rest_request request;
    struct json *doc = NULL;
    struct json_out o;
    struct str subject = STR_NONE, why = STR_NONE;
    const char *fault = "no token";
    if (rest_read(ctx->arena, event, &request) != ERR_OK ||
        json_parse(ctx->arena, event, &doc, NULL) != ERR_OK)
        return lambda_fail(ctx, "Pipeline.BadEvent", "the event is no request to a REST API");
    struct str token = bearer_token(rest_header(&request, STR("authorization")));
    enum err err =
        str_is_set(token) ? judge(ctx->arena, token, &subject, &fault, &why) : ERR_DENIED;
    if (err == ERR_DENIED) {
        printf("refused: %s\n", fault);
        return lambda_fail(ctx, "Unauthorized", "Unauthorized");
    }
    if (err != ERR_OK)
        return lambda_fail(ctx, "Pipeline.Keys", "%s: " STR_FMT, err_name(err), STR_ARG(why));
    json_out_init(&o, reply);
    bearer_put_allow(&o, subject, json_get_str(doc, STR("methodArn")));
    return 0;
}

int main(void)
{
    struct str region = str_c(getenv("AWS_REGION"));
    static char issuer[256];
    app.pool_id = str_c(getenv("USER_POOL_ID"));
    app.rules.client_id = str_c(getenv("CLIENT_ID"));
    int n =
        snprintf(issuer, sizeof issuer, "https://cognito-idp." STR_FMT ".amazonaws.com/" STR_FMT,
                 STR_ARG(region), STR_ARG(app.pool_id));
    if (!region.len || !app.pool_id.len || !app.rules.client_id.len || n < 0 ||
        (size_t)n >= sizeof issuer)
        return lambda_init_error("Pipeline.Configuration",
                                 "USER_POOL_ID and CLIENT_ID must be set"),
               1;
    app.rules.issuer = str_n(issuer, (size_t)n);
    if (aws_new(&app.aws) != ERR_OK)
        return lambda_init_error("Pipeline.Configuration", "no credentials or region"), 1;
    return lambda_run(handle);
}
