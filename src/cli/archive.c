#include "cli/archive.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zip.h>

/* MS-DOS: years since 1980, month, day. */
enum { FIRST_DAY = 0 << 9 | 1 << 5 | 1, DEFLATE_LEVEL = 6 };

struct entry {
    struct str path; /* as opened */
    struct str name; /* within the archive */
    mode_t mode;
};

struct packer {
    struct arena *arena;
    struct entry *v;
    size_t n, cap;
    uint64_t bytes;
    struct str at; /* what is being looked at */
};

/* --- what there is ------------------------------------------------------------------------------ */

static enum err add(struct packer *p, struct str path, struct str name, const struct stat *st)
{
    if (p->n == ARCHIVE_FILES_MAX || (p->bytes += (uint64_t)st->st_size) > ARCHIVE_BYTES_MAX)
        return ERR_LIMIT;
    if (p->n == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 64;
        struct entry *v = ARENA_ARRAY(p->arena, struct entry, cap);
        if (!v)
            return ERR_NOMEM;
        if (p->n)
            memcpy(v, p->v, p->n * sizeof(*v));
        p->v = v;
        p->cap = cap;
    }
    p->v[p->n++] = (struct entry){path, name, st->st_mode};
    return ERR_OK;
}

static enum err look(struct packer *p, struct str path, struct str name, size_t depth);

static enum err look_into(struct packer *p, struct str path, struct str name, size_t depth)
{
    const struct dirent *d;
    enum err err = depth > ARCHIVE_DEPTH_MAX || path.len > ARCHIVE_PATH_MAX ? ERR_LIMIT : ERR_OK;
    DIR *dir = err ? NULL : opendir(path.p);
    if (!err && !dir)
        err = ERR_IO;
    while (!err && (d = readdir(dir))) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        struct str below = str_fmt(p->arena, STR_FMT "/%s", STR_ARG(path), d->d_name);
        struct str inner =
            str_fmt(p->arena, STR_FMT "%s%s", STR_ARG(name), name.len ? "/" : "", d->d_name);
        err = str_is_set(below) && str_is_set(inner) ? look(p, below, inner, depth) : ERR_NOMEM;
    }
    if (dir)
        closedir(dir);
    return err;
}

/* Sockets, pipes and devices are nothing that an archive holds. */
static enum err look(struct packer *p, struct str path, struct str name, size_t depth)
{
    struct stat st;
    p->at = path;
    if (stat(path.p, &st) < 0)
        return ERR_IO;
    if (S_ISDIR(st.st_mode))
        return look_into(p, path, name, depth + 1);
    return S_ISREG(st.st_mode) ? add(p, path, name, &st) : ERR_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

/* --- the archive -------------------------------------------------------------------------------- */

static enum err put(zip_t *zip, const struct entry *e)
{
    zip_source_t *from = zip_source_file(zip, e->path.p, 0, -1);
    if (!from)
        return ERR_IO;
    zip_int64_t i = zip_file_add(zip, e->name.p, from, ZIP_FL_ENC_UTF_8);
    if (i < 0) {
        zip_source_free(from);
        return ERR_IO;
    }
    zip_uint64_t at = (zip_uint64_t)i;
    zip_uint32_t mode = S_IFREG | 0644 | (e->mode & S_IXUSR ? 0111 : 0);
    bool set = zip_file_set_dostime(zip, at, 0, FIRST_DAY, 0) == 0 &&
               zip_file_set_external_attributes(zip, at, 0, ZIP_OPSYS_UNIX, mode << 16) == 0 &&
               zip_set_file_compression(zip, at, ZIP_CM_DEFLATE, DEFLATE_LEVEL) == 0;
    return set ? ERR_OK : ERR_IO;
}

static enum err take_out(struct packer *p, zip_source_t *from, struct str *ret_zip)
{
    zip_stat_t st;
    if (zip_source_stat(from, &st) < 0 || zip_source_open(from) < 0)
        return ERR_IO;
    char *bytes = arena_alloc(p->arena, st.size);
    zip_int64_t n = bytes ? zip_source_read(from, bytes, st.size) : -1;
    zip_source_close(from);
    if (!bytes)
        return ERR_NOMEM;
    if (n != (zip_int64_t)st.size)
        return ERR_IO;
    *ret_zip = str_n(bytes, st.size);
    return ERR_OK;
}

static enum err write_archive(struct packer *p, struct str *ret_zip)
{
    zip_error_t fault;
    zip_error_init(&fault);
    zip_source_t *to = zip_source_buffer_create(NULL, 0, 0, &fault);
    zip_t *zip = to ? zip_open_from_source(to, ZIP_TRUNCATE, &fault) : NULL;
    zip_error_fini(&fault);
    if (!zip) {
        zip_source_free(to);
        return ERR_NOMEM;
    }
    zip_source_keep(to); /* zip_close and zip_discard let go of it */
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < p->n; i++) {
        p->at = p->v[i].path;
        err = put(zip, &p->v[i]);
    }
    if (err || zip_close(zip) < 0) {
        zip_discard(zip);
        err = err ? err : ERR_IO;
    }
    if (!err)
        err = take_out(p, to, ret_zip);
    zip_source_free(to);
    return err;
}

enum err archive_make(struct arena *a, const char *path, struct str *ret_zip, struct str *ret_at)
{
    struct packer p = {.arena = a, .at = str_c(path)};
    const char *slash = strrchr(path, '/');
    struct stat st;
    *ret_at = p.at;
    if (stat(path, &st) < 0)
        return ERR_IO;
    struct str own_name = S_ISDIR(st.st_mode) ? STR("") : str_c(slash ? slash + 1 : path);
    enum err err = look(&p, str_c(path), own_name, 0);
    if (!err && p.n == 0)
        err = ERR_NOT_FOUND;
    if (!err) {
        qsort(p.v, p.n, sizeof(*p.v), by_name);
        err = write_archive(&p, ret_zip);
    }
    *ret_at = p.at;
    return err;
}
