#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"

static enum err read_all(int fd, char *p, size_t len)
{
    while (len) {
        ssize_t n = sys.read(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        p += n;
        len -= (size_t)n;
    }
    return ERR_OK;
}

enum err file_read(struct arena *a, const char *path, size_t max, struct str *ret_text)
{
    struct stat st;
    int fd = sys.open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    enum err err = sys.fstat(fd, &st) < 0 ? ERR_IO : ERR_OK;
    if (!err && (uint64_t)st.st_size > max)
        err = ERR_LIMIT;
    char *p = err ? NULL : arena_alloc(a, (size_t)st.st_size + 1);
    if (!err)
        err = p ? read_all(fd, p, (size_t)st.st_size) : ERR_NOMEM;
    sys.close(fd);
    if (!err) {
        p[st.st_size] = 0;
        *ret_text = str_n(p, (size_t)st.st_size);
    }
    return err;
}

enum file_kind file_kind(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return FILE_NONE;
    return S_ISREG(st.st_mode) ? FILE_PLAIN : S_ISDIR(st.st_mode) ? FILE_FOLDER : FILE_NONE;
}
