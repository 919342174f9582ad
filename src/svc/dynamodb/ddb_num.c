#include "svc/dynamodb/ddb_num.h"

#include <assert.h>

enum {
    SUM_DIGITS_MAX = 300, /* widest aligned sum: 126 + 129 + 38 digits and a carry */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "e-12" at text[i..]; false when malformed. Saturates far outside the range. */
static bool parse_exponent(struct str text, size_t i, int *ret_exp)
{
    bool neg = false;
    if (i < text.len && (text.p[i] == '+' || text.p[i] == '-'))
        neg = text.p[i++] == '-';
    if (i >= text.len)
        return false;
    int v = 0;
    for (; i < text.len; i++) {
        if (!is_digit(text.p[i]))
            return false;
        if (v < 1000000)
            v = v * 10 + (text.p[i] - '0');
    }
    *ret_exp = neg ? -v : v;
    return true;
}

/* Significand digits seen so far, without leading zeros. */
struct digits {
    struct ddb_num *num;
    size_t n;     /* significant digits, trailing zeros included */
    size_t zeros; /* zeros at the end, not yet stored */
    bool too_many;
};

static void add_digit(struct digits *s, char c)
{
    if (c == '0') {
        if (s->n) {
            s->n++;
            s->zeros++;
        }
        return;
    }
    size_t at = s->n;
    if (at >= DDB_NUM_DIGITS_MAX) {
        s->too_many = true;
        s->n++;
        s->zeros = 0;
        return;
    }
    for (size_t k = at - s->zeros; k < at; k++)
        s->num->d[k] = 0;
    s->num->d[at] = (uint8_t)(c - '0');
    s->n++;
    s->zeros = 0;
}

enum ddb_num_fault ddb_num_parse(struct str text, struct ddb_num *ret_num)
{
    struct ddb_num num = {0};
    struct digits s = {.num = &num};
    size_t i = 0;
    int64_t int_digits = 0; /* digits before the point, from the first significant one on */
    int64_t lead = 0;       /* zeros after the point before the first significant digit */
    bool any = false, point = false;
    int exp = 0;
    if (i < text.len && (text.p[i] == '+' || text.p[i] == '-'))
        num.neg = text.p[i++] == '-';
    for (; i < text.len; i++) {
        char c = text.p[i];
        if (is_digit(c)) {
            any = true;
            add_digit(&s, c);
            if (!point && s.n)
                int_digits++;
            else if (point && !s.n)
                lead++;
        } else if (c == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    if (!any)
        return DDB_NUM_SYNTAX;
    if (i < text.len) {
        if (text.p[i] != 'e' && text.p[i] != 'E')
            return DDB_NUM_SYNTAX;
        if (!parse_exponent(text, i + 1, &exp))
            return DDB_NUM_SYNTAX;
    }
    if (s.n == 0) {
        *ret_num = (struct ddb_num){0};
        return DDB_NUM_OK;
    }
    if (s.too_many)
        return DDB_NUM_DIGITS;
    int64_t e = (int_digits ? int_digits : -lead) + exp;
    if (e > DDB_NUM_EXP_MAX)
        return DDB_NUM_OVERFLOW;
    if (e < DDB_NUM_EXP_MIN)
        return DDB_NUM_UNDERFLOW;
    num.n = (uint8_t)(s.n - s.zeros);
    num.exp = (int16_t)e;
    assert(num.n > 0 && num.n <= DDB_NUM_DIGITS_MAX);
    assert(num.d[0] != 0 && num.d[num.n - 1] != 0); /* one form for each value */
    *ret_num = num;
    return DDB_NUM_OK;
}

bool ddb_num_is_plain(struct str text)
{
    size_t i = text.len && text.p[0] == '-';
    size_t digits = text.len - i;
    if (digits == 0 || digits > 18)
        return false;
    if (text.p[i] == '0')
        return text.len == 1;
    for (; i < text.len; i++)
        if (!is_digit(text.p[i]))
            return false;
    return true;
}

struct str ddb_num_text(const struct ddb_num *num, char out[DDB_NUM_TEXT_MAX])
{
    size_t len = 0;
    if (num->n == 0) {
        out[0] = '0';
        return str_n(out, 1);
    }
    assert(num->n <= DDB_NUM_DIGITS_MAX && num->exp >= DDB_NUM_EXP_MIN);
    if (num->neg)
        out[len++] = '-';
    if (num->exp <= 0) {
        out[len++] = '0';
        out[len++] = '.';
        for (int k = num->exp; k < 0; k++)
            out[len++] = '0';
    }
    for (int k = 0; k < num->n; k++) {
        if (k == num->exp && k > 0)
            out[len++] = '.';
        out[len++] = (char)('0' + num->d[k]);
    }
    for (int k = num->n; k < num->exp; k++)
        out[len++] = '0';
    assert(len <= DDB_NUM_TEXT_MAX);
    return str_n(out, len);
}

/* Magnitudes only. */
static int cmp_abs(const struct ddb_num *a, const struct ddb_num *b)
{
    if (a->n == 0 || b->n == 0)
        return (a->n != 0) - (b->n != 0);
    if (a->exp != b->exp)
        return a->exp < b->exp ? -1 : 1;
    size_t n = min_size(a->n, b->n);
    int c = memcmp(a->d, b->d, n);
    if (c)
        return c;
    return (a->n > b->n) - (a->n < b->n);
}

int ddb_num_cmp(const struct ddb_num *a, const struct ddb_num *b)
{
    if (a->neg != b->neg)
        return a->neg ? -1 : 1;
    return a->neg ? cmp_abs(b, a) : cmp_abs(a, b);
}

int ddb_num_cmp_text(struct str a, struct str b)
{
    struct ddb_num x, y;
    if (str_eq(a, b))
        return 0;
    if (ddb_num_parse(a, &x) != DDB_NUM_OK || ddb_num_parse(b, &y) != DDB_NUM_OK)
        return str_cmp(a, b);
    return ddb_num_cmp(&x, &y);
}

/* Digits of `wide` (most significant first, value 0.wide * 10^exp) to a normal number. */
static enum ddb_num_fault normalise(const uint8_t *wide, int n, int exp, bool neg,
                                    struct ddb_num *ret_num)
{
    int first = 0;
    while (first < n && wide[first] == 0)
        first++;
    while (n > first && wide[n - 1] == 0)
        n--;
    if (first == n) {
        *ret_num = (struct ddb_num){0};
        return DDB_NUM_OK;
    }
    exp -= first;
    if (n - first > DDB_NUM_DIGITS_MAX)
        return DDB_NUM_DIGITS;
    if (exp > DDB_NUM_EXP_MAX)
        return DDB_NUM_OVERFLOW;
    if (exp < DDB_NUM_EXP_MIN)
        return DDB_NUM_UNDERFLOW;
    assert(wide[first] != 0 && wide[n - 1] != 0);
    struct ddb_num num = {.neg = neg, .n = (uint8_t)(n - first), .exp = (int16_t)exp};
    memcpy(num.d, wide + first, (size_t)num.n);
    *ret_num = num;
    return DDB_NUM_OK;
}

enum ddb_num_fault ddb_num_add(const struct ddb_num *a, const struct ddb_num *b, bool subtract,
                               struct ddb_num *ret_sum)
{
    struct ddb_num negated = *b;
    if (subtract && negated.n)
        negated.neg = !negated.neg;
    b = &negated;
    if (a->n == 0 || b->n == 0) {
        *ret_sum = a->n ? *a : *b;
        return DDB_NUM_OK;
    }
    const struct ddb_num *big = cmp_abs(a, b) >= 0 ? a : b;
    const struct ddb_num *small = big == a ? b : a;
    /* Column 0 is the carry; column c has weight 10^(big->exp - c). */
    uint8_t wide[SUM_DIGITS_MAX] = {0};
    int shift = big->exp - small->exp;
    int n = 1 + (int)big->n;
    if (1 + shift + small->n > n)
        n = 1 + shift + small->n;
    assert(shift >= 0 && n <= SUM_DIGITS_MAX);
    memcpy(wide + 1, big->d, big->n);
    int sign = a->neg == b->neg ? 1 : -1;
    int carry = 0;
    for (int c = n - 1; c >= 0; c--) {
        int k = c - 1 - shift;
        int v = wide[c] + carry + (k >= 0 && k < small->n ? sign * small->d[k] : 0);
        carry = v < 0 ? -1 : v / 10;
        wide[c] = (uint8_t)(v < 0 ? v + 10 : v % 10);
    }
    assert(carry == 0); /* column 0 took it; the larger minus the smaller borrows nothing */
    return normalise(wide, n, big->exp + 1, big->neg, ret_sum);
}

/* Key bytes: 80 for zero; positive: C0, exponent + 129, pairs of digits as 1..100, 00; negative:
 * 40 and the same bytes complemented. */
size_t ddb_num_key(const struct ddb_num *num, uint8_t out[DDB_NUM_KEY_MAX])
{
    if (num->n == 0) {
        out[0] = 0x80;
        return 1;
    }
    size_t len = 0;
    uint8_t flip = num->neg ? 0xff : 0;
    out[len++] = num->neg ? 0x40 : 0xc0;
    out[len++] = (uint8_t)(num->exp - DDB_NUM_EXP_MIN) ^ flip;
    for (int k = 0; k < num->n; k += 2) {
        int pair = num->d[k] * 10 + (k + 1 < num->n ? num->d[k + 1] : 0);
        out[len++] = (uint8_t)(pair + 1) ^ flip;
    }
    out[len++] = flip;
    assert(len <= DDB_NUM_KEY_MAX);
    return len;
}

size_t ddb_num_size(struct str text)
{
    size_t before = 0, behind = 0, zeros = 0; /* significant digits on either side of the point */
    bool point = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        point = point || c == '.';
        if (!is_digit(c) || (c == '0' && before + behind == 0))
            continue;
        before += !point;
        behind += point;
        zeros = c == '0' ? zeros + 1 : 0;
    }
    size_t cut = min_size(zeros, behind); /* of a fraction first: normal text has none there */
    behind -= cut;
    before -= behind ? 0 : min_size(zeros - cut, before);
    return 1 + (before + 1) / 2 + (behind + 1) / 2 + (text.len && text.p[0] == '-');
}

struct str ddb_num_message(struct arena *a, enum ddb_num_fault fault, struct str text)
{
    switch (fault) {
    case DDB_NUM_SYNTAX:
        if (str_empty(text))
            return STR("The parameter cannot be converted to a numeric value");
        return str_fmt(a, "The parameter cannot be converted to a numeric value: " STR_FMT,
                       STR_ARG(text));
    case DDB_NUM_DIGITS:
        return STR("Attempting to store more than 38 significant digits in a Number");
    case DDB_NUM_OVERFLOW:
        return STR("Number overflow. Attempting to store a number with magnitude larger than "
                   "supported range");
    case DDB_NUM_UNDERFLOW:
        return STR("Number underflow. Attempting to store a number with magnitude smaller than "
                   "supported range");
    case DDB_NUM_OK:
        break;
    }
    return STR("");
}
