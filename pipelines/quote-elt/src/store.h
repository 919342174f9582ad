/* Where quotes lie: the raw table, the table of history, the bucket; and the bus.
 *
 * Raw table, keyed ingested_date (hash) and ingested_at (range): items as quote.h has them.
 * History, keyed ingested_date: one item for each day that was worked on,
 *   rows N, facts_key S, facts_sha256 S, aggregates_key S, aggregates_sha256 S, statistics S (the log
 *   line), failed_limits N, duckdb S (its version)
 *
 * Every function gives *ret_why, a sentence for the log, with each error but ERR_NOMEM.
 *
 * Layer: pipeline. Texts live in the arena given. */
#ifndef QUOTES_STORE_H
#define QUOTES_STORE_H

#include "dynamodb.h"
#include "quote.h"

struct store {
    struct aws *aws;
    struct str raw_table, history_table, bucket, bus; /* absent: the function does not have it */
};

/* Writes the nth quote of the document of `at_ms`, unless there is one. */
enum err store_put_quote(const struct store *s, struct arena *a, const struct quote *quote,
                         size_t nth, int64_t at_ms, bool *ret_new, struct str *ret_why) WARN_UNUSED;

/* Calls `each` with every item of a day's partition, in order of ingested_at, page by page; the
 * items live until it returns. Its error ends the reading. `a` holds only what is left at the end. */
enum err store_each(const struct store *s, struct arena *a, struct str date, dynamodb_each_fn *each,
                    void *arg, struct str *ret_why) WARN_UNUSED;

enum err store_put_object(const struct store *s, struct arena *a, struct str key, struct str body,
                          struct str *ret_why) WARN_UNUSED;

/* What a day's work came to. */
struct history {
    struct str date; /* key */
    int64_t rows, failed_limits;
    struct str facts_key, facts_sha256, aggregates_key, aggregates_sha256, statistics, duckdb;
};
/* Whether exactly this is there already. */
enum err store_has_history(const struct store *s, struct arena *a, const struct history *history,
                           bool *ret_same, struct str *ret_why) WARN_UNUSED;
enum err store_put_history(const struct store *s, struct arena *a, const struct history *history,
                           struct str *ret_why) WARN_UNUSED;

/* PutEvents of a request's whole text; all of its entries, or an error. */
enum err store_put_events(const struct store *s, struct arena *a, struct str request,
                          struct str *ret_why) WARN_UNUSED;

#endif
