/* See keys_patch.h. Layer: svc/apigateway. */
#include "svc/apigateway/keys_patch.h"

enum { PARTS_MAX = 8 };

static unsigned op_of(struct str op)
{
    return str_eq_c(op, "add")       ? PATCH_ADD
           : str_eq_c(op, "replace") ? PATCH_REPLACE
           : str_eq_c(op, "remove")  ? PATCH_REMOVE
                                     : 0;
}

static bool matches(struct str rule, struct str path)
{
    while (str_is_set(rule)) {
        struct str r = str_cut(&rule, '/');
        if (str_eq_c(r, "**"))
            return !str_empty(path);
        struct str p = str_cut(&path, '/');
        if (!(str_eq_c(r, "*") ? !str_empty(p) : str_eq(r, p)))
            return false;
        if (str_is_set(rule) != str_is_set(path))
            return false;
    }
    return true;
}

static const struct patch_rule *rule_of(const struct patch_table *t, unsigned op, struct str path)
{
    for (size_t i = 0; i < t->n; i++)
        if ((t->rules[i].ops & op) && matches(str_c(t->rules[i].path), path))
            return &t->rules[i];
    return NULL;
}

static enum err bad_path(struct call *call, const struct patch_table *t,
                         const struct apigateway_patch_operation *op)
{
    struct buf b;
    unsigned kind = op_of(op->op);
    buf_init_arena(&b, call->arena, APIGATEWAY_DOCUMENT_BYTES_MAX);
    for (size_t i = 0; i < t->n; i++)
        if (t->rules[i].ops & kind)
            buf_add_fmt(&b, "%s%s", b.len ? ", " : "", t->rules[i].path);
    TRY(buf_err(&b));
    return APIGATEWAY_BAD(call,
                          "Invalid patch path  '" STR_FMT "' specified for op '" STR_FMT
                          "'. Must be one of: [" STR_FMT "]",
                          STR_ARG(op->path), STR_ARG(op->op), STR_ARG(buf_str(&b)));
}

/* "a~1b" is "a/b", "a~0b" is "a~b" (RFC 6901). */
static struct str decoded(struct arena *a, struct str part)
{
    char *p = arena_alloc(a, part.len);
    size_t n = 0;
    for (size_t i = 0; p && i < part.len; i++) {
        bool escape = part.p[i] == '~' && i + 1 < part.len;
        p[n++] = !escape ? part.p[i] : part.p[i + 1] == '1' ? '/' : '~';
        i += escape;
    }
    return str_n(p, n);
}

static enum err value_of(struct call *call, enum patch_kind kind,
                         const struct apigateway_patch_operation *op, struct json **ret)
{
    double number;
    struct json *v = json_new_str(call->arena, op->value);
    if (!v)
        return ERR_NOMEM;
    *ret = v;
    if (kind == PATCH_TEXT)
        return ERR_OK;
    bool is_true = str_eq_nocase(op->value, STR("true"));
    if (kind == PATCH_BOOL && (is_true || str_eq_nocase(op->value, STR("false")))) {
        *v = (struct json){.kind = JSON_BOOL, .b = is_true};
        return ERR_OK;
    }
    if (kind == PATCH_NUMBER && str_to_f64(op->value, &number) == ERR_OK && op->value.p[0] != '+') {
        v->kind = JSON_NUMBER;
        return ERR_OK;
    }
    return APIGATEWAY_BAD(call, "Invalid value '" STR_FMT "' for path '" STR_FMT "'",
                          STR_ARG(op->value), STR_ARG(op->path));
}

/* Walks to the object that holds the last part; NULL with `make` false: it is not there. */
static enum err walk(struct call *call, struct json *doc, struct str path, bool make,
                     struct json **ret_holder, struct str *ret_last)
{
    (void)str_cut(&path, '/');
    struct str part = str_cut(&path, '/');
    for (size_t i = 0; str_is_set(path) && i < PARTS_MAX; i++) {
        struct json *next = json_at(doc, decoded(call->arena, part));
        if (!next && !make) {
            *ret_holder = NULL;
            return ERR_OK;
        }
        if (!next) {
            next = json_new(call->arena, JSON_OBJECT);
            TRY(json_set(doc, decoded(call->arena, part), next));
        }
        doc = next;
        part = str_cut(&path, '/');
    }
    *ret_holder = doc;
    *ret_last = decoded(call->arena, part);
    return str_is_set(*ret_last) ? ERR_OK : ERR_NOMEM;
}

static enum err apply(struct call *call, struct json *doc, const struct patch_table *table,
                      const struct apigateway_patch_operation *op)
{
    unsigned kind = op_of(op->op);
    struct json *holder, *v;
    struct str last = STR_NONE;
    const struct patch_rule *rule = kind ? rule_of(table, kind, op->path) : NULL;
    if (!rule)
        return bad_path(call, table, op);
    if (rule->kind == PATCH_OWN)
        return table->own(call, doc, op);
    TRY(walk(call, doc, op->path, kind != PATCH_REMOVE, &holder, &last));
    if (kind == PATCH_REMOVE) {
        if (holder)
            (void)json_unset(holder, last);
        return ERR_OK;
    }
    TRY(value_of(call, rule->kind, op, &v));
    return json_set(holder, last, v);
}

enum err keys_patch(struct call *call, struct json *doc, const struct patch_table *table,
                    const struct apigateway_list_of_patch_operation *ops)
{
    if (ops->n > APIGATEWAY_PATCHES_MAX)
        return APIGATEWAY_BAD(call, "More than %d patch operations", APIGATEWAY_PATCHES_MAX);
    for (size_t i = 0; i < ops->n; i++)
        TRY(apply(call, doc, table, &ops->v[i]));
    return ERR_OK;
}
