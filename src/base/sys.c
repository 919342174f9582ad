#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
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

enum err sys_sync_dir(const char *path)
{
    int fd = sys.open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return ERR_IO;
    int r = sys.fsync(fd);
    sys.close(fd);
    return r < 0 ? ERR_IO : ERR_OK;
}
