/* What of stacks goes with time, by a clock that the test moves: events, deleted stacks, change sets, templates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "help_stack.h"
#include "kv/key.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define BEGIN_MS (INT64_C(19700) * DAY_MS)
#define TEMPLATE                                                                                   \
    "{\"Resources\":{\"P\":{\"Type\":\"AWS::SSM::Parameter\",\"Properties\":{"                     \
    "\"Type\":\"String\",\"Value\":\"%s\"}}}}"
enum { KEPT_DAYS = 90, POLLS_MAX = 200000, CYCLES = 200, MANY = 1200 };

static struct world w;
static struct reply reply;
static char id[512]; /* of the stack made last */

static const char *text_of(const char *value)
{
    static char text[512];
    snprintf(text, sizeof(text), TEMPLATE, value);
    return text;
}

static void pass(int64_t ms)
{
    clock_fake_advance_ms(ms);
    deliver_wake(w.core.deliver);
}

/* But for the one that says that the order of all stacks is there. */
static size_t keys(void)
{
    return world_keys_of(&w, KEY_CLOUDFORMATION) - 1;
}

/* The engine works on the loop, between requests. */
static void until_keys(size_t n)
{
    for (int i = 0; i < POLLS_MAX && keys() != n; i++)
        deliver_wake(w.core.deliver);
    assert_int_equal(keys(), n);
}

static void expect(const char *stack, const char *status)
{
    const char *now = stack_settled(&w, &reply, stack);
    if (strcmp(now, status) != 0)
        fail_msg("%s is %s, not %s: %s", stack, now, status, reply.body);
}

static void create(const char *name)
{
    stack_call(&w, &reply, "CreateStack", "StackName", name, "TemplateBody", text_of("1"), NULL);
    snprintf(id, sizeof(id), "%s", reply_text(&reply, "<StackId>"));
    expect(name, "CREATE_COMPLETE");
}

static void update(const char *name, const char *value)
{
    stack_call(&w, &reply, "UpdateStack", "StackName", name, "TemplateBody", text_of(value), NULL);
    assert_int_equal(reply.status, 200);
    expect(name, "UPDATE_COMPLETE");
}

static void destroy(const char *name)
{
    stack_call(&w, &reply, "DeleteStack", "StackName", name, NULL);
    expect(id, "DELETE_COMPLETE");
}

static void propose(const char *name, const char *set, const char *value)
{
    stack_call(&w, &reply, "CreateChangeSet", "StackName", name, "ChangeSetName", set,
               "TemplateBody", text_of(value), NULL);
    assert_int_equal(reply.status, 200);
}

static bool is_there(void)
{
    stack_call(&w, &reply, "DescribeStacks", "StackName", id, NULL);
    return reply.status == 200;
}

static size_t events(const char *stack)
{
    size_t n = 0;
    stack_call(&w, &reply, "DescribeStackEvents", "StackName", stack, NULL);
    for (const char *p = reply.body; (p = strstr(p, "<EventId>")); p++)
        n++;
    return n;
}

static void deleted_stacks_are_kept_for_90_days(void **state)
{
    create("gone");
    propose("gone", "never", "2");
    destroy("gone");
    pass(KEPT_DAYS * DAY_MS - 1000);
    assert_true(is_there());
    assert_true(events(id) > 4);
    stack_call(&w, &reply, "GetTemplate", "StackName", id, NULL);
    assert_non_null(strstr(reply.body, "AWS::SSM::Parameter"));
    pass(2000);
    until_keys(0);
    assert_false(is_there());
}

/* "c,b,a": by name, from the newest on, of all pages. */
static void expect_list(const char *expected)
{
    char found[512] = "", token[1024] = "";
    size_t pages = 0;
    do {
        stack_call(&w, &reply, "ListStacks", token[0] ? "NextToken" : NULL, token, NULL);
        assert_int_equal(reply.status, 200);
        for (const char *p = reply.body; (p = strstr(p, "<StackName>")); p++) {
            const char *name = p + strlen("<StackName>");
            size_t len = (size_t)(strchr(name, '<') - name);
            if (strncmp(name, "many", 4) != 0)
                snprintf(found + strlen(found), sizeof(found) - strlen(found), "%.*s,", (int)len,
                         name);
        }
        snprintf(token, sizeof(token), "%s", reply_text(&reply, "<NextToken>"));
        pages++;
    } while (token[0]);
    assert_string_equal(found, expected);
    assert_true(pages >= 2);
}

static void stacks_are_listed_from_the_newest_on(void **state)
{
    enum { MORE_THAN_A_PAGE = 101 };
    static const char *const names[] = {"z", "a", "m"};
    char ids[3][512], name[32];
    for (int i = 0; i < 3; i++) {
        create(names[i]);
        snprintf(ids[i], sizeof(ids[i]), "%s", id);
        pass(1000);
    }
    snprintf(id, sizeof(id), "%s", ids[1]);
    destroy("a");
    for (int i = 0; i < MORE_THAN_A_PAGE; i++) {
        snprintf(name, sizeof(name), "many-%d", i);
        stack_call(&w, &reply, "CreateChangeSet", "StackName", name, "ChangeSetName", "c",
                   "ChangeSetType", "CREATE", "TemplateBody", text_of("1"), NULL);
        assert_int_equal(reply.status, 200);
    }
    create("late");
    char late[512];
    snprintf(late, sizeof(late), "%s", id);
    expect_list("late,m,a,z,");
    stack_call(&w, &reply, "ListStacks", "StackStatusFilter.member.1", "DELETE_COMPLETE", NULL);
    assert_non_null(strstr(reply.body, ids[1]));
    assert_null(strstr(reply.body, ids[0]));
    for (int i = 0; i < MORE_THAN_A_PAGE; i++) {
        snprintf(name, sizeof(name), "many-%d", i);
        stack_call(&w, &reply, "DeleteStack", "StackName", name, NULL);
    }
    for (int i = 0; i < 3; i++) {
        snprintf(id, sizeof(id), "%s", i == 1 ? late : ids[i]);
        destroy(id);
    }
    pass((KEPT_DAYS + 1) * DAY_MS);
    until_keys(0);
}

static void change_sets_of_deleted_stacks_go_at_once(void **state)
{
    create("sets");
    propose("sets", "never", "2");
    stack_call(&w, &reply, "CreateChangeSet", "StackName", "sets", "ChangeSetName", "same",
               "TemplateBody", text_of("1"), NULL);
    size_t before = keys();
    destroy("sets");
    /* Both, their ids and templates, and the name; the deletion told of four more events. */
    until_keys(before - 2 * 3 - 1 + 4);
    pass((KEPT_DAYS + 1) * DAY_MS);
    until_keys(0);
}

static void templates_go_with_what_names_them(void **state)
{
    create("life");
    update("life", "2");
    size_t n = keys(), told = events("life");
    for (int i = 0; i < 3; i++) {
        update("life", i % 2 ? "2" : "3");
        propose("life", "a", "x");
        stack_call(&w, &reply, "DeleteChangeSet", "StackName", "life", "ChangeSetName", "a", NULL);
    }
    assert_int_equal(keys() - n, events("life") - told);
    propose("life", "a", "x");
    propose("life", "b", "y");
    stack_call(&w, &reply, "ExecuteChangeSet", "StackName", "life", "ChangeSetName", "b", NULL);
    expect("life", "UPDATE_COMPLETE");
    assert_int_equal(keys() - n, events("life") - told + 2); /* the change set and its id */
    stack_call(&w, &reply, "UpdateStack", "StackName", "life", "TemplateBody",
               "{\"Resources\":{\"P\":{\"Type\":\"AWS::SSM::Parameter\",\"Properties\":{\"Type\":"
               "\"String\",\"Value\":\"1\",\"AllowedPattern\":\"2\"}}}}",
               NULL);
    expect("life", "UPDATE_ROLLBACK_COMPLETE");
    assert_int_equal(keys() - n, events("life") - told + 2);
    destroy("life");
    pass((KEPT_DAYS + 1) * DAY_MS);
    until_keys(0);
}

static void events_of_a_living_stack_go(void **state)
{
    create("old");
    size_t first = events("old");
    pass(KEPT_DAYS / 2 * DAY_MS);
    update("old", "2");
    size_t all = events("old"), n = keys();
    pass(KEPT_DAYS / 2 * DAY_MS + 1000);
    until_keys(n - first);
    assert_int_equal(events("old"), all - first);
    pass(KEPT_DAYS * DAY_MS);
    until_keys(n - all);
    update("old", "3");
    assert_int_equal(events("old"), all - first);
    destroy("old");
    pass((KEPT_DAYS + 1) * DAY_MS);
    until_keys(0);
}

static void detections_are_forgotten(void **state)
{
    create("drift");
    size_t n = keys();
    stack_call(&w, &reply, "DetectStackDrift", "StackName", "drift", NULL);
    assert_int_equal(keys(), n + 1);
    destroy("drift");
    pass((KEPT_DAYS + 1) * DAY_MS);
    until_keys(0);
}

/* More than a step removes; restarts and failing commits in between. */
static void a_sweep_survives_anything(void **state)
{
    char name[32];
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        create(name);
        destroy(name);
    }
    pass((KEPT_DAYS + 1) * DAY_MS);
    for (uint64_t n = 1; keys() > 0 && n < 40; n++) {
        fault_arm(&w, FAULT_KV + KV_FAULT_COMMIT, n % 3 + 1);
        pass(2000);
        keys();
        fault_disarm(&w);
        if (n % 4 == 0) {
            world_down(&w);
            world_up(&w);
        }
    }
    pass(10 * 60 * 1000);
    until_keys(0);
}

/* A deployment and its end a day: what is kept is of 90 days, however long it goes on. */
static void the_store_stays_flat(void **state)
{
    size_t one = 0;
    for (int i = 0; i < CYCLES; i++) {
        create("daily");
        destroy("daily");
        if (i == 0)
            one = keys();
        pass(DAY_MS);
        assert_true(keys() <= (KEPT_DAYS + 2) * one); /* two may be on their way out */
    }
    until_keys((KEPT_DAYS - 1) * one);
    pass((KEPT_DAYS + 1) * DAY_MS);
    until_keys(0);
}

static int up(void **state)
{
    world_begin(&w, BEGIN_MS);
    for (int i = 0; i < POLLS_MAX && world_keys_of(&w, KEY_CLOUDFORMATION) == 0; i++)
        deliver_wake(w.core.deliver);
    return 0;
}

static int down(void **state)
{
    world_end(&w, &reply);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deleted_stacks_are_kept_for_90_days),
        cmocka_unit_test(stacks_are_listed_from_the_newest_on),
        cmocka_unit_test(change_sets_of_deleted_stacks_go_at_once),
        cmocka_unit_test(templates_go_with_what_names_them),
        cmocka_unit_test(events_of_a_living_stack_go),
        cmocka_unit_test(detections_are_forgotten),
        cmocka_unit_test(a_sweep_survives_anything),
        cmocka_unit_test(the_store_stays_flat),
    };
    return cmocka_run_group_tests(tests, up, down);
}
