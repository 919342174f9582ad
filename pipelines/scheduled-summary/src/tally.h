/* How many cars there are, and how many were made on each day.
 *
 * Layer: pipeline, pure. */
#ifndef CARS_TALLY_H
#define CARS_TALLY_H

#include "codec/json.h"

enum {
    TALLY_DAYS_MAX = 40 * 1000, /* a century */
    TALLY_DATE_LEN = 10,        /* "2026-11-28" */
};

struct tally {
    struct tally_day {
        char date[TALLY_DATE_LEN + 1];
        int64_t n;
    } * days; /* in their order */
    size_t n_days, cap_days;
    int64_t items, undated; /* undated: without a created_at that is one */
};

void tally_init(struct tally *t);
void tally_release(struct tally *t);
/* Counts the item of a car. ERR_LIMIT, ERR_NOMEM. */
enum err tally_add(struct tally *t, const struct json *item) WARN_UNUSED;
/* {"at":"..","items":3,"days":{"2026-11-28":2},"undated":1}; `undated` only where there are such. */
void tally_put(struct json_out *o, const struct tally *t, int64_t at_ms);

#endif
