/* Answers of authorizers by their identity, shared by all loops (AU3). What is kept is the function's
 * answer as it came: its policy is decided anew for each method.
 *
 * Thread: any; one lock, held for a look or a change of pointers. */
#include <pthread.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "svc/apigateway/auth_int.h"

struct entry {
    struct list by_age;
    struct str key, json; /* behind the entry */
    int64_t until_ms;
};

struct auth_cache {
    pthread_mutex_t lock;
    struct map by_key;
    struct list by_age; /* oldest first */
    size_t bytes;
};

struct auth_cache *auth_cache_new(void)
{
    struct auth_cache *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    map_init(&c->by_key);
    list_init(&c->by_age);
    return c;
}

static size_t size_of(const struct entry *e)
{
    return sizeof(*e) + e->key.len + e->json.len;
}

static void drop(struct auth_cache *c, struct entry *e)
{
    (void)map_del(&c->by_key, e->key);
    list_remove(&e->by_age);
    c->bytes -= size_of(e);
    mem_free(e);
}

static struct entry *oldest(struct auth_cache *c)
{
    return list_empty(&c->by_age) ? NULL : CONTAINER_OF(c->by_age.next, struct entry, by_age);
}

void auth_cache_free(struct auth_cache *c)
{
    if (!c)
        return;
    for (struct entry *e; (e = oldest(c));)
        drop(c, e);
    map_release(&c->by_key);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}

enum err auth_cache_get(struct auth_cache *c, struct str key, int64_t now_ms, struct arena *a,
                        struct str *ret_json)
{
    enum err err = ERR_NOT_FOUND;
    pthread_mutex_lock(&c->lock);
    struct entry *e = map_get(&c->by_key, key);
    if (e && e->until_ms <= now_ms)
        drop(c, e);
    else if (e) {
        *ret_json = str_dup(a, e->json);
        err = str_is_set(*ret_json) ? ERR_OK : ERR_NOMEM;
    }
    pthread_mutex_unlock(&c->lock);
    return err;
}

static struct entry *entry_new(struct str key, struct str json, int64_t until_ms)
{
    struct entry *e = mem_alloc(sizeof(*e) + key.len + json.len);
    if (!e)
        return NULL;
    char *p = (char *)(e + 1);
    memcpy(p, key.p, key.len);
    memcpy(p + key.len, json.p, json.len);
    *e = (struct entry){.key = {p, key.len}, .json = {p + key.len, json.len}, .until_ms = until_ms};
    return e;
}

void auth_cache_put(struct auth_cache *c, struct str key, struct str json, int64_t until_ms)
{
    struct entry *e = entry_new(key, json, until_ms);
    if (!e || size_of(e) > AUTH_CACHE_BYTES_MAX) {
        mem_free(e);
        return;
    }
    pthread_mutex_lock(&c->lock);
    struct entry *old = map_get(&c->by_key, key);
    if (old)
        drop(c, old);
    while (c->by_key.n >= AUTH_CACHE_MAX || c->bytes + size_of(e) > AUTH_CACHE_BYTES_MAX)
        drop(c, oldest(c));
    if (map_put(&c->by_key, e->key, e, NULL) == ERR_OK) {
        list_push_back(&c->by_age, &e->by_age);
        c->bytes += size_of(e);
        e = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    mem_free(e);
}

void auth_cache_drop(struct auth_cache *c, struct str prefix)
{
    pthread_mutex_lock(&c->lock);
    for (struct list *n = c->by_age.next, *next; n != &c->by_age; n = next) {
        struct entry *e = CONTAINER_OF(n, struct entry, by_age);
        next = n->next;
        if (str_starts(e->key, prefix))
            drop(c, e);
    }
    pthread_mutex_unlock(&c->lock);
}
