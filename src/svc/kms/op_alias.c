/* CreateAlias, UpdateAlias, DeleteAlias, ListAliases.
 *
 * Source: AWS KMS Developer Guide, "Aliases".
 * Layer: svc. Thread: the call's. */
#include "svc/kms/kms_int.h"

static enum err check_name(struct call *call, struct str name)
{
    if (!str_starts(name, STR("alias/")))
        return call_error(call, &kms_err_validation, "Invalid identifier");
    if (name.len == STR("alias/").len)
        return call_error(call, &kms_err_invalid_alias_name_exception, "Invalid alias name");
    if (str_starts(name, STR("alias/aws/")))
        return call_error(call, &kms_err_not_authorized_exception,
                          "Aliases that begin with alias/aws/ are reserved.");
    return ERR_OK;
}

static struct str alias_arn(struct call *call, struct str name)
{
    return call_arn(call, "kms", STR_FMT, STR_ARG(name));
}

static enum err no_alias(struct call *call, struct str name)
{
    struct str arn = alias_arn(call, name);
    return call_error(call, &kms_err_not_found_exception, "Alias " STR_FMT " is not found.",
                      STR_ARG(arn));
}

/* One more or one less of the key; each change of an alias writes its key, so two at once conflict. */
static enum err count(struct call *call, struct kms_key *key, int by)
{
    if (by > 0 && key->aliases >= KMS_ALIASES_MAX)
        return call_error(call, &kms_err_limit_exceeded_exception,
                          "A key can have no more than %d aliases.", KMS_ALIASES_MAX);
    key->aliases += (uint64_t)(int64_t)by;
    return kms_key_write(call->txn, key);
}

enum err kms_create_alias(struct call *call, const struct kms_create_alias_input *in,
                          struct kms_create_alias_output *out)
{
    struct kms_key key;
    struct kms_alias there;
    TRY(check_name(call, in->alias_name));
    TRY(kms_need(call, in->target_key_id, KMS_BY_ID, &key));
    TRY(kms_not_pending_deletion(call, &key));
    enum err err = kms_alias_read(call->txn, key.scope, in->alias_name, &there);
    if (err == ERR_OK) {
        struct str arn = alias_arn(call, in->alias_name);
        return call_error(call, &kms_err_already_exists_exception,
                          "An alias with the name " STR_FMT " already exists", STR_ARG(arn));
    }
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(count(call, &key, 1));
    struct kms_alias alias = {key.id, call->txn->wall_ms, call->txn->wall_ms};
    return kms_alias_write(call->txn, key.scope, in->alias_name, &alias);
}

static enum err unlink_from(struct call *call, struct str name, const struct kms_key *key)
{
    return txn_del(call->txn, key_make(call->arena, &kms_k_alias_of, key->scope, key->id, name));
}

/* Both keys are of the same use, so that ciphertexts and signatures of the one are not asked of the
 * other by mistake. */
static enum err check_alike(struct call *call, const struct kms_key *old, const struct kms_key *new)
{
    bool symmetric = old->spec == KMS_SYMMETRIC_DEFAULT;
    if (old->usage == new->usage && symmetric == (new->spec == KMS_SYMMETRIC_DEFAULT))
        return ERR_OK;
    return call_error(call, &kms_err_validation,
                      "The alias cannot move to a key of another type or key usage.");
}

enum err kms_update_alias(struct call *call, const struct kms_update_alias_input *in,
                          struct kms_update_alias_output *out)
{
    struct kms_key key, old;
    struct kms_alias alias;
    TRY(check_name(call, in->alias_name));
    TRY(kms_need(call, in->target_key_id, KMS_BY_ID, &key));
    TRY(kms_not_pending_deletion(call, &key));
    enum err err = kms_alias_read(call->txn, key.scope, in->alias_name, &alias);
    if (err == ERR_NOT_FOUND)
        return no_alias(call, in->alias_name);
    TRY(err);
    TRY(kms_need_id(call, alias.key_id, &old));
    alias.updated_ms = call->txn->wall_ms;
    if (!str_eq(old.id, key.id)) {
        TRY(check_alike(call, &old, &key));
        TRY(unlink_from(call, in->alias_name, &old));
        TRY(count(call, &old, -1));
        TRY(count(call, &key, 1));
        alias.key_id = key.id;
    }
    return kms_alias_write(call->txn, key.scope, in->alias_name, &alias);
}

enum err kms_delete_alias(struct call *call, const struct kms_delete_alias_input *in,
                          struct kms_delete_alias_output *out)
{
    struct kms_key key;
    struct kms_alias alias;
    TRY(check_name(call, in->alias_name));
    enum err err = kms_alias_read(call->txn, call_scope(call), in->alias_name, &alias);
    if (err == ERR_NOT_FOUND)
        return no_alias(call, in->alias_name);
    TRY(err);
    TRY(kms_need_id(call, alias.key_id, &key));
    TRY(unlink_from(call, in->alias_name, &key));
    TRY(count(call, &key, -1));
    return txn_del(call->txn, key_make(call->arena, &kms_k_alias, key.scope, in->alias_name));
}

/* --- ListAliases ------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    struct kms_alias_list_entry *v;
    size_t n;
};

static enum err add(struct listing *l, struct str name, const struct kms_alias *alias)
{
    struct kms_alias_list_entry *e = &l->v[l->n++];
    e->alias_name = name;
    e->alias_arn = alias_arn(l->call, name);
    e->target_key_id = str_dup(l->call->arena, alias->key_id);
    WIRE_SET(e, creation_date, alias->created_ms);
    WIRE_SET(e, last_updated_date, alias->updated_ms);
    return str_is_set(e->alias_arn) && str_is_set(e->target_key_id) ? ERR_OK : ERR_NOMEM;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct kms_alias alias;
    struct str name;
    TRY(key_read(&kms_k_alias, key, l->call->arena, KEY_SKIP, &name));
    TRY(kms_alias_read(l->call->txn, call_scope(l->call), name, &alias));
    return add(l, name, &alias);
}

static enum err take_of_key(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct kms_alias alias;
    struct str name;
    TRY(key_read(&kms_k_alias_of, key, l->call->arena, KEY_SKIP, KEY_SKIP, &name));
    TRY(kms_alias_read(l->call->txn, call_scope(l->call), name, &alias));
    return add(l, name, &alias);
}

enum err kms_list_aliases(struct call *call, const struct kms_list_aliases_input *in,
                          struct kms_list_aliases_output *out)
{
    static const struct page_fns all = {NULL, take}, of_key = {NULL, take_of_key};
    size_t limit = in->has_limit ? (size_t)in->limit : KMS_LIST;
    struct listing l = {.call = call};
    struct kms_key key = {.id = STR("")};
    if (str_is_set(in->key_id))
        TRY(kms_need(call, in->key_id, KMS_BY_ID, &key));
    struct page page =
        kms_page(call, key.id, in->marker, limit < KMS_LIST_MAX ? limit : KMS_LIST_MAX);
    l.v = ARENA_ARRAY(call->arena, struct kms_alias_list_entry, page.limit);
    if (!l.v)
        return ERR_NOMEM;
    struct key_range range = key.id.len > 0
                                 ? key_range(call->arena, &kms_k_alias_of, key.scope, key.id)
                                 : key_range(call->arena, &kms_k_alias, call_scope(call));
    TRY(kms_paged(call, page_scan(call->txn, &page, range, key.id.len > 0 ? &of_key : &all, &l)));
    out->aliases = (struct kms_alias_list){l.v, l.n};
    KMS_PAGED(out, &page);
    return ERR_OK;
}
