#include "main/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"

enum { BLOCK_BYTES = 1024 * 1024, ASK_EVERY = 8 };

static enum err fail(struct copier *c, const char *what, const char *path)
{
    snprintf(c->why, sizeof(c->why), "cannot %s %.3000s: %s", what, path, strerror(errno));
    return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

static enum err join(struct copier *c, const char *dir, const char *below, char out[COPY_PATH_MAX])
{
    if (snprintf(out, COPY_PATH_MAX, "%s%s%s", dir, *below ? "/" : "", below) < COPY_PATH_MAX)
        return ERR_OK;
    snprintf(c->why, sizeof(c->why), "a path is too long below %.3000s", dir);
    return ERR_LIMIT;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return S_ISREG(b->st_mode) && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* --- one file --------------------------------------------------------------------------------- */

static enum err move_bytes(struct copier *c, int in, int out, const char *to)
{
    if (ioctl(out, FICLONE, in) == 0)
        return ERR_OK;
    char *block = mem_alloc(BLOCK_BYTES);
    enum err err = block ? ERR_OK : ERR_NOMEM;
    for (size_t i = 1; !err; i++) {
        if (i % ASK_EVERY == 0 && c->goes_on && !c->goes_on(c->arg)) {
            err = ERR_CLOSED;
            break;
        }
        ssize_t n = sys.read(in, block, BLOCK_BYTES);
        if (n == 0)
            break;
        if (n < 0 || sys_write_all(out, block, (size_t)n) != ERR_OK)
            err = fail(c, "copy to", to);
    }
    mem_free(block);
    return err;
}

static enum err copy_bytes(struct copier *c, const char *from, const char *to,
                           const struct stat *st)
{
    int in = sys.open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (in < 0)
        return fail(c, "read", from);
    int out = sys.open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err err = out < 0 ? fail(c, "write", to) : move_bytes(c, in, out, to);
    const struct timespec times[2] = {st->st_atim, st->st_mtim};
    if (!err && (fchmod(out, st->st_mode & 07777) < 0 || futimens(out, times) < 0))
        err = fail(c, "write", to);
    sys.close(in);
    if (out >= 0 && sys.close(out) < 0 && !err)
        err = fail(c, "write", to);
    return err;
}

/* By a second name, of the earlier copy's file or of the file itself. */
static bool took_name(struct copier *c, const char *below, const char *from, const char *to,
                      const struct stat *st, enum copy_how how)
{
    char old[COPY_PATH_MAX];
    struct stat was;
    if (how != COPY_NAME)
        return false;
    if (link(from, to) == 0)
        return true;
    return c->old && join(c, c->old, below, old) == ERR_OK && lstat(old, &was) == 0 &&
           same_file(st, &was) && link(old, to) == 0;
}

enum err copy_file(struct copier *c, const char *below, enum copy_how how)
{
    char from[COPY_PATH_MAX], to[COPY_PATH_MAX];
    struct stat st;
    TRY(join(c, c->from, below, from));
    TRY(join(c, c->to, below, to));
    if (c->goes_on && !c->goes_on(c->arg))
        return ERR_CLOSED;
    if (lstat(from, &st) < 0)
        return fail(c, "read", from);
    if (!took_name(c, below, from, to, &st, how)) {
        TRY(copy_bytes(c, from, to, &st));
        c->new_files++;
        c->new_bytes += (uint64_t)st.st_size;
    }
    c->files++;
    c->bytes += (uint64_t)st.st_size;
    return ERR_OK;
}

/* --- folders ---------------------------------------------------------------------------------- */

struct walk {
    struct copier *c;
    enum copy_how how;
    bool (*skip)(const char *below);
    dev_t dev;
    int depth;
};

static enum err walk_folder(struct walk *w, const char *below);

static enum err copy_link(struct copier *c, const char *from, const char *to)
{
    char target[COPY_PATH_MAX];
    ssize_t n = readlink(from, target, sizeof(target) - 1);
    if (n < 0)
        return fail(c, "read", from);
    target[n] = '\0';
    return symlink(target, to) == 0 ? ERR_OK : fail(c, "write", to);
}

static enum err walk_entry(struct walk *w, const char *below)
{
    char from[COPY_PATH_MAX], to[COPY_PATH_MAX];
    struct stat st;
    if (w->skip && w->skip(below))
        return ERR_OK;
    TRY(join(w->c, w->c->from, below, from));
    TRY(join(w->c, w->c->to, below, to));
    if (lstat(from, &st) < 0)
        return errno == ENOENT ? ERR_OK : fail(w->c, "read", from);
    if (st.st_dev != w->dev)
        return ERR_OK;
    if (S_ISDIR(st.st_mode))
        return walk_folder(w, below);
    if (S_ISLNK(st.st_mode))
        return copy_link(w->c, from, to);
    enum err err = S_ISREG(st.st_mode) ? copy_file(w->c, below, w->how) : ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err; /* it went while the folder was read */
}

static enum err walk_entries(struct walk *w, DIR *d, const char *below)
{
    char path[COPY_PATH_MAX];
    errno = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (snprintf(path, sizeof(path), "%s%s%s", below, *below ? "/" : "", e->d_name) >=
            (int)sizeof(path))
            return ERR_LIMIT;
        TRY(walk_entry(w, path));
        errno = 0;
    }
    return errno ? fail(w->c, "read", *below ? below : w->c->from) : ERR_OK;
}

static enum err walk_folder(struct walk *w, const char *below)
{
    char from[COPY_PATH_MAX], to[COPY_PATH_MAX];
    struct stat st;
    TRY(join(w->c, w->c->from, below, from));
    TRY(join(w->c, w->c->to, below, to));
    if (w->depth == COPY_DEPTH_MAX)
        return ERR_LIMIT;
    if (sys.mkdir(to, 0700) < 0 && errno != EEXIST)
        return fail(w->c, "make", to);
    DIR *d = opendir(from);
    if (!d)
        return fail(w->c, "read", from);
    w->depth++;
    enum err err = walk_entries(w, d, below);
    w->depth--;
    if (!err && *below && (fstat(dirfd(d), &st) < 0 || chmod(to, st.st_mode & 07777) < 0))
        err = fail(w->c, "write", to);
    closedir(d);
    return err;
}

enum err copy_tree(struct copier *c, const char *below, enum copy_how how,
                   bool (*skip)(const char *below))
{
    char from[COPY_PATH_MAX];
    struct stat st;
    TRY(join(c, c->from, below, from));
    if (lstat(from, &st) < 0)
        return fail(c, "read", from);
    struct walk w = {.c = c, .how = how, .skip = skip, .dev = st.st_dev};
    return walk_folder(&w, below);
}

enum err copy_sync(struct copier *c)
{
    int fd = sys.open(c->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return fail(c, "sync", c->to);
    enum err err = syncfs(fd) == 0 ? ERR_OK : fail(c, "sync", c->to);
    sys.close(fd);
    return err;
}
