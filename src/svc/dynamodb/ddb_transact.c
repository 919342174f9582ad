/* Transactions: judging their actions, cancelling, tokens, units (ddb_transact.h).
 *
 * ClientRequestToken: the token and a hash of the request are stored in the same commit, so a
 * repeated request within DDB_TOKEN_LIFE_MS succeeds without writing again. */
#include "svc/dynamodb/ddb_transact.h"

#include <assert.h>

#include "base/record.h"
#include "codec/hash.h"

enum { DIGEST_HEX_LEN = 64 };

/* --- units ------------------------------------------------------------------------------------ */

void ddb_usage_add(struct ddb_usage *u, struct ddb_table *table, const struct ddb_units *units,
                   bool write)
{
    size_t i = 0;
    while (i < u->n && u->v[i].table != table)
        i++;
    if (i == u->n)
        u->v[u->n++] = (struct ddb_usage_part){.table = table, .write = write};
    u->v[i].units.table += DDB_TRANSACT_TIMES * units->table;
    for (size_t k = 0; k < table->n_indexes; k++)
        u->v[i].units.index[k] += DDB_TRANSACT_TIMES * units->index[k];
}

enum err ddb_usage_reply(struct call *call, struct str mode, const struct ddb_usage *u,
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
        if (u->v[i].write)
            WIRE_SET(&v[i], write_capacity_units, c->capacity_units);
        else
            WIRE_SET(&v[i], read_capacity_units, c->capacity_units);
    }
    ret->v = v;
    ret->n = u->n;
    return ERR_OK;
}

/* --- judging ---------------------------------------------------------------------------------- */

static void because(struct ddb_transaction *t, struct ddb_txn_action *a, struct str code,
                    struct str message)
{
    a->code = code;
    a->message = message;
    t->cancelled = true;
}

enum err ddb_txn_cancelled_by(struct ddb_transaction *t, struct ddb_txn_action *a, enum err err)
{
    const struct ddb_diag *d = t->diag;
    if (err != ERR_INVALID || d->whole || d->serialization || d->throttled || d->denied)
        return err;
    because(t, a, STR("ValidationError"), d->msg);
    return ERR_OK;
}

enum err ddb_txn_check(struct ddb_diag *diag, struct ddb_txn_action *a)
{
    diag->updating = false;
    if (a->kind != DDB_ITEM_PUT)
        TRY(ddb_key_exact(diag, &a->table->key, a->key, &a->w.key));
    if (a->kind == DDB_ITEM_UPDATE)
        return ddb_check_keys_kept(diag, a->table, &a->update);
    if (a->kind != DDB_ITEM_PUT)
        return ERR_OK;
    TRY(ddb_key_of_item(diag, &a->table->key, a->item, &a->w.key));
    diag->whole = ddb_item_size(a->item) > DDB_ITEM_BYTES_MAX; /* the request alone says so */
    if (diag->whole)
        return ddb_invalid(diag, "Item size has exceeded the maximum allowed size");
    return ddb_check_index_keys(diag, a->table, a->item);
}

static enum err open_all(struct ddb_transaction *t)
{
    for (size_t i = 0; i < t->n; i++) {
        struct ddb_txn_action *a = &t->v[i];
        a->w = (struct ddb_write){
            .txn = t->call->txn, .diag = t->diag, .table = a->table, .transact = true};
        TRY(ddb_txn_cancelled_by(t, a, ddb_txn_check(t->diag, a)));
        if (str_is_set(a->code))
            continue;
        TRY(ddb_write_open(&a->w));
        for (size_t j = 0; j < i; j++)
            if (str_eq(t->v[j].w.record_key, a->w.record_key))
                return ddb_invalid(t->diag, "Transaction request cannot include multiple "
                                            "operations on one item");
    }
    return ERR_OK;
}

static enum err updated(struct ddb_transaction *t, struct ddb_txn_action *a)
{
    TRY(ddb_updated_item(&a->w, &a->update, &a->item));
    return a->item ? ddb_check_index_keys(t->diag, a->table, a->item) : ERR_OK;
}

/* Condition and new item of one action. */
static enum err decide(struct ddb_transaction *t, struct ddb_txn_action *a)
{
    bool holds = true;
    assert(!a->item || a->kind == DDB_ITEM_PUT);
    TRY(ddb_write_read(&a->w));
    if (a->kind == DDB_ITEM_PUT && a->new_only && str_is_set(a->w.old_raw)) {
        because(t, a, STR("DuplicateItem"), STR("Duplicate primary key exists in table"));
        return ERR_OK;
    }
    if (a->condition)
        TRY(ddb_write_check(&a->w, a->condition, &holds));
    if (!holds) {
        because(t, a, STR("ConditionalCheckFailed"), STR("The conditional request failed"));
        return ERR_OK;
    }
    if (a->kind == DDB_ITEM_UPDATE)
        TRY(ddb_txn_cancelled_by(t, a, updated(t, a)));
    if (a->item)
        t->bytes += ddb_item_size(a->item);
    if (t->bytes > DDB_TRANSACT_BYTES_MAX)
        return ddb_invalid(t->diag, "Transaction size has exceeded the maximum allowed size of "
                                    "4 MB");
    return ERR_OK;
}

/* --- cancelling, tokens ----------------------------------------------------------------------- */

static enum err put_reason(struct arena *arena, struct json_out *o, const struct ddb_txn_action *a)
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

enum err ddb_txn_cancel(struct ddb_transaction *t)
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

enum err ddb_use_token(struct call *call, struct str token, bool *ret_done)
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

/* --- running ---------------------------------------------------------------------------------- */

/* A request that was carried out before: the items are read, and that is what it costs. */
static enum err repeat(struct ddb_transaction *t, struct ddb_usage *usage)
{
    for (size_t i = 0; i < t->n; i++) {
        struct ddb_txn_action *a = &t->v[i];
        size_t size = 0;
        TRY(ddb_write_read(&a->w));
        if (str_is_set(a->w.old_raw))
            TRY(ddb_item_raw_size(a->w.old_raw, &size));
        struct ddb_units units = {.table = ddb_read_units(size, true)};
        ddb_charge_transact(a->table, &units, false);
        ddb_usage_add(usage, a->table, &units, false);
    }
    return ERR_OK;
}

static enum err stage_all(struct ddb_transaction *t, struct ddb_usage *usage)
{
    for (size_t i = 0; i < t->n; i++) {
        struct ddb_txn_action *a = &t->v[i];
        assert(!str_is_set(a->code) && str_is_set(a->w.record_key));
        if (a->kind == DDB_ITEM_CHECK)
            a->w.units.table = ddb_write_units(0);
        else
            TRY(ddb_write_commit(&a->w, a->item));
        ddb_usage_add(usage, a->table, &a->w.units, true);
    }
    return ERR_OK;
}

enum err ddb_transact(struct ddb_transaction *t,
                      struct dynamodb_consumed_capacity_multiple *ret_used)
{
    struct ddb_usage usage = {ARENA_ARRAY(t->call->arena, struct ddb_usage_part, t->n), 0};
    bool done_before = false;
    if (!usage.v)
        return ERR_NOMEM;
    TRY(open_all(t));
    if (str_is_set(t->token) && !t->cancelled)
        TRY(ddb_use_token(t->call, t->token, &done_before));
    if (done_before) {
        TRY(repeat(t, &usage));
        return ddb_usage_reply(t->call, t->capacity, &usage, ret_used);
    }
    for (size_t i = 0; i < t->n; i++)
        if (!str_is_set(t->v[i].code))
            TRY(decide(t, &t->v[i]));
    if (t->cancelled)
        return ddb_txn_cancel(t);
    TRY(stage_all(t, &usage));
    return ddb_usage_reply(t->call, t->capacity, &usage, ret_used);
}
