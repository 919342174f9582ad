/* Paths of a description: the tree of resources, each with its methods.
 * Layer: svc/apigateway, pure. */
#include "svc/apigateway/openapi_int.h"

enum { ROOT_ID_LEN = 10 };

/* --- resources ---------------------------------------------------------------------------------- */

static enum err new_resource(struct openapi *o, struct str parent_id, struct str part,
                             struct str path, struct json **ret)
{
    struct json *r = json_new(o->a, JSON_OBJECT);
    struct str id = o->how->new_id(o->a, str_is_set(part) ? OPENAPI_PART_ID_LEN : ROOT_ID_LEN);
    if (!str_is_set(id))
        return ERR_NOMEM;
    TRY(json_push(o->resources, r));
    TRY(openapi_set(o, r, "id", id));
    TRY(openapi_set(o, r, "parentId", parent_id));
    TRY(openapi_set(o, r, "pathPart", part));
    TRY(openapi_set(o, r, "path", path));
    *ret = r;
    return ERR_OK;
}

static bool is_variable(struct str part)
{
    return part.len > 2 && part.p[0] == '{' && part.p[part.len - 1] == '}';
}

/* Letters, digits and -._:+ (and what else paths of AWS may have), in braces or not. */
static bool is_part(struct str part)
{
    static const char others[] = "-._~!$&'()*+,;=:@%";
    if (is_variable(part)) {
        part = str_sub(part, 1, part.len - 2);
        if (part.len > 1 && part.p[part.len - 1] == '+')
            part.len--;
    }
    for (size_t i = 0; i < part.len; i++) {
        char c = part.p[i], low = c | 0x20;
        if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') &&
            (c == 0 || !strchr(others, c)))
            return false;
    }
    return part.len > 0;
}

/* The child of that part; or NULL, and another variable beside which it cannot be. */
static struct json *child_of(struct openapi *o, struct str parent_id, struct str part,
                             struct str *ret_other)
{
    *ret_other = STR_NONE;
    for (struct json *it = o->resources->child; it; it = it->next) {
        struct str other = json_get_str(it, STR("pathPart"));
        if (!str_eq(json_get_str(it, STR("parentId")), parent_id) || !str_is_set(other))
            continue;
        if (str_eq(other, part))
            return it;
        if (is_variable(other) && is_variable(part))
            *ret_other = other;
    }
    return NULL;
}

/* One step down. NULL: a fault was noted. */
static enum err step(struct openapi *o, struct str path, struct str part, struct json **at)
{
    struct str id = json_get_str(*at, STR("id")), other;
    struct json *child = child_of(o, id, part, &other);
    if (child) {
        *at = child;
        return ERR_OK;
    }
    *at = NULL;
    if (!is_part(part))
        return openapi_fault(o,
                             "Unable to create resource at path '" STR_FMT
                             "': Resource's path part only allow a-zA-Z0-9._-: or a valid "
                             "greedy path variable and curly braces at the beginning and the "
                             "end.",
                             STR_ARG(path));
    if (str_is_set(other))
        return openapi_fault(o,
                             "Unable to create resource at path '" STR_FMT "': A sibling (" STR_FMT
                             ") of this resource already has a variable path part -- only one "
                             "unique variable path part is allowed",
                             STR_ARG(path), STR_ARG(other));
    if (o->resources->n >= OPENAPI_RESOURCES_MAX)
        return openapi_fault(o, "More than %d resources", OPENAPI_RESOURCES_MAX);
    struct str to = str_n(path.p, (size_t)(part.p + part.len - path.p));
    return new_resource(o, id, part, to, at);
}

/* The resource at `path`, with those above it. NULL: a fault was noted. */
static enum err resource_at(struct openapi *o, struct str path, struct json **ret)
{
    struct json *at = o->resources->child;
    struct str rest = str_sub(path, 1, SIZE_MAX);
    *ret = NULL;
    if (str_empty(path) || path.p[0] != '/')
        return openapi_fault(
            o, "Unable to create resource at path '" STR_FMT "': it does not begin with '/'",
            STR_ARG(path));
    while (at && rest.len) {
        struct str part = str_cut(&rest, '/');
        if (part.len > 3 && str_ends(part, STR("+}")) && rest.len)
            return openapi_fault(o,
                                 "Unable to create resource at path '" STR_FMT
                                 "': Cannot create a child of a resource with a greedy path "
                                 "variable: " STR_FMT,
                                 STR_ARG(path), STR_ARG(part));
        TRY(step(o, path, part, &at));
    }
    *ret = at;
    return ERR_OK;
}

/* --- methods ------------------------------------------------------------------------------------ */

static struct str verb_of(struct str key)
{
    static const struct {
        const char *key;
        struct str verb;
    } verbs[] = {
        {"get", STR_INIT("GET")},         {"put", STR_INIT("PUT")},
        {"post", STR_INIT("POST")},       {"delete", STR_INIT("DELETE")},
        {"options", STR_INIT("OPTIONS")}, {"head", STR_INIT("HEAD")},
        {"patch", STR_INIT("PATCH")},     {OPENAPI_EXT "any-method", STR_INIT("ANY")},
    };
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (str_eq_c(key, verbs[i].key))
            return verbs[i].verb;
    return STR_NONE;
}

static enum err read_method(struct openapi *o, const struct json *item, const struct json *op,
                            struct json *resource, struct json *methods)
{
    struct json *method;
    struct str path = json_get_str(resource, STR("path")), verb = verb_of(op->key);
    struct openapi_op m = {
        .path_item = item,
        .op = op,
        .verb = verb,
        .where = str_fmt(o->a, "'" STR_FMT "' for resource at path '" STR_FMT "'", STR_ARG(verb),
                         STR_ARG(path)),
        .resource_id = json_get_str(resource, STR("id")),
    };
    if (!str_is_set(m.where))
        return ERR_NOMEM;
    if (op->kind != JSON_OBJECT)
        return openapi_fault(o, "Unable to put method " STR_FMT ": it is no object",
                             STR_ARG(m.where));
    TRY(openapi_method(o, &m, &method));
    return json_set(methods, verb, method);
}

static enum err read_path(struct openapi *o, const struct json *path)
{
    const struct json *item;
    struct json *resource;
    struct str full = str_fmt(o->a, STR_FMT STR_FMT, STR_ARG(o->base), STR_ARG(path->key));
    if (!str_is_set(full))
        return ERR_NOMEM;
    while (full.len > 1 && full.p[full.len - 1] == '/')
        full.len--;
    TRY(resource_at(o, full, &resource));
    TRY(openapi_follow(o, path, &item));
    if (!resource || !item)
        return ERR_OK;
    JSON_EACH (item, it) {
        struct json *methods = json_at(resource, STR("resourceMethods"));
        if (!str_is_set(verb_of(it->key))) {
            if (str_eq_c(it->key, "trace"))
                TRY(openapi_warn(o,
                                 "Method TRACE of '" STR_FMT "' is not supported and was left "
                                 "out",
                                 STR_ARG(full)));
            continue;
        }
        if (!methods) {
            methods = json_new(o->a, JSON_OBJECT);
            TRY(json_set(resource, STR("resourceMethods"), methods));
        }
        TRY(read_method(o, item, it, resource, methods));
    }
    return ERR_OK;
}

enum err openapi_paths(struct openapi *o)
{
    const struct json *paths;
    struct json *root;
    TRY(new_resource(o, STR_NONE, STR_NONE, STR("/"), &root));
    TRY(openapi_object(o, o->root, "paths", &paths));
    JSON_EACH (paths, it) {
        if (!str_starts(it->key, STR("x-")))
            TRY(read_path(o, it));
    }
    return ERR_OK;
}
