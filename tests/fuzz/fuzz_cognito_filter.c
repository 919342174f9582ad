/* Filters of ListUsers: what parses has a known attribute, and matches its own value. */
// link: weir_svc_cognito weir_kv_drv_fault
#include <assert.h>
#include <stdint.h>

#include "svc/cognito/cognito_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct cognito_filter f;
    arena_init(&a, 1024 * 1024);
    if (cognito_filter_parse(&a, str_n((const char *)data, size), &f) == ERR_OK &&
        str_is_set(f.attribute)) {
        assert(f.attribute.len > 0 && f.value.len < size);
        assert(cognito_filter_match(&f, f.value, false) && cognito_filter_match(&f, f.value, true));
        assert(!cognito_filter_match(&f, STR_NONE, false));
    }
    arena_release(&a);
    return 0;
}
