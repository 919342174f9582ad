/* weir backup, weir restore: see backup.h.
 *
 *   the server holds still (hold.h) --> tables and files copied to TO.new --> the copy's store is read and
 *   every file that it refers to copied --> synced --> weir-backup written --> TO.new becomes TO
 *
 * Nothing is read from a place that still changes: the store is the checkpoint, files of objects are
 * those that its records name, and what is left beside them is small and written by renaming. */
#include "main/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sys.h"
#include "cli/ask.h"
#include "kv/drv_rocksdb/kv_rocksdb.h"
#include "main/copy.h"
#include "main/hold.h"
#include "main/root_key.h"
#include "main/running.h"
#include "net/net.h"
#include "sandbox/sandbox.h"
#include "svc/s3/s3_scrub.h"

#define MARKER "weir-backup"

enum { BUSY_TRIES = 30, BUSY_PAUSE_MS = 100 };

struct backup {
    const char *data, *to;
    char partial[COPY_PATH_MAX];
    struct ask *ask; /* holds the server still; NULL: none runs, */
    int lock;        /* and while this file is locked none will; -1 */
    struct copier copier;
    uint64_t lost; /* files that the store refers to and that are not there */
};

static int complain(const char *fmt, const char *a)
{
    fprintf(stderr, "weir: ");
    fprintf(stderr, fmt, a); // NOLINT: every caller's is a literal
    fputc('\n', stderr);
    return 1;
}

static bool below_path(char out[COPY_PATH_MAX], const char *dir, const char *below)
{
    return snprintf(out, COPY_PATH_MAX, "%s%s", dir, below) < COPY_PATH_MAX;
}

static bool is_there(const char *dir, const char *below)
{
    char path[COPY_PATH_MAX];
    return below_path(path, dir, below) && access(path, F_OK) == 0;
}

/* --- the server ------------------------------------------------------------------------------- */

static enum err wait_ready(struct ask *ask)
{
    struct str line;
    for (;;) {
        enum err err = ask_line(ask, &line);
        if (err)
            return err;
        if (str_eq(line, STR("ready")))
            return ERR_OK;
        if (!str_eq(line, STR("."))) {
            fprintf(stderr, "weir: the server: " STR_FMT "\n", STR_ARG(line));
            return ERR_FAILED;
        }
    }
}

/* Keeps a server from being started: the lock is RocksDB's own. */
static enum err keep_out(struct backup *b)
{
    char path[COPY_PATH_MAX];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (!below_path(path, b->data, "/db/LOCK"))
        return ERR_LIMIT;
    b->lock = sys.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (b->lock >= 0 && fcntl(b->lock, F_SETLK, &lock) == 0)
        return ERR_OK;
    snprintf(b->copier.why, sizeof(b->copier.why), "%.3000s is in use: %s", path, strerror(errno));
    return ERR_IO;
}

/* Asks the server that runs to hold still. ERR_OK with b->ask NULL when there is none. */
static enum err hold_still(struct backup *b)
{
    struct running r;
    struct ask_at at;
    struct root_key key;
    int status = 0;
    enum err err = running_read(b->data, &r);
    if (err == ERR_NOT_FOUND)
        return keep_out(b);
    TRY(err);
    TRY(ask_at_parse(str_c(r.at), &at));
    TRY(root_key_load(b->data, false, &key));
    for (int i = 0; i < BUSY_TRIES; i++) {
        TRY(ask_open(&at, "POST", HOLD_PATH, key.backup_token, &b->ask));
        TRY(ask_head(b->ask, &status));
        if (status != 409)
            break;
        /* Perhaps one that just ended: the server sees within two beats that its client is gone. */
        ask_free(b->ask);
        b->ask = NULL;
        (void)poll(NULL, 0, BUSY_PAUSE_MS);
    }
    if (status == 200)
        return wait_ready(b->ask);
    fprintf(stderr, "weir: the server at %s answers %d%s\n", r.at, status,
            status == 409 ? ": another backup is under way" : "");
    return ERR_FAILED;
}

static bool server_holds(void *arg)
{
    return ask_is_open(((struct backup *)arg)->ask);
}

/* --- copying ---------------------------------------------------------------------------------- */

/* What has a place of its own in a backup, is another process's, or is made anew. */
static bool not_plain(const char *below)
{
    static const char *const names[] = {"db", "db.synced",   "running", HOLD_FOLDER,      "sandbox",
                                        "s3", "lambda/code", MARKER,    NET_GUESTS_SOCKET};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(below, names[i]) == 0)
            return true;
    return str_starts(str_c(below), STR("db.damaged-"));
}

static bool is_table(const char *below)
{
    return str_ends(str_c(below), STR(".sst"));
}

static bool not_table(const char *below)
{
    return strchr(below, '/') && !is_table(below);
}

static bool table_or_lock(const char *below)
{
    return is_table(below) || str_ends(str_c(below), STR("/LOCK"));
}

/* The store lies in the checkpoint, or, when nobody runs, in its own place. */
static enum err copy_store(struct backup *b, const char *old)
{
    char from[COPY_PATH_MAX];
    struct copier *c = &b->copier;
    if (!below_path(from, b->data, b->ask ? "/" HOLD_FOLDER : ""))
        return ERR_LIMIT;
    c->from = from;
    c->old = old;
    enum err err = copy_tree(c, "db", COPY_NAME, not_table);
    if (!err)
        err = copy_tree(c, "db", COPY_BYTES, table_or_lock);
    if (!err)
        err = copy_file(c, "db.synced", COPY_BYTES);
    c->from = b->data;
    return err;
}

static enum err copy_object(void *arg, const char *below, uint64_t bytes)
{
    struct backup *b = arg;
    uint64_t before = b->copier.bytes;
    enum err err = copy_file(&b->copier, below, COPY_NAME);
    if (err == ERR_NOT_FOUND || (!err && b->copier.bytes - before != bytes)) {
        fprintf(stderr, "weir: %s is %s\n", below, err ? "missing" : "of another length");
        b->lost++;
        return ERR_OK; /* the rest is worth having */
    }
    return err;
}

static enum err make_object_folders(const char *partial)
{
    static const char *const names[] = {"/s3", "/s3/objects", "/s3/staging"};
    char path[COPY_PATH_MAX];
    for (size_t i = 0; i < ARRAY_LEN(names) + 256; i++) {
        int n = i < ARRAY_LEN(names) ? snprintf(path, sizeof(path), "%s%s", partial, names[i])
                                     : snprintf(path, sizeof(path), "%s/s3/objects/%02zx", partial,
                                                i - ARRAY_LEN(names));
        if (n >= (int)sizeof(path) || sys.mkdir(path, 0700) < 0)
            return ERR_IO;
    }
    return ERR_OK;
}

/* The copy's store says which files there must be. */
static enum err copy_objects(struct backup *b)
{
    char dir[COPY_PATH_MAX], why[KV_ROCKSDB_WHY_MAX] = "";
    struct core core = {0};
    const struct kv_rocksdb_options options = {.read_only = true};
    if (!below_path(dir, b->partial, "/db"))
        return ERR_LIMIT;
    TRY(make_object_folders(b->partial));
    enum err err = kv_rocksdb_open(dir, &options, &core.kv, why, sizeof(why));
    if (err) {
        snprintf(b->copier.why, sizeof(b->copier.why), "%s", why);
        return err;
    }
    err = s3_files_each(&core, copy_object, b);
    kv_close(core.kv);
    return err;
}

static enum err copy_all(struct backup *b, const char *old)
{
    struct copier *c = &b->copier;
    c->old = old;
    TRY(copy_tree(c, "", COPY_BYTES, not_plain));
    if (is_there(b->data, "/lambda/code"))
        TRY(copy_tree(c, "lambda/code", COPY_NAME, NULL));
    TRY(copy_store(b, old));
    c->old = old;
    return copy_objects(b);
}

/* --- the copy --------------------------------------------------------------------------------- */

static void say(void *arg, const char *line)
{
    if (arg)
        printf("%s\n", line);
}

static enum err check_store(const char *dir, bool aloud)
{
    char db[COPY_PATH_MAX];
    int told = 0;
    return below_path(db, dir, "/db") ? kv_rocksdb_check(db, say, aloud ? &told : NULL) : ERR_LIMIT;
}

static enum err write_marker(const struct backup *b)
{
    char text[512], time[CLOCK_TEXT_MAX];
    struct str now = clock_basic(time, clock_wall_ms());
    int n = snprintf(text, sizeof(text),
                     "weir=%s\ntime=" STR_FMT "\nfiles=%" PRIu64 "\nbytes=%" PRIu64 "\n",
                     WEIR_VERSION, STR_ARG(now), b->copier.files, b->copier.bytes);
    return sys_replace_file(b->partial, MARKER, text, (size_t)n, 0600, true);
}

static enum err sync_parent(const char *path)
{
    char parent[COPY_PATH_MAX];
    snprintf(parent, sizeof(parent), "%s/..", path);
    return sys_sync_dir(parent);
}

/* In one step where the file system can: whoever looks finds the old backup or the new one. */
static enum err put_in_place(struct backup *b, bool replaces)
{
    if (!replaces)
        return sys.rename(b->partial, b->to) == 0 ? sync_parent(b->to) : ERR_IO;
    if (renameat2(AT_FDCWD, b->partial, AT_FDCWD, b->to, RENAME_EXCHANGE) == 0) {
        TRY(sync_parent(b->to));
        return sandbox_remove_tree(b->partial);
    }
    char old[COPY_PATH_MAX];
    if (!below_path(old, b->to, ".old"))
        return ERR_LIMIT;
    TRY(sandbox_remove_tree(old));
    if (sys.rename(b->to, old) < 0 || sys.rename(b->partial, b->to) < 0)
        return ERR_IO;
    TRY(sync_parent(b->to));
    return sandbox_remove_tree(old);
}

static int explain(const struct backup *b, enum err err)
{
    if (err == ERR_CLOSED || (b->ask && !ask_is_open(b->ask)))
        complain("%s: the server stopped meanwhile; nothing was changed", b->to);
    else if (err != ERR_FAILED)
        complain("%s", b->copier.why[0] ? b->copier.why
                       : err == ERR_IO  ? strerror(errno)
                                        : err_name(err));
    return 1;
}

static enum err make_backup(struct backup *b, bool replaces)
{
    TRY(sandbox_remove_tree(b->partial));
    b->copier = (struct copier){.from = b->data, .to = b->partial, .arg = b};
    TRY(hold_still(b));
    if (b->ask)
        b->copier.goes_on = server_holds;
    TRY(copy_all(b, replaces ? b->to : NULL));
    if (b->ask && !ask_is_open(b->ask))
        return ERR_CLOSED;
    ask_free(b->ask); /* the rest needs the copy alone */
    b->ask = NULL;
    TRY(check_store(b->partial, false));
    TRY(copy_sync(&b->copier));
    TRY(write_marker(b));
    return put_in_place(b, replaces);
}

int backup(const char *data_dir, const char *to)
{
    struct backup b = {.data = data_dir, .to = to, .lock = -1};
    (void)umask(077);
    if (!is_there(data_dir, "/db/CURRENT"))
        return complain("there is no store in %s", data_dir);
    bool exists = is_there(to, ""), replaces = is_there(to, "/" MARKER);
    if (exists && !replaces)
        return complain("%s is there and no backup", to);
    if (!below_path(b.partial, to, ".new"))
        return complain("the path %s is too long", to);
    enum err err = make_backup(&b, replaces);
    int code = err ? explain(&b, err) : 0;
    ask_free(b.ask);
    if (b.lock >= 0)
        sys.close(b.lock);
    if (err) {
        (void)!sandbox_remove_tree(b.partial);
        return code;
    }
    printf("%s: %" PRIu64 " files, %" PRIu64 " bytes, of which %" PRIu64 " files, %" PRIu64
           " bytes were copied\n",
           to, b.copier.files, b.copier.bytes, b.copier.new_files, b.copier.new_bytes);
    if (b.lost) {
        fprintf(stderr,
                "weir: %" PRIu64
                " files of objects are missing or cut: the data folder is damaged\n",
                b.lost);
        return 1;
    }
    return 0;
}

/* --- restore ---------------------------------------------------------------------------------- */

static bool is_marker(const char *below)
{
    return strcmp(below, MARKER) == 0 || strcmp(below, "db/LOCK") == 0;
}

int restore(const char *from, const char *data_dir)
{
    char partial[COPY_PATH_MAX];
    (void)umask(077);
    if (!is_there(from, "/" MARKER))
        return complain("%s is no whole backup: it has no file " MARKER, from);
    if (is_there(data_dir, "") && rmdir(data_dir) < 0)
        return complain("%s is there and not empty: a backup is restored to a new folder",
                        data_dir);
    if (!below_path(partial, data_dir, ".new"))
        return complain("the path %s is too long", data_dir);
    struct copier c = {.from = from, .to = partial};
    enum err err = sandbox_remove_tree(partial);
    if (!err)
        err = copy_tree(&c, "", COPY_BYTES, is_marker);
    if (!err)
        err = check_store(partial, true);
    if (!err)
        err = copy_sync(&c);
    if (!err && sys.rename(partial, data_dir) < 0)
        err = ERR_IO;
    if (!err)
        err = sync_parent(data_dir);
    if (err) {
        complain("%s", c.why[0] ? c.why : err == ERR_IO ? strerror(errno) : err_name(err));
        (void)!sandbox_remove_tree(partial);
        return 1;
    }
    printf("%s: %" PRIu64 " files, %" PRIu64 " bytes\n", data_dir, c.files, c.bytes);
    return 0;
}
