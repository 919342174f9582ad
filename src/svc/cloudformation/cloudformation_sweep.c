/* What goes with time: a stack's events CFN_KEPT_MS after they were told, and a stack that was deleted with all that
 * is left of it as long after its deletion. Templates that nothing refers to any more go with the commit that says so
 * (cfn_template_drop).
 *
 *   job "cloudformation.sweep", one for each stack; key: its UUID; argument: account/region; cursor: the event to go on at
 *
 *     an operation ended --job_add--> events that are due --> deleted? change sets, templates, and once it is due the rest
 *                                       ^                                                                      |
 *                                       +---- when the next of them is due, at the latest after CFN_KEPT_MS ---+--> gone
 *
 * Nothing is looked for: each job knows its stack and the moment of its oldest event. The stack's record goes last, so
 * that a crash leaves a stack whose job goes on (JB1), never what no job would find.
 *
 * Source: CloudFormation user guide, "View stack events": deleted stacks and events are there for 90 days.
 * Layer: svc/cloudformation. Thread: the home loop. */
#include "deliver/deliver.h"
#include "svc/cloudformation/cloudformation_int.h"

struct sweeping {
    struct cfn *c;
    struct txn *txn;
    struct job *job;
    struct job_budget *budget;
    struct cfn_stack s;
    int64_t
        next_ms; /* by the wall clock: when the oldest event that is left is due; 0: none is left */
    bool more;   /* the budget is spent before the work */
};

enum err cfn_sweep_later(struct cfn *c, struct txn *txn, const struct cfn_stack *s)
{
    return job_add(txn, c->sweeps, s->uuid, cfn_job_argument(txn->arena, s));
}

/* --- events ------------------------------------------------------------------------------------- */

static enum err drop_event(void *arg, struct str key, struct str value)
{
    struct sweeping *w = arg;
    struct cfn_event e;
    TRY(cfn_event_unpack(w->txn, value, &e));
    struct str at = str_dup(w->txn->arena, key);
    if (!str_is_set(at))
        return ERR_NOMEM;
    w->job->cursor = at;
    if (e.ms + CFN_KEPT_MS > w->txn->wall_ms) {
        w->next_ms = e.ms + CFN_KEPT_MS;
        return ERR_CLOSED;
    }
    job_spend(w->budget, 1);
    TRY(txn_del(w->txn, at));
    w->more = job_spent(w->budget);
    return w->more ? ERR_CLOSED : ERR_OK;
}

/* In the order of their commits, so the first that is too young ends it. */
static enum err drop_events(struct sweeping *w)
{
    struct key_range range = key_range(w->txn->arena, &cloudformation_k_event, w->s.uuid);
    if (str_is_set(range.from) && !str_empty(w->job->cursor))
        range.from = w->job->cursor;
    return txn_each(w->txn, range, drop_event, w);
}

/* --- stacks that are no more -------------------------------------------------------------------- */

static enum err remove_range(struct sweeping *w, struct str from, struct str to)
{
    if (w->more)
        return ERR_OK;
    if (!str_is_set(from) || !str_is_set(to))
        return ERR_NOMEM;
    return job_remove_range(w->txn, &from, to, w->budget, &w->more);
}

static enum err remove_all(struct sweeping *w, const struct key_layout *layout)
{
    struct key_range range = key_range(w->txn->arena, layout, w->s.uuid);
    return remove_range(w, range.from, range.to);
}

static enum err drop_change_set(void *arg, struct str key, struct str value)
{
    struct sweeping *w = arg;
    struct cfn_change_set cs;
    (void)key;
    TRY(cfn_change_set_unpack(w->txn, value, &cs));
    TRY(cfn_hierarchy_drop(w->c, w->txn, &w->s, &cs));
    job_spend(w->budget, 1);
    w->more = job_spent(w->budget);
    return w->more ? ERR_CLOSED : ERR_OK;
}

/* Of a deleted stack its last template is shown on; the others were those of change sets, or of an update that failed. */
static enum err drop_other_templates(struct sweeping *w)
{
    struct arena *a = w->txn->arena;
    uint64_t no = w->s.config.template_no;
    struct key_range range = key_range(a, &cloudformation_k_template, w->s.uuid);
    TRY(remove_range(w, range.from,
                     key_make(a, &cloudformation_k_template, w->s.uuid, no, (uint8_t)0)));
    return remove_range(w, key_make(a, &cloudformation_k_template, w->s.uuid, no + 1, (uint8_t)0),
                        range.to);
}

static enum err drop_rest(struct sweeping *w)
{
    TRY(remove_all(w, &cloudformation_k_event));
    TRY(remove_all(w, &cloudformation_k_resource));
    TRY(remove_all(w, &cloudformation_k_template));
    if (w->more)
        return ERR_OK;
    TRY(cfn_order_drop(w->txn, &w->s));
    return txn_del(w->txn,
                   key_make(w->txn->arena, &cloudformation_k_stack, cfn_scope(&w->s), w->s.uuid));
}

static enum err drop_deleted(struct sweeping *w, bool *ret_gone)
{
    struct key_range sets = key_range(w->txn->arena, &cloudformation_k_change_set, w->s.uuid);
    int64_t due_ms = w->s.deleted_ms + CFN_KEPT_MS;
    TRY(txn_each(w->txn, sets, drop_change_set, w));
    TRY(drop_other_templates(w));
    if (w->txn->wall_ms >= due_ms)
        TRY(drop_rest(w));
    else if (!w->next_ms || due_ms < w->next_ms)
        w->next_ms = due_ms;
    *ret_gone = !w->more && w->txn->wall_ms >= due_ms;
    return ERR_OK;
}

/* --- the job ------------------------------------------------------------------------------------ */

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct sweeping w = {.c = self, .txn = txn, .job = job, .budget = budget};
    bool gone = false;
    enum err err = cfn_stack_read(txn, cfn_job_scope(job->argument), job->key, &w.s);
    *ret_state = JOB_DONE;
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    TRY(drop_events(&w));
    if (!w.more && w.s.status == CFN_DELETE_COMPLETE)
        TRY(drop_deleted(&w, &gone));
    if (gone)
        return ERR_OK;
    *ret_state = w.more ? JOB_MORE : JOB_WAIT;
    int64_t in_ms = w.next_ms ? w.next_ms - txn->wall_ms : CFN_KEPT_MS;
    job->wait_until_ms = txn->now_ms + max_i64(in_ms, 1);
    return ERR_OK;
}

/* --- drift detections --------------------------------------------------------------------------- */

static enum err forget_detection(void *self, struct txn *txn, struct due_fire *f)
{
    (void)self;
    return txn_del(txn, f->key);
}

enum err cfn_detection_keep(struct cfn *c, struct txn *txn, struct str key,
                            const struct cfn_detection *d)
{
    TRY(txn_write(txn, key, &cfn_detection_type, d));
    return due_set(txn, c->detections, key, txn->now_ms + CFN_KEPT_MS, STR(""));
}

enum err cfn_sweep_register(struct cfn *c)
{
    const struct job_def sweep = {
        .name = "cloudformation.sweep",
        .self = c,
        .step = step,
        .at_once = 1,
    };
    const struct due_def detections = {
        .name = "cloudformation.detection",
        .self = c,
        .fire = forget_detection,
        .running_max = 4,
    };
    struct due *due = deliver_due(c->core->deliver);
    TRY(job_register(due, &sweep, &c->sweeps));
    return due_register(due, &detections, &c->detections);
}
