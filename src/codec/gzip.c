/* gzip over zlib. See gzip.h.
 *
 * Layer: codec. Thread: pure. */
#include "codec/gzip.h"

#include <assert.h>
#include <limits.h>
#include <zlib.h>

#include "base/mem.h"

enum {
    GZIP_WRAPPER = 16, /* added to zlib's windowBits: the gzip format */
    WINDOW_BITS = 15,
    PACK_WINDOW_BITS = 13, /* 8 KiB: replies are small, and state is made anew for each */
    PACK_MEMORY = 6,
    STEP_FIRST = 4 * 1024,
    STEP_MAX = 256 * 1024,
};

static void *state_alloc(void *ctx, unsigned n, unsigned size)
{
    return mem_calloc(n, size);
}

static void state_free(void *ctx, void *p)
{
    mem_free(p);
}

/* Room for the next output: what is there already, again, within bounds. */
static enum err grow(struct buf *out, z_stream *z)
{
    size_t step = out->len < STEP_FIRST ? STEP_FIRST : min_size(out->len, STEP_MAX);
    assert(out->len <= out->max);
    step = min_size(step, out->max - out->len);
    if (step == 0)
        return ERR_LIMIT;
    z->next_out = (Bytef *)buf_reserve(out, step);
    z->avail_out = (uInt)step;
    return z->next_out ? ERR_OK : buf_err(out);
}

static void feed(z_stream *z, struct str *in)
{
    if (z->avail_in > 0 || in->len == 0)
        return;
    size_t n = min_size(in->len, INT_MAX);
    z->next_in = (Bytef *)(uintptr_t)in->p;
    z->avail_in = (uInt)n;
    *in = str_sub(*in, n, SIZE_MAX);
}

/* Whether all that was fed so far grew out of proportion (GZ2). */
static bool is_bomb(size_t fed, size_t made)
{
    return made > GZIP_RATIO_FREE && made / GZIP_RATIO_MAX > fed;
}

/* One step; *ret_end: the end of a member. */
static enum err unpack_step(z_stream *z, struct buf *out, bool *ret_end)
{
    TRY(grow(out, z));
    uInt room = z->avail_out, had = z->avail_in;
    int rc = inflate(z, Z_NO_FLUSH);
    assert(z->avail_out <= room && z->avail_in <= had);
    buf_grew(out, room - z->avail_out);
    *ret_end = rc == Z_STREAM_END;
    if (rc == Z_MEM_ERROR)
        return ERR_NOMEM;
    if (rc != Z_OK && rc != Z_STREAM_END)
        return ERR_INVALID;
    /* Neither read nor written: the input ended within a member. */
    return rc == Z_OK && z->avail_out == room && z->avail_in == had ? ERR_INVALID : ERR_OK;
}

static enum err unpack(z_stream *z, struct str in, int members_max, struct buf *out)
{
    size_t before = out->len, total = in.len;
    int members = 0;
    do {
        bool end;
        feed(z, &in);
        TRY(unpack_step(z, out, &end));
        assert(out->len >= before && total >= in.len + z->avail_in);
        if (is_bomb(total - in.len - z->avail_in, out->len - before))
            return ERR_LIMIT;
        if (!end)
            continue;
        if (++members > GZIP_MEMBERS_MAX)
            return ERR_LIMIT;
        if (in.len == 0 && z->avail_in == 0)
            return ERR_OK;
        if (members == members_max)
            return ERR_INVALID; /* something follows the stream */
        if (inflateReset(z) != Z_OK)
            return ERR_INVALID;
    } while (true);
}

static enum err unpack_as(int window_bits, int members_max, struct str in, struct buf *out)
{
    z_stream z = {.zalloc = state_alloc, .zfree = state_free};
    if (inflateInit2(&z, window_bits) != Z_OK)
        return ERR_NOMEM;
    enum err err = unpack(&z, in, members_max, out);
    inflateEnd(&z);
    return err;
}

enum err gzip_unpack(struct str in, struct buf *out)
{
    return unpack_as(WINDOW_BITS + GZIP_WRAPPER, INT_MAX, in, out);
}

enum err zlib_unpack(struct str in, struct buf *out)
{
    return unpack_as(WINDOW_BITS, 1, in, out);
}

static enum err pack(z_stream *z, struct str in, struct buf *out)
{
    int rc = Z_OK;
    while (rc != Z_STREAM_END) {
        feed(z, &in);
        TRY(grow(out, z));
        uInt room = z->avail_out;
        rc = deflate(z, in.len == 0 ? Z_FINISH : Z_NO_FLUSH);
        buf_grew(out, room - z->avail_out);
        if (rc == Z_STREAM_ERROR)
            return ERR_NOMEM;
    }
    return ERR_OK;
}

enum err gzip_pack(struct str in, struct buf *out)
{
    z_stream z = {.zalloc = state_alloc, .zfree = state_free};
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, PACK_WINDOW_BITS + GZIP_WRAPPER, PACK_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return ERR_NOMEM;
    enum err err = pack(&z, in, out);
    deflateEnd(&z);
    return err;
}
