/* Filter patterns for unstructured events (CloudWatch Logs User Guide, "Filter pattern syntax"):
 *   error timeout      every term must be in the message
 *   ?error ?timeout    any of the optional terms
 *   error -debug       and none of the excluded ones
 *   "two words"        a phrase
 * Patterns for JSON ({...}) and space-delimited ([...]) events are refused.
 *
 * Thread: pure. Lifetime: the arena's; terms borrow from the pattern. */
#ifndef WEIR_SVC_LOGS_FILTER_H
#define WEIR_SVC_LOGS_FILTER_H

#include "base/str.h"

enum { LOGS_FILTER_TERMS_MAX = 64 };

struct logs_filter {
    struct logs_filter_term {
        char kind; /* '+' required, '?' any of, '-' excluded */
        struct str text;
    } * terms;
    size_t n;
    bool any_optional;
};

/* ERR_INVALID unterminated quote or empty term; ERR_UNSUPPORTED JSON, space-delimited or regular
 * expression pattern; ERR_LIMIT; ERR_NOMEM. An absent or empty pattern matches all. */
enum err logs_filter_parse(struct arena *a, struct str pattern,
                           struct logs_filter *ret) WARN_UNUSED;
bool logs_filter_matches(const struct logs_filter *f, struct str message);

#endif
