/* The calls that functions make most: JSON services by target, objects. See aws.h.
 *
 * Layer: runtime/c. Thread: one a client. */
#include <stdio.h>

#include "aws.h"
#include "codec/percent.h"

/* Of each: what its targets begin with, and its version of the protocol. */
static const struct json_service {
    const char *name, *target;
    struct str content_type;
} json_services[] = {
    {"dynamodb", "DynamoDB_20120810", STR_INIT("application/x-amz-json-1.0")},
    {"dynamodb-streams", "DynamoDBStreams_20120810", STR_INIT("application/x-amz-json-1.0")},
    {"events", "AWSEvents", STR_INIT("application/x-amz-json-1.1")},
    {"sqs", "AmazonSQS", STR_INIT("application/x-amz-json-1.0")},
};

static const struct json_service *json_service(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(json_services); i++)
        if (strcmp(json_services[i].name, name) == 0)
            return &json_services[i];
    return NULL;
}

enum err aws_explain(const struct aws *aws, struct arena *arena, const char *operation,
                     enum err err, const struct aws_reply *reply, struct str *ret_why)
{
    if (err == ERR_FAILED)
        *ret_why = str_fmt(arena, "%s: " STR_FMT ": " STR_FMT, operation,
                           STR_ARG(reply->error_code), STR_ARG(reply->error_message));
    else if (err != ERR_OK)
        *ret_why = str_fmt(arena, "%s: %s", operation, aws_error(aws));
    return err;
}

enum err aws_json(struct aws *aws, const char *service, const char *operation, struct str body,
                  struct arena *arena, struct aws_reply *ret_reply, const struct json **ret_json)
{
    const struct json_service *known = json_service(service);
    struct buf *reply_body = ARENA_NEW(arena, struct buf);
    struct json *doc = NULL;
    if (!known)
        return ERR_UNSUPPORTED;
    struct str target = str_fmt(arena, "%s.%s", known->target, operation);
    if (!reply_body || !str_is_set(target))
        return ERR_NOMEM;
    buf_init_arena(reply_body, arena, AWS_BODY_MAX);
    const struct aws_header headers[] = {
        {STR("content-type"), known->content_type},
        {STR("x-amz-target"), target},
    };
    struct aws_request req = {
        .service = service,
        .method = "POST",
        .headers = headers,
        .n_headers = ARRAY_LEN(headers),
        .body = body,
    };
    TRY(aws_call(aws, &req, arena, ret_reply, reply_body));
    if (reply_body->len && json_parse(arena, buf_str(reply_body), &doc, NULL) != ERR_OK)
        return ERR_INVALID;
    if (ret_json)
        *ret_json = doc;
    return ret_reply->status < 300 ? ERR_OK : ERR_FAILED;
}

/* "/bucket/key", the form that every endpoint and bucket name takes. */
static struct str object_path(struct arena *arena, struct str bucket, struct str key)
{
    struct buf b;
    buf_init_arena(&b, arena, 8 * 1024);
    buf_add_byte(&b, '/');
    percent_put(&b, bucket, false);
    buf_add_byte(&b, '/');
    percent_put(&b, key, true);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

static enum err object_call(struct aws *aws, struct aws_request *req, struct str bucket,
                            struct str key, struct arena *arena, struct aws_reply *ret_reply,
                            struct buf *body)
{
    req->service = "s3";
    req->path = object_path(arena, bucket, key);
    if (!str_is_set(req->path))
        return ERR_NOMEM;
    TRY(aws_call(aws, req, arena, ret_reply, body));
    return ret_reply->status < 300 ? ERR_OK : ERR_FAILED;
}

enum err aws_s3_get(struct aws *aws, struct str bucket, struct str key, struct str version_id,
                    struct str if_match, struct arena *arena, struct aws_reply *ret_reply,
                    struct buf *body)
{
    const struct aws_header match = {STR("if-match"), if_match};
    struct aws_request req = {
        .method = "GET",
        .headers = &match,
        .n_headers = if_match.len ? 1 : 0,
        .timeout_ms = 4 * AWS_TIMEOUT_MS, /* it may be large */
    };
    if (version_id.len) {
        req.query =
            str_fmt(arena, "versionId=" STR_FMT, STR_ARG(percent_encode(arena, version_id, false)));
        if (!str_is_set(req.query))
            return ERR_NOMEM;
    }
    return object_call(aws, &req, bucket, key, arena, ret_reply, body);
}

enum err aws_s3_put(struct aws *aws, struct str bucket, struct str key, struct str content_type,
                    struct str body, struct arena *arena, struct aws_reply *ret_reply)
{
    const struct aws_header type = {STR("content-type"), content_type};
    struct buf reply;
    struct aws_request req = {
        .method = "PUT",
        .headers = &type,
        .n_headers = content_type.len ? 1 : 0,
        .body = body,
        .timeout_ms = 4 * AWS_TIMEOUT_MS,
    };
    buf_init_arena(&reply, arena, AWS_BODY_MAX);
    return object_call(aws, &req, bucket, key, arena, ret_reply, &reply);
}

enum err aws_s3_delete(struct aws *aws, struct str bucket, struct str key, struct arena *arena,
                       struct aws_reply *ret_reply)
{
    struct buf reply;
    struct aws_request req = {.method = "DELETE"};
    buf_init_arena(&reply, arena, AWS_BODY_MAX);
    return object_call(aws, &req, bucket, key, arena, ret_reply, &reply);
}
