/* Values against compiled schemas. See schema.h. */
#include <assert.h>
#include <stdlib.h>

#include "lang/schema_int.h"

/* Where in the value we are, for pointers in errors. */
struct where {
    const struct where *outer;
    struct str key; /* absent: `index` */
    size_t index;
};

struct check {
    const struct schema *s;
    struct arena *a;
    struct schema_result *result;
    const struct schema_error **tail;
    size_t steps, depth;
    unsigned quiet; /* inside anyOf, oneOf, not: only validity counts */
    enum err err;   /* ends everything */
};

static bool valid(struct check *c, const struct schema_node *n, const struct json *v,
                  const struct where *w);

static bool give_up(struct check *c, enum err err)
{
    if (c->err == ERR_OK)
        c->err = err;
    return false;
}

static bool work(struct check *c, size_t steps)
{
    c->steps += steps;
    return c->steps <= SCHEMA_STEPS_MAX || give_up(c, ERR_LIMIT);
}

/* --- messages ------------------------------------------------------------------------------------ */

static void put_pointer(struct buf *b, const struct where *w)
{
    const struct where *path[SCHEMA_DEPTH_MAX];
    size_t n = 0;
    for (; w && n < ARRAY_LEN(path); w = w->outer)
        path[n++] = w;
    while (n-- > 0) {
        buf_add_byte(b, '/');
        if (!str_is_set(path[n]->key))
            buf_add_u64(b, path[n]->index);
        for (size_t i = 0; i < path[n]->key.len; i++) {
            char ch = path[n]->key.p[i];
            if (ch == '~' || ch == '/')
                buf_add_c(b, ch == '~' ? "~0" : "~1");
            else
                buf_add_byte(b, ch);
        }
    }
}

/* A value as text, cut at SCHEMA_MESSAGE_MAX. */
static struct str shown(struct check *c, const struct json *v)
{
    struct buf b;
    if (c->quiet)
        return STR("");
    buf_init_arena(&b, c->a, SCHEMA_MESSAGE_MAX);
    json_put(&b, v);
    return buf_str(&b);
}

/* Adds an error; false, so that checks can return it. */
PRINTF_LIKE(4, 5)
static bool wrong(struct check *c, const struct where *w, const char *keyword, const char *fmt, ...)
{
    if (c->quiet || c->err != ERR_OK || c->result->n == SCHEMA_ERRORS_MAX)
        return false;
    struct buf pointer;
    va_list ap;
    struct schema_error *e = ARENA_NEW(c->a, struct schema_error);
    buf_init_arena(&pointer, c->a, 64 * 1024);
    put_pointer(&pointer, w);
    va_start(ap, fmt);
    struct str message = str_vfmt(c->a, fmt, ap);
    va_end(ap);
    if (!e || !str_is_set(message) || buf_err(&pointer) == ERR_NOMEM)
        return give_up(c, ERR_NOMEM);
    *e = (struct schema_error){buf_str(&pointer), keyword, message, NULL};
    *c->tail = e;
    c->tail = &e->next;
    c->result->n++;
    return false;
}

/* --- any type ------------------------------------------------------------------------------------ */

static enum schema_type type_of(const struct json *v)
{
    switch (v->kind) {
    case JSON_NULL:
        return TYPE_NULL;
    case JSON_BOOL:
        return TYPE_BOOLEAN;
    case JSON_STRING:
        return TYPE_STRING;
    case JSON_ARRAY:
        return TYPE_ARRAY;
    case JSON_OBJECT:
        return TYPE_OBJECT;
    default: /* S4-2 */
        for (size_t i = 0; i < v->text.len; i++)
            if (v->text.p[i] == '.' || (v->text.p[i] | 0x20) == 'e')
                return TYPE_NUMBER;
        return TYPE_INTEGER;
    }
}

static bool check_type(struct check *c, const struct schema_node *n, const struct json *v,
                       const struct where *w)
{
    enum schema_type type = type_of(v);
    if (!n->types || n->types >> type & 1)
        return true;
    struct buf b;
    buf_init_arena(&b, c->a, SCHEMA_MESSAGE_MAX);
    for (int t = 0; t < TYPES_N; t++)
        if (n->types >> t & 1)
            buf_add_fmt(&b, "%s\"%s\"", b.len ? "," : "", schema_type_names[t]);
    struct str allowed = buf_str(&b);
    return wrong(c, w, "type",
                 "instance type (%s) does not match any allowed primitive type (allowed: [" STR_FMT
                 "])",
                 schema_type_names[type], STR_ARG(allowed));
}

static bool check_enum(struct check *c, const struct schema_node *n, const struct json *v,
                       const struct where *w)
{
    if (!n->values)
        return true;
    JSON_EACH (n->values, it) {
        if (value_equal(it, v, &c->steps))
            return true;
        if (!work(c, 1))
            return false;
    }
    struct str value = shown(c, v), values = shown(c, n->values);
    return wrong(c, w, "enum",
                 "instance value (" STR_FMT ") not found in enum (possible values: " STR_FMT ")",
                 STR_ARG(value), STR_ARG(values));
}

/* How many of `nodes` are valid; stops at `enough`. */
static size_t count_valid(struct check *c, const struct schema_nodes *nodes, const struct json *v,
                          const struct where *w, size_t enough)
{
    size_t n = 0;
    c->quiet++;
    for (size_t i = 0; i < nodes->n && n < enough && c->err == ERR_OK; i++)
        n += valid(c, nodes->v[i], v, w);
    c->quiet--;
    return n;
}

static bool check_combinations(struct check *c, const struct schema_node *n, const struct json *v,
                               const struct where *w)
{
    bool ok = true;
    for (size_t i = 0; i < n->all_of.n && (ok || !c->quiet); i++)
        ok &= valid(c, n->all_of.v[i], v, w);
    if (n->any_of.n && count_valid(c, &n->any_of, v, w, 1) == 0)
        ok = wrong(c, w, "anyOf", "instance failed to match at least one required schema among %zu",
                   n->any_of.n);
    if (n->one_of.n) {
        size_t matched = count_valid(c, &n->one_of, v, w, SIZE_MAX);
        if (matched != 1)
            ok = wrong(c, w, "oneOf",
                       "instance failed to match exactly one schema (matched %zu out of %zu)",
                       matched, n->one_of.n);
    }
    if (n->not ) {
        struct schema_node *one[] = {n->not };
        if (count_valid(c, &(struct schema_nodes){one, 1}, v, w, 1))
            ok = wrong(c, w, "not", "instance matched a schema which it should not have");
    }
    return ok;
}

/* --- numbers and strings -------------------------------------------------------------------------- */

static bool check_bounds(struct check *c, const struct schema_node *n, const struct decimal *d,
                         struct str text, const struct where *w)
{
    bool ok = true;
    int low = n->minimum.present ? decimal_cmp(d, &n->minimum.d) : 1;
    int high = n->maximum.present ? decimal_cmp(d, &n->maximum.d) : -1;
    if (low < 0)
        ok = wrong(c, w, "minimum",
                   "numeric instance is lower than the required minimum (minimum: " STR_FMT
                   ", found: " STR_FMT ")",
                   STR_ARG(n->minimum.text), STR_ARG(text));
    if (low == 0 && n->exclusive_minimum)
        ok = wrong(c, w, "minimum",
                   "numeric instance is not strictly greater than the required minimum " STR_FMT,
                   STR_ARG(n->minimum.text));
    if (high > 0)
        ok = wrong(c, w, "maximum",
                   "numeric instance is greater than the required maximum (maximum: " STR_FMT
                   ", found: " STR_FMT ")",
                   STR_ARG(n->maximum.text), STR_ARG(text));
    if (high == 0 && n->exclusive_maximum)
        ok = wrong(c, w, "maximum",
                   "numeric instance is not strictly lower than the required maximum " STR_FMT,
                   STR_ARG(n->maximum.text));
    return ok;
}

static bool check_number(struct check *c, const struct schema_node *n, const struct json *v,
                         const struct where *w)
{
    struct decimal d;
    if (!n->minimum.present && !n->maximum.present && !n->multiple_of.present)
        return true;
    enum err err = decimal_parse(v->text, &d);
    if (err != ERR_OK)
        return give_up(c, err);
    bool ok = check_bounds(c, n, &d, v->text, w), multiple = true;
    if (n->multiple_of.present)
        err = decimal_is_multiple(&d, &n->multiple_of.d, &multiple);
    if (err != ERR_OK)
        return give_up(c, err);
    if (!multiple)
        ok = wrong(c, w, "multipleOf",
                   "remainder of division is not zero (" STR_FMT " / " STR_FMT ")",
                   STR_ARG(v->text), STR_ARG(n->multiple_of.text));
    return ok;
}

/* Whether the pattern is found in `s`; false also when the check is given up. */
static bool found(struct check *c, const struct schema_pattern *p, struct str s)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (!data)
        return give_up(c, ERR_NOMEM);
    int n = pcre2_match(p->code, (PCRE2_SPTR)s.p, s.len, 0, PCRE2_NO_UTF_CHECK, data, c->s->limits);
    pcre2_match_data_free(data);
    if (n >= 0 || n == PCRE2_ERROR_NOMATCH)
        return n >= 0 && work(c, 1 + s.len / 16);
    return give_up(c, n == PCRE2_ERROR_NOMEMORY ? ERR_NOMEM : ERR_LIMIT);
}

static bool check_string(struct check *c, const struct schema_node *n, const struct json *v,
                         const struct where *w)
{
    bool ok = true;
    if (n->min_length >= 0 || n->max_length >= 0) {
        int64_t length = (int64_t)str_utf8_count(v->text);
        struct str text = str_sub(v->text, 0, SCHEMA_MESSAGE_MAX);
        if (n->min_length >= 0 && length < n->min_length)
            ok = wrong(c, w, "minLength",
                       "string \"" STR_FMT "\" is too short (length: %lld, required minimum: %lld)",
                       STR_ARG(text), (long long)length, (long long)n->min_length);
        if (n->max_length >= 0 && length > n->max_length)
            ok = wrong(c, w, "maxLength",
                       "string \"" STR_FMT "\" is too long (length: %lld, maximum allowed: %lld)",
                       STR_ARG(text), (long long)length, (long long)n->max_length);
    }
    if (n->pattern.code && !found(c, &n->pattern, v->text)) {
        struct str text = str_sub(v->text, 0, SCHEMA_MESSAGE_MAX);
        ok = wrong(c, w, "pattern",
                   "ECMA 262 regex \"" STR_FMT "\" does not match input string \"" STR_FMT "\"",
                   STR_ARG(n->pattern.text), STR_ARG(text));
    }
    return ok;
}

/* --- arrays ---------------------------------------------------------------------------------------- */

struct hashed {
    uint64_t hash;
    const struct json *v;
};

static int by_hash(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static bool check_unique(struct check *c, const struct json *v, const struct where *w)
{
    struct hashed *all = ARENA_ARRAY(c->a, struct hashed, v->n);
    size_t n = 0;
    if (!all)
        return give_up(c, ERR_NOMEM);
    JSON_EACH (v, it)
        all[n++] = (struct hashed){value_hash(it, &c->steps), it};
    qsort(all, n, sizeof(*all), by_hash);
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n && all[k].hash == all[i].hash; k++) {
            if (value_equal(all[i].v, all[k].v, &c->steps))
                return wrong(c, w, "uniqueItems", "array must not contain duplicate elements");
            if (!work(c, 1))
                return false;
        }
    return work(c, n);
}

static bool check_items(struct check *c, const struct schema_node *n, const struct json *v,
                        const struct where *w)
{
    bool ok = true;
    size_t i = 0;
    if (n->has_items_list && n->additional_items.refused && v->n > n->items.n)
        ok = wrong(c, w, "additionalItems",
                   "array is too long: must have at most %zu elements but instance has %u elements",
                   n->items.n, v->n);
    JSON_EACH (v, it) {
        const struct schema_node *item = n->item;
        if (n->has_items_list)
            item = i < n->items.n ? n->items.v[i] : n->additional_items.node;
        struct where here = {w, STR_NONE, i++};
        if (item)
            ok &= valid(c, item, it, &here);
        if (c->err != ERR_OK || (!ok && c->quiet))
            return false;
    }
    return ok;
}

static bool check_array(struct check *c, const struct schema_node *n, const struct json *v,
                        const struct where *w)
{
    bool ok = true;
    if (n->min_items >= 0 && v->n < n->min_items)
        ok = wrong(c, w, "minItems",
                   "array is too short: must have at least %lld elements but instance has %u "
                   "elements",
                   (long long)n->min_items, v->n);
    if (n->max_items >= 0 && v->n > n->max_items)
        ok =
            wrong(c, w, "maxItems",
                  "array is too long: must have at most %lld elements but instance has %u elements",
                  (long long)n->max_items, v->n);
    if (n->unique)
        ok &= check_unique(c, v, w);
    if (n->item || n->has_items_list)
        ok &= check_items(c, n, v, w);
    return ok;
}

/* --- objects ---------------------------------------------------------------------------------------- */

static int text_order(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    return str_cmp(*x, *y);
}

/* Names of `list` that `v` has not, as a sorted JSON list without brackets; empty: none is missing. */
static struct str missing(struct check *c, const struct json *list, const struct json *v)
{
    struct buf b;
    size_t n = 0;
    struct str *names = ARENA_ARRAY(c->a, struct str, list->n);
    buf_init_arena(&b, c->a, SCHEMA_MESSAGE_MAX);
    if (!names) {
        give_up(c, ERR_NOMEM);
        return STR("");
    }
    JSON_EACH (list, it) {
        if (!work(c, v->n + 1))
            return STR("");
        if (!json_get(v, it->text))
            names[n++] = it->text;
    }
    if (n && c->quiet)
        return STR("?");
    qsort(names, n, sizeof(*names), text_order);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_add_byte(&b, ',');
        json_put_str(&b, names[i]);
    }
    return buf_str(&b);
}

static bool check_dependencies(struct check *c, const struct schema_node *n, const struct json *v,
                               const struct where *w)
{
    bool ok = true;
    for (size_t i = 0; i < n->dependencies.n && c->err == ERR_OK; i++) {
        const struct schema_member *m = &n->dependencies.v[i];
        if (!work(c, v->n + 1) || !json_get(v, m->name))
            continue;
        if (m->node) {
            ok &= valid(c, m->node, v, w);
            continue;
        }
        struct str absent = missing(c, m->names, v), all = shown(c, m->names);
        if (absent.len)
            ok = wrong(c, w, "dependencies",
                       "property \"" STR_FMT
                       "\" of object has missing property dependencies (schema requires " STR_FMT
                       "; missing: [" STR_FMT "])",
                       STR_ARG(m->name), STR_ARG(all), STR_ARG(absent));
    }
    return ok && c->err == ERR_OK;
}

static const struct schema_node *property(const struct schema_members *m, struct str name)
{
    size_t low = 0, high = m->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = str_cmp(m->v[mid].name, name);
        if (order == 0)
            return m->v[mid].node;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* One member of an object; *ret_extra: nothing names it and nothing is allowed beyond. */
static bool check_member(struct check *c, const struct schema_node *n, const struct json *member,
                         const struct where *w, bool *ret_extra)
{
    struct where here = {w, member->key, 0};
    const struct schema_node *named = property(&n->properties, member->key);
    bool ok = !named || valid(c, named, member, &here), matched = named != NULL;
    for (size_t i = 0; i < n->pattern_properties.n && c->err == ERR_OK; i++) {
        const struct schema_member *m = &n->pattern_properties.v[i];
        if (!found(c, &m->pattern, member->key))
            continue;
        matched = true;
        ok &= valid(c, m->node, member, &here);
    }
    *ret_extra = !matched && n->additional_properties.refused;
    if (!matched && n->additional_properties.node)
        ok &= valid(c, n->additional_properties.node, member, &here);
    return ok && c->err == ERR_OK;
}

static bool check_members(struct check *c, const struct schema_node *n, const struct json *v,
                          const struct where *w)
{
    bool ok = true;
    struct buf extra;
    buf_init_arena(&extra, c->a, SCHEMA_MESSAGE_MAX);
    JSON_EACH (v, it) {
        bool is_extra;
        ok &= check_member(c, n, it, w, &is_extra);
        if (c->err != ERR_OK || ((!ok || is_extra) && c->quiet))
            return false;
        if (is_extra) {
            buf_add_c(&extra, extra.len ? "," : "");
            json_put_str(&extra, it->key);
        }
    }
    struct str names = buf_str(&extra);
    return names.len ? wrong(c, w, "additionalProperties",
                             "object instance has properties which are not allowed by the schema: "
                             "[" STR_FMT "]",
                             STR_ARG(names))
                     : ok;
}

static bool check_object(struct check *c, const struct schema_node *n, const struct json *v,
                         const struct where *w)
{
    bool ok = true;
    if (n->min_properties >= 0 && v->n < n->min_properties)
        ok = wrong(c, w, "minProperties",
                   "object has too few properties (found %u but schema requires at least %lld)",
                   v->n, (long long)n->min_properties);
    if (n->max_properties >= 0 && v->n > n->max_properties)
        ok = wrong(c, w, "maxProperties",
                   "object has too many properties (found %u but schema requires at most %lld)",
                   v->n, (long long)n->max_properties);
    if (n->required) {
        struct str names = missing(c, n->required, v);
        if (names.len)
            ok = wrong(c, w, "required", "object has missing required properties ([" STR_FMT "])",
                       STR_ARG(names));
    }
    ok &= check_dependencies(c, n, v, w);
    ok &= check_members(c, n, v, w);
    return ok;
}

/* --- the whole --------------------------------------------------------------------------------------- */

static bool valid_here(struct check *c, const struct schema_node *n, const struct json *v,
                       const struct where *w)
{
    if (n->ref)
        return valid(c, n->ref, v, w);
    bool ok = check_type(c, n, v, w);
    ok &= check_enum(c, n, v, w);
    if (!ok && c->quiet)
        return false;
    if (v->kind == JSON_NUMBER)
        ok &= check_number(c, n, v, w);
    else if (v->kind == JSON_STRING)
        ok &= check_string(c, n, v, w);
    else if (v->kind == JSON_ARRAY)
        ok &= check_array(c, n, v, w);
    else if (v->kind == JSON_OBJECT)
        ok &= check_object(c, n, v, w);
    if (!ok && c->quiet)
        return false;
    return check_combinations(c, n, v, w) && ok;
}

static bool valid(struct check *c, const struct schema_node *n, const struct json *v,
                  const struct where *w)
{
    if (c->err != ERR_OK || !work(c, 1))
        return false;
    if (c->depth == SCHEMA_DEPTH_MAX)
        return give_up(c, ERR_LIMIT);
    c->depth++;
    bool ok = valid_here(c, n, v, w);
    c->depth--;
    return ok;
}

enum err schema_validate(const struct schema *s, const struct json *v, struct arena *scratch,
                         struct schema_result *ret_result)
{
    struct schema_result result = {0};
    struct check c = {.s = s, .a = scratch, .result = &result, .tail = &result.errors};
    result.valid = valid(&c, s->root, v, NULL);
    if (c.err != ERR_OK)
        return c.err;
    assert(result.valid == (result.n == 0));
    *ret_result = result;
    return ERR_OK;
}

struct str schema_errors_text(struct arena *a, const struct schema_result *r)
{
    struct buf b;
    buf_init_arena(&b, a, (size_t)SCHEMA_ERRORS_MAX * 4 * SCHEMA_MESSAGE_MAX);
    buf_add_byte(&b, '[');
    for (const struct schema_error *e = r->errors; e; e = e->next) {
        if (e != r->errors)
            BUF_ADD_LIT(&b, ", ");
        buf_add_str(&b, e->message);
    }
    buf_add_byte(&b, ']');
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}
