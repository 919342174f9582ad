/* Versions and walks over the store in memory, against a model: random puts, deletions and removals
 * of versions in all three states of a bucket, and listings by prefix and delimiter. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sys.h"
#include "deliver/deliver.h"
#include "kv/drv_fault/kv_mem.h"
#include "svc/s3/s3_list.h"

enum { VERSIONS_MAX = 200, KEYS = 3, STEPS = 400 };

static struct kv_mem_disk *disk;
static struct core core;
static struct io_loop *loop;
static struct s3 *s3;
static char dir[] = "/tmp/weir-s3-XXXXXX";
static struct s3_bucket_ref bucket = {.name = STR_INIT("bkt"), .rec = {.id = 77}};

static int setup(void **state)
{
    strcpy(dir + sizeof(dir) - 7, "XXXXXX");
    assert_non_null(mkdtemp(dir));
    core = (struct core){.cfg = {.account = STR("1"), .data_dir = str_c(dir)}, .n_loops = 1};
    disk = kv_mem_disk_new();
    assert_int_equal(kv_mem_open(disk, false, &core.kv), ERR_OK);
    assert_int_equal(io_loop_new(0, &loop), ERR_OK);
    core.loops = &loop;
    void *self;
    clock_fake_set_ms(1700000000000);
    assert_int_equal(deliver_new(&core, &core.deliver), ERR_OK);
    assert_int_equal(s3_def.make(&core, &self), ERR_OK);
    s3 = self;
    return 0;
}

static int teardown(void **state)
{
    char command[100];
    s3_def.release(s3);
    deliver_free(core.deliver);
    io_loop_free(loop);
    kv_close(core.kv);
    kv_mem_disk_free(disk);
    clock_fake_set_ms(-1);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
    return 0;
}

/* --- the model -------------------------------------------------------------------------------- */

struct version {
    char id[40];
    bool marker;
    uint64_t size; /* tells the versions apart */
};

struct key_model {
    char name[16];
    struct version v[VERSIONS_MAX]; /* newest first */
    size_t n;
};

static void model_remove(struct key_model *m, size_t i)
{
    memmove(&m->v[i], &m->v[i + 1], (m->n - i - 1) * sizeof(m->v[0]));
    m->n--;
}

static void model_remove_null(struct key_model *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->v[i].id, "null") == 0) {
            model_remove(m, i);
            return;
        }
}

static void model_push(struct key_model *m, struct str id, bool marker, uint64_t size)
{
    memmove(&m->v[1], &m->v[0], m->n * sizeof(m->v[0]));
    m->n++;
    m->v[0] = (struct version){.marker = marker, .size = size};
    snprintf(m->v[0].id, sizeof(m->v[0].id), STR_FMT, STR_ARG(id));
}

/* --- steps ------------------------------------------------------------------------------------ */

struct step {
    enum { PUT, DELETE, DELETE_VERSION } what;
    struct key_model *m;
    uint64_t size;
    char id[40];
    struct s3_deletion d;
    struct str version_id;
};

static enum err run_step(struct txn *txn, void *arg)
{
    struct step *st = arg;
    struct str key = str_c(st->m->name);
    if (st->what == PUT) {
        struct s3_object_rec rec = {.size = st->size, .etag = STR("e")};
        TRY(s3_put_current(s3, txn, &bucket, key, &rec));
        snprintf(st->id, sizeof(st->id), STR_FMT, STR_ARG(rec.version_id));
        return ERR_OK;
    }
    if (st->what == DELETE)
        TRY(s3_delete_key(s3, txn, &bucket, key, &st->d));
    else
        TRY(s3_delete_version(s3, txn, &bucket, key, str_c(st->id), &st->d));
    if (st->what == DELETE && str_is_set(st->d.version_id))
        snprintf(st->id, sizeof(st->id), STR_FMT, STR_ARG(st->d.version_id));
    return ERR_OK;
}

static void apply(struct step *st)
{
    bool enabled = bucket.rec.versioning == S3_VERSIONED;
    struct key_model *m = st->m;
    size_t at = 0;
    if (st->what == DELETE_VERSION) {
        at = rng_below(m->n);
        snprintf(st->id, sizeof(st->id), "%s", m->v[at].id);
    }
    assert_int_equal(txn_run_now(&core, run_step, st), ERR_OK);
    switch (st->what) {
    case PUT:
        if (!enabled)
            model_remove_null(m);
        model_push(m, str_c(st->id), false, st->size);
        break;
    case DELETE:
        if (!enabled)
            model_remove_null(m);
        if (bucket.rec.versioning != S3_UNVERSIONED)
            model_push(m, str_c(st->id), true, 0);
        break;
    case DELETE_VERSION:
        model_remove(m, at);
        break;
    }
}

/* --- comparing -------------------------------------------------------------------------------- */

static struct key_model models[KEYS];

static enum err compare(struct txn *txn, void *arg)
{
    static const struct key_layout *const tables[] = {&s3_k_current, &s3_k_version};
    struct s3_walk w;
    struct s3_entry e;
    TRY(s3_walk_open(&w, txn, tables, 2, bucket.rec.id, STR_NONE, STR_NONE, STR_NONE, NULL));
    for (size_t k = 0; k < KEYS; k++) {
        struct key_model *m = &models[k];
        struct s3_object_rec rec;
        for (size_t i = 0; i < m->n; i++) {
            TRY(s3_walk_next(&w, &e));
            TRY(record_unpack(&s3_object_type, txn->arena, e.value, &rec));
            assert_true(str_eq_c(e.key, m->name));
            assert_true(str_eq_c(rec.version_id, m->v[i].id));
            assert_int_equal(rec.delete_marker, m->v[i].marker);
            assert_true(rec.size == m->v[i].size);
            bool current;
            struct s3_object_rec again;
            TRY(s3_version(txn, bucket.rec.id, str_c(m->name), rec.version_id, false, &again,
                           &current));
            assert_true(again.seq == rec.seq);
            assert_int_equal(current, i == 0 && !rec.delete_marker);
        }
        enum err err = s3_current(txn, bucket.rec.id, str_c(m->name), false, &rec);
        assert_int_equal(err, m->n > 0 && !m->v[0].marker ? ERR_OK : ERR_NOT_FOUND);
    }
    assert_int_equal(s3_walk_next(&w, &e), ERR_NOT_FOUND);
    s3_walk_close(&w);
    return ERR_OK;
}

static void test_versions_against_model(void **state)
{
    rng_seed(20261121);
    for (int k = 0; k < KEYS; k++)
        snprintf(models[k].name, sizeof(models[k].name), "k%d", k);
    bucket.rec.versioning = S3_UNVERSIONED;
    for (uint64_t i = 1; i <= STEPS; i++) {
        if (i > STEPS / 5 && rng_below(10) == 0) /* once versioned, never unversioned again */
            bucket.rec.versioning = rng_below(2) ? S3_VERSIONED : S3_SUSPENDED;
        struct key_model *m = &models[rng_below(KEYS)];
        struct step st = {.what = (int)rng_below(3), .m = m, .size = i};
        if (st.what == DELETE_VERSION && m->n == 0)
            continue;
        if (m->n == VERSIONS_MAX - 1)
            st.what = DELETE_VERSION;
        apply(&st);
        if (rng_below(3) == 0)
            clock_fake_advance_ms((int64_t)rng_below(3));
        assert_int_equal(txn_run_now(&core, compare, NULL), ERR_OK);
    }
    rng_seed(0);
}

/* --- walks ------------------------------------------------------------------------------------ */

static const char *const keys[] = {"",      "a",  "a/",     "a/1",        "a/1/x",
                                   "a/2",   "a0", "b/\x01", "b/",         "c//d",
                                   "c/d/e", "d",  "d/e/f",  "e\xc3\xbc/z"};

static enum err fill_keys(struct txn *txn, void *arg)
{
    for (size_t i = 1; i < ARRAY_LEN(keys); i++) {
        struct s3_object_rec rec = {.size = i, .etag = STR("e")};
        TRY(s3_put_current(s3, txn, &bucket, str_c(keys[i]), &rec));
    }
    /* The neighbours of the bucket must not be seen. */
    struct s3_bucket_ref other = bucket;
    struct s3_object_rec rec = {.etag = STR("e")};
    other.rec.id = bucket.rec.id + 1;
    TRY(s3_put_current(s3, txn, &other, STR("a"), &rec));
    other.rec.id = bucket.rec.id - 1;
    return s3_put_current(s3, txn, &other, STR("z"), &rec);
}

struct walk_case {
    const char *prefix, *delimiter;
    char whole[400], paged[400];
};

static void show(char *out, size_t cap, const struct s3_entry *e)
{
    size_t n = strlen(out);
    struct str s = str_is_set(e->common_prefix) ? e->common_prefix : e->key;
    snprintf(out + n, cap - n, "%s" STR_FMT ";", str_is_set(e->common_prefix) ? "+" : "",
             STR_ARG(s));
}

/* One walk, and the same begun anew behind every entry: both see the same entries. */
static enum err walk_both(struct txn *txn, void *arg)
{
    static const struct key_layout *const table = &s3_k_current;
    struct walk_case *c = arg;
    struct s3_walk w;
    struct s3_entry e;
    enum err err;
    TRY(s3_walk_open(&w, txn, &table, 1, bucket.rec.id, str_c(c->prefix), str_c(c->delimiter),
                     STR_NONE, NULL));
    while ((err = s3_walk_next(&w, &e)) == ERR_OK)
        show(c->whole, sizeof(c->whole), &e);
    s3_walk_close(&w);
    assert_int_equal(err, ERR_NOT_FOUND);
    struct str after = STR_NONE;
    for (;;) {
        TRY(s3_walk_open(&w, txn, &table, 1, bucket.rec.id, str_c(c->prefix), str_c(c->delimiter),
                         after, NULL));
        err = s3_walk_next(&w, &e);
        s3_walk_close(&w);
        if (err == ERR_NOT_FOUND)
            return ERR_OK;
        TRY(err);
        show(c->paged, sizeof(c->paged), &e);
        after = str_is_set(e.common_prefix) ? e.common_prefix : e.key;
    }
}

static void test_walks(void **state)
{
    static const struct {
        const char *prefix, *delimiter, *want;
    } rows[] = {
        {"", "", "a;a/;a/1;a/1/x;a/2;a0;b/;b/\x01;c//d;c/d/e;d;d/e/f;e\xc3\xbc/z;"},
        {"", "/", "a;+a/;a0;+b/;+c/;d;+d/;+e\xc3\xbc/;"},
        {"a/", "/", "a/;a/1;+a/1/;a/2;"},
        {"a", "/", "a;+a/;a0;"},
        {"a/1", "", "a/1;a/1/x;"},
        {"c/", "/", "+c//;+c/d/;"},
        {"d", "e", "d;+d/e;"},
        {"zz", "/", ""},
        {"b/\x01", "/", "b/\x01;"},
    };
    bucket.rec.versioning = S3_UNVERSIONED;
    assert_int_equal(txn_run_now(&core, fill_keys, NULL), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct walk_case c = {.prefix = rows[i].prefix, .delimiter = rows[i].delimiter};
        assert_int_equal(txn_run_now(&core, walk_both, &c), ERR_OK);
        if (strcmp(c.whole, rows[i].want) != 0 || strcmp(c.paged, rows[i].want) != 0)
            fail_msg("prefix %s delimiter %s: %s, paged %s", rows[i].prefix, rows[i].delimiter,
                     c.whole, c.paged);
    }
}

/* --- files ------------------------------------------------------------------------------------ */

static bool there(const struct s3_id *id)
{
    char path[S3_PATH_MAX];
    struct stat st;
    s3_file_path_to(s3, id, path);
    return stat(path, &st) == 0;
}

static enum err stage_writer(struct txn *txn, void *arg)
{
    struct s3_body body;
    TRY(s3_writer_stage(arg, txn, &(struct s3_made_for){77, STR("k")}, &body));
    assert_int_equal(body.kind, S3_BODY_FILE);
    return ERR_OK;
}

static struct s3_writer *written(size_t inline_max)
{
    struct s3_writer *w;
    assert_int_equal(s3_writer_new(s3, 1u << S3_CRC32, inline_max, NULL, &w), ERR_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(s3_writer_write(w, "0123456789", 10), ERR_OK);
    assert_int_equal(s3_writer_finish(w), ERR_OK);
    return w;
}

/* A file stays only when a commit references it, also after a crash between the two. */
static void test_writer(void **state)
{
    struct s3_writer *w = written(100);
    assert_false(w->has_file);
    s3_writer_free(w);

    w = written(99);
    struct s3_id id = w->id;
    assert_true(w->has_file && there(&id));
    s3_writer_free(w);
    assert_false(there(&id));

    w = written(0);
    id = w->id;
    assert_int_equal(txn_run_now(&core, stage_writer, w), ERR_OK);
    s3_writer_free(w);
    assert_true(there(&id));
    assert_int_equal(s3_files_recover(s3), ERR_OK);
    assert_true(there(&id));

    w = written(0); /* as a crash leaves it: nobody frees the writer before the start */
    id = w->id;
    assert_int_equal(s3_files_recover(s3), ERR_OK);
    assert_false(there(&id));
    s3_writer_free(w);
}

/* --- faults ----------------------------------------------------------------------------------- */

static int fails_in; /* calls until the one that fails; 0: none */

static bool fails(void)
{
    if (fails_in == 0 || --fails_in > 0)
        return false;
    errno = EIO;
    return true;
}

static int bad_open(const char *path, int flags, mode_t mode)
{
    return fails() ? -1 : open(path, flags, mode);
}

static ssize_t bad_write(int fd, const void *p, size_t len)
{
    return fails() ? -1 : write(fd, p, len);
}

static int bad_fsync(int fd)
{
    return fails() ? -1 : fsync(fd);
}

static int bad_close(int fd)
{
    int rc = close(fd);
    return fails() ? -1 : rc;
}

static size_t count_files(void)
{
    char command[200], line[20] = "";
    snprintf(command, sizeof(command), "find '%s/s3' -type f | wc -l", dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof(line), f));
    pclose(f);
    return (size_t)atoi(line);
}

/* Each system call and each allocation of a writer fails in turn: an error, and nothing left. */
static void test_writer_faults(void **state)
{
    bool done = false;
    for (int n = 1; !done; n++) {
        struct s3_writer *w;
        sys.open = bad_open;
        sys.write = bad_write;
        sys.fsync = bad_fsync;
        sys.close = bad_close;
        fails_in = n;
        assert_int_equal(s3_writer_new(s3, 1u << S3_SHA1, 10, NULL, &w), ERR_OK);
        enum err e = s3_writer_write(w, "0123456789", 10);
        if (e == ERR_OK)
            e = s3_writer_write(w, "more", 4);
        if (e == ERR_OK)
            e = s3_writer_finish(w);
        done = fails_in > 0;
        fails_in = 0;
        s3_writer_free(w);
        sys_reset();
        if (!done && e != ERR_IO && e != ERR_OK) /* the marker's close may fail without harm */
            fail_msg("call %d: %s", n, err_name(e));
        assert_int_equal(count_files(), 0);
    }
    for (uint64_t n = 1;; n++) {
        struct s3_writer *w = NULL;
        mem_fail_after(n);
        enum err e = s3_writer_new(s3, 1u << S3_SHA1, 10, NULL, &w);
        if (e == ERR_OK)
            e = s3_writer_write(w, "0123456789", 10);
        bool reached = mem_allocations() >= n;
        mem_fail_after(0);
        s3_writer_free(w);
        if (!reached)
            break;
        assert_int_equal(e, ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_versions_against_model, setup, teardown),
        cmocka_unit_test_setup_teardown(test_walks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_writer_faults, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
