/* Hash map against a plain array, removal runs, failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/mem.h"

enum { KEYS = 3000 };

static struct str key_of(char buf[16], int i)
{
    int n = snprintf(buf, 16, "key-%d", i);
    return str_n(buf, (size_t)n);
}

static void check(const struct map *m, const int *want)
{
    char buf[16];
    size_t n = 0;
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal((intptr_t)map_get(m, key_of(buf, i)), want[i]);
        n += want[i] != 0;
    }
    assert_int_equal(m->n, n);
    size_t it = 0, seen = 0;
    struct str key;
    void *value;
    while (map_next(m, &it, &key, &value)) {
        int i = atoi(key.p + 4);
        assert_int_equal((intptr_t)value, want[i]);
        assert_int_equal(key.p[key.len], '\0');
        seen++;
    }
    assert_int_equal(seen, n);
}

static void test_against_array(void **state)
{
    static int want[KEYS];
    struct map m;
    uint64_t r = 42;
    char buf[16];
    map_init(&m);
    assert_null(map_get(&m, STR("x")));
    assert_null(map_del(&m, STR("x")));
    for (int step = 1; step <= 20000; step++) {
        r = r * 6364136223846793005u + 1442695040888963407u;
        int i = (int)(r >> 33) % KEYS;
        void *old = (void *)(intptr_t)-1;
        if (r >> 63) {
            assert_int_equal(map_put(&m, key_of(buf, i), (void *)(intptr_t)step, &old), ERR_OK);
            assert_int_equal((intptr_t)old, want[i]);
            want[i] = step;
        } else {
            assert_int_equal((intptr_t)map_del(&m, key_of(buf, i)), want[i]);
            want[i] = 0;
        }
    }
    check(&m, want);
    for (int i = 0; i < KEYS; i++) {
        (void)map_del(&m, key_of(buf, i));
        want[i] = 0;
    }
    check(&m, want);
    map_release(&m);
}

static void test_odd_keys(void **state)
{
    struct map m;
    int a, b, c;
    map_init(&m);
    assert_int_equal(map_put(&m, STR_NONE, &a, NULL), ERR_OK);
    assert_int_equal(map_put(&m, str_n("\0", 1), &b, NULL), ERR_OK);
    assert_int_equal(map_put(&m, str_n("\0\0", 2), &c, NULL), ERR_OK);
    assert_ptr_equal(map_get(&m, STR("")), &a);
    assert_ptr_equal(map_get(&m, str_n("\0", 1)), &b);
    assert_ptr_equal(map_get(&m, str_n("\0\0", 2)), &c);
    map_release(&m);
}

static void test_failing_allocations(void **state)
{
    for (uint64_t fail = 1; fail < 60; fail++) {
        struct map m;
        char buf[16];
        int put = 0;
        map_init(&m);
        mem_fail_after(fail);
        for (int i = 0; i < 40; i++) {
            enum err err = map_put(&m, key_of(buf, i), &m, NULL);
            if (err != ERR_OK) {
                assert_int_equal(err, ERR_NOMEM);
                assert_null(map_get(&m, key_of(buf, i)));
                put--;
            }
            put++;
        }
        mem_fail_after(0);
        assert_int_equal(m.n, put);
        assert_true(put >= 39);
        map_release(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_array),
        cmocka_unit_test(test_odd_keys),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
