#include "kv/drv_rocksdb/judge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sys.h"
#include "kv/drv_rocksdb/mark.h"
#include "kv/drv_rocksdb/rlog.h"

enum { NAME_MAX_BYTES = 256 };

static enum err path_of(const struct judge *j, const char *name, char out[JUDGE_PATH_MAX])
{
    return snprintf(out, JUDGE_PATH_MAX, "%s/%s", j->dir, name) < JUDGE_PATH_MAX ? ERR_OK
                                                                                 : ERR_LIMIT;
}

static enum err log_path(const struct judge *j, uint64_t number, char out[JUDGE_PATH_MAX])
{
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof(name), "%06" PRIu64 ".log", number);
    return path_of(j, name, out);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static enum err list(struct judge *j)
{
    DIR *d = opendir(j->dir);
    if (!d)
        return errno == ENOENT ? ERR_OK : ERR_IO;
    enum err err = ERR_OK;
    for (struct dirent *e; !err && (e = readdir(d));) {
        struct str name = str_c(e->d_name);
        uint64_t number;
        bool is_log = str_ends(name, STR(".log")) &&
                      str_to_u64(str_sub(name, 0, name.len - 4), &number) == ERR_OK;
        j->current |= str_eq(name, STR("CURRENT"));
        j->any_data |= is_log || str_ends(name, STR(".sst"));
        j->any_files |= j->any_data || str_starts(name, STR("MANIFEST-"));
        if (is_log && j->n_logs == JUDGE_LOGS_MAX)
            err = ERR_LIMIT;
        else if (is_log)
            j->logs[j->n_logs++] = number;
    }
    closedir(d);
    qsort(j->logs, j->n_logs, sizeof(j->logs[0]), compare);
    return err;
}

/* Which manifest CURRENT names. ERR_CORRUPT: none; RocksDB says it better. */
static enum err manifest_path(const struct judge *j, char out[JUDGE_PATH_MAX])
{
    char text[NAME_MAX_BYTES];
    TRY(path_of(j, "CURRENT", out));
    int fd = sys.open(out, O_RDONLY, 0);
    if (fd < 0)
        return ERR_IO;
    ssize_t n = sys.read(fd, text, sizeof(text) - 1);
    sys.close(fd);
    if (n < 0)
        return ERR_IO;
    struct str name = str_trim(str_n(text, (size_t)n));
    if (!str_starts(name, STR("MANIFEST-")) || str_find(name, '/') != SIZE_MAX ||
        memchr(name.p, 0, name.len))
        return ERR_CORRUPT;
    text[name.p + name.len - text] = '\0';
    return path_of(j, name.p, out);
}

static enum err read_manifest(struct judge *j, struct rlog *r)
{
    char path[JUDGE_PATH_MAX];
    uint8_t head[RLOG_HEAD_BYTES];
    size_t len;
    uint64_t at, log, seq;
    enum err err = manifest_path(j, path);
    if (err == ERR_OK)
        err = rlog_open(r, path);
    if (err)
        return ERR_OK; /* the open that follows says what is wrong with it */
    while ((err = rlog_next(r, head, &len, &at)) == ERR_OK) {
        rlog_edit(head, len, &log, &seq);
        j->oldest_log = log > j->oldest_log ? log : j->oldest_log;
        j->table_seq = seq > j->table_seq ? seq : j->table_seq;
    }
    rlog_close(r);
    return err == ERR_IO ? ERR_IO : ERR_OK;
}

/* Counts what can be read from here to the end of the file. */
static void count_behind(struct judge *j, struct rlog *r, bool damaged)
{
    uint8_t head[RLOG_HEAD_BYTES];
    size_t len;
    uint64_t at, seq;
    uint32_t n;
    if (damaged && !rlog_skip_block(r))
        return;
    for (;;) {
        enum err err = rlog_next(r, head, &len, &at);
        if (err == ERR_OK && rlog_batch(head, len, &seq, &n) == ERR_OK && seq >= j->next_seq)
            j->behind += n;
        else if (err == ERR_CORRUPT && !rlog_skip_block(r))
            return;
        else if (err == ERR_NOT_FOUND || err == ERR_IO)
            return;
    }
}

static void found_damage(struct judge *j, uint64_t number, uint64_t at, bool hole)
{
    j->bad_log = number;
    j->bad_at = at;
    j->hole = hole;
}

static enum err read_log(struct judge *j, struct rlog *r, uint64_t number)
{
    char path[JUDGE_PATH_MAX];
    uint8_t head[RLOG_HEAD_BYTES];
    size_t len;
    uint64_t at, seq;
    uint32_t n = 0;
    enum err err = ERR_OK;
    TRY(log_path(j, number, path));
    TRY(rlog_open(r, path));
    while (!j->bad_log && (err = rlog_next(r, head, &len, &at)) == ERR_OK) {
        err = rlog_batch(head, len, &seq, &n);
        if (err || seq > j->next_seq)
            found_damage(j, number, at, err == ERR_OK);
        else if (seq + n > j->next_seq)
            j->next_seq = seq + n;
    }
    if (j->bad_log) {
        j->behind += j->hole && j->bad_log == number ? n : 0;
        count_behind(j, r, false);
        err = ERR_OK;
    } else if (err == ERR_CORRUPT) {
        found_damage(j, number, at, false);
        count_behind(j, r, true);
    }
    rlog_close(r);
    return err == ERR_IO ? ERR_IO : ERR_OK;
}

static enum err read_logs(struct judge *j, struct rlog *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < j->n_logs; i++)
        if (j->logs[i] >= j->oldest_log)
            j->logs[kept++] = j->logs[i];
    j->n_logs = kept;
    j->next_seq = j->table_seq + 1;
    for (size_t i = 0; i < j->n_logs; i++)
        TRY(read_log(j, r, j->logs[i]));
    j->seq = j->next_seq - 1;
    return ERR_OK;
}

enum err judge_look(struct judge *j, const char *dir)
{
    *j = (struct judge){0};
    if (snprintf(j->dir, sizeof(j->dir), "%s", dir) >= (int)sizeof(j->dir) ||
        snprintf(j->mark_path, sizeof(j->mark_path), "%s.synced", dir) >= (int)sizeof(j->mark_path))
        return ERR_LIMIT;
    TRY(list(j));
    j->mark_err = mark_read(j->mark_path, &j->mark, &j->now_ms);
    if (j->mark_err == ERR_IO)
        return ERR_IO;
    if (!j->current)
        return ERR_OK;
    struct rlog *r = mem_alloc(sizeof(*r));
    if (!r)
        return ERR_NOMEM;
    enum err err = read_manifest(j, r);
    if (!err)
        err = read_logs(j, r);
    mem_free(r);
    return err;
}

static void say_damage(const struct judge *j, char *why, size_t size)
{
    if (j->bad_log && j->hole)
        snprintf(why, size, "a log before %06" PRIu64 ".log is missing", j->bad_log);
    else if (j->bad_log)
        snprintf(why, size, "%06" PRIu64 ".log is damaged at byte %" PRIu64, j->bad_log, j->bad_at);
    else
        snprintf(why, size, "a log or the end of one is missing");
}

/* No store yet, or what a first start that broke off left of one: a mark that was not written whole,
 * a manifest that CURRENT does not name yet, which RocksDB makes anew. */
static bool is_new(const struct judge *j)
{
    if (j->current || j->any_data)
        return false;
    return j->any_files ? !j->mark_err && j->mark == 0 : j->mark_err || j->mark == 0;
}

enum err judge_verdict(const struct judge *j, char *why)
{
    char what[128];
    const char *help = "weir check says more; weir repair, or a backup, brings it back";
    if (is_new(j))
        return ERR_NOT_FOUND;
    why[0] = '\0';
    if (!j->current)
        snprintf(why, JUDGE_WHY_MAX, "the store in %.200s has lost its files%s: %s", j->dir,
                 j->any_files ? " (CURRENT is missing)" : "", help);
    else if (j->mark_err)
        snprintf(why, JUDGE_WHY_MAX,
                 "%.200s, which says how far the store was synced, is %s, so that a loss could not "
                 "be noticed: weir repair makes it anew",
                 j->mark_path, j->mark_err == ERR_NOT_FOUND ? "missing" : "damaged");
    else if (j->seq < j->mark) {
        say_damage(j, what, sizeof(what));
        snprintf(why, JUDGE_WHY_MAX,
                 "the store in %.200s lacks acknowledged writes %" PRIu64 " to %" PRIu64 ": %s; %s",
                 j->dir, j->seq + 1, j->mark, what, help);
    }
    return why[0] ? ERR_CORRUPT : ERR_OK;
}
