/* Amounts of money: exact, as whole hundredths.
 * Layer: pipeline, pure. */
#ifndef ORDERS_MONEY_H
#define ORDERS_MONEY_H

#include "base/str.h"

enum {
    MONEY_DECIMALS = 2,
    MONEY_DIGITS_MAX = 15, /* before the point */
    MONEY_TEXT_MAX = 32,
};

/* "12", "12.5", "12.50", "007.1", "-3.00" (a refund); nothing else. No exponent (`1e3` is what a
 * spreadsheet leaves of digits that it dropped), no third decimal (not even a zero: who writes them
 * means another precision), no '+', no spaces, no grouping, no currency, no comma for the point: an
 * amount that needs a guess is a reject. ERR_INVALID, ERR_LIMIT too many digits. */
enum err money_parse(struct str s, int64_t *ret_hundredths) WARN_UNUSED;
/* Sum, or ERR_LIMIT and the sum is untouched. */
enum err money_add(int64_t *sum, int64_t amount) WARN_UNUSED;
/* "12.50" */
struct str money_text(char out[MONEY_TEXT_MAX], int64_t hundredths);

#endif
