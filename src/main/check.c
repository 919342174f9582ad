#include "main/check.h"

#include <stdio.h>
#include <sys/stat.h>

#include "kv/drv_rocksdb/kv_rocksdb.h"

enum { PATH_BYTES = 4096 };

static void say(void *arg, const char *line)
{
    printf("%s\n", line);
}

static int run(const char *data_dir,
               enum err (*what)(const char *dir, kv_rocksdb_say *say, void *arg))
{
    char dir[PATH_BYTES];
    if (snprintf(dir, sizeof(dir), "%s/db", data_dir) >= (int)sizeof(dir)) {
        fprintf(stderr, "weir: the data folder's path is too long\n");
        return CHECK_IMPOSSIBLE;
    }
    (void)umask(077);
    enum err err = what(dir, say, NULL);
    if (err)
        printf("%s\n", err == ERR_CORRUPT ? "damaged" : "not checked");
    else
        printf("whole\n");
    return !err ? CHECK_WHOLE : err == ERR_CORRUPT ? CHECK_DAMAGED : CHECK_IMPOSSIBLE;
}

int check(const char *data_dir)
{
    return run(data_dir, kv_rocksdb_check);
}

int repair(const char *data_dir)
{
    return run(data_dir, kv_rocksdb_repair);
}
