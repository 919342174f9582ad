/* DynamoDB's number: 38 significant decimal digits, magnitude 1E-130 .. 9.9..E+125, or zero.
 *
 * Invariants
 *   DN1  A struct ddb_num is normal: d[0] and d[n-1] are not 0; zero has n == 0, exp == 0, no sign.
 *   DN2  Text made by ddb_num_text is normal: plain decimal without exponent, without needless
 *        zeros or '+'. Two numbers are equal exactly when their normal texts are.
 *   DN3  Key bytes sort (unsigned) as the numbers do, and none is a prefix of another.
 *
 * Layer: svc/dynamodb. Thread: pure. Source: DynamoDB developer guide, "Data types: Number". */
#ifndef WEIR_SVC_DYNAMODB_DDB_NUM_H
#define WEIR_SVC_DYNAMODB_DDB_NUM_H

#include "base/buf.h"

enum {
    DDB_NUM_DIGITS_MAX = 38,
    DDB_NUM_EXP_MIN = -129, /* of 1E-130 written as 0.1E-129 */
    DDB_NUM_EXP_MAX = 126,  /* of 9.9E+125 written as 0.99E+126 */
    DDB_NUM_TEXT_MAX = 176, /* "-0." + 129 zeros + 38 digits, rounded up */
    DDB_NUM_KEY_MAX = 24,
};

/* 0.d[0]d[1]...d[n-1] * 10^exp */
struct ddb_num {
    bool neg;
    uint8_t n;
    int16_t exp;
    uint8_t d[DDB_NUM_DIGITS_MAX];
};

enum ddb_num_fault {
    DDB_NUM_OK,
    DDB_NUM_SYNTAX,
    DDB_NUM_DIGITS,    /* more than 38 significant digits */
    DDB_NUM_OVERFLOW,  /* magnitude above the range */
    DDB_NUM_UNDERFLOW, /* not zero, magnitude below the range */
};

/* Reads digits with optional sign, point and exponent. *ret_num is written on DDB_NUM_OK only. */
enum ddb_num_fault ddb_num_parse(struct str text, struct ddb_num *ret_num) WARN_UNUSED;
/* True for the texts that are normal already and short (at most 18 digits, no point): the common
 * case, for which parsing and printing can be skipped. */
bool ddb_num_is_plain(struct str text);
/* Normal text (DN2) into `out`. */
struct str ddb_num_text(const struct ddb_num *num, char out[DDB_NUM_TEXT_MAX]);
/* <0, 0, >0. */
int ddb_num_cmp(const struct ddb_num *a, const struct ddb_num *b);
/* Compares two normal texts. */
int ddb_num_cmp_text(struct str a, struct str b);
/* Exact a + b, or a - b when `subtract`; DIGITS, OVERFLOW and UNDERFLOW when the exact result is
 * not a number. */
enum ddb_num_fault ddb_num_add(const struct ddb_num *a, const struct ddb_num *b, bool subtract,
                               struct ddb_num *ret_sum) WARN_UNUSED;
/* Key bytes (DN3) into `out`; returns their count. */
size_t ddb_num_key(const struct ddb_num *num, uint8_t out[DDB_NUM_KEY_MAX]);
/* Bytes that a number in normal text counts for in the size of an item: one per two significant digits, on each side
 * of the decimal point by itself, one more, and one for a minus sign: as measured on AWS. */
size_t ddb_num_size(struct str text);
/* AWS's wording of a fault about `text`. */
struct str ddb_num_message(struct arena *a, enum ddb_num_fault fault, struct str text);

#endif
