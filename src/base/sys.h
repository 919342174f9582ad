/* The system calls whose failure tests must be able to script: files and durability.
 * Weir's own code reaches the file system only through `sys`; the default table is libc's.
 * Thread: the table is replaced only while a single thread runs. */
#ifndef WEIR_BASE_SYS_H
#define WEIR_BASE_SYS_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/base.h"

/* Each member has the contract of the call it is named after: -1 and errno on failure. */
struct sys_table {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*read)(int fd, void *p, size_t len);
    ssize_t (*pread)(int fd, void *p, size_t len, off_t off);
    ssize_t (*write)(int fd, const void *p, size_t len);
    ssize_t (*pwrite)(int fd, const void *p, size_t len, off_t off);
    int (*fsync)(int fd);
    int (*fdatasync)(int fd);
    int (*sync_file_range)(int fd, off_t off, off_t len, unsigned flags);
    int (*close)(int fd);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*mkdir)(const char *path, mode_t mode);
    int (*fstat)(int fd, struct stat *st);
};

extern struct sys_table sys;
/* Back to libc's. */
void sys_reset(void);

/* Writes all of it, retrying short writes and EINTR. ERR_IO. */
enum err sys_write_all(int fd, const void *p, size_t len) WARN_UNUSED;
/* Makes `<dir>/<name>` hold `len` bytes with `mode`, whatever the umask: written beside as "<name>.new"
 * and renamed, so that whoever looks finds the whole file, the one before, or none. `durable`: also
 * after a crash, once it returns. ERR_IO (errno says why), ERR_LIMIT (the path is too long). */
enum err sys_replace_file(const char *dir, const char *name, const void *p, size_t len, mode_t mode,
                          bool durable) WARN_UNUSED;
/* fsyncs the directory at `path`, so that names created in it survive a crash. ERR_IO. */
enum err sys_sync_dir(const char *path) WARN_UNUSED;

#endif
