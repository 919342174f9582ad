/* Topics, rules and schedules: what one message to many, one event among many rules, and many schedules of
 * one moment cost. Where deliveries follow the reply, they count: the server's CPU time is taken until all
 * have arrived. */
#include "scenarios.h"

#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "setup.h"

enum {
    FAN_QUEUES = 10,
    RULES_FEW = 10,
    RULES_MANY = 1000,
    KINDS = RULES_FEW, /* of events: each matches one rule, of few or many */
    SCHEDULES = 10000,
    MAKE_MS = 12 * 1000, /* that creating the schedules may take */
    WAIT_MS = 20 * 1000,
    CONNECTIONS = 16,
};

/* A plan whose messages end in a queue: CPU until they are there. */
static enum err measure(struct bench *b, const struct load_plan *plan, const struct setup_queue *to,
                        const char *name, const char *budget)
{
    struct load_result r;
    double before = load_cpu_s(b->aws.target.pid);
    TRY(load_run(&b->aws.target, plan, &r));
    TRY(setup_queue_wait(b, to, plan->requests + plan->warmup, false, WAIT_MS));
    r.cpu_us =
        (load_cpu_s(b->aws.target.pid) - before) * 1e6 / (double)(plan->requests + plan->warmup);
    b->wrong += r.failed > 0;
    print_row(b, name, &r, budget);
    return ERR_OK;
}

/* --- a topic with ten queues -------------------------------------------------------------------- */

struct form {
    struct bench *b;
    const char *text;
};

static void publish_make(void *ctx, struct load_conn *c)
{
    const struct form *f = ctx;
    const struct aws_request req = {
        .method = "POST",
        .service = "sns",
        .content_type = "application/x-www-form-urlencoded",
        .body = str_c(f->text),
    };
    aws_write(&f->b->aws, &c->out, &req);
}

static enum err sns(struct bench *b, const char *text)
{
    const struct aws_request req = {
        .method = "POST",
        .service = "sns",
        .content_type = "application/x-www-form-urlencoded",
        .body = str_c(text),
    };
    return aws_call(&b->aws, &req, false, NULL);
}

#define TOPIC "arn:aws:sns:us-east-1:000000000000:"

/* `raw`: the queues get the message alone, which nobody signs. */
static enum err fan_out(struct bench *b, bool raw)
{
    struct setup_queue q = {0};
    const char *name = raw ? "raw" : "fan";
    char text[512], message[256];
    struct form publish = {b, message};
    const struct load_plan plan = {
        .requests = (uint64_t)(5000 * b->scale),
        .warmup = 100,
        .connections = CONNECTIONS,
        .make = publish_make,
        .ctx = &publish,
    };
    (void)snprintf(text, sizeof(text), "Action=CreateTopic&Version=2010-03-31&Name=%s", name);
    TRY(sns(b, text));
    (void)snprintf(message, sizeof(message),
                   "Action=Publish&Version=2010-03-31&TopicArn=" TOPIC
                   "%s&Message=one+message+for+ten+queues",
                   name);
    for (int i = 0; i < FAN_QUEUES; i++) {
        (void)snprintf(text, sizeof(text), "%s-%d", name, i);
        TRY(setup_queue(b, text, &q));
        (void)snprintf(
            text, sizeof(text),
            "Action=Subscribe&Version=2010-03-31&TopicArn=" TOPIC
            "%s&Protocol=sqs&Endpoint=arn:aws:sqs:us-east-1:000000000000:%s-%d%s",
            name, name, i,
            raw ? "&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true" : "");
        TRY(sns(b, text));
    }
    TRY(sns(b, message)); /* the first message makes the signing key */
    return measure(b, &plan, &q, raw ? "the same, raw: not signed" : "SNS Publish to 10 queues",
                   "CPU < 150, deliveries included");
}

/* --- a bus with many rules ----------------------------------------------------------------------- */

struct rules {
    struct bench *b;
    const char *bus;
    const struct setup_queue *to;
    bool targets; /* those of the rules, not the rules */
};

static void rule_make(void *ctx, struct load_conn *c)
{
    const struct rules *r = ctx;
    unsigned long long n = c->number;
    buf_clear(&c->text);
    if (r->targets)
        buf_add_fmt(&c->text,
                    "{\"Rule\":\"rule-%llu\",\"EventBusName\":\"%s\",\"Targets\":[{\"Id\":\"q\","
                    "\"Arn\":\"%s\"}]}",
                    n, r->bus, r->to->arn);
    else
        buf_add_fmt(&c->text,
                    "{\"Name\":\"rule-%llu\",\"EventBusName\":\"%s\",\"EventPattern\":"
                    "\"{\\\"source\\\":[\\\"bench\\\"],\\\"detail\\\":{\\\"kind\\\":"
                    "[\\\"kind-%llu\\\"]}}\"}",
                    n, r->bus, n);
    const struct aws_request req = {
        .method = "POST",
        .service = "events",
        .target = r->targets ? "AWSEvents.PutTargets" : "AWSEvents.PutRule",
        .content_type = "application/x-amz-json-1.1",
        .body = buf_str(&c->text),
    };
    aws_write(&r->b->aws, &c->out, &req);
}

static void event_make(void *ctx, struct load_conn *c)
{
    const struct rules *r = ctx;
    buf_clear(&c->text);
    buf_add_fmt(&c->text,
                "{\"Entries\":[{\"EventBusName\":\"%s\",\"Source\":\"bench\",\"DetailType\":"
                "\"order\",\"Detail\":\"{\\\"kind\\\":\\\"kind-%llu\\\",\\\"id\\\":%llu,"
                "\\\"name\\\":\\\"John Doe\\\"}\"}]}",
                r->bus, (unsigned long long)(c->number % KINDS), (unsigned long long)c->number);
    const struct aws_request req = {
        .method = "POST",
        .service = "events",
        .target = "AWSEvents.PutEvents",
        .content_type = "application/x-amz-json-1.1",
        .body = buf_str(&c->text),
    };
    aws_write(&r->b->aws, &c->out, &req);
}

static bool event_check(void *ctx, struct load_conn *c, struct str body)
{
    return c->status == 200 && str_find_str(body, STR("\"FailedEntryCount\":0")) != SIZE_MAX;
}

static enum err bus(struct bench *b, const char *name, uint64_t n_rules, const char *budget)
{
    struct setup_queue to;
    struct rules r = {.b = b, .bus = name, .to = &to};
    struct load_plan make = {
        .requests = n_rules, .connections = CONNECTIONS, .make = rule_make, .ctx = &r};
    const struct load_plan put = {
        .requests = (uint64_t)(15000 * b->scale),
        .warmup = 500,
        .connections = CONNECTIONS,
        .make = event_make,
        .check = event_check,
        .ctx = &r,
    };
    struct load_result result;
    char text[128];
    TRY(setup_queue(b, name, &to));
    int n = snprintf(text, sizeof(text), "{\"Name\":\"%s\"}", name);
    TRY(setup_json(b, "events", "AWSEvents.CreateEventBus", str_n(text, (size_t)n)));
    TRY(load_run(&b->aws.target, &make, &result));
    r.targets = true;
    b->wrong += result.failed > 0;
    TRY(load_run(&b->aws.target, &make, &result));
    b->wrong += result.failed > 0;
    load_settle(b->aws.target.pid);
    (void)snprintf(text, sizeof(text), "EventBridge PutEvents, %llu rules",
                   (unsigned long long)n_rules);
    return measure(b, &put, &to, text, budget);
}

/* --- schedules of one moment ---------------------------------------------------------------------- */

struct schedules {
    struct bench *b;
    const struct setup_queue *to;
    char at[CLOCK_TEXT_MAX];
    char path[64];
};

static void schedule_make(void *ctx, struct load_conn *c)
{
    struct schedules *s = ctx;
    int n = snprintf(s->path, sizeof(s->path), "/schedules/s-%llu", (unsigned long long)c->number);
    buf_clear(&c->text);
    buf_add_fmt(&c->text,
                "{\"ScheduleExpression\":\"at(%s)\",\"FlexibleTimeWindow\":{\"Mode\":\"OFF\"},"
                "\"Target\":{\"Arn\":\"%s\",\"RoleArn\":\"" SETUP_ROLE_ARN "\",\"Input\":\"{}\"}}",
                s->at, s->to->arn);
    const struct aws_request req = {
        .method = "POST",
        .service = "scheduler",
        .path = str_n(s->path, (size_t)n),
        .content_type = "application/json",
        .body = buf_str(&c->text),
    };
    aws_write(&s->b->aws, &c->out, &req);
}

static enum err schedules(struct bench *b)
{
    struct setup_queue to;
    struct schedules s = {.b = b, .to = &to};
    uint64_t n = (uint64_t)(SCHEDULES * b->scale);
    const struct load_plan plan = {
        .requests = n, .connections = CONNECTIONS, .make = schedule_make, .ctx = &s};
    struct load_result r;
    TRY(setup_role(b));
    TRY(setup_queue(b, "schedules", &to));
    int64_t due_ms = (clock_wall_ms() + (int64_t)(MAKE_MS * b->scale)) / 1000 * 1000 + 2000;
    (void)clock_iso8601(s.at, due_ms);
    s.at[strlen(s.at) - 1] = 0; /* without the Z: at() has none */
    TRY(load_run(&b->aws.target, &plan, &r));
    b->wrong += r.failed > 0;
    print_row(b, "Scheduler CreateSchedule", &r, "");
    int64_t early_ms = due_ms - clock_wall_ms();
    if (early_ms <= 0)
        return ERR_TIMEOUT;
    (void)poll(NULL, 0, (int)early_ms);
    double before = load_cpu_s(b->aws.target.pid);
    TRY(setup_queue_wait(b, &to, n, false, WAIT_MS));
    printf("%llu schedules due at one moment: all sent %lld ms after it (budget 2,000 ms), server "
           "CPU %.1f us each\n",
           (unsigned long long)n, (long long)(clock_wall_ms() - due_ms),
           (load_cpu_s(b->aws.target.pid) - before) * 1e6 / (double)n);
    return ERR_OK;
}

enum err scenario_events(struct bench *b)
{
    TRY(fan_out(b, false));
    TRY(fan_out(b, true));
    TRY(bus(b, "few", RULES_FEW, ""));
    TRY(bus(b, "many", RULES_MANY, "twice that of 10 rules"));
    return schedules(b);
}
