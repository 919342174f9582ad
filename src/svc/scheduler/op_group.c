/* CreateScheduleGroup, GetScheduleGroup, DeleteScheduleGroup, ListScheduleGroups. A group is deleted by a
 * job that takes its schedules first; until then it is DELETING.
 * Layer: svc/scheduler. Source: EventBridge Scheduler API Reference. */
#include "svc/scheduler/scheduler_int.h"

static struct str state_of(const struct scheduler_group *g)
{
    return g->deleting ? STR("DELETING") : STR("ACTIVE");
}

enum err scheduler_create_schedule_group(struct call *call,
                                         const struct scheduler_create_schedule_group_input *in,
                                         struct scheduler_create_schedule_group_output *out)
{
    struct scheduler_group old;
    bool again;
    out->schedule_group_arn =
        scheduler_group_arn(call->arena, call->core, call_scope(call), in->name);
    if (!str_is_set(out->schedule_group_arn))
        return ERR_NOMEM;
    TRY(scheduler_once(call, in->client_token, &again));
    if (again)
        return ERR_OK;
    enum err err = scheduler_group_read(call->txn, call_scope(call), in->name, &old);
    if (err == ERR_OK)
        return call_error(call, &scheduler_err_conflict_exception,
                          "Schedule group " STR_FMT " already exists.", STR_ARG(in->name));
    if (err != ERR_NOT_FOUND)
        return err;
    struct tags_resource resource = {.arn = out->schedule_group_arn};
    TRY(tags_op_create(call, &scheduler_tags, &resource, TAGS_FROM(in->tags)));
    const struct scheduler_group g = {call->txn->wall_ms, call->txn->wall_ms, false};
    return scheduler_group_write(call->txn, call_scope(call), in->name, &g);
}

enum err scheduler_get_schedule_group(struct call *call,
                                      const struct scheduler_get_schedule_group_input *in,
                                      struct scheduler_get_schedule_group_output *out)
{
    struct scheduler_group g;
    TRY(scheduler_need_group(call, in->name, &g));
    out->arn = scheduler_group_arn(call->arena, call->core, call_scope(call), in->name);
    out->name = in->name;
    out->state = state_of(&g);
    if (g.created_ms) {
        WIRE_SET(out, creation_date, g.created_ms);
        WIRE_SET(out, last_modification_date, g.modified_ms);
    }
    return str_is_set(out->arn) ? ERR_OK : ERR_NOMEM;
}

enum err scheduler_delete_schedule_group(struct call *call,
                                         const struct scheduler_delete_schedule_group_input *in,
                                         struct scheduler_delete_schedule_group_output *out)
{
    struct scheduler_group g;
    bool again;
    if (str_eq_c(in->name, SCHEDULER_DEFAULT))
        return SCHEDULER_INVALID(call, "The default schedule group cannot be deleted.");
    TRY(scheduler_once(call, in->client_token, &again));
    if (again)
        return ERR_OK;
    TRY(scheduler_need_group(call, in->name, &g));
    g.deleting = true;
    g.modified_ms = call->txn->wall_ms;
    TRY(scheduler_group_write(call->txn, call_scope(call), in->name, &g));
    struct str key = key_make(call->arena, &scheduler_k_group, call_scope(call), in->name);
    return str_is_set(key) ? job_add(call->txn, scheduler_of(call)->groups, key, STR(""))
                           : ERR_NOMEM;
}

/* --- listing ------------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    struct scheduler_schedule_group_summary *v;
    size_t n;
};

static enum err give(struct listing *l, struct str name, const struct scheduler_group *g)
{
    struct scheduler_schedule_group_summary *v = &l->v[l->n++];
    v->name = name;
    v->arn = scheduler_group_arn(l->call->arena, l->call->core, call_scope(l->call), name);
    v->state = state_of(g);
    if (g->created_ms) {
        WIRE_SET(v, creation_date, g->created_ms);
        WIRE_SET(v, last_modification_date, g->modified_ms);
    }
    return str_is_set(v->arn) ? ERR_OK : ERR_NOMEM;
}

static enum err take_group(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct scheduler_group g = {0};
    struct str name;
    TRY(key_read(&scheduler_k_group, key, l->call->arena, KEY_SKIP, &name));
    TRY(scheduler_group_parse(l->call->arena, record, &g));
    return give(l, name, &g);
}

/* The default group, which has no record, stands first. */
enum err scheduler_list_schedule_groups(struct call *call,
                                        const struct scheduler_list_schedule_groups_input *in,
                                        struct scheduler_list_schedule_groups_output *out)
{
    static const struct page_fns fns = {NULL, take_group};
    struct listing l = {.call = call};
    size_t limit = in->has_max_results ? (size_t)in->max_results : SCHEDULER_LIST_MAX;
    struct str prefix = str_is_set(in->name_prefix) ? in->name_prefix : STR("");
    l.v = ARENA_ARRAY(call->arena, struct scheduler_schedule_group_summary, limit + 1);
    if (!l.v)
        return ERR_NOMEM;
    struct page page = page_of_call(call, prefix, in->next_token, limit);
    struct key_range range =
        key_range(call->arena, &scheduler_k_group, call_scope(call), KEY_STARTS(prefix));
    if (!str_is_set(in->next_token) && str_starts(STR(SCHEDULER_DEFAULT), prefix)) {
        TRY(give(&l, STR(SCHEDULER_DEFAULT), &(struct scheduler_group){0}));
        page.limit = limit - 1;
    }
    TRY(scheduler_paged(call, page.limit > 0 ? page_scan(call->txn, &page, range, &fns, &l)
                                             : page_end(&page, range.from)));
    out->schedule_groups.v = l.v;
    out->schedule_groups.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}

/* --- the job of a group that goes ---------------------------------------------------------------- */

struct emptying {
    struct scheduler *sc;
    struct txn *txn;
    struct job_budget *budget;
    bool more;
};

static enum err remove_one(void *arg, struct str key, struct str record)
{
    struct emptying *e = arg;
    if (job_spent(e->budget)) {
        e->more = true;
        return ERR_CLOSED;
    }
    job_spend(e->budget, 3); /* the record, and the two of its due key */
    struct str copy = str_dup(e->txn->arena, key);
    if (!str_is_set(copy))
        return ERR_NOMEM;
    TRY(due_clear(e->txn, e->sc->schedules, copy));
    return txn_del(e->txn, copy);
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct scheduler *sc = self;
    struct emptying e = {.sc = sc, .txn = txn, .budget = budget};
    struct key_scope scope;
    struct str name;
    TRY(key_read(&scheduler_k_group, job->key, txn->arena, &scope, &name));
    TRY(txn_each(txn, key_range(txn->arena, &scheduler_k_schedule, scope, name), remove_one, &e));
    *ret_state = e.more ? JOB_MORE : JOB_DONE;
    if (e.more)
        return ERR_OK;
    struct str arn = scheduler_group_arn(txn->arena, sc->core, scope, name);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(tags_drop(txn, arn));
    return txn_del(txn, job->key);
}

enum err scheduler_groups_register(struct scheduler *sc)
{
    const struct job_def def = {
        .name = "scheduler.group",
        .self = sc,
        .step = step,
        .at_once = 1,
    };
    return job_register(deliver_due(sc->core->deliver), &def, &sc->groups);
}
