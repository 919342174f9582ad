/* What SEARCH() looks for among metrics: a schema and a term, parsed once, asked of each metric. Pure.
 *
 *   [ '{' namespace ',' dimension ',' ... '}' ] [ term ]
 *   term     word | "whole text" | term term | term AND term | term OR term | NOT term | '(' term ')' |
 *            property '=' (word | "whole text" | '(' term ')')
 *   property Namespace, MetricName, :aws.AccountId, or the name of a dimension
 *
 * A schema is that of a metric with this namespace and exactly these dimensions. A text in quotation marks is
 * a whole name or value; a word is a part of one: texts fall into tokens where their capitals, digits and
 * other characters are, one token is compared without regard to case, several in a row with it.
 *
 * Source: CloudWatch User Guide, "CloudWatch search expression syntax". Lifetime: the arena's. Thread: pure. */
#ifndef WEIR_SVC_CLOUDWATCH_CW_SEARCH_H
#define WEIR_SVC_CLOUDWATCH_CW_SEARCH_H

#include "svc/cloudwatch/cloudwatch_port.h"

enum {
    CW_SEARCH_BYTES_MAX = 1024,
    CW_SEARCH_DEPTH_MAX = 40,
    CW_SEARCH_DIMS_MAX = 30,
    CW_SEARCH_TOKENS_MAX = 64, /* of one text that are looked at */
};

enum cw_search_kind { CW_SEARCH_TERM, CW_SEARCH_AND, CW_SEARCH_OR, CW_SEARCH_NOT };

struct cw_search_node {
    enum cw_search_kind kind;
    struct cw_search_node *a, *b; /* NOT: a */
    struct str property;          /* of a term; absent: any */
    struct str text;
    bool whole;
};

struct cw_search {
    struct str space;                    /* of the schema; absent: there is none */
    struct str dims[CW_SEARCH_DIMS_MAX]; /* in the order of their names */
    size_t n_dims;
    struct cw_search_node *root; /* NULL: no term */
};

/* The text's parts are borrowed. ERR_INVALID with *ret_why, ERR_NOMEM. */
enum err cw_search_parse(struct arena *a, struct str text, struct cw_search *ret,
                         const char **ret_why) WARN_UNUSED;
/* The metric's dimensions are sorted. */
bool cw_search_matches(const struct cw_search *search, struct str account,
                       const struct cw_metric *metric);

#endif
