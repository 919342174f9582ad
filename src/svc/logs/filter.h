/* Filter patterns, of three kinds (CloudWatch Logs User Guide, "Filter pattern syntax"):
 *
 *   terms     error timeout       every term must be in the message
 *             ?error ?timeout     any of the optional terms
 *             error -debug        and none of the excluded ones
 *             "two words"         a phrase
 *   JSON      { $.status = 4* && ($.bytes > 1000 || $.user NOT EXISTS) }
 *             = != < <= > >=, * in texts, IS TRUE, IS FALSE, IS NULL, EXISTS, NOT EXISTS
 *   columns   [ip, user = admin, ..., status = 4*, bytes > 1000 || bytes = -]
 *             of a message divided by spaces, where "..." and [...] are one column each
 *
 * Regular expressions (%...%) are refused.
 *
 * Thread: pure. Lifetime: the arena's; texts borrow from the pattern or are the arena's. */
#ifndef WEIR_SVC_LOGS_FILTER_H
#define WEIR_SVC_LOGS_FILTER_H

#include "codec/json.h"

enum {
    LOGS_FILTER_TERMS_MAX = 64,
    LOGS_FILTER_NODES_MAX = 200,
    LOGS_FILTER_DEPTH_MAX = 32,
    LOGS_FILTER_STEPS_MAX = 32, /* of a selector */
    LOGS_FILTER_COLUMNS_MAX = 100,
};

enum logs_filter_kind { LOGS_FILTER_TERMS, LOGS_FILTER_JSON, LOGS_FILTER_COLUMNS };

enum logs_test_op {
    LOGS_TEST_EQ,
    LOGS_TEST_NE,
    LOGS_TEST_LT,
    LOGS_TEST_LE,
    LOGS_TEST_GT,
    LOGS_TEST_GE,
    LOGS_TEST_TRUE,
    LOGS_TEST_FALSE,
    LOGS_TEST_NULL,
    LOGS_TEST_EXISTS,
    LOGS_TEST_ABSENT,
};

/* $.a.b[0]: names and places. */
struct logs_selector {
    struct logs_step {
        struct str key; /* absent: `index` */
        size_t index;
    } steps[LOGS_FILTER_STEPS_MAX];
    size_t n;
};

struct logs_filter_node {
    char kind; /* '&', '|', or 't': a test */
    struct logs_filter_node *left, *right;
    enum logs_test_op op;
    const struct logs_selector *selector; /* of JSON */
    size_t column;                        /* of columns */
    struct str text;                      /* compared with; '*' stands for anything */
    bool is_number;                       /* and stands without quotation marks */
    double number;
};

struct logs_filter {
    enum logs_filter_kind kind;
    struct logs_filter_term {
        char kind; /* '+' required, '?' any of, '-' excluded */
        struct str text;
    } * terms;
    size_t n;
    bool any_optional;
    struct logs_filter_node *root; /* of JSON and columns; NULL: no test */
    struct str *columns;           /* their names, "..." taken out */
    size_t n_columns;
    size_t rest; /* columns before "..."; SIZE_MAX: there is none */
};

/* What an event was taken apart into, for what is extracted from it. Lifetime: the arena's. */
struct logs_parts {
    struct json *json;  /* NULL: it is not JSON, or the filter does not ask */
    struct str *fields; /* one a column of the filter; absent where the event has none */
};

/* ERR_INVALID: not a pattern; ERR_UNSUPPORTED: a regular expression; ERR_LIMIT; ERR_NOMEM. An absent or
 * empty pattern matches all. */
enum err logs_filter_parse(struct arena *a, struct str pattern,
                           struct logs_filter *ret) WARN_UNUSED;
/* Whether the message matches; ret_parts may be NULL. Takes memory only where the message is to be taken
 * apart. ERR_NOMEM. */
enum err logs_filter_matches(const struct logs_filter *f, struct arena *a, struct str message,
                             struct logs_parts *ret_parts, bool *ret_match) WARN_UNUSED;

/* "$.a.b" or "$column", which a transformation takes values from. */
struct logs_extract {
    bool column;
    size_t at; /* which */
    struct logs_selector selector;
};
/* ERR_INVALID: neither, or not of this kind of filter. ERR_NOMEM. */
enum err logs_extract_parse(struct arena *a, const struct logs_filter *f, struct str text,
                            struct logs_extract *ret) WARN_UNUSED;
/* Its text in an event; STR_NONE: it has none, or no text or number. */
struct str logs_extract_text(const struct logs_extract *x, const struct logs_parts *parts);

#endif
