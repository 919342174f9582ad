/* bench_weir: starts a server, measures it, prints a table beside the budgets, stops it.
 *
 *   bench_weir --weir PATH [--http PATH] [--function RUNTIME=ZIP]... [--consumer ZIP] [--proxy ZIP] [--scale F]
 *              [--only LIST] --data DIR
 *
 * LIST is comma-separated: http, dynamodb, sqs, s3, lambda, events, apigateway, mapping, cloudwatch, growth-dynamodb, growth-sqs, start. The
 * data folder is new and empty; the caller removes it. Exit status 1 when a reply was wrong or the
 * server broke off. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "process.h"
#include "scenarios.h"

struct options {
    const char *weir, *http, *data, *only, *consumer, *proxy;
    struct bench_function functions[BENCH_FUNCTIONS_MAX];
    size_t n_functions;
    double scale;
};

static bool wanted(const struct options *o, const char *name)
{
    struct str rest = o->only ? str_c(o->only) : STR_NONE;
    if (!o->only)
        return true;
    while (str_is_set(rest))
        if (str_eq_c(str_cut(&rest, ','), name))
            return true;
    return false;
}

static enum err start_weir(const struct options *o, struct process *p)
{
    char log[1024], data[1024];
    snprintf(log, sizeof(log), "%s/log", o->data);
    snprintf(data, sizeof(data), "%s/data", o->data);
    char *argv[] = {(char *)(uintptr_t)o->weir,
                    "serve",
                    "--listen",
                    "127.0.0.1:0",
                    "--data",
                    data,
                    "--log-level",
                    "warn",
                    NULL};
    return process_start(p, argv, log);
}

/* The HTTP layer without the rest of the server. */
static enum err run_http_only(const struct options *o)
{
    struct bench b = {.scale = o->scale};
    struct process p;
    char log[1024];
    char *argv[] = {(char *)(uintptr_t)o->http, NULL};
    snprintf(log, sizeof(log), "%s/http.log", o->data);
    TRY(process_start(&p, argv, log));
    aws_init(&b.aws, &p.target);
    printf("\nHTTP layer alone (bench_http)\n");
    print_header();
    enum err err = scenario_http(&b);
    aws_release(&b.aws);
    process_stop(&p);
    return err;
}

struct scenario {
    const char *name;
    enum err (*run)(struct bench *b);
};

static const struct scenario calls[] = {
    {"http", scenario_http},
    {"dynamodb", scenario_dynamodb},
    {"sqs", scenario_sqs},
    {"s3", scenario_s3},
    {"lambda", scenario_lambda},
    {"events", scenario_events},
    {"apigateway", scenario_apigateway},
    {"mapping", scenario_mapping},
    {"cloudwatch", scenario_cloudwatch},
    {"idle", scenario_idle},
};

static const struct scenario growths[] = {
    {"growth-dynamodb", growth_dynamodb},
    {"growth-sqs", growth_sqs},
};

static bool any_wanted(const struct options *o, const struct scenario *scenarios, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (wanted(o, scenarios[i].name))
            return true;
    return false;
}

static enum err run_scenarios(const struct options *o, const char *title,
                              const struct scenario *scenarios, size_t n, unsigned *ret_wrong)
{
    struct bench b = {.scale = o->scale,
                      .functions = o->functions,
                      .n_functions = o->n_functions,
                      .consumer = {"provided.al2023", o->consumer},
                      .proxy = o->proxy};
    struct process p;
    enum err err = ERR_OK;
    TRY(start_weir(o, &p));
    aws_init(&b.aws, &p.target);
    printf("\n%s, %d connections where not said otherwise\n", title, SCENARIO_CONNECTIONS);
    print_header();
    printf("%-34s %9s %9s %7s %8s %8s %9.1f  %s\n", "idle", "", "", "", "", "",
           load_rss_mib(p.target.pid), "idle < 25 MiB");
    for (size_t i = 0; i < n; i++) {
        if (!wanted(o, scenarios[i].name))
            continue;
        load_settle(p.target.pid);
        enum err e = scenarios[i].run(&b);
        if (e != ERR_OK) {
            printf("%-34s did not run: %s\n", scenarios[i].name, err_name(e));
            err = e;
        }
        if (load_cpu_s(p.target.pid) == 0) {
            printf("the server is gone; its log is %s/log\n", o->data);
            break;
        }
    }
    *ret_wrong += b.wrong;
    aws_release(&b.aws);
    process_stop(&p);
    return err;
}

/* From fork to the first answer, on the store that was left. */
static enum err run_starts(const struct options *o, const char *label)
{
    enum { STARTS = 5 };
    double best = 1e9, worst = 0, rss = 0;
    for (int i = 0; i < STARTS; i++) {
        struct process p;
        struct bench b = {.scale = 0};
        TRY(start_weir(o, &p));
        aws_init(&b.aws, &p.target);
        const struct aws_request list = {.method = "GET", .service = "s3"};
        enum err err = aws_call(&b.aws, &list, false, NULL);
        double ms = (double)(clock_mono_ns() - p.start_ns) / 1e6;
        rss = load_rss_mib(p.target.pid);
        aws_release(&b.aws);
        process_stop(&p);
        TRY(err);
        best = ms < best ? ms : best;
        worst = ms > worst ? ms : worst;
    }
    printf("start to first answer, %s: %.1f to %.1f ms of %d starts (budget 30 ms); then %.1f MiB "
           "resident (budget 25 MiB)\n",
           label, best, worst, STARTS, rss);
    return ERR_OK;
}

/* RUNTIME=ZIP */
static bool add_function(struct options *o, char *given)
{
    char *zip = strchr(given, '=');
    if (!zip || o->n_functions == BENCH_FUNCTIONS_MAX)
        return false;
    *zip = 0;
    o->functions[o->n_functions++] = (struct bench_function){given, zip + 1};
    return true;
}

static bool parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.scale = 1};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--weir") == 0)
            o->weir = argv[i + 1];
        else if (strcmp(argv[i], "--http") == 0)
            o->http = argv[i + 1];
        else if (strcmp(argv[i], "--data") == 0)
            o->data = argv[i + 1];
        else if (strcmp(argv[i], "--consumer") == 0)
            o->consumer = argv[i + 1];
        else if (strcmp(argv[i], "--proxy") == 0)
            o->proxy = argv[i + 1];
        else if (strcmp(argv[i], "--only") == 0)
            o->only = argv[i + 1];
        else if (strcmp(argv[i], "--function") == 0
                     ? !add_function(o, argv[i + 1])
                     : strcmp(argv[i], "--scale") != 0 ||
                           str_to_f64(str_c(argv[i + 1]), &o->scale) != ERR_OK || o->scale <= 0)
            return false;
    }
    return argc % 2 == 1 && o->data && (o->weir || o->http);
}

int main(int argc, char **argv)
{
    struct options o;
    unsigned wrong = 0;
    enum err err = ERR_OK;
    if (!parse(argc, argv, &o)) {
        fprintf(stderr, "usage: bench_weir --weir PATH --data DIR [--http PATH] "
                        "[--function RUNTIME=ZIP]... [--consumer ZIP] [--proxy ZIP] [--scale F] "
                        "[--only LIST]\n");
        return 2;
    }
    if (o.http)
        err = run_http_only(&o);
    if (o.weir && err == ERR_OK && any_wanted(&o, calls, ARRAY_LEN(calls)))
        err = run_scenarios(&o, "Calls", calls, ARRAY_LEN(calls), &wrong);
    if (o.weir && err == ERR_OK && wanted(&o, "start"))
        err = run_starts(&o, "after these calls");
    if (o.weir && err == ERR_OK && any_wanted(&o, growths, ARRAY_LEN(growths))) {
        err = run_scenarios(&o, "Growth", growths, ARRAY_LEN(growths), &wrong);
        if (err == ERR_OK && wanted(&o, "start"))
            err = run_starts(&o, "with 10^6 items and 10^5 messages");
    }
    if (wrong)
        printf("%u scenarios had wrong replies\n", wrong);
    return err != ERR_OK || wrong ? 1 : 0;
}
