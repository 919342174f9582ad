/* What RocksDB's messages mean, and the end of a store that failed. Layer: kv. */
#include <errno.h>
#include <stdio.h>

#include "kv/drv_rocksdb/rocksdb_int.h"

enum err rdb_err(char *message)
{
    if (!message)
        return ERR_OK;
    enum err err = strncmp(message, "Corruption", 10) == 0 ? ERR_CORRUPT : ERR_IO;
    rocksdb_free(message);
    return err;
}

enum err rdb_fail(struct rdb *r, const char *what, char *message)
{
    const char *why = message ? message : strerror(errno);
    bool first = false;
    pthread_mutex_lock(&r->cause_lock);
    if (!atomic_load(&r->cause_set)) {
        snprintf(r->cause, sizeof(r->cause), "%s failed%s: %s", what,
                 strstr(why, strerror(ENOSPC)) ? " (ENOSPC)" : "", why);
        atomic_store(&r->cause_set, true);
        first = true;
    }
    pthread_mutex_unlock(&r->cause_lock);
    if (message)
        rocksdb_free(message);
    atomic_store(&r->failed, true);
    if (first && r->on_failure)
        r->on_failure(r->on_failure_arg);
    return ERR_IO;
}
