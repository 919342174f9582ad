/* Which interpreter a runtime's name leads to: runtimes.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sandbox/runtimes.h"
#include "sandbox/sandbox.h"

static char data[] = "/tmp/weir-test-interpreters-XXXXXX";
static char given[2][256];
static const char *givens[] = {given[0], given[1]};

static void program(const char *below)
{
    char path[512];
    for (size_t i = 1; below[i]; i++)
        if (below[i] == '/') {
            snprintf(path, sizeof path, "%s/%.*s", data, (int)i, below);
            (void)mkdir(path, 0755);
        }
    snprintf(path, sizeof path, "%s/%s", data, below);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(chmod(path, 0755), 0);
}

/* Versions that no machine has, so that what is installed here changes nothing. */
static int setup(void **state)
{
    assert_non_null(mkdtemp(data));
    program("runtimes/nodejs901.x/bin/node");
    program("runtimes/python3.901/bin/python3.901");
    program("runtimes/python3.905/bin/python3.905");
    program("runtimes/python3.907/bin/other");
    program("elsewhere/bin/py");
    snprintf(given[0], sizeof given[0], "python3.905=%s/elsewhere/bin/py", data);
    snprintf(given[1], sizeof given[1], "nodejs903.x=%s/elsewhere/bin/py", data);
    return 0;
}

static int teardown(void **state)
{
    return sandbox_remove_tree(data) == ERR_OK ? 0 : -1;
}

static void test_find(void **state)
{
    static const struct {
        const char *asked;
        bool substitutes;
        const char *found, *prefix, *from; /* found NULL: none */
    } rows[] = {
        {"python3.901", false, "python3.901", "runtimes/python3.901", "weir runtime add"},
        {"nodejs901.x", false, "nodejs901.x", "runtimes/nodejs901.x", "weir runtime add"},
        {"python3.905", false, "python3.905", "elsewhere", "--runtime"}, /* before what was added */
        {"python3.902", false, NULL, NULL, NULL},
        {"python3.902", true, "python3.905", "elsewhere", "--runtime"},
        {"python3.900", true, "python3.901", "runtimes/python3.901", "weir runtime add"},
        {"nodejs902.x", true, "nodejs903.x", "elsewhere", "--runtime"},
        {"python3.906", true, NULL, NULL, NULL},  /* never an older one */
        {"python3.907", false, NULL, NULL, NULL}, /* a folder without the program */
        {"nodejs904.x", true, NULL, NULL, NULL},
        {"nodejs901", false, NULL, NULL, NULL},
        {"nodejs.x", false, NULL, NULL, NULL},
        {"python3.", false, NULL, NULL, NULL},
        {"python3.901x", true, NULL, NULL, NULL},
        {"provided.al2023", true, NULL, NULL, NULL},
    };
    const struct runtime_places places = {str_c(data), givens, ARRAY_LEN(givens)};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct runtime_found found;
        char prefix[512];
        print_message("row: %s\n", rows[i].asked);
        enum err err =
            sandbox_runtimes_find(&places, str_c(rows[i].asked), rows[i].substitutes, &found);
        assert_int_equal(err, rows[i].found ? ERR_OK : ERR_NOT_FOUND);
        if (!rows[i].found)
            continue;
        snprintf(prefix, sizeof prefix, "%s/%s", data, rows[i].prefix);
        assert_string_equal(found.name, rows[i].found);
        assert_string_equal(found.prefix, prefix);
        assert_string_equal(found.from, rows[i].from);
    }
}

static void test_given(void **state)
{
    assert_true(sandbox_runtimes_given_valid("python3.12=/bin/sh"));
    assert_false(sandbox_runtimes_given_valid("python3.12"));
    assert_false(sandbox_runtimes_given_valid("python3.12="));
    assert_false(sandbox_runtimes_given_valid("ruby3.3=/bin/sh"));
    assert_false(sandbox_runtimes_given_valid("python3.12=/nowhere/python"));
}

/* What functions may be shown of a machine: a prefix, and no home or Weir's own data in it. */
static void test_shown(void **state)
{
    static const struct {
        const char *program;
        bool valid;
    } rows[] = {
        {"elsewhere/bin/py", true}, {"home/lang/bin/py", true},
        {"home/bin/py", false}, /* the home itself */
        {"bin/py", false},      /* the folder that has it */
        {"elsewhere/py", false},
    };
    char text[512], home[512];
    const char *before = getenv("HOME");
    snprintf(home, sizeof home, "%s/home", data);
    setenv("HOME", home, 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        program(rows[i].program);
        snprintf(text, sizeof text, "python3.908=%s/%s", data, rows[i].program);
        print_message("row: %s\n", rows[i].program);
        assert_int_equal(sandbox_runtimes_given_valid(text), rows[i].valid);
    }
    if (before)
        setenv("HOME", before, 1);
    else
        unsetenv("HOME");
    snprintf(text, sizeof text, "python3.908=%s/missing", data);
    assert_false(sandbox_runtimes_given_valid(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_shown),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
