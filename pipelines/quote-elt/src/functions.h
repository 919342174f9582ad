/* The two functions of the package; main starts the one that the handler's name says.
 *
 * Layer: pipeline. Thread: one. */
#ifndef QUOTES_FUNCTIONS_H
#define QUOTES_FUNCTIONS_H

#include "lambda.h"
#include "stats.h"
#include "store.h"

struct setup {
    struct store store;
    const char *quotes_url;          /* of the ingesting function */
    struct limit limits[LIMITS_MAX]; /* of the daily one */
    size_t n_limits;
    int64_t memory_mb; /* of the function */
};

/* {"time":..} -> asks the API, writes what it answers to the raw table.
 *
 *   N1  A document's items are keyed by the time of its event: an event that comes again writes what is
 *       missing and changes nothing else, whatever the API answers then.
 *   N2  A document is taken whole or refused whole. */
int ingest(const struct setup *setup, struct lambda_context *ctx, struct str event,
           struct buf *reply);

/* {"time":..} or {"date":..} -> the day's facts, aggregates and statistics.
 *
 *   D1  The same partition gives the same bytes; a day that is worked on again is written over.
 *   D2  The item of history comes last: what it names is there, and its events are sent. */
int daily(const struct setup *setup, struct lambda_context *ctx, struct str event,
          struct buf *reply);

#endif
