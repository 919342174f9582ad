/* The tools themselves: crashes of the memory store and the faults of the wrapper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "kv/drv_fault/kv_fault.h"
#include "kv/drv_fault/kv_mem.h"

static struct arena arena;
static struct kv_mem_disk *disk;

static int setup(void **state)
{
    arena_init(&arena, 1 << 20);
    disk = kv_mem_disk_new();
    return disk ? 0 : -1;
}

static int teardown(void **state)
{
    kv_mem_disk_free(disk);
    arena_release(&arena);
    return 0;
}

static struct kv *open_mem(bool manual)
{
    struct kv *kv;
    assert_int_equal(kv_mem_open(disk, manual, &kv), ERR_OK);
    return kv;
}

static uint64_t put(struct kv *kv, const char *key, const char *val)
{
    struct kv_txn *t;
    uint64_t seq;
    assert_int_equal(kv_begin(kv, &t), ERR_OK);
    assert_int_equal(val ? kv_put(t, str_c(key), str_c(val)) : kv_del(t, str_c(key)), ERR_OK);
    assert_int_equal(kv_commit(t, &seq), ERR_OK);
    return seq;
}

static void expect(struct kv *kv, const char *key, const char *want)
{
    struct kv_txn *t;
    struct str val = STR_NONE;
    assert_int_equal(kv_begin(kv, &t), ERR_OK);
    assert_int_equal(kv_peek(t, str_c(key), &arena, &val), want ? ERR_OK : ERR_NOT_FOUND);
    assert_true(!want || str_eq_c(val, want));
    kv_rollback(t);
}

struct answer {
    struct kv_wait wait;
    int calls;
    enum err err;
};

static void take(struct kv_wait *wait, enum err err)
{
    struct answer *a = CONTAINER_OF(wait, struct answer, wait);
    a->calls++;
    a->err = err;
}

static void test_crash_loses_a_suffix(void **state)
{
    struct kv *kv = open_mem(true);
    put(kv, "a", "1");
    uint64_t granted = put(kv, "b", "1");
    uint64_t lost = put(kv, "a", "2");
    put(kv, "b", NULL);
    put(kv, "c", "1");
    struct answer early = {.wait = {.seq = granted, .fn = take}};
    struct answer late = {.wait = {.seq = lost, .fn = take}};
    assert_true(kv_when_durable(kv, &early.wait));
    assert_true(kv_when_durable(kv, &late.wait));
    kv_mem_grant(kv, granted);
    assert_true(early.calls == 1 && early.err == ERR_OK && late.calls == 0);
    expect(kv, "a", "2");
    kv_mem_crash(kv);
    assert_int_equal(late.calls, 0);
    kv = open_mem(true);
    expect(kv, "a", "1");
    expect(kv, "b", "1");
    expect(kv, "c", NULL);
    assert_int_equal(kv_mem_committed(kv), granted);
    put(kv, "d", "1");
    kv_close(kv); /* a clean end loses nothing */
    kv = open_mem(false);
    expect(kv, "d", "1");
    kv_close(kv);
}

static void test_failed_sync(void **state)
{
    struct kv *kv = open_mem(true);
    struct answer a = {.wait = {.seq = put(kv, "a", "1"), .fn = take}};
    assert_true(kv_when_durable(kv, &a.wait));
    kv_mem_fail_sync(kv);
    kv_mem_grant(kv, a.wait.seq);
    assert_true(a.calls == 1 && a.err == ERR_IO);
    struct kv_txn *t;
    uint64_t seq;
    assert_int_equal(kv_begin(kv, &t), ERR_OK);
    assert_int_equal(kv_put(t, STR("b"), STR("1")), ERR_OK);
    assert_int_equal(kv_commit(t, &seq), ERR_IO);
    kv_mem_crash(kv);
    kv = open_mem(false);
    expect(kv, "a", NULL);
    kv_close(kv);
}

static enum err call_one(struct kv *kv, enum kv_fault_call call)
{
    struct kv_txn *t = NULL;
    struct kv_iter *it = NULL;
    struct str key, val;
    uint64_t seq;
    enum err err = kv_begin(kv, &t);
    if (err != ERR_OK)
        return err;
    switch (call) {
    case KV_FAULT_GET:
        err = kv_get(t, STR("k"), &arena, &val);
        break;
    case KV_FAULT_PEEK:
        err = kv_peek(t, STR("k"), &arena, &val);
        break;
    case KV_FAULT_PUT:
        err = kv_put(t, STR("x"), STR("y"));
        break;
    case KV_FAULT_DEL:
        err = kv_del(t, STR("x"));
        break;
    case KV_FAULT_SCAN:
        err = kv_scan(t, STR(""), STR_NONE, false, &it);
        break;
    case KV_FAULT_NEXT:
        err = kv_scan(t, STR(""), STR_NONE, false, &it);
        if (err == ERR_OK)
            err = kv_next(it, &key, &val);
        break;
    case KV_FAULT_COMMIT:
        err = kv_put(t, STR("lost"), STR("v"));
        return err == ERR_OK ? kv_commit(t, &seq) : err;
    default:
        break;
    }
    kv_iter_close(it);
    kv_rollback(t);
    return err;
}

static void test_nth_call_fails_once(void **state)
{
    struct kv *inner = open_mem(false), *kv;
    put(inner, "k", "value");
    assert_int_equal(kv_fault_wrap(inner, &kv), ERR_OK);
    for (int call = 0; call < KV_FAULT_CALLS; call++) {
        uint64_t before = kv_fault_calls(kv, call);
        kv_fault_fail(kv, call, 2, ERR_IO);
        assert_int_equal(call_one(kv, call), ERR_OK);
        put(inner, "lost", NULL);
        assert_int_equal(call_one(kv, call), ERR_IO);
        expect(inner, "lost", NULL);
        assert_int_equal(call_one(kv, call), ERR_OK);
        assert_int_equal(kv_fault_calls(kv, call), before + 3);
        kv_fault_fail(kv, call, 0, ERR_OK);
    }
    kv_close(kv);
}

static void test_spoiled_values(void **state)
{
    struct kv *inner = open_mem(false), *kv;
    put(inner, "k", "value");
    assert_int_equal(kv_fault_wrap(inner, &kv), ERR_OK);
    kv_fault_cut(kv, 2, 3);
    expect(kv, "k", "value");
    expect(kv, "k", "val");
    expect(kv, "k", "value");
    kv_fault_flip(kv, 1, 5 + 1); /* wraps to the second byte */
    char want[] = "value";
    want[1] = (char)~want[1];
    expect(kv, "k", want);
    expect(kv, "k", "value");
    kv_close(kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_crash_loses_a_suffix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_sync, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nth_call_fails_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spoiled_values, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
