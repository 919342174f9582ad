/* A stack of many types whose n-th call to a service is refused, for every n of its creation and of an update with
 * replacements: what comes after is what was before. That is read from the store: no service has a key more or less.
 * And a server that is stopped between any two steps goes on.
 *
 * $STACK_FAULTS_STEP: only each so many; 1 is all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "help_stack.h"
#include "kv/key.h"

enum { TEMPLATE_MAX = 64 * 1024, STATE_MAX = 64 * 1024 * 1024, CALLS_MAX = 1000, STEP = 4 };
#define CREATED "CREATE_COMPLETE"

/* Where services have what resources are; not those of keys (deletion takes days) and logs of what is done. */
static const int spaces[] = {KEY_IAM,       KEY_S3,         KEY_DYNAMODB, KEY_SQS,
                             KEY_LAMBDA,    KEY_LOGS,       KEY_TAGS,     KEY_EVENTS,
                             KEY_SCHEDULER, KEY_SNS,        KEY_COGNITO,  KEY_APIGATEWAY,
                             KEY_SSM,       KEY_CLOUDWATCH, KEY_ECR,      0};
/* What they keep of what was: numbers drawn, streams of tables that are gone, histories, figures, marks of what is to be
 * cleaned. */
#define TABLE(space, table) (256 * (space) + (table))
static const int but[] = {TABLE(KEY_S3, 13),
                          TABLE(KEY_DYNAMODB, 5),
                          TABLE(KEY_DYNAMODB, 9),
                          TABLE(KEY_CLOUDWATCH, 1),
                          TABLE(KEY_CLOUDWATCH, 2),
                          TABLE(KEY_CLOUDWATCH, 3),
                          TABLE(KEY_CLOUDWATCH, 5),
                          TABLE(KEY_CLOUDWATCH, 6),
                          TABLE(KEY_SSM, 2),
                          TABLE(KEY_SQS, 5),
                          0};

static struct world w;
static struct reply reply;
static char template[TEMPLATE_MAX];

static uint64_t step_of(void)
{
    const char *step = getenv("STACK_FAULTS_STEP");
    return step ? strtoull(step, NULL, 10) : STEP;
}

static void show_difference(struct str was, struct str is)
{
    while (was.len || is.len) {
        struct str a = str_sub(was, 0, str_find(was, '\n')), b = str_sub(is, 0, str_find(is, '\n'));
        int c = !was.len ? 1 : !is.len ? -1 : str_cmp(a, b);
        if (c < 0)
            fprintf(stderr, "- " STR_FMT "\n", STR_ARG(a));
        if (c > 0)
            fprintf(stderr, "+ " STR_FMT "\n", STR_ARG(b));
        if (c <= 0)
            was = str_sub(was, a.len + 1, SIZE_MAX);
        if (c >= 0)
            is = str_sub(is, b.len + 1, SIZE_MAX);
    }
}

/* Jobs of services that clean up behind a deletion run on; until they are done. */
static void expect_keys(struct str was, const char *when, uint64_t n)
{
    struct arena a;
    struct str is = STR_NONE;
    bool same = false;
    for (int i = 0; i < 200 && !same; i++) {
        arena_init(&a, STATE_MAX);
        is = world_keys(&w, &a, spaces, but);
        same = str_eq(is, was);
        if (!same && i < 199) {
            arena_release(&a);
            deliver_wake(w.core.deliver);
        }
    }
    if (!same) {
        show_difference(was, is);
        fail_msg("%s, call %llu: the services have something else than before", when,
                 (unsigned long long)n);
    }
    arena_release(&a);
}

/* Of an event that has one. */
static void show_reason(const char *event)
{
    const char *end = strstr(event, "</member>"), *why = strstr(event, "<ResourceStatusReason>");
    const char *id = strchr(event, '>') + 1;
    if (why && end && why < end)
        fprintf(stderr, "%.*s: %.*s\n", (int)strcspn(id, "<"), id, (int)strcspn(why + 22, "<"),
                why + 22);
}

static void expect(const char *status, const char *when, uint64_t n)
{
    const char *now = stack_settled(&w, &reply, "many");
    if (strcmp(now, status) == 0)
        return;
    char is[64];
    snprintf(is, sizeof(is), "%s", now);
    stack_call(&w, &reply, "DescribeStackEvents", "StackName", "many", NULL);
    for (const char *at = reply.body; (at = strstr(at, "<LogicalResourceId>")); at++)
        show_reason(at);
    fail_msg("%s, call %llu: %s, not %s", when, (unsigned long long)n, is, status);
}

static void create(void)
{
    stack_call(&w, &reply, "CreateStack", "StackName", "many", "TemplateBody", template,
               "Capabilities.member.1", "CAPABILITY_NAMED_IAM", NULL);
    if (reply.status != 200)
        fail_msg("%s", reply.body);
}

static void update(const char *g)
{
    stack_call(&w, &reply, "UpdateStack", "StackName", "many", "UsePreviousTemplate", "true",
               "Capabilities.member.1", "CAPABILITY_NAMED_IAM", "Parameters.member.1.ParameterKey",
               "G", "Parameters.member.1.ParameterValue", g, NULL);
    if (reply.status != 200)
        fail_msg("%s", reply.body);
}

static void destroy(void)
{
    stack_call(&w, &reply, "DeleteStack", "StackName", "many", NULL);
    assert_int_equal(reply.status, 200);
    expect("", "deletion", 0);
}

static void expect_in_sync(uint64_t n)
{
    stack_call(&w, &reply, "DetectStackDrift", "StackName", "many", NULL);
    assert_int_equal(reply.status, 200);
    stack_call(&w, &reply, "DescribeStackResourceDrifts", "StackName", "many",
               "StackResourceDriftStatusFilters.member.1", "MODIFIED",
               "StackResourceDriftStatusFilters.member.2", "DELETED", NULL);
    if (reply.status != 200 || strstr(reply.body, "<LogicalResourceId>"))
        fail_msg("call %llu: not as it was\n%s", (unsigned long long)n, reply.body);
}

static void every_call_of_a_creation(void **state)
{
    struct arena a;
    arena_init(&a, STATE_MAX);
    struct str before = world_keys(&w, &a, spaces, but);
    world_refuse_call(0);
    create();
    expect(CREATED, "creation", 0);
    uint64_t all = world_calls();
    destroy();
    expect_keys(before, "creation undisturbed", 0);
    for (uint64_t n = 1; n <= all; n += step_of()) {
        world_refuse_call(n);
        create();
        expect("ROLLBACK_COMPLETE", "creation", n);
        expect_keys(before, "creation", n);
        destroy();
    }
    fprintf(stderr, "creation: %llu calls\n", (unsigned long long)all);
    arena_release(&a);
}

static void every_call_of_an_update(void **state)
{
    struct arena a;
    arena_init(&a, STATE_MAX);
    struct str empty = world_keys(&w, &a, spaces, but);
    create();
    expect(CREATED, "creation", 0);
    expect_in_sync(0);
    struct str before = world_keys(&w, &a, spaces, but);
    uint64_t n = 1;
    for (bool failed = true; failed; n += step_of()) {
        assert_true(n < CALLS_MAX);
        world_refuse_call(n);
        update("2");
        const char *end = stack_settled(&w, &reply, "many");
        failed = strcmp(end, "UPDATE_COMPLETE") != 0;
        if (!failed)
            break;
        expect("UPDATE_ROLLBACK_COMPLETE", "update", n);
        world_refuse_call(0);
        expect_in_sync(n);
        expect_keys(before, "update", n);
    }
    fprintf(stderr, "update: %llu calls before nothing can be undone\n", (unsigned long long)n - 1);
    world_refuse_call(0);
    destroy();
    expect_keys(empty, "deletion", 0);
    arena_release(&a);
}

static int up(void **state)
{
    FILE *f = fopen(SOURCE_DIR "/tests/unit/fault/stacks/many.yaml", "rb");
    assert_non_null(f);
    size_t n = fread(template, 1, sizeof(template) - 1, f);
    fclose(f);
    assert_true(n > 0 && n < sizeof(template) - 1);
    world_make(&w);
    world_up(&w);
    return 0;
}

static int down(void **state)
{
    world_down(&w);
    world_remove(&w);
    reply_free(&reply);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_of_a_creation),
        cmocka_unit_test(every_call_of_an_update),
    };
    return cmocka_run_group_tests(tests, up, down);
}
