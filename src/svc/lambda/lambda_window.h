/* Tumbling windows of stream mappings: periods of time whose records a function sums up in a state, which it
 * is given back with each batch, and asked for the last time once the period is over.
 *
 * The windows of one length follow each other without gaps, beginning at multiples of it since 1970. A
 * record is of the window in which it was written; one that is too late for its window (the wall clock was
 * set back) is of the open one. Source: Lambda developer guide, "Tumbling windows".
 *
 * Layer: svc/lambda. Thread: home loop; what takes a transaction, the transaction's. */
#ifndef WEIR_SVC_LAMBDA_WINDOW_H
#define WEIR_SVC_LAMBDA_WINDOW_H

#include "svc/lambda/lambda_int.h"

enum {
    LAMBDA_WINDOW_MAX_S = 900,
    LAMBDA_WINDOW_STATE_MAX = 1024 * 1024, /* over it, a window ends early */
    /* After its end: a commit that began before it may still be on its way. */
    LAMBDA_WINDOW_GRACE_MS = 500,
};

/* The open window of a lane (lambda_stream.c); all zero: none is. Stored in the commits that move the
 * lane's checkpoint, so that state and checkpoint tell of the same records. */
struct lambda_window {
    int64_t start_ms, end_ms; /* wall clock; end 0: none is open */
    bool early;               /* its state became too large: it is over */
    uint64_t lanes;           /* of the shard when it was opened */
    struct ddb_place from;    /* its records are behind it */
    struct str state;         /* JSON object */
};

static inline bool lambda_window_is_open(const struct lambda_window *w)
{
    return w->end_ms != 0;
}
/* The window that a record of the time `wall_ms` is of: `open`, if that is open and goes on, or a new one
 * of `length_s` with an empty state; its `lanes` and `from` are the caller's to set. */
struct lambda_window lambda_window_of(const struct lambda_window *open, int64_t wall_ms,
                                      int64_t length_s);
/* Whether a record of that time is of a window behind the open one. */
static inline bool lambda_window_is_behind(const struct lambda_window *w, int64_t wall_ms)
{
    return lambda_window_is_open(w) && wall_ms >= w->end_ms;
}

/* Appends what an event has behind its records, from ',' on: window, state, shardId and so on. */
void lambda_window_put_event(struct buf *b, const struct lambda_window *w, bool final,
                             struct str shard_id, struct str stream_arn);
/* Takes the state out of a function's response; *ret_state is in `a`, or borrowed from the response.
 * ERR_INVALID: it has none. */
enum err lambda_window_answer(struct arena *a, struct str response,
                              struct str *ret_state) WARN_UNUSED;

/* The stored window of a lane; all zero when it has none, or had it among another number of lanes. */
enum err lambda_window_get(struct txn *txn, const struct lambda_mapping *m, uint16_t shard,
                           uint16_t lane, uint64_t lanes,
                           struct lambda_window *ret_window) WARN_UNUSED;
/* One that is not open is removed. */
enum err lambda_window_put(struct txn *txn, const struct lambda_mapping *m, uint16_t shard,
                           uint16_t lane, const struct lambda_window *w) WARN_UNUSED;
/* The least place that the shard's open windows begin behind; *least as it was where it is less. Whoever
 * goes on with another number of lanes begins there, with windows anew: sums stay whole. */
enum err lambda_windows_least(struct txn *txn, const struct lambda_mapping *m, uint16_t shard,
                              struct ddb_place *least) WARN_UNUSED;
/* Removes the windows of a shard, or of all. */
enum err lambda_windows_drop(struct txn *txn, const struct lambda_mapping *m,
                             uint16_t shard) WARN_UNUSED;
enum err lambda_windows_drop_all(struct txn *txn, const struct lambda_mapping *m) WARN_UNUSED;

#endif
