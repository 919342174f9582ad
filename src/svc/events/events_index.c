/* What a bus matches against: its enabled rules and archives as one set of patterns, so that an
 * event costs what matches it and not how many rules there are (P6).
 *
 *   rule changed --stale--> generation + 1
 *   event -> index of this generation? -> used : built from what the catalogue has, and kept
 *
 * An index keeps the objects that it was built from. One that is being used while a rule changes
 * goes on to be used by who has it, and goes with him.
 *
 * Layer: svc/events. Thread: any; the lock is held for moments. */
#include <assert.h>

#include "base/mem.h"
#include "svc/events/events_int.h"

enum { INDEX_BYTES_MAX = 256 * 1024 * 1024 };

/* Of one bus; lives as long as the service. */
struct slot {
    uint64_t generation;
    struct events_index *index; /* NULL: none yet, or it could not be built */
};

/* --- references --------------------------------------------------------------------------------- */

void events_index_unref(struct events_index *index)
{
    if (!index || atomic_fetch_sub(&index->refs, 1) != 1)
        return;
    for (size_t i = 0; i < index->n_rules; i++)
        catalogue_unref(index->rules[i]);
    for (size_t i = 0; i < index->n_archives; i++)
        catalogue_unref(index->archives[i]);
    arena_release(&index->arena);
    mem_free(index);
}

static void unref_index(void *index)
{
    events_index_unref(index);
}

/* --- slots -------------------------------------------------------------------------------------- */

/* All keys of a bus's rules begin so, so it names the bus, too. */
static enum err slot_key(struct arena *a, struct key_scope scope, struct str bus,
                         struct str *ret_key)
{
    *ret_key = key_prefix(a, &events_k_rule, scope, bus);
    return str_is_set(*ret_key) ? ERR_OK : ERR_NOMEM;
}

void events_index_stale(struct events *ev, struct key_scope scope, struct str bus)
{
    struct arena a;
    struct str key;
    arena_init(&a, ARENA_CHUNK_BYTES);
    enum err err = slot_key(&a, scope, bus, &key);
    pthread_mutex_lock(&ev->lock);
    struct slot *s = err == ERR_OK ? map_get(&ev->slots, key) : NULL;
    if (s)
        s->generation++;
    if (err) { /* no memory to say which: all of them */
        size_t it = 0;
        void *value;
        while (map_next(&ev->slots, &it, &key, &value))
            ((struct slot *)value)->generation++;
    }
    pthread_mutex_unlock(&ev->lock);
    arena_release(&a);
}

/* Under the lock. */
static struct slot *slot_of(struct events *ev, struct str key)
{
    struct slot *s = map_get(&ev->slots, key);
    if (s)
        return s;
    s = mem_calloc(1, sizeof(*s));
    if (s && map_put(&ev->slots, key, s, NULL) != ERR_OK) {
        mem_free(s);
        return NULL;
    }
    return s;
}

void events_indexes_free(struct events *ev)
{
    size_t it = 0;
    struct str key;
    void *value;
    while (map_next(&ev->slots, &it, &key, &value)) {
        events_index_unref(((struct slot *)value)->index);
        mem_free(value);
    }
    map_release(&ev->slots);
}

/* --- building ----------------------------------------------------------------------------------- */

static void keep(struct events_index *index, struct catalogue_object *object)
{
    catalogue_ref(object);
    if (index->seq < object->seq)
        index->seq = object->seq;
}

static enum err take_rules(struct events *ev, struct txn *txn, struct events_index *index,
                           struct str prefix)
{
    struct catalogue_page page;
    struct str after = STR_NONE;
    index->rules = ARENA_ARRAY(&index->arena, struct events_rule_rec *, EVENTS_RULES_MAX);
    if (!index->rules)
        return ERR_NOMEM;
    do {
        TRY(catalogue_list(ev->rules, txn, prefix, after, CATALOGUE_PAGE_MAX, &page));
        for (size_t i = 0; i < page.n; i++) {
            struct events_rule_rec *r = page.objects[i];
            after = r->object.key;
            if (!r->parsed || r->disabled || index->n_rules == EVENTS_RULES_MAX)
                continue;
            keep(index, &r->object);
            index->rules[index->n_rules++] = r;
        }
    } while (page.more);
    return ERR_OK;
}

static enum err take_archives(struct events *ev, struct txn *txn, struct events_index *index,
                              struct key_scope scope, struct str bus)
{
    struct catalogue_page page;
    struct str prefix = key_prefix(txn->arena, &events_k_archive, scope);
    if (!str_is_set(prefix))
        return ERR_NOMEM;
    TRY(catalogue_list(ev->archives, txn, prefix, STR_NONE, EVENTS_ARCHIVES_MAX, &page));
    struct events_archive_rec **v =
        ARENA_ARRAY(&index->arena, struct events_archive_rec *, 3 * page.n + 1);
    if (!v)
        return ERR_NOMEM;
    index->archives = v;
    index->set_archives = v + page.n;
    index->all_archives = v + 2 * page.n;
    for (size_t i = 0; i < page.n; i++) {
        struct events_archive_rec *r = page.objects[i];
        if (!str_eq(r->bus, bus))
            continue;
        keep(index, &r->object);
        index->archives[index->n_archives++] = r;
        if (r->parsed)
            index->set_archives[index->n_set_archives++] = r;
        else
            index->all_archives[index->n_all_archives++] = r;
    }
    return ERR_OK;
}

static enum err make_set(struct events_index *index)
{
    size_t n = index->n_rules + index->n_set_archives;
    struct pattern **v = ARENA_ARRAY(&index->arena, struct pattern *, n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < index->n_rules; i++)
        v[i] = index->rules[i]->parsed;
    for (size_t i = 0; i < index->n_set_archives; i++)
        v[index->n_rules + i] = index->set_archives[i]->parsed;
    return pattern_set_new(&index->arena, v, n, &index->set);
}

static enum err build(struct events *ev, struct txn *txn, struct key_scope scope, struct str bus,
                      struct str key, struct events_index **ret)
{
    struct events_index *index = mem_calloc(1, sizeof(*index));
    if (!index)
        return ERR_NOMEM;
    atomic_init(&index->refs, 1);
    arena_init(&index->arena, INDEX_BYTES_MAX);
    enum err err = take_rules(ev, txn, index, key);
    if (err == ERR_OK)
        err = take_archives(ev, txn, index, scope, bus);
    if (err == ERR_OK)
        err = make_set(index);
    if (err) {
        events_index_unref(index);
        return err;
    }
    *ret = index;
    return ERR_OK;
}

/* --- taking ------------------------------------------------------------------------------------- */

/* The kept one, referenced, if it is of the newest generation, which *ret_generation is. */
static struct events_index *kept(struct events *ev, struct str key, uint64_t *ret_generation)
{
    struct events_index *index = NULL;
    pthread_mutex_lock(&ev->lock);
    struct slot *s = slot_of(ev, key);
    *ret_generation = s ? s->generation : 0;
    if (s && s->index && s->index->generation == s->generation) {
        index = s->index;
        atomic_fetch_add(&index->refs, 1);
    }
    pthread_mutex_unlock(&ev->lock);
    return index;
}

static void put_in_place(struct events *ev, struct str key, struct events_index *index)
{
    struct events_index *old = NULL;
    pthread_mutex_lock(&ev->lock);
    struct slot *s = map_get(&ev->slots, key);
    if (s && (!s->index || s->index->generation < index->generation)) {
        old = s->index;
        s->index = index;
        atomic_fetch_add(&index->refs, 1);
    }
    pthread_mutex_unlock(&ev->lock);
    events_index_unref(old);
}

enum err events_index_take(struct events *ev, struct txn *txn, struct key_scope scope,
                           struct str bus, struct events_index **ret)
{
    struct str key;
    uint64_t generation;
    TRY(slot_key(txn->arena, scope, bus, &key));
    struct events_index *index = kept(ev, key, &generation);
    if (!index) {
        TRY(build(ev, txn, scope, bus, key, &index));
        index->generation = generation;
        put_in_place(ev, key, index);
    }
    txn_depends_on(txn, index->seq);
    enum err err = arena_on_release(txn->arena, unref_index, index);
    if (err) {
        events_index_unref(index);
        return err;
    }
    *ret = index;
    return ERR_OK;
}
