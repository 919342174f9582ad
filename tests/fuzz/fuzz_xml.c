/* XML: every tree is within its bounds, and its text survives writing and reading. */
// link: weir_codec
#include <assert.h>
#include <stdint.h>

#include "codec/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const struct xml *e, size_t depth)
{
    size_t n = 1;
    assert(depth <= XML_DEPTH_MAX && e->text.p);
    XML_EACH(e, it)
    n += walk(it, depth + 1);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct xml *root, *again;
    arena_init(&a, 64 << 20);
    if (xml_parse(&a, str_n((const char *)data, size), &root, NULL) == ERR_OK) {
        assert(walk(root, 1) <= XML_NODES_MAX);
        struct buf b;
        buf_init_arena(&b, &a, 32 << 20);
        xml_put_str(&b, STR("t"), root->text);
        if (buf_err(&b) == ERR_OK && xml_parse(&a, buf_str(&b), &again, NULL) == ERR_OK)
            assert(str_is_utf8(again->text));
    }
    arena_release(&a);
    return 0;
}
