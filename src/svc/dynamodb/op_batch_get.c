#include <assert.h>

#include "svc/dynamodb/ddb_legacy.h"

/* One table's part of the request, while it is answered. */
struct part {
    struct call *call;
    struct ddb_diag *diag;
    struct ddb_table *table;
    const struct dynamodb_keys_and_attributes *in;
    struct ddb_paths paths;
    struct ddb_cipher cipher;
    struct str *keys; /* record keys, in the request's order */
    struct buf items, unread;
    struct ddb_units units;
};

/* What the reply has so far. */
struct filled {
    size_t bytes, n_read;
    bool full; /* an item did not go in any more */
};

static enum err count_keys(struct ddb_diag *diag, const struct dynamodb_batch_get_item_input *in)
{
    size_t n = 0;
    if (in->request_items.n == 0)
        return ddb_invalid(diag, "The requestItems parameter is required for BatchGetItem");
    for (size_t i = 0; i < in->request_items.n; i++) {
        const struct json *keys = in->request_items.v[i].value.keys.in;
        bool many = keys && keys->n > DDB_BATCH_GET_KEYS_MAX;
        if (!keys || keys->n == 0 || many)
            return ddb_invalid(diag,
                               "1 validation error detected: Value at 'RequestItems." STR_FMT
                               ".member.Keys' failed to satisfy constraint: Member must have "
                               "length %s than or equal to %d",
                               STR_ARG(in->request_items.v[i].key), many ? "less" : "greater",
                               many ? DDB_BATCH_GET_KEYS_MAX : 1);
        n += keys->n;
    }
    if (n > DDB_BATCH_GET_KEYS_MAX)
        return ddb_invalid(diag, "Too many items requested for the BatchGetItem call");
    return ERR_OK;
}

/* One table by expressions and another by parameters from before them is refused, too. */
static enum err check_mixed(struct ddb_diag *diag, const struct dynamodb_batch_get_item_input *in)
{
    bool old = false, expression = false;
    for (size_t i = 0; i < in->request_items.n; i++) {
        const struct dynamodb_keys_and_attributes *k = &in->request_items.v[i].value;
        old = old || k->attributes_to_get.v;
        expression = expression || str_is_set(k->projection_expression);
    }
    const struct ddb_param legacy[] = {{"AttributesToGet", old}, {NULL, false}},
                           expressions[] = {{"ProjectionExpression", expression}, {NULL, false}};
    return ddb_check_mixed(diag, legacy, expressions);
}

static enum err open_part(struct part *p)
{
    struct ddb_env env;
    size_t n = 0;
    TRY(ddb_cipher_of(p->diag, p->call->txn, p->table, &p->cipher));
    TRY(ddb_env_check_needed(p->diag, &p->in->expression_attribute_names, NULL,
                             str_is_set(p->in->projection_expression), ""));
    TRY(ddb_env_open(&env, p->diag, &p->in->expression_attribute_names, NULL));
    TRY(ddb_request_projection(&env, p->in->projection_expression, &p->in->attributes_to_get,
                               &p->paths));
    TRY(ddb_env_check_used(&env));
    p->keys = ARENA_ARRAY(p->call->arena, struct str, p->in->keys.in->n);
    if (!p->keys)
        return ERR_NOMEM;
    JSON_EACH (p->in->keys.in, v) {
        struct ddb_key key;
        TRY(ddb_key_from_json(p->diag, &p->table->key, v, &key));
        p->keys[n] = ddb_item_key(p->call->arena, p->table->id, key);
        if (!str_is_set(p->keys[n]))
            return ERR_NOMEM;
        for (size_t i = 0; i < n; i++)
            if (str_eq(p->keys[i], p->keys[n]))
                return ddb_invalid(p->diag, "Provided list of item keys contains duplicates");
        n++;
    }
    assert(n == p->in->keys.in->n);
    buf_init_arena(&p->items, p->call->arena, DDB_JSON_MAX);
    buf_init_arena(&p->unread, p->call->arena, DDB_JSON_MAX);
    return ERR_OK;
}

static void put_comma(struct buf *b)
{
    buf_add_byte(b, b->len ? ',' : '[');
}

/* Reads one item into the reply; *ret_read false when its key is to be handed back: throughput does not let it in,
 * or the reply has no room for it. */
static enum err read_one(struct part *p, struct str key, struct filled *f, bool *ret_read)
{
    struct str raw;
    size_t size = 0;
    *ret_read = false;
    if (f->full)
        return ERR_OK;
    enum err err = ddb_admit_read(p->diag, p->table, NULL, p->units.table, p->call->txn->now_ms);
    if (err == ERR_INVALID && p->diag->throttled)
        return ERR_OK;
    TRY(err);
    err = txn_peek(p->call->txn, key, &raw);
    if (err == ERR_OK) {
        TRY(txn_work_row(p->call->txn, key, raw));
        TRY(ddb_item_raw_size(raw, &size));
        f->full = f->bytes + size > DDB_BATCH_GET_BYTES_MAX;
        if (f->full)
            return ERR_OK;
        TRY(ddb_record_open(&p->cipher, p->call->arena, key, &raw));
        f->bytes += size;
        put_comma(&p->items);
        TRY(ddb_put_part(p->call->arena, &p->items, raw, &p->paths));
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    p->units.table += ddb_read_units(size, p->in->consistent_read);
    f->n_read++;
    *ret_read = true;
    return ERR_OK;
}

static enum err read_part(struct part *p, struct filled *f)
{
    size_t n = 0;
    JSON_EACH (p->in->keys.in, v) {
        bool read;
        TRY(read_one(p, p->keys[n++], f, &read));
        if (read)
            continue;
        put_comma(&p->unread);
        json_put(&p->unread, v);
    }
    assert(n == p->in->keys.in->n);
    buf_add_c(&p->items, p->items.len ? "]" : "[]");
    if (p->unread.len)
        buf_add_byte(&p->unread, ']');
    TRY(buf_err(&p->unread));
    return buf_err(&p->items);
}

/* Room for the reply's lists, one element a table. */
struct reply {
    struct dynamodb_batch_get_response_map_entry *responses;
    struct dynamodb_batch_get_request_map_entry *unread;
    struct dynamodb_consumed_capacity *consumed;
    size_t n_unread, n_consumed;
};

static enum err answer_part(struct part *p, struct reply *r, size_t i, struct str name,
                            struct str mode)
{
    const struct dynamodb_consumed_capacity *c;
    ddb_charge(p->table, &p->units, false);
    r->responses[i].key = name;
    r->responses[i].value = buf_str(&p->items);
    if (p->unread.len) {
        r->unread[r->n_unread].key = name;
        r->unread[r->n_unread].value = *p->in;
        r->unread[r->n_unread].value.keys.out = buf_str(&p->unread);
        r->n_unread++;
    }
    TRY(ddb_consumed(p->call, mode, p->table, &p->units, &c));
    if (c)
        r->consumed[r->n_consumed++] = *c;
    return ERR_OK;
}

static enum err batch_get(struct call *call, struct ddb_diag *diag,
                          const struct dynamodb_batch_get_item_input *in,
                          struct dynamodb_batch_get_item_output *out)
{
    size_t n = in->request_items.n;
    struct filled f = {0};
    struct reply r = {
        .responses = ARENA_ARRAY(call->arena, struct dynamodb_batch_get_response_map_entry, n),
        .unread = ARENA_ARRAY(call->arena, struct dynamodb_batch_get_request_map_entry, n),
        .consumed = ARENA_ARRAY(call->arena, struct dynamodb_consumed_capacity, n)};
    struct part *parts = ARENA_ARRAY(call->arena, struct part, n);
    if (!r.responses || !r.unread || !r.consumed || !parts)
        return ERR_NOMEM;
    TRY(count_keys(diag, in));
    TRY(check_mixed(diag, in));
    for (size_t i = 0; i < n; i++) {
        parts[i].call = call;
        parts[i].diag = diag;
        parts[i].in = &in->request_items.v[i].value;
        TRY(ddb_use_table(call, in->request_items.v[i].key, false, &parts[i].table));
        TRY(open_part(&parts[i]));
    }
    for (size_t i = 0; i < n; i++) {
        TRY(read_part(&parts[i], &f));
        TRY(answer_part(&parts[i], &r, i, in->request_items.v[i].key,
                        in->return_consumed_capacity));
    }
    assert(r.n_unread <= n && r.n_consumed <= n);
    if (f.n_read == 0) /* throttled, every one: an item has room in an empty reply */
        return ERR_INVALID;
    out->responses.v = r.responses;
    out->responses.n = n;
    out->unprocessed_keys.v = r.unread;
    out->unprocessed_keys.n = r.n_unread;
    if (r.n_consumed) {
        out->consumed_capacity.v = r.consumed;
        out->consumed_capacity.n = r.n_consumed;
    }
    return ERR_OK;
}

enum err dynamodb_batch_get_item(struct call *call, const struct dynamodb_batch_get_item_input *in,
                                 struct dynamodb_batch_get_item_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    return ddb_answer(call, &diag, batch_get(call, &diag, in, out));
}
