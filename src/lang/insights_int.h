/* Between the files of the query language. */
#ifndef WEIR_LANG_INSIGHTS_INT_H
#define WEIR_LANG_INSIGHTS_INT_H

#include "base/map.h"
#include "codec/json.h"
#include "lang/insights.h"
#include "lang/regex.h"

/* --- values ----------------------------------------------------------------------------------------- */

enum ins_kind { INS_ABSENT, INS_NUMBER, INS_TEXT, INS_TIME, INS_BOOL, INS_MAP, INS_LIST };

struct ins_value {
    enum ins_kind kind;
    double number;           /* of a time: milliseconds; of a truth value: 1 or 0 */
    struct str text;         /* of INS_TEXT; of INS_MAP and INS_LIST: JSON */
    const struct json *json; /* of those two; NULL: to be made of the text */
};

/* insights_value.c */
struct ins_value ins_text(struct str s);
struct ins_value ins_number(double n); /* absent where it is none */
struct ins_value ins_bool(bool yes);
struct ins_value ins_time(double ms);
/* False: it is no number, nor a text that is one. */
bool ins_to_number(const struct ins_value *v, double *ret_n);
bool ins_is_true(const struct ins_value *v);
/* The value as it is shown; absent is empty. STR_NONE: no memory. */
struct str ins_show(struct arena *a, const struct ins_value *v);
/* Makes a structure absent, which it is for all that computes, compares and sorts. */
void ins_plain(struct ins_value *v);
/* Absent values, numbers, texts, in this order. */
int ins_compare(const struct ins_value *a, const struct ins_value *b);
/* The order of sort: absent values, texts, numbers; digits in texts by how many they are, then by value. */
int ins_sort(const struct ins_value *a, const struct ins_value *b);

/* --- queries ---------------------------------------------------------------------------------------- */

struct ins_expr;
struct ins_eval;

struct ins_function {
    const char *name;
    size_t min, max; /* arguments */
    bool structures; /* its arguments may be some; to the others they are absent */
    /* Of the arguments' values; NULL: `lazy`, which asks for those that it needs. */
    enum err (*fn)(struct ins_eval *e, const struct ins_value *v, size_t n, struct ins_value *ret);
    enum err (*lazy)(struct ins_eval *e, const struct ins_expr *x, struct ins_value *ret);
};

enum ins_expr_kind {
    INS_CONSTANT,
    INS_SLOT,
    INS_PATH,   /* steps into args[0] where that is a structure; otherwise slot `at` */
    INS_PERIOD, /* 5m: of functions of time alone */
    INS_CALL,
    INS_MATCH, /* args[0] like `regex` */
    INS_AGGREGATE,
};

/* One of a path: member or element `name`; unless `whole`, a path of its own by points. */
struct ins_step {
    struct str name;
    bool whole;
};

struct ins_expr {
    enum ins_expr_kind kind;
    struct ins_value constant;
    size_t at; /* slot, or place among the command's aggregates */
    const struct ins_step *steps;
    size_t n_steps;
    int64_t period_ms;
    int64_t period_months; /* of calendar units; then period_ms is 0 */
    const struct ins_function *function;
    const struct ins_expr **args;
    size_t n;
    const struct regex *regex;
};

enum ins_aggregate {
    INS_COUNT,
    INS_COUNT_DISTINCT,
    INS_SUM,
    INS_AVG,
    INS_MIN,
    INS_MAX,
    INS_PCT,
    INS_STDDEV,
    INS_EARLIEST,
    INS_LATEST,
    INS_SORTS_FIRST,
    INS_SORTS_LAST,
};

struct ins_agg {
    enum ins_aggregate kind;
    const struct ins_expr *of; /* NULL: events themselves, count(*) */
    double percent;
};

/* One of a list: expr is put in slot `to`. */
struct ins_item {
    const struct ins_expr *expr;
    size_t to;
    bool descending; /* of sort */
};

enum ins_command_kind {
    INS_FIELDS,
    INS_FILTER,
    INS_PARSE_GLOB,
    INS_PARSE_REGEX,
    INS_STATS,
    INS_SORT,
    INS_LIMIT,
    INS_DEDUP,
    INS_UNNEST,
};

struct ins_command {
    enum ins_command_kind kind;
    struct ins_item *items; /* fields, stats' columns, sort's keys, dedup's */
    size_t n;
    struct ins_item *by; /* of stats */
    size_t n_by;
    struct ins_agg *aggs;
    size_t n_aggs;
    const struct ins_expr *expr; /* filter's, what parse parses, the list of unnest */
    /* parse: a glob's literals, one more than slots; or an expression, whose groups[i] goes to to[i]. */
    struct str *literals;
    const struct regex *regex;
    size_t *to, *groups; /* unnest: to[0] */
    size_t n_to;
    size_t limit;
};

struct ins_slot {
    struct str name;
    bool read;    /* by an expression before any command made it: of the event */
    bool made;    /* by a command so far */
    size_t until; /* last command that needs it; SIZE_MAX: it is told */
};

struct insights_query {
    struct ins_command commands[INSIGHTS_COMMANDS_MAX + 2];
    size_t n;
    struct ins_slot slots[INSIGHTS_SLOTS_MAX];
    size_t n_slots;
    size_t columns[INSIGHTS_SLOTS_MAX]; /* slots that are told */
    size_t n_columns;
    bool asked; /* some were asked for; otherwise two are told besides what parse and unnest made */
    bool displayed; /* by display: these alone */
    bool grouped;   /* rows are groups, not events */
    struct insights_source source;
    size_t timestamp; /* slot of @timestamp */
};

/* --- parsing: insights_parse.c (commands), insights_expr.c ------------------------------------------- */

enum ins_token_kind { INS_END, INS_NAME, INS_QUOTED_NAME, INS_STRING, INS_DIGITS, INS_SYMBOL };

struct ins_token {
    enum ins_token_kind kind;
    struct str text; /* of a string: without marks, escapes resolved */
    size_t from, to;
};

struct ins_parser {
    struct arena *a;
    struct str text;
    size_t at; /* behind `token` */
    struct ins_token token;
    size_t before; /* end of the token before it */
    struct insights_query *q;
    struct insights_fault *fault;
    struct ins_command *stats; /* whose columns are read: aggregates are allowed */
    bool inside;               /* of an aggregate */
    int depth;
    size_t nodes;
};

/* insights_lex.c */
enum err ins_next(struct ins_parser *p) WARN_UNUSED;
/* ERR_INVALID with the token that is not expected here. */
enum err ins_unexpected(struct ins_parser *p) WARN_UNUSED;
enum err ins_fault(struct ins_parser *p, size_t from, size_t to, const char *fmt, ...)
    PRINTF_LIKE(4, 5) WARN_UNUSED;
bool ins_is_symbol(const struct ins_parser *p, const char *symbol);
bool ins_is_word(const struct ins_parser *p, const char *word); /* without case */
/* Goes on if the token is that; *ret_taken. */
enum err ins_take(struct ins_parser *p, const char *symbol_or_word, bool *ret_taken) WARN_UNUSED;
enum err ins_need(struct ins_parser *p, const char *symbol_or_word) WARN_UNUSED;
/* The token is '/': reads an expression up to the next one, and goes on. */
enum err ins_take_regex(struct ins_parser *p, const struct regex **ret_re) WARN_UNUSED;

/* insights_expr.c */
enum err ins_parse_expr(struct ins_parser *p, const struct ins_expr **ret) WARN_UNUSED;
enum err ins_slot_of(struct ins_parser *p, struct str name, size_t *ret_slot) WARN_UNUSED;
/* The token is a field's name: goes on. */
enum err ins_take_name(struct ins_parser *p, struct str *ret_name) WARN_UNUSED;
/* A field, or a path into a structure: goes on. */
enum err ins_take_field(struct ins_parser *p, const struct ins_expr **ret) WARN_UNUSED;

/* insights_function.c: NULL: there is none. Without case. */
const struct ins_function *ins_function_of(struct str name);

/* --- running ---------------------------------------------------------------------------------------- */

struct ins_eval {
    struct arena *a;
    const struct ins_value *slots;
    const struct ins_value *aggs; /* of a group; NULL otherwise */
    int64_t now_ms;
};

/* insights_eval.c. ERR_LIMIT: a regular expression took too long; ERR_NOMEM. */
enum err ins_eval(struct ins_eval *e, const struct ins_expr *x, struct ins_value *ret) WARN_UNUSED;
/* Puts what parse finds into slots. */
enum err ins_eval_parse(struct ins_eval *e, const struct ins_command *c,
                        struct ins_value *slots) WARN_UNUSED;

/* insights_field.c: what an event has by a field's name, and what it was taken apart into. */
struct ins_parts {
    const struct insights_event *event;
    struct arena *a;
    bool parsed;
    const struct json *json;
};
enum err ins_field(struct ins_parts *p, struct str name, struct ins_value *ret) WARN_UNUSED;
/* A member, or an element by its number; NULL: there is none. */
const struct json *ins_json_child(const struct json *v, struct str name);
const struct json *ins_json_by_path(const struct json *v, struct str path);
/* A value of JSON; a structure as its text, NULL as an absent one. */
struct ins_value ins_scalar(const struct json *v);

/* insights_struct.c: a value of JSON, a structure as one; absent where its text is longer than
 * INSIGHTS_TEXT_MAX. */
enum err ins_structure(struct arena *a, const struct json *v, struct ins_value *ret) WARN_UNUSED;
/* Absent where the text is no object and no array. */
enum err ins_structure_parse(struct arena *a, struct str text, struct ins_value *ret) WARN_UNUSED;
enum err ins_structure_tree(struct arena *a, const struct ins_value *v,
                            const struct json **ret) WARN_UNUSED;
enum err ins_follow(struct arena *a, const struct ins_value *v, const struct ins_step *steps,
                    size_t n, struct ins_value *ret) WARN_UNUSED;

/* insights_agg.c: what is known of many values. Zeroed at first; *bytes counts what it takes of the heap. */
struct ins_tally {
    double count, sum, mean, squares, least, most;
    struct ins_value value; /* of the earliest, latest, first, last; its text is the heap's */
    bool has;
    int64_t at_ms;
    double *values; /* of a percentile: every stride-th that came */
    size_t n, cap, stride, passed;
    struct map distinct;
};
void ins_tally_release(struct ins_tally *t);
enum err ins_tally_add(struct ins_tally *t, const struct ins_agg *agg, struct arena *a,
                       const struct ins_value *v, int64_t at_ms, size_t *bytes) WARN_UNUSED;
struct ins_value ins_tally_value(struct ins_tally *t, const struct ins_agg *agg);

#endif
