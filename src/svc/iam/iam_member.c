/* Who belongs to what: users to groups, instance profiles to roles. The owner's record counts them, so
 * that its removal and a concurrent joining conflict, and an index lists them.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "svc/iam/iam_int.h"

enum err iam_join(struct call *call, struct iam_entity *owner, const struct iam_entity *member)
{
    struct iam *iam = iam_of(call);
    owner->members++;
    TRY(txn_put(call->txn, iam_member_key(call->account, call->arena, owner->id, member), STR("")));
    return iam_entity_store(iam, call->txn, owner);
}

enum err iam_leave(struct call *call, struct iam_entity *owner, const struct iam_entity *member)
{
    struct iam *iam = iam_of(call);
    if (--owner->members < 0)
        return ERR_CORRUPT;
    TRY(txn_del(call->txn, iam_member_key(call->account, call->arena, owner->id, member)));
    return iam_entity_store(iam, call->txn, owner);
}

/* Who has an id is known from memory; whether he still does, from the store, tracked. */
enum err iam_load_id(struct iam *iam, struct txn *txn, struct str id, struct iam_entity **ret_e)
{
    const struct iam_entity *known;
    struct iam_entity *e;
    TRY(iam_known(iam, txn->arena, IAM_BY_ID, id, &known));
    TRY(iam_entity_load(iam, known->account, txn, known->kind, known->name, &e));
    if (!str_eq(e->id, id))
        return ERR_NOT_FOUND;
    *ret_e = e;
    return ERR_OK;
}

/* --- lists ------------------------------------------------------------------------------------ */

static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct iam_lister *l = arg;
    TRY(iam_entity_unpack(iam_of(l->call), l->call->account, l->call->arena, l->kind, record,
                          &l->e));
    *ret_match = !str_is_set(l->prefix) || str_starts(l->e.path, l->prefix);
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct iam_lister *l = arg;
    return l->shape(l->call, &l->e, l->v + l->n++ * l->size);
}

static enum err scan(struct iam_lister *l, struct iam_page *page, struct key_range range,
                     const struct page_fns *fns)
{
    l->v = arena_alloc(l->call->arena, page->p.limit * l->size);
    return l->v ? iam_page_scan(l->call, page, range, fns, l) : ERR_NOMEM;
}

enum err iam_list_kind(struct iam_lister *l, struct iam_page *page)
{
    static const struct page_fns fns = {match, take};
    struct arena *a = l->call->arena;
    return scan(l, page, key_range(a, &iam_k_entity, iam_scope(l->call->account), (uint8_t)l->kind),
                &fns);
}

static enum err take_member(void *arg, struct str key, struct str value)
{
    struct iam_lister *l = arg;
    struct arena *a = l->call->arena;
    const struct iam *iam = iam_of(l->call);
    struct str lower, record;
    TRY(key_read(&iam_k_member, key, a, KEY_SKIP, KEY_SKIP, &lower));
    TRY(txn_peek(l->call->txn, iam_entity_key(l->call->account, a, l->kind, lower), &record));
    TRY(iam_entity_unpack(iam, l->call->account, a, l->kind, record, &l->e));
    return take(l, key, record);
}

enum err iam_list_members(struct iam_lister *l, const struct iam_entity *owner,
                          struct iam_page *page)
{
    static const struct page_fns fns = {NULL, take_member};
    assert(owner->kind == IAM_GROUP || owner->kind == IAM_ROLE);
    return scan(l, page,
                key_range(l->call->arena, &iam_k_member, iam_scope(l->call->account), owner->id),
                &fns);
}
