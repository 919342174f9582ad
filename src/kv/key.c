/* Order-preserving key encoding; see key.h for the shapes. Layer: kv. Thread: pure. */
#include "kv/key.h"

#include <assert.h>

enum {
    KEY_ESCAPE = 0x00,
    KEY_ESCAPED_NUL = 0xff,
    KEY_TEXT_END = 0x01,
    KEY_TEXT_END_LEN = 2,
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

/* --- layouts ------------------------------------------------------------------------------------ */

static size_t count_nuls(struct str s)
{
    size_t n = 0;
    const char *p = s.p, *end = s.p + s.len;
    while (p < end && (p = memchr(p, KEY_ESCAPE, (size_t)(end - p))) != NULL) {
        n++;
        p++;
    }
    return n;
}

static size_t text_size(struct str s)
{
    return s.len + (s.len ? count_nuls(s) : 0) + KEY_TEXT_END_LEN;
}

static bool fits(char field, char tag)
{
    return tag == field || (tag == 'S' && field == 'A') || (tag == 't' && field == 'r') ||
           (tag == KEY_TAG_STARTS && field == 't');
}

/* Bytes of a field's value, which is of the field's type (KL2). */
static size_t field_size(char field, const struct key_val *v)
{
    assert(fits(field, v->tag));
    switch (field) {
    case 'S':
        return text_size(v->scope.account) + text_size(v->scope.region);
    case 'A':
        return text_size(v->scope.account);
    case 't':
        return text_size(v->s);
    case 'r':
        return v->s.len;
    case 'u':
    case 'i':
        return 8;
    case 'w':
        return 4;
    case 'h':
        return 2;
    default:
        assert(field == 'b');
        return 1;
    }
}

static char *write_text(char *to, struct str s)
{
    while (s.len > 0) {
        const char *nul = memchr(s.p, KEY_ESCAPE, s.len);
        size_t plain = nul ? (size_t)(nul - s.p) : s.len;
        memcpy(to, s.p, plain);
        to += plain;
        if (!nul)
            break;
        *to++ = KEY_ESCAPE;
        *to++ = (char)KEY_ESCAPED_NUL;
        s = str_sub(s, plain + 1, s.len);
    }
    *to++ = KEY_ESCAPE;
    *to++ = KEY_TEXT_END;
    return to;
}

static char *write_be(char *to, uint64_t v, int bytes)
{
    for (int i = 8 * (bytes - 1); i >= 0; i -= 8)
        *to++ = (char)(v >> i);
    return to;
}

static char *write_field(char *to, char field, const struct key_val *v)
{
    switch (field) {
    case 'S':
        return write_text(write_text(to, v->scope.account), v->scope.region);
    case 'A':
        return write_text(to, v->scope.account);
    case 't':
        to = write_text(to, v->s);
        return v->tag == KEY_TAG_STARTS ? to - KEY_TEXT_END_LEN : to;
    case 'r':
        if (v->s.len)
            memcpy(to, v->s.p, v->s.len);
        return to + v->s.len;
    case 'u':
        return write_be(to, v->u, 8);
    case 'i':
        return write_be(to, v->u ^ (1ull << 63), 8);
    case 'w':
        return write_be(to, v->u, 4);
    case 'h':
        return write_be(to, v->u, 2);
    default:
        return write_be(to, v->u, 1);
    }
}

static size_t vals_size(const struct key_layout *k, const struct key_val *vals, size_t n)
{
    size_t size = KEY_HEAD;
    for (size_t i = 0; i < n; i++) {
        assert(vals[i].tag != KEY_TAG_STARTS || i == n - 1);
        size += field_size(k->fields[i], &vals[i]); /* past the last field: 0 fits no tag */
    }
    return size;
}

static char *write_vals(char *to, const struct key_layout *k, const struct key_val *vals, size_t n)
{
    *to++ = (char)k->space;
    *to++ = (char)k->table;
    for (size_t i = 0; i < n; i++)
        to = write_field(to, k->fields[i], &vals[i]);
    return to;
}

struct str key_prefix_vals(struct arena *a, const struct key_layout *layout,
                           const struct key_val *vals, size_t n)
{
    char *key = arena_alloc(a, vals_size(layout, vals, n));
    if (!key)
        return STR_NONE;
    return str_n(key, (size_t)(write_vals(key, layout, vals, n) - key));
}

struct str key_make_vals(struct arena *a, const struct key_layout *layout,
                         const struct key_val *vals, size_t n)
{
    assert(n > 0 && layout->fields[n] == 0 && vals[n - 1].tag != KEY_TAG_STARTS);
    return key_prefix_vals(a, layout, vals, n);
}

void key_put_vals(struct buf *b, const struct key_layout *layout, const struct key_val *vals,
                  size_t n)
{
    char *to = buf_reserve(b, vals_size(layout, vals, n));
    if (to)
        buf_grew(b, (size_t)(write_vals(to, layout, vals, n) - to));
}

struct key_range key_range_of(struct arena *a, struct str prefix)
{
    struct key_range r = {prefix, STR_NONE};
    if (str_is_set(prefix))
        r.to = key_after_prefix(a, prefix);
    /* An absent `to` would be a scan without end; a space byte is never FF. */
    return str_is_set(r.to) ? r : (struct key_range){STR_NONE, STR_NONE};
}

struct key_range key_range_table(struct arena *a, const struct key_layout *layout)
{
    return key_range_of(a, key_prefix_vals(a, layout, NULL, 0));
}

struct str key_successor(struct arena *a, struct str key)
{
    char *p = str_is_set(key) ? arena_memdup(a, key.p, key.len) : NULL; /* a NUL comes after it */
    return p ? str_n(p, key.len + 1) : STR_NONE;
}

/* Passes a text over without copying it. */
static enum err skip_text(struct str *rest)
{
    for (size_t at = 0; at + 1 < rest->len; at++) {
        if (rest->p[at] != KEY_ESCAPE)
            continue;
        uint8_t mark = (uint8_t)rest->p[++at];
        if (mark == KEY_TEXT_END) {
            *rest = str_sub(*rest, at + 1, rest->len);
            return ERR_OK;
        }
        if (mark != KEY_ESCAPED_NUL)
            return ERR_CORRUPT;
    }
    return ERR_CORRUPT;
}

static enum err read_text(struct str *rest, struct arena *a, struct str *to)
{
    return to ? key_read_text(rest, a, to) : skip_text(rest);
}

static enum err read_be(struct str *rest, int bytes, uint64_t *ret_v)
{
    uint64_t v = 0;
    if (rest->len < (size_t)bytes)
        return ERR_CORRUPT;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | (uint8_t)rest->p[i];
    *rest = str_sub(*rest, (size_t)bytes, rest->len);
    *ret_v = v;
    return ERR_OK;
}

static enum err read_raw(struct str *rest, struct arena *a, struct str *to)
{
    if (to) {
        char *copy = arena_memdup(a, rest->p, rest->len);
        if (!copy)
            return ERR_NOMEM;
        *to = str_n(copy, rest->len);
    }
    *rest = str_n(rest->p + rest->len, 0);
    return ERR_OK;
}

static void store(char field, void *to, uint64_t v)
{
    if (!to)
        return;
    if (field == 'u')
        *(uint64_t *)to = v;
    else if (field == 'i')
        *(int64_t *)to = (int64_t)(v ^ (1ull << 63));
    else if (field == 'w')
        *(uint32_t *)to = (uint32_t)v;
    else if (field == 'h')
        *(uint16_t *)to = (uint16_t)v;
    else
        *(uint8_t *)to = (uint8_t)v;
}

static enum err read_field(char field, struct str *rest, struct arena *a, const struct key_ref *ref)
{
    assert(ref->tag == KEY_TAG_SKIP || fits(field, ref->tag));
    struct key_scope *scope = ref->to;
    uint64_t v;
    switch (field) {
    case 'S':
        TRY(read_text(rest, a, scope ? &scope->account : NULL));
        return read_text(rest, a, scope ? &scope->region : NULL);
    case 'A':
        if (scope)
            scope->region = STR_NONE;
        return read_text(rest, a, scope ? &scope->account : NULL);
    case 't':
        return read_text(rest, a, ref->to);
    case 'r':
        return read_raw(rest, a, ref->to);
    case 'u':
    case 'i':
        TRY(read_be(rest, 8, &v));
        break;
    case 'w':
        TRY(read_be(rest, 4, &v));
        break;
    case 'h':
        TRY(read_be(rest, 2, &v));
        break;
    default:
        assert(field == 'b'); /* more pointers than fields? */
        TRY(read_be(rest, 1, &v));
        break;
    }
    store(field, ref->to, v);
    return ERR_OK;
}

enum err key_read_refs(const struct key_layout *layout, struct str key, struct arena *a,
                       const struct key_ref *refs, size_t n)
{
    assert(layout->fields[n] == 0);
    if (key.len < KEY_HEAD || (uint8_t)key.p[0] != layout->space ||
        (uint8_t)key.p[1] != layout->table)
        return ERR_CORRUPT;
    struct str rest = str_sub(key, KEY_HEAD, key.len);
    for (size_t i = 0; i < n; i++)
        TRY(read_field(layout->fields[i], &rest, a, &refs[i]));
    return rest.len == 0 ? ERR_OK : ERR_CORRUPT;
}
