/* API definitions (OpenAPI 2 and 3): paths and methods, also those under Fn::If, and what Api events and
 * Cors add to them.
 *
 * Layer: template. Thread: pure. */
#include "template/sam_int.h"

static const char any_method[] = "x-amazon-apigateway-any-method";

struct str sam_method_name(struct sam *s, struct str method)
{
    struct str lower = str_lower(s->a, method);
    return str_eq_c(lower, "any") ? str_c(any_method) : lower;
}

bool sam_is_method(struct str name)
{
    static const char *const names[] = {"get",  "put",   "post",  "delete",  "options",
                                        "head", "patch", "trace", any_method};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_c(names[i])))
            return true;
    return false;
}

/* Whether a body is a definition at all. */
bool sam_definition_valid(const struct json *body)
{
    const struct json *paths = SAM_GET(body, "paths");
    if (!sam_map(body) || sam_intrinsic(body) || !sam_map(paths))
        return false;
    return sam_true(SAM_GET(body, "swagger")) ||
           (sam_text(SAM_GET(body, "openapi")) && SAM_GET(body, "openapi")->text.p[0] == '3') ||
           (sam_is(SAM_GET(body, "openapi"), JSON_NUMBER) &&
            SAM_GET(body, "openapi")->text.p[0] == '3');
}

/* The one or two things that a value is: itself, or the branches of Fn::If. */
static enum err branches(struct sam *s, struct json *v, struct json *ret_v[2])
{
    struct json *args = sam_map(v) ? SAM_AT(v, "Fn::If") : NULL;
    ret_v[0] = args ? NULL : v;
    ret_v[1] = NULL;
    if (!args)
        return ERR_OK;
    if (!sam_list(args))
        return sam_bad_document(s, "Value of Fn::If must be a list.");
    for (struct json *it = args->child ? args->child->next : NULL, **to = ret_v;
         it && to < ret_v + 2; it = it->next, to++)
        *to = sam_no_value(it) ? NULL : it;
    return ERR_OK;
}

enum err sam_path_items(struct sam *s, struct json *body, struct sam_part **ret_items,
                        size_t *ret_n)
{
    struct json *paths = SAM_AT(body, "paths");
    size_t n = 0, max = 2 * (size_t)(sam_map(paths) ? paths->n : 0) + 1;
    struct sam_part *items = ARENA_ARRAY(s->a, struct sam_part, max);
    if (!items)
        return ERR_NOMEM;
    struct sam_members all = sam_in_order(s, sam_map(paths) ? paths : NULL);
    for (size_t k = 0; k < all.n; k++) {
        struct json *it = all.v[k], *found[2];
        TRY(branches(s, it, found));
        for (size_t i = 0; i < 2; i++) {
            if (!found[i])
                continue;
            if (!sam_map(found[i]))
                return sam_bad_document(s,
                                        "Value of '" STR_FMT
                                        "' path must be a dictionary according to Swagger spec.",
                                        STR_ARG(it->key));
            items[n++] = (struct sam_part){it->key, found[i]};
        }
    }
    *ret_items = items;
    *ret_n = n;
    return ERR_OK;
}

enum err sam_methods(struct sam *s, const struct sam_part *item, struct sam_part **ret_methods,
                     size_t *ret_n)
{
    size_t n = 0;
    struct sam_part *methods = ARENA_ARRAY(s->a, struct sam_part, 2 * (size_t)item->v->n + 1);
    if (!methods)
        return ERR_NOMEM;
    struct sam_members all = sam_in_order(s, item->v);
    for (size_t k = 0; k < all.n; k++) {
        struct json *it = all.v[k], *found[2];
        if (!sam_is_method(it->key))
            continue;
        TRY(branches(s, it, found));
        for (size_t i = 0; i < 2; i++)
            if (found[i])
                methods[n++] = (struct sam_part){it->key, found[i]};
    }
    *ret_methods = methods;
    *ret_n = n;
    return ERR_OK;
}

/* --- events -------------------------------------------------------------------------------------- */

struct json *sam_add_path(struct sam *s, struct json *body, struct str path, struct str method)
{
    struct json *paths = SAM_AT(body, "paths"), *found[2];
    bool any = str_eq_c(method, any_method);
    if (!paths || paths->kind == JSON_NULL) {
        sam_set(s, body, "paths", json_new(s->a, JSON_OBJECT));
        paths = SAM_AT(body, "paths");
    }
    struct json *item = sam_map_at(s, paths, path);
    if (!item || branches(s, item, found) != ERR_OK)
        return NULL;
    item = found[0] ? found[0] : found[1];
    if (item && item->kind == JSON_NULL)
        item->kind = JSON_OBJECT;
    if (item && !json_at(item, method)) {
        if (any)
            sam_set(s, item, any_method, json_new(s->a, JSON_OBJECT));
        else
            sam_put(s, item, method, json_new(s->a, JSON_OBJECT));
    }
    struct json *v = item ? json_at(item, method) : NULL;
    if (v && v->kind == JSON_NULL)
        v->kind = JSON_OBJECT;
    return v;
}

/* --- Cors ------------------------------------------------------------------------------------------- */

struct cors {
    const struct json *origin, *headers, *methods, *max_age, *credentials;
};

/* "'DELETE,GET,OPTIONS'": what the path has, by its members' names. */
static struct json *allowed_methods(struct sam *s, const struct json *item)
{
    static const char *const all[] = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};
    struct json *names = json_new(s->a, JSON_ARRAY);
    struct buf b;
    buf_init_arena(&b, s->a, 64 * 1024);
    if (json_get(item, str_c(any_method))) {
        for (size_t i = 0; i < ARRAY_LEN(all); i++)
            sam_push(s, names, sam_new_str(s, str_c(all[i])));
    } else {
        sam_push(s, names, sam_make(s, "'OPTIONS'"));
        JSON_EACH (item, it)
            sam_push(s, names, sam_new_str(s, sam_upper(s, it->key)));
    }
    buf_add_byte(&b, '\'');
    for (struct str last = STR_NONE;;) {
        const struct json *least = NULL;
        JSON_EACH (names, it)
            if ((!str_is_set(last) || str_cmp(it->text, last) > 0) &&
                (!least || str_cmp(it->text, least->text) < 0))
                least = it;
        if (!least)
            break;
        buf_add_c(&b, str_is_set(last) ? "," : "");
        buf_add_str(&b, least->text);
        last = least->text;
    }
    buf_add_byte(&b, '\'');
    return sam_make(s, "%o", buf_str(&b));
}

/* A header of the answer with its type, where it has a value. */
static void header(struct sam *s, struct json *headers, struct json *parameters, const char *name,
                   const struct json *value)
{
    bool age = !strcmp(name, "Max-Age");
    if (age ? !value || value->kind == JSON_NULL : !sam_true(value))
        return;
    struct json *type =
        sam_keep_order(sam_make(s, "{'type': %o}", age ? STR("integer") : STR("string")));
    sam_set(s, headers, str_fmt(s->a, "Access-Control-%s", name).p, type);
    sam_set(s, parameters, str_fmt(s->a, "method.response.header.Access-Control-%s", name).p,
            sam_copy(s, value));
}

static struct json *preflight(struct sam *s, const struct cors *c, const struct json *item)
{
    struct json *headers = json_new(s->a, JSON_OBJECT), *parameters = json_new(s->a, JSON_OBJECT);
    struct json *credentials = NULL;
    struct json *methods =
        sam_true(c->methods) ? sam_copy(s, c->methods) : allowed_methods(s, item);
    if (sam_bool(c->credentials, true))
        credentials = sam_make(s, "%o", STR("'true'"));
    header(s, headers, parameters, "Allow-Origin", c->origin);
    header(s, headers, parameters, "Allow-Headers", c->headers);
    header(s, headers, parameters, "Allow-Methods", methods);
    header(s, headers, parameters, "Max-Age", c->max_age);
    header(s, headers, parameters, "Allow-Credentials", credentials);
    return sam_make(
        s,
        "{'summary': 'CORS support', 'consumes': ['application/json'], 'produces': "
        "['application/json'], 'x-amazon-apigateway-integration': {'type': 'mock', "
        "'requestTemplates': {'application/json': %o}, 'responses': {'default': {'statusCode': "
        "'200', 'responseParameters': %v, 'responseTemplates': {'application/json': %o}}}}, "
        "'responses': {'200': {'description': 'Default response for CORS method', 'headers': %v}}}",
        STR("{\n  \"statusCode\" : 200\n}\n"), parameters, STR("{}\n"), headers);
}

static enum err read_cors(struct sam *s, const struct json *given, struct cors *c)
{
    *c = (struct cors){.origin = given};
    if (sam_text(given) || sam_intrinsic(given))
        return ERR_OK;
    if (!sam_map(given))
        return sam_bad(s, "Invalid value for 'Cors' property");
    static const char *const names[] = {"AllowMethods", "AllowHeaders", "AllowOrigin", "MaxAge",
                                        "AllowCredentials"};
    JSON_EACH (given, it) {
        bool known = false;
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            known = known || str_eq_c(it->key, names[i]);
        if (!known)
            return sam_bad(s, "Invalid value for 'Cors' property");
    }
    const struct json *origin = SAM_GET(given, "AllowOrigin");
    *c = (struct cors){origin ? origin : sam_make(s, "%o", STR("'*'")),
                       SAM_GET(given, "AllowHeaders"), SAM_GET(given, "AllowMethods"),
                       SAM_GET(given, "MaxAge"), SAM_GET(given, "AllowCredentials")};
    return ERR_OK;
}

enum err sam_add_cors(struct sam *s, struct json *body, const struct json *given)
{
    struct cors c;
    struct sam_part *items;
    size_t n;
    TRY(read_cors(s, given, &c));
    if (sam_bool(c.credentials, true) && sam_eq(c.origin, "'*'"))
        return sam_bad(
            s, "Unable to add Cors configuration because 'AllowCredentials' can not be true when "
               "'AllowOrigin' is \"'*'\" or not set");
    if (!sam_true(c.origin))
        return sam_bad(s, "Structure of the SAM template is invalid. Invalid input. Value for "
                          "AllowedOrigins is required");
    TRY(sam_path_items(s, body, &items, &n));
    for (size_t i = 0; i < n; i++)
        if (!json_get(items[i].v, STR("options")))
            sam_set(s, items[i].v, "options", preflight(s, &c, items[i].v));
    return ERR_OK;
}

struct str sam_path_pattern(struct sam *s, struct str path)
{
    struct buf b;
    buf_init_arena(&b, s->a, 64 * 1024);
    for (size_t i = 0; i < path.len; i++) {
        size_t end = path.p[i] == '{' ? str_find(str_sub(path, i, SIZE_MAX), '}') : SIZE_MAX;
        buf_add_byte(&b, end == SIZE_MAX ? path.p[i] : '*');
        i += end == SIZE_MAX ? 0 : end;
    }
    return buf_str(&b);
}

struct str sam_stage_part(struct sam *s, const struct json *stage, bool *ret_hashed)
{
    *ret_hashed = false;
    for (size_t i = 0; sam_text(stage) && i < stage->text.len; i++) {
        char c = stage->text.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            *ret_hashed = true;
    }
    if (!sam_text(stage))
        return STR("");
    return *ret_hashed ? sam_hash(s, stage->text, 10) : stage->text;
}
