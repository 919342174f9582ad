/* The rows of the results table that are neither DynamoDB nor SQS; and printing. */
#include "scenarios.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"

/* CPU of a request to the first server measured, which is the HTTP layer alone; 0: not yet. */
static double nothing_cpu_us;

void print_header(void)
{
    printf("%-34s %9s %9s %7s %8s %8s %9s  %s\n", "call", "req/s", "CPU us", "x http", "p50 us",
           "p99 us", "RSS MiB", "budget");
}

void print_row(const struct bench *b, const char *name, const struct load_result *r,
               const char *budget)
{
    char ratio[16] = "";
    if (nothing_cpu_us > 0)
        snprintf(ratio, sizeof(ratio), "%.1f", r->cpu_us / nothing_cpu_us);
    printf("%-34s %9.0f %9.1f %7s %8.0f %8.0f %9.1f  %s%s\n", name,
           (double)r->requests / r->seconds, r->cpu_us, ratio, r->p50_us, r->p99_us,
           load_rss_mib(b->aws.target.pid), budget, r->failed ? "  WRONG REPLIES" : "");
    fflush(stdout);
}

/* --- HTTP ------------------------------------------------------------------------------------- */

static void health_make(void *ctx, struct load_conn *c)
{
    BUF_ADD_LIT(&c->out, "GET /_weir/health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                         "User-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\r\n");
}

enum err scenario_http(struct bench *b)
{
    struct load_plan plan = {
        .requests = (uint64_t)(200000 * b->scale),
        .warmup = 5000,
        .connections = SCENARIO_CONNECTIONS,
        .make = health_make,
    };
    struct load_result r;
    TRY(load_run(&b->aws.target, &plan, &r));
    b->wrong += r.failed > 0;
    if (nothing_cpu_us == 0)
        nothing_cpu_us = r.cpu_us;
    print_row(b, "GET /_weir/health", &r, "HTTP+signature+JSON < 10");
    return ERR_OK;
}

/* --- S3 --------------------------------------------------------------------------------------- */

enum { SMALL_KEYS = 2000, SMALL_BYTES = 1024, BLOCK_BYTES = 1024 * 1024, LARGE_MIB = 256 };

struct s3_plan {
    struct bench *b;
    const char *method;
    struct str body; /* small */
    uint64_t large;  /* or this many bytes of block */
    const char *block;
    const char *prefix;
};

static void s3_make(void *ctx, struct load_conn *c)
{
    struct s3_plan *p = ctx;
    char path[64];
    int n = snprintf(path, sizeof(path), "/bench-bucket/%s-%llu", p->prefix,
                     (unsigned long long)(c->number % SMALL_KEYS));
    struct aws_request req = {
        .method = p->method,
        .service = "s3",
        .path = str_n(path, (size_t)n),
        .body = p->body,
        .large_body = p->large,
    };
    aws_write(&p->b->aws, &c->out, &req);
    c->block = p->block;
    c->block_len = BLOCK_BYTES;
    c->body_left = p->large;
}

static enum err s3_run(struct s3_plan *p, uint64_t requests, uint64_t warmup, int connections,
                       const char *name, const char *budget)
{
    struct load_plan plan = {
        .requests = requests,
        .warmup = warmup,
        .connections = connections,
        .make = s3_make,
        .ctx = p,
    };
    struct load_result r;
    char label[96], speed[96];
    TRY(load_run(&p->b->aws.target, &plan, &r));
    p->b->wrong += r.failed > 0;
    snprintf(label, sizeof(label), "%s", name);
    if (warmup == 0) {
        snprintf(speed, sizeof(speed), "%s; now %.0f MB/s", budget,
                 (double)r.body_bytes / r.seconds / 1e6);
        budget = speed;
    }
    print_row(p->b, label, &r, budget);
    return ERR_OK;
}

enum err scenario_s3(struct bench *b)
{
    const struct aws_request create = {
        .method = "PUT", .service = "s3", .path = STR("/bench-bucket")};
    char *block = mem_calloc(1, BLOCK_BYTES);
    if (!block)
        return ERR_NOMEM;
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        block[i] = (char)('a' + i % 23);
    uint64_t small = (uint64_t)(40000 * b->scale);
    struct s3_plan put = {b, "PUT", str_n(block, SMALL_BYTES), 0, NULL, "small"};
    struct s3_plan get = {b, "GET", STR_NONE, 0, NULL, "small"};
    struct s3_plan put_large = {b, "PUT", STR_NONE, (uint64_t)LARGE_MIB << 20, block, "large"};
    struct s3_plan get_large = {b, "GET", STR_NONE, 0, NULL, "large"};
    enum err err = aws_call(&b->aws, &create, false, NULL);
    if (err == ERR_OK)
        err = s3_run(&put, small, SMALL_KEYS, SCENARIO_CONNECTIONS, "S3 PutObject 1 KiB", "");
    if (err == ERR_OK)
        err = s3_run(&get, small, SMALL_KEYS, SCENARIO_CONNECTIONS, "S3 GetObject 1 KiB", "");
    if (err == ERR_OK)
        err = s3_run(&put_large, 4, 0, 2, "S3 PutObject 256 MiB, 2 at once", "> 500 MB/s");
    if (err == ERR_OK)
        err = s3_run(&get_large, 4, 0, 2, "S3 GetObject 256 MiB, 2 at once", "> 500 MB/s");
    mem_free(block);
    return err;
}

/* --- Lambda ----------------------------------------------------------------------------------- */

static void invoke_make(void *ctx, struct load_conn *c)
{
    struct bench *b = ctx;
    const struct aws_request req = {
        .method = "POST",
        .service = "lambda",
        .path = STR("/2015-03-31/functions/bench/invocations"),
        .body = STR("{\"n\":1}"),
    };
    aws_write(&b->aws, &c->out, &req);
}

static bool invoke_check(void *ctx, struct load_conn *c, struct str body)
{
    return c->status == 200 &&
           str_find_str(buf_str(&c->in), STR("X-Amz-Function-Error")) == SIZE_MAX;
}

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

static enum err create_function(struct bench *b)
{
    static unsigned char zip[8 * 1024 * 1024];
    const struct aws_request role = {
        .method = "POST",
        .service = "iam",
        .content_type = "application/x-www-form-urlencoded",
        .body = STR("Action=CreateRole&Version=2010-05-08&RoleName=bench&"
                    "AssumeRolePolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22"
                    "Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22"
                    "Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3A"
                    "AssumeRole%22%7D%5D%7D"),
    };
    FILE *f = fopen(b->function_zip, "rb");
    if (!f)
        return ERR_NOT_FOUND;
    size_t n = fread(zip, 1, sizeof(zip), f);
    fclose(f);
    TRY(aws_call(&b->aws, &role, false, NULL));
    struct buf body;
    buf_init(&body, 2 * sizeof(zip));
    BUF_ADD_LIT(&body,
                "{\"FunctionName\":\"bench\",\"Runtime\":\"provided.al2023\","
                "\"Handler\":\"bootstrap\",\"Role\":\"arn:aws:iam::000000000000:role/bench\","
                "\"Timeout\":10,\"MemorySize\":128,\"Code\":{\"ZipFile\":\"");
    add_base64(&body, zip, n);
    BUF_ADD_LIT(&body, "\"}}");
    const struct aws_request create = {
        .method = "POST",
        .service = "lambda",
        .path = STR("/2015-03-31/functions"),
        .content_type = "application/json",
        .body = buf_str(&body),
    };
    enum err err = buf_err(&body) == ERR_OK ? aws_call(&b->aws, &create, false, NULL) : ERR_NOMEM;
    buf_release(&body);
    return err;
}

enum err scenario_lambda(struct bench *b)
{
    struct load_result r;
    if (!b->function_zip) {
        printf("%-34s left out: no function package was given\n", "Lambda Invoke");
        return ERR_OK;
    }
    TRY(create_function(b));
    struct load_plan plan = {
        .requests = 1,
        .connections = 1,
        .make = invoke_make,
        .check = invoke_check,
        .ctx = b,
    };
    TRY(load_run(&b->aws.target, &plan, &r));
    b->wrong += r.failed > 0;
    print_row(b, "Lambda Invoke, first (cold)", &r, "cold start < 10 ms");
    plan.requests = (uint64_t)(5000 * b->scale);
    plan.warmup = 100;
    TRY(load_run(&b->aws.target, &plan, &r));
    b->wrong += r.failed > 0;
    print_row(b, "Lambda Invoke, warm, 1 at once", &r, "p50 < 150 us");
    plan.connections = 8;
    plan.requests = (uint64_t)(20000 * b->scale);
    TRY(load_run(&b->aws.target, &plan, &r));
    b->wrong += r.failed > 0;
    print_row(b, "Lambda Invoke, warm, 8 at once", &r, "");
    return ERR_OK;
}
