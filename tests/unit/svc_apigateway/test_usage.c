/* Keys, plans, buckets and quotas as a request meets them. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/core.h"
#include "core/txn_int.h"
#include "kv/drv_fault/kv_mem.h"
#include "svc/apigateway/usage.h"
#include "svc/apigateway/usage_int.h"
#include "svc/apigateway/usage_store.h"

#define SECOND_NS 1000000000LL
#define T0 (1000 * SECOND_NS)

/* --- buckets ------------------------------------------------------------------------------------- */

static size_t offer(struct usage_buckets *b, struct usage_take t, int64_t every_ns, int64_t for_ns)
{
    size_t n = 0;
    for (int64_t now = 0; now < for_ns; now += every_ns)
        n += usage_buckets_take(b, &t, 1, T0 + now);
    return n;
}

static void a_bucket_lets_the_burst_and_the_rate_through(void **state)
{
    static const struct {
        double rate, burst;
        size_t tenfold; /* of 5 s at ten times the rate */
    } rows[] = {
        {100, 1, 500},        {100, 200, 699},  {3, 1, 15},  {0.5, 2, 4},
        {10000, 5000, 54999}, {1000, 10, 5009}, {0, 100, 0}, {100, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct usage_buckets *b;
        double rate = rows[i].rate ? rows[i].rate : 1;
        assert_int_equal(usage_buckets_new(64, &b), ERR_OK);
        size_t n = offer(b, (struct usage_take){7, rows[i].rate, rows[i].burst},
                         (int64_t)(1e9 / rate / 10), 5 * SECOND_NS);
        assert_in_range(n, rows[i].tenfold - (rows[i].tenfold > 0), rows[i].tenfold + 1);
        usage_buckets_free(b);
    }
}

static void all_are_taken_or_none(void **state)
{
    struct usage_buckets *b;
    struct usage_take both[] = {{1, 1, 100}, {2, 1, 1}};
    assert_int_equal(usage_buckets_new(64, &b), ERR_OK);
    assert_true(usage_buckets_take(b, both, 2, T0));
    for (int i = 0; i < 1000; i++)
        assert_false(usage_buckets_take(b, both, 2, T0));
    for (int i = 0; i < 99; i++) /* the first was given back each time */
        assert_true(usage_buckets_take(b, both, 1, T0));
    assert_false(usage_buckets_take(b, both, 1, T0));
    usage_buckets_free(b);
}

static void many_more_buckets_than_places(void **state)
{
    enum { NAMES = 10 * 1000 };
    struct usage_buckets *b;
    assert_int_equal(usage_buckets_new(64, &b), ERR_OK);
    for (uint64_t name = 1; name <= NAMES;
         name++) { /* each full again before the next needs its place */
        struct usage_take t = {name * 0x9e3779b97f4a7c15, 1000, 2};
        int64_t now = T0 + (int64_t)name * SECOND_NS;
        assert_true(usage_buckets_take(b, &t, 1, now));
        assert_true(usage_buckets_take(b, &t, 1, now));
        assert_false(usage_buckets_take(b, &t, 1, now));
    }
    usage_buckets_free(b);
}

static void extreme_rates(void **state)
{
    struct usage_buckets *b;
    struct usage_take slow = {1, 1e-300, 1e18}, fast = {2, 1e300, 1e300}, nan = {3, 0.0 / 0.0, 1};
    assert_int_equal(usage_buckets_new(64, &b), ERR_OK);
    for (int i = 0; i < 20 * 1000; i++) {
        (void)!usage_buckets_take(b, &slow, 1, T0);
        assert_true(usage_buckets_take(b, &fast, 1, T0));
    }
    assert_false(usage_buckets_take(b, &nan, 1, T0));
    usage_buckets_free(b);
}

/* --- quotas -------------------------------------------------------------------------------------- */

static int64_t day_of(const char *text)
{
    int64_t day;
    assert_int_equal(usage_day_parse(str_c(text), &day), ERR_OK);
    return day;
}

static void periods_begin_where_the_offset_says(void **state)
{
    static const struct {
        enum usage_period period;
        int64_t offset;
        const char *day, *first;
    } rows[] = {
        {USAGE_PER_DAY, 0, "2026-11-29", "2026-11-29"},
        {USAGE_PER_WEEK, 0, "2026-11-29", "2026-11-29"}, /* a Sunday */
        {USAGE_PER_WEEK, 0, "2026-11-28", "2026-11-22"},
        {USAGE_PER_WEEK, 1, "2026-11-29", "2026-11-23"},
        {USAGE_PER_WEEK, 6, "2026-11-28", "2026-11-28"},
        {USAGE_PER_WEEK, 6, "2026-11-27", "2026-11-21"},
        {USAGE_PER_MONTH, 0, "2026-11-29", "2026-11-01"},
        {USAGE_PER_MONTH, 27, "2026-11-28", "2026-11-28"},
        {USAGE_PER_MONTH, 27, "2026-11-27", "2026-10-28"},
        {USAGE_PER_MONTH, 14, "2027-01-14", "2026-12-15"},
        {USAGE_PER_MONTH, 27, "2028-03-01", "2028-02-28"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct usage_quota q = {rows[i].period, 10, rows[i].offset};
        assert_int_equal(usage_period_first(&q, day_of(rows[i].day)), day_of(rows[i].first));
    }
}

static void days_are_told_and_read(void **state)
{
    static const char *const bad[] = {"", "2026-11", "2026-13-01", "2026-11-29T", "2026/11/29"};
    struct arena a;
    arena_init(&a, 4096);
    assert_true(str_eq_c(usage_day_text(&a, day_of("2026-02-28")), "2026-02-28"));
    arena_release(&a);
    int64_t day;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(usage_day_parse(str_c(bad[i]), &day), ERR_INVALID);
}

static void a_counter_ends_with_its_period(void **state)
{
    struct usage_quota q = {USAGE_PER_WEEK, 3, 0};
    struct usage_count c = {0};
    int64_t saturday = day_of("2026-11-28");
    usage_count_roll(&c, &q, saturday);
    usage_count_add(&c, &q);
    usage_count_add(&c, &q);
    assert_int_equal(usage_count_left(&c, &q), 1);
    usage_count_grant(&c, &q, 5);
    assert_int_equal(c.today.left, 5);
    usage_count_roll(&c, &q, saturday + 1);
    assert_int_equal(usage_count_left(&c, &q), 3);
    assert_int_equal(c.before.day, saturday);
    assert_int_equal(c.before.used, 2);
    assert_int_equal(c.before.left, 5);
    assert_int_equal(c.today.used, 0);
    q.limit = 0;
    assert_int_equal(usage_count_left(&c, &q), 0);
    q.period = USAGE_NO_QUOTA;
    assert_int_equal(usage_count_left(&c, &q), USAGE_LEFT_UNLIMITED);
}

/* --- requests ------------------------------------------------------------------------------------ */

struct world {
    struct kv_mem_disk *disk;
    struct core core;
    struct usage *usage;
    struct arena arena;
    struct txn txn;
};

static const struct key_scope scope = {STR_INIT("000000000000"), STR_INIT("us-east-1")};

static void begin(struct world *w)
{
    arena_init(&w->arena, 1024 * 1024);
    w->txn = (struct txn){.core = &w->core, .arena = &w->arena};
    assert_int_equal(txn_begin(&w->txn), ERR_OK);
}

static void commit(struct world *w)
{
    uint64_t seq;
    assert_int_equal(txn_commit(&w->txn, &seq), ERR_OK);
    txn_durable(&w->txn);
    arena_release(&w->arena);
}

static void put_plan(struct world *w, const struct usage_plan *p)
{
    struct str record;
    begin(w);
    assert_int_equal(record_make(&usage_plan_type, &w->arena, p, &record), ERR_OK);
    assert_int_equal(catalogue_put(w->usage->plans, &w->txn,
                                   key_make(&w->arena, &usage_k_plan, scope, p->id), record),
                     ERR_OK);
    commit(w);
}

/* `older`: as stores have it from when a request read two records. */
static void put_key(struct world *w, const struct usage_key *k, struct str value, bool older)
{
    uint8_t mac[HASH_SHA256_LEN];
    struct str record, pass;
    begin(w);
    usage_value_mac(&w->core, value, mac);
    assert_int_equal(record_make(&usage_key_type, &w->arena, k, &record), ERR_OK);
    assert_int_equal(record_make(&usage_pass_type, &w->arena, k, &pass), ERR_OK);
    assert_int_equal(txn_put(&w->txn, key_make(&w->arena, &usage_k_key, scope, k->id), record),
                     ERR_OK);
    assert_int_equal(
        txn_put(&w->txn,
                key_make(&w->arena, &usage_k_value, scope, str_n((char *)mac, sizeof(mac))),
                older ? k->id : pass),
        ERR_OK);
    commit(w);
}

static int setup(void **state)
{
    static struct world w;
    static struct usage_throttle throttles[] = {{STR_INIT("/cars/{id}/GET"), {true, 1, 1}}};
    static struct usage_stage stages[] = {
        {STR_INIT("api1"), STR_INIT("prod"), throttles, 1},
    };
    static struct str gold[] = {STR_INIT("gone"), STR_INIT("gold")}, both[] = {STR_INIT("small")};
    memset(&w, 0, sizeof(w));
    w.disk = kv_mem_disk_new();
    assert_int_equal(kv_mem_open(w.disk, false, &w.core.kv), ERR_OK);
    assert_int_equal(usage_new(&w.core, &w.usage), ERR_OK);
    stages[0].stage = STR("prod");
    put_plan(&w, &(struct usage_plan){.id = STR("gold"),
                                      .name = STR("Gold"),
                                      .stages = stages,
                                      .n_stages = 1,
                                      .limit = {true, 10, 20}});
    stages[0].stage = STR("test");
    put_plan(&w, &(struct usage_plan){.id = STR("small"),
                                      .name = STR("Small"),
                                      .stages = stages,
                                      .n_stages = 1,
                                      .quota = {USAGE_PER_DAY, 3, 0}});
    put_key(&w, &(struct usage_key){.id = STR("k1"), .enabled = true, .plans = gold, .n_plans = 2},
            STR("key-one-0123456789012345"), false);
    put_key(&w, &(struct usage_key){.id = STR("k2"), .enabled = false, .plans = gold, .n_plans = 2},
            STR("key-two-0123456789012345"), false);
    put_key(&w, &(struct usage_key){.id = STR("k3"), .enabled = true, .plans = both, .n_plans = 1},
            STR("key-three-01234567890123"), true);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    usage_free(w->usage);
    kv_close(w->core.kv);
    kv_mem_disk_free(w->disk);
    return 0;
}

static struct usage_ask ask_of(const char *key, const char *stage)
{
    return (struct usage_ask){.scope = scope,
                              .api_id = STR("api1"),
                              .stage = str_c(stage),
                              .path = STR("/cars"),
                              .method = STR("GET"),
                              .key_required = true,
                              .key = str_c(key),
                              .now_ns = T0,
                              .wall_ms = 1796000000000};
}

static enum usage_verdict admit(struct world *w, struct usage_ask ask)
{
    struct usage_answer answer = {.verdict = USAGE_ADMITTED};
    begin(w);
    assert_int_equal(usage_admit(w->usage, &w->txn, &ask, &answer), ERR_OK);
    if (answer.verdict == USAGE_ADMITTED && ask.key_required) {
        assert_true(str_is_set(answer.key_id));
        assert_true(str_is_set(answer.plan_id));
    }
    commit(w);
    return answer.verdict;
}

static void keys_open_the_stages_of_their_plans(void **state)
{
    static const struct {
        const char *key, *stage;
        enum usage_verdict verdict;
    } rows[] = {
        {"key-one-0123456789012345", "prod", USAGE_ADMITTED},
        {"key-one-0123456789012345", "test", USAGE_FORBIDDEN},
        {"key-two-0123456789012345", "prod", USAGE_FORBIDDEN}, /* disabled */
        {"key-three-01234567890123", "test", USAGE_ADMITTED},
        {"key-three-01234567890123", "prod", USAGE_FORBIDDEN},
        {"nobody's", "prod", USAGE_FORBIDDEN},
        {"", "prod", USAGE_FORBIDDEN},
        {NULL, "prod", USAGE_FORBIDDEN},
    };
    struct usage_ask long_one = ask_of("", "prod");
    char text[USAGE_VALUE_MAX + 2] = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(admit(*state, ask_of(rows[i].key, rows[i].stage)), rows[i].verdict);
    memset(text, 'x', sizeof(text) - 1);
    long_one.key = str_c(text);
    assert_int_equal(admit(*state, long_one), USAGE_FORBIDDEN);
    struct usage_ask none = ask_of(NULL, "prod");
    none.key_required = false;
    assert_int_equal(admit(*state, none), USAGE_ADMITTED);
}

static void plans_throttle_keys(void **state)
{
    struct usage_ask ask = ask_of("key-one-0123456789012345", "prod");
    int n = 0;
    while (admit(*state, ask) == USAGE_ADMITTED)
        n++;
    assert_int_equal(n, 20);
    assert_int_equal(admit(*state, ask), USAGE_THROTTLED);
    ask.now_ns += SECOND_NS;
    for (n = 0; admit(*state, ask) == USAGE_ADMITTED; n++)
        ;
    assert_int_equal(n, 10);
    ask.now_ns += 10 * SECOND_NS;
    ask.path = STR("/cars/{id}"); /* which has one a second by itself */
    for (n = 0; admit(*state, ask) == USAGE_ADMITTED; n++)
        ;
    assert_int_equal(n, 1);
}

static void stages_and_the_account_throttle_all(void **state)
{
    struct usage_ask ask = ask_of(NULL, "prod");
    int n = 0;
    ask.key_required = false;
    ask.method_limit = (struct usage_limit){true, 5, 7};
    while (admit(*state, ask) == USAGE_ADMITTED)
        n++;
    assert_int_equal(n, 7);
    ask.method = STR("POST"); /* each method by itself */
    assert_int_equal(admit(*state, ask), USAGE_ADMITTED);
    ask.method_limit.set = false;
    for (n = 0; admit(*state, ask) == USAGE_ADMITTED; n++)
        ;
    assert_int_equal(n, USAGE_ACCOUNT_BURST - 8);
    ask.scope.region = STR("eu-west-1");
    assert_int_equal(admit(*state, ask), USAGE_ADMITTED);
}

/* A minute at ten times the limit: what the limit allows passes, within 2 %, whoever sends it and however
 * unevenly, and nobody else is held up: neither the stage's other methods nor other stages. */
static void ten_times_the_limit(void **state)
{
    enum { RATE = 100, BURST = 200, MINUTE_S = 60, ALLOWED = BURST + RATE * MINUTE_S };
    static const int64_t gap_ns = SECOND_NS / (10 * RATE);
    struct usage_ask flood = ask_of(NULL, "prod"), other = flood;
    int passed = 0, refused = 0, held_up = 0;
    flood.key_required = other.key_required = false;
    flood.method_limit = other.method_limit = (struct usage_limit){true, RATE, BURST};
    for (int i = 0; i < 10 * RATE * MINUTE_S; i++) {
        int64_t bunched = i / 50 * 50; /* fifty at once, then a pause */
        flood.now_ns = T0 + (i % 2000 < 1000 ? i : bunched) * gap_ns;
        enum usage_verdict verdict = admit(*state, flood);
        passed += verdict == USAGE_ADMITTED;
        refused += verdict == USAGE_THROTTLED;
        if (i % 20) /* the others send at half of their limit each */
            continue;
        other.now_ns = flood.now_ns;
        other.method = STR("POST");
        other.stage = STR("prod");
        held_up += admit(*state, other) != USAGE_ADMITTED;
        other.method = flood.method;
        other.stage = STR("test");
        held_up += admit(*state, other) != USAGE_ADMITTED;
    }
    assert_in_range(passed, ALLOWED * 98 / 100, ALLOWED * 102 / 100);
    assert_int_equal(passed + refused, 10 * RATE * MINUTE_S);
    assert_int_equal(held_up, 0);
}

static void quotas_end_and_begin_again(void **state)
{
    struct usage_ask ask = ask_of("key-three-01234567890123", "test");
    int n = 0;
    while (admit(*state, ask) == USAGE_ADMITTED)
        n++;
    assert_int_equal(n, 3);
    assert_int_equal(admit(*state, ask), USAGE_QUOTA);
    ask.wall_ms += 24 * 60 * 60 * 1000;
    assert_int_equal(admit(*state, ask), USAGE_ADMITTED);
}

static void what_is_left_can_be_set(void **state)
{
    struct world *w = *state;
    struct usage_ask ask = ask_of("key-three-01234567890123", "test");
    const struct usage_member member = {scope, STR("small"), STR("k3")};
    const struct usage_quota quota = {USAGE_PER_DAY, 3, 0};
    int64_t day = usage_day_of(ask.wall_ms);
    struct usage_count count;
    int n = 0;
    assert_int_equal(admit(w, ask), USAGE_ADMITTED);
    begin(w);
    assert_int_equal(
        usage_counters_grant(w->usage->counters, &w->txn, &member, &quota, day, 10, &count),
        ERR_OK);
    assert_int_equal(count.today.left, 10);
    commit(w);
    while (admit(w, ask) == USAGE_ADMITTED)
        n++;
    assert_int_equal(n, 10);
    begin(w);
    assert_int_equal(usage_counters_drop(w->usage->counters, &w->txn, &member), ERR_OK);
    commit(w);
    assert_int_equal(admit(w, ask), USAGE_ADMITTED);
}

/* --- what is written ----------------------------------------------------------------------------- */

struct draining {
    struct io_task task;
    struct usage *usage;
    struct io_loop *loop;
    _Atomic bool done;
};

static void drained(void *arg)
{
    struct draining *d = arg;
    atomic_store(&d->done, true);
}

static void drain(struct io_task *task)
{
    struct draining *d = CONTAINER_OF(task, struct draining, task);
    usage_drain(d->usage, drained, d);
}

/* A quota goes on where it was when the server stops in order. */
static void what_was_counted_is_written(void **state)
{
    struct world *w = *state;
    struct io_loop *loop;
    struct usage_ask ask = ask_of("key-three-01234567890123", "test");
    assert_int_equal(io_loop_new(0, &loop), ERR_OK);
    w->core.loops = &loop;
    w->core.n_loops = 1;
    w->core.cfg = (struct core_config){.account = STR("000000000000"),
                                       .region = STR("us-east-1"),
                                       .partition = STR("aws"),
                                       .host_id = STR("host"),
                                       .calls_max = 100};
    assert_int_equal(core_start(&w->core), ERR_OK); /* with another secret: the key is put anew */
    static struct str small[] = {STR_INIT("small")};
    put_key(w, &(struct usage_key){.id = STR("k3"), .enabled = true, .plans = small, .n_plans = 1},
            ask.key, false);
    assert_int_equal(io_loop_start(loop), ERR_OK);
    assert_int_equal(admit(w, ask), USAGE_ADMITTED);
    assert_int_equal(admit(w, ask), USAGE_ADMITTED);
    struct draining d = {.task = {.fn = drain}, .usage = w->usage, .loop = loop};
    io_post(loop, &d.task);
    while (!atomic_load(&d.done))
        sched_yield();
    io_loop_stop(loop);
    io_loop_join(loop);
    usage_free(w->usage);
    assert_int_equal(usage_new(&w->core, &w->usage), ERR_OK);
    assert_int_equal(usage_start(w->usage), ERR_OK);
    assert_int_equal(admit(w, ask), USAGE_ADMITTED);
    assert_int_equal(admit(w, ask), USAGE_QUOTA);
    core_stop(&w->core);
    io_loop_free(loop);
    w->core.n_loops = 0;
}

#define REQUEST_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_lets_the_burst_and_the_rate_through),
        cmocka_unit_test(all_are_taken_or_none),
        cmocka_unit_test(many_more_buckets_than_places),
        cmocka_unit_test(extreme_rates),
        cmocka_unit_test(periods_begin_where_the_offset_says),
        cmocka_unit_test(days_are_told_and_read),
        cmocka_unit_test(a_counter_ends_with_its_period),
        REQUEST_TEST(keys_open_the_stages_of_their_plans),
        REQUEST_TEST(plans_throttle_keys),
        REQUEST_TEST(stages_and_the_account_throttle_all),
        REQUEST_TEST(ten_times_the_limit),
        REQUEST_TEST(quotas_end_and_begin_again),
        REQUEST_TEST(what_is_left_can_be_set),
        REQUEST_TEST(what_was_counted_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
