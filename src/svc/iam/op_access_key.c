/* Access keys of users.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "base/rng.h"
#include "svc/iam/iam_used.h"

enum { KEY_RANDOM = 16, SECRET_CHARS = 40 };

static const char secret_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static struct str status_of(const struct iam_access *key)
{
    return key->active ? STR("Active") : STR("Inactive");
}

/* The user, and where the key is among his. */
static enum err need_key(struct call *call, struct str user_name, struct str id,
                         struct iam_entity **ret_e, size_t *ret_at)
{
    TRY(iam_get_user_or_self(call, user_name, ret_e));
    for (*ret_at = 0; *ret_at < (*ret_e)->n_keys; ++*ret_at)
        if (str_eq((*ret_e)->keys[*ret_at].id, id))
            return ERR_OK;
    return call_error(call, &iam_err_no_such_entity_exception,
                      "The Access Key with id " STR_FMT " cannot be found.", STR_ARG(id));
}

/* Makes one, in its place by id. */
static enum err add_key(struct call *call, struct iam_entity *e, struct iam_access **ret_key)
{
    char random[KEY_RANDOM + 1], secret[SECRET_CHARS + 1];
    assert(e->kind == IAM_USER && e->n_keys < IAM_KEYS_MAX);
    rng_text(random, KEY_RANDOM, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    rng_text(secret, SECRET_CHARS, secret_alphabet);
    struct iam_access key = {.id = str_fmt(call->arena, "AKIA%s", random),
                             .secret = str_fmt(call->arena, "%s", secret),
                             .active = true,
                             .created_ms = call->txn->wall_ms};
    if (!str_is_set(key.id) || !str_is_set(key.secret))
        return ERR_NOMEM;
    size_t at = e->n_keys++;
    for (; at > 0 && str_cmp(e->keys[at - 1].id, key.id) > 0; at--)
        e->keys[at] = e->keys[at - 1];
    e->keys[at] = key;
    *ret_key = &e->keys[at];
    return ERR_OK;
}

enum err iam_create_access_key(struct call *call, const struct iam_create_access_key_input *in,
                               struct iam_create_access_key_output *out)
{
    struct iam_entity *e;
    struct iam_access *key;
    struct iam_access_key *shape = ARENA_NEW(call->arena, struct iam_access_key);
    if (!shape)
        return ERR_NOMEM;
    TRY(iam_get_user_or_self(call, in->user_name, &e));
    if (e->n_keys == IAM_KEYS_MAX)
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Cannot exceed quota for AccessKeysPerUser: %d", IAM_KEYS_MAX);
    TRY(add_key(call, e, &key));
    TRY(iam_entity_store(iam_of(call), call->txn, e));
    *shape = (struct iam_access_key){.user_name = e->name,
                                     .access_key_id = key->id,
                                     .status = status_of(key),
                                     .secret_access_key = key->secret};
    WIRE_SET(shape, create_date, key->created_ms);
    out->access_key = shape;
    return ERR_OK;
}

enum err iam_list_access_keys(struct call *call, const struct iam_list_access_keys_input *in,
                              struct iam_list_access_keys_output *out)
{
    struct iam_entity *e;
    size_t from;
    TRY(iam_get_user_or_self(call, in->user_name, &e));
    struct iam_page *page = IAM_PAGE(call, in, out, e->name);
    TRY(iam_page_slice(call, page, e->keys, sizeof(*e->keys), e->n_keys, &from));
    struct iam_access_key_metadata *v =
        ARENA_ARRAY(call->arena, struct iam_access_key_metadata, page->p.n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < page->p.n; i++) {
        const struct iam_access *key = &e->keys[from + i];
        v[i] = (struct iam_access_key_metadata){
            .user_name = e->name, .access_key_id = key->id, .status = status_of(key)};
        WIRE_SET(&v[i], create_date, key->created_ms);
    }
    out->access_key_metadata = (struct iam_access_key_metadata_list_type){v, page->p.n};
    return ERR_OK;
}

enum err iam_update_access_key(struct call *call, const struct iam_update_access_key_input *in,
                               struct iam_update_access_key_output *out)
{
    struct iam_entity *e;
    size_t at;
    TRY(need_key(call, in->user_name, in->access_key_id, &e, &at));
    if (str_eq_c(in->status, "Expired"))
        return call_error(call, &iam_err_invalid_input_exception,
                          "The status of an access key is set to Active or Inactive.");
    e->keys[at].active = str_eq_c(in->status, "Active");
    return iam_entity_store(iam_of(call), call->txn, e);
}

enum err iam_delete_access_key(struct call *call, const struct iam_delete_access_key_input *in,
                               struct iam_delete_access_key_output *out)
{
    struct iam_entity *e;
    size_t at;
    TRY(need_key(call, in->user_name, in->access_key_id, &e, &at));
    TRY(iam_uses_forget(iam_of(call)->uses, call->txn, call->account, e->keys[at].id));
    for (e->n_keys--; at < e->n_keys; at++)
        e->keys[at] = e->keys[at + 1];
    return iam_entity_store(iam_of(call), call->txn, e);
}

/* Of a key that is not there AWS says that nobody may ask; here it is said that it is not. */
enum err iam_get_access_key_last_used(struct call *call,
                                      const struct iam_get_access_key_last_used_input *in,
                                      struct iam_get_access_key_last_used_output *out)
{
    struct iam_access_key_last_used *shape =
        ARENA_NEW(call->arena, struct iam_access_key_last_used);
    const struct iam_entity *e;
    struct iam_used used;
    if (!shape)
        return ERR_NOMEM;
    enum err err = iam_known(iam_of(call), call->arena, IAM_BY_ACCESS_KEY, in->access_key_id, &e);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &iam_err_no_such_entity_exception,
                          "The Access Key with id " STR_FMT " cannot be found.",
                          STR_ARG(in->access_key_id));
    TRY(err);
    TRY(iam_uses_of(iam_of(call)->uses, call->arena, in->access_key_id, &used));
    *shape = (struct iam_access_key_last_used){.service_name = STR("N/A"), .region = STR("N/A")};
    if (used.at_ms) {
        WIRE_SET(shape, last_used_date, used.at_ms);
        shape->service_name = used.service;
        shape->region = used.region;
    }
    out->user_name = e->name;
    out->access_key_last_used = shape;
    return ERR_OK;
}
