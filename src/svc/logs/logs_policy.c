/* Policies of an account's log groups: who else may write there (event buses above all). All of an
 * account and region are one record, mirrored in memory as the one document that they are together,
 * since every request of the service asks for it.
 *
 * Layer: svc/logs. Thread: the transaction's. */
#include "base/record.h"
#include "codec/json.h"
#include "svc/logs/logs_int.h"

enum {
    OBJECT_BYTES_MAX = 4 * 1024 * 1024,
    TOGETHER_MAX = 2 * LOGS_POLICIES_MAX * LOGS_POLICY_BYTES_MAX,
};

static const struct record_field policy_fields[] = {
    REC_STR(struct logs_policy, name),
    REC_STR(struct logs_policy, document),
    REC_INT(struct logs_policy, updated_ms),
};
static const struct record_type policy_type = RECORD_TYPE(struct logs_policy, 1, policy_fields);

static const struct record_field policies_fields[] = {
    REC_ARRAY(struct logs_policies, v, n, &policy_type),
};
static const struct record_type policies_type =
    RECORD_TYPE(struct logs_policies, 1, policies_fields);

/* Adds the statements of one document. Documents were checked when they were stored. */
static enum err add_statements(struct arena *a, struct json_out *o, struct str document)
{
    struct json *doc;
    enum err err = json_parse(a, document, &doc, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_CORRUPT;
    const struct json *st = json_get(doc, STR("Statement"));
    if (st && st->kind == JSON_OBJECT)
        json_tree(o, st);
    else
        JSON_EACH (st, it)
            json_tree(o, it);
    return ERR_OK;
}

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    struct logs_policies *p = CONTAINER_OF(object, struct logs_policies, object);
    struct arena *a = &object->arena;
    struct buf b;
    struct json_out o;
    TRY(record_unpack_copy(&policies_type, a, record, p));
    buf_init_arena(&b, a, TOGETHER_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("Version"), STR("2012-10-17"));
    json_key(&o, STR("Statement"));
    json_open(&o, '[');
    for (size_t i = 0; i < p->n; i++)
        TRY(add_statements(a, &o, p->v[i].document));
    json_close(&o, ']');
    json_close(&o, '}');
    p->together = buf_str(&b);
    return buf_err(&b);
}

static const struct catalogue_type type = {
    .name = "logs: policies",
    .size = sizeof(struct logs_policies),
    .arena_max = OBJECT_BYTES_MAX,
    .decode = decode,
};

enum err logs_policies_init(struct logs *logs)
{
    return catalogue_new(logs->core, &type, logs, &logs->policies);
}

enum err logs_policies_load(struct txn *txn, void *logs)
{
    return catalogue_load(((struct logs *)logs)->policies, txn,
                          key_range_table(txn->arena, &logs_k_policies).from);
}

enum err logs_policies_read(struct logs *logs, struct txn *txn, struct key_scope scope,
                            struct logs_policies **ret)
{
    void *object;
    enum err err =
        catalogue_read(logs->policies, txn, key_make(txn->arena, &logs_k_policies, scope), &object);
    if (err == ERR_NOT_FOUND) {
        object = ARENA_NEW(txn->arena, struct logs_policies);
        err = object ? ERR_OK : ERR_NOMEM;
    }
    TRY(err);
    *ret = object;
    return ERR_OK;
}

enum err logs_policies_write(struct logs *logs, struct txn *txn, struct key_scope scope,
                             const struct logs_policies *p)
{
    struct str record, key = key_make(txn->arena, &logs_k_policies, scope);
    if (p->n == 0)
        return str_is_set(key) ? catalogue_del(logs->policies, txn, key) : ERR_NOMEM;
    TRY(record_make(&policies_type, txn->arena, p, &record));
    return catalogue_put(logs->policies, txn, key, record);
}

enum err logs_resource_policy(void *self, struct txn *txn, struct str text, struct str *ret_json)
{
    struct logs *logs = self;
    struct arn arn;
    void *object;
    *ret_json = STR_NONE;
    if (arn_parse_as(text, "logs", "log-group", &arn) != ERR_OK)
        return ERR_OK;
    struct key_scope scope = {arn.account, arn.region};
    struct str key = key_make(txn->arena, &logs_k_policies, scope);
    enum err err = str_is_set(key) ? catalogue_get(logs->policies, txn, key, &object) : ERR_NOMEM;
    if (err == ERR_OK)
        *ret_json = ((const struct logs_policies *)object)->together;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
