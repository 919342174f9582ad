/* gzip and zlib streams: whatever unpacks stays within its bounds, gzip packs to what unpacks to the same. */
// link: weir_codec
#include <assert.h>
#include <stdint.h>

#include "codec/gzip.h"

enum { PLAIN_MAX = 4 << 20, AGAIN_MAX = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf plain, packed, again;
    buf_init(&plain, PLAIN_MAX);
    buf_init(&packed, 2 * PLAIN_MAX);
    buf_init(&again, PLAIN_MAX);
    if (gzip_unpack(str_n((const char *)data, size), &plain) == ERR_OK) {
        assert(plain.len <= GZIP_RATIO_FREE || plain.len / GZIP_RATIO_MAX <= size);
        if (plain.len > AGAIN_MAX) /* packing is slow under sanitizers */
            plain.len = AGAIN_MAX;
        assert(gzip_pack(buf_str(&plain), &packed) == ERR_OK);
        enum err e = gzip_unpack(buf_str(&packed), &again);
        assert(e == ERR_LIMIT || (e == ERR_OK && str_eq(buf_str(&plain), buf_str(&again))));
    }
    buf_clear(&again);
    if (zlib_unpack(str_n((const char *)data, size), &again) == ERR_OK)
        assert(again.len <= GZIP_RATIO_FREE || again.len / GZIP_RATIO_MAX <= size);
    buf_release(&plain);
    buf_release(&packed);
    buf_release(&again);
    return 0;
}
