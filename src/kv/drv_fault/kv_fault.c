/* The fault driver; see kv_fault.h. Layer: kv. Thread: any, though which thread meets the fault is
 * then a matter of timing. */
#include "kv/drv_fault/kv_fault.h"

#include <pthread.h>

#include "base/mem.h"

struct fault {
    struct kv base;
    struct kv *inner;
    pthread_mutex_t lock;
    uint64_t calls[KV_FAULT_CALLS];
    uint64_t fail_at[KV_FAULT_CALLS]; /* value of calls[] at which to fail; 0: never */
    enum err fail_err[KV_FAULT_CALLS];
    uint64_t values, cut_at, flip_at;
    size_t cut_keep, flip_byte;
};

struct fault_txn {
    struct kv_txn base;
    struct kv_txn *inner;
};

struct fault_iter {
    struct kv_iter base;
    struct kv_iter *inner;
    struct arena arena; /* holds a changed value until the next call */
};

static struct fault *of(struct kv_txn *txn)
{
    return (struct fault *)txn->kv;
}

static struct kv_txn *inner(struct kv_txn *txn)
{
    return ((struct fault_txn *)txn)->inner;
}

static enum err WARN_UNUSED count(struct fault *f, enum kv_fault_call call)
{
    pthread_mutex_lock(&f->lock);
    enum err err = ++f->calls[call] == f->fail_at[call] ? f->fail_err[call] : ERR_OK;
    pthread_mutex_unlock(&f->lock);
    return err;
}

/* Changes a value that is about to be handed out, when its turn has come. */
static enum err WARN_UNUSED spoil(struct fault *f, struct arena *arena, struct str *val)
{
    pthread_mutex_lock(&f->lock);
    uint64_t n = ++f->values;
    bool cut = n == f->cut_at, flip = n == f->flip_at && val->len > 0;
    size_t keep = f->cut_keep, byte = f->flip_byte;
    pthread_mutex_unlock(&f->lock);
    if (cut)
        *val = str_sub(*val, 0, keep);
    if (flip) {
        char *p = arena_memdup(arena, val->p, val->len);
        if (!p)
            return ERR_NOMEM;
        p[byte % val->len] = (char)~p[byte % val->len];
        val->p = p;
    }
    return ERR_OK;
}

static enum err fault_begin(struct kv *kv, struct kv_txn **ret_txn)
{
    struct fault *f = (struct fault *)kv;
    TRY(count(f, KV_FAULT_BEGIN));
    struct fault_txn *t = mem_calloc(1, sizeof(*t));
    if (!t)
        return ERR_NOMEM;
    t->base.kv = kv;
    enum err err = kv_begin(f->inner, &t->inner);
    if (err != ERR_OK) {
        mem_free(t);
        return err;
    }
    *ret_txn = &t->base;
    return ERR_OK;
}

static void fault_rollback(struct kv_txn *txn)
{
    kv_rollback(inner(txn));
    mem_free(txn);
}

static enum err fault_commit(struct kv_txn *txn, uint64_t *ret_seq)
{
    enum err err = count(of(txn), KV_FAULT_COMMIT);
    if (err != ERR_OK) {
        fault_rollback(txn);
        return err;
    }
    err = kv_commit(inner(txn), ret_seq);
    mem_free(txn);
    return err;
}

static enum err fault_get(struct kv_txn *txn, struct str key, struct arena *arena,
                          struct str *ret_val)
{
    struct str val;
    TRY(count(of(txn), KV_FAULT_GET));
    TRY(kv_get(inner(txn), key, arena, &val));
    TRY(spoil(of(txn), arena, &val));
    *ret_val = val;
    return ERR_OK;
}

static enum err fault_peek(struct kv_txn *txn, struct str key, struct arena *arena,
                           struct str *ret_val)
{
    struct str val;
    TRY(count(of(txn), KV_FAULT_PEEK));
    TRY(kv_peek(inner(txn), key, arena, &val));
    TRY(spoil(of(txn), arena, &val));
    *ret_val = val;
    return ERR_OK;
}

static enum err fault_put(struct kv_txn *txn, struct str key, struct str val)
{
    TRY(count(of(txn), KV_FAULT_PUT));
    return kv_put(inner(txn), key, val);
}

static enum err fault_del(struct kv_txn *txn, struct str key)
{
    TRY(count(of(txn), KV_FAULT_DEL));
    return kv_del(inner(txn), key);
}

static enum err fault_put_stamped(struct kv_txn *txn, struct str key, size_t at, struct str val)
{
    TRY(count(of(txn), KV_FAULT_PUT));
    return kv_put_stamped(inner(txn), key, at, val);
}

static enum err fault_scan(struct kv_txn *txn, struct str from, struct str to, bool reverse,
                           struct kv_iter **ret_it)
{
    TRY(count(of(txn), KV_FAULT_SCAN));
    struct fault_iter *it = mem_calloc(1, sizeof(*it));
    if (!it)
        return ERR_NOMEM;
    it->base.txn = txn;
    arena_init(&it->arena, (size_t)KV_VALUE_MAX * 2);
    enum err err = kv_scan(inner(txn), from, to, reverse, &it->inner);
    if (err != ERR_OK) {
        mem_free(it);
        return err;
    }
    *ret_it = &it->base;
    return ERR_OK;
}

static enum err fault_next(struct kv_iter *it, struct str *ret_key, struct str *ret_val)
{
    struct fault_iter *fi = (struct fault_iter *)it;
    struct str key, val;
    TRY(count(of(it->txn), KV_FAULT_NEXT));
    TRY(kv_next(fi->inner, &key, &val));
    arena_clear(&fi->arena);
    TRY(spoil(of(it->txn), &fi->arena, &val));
    *ret_key = key;
    *ret_val = val;
    return ERR_OK;
}

static void fault_iter_close(struct kv_iter *it)
{
    struct fault_iter *fi = (struct fault_iter *)it;
    kv_iter_close(fi->inner);
    arena_release(&fi->arena);
    mem_free(fi);
}

static uint64_t fault_durable_seq(struct kv *kv)
{
    return kv_durable_seq(((struct fault *)kv)->inner);
}

static uint64_t fault_last_seq(struct kv *kv)
{
    return kv_last_seq(((struct fault *)kv)->inner);
}

static void fault_kick(struct kv *kv)
{
    kv_kick(((struct fault *)kv)->inner);
}

static bool fault_when_durable(struct kv *kv, struct kv_wait *wait)
{
    return kv_when_durable(((struct fault *)kv)->inner, wait);
}

static bool fault_cancel_wait(struct kv *kv, struct kv_wait *wait)
{
    return kv_cancel_wait(((struct fault *)kv)->inner, wait);
}

static struct str fault_stats(struct kv *kv, struct arena *arena)
{
    return kv_stats(((struct fault *)kv)->inner, arena);
}

static void fault_close(struct kv *kv)
{
    struct fault *f = (struct fault *)kv;
    kv_close(f->inner);
    pthread_mutex_destroy(&f->lock);
    mem_free(f);
}

static const struct kv_ops fault_ops = {
    .begin = fault_begin,
    .rollback = fault_rollback,
    .commit = fault_commit,
    .get = fault_get,
    .peek = fault_peek,
    .put = fault_put,
    .del = fault_del,
    .put_stamped = fault_put_stamped,
    .scan = fault_scan,
    .next = fault_next,
    .iter_close = fault_iter_close,
    .durable_seq = fault_durable_seq,
    .last_seq = fault_last_seq,
    .when_durable = fault_when_durable,
    .kick = fault_kick,
    .cancel_wait = fault_cancel_wait,
    .stats = fault_stats,
    .close = fault_close,
};

enum err kv_fault_wrap(struct kv *kv, struct kv **ret_kv)
{
    struct fault *f = mem_calloc(1, sizeof(*f));
    if (!f)
        return ERR_NOMEM;
    f->base.ops = &fault_ops;
    f->inner = kv;
    pthread_mutex_init(&f->lock, NULL);
    *ret_kv = &f->base;
    return ERR_OK;
}

void kv_fault_fail(struct kv *kv, enum kv_fault_call call, uint64_t n, enum err err)
{
    struct fault *f = (struct fault *)kv;
    pthread_mutex_lock(&f->lock);
    f->fail_at[call] = n ? f->calls[call] + n : 0;
    f->fail_err[call] = err;
    pthread_mutex_unlock(&f->lock);
}

void kv_fault_cut(struct kv *kv, uint64_t n, size_t keep)
{
    struct fault *f = (struct fault *)kv;
    pthread_mutex_lock(&f->lock);
    f->cut_at = n ? f->values + n : 0;
    f->cut_keep = keep;
    pthread_mutex_unlock(&f->lock);
}

void kv_fault_flip(struct kv *kv, uint64_t n, size_t at)
{
    struct fault *f = (struct fault *)kv;
    pthread_mutex_lock(&f->lock);
    f->flip_at = n ? f->values + n : 0;
    f->flip_byte = at;
    pthread_mutex_unlock(&f->lock);
}

uint64_t kv_fault_calls(struct kv *kv, enum kv_fault_call call)
{
    struct fault *f = (struct fault *)kv;
    pthread_mutex_lock(&f->lock);
    uint64_t n = f->calls[call];
    pthread_mutex_unlock(&f->lock);
    return n;
}
