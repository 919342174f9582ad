/* rpc-v2-cbor, content codings: routing, refusals, errors, compressed bodies both ways. */
#include <stdio.h>
#include <stdlib.h>

#include "codec/cbor.h"
#include "codec/gzip.h"
#include "help_wire.h"

#define CBOR_HEAD(service, op)                                                                     \
    "POST /service/" service "/operation/" op "\nHost: localhost\nsmithy-protocol: rpc-v2-cbor\n"  \
    "Content-Type: application/cbor\n\n"

/* The services, of which one speaks CBOR as none of AWS's seven does. */
static struct wire_service speaking;
static const struct wire_service *services[2];

static void route(struct exchange *x, struct str text)
{
    speaking = sqs_service;
    speaking.speaks_cbor = true;
    services[0] = &speaking;
    services[1] = &dynamodb_service;
    exchange_parse_n(x, text);
    assert_int_equal(
        wire_route(services, ARRAY_LEN(services), &x->req, STR_NONE, &x->arena, &x->routed),
        ERR_OK);
}

static void test_route(void **state)
{
    static const struct {
        const char *text;
        enum wire_outcome outcome;
    } rows[] = {
        {CBOR_HEAD("AmazonSQS", "SendMessage"), WIRE_ROUTED},
        {CBOR_HEAD("AmazonSQS", "Nonsense"), WIRE_UNKNOWN_OPERATION},
        {CBOR_HEAD("Nobody", "SendMessage"), WIRE_PROTOCOL_REFUSED},
        {CBOR_HEAD("DynamoDB_20120810", "GetItem"), WIRE_PROTOCOL_REFUSED},
        {CBOR_HEAD("", "SendMessage"), WIRE_PROTOCOL_REFUSED},
        {CBOR_HEAD("AmazonSQS", ""), WIRE_PROTOCOL_REFUSED},
        {"POST /a/b/service/AmazonSQS/operation/SendMessage\nsmithy-protocol: rpc-v2-cbor\n\n",
         WIRE_ROUTED},
        {"GET /service/AmazonSQS/operation/SendMessage\nsmithy-protocol: rpc-v2-cbor\n\n",
         WIRE_BAD_REQUEST},
        {"POST /service/AmazonSQS/operation/SendMessage\nsmithy-protocol: rpc-v2-cbor\n"
         "Content-Type: application/json\n\n",
         WIRE_BAD_REQUEST},
        {"POST /service/AmazonSQS/SendMessage\nsmithy-protocol: rpc-v2-cbor\n\n",
         WIRE_PROTOCOL_REFUSED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct exchange x;
        route(&x, str_c(rows[i].text));
        if (x.routed.outcome != rows[i].outcome)
            fail_msg("%s: %d", rows[i].text, (int)x.routed.outcome);
        assert_true((x.routed.op != NULL) == (rows[i].outcome == WIRE_ROUTED));
        exchange_release(&x);
    }
}

static void test_decode(void **state)
{
    static const struct {
        const char *name;
        struct str body;
        enum err err;
    } rows[] = {
        {"empty", STR_INIT(""), ERR_FAILED}, /* required members are missing */
        {"not CBOR", STR_INIT("{}"), ERR_FAILED},
        {"a list", STR_INIT("\x80"), ERR_FAILED},
        {"whole", STR_INIT("\xa2\x68QueueUrl\x61u\x6bMessageBody\x61m"), ERR_OK},
        {"no text", STR_INIT("\xa2\x68QueueUrl\x61u\x6bMessageBody\x41m"), ERR_FAILED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct exchange x;
        route(&x, STR(CBOR_HEAD("AmazonSQS", "SendMessage")));
        x.req.body = rows[i].body;
        enum err e = wire_decode(&x.routed, &x.req, &x.arena, &x.in, &x.fault);
        if (e != rows[i].err)
            fail_msg("%s: %s", rows[i].name, err_name(e));
        exchange_release(&x);
    }
}

static void test_error(void **state)
{
    struct exchange x;
    struct json *v;
    route(&x, STR(CBOR_HEAD("AmazonSQS", "SendMessage")));
    x.routed.query_mode = true;
    exchange_fail(&x, &sqs_err_queue_does_not_exist, "gone");
    assert_string_equal(exchange_header(&x, "smithy-protocol"), "rpc-v2-cbor");
    assert_string_equal(exchange_header(&x, "x-amzn-query-error"),
                        "AWS.SimpleQueueService.NonExistentQueue;Sender");
    assert_int_equal(cbor_parse(&x.arena, x.reply.body, &v), ERR_OK);
    assert_true(str_eq(json_get_str(v, STR("__type")), STR("com.amazonaws.sqs#QueueDoesNotExist")));
    assert_true(str_eq(json_get_str(v, STR("message")), STR("gone")));
    exchange_release(&x);
}

static enum err decode_coded(struct exchange *x, const char *coding, struct str body)
{
    const char *head = "POST /\nX-Amz-Target: AmazonSQS.SendMessage\nContent-Encoding: ";
    struct arena a;
    arena_init(&a, 4096);
    exchange_parse_n(x, str_fmt(&a, "%s%s\n\n", head, coding));
    arena_release(&a);
    x->req.body = body;
    assert_int_equal(
        wire_route(all_services, n_all_services, &x->req, STR_NONE, &x->arena, &x->routed), ERR_OK);
    assert_int_equal(x->routed.outcome, WIRE_ROUTED);
    return wire_decode(&x->routed, &x->req, &x->arena, &x->in, &x->fault);
}

static void test_coded(void **state)
{
    static const struct str text = STR_INIT("{\"QueueUrl\":\"u\",\"MessageBody\":\"m\"}");
    static const char deflated[] = "\x78\x9c\xab\x56\x0a\x2c\x4d\x2d\x4d\x0d\x2d\xca\x51\xb2\x52"
                                   "\x2a\x55\xd2\x51\xf2\x4d\x2d\x2e\x4e\x4c\x4f\x75\xca\x4f\xa9"
                                   "\x04\x8a\xe4\x2a\xd5\x02\x00\xc5\x8e\x0b\x16"; /* the same */
    struct buf packed, bomb;
    struct exchange x;
    char *zeros = calloc(1, WIRE_UNPACKED_MAX + 1);
    buf_init(&packed, 1 << 20);
    buf_init(&bomb, 1 << 20);
    assert_int_equal(gzip_pack(text, &packed), ERR_OK);
    assert_int_equal(gzip_pack(str_n(zeros, WIRE_UNPACKED_MAX + 1), &bomb), ERR_OK);
    const struct {
        const char *coding;
        struct str body;
        int status; /* 0: decoded */
    } rows[] = {
        {"gzip", buf_str(&packed), 0},
        {" GZIP ", buf_str(&packed), 0},
        {"identity, gzip", buf_str(&packed), 0},
        {"identity", text, 0},
        {"", text, 0},
        {"gzip", text, 400},
        {"deflate", str_n(deflated, sizeof(deflated) - 1), 0},
        {"deflate", str_n(deflated, sizeof(deflated) - 3), 400},
        {"gzip", str_n(deflated, sizeof(deflated) - 1), 400},
        {"deflate", text, 400},
        {"deflate, gzip", buf_str(&packed), 415},
        {"gzip", buf_str(&bomb), 413},
        {"br", text, 415},
        {"gzip, gzip", buf_str(&packed), 415},
        {"custom, gzip", buf_str(&packed), 415},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum err e = decode_coded(&x, rows[i].coding, rows[i].body);
        assert_int_equal(e, rows[i].status ? ERR_FAILED : ERR_OK);
        if (e == ERR_FAILED && rows[i].status != x.fault.error->status)
            fail_msg("%s: %d", rows[i].coding, x.fault.error->status);
        exchange_release(&x);
    }
    free(zeros);
    buf_release(&packed);
    buf_release(&bomb);
}

static void test_reply(void **state)
{
    static const struct {
        const char *accept;
        bool packed;
    } rows[] = {
        {"gzip", true},      {"deflate, gzip;q=0.5", true}, {"gzip;q=0", false},
        {"identity", false}, {"gzip;q=x", false},           {"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct exchange x;
        struct buf plain;
        char head[200], long_name[3000];
        memset(long_name, 'n', sizeof(long_name));
        snprintf(head, sizeof(head),
                 "POST /\nX-Amz-Target: DynamoDB_20120810.ListTables\nAccept-Encoding: %s\n\n{}",
                 rows[i].accept);
        exchange_route(&x, NULL, head);
        struct dynamodb_list_tables_output out = {.last_evaluated_table_name =
                                                      str_n(long_name, sizeof(long_name))};
        exchange_encode(&x, &out);
        assert_string_equal(exchange_header(&x, "content-encoding"), rows[i].packed ? "gzip" : "");
        buf_init(&plain, 1 << 20);
        if (rows[i].packed)
            assert_int_equal(gzip_unpack(x.reply.body, &plain), ERR_OK);
        else
            buf_add_str(&plain, x.reply.body);
        assert_true(plain.len > sizeof(long_name) && plain.p[0] == '{');
        buf_release(&plain);
        exchange_release(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_route), cmocka_unit_test(test_decode), cmocka_unit_test(test_error),
        cmocka_unit_test(test_coded), cmocka_unit_test(test_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
