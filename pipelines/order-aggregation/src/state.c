/* See state.h. Layer: pipeline. */
#include "state.h"

#include <poll.h>

#include "codec/hash.h"
#include "item.h"
#include "money.h"

enum { BODY_MAX = 1024 * 1024, UNPROCESSED_TRIES_MAX = 8, REVISION_BYTES = 8, BACKOFF_MS = 50 };

/* --- attribute values ------------------------------------------------------------------------- */

static const char *file_attribute(struct arena *a, int kind, const char *what)
{
    struct str s = str_fmt(a, "%s_%s", kind_names[kind], what);
    return s.p ? s.p : "";
}

/* --- calls ------------------------------------------------------------------------------------ */

static enum err call(const struct state *st, struct arena *a, const char *operation,
                     const struct buf *body, const struct json **ret_json)
{
    struct aws_reply reply;
    const struct json *json = NULL;
    TRY(buf_err(body));
    enum err err = aws_json(st->aws, "dynamodb", operation, buf_str(body), a, &reply, &json);
    if (err == ERR_FAILED && str_eq_c(reply.error_code, "ConditionalCheckFailedException"))
        return ERR_CONFLICT;
    if (err == ERR_OK && ret_json)
        *ret_json = json;
    return err;
}

static void begin(struct json_out *o, struct buf *b, struct arena *a, const struct state *st)
{
    buf_init_arena(b, a, BODY_MAX);
    json_out_init(o, b);
    json_open(o, '{');
    json_kv_str(o, STR("TableName"), st->table);
}

static void put_key(struct json_out *o, struct str date, const char *sk)
{
    json_key(o, STR("Key"));
    json_open(o, '{');
    item_put_s(o, "pk", date);
    item_put_s(o, "sk", str_c(sk));
    json_close(o, '}');
}

static enum err get_item(const struct state *st, struct arena *a, struct str date, const char *sk,
                         const struct json **ret_item)
{
    struct buf b;
    struct json_out o;
    const struct json *reply = NULL;
    begin(&o, &b, a, st);
    put_key(&o, date, sk);
    json_kv_bool(&o, STR("ConsistentRead"), true);
    json_close(&o, '}');
    TRY(call(st, a, "GetItem", &b, &reply));
    *ret_item = json_get(reply, STR("Item"));
    return ERR_OK;
}

/* --- the set ---------------------------------------------------------------------------------- */

enum err state_get_set(const struct state *st, struct arena *a, struct str date,
                       struct set *ret_set)
{
    const struct json *item;
    struct set set = {0};
    TRY(get_item(st, a, date, "SET", &item));
    set.version = item_get_n(item, "version");
    set.bucket = item_get_s(item, "bucket");
    for (int k = 0; item && k < KINDS; k++)
        set.files[k] = (struct set_file){
            .key = item_get_s(item, file_attribute(a, k, "key")),
            .etag = item_get_s(item, file_attribute(a, k, "etag")),
            .rows = item_get_n(item, file_attribute(a, k, "rows")),
            .rejects = item_get_n(item, file_attribute(a, k, "rejects")),
        };
    *ret_set = set;
    return ERR_OK;
}

enum err state_put_set(const struct state *st, struct arena *a, struct str date, struct set *set)
{
    struct buf b;
    struct json_out o;
    begin(&o, &b, a, st);
    json_key(&o, STR("Item"));
    json_open(&o, '{');
    item_put_s(&o, "pk", date);
    item_put_s(&o, "sk", STR("SET"));
    item_put_n(&o, "version", set->version + 1);
    item_put_s(&o, "bucket", set->bucket);
    for (int k = 0; k < KINDS; k++) {
        const struct set_file *f = &set->files[k];
        if (!f->key.len)
            continue;
        item_put_s(&o, file_attribute(a, k, "key"), f->key);
        if (f->etag.len)
            item_put_s(&o, file_attribute(a, k, "etag"), f->etag);
        item_put_n(&o, file_attribute(a, k, "rows"), f->rows);
        item_put_n(&o, file_attribute(a, k, "rejects"), f->rejects);
    }
    json_close(&o, '}');
    if (set->version == 0) {
        json_kv_str(&o, STR("ConditionExpression"), STR("attribute_not_exists(pk)"));
    } else {
        json_kv_str(&o, STR("ConditionExpression"), STR("version = :seen"));
        json_key(&o, STR("ExpressionAttributeValues"));
        json_open(&o, '{');
        item_put_n(&o, ":seen", set->version);
        json_close(&o, '}');
    }
    json_close(&o, '}');
    TRY(call(st, a, "PutItem", &b, NULL));
    set->version++;
    return ERR_OK;
}

bool set_complete(const struct set *set)
{
    for (int k = 0; k < KINDS; k++)
        if (!set->files[k].etag.len)
            return false;
    return true;
}

struct str set_revision(struct arena *a, const struct set *set)
{
    char hex[2 * HASH_SHA256_LEN];
    struct buf b;
    buf_init_arena(&b, a, BODY_MAX);
    for (int k = 0; k < KINDS; k++) {
        buf_add_str(&b, set->files[k].etag);
        buf_add_byte(&b, '\n');
    }
    if (buf_err(&b) != ERR_OK)
        return STR_NONE;
    hash_sha256_hex(b.p, b.len, hex);
    return str_dup(a, str_n(hex, 2 * REVISION_BYTES));
}

/* --- sending ---------------------------------------------------------------------------------- */

enum err state_get_sending(const struct state *st, struct arena *a, struct str date,
                           struct sending *ret_sending)
{
    const struct json *item;
    TRY(get_item(st, a, date, "SEND", &item));
    *ret_sending = (struct sending){
        .exists = item != NULL,
        .revision = item_get_s(item, "revision_id"),
        .done_revision = item_get_s(item, "done_revision"),
        .owner = item_get_s(item, "owner_id"),
        .lease_until_ms = item_get_n(item, "lease_until"),
        .next = item_get_n(item, "next_customer"),
    };
    return ERR_OK;
}

enum err state_claim(const struct state *st, struct arena *a, struct str date, struct str revision,
                     struct str owner, int64_t now_ms, struct sending *old)
{
    struct buf b;
    struct json_out o;
    struct sending mine = {
        .exists = true,
        .revision = revision,
        .done_revision = old->done_revision,
        .owner = owner,
        .lease_until_ms = now_ms + STATE_LEASE_MS,
        .next = str_eq(old->revision, revision) ? old->next : 0,
    };
    begin(&o, &b, a, st);
    json_key(&o, STR("Item"));
    json_open(&o, '{');
    item_put_s(&o, "pk", date);
    item_put_s(&o, "sk", STR("SEND"));
    item_put_s(&o, "revision_id", mine.revision);
    if (mine.done_revision.len)
        item_put_s(&o, "done_revision", mine.done_revision);
    item_put_s(&o, "owner_id", mine.owner);
    item_put_n(&o, "lease_until", mine.lease_until_ms);
    item_put_n(&o, "next_customer", mine.next);
    json_close(&o, '}');
    if (!old->exists) {
        json_kv_str(&o, STR("ConditionExpression"), STR("attribute_not_exists(pk)"));
    } else {
        json_kv_str(&o, STR("ConditionExpression"),
                    STR("owner_id = :owner AND lease_until = :until AND next_customer = :next"));
        json_key(&o, STR("ExpressionAttributeValues"));
        json_open(&o, '{');
        item_put_s(&o, ":owner", old->owner);
        item_put_n(&o, ":until", old->lease_until_ms);
        item_put_n(&o, ":next", old->next);
        json_close(&o, '}');
    }
    json_close(&o, '}');
    TRY(call(st, a, "PutItem", &b, NULL));
    *old = mine;
    return ERR_OK;
}

enum err state_progress(const struct state *st, struct arena *a, struct str date, struct str owner,
                        int64_t next, int64_t lease_until_ms)
{
    struct buf b;
    struct json_out o;
    begin(&o, &b, a, st);
    put_key(&o, date, "SEND");
    json_kv_str(&o, STR("UpdateExpression"),
                STR("SET next_customer = :next, lease_until = :until"));
    json_kv_str(&o, STR("ConditionExpression"), STR("owner_id = :owner"));
    json_key(&o, STR("ExpressionAttributeValues"));
    json_open(&o, '{');
    item_put_n(&o, ":next", next);
    item_put_n(&o, ":until", lease_until_ms);
    item_put_s(&o, ":owner", owner);
    json_close(&o, '}');
    json_close(&o, '}');
    return call(st, a, "UpdateItem", &b, NULL);
}

enum err state_finish(const struct state *st, struct arena *a, struct str date, struct str owner,
                      struct str revision, int64_t messages, int64_t rejects)
{
    struct buf b;
    struct json_out o;
    begin(&o, &b, a, st);
    put_key(&o, date, "SEND");
    json_kv_str(&o, STR("UpdateExpression"),
                STR("SET done_revision = :revision, lease_until = :zero, messages = :messages, "
                    "rejects = :rejects"));
    json_kv_str(&o, STR("ConditionExpression"), STR("owner_id = :owner"));
    json_key(&o, STR("ExpressionAttributeValues"));
    json_open(&o, '{');
    item_put_s(&o, ":revision", revision);
    item_put_n(&o, ":zero", 0);
    item_put_n(&o, ":messages", messages);
    item_put_n(&o, ":rejects", rejects);
    item_put_s(&o, ":owner", owner);
    json_close(&o, '}');
    json_close(&o, '}');
    return call(st, a, "UpdateItem", &b, NULL);
}

/* --- aggregates ------------------------------------------------------------------------------- */

static void put_customer(struct json_out *o, struct arena *a, struct str date, struct str revision,
                         const struct customer *c)
{
    char total[MONEY_TEXT_MAX];
    json_open(o, '{');
    json_key(o, STR("PutRequest"));
    json_open(o, '{');
    json_key(o, STR("Item"));
    json_open(o, '{');
    item_put_s(o, "pk", date);
    item_put_s(o, "sk", str_fmt(a, "CUSTOMER#" STR_FMT, STR_ARG(c->id)));
    item_put_s(o, "customer_name", c->name);
    json_key(o, STR("total_amount_spent"));
    json_open(o, '{');
    json_kv_str(o, STR("N"), money_text(total, c->total));
    json_close(o, '}');
    item_put_n(o, "orders", c->n_orders);
    item_put_s(o, "revision_id", revision);
    json_close(o, '}');
    json_close(o, '}');
    json_close(o, '}');
}

enum err state_put_customers(const struct state *st, struct arena *a, struct str date,
                             struct str revision, const struct model *m, size_t from, size_t to)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, BODY_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_key(&o, STR("RequestItems"));
    json_open(&o, '{');
    json_key(&o, st->table);
    json_open(&o, '[');
    for (size_t i = from; i < to; i++)
        put_customer(&o, a, date, revision, &m->customers[i]);
    json_close(&o, ']');
    json_close(&o, '}');
    json_close(&o, '}');
    for (int tries = 0; tries < UNPROCESSED_TRIES_MAX; tries++) {
        const struct json *reply = NULL;
        TRY(call(st, a, "BatchWriteItem", &b, &reply));
        const struct json *left = json_get(reply, STR("UnprocessedItems"));
        if (!left || left->n == 0)
            return ERR_OK;
        buf_init_arena(&b, a, BODY_MAX);
        json_out_init(&o, &b);
        json_open(&o, '{');
        json_key(&o, STR("RequestItems"));
        json_tree(&o, left);
        json_close(&o, '}');
        (void)poll(NULL, 0, BACKOFF_MS << tries);
    }
    return ERR_TIMEOUT;
}
