/* Stored records (base/record.h) by key, in a transaction.
 *
 *   TRY(txn_read(txn, key, &x_type, &x));
 *   TRY(txn_write(txn, key, &x_type, &x));
 *
 * Layer: core. Lifetime: what is read is the transaction's. Thread: the transaction's. */
#ifndef WEIR_CORE_TXN_RECORD_H
#define WEIR_CORE_TXN_RECORD_H

#include "base/record.h"
#include "core/txn.h"

/* The record of a key, read tracked. ERR_NOT_FOUND, ERR_CORRUPT, and what the store says. */
#define txn_read(txn, key, type, rec) txn_read_sized((txn), (key), (type), (rec), sizeof(*(rec)))
/* Stages the record. */
#define txn_write(txn, key, type, rec) txn_write_sized((txn), (key), (type), (rec), sizeof(*(rec)))

static inline enum err WARN_UNUSED txn_read_sized(struct txn *txn, struct str key,
                                                  const struct record_type *type, void *rec,
                                                  size_t size)
{
    struct str bytes;
    TRY(txn_get(txn, key, &bytes));
    return record_unpack_sized(type, txn->arena, bytes, rec, size);
}

static inline enum err WARN_UNUSED txn_write_sized(struct txn *txn, struct str key,
                                                   const struct record_type *type, const void *rec,
                                                   size_t size)
{
    struct str bytes;
    TRY(record_make_sized(type, txn->arena, rec, size, &bytes));
    return txn_put(txn, key, bytes);
}

#endif
