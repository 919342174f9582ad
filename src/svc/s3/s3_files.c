/* Object bytes as files: writing, recovery after a crash, pins of readers. See s3_int.h (SF1-SF3).
 *
 *   <data>/s3/objects/ab/abcdef...   bytes of an object or part, then their checksums (s3_read.h)
 *   <data>/s3/staging/abcdef...      empty marker, made before the file, removed when a commit that
 *                                    references the file is durable, or with the file
 *
 * After a crash the markers name exactly the uploads that were under way, so recovery costs as much
 * as there were of them. The marker itself is not synced: it is made before its file in the same
 * file system, whose journal keeps that order.
 *
 * Layer: svc. Thread: a writer belongs to one thread at a time. */
#include <assert.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sys.h"
#include "codec/base64.h"
#include "codec/crc.h"
#include "codec/hex.h"
#include "svc/s3/s3_read.h"

enum {
    DIR_MODE = 0700,
    FILE_MODE = 0600,
    ID_HEX_LEN = 2 * S3_ID_LEN,
    SEND_OFF_BYTES = 4 * 1024 * 1024,
    SUMS_MAX = (S3_PUT_MAX / S3_PIECE_BYTES + 2) * sizeof(uint32_t),
};

struct paths {
    char dir[S3_PATH_MAX], file[S3_PATH_MAX], marker[S3_PATH_MAX];
};

static void make_paths(const struct s3 *s3, const struct s3_id *id, struct paths *p)
{
    char hex[ID_HEX_LEN];
    hex_to(hex, id->b, S3_ID_LEN);
    snprintf(p->dir, S3_PATH_MAX, "%s/%.2s", s3->objects_dir.p, hex);
    snprintf(p->file, S3_PATH_MAX, "%s/%.2s/%.*s", s3->objects_dir.p, hex, ID_HEX_LEN, hex);
    snprintf(p->marker, S3_PATH_MAX, "%s/%.*s", s3->staging_dir.p, ID_HEX_LEN, hex);
}

void s3_file_path_to(const struct s3 *s3, const struct s3_id *id, char path[S3_PATH_MAX])
{
    char hex[ID_HEX_LEN];
    hex_to(hex, id->b, S3_ID_LEN);
    snprintf(path, S3_PATH_MAX, "%s/%.2s/%.*s", s3->objects_dir.p, hex, ID_HEX_LEN, hex);
}

bool s3_file_remove(const struct s3 *s3, const struct s3_id *id)
{
    struct paths p;
    make_paths(s3, id, &p);
    /* The marker goes last: while it is there the file is found again. */
    if (sys.unlink(p.file) != 0 && errno != ENOENT)
        return false;
    sys.unlink(p.marker);
    return true;
}

static enum err make_dir(const char *path)
{
    return sys.mkdir(path, DIR_MODE) == 0 || errno == EEXIST ? ERR_OK : ERR_IO;
}

enum err s3_files_locate(struct s3 *s3)
{
    const char *data = s3->core->cfg.data_dir.p;
    s3->objects_dir = str_fmt(&s3->arena, "%s/s3/objects", data);
    s3->staging_dir = str_fmt(&s3->arena, "%s/s3/staging", data);
    if (!s3->objects_dir.p || !s3->staging_dir.p)
        return ERR_NOMEM;
    return s3->objects_dir.len > S3_PATH_MAX - ID_HEX_LEN - 8 ? ERR_LIMIT : ERR_OK;
}

enum err s3_files_open(struct s3 *s3)
{
    const char *data = s3->core->cfg.data_dir.p;
    TRY(s3_files_locate(s3));
    struct str top = str_fmt(&s3->arena, "%s/s3", data);
    if (!top.p)
        return ERR_NOMEM;
    TRY(make_dir(top.p));
    TRY(make_dir(s3->objects_dir.p));
    TRY(make_dir(s3->staging_dir.p));
    /* All 256 at once, so that writing never has to sync a new one into its parent. */
    for (int i = 0; i < 256; i++) {
        char path[S3_PATH_MAX];
        snprintf(path, sizeof(path), "%s/%02x", s3->objects_dir.p, i);
        TRY(make_dir(path));
    }
    TRY(sys_sync_dir(s3->objects_dir.p));
    TRY(sys_sync_dir(top.p));
    return sys_sync_dir(data);
}

/* --- recovery --------------------------------------------------------------------------------- */

struct recovery {
    struct s3 *s3;
    struct s3_id id;
    bool referenced;
};

static enum err look_up(struct txn *txn, void *arg)
{
    struct recovery *r = arg;
    struct str value;
    enum err err = txn_peek(txn, key_make(txn->arena, &s3_k_file, s3_id_str(&r->id)), &value);
    r->referenced = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err s3_files_recover(struct s3 *s3)
{
    DIR *dir = opendir(s3->staging_dir.p);
    enum err err = dir ? ERR_OK : ERR_IO;
    size_t removed = 0;
    for (struct dirent *d; err == ERR_OK && (d = readdir(dir)) != NULL;) {
        struct recovery r = {.s3 = s3};
        if (hex_decode_to(str_c(d->d_name), r.id.b, S3_ID_LEN) != ERR_OK)
            continue;
        err = txn_run_now(s3->core, look_up, &r);
        if (err != ERR_OK)
            break;
        struct paths p;
        make_paths(s3, &r.id, &p);
        if (r.referenced) {
            sys.unlink(p.marker);
        } else {
            s3_file_remove(s3, &r.id);
            removed++;
        }
    }
    if (dir)
        closedir(dir);
    if (removed)
        log_info("s3", "removed %zu unfinished uploads", removed);
    return err;
}

/* --- writer ----------------------------------------------------------------------------------- */

enum err s3_writer_new(struct s3 *s3, uint32_t algos, size_t inline_max,
                       const struct s3_cipher *cipher, struct s3_writer **ret_w)
{
    struct s3_writer *w = mem_calloc(1, sizeof(*w));
    if (!w)
        return ERR_NOMEM;
    w->s3 = s3;
    w->fd = -1;
    w->inline_max = inline_max;
    rng_bytes(w->id.b, S3_ID_LEN);
    if (cipher)
        w->cipher = *cipher;
    buf_init(&w->small, inline_max);
    buf_init(&w->block_sums, SUMS_MAX);
    buf_init(&w->piece, S3_BLOCK_BYTES);
    enum err err = s3_summer_init(&w->summer, algos);
    if (err != ERR_OK) {
        s3_writer_free(w);
        return err;
    }
    *ret_w = w;
    return ERR_OK;
}

static int make_file(const char *path)
{
    return sys.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
}

/* The checksum of the block that ends here. */
static void end_block(struct s3_writer *w)
{
    uint32_t sum = htole32(w->block_crc);
    buf_add(&w->block_sums, &sum, sizeof(sum));
    w->block_crc = 0;
}

/* Adds to the file as it is. */
static enum err put_bytes(struct s3_writer *w, const char *p, size_t len)
{
    uint64_t at = w->stored;
    w->stored += len;
    TRY(sys_write_all(w->fd, p, len));
    while (len > 0) {
        size_t n = min_size(len, S3_BLOCK_BYTES - at % S3_BLOCK_BYTES);
        w->block_crc = crc32c_update(w->block_crc, p, n);
        p += n;
        at += n;
        len -= n;
        if (at % S3_BLOCK_BYTES == 0)
            end_block(w);
    }
    return buf_err(&w->block_sums);
}

/* The piece is whole, or the last. */
static enum err end_piece(struct s3_writer *w, bool last)
{
    char sealed[S3_BLOCK_BYTES];
    struct str plain = buf_str(&w->piece);
    const struct seal_piece piece = {w->n_pieces++, last};
    assert(plain.len <= S3_PIECE_BYTES);
    TRY(seal_piece_close(w->file_key, piece, plain, (uint8_t *)sealed));
    buf_clear(&w->piece);
    return put_bytes(w, sealed, plain.len + SEAL_PIECE_MORE_BYTES);
}

/* Adds to the file, sealed where it is to be. */
static enum err append(struct s3_writer *w, const char *p, size_t len)
{
    if (!w->cipher.on)
        return put_bytes(w, p, len);
    while (len > 0) {
        if (w->piece.len == S3_PIECE_BYTES)
            TRY(end_piece(w, false));
        size_t n = min_size(len, S3_PIECE_BYTES - w->piece.len);
        buf_add(&w->piece, p, n);
        p += n;
        len -= n;
    }
    return buf_err(&w->piece);
}

static enum err open_file(struct s3_writer *w)
{
    struct paths p;
    assert(w->fd < 0 && !w->has_file && !w->kept && w->block_sums.len == 0);
    make_paths(w->s3, &w->id, &p);
    int marker = make_file(p.marker);
    if (marker < 0)
        return ERR_IO;
    w->has_file = true;
    sys.close(marker);
    w->fd = make_file(p.file);
    if (w->fd < 0)
        return ERR_IO;
    if (w->cipher.on)
        s3_cipher_file(&w->cipher, &w->id, w->file_key);
    enum err err = append(w, w->small.p, w->small.len);
    buf_release(&w->small);
    return err;
}

/* The disk begins with what is there while more comes in: the sync at the end, which is what the
 * promise rests on, has then little left. An error of it is that sync's to tell. */
static void send_off(struct s3_writer *w)
{
    assert(w->fd >= 0 && w->sent_off <= w->stored);
    if (w->stored - w->sent_off < SEND_OFF_BYTES)
        return;
    (void)sys.sync_file_range(w->fd, (off_t)w->sent_off, (off_t)(w->stored - w->sent_off),
                              SYNC_FILE_RANGE_WRITE);
    w->sent_off = w->stored;
}

/* All but the MD5, which takes about as long. */
static enum err store(void *ctx, const void *p, size_t len)
{
    struct s3_writer *w = ctx;
    if (len > S3_PUT_MAX - w->size)
        return ERR_LIMIT;
    s3_summer_update_sums(&w->summer, p, len);
    w->size += len;
    if (w->fd < 0 && w->size <= w->inline_max) {
        buf_add(&w->small, p, len);
        return buf_err(&w->small);
    }
    if (w->fd < 0)
        TRY(open_file(w));
    TRY(append(w, p, len));
    send_off(w);
    return ERR_OK;
}

static void digest(void *ctx, const void *p, size_t len)
{
    struct s3_writer *w = ctx;
    s3_summer_update_md5(&w->summer, p, len);
}

enum err s3_writer_write(struct s3_writer *w, const void *p, size_t len)
{
    digest(w, p, len);
    return store(w, p, len);
}

/* The checksums go behind the bytes. */
static enum err seal_file(struct s3_writer *w)
{
    assert(w->has_file && w->fd >= 0);
    if (w->cipher.on)
        TRY(end_piece(w, true));
    assert(w->stored == s3_stored_bytes(w->size, w->cipher.on));
    if (w->stored % S3_BLOCK_BYTES)
        end_block(w);
    TRY(buf_err(&w->block_sums));
    assert(w->stored + w->block_sums.len == s3_file_bytes(w->stored));
    return sys_write_all(w->fd, w->block_sums.p, w->block_sums.len);
}

static enum err sync_file(struct s3_writer *w)
{
    struct paths p;
    make_paths(w->s3, &w->id, &p);
    int rc = sys.fsync(w->fd);
    if (sys.close(w->fd) != 0)
        rc = -1;
    w->fd = -1;
    return rc == 0 ? sys_sync_dir(p.dir) : ERR_IO;
}

enum err s3_writer_finish(void *ctx)
{
    struct s3_writer *w = ctx;
    s3_summer_md5(&w->summer, w->md5);
    for (int i = 1; i < S3_ALGOS; i++)
        if (w->summer.algos & 1u << i)
            s3_summer_final(&w->summer, (enum s3_algo)i, w->sums[i]);
    /* A body that must be a file is one also when it is empty. */
    if (w->fd < 0 && w->inline_max == 0)
        TRY(open_file(w));
    if (w->fd < 0)
        return ERR_OK;
    TRY(seal_file(w));
    return sync_file(w);
}

void s3_writer_free(void *ctx)
{
    struct s3_writer *w = ctx;
    if (!w)
        return;
    if (w->fd >= 0)
        sys.close(w->fd);
    if (w->has_file && !w->kept)
        s3_file_remove(w->s3, &w->id);
    buf_release(&w->small);
    buf_release(&w->block_sums);
    buf_release(&w->piece);
    s3_summer_release(&w->summer);
    OPENSSL_cleanse(w, sizeof(*w));
    mem_free(w);
}

/* The file goes with the call's arena, when no thread uses the writer any more. */
static void sink_abort(void *ctx)
{
}

enum err s3_writer_sink(struct s3_writer *w, struct call *call, struct call_sink *ret_sink)
{
    enum err err = arena_on_release(call->arena, s3_writer_free, w);
    if (err != ERR_OK) {
        s3_writer_free(w);
        return err;
    }
    *ret_sink = (struct call_sink){w, store, digest, s3_writer_finish, sink_abort};
    return ERR_OK;
}

static void on_commit(void *arg)
{
    struct s3_writer *w = arg;
    assert(w->has_file && w->fd < 0); /* synced and closed before */
    w->kept = true;
}

static void on_durable(void *arg)
{
    struct s3_writer *w = arg;
    struct paths p;
    assert(w->kept);
    make_paths(w->s3, &w->id, &p);
    sys.unlink(p.marker);
}

enum err s3_writer_stage(struct s3_writer *w, struct txn *txn, const struct s3_made_for *made_for,
                         struct s3_body *ret_body)
{
    struct s3_body body = {.kind = S3_BODY_EMPTY, .id = w->id};
    struct str bytes = buf_str(&w->small);
    if (!w->has_file && bytes.len > 0)
        TRY(s3_cipher_seal(&w->cipher, &w->id, txn->arena, &bytes));
    assert(w->fd < 0 && !w->kept); /* finished, and staged once a try */
    if (w->has_file) {
        assert(w->small.len == 0);
        body.kind = S3_BODY_FILE;
        struct s3_file_rec file = {w->stored, made_for->bucket, made_for->key};
        TRY(S3_PUT(txn, key_make(txn->arena, &s3_k_file, s3_id_str(&w->id)), &s3_file_type, &file));
        TRY(txn_on_commit(txn, on_commit, w));
        TRY(txn_on_durable(txn, on_durable, w));
    } else if (w->small.len > 0 && w->small.len <= S3_RECORD_BYTES_MAX) {
        body.kind = S3_BODY_RECORD;
        body.bytes = bytes;
    } else if (w->small.len > 0) {
        body.kind = S3_BODY_BYTES;
        TRY(txn_put(txn, key_make(txn->arena, &s3_k_bytes, s3_id_str(&w->id)), bytes));
    }
    *ret_body = body;
    return ERR_OK;
}

struct str s3_writer_etag(const struct s3_writer *w, struct arena *a)
{
    return s3_cipher_etag(&w->cipher, a, w->md5);
}

struct str s3_writer_sum(const struct s3_writer *w, struct arena *a, enum s3_algo algo)
{
    return base64_encode(a, w->sums[algo], s3_algo_len(algo));
}

/* --- pins ------------------------------------------------------------------------------------- */

void s3_pin(struct s3 *s3, struct s3_pin *pin, int64_t since_ms)
{
    *pin = (struct s3_pin){.s3 = s3, .since_ms = since_ms};
    pthread_mutex_lock(&s3->lock);
    list_push_back(&s3->pins, &pin->link);
    pthread_mutex_unlock(&s3->lock);
}

void s3_unpin(void *arg)
{
    struct s3_pin *pin = arg;
    pthread_mutex_lock(&pin->s3->lock);
    assert(list_linked(&pin->link));
    list_remove(&pin->link);
    pthread_mutex_unlock(&pin->s3->lock);
}
