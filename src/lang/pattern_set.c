/* Many patterns against one event: an index of their fields' values, then verification.
 *
 * One hash table holds two things: the steps of all paths as a tree (parent node, step -> node), by
 * which an event is walked without looking at what no pattern names; and, for the field by which an
 * alternative is found (its anchor), the values it may have -> alternatives. The anchor is the field
 * whose values the fewest alternatives share. See pattern.h. */
#include <assert.h>
#include <stdlib.h>

#include "lang/pattern_int.h"

enum key_kind {
    KEY_STEP,
    KEY_STRING,
    KEY_LITERAL,
    KEY_NUMBER, /* eight bytes of the number */
    KEY_PREFIX,
    KEY_SUFFIX,
    KEY_NOCASE,
    KEY_IP,
};

static const uint32_t NONE = UINT32_MAX;

struct entry {
    uint64_t hash;  /* 0: free */
    uint32_t owner; /* KEY_STEP: parent node; else field */
    enum key_kind kind;
    struct str text;
    uint32_t value; /* KEY_STEP: node; else first posting or NONE */
    uint32_t uses;  /* while anchors are chosen */
};

struct posting {
    uint32_t alternative;
    uint32_t next;
};

struct lengths {
    size_t *v; /* distinct, unordered: there are few */
    size_t n, cap;
};

struct set_field {
    uint32_t any; /* postings of alternatives for which a value's presence is all that is indexed */
    unsigned kinds; /* bit per key_kind in use */
    struct lengths prefixes, suffixes;
};

struct set_alternative {
    uint32_t pattern;
    uint32_t n;
    bool absent; /* some field may be absent */
    const struct pattern_field **fields;
    uint32_t *ids; /* of `fields` in the set */
};

struct pattern_set {
    struct arena *a;
    struct entry *table;
    size_t table_n, table_cap;
    uint32_t *node_field; /* node -> field or NONE */
    size_t nodes_n, nodes_cap;
    struct set_field *fields;
    size_t fields_n, fields_cap;
    struct posting *postings;
    size_t postings_n, postings_cap;
    struct set_alternative *alternatives;
    size_t alternatives_n;
    size_t patterns_n;
    uint32_t always; /* postings: every field of theirs may be absent */
};

/* Doubles `*array` of `n` elements of `size` bytes when it is full. */
static enum err reserve(struct arena *a, void *array, size_t n, size_t *cap, size_t size)
{
    void **at = array;
    if (n < *cap)
        return ERR_OK;
    size_t wanted = *cap ? *cap * 2 : 16;
    void *grown = arena_calloc(a, wanted, size);
    if (!grown)
        return ERR_NOMEM;
    if (n)
        memcpy(grown, *at, n * size);
    *at = grown;
    *cap = wanted;
    return ERR_OK;
}

static uint64_t key_hash(uint32_t owner, enum key_kind kind, struct str text)
{
    uint64_t h = str_hash(text) ^ (((uint64_t)owner << 4 | kind) * 0x9e3779b97f4a7c15ull);
    return h ? h : 1;
}

static struct entry *probe(struct entry *table, size_t cap, uint64_t hash, uint32_t owner,
                           enum key_kind kind, struct str text)
{
    for (size_t i = hash & (cap - 1);; i = (i + 1) & (cap - 1)) {
        struct entry *e = &table[i];
        if (e->hash == 0 ||
            (e->hash == hash && e->owner == owner && e->kind == kind && str_eq(e->text, text)))
            return e;
    }
}

static const struct entry *find(const struct pattern_set *s, uint32_t owner, enum key_kind kind,
                                struct str text)
{
    if (s->table_cap == 0)
        return NULL;
    const struct entry *e =
        probe(s->table, s->table_cap, key_hash(owner, kind, text), owner, kind, text);
    return e->hash ? e : NULL;
}

static enum err table_grow(struct pattern_set *s)
{
    size_t cap = s->table_cap ? s->table_cap * 2 : 64;
    assert((cap & (cap - 1)) == 0); /* probing masks */
    struct entry *grown = ARENA_ARRAY(s->a, struct entry, cap);
    if (!grown)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->table_cap; i++) {
        struct entry *e = &s->table[i];
        if (e->hash)
            *probe(grown, cap, e->hash, e->owner, e->kind, e->text) = *e;
    }
    s->table = grown;
    s->table_cap = cap;
    return ERR_OK;
}

/* The entry, new ones with value NONE. `text` must live as long as the set. */
static enum err intern(struct pattern_set *s, uint32_t owner, enum key_kind kind, struct str text,
                       struct entry **ret_entry)
{
    if ((s->table_n + 1) * 4 > s->table_cap * 3)
        TRY(table_grow(s));
    uint64_t hash = key_hash(owner, kind, text);
    struct entry *e = probe(s->table, s->table_cap, hash, owner, kind, text);
    if (e->hash == 0) {
        *e = (struct entry){hash, owner, kind, text, NONE, 0};
        s->table_n++;
    }
    *ret_entry = e;
    return ERR_OK;
}

/* --- building --------------------------------------------------------------------------------- */

static enum err node_new(struct pattern_set *s, uint32_t *ret_node)
{
    TRY(reserve(s->a, &s->node_field, s->nodes_n, &s->nodes_cap, sizeof(*s->node_field)));
    s->node_field[s->nodes_n] = NONE;
    *ret_node = (uint32_t)s->nodes_n++;
    return ERR_OK;
}

static enum err field_of_path(struct pattern_set *s, struct str path, uint32_t *ret_field)
{
    uint32_t node = 0;
    struct str rest = path;
    while (str_is_set(rest)) {
        struct entry *e;
        struct str step = str_cut(&rest, '.');
        TRY(intern(s, node, KEY_STEP, step, &e));
        if (e->value == NONE)
            TRY(node_new(s, &e->value));
        node = e->value;
    }
    assert(node < s->nodes_n);
    if (s->node_field[node] == NONE) {
        TRY(reserve(s->a, &s->fields, s->fields_n, &s->fields_cap, sizeof(*s->fields)));
        s->fields[s->fields_n] = (struct set_field){.any = NONE};
        s->node_field[node] = (uint32_t)s->fields_n++;
    }
    *ret_field = s->node_field[node];
    return ERR_OK;
}

/* Whether values that `m` matches can be looked up, and by what. */
static bool key_of(const struct matcher *m, enum key_kind *ret_kind, struct str *ret_text)
{
    *ret_text = m->text;
    switch (m->kind) {
    case MATCH_STRING:
        *ret_kind = KEY_STRING;
        return true;
    case MATCH_LITERAL:
        *ret_kind = KEY_LITERAL;
        return true;
    case MATCH_RANGE:
        *ret_kind = KEY_NUMBER;
        *ret_text = str_n((const char *)&m->low, sizeof(m->low));
        return m->low == m->high;
    case MATCH_PREFIX:
        *ret_kind = KEY_PREFIX;
        return true;
    case MATCH_SUFFIX:
        *ret_kind = KEY_SUFFIX;
        return true;
    case MATCH_NOCASE:
        *ret_kind = KEY_NOCASE;
        return true;
    case MATCH_CIDR:
        *ret_kind = KEY_IP;
        *ret_text = str_n((const char *)m->first, m->ip_len);
        return memcmp(m->first, m->last, m->ip_len) == 0;
    default:
        return false;
    }
}

static bool is_indexable(const struct pattern_field *f)
{
    enum key_kind kind;
    struct str text;
    if (f->absent)
        return false;
    for (const struct matcher *m = f->matchers; m; m = m->next)
        if (!key_of(m, &kind, &text))
            return false;
    return true;
}

/* First pass: field ids of an alternative, and how many alternatives use each value. */
static enum err count_uses(struct pattern_set *s, struct set_alternative *alt)
{
    alt->ids = ARENA_ARRAY(s->a, uint32_t, alt->n);
    if (!alt->ids)
        return ERR_NOMEM;
    for (size_t i = 0; i < alt->n; i++) {
        const struct pattern_field *f = alt->fields[i];
        alt->absent |= f->absent;
        TRY(field_of_path(s, f->path, &alt->ids[i]));
        if (!is_indexable(f))
            continue;
        for (const struct matcher *m = f->matchers; m; m = m->next) {
            enum key_kind kind;
            struct str text;
            struct entry *e;
            (void)key_of(m, &kind, &text);
            TRY(intern(s, alt->ids[i], kind, text, &e));
            e->uses++;
        }
    }
    return ERR_OK;
}

static enum err post(struct pattern_set *s, uint32_t *head, uint32_t alternative)
{
    TRY(reserve(s->a, &s->postings, s->postings_n, &s->postings_cap, sizeof(*s->postings)));
    assert(alternative < s->alternatives_n);
    s->postings[s->postings_n] = (struct posting){alternative, *head};
    *head = (uint32_t)s->postings_n++;
    return ERR_OK;
}

static enum err lengths_add(struct arena *a, struct lengths *l, size_t length)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i] == length)
            return ERR_OK;
    TRY(reserve(a, &l->v, l->n, &l->cap, sizeof(*l->v)));
    l->v[l->n++] = length;
    return ERR_OK;
}

static uint64_t cost_of(const struct pattern_set *s, const struct pattern_field *f, uint32_t id)
{
    uint64_t cost = 0;
    for (const struct matcher *m = f->matchers; m; m = m->next) {
        enum key_kind kind;
        struct str text;
        (void)key_of(m, &kind, &text);
        const struct entry *e = find(s, id, kind, text);
        assert(e);
        cost += e->uses;
    }
    return cost;
}

/* The field by which to find the alternative: the cheapest that can be indexed, else any that must
 * be there, else alt->n. */
static size_t choose_anchor(const struct pattern_set *s, const struct set_alternative *alt)
{
    size_t best = alt->n;
    uint64_t best_cost = UINT64_MAX;
    for (size_t i = 0; i < alt->n; i++) {
        const struct pattern_field *f = alt->fields[i];
        if (f->absent)
            continue;
        uint64_t cost = is_indexable(f) ? cost_of(s, f, alt->ids[i]) : UINT64_MAX - 1;
        if (cost < best_cost) {
            best = i;
            best_cost = cost;
        }
    }
    return best;
}

/* Second pass. */
static enum err place(struct pattern_set *s, uint32_t which)
{
    const struct set_alternative *alt = &s->alternatives[which];
    size_t anchor = choose_anchor(s, alt);
    if (anchor == alt->n)
        return post(s, &s->always, which);
    uint32_t id = alt->ids[anchor];
    struct set_field *field = &s->fields[id];
    if (!is_indexable(alt->fields[anchor]))
        return post(s, &field->any, which);
    for (const struct matcher *m = alt->fields[anchor]->matchers; m; m = m->next) {
        enum key_kind kind;
        struct str text;
        struct entry *e;
        (void)key_of(m, &kind, &text);
        TRY(intern(s, id, kind, text, &e));
        TRY(post(s, &e->value, which));
        field->kinds |= 1u << kind;
        if (kind == KEY_PREFIX)
            TRY(lengths_add(s->a, &field->prefixes, text.len));
        if (kind == KEY_SUFFIX)
            TRY(lengths_add(s->a, &field->suffixes, text.len));
    }
    return ERR_OK;
}

static enum err build(struct pattern_set *s, struct pattern *const *patterns)
{
    uint32_t root;
    size_t k = 0;
    TRY(node_new(s, &root));
    assert(root == 0);
    for (size_t i = 0; i < s->patterns_n; i++)
        for (size_t j = 0; j < patterns[i]->n; j++) {
            const struct pattern_alternative *from = &patterns[i]->alternatives[j];
            struct set_alternative *alt = &s->alternatives[k++];
            *alt = (struct set_alternative){
                .pattern = (uint32_t)i, .n = (uint32_t)from->n, .fields = from->fields};
            TRY(count_uses(s, alt));
        }
    assert(k == s->alternatives_n);
    for (size_t i = 0; i < s->alternatives_n; i++)
        TRY(place(s, (uint32_t)i));
    return ERR_OK;
}

enum err pattern_set_new(struct arena *a, struct pattern *const *patterns, size_t n,
                         struct pattern_set **ret_set)
{
    if (n > PATTERN_SET_MAX)
        return ERR_LIMIT;
    struct pattern_set *s = ARENA_NEW(a, struct pattern_set);
    if (!s)
        return ERR_NOMEM;
    s->a = a;
    s->always = NONE;
    s->patterns_n = n;
    for (size_t i = 0; i < n; i++)
        s->alternatives_n += patterns[i]->n;
    s->alternatives = ARENA_ARRAY(a, struct set_alternative, s->alternatives_n);
    if (!s->alternatives)
        return ERR_NOMEM;
    TRY(build(s, patterns));
    *ret_set = s;
    return ERR_OK;
}

/* --- the event -------------------------------------------------------------------------------- */

/* Which element of which array something lies in, innermost first. */
struct place {
    const struct place *outer;
    uint32_t array, index;
};

struct leaf {
    struct leaf *next;
    const struct place *place; /* NULL: in no array of objects */
    struct pattern_value value;
};

struct leaves {
    struct leaf *first, *last;
};

struct match {
    const struct pattern_set *s;
    struct arena *scratch;
    struct leaves *fields; /* by field id */
    uint32_t arrays;       /* seen so far */
    bool placed;           /* some leaf has a place */
    uint32_t *assigned;    /* array -> index + 1, 0: none yet */
    uint32_t *trail;       /* arrays in order of assignment */
    size_t trail_n;
    size_t steps;
    uint64_t *tried;   /* bit per alternative */
    uint64_t *matched; /* bit per pattern */
    uint32_t *ids;
    size_t ids_n, ids_cap;
};

static enum err leaf_add(struct match *m, uint32_t field, const struct json *v,
                         const struct place *place)
{
    struct leaf *l = arena_alloc(m->scratch, sizeof(*l));
    if (!l)
        return ERR_NOMEM;
    l->next = NULL;
    l->place = place;
    pattern_value_init(&l->value, v);
    assert(field < m->s->fields_n);
    struct leaves *all = &m->fields[field];
    if (all->last)
        all->last->next = l;
    else
        all->first = l;
    all->last = l;
    m->placed |= place != NULL;
    return ERR_OK;
}

static enum err walk(struct match *m, const struct json *v, uint32_t node,
                     const struct place *place);

/* As deep as the JSON parser lets arrays nest. */
static enum err walk_array(struct match *m, const struct json *list, uint32_t node,
                           const struct place *place)
{
    uint32_t array = m->arrays++, index = 0;
    JSON_EACH (list, it) {
        const struct place *where = place;
        if (it->kind == JSON_OBJECT || it->kind == JSON_ARRAY) {
            struct place *inner = arena_alloc(m->scratch, sizeof(*inner));
            if (!inner)
                return ERR_NOMEM;
            *inner = (struct place){place, array, index};
            where = inner;
        }
        TRY(walk(m, it, node, where));
        index++;
    }
    return ERR_OK;
}

/* The node that `key` leads to from `node` (EP1: a key may be several steps), NONE if no pattern
 * goes there. */
static uint32_t step_to(const struct pattern_set *s, uint32_t node, struct str key)
{
    struct str rest = key;
    do {
        struct str step = str_cut(&rest, '.');
        const struct entry *e = find(s, node, KEY_STEP, step);
        if (!e)
            return NONE;
        node = e->value;
    } while (str_is_set(rest));
    return node;
}

static enum err walk(struct match *m, const struct json *v, uint32_t node,
                     const struct place *place)
{
    if (v->kind == JSON_ARRAY)
        return walk_array(m, v, node, place);
    if (v->kind != JSON_OBJECT)
        return m->s->node_field[node] == NONE ? ERR_OK
                                              : leaf_add(m, m->s->node_field[node], v, place);
    JSON_EACH (v, it) {
        uint32_t next = step_to(m->s, node, it->key);
        if (next != NONE)
            TRY(walk(m, it, next, place));
    }
    return ERR_OK;
}

/* --- verification ----------------------------------------------------------------------------- */

static bool fits_any(const struct pattern_field *f, const struct pattern_value *v)
{
    for (const struct matcher *m = f->matchers; m; m = m->next)
        if (pattern_matcher_fits(m, v))
            return true;
    return false;
}

/* Whether each field has a value at all: all there is to it without arrays of objects. */
static bool has_chance(const struct match *m, const struct set_alternative *alt)
{
    for (size_t i = 0; i < alt->n; i++) {
        const struct pattern_field *f = alt->fields[i];
        const struct leaf *l = m->fields[alt->ids[i]].first;
        if (f->absent && (!l || m->placed))
            continue;
        while (l && !fits_any(f, &l->value))
            l = l->next;
        if (!l)
            return false;
    }
    return true;
}

static bool is_consistent(const struct match *m, const struct place *p)
{
    for (; p; p = p->outer)
        if (m->assigned[p->array] && m->assigned[p->array] != p->index + 1)
            return false;
    return true;
}

static void settle(struct match *m, const struct place *p)
{
    for (; p; p = p->outer)
        if (!m->assigned[p->array]) {
            assert(p->array < m->arrays && m->trail_n < m->arrays); /* an array is settled once */
            m->assigned[p->array] = p->index + 1;
            m->trail[m->trail_n++] = p->array;
        }
}

static void unsettle(struct match *m, size_t trail_n)
{
    while (m->trail_n > trail_n) {
        assert(m->assigned[m->trail[m->trail_n - 1]] != 0);
        m->assigned[m->trail[--m->trail_n]] = 0;
    }
}

static bool is_absent(const struct match *m, const struct leaf *l)
{
    while (l && !is_consistent(m, l->place))
        l = l->next;
    return !l;
}

/* Fields from `i` on, given the elements settled on so far (EP3). Depth: fields of an alternative.
 * ERR_LIMIT after PATTERN_STEPS_MAX values looked at. */
static enum err fits_from(struct match *m, const struct set_alternative *alt, size_t i,
                          bool *ret_fits)
{
    *ret_fits = i == alt->n;
    if (*ret_fits)
        return ERR_OK;
    const struct pattern_field *f = alt->fields[i];
    const struct leaf *first = m->fields[alt->ids[i]].first;
    if (f->absent && is_absent(m, first)) {
        TRY(fits_from(m, alt, i + 1, ret_fits));
        if (*ret_fits)
            return ERR_OK;
    }
    for (const struct leaf *l = first; l; l = l->next) {
        if (++m->steps > PATTERN_STEPS_MAX)
            return ERR_LIMIT;
        if (!is_consistent(m, l->place) || !fits_any(f, &l->value))
            continue;
        size_t mark = m->trail_n;
        settle(m, l->place);
        TRY(fits_from(m, alt, i + 1, ret_fits));
        /* Values that settle nothing leave the most room; only absence gains by settling more. */
        bool widest = m->trail_n == mark && !alt->absent;
        unsettle(m, mark);
        if (*ret_fits || widest)
            return ERR_OK;
    }
    return ERR_OK;
}

static enum err id_add(struct match *m, uint32_t pattern)
{
    if (m->matched[pattern / 64] & 1ull << pattern % 64)
        return ERR_OK;
    m->matched[pattern / 64] |= 1ull << pattern % 64;
    TRY(reserve(m->scratch, &m->ids, m->ids_n, &m->ids_cap, sizeof(*m->ids)));
    m->ids[m->ids_n++] = pattern;
    return ERR_OK;
}

static enum err try_alternative(struct match *m, uint32_t which)
{
    const struct set_alternative *alt = &m->s->alternatives[which];
    uint64_t bit = 1ull << which % 64;
    bool fits = true;
    if (m->tried[which / 64] & bit)
        return ERR_OK;
    m->tried[which / 64] |= bit;
    if (m->matched[alt->pattern / 64] & 1ull << alt->pattern % 64 || !has_chance(m, alt))
        return ERR_OK;
    assert(m->trail_n == 0); /* the one before left nothing settled */
    if (m->placed) {
        enum err err = fits_from(m, alt, 0, &fits);
        unsettle(m, 0);
        TRY(err);
    }
    return fits ? id_add(m, alt->pattern) : ERR_OK;
}

static enum err try_postings(struct match *m, uint32_t head)
{
    for (uint32_t i = head; i != NONE; i = m->s->postings[i].next)
        TRY(try_alternative(m, m->s->postings[i].alternative));
    return ERR_OK;
}

static enum err try_key(struct match *m, uint32_t field, enum key_kind kind, struct str text)
{
    const struct entry *e = find(m->s, field, kind, text);
    return e ? try_postings(m, e->value) : ERR_OK;
}

static enum err try_string(struct match *m, uint32_t id, const struct pattern_value *v)
{
    const struct set_field *field = &m->s->fields[id];
    struct str s = v->v->text;
    if (field->kinds & 1u << KEY_STRING)
        TRY(try_key(m, id, KEY_STRING, s));
    if (field->kinds & 1u << KEY_IP && v->ip_len)
        TRY(try_key(m, id, KEY_IP, str_n((const char *)v->ip, v->ip_len)));
    if (field->kinds & 1u << KEY_NOCASE) {
        struct str folded = str_lower(m->scratch, s);
        if (!str_is_set(folded))
            return ERR_NOMEM;
        TRY(try_key(m, id, KEY_NOCASE, folded));
    }
    for (size_t i = 0; i < field->prefixes.n; i++)
        if (field->prefixes.v[i] <= s.len)
            TRY(try_key(m, id, KEY_PREFIX, str_n(s.p, field->prefixes.v[i])));
    for (size_t i = 0; i < field->suffixes.n; i++)
        if (field->suffixes.v[i] <= s.len)
            TRY(try_key(m, id, KEY_SUFFIX, str_sub(s, s.len - field->suffixes.v[i], s.len)));
    return ERR_OK;
}

static enum err try_leaf(struct match *m, uint32_t id, const struct pattern_value *v)
{
    const struct json *j = v->v;
    if (j->kind == JSON_STRING)
        return try_string(m, id, v);
    if (v->is_number)
        return try_key(m, id, KEY_NUMBER, str_n((const char *)&v->number, sizeof(v->number)));
    if (j->kind == JSON_NUMBER)
        return try_key(m, id, KEY_LITERAL, j->text);
    if (j->kind == JSON_BOOL)
        return try_key(m, id, KEY_LITERAL, j->b ? STR("true") : STR("false"));
    return try_key(m, id, KEY_LITERAL, STR("null"));
}

static enum err prepare(struct match *m)
{
    const struct pattern_set *s = m->s;
    m->assigned = ARENA_ARRAY(m->scratch, uint32_t, m->arrays);
    m->trail = ARENA_ARRAY(m->scratch, uint32_t, m->arrays);
    m->tried = ARENA_ARRAY(m->scratch, uint64_t, s->alternatives_n / 64 + 1);
    m->matched = ARENA_ARRAY(m->scratch, uint64_t, s->patterns_n / 64 + 1);
    return m->assigned && m->trail && m->tried && m->matched ? ERR_OK : ERR_NOMEM;
}

static int ascending(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

enum err pattern_set_match(const struct pattern_set *set, const struct json *event,
                           struct arena *scratch, const uint32_t **ret_ids, size_t *ret_n)
{
    struct match m = {.s = set, .scratch = scratch};
    *ret_n = 0;
    *ret_ids = NULL;
    if (event->kind != JSON_OBJECT)
        return ERR_OK;
    m.fields = ARENA_ARRAY(scratch, struct leaves, set->fields_n);
    if (!m.fields)
        return ERR_NOMEM;
    TRY(walk(&m, event, 0, NULL));
    TRY(prepare(&m));
    TRY(try_postings(&m, set->always));
    for (size_t i = 0; i < set->fields_n; i++) {
        if (m.fields[i].first)
            TRY(try_postings(&m, set->fields[i].any));
        for (const struct leaf *l = m.fields[i].first; l && set->fields[i].kinds; l = l->next)
            TRY(try_leaf(&m, (uint32_t)i, &l->value));
    }
    if (m.ids_n)
        qsort(m.ids, m.ids_n, sizeof(*m.ids), ascending);
    *ret_ids = m.ids;
    *ret_n = m.ids_n;
    return ERR_OK;
}

/* --- SNS attributes --------------------------------------------------------------------------- */

/* *ret_v stays NULL for what cannot be filtered by. */
static enum err attribute_value(struct arena *a, const struct pattern_attribute *at,
                                struct json **ret_v)
{
    enum json_kind wanted = str_eq_c(at->type, "Number")         ? JSON_NUMBER
                            : str_eq_c(at->type, "String.Array") ? JSON_ARRAY
                                                                 : JSON_STRING;
    if (str_starts(at->type, STR("Binary")))
        return ERR_OK;
    if (wanted == JSON_STRING) {
        *ret_v = ARENA_NEW(a, struct json);
        if (!*ret_v)
            return ERR_NOMEM;
        (*ret_v)->kind = JSON_STRING;
        (*ret_v)->text = at->value;
        return ERR_OK;
    }
    struct json *v;
    enum err err = json_parse(a, at->value, &v, NULL);
    if (err == ERR_OK && v->kind == wanted)
        *ret_v = v;
    return err == ERR_NOMEM ? err : ERR_OK;
}

enum err pattern_attributes(struct arena *a, const struct pattern_attribute *attributes, size_t n,
                            struct json **ret_event)
{
    struct json *event = ARENA_NEW(a, struct json);
    if (!event)
        return ERR_NOMEM;
    event->kind = JSON_OBJECT;
    struct json **tail = &event->child;
    for (size_t i = 0; i < n; i++) {
        struct json *v = NULL;
        TRY(attribute_value(a, &attributes[i], &v));
        if (!v)
            continue;
        v->key = attributes[i].name;
        v->next = NULL;
        *tail = v;
        tail = &v->next;
        event->n++;
    }
    *ret_event = event;
    return ERR_OK;
}
