/* The filter of ListUsers: `attribute = "value"` or `attribute ^= "value"`.
 *
 * Source: ListUsers, "Filter". Layer: svc/cognito. Thread: pure. */
#ifndef WEIR_SVC_COGNITO_COGNITO_FILTER_H
#define WEIR_SVC_COGNITO_COGNITO_FILTER_H

#include "base/str.h"

struct cognito_filter {
    struct str attribute; /* absent: everybody */
    struct str value;
    bool begins; /* ^= */
};

/* Borrows from `text`, but for a value with escaped quotes, which is the arena's. Absent or empty text:
 * no filter. ERR_INVALID, ERR_NOMEM. */
enum err cognito_filter_parse(struct arena *a, struct str text,
                              struct cognito_filter *ret) WARN_UNUSED;
/* Whether a value passes; an absent one does not. Text is compared without case where `nocase`. */
bool cognito_filter_match(const struct cognito_filter *f, struct str value, bool nocase);

#endif
