/* Files of object bytes read back: every range of sizes around a block's, and every kind of damage,
 * which must never be given as bytes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sys.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "kv/drv_fault/kv_mem.h"
#include "svc/s3/s3_read.h"
#include "svc/s3/s3_scrub.h"
#include "unit/idle.h"

enum { B = S3_BLOCK_BYTES };

static struct kv_mem_disk *disk;
static struct core core;
static struct io_loop *loop;
static struct s3 *s3;
static char dir[] = "/tmp/weir-s3-XXXXXX";
static char *bytes; /* of the object */
static char *block;

static int setup(void **state)
{
    strcpy(dir + sizeof(dir) - 7, "XXXXXX");
    assert_non_null(mkdtemp(dir));
    core = (struct core){.cfg = {.account = STR("1"), .data_dir = str_c(dir)}, .n_loops = 1};
    disk = kv_mem_disk_new();
    assert_int_equal(kv_mem_open(disk, false, &core.kv), ERR_OK);
    assert_int_equal(io_loop_new(0, &loop), ERR_OK);
    core.loops = &loop;
    clock_fake_set_ms(1700000000000);
    assert_int_equal(core_start(&core), ERR_OK);
    void *self;
    assert_int_equal(deliver_new(&core, &core.deliver), ERR_OK);
    assert_int_equal(s3_def.make(&core, &self), ERR_OK);
    s3 = self;
    bytes = mem_alloc(20 * B);
    block = mem_alloc(CALL_BLOCK_BYTES);
    assert_true(bytes && block);
    rng_bytes(bytes, 20 * B);
    return 0;
}

static int teardown(void **state)
{
    char command[100];
    mem_free(bytes);
    mem_free(block);
    s3_def.release(s3);
    deliver_free(core.deliver);
    core_stop(&core);
    io_loop_free(loop);
    clock_fake_set_ms(-1);
    kv_close(core.kv);
    kv_mem_disk_free(disk);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
    return 0;
}

/* A file with the first `size` of `bytes`, written in pieces of `piece`; the writer keeps it. */
static struct s3_writer *written(size_t size, size_t piece, struct s3_object_rec *rec)
{
    struct s3_writer *w;
    assert_int_equal(s3_writer_new(s3, 1u << S3_CRC32, 0, NULL, &w), ERR_OK);
    for (size_t at = 0; at < size; at += piece)
        assert_int_equal(s3_writer_write(w, bytes + at, min_size(piece, size - at)), ERR_OK);
    assert_int_equal(s3_writer_finish(w), ERR_OK);
    *rec = (struct s3_object_rec){.size = size, .body = {.kind = S3_BODY_FILE, .id = w->id}};
    return w;
}

/* Reads a range and compares; the first error. */
static enum err read_range(const struct s3_object_rec *rec, uint64_t from, uint64_t len)
{
    struct arena a;
    struct s3_reader *r;
    arena_init(&a, 1 << 20);
    struct txn txn = {.core = &core, .arena = &a};
    assert_int_equal(s3_reader_open(s3, &txn, rec, from, len, &(struct s3_cipher){0}, &r), ERR_OK);
    enum err err = ERR_OK;
    while (len > 0 && err == ERR_OK) {
        struct str piece = STR_NONE;
        err = s3_reader_read(r, block, CALL_BLOCK_BYTES, &piece);
        if (err)
            break;
        assert_true(piece.len > 0 && piece.len <= len);
        assert_memory_equal(piece.p, bytes + from, piece.len);
        from += piece.len;
        len -= piece.len;
    }
    s3_reader_free(r);
    arena_release(&a);
    return err;
}

static enum err verify(const struct s3_object_rec *rec, struct s3_damage *d)
{
    uint64_t at = 0;
    enum err err = ERR_OK;
    do
        err = s3_file_verify(s3, &rec->body.id, rec->size, &at, B, block, CALL_BLOCK_BYTES, d);
    while (err == ERR_OK && at < rec->size);
    return err;
}

static void test_ranges(void **state)
{
    static const size_t sizes[] = {1, B - 1, B, B + 1, 4 * B, 4 * B + 1, 9 * B + 17};
    static const size_t pieces[] = {1000, B, 3 * B + 1};
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
        struct s3_object_rec rec;
        struct s3_damage d;
        struct s3_writer *w = written(sizes[s], pieces[s % 3], &rec);
        assert_int_equal(verify(&rec, &d), ERR_OK);
        assert_int_equal(read_range(&rec, 0, rec.size), ERR_OK);
        assert_int_equal(read_range(&rec, rec.size - 1, 1), ERR_OK);
        for (int i = 0; i < 20; i++) {
            uint64_t from = rng_below(rec.size), len = 1 + rng_below(rec.size - from);
            assert_int_equal(read_range(&rec, from, len), ERR_OK);
        }
        s3_writer_free(w);
    }
}

static void flip(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    char c;
    assert_true(fd >= 0 && pread(fd, &c, 1, at) == 1);
    c ^= 4;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

/* One bit anywhere, or another length, and no byte of the block is given. */
static void test_damage(void **state)
{
    size_t size = 3 * B + 100;
    struct s3_object_rec rec;
    struct s3_writer *w = written(size, 10000, &rec);
    struct s3_damage d;
    char path[S3_PATH_MAX];
    s3_file_path_to(s3, &w->id, path);
    for (uint64_t at = 0; at < s3_file_bytes(size); at += at < size ? B / 3 : 1) {
        uint64_t hurt = at < size ? at / B : (at - size) / sizeof(uint32_t); /* block */
        flip(path, (off_t)at);
        assert_int_equal(verify(&rec, &d), ERR_CORRUPT);
        assert_true(d.at == hurt * B && strcmp(d.what, "block does not match") == 0);
        assert_int_equal(read_range(&rec, 0, size), ERR_CORRUPT);
        for (uint64_t b = 0; b < 4; b++)
            assert_int_equal(read_range(&rec, b * B + 7, 50), b == hurt ? ERR_CORRUPT : ERR_OK);
        flip(path, (off_t)at);
    }
    assert_int_equal(verify(&rec, &d), ERR_OK);
    assert_int_equal(truncate(path, (off_t)s3_file_bytes(size) + 1), 0);
    assert_int_equal(verify(&rec, &d), ERR_CORRUPT);
    assert_string_equal(d.what, "grown");
    assert_int_equal(truncate(path, (off_t)size), 0);
    assert_int_equal(verify(&rec, &d), ERR_CORRUPT);
    assert_string_equal(d.what, "cut");
    assert_int_equal(read_range(&rec, 0, 1), ERR_CORRUPT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(verify(&rec, &d), ERR_CORRUPT);
    assert_string_equal(d.what, "missing");
    assert_int_equal(read_range(&rec, 0, 1), ERR_CORRUPT);
    s3_writer_free(w);
}

static int fails_in;

static ssize_t bad_pread(int fd, void *p, size_t len, off_t at)
{
    return fails_in && --fails_in == 0 ? -1 : pread(fd, p, len > 1000 ? 1000 : len, at);
}

/* Short reads are gone on with; each failing one is ERR_IO. */
static void test_faults(void **state)
{
    struct s3_object_rec rec;
    struct s3_writer *w = written(B + 5, B, &rec);
    log_set_level(LOG_ERROR + 1);
    sys.pread = bad_pread;
    assert_int_equal(read_range(&rec, 0, rec.size), ERR_OK);
    for (fails_in = 1;; fails_in++) {
        int n = fails_in;
        enum err err = read_range(&rec, 0, rec.size);
        if (fails_in > 0)
            break;
        assert_int_equal(err, ERR_IO);
        fails_in = n;
    }
    sys_reset();
    s3_writer_free(w);
}

/* --- scrubbing -------------------------------------------------------------------------------- */

static enum err make_bucket(struct txn *txn, void *arg)
{
    struct s3_bucket_ref b = {.name = STR("bkt"), .rec = {.id = 77}};
    return s3_bucket_put(s3, txn, &b);
}

static enum err reference(struct txn *txn, void *arg)
{
    struct s3_body body;
    return s3_writer_stage(arg, txn, &(struct s3_made_for){77, STR("some key")}, &body);
}

static char said[10000];

static void say(void *arg, const char *line)
{
    strcat(said, line);
    strcat(said, "\n");
}

/* Every referenced file is looked at, damage is told by bucket and key, and nothing else is. */
static void test_scrub(void **state)
{
    static const size_t sizes[] = {1, B, 3 * B + 7, 20 * B};
    struct s3_object_rec rec;
    struct s3_scrub_found found;
    char path[ARRAY_LEN(sizes)][S3_PATH_MAX];
    assert_int_equal(txn_run_now(&core, make_bucket, NULL), ERR_OK);
    assert_int_equal(s3_scrub(&core, say, NULL, &found), ERR_OK);
    assert_int_equal(found.files, 0);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct s3_writer *w = written(sizes[i], 12345, &rec);
        s3_file_path_to(s3, &w->id, path[i]);
        assert_int_equal(txn_run_now(&core, reference, w), ERR_OK);
        s3_writer_free(w);
    }
    said[0] = '\0';
    assert_int_equal(s3_scrub(&core, say, NULL, &found), ERR_OK);
    assert_true(found.files == 4 && found.damaged == 0);
    assert_int_equal(found.bytes, sizes[0] + sizes[1] + sizes[2] + sizes[3]);
    assert_string_equal(said, "");
    flip(path[2], 2 * B + 1);
    unlink(path[0]);
    assert_int_equal(s3_scrub(&core, say, NULL, &found), ERR_CORRUPT);
    assert_true(found.files == 4 && found.damaged == 2);
    assert_non_null(strstr(said, "bucket=bkt key=some key file="));
    assert_non_null(strstr(said, " missing at byte 0\n"));
    assert_non_null(strstr(said, " block does not match at byte 131072\n"));
}

static void over(struct io_timer *t)
{
    *(bool *)t->arg = true;
}

enum { GUARD_MS = 240 * 1000 };

/* Lets time pass, an hour a turn of the loop, until the figure, which only grows, is `want`. */
static bool comes_to(struct due *due, _Atomic uint64_t *figure, uint64_t want)
{
    bool fired = false;
    struct io_timer guard;
    io_timer_init(&guard, loop, over, &fired);
    assert_int_equal(io_timer_start(&guard, GUARD_MS), ERR_OK);
    while (!fired && atomic_load(figure) < want) {
        clock_fake_advance_ms(3600 * 1000);
        due_wake(due);
        uv_run(io_loop_uv(loop), UV_RUN_ONCE);
    }
    io_timer_stop(&guard);
    return atomic_load(figure) == want;
}

static enum err job_waits(struct txn *txn, void *arg)
{
    struct str argument;
    return job_get(txn, s3->scrub, STR(""), &argument, arg);
}

/* Once the job's first step is durable. */
static void wait_for_first_step(void)
{
    struct str cursor = STR_NONE;
    for (int i = 0; i < 10000 && txn_run_now(&core, job_waits, &cursor) != ERR_OK; i++)
        uv_run(io_loop_uv(loop), UV_RUN_ONCE);
    assert_true(str_is_set(cursor));
}

/* A week after it first saw files the job checks them all, and again a week later. */
static void test_scrub_job(void **state)
{
    struct s3_object_rec rec;
    char path[2][S3_PATH_MAX];
    struct due *due = deliver_due(core.deliver);
    log_set_level(LOG_ERROR + 1);
    assert_int_equal(txn_run_now(&core, make_bucket, NULL), ERR_OK);
    for (size_t i = 0; i < 2; i++) {
        struct s3_writer *w = written(3 * B, 12345, &rec);
        s3_file_path_to(s3, &w->id, path[i]);
        assert_int_equal(txn_run_now(&core, reference, w), ERR_OK);
        s3_writer_free(w);
    }
    assert_int_equal(due_start(due), ERR_OK);
    wait_for_first_step();
    assert_int_equal(atomic_load(&s3->scrubbed_bytes), 0);
    int64_t start_ms = clock_now_ms();
    assert_true(comes_to(due, &s3->scrubbed_bytes, 6 * B));
    assert_true(clock_now_ms() >= start_ms + S3_SCRUB_EVERY_MS);
    assert_int_equal(atomic_load(&s3->scrub_damaged), 0);
    flip(path[1], 5);
    assert_true(comes_to(due, &s3->scrubbed_bytes, 9 * B));
    assert_true(clock_now_ms() >= start_ms + 2ll * S3_SCRUB_EVERY_MS);
    assert_int_equal(atomic_load(&s3->scrub_damaged), 1);
    due_stop(due);
    run_until_idle(&core);
}

enum { BUCKETS = 100, DAMAGED = 200, EVENTS = 5 };

/* With as much in their records as there may be. */
static enum err make_buckets(struct txn *txn, void *arg)
{
    struct str *events = ARENA_ARRAY(txn->arena, struct str, EVENTS);
    struct s3_rule *rules = ARENA_ARRAY(txn->arena, struct s3_rule, S3_NOTIFICATIONS_MAX);
    assert_true(events && rules);
    for (size_t i = 0; i < EVENTS; i++)
        events[i] = STR("s3:ObjectCreated:*");
    for (size_t i = 0; i < S3_NOTIFICATIONS_MAX; i++)
        rules[i] = (struct s3_rule){
            .kind = S3_TO_QUEUE, .id = STR("r"), .arn = STR("a"), .names = {events, EVENTS}};
    for (uint64_t i = 0; i < BUCKETS; i++) {
        struct s3_bucket_ref b = {.name = str_fmt(txn->arena, "a-bucket-%03u", (unsigned)i),
                                  .rec = {.id = 1000 + i,
                                          .flags = S3_HAS_NOTIFICATION,
                                          .rules = {rules, S3_NOTIFICATIONS_MAX}}};
        assert_int_equal(s3_bucket_put(s3, txn, &b), ERR_OK);
    }
    return make_bucket(txn, NULL);
}

static size_t n_named;

static void count_named(void *arg, const char *line)
{
    n_named += strncmp(line, "bucket=bkt key=some key ", 24) == 0;
}

/* Many damaged files beside many buckets: what names them takes neither the memory nor the time of
 * one times the other, and the pass goes on. */
static void test_scrub_much_damage(void **state)
{
    struct s3_object_rec rec;
    struct s3_scrub_found found;
    char path[S3_PATH_MAX];
    struct due *due = deliver_due(core.deliver);
    log_set_level(LOG_ERROR + 1);
    assert_int_equal(txn_run_now(&core, make_buckets, NULL), ERR_OK);
    for (size_t i = 0; i < DAMAGED; i++) {
        struct s3_writer *w = written(1, 1, &rec);
        s3_file_path_to(s3, &w->id, path);
        assert_int_equal(txn_run_now(&core, reference, w), ERR_OK);
        s3_writer_free(w);
        unlink(path);
    }
    n_named = 0;
    assert_int_equal(s3_scrub(&core, count_named, NULL, &found), ERR_CORRUPT);
    assert_true(found.files == DAMAGED && found.damaged == DAMAGED && n_named == DAMAGED);
    assert_int_equal(due_start(due), ERR_OK);
    wait_for_first_step();
    assert_true(comes_to(due, &s3->scrub_damaged, DAMAGED));
    assert_true(comes_to(due, &s3->scrub_damaged, 2 * DAMAGED)); /* in the next pass */
    due_stop(due);
    run_until_idle(&core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scrub, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scrub_job, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scrub_much_damage, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
