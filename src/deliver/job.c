/* The job engine: steps as firings of due keys. See job.h for the states and invariants.
 *
 * Value of a job's due key: u8 version, str argument, str cursor. That of a singleton is the same,
 * and empty while there is no cursor.
 *
 * Layer: deliver. Thread: home loop, but job_add and its like (the transaction's). */
#include "deliver/job.h"

#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pack.h"

enum { VALUE_VERSION = 1, VALUE_OVERHEAD_MAX = 64 };

struct job_kind {
    struct due_kind *due;
    struct job_def def;
};

/* --- records ---------------------------------------------------------------------------------- */

static enum err value_pack(struct arena *arena, struct str argument, struct str cursor,
                           struct str *ret_value)
{
    struct buf b;

    if (argument.len > JOB_CURSOR_MAX || cursor.len > JOB_CURSOR_MAX)
        return ERR_LIMIT;
    buf_init_arena(&b, arena, 2 * JOB_CURSOR_MAX + VALUE_OVERHEAD_MAX);
    pack_u8(&b, VALUE_VERSION);
    pack_str(&b, argument);
    pack_str(&b, cursor);
    TRY(buf_err(&b));
    *ret_value = buf_str(&b);
    return ERR_OK;
}

static enum err value_unpack(struct str value, struct str *ret_argument, struct str *ret_cursor)
{
    struct unpack u;

    if (value.len == 0) { /* a singleton without a cursor */
        *ret_argument = *ret_cursor = STR("");
        return ERR_OK;
    }
    unpack_init(&u, value);
    if (unpack_u8(&u) != VALUE_VERSION)
        return ERR_CORRUPT;
    struct str argument = unpack_str(&u), cursor = unpack_str(&u);
    TRY(unpack_end(&u));
    *ret_argument = argument;
    *ret_cursor = cursor;
    return ERR_OK;
}

/* --- steps ------------------------------------------------------------------------------------ */

static void decide(struct due_fire *f, const struct job *job, enum job_state state)
{
    static const enum due_next nexts[] = {
        [JOB_DONE] = DUE_DONE,
        [JOB_MORE] = DUE_AGAIN,
        [JOB_WAIT] = DUE_MOVE,
        [JOB_RUN] = DUE_HOLD,
    };
    assert((size_t)state < ARRAY_LEN(nexts));
    f->next = nexts[state];
    assert(state != JOB_WAIT || job->wait_until_ms > 0);
    f->next_ms = job->wait_until_ms;
}

static enum err fire(void *self, struct txn *txn, struct due_fire *f)
{
    struct job_kind *kind = self;
    struct job_budget budget = {clock_mono_ns() + JOB_SLICE_NS, JOB_STEP_KEYS_MAX};
    struct job job = {.key = f->key, .failures = f->failures, .user = f->user};
    enum job_state state = JOB_DONE;

    TRY(value_unpack(f->value, &job.argument, &job.cursor));
    enum err err = kind->def.step(kind->def.self, txn, &job, &budget, &state);
    f->user = job.user; /* owned by the key, whatever the step's answer */
    TRY(err);
    assert(state != JOB_RUN || kind->def.run);
    decide(f, &job, state);
    bool bare = kind->def.singleton && (state == JOB_DONE || job.cursor.len == 0);
    if (!bare)
        return value_pack(txn->arena, job.argument, job.cursor, &f->value);
    f->value = STR("");
    return ERR_OK;
}

static enum job_state state_of(const struct due_fire *f)
{
    switch (f->next) {
    case DUE_DONE:
        return JOB_DONE;
    case DUE_AGAIN:
        return JOB_MORE;
    case DUE_MOVE:
        return JOB_WAIT;
    case DUE_HOLD:
        break;
    }
    return JOB_RUN;
}

static void fired(void *self, struct due_fire *f)
{
    struct job_kind *kind = self;
    struct job job = {.key = f->key, .user = f->user, .wait_until_ms = f->next_ms};
    enum job_state state = state_of(f);

    if (kind->def.stepped && value_unpack(f->value, &job.argument, &job.cursor) == ERR_OK)
        kind->def.stepped(kind->def.self, &job, state);
    if (state == JOB_RUN)
        kind->def.run(kind->def.self, f);
}

static void release(void *self, void *user)
{
    struct job_kind *kind = self;
    if (kind->def.release)
        kind->def.release(kind->def.self, user);
}

static void ended(void *self)
{
    mem_free(self);
}

/* --- kinds and jobs --------------------------------------------------------------------------- */

enum err job_register(struct due *due, const struct job_def *def, struct job_kind **ret_kind)
{
    assert(def->step && def->at_once > 0 && (def->singleton || !def->every_ms));
    struct job_kind *kind = mem_calloc(1, sizeof(*kind));
    if (!kind)
        return ERR_NOMEM;
    kind->def = *def;
    struct due_def as_due = {
        .name = def->name,
        .self = kind,
        .fire = fire,
        .fired = fired,
        .release = release,
        .ended = ended,
        .running_max = def->at_once,
        .steps = true,
        .singleton = def->singleton,
        .every_ms = def->every_ms,
    };
    enum err err = due_register(due, &as_due, &kind->due);
    if (err) {
        mem_free(kind);
        return err;
    }
    *ret_kind = kind;
    return ERR_OK;
}

enum err job_add_at(struct txn *txn, struct job_kind *kind, struct str key, struct str argument,
                    int64_t when_ms)
{
    struct str value;

    assert(!kind->def.singleton);
    TRY(value_pack(txn->arena, argument, STR(""), &value));
    return due_set(txn, kind->due, key, when_ms, value);
}

enum err job_add(struct txn *txn, struct job_kind *kind, struct str key, struct str argument)
{
    return job_add_at(txn, kind, key, argument, txn->now_ms);
}

enum err job_cancel(struct txn *txn, struct job_kind *kind, struct str key)
{
    return due_clear(txn, kind->due, key);
}

enum err job_get(struct txn *txn, struct job_kind *kind, struct str key, struct str *ret_argument,
                 struct str *ret_cursor)
{
    int64_t when_ms;
    struct str value;

    TRY(due_get(txn, kind->due, key, &when_ms, &value));
    return value_unpack(value, ret_argument, ret_cursor);
}

void job_kick(struct job_kind *kind)
{
    due_kick(kind->due);
}

void job_kick_hook(void *kind)
{
    job_kick(kind);
}

void job_continue(struct due_fire *run)
{
    due_resume(run);
}

struct due_stats job_stats(const struct job_kind *kind)
{
    return due_kind_stats(kind->due);
}

/* --- for steps -------------------------------------------------------------------------------- */

void job_spend(struct job_budget *budget, size_t n)
{
    budget->keys -= min_size(n, budget->keys);
}

bool job_spent(const struct job_budget *budget)
{
    return budget->keys == 0 || clock_mono_ns() >= budget->until_ns;
}

struct str job_key_behind(struct arena *arena, struct str key)
{
    char *p = arena_memdup(arena, key.p, key.len);
    return p ? str_n(p, key.len + 1) : STR_NONE; /* memdup ends with a NUL */
}

enum err job_remove_range(struct txn *txn, struct str *from, struct str to,
                          struct job_budget *budget, bool *ret_more)
{
    struct kv_iter *it;
    struct str key, value, last = STR_NONE;
    bool more = false;

    if (!str_is_set(*from) || !str_is_set(to))
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, *from, to, false, &it));
    enum err err;
    while ((err = kv_next(it, &key, &value)) == ERR_OK) {
        err = txn_del(txn, key);
        if (err)
            break;
        job_spend(budget, 1);
        if (job_spent(budget)) {
            more = true;
            last = job_key_behind(txn->arena, key);
            err = str_is_set(last) ? ERR_OK : ERR_NOMEM;
            break;
        }
    }
    kv_iter_close(it);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (more)
        *from = last;
    *ret_more = more;
    return ERR_OK;
}

enum err job_first_pair(struct txn *txn, struct str from, struct str to, struct str *ret_key,
                        struct str *ret_value)
{
    struct kv_iter *it;
    struct str key, value;

    if (!str_is_set(from) || !str_is_set(to))
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, from, to, false, &it));
    enum err err = kv_next(it, &key, &value);
    if (err == ERR_OK) {
        key = str_dup(txn->arena, key);
        value = str_dup(txn->arena, value);
        err = str_is_set(key) && str_is_set(value) ? ERR_OK : ERR_NOMEM;
    }
    kv_iter_close(it);
    if (err)
        return err;
    *ret_key = key;
    *ret_value = value;
    return ERR_OK;
}
