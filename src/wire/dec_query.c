/* Form parameters of the query protocol to a generated struct.
 *
 * "Tags.member.1.Key=a" names a place by its path, in any order of parameters. The parameters are
 * sorted so that what shares a prefix stands together, made into a tree of path segments in one
 * pass, and the tree is read by the tables:
 *
 *   list            Name.member.N   (or Name.<element>.N)
 *   flattened list  Name.N          where Name is the element's own name
 *   map             Name.entry.N.key, Name.entry.N.value
 *   flattened map   Name.N.<key>, Name.N.<value>
 *
 * "Name=" alone is an empty list or map, "Name=text" a flattened list of one, "Name.<key>" with
 * "Name.<value>" a flattened map of one (as in SQS's own examples). Unknown parameters are ignored.
 *
 * Layer: wire. Thread: pure. */
#include <assert.h>
#include <stdlib.h>

#include "wire/wire_int.h"

struct node {
    struct str name;
    struct str value; /* absent for an inner node */
    struct node *child, *last;
    struct node *next;
    size_t n; /* children */
};

/* '.' sorts before everything, so that a prefix's parameters are not parted by a longer name. */
static int key_cmp(const void *a, const void *b)
{
    struct str x = ((const struct percent_pair *)a)->key, y = ((const struct percent_pair *)b)->key;
    size_t n = min_size(x.len, y.len);
    for (size_t i = 0; i < n; i++) {
        if (x.p[i] == y.p[i])
            continue;
        int cx = x.p[i] == '.' ? -1 : (unsigned char)x.p[i];
        int cy = y.p[i] == '.' ? -1 : (unsigned char)y.p[i];
        return cx - cy;
    }
    return x.len < y.len ? -1 : x.len > y.len;
}

static struct node *add_child(struct arena *arena, struct node *parent, struct str name)
{
    struct node *node = ARENA_NEW(arena, struct node);
    if (!node)
        return NULL;
    assert(!parent->last == !parent->child);
    node->name = name;
    if (parent->last)
        parent->last->next = node;
    else
        parent->child = node;
    parent->last = node;
    parent->n++;
    return node;
}

static enum err build_tree(struct wire_dec *d, const struct percent_pair *pairs, size_t n,
                           struct node *root)
{
    struct percent_pair *sorted = ARENA_ARRAY(d->arena, struct percent_pair, n ? n : 1);
    if (!sorted)
        return ERR_NOMEM;
    if (n > 0)
        memcpy(sorted, pairs, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), key_cmp);
    for (size_t i = 0; i < n; i++) {
        struct str rest = sorted[i].key;
        struct node *at = root;
        for (size_t depth = 0; rest.p; depth++) {
            if (depth == WIRE_DEPTH_MAX)
                return wire_dec_fault(d, STR("A parameter's name is nested too deeply."));
            struct str segment = str_cut(&rest, '.');
            if (!at->last || !str_eq(at->last->name, segment)) {
                if (!add_child(d->arena, at, segment))
                    return ERR_NOMEM;
            }
            at = at->last;
        }
        at->value = str_is_set(sorted[i].value) ? sorted[i].value : STR("");
    }
    return ERR_OK;
}

static const struct node *child_named(const struct node *node, struct str name)
{
    for (const struct node *c = node->child; c; c = c->next) {
        if (str_eq(c->name, name))
            return c;
    }
    return NULL;
}

struct item {
    uint64_t index;
    const struct node *node;
};

static int item_cmp(const void *a, const void *b)
{
    uint64_t x = ((const struct item *)a)->index, y = ((const struct item *)b)->index;
    return x < y ? -1 : x > y;
}

/* Children with numeric names, by number. */
static enum err numbered(struct wire_dec *d, const struct node *node, struct item **ret_items,
                         size_t *ret_n)
{
    struct item *items = ARENA_ARRAY(d->arena, struct item, node->n ? node->n : 1);
    size_t n = 0;
    if (!items)
        return ERR_NOMEM;
    for (const struct node *c = node->child; c; c = c->next) {
        if (str_to_u64(c->name, &items[n].index) == ERR_OK)
            items[n++].node = c;
    }
    assert(n <= node->n);
    qsort(items, n, sizeof(*items), item_cmp);
    *ret_items = items;
    *ret_n = n;
    return ERR_OK;
}

static enum err struct_value(struct wire_dec *d, const struct wire_shape *shape,
                             const struct node *node, void *dst);
static enum err value(struct wire_dec *d, const struct wire_member *m, const struct node *node,
                      void *dst, bool *has);

/* The node whose children are the numbers. */
static const struct node *list_node(const struct wire_member *m, const struct node *node,
                                    struct str element, struct str usual)
{
    if (m->flags & WIRE_FLATTENED)
        return node;
    const struct node *inner = child_named(node, usual);
    if (!inner)
        inner = child_named(node, element);
    return inner ? inner : node;
}

static enum err list_value(struct wire_dec *d, const struct wire_member *m, const struct node *node,
                           struct wire_list *dst)
{
    const struct wire_shape *shape = m->shape;
    struct item *items;
    size_t n;
    TRY(numbered(d, list_node(m, node, shape->members[0].query, STR("member")), &items, &n));
    if (n == 0 && (m->flags & WIRE_FLATTENED) && node->value.len > 0)
        items[n++].node = node;
    char *v = arena_calloc(d->arena, n ? n : 1, shape->size);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        TRY(value(d, &shape->members[0], items[i].node, v + i * shape->size, NULL));
    *dst = (struct wire_list){v, n};
    return ERR_OK;
}

static enum err map_value(struct wire_dec *d, const struct wire_member *m, const struct node *node,
                          struct wire_list *dst)
{
    const struct wire_shape *shape = m->shape;
    struct item *items;
    size_t n;
    TRY(numbered(d, list_node(m, node, STR("entry"), STR("entry")), &items, &n));
    if (n == 0 && (m->flags & WIRE_FLATTENED) && child_named(node, shape->members[0].query))
        items[n++] = (struct item){.index = 1, .node = node};
    char *v = arena_calloc(d->arena, n ? n : 1, shape->size);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        char *entry = v + i * shape->size;
        const struct node *key = child_named(items[i].node, shape->members[0].query);
        const struct node *val = child_named(items[i].node, shape->members[1].query);
        if (!key || !str_is_set(key->value))
            return wire_dec_fault(d, str_fmt(d->arena, STR_FMT ".%llu has no " STR_FMT ".",
                                             STR_ARG(m->query), (unsigned long long)items[i].index,
                                             STR_ARG(shape->members[0].query)));
        *(struct str *)entry = key->value;
        if (val)
            TRY(value(d, &shape->members[1], val, entry + shape->value_offset, NULL));
    }
    *dst = (struct wire_list){v, n};
    return ERR_OK;
}

static enum err value(struct wire_dec *d, const struct wire_member *m, const struct node *node,
                      void *dst, bool *has)
{
    void *s = dst;
    switch ((enum wire_kind)m->shape->kind) {
    case WIRE_LIST:
        return list_value(d, m, node, dst);
    case WIRE_MAP:
        return map_value(d, m, node, dst);
    case WIRE_STRUCT:
        if (!(m->flags & WIRE_ELEMENT)) {
            s = arena_calloc(d->arena, 1, m->shape->size);
            if (!s)
                return ERR_NOMEM;
            *(void **)dst = s;
        }
        return struct_value(d, m->shape, node, s);
    default:
        /* An inner node without a value of its own: the scalar is absent. */
        if (!str_is_set(node->value))
            return ERR_OK;
        return wire_dec_text(d, m, node->value, WIRE_TIME_ISO8601, dst, has);
    }
}

static enum err struct_value(struct wire_dec *d, const struct wire_shape *shape,
                             const struct node *node, void *dst)
{
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct wire_member *m = &shape->members[i];
        const struct node *c = child_named(node, m->query);
        if (c)
            TRY(value(d, m, c, wire_at(m, dst), wire_has_at(m, dst)));
    }
    return ERR_OK;
}

enum err wire_dec_form(struct wire_dec *d, const struct wire_shape *shape,
                       const struct percent_pair *pairs, size_t n, void *dst)
{
    struct node root = {0};
    TRY(build_tree(d, pairs, n, &root));
    return struct_value(d, shape, &root, dst);
}
