/* Encoded words: what any value stands for is UTF-8, and is read back as itself when it is written. */
// link: weir_codec
#include <assert.h>
#include <stdint.h>

#include "codec/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct str text, again;
    arena_init(&a, 16 << 20);
    if (mime_words_decode(&a, str_n((const char *)data, size), &text) == ERR_OK) {
        assert(str_is_utf8(text));
        struct str value = mime_words_encode(&a, text);
        if (str_is_set(value) && str_find_str(text, STR("=?")) == SIZE_MAX &&
            mime_words_decode(&a, value, &again) == ERR_OK)
            assert(str_eq(again, text));
    }
    arena_release(&a);
    return 0;
}
