/* Trace headers that come with calls: no crash, and an invocation counts one hop more than what led to it,
 * under a header that can be read back. */
// link: weir_svc_lambda
#include <stdint.h>
#include <stdlib.h>

#include "svc/lambda/lambda_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct lambda_name name = {
        .scope = {STR_INIT("000000000000"), STR_INIT("us-east-1")}, .name = STR_INIT("f")};
    char out[LAMBDA_TRACE_MAX], again[LAMBDA_TRACE_MAX];
    struct str given = str_n((const char *)data, size);
    int hops = lambda_trace_hops(given, &name);
    struct str next = lambda_trace_next(out, given, &name);
    int after = lambda_trace_hops(next, &name);
    if (hops < 0 || after < 1 || (after != hops + 1 && after != hops))
        abort();
    if (lambda_trace_hops(lambda_trace_next(again, next, &name), &name) < after)
        abort();
    if (!str_eq(lambda_trace_longer(given, next, &name), after > hops ? next : given))
        abort();
    return 0;
}
