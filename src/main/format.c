#include "main/format.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/pack.h"
#include "base/rng.h"
#include "core/secret.h"
#include "core/txn.h"
#include "kv/key.h"

enum { BYTES = 128 };

/* The record: version, and the store's own key, sealed under the root key. So another root key is
 * noticed, and one day the root key can change without everything being sealed anew. */
struct stamp {
    uint64_t version;
    uint8_t key[SEAL_KEY_BYTES];
};

static enum err make(struct txn *txn, struct str at, struct stamp *stamp)
{
    struct buf value;
    struct str sealed;
    buf_init_arena(&value, txn->arena, BYTES);
    stamp->version = FORMAT_VERSION;
    rng_bytes(stamp->key, sizeof(stamp->key));
    TRY(secret_close(txn->core, txn->arena, txn->core->cfg.root_access_key,
                     str_n((const char *)stamp->key, sizeof(stamp->key)), &sealed));
    pack_uint(&value, FORMAT_VERSION);
    pack_str(&value, sealed);
    TRY(buf_err(&value));
    return txn_put(txn, at, buf_str(&value));
}

static enum err body(struct txn *txn, void *arg)
{
    struct stamp *stamp = arg;
    struct buf key;
    struct str record, opened;
    buf_init_arena(&key, txn->arena, BYTES);
    key_start(&key, KEY_META, KEY_META_FORMAT);
    TRY(buf_err(&key));
    enum err err = txn_get(txn, buf_str(&key), &record);
    if (err == ERR_NOT_FOUND)
        return make(txn, buf_str(&key), stamp);
    TRY(err);
    struct unpack u;
    unpack_init(&u, record);
    stamp->version = unpack_uint(&u);
    if (stamp->version != FORMAT_VERSION)
        return ERR_OK;
    struct str sealed = unpack_str(&u);
    TRY(unpack_end(&u));
    err = secret_open(txn->core, txn->arena, txn->core->cfg.root_access_key, sealed, &opened);
    if (err == ERR_CORRUPT || (!err && opened.len != sizeof(stamp->key)))
        return ERR_DENIED;
    TRY(err);
    memcpy(stamp->key, opened.p, sizeof(stamp->key));
    return ERR_OK;
}

enum err format_check(struct core *core)
{
    struct stamp stamp = {0};
    enum err err = txn_run_now(core, body, &stamp);
    if (err == ERR_DENIED)
        fprintf(stderr,
                "weir: %s/root-credentials is not the root key that this store was made with: what "
                "is sealed in it cannot be read; put the right file back\n",
                core->cfg.data_dir.p);
    TRY(err);
    if (stamp.version == FORMAT_VERSION) {
        memcpy(core->secret_key, stamp.key, sizeof(stamp.key));
        return ERR_OK;
    }
    fprintf(
        stderr, "weir: the data folder has disk format %" PRIu64 ", this Weir knows only %d: %s\n",
        stamp.version, FORMAT_VERSION,
        stamp.version > FORMAT_VERSION ? "use the newer version that wrote it"
                                       : "use the older version that wrote it, or another folder");
    return ERR_UNSUPPORTED;
}
