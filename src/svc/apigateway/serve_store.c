/* See serve_store.h. Layer: svc. */
#include "svc/apigateway/serve_store.h"

#include <pthread.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

enum { ENTRY_OVERHEAD = 256, ENTRY_BYTES_MAX = SERVE_STORE_ANSWER_MAX + 64 * 1024 };

/* Its arena has everything, itself too. */
struct entry {
    struct list link; /* least recently asked first */
    struct arena arena;
    struct str key;
    uint64_t flushes;
    int64_t until_ns;
    struct serve_out out;
};

struct serve_store {
    pthread_mutex_t lock;
    struct map by_key; /* struct entry */
    struct list order;
    size_t bytes;
};

enum err serve_store_new(struct serve_store **ret_store)
{
    struct serve_store *s = mem_calloc(1, sizeof(*s));
    if (!s)
        return ERR_NOMEM;
    pthread_mutex_init(&s->lock, NULL);
    map_init(&s->by_key);
    list_init(&s->order);
    *ret_store = s;
    return ERR_OK;
}

static void entry_free(struct entry *e)
{
    struct arena arena = e->arena;
    arena_release(&arena);
}

static size_t entry_bytes(const struct entry *e)
{
    return e->arena.used + ENTRY_OVERHEAD;
}

static void drop(struct serve_store *s, struct entry *e)
{
    s->bytes -= entry_bytes(e);
    list_remove(&e->link);
    (void)map_del(&s->by_key, e->key);
    entry_free(e);
}

static struct entry *oldest(struct serve_store *s)
{
    return CONTAINER_OF(s->order.next, struct entry, link);
}

void serve_store_free(struct serve_store *s)
{
    if (!s)
        return;
    while (!list_empty(&s->order))
        drop(s, oldest(s));
    map_release(&s->by_key);
    pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

static enum err copy_out(struct arena *a, const struct serve_out *from, struct serve_out *ret)
{
    struct serve_out out = {.status = from->status};
    out.content_type = str_dup(a, from->content_type);
    out.body = str_dup(a, from->body);
    for (size_t i = 0; i < from->header.n; i++)
        TRY(map_made_add(a, &out.header, str_dup(a, from->header.v[i].name),
                         str_dup(a, from->header.v[i].value)));
    *ret = out;
    return a->failed ? ERR_NOMEM : ERR_OK;
}

enum err serve_store_get(struct serve_store *s, struct arena *a, struct str key, uint64_t flushes,
                         int64_t now_ns, struct serve_out *ret_out)
{
    enum err err = ERR_NOT_FOUND;
    pthread_mutex_lock(&s->lock);
    struct entry *e = map_get(&s->by_key, key);
    if (e && (e->until_ns <= now_ns || e->flushes != flushes)) { /* GC3 */
        drop(s, e);
        e = NULL;
    }
    if (e) {
        list_remove(&e->link);
        list_push_back(&s->order, &e->link);
        err = copy_out(a, &e->out, ret_out);
    }
    pthread_mutex_unlock(&s->lock);
    return err;
}

static struct entry *entry_new(struct str key, const struct serve_out *out)
{
    struct arena arena;
    arena_init(&arena, ENTRY_BYTES_MAX);
    struct entry *e = ARENA_NEW(&arena, struct entry);
    if (!e) {
        arena_release(&arena);
        return NULL;
    }
    e->arena = arena;
    e->key = str_dup(&e->arena, key);
    list_init(&e->link);
    if (str_is_set(e->key) && copy_out(&e->arena, out, &e->out) == ERR_OK)
        return e;
    entry_free(e);
    return NULL;
}

void serve_store_put(struct serve_store *s, struct str key, uint64_t flushes, int64_t until_ns,
                     const struct serve_out *out)
{
    if (out->body.len > SERVE_STORE_ANSWER_MAX)
        return;
    struct entry *e = entry_new(key, out);
    if (!e)
        return;
    e->flushes = flushes;
    e->until_ns = until_ns;
    pthread_mutex_lock(&s->lock);
    struct entry *old = map_get(&s->by_key, key);
    if (old)
        drop(s, old);
    while (!list_empty(&s->order) && s->bytes + entry_bytes(e) > SERVE_STORE_BYTES_MAX)
        drop(s, oldest(s));
    bool kept = map_put(&s->by_key, e->key, e, NULL) == ERR_OK;
    if (kept) {
        list_push_back(&s->order, &e->link);
        s->bytes += entry_bytes(e);
    }
    pthread_mutex_unlock(&s->lock);
    if (!kept)
        entry_free(e);
}
