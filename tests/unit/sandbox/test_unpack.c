/* Packages: what unpacks, what is refused, and that nothing is ever written outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zip.h>

#include "sandbox/sandbox.h"

struct entry {
    const char *name, *text; /* text NULL: a folder */
    unsigned mode;           /* 0: no Unix attributes */
};

static char dir[64], *bytes;
static struct sandbox_unpack_limits limits = {.bytes_max = 1 << 20, .files_max = 8};

/* The archive of `n` entries in `bytes`. */
static struct str make(const struct entry *entries, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s.zip", dir);
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    assert_non_null(z);
    for (size_t i = 0; i < n; i++) {
        zip_int64_t at;
        if (entries[i].text) {
            zip_source_t *s = zip_source_buffer(z, entries[i].text, strlen(entries[i].text), 0);
            at = zip_file_add(z, entries[i].name, s, 0);
        } else {
            at = zip_dir_add(z, entries[i].name, 0);
        }
        assert_true(at >= 0);
        if (entries[i].mode)
            zip_file_set_external_attributes(z, (zip_uint64_t)at, 0, ZIP_OPSYS_UNIX,
                                             entries[i].mode << 16);
    }
    assert_int_equal(zip_close(z), 0);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    bytes = realloc(bytes, 1 << 20);
    size_t len = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    unlink(path);
    return str_n(bytes, len);
}

static void begin(void)
{
    strcpy(dir, "/tmp/weir-test-unpack-XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static void finish(void)
{
    struct stat st;
    assert_int_equal(sandbox_remove_tree(dir), ERR_OK);
    assert_int_equal(stat(dir, &st), -1);
    assert_int_equal(sandbox_remove_tree(dir), ERR_OK);
}

static void test_good(void **state)
{
    static const struct entry entries[] = {
        {"bootstrap", "#!/bin/sh\n", 0100755},
        {"lib/deep/a.txt", "a", 0100644},
        {"empty/", NULL, 040755},
        {"plain", "", 0},
        {"lib/link", "deep/a.txt", 0120777},
        {"lib/deep/up", "../deep", 0120777},
    };
    struct stat st;
    struct sandbox_unpacked got = {0};
    char path[128];
    begin();
    struct str zip = make(entries, ARRAY_LEN(entries));
    assert_int_equal(sandbox_unpack_zip(zip, dir, &limits, &got), ERR_OK);
    snprintf(path, sizeof path, "%s/bootstrap", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    snprintf(path, sizeof path, "%s/lib/link", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(st.st_size, 1);
    snprintf(path, sizeof path, "%s/empty", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    finish();
}

static void test_refused(void **state)
{
    static const struct {
        const char *name;
        struct entry entries[3];
        enum err err;
    } rows[] = {
        {"climbs", {{"../x", "1", 0}}, ERR_INVALID},
        {"climbs inside", {{"a/../../x", "1", 0}}, ERR_INVALID},
        {"absolute", {{"/tmp/weir-escaped", "1", 0}}, ERR_INVALID},
        {"dots at the end", {{"a/..", "1", 0}}, ERR_INVALID},
        {"backslash", {{"..\\x", "1", 0}}, ERR_INVALID},
        {"empty part", {{"a//b", "1", 0}}, ERR_INVALID},
        {"link up", {{"l", "../x", 0120777}}, ERR_INVALID},
        {"link absolute", {{"l", "/etc/passwd", 0120777}}, ERR_INVALID},
        {"link down and up", {{"l", "a/../../x", 0120777}}, ERR_INVALID},
        {"empty link", {{"l", "", 0120777}}, ERR_INVALID},
        {"file as folder", {{"a", "1", 0}, {"a/b", "1", 0}}, ERR_INVALID},
        {"device", {{"dev", "", 020666}}, ERR_INVALID},
        {"fifo", {{"fifo", "", 010666}}, ERR_INVALID},
        {"too deep",
         {{"a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/"
           "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a",
           "1", 0}},
         ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sandbox_unpacked got = {0};
        size_t n = 0;
        while (n < 3 && rows[i].entries[n].name)
            n++;
        begin();
        struct str zip = make(rows[i].entries, n);
        enum err err = sandbox_unpack_zip(zip, dir, &limits, &got);
        if (err != rows[i].err || !got.why[0])
            fail_msg("%s: %s (%s)", rows[i].name, err_name(err), got.why);
        finish();
    }
    assert_int_equal(access("/tmp/weir-escaped", F_OK), -1);
}

static void test_limits(void **state)
{
    struct sandbox_unpacked got;
    static char zeros[(1 << 20) + 2];
    memset(zeros, '0', sizeof zeros - 1);
    struct entry one = {"big", zeros, 0};
    begin();
    struct str zip = make(&one, 1); /* a bomb: 1 MiB + 1 from about 1 KiB */
    assert_true(zip.len < 4096);
    assert_int_equal(sandbox_unpack_zip(zip, dir, &limits, &got), ERR_LIMIT);
    finish();
    zeros[1 << 20] = 0;
    begin();
    zip = make(&one, 1);
    assert_int_equal(sandbox_unpack_zip(zip, dir, &limits, &got), ERR_OK);
    finish();
    struct entry many[9];
    char names[9][16];
    for (int i = 0; i < 9; i++) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        many[i] = (struct entry){names[i], "1", 0};
    }
    begin();
    zip = make(many, 9);
    assert_int_equal(sandbox_unpack_zip(zip, dir, &limits, &got), ERR_LIMIT);
    finish();
    begin();
    zip = make(many, 8);
    assert_int_equal(sandbox_unpack_zip(zip, dir, &limits, &got), ERR_OK);
    finish();
}

static void test_garbage(void **state)
{
    static const struct entry entries[] = {{"bootstrap", "hello hello hello hello", 0100755}};
    struct sandbox_unpacked got;
    begin();
    assert_int_equal(sandbox_unpack_zip(STR(""), dir, &limits, &got), ERR_INVALID);
    assert_int_equal(sandbox_unpack_zip(STR("no zip"), dir, &limits, &got), ERR_INVALID);
    struct str zip = make(entries, 1);
    char *copy = malloc(zip.len);
    for (size_t i = 0; i < zip.len; i++) {
        /* Cut at every byte, and with every byte flipped: an error or a success, never more. */
        enum err err = sandbox_unpack_zip(str_sub(zip, 0, i), dir, &limits, &got);
        assert_int_equal(err, ERR_INVALID);
        memcpy(copy, zip.p, zip.len);
        copy[i] ^= 0x55;
        err = sandbox_unpack_zip(str_n(copy, zip.len), dir, &limits, &got);
        (void)err;
        finish();
        begin();
    }
    free(copy);
    finish();
}

static int free_bytes(void **state)
{
    free(bytes);
    return 0;
}

/* Unpacks the entries into a folder of their own below `dir`. */
static void unpack_at(const char *path, const struct entry *entries, size_t n)
{
    struct sandbox_unpacked got;
    struct str zip = make(entries, n);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(sandbox_unpack_zip(zip, path, &limits, &got), ERR_OK);
}

/* What a file holds, or a link leads to; "": of a folder; "-": it is not there. */
static const char *content(const char *below, const char *name)
{
    static char text[64];
    char path[192];
    snprintf(path, sizeof path, "%s/%s/%s", dir, below, name);
    ssize_t n = readlink(path, text, sizeof text - 1);
    if (n < 0) {
        FILE *f = fopen(path, "r");
        n = f ? (ssize_t)fread(text, 1, sizeof text - 1, f) : -1;
        if (f)
            fclose(f);
    }
    strcpy(text + (n < 0 ? 0 : n), n < 0 ? "-" : "");
    return text;
}

static void test_merge(void **state)
{
    static const struct entry one[] = {
        {"a", "1", 0100644},         {"both", "1", 0100644},   {"d/x", "1", 0100755},
        {"folder/in", "1", 0100644}, {"file", "1", 0100644},   {"link", "d", 0120777},
        {"to-link", "1", 0100644},   {"empty/", NULL, 040755},
    };
    static const struct entry two[] = {
        {"b", "2", 0100644},       {"both", "2", 0100644},    {"d/y", "2", 0100644},
        {"folder", "2", 0100644},  {"file/in", "2", 0100644}, {"link/z", "2", 0100644},
        {"to-link", "b", 0120777},
    };
    static const struct {
        const char *name, *content;
    } rows[] = {{"a", "1"},      {"b", "2"},      {"both", "2"},    {"d/x", "1"},
                {"d/y", "2"},    {"folder", "2"}, {"file", ""},     {"file/in", "2"},
                {"link/z", "2"}, {"d/z", "-"},    {"to-link", "b"}, {"c", "-"}};
    char from[2][128], to[128], path[160];
    struct stat st;
    begin();
    snprintf(from[0], sizeof from[0], "%s/one", dir);
    snprintf(from[1], sizeof from[1], "%s/two", dir);
    snprintf(to, sizeof to, "%s/to", dir);
    unpack_at(from[0], one, ARRAY_LEN(one));
    unpack_at(from[1], two, ARRAY_LEN(two));
    assert_int_equal(mkdir(to, 0755), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sandbox_merge_tree(from[i], to), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(content("to", rows[i].name), rows[i].content) != 0)
            fail_msg("%s: %s", rows[i].name, content("to", rows[i].name));
    assert_string_equal(content("one", "both"), "1"); /* the sources stay as they are */
    assert_string_equal(content("one", "folder/in"), "1");
    assert_string_equal(content("one", "link"), "d");
    snprintf(path, sizeof path, "%s/d/x", to);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_int_equal(st.st_nlink, 2); /* stored once */
    snprintf(path, sizeof path, "%s/empty", to);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(sandbox_merge_tree("/nowhere", to), ERR_IO);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_merge),
    };
    return cmocka_run_group_tests(tests, NULL, free_bytes);
}
