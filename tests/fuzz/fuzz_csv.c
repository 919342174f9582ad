// link: weir_order_aggregation
/* Any bytes as a CSV file, as each of the three kinds: every row is counted once, as kept or as
 * rejected, and messages of it are made. */
#include <assert.h>
#include <stdint.h>

#include "model.h"

enum { ARENA_BYTES = 64 << 20, OUT_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *arg, enum kind kind, uint64_t line, const char *reason)
{
    uint64_t *n = arg;
    assert(line >= 1 && reason);
    n[kind]++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct model m;
    struct buf out;
    uint64_t rejected[KINDS] = {0};
    struct str text = str_n((const char *)data, size);
    arena_init(&a, ARENA_BYTES);
    buf_init(&out, OUT_MAX);
    model_init(&m, &a, count, rejected);
    for (int k = 0; k < KINDS; k++) {
        enum err err = model_add(&m, (enum kind)k, text);
        assert(err == ERR_OK || err == ERR_INVALID);
        if (err == ERR_OK)
            assert(m.rows[k] == m.n[k] + m.rejects[k]);
        assert(m.rejects[k] == rejected[k]);
    }
    for (size_t i = 0; i < m.n[KIND_CUSTOMERS]; i++)
        model_put_message(&m, i, &out);
    buf_release(&out);
    model_release(&m);
    arena_release(&a);
    return 0;
}
