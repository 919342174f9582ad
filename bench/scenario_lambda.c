/* Invocations, warm and cold, of a function in each language that there is a package for.
 *
 * A cold row is the first invocation of functions that were just created, one after the other: an
 * environment with its own namespaces, network and control groups, the language's start, and the
 * event's way. After each, Weir makes the environment that it keeps ready anew. */
#include "scenarios.h"

#include <stdio.h>

#include "setup.h"

enum {
    COLD_FUNCTIONS = 20,
    COLD_PAUSE_MS = 100, /* before each: callers that come one by one, not a burst */
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
    for (int i = 0; i < COLD_FUNCTIONS; i++) {
        char numbered[80];
        (void)snprintf(numbered, sizeof(numbered), "%s-%d", name, i);
        TRY(setup_function(b, f, numbered, NULL));
    }
    return ERR_OK;
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
    for (size_t i = 0; i < b->n_functions; i++)
        TRY(run_function(b, &b->functions[i]));
    return ERR_OK;
}
