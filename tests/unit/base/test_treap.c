/* The ordered set against a sorted array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/treap.h"

enum { N = 500 };

struct item {
    struct treap_node node;
    char text[16];
    bool in;
};

static struct item items[N]; /* in order of text */

static struct str key_of(size_t i)
{
    return str_c(items[i].text);
}

/* Everything the tree answers for the key of item `i`, counted by hand. */
static void check(struct treap_node *root, size_t i)
{
    size_t less = 0, at = SIZE_MAX, after = SIZE_MAX;
    for (size_t k = 0; k < N; k++) {
        if (!items[k].in)
            continue;
        less += k < i;
        if (k >= i && at == SIZE_MAX)
            at = k;
        if (k > i && after == SIZE_MAX)
            after = k;
    }
    assert_int_equal(treap_rank(root, key_of(i), false), less);
    assert_ptr_equal(treap_first(root, key_of(i), false), at == SIZE_MAX ? NULL : &items[at].node);
    assert_ptr_equal(treap_first(root, key_of(i), true),
                     after == SIZE_MAX ? NULL : &items[after].node);
}

static void answers_as_a_sorted_array(void **state)
{
    struct treap_node *root = NULL;
    size_t n = 0;
    srand(7);
    for (size_t i = 0; i < N; i++)
        snprintf(items[i].text, sizeof(items[i].text), "k%04zu", i);
    for (size_t step = 0; step < 4 * N; step++) {
        struct item *it = &items[(size_t)rand() % N];
        if (it->in)
            treap_remove(&root, &it->node);
        else
            treap_insert(&root, &it->node, str_c(it->text));
        it->in = !it->in;
        n = it->in ? n + 1 : n - 1;
        assert_int_equal(root ? root->n : 0, n);
        if (step % 50 == 0)
            check(root, (size_t)rand() % N);
    }
    for (size_t i = 0; i < N; i++)
        check(root, i);
}

static void counts_prefixes(void **state)
{
    static const char *const keys[] = {"a", "ab", "ab/1", "ab/2", "ab/2/x", "ab0", "b"};
    struct treap_node nodes[ARRAY_LEN(keys)], *root = NULL;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        treap_insert(&root, &nodes[(i * 3) % ARRAY_LEN(keys)], str_c(keys[i]));
    static const struct {
        const char *prefix;
        size_t n;
    } cases[] = {{"", 7}, {"a", 6}, {"ab/", 3}, {"ab/2", 2}, {"b", 1}, {"c", 0}, {"aa", 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str p = str_c(cases[i].prefix);
        assert_int_equal(treap_rank(root, p, true) - treap_rank(root, p, false), cases[i].n);
    }
}

/* TR1: keys in order do not make a deep tree. */
static size_t depth(const struct treap_node *t)
{
    if (!t)
        return 0;
    size_t l = depth(t->left), r = depth(t->right);
    return 1 + (l > r ? l : r);
}

static void stays_shallow(void **state)
{
    enum { MANY = 20000, DEPTH_MAX = 80 };
    struct item *many = calloc(MANY, sizeof(*many));
    struct treap_node *root = NULL;
    assert_non_null(many);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(many[i].text, sizeof(many[i].text), "k%06zu", i);
        treap_insert(&root, &many[i].node, str_c(many[i].text));
    }
    assert_true(depth(root) < DEPTH_MAX);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_a_sorted_array),
        cmocka_unit_test(counts_prefixes),
        cmocka_unit_test(stays_shallow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
