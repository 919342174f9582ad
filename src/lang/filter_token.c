/* Tokens that all kinds of filter patterns share: texts in quotation marks, regular expressions.
 *
 * Source: CloudWatch Logs User Guide, "Supported regular expressions (regex) syntax". */
#include "lang/filter_int.h"

enum err filter_take_quoted(struct arena *a, struct str *rest, struct str *ret_text)
{
    size_t n = 0, at = 1;
    char *out = arena_alloc(a, rest->len);
    if (!out)
        return ERR_NOMEM;
    for (; at < rest->len && rest->p[at] != '"'; at++) {
        /* A backslash makes a quotation mark or a backslash itself; before others it is one. */
        if (rest->p[at] == '\\' && at + 1 < rest->len && strchr("\"\\", rest->p[at + 1]))
            at++;
        out[n++] = rest->p[at];
    }
    if (at >= rest->len)
        return ERR_INVALID;
    *ret_text = str_n(out, n);
    *rest = str_sub(*rest, at + 1, SIZE_MAX);
    return ERR_OK;
}

static bool in_subset(struct str re)
{
    static const char taken[] = ":_#=@/;,-^$?[]{}|\\*+.";
    for (size_t i = 0; i < re.len; i++) {
        char c = re.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr(taken, c))))
            return false;
    }
    return re.len > 0;
}

enum err filter_take_regex(struct arena *a, struct filter *f, struct str *rest,
                           const struct regex **ret_re)
{
    struct str body = str_sub(*rest, 1, SIZE_MAX);
    size_t end = str_find(body, '%');
    if (end == SIZE_MAX || !in_subset(str_sub(body, 0, end)))
        return ERR_INVALID;
    if (++f->n_regex > FILTER_REGEX_MAX)
        return ERR_LIMIT;
    *rest = str_sub(body, end + 1, SIZE_MAX);
    return regex_compile(a, str_sub(body, 0, end), ret_re);
}

enum err filter_regex_found(const struct regex *re, struct str text, bool *ret_yes)
{
    struct regex_match m;
    enum err err = regex_find(re, text, 0, REGEX_FULL, &m);
    *ret_yes = err == ERR_OK;
    return err == ERR_NOMEM ? err : ERR_OK;
}
