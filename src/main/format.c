#include "main/format.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/pack.h"
#include "core/secret.h"
#include "core/txn.h"
#include "kv/key.h"

enum { BYTES = 128 };

static const struct str proof = STR_INIT("the root key of this store");

static enum err body(struct txn *txn, void *arg)
{
    uint64_t *found = arg;
    struct buf key, value;
    struct str record;
    buf_init_arena(&key, txn->arena, BYTES);
    buf_init_arena(&value, txn->arena, BYTES);
    key_start(&key, KEY_META, KEY_META_FORMAT);
    TRY(buf_err(&key));
    enum err err = txn_get(txn, buf_str(&key), &record);
    if (err == ERR_NOT_FOUND) {
        *found = FORMAT_VERSION;
        TRY(secret_close(txn->core, txn->arena, STR("format"), proof, &record));
        pack_uint(&value, FORMAT_VERSION);
        pack_str(&value, record);
        TRY(buf_err(&value));
        return txn_put(txn, buf_str(&key), buf_str(&value));
    }
    TRY(err);
    struct unpack u;
    unpack_init(&u, record);
    *found = unpack_uint(&u);
    if (*found != FORMAT_VERSION)
        return ERR_OK;
    struct str sealed = unpack_str(&u), opened;
    TRY(unpack_end(&u));
    err = secret_open(txn->core, txn->arena, STR("format"), sealed, &opened);
    return err == ERR_CORRUPT ? ERR_DENIED : err;
}

enum err format_check(struct core *core)
{
    uint64_t found = 0;
    enum err err = txn_run_now(core, body, &found);
    if (err == ERR_DENIED)
        fprintf(
            stderr,
            "weir: %s/root-credentials is not the root key that this store was made with: what is "
            "sealed in it cannot be read; put the right file back\n",
            core->cfg.data_dir.p);
    TRY(err);
    if (found == FORMAT_VERSION)
        return ERR_OK;
    fprintf(stderr,
            "weir: the data folder has disk format %" PRIu64 ", this Weir knows only %d: %s\n",
            found, FORMAT_VERSION,
            found > FORMAT_VERSION ? "use the newer version that wrote it"
                                   : "use the older version that wrote it, or another folder");
    return ERR_UNSUPPORTED;
}
