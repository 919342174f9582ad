/* What holds for a while: sign-ins under way, authorization codes, origins that were revoked. Due times
 * (deliver/due.h) whose firing only removes them.
 *
 * A session's name begins with its pool's id; the rest is drawn at random and told to the client; stored is its digest, so that who reads the
 * store cannot go on with it.
 *
 * Layer: svc/cognito. Thread: the transaction's. */
#include "svc/cognito/cognito_int.h"

enum { NAME_BYTES = 32, AT_ONCE = 8 };

static enum err forget(void *self, struct txn *txn, struct due_fire *f)
{
    return ERR_OK; /* DUE_DONE: it goes */
}

enum err cognito_marks_register(struct cognito *c)
{
    const struct due_def def = {
        .name = "cognito.mark", .self = c, .fire = forget, .running_max = AT_ONCE};
    return due_register(deliver_due(c->core->deliver), &def, &c->marks);
}

static struct str mark_key(struct arena *a, enum cognito_mark mark, struct str pool_id,
                           struct str name)
{
    char hex[2 * HASH_SHA256_LEN];
    hash_sha256_hex(name.p, name.len, hex);
    return key_make(a, &cognito_k_mark, pool_id, (uint8_t)mark, str_n(hex, sizeof(hex)));
}

enum err cognito_session_put(struct txn *txn, struct cognito *c, enum cognito_mark mark,
                             const struct cognito_session *s, int64_t for_ms, struct str *ret_name)
{
    struct str plain, sealed;
    struct str drawn = cognito_random_hex(txn->arena, NAME_BYTES);
    if (!str_is_set(drawn))
        return ERR_NOMEM;
    /* AssociateSoftwareToken knows the pool by nothing else. */
    *ret_name = mark == COGNITO_MARK_SESSION
                    ? str_fmt(txn->arena, STR_FMT ":" STR_FMT, STR_ARG(s->pool_id), STR_ARG(drawn))
                    : drawn;
    if (!str_is_set(*ret_name))
        return ERR_NOMEM;
    struct str key = mark_key(txn->arena, mark, s->pool_id, *ret_name);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(record_make(&cognito_session_rec_type, txn->arena, s, &plain));
    TRY(secret_close(c->core, txn->arena, key, plain, &sealed));
    return due_set(txn, c->marks, key, txn->now_ms + for_ms, sealed);
}

static enum err read_session(struct txn *txn, struct cognito *c, struct str key,
                             struct cognito_session *ret)
{
    struct str sealed, plain;
    int64_t until;
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(due_get(txn, c->marks, key, &until, &sealed));
    if (until <= txn->now_ms)
        return ERR_NOT_FOUND;
    TRY(secret_open(c->core, txn->arena, key, sealed, &plain));
    *ret = (struct cognito_session){0};
    return record_unpack(&cognito_session_rec_type, txn->arena, plain, ret);
}

enum err cognito_session_read(struct txn *txn, struct cognito *c, enum cognito_mark mark,
                              struct str pool_id, struct str name, struct cognito_session *ret)
{
    return read_session(txn, c, mark_key(txn->arena, mark, pool_id, name), ret);
}

enum err cognito_session_take(struct txn *txn, struct cognito *c, enum cognito_mark mark,
                              struct str pool_id, struct str name, struct cognito_session *ret)
{
    struct str key = mark_key(txn->arena, mark, pool_id, name);
    TRY(read_session(txn, c, key, ret));
    return due_clear(txn, c->marks, key);
}

enum err cognito_revoke(struct txn *txn, struct cognito *c, struct str pool_id, struct str origin,
                        int64_t for_ms)
{
    struct str key = mark_key(txn->arena, COGNITO_MARK_REVOKED, pool_id, origin);
    return str_is_set(key) ? due_set(txn, c->marks, key, txn->now_ms + for_ms, STR("")) : ERR_NOMEM;
}

enum err cognito_is_revoked(struct txn *txn, struct cognito *c, struct str pool_id,
                            struct str origin, bool *ret)
{
    struct str value, key = mark_key(txn->arena, COGNITO_MARK_REVOKED, pool_id, origin);
    int64_t until;
    if (!str_is_set(key))
        return ERR_NOMEM;
    enum err err = due_get(txn, c->marks, key, &until, &value);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    *ret = err == ERR_OK;
    return ERR_OK;
}
