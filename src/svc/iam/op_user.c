/* Users.
 *
 * Layer: svc. Thread: the call's loop. */
#include "kv/key.h"
#include "svc/iam/iam_int.h"

enum err iam_create_user(struct call *call, const struct iam_create_user_input *in,
                         struct iam_create_user_output *out)
{
    struct iam *iam = iam_of(call);
    struct str key = iam_key_entity(call->arena, IAM_USER, in->user_name), there;
    struct iam_entity *e = ARENA_NEW(call->arena, struct iam_entity);
    struct iam_user *user = ARENA_NEW(call->arena, struct iam_user);
    if (!str_is_set(key) || !e || !user)
        return ERR_NOMEM;
    enum err found = txn_get(call->txn, key, &there);
    if (found == ERR_OK)
        return call_error(call, &iam_err_entity_already_exists_exception,
                          "User with name " STR_FMT " already exists.", STR_ARG(in->user_name));
    if (found != ERR_NOT_FOUND)
        return found;
    e->kind = IAM_USER;
    e->name = in->user_name;
    e->path = str_is_set(in->path) ? in->path : STR("/");
    e->id = iam_new_id(call->arena, "AIDA");
    e->created_ms = call->txn->now_ms;
    e->boundary = in->permissions_boundary;
    if (!str_is_set(e->id))
        return ERR_NOMEM;
    TRY(iam_merge_tags(call, e->tags, &e->n_tags, &in->tags));
    if (str_is_set(e->boundary))
        TRY(iam_count_use(call, IAM_BOUNDARY, e->boundary, e, 1));
    TRY(iam_entity_store(iam, call->txn, e));
    TRY(iam_user_shape(call, e, true, user));
    out->user = user;
    return ERR_OK;
}

enum err iam_get_user(struct call *call, const struct iam_get_user_input *in,
                      struct iam_get_user_output *out)
{
    struct iam_user *user = ARENA_NEW(call->arena, struct iam_user);
    struct str name = in->user_name;
    if (!user)
        return ERR_NOMEM;
    out->user = user;
    if (!str_is_set(name) && call->who->kind == PRINCIPAL_ROOT) {
        user->user_id = call->account;
        user->arn = call->who->arn;
        WIRE_SET(user, create_date, 0);
        return ERR_OK;
    }
    if (!str_is_set(name) && call->who->kind != PRINCIPAL_USER)
        return call_error(call, &iam_err_validation,
                          "Must specify userName when calling with non-User credentials");
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_USER, str_is_set(name) ? name : call->who->user_name, &e));
    return iam_user_shape(call, e, true, user);
}

enum err iam_delete_user(struct call *call, const struct iam_delete_user_input *in,
                         struct iam_delete_user_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_USER, in->user_name, &e));
    const char *must = e->n_attached  ? "detach all policies"
                       : e->n_inlines ? "delete policies"
                       : e->n_keys    ? "delete access keys"
                                      : NULL;
    if (must)
        return call_error(call, &iam_err_delete_conflict_exception,
                          "Cannot delete entity, must %s first.", must);
    if (str_is_set(e->boundary))
        TRY(iam_count_use(call, IAM_BOUNDARY, e->boundary, e, -1));
    return iam_entity_remove(iam_of(call), call->txn, e);
}

/* Moves the notes of which policies a user has to its new name. */
static enum err move_uses(struct call *call, const struct iam_entity *before,
                          const struct iam_entity *after)
{
    for (size_t i = 0; i < before->n_attached; i++) {
        struct str arn = before->attached[i];
        struct str old = iam_key_use(call->arena, IAM_ATTACHED, arn, IAM_USER, before->name);
        struct str new_key = iam_key_use(call->arena, IAM_ATTACHED, arn, IAM_USER, after->name);
        if (!str_is_set(old) || !str_is_set(new_key))
            return ERR_NOMEM;
        TRY(txn_del(call->txn, old));
        TRY(txn_put(call->txn, new_key, STR("")));
    }
    if (!str_is_set(before->boundary))
        return ERR_OK;
    struct str old =
        iam_key_use(call->arena, IAM_BOUNDARY, before->boundary, IAM_USER, before->name);
    struct str new_key =
        iam_key_use(call->arena, IAM_BOUNDARY, before->boundary, IAM_USER, after->name);
    if (!str_is_set(old) || !str_is_set(new_key))
        return ERR_NOMEM;
    TRY(txn_del(call->txn, old));
    return txn_put(call->txn, new_key, STR(""));
}

enum err iam_update_user(struct call *call, const struct iam_update_user_input *in,
                         struct iam_update_user_output *out)
{
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_USER, in->user_name, &e));
    struct iam_entity *after = ARENA_NEW(call->arena, struct iam_entity);
    if (!after)
        return ERR_NOMEM;
    *after = *e;
    if (str_is_set(in->new_path))
        after->path = in->new_path;
    if (str_is_set(in->new_user_name))
        after->name = in->new_user_name;
    if (!str_eq_nocase(after->name, e->name)) {
        struct str key = iam_key_entity(call->arena, IAM_USER, after->name), there;
        if (!str_is_set(key))
            return ERR_NOMEM;
        enum err found = txn_get(call->txn, key, &there);
        if (found == ERR_OK)
            return call_error(call, &iam_err_entity_already_exists_exception,
                              "User with name " STR_FMT " already exists.", STR_ARG(after->name));
        if (found != ERR_NOT_FOUND)
            return found;
        TRY(iam_entity_remove(iam_of(call), call->txn, e));
        TRY(move_uses(call, e, after));
    }
    return iam_entity_store(iam_of(call), call->txn, after);
}

/* Entities of a kind whose path begins with `prefix`, in order of name, from the page's start. */
enum err iam_list_entities(struct call *call, enum iam_kind kind, struct str prefix,
                           struct iam_page *page, struct iam_entity **v, size_t *ret_n)
{
    struct str from = iam_key_entities(call->arena, kind);
    struct str to = str_is_set(from) ? key_after_prefix(call->arena, from) : STR_NONE;
    if (str_is_set(page->after))
        from = iam_scan_after(call, iam_key_entity(call->arena, kind, page->after));
    if (!str_is_set(from) || !str_is_set(to))
        return ERR_NOMEM;
    struct kv_iter *it;
    struct str key, record;
    size_t n = 0;
    TRY(kv_scan(call->txn->kv, from, to, false, &it));
    enum err e;
    while ((e = kv_next(it, &key, &record)) == ERR_OK) {
        struct iam_entity *entity;
        e = iam_entity_decode(call->arena, kind, record, &entity);
        if (e != ERR_OK)
            break;
        if (str_is_set(prefix) && !str_starts(entity->path, prefix))
            continue;
        if (n == page->max) {
            e = iam_page_more(call, page, v[n - 1]->name);
            break;
        }
        v[n++] = entity;
    }
    kv_iter_close(it);
    *ret_n = n;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err iam_list_users(struct call *call, const struct iam_list_users_input *in,
                        struct iam_list_users_output *out)
{
    struct iam_page page;
    size_t n;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    struct iam_entity **found = ARENA_ARRAY(call->arena, struct iam_entity *, page.max + 1);
    if (!found)
        return ERR_NOMEM;
    TRY(iam_list_entities(call, IAM_USER, in->path_prefix, &page, found, &n));
    struct iam_user *v = ARENA_ARRAY(call->arena, struct iam_user, n + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        TRY(iam_user_shape(call, found[i], false, &v[i]));
    out->users = (struct iam_user_list_type){v, n};
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
    return ERR_OK;
}

/* There are no groups: clients ask before they delete a user. */
enum err iam_list_groups_for_user(struct call *call,
                                  const struct iam_list_groups_for_user_input *in,
                                  struct iam_list_groups_for_user_output *out)
{
    static const struct iam_group none[1];
    struct iam_entity *e;
    TRY(iam_get_entity(call, IAM_USER, in->user_name, &e));
    out->groups = (struct iam_group_list_type){none, 0};
    WIRE_SET(out, is_truncated, false);
    return ERR_OK;
}
