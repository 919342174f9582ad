/* What services tell of what is at a moment: asked here at once, and not at the next whole minute. */
#include <inttypes.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/svc.h"
#include "help_fault.h"

enum { POLLS_MAX = 1000, POLL_MS = 20, AGE_S = 120 };
static const int64_t T0_MS = 1790588470000;

static struct world w;
static struct reply reply;
static sem_t done;

static void ask(const struct request *req)
{
    world_call(&w, req, &reply);
    if (reply.status != 200)
        fail_msg("%d %s", reply.status, reply.body);
}

static void on_loop(struct io_task *task)
{
    for (size_t i = 0; i < w.core.n_svcs; i++)
        if (w.core.svcs[i].def->gauges)
            w.core.svcs[i].def->gauges(w.core.svcs[i].self);
    sem_post(&done);
}

static void ask_gauges(void)
{
    struct io_task task = {.fn = on_loop};
    io_post(w.loop, &task);
    sem_wait(&done);
}

/* The greatest value of a metric of the queue; what was told is put within a second. */
static void expect(const char *metric, const char *value)
{
    char body[1024], wanted[64];
    snprintf(body, sizeof(body),
             "{\"Namespace\":\"AWS/SQS\",\"MetricName\":\"%s\",\"Dimensions\":[{\"Name\":"
             "\"QueueName\",\"Value\":\"q\"}],\"StartTime\":%" PRId64 ",\"EndTime\":%" PRId64
             ",\"Period\":3600,\"Statistics\":[\"Maximum\"]}",
             metric, T0_MS / 1000 - 3600, T0_MS / 1000 + 3600);
    snprintf(wanted, sizeof(wanted), "\"Maximum\":%s,", value);
    const struct request req = {.service = "monitoring",
                                .target = "GraniteServiceVersion20100801.GetMetricStatistics",
                                .type = "application/x-amz-json-1.0",
                                .body = body};
    for (int i = 0; i < POLLS_MAX; i++) {
        ask(&req);
        if (strstr(reply.body, wanted) || strstr(reply.body, "\"Maximum\""))
            break;
        (void)poll(NULL, 0, POLL_MS);
    }
    for (char *c = reply.body; (c = strchr(c, '}'));)
        *c = ','; /* whatever follows the number */
    if (!strstr(reply.body, wanted))
        fail_msg("%s is not %s: %s", metric, value, reply.body);
}

#define QUEUE "\"QueueUrl\":\"http://h/000000000000/q\""

static void a_queue_tells_what_waits(void **state)
{
    ask(&(const struct request)SQS("CreateQueue", "{\"QueueName\":\"q\"}"));
    ask(&(const struct request)SQS("SendMessage", "{" QUEUE ",\"MessageBody\":\"oldest\"}"));
    ask(&(const struct request)SQS("ReceiveMessage", "{" QUEUE ",\"VisibilityTimeout\":600}"));
    clock_fake_advance_ms(AGE_S * 1000);
    ask(&(const struct request)SQS("SendMessage", "{" QUEUE ",\"MessageBody\":\"a\"}"));
    ask(&(const struct request)SQS("SendMessage", "{" QUEUE ",\"MessageBody\":\"b\"}"));
    ask(&(const struct request)SQS("SendMessage",
                                   "{" QUEUE ",\"MessageBody\":\"c\",\"DelaySeconds\":900}"));
    ask_gauges();
    expect("ApproximateNumberOfMessagesVisible", "2");
    expect("ApproximateNumberOfMessagesNotVisible", "1");
    expect("ApproximateNumberOfMessagesDelayed", "1");
    expect("ApproximateAgeOfOldestMessage", "120");
    expect("NumberOfMessagesSent", "1");
}

static int up(void **state)
{
    clock_fake_set_ms(T0_MS);
    sem_init(&done, 0, 0);
    world_make(&w);
    world_up(&w);
    return 0;
}

static int down(void **state)
{
    world_down(&w);
    world_remove(&w);
    reply_free(&reply);
    sem_destroy(&done);
    clock_fake_set_ms(-1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_queue_tells_what_waits, up, down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
