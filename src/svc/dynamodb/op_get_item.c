#include "svc/dynamodb/dynamodb_int.h"

static enum err get_item(struct call *call, struct ddb_diag *diag,
                         const struct dynamodb_get_item_input *in,
                         struct dynamodb_get_item_output *out)
{
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
    TRY(ddb_request_projection(&env, in->projection_expression, &in->attributes_to_get, &paths));
    TRY(ddb_env_check_used(&env));
    TRY(ddb_use_table(call, in->table_name, false, &table));
    TRY(ddb_key_from_json(diag, &table->key, in->key, &key));
    TRY(ddb_admit_read(diag, table, NULL, 0, call->txn->now_ms));
    TRY(ddb_cipher_of(diag, call->txn, table, &cipher));
    struct str record_key = ddb_item_key(call->arena, table->id, key);
    if (!str_is_set(record_key))
        return ERR_NOMEM;
    enum err err = txn_peek(call->txn, record_key, &raw);
    if (err == ERR_OK) {
        TRY(ddb_record_open(&cipher, call->arena, record_key, &raw));
        TRY(ddb_item_raw_size(raw, &size));
        buf_init_arena(&b, call->arena, DDB_JSON_MAX);
        (void)buf_reserve(&b, raw.len * 2 + 64); /* JSON is rarely more than twice the record */
        TRY(ddb_put_part(call->arena, &b, raw, &paths));
        TRY(buf_err(&b));
        out->item = buf_str(&b);
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    struct ddb_units units = {.table = ddb_read_units(size, in->consistent_read)};
    ddb_charge(table, &units, false);
    return ddb_consumed(call, in->return_consumed_capacity, table, &units, &out->consumed_capacity);
}

enum err dynamodb_get_item(struct call *call, const struct dynamodb_get_item_input *in,
                           struct dynamodb_get_item_output *out)
{
    struct ddb_diag diag = ddb_diag_of(call);
    return ddb_answer(call, &diag, get_item(call, &diag, in, out));
}
