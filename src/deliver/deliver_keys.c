/* Key layouts of the delivery engine; nobody else builds its keys. Space KEY_DELIVER.
 *
 *   02 u8 kind, i64 due ms, u64 id  -> due record, see deliver_store.c
 *   03 u64 id                       -> payload of a piece larger than DELIVER_INLINE_MAX
 *   01                              -> leases: deliver_lease.c
 *   05, 06                          -> due times: due_store.c
 *
 * Layer: deliver. Thread: pure. */
#include "deliver/deliver_int.h"
#include "kv/key.h"

enum { TABLE_DUE = 2, TABLE_PAYLOAD = 3 };

void deliver_key_due(struct buf *b, enum deliver_kind_id kind, struct deliver_pos at)
{
    key_start(b, KEY_DELIVER, TABLE_DUE);
    key_u8(b, (uint8_t)kind);
    key_i64(b, at.due_ms);
    key_u64(b, at.id);
}

void deliver_key_kind_end(struct buf *b, enum deliver_kind_id kind)
{
    deliver_key_due(b, kind, DELIVER_POS_END);
}

void deliver_key_payload(struct buf *b, uint64_t id)
{
    key_start(b, KEY_DELIVER, TABLE_PAYLOAD);
    key_u64(b, id);
}

enum err deliver_key_read_due(struct str key, struct deliver_pos *ret_at)
{
    uint8_t space, table, kind;
    struct deliver_pos at;

    TRY(key_read_u8(&key, &space));
    TRY(key_read_u8(&key, &table));
    TRY(key_read_u8(&key, &kind));
    TRY(key_read_i64(&key, &at.due_ms));
    TRY(key_read_u64(&key, &at.id));
    if (space != KEY_DELIVER || table != TABLE_DUE || key.len != 0)
        return ERR_CORRUPT;
    *ret_at = at;
    return ERR_OK;
}
