/* See cors.h. */
#include "core/cors.h"

#include "base/buf.h"

enum { LIST_BYTES_MAX = 64 * 1024 };

/* `nocase`: where letters are ASCII's and their case tells nothing. */
static bool text_fits(struct str pattern, struct str s, bool nocase)
{
    struct str tail = pattern;
    bool (*eq)(struct str, struct str) = nocase ? str_eq_nocase : str_eq;
    struct str head = str_cut(&tail, '*');
    if (head.len == pattern.len)
        return eq(pattern, s);
    return s.len >= head.len + tail.len && eq(str_sub(s, 0, head.len), head) &&
           eq(str_sub(s, s.len - tail.len, tail.len), tail);
}

static bool one_fits(struct cors_texts patterns, struct str s, bool nocase)
{
    for (size_t i = 0; i < patterns.n; i++)
        if (text_fits(patterns.v[i], s, nocase))
            return true;
    return false;
}

static bool headers_fit(const struct cors_rule *rule, struct str names)
{
    while (str_is_set(names)) {
        struct str name = str_trim(str_cut(&names, ','));
        if (name.len && !one_fits(rule->headers, name, true))
            return false;
    }
    return true;
}

const struct cors_rule *cors_find(const struct cors_rule *rules, size_t n,
                                  const struct cors_ask *ask)
{
    for (size_t i = 0; i < n; i++)
        if (one_fits(rules[i].origins, ask->origin, false) &&
            one_fits(rules[i].methods, ask->method, false) && headers_fit(&rules[i], ask->headers))
            return &rules[i];
    return NULL;
}

static struct str joined(struct arena *a, struct cors_texts texts)
{
    struct buf b;
    if (texts.n == 0)
        return STR("");
    buf_init_arena(&b, a, LIST_BYTES_MAX);
    for (size_t i = 0; i < texts.n; i++) {
        buf_add_c(&b, i ? ", " : "");
        buf_add_str(&b, texts.v[i]);
    }
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

/* The names that were asked for, in lower case, as S3 gives them back. */
static struct str names_again(struct arena *a, struct str names)
{
    struct buf b;
    buf_init_arena(&b, a, LIST_BYTES_MAX);
    while (str_is_set(names)) {
        struct str name = str_trim(str_cut(&names, ','));
        buf_add_c(&b, b.len ? ", " : "");
        buf_add_str(&b, str_lower(a, name));
    }
    return buf_err(&b) == ERR_OK && !a->failed ? buf_str(&b) : STR_NONE;
}

static bool allows_anybody(const struct cors_rule *rule)
{
    for (size_t i = 0; i < rule->origins.n; i++)
        if (str_eq(rule->origins.v[i], STR("*")))
            return true;
    return false;
}

size_t cors_headers(struct arena *a, const struct cors_rule *rule, const struct cors_ask *ask,
                    struct http_header out[CORS_HEADERS_MAX])
{
    size_t n = 0;
    bool anybody = allows_anybody(rule);
    struct str age = str_fmt(a, "%lld", (long long)rule->max_age_s);
    struct str methods = joined(a, rule->methods), expose = joined(a, rule->expose);
    struct str names = str_is_set(ask->headers) ? names_again(a, ask->headers) : STR("");
    if (!str_is_set(age) || !str_is_set(methods) || !str_is_set(expose) || !str_is_set(names))
        return 0;
    out[n++] =
        (struct http_header){STR("Access-Control-Allow-Origin"), anybody ? STR("*") : ask->origin};
    out[n++] = (struct http_header){STR("Access-Control-Allow-Methods"), methods};
    if (str_is_set(ask->headers))
        out[n++] = (struct http_header){STR("Access-Control-Allow-Headers"), names};
    if (rule->expose.n)
        out[n++] = (struct http_header){STR("Access-Control-Expose-Headers"), expose};
    if (rule->has_max_age)
        out[n++] = (struct http_header){STR("Access-Control-Max-Age"), age};
    if (!anybody) /* browsers refuse credentials where anybody may ask */
        out[n++] = (struct http_header){STR("Access-Control-Allow-Credentials"), STR("true")};
    out[n++] = (struct http_header){
        STR("Vary"), STR("Origin, Access-Control-Request-Headers, Access-Control-Request-Method")};
    return n;
}
