/* Exact decimal numbers as JSON writes them, without conversion to binary: compare, test for
 * multiples, scale to an integer. Needed where a double would lie: event patterns compare to six
 * digits after the point at 5e9, JSON Schema asks whether 0.0075 is a multiple of 0.0001.
 *
 * A value borrows the text it was parsed from and allocates nothing, whatever its length.
 *
 * Layer: lang (includes base). Thread: pure. */
#ifndef WEIR_LANG_DECIMAL_H
#define WEIR_LANG_DECIMAL_H

#include "base/str.h"

enum {
    DECIMAL_EXPONENT_MAX = 1000 * 1000 * 1000, /* of the text's exponent, either sign */
    DECIMAL_DIVISOR_DIGITS_MAX = 18,           /* significant digits of a divisor */
};

/* +-0.D1D2...Dn * 10^mag, D1 and Dn not 0; zero has n == 0. */
struct decimal {
    bool negative;
    const char *part[2]; /* digits before and after the point */
    size_t part_len[2];
    size_t lead; /* zeros in front that do not count */
    size_t n;    /* significant digits */
    int64_t mag;
};

/* `text` is a number in JSON's syntax (RFC 8259, section 6); a leading '+' is allowed. ERR_INVALID
 * when it is not, ERR_LIMIT when its exponent is beyond DECIMAL_EXPONENT_MAX. */
enum err decimal_parse(struct str text, struct decimal *ret_d) WARN_UNUSED;
/* <0, 0, >0. O(digits). */
int decimal_cmp(const struct decimal *a, const struct decimal *b);
/* Whole number, such as 3, 3.0 or 3e2. */
bool decimal_is_integer(const struct decimal *d);
/* a is b times a whole number; b is not 0. ERR_LIMIT when b has more than
 * DECIMAL_DIVISOR_DIGITS_MAX significant digits. O(digits of a). */
enum err decimal_is_multiple(const struct decimal *a, const struct decimal *b,
                             bool *ret_yes) WARN_UNUSED;
/* d * 10^places as an integer. ERR_INVALID when d has more digits after the point than `places`
 * (0..18), ERR_LIMIT when the result has more than 18 digits. */
enum err decimal_scaled(const struct decimal *d, int places, int64_t *ret_v) WARN_UNUSED;

#endif
