/* Growable buffers: growth, maximum, sticky errors, failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"

static void test_appends(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(buf_str(&b).len, 0);
    assert_non_null(buf_str(&b).p);
    BUF_ADD_LIT(&b, "a");
    buf_add(&b, NULL, 0);
    buf_add_str(&b, STR_NONE);
    buf_add_c(&b, "bc");
    buf_add_byte(&b, '-');
    buf_add_fmt(&b, "%s:%d", "x", 7);
    buf_add_byte(&b, ' ');
    buf_add_i64(&b, INT64_MIN);
    buf_add_byte(&b, ' ');
    buf_add_u64(&b, UINT64_MAX);
    buf_add_i64(&b, 0);
    assert_int_equal(buf_err(&b), ERR_OK);
    assert_true(str_eq_c(buf_str(&b), "abc-x:7 -9223372036854775808 184467440737095516150"));
    buf_drop_front(&b, 4);
    assert_true(str_starts(buf_str(&b), STR("x:7")));
    buf_drop_front(&b, 1000);
    assert_int_equal(b.len, 0);
    buf_release(&b);
    buf_release(&b);
}

static void test_maximum(void **state)
{
    struct buf b;
    buf_init(&b, 10);
    buf_add_c(&b, "0123456789");
    assert_int_equal(buf_err(&b), ERR_OK);
    buf_add_byte(&b, 'x');
    assert_int_equal(buf_err(&b), ERR_LIMIT);
    buf_add(&b, "", 0); /* sticky */
    assert_int_equal(buf_err(&b), ERR_LIMIT);
    assert_int_equal(b.len, 10);
    buf_clear(&b);
    buf_add_c(&b, "again");
    assert_int_equal(buf_err(&b), ERR_OK);
    assert_true(str_eq_c(buf_str(&b), "again"));
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_int_equal(buf_err(&b), ERR_LIMIT);
    buf_release(&b);
    buf_init(&b, 0);
    buf_add_byte(&b, 'x');
    assert_int_equal(buf_err(&b), ERR_LIMIT);
    buf_release(&b);
}

/* Text that fills the buffer to its maximum exactly: no byte is needed beyond it. */
static void test_format_at_the_maximum(void **state)
{
    struct buf b;
    buf_init(&b, 6);
    buf_add_fmt(&b, "%s", "12345");
    assert_int_equal(buf_err(&b), ERR_OK);
    assert_true(str_eq_c(buf_str(&b), "12345"));
    buf_release(&b);
}

static void test_growth(void **state)
{
    struct buf b;
    buf_init(&b, 100000);
    for (int i = 0; i < 100000; i++)
        buf_add_byte(&b, (char)i);
    assert_int_equal(buf_err(&b), ERR_OK);
    assert_int_equal(b.len, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal((unsigned char)b.p[i], (unsigned char)i);
    char *p = buf_reserve(&b, 0);
    assert_non_null(p);
    buf_release(&b);
}

static void test_in_arena(void **state)
{
    struct arena a;
    struct buf b;
    arena_init(&a, 4096);
    buf_init_arena(&b, &a, 100000);
    for (int i = 0; i < 1000; i++)
        buf_add_byte(&b, 'x');
    assert_int_equal(buf_err(&b), ERR_OK);
    for (int i = 0; i < 4000; i++)
        buf_add_byte(&b, 'x');
    assert_int_equal(buf_err(&b), ERR_NOMEM);
    assert_true(b.len >= 1000);
    buf_release(&b);
    arena_release(&a);
}

static void test_failing_allocations(void **state)
{
    struct buf b;
    buf_init(&b, 100000);
    mem_fail_after(1);
    buf_add_c(&b, "abc");
    mem_fail_after(0);
    assert_int_equal(buf_err(&b), ERR_NOMEM);
    buf_clear(&b);
    buf_add_c(&b, "abc");
    mem_fail_after(1);
    for (int i = 0; i < 1000; i++)
        buf_add_byte(&b, 'x');
    mem_fail_after(0);
    assert_int_equal(buf_err(&b), ERR_NOMEM);
    assert_true(str_starts(buf_str(&b), STR("abcx")));
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_format_at_the_maximum),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_in_arena),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
