/* The rows of the results table that are neither DynamoDB nor SQS; and printing. */
#include "scenarios.h"

#include <poll.h>
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

/* --- nothing ---------------------------------------------------------------------------------- */

enum err scenario_idle(struct bench *b)
{
    enum { SECONDS = 10 };
    int pid = b->aws.target.pid;
    load_settle(pid);
    double before = load_cpu_s(pid);
    (void)poll(NULL, 0, SECONDS * 1000);
    double ms = (load_cpu_s(pid) - before) * 1000 / SECONDS;
    printf(
        "idle, with the tables, queues, rules, mappings of above: CPU %.1f ms a second (budget 5 "
        "ms)\n",
        ms);
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
