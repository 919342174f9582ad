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

/* "12", "12.5", "12.50", "-3.00" (a refund); nothing else: no exponent, sign '+', spaces, grouping.
 * ERR_INVALID, ERR_LIMIT too many digits. */
enum err money_parse(struct str s, int64_t *ret_hundredths) WARN_UNUSED;
/* Sum, or ERR_LIMIT and the sum is untouched. */
enum err money_add(int64_t *sum, int64_t amount) WARN_UNUSED;
/* "12.50" */
struct str money_text(char out[MONEY_TEXT_MAX], int64_t hundredths);

#endif
