/* Invocations, warm and cold, of a function in each language that there is a package for.
 *
 * A cold row is the first invocation of functions that were just created, one after the other: an
 * environment with its own namespaces, network and control groups, the language's start, and the
 * event's way. After each, Weir makes the environment that it keeps ready anew. */
#include "scenarios.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
    COLD_FUNCTIONS = 20,
    COLD_PAUSE_MS = 100, /* before each: callers that come one by one, not a burst */
    ZIP_MAX = 8 * 1024 * 1024,
};

/* Invocations of one function, or of the Nth by request N. */
struct invocations {
    struct bench *b;
    const char *name;
    bool each_another;
};

static void invoke_make(void *ctx, struct load_conn *c)
{
    const struct invocations *in = ctx;
    char path[128];
    int n = snprintf(path, sizeof(path), "/2015-03-31/functions/%s-%llu/invocations", in->name,
                     in->each_another ? (unsigned long long)c->number : 0);
    const struct aws_request req = {
        .method = "POST",
        .service = "lambda",
        .path = str_n(path, (size_t)n),
        .body = STR("{\"n\":1}"),
    };
    aws_write(&in->b->aws, &c->out, &req);
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

static enum err create_role(struct bench *b)
{
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
    return aws_call(&b->aws, &role, false, NULL);
}

static enum err create_function(struct bench *b, const struct bench_function *f, const char *name,
                                struct str zip)
{
    struct buf body;
    buf_init(&body, 2 * ZIP_MAX);
    buf_add_fmt(&body,
                "{\"FunctionName\":\"%s\",\"Runtime\":\"%s\",\"Handler\":\"app.handler\","
                "\"Role\":\"arn:aws:iam::000000000000:role/bench\",\"Timeout\":10,"
                "\"MemorySize\":128,\"Code\":{\"ZipFile\":\"",
                name, f->runtime);
    add_base64(&body, (const unsigned char *)zip.p, zip.len);
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

/* "bench-python3.11" is no name of a function. */
static void name_of(const struct bench_function *f, char *out, size_t size)
{
    (void)snprintf(out, size, "bench-%s", f->runtime);
    for (char *p = out; *p; p++)
        if (*p == '.')
            *p = '-';
}

static enum err create_all(struct bench *b, const struct bench_function *f, const char *name)
{
    char *zip = mem_alloc(ZIP_MAX);
    FILE *file = fopen(f->zip, "rb");
    enum err err = zip && file ? ERR_OK : ERR_NOT_FOUND;
    size_t n = err == ERR_OK ? fread(zip, 1, ZIP_MAX, file) : 0;
    for (int i = 0; err == ERR_OK && i < COLD_FUNCTIONS; i++) {
        char numbered[80];
        (void)snprintf(numbered, sizeof(numbered), "%s-%d", name, i);
        err = create_function(b, f, numbered, str_n(zip, n));
    }
    if (file)
        fclose(file);
    mem_free(zip);
    return err;
}

static enum err row(struct bench *b, const struct bench_function *f, const struct load_plan *plan,
                    const char *what, const char *budget)
{
    struct load_result r;
    char label[96];
    TRY(load_run(&b->aws.target, plan, &r));
    b->wrong += r.failed > 0;
    (void)snprintf(label, sizeof(label), "Invoke %s, %s", f->runtime, what);
    print_row(b, label, &r, budget);
    return ERR_OK;
}

static enum err run_function(struct bench *b, const struct bench_function *f)
{
    char name[64];
    name_of(f, name, sizeof(name));
    bool c = f == b->functions;
    struct invocations in = {.b = b, .name = name, .each_another = true};
    struct load_plan plan = {
        .requests = COLD_FUNCTIONS,
        .connections = 1,
        .pause_ms = COLD_PAUSE_MS,
        .make = invoke_make,
        .check = invoke_check,
        .ctx = &in,
    };
    TRY(create_all(b, f, name));
    load_settle(b->aws.target.pid);
    TRY(row(b, f, &plan, "cold", c ? "p50 < 10 ms" : ""));
    in.each_another = false;
    plan.pause_ms = 0;
    plan.requests = (uint64_t)(5000 * b->scale);
    plan.warmup = 100;
    TRY(row(b, f, &plan, "warm, 1 at once", c ? "p50 < 150 us" : ""));
    plan.connections = 8;
    plan.requests = (uint64_t)(20000 * b->scale);
    return c ? row(b, f, &plan, "warm, 8 at once", "") : ERR_OK;
}

enum err scenario_lambda(struct bench *b)
{
    if (b->n_functions == 0) {
        printf("%-34s left out: no function package was given\n", "Lambda Invoke");
        return ERR_OK;
    }
    TRY(create_role(b));
    for (size_t i = 0; i < b->n_functions; i++)
        TRY(run_function(b, &b->functions[i]));
    return ERR_OK;
}
