/* Pages: positions that survive what happens to their key, filters, limits, tokens that are bound
 * and cannot be made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/rng.h"
#include "codec/base64.h"
#include "core/core.h"
#include "core/page.h"
#include "core/txn_int.h"
#include "kv/drv_fault/kv_mem.h"

static const struct key_layout K_ITEM = {KEY_TEST, 9, "St"};
static const struct key_scope here = {STR_INIT("000000000000"), STR_INIT("eu-west-1")};

static struct kv_mem_disk *disk;
static struct core core;
static struct arena arena;
static struct txn txn;

static struct str name_of(int i)
{
    return str_fmt(&arena, "%03d", i);
}

static struct str key_of(int i)
{
    return key_make(&arena, &K_ITEM, here, name_of(i));
}

static int setup(void **state)
{
    disk = kv_mem_disk_new();
    core = (struct core){0};
    arena_init(&arena, 16 << 20);
    assert_int_equal(kv_mem_open(disk, false, &core.kv), ERR_OK);
    assert_int_equal(page_key_load(&core), ERR_OK);
    txn = (struct txn){.core = &core, .arena = &arena};
    assert_int_equal(txn_begin(&txn), ERR_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(txn_put(&txn, key_of(i), name_of(i)), ERR_OK);
    /* A neighbour on either side, which no page shows. */
    struct key_scope before = {here.account, STR("eu-west-0")}, after = {here.account, STR("x")};
    assert_int_equal(txn_put(&txn, key_make(&arena, &K_ITEM, before, STR("n")), STR("n")), ERR_OK);
    assert_int_equal(txn_put(&txn, key_make(&arena, &K_ITEM, after, STR("n")), STR("n")), ERR_OK);
    return 0;
}

static int teardown(void **state)
{
    txn_abort(&txn);
    arena_release(&arena);
    kv_close(core.kv);
    kv_mem_disk_free(disk);
    return 0;
}

static struct page_bind bound(const char *operation, const char *scope)
{
    return (struct page_bind){.core = &core,
                              .arena = &arena,
                              .operation = str_c(operation),
                              .account = here.account,
                              .region = here.region,
                              .scope = str_c(scope),
                              .now_ms = 1000};
}

static struct page page_of(struct str token, size_t limit)
{
    return (struct page){
        .bind = bound("List", "s"), .token = token, .limit = limit, .look_max = PAGE_LOOK_MAX};
}

struct names {
    int modulo; /* only multiples; 0: all */
    size_t bytes_max;
    char names[1024];
    size_t n;
};

static enum err match(void *arg, struct str key, struct str val, bool *ret_match)
{
    struct names *l = arg;
    int64_t i;
    TRY(str_to_i64(val, &i));
    *ret_match = l->modulo == 0 || i % l->modulo == 0;
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str val)
{
    struct names *l = arg;
    struct str name;
    if (l->bytes_max && l->n + val.len + 1 > l->bytes_max)
        return ERR_CLOSED;
    TRY(key_read(&K_ITEM, key, &arena, KEY_SKIP, &name));
    assert_true(str_eq(name, val));
    l->n += (size_t)snprintf(l->names + l->n, sizeof(l->names) - l->n, STR_FMT " ", STR_ARG(val));
    return ERR_OK;
}

static const struct page_fns all = {.take = take};
static const struct page_fns filtered = {match, take};

static struct key_range range(void)
{
    return key_range(&arena, &K_ITEM, here);
}

static enum err scan(struct page *page, const struct page_fns *fns, struct names *l)
{
    return page_scan(&txn, page, range(), fns, l);
}

/* Whole lists, in both directions, by every page size. */
static void test_pages_join(void **state)
{
    for (int reverse = 0; reverse < 2; reverse++) {
        for (size_t limit = 1; limit <= 101; limit += limit < 12 ? 1 : 44) {
            struct names l = {0};
            struct str token = STR_NONE;
            size_t pages = 0, n = 0;
            do {
                struct page page = page_of(token, limit);
                page.reverse = reverse;
                assert_int_equal(scan(&page, &all, &l), ERR_OK);
                token = page.next_token;
                n += page.n;
                pages++;
                assert_true(page.more == str_is_set(token));
            } while (str_is_set(token));
            assert_int_equal(n, 100);
            assert_int_equal(pages, (100 + limit - 1) / limit);
            assert_int_equal(l.n, 400);
            assert_memory_equal(l.names, reverse ? "099 098 " : "000 001 ", 8);
        }
    }
}

/* PG1: the key that the token names is gone, or has new neighbours. */
static void test_position_outlives_its_key(void **state)
{
    for (int reverse = 0; reverse < 2; reverse++) {
        struct names l = {0};
        struct page page = page_of(STR_NONE, 10);
        page.reverse = reverse;
        assert_int_equal(scan(&page, &all, &l), ERR_OK);
        int last = reverse ? 90 : 9, next = reverse ? 89 : 10;
        assert_int_equal(txn_del(&txn, key_of(last)), ERR_OK);
        assert_int_equal(txn_del(&txn, key_of(next)), ERR_OK);
        struct str between = key_make(&arena, &K_ITEM, here, STR("009x"));
        if (!reverse)
            assert_int_equal(txn_put(&txn, between, STR("009x")), ERR_OK);
        l.n = 0;
        page = page_of(page.next_token, 2);
        page.reverse = reverse;
        assert_int_equal(scan(&page, &all, &l), ERR_OK);
        assert_string_equal(l.names, reverse ? "088 087 " : "009x 011 ");
        assert_int_equal(txn_del(&txn, between), ERR_OK);
    }
}

/* A token exactly when another match follows. */
static void test_filter(void **state)
{
    struct names l = {.modulo = 30};
    struct page page = page_of(STR_NONE, 2);
    assert_int_equal(scan(&page, &filtered, &l), ERR_OK);
    assert_true(page.n == 2 && str_is_set(page.next_token));
    page = page_of(page.next_token, 2);
    assert_int_equal(scan(&page, &filtered, &l), ERR_OK);
    assert_true(page.n == 2 && !str_is_set(page.next_token) && !page.more);
    assert_string_equal(l.names, "000 030 060 090 ");
}

/* PG3: nothing matches, and yet every page ends and the list too. */
static void test_look_max(void **state)
{
    struct names l = {.modulo = 1000};
    struct str token = STR_NONE;
    size_t pages = 0;
    do {
        struct page page = page_of(token, 5);
        page.look_max = 10;
        assert_int_equal(scan(&page, &filtered, &l), ERR_OK);
        token = page.next_token;
        pages++;
    } while (str_is_set(token) && pages < 100);
    assert_string_equal(l.names, "000 ");
    assert_int_equal(pages, 10); /* 99 keys passed over, 10 a page */
}

/* The limit is reached, and what follows does not match for longer than the page looks. */
static void test_look_max_behind_a_full_page(void **state)
{
    struct names l = {.modulo = 50};
    struct page page = page_of(STR_NONE, 1);
    page.look_max = 10;
    assert_int_equal(scan(&page, &filtered, &l), ERR_OK);
    assert_true(page.n == 1 && page.more && str_is_set(page.next_token));
    size_t pages = 1;
    while (str_is_set(page.next_token) && pages++ < 100) {
        page = page_of(page.next_token, 1);
        page.look_max = 10;
        assert_int_equal(scan(&page, &filtered, &l), ERR_OK);
    }
    assert_string_equal(l.names, "000 050 ");
    assert_true(pages < 100);
}

static void test_a_page_that_is_full_in_bytes(void **state)
{
    struct names l = {.bytes_max = 10};
    struct page page = page_of(STR_NONE, 50);
    assert_int_equal(scan(&page, &all, &l), ERR_OK);
    assert_true(page.n == 2 && str_is_set(page.next_token));
    l.n = 0;
    page = page_of(page.next_token, 50);
    assert_int_equal(scan(&page, &all, &l), ERR_OK);
    assert_string_equal(l.names, "002 003 ");
}

static void test_plain_markers(void **state)
{
    struct names l = {0};
    struct page page = page_of(STR_NONE, 3);
    page.plain = true;
    page.after = key_of(41);
    assert_int_equal(scan(&page, &all, &l), ERR_OK);
    assert_string_equal(l.names, "042 043 044 ");
    assert_true(page.more && !str_is_set(page.next_token) && str_eq(page.last, key_of(44)));
}

static void test_lists_in_memory(void **state)
{
    struct page page = page_of(STR_NONE, 3);
    struct str after;
    assert_int_equal(page_start(&page, &after), ERR_OK);
    assert_false(str_is_set(after));
    assert_int_equal(page_end(&page, STR("gamma")), ERR_OK);
    page = page_of(page.next_token, 3);
    assert_int_equal(page_start(&page, &after), ERR_OK);
    assert_true(str_eq_c(after, "gamma"));
}

/* --- tokens ------------------------------------------------------------------------------------- */

static void test_token_is_bound(void **state)
{
    struct page_bind b = bound("List", "s");
    struct str token, again, position;
    assert_int_equal(page_seal(&b, STR("here"), &token), ERR_OK);
    assert_int_equal(page_seal(&b, STR("here"), &again), ERR_OK);
    assert_true(str_eq(token, again)); /* PG4 */
    assert_int_equal(page_open(&b, token, &position), ERR_OK);
    assert_true(str_eq_c(position, "here"));

    struct page_bind rows[6];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        rows[i] = b;
    rows[0].operation = STR("Lists");
    rows[1].scope = STR("t");
    rows[2].account = STR("111111111111");
    rows[3].region = STR("eu-west-2");
    rows[4].operation = STR("Lis"); /* the same bytes, cut at another place */
    rows[4].account = STR("t000000000000");
    rows[5].scope = STR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (page_open(&rows[i], token, &position) != ERR_INVALID)
            fail_msg("row %zu", i);
}

static void test_token_cannot_be_changed(void **state)
{
    struct page_bind b = bound("List", "s");
    struct str token, position;
    assert_int_equal(page_seal(&b, STR("here"), &token), ERR_OK);
    for (size_t i = 0; i < token.len; i++) {
        char *changed = arena_memdup(&arena, token.p, token.len);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(page_open(&b, str_n(changed, token.len), &position), ERR_INVALID);
        assert_int_equal(page_open(&b, str_n(changed, i), &position), ERR_INVALID);
    }
    static const struct str rows[] = {STR_INIT(""), STR_INIT("x"), STR_INIT("no token at all!"),
                                      STR_INIT("AQ"), STR_INIT("\0")};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(page_open(&b, rows[i], &position), ERR_INVALID);
    char *big = arena_calloc(&arena, 1, PAGE_TOKEN_BYTES_MAX + 1);
    memset(big, 'A', PAGE_TOKEN_BYTES_MAX + 1);
    assert_int_equal(page_open(&b, str_n(big, PAGE_TOKEN_BYTES_MAX + 1), &position), ERR_INVALID);
}

static void test_token_expires(void **state)
{
    struct page_bind b = bound("List", "s");
    struct str token, position;
    b.valid_ms = 500;
    assert_int_equal(page_seal(&b, STR("here"), &token), ERR_OK);
    b.now_ms = 1499;
    assert_int_equal(page_open(&b, token, &position), ERR_OK);
    b.now_ms = 1500;
    assert_int_equal(page_open(&b, token, &position), ERR_INVALID);
}

/* The longest key there can be still fits. */
static void test_longest_position(void **state)
{
    struct page_bind b = bound("List", "s");
    struct str token, position, key = str_n(arena_calloc(&arena, 1, KV_KEY_MAX), KV_KEY_MAX);
    assert_int_equal(page_seal(&b, key, &token), ERR_OK);
    assert_int_equal(page_open(&b, token, &position), ERR_OK);
    assert_true(str_eq(position, key));
}

/* Another process of the store, or the next start, opens the same tokens; another store does not. */
static void test_key_is_the_stores(void **state)
{
    struct page_bind b = bound("List", "s");
    struct str token, position;
    assert_int_equal(page_seal(&b, STR("here"), &token), ERR_OK);
    memset(core.page_key, 0, sizeof(core.page_key));
    assert_int_equal(page_open(&b, token, &position), ERR_INVALID);
    assert_int_equal(page_key_load(&core), ERR_OK);
    assert_int_equal(page_open(&b, token, &position), ERR_OK);
}

/* --- scans -------------------------------------------------------------------------------------- */

static enum err count_to_three(void *arg, struct str key, struct str val)
{
    return ++*(int *)arg == 3 ? ERR_CLOSED : ERR_OK;
}

static enum err not_found(void *arg, struct str key, struct str val)
{
    return ERR_NOT_FOUND;
}

static enum err last_of(void *arg, struct str key, struct str val)
{
    *(struct str *)arg = str_dup(&arena, val);
    return ERR_OK;
}

static void test_each(void **state)
{
    int n = 0;
    struct str last;
    assert_int_equal(txn_each(&txn, range(), count_to_three, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_int_equal(txn_each(&txn, range(), not_found, NULL), ERR_NOT_FOUND);
    assert_int_equal(txn_each(&txn, range(), last_of, &last), ERR_OK);
    assert_true(str_eq_c(last, "099"));
    assert_int_equal(txn_each_reverse(&txn, range(), last_of, &last), ERR_OK);
    assert_true(str_eq_c(last, "000"));
    struct key_range none = {STR_NONE, STR_NONE};
    assert_int_equal(txn_each(&txn, none, last_of, &last), ERR_NOMEM);
    struct page page = page_of(STR_NONE, 1);
    assert_int_equal(page_scan(&txn, &page, none, &all, NULL), ERR_NOMEM);
    assert_int_equal(txn_get(&txn, STR_NONE, &last), ERR_NOMEM);
    assert_int_equal(txn_put(&txn, STR_NONE, STR("x")), ERR_NOMEM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pages_join),
        TEST(test_position_outlives_its_key),
        TEST(test_filter),
        TEST(test_look_max),
        TEST(test_look_max_behind_a_full_page),
        TEST(test_a_page_that_is_full_in_bytes),
        TEST(test_plain_markers),
        TEST(test_lists_in_memory),
        TEST(test_token_is_bound),
        TEST(test_token_cannot_be_changed),
        TEST(test_token_expires),
        TEST(test_longest_position),
        TEST(test_key_is_the_stores),
        TEST(test_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
