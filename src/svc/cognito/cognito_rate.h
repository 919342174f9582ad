/* How often nobody may ask: calls without a signature, by pool. A bucket holds a second's worth and
 * fills steadily.
 *
 * Layer: svc/cognito. Thread: any. */
#ifndef WEIR_SVC_COGNITO_COGNITO_RATE_H
#define WEIR_SVC_COGNITO_COGNITO_RATE_H

#include "base/str.h"

enum { COGNITO_RATES = 256 }; /* buckets: pools share one where their hashes meet */

struct cognito_rates;

/* So many a second, and as many at once. ERR_NOMEM. */
enum err cognito_rates_new(uint64_t per_second, struct cognito_rates **ret) WARN_UNUSED;
void cognito_rates_free(struct cognito_rates *r); /* NULL is fine */
/* Whether one more may pass. O(1). `now_ms` never goes back. */
bool cognito_rate_take(struct cognito_rates *r, struct str name, int64_t now_ms);

#endif
