/* What the delivery engine reads and stages: due records, payloads.
 *
 * Due record: u8 version 1, varint attempt, varint uncounted, zigzag created ms, varint most
 * attempts, zigzag greatest age ms, u8 large; then the payload as bytes, or for a large one its
 * length as a varint.
 *
 * Layer: deliver. Thread: the transaction's. */
#include <assert.h>

#include "base/mem.h"
#include "base/pack.h"
#include "deliver/deliver_int.h"

enum { DUE_VERSION = 1, KEY_BYTES_MAX = 64, RECORD_OVERHEAD_MAX = 128 };

enum err deliver_record_read(struct str bytes, struct deliver_record *ret_rec)
{
    struct unpack u;
    struct deliver_record rec = {0};

    unpack_init(&u, bytes);
    if (unpack_u8(&u) != DUE_VERSION)
        return ERR_CORRUPT;
    rec.attempt = (int)unpack_uint(&u);
    rec.uncounted = (int)unpack_uint(&u);
    rec.created_ms = unpack_int(&u);
    rec.attempts_max = (int)unpack_uint(&u);
    rec.age_max_ms = unpack_int(&u);
    rec.large = unpack_u8(&u) != 0;
    if (rec.large) {
        rec.payload_len = unpack_uint(&u);
    } else {
        rec.payload = unpack_str(&u);
        rec.payload_len = rec.payload.len;
    }
    TRY(unpack_end(&u));
    if (rec.attempt < 1 || rec.uncounted < 0 || rec.attempts_max < 1 || rec.age_max_ms < 0 ||
        rec.payload_len > DELIVER_PAYLOAD_MAX)
        return ERR_CORRUPT;
    *ret_rec = rec;
    return ERR_OK;
}

enum err deliver_record_put(struct txn *txn, enum deliver_kind_id kind, struct deliver_pos at,
                            const struct deliver_record *rec, struct str payload, bool with_payload)
{
    struct buf key, val;

    buf_init_arena(&key, txn->arena, KEY_BYTES_MAX);
    buf_init_arena(&val, txn->arena, RECORD_OVERHEAD_MAX + DELIVER_INLINE_MAX);
    assert(rec->attempt >= 1 && rec->attempts_max >= 1 && rec->age_max_ms >= 0); /* as read back */
    pack_u8(&val, DUE_VERSION);
    pack_uint(&val, (uint64_t)rec->attempt);
    pack_uint(&val, (uint64_t)rec->uncounted);
    pack_int(&val, rec->created_ms);
    pack_uint(&val, (uint64_t)rec->attempts_max);
    pack_int(&val, rec->age_max_ms);
    pack_u8(&val, rec->large);
    if (rec->large)
        pack_uint(&val, rec->payload_len);
    else
        pack_str(&val, payload);
    TRY(buf_err(&val));
    deliver_key_due(&key, kind, at);
    TRY(buf_err(&key));
    TRY(txn_put(txn, buf_str(&key), buf_str(&val)));
    if (!rec->large || !with_payload)
        return ERR_OK;
    deliver_key_payload(&key, at.id);
    TRY(buf_err(&key));
    return txn_put(txn, buf_str(&key), payload);
}

enum err deliver_record_del(struct txn *txn, enum deliver_kind_id kind, struct deliver_pos at,
                            bool large)
{
    struct buf key;

    buf_init_arena(&key, txn->arena, KEY_BYTES_MAX);
    deliver_key_due(&key, kind, at);
    TRY(buf_err(&key));
    TRY(txn_del(txn, buf_str(&key)));
    if (!large)
        return ERR_OK;
    deliver_key_payload(&key, at.id);
    TRY(buf_err(&key));
    return txn_del(txn, buf_str(&key));
}

enum err deliver_payload_read(struct txn *txn, enum deliver_kind_id kind, struct deliver_pos at,
                              bool large, struct str *ret_payload)
{
    struct buf key;
    struct str val;
    struct deliver_record rec;

    buf_init_arena(&key, txn->arena, KEY_BYTES_MAX);
    if (large) {
        deliver_key_payload(&key, at.id);
        TRY(buf_err(&key));
        return txn_peek(txn, buf_str(&key), ret_payload);
    }
    deliver_key_due(&key, kind, at);
    TRY(buf_err(&key));
    TRY(txn_peek(txn, buf_str(&key), &val));
    TRY(deliver_record_read(val, &rec));
    *ret_payload = rec.payload;
    return ERR_OK;
}

/* --- scan ------------------------------------------------------------------------------------- */

void deliver_scan_drop(struct deliver_scan *s)
{
    for (size_t i = 0; i < s->n; i++)
        deliver_entry_free(s->entries[i]);
    s->n = 0;
    s->bytes = 0;
    s->corrupt = 0;
}

/* Takes one pair; ERR_NOT_FOUND when the scan is full and the piece stays in the store. */
static enum err scan_take(struct deliver_scan *s, struct str key, struct str val)
{
    struct deliver_pos at;
    struct deliver_record rec;

    TRY(deliver_key_read_due(key, &at));
    if (s->n == s->max || s->bytes > DELIVER_SCAN_BYTES_MAX) {
        s->read_to = at;
        return ERR_NOT_FOUND;
    }
    if (deliver_record_read(val, &rec) != ERR_OK) {
        s->corrupt++;
        return ERR_OK;
    }
    struct deliver_entry *e = deliver_entry_new(s->q, at, &rec, rec.payload);
    if (!e)
        return ERR_NOMEM;
    assert(!deliver_pos_before(at, s->from)); /* a scan only goes on */
    s->bytes += rec.payload.len;
    s->entries[s->n++] = e;
    return ERR_OK;
}

enum err deliver_scan_body(struct txn *txn, void *arg)
{
    struct deliver_scan *s = arg;
    struct buf from, to;
    struct kv_iter *it;
    struct str key, val;

    deliver_scan_drop(s);
    s->read_to = DELIVER_POS_END;
    buf_init_arena(&from, txn->arena, KEY_BYTES_MAX);
    buf_init_arena(&to, txn->arena, KEY_BYTES_MAX);
    deliver_key_due(&from, s->q->kind.id, s->from);
    deliver_key_kind_end(&to, s->q->kind.id);
    TRY(buf_err(&from));
    TRY(buf_err(&to));
    TRY(kv_scan(txn->kv, buf_str(&from), buf_str(&to), false, &it));
    enum err err;
    while ((err = kv_next(it, &key, &val)) == ERR_OK) {
        err = scan_take(s, key, val);
        if (err != ERR_OK)
            break;
    }
    kv_iter_close(it);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
