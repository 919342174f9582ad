/* Scans of the RocksDB driver: a RocksDB iterator at the transaction's snapshot, bounded on both
 * sides so that it never walks tombstones beyond the range, merged with what is staged. Layer: kv.
 */
#include "base/mem.h"
#include "kv/drv_rocksdb/rocksdb_int.h"

struct rdb_iter {
    struct kv_iter base;
    rocksdb_iterator_t *it; /* NULL: the range is empty */
    rocksdb_readoptions_t *options;
    char *bounds; /* copies of from and to: RocksDB borrows them */
    struct stage_merge merge;
    bool reverse;
};

void rdb_iter_close(struct kv_iter *it)
{
    struct rdb_iter *ri = (struct rdb_iter *)it;
    if (ri->it)
        rocksdb_iter_destroy(ri->it);
    if (ri->options)
        rocksdb_readoptions_destroy(ri->options);
    stage_merge_release(&ri->merge);
    mem_free(ri->bounds);
    mem_free(ri);
}

static enum err open_base(struct rdb_iter *ri, struct rdb_txn *t, struct str from, struct str to)
{
    if (str_is_set(to) && str_cmp(from, to) >= 0)
        return ERR_OK;
    ri->bounds = mem_alloc(from.len + to.len + 1);
    if (!ri->bounds)
        return ERR_NOMEM;
    ri->options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(ri->options, t->snapshot);
    if (from.len) {
        memcpy(ri->bounds, from.p, from.len);
        rocksdb_readoptions_set_iterate_lower_bound(ri->options, ri->bounds, from.len);
    }
    if (str_is_set(to)) {
        memcpy(ri->bounds + from.len, to.p, to.len);
        rocksdb_readoptions_set_iterate_upper_bound(ri->options, ri->bounds + from.len, to.len);
    }
    ri->it = rocksdb_create_iterator(((struct rdb *)t->base.kv)->db, ri->options);
    if (ri->reverse)
        rocksdb_iter_seek_to_last(ri->it);
    else
        rocksdb_iter_seek_to_first(ri->it);
    return ERR_OK;
}

enum err rdb_scan(struct kv_txn *txn, struct str from, struct str to, bool reverse,
                  struct kv_iter **ret_it)
{
    struct rdb_txn *t = (struct rdb_txn *)txn;
    TRY(rdb_snapshot(t));
    rdb_depend_on_all(t);
    struct rdb_iter *ri = mem_calloc(1, sizeof(*ri));
    if (!ri)
        return ERR_NOMEM;
    ri->base.txn = txn;
    ri->reverse = reverse;
    enum err err = stage_merge_init(&ri->merge, &t->stage, from, to, reverse);
    if (err == ERR_OK)
        err = open_base(ri, t, from, to);
    if (err != ERR_OK) {
        rdb_iter_close(&ri->base);
        return err;
    }
    *ret_it = &ri->base;
    return ERR_OK;
}

static enum err base_current(void *self, struct str *ret_key, struct str *ret_val)
{
    struct rdb_iter *ri = self;
    if (!ri->it)
        return ERR_NOT_FOUND;
    if (!rocksdb_iter_valid(ri->it)) {
        char *message = NULL;
        rocksdb_iter_get_error(ri->it, &message);
        TRY(rdb_err(message));
        return ERR_NOT_FOUND;
    }
    ret_key->p = rocksdb_iter_key(ri->it, &ret_key->len);
    ret_val->p = rocksdb_iter_value(ri->it, &ret_val->len);
    return ERR_OK;
}

static void base_step(void *self)
{
    struct rdb_iter *ri = self;
    if (ri->reverse)
        rocksdb_iter_prev(ri->it);
    else
        rocksdb_iter_next(ri->it);
}

enum err rdb_next(struct kv_iter *it, struct str *ret_key, struct str *ret_val)
{
    struct rdb_iter *ri = (struct rdb_iter *)it;
    struct stage_cursor base = {.self = ri, .current = base_current, .step = base_step};
    return stage_merge_next(&ri->merge, &base, ret_key, ret_val);
}
