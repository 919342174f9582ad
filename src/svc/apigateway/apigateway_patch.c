/* Patch operations. See apigateway_patch.h. Layer: svc/apigateway. Thread: the transaction's. */
#include "svc/apigateway/apigateway_patch.h"

#include "svc/apigateway/apigateway_int.h"

/* --- paths ---------------------------------------------------------------------------------------- */

/* A segment with its escapes undone; STR_NONE on exhaustion. */
static struct str unescape(struct arena *a, struct str raw)
{
    if (str_find(raw, '~') == SIZE_MAX)
        return raw;
    char *p = arena_alloc(a, raw.len + 1);
    size_t n = 0;
    if (!p)
        return STR_NONE;
    for (size_t i = 0; i < raw.len; i++) {
        bool escape =
            raw.p[i] == '~' && i + 1 < raw.len && (raw.p[i + 1] == '0' || raw.p[i + 1] == '1');
        p[n++] = escape ? (raw.p[++i] == '1' ? '/' : '~') : raw.p[i];
    }
    return str_n(p, n);
}

enum err apigateway_patch_split(struct arena *a, struct apigateway_patch *p)
{
    struct str rest = p->path;
    p->n = 0;
    if (rest.len < 2 || rest.p[0] != '/')
        return ERR_INVALID;
    rest = str_sub(rest, 1, SIZE_MAX);
    while (str_is_set(rest)) {
        if (p->n == APIGATEWAY_PATCH_DEPTH)
            return ERR_INVALID;
        p->raw[p->n] = str_cut(&rest, '/');
        p->segment[p->n] = unescape(a, p->raw[p->n]);
        if (!str_is_set(p->segment[p->n]))
            return ERR_NOMEM;
        p->n++;
    }
    return ERR_OK;
}

/* What a row's last segment is. */
enum last { MEMBER, ENTRY, ELEMENT };

static enum last last_of(const struct apigateway_patch_row *row)
{
    struct str path = str_c(row->path);
    char c = path.p[str_rfind(path, '/') + 1];
    return c == '{' ? ENTRY : c == '[' ? ELEMENT : MEMBER;
}

static bool fits(const struct apigateway_patch_row *row, const struct apigateway_patch *p)
{
    struct str rest = str_sub(str_c(row->path), 1, SIZE_MAX);
    size_t i = 0;
    if (!(row->ops & p->op))
        return false;
    for (; str_is_set(rest); i++) {
        struct str segment = str_cut(&rest, '/');
        if (segment.p[0] == '[' && i == p->n)
            return true; /* the value names the element */
        if (i == p->n)
            return false;
        if (segment.p[0] != '[' && segment.p[0] != '{' && !str_eq(segment, p->segment[i]))
            return false;
    }
    return i == p->n;
}

static const char *op_name(unsigned op)
{
    return op == APIGATEWAY_ADD ? "add" : op == APIGATEWAY_REMOVE ? "remove" : "replace";
}

static enum err no_such_path(struct call *call, const struct apigateway_patch_table *t,
                             struct str path, const char *op, unsigned bit)
{
    struct buf b;
    buf_init_arena(&b, call->arena, APIGATEWAY_DOCUMENT_BYTES_MAX);
    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i].ops & bit)
            buf_add_fmt(&b, "%s%s", b.len ? ", " : "", t->rows[i].path);
    struct str known = buf_str(&b);
    return APIGATEWAY_BAD(call,
                          "Invalid patch path  '" STR_FMT "' specified for op '%s'. Must be one "
                          "of: [" STR_FMT "]",
                          STR_ARG(path), op, STR_ARG(known));
}

/* --- values --------------------------------------------------------------------------------------- */

static bool is_among(const char *among, struct str value)
{
    struct str rest = str_c(among);
    while (str_is_set(rest))
        if (str_eq(str_cut(&rest, ' '), value))
            return true;
    return false;
}

static enum err bad_value(struct call *call, const struct apigateway_patch *p, const char *what)
{
    return APIGATEWAY_BAD(
        call, "Invalid patch value '" STR_FMT "' specified for path '" STR_FMT "'. Must be %s",
        STR_ARG(p->value), STR_ARG(p->path), what);
}

/* A number as JSON writes it. */
static enum err number(struct call *call, const struct apigateway_patch *p, bool whole,
                       struct json **ret_value)
{
    struct json *v;
    int64_t i;
    double f;
    enum err err = json_parse(call->arena, p->value, &v, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err || v->kind != JSON_NUMBER || json_to_f64(v, &f) != ERR_OK ||
        (whole && (json_to_i64(v, &i) != ERR_OK || i < INT32_MIN || i > INT32_MAX)))
        return bad_value(call, p, whole ? "a whole number" : "a number");
    *ret_value = v;
    return ERR_OK;
}

enum err apigateway_patch_value(struct call *call, const struct apigateway_patch *p,
                                enum apigateway_patch_type type, const char *among,
                                struct json **ret_value)
{
    struct arena *a = call->arena;
    if (among && !is_among(among, p->value))
        return bad_value(call, p,
                         str_cstr(a, str_fmt(a, "one of: [%s]", among)) ?: "one of those known");
    switch (type) {
    case APIGATEWAY_BOOL:
        if (!str_eq_nocase(p->value, STR("true")) && !str_eq_nocase(p->value, STR("false")))
            return bad_value(call, p, "a boolean");
        *ret_value = json_new_bool(a, str_eq_nocase(p->value, STR("true")));
        break;
    case APIGATEWAY_INT:
    case APIGATEWAY_NUMBER:
        return number(call, p, type == APIGATEWAY_INT, ret_value);
    case APIGATEWAY_TEXT:
        *ret_value = json_new_str(a, p->value);
        break;
    }
    return *ret_value ? ERR_OK : ERR_NOMEM;
}

/* --- doing it ------------------------------------------------------------------------------------- */

/* The container `name` of `doc`, made where it is not there. */
static enum err container(struct call *call, struct json *doc, struct str name, enum json_kind kind,
                          struct json **ret)
{
    struct json *v = json_at(doc, name);
    if (!v || v->kind != kind) {
        v = json_new(call->arena, kind);
        TRY(json_set(doc, name, v));
    }
    *ret = v;
    return ERR_OK;
}

static enum err element(struct call *call, struct json *list, const struct apigateway_patch *p,
                        struct str named, const char *among)
{
    struct str text = str_is_set(named) ? named : p->value;
    struct json *value;
    size_t at = json_index_of(list, text);
    uint64_t index;
    if (at == SIZE_MAX && str_is_set(named) && str_to_u64(named, &index) == ERR_OK &&
        index < list->n)
        at = (size_t)index; /* as clients that count name it */
    if (p->op == APIGATEWAY_ADD)
        return at == SIZE_MAX ? json_push(list, json_new_str(call->arena, text)) : ERR_OK;
    if (at == SIZE_MAX)
        return APIGATEWAY_ABSENT(call, "Invalid patch path '" STR_FMT "': there is no such element",
                                 STR_ARG(p->path));
    if (p->op == APIGATEWAY_REMOVE) {
        json_drop(list, at);
        return ERR_OK;
    }
    TRY(apigateway_patch_value(call, p, APIGATEWAY_TEXT, among, &value));
    json_drop(list, at);
    return json_index_of(list, value->text) == SIZE_MAX ? json_push(list, value) : ERR_OK;
}

static enum err member(struct call *call, struct json *doc, const struct apigateway_patch *p,
                       const struct apigateway_patch_row *row)
{
    struct str name = p->segment[p->n - 1];
    bool is_entry = last_of(row) == ENTRY;
    struct json *value;
    if (p->op == APIGATEWAY_REMOVE) {
        if (!json_unset(doc, name) && is_entry)
            return APIGATEWAY_ABSENT(call, "Invalid parameter name specified");
        return ERR_OK;
    }
    bool may_go = row->type == APIGATEWAY_TEXT || row->type == APIGATEWAY_INT;
    if (may_go && !is_entry && str_empty(p->value) && !row->among) {
        json_unset(doc, name);
        return ERR_OK;
    }
    TRY(apigateway_patch_value(call, p, row->type, row->among, &value));
    return json_set(doc, name, value);
}

static enum err apply(struct call *call, struct json *doc, const struct apigateway_patch *p,
                      const struct apigateway_patch_row *row)
{
    bool is_list = last_of(row) == ELEMENT, value_names;
    struct str rest = str_c(row->path);
    size_t depth = 0;
    for (size_t i = 0; i < rest.len; i++)
        depth += rest.p[i] == '/';
    value_names = is_list && p->n < depth;
    for (size_t i = 0; i + 1 < depth; i++) {
        bool last = i + 2 == depth;
        TRY(container(call, doc, p->segment[i], is_list && last ? JSON_ARRAY : JSON_OBJECT, &doc));
    }
    if (is_list)
        return element(call, doc, p, value_names ? STR_NONE : p->segment[p->n - 1], row->among);
    return member(call, doc, p, row);
}

static enum err one(struct call *call, const struct apigateway_patch_table *t,
                    const struct apigateway_patch_operation *o, struct json *doc)
{
    struct apigateway_patch p = {
        .path = o->path,
        .value = str_is_set(o->value) ? o->value : STR(""),
        .op = str_eq_c(o->op, "add")       ? APIGATEWAY_ADD
              : str_eq_c(o->op, "remove")  ? APIGATEWAY_REMOVE
              : str_eq_c(o->op, "replace") ? APIGATEWAY_REPLACE
                                           : 0,
    };
    bool done = false;
    if (!str_is_set(o->op) || !str_is_set(o->path))
        return APIGATEWAY_BAD(call, "Invalid patch operation: it needs op and path");
    if (!p.op)
        return no_such_path(call, t, p.path, str_cstr(call->arena, o->op) ?: "", 0);
    enum err err = apigateway_patch_split(call->arena, &p);
    if (err == ERR_INVALID)
        return no_such_path(call, t, p.path, op_name(p.op), p.op);
    TRY(err);
    if (t->other)
        TRY(t->other(call, doc, &p, &done));
    if (done)
        return ERR_OK;
    for (size_t i = 0; i < t->n; i++)
        if (fits(&t->rows[i], &p))
            return apply(call, doc, &p, &t->rows[i]);
    return no_such_path(call, t, p.path, op_name(p.op), p.op);
}

enum err apigateway_patch(struct call *call, const struct apigateway_patch_table *table,
                          struct apigateway_list_of_patch_operation ops, struct json *doc)
{
    if (ops.n > APIGATEWAY_PATCHES_MAX)
        return APIGATEWAY_BAD(call, "More than %d patch operations", APIGATEWAY_PATCHES_MAX);
    for (size_t i = 0; i < ops.n; i++)
        TRY(one(call, table, &ops.v[i], doc));
    return ERR_OK;
}
