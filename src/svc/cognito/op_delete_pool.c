/* DeleteUserPool: the pool and its guard go at once, and with them every way to what it had; that is
 * removed by a job.
 * Layer: svc/cognito. Thread: the call's; steps on the home loop. */
#include "svc/cognito/cognito_int.h"

enum err cognito_delete_user_pool(struct call *call,
                                  const struct cognito_delete_user_pool_input *in,
                                  struct cognito_delete_user_pool_output *out)
{
    struct cognito *c = cognito_of(call);
    const struct cognito_pool *pool;
    TRY(cognito_pool_need(call, in->user_pool_id, &pool));
    const struct key_scope scope = {pool->rec.account, pool->rec.region};
    TRY(cognito_pool_guard(call->txn, pool));
    if (str_eq_c(pool->set.deletion_protection, "ACTIVE"))
        return COGNITO_INVALID(call,
                               "The user pool cannot be deleted because deletion protection "
                               "is activated. Deletion protection must be inactivated first.");
    if (str_is_set(pool->set.domain))
        return COGNITO_INVALID(call, "User pool cannot be deleted. It has a domain configured that "
                                     "should be deleted first.");
    TRY(tags_drop(call->txn, pool->arn));
    TRY(txn_del(call->txn, key_make(call->arena, &cognito_k_guard, pool->rec.id)));
    for (int use = 0; use < COGNITO_KEYS; use++)
        TRY(catalogue_del(c->keys, call->txn,
                          cognito_key_key(call->arena, pool, (enum cognito_key_use)use)));
    TRY(catalogue_del(c->pools, call->txn,
                      key_make(call->arena, &cognito_k_pool, scope, pool->rec.id)));
    return job_add(call->txn, c->removal, pool->rec.id, STR(""));
}

/* --- the rest ----------------------------------------------------------------------------------- */

struct emptying {
    struct cognito *c;
    struct txn *txn;
    struct job_budget *budget;
    bool more;
};

static enum err drop_client(void *arg, struct str key, struct str record)
{
    struct emptying *e = arg;
    if (job_spent(e->budget)) {
        e->more = true;
        return ERR_CLOSED;
    }
    job_spend(e->budget, 1);
    struct str copy = str_dup(e->txn->arena, key);
    return str_is_set(copy) ? catalogue_del(e->c->clients, e->txn, copy) : ERR_NOMEM;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    static const struct key_layout *const tables[] = {
        &cognito_k_user,   &cognito_k_alias,    &cognito_k_group,
        &cognito_k_member, &cognito_k_in_group, &cognito_k_server,
    };
    struct emptying e = {self, txn, budget, false};
    struct str id = job->key;
    TRY(txn_each(txn, key_range(txn->arena, &cognito_k_client, id), drop_client, &e));
    for (size_t i = 0; !e.more && i < ARRAY_LEN(tables); i++) {
        struct key_range range = key_range(txn->arena, tables[i], id);
        if (!str_is_set(range.from))
            return ERR_NOMEM;
        TRY(job_remove_range(txn, &range.from, range.to, budget, &e.more));
    }
    *ret_state = e.more ? JOB_MORE : JOB_DONE;
    return ERR_OK;
}

enum err cognito_removal_register(struct cognito *c)
{
    const struct job_def def = {.name = "cognito.removal", .self = c, .step = step, .at_once = 1};
    return job_register(deliver_due(c->core->deliver), &def, &c->removal);
}
