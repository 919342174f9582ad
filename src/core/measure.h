/* Figures that services tell of themselves, as metrics of CloudWatch's ("AWS/Lambda" Duration of
 * FunctionName=f): told on the request's path, put together by loop, handed over by time.
 *
 *   measure_put --> the loop's own table: one tally a metric --MEASURE_FLUSH_MS--> sink, in a transaction
 *
 * Invariants
 *   ME1  measure_put takes no lock on a loop's thread, and allocates only where a metric is new or has
 *        more different values between two flushes than ever before.
 *   ME2  What a table holds is bounded (MEASURE_SERIES_MAX); what finds no room, or no memory, is left out
 *        and counted.
 *   ME3  Nothing runs while nothing is told: the timer runs from the first value to the flush.
 *   ME4  Values are those of what happened, whether or not its transaction is durable: a crash loses at
 *        most what was not flushed. What must not be lost is put by the service's port.
 *   ME5  Gauges (svc_def.gauges) are asked at each whole minute that follows one in which anything was told, so
 *        they go on for as long as they, or others, have something to tell.
 *
 * Who tells: after the fact (a commit hook, an observer, an end of work), never from a handler that may be
 * rerun (T1). svc_def.measure is asked after each finished call.
 *
 * Layer: core. Thread: any; loops without a lock, others (the worker pool) under one. */
#ifndef WEIR_CORE_MEASURE_H
#define WEIR_CORE_MEASURE_H

#include "base/tally.h"
#include "core/core.h"

enum {
    MEASURE_FLUSH_MS = 1000,
    MEASURE_SERIES_MAX = 20 * 1000, /* metrics of one loop */
    MEASURE_KEY_MAX = 2048,         /* bytes of a metric's names and values */
    MEASURE_DIMS_MAX = 8,
    MEASURE_BATCH_MAX = 128, /* metrics of one transaction of the sink */
};

/* Those of CloudWatch that Weir's services use. */
enum measure_unit {
    MEASURE_NONE,
    MEASURE_COUNT,
    MEASURE_MILLISECONDS,
    MEASURE_SECONDS,
    MEASURE_BYTES,
    MEASURE_PER_CENT,
};

struct measure_dim {
    struct str name, value;
};

/* What is measured. Borrowed for the call. */
struct measure {
    struct str region;              /* absent: the configured one */
    struct str space;               /* "AWS/Lambda" */
    const struct measure_dim *dims; /* in the order of their names; at most MEASURE_DIMS_MAX */
    size_t n_dims;
    struct str account; /* absent: the configured one */
};

/* One value, seen just now. Cheap whether or not anybody collects (see ME1). */
void measure_put(struct core *core, const struct measure *what, struct str name,
                 enum measure_unit unit, double value);
/* The same value `weight` > 0 times. */
void measure_put_many(struct core *core, const struct measure *what, struct str name,
                      enum measure_unit unit, double value, double weight);
/* Whether anybody collects: to spare the making of dimensions. */
static inline bool measure_wanted(const struct core *core)
{
    return core->measures != NULL;
}

/* --- for whoever collects ----------------------------------------------------------------------- */

/* One metric of a batch; lives until the transaction is done. */
struct measure_seen {
    struct str account, region, space, name;
    struct measure_dim dims[MEASURE_DIMS_MAX];
    size_t n_dims;
    enum measure_unit unit;
    int64_t at_ms; /* wall clock, of the first value */
    const struct tally *values;
};

struct measures;

/* Begins to collect: core->measures. `put` stages one metric in a transaction (perhaps several times: T1).
 * Before the loops run. ERR_NOMEM. */
enum err measures_new(struct core *core,
                      enum err (*put)(void *arg, struct txn *txn, const struct measure_seen *seen),
                      void *arg) WARN_UNUSED;
/* Hands over what is there; then done(arg) on the home loop, never from inside. Home loop. */
void measures_drain(struct core *core, void (*done)(void *arg), void *arg);
/* After the loops ended. */
void measures_free(struct core *core);

#endif
