/* Between the files of filter patterns. */
#ifndef WEIR_LANG_FILTER_INT_H
#define WEIR_LANG_FILTER_INT_H

#include "lang/filter.h"

/* filter_parse.c */
enum err filter_parse_json(struct arena *a, struct str text, struct filter *f) WARN_UNUSED;
enum err filter_parse_columns(struct arena *a, struct str text, struct filter *f) WARN_UNUSED;
/* filter_token.c: what stands in quotation marks, or between percent signs, at the head of *rest, which
 * it is cut off. ERR_INVALID: it does not end, or is no expression of AWS's subset. */
enum err filter_take_quoted(struct arena *a, struct str *rest, struct str *ret_text) WARN_UNUSED;
enum err filter_take_regex(struct arena *a, struct filter *f, struct str *rest,
                           const struct regex **ret_re) WARN_UNUSED;
/* Whether the expression is found in a text. ERR_NOMEM. */
enum err filter_regex_found(const struct regex *re, struct str text, bool *ret_yes) WARN_UNUSED;
enum err filter_parse_selector(struct arena *a, struct str text,
                               struct filter_selector *ret) WARN_UNUSED;
/* filter_split.c: a message's columns as the filter names them; *ret_fits: it has as many. */
enum err filter_split(const struct filter *f, struct arena *a, struct str message,
                      struct str **ret_fields, bool *ret_fits) WARN_UNUSED;
/* What a selector selects; NULL: nothing. */
const struct json *filter_select(const struct filter_selector *s, const struct json *v);

#endif
