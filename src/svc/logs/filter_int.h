/* Between the files of filter patterns. */
#ifndef WEIR_SVC_LOGS_FILTER_INT_H
#define WEIR_SVC_LOGS_FILTER_INT_H

#include "svc/logs/filter.h"

/* filter_parse.c */
enum err filter_parse_json(struct arena *a, struct str text, struct logs_filter *f) WARN_UNUSED;
enum err filter_parse_columns(struct arena *a, struct str text, struct logs_filter *f) WARN_UNUSED;
enum err filter_parse_selector(struct arena *a, struct str text,
                               struct logs_selector *ret) WARN_UNUSED;
/* filter_split.c: a message's columns as the filter names them; *ret_fits: it has as many. */
enum err filter_split(const struct logs_filter *f, struct arena *a, struct str message,
                      struct str **ret_fields, bool *ret_fits) WARN_UNUSED;
/* What a selector selects; NULL: nothing. */
const struct json *filter_select(const struct logs_selector *s, const struct json *v);

bool filter_test_text(const struct logs_filter_node *t, struct str value);

#endif
