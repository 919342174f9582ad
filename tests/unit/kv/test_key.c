/* Key encodings: order, round trips, malformed input. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kv/key.h"

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 16 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return 0;
}

static struct str text_key(struct str s)
{
    struct buf b;
    buf_init_arena(&b, &arena, 4096);
    key_start(&b, KEY_TEST, 1);
    key_text(&b, s);
    assert_int_equal(buf_err(&b), ERR_OK);
    return buf_str(&b);
}

static void test_text_order(void **state)
{
    static const struct str rows[] = {
        STR_INIT(""),       STR_INIT("\0"),    STR_INIT("\0\0"),   STR_INIT("\0\x01"),
        STR_INIT("\0\xff"), STR_INIT("\x01"),  STR_INIT("a"),      STR_INIT("a\0"),
        STR_INIT("a\0b"),   STR_INIT("a\x01"), STR_INIT("aa"),     STR_INIT("b"),
        STR_INIT("\xfe"),   STR_INIT("\xff"),  STR_INIT("\xff\0"), STR_INIT("\xff\xff"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str rest = str_sub(text_key(rows[i]), 2, 4096), got;
        assert_int_equal(key_read_text(&rest, &arena, &got), ERR_OK);
        assert_true(str_eq(got, rows[i]));
        assert_int_equal(rest.len, 0);
        for (size_t j = 0; j < ARRAY_LEN(rows); j++) {
            int cmp = str_cmp(text_key(rows[i]), text_key(rows[j]));
            assert_true(i < j ? cmp < 0 : i > j ? cmp > 0 : cmp == 0);
        }
    }
}

static void test_prefix_is_exact(void **state)
{
    struct buf b;
    buf_init_arena(&b, &arena, 4096);
    struct str a = text_key(STR("a")), after = key_after_prefix(&arena, a);
    key_start(&b, KEY_TEST, 1);
    key_text(&b, STR("a"));
    key_text(&b, STR("\xff\xff"));
    assert_true(str_cmp(buf_str(&b), a) > 0 && str_cmp(buf_str(&b), after) < 0);
    assert_true(str_cmp(text_key(STR("a\0")), after) >= 0);
    assert_true(str_cmp(text_key(STR("aa")), after) >= 0);
}

static void test_numbers(void **state)
{
    static const int64_t rows[] = {INT64_MIN, INT64_MIN + 1, -256, -255,          -1,       0,
                                   1,         255,           256,  INT64_MAX - 1, INT64_MAX};
    struct str last = STR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        buf_init_arena(&b, &arena, 64);
        key_start(&b, KEY_TEST, 9);
        key_i64(&b, rows[i]);
        key_u64(&b, (uint64_t)rows[i]);
        key_raw(&b, STR("tail"));
        struct str rest = buf_str(&b);
        assert_true(i == 0 || str_cmp(last, rest) < 0);
        last = rest;
        uint8_t space, table;
        int64_t v;
        uint64_t u;
        assert_int_equal(key_read_u8(&rest, &space), ERR_OK);
        assert_int_equal(key_read_u8(&rest, &table), ERR_OK);
        assert_int_equal(key_read_i64(&rest, &v), ERR_OK);
        assert_int_equal(key_read_u64(&rest, &u), ERR_OK);
        assert_true(space == KEY_TEST && table == 9 && v == rows[i] && u == (uint64_t)rows[i]);
        assert_true(str_eq_c(rest, "tail"));
    }
}

static void test_after_prefix(void **state)
{
    static const struct {
        struct str in, want;
    } rows[] = {
        {STR_INIT("a"), STR_INIT("b")},         {STR_INIT("a\xff"), STR_INIT("b")},
        {STR_INIT("a\xff\xff"), STR_INIT("b")}, {STR_INIT("\x7f"), STR_INIT("\x80")},
        {STR_INIT("a\0"), STR_INIT("a\x01")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_true(str_eq(key_after_prefix(&arena, rows[i].in), rows[i].want));
    assert_false(str_is_set(key_after_prefix(&arena, STR("\xff\xff"))));
    assert_false(str_is_set(key_after_prefix(&arena, STR(""))));
}

static void test_malformed(void **state)
{
    static const struct str rows[] = {
        STR_INIT(""),        STR_INIT("a"),           STR_INIT("a\0"),     STR_INIT("\0"),
        STR_INIT("a\0\x02"), STR_INIT("a\0\0\0\x01"), STR_INIT("a\0\xff"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str rest = rows[i], got;
        assert_int_equal(key_read_text(&rest, &arena, &got), ERR_CORRUPT);
        assert_true(rest.p == rows[i].p && rest.len == rows[i].len);
    }
    struct str rest = STR("1234567");
    uint64_t u;
    int64_t v;
    uint8_t b;
    assert_int_equal(key_read_u64(&rest, &u), ERR_CORRUPT);
    assert_int_equal(key_read_i64(&rest, &v), ERR_CORRUPT);
    rest = STR("");
    assert_int_equal(key_read_u8(&rest, &b), ERR_CORRUPT);
}

static void test_random_pairs(void **state)
{
    rng_seed(3);
    for (int i = 0; i < 20000; i++) {
        char a[6], b[6];
        struct str x = str_n(a, rng_below(7)), y = str_n(b, rng_below(7));
        static const char alphabet[] = {0, 1, 2, 'a', (char)0xfe, (char)0xff};
        for (int j = 0; j < 6; j++) {
            a[j] = alphabet[rng_below(6)];
            b[j] = alphabet[rng_below(6)];
        }
        int want = str_cmp(x, y), got = str_cmp(text_key(x), text_key(y));
        assert_true((want < 0) == (got < 0) && (want > 0) == (got > 0));
        if (i % 1000 == 0)
            arena_clear(&arena);
    }
    rng_seed(0);
}

/* --- layouts ------------------------------------------------------------------------------------ */

static const struct key_layout K_ALL = {KEY_TEST, 2, "Stuiwhb"};
static const struct key_layout K_RAW = {KEY_TEST, 3, "Ar"};
static const struct key_layout K_NAME = {KEY_TEST, 4, "St"};
static const struct key_layout K_ONE = {KEY_TEST, 5, ""};
static const struct key_scope here = {STR_INIT("000000000000"), STR_INIT("eu-west-1")};

/* The layout and the builder by hand give the same bytes: there is one encoding. */
static void test_layout_bytes(void **state)
{
    struct buf b;
    struct str name = STR("a\0b");
    buf_init_arena(&b, &arena, 4096);
    key_start(&b, KEY_TEST, 2);
    key_text(&b, here.account);
    key_text(&b, here.region);
    key_text(&b, name);
    key_u64(&b, 7);
    key_i64(&b, -7);
    key_raw(&b, STR("\x01\x02\x03\x04\x05\x06\x07"));
    struct str key = key_make(&arena, &K_ALL, here, name, (uint64_t)7, (int64_t)-7,
                              (uint32_t)0x01020304, (uint16_t)0x0506, (uint8_t)7);
    assert_true(str_eq(key, buf_str(&b)));

    struct key_scope scope;
    struct str got;
    uint64_t u;
    int64_t i;
    uint32_t w;
    uint16_t h;
    uint8_t c;
    assert_int_equal(key_read(&K_ALL, key, &arena, &scope, &got, &u, &i, &w, &h, &c), ERR_OK);
    assert_true(str_eq(scope.account, here.account) && str_eq(scope.region, here.region));
    assert_true(str_eq(got, name) && u == 7 && i == -7);
    assert_true(w == 0x01020304 && h == 0x0506 && c == 7);
    i = 0;
    assert_int_equal(key_read(&K_ALL, key, &arena, KEY_SKIP, KEY_SKIP, KEY_SKIP, &i, KEY_SKIP,
                              KEY_SKIP, KEY_SKIP),
                     ERR_OK);
    assert_true(i == -7);
}

static void test_layout_raw_and_parts(void **state)
{
    struct key_scope scope = here;
    struct str raw = STR("x\0y"), got;
    struct str key = key_make(&arena, &K_RAW, here, raw);
    assert_true(str_ends(key, raw));
    assert_int_equal(key_read(&K_RAW, key, &arena, &scope, &got), ERR_OK);
    assert_true(str_eq(got, raw) && str_eq(scope.account, here.account) && !scope.region.p);

    struct buf b;
    buf_init_arena(&b, &arena, 4096);
    key_put(&b, &K_RAW, here);
    key_raw(&b, raw);
    assert_true(str_eq(buf_str(&b), key));

    struct key_range all = key_range_table(&arena, &K_ONE);
    assert_true(str_eq(all.from, STR("\x7f\x05")) && str_eq(all.to, STR("\x7f\x06")));
    assert_true(str_eq(key_successor(&arena, STR("a")), STR("a\0")));
}

static bool in(struct key_range r, struct str key)
{
    return str_cmp(r.from, key) <= 0 && str_cmp(key, r.to) < 0;
}

static void test_layout_prefixes(void **state)
{
    struct key_scope other = {here.account, STR("eu-west-2")};
    struct key_range scope = key_range(&arena, &K_NAME, here);
    struct key_range starts = key_range(&arena, &K_NAME, here, KEY_STARTS(STR("ab")));
    struct key_range nul = key_range(&arena, &K_NAME, here, KEY_STARTS(STR("a\0")));
    static const struct {
        struct str name;
        bool starts, nul;
    } rows[] = {
        {STR_INIT("ab"), true, false},     {STR_INIT("abc"), true, false},
        {STR_INIT("ab\0"), true, false},   {STR_INIT("a"), false, false},
        {STR_INIT("ac"), false, false},    {STR_INIT("a\0"), false, true},
        {STR_INIT("a\0b"), false, true},   {STR_INIT(""), false, false},
        {STR_INIT("a\x01"), false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str key = key_make(&arena, &K_NAME, here, rows[i].name);
        assert_true(in(scope, key));
        assert_true(in(starts, key) == rows[i].starts);
        assert_true(in(nul, key) == rows[i].nul);
        assert_false(in(scope, key_make(&arena, &K_NAME, other, rows[i].name)));
    }
}

static void test_layout_malformed(void **state)
{
    struct str key = key_make(&arena, &K_NAME, here, STR("n")), got;
    struct key_scope scope;
    for (size_t n = 0; n < key.len; n++) {
        assert_int_equal(key_read(&K_NAME, str_sub(key, 0, n), &arena, &scope, &got), ERR_CORRUPT);
        assert_int_equal(key_read(&K_NAME, str_sub(key, 0, n), &arena, KEY_SKIP, KEY_SKIP),
                         ERR_CORRUPT);
    }
    assert_int_equal(key_read(&K_RAW, key, &arena, &scope, &got), ERR_CORRUPT); /* another table */
    char *more = arena_alloc(&arena, key.len + 1);
    memcpy(more, key.p, key.len);
    more[key.len] = 'x';
    assert_int_equal(key_read(&K_NAME, str_n(more, key.len + 1), &arena, &scope, &got),
                     ERR_CORRUPT);
    struct arena tight;
    arena_init(&tight, 16);
    assert_false(str_is_set(key_make(&tight, &K_NAME, here, STR("n"))));
    assert_false(str_is_set(key_range(&tight, &K_NAME, here).from));
    assert_int_equal(key_read(&K_NAME, key, &tight, &scope, &got), ERR_NOMEM);
    arena_release(&tight);
}

static void wrong_type(void)
{
    (void)key_make(&arena, &K_NAME, here, (uint64_t)1);
}
static void too_few(void)
{
    (void)key_make(&arena, &K_NAME, here);
}
static void too_many(void)
{
    (void)key_prefix(&arena, &K_NAME, here, STR("a"), STR("b"));
}
static void open_end(void)
{
    (void)key_make(&arena, &K_NAME, here, KEY_STARTS(STR("a")));
}
static void wrong_reader(void)
{
    uint64_t v;
    struct str key = key_make(&arena, &K_NAME, here, STR("a"));
    (void)!key_read(&K_NAME, key, &arena, KEY_SKIP, &v);
}

/* A wrong argument cannot pass (KL2). */
static void test_layout_wrong_arguments(void **state)
{
    static void (*const rows[])(void) = {wrong_type, too_few, too_many, open_end, wrong_reader};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            (void)!freopen("/dev/null", "w", stderr);
            signal(SIGABRT, SIG_DFL);
            rows[i]();
            _exit(0);
        }
        assert_true(waitpid(child, &status, 0) == child);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("row %zu passed", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_text_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prefix_is_exact, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_after_prefix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_pairs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_layout_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_layout_raw_and_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_layout_prefixes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_layout_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_layout_wrong_arguments, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
