/* Codes of authenticator apps (RFC 6238: SHA-1, 30 s, 6 digits) and their secrets in base32 (RFC 4648).
 * Layer: svc/cognito. Thread: pure. */
#ifndef WEIR_SVC_COGNITO_COGNITO_TOTP_H
#define WEIR_SVC_COGNITO_COGNITO_TOTP_H

#include "base/str.h"

enum { TOTP_SECRET_BYTES = 32, TOTP_DIGITS = 6, TOTP_STEP_MS = 30 * 1000, TOTP_SKEW_STEPS = 1 };

/* The code of a step, TOTP_DIGITS digits. */
void cognito_totp_code(struct str secret, uint64_t step, char out[TOTP_DIGITS]);
/* Whether it is a code of now, or of a step before or behind, that is newer than `after`; *ret_step is
 * the one that it is of. */
bool cognito_totp_verify(struct str secret, struct str code, int64_t now_ms, uint64_t after,
                         uint64_t *ret_step);
/* Base32 without padding; STR_NONE on exhaustion. */
struct str cognito_totp_base32(struct arena *a, struct str bytes);

#endif
