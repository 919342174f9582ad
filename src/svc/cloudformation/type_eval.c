/* Templates of rows: JSON whose texts have holes, filled from properties, attributes, outputs and the
 * world of a piece of work. What is not there takes its member away. The language is told in
 * spec/types/README.md.
 *
 * Templates are our own tables and hold what gen/type_rows.py let pass; recursion is as deep as they are.
 *
 * Layer: svc. Thread: pure. */
#include "svc/cloudformation/type_int.h"

/* --- holes ---------------------------------------------------------------------------------------- */

static enum err text_value(struct type_run *run, struct str text, const struct json **ret_v)
{
    if (!str_is_set(text)) {
        *ret_v = NULL;
        return ERR_OK;
    }
    *ret_v = json_new_str(run->a, text);
    return *ret_v ? ERR_OK : ERR_NOMEM;
}

static const struct json *list_or_none(const struct json *list)
{
    return list && list->n ? list : NULL;
}

static enum err world(struct type_run *run, struct str name, const struct json **ret_v)
{
    const struct type_work *w = run->work;
    const struct {
        const char *name;
        struct str value;
    } texts[] = {
        {"account", w->account},
        {"region", w->region},
        {"partition", w->partition},
        {"url-suffix", w->url_suffix},
        {"stack-name", w->stack_name},
        {"stack-id", w->stack_id},
        {"logical-id", w->logical_id},
        {"token", w->token},
        {"made", json_get_str(run->state, STR(TYPE_NAME_MADE))},
    };
    *ret_v = NULL;
    if (str_eq_c(name, "tags"))
        *ret_v = list_or_none(run->tags);
    else if (str_eq_c(name, "tags-set"))
        *ret_v = list_or_none(run->tags_set);
    else if (str_eq_c(name, "tags-unset"))
        *ret_v = list_or_none(run->tags_unset);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (str_eq_c(name, texts[i].name))
            return text_value(run, texts[i].value, ret_v);
    return ERR_OK;
}

static enum err source(struct type_run *run, struct str head, const struct json **ret_v)
{
    char mark = head.len ? head.p[0] : 0;
    struct str rest = str_sub(head, 1, head.len);
    *ret_v = NULL;
    switch (mark) {
    case '#':
        return text_value(run, run->id, ret_v);
    case ':':
        return world(run, rest, ret_v);
    case '@':
        *ret_v = type_at(run->state, rest);
        return ERR_OK;
    case '=':
        *ret_v = type_at(run->output, rest);
        return ERR_OK;
    case '.':
        *ret_v = type_at(run->item, rest);
        return ERR_OK;
    case '~':
        *ret_v = type_at(run->was_item, rest);
        return ERR_OK;
    case '<':
        *ret_v = type_at(run->before, rest);
        return ERR_OK;
    default:
        *ret_v = type_at(run->after, head);
        return ERR_OK;
    }
}

enum err type_hole(struct type_run *run, struct str hole, const struct json **ret_v)
{
    struct str rest = hole, head = str_cut(&rest, '|');
    const struct json *v = NULL;
    TRY(source(run, head, &v));
    while (str_is_set(rest)) {
        struct str filter = str_cut(&rest, '|');
        TRY(type_filter(run, filter, head, v, &v));
    }
    *ret_v = v;
    return ERR_OK;
}

/* --- texts ---------------------------------------------------------------------------------------- */

/* What a value is within a text; false: it cannot be. */
static void put_text(struct buf *b, const struct json *v)
{
    if (v->kind == JSON_STRING)
        buf_add_str(b, v->text);
    else
        json_put(b, v);
}

static bool is_hole_start(struct str t, size_t i)
{
    char c = i + 1 < t.len ? t.p[i + 1] : 0;
    return t.p[i] == '{' && ((c >= 'A' && c <= 'Z') || (c && strchr("#=@.<~:", c)));
}

static enum err text(struct type_run *run, const struct json *template, const struct json **ret_v)
{
    struct str t = template->text;
    struct buf b;
    buf_init_arena(&b, run->a, INNER_OUTPUT_MAX);
    for (size_t i = 0; i < t.len; i++) {
        size_t len = is_hole_start(t, i) ? str_find(str_sub(t, i, t.len), '}') : SIZE_MAX;
        if (len == SIZE_MAX) {
            buf_add_byte(&b, t.p[i]);
            continue;
        }
        const struct json *v = NULL;
        TRY(type_hole(run, str_sub(t, i + 1, len - 1), &v));
        if ((i == 0 && len + 1 == t.len) || !v) {
            *ret_v = v;
            return ERR_OK;
        }
        put_text(&b, v);
        i += len;
    }
    TRY(buf_err(&b));
    return text_value(run, buf_str(&b), ret_v);
}

/* --- objects and lists ------------------------------------------------------------------------------ */

/* A value to be hung into a container: values are shared, so the node is a copy of the top level. */
static struct json *hung(struct type_run *run, const struct json *v, struct str key)
{
    struct json *node = json_new(run->a, v->kind);
    if (node) {
        *node = *v;
        node->key = key;
        node->next = NULL;
        node->raw = STR_NONE;
    }
    return node;
}

/* Members of `v` into the object, behind or over what is there. */
static enum err merge(struct type_run *run, struct json *into, const struct json *v)
{
    JSON_EACH (v, it)
        TRY(json_set(into, it->key, hung(run, it, it->key)));
    return ERR_OK;
}

static enum err merged(struct type_run *run, const struct json *parts, const struct json **ret_v)
{
    struct json *into = json_new(run->a, JSON_OBJECT);
    if (!into)
        return ERR_NOMEM;
    JSON_EACH (parts, it) {
        const struct json *v = NULL;
        TRY(type_eval(run, it, &v));
        TRY(merge(run, into, v));
    }
    *ret_v = into->n ? into : NULL;
    return ERR_OK;
}

static enum err each(struct type_run *run, const struct json *list, const struct json *give,
                     const struct json **ret_v)
{
    const struct json *items = NULL, *outer = run->item;
    struct json *out = json_new(run->a, JSON_ARRAY);
    TRY(type_eval(run, list, &items));
    if (!out)
        return ERR_NOMEM;
    JSON_EACH (items, it) {
        const struct json *v = NULL;
        run->item = it;
        enum err err = type_eval(run, give, &v);
        run->item = outer;
        TRY(err);
        if (v)
            TRY(json_push(out, hung(run, v, STR_NONE)));
    }
    *ret_v = items ? out : NULL;
    return ERR_OK;
}

static enum err branch(struct type_run *run, const struct json *template, const struct json **ret_v)
{
    bool holds;
    TRY(type_holds(run, json_get(template, STR("$if")), &holds));
    const struct json *taken = json_get(template, holds ? STR("$then") : STR("$else"));
    *ret_v = NULL;
    return taken ? type_eval(run, taken, ret_v) : ERR_OK;
}

static enum err object(struct type_run *run, const struct json *template, const struct json **ret_v)
{
    struct json *out = json_new(run->a, JSON_OBJECT);
    bool keep = template->n == 0;
    if (!out)
        return ERR_NOMEM;
    JSON_EACH (template, it) {
        const struct json *v = NULL;
        if (str_eq_c(it->key, "$keep")) {
            keep = true;
            continue;
        }
        TRY(type_eval(run, it, &v));
        if (v)
            TRY(json_set(out, it->key, hung(run, v, it->key)));
    }
    *ret_v = out->n || keep ? out : NULL;
    return ERR_OK;
}

static enum err list(struct type_run *run, const struct json *template, const struct json **ret_v)
{
    struct json *out = json_new(run->a, JSON_ARRAY);
    if (!out)
        return ERR_NOMEM;
    JSON_EACH (template, it) {
        const struct json *v = NULL;
        TRY(type_eval(run, it, &v));
        if (v)
            TRY(json_push(out, hung(run, v, STR_NONE)));
    }
    *ret_v = out->n || template->n == 0 ? out : NULL;
    return ERR_OK;
}

/* A template over the properties as they were. */
static enum err eval_before(struct type_run *run, const struct json *template,
                            const struct json **ret_v)
{
    struct json *after = run->after;
    *ret_v = NULL;
    if (run->work->verb != TYPE_UPDATE)
        return ERR_OK;
    run->after = run->before;
    enum err err = type_eval(run, template, ret_v);
    run->after = after;
    return err;
}

static enum err patch(struct type_run *run, const struct json *paths, const struct json **ret_v)
{
    struct json *out = json_new(run->a, JSON_ARRAY);
    if (!out)
        return ERR_NOMEM;
    JSON_EACH (paths, it) {
        const struct json *was = NULL, *is = NULL, *path = NULL;
        const struct json key = {.kind = JSON_STRING, .text = it->key};
        TRY(text(run, &key, &path));
        TRY(eval_before(run, it, &was));
        TRY(type_eval(run, it, &is));
        TRY(type_patch_add(run, out, path ? path->text : it->key, was, is));
    }
    *ret_v = out->n ? out : NULL;
    return ERR_OK;
}

enum err type_eval(struct type_run *run, const struct json *template, const struct json **ret_v)
{
    const struct json *special;
    *ret_v = NULL;
    if (template->kind == JSON_STRING)
        return text(run, template, ret_v);
    if (template->kind == JSON_ARRAY)
        return list(run, template, ret_v);
    if (template->kind != JSON_OBJECT) {
        *ret_v = template;
        return ERR_OK;
    }
    if ((special = json_get(template, STR("$each"))) != NULL)
        return each(run, special, json_get(template, STR("$give")), ret_v);
    if (json_get(template, STR("$if")))
        return branch(run, template, ret_v);
    if ((special = json_get(template, STR("$merge"))) != NULL)
        return merged(run, special, ret_v);
    if ((special = json_get(template, STR("$patch"))) != NULL)
        return patch(run, special, ret_v);
    return object(run, template, ret_v);
}

enum err type_holds(struct type_run *run, const struct json *template, bool *ret_holds)
{
    const struct json *v = NULL;
    if (!template) {
        *ret_holds = true;
        return ERR_OK;
    }
    TRY(type_eval(run, template, &v));
    *ret_holds = v && !(v->kind == JSON_BOOL && !v->b);
    return ERR_OK;
}
