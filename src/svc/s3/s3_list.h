/* Walks a bucket's keys in order for the listing operations, rolling keys up into common prefixes.
 * A group of keys that is rolled up costs one seek, whatever its size, so a listing costs what it
 * returns. Layer: svc. Thread: the call's loop. */
#ifndef WEIR_SVC_S3_S3_LIST_H
#define WEIR_SVC_S3_S3_LIST_H

#include "svc/s3/s3_int.h"

struct s3_walk {
    struct txn *txn;
    uint64_t bucket;
    struct str prefix, delimiter;
    /* Private. */
    struct s3_cursor {
        const struct key_layout *table;
        struct kv_iter *it;
        struct str key, raw, value; /* of the entry it stands on; key.p == NULL at the end */
    } cursors[2];
    size_t n_cursors;
};

struct s3_entry {
    struct str common_prefix; /* set: a group; the rest is absent */
    struct str key;
    struct str raw, value; /* of the store, in the arena */
};

/* Opens a walk over one table, or over current and old versions together (entries of one key come
 * current first, then old ones, newest first). It begins behind `after` (absent: at the beginning):
 * behind the whole group when `after` lies in one, else behind all entries of the key. With `from`
 * (a store key per table) it begins there instead. Close it whatever the answer. */
enum err s3_walk_open(struct s3_walk *w, struct txn *txn, const struct key_layout *const *tables,
                      size_t n, uint64_t bucket, struct str prefix, struct str delimiter,
                      struct str after, const struct str *from) WARN_UNUSED;
/* ERR_NOT_FOUND at the end. */
enum err s3_walk_next(struct s3_walk *w, struct s3_entry *ret_entry) WARN_UNUSED;
void s3_walk_close(struct s3_walk *w);

/* --- continuation tokens ------------------------------------------------------------------------ */

/* Sealed (core/page.h), bound to the operation and to `scope`: a bucket, or nothing. The position is a
 * name or a group of names. ERR_NOMEM. */
enum err s3_token_make(struct call *call, struct str scope, struct str position,
                       struct str *ret_token) WARN_UNUSED;
/* ERR_FAILED with InvalidArgument when it is none of ours, or of another operation or bucket. */
enum err s3_token_open(struct call *call, struct str scope, struct str token,
                       struct str *ret_position) WARN_UNUSED;

#endif
