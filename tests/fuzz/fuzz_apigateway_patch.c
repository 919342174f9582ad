/* Paths of API Gateway's patch operations: what is taken apart is the path, put together again. */
// link: weir_svc_apigateway
#include <assert.h>
#include <stdint.h>

#include "svc/apigateway/apigateway_patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct apigateway_patch p = {.path = str_n((const char *)data, size)};
    arena_init(&a, 1 << 20);
    if (apigateway_patch_split(&a, &p) == ERR_OK) {
        size_t at = 0;
        assert(p.n > 0 && p.n <= APIGATEWAY_PATCH_DEPTH);
        for (size_t i = 0; i < p.n; i++) {
            assert(p.path.p[at] == '/' && p.segment[i].len <= p.raw[i].len);
            assert(str_eq(str_sub(p.path, at + 1, p.raw[i].len), p.raw[i]));
            at += 1 + p.raw[i].len;
        }
        assert(at == p.path.len);
    }
    arena_release(&a);
    return 0;
}
