/* Names and ARNs of functions and layers: no crash, and what is taken is made again of its parts. */
// link: weir_svc_lambda
#include <stdint.h>
#include <stdlib.h>

#include "base/arn.h"
#include "svc/lambda/lambda_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct key_scope here = {STR("000000000000"), STR("us-east-1")};
    struct str text = str_n((const char *)data, size);
    struct lambda_name fn, fn_again;
    struct lambda_layer_name layer, again;
    struct arena a;

    arena_init(&a, 1024 * 1024);
    if (lambda_name_parse(text, here, &fn) == ERR_OK) {
        struct str arn = lambda_arn(&a, STR("aws"), &fn, fn.qualifier);
        if (lambda_name_parse(arn, here, &fn_again) != ERR_OK || !str_eq(fn.name, fn_again.name) ||
            !str_eq(fn.qualifier, fn_again.qualifier))
            abort();
    }
    if (lambda_layer_name_parse(text, here, &layer) == ERR_OK) {
        struct str arn = lambda_layer_arn(&a, STR("aws"), &layer);
        if (lambda_layer_name_parse(arn, here, &again) != ERR_OK ||
            !str_eq(layer.name, again.name) || layer.number != again.number)
            abort();
    }
    (void)lambda_is_bucket(text);
    arena_release(&a);
    return 0;
}
