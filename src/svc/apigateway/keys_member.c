/* Which keys are in which plans (UT2 of usage_store.h). Layer: svc/apigateway. Thread: the transaction's. */
#include "svc/apigateway/op_key_int.h"

static struct str member_key(struct call *call, struct str plan_id, struct str key_id)
{
    return key_make(call->arena, &usage_k_member, call_scope(call), plan_id, key_id);
}

size_t keys_member_place(const struct usage_key *key, struct str plan_id)
{
    for (size_t i = 0; i < key->n_plans; i++)
        if (str_eq(key->plans[i], plan_id))
            return i;
    return SIZE_MAX;
}

enum err keys_member_conflict(struct call *call, const struct usage_plan *plan,
                              const struct usage_stage *stage)
{
    return APIGATEWAY_CONFLICT(call,
                               "Usage plan " STR_FMT " cannot be added because API Key cannot "
                               "reference multiple Usage Plans with the same API stage: " STR_FMT
                               ":" STR_FMT,
                               STR_ARG(plan->id), STR_ARG(stage->api_id), STR_ARG(stage->stage));
}

/* keys_stages_check for one key. */
static enum err check_stages(struct call *call, const struct usage_plan *plan,
                             const struct usage_key *key)
{
    struct usage *u = apigateway_of(call)->usage;
    for (size_t i = 0; i < plan->n_stages; i++) {
        const struct usage_plan *other;
        const struct usage_stage *stage;
        enum err err =
            usage_find_plan(u->plans, call->txn, call_scope(call), key, plan->stages[i].api_id,
                            plan->stages[i].stage, &other, &stage);
        if (err == ERR_OK)
            return keys_member_conflict(call, plan, &plan->stages[i]);
        if (err != ERR_NOT_FOUND)
            return err;
    }
    return ERR_OK;
}

/* Plans that were deleted make room (UT3). */
static enum err forget_gone(struct call *call, struct usage_key *key)
{
    size_t n = 0;
    for (size_t i = 0; i < key->n_plans; i++) {
        struct str record;
        enum err err = txn_peek(
            call->txn, key_make(call->arena, &usage_k_plan, call_scope(call), key->plans[i]),
            &record);
        if (err == ERR_OK)
            key->plans[n++] = key->plans[i];
        else if (err != ERR_NOT_FOUND)
            return err;
    }
    key->n_plans = n;
    return ERR_OK;
}

enum err keys_member_add(struct call *call, const struct usage_plan *plan, struct usage_key *key)
{
    if (keys_member_place(key, plan->id) != SIZE_MAX)
        return APIGATEWAY_CONFLICT(call, "Usage Plan " STR_FMT " already has API Key " STR_FMT,
                                   STR_ARG(plan->id), STR_ARG(key->id));
    TRY(forget_gone(call, key));
    TRY(check_stages(call, plan, key));
    if (key->n_plans == USAGE_KEY_PLANS_MAX)
        return call_error(call, &apigateway_err_limit_exceeded_exception,
                          "An API Key can be in at most %d Usage Plans.", USAGE_KEY_PLANS_MAX);
    struct str *plans = ARENA_ARRAY(call->arena, struct str, key->n_plans + 1);
    if (!plans)
        return ERR_NOMEM;
    for (size_t i = 0; i < key->n_plans; i++)
        plans[i] = key->plans[i];
    plans[key->n_plans++] = plan->id;
    key->plans = plans;
    TRY(txn_put(call->txn, member_key(call, plan->id, key->id), STR("")));
    return keys_write(call, key);
}

enum err keys_member_drop(struct call *call, struct str plan_id, struct usage_key *key)
{
    const struct usage_member member = {call_scope(call), plan_id, key->id};
    size_t at = keys_member_place(key, plan_id);
    if (at != SIZE_MAX) {
        key->n_plans--;
        for (size_t i = at; i < key->n_plans; i++)
            key->plans[i] = key->plans[i + 1];
    }
    TRY(usage_counters_drop(apigateway_of(call)->usage->counters, call->txn, &member));
    return txn_del(call->txn, member_key(call, plan_id, key->id));
}
