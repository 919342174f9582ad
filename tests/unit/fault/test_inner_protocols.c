/* Inner calls of the real services, one of every protocol: JSON in and out by member names, the
 * caller's permissions, bodies beside the JSON. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/inner.h"
#include "help_world.h"

#define ACCOUNT "000000000000"
#define ALLOW                                                                                      \
    "{\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"dynamodb:ListTables\\\"," \
    "\\\"Resource\\\":\\\"*\\\"}}"
#define VIA                                                                                        \
    "{\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"iam:ListUsers\\\","       \
    "\\\"Resource\\\":\\\"*\\\",\\\"Condition\\\":{\\\"StringEquals\\\":{\\\"aws:CalledVia\\\":"   \
    "\\\"events.amazonaws.com\\\"}}}}"
#define TRUST                                                                                      \
    "{\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Principal\\\":{\\\"Service\\\":"         \
    "\\\"lambda.amazonaws.com\\\"},\\\"Action\\\":\\\"sts:AssumeRole\\\"}}"

static const struct principal root = {
    .kind = PRINCIPAL_ROOT,
    .account = STR_INIT(ACCOUNT),
    .arn = STR_INIT("arn:aws:iam::" ACCOUNT ":root"),
};

struct asked {
    struct io_task task;
    struct core *core;
    struct core_request req;
    sem_t done;
    enum err err;
    int status;
    char output[4096], code[64], body[256], message[512];
};

static void keep(char *out, size_t size, struct str s)
{
    snprintf(out, size, "%.*s", (int)s.len, s.p ? s.p : "");
}

static void on_done(void *arg, const struct core_result *r)
{
    struct asked *a = arg;
    a->err = r->err;
    a->status = r->status;
    keep(a->output, sizeof(a->output), r->output);
    keep(a->code, sizeof(a->code), r->code);
    keep(a->body, sizeof(a->body), r->body);
    keep(a->message, sizeof(a->message), r->message);
    sem_post(&a->done);
}

static void begin(struct io_task *task)
{
    struct asked *a = CONTAINER_OF(task, struct asked, task);
    assert_int_equal(core_call(a->core, &a->req, on_done, a, NULL), ERR_OK);
}

static void ask(struct world *w, struct asked *a)
{
    a->task.fn = begin;
    a->core = &w->core;
    sem_init(&a->done, 0, 0);
    io_post(w->loop, &a->task);
    while (sem_wait(&a->done) < 0)
        continue;
}

static void every_protocol_speaks_json(void **state)
{
    static const struct {
        const char *service, *op, *input, *body, *role, *via;
        int status;
        const char *output, *code, *out_body; /* parts of it; NULL: none */
    } rows[] = {
        /* awsJson */
        {"dynamodb", "CreateTable",
         "{\"TableName\":\"tab\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[{"
         "\"AttributeName\":"
         "\"k\",\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"k\","
         "\"AttributeType\":\"S\"}]}",
         NULL, NULL, NULL, 200, "\"TableName\":\"tab\"", NULL, NULL},
        {"dynamodb", "PutItem", "{\"TableName\":\"tab\",\"Item\":{\"k\":{\"S\":\"a\"}}}", NULL,
         NULL, NULL, 200, "{}", NULL, NULL},
        {"dynamodb", "GetItem", "{\"TableName\":\"tab\",\"Key\":{\"k\":{\"S\":\"a\"}}}", NULL, NULL,
         NULL, 200, "{\"Item\":{\"k\":{\"S\":\"a\"}}}", NULL, NULL},
        {"dynamodb", "GetItem", "{\"TableName\":\"none\",\"Key\":{\"k\":{\"S\":\"a\"}}}", NULL,
         NULL, NULL, 400, NULL, "ResourceNotFoundException", NULL},
        {"dynamodb", "GetItem", "{}", NULL, NULL, NULL, 400, NULL, "ValidationException", NULL},
        {"logs", "CreateLogGroup", "{\"logGroupName\":\"g\"}", NULL, NULL, NULL, 200, "{}", NULL,
         NULL},
        {"sqs", "CreateQueue", "{\"QueueName\":\"q\"}", NULL, NULL, NULL, 200,
         "\"QueueUrl\":", NULL, NULL},
        /* query */
        {"iam", "CreateRole", "{\"RoleName\":\"r\",\"AssumeRolePolicyDocument\":\"" TRUST "\"}",
         NULL, NULL, NULL, 200, "\"RoleName\":\"r\"", NULL, NULL},
        {"iam", "CreateRole", "{\"RoleName\":\"r\",\"AssumeRolePolicyDocument\":\"" TRUST "\"}",
         NULL, NULL, NULL, 409, NULL, "EntityAlreadyExists", NULL},
        {"iam", "PutRolePolicy",
         "{\"RoleName\":\"r\",\"PolicyName\":\"p\",\"PolicyDocument\":\"" ALLOW "\"}", NULL, NULL,
         NULL, 200, "{}", NULL, NULL},
        {"iam", "PutRolePolicy",
         "{\"RoleName\":\"r\",\"PolicyName\":\"v\",\"PolicyDocument\":\"" VIA "\"}", NULL, NULL,
         NULL, 200, "{}", NULL, NULL},
        /* restJson: a path label and a query parameter by their names */
        {"lambda", "GetFunction", "{\"FunctionName\":\"none\"}", NULL, NULL, NULL, 404, NULL,
         "ResourceNotFoundException", NULL},
        {"lambda", "ListFunctions", "{\"MaxItems\":10}", NULL, NULL, NULL, 200, "\"Functions\":[]",
         NULL, NULL},
        /* restXml: headers by their names, the body beside the JSON */
        {"s3", "CreateBucket", "{\"Bucket\":\"bucket\"}", NULL, NULL, NULL, 200,
         "\"Location\":\"/bucket\"", NULL, NULL},
        {"s3", "PutObject",
         "{\"Bucket\":\"bucket\",\"Key\":\"a/b\",\"ContentType\":\"text/"
         "x\",\"Metadata\":{\"m\":\"1\"}}",
         "hello", NULL, NULL, 200, "\"ETag\":", NULL, NULL},
        {"s3", "GetObject", "{\"Bucket\":\"bucket\",\"Key\":\"a/b\"}", NULL, NULL, NULL, 200,
         "\"ContentType\":\"text/x\"", NULL, "hello"},
        {"s3", "GetObject", "{\"Bucket\":\"bucket\",\"Key\":\"a/b\"}", NULL, NULL, NULL, 200,
         "\"Metadata\":{\"m\":\"1\"}", NULL, "hello"},
        {"s3", "ListObjectsV2", "{\"Bucket\":\"bucket\",\"MaxKeys\":5}", NULL, NULL, NULL, 200,
         "\"Key\":\"a/b\"", NULL, NULL},
        {"s3", "GetObject", "{\"Bucket\":\"bucket\",\"Key\":\"none\"}", NULL, NULL, NULL, 404, NULL,
         "NoSuchKey", NULL},
        /* N2: as a role, which may list tables, and users for events alone */
        {"dynamodb", "ListTables", "{}", NULL, "r", NULL, 200, "\"TableNames\":[\"tab\"]", NULL,
         NULL},
        {"dynamodb", "PutItem", "{\"TableName\":\"tab\",\"Item\":{\"k\":{\"S\":\"b\"}}}", NULL, "r",
         NULL, 400, NULL, "AccessDeniedException", NULL},
        {"s3", "PutObject", "{\"Bucket\":\"bucket\",\"Key\":\"c\"}", "x", "r", NULL, 403, NULL,
         "AccessDenied", NULL},
        {"iam", "ListUsers", "{}", NULL, "r", NULL, 403, NULL, "AccessDenied", NULL},
        {"iam", "ListUsers", "{}", NULL, "r", "s3.amazonaws.com", 403, NULL, "AccessDenied", NULL},
        {"iam", "ListUsers", "{}", NULL, "r", "events.amazonaws.com", 200, "\"Users\":[]", NULL,
         NULL},
        {"dynamodb", "ListTables", "{}", NULL, "nobody", NULL, 400, NULL, "AccessDeniedException",
         NULL},
    };
    static struct world w;
    world_make(&w);
    world_up(&w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asked a = {0};
        char role[128];
        a.req = (struct core_request){.service = str_c(rows[i].service),
                                      .operation = str_c(rows[i].op),
                                      .input = str_c(rows[i].input)};
        if (rows[i].body)
            a.req.body = str_c(rows[i].body);
        if (rows[i].via)
            a.req.via = str_c(rows[i].via);
        if (rows[i].role) {
            snprintf(role, sizeof(role), "arn:aws:iam::" ACCOUNT ":role/%s", rows[i].role);
            a.req.role_arn = str_c(role);
        } else {
            a.req.who = &root;
        }
        ask(&w, &a);
        bool right = a.status == rows[i].status && a.err == (rows[i].code ? ERR_FAILED : ERR_OK) &&
                     (rows[i].code ? strcmp(a.code, rows[i].code) == 0
                                   : strstr(a.output, rows[i].output) != NULL) &&
                     (!rows[i].out_body || strcmp(a.body, rows[i].out_body) == 0);
        if (!right) {
            fprintf(stderr, "row %zu %s: %s %d %s %s output=%s body=%s\n", i, rows[i].op,
                    err_name(a.err), a.status, a.code, a.message, a.output, a.body);
            fail();
        }
    }
    world_down(&w);
    world_remove(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_protocol_speaks_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
