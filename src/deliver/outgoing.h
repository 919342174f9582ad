/* HTTP requests to other people's servers: the one way out for whatever is attempted, with the address
 * checks of fetch/fetch.h (FE3). Who sends (topics to their endpoints, rules to API destinations) says
 * what is asked and how often it is tried; connections, limits and what an answer means for a piece of
 * work are here.
 *
 * Invariants
 *   OG1  A request that was started ends in exactly one `done`, never from inside outgoing_start; or in
 *        none, when the engine is freed first.
 *   OG2  An answer's body is kept up to what was asked for, and read no further than that.
 *
 * Layer: deliver. Thread: the home loop. */
#ifndef WEIR_DELIVER_OUTGOING_H
#define WEIR_DELIVER_OUTGOING_H

#include "core/target.h"
#include "deliver/deliver.h"
#include "fetch/fetch.h"

enum { OUTGOING_ANSWER_MAX = 1024 * 1024, OUTGOING_RETRY_AFTER_MAX_S = 24 * 60 * 60 };
#define OUTGOING_NOT_TOLD INT64_C(-1)
#define OUTGOING_NEVER INT64_C(-2)

/* Borrowed until `done` returns. */
struct outgoing_answer {
    enum err err;           /* as fetch_call's done */
    struct str why;         /* libcurl's text, where err is set */
    int status;             /* 0: none came */
    int64_t retry_after_ms; /* OUTGOING_NOT_TOLD; OUTGOING_NEVER: a negative one */
    struct str body;        /* empty unless it was kept */
};

/* Text is copied. */
struct outgoing_request {
    struct str method, url;
    const struct target_pair *headers;
    size_t n_headers;
    struct str body; /* absent: none */
    int64_t timeout_ms;
    bool keep_body;
    void (*done)(void *arg, const struct outgoing_answer *answer);
    void *arg; /* outlives the request or the engine */
};

/* ERR_INVALID, ERR_LIMIT, ERR_UNSUPPORTED, ERR_NOMEM, ERR_IO: fetch_start's; `done` is not called. */
enum err outgoing_start(struct deliver *d, const struct outgoing_request *r) WARN_UNUSED;
/* What an answer means for the attempt. `again`: its status is worth another one. An address that may
 * not be asked never is. */
enum deliver_outcome outgoing_outcome(const struct outgoing_answer *a, bool again);
/* What a line of the log adds: who is told that this machine's own addresses are refused is told how
 * they are allowed. */
const char *outgoing_hint(const struct outgoing_answer *a);
/* The value of Retry-After, seconds or a date, against `wall_ms`. Pure.
 * Source: RFC 9110 section 10.2.3. */
int64_t outgoing_retry_after(struct str value, int64_t wall_ms);
/* Ends all without telling. */
void outgoing_release(struct deliver *d);

#endif
