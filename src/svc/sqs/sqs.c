/* SQS as a service: making it, starting and ending it, what core asks it.
 * Layer: svc/sqs. */
#include "svc/sqs/sqs.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "svc/sqs/sqs_move.h"

/* --- start ------------------------------------------------------------------------------------ */

/* The secret of receipt handles, made at the very first start. */
static enum err load_secret(struct txn *txn, void *arg)
{
    struct sqs *s = arg;
    struct str key = key_prefix_vals(txn->arena, &sqs_k_secret, NULL, 0), bytes;
    enum err err = txn_get(txn, key, &bytes);
    if (err == ERR_OK && bytes.len != SQS_SECRET_LEN)
        return ERR_CORRUPT;
    if (err == ERR_OK) {
        memcpy(s->secret, bytes.p, SQS_SECRET_LEN);
        return ERR_OK;
    }
    if (err != ERR_NOT_FOUND)
        return err;
    rng_bytes(s->secret, SQS_SECRET_LEN);
    return txn_put(txn, key, str_n((char *)s->secret, SQS_SECRET_LEN));
}

static enum err start(void *self)
{
    struct sqs *s = self;
    s->kms = kms_port_of(s->core);
    TRY(txn_run_now(s->core, load_secret, s));
    return sqs_load_start(s);
}

/* --- end -------------------------------------------------------------------------------------- */

static void wake_all(struct sqs *s)
{
    size_t it = 0;
    struct str key;
    void *value;
    pthread_rwlock_rdlock(&s->lock);
    while (map_next(&s->queues, &it, &key, &value)) {
        struct sqs_queue *q = value;
        pthread_mutex_lock(&q->lock);
        (void)waiters_wake(&q->waiters, SIZE_MAX);
        pthread_mutex_unlock(&q->lock);
    }
    pthread_rwlock_unlock(&s->lock);
}

static void begin_stop(void *self)
{
    struct sqs *s = self;
    if (atomic_exchange(&s->stopped, true))
        return;
    wake_all(s);
    if (s->due_timer_made)
        io_timer_stop(&s->due_timer);
    sqs_load_stop(s);
}

static void release(void *self)
{
    struct sqs *s = self;
    begin_stop(s);
    struct heap_node *node;
    while ((node = heap_pop(&s->due)) != NULL)
        sqs_queue_unref(CONTAINER_OF(node, struct sqs_queue, due));
    while (!list_empty(&s->watchers)) {
        struct sqs_watcher *w = CONTAINER_OF(list_pop_front(&s->watchers), struct sqs_watcher, all);
        list_remove(&w->link);
        sqs_watcher_free(w);
    }
    while (!list_empty(&s->homeless))
        sqs_queue_unref(CONTAINER_OF(list_pop_front(&s->homeless), struct sqs_queue, home));
    size_t it = 0;
    struct str key;
    void *q;
    while (map_next(&s->queues, &it, &key, &q))
        sqs_queue_unref(q);
    map_release(&s->queues);
    sqs_load_free(s);
    heap_release(&s->due);
    pthread_mutex_destroy(&s->due_lock);
    pthread_rwlock_destroy(&s->lock);
    mem_free(s);
}

/* --- making ------------------------------------------------------------------------------------ */

static enum err make(struct core *core, void **ret_self)
{
    struct sqs *s = mem_calloc(1, sizeof(*s));
    if (!s)
        return ERR_NOMEM;
    s->core = core;
    pthread_rwlock_init(&s->lock, NULL);
    pthread_mutex_init(&s->due_lock, NULL);
    pthread_mutex_init(&s->load_lock, NULL);
    map_init(&s->cold);
    map_init(&s->queues);
    list_init(&s->homeless);
    list_init(&s->watchers);
    heap_init(&s->due);
    s->due_task.fn = sqs_due_task;
    sqs_port_fill(s);
    enum err err = sqs_clean_register(s);
    if (err == ERR_OK)
        err = sqs_move_register(s);
    if (err == ERR_OK)
        err = sqs_held_register(s);
    if (err)
        release(s);
    else
        *ret_self = s;
    return err;
}

/* --- what core asks --------------------------------------------------------------------------- */

static enum err resource_policy(void *self, struct txn *txn, struct str arn, struct str *ret_json)
{
    struct key_scope scope;
    struct str name;
    struct sqs_config c = {.policy = STR_NONE};
    *ret_json = STR_NONE;
    if (sqs_arn_parse(arn, &scope, &name) != ERR_OK)
        return ERR_OK;
    enum err err =
        txn_read(txn, key_make(txn->arena, &sqs_k_queue, scope, name), &sqs_config_type, &c);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    *ret_json = c.policy;
    return ERR_OK;
}

static const void *port(void *self)
{
    struct sqs *s = self;
    return &s->port;
}

const struct svc_def sqs_def = {
    .wire = &sqs_service,
    .make = make,
    .start = start,
    .begin_stop = begin_stop,
    .release = release,
    .port = port,
    .resource_policy = resource_policy,
    .authorize_more = sqs_authorize_more,
    .tags = &sqs_tags,
    .measure = sqs_measure,
    .gauges = sqs_gauges,
    .targets = sqs_targets,
    .n_targets = ARRAY_LEN(sqs_targets),
};
