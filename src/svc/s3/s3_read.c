/* Reading object bytes back from their files. See s3_read.h. Layer: svc. */
#include "svc/s3/s3_read.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "codec/crc.h"
#include "codec/hex.h"

enum {
    SUMS = 1024, /* checksums kept of an open file: 64 MiB of it */
    SPANS_ARENA_MAX = 64 * 1024 * 1024,
};

/* --- one file --------------------------------------------------------------------------------- */

struct open_file {
    int fd;
    struct s3_id id;
    uint64_t size;
    uint64_t first; /* block that sums[0] is of */
    size_t n_sums;
    uint32_t sums[SUMS];
};

static enum err damaged(const struct s3_id *id, uint64_t at, const char *what, enum err err,
                        struct s3_damage *ret)
{
    *ret = (struct s3_damage){.file = *id, .what = what, .at = at};
    return err;
}

static void file_close(struct open_file *f)
{
    if (f->fd >= 0)
        sys.close(f->fd);
    f->fd = -1;
}

/* Opens it, and says whether it has the length it must have. */
static enum err file_open(struct open_file *f, const struct s3 *s3, const struct s3_id *id,
                          uint64_t size, struct s3_damage *ret)
{
    char path[S3_PATH_MAX];
    struct stat st;
    assert(f->fd < 0);
    s3_file_path_to(s3, id, path);
    f->fd = sys.open(path, O_RDONLY | O_CLOEXEC, 0);
    if (f->fd < 0)
        return errno == ENOENT ? damaged(id, 0, "missing", ERR_CORRUPT, ret)
                               : damaged(id, 0, "unreadable", ERR_IO, ret);
    f->id = *id;
    f->size = size;
    f->n_sums = 0;
    if (sys.fstat(f->fd, &st) != 0)
        return damaged(id, 0, "unreadable", ERR_IO, ret);
    if ((uint64_t)st.st_size != s3_file_bytes(size))
        return damaged(id, 0, (uint64_t)st.st_size < s3_file_bytes(size) ? "cut" : "grown",
                       ERR_CORRUPT, ret);
    return ERR_OK;
}

static enum err read_all(const struct open_file *f, void *p, size_t len, uint64_t at)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = sys.pread(f->fd, (char *)p + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        done += (size_t)n;
    }
    return ERR_OK;
}

static enum err load_sums(struct open_file *f, uint64_t block)
{
    uint64_t blocks = (f->size + S3_BLOCK_BYTES - 1) / S3_BLOCK_BYTES;
    assert(block < blocks);
    size_t n = (size_t)min_i64(SUMS, (int64_t)(blocks - block));
    f->n_sums = 0;
    TRY(read_all(f, f->sums, n * sizeof(f->sums[0]), f->size + block * sizeof(f->sums[0])));
    f->first = block;
    f->n_sums = n;
    return ERR_OK;
}

/* Reads and checks whole blocks from the beginning of one: as many of [at, to) as fit, and what lies
 * behind `to` in the last of them. *ret_n: bytes of the file that `buf` has now. */
static enum err read_blocks(struct open_file *f, uint64_t at, uint64_t to, char *buf, size_t cap,
                            size_t *ret_n, struct s3_damage *ret)
{
    assert(at % S3_BLOCK_BYTES == 0 && at < to && to <= f->size && cap >= S3_BLOCK_BYTES);
    uint64_t end = (to + S3_BLOCK_BYTES - 1) / S3_BLOCK_BYTES * S3_BLOCK_BYTES;
    end = end < f->size ? end : f->size;
    size_t n = cap / S3_BLOCK_BYTES * S3_BLOCK_BYTES;
    n = end - at < n ? (size_t)(end - at) : n;
    if (read_all(f, buf, n, at) != ERR_OK)
        return damaged(&f->id, at, "unreadable", ERR_IO, ret);
    for (size_t done = 0; done < n; done += S3_BLOCK_BYTES) {
        uint64_t block = (at + done) / S3_BLOCK_BYTES;
        if ((block < f->first || block - f->first >= f->n_sums) && load_sums(f, block) != ERR_OK)
            return damaged(&f->id, at + done, "unreadable", ERR_IO, ret);
        size_t len = min_size(S3_BLOCK_BYTES, n - done);
        if (crc32c_update(0, buf + done, len) != le32toh(f->sums[block - f->first]))
            return damaged(&f->id, at + done, "block does not match", ERR_CORRUPT, ret);
    }
    *ret_n = n;
    return ERR_OK;
}

enum err s3_file_verify(const struct s3 *s3, const struct s3_id *id, uint64_t size, uint64_t *at,
                        uint64_t max, char *buf, size_t cap, struct s3_damage *ret_damage)
{
    struct open_file f = {.fd = -1};
    uint64_t pos = *at, done = 0;
    assert(pos % S3_BLOCK_BYTES == 0 && pos <= size);
    enum err err = file_open(&f, s3, id, size, ret_damage);
    while (err == ERR_OK && pos < size && done < max) {
        size_t n = 0;
        err = read_blocks(&f, pos, size, buf, cap, &n, ret_damage);
        pos += n;
        done += n;
    }
    file_close(&f);
    if (err == ERR_OK)
        *at = pos;
    return err;
}

/* --- many files ------------------------------------------------------------------------------- */

struct s3_reader {
    struct s3 *s3;
    struct arena arena; /* of the spans: outlives the transaction */
    struct s3_span *spans;
    size_t n, next;
    bool looked; /* that all files are there */
    struct open_file file;
    struct s3_cipher cipher;
    uint8_t file_key[SEAL_KEY_BYTES]; /* of the open file */
    uint64_t pos;                     /* in spans[next], of the plain bytes */
    struct s3_pin pin;
};

enum err s3_reader_open(struct s3 *s3, struct txn *txn, const struct s3_object_rec *rec,
                        uint64_t from, uint64_t len, const struct s3_cipher *cipher,
                        struct s3_reader **ret_r)
{
    assert(len > 0 && from + len <= rec->size && !s3_body_is_small(&rec->body));
    struct s3_reader *r = mem_alloc(sizeof(*r));
    if (!r)
        return ERR_NOMEM;
    *r = (struct s3_reader){.s3 = s3, .file = {.fd = -1}, .cipher = *cipher};
    arena_init(&r->arena, SPANS_ARENA_MAX);
    s3_pin(s3, &r->pin, txn->now_ms);
    enum err err = s3_body_spans(txn, rec, from, len, &r->arena, &r->spans, &r->n);
    if (err) {
        s3_reader_free(r);
        return err;
    }
    assert(r->n > 0);
    *ret_r = r;
    return ERR_OK;
}

void s3_reader_free(void *reader)
{
    struct s3_reader *r = reader;
    if (!r)
        return;
    file_close(&r->file);
    s3_unpin(&r->pin);
    arena_release(&r->arena);
    OPENSSL_cleanse(r, sizeof(*r));
    mem_free(r);
}

static enum err report(struct s3_reader *r, enum err err, const struct s3_damage *d)
{
    char hex[2 * S3_ID_LEN];
    hex_to(hex, d->file.b, S3_ID_LEN);
    log_error("s3", "object bytes damaged: file=%.*s %s at byte %" PRIu64, (int)sizeof(hex), hex,
              d->what, d->at);
    atomic_fetch_add_explicit(&r->s3->damaged_reads, 1, memory_order_relaxed);
    return err;
}

/* Before the first byte goes out: are the files behind the first there, and whole as to length? */
static enum err look(struct s3_reader *r, struct s3_damage *ret)
{
    for (size_t i = 1; i < r->n; i++) {
        TRY(file_open(&r->file, r->s3, &r->spans[i].file,
                      s3_stored_bytes(r->spans[i].size, r->cipher.on), ret));
        file_close(&r->file);
    }
    r->looked = true;
    return ERR_OK;
}

/* The piece that r->pos is in, opened where it was read to; *ret_at: where in it r->pos is. */
static enum err read_piece(struct s3_reader *r, const struct s3_span *span, char *buf,
                           size_t *ret_at, size_t *ret_n, struct s3_damage *ret)
{
    uint64_t number = r->pos / S3_PIECE_BYTES, at = number * S3_BLOCK_BYTES;
    const struct seal_piece piece = {number, number + 1 == s3_pieces(span->size)};
    size_t n = 0;
    TRY(read_blocks(&r->file, at,
                    (uint64_t)min_i64((int64_t)(at + S3_BLOCK_BYTES), (int64_t)r->file.size), buf,
                    S3_BLOCK_BYTES, &n, ret));
    enum err err = seal_piece_open(r->file_key, piece, str_n(buf, n), (uint8_t *)buf);
    if (err)
        return err == ERR_INVALID
                   ? damaged(&r->file.id, at, "piece does not open", ERR_CORRUPT, ret)
                   : err;
    *ret_at = (size_t)(r->pos % S3_PIECE_BYTES);
    *ret_n = n - SEAL_PIECE_MORE_BYTES;
    return ERR_OK;
}

static enum err read_next(struct s3_reader *r, char *buf, size_t cap, struct str *ret_bytes,
                          struct s3_damage *ret)
{
    if (!r->looked)
        TRY(look(r, ret));
    assert(r->next < r->n);
    const struct s3_span *span = &r->spans[r->next];
    if (r->file.fd < 0) {
        TRY(file_open(&r->file, r->s3, &span->file, s3_stored_bytes(span->size, r->cipher.on),
                      ret));
        r->pos = span->from;
        if (r->cipher.on)
            s3_cipher_file(&r->cipher, &span->file, r->file_key);
    }
    uint64_t to = span->from + span->len;
    size_t n = 0, skip = r->pos % S3_BLOCK_BYTES;
    if (r->cipher.on)
        TRY(read_piece(r, span, buf, &skip, &n, ret));
    else
        TRY(read_blocks(&r->file, r->pos - skip, to, buf, cap, &n, ret));
    assert(n > skip);
    n = (size_t)min_i64((int64_t)(n - skip), (int64_t)(to - r->pos));
    r->pos += n;
    if (r->pos == to) {
        file_close(&r->file);
        r->next++;
    }
    *ret_bytes = str_n(buf + skip, n);
    return ERR_OK;
}

enum err s3_reader_read(void *reader, char *block, size_t cap, struct str *ret_bytes)
{
    struct s3_reader *r = reader;
    struct s3_damage damage = {0};
    if (cap < S3_BLOCK_BYTES)
        return ERR_NOMEM;
    enum err err = read_next(r, block, cap, ret_bytes, &damage);
    if (err) {
        file_close(&r->file);
        return report(r, err, &damage);
    }
    return ERR_OK;
}
