/* Which bodies are bytes, and how they become text and back. See serve.h.
 *
 * Source: API Gateway Developer Guide, "Content type conversions in API Gateway".
 * Layer: svc. Thread: pure. */
#include "svc/apigateway/serve.h"

/* "*" + "/" + "*", "image/" + "*", or the very type. */
static bool type_matches(struct str pattern, struct str type)
{
    struct str pattern_sub = pattern, type_sub = type;
    struct str pattern_main = str_cut(&pattern_sub, '/'), type_main = str_cut(&type_sub, '/');
    return str_is_set(type_sub) &&
           (str_eq_c(pattern_main, "*") || str_eq_nocase(pattern_main, type_main)) &&
           (str_eq_c(pattern_sub, "*") || str_eq_nocase(pattern_sub, type_sub));
}

bool serve_is_binary(const struct serve_api *api, struct str media_type)
{
    struct str type = str_trim(str_cut(&media_type, ';'));
    for (size_t i = 0; i < api->n_binary; i++) {
        bool any = str_eq_c(api->binary[i], "*/*");
        if (any || (type.len > 0 && type_matches(api->binary[i], type)))
            return true;
    }
    return false;
}
