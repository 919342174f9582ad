/* API descriptions: whatever is read is a document that can be told again, and that reads back. */
// link: weir_svc_apigateway
#include <assert.h>
#include <stdint.h>

#include "svc/apigateway/openapi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned ids;

static struct str count_id(struct arena *a, size_t len)
{
    return str_fmt(a, "id%0*u", (int)len - 2, ++ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int base = OPENAPI_BASE_IGNORE; base <= OPENAPI_BASE_SPLIT; base++) {
        const struct openapi_how how = {(enum openapi_base)base, count_id};
        struct openapi_read r = {0};
        struct arena a;
        struct buf b;
        ids = 0;
        arena_init(&a, 256 << 20);
        enum err err = openapi_import(&a, str_n((const char *)data, size), &how, &r);
        if (err == ERR_OK) {
            buf_init_arena(&b, &a, 64 << 20);
            json_put(&b, r.document);
            json_put(&b, r.warnings);
            assert(r.warnings->n <= OPENAPI_FAULTS_MAX);
        } else {
            assert(err == ERR_NOMEM || str_is_set(r.fault));
        }
        arena_release(&a);
    }
    return 0;
}
