/* RFC 3986 reference resolution. See uri.h. */
#include "lang/uri.h"

struct parts {
    struct str scheme, authority, path, query, fragment; /* absent, not empty, when not there */
};

struct str uri_cut_fragment(struct str *uri)
{
    struct str rest = *uri;
    *uri = str_cut(&rest, '#');
    return rest;
}

static size_t scheme_len(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (c == ':')
            return i;
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
            return 0;
    }
    return 0;
}

static struct parts split(struct str s)
{
    struct parts p = {0};
    p.fragment = uri_cut_fragment(&s);
    size_t n = scheme_len(s);
    if (n) {
        p.scheme = str_n(s.p, n);
        s = str_sub(s, n + 1, s.len);
    }
    if (str_starts(s, STR("//"))) {
        size_t end = 2;
        while (end < s.len && s.p[end] != '/' && s.p[end] != '?')
            end++;
        p.authority = str_sub(s, 2, end - 2);
        s = str_sub(s, end, s.len);
    }
    p.query = s;
    p.path = str_cut(&p.query, '?');
    return p;
}

/* Appends `path` without "." and ".." segments: n bytes from `from` on are what may be taken back. */
static void put_path(char *out, size_t *len, struct str path)
{
    size_t from = *len;
    struct str rest = path;
    while (str_is_set(rest)) {
        struct str segment = str_cut(&rest, '/');
        bool up = str_eq_c(segment, ".."), last = !str_is_set(rest);
        if (up && *len > from) {
            size_t n = *len - 1; /* the slash that ends the segment before */
            while (n > from && out[n - 1] != '/')
                n--;
            *len = n > from ? n : from + (out[from] == '/');
        }
        if (up || str_eq_c(segment, "."))
            continue;
        memcpy(out + *len, segment.p, segment.len);
        *len += segment.len;
        if (!last)
            out[(*len)++] = '/';
    }
}

struct str uri_resolve(struct arena *a, struct str base_text, struct str ref_text)
{
    struct parts base = split(base_text), ref = split(ref_text), to = ref;
    struct str merged = STR_NONE; /* what of the base's path stays in front of the reference's */
    if (!str_is_set(ref.scheme)) {
        to.scheme = base.scheme;
        if (!str_is_set(ref.authority)) {
            to.authority = base.authority;
            if (str_empty(ref.path)) {
                to.path = base.path;
                to.query = str_is_set(ref.query) ? ref.query : base.query;
            } else if (ref.path.p[0] != '/') {
                size_t slash = str_rfind(base.path, '/');
                merged = slash == SIZE_MAX ? str_is_set(base.authority) ? STR("/") : STR_NONE
                                           : str_sub(base.path, 0, slash + 1);
            }
        }
    }
    char *out = arena_alloc(a, base_text.len + ref_text.len + 8);
    struct str path = str_fmt(a, STR_FMT STR_FMT, STR_ARG(merged), STR_ARG(to.path));
    if (!out || !str_is_set(path))
        return STR_NONE;
    size_t n = 0;
    if (str_is_set(to.scheme)) {
        memcpy(out, to.scheme.p, to.scheme.len);
        n = to.scheme.len;
        out[n++] = ':';
    }
    if (str_is_set(to.authority)) {
        memcpy(out + n, "//", 2);
        memcpy(out + n + 2, to.authority.p, to.authority.len);
        n += 2 + to.authority.len;
    }
    put_path(out, &n, path);
    struct str tails[] = {to.query, ref.fragment};
    for (size_t i = 0; i < ARRAY_LEN(tails); i++)
        if (str_is_set(tails[i]) && (i == 0 || tails[i].len > 0)) {
            out[n++] = "?#"[i];
            memcpy(out + n, tails[i].p, tails[i].len);
            n += tails[i].len;
        }
    return str_n(out, n);
}
