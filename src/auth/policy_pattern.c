/* Patterns of policies: wildcards and ${variables}.
 *
 * A pattern is compiled to 16-bit codes, so that a '*' which came out of a variable or of "${*}" is
 * a literal one: a user named "*" must not match everybody's folder.
 *
 * Layer: auth. Thread: pure. */
#include <assert.h>

#include "auth/policy_int.h"

enum { VARIABLES_MAX = 32, ARN_PARTS = 6 };

static unsigned char fold(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

/* Reads "${...}" at text[*at]. */
static enum err compile_variable(struct arena *a, struct str text, size_t *at, uint16_t *ret_code,
                                 struct pattern_variable *variables, size_t *n_variables)
{
    struct str rest = str_sub(text, *at + 2, text.len);
    size_t end = str_find(rest, '}');
    if (end == SIZE_MAX)
        return ERR_INVALID;
    struct str inside = str_sub(rest, 0, end);
    *at += 2 + end;
    if (inside.len == 1 && (inside.p[0] == '*' || inside.p[0] == '?' || inside.p[0] == '$')) {
        *ret_code = (unsigned char)inside.p[0];
        return ERR_OK;
    }
    struct str fallback = inside;
    struct str name = str_trim(str_cut(&fallback, ','));
    if (str_is_set(fallback)) {
        fallback = str_trim(fallback);
        if (fallback.len < 2 || fallback.p[0] != '\'' || fallback.p[fallback.len - 1] != '\'')
            return ERR_INVALID;
        fallback = str_sub(fallback, 1, fallback.len - 2);
    }
    if (name.len == 0 || str_find(name, '$') != SIZE_MAX)
        return ERR_INVALID;
    if (*n_variables == VARIABLES_MAX)
        return ERR_LIMIT;
    *ret_code = (uint16_t)(PATTERN_VARIABLE | *n_variables);
    variables[(*n_variables)++] = (struct pattern_variable){str_dup(a, name), str_dup(a, fallback)};
    return str_is_set(variables[*n_variables - 1].name) ? ERR_OK : ERR_NOMEM;
}

enum err pattern_compile(struct arena *a, struct str text, bool wild, bool variables,
                         struct pattern *ret)
{
    if (text.len > POLICY_PATTERN_MAX)
        return ERR_LIMIT;
    uint16_t *codes = arena_alloc(a, (text.len + 1) * sizeof(*codes));
    struct pattern_variable vars[VARIABLES_MAX];
    size_t n = 0, n_vars = 0;
    if (!codes)
        return ERR_NOMEM;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (variables && c == '$' && i + 1 < text.len && text.p[i + 1] == '{')
            TRY(compile_variable(a, text, &i, &codes[n], vars, &n_vars));
        else if (wild && c == '*')
            codes[n] = PATTERN_STAR;
        else if (wild && c == '?')
            codes[n] = PATTERN_ANY;
        else
            codes[n] = c;
        n++;
    }
    struct pattern_variable *kept = NULL;
    if (n_vars > 0) {
        kept = ARENA_ARRAY(a, struct pattern_variable, n_vars);
        if (!kept)
            return ERR_NOMEM;
        memcpy(kept, vars, n_vars * sizeof(*kept));
    }
    assert(n <= text.len && n_vars <= n); /* a variable takes one code */
    *ret = (struct pattern){codes, n, kept, n_vars};
    return ERR_OK;
}

/* Text of a variable; STR_NONE when it is not (uniquely) in the request and has no default. */
static struct str resolve(const struct pattern_variable *v, const struct policy_context *ctx)
{
    const struct policy_key *k = ctx ? policy_context_find(ctx, v->name) : NULL;
    return k && k->n == 1 && k->values[0].len <= POLICY_VARIABLE_MAX ? k->values[0] : v->fallback;
}

/* Replaces variables by literal codes. False: one cannot be resolved, or no memory. */
static bool expand(const struct pattern *p, const struct policy_context *ctx, struct pattern *ret,
                   struct pattern_trouble *trouble)
{
    if (p->n_variables == 0) {
        *ret = *p;
        return true;
    }
    struct str text[VARIABLES_MAX];
    size_t max = p->n;
    for (size_t i = 0; i < p->n_variables; i++) {
        text[i] = resolve(&p->variables[i], ctx);
        if (!str_is_set(text[i])) {
            trouble->unresolved = true;
            return false;
        }
        max += text[i].len;
    }
    uint16_t *codes = ctx ? arena_alloc(ctx->arena, max * sizeof(*codes)) : NULL;
    if (!codes) {
        trouble->failed = true;
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->codes[i] < PATTERN_VARIABLE) {
            codes[n++] = p->codes[i];
            continue;
        }
        assert((size_t)(p->codes[i] & ~PATTERN_VARIABLE) < p->n_variables);
        struct str s = text[p->codes[i] & ~PATTERN_VARIABLE];
        for (size_t k = 0; k < s.len; k++)
            codes[n++] = (unsigned char)s.p[k];
    }
    assert(n <= max);
    *ret = (struct pattern){codes, n, NULL, 0};
    return true;
}

/* Glob with one point of return per star: O(n * m) at worst, no recursion. */
static bool match_codes(const uint16_t *codes, size_t n, struct str text, bool fold_case)
{
    size_t i = 0, t = 0, star = SIZE_MAX, star_t = 0;
    while (t < text.len) {
        unsigned char c = (unsigned char)text.p[t];
        bool same =
            i < n && (codes[i] == PATTERN_ANY || codes[i] == c ||
                      (fold_case && codes[i] < 0x100 && fold((unsigned char)codes[i]) == fold(c)));
        if (i < n && codes[i] == PATTERN_STAR) {
            star = i++;
            star_t = t;
        } else if (same) {
            i++;
            t++;
        } else if (star != SIZE_MAX) {
            i = star + 1;
            t = ++star_t;
        } else {
            return false;
        }
    }
    while (i < n && codes[i] == PATTERN_STAR)
        i++;
    return i == n;
}

bool pattern_match(const struct pattern *p, struct str text, bool fold_case,
                   const struct policy_context *ctx, struct pattern_trouble *trouble)
{
    struct pattern e;
    return expand(p, ctx, &e, trouble) && match_codes(e.codes, e.n, text, fold_case);
}

bool pattern_match_arn(const struct pattern *p, struct str arn, const struct policy_context *ctx,
                       struct pattern_trouble *trouble)
{
    struct pattern e;
    if (!expand(p, ctx, &e, trouble))
        return false;
    /* A lone star is every ARN. */
    if (e.n == 1 && e.codes[0] == PATTERN_STAR)
        return true;
    size_t from = 0;
    struct str rest = arn;
    for (int part = 0; part < ARN_PARTS; part++) {
        bool last = part == ARN_PARTS - 1;
        size_t to = from;
        while (to < e.n && (last || e.codes[to] != ':'))
            to++;
        struct str text = last ? rest : str_cut(&rest, ':');
        /* Both must go on, or both must end. */
        if (!last && (to == e.n) != !str_is_set(rest))
            return false;
        if (!match_codes(e.codes + from, to - from, text, false))
            return false;
        if (!last && to == e.n)
            return true;
        from = to + 1;
    }
    return true;
}

bool policy_arn_like(struct arena *a, struct str pattern, struct str arn)
{
    struct pattern p;
    struct pattern_trouble trouble = {0};
    return pattern_compile(a, pattern, true, false, &p) == ERR_OK &&
           pattern_match_arn(&p, arn, NULL, &trouble);
}

bool policy_glob(struct str pattern, struct str text, bool fold_case)
{
    size_t i = 0, t = 0, star = SIZE_MAX, star_t = 0;
    while (t < text.len) {
        unsigned char c = (unsigned char)text.p[t];
        unsigned char w = i < pattern.len ? (unsigned char)pattern.p[i] : 0;
        if (i < pattern.len && w == '*') {
            star = i++;
            star_t = t;
        } else if (i < pattern.len && (w == '?' || w == c || (fold_case && fold(w) == fold(c)))) {
            i++;
            t++;
        } else if (star != SIZE_MAX) {
            i = star + 1;
            t = ++star_t;
        } else {
            return false;
        }
    }
    while (i < pattern.len && pattern.p[i] == '*')
        i++;
    return i == pattern.len;
}
