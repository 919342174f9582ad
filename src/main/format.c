#include "main/format.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/pack.h"
#include "core/txn.h"
#include "kv/key.h"

enum { BYTES = 16 };

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
        pack_uint(&value, FORMAT_VERSION);
        TRY(buf_err(&value));
        return txn_put(txn, buf_str(&key), buf_str(&value));
    }
    TRY(err);
    struct unpack u;
    unpack_init(&u, record);
    *found = unpack_uint(&u);
    return unpack_end(&u);
}

enum err format_check(struct core *core)
{
    uint64_t found = 0;
    TRY(txn_run_now(core, body, &found));
    if (found == FORMAT_VERSION)
        return ERR_OK;
    fprintf(stderr,
            "weir: the data folder has disk format %" PRIu64 ", this Weir knows only %d: %s\n",
            found, FORMAT_VERSION,
            found > FORMAT_VERSION ? "use the newer version that wrote it"
                                   : "use the older version that wrote it, or another folder");
    return ERR_UNSUPPORTED;
}
