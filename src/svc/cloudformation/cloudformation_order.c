/* Stacks in the order of their creation, deleted ones included: ListStacks tells of the newest first.
 *
 * Each new stack is put there with its record, and goes with it. Stores that were written before there was such an order
 * get it from a job that runs until all their stacks are in it, once:
 *
 *   job "cloudformation.order", a singleton; cursor: the key of the stack to go on after
 *
 * Layer: svc/cloudformation. Thread: the transaction's; the job's on the home loop. */
#include "deliver/deliver.h"
#include "svc/cloudformation/cloudformation_int.h"

static struct str key_of(struct txn *txn, const struct cfn_stack *s)
{
    return key_make(txn->arena, &cloudformation_k_order, cfn_scope(s), s->created_ms, s->uuid);
}

enum err cfn_order_put(struct txn *txn, const struct cfn_stack *s)
{
    return txn_put(txn, key_of(txn, s), s->uuid);
}

enum err cfn_order_drop(struct txn *txn, const struct cfn_stack *s)
{
    return txn_del(txn, key_of(txn, s));
}

/* --- older stores ------------------------------------------------------------------------------- */

struct ordering {
    struct txn *txn;
    struct job *job;
    struct job_budget *budget;
    bool more;
};

static enum err order_one(void *arg, struct str key, struct str value)
{
    struct ordering *o = arg;
    struct cfn_stack s;
    struct str at = str_dup(o->txn->arena, key), bytes = str_dup(o->txn->arena, value);
    if (!str_is_set(at) || !str_is_set(bytes))
        return ERR_NOMEM;
    TRY(cfn_stack_unpack(o->txn, bytes, &s));
    TRY(cfn_order_put(o->txn, &s));
    o->job->cursor = at;
    job_spend(o->budget, 1);
    o->more = job_spent(o->budget);
    return o->more ? ERR_CLOSED : ERR_OK;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct ordering o = {.txn = txn, .job = job, .budget = budget};
    struct str done = key_prefix_vals(txn->arena, &cloudformation_k_ordered, NULL, 0), value;
    struct key_range all = key_range_table(txn->arena, &cloudformation_k_stack);
    (void)self;
    *ret_state = JOB_DONE;
    enum err err = txn_get(txn, done, &value);
    if (err != ERR_NOT_FOUND)
        return err;
    if (str_is_set(all.from) && !str_empty(job->cursor))
        all.from = job->cursor;
    TRY(txn_each(txn, all, order_one, &o));
    if (!o.more)
        return txn_put(txn, done, STR(""));
    *ret_state = JOB_MORE;
    return ERR_OK;
}

enum err cfn_order_register(struct cfn *c)
{
    const struct job_def def = {
        .name = "cloudformation.order",
        .self = c,
        .step = step,
        .at_once = 1,
        .singleton = true,
    };
    struct job_kind *kind;
    return job_register(deliver_due(c->core->deliver), &def, &kind);
}
