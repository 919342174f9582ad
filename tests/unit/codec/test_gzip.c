/* gzip.h: both directions, damage, bombs, limits at the edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/mem.h"
#include "codec/gzip.h"

enum { BIG = 8 * 1024 * 1024 };

static struct buf packed(struct str plain)
{
    struct buf b;
    buf_init(&b, BIG);
    assert_int_equal(gzip_pack(plain, &b), ERR_OK);
    return b;
}

static void test_round(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 4095, 4096, 4097, 300000};
    char *text = malloc(300000);
    for (size_t i = 0; i < 300000; i++)
        text[i] = (char)("abcdefgh"[i * i % 7] + i / 999 % 3);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct buf p = packed(str_n(text, sizes[i])), out;
        buf_init(&out, sizes[i] + 1);
        assert_int_equal(gzip_unpack(buf_str(&p), &out), ERR_OK);
        assert_int_equal(out.len, sizes[i]);
        assert_memory_equal(out.len ? out.p : "", text, out.len);
        buf_release(&out);
        /* Two members are one text. */
        size_t one = p.len;
        buf_init(&out, 2 * sizes[i] + 1);
        if (sizes[i] > 0 && one < 1000) {
            char *twice = malloc(2 * one);
            memcpy(twice, p.p, one);
            memcpy(twice + one, p.p, one);
            assert_int_equal(gzip_unpack(str_n(twice, 2 * one), &out), ERR_OK);
            assert_int_equal(out.len, 2 * sizes[i]);
            free(twice);
        }
        buf_release(&out);
        buf_release(&p);
    }
    free(text);
}

/* As small as zlib makes it: a thousandth. */
static struct buf bomb(struct str plain)
{
    struct buf b;
    z_stream z = {0};
    buf_init(&b, BIG);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)plain.p;
    z.avail_in = (uInt)plain.len;
    z.next_out = (Bytef *)buf_reserve(&b, 1 << 20);
    z.avail_out = 1 << 20;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_grew(&b, z.total_out);
    deflateEnd(&z);
    return b;
}

/* Every cut and every flipped byte is noticed, but in fields of the head that carry nothing. */
static void test_damage(void **state)
{
    struct buf p = packed(STR("hello hello hello hello, this is a text of some length")), out;
    for (size_t i = 0; i < p.len; i++) {
        buf_init(&out, 1000);
        assert_int_equal(gzip_unpack(str_n(p.p, i), &out), ERR_INVALID);
        buf_release(&out);
        if (i >= 4 && i < 10) /* time, flags of speed, system */
            continue;
        p.p[i] ^= 0x55;
        buf_init(&out, 1000);
        enum err e = gzip_unpack(buf_str(&p), &out);
        assert_true(e == ERR_INVALID || e == ERR_LIMIT);
        buf_release(&out);
        p.p[i] ^= 0x55;
    }
    buf_add_byte(&p, 'x');
    buf_init(&out, 1000);
    assert_int_equal(gzip_unpack(buf_str(&p), &out), ERR_INVALID);
    buf_release(&out);
    buf_release(&p);
}

static void test_limits(void **state)
{
    char *zeros = calloc(1, BIG);
    struct buf out, p = packed(str_n(zeros, 1000));
    buf_init(&out, 999);
    assert_int_equal(gzip_unpack(buf_str(&p), &out), ERR_LIMIT);
    buf_release(&out);
    buf_release(&p);
    p = packed(str_n(zeros, GZIP_RATIO_FREE)); /* small enough to be let through */
    buf_init(&out, BIG + 1);
    assert_int_equal(gzip_unpack(buf_str(&p), &out), ERR_OK);
    buf_release(&out);
    buf_release(&p);
    p = bomb(str_n(zeros, BIG)); /* stopped long before its end */
    buf_init(&out, 2 * BIG);
    assert_int_equal(gzip_unpack(buf_str(&p), &out), ERR_LIMIT);
    assert_true(out.len < BIG / 2);
    buf_release(&out);
    buf_release(&p);
    free(zeros);
}

static void test_no_memory(void **state)
{
    struct buf p = packed(STR("some text, some text")), out;
    for (uint64_t n = 1; n < 8; n++) {
        buf_init(&out, 1000);
        mem_fail_after(n);
        enum err e = gzip_unpack(buf_str(&p), &out);
        bool failed = mem_allocations() >= n;
        mem_fail_after(0);
        assert_int_equal(e, failed ? ERR_NOMEM : ERR_OK);
        buf_release(&out);
    }
    buf_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
