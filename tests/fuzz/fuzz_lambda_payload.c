/* The JSON check of invocation payloads: no crash, and nothing that the parser accepts is refused.
 */
// link: weir_svc_lambda
#include <stdint.h>
#include <stdlib.h>

#include "codec/json.h"
#include "svc/lambda/lambda_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str ids[] = {STR_INIT("m1"), STR_INIT("m2")};
    struct str text = str_n((const char *)data, size);
    struct json *doc;
    struct arena a;
    bool failed[2] = {false, false};
    size_t at = SIZE_MAX;

    bool ok = lambda_payload_is_json(text, &at);
    arena_init(&a, 16 * 1024 * 1024);
    if (json_parse(&a, text, &doc, NULL) == ERR_OK && !ok)
        abort();
    if (at > size)
        abort();
    if (lambda_batch_failures(&a, text, ids, 2, failed) == ERR_NOMEM)
        abort();
    arena_release(&a);
    return 0;
}
