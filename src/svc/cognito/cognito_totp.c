/* RFC 6238 and RFC 4226. Layer: svc/cognito. Thread: pure. */
#include "svc/cognito/cognito_totp.h"

#include "codec/hash.h"

void cognito_totp_code(struct str secret, uint64_t step, char out[TOTP_DIGITS])
{
    uint8_t counter[8], mac[HASH_SHA1_LEN];
    for (int i = 7; i >= 0; i--) {
        counter[i] = (uint8_t)step;
        step >>= 8;
    }
    hmac_sha1(secret.p, secret.len, counter, sizeof(counter), mac);
    const uint8_t *at = mac + (mac[HASH_SHA1_LEN - 1] & 0xf);
    uint32_t v =
        ((uint32_t)(at[0] & 0x7f) << 24) | ((uint32_t)at[1] << 16) | ((uint32_t)at[2] << 8) | at[3];
    for (int i = TOTP_DIGITS - 1; i >= 0; i--) {
        out[i] = (char)('0' + v % 10);
        v /= 10;
    }
}

bool cognito_totp_verify(struct str secret, struct str code, int64_t now_ms, uint64_t after,
                         uint64_t *ret_step)
{
    char want[TOTP_DIGITS];
    uint64_t now = (uint64_t)now_ms / TOTP_STEP_MS;
    for (uint64_t step = now - TOTP_SKEW_STEPS; step <= now + TOTP_SKEW_STEPS; step++) {
        cognito_totp_code(secret, step, want);
        if (step > after && str_eq_consttime(str_n(want, TOTP_DIGITS), code)) {
            *ret_step = step;
            return true;
        }
    }
    return false;
}

struct str cognito_totp_base32(struct arena *a, struct str bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char *out = arena_alloc(a, bytes.len * 8 / 5 + 2);
    size_t n = 0;
    unsigned have = 0, bits = 0;
    if (!out)
        return STR_NONE;
    for (size_t i = 0; i < bytes.len; i++) {
        have = (have << 8 | (unsigned char)bytes.p[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            out[n++] = alphabet[have >> (bits - 5) & 31];
    }
    if (bits > 0)
        out[n++] = alphabet[have << (5 - bits) & 31];
    return str_n(out, n);
}
