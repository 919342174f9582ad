/* Check and repair of a closed store: what `weir check` and `weir repair` do. Layer: kv. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sys.h"
#include "kv/drv_rocksdb/judge.h"
#include "kv/drv_rocksdb/rocksdb_int.h"

enum { LINE_MAX_BYTES = 1024, COPY_BYTES = 64 * 1024 };

struct teller {
    kv_rocksdb_say *say;
    void *arg;
    char last[LINE_MAX_BYTES]; /* a table is met in several ranges: said once */
};

static void tell(struct teller *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void tell(struct teller *t, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (strcmp(line, t->last) == 0)
        return;
    memcpy(t->last, line, sizeof(line));
    t->say(t->arg, line);
}

/* --- check ------------------------------------------------------------------------------------- */

/* Reads the entries between two keys. ERR_CORRUPT was told. */
static enum err read_range(struct teller *t, rocksdb_t *db, struct str from, struct str to,
                           uint64_t *count)
{
    rocksdb_readoptions_t *o = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(o, 0);
    rocksdb_readoptions_set_verify_checksums(o, 1);
    rocksdb_iterator_t *it = rocksdb_create_iterator(db, o);
    rocksdb_iter_seek(it, from.p, from.len);
    for (; rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
        struct str key;
        key.p = rocksdb_iter_key(it, &key.len);
        if (str_is_set(to) && str_cmp(key, to) > 0)
            break;
        ++*count;
    }
    char *message = NULL;
    rocksdb_iter_get_error(it, &message);
    rocksdb_iter_destroy(it);
    rocksdb_readoptions_destroy(o);
    if (message)
        tell(t, "a table cannot be read: %s", message);
    return message ? (rocksdb_free(message), ERR_CORRUPT) : ERR_OK;
}

/* Reads every table by its own range, so that one that is damaged does not hide the next. */
static enum err read_tables(struct teller *t, rocksdb_t *db)
{
    const rocksdb_livefiles_t *files = rocksdb_livefiles(db);
    int n = rocksdb_livefiles_count(files);
    enum err err = ERR_OK;
    uint64_t count = 0, again = 0;
    for (int i = 0; i < n; i++) {
        struct str from, to;
        from.p = rocksdb_livefiles_smallestkey(files, i, &from.len);
        to.p = rocksdb_livefiles_largestkey(files, i, &to.len);
        if (read_range(t, db, from, to, &again) != ERR_OK)
            err = ERR_CORRUPT;
    }
    rocksdb_livefiles_destroy(files);
    if (!err)
        err = read_range(t, db, STR(""), STR_NONE, &count);
    if (!err)
        tell(t, "%d tables and the logs hold %" PRIu64 " entries, all of which can be read", n,
             count);
    return err;
}

static enum err read_all(struct teller *t, const char *dir)
{
    char *message = NULL;
    rocksdb_options_t *o = rdb_base_options(false);
    rocksdb_t *db = rocksdb_open_for_read_only(o, dir, 0, &message);
    enum err err = ERR_CORRUPT;
    if (message) {
        tell(t, "the store does not open: %s", message);
        rocksdb_free(message);
    } else {
        err = read_tables(t, db);
        rocksdb_close(db);
    }
    rocksdb_options_destroy(o);
    return err;
}

/* What the logs hold, and the verdict, in words. */
static enum err tell_logs(struct teller *t, const struct judge *j)
{
    char why[JUDGE_WHY_MAX];
    enum err err = judge_verdict(j, why);
    if (err == ERR_NOT_FOUND) {
        tell(t, "there is no store in %s", j->dir);
        return err;
    }
    if (!j->mark_err)
        tell(t, "%zu logs; writes are there up to %" PRIu64 ", and were synced up to %" PRIu64,
             j->n_logs, j->seq, j->mark);
    if (err)
        tell(t, "%s", why);
    else if (j->bad_log)
        tell(t,
             "%06" PRIu64 ".log has a torn end at byte %" PRIu64
             ", behind all that was synced: as after a crash, nothing acknowledged is missing",
             j->bad_log, j->bad_at);
    if (err && j->bad_log)
        tell(t, "behind the damage %" PRIu64 " writes can still be read", j->behind);
    return err;
}

static enum err look(struct teller *t, struct judge *j, const char *dir)
{
    if (rdb_in_use(dir)) {
        tell(t, "%s is in use by a running weir: stop it first", dir);
        return ERR_EXISTS;
    }
    enum err err = judge_look(j, dir);
    if (err)
        tell(t, "cannot read %s: %s", dir, err == ERR_IO ? strerror(errno) : err_name(err));
    return err;
}

enum err kv_rocksdb_check(const char *dir, kv_rocksdb_say *say, void *arg)
{
    struct teller t = {.say = say, .arg = arg};
    struct judge *j = mem_alloc(sizeof(*j));
    if (!j)
        return ERR_NOMEM;
    enum err err = look(&t, j, dir);
    if (!err)
        err = tell_logs(&t, j);
    if ((!err || err == ERR_CORRUPT) && j->current) {
        enum err tables = read_all(&t, dir);
        err = err ? err : tables;
    }
    mem_free(j);
    return err;
}

/* --- repair ------------------------------------------------------------------------------------ */

static enum err copy_file(const char *from, const char *to)
{
    int in = sys.open(from, O_RDONLY, 0), out = -1;
    char *block = mem_alloc(COPY_BYTES);
    enum err err = in >= 0 && block ? ERR_OK : ERR_IO;
    if (!err && (out = sys.open(to, O_WRONLY | O_CREAT | O_EXCL, 0600)) < 0)
        err = ERR_IO;
    for (ssize_t n = 1; !err && n > 0;) {
        n = sys.read(in, block, COPY_BYTES);
        err = n < 0 ? ERR_IO : sys_write_all(out, block, (size_t)n);
    }
    if (!err && sys.fsync(out) < 0)
        err = ERR_IO;
    if (in >= 0)
        sys.close(in);
    if (out >= 0)
        sys.close(out);
    mem_free(block);
    return err;
}

/* Tables are never written again, so a second name keeps them; everything else is copied. */
static enum err keep_file(const char *from, const char *to)
{
    if (str_ends(str_c(from), STR(".sst")) && link(from, to) == 0)
        return ERR_OK;
    return copy_file(from, to);
}

static enum err join(const char *dir, const char *name, char out[JUDGE_PATH_MAX])
{
    return snprintf(out, JUDGE_PATH_MAX, "%s/%s", dir, name) < JUDGE_PATH_MAX ? ERR_OK : ERR_LIMIT;
}

static enum err keep_all(const struct judge *j, const char *kept)
{
    char from[JUDGE_PATH_MAX], to[JUDGE_PATH_MAX];
    if (sys.mkdir(kept, 0700) < 0)
        return ERR_IO;
    DIR *d = opendir(j->dir);
    if (!d)
        return ERR_IO;
    enum err err = ERR_OK;
    for (struct dirent *e; !err && (e = readdir(d));) {
        struct stat st;
        err = join(j->dir, e->d_name, from);
        if (!err)
            err = join(kept, e->d_name, to);
        if (!err && lstat(from, &st) == 0 && S_ISREG(st.st_mode))
            err = keep_file(from, to);
    }
    closedir(d);
    if (!err && !j->mark_err && !(err = join(kept, "synced", to)))
        err = copy_file(j->mark_path, to);
    return err ? err : sys_sync_dir(kept);
}

/* Takes the damage, and the logs behind it, out of the way: what is before it is one state (K5). */
static enum err cut_logs(struct teller *t, const struct judge *j)
{
    for (size_t i = 0; i < j->n_logs; i++) {
        char name[32], path[JUDGE_PATH_MAX];
        snprintf(name, sizeof(name), "%06" PRIu64 ".log", j->logs[i]);
        TRY(join(j->dir, name, path));
        int r = 0;
        if (j->logs[i] == j->bad_log && !j->hole)
            r = truncate(path, (off_t)j->bad_at);
        else if (j->logs[i] >= j->bad_log)
            r = sys.unlink(path);
        if (r < 0)
            return ERR_IO;
    }
    tell(t, "writes from %" PRIu64 " on are given up; %" PRIu64 " of them could still be read",
         j->seq + 1, j->behind);
    return ERR_OK;
}

/* Opens for writing and closes, so that the logs are in tables; gives the newest write. */
static enum err settle(struct teller *t, const char *dir, uint64_t *ret_seq)
{
    char *message = NULL;
    rocksdb_options_t *o = rdb_base_options(false);
    rocksdb_t *db = rocksdb_open(o, dir, &message);
    rocksdb_options_destroy(o);
    if (message) {
        tell(t, "the store does not open: %s", message);
        rocksdb_free(message);
        return ERR_CORRUPT;
    }
    *ret_seq = rocksdb_get_latest_sequence_number(db);
    rocksdb_close(db);
    return ERR_OK;
}

/* RocksDB's own repair: the manifest is made anew from the tables that can be read whole; the others
 * go to <dir>/lost. */
static enum err rebuild(struct teller *t, const char *dir)
{
    char *message = NULL;
    rocksdb_options_t *o = rdb_base_options(false);
    rocksdb_repair_db(o, dir, &message);
    rocksdb_options_destroy(o);
    if (message) {
        tell(t, "the tables cannot be put together again: %s", message);
        rocksdb_free(message);
        return ERR_CORRUPT;
    }
    tell(t,
         "the list of tables was made anew: what stood only in tables that cannot be read is lost, "
         "and what they had deleted may be there again");
    return ERR_OK;
}

static enum err mend(struct teller *t, const struct judge *j)
{
    uint64_t seq = 0;
    if (j->bad_log)
        TRY(cut_logs(t, j));
    if (!j->current || read_all(t, j->dir) != ERR_OK) {
        TRY(rebuild(t, j->dir));
        TRY(read_all(t, j->dir));
    }
    TRY(settle(t, j->dir, &seq));
    clock_not_before(j->now_ms);
    TRY(mark_make(j->mark_path, seq));
    tell(t, "the store opens again and holds the writes up to %" PRIu64, seq);
    return ERR_OK;
}

enum err kv_rocksdb_repair(const char *dir, kv_rocksdb_say *say, void *arg)
{
    struct teller t = {.say = say, .arg = arg};
    char kept[JUDGE_PATH_MAX], time[CLOCK_TEXT_MAX];
    struct str now = clock_basic(time, clock_wall_ms());
    if (snprintf(kept, sizeof(kept), "%s.damaged-" STR_FMT, dir, STR_ARG(now)) >= (int)sizeof(kept))
        return ERR_LIMIT;
    struct judge *j = mem_alloc(sizeof(*j));
    if (!j)
        return ERR_NOMEM;
    enum err err = look(&t, j, dir);
    if (!err)
        err = tell_logs(&t, j);
    if (!err)
        err = read_all(&t, dir);
    if (err == ERR_CORRUPT && j->any_files) {
        err = keep_all(j, kept);
        tell(&t,
             err ? "cannot keep a copy of the old files in %s: %s"
                 : "the old files are kept in %s%s",
             kept, err ? strerror(errno) : "");
        if (!err)
            err = mend(&t, j);
    }
    mem_free(j);
    return err;
}
