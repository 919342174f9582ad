/* The query language of CloudWatch Logs Insights: commands that events go through, one after another.
 *
 *   fields @timestamp, concat(user.name, "!") as who | filter level = "ERROR" and @message like /time.?out/
 *   | parse @message "took * ms" as took | stats avg(took), count(*) as n by bin(5m), who
 *   | sort n desc | limit 20
 *
 * fields, display, filter, filterIndex, parse, unnest, stats, sort, limit, dedup; SOURCE logGroups(...) in front of
 * them; functions and operators as in AWS's reference. Other commands are refused by name.
 *
 * Invariants
 *   LQ1  A query that parsed never fails on an event but for memory and time: what cannot be computed
 *        (text as number, division by 0) is absent, and absent fields of a row are not told.
 *   LQ2  Rows and groups of a run take at most the bytes that it was made with, and a regular expression
 *        no more steps than lang/regex.h says (ERR_LIMIT: the query fails, it never gives a wrong answer).
 *   LQ3  Without sort, rows come newest first, groups by what they were made by: times newest first.
 *   LQ4  Told are the fields of the last display; or of fields or stats, and what parse and unnest made; without any
 *        of them @timestamp and @message with what was made.
 *
 * Source: CloudWatch Logs User Guide, "CloudWatch Logs Insights query syntax"; "Supported logs and discovered
 * fields".
 * Layer: lang (includes base, codec). Thread: pure; a query may be shared, a run has one user. */
#ifndef WEIR_LANG_INSIGHTS_H
#define WEIR_LANG_INSIGHTS_H

#include "base/buf.h"

enum {
    INSIGHTS_BYTES_MAX = 10 * 1000, /* of a query */
    INSIGHTS_COMMANDS_MAX = 64,
    INSIGHTS_NODES_MAX = 4000, /* of all expressions */
    INSIGHTS_DEPTH_MAX = 64,
    INSIGHTS_SLOTS_MAX = 300, /* fields that a query names or makes */
    INSIGHTS_ARGS_MAX = 64,
    INSIGHTS_ITEMS_MAX = 100,           /* of a command's list */
    INSIGHTS_STATS_MAX = 2,             /* commands of statistics */
    INSIGHTS_STEPS_MAX = 64,            /* of a path into a structure */
    INSIGHTS_UNNESTED_MAX = 100 * 1000, /* rows that one event is made into */
    INSIGHTS_PREFIXES_MAX = 5,          /* of SOURCE */
    INSIGHTS_FIELD_MAX = 512,           /* bytes of a field's name */
    INSIGHTS_ROWS_MAX = 100 * 1000,
    INSIGHTS_TEXT_MAX = 1024 * 1024, /* of what a function makes */
    INSIGHTS_DISCOVERED_MAX = 1000,  /* fields of an event that are listed */
    INSIGHTS_VALUES_MAX =
        16 * 1024, /* of a percentile that are kept; then every other, and so on */
};

struct insights_query;
struct insights_run;

/* Where a query is none: bytes from..to of it, and what is said. */
struct insights_fault {
    struct str message;
    size_t from, to;
};

/* ERR_INVALID, ERR_LIMIT: *ret_fault says why; ERR_NOMEM. The query borrows the text. */
enum err insights_parse(struct arena *a, struct str text, const struct insights_query **ret_query,
                        struct insights_fault *ret_fault) WARN_UNUSED;

/* What SOURCE says. */
struct insights_source {
    bool is_set;
    struct str prefixes[INSIGHTS_PREFIXES_MAX]; /* of names of log groups; none: all */
    size_t n_prefixes;
    bool standard; /* log groups of this class */
};
const struct insights_source *insights_source_of(const struct insights_query *query);

/* An event, borrowed. */
struct insights_event {
    int64_t timestamp_ms, ingested_ms;
    struct str message, stream, group, account, region;
    struct str ref; /* any bytes that lead back to it: given with its row, for @ptr */
};

/* `bytes` of rows and groups, at most `limit` rows; now_ms is what now() says. The query is borrowed.
 * ERR_NOMEM. */
enum err insights_run_new(const struct insights_query *query, size_t bytes, size_t limit,
                          int64_t now_ms, struct insights_run **ret_run) WARN_UNUSED;
/* Takes the next event; *ret_matched: it passed all filters before what puts events together. ERR_LIMIT (LQ2),
 * ERR_NOMEM. */
enum err insights_run_event(struct insights_run *run, const struct insights_event *e,
                            bool *ret_matched) WARN_UNUSED;
/* No more events come: rows are made. Errors as above. Once. */
enum err insights_run_end(struct insights_run *run) WARN_UNUSED;
/* Accepts NULL. */
void insights_run_free(struct insights_run *run);

struct insights_field {
    struct str name, value;
};
/* Rows, after the end. Fields that are there, in the order of their columns, in `a`; *ret_ref: of the event
 * that the row is, STR_NONE for a group. ERR_NOMEM. */
size_t insights_run_rows(const struct insights_run *run);
enum err insights_run_row(const struct insights_run *run, size_t i, struct arena *a,
                          struct insights_field **ret_fields, size_t *ret_n,
                          struct str *ret_ref) WARN_UNUSED;

/* All fields of an event, in `a`: the fixed ones, those of Lambda's lines, those of JSON by their paths, at
 * most INSIGHTS_DISCOVERED_MAX. ERR_NOMEM. */
enum err insights_discover(struct arena *a, const struct insights_event *e,
                           struct insights_field **ret_fields, size_t *ret_n) WARN_UNUSED;

#endif
