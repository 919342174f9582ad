/* What becomes of the change sets of nested stacks (cloudformation_hierarchy.c makes them).
 *
 *   ExecuteChangeSet of the root --> EXECUTE_IN_PROGRESS --the parent's step of the nested stack--> EXECUTE_COMPLETE
 *                                        |--the way forward ended before its turn--> dropped, with its stack if that
 *                                        |                                           is in review for it alone (CF5)
 *   DeleteChangeSet of the root ---------+
 *
 * A step takes the text that was looked at, not what stands at its address by then.
 *
 * Layer: svc/cloudformation. Thread: the transaction's. */
#include "codec/json.h"
#include "svc/cloudformation/cloudformation_int.h"

/* ERR_NOT_FOUND: it, or its stack, is gone. */
static enum err read_child(struct txn *txn, struct key_scope scope,
                           const struct cfn_nested_set *child, struct cfn_stack *ret_s,
                           struct cfn_change_set *ret)
{
    TRY(cfn_stack_read(txn, scope, child->uuid, ret_s));
    return cfn_change_set_read(txn, child->uuid, child->name, ret);
}

static enum err drop_child(struct cfn *c, struct txn *txn, struct key_scope scope,
                           const struct cfn_nested_set *child)
{
    struct cfn_stack s;
    struct cfn_change_set cs;
    enum err err = read_child(txn, scope, child, &s, &cs);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    TRY(cfn_hierarchy_drop(c, txn, &s, &cs));
    return s.status == CFN_REVIEW_IN_PROGRESS
               ? cfn_begin_more(c, txn, &s, CFN_DELETE_IN_PROGRESS, STR("User Initiated"))
               : ERR_OK;
}

/* Recursion: as deep as stacks are nested, CFN_NESTING_MAX. */
enum err cfn_hierarchy_drop(struct cfn *c, struct txn *txn, const struct cfn_stack *s,
                            const struct cfn_change_set *cs)
{
    for (size_t i = 0; i < cs->n_children; i++)
        TRY(drop_child(c, txn, cfn_scope(s), &cs->children[i]));
    return cfn_change_set_drop(txn, s, cs);
}

static enum err mark_children(struct txn *txn, const struct cfn_stack *s,
                              const struct cfn_change_set *cs)
{
    for (size_t i = 0; i < cs->n_children; i++) {
        struct cfn_stack child;
        struct cfn_change_set its;
        enum err err = read_child(txn, cfn_scope(s), &cs->children[i], &child, &its);
        if (err == ERR_NOT_FOUND)
            continue;
        TRY(err);
        its.execution_status = STR("EXECUTE_IN_PROGRESS");
        TRY(cfn_change_set_write(txn, &child, &its));
        TRY(mark_children(txn, &child, &its));
    }
    return ERR_OK;
}

enum err cfn_hierarchy_begin(struct txn *txn, const struct cfn_stack *s, struct cfn_change_set *cs)
{
    cs->execution_status = STR("EXECUTE_COMPLETE");
    cs->done_no = s->op_no;
    TRY(cfn_change_set_write(txn, s, cs));
    return str_is_set(cs->root_id) ? ERR_OK : mark_children(txn, s, cs);
}

/* What the operation in progress carries out. ERR_NOT_FOUND: no change set, or one that knows of no nested stacks. */
static enum err in_progress(struct txn *txn, const struct cfn_stack *s, struct cfn_change_set *ret)
{
    struct arn arn;
    if (!str_is_set(s->change_set_id) ||
        arn_parse_as(s->change_set_id, "cloudformation", "changeSet", &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    TRY(cfn_change_set_read(txn, s->uuid, arn_segment(&arn, 1), ret));
    return ret->nested && ret->done_no == s->op_no && str_eq(ret->id, s->change_set_id)
               ? ERR_OK
               : ERR_NOT_FOUND;
}

enum err cfn_hierarchy_end(struct cfn *c, struct txn *txn, const struct cfn_stack *s)
{
    struct cfn_change_set cs, its;
    struct cfn_stack child;
    enum err err = in_progress(txn, s, &cs);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    for (size_t i = 0; i < cs.n_children; i++) {
        err = read_child(txn, cfn_scope(s), &cs.children[i], &child, &its);
        if (err == ERR_OK && !its.done_no)
            err = drop_child(c, txn, cfn_scope(s), &cs.children[i]);
        if (err != ERR_OK && err != ERR_NOT_FOUND)
            return err;
    }
    return ERR_OK;
}

/* Whether the set looked into that nested stack at all: its change says so where it found none to make. */
enum err cfn_hierarchy_of(struct txn *txn, const struct cfn_stack *s, struct str resource,
                          bool *ret_whole, struct cfn_stack *ret_child, struct cfn_change_set *ret)
{
    struct cfn_change_set cs;
    const struct json *changes;
    *ret_whole = false;
    TRY(in_progress(txn, s, &cs));
    for (size_t i = 0; i < cs.n_children; i++)
        if (str_eq(cs.children[i].resource, resource)) {
            TRY(read_child(txn, cfn_scope(s), &cs.children[i], ret_child, ret));
            return ret->done_no ? ERR_NOT_FOUND : ERR_OK;
        }
    TRY(cfn_json(txn->arena, cs.changes, &changes));
    JSON_EACH (changes, it)
        if (str_eq(json_get_str(it, STR("id")), resource))
            return ERR_NOT_FOUND; /* its address was not known then */
    *ret_whole = true;
    return ERR_NOT_FOUND;
}
