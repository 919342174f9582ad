/* Compressed streams in pieces. The first byte says the format, the second the pieces: whatever unpacks does so to the same
 * bytes however it is cut, and within the room that was given. */
// link: weir_codec
#include <assert.h>
#include <stdint.h>

#include "codec/unzip.h"

enum { PLAIN_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All of it, or as much as PLAIN_MAX takes. */
static enum err run(enum unzip_kind kind, struct str in, size_t piece, size_t room, struct buf *out)
{
    struct unzip *z = unzip_new(kind);
    enum err err = ERR_OK;
    assert(z);
    while (in.len > 0 && !err) {
        struct str part = str_sub(in, 0, piece);
        in = str_sub(in, part.len, SIZE_MAX);
        size_t before;
        do {
            before = out->len;
            size_t most = PLAIN_MAX - out->len < room ? PLAIN_MAX - out->len : room;
            err = unzip_step(z, &part, out, most);
            assert(out->len - before <= most);
        } while (!err && out->len > before && out->len < PLAIN_MAX);
        if (out->len == PLAIN_MAX)
            break;
        assert(err || part.len == 0);
    }
    if (!err && out->len < PLAIN_MAX && !unzip_may_end(z))
        err = ERR_INVALID;
    unzip_free(z);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole, parts;
    if (size < 2)
        return 0;
    struct str in = str_n((const char *)data + 2, size - 2);
    enum unzip_kind kind = (enum unzip_kind)(data[0] % UNZIP_KINDS);
    buf_init(&whole, PLAIN_MAX + 1);
    buf_init(&parts, PLAIN_MAX + 1);
    enum err first = run(kind, in, SIZE_MAX, PLAIN_MAX, &whole);
    enum err second = run(kind, in, 1 + data[1], 512 + 64 * data[1], &parts);
    /* zstd forgives a frame without content a wrong size of it, when it comes in pieces. */
    assert(kind == UNZIP_ZSTD || (first == ERR_OK) == (second == ERR_OK));
    assert(first || second || str_eq(buf_str(&whole), buf_str(&parts)));
    buf_release(&whole);
    buf_release(&parts);
    return 0;
}
