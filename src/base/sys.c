#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static int sys_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags | O_CLOEXEC, mode);
}

static const struct sys_table libc_table = {
    .open = sys_open,
    .read = read,
    .pread = pread,
    .write = write,
    .pwrite = pwrite,
    .fsync = fsync,
    .fdatasync = fdatasync,
    .sync_file_range = sync_file_range,
    .close = close,
    .rename = rename,
    .unlink = unlink,
    .mkdir = mkdir,
    .fstat = fstat,
};

struct sys_table sys = {
    .open = sys_open,
    .read = read,
    .pread = pread,
    .write = write,
    .pwrite = pwrite,
    .fsync = fsync,
    .fdatasync = fdatasync,
    .sync_file_range = sync_file_range,
    .close = close,
    .rename = rename,
    .unlink = unlink,
    .mkdir = mkdir,
    .fstat = fstat,
};

void sys_reset(void)
{
    sys = libc_table;
}

enum err sys_write_all(int fd, const void *p, size_t len)
{
    const char *s = p;
    while (len) {
        ssize_t n = sys.write(fd, s, len);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return ERR_IO;
        }
        s += n;
        len -= (size_t)n;
    }
    return ERR_OK;
}

enum err sys_replace_file(const char *dir, const char *name, const void *p, size_t len, mode_t mode,
                          bool durable)
{
    char path[PATH_MAX], tmp[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
        snprintf(tmp, sizeof(tmp), "%s/%s.new", dir, name) >= (int)sizeof(tmp))
        return ERR_LIMIT;
    int fd = sys.open(tmp, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return ERR_IO;
    enum err err = sys_write_all(fd, p, len);
    if (!err && (fchmod(fd, mode) < 0 || (durable && sys.fsync(fd) < 0)))
        err = ERR_IO;
    int saved = errno;
    if (sys.close(fd) < 0 && !err)
        err = ERR_IO;
    else
        errno = saved;
    if (!err && sys.rename(tmp, path) < 0)
        err = ERR_IO;
    return err || !durable ? err : sys_sync_dir(dir);
}

enum err sys_sync_dir(const char *path)
{
    int fd = sys.open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return ERR_IO;
    int r = sys.fsync(fd);
    sys.close(fd);
    return r < 0 ? ERR_IO : ERR_OK;
}
