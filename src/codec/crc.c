/* CRC-32, CRC-32C and CRC-64/NVME. See crc.h.
 *
 * All three are reflected CRCs with all-ones start and final xor, so one description by polynomial
 * serves them: slicing-by-8 tables, folding constants for PCLMULQDQ and the combine arithmetic are
 * computed from it before main. Folding keeps a 16-byte remainder that the table code finishes.
 *
 * In a reflected 64-bit word bit j is the coefficient of x^(63-j); the carry-less product of two
 * such words, read as a reflected 128-bit word, is x times the product of the polynomials. Hence
 * the "- 1" in the exponents of the folding constants.
 *
 * Layer: codec. Thread: pure after start. */
#include "codec/crc.h"

#include <assert.h>
#include <endian.h>
#include <stdatomic.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { SLICES = 8, FOLD_MIN = 128, CRC32C_FOLD_MIN = 1024 };

struct crc {
    int width;     /* 32 or 64 */
    uint64_t poly; /* reflected, without the leading term */
    uint64_t table[SLICES][256];
    uint64_t fold64[2]; /* shift the low and the high half by 64 bytes */
    uint64_t fold16[2]; /* by 16 bytes */
};

static struct crc iso = {.width = 32, .poly = 0xedb88320u};
static struct crc castagnoli = {.width = 32, .poly = 0x82f63b78u};
static struct crc nvme = {.width = 64, .poly = 0x9a6c9329ac4bc9b5u};

static bool have_clmul, have_sse42;
static _Atomic bool force_tables;

/* a * b mod P; reflected, so the coefficient of x^0 is the top bit. */
static uint64_t mul_mod(const struct crc *c, uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (int i = c->width - 1; i >= 0; i--) {
        if (a >> i & 1)
            product ^= b;
        b = b & 1 ? b >> 1 ^ c->poly : b >> 1;
    }
    return product;
}

/* x^n mod P, reflected. */
static uint64_t x_pow(const struct crc *c, uint64_t n)
{
    uint64_t result = 1ull << (c->width - 1); /* x^0 */
    uint64_t power = 1ull << (c->width - 2);  /* x^1 */
    for (; n > 0; n >>= 1) {
        if (n & 1)
            result = mul_mod(c, result, power);
        power = mul_mod(c, power, power);
    }
    return result;
}

/* The same as a reflected 64-bit word. */
static uint64_t x_pow64(const struct crc *c, uint64_t n)
{
    return x_pow(c, n) << (64 - c->width);
}

static void crc_setup(struct crc *c)
{
    for (int i = 0; i < 256; i++) {
        uint64_t v = (uint64_t)i;
        for (int k = 0; k < 8; k++)
            v = v & 1 ? v >> 1 ^ c->poly : v >> 1;
        c->table[0][i] = v;
    }
    for (int s = 1; s < SLICES; s++)
        for (int i = 0; i < 256; i++)
            c->table[s][i] = c->table[0][c->table[s - 1][i] & 255] ^ c->table[s - 1][i] >> 8;
    c->fold64[0] = x_pow64(c, 512 + 64 - 1);
    c->fold64[1] = x_pow64(c, 512 - 1);
    c->fold16[0] = x_pow64(c, 128 + 64 - 1);
    c->fold16[1] = x_pow64(c, 128 - 1);
}

__attribute__((constructor)) static void setup(void)
{
    crc_setup(&iso);
    crc_setup(&castagnoli);
    crc_setup(&nvme);
#if defined(__x86_64__)
    __builtin_cpu_init();
    have_clmul = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
    have_sse42 = __builtin_cpu_supports("sse4.2");
#endif
}

void crc_force_tables(bool on)
{
    atomic_store_explicit(&force_tables, on, memory_order_relaxed);
}

static bool use_hardware(bool have)
{
    return have && !atomic_load_explicit(&force_tables, memory_order_relaxed);
}

/* `state` is the running remainder, without start and final xor. */
static uint64_t table_update(const struct crc *c, uint64_t state, const uint8_t *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        v = le64toh(v) ^ state;
        state = c->table[7][v & 255] ^ c->table[6][v >> 8 & 255] ^ c->table[5][v >> 16 & 255] ^
                c->table[4][v >> 24 & 255] ^ c->table[3][v >> 32 & 255] ^
                c->table[2][v >> 40 & 255] ^ c->table[1][v >> 48 & 255] ^ c->table[0][v >> 56];
    }
    for (; len > 0; p++, len--)
        state = c->table[0][(state ^ *p) & 255] ^ state >> 8;
    return state;
}

#if defined(__x86_64__)
__attribute__((target("pclmul,sse4.1"))) static inline __m128i fold(__m128i x, __m128i k,
                                                                    __m128i next)
{
    return _mm_xor_si128(
        _mm_xor_si128(_mm_clmulepi64_si128(x, k, 0x00), _mm_clmulepi64_si128(x, k, 0x11)), next);
}

/* len >= FOLD_MIN. */
__attribute__((target("pclmul,sse4.1"))) static uint64_t
fold_update(const struct crc *c, uint64_t state, const uint8_t *p, size_t len)
{
    assert(len >= FOLD_MIN);
    const __m128i *v = (const __m128i *)p;
    __m128i k = _mm_set_epi64x((int64_t)c->fold64[1], (int64_t)c->fold64[0]);
    __m128i x0 = _mm_xor_si128(_mm_loadu_si128(v), _mm_set_epi64x(0, (int64_t)state));
    __m128i x1 = _mm_loadu_si128(v + 1), x2 = _mm_loadu_si128(v + 2), x3 = _mm_loadu_si128(v + 3);
    for (v += 4, len -= 64; len >= 64; v += 4, len -= 64) {
        x0 = fold(x0, k, _mm_loadu_si128(v));
        x1 = fold(x1, k, _mm_loadu_si128(v + 1));
        x2 = fold(x2, k, _mm_loadu_si128(v + 2));
        x3 = fold(x3, k, _mm_loadu_si128(v + 3));
    }
    k = _mm_set_epi64x((int64_t)c->fold16[1], (int64_t)c->fold16[0]);
    x0 = fold(fold(fold(x0, k, x1), k, x2), k, x3);
    for (; len >= 16; v++, len -= 16)
        x0 = fold(x0, k, _mm_loadu_si128(v));
    uint8_t rest[16];
    _mm_storeu_si128((__m128i *)rest, x0);
    state = table_update(c, 0, rest, sizeof(rest));
    return table_update(c, state, (const uint8_t *)v, len);
}

__attribute__((target("sse4.2"))) static uint32_t sse42_update(uint32_t state, const uint8_t *p,
                                                               size_t len)
{
    uint64_t s = state;
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        s = _mm_crc32_u64(s, v);
    }
    for (; len > 0; p++, len--)
        s = _mm_crc32_u8((uint32_t)s, *p);
    return (uint32_t)s;
}
#endif

static uint64_t update(const struct crc *c, uint64_t state, const uint8_t *p, size_t len)
{
#if defined(__x86_64__)
    if (len >= FOLD_MIN && use_hardware(have_clmul))
        return fold_update(c, state, p, len);
#endif
    return table_update(c, state, p, len);
}

uint32_t crc32_update(uint32_t crc, const void *p, size_t len)
{
    return ~(uint32_t)update(&iso, (uint32_t)~crc, p, len);
}

uint32_t crc32c_update(uint32_t crc, const void *p, size_t len)
{
#if defined(__x86_64__)
    /* On long pieces folding beats the instruction made for it, whose latency is three cycles:
     * 12 against 8 GB/s. */
    if (len >= CRC32C_FOLD_MIN && use_hardware(have_clmul))
        return ~(uint32_t)fold_update(&castagnoli, (uint32_t)~crc, p, len);
    if (use_hardware(have_sse42))
        return ~sse42_update(~crc, p, len);
#endif
    return ~(uint32_t)update(&castagnoli, (uint32_t)~crc, p, len);
}

uint64_t crc64nvme_update(uint64_t crc, const void *p, size_t len)
{
    return ~update(&nvme, ~crc, p, len);
}

/* Start and final xor cancel out, as both are the same. x^(8 * len_b) is built as (x^8)^len_b, so
 * that the exponent cannot overflow. */
static uint64_t combine(const struct crc *c, uint64_t a, uint64_t b, uint64_t len_b)
{
    uint64_t power = x_pow(c, 8);
    for (; len_b > 0; len_b >>= 1) {
        if (len_b & 1)
            a = mul_mod(c, a, power);
        power = mul_mod(c, power, power);
    }
    return a ^ b;
}

uint32_t crc32_combine_parts(uint32_t crc_a, uint32_t crc_b, uint64_t len_b)
{
    return (uint32_t)combine(&iso, crc_a, crc_b, len_b);
}

uint32_t crc32c_combine_parts(uint32_t crc_a, uint32_t crc_b, uint64_t len_b)
{
    return (uint32_t)combine(&castagnoli, crc_a, crc_b, len_b);
}

uint64_t crc64nvme_combine_parts(uint64_t crc_a, uint64_t crc_b, uint64_t len_b)
{
    return combine(&nvme, crc_a, crc_b, len_b);
}
