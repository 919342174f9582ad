/* Texts taken apart; tokens of the right pool and client, and all others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bearer.h"
#include "lines.h"

enum { ARENA_BYTES = 64 << 20, TEXT_MAX = 1 << 20 };
#define NOW 1764331200000 /* 2025-11-28T12:00:00Z */
#define NOW_S "1764331200"
#define LATER_S "1764334800"

static void check_report(struct str body, const char *want)
{
    struct arena a;
    struct buf b;
    struct json_out o;
    struct lines lines;
    arena_init(&a, ARENA_BYTES);
    buf_init_arena(&b, &a, TEXT_MAX);
    json_out_init(&o, &b);
    assert_int_equal(lines_read(&a, body, &lines), ERR_OK);
    lines_put_report(&o, &lines, "u");
    if (!str_eq_c(buf_str(&b), want))
        fail_msg(STR_FMT, STR_ARG(buf_str(&b)));
    arena_release(&a);
}

static void test_lines(void **state)
{
#define REPORT(counts, rejects) "{\"upload\":\"u\"," counts ",\"rejects\":[" rejects "]}"
    check_report(STR(""), REPORT("\"lines\":0,\"stored\":0,\"empty\":0,\"rejected\":0", ""));
    check_report(STR("a\nb\n"), REPORT("\"lines\":2,\"stored\":2,\"empty\":0,\"rejected\":0", ""));
    check_report(STR("a\r\n\r\n\nb"),
                 REPORT("\"lines\":4,\"stored\":2,\"empty\":2,\"rejected\":0", ""));
    check_report(STR("\xff\na\x01\nt\tt\n"),
                 REPORT("\"lines\":3,\"stored\":1,\"empty\":0,\"rejected\":2",
                        "{\"line\":1,\"reason\":\"not UTF-8\"},"
                        "{\"line\":2,\"reason\":\"a control character\"}"));
    (void)state;
}

static void test_limits(void **state)
{
    static char text[2 * (LINES_MAX + 1)];
    struct arena a;
    struct lines lines;
    arena_init(&a, ARENA_BYTES);
    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, "x\n", 2);
    assert_int_equal(lines_read(&a, str_n(text, 2 * LINES_MAX), &lines), ERR_OK);
    assert_int_equal(lines.n, LINES_MAX);
    assert_int_equal(lines.line[LINES_MAX - 1].number, LINES_MAX);
    assert_int_equal(lines_read(&a, str_n(text, sizeof text), &lines), ERR_LIMIT);
    memset(text, 'x', LINE_BYTES_MAX + 1);
    assert_int_equal(lines_read(&a, str_n(text, LINE_BYTES_MAX), &lines), ERR_OK);
    assert_int_equal(lines.n, 1);
    assert_int_equal(lines_read(&a, str_n(text, LINE_BYTES_MAX + 1), &lines), ERR_OK);
    assert_true(lines.n == 0 && lines.rejected == 1);
    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, "\x01\n", 2);
    assert_int_equal(lines_read(&a, str_n(text, 2 * LINES_MAX), &lines), ERR_OK);
    assert_int_equal(lines.rejected, LINES_MAX);
    arena_release(&a);
    (void)state;
}

static void test_items(void **state)
{
    struct arena a;
    struct buf b;
    struct json_out o;
    struct line line = {7, STR_INIT("hi")};
    char one[UPLOAD_ID_LEN + 1], other[UPLOAD_ID_LEN + 1];
    arena_init(&a, ARENA_BYTES);
    buf_init_arena(&b, &a, TEXT_MAX);
    json_out_init(&o, &b);
    line_put_item(&o, &line, "u", STR("me"), NOW);
    assert_true(str_eq_c(buf_str(&b),
                         "{\"upload\":{\"S\":\"u\"},\"line\":{\"N\":\"7\"},\"text\":{\"S\":\"hi\"},"
                         "\"owner\":{\"S\":\"me\"},\"at\":{\"S\":\"2025-11-28T12:00:00.000Z\"}}"));
    lines_upload_id(STR("me"), STR("text"), one);
    lines_upload_id(STR("me"), STR("text"), other);
    assert_string_equal(one, other);
    assert_int_equal(strlen(one), UPLOAD_ID_LEN);
    lines_upload_id(STR("met"), STR("ext"), other);
    assert_string_not_equal(one, other);
    arena_release(&a);
    (void)state;
}

static void test_authorization(void **state)
{
    assert_true(str_eq_c(bearer_token(STR("Bearer a.b.c")), "a.b.c"));
    assert_true(str_eq_c(bearer_token(STR(" bearer  a.b.c ")), "a.b.c"));
    static const char *const none[] = {"", "Bearer", "Bearer ", "Basic a", "a.b.c", "Bearera"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_false(str_is_set(bearer_token(str_c(none[i]))));
    assert_false(str_is_set(bearer_token(STR_NONE)));
    (void)state;
}

#define ISSUER "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a"
#define CLAIMS(iss, use, client, exp)                                                              \
    "{\"sub\":\"me\",\"iss\":\"" iss "\",\"token_use\":\"" use "\",\"client_id\":\"" client        \
    "\",\"iat\":" NOW_S ",\"exp\":" exp "}"

static void test_tokens(void **state)
{
    static const struct {
        const char *name, *claims, *why; /* NULL: taken */
    } rows[] = {
        {"good", CLAIMS(ISSUER, "access", "c1", LATER_S), NULL},
        {"expired", CLAIMS(ISSUER, "access", "c1", "1764331000"), "expired, or of another time"},
        {"other pool", CLAIMS(ISSUER "b", "access", "c1", LATER_S), "of another user pool"},
        {"id token", CLAIMS(ISSUER, "id", "c1", LATER_S), "not an access token"},
        {"other client", CLAIMS(ISSUER, "access", "c2", LATER_S), "of another client"},
        {"nobody's",
         "{\"iss\":\"" ISSUER "\",\"token_use\":\"access\",\"client_id\":\"c1\",\"exp\":" LATER_S
         "}",
         "without a subject"},
        {"for ever",
         "{\"sub\":\"me\",\"iss\":\"" ISSUER "\",\"token_use\":\"access\",\"client_id\":\"c1\"}",
         "expired, or of another time"},
    };
    struct bearer_rules rules = {STR(ISSUER), STR("c1")};
    struct jwt_key *key = NULL, *other = NULL;
    assert_int_equal(jwt_key_generate_rsa(JWT_RSA_BITS_MIN, STR("k1"), &key), ERR_OK);
    assert_int_equal(jwt_key_generate_rsa(JWT_RSA_BITS_MIN, STR("k1"), &other), ERR_OK);
    struct jwt_keys keys = {.key = {key}, .n = 1}, others = {.key = {other}, .n = 1},
                    none = {.n = 0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct str token, subject = STR_NONE;
        const char *why = NULL;
        arena_init(&a, ARENA_BYTES);
        assert_int_equal(jwt_sign(key, str_c(rows[i].claims), &a, &token), ERR_OK);
        enum err err = bearer_subject(&a, token, &keys, &rules, NOW, &subject, &why);
        if (err != (rows[i].why ? ERR_DENIED : ERR_OK))
            fail_msg("%s: %s", rows[i].name, err_name(err));
        if (rows[i].why)
            assert_string_equal(why, rows[i].why);
        else
            assert_true(str_eq_c(subject, "me"));
        assert_int_equal(bearer_subject(&a, token, &others, &rules, NOW, &subject, &why),
                         ERR_DENIED);
        assert_int_equal(bearer_subject(&a, token, &none, &rules, NOW, &subject, &why),
                         ERR_NOT_FOUND);
        assert_int_equal(bearer_subject(&a, STR("a.b.c"), &keys, &rules, NOW, &subject, &why),
                         ERR_DENIED);
        arena_release(&a);
    }
    jwt_key_free(key);
    jwt_key_free(other);
    (void)state;
}

static void test_answer(void **state)
{
    struct buf b;
    struct json_out o;
    buf_init(&b, TEXT_MAX);
    json_out_init(&o, &b);
    bearer_put_allow(&o, STR("me"), STR("arn:m"));
    assert_true(str_eq_c(
        buf_str(&b),
        "{\"principalId\":\"me\",\"policyDocument\":{\"Version\":\"2012-10-17\",\"Statement\":"
        "[{\"Effect\":\"Allow\",\"Action\":\"execute-api:Invoke\",\"Resource\":\"arn:m\"}]},"
        "\"context\":{\"sub\":\"me\"}}"));
    buf_release(&b);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_limits),
        cmocka_unit_test(test_items),  cmocka_unit_test(test_authorization),
        cmocka_unit_test(test_tokens), cmocka_unit_test(test_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
