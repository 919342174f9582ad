/* Messages through transactions, over the store in memory and a fake clock: leases, dead letters,
 * deduplication, purge, aborted transactions, restarts, crashes and failing store calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "deliver/dedup.h"
#include "deliver/deliver.h"
#include "kv/drv_fault/kv_fault.h"
#include "kv/drv_fault/kv_mem.h"
#include "svc/sqs/sqs_int.h"

enum { T0 = 1700000000 };

static struct kv_mem_disk *disk;
static struct core core;
static struct sqs *s;
static struct sqs_port port;
static struct svc svc;
static const struct key_scope scope = {STR_INIT("000000000001"), STR_INIT("r")};

/* Of a queue's record; until the next one. */
static struct str key_of(const char *name)
{
    static char bytes[200];
    struct buf b;
    buf_init_fixed(&b, bytes, sizeof(bytes));
    key_put(&b, &sqs_k_queue, scope, str_c(name));
    return buf_str(&b);
}

static void open_store(void)
{
    struct kv *inner;
    assert_int_equal(kv_mem_open(disk, false, &inner), ERR_OK);
    assert_int_equal(kv_fault_wrap(inner, &core.kv), ERR_OK);
    assert_int_equal(deliver_new(&core, &core.deliver), ERR_OK);
    void *self;
    assert_int_equal(sqs_def.make(&core, &self), ERR_OK);
    s = self;
    assert_int_equal(sqs_def.start(s), ERR_OK);
    port = s->port;
    svc = (struct svc){&sqs_def, s};
    core.svcs = &svc;
    core.n_svcs = 1;
}

static void close_store(void)
{
    sqs_def.begin_stop(s);
    sqs_def.release(s);
    deliver_free(core.deliver);
    kv_close(core.kv);
}

static void restart(void)
{
    close_store();
    open_store();
}

static int setup(void **state)
{
    core = (struct core){.cfg = {.account = STR("000000000001"),
                                 .region = STR("r"),
                                 .partition = STR("aws"),
                                 .endpoint = STR("http://h")}};
    clock_fake_set_ms((int64_t)T0 * 1000);
    disk = kv_mem_disk_new();
    open_store();
    return 0;
}

static int teardown(void **state)
{
    close_store();
    kv_mem_disk_free(disk);
    clock_fake_set_ms(-1);
    return 0;
}

/* What the bodies below do in their transaction. */
struct act {
    const char *name;
    struct sqs_config config; /* create */
    const char *body, *group, *dedup;
    int64_t delay_s, visibility_s;
    size_t max;
    char receipt[SQS_BATCH_MAX][64]; /* out of receive, into the others */
    char got[SQS_BATCH_MAX * 16];    /* bodies and receive counts that came, "a1 b2 " */
    size_t n;
    int64_t first_receive_ms; /* of the last that came */
    bool duplicate;
    bool give_up; /* end with an error after staging */
};

static struct str arn_of(struct arena *a, const char *name)
{
    return str_fmt(a, "arn:aws:sqs:r:000000000001:%s", name);
}

static void entered(void *arg)
{
    assert_int_equal(sqs_queue_enter(arg), ERR_OK);
}

static enum err create_body(struct txn *txn, void *arg)
{
    struct act *act = arg;
    struct sqs_queue *q;
    TRY(sqs_queue_new(s, scope, str_c(act->name), &act->config, &q));
    TRY(txn_on_commit(txn, entered, q));
    return sqs_save(txn, q, &act->config);
}

static void create(const char *name, bool fifo, const char *dlq, int receives_max)
{
    static uint64_t id;
    static char dlq_arn[100];
    struct act act = {.name = name};
    sqs_config_init(&act.config, clock_now_ms());
    act.config.id = ++id;
    act.config.fifo = act.config.content_dedup = fifo;
    if (dlq) {
        snprintf(dlq_arn, sizeof(dlq_arn), "arn:aws:sqs:r:000000000001:%s", dlq);
        act.config.dlq_arn = str_c(dlq_arn);
        act.config.receives_max = receives_max;
    }
    assert_int_equal(txn_run_now(&core, create_body, &act), ERR_OK);
}

static enum err send_body(struct txn *txn, void *arg)
{
    struct act *act = arg;
    struct sqs_open o;
    struct fault f;
    struct sqs_checked checked;
    struct sqs_sent sent;
    struct sqs_draft d = {.body = str_c(act->body),
                          .has_delay = act->delay_s > 0,
                          .delay_s = act->delay_s,
                          .group = str_c(act->group),
                          .dedup = str_c(act->dedup),
                          .sender = STR("me")};
    TRY(sqs_open_arn(s, txn, arn_of(txn->arena, act->name), &o));
    TRY(sqs_message_check(txn->arena, &o.config, &d, &checked, &f));
    TRY(sqs_send_stage(txn, &o, &checked.body, checked.delay_s, &sent));
    act->duplicate = sent.duplicate;
    return act->give_up ? ERR_INVALID : ERR_OK;
}

static void put(const char *name, const char *body, const char *group)
{
    struct act act = {.name = name, .body = body, .group = group};
    assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
}

static enum err receive_body(struct txn *txn, void *arg)
{
    struct act *act = arg;
    struct sqs_open o;
    struct sqs_taken taken[SQS_BATCH_MAX];
    bool staged;
    size_t len = 0;
    TRY(sqs_open_arn(s, txn, arn_of(txn->arena, act->name), &o));
    TRY(sqs_take(txn, &o, act->max, act->visibility_s, taken, &act->n, &staged));
    act->got[0] = 0;
    for (size_t i = 0; i < act->n; i++) {
        snprintf(act->receipt[i], sizeof(act->receipt[i]), STR_FMT, STR_ARG(taken[i].receipt));
        len += (size_t)snprintf(act->got + len, sizeof(act->got) - len, STR_FMT "%u ",
                                STR_ARG(taken[i].body.body), taken[i].receives);
        act->first_receive_ms = taken[i].first_receive_ms;
    }
    return act->give_up ? ERR_INVALID : ERR_OK;
}

static struct act receive(const char *name, size_t max, int64_t visibility_s, const char *want)
{
    struct act act = {.name = name, .max = max, .visibility_s = visibility_s};
    assert_int_equal(txn_run_now(&core, receive_body, &act), ERR_OK);
    assert_string_equal(act.got, want);
    return act;
}

static const struct wire_error *fault_of;

static enum err delete_body(struct txn *txn, void *arg)
{
    struct act *act = arg;
    struct sqs_open o;
    struct fault f = {0};
    TRY(sqs_open_arn(s, txn, arn_of(txn->arena, act->name), &o));
    enum err err = sqs_delete_stage(txn, &o, str_c(act->receipt[0]), &f);
    fault_of = f.error;
    return err;
}

static enum err visibility_body(struct txn *txn, void *arg)
{
    struct act *act = arg;
    struct sqs_open o;
    struct fault f = {0};
    TRY(sqs_open_arn(s, txn, arn_of(txn->arena, act->name), &o));
    enum err err = sqs_visibility_stage(txn, &o, str_c(act->receipt[0]), act->visibility_s, &f);
    fault_of = f.error;
    return err;
}

static enum err delete_it(struct act *act)
{
    return txn_run_now(&core, delete_body, act);
}

static enum err set_visibility(struct act *act, int64_t visibility_s)
{
    act->visibility_s = visibility_s;
    return txn_run_now(&core, visibility_body, act);
}

static void test_lease(void **state)
{
    create("q", false, NULL, 0);
    put("q", "a", NULL);
    put("q", "b", NULL);
    struct act a = receive("q", 1, 30, "a1 ");
    receive("q", 10, 30, "b1 ");
    receive("q", 10, 30, "");
    clock_fake_advance_ms(29999);
    receive("q", 10, 30, "");
    clock_fake_advance_ms(1);
    struct act again = receive("q", 1, 30, "a2 ");
    assert_int_equal(delete_it(&a), ERR_OK); /* an old handle: accepted, without effect */
    receive("q", 1, 30, "b2 ");
    assert_int_equal(set_visibility(&a, 0), ERR_OK); /* likewise: it is another consumer's now */
    receive("q", 1, 30, "");
    assert_int_equal(delete_it(&again), ERR_OK);
    assert_int_equal(delete_it(&again), ERR_OK); /* twice is fine */
    assert_int_equal(set_visibility(&again, 5), ERR_FAILED);
    clock_fake_advance_ms(60000);
    receive("q", 10, 30, "b3 ");
}

static void test_visibility(void **state)
{
    create("q", false, NULL, 0);
    put("q", "a", NULL);
    struct act a = receive("q", 1, 30, "a1 ");
    assert_int_equal(set_visibility(&a, 100), ERR_OK);
    clock_fake_advance_ms(99999);
    receive("q", 1, 30, "");
    clock_fake_advance_ms(1);
    assert_int_equal(set_visibility(&a, 10), ERR_OK); /* lapsed: it stays visible */
    a = receive("q", 1, 30, "a2 ");
    assert_int_equal(set_visibility(&a, 0), ERR_OK); /* handed back */
    assert_int_equal(set_visibility(&a, 0), ERR_OK); /* twice */
    a = receive("q", 1, 0, "a3 ");
    a = receive("q", 1, 43200, "a4 ");
    assert_int_equal(set_visibility(&a, 43201), ERR_FAILED);
    assert_int_equal(set_visibility(&a, -1), ERR_FAILED);
    clock_fake_advance_ms(1000);
    assert_int_equal(set_visibility(&a, 43200), ERR_FAILED); /* 12 hours in all */
    assert_int_equal(set_visibility(&a, 43199), ERR_OK);
}

static void test_delay(void **state)
{
    create("q", false, NULL, 0);
    struct act act = {.name = "q", .body = "late", .delay_s = 10};
    assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
    put("q", "now", NULL);
    receive("q", 10, 100, "now1 ");
    restart();
    clock_fake_advance_ms(9999);
    receive("q", 10, 100, "");
    clock_fake_advance_ms(1);
    receive("q", 10, 100, "late1 ");
}

static void test_receipts(void **state)
{
    create("q", false, NULL, 0);
    create("other", false, NULL, 0);
    put("q", "a", NULL);
    struct act a = receive("q", 1, 30, "a1 "), bad = a;
    bad.name = "other";
    assert_int_equal(delete_it(&bad), ERR_FAILED);
    assert_ptr_equal(fault_of, &sqs_err_receipt_handle_is_invalid);
    static const char *const texts[] = {"", "x", "AAAA", "!!!!",
                                        "AQAAAAAAAAABAAABi8/lZAAAAAAAAQAAAAAAAAAA"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        bad = a;
        snprintf(bad.receipt[0], sizeof(bad.receipt[0]), "%s", texts[i]);
        assert_int_equal(delete_it(&bad), ERR_FAILED);
    }
    for (size_t i = 0; a.receipt[0][i]; i++) { /* no character of it may change */
        bad = a;
        bad.receipt[0][i] = bad.receipt[0][i] == 'A' ? 'B' : 'A';
        assert_int_equal(delete_it(&bad), ERR_FAILED);
    }
    restart();
    assert_int_equal(delete_it(&a), ERR_OK);
    clock_fake_advance_ms(30000);
    receive("q", 1, 30, "");
}

static void test_abort(void **state)
{
    create("q", false, NULL, 0);
    struct act act = {.name = "q", .body = "x", .give_up = true};
    assert_int_equal(txn_run_now(&core, send_body, &act), ERR_INVALID);
    receive("q", 10, 30, "");
    put("q", "a", NULL);
    put("q", "b", NULL);
    put("q", "c", NULL);
    act = (struct act){.name = "q", .max = 2, .visibility_s = 30, .give_up = true};
    assert_int_equal(txn_run_now(&core, receive_body, &act), ERR_INVALID);
    assert_string_equal(act.got, "a1 b1 ");
    receive("q", 10, 30, "a1 b1 c1 "); /* in the same order, not counted */
}

static void test_dead_letters(void **state)
{
    create("dlq", false, NULL, 0);
    create("q", false, "dlq", 2);
    put("q", "a", NULL);
    for (int i = 1; i <= 2; i++) {
        receive("q", 1, 0, i == 1 ? "a1 " : "a2 ");
        receive("dlq", 1, 0, "");
    }
    put("q", "b", NULL);
    receive("q", 1, 30, "b1 ");    /* the dead letter does not use up the receive */
    receive("dlq", 10, 30, "a3 "); /* the count goes on */
    restart();
    receive("q", 10, 30, "");
    clock_fake_advance_ms(30000);
    receive("dlq", 10, 30, "a4 ");
}

/* What is told of a message in the dead-letter queue goes on from where it came; what counts for that
 * queue's own redrive policy does not. */
static void test_dead_letter_history(void **state)
{
    create("last", false, NULL, 0);
    create("dlq", false, "last", 2);
    create("q", false, "dlq", 1);
    put("q", "a", NULL);
    struct act first = receive("q", 1, 1, "a1 ");
    clock_fake_advance_ms(5000);
    receive("q", 1, 1, "");
    struct act dead = receive("dlq", 1, 1, "a2 ");
    assert_true(first.first_receive_ms == (int64_t)T0 * 1000);
    assert_true(dead.first_receive_ms == first.first_receive_ms);
    clock_fake_advance_ms(5000);
    restart();
    dead = receive("dlq", 1, 1, "a3 ");
    assert_true(dead.first_receive_ms == first.first_receive_ms);
    clock_fake_advance_ms(5000);
    receive("dlq", 1, 1, "");
    dead = receive("last", 1, 1, "a4 ");
    assert_true(dead.first_receive_ms == first.first_receive_ms);
}

static void test_dead_letter_queue_missing(void **state)
{
    create("q", false, "nowhere", 1);
    put("q", "a", NULL);
    receive("q", 1, 0, "a1 ");
    receive("q", 1, 0, "a2 "); /* stays where it is */
}

static void test_retention(void **state)
{
    create("q", false, NULL, 0);
    put("q", "old", NULL);
    clock_fake_advance_ms(1000);
    put("q", "young", NULL);
    clock_fake_advance_ms(4LL * 86400 * 1000 - 1000);
    receive("q", 10, 30, "young1 ");
    restart();
    receive("q", 10, 30, "");
}

static void test_restart_keeps_leases(void **state)
{
    create("q", false, NULL, 0);
    for (char c = 'a'; c <= 'e'; c++)
        put("q", (char[]){c, 0}, NULL);
    struct act a = receive("q", 1, 30, "a1 ");
    receive("q", 1, 60, "b1 ");
    restart();
    receive("q", 10, 100, "c1 d1 e1 ");
    assert_int_equal(delete_it(&a), ERR_OK);
    clock_fake_advance_ms(60000);
    receive("q", 10, 100, "b2 ");
}

static void test_fifo_order(void **state)
{
    create("q.fifo", true, NULL, 0);
    static const char *const sent[] = {"a1", "b1", "a2", "a3", "b2"};
    for (size_t i = 0; i < ARRAY_LEN(sent); i++)
        put("q.fifo", sent[i], (char[]){sent[i][0], 0});
    struct act a = receive("q.fifo", 1, 30, "a11 ");
    receive("q.fifo", 1, 30, "b11 ");
    receive("q.fifo", 10, 30, ""); /* both groups are out */
    assert_int_equal(delete_it(&a), ERR_OK);
    a = receive("q.fifo", 1, 10, "a21 ");
    restart();
    receive("q.fifo", 10, 30, "");
    clock_fake_advance_ms(10000);
    assert_int_equal(delete_it(&a), ERR_FAILED); /* a FIFO handle dies with its lease */
    receive("q.fifo", 10, 30, "a22 a31 ");
    clock_fake_advance_ms(20000);
    receive("q.fifo", 10, 30, "b12 b21 ");
}

static void test_fifo_dedup(void **state)
{
    create("q.fifo", true, NULL, 0);
    struct act act = {.name = "q.fifo", .body = "x", .group = "g"};
    assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
    assert_false(act.duplicate);
    for (int i = 0; i < 3; i++) {
        clock_fake_advance_ms(99000);
        assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
        assert_true(act.duplicate);
    }
    clock_fake_advance_ms(3000); /* five minutes and no more */
    assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
    assert_false(act.duplicate);
    act.dedup = "other";
    assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
    assert_false(act.duplicate);
    receive("q.fifo", 10, 30, "x1 x1 x1 ");
}

static enum err set_config_body(struct txn *txn, void *arg)
{
    struct act *act = arg;
    struct sqs_open o;
    TRY(sqs_open_arn(s, txn, arn_of(txn->arena, act->name), &o));
    o.config.purge_seq = act->config.purge_seq;
    o.config.dedup_per_group = act->config.dedup_per_group;
    o.config.dedup_changed_ms = act->config.dedup_changed_ms;
    return sqs_save(txn, o.queue, &o.config);
}

/* A purge takes the messages and what they deduplicate. A scope that changed counts what was sent in
 * the one before for as long as it would have. */
static void test_fifo_dedup_changes(void **state)
{
    create("q.fifo", true, NULL, 0);
    struct act act = {.name = "q.fifo", .body = "x", .group = "g"}, other = act;
    other.group = "h";
    assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
    struct act set = {.name = "q.fifo", .config = {.purge_seq = UINT64_MAX}};
    assert_int_equal(txn_run_now(&core, set_config_body, &set), ERR_OK);
    assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
    assert_false(act.duplicate);
    set.config = (struct sqs_config){.dedup_per_group = true, .dedup_changed_ms = clock_now_ms()};
    assert_int_equal(txn_run_now(&core, set_config_body, &set), ERR_OK);
    assert_int_equal(txn_run_now(&core, send_body, &other), ERR_OK);
    assert_true(other.duplicate);
    clock_fake_advance_ms(DEDUP_MS);
    assert_int_equal(txn_run_now(&core, send_body, &act), ERR_OK);
    assert_false(act.duplicate);
    assert_int_equal(txn_run_now(&core, send_body, &other), ERR_OK);
    assert_false(other.duplicate);
    set.config = (struct sqs_config){.dedup_changed_ms = clock_now_ms()};
    assert_int_equal(txn_run_now(&core, set_config_body, &set), ERR_OK);
    assert_int_equal(txn_run_now(&core, send_body, &other), ERR_OK);
    assert_true(other.duplicate);
}

/* Every store call fails in turn: the operation fails, nothing of it shows, and memory agrees with
 * what a restart finds. */
static void test_failing_store(void **state)
{
    static const enum kv_fault_call calls[] = {KV_FAULT_BEGIN, KV_FAULT_COMMIT, KV_FAULT_GET,
                                               KV_FAULT_PEEK,  KV_FAULT_PUT,    KV_FAULT_DEL};
    create("dlq", false, NULL, 0);
    create("q", false, "dlq", 1);
    for (size_t c = 0; c < ARRAY_LEN(calls); c++)
        for (uint64_t n = 1; n < 12; n++) {
            struct act in = {.name = "q", .body = "m"};
            struct act out = {.name = "q", .max = 3, .visibility_s = 0};
            kv_fault_fail(core.kv, calls[c], n, ERR_IO);
            for (int i = 0; i < 3; i++)
                (void)!txn_run_now(&core, send_body, &in);
            if (txn_run_now(&core, receive_body, &out) == ERR_OK && out.n)
                (void)!delete_it(&out);
            (void)!txn_run_now(&core, receive_body, &out);
            kv_fault_fail(core.kv, calls[c], 0, ERR_OK);
            struct act before = {.name = "q", .max = 10, .visibility_s = 0};
            struct act dead = {.name = "dlq", .max = 10, .visibility_s = 0};
            /* Everything that was received becomes a dead letter; count what is where, then again
             * after a restart. */
            assert_int_equal(txn_run_now(&core, receive_body, &before), ERR_OK);
            assert_int_equal(txn_run_now(&core, receive_body, &before), ERR_OK);
            assert_int_equal(before.n, 0);
            size_t n_dead[2] = {0};
            for (int round = 0; round < 2; round++) {
                assert_int_equal(sqs_load_now(s, key_of("dlq")), ERR_OK);
                assert_int_equal(sqs_load_now(s, key_of("q")), ERR_OK);
                pthread_rwlock_rdlock(&s->lock);
                const struct sqs_queue *q = map_get(&s->queues, key_of("dlq"));
                const struct sqs_queue *from = map_get(&s->queues, key_of("q"));
                pthread_rwlock_unlock(&s->lock);
                n_dead[round] = q->ix->n;
                assert_int_equal(from->ix->n, 0);
                assert_int_equal(q->ix->count[SQS_SLOT_VISIBLE], q->ix->n);
                restart();
            }
            assert_int_equal(n_dead[0], n_dead[1]);
            do { /* empty it for the next round */
                assert_int_equal(txn_run_now(&core, receive_body, &dead), ERR_OK);
                for (size_t i = 0; i < dead.n; i++) {
                    struct act one = dead;
                    memmove(one.receipt[0], dead.receipt[i], sizeof(one.receipt[0]));
                    assert_int_equal(delete_it(&one), ERR_OK);
                }
            } while (dead.n);
        }
}

static enum err check(struct txn *txn, const char *arn)
{
    return target_check(txn, &(struct target){.arn = str_c(arn)});
}

static enum err stage(struct txn *txn, const char *service, struct str payload)
{
    const struct target_attribute attr = {.name = STR("k"), .value = STR("v")};
    const struct target target = {.arn = STR("arn:aws:sqs:r:000000000001:q"),
                                  .service = str_c(service)};
    return target_stage(
        txn, &target,
        &(struct target_delivery){.payload = payload, .attributes = &attr, .n_attributes = 1});
}

static enum err port_body(struct txn *txn, void *arg)
{
    struct sqs_received got[2];
    struct str arn = STR("arn:aws:sqs:r:000000000001:q");
    int64_t visibility_s;
    size_t n;
    (void)arg;
    assert_int_equal(check(txn, "arn:aws:sqs:r:000000000001:q"), ERR_OK);
    assert_int_equal(check(txn, "arn:aws:sqs:r:000000000001:none"), ERR_NOT_FOUND);
    assert_int_equal(check(txn, "arn:aws:sqs:other:000000000001:q"), ERR_NOT_FOUND);
    assert_int_equal(port.visibility_timeout(s, txn, arn, &visibility_s), ERR_OK);
    assert_int_equal(visibility_s, 30);
    assert_int_equal(port.receive(s, txn, arn, STR_NONE, 2, -1, got, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_true(str_eq_c(got[0].body, "\"b\""));
    assert_true(str_find_str(got[0].lambda_record_json, STR("\"body\":\"\\\"b\\\"\"")) != SIZE_MAX);
    assert_true(str_find_str(got[0].lambda_record_json,
                             STR("\"messageAttributes\":{\"k\":{\"stringValue\":\"v\"")) !=
                SIZE_MAX);
    assert_true(
        str_find_str(
            got[0].lambda_record_json,
            STR("\"eventSourceARN\":\"arn:aws:sqs:r:000000000001:q\",\"awsRegion\":\"r\"")) !=
        SIZE_MAX);
    assert_int_equal(port.change_visibility(s, txn, arn, STR("nonsense"), 0), ERR_NOT_FOUND);
    assert_int_equal(port.delete_message(s, txn, arn, STR("nonsense")), ERR_NOT_FOUND);
    /* A queue without a policy lets no other service in; nothing larger than it takes; no group in
     * a standard queue is a FIFO queue's fault only. */
    assert_int_equal(stage(txn, "s3.amazonaws.com", STR("no")), ERR_DENIED);
    assert_int_equal(
        stage(txn, NULL, str_n(arena_calloc(txn->arena, 1, SQS_SIZE_MAX + 1), SQS_SIZE_MAX + 1)),
        ERR_LIMIT);
    assert_int_equal(stage(txn, NULL, STR("\x01")), ERR_INVALID);
    return stage(txn, NULL, STR("next"));
}

static enum err port_send_body(struct txn *txn, void *arg)
{
    return stage(txn, NULL, STR("\"b\""));
}

static void count_call(void *arg)
{
    ++*(int *)arg;
}

static void test_port(void **state)
{
    int calls = 0;
    struct str arn = STR("arn:aws:sqs:r:000000000001:q");
    assert_int_equal(port.watch(s, arn, count_call, &calls), ERR_OK); /* before there is a queue */
    assert_int_equal(port.watch(s, arn, count_call, &calls), ERR_OK);
    create("q", false, NULL, 0);
    assert_int_equal(calls, 0);
    assert_int_equal(txn_run_now(&core, port_send_body, NULL), ERR_OK);
    assert_int_equal(calls, 1);
    port.unwatch(s, arn, &calls);
    assert_int_equal(txn_run_now(&core, port_body, NULL), ERR_OK);
    assert_int_equal(calls, 1);
    receive("q", 10, 30, "next1 ");
}

/* After a start a queue's messages are read in pieces; who opens the queue meanwhile finds them
 * all, each once, and a watcher is told when they are there. */
static void test_loading_in_pieces(void **state)
{
    enum { MESSAGES = 2500, OPENED_AFTER_MAX = 4 };
    create("q", false, NULL, 0);
    for (int i = 0; i < MESSAGES; i++)
        put("q", "m", NULL);
    struct io_loop *loop;
    struct str path = key_of("q");
    for (int opened_after = 0; opened_after <= OPENED_AFTER_MAX; opened_after++) {
        int told = 0;
        close_store();
        assert_int_equal(io_loop_new(0, &loop), ERR_OK);
        core.loops = &loop;
        core.n_loops = 1;
        open_store();
        assert_int_equal(port.watch(s, STR("arn:aws:sqs:r:000000000001:q"), count_call, &told),
                         ERR_OK);
        for (int i = 0; i < opened_after; i++)
            s->load_timer.fn(&s->load_timer);
        assert_int_equal(s->cold.n, opened_after < 3 ? 1 : 0);
        assert_int_equal(told, opened_after < 3 ? 0 : 1);
        assert_int_equal(sqs_load_now(s, path), ERR_OK);
        assert_int_equal(sqs_load_now(s, path), ERR_OK);
        assert_int_equal(told, 1);
        struct sqs_queue *q = map_get(&s->queues, path);
        assert_non_null(q);
        assert_int_equal(q->ix->n, MESSAGES);
        assert_int_equal(q->ix->count[SQS_SLOT_VISIBLE], MESSAGES);
        s->load_timer.fn(&s->load_timer); /* nothing is left to do */
        assert_int_equal(q->ix->n, MESSAGES);
        port.unwatch(s, STR("arn:aws:sqs:r:000000000001:q"), &told);
        sqs_def.begin_stop(s);
        io_loop_free(loop);
        core.loops = NULL;
        core.n_loops = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lease, setup, teardown),
        cmocka_unit_test_setup_teardown(test_visibility, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_receipts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_abort, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dead_letters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dead_letter_queue_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dead_letter_history, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retention, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart_keeps_leases, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fifo_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fifo_dedup, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fifo_dedup_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failing_store, setup, teardown),
        cmocka_unit_test_setup_teardown(test_port, setup, teardown),
        cmocka_unit_test_setup_teardown(test_loading_in_pieces, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
