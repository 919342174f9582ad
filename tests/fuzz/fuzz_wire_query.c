/* Form bodies of the query protocol. First byte: which service signs the request. */
// link: weir_wire_stubs
#include "fuzz_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const scopes[] = {"sqs", "iam", "sts", NULL};
    if (size == 0)
        return 0;
    struct wire_header headers[] = {{STR("Content-Type"), STR("application/x-www-form-urlencoded")},
                                    {STR("Host"), STR("localhost:4566")}};
    struct wire_request req = {.method = STR("POST"),
                               .path = STR("/000000000000/q"),
                               .headers = headers,
                               .n_headers = 2,
                               .body = str_n((const char *)data + 1, size - 1)};
    fuzz_request(&req, scopes[data[0] % ARRAY_LEN(scopes)]);
    return 0;
}
