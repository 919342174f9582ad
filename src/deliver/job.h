/* Long durable work in small steps: deletion of what is left of a table or a queue, trimming,
 * retention, backfills, restores, stack operations. A job is a due key (due.h) whose value is its
 * argument and its cursor; a step is a firing.
 *
 *   job_add (any transaction) --durable--> waiting --> stepping --JOB_MORE, JOB_WAIT, error--> waiting
 *                                                         |  |
 *                                             JOB_RUN     |  +--JOB_DONE--> gone
 *                                  running <--------------+
 *                                     +---job_continue--> waiting
 *
 * Invariants
 *   JB1  A job that was committed is stepped until it says JOB_DONE, also across crashes, however
 *        often it fails (after a pause of 1 s, doubling to 5 min). It begins once durable.
 *   JB2  What a step stages and the cursor it leaves are one commit; the next step, also after a
 *        restart, sees that cursor. A conflict reruns the step with the cursor it began with.
 *   JB3  A step ends when its budget is spent: JOB_SLICE_NS or JOB_STEP_KEYS_MAX, whichever is
 *        first. At most DUE_STEPS_MAX steps are on the loop at once; kinds take turns, and so do
 *        the jobs of a kind. Long work is a row of such steps, never a long one.
 *   JB4  When the core stops, no further step begins.
 *
 * A singleton (a sweep over all a service has) is a kind with one job that is never added: it is
 * stepped at start, when kicked, and `every_ms` after it was done; it is stored only while it has a
 * cursor, so that a restart goes on where it stopped.
 *
 * Several processes on one store: as due.h says; a step commits only under the lease.
 *
 * Layer: deliver. Thread: steps run on the home loop. */
#ifndef WEIR_DELIVER_JOB_H
#define WEIR_DELIVER_JOB_H

#include "deliver/due.h"

struct job_kind;

enum {
    JOB_SLICE_NS = 2 * 1000 * 1000, /* of the home loop, which serves requests too */
    JOB_STEP_KEYS_MAX = 1000,       /* removals and writes: what a commit takes in one piece */
    JOB_CURSOR_MAX = 64 * 1024,     /* bytes of argument and cursor, each */
};

/* What a step may still do. */
struct job_budget {
    int64_t until_ns; /* clock_mono_ns */
    size_t keys;      /* keys left to touch */
};

enum job_state {
    JOB_DONE, /* the job's record goes with this commit */
    JOB_MORE, /* another step, when it is its turn */
    JOB_WAIT, /* another step at wait_until_ms */
    JOB_RUN,  /* `run` once this commit is durable, then another step */
};

/* One step of a job. The texts are the transaction's. */
struct job {
    struct str key; /* STR("") of a singleton */
    struct str argument;
    struct str cursor; /* empty at first; the step replaces it (arena memory) */
    int failures;      /* steps that failed in a row, since start */
    /* The kind's, in memory only: lost by a restart, and at other times too, so the cursor must say
     * enough. A step that sets it may be rerun (T1). */
    void *user;
    int64_t wait_until_ms; /* for JOB_WAIT */
};

struct job_def {
    const char *name; /* "logs.sweep"; part of the disk format */
    void *self;
    /* Does some work in `txn` within `budget` and says how it goes on. An error commits nothing. */
    enum err (*step)(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state);
    /* Work outside of transactions, begun on the home loop; ended by job_continue(run) exactly
     * once, later or at once. Of the step it has run->key and run->user, nothing else. NULL where
     * JOB_RUN is not used. */
    void (*run)(void *self, struct due_fire *run);
    /* Progress: a step is durable. On the home loop; `job` as the step left it. NULL: none. */
    void (*stepped)(void *self, const struct job *job, enum job_state state);
    void (*release)(void *self, void *user); /* frees job->user, which is not NULL */
    size_t at_once;                          /* jobs of this kind stepping or running; >= 1 */
    bool singleton;
    int64_t every_ms; /* of a singleton; 0: only when kicked */
};

/* Before deliver_start. `def` is copied but for its name; the handle lives as long as the engine.
 * ERR_EXISTS, ERR_LIMIT, ERR_NOMEM. */
enum err job_register(struct due *due, const struct job_def *def,
                      struct job_kind **ret_kind) WARN_UNUSED;

/* Stages a job, in place of one with the same key: its cursor begins anew. ERR_LIMIT, ERR_NOMEM. */
enum err job_add(struct txn *txn, struct job_kind *kind, struct str key,
                 struct str argument) WARN_UNUSED;
/* The same, its first step not before `when_ms` of Weir's time. */
enum err job_add_at(struct txn *txn, struct job_kind *kind, struct str key, struct str argument,
                    int64_t when_ms) WARN_UNUSED;
/* Stages its end. A step in progress conflicts and finds no job. Fine when there is none. */
enum err job_cancel(struct txn *txn, struct job_kind *kind, struct str key) WARN_UNUSED;
/* What is stored of a job. ERR_NOT_FOUND. */
enum err job_get(struct txn *txn, struct job_kind *kind, struct str key, struct str *ret_argument,
                 struct str *ret_cursor) WARN_UNUSED;
/* A singleton is stepped soon, unless it waits (JOB_WAIT) or failed. Any thread. */
void job_kick(struct job_kind *kind);
/* Hook form of job_kick, for txn_on_durable: `kind` is the job_kind. */
void job_kick_hook(void *kind);
/* Ends `run`. Home loop's thread. */
void job_continue(struct due_fire *run);

/* Steps done and failed, jobs waiting and at work. Any thread. */
struct due_stats job_stats(const struct job_kind *kind);

/* --- for steps -------------------------------------------------------------------------------- */

/* Takes `n` touched keys off the budget. Ask job_spent afterwards, so that each step gets on. */
void job_spend(struct job_budget *budget, size_t n);
bool job_spent(const struct job_budget *budget);

/* Stages the removal of keys in *from <= key < to until the budget is spent. *ret_more: some may be
 * left, at or after *from, which moved on: kept in the cursor it spares the next step the markers
 * of what this one deleted (P6). ERR_NOMEM, and the store's errors. */
enum err job_remove_range(struct txn *txn, struct str *from, struct str to,
                          struct job_budget *budget, bool *ret_more) WARN_UNUSED;
/* First pair in from <= key < to, in the arena. ERR_NOT_FOUND. */
enum err job_first_pair(struct txn *txn, struct str from, struct str to, struct str *ret_key,
                        struct str *ret_value) WARN_UNUSED;
/* The key right behind `key`, in the arena; STR_NONE on exhaustion. */
struct str job_key_behind(struct arena *arena, struct str key);

#endif
