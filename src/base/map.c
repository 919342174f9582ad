#include "base/map.h"

#include <assert.h>

#include "base/mem.h"

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_release(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        mem_free(m->slots[i].key);
    mem_free(m->slots);
    map_init(m);
}

/* Slot that holds `key`, or the free one where it would go. The table is never full. */
static struct map_slot *probe(struct map_slot *slots, size_t cap, uint64_t hash, struct str key)
{
    for (size_t i = hash & (cap - 1);; i = (i + 1) & (cap - 1)) {
        struct map_slot *s = &slots[i];
        if (!s->key || (s->hash == hash && str_eq(str_n(s->key, s->key_len), key)))
            return s;
    }
}

void *map_get(const struct map *m, struct str key)
{
    if (!m->cap)
        return NULL;
    struct map_slot *s = probe(m->slots, m->cap, str_hash(key), key);
    return s->key ? s->value : NULL;
}

static enum err grow(struct map *m)
{
    size_t cap = m->cap ? m->cap * 2 : 16;
    assert((cap & (cap - 1)) == 0 && cap > m->n); /* probing masks, and ends at a free slot */
    struct map_slot *slots = mem_calloc(cap, sizeof(*slots));
    if (!slots)
        return ERR_NOMEM;
    for (size_t i = 0; i < m->cap; i++) {
        struct map_slot *s = &m->slots[i];
        if (s->key)
            *probe(slots, cap, s->hash, str_n(s->key, s->key_len)) = *s;
    }
    mem_free(m->slots);
    m->slots = slots;
    m->cap = cap;
    return ERR_OK;
}

enum err map_put(struct map *m, struct str key, void *value, void **ret_old)
{
    if ((m->n + 1) * 4 > m->cap * 3)
        TRY(grow(m));
    uint64_t hash = str_hash(key);
    struct map_slot *s = probe(m->slots, m->cap, hash, key);
    void *old = s->key ? s->value : NULL;
    if (!s->key) {
        char *copy = mem_alloc(key.len + 1);
        if (!copy)
            return ERR_NOMEM;
        if (key.len)
            memcpy(copy, key.p, key.len);
        copy[key.len] = '\0';
        *s = (struct map_slot){hash, copy, key.len, NULL};
        m->n++;
    }
    s->value = value;
    if (ret_old)
        *ret_old = old;
    return ERR_OK;
}

void *map_del(struct map *m, struct str key)
{
    if (!m->cap)
        return NULL;
    struct map_slot *s = probe(m->slots, m->cap, str_hash(key), key);
    if (!s->key)
        return NULL;
    void *value = s->value;
    assert(m->n > 0);
    mem_free(s->key);
    m->n--;
    /* Backward shift keeps every probe run unbroken without tombstones. */
    size_t mask = m->cap - 1;
    size_t hole = (size_t)(s - m->slots);
    for (size_t i = (hole + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct map_slot){0};
    return value;
}

bool map_next(const struct map *m, size_t *it, struct str *ret_key, void **ret_value)
{
    while (*it < m->cap) {
        const struct map_slot *s = &m->slots[(*it)++];
        if (s->key) {
            *ret_key = str_n(s->key, s->key_len);
            *ret_value = s->value;
            return true;
        }
    }
    return false;
}
