/* crc.h: known values, hardware against tables at every length and split, combination. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/crc.h"

static uint8_t data[70000];

static void fill(void)
{
    uint32_t x = 12345;
    for (size_t i = 0; i < sizeof(data); i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (uint8_t)(x >> 24);
    }
}

static void test_known(void **state)
{
    static const struct {
        const char *text;
        uint32_t crc32, crc32c;
        uint64_t crc64nvme;
    } rows[] = {
        {"", 0, 0, 0},
        {"123456789", 0xcbf43926, 0xe3069283, 0xae8b14860a799888},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = strlen(rows[i].text);
        assert_int_equal(crc32_update(0, rows[i].text, n), rows[i].crc32);
        assert_int_equal(crc32c_update(0, rows[i].text, n), rows[i].crc32c);
        assert_true(crc64nvme_update(0, rows[i].text, n) == rows[i].crc64nvme);
    }
}

struct values {
    uint32_t a, b;
    uint64_t c;
};

static struct values all(struct values v, const uint8_t *p, size_t n)
{
    return (struct values){crc32_update(v.a, p, n), crc32c_update(v.b, p, n),
                           crc64nvme_update(v.c, p, n)};
}

static void assert_same(struct values x, struct values y)
{
    assert_int_equal(x.a, y.a);
    assert_int_equal(x.b, y.b);
    assert_true(x.c == y.c);
}

static void test_hardware_is_tables(void **state)
{
    for (size_t n = 0; n < 1200; n += n < 300 ? 1 : 37) {
        crc_force_tables(true);
        struct values slow = all((struct values){0}, data + n % 16, n);
        crc_force_tables(false);
        assert_same(all((struct values){0}, data + n % 16, n), slow);
    }
}

static void test_pieces(void **state)
{
    struct values whole = all((struct values){0}, data, 5000);
    for (size_t cut = 0; cut <= 5000; cut += 113)
        assert_same(all(all((struct values){0}, data, cut), data + cut, 5000 - cut), whole);
}

static void test_combine(void **state)
{
    struct values whole = all((struct values){0}, data, sizeof(data));
    static const size_t cuts[] = {0, 1, 7, 4096, 65536, sizeof(data) - 1, sizeof(data)};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        size_t n = sizeof(data) - cuts[i];
        struct values a = all((struct values){0}, data, cuts[i]);
        struct values b = all((struct values){0}, data + cuts[i], n);
        assert_same((struct values){crc32_combine_parts(a.a, b.a, n),
                                    crc32c_combine_parts(a.b, b.b, n),
                                    crc64nvme_combine_parts(a.c, b.c, n)},
                    whole);
    }
}

int main(void)
{
    fill();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_hardware_is_tables),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_combine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
