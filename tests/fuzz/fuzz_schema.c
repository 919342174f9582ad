/* JSON Schema: the first line is a schema, the rest a value. */
// link: weir_lang
#include <assert.h>
#include <stdint.h>

#include "lang/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    const struct schema *s;
    struct json *v;
    struct schema_result r;
    struct str message = STR_NONE;
    struct str rest = str_n((const char *)data, size);
    struct str text = str_cut(&rest, '\n');
    arena_init(&a, 32 << 20);
    enum err e = schema_compile(&a, text, STR("http://h/a/b?q"), NULL, &s, &message);
    assert(e != ERR_INVALID || str_is_set(message));
    if (e == ERR_OK && json_parse(&a, rest, &v, NULL) == ERR_OK &&
        schema_validate(s, v, &a, &r) == ERR_OK)
        assert(r.valid == (r.n == 0));
    arena_release(&a);
    return 0;
}
