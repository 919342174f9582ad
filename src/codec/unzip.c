/* Piecewise unpacking over zlib and zstd. See unzip.h. */
#include "codec/unzip.h"

#include <assert.h>
#include <limits.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/mem.h"

enum { GZIP_WINDOW_BITS = 15 + 16 /* zlib's way to ask for the gzip format */ };

struct unzip {
    enum unzip_kind kind;
    z_stream gzip;
    ZSTD_DStream *zstd;
    bool inside; /* of a member or frame */
};

static void *state_alloc(void *ctx, unsigned n, unsigned size)
{
    return mem_calloc(n, size);
}

static void state_free(void *ctx, void *p)
{
    mem_free(p);
}

static bool open_kind(struct unzip *z)
{
    if (z->kind == UNZIP_GZIP) {
        z->gzip = (z_stream){.zalloc = state_alloc, .zfree = state_free};
        return inflateInit2(&z->gzip, GZIP_WINDOW_BITS) == Z_OK;
    }
    if (z->kind == UNZIP_NONE)
        return true;
    z->zstd = ZSTD_createDStream();
    return z->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(z->zstd, ZSTD_d_windowLogMax,
                                                           UNZIP_WINDOW_LOG_MAX));
}

struct unzip *unzip_new(enum unzip_kind kind)
{
    struct unzip *z = mem_calloc(1, sizeof(*z));
    if (!z)
        return NULL;
    z->kind = kind;
    if (open_kind(z))
        return z;
    if (z->zstd)
        ZSTD_freeDStream(z->zstd);
    mem_free(z);
    return NULL;
}

void unzip_free(struct unzip *z)
{
    if (!z)
        return;
    if (z->kind == UNZIP_GZIP)
        inflateEnd(&z->gzip);
    if (z->zstd)
        ZSTD_freeDStream(z->zstd);
    mem_free(z);
}

bool unzip_may_end(const struct unzip *z)
{
    return !z->inside;
}

/* Both: what is taken of `in` is dropped from it; *ret_made bytes are at `to`. *ret_stuck: nothing more comes of this
 * input. */
static enum err gzip_step(struct unzip *z, struct str *in, char *to, size_t room, size_t *ret_made,
                          bool *ret_stuck)
{
    size_t n = min_size(in->len, INT_MAX), max = min_size(room, INT_MAX);
    if (!z->inside && n == 0) {
        *ret_stuck = true;
        return ERR_OK;
    }
    z->gzip.next_in = (Bytef *)(uintptr_t)in->p;
    z->gzip.avail_in = (uInt)n;
    z->gzip.next_out = (Bytef *)to;
    z->gzip.avail_out = (uInt)max;
    int rc = inflate(&z->gzip, Z_NO_FLUSH);
    size_t took = n - z->gzip.avail_in;
    *ret_made = max - z->gzip.avail_out;
    *in = str_sub(*in, took, SIZE_MAX);
    if (rc == Z_MEM_ERROR)
        return ERR_NOMEM;
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return ERR_INVALID;
    z->inside = rc != Z_STREAM_END;
    if (rc == Z_STREAM_END && inflateReset(&z->gzip) != Z_OK)
        return ERR_INVALID;
    *ret_stuck = took == 0 && *ret_made == 0;
    return ERR_OK;
}

static enum err zstd_step(struct unzip *z, struct str *in, char *to, size_t room, size_t *ret_made,
                          bool *ret_stuck)
{
    ZSTD_inBuffer from = {in->p, in->len, 0};
    ZSTD_outBuffer out = {to, room, 0};
    if (!z->inside && in->len == 0) {
        *ret_stuck = true;
        return ERR_OK;
    }
    size_t rc = ZSTD_decompressStream(z->zstd, &out, &from);
    if (ZSTD_isError(rc))
        return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? ERR_NOMEM : ERR_INVALID;
    *in = str_sub(*in, from.pos, SIZE_MAX);
    *ret_made = out.pos;
    z->inside = rc != 0; /* 0: a frame is through, and all of it is out */
    *ret_stuck = from.pos == 0 && out.pos == 0;
    return ERR_OK;
}

enum err unzip_step(struct unzip *z, struct str *in, struct buf *out, size_t room)
{
    bool stuck = false;
    if (z->kind == UNZIP_NONE) {
        size_t n = min_size(in->len, room);
        buf_add(out, in->p, n);
        *in = str_sub(*in, n, SIZE_MAX);
        return buf_err(out);
    }
    while (room > 0 && !stuck) {
        size_t made = 0;
        char *to = buf_reserve(out, room);
        if (!to)
            return buf_err(out);
        TRY(z->kind == UNZIP_GZIP ? gzip_step(z, in, to, room, &made, &stuck)
                                  : zstd_step(z, in, to, room, &made, &stuck));
        assert(made <= room);
        buf_grew(out, made);
        room -= made;
    }
    return ERR_OK;
}
