/* Metric math: expressions over series of numbers, parsed once, evaluated over what the caller gives. Pure.
 *
 * Values are numbers (S), series (TS) and arrays of series (TS[]). Between two series an operator works where
 * both have a value; functions over arrays work where any has one. What is no number (a division by zero)
 * leaves no value.
 *
 * Not supported, and refused by name: ANOMALY_DETECTION_BAND, INSIGHT_RULE_METRIC, SERVICE_QUOTA,
 * DB_PERF_INSIGHTS, LAMBDA, and queries of Metrics Insights (SELECT).
 *
 * Source: CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
 * Lifetime: the arena's. Thread: pure. */
#ifndef WEIR_SVC_CLOUDWATCH_CW_MATH_H
#define WEIR_SVC_CLOUDWATCH_CW_MATH_H

#include "base/str.h"

enum {
    CW_MATH_BYTES_MAX = 2048,
    CW_MATH_DEPTH_MAX = 40,
    CW_MATH_NODES_MAX = 1000,
    CW_MATH_ARGS_MAX = 100,
    CW_MATH_POINTS_MAX = 1000 * 1000, /* that one evaluation makes */
};

struct cw_series {
    struct str id, label;
    int64_t period_ms;
    size_t n;
    int64_t *at_ms; /* ascending */
    double *v;
    double *counts; /* samples of each; NULL for expressions */
};

enum cw_value_kind { CW_NUMBER, CW_TEXT, CW_SERIES, CW_ARRAY };

struct cw_value {
    enum cw_value_kind kind;
    double number;
    struct str text;
    struct cw_series *v; /* CW_SERIES: one */
    size_t n;
};

enum cw_math_kind {
    CW_MATH_NUMBER,
    CW_MATH_TEXT,
    CW_MATH_NAME,
    CW_MATH_LIST, /* [a, b] */
    CW_MATH_CALL, /* f(a, b) */
    CW_MATH_NEGATE,
    CW_MATH_BINARY, /* args[0] op args[1] */
};

struct cw_math_node {
    enum cw_math_kind kind;
    double number;
    struct str text; /* text, name, function or operator */
    struct cw_math_node **args;
    size_t n_args;
};

struct cw_math {
    struct cw_math_node *root;
    struct str names[CW_MATH_ARGS_MAX]; /* of other queries, each once */
    size_t n_names;
    bool all_metrics; /* METRICS() is in it */
    bool searches;    /* SEARCH() is */
    bool of_time;     /* HOUR() or one of its like is: values depend on when they are */
};

/* ERR_INVALID with words in *ret_why, ERR_LIMIT likewise; ERR_NOMEM. */
enum err cw_math_parse(struct arena *a, struct str text, struct cw_math *ret,
                       struct str *ret_why) WARN_UNUSED;

struct cw_math_world {
    struct arena *a;
    /* The value of a query that the expression names. Its errors are given on. */
    enum err (*lookup)(void *arg, struct str name, struct cw_value *ret);
    /* METRICS(): of all queries that are metrics, whose ids have `part` in them (absent: all). */
    enum err (*metrics)(void *arg, struct str part, struct cw_value *ret);
    /* SEARCH(): series of this statistic of all metrics that fit; period_s 0: not given. */
    enum err (*search)(void *arg, struct str text, struct str stat, double period_s,
                       struct cw_value *ret);
    void *arg;
    int64_t from_ms, to_ms, period_ms; /* of series made from nothing (FILL, TIME_SERIES) */
    int64_t phase_ms;                  /* some period begins here */
    struct str why;                    /* of ERR_INVALID, ERR_LIMIT */
    size_t points;                     /* made so far */
};
enum err cw_math_eval(const struct cw_math *math, struct cw_math_world *w,
                      struct cw_value *ret) WARN_UNUSED;

#endif
