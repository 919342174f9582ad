/* Keys and records of due times; nobody else builds its keys. Space KEY_DELIVER.
 *
 *   05 text kind, i64 when ms, raw key     -> nothing: the order in which keys fire
 *   06 text kind, raw key                  -> u8 version, zigzag when ms, str value
 *
 * A key is set while its record is there; the order index then holds it at the record's moment. A
 * singleton has a record only while its value is not empty, and is never in the order index.
 *
 * Layer: deliver. Thread: the transaction's. */
#include <assert.h>

#include "base/pack.h"
#include "deliver/due_int.h"
#include "kv/key.h"

enum { TABLE_DUE_ORDER = 5, TABLE_DUE_KEY = 6 };
enum { RECORD_VERSION = 1, OVERHEAD_MAX = 128 };

static void order_key(struct buf *b, struct txn *txn, const struct due_kind *kind, struct due_at at)
{
    buf_init_arena(b, txn->arena, KV_KEY_MAX);
    key_start(b, KEY_DELIVER, TABLE_DUE_ORDER);
    key_text(b, str_c(kind->def.name));
    key_i64(b, at.when_ms);
    key_raw(b, at.key);
}

static void record_key(struct buf *b, struct txn *txn, const struct due_kind *kind, struct str key)
{
    buf_init_arena(b, txn->arena, KV_KEY_MAX);
    key_start(b, KEY_DELIVER, TABLE_DUE_KEY);
    key_text(b, str_c(kind->def.name));
    key_raw(b, key);
}

/* --- records ---------------------------------------------------------------------------------- */

enum err due_record_get(struct txn *txn, const struct due_kind *kind, struct str key,
                        struct due_record *ret_rec)
{
    struct buf b;
    struct str val;
    struct unpack u;
    struct due_record rec;

    record_key(&b, txn, kind, key);
    TRY(buf_err(&b));
    TRY(txn_get(txn, buf_str(&b), &val));
    unpack_init(&u, val);
    if (unpack_u8(&u) != RECORD_VERSION)
        return ERR_CORRUPT;
    rec.when_ms = unpack_int(&u);
    rec.value = unpack_str(&u);
    TRY(unpack_end(&u));
    *ret_rec = rec;
    return ERR_OK;
}

enum err due_record_put(struct txn *txn, const struct due_kind *kind, struct str key,
                        const struct due_record *rec)
{
    struct buf b, val;

    record_key(&b, txn, kind, key);
    buf_init_arena(&val, txn->arena, DUE_VALUE_MAX + OVERHEAD_MAX);
    assert(rec->value.len <= DUE_VALUE_MAX && key.len <= DUE_KEY_MAX);
    pack_u8(&val, RECORD_VERSION);
    pack_int(&val, rec->when_ms);
    pack_str(&val, rec->value);
    TRY(buf_err(&b));
    TRY(buf_err(&val));
    return txn_put(txn, buf_str(&b), buf_str(&val));
}

enum err due_record_del(struct txn *txn, const struct due_kind *kind, struct str key)
{
    struct buf b;

    record_key(&b, txn, kind, key);
    TRY(buf_err(&b));
    return txn_del(txn, buf_str(&b));
}

enum err due_order_put(struct txn *txn, const struct due_kind *kind, struct due_at at)
{
    struct buf b;

    order_key(&b, txn, kind, at);
    TRY(buf_err(&b));
    return txn_put(txn, buf_str(&b), STR(""));
}

enum err due_order_del(struct txn *txn, const struct due_kind *kind, struct due_at at)
{
    struct buf b;

    order_key(&b, txn, kind, at);
    TRY(buf_err(&b));
    return txn_del(txn, buf_str(&b));
}

/* --- scan ------------------------------------------------------------------------------------- */

static void scan_drop(struct due_scan *s)
{
    for (size_t i = 0; i < s->n; i++)
        due_entry_free(s->entries[i]);
    s->n = 0;
    s->corrupt = 0;
}

/* Takes one key; ERR_NOT_FOUND when the scan is full and the key stays in the store. */
static enum err scan_take(struct due_scan *s, struct str key, size_t prefix_len)
{
    struct due_at at;

    at.key = str_sub(key, prefix_len, key.len);
    if (key_read_i64(&at.key, &at.when_ms) != ERR_OK || at.key.len > DUE_KEY_MAX) {
        s->corrupt++;
        return ERR_OK;
    }
    if (s->n == DUE_SCAN_MAX) {
        due_mark_set(&s->read_to, at);
        return ERR_NOT_FOUND;
    }
    struct due_entry *e = due_entry_new(s->kind, at.key, at.when_ms);
    if (!e)
        return ERR_NOMEM;
    s->entries[s->n++] = e;
    return ERR_OK;
}

enum err due_scan_body(struct txn *txn, void *arg)
{
    struct due_scan *s = arg;
    struct due_at start = {s->from.when_ms, str_n(s->from.key, s->from.len)};
    struct buf prefix, from;
    struct kv_iter *it;
    struct str key, val;

    scan_drop(s);
    s->read_to.end = true;
    buf_init_arena(&prefix, txn->arena, OVERHEAD_MAX);
    key_start(&prefix, KEY_DELIVER, TABLE_DUE_ORDER);
    key_text(&prefix, str_c(s->kind->def.name));
    order_key(&from, txn, s->kind, start);
    TRY(buf_err(&prefix));
    TRY(buf_err(&from));
    struct str to = key_after_prefix(txn->arena, buf_str(&prefix));
    if (!str_is_set(to))
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, buf_str(&from), to, false, &it));
    enum err err;
    while ((err = kv_next(it, &key, &val)) == ERR_OK) {
        err = scan_take(s, key, prefix.len);
        if (err != ERR_OK)
            break;
    }
    kv_iter_close(it);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
