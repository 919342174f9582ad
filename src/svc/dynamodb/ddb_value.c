#include "svc/dynamodb/ddb_value.h"

#include <assert.h>

#include <stdlib.h>

#include "base/mem.h"
#include "codec/base64.h"
#include "svc/dynamodb/ddb_num.h"

enum {
    SET_SORT_MIN = 8,    /* elements from which duplicates are looked for by sorting */
    EQUAL_SORT_MIN = 32, /* elements from which unordered containers are compared sorted */
};

static const struct str TYPE_NAMES[] = {
    [DDB_S] = STR_INIT("S"),   [DDB_N] = STR_INIT("N"),       [DDB_B] = STR_INIT("B"),
    [DDB_L] = STR_INIT("L"),   [DDB_BOOL] = STR_INIT("BOOL"), [DDB_NULL] = STR_INIT("NULL"),
    [DDB_M] = STR_INIT("M"),   [DDB_SS] = STR_INIT("SS"),     [DDB_NS] = STR_INIT("NS"),
    [DDB_BS] = STR_INIT("BS"),
};

enum err ddb_invalid(struct ddb_diag *diag, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag->msg = str_vfmt(diag->arena, fmt, ap);
    va_end(ap);
    return str_is_set(diag->msg) ? ERR_INVALID : ERR_NOMEM;
}

struct str ddb_type_name(enum ddb_type type)
{
    return TYPE_NAMES[type];
}

enum ddb_type ddb_type_from_name(struct str name)
{
    for (size_t t = DDB_S; t < ARRAY_LEN(TYPE_NAMES); t++)
        if (str_eq(TYPE_NAMES[t], name))
            return (enum ddb_type)t;
    return (enum ddb_type)0;
}

struct ddb_av *ddb_av_new(struct arena *a, enum ddb_type type)
{
    struct ddb_av *v = ARENA_NEW(a, struct ddb_av);
    if (v)
        v->type = type;
    return v;
}

void ddb_av_append(struct ddb_av *container, struct ddb_av *child)
{
    child->next = NULL;
    if (container->last)
        container->last->next = child;
    else
        container->child = child;
    container->last = child;
    container->n++;
}

void ddb_av_remove(struct ddb_av *container, struct ddb_av *child)
{
    struct ddb_av *before = NULL;
    assert(container->n > 0 && container->last);
    for (struct ddb_av *c = container->child; c != child; c = c->next)
        before = c;
    if (before)
        before->next = child->next;
    else
        container->child = child->next;
    if (container->last == child)
        container->last = before;
    container->n--;
    assert((container->n == 0) == (container->child == NULL));
}

void ddb_av_replace(struct ddb_av *container, struct ddb_av *old, struct ddb_av *neu)
{
    struct ddb_av **link = &container->child;
    assert(container->n > 0);
    while (*link != old)
        link = &(*link)->next;
    neu->name = old->name;
    neu->next = old->next;
    *link = neu;
    if (container->last == old)
        container->last = neu;
}

struct ddb_av *ddb_av_clone(struct arena *a, const struct ddb_av *v)
{
    struct ddb_av *c = arena_alloc(a, sizeof(*c));
    if (!c)
        return NULL;
    *c = *v;
    c->next = NULL;
    c->name = STR_NONE;
    return c;
}

struct ddb_av *ddb_av_copy(struct arena *a, const struct ddb_av *v)
{
    struct ddb_av *c = ddb_av_clone(a, v);
    if (!c || !v->child)
        return c;
    c->child = c->last = NULL;
    c->n = 0;
    for (const struct ddb_av *e = v->child; e; e = e->next) {
        struct ddb_av *d = ddb_av_copy(a, e);
        if (!d)
            return NULL;
        d->name = e->name;
        ddb_av_append(c, d);
    }
    return c;
}

struct ddb_av *ddb_av_get(const struct ddb_av *map, struct str name)
{
    if (!map || map->type != DDB_M)
        return NULL;
    for (struct ddb_av *c = map->child; c; c = c->next)
        if (str_eq(c->name, name))
            return c;
    return NULL;
}

struct ddb_av *ddb_av_at(const struct ddb_av *list, size_t index)
{
    if (!list || list->type != DDB_L || index >= list->n)
        return NULL;
    struct ddb_av *c = list->child;
    while (c && index--)
        c = c->next;
    return c;
}

/* --- from JSON -------------------------------------------------------------------------------- */

static enum err bad_shape(struct ddb_diag *diag, const struct json *v, const char *wanted)
{
    static const char *const kinds[] = {
        [JSON_NULL] = "NULL_VALUE",     [JSON_BOOL] = "TRUE_VALUE",
        [JSON_NUMBER] = "NUMBER_VALUE", [JSON_STRING] = "STRING_VALUE",
        [JSON_ARRAY] = "START_ARRAY",   [JSON_OBJECT] = "START_OBJECT",
    };
    diag->serialization = true;
    const char *kind = v->kind == JSON_BOOL && !v->b ? "FALSE_VALUE" : kinds[v->kind];
    return ddb_invalid(diag, "%s cannot be converted to %s", kind, wanted);
}

static enum err text_of(struct ddb_diag *diag, const struct json *v, struct str *ret_text)
{
    if (v->kind != JSON_STRING)
        return bad_shape(diag, v, "String");
    *ret_text = v->text;
    return ERR_OK;
}

static enum err number_of(struct ddb_diag *diag, const struct json *v, struct str *ret_text)
{
    struct str text;
    TRY(text_of(diag, v, &text));
    if (ddb_num_is_plain(text)) {
        *ret_text = text;
        return ERR_OK;
    }
    struct ddb_num num;
    enum ddb_num_fault fault = ddb_num_parse(text, &num);
    if (fault != DDB_NUM_OK) {
        diag->msg = ddb_num_message(diag->arena, fault, text);
        return str_is_set(diag->msg) ? ERR_INVALID : ERR_NOMEM;
    }
    char out[DDB_NUM_TEXT_MAX];
    *ret_text = str_dup(diag->arena, ddb_num_text(&num, out));
    return ret_text->p ? ERR_OK : ERR_NOMEM;
}

static enum err bytes_of(struct ddb_diag *diag, const struct json *v, struct str *ret_bytes)
{
    struct str text;
    TRY(text_of(diag, v, &text));
    enum err err = base64_decode(diag->arena, text, ret_bytes);
    if (err != ERR_INVALID)
        return err;
    diag->serialization = true;
    return ddb_invalid(diag, "Invalid base64 content in a binary attribute value");
}

static enum err scalar_from_json(struct ddb_diag *diag, enum ddb_type type, const struct json *v,
                                 struct str *ret_s)
{
    if (type == DDB_N)
        return number_of(diag, v, ret_s);
    if (type == DDB_B)
        return bytes_of(diag, v, ret_s);
    return text_of(diag, v, ret_s);
}

static int cmp_str_ptr(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* A set's elements sorted, in the arena; NULL on exhaustion. */
static struct str *sorted_elements(struct arena *a, const struct ddb_av *set)
{
    struct str *v = ARENA_ARRAY(a, struct str, set->n);
    if (!v)
        return NULL;
    size_t i = 0;
    for (const struct ddb_av *c = set->child; c; c = c->next)
        v[i++] = c->s;
    qsort(v, set->n, sizeof(*v), cmp_str_ptr);
    return v;
}

static enum err check_duplicates(struct ddb_diag *diag, const struct ddb_av *set)
{
    bool twice = false;
    if (set->n >= SET_SORT_MIN) {
        struct str *v = sorted_elements(diag->arena, set);
        if (!v)
            return ERR_NOMEM;
        for (size_t i = 1; i < set->n && !twice; i++)
            twice = str_eq(v[i - 1], v[i]);
    } else {
        for (const struct ddb_av *c = set->child; c && !twice; c = c->next)
            for (const struct ddb_av *d = c->next; d && !twice; d = d->next)
                twice = str_eq(c->s, d->s);
    }
    if (!twice)
        return ERR_OK;
    if (set->type == DDB_NS)
        return ddb_invalid(diag, "Input collection contains duplicates");
    struct buf b;
    buf_init_arena(&b, diag->arena, DDB_ITEM_BYTES_MAX * 2);
    for (const struct ddb_av *c = set->child; c; c = c->next) {
        if (c != set->child)
            BUF_ADD_LIT(&b, ", ");
        if (set->type == DDB_BS)
            base64_put(&b, c->s.p, c->s.len);
        else
            buf_add_str(&b, c->s);
    }
    return ddb_invalid(diag,
                       "One or more parameter values were invalid: Input collection [" STR_FMT
                       "]%s contains duplicates.",
                       STR_ARG(buf_str(&b)), set->type == DDB_BS ? "of type BS" : "");
}

static enum err set_from_json(struct ddb_diag *diag, struct ddb_av *set, const struct json *v)
{
    if (v->kind != JSON_ARRAY)
        return bad_shape(diag, v, "List");
    enum ddb_type type = ddb_set_element(set->type);
    if (v->n == 0 && type == DDB_B)
        return ddb_invalid(diag, "One or more parameter values were invalid: Binary sets should "
                                 "not be empty");
    if (v->n == 0)
        return ddb_invalid(diag,
                           "One or more parameter values were invalid: An %s set  may not be "
                           "empty",
                           type == DDB_S ? "string" : "number");
    JSON_EACH (v, e) {
        struct ddb_av *c = ddb_av_new(diag->arena, type);
        if (!c)
            return ERR_NOMEM;
        TRY(scalar_from_json(diag, type, e, &c->s));
        ddb_av_append(set, c);
    }
    return check_duplicates(diag, set);
}

static enum err value_from_json(struct ddb_diag *diag, const struct json *v, int depth,
                                struct ddb_av **ret_av);

/* Names in an item's maps may be empty, those of its attributes may not. */
static enum err bad_name(struct ddb_diag *diag, struct str name)
{
    return ddb_invalid(diag, "One or more parameter values were invalid: %s",
                       str_empty(name) ? "Attribute name must not be empty"
                                       : "Attribute name is too large, must be less than 65536 "
                                         "bytes");
}

/* Members into `map`; its attributes are an item's where `depth` is 1. */
static enum err members_from_json(struct ddb_diag *diag, struct ddb_av *map, const struct json *v,
                                  int depth)
{
    JSON_EACH (v, e) {
        struct ddb_av *c;
        if (e->key.len > DDB_NAME_BYTES_MAX || (str_empty(e->key) && depth == 1))
            return bad_name(diag, e->key);
        TRY(value_from_json(diag, e, depth, &c));
        c->name = e->key;
        ddb_av_append(map, c);
    }
    return ERR_OK;
}

static int cmp_name(const void *a, const void *b)
{
    const struct ddb_av *x = *(struct ddb_av *const *)a, *y = *(struct ddb_av *const *)b;
    return str_cmp(x->name, y->name);
}

/* DV3. Names are few in practice, so a small map is compared pairwise and a larger one sorted. */
static enum err check_repeated(struct ddb_diag *diag, struct ddb_av *map)
{
    if (map->n < 2)
        return ERR_OK;
    bool twice = false;
    if (map->n <= SET_SORT_MIN * 2) {
        for (struct ddb_av *c = map->child; c && !twice; c = c->next)
            for (struct ddb_av *d = c->next; d && !twice; d = d->next)
                twice = str_eq(c->name, d->name);
    } else {
        struct ddb_av **v = ARENA_ARRAY(diag->arena, struct ddb_av *, map->n);
        if (!v)
            return ERR_NOMEM;
        size_t i = 0;
        for (struct ddb_av *c = map->child; c; c = c->next)
            v[i++] = c;
        qsort(v, map->n, sizeof(struct ddb_av *), cmp_name);
        for (i = 1; i < map->n && !twice; i++)
            twice = str_eq(v[i - 1]->name, v[i]->name);
    }
    if (!twice)
        return ERR_OK;
    diag->serialization = true;
    return ddb_invalid(diag, "Duplicate attribute name in a map");
}

static enum err map_from_json(struct ddb_diag *diag, struct ddb_av *map, const struct json *v,
                              int depth)
{
    if (v->kind != JSON_OBJECT)
        return bad_shape(diag, v, "Map");
    TRY(members_from_json(diag, map, v, depth));
    return check_repeated(diag, map);
}

static enum err list_from_json(struct ddb_diag *diag, struct ddb_av *list, const struct json *v,
                               int depth)
{
    if (v->kind != JSON_ARRAY)
        return bad_shape(diag, v, "List");
    JSON_EACH (v, e) {
        struct ddb_av *c;
        TRY(value_from_json(diag, e, depth, &c));
        ddb_av_append(list, c);
    }
    return ERR_OK;
}

static enum err typed_from_json(struct ddb_diag *diag, struct ddb_av *av, const struct json *v,
                                int depth)
{
    switch (av->type) {
    case DDB_S:
    case DDB_N:
    case DDB_B:
        return scalar_from_json(diag, av->type, v, &av->s);
    case DDB_BOOL:
        if (v->kind != JSON_BOOL)
            return bad_shape(diag, v, "Boolean");
        av->b = v->b;
        return ERR_OK;
    case DDB_NULL:
        if (v->kind != JSON_BOOL)
            return bad_shape(diag, v, "Boolean");
        return ERR_OK; /* false is taken, too, and means the same */
    case DDB_L:
    case DDB_M:
        if (depth > DDB_DEPTH_MAX)
            return ddb_invalid(diag, "Nesting Levels have exceeded supported limits: Attributes "
                                     "in the item have nested levels beyond supported limit");
        return av->type == DDB_L ? list_from_json(diag, av, v, depth + 1)
                                 : map_from_json(diag, av, v, depth + 1);
    case DDB_SS:
    case DDB_NS:
    case DDB_BS:
        return set_from_json(diag, av, v);
    }
    return ERR_INVALID;
}

static enum err value_from_json(struct ddb_diag *diag, const struct json *v, int depth,
                                struct ddb_av **ret_av)
{
    if (v->kind != JSON_OBJECT)
        return bad_shape(diag, v, "AttributeValue");
    const struct json *found = NULL;
    enum ddb_type type = (enum ddb_type)0;
    JSON_EACH (v, e) {
        enum ddb_type t = ddb_type_from_name(e->key);
        if (!t || e->kind == JSON_NULL) /* unknown members and nulls are as good as absent */
            continue;
        if (found)
            return ddb_invalid(diag, "Supplied AttributeValue has more than one datatypes set, "
                                     "must contain exactly one of the supported datatypes");
        found = e;
        type = t;
    }
    if (!found)
        return ddb_invalid(diag, "Supplied AttributeValue is empty, must contain exactly one of "
                                 "the supported datatypes");
    struct ddb_av *av = ddb_av_new(diag->arena, type);
    if (!av)
        return ERR_NOMEM;
    TRY(typed_from_json(diag, av, found, depth));
    *ret_av = av;
    return ERR_OK;
}

enum err ddb_av_from_json(struct ddb_diag *diag, const struct json *v, struct ddb_av **ret_av)
{
    return value_from_json(diag, v, 1, ret_av);
}

enum err ddb_item_from_json(struct ddb_diag *diag, const struct json *v, struct ddb_av **ret_item)
{
    struct ddb_av *item = ddb_av_new(diag->arena, DDB_M);
    if (!item)
        return ERR_NOMEM;
    TRY(map_from_json(diag, item, v, 1));
    *ret_item = item;
    return ERR_OK;
}

/* --- to JSON ---------------------------------------------------------------------------------- */

void ddb_scalar_put_text(struct buf *b, enum ddb_type type, struct str bytes)
{
    if (type == DDB_S) {
        json_put_str(b, bytes);
        return;
    }
    buf_add_byte(b, '"');
    if (type == DDB_B)
        base64_put(b, bytes.p, bytes.len);
    else
        buf_add_str(b, bytes);
    buf_add_byte(b, '"');
}

void ddb_scalar_put_json(struct buf *b, enum ddb_type type, struct str bytes)
{
    static const char *const heads[] = {
        [DDB_S] = "{\"S\":", [DDB_N] = "{\"N\":", [DDB_B] = "{\"B\":"};
    buf_add(b, heads[type], 5);
    ddb_scalar_put_text(b, type, bytes);
    buf_add_byte(b, '}');
}

static void put_elements(struct buf *b, const struct ddb_av *v)
{
    buf_add_byte(b, '[');
    for (const struct ddb_av *c = v->child; c; c = c->next) {
        if (c != v->child)
            buf_add_byte(b, ',');
        if (v->type == DDB_L)
            ddb_av_put_json(b, c);
        else
            ddb_scalar_put_text(b, c->type, c->s);
    }
    buf_add_byte(b, ']');
}

void ddb_av_put_json(struct buf *b, const struct ddb_av *v)
{
    switch (v->type) {
    case DDB_S:
    case DDB_N:
    case DDB_B:
        ddb_scalar_put_json(b, v->type, v->s);
        return;
    case DDB_BOOL:
        buf_add_c(b, v->b ? "{\"BOOL\":true}" : "{\"BOOL\":false}");
        return;
    case DDB_NULL:
        BUF_ADD_LIT(b, "{\"NULL\":true}");
        return;
    case DDB_M:
        BUF_ADD_LIT(b, "{\"M\":");
        ddb_item_put_json(b, v);
        break;
    case DDB_L:
    case DDB_SS:
    case DDB_NS:
    case DDB_BS:
        BUF_ADD_LIT(b, "{\"");
        buf_add_str(b, TYPE_NAMES[v->type]);
        BUF_ADD_LIT(b, "\":");
        put_elements(b, v);
        break;
    }
    buf_add_byte(b, '}');
}

void ddb_item_put_json(struct buf *b, const struct ddb_av *item)
{
    buf_add_byte(b, '{');
    for (const struct ddb_av *c = item->child; c; c = c->next) {
        if (c != item->child)
            buf_add_byte(b, ',');
        json_put_str(b, c->name);
        buf_add_byte(b, ':');
        ddb_av_put_json(b, c);
    }
    buf_add_byte(b, '}');
}

/* --- size and comparison ---------------------------------------------------------------------- */

size_t ddb_av_size(const struct ddb_av *v)
{
    size_t size = 0;
    switch (v->type) {
    case DDB_S:
    case DDB_B:
        return v->s.len;
    case DDB_N:
        return ddb_num_size(v->s);
    case DDB_BOOL:
    case DDB_NULL:
        return 1;
    case DDB_L:
    case DDB_M:
        size = DDB_CONTAINER_OVERHEAD_BYTES + v->n; /* one byte an element */
        break;
    default:
        break;
    }
    for (const struct ddb_av *c = v->child; c; c = c->next)
        size += c->name.len + ddb_av_size(c);
    return size;
}

size_t ddb_item_size(const struct ddb_av *item)
{
    size_t size = 0;
    for (const struct ddb_av *c = item->child; c; c = c->next)
        size += c->name.len + ddb_av_size(c);
    return size;
}

int ddb_item_depth(const struct ddb_av *item)
{
    int deepest = 0;
    for (const struct ddb_av *c = item->child; c; c = c->next) {
        if (c->type != DDB_L && c->type != DDB_M)
            continue;
        int depth = 1 + ddb_item_depth(c);
        if (depth > deepest)
            deepest = depth;
    }
    return deepest;
}

bool ddb_set_has(const struct ddb_av *set, struct str bytes)
{
    for (const struct ddb_av *c = set->child; c; c = c->next)
        if (str_eq(c->s, bytes))
            return true;
    return false;
}

/* Children's pointers ordered by `cmp`, from the heap; NULL when there is no memory. */
static struct ddb_av **sorted_children(const struct ddb_av *v,
                                       int (*cmp)(const void *, const void *))
{
    struct ddb_av **sorted = mem_calloc(v->n, sizeof(struct ddb_av *));
    if (!sorted)
        return NULL;
    size_t i = 0;
    for (struct ddb_av *c = v->child; c; c = c->next)
        sorted[i++] = c;
    qsort(sorted, v->n, sizeof(struct ddb_av *), cmp);
    return sorted;
}

static int cmp_bytes(const void *a, const void *b)
{
    const struct ddb_av *x = *(struct ddb_av *const *)a, *y = *(struct ddb_av *const *)b;
    return str_cmp(x->s, y->s);
}

static bool children_equal_pairwise(const struct ddb_av *a, const struct ddb_av *b)
{
    for (const struct ddb_av *c = a->child; c; c = c->next) {
        if (a->type != DDB_M) {
            if (!ddb_set_has(b, c->s))
                return false;
            continue;
        }
        const struct ddb_av *d = ddb_av_get(b, c->name);
        if (!d || !ddb_av_equal(c, d))
            return false;
    }
    return true;
}

/* Two sets or two maps of the same count, whatever their order. O(n log n). */
static bool unordered_equal(const struct ddb_av *a, const struct ddb_av *b)
{
    if (a->n < EQUAL_SORT_MIN)
        return children_equal_pairwise(a, b);
    bool map = a->type == DDB_M, equal = true;
    struct ddb_av **x = sorted_children(a, map ? cmp_name : cmp_bytes);
    struct ddb_av **y = sorted_children(b, map ? cmp_name : cmp_bytes);
    if (!x || !y)
        equal = children_equal_pairwise(a, b);
    for (size_t i = 0; x && y && i < a->n && equal; i++)
        equal = map ? str_eq(x[i]->name, y[i]->name) && ddb_av_equal(x[i], y[i])
                    : str_eq(x[i]->s, y[i]->s);
    mem_free(x);
    mem_free(y);
    return equal;
}

bool ddb_av_equal(const struct ddb_av *a, const struct ddb_av *b)
{
    if (a->type != b->type || a->n != b->n)
        return false;
    switch (a->type) {
    case DDB_S:
    case DDB_N: /* normal texts */
    case DDB_B:
        return str_eq(a->s, b->s);
    case DDB_BOOL:
        return a->b == b->b;
    case DDB_NULL:
        return true;
    case DDB_SS:
    case DDB_NS:
    case DDB_BS:
    case DDB_M:
        return unordered_equal(a, b);
    case DDB_L:
        for (const struct ddb_av *c = a->child, *d = b->child; c; c = c->next, d = d->next)
            if (!ddb_av_equal(c, d))
                return false;
        return true;
    }
    return false;
}

bool ddb_av_cmp(const struct ddb_av *a, const struct ddb_av *b, int *ret_cmp)
{
    if (a->type != b->type || a->type > DDB_B)
        return false;
    *ret_cmp = a->type == DDB_N ? ddb_num_cmp_text(a->s, b->s) : str_cmp(a->s, b->s);
    return true;
}
