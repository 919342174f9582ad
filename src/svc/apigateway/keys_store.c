/* What the operations on API keys and on usage plans share: their records, and pages of them.
 * Layer: svc/apigateway. Thread: the transaction's. */
#include "base/rng.h"
#include "core/secret.h"
#include "svc/apigateway/op_key_int.h"

enum { VALUE_LEN = 40 };

/* --- documents and pages ------------------------------------------------------------------------ */

struct str keys_arn(struct call *call, struct str id)
{
    return apigateway_arn(call, "/apikeys/" STR_FMT, STR_ARG(id));
}

enum err keys_set(struct call *call, struct json *doc, const char *name, struct str text)
{
    return str_is_set(text) ? json_set(doc, str_c(name), json_new_str(call->arena, text)) : ERR_OK;
}

enum err keys_page(struct call *call, struct str scope, struct str position, bool has_limit,
                   int64_t limit, struct page *ret_page)
{
    if (has_limit && (limit < 1 || limit > APIGATEWAY_PAGE_MAX))
        return APIGATEWAY_BAD(call, "Invalid limit: it must be between 1 and %d",
                              APIGATEWAY_PAGE_MAX);
    *ret_page = page_of_call(call, scope, position, has_limit ? (size_t)limit : APIGATEWAY_PAGE);
    return ERR_OK;
}

enum err keys_scan(struct call *call, struct page *page, struct key_range range,
                   const struct page_fns *fns, void *arg)
{
    enum err err = page_scan(call->txn, page, range, fns, arg);
    return err == ERR_INVALID ? APIGATEWAY_BAD(call, "Invalid position parameter") : err;
}

enum err keys_show_page(struct call *call, struct json *items, const struct page *page, void *out)
{
    struct json *doc = json_new(call->arena, JSON_OBJECT);
    if (!doc)
        return ERR_NOMEM;
    TRY(json_set(doc, STR("item"), items));
    TRY(keys_set(call, doc, "position", page->next_token));
    return apigateway_show(call, doc, out);
}

enum err keys_need(struct call *call, struct str id, struct usage_key *ret)
{
    enum err err = usage_read_key(call->txn, call_scope(call), id, ret);
    return err == ERR_NOT_FOUND ? APIGATEWAY_ABSENT(call, "Invalid API Key identifier specified")
                                : err;
}

/* The record, and what requests find at `place`, that of the value. */
static enum err write_both(struct call *call, const struct usage_key *key, struct str place)
{
    struct str record, pass;
    TRY(record_make(&usage_key_type, call->arena, key, &record));
    TRY(record_make(&usage_pass_type, call->arena, key, &pass));
    TRY(txn_put(call->txn, place, pass));
    return txn_put(call->txn, key_make(call->arena, &usage_k_key, call_scope(call), key->id),
                   record);
}

enum err keys_write(struct call *call, const struct usage_key *key)
{
    struct str value;
    TRY(keys_value(call, key, &value));
    return write_both(call, key, keys_value_key(call, value));
}

enum err keys_value(struct call *call, const struct usage_key *key, struct str *ret)
{
    return secret_open(call->core, call->arena, key->id, key->sealed, ret);
}

struct str keys_value_key(struct call *call, struct str value)
{
    uint8_t mac[HASH_SHA256_LEN];
    usage_value_mac(call->core, value, mac);
    return key_make(call->arena, &usage_k_value, call_scope(call), str_n((char *)mac, sizeof(mac)));
}

enum err keys_add(struct call *call, struct usage_key *key, struct str value)
{
    char drawn[VALUE_LEN + 1];
    struct str old;
    if (!str_is_set(value)) {
        rng_text(drawn, VALUE_LEN,
                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
        value = str_n(drawn, VALUE_LEN);
    }
    if (value.len < USAGE_VALUE_MIN)
        return APIGATEWAY_BAD(call, "API Key value should be at least %d characters",
                              USAGE_VALUE_MIN);
    if (value.len > USAGE_VALUE_MAX)
        return APIGATEWAY_BAD(call, "API Key value should be at most %d characters",
                              USAGE_VALUE_MAX);
    key->id = apigateway_id(call->arena, APIGATEWAY_ID_LEN);
    key->created_ms = key->updated_ms = call->txn->wall_ms;
    struct str place = keys_value_key(call, value);
    enum err err = str_is_set(key->id) ? txn_get(call->txn, place, &old) : ERR_NOMEM;
    if (err == ERR_OK)
        return APIGATEWAY_CONFLICT(call, "API Key already exists");
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(secret_close(call->core, call->arena, key->id, value, &key->sealed));
    return write_both(call, key, place);
}

/* --- plans ---------------------------------------------------------------------------------------- */

struct str keys_plan_arn(struct call *call, struct str id)
{
    return apigateway_arn(call, "/usageplans/" STR_FMT, STR_ARG(id));
}

struct str keys_plan_key(struct call *call, struct str id)
{
    return key_make(call->arena, &usage_k_plan, call_scope(call), id);
}

enum err keys_plan_need(struct call *call, struct str id, struct usage_plan *ret)
{
    struct str record;
    enum err err = txn_get(call->txn, keys_plan_key(call, id), &record);
    if (err == ERR_NOT_FOUND)
        return APIGATEWAY_ABSENT(call, "Invalid Usage Plan ID specified");
    TRY(err);
    return record_unpack(&usage_plan_type, call->arena, record, ret);
}

enum err keys_plan_write(struct call *call, const struct usage_plan *plan)
{
    struct str record;
    TRY(record_make(&usage_plan_type, call->arena, plan, &record));
    return catalogue_put(apigateway_of(call)->usage->plans, call->txn,
                         keys_plan_key(call, plan->id), record);
}
