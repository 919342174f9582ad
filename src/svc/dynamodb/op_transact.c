/* TransactWriteItems and TransactGetItems: one store transaction each (ddb_transact.h). */
#include "svc/dynamodb/ddb_transact.h"

/* --- writes ----------------------------------------------------------------------------------- */

/* One element of TransactItems, its four shapes made one. */
struct element {
    enum ddb_action_of_item kind;
    struct str table_name, condition, update, return_values;
    const struct json *key, *item, *values;
    const struct dynamodb_expression_attribute_name_map *names;
};

#define ELEMENT_COMMON(from)                                                                       \
    .table_name = (from)->table_name, .condition = (from)->condition_expression,                   \
    .names = &(from)->expression_attribute_names, .values = (from)->expression_attribute_values,   \
    .return_values = (from)->return_values_on_condition_check_failure

static enum err read_element(struct ddb_diag *diag, const struct dynamodb_transact_write_item *in,
                             struct element *e)
{
    int actions = (in->put != NULL) + (in->delete != NULL) + (in->update != NULL) +
                  (in->condition_check != NULL);
    if (actions == 0)
        return ddb_invalid(diag, "Invalid Request: TransactWriteRequest should contain Delete or "
                                 "Put or Update request");
    if (actions > 1)
        return ddb_invalid(diag, "TransactItems can only contain one of Check, Put, Update or "
                                 "Delete");
    if (in->put)
        *e = (struct element){DDB_ITEM_PUT, ELEMENT_COMMON(in->put), .item = in->put->item};
    else if (in->delete)
        *e = (struct element){DDB_ITEM_DELETE, ELEMENT_COMMON(in->delete), .key = in->delete->key};
    else if (in->update)
        *e = (struct element){DDB_ITEM_UPDATE, ELEMENT_COMMON(in->update), .key = in->update->key,
                              .update = in->update->update_expression};
    else
        *e = (struct element){DDB_ITEM_CHECK, ELEMENT_COMMON(in->condition_check),
                              .key = in->condition_check->key};
    return ERR_OK;
}

static enum err parse_element(struct ddb_transaction *t, const struct element *e,
                              struct ddb_txn_action *a)
{
    struct ddb_env env;
    struct ddb_av *key;
    bool any = str_is_set(e->condition) || str_is_set(e->update);
    TRY(ddb_env_check_needed(t->diag, e->names, e->values, any, "ConditionExpression"));
    TRY(ddb_env_open(&env, t->diag, e->names, e->values));
    if (str_is_set(e->update))
        TRY(ddb_parse_update(&env, e->update, &a->update));
    if (str_is_set(e->condition))
        TRY(ddb_parse_condition(&env, "ConditionExpression", e->condition, &a->condition));
    TRY(ddb_env_check_used(&env));
    a->kind = e->kind;
    a->return_values = e->return_values;
    if (e->kind == DDB_ITEM_PUT) {
        TRY(ddb_item_from_json(t->diag, e->item, &a->item));
    } else {
        TRY(ddb_item_from_json(t->diag, e->key, &key));
        a->key = key;
    }
    return ddb_use_table(t->call, e->table_name, false, &a->table);
}

static enum err metrics_reply(struct ddb_transaction *t, struct str mode,
                              struct dynamodb_item_collection_metrics_per_table *ret)
{
    struct arena *a = t->call->arena;
    struct dynamodb_item_collection_metrics_per_table_entry *v =
        ARENA_ARRAY(a, struct dynamodb_item_collection_metrics_per_table_entry, t->n);
    struct dynamodb_item_collection_metrics *m =
        ARENA_ARRAY(a, struct dynamodb_item_collection_metrics, t->n * t->n);
    size_t n = 0;
    if (!v || !m)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n; i++) {
        const struct dynamodb_item_collection_metrics *one;
        size_t k = 0;
        TRY(ddb_collection_metrics(t->call, mode, t->v[i].table, &t->v[i].w.key, &one));
        if (!one || t->v[i].kind == DDB_ITEM_CHECK)
            continue;
        while (k < n && !str_eq(v[k].key, t->v[i].table->name))
            k++;
        if (k == n) {
            v[n].key = t->v[i].table->name;
            v[n].value.v = m + n * t->n;
            n++;
        }
        m[k * t->n + v[k].value.n++] = *one;
    }
    if (n) {
        ret->v = v;
        ret->n = n;
    }
    return ERR_OK;
}

static enum err transact_write(struct ddb_transaction *t,
                               const struct dynamodb_transact_write_items_input *in,
                               struct dynamodb_transact_write_items_output *out)
{
    t->v = ARENA_ARRAY(t->call->arena, struct ddb_txn_action, t->n);
    if (!t->v)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n; i++) {
        struct element e = {0};
        TRY(read_element(t->diag, &in->transact_items.v[i], &e));
        TRY(parse_element(t, &e, &t->v[i]));
    }
    TRY(ddb_transact(t, &out->consumed_capacity));
    return metrics_reply(t, in->return_item_collection_metrics, &out->item_collection_metrics);
}

enum err dynamodb_transact_write_items(struct call *call,
                                       const struct dynamodb_transact_write_items_input *in,
                                       struct dynamodb_transact_write_items_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    struct ddb_transaction t = {.call = call,
                                .diag = &diag,
                                .n = in->transact_items.n,
                                .token = in->client_request_token,
                                .capacity = in->return_consumed_capacity};
    return ddb_answer(call, &diag, transact_write(&t, in, out));
}

/* --- reads ------------------------------------------------------------------------------------ */

struct reading {
    struct ddb_transaction *t; /* for the reasons of what cancels it */
    struct ddb_usage usage;
    struct str *keys; /* of records */
    size_t bytes;
};

static enum err read_one(struct reading *r, const struct dynamodb_get *in, size_t at,
                         struct str *ret_item)
{
    struct call *call = r->t->call;
    struct ddb_diag *diag = r->t->diag;
    struct str *keys = r->keys;
    struct ddb_av *key_item;
    static const struct dynamodb_attribute_name_list no_names;
    struct ddb_table *table;
    struct ddb_key key;
    struct ddb_env env;
    struct ddb_paths paths;
    struct ddb_cipher cipher;
    struct str raw;
    struct buf b;
    size_t size = 0;
    TRY(ddb_env_check_needed(diag, &in->expression_attribute_names, NULL,
                             str_is_set(in->projection_expression), ""));
    TRY(ddb_env_open(&env, diag, &in->expression_attribute_names, NULL));
    TRY(ddb_request_projection(&env, in->projection_expression, &no_names, &paths));
    TRY(ddb_env_check_used(&env));
    TRY(ddb_use_table(call, in->table_name, false, &table));
    TRY(ddb_item_from_json(diag, in->key, &key_item));
    TRY(ddb_txn_cancelled_by(r->t, &r->t->v[at], ddb_key_exact(diag, &table->key, key_item, &key)));
    if (str_is_set(r->t->v[at].code))
        return ERR_OK;
    TRY(ddb_admit_read(diag, table, NULL, 0, call->txn->now_ms));
    TRY(ddb_cipher_of(diag, call->txn, table, &cipher));
    struct str record_key = ddb_item_key(call->arena, table->id, key);
    if (!str_is_set(record_key))
        return ERR_NOMEM;
    keys[at] = record_key;
    for (size_t i = 0; i < at; i++)
        if (str_eq(keys[i], record_key))
            return ddb_invalid(diag, "Transaction request cannot include multiple operations on "
                                     "one item");
    enum err err = txn_peek(call->txn, record_key, &raw);
    if (err == ERR_OK) {
        TRY(txn_work_row(call->txn, record_key, raw));
        TRY(ddb_record_open(&cipher, call->arena, record_key, &raw));
        TRY(ddb_item_raw_size(raw, &size));
        buf_init_arena(&b, call->arena, DDB_JSON_MAX);
        TRY(ddb_put_part(call->arena, &b, raw, &paths));
        TRY(buf_err(&b));
        *ret_item = buf_str(&b);
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    r->bytes += size;
    if (r->bytes > DDB_TRANSACT_BYTES_MAX)
        return ddb_invalid(diag, "Transaction size has exceeded the maximum allowed size of 4 MB");
    struct ddb_units units = {.table = ddb_read_units(size, true)};
    ddb_usage_add(&r->usage, table, &units, false);
    ddb_charge_transact(table, &units, false);
    return ERR_OK;
}

static enum err transact_get(struct call *call, struct ddb_diag *diag,
                             const struct dynamodb_transact_get_items_input *in,
                             struct dynamodb_transact_get_items_output *out)
{
    size_t n = in->transact_items.n;
    struct ddb_transaction t = {.call = call,
                                .diag = diag,
                                .v = ARENA_ARRAY(call->arena, struct ddb_txn_action, n),
                                .n = n};
    struct reading r = {&t,
                        {ARENA_ARRAY(call->arena, struct ddb_usage_part, n), 0},
                        ARENA_ARRAY(call->arena, struct str, n),
                        0};
    struct dynamodb_item_response *v = ARENA_ARRAY(call->arena, struct dynamodb_item_response, n);
    if (!v || !t.v || !r.usage.v || !r.keys)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        TRY(read_one(&r, in->transact_items.v[i].get, i, &v[i].item));
    if (t.cancelled)
        return ddb_txn_cancel(&t);
    out->responses.v = v;
    out->responses.n = n;
    return ddb_usage_reply(call, in->return_consumed_capacity, &r.usage, &out->consumed_capacity);
}

enum err dynamodb_transact_get_items(struct call *call,
                                     const struct dynamodb_transact_get_items_input *in,
                                     struct dynamodb_transact_get_items_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    return ddb_answer(call, &diag, transact_get(call, &diag, in, out));
}
