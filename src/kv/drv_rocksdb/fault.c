/* What RocksDB's messages mean. Layer: kv. */
#include "kv/drv_rocksdb/rocksdb_int.h"

enum err rdb_err(char *message)
{
    if (!message)
        return ERR_OK;
    enum err err = strncmp(message, "Corruption", 10) == 0 ? ERR_CORRUPT : ERR_IO;
    rocksdb_free(message);
    return err;
}
