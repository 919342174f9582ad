/* SAM's transform of any template: ends, says why when it refuses, gives a tree that is JSON, and the
 * same tree again. */
// link: weir_template
#include <assert.h>
#include <stdint.h>

#include "template/sam.h"
#include "template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str as_json(struct arena *a, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, a, 64 << 20);
    json_put(&b, v);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

static void check(struct arena *a, const struct json *tree)
{
    struct sam_world world = {.region = STR("eu-west-1"), .partition = STR("aws")};
    struct sam_fault fault = {STR_NONE};
    struct json *once = NULL, *again = NULL;
    enum err err = sam_transform(a, tree, &world, &once, &fault);
    if (err == ERR_NOMEM)
        return;
    if (err) {
        assert(err == ERR_INVALID || err == ERR_LIMIT || err == ERR_UNSUPPORTED);
        assert(str_is_set(fault.message));
        return;
    }
    assert(once);
    err = sam_transform(a, tree, &world, &again, &fault);
    if (err == ERR_NOMEM)
        return;
    assert(err == ERR_OK);
    struct str first = as_json(a, once), second = as_json(a, again);
    assert(!str_is_set(first) || !str_is_set(second) || str_eq(first, second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct json *tree;
    struct tpl_fault fault;
    arena_init(&a, 256 << 20);
    if (tpl_read(&a, str_n((const char *)data, size), &tree, &fault) == ERR_OK)
        check(&a, tree);
    arena_release(&a);
    return 0;
}
