/* Descriptive statistics of quotes_fact, and the limits that data must keep.
 *
 * For each column: count (of values that are there), distinct, min, max, range, mean, variance and
 * standard deviation (of a sample), nulls. Dates have a range in days and no mean; text has neither.
 * DuckDB computes them, by the one query that stats_sql writes; mean, variance and standard deviation
 * are rounded to six decimals, so that the same data always says the same.
 *
 * Limits are a JSON list, of LIMITS_MAX at most, each with a minimum, a maximum or both:
 *   [{"statistic":"rows","min":1},{"column":"author","statistic":"nulls","max":0}]
 *
 * Layer: pipeline, pure. */
#ifndef QUOTES_STATS_H
#define QUOTES_STATS_H

#include "codec/json.h"

enum statistic {
    STAT_COUNT,
    STAT_DISTINCT,
    STAT_MIN,
    STAT_MAX,
    STAT_RANGE,
    STAT_MEAN,
    STAT_VARIANCE,
    STAT_STANDARD_DEVIATION,
    STAT_NULLS,
    STATS_N,
};

enum {
    STATS_COLUMNS = 9,
    STATS_ROWS = STATS_N, /* of a limit: the number of rows, of no column */
    LIMITS_MAX = 10,      /* as many events as one PutEvents takes */
};

/* As DuckDB wrote them; absent where there is none: no values, or of no sense for the column. */
struct stats {
    int64_t rows;
    struct str of[STATS_COLUMNS][STATS_N];
};

/* SQL whose rows are the columns, in order, and whose columns are the statistics, in order. */
void stats_sql(struct buf *b, const char *table);

/* {"quote_id":{"count":1440,..},..} */
void stats_put(struct json_out *o, const struct stats *stats);

struct limit {
    size_t column; /* meaningless with STATS_ROWS */
    int statistic; /* enum statistic, or STATS_ROWS */
    bool has_min, has_max;
    double min, max;
};

/* ERR_INVALID: *ret_why says what is wrong. ERR_NOMEM. */
enum err limits_read(struct arena *a, struct str text, struct limit ret_limits[LIMITS_MAX],
                     size_t *ret_n, struct str *ret_why) WARN_UNUSED;

/* Whether the data keeps it. A statistic that is not there keeps it: too few values are what limits of
 * rows and nulls are for. */
bool limit_kept(const struct limit *limit, const struct stats *stats);

/* Members of the object that is open: column, statistic, value, min, max. */
void limit_put(struct json_out *o, const struct limit *limit, const struct stats *stats);

#endif
