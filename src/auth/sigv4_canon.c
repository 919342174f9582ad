/* Canonical request of Signature Version 4: path, query, headers.
 *
 * Layer: auth. Thread: pure. */
#include <stdlib.h>

#include "auth/sigv4_int.h"
#include "codec/hex.h"
#include "codec/percent.h"

enum { CANONICAL_MAX = 1024 * 1024 };

/* RFC 3986 section 2.3. */
static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

/* Byte of a valid escape at s[i], or -1. */
static int escape_at(struct str s, size_t i)
{
    if (s.p[i] != '%' || s.len - i < 3)
        return -1;
    int hi = hex_digit(s.p[i + 1]), lo = hex_digit(s.p[i + 2]);
    return hi < 0 || lo < 0 ? -1 : hi * 16 + lo;
}

static char *put_escape(char *out, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    out[0] = '%';
    out[1] = digits[c >> 4];
    out[2] = digits[c & 15];
    return out + 3;
}

/* The normal form of text that is encoded already: escapes of unreserved bytes are resolved, the
 * others are upper-case, raw reserved bytes become escapes. */
static void put_renormal(struct buf *b, struct str s, bool path)
{
    char *start = buf_reserve(b, s.len * 3);
    if (!start)
        return;
    char *out = start;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        int escaped = escape_at(s, i);
        if (escaped >= 0) {
            i += 2;
            if (is_unreserved((unsigned char)escaped))
                *out++ = (char)escaped;
            else
                out = put_escape(out, (unsigned char)escaped);
        } else if (is_unreserved(c) || (path && c == '/')) {
            *out++ = (char)c;
        } else {
            /* In a query a raw '+' means a space. */
            out = put_escape(out, !path && c == '+' ? ' ' : c);
        }
    }
    buf_grew(b, (size_t)(out - start));
}

struct str sigv4_decode(struct arena *a, struct str s, bool plus)
{
    char *p = arena_alloc(a, s.len + 1);
    if (!p)
        return STR_NONE;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        int escaped = escape_at(s, i);
        if (escaped >= 0) {
            p[n++] = (char)escaped;
            i += 2;
        } else {
            p[n++] = plus && s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    return str_n(p, n);
}

/* Removes ".", "..", and empty segments; a trailing slash stays (RFC 3986 section 5.2.4, plus the
 * collapsing of slashes that SigV4 asks for). */
static enum err normalise(struct arena *a, struct str path, struct str *ret)
{
    char *out = arena_alloc(a, path.len + 2);
    if (!out)
        return ERR_NOMEM;
    size_t n = 0;
    bool slash_end = false;
    struct str rest = path;
    while (str_is_set(rest)) {
        struct str seg = str_cut(&rest, '/');
        bool last = !str_is_set(rest);
        if (seg.len == 0 || str_eq_c(seg, ".")) {
            slash_end = true;
        } else if (str_eq_c(seg, "..")) {
            while (n > 0 && out[--n] != '/')
                ;
            slash_end = true;
        } else {
            out[n++] = '/';
            memcpy(out + n, seg.p, seg.len);
            n += seg.len;
            slash_end = !last;
        }
    }
    if (slash_end || n == 0)
        out[n++] = '/';
    *ret = str_n(out, n);
    return ERR_OK;
}

enum err sigv4_put_path(struct buf *b, struct str path, bool s3, struct arena *a)
{
    if (path.len == 0) {
        buf_add_byte(b, '/');
        return ERR_OK;
    }
    if (s3) {
        put_renormal(b, path, true);
        return ERR_OK;
    }
    /* Nearly every call of a non-S3 service goes to "/". */
    if (path.len > 1)
        TRY(normalise(a, path, &path));
    percent_put(b, path, true);
    return ERR_OK;
}

struct param {
    struct str name, value;
};

static int param_cmp(const void *x, const void *y)
{
    const struct param *p = x, *q = y;
    int d = str_cmp(p->name, q->name);
    return d ? d : str_cmp(p->value, q->value);
}

static struct str renormal(struct arena *a, struct str s)
{
    struct buf b;
    buf_init_arena(&b, a, CANONICAL_MAX);
    put_renormal(&b, s, false);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

enum err sigv4_put_query(struct buf *b, struct str query, struct str skip, struct str skip2,
                         struct arena *a)
{
    if (query.len == 0)
        return ERR_OK;
    size_t max = 1, n = 0;
    for (size_t i = 0; i < query.len; i++)
        max += query.p[i] == '&';
    if (max > SIGV4_QUERY_PARAMS_MAX)
        return ERR_LIMIT;
    struct param *params = ARENA_ARRAY(a, struct param, max);
    if (!params)
        return ERR_NOMEM;
    struct str rest = query;
    while (str_is_set(rest)) {
        struct str value = str_cut(&rest, '&');
        struct str name = str_cut(&value, '=');
        if (name.len == 0 && !str_is_set(value))
            continue;
        struct param *p = &params[n];
        p->name = renormal(a, name);
        p->value = renormal(a, str_is_set(value) ? value : STR(""));
        if (!str_is_set(p->name) || !str_is_set(p->value))
            return ERR_NOMEM;
        bool skipped = (str_is_set(skip) && str_eq(p->name, skip)) ||
                       (str_is_set(skip2) && str_eq(p->name, skip2));
        n += !skipped;
    }
    if (n > 1)
        qsort(params, n, sizeof(*params), param_cmp);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_byte(b, '&');
        buf_add_str(b, params[i].name);
        buf_add_byte(b, '=');
        buf_add_str(b, params[i].value);
    }
    return ERR_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Value trimmed, runs of white space as one space. */
static void put_value(struct buf *b, struct str v)
{
    v = str_trim(v);
    size_t from = 0;
    for (size_t i = 0; i < v.len; i++) {
        if (!is_blank(v.p[i]))
            continue;
        size_t run = i;
        while (is_blank(v.p[run]))
            run++; /* the trimmed value does not end with a blank */
        if (run - i > 1 || v.p[i] != ' ') {
            buf_add(b, v.p + from, i - from);
            buf_add_byte(b, ' ');
            from = run;
        }
        i = run - 1;
    }
    buf_add(b, v.p + from, v.len - from);
}

void sigv4_put_headers(struct buf *b, const struct sigv4_http *http, struct str signed_headers)
{
    struct str rest = signed_headers;
    while (str_is_set(rest)) {
        struct str name = str_cut(&rest, ';');
        buf_add_str(b, name);
        buf_add_byte(b, ':');
        bool first = true;
        if (str_eq(name, SIGV4_AUTHORITY))
            name = STR("host");
        for (size_t i = 0; i < http->n_headers; i++) {
            if (http->headers[i].name.len != name.len ||
                !str_eq_nocase(http->headers[i].name, name))
                continue;
            if (!first)
                buf_add_byte(b, ',');
            put_value(b, http->headers[i].value);
            first = false;
        }
        buf_add_byte(b, '\n');
    }
}

enum err sigv4_canonical(struct arena *a, const struct sigv4_canon *canon, struct str *ret_text)
{
    struct buf b;
    buf_init_arena(&b, a, CANONICAL_MAX);
    buf_add_str(&b, canon->http->method);
    buf_add_byte(&b, '\n');
    TRY(sigv4_put_path(&b, canon->http->path, canon->s3, a));
    buf_add_byte(&b, '\n');
    TRY(sigv4_put_query(&b, canon->http->query, canon->skip, canon->skip2, a));
    buf_add_byte(&b, '\n');
    sigv4_put_headers(&b, canon->http, canon->signed_headers);
    buf_add_byte(&b, '\n');
    buf_add_str(&b, canon->signed_headers);
    buf_add_byte(&b, '\n');
    buf_add_str(&b, canon->payload);
    TRY(buf_err(&b));
    *ret_text = buf_str(&b);
    return ERR_OK;
}

struct str sigv4_string_to_sign(struct arena *a, struct str timestamp, struct str scope,
                                struct str canonical)
{
    static const struct str algorithm = STR_INIT("AWS4-HMAC-SHA256\n");
    size_t len = algorithm.len + timestamp.len + 1 + scope.len + 1 + SIGV4_HEX_LEN;
    char *p = arena_alloc(a, len);
    if (!p)
        return STR_NONE;
    char *out = p;
    memcpy(out, algorithm.p, algorithm.len);
    out += algorithm.len;
    memcpy(out, timestamp.p, timestamp.len);
    out += timestamp.len;
    *out++ = '\n';
    memcpy(out, scope.p, scope.len);
    out += scope.len;
    *out++ = '\n';
    uint8_t hash[SIGV4_HASH_BYTES];
    sigv4_sha256(canonical, hash);
    hex_to(out, hash, sizeof(hash));
    return str_n(p, len);
}

struct str sigv4_find_header(const struct sigv4_http *http, struct str name, size_t *ret_n)
{
    struct str found = STR_NONE;
    size_t n = 0;
    for (size_t i = 0; i < http->n_headers; i++) {
        if (http->headers[i].name.len != name.len || !str_eq_nocase(http->headers[i].name, name))
            continue;
        if (n++ == 0)
            found = http->headers[i].value.p ? http->headers[i].value : STR("");
    }
    if (ret_n)
        *ret_n = n;
    return found;
}
