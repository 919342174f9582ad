/* Many values in bounded memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/tally.h"

static void check(const struct tally *t)
{
    double weight = t->blind;
    assert_true(t->n <= TALLY_VALUES_MAX);
    for (size_t i = 0; i < t->n; i++) {
        assert_true(i == 0 || t->values[i - 1].value < t->values[i].value);
        weight += t->values[i].weight;
    }
    assert_float_equal(weight, t->count, 1e-6 * t->count);
}

static void few_are_exact(void **state)
{
    struct tally t;
    tally_init(&t, NULL);
    for (int i = TALLY_VALUES_MAX; i > 0; i--)
        for (int k = 0; k < 2; k++)
            assert_int_equal(tally_add(&t, i, 1), ERR_OK);
    check(&t);
    assert_int_equal(t.n, TALLY_VALUES_MAX);
    assert_int_equal(t.grid, 0);
    assert_true(t.count == 2 * TALLY_VALUES_MAX && t.min == 1 && t.max == TALLY_VALUES_MAX);
    assert_true(t.values[9].value == 10 && t.values[9].weight == 2);
    tally_clear(&t);
    assert_true(t.count == 0 && t.n == 0 && t.cap > 0);
    tally_release(&t);
}

/* Whatever comes, order, sums and bounds hold, and the middle is where it should be. */
static void many_are_near(void **state)
{
    static const double factors[] = {1, -1, 1e-9, 1e9, 0};
    for (size_t f = 0; f < ARRAY_LEN(factors); f++) {
        struct tally t;
        double sum = 0;
        tally_init(&t, NULL);
        for (int i = 1; i <= 5000; i++) {
            double v = (double)(i * 7919 % 5000 + 1) * factors[f];
            assert_int_equal(tally_add(&t, v, 1), ERR_OK);
            sum += v;
        }
        check(&t);
        assert_true(t.count == 5000 && t.sum == sum);
        double seen = 0, middle = 0;
        for (size_t i = 0; i < t.n && seen < 2500; i++) {
            seen += t.values[i].weight;
            middle = t.values[i].value;
        }
        assert_true(fabs(middle - 2500 * factors[f]) <= fabs(0.1 * 2500 * factors[f]));
        tally_release(&t);
    }
}

static void wide_ones_fit(void **state)
{
    struct tally t;
    tally_init(&t, NULL);
    for (int e = -300; e <= 300; e++) {
        assert_int_equal(tally_add(&t, pow(10, e), 1), ERR_OK);
        assert_int_equal(tally_add(&t, -pow(10, e), 1), ERR_OK);
    }
    check(&t);
    assert_true(t.count == 1202 && t.max == 1e300);
    tally_release(&t);
}

static void together(void **state)
{
    struct tally a, b;
    tally_init(&a, NULL);
    tally_init(&b, NULL);
    for (int i = 0; i < 100; i++)
        assert_int_equal(tally_add(&a, i, 1), ERR_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(tally_add(&b, i + 0.5, 2), ERR_OK);
    assert_int_equal(tally_add_set(&b, 3, 30, 5, 15), ERR_OK);
    assert_int_equal(tally_add_set(&b, 3, 21, 7, 7), ERR_OK);
    assert_int_equal(tally_merge(&a, &b), ERR_OK);
    check(&a);
    assert_true(a.count == 100 + 2000 + 6 && a.min == 0 && a.max == 999.5 && a.blind == 3);
    assert_int_equal(a.grid >= b.grid, 1);
    tally_release(&a);
    tally_release(&b);
}

static void without_memory(void **state)
{
    struct tally t;
    tally_init(&t, NULL);
    mem_fail_after(1);
    assert_int_equal(tally_add(&t, 1, 1), ERR_NOMEM);
    mem_fail_after(0);
    assert_true(t.count == 0 && t.n == 0);
    assert_int_equal(tally_add(&t, 1, 1), ERR_OK);
    check(&t);
    tally_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_are_exact),  cmocka_unit_test(many_are_near),
        cmocka_unit_test(wide_ones_fit),  cmocka_unit_test(together),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
