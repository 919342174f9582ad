/* JSONPath: the first line is a path, the rest a value. */
// link: weir_lang
#include <assert.h>
#include <stdint.h>

#include "lang/jsonpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    const struct jsonpath *p;
    struct json *root;
    const struct json *v;
    size_t at = 0;
    struct str rest = str_n((const char *)data, size);
    struct str text = str_cut(&rest, '\n');
    arena_init(&a, 64 << 20);
    enum err e = jsonpath_compile(&a, text, &p, &at);
    assert(at <= text.len);
    if (e == ERR_OK && json_parse(&a, rest, &root, NULL) == ERR_OK &&
        jsonpath_eval(p, root, &a, &v) == ERR_OK) {
        struct buf b;
        buf_init(&b, 64 << 20);
        json_put(&b, v);
        buf_release(&b);
    }
    arena_release(&a);
    return 0;
}
