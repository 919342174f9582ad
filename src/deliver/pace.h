/* At most so many in any second: the moments of the latest ones, as many as there may be, so that the
 * limit is exact and a burst of it goes at once. Who comes too early is given a turn, in order; nobody
 * remembers whose it is, so one that does not come back keeps the others waiting for PACE_TURN_MAX_MS
 * at most.
 *
 * Layer: deliver. Thread: pure. */
#ifndef WEIR_DELIVER_PACE_H
#define WEIR_DELIVER_PACE_H

#include "base/map.h"

enum { PACE_MAX = 300, PACE_SECOND_MS = 1000, PACE_TURN_MAX_MS = 30 * 1000, PACES_MAX = 1000 };

struct pace {
    size_t n;           /* a second */
    size_t oldest;      /* index of the one that was taken first */
    int64_t turn_us;    /* the turn that was promised last */
    int64_t taken_ms[]; /* n */
};

/* 1 <= n <= PACE_MAX. NULL: no memory. Freed by mem_free. */
struct pace *pace_new(size_t n);
/* Takes one now, and returns 0; or the ms after which to ask again, PACE_TURN_MAX_MS when the turns of
 * so long are given. `again`: it was given a turn before. `now_ms` never goes back. */
int64_t pace_take(struct pace *p, int64_t now_ms, bool again);
/* Nothing was taken within the last second: it is like a new one. */
bool pace_idle(const struct pace *p, int64_t now_ms);

/* The same by name: `paces` holds at most PACES_MAX, and forgets idle ones for new ones. Without memory,
 * or room, a second. */
int64_t paces_take(struct map *paces, struct str name, size_t per_second, int64_t now_ms,
                   bool again);
void paces_release(struct map *paces);

#endif
