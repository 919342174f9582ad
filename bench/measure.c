/* bench_measure: what it costs to tell one figure of a service (core/measure.h), on a loop's thread, with the
 * names of a call to DynamoDB. Prints nanoseconds of processor time. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/measure.h"

enum { TABLES = 100, VALUES = 1000 * 1000 };

static struct core core;

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static enum err put(void *arg, struct txn *txn, const struct measure_seen *seen)
{
    return ERR_OK;
}

/* Values that are all alike, and such as times are; of one table and of many. */
static double run(size_t n_tables, bool alike)
{
    char names[TABLES][16];
    for (size_t i = 0; i < TABLES; i++)
        snprintf(names[i], sizeof(names[i]), "orders-%03zu", i);
    int64_t before = cpu_ns();
    for (size_t i = 0; i < VALUES; i++) {
        const struct measure_dim dims[] = {
            {STR("Operation"), STR("GetItem")},
            {STR("TableName"), str_n(names[i % n_tables], 10)},
        };
        const struct measure what = {STR("us-east-1"), STR("AWS/DynamoDB"), dims, 2, STR_NONE};
        double v = alike ? 0.5 : 0.02 + (double)(i * 7919 % 9973) / 1e5;
        measure_put(&core, &what, STR("SuccessfulRequestLatency"), MEASURE_MILLISECONDS, v);
    }
    return (double)(cpu_ns() - before) / VALUES;
}

static void bench(struct io_task *task)
{
    static const size_t tables[] = {1, TABLES};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        printf(
            "a figure of one in %3zu tables: %4.0f ns, of values that are all different %4.0f ns "
            "(budget 300)\n",
            tables[i], run(tables[i], true), run(tables[i], false));
    exit(0); /* what was gathered is of no use */
}

int main(void)
{
    struct io_loop *loop;
    static struct io_task task = {.fn = bench};
    if (io_loop_new(0, &loop) != ERR_OK)
        return 1;
    core.loops = &loop;
    core.n_loops = 1;
    if (measures_new(&core, put, NULL) != ERR_OK || io_loop_start(loop) != ERR_OK)
        return 1;
    io_post(loop, &task);
    io_loop_join(loop);
    return 1;
}
