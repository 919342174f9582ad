#include "main/running.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"

enum { FILE_BYTES = 2 * RUNNING_PATH_MAX };

static enum err path_of(const char *data_dir, char path[RUNNING_PATH_MAX])
{
    return snprintf(path, RUNNING_PATH_MAX, "%s/running", data_dir) < RUNNING_PATH_MAX ? ERR_OK
                                                                                       : ERR_LIMIT;
}

enum err running_write(const char *data_dir, const struct running *r, int *ret_fd)
{
    char path[RUNNING_PATH_MAX], text[FILE_BYTES];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    TRY(path_of(data_dir, path));
    int n = snprintf(text, sizeof(text),
                     "pid=%" PRId64 "\nat=%s\nendpoint=%s\nregion=%s\nnetwork=%s\ntls_cert=%s\n"
                     "dev_key=%d\n",
                     r->pid, r->at, r->endpoint, r->region, r->network, r->tls_cert, r->dev_key);
    if (n >= (int)sizeof(text))
        return ERR_LIMIT;
    int fd = sys.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return ERR_IO;
    if (fcntl(fd, F_SETLK, &lock) < 0 || ftruncate(fd, 0) < 0 ||
        sys_write_all(fd, text, (size_t)n) != ERR_OK) {
        sys.close(fd);
        return ERR_IO;
    }
    *ret_fd = fd;
    return ERR_OK;
}

void running_remove(const char *data_dir, int fd)
{
    char path[RUNNING_PATH_MAX];
    if (fd < 0)
        return;
    if (path_of(data_dir, path) == ERR_OK)
        sys.unlink(path);
    sys.close(fd);
}

static void take(struct str value, char *out, size_t size)
{
    size_t n = min_size(value.len, size - 1);
    memcpy(out, value.p, n);
    out[n] = '\0';
}

static void take_line(struct str line, struct running *r)
{
    int64_t number = 0;
    struct str value = line, key = str_cut(&value, '=');
    if (!value.p)
        return;
    if (str_eq(key, STR("pid")) && str_to_i64(value, &number) == ERR_OK)
        r->pid = number;
    else if (str_eq(key, STR("at")))
        take(value, r->at, sizeof(r->at));
    else if (str_eq(key, STR("endpoint")))
        take(value, r->endpoint, sizeof(r->endpoint));
    else if (str_eq(key, STR("region")))
        take(value, r->region, sizeof(r->region));
    else if (str_eq(key, STR("network")))
        take(value, r->network, sizeof(r->network));
    else if (str_eq(key, STR("tls_cert")))
        take(value, r->tls_cert, sizeof(r->tls_cert));
    else if (str_eq(key, STR("dev_key")))
        r->dev_key = str_eq(value, STR("1"));
}

enum err running_read(const char *data_dir, struct running *ret_running)
{
    char path[RUNNING_PATH_MAX], text[FILE_BYTES];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct running r = {0};
    TRY(path_of(data_dir, path));
    int fd = sys.open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
    ssize_t n = sys.read(fd, text, sizeof(text));
    bool alive = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    sys.close(fd);
    if (n < 0)
        return ERR_IO;
    if (!alive)
        return ERR_NOT_FOUND;
    struct str all = str_n(text, (size_t)n);
    while (str_is_set(all))
        take_line(str_cut(&all, '\n'), &r);
    if (!r.at[0] || !r.endpoint[0])
        return ERR_CORRUPT;
    *ret_running = r;
    return ERR_OK;
}
