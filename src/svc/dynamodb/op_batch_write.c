/* BatchWriteItem. All of it commits or none: more than AWS promises, so nothing is ever
 * unprocessed. */
#include <assert.h>

#include "svc/dynamodb/dynamodb_int.h"

struct batch {
    struct call *call;
    struct ddb_diag *diag;
    const struct dynamodb_batch_write_item_input *in;
    struct str seen[DDB_BATCH_WRITE_MAX]; /* record keys */
    size_t n_seen;
    size_t bytes;
};

static enum err check_count(struct ddb_diag *diag, const struct dynamodb_batch_write_item_input *in)
{
    size_t n = 0;
    for (size_t i = 0; i < in->request_items.n; i++)
        n += in->request_items.v[i].value.n;
    if (n > DDB_BATCH_WRITE_MAX)
        return ddb_invalid(diag, "Too many items requested for the BatchWriteItem call");
    return ERR_OK;
}

/* The item of a put, or NULL with only the key of a delete. */
static enum err read_request(struct batch *b, const struct ddb_table *table,
                             const struct dynamodb_write_request *in, struct ddb_key *ret_key,
                             struct ddb_av **ret_item)
{
    *ret_item = NULL;
    if ((in->put_request != NULL) + (in->delete_request != NULL) != 1)
        return ddb_invalid(b->diag, "Supplied AttributeValue has more than one datatypes set, must "
                                    "contain exactly one of the supported datatypes");
    if (in->delete_request)
        return ddb_key_from_json(b->diag, &table->key, in->delete_request->key.in, ret_key);
    struct ddb_av *item;
    TRY(ddb_item_from_json(b->diag, in->put_request->item.in, &item));
    TRY(ddb_key_of_item(b->diag, &table->key, item, ret_key));
    size_t size = ddb_item_size(item);
    if (size > DDB_ITEM_BYTES_MAX)
        return ddb_invalid(b->diag, "Item size has exceeded the maximum allowed size");
    b->bytes += size;
    if (b->bytes > DDB_BATCH_WRITE_BYTES_MAX)
        return ddb_invalid(b->diag, "The batch exceeds the maximum allowed size");
    *ret_item = item;
    return ERR_OK;
}

static enum err write_one(struct batch *b, const struct ddb_table *table,
                          const struct dynamodb_write_request *in, struct ddb_units *units,
                          struct ddb_key *ret_key)
{
    struct ddb_write w = {.txn = b->call->txn, .diag = b->diag, .table = table};
    struct ddb_av *item;
    TRY(read_request(b, table, in, &w.key, &item));
    TRY(ddb_write_open(&w));
    for (size_t i = 0; i < b->n_seen; i++)
        if (str_eq(b->seen[i], w.record_key))
            return ddb_invalid(b->diag, "Provided list of item keys contains duplicates");
    assert(b->n_seen < DDB_BATCH_WRITE_MAX); /* check_count */
    b->seen[b->n_seen++] = w.record_key;
    if (ddb_write_needs_old(table) || str_is_set(b->in->return_consumed_capacity))
        TRY(ddb_write_read(&w));
    TRY(ddb_write_commit(&w, item));
    units->table += w.units.table;
    for (size_t i = 0; i < table->n_indexes; i++)
        units->index[i] += w.units.index[i];
    *ret_key = w.key;
    return ERR_OK;
}

static enum err write_table(struct batch *b, size_t at,
                            const struct dynamodb_consumed_capacity **ret_consumed,
                            struct dynamodb_item_collection_metrics_multiple *ret_metrics)
{
    struct ddb_table *table;
    struct ddb_units units = {0};
    const struct dynamodb_write_requests *list = &b->in->request_items.v[at].value;
    struct dynamodb_item_collection_metrics *metrics =
        ARENA_ARRAY(b->call->arena, struct dynamodb_item_collection_metrics, list->n);
    size_t n_metrics = 0;
    if (!metrics)
        return ERR_NOMEM;
    TRY(ddb_use_table(b->call, b->in->request_items.v[at].key, false, &table));
    for (size_t i = 0; i < list->n; i++) {
        const struct dynamodb_item_collection_metrics *m;
        struct ddb_key key;
        TRY(write_one(b, table, &list->v[i], &units, &key));
        TRY(ddb_collection_metrics(b->call, b->in->return_item_collection_metrics, table, &key,
                                   &m));
        if (m)
            metrics[n_metrics++] = *m;
    }
    ret_metrics->v = metrics;
    ret_metrics->n = n_metrics;
    return ddb_consumed(b->call, b->in->return_consumed_capacity, table, &units, ret_consumed);
}

static enum err batch_write(struct batch *b, struct dynamodb_batch_write_item_output *out)
{
    struct arena *a = b->call->arena;
    size_t n = b->in->request_items.n, n_consumed = 0, n_metrics = 0;
    struct dynamodb_consumed_capacity *consumed =
        ARENA_ARRAY(a, struct dynamodb_consumed_capacity, n);
    struct dynamodb_item_collection_metrics_per_table_entry *metrics =
        ARENA_ARRAY(a, struct dynamodb_item_collection_metrics_per_table_entry, n);
    if (!consumed || !metrics)
        return ERR_NOMEM;
    TRY(check_count(b->diag, b->in));
    for (size_t i = 0; i < n; i++) {
        const struct dynamodb_consumed_capacity *c;
        struct dynamodb_item_collection_metrics_multiple m;
        TRY(write_table(b, i, &c, &m));
        if (c)
            consumed[n_consumed++] = *c;
        if (m.n) {
            metrics[n_metrics].key = b->in->request_items.v[i].key;
            metrics[n_metrics++].value = m;
        }
    }
    if (n_consumed) {
        out->consumed_capacity.v = consumed;
        out->consumed_capacity.n = n_consumed;
    }
    if (n_metrics) {
        out->item_collection_metrics.v = metrics;
        out->item_collection_metrics.n = n_metrics;
    }
    /* Present and empty: clients loop until this map is empty. */
    out->unprocessed_items.v =
        ARENA_ARRAY(a, struct dynamodb_batch_write_item_request_map_entry, 1);
    return out->unprocessed_items.v ? ERR_OK : ERR_NOMEM;
}

enum err dynamodb_batch_write_item(struct call *call,
                                   const struct dynamodb_batch_write_item_input *in,
                                   struct dynamodb_batch_write_item_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    struct batch b = {.call = call, .diag = &diag, .in = in};
    return ddb_answer(call, &diag, batch_write(&b, out));
}
