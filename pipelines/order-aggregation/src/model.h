/* A set: the customers, orders and items of one date, joined in memory.
 *
 * Files                     columns (by name, in any order; further ones are ignored)
 *   customers_<date>.csv    customer_id,customer_name
 *   orders_<date>.csv       order_id,customer_id,amount
 *   items_<date>.csv        item_id,order_id
 *
 * Invariants
 *   M1  Every row of a file is either in the model or was given to the reject callback, once.
 *   M2  Sums are exact; an order whose amount would overflow its customer's is a reject.
 *   M3  The same files give the same customers in the same order: that of the customers file.
 *
 * Layer: pipeline, pure. Ids and names borrow from the files' texts and the arena. */
#ifndef ORDERS_MODEL_H
#define ORDERS_MODEL_H

#include "base/buf.h"

enum kind { KIND_CUSTOMERS, KIND_ORDERS, KIND_ITEMS, KINDS };

extern const char *const kind_names[KINDS]; /* "customers"... */

enum { MODEL_ROWS_MAX = 16 * 1000 * 1000, DATE_LEN = 8 };

/* Splits "[folder/]orders_20230828.csv". ERR_INVALID for any other name. `ret_date` borrows. */
enum err model_parse_name(struct str key, enum kind *ret_kind, struct str *ret_date) WARN_UNUSED;

struct customer {
    struct str id, name;
    int64_t total;                    /* hundredths */
    uint32_t first_order, last_order; /* 1-based, 0 none */
    uint32_t n_orders;
};

struct order {
    struct str id;
    int64_t amount; /* hundredths */
    uint32_t next;  /* of the same customer; 1-based, 0 none */
    uint32_t first_item, last_item;
};

struct item {
    struct str id;
    uint32_t next; /* of the same order */
};

struct id_index {
    uint32_t *slots; /* 1-based positions */
    size_t cap;
};

/* `reason` lives as long as the model's arena. */
typedef void reject_fn(void *arg, enum kind kind, uint64_t line, const char *reason);

struct model {
    struct arena *arena;
    struct customer *customers;
    struct order *orders;
    struct item *items;
    size_t n[KINDS], cap[KINDS];
    struct id_index index[KINDS];
    uint64_t rows[KINDS]; /* data rows seen */
    uint64_t rejects[KINDS];
    reject_fn *reject;
    void *reject_arg;
};

void model_init(struct model *m, struct arena *arena, reject_fn *reject, void *arg);
void model_release(struct model *m);

/* Adds a file; customers before orders before items. ERR_INVALID: the header row is missing or does
 * not fit (one reject, as line 1, that names the columns missing; nothing was added). ERR_NOMEM, ERR_LIMIT (MODEL_ROWS_MAX). */
enum err model_add(struct model *m, enum kind kind, struct str text) WARN_UNUSED;
/* Checks one file alone: everything but what needs the other files. */
enum err model_check(struct arena *arena, enum kind kind, struct str text, reject_fn *reject,
                     void *arg, uint64_t *ret_rows, uint64_t *ret_rejects) WARN_UNUSED;

/* {"id":"1","name":..,"total_amount_spent":400.00,"orders":[{"id":..,"amount":..,"item_ids":[..]}]}
 * Amounts are JSON numbers, written digit by digit: no double ever holds one. */
void model_put_message(const struct model *m, size_t customer, struct buf *out);

#endif
