/* A second folder that holds what a running store holds at one moment. Layer: kv. */
#include <stdio.h>

#include "kv/drv_rocksdb/judge.h"
#include "kv/drv_rocksdb/rocksdb_int.h"

enum err kv_rocksdb_checkpoint(struct kv *kv, const char *dir, char *why, size_t why_size)
{
    struct rdb *r = (struct rdb *)kv;
    char mark[JUDGE_PATH_MAX], *message = NULL;
    if (snprintf(mark, sizeof(mark), "%s.synced", dir) >= (int)sizeof(mark))
        return ERR_LIMIT;
    if (atomic_load(&r->failed)) {
        snprintf(why, why_size, "the store failed: it takes nothing more");
        return ERR_IO;
    }
    /* Told before the copy is made: what the copy lacks of it would be noticed. */
    uint64_t seq = rocksdb_get_latest_sequence_number(r->db);
    rocksdb_checkpoint_t *c = rocksdb_checkpoint_object_create(r->db, &message);
    if (!message) /* 0: memtables become tables, so that no log is needed */
        rocksdb_checkpoint_create(c, dir, 0, &message);
    if (c)
        rocksdb_checkpoint_object_destroy(c);
    if (message) {
        snprintf(why, why_size, "%s", message);
        return rdb_err(message);
    }
    enum err err = mark_make(mark, seq);
    if (err)
        snprintf(why, why_size, "cannot write %.200s", mark);
    return err;
}
