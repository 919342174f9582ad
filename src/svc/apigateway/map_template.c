/* Which template a body takes. */
#include "svc/apigateway/map_int.h"

enum { TEMPLATES_MAX = 100 };

static const char JSON_TYPE[] = "application/json";

/* A media type without parameters. */
static struct str bare(struct str type)
{
    struct str first = str_trim(str_cut(&type, ';'));
    return first.len ? first : str_c(JSON_TYPE);
}

static enum err compile(struct arena *a, const struct json *json, struct map_template *t)
{
    struct vtl_error error = {0};
    struct str text = json->kind == JSON_STRING ? json->text : STR_NONE;
    t->content_type = str_lower(a, bare(json->key));
    if (!str_is_set(t->content_type))
        return ERR_NOMEM;
    t->passes = text.len == 0;
    if (t->passes)
        return ERR_OK;
    enum err err = vtl_parse(a, text, &t->vtl, &error);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK) {
        t->vtl = NULL;
        t->fault = (struct map_fault){
            .message = error.message, .line = error.line, .column = error.column};
    }
    return ERR_OK;
}

enum err map_templates_compile(struct arena *a, const struct json *templates,
                               struct map_templates *ret_templates)
{
    size_t n = templates && templates->kind == JSON_OBJECT ? templates->n : 0, i = 0;
    if (n > TEMPLATES_MAX)
        return ERR_LIMIT;
    struct map_template *v = ARENA_ARRAY(a, struct map_template, n);
    if (!v)
        return ERR_NOMEM;
    JSON_EACH (n ? templates : NULL, it)
        TRY(compile(a, it, &v[i++]));
    *ret_templates = (struct map_templates){v, n};
    return ERR_OK;
}

enum map_passthrough map_passthrough_of(struct str text)
{
    return str_eq_c(text, "NEVER")               ? MAP_NEVER
           : str_eq_c(text, "WHEN_NO_TEMPLATES") ? MAP_WHEN_NO_TEMPLATES
                                                 : MAP_WHEN_NO_MATCH;
}

static const struct map_template *find(const struct map_templates *templates, struct str type)
{
    for (size_t i = 0; i < templates->n; i++)
        if (str_eq_nocase(templates->v[i].content_type, type))
            return &templates->v[i];
    return NULL;
}

enum err map_choose_request(const struct map_templates *templates, struct str content_type,
                            enum map_passthrough passthrough,
                            const struct map_template **ret_template)
{
    const struct map_template *t = find(templates, bare(content_type));
    if (!t && (passthrough == MAP_NEVER || (passthrough == MAP_WHEN_NO_TEMPLATES && templates->n)))
        return ERR_UNSUPPORTED;
    *ret_template = t && !t->passes ? t : NULL;
    return ERR_OK;
}

const struct map_template *map_choose_response(const struct map_templates *templates,
                                               struct str content_type)
{
    const struct map_template *t = find(templates, bare(content_type));
    t = t ? t : find(templates, str_c(JSON_TYPE));
    t = t || templates->n == 0 ? t : &templates->v[0];
    return t && !t->passes ? t : NULL;
}
