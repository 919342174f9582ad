/* Regular expressions of users, in Java's syntax as far as PCRE2 has it, with limits against runaway
 * patterns.
 *
 * Layer: lang (includes base; PCRE2). Thread: a compiled expression never changes and may be shared. */
#ifndef WEIR_LANG_REGEX_H
#define WEIR_LANG_REGEX_H

#include "base/str.h"

enum {
    REGEX_BYTES_MAX = 8 * 1024,
    REGEX_GROUPS_MAX = 32,        /* that are told of a match, the whole included */
    REGEX_STEPS_MAX = 200 * 1000, /* PCRE2's match limit: a few milliseconds */
    REGEX_STEPS_QUICK = 1000,
    REGEX_DEPTH_MAX = 10 * 1000,
    REGEX_HEAP_KIB_MAX = 4 * 1024,
};

struct regex;

/* Compiles into the arena, which frees it. ERR_INVALID: it is none; ERR_LIMIT, ERR_NOMEM. */
enum err regex_compile(struct arena *a, struct str pattern,
                       const struct regex **ret_re) WARN_UNUSED;

/* Where groups of a match are: text[from[i]..to[i]); SIZE_MAX both: the group took no part. */
struct regex_match {
    size_t from[REGEX_GROUPS_MAX], to[REGEX_GROUPS_MAX];
    size_t n; /* groups, the whole as 0 */
};

/* How hard it is tried: who asks many times tries quickly first, and counts what takes longer. */
enum regex_effort { REGEX_FULL, REGEX_QUICK };

/* Whether the whole text matches. ERR_LIMIT: given up; ERR_NOMEM. */
enum err regex_is_match(const struct regex *re, struct str text, enum regex_effort effort,
                        bool *ret_yes) WARN_UNUSED;
/* The first match at or after byte `from`. ERR_NOT_FOUND; as above. */
enum err regex_find(const struct regex *re, struct str text, size_t from, enum regex_effort effort,
                    struct regex_match *ret_match) WARN_UNUSED;
/* Groups of the expression, without the whole. */
size_t regex_groups(const struct regex *re);
/* A group's number by name. ERR_NOT_FOUND. */
enum err regex_group(const struct regex *re, struct str name, size_t *ret_i) WARN_UNUSED;

#endif
