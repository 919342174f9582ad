/* Unpacking function packages: see sandbox_unpack_zip in sandbox.h.
 *
 * Every name is checked as text (relative, no "..", no empty part), and every folder on the way is
 * opened without following links, so that not even a link that the same archive made can lead out.
 * Links are made last, after all files, and only when their target stays inside as text.
 *
 * Layer: sandbox. Thread: any (a worker). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "base/mem.h"
#include "base/sys.h"
#include "sandbox/sandbox.h"

enum {
    UNPACK_BYTES_MAX = 250 * 1024 * 1024, /* Lambda's limit of an unpacked package */
    UNPACK_FILES_MAX = 65536,
    UNPACK_NAME_MAX = 1024,
    UNPACK_DEPTH_MAX = 64,
    UNPACK_PIECE = 64 * 1024,
    LINK_MAX_BYTES = 1023,
    MODE_SHIFT = 16, /* external attributes of Unix: the mode is the upper half */
};

struct unpacking {
    zip_t *zip;
    int dir_fd;
    uint64_t bytes_left;
    struct sandbox_unpacked *ret;
    char piece[UNPACK_PIECE];
};

static enum err refuse(struct unpacking *u, enum err err, const char *what, const char *name)
{
    (void)snprintf(u->ret->why, sizeof u->ret->why, "%s%s%.200s", what, name ? ": " : "",
                   name ? name : "");
    return err;
}

/* "a/b/c" without anything that climbs or starts elsewhere. */
static bool safe_name(const char *name)
{
    size_t len = strlen(name);
    int depth = 0;
    if (len == 0 || len > UNPACK_NAME_MAX || name[0] == '/' || strchr(name, '\\'))
        return false;
    for (const char *p = name; *p; depth++) {
        size_t n = strcspn(p, "/");
        if (n == 0 || n > NAME_MAX || (n == 2 && memcmp(p, "..", 2) == 0))
            return false;
        p += n;
        if (*p == '/')
            p++;
    }
    return depth <= UNPACK_DEPTH_MAX;
}

/* Whether a link at `name` to `target` points inside: it may climb no higher than the top. */
static bool safe_link(const char *name, const char *target)
{
    int depth = 0;
    if (target[0] == 0 || target[0] == '/')
        return false;
    for (const char *p = strchr(name, '/'); p; p = strchr(p + 1, '/'))
        depth++;
    for (const char *p = target; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 2 && memcmp(p, "..", 2) == 0) {
            if (--depth < 0)
                return false;
        } else if (n > 0 && !(n == 1 && *p == '.')) {
            /* A name may be a link itself, whose ".." climbs from elsewhere; so after going down
             * nothing may climb again. */
            depth = INT_MIN / 2;
            p += n;
            p += *p == '/';
            if (strstr(p, ".."))
                return false;
            return true;
        }
        p += n;
        if (*p == '/')
            p++;
    }
    return true;
}

/* As mkdirat. The umask must not keep the function's own user from reading its code. */
static int make_folder(int parent, const char *name)
{
    int r = mkdirat(parent, name, 0755);
    return r == 0 ? fchmodat(parent, name, 0755, 0) : r;
}

/* Opens the folder that `name`'s last part is in, making what is missing. *ret_last points into
 * `name`. Links are not followed. -1 with errno. */
static int open_parent(int dir_fd, const char *name, const char **ret_last)
{
    int fd = dup(dir_fd);
    char part[NAME_MAX + 1];
    for (const char *slash; fd >= 0 && (slash = strchr(name, '/')) && slash[1]; name = slash + 1) {
        size_t n = (size_t)(slash - name);
        memcpy(part, name, n);
        part[n] = 0;
        if (make_folder(fd, part) != 0 && errno != EEXIST) {
            close(fd);
            return -1;
        }
        int next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int saved = errno;
        close(fd);
        errno = saved;
        fd = next;
    }
    *ret_last = name;
    return fd;
}

static enum err copy_out(struct unpacking *u, zip_file_t *in, int fd, const char *name)
{
    for (;;) {
        zip_int64_t n = zip_fread(in, u->piece, sizeof u->piece);
        if (n < 0)
            return refuse(u, ERR_INVALID, "a file in the archive is damaged", name);
        if (n == 0)
            return ERR_OK;
        /* What is counted is what comes out, not what the archive says of itself. */
        if ((uint64_t)n > u->bytes_left)
            return refuse(u, ERR_LIMIT, "the unpacked package is too large", NULL);
        u->bytes_left -= (uint64_t)n;
        if (sys_write_all(fd, u->piece, (size_t)n) != ERR_OK)
            return refuse(u, ERR_IO, "the package could not be written", name);
    }
}

static enum err unpack_file(struct unpacking *u, zip_uint64_t index, const char *name, bool exec)
{
    const char *last;
    enum err err;
    zip_file_t *in = zip_fopen_index(u->zip, index, 0);
    if (!in)
        return refuse(u, ERR_INVALID, "a file in the archive cannot be read (encrypted?)", name);
    int parent = open_parent(u->dir_fd, name, &last), fd = -1;
    if (parent >= 0)
        fd = openat(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    exec ? 0755 : 0644);
    if (fd < 0)
        err =
            refuse(u, errno == EEXIST || errno == ENOTDIR || errno == ELOOP ? ERR_INVALID : ERR_IO,
                   "a file of the package cannot be made", name);
    else
        err = copy_out(u, in, fd, name);
    /* The umask must not keep the function's own user from reading its code. */
    if (fd >= 0 && fchmod(fd, exec ? 0755 : 0644) != 0 && err == ERR_OK)
        err = refuse(u, ERR_IO, "a file of the package cannot be made", name);
    if (fd >= 0)
        close(fd);
    if (parent >= 0)
        close(parent);
    (void)zip_fclose(in);
    return err;
}

static enum err unpack_folder(struct unpacking *u, const char *name)
{
    const char *last;
    char part[NAME_MAX + 2];
    int parent = open_parent(u->dir_fd, name, &last);
    (void)snprintf(part, sizeof part, "%s", parent >= 0 ? last : "");
    part[strcspn(part, "/")] = 0;
    bool ok = parent >= 0 && (make_folder(parent, part) == 0 || errno == EEXIST);
    if (parent >= 0)
        close(parent);
    return ok ? ERR_OK : refuse(u, ERR_INVALID, "a folder of the package cannot be made", name);
}

static enum err unpack_link(struct unpacking *u, zip_uint64_t index, const char *name)
{
    char target[LINK_MAX_BYTES + 1];
    const char *last;
    zip_file_t *in = zip_fopen_index(u->zip, index, 0);
    zip_int64_t n = in ? zip_fread(in, target, sizeof target) : -1;
    if (in)
        (void)zip_fclose(in);
    if (n <= 0 || n > LINK_MAX_BYTES)
        return refuse(u, ERR_INVALID, "a link in the archive cannot be read", name);
    target[n] = 0;
    if (strlen(target) != (size_t)n || !safe_link(name, target))
        return refuse(u, ERR_INVALID, "a link in the archive leads outside of it", name);
    int parent = open_parent(u->dir_fd, name, &last);
    bool ok = parent >= 0 && symlinkat(target, parent, last) == 0;
    if (parent >= 0)
        close(parent);
    return ok ? ERR_OK : refuse(u, ERR_INVALID, "a link of the package cannot be made", name);
}

/* Pass 0 makes folders and files, pass 1 links. */
static enum err unpack_entry(struct unpacking *u, zip_uint64_t index, int pass)
{
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    const char *name = zip_get_name(u->zip, index, ZIP_FL_ENC_GUESS);
    if (!name)
        return refuse(u, ERR_INVALID, "an entry of the archive has no name", NULL);
    if (!safe_name(name))
        return refuse(u, ERR_INVALID, "a path in the archive is not inside it", name);
    mode_t mode = 0;
    if (zip_file_get_external_attributes(u->zip, index, 0, &system, &attributes) == 0 &&
        system == ZIP_OPSYS_UNIX)
        mode = (mode_t)(attributes >> MODE_SHIFT);
    bool folder = name[strlen(name) - 1] == '/';
    bool link = !folder && S_ISLNK(mode);
    if (link)
        return pass == 1 ? unpack_link(u, index, name) : ERR_OK;
    if (pass == 1)
        return ERR_OK;
    if (folder)
        return unpack_folder(u, name);
    if ((mode & S_IFMT) != 0 && !S_ISREG(mode))
        return refuse(u, ERR_INVALID, "the archive holds a special file", name);
    return unpack_file(u, index, name, mode & 0111);
}

static enum err unpack_all(struct unpacking *u, const struct sandbox_unpack_limits *limits)
{
    zip_int64_t n = zip_get_num_entries(u->zip, 0);
    uint64_t files_max = limits && limits->files_max ? limits->files_max : UNPACK_FILES_MAX;
    uint64_t bytes_max = limits && limits->bytes_max ? limits->bytes_max : UNPACK_BYTES_MAX;
    u->bytes_left = bytes_max;
    if (n == 0)
        return refuse(u, ERR_INVALID, "Uploaded file must be a non-empty zip", NULL);
    if (n < 0 || (uint64_t)n > files_max)
        return refuse(u, ERR_LIMIT, "the archive holds too many files", NULL);
    for (int pass = 0; pass < 2; pass++)
        for (zip_int64_t i = 0; i < n; i++)
            TRY(unpack_entry(u, (zip_uint64_t)i, pass));
    u->ret->bytes = bytes_max - u->bytes_left;
    return ERR_OK;
}

enum err sandbox_unpack_zip(struct str zip, const char *dir,
                            const struct sandbox_unpack_limits *limits,
                            struct sandbox_unpacked *ret)
{
    zip_error_t error;
    enum err err = ERR_NOMEM;
    struct unpacking *u = mem_calloc(1, sizeof *u);
    if (!u)
        return ERR_NOMEM;
    u->ret = ret;
    u->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(zip.p, zip.len, 0, &error);
    if (u->dir_fd < 0) {
        err = refuse(u, ERR_IO, "the folder for the package cannot be opened", NULL);
    } else if (source) {
        u->zip = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
        err = u->zip ? unpack_all(u, limits)
                     : refuse(u, ERR_INVALID, "Could not unzip uploaded file", NULL);
    }
    if (u->zip)
        zip_discard(u->zip);
    else if (source)
        zip_source_free(source);
    zip_error_fini(&error);
    if (u->dir_fd >= 0)
        close(u->dir_fd);
    mem_free(u);
    return err;
}

/* --- merging ---------------------------------------------------------------------------------- */

/* Lies there, of another kind than what comes? Then it goes. */
static enum err make_way(const char *path, bool folder)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? ERR_OK : ERR_IO;
    if (S_ISDIR(st.st_mode) && folder)
        return ERR_OK;
    if (S_ISDIR(st.st_mode))
        return sandbox_remove_tree(path);
    return unlink(path) == 0 ? ERR_OK : ERR_IO;
}

static enum err merge_level(const char *from, const char *to, int depth);

/* Paths of one level of the two trees; on the heap, as the levels are many. */
struct merging {
    char from[PATH_MAX], to[PATH_MAX];
};

static enum err merge_entry(const struct merging *m, int depth)
{
    struct stat st;
    if (lstat(m->from, &st) != 0)
        return ERR_IO;
    bool folder = S_ISDIR(st.st_mode);
    TRY(make_way(m->to, folder));
    if (!folder)
        return link(m->from, m->to) == 0 ? ERR_OK : ERR_IO;
    if (make_folder(AT_FDCWD, m->to) != 0 && errno != EEXIST)
        return ERR_IO;
    return merge_level(m->from, m->to, depth + 1);
}

static enum err merge_level(const char *from, const char *to, int depth)
{
    enum err err = ERR_OK;
    struct dirent *entry;
    if (depth > UNPACK_DEPTH_MAX)
        return ERR_LIMIT;
    struct merging *m = mem_alloc(sizeof *m);
    DIR *dir = m ? opendir(from) : NULL;
    if (!dir) {
        mem_free(m);
        return m ? ERR_IO : ERR_NOMEM;
    }
    while (err == ERR_OK && (errno = 0, entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int a = snprintf(m->from, sizeof m->from, "%s/%s", from, entry->d_name);
        int b = snprintf(m->to, sizeof m->to, "%s/%s", to, entry->d_name);
        err = a < 0 || b < 0 || a >= PATH_MAX || b >= PATH_MAX ? ERR_LIMIT : merge_entry(m, depth);
    }
    if (err == ERR_OK && errno)
        err = ERR_IO;
    closedir(dir);
    mem_free(m);
    return err;
}

enum err sandbox_merge_tree(const char *from, const char *to)
{
    return merge_level(from, to, 0);
}

/* --- removal ---------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

enum err sandbox_remove_tree(const char *path)
{
    enum { DESCRIPTORS = 16 };
    if (nftw(path, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return ERR_OK;
    return ERR_IO;
}
