/* Staged writes and tracked reads of a transaction; see stage.h. Layer: kv. */
#include "kv/stage.h"

#include <assert.h>

#include <stdlib.h>

#include "base/mem.h"

enum { STAGE_ENTRIES_FIRST = 16, STAGE_READS_FIRST = 32, STAGE_KEPT_MAX = 1024 };

void stage_init(struct stage *s)
{
    *s = (struct stage){0};
    /* Overwritten values stay in the arena until the end, hence more than KV_TXN_MAX. */
    arena_init(&s->arena, (size_t)KV_TXN_MAX * 2);
    s->stamped_end = &s->stamped;
}

void stage_release(struct stage *s)
{
    arena_release(&s->arena);
    mem_free(s->entries);
    mem_free(s->buckets);
    mem_free(s->reads);
    *s = (struct stage){0};
}

void stage_clear(struct stage *s)
{
    arena_clear(&s->arena);
    s->n = s->n_reads = s->bytes = s->n_stamped = 0;
    s->stamped = NULL;
    s->stamped_end = &s->stamped;
    mem_free(s->buckets);
    s->buckets = NULL;
    s->n_buckets = 0;
    if (s->cap > STAGE_KEPT_MAX) {
        mem_free(s->entries);
        s->entries = NULL;
        s->cap = 0;
    }
    if (s->cap_reads > STAGE_KEPT_MAX) {
        mem_free(s->reads);
        s->reads = NULL;
        s->cap_reads = 0;
    }
}

struct stage_entry *stage_find(const struct stage *s, struct str key, uint64_t hash)
{
    if (s->buckets) {
        struct stage_entry *e = s->buckets[hash & (s->n_buckets - 1)];
        while (e && !(e->hash == hash && str_eq(e->key, key)))
            e = e->chain;
        return e;
    }
    for (size_t i = 0; i < s->n; i++)
        if (s->entries[i]->hash == hash && str_eq(s->entries[i]->key, key))
            return s->entries[i];
    return NULL;
}

/* Grows the array and, past STAGE_LINEAR_MAX, keeps a hash table over it. */
static enum err grow(struct stage *s)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : STAGE_ENTRIES_FIRST;
        struct stage_entry **p = mem_realloc(s->entries, cap * sizeof(struct stage_entry *));
        if (!p)
            return ERR_NOMEM;
        s->entries = p;
        s->cap = cap;
    }
    assert(s->n < s->cap);
    if (s->n < STAGE_LINEAR_MAX || s->n < s->n_buckets)
        return ERR_OK;
    size_t n_buckets = s->n_buckets ? s->n_buckets * 2 : STAGE_LINEAR_MAX * 4;
    struct stage_entry **buckets = mem_calloc(n_buckets, sizeof(struct stage_entry *));
    if (!buckets)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n; i++) {
        struct stage_entry *e = s->entries[i];
        e->chain = buckets[e->hash & (n_buckets - 1)];
        buckets[e->hash & (n_buckets - 1)] = e;
    }
    mem_free(s->buckets);
    s->buckets = buckets;
    s->n_buckets = n_buckets;
    return ERR_OK;
}

enum err stage_check_key(struct str key)
{
    return key.len > KV_KEY_MAX ? ERR_LIMIT : ERR_OK;
}

enum err stage_write(struct stage *s, struct str key, struct str val)
{
    TRY(stage_check_key(key));
    if (val.len > KV_VALUE_MAX)
        return ERR_LIMIT;
    uint64_t hash = str_hash(key);
    struct stage_entry *e = stage_find(s, key, hash);
    assert(!e || s->bytes >= key.len + e->val.len);
    size_t bytes = s->bytes + val.len + (e ? 0 : key.len) - (e ? e->val.len : 0);
    if (bytes > KV_TXN_MAX)
        return ERR_LIMIT;
    struct str copy = STR_NONE;
    if (str_is_set(val)) {
        copy = str_dup(&s->arena, val);
        if (!str_is_set(copy))
            return ERR_NOMEM;
    }
    if (!e) {
        TRY(grow(s));
        e = ARENA_NEW(&s->arena, struct stage_entry);
        if (!e)
            return ERR_NOMEM;
        e->key = str_n(arena_memdup(&s->arena, key.p, key.len), key.len);
        if (!str_is_set(e->key))
            return ERR_NOMEM;
        e->hash = hash;
        s->entries[s->n++] = e;
        if (s->buckets) {
            e->chain = s->buckets[hash & (s->n_buckets - 1)];
            s->buckets[hash & (s->n_buckets - 1)] = e;
        }
    }
    e->val = copy;
    s->bytes = bytes;
    return ERR_OK;
}

enum err stage_write_stamped(struct stage *s, struct str key, size_t at, struct str val)
{
    TRY(stage_check_key(key));
    assert(at + KV_STAMP_BYTES <= key.len);
    if (val.len > KV_VALUE_MAX || s->bytes + key.len + val.len > KV_TXN_MAX ||
        s->n_stamped == KV_STAMPS_MAX)
        return ERR_LIMIT;
    struct stage_stamped *e = ARENA_NEW(&s->arena, struct stage_stamped);
    if (!e)
        return ERR_NOMEM;
    e->key = str_n(arena_memdup(&s->arena, key.p, key.len), key.len);
    e->val = str_dup(&s->arena, val);
    e->at = at;
    if (!str_is_set(e->key) || !str_is_set(e->val))
        return ERR_NOMEM;
    *s->stamped_end = e;
    s->stamped_end = &e->next;
    s->n_stamped++;
    s->bytes += key.len + val.len;
    return ERR_OK;
}

void stage_stamp(struct stage *s, uint64_t seq)
{
    size_t n = 0;
    for (struct stage_stamped *e = s->stamped; e; e = e->next, n++) {
        uint8_t *p = (uint8_t *)(uintptr_t)e->key.p + e->at;
        for (int i = 0; i < 8; i++)
            p[i] = (uint8_t)(seq >> (56 - 8 * i));
        p[8] = (uint8_t)(n >> 8);
        p[9] = (uint8_t)n;
    }
    assert(n == s->n_stamped && n <= KV_STAMPS_MAX);
}

enum err stage_track(struct stage *s, uint64_t hash)
{
    if (s->n_reads == s->cap_reads) {
        if (s->n_reads >= STAGE_READS_MAX)
            return ERR_LIMIT;
        size_t cap = s->cap_reads ? s->cap_reads * 2 : STAGE_READS_FIRST;
        uint64_t *p = mem_realloc(s->reads, cap * sizeof(uint64_t));
        if (!p)
            return ERR_NOMEM;
        s->reads = p;
        s->cap_reads = cap;
    }
    assert(s->n_reads < s->cap_reads);
    s->reads[s->n_reads++] = hash;
    return ERR_OK;
}

static int by_key(const void *a, const void *b)
{
    return str_cmp((*(struct stage_entry *const *)a)->key, (*(struct stage_entry *const *)b)->key);
}

enum err stage_merge_init(struct stage_merge *m, const struct stage *s, struct str from,
                          struct str to, bool reverse)
{
    *m = (struct stage_merge){.reverse = reverse};
    if (s->n == 0)
        return ERR_OK;
    struct stage_entry **sorted = mem_alloc(s->n * sizeof(struct stage_entry *));
    if (!sorted)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n; i++) {
        struct stage_entry *e = s->entries[i];
        if (str_cmp(e->key, from) >= 0 && (!str_is_set(to) || str_cmp(e->key, to) < 0))
            sorted[m->n++] = e;
    }
    qsort(sorted, m->n, sizeof(struct stage_entry *), by_key);
    for (size_t i = 0; reverse && i < m->n / 2; i++) {
        struct stage_entry *e = sorted[i];
        sorted[i] = sorted[m->n - 1 - i];
        sorted[m->n - 1 - i] = e;
    }
    m->sorted = sorted;
    return ERR_OK;
}

void stage_merge_release(struct stage_merge *m)
{
    mem_free(m->sorted);
    *m = (struct stage_merge){0};
}

enum err stage_merge_next(struct stage_merge *m, const struct stage_cursor *base,
                          struct str *ret_key, struct str *ret_val)
{
    for (;;) {
        if (m->step_base)
            base->step(base->self);
        if (m->step_stage)
            m->at++;
        m->step_base = m->step_stage = false;
        struct str key = STR_NONE, val = STR_NONE;
        enum err err = base->current(base->self, &key, &val);
        if (err != ERR_OK && err != ERR_NOT_FOUND)
            return err;
        const struct stage_entry *e = m->at < m->n ? m->sorted[m->at] : NULL;
        if (!e && err == ERR_NOT_FOUND)
            return ERR_NOT_FOUND;
        int cmp = !e ? -1 : err == ERR_NOT_FOUND ? 1 : str_cmp(key, e->key);
        if (m->reverse && e && err == ERR_OK)
            cmp = -cmp;
        m->step_base = cmp <= 0;
        m->step_stage = cmp >= 0;
        if (cmp >= 0) {
            if (!str_is_set(e->val)) /* a deletion hides what is committed under the key */
                continue;
            key = e->key;
            val = e->val;
        }
        *ret_key = key;
        *ret_val = val;
        return ERR_OK;
    }
}
