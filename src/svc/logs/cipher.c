/* Events of groups with a KMS key (L5): sealed with a data key of the group, which KMS seals.
 *
 * KMS is asked as the service principal logs.REGION.amazonaws.com, with the encryption context
 * aws:logs:arn = ARN of the group: its key policy must let that in. Asked at every request, so that a key
 * that is disabled is so at once.
 *
 * Source: CloudWatch Logs User Guide, "Encrypt log data using AWS KMS".
 * Layer: svc. Thread: the transaction's. */
#include "codec/seal.h"
#include "core/secret.h"
#include "svc/logs/logs_int.h"

/* Whom KMS is asked as, and about what; the arena's. */
struct asker {
    struct principal who;
    struct kms_use use;
};

static enum err make_asker(const struct logs *logs, struct arena *a, struct key_scope scope,
                           struct str name, struct asker *ret)
{
    struct str service = str_fmt(a, "logs." STR_FMT ".amazonaws.com", STR_ARG(scope.region));
    struct str arn = str_fmt(a, "arn:" STR_FMT ":logs:" STR_FMT ":" STR_FMT ":log-group:" STR_FMT,
                             STR_ARG(logs->core->cfg.partition), STR_ARG(scope.region),
                             STR_ARG(scope.account), STR_ARG(name));
    if (!str_is_set(service) || !str_is_set(arn))
        return ERR_NOMEM;
    *ret = (struct asker){.who = {.kind = PRINCIPAL_SERVICE, .service = service, .arn = service},
                          .use = {.source_arn = arn,
                                  .source_account = scope.account,
                                  .region = scope.region,
                                  .context = {STR("aws:logs:arn"), arn}}};
    return ERR_OK;
}

static struct str data_key_key(struct arena *a, uint64_t group_id, uint32_t number)
{
    return key_make(a, &logs_k_data_key, group_id, number);
}

enum err logs_cipher_new(struct logs *logs, struct txn *txn, struct key_scope scope,
                         struct str name, struct str key_arn, struct logs_group *g,
                         struct logs_cipher *cipher)
{
    struct asker asker;
    struct kms_data_key made;
    *cipher = (struct logs_cipher){0};
    TRY(make_asker(logs, txn->arena, scope, name, &asker));
    asker.use.who = &asker.who;
    TRY(logs->kms->data_key(logs->kms->self, txn, &asker.use, key_arn, &made, &cipher->why));
    cipher->key = made.plain;
    cipher->number = ++g->data_key;
    g->kms_key = key_arn;
    return txn_put(txn, data_key_key(txn->arena, g->id, g->data_key), made.sealed);
}

static enum err open_key(struct logs *logs, struct txn *txn, struct key_scope scope,
                         struct str name, uint64_t group_id, uint32_t number,
                         struct logs_cipher *cipher)
{
    struct asker asker;
    struct str sealed;
    struct kms_data_key opened;
    TRY(make_asker(logs, txn->arena, scope, name, &asker));
    asker.use.who = &asker.who;
    enum err err = txn_get(txn, data_key_key(txn->arena, group_id, number), &sealed);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    TRY(logs->kms->open(logs->kms->self, txn, &asker.use, sealed, &opened, &cipher->why));
    cipher->key = opened.plain;
    cipher->number = number;
    return ERR_OK;
}

enum err logs_cipher_to_write(struct logs *logs, struct txn *txn, struct key_scope scope,
                              struct str name, const struct logs_group *g,
                              struct logs_cipher *cipher)
{
    *cipher = (struct logs_cipher){0};
    if (!str_is_set(g->kms_key))
        return ERR_OK;
    return open_key(logs, txn, scope, name, g->id, g->data_key, cipher);
}

enum err logs_cipher_seal(const struct logs_cipher *cipher, struct arena *a, struct str event_key,
                          struct str text, struct str *ret_stored)
{
    _Static_assert((int)KMS_DATA_KEY_BYTES == (int)SEAL_KEY_BYTES, "a data key seals");
    if (cipher->number == 0) {
        *ret_stored = text;
        return ERR_OK;
    }
    if (!str_is_set(event_key))
        return ERR_NOMEM;
    return secret_close_with(cipher->key, a, event_key, text, ret_stored);
}

/* A page may look at more events than memory should hold: they take turns in one place. */
static enum err make_room(struct arena *a, struct logs_cipher *cipher, size_t bytes)
{
    enum { ROOM_FIRST = 4096 };
    if (bytes <= cipher->room_bytes)
        return ERR_OK;
    size_t more = cipher->room_bytes ? cipher->room_bytes : ROOM_FIRST;
    while (more < bytes)
        more *= 2;
    cipher->room = arena_alloc(a, more);
    if (!cipher->room)
        return ERR_NOMEM;
    cipher->room_bytes = more;
    return ERR_OK;
}

enum err logs_cipher_open(struct logs *logs, struct txn *txn, struct key_scope scope,
                          struct str name, uint64_t group_id, struct str event_key,
                          struct logs_stored_event *e, struct logs_cipher *cipher)
{
    if (e->data_key == 0)
        return ERR_OK;
    if (cipher->number != e->data_key)
        TRY(open_key(logs, txn, scope, name, group_id, e->data_key, cipher));
    if (e->message.len < SEAL_MORE_BYTES)
        return ERR_CORRUPT;
    size_t len = e->message.len - SEAL_MORE_BYTES;
    TRY(make_room(txn->arena, cipher, len + 1));
    enum err err = seal_open((const uint8_t *)cipher->key.p, event_key, e->message, cipher->room);
    if (err)
        return err == ERR_INVALID ? ERR_CORRUPT : err;
    e->message = str_n((const char *)cipher->room, len);
    return ERR_OK;
}
