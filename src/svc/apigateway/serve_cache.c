/* Compiled stages, kept while they are asked for. See serve_request.h.
 *
 * Layer: svc. Thread: any; one lock, held for a lookup, never while something is compiled. */
#include <pthread.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "svc/apigateway/serve_request.h"

struct kept {
    struct list link; /* least recently taken first */
    struct str key;   /* "API/STAGE" */
    struct serve_stage *stage;
};

struct serve_cache {
    pthread_mutex_t lock;
    struct map by_key; /* struct kept */
    struct list order;
};

enum err serve_cache_new(struct serve_cache **ret_cache)
{
    struct serve_cache *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    pthread_mutex_init(&c->lock, NULL);
    map_init(&c->by_key);
    list_init(&c->order);
    *ret_cache = c;
    return ERR_OK;
}

static void kept_free(struct serve_cache *c, struct kept *k)
{
    list_remove(&k->link);
    (void)map_del(&c->by_key, k->key);
    serve_stage_unref(k->stage);
    mem_free((char *)k->key.p);
    mem_free(k);
}

void serve_cache_free(struct serve_cache *c)
{
    if (!c)
        return;
    while (!list_empty(&c->order))
        kept_free(c, CONTAINER_OF(c->order.next, struct kept, link));
    map_release(&c->by_key);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}

/* NULL: none of this version. With a reference. */
static struct serve_stage *look_up(struct serve_cache *c, struct str key, uint64_t version)
{
    struct serve_stage *stage = NULL;
    pthread_mutex_lock(&c->lock);
    struct kept *k = map_get(&c->by_key, key);
    if (k && k->stage->number == version) {
        stage = k->stage;
        serve_stage_ref(stage);
        list_remove(&k->link);
        list_push_back(&c->order, &k->link);
    }
    pthread_mutex_unlock(&c->lock);
    return stage;
}

/* The API of a deployment that another stage has compiled already. NULL: none. With a reference. */
static struct serve_api *api_of(struct serve_cache *c, struct str api_id, struct str deployment_id)
{
    struct serve_api *api = NULL;
    pthread_mutex_lock(&c->lock);
    LIST_EACH (&c->order, it) {
        const struct kept *k = CONTAINER_OF(it, struct kept, link);
        if (!api && str_eq(k->stage->deployment_id, deployment_id) &&
            str_eq(k->stage->api->id, api_id)) {
            api = k->stage->api;
            serve_api_ref(api);
        }
    }
    pthread_mutex_unlock(&c->lock);
    return api;
}

/* What cannot be kept is compiled again next time. */
static void keep(struct serve_cache *c, struct str key, struct serve_stage *stage)
{
    struct kept *k = mem_calloc(1, sizeof(*k));
    char *text = mem_alloc(key.len + 1);
    if (!k || !text)
        goto out;
    memcpy(text, key.p, key.len);
    *k = (struct kept){.key = str_n(text, key.len), .stage = stage};
    list_init(&k->link);
    pthread_mutex_lock(&c->lock);
    struct kept *old = map_get(&c->by_key, key);
    if (old)
        kept_free(c, old);
    else if (c->by_key.n >= SERVE_STAGES_MAX)
        kept_free(c, CONTAINER_OF(c->order.next, struct kept, link));
    bool kept = map_put(&c->by_key, k->key, k, NULL) == ERR_OK;
    if (kept) {
        list_push_back(&c->order, &k->link);
        serve_stage_ref(stage);
    }
    pthread_mutex_unlock(&c->lock);
    if (kept)
        return;
out:
    mem_free(text);
    mem_free(k);
}

static enum err compile(struct serve_cache *c, struct txn *txn, struct str api_id, struct str stage,
                        const struct apigateway_stage_now *now, struct serve_stage **ret_stage)
{
    struct serve_api *api = api_of(c, api_id, now->deployment_id);
    struct str json;
    if (!api) {
        TRY(apigateway_snapshot_read(txn, api_id, now->deployment_id, &json));
        TRY(serve_compile(api_id, json, &api));
    }
    enum err err =
        serve_stage_compile(api, stage, now->deployment_id, now->version, now->json, ret_stage);
    if (err)
        serve_api_unref(api);
    return err;
}

enum err serve_cache_take(struct serve_cache *cache, struct txn *txn, struct str api_id,
                          struct str stage, const struct apigateway_stage_now *now,
                          struct serve_stage **ret_stage, bool *ret_fresh)
{
    struct str key = str_fmt(txn->arena, STR_FMT "/" STR_FMT, STR_ARG(api_id), STR_ARG(stage));
    if (!str_is_set(key))
        return ERR_NOMEM;
    *ret_stage = look_up(cache, key, now->version);
    *ret_fresh = *ret_stage == NULL;
    if (*ret_stage)
        return ERR_OK;
    TRY(compile(cache, txn, api_id, stage, now, ret_stage));
    keep(cache, key, *ret_stage);
    return ERR_OK;
}
