/* See money.h. Layer: pipeline. */
#include "money.h"

#include <stdio.h>

enum { SCALE = 100 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum err money_parse(struct str s, int64_t *ret_hundredths)
{
    bool negative = s.len && s.p[0] == '-';
    size_t at = negative, digits = 0, decimals = 0;
    int64_t v = 0;
    for (; at < s.len && is_digit(s.p[at]); at++, digits++) {
        if (digits == MONEY_DIGITS_MAX)
            return ERR_LIMIT;
        v = v * 10 + (s.p[at] - '0');
    }
    if (digits == 0)
        return ERR_INVALID;
    if (at < s.len && s.p[at] == '.') {
        for (at++; at < s.len && is_digit(s.p[at]); at++, decimals++) {
            if (decimals == MONEY_DECIMALS)
                return ERR_INVALID; /* a fraction that cannot be kept */
            v = v * 10 + (s.p[at] - '0');
        }
        if (decimals == 0)
            return ERR_INVALID;
    }
    if (at != s.len)
        return ERR_INVALID;
    for (; decimals < MONEY_DECIMALS; decimals++)
        v *= 10;
    *ret_hundredths = negative ? -v : v;
    return ERR_OK;
}

enum err money_add(int64_t *sum, int64_t amount)
{
    int64_t r;
    if (__builtin_add_overflow(*sum, amount, &r))
        return ERR_LIMIT;
    *sum = r;
    return ERR_OK;
}

struct str money_text(char out[MONEY_TEXT_MAX], int64_t hundredths)
{
    uint64_t v = hundredths < 0 ? 0 - (uint64_t)hundredths : (uint64_t)hundredths;
    int n = snprintf(out, MONEY_TEXT_MAX, "%s%llu.%02llu", hundredths < 0 ? "-" : "",
                     (unsigned long long)(v / SCALE), (unsigned long long)(v % SCALE));
    return str_n(out, (size_t)n);
}
