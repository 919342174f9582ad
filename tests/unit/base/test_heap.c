/* Heap: order with ties, removal and moves from anywhere, failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/mem.h"

enum { NODES = 500 };

static void check_order(struct heap *h, size_t want)
{
    int64_t key = INT64_MIN;
    uint64_t tie = 0;
    size_t n = 0;
    for (struct heap_node *x; (x = heap_pop(h)) != NULL; n++) {
        assert_int_equal(x->index, 0);
        assert_true(x->key > key || (x->key == key && x->tie > tie));
        key = x->key;
        tie = x->tie;
    }
    assert_int_equal(n, want);
    assert_null(heap_peek(h));
}

static void test_order(void **state)
{
    static struct heap_node nodes[NODES];
    struct heap h;
    heap_init(&h);
    memset(nodes, 0, sizeof(nodes));
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].key = (int64_t)(i * 7919 % 37) - 18;
        nodes[i].tie = i + 1;
        assert_int_equal(heap_push(&h, &nodes[i]), ERR_OK);
    }
    check_order(&h, NODES);
    heap_release(&h);
}

static void test_remove_and_update(void **state)
{
    static struct heap_node nodes[NODES];
    struct heap h;
    size_t left = NODES;
    heap_init(&h);
    memset(nodes, 0, sizeof(nodes));
    heap_remove(&h, &nodes[0]); /* in no heap: harmless */
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].key = (int64_t)(i * 31 % 101);
        nodes[i].tie = i + 1;
        assert_int_equal(heap_push(&h, &nodes[i]), ERR_OK);
    }
    for (size_t i = 0; i < NODES; i += 3, left--)
        heap_remove(&h, &nodes[i]);
    for (size_t i = 1; i < NODES; i += 3)
        heap_update(&h, &nodes[i], (int64_t)(i * 17 % 211) - 100);
    for (size_t i = 0; i < h.n; i++)
        assert_int_equal(h.nodes[i]->index, i + 1);
    check_order(&h, left);
    heap_release(&h);
}

static void test_failing_allocations(void **state)
{
    static struct heap_node nodes[17];
    struct heap h;
    heap_init(&h);
    mem_fail_after(1);
    assert_int_equal(heap_push(&h, &nodes[0]), ERR_NOMEM);
    assert_int_equal(nodes[0].index, 0);
    mem_fail_after(0);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(heap_push(&h, &nodes[i]), ERR_OK);
    mem_fail_after(1);
    assert_int_equal(heap_push(&h, &nodes[16]), ERR_NOMEM);
    mem_fail_after(0);
    assert_int_equal(h.n, 16);
    heap_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_remove_and_update),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
