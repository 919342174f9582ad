/* CloudWatch: what many values in one request cost, a day of them read back, and alarms over metrics that say
 * nothing. */
#include "scenarios.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

enum {
    VALUES = 1000, /* of one PutMetricData */
    DAY_MINUTES = 24 * 60,
    ALARMS = 10000,
    ALARMS_AT_ONCE = 16,
    IDLE_S = 10,
    BODY_MAX = 512 * 1024,
    RANGE_MAX = 1024,
};
#define TARGET "GraniteServiceVersion20100801."
#define TYPE "application/x-amz-json-1.0"

struct asking {
    struct bench *b;
    const char *target;
    struct str body; /* absent: an alarm of the request's number */
};

static void make(void *ctx, struct load_conn *c)
{
    const struct asking *a = ctx;
    struct str body = a->body;
    if (!str_is_set(body)) {
        buf_clear(&c->text);
        buf_add_fmt(&c->text,
                    "{\"AlarmName\":\"bench-%llu\",\"Namespace\":\"bench/quiet\",\"MetricName\":"
                    "\"m\",\"Dimensions\":[{\"Name\":\"n\",\"Value\":\"%llu\"}],\"Statistic\":"
                    "\"Sum\",\"Period\":60,\"EvaluationPeriods\":1,\"Threshold\":1,"
                    "\"ComparisonOperator\":\"GreaterThanThreshold\"}",
                    (unsigned long long)c->number, (unsigned long long)c->number);
        body = buf_str(&c->text);
    }
    const struct aws_request req = {.method = "POST",
                                    .service = "monitoring",
                                    .target = a->target,
                                    .content_type = TYPE,
                                    .body = body};
    aws_write(&a->b->aws, &c->out, &req);
}

static enum err row(struct bench *b, const char *name, uint64_t requests, struct asking *a)
{
    const struct load_plan plan = {
        .requests = requests ? requests : 1, .warmup = 5, .connections = 1, .make = make, .ctx = a};
    struct load_result r;
    TRY(load_run(&b->aws.target, &plan, &r));
    b->wrong += r.failed > 0;
    print_row(b, name, &r, "");
    return ERR_OK;
}

/* Values of as many metrics (`step_s` 0), or of one, a step apart up to now. */
static void put_values(struct buf *out, size_t n, int step_s)
{
    long long now = (long long)time(NULL);
    BUF_ADD_LIT(out, "{\"Namespace\":\"bench\",\"MetricData\":[");
    for (size_t i = 0; i < n; i++)
        buf_add_fmt(out,
                    "%s{\"MetricName\":\"%s\",\"Dimensions\":[{\"Name\":\"n\",\"Value\":\"%zu\"}],"
                    "\"Value\":%zu.25,\"Timestamp\":%lld}",
                    i ? "," : "", step_s ? "day" : "m", step_s ? 0 : i, i * 7919 % 1009,
                    now - (long long)i * step_s);
    BUF_ADD_LIT(out, "]}");
}

static enum err put_row(struct bench *b)
{
    struct buf body;
    buf_init(&body, BODY_MAX);
    put_values(&body, VALUES, 0);
    struct asking a = {b, TARGET "PutMetricData", buf_str(&body)};
    enum err err = buf_err(&body);
    if (err == ERR_OK)
        err = row(b, "PutMetricData of 1,000 values", (uint64_t)(200 * b->scale), &a);
    buf_release(&body);
    return err;
}

static enum err day_row(struct bench *b)
{
    struct buf body;
    char text[RANGE_MAX];
    long long now = (long long)time(NULL);
    buf_init(&body, BODY_MAX);
    put_values(&body, VALUES, (DAY_MINUTES * 60) / VALUES);
    const struct aws_request put = {.method = "POST",
                                    .service = "monitoring",
                                    .target = TARGET "PutMetricData",
                                    .content_type = TYPE,
                                    .body = buf_str(&body)};
    enum err err = buf_err(&body);
    if (err == ERR_OK)
        err = aws_call(&b->aws, &put, false, NULL);
    buf_release(&body);
    TRY(err);
    int n = snprintf(text, sizeof(text),
                     "{\"StartTime\":%lld,\"EndTime\":%lld,\"MetricDataQueries\":[{\"Id\":\"m1\","
                     "\"MetricStat\":{\"Metric\":{\"Namespace\":\"bench\",\"MetricName\":\"day\","
                     "\"Dimensions\":[{\"Name\":\"n\",\"Value\":\"0\"}]},\"Period\":60,"
                     "\"Stat\":\"p90\"}}]}",
                     now - DAY_MINUTES * 60, now);
    struct asking a = {b, TARGET "GetMetricData", str_n(text, (size_t)n)};
    return row(b, "GetMetricData of a day, by minute", (uint64_t)(500 * b->scale), &a);
}

static enum err alarms(struct bench *b)
{
    const uint64_t n = (uint64_t)(ALARMS * b->scale);
    struct asking a = {b, TARGET "PutMetricAlarm", STR_NONE};
    const struct load_plan plan = {
        .requests = n, .connections = ALARMS_AT_ONCE, .make = make, .ctx = &a};
    struct load_result r;
    int pid = b->aws.target.pid;
    TRY(load_run(&b->aws.target, &plan, &r));
    b->wrong += r.failed > 0;
    print_row(b, "PutMetricAlarm", &r, "");
    load_settle(pid);
    double before = load_cpu_s(pid);
    (void)poll(NULL, 0, IDLE_S * 1000);
    printf("%llu alarms over metrics without values: CPU %.1f ms a second\n", (unsigned long long)n,
           (load_cpu_s(pid) - before) * 1000 / IDLE_S);
    return ERR_OK;
}

enum err scenario_cloudwatch(struct bench *b)
{
    TRY(put_row(b));
    TRY(day_row(b));
    return alarms(b);
}
