/* Files that are replaced whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

static char dir[] = "/tmp/weir-test-sys-XXXXXX";
static int synced;

static void expect(const char *text, mode_t mode)
{
    char path[PATH_MAX], got[64];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/f", dir);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, got, sizeof got);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(got, text, strlen(text));
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
    close(fd);
}

static int fails(const char *from, const char *to)
{
    errno = EXDEV;
    return -1;
}

static int is_full(int fd)
{
    errno = ENOSPC;
    return -1;
}

static int counts(int fd)
{
    synced++;
    return fsync(fd);
}

static void test_replaced(void **state)
{
    (void)state;
    mode_t before = umask(077);
    assert_int_equal(sys_replace_file(dir, "f", "one", 3, 0644, false), ERR_OK);
    expect("one", 0644);
    sys.fsync = counts;
    assert_int_equal(sys_replace_file(dir, "f", "second", 6, 0600, true), ERR_OK);
    assert_int_equal(synced, 2); /* the file, and its name */
    expect("second", 0600);
    sys_reset();
    umask(before);
}

static void test_not_replaced(void **state)
{
    char longest[PATH_MAX];
    (void)state;
    sys.rename = fails;
    assert_int_equal(sys_replace_file(dir, "f", "third", 5, 0600, true), ERR_IO);
    assert_int_equal(errno, EXDEV);
    sys_reset();
    sys.fsync = is_full;
    assert_int_equal(sys_replace_file(dir, "f", "third", 5, 0600, true), ERR_IO);
    assert_int_equal(errno, ENOSPC);
    sys_reset();
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(sys_replace_file(dir, longest, "third", 5, 0600, true), ERR_LIMIT);
    expect("second", 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_not_replaced),
    };
    char command[sizeof dir + 16];
    if (!mkdtemp(dir))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command) == 0 ? failed : 1;
}
