/* JSON reader: one pass, no recursion (open containers are chained through the nodes themselves, so
 * depth costs an array slot and no stack), strings scanned sixteen bytes at a time. See json.h.
 *
 * Layer: codec. Thread: pure. */
#include "codec/json.h"

#include <assert.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

struct parser {
    struct arena *arena;
    const char *p, *end;
    enum err err;
    /* Nodes are taken from blocks, one arena call for many. */
    struct json *nodes, *nodes_end;
};

enum { NODES_FIRST = 24, NODES_BLOCK = 128 };

static enum err fail(struct parser *ps, enum err err)
{
    ps->err = err;
    return err;
}

static struct json *node_new(struct parser *ps)
{
    if (ps->nodes == ps->nodes_end) {
        size_t n = ps->nodes ? NODES_BLOCK : NODES_FIRST;
        ps->nodes = arena_alloc(ps->arena, n * sizeof(struct json));
        if (!ps->nodes) {
            ps->nodes_end = NULL;
            return NULL;
        }
        ps->nodes_end = ps->nodes + n;
    }
    return ps->nodes++;
}

static inline void skip_space(struct parser *ps)
{
    while (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\n' || *ps->p == '\r' || *ps->p == '\t'))
        ps->p++;
}

/* First byte from `p` that ends a plain run: quote, backslash, control or not ASCII. */
static inline const char *plain_end(const char *p, const char *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        /* Signed compare: bytes from 0x80 are negative and so count as "below space". */
        __m128i stop =
            _mm_or_si128(_mm_cmplt_epi8(v, space),
                         _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
        int mask = _mm_movemask_epi8(stop);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 &&
           (unsigned char)*p < 0x80)
        p++;
    return p;
}

/* Length of the UTF-8 sequence at `p` that starts with a byte from 0x80 (RFC 3629), 0 if malformed.
 */
static size_t utf8_len(const char *s, const char *end)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t left = (size_t)(end - s);
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        return left >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
    if ((p[0] & 0xf0) == 0xe0) {
        if (left < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
            return 0;
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
            return 0;
        return 3;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        if (left < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80)
            return 0;
        if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
            return 0;
        return 4;
    }
    return 0;
}

/* Four hex digits at `p`, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    if (end - p < 4)
        return -1;
    int32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d;
        if (c >= '0' && c <= '9')
            d = c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            d = (c | 0x20) - 'a' + 10;
        else
            return -1;
        v = v << 4 | d;
    }
    return v;
}

/* \uXXXX with ps->p behind the 'u'; a high surrogate takes its low half along. */
static enum err unicode_escape(struct parser *ps, char **d)
{
    int32_t c = hex4(ps->p, ps->end);
    if (c < 0 || (c >= 0xdc00 && c <= 0xdfff))
        return fail(ps, ERR_INVALID);
    ps->p += 4;
    if (c >= 0xd800 && c <= 0xdbff) {
        if (ps->end - ps->p < 6 || ps->p[0] != '\\' || ps->p[1] != 'u')
            return fail(ps, ERR_INVALID);
        int32_t low = hex4(ps->p + 2, ps->end);
        if (low < 0xdc00 || low > 0xdfff)
            return fail(ps, ERR_INVALID);
        ps->p += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    *d = str_put_utf8(*d, (uint32_t)c);
    return ERR_OK;
}

/* ps->p behind a backslash. */
static enum err escape(struct parser *ps, char **d)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (ps->p == ps->end)
        return fail(ps, ERR_INVALID);
    char c = *ps->p++;
    if (c == 'u')
        return unicode_escape(ps, d);
    const char *at = c ? strchr(from, c) : NULL;
    if (!at) {
        ps->p--;
        return fail(ps, ERR_INVALID);
    }
    *(*d)++ = to[at - from];
    return ERR_OK;
}

/* Bytes up to the closing quote of a string that starts at `from`, for the size of its copy:
 * escapes only ever shrink. */
static const char *string_end_guess(const char *p, const char *end)
{
    while (p < end && *p != '"')
        p += *p == '\\' && end - p > 1 ? 2 : 1;
    return p;
}

/* Rest of a string that has an escape at ps->p; `from` is its first byte. */
static enum err string_copy(struct parser *ps, const char *from, struct str *ret)
{
    char *out = arena_alloc(ps->arena, (size_t)(string_end_guess(ps->p, ps->end) - from) + 1);
    if (!out)
        return fail(ps, ERR_NOMEM);
    char *d = out + (ps->p - from);
    memcpy(out, from, (size_t)(ps->p - from));
    for (;;) {
        const char *run = ps->p;
        ps->p = plain_end(run, ps->end);
        memcpy(d, run, (size_t)(ps->p - run));
        d += ps->p - run;
        if (ps->p == ps->end)
            return fail(ps, ERR_INVALID);
        unsigned char c = (unsigned char)*ps->p;
        if (c == '"') {
            ps->p++;
            *ret = str_n(out, (size_t)(d - out));
            return ERR_OK;
        }
        if (c == '\\') {
            ps->p++;
            TRY(escape(ps, &d));
        } else if (c < 0x20) {
            return fail(ps, ERR_INVALID);
        } else {
            size_t n = utf8_len(ps->p, ps->end);
            if (n == 0)
                return fail(ps, ERR_INVALID);
            memcpy(d, ps->p, n);
            d += n;
            ps->p += n;
        }
    }
}

/* ps->p behind the opening quote. Borrows from the text unless there are escapes. */
static enum err string(struct parser *ps, struct str *ret)
{
    const char *from = ps->p;
    for (;;) {
        ps->p = plain_end(ps->p, ps->end);
        if (ps->p == ps->end)
            return fail(ps, ERR_INVALID);
        unsigned char c = (unsigned char)*ps->p;
        if (c == '"') {
            *ret = str_n(from, (size_t)(ps->p - from));
            ps->p++;
            return ERR_OK;
        }
        if (c == '\\')
            return string_copy(ps, from, ret);
        size_t n = c < 0x20 ? 0 : utf8_len(ps->p, ps->end);
        if (n == 0)
            return fail(ps, ERR_INVALID);
        ps->p += n;
    }
}

static inline bool is_digit(const struct parser *ps)
{
    return ps->p < ps->end && *ps->p >= '0' && *ps->p <= '9';
}

static enum err digits(struct parser *ps)
{
    if (!is_digit(ps))
        return fail(ps, ERR_INVALID);
    while (is_digit(ps))
        ps->p++;
    return ERR_OK;
}

static enum err number(struct parser *ps, struct json *v)
{
    const char *from = ps->p;
    v->kind = JSON_NUMBER;
    if (*ps->p == '-')
        ps->p++;
    if (ps->p < ps->end && *ps->p == '0')
        ps->p++;
    else
        TRY(digits(ps));
    if (ps->p < ps->end && *ps->p == '.') {
        ps->p++;
        TRY(digits(ps));
    }
    if (ps->p < ps->end && (*ps->p | 0x20) == 'e') {
        ps->p++;
        if (ps->p < ps->end && (*ps->p == '+' || *ps->p == '-'))
            ps->p++;
        TRY(digits(ps));
    }
    v->text = str_n(from, (size_t)(ps->p - from));
    return ERR_OK;
}

static enum err word(struct parser *ps, struct str w)
{
    if ((size_t)(ps->end - ps->p) < w.len || memcmp(ps->p, w.p, w.len) != 0)
        return fail(ps, ERR_INVALID);
    ps->p += w.len;
    return ERR_OK;
}

/* A value other than a container; ps->p is on its first byte. */
static enum err scalar(struct parser *ps, struct json *v)
{
    switch (*ps->p) {
    case '"':
        ps->p++;
        v->kind = JSON_STRING;
        return string(ps, &v->text);
    case 't':
        v->kind = JSON_BOOL;
        v->b = true;
        return word(ps, STR("true"));
    case 'f':
        v->kind = JSON_BOOL;
        return word(ps, STR("false"));
    case 'n':
        return word(ps, STR("null"));
    default:
        return number(ps, v);
    }
}

/* "key" : of an object's member. */
static enum err member_key(struct parser *ps, struct json *v)
{
    skip_space(ps);
    if (ps->p == ps->end || *ps->p != '"')
        return fail(ps, ERR_INVALID);
    ps->p++;
    TRY(string(ps, &v->key));
    skip_space(ps);
    if (ps->p == ps->end || *ps->p != ':')
        return fail(ps, ERR_INVALID);
    ps->p++;
    return ERR_OK;
}

struct frame {
    struct json *container;
    struct json *last; /* newest child */
};

/* After a value: closes containers as long as brackets follow. *ret_more says that a comma came and
 * the innermost open container wants another element. */
static enum err close_after_value(struct parser *ps, struct frame *stack, size_t *depth,
                                  bool *ret_more)
{
    *ret_more = false;
    while (*depth > 0) {
        struct json *c = stack[*depth - 1].container;
        skip_space(ps);
        if (ps->p == ps->end)
            return fail(ps, ERR_INVALID);
        if (*ps->p == ',') {
            ps->p++;
            *ret_more = true;
            return ERR_OK;
        }
        if (*ps->p != (c->kind == JSON_ARRAY ? ']' : '}'))
            return fail(ps, ERR_INVALID);
        ps->p++;
        assert(c->raw.p && ps->p > c->raw.p);
        c->raw.len = (size_t)(ps->p - c->raw.p);
        (*depth)--;
    }
    return ERR_OK;
}

/* Opens the container at ps->p. *ret_empty: it closed at once. */
static enum err open_container(struct parser *ps, struct json *v, struct frame *stack,
                               size_t *depth, bool *ret_empty)
{
    v->kind = *ps->p == '[' ? JSON_ARRAY : JSON_OBJECT;
    v->raw.p = ps->p++;
    skip_space(ps);
    *ret_empty = ps->p < ps->end && *ps->p == (v->kind == JSON_ARRAY ? ']' : '}');
    if (*ret_empty) {
        ps->p++;
        v->raw.len = (size_t)(ps->p - v->raw.p);
        /* An empty container at the limit is one level deeper all the same. */
        return *depth < JSON_DEPTH_MAX ? ERR_OK : fail(ps, ERR_LIMIT);
    }
    if (*depth == JSON_DEPTH_MAX)
        return fail(ps, ERR_LIMIT);
    stack[(*depth)++] = (struct frame){v, NULL};
    return ERR_OK;
}

static enum err parse(struct parser *ps, struct json **ret_v)
{
    struct frame stack[JSON_DEPTH_MAX];
    size_t depth = 0;
    struct json *root = NULL;
    for (;;) {
        struct json *v = node_new(ps);
        if (!v)
            return fail(ps, ERR_NOMEM);
        memset(v, 0, sizeof(*v));
        if (depth > 0) {
            struct frame *f = &stack[depth - 1];
            if (f->last)
                f->last->next = v;
            else
                f->container->child = v;
            f->last = v;
            f->container->n++;
            if (f->container->kind == JSON_OBJECT)
                TRY(member_key(ps, v));
        } else {
            root = v;
        }
        skip_space(ps);
        if (ps->p == ps->end)
            return fail(ps, ERR_INVALID);
        if (*ps->p == '[' || *ps->p == '{') {
            bool empty;
            TRY(open_container(ps, v, stack, &depth, &empty));
            if (!empty)
                continue;
        } else {
            TRY(scalar(ps, v));
        }
        bool more;
        TRY(close_after_value(ps, stack, &depth, &more));
        if (!more)
            break;
    }
    assert(root && depth == 0); /* no element is wanted only when nothing is open */
    skip_space(ps);
    if (ps->p != ps->end)
        return fail(ps, ERR_INVALID);
    *ret_v = root;
    return ERR_OK;
}

enum err json_parse(struct arena *a, struct str text, struct json **ret_v, size_t *ret_at)
{
    if (!str_is_set(text))
        text = STR("");
    struct parser ps = {.arena = a, .p = text.p, .end = text.p + text.len};
    const char *start = ps.p;
    enum err err = parse(&ps, ret_v);
    if (err != ERR_OK && ret_at)
        *ret_at = (size_t)(ps.p - start);
    return err;
}

const struct json *json_get(const struct json *obj, struct str key)
{
    const struct json *found = NULL;
    if (!obj || obj->kind != JSON_OBJECT)
        return NULL;
    JSON_EACH (obj, it)
        if (str_eq(it->key, key))
            found = it;
    return found;
}

struct str json_get_str(const struct json *obj, struct str key)
{
    const struct json *v = json_get(obj, key);
    return v && v->kind == JSON_STRING ? v->text : STR_NONE;
}

/* Digits of a number without sign and point, and the power of ten that they are to be multiplied
 * with; the text is a JSON number. ERR_LIMIT when the exponent is absurd. */
struct decimal {
    bool negative;
    const char *digits[2]; /* before and after the point */
    size_t n[2];
    int64_t exp;
};

static enum err split_number(struct str s, struct decimal *d)
{
    *d = (struct decimal){0};
    const char *p = s.p, *end = s.p + s.len;
    if (p < end && *p == '-') {
        d->negative = true;
        p++;
    }
    for (int part = 0; part < 2; part++) {
        d->digits[part] = p;
        while (p < end && *p >= '0' && *p <= '9')
            p++;
        d->n[part] = (size_t)(p - d->digits[part]);
        if (part == 0 && p < end && *p == '.')
            p++;
        else
            break;
    }
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        if (p < end && *p == '+')
            p++;
        TRY(str_to_i64(str_n(p, (size_t)(end - p)), &d->exp));
    }
    return ERR_OK;
}

/* Appends one decimal digit to a value kept negative, since INT64_MIN has no positive twin. */
static enum err push_digit(int64_t *v, int digit)
{
    if (__builtin_mul_overflow(*v, 10, v) || __builtin_sub_overflow(*v, digit, v))
        return ERR_INVALID;
    return ERR_OK;
}

enum err json_to_i64(const struct json *v, int64_t *ret_v)
{
    if (!v || v->kind != JSON_NUMBER)
        return ERR_INVALID;
    struct decimal d;
    if (split_number(v->text, &d) != ERR_OK)
        return ERR_INVALID;
    size_t total = d.n[0] + d.n[1];
    /* Digits that stay before the point once the exponent is applied. */
    int64_t whole;
    if (__builtin_add_overflow((int64_t)d.n[0], d.exp, &whole))
        return ERR_INVALID;
    int64_t value = 0;
    for (size_t i = 0; i < total; i++) {
        int digit = (i < d.n[0] ? d.digits[0][i] : d.digits[1][i - d.n[0]]) - '0';
        if ((int64_t)i < whole)
            TRY(push_digit(&value, digit));
        else if (digit != 0)
            return ERR_INVALID;
    }
    for (int64_t i = (int64_t)total; i < whole && value != 0; i++)
        TRY(push_digit(&value, 0));
    if (!d.negative && value == INT64_MIN)
        return ERR_INVALID;
    *ret_v = d.negative ? value : -value;
    return ERR_OK;
}

enum err json_to_f64(const struct json *v, double *ret_v)
{
    if (!v || v->kind != JSON_NUMBER)
        return ERR_INVALID;
    return str_to_f64(v->text, ret_v);
}
