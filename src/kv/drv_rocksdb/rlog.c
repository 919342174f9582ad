#include "kv/drv_rocksdb/rlog.h"

#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "codec/crc.h"

enum { HEADER_BYTES = 7, BATCH_HEADER_BYTES = 12 };
enum fragment { FULL = 1, FIRST, MIDDLE, LAST };
static const uint32_t MASK_DELTA = 0xa282ead8u;

static uint64_t little(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

enum err rlog_open(struct rlog *r, const char *path)
{
    r->fd = sys.open(path, O_RDONLY, 0);
    r->block_at = 0;
    r->block_len = r->at = 0;
    return r->fd < 0 ? ERR_IO : ERR_OK;
}

void rlog_close(struct rlog *r)
{
    if (r->fd >= 0)
        sys.close(r->fd);
    r->fd = -1;
}

/* Reads the block at `at`. ERR_NOT_FOUND: there is none. */
static enum err load(struct rlog *r, uint64_t at)
{
    size_t len = 0;
    while (len < sizeof(r->block)) {
        ssize_t n = sys.pread(r->fd, r->block + len, sizeof(r->block) - len, (off_t)(at + len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR_IO;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    r->block_at = at;
    r->block_len = len;
    r->at = 0;
    return len ? ERR_OK : ERR_NOT_FOUND;
}

static enum err next_block(struct rlog *r)
{
    if (r->block_len && r->block_len < sizeof(r->block))
        return ERR_NOT_FOUND;
    return load(r, r->block_at + r->block_len);
}

bool rlog_skip_block(struct rlog *r)
{
    return next_block(r) == ERR_OK;
}

/* The next fragment, checked. ERR_NOT_FOUND at the end of the file, ERR_CORRUPT. */
static enum err fragment(struct rlog *r, enum fragment *ret_type, struct str *ret_bytes)
{
    if (sizeof(r->block) - r->at < HEADER_BYTES || r->block_len == 0)
        TRY(next_block(r));
    if (r->at == r->block_len)
        return ERR_NOT_FOUND;
    const uint8_t *p = r->block + r->at;
    if (r->block_len - r->at < HEADER_BYTES)
        return ERR_CORRUPT;
    size_t len = (size_t)little(p + 4, 2);
    if (p[6] < FULL || p[6] > LAST || len > r->block_len - r->at - HEADER_BYTES)
        return ERR_CORRUPT;
    uint32_t masked = (uint32_t)little(p, 4) - MASK_DELTA;
    if (crc32c_update(0, p + 6, len + 1) != (masked >> 17 | masked << 15))
        return ERR_CORRUPT;
    r->at += HEADER_BYTES + len;
    *ret_type = (enum fragment)p[6];
    *ret_bytes = str_n((const char *)p + HEADER_BYTES, len);
    return ERR_OK;
}

enum err rlog_next(struct rlog *r, uint8_t *head, size_t *ret_len, uint64_t *ret_at)
{
    size_t kept = 0;
    for (bool inside = false;; inside = true) {
        enum fragment type = FULL;
        struct str bytes = STR_NONE;
        enum err err = fragment(r, &type, &bytes);
        if (!inside) {
            size_t back = err ? 0 : HEADER_BYTES + bytes.len;
            *ret_at = r->block_at + r->at - back;
        }
        if (err == ERR_NOT_FOUND && inside)
            return ERR_CORRUPT;
        TRY(err);
        if (inside != (type == MIDDLE || type == LAST))
            return ERR_CORRUPT;
        size_t n = min_size(bytes.len, RLOG_HEAD_BYTES - kept);
        memcpy(head + kept, bytes.p, n);
        kept += n;
        if (type == FULL || type == LAST) {
            *ret_len = kept;
            return ERR_OK;
        }
    }
}

enum err rlog_batch(const uint8_t *head, size_t len, uint64_t *ret_seq, uint32_t *ret_n)
{
    if (len < BATCH_HEADER_BYTES)
        return ERR_CORRUPT;
    *ret_seq = little(head, 8);
    *ret_n = (uint32_t)little(head + 8, 4);
    return ERR_OK;
}

/* --- the manifest ------------------------------------------------------------------------------ */

/* Fields of a VersionEdit up to those that Weir looks for, in the order that RocksDB writes them. */
enum {
    EDIT_COMPARATOR = 1,
    EDIT_LOG = 2,
    EDIT_NEXT_FILE = 3,
    EDIT_LAST_SEQUENCE = 4,
    EDIT_PREVIOUS_LOG = 9,
    EDIT_LOG_TO_KEEP = 10,
    EDIT_MAX_COLUMN_FAMILY = 203,
    EDIT_DB_ID = (1 << 13) + 1,
};

static bool varint(struct str *s, uint64_t *ret_v)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && s->len; shift += 7) {
        uint8_t b = (uint8_t)*s->p++;
        s->len--;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *ret_v = v;
            return true;
        }
    }
    return false;
}

void rlog_edit(const uint8_t *head, size_t len, uint64_t *ret_log, uint64_t *ret_seq)
{
    struct str s = str_n((const char *)head, len);
    *ret_log = *ret_seq = 0;
    uint64_t tag, v;
    for (int i = 0; i < RLOG_SKIP_MAX && varint(&s, &tag) && varint(&s, &v); i++) {
        switch (tag) {
        case EDIT_LOG:
            *ret_log = v;
            break;
        case EDIT_LAST_SEQUENCE:
            *ret_seq = v;
            break;
        case EDIT_COMPARATOR:
        case EDIT_DB_ID:
            s = str_sub(s, v, s.len);
            break;
        case EDIT_NEXT_FILE:
        case EDIT_PREVIOUS_LOG:
        case EDIT_LOG_TO_KEEP:
        case EDIT_MAX_COLUMN_FAMILY:
            break;
        default:
            return;
        }
    }
}
