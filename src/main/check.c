#include "main/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "kv/drv_rocksdb/kv_rocksdb.h"
#include "svc/s3/s3_scrub.h"

enum { PATH_BYTES = 4096 };

static void say(void *arg, const char *line)
{
    printf("%s\n", line);
}

/* After the store was found whole. */
static enum err check_objects(const char *data_dir, const char *dir)
{
    char why[KV_ROCKSDB_WHY_MAX] = "";
    struct core core = {.cfg = {.data_dir = str_c(data_dir)}};
    struct s3_scrub_found found = {0};
    enum err err = kv_rocksdb_open(dir, NULL, &core.kv, why, sizeof(why));
    if (err) {
        printf("%s\n", why);
        return err;
    }
    err = s3_scrub(&core, say, NULL, &found);
    kv_close(core.kv);
    printf("%" PRIu64 " object files of %" PRIu64 " bytes, %" PRIu64 " damaged\n", found.files,
           found.bytes, found.damaged);
    return err;
}

static int run(const char *data_dir,
               enum err (*what)(const char *dir, kv_rocksdb_say *say, void *arg), bool objects)
{
    char dir[PATH_BYTES];
    if (snprintf(dir, sizeof(dir), "%s/db", data_dir) >= (int)sizeof(dir)) {
        fprintf(stderr, "weir: the data folder's path is too long\n");
        return CHECK_IMPOSSIBLE;
    }
    (void)umask(077);
    enum err err = what(dir, say, NULL);
    if (!err && objects)
        err = check_objects(data_dir, dir);
    if (err)
        printf("%s\n", err == ERR_CORRUPT ? "damaged" : "not checked");
    else
        printf("whole\n");
    return !err ? CHECK_WHOLE : err == ERR_CORRUPT ? CHECK_DAMAGED : CHECK_IMPOSSIBLE;
}

int check(const char *data_dir, bool objects)
{
    return run(data_dir, kv_rocksdb_check, objects);
}

int repair(const char *data_dir)
{
    return run(data_dir, kv_rocksdb_repair, false);
}
