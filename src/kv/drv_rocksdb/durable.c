/* Durability of the RocksDB driver: one thread syncs the write-ahead log for everyone who waits.
 *
 *   idle --kick--> syncing --answers all whose commits it covered--> idle or syncing
 *
 * While a sync runs, further commits and waits gather; the next sync covers them all, so the cost
 * of a sync is shared by however many arrive during the one before. An event loop kicks once before
 * it sleeps, so what it committed in one turn is in one sync. A failed sync is final: what
 * the kernel dropped cannot be synced later, so every wait from then on is answered with ERR_IO.
 *
 * Layer: kv. Thread: the flusher's own, but for the functions of kv_ops. */
#include "kv/drv_rocksdb/rocksdb_int.h"

static enum err sync_log(struct rdb *r)
{
    if (r->before_sync && r->before_sync(r->before_sync_arg) != ERR_OK)
        return rdb_fail(r, "sync of the log", NULL);
    char *message = NULL;
    uint64_t seq = rocksdb_get_latest_sequence_number(r->db); /* the sync covers it */
    rocksdb_flush_wal(r->db, 1, &message);
    if (message)
        return rdb_fail(r, "sync of the log", message);
    if (mark_set(&r->mark, seq) != ERR_OK)
        return rdb_fail(r, "write of the mark", NULL);
    return ERR_OK;
}

/* Takes out, oldest first, the waits that can be answered; under wait_lock. */
static struct kv_wait *take_answerable(struct rdb *r, uint64_t durable, bool all)
{
    struct kv_wait *taken = NULL, **at = &r->waits;
    while (*at) {
        struct kv_wait *w = *at;
        if (all || w->seq <= durable) {
            *at = w->next;
            w->next = taken;
            taken = w;
        } else {
            at = &w->next;
        }
    }
    return taken;
}

static void answer(struct kv_wait *w, enum err err)
{
    while (w) {
        struct kv_wait *next = w->next; /* fn may free w */
        w->fn(w, err);
        w = next;
    }
}

/* One round: sync what is committed now and answer. */
static void flush_round(struct rdb *r)
{
    uint64_t target = atomic_load_explicit(&r->committed, memory_order_acquire);
    if (!atomic_load(&r->failed) && target > atomic_load(&r->durable)) {
        if (sync_log(r) == ERR_OK)
            atomic_store_explicit(&r->durable, target, memory_order_release);
        atomic_fetch_add_explicit(&r->syncs, 1, memory_order_relaxed);
    }
    bool failed = atomic_load(&r->failed);
    pthread_mutex_lock(&r->wait_lock);
    struct kv_wait *done = take_answerable(r, atomic_load(&r->durable), false);
    struct kv_wait *lost = failed ? take_answerable(r, 0, true) : NULL;
    pthread_mutex_unlock(&r->wait_lock);
    answer(done, ERR_OK);
    answer(lost, ERR_IO);
    if (!failed && mark_sync(&r->mark, false) != ERR_OK)
        (void)rdb_fail(r, "sync of the mark", NULL); /* the next round answers those who wait */
}

static void *flusher_main(void *arg)
{
    struct rdb *r = arg;
    for (;;) {
        pthread_mutex_lock(&r->wait_lock);
        while (!(r->waits && r->kicked) && !r->stopping)
            pthread_cond_wait(&r->wait_cond, &r->wait_lock);
        r->kicked = false;
        bool last = r->stopping;
        pthread_mutex_unlock(&r->wait_lock);
        flush_round(r);
        if (last)
            return NULL;
    }
}

enum err rdb_flusher_start(struct rdb *r)
{
    if (pthread_create(&r->flusher, NULL, flusher_main, r) != 0)
        return ERR_IO;
    r->flusher_runs = true;
    return ERR_OK;
}

void rdb_flusher_stop(struct rdb *r)
{
    if (!r->flusher_runs)
        return;
    pthread_mutex_lock(&r->wait_lock);
    r->stopping = true;
    pthread_cond_signal(&r->wait_cond);
    pthread_mutex_unlock(&r->wait_lock);
    pthread_join(r->flusher, NULL);
    r->flusher_runs = false;
}

uint64_t rdb_durable_seq(struct kv *kv)
{
    return atomic_load_explicit(&((struct rdb *)kv)->durable, memory_order_acquire);
}

uint64_t rdb_last_seq(struct kv *kv)
{
    return atomic_load_explicit(&((struct rdb *)kv)->assigned, memory_order_acquire);
}

bool rdb_when_durable(struct kv *kv, struct kv_wait *wait)
{
    struct rdb *r = (struct rdb *)kv;
    if (wait->seq <= rdb_durable_seq(kv))
        return false;
    pthread_mutex_lock(&r->wait_lock);
    /* The flusher publishes `durable` before it takes waits, so this second look misses nothing. */
    bool arranged = wait->seq > rdb_durable_seq(kv);
    if (arranged) {
        wait->next = r->waits;
        r->waits = wait;
        atomic_store_explicit(&r->wanted, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&r->wait_lock);
    return arranged;
}

void rdb_kick(struct kv *kv)
{
    struct rdb *r = (struct rdb *)kv;
    if (!atomic_load_explicit(&r->wanted, memory_order_relaxed))
        return;
    pthread_mutex_lock(&r->wait_lock);
    atomic_store_explicit(&r->wanted, false, memory_order_relaxed);
    /* Also when an earlier kick is still noted: what it was for may have been answered by a sync that
     * was on its way, and the flusher sleeps. */
    r->kicked = true;
    pthread_cond_signal(&r->wait_cond);
    pthread_mutex_unlock(&r->wait_lock);
}

bool rdb_cancel_wait(struct kv *kv, struct kv_wait *wait)
{
    struct rdb *r = (struct rdb *)kv;
    bool found = false;
    pthread_mutex_lock(&r->wait_lock);
    for (struct kv_wait **at = &r->waits; *at; at = &(*at)->next)
        if (*at == wait) {
            *at = wait->next;
            found = true;
            break;
        }
    pthread_mutex_unlock(&r->wait_lock);
    return found;
}
