/* See conformance.h. Each test opens an empty store and closes it. */
#include "conformance.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"

static const struct conformance_driver *driver;
static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 64 << 20);
    *state = driver->open_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    kv_close(*state);
    driver->wipe();
    arena_release(&arena);
    return 0;
}

static struct kv_txn *begin(struct kv *kv)
{
    struct kv_txn *t = NULL;
    assert_int_equal(kv_begin(kv, &t), ERR_OK);
    return t;
}

static uint64_t commit_ok(struct kv_txn *t)
{
    uint64_t seq = 0;
    assert_int_equal(kv_commit(t, &seq), ERR_OK);
    return seq;
}

static void put(struct kv_txn *t, const char *key, const char *val)
{
    assert_int_equal(kv_put(t, str_c(key), str_c(val)), ERR_OK);
}

static void del(struct kv_txn *t, const char *key)
{
    assert_int_equal(kv_del(t, str_c(key)), ERR_OK);
}

/* NULL expects absence. */
static void expect_get(struct kv_txn *t, const char *key, const char *want)
{
    struct str val = STR_NONE;
    enum err err = kv_get(t, str_c(key), &arena, &val);
    assert_int_equal(err, want ? ERR_OK : ERR_NOT_FOUND);
    if (want)
        assert_true(str_eq_c(val, want));
}

static void put_all(struct kv *kv, const char *const *keys)
{
    struct kv_txn *t = begin(kv);
    for (; *keys; keys++)
        put(t, *keys, *keys);
    commit_ok(t);
}

static void expect_scan(struct kv_txn *t, struct str from, struct str to, bool reverse,
                        const char *want)
{
    struct kv_iter *it;
    struct str key, val;
    char got[1024] = "";
    size_t len = 0;
    enum err err;
    assert_int_equal(kv_scan(t, from, to, reverse, &it), ERR_OK);
    while ((err = kv_next(it, &key, &val)) == ERR_OK)
        len += (size_t)snprintf(got + len, sizeof(got) - len, STR_FMT "=" STR_FMT " ", STR_ARG(key),
                                STR_ARG(val));
    assert_int_equal(err, ERR_NOT_FOUND);
    assert_int_equal(kv_next(it, &key, &val), ERR_NOT_FOUND);
    kv_iter_close(it);
    assert_string_equal(got, want);
}

static void test_read_your_writes(void **state)
{
    struct kv_txn *t = begin(*state);
    expect_get(t, "a", NULL);
    put(t, "a", "1");
    expect_get(t, "a", "1");
    put(t, "a", "");
    expect_get(t, "a", "");
    del(t, "a");
    expect_get(t, "a", NULL);
    put(t, "a", "2");
    commit_ok(t);
    t = begin(*state);
    struct str val;
    expect_get(t, "a", "2");
    assert_int_equal(kv_peek(t, STR("a"), &arena, &val), ERR_OK);
    assert_int_equal(kv_peek(t, STR("b"), &arena, &val), ERR_NOT_FOUND);
    del(t, "never there");
    commit_ok(t);
}

static void test_rollback(void **state)
{
    struct kv_txn *t = begin(*state);
    put(t, "a", "1");
    kv_rollback(t);
    t = begin(*state);
    expect_get(t, "a", NULL);
    kv_rollback(t);
    kv_rollback(NULL);
}

static void test_bytes(void **state)
{
    struct str keys[] = {STR("\0"),   STR("\0\0"), STR("\x01"),    STR("\x7f"),
                         STR("\x80"), STR("\xff"), STR("\xff\xff")};
    struct kv_txn *t = begin(*state);
    for (size_t i = ARRAY_LEN(keys); i-- > 0;)
        assert_int_equal(kv_put(t, keys[i], keys[i]), ERR_OK);
    commit_ok(t);
    t = begin(*state);
    struct kv_iter *it;
    assert_int_equal(kv_scan(t, STR(""), STR_NONE, false, &it), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct str key, val;
        assert_int_equal(kv_next(it, &key, &val), ERR_OK);
        assert_true(str_eq(key, keys[i]) && str_eq(val, keys[i]));
    }
    kv_iter_close(it);
    kv_rollback(t);
}

static void test_limits(void **state)
{
    static char key[KV_KEY_MAX + 1];
    memset(key, 'k', sizeof(key));
    char *val = mem_calloc(1, KV_VALUE_MAX + 1);
    struct str got;
    struct kv_txn *t = begin(*state);
    assert_int_equal(kv_put(t, str_n(key, KV_KEY_MAX), STR("v")), ERR_OK);
    assert_int_equal(kv_put(t, str_n(key, KV_KEY_MAX + 1), STR("v")), ERR_LIMIT);
    assert_int_equal(kv_del(t, str_n(key, KV_KEY_MAX + 1)), ERR_LIMIT);
    assert_int_equal(kv_get(t, str_n(key, KV_KEY_MAX + 1), &arena, &got), ERR_LIMIT);
    assert_int_equal(kv_peek(t, str_n(key, KV_KEY_MAX + 1), &arena, &got), ERR_LIMIT);
    assert_int_equal(kv_put(t, STR("v"), str_n(val, KV_VALUE_MAX + 1)), ERR_LIMIT);
    assert_int_equal(kv_put(t, STR("v"), str_n(val, KV_VALUE_MAX)), ERR_OK);
    commit_ok(t);
    t = begin(*state);
    assert_int_equal(kv_get(t, STR("v"), &arena, &got), ERR_OK);
    assert_int_equal(got.len, KV_VALUE_MAX);
    assert_int_equal(kv_get(t, str_n(key, KV_KEY_MAX), &arena, &got), ERR_OK);
    kv_rollback(t);
    /* Four of the largest fill a transaction to the brim without their keys. */
    t = begin(*state);
    for (char c = 'a'; c <= 'c'; c++)
        assert_int_equal(kv_put(t, str_n(&c, 1), str_n(val, KV_VALUE_MAX)), ERR_OK);
    assert_int_equal(kv_put(t, STR("d"), str_n(val, KV_VALUE_MAX - 4)), ERR_OK);
    assert_int_equal(kv_put(t, STR("e"), STR("")), ERR_LIMIT);
    assert_int_equal(kv_put(t, STR("d"), str_n(val, KV_VALUE_MAX - 3)), ERR_LIMIT);
    kv_rollback(t);
    mem_free(val);
}

static void test_scan_merges_staged(void **state)
{
    static const char *const keys[] = {"b", "d", "f", "h", NULL};
    put_all(*state, keys);
    struct kv_txn *t = begin(*state);
    put(t, "a", "1");
    put(t, "d", "2");
    put(t, "e", "3");
    del(t, "f");
    put(t, "i", "4");
    del(t, "x");
    struct {
        const char *name;
        struct str from, to;
        const char *up, *down;
    } rows[] = {
        {"all", STR(""), STR_NONE, "a=1 b=b d=2 e=3 h=h i=4 ", "i=4 h=h e=3 d=2 b=b a=1 "},
        {"no lower", STR_NONE, STR("e"), "a=1 b=b d=2 ", "d=2 b=b a=1 "},
        {"middle", STR("b"), STR("e"), "b=b d=2 ", "d=2 b=b "},
        {"upper excluded", STR("b"), STR("e\0"), "b=b d=2 e=3 ", "e=3 d=2 b=b "},
        {"from absent key", STR("c"), STR("h"), "d=2 e=3 ", "e=3 d=2 "},
        {"only deleted", STR("f"), STR("g"), "", ""},
        {"nothing", STR("j"), STR_NONE, "", ""},
        {"empty range", STR("b"), STR("b"), "", ""},
        {"backward range", STR("h"), STR("b"), "", ""},
        {"staged only", STR("i"), STR_NONE, "i=4 ", "i=4 "},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        expect_scan(t, rows[i].from, rows[i].to, false, rows[i].up);
        expect_scan(t, rows[i].from, rows[i].to, true, rows[i].down);
    }
    commit_ok(t);
    t = begin(*state);
    expect_scan(t, STR(""), STR_NONE, false, rows[0].up);
    expect_scan(t, STR(""), STR_NONE, true, rows[0].down);
    kv_rollback(t);
}

static void test_scan_staging_meanwhile(void **state)
{
    static const char *const keys[] = {"a", "b", "c", "d", NULL};
    put_all(*state, keys);
    struct kv_txn *t = begin(*state);
    struct kv_iter *it;
    struct str key, val;
    size_t n = 0;
    assert_int_equal(kv_scan(t, STR(""), STR_NONE, false, &it), ERR_OK);
    while (kv_next(it, &key, &val) == ERR_OK) {
        struct str copy = str_dup(&arena, key);
        assert_int_equal(kv_del(t, copy), ERR_OK);
        n++;
    }
    kv_iter_close(it);
    assert_int_equal(n, 4);
    expect_scan(t, STR(""), STR_NONE, false, "");
    commit_ok(t);
}

/* Random writes and scans against a naive model of 32 keys, committed and staged. */
static void test_scan_model(void **state)
{
    enum { KEYS = 32 };
    int committed[KEYS] = {0}, staged[KEYS] = {0};
    rng_seed(7);
    struct kv_txn *t = begin(*state);
    for (int step = 0; step < 3000; step++) {
        int k = (int)rng_below(KEYS), k2 = (int)rng_below(KEYS + 1);
        char key[8], to[8], want[1024] = "";
        snprintf(key, sizeof(key), "%02d", k);
        snprintf(to, sizeof(to), "%02d", k2);
        switch (rng_below(5)) {
        case 0:
        case 1: {
            char val[16];
            staged[k] = step + 1;
            snprintf(val, sizeof(val), "%d", step + 1);
            put(t, key, val);
            break;
        }
        case 2:
            staged[k] = 0;
            del(t, key);
            break;
        case 3: {
            bool reverse = rng_below(2);
            size_t len = 0;
            for (int i = 0; i < KEYS; i++) {
                int at = reverse ? KEYS - 1 - i : i;
                if (at >= k && at < k2 && staged[at])
                    len += (size_t)snprintf(want + len, sizeof(want) - len, "%02d=%d ", at,
                                            staged[at]);
            }
            expect_scan(t, str_c(key), str_c(to), reverse, want);
            break;
        }
        default:
            if (rng_below(4) == 0) {
                kv_rollback(t);
                memcpy(staged, committed, sizeof(staged));
            } else {
                commit_ok(t);
                memcpy(committed, staged, sizeof(staged));
            }
            t = begin(*state);
        }
    }
    kv_rollback(t);
    rng_seed(0);
}

enum act { GET, PEEK, PUT, DEL, SCAN };

/* Transaction A acts, B acts and commits, A writes "other" and commits. */
static void test_conflicts(void **state)
{
    static const struct {
        const char *name;
        bool present;
        enum act a, b;
        const char *b_key;
        enum err want;
    } rows[] = {
        {"get, changed", true, GET, PUT, "k", ERR_CONFLICT},
        {"get, deleted", true, GET, DEL, "k", ERR_CONFLICT},
        {"get absent, created", false, GET, PUT, "k", ERR_CONFLICT},
        {"put, changed", true, PUT, PUT, "k", ERR_CONFLICT},
        {"put, deleted", true, PUT, DEL, "k", ERR_CONFLICT},
        {"delete, changed", true, DEL, PUT, "k", ERR_CONFLICT},
        {"put absent, created", false, PUT, PUT, "k", ERR_CONFLICT},
        {"get, other key", true, GET, PUT, "l", ERR_OK},
        {"put, other key", true, PUT, PUT, "l", ERR_OK},
        {"peek, changed", true, PEEK, PUT, "k", ERR_OK},
        {"scan, changed", true, SCAN, PUT, "k", ERR_OK},
        {"get, read", true, GET, GET, "k", ERR_OK},
        {"put, read", true, PUT, GET, "k", ERR_OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kv *kv = *state;
        struct kv_txn *t = begin(kv);
        if (rows[i].present)
            put(t, "k", "0");
        else
            del(t, "k");
        del(t, "other");
        commit_ok(t);
        struct kv_txn *pair[] = {begin(kv), begin(kv)};
        for (int j = 0; j < 2; j++) {
            const char *key = j ? rows[i].b_key : "k";
            struct str val;
            switch (j ? rows[i].b : rows[i].a) {
            case GET:
                (void)!kv_get(pair[j], str_c(key), &arena, &val);
                break;
            case PEEK:
                (void)!kv_peek(pair[j], str_c(key), &arena, &val);
                break;
            case PUT:
                put(pair[j], key, j ? "b" : "a");
                break;
            case DEL:
                del(pair[j], key);
                break;
            case SCAN:
                expect_scan(pair[j], STR("k"), STR("l"), false, rows[i].present ? "k=0 " : "");
                break;
            }
        }
        commit_ok(pair[1]);
        put(pair[0], "other", "a");
        uint64_t seq;
        enum err err = kv_commit(pair[0], &seq);
        if (err != rows[i].want)
            fail_msg("%s: got %s", rows[i].name, err_name(err));
        t = begin(kv);
        expect_get(t, "other", rows[i].want == ERR_OK ? "a" : NULL); /* all or nothing */
        kv_rollback(t);
    }
}

static void test_read_only_always_commits(void **state)
{
    static const char *const keys[] = {"a", NULL};
    put_all(*state, keys);
    struct kv_txn *t = begin(*state);
    expect_get(t, "a", "a");
    struct kv_txn *w = begin(*state);
    put(w, "a", "2");
    commit_ok(w);
    struct str val = STR_NONE;
    enum err err = kv_get(t, STR("a"), &arena, &val);
    assert_true(err == ERR_CONFLICT || (err == ERR_OK && str_eq_c(val, "a"))); /* K2 */
    commit_ok(t);
}

/* What a transaction reads by points is one state, whatever commits in between (K2). */
static void test_point_reads_are_one_state(void **state)
{
    static const char *const keys[] = {"a", "b", "c", NULL};
    static const struct {
        const char *name;
        const char *changed[3]; /* set to "2" by one commit after `a` was read */
        bool peek, scan;        /* how `b` is read then */
    } rows[] = {
        {"neither", {"c"}, false, false},        {"the first", {"a"}, false, false},
        {"the second", {"b"}, false, false},     {"both", {"a", "b"}, false, false},
        {"both, peek", {"a", "b"}, true, false}, {"both, scan", {"a", "b"}, false, true},
        {"second, scan", {"b"}, false, true},
    };
    struct kv *kv = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put_all(kv, keys);
        struct kv_txn *t = begin(kv);
        expect_get(t, "a", "a");
        struct kv_txn *w = begin(kv);
        for (size_t k = 0; k < 3 && rows[i].changed[k]; k++)
            put(w, rows[i].changed[k], "2");
        commit_ok(w);
        struct str key, val = STR_NONE;
        struct kv_iter *it = NULL;
        enum err err = rows[i].scan   ? kv_scan(t, STR("b"), STR("c"), false, &it)
                       : rows[i].peek ? kv_peek(t, STR("b"), &arena, &val)
                                      : kv_get(t, STR("b"), &arena, &val);
        if (it)
            err = kv_next(it, &key, &val);
        bool old = err == ERR_OK && str_eq_c(val, "b");
        bool later =
            err == ERR_OK && str_eq_c(val, "2") && !str_eq_c(str_c(rows[i].changed[0]), "a");
        kv_iter_close(it);
        if (!old && !later && err != ERR_CONFLICT)
            fail_msg("%s: %s " STR_FMT, rows[i].name, err_name(err), STR_ARG(val));
        kv_rollback(t);
    }
}

static void test_snapshot(void **state)
{
    static const char *const keys[] = {"a", "b", "c", NULL};
    put_all(*state, keys);
    struct kv_txn *t = begin(*state);
    expect_scan(t, STR(""), STR_NONE, false, "a=a b=b c=c ");
    struct kv_txn *w = begin(*state);
    put(w, "a", "2");
    del(w, "b");
    put(w, "d", "2");
    commit_ok(w);
    expect_scan(t, STR(""), STR_NONE, false, "a=a b=b c=c ");
    expect_scan(t, STR(""), STR_NONE, true, "c=c b=b a=a ");
    struct kv_iter *it;
    struct str key, val;
    assert_int_equal(kv_scan(t, STR(""), STR_NONE, false, &it), ERR_OK);
    assert_int_equal(kv_next(it, &key, &val), ERR_OK);
    w = begin(*state);
    del(w, "c");
    commit_ok(w);
    assert_int_equal(kv_next(it, &key, &val), ERR_OK);
    assert_int_equal(kv_next(it, &key, &val), ERR_OK);
    assert_true(str_eq_c(key, "c"));
    kv_iter_close(it);
    kv_rollback(t);
    t = begin(*state);
    expect_scan(t, STR(""), STR_NONE, false, "a=2 d=2 ");
    kv_rollback(t);
}

enum { COUNTERS = 3, THREADS = 4, ROUNDS = 400 };

struct hammer {
    struct kv *kv;
    uint64_t conflicts;
    bool failed;
};

/* Moves one unit from a random counter to another, and counts in a third key. */
static enum err transfer(struct kv *kv, struct arena *a)
{
    struct kv_txn *t;
    TRY(kv_begin(kv, &t));
    char from[8], to[8], text[32];
    snprintf(from, sizeof(from), "c%d", (int)rng_below(COUNTERS));
    snprintf(to, sizeof(to), "c%d", (int)rng_below(COUNTERS));
    const char *keys[] = {from, to, "total"};
    static const int64_t add[] = {-1, 1, 1};
    enum err err = ERR_OK;
    for (int i = 0; i < 3 && err == ERR_OK; i++) {
        struct str val;
        int64_t v = 0;
        err = kv_get(t, str_c(keys[i]), a, &val);
        if (err == ERR_OK)
            err = str_to_i64(val, &v);
        else if (err == ERR_NOT_FOUND)
            err = ERR_OK;
        snprintf(text, sizeof(text), "%lld", (long long)(v + add[i]));
        if (err == ERR_OK)
            err = kv_put(t, str_c(keys[i]), str_c(text));
    }
    uint64_t seq;
    if (err == ERR_OK)
        return kv_commit(t, &seq);
    kv_rollback(t);
    return err;
}

static void *hammer_main(void *arg)
{
    struct hammer *h = arg;
    struct arena a;
    arena_init(&a, 1 << 20);
    for (int i = 0; i < ROUNDS && !h->failed;) {
        enum err err = transfer(h->kv, &a);
        arena_clear(&a);
        if (err == ERR_OK)
            i++;
        else if (err == ERR_CONFLICT)
            h->conflicts++;
        else
            h->failed = true;
    }
    arena_release(&a);
    return NULL;
}

static void test_serialisable_counters(void **state)
{
    struct hammer h[THREADS] = {0};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        h[i].kv = *state;
        assert_int_equal(pthread_create(&threads[i], NULL, hammer_main, &h[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(h[i].failed);
    }
    struct kv_txn *t = begin(*state);
    int64_t sum = 0, v;
    struct kv_iter *it;
    struct str key, val;
    assert_int_equal(kv_scan(t, STR("c"), STR("d"), false, &it), ERR_OK);
    while (kv_next(it, &key, &val) == ERR_OK) {
        assert_int_equal(str_to_i64(val, &v), ERR_OK);
        sum += v;
    }
    kv_iter_close(it);
    assert_int_equal(sum, 0);
    char want[16];
    snprintf(want, sizeof(want), "%d", THREADS * ROUNDS);
    expect_get(t, "total", want);
    kv_rollback(t);
}

struct pairs {
    struct kv *kv;
    _Atomic bool stop;
    bool failed;
};

/* Writes the same number under two keys, again and again. */
static void *pairs_main(void *arg)
{
    struct pairs *p = arg;
    for (int i = 0; !atomic_load(&p->stop) && !p->failed; i++) {
        char val[16];
        struct kv_txn *t;
        uint64_t seq;
        snprintf(val, sizeof(val), "%d", i);
        p->failed = kv_begin(p->kv, &t) != ERR_OK || kv_put(t, STR("x"), str_c(val)) != ERR_OK ||
                    kv_put(t, STR("y"), str_c(val)) != ERR_OK || kv_commit(t, &seq) != ERR_OK;
    }
    return NULL;
}

static void test_atomic_under_concurrent_writes(void **state)
{
    struct pairs p = {.kv = *state};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, pairs_main, &p), 0);
    for (int i = 0; i < 2000;) {
        struct kv_txn *t = begin(*state);
        struct str x = STR(""), y = STR("");
        enum err ex = kv_get(t, STR("x"), &arena, &x);
        enum err ey = kv_peek(t, STR("y"), &arena, &y);
        if (ex != ERR_CONFLICT && ey != ERR_CONFLICT) {
            assert_int_equal(ex, ey);
            assert_true(str_eq(x, y));
            i++;
        }
        kv_rollback(t);
        arena_clear(&arena);
    }
    atomic_store(&p.stop, true);
    pthread_join(thread, NULL);
    assert_false(p.failed);
}

struct waiter {
    struct kv_wait wait;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    int calls;
    enum err err;
    uint64_t durable; /* as seen from fn */
    struct kv *kv;
};

static void on_durable(struct kv_wait *wait, enum err err)
{
    struct waiter *w = CONTAINER_OF(wait, struct waiter, wait);
    pthread_mutex_lock(&w->lock);
    w->durable = kv_durable_seq(w->kv);
    w->err = err;
    w->calls++;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

static void waiter_init(struct waiter *w, struct kv *kv, uint64_t seq)
{
    *w = (struct waiter){.wait = {.seq = seq, .fn = on_durable}, .kv = kv};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->cond, NULL);
}

static void wait_durable(struct kv *kv, uint64_t seq)
{
    struct waiter w;
    waiter_init(&w, kv, seq);
    if (kv_when_durable(kv, &w.wait)) {
        kv_kick(kv);
        pthread_mutex_lock(&w.lock);
        while (w.calls == 0)
            pthread_cond_wait(&w.cond, &w.lock);
        pthread_mutex_unlock(&w.lock);
        assert_int_equal(w.calls, 1);
        assert_int_equal(w.err, ERR_OK);
        assert_true(w.durable >= seq);
    }
    assert_true(kv_durable_seq(kv) >= seq);
    assert_false(kv_when_durable(kv, &w.wait));
    assert_false(kv_cancel_wait(kv, &w.wait));
}

static void test_durable(void **state)
{
    uint64_t last = 0, durable = kv_durable_seq(*state);
    for (int i = 0; i < 50; i++) {
        struct kv_txn *t = begin(*state);
        put(t, "k", "v");
        uint64_t seq = commit_ok(t);
        assert_true(seq > last);
        last = seq;
        assert_true(kv_last_seq(*state) >= seq);
        if (i % 10 == 9)
            wait_durable(*state, seq);
        uint64_t now = kv_durable_seq(*state);
        assert_true(now >= durable);
        durable = now;
    }
    wait_durable(*state, last);
    struct kv_txn *t = begin(*state);
    wait_durable(*state, commit_ok(t)); /* read nothing: nothing to wait for */
}

enum { WAITERS = 4, WAITS = 250 };

static void *waits_main(void *arg)
{
    struct hammer *h = arg;
    struct arena a;
    char key[16];
    arena_init(&a, 1 << 20);
    snprintf(key, sizeof(key), "w%p", arg);
    for (int i = 0; i < WAITS && !h->failed; i++) {
        struct kv_txn *t;
        uint64_t seq = 0;
        h->failed = kv_begin(h->kv, &t) != ERR_OK || kv_put(t, str_c(key), STR("v")) != ERR_OK ||
                    kv_commit(t, &seq) != ERR_OK;
        if (!h->failed)
            wait_durable(h->kv, seq);
    }
    arena_release(&a);
    return NULL;
}

/* No wait is forgotten, however kicks and syncs of several threads fall together. */
static void test_many_wait(void **state)
{
    struct hammer h[WAITERS] = {0};
    pthread_t threads[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        h[i].kv = *state;
        assert_int_equal(pthread_create(&threads[i], NULL, waits_main, &h[i]), 0);
    }
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(h[i].failed);
    }
}

/* What a read must wait for covers the write that it saw, by get, peek, absence or scan. */
static void test_read_depends_on_write(void **state)
{
    for (int how = 0; how < 4; how++) {
        struct kv_txn *t = begin(*state);
        if (how == 2)
            del(t, "k");
        else
            put(t, "k", "v");
        uint64_t written = commit_ok(t);
        struct str val;
        t = begin(*state);
        if (how == 0)
            expect_get(t, "k", "v");
        else if (how == 1)
            assert_int_equal(kv_peek(t, STR("k"), &arena, &val), ERR_OK);
        else if (how == 2)
            expect_get(t, "k", NULL);
        else
            expect_scan(t, STR("k"), STR("l"), false, "k=v ");
        uint64_t seq = commit_ok(t);
        assert_true(seq >= written || kv_durable_seq(*state) >= written);
        wait_durable(*state, seq);
    }
}

static void test_cancel(void **state)
{
    for (int i = 0; i < 100; i++) {
        struct kv_txn *t = begin(*state);
        put(t, "k", "v");
        struct waiter w;
        waiter_init(&w, *state, commit_ok(t));
        if (!kv_when_durable(*state, &w.wait))
            continue;
        if (i % 2)
            kv_kick(*state);
        if (kv_cancel_wait(*state, &w.wait)) {
            assert_int_equal(w.calls, 0);
            continue;
        }
        pthread_mutex_lock(&w.lock); /* it is about to run */
        while (w.calls == 0)
            pthread_cond_wait(&w.cond, &w.lock);
        pthread_mutex_unlock(&w.lock);
    }
}

static void test_reopen(void **state)
{
    static const char *const keys[] = {"a", "b", NULL};
    put_all(*state, keys);
    struct kv_txn *t = begin(*state);
    del(t, "a");
    put(t, "c", "3");
    commit_ok(t); /* nobody waits: close makes it durable */
    kv_close(*state);
    *state = driver->reopen();
    t = begin(*state);
    expect_scan(t, STR(""), STR_NONE, false, "b=b c=3 ");
    kv_rollback(t);
}

enum { STAMPED_ROUNDS = 300 };

struct stamper {
    struct kv *kv;
    _Atomic int *running;
    bool failed;
};

static enum err put_stamped(struct kv_txn *t, const char *val)
{
    return kv_put_stamped(t, STR("s__________"), 1, str_c(val));
}

/* Commits stamped keys, some together with a key that all write, so that conflicts are among them. */
static void *stamper_main(void *arg)
{
    struct stamper *s = arg;
    for (int i = 0; i < STAMPED_ROUNDS && !s->failed;) {
        struct kv_txn *t;
        uint64_t seq;
        s->failed = kv_begin(s->kv, &t) != ERR_OK || put_stamped(t, "1") != ERR_OK ||
                    put_stamped(t, "2") != ERR_OK ||
                    (i % 3 == 0 && kv_put(t, STR("hot"), STR("")) != ERR_OK);
        enum err err = s->failed ? ERR_IO : kv_commit(t, &seq);
        s->failed = err != ERR_OK && err != ERR_CONFLICT;
        i += err == ERR_OK;
    }
    atomic_fetch_sub(s->running, 1);
    return NULL;
}

/* Reads on behind the last key that it saw, as a reader of a stream does. */
static int read_stamped(struct kv *kv, char last[11])
{
    struct kv_txn *t = begin(kv);
    struct kv_iter *it;
    struct str key, val, from = str_n(last, 11);
    int n = 0;
    enum err err = kv_scan(t, from, STR("t"), false, &it);
    if (err == ERR_OK) {
        while (kv_next(it, &key, &val) == ERR_OK) {
            if (str_eq(key, from))
                continue;
            assert_int_equal(key.len, 11);
            assert_true(str_cmp(key, str_n(last, 11)) > 0);
            assert_true(str_eq_c(val, n % 2 == 0 ? "1" : "2")); /* in order of staging */
            n++;
            memcpy(last, key.p, 11);
            from = STR("");
        }
        kv_iter_close(it);
    }
    kv_rollback(t);
    return n;
}

/* K7: a reader that goes on behind the last stamp it saw misses nothing that others commit meanwhile. */
static void test_stamps_under_concurrent_writes(void **state)
{
    struct stamper s[THREADS] = {0};
    pthread_t threads[THREADS];
    _Atomic int running = THREADS;
    char last[11] = "s";
    int n = 0;
    for (int i = 0; i < THREADS; i++) {
        s[i] = (struct stamper){.kv = *state, .running = &running};
        assert_int_equal(pthread_create(&threads[i], NULL, stamper_main, &s[i]), 0);
    }
    while (atomic_load(&running))
        n += read_stamped(*state, last);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(s[i].failed);
    }
    n += read_stamped(*state, last);
    assert_int_equal(n, THREADS * STAMPED_ROUNDS * 2);
}

static void test_stamps_after_reopen(void **state)
{
    char last[11] = "s";
    for (int i = 1; i <= 3; i++) {
        struct kv_txn *t = begin(*state);
        struct str val;
        assert_int_equal(put_stamped(t, "1"), ERR_OK);
        assert_int_equal(kv_get(t, STR("s__________"), &arena, &val), ERR_NOT_FOUND);
        commit_ok(t);
        assert_int_equal(read_stamped(*state, last), 1); /* behind the ones before */
        kv_close(*state);
        *state = driver->reopen();
    }
    struct kv_txn *t = begin(*state);
    assert_int_equal(kv_put_stamped(t, STR("s__________"), 1, STR("")), ERR_OK);
    kv_rollback(t);
    assert_int_equal(read_stamped(*state, last), 0);
}

static void test_big_transaction(void **state)
{
    enum { N = 5000 };
    struct kv_txn *t = begin(*state);
    char key[16];
    for (int i = 0; i < N; i++) {
        snprintf(key, sizeof(key), "%06d", i * 7919 % N);
        put(t, key, key);
    }
    for (int i = 0; i < N; i += 2) {
        snprintf(key, sizeof(key), "%06d", i);
        del(t, key);
        expect_get(t, key, NULL);
    }
    commit_ok(t);
    t = begin(*state);
    struct kv_iter *it;
    struct str k, v;
    int n = 0;
    assert_int_equal(kv_scan(t, STR(""), STR_NONE, false, &it), ERR_OK);
    for (; kv_next(it, &k, &v) == ERR_OK; n++) {
        snprintf(key, sizeof(key), "%06d", n * 2 + 1);
        assert_true(str_eq_c(k, key));
    }
    kv_iter_close(it);
    assert_int_equal(n, N / 2);
    assert_true(kv_stats(*state, &arena).len > 0);
    kv_rollback(t);
}

int conformance_run(const struct conformance_driver *d)
{
    driver = d;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_your_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rollback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scan_merges_staged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scan_staging_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scan_model, setup, teardown),
        cmocka_unit_test_setup_teardown(test_conflicts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_only_always_commits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_point_reads_are_one_state, setup, teardown),
        cmocka_unit_test_setup_teardown(test_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(test_serialisable_counters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_atomic_under_concurrent_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_depends_on_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reopen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stamps_under_concurrent_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stamps_after_reopen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_big_transaction, setup, teardown),
    };
    return cmocka_run_group_tests_name(d->name, tests, NULL, NULL);
}
