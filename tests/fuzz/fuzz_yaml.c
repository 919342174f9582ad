/* YAML: every tree is JSON within its bounds, and reads back the same from JSON and from YAML. */
// link: weir_codec
#include <assert.h>
#include <stdint.h>

#include "codec/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str as_json(struct arena *a, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, a, 16 << 20);
    json_put(&b, v);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

static void check(struct arena *a, const struct json *v)
{
    struct json *from_json, *from_yaml;
    struct str json = as_json(a, v);
    struct buf b;
    if (!str_is_set(json))
        return;
    assert(json_parse(a, json, &from_json, NULL) == ERR_OK || a->failed);
    buf_init_arena(&b, a, 64 << 20);
    yaml_put(&b, v);
    if (a->failed || buf_err(&b) != ERR_OK)
        return;
    enum err err = yaml_parse(a, buf_str(&b), false, &from_yaml, NULL);
    if (err == ERR_NOMEM || err == ERR_LIMIT)
        return;
    assert(err == ERR_OK);
    struct str again = as_json(a, from_yaml);
    assert(!str_is_set(again) || str_eq(json, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct json *v;
    struct yaml_fault fault = {0};
    arena_init(&a, 256 << 20);
    for (int tags = 0; tags < 2; tags++) {
        enum err err = yaml_parse(&a, str_n((const char *)data, size), tags == 1, &v, &fault);
        if (err == ERR_OK)
            check(&a, v);
        else
            assert(err == ERR_NOMEM || fault.why);
        arena_clear(&a);
    }
    arena_release(&a);
    return 0;
}
