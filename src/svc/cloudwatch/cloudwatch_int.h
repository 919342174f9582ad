/* Inside the service: records, and what the operations share.
 *
 * Invariants
 *   CW1  A point of a class of periods is the tally of every value of its metric and unit whose moment is
 *        in its period: values are added to all classes as they come, so nothing is rolled up later.
 *   CW2  Every point lies in a chunk that table 3 names; what is past a class's time is swept by chunks, and
 *        is never shown, swept or not.
 *   CW3  A metric alarm has a due time exactly while its state could change without a new value: while one of its
 *        metrics' values passes, some day, from one of the periods that it looks at to the next or comes into
 *        the first, or its state was set by hand; and the due time is when the first of them does. A value of a
 *        metric that an alarm watches sets the due time in its own commit.
 *   CW4  A change of an alarm's state, its history, its event, its actions and the due times of the
 *        composite alarms that ask for it are one commit.
 *   CW5  An alarm's rule names alarms that exist: what a rule names cannot be deleted. */
#ifndef WEIR_SVC_CLOUDWATCH_CLOUDWATCH_INT_H
#define WEIR_SVC_CLOUDWATCH_CLOUDWATCH_INT_H

#include "cloudwatch_api.h"

#include "base/arn.h"
#include "base/record.h"
#include "base/tally.h"
#include "codec/json.h"
#include "core/catalogue.h"
#include "core/core.h"
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/due.h"
#include "svc/cloudwatch/cloudwatch.h"
#include "svc/cloudwatch/cloudwatch_keys.h"
#include "svc/cloudwatch/cloudwatch_port.h"
#include "svc/cloudwatch/cw_judge.h"
#include "svc/cloudwatch/cw_math.h"
#include "svc/cloudwatch/cw_search.h"
#include "svc/cloudwatch/cw_stat.h"

enum {
    CW_DATA_MAX = 1000,   /* metrics of one PutMetricData */
    CW_VALUES_MAX = 150,  /* different values of each */
    CW_POINTS_MAX = 1440, /* of one GetMetricStatistics */
    CW_LIST_METRICS = 500,
    CW_QUERIES_MAX = 500, /* of one GetMetricData */
    CW_GET_POINTS_MAX = 100800,
    CW_DIMS_MAX = 30,
    CW_UNITS = 27,
    CW_UNIT_NONE = 26,
    CW_ANY_UNIT = 255,
    CW_ACTIONS_MAX = 5,
    CW_ALARM_QUERIES_MAX = 20,
    CW_ALARMS_PAGE = 100,
    CW_DESCRIBE_DEFAULT = 50,
    CW_HISTORY_DAYS = 30,
    CW_WATCHERS_MAX = 1000, /* alarms of one metric; also CATALOGUE_PAGE_MAX */
    CW_RULE_ALARMS_MAX = 100,
    CW_REASON_MAX = 1023,
    CW_REASON_DATA_MAX = 4000,
    CW_SEARCH_SERIES_MAX = 500, /* that one search finds */
    CW_LABEL_MAX = 64 * 1024,
    CW_MINUTE_MS = 60 * 1000,
};
#define CW_DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define CW_PAST_MS (14 * CW_DAY_MS)
#define CW_FUTURE_MS ((int64_t)2 * 60 * 60 * 1000)

/* The classes of periods, finest first: AWS's retention schedule. */
enum cw_class { CW_1S, CW_1M, CW_5M, CW_1H, CW_CLASSES };
struct cw_class_def {
    int64_t period_ms, kept_ms, chunk_ms;
};
extern const struct cw_class_def cw_classes[CW_CLASSES];

struct cw {
    struct core *core;
    struct cloudwatch_port port;
    struct catalogue *alarms;
    struct due_kind *due;   /* alarms */
    struct due_kind *sweep; /* singleton */
    bool measuring;         /* core->measures is its own */
};

static inline struct cw *cw_of(const struct call *call)
{
    return call->svc;
}

/* --- metrics (cw_metric.c) ---------------------------------------------------------------------- */

struct cw_metric_rec {
    uint64_t id;
    int64_t newest_ms; /* of its values' moments, to the minute */
    int64_t put_ms;    /* when the newest value came, to five minutes */
};

/* A metric's name as its record is keyed; its dimensions sorted. ERR_NOMEM. */
enum err cw_metric_sort(struct arena *a, struct cw_metric *m) WARN_UNUSED;
struct str cw_metric_key(struct arena *a, struct key_scope scope, const struct cw_metric *m);
/* The other way; the arena's. */
enum err cw_metric_of_key(struct arena *a, struct str key, struct key_scope *ret_scope,
                          struct cw_metric *ret) WARN_UNUSED;
enum err cw_metric_parse(struct arena *a, struct str record, struct cw_metric_rec *ret) WARN_UNUSED;
/* Read tracked. ERR_NOT_FOUND. */
enum err cw_metric_read(struct txn *txn, struct str key, struct cw_metric_rec *ret) WARN_UNUSED;
/* The dimensions of a request as they are; borrowed. */
#define CW_DIMS(list)                                                                              \
    ({                                                                                             \
        _Static_assert(sizeof(*(list).v) == sizeof(struct cw_dim), "a list of dimensions");        \
        (const struct cw_dim *)(const void *)(list).v;                                             \
    })
/* Number of a unit's name; CW_ANY_UNIT for none of them. */
unsigned cw_unit_of(struct str name);
struct str cw_unit_name(unsigned unit);

/* --- points (cw_points.c) ----------------------------------------------------------------------- */

/* Puts values of a metric (CW1) and wakes who watches it (CW3). */
enum err cw_put(struct cw *cw, struct txn *txn, struct key_scope scope,
                const struct cw_datum *datum) WARN_UNUSED;

struct cw_point {
    int64_t at_ms; /* start of its period */
    unsigned unit;
    struct tally values;
};
struct cw_points {
    struct cw_point *v;
    size_t n, cap;
    int64_t changes_ms; /* of a range that trails (step_ms); CW_NEVER: no value will pass */
};
#define CW_NEVER INT64_MAX
/* What of a metric to read. */
struct cw_range {
    int64_t from_ms, to_ms; /* from <= start of a period < to */
    int64_t period_ms;
    /* Above 0: periods begin at from_ms, of which to_ms is a multiple away, and the range moves on so much at
     * a time: the answer tells at which to_ms it would be another one. */
    int64_t step_ms;
    unsigned unit; /* CW_ANY_UNIT: all */
    bool by_unit;  /* a point for each unit; otherwise they are put together */
};
/* Points that have values, in the order of time, in the transaction's arena. None where there is no such
 * metric. ERR_LONG. */
enum err cw_read_points(struct txn *txn, struct str metric_key, const struct cw_range *range,
                        struct cw_points *ret) WARN_UNUSED;
enum err cw_sweep_register(struct cw *cw) WARN_UNUSED;

/* --- alarms (cw_alarm.c) ------------------------------------------------------------------------ */

struct cw_query {
    struct str id, expression, label;
    struct str space, name, stat;
    size_t n_dims;
    struct cw_dim *dims; /* sorted */
    int64_t period_s;    /* 0: not given */
    uint8_t unit;        /* CW_ANY_UNIT: not given */
    bool returned;
    bool searches; /* of a request: SEARCH() is in its expression */
};

enum cw_suppressed {
    CW_SUPPRESSED_NOT,
    CW_SUPPRESSED_WAIT,
    CW_SUPPRESSED_EXTENSION,
    CW_SUPPRESSED_ALARM
};

struct cw_alarm {
    struct catalogue_object object; /* of those in the catalogue */
    bool composite, actions_off, math;
    struct str description;
    struct str *ok, *alarm, *insufficient; /* actions */
    size_t n_ok, n_alarm, n_insufficient;
    int64_t configured_ms, updated_ms, transitioned_ms;
    enum cw_state state;
    struct str reason, reason_data;
    /* Of metrics. */
    struct cw_query *queries;
    size_t n_queries;
    int64_t periods, to_alarm; /* to_alarm 0: not given */
    double threshold;
    enum cw_comparison comparison;
    enum cw_missing missing;
    bool missing_given;
    enum { CW_LOW_NOT_GIVEN, CW_LOW_EVALUATE, CW_LOW_IGNORE, CW_LOW_VALUES } low_samples;
    /* Composite. */
    struct str rule, suppressor;
    int64_t wait_s, extension_s;
    enum cw_suppressed suppressed;
    int64_t suppressed_until_ms;
    struct str suppressed_reason;
    bool set_by_hand; /* its state, until it is next evaluated */
};

enum { CW_BY_METRIC, CW_BY_CHILD, CW_ALARM_INDEXES };

enum err cw_alarms_init(struct cw *cw) WARN_UNUSED;
enum err cw_alarms_load(struct txn *txn, void *cw) WARN_UNUSED;
struct str cw_alarm_arn(struct arena *a, const struct core *core, struct key_scope scope,
                        struct str name);
/* Read tracked, by its key. ERR_NOT_FOUND. */
enum err cw_alarm_read(struct txn *txn, struct str key, struct cw_alarm *ret) WARN_UNUSED;
enum err cw_alarm_parse(struct arena *a, struct str record, struct cw_alarm *ret) WARN_UNUSED;
enum err cw_alarm_write(struct cw *cw, struct txn *txn, struct str key,
                        const struct cw_alarm *alarm) WARN_UNUSED;
/* The metric of a query as its key; a query that is no expression. */
struct str cw_query_metric(struct arena *a, struct key_scope scope, const struct cw_query *q);
/* Name or ARN of an alarm in a rule, as its key; STR_NONE: of elsewhere, or no memory. */
struct str cw_alarm_ref(struct arena *a, struct key_scope scope, struct str name_or_arn);
struct str cw_state_name(enum cw_state state);
bool cw_state_parse(struct str name, enum cw_state *ret);

/* --- when (cw_due.c), evaluation (cw_evaluate.c) and its outcome (cw_state.c) -------------------- */

enum err cw_due_register(struct cw *cw) WARN_UNUSED;
/* The alarm is evaluated `in_ms` from now, or earlier if that is set. */
enum err cw_alarm_due(struct cw *cw, struct txn *txn, struct str key, int64_t in_ms) WARN_UNUSED;
/* A value with this moment came for a metric of the alarm. */
enum err cw_alarm_wake(struct cw *cw, struct txn *txn, const struct cw_alarm *alarm,
                       int64_t at_ms) WARN_UNUSED;
/* As requests name them. */
struct str cw_comparison_name(enum cw_comparison c);
struct str cw_missing_name(enum cw_missing m);
/* Of an alarm of metrics: its period; how far apart the moments are at which it looks back, how long it waits
 * after one, and at how many periods it looks. */
int64_t cw_alarm_period_ms(const struct cw_alarm *alarm);
int64_t cw_alarm_step_ms(const struct cw_alarm *alarm);
int64_t cw_settle_ms(int64_t step_ms);
int64_t cw_looks_at(const struct cw_alarm *alarm);

/* An alarm in a transaction. */
struct cw_alarm_at {
    struct cw *cw;
    struct txn *txn;
    struct str key;
    struct key_scope scope;
    struct str name, arn;
    struct cw_alarm *alarm;
};
enum err cw_alarm_at(struct cw *cw, struct txn *txn, struct str key, struct cw_alarm *alarm,
                     struct cw_alarm_at *ret) WARN_UNUSED;
/* Another state, or the same with a new reason, which changes nothing but that (CW4). Writes the alarm. */
enum err cw_set_state(struct cw_alarm_at *at, enum cw_state state, struct str reason,
                      struct str reason_data) WARN_UNUSED;
/* Sends what the alarm's present state sends. */
enum err cw_do_actions(struct cw_alarm_at *at) WARN_UNUSED;
enum err cw_wake_parents(struct cw_alarm_at *at) WARN_UNUSED;

enum cw_history_type {
    CW_HISTORY_CONFIGURATION,
    CW_HISTORY_STATE,
    CW_HISTORY_ACTION,
    CW_HISTORY_TYPES
};
struct cw_history {
    enum cw_history_type type;
    bool composite;
    struct str summary, data;
};
enum err cw_history_add(struct cw_alarm_at *at, enum cw_history_type type, struct str summary,
                        struct str data) WARN_UNUSED;
enum err cw_history_parse(struct arena *a, struct str record, struct cw_history *ret) WARN_UNUSED;
/* A moment as alarms tell it: "2026-11-29T11:20:00.000+0000". */
void cw_moment_json(struct json_out *o, struct str key, int64_t ms);
/* The alarm as the JSON that events and actions tell. */
void cw_configuration_json(struct json_out *o, const struct cw_alarm_at *at);
/* A query as GetMetricData's JSON has it. */
void cw_query_json(struct json_out *o, const struct cw_query *q);

/* composite alarms (cw_composite.c) */
enum err cw_evaluate_composite(struct cw_alarm_at *at) WARN_UNUSED;
/* After a change of state: whether its actions wait (CW_SUPPRESSED_*). cw_suppress.c, and what of it
 * cw_composite.c needs: the suppressor's state, and the alarm held for so long. */
enum err cw_suppressor_alarms(struct cw_alarm_at *at, bool *ret_alarms) WARN_UNUSED;
void cw_hold(struct cw_alarm_at *at, enum cw_suppressed how, int64_t seconds);
enum err cw_suppress(struct cw_alarm_at *at, bool *ret_wait) WARN_UNUSED;

/* --- data of queries (cw_data.c) ---------------------------------------------------------------- */

struct cw_asked {
    const struct cw_query *queries;
    size_t n;
    struct key_scope scope;
    int64_t from_ms, to_ms;
    int64_t step_ms; /* as in cw_range */
};
/* The series of one query, by its place; several where an expression gives an array. The transaction's
 * arena. ERR_INVALID with *ret_why (borrowed from the arena). ERR_LONG. */
struct cw_answer {
    struct cw_series *v;
    size_t n;
    int64_t changes_ms; /* as in cw_points */
    struct str why;
};
enum err cw_data(struct txn *txn, const struct cw_asked *asked, size_t which,
                 struct cw_answer *ret) WARN_UNUSED;
bool cw_period_valid(int64_t period_s);
/* A request's queries; sets the call's error. */
enum err cw_queries_take(struct call *call, const struct cloudwatch_metric_data_queries *in,
                         struct cw_query **ret, size_t *ret_n) WARN_UNUSED;

/* --- for operations ----------------------------------------------------------------------------- */

#define CW_BAD_VALUE(call, ...)                                                                    \
    call_error((call), &cloudwatch_err_invalid_parameter_value_exception, __VA_ARGS__)
#define CW_BAD_COMBINATION(call, ...)                                                              \
    call_error((call), &cloudwatch_err_invalid_parameter_combination_exception, __VA_ARGS__)
#define CW_MISSING(call, ...) call_error((call), &cloudwatch_err_missing_parameter, __VA_ARGS__)
#define CW_INVALID(call, ...) call_error((call), &cloudwatch_err_validation, __VA_ARGS__)
/* An alarm's name in a request, as its key; sets the call's error where there is none. */
enum err cw_need_alarm(struct call *call, struct str name, struct str *ret_key,
                       struct cw_alarm *ret) WARN_UNUSED;
/* The lists of actions and the description of a request that makes an alarm; checked. */
struct cw_alarm_asked {
    struct str name, description;
    bool actions_off;
    const struct cloudwatch_resource_list *ok, *alarm, *insufficient;
    struct tag_list tags;
};
/* Stores a new alarm, or a new configuration in place of an old one, whose state stays; then it is
 * evaluated. `alarm` has what is its kind's own. */
enum err cw_alarm_configure(struct call *call, const struct cw_alarm_asked *asked,
                            struct cw_alarm *alarm) WARN_UNUSED;
/* page_scan's answer; of ERR_INVALID it makes the service's error. */
enum err cw_paged(struct call *call, enum err err) WARN_UNUSED;

struct str cw_dashboard_arn(struct arena *a, const struct core *core, struct key_scope scope,
                            struct str name);

extern const struct tags_service cw_tags;

#endif
