/* Models of a description: its definitions, and inline schemas, which get a model of their own.
 * Layer: svc/apigateway, pure. */
#include <assert.h>

#include "svc/apigateway/openapi_int.h"

#define V2_PLACE "#/definitions/"
#define V3_PLACE "#/components/schemas/"

/* The name in a reference to a schema; STR_NONE. */
static struct str name_of(struct str ref)
{
    static const struct str places[] = {STR_INIT(V2_PLACE), STR_INIT(V3_PLACE)};
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (str_starts(ref, places[i]))
            return str_sub(ref, places[i].len, SIZE_MAX);
    return STR_NONE;
}

/* Depth is that of the text, which is bounded. */
static enum err rewrite(struct arena *a, struct json *v, struct str place)
{
    for (struct json *it = v->child; it; it = it->next) {
        bool ref = v->kind == JSON_OBJECT && str_eq_c(it->key, "$ref") && it->kind == JSON_STRING;
        struct str name = ref ? name_of(it->text) : STR_NONE;
        if (str_is_set(name)) {
            it->text = str_fmt(a, STR_FMT STR_FMT, STR_ARG(place), STR_ARG(name));
            if (!str_is_set(it->text))
                return ERR_NOMEM;
        }
        TRY(rewrite(a, it, place));
    }
    return ERR_OK;
}

enum err openapi_schema(struct openapi *o, const struct json *schema, struct json **ret)
{
    struct json *copy = json_copy(o->a, schema);
    if (!copy)
        return ERR_NOMEM;
    copy->key = STR_NONE;
    *ret = copy;
    return o->v3 ? rewrite(o->a, copy, STR(V2_PLACE)) : ERR_OK;
}

static bool is_alphanumeric(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i] | 0x20;
        if (!(c >= 'a' && c <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9'))
            return false;
    }
    return s.len > 0;
}

static enum err add_model(struct openapi *o, struct str name, struct str content_type,
                          const struct json *schema)
{
    struct json *m = json_new(o->a, JSON_OBJECT), *copy;
    struct str id = o->how->new_id(o->a, OPENAPI_PART_ID_LEN);
    struct buf b;
    if (!m || !str_is_set(id))
        return ERR_NOMEM;
    if (o->models->n >= OPENAPI_MEMBERS_MAX)
        return openapi_fault(o, "More than %d models", OPENAPI_MEMBERS_MAX);
    TRY(openapi_schema(o, schema, &copy));
    buf_init_arena(&b, o->a, OPENAPI_BYTES_MAX * 2);
    json_put(&b, copy);
    TRY(buf_err(&b));
    TRY(openapi_set(o, m, "id", id));
    TRY(openapi_set(o, m, "name", name));
    TRY(openapi_set(o, m, "description", openapi_member(o, schema, "description")));
    TRY(openapi_set(o, m, "schema", buf_str(&b)));
    TRY(openapi_set(o, m, "contentType", content_type));
    return json_push(o->models, m);
}

enum err openapi_models(struct openapi *o)
{
    const struct json *components, *all;
    TRY(openapi_object(o, o->root, "components", &components));
    TRY(openapi_object(o, o->v3 ? components : o->root, o->v3 ? "schemas" : "definitions", &all));
    JSON_EACH (all, it) {
        if (!is_alphanumeric(it->key))
            TRY(openapi_fault(o,
                              "Unable to create model for '" STR_FMT
                              "': Model name must be alphanumeric: " STR_FMT,
                              STR_ARG(it->key), STR_ARG(it->key)));
        else if (it->kind != JSON_OBJECT)
            TRY(openapi_fault(o,
                              "Unable to create model for '" STR_FMT "': Invalid model schema "
                              "specified",
                              STR_ARG(it->key)));
        else
            TRY(add_model(o, it->key, STR("application/json"), it));
    }
    return ERR_OK;
}

static bool has_model(const struct openapi *o, struct str name)
{
    JSON_EACH (o->models, it)
        if (str_eq(json_get_str(it, STR("name")), name))
            return true;
    return false;
}

enum err openapi_model_of(struct openapi *o, const struct json *schema, struct str content_type,
                          struct str *ret_name)
{
    *ret_name = STR_NONE;
    if (!schema)
        return ERR_OK;
    struct str ref = json_get_str(schema, STR("$ref"));
    struct str name = name_of(ref);
    if (schema->kind != JSON_OBJECT || (str_is_set(ref) && !str_is_set(name)))
        return openapi_fault(o, "A schema is neither an object nor a reference to a definition");
    if (str_is_set(name) && !has_model(o, name))
        return openapi_fault(o, "Invalid model identifier specified: " STR_FMT, STR_ARG(name));
    if (!str_is_set(name)) {
        struct str id = o->how->new_id(o->a, OPENAPI_PART_ID_LEN);
        name = str_is_set(id) ? str_fmt(o->a, "MODEL" STR_FMT, STR_ARG(id)) : STR_NONE;
        if (!str_is_set(name))
            return ERR_NOMEM;
        TRY(add_model(o, name, content_type, schema));
    }
    *ret_name = name;
    return ERR_OK;
}

enum err openapi_models_at(struct arena *a, struct json *document, struct str place)
{
    struct json *models = json_at(document, STR("models")), *schema;
    for (struct json *it = models ? models->child : NULL; it; it = it->next) {
        struct buf b;
        enum err err = json_parse(a, json_get_str(it, STR("schema")), &schema, NULL);
        assert(err == ERR_OK || err == ERR_NOMEM); /* it was made of a tree */
        TRY(err);
        TRY(rewrite(a, schema, place));
        buf_init_arena(&b, a, OPENAPI_BYTES_MAX * 4);
        json_put(&b, schema);
        TRY(buf_err(&b));
        TRY(json_set(it, STR("schema"), json_new_str(a, buf_str(&b))));
    }
    return ERR_OK;
}
