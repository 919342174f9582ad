/* Items as stored: a compact binary form from which single attributes, JSON or a tree are read.
 *
 *   item   = u8 version (1), uint size, uint count, { name, value }
 *   name   = uint length, bytes
 *   value  = u8 type (enum ddb_type), then
 *            S N B   uint length, bytes (N: normal text)
 *            BOOL    u8
 *            NULL    nothing
 *            L       uint payload bytes, uint count, { value }
 *            M       uint payload bytes, uint count, { name, value }
 *            SS..BS  uint payload bytes, uint count, { uint length, bytes }
 *   uint   = LEB128
 *   sealed = u8 version (2), uint size, salt (16), what codec/seal.h makes of an item (ddb_cipher.c)
 *   size   = what the item counts for (ddb_item_size), kept so that reads need not walk the item
 *
 * Readers check every length against the bytes there are: ERR_CORRUPT, never a read outside.
 *
 * Layer: svc/dynamodb. Thread: pure. */
#ifndef WEIR_SVC_DYNAMODB_DDB_ITEM_H
#define WEIR_SVC_DYNAMODB_DDB_ITEM_H

#include "svc/dynamodb/ddb_value.h"

/* `size` is ddb_item_size(item). ERR_NOMEM. */
enum err ddb_item_encode(struct arena *a, const struct ddb_av *item, size_t size,
                         struct str *ret_raw) WARN_UNUSED;
/* The whole item as a tree that borrows from `raw`. ERR_CORRUPT, ERR_NOMEM. */
enum err ddb_item_decode(struct arena *a, struct str raw, struct ddb_av **ret_item) WARN_UNUSED;
/* One attribute. ERR_NOT_FOUND, ERR_CORRUPT, ERR_NOMEM. O(attributes), values are skipped. */
enum err ddb_item_find(struct arena *a, struct str raw, struct str name,
                       struct ddb_av **ret_av) WARN_UNUSED;
enum { DDB_SEALED_VERSION = 2 };
/* The stored size, of an item that is sealed, too. ERR_CORRUPT. */
enum err ddb_item_raw_size(struct str raw, size_t *ret_size) WARN_UNUSED;
/* {"name": {"S": "x"}, ...} straight from the stored bytes. ERR_CORRUPT leaves partial text. */
enum err ddb_item_raw_put_json(struct buf *b, struct str raw) WARN_UNUSED;

#endif
