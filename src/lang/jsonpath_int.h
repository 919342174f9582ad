/* What jsonpath_*.c share. See jsonpath.h. */
#ifndef WEIR_LANG_JSONPATH_INT_H
#define WEIR_LANG_JSONPATH_INT_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "lang/jsonpath.h"

enum jp_step_kind { JP_NAMES, JP_INDEXES, JP_SLICE, JP_ALL, JP_FILTER, JP_FUNCTION };

enum jp_function {
    JP_LENGTH,
    JP_MIN,
    JP_MAX,
    JP_AVG,
    JP_SUM,
    JP_STDDEV,
    JP_KEYS,
    JP_FIRST,
    JP_LAST,
    JP_CONCAT,
};

struct jp_step {
    struct jp_step *next;
    enum jp_step_kind kind;
    bool deep; /* ".." in front */
    struct str *names;
    int64_t *indexes;
    size_t n; /* of either */
    int64_t from, to;
    bool has_from, has_to;
    struct jp_expr *filter;
    enum jp_function function;
    struct jp_operand *arguments; /* JP_CONCAT */
};

struct jsonpath {
    struct jp_step *steps;
    bool definite;
    bool relative; /* starts at '@' */
};

struct jp_operand {
    struct jp_operand *next;
    const struct json *literal;  /* or */
    const struct jsonpath *path; /* or */
    pcre2_code *regex;
};

enum jp_op {
    JP_OR,
    JP_AND,
    JP_NOT,
    JP_HOLDS, /* left alone */
    JP_EQ,
    JP_NE,
    JP_LT,
    JP_LE,
    JP_GT,
    JP_GE,
    JP_MATCHES,
    JP_IN,
    JP_NIN,
    JP_SUBSETOF,
    JP_ANYOF,
    JP_NONEOF,
    JP_SIZE,
    JP_EMPTY,
    JP_CONTAINS,
};

struct jp_expr {
    enum jp_op op;
    struct jp_expr *a, *b;         /* JP_OR, JP_AND, JP_NOT */
    struct jp_operand left, right; /* others */
};

struct jp_eval {
    const struct json *root;
    struct arena *a;
    size_t steps;
    unsigned depth;
    /* The value that a path leads to from `at`; *ret_v NULL: none. jsonpath_eval.c's, which stands
     * above the filters. */
    enum err (*path_value)(struct jp_eval *e, const struct jsonpath *p, const struct json *at,
                           const struct json **ret_v);
};

/* The value of an operand for the element `at`; *ret_v NULL: leads nowhere. */
enum err jp_operand_value(struct jp_eval *e, const struct jp_operand *o, const struct json *at,
                          const struct json **ret_v) WARN_UNUSED;
enum err jp_expr_holds(struct jp_eval *e, const struct jp_expr *x, const struct json *at,
                       bool *ret_holds) WARN_UNUSED;
enum err jp_function_value(struct jp_eval *e, const struct jp_step *s, const struct json *at,
                           const struct json **ret_v) WARN_UNUSED;

#endif
