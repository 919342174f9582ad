/* What phases, nodes and operations have in common: is the stack still where a run began, what of a resource was left
 * half done, and who waits is told to look again.
 *
 * Layer: svc/cloudformation. Thread: the home loop, but for cfn_poke (the transaction's). */
#include <assert.h>

#include "base/mem.h"
#include "svc/cloudformation/cloudformation_run.h"

enum err cfn_phase_check(struct txn *txn, struct cfn_run *run, struct cfn_stack *ret)
{
    TRY(cfn_stack_read(txn, cfn_run_scope(run), cfn_run_uuid(run), ret));
    if (ret->op_no == run->stack.op_no && ret->status == run->stack.status)
        return ERR_OK;
    run->stale = true;
    return ERR_CLOSED;
}

/* Whether a call may have been carried out of which nothing is known yet: first that must be found out (CF5). */
bool cfn_is_open(const struct cfn_resource *r)
{
    const struct cfn_work *w = r->work;
    return w && w->again && w->verb == TYPE_CREATE && !str_is_set(w->goal.physical_id);
}

void cfn_settle(struct cfn_resource *r, struct arena *a)
{
    struct cfn_work *w = r->work;
    r->work = NULL;
    if (!w || w->verb == TYPE_DELETE || !str_is_set(w->goal.physical_id) || w->on_before)
        return;
    struct cfn_thing *made = ARENA_NEW(a, struct cfn_thing);
    if (!made)
        return; /* the arena says so */
    *made = w->goal;
    if (w->verb == TYPE_UPDATE) {
        if (!w->calls)
            return;
        if (!r->before)
            r->before = r->now;
        if (r->changed == CFN_UNCHANGED)
            r->changed = CFN_CHANGED;
    } else if (w->replaces) {
        if (!r->before)
            r->before = r->now;
        r->changed = CFN_REPLACED;
    } else {
        r->changed = CFN_CREATED;
    }
    r->now = made;
}

struct str cfn_name_in(struct arena *a, struct str parent, struct str id, struct str token)
{
    size_t left = CFN_NAME_MAX - token.len - 2;
    id = str_sub(id, 0, left / 2);
    return str_fmt(a, STR_FMT "-" STR_FMT "-" STR_FMT, STR_ARG(str_sub(parent, 0, left - id.len)),
                   STR_ARG(id), STR_ARG(token));
}

struct str cfn_made_name(const struct cfn_step *step)
{
    return cfn_name_in(step->a, step->stack->name, step->resource->id, step->work->token);
}

/* --- pokes -------------------------------------------------------------------------------------- */

/* Lifetime: until it ran. */
struct poke {
    struct io_task task;
    struct cfn *c;
    char uuid[CFN_UUID_LEN];
};

static void poked(struct io_task *task)
{
    struct poke *p = CONTAINER_OF(task, struct poke, task);
    for (struct cfn_run *run = p->c->runs ? p->c->runs->first : NULL; run; run = run->next)
        if (run->fire && memcmp(run->uuid, p->uuid, CFN_UUID_LEN) == 0) {
            bool any = false;
            for (size_t i = 0; i < run->n; i++)
                any |= run->nodes[i].poked = true;
            if (any)
                p->c->runs->pump(run);
            break;
        }
    mem_free(p);
}

struct poke_hook {
    struct cfn *c;
    struct str uuid;
};

static void poke_durable(void *arg)
{
    const struct poke_hook *h = arg;
    struct poke *p = mem_calloc(1, sizeof(*p));
    if (!p) /* who sleeps looks again by itself, later */
        return;
    p->c = h->c;
    memcpy(p->uuid, h->uuid.p, CFN_UUID_LEN);
    p->task.fn = poked;
    io_post(core_home_loop(h->c->core), &p->task);
}

enum err cfn_poke(struct cfn *c, struct txn *txn, struct str uuid)
{
    struct poke_hook *h = ARENA_NEW(txn->arena, struct poke_hook);
    if (!h)
        return ERR_NOMEM;
    assert(uuid.len == CFN_UUID_LEN);
    *h = (struct poke_hook){c, uuid};
    return txn_on_durable(txn, poke_durable, h);
}
