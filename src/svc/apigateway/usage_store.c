/* See usage_store.h. Layer: svc/apigateway. */
#include "svc/apigateway/usage_store.h"

#include <assert.h>

#include "core/core.h"

/* Sets these HMACs apart from all others under the same key. */
#define VALUE_LABEL "apigateway: value of an API key: "

/* --- records ----------------------------------------------------------------------------------- */

static const struct record_field key_fields[] = {
    REC_STR(struct usage_key, id),
    REC_STR(struct usage_key, name),
    REC_STR(struct usage_key, description),
    REC_STR(struct usage_key, customer_id),
    REC_STR(struct usage_key, sealed),
    REC_BOOL(struct usage_key, enabled),
    REC_INT(struct usage_key, created_ms),
    REC_INT(struct usage_key, updated_ms),
    REC_LIST(struct usage_key, plans, n_plans, USAGE_KEY_PLANS_MAX, &record_str),
};
const struct record_type usage_key_type = RECORD_TYPE(struct usage_key, 1, key_fields);

static const struct record_field pass_fields[] = {
    REC_STR(struct usage_key, id),
    REC_STR(struct usage_key, customer_id),
    REC_BOOL(struct usage_key, enabled),
    REC_LIST(struct usage_key, plans, n_plans, USAGE_KEY_PLANS_MAX, &record_str),
};
const struct record_type usage_pass_type = RECORD_TYPE(struct usage_key, 1, pass_fields);

static const struct record_field limit_fields[] = {
    REC_BOOL(struct usage_limit, set),
    REC_F64(struct usage_limit, rate),
    REC_F64(struct usage_limit, burst),
};
static const struct record_type limit_type = RECORD_TYPE(struct usage_limit, 1, limit_fields);

static const struct record_field throttle_fields[] = {
    REC_STR(struct usage_throttle, method),
    REC_STRUCT(struct usage_throttle, limit, &limit_type),
};
static const struct record_type throttle_type =
    RECORD_TYPE(struct usage_throttle, 1, throttle_fields);

static const struct record_field stage_fields[] = {
    REC_STR(struct usage_stage, api_id),
    REC_STR(struct usage_stage, stage),
    REC_LIST(struct usage_stage, throttles, n_throttles, USAGE_STAGE_METHODS_MAX, &throttle_type),
};
static const struct record_type stage_type = RECORD_TYPE(struct usage_stage, 1, stage_fields);

static const struct record_field quota_fields[] = {
    REC_ENUM(struct usage_quota, period, USAGE_PERIODS),
    REC_INT(struct usage_quota, limit),
    REC_INT(struct usage_quota, offset),
};
static const struct record_type quota_type = RECORD_TYPE(struct usage_quota, 1, quota_fields);

static const struct record_field plan_fields[] = {
    REC_STR(struct usage_plan, id),
    REC_STR(struct usage_plan, name),
    REC_STR(struct usage_plan, description),
    REC_STR(struct usage_plan, product_code),
    REC_LIST(struct usage_plan, stages, n_stages, USAGE_PLAN_STAGES_MAX, &stage_type),
    REC_STRUCT(struct usage_plan, limit, &limit_type),
    REC_STRUCT(struct usage_plan, quota, &quota_type),
};
const struct record_type usage_plan_type = RECORD_TYPE(struct usage_plan, 1, plan_fields);

static const struct record_field day_fields[] = {
    REC_INT(struct usage_day, day),
    REC_INT(struct usage_day, used),
    REC_INT(struct usage_day, left),
};
const struct record_type usage_day_type = RECORD_TYPE(struct usage_day, 1, day_fields);

static const struct record_field count_fields[] = {
    REC_INT(struct usage_count, first_day),
    REC_INT(struct usage_count, used),
    REC_INT(struct usage_count, granted),
    REC_STRUCT(struct usage_count, today, &usage_day_type),
    REC_STRUCT(struct usage_count, before, &usage_day_type),
};
const struct record_type usage_count_type = RECORD_TYPE(struct usage_count, 1, count_fields);

/* --- plans in memory --------------------------------------------------------------------------- */

static enum err decode_plan(void *self, struct catalogue_object *object, struct str record)
{
    struct usage_plan_object *p = CONTAINER_OF(object, struct usage_plan_object, object);
    return record_unpack_copy(&usage_plan_type, &object->arena, record, &p->plan);
}

const struct catalogue_type usage_plan_catalogue = {
    .name = "apigateway: usage plan",
    .size = sizeof(struct usage_plan_object),
    .arena_max = USAGE_PLAN_ARENA_MAX,
    .when = CATALOGUE_COMMITTED,
    .lack = CATALOGUE_RETRY,
    .decode = decode_plan,
};

/* --- finding ----------------------------------------------------------------------------------- */

void usage_value_mac(const struct core *core, struct str value, uint8_t ret_mac[HASH_SHA256_LEN])
{
    char text[sizeof(VALUE_LABEL) + USAGE_VALUE_MAX];
    struct buf b;
    assert(value.len <= USAGE_VALUE_MAX);
    buf_init_fixed(&b, text, sizeof(text));
    BUF_ADD_LIT(&b, VALUE_LABEL);
    buf_add_str(&b, value);
    hmac_sha256(core->secret_key, sizeof(core->secret_key), b.p, b.len, ret_mac);
}

/* What a store has of a key that was written before requests found all of it here; a record begins with
 * its version, which is no letter or digit. */
static bool is_id(struct str record)
{
    return record.len > 0 && record.p[0] >= '0';
}

enum err usage_find_key(struct txn *txn, struct key_scope scope, struct str value,
                        struct usage_key *ret)
{
    uint8_t mac[HASH_SHA256_LEN];
    struct str record;
    if (value.len > USAGE_VALUE_MAX)
        return ERR_NOT_FOUND;
    usage_value_mac(txn->core, value, mac);
    TRY(txn_peek(txn, key_make(txn->arena, &usage_k_value, scope, str_n((char *)mac, sizeof(mac))),
                 &record));
    *ret = (struct usage_key){0};
    if (!is_id(record))
        return record_unpack(&usage_pass_type, txn->arena, record, ret);
    TRY(txn_peek(txn, key_make(txn->arena, &usage_k_key, scope, record), &record));
    return record_unpack(&usage_key_type, txn->arena, record, ret);
}

enum err usage_read_key(struct txn *txn, struct key_scope scope, struct str id,
                        struct usage_key *ret)
{
    struct str record;
    TRY(txn_get(txn, key_make(txn->arena, &usage_k_key, scope, id), &record));
    return record_unpack(&usage_key_type, txn->arena, record, ret);
}

const struct usage_stage *usage_plan_stage(const struct usage_plan *plan, struct str api_id,
                                           struct str stage)
{
    for (size_t i = 0; i < plan->n_stages; i++)
        if (str_eq(plan->stages[i].api_id, api_id) && str_eq(plan->stages[i].stage, stage))
            return &plan->stages[i];
    return NULL;
}

enum err usage_find_plan(struct catalogue *plans, struct txn *txn, struct key_scope scope,
                         const struct usage_key *key, struct str api_id, struct str stage,
                         const struct usage_plan **ret_plan, const struct usage_stage **ret_stage)
{
    for (size_t i = 0; i < key->n_plans; i++) {
        void *object;
        struct str name = key_make(txn->arena, &usage_k_plan, scope, key->plans[i]);
        enum err err = str_is_set(name) ? catalogue_get(plans, txn, name, &object) : ERR_NOMEM;
        if (err == ERR_NOT_FOUND) /* UT3 */
            continue;
        TRY(err);
        const struct usage_plan_object *o = object;
        const struct usage_stage *s = usage_plan_stage(&o->plan, api_id, stage);
        if (!s)
            continue;
        *ret_plan = &o->plan;
        *ret_stage = s;
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

const struct usage_limit *usage_stage_limit(const struct usage_stage *stage, struct str path,
                                            struct str method)
{
    for (size_t i = 0; i < stage->n_throttles; i++) {
        struct str name = stage->throttles[i].method;
        if (name.len == path.len + 1 + method.len && str_starts(name, path) &&
            str_ends(name, method) && name.p[path.len] == '/')
            return &stage->throttles[i].limit;
    }
    return NULL;
}
