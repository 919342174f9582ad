#include "base/pack.h"

#include <assert.h>

void pack_u8(struct buf *b, uint8_t v)
{
    buf_add_byte(b, (char)v);
}

void pack_uint(struct buf *b, uint64_t v)
{
    char tmp[10];
    size_t n = 0;
    if (v < 0x80) {
        buf_add_byte(b, (char)v);
        return;
    }
    while (v >= 0x80) {
        tmp[n++] = (char)(v | 0x80);
        v >>= 7;
    }
    assert(n < sizeof(tmp)); /* 64 bits are ten times seven */
    tmp[n++] = (char)v;
    buf_add(b, tmp, n);
}

void pack_int(struct buf *b, int64_t v)
{
    pack_uint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

/* Length + 1, so that 0 says absent. */
void pack_str(struct buf *b, struct str s)
{
    pack_uint(b, str_is_set(s) ? (uint64_t)s.len + 1 : 0);
    if (str_is_set(s))
        buf_add_str(b, s);
}

void unpack_init(struct unpack *u, struct str record)
{
    *u = (struct unpack){record, false};
}

uint8_t unpack_u8(struct unpack *u)
{
    if (u->bad || u->rest.len < 1) {
        u->bad = true;
        return 0;
    }
    uint8_t v = (uint8_t)u->rest.p[0];
    u->rest = str_sub(u->rest, 1, u->rest.len);
    return v;
}

uint64_t unpack_uint(struct unpack *u)
{
    uint64_t v = 0;
    /* One byte is what most of them are: lengths, counts, small numbers. */
    if (!u->bad && u->rest.len > 0 && (uint8_t)u->rest.p[0] < 0x80) {
        v = (uint8_t)*u->rest.p++;
        u->rest.len--;
        return v;
    }
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t c = unpack_u8(u);
        if (u->bad)
            return 0;
        if (shift == 63 && c > 1)
            break;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return v;
    }
    u->bad = true;
    return 0;
}

int64_t unpack_int(struct unpack *u)
{
    uint64_t v = unpack_uint(u);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

struct str unpack_str(struct unpack *u)
{
    uint64_t n = unpack_uint(u);
    if (u->bad || n == 0)
        return STR_NONE;
    n--;
    if (n > u->rest.len) {
        u->bad = true;
        return STR_NONE;
    }
    struct str s = str_n(u->rest.p, (size_t)n);
    u->rest = str_sub(u->rest, (size_t)n, u->rest.len);
    return s;
}

enum err unpack_end(const struct unpack *u)
{
    return u->bad ? ERR_CORRUPT : ERR_OK;
}

bool unpack_more(const struct unpack *u)
{
    return !u->bad && u->rest.len > 0;
}
