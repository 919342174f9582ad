/* What map_*.c share. See map.h.
 *
 * Layer: svc, private. Thread: pure. */
#ifndef WEIR_SVC_APIGATEWAY_MAP_INT_H
#define WEIR_SVC_APIGATEWAY_MAP_INT_H

#include "svc/apigateway/map.h"

/* The last value of a name, as API Gateway takes it; of headers without case. STR_NONE. */
struct str map_pairs_last(const struct map_pairs *pairs, struct str name, bool nocase);
/* Parts of a name in a path: letters, digits, '_'. */
bool map_is_name(char c);
/* A body that is empty is an empty object, as API Gateway has it of requests. */
#define MAP_EMPTY_BODY "{}"
/* Whether a text is meant as JSON's object or list, and has to be one then. */
bool map_means_json(struct str body);

#endif
