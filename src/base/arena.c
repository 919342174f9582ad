#include "base/arena.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* payload bytes that follow the header */
    _Alignas(ARENA_ALIGN) char data[];
};

struct arena_cleanup {
    struct arena_cleanup *next;
    void (*fn)(void *arg);
    void *arg;
};

void arena_init(struct arena *a, size_t limit_bytes)
{
    memset(a, 0, sizeof(*a));
    a->limit = limit_bytes;
}

static void run_cleanups(struct arena *a)
{
    while (a->cleanups) {
        struct arena_cleanup *c = a->cleanups;
        a->cleanups = c->next;
        c->fn(c->arg);
    }
}

void arena_release(struct arena *a)
{
    run_cleanups(a);
    while (a->chunks) {
        struct arena_chunk *c = a->chunks;
        a->chunks = c->next;
        mem_free(c);
    }
    a->cur = a->end = NULL;
    a->used = 0;
    a->failed = false;
}

void arena_clear(struct arena *a)
{
    run_cleanups(a);
    struct arena_chunk *keep = NULL;
    while (a->chunks) {
        struct arena_chunk *c = a->chunks;
        a->chunks = c->next;
        if (!keep && c->size == ARENA_CHUNK_BYTES - sizeof(struct arena_chunk))
            keep = c;
        else
            mem_free(c);
    }
    a->used = 0;
    a->failed = false;
    a->cur = a->end = NULL;
    if (keep) {
        keep->next = NULL;
        a->chunks = keep;
        a->cur = keep->data;
        a->end = keep->data + keep->size;
    }
}

static bool add_chunk(struct arena *a, size_t need)
{
    size_t size = ARENA_CHUNK_BYTES - sizeof(struct arena_chunk);
    /* A large object gets a chunk of its own behind the current one, which stays in use. */
    bool own = need > size / 2;
    struct arena_chunk *c = mem_alloc(sizeof(*c) + (own ? need : size));
    if (!c)
        return false;
    c->size = own ? need : size;
    if (own && a->chunks) {
        c->next = a->chunks->next;
        a->chunks->next = c;
        return true;
    }
    c->next = a->chunks;
    a->chunks = c;
    a->cur = c->data;
    a->end = c->data + c->size;
    return true;
}

static void *fail(struct arena *a)
{
    a->failed = true;
    return NULL;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > PTRDIFF_MAX / 2 || size > a->limit || a->used > a->limit - size)
        return fail(a);
    size_t need = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (need == 0)
        need = ARENA_ALIGN;
    if (a->cur && (size_t)(a->end - a->cur) >= need) {
        void *p = a->cur;
        a->cur += need;
        a->used += size;
        return p;
    }
    struct arena_chunk *before = a->chunks;
    if (!add_chunk(a, need))
        return fail(a);
    a->used += size;
    if (a->chunks == before) /* the new chunk stands second: it is wholly this object's */
        return a->chunks->next->data;
    void *p = a->cur;
    assert((size_t)(a->end - a->cur) >= need);
    a->cur += need;
    return p;
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total))
        return fail(a);
    void *p = arena_alloc(a, total);
    if (p)
        memset(p, 0, total);
    return p;
}

char *arena_memdup(struct arena *a, const void *p, size_t size)
{
    if (size == SIZE_MAX)
        return fail(a);
    char *d = arena_alloc(a, size + 1);
    if (!d)
        return NULL;
    if (size)
        memcpy(d, p, size);
    d[size] = '\0';
    return d;
}

enum err arena_grow(struct arena *a, void *array, size_t n, size_t *cap, size_t first, size_t size)
{
    if (n < *cap)
        return ERR_OK;
    assert(first > 0 && n == *cap);
    size_t wide = *cap ? *cap : first;
    if (*cap && __builtin_mul_overflow(wide, (size_t)2, &wide))
        return ERR_NOMEM;
    void *v = arena_calloc(a, wide, size), *old;
    if (!v)
        return ERR_NOMEM;
    memcpy(&old, array, sizeof(old));
    if (n)
        memcpy(v, old, n * size);
    memcpy(array, &v, sizeof(v));
    *cap = wide;
    return ERR_OK;
}

enum err arena_on_release(struct arena *a, void (*fn)(void *arg), void *arg)
{
    assert(fn);
    struct arena_cleanup *c = arena_alloc(a, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    *c = (struct arena_cleanup){a->cleanups, fn, arg};
    a->cleanups = c;
    return ERR_OK;
}
