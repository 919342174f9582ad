/* What is kept of many values: how many, their sum, the smallest and the greatest, and how they are
 * spread, in bounded memory. Two tallies of the same thing can be put together.
 *
 * Invariants
 *   TL1  `values` is sorted, without equal values, at most TALLY_VALUES_MAX long; its weights and `blind`
 *        together are `count`.
 *   TL2  Up to TALLY_VALUES_MAX different values are kept as they are. Beyond that they are rounded to a
 *        logarithmic grid: of grid g a value is off by at most half of 2^(g-1) per cent of itself.
 *   TL3  Sum, count, minimum and maximum are never rounded.
 *
 * Memory is the arena's, or the heap's without one (tally_release). Layer: base. Thread: the owner's. */
#ifndef WEIR_BASE_TALLY_H
#define WEIR_BASE_TALLY_H

#include "base/arena.h"
#include "base/base.h"

enum { TALLY_VALUES_MAX = 128, TALLY_GRID_MAX = 12 };

struct tally_value {
    double value, weight;
};

struct tally {
    double sum, count, min, max; /* count 0: empty, and the others mean nothing */
    double blind;                /* of `count`, those that came as sums only */
    uint8_t grid;                /* TL2; 0: values are exact */
    struct tally_value *values;
    size_t n, cap;
    struct arena *arena; /* NULL: the heap */
};

static inline void tally_init(struct tally *t, struct arena *a)
{
    *t = (struct tally){.arena = a};
}
/* Of one without an arena. */
void tally_release(struct tally *t);
/* Empties it and keeps the memory. */
void tally_clear(struct tally *t);

/* `weight` > 0 values that are `value`, finite both. O(log n) and a move of at most TALLY_VALUES_MAX
 * elements; allocates only when there are more different values than ever before. ERR_NOMEM: it is as
 * it was. */
enum err tally_add(struct tally *t, double value, double weight) WARN_UNUSED;
/* Values of which only this is known; where all are equal they are known all the same. count > 0. */
enum err tally_add_set(struct tally *t, double count, double sum, double min,
                       double max) WARN_UNUSED;
/* All of `from` too. ERR_NOMEM leaves `t` undefined. */
enum err tally_merge(struct tally *t, const struct tally *from) WARN_UNUSED;

#endif
