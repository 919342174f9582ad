/* Randomness, the system table, error names, lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sys.h"

static void test_seeded(void **state)
{
    unsigned char a[40], b[40];
    rng_seed(7);
    rng_bytes(a, sizeof(a));
    rng_seed(7);
    rng_bytes(b, sizeof(b));
    assert_memory_equal(a, b, sizeof(a));
    rng_seed(8);
    rng_bytes(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    rng_seed(0);
}

static void test_kernel(void **state)
{
    /* Sizes that cross the pool's edges; no two draws agree. */
    static unsigned char seen[64][32];
    for (size_t i = 0; i < 64; i++) {
        rng_bytes(seen[i], 32);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(seen[i], seen[k], 32);
    }
    unsigned char big[4096] = {0};
    unsigned zeros = 0;
    rng_bytes(big, sizeof(big));
    for (size_t i = 0; i < sizeof(big); i++)
        zeros += big[i] == 0;
    assert_true(zeros < 100);
}

static void test_below(void **state)
{
    unsigned counts[10] = {0};
    assert_int_equal(rng_below(1), 0);
    for (int i = 0; i < 10000; i++) {
        uint64_t v = rng_below(10);
        assert_true(v < 10);
        counts[v]++;
    }
    for (size_t i = 0; i < 10; i++)
        assert_true(counts[i] > 700 && counts[i] < 1300);
}

static void test_texts(void **state)
{
    char id[RNG_UUID_LEN + 1], text[33];
    for (int i = 0; i < 100; i++) {
        struct str s = rng_uuid(id);
        assert_int_equal(s.len, 36);
        assert_true(s.p[8] == '-' && s.p[13] == '-' && s.p[18] == '-' && s.p[23] == '-');
        assert_true(s.p[14] == '4' && strchr("89ab", s.p[19]) != NULL);
        assert_int_equal(strspn(id, "0123456789abcdef-"), 36);
    }
    rng_text(text, 32, "ab");
    assert_int_equal(strspn(text, "ab"), 32);
    assert_int_equal(strlen(text), 32);
}

/* --- system table ----------------------------------------------------------------------------- */

static int calls;

static ssize_t write_one_byte(int fd, const void *p, size_t len)
{
    if (++calls % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    return write(fd, p, len ? 1 : 0);
}

static ssize_t write_nothing(int fd, const void *p, size_t len)
{
    errno = ENOSPC;
    return -1;
}

static int fsync_fails(int fd)
{
    errno = EIO;
    return -1;
}

/* All letters come, about as often, whether or not they are a power of two. */
static void test_text_is_even(void **state)
{
    enum { LEN = 62 * 1000 };
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static char text[LEN + 1];
    size_t seen[256] = {0};
    rng_seed(3);
    rng_text(text, LEN, alphabet);
    rng_seed(0);
    assert_int_equal(strlen(text), LEN);
    for (size_t i = 0; i < LEN; i++)
        seen[(unsigned char)text[i]]++;
    for (const char *c = alphabet; *c; c++)
        assert_in_range(seen[(unsigned char)*c], 850, 1150);
}

static void test_sys(void **state)
{
    int fds[2];
    char got[32] = "";
    assert_int_equal(pipe(fds), 0);
    sys.write = write_one_byte;
    assert_int_equal(sys_write_all(fds[1], "short writes", 12), ERR_OK);
    sys.write = write_nothing;
    assert_int_equal(sys_write_all(fds[1], "x", 1), ERR_IO);
    assert_int_equal(sys_write_all(fds[1], "", 0), ERR_OK);
    sys_reset();
    assert_int_equal(read(fds[0], got, sizeof(got)), 12);
    assert_string_equal(got, "short writes");
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(sys_sync_dir("/tmp"), ERR_OK);
    assert_int_equal(sys_sync_dir("/nonexistent"), ERR_IO);
    sys.fsync = fsync_fails;
    assert_int_equal(sys_sync_dir("/tmp"), ERR_IO);
    sys_reset();
}

static void test_err_names(void **state)
{
    static const struct {
        enum err err;
        const char *name;
    } rows[] = {
        {ERR_OK, "ok"},       {ERR_NOMEM, "nomem"},     {ERR_NOT_FOUND, "not_found"},
        {ERR_LIMIT, "limit"}, {ERR_INVALID, "invalid"}, {ERR_SUSPENDED, "suspended"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(err_name(rows[i].err), rows[i].name);
}

static void test_log_levels(void **state)
{
    enum log_level level;
    assert_int_equal(log_level_parse(STR("debug"), &level), ERR_OK);
    assert_int_equal(level, LOG_DEBUG);
    assert_int_equal(log_level_parse(STR("error"), &level), ERR_OK);
    assert_int_equal(log_level_parse(STR("ERROR!"), &level), ERR_INVALID);
    assert_int_equal(log_level_parse(STR(""), &level), ERR_INVALID);
    assert_int_equal(level, LOG_ERROR);
    assert_false(log_enabled(LOG_DEBUG));
    assert_true(log_enabled(LOG_WARN));
}

/* What a log line holds never breaks out of its line. */
static void test_log_lines(void **state)
{
    char text[LOG_LINE_MAX * 2], long_text[LOG_LINE_MAX * 2];
    int fds[2];
    memset(long_text, 'x', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = '\0';
    assert_int_equal(pipe(fds), 0);
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0 && dup2(fds[1], STDERR_FILENO) >= 0);
    log_warn("test", "one \"two\"\nthree");
    log_warn("test", "%s", long_text);
    log_debug("test", "dropped");
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    close(fds[1]);
    size_t n = 0;
    for (ssize_t r; (r = read(fds[0], text + n, sizeof(text) - 1 - n)) > 0;)
        n += (size_t)r;
    close(fds[0]);
    text[n] = '\0';
    unsigned lines = 0;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    assert_int_equal(lines, 2);
    assert_true(n <= LOG_LINE_MAX + 200);
    assert_non_null(strstr(text, "level=warn area=test msg="));
    assert_null(strstr(text, "dropped"));
}

static void test_list(void **state)
{
    struct list head, e[3];
    list_init(&head);
    for (int i = 0; i < 3; i++) {
        list_init(&e[i]);
        assert_false(list_linked(&e[i]));
    }
    list_remove(&e[0]); /* harmless */
    list_push_back(&head, &e[0]);
    list_push_back(&head, &e[1]);
    list_push_front(&head, &e[2]);
    assert_true(list_linked(&e[1]));
    int n = 0;
    LIST_EACH_SAFE (&head, it, tmp) {
        n++;
        list_remove(it);
    }
    assert_int_equal(n, 3);
    assert_true(list_empty(&head));
    assert_null(list_pop_front(&head));
    list_push_back(&head, &e[0]);
    assert_ptr_equal(list_pop_front(&head), &e[0]);
    assert_false(list_linked(&e[0]));
}

static void test_mem_hook(void **state)
{
    mem_fail_after(2);
    void *a = mem_alloc(1), *b = mem_calloc(1, 1), *c = mem_alloc(0);
    assert_non_null(a);
    assert_null(b);
    assert_non_null(c); /* once */
    assert_int_equal(mem_allocations(), 3);
    mem_fail_after(1);
    assert_null(mem_realloc(a, 100));
    mem_fail_after(0);
    mem_free(a);
    mem_free(b);
    mem_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeded),       cmocka_unit_test(test_kernel),
        cmocka_unit_test(test_below),        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_text_is_even), cmocka_unit_test(test_sys),
        cmocka_unit_test(test_err_names),    cmocka_unit_test(test_log_levels),
        cmocka_unit_test(test_log_lines),    cmocka_unit_test(test_list),
        cmocka_unit_test(test_mem_hook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
