/* API keys and usage plans as they are stored, and how a request finds them.
 *
 * Invariants
 *   UT1  A key's value is stored sealed (core/secret.h), and found by its HMAC: the store's files give
 *        no key away. What is found there is all that a request needs of the key, which changes with the
 *        key's record: one point read, so that many keys, of which none is in a cache, cost one miss.
 *   UT2  A key's record names its plans, at most USAGE_KEY_PLANS_MAX; the plan's list of keys
 *        (usage_k_member) says the same the other way, in the same commits.
 *   UT3  A name of a plan that is gone counts for nothing: deleting a plan need not touch its keys.
 *
 * Layer: svc/apigateway. */
#ifndef WEIR_SVC_APIGATEWAY_USAGE_STORE_H
#define WEIR_SVC_APIGATEWAY_USAGE_STORE_H

#include "base/record.h"
#include "codec/hash.h"
#include "core/catalogue.h"
#include "svc/apigateway/usage.h"
#include "svc/apigateway/usage_keys.h"
#include "svc/apigateway/usage_quota.h"

enum {
    USAGE_VALUE_MIN = 20, /* bytes of a key's value */
    USAGE_VALUE_MAX = 128,
    USAGE_PLANS_MAX = 300,         /* of an account and region */
    USAGE_PLAN_STAGES_MAX = 100,   /* of a plan */
    USAGE_STAGE_METHODS_MAX = 300, /* throttled by themselves, of a stage of a plan */
    USAGE_PLAN_ARENA_MAX = 4 * 1024 * 1024,
};

struct usage_key {
    struct str id, name, description, customer_id;
    struct str sealed; /* its value (UT1) */
    bool enabled;
    int64_t created_ms, updated_ms;
    struct str *plans; /* ids */
    size_t n_plans;
};

struct usage_throttle {
    struct str method; /* "/cars/{id}/GET" */
    struct usage_limit limit;
};

struct usage_stage {
    struct str api_id, stage;
    struct usage_throttle *throttles;
    size_t n_throttles;
};

struct usage_plan {
    struct str id, name, description, product_code;
    struct usage_stage *stages;
    size_t n_stages;
    struct usage_limit limit;
    struct usage_quota quota;
};

extern const struct record_type usage_key_type, usage_plan_type, usage_count_type, usage_day_type;
/* Of struct usage_key: id, customer, enabled, plans. */
extern const struct record_type usage_pass_type;

/* A plan in memory. */
struct usage_plan_object {
    struct catalogue_object object;
    struct usage_plan plan;
};
extern const struct catalogue_type usage_plan_catalogue;

/* The HMAC that a value, of at most USAGE_VALUE_MAX bytes, is found by. Any thread. */
void usage_value_mac(const struct core *core, struct str value, uint8_t ret_mac[HASH_SHA256_LEN]);
/* The key with that value, untracked; also a disabled one. Only what usage_pass_type says is set.
 * ERR_NOT_FOUND. */
enum err usage_find_key(struct txn *txn, struct key_scope scope, struct str value,
                        struct usage_key *ret) WARN_UNUSED;
/* By id, tracked. ERR_NOT_FOUND. */
enum err usage_read_key(struct txn *txn, struct key_scope scope, struct str id,
                        struct usage_key *ret) WARN_UNUSED;
/* The plan of a key that holds the stage, and its entry of the stage; held until the transaction's arena
 * goes. ERR_NOT_FOUND. */
enum err usage_find_plan(struct catalogue *plans, struct txn *txn, struct key_scope scope,
                         const struct usage_key *key, struct str api_id, struct str stage,
                         const struct usage_plan **ret_plan,
                         const struct usage_stage **ret_stage) WARN_UNUSED;
const struct usage_stage *usage_plan_stage(const struct usage_plan *plan, struct str api_id,
                                           struct str stage);
/* The limit of one method of a stage, or NULL. */
const struct usage_limit *usage_stage_limit(const struct usage_stage *stage, struct str path,
                                            struct str method);

#endif
