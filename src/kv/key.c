/* Order-preserving key encoding; see key.h for the shapes. Layer: kv. Thread: pure. */
#include "kv/key.h"

enum {
    KEY_ESCAPE = 0x00,
    KEY_ESCAPED_NUL = 0xff,
    KEY_TEXT_END = 0x01,
};

void key_start(struct buf *b, enum key_space space, uint8_t table)
{
    buf_clear(b);
    key_u8(b, (uint8_t)space);
    key_u8(b, table);
}

void key_text(struct buf *b, struct str s)
{
    while (s.len > 0) {
        const char *nul = memchr(s.p, KEY_ESCAPE, s.len);
        size_t plain = nul ? (size_t)(nul - s.p) : s.len;
        buf_add(b, s.p, plain);
        if (!nul)
            break;
        key_u8(b, KEY_ESCAPE);
        key_u8(b, KEY_ESCAPED_NUL);
        s = str_sub(s, plain + 1, s.len);
    }
    key_u8(b, KEY_ESCAPE);
    key_u8(b, KEY_TEXT_END);
}

void key_u8(struct buf *b, uint8_t v)
{
    buf_add_byte(b, (char)v);
}

void key_u64(struct buf *b, uint64_t v)
{
    char be[8];
    for (int i = 0; i < 8; i++)
        be[i] = (char)(v >> (56 - 8 * i));
    buf_add(b, be, sizeof(be));
}

void key_i64(struct buf *b, int64_t v)
{
    key_u64(b, (uint64_t)v ^ (1ull << 63));
}

void key_raw(struct buf *b, struct str s)
{
    buf_add_str(b, s);
}

struct str key_after_prefix(struct arena *arena, struct str prefix)
{
    size_t len = prefix.len;
    while (len > 0 && (uint8_t)prefix.p[len - 1] == 0xff)
        len--;
    if (len == 0)
        return STR_NONE;
    char *p = arena_memdup(arena, prefix.p, len);
    if (!p)
        return STR_NONE;
    p[len - 1] = (char)((uint8_t)p[len - 1] + 1);
    return str_n(p, len);
}

enum err key_read_text(struct str *rest, struct arena *arena, struct str *ret_s)
{
    size_t at = 0, out_len = 0;
    for (;; at++) {
        if (at + 1 >= rest->len)
            return ERR_CORRUPT;
        if (rest->p[at] == KEY_ESCAPE) {
            uint8_t mark = (uint8_t)rest->p[++at];
            if (mark == KEY_TEXT_END)
                break;
            if (mark != KEY_ESCAPED_NUL)
                return ERR_CORRUPT;
        }
        out_len++;
    }
    /* Copied always: a key that an iterator lent is gone with its next step. */
    char *p = arena_alloc(arena, out_len + 1);
    if (!p)
        return ERR_NOMEM;
    for (size_t i = 0, from = 0; i < out_len; i++) {
        p[i] = rest->p[from];
        from += rest->p[from] == KEY_ESCAPE ? 2 : 1;
    }
    p[out_len] = 0;
    *ret_s = str_n(p, out_len);
    *rest = str_sub(*rest, at + 1, rest->len);
    return ERR_OK;
}

enum err key_read_u8(struct str *rest, uint8_t *ret_v)
{
    if (rest->len < 1)
        return ERR_CORRUPT;
    *ret_v = (uint8_t)rest->p[0];
    *rest = str_sub(*rest, 1, rest->len);
    return ERR_OK;
}

enum err key_read_u64(struct str *rest, uint64_t *ret_v)
{
    if (rest->len < 8)
        return ERR_CORRUPT;
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | (uint8_t)rest->p[i];
    *ret_v = v;
    *rest = str_sub(*rest, 8, rest->len);
    return ERR_OK;
}

enum err key_read_i64(struct str *rest, int64_t *ret_v)
{
    uint64_t v;
    TRY(key_read_u64(rest, &v));
    *ret_v = (int64_t)(v ^ (1ull << 63));
    return ERR_OK;
}
