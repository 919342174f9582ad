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
 *   %...%                         a regular expression in the place of a term or a value, in AWS's
 *                                 subset: no groups, ASCII, FILTER_REGEX_MAX in a pattern
 *
 * Layer: lang (includes base, codec). Thread: pure. Lifetime: the arena's; texts borrow from the pattern
 * or are the arena's. */
#ifndef WEIR_LANG_FILTER_H
#define WEIR_LANG_FILTER_H

#include "codec/json.h"
#include "lang/regex.h"

enum {
    FILTER_TERMS_MAX = 64,
    FILTER_NODES_MAX = 200,
    FILTER_DEPTH_MAX = 32,
    FILTER_STEPS_MAX = 32, /* of a selector */
    FILTER_COLUMNS_MAX = 100,
    FILTER_REGEX_MAX = 2,
};

enum filter_kind { FILTER_TERMS, FILTER_JSON, FILTER_COLUMNS };

enum filter_test_op {
    FILTER_TEST_EQ,
    FILTER_TEST_NE,
    FILTER_TEST_LT,
    FILTER_TEST_LE,
    FILTER_TEST_GT,
    FILTER_TEST_GE,
    FILTER_TEST_TRUE,
    FILTER_TEST_FALSE,
    FILTER_TEST_NULL,
    FILTER_TEST_EXISTS,
    FILTER_TEST_ABSENT,
};

/* $.a.b[0]: names and places. */
struct filter_selector {
    struct filter_step {
        struct str key; /* absent: `index` */
        size_t index;
    } steps[FILTER_STEPS_MAX];
    size_t n;
};

struct filter_node {
    char kind; /* '&', '|', or 't': a test */
    struct filter_node *left, *right;
    enum filter_test_op op;
    const struct filter_selector *selector; /* of JSON */
    size_t column;                          /* of columns */
    struct str text;                        /* compared with; '*' stands for anything */
    const struct regex *regex;              /* in place of `text`; NULL: none */
    bool is_number;                         /* and stands without quotation marks */
    double number;
};

struct filter {
    enum filter_kind kind;
    struct filter_term {
        char kind; /* '+' required, '?' any of, '-' excluded */
        struct str text;
        const struct regex *regex; /* in place of `text`; NULL: none */
    } * terms;
    size_t n;
    bool any_optional;
    struct filter_node *root; /* of JSON and columns; NULL: no test */
    struct str *columns;      /* their names, "..." taken out */
    size_t n_columns;
    size_t rest; /* columns before "..."; SIZE_MAX: there is none */
    size_t n_regex;
};

/* What an event was taken apart into, for what is extracted from it. Lifetime: the arena's. */
struct filter_parts {
    struct json *json;  /* NULL: it is not JSON, or the filter does not ask */
    struct str *fields; /* one a column of the filter; absent where the event has none */
};

/* ERR_INVALID, ERR_LIMIT: not a pattern, *ret_why (may be NULL) says so in AWS's words; ERR_NOMEM. An
 * absent or empty pattern matches all. */
enum err filter_parse(struct arena *a, struct str pattern, struct filter *ret,
                      struct str *ret_why) WARN_UNUSED;
/* Whether the message matches; ret_parts may be NULL. Takes memory only where the message is to be taken
 * apart. A regular expression that takes too long on a message does not match it. ERR_NOMEM. */
enum err filter_matches(const struct filter *f, struct arena *a, struct str message,
                        struct filter_parts *ret_parts, bool *ret_match) WARN_UNUSED;

/* "$.a.b" or "$column", which a transformation takes values from. */
struct filter_extract {
    bool column;
    size_t at; /* which */
    struct filter_selector selector;
};
/* ERR_INVALID: neither, or not of this kind of filter. ERR_NOMEM. */
enum err filter_extract_parse(struct arena *a, const struct filter *f, struct str text,
                              struct filter_extract *ret) WARN_UNUSED;
/* Its text in an event; STR_NONE: it has none, or no text or number. */
struct str filter_extract_text(const struct filter_extract *x, const struct filter_parts *parts);

#endif
