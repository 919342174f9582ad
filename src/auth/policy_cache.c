/* See policy_cache.h.
 *
 *   absent --parsed--> cached --evicted--> held by its readers only --last leaves--> freed
 *                        |                                               ^
 *                        +------------- evicted, nobody holds it --------+
 */
#include "auth/policy_cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

enum {
    KINDS = POLICY_TRUST + 1,
    ENTRY_ARENA_MAX = 8 * 1024 * 1024, /* the parsed form of one document of POLICY_TEXT_MAX */
};

struct entry {
    struct list lru; /* in policy_cache.used while cached */
    atomic_size_t refs;
    enum policy_kind kind;
    struct str json; /* in the arena, as is all below */
    struct policy *policy;
    struct arena arena;
};

struct policy_cache {
    pthread_mutex_t lock;
    struct map texts[KINDS]; /* JSON text -> struct entry */
    struct list used;        /* struct entry.lru, most recently used first */
    struct policy_cache_stats stats;
};

static void unref(void *arg)
{
    struct entry *e = arg;
    size_t before = atomic_fetch_sub(&e->refs, 1);
    assert(before > 0);
    if (before != 1)
        return;
    arena_release(&e->arena);
    mem_free(e);
}

struct policy_cache *policy_cache_new(void)
{
    struct policy_cache *cache = mem_calloc(1, sizeof(*cache));
    if (!cache)
        return NULL;
    pthread_mutex_init(&cache->lock, NULL);
    list_init(&cache->used);
    for (size_t i = 0; i < KINDS; i++)
        map_init(&cache->texts[i]);
    return cache;
}

/* --- under the lock --------------------------------------------------------------------------- */

static void evict(struct policy_cache *cache, struct entry *e)
{
    void *was = map_del(&cache->texts[e->kind], e->json);
    assert(was == e);
    list_remove(&e->lru);
    assert(cache->stats.n > 0 && cache->stats.bytes >= e->arena.used);
    cache->stats.n--;
    cache->stats.bytes -= e->arena.used;
    unref(e);
}

static struct entry *find(struct policy_cache *cache, enum policy_kind kind, struct str json)
{
    struct entry *e = map_get(&cache->texts[kind], json);
    if (!e)
        return NULL;
    assert(e->kind == kind && e->policy && list_linked(&e->lru));
    list_remove(&e->lru);
    list_push_front(&cache->used, &e->lru);
    atomic_fetch_add(&e->refs, 1);
    return e;
}

/* Takes `fresh`'s count and gives one of the entry that is cached now; `fresh` itself stays out of
 * the cache when there is no memory for its place, or when another thread was faster. */
static struct entry *keep(struct policy_cache *cache, struct entry *fresh)
{
    struct entry *e = find(cache, fresh->kind, fresh->json);
    if (e) {
        unref(fresh);
        return e;
    }
    if (fresh->arena.used > POLICY_CACHE_BYTES_MAX ||
        map_put(&cache->texts[fresh->kind], fresh->json, fresh, NULL) != ERR_OK)
        return fresh;
    atomic_fetch_add(&fresh->refs, 1);
    list_push_front(&cache->used, &fresh->lru);
    cache->stats.n++;
    cache->stats.bytes += fresh->arena.used;
    assert(fresh->policy && atomic_load(&fresh->refs) >= 2); /* the cache's and the caller's */
    while (cache->stats.n > POLICY_CACHE_MAX || cache->stats.bytes > POLICY_CACHE_BYTES_MAX)
        evict(cache, CONTAINER_OF(cache->used.prev, struct entry, lru));
    return fresh;
}

/* --- outside of it ---------------------------------------------------------------------------- */

void policy_cache_free(struct policy_cache *cache)
{
    if (!cache)
        return;
    while (!list_empty(&cache->used))
        evict(cache, CONTAINER_OF(cache->used.next, struct entry, lru));
    for (size_t i = 0; i < KINDS; i++)
        map_release(&cache->texts[i]);
    pthread_mutex_destroy(&cache->lock);
    mem_free(cache);
}

/* NULL also for a text that does not parse: the caller's own parsing then says why. */
static struct entry *entry_new(enum policy_kind kind, struct str json)
{
    struct entry *e = mem_calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    atomic_init(&e->refs, 1);
    arena_init(&e->arena, ENTRY_ARENA_MAX);
    e->kind = kind;
    e->json = str_dup(&e->arena, json);
    if (str_is_set(e->json) && policy_parse(&e->arena, kind, json, NULL, &e->policy) == ERR_OK)
        return e;
    unref(e);
    return NULL;
}

static struct entry *look_up(struct policy_cache *cache, enum policy_kind kind, struct str json)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *e = find(cache, kind, json);
    *(e ? &cache->stats.hits : &cache->stats.misses) += 1;
    pthread_mutex_unlock(&cache->lock);
    if (e)
        return e;
    struct entry *fresh = entry_new(kind, json);
    if (!fresh)
        return NULL;
    pthread_mutex_lock(&cache->lock);
    e = keep(cache, fresh);
    pthread_mutex_unlock(&cache->lock);
    return e;
}

enum err policy_cache_get(struct policy_cache *cache, struct arena *a, enum policy_kind kind,
                          struct str json, const char **ret_why, const struct policy **ret_policy)
{
    assert((unsigned)kind < KINDS);
    struct entry *e = cache && str_is_set(json) ? look_up(cache, kind, json) : NULL;
    if (e && arena_on_release(a, unref, e) == ERR_OK) {
        *ret_policy = e->policy;
        return ERR_OK;
    }
    if (e)
        unref(e);
    struct policy *own;
    TRY(policy_parse(a, kind, json, ret_why, &own));
    *ret_policy = own;
    return ERR_OK;
}

void policy_cache_stats(struct policy_cache *cache, struct policy_cache_stats *ret_stats)
{
    pthread_mutex_lock(&cache->lock);
    *ret_stats = cache->stats;
    pthread_mutex_unlock(&cache->lock);
}
