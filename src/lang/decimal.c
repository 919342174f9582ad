/* Exact decimals on borrowed text. See decimal.h. */
#include "lang/decimal.h"

#include <assert.h>

static char digit_at(const struct decimal *d, size_t i)
{
    assert(i < d->n);
    size_t k = d->lead + i;
    return k < d->part_len[0] ? d->part[0][k] : d->part[1][k - d->part_len[0]];
}

static size_t run_of_digits(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.len && s.p[at + n] >= '0' && s.p[at + n] <= '9')
        n++;
    return n;
}

/* Drops zeros at both ends of the digits. */
static void normalise(struct decimal *d, int64_t exponent)
{
    size_t all = d->part_len[0] + d->part_len[1];
    d->n = all;
    while (d->n > 0 && digit_at(d, d->n - 1) == '0')
        d->n--;
    while (d->n > 0 && digit_at(d, 0) == '0') {
        d->lead++;
        d->n--;
    }
    assert(d->lead + d->n <= all);
    d->mag = d->n ? (int64_t)d->part_len[0] - (int64_t)d->lead + exponent : 0;
    if (d->n == 0)
        d->negative = false;
}

/* Everything from `at` on is an exponent, or nothing. */
static enum err parse_exponent(struct str text, size_t at, int64_t *ret_exponent)
{
    *ret_exponent = 0;
    if (at == text.len)
        return ERR_OK;
    if ((text.p[at] | 0x20) != 'e')
        return ERR_INVALID;
    at++;
    bool minus = at < text.len && text.p[at] == '-';
    if (at < text.len && (text.p[at] == '-' || text.p[at] == '+'))
        at++;
    struct str digits = str_sub(text, at, text.len);
    if (digits.len == 0 || run_of_digits(digits, 0) != digits.len)
        return ERR_INVALID;
    int64_t v;
    if (str_to_i64(digits, &v) != ERR_OK || v > DECIMAL_EXPONENT_MAX)
        return ERR_LIMIT;
    *ret_exponent = minus ? -v : v;
    return ERR_OK;
}

enum err decimal_parse(struct str text, struct decimal *ret_d)
{
    struct decimal d = {0};
    size_t at = 0;
    if (text.len > 0 && (text.p[0] == '-' || text.p[0] == '+')) {
        d.negative = text.p[0] == '-';
        at++;
    }
    d.part[0] = text.p + at;
    d.part_len[0] = run_of_digits(text, at);
    at += d.part_len[0];
    if (d.part_len[0] == 0 || (d.part_len[0] > 1 && d.part[0][0] == '0'))
        return ERR_INVALID;
    if (at < text.len && text.p[at] == '.') {
        d.part[1] = text.p + ++at;
        d.part_len[1] = run_of_digits(text, at);
        at += d.part_len[1];
        if (d.part_len[1] == 0)
            return ERR_INVALID;
    }
    int64_t exponent;
    TRY(parse_exponent(text, at, &exponent));
    normalise(&d, exponent);
    *ret_d = d;
    return ERR_OK;
}

static int cmp_magnitude(const struct decimal *a, const struct decimal *b)
{
    if (a->n == 0 || b->n == 0)
        return (a->n != 0) - (b->n != 0);
    if (a->mag != b->mag)
        return a->mag < b->mag ? -1 : 1;
    for (size_t i = 0; i < min_size(a->n, b->n); i++) {
        char x = digit_at(a, i), y = digit_at(b, i);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a->n > b->n) - (a->n < b->n);
}

int decimal_cmp(const struct decimal *a, const struct decimal *b)
{
    if (a->negative != b->negative)
        return a->negative ? -1 : 1;
    return a->negative ? cmp_magnitude(b, a) : cmp_magnitude(a, b);
}

bool decimal_is_integer(const struct decimal *d)
{
    return d->n == 0 || d->mag >= (int64_t)d->n;
}

static uint64_t mul_mod(uint64_t a, uint64_t b, uint64_t m)
{
    return (uint64_t)((unsigned __int128)a * b % m);
}

static uint64_t pow10_mod(uint64_t exponent, uint64_t m)
{
    uint64_t result = 1 % m, base = 10 % m;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            result = mul_mod(result, base, m);
        base = mul_mod(base, base, m);
    }
    return result;
}

/* With both written as whole numbers without trailing zeros times powers of ten, A*10^x and B*10^y:
 * x < y cannot divide, since A would have to end in 0; else A * 10^(x-y) mod B decides. */
enum err decimal_is_multiple(const struct decimal *a, const struct decimal *b, bool *ret_yes)
{
    assert(b->n > 0);
    if (b->n > DECIMAL_DIVISOR_DIGITS_MAX)
        return ERR_LIMIT;
    int64_t x = a->mag - (int64_t)a->n, y = b->mag - (int64_t)b->n;
    if (a->n == 0 || x < y) {
        *ret_yes = a->n == 0;
        return ERR_OK;
    }
    uint64_t divisor = 0, rest = 0;
    for (size_t i = 0; i < b->n; i++)
        divisor = divisor * 10 + (uint64_t)(digit_at(b, i) - '0');
    assert(divisor > 0 && x >= y);
    for (size_t i = 0; i < a->n; i++)
        rest = (mul_mod(rest, 10, divisor) + (uint64_t)(digit_at(a, i) - '0')) % divisor;
    *ret_yes = mul_mod(rest, pow10_mod((uint64_t)(x - y), divisor), divisor) == 0;
    return ERR_OK;
}

enum err decimal_scaled(const struct decimal *d, int places, int64_t *ret_v)
{
    assert(places >= 0 && places <= 18);
    int64_t digits = d->mag + places;
    if (d->n > 0 && digits < (int64_t)d->n)
        return ERR_INVALID;
    if (digits > 18)
        return ERR_LIMIT;
    int64_t v = 0;
    for (int64_t i = 0; d->n > 0 && i < digits; i++)
        v = v * 10 + (i < (int64_t)d->n ? digit_at(d, (size_t)i) - '0' : 0);
    *ret_v = d->negative ? -v : v;
    return ERR_OK;
}
