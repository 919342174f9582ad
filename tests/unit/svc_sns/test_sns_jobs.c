/* What goes on behind the replies, on a real loop: pending subscriptions end, what is left of deleted
 * topics goes, old letters and deduplication ids too, and nothing else does. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/page.h"
#include "deliver/dedup.h"
#include "kv/drv_fault/kv_mem.h"
#include "svc/sns/sns_int.h"

enum { T0 = 1700000000, SUBS = 1500, DAY_MS = 24 * 60 * 60 * 1000 };

static struct kv_mem_disk *disk;
static struct core core;
static struct io_loop *loop;
static struct sns *s;
static const struct key_scope scope = {STR_INIT("000000000001"), STR_INIT("r")};

static void start(void)
{
    static const struct svc_def *const defs[] = {&sns_def, NULL};
    assert_int_equal(kv_mem_open(disk, false, &core.kv), ERR_OK);
    assert_int_equal(io_loop_new(0, &loop), ERR_OK);
    core.loops = &loop;
    core.n_loops = 1;
    assert_int_equal(deliver_new(&core, &core.deliver), ERR_OK);
    assert_int_equal(core_services_make(&core, defs), ERR_OK);
    assert_int_equal(core_start(&core), ERR_OK);
    s = core.svcs[0].self;
    assert_int_equal(core_services_start(&core), ERR_OK);
    assert_int_equal(deliver_start(core.deliver), ERR_OK);
    assert_int_equal(io_loop_start(loop), ERR_OK);
}

struct stop {
    struct io_task task;
    _Atomic bool done;
};

static void idle(void *arg)
{
    struct stop *st = arg;
    atomic_store(&st->done, true);
}

static void stop_task(struct io_task *task)
{
    deliver_stop(core.deliver);
    core_when_idle(&core, idle, CONTAINER_OF(task, struct stop, task));
}

static void finish(void)
{
    struct stop st = {.task = {.fn = stop_task}};
    io_post(loop, &st.task);
    while (!atomic_load(&st.done))
        sched_yield();
    io_loop_stop(loop);
    io_loop_join(loop);
    core_services_release(&core);
    deliver_free(core.deliver);
    io_loop_free(loop);
    core_stop(&core);
    kv_close(core.kv);
}

static int setup(void **state)
{
    core = (struct core){.cfg = {.account = STR("000000000001"),
                                 .region = STR("r"),
                                 .partition = STR("aws"),
                                 .endpoint = STR("http://h")}};
    clock_fake_set_ms((int64_t)T0 * 1000);
    disk = kv_mem_disk_new();
    start();
    return 0;
}

static int teardown(void **state)
{
    finish();
    kv_mem_disk_free(disk);
    clock_fake_set_ms(-1);
    return 0;
}

/* --- doing ------------------------------------------------------------------------------------ */

static struct sns_topic_ref topic(struct arena *a)
{
    struct sns_topic_ref t = {.scope = scope,
                              .name = STR("t"),
                              .arn = STR("arn:aws:sns:r:000000000001:t"),
                              .key = key_make(a, &sns_k_topic, scope, STR("t"))};
    t.rec.id = 7;
    return t;
}

static struct sns_sub_ref subscription(struct arena *a, int i)
{
    struct sns_sub_ref sub = {.topic = topic(a)};
    sub.rec = (struct sns_sub){.topic_id = 7,
                               .id = str_fmt(a, "00000000-0000-4000-8000-%012d", i),
                               .topic_arn = sub.topic.arn,
                               .protocol = SNS_EMAIL,
                               .endpoint = str_fmt(a, "a%d@b.c", i),
                               .owner = scope.account};
    sub.key = key_make(a, &sns_k_sub, scope, (uint64_t)7, sub.rec.id);
    sub.arn = sns_sub_arn(a, &sub.rec);
    return sub;
}

static enum err add(struct txn *txn, struct sns_sub_ref *sub)
{
    TRY(txn_put(
        txn,
        key_make(txn->arena, &sns_k_endpoint, sub->topic.rec.id, STR("email"), sub->rec.endpoint),
        sub->rec.id));
    return sns_sub_save(s, txn, sub);
}

/* One confirmed, one pending. */
static enum err make_pending(struct txn *txn, void *arg)
{
    struct sns_sub_ref one = subscription(txn->arena, 1), two = subscription(txn->arena, 2);
    one.topic.rec.confirmed = one.topic.rec.pending = 1;
    two.rec.pending = true;
    TRY(sns_topic_save(txn, &one.topic));
    TRY(add(txn, &one));
    TRY(add(txn, &two));
    return sns_pending_set(s, txn, &two);
}

static enum err make_many(struct txn *txn, void *arg)
{
    struct sns_topic_ref t = topic(txn->arena);
    TRY(sns_topic_save(txn, &t));
    for (int i = 0; i < SUBS; i++) {
        struct sns_sub_ref sub = subscription(txn->arena, i);
        TRY(add(txn, &sub));
    }
    return ERR_OK;
}

static enum err delete_topic(struct txn *txn, void *arg)
{
    struct sns_topic_ref t = topic(txn->arena);
    TRY(txn_del(txn, t.key));
    return sns_removal_add(s, txn, &t);
}

static enum err make_old(struct txn *txn, void *arg)
{
    const struct dedup_key key = {.layout = &sns_k_dedup, 7, STR(""), STR("d")};
    for (int i = 0; i < SNS_MAIL_MAX + 50; i++) {
        const struct sns_mail mail = {
            .to = STR("a@b.c"), .subject = STR("s"), .body = STR("b"), .sub_arn = STR("arn")};
        TRY(sns_mail_add(s, txn, &mail));
    }
    return dedup_put(txn, &key, &(struct dedup_seen){.id = STR("m"), .seq = 1});
}

/* --- looking ---------------------------------------------------------------------------------- */

static enum err count_pair(void *arg, struct str key, struct str val)
{
    ++*(size_t *)arg;
    return ERR_OK;
}

struct asking {
    const struct key_layout *layout;
    size_t n;
    _Atomic bool done;
};

static enum err count_body(struct txn *txn, void *arg)
{
    struct asking *q = arg;
    q->n = 0;
    return txn_each(txn, key_range_table(txn->arena, q->layout), count_pair, &q->n);
}

static void asked(void *arg, enum err err)
{
    struct asking *q = arg;
    assert_int_equal(err, ERR_OK);
    atomic_store(&q->done, true);
}

/* Until the table has so many pairs: on the loop, so that its work goes on in between. */
static void expect_count(const struct key_layout *layout, size_t n)
{
    struct asking q = {.layout = layout, .n = SIZE_MAX};
    while (q.n != n) {
        atomic_store(&q.done, false);
        assert_int_equal(txn_run(&core, loop, count_body, &q, asked), ERR_OK);
        while (!atomic_load(&q.done))
            sched_yield();
    }
}

static enum err expect_topic(struct txn *txn, void *arg)
{
    struct sns_topic_ref t;
    TRY(sns_topic_find(txn, topic(txn->arena).arn, &t));
    assert_int_equal(t.rec.confirmed, 1);
    assert_int_equal(t.rec.pending, 0);
    return ERR_OK;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_pending(void **state)
{
    assert_int_equal(txn_run_now(&core, make_pending, NULL), ERR_OK);
    clock_fake_advance_ms(SNS_PENDING_MS - 1000);
    deliver_wake(core.deliver);
    expect_count(&sns_k_sub, 2);
    clock_fake_advance_ms(2000);
    deliver_wake(core.deliver);
    expect_count(&sns_k_sub, 1);
    expect_count(&sns_k_endpoint, 1);
    assert_int_equal(txn_run_now(&core, expect_topic, NULL), ERR_OK);
    assert_int_equal(due_kind_stats(s->pending).failed, 0);
}

static void test_removal(void **state)
{
    assert_int_equal(txn_run_now(&core, make_many, NULL), ERR_OK);
    assert_int_equal(catalogue_count(s->subs, STR("")), SUBS);
    assert_int_equal(txn_run_now(&core, delete_topic, NULL), ERR_OK);
    expect_count(&sns_k_sub, 0);
    expect_count(&sns_k_endpoint, 0);
    assert_int_equal(catalogue_count(s->subs, STR("")), 0);
}

static void test_clean(void **state)
{
    assert_int_equal(txn_run_now(&core, make_old, NULL), ERR_OK);
    expect_count(&sns_k_mail, SNS_MAIL_MAX);
    expect_count(&sns_k_dedup, 1);
    clock_fake_advance_ms(3 * DEDUP_MS);
    deliver_wake(core.deliver);
    expect_count(&sns_k_dedup, 0);
    expect_count(&sns_k_mail, SNS_MAIL_MAX);
}

static enum err token_body(struct txn *txn, void *arg)
{
    struct sns_topic_ref t = topic(txn->arena), other = t;
    struct sns_token token = {.sub_id = STR("id")}, back = {0};
    struct str text;
    other.rec.id = 8;
    TRY(sns_token_make(txn, &t, &token, &text));
    TRY(sns_token_open(txn, &t, text, &back));
    assert_true(str_eq_c(back.sub_id, "id") && !str_is_set(back.endpoint));
    assert_int_equal(sns_token_open(txn, &other, text, &back), ERR_INVALID);
    assert_int_equal(sns_token_open(txn, &t, str_sub(text, 1, SIZE_MAX), &back), ERR_INVALID);
    txn->now_ms += SNS_PENDING_MS + 1;
    assert_int_equal(sns_token_open(txn, &t, text, &back), ERR_INVALID);
    return ERR_OK;
}

static void test_token(void **state)
{
    assert_int_equal(txn_run_now(&core, token_body, NULL), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pending, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clean, setup, teardown),
        cmocka_unit_test_setup_teardown(test_token, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
