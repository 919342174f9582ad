/* Arena: alignment, limit, cleanups, reuse, failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"

static int cleaned[8];
static int n_cleaned;

static void note(void *arg)
{
    cleaned[n_cleaned++] = (int)(intptr_t)arg;
}

static void test_alignment_and_contents(void **state)
{
    struct arena a;
    char *blocks[300];
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        size_t size = i * 7 % 257;
        blocks[i] = arena_alloc(&a, size);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % ARENA_ALIGN, 0);
        memset(blocks[i], (int)i, size);
    }
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        for (size_t k = 0; k < i * 7 % 257; k++)
            assert_int_equal((unsigned char)blocks[i][k], (unsigned char)i);
    arena_release(&a);
    arena_release(&a); /* harmless */
}

/* Objects around the chunk size and half of it, where they get chunks of their own. */
static void test_sizes_around_the_chunk(void **state)
{
    static const size_t sizes[] = {
        ARENA_CHUNK_BYTES / 2 - 32,
        ARENA_CHUNK_BYTES / 2,
        ARENA_CHUNK_BYTES - 64,
        ARENA_CHUNK_BYTES,
        ARENA_CHUNK_BYTES + 1,
        10 * ARENA_CHUNK_BYTES,
        1,
        0,
    };
    for (size_t first = 0; first < ARRAY_LEN(sizes); first++) {
        struct arena a;
        arena_init(&a, 1 << 20);
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            size_t size = sizes[(first + i) % ARRAY_LEN(sizes)];
            char *p = arena_alloc(&a, size);
            assert_non_null(p);
            memset(p, 'x', size);
        }
        arena_release(&a);
    }
}

static void test_limit(void **state)
{
    struct arena a;
    arena_init(&a, 100);
    assert_non_null(arena_alloc(&a, 60));
    assert_false(a.failed);
    assert_null(arena_alloc(&a, 41));
    assert_non_null(arena_alloc(&a, 40));
    assert_true(a.failed); /* A4: what worked afterwards does not hide it */
    assert_null(arena_alloc(&a, 1));
    assert_non_null(arena_alloc(&a, 0));
    arena_clear(&a);
    assert_false(a.failed);
    assert_non_null(arena_alloc(&a, 100));
    arena_release(&a);
}

static void test_overflow(void **state)
{
    struct arena a;
    arena_init(&a, SIZE_MAX);
    assert_null(arena_calloc(&a, SIZE_MAX / 2, 3));
    assert_null(arena_memdup(&a, "x", SIZE_MAX));
    /* Sizes whose rounding or header would wrap; volatile, or the compiler refuses them itself. */
    static const size_t from_top[] = {0, 8, 40};
    for (size_t i = 0; i < ARRAY_LEN(from_top); i++) {
        volatile size_t size = SIZE_MAX - from_top[i];
        assert_null(arena_alloc(&a, size));
    }
    arena_release(&a);
}

static void test_cleanups(void **state)
{
    struct arena a;
    n_cleaned = 0;
    arena_init(&a, 1 << 16);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(arena_on_release(&a, note, (void *)(intptr_t)i), ERR_OK);
    arena_clear(&a);
    assert_int_equal(n_cleaned, 3);
    assert_int_equal(cleaned[0], 3);
    assert_int_equal(cleaned[2], 1);
    arena_clear(&a);
    assert_int_equal(n_cleaned, 3); /* once */
    assert_int_equal(arena_on_release(&a, note, (void *)9), ERR_OK);
    arena_release(&a);
    assert_int_equal(cleaned[3], 9);
}

static void test_steady_state_allocates_nothing(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    assert_non_null(arena_alloc(&a, 100));
    arena_clear(&a);
    mem_fail_after(0);
    for (int i = 0; i < 100; i++) {
        assert_non_null(arena_alloc(&a, 3000));
        assert_non_null(arena_alloc(&a, 3000));
        arena_clear(&a);
    }
    assert_int_equal(mem_allocations(), 0);
    arena_release(&a);
}

static void test_failing_allocations(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    mem_fail_after(1);
    assert_null(arena_alloc(&a, 10));
    mem_fail_after(1);
    assert_null(arena_memdup(&a, "abc", 3));
    mem_fail_after(1);
    assert_int_equal(arena_on_release(&a, note, NULL), ERR_NOMEM);
    mem_fail_after(0);
    n_cleaned = 0;
    char *p = arena_memdup(&a, "abc", 3);
    assert_string_equal(p, "abc");
    mem_fail_after(1);
    assert_null(arena_alloc(&a, ARENA_CHUNK_BYTES * 2));
    mem_fail_after(0);
    assert_string_equal(p, "abc");
    int *zeroed = ARENA_ARRAY(&a, int, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeroed[i], 0);
    arena_release(&a);
    assert_int_equal(n_cleaned, 0);
}

static void test_growing(void **state)
{
    struct arena a;
    int *v = NULL;
    size_t cap = 0;
    arena_init(&a, 1 << 20);
    for (size_t n = 0; n < 1000; n++) {
        assert_int_equal(ARENA_GROW(&a, v, n, cap, 3), ERR_OK);
        assert_true(n < cap);
        assert_int_equal(v[n], 0);
        v[n] = (int)n + 1;
    }
    assert_int_equal(cap, 3 * 512);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(v[i], (int)i + 1);
    arena_release(&a);

    /* At the limit all stays as it was. */
    arena_init(&a, 3 * sizeof(int));
    v = NULL;
    cap = 0;
    assert_int_equal(ARENA_GROW(&a, v, 0, cap, 2), ERR_OK);
    v[0] = 7;
    const int *before = v;
    assert_int_equal(ARENA_GROW(&a, v, 2, cap, 2), ERR_NOMEM);
    assert_ptr_equal(v, before);
    assert_int_equal(v[0], 7);
    assert_int_equal(cap, 2);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment_and_contents),
        cmocka_unit_test(test_sizes_around_the_chunk),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_growing),
        cmocka_unit_test(test_cleanups),
        cmocka_unit_test(test_steady_state_allocates_nothing),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
