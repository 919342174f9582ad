/* What pattern_*.c share. See pattern.h. */
#ifndef WEIR_LANG_PATTERN_INT_H
#define WEIR_LANG_PATTERN_INT_H

#include "lang/pattern.h"

enum {
    PATTERN_IP_TEXT_MAX = 45, /* the longest spelling of an IPv6 address */
};

enum matcher_kind {
    MATCH_STRING,
    MATCH_LITERAL, /* true, false, null; a number out of range (EP4), by its text */
    MATCH_RANGE,   /* of numbers, in millionths, both ends included */
    MATCH_PREFIX,
    MATCH_PREFIX_NOCASE,
    MATCH_SUFFIX,
    MATCH_SUFFIX_NOCASE,
    MATCH_NOCASE,
    MATCH_WILDCARD,
    MATCH_CIDR,
    MATCH_EXISTS,
    MATCH_NOT, /* none of `list` */
};

struct matcher {
    struct matcher *next; /* alternative */
    enum matcher_kind kind;
    struct str text;    /* MATCH_STRING ... MATCH_NOCASE; folded for the _NOCASE ones */
    int64_t low, high;  /* MATCH_RANGE */
    struct str *pieces; /* MATCH_WILDCARD: what stands between the '*'s; at least two */
    size_t pieces_n;
    unsigned char first[16], last[16]; /* MATCH_CIDR */
    size_t ip_len;                     /* 4 or 16 */
    struct matcher *list;              /* MATCH_NOT */
};

/* One path and what it may be. */
struct pattern_field {
    struct str path; /* steps joined by '.' */
    struct matcher *matchers;
    bool absent;     /* {"exists": false} is among the values */
    size_t values_n; /* as written, and the depth of the name: SNS multiplies them */
    size_t depth;
};

/* Fields that all must match, ordered by path (EP3). */
struct pattern_alternative {
    const struct pattern_field **fields;
    size_t n;
};

struct pattern {
    struct pattern_alternative *alternatives;
    size_t n;
    enum pattern_dialect dialect;
};

/* A leaf of an event, prepared once for all matchers that look at it. */
struct pattern_value {
    const struct json *v;
    bool is_number; /* comparable (EP4) */
    int64_t number; /* millionths */
    size_t ip_len;  /* 0: not an address */
    unsigned char ip[16];
};

void pattern_value_init(struct pattern_value *ret_value, const struct json *v);
bool pattern_matcher_fits(const struct matcher *m, const struct pattern_value *v);
/* 0, 4 or 16 bytes written. */
size_t pattern_ip_parse(struct str text, unsigned char ret_ip[16]);
/* ERR_INVALID: too many digits after the point; ERR_LIMIT: out of range. */
enum err pattern_number(struct str text, int64_t *ret_millionths) WARN_UNUSED;

#endif
