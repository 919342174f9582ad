/* TransactWriteItems and TransactGetItems: one store transaction each.
 *
 * A write transaction reads every item tracked, checks every condition, and stages all or nothing;
 * a concurrent change of any of the items makes the store refuse the commit and the handler rerun.
 * ClientRequestToken: the token and a hash of the request are stored in the same commit, so a
 * repeated request within DDB_TOKEN_LIFE_MS succeeds without writing again. */
#include <assert.h>

#include "base/record.h"
#include "codec/hash.h"
#include "svc/dynamodb/dynamodb_int.h"

enum { TRANSACT_UNITS_FACTOR = 2, DIGEST_HEX_LEN = 64 };

/* --- shared: per-table capacity --------------------------------------------------------------- */

struct used {
    struct ddb_table *table;
    struct ddb_units units;
};

struct usage {
    struct used *v;
    size_t n;
};

static void add_usage(struct usage *u, struct ddb_table *table, const struct ddb_units *units)
{
    size_t i = 0;
    while (i < u->n && u->v[i].table != table)
        i++;
    if (i == u->n)
        u->v[u->n++] = (struct used){.table = table};
    u->v[i].units.table += TRANSACT_UNITS_FACTOR * units->table;
    for (size_t k = 0; k < table->n_indexes; k++)
        u->v[i].units.index[k] += TRANSACT_UNITS_FACTOR * units->index[k];
}

static enum err usage_reply(struct call *call, struct str mode, const struct usage *u,
                            struct dynamodb_consumed_capacity_multiple *ret)
{
    struct dynamodb_consumed_capacity *v =
        ARENA_ARRAY(call->arena, struct dynamodb_consumed_capacity, u->n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < u->n; i++) {
        const struct dynamodb_consumed_capacity *c;
        TRY(ddb_consumed(call, mode, u->v[i].table, &u->v[i].units, &c));
        if (!c)
            return ERR_OK;
        v[i] = *c;
    }
    ret->v = v;
    ret->n = u->n;
    return ERR_OK;
}

/* --- writes ----------------------------------------------------------------------------------- */

enum kind { CHECK, PUT, DELETE, UPDATE };

/* One element of TransactItems, its four shapes made one. */
struct action {
    enum kind kind;
    struct str table_name, condition_text, update_text, return_values;
    const struct json *key, *item_json, *values;
    const struct dynamodb_expression_attribute_name_map *names;
    struct ddb_table *table;
    struct ddb_node *condition;
    struct ddb_update update;
    struct ddb_write w;
    struct ddb_av *item;      /* to be written; NULL: deletion or check */
    struct str code, message; /* why it cancels the transaction; absent: it does not */
};

struct transaction {
    struct call *call;
    struct ddb_diag *diag;
    struct action *v;
    size_t n;
    size_t bytes;
    bool cancelled;
};

#define ACTION_COMMON(from)                                                                        \
    .table_name = (from)->table_name, .condition_text = (from)->condition_expression,              \
    .names = &(from)->expression_attribute_names, .values = (from)->expression_attribute_values,   \
    .return_values = (from)->return_values_on_condition_check_failure

static enum err read_action(struct ddb_diag *diag, const struct dynamodb_transact_write_item *in,
                            struct action *a)
{
    if ((in->put != NULL) + (in->delete != NULL) + (in->update != NULL) +
            (in->condition_check != NULL) !=
        1)
        return ddb_invalid(diag, "TransactItems can only contain one of Check, Put, Update or "
                                 "Delete");
    if (in->put)
        *a = (struct action){PUT, ACTION_COMMON(in->put), .item_json = in->put->item};
    else if (in->delete)
        *a = (struct action){DELETE, ACTION_COMMON(in->delete), .key = in->delete->key};
    else if (in->update)
        *a = (struct action){UPDATE, ACTION_COMMON(in->update), .key = in->update->key,
                             .update_text = in->update->update_expression};
    else
        *a = (struct action){CHECK, ACTION_COMMON(in->condition_check),
                             .key = in->condition_check->key};
    return ERR_OK;
}

static enum err parse_action(struct transaction *t, struct action *a)
{
    struct ddb_env env;
    bool any = str_is_set(a->condition_text) || str_is_set(a->update_text);
    TRY(ddb_env_check_needed(t->diag, a->names, a->values, any, "ConditionExpression"));
    TRY(ddb_env_open(&env, t->diag, a->names, a->values));
    if (str_is_set(a->update_text))
        TRY(ddb_parse_update(&env, a->update_text, &a->update));
    if (str_is_set(a->condition_text))
        TRY(ddb_parse_condition(&env, "ConditionExpression", a->condition_text, &a->condition));
    TRY(ddb_env_check_used(&env));
    TRY(ddb_use_table(t->call, a->table_name, false, &a->table));
    a->w = (struct ddb_write){.txn = t->call->txn, .diag = t->diag, .table = a->table};
    if (a->kind != PUT)
        TRY(ddb_key_from_json(t->diag, &a->table->key, a->key, &a->w.key));
    if (a->kind == UPDATE)
        return ddb_check_keys_kept(t->diag, a->table, &a->update);
    if (a->kind != PUT)
        return ERR_OK;
    TRY(ddb_item_from_json(t->diag, a->item_json, &a->item));
    TRY(ddb_key_of_item(t->diag, &a->table->key, a->item, &a->w.key));
    if (ddb_item_size(a->item) > DDB_ITEM_BYTES_MAX)
        return ddb_invalid(t->diag, "Item size has exceeded the maximum allowed size");
    return ERR_OK;
}

static enum err open_all(struct transaction *t,
                         const struct dynamodb_transact_write_items_input *in)
{
    for (size_t i = 0; i < t->n; i++) {
        TRY(read_action(t->diag, &in->transact_items.v[i], &t->v[i]));
        TRY(parse_action(t, &t->v[i]));
        TRY(ddb_write_open(&t->v[i].w));
        for (size_t j = 0; j < i; j++)
            if (str_eq(t->v[j].w.record_key, t->v[i].w.record_key))
                return ddb_invalid(t->diag, "Transaction request cannot include multiple "
                                            "operations on one item");
    }
    return ERR_OK;
}

/* Condition and new item of one action; what is wrong with them cancels the transaction. */
static enum err decide(struct transaction *t, struct action *a)
{
    bool holds = true;
    assert(!str_is_set(a->code)); /* an action is decided once */
    assert(!a->item || a->kind == PUT);
    TRY(ddb_write_read(&a->w));
    if (a->condition)
        TRY(ddb_write_check(&a->w, a->condition, &holds));
    if (!holds) {
        a->code = STR("ConditionalCheckFailed");
        a->message = STR("The conditional request failed");
        t->cancelled = true;
        return ERR_OK;
    }
    if (a->kind == UPDATE) {
        enum err err = ddb_updated_item(&a->w, &a->update, &a->item);
        if (err == ERR_INVALID) {
            a->code = STR("ValidationError");
            a->message = t->diag->msg;
            t->cancelled = true;
            return ERR_OK;
        }
        TRY(err);
    }
    if (a->item)
        t->bytes += ddb_item_size(a->item);
    if (t->bytes > DDB_TRANSACT_BYTES_MAX)
        return ddb_invalid(t->diag, "Transaction size has exceeded the maximum allowed size of "
                                    "4 MB");
    return ERR_OK;
}

static enum err put_reason(struct arena *arena, struct json_out *o, const struct action *a)
{
    struct str item;
    json_open(o, '{');
    json_kv_str(o, STR("Code"), str_is_set(a->code) ? a->code : STR("None"));
    json_kv_str(o, STR("Message"), a->message);
    if (str_is_set(a->code) && str_eq_c(a->return_values, "ALL_OLD") && a->w.old) {
        TRY(ddb_item_text(arena, a->w.old, &item));
        json_key(o, STR("Item"));
        json_raw(o, item);
    }
    json_close(o, '}');
    return ERR_OK;
}

static enum err cancel(struct transaction *t)
{
    struct buf codes, reasons;
    struct json_out o;
    assert(t->cancelled);
    buf_init_arena(&codes, t->call->arena, 64 * 1024);
    buf_init_arena(&reasons, t->call->arena, DDB_JSON_MAX);
    json_out_init(&o, &reasons);
    json_open(&o, '[');
    for (size_t i = 0; i < t->n; i++) {
        if (i)
            BUF_ADD_LIT(&codes, ", ");
        buf_add_str(&codes, str_is_set(t->v[i].code) ? t->v[i].code : STR("None"));
        TRY(ddb_write_decode(&t->v[i].w));
        TRY(put_reason(t->call->arena, &o, &t->v[i]));
    }
    json_close(&o, ']');
    TRY(buf_err(&codes));
    TRY(buf_err(&reasons));
    TRY(call_error_detail(t->call, "CancellationReasons", buf_str(&reasons)));
    return call_error(t->call, &dynamodb_err_transaction_canceled_exception,
                      "Transaction cancelled, please refer cancellation reasons for specific "
                      "reasons [" STR_FMT "]",
                      STR_ARG(buf_str(&codes)));
}

struct token_use {
    int64_t when_ms;
    struct str digest; /* of the request, hexadecimal */
};

static const struct record_field token_fields[] = {
    REC_INT(struct token_use, when_ms),
    REC_STR(struct token_use, digest),
};
static const struct record_type token_type = RECORD_TYPE(struct token_use, 1, token_fields);

/* Looks the token up and stages it (DJ4); *ret_done when the same request was carried out before. */
static enum err use_token(struct call *call, struct str token, bool *ret_done)
{
    struct arena *a = call->arena;
    char digest[DIGEST_HEX_LEN];
    struct key_scope scope = call_scope(call);
    struct str key = key_make(a, &ddb_k_token, scope, token), value;
    struct token_use used;
    hash_sha256_hex(call->request->body.p, call->request->body.len, digest);
    *ret_done = false;
    enum err err = txn_get(call->txn, key, &value);
    if (err == ERR_OK) {
        TRY(record_unpack(&token_type, a, value, &used));
        if (call->txn->now_ms - used.when_ms < DDB_TOKEN_LIFE_MS) {
            *ret_done = true;
            if (str_eq(used.digest, str_n(digest, sizeof(digest))))
                return ERR_OK;
            return call_error(call, &dynamodb_err_idempotent_parameter_mismatch_exception,
                              "The request uses the same client token as a previous, but "
                              "non-identical request. Do not reuse a client token with different "
                              "requests, unless the requests are identical");
        }
        TRY(txn_del(call->txn, key_make(a, &ddb_k_expiry, used.when_ms, scope, token)));
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    used = (struct token_use){call->txn->now_ms, str_n(digest, sizeof(digest))};
    TRY(record_make(&token_type, a, &used, &value));
    TRY(txn_put(call->txn, key, value));
    return txn_put(call->txn, key_make(a, &ddb_k_expiry, used.when_ms, scope, token), STR(""));
}

static enum err metrics_reply(struct transaction *t, struct str mode,
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
        if (!one || t->v[i].kind == CHECK)
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

static enum err transact_write(struct transaction *t,
                               const struct dynamodb_transact_write_items_input *in,
                               struct dynamodb_transact_write_items_output *out)
{
    struct call *call = t->call;
    struct usage usage = {ARENA_ARRAY(call->arena, struct used, t->n), 0};
    t->v = ARENA_ARRAY(call->arena, struct action, t->n);
    if (!t->v || !usage.v)
        return ERR_NOMEM;
    TRY(open_all(t, in));
    if (str_is_set(in->client_request_token)) {
        bool done_before;
        TRY(use_token(call, in->client_request_token, &done_before));
        if (done_before)
            return ERR_OK;
    }
    for (size_t i = 0; i < t->n; i++)
        TRY(decide(t, &t->v[i]));
    if (t->cancelled)
        return cancel(t);
    for (size_t i = 0; i < t->n; i++) {
        assert(!str_is_set(t->v[i].code) && str_is_set(t->v[i].w.record_key));
        if (t->v[i].kind == CHECK)
            t->v[i].w.units.table = ddb_write_units(0);
        else
            TRY(ddb_write_commit(&t->v[i].w, t->v[i].item));
        add_usage(&usage, t->v[i].table, &t->v[i].w.units);
    }
    TRY(metrics_reply(t, in->return_item_collection_metrics, &out->item_collection_metrics));
    return usage_reply(call, in->return_consumed_capacity, &usage, &out->consumed_capacity);
}

enum err dynamodb_transact_write_items(struct call *call,
                                       const struct dynamodb_transact_write_items_input *in,
                                       struct dynamodb_transact_write_items_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    struct transaction t = {.call = call, .diag = &diag, .n = in->transact_items.n};
    return ddb_answer(call, &diag, transact_write(&t, in, out));
}

/* --- reads ------------------------------------------------------------------------------------ */

static enum err read_one(struct call *call, struct ddb_diag *diag, const struct dynamodb_get *in,
                         struct usage *usage, size_t *bytes, struct str *ret_item)
{
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
    TRY(ddb_key_from_json(diag, &table->key, in->key, &key));
    TRY(ddb_admit_read(diag, table, NULL, call->txn->now_ms));
    TRY(ddb_cipher_of(diag, call->txn, table, &cipher));
    struct str record_key = ddb_item_key(call->arena, table->id, key);
    if (!str_is_set(record_key))
        return ERR_NOMEM;
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
    *bytes += size;
    if (*bytes > DDB_TRANSACT_BYTES_MAX)
        return ddb_invalid(diag, "Transaction size has exceeded the maximum allowed size of 4 MB");
    struct ddb_units units = {.table = ddb_read_units(size, true)};
    add_usage(usage, table, &units);
    ddb_charge(table, &units, false);
    return ERR_OK;
}

static enum err transact_get(struct call *call, struct ddb_diag *diag,
                             const struct dynamodb_transact_get_items_input *in,
                             struct dynamodb_transact_get_items_output *out)
{
    size_t n = in->transact_items.n, bytes = 0;
    struct usage usage = {ARENA_ARRAY(call->arena, struct used, n), 0};
    struct dynamodb_item_response *v = ARENA_ARRAY(call->arena, struct dynamodb_item_response, n);
    if (!v || !usage.v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        TRY(read_one(call, diag, in->transact_items.v[i].get, &usage, &bytes, &v[i].item));
    out->responses.v = v;
    out->responses.n = n;
    return usage_reply(call, in->return_consumed_capacity, &usage, &out->consumed_capacity);
}

enum err dynamodb_transact_get_items(struct call *call,
                                     const struct dynamodb_transact_get_items_input *in,
                                     struct dynamodb_transact_get_items_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    return ddb_answer(call, &diag, transact_get(call, &diag, in, out));
}
