/* What jobs do. A job has a kind and an input, which is text:
 *   words  counts words, which are whatever stands between spaces and line ends, and the different
 *          ones among them: {"words","distinct"}
 *   sum    adds whole numbers, written like words: {"numbers","sum"}; exact, or refused
 *
 * Layer: pipeline, pure. */
#ifndef JOBS_WORK_H
#define JOBS_WORK_H

#include "base/arena.h"
#include "base/str.h"

#define WORK_WORDS STR("words")
#define WORK_SUM STR("sum")

enum { WORK_VALUES = 2 };

struct work_result {
    struct work_value {
        const char *name; /* static */
        int64_t value;
    } values[WORK_VALUES];
};

/* Does it. ERR_INVALID: it can never be done, for *ret_reason (a sentence; in the arena or static);
 * absent texts are fine, and such a reason. ERR_NOMEM. O(n log n) of the input. */
enum err work_run(struct arena *a, struct str kind, struct str input,
                  struct work_result *ret_result, struct str *ret_reason) WARN_UNUSED;

#endif
