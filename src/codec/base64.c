/* Base64, strict. See base64.h. Layer: codec. Thread: pure. */
#include "codec/base64.h"

#include <assert.h>

static const char alphabet_std[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Value of every byte plus one in each alphabet; 0 = not in it. Built before main. */
static uint8_t value_std[256], value_url[256];

__attribute__((constructor)) static void build_tables(void)
{
    for (int i = 0; i < 64; i++) {
        value_std[(uint8_t)alphabet_std[i]] = (uint8_t)(i + 1);
        value_url[(uint8_t)alphabet_url[i]] = (uint8_t)(i + 1);
    }
}

/* Returns the characters written. */
static size_t encode(char *d, const uint8_t *s, size_t len, const char *alphabet, bool pad)
{
    char *start = d;
    for (; len >= 3; s += 3, len -= 3) {
        *d++ = alphabet[s[0] >> 2];
        *d++ = alphabet[(s[0] & 3) << 4 | s[1] >> 4];
        *d++ = alphabet[(s[1] & 15) << 2 | s[2] >> 6];
        *d++ = alphabet[s[2] & 63];
    }
    if (len > 0) {
        *d++ = alphabet[s[0] >> 2];
        *d++ = alphabet[(s[0] & 3) << 4 | (len > 1 ? s[1] >> 4 : 0)];
        if (len > 1)
            *d++ = alphabet[(s[1] & 15) << 2];
        for (size_t i = len; pad && i < 3; i++)
            *d++ = '=';
    }
    return (size_t)(d - start);
}

void base64_put(struct buf *b, const void *p, size_t len)
{
    char *d = len > SIZE_MAX / 2 ? NULL : buf_reserve(b, base64_encoded_len(len));
    if (d)
        buf_grew(b, encode(d, p, len, alphabet_std, true));
}

static struct str encode_new(struct arena *a, const void *p, size_t len, const char *alphabet,
                             bool pad)
{
    char *d = len > SIZE_MAX / 2 ? NULL : arena_alloc(a, base64_encoded_len(len));
    if (!d)
        return STR_NONE;
    return str_n(d, encode(d, p, len, alphabet, pad));
}

struct str base64_encode(struct arena *a, const void *p, size_t len)
{
    return encode_new(a, p, len, alphabet_std, true);
}

struct str base64url_encode(struct arena *a, const void *p, size_t len)
{
    return encode_new(a, p, len, alphabet_url, false);
}

/* `s` without padding; `d` has s.len / 4 * 3 + 2 bytes. */
static enum err decode(struct str s, const uint8_t *value, uint8_t *d, size_t *ret_len)
{
    uint8_t *start = d;
    size_t i = 0;
    uint32_t bad = 0;
    for (; i + 4 <= s.len; i += 4) {
        uint32_t v[4];
        for (int k = 0; k < 4; k++) {
            v[k] = (uint32_t)value[(uint8_t)s.p[i + (size_t)k]] - 1;
            bad |= v[k] & 0x80000000u;
        }
        uint32_t bits = v[0] << 18 | v[1] << 12 | v[2] << 6 | v[3];
        *d++ = (uint8_t)(bits >> 16);
        *d++ = (uint8_t)(bits >> 8);
        *d++ = (uint8_t)bits;
    }
    size_t left = s.len - i;
    if (bad || left == 1)
        return ERR_INVALID;
    if (left > 0) {
        uint32_t bits = 0;
        for (size_t k = 0; k < left; k++) {
            if (value[(uint8_t)s.p[i + k]] == 0)
                return ERR_INVALID;
            bits = bits << 6 | (uint32_t)(value[(uint8_t)s.p[i + k]] - 1);
        }
        unsigned spare = left == 2 ? 4 : 2;
        if (bits & ((1u << spare) - 1))
            return ERR_INVALID;
        bits >>= spare;
        if (left == 3)
            *d++ = (uint8_t)(bits >> 8);
        *d++ = (uint8_t)bits;
    }
    *ret_len = (size_t)(d - start);
    return ERR_OK;
}

/* Takes the padding off a text that must be padded. */
static enum err unpad(struct str *s)
{
    if (s->len % 4 != 0)
        return ERR_INVALID;
    for (int i = 0; i < 2 && s->len > 0 && s->p[s->len - 1] == '='; i++)
        s->len--;
    return ERR_OK;
}

static enum err decode_new(struct arena *a, struct str s, const uint8_t *value, struct str *ret)
{
    char *d = arena_alloc(a, s.len / 4 * 3 + 3);
    size_t len;
    if (!d)
        return ERR_NOMEM;
    TRY(decode(s, value, (uint8_t *)d, &len));
    assert(len <= s.len / 4 * 3 + 2);
    *ret = str_n(d, len);
    return ERR_OK;
}

enum err base64_decode(struct arena *a, struct str s, struct str *ret_bytes)
{
    TRY(unpad(&s));
    return decode_new(a, s, value_std, ret_bytes);
}

enum err base64_decode_to(struct str s, void *out, size_t cap, size_t *ret_len)
{
    uint8_t small[128];
    size_t len;
    TRY(unpad(&s));
    if (s.len / 4 * 3 + 3 > sizeof(small))
        return ERR_LIMIT;
    TRY(decode(s, value_std, small, &len));
    assert(len <= sizeof(small));
    if (len > cap)
        return ERR_LIMIT;
    memcpy(out, small, len);
    *ret_len = len;
    return ERR_OK;
}

enum err base64url_decode(struct arena *a, struct str s, struct str *ret_bytes)
{
    if (s.len > 0 && s.p[s.len - 1] == '=')
        TRY(unpad(&s));
    return decode_new(a, s, value_url, ret_bytes);
}
