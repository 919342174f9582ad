/* A mirror of stored records in memory: what calls look up on their way (tables, queues, functions,
 * mappings, identities, rules) without reading and parsing a record each time.
 *
 * A service describes its kind of object (struct catalogue_type), stages changes with catalogue_put
 * and catalogue_del, and looks up by the record's key, by secondary indexes, or page by page in the
 * order of the keys. Everything else is here.
 *
 *   record committed --hook--> fetched --decode--> carry --> in memory --> changed
 *                                 |          (old, if there was one, leaves; its memory goes with
 *                                 |           its last reference)
 *                                 +-- no memory, store fails --> lost --next lookup--> fetched again
 *
 * Invariants
 *   CT1  An object never changes once it is in the catalogue; a change puts a new one in its place.
 *        Who looks one up holds a reference and goes on with the object it began with.
 *   CT2  A hook fetches the record anew, under the lock of changes: of several hooks, in whatever
 *        order they run, the last sees the last commit. So memory is never behind a commit whose
 *        hook ran, and nothing is kept of what was deleted.
 *   CT3  Nothing is answered by an object known to be out of date. A record that could not be
 *        fetched is lost: its old object leaves at once, and each lookup first tries again. While
 *        it stays lost, a lookup that could mean it answers the error (CATALOGUE_RETRY) or does
 *        not find it (CATALOGUE_FORGET: refused, never allowed by an old policy).
 *   CT4  A reply never tells of a record that a crash could still undo (P1): each object carries the
 *        commit it came from, and a transaction that looks it up, or misses it, waits for that
 *        commit as for anything it read. Nobody waits for others' commits.
 *   CT5  An index key belongs to objects in the catalogue only; object, order and indexes change
 *        together under one lock.
 *
 * What a lookup may not rely on: the transaction's snapshot and the memory are two things. An object
 * can be newer than the snapshot, or older by a commit whose hook is about to run on another loop
 * (a client's own change is in memory before its reply leaves). Who writes on the strength of an
 * object reads tracked something that every change of the record writes: the record itself
 * (catalogue_read), or a smaller guard key; a stale object then ends in ERR_CONFLICT and a rerun.
 *
 * Several processes on one store. Two kinds of state, told by the type:
 *   - what the record says (definitions, policies, identities) may be mirrored by every process and
 *     is revalidated by version. The driver of a shared store brings the version: an epoch per
 *     catalogue that catalogue_put and catalogue_del stage beside the record, which a lookup peeks
 *     in its transaction, or a notification with a bounded delay that runs the same fetch as a
 *     commit hook. That is why every lookup may be given a transaction, may read the store, and may
 *     answer any error; lookups without one (authentication, background work) may see what is as
 *     old as the notification's bound. Stale objects in writers end in ERR_CONFLICT as above.
 *   - what a process keeps besides (a queue's index, a mapping's batches, figures; see `carry`) is
 *     true in one process only, which owns the object by a lease. `changed` is where such state
 *     begins and ends, so gaining and losing a lease are a change without a new record.
 * The embedded store is opened by one process, so neither costs anything today.
 *
 * Layer: core. Thread: any, but catalogue_load and catalogue_free: start and stop. */
#ifndef WEIR_CORE_CATALOGUE_H
#define WEIR_CORE_CATALOGUE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/treap.h"
#include "core/txn.h"

enum {
    CATALOGUE_INDEXES_MAX = 4,
    CATALOGUE_PAGE_MAX = 1000, /* objects of one page or of one index key */
};

struct catalogue;

/* An object's place under one index key. */
struct catalogue_link {
    struct catalogue_link *next; /* of the same object */
    struct list same;            /* ring of all with the same key, oldest first */
    struct catalogue_object *object;
    struct str key;
    unsigned index;
};

/* First member of every mirrored object. Members are read-only for services. */
struct catalogue_object {
    _Atomic uint64_t refs;
    struct catalogue *catalogue;
    struct arena arena; /* everything that decode makes lives in it, until the last reference */
    struct str key;     /* of the record */
    uint64_t seq;       /* commit that a reply which tells of it waits for (CT4) */
    struct treap_node order;
    struct catalogue_link *links;
};

enum catalogue_when {
    CATALOGUE_COMMITTED, /* in memory with the commit: what requests look up */
    CATALOGUE_DURABLE,   /* in memory once durable: what acts outside the process (functions) */
};

enum catalogue_lack { /* CT3 */
                      CATALOGUE_RETRY,
                      CATALOGUE_FORGET,
};

struct catalogue_type {
    const char *name; /* for the log: "dynamodb: table" */
    size_t size;      /* of the object, struct catalogue_object first */
    size_t arena_max; /* bytes of one object */
    unsigned n_indexes;
    enum catalogue_when when;
    enum catalogue_lack lack;
    /* Every reply of the process waits for a change, not only those that looked it up with their
     * transaction: for lookups outside transactions (authentication). */
    bool everyone_waits;
    /* Fills the zeroed object from its record; object->key and ->arena are set. What it keeps of
     * `record` it copies into the arena. Calls catalogue_index for each index key. ERR_CORRUPT,
     * ERR_NOMEM. */
    enum err (*decode)(void *self, struct catalogue_object *object, struct str record);
    /* Gives the new object what outlives versions (figures, an index of messages): shared with
     * `old`, or made afresh when that is NULL or another incarnation. Under the lock of changes.
     * NULL: nothing. ERR_NOMEM. */
    enum err (*carry)(void *self, struct catalogue_object *object, struct catalogue_object *old);
    /* The last reference went: undoes carry and whatever decode took outside the arena, also of an
     * object that decode or carry left half made. NULL: nothing. Any thread; it takes no lock that
     * `changed` or carry take. */
    void (*release)(void *self, struct catalogue_object *object);
    /* `now` is in the place of `old`; NULL for old: it is new (also at load), for now: it was
     * deleted. In the order of changes, under the lock of changes: it hands over (io_post, a lock
     * of its own) and looks nothing up in this catalogue. NULL: nobody listens. */
    void (*changed)(void *self, struct catalogue_object *old, struct catalogue_object *now);
};

/* `type` is static. ERR_NOMEM. */
enum err catalogue_new(struct core *core, const struct catalogue_type *type, void *self,
                       struct catalogue **ret_catalogue) WARN_UNUSED;
/* No object is referenced from outside any more. NULL is allowed. */
void catalogue_free(struct catalogue *c);

/* Takes in every record whose key starts with `prefix`. At start, before loops run; O(records).
 * ERR_CORRUPT, ERR_IO, ERR_NOMEM. */
enum err catalogue_load(struct catalogue *c, struct txn *txn, struct str prefix) WARN_UNUSED;
/* For decode: one more key of the object in index `index`; several keys an index and several
 * objects a key are fine. `key` is copied. ERR_NOMEM. */
enum err catalogue_index(struct catalogue_object *object, unsigned index,
                         struct str key) WARN_UNUSED;

/* --- changes ---------------------------------------------------------------------------------- */

/* Stages the record and the change of memory that follows its commit; nothing happens on abort.
 * Errors of txn_put. Memory for the hook is taken here, so that a commit without memory is at worst
 * lost (CT3). */
enum err catalogue_put(struct catalogue *c, struct txn *txn, struct str key,
                       struct str record) WARN_UNUSED;
enum err catalogue_del(struct catalogue *c, struct txn *txn, struct str key) WARN_UNUSED;
/* The stored record as this transaction sees it, read tracked and decoded: an object of the
 * transaction's own, to change and put, held until its arena goes. Without what carry gives.
 * ERR_NOT_FOUND. */
enum err catalogue_read(struct catalogue *c, struct txn *txn, struct str key,
                        void **ret_object) WARN_UNUSED;

/* --- lookups ---------------------------------------------------------------------------------- */

/* By the record's key; the caller gives the reference back. One read lock, one map lookup. `txn`
 * NULL: nothing is answered to a client by it. ERR_NOT_FOUND; ERR_NOMEM and ERR_IO when it is lost
 * (CT3). */
enum err catalogue_take(struct catalogue *c, struct txn *txn, struct str key,
                        void **ret_object) WARN_UNUSED;
/* The first object with that key in an index. */
enum err catalogue_take_by(struct catalogue *c, struct txn *txn, unsigned index, struct str key,
                           void **ret_object) WARN_UNUSED;
void catalogue_ref(void *object);
/* NULL is allowed. */
void catalogue_unref(void *object);
/* Takes a reference over for the arena's life. ERR_NOMEM: it was given back. */
enum err catalogue_hold(struct arena *a, void *object) WARN_UNUSED;

/* The same, held until the transaction's arena is released. */
static inline enum err WARN_UNUSED catalogue_get(struct catalogue *c, struct txn *txn,
                                                 struct str key, void **ret_object)
{
    void *object;
    TRY(catalogue_take(c, txn, key, &object));
    TRY(catalogue_hold(txn->arena, object));
    *ret_object = object;
    return ERR_OK;
}

static inline enum err WARN_UNUSED catalogue_get_by(struct catalogue *c, struct txn *txn,
                                                    unsigned index, struct str key,
                                                    void **ret_object)
{
    void *object;
    TRY(catalogue_take_by(c, txn, index, key, &object));
    TRY(catalogue_hold(txn->arena, object));
    *ret_object = object;
    return ERR_OK;
}

/* Objects in the order of their keys, all held until the transaction's arena is released. */
struct catalogue_page {
    void **objects;
    size_t n;
    bool more;
};

/* At most `limit` (CATALOGUE_PAGE_MAX) objects whose key starts with `prefix` and is greater than
 * `after` (absent: from the first). O(limit * log n). */
enum err catalogue_list(struct catalogue *c, struct txn *txn, struct str prefix, struct str after,
                        size_t limit, struct catalogue_page *ret_page) WARN_UNUSED;
/* Objects with one key in an index, oldest first. */
enum err catalogue_list_by(struct catalogue *c, struct txn *txn, unsigned index, struct str key,
                           size_t limit, struct catalogue_page *ret_page) WARN_UNUSED;
/* Objects whose key starts with `prefix`. O(log n). Lost ones do not count. */
size_t catalogue_count(struct catalogue *c, struct str prefix);
/* fn for every object whose key starts with `prefix`, in order, under the read lock: it looks
 * nothing up. O(objects): for start, stop and figures, not for requests. */
void catalogue_each(struct catalogue *c, struct str prefix,
                    void (*fn)(void *arg, const void *object), void *arg);

#endif
