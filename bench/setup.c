/* See setup.h. */
#include "setup.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

enum { LOOK_MS = 5 };

enum err setup_json(struct bench *b, const char *service, const char *target, struct str body)
{
    const struct aws_request req = {
        .method = "POST",
        .service = service,
        .target = target,
        .content_type = "application/x-amz-json-1.1",
        .body = body,
    };
    return aws_call(&b->aws, &req, false, NULL);
}

/* --- role --------------------------------------------------------------------------------------- */

enum err setup_role(struct bench *b)
{
    static const struct str forms[] = {
        STR_INIT("Action=CreateRole&Version=2010-05-08&RoleName=bench&"
                 "AssumeRolePolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22"
                 "Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22"
                 "Service%22%3A%5B%22lambda.amazonaws.com%22%2C%22scheduler.amazonaws.com%22%2C%"
                 "22apigateway.amazonaws.com%22%5D%7D"
                 "%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D"),
        STR_INIT("Action=PutRolePolicy&Version=2010-05-08&RoleName=bench&PolicyName=all&"
                 "PolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B"
                 "%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D"
                 "%5D%7D"),
    };
    if (b->has_role)
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        const struct aws_request req = {
            .method = "POST",
            .service = "iam",
            .content_type = "application/x-www-form-urlencoded",
            .body = forms[i],
        };
        TRY(aws_call(&b->aws, &req, false, NULL));
    }
    b->has_role = true;
    return ERR_OK;
}

/* --- queues ------------------------------------------------------------------------------------- */

static enum err sqs(struct bench *b, const char *target, struct str body, struct buf *reply)
{
    const struct aws_request req = {
        .method = "POST",
        .service = "sqs",
        .target = target,
        .content_type = "application/x-amz-json-1.0",
        .body = body,
    };
    return aws_call(&b->aws, &req, false, reply);
}

enum err setup_queue(struct bench *b, const char *name, struct setup_queue *ret_queue)
{
    char body[512];
    struct buf reply;
    int n = snprintf(body, sizeof(body),
                     "{\"QueueName\":\"%s\",\"Attributes\":{\"VisibilityTimeout\":\"3600\","
                     "\"Policy\":\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{"
                     "\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":\\\"*\\\",\\\"Action\\\":"
                     "\\\"sqs:SendMessage\\\",\\\"Resource\\\":\\\"*\\\"}]}\"}}",
                     name);
    buf_init(&reply, 4096);
    enum err err = sqs(b, "AmazonSQS.CreateQueue", str_n(body, (size_t)n), &reply);
    struct str url = aws_json_text(buf_str(&reply), "QueueUrl");
    if (err == ERR_OK && !str_is_set(url))
        err = ERR_FAILED;
    (void)snprintf(ret_queue->url, sizeof(ret_queue->url), STR_FMT, STR_ARG(url));
    (void)snprintf(ret_queue->arn, sizeof(ret_queue->arn), "arn:aws:sqs:us-east-1:000000000000:%s",
                   name);
    buf_release(&reply);
    return err;
}

enum err setup_queue_depth(struct bench *b, const struct setup_queue *q, uint64_t *ret_messages)
{
    static const char *const names[] = {"ApproximateNumberOfMessages",
                                        "ApproximateNumberOfMessagesNotVisible"};
    char body[512];
    struct buf reply;
    int n =
        snprintf(body, sizeof(body), "{\"QueueUrl\":\"%s\",\"AttributeNames\":[\"All\"]}", q->url);
    buf_init(&reply, 8192);
    enum err err = sqs(b, "AmazonSQS.GetQueueAttributes", str_n(body, (size_t)n), &reply);
    *ret_messages = 0;
    for (size_t i = 0; err == ERR_OK && i < ARRAY_LEN(names); i++) {
        int64_t part;
        err = str_to_i64(aws_json_text(buf_str(&reply), names[i]), &part);
        *ret_messages += err == ERR_OK ? (uint64_t)part : 0;
    }
    buf_release(&reply);
    return err;
}

enum err setup_queue_wait(struct bench *b, const struct setup_queue *q, uint64_t messages,
                          bool at_most, int64_t timeout_ms)
{
    int64_t end_ms = clock_now_ms() + timeout_ms;
    for (;;) {
        uint64_t depth;
        TRY(setup_queue_depth(b, q, &depth));
        if (at_most ? depth <= messages : depth >= messages)
            return ERR_OK;
        if (clock_now_ms() > end_ms)
            return ERR_TIMEOUT;
        (void)poll(NULL, 0, LOOK_MS);
    }
}

/* --- functions ---------------------------------------------------------------------------------- */

static void add_base64(struct buf *out, const unsigned char *p, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;
        v |= i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0;
        v |= i + 2 < len ? p[i + 2] : 0;
        buf_add_byte(out, alphabet[v >> 18]);
        buf_add_byte(out, alphabet[v >> 12 & 63]);
        buf_add_byte(out, i + 1 < len ? alphabet[v >> 6 & 63] : '=');
        buf_add_byte(out, i + 2 < len ? alphabet[v & 63] : '=');
    }
}

static enum err create(struct bench *b, const struct bench_function *f, const char *name,
                       const char *out, struct str zip)
{
    struct buf body;
    buf_init(&body, 2 * SETUP_ZIP_MAX);
    buf_add_fmt(&body,
                "{\"FunctionName\":\"%s\",\"Runtime\":\"%s\",\"Handler\":\"app.handler\","
                "\"Role\":\"" SETUP_ROLE_ARN "\",\"Timeout\":10,\"MemorySize\":128,",
                name, f->runtime);
    if (out)
        buf_add_fmt(&body, "\"Environment\":{\"Variables\":{\"OUT\":\"%s\"}},", out);
    BUF_ADD_LIT(&body, "\"Code\":{\"ZipFile\":\"");
    add_base64(&body, (const unsigned char *)zip.p, zip.len);
    BUF_ADD_LIT(&body, "\"}}");
    const struct aws_request req = {
        .method = "POST",
        .service = "lambda",
        .path = STR("/2015-03-31/functions"),
        .content_type = "application/json",
        .body = buf_str(&body),
    };
    enum err err = buf_err(&body) == ERR_OK ? aws_call(&b->aws, &req, false, NULL) : ERR_NOMEM;
    buf_release(&body);
    return err;
}

enum err setup_function(struct bench *b, const struct bench_function *f, const char *name,
                        const char *out)
{
    char *zip = mem_alloc(SETUP_ZIP_MAX);
    FILE *file = fopen(f->zip, "rb");
    enum err err = zip && file ? ERR_OK : ERR_NOT_FOUND;
    size_t n = err == ERR_OK ? fread(zip, 1, SETUP_ZIP_MAX, file) : 0;
    if (err == ERR_OK)
        err = setup_role(b);
    if (err == ERR_OK)
        err = create(b, f, name, out, str_n(zip, n));
    if (file)
        fclose(file);
    mem_free(zip);
    return err;
}
