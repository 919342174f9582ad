/* Access keys of users.
 *
 * Layer: svc. Thread: the call's loop. */
#include "base/rng.h"
#include "svc/iam/iam_int.h"

enum { KEY_RANDOM = 16, SECRET_CHARS = 40 };

static const char secret_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The named user, or the caller when no name is given. */
static enum err user_of(struct call *call, struct str name, struct iam_entity **ret_e)
{
    if (!str_is_set(name)) {
        if (call->who->kind != PRINCIPAL_USER)
            return call_error(call, &iam_err_validation,
                              "Must specify userName when calling with non-User credentials");
        name = call->who->user_name;
    }
    return iam_get_entity(call, IAM_USER, name, ret_e);
}

static enum err find_key(struct call *call, const struct iam_entity *e, struct str id,
                         size_t *ret_at)
{
    for (size_t i = 0; i < e->n_keys; i++) {
        if (str_eq(e->keys[i].id, id)) {
            *ret_at = i;
            return ERR_OK;
        }
    }
    return call_error(call, &iam_err_no_such_entity_exception,
                      "The Access Key with id " STR_FMT " cannot be found.", STR_ARG(id));
}

enum err iam_create_access_key(struct call *call, const struct iam_create_access_key_input *in,
                               struct iam_create_access_key_output *out)
{
    struct iam_entity *e;
    TRY(user_of(call, in->user_name, &e));
    if (e->n_keys == IAM_KEYS_MAX)
        return call_error(call, &iam_err_limit_exceeded_exception,
                          "Cannot exceed quota for AccessKeysPerUser: %d", IAM_KEYS_MAX);
    char random[KEY_RANDOM + 1], secret[SECRET_CHARS + 1];
    rng_text(random, KEY_RANDOM, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    rng_text(secret, SECRET_CHARS, secret_alphabet);
    struct iam_access *key = &e->keys[e->n_keys++];
    *key = (struct iam_access){.id = str_fmt(call->arena, "AKIA%s", random),
                               .secret = str_fmt(call->arena, "%s", secret),
                               .active = true,
                               .created_ms = call->txn->now_ms};
    struct iam_access_key *shape = ARENA_NEW(call->arena, struct iam_access_key);
    if (!shape || !str_is_set(key->id) || !str_is_set(key->secret))
        return ERR_NOMEM;
    TRY(iam_entity_store(iam_of(call), call->txn, e));
    *shape = (struct iam_access_key){.user_name = e->name,
                                     .access_key_id = key->id,
                                     .status = STR("Active"),
                                     .secret_access_key = key->secret};
    WIRE_SET(shape, create_date, key->created_ms);
    out->access_key = shape;
    return ERR_OK;
}

enum err iam_list_access_keys(struct call *call, const struct iam_list_access_keys_input *in,
                              struct iam_list_access_keys_output *out)
{
    struct iam_entity *e;
    struct iam_page page;
    TRY(iam_page_init(call, in->marker, in->has_max_items, in->max_items, &page));
    TRY(user_of(call, in->user_name, &e));
    struct iam_access_key_metadata *v =
        ARENA_ARRAY(call->arena, struct iam_access_key_metadata, IAM_KEYS_MAX);
    if (!v)
        return ERR_NOMEM;
    size_t n = 0, from = 0;
    while (str_is_set(page.after) && from < e->n_keys)
        if (str_eq(e->keys[from++].id, page.after))
            break;
    for (size_t i = from; i < e->n_keys; i++) {
        if (n == page.max) {
            TRY(iam_page_more(call, &page, v[n - 1].access_key_id));
            break;
        }
        v[n] = (struct iam_access_key_metadata){.user_name = e->name,
                                                .access_key_id = e->keys[i].id,
                                                .status = e->keys[i].active ? STR("Active")
                                                                            : STR("Inactive")};
        WIRE_SET(&v[n], create_date, e->keys[i].created_ms);
        n++;
    }
    out->access_key_metadata = (struct iam_access_key_metadata_list_type){v, n};
    WIRE_SET(out, is_truncated, page.truncated);
    out->marker = page.marker;
    return ERR_OK;
}

enum err iam_update_access_key(struct call *call, const struct iam_update_access_key_input *in,
                               struct iam_update_access_key_output *out)
{
    struct iam_entity *e;
    size_t at;
    TRY(user_of(call, in->user_name, &e));
    TRY(find_key(call, e, in->access_key_id, &at));
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
    TRY(user_of(call, in->user_name, &e));
    TRY(find_key(call, e, in->access_key_id, &at));
    for (e->n_keys--; at < e->n_keys; at++)
        e->keys[at] = e->keys[at + 1];
    return iam_entity_store(iam_of(call), call->txn, e);
}
