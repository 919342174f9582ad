/* What is particular to the RocksDB driver: crash, failed sync, lock, damaged files. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kv/drv_rocksdb/kv_rocksdb.h"

enum { ACKS_BEFORE_KILL = 700, WRITES_IN_FLIGHT = 64, CRASHES = 4 };

static char root[] = "/tmp/weir-kv-XXXXXX";
static char dir[sizeof(root) + 3]; /* the mark lies beside it */
static struct arena arena;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    return remove(path);
}

static int setup(void **state)
{
    arena_init(&arena, 16 << 20);
    memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
    if (!mkdtemp(root))
        return -1;
    snprintf(dir, sizeof(dir), "%s/db", root);
    return 0;
}

static int teardown(void **state)
{
    arena_release(&arena);
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct kv *must_open(const struct kv_rocksdb_options *opt)
{
    struct kv *kv;
    char why[KV_ROCKSDB_WHY_MAX];
    enum err err = kv_rocksdb_open(dir, opt, &kv, why, sizeof(why));
    if (err != ERR_OK)
        fail_msg("%s: %s", err_name(err), why);
    return kv;
}

static uint64_t put_one(struct kv *kv, uint64_t i)
{
    char key[32];
    struct kv_txn *t;
    uint64_t seq;
    snprintf(key, sizeof(key), "%012llu", (unsigned long long)i);
    assert_int_equal(kv_begin(kv, &t), ERR_OK);
    assert_int_equal(kv_put(t, str_c(key), STR("value")), ERR_OK);
    assert_int_equal(kv_commit(t, &seq), ERR_OK);
    return seq;
}

/* Keys 0..n-1 are all there and nothing after: the count, or -1 when there is a hole. */
static int64_t count_prefix(struct kv *kv)
{
    struct kv_txn *t;
    struct kv_iter *it;
    struct str key, val;
    int64_t n = 0, v;
    assert_int_equal(kv_begin(kv, &t), ERR_OK);
    assert_int_equal(kv_scan(t, STR(""), STR_NONE, false, &it), ERR_OK);
    while (kv_next(it, &key, &val) == ERR_OK)
        if (str_to_i64(key, &v) != ERR_OK || v != n++) {
            n = -1;
            break;
        }
    kv_iter_close(it);
    kv_rollback(t);
    return n;
}

#define WRITER "--writer" /* become_writer */

static int ack_fd;

struct ack {
    struct kv_wait wait;
    uint64_t i;
    _Atomic bool free;
};

static void acknowledge(struct kv_wait *wait, enum err err)
{
    struct ack *a = CONTAINER_OF(wait, struct ack, wait);
    if (err != ERR_OK || write(ack_fd, &a->i, sizeof(a->i)) != (ssize_t)sizeof(a->i))
        _exit(3);
    atomic_store(&a->free, true);
}

/* Writes keys from `first` on until killed, acknowledging each on the pipe once it is durable. */
static void writer(uint64_t first)
{
    struct kv *kv;
    static struct ack acks[WRITES_IN_FLIGHT];
    if (kv_rocksdb_open(dir, NULL, &kv, NULL, 0) != ERR_OK)
        _exit(2);
    for (size_t i = 0; i < WRITES_IN_FLIGHT; i++)
        atomic_store(&acks[i].free, true);
    for (uint64_t i = first;; i++) {
        struct ack *a = &acks[i % WRITES_IN_FLIGHT];
        while (!atomic_load(&a->free))
            sched_yield();
        atomic_store(&a->free, false);
        a->i = i;
        a->wait = (struct kv_wait){.seq = put_one(kv, i), .fn = acknowledge};
        if (!kv_when_durable(kv, &a->wait))
            acknowledge(&a->wait, ERR_OK);
        kv_kick(kv);
    }
}

/* A process of its own, since a copy of this one may have copied a lock that a thread of the store held. */
static void become_writer(int64_t first, int fd)
{
    char from[32], ack[16];
    snprintf(from, sizeof(from), "%lld", (long long)first);
    snprintf(ack, sizeof(ack), "%d", fd);
    execl("/proc/self/exe", "writer", WRITER, dir, from, ack, (char *)NULL);
    _exit(4);
}

static void test_kill_keeps_what_was_acknowledged(void **state)
{
    int64_t there = 0;
    for (int crash = 0; crash < CRASHES; crash++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            close(fds[0]);
            become_writer(there, fds[1]);
        }
        close(fds[1]);
        uint64_t i = 0, newest = 0;
        for (int n = 0; n < ACKS_BEFORE_KILL; n++) {
            assert_int_equal(read(fds[0], &i, sizeof(i)), sizeof(i));
            newest = i > newest ? i : newest;
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        while (read(fds[0], &i, sizeof(i)) == sizeof(i)) /* acknowledged before it died */
            newest = i > newest ? i : newest;
        close(fds[0]);
        struct kv *kv = must_open(NULL);
        there = count_prefix(kv);
        kv_close(kv);
        assert_true(there > (int64_t)newest);
    }
}

struct flaky {
    _Atomic int syncs_before_failure;
};

static enum err flaky_sync(void *arg)
{
    struct flaky *f = arg;
    return atomic_fetch_sub(&f->syncs_before_failure, 1) > 0 ? ERR_OK : ERR_IO;
}

struct answer {
    struct kv_wait wait;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
    enum err err;
};

static void take_answer(struct kv_wait *wait, enum err err)
{
    struct answer *a = CONTAINER_OF(wait, struct answer, wait);
    pthread_mutex_lock(&a->lock);
    a->done = true;
    a->err = err;
    pthread_cond_signal(&a->cond);
    pthread_mutex_unlock(&a->lock);
}

static enum err wait_for(struct kv *kv, uint64_t seq)
{
    struct answer a = {.wait = {.seq = seq, .fn = take_answer},
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .cond = PTHREAD_COND_INITIALIZER};
    if (!kv_when_durable(kv, &a.wait))
        return ERR_OK;
    kv_kick(kv);
    pthread_mutex_lock(&a.lock);
    while (!a.done)
        pthread_cond_wait(&a.cond, &a.lock);
    pthread_mutex_unlock(&a.lock);
    return a.err;
}

/* A sync that is held up until it is let go. */
struct gate {
    sem_t came, go;
};

static enum err gated_sync(void *arg)
{
    struct gate *g = arg;
    sem_post(&g->came);
    while (sem_wait(&g->go) < 0)
        assert(errno == EINTR);
    return ERR_OK;
}

static void arrange(struct kv *kv, struct answer *a, uint64_t seq)
{
    *a = (struct answer){.wait = {.seq = seq, .fn = take_answer},
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .cond = PTHREAD_COND_INITIALIZER};
    assert_true(kv_when_durable(kv, &a->wait));
}

static void expect_answer(struct answer *a)
{
    pthread_mutex_lock(&a->lock);
    while (!a->done)
        pthread_cond_wait(&a->cond, &a->lock);
    pthread_mutex_unlock(&a->lock);
    assert_int_equal(a->err, ERR_OK);
}

/* A kick for a wait that the sync on its way has answered meanwhile must not hide the next one. */
enum { LATE_ROUNDS = 20, LATE_COMMITS = 50 };

static void test_late_kick(void **state)
{
    struct gate gate;
    struct answer first, second, third;
    sem_init(&gate.came, 0, 0);
    sem_init(&gate.go, 0, 0);
    struct kv_rocksdb_options opt = {.before_sync = gated_sync, .before_sync_arg = &gate};
    struct kv *kv = must_open(&opt);
    for (int round = 0; round < LATE_ROUNDS; round++) {
        uint64_t seq = put_one(kv, 1);
        arrange(kv, &first, seq);
        kv_kick(kv);
        while (sem_wait(&gate.came) < 0)
            assert(errno == EINTR);
        arrange(kv, &second, seq);
        sem_post(&gate.go);
        expect_answer(&first);
        expect_answer(&second);
        kv_kick(kv);
        for (uint64_t i = 0; i < LATE_COMMITS; i++) /* while the flusher wakes in vain */
            seq = put_one(kv, i);
        arrange(kv, &third, seq);
        kv_kick(kv);
        sem_post(&gate.go);
        expect_answer(&third);
        while (sem_wait(&gate.came) < 0)
            assert(errno == EINTR);
    }
    sem_post(&gate.go);
    kv_close(kv);
}

static void count_failure(void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
}

static void test_failed_sync_is_final(void **state)
{
    struct flaky flaky = {.syncs_before_failure = 1};
    _Atomic int told = 0;
    struct kv_rocksdb_options opt = {.before_sync = flaky_sync,
                                     .before_sync_arg = &flaky,
                                     .on_failure = count_failure,
                                     .on_failure_arg = &told};
    struct kv *kv = must_open(&opt);
    struct kv_txn *t;
    uint64_t good = put_one(kv, 0), seq;
    assert_int_equal(wait_for(kv, good), ERR_OK);
    assert_null(kv_failure(kv));
    uint64_t bad = put_one(kv, 1);
    assert_int_equal(wait_for(kv, bad), ERR_IO);
    assert_int_equal(wait_for(kv, bad), ERR_IO); /* later waits too */
    assert_int_equal(wait_for(kv, good), ERR_OK);
    assert_true(kv_durable_seq(kv) == good);
    assert_int_equal(kv_begin(kv, &t), ERR_OK);
    assert_int_equal(kv_put(t, STR("k"), STR("v")), ERR_OK);
    assert_int_equal(kv_commit(t, &seq), ERR_IO);
    assert_non_null(strstr(kv_failure(kv), "sync of the log failed"));
    assert_int_equal(atomic_load(&told), 1);
    kv_close(kv);
}

/* A read of what is durable does not wait for a write elsewhere. */
static void test_read_does_not_wait_for_others(void **state)
{
    struct kv *kv = must_open(NULL);
    struct kv_txn *t;
    struct str val;
    uint64_t seq;
    assert_int_equal(wait_for(kv, put_one(kv, 0)), ERR_OK);
    uint64_t durable = kv_durable_seq(kv);
    put_one(kv, 1);
    assert_int_equal(kv_begin(kv, &t), ERR_OK);
    assert_int_equal(kv_get(t, STR("000000000000"), &arena, &val), ERR_OK);
    assert_int_equal(kv_commit(t, &seq), ERR_OK);
    assert_true(seq <= durable);
    kv_close(kv);
}

static void test_open_errors(void **state)
{
    char why[KV_ROCKSDB_WHY_MAX], path[64];
    struct kv *kv = must_open(NULL), *second = NULL;
    assert_int_equal(kv_rocksdb_open(dir, NULL, &second, why, sizeof(why)), ERR_EXISTS);
    assert_non_null(strstr(why, "already in use by another weir"));
    put_one(kv, 0);
    kv_close(kv);
    assert_int_equal(kv_rocksdb_open("/proc/nowhere/at/all", NULL, &second, why, sizeof(why)),
                     ERR_IO);
    assert_non_null(strstr(why, "/proc/nowhere/at/all"));
    snprintf(path, sizeof(path), "%s/CURRENT", dir);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0 && write(fd, "nonsense", 8) == 8);
    close(fd);
    enum err err = kv_rocksdb_open(dir, NULL, &second, why, sizeof(why));
    assert_true(err == ERR_CORRUPT || err == ERR_IO);
    assert_null(second);
}

/* Waits that are still open at close are answered by it. */
static void test_close_answers(void **state)
{
    struct kv *kv = must_open(NULL);
    struct answer a[16] = {0};
    for (size_t i = 0; i < ARRAY_LEN(a); i++) {
        pthread_mutex_init(&a[i].lock, NULL);
        pthread_cond_init(&a[i].cond, NULL);
        a[i].wait = (struct kv_wait){.seq = put_one(kv, i), .fn = take_answer};
        if (!kv_when_durable(kv, &a[i].wait))
            a[i].done = true;
    }
    kv_close(kv);
    for (size_t i = 0; i < ARRAY_LEN(a); i++)
        assert_true(a[i].done && a[i].err == ERR_OK);
}

struct stream {
    struct kv *kv;
    _Atomic bool stop;
    _Atomic uint64_t n; /* written */
};

static void *write_on(void *arg)
{
    struct stream *w = arg;
    while (!atomic_load(&w->stop)) {
        put_one(w->kv, atomic_load(&w->n));
        atomic_fetch_add(&w->n, 1);
    }
    return NULL;
}

/* While somebody writes, a checkpoint is a prefix with all that was written before it began: the judge
 * takes it, it opens, also to look only, and then nothing in its folder changes. */
static void test_checkpoint(void **state)
{
    enum { COPIES = 5, BETWEEN = 300 };
    const struct kv_rocksdb_options small = {.write_buffer_bytes = 64 * 1024},
                                    looks = {.read_only = true};
    char copy[96], why[KV_ROCKSDB_WHY_MAX] = "";
    struct stream w = {0};
    pthread_t thread;
    assert_int_equal(kv_rocksdb_open(dir, &small, &w.kv, why, sizeof(why)), ERR_OK);
    assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
    for (int i = 0; i < COPIES; i++) {
        while (atomic_load(&w.n) < (uint64_t)(i + 1) * BETWEEN)
            sched_yield();
        uint64_t before = atomic_load(&w.n);
        struct kv *kv;
        snprintf(copy, sizeof(copy), "%s-copy%d", dir, i);
        if (kv_rocksdb_checkpoint(w.kv, copy, why, sizeof(why)) != ERR_OK)
            fail_msg("%s", why);
        for (int k = 0; k < 2; k++) {
            if (kv_rocksdb_open(copy, k ? NULL : &looks, &kv, why, sizeof(why)) != ERR_OK)
                fail_msg("%s", why);
            assert_true(count_prefix(kv) >= (int64_t)before);
            kv_close(kv);
        }
    }
    /* Not over what is there. */
    assert_int_not_equal(kv_rocksdb_checkpoint(w.kv, copy, why, sizeof(why)), ERR_OK);
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    kv_close(w.kv);
    assert_int_equal(kv_rocksdb_open("/nonexistent/x", &looks, &w.kv, why, sizeof(why)),
                     ERR_NOT_FOUND);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], WRITER) == 0) {
        snprintf(dir, sizeof(dir), "%s", argv[2]);
        ack_fd = atoi(argv[4]);
        writer(strtoull(argv[3], NULL, 10));
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kill_keeps_what_was_acknowledged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_kick, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_sync_is_final, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_does_not_wait_for_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_checkpoint, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
