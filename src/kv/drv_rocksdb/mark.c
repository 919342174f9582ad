#include "kv/drv_rocksdb/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/sys.h"
#include "codec/crc.h"

enum {
    MAGIC_BYTES = 8,
    SEQ_AT = MAGIC_BYTES,
    TIME_AT = 16,
    CRC_AT = 24,
    PLACE_BYTES = 28,
    PATH_BYTES = 4096
};
static const char magic[MAGIC_BYTES + 1] = "weirmark";

static void put_little(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get_little(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static void fill(uint8_t *p, uint64_t seq)
{
    memcpy(p, magic, MAGIC_BYTES);
    put_little(p + SEQ_AT, seq, 8);
    put_little(p + TIME_AT, (uint64_t)clock_now_ms(), 8);
    put_little(p + CRC_AT, crc32c_update(0, p, CRC_AT), 4);
}

enum err mark_read(const char *path, uint64_t *ret_seq, int64_t *ret_now_ms)
{
    int fd = sys.open(path, O_RDONLY, 0);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    enum err err = ERR_CORRUPT;
    uint64_t newest = 0;
    int64_t now_ms = 0;
    for (off_t at = 0; at <= MARK_STEP; at += MARK_STEP) {
        uint8_t p[PLACE_BYTES];
        ssize_t n = sys.pread(fd, p, sizeof(p), at);
        if (n < 0) {
            err = ERR_IO;
            break;
        }
        if (n != sizeof(p) || memcmp(p, magic, MAGIC_BYTES) != 0 ||
            get_little(p + CRC_AT, 4) != crc32c_update(0, p, CRC_AT))
            continue;
        uint64_t seq = get_little(p + SEQ_AT, 8);
        newest = seq > newest ? seq : newest;
        now_ms = max_i64(now_ms, (int64_t)get_little(p + TIME_AT, 8));
        err = ERR_OK;
    }
    sys.close(fd);
    if (err)
        return err;
    *ret_seq = newest;
    *ret_now_ms = now_ms;
    return ERR_OK;
}

enum err mark_make(const char *path, uint64_t seq)
{
    uint8_t p[2 * MARK_STEP] = {0};
    char dir[PATH_BYTES] = ".";
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int len = slash > path ? (int)(slash - path) : 1; /* "/name" is in "/" */
    if (slash && snprintf(dir, sizeof(dir), "%.*s", len, path) >= (int)sizeof(dir))
        return ERR_LIMIT;
    fill(p, seq);
    fill(p + MARK_STEP, seq);
    return sys_replace_file(dir, name, p, sizeof(p), 0600, true);
}

enum err mark_open(struct mark *m, const char *path, uint64_t seq)
{
    *m = (struct mark){.fd = sys.open(path, O_WRONLY, 0), .seq = seq, .synced_seq = seq};
    return m->fd < 0 ? ERR_IO : ERR_OK;
}

enum err mark_set(struct mark *m, uint64_t seq)
{
    uint8_t p[PLACE_BYTES];
    if (seq <= m->seq)
        return ERR_OK;
    fill(p, seq);
    if (sys.pwrite(m->fd, p, sizeof(p), m->turn++ % 2 ? MARK_STEP : 0) != sizeof(p))
        return ERR_IO;
    m->seq = seq;
    return ERR_OK;
}

enum err mark_sync(struct mark *m, bool always)
{
    if (m->seq == m->synced_seq)
        return ERR_OK;
    int64_t now_ns = clock_mono_ns();
    if (!always && now_ns - m->synced_ns < MARK_SYNC_NS)
        return ERR_OK;
    if (sys.fdatasync(m->fd) < 0)
        return ERR_IO;
    m->synced_seq = m->seq;
    m->synced_ns = now_ns;
    return ERR_OK;
}

void mark_close(struct mark *m)
{
    if (m->fd >= 0)
        sys.close(m->fd);
    m->fd = -1;
}
