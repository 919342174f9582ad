/* Percent-encoding and form bodies. See percent.h. Layer: codec. Thread: pure. */
#include "codec/percent.h"

#include <assert.h>

#include "codec/hex.h"

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void put_byte(struct buf *b, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    char out[3] = {'%', digits[(uint8_t)c >> 4], digits[(uint8_t)c & 15]};
    buf_add(b, out, sizeof(out));
}

static bool keep_uri(char c, bool keep_slash)
{
    return is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '~' || (keep_slash && c == '/');
}

void percent_put(struct buf *b, struct str s, bool keep_slash)
{
    size_t run = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (keep_uri(s.p[i], keep_slash))
            continue;
        buf_add(b, s.p + run, i - run);
        put_byte(b, s.p[i]);
        run = i + 1;
    }
    if (s.len > run)
        buf_add(b, s.p + run, s.len - run);
}

struct str percent_encode(struct arena *a, struct str s, bool keep_slash)
{
    if (!str_is_set(s))
        return STR_NONE;
    struct buf b;
    buf_init_arena(&b, a, SIZE_MAX);
    percent_put(&b, s, keep_slash);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

void percent_put_form(struct buf *b, struct str s, bool keep_slash)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '*' || (keep_slash && c == '/'))
            buf_add_byte(b, c);
        else if (c == ' ')
            buf_add_byte(b, '+');
        else
            put_byte(b, c);
    }
}

enum err percent_decode(struct arena *a, struct str s, bool plus_is_space, struct str *ret_s)
{
    size_t i = 0;
    while (i < s.len && s.p[i] != '%' && !(plus_is_space && s.p[i] == '+'))
        i++;
    if (i == s.len) {
        *ret_s = s;
        return ERR_OK;
    }
    char *out = arena_alloc(a, s.len);
    if (!out)
        return ERR_NOMEM;
    memcpy(out, s.p, i);
    size_t n = i;
    while (i < s.len) {
        char c = s.p[i++];
        if (c == '+' && plus_is_space) {
            c = ' ';
        } else if (c == '%') {
            if (s.len - i < 2 || hex_digit(s.p[i]) < 0 || hex_digit(s.p[i + 1]) < 0)
                return ERR_INVALID;
            c = (char)(hex_digit(s.p[i]) << 4 | hex_digit(s.p[i + 1]));
            i += 2;
        }
        out[n++] = c;
    }
    assert(n <= s.len); /* what is decoded only shrinks */
    *ret_s = str_n(out, n);
    return ERR_OK;
}

enum err percent_parse_query(struct arena *a, struct str s, bool form,
                             struct percent_pair **ret_pairs, size_t *ret_n)
{
    size_t pieces = 1, n = 0;
    for (size_t i = 0; i < s.len; i++)
        pieces += s.p[i] == '&';
    if (pieces > PERCENT_PAIRS_MAX)
        return ERR_LIMIT;
    struct percent_pair *pairs = ARENA_ARRAY(a, struct percent_pair, pieces);
    if (!pairs)
        return ERR_NOMEM;
    while (str_is_set(s)) {
        struct str value = str_cut(&s, '&');
        if (value.len == 0)
            continue;
        assert(n < pieces);
        struct str key = str_cut(&value, '=');
        TRY(percent_decode(a, key, form, &pairs[n].key));
        if (str_is_set(value))
            TRY(percent_decode(a, value, form, &pairs[n].value));
        n++;
    }
    *ret_pairs = pairs;
    *ret_n = n;
    return ERR_OK;
}

struct str percent_get(const struct percent_pair *pairs, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(pairs[i].key, key))
            return str_is_set(pairs[i].value) ? pairs[i].value : STR("");
    return STR_NONE;
}

bool percent_has(const struct percent_pair *pairs, size_t n, struct str key)
{
    return str_is_set(percent_get(pairs, n, key));
}
