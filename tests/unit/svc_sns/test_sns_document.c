/* What endpoints get, to the byte, and what of it is signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svc/sns/sns_int.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 16 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static struct sns_attr attrs[] = {
    {STR_INIT("a"), STR_INIT("String"), STR_INIT("x\"y")},
    {STR_INIT("b"), STR_INIT("Binary"), STR_INIT("\0\1")},
};

static const struct sns_message message = {
    .id = STR_INIT("id"),
    .topic_arn = STR_INIT("arn"),
    .subject = STR_INIT("sub"),
    .body = STR_INIT("line\n2"),
    .sent_ms = 1000,
    .signature_version = 2,
    .attrs = attrs,
    .n_attrs = ARRAY_LEN(attrs),
};

static void expect(struct str got, const char *want)
{
    if (!str_eq_c(got, want))
        fail_msg("got:\n" STR_FMT "\nwant:\n%s", STR_ARG(got), want);
}

static void test_notification(void **state)
{
    struct sns_document d = {.kind = SNS_NOTIFICATION,
                             .m = &message,
                             .text = message.body,
                             .signature = STR("sig"),
                             .links = {.cert = STR("cert"), .unsubscribe = STR("end")}};
    expect(sns_document_signed(&arena, &d),
           "Message\nline\n2\nMessageId\nid\nSubject\nsub\nTimestamp\n1970-01-01T00:00:01.000Z\n"
           "TopicArn\narn\nType\nNotification\n");
    expect(
        sns_document_text(&arena, &d),
        "{\n  \"Type\" : \"Notification\",\n  \"MessageId\" : \"id\",\n  \"TopicArn\" : \"arn\",\n"
        "  \"Subject\" : \"sub\",\n  \"Message\" : \"line\\n2\",\n"
        "  \"Timestamp\" : \"1970-01-01T00:00:01.000Z\",\n  \"SignatureVersion\" : \"2\",\n"
        "  \"Signature\" : \"sig\",\n  \"SigningCertURL\" : \"cert\",\n"
        "  \"UnsubscribeURL\" : \"end\",\n  \"MessageAttributes\" : {\n"
        "    \"a\" : {\"Type\":\"String\",\"Value\":\"x\\\"y\"},\n"
        "    \"b\" : {\"Type\":\"Binary\",\"Value\":\"AAE=\"}\n  }\n}");
}

/* Without subject, attributes and signature, with a number. */
static void test_fifo(void **state)
{
    const struct sns_message m = {
        .id = STR("id"), .topic_arn = STR("arn"), .seq = 10000000000000000001ull};
    struct sns_document d = {
        .kind = SNS_NOTIFICATION, .m = &m, .text = STR("m"), .links = {.unsubscribe = STR("end")}};
    expect(sns_document_text(&arena, &d),
           "{\n  \"Type\" : \"Notification\",\n  \"MessageId\" : \"id\",\n"
           "  \"SequenceNumber\" : \"10000000000000000001\",\n  \"TopicArn\" : \"arn\",\n"
           "  \"Message\" : \"m\",\n  \"Timestamp\" : \"1970-01-01T00:00:00.000Z\",\n"
           "  \"UnsubscribeURL\" : \"end\"\n}");
}

static void test_confirmation(void **state)
{
    struct sns_document d = {
        .kind = SNS_CONFIRM,
        .m = &message,
        .text = STR("please"),
        .signature = STR("sig"),
        .links = {.cert = STR("cert"), .subscribe = STR("url"), .token = STR("tok")}};
    expect(sns_document_signed(&arena, &d),
           "Message\nplease\nMessageId\nid\nSubscribeURL\nurl\nTimestamp\n"
           "1970-01-01T00:00:01.000Z\nToken\ntok\nTopicArn\narn\nType\nSubscriptionConfirmation\n");
    expect(sns_document_text(&arena, &d),
           "{\n  \"Type\" : \"SubscriptionConfirmation\",\n  \"MessageId\" : \"id\",\n"
           "  \"Token\" : \"tok\",\n  \"TopicArn\" : \"arn\",\n  \"Message\" : \"please\",\n"
           "  \"SubscribeURL\" : \"url\",\n  \"Timestamp\" : \"1970-01-01T00:00:01.000Z\",\n"
           "  \"SignatureVersion\" : \"2\",\n  \"Signature\" : \"sig\",\n"
           "  \"SigningCertURL\" : \"cert\"\n}");
}

static void test_event(void **state)
{
    const struct sns_message m = {.id = STR("id"), .topic_arn = STR("arn"), .signature_version = 1};
    struct sns_document d = {.kind = SNS_NOTIFICATION,
                             .m = &m,
                             .text = STR("m"),
                             .signature = STR("sig"),
                             .sub_arn = STR("sub"),
                             .links = {.cert = STR("cert"), .unsubscribe = STR("end")}};
    expect(
        sns_document_event(&arena, &d),
        "{\"Records\":[{\"EventSource\":\"aws:sns\",\"EventVersion\":\"1.0\","
        "\"EventSubscriptionArn\":\"sub\",\"Sns\":{\"Type\":\"Notification\",\"MessageId\":\"id\","
        "\"TopicArn\":\"arn\",\"Subject\":null,\"Message\":\"m\","
        "\"Timestamp\":\"1970-01-01T00:00:00.000Z\",\"SignatureVersion\":\"1\","
        "\"Signature\":\"sig\",\"SigningCertUrl\":\"cert\",\"UnsubscribeUrl\":\"end\","
        "\"MessageAttributes\":{}}}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_notification, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fifo, setup, teardown),
        cmocka_unit_test_setup_teardown(test_confirmation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_event, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
