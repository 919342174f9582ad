/* Randomness, replaceable by tests. Thread: any. */
#ifndef WEIR_BASE_RNG_H
#define WEIR_BASE_RNG_H

#include "base/str.h"

/* Fills from the kernel's generator (getrandom), or from the seeded test stream. Never fails: a
 * kernel without getrandom aborts. */
void rng_bytes(void *p, size_t len);
uint64_t rng_u64(void);
/* Uniform in [0, n), n > 0. */
uint64_t rng_below(uint64_t n);

enum { RNG_UUID_LEN = 36 };
/* RFC 4122 version 4, lower case, not NUL-terminated beyond out[36]. */
struct str rng_uuid(char out[RNG_UUID_LEN + 1]);
/* `len` characters drawn from `alphabet` (NUL-terminated, <= 256), then NUL. */
void rng_text(char *out, size_t len, const char *alphabet);

/* Test hook: a deterministic stream from `seed` (xorshift), 0 returns to the kernel's. */
void rng_seed(uint64_t seed);

#endif
