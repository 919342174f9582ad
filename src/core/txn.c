/* Transactions: attempts, hooks, and background work that waits for durability. See txn.h. */
#include "core/txn.h"

#include <assert.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/call_int.h"
#include "core/core.h"
#include "core/txn_int.h"

enum { JOB_ARENA_MAX = 256 * 1024 * 1024 };

struct txn_hook {
    struct txn_hook *next;
    void (*fn)(void *arg);
    void *arg;
};

/* Hooks are kept newest first; lists that run oldest first are reversed when they run. */
static enum err add_hook(struct txn *txn, struct txn_hook **list, void (*fn)(void *), void *arg)
{
    assert(fn && txn->kv); /* of a transaction that is under way */
    struct txn_hook *h = arena_alloc(txn->arena, sizeof(*h));
    if (!h)
        return ERR_NOMEM;
    *h = (struct txn_hook){*list, fn, arg};
    *list = h;
    return ERR_OK;
}

struct str txn_account(const struct txn *txn)
{
    return str_is_set(txn->account) ? txn->account : txn->core->cfg.account;
}

enum err txn_on_commit(struct txn *txn, void (*fn)(void *arg), void *arg)
{
    return add_hook(txn, &txn->on_commit, fn, arg);
}

enum err txn_on_abort(struct txn *txn, void (*fn)(void *arg), void *arg)
{
    return add_hook(txn, &txn->on_abort, fn, arg);
}

enum err txn_on_durable(struct txn *txn, void (*fn)(void *arg), void *arg)
{
    return add_hook(txn, &txn->on_durable, fn, arg);
}

static void run_newest_first(struct txn_hook **list)
{
    while (*list) {
        struct txn_hook *h = *list;
        *list = h->next;
        h->fn(h->arg);
    }
}

static void run_oldest_first(struct txn_hook **list)
{
    struct txn_hook *forward = NULL;
    while (*list) {
        struct txn_hook *h = *list;
        *list = h->next;
        h->next = forward;
        forward = h;
    }
    run_newest_first(&forward);
}

enum err txn_begin(struct txn *txn)
{
    assert(!txn->kv);
    assert(txn->core && txn->arena);
    txn->on_commit = txn->on_abort = txn->on_durable = NULL;
    clock_read_ms(&txn->now_ms, &txn->wall_ms);
    return kv_begin(txn->core->kv, &txn->kv);
}

enum err txn_commit(struct txn *txn, uint64_t *ret_seq)
{
    struct kv_txn *kv = txn->kv;
    assert(kv);
    txn->kv = NULL;
    enum err err = kv_commit(kv, ret_seq);
    if (err) {
        txn->on_commit = txn->on_durable = NULL;
        run_newest_first(&txn->on_abort);
        return err;
    }
    if (*ret_seq < txn->memory_seq)
        *ret_seq = txn->memory_seq;
    txn->on_abort = NULL;
    run_oldest_first(&txn->on_commit);
    return ERR_OK;
}

void txn_abort(struct txn *txn)
{
    if (!txn->kv)
        return;
    kv_rollback(txn->kv);
    txn->kv = NULL;
    txn->on_commit = txn->on_durable = NULL;
    run_newest_first(&txn->on_abort);
}

void txn_durable(struct txn *txn)
{
    assert(!txn->kv && !txn->on_commit); /* committed, and its hooks ran */
    run_oldest_first(&txn->on_durable);
}

/* --- background work -------------------------------------------------------------------------- */

struct job {
    struct io_task task;
    struct kv_wait wait;
    struct txn txn;
    struct arena arena;
    enum err (*body)(struct txn *txn, void *arg);
    void *arg;
    void (*done)(void *arg, enum err err);
    enum err err;
    int attempts;
};

static enum err attempt(struct txn *txn, enum err (*body)(struct txn *, void *), void *arg,
                        uint64_t *ret_seq)
{
    TRY(txn_begin(txn));
    enum err err = body(txn, arg);
    if (err == ERR_OK && txn->arena->failed)
        err = ERR_NOMEM; /* unnoticed by the body (A4) */
    if (err) {
        txn_abort(txn);
        return err;
    }
    return txn_commit(txn, ret_seq);
}

static void job_finish(struct io_task *task)
{
    struct job *job = CONTAINER_OF(task, struct job, task);
    if (job->err == ERR_OK)
        txn_durable(&job->txn);
    assert(!job->txn.kv);
    struct core *core = job->txn.core;
    if (job->done)
        job->done(job->arg, job->err);
    arena_release(&job->arena);
    mem_free(job);
    core_one_less(core, &core->impl->jobs);
}

static void job_durable(struct kv_wait *wait, enum err err)
{
    struct job *job = CONTAINER_OF(wait, struct job, wait);
    job->err = err;
    job->task.fn = job_finish;
    io_post(job->txn.loop, &job->task);
}

static void job_run(struct io_task *task)
{
    struct job *job = CONTAINER_OF(task, struct job, task);
    uint64_t seq = 0;
    job->err = attempt(&job->txn, job->body, job->arg, &seq);
    if (job->err == ERR_CONFLICT && ++job->attempts < TXN_ATTEMPTS_MAX) {
        io_post(job->txn.loop, &job->task);
        return;
    }
    if (job->err == ERR_OK) {
        job->wait = (struct kv_wait){.seq = seq, .fn = job_durable};
        if (kv_when_durable(job->txn.core->kv, &job->wait))
            return;
    }
    job_finish(&job->task);
}

enum err txn_run(struct core *core, struct io_loop *loop,
                 enum err (*body)(struct txn *txn, void *arg), void *arg,
                 void (*done)(void *arg, enum err err))
{
    struct job *job = mem_calloc(1, sizeof(*job));
    if (!job)
        return ERR_NOMEM;
    arena_init(&job->arena, JOB_ARENA_MAX);
    assert(body && loop);
    job->txn = (struct txn){.core = core, .arena = &job->arena, .loop = loop};
    job->body = body;
    job->arg = arg;
    job->done = done;
    job->task.fn = job_run;
    atomic_fetch_add(&core->impl->jobs, 1);
    io_post(loop, &job->task);
    return ERR_OK;
}

/* --- start-up --------------------------------------------------------------------------------- */

struct blocking_wait {
    struct kv_wait wait;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool fired;
    enum err err;
};

static void blocking_fired(struct kv_wait *wait, enum err err)
{
    struct blocking_wait *w = CONTAINER_OF(wait, struct blocking_wait, wait);
    pthread_mutex_lock(&w->lock);
    w->fired = true;
    w->err = err;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

static enum err wait_durable(struct kv *kv, uint64_t seq)
{
    struct blocking_wait w = {.wait = {.seq = seq, .fn = blocking_fired}};
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.cond, NULL);
    if (kv_when_durable(kv, &w.wait)) {
        kv_kick(kv);
        pthread_mutex_lock(&w.lock);
        while (!w.fired)
            pthread_cond_wait(&w.cond, &w.lock);
        pthread_mutex_unlock(&w.lock);
    }
    pthread_cond_destroy(&w.cond);
    pthread_mutex_destroy(&w.lock);
    return w.err;
}

enum err txn_look(struct core *core, struct arena *arena,
                  enum err (*body)(struct txn *txn, void *arg), void *arg)
{
    struct txn txn = {.core = core, .arena = arena, .loop = core->loops[0]};
    uint64_t seq = 0;
    enum err err = ERR_CONFLICT;
    for (int i = 0; i < TXN_ATTEMPTS_MAX && err == ERR_CONFLICT; i++)
        err = attempt(&txn, body, arg, &seq);
    return err;
}

enum err txn_run_now(struct core *core, enum err (*body)(struct txn *txn, void *arg), void *arg)
{
    struct arena arena;
    arena_init(&arena, JOB_ARENA_MAX);
    struct txn txn = {.core = core, .arena = &arena, .loop = core->n_loops ? core->loops[0] : NULL};
    uint64_t seq = 0;
    enum err err = ERR_CONFLICT;
    for (int i = 0; i < TXN_ATTEMPTS_MAX && err == ERR_CONFLICT; i++)
        err = attempt(&txn, body, arg, &seq);
    if (err == ERR_OK)
        err = wait_durable(core->kv, seq);
    if (err == ERR_OK)
        txn_durable(&txn);
    arena_release(&arena);
    return err;
}
