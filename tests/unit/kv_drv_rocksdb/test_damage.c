/* Damaged files: a store with one flipped bit, a cut or a missing file either refuses to open or has
 * every acknowledged write; check says so, and repair gives back what was before the damage. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sys.h"
#include "kv/drv_rocksdb/kv_rocksdb.h"

enum {
    WRITES = 700,
    VALUE_BYTES = 300,
    SMALL_BUFFER = 64 * 1024, /* so that there are tables and several logs, too */
    FLIPS = 30,
    FILES_MAX = 64,
    PATH_BYTES = 512,
};

static char root[] = "/tmp/weir-kv-XXXXXX";
static char whole[64], dir[64];
static struct arena arena;
static uint32_t seed = 1;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)seed * n) >> 32);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    return remove(path);
}

static void wipe(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void shell(const char *fmt, const char *a, const char *b)
{
    char command[2 * PATH_BYTES];
    snprintf(command, sizeof(command), fmt, a, b);
    assert_int_equal(system(command), 0);
}

/* --- a store that was killed -------------------------------------------------------------------- */

static int ack_fd;

static void acknowledge(struct kv_wait *wait, enum err err)
{
    char c = 1;
    if (err != ERR_OK || write(ack_fd, &c, 1) != 1)
        _exit(3);
}

/* Writes `n` keys, each acknowledged before the next, and is killed. */
static void writer(const char *path, int n, size_t buffer_bytes)
{
    struct kv *kv;
    int fds[2];
    char c, value[VALUE_BYTES], key[16];
    struct kv_rocksdb_options opt = {.write_buffer_bytes = buffer_bytes};
    if (pipe(fds) < 0 || kv_rocksdb_open(path, &opt, &kv, NULL, 0) != ERR_OK)
        _exit(2);
    ack_fd = fds[1];
    for (int i = 0; i < n; i++) {
        struct kv_txn *t;
        struct kv_wait wait = {.fn = acknowledge};
        snprintf(key, sizeof(key), "%08d", i);
        memset(value, 'a' + i % 26, sizeof(value));
        for (size_t k = 0; k < sizeof(value); k += 2) /* little to compress */
            value[k] = (char)random_below(256);
        if (kv_begin(kv, &t) || kv_put(t, str_c(key), str_n(value, sizeof(value))) ||
            kv_commit(t, &wait.seq))
            _exit(4);
        if (kv_when_durable(kv, &wait)) {
            kv_kick(kv);
            if (read(fds[0], &c, 1) != 1)
                _exit(5);
        }
    }
    raise(SIGKILL);
}

static void make_whole(size_t buffer_bytes)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        /* A program of its own: RocksDB's background threads do not live on in a fork. */
        char bytes[32];
        snprintf(bytes, sizeof(bytes), "%zu", buffer_bytes);
        execl("/proc/self/exe", "test_damage", whole, bytes, NULL);
        _exit(6);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static int setup(void **state)
{
    arena_init(&arena, 16 << 20);
    memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
    if (!mkdtemp(root))
        return -1;
    snprintf(whole, sizeof(whole), "%s/whole", root);
    snprintf(dir, sizeof(dir), "%s/db", root);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    wipe(root);
    return 0;
}

static void fresh_copy(void)
{
    shell("rm -rf %s %s.synced", dir, dir);
    shell("rm -rf %s.damaged-*", dir, "");
    shell("cp -a %s %s", whole, dir);
    shell("cp -a %s.synced %s.synced", whole, dir);
}

/* --- what opens -------------------------------------------------------------------------------- */

/* The keys 0 to n-1 and nothing else: n; -1 when there is a hole or a wrong value; -2 when reading
 * fails, which is an answer, too. */
static int count_prefix(struct kv *kv)
{
    struct kv_txn *t;
    struct kv_iter *it;
    struct str key, val;
    int n = 0;
    int64_t v;
    enum err err;
    assert_int_equal(kv_begin(kv, &t), ERR_OK);
    assert_int_equal(kv_scan(t, STR(""), STR_NONE, false, &it), ERR_OK);
    while ((err = kv_next(it, &key, &val)) == ERR_OK)
        if (str_to_i64(key, &v) != ERR_OK || v != n++ || val.len != VALUE_BYTES ||
            val.p[1] != 'a' + v % 26) {
            n = -1;
            break;
        }
    kv_iter_close(it);
    kv_rollback(t);
    return err == ERR_OK || err == ERR_NOT_FOUND ? n : -2;
}

enum outcome { REFUSED, COMPLETE, UNREADABLE, SILENT_LOSS };

static enum outcome outcome(char why[KV_ROCKSDB_WHY_MAX])
{
    struct kv *kv;
    if (kv_rocksdb_open(dir, NULL, &kv, why, KV_ROCKSDB_WHY_MAX) != ERR_OK)
        return why[0] ? REFUSED : SILENT_LOSS;
    int n = count_prefix(kv);
    kv_close(kv);
    return n == WRITES ? COMPLETE : n == -2 ? UNREADABLE : SILENT_LOSS;
}

static size_t files_like(const char *part, char out[][PATH_BYTES])
{
    DIR *d = opendir(dir);
    size_t n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) && n < FILES_MAX;)
        if (strstr(e->d_name, part))
            snprintf(out[n++], PATH_BYTES, "%s/%s", dir, e->d_name);
    closedir(d);
    return n;
}

static off_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void flip(const char *path, off_t at)
{
    unsigned char c;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && pread(fd, &c, 1, at) == 1);
    c ^= (unsigned char)(1u << random_below(8));
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

struct told {
    char text[8192];
    size_t len;
};

static void take(void *arg, const char *line)
{
    struct told *told = arg;
    int n = snprintf(told->text + told->len, sizeof(told->text) - told->len, "%s\n", line);
    told->len = min_size(told->len + (size_t)n, sizeof(told->text) - 1);
}

/* What refused to open is whole again, up to some write, after repair. */
static void repair_gives_a_prefix(void)
{
    struct told told = {.len = 0};
    struct kv *kv;
    char why[KV_ROCKSDB_WHY_MAX];
    assert_int_equal(kv_rocksdb_check(dir, take, &told), ERR_CORRUPT);
    if (kv_rocksdb_repair(dir, take, &told) != ERR_OK)
        fail_msg("%s", told.text);
    assert_non_null(strstr(told.text, "the old files are kept in"));
    if (kv_rocksdb_open(dir, NULL, &kv, why, sizeof(why)) != ERR_OK)
        fail_msg("%s", why);
    assert_true(count_prefix(kv) >= 0);
    kv_close(kv);
    assert_int_equal(kv_rocksdb_check(dir, take, &told), ERR_OK);
}

static char paths[FILES_MAX][PATH_BYTES];

/* Every flip anywhere in the file is noticed, or harmless. */
static void flip_many(const char *part, int flips, bool repair, int counts[4])
{
    char why[KV_ROCKSDB_WHY_MAX];
    for (int i = 0; i < flips; i++) {
        fresh_copy();
        size_t n = files_like(part, paths);
        assert_true(n > 0);
        const char *path = paths[random_below((uint32_t)n)];
        off_t size = size_of(path);
        if (size == 0)
            continue;
        off_t at = (off_t)random_below((uint32_t)size);
        flip(path, at);
        enum outcome got = outcome(why);
        counts[got]++;
        if (got == SILENT_LOSS)
            fail_msg("a flip at %lld of %s lost writes without a word", (long long)at, path);
        if (repair && got == REFUSED && i % 10 == 0)
            repair_gives_a_prefix();
    }
}

static void test_flips_in_the_log(void **state)
{
    int counts[4] = {0};
    make_whole(0);
    fresh_copy();
    char why[KV_ROCKSDB_WHY_MAX];
    assert_int_equal(outcome(why), COMPLETE);
    flip_many(".log", FLIPS, true, counts);
    assert_int_equal(counts[REFUSED], FLIPS); /* every byte is of an acknowledged write */
}

static void test_flips_elsewhere(void **state)
{
    static const char *const kinds[] = {".log",    ".sst",    "MANIFEST",
                                        "CURRENT", "OPTIONS", "IDENTITY"};
    make_whole(SMALL_BUFFER);
    fresh_copy();
    assert_true(files_like(".sst", paths) > 1);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        int counts[4] = {0};
        flip_many(kinds[k], FLIPS / 3, strcmp(kinds[k], "MANIFEST") == 0, counts);
        print_message("%s: %d refused, %d unreadable, %d complete\n", kinds[k], counts[REFUSED],
                      counts[UNREADABLE], counts[COMPLETE]);
    }
}

static void test_cut_logs(void **state)
{
    char why[KV_ROCKSDB_WHY_MAX];
    make_whole(0);
    for (int i = 0; i < FLIPS / 3; i++) {
        fresh_copy();
        assert_int_equal(files_like(".log", paths), 1);
        off_t size = size_of(paths[0]);
        assert_int_equal(truncate(paths[0], i == 0 ? 0 : (off_t)random_below((uint32_t)size)), 0);
        assert_int_equal(outcome(why), REFUSED);
        assert_non_null(strstr(why, "lacks acknowledged writes"));
        if (i == 1)
            repair_gives_a_prefix();
    }
}

/* What a power cut leaves behind the last sync: anything. */
static void test_torn_end_opens(void **state)
{
    char why[KV_ROCKSDB_WHY_MAX];
    make_whole(0);
    for (int i = 0; i < FLIPS / 3; i++) {
        fresh_copy();
        assert_int_equal(files_like(".log", paths), 1);
        int fd = open(paths[0], O_WRONLY | O_APPEND);
        char junk[700];
        size_t len = 1 + random_below(sizeof(junk) - 1);
        for (size_t k = 0; k < len; k++)
            junk[k] = (char)(i % 3 == 0 ? 0 : random_below(256));
        assert_true(fd >= 0 && write(fd, junk, len) == (ssize_t)len);
        close(fd);
        if (outcome(why) != COMPLETE)
            fail_msg("a torn end is refused: %s", why);
    }
}

static void test_missing_files(void **state)
{
    static const char *const kinds[] = {".log", ".sst", "MANIFEST", "CURRENT"};
    char why[KV_ROCKSDB_WHY_MAX];
    make_whole(SMALL_BUFFER);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        fresh_copy();
        size_t n = files_like(kinds[k], paths);
        for (size_t i = 0; i < n; i++) {
            fresh_copy();
            assert_int_equal(unlink(paths[i]), 0);
            enum outcome got = outcome(why);
            if (got == SILENT_LOSS || got == UNREADABLE)
                fail_msg("%s is missing and the store opened", paths[i]);
        }
    }
    fresh_copy();
    wipe(dir);
    assert_int_equal(outcome(why), REFUSED);
    assert_non_null(strstr(why, "lost its files"));
    fresh_copy();
    shell("rm %s.synced", dir, "");
    assert_int_equal(outcome(why), REFUSED);
    assert_non_null(strstr(why, "weir repair"));
    repair_gives_a_prefix();
}

/* --- a first start that broke off -------------------------------------------------------------- */

static ssize_t no_write(int fd, const void *p, size_t len)
{
    errno = ENOSPC;
    return -1;
}

static void test_mark_not_written(void **state)
{
    char why[KV_ROCKSDB_WHY_MAX];
    struct kv *kv;
    sys.write = no_write;
    enum err err = kv_rocksdb_open(dir, NULL, &kv, why, sizeof(why));
    sys_reset();
    assert_int_equal(err, ERR_IO);
    assert_non_null(strstr(why, "cannot write"));
    shell("test ! -e %s.synced", dir, "");
    if (kv_rocksdb_open(dir, NULL, &kv, why, sizeof(why)) != ERR_OK)
        fail_msg("%s", why);
    kv_close(kv);
}

/* What may be there without CURRENT. */
static void test_first_start_broke_off(void **state)
{
    static const struct {
        const char *make; /* in its parent */
        bool opens;
    } rows[] = {
        {"rm -rf db; : >db.synced", true},
        {"rm -rf db; head -c 100 /dev/zero >db.synced", true},
        {"rm db/CURRENT db/*.log", true}, /* a whole manifest */
        {"rm db/CURRENT db/*.log db/MANIFEST-*; : >db/MANIFEST-000001", true},
        {"rm db/CURRENT db/*.log db/MANIFEST-*; echo x >db/MANIFEST-000001; "
         "echo MANIFEST-000001 >db/000001.dbtmp",
         true},
        {"rm db/CURRENT; ls db/*.log >/dev/null", false}, /* only behind CURRENT is there a log */
        {"rm db/CURRENT db/*.log; : >db.synced", false},
        {"rm db/CURRENT db/*.log db.synced", false},
    };
    char why[KV_ROCKSDB_WHY_MAX];
    struct kv *kv;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        shell("rm -rf %s %s.synced", dir, dir);
        assert_int_equal(kv_rocksdb_open(dir, NULL, &kv, why, sizeof(why)), ERR_OK);
        kv_close(kv);
        shell("cd %s && { %s; }", root, rows[i].make);
        enum err err = kv_rocksdb_open(dir, NULL, &kv, why, sizeof(why));
        if (err != (rows[i].opens ? ERR_OK : ERR_CORRUPT))
            fail_msg("row %zu: %s: %s", i, err_name(err), why);
        if (err)
            continue;
        assert_int_equal(count_prefix(kv), 0);
        kv_close(kv);
        assert_int_equal(kv_rocksdb_open(dir, NULL, &kv, why, sizeof(why)), ERR_OK);
        kv_close(kv);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3)
        writer(argv[1], WRITES, strtoul(argv[2], NULL, 10));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flips_in_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flips_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_logs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_torn_end_opens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mark_not_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_first_start_broke_off, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
