/* Request validators: required parameters, and bodies against models. See serve.h.
 *
 * Source: API Gateway Developer Guide, "Use request validation in API Gateway".
 * Layer: svc. Thread: pure. */
#include "svc/apigateway/serve.h"

enum { MESSAGE_BYTES_MAX = 64 * 1024 };

struct str serve_param_value(const struct serve_input *in, enum serve_place place, struct str name)
{
    struct str value = STR_NONE;
    switch (place) {
    case SERVE_HEADER:
        return wire_header_get(in->http, name);
    case SERVE_PATH:
        for (size_t i = 0; i < in->route->n_params; i++)
            if (str_eq(in->route->params[i].name, name))
                value = in->route->params[i].value;
        return value;
    case SERVE_QUERY:
        for (size_t i = 0; i < in->n_query; i++)
            if (str_eq(in->query[i].key, name))
                value = str_is_set(in->query[i].value) ? in->query[i].value : STR("");
        return value;
    }
    return value;
}

enum err serve_check_params(struct arena *a, const struct serve_method *m,
                            const struct serve_input *in, struct str *ret_message)
{
    struct buf b;
    bool missing = false;
    if (!m->check_params)
        return ERR_OK;
    buf_init_arena(&b, a, MESSAGE_BYTES_MAX);
    for (size_t i = 0; i < m->n_required; i++) {
        struct str value = serve_param_value(in, m->required[i].place, m->required[i].name);
        if (str_trim(value).len > 0)
            continue;
        buf_add_c(&b, missing ? ", " : "Missing required request parameters: [");
        buf_add_str(&b, m->required[i].name);
        missing = true;
    }
    if (!missing)
        return ERR_OK;
    buf_add_byte(&b, ']');
    if (buf_err(&b) == ERR_NOMEM)
        return ERR_NOMEM;
    *ret_message = buf_str(&b);
    return ERR_INVALID;
}

/* --- bodies ----------------------------------------------------------------------------------- */

static const struct serve_model *model_for(const struct serve_method *m, struct str content_type)
{
    const struct serve_model *otherwise = NULL;
    struct str type = str_trim(str_cut(&content_type, ';'));
    if (type.len == 0)
        type = STR("application/json");
    for (size_t i = 0; i < m->n_models; i++) {
        if (str_eq_nocase(m->models[i].content_type, type))
            return &m->models[i];
        if (str_eq_c(m->models[i].content_type, "$default"))
            otherwise = &m->models[i];
    }
    return otherwise;
}

/* What the validator says where it cannot even begin. */
static enum err no_json(struct str *ret_errors)
{
    *ret_errors = STR("[Invalid JSON]");
    return ERR_INVALID;
}

enum err serve_check_body(struct arena *a, const struct serve_method *m, struct str content_type,
                          struct str body, struct str *ret_errors)
{
    const struct serve_model *model = m->check_body ? model_for(m, content_type) : NULL;
    struct schema_result result;
    struct json *v;
    if (!model)
        return ERR_OK;
    if (!model->schema)
        return ERR_UNSUPPORTED;
    enum err err = json_parse(a, body, &v, NULL);
    if (err)
        return err == ERR_NOMEM ? err : no_json(ret_errors);
    err = schema_validate(model->schema, v, a, &result);
    if (err)
        return err == ERR_NOMEM ? err : no_json(ret_errors);
    if (result.valid)
        return ERR_OK;
    *ret_errors = schema_errors_text(a, &result);
    return str_is_set(*ret_errors) ? ERR_INVALID : ERR_NOMEM;
}
