/* What happens to keys by itself, by a clock that the test moves; and keys as other services use them:
 * by inner calls on behalf of somebody (kms:ViaService). */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/inner.h"
#include "help_fault.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
enum { POLLS_MAX = 200000 };

static struct world w;
static struct reply reply;
static char key[64];

/* One request in which %s stands for the key; its status. */
static int ask(const char *op, const char *format)
{
    char target[64], body[1024];
    snprintf(target, sizeof(target), "TrentService.%s", op);
    snprintf(body, sizeof(body), format, key);
    struct request req = {
        .service = "kms", .target = target, .type = "application/x-amz-json-1.1", .body = body};
    world_call(&w, &req, &reply);
    return reply.status;
}

/* Text after `mark` in the last reply, up to the next quote. */
static void take(const char *mark, char *out, size_t size)
{
    const char *at = strstr(reply.body, mark);
    assert_non_null(at);
    at += strlen(mark);
    snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void make(const char *body)
{
    assert_int_equal(ask("CreateKey", body), 200);
    take("\"KeyId\":\"", key, sizeof(key));
}

/* The engine fires on the loop, between requests: asks until the reply has the text. */
static void until(const char *op, const char *body, const char *text)
{
    for (int i = 0; i < POLLS_MAX; i++) {
        ask(op, body);
        if (strstr(reply.body, text))
            return;
        deliver_wake(w.core.deliver);
    }
    fail_msg("%s does not come to say %s: %s", op, text, reply.body);
}

static void pass(int64_t ms)
{
    clock_fake_advance_ms(ms);
    deliver_wake(w.core.deliver);
}

#define THIS "{\"KeyId\":\"%s\"}"

static void a_key_goes_at_its_time(void **state)
{
    make("{\"Tags\":[{\"TagKey\":\"a\",\"TagValue\":\"b\"}]}");
    assert_int_equal(ask("CreateAlias", "{\"AliasName\":\"alias/g\",\"TargetKeyId\":\"%s\"}"), 200);
    assert_int_equal(
        ask("CreateGrant",
            "{\"KeyId\":\"%s\",\"GranteePrincipal\":\"arn:aws:iam::000000000000:root\","
            "\"RetiringPrincipal\":\"arn:aws:iam::000000000000:root\","
            "\"Operations\":[\"Encrypt\"]}"),
        200);
    assert_int_equal(ask("ScheduleKeyDeletion", "{\"KeyId\":\"%s\",\"PendingWindowInDays\":7}"),
                     200);
    pass(7 * DAY_MS - 1000);
    assert_int_equal(ask("DescribeKey", THIS), 200);
    pass(2000);
    until("DescribeKey", THIS, "NotFoundException");
    assert_int_equal(ask("DescribeKey", "{\"KeyId\":\"alias/g\"}"), 400);
    ask("ListAliases", "{}");
    assert_null(strstr(reply.body, "alias/g"));
    ask("ListRetirableGrants", "{\"RetiringPrincipal\":\"arn:aws:iam::000000000000:root\"}");
    assert_non_null(strstr(reply.body, "\"Grants\":[]"));
    ask("ListKeys", "{}");
    assert_null(strstr(reply.body, key));
}

static void a_key_that_was_kept_stays(void **state)
{
    make("{}");
    assert_int_equal(ask("ScheduleKeyDeletion", "{\"KeyId\":\"%s\",\"PendingWindowInDays\":7}"),
                     200);
    assert_int_equal(ask("CancelKeyDeletion", THIS), 200);
    pass(8 * DAY_MS);
    /* The engine has certainly fired once a younger key is gone. */
    char kept[64];
    snprintf(kept, sizeof(kept), "%s", key);
    make("{}");
    assert_int_equal(ask("ScheduleKeyDeletion", "{\"KeyId\":\"%s\",\"PendingWindowInDays\":7}"),
                     200);
    pass(8 * DAY_MS);
    until("DescribeKey", THIS, "NotFoundException");
    snprintf(key, sizeof(key), "%s", kept);
    assert_int_equal(ask("DescribeKey", THIS), 200);
}

static void a_key_is_rotated_again_and_again(void **state)
{
    char blob[1024], body[2048];
    make("{}");
    assert_int_equal(ask("Encrypt", "{\"KeyId\":\"%s\",\"Plaintext\":\"b2xk\"}"), 200);
    take("\"CiphertextBlob\":\"", blob, sizeof(blob));
    assert_int_equal(ask("EnableKeyRotation", "{\"KeyId\":\"%s\",\"RotationPeriodInDays\":90}"),
                     200);
    pass(89 * DAY_MS);
    ask("ListKeyRotations", THIS);
    assert_non_null(strstr(reply.body, "\"Rotations\":[]"));
    pass(DAY_MS + 1000);
    until("ListKeyRotations", THIS, "AUTOMATIC");
    /* Over a restart, and later than it was due. */
    world_down(&w);
    clock_fake_advance_ms(100 * DAY_MS);
    world_up(&w);
    until("ListKeyRotations", THIS, "NON_CURRENT");
    snprintf(body, sizeof(body), "{\"CiphertextBlob\":\"%s\"}", blob);
    struct request req = {.service = "kms",
                          .target = "TrentService.Decrypt",
                          .type = "application/x-amz-json-1.1",
                          .body = body};
    world_call(&w, &req, &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "\"Plaintext\":\"b2xk\""));
}

/* --- on behalf of somebody -------------------------------------------------------------------- */

struct asked {
    struct io_task task;
    struct core_request req;
    sem_t done;
    enum err err;
    char code[64];
};

static void on_done(void *arg, const struct core_result *r)
{
    struct asked *a = arg;
    a->err = r->err;
    snprintf(a->code, sizeof(a->code), "%.*s", STR_ARG(r->code));
    sem_post(&a->done);
}

static void begin(struct io_task *task)
{
    struct asked *a = CONTAINER_OF(task, struct asked, task);
    assert_int_equal(core_call(&w.core, &a->req, on_done, a, NULL), ERR_OK);
}

/* "" or the error's code. */
static const char *encrypt_via(struct asked *a, struct str via)
{
    static const struct principal root = {.kind = PRINCIPAL_ROOT,
                                          .account = STR_INIT("000000000000"),
                                          .arn = STR_INIT("arn:aws:iam::000000000000:root")};
    char input[256];
    snprintf(input, sizeof(input), "{\"KeyId\":\"%s\",\"Plaintext\":\"eA==\"}", key);
    *a = (struct asked){.task = {.fn = begin},
                        .req = {.service = STR("kms"),
                                .operation = STR("Encrypt"),
                                .input = str_c(input),
                                .who = &root,
                                .via = via}};
    sem_init(&a->done, 0, 0);
    io_post(w.loop, &a->task);
    sem_wait(&a->done);
    return a->code;
}

static void a_policy_may_ask_by_which_service(void **state)
{
    struct asked a;
    make("{\"BypassPolicyLockoutSafetyCheck\":true,\"Policy\":\"{\\\"Statement\\\":{\\\"Effect\\\":"
         "\\\"Allow\\\",\\\"Principal\\\":{\\\"AWS\\\":\\\"000000000000\\\"},\\\"Action\\\":"
         "\\\"kms:*\\\",\\\"Resource\\\":\\\"*\\\",\\\"Condition\\\":{\\\"StringEquals\\\":{"
         "\\\"kms:ViaService\\\":\\\"s3.us-east-1.amazonaws.com\\\"}}}}\"}");
    assert_string_equal(encrypt_via(&a, STR("s3.amazonaws.com")), "");
    assert_string_equal(encrypt_via(&a, STR("sqs.amazonaws.com")), "AccessDeniedException");
    assert_string_equal(encrypt_via(&a, STR_NONE), "AccessDeniedException");
}

static int up(void **state)
{
    world_begin(&w, INT64_C(1700000000000));
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
        cmocka_unit_test_setup_teardown(a_key_goes_at_its_time, up, down),
        cmocka_unit_test_setup_teardown(a_key_that_was_kept_stays, up, down),
        cmocka_unit_test_setup_teardown(a_key_is_rotated_again_and_again, up, down),
        cmocka_unit_test_setup_teardown(a_policy_may_ask_by_which_service, up, down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
