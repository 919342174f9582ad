/* PCRE2 behind the few questions that are asked of it. See regex.h. */
#include "lang/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct regex {
    pcre2_code *code;
    pcre2_match_context *limits[2]; /* by effort */
};

static void regex_free(void *arg)
{
    struct regex *re = arg;
    pcre2_code_free(re->code);
    for (size_t i = 0; i < ARRAY_LEN(re->limits); i++)
        pcre2_match_context_free(re->limits[i]);
}

static enum err limit(struct regex *re, enum regex_effort effort, uint32_t steps)
{
    pcre2_match_context *ctx = pcre2_match_context_create(NULL);
    if (!ctx)
        return ERR_NOMEM;
    pcre2_set_match_limit(ctx, steps);
    pcre2_set_depth_limit(ctx, REGEX_DEPTH_MAX);
    pcre2_set_heap_limit(ctx, REGEX_HEAP_KIB_MAX);
    re->limits[effort] = ctx;
    return ERR_OK;
}

enum err regex_compile(struct arena *a, struct str pattern, const struct regex **ret_re)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    if (pattern.len > REGEX_BYTES_MAX)
        return ERR_LIMIT;
    struct regex *re = ARENA_NEW(a, struct regex);
    if (!re)
        return ERR_NOMEM;
    TRY(arena_on_release(a, regex_free, re));
    /* Bodies need not be UTF-8: what is not matches nothing. */
    re->code = pcre2_compile((PCRE2_SPTR)(pattern.p ? pattern.p : ""), pattern.len,
                             PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &code,
                             &at, NULL);
    if (!re->code)
        return code == PCRE2_ERROR_HEAP_FAILED ? ERR_NOMEM : ERR_INVALID;
    TRY(limit(re, REGEX_FULL, REGEX_STEPS_MAX));
    TRY(limit(re, REGEX_QUICK, REGEX_STEPS_QUICK));
    *ret_re = re;
    return ERR_OK;
}

static enum err outcome(int n)
{
    return n >= 0                      ? ERR_OK
           : n == PCRE2_ERROR_NOMATCH  ? ERR_NOT_FOUND
           : n == PCRE2_ERROR_NOMEMORY ? ERR_NOMEM
                                       : ERR_LIMIT;
}

static enum err match(const struct regex *re, struct str text, size_t from, uint32_t options,
                      enum regex_effort effort, struct regex_match *ret_match)
{
    pcre2_match_data *data = pcre2_match_data_create(REGEX_GROUPS_MAX, NULL);
    if (!data)
        return ERR_NOMEM;
    int n = pcre2_match(re->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.len, from, options, data,
                        re->limits[effort]);
    enum err err = outcome(n);
    if (err == ERR_OK) {
        const PCRE2_SIZE *v = pcre2_get_ovector_pointer(data);
        ret_match->n = n == 0 ? REGEX_GROUPS_MAX : (size_t)n;
        for (size_t i = 0; i < ret_match->n; i++) {
            ret_match->from[i] = v[2 * i];
            ret_match->to[i] = v[2 * i + 1];
        }
    }
    pcre2_match_data_free(data);
    return err;
}

enum err regex_is_match(const struct regex *re, struct str text, enum regex_effort effort,
                        bool *ret_yes)
{
    struct regex_match m;
    enum err err = match(re, text, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, effort, &m);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    *ret_yes = err == ERR_OK;
    return ERR_OK;
}

enum err regex_find(const struct regex *re, struct str text, size_t from, enum regex_effort effort,
                    struct regex_match *ret_match)
{
    return from > text.len ? ERR_NOT_FOUND : match(re, text, from, 0, effort, ret_match);
}

size_t regex_groups(const struct regex *re)
{
    uint32_t n = 0;
    (void)pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &n);
    return n;
}

enum err regex_group(const struct regex *re, struct str name, size_t *ret_i)
{
    char text[64];
    if (name.len >= sizeof(text))
        return ERR_NOT_FOUND;
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    int n = pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)text);
    if (n < 0)
        return ERR_NOT_FOUND;
    *ret_i = (size_t)n;
    return ERR_OK;
}
