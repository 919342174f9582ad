/* YAML: every tree is JSON within its bounds, and reads back the same from JSON and from YAML; places of scalars are
 * in the text, and one can be replaced there without another value changing. */
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

/* The first that stands in one piece: plain or quoted. */
static struct json *replaceable(struct str text, struct json *v)
{
    if (str_is_set(v->raw))
        assert(v->raw.p >= text.p && v->raw.p + v->raw.len <= text.p + text.len);
    if (v->raw.len && !memchr("&!*|>", v->raw.p[0], 5))
        return v;
    for (struct json *it = v->child, *found; it; it = it->next)
        if ((found = replaceable(text, it)))
            return found;
    return NULL;
}

static void check_places(struct arena *a, struct str text)
{
    struct json *v, *again;
    struct buf b;
    if (yaml_parse_places(a, text, &v, NULL) != ERR_OK)
        return;
    struct json *scalar = replaceable(text, v);
    if (!scalar || memchr(text.p, '*', text.len)) /* aliases would change with it */
        return;
    buf_init_arena(&b, a, 64 << 20);
    buf_add(&b, text.p, (size_t)(scalar->raw.p - text.p));
    buf_add_c(&b, "\"x\"");
    buf_add_str(&b, str_sub(text, (size_t)(scalar->raw.p + scalar->raw.len - text.p), SIZE_MAX));
    scalar->kind = JSON_STRING;
    scalar->text = STR("x");
    enum err err = yaml_parse(a, buf_str(&b), true, &again, NULL);
    if (err == ERR_NOMEM || err == ERR_LIMIT)
        return;
    assert(err == ERR_OK);
    struct str want = as_json(a, v), got = as_json(a, again);
    assert(!str_is_set(want) || !str_is_set(got) || str_eq(want, got));
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
    check_places(&a, str_n((const char *)data, size));
    arena_release(&a);
    return 0;
}
