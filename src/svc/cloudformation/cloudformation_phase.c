/* Phases of an operation: what each has to do, and what comes after it.
 *
 *   CREATE_IN_PROGRESS --all made--> CREATE_COMPLETE
 *        |--failed--> ROLLBACK_IN_PROGRESS --> ROLLBACK_COMPLETE | ROLLBACK_FAILED
 *        |            or CREATE_FAILED, or DELETE_IN_PROGRESS, as the request said
 *   UPDATE_IN_PROGRESS --all done--> UPDATE_COMPLETE_CLEANUP_IN_PROGRESS --> UPDATE_COMPLETE
 *        |--failed--> UPDATE_ROLLBACK_IN_PROGRESS --all back--> UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
 *        |                 |--failed--> UPDATE_ROLLBACK_FAILED       --> UPDATE_ROLLBACK_COMPLETE
 *        |            or UPDATE_FAILED
 *   DELETE_IN_PROGRESS --all gone--> DELETE_COMPLETE | DELETE_FAILED
 *
 * What a phase has to do follows from the records alone (CF1): forward, what the template has; back, what has
 * changed; the rest are deletions, in the reverse order of what hangs on what.
 *
 * Layer: svc/cloudformation. Thread: the home loop. */
#include "svc/cloudformation/cloudformation_run.h"

/* --- nodes -------------------------------------------------------------------------------------- */

static enum err add_next(struct arena *a, struct cfn_node *before, size_t index, size_t cap)
{
    if (!before->next && !(before->next = ARENA_ARRAY(a, size_t, cap)))
        return ERR_NOMEM;
    if (before->n_next < cap)
        before->next[before->n_next++] = index;
    return ERR_OK;
}

/* `second` waits for `first`. */
static enum err add_edge(struct cfn_run *run, size_t first, size_t second)
{
    if (first == second)
        return ERR_OK;
    TRY(add_next(&run->arena, &run->nodes[first], second, run->n));
    run->nodes[second].waits++;
    return ERR_OK;
}

static enum err forward_nodes(struct cfn_run *run)
{
    size_t n;
    const struct tpl_resource *r = tpl_resources(run->open.tpl, &n);
    run->nodes = ARENA_ARRAY(&run->arena, struct cfn_node, n + 1);
    if (!run->nodes)
        return ERR_NOMEM;
    run->n = n;
    for (size_t i = 0; i < n; i++)
        run->nodes[i] = (struct cfn_node){.id = r[i].id, .wanted = &r[i], .index = i};
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < r[i].after_n; k++)
            TRY(add_edge(run, r[i].after[k], i));
    return ERR_OK;
}

/* What is to be done to a resource in this phase besides going forward. */
static void wants_of(const struct cfn_run *run, const struct cfn_resource *r, bool *now,
                     bool *before, bool *restore)
{
    *now = *before = *restore = false;
    switch (run->stack.status) {
    case CFN_UPDATE_ROLLBACK_IN_PROGRESS:
        *restore = r->before && (r->changed == CFN_CHANGED || r->changed == CFN_REPLACED);
        break;
    case CFN_UPDATE_CLEANUP:
        *now = r->now && r->op_no < run->stack.op_no;
        *before = r->before && r->changed == CFN_REPLACED;
        break;
    case CFN_UPDATE_ROLLBACK_CLEANUP:
        *now = r->now && r->changed == CFN_CREATED;
        *before = r->before && r->changed == CFN_RESTORED;
        break;
    default:
        *now = r->now != NULL;
        *before = r->before && (r->changed == CFN_REPLACED || r->changed == CFN_RESTORED);
    }
}

static size_t node_of(const struct cfn_run *run, struct str id, bool on_before)
{
    for (size_t i = 0; i < run->n; i++)
        if (run->nodes[i].on_before == on_before && str_eq(run->nodes[i].id, id))
            return i;
    return SIZE_MAX;
}

/* Deletions in the reverse order of what hangs on what, ways back in that order itself. */
static enum err back_edges(struct cfn_run *run, size_t at, const struct cfn_thing *thing)
{
    bool restores = run->nodes[at].act == CFN_ACT_RESTORE;
    for (size_t k = 0; k < thing->n_after; k++)
        for (int on_before = 0; on_before < 2; on_before++) {
            size_t other = node_of(run, thing->after[k], on_before);
            if (other == SIZE_MAX || other == at)
                continue;
            TRY(restores ? add_edge(run, other, at) : add_edge(run, at, other));
        }
    return ERR_OK;
}

static void add_node(struct cfn_run *run, const struct cfn_resource *r, enum cfn_act act,
                     bool on_before)
{
    run->nodes[run->n] =
        (struct cfn_node){.id = r->id, .act = act, .on_before = on_before, .index = run->n};
    run->n++;
}

/* Two resources whose edges make a circle (each was made anew with what the other was) are told apart by dropping
 * what a depth-first walk finds to lead back. */
static enum err back_nodes(struct txn *txn, struct cfn_run *run)
{
    struct cfn_resource *r;
    size_t n;
    TRY(cfn_resources(txn, cfn_run_uuid(run), &r, &n));
    run->nodes = ARENA_ARRAY(&run->arena, struct cfn_node, 2 * n + 1);
    if (!run->nodes)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        bool now, before, restore;
        bool open = cfn_is_open(&r[i]);
        cfn_settle(&r[i], &run->arena);
        wants_of(run, &r[i], &now, &before, &restore);
        if (restore)
            add_node(run, &r[i], CFN_ACT_RESTORE, false);
        if (before)
            add_node(run, &r[i], CFN_ACT_DELETE, true);
        if (now || open)
            add_node(run, &r[i], CFN_ACT_DELETE, false);
    }
    for (size_t i = 0, at = 0; i < n; i++)
        for (; at < run->n && str_eq(run->nodes[at].id, r[i].id); at++) {
            const struct cfn_node *node = &run->nodes[at];
            const struct cfn_thing *t =
                node->on_before || node->act == CFN_ACT_RESTORE ? r[i].before : r[i].now;
            if (node->act == CFN_ACT_DELETE && !node->on_before && at > 0 &&
                str_eq(run->nodes[at - 1].id, node->id))
                TRY(add_edge(run, at - 1, at)); /* one after the other */
            if (t)
                TRY(back_edges(run, at, t));
        }
    return ERR_OK;
}

/* What is part of a circle waits for nothing: it can only be tried. */
static void break_circles(struct cfn_run *run, size_t *queue)
{
    size_t n = 0, done = 0;
    size_t *waits = queue + run->n;
    for (size_t i = 0; i < run->n; i++)
        if (!(waits[i] = run->nodes[i].waits))
            queue[n++] = i;
    for (; done < n; done++) {
        const struct cfn_node *node = &run->nodes[queue[done]];
        for (size_t k = 0; k < node->n_next; k++)
            if (--waits[node->next[k]] == 0)
                queue[n++] = node->next[k];
    }
    if (n == run->n)
        return;
    for (size_t i = 0; i < run->n; i++)
        run->nodes[i].waits = run->nodes[i].n_next = 0;
}

static enum err load(struct txn *txn, struct cfn_run *run)
{
    struct tpl_fault fault = {{0}};
    struct principal *who = ARENA_NEW(&run->arena, struct principal);
    TRY(cfn_stack_read(txn, cfn_run_scope(run), cfn_run_uuid(run), &run->stack));
    if (!cfn_in_progress(run->stack.status))
        return ERR_CLOSED;
    if (!who)
        return ERR_NOMEM;
    if (run->stack.status != CFN_CREATE_IN_PROGRESS &&
        run->stack.status != CFN_UPDATE_IN_PROGRESS) {
        TRY(back_nodes(txn, run));
        size_t *queue = ARENA_ARRAY(&run->arena, size_t, 2 * run->n + 1);
        if (!queue)
            return ERR_NOMEM;
        break_circles(run, queue);
        return ERR_OK;
    }
    enum err err = cfn_principal(txn, &run->arena, &run->stack, who);
    if (err == ERR_OK)
        err = cfn_open_stored(txn, &run->arena, &run->stack, &run->stack.config, who, &run->open,
                              &fault);
    if (err == ERR_INVALID || err == ERR_DENIED) {
        run->failed = true;
        run->why =
            err == ERR_DENIED ? STR("The principal of the operation is gone. ") : fault.message;
        return ERR_OK;
    }
    TRY(err);
    run->open.stack = &run->stack;
    return forward_nodes(run);
}

enum err cfn_phase_load(struct txn *txn, void *arg)
{
    struct cfn_run *run = arg;
    struct arena *own = txn->arena;
    arena_release(&run->arena);
    arena_init(&run->arena, CFN_RUN_MEMORY);
    buf_init_arena(&run->failures, &run->arena, 64 * 1024);
    buf_init_arena(&run->not_made, &run->arena, 64 * 1024);
    run->nodes = NULL;
    run->n = 0;
    run->open = (struct cfn_open){0};
    txn->arena = &run->arena; /* what is read stays for the whole run */
    enum err err = load(txn, run);
    txn->arena = own;
    return err;
}

/* --- what comes next ---------------------------------------------------------------------------- */

struct ending {
    enum cfn_status to;
    struct str reason;
};

#define FAILED_TO "The following resource(s) failed to %s: [" STR_FMT "]. "

static struct str failed_reason(const struct cfn_run *run, struct arena *a, const char *what,
                                const char *more)
{
    if (str_is_set(run->why))
        return str_fmt(a, STR_FMT "%s", STR_ARG(run->why), more);
    struct str made = buf_str(&run->not_made), rest = buf_str(&run->failures);
    struct str first = STR(""), second = STR("");
    if (made.len)
        first = str_fmt(a, FAILED_TO, "create", STR_ARG(made));
    if (rest.len)
        second = str_fmt(a, FAILED_TO, what, STR_ARG(rest));
    return str_fmt(a, STR_FMT STR_FMT "%s", STR_ARG(first), STR_ARG(second), more);
}

static struct ending after_create(struct cfn_run *run, struct arena *a)
{
    switch (run->stack.on_failure) {
    case CFN_DO_NOTHING:
        return (struct ending){CFN_CREATE_FAILED, failed_reason(run, a, "create", "")};
    case CFN_DELETE:
        return (struct ending){CFN_DELETE_IN_PROGRESS,
                               failed_reason(run, a, "create", "Delete requested by user.")};
    default:
        return (struct ending){CFN_ROLLBACK_IN_PROGRESS,
                               failed_reason(run, a, "create", "Rollback requested by user.")};
    }
}

static struct ending after_update(struct cfn_run *run, struct arena *a)
{
    if (run->cancelled)
        return (struct ending){CFN_UPDATE_ROLLBACK_IN_PROGRESS, STR("User Initiated")};
    if (run->stack.disable_rollback)
        return (struct ending){CFN_UPDATE_FAILED, failed_reason(run, a, "update", "")};
    return (struct ending){CFN_UPDATE_ROLLBACK_IN_PROGRESS, failed_reason(run, a, "update", "")};
}

static struct ending ending_of(struct cfn_run *run, struct arena *a)
{
    bool failed = run->failed;
    switch (run->stack.status) {
    case CFN_CREATE_IN_PROGRESS:
        return failed ? after_create(run, a) : (struct ending){CFN_CREATE_COMPLETE, STR_NONE};
    case CFN_UPDATE_IN_PROGRESS:
        return failed ? after_update(run, a) : (struct ending){CFN_UPDATE_CLEANUP, STR_NONE};
    case CFN_ROLLBACK_IN_PROGRESS:
        return failed ? (struct ending){CFN_ROLLBACK_FAILED, failed_reason(run, a, "delete", "")}
                      : (struct ending){CFN_ROLLBACK_COMPLETE, STR_NONE};
    case CFN_DELETE_IN_PROGRESS:
        return failed ? (struct ending){CFN_DELETE_FAILED, failed_reason(run, a, "delete", "")}
                      : (struct ending){CFN_DELETE_COMPLETE, STR_NONE};
    case CFN_UPDATE_ROLLBACK_IN_PROGRESS:
        return failed ? (struct ending){CFN_UPDATE_ROLLBACK_FAILED,
                                        failed_reason(run, a, "update", "")}
                      : (struct ending){CFN_UPDATE_ROLLBACK_CLEANUP, STR_NONE};
    case CFN_UPDATE_CLEANUP:
        return (struct ending){CFN_UPDATE_COMPLETE, STR_NONE};
    default:
        return (struct ending){CFN_UPDATE_ROLLBACK_COMPLETE, STR_NONE};
    }
}

/* The operation has ended: what resources were is forgotten, but for what could not be removed. */
static enum err forget_before(struct txn *txn, const struct cfn_stack *s)
{
    struct cfn_resource *r;
    size_t n;
    TRY(cfn_resources(txn, s->uuid, &r, &n));
    for (size_t i = 0; i < n; i++) {
        if (!r[i].now && !r[i].before && !r[i].work && r[i].status == CFN_CREATE_FAILED) {
            TRY(cfn_resource_drop(txn, s->uuid, r[i].id)); /* nothing ever was */
            continue;
        }
        bool left = r[i].before && (r[i].changed == CFN_REPLACED || r[i].changed == CFN_RESTORED);
        if (!r[i].before && !r[i].work && r[i].changed == CFN_UNCHANGED)
            continue;
        cfn_settle(&r[i], txn->arena);
        if (!left) {
            r[i].before = NULL;
            r[i].changed = CFN_UNCHANGED;
        }
        TRY(cfn_resource_write(txn, s->uuid, &r[i]));
    }
    return ERR_OK;
}

/* The stack is gone: its name is free, and it stays readable by its ARN until it is swept. */
static enum err deleted(struct txn *txn, struct cfn_stack *s)
{
    TRY(cfn_exports_drop(txn, s));
    s->deleted_ms = txn->wall_ms;
    s->previous = NULL;
    s->n_outputs = 0;
    return txn_del(txn, key_make(txn->arena, &cloudformation_k_name, cfn_scope(s), s->name));
}

/* What it was is forgotten, with the template of that. */
static enum err forget_previous(struct txn *txn, struct cfn_stack *s)
{
    uint64_t no = s->previous ? s->previous->template_no : 0;
    s->previous = NULL;
    return cfn_template_drop(txn, s, no);
}

enum err cfn_go_back(struct txn *txn, struct cfn_stack *s)
{
    uint64_t no = s->config.template_no;
    struct str role = s->config.role_arn;
    if (!s->previous)
        return ERR_OK;
    s->config = *s->previous;
    if (str_is_set(role))
        s->config.role_arn = role;
    return cfn_template_drop(txn, s, no);
}

/* What a stack is before it tells of its new status. */
static enum err enter(struct txn *txn, struct cfn_stack *s)
{
    switch (s->status) {
    case CFN_UPDATE_ROLLBACK_IN_PROGRESS:
        return cfn_go_back(txn, s);
    case CFN_UPDATE_CLEANUP:
        return forget_previous(txn, s);
    case CFN_CREATE_COMPLETE:
        s->done_once = true;
        return forget_before(txn, s);
    case CFN_UPDATE_COMPLETE:
    case CFN_UPDATE_ROLLBACK_COMPLETE:
        TRY(forget_previous(txn, s));
        s->policy_during = STR_NONE;
        s->cancelled = false;
        s->n_keep = 0;
        return forget_before(txn, s);
    case CFN_DELETE_COMPLETE:
        return deleted(txn, s);
    default:
        return ERR_OK;
    }
}

static enum err advance_to(struct txn *txn, struct cfn_run *run, struct cfn_stack *s,
                           struct ending e)
{
    bool forward = s->status == CFN_CREATE_IN_PROGRESS || s->status == CFN_UPDATE_IN_PROGRESS;
    if (forward)
        TRY(cfn_hierarchy_end(run->c, txn, s));
    s->status = e.to;
    s->reason = e.reason;
    TRY(enter(txn, s));
    TRY(cfn_tell_stack(txn, s));
    if (!cfn_in_progress(e.to) && str_is_set(s->parent_uuid))
        TRY(cfn_poke(run->c, txn, s->parent_uuid));
    if (!cfn_in_progress(e.to))
        TRY(cfn_sweep_later(run->c, txn, s));
    return cfn_stack_write(txn, s);
}

enum err cfn_phase_advance(struct txn *txn, void *arg)
{
    struct cfn_run *run = arg;
    struct cfn_stack s;
    struct str why = STR_NONE;
    TRY(cfn_phase_check(txn, run, &s));
    struct ending e = ending_of(run, txn->arena);
    if (e.to == CFN_CREATE_COMPLETE || e.to == CFN_UPDATE_CLEANUP) {
        enum err err = cfn_outputs_make(txn, run, &s, &why);
        if (err == ERR_INVALID) { /* rerun as a failure: nothing of the outputs may stay staged */
            run->failed = true;
            run->why = str_dup(&run->arena, str_fmt(txn->arena, STR_FMT ". ", STR_ARG(why)));
            return ERR_CONFLICT;
        }
        TRY(err);
    }
    return advance_to(txn, run, &s, e);
}
