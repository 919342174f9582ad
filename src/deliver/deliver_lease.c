/* Leases in the store; nobody else builds their keys. Space KEY_DELIVER.
 *
 *   01     -> deliveries: u8 version, varint token of the owning start
 *   01 01  -> due times: likewise
 *
 * Layer: deliver. Thread: the transaction's. */
#include "deliver/deliver_lease.h"

#include <assert.h>

#include "base/pack.h"
#include "kv/key.h"

enum { TABLE_LEASE = 1, LEASE_VERSION = 1, BYTES_MAX = 64 };

static enum err lease_key(struct txn *txn, enum deliver_lease which, struct buf *b)
{
    assert(which == DELIVER_LEASE_WORK || which == DELIVER_LEASE_DUE);
    buf_init_arena(b, txn->arena, BYTES_MAX);
    key_start(b, KEY_DELIVER, TABLE_LEASE);
    if (which == DELIVER_LEASE_DUE)
        key_u8(b, 1);
    return buf_err(b);
}

enum err deliver_lease_take(struct txn *txn, enum deliver_lease which, uint64_t token)
{
    struct buf key, val;
    TRY(lease_key(txn, which, &key));
    buf_init_arena(&val, txn->arena, BYTES_MAX);
    pack_u8(&val, LEASE_VERSION);
    pack_uint(&val, token);
    TRY(buf_err(&val));
    return txn_put(txn, buf_str(&key), buf_str(&val));
}

enum err deliver_lease_check(struct txn *txn, enum deliver_lease which, uint64_t token)
{
    struct buf key;
    struct str val;
    struct unpack u;
    TRY(lease_key(txn, which, &key));
    enum err err = txn_get(txn, buf_str(&key), &val);
    if (err == ERR_NOT_FOUND)
        return ERR_CLOSED;
    TRY(err);
    unpack_init(&u, val);
    if (unpack_u8(&u) != LEASE_VERSION)
        return ERR_CORRUPT;
    uint64_t owner = unpack_uint(&u);
    TRY(unpack_end(&u));
    return owner == token ? ERR_OK : ERR_CLOSED;
}
