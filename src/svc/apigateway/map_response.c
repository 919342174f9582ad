/* Which integration response answers. */
#include <stdlib.h>

#include "lang/regex.h"
#include "svc/apigateway/map_int.h"

enum { RESPONSES_MAX = 1000 };

static int by_status(const void *a, const void *b)
{
    const struct map_response *x = a, *y = b;
    return x->status_code - y->status_code;
}

/* A pattern that is no regular expression matches nothing (MP2). */
static enum err compile(struct arena *a, const struct json *json, struct map_response *r)
{
    int64_t code = 0;
    const struct regex *re = NULL;
    struct str pattern = json_get_str(json, STR("selectionPattern"));
    r->json = json;
    r->status = json->key;
    if (str_to_i64(json->key, &code) == ERR_OK && code > 0 && code < 1000)
        r->status_code = (int)code;
    r->is_default = pattern.len == 0;
    if (!r->is_default) {
        enum err err = regex_compile(a, pattern, &re);
        if (err == ERR_NOMEM)
            return err;
        r->pattern = err == ERR_OK ? re : NULL;
    }
    TRY(map_parameters_compile(a, json_get(json, STR("responseParameters")), &r->parameters));
    return map_templates_compile(a, json_get(json, STR("responseTemplates")), &r->templates);
}

enum err map_responses_compile(struct arena *a, const struct json *responses,
                               struct map_responses *ret_responses)
{
    size_t n = responses && responses->kind == JSON_OBJECT ? responses->n : 0, i = 0;
    if (n > RESPONSES_MAX)
        return ERR_LIMIT;
    struct map_response *v = ARENA_ARRAY(a, struct map_response, n);
    if (!v)
        return ERR_NOMEM;
    JSON_EACH (n ? responses : NULL, it)
        TRY(compile(a, it, &v[i++]));
    if (n)
        qsort(v, n, sizeof(*v), by_status);
    *ret_responses = (struct map_responses){v, n};
    return ERR_OK;
}

const struct map_response *map_responses_select(const struct map_responses *responses,
                                                struct str text)
{
    const struct map_response *fallback = NULL;
    for (size_t i = 0; i < responses->n; i++) {
        const struct map_response *r = &responses->v[i];
        bool yes = false;
        if (r->is_default)
            fallback = fallback ? fallback : r;
        else if (r->pattern && str_is_set(text) &&
                 regex_is_match(r->pattern, text, REGEX_FULL, &yes) == ERR_OK && yes)
            return r;
    }
    return fallback;
}
