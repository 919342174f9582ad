/* Hexadecimal. See hex.h. Layer: codec. Thread: pure. */
#include "codec/hex.h"

void hex_to(char *out, const void *p, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *s = p;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[s[i] >> 4];
        out[2 * i + 1] = digits[s[i] & 15];
    }
}

void hex_put(struct buf *b, const void *p, size_t len)
{
    char *d = len > SIZE_MAX / 2 ? NULL : buf_reserve(b, 2 * len);
    if (!d)
        return;
    hex_to(d, p, len);
    buf_grew(b, 2 * len);
}

struct str hex_encode(struct arena *a, const void *p, size_t len)
{
    char *d = len > SIZE_MAX / 2 ? NULL : arena_alloc(a, 2 * len);
    if (!d)
        return STR_NONE;
    hex_to(d, p, len);
    return str_n(d, 2 * len);
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum err hex_decode_to(struct str s, void *out, size_t len)
{
    uint8_t *d = out;
    if (s.len / 2 != len || s.len % 2 != 0)
        return ERR_INVALID;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(s.p[2 * i]), low = hex_digit(s.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return ERR_INVALID;
        d[i] = (uint8_t)(high << 4 | low);
    }
    return ERR_OK;
}
