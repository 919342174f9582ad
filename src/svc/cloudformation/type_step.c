/* Which step of a piece of work is next, and the item that it is about. See type.h.
 *
 * Layer: svc. Thread: pure. */
#include "svc/cloudformation/type_int.h"

static bool is_changed(const struct type_run *run, struct str property)
{
    return !type_equal(json_get(run->before, property), json_get(run->after, property));
}

static bool tags_changed(const struct type_run *run)
{
    return run->tags_set->n || run->tags_unset->n;
}

/* A property of the step other than what it goes through the items of. */
static bool uses_changed(const struct type_run *run, const struct type_step *step, struct str but)
{
    JSON_EACH (step->uses, it)
        if (!str_eq(it->text, but) && is_changed(run, it->text))
            return true;
    return step->flags & TYPE_S_TAGS && tags_changed(run);
}

static bool uses_given(const struct type_run *run, const struct type_step *step)
{
    JSON_EACH (step->uses, it)
        if (json_get(run->after, it->text))
            return true;
    return step->flags & TYPE_S_TAGS && run->tags->n;
}

static bool is_update(const struct type_run *run, const struct type_step *step)
{
    return run->work->verb == TYPE_UPDATE && step->flags & TYPE_S_IF_CHANGED;
}

static enum err runs(struct type_run *run, const struct type_step *step, bool *ret_runs)
{
    bool holds = true, not = false;
    *ret_runs = false;
    if (str_is_set(step->lost) &&
        (!type_at(run->before, step->lost) || type_at(run->after, step->lost)))
        return ERR_OK;
    if (is_update(run, step) && !str_is_set(step->lost) && !(step->flags & TYPE_S_ALWAYS) &&
        !uses_changed(run, step, STR_NONE))
        return ERR_OK;
    if (step->flags & TYPE_S_IF_GIVEN && !uses_given(run, step))
        return ERR_OK;
    TRY(type_holds(run, step->when, &holds));
    if (step->unless)
        TRY(type_holds(run, step->unless, &not ));
    *ret_runs = holds && !not ;
    return ERR_OK;
}

/* --- items ---------------------------------------------------------------------------------------- */

static bool same_item(const struct type_step *step, const struct json *a, const struct json *b)
{
    if (!str_is_set(step->key))
        return type_equal(a, b);
    struct str rest = step->key;
    while (str_is_set(rest)) {
        struct str path = str_cut(&rest, ',');
        if (!type_equal(type_at(a, path), type_at(b, path)))
            return false;
    }
    return true;
}

static const struct json *counterpart(const struct type_step *step, const struct json *list,
                                      const struct json *item)
{
    JSON_EACH (list, it)
        if (same_item(step, it, item))
            return it;
    return NULL;
}

static struct str first_name(struct str hole)
{
    struct str rest = hole;
    struct str head = str_cut(&rest, '|');
    return str_cut(&head, '.');
}

/* The lists that an each goes through, before and after. */
static enum err item_lists(struct type_run *run, const struct type_step *step,
                           const struct json **ret_was, const struct json **ret_is)
{
    struct json *after = run->after;
    TRY(type_hole(run, step->each, ret_is));
    run->after = run->before;
    enum err err = type_hole(run, step->each, ret_was);
    run->after = after;
    return err;
}

static bool wants_item(struct type_run *run, const struct type_step *step, const struct json *was,
                       const struct json *item)
{
    char mark = step->each.p[0];
    if (!is_update(run, step) || mark == '@' || mark == '<')
        return true;
    const struct json *old = counterpart(step, was, item);
    return !old || !type_equal(old, item) || uses_changed(run, step, first_name(step->each));
}

/* The nth item that the step is for; NULL: there are no more. Items are told by their place in the list,
 * which does not change while the work goes on. */
static enum err seek_item(struct type_run *run, const struct type_step *step)
{
    const struct json *was = NULL, *is = NULL;
    size_t index = 0;
    bool gone = step->flags & TYPE_S_GONE;
    run->item = run->was_item = NULL;
    TRY(item_lists(run, step, &was, &is));
    if (gone && run->work->verb != TYPE_UPDATE)
        return ERR_OK;
    JSON_EACH (gone ? was : is, it) {
        bool wanted = gone ? !counterpart(step, is, it) : wants_item(run, step, was, it);
        if (index++ >= run->nth && wanted) {
            run->nth = index - 1;
            run->item = it;
            run->was_item = gone ? NULL : counterpart(step, was, it);
            return ERR_OK;
        }
    }
    return ERR_OK;
}

/* What an update removes first, to make it anew ("update": "again"), is as it was. */
static bool is_undo(const struct type_run *run, const struct type_step *step)
{
    return run->work->verb == TYPE_UPDATE && step->flags & TYPE_S_REMOVES &&
           !(step->flags & TYPE_S_IF_CHANGED);
}

/* Whether the step at the cursor has something to do; an item that its `when` does not hold for is passed. */
static enum err has_work(struct type_run *run, const struct type_step *step, bool *ret_has)
{
    *ret_has = false;
    run->item = NULL;
    run->after = is_undo(run, step) ? run->before : run->wanted;
    if (!str_is_set(step->each))
        return runs(run, step, ret_has);
    for (;; run->nth++) {
        TRY(seek_item(run, step));
        if (!run->item)
            return ERR_OK;
        TRY(runs(run, step, ret_has));
        if (*ret_has)
            return ERR_OK;
    }
}

enum err type_seek(struct type_run *run, const struct type_step **ret_step)
{
    for (; run->at < run->steps->n; run->at++, run->nth = 0) {
        const struct type_step *step = &run->steps->v[run->at];
        bool has;
        TRY(has_work(run, step, &has));
        if (has) {
            *ret_step = step;
            return ERR_OK;
        }
    }
    run->item = NULL;
    run->after = run->wanted;
    *ret_step = NULL;
    return ERR_OK;
}
