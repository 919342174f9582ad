/* Looking at the text of a description: faults, references, members of the kind that is expected.
 * Layer: svc/apigateway, pure. */
#include "svc/apigateway/openapi_int.h"

enum { FAULT_TEXT_MAX = 1024 };

/* --- faults and warnings ------------------------------------------------------------------------ */

enum err openapi_fault(struct openapi *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = str_vfmt(o->a, fmt, ap);
    va_end(ap);
    if (!str_is_set(text))
        return ERR_NOMEM;
    if (o->n_faults++ >= OPENAPI_FAULTS_MAX)
        return ERR_OK;
    BUF_ADD_LIT(&o->faults, "\n\t");
    buf_add_str(&o->faults, str_sub(text, 0, FAULT_TEXT_MAX));
    return buf_err(&o->faults);
}

enum err openapi_warn(struct openapi *o, const char *fmt, ...)
{
    va_list ap;
    if (o->warnings->n >= OPENAPI_FAULTS_MAX)
        return ERR_OK;
    va_start(ap, fmt);
    struct str text = str_vfmt(o->a, fmt, ap);
    va_end(ap);
    return str_is_set(text) ? json_push(o->warnings, json_new_str(o->a, text)) : ERR_NOMEM;
}

/* --- looking at the text ------------------------------------------------------------------------ */

/* "#/a/b~1c" (RFC 6901) in the text; NULL. */
static const struct json *pointed(struct openapi *o, struct str pointer)
{
    const struct json *v = o->root;
    if (!str_starts(pointer, STR("#/")))
        return NULL;
    struct str rest = str_sub(pointer, 2, SIZE_MAX);
    while (v && str_is_set(rest)) {
        struct str part = str_cut(&rest, '/');
        char *p = arena_alloc(o->a, part.len);
        size_t n = 0;
        for (size_t i = 0; p && i < part.len; i++) {
            bool escape = part.p[i] == '~' && i + 1 < part.len;
            p[n++] = !escape ? part.p[i] : part.p[i + 1] == '1' ? '/' : '~';
            i += escape;
        }
        v = p ? json_get(v, str_n(p, n)) : NULL;
    }
    return v;
}

enum err openapi_follow(struct openapi *o, const struct json *v, const struct json **ret)
{
    *ret = NULL;
    for (int i = 0; v && i < OPENAPI_REFS_MAX; i++) {
        struct str ref = json_get_str(v, STR("$ref"));
        if (!str_is_set(ref)) {
            if (v->kind != JSON_OBJECT)
                break;
            *ret = v;
            return ERR_OK;
        }
        v = pointed(o, ref);
        if (!v)
            return o->a->failed ? ERR_NOMEM
                                : openapi_fault(o, "Unable to resolve the reference '" STR_FMT "'",
                                                STR_ARG(ref));
    }
    return v ? openapi_fault(o, "A reference or an object was expected, and is not there or leads "
                                "in a circle")
             : ERR_OK;
}

static enum err typed(struct openapi *o, const struct json *in, const char *name,
                      enum json_kind kind, const struct json **ret)
{
    const struct json *v = json_get(in, str_c(name));
    *ret = NULL;
    if (!v || v->kind == JSON_NULL)
        return ERR_OK;
    if (v->kind != kind)
        return openapi_fault(o, "Parse issue: '%s' is not of type `%s`", name,
                             kind == JSON_OBJECT ? "object" : "array");
    if (v->n > OPENAPI_MEMBERS_MAX)
        return openapi_fault(o, "Parse issue: '%s' has more than %d members", name,
                             OPENAPI_MEMBERS_MAX);
    *ret = v;
    return ERR_OK;
}

enum err openapi_object(struct openapi *o, const struct json *in, const char *name,
                        const struct json **ret)
{
    return typed(o, in, name, JSON_OBJECT, ret);
}

enum err openapi_array(struct openapi *o, const struct json *in, const char *name,
                       const struct json **ret)
{
    return typed(o, in, name, JSON_ARRAY, ret);
}

struct str openapi_text(const struct openapi *o, const struct json *v)
{
    if (!v || v->kind == JSON_NULL || v->kind == JSON_ARRAY || v->kind == JSON_OBJECT)
        return STR_NONE;
    if (v->kind == JSON_BOOL)
        return v->b ? STR("true") : STR("false");
    return v->text;
}

enum err openapi_set(struct openapi *o, struct json *obj, const char *key, struct str text)
{
    return str_is_set(text) ? json_set(obj, str_c(key), json_new_str(o->a, text)) : ERR_OK;
}

enum err openapi_texts(struct openapi *o, const struct json *from, const char *name,
                       struct json *to)
{
    const struct json *map;
    TRY(openapi_object(o, from, name, &map));
    if (!map || !map->child)
        return ERR_OK;
    struct json *copy = json_new(o->a, JSON_OBJECT);
    TRY(json_set(to, str_c(name), copy));
    JSON_EACH (map, it) {
        if (it->kind == JSON_ARRAY || it->kind == JSON_OBJECT || it->kind == JSON_NULL)
            TRY(openapi_fault(o, "Parse issue: '%s' has a member that is no text", name));
        else
            TRY(json_set(copy, it->key, json_new_str(o->a, openapi_text(o, it))));
    }
    return ERR_OK;
}

struct str openapi_upper(struct openapi *o, struct str text)
{
    char *p = str_is_set(text) ? arena_memdup(o->a, text.p, text.len) : NULL;
    for (size_t i = 0; p && i < text.len; i++)
        if (p[i] >= 'a' && p[i] <= 'z')
            p[i] -= 'a' - 'A';
    return str_n(p, p ? text.len : 0);
}
