/* One step of a resource: what its record says, one inner call, and the record that tells of it, in one commit.
 *
 *   no work --begin--> work --call--> work with another cursor --...--> thing made, changed, gone
 *
 * A call that failed takes its transaction with it, and the step runs again with what came out (CF2): what an
 * operation staged before it failed is never committed.
 *
 * Layer: svc/cloudformation. Thread: the home loop. */
#include <assert.h>

#include "base/clock.h"
#include "base/rng.h"
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_run.h"

/* What a step has at hand. */
struct stepping {
    struct txn *txn;
    struct arena *a;
    struct cfn_run *run;
    struct cfn_node *node;
    struct cfn_stack s;
    struct cfn_resource r;
    bool is_new; /* the resource has no record yet */
    struct principal who;
    struct str why; /* of a failure */
};

/* --- telling ------------------------------------------------------------------------------------ */

static const struct cfn_thing *shown(const struct stepping *st)
{
    if (st->r.work)
        return &st->r.work->goal;
    return st->node->on_before ? st->r.before : st->r.now;
}

static enum err tell(struct stepping *st, enum cfn_status status, struct str reason)
{
    const struct cfn_thing *t = shown(st);
    st->r.status = status;
    st->r.reason = reason;
    st->r.updated_ms = st->txn->wall_ms;
    return cfn_tell(st->txn, &st->s,
                    &(struct cfn_event){
                        .logical_id = st->r.id,
                        .physical_id = t && str_is_set(t->physical_id) ? t->physical_id
                                       : str_is_set(st->r.shown_id)    ? st->r.shown_id
                                                                       : STR(""),
                        .type = t && str_is_set(t->type) ? t->type : st->r.type,
                        .status = status,
                        .reason = reason,
                        .properties = t ? cfn_shown(t) : STR_NONE,
                    });
}

static enum err save(struct stepping *st)
{
    return cfn_resource_write(st->txn, st->s.uuid, &st->r);
}

/* Statuses of what is being done: in progress, complete, failed. */
static enum cfn_status status_of(const struct stepping *st, int which)
{
    static const enum cfn_status create[] = {CFN_CREATE_IN_PROGRESS, CFN_CREATE_COMPLETE,
                                             CFN_CREATE_FAILED};
    static const enum cfn_status update[] = {CFN_UPDATE_IN_PROGRESS, CFN_UPDATE_COMPLETE,
                                             CFN_UPDATE_FAILED};
    static const enum cfn_status gone[] = {CFN_DELETE_IN_PROGRESS, CFN_DELETE_COMPLETE,
                                           CFN_DELETE_FAILED};
    const struct cfn_work *w = st->r.work;
    uint64_t verb = w                                 ? w->verb
                    : st->node->act == CFN_ACT_DELETE ? TYPE_DELETE
                    : st->r.now                       ? TYPE_UPDATE
                                                      : TYPE_CREATE;
    if (verb == TYPE_CREATE && !(w && w->replaces))
        return create[which];
    return verb == TYPE_DELETE ? gone[which] : update[which];
}

/* --- ends --------------------------------------------------------------------------------------- */

static struct cfn_thing *keep_thing(struct stepping *st, const struct cfn_thing *t)
{
    struct cfn_thing *copy = ARENA_NEW(st->a, struct cfn_thing);
    if (copy)
        *copy = *t;
    return copy;
}

static enum err failed(struct stepping *st, struct str reason)
{
    st->node->end = CFN_STEP_FAILED;
    st->node->creates = status_of(st, 2) == CFN_CREATE_FAILED;
    if (st->node->act == CFN_ACT_FORWARD && !st->r.work)
        st->r.type = st->node->wanted->type;
    TRY(tell(st, status_of(st, 2), reason));
    cfn_settle(&st->r, st->a);
    return save(st);
}

static void made(struct stepping *st, struct cfn_work *w, struct cfn_thing *thing)
{
    bool other = st->r.now && !str_eq(thing->physical_id, st->r.now->physical_id);
    if (w->verb == TYPE_CREATE && !w->replaces) {
        st->r.changed = CFN_CREATED;
    } else {
        if (!st->r.before)
            st->r.before = st->r.now;
        if (w->replaces || other)
            st->r.changed = CFN_REPLACED;
        else if (st->r.changed == CFN_UNCHANGED)
            st->r.changed = CFN_CHANGED;
    }
    st->r.now = thing;
    st->r.drift = CFN_NOT_CHECKED;
}

/* Whoever was told to go back may have made another (custom resources): what was there instead goes with the rest. */
static void restored(struct stepping *st, struct cfn_thing *thing)
{
    bool other = st->r.now && str_is_set(st->r.now->physical_id) &&
                 !str_eq(thing->physical_id, st->r.now->physical_id);
    st->r.before = other ? st->r.now : NULL;
    st->r.changed = other ? CFN_RESTORED : CFN_UNCHANGED;
    st->r.now = thing;
}

static void removed(struct stepping *st)
{
    if (st->node->on_before) {
        st->r.before = NULL;
        st->r.changed = CFN_UNCHANGED;
    } else {
        st->r.now = NULL;
    }
}

static enum err done(struct stepping *st)
{
    struct cfn_work *w = st->r.work;
    struct cfn_thing *thing = keep_thing(st, &w->goal);
    if (!thing)
        return ERR_NOMEM;
    st->node->end = CFN_STEP_DONE;
    st->r.op_no = w->verb == TYPE_DELETE ? st->r.op_no : st->s.op_no;
    if (str_is_set(thing->physical_id))
        st->r.shown_id = thing->physical_id;
    TRY(tell(st, status_of(st, 1), STR_NONE));
    if (w->verb == TYPE_DELETE)
        removed(st);
    else if (st->node->act == CFN_ACT_RESTORE)
        restored(st, thing);
    else
        made(st, w, thing);
    if (st->node->act == CFN_ACT_DELETE && st->node->on_before && st->r.now)
        st->r.status = CFN_UPDATE_COMPLETE; /* what is there now is not what went */
    st->r.work = NULL;
    return save(st);
}

/* --- beginning: forward ------------------------------------------------------------------------- */

typedef enum err resolve_fn(struct tpl *tpl, struct arena *a, const struct json *value,
                            tpl_lookup_fn *lookup, void *arg, const struct json **ret_v,
                            bool *ret_whole, struct tpl_fault *ret_fault);

static enum err resolve(struct stepping *st, resolve_fn *how, const struct json *v,
                        const struct json **ret)
{
    struct cfn_lookup look = {.txn = st->txn, .uuid = st->s.uuid};
    struct tpl_fault fault = {{0}};
    struct cfn_open *open = &st->run->open;
    bool whole;
    open->txn = st->txn;
    open->who = &st->who;
    enum err err = how(open->tpl, st->a, v, cfn_look_up, &look, ret, &whole, &fault);
    if (err == ERR_INVALID) {
        st->why = fault.message;
        return ERR_INVALID;
    }
    TRY(err);
    if (!whole) {
        st->why = STR("Unresolved resource dependencies");
        return ERR_INVALID;
    }
    return ERR_OK;
}

static enum err fill_goal(struct stepping *st, struct cfn_thing *goal)
{
    const struct tpl_resource *w = st->node->wanted;
    const struct json *v = NULL;
    size_t n;
    const struct tpl_resource *all = tpl_resources(st->run->open.tpl, &n);
    *goal = (struct cfn_thing){
        .type = w->type,
        .deletion_policy = w->deletion_policy,
        .update_replace_policy = w->update_replace_policy,
        .tags = st->s.config.tags,
        .n_tags = st->s.config.n_tags,
    };
    if (w->properties)
        TRY(resolve(st, tpl_resolve, w->properties, &v));
    enum err err = v && type_find(w->type)
                       ? type_check_values(type_find(w->type), v, st->a, &st->why)
                       : ERR_OK;
    if (err == ERR_INVALID)
        st->why = str_fmt(
            st->a, "Properties validation failed for resource " STR_FMT " with message:\n" STR_FMT,
            STR_ARG(w->id), STR_ARG(st->why));
    TRY(err);
    goal->properties = v ? cfn_json_text(st->a, v) : STR("{}");
    if (w->properties)
        TRY(resolve(st, tpl_resolve_shown, w->properties, &v));
    struct str shown = v ? cfn_json_text(st->a, v) : STR("{}");
    if (!str_eq(shown, goal->properties))
        goal->shown = shown;
    if (w->metadata) {
        TRY(resolve(st, tpl_resolve_shown, w->metadata, &v));
        goal->metadata = cfn_json_text(st->a, v);
    }
    goal->after = ARENA_ARRAY(st->a, struct str, w->after_n + 1);
    if (!goal->after)
        return ERR_NOMEM;
    for (size_t i = 0; i < w->after_n; i++)
        goal->after[goal->n_after++] = all[w->after[i]].id;
    return str_is_set(goal->properties) ? ERR_OK : ERR_NOMEM;
}

static bool same_tags(const struct cfn_thing *a, const struct cfn_thing *b)
{
    if (a->n_tags != b->n_tags)
        return false;
    for (size_t i = 0; i < a->n_tags; i++)
        if (!str_eq(a->tags[i].key, b->tags[i].key) || !str_eq(a->tags[i].value, b->tags[i].value))
            return false;
    return true;
}

static enum err compare(struct stepping *st, const struct cfn_thing *was,
                        const struct cfn_thing *goal, enum type_change *ret)
{
    const struct json *before, *after;
    struct type_difference *differences;
    TRY(cfn_json(st->a, was->properties, &before));
    TRY(cfn_json(st->a, goal->properties, &after));
    TRY(cfn_compare(goal->type, st->a, before, after, ret, &differences));
    if (*ret == TYPE_SAME && !same_tags(was, goal) && type_find(goal->type))
        *ret = TYPE_IN_PLACE;
    return ERR_OK;
}

static enum err new_work(struct stepping *st, enum type_verb verb, const struct cfn_thing *goal)
{
    struct cfn_work *w = ARENA_NEW(st->a, struct cfn_work);
    if (!w)
        return ERR_NOMEM;
    *w = (struct cfn_work){
        .op_no = st->s.op_no,
        .phase = st->s.status,
        .verb = verb,
        .on_before = st->node->on_before,
        .token = str_n(st->node->token, TYPE_TOKEN_LEN),
        .goal = *goal,
        .began_ms = st->txn->now_ms,
    };
    st->r.work = w;
    return ERR_OK;
}

/* Nothing to do: what the template says besides properties is noted. */
static enum err unchanged(struct stepping *st, struct cfn_thing *goal)
{
    struct cfn_thing *now = keep_thing(st, st->r.now);
    if (!now)
        return ERR_NOMEM;
    now->deletion_policy = goal->deletion_policy;
    now->update_replace_policy = goal->update_replace_policy;
    now->metadata = goal->metadata;
    now->after = goal->after;
    now->n_after = goal->n_after;
    now->tags = goal->tags;
    now->n_tags = goal->n_tags;
    st->r.now = now;
    st->r.op_no = st->s.op_no;
    st->node->end = CFN_STEP_DONE;
    return save(st);
}

/* Of a nested stack: what its template says now is known only to itself, unless a change set looked. */
static enum err inside_may_change(struct stepping *st, const struct cfn_thing *goal, bool *ret)
{
    struct cfn_stack child;
    struct cfn_change_set set;
    bool whole = true;
    *ret = cfn_is_stack(goal->type);
    if (!*ret)
        return ERR_OK;
    enum err err = cfn_hierarchy_of(st->txn, &st->s, st->r.id, &whole, &child, &set);
    *ret = !whole;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err begin_change(struct stepping *st, struct cfn_thing *goal)
{
    enum type_change change = TYPE_SAME;
    struct str why = STR_NONE;
    TRY(compare(st, st->r.now, goal, &change));
    bool automatic = change == TYPE_SAME;
    if (automatic)
        TRY(inside_may_change(st, goal, &automatic));
    if (change == TYPE_SAME && !automatic)
        return unchanged(st, goal);
    bool replaces = change == TYPE_REPLACEMENT;
    enum err err =
        automatic ? ERR_OK
                  : cfn_policy_allows(st->a, &st->s, replaces ? "Update:Replace" : "Update:Modify",
                                      st->r.id, goal->type, &why);
    if (err == ERR_INVALID)
        return failed(st, why);
    TRY(err);
    TRY(new_work(st, replaces ? TYPE_CREATE : TYPE_UPDATE, goal));
    struct cfn_work *w = st->r.work;
    w->replaces = replaces;
    if (!replaces) {
        w->goal.physical_id = st->r.now->physical_id;
        w->goal.attributes = st->r.now->attributes;
    }
    w->goal.no_echo = st->r.now->no_echo;
    return tell(st, CFN_UPDATE_IN_PROGRESS,
                replaces ? STR("Requested update requires the creation of a new physical resource; "
                               "hence creating one.")
                         : STR_NONE);
}

static enum err begin_forward(struct stepping *st)
{
    struct cfn_thing goal;
    cfn_settle(&st->r, st->a);
    if (st->r.now && st->r.op_no == st->s.op_no && st->r.status != CFN_CREATE_FAILED &&
        st->r.status != CFN_UPDATE_FAILED) { /* done before a restart */
        st->node->end = CFN_STEP_DONE;
        return ERR_OK;
    }
    enum err err = fill_goal(st, &goal);
    if (err == ERR_INVALID)
        return failed(st, st->why);
    TRY(err);
    if (st->r.now && !str_eq(st->r.now->type, goal.type))
        return failed(st, STR("Update of resource type is not permitted."));
    st->r.type = goal.type;
    if (st->r.now)
        return begin_change(st, &goal);
    TRY(new_work(st, TYPE_CREATE, &goal));
    return tell(st, CFN_CREATE_IN_PROGRESS, STR_NONE);
}

/* --- beginning: back ---------------------------------------------------------------------------- */

static bool listed(const struct cfn_stack *s, struct str id)
{
    for (size_t i = 0; i < s->n_keep; i++)
        if (str_eq(s->keep[i], id))
            return true;
    return false;
}

static enum err begin_restore(struct stepping *st)
{
    cfn_settle(&st->r, st->a);
    struct cfn_thing *was = st->r.before;
    bool skipped = listed(&st->s, st->r.id);
    if (was && st->r.changed == CFN_REPLACED) {
        st->r.before = st->r.now;
        st->r.now = was;
        st->r.changed = CFN_RESTORED;
        st->node->end = CFN_STEP_DONE;
        TRY(tell(st, CFN_UPDATE_COMPLETE, STR_NONE));
        return save(st);
    }
    if (!was || st->r.changed != CFN_CHANGED || skipped) {
        if (skipped && was) {
            st->r.now = was;
            st->r.before = NULL;
            st->r.changed = CFN_UNCHANGED;
        }
        st->node->end = CFN_STEP_DONE;
        if (skipped)
            TRY(tell(st, CFN_UPDATE_COMPLETE, STR_NONE));
        return save(st);
    }
    TRY(new_work(st, TYPE_UPDATE, was));
    st->r.work->goal.physical_id = st->r.now->physical_id;
    st->r.work->goal.attributes = st->r.now->attributes;
    return tell(st, CFN_UPDATE_IN_PROGRESS, STR_NONE);
}

/* Whether its policy, or the request, says to leave it there. */
static bool is_kept(const struct stepping *st, const struct cfn_thing *t)
{
    struct str policy = t->deletion_policy;
    bool undoes =
        st->s.status == CFN_ROLLBACK_IN_PROGRESS || st->s.status == CFN_UPDATE_ROLLBACK_CLEANUP;
    if (st->s.status == CFN_DELETE_IN_PROGRESS && listed(&st->s, st->r.id))
        return true;
    if (undoes && (st->s.retain_except_on_create || st->node->on_before))
        return false;
    if (st->node->on_before)
        policy = t->update_replace_policy;
    if (str_eq(policy, STR("RetainExceptOnCreate")))
        return !undoes;
    return str_eq(policy, STR("Retain"));
}

static enum err begin_delete(struct stepping *st)
{
    if (cfn_is_open(&st->r)) { /* goes on as if for this phase, until it is known what is there */
        st->r.work->op_no = st->s.op_no;
        st->r.work->phase = st->s.status;
        st->r.work->on_before = st->node->on_before;
        return ERR_OK;
    }
    cfn_settle(&st->r, st->a);
    struct cfn_thing *t = st->node->on_before ? st->r.before : st->r.now;
    struct str why = STR_NONE;
    if (!t) {
        st->node->end = CFN_STEP_DONE;
        return ERR_OK;
    }
    if (is_kept(st, t)) {
        TRY(tell(st, CFN_DELETE_SKIPPED, STR_NONE));
        st->r.shown_id = t->physical_id;
        removed(st);
        st->node->end = CFN_STEP_DONE;
        return save(st);
    }
    if (st->s.status == CFN_UPDATE_CLEANUP && !st->node->on_before) {
        enum err err = cfn_policy_allows(st->a, &st->s, "Update:Delete", st->r.id, t->type, &why);
        if (err == ERR_INVALID)
            return failed(st, why);
        TRY(err);
    }
    TRY(new_work(st, TYPE_DELETE, t));
    return tell(st, CFN_DELETE_IN_PROGRESS, STR_NONE);
}

static enum err begin(struct stepping *st)
{
    switch (st->node->act) {
    case CFN_ACT_FORWARD:
        return begin_forward(st);
    case CFN_ACT_RESTORE:
        return begin_restore(st);
    default:
        return begin_delete(st);
    }
}

/* --- steps of types that are rows --------------------------------------------------------------- */

static enum err tags_json(struct arena *a, const struct tag *v, size_t n, const struct json **ret)
{
    struct buf b;
    struct json_out o;
    *ret = NULL;
    if (n == 0)
        return ERR_OK;
    buf_init_arena(&b, a, 256 * 1024);
    json_out_init(&o, &b);
    json_open(&o, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(&o, '{');
        json_kv_str(&o, STR("Key"), v[i].key);
        json_kv_str(&o, STR("Value"), str_is_set(v[i].value) ? v[i].value : STR(""));
        json_close(&o, '}');
    }
    json_close(&o, ']');
    TRY(buf_err(&b));
    return cfn_json(a, buf_str(&b), ret);
}

/* What is there before the work: of an update `now`, of a deletion what goes. */
static const struct cfn_thing *thing_before(const struct stepping *st)
{
    const struct cfn_work *w = st->r.work;
    if (w->verb == TYPE_CREATE)
        return NULL;
    return w->on_before ? st->r.before : st->r.now;
}

static enum err fill_type_work(struct stepping *st, struct type_work *ret)
{
    const struct cfn_work *w = st->r.work;
    const struct cfn_thing *was = thing_before(st);
    *ret = (struct type_work){
        .verb = (enum type_verb)w->verb,
        .type = type_find(w->goal.type),
        .account = st->s.account,
        .region = st->s.region,
        .partition = st->txn->core->cfg.partition,
        .url_suffix = cfn_url_suffix(st->txn->core),
        .stack_id = st->s.id,
        .stack_name = st->s.name,
        .logical_id = st->r.id,
        .token = w->token,
        .physical_id = w->goal.physical_id,
        .attributes = w->goal.attributes,
        .cursor = w->cursor,
        .again = w->again,
    };
    TRY(tags_json(st->a, w->goal.tags, w->goal.n_tags, &ret->tags));
    if (w->verb != TYPE_DELETE)
        TRY(cfn_json(st->a, w->goal.properties, &ret->after));
    if (was) {
        TRY(cfn_json(st->a, was->properties, &ret->before));
        TRY(tags_json(st->a, was->tags, was->n_tags, &ret->tags_before));
    }
    return ERR_OK;
}

static void take_state(struct stepping *st, const struct type_state *state)
{
    struct cfn_work *w = st->r.work;
    if (str_is_set(state->physical_id) && !str_eq(state->physical_id, w->goal.physical_id)) {
        bool first = !str_is_set(w->goal.physical_id);
        w->goal.physical_id = state->physical_id;
        if (first && w->verb == TYPE_CREATE && state->doing != TYPE_DONE)
            (void)!tell(st, status_of(st, 0), STR("Resource creation Initiated"));
    }
    if (str_is_set(state->attributes))
        w->goal.attributes = state->attributes;
    if (str_is_set(state->cursor))
        w->cursor = state->cursor;
}

static enum err type_failed(struct stepping *st, const struct type_state *state)
{
    char token[RNG_UUID_LEN + 1]; /* of this request, as AWS draws one for each */
    struct str reason = type_reason(st->a, state, rng_uuid(token));
    return str_is_set(reason) ? failed(st, reason) : ERR_NOMEM;
}

/* A creation that a deletion found open: now it is known what there is of it, and that can go. */
static enum err closed(struct stepping *st)
{
    cfn_settle(&st->r, st->a);
    st->node->end = CFN_STEP_MORE;
    return save(st);
}

/* What the state says; the record is written with it. */
static enum err apply(struct stepping *st, const struct type_state *state)
{
    take_state(st, state);
    st->r.work->again = false;
    if (st->node->act == CFN_ACT_DELETE && st->r.work->verb == TYPE_CREATE)
        return closed(st);
    switch (state->doing) {
    case TYPE_DONE:
        return done(st);
    case TYPE_FAILED:
        return type_failed(st, state);
    case TYPE_WAIT:
        st->node->end = CFN_STEP_WAIT;
        st->node->wake_ms = st->txn->now_ms + state->wait_ms;
        break;
    default:
        st->node->end = CFN_STEP_MORE;
    }
    return save(st);
}

static void fill_request(struct stepping *st, struct core_request *req)
{
    req->who = &st->who;
    req->region = st->s.region;
    req->system_tags = true;
    if (str_empty(st->s.config.role_arn))
        req->via = STR(CFN_PRINCIPAL);
}

/* The result outlives the transaction that failed with it. */
static enum err keep_result(struct cfn_node *node, const struct core_result *r)
{
    struct core_result *k = &node->result;
    arena_release(&node->arena);
    arena_init(&node->arena, CFN_RUN_MEMORY);
    *k = *r;
    struct str *texts[] = {&k->output,  &k->body,    &k->content_type, &k->code,
                           &k->message, &k->details, &k->request_id};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i]->p)
            *texts[i] = str_dup(&node->arena, *texts[i]);
    node->has_result = !node->arena.failed;
    return node->has_result ? ERR_FAILED : ERR_NOMEM;
}

/* It streams or waits: `again` is stored, and the call is made once that is durable. The whole step is in the
 * node's arena then, which the request lives in. */
static enum err call_outside(struct stepping *st, const struct core_request *req)
{
    struct cfn_node *node = st->node;
    if (!node->outside) { /* the transaction may hold parts of what the operation staged */
        node->outside = true;
        return ERR_FAILED;
    }
    st->r.work->again = true;
    node->who = st->who;
    node->request = *req;
    node->request.who = &node->who;
    node->end = CFN_STEP_CALL;
    return save(st);
}

static enum err type_step(struct stepping *st)
{
    struct type_work w;
    struct core_request req = {0};
    struct type_state state = {0};
    struct core_result result = {0};
    TRY(fill_type_work(st, &w));
    if (!st->node->has_result) {
        TRY(type_next(&w, st->a, &req, &state));
        if (state.doing != TYPE_CALL)
            return apply(st, &state);
        fill_request(st, &req);
        if (st->node->outside)
            return call_outside(st, &req);
        enum err err = core_call_in_txn(st->txn, &req, &result);
        if (err == ERR_FAILED)
            return keep_result(st->node, &result);
        if (err == ERR_UNSUPPORTED)
            return call_outside(st, &req);
        if (err == ERR_NOT_FOUND || err == ERR_LIMIT)
            return failed(st, str_fmt(st->a, STR_FMT ":" STR_FMT " is not there.",
                                      STR_ARG(req.service), STR_ARG(req.operation)));
        TRY(err);
    } else {
        result = st->node->result;
    }
    TRY(type_took(&w, st->a, &result, &state));
    st->r.work->calls += result.err == ERR_OK;
    return apply(st, &state);
}

/* --- steps of our own types --------------------------------------------------------------------- */

/* An address whose text a step wants: read as an object of S3 by whom the operation runs as. */
static enum err want_text(struct stepping *st, const struct cfn_step *step)
{
    struct cfn_node *node = st->node;
    struct cfn_url url;
    struct str input;
    if (!node->outside) {
        node->outside = true;
        return ERR_FAILED;
    }
    if (cfn_url_parse(st->a, st->txn->core, step->wants, &url) != ERR_OK)
        return failed(st, STR("TemplateURL must be a supported URL."));
    TRY(cfn_url_input(st->a, &url, &input));
    node->who = st->who;
    node->wants = step->wants;
    node->request = (struct core_request){.service = STR("s3"),
                                          .operation = STR("GetObject"),
                                          .input = input,
                                          .who = &node->who,
                                          .region = st->s.region,
                                          .output_max = TPL_BYTES_MAX};
    node->end = CFN_STEP_CALL;
    return save(st);
}

static enum err own_step(struct stepping *st, const struct cfn_own *own)
{
    struct cfn_work *w = st->r.work;
    struct cfn_step step = {
        .c = st->run->c,
        .txn = st->txn,
        .a = st->a,
        .stack = &st->s,
        .resource = &st->r,
        .work = w,
        .was = thing_before(st),
        .who = &st->who,
        .text = st->node->text,
    };
    if (st->node->has_result && st->node->result.err != ERR_OK)
        return failed(st, str_fmt(st->a, "S3 error: " STR_FMT, STR_ARG(st->node->result.message)));
    enum err err = own->step ? own->step(&step) : ERR_OK;
    if (err == ERR_SUSPENDED)
        return want_text(st, &step);
    if (err == ERR_FAILED) { /* nothing of what it staged stays */
        if (!st->node->has_result)
            return keep_result(st->node,
                               &(struct core_result){.err = ERR_FAILED, .message = step.reason});
        return failed(st, st->node->result.message);
    }
    TRY(err);
    w->calls++;
    switch (step.doing) {
    case TYPE_FAILED:
        return failed(st, step.reason);
    case TYPE_WAIT:
        st->node->end = CFN_STEP_WAIT;
        st->node->wake_ms = step.wake_ms;
        return save(st);
    case TYPE_MORE:
        st->node->end = CFN_STEP_MORE;
        return save(st);
    default:
        return done(st);
    }
}

/* --- the step ----------------------------------------------------------------------------------- */

static enum err read_all(struct stepping *st)
{
    TRY(cfn_phase_check(st->txn, st->run, &st->s));
    if (st->s.cancelled && st->s.status == CFN_UPDATE_IN_PROGRESS && !st->run->cancelled) {
        st->run->cancelled = st->run->failed = true;
        return ERR_CLOSED;
    }
    enum err err = cfn_resource_read(st->txn, st->s.uuid, st->node->id, &st->r);
    st->is_new = err == ERR_NOT_FOUND;
    if (st->is_new) {
        st->r = (struct cfn_resource){.id = st->node->id};
        return ERR_OK;
    }
    return err;
}

static bool is_ours(const struct stepping *st)
{
    const struct cfn_work *w = st->r.work;
    return w && w->op_no == st->s.op_no && w->phase == st->s.status &&
           w->on_before == st->node->on_before;
}

static enum err cancelled(struct stepping *st)
{
    if (!is_ours(st)) {
        st->node->end = CFN_STEP_FAILED;
        return ERR_OK;
    }
    if (cfn_own_find(st->r.work->goal.type) &&
        str_is_set(st->r.work->cursor)) /* nobody waits for an answer */
        TRY(txn_del(st->txn, key_make(st->a, &cloudformation_k_answer, st->r.work->cursor)));
    return failed(st, st->r.work->verb == TYPE_CREATE && !st->r.work->replaces
                          ? STR("Resource creation cancelled")
                          : STR("Resource update cancelled"));
}

static enum err step_in(struct stepping *st)
{
    TRY(read_all(st));
    if (st->node->cancel && !(is_ours(st) && cfn_is_open(&st->r)))
        return cancelled(st);
    if (st->node->errors > CFN_RETRIES) {
        if (!is_ours(st) && st->node->act != CFN_ACT_FORWARD)
            TRY(begin(st));
        return failed(st, STR("Internal Failure"));
    }
    enum err err = cfn_principal(st->txn, st->a, &st->s, &st->who);
    if (err == ERR_DENIED)
        return failed(st, STR("The principal that the operation runs as is gone, or may not act."));
    TRY(err);
    if (!is_ours(st)) {
        st->node->end = CFN_STEP_MORE;
        TRY(begin(st));
        if (!st->r.work)
            return ERR_OK;
    }
    const struct cfn_own *own = cfn_own_find(st->r.work->goal.type);
    if (own)
        return own_step(st, own);
    if (!type_find(st->r.work->goal.type))
        return failed(st, STR("Unrecognized resource type"));
    return type_step(st);
}

enum err cfn_node_step(struct txn *txn, void *arg)
{
    struct cfn_node *node = arg;
    struct arena *own = txn->arena;
    struct stepping st = {.txn = txn, .run = node->run, .node = node};
    if (node->outside && !node->has_result && !str_is_set(node->text)) {
        arena_release(&node->arena);
        arena_init(&node->arena, CFN_RUN_MEMORY);
        txn->arena = &node->arena; /* the request outlives the transaction */
    }
    st.a = txn->arena;
    enum err err = step_in(&st);
    txn->arena = own;
    if (node->arena.failed)
        err = ERR_NOMEM;
    return err;
}
