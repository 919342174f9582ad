/* Equality of JSON values: numbers by value, members in any order. Layer: lang. Thread: pure. */
#ifndef WEIR_LANG_EQUAL_H
#define WEIR_LANG_EQUAL_H

#include "codec/json.h"

enum { EQUAL_STEPS_MAX = 20 * 1000 * 1000 /* work after which objects are no longer compared */ };

/* *steps grows by the work done; over EQUAL_STEPS_MAX the answer is false, and the caller gives up. */
bool value_equal(const struct json *a, const struct json *b, size_t *steps);
/* Equal values have equal hashes. */
uint64_t value_hash(const struct json *v, size_t *steps);

#endif
