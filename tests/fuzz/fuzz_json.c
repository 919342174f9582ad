/* JSON: what parses must write and parse again to the same text; nothing may crash or leak. */
// link: weir_codec
#include <assert.h>
#include <stdint.h>

#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct json *v, *again;
    struct buf first, second;
    arena_init(&a, 64 << 20);
    buf_init(&first, 64 << 20);
    buf_init(&second, 64 << 20);
    if (json_parse(&a, str_n((const char *)data, size), &v, NULL) == ERR_OK) {
        json_put(&first, v);
        if (json_parse(&a, buf_str(&first), &again, NULL) == ERR_OK) {
            json_put(&second, again);
            assert(str_eq(buf_str(&first), buf_str(&second)));
        } else {
            assert(a.used > a.limit / 2);
        }
        int64_t i;
        double f;
        if (json_to_i64(v, &i) == ERR_OK)
            assert(json_to_f64(v, &f) == ERR_OK);
    }
    buf_release(&first);
    buf_release(&second);
    arena_release(&a);
    return 0;
}
