#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (fold(a.p[i]) != fold(b.p[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = min_size(a.len, b.len);
    int r = n ? memcmp(a.p, b.p, n) : 0;
    if (r)
        return r;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0);
}

size_t str_find(struct str s, char c)
{
    const char *q = s.len ? memchr(s.p, c, s.len) : NULL;
    return q ? (size_t)(q - s.p) : SIZE_MAX;
}

size_t str_rfind(struct str s, char c)
{
    const char *q = s.len ? memrchr(s.p, c, s.len) : NULL;
    return q ? (size_t)(q - s.p) : SIZE_MAX;
}

size_t str_find_str(struct str s, struct str needle)
{
    if (needle.len == 0)
        return 0;
    const char *q = s.len ? memmem(s.p, s.len, needle.p, needle.len) : NULL;
    return q ? (size_t)(q - s.p) : SIZE_MAX;
}

struct str str_sub(struct str s, size_t from, size_t len)
{
    if (from > s.len)
        from = s.len;
    return (struct str){s.p ? s.p + from : NULL, min_size(len, s.len - from)};
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len && is_space(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len && is_space(s.p[s.len - 1]))
        s.len--;
    return s;
}

struct str str_cut(struct str *rest, char sep)
{
    struct str s = *rest;
    size_t i = str_find(s, sep);
    if (i == SIZE_MAX) {
        *rest = STR_NONE;
        return s;
    }
    *rest = str_n(s.p + i + 1, s.len - i - 1);
    return str_n(s.p, i);
}

enum err str_to_u64(struct str s, uint64_t *ret_v)
{
    if (s.len == 0)
        return ERR_INVALID;
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return ERR_INVALID;
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return ERR_LIMIT;
    }
    *ret_v = v;
    return ERR_OK;
}

enum err str_to_i64(struct str s, int64_t *ret_v)
{
    bool neg = s.len && s.p[0] == '-';
    uint64_t u;
    TRY(str_to_u64(neg ? str_sub(s, 1, s.len - 1) : s, &u));
    if (u > (uint64_t)INT64_MAX + (neg ? 1 : 0))
        return ERR_LIMIT;
    *ret_v = neg ? (int64_t)(0 - u) : (int64_t)u;
    return ERR_OK;
}

/* Number grammar of RFC 8259 section 6, so that strtod never sees hex, inf or nan. */
static bool is_number(struct str s)
{
    size_t i = 0;
    size_t digits = 0;
    if (i < s.len && (s.p[i] == '-' || s.p[i] == '+'))
        i++;
    for (; i < s.len && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        digits++;
    if (i < s.len && s.p[i] == '.')
        for (i++; i < s.len && s.p[i] >= '0' && s.p[i] <= '9'; i++)
            digits++;
    if (digits == 0)
        return false;
    if (i < s.len && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.len && (s.p[i] == '-' || s.p[i] == '+'))
            i++;
        size_t from = i;
        while (i < s.len && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == from)
            return false;
    }
    return i == s.len;
}

enum err str_to_f64(struct str s, double *ret_v)
{
    char tmp[400];
    if (!is_number(s))
        return ERR_INVALID;
    if (s.len >= sizeof(tmp))
        return ERR_LIMIT;
    memcpy(tmp, s.p, s.len);
    tmp[s.len] = '\0';
    double v = strtod(tmp, NULL);
    if (!isfinite(v))
        return ERR_LIMIT;
    *ret_v = v;
    return ERR_OK;
}

char *str_put_utf8(char *d, uint32_t c)
{
    if (c < 0x80) {
        *d++ = (char)c;
    } else if (c < 0x800) {
        *d++ = (char)(0xc0 | c >> 6);
        *d++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *d++ = (char)(0xe0 | c >> 12);
        *d++ = (char)(0x80 | (c >> 6 & 0x3f));
        *d++ = (char)(0x80 | (c & 0x3f));
    } else {
        *d++ = (char)(0xf0 | c >> 18);
        *d++ = (char)(0x80 | (c >> 12 & 0x3f));
        *d++ = (char)(0x80 | (c >> 6 & 0x3f));
        *d++ = (char)(0x80 | (c & 0x3f));
    }
    return d;
}

/* Length in bytes of the valid UTF-8 sequence at s[i], or 0. */
static size_t utf8_len(struct str s, size_t i)
{
    const unsigned char *p = (const unsigned char *)s.p + i;
    size_t left = s.len - i;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        return left >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        unsigned char lo = p[0] == 0xE0 ? 0xA0 : 0x80;
        unsigned char hi = p[0] == 0xED ? 0x9F : 0xBF;
        return left >= 3 && p[1] >= lo && p[1] <= hi && (p[2] & 0xC0) == 0x80 ? 3 : 0;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        unsigned char lo = p[0] == 0xF0 ? 0x90 : 0x80;
        unsigned char hi = p[0] == 0xF4 ? 0x8F : 0xBF;
        return left >= 4 && p[1] >= lo && p[1] <= hi && (p[2] & 0xC0) == 0x80 &&
                       (p[3] & 0xC0) == 0x80
                   ? 4
                   : 0;
    }
    return 0;
}

bool str_is_utf8(struct str s)
{
    size_t i = 0;
    while (i < s.len) {
        uint64_t w;
        if (s.len - i >= 8) {
            memcpy(&w, s.p + i, 8);
            if ((w & 0x8080808080808080ull) == 0) {
                i += 8;
                continue;
            }
        }
        size_t n = utf8_len(s, i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t str_utf8_count(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

struct str str_dup(struct arena *a, struct str s)
{
    if (!str_is_set(s))
        return STR_NONE;
    char *p = arena_memdup(a, s.p, s.len);
    return p ? str_n(p, s.len) : STR_NONE;
}

struct str str_vfmt(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return STR_NONE;
    char *p = arena_alloc(a, (size_t)n + 1);
    if (!p)
        return STR_NONE;
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    return str_n(p, (size_t)n);
}

struct str str_fmt(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str s = str_vfmt(a, fmt, ap);
    va_end(ap);
    return s;
}

char *str_cstr(struct arena *a, struct str s)
{
    if (str_find(s, '\0') != SIZE_MAX)
        return NULL;
    return arena_memdup(a, s.p, s.len);
}

struct str str_lower(struct arena *a, struct str s)
{
    char *p = str_is_set(s) ? arena_memdup(a, s.p, s.len) : NULL;
    if (!p)
        return STR_NONE;
    for (size_t i = 0; i < s.len; i++)
        p[i] = fold(p[i]);
    return str_n(p, s.len);
}

static uint64_t sip_key[2];

static void sip_init(void)
{
    rng_bytes(sip_key, sizeof(sip_key));
}

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
#define SIP_ROUND                                                                                  \
    do {                                                                                           \
        v0 += v1, v1 = ROTL(v1, 13), v1 ^= v0, v0 = ROTL(v0, 32);                                  \
        v2 += v3, v3 = ROTL(v3, 16), v3 ^= v2;                                                     \
        v0 += v3, v3 = ROTL(v3, 21), v3 ^= v0;                                                     \
        v2 += v1, v1 = ROTL(v1, 17), v1 ^= v2, v2 = ROTL(v2, 32);                                  \
    } while (0)

/* SipHash-1-3: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012). */
uint64_t str_hash(struct str s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, sip_init);
    uint64_t v0 = sip_key[0] ^ 0x736f6d6570736575ull;
    uint64_t v1 = sip_key[1] ^ 0x646f72616e646f6dull;
    uint64_t v2 = sip_key[0] ^ 0x6c7967656e657261ull;
    uint64_t v3 = sip_key[1] ^ 0x7465646279746573ull;
    size_t i = 0;
    for (; s.len - i >= 8; i += 8) {
        uint64_t m;
        memcpy(&m, s.p + i, 8);
        v3 ^= m;
        SIP_ROUND;
        v0 ^= m;
    }
    uint64_t last = (uint64_t)s.len << 56;
    for (size_t k = 0; i + k < s.len; k++)
        last |= (uint64_t)(unsigned char)s.p[i + k] << (8 * k);
    v3 ^= last;
    SIP_ROUND;
    v0 ^= last;
    v2 ^= 0xff;
    SIP_ROUND;
    SIP_ROUND;
    SIP_ROUND;
    return v0 ^ v1 ^ v2 ^ v3;
}

bool str_eq_consttime(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    unsigned char d = 0;
    for (size_t i = 0; i < a.len; i++)
        d |= (unsigned char)a.p[i] ^ (unsigned char)b.p[i];
    return *(volatile unsigned char *)&d == 0;
}

static bool glob(struct str pattern, struct str s, bool has_any)
{
    size_t p = 0, i = 0;
    size_t star = SIZE_MAX, mark = 0;
    while (i < s.len) {
        if (p < pattern.len && pattern.p[p] == '*') {
            star = p++;
            mark = i;
        } else if (p < pattern.len &&
                   ((has_any && pattern.p[p] == '?') || pattern.p[p] == s.p[i])) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.p[p] == '*')
        p++;
    return p == pattern.len;
}

bool str_glob(struct str pattern, struct str s)
{
    return glob(pattern, s, true);
}

bool str_glob_star(struct str pattern, struct str s)
{
    return glob(pattern, s, false);
}
