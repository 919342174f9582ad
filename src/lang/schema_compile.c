/* Schemas to nodes: each keyword read and checked once. Nodes still to be read wait in a list, so that
 * references in circles and deep ones need no stack. See schema.h. */
#include <assert.h>
#include <stdlib.h>

#include "lang/schema_int.h"

enum {
    PATTERN_STEPS_MAX = 1000 * 1000, /* of matching one pattern (PCRE2's match limit) */
    PATTERN_DEPTH_MAX = 10 * 1000,
    PATTERN_HEAP_KIB_MAX = 4 * 1024,
};

const char *const schema_type_names[TYPES_N] = {
    [TYPE_ARRAY] = "array",   [TYPE_BOOLEAN] = "boolean", [TYPE_INTEGER] = "integer",
    [TYPE_NULL] = "null",     [TYPE_NUMBER] = "number",   [TYPE_OBJECT] = "object",
    [TYPE_STRING] = "string",
};

struct compiler {
    struct schema_registry r;
    struct schema_node *todo;
};

/* The node of the schema at `v`, read sooner or later. `key`: for the message. */
static enum err node_of(struct compiler *c, const struct json *v, struct schema_node **ret_node)
{
    struct schema_place *place;
    if (v->kind != JSON_OBJECT)
        return schema_bad(&c->r, "\"" STR_FMT "\" must be a schema", STR_ARG(v->key));
    TRY(schema_place_of(&c->r, v, STR(""), &place));
    if (!place->node) {
        struct schema_node *n = ARENA_NEW(c->r.a, struct schema_node);
        if (!n)
            return ERR_NOMEM;
        n->source = v;
        n->next_todo = c->todo;
        c->todo = n;
        place->node = n;
    }
    *ret_node = place->node;
    return ERR_OK;
}

static enum err expect(struct compiler *c, const struct json *v, enum json_kind kind)
{
    static const char *const names[] = {"null",     "a boolean", "a number",
                                        "a string", "an array",  "an object"};
    return v->kind == kind
               ? ERR_OK
               : schema_bad(&c->r, "\"" STR_FMT "\" must be %s", STR_ARG(v->key), names[kind]);
}

/* --- keywords ------------------------------------------------------------------------------------ */

static enum err read_type_name(struct compiler *c, const struct json *v, unsigned *types)
{
    for (int t = 0; v->kind == JSON_STRING && t < TYPES_N; t++)
        if (str_eq_c(v->text, schema_type_names[t])) {
            *types |= 1u << t;
            if (t == TYPE_NUMBER)
                *types |= 1u << TYPE_INTEGER;
            return ERR_OK;
        }
    return schema_bad(&c->r, "\"type\" must be one of draft 4's types, or a list of them");
}

static enum err read_types(struct compiler *c, const struct json *v, unsigned *types)
{
    *types = 0;
    if (v->kind != JSON_ARRAY)
        return read_type_name(c, v, types);
    JSON_EACH (v, it)
        TRY(read_type_name(c, it, types));
    return v->n ? ERR_OK : schema_bad(&c->r, "\"type\" must not be an empty list");
}

static enum err read_number(struct compiler *c, const struct json *v, struct schema_number *number)
{
    TRY(expect(c, v, JSON_NUMBER));
    number->text = v->text;
    number->present = true;
    return decimal_parse(v->text, &number->d);
}

static enum err read_multiple(struct compiler *c, const struct json *v,
                              struct schema_number *number)
{
    TRY(read_number(c, v, number));
    if (number->d.n == 0 || number->d.negative)
        return schema_bad(&c->r, "\"multipleOf\" must be greater than 0");
    if (number->d.n > DECIMAL_DIVISOR_DIGITS_MAX)
        return schema_bad(&c->r, "\"multipleOf\" must not have more than %d digits",
                          DECIMAL_DIVISOR_DIGITS_MAX);
    return ERR_OK;
}

static enum err read_count(struct compiler *c, const struct json *v, int64_t *count)
{
    if (json_to_i64(v, count) != ERR_OK || *count < 0)
        return schema_bad(&c->r, "\"" STR_FMT "\" must be a whole number, 0 or more",
                          STR_ARG(v->key));
    return ERR_OK;
}

static enum err read_flag(struct compiler *c, const struct json *v, bool *flag)
{
    TRY(expect(c, v, JSON_BOOL));
    *flag = v->b;
    return ERR_OK;
}

static void code_free(void *code)
{
    pcre2_code_free(code);
}

static enum err read_pattern(struct compiler *c, struct str text, struct schema_pattern *p)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    const uint32_t options =
        PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF;
    p->text = text;
    p->code = pcre2_compile((PCRE2_SPTR)text.p, text.len, options, &code, &at, NULL);
    if (!p->code && code == PCRE2_ERROR_HEAP_FAILED)
        return ERR_NOMEM;
    if (!p->code)
        return schema_bad(&c->r, "\"" STR_FMT "\" is not a regular expression", STR_ARG(text));
    enum err err = arena_on_release(c->r.a, code_free, p->code);
    if (err != ERR_OK)
        pcre2_code_free(p->code);
    return err;
}

static enum err read_nodes(struct compiler *c, const struct json *v, struct schema_nodes *nodes)
{
    TRY(expect(c, v, JSON_ARRAY));
    if (v->n == 0)
        return schema_bad(&c->r, "\"" STR_FMT "\" must not be empty", STR_ARG(v->key));
    *nodes = (struct schema_nodes){0};
    nodes->v = ARENA_ARRAY(c->r.a, struct schema_node *, v->n);
    if (!nodes->v)
        return ERR_NOMEM;
    JSON_EACH (v, it)
        TRY(node_of(c, it, &nodes->v[nodes->n++]));
    return ERR_OK;
}

static enum err read_items(struct compiler *c, const struct json *v, struct schema_node *n)
{
    n->item = NULL;
    n->items = (struct schema_nodes){0};
    n->has_items_list = v->kind == JSON_ARRAY;
    if (!n->has_items_list)
        return node_of(c, v, &n->item);
    return v->n ? read_nodes(c, v, &n->items) : ERR_OK;
}

static enum err read_rest(struct compiler *c, const struct json *v, struct schema_rest *rest)
{
    *rest = (struct schema_rest){.refused = v->kind == JSON_BOOL && !v->b};
    if (v->kind == JSON_BOOL)
        return ERR_OK;
    return node_of(c, v, &rest->node);
}

static enum err strings_only(struct compiler *c, const struct json *list, struct str key)
{
    JSON_EACH (list, it)
        if (it->kind != JSON_STRING)
            return schema_bad(&c->r, "\"" STR_FMT "\" must be a list of strings", STR_ARG(key));
    return list->n ? ERR_OK : schema_bad(&c->r, "\"" STR_FMT "\" must not be empty", STR_ARG(key));
}

static int by_name(const void *a, const void *b)
{
    const struct schema_member *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

static enum err read_members(struct compiler *c, const struct json *v, struct schema_members *m)
{
    bool patterns = str_eq_c(v->key, "patternProperties");
    TRY(expect(c, v, JSON_OBJECT));
    *m = (struct schema_members){0};
    m->v = ARENA_ARRAY(c->r.a, struct schema_member, v->n);
    if (!m->v)
        return ERR_NOMEM;
    JSON_EACH (v, it) {
        struct schema_member *member = &m->v[m->n++];
        member->name = it->key;
        if (patterns)
            TRY(read_pattern(c, it->key, &member->pattern));
        if (it->kind == JSON_ARRAY && str_eq_c(v->key, "dependencies")) {
            TRY(strings_only(c, it, it->key));
            member->names = it;
        } else {
            TRY(node_of(c, it, &member->node));
        }
    }
    qsort(m->v, m->n, sizeof(*m->v), by_name);
    return ERR_OK;
}

static enum err read_pattern_keyword(struct compiler *c, const struct json *v,
                                     struct schema_node *n)
{
    TRY(expect(c, v, JSON_STRING));
    return read_pattern(c, v->text, &n->pattern);
}

static enum err read_list(struct compiler *c, const struct json *v, bool strings,
                          const struct json **ret_list)
{
    TRY(expect(c, v, JSON_ARRAY));
    if (strings)
        TRY(strings_only(c, v, v->key));
    *ret_list = v;
    return ERR_OK;
}

/* Keywords about values alone, then those that hold other schemas; unknown ones mean nothing. */
static enum err read_applicator(struct compiler *c, const struct json *v, struct schema_node *n)
{
    struct str k = v->key;
    if (str_eq_c(k, "properties"))
        return read_members(c, v, &n->properties);
    if (str_eq_c(k, "patternProperties"))
        return read_members(c, v, &n->pattern_properties);
    if (str_eq_c(k, "dependencies"))
        return read_members(c, v, &n->dependencies);
    if (str_eq_c(k, "additionalProperties"))
        return read_rest(c, v, &n->additional_properties);
    if (str_eq_c(k, "additionalItems"))
        return read_rest(c, v, &n->additional_items);
    if (str_eq_c(k, "items"))
        return read_items(c, v, n);
    if (str_eq_c(k, "allOf"))
        return read_nodes(c, v, &n->all_of);
    if (str_eq_c(k, "anyOf"))
        return read_nodes(c, v, &n->any_of);
    if (str_eq_c(k, "oneOf"))
        return read_nodes(c, v, &n->one_of);
    return str_eq_c(k, "not") ? node_of(c, v, &n->not ) : ERR_OK;
}

static enum err read_keyword(struct compiler *c, const struct json *v, struct schema_node *n)
{
    struct str k = v->key;
    const struct {
        const char *name;
        int64_t *count;
    } counts[] = {
        {"minLength", &n->min_length},         {"maxLength", &n->max_length},
        {"minItems", &n->min_items},           {"maxItems", &n->max_items},
        {"minProperties", &n->min_properties}, {"maxProperties", &n->max_properties},
    };
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        if (str_eq_c(k, counts[i].name))
            return read_count(c, v, counts[i].count);
    if (str_eq_c(k, "type"))
        return read_types(c, v, &n->types);
    if (str_eq_c(k, "enum"))
        return read_list(c, v, false, &n->values);
    if (str_eq_c(k, "required"))
        return read_list(c, v, true, &n->required);
    if (str_eq_c(k, "minimum"))
        return read_number(c, v, &n->minimum);
    if (str_eq_c(k, "maximum"))
        return read_number(c, v, &n->maximum);
    if (str_eq_c(k, "multipleOf"))
        return read_multiple(c, v, &n->multiple_of);
    if (str_eq_c(k, "exclusiveMinimum"))
        return read_flag(c, v, &n->exclusive_minimum);
    if (str_eq_c(k, "exclusiveMaximum"))
        return read_flag(c, v, &n->exclusive_maximum);
    if (str_eq_c(k, "uniqueItems"))
        return read_flag(c, v, &n->unique);
    if (str_eq_c(k, "pattern"))
        return read_pattern_keyword(c, v, n);
    return read_applicator(c, v, n);
}

static enum err read_node(struct compiler *c, struct schema_node *n)
{
    struct str ref = json_get_str(n->source, STR("$ref"));
    n->min_length = n->max_length = n->min_items = n->max_items = -1;
    n->min_properties = n->max_properties = -1;
    if (str_is_set(ref)) {
        const struct json *to;
        TRY(schema_ref_find(&c->r, n->source, ref, &to));
        return node_of(c, to, &n->ref);
    }
    JSON_EACH (n->source, it) /* of a keyword that is repeated the last counts */
        TRY(read_keyword(c, it, n));
    return ERR_OK;
}

/* --- the whole ----------------------------------------------------------------------------------- */

static void limits_free(void *limits)
{
    pcre2_match_context_free(limits);
}

static enum err compile(struct compiler *c, struct str text, struct str uri,
                        struct schema **ret_schema)
{
    const struct json *root;
    struct schema *s = ARENA_NEW(c->r.a, struct schema);
    if (!s)
        return ERR_NOMEM;
    s->limits = pcre2_match_context_create(NULL);
    if (!s->limits)
        return ERR_NOMEM;
    enum err err = arena_on_release(c->r.a, limits_free, s->limits);
    if (err != ERR_OK) {
        limits_free(s->limits);
        return err;
    }
    pcre2_set_match_limit(s->limits, PATTERN_STEPS_MAX);
    pcre2_set_depth_limit(s->limits, PATTERN_DEPTH_MAX);
    pcre2_set_heap_limit(s->limits, PATTERN_HEAP_KIB_MAX);
    TRY(schema_document_add(&c->r, uri, text, &root));
    TRY(node_of(c, root, &s->root));
    while (c->todo) {
        struct schema_node *n = c->todo;
        c->todo = n->next_todo;
        TRY(read_node(c, n));
    }
    *ret_schema = s;
    return ERR_OK;
}

enum err schema_compile(struct arena *a, struct str text, struct str uri,
                        const struct schema_resolver *resolver, const struct schema **ret_schema,
                        struct str *ret_message)
{
    struct compiler c = {.r = {.a = a, .resolver = resolver}};
    struct schema *s = NULL;
    enum err err = compile(&c, text, str_is_set(uri) ? uri : STR(""), &s);
    if (err == ERR_OK)
        *ret_schema = s;
    if (err == ERR_INVALID)
        *ret_message = c.r.message;
    return err;
}
