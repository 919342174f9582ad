/* What a transaction holds in memory until it commits: staged writes, hashes of tracked reads, and
 * the merge of staged writes into a driver's ordered cursor. Shared by drivers whose store is in
 * this process; a driver may instead leave all of it to its database.
 *
 * Invariants
 *   ST1  One entry per key; the last put or del of a key wins.
 *   ST2  Entries do not move while the stage is not cleared, so an open merge may borrow them.
 *   ST3  Staged bytes never exceed KV_TXN_MAX, tracked reads never STAGE_READS_MAX (ERR_LIMIT).
 *
 * Layer: kv, for drivers. Thread: the transaction's. */
#ifndef WEIR_KV_STAGE_H
#define WEIR_KV_STAGE_H

#include "base/arena.h"
#include "kv/kv.h"

enum {
    STAGE_READS_MAX = 1024 * 1024,
    /* Entries up to which a lookup compares hashes one by one. */
    STAGE_LINEAR_MAX = 16,
};

struct stage_entry {
    struct str key;
    struct str val; /* absent: a deletion */
    uint64_t hash;  /* str_hash(key) */
    struct stage_entry *chain;
};

/* A put whose key is complete only at commit (K7). */
struct stage_stamped {
    struct stage_stamped *next;
    struct str key; /* its bytes from `at` on are filled in by stage_stamp */
    size_t at;
    struct str val;
};

struct stage {
    struct arena arena;
    struct stage_entry **entries; /* in order of first staging */
    size_t n, cap;
    struct stage_entry **buckets; /* power of two, or NULL while n <= STAGE_LINEAR_MAX */
    size_t n_buckets;
    uint64_t *reads;
    size_t n_reads, cap_reads;
    size_t bytes;                                 /* keys and values staged now */
    struct stage_stamped *stamped, **stamped_end; /* in order of staging */
    size_t n_stamped;
};

void stage_init(struct stage *s);
void stage_release(struct stage *s);
/* Empties it for the next transaction, keeping some memory. */
void stage_clear(struct stage *s);

/* Entry of `key`, whose str_hash is `hash`, or NULL. O(1). */
struct stage_entry *stage_find(const struct stage *s, struct str key, uint64_t hash);
/* Stages a put (val set) or a deletion (val absent); both are copied. ERR_LIMIT, ERR_NOMEM. */
enum err stage_write(struct stage *s, struct str key, struct str val) WARN_UNUSED;
/* Stages a stamped put; both are copied. ERR_LIMIT, ERR_NOMEM. */
enum err stage_write_stamped(struct stage *s, struct str key, size_t at,
                             struct str val) WARN_UNUSED;
/* Completes the keys with the commit's sequence. */
void stage_stamp(struct stage *s, uint64_t seq);
/* Nothing is staged. */
static inline bool stage_is_empty(const struct stage *s)
{
    return s->n == 0 && s->n_stamped == 0;
}
/* Remembers the hash of a key that was read. ERR_LIMIT, ERR_NOMEM. */
enum err stage_track(struct stage *s, uint64_t hash) WARN_UNUSED;
/* ERR_LIMIT when the key is longer than KV_KEY_MAX. */
enum err stage_check_key(struct str key) WARN_UNUSED;

/* A driver's cursor over what is committed, in the direction and the range of the scan. */
struct stage_cursor {
    void *self;
    /* Current pair, borrowed until step. ERR_NOT_FOUND at the end. */
    enum err (*current)(void *self, struct str *ret_key, struct str *ret_val);
    void (*step)(void *self);
};

struct stage_merge {
    struct stage_entry **sorted; /* entries in range, in scan order; a snapshot of the moment */
    size_t n, at;
    bool reverse;
    bool step_base, step_stage; /* what the pair handed out last came from */
};

/* Prepares the merge of what is staged now in [from, to). ERR_NOMEM. */
enum err stage_merge_init(struct stage_merge *m, const struct stage *s, struct str from,
                          struct str to, bool reverse) WARN_UNUSED;
void stage_merge_release(struct stage_merge *m);
/* Next pair of the union; staged entries hide committed ones. ERR_NOT_FOUND at the end. */
enum err stage_merge_next(struct stage_merge *m, const struct stage_cursor *base,
                          struct str *ret_key, struct str *ret_val) WARN_UNUSED;

#endif
