/* BatchWriteItem. What is taken commits as one or not at all: more than AWS promises. What provisioned
 * throughput does not let in is handed back as unprocessed. */
#include <assert.h>

#include "svc/dynamodb/dynamodb_int.h"

struct batch {
    struct call *call;
    struct ddb_diag *diag;
    const struct dynamodb_batch_write_item_input *in;
    struct str seen[DDB_BATCH_WRITE_MAX]; /* record keys */
    size_t n_seen;
    size_t bytes;
    size_t n_written;
};

/* One table's part of the request, while it is answered. */
struct part {
    struct ddb_table *table;
    const struct dynamodb_write_requests *in;
    struct ddb_units units;
    struct dynamodb_item_collection_metrics *metrics;
    struct dynamodb_write_request *left; /* unprocessed */
    size_t n_metrics, n_left;
};

static enum err check_count(struct ddb_diag *diag, const struct dynamodb_batch_write_item_input *in)
{
    size_t n = 0;
    if (in->request_items.n == 0)
        return ddb_invalid(diag, "The requestItems parameter is required for BatchWriteItem");
    for (size_t i = 0; i < in->request_items.n; i++)
        n += in->request_items.v[i].value.n;
    if (n > DDB_BATCH_WRITE_MAX)
        return ddb_invalid(diag, "Too many items requested for the BatchWriteItem call");
    return ERR_OK;
}

/* A put of a batch tells of its key as a delete does. */
static enum err check_key_types(struct ddb_diag *diag, const struct ddb_key_schema *schema,
                                const struct ddb_av *item)
{
    for (size_t i = 0; i < ddb_schema_parts(schema); i++) {
        struct ddb_key_part part = ddb_schema_part(schema, i);
        const struct ddb_av *v = ddb_av_get(item, part.name);
        if (!v || v->type != part.type)
            return ddb_invalid(diag, "The provided key element does not match the schema");
    }
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
    TRY(check_key_types(b->diag, &table->key, item));
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

/* A request as it came, for the reply. */
static enum err hand_back(struct arena *a, const struct dynamodb_write_request *in,
                          struct dynamodb_write_request *ret)
{
    struct dynamodb_put_request *put = ARENA_NEW(a, struct dynamodb_put_request);
    struct dynamodb_delete_request *del = ARENA_NEW(a, struct dynamodb_delete_request);
    struct buf b;
    if (!put || !del)
        return ERR_NOMEM;
    buf_init_arena(&b, a, DDB_JSON_MAX);
    json_put(&b, in->put_request ? in->put_request->item.in : in->delete_request->key.in);
    put->item.out = del->key.out = buf_str(&b);
    if (in->put_request)
        ret->put_request = put;
    else
        ret->delete_request = del;
    return buf_err(&b);
}

static enum err write_one(struct batch *b, struct part *p, const struct dynamodb_write_request *in)
{
    struct ddb_write w = {
        .txn = b->call->txn, .diag = b->diag, .table = p->table, .admitted = true};
    struct ddb_av *item;
    const struct dynamodb_item_collection_metrics *m;
    TRY(read_request(b, p->table, in, &w.key, &item));
    TRY(ddb_write_open(&w));
    for (size_t i = 0; i < b->n_seen; i++)
        if (str_eq(b->seen[i], w.record_key))
            return ddb_invalid(b->diag, "Provided list of item keys contains duplicates");
    assert(b->n_seen < DDB_BATCH_WRITE_MAX); /* check_count */
    b->seen[b->n_seen++] = w.record_key;
    enum err err = ddb_admit_write(b->diag, p->table, &p->units, b->call->txn->now_ms);
    if (err == ERR_INVALID && b->diag->throttled)
        return hand_back(b->call->arena, in, &p->left[p->n_left++]);
    TRY(err);
    if (ddb_write_needs_old(p->table) || str_is_set(b->in->return_consumed_capacity))
        TRY(ddb_write_read(&w));
    TRY(ddb_write_commit(&w, item));
    b->n_written++;
    p->units.table += w.units.table;
    for (size_t i = 0; i < p->table->n_indexes; i++)
        p->units.index[i] += w.units.index[i];
    TRY(ddb_collection_metrics(b->call, b->in->return_item_collection_metrics, p->table, &w.key,
                               &m));
    if (m)
        p->metrics[p->n_metrics++] = *m;
    return ERR_OK;
}

static enum err write_table(struct batch *b, size_t at, struct part *p)
{
    struct arena *a = b->call->arena;
    p->in = &b->in->request_items.v[at].value;
    p->metrics = ARENA_ARRAY(a, struct dynamodb_item_collection_metrics, p->in->n);
    p->left = ARENA_ARRAY(a, struct dynamodb_write_request, p->in->n);
    if (!p->metrics || !p->left)
        return ERR_NOMEM;
    TRY(ddb_use_table(b->call, b->in->request_items.v[at].key, false, &p->table));
    for (size_t i = 0; i < p->in->n; i++)
        TRY(write_one(b, p, &p->in->v[i]));
    return ERR_OK;
}

/* The reply's lists, one element a table. */
struct reply {
    struct dynamodb_consumed_capacity *consumed;
    struct dynamodb_item_collection_metrics_per_table_entry *metrics;
    struct dynamodb_batch_write_item_request_map_entry *left;
    size_t n_consumed, n_metrics, n_left;
};

static enum err answer_part(struct batch *b, const struct part *p, struct str name, struct reply *r)
{
    const struct dynamodb_consumed_capacity *c;
    TRY(ddb_consumed(b->call, b->in->return_consumed_capacity, p->table, &p->units, &c));
    if (c)
        r->consumed[r->n_consumed++] = *c;
    if (p->n_metrics) {
        r->metrics[r->n_metrics].key = name;
        r->metrics[r->n_metrics].value.v = p->metrics;
        r->metrics[r->n_metrics++].value.n = p->n_metrics;
    }
    if (p->n_left) {
        r->left[r->n_left].key = name;
        r->left[r->n_left].value.v = p->left;
        r->left[r->n_left++].value.n = p->n_left;
    }
    return ERR_OK;
}

static enum err batch_write(struct batch *b, struct dynamodb_batch_write_item_output *out)
{
    struct arena *a = b->call->arena;
    size_t n = b->in->request_items.n;
    struct reply r = {
        .consumed = ARENA_ARRAY(a, struct dynamodb_consumed_capacity, n),
        .metrics = ARENA_ARRAY(a, struct dynamodb_item_collection_metrics_per_table_entry, n),
        .left = ARENA_ARRAY(a, struct dynamodb_batch_write_item_request_map_entry, n)};
    if (!r.consumed || !r.metrics || !r.left)
        return ERR_NOMEM;
    TRY(check_count(b->diag, b->in));
    for (size_t i = 0; i < n; i++) {
        struct part p = {0};
        TRY(write_table(b, i, &p));
        TRY(answer_part(b, &p, b->in->request_items.v[i].key, &r));
    }
    if (b->n_written == 0) /* throttled, every one */
        return ERR_INVALID;
    if (r.n_consumed) {
        out->consumed_capacity.v = r.consumed;
        out->consumed_capacity.n = r.n_consumed;
    }
    if (r.n_metrics) {
        out->item_collection_metrics.v = r.metrics;
        out->item_collection_metrics.n = r.n_metrics;
    }
    /* Present even when empty: clients loop until this map is. */
    out->unprocessed_items.v = r.left;
    out->unprocessed_items.n = r.n_left;
    return ERR_OK;
}

enum err dynamodb_batch_write_item(struct call *call,
                                   const struct dynamodb_batch_write_item_input *in,
                                   struct dynamodb_batch_write_item_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    struct batch b = {.call = call, .diag = &diag, .in = in};
    return ddb_answer(call, &diag, batch_write(&b, out));
}
