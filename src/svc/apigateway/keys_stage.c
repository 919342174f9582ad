/* Stages of usage plans: what holds between plans, their keys, and stages that go. Layer: svc/apigateway.
 * Thread: the transaction's. */
#include "svc/apigateway/op_key_int.h"

/* The plans of the account and region, from memory. */
static enum err all_plans(struct call *call, struct catalogue_page *ret)
{
    struct str prefix = key_prefix(call->arena, &usage_k_plan, call_scope(call));
    if (!str_is_set(prefix))
        return ERR_NOMEM;
    return catalogue_list(apigateway_of(call)->usage->plans, call->txn, prefix, STR_NONE,
                          USAGE_PLANS_MAX, ret);
}

static const struct usage_plan *plan_at(const struct catalogue_page *plans, size_t i)
{
    return &((const struct usage_plan_object *)plans->objects[i])->plan;
}

/* --- one plan for a key and a stage --------------------------------------------------------------- */

struct check {
    struct call *call;
    const struct usage_plan *plan;
    const struct usage_plan **others; /* that have a stage of the plan's */
    size_t n_others;
};

static bool share_a_stage(const struct usage_plan *a, const struct usage_plan *b,
                          const struct usage_stage **ret)
{
    for (size_t i = 0; i < a->n_stages; i++) {
        *ret = &a->stages[i];
        if (usage_plan_stage(b, a->stages[i].api_id, a->stages[i].stage))
            return true;
    }
    return false;
}

static enum err check_member(void *arg, struct str key, struct str record)
{
    struct check *c = arg;
    const struct usage_stage *s = NULL;
    struct call *call = c->call;
    struct usage_key k;
    struct str id;
    TRY(key_read(&usage_k_member, key, call->arena, KEY_SKIP, KEY_SKIP, &id));
    TRY(usage_read_key(call->txn, call_scope(call), id, &k));
    for (size_t i = 0; i < c->n_others; i++)
        if (keys_member_place(&k, c->others[i]->id) != SIZE_MAX &&
            share_a_stage(c->plan, c->others[i], &s))
            return keys_member_conflict(call, c->plan, s);
    return ERR_OK;
}

enum err keys_stages_check(struct call *call, const struct usage_plan *plan)
{
    struct catalogue_page plans;
    const struct usage_stage *s;
    TRY(all_plans(call, &plans));
    struct check c = {call, plan, ARENA_ARRAY(call->arena, const struct usage_plan *, plans.n), 0};
    if (!c.others)
        return ERR_NOMEM;
    for (size_t i = 0; i < plans.n; i++)
        if (!str_eq(plan_at(&plans, i)->id, plan->id) &&
            share_a_stage(plan, plan_at(&plans, i), &s))
            c.others[c.n_others++] = plan_at(&plans, i);
    if (c.n_others == 0)
        return ERR_OK;
    return txn_each(call->txn, key_range(call->arena, &usage_k_member, call_scope(call), plan->id),
                    check_member, &c);
}

/* --- a stage that goes ---------------------------------------------------------------------------- */

static enum err leave(struct call *call, struct str plan_id, struct str api_id, struct str stage)
{
    struct usage_plan p;
    struct str record;
    size_t n = 0;
    enum err err = txn_get(call->txn, keys_plan_key(call, plan_id), &record);
    if (err == ERR_NOT_FOUND) /* deleted, and not yet out of memory */
        return ERR_OK;
    TRY(err);
    TRY(record_unpack(&usage_plan_type, call->arena, record, &p));
    for (size_t i = 0; i < p.n_stages; i++)
        if (!str_eq(p.stages[i].api_id, api_id) || !str_eq(p.stages[i].stage, stage))
            p.stages[n++] = p.stages[i];
    p.n_stages = n;
    return keys_plan_write(call, &p);
}

enum err keys_stage_gone(struct call *call, struct str api_id, struct str stage)
{
    struct catalogue_page plans;
    TRY(all_plans(call, &plans));
    for (size_t i = 0; i < plans.n; i++)
        if (usage_plan_stage(plan_at(&plans, i), api_id, stage))
            TRY(leave(call, plan_at(&plans, i)->id, api_id, stage));
    return ERR_OK;
}
