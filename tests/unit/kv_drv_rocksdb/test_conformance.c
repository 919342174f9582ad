/* The RocksDB driver against the promises of kv.h, on a fresh folder per test. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conformance.h"
#include "kv/drv_rocksdb/kv_rocksdb.h"

static char root[] = "/tmp/weir-kv-XXXXXX";
static char dir[sizeof(root) + 3]; /* the mark lies beside it */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    return remove(path);
}

static void wipe(void)
{
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct kv *reopen(void)
{
    struct kv *kv = NULL;
    char why[KV_ROCKSDB_WHY_MAX];
    if (kv_rocksdb_open(dir, NULL, &kv, why, sizeof(why)) != ERR_OK)
        fprintf(stderr, "%s\n", why);
    return kv;
}

static struct kv *open_new(void)
{
    memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
    if (!mkdtemp(root))
        return NULL;
    snprintf(dir, sizeof(dir), "%s/db", root);
    return reopen();
}

int main(void)
{
    static const struct conformance_driver driver = {
        .name = "rocksdb", .open_new = open_new, .reopen = reopen, .wipe = wipe};
    return conformance_run(&driver);
}
