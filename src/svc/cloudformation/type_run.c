/* One step of a piece of work: the call that is next, and what its result means. See type.h.
 *
 * The cursor is {"at": step, "nth": item of an each, "polls": times asked again, "mine": step of the
 * questions whose the thing is}; what else is remembered is in the attributes.
 *
 *     step -> answer -> taken -> next step ... -> done
 *        ^       |-> not yet: asked again later
 *        |       |-> exists, after `again` -> whose is it -> ours: as if made
 *        +-------+-> error: passed over, or the end
 *
 * Layer: svc. Thread: pure. */
#include "svc/cloudformation/type_int.h"

/* Hidden member of the attributes while a READ goes on. */
#define LIVE ":live"

static const struct json nothing = {.kind = JSON_OBJECT};

/* --- preparation ---------------------------------------------------------------------------------- */

/* The name that is made of stack and token, which the thing has where the user gave none; it is made once,
 * and kept. */
static enum err fill_name(struct type_run *run)
{
    struct str property = run->row->naming.property;
    if (str_is_set(property) && json_get(run->wanted, property))
        return ERR_OK;
    struct str made = json_get_str(run->state, STR(TYPE_NAME_MADE));
    if (!str_is_set(made) && run->work->verb == TYPE_CREATE) {
        made = type_make_name(run);
        TRY(json_set(run->state, STR(TYPE_NAME_MADE), json_new_str(run->a, made)));
    }
    if (!str_is_set(property) || !str_is_set(made))
        return run->a->failed ? ERR_NOMEM : ERR_OK;
    if (!json_get(run->before, property))
        TRY(json_set(run->before, property, json_new_str(run->a, made)));
    return json_get(run->wanted, property)
               ? ERR_OK
               : json_set(run->wanted, property, json_new_str(run->a, made));
}

static size_t cursor_number(const struct json *cursor, struct str name)
{
    int64_t v;
    const struct json *member = json_get(cursor, name);
    return member && json_to_i64(member, &v) == ERR_OK && v >= 0 ? (size_t)v : 0;
}

/* An object of stored text, or an empty one of its own. */
static enum err stored(struct arena *a, struct str text, struct json **ret_v)
{
    if (!str_is_set(text) || text.len == 0) {
        *ret_v = json_new(a, JSON_OBJECT);
        return *ret_v ? ERR_OK : ERR_NOMEM;
    }
    enum err err = json_parse(a, text, ret_v, NULL);
    return err == ERR_OK && (*ret_v)->kind != JSON_OBJECT ? ERR_CORRUPT : err;
}

static const struct type_steps *steps_of(const struct type_work *work)
{
    const struct type_row *row = work->type;
    switch (work->verb) {
    case TYPE_CREATE:
        return &row->create;
    case TYPE_UPDATE:
        return &row->update;
    case TYPE_DELETE:
        return &row->delete;
    default:
        return &row->read;
    }
}

static enum err init(struct type_run *run, const struct type_work *work, struct arena *a)
{
    struct json *cursor = NULL;
    const struct json *before = work->before ? work->before : &nothing;
    const struct json *after = work->after ? work->after : &nothing;
    bool only_before = work->verb == TYPE_DELETE || work->verb == TYPE_READ;
    *run = (struct type_run){.work = work, .row = work->type, .a = a, .id = work->physical_id};
    run->steps = steps_of(work);
    run->before = type_coerce(a, run->row->shape, before);
    run->wanted = only_before ? run->before : type_coerce(a, run->row->shape, after);
    run->after = run->wanted;
    if (!run->before || !run->wanted)
        return ERR_NOMEM;
    TRY(stored(a, work->attributes, &run->state));
    TRY(stored(a, work->cursor, &cursor));
    run->at = cursor_number(cursor, STR("at"));
    run->nth = cursor_number(cursor, STR("nth"));
    run->polls = cursor_number(cursor, STR("polls"));
    run->mine = cursor_number(cursor, STR("mine"));
    TRY(fill_name(run));
    return type_tags(run);
}

static enum err seek(struct type_run *run, const struct type_step **ret_step)
{
    if (run->mine == 0 || run->mine > run->row->mine.n)
        return type_seek(run, ret_step);
    *ret_step = &run->row->mine.v[run->mine - 1];
    return ERR_OK;
}

/* --- states ---------------------------------------------------------------------------------------- */

static struct str json_text(struct arena *a, const struct json *v)
{
    struct buf b;
    buf_init_arena(&b, a, INNER_OUTPUT_MAX);
    json_put(&b, v);
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

static enum err state(struct type_run *run, enum type_doing doing, struct type_state *ret)
{
    *ret = (struct type_state){.doing = doing, .physical_id = run->id};
    ret->attributes = json_text(run->a, run->state);
    ret->cursor = str_fmt(run->a, "{\"at\":%zu,\"nth\":%zu,\"polls\":%zu,\"mine\":%zu}", run->at,
                          run->nth, run->polls, run->mine);
    return run->a->failed ? ERR_NOMEM : ERR_OK;
}

static enum err failed(struct type_run *run, struct str code, struct str reason,
                       struct type_state *ret)
{
    TRY(state(run, TYPE_FAILED, ret));
    ret->code = code;
    ret->reason = reason;
    return run->a->failed ? ERR_NOMEM : ERR_OK;
}

static enum err keep_id(struct type_run *run)
{
    const struct json *v = NULL;
    if (run->work->verb != TYPE_CREATE || str_is_set(run->id))
        return ERR_OK;
    TRY(type_eval(run, run->row->id, &v));
    if (!v)
        return ERR_OK;
    run->id = v->kind == JSON_STRING ? v->text : json_text(run->a, v);
    return str_is_set(run->id) ? ERR_OK : ERR_NOMEM;
}

/* The attributes that no answer gave, and the id where only names make it. */
static enum err complete(struct type_run *run)
{
    run->output = NULL;
    run->item = NULL;
    run->after = run->wanted;
    if (run->work->verb == TYPE_DELETE)
        return ERR_OK;
    TRY(keep_id(run));
    JSON_EACH (run->row->values, it) {
        const struct json *v = NULL;
        TRY(type_eval(run, it, &v));
        if (v)
            TRY(json_set(run->state, it->key, json_copy(run->a, v)));
    }
    return ERR_OK;
}

/* What was kept for a later step of this work alone: names that begin with a colon, but the name. */
static void forget(struct type_run *run)
{
    for (struct json *it = run->state->child, *next; it; it = next) {
        next = it->next;
        if (str_starts(it->key, STR(":")) && !str_eq_c(it->key, TYPE_NAME_MADE))
            json_unset(run->state, it->key);
    }
}

static enum err done(struct type_run *run, bool gone, struct type_state *ret)
{
    struct json *live = json_at(run->state, STR(LIVE));
    struct str text = STR_NONE;
    if (live) {
        if (str_is_set(run->row->tags))
            type_tags_own(run, json_at(live, run->row->tags));
        struct json *coerced = type_coerce(run->a, run->row->shape, live);
        if (!coerced)
            return ERR_NOMEM;
        text = json_text(run->a, coerced);
    }
    TRY(complete(run));
    forget(run);
    TRY(state(run, TYPE_DONE, ret));
    ret->live = str_is_set(text) ? text : STR("{}");
    ret->gone = gone;
    return run->a->failed ? ERR_NOMEM : ERR_OK;
}

/* --- the next call ---------------------------------------------------------------------------------- */

static enum err request(struct type_run *run, const struct type_step *step,
                        struct core_request *ret_request)
{
    const struct json *input = NULL;
    if (step->with)
        TRY(type_eval(run, step->with, &input));
    *ret_request = (struct core_request){.service = step->service, .operation = step->operation};
    ret_request->input = json_text(run->a, input ? input : &nothing);
    return run->a->failed ? ERR_NOMEM : ERR_OK;
}

/* A property that no update can send. */
static struct str fixed_change(const struct type_run *run)
{
    if (run->work->verb == TYPE_UPDATE)
        JSON_EACH (run->row->fixed, it)
            if (!type_equal(json_get(run->before, it->text), json_get(run->wanted, it->text)))
                return it->text;
    return STR_NONE;
}

/* Properties as they came out: an intrinsic may have hidden what type_check refuses (TY3). *ret_why absent:
 * they fit. */
static enum err misfit(struct type_run *run, struct str *ret_why)
{
    struct str message = STR_NONE;
    *ret_why = STR_NONE;
    if (str_is_set(run->work->cursor) || run->work->verb == TYPE_DELETE ||
        run->work->verb == TYPE_READ)
        return ERR_OK;
    enum err err = type_check(run->row, run->work->after, run->a, &message);
    if (err != ERR_INVALID)
        return err;
    *ret_why = str_fmt(run->a, "Model validation failed (" STR_FMT ")", STR_ARG(message));
    return str_is_set(*ret_why) ? ERR_OK : ERR_NOMEM;
}

enum err type_next(const struct type_work *work, struct arena *a, struct core_request *ret_request,
                   struct type_state *ret_state)
{
    struct type_run run;
    struct str why;
    const struct type_step *step = NULL;
    TRY(init(&run, work, a));
    TRY(misfit(&run, &why));
    if (str_is_set(why))
        return failed(&run, STR("InvalidRequest"), why, ret_state);
    struct str fixed = fixed_change(&run);
    if (str_is_set(fixed))
        return failed(&run, STR("NotUpdatable"),
                      str_fmt(a, "The property " STR_FMT " cannot be updated", STR_ARG(fixed)),
                      ret_state);
    TRY(seek(&run, &step));
    if (!step)
        return done(&run, false, ret_state);
    TRY(request(&run, step, ret_request));
    return state(&run, TYPE_CALL, ret_state);
}

/* --- its result ------------------------------------------------------------------------------------- */

static enum err next_state(struct type_run *run, struct type_state *ret)
{
    const struct type_step *step = NULL;
    TRY(seek(run, &step));
    return step ? state(run, TYPE_MORE, ret) : done(run, false, ret);
}

static enum err advance(struct type_run *run, const struct type_step *step, struct type_state *ret)
{
    run->polls = 0;
    run->output = NULL;
    if (run->mine && run->mine < run->row->mine.n) {
        run->mine++;
        return next_state(run, ret);
    }
    if (str_is_set(step->each) && !run->mine) {
        run->nth++;
    } else {
        run->at++;
        run->nth = 0;
    }
    run->mine = 0;
    return next_state(run, ret);
}

static enum err wait_more(struct type_run *run, const struct type_step *step,
                          struct type_state *ret)
{
    if (++run->polls > TYPE_POLLS_MAX)
        return failed(run, STR("NotStabilized"), STR("Resource did not stabilize"), ret);
    TRY(state(run, TYPE_WAIT, ret));
    ret->wait_ms = step->wait_ms ? step->wait_ms : TYPE_POLL_MS;
    return ERR_OK;
}

/* Each member's template over the output, into `into`. */
static enum err keep(struct type_run *run, const struct json *templates, struct json *into)
{
    JSON_EACH (templates, it) {
        const struct json *v = NULL;
        TRY(type_eval(run, it, &v));
        if (v)
            TRY(json_set(into, it->key, json_copy(run->a, v)));
    }
    return ERR_OK;
}

/* Each member's value at the end of the list of that name. */
static enum err keep_more(struct type_run *run, const struct json *templates, struct json *into)
{
    JSON_EACH (templates, it) {
        const struct json *v = NULL;
        struct json *list = json_at(into, it->key);
        TRY(type_eval(run, it, &v));
        if (!list) {
            list = json_new(run->a, JSON_ARRAY);
            TRY(json_set(into, it->key, list));
        }
        if (v)
            TRY(json_push(list, json_copy(run->a, v)));
    }
    return ERR_OK;
}

static enum err keep_live(struct type_run *run, const struct type_step *step)
{
    struct json *live = json_at(run->state, STR(LIVE));
    if (!step->live && !step->append)
        return ERR_OK;
    if (!live) {
        live = json_new(run->a, JSON_OBJECT);
        TRY(json_set(run->state, STR(LIVE), live));
    }
    TRY(keep(run, step->live, live));
    return keep_more(run, step->append, live);
}

enum outcome { GO_ON, NOT_YET, NEVER };

static enum err outcome_of(struct type_run *run, const struct type_step *step,
                           enum outcome *ret_outcome)
{
    const struct json *v = NULL;
    *ret_outcome = step->flags & TYPE_S_UNTIL_GONE ? NOT_YET : GO_ON;
    if (!step->until_is)
        return ERR_OK;
    TRY(type_eval(run, step->until_is, &v));
    struct str text = v && v->kind == JSON_STRING ? v->text : STR_NONE;
    if (v && v->kind == JSON_BOOL)
        text = v->b ? STR("true") : STR("false");
    if (step->until_one && json_index_of(step->until_one, text) == SIZE_MAX)
        *ret_outcome = NOT_YET;
    if (step->until_never && json_index_of(step->until_never, text) != SIZE_MAX)
        *ret_outcome = NEVER;
    return ERR_OK;
}

static struct str exists_text(const struct type_run *run)
{
    const struct json *name = json_get(run->wanted, run->row->naming.property);
    return str_fmt(run->a,
                   "Resource of type '" STR_FMT "' with identifier '" STR_FMT "' already exists.",
                   STR_ARG(run->row->name),
                   STR_ARG(name && name->kind == JSON_STRING ? name->text : run->work->logical_id));
}

/* Whose the thing is that is there already: a mine step's tags. */
static enum err is_ours(struct type_run *run, const struct type_step *step, bool *ret_ours)
{
    const struct json *tags = NULL;
    *ret_ours = true;
    if (!run->mine || !step->tags)
        return ERR_OK;
    TRY(type_eval(run, step->tags, &tags));
    *ret_ours = type_tags_are_mine(run, tags);
    return ERR_OK;
}

static enum err succeeded(struct type_run *run, const struct type_step *step,
                          struct type_state *ret)
{
    enum outcome outcome;
    bool ours;
    if (step->flags & TYPE_S_ABSENT)
        return failed(run, STR("AlreadyExists"), exists_text(run), ret);
    TRY(is_ours(run, step, &ours));
    if (!ours) {
        run->id = run->work->physical_id;
        return failed(run, STR("AlreadyExists"), exists_text(run), ret);
    }
    TRY(keep(run, step->take, run->state));
    TRY(keep_id(run));
    TRY(keep_live(run, step));
    TRY(outcome_of(run, step, &outcome));
    if (outcome == NEVER)
        return failed(run, STR("NotStabilized"), STR("Resource did not stabilize"), ret);
    return outcome == NOT_YET ? wait_more(run, step, ret) : advance(run, step, ret);
}

/* Whether the error is no end: the step is as good as done. */
static bool is_passed(const struct type_run *run, const struct type_step *step,
                      const struct core_result *result)
{
    if (step->skip && json_index_of(step->skip, result->code) != SIZE_MAX)
        return true;
    if (!type_fault_is_absence(result))
        return false;
    bool removes = run->work->verb == TYPE_DELETE || step->flags & TYPE_S_REMOVES;
    return removes || step->flags & (TYPE_S_ABSENT | TYPE_S_UNTIL_GONE) ||
           (run->work->verb == TYPE_READ && run->at > 0);
}

static enum err refused(struct type_run *run, const struct type_step *step,
                        const struct core_result *result, struct type_state *ret)
{
    if (is_passed(run, step, result))
        return advance(run, step, ret);
    if (step->until_past && json_index_of(step->until_past, result->code) != SIZE_MAX)
        return wait_more(run, step, ret);
    if (run->work->verb == TYPE_READ && type_fault_is_absence(result))
        return done(run, true, ret);
    bool exists = run->work->verb == TYPE_CREATE && !str_is_set(run->id) &&
                  type_fault_is_presence(run->row->exists, result);
    if (exists && run->work->again && !run->mine && run->row->mine.n) {
        run->mine = 1;
        return next_state(run, ret);
    }
    /* A name that was made of the token is nobody else's. */
    if (exists && run->work->again && str_is_set(run->row->naming.property) &&
        json_get(run->state, STR(TYPE_NAME_MADE)))
        return succeeded(run, step, ret);
    return failed(run, type_fault_code(run->row, result),
                  type_fault_reason(run->a, run->row, result), ret);
}

/* The output with the member that is the whole body as "$body". */
static enum err read_output(struct type_run *run, const struct core_result *result)
{
    struct json *output = NULL;
    TRY(stored(run->a, result->output, &output));
    if (str_is_set(result->body))
        TRY(json_set(output, STR("$body"), json_new_str(run->a, result->body)));
    run->output = output;
    return ERR_OK;
}

enum err type_took(const struct type_work *work, struct arena *a, const struct core_result *result,
                   struct type_state *ret_state)
{
    struct type_run run;
    const struct type_step *step = NULL;
    TRY(init(&run, work, a));
    TRY(seek(&run, &step));
    if (!step)
        return done(&run, false, ret_state);
    if (result->err != ERR_OK)
        return refused(&run, step, result, ret_state);
    TRY(read_output(&run, result));
    return succeeded(&run, step, ret_state);
}
