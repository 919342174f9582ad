/* Setting, moving and clearing due keys in anybody's transaction. See due.h.
 *
 * Layer: deliver. Thread: the transaction's. */
#include <assert.h>

#include "deliver/due_int.h"

struct set {
    struct due_kind *kind;
    struct str key;
    int64_t when_ms;
};

static void set_durable(void *arg)
{
    const struct set *s = arg;
    due_notice(s->kind, s->key, s->when_ms);
}

static enum err stage(struct txn *txn, struct due_kind *kind, struct str key,
                      const struct due_record *old, const struct due_record *rec)
{
    assert(!kind->def.singleton); /* those have no moment */
    struct set *s = ARENA_NEW(txn->arena, struct set);
    if (!s)
        return ERR_NOMEM;
    *s = (struct set){kind, str_dup(txn->arena, key), rec->when_ms};
    if (!str_is_set(s->key))
        return ERR_NOMEM;
    if (old && old->when_ms != rec->when_ms)
        TRY(due_order_del(txn, kind, (struct due_at){old->when_ms, key}));
    if (!old || old->when_ms != rec->when_ms)
        TRY(due_order_put(txn, kind, (struct due_at){rec->when_ms, key}));
    TRY(due_record_put(txn, kind, key, rec));
    return txn_on_durable(txn, set_durable, s);
}

enum err due_set(struct txn *txn, struct due_kind *kind, struct str key, int64_t when_ms,
                 struct str value)
{
    struct due_record old, rec = {when_ms, value};

    if (key.len > DUE_KEY_MAX || value.len > DUE_VALUE_MAX)
        return ERR_LIMIT;
    enum err err = due_record_get(txn, kind, key, &old);
    if (err && err != ERR_NOT_FOUND)
        return err;
    return stage(txn, kind, key, err ? NULL : &old, &rec);
}

enum err due_move(struct txn *txn, struct due_kind *kind, struct str key, int64_t when_ms)
{
    struct due_record old;

    if (key.len > DUE_KEY_MAX)
        return ERR_LIMIT;
    TRY(due_record_get(txn, kind, key, &old));
    struct due_record rec = {when_ms, old.value};
    return stage(txn, kind, key, &old, &rec);
}

enum err due_clear(struct txn *txn, struct due_kind *kind, struct str key)
{
    struct due_record old;

    if (key.len > DUE_KEY_MAX)
        return ERR_LIMIT;
    enum err err = due_record_get(txn, kind, key, &old);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    TRY(due_order_del(txn, kind, (struct due_at){old.when_ms, key}));
    return due_record_del(txn, kind, key); /* memory finds out when it fires (DU2) */
}

enum err due_get(struct txn *txn, struct due_kind *kind, struct str key, int64_t *ret_when_ms,
                 struct str *ret_value)
{
    struct due_record rec;

    if (key.len > DUE_KEY_MAX)
        return ERR_LIMIT;
    TRY(due_record_get(txn, kind, key, &rec));
    *ret_when_ms = rec.when_ms;
    *ret_value = rec.value;
    return ERR_OK;
}
