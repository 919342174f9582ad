/* The order of members of a dictionary of Python 2.7, which is that of its table: open addressing by a
 * multiplicative hash of the key's bytes, which grows by four when it is two thirds full. It depends on what was put
 * in and taken out before, and a copy is not in the order of what it was copied from. The published translator hashes
 * texts of such dictionaries into names, so each map of the transform stands in the order in which Python's was filled,
 * sam_drop remembers what was taken out, and sam_rebuild does what copying does.
 *
 * Layer: template. Thread: pure. */
#include <stdlib.h>

#include "template/sam_int.h"

static uint64_t py27_hash(struct str s)
{
    if (s.len == 0)
        return 0;
    uint64_t x = (uint64_t)(unsigned char)s.p[0] << 7;
    for (size_t i = 0; i < s.len; i++)
        x = (1000003u * x) ^ (unsigned char)s.p[i];
    x ^= s.len;
    return x == UINT64_MAX ? UINT64_MAX - 1 : x;
}

/* --- a table ------------------------------------------------------------------------------------------ */

/* In one of the two scratch arrays of `s`: one table lives at a time. */
struct table {
    struct json **slots;     /* NULL: never taken; &deleted: taken once */
    size_t size, fill, used; /* fill: with those that were deleted */
    int half;
};

static struct json deleted;

static struct json **scratch(struct sam *s, int half, size_t size)
{
    if (s->scratch_size[half] < size) {
        s->scratch[half] = ARENA_ARRAY(s->a, struct json *, size);
        s->scratch_size[half] = s->scratch[half] ? size : 0;
    }
    if (s->scratch[half])
        memset(s->scratch[half], 0, size * sizeof(*s->scratch[half]));
    return s->scratch[half];
}

static void start(struct sam *s, struct table *t, int half, size_t size)
{
    *t = (struct table){scratch(s, half, size), size, 0, 0, half};
}

static void place(struct table *t, struct json *v)
{
    uint64_t hash = py27_hash(v->key), i = hash;
    struct json **at = NULL;
    for (uint64_t perturb = hash;; perturb >>= 5) {
        struct json **slot = &t->slots[i & (t->size - 1)];
        if (!at && (!*slot || *slot == &deleted))
            at = slot;
        if (!*slot)
            break;
        if (*slot != &deleted && str_eq((*slot)->key, v->key))
            return;
        i = i * 5 + perturb + 1;
    }
    t->fill += !*at;
    t->used++;
    *at = v;
}

static void resize(struct sam *s, struct table *t, size_t wanted)
{
    size_t size = 8;
    struct table next;
    while (size <= wanted)
        size *= 2;
    start(s, &next, !t->half, size);
    for (size_t i = 0; next.slots && i < t->size; i++)
        if (t->slots[i] && t->slots[i] != &deleted)
            place(&next, t->slots[i]);
    *t = next;
}

static void put_in(struct sam *s, struct table *t, struct json *v)
{
    size_t before = t->used;
    if (!t->slots)
        return;
    place(t, v);
    if (t->used > before && t->fill * 3 >= t->size * 2)
        resize(s, t, t->used * (t->used > 50000 ? 2 : 4));
}

static void take_out(struct table *t, struct str key)
{
    for (size_t i = 0; t->slots && i < t->size; i++)
        if (t->slots[i] && str_eq(t->slots[i]->key, key)) {
            t->slots[i] = &deleted;
            t->used--;
        }
}

/* update() of a dictionary of `n`: makes room first. */
static void make_room(struct sam *s, struct table *t, size_t n)
{
    if (t->slots && n && (t->fill + n) * 3 >= t->size * 2)
        resize(s, t, (t->used + n) * 2);
}

static struct sam_members listed(struct sam *s, const struct table *t)
{
    struct sam_members m = {ARENA_ARRAY(s->a, struct json *, t->used + 1), 0};
    for (size_t i = 0; m.v && t->slots && i < t->size; i++)
        if (t->slots[i] && t->slots[i] != &deleted)
            m.v[m.n++] = t->slots[i];
    return m;
}

/* --- what happened to a map ---------------------------------------------------------------------------- */

/* Members put in, and some taken out again. */
struct step {
    struct json *v;
    bool out;
};

/* The place after `n` members were put in. */
static size_t after_in(const struct step *steps, size_t len, uint32_t n)
{
    size_t i = 0;
    for (; i < len && n > 0; i++)
        n -= !steps[i].out;
    return i;
}

static void insert(struct step *steps, size_t *len, size_t at, struct step step)
{
    for (size_t i = (*len)++; i > at; i--)
        steps[i] = steps[i - 1];
    steps[at] = step;
}

/* Those that were deleted last first: then members that were there at the time are all that have been put back. */
static struct step *steps_of(struct sam *s, struct json *v, size_t *ret_n)
{
    size_t len = 0;
    struct step *steps = ARENA_ARRAY(s->a, struct step, (size_t)v->n + 2 * (size_t)s->n_dropped);
    if (!steps)
        return NULL;
    for (struct json *it = v->child; it; it = it->next)
        steps[len++] = (struct step){it, false};
    for (const struct sam_dropped *d = s->dropped; d; d = d->earlier) {
        if (d->from != v)
            continue;
        insert(steps, &len, after_in(steps, len, d->there), (struct step){d->member, true});
        insert(steps, &len, after_in(steps, len, d->index), (struct step){d->member, false});
    }
    *ret_n = len;
    return steps;
}

void sam_drop(struct sam *s, struct json *obj, const char *key)
{
    struct json *member = json_at(obj, str_c(key));
    struct sam_dropped *d = member ? ARENA_NEW(s->a, struct sam_dropped) : NULL;
    if (!d)
        return;
    *d = (struct sam_dropped){s->dropped, obj, member, 0, obj->n - 1};
    for (const struct json *it = obj->child; it != member; it = it->next)
        d->index++;
    s->dropped = d;
    s->n_dropped++;
    sam_mark_dropped(obj, true);
    json_unset(obj, str_c(key));
}

static void forget_drops(struct sam *s, const struct json *v)
{
    for (struct sam_dropped *d = s->dropped; d; d = (struct sam_dropped *)(uintptr_t)d->earlier)
        if (d->from == v)
            d->from = NULL;
}

/* --- orders -------------------------------------------------------------------------------------------- */

/* The table that Python has for a map. */
static struct table fill(struct sam *s, struct json *v)
{
    struct table t;
    start(s, &t, 0, 8);
    if (!sam_has_dropped(v)) {
        for (struct json *it = v->child; it; it = it->next)
            put_in(s, &t, it);
        return t;
    }
    size_t n = 0;
    struct step *steps = steps_of(s, v, &n);
    for (size_t i = 0; steps && i < n; i++)
        if (steps[i].out)
            take_out(&t, steps[i].v->key);
        else
            put_in(s, &t, steps[i].v);
    return t;
}

struct sam_members sam_in_order(struct sam *s, struct json *v)
{
    if (sam_map(v) && s->ordered && !sam_plain_order(v)) {
        struct table t = fill(s, v);
        return listed(s, &t);
    }
    struct sam_members m = {ARENA_ARRAY(s->a, struct json *, (size_t)(v ? v->n : 0) + 1), 0};
    for (struct json *it = v && m.v ? v->child : NULL; it; it = it->next)
        m.v[m.n++] = it;
    return m;
}

/* Makes the members of `v` those of the list, in its order. */
static void link_members(struct sam *s, struct json *v, const struct table *t)
{
    struct json **end = &v->child;
    uint32_t n = 0;
    if (!t->slots)
        return;
    for (size_t i = 0; i < t->size; i++) {
        if (!t->slots[i] || t->slots[i] == &deleted)
            continue;
        *end = t->slots[i];
        end = &(*end)->next;
        n++;
    }
    *end = NULL;
    v->n = n;
    s->pushed_to = NULL;
}

void sam_rebuild(struct sam *s, struct json *v)
{
    if (!v || !s->ordered || s->over)
        return;
    s->put_in_order += v->n;
    if (s->put_in_order > SAM_ORDERED_MAX) {
        sam_over(s, "values put in order", SAM_ORDERED_MAX);
        return;
    }
    if (v->kind == JSON_OBJECT && !sam_plain_order(v) && (v->n > 1 || sam_has_dropped(v))) {
        struct table t = fill(s, v);
        link_members(s, v, &t);
        if (sam_has_dropped(v))
            forget_drops(s, v);
        sam_mark_dropped(v, false);
    }
    for (struct json *it = v->child; it; it = it->next)
        sam_rebuild(s, it);
}

void sam_shallow_copy(struct sam *s, struct json *v)
{
    struct table t;
    if (!s->ordered || !sam_map(v))
        return;
    struct sam_members m = sam_in_order(s, v);
    start(s, &t, 0, 8);
    make_room(s, &t, m.n);
    for (size_t i = 0; i < m.n; i++)
        put_in(s, &t, m.v[i]);
    link_members(s, v, &t);
    forget_drops(s, v);
    sam_mark_dropped(v, false);
}

void sam_move_last(struct sam *s, struct json *obj, const char *key)
{
    struct json *v = json_at(obj, str_c(key));
    if (!v)
        return;
    json_unset(obj, str_c(key));
    s->pushed_to = NULL;
    sam_append(s, obj, v);
}

struct sam_members sam_resources_in_order(struct sam *s, const char *const *added, size_t n)
{
    struct table t;
    if (!s->ordered)
        return sam_in_order(s, s->resources);
    t = fill(s, s->resources);
    for (size_t i = 0; i < n; i++) {
        bool there = json_get(s->resources, str_c(added[i]));
        struct json *v = there ? NULL : json_new(s->a, JSON_NULL);
        if (!v)
            continue;
        v->key = str_c(added[i]);
        put_in(s, &t, v);
        take_out(&t, v->key);
    }
    return listed(s, &t);
}

static bool is_api_event(const struct json *event)
{
    return sam_eq(SAM_GET(event, "Type"), "Api");
}

struct sam_members sam_api_events(struct sam *s, struct json *events)
{
    struct sam_members all = sam_in_order(s, events), chosen = {all.v, 0};
    struct table t;
    for (size_t i = 0; i < all.n; i++)
        if (is_api_event(all.v[i]))
            chosen.v[chosen.n++] = all.v[i];
    if (!s->ordered)
        return chosen;
    start(s, &t, 0, 8);
    for (size_t i = 0; i < chosen.n; i++)
        put_in(s, &t, chosen.v[i]);
    return listed(s, &t);
}

/* What events are sorted by. */
static struct str event_key(const struct json *event)
{
    const struct json *path = SAM_GET(SAM_GET(event, "Properties"), "Path");
    return sam_text(path) ? path->text : event->key;
}

struct sorted {
    struct json *v;
    size_t index;
};

static int by_event_key(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    int order = str_cmp(event_key(x->v), event_key(y->v));
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

struct sam_members sam_sorted_events(struct sam *s, struct json *events)
{
    struct sam_members m = {NULL, 0};
    size_t apis = 0;
    if (s->ordered && sam_map(events)) {
        struct table t = fill(s, events);
        for (struct json *it = events->child; it; it = it->next)
            apis += is_api_event(it);
        make_room(s, &t, apis);
        m = listed(s, &t);
    } else {
        m = sam_in_order(s, events);
    }
    struct sorted *all = ARENA_ARRAY(s->a, struct sorted, m.n + 1);
    for (size_t i = 0; all && i < m.n; i++)
        all[i] = (struct sorted){m.v[i], i};
    if (all)
        qsort(all, m.n, sizeof(*all), by_event_key);
    for (size_t i = 0; all && i < m.n; i++)
        m.v[i] = all[i].v;
    return m;
}
