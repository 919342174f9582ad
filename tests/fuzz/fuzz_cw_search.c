/* What SEARCH() looks for: what parses can be asked of metrics, and the same twice is the same. */
// link: weir_svc_cloudwatch
#include <assert.h>
#include <stdint.h>

#include "svc/cloudwatch/cw_search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cw_dim dims[] = {{STR_INIT("FunctionName"), STR_INIT("my-function_1")},
                               {STR_INIT("Resource"), STR_INIT("my-function_1:Live")}};
static const struct cw_metric metrics[] = {
    {STR_INIT("AWS/Lambda"), STR_INIT("SDBFailure2"), dims, 2},
    {STR_INIT("AWS/Lambda"), STR_INIT("Errors"), dims, 1},
    {STR_INIT("x"), STR_INIT("CustomCount1"), NULL, 0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct cw_search search, again;
    const char *why;
    struct str text = str_n((const char *)data, size);
    arena_init(&a, 64 << 20);
    enum err err = cw_search_parse(&a, text, &search, &why);
    assert(err != ERR_INVALID || why);
    if (err == ERR_OK && cw_search_parse(&a, text, &again, &why) == ERR_OK)
        for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
            assert(cw_search_matches(&search, STR("000000000000"), &metrics[i]) ==
                   cw_search_matches(&again, STR("000000000000"), &metrics[i]));
    arena_release(&a);
    return 0;
}
