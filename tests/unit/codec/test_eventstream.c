/* Messages of an event stream, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codec/crc.h"
#include "codec/eventstream.h"

static uint32_t get32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static void test_wrap(void **state)
{
    static const char payloads[][6] = {"", "hello"};
    static const struct str headers =
        STR_INIT("\x0b:event-type\x07\x00\x02"
                 "Ev\x0d:content-type\x07\x00\x03t/x\x0d:message-type\x07\x00\x05"
                 "event");
    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        char block[EVENTSTREAM_HEAD_MAX + 5 + EVENTSTREAM_TAIL];
        size_t len = strlen(payloads[i]);
        memcpy(block + EVENTSTREAM_HEAD_MAX, payloads[i], len);
        struct str got = eventstream_wrap(block, len, STR("Ev"), STR("t/x"));
        assert_int_equal(got.len, 12 + headers.len + len + 4);
        assert_int_equal(get32(got.p), got.len);
        assert_int_equal(get32(got.p + 4), headers.len);
        assert_int_equal(get32(got.p + 8), crc32_update(0, got.p, 8));
        assert_memory_equal(got.p + 12, headers.p, headers.len);
        assert_memory_equal(got.p + 12 + headers.len, payloads[i], len);
        assert_int_equal(get32(got.p + got.len - 4), crc32_update(0, got.p, got.len - 4));
    }
}

static void test_longest_names_fit(void **state)
{
    char name[EVENTSTREAM_NAME_MAX], block[EVENTSTREAM_HEAD_MAX + EVENTSTREAM_TAIL];
    memset(name, 'a', sizeof(name));
    struct str got =
        eventstream_wrap(block, 0, str_n(name, sizeof(name)), str_n(name, sizeof(name)));
    assert_true(got.p >= block && got.p + got.len == block + sizeof(block));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_longest_names_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
