/* Figures that services tell: put together by loop and handed over once, whoever tells them. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/measure.h"
#include "help_core.h"

enum { SEEN_MAX = MEASURE_SERIES_MAX + 100, NAME_BYTES = 64 };

/* What was handed over, by the loop's thread. */
struct seen {
    char name[NAME_BYTES], value[NAME_BYTES], space[NAME_BYTES], region[NAME_BYTES];
    size_t n_dims;
    enum measure_unit unit;
    double count, sum, min, max;
};
static struct seen seen[SEEN_MAX];
static size_t n_seen;
static int puts_to_fail;
static enum err fail_with;

static struct fixture f;
static sem_t done;

static void keep(char *to, struct str s)
{
    snprintf(to, NAME_BYTES, STR_FMT, STR_ARG(s));
}

static enum err put(void *arg, struct txn *txn, const struct measure_seen *m)
{
    assert_ptr_equal(arg, &f);
    assert_true(m->at_ms > 0 && m->values->count > 0 && n_seen < SEEN_MAX);
    if (puts_to_fail > 0) {
        puts_to_fail--;
        return fail_with;
    }
    struct seen *s = &seen[n_seen++];
    *s = (struct seen){.n_dims = m->n_dims, .unit = m->unit};
    keep(s->name, m->name);
    keep(s->space, m->space);
    keep(s->region, m->region);
    keep(s->value, m->n_dims > 0 ? m->dims[m->n_dims - 1].value : STR(""));
    s->count = m->values->count;
    s->sum = m->values->sum;
    s->min = m->values->min;
    s->max = m->values->max;
    return txn_put(txn, STR("measured"), m->name);
}

/* --- on the loop -------------------------------------------------------------------------------- */

struct posted {
    struct io_task task;
    void (*fn)(void);
};

static void run(struct io_task *task)
{
    CONTAINER_OF(task, struct posted, task)->fn();
    sem_post(&done);
}

static void on_loop(void (*fn)(void))
{
    struct posted p = {.task = {.fn = run}, .fn = fn};
    io_post(f.loop, &p.task);
    sem_wait(&done);
}

static void begin(void)
{
    assert_int_equal(measures_new(&f.core, put, &f), ERR_OK);
}

static atomic_int n_drained;

static void drained(void *arg)
{
    n_drained++;
    sem_post(&done);
}

static void drain(void)
{
    measures_drain(&f.core, drained, NULL);
    sem_wait(&done);
}

static const struct seen *find(const char *name, const char *value)
{
    const struct seen *found = NULL;
    for (size_t i = 0; i < n_seen; i++)
        if (strcmp(seen[i].name, name) == 0 && strcmp(seen[i].value, value) == 0) {
            assert_null(found); /* once */
            found = &seen[i];
        }
    return found;
}

/* --- tests -------------------------------------------------------------------------------------- */

static void tell(struct str name, const struct measure_dim *dims, size_t n_dims, double value)
{
    const struct measure what = {STR("eu-west-1"), STR("AWS/X"), dims, n_dims, STR("000000000001")};
    measure_put(&f.core, &what, name, MEASURE_BYTES, value);
}

static void tell_some(void)
{
    const struct measure_dim dims[] = {{STR("A"), STR("1")}, {STR("B"), STR("2")}};
    const struct measure plain = {.space = STR("AWS/Y")};
    tell(STR("m"), dims, 2, 3);
    tell(STR("m"), dims, 2, 5);
    tell(STR("m"), dims, 1, 7);
    tell(STR("n"), dims, 2, -1);
    measure_put_many(&f.core, &plain, STR("m"), MEASURE_COUNT, 2, 10);
}

static void values_come_together(void **state)
{
    on_loop(tell_some);
    drain();
    assert_int_equal(n_seen, 4);
    const struct seen *m = find("m", "2");
    assert_true(m && m->count == 2 && m->sum == 8 && m->min == 3 && m->max == 5);
    assert_true(m->n_dims == 2 && m->unit == MEASURE_BYTES);
    assert_string_equal(m->space, "AWS/X");
    assert_string_equal(m->region, "eu-west-1");
    assert_true(find("m", "1") && find("m", "1")->sum == 7 && find("n", "2")->sum == -1);
    m = find("m", "");
    assert_true(m && m->count == 10 && m->sum == 20 && m->unit == MEASURE_COUNT && !*m->region);
}

static void *elsewhere(void *arg)
{
    tell_some();
    return NULL;
}

static void other_threads_may_tell(void **state)
{
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, elsewhere, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    drain();
    assert_int_equal(n_seen, 4);
    assert_true(find("m", "2")->count == 8 && find("m", "")->count == 40);
}

static void tell_many(void)
{
    for (int i = 0; i < MEASURE_SERIES_MAX + 10; i++) {
        char text[NAME_BYTES];
        int n = snprintf(text, sizeof(text), "%d", i);
        const struct measure_dim dim = {STR("N"), str_n(text, (size_t)n)};
        tell(STR("many"), &dim, 1, i);
    }
}

/* ME2; and a batch ends where a transaction does. */
static void there_is_a_limit(void **state)
{
    on_loop(tell_many);
    drain();
    assert_int_equal(n_seen, MEASURE_SERIES_MAX);
    for (size_t i = 1; i < n_seen; i++)
        assert_true(seen[i - 1].sum < seen[i].sum);
}

static void tell_long(void)
{
    static char text[MEASURE_KEY_MAX];
    memset(text, 'x', sizeof(text));
    const struct measure_dim dim = {STR("N"), str_n(text, sizeof(text))};
    tell(STR("long"), &dim, 1, 1);
    tell(STR("short"), NULL, 0, 1);
}

static void long_names_are_left_out(void **state)
{
    on_loop(tell_long);
    drain();
    assert_int_equal(n_seen, 1);
    assert_string_equal(seen[0].name, "short");
}

/* What the store refuses is lost, and nothing else is; a conflict is tried again. */
static void a_store_that_fails(void **state)
{
    puts_to_fail = 1;
    fail_with = ERR_IO;
    on_loop(tell_some);
    drain();
    assert_int_equal(n_seen, 0);
}

static void a_conflict(void **state)
{
    puts_to_fail = 2;
    fail_with = ERR_CONFLICT;
    on_loop(tell_some);
    drain();
    assert_int_equal(n_seen, 4);
}

static void nothing_is_told(void **state)
{
    drain();
    assert_int_equal(n_seen, 0);
}

static size_t n_known; /* of n_seen, when the loop was asked */

static void count(void)
{
    n_known = n_seen;
}

/* The loop stands still meanwhile. */
struct held {
    struct io_task task;
    sem_t holds, goes_on;
};

static void hold(struct io_task *task)
{
    struct held *h = CONTAINER_OF(task, struct held, task);
    sem_post(&h->holds);
    sem_wait(&h->goes_on);
}

/* A batch comes home between the word to drain and the table's hearing of it. */
static void a_table_is_drained_once(void **state)
{
    struct held h = {.task = {.fn = hold}};
    sem_init(&h.holds, 0, 0);
    sem_init(&h.goes_on, 0, 0);
    on_loop(tell_some);
    while (n_known < 4) /* the timer's flush, whose commit is not durable yet */
        on_loop(count);
    io_post(f.loop, &h.task);
    sem_wait(&h.holds);
    kv_mem_grant(f.mem, kv_mem_committed(f.mem));
    tell_some(); /* to the other table */
    n_drained = 0;
    measures_drain(&f.core, drained, NULL);
    sem_post(&h.goes_on);
    for (int i = 0; i < 10; i++)
        on_loop(count);
    assert_int_equal(n_known, 8);
    assert_int_equal(n_drained, 0);
    kv_mem_grant(f.mem, kv_mem_committed(f.mem));
    sem_wait(&done);
    for (int i = 0; i < 10; i++)
        on_loop(count);
    assert_int_equal(n_drained, 1);
    sem_destroy(&h.holds);
    sem_destroy(&h.goes_on);
}

static int up_with(bool manual)
{
    n_seen = n_known = 0;
    puts_to_fail = 0;
    sem_init(&done, 0, 0);
    fixture_start(&f, manual);
    assert_false(measure_wanted(&f.core));
    tell_some(); /* to nobody */
    on_loop(begin);
    assert_true(measure_wanted(&f.core));
    return 0;
}

static int up(void **state)
{
    return up_with(false);
}

static int up_by_hand(void **state)
{
    return up_with(true);
}

static int down(void **state)
{
    fixture_stop(&f);
    measures_free(&f.core);
    sem_destroy(&done);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_come_together, up, down),
        cmocka_unit_test_setup_teardown(other_threads_may_tell, up, down),
        cmocka_unit_test_setup_teardown(there_is_a_limit, up, down),
        cmocka_unit_test_setup_teardown(long_names_are_left_out, up, down),
        cmocka_unit_test_setup_teardown(a_store_that_fails, up, down),
        cmocka_unit_test_setup_teardown(a_conflict, up, down),
        cmocka_unit_test_setup_teardown(nothing_is_told, up, down),
        cmocka_unit_test_setup_teardown(a_table_is_drained_once, up_by_hand, down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
