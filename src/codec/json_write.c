/* JSON writer onto a buf. See json.h. Layer: codec. Thread: pure. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/base64.h"
#include "codec/json.h"

/* 0: copied as it is; 'u': \u00XX; 'm': part of a multi-byte character; else the escape letter. */
static char escape_of(unsigned char c)
{
    switch (c) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return c < 0x20 ? 'u' : c >= 0x80 ? 'm' : 0;
    }
}

static void put_escape(struct buf *b, unsigned char c, char escape)
{
    static const char digits[] = "0123456789abcdef";
    char out[6] = {'\\', escape, '0', '0', 0, 0};
    if (escape != 'u') {
        buf_add(b, out, 2);
        return;
    }
    out[4] = digits[c >> 4];
    out[5] = digits[c & 15];
    buf_add(b, out, sizeof(out));
}

/* Bytes of the well-formed character at `p` (first byte >= 0x80), 0 if there is none. */
static size_t utf8_char(struct str s, size_t at)
{
    for (size_t n = 2; n <= 4 && n <= s.len - at; n++)
        if (((unsigned char)s.p[at + n - 1] & 0xc0) != 0x80)
            return 0;
        else if (str_is_utf8(str_n(s.p + at, n)))
            return n;
    return 0;
}

void json_put_str(struct buf *b, struct str s)
{
    size_t run = 0, i = 0;
    buf_add_byte(b, '"');
    while (i < s.len) {
        char escape = escape_of((unsigned char)s.p[i]);
        size_t n = escape == 'm' ? utf8_char(s, i) : 1;
        if (escape == 0 || (escape == 'm' && n > 0)) {
            i += n;
            continue;
        }
        buf_add(b, s.p + run, i - run);
        if (escape == 'm')
            BUF_ADD_LIT(b, "\xef\xbf\xbd");
        else
            put_escape(b, (unsigned char)s.p[i], escape);
        run = ++i;
    }
    if (s.len > run)
        buf_add(b, s.p + run, s.len - run);
    buf_add_byte(b, '"');
}

void json_put_i64(struct buf *b, int64_t v)
{
    buf_add_i64(b, v);
}

void json_put_f64(struct buf *b, double v)
{
    if (!isfinite(v)) {
        BUF_ADD_LIT(b, "null");
        return;
    }
    if (v == (double)(int64_t)v && fabs(v) < 1e15) {
        buf_add_i64(b, (int64_t)v);
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_add_c(b, text);
}

void json_put_bool(struct buf *b, bool v)
{
    buf_add_str(b, v ? STR("true") : STR("false"));
}

static void put_scalar(struct buf *b, const struct json *v)
{
    switch (v->kind) {
    case JSON_BOOL:
        json_put_bool(b, v->b);
        break;
    case JSON_NUMBER:
        /* NaN and the infinities, of a CBOR tree: as AWS's JSON has them, in quotes. */
        if (v->text.len > 0 && v->text.p[v->text.len - 1] > '9')
            json_put_str(b, v->text);
        else
            buf_add_str(b, v->text);
        break;
    case JSON_STRING:
        json_put_str(b, v->text);
        break;
    case JSON_BYTES:
        buf_add_byte(b, '"');
        base64_put(b, v->text.p, v->text.len);
        buf_add_byte(b, '"');
        break;
    default:
        BUF_ADD_LIT(b, "null");
        break;
    }
}

void json_put(struct buf *b, const struct json *v)
{
    /* Containers that are open, innermost last; a tree from json_parse is no deeper than this. */
    const struct json *open[JSON_DEPTH_MAX];
    size_t depth = 0;
    while (v) {
        if (depth > 0 && open[depth - 1]->kind == JSON_OBJECT) {
            json_put_str(b, v->key);
            buf_add_byte(b, ':');
        }
        if (v->kind == JSON_ARRAY || v->kind == JSON_OBJECT) {
            buf_add_byte(b, v->kind == JSON_ARRAY ? '[' : '{');
            assert(!v->child || depth < JSON_DEPTH_MAX); /* no value is deeper than a parsed one */
            if (v->child && depth < JSON_DEPTH_MAX) {
                open[depth++] = v;
                v = v->child;
                continue;
            }
            buf_add_byte(b, v->kind == JSON_ARRAY ? ']' : '}');
        } else {
            put_scalar(b, v);
        }
        while (depth > 0 && !v->next) {
            v = open[--depth];
            buf_add_byte(b, v->kind == JSON_ARRAY ? ']' : '}');
        }
        if (depth == 0)
            return;
        buf_add_byte(b, ',');
        v = v->next;
    }
}

void json_out_init(struct json_out *o, struct buf *b)
{
    *o = (struct json_out){.b = b};
}

static void separate(struct json_out *o)
{
    if (o->comma)
        buf_add_byte(o->b, ',');
    o->comma = true;
}

void json_open(struct json_out *o, char bracket)
{
    separate(o);
    buf_add_byte(o->b, bracket);
    o->comma = false;
}

void json_close(struct json_out *o, char bracket)
{
    buf_add_byte(o->b, bracket);
    o->comma = true;
}

void json_key(struct json_out *o, struct str key)
{
    separate(o);
    json_put_str(o->b, key);
    buf_add_byte(o->b, ':');
    o->comma = false;
}

void json_str(struct json_out *o, struct str s)
{
    separate(o);
    json_put_str(o->b, s);
}

void json_i64(struct json_out *o, int64_t v)
{
    separate(o);
    json_put_i64(o->b, v);
}

void json_f64(struct json_out *o, double v)
{
    separate(o);
    json_put_f64(o->b, v);
}

void json_bool(struct json_out *o, bool v)
{
    separate(o);
    json_put_bool(o->b, v);
}

void json_null(struct json_out *o)
{
    separate(o);
    BUF_ADD_LIT(o->b, "null");
}

void json_raw(struct json_out *o, struct str text)
{
    separate(o);
    buf_add_str(o->b, text);
}

void json_tree(struct json_out *o, const struct json *v)
{
    separate(o);
    json_put(o->b, v);
}

void json_kv_str(struct json_out *o, struct str key, struct str s)
{
    if (!str_is_set(s))
        return;
    json_key(o, key);
    json_str(o, s);
}

void json_kv_i64(struct json_out *o, struct str key, int64_t v)
{
    json_key(o, key);
    json_i64(o, v);
}

void json_kv_bool(struct json_out *o, struct str key, bool v)
{
    json_key(o, key);
    json_bool(o, v);
}
