/* Python's spellings of values: the published translator is written in it, and both its messages and the
 * names of what it makes hold texts that Python wrote. Names must not differ, or every stack that moves
 * between here and AWS would get new versions and deployments of what did not change.
 *
 * The order of members is sam_order.c's.
 * Layer: template. Thread: pure. */
#include "codec/hash.h"
#include "codec/hex.h"
#include "template/sam_int.h"

enum { SAM_REPR_MAX = 8 * 1024 * 1024 };

const char *sam_type_name(const struct json *v)
{
    if (!v)
        return "NoneType";
    switch (v->kind) {
    case JSON_BOOL:
        return "bool";
    case JSON_NUMBER:
        for (size_t i = 0; i < v->text.len; i++)
            if (v->text.p[i] == '.' || v->text.p[i] == 'e' || v->text.p[i] == 'E')
                return "float";
        return "int";
    case JSON_STRING:
        return "str";
    case JSON_ARRAY:
        return "list";
    case JSON_OBJECT:
        return "dict";
    default:
        return "NoneType";
    }
}

static uint32_t next_code_point(const char **p, const char *end)
{
    unsigned char c = (unsigned char)*(*p)++;
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    uint32_t code = more == 3 ? c & 7u : more == 2 ? c & 15u : more == 1 ? c & 31u : c;
    for (; more > 0 && *p < end; more--)
        code = code << 6 | ((unsigned char)*(*p)++ & 63u);
    return code;
}

static void put_text(struct buf *b, struct str text, bool py27)
{
    char quote = str_find(text, '\'') != SIZE_MAX && str_find(text, '"') == SIZE_MAX ? '"' : '\'';
    const char *p = text.p, *end = text.p + text.len;
    buf_add_byte(b, quote);
    while (p < end) {
        const char *from = p;
        uint32_t c = next_code_point(&p, end);
        if (c == (uint32_t)quote || c == '\\')
            buf_add_fmt(b, "\\%c", (int)c);
        else if (c == '\n' || c == '\r' || c == '\t')
            buf_add_c(b, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else if (c < 32 || c == 127 || (py27 && c > 127 && c < 256))
            buf_add_fmt(b, "\\x%02x", c);
        else if (py27 && c >= 0x10000)
            buf_add_fmt(b, "\\U%08x", c);
        else if (py27 && c >= 256)
            buf_add_fmt(b, "\\u%04x", c);
        else
            buf_add(b, from, (size_t)(p - from));
    }
    buf_add_byte(b, quote);
}

static void put_value(struct sam *s, struct buf *b, const struct json *v, bool py27);

static void put_member(struct sam *s, struct buf *b, const struct json *v, bool py27, bool comma)
{
    if (comma)
        BUF_ADD_LIT(b, ", ");
    if (py27 && !sam_own_key(v))
        buf_add_byte(b, 'u');
    put_text(b, v->key, py27);
    BUF_ADD_LIT(b, ": ");
    put_value(s, b, v, py27);
}

static void put_map(struct sam *s, struct buf *b, const struct json *v, bool py27)
{
    bool comma = false;
    buf_add_byte(b, '{');
    struct sam_members m = sam_in_order(s, (struct json *)(uintptr_t)v);
    for (size_t i = 0; py27 && i < m.n; i++) {
        put_member(s, b, m.v[i], true, comma);
        comma = true;
    }
    JSON_EACH (py27 ? NULL : v, it) {
        put_member(s, b, it, false, comma);
        comma = true;
    }
    buf_add_byte(b, '}');
}

static void put_value(struct sam *s, struct buf *b, const struct json *v, bool py27)
{
    switch (v ? v->kind : JSON_NULL) {
    case JSON_BOOL:
        buf_add_c(b, v->b ? "True" : "False");
        return;
    case JSON_NUMBER:
        buf_add_str(b, v->text);
        return;
    case JSON_STRING:
        if (py27 && !sam_own_text(v))
            buf_add_byte(b, 'u');
        put_text(b, v->text, py27);
        return;
    case JSON_ARRAY:
        buf_add_byte(b, '[');
        JSON_EACH (v, it) {
            put_value(s, b, it, py27);
            if (it->next)
                BUF_ADD_LIT(b, ", ");
        }
        buf_add_byte(b, ']');
        return;
    case JSON_OBJECT:
        put_map(s, b, v, py27);
        return;
    default:
        BUF_ADD_LIT(b, "None");
    }
}

static struct str spelled(struct sam *s, const struct json *v, bool py27)
{
    struct buf b;
    buf_init_arena(&b, s->a, SAM_REPR_MAX);
    put_value(s, &b, v, py27);
    return buf_str(&b);
}

struct str sam_repr(struct sam *s, const struct json *v)
{
    return spelled(s, v, false);
}

struct str sam_repr27(struct sam *s, const struct json *v)
{
    return spelled(s, v, true);
}

static void dump_text(struct buf *b, struct str text)
{
    const char *p = text.p, *end = text.p + text.len;
    buf_add_byte(b, '"');
    while (p < end) {
        uint32_t c = next_code_point(&p, end);
        static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
        const char *at = c && c < 128 ? strchr(escaped, (int)c) : NULL;
        if (at)
            buf_add_fmt(b, "\\%c", letters[at - escaped]);
        else if (c >= 0x10000)
            buf_add_fmt(b, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
        else if (c < 32 || c > 126)
            buf_add_fmt(b, "\\u%04x", c);
        else
            buf_add_byte(b, (char)c);
    }
    buf_add_byte(b, '"');
}

static void dump(struct buf *b, const struct json *v);

/* Members by key, the least that is greater than the last first: maps here are small. */
static void dump_map(struct buf *b, const struct json *v)
{
    const struct json *last = NULL;
    for (;;) {
        const struct json *least = NULL;
        JSON_EACH (v, it)
            if ((!last || str_cmp(it->key, last->key) > 0) &&
                (!least || str_cmp(it->key, least->key) < 0))
                least = it;
        if (!least)
            return;
        if (last)
            buf_add_byte(b, ',');
        dump_text(b, least->key);
        buf_add_byte(b, ':');
        dump(b, least);
        last = least;
    }
}

static void dump(struct buf *b, const struct json *v)
{
    switch (v ? v->kind : JSON_NULL) {
    case JSON_STRING:
        dump_text(b, v->text);
        return;
    case JSON_ARRAY:
        buf_add_byte(b, '[');
        JSON_EACH (v, it) {
            dump(b, it);
            if (it->next)
                buf_add_byte(b, ',');
        }
        buf_add_byte(b, ']');
        return;
    case JSON_OBJECT:
        buf_add_byte(b, '{');
        dump_map(b, v);
        buf_add_byte(b, '}');
        return;
    default:
        json_put(b, v);
    }
}

struct str sam_dump(struct sam *s, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, s->a, SAM_REPR_MAX);
    dump(&b, v);
    return buf_str(&b);
}

static void dump27(struct sam *s, struct buf *b, const struct json *v)
{
    bool map = v->kind == JSON_OBJECT;
    if (!map && v->kind != JSON_ARRAY) {
        dump(b, v);
        return;
    }
    struct sam_members m = sam_in_order(s, (struct json *)(uintptr_t)v);
    buf_add_byte(b, map ? '{' : '[');
    for (size_t i = 0; i < m.n; i++) {
        buf_add_c(b, i ? ", " : "");
        if (map) {
            dump_text(b, m.v[i]->key);
            BUF_ADD_LIT(b, ": ");
        }
        dump27(s, b, m.v[i]);
    }
    buf_add_byte(b, map ? '}' : ']');
}

struct str sam_dump27(struct sam *s, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, s->a, SAM_REPR_MAX);
    dump27(s, &b, v);
    return buf_str(&b);
}

struct str sam_hash(struct sam *s, struct str text, size_t n)
{
    uint8_t digest[HASH_SHA1_LEN];
    hash_once(HASH_SHA1, text.p, text.len, digest);
    return str_sub(hex_encode(s->a, digest, sizeof(digest)), 0, n);
}
