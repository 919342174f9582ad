/* The cache of parsed policies: found by text and kind, bounded, held past eviction, any thread,
 * and deciding as before when memory is short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "auth/policy_cache.h"
#include "base/mem.h"

#define ALLOW "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"
#define QUEUE                                                                                      \
    "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:*\",\"Resource\":"  \
    "\"*\"}}"

/* The n-th of any number of documents that all differ. */
static struct str document(struct arena *a, size_t n)
{
    struct str s = str_fmt(a,
                           "{\"Id\":\"%zu\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
                           "\"Resource\":\"*\"}}",
                           n);
    assert_true(str_is_set(s));
    return s;
}

static struct policy_cache_stats stats_of(struct policy_cache *c)
{
    struct policy_cache_stats s;
    policy_cache_stats(c, &s);
    return s;
}

static void test_found_by_text_and_kind(void **state)
{
    (void)state;
    struct policy_cache *c = policy_cache_new();
    struct arena a;
    const struct policy *first, *again, *other;
    arena_init(&a, 1 << 20);
    assert_int_equal(policy_cache_get(c, &a, POLICY_RESOURCE, STR(QUEUE), NULL, &first), ERR_OK);
    char copy[] = QUEUE; /* other memory, the same text */
    assert_int_equal(policy_cache_get(c, &a, POLICY_RESOURCE, str_c(copy), NULL, &again), ERR_OK);
    assert_ptr_equal(first, again);
    assert_int_equal(policy_cache_get(c, &a, POLICY_IDENTITY, STR(ALLOW), NULL, &other), ERR_OK);
    assert_ptr_not_equal(first, other);
    /* What is fine for one kind may be malformed for another: the kind is part of the address. */
    const char *why = NULL;
    assert_int_equal(policy_cache_get(c, &a, POLICY_RESOURCE, STR(ALLOW), &why, &other),
                     ERR_INVALID);
    assert_non_null(why);
    assert_int_equal(stats_of(c).n, 2);
    assert_int_equal(stats_of(c).hits, 1);
    arena_release(&a);
    policy_cache_free(c);
}

static void test_malformed_is_not_kept(void **state)
{
    (void)state;
    struct policy_cache *c = policy_cache_new();
    static const char *const bad[] = {"", "{", "[]", "{\"Statement\":[]}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct arena a;
        const struct policy *p;
        const char *why = NULL;
        arena_init(&a, 1 << 20);
        assert_int_equal(policy_cache_get(c, &a, POLICY_IDENTITY, str_c(bad[i]), &why, &p),
                         ERR_INVALID);
        assert_non_null(why);
        arena_release(&a);
    }
    assert_int_equal(stats_of(c).n, 0);
    policy_cache_free(c);
}

/* At the limit and one past it; and who holds the evicted entry goes on with it. */
static void test_bounded(void **state)
{
    (void)state;
    struct policy_cache *c = policy_cache_new();
    struct arena held, a;
    const struct policy *first, *p, *anew;
    arena_init(&held, 1 << 20);
    assert_int_equal(policy_cache_get(c, &held, POLICY_IDENTITY, document(&held, 0), NULL, &first),
                     ERR_OK);
    for (size_t i = 1; i <= POLICY_CACHE_MAX; i++) {
        arena_init(&a, 1 << 20);
        assert_int_equal(policy_cache_get(c, &a, POLICY_IDENTITY, document(&a, i), NULL, &p),
                         ERR_OK);
        arena_release(&a);
        assert_int_equal(stats_of(c).n, i < POLICY_CACHE_MAX ? i + 1 : POLICY_CACHE_MAX);
        assert_true(stats_of(c).bytes <= POLICY_CACHE_BYTES_MAX);
    }
    struct policy_context ctx;
    policy_context_init(&ctx, &held);
    struct policy_request req = {.action = STR("a:b"), .resource = STR("r"), .ctx = &ctx};
    assert_int_equal(policy_match(first, &req), POLICY_ALLOW);
    uint64_t misses = stats_of(c).misses;
    assert_int_equal(policy_cache_get(c, &held, POLICY_IDENTITY, document(&held, 0), NULL, &anew),
                     ERR_OK);
    assert_ptr_not_equal(first, anew);
    assert_int_equal(stats_of(c).misses, misses + 1);
    policy_cache_free(c); /* what is held outlives even the cache */
    assert_int_equal(policy_match(anew, &req), POLICY_ALLOW);
    arena_release(&held);
}

/* The least recently used goes first. */
static void test_recent_stays(void **state)
{
    (void)state;
    struct policy_cache *c = policy_cache_new();
    for (size_t i = 0; i < POLICY_CACHE_MAX + 100; i++) {
        struct arena a;
        const struct policy *p;
        arena_init(&a, 1 << 20);
        assert_int_equal(policy_cache_get(c, &a, POLICY_IDENTITY, STR(ALLOW), NULL, &p), ERR_OK);
        assert_int_equal(policy_cache_get(c, &a, POLICY_IDENTITY, document(&a, i), NULL, &p),
                         ERR_OK);
        arena_release(&a);
    }
    assert_int_equal(stats_of(c).hits, POLICY_CACHE_MAX + 99);
    policy_cache_free(c);
}

static void test_short_of_memory(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        struct policy_cache *c = policy_cache_new();
        struct arena a;
        const struct policy *p = NULL;
        arena_init(&a, 1 << 20);
        mem_fail_after(n);
        enum err e = policy_cache_get(c, &a, POLICY_RESOURCE, STR(QUEUE), NULL, &p);
        failed = mem_allocations() >= n;
        mem_fail_after(0);
        assert_true(e == ERR_OK ? p != NULL : e == ERR_NOMEM);
        policy_cache_free(c);
        arena_release(&a);
        assert_true(n < 100);
    }
    struct arena a;
    const struct policy *p;
    arena_init(&a, 1 << 20); /* no cache at all */
    assert_int_equal(policy_cache_get(NULL, &a, POLICY_RESOURCE, STR(QUEUE), NULL, &p), ERR_OK);
    arena_release(&a);
}

static void *worker(void *arg)
{
    for (size_t i = 0; i < 3000; i++) {
        struct arena a;
        const struct policy *p;
        arena_init(&a, 1 << 20);
        if (policy_cache_get(arg, &a, POLICY_IDENTITY, document(&a, i % 1100), NULL, &p) != ERR_OK)
            return arg;
        arena_release(&a);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct policy_cache *c = policy_cache_new();
    pthread_t t[3];
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, worker, c), 0);
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        void *failed;
        assert_int_equal(pthread_join(t[i], &failed), 0);
        assert_null(failed);
    }
    assert_true(stats_of(c).n <= POLICY_CACHE_MAX);
    policy_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_by_text_and_kind),
        cmocka_unit_test(test_malformed_is_not_kept),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_recent_stays),
        cmocka_unit_test(test_short_of_memory),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
