/* Users: how they are named, found, stored and shown; the groups they are in.
 *
 * Source: Cognito developer guide, "Customizing sign-in attributes", "Adding groups to a user pool".
 * Layer: svc/cognito. Thread: the transaction's. */
#include "base/rng.h"
#include "svc/cognito/cognito_int.h"

static struct str user_key(struct arena *a, const struct cognito_pool *pool, struct str name)
{
    struct str folded = cognito_fold(a, pool, name);
    return str_is_set(folded) ? key_make(a, &cognito_k_user, pool->rec.id, folded) : STR_NONE;
}

static struct str alias_key(struct arena *a, const struct cognito_pool *pool, struct str attribute,
                            struct str value)
{
    struct str folded = cognito_fold(a, pool, value);
    return str_is_set(folded) ? key_make(a, &cognito_k_alias, pool->rec.id, attribute, folded)
                              : STR_NONE;
}

/* --- finding ------------------------------------------------------------------------------------ */

static enum err find_by(struct txn *txn, const struct cognito_pool *pool, struct str attribute,
                        struct str value, struct cognito_user *ret)
{
    struct str name;
    TRY(txn_get(txn, alias_key(txn->arena, pool, attribute, value), &name));
    return txn_read(txn, key_make(txn->arena, &cognito_k_user, pool->rec.id, name),
                    &cognito_user_rec_type, ret);
}

static bool signs_up_with(const struct cognito_pool *pool, const char *attribute)
{
    return COGNITO_HAS(pool->set.username_attributes, str_c(attribute));
}

static bool is_alias(const struct cognito_pool *pool, const char *attribute)
{
    return COGNITO_HAS(pool->set.alias_attributes, str_c(attribute));
}

enum err cognito_user_find(struct txn *txn, const struct cognito_pool *pool, struct str name,
                           struct cognito_user *ret)
{
    static const char *const attributes[] = {"email", "phone_number", "preferred_username"};
    struct cognito_user user = {0};
    enum err err = txn_read(txn, user_key(txn->arena, pool, name), &cognito_user_rec_type, &user);
    for (size_t i = 0; err == ERR_NOT_FOUND && i < ARRAY_LEN(attributes); i++)
        if (is_alias(pool, attributes[i]) || signs_up_with(pool, attributes[i]))
            err = find_by(txn, pool, str_c(attributes[i]), name, &user);
    if (err == ERR_NOT_FOUND)
        err = find_by(txn, pool, STR("sub"), name, &user);
    if (err == ERR_OK)
        *ret = user;
    return err;
}

enum err cognito_user_need(struct call *call, const struct cognito_pool *pool, struct str name,
                           struct cognito_user *ret)
{
    enum err err = cognito_user_find(call->txn, pool, name, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &cognito_err_user_not_found_exception, "User does not exist.");
    return err;
}

/* --- making ------------------------------------------------------------------------------------- */

static enum err name_by_attribute(struct call *call, const struct cognito_pool *pool,
                                  struct str username, struct cognito_user *user)
{
    const bool has_at = str_find(username, '@') != SIZE_MAX;
    const char *attribute = signs_up_with(pool, "email") && has_at ? "email"
                            : signs_up_with(pool, "phone_number")  ? "phone_number"
                                                                   : "email";
    const struct cognito_change change = {.pool = pool, .creates = true};
    const struct tag attr = {str_c(attribute), username};
    user->name = user->sub;
    if (!has_at && !str_starts(username, STR("+")))
        return COGNITO_INVALID(
            call, signs_up_with(pool, "email") && signs_up_with(pool, "phone_number")
                      ? "Username should be either an email or a phone number."
                  : signs_up_with(pool, "email") ? "Username should be an email."
                                                 : "Username should be a phone number.");
    return cognito_attrs_set(call, &change, (struct tag_list){&attr, 1}, user);
}

/* The same for as long as the call lives: triggers are told of it (CG5). */
static enum err draw_sub(struct call *call, struct str *ret)
{
    char uuid[RNG_UUID_LEN + 1];
    enum err err = cognito_kept(call, "sub", ret);
    if (err != ERR_NOT_FOUND)
        return err;
    *ret = str_dup(call->arena, rng_uuid(uuid));
    return str_is_set(*ret) ? cognito_keep(call, "sub", *ret) : ERR_NOMEM;
}

enum err cognito_user_new(struct call *call, const struct cognito_pool *pool, struct str username,
                          struct cognito_user *ret)
{
    struct cognito_user old;
    struct str sub;
    enum err err = cognito_user_find(call->txn, pool, username, &old);
    if (err == ERR_OK)
        return call_error(call, &cognito_err_username_exists_exception,
                          signs_up_with(pool, "email") || signs_up_with(pool, "phone_number")
                              ? "An account with the given email already exists."
                              : "User already exists");
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(draw_sub(call, &sub));
    *ret = (struct cognito_user){
        .sub = sub,
        .created_ms = call->txn->wall_ms,
        .epoch = rng_u64() >> 16,
    };
    ret->name = username;
    TRY(cognito_attr_put(call->arena, ret, STR("sub"), ret->sub));
    if (pool->set.username_attributes.n)
        return name_by_attribute(call, pool, username, ret);
    if ((is_alias(pool, "email") && str_find(username, '@') != SIZE_MAX))
        return COGNITO_INVALID(call, "Username cannot be of email format, since user pool is "
                                     "configured for email alias.");
    return ERR_OK;
}

/* --- storing (CG3) ------------------------------------------------------------------------------ */

/* The aliases that a user has by its attributes. */
static enum err aliases_of(struct arena *a, const struct cognito_pool *pool,
                           const struct cognito_user *user, struct tag_list *ret)
{
    static const char *const addresses[] = {"email", "phone_number"};
    struct tag *v = ARENA_ARRAY(a, struct tag, COGNITO_ALIASES_MAX);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    v[n++] = (struct tag){STR("sub"), user->sub};
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct str value = cognito_attr(user, addresses[i]);
        if (!str_empty(value) &&
            (signs_up_with(pool, addresses[i]) ||
             (is_alias(pool, addresses[i]) && cognito_verified(user, addresses[i]))))
            v[n++] = (struct tag){str_c(addresses[i]), value};
    }
    struct str preferred = cognito_attr(user, "preferred_username");
    if (is_alias(pool, "preferred_username") && !str_empty(preferred) &&
        user->status != COGNITO_UNCONFIRMED)
        v[n++] = (struct tag){STR("preferred_username"), preferred};
    for (size_t i = 0; i < n; i++) {
        v[i].value = cognito_fold(a, pool, v[i].value);
        if (!str_is_set(v[i].value))
            return ERR_NOMEM;
    }
    *ret = (struct tag_list){v, n};
    return ERR_OK;
}

static bool has_pair(struct tag_list list, const struct tag *p)
{
    for (size_t i = 0; i < list.n; i++)
        if (str_eq(list.v[i].key, p->key) && str_eq(list.v[i].value, p->value))
            return true;
    return false;
}

/* Another user loses the alias, and with it that its address was verified. */
static enum err take_from(struct call *call, const struct cognito_pool *pool, struct str name,
                          const struct tag *alias)
{
    struct cognito_user other = {0};
    struct str key = key_make(call->arena, &cognito_k_user, pool->rec.id, name);
    TRY(txn_read(call->txn, key, &cognito_user_rec_type, &other));
    size_t n = 0;
    for (size_t i = 0; i < other.n_aliases; i++)
        if (!str_eq(other.aliases[i].key, alias->key))
            other.aliases[n++] = other.aliases[i];
    other.n_aliases = n;
    if (str_eq_c(alias->key, "email"))
        TRY(cognito_attr_put(call->arena, &other, STR("email_verified"), STR("false")));
    if (str_eq_c(alias->key, "phone_number"))
        TRY(cognito_attr_put(call->arena, &other, STR("phone_number_verified"), STR("false")));
    return txn_write(call->txn, key, &cognito_user_rec_type, &other);
}

static enum err add_alias(struct call *call, const struct cognito_pool *pool, struct str name,
                          const struct tag *alias, bool force)
{
    struct str key =
        key_make(call->arena, &cognito_k_alias, pool->rec.id, alias->key, alias->value);
    struct str owner;
    enum err err = txn_get(call->txn, key, &owner);
    if (err == ERR_OK && !str_eq(owner, name)) {
        if (!force)
            return call_error(call,
                              COGNITO_HAS(pool->set.username_attributes, alias->key)
                                  ? &cognito_err_username_exists_exception
                                  : &cognito_err_alias_exists_exception,
                              "An account with the given " STR_FMT " already exists.",
                              STR_ARG(alias->key));
        TRY(take_from(call, pool, owner, alias));
    } else if (err != ERR_OK && err != ERR_NOT_FOUND) {
        return err;
    }
    return txn_put(call->txn, key, name);
}

enum err cognito_user_save(struct call *call, const struct cognito_pool *pool,
                           struct cognito_user *user, bool force)
{
    const struct tag_list old = {user->aliases, user->n_aliases};
    struct tag_list now;
    struct str name = cognito_fold(call->arena, pool, user->name);
    if (!str_is_set(name))
        return ERR_NOMEM;
    TRY(cognito_pool_guard(call->txn, pool));
    TRY(aliases_of(call->arena, pool, user, &now));
    for (size_t i = 0; i < old.n; i++)
        if (!has_pair(now, &old.v[i]))
            TRY(txn_del(call->txn, key_make(call->arena, &cognito_k_alias, pool->rec.id,
                                            old.v[i].key, old.v[i].value)));
    for (size_t i = 0; i < now.n; i++)
        if (!has_pair(old, &now.v[i]))
            TRY(add_alias(call, pool, name, &now.v[i], force));
    user->aliases = (struct tag *)now.v;
    user->n_aliases = now.n;
    user->modified_ms = call->txn->wall_ms;
    return txn_write(call->txn, user_key(call->arena, pool, name), &cognito_user_rec_type, user);
}

/* --- deleting ----------------------------------------------------------------------------------- */

struct leaving {
    struct txn *txn;
    struct str pool_id, name;
};

static enum err leave(void *arg, struct str key, struct str val)
{
    struct leaving *l = arg;
    struct str group;
    TRY(key_read(&cognito_k_member, key, l->txn->arena, KEY_SKIP, KEY_SKIP, &group));
    TRY(txn_del(l->txn, key_make(l->txn->arena, &cognito_k_in_group, l->pool_id, group, l->name)));
    return txn_del(l->txn, key_make(l->txn->arena, &cognito_k_member, l->pool_id, l->name, group));
}

enum err cognito_user_delete(struct txn *txn, const struct cognito_pool *pool,
                             struct cognito_user *user)
{
    struct str name = cognito_fold(txn->arena, pool, user->name);
    struct leaving l = {txn, pool->rec.id, name};
    if (!str_is_set(name))
        return ERR_NOMEM;
    TRY(cognito_pool_guard(txn, pool));
    for (size_t i = 0; i < user->n_aliases; i++)
        TRY(txn_del(txn, key_make(txn->arena, &cognito_k_alias, pool->rec.id, user->aliases[i].key,
                                  user->aliases[i].value)));
    TRY(txn_each(txn, key_range(txn->arena, &cognito_k_member, pool->rec.id, name), leave, &l));
    return txn_del(txn, key_make(txn->arena, &cognito_k_user, pool->rec.id, name));
}

/* --- showing ------------------------------------------------------------------------------------ */

enum err cognito_user_show(struct arena *a, const struct cognito_user *user,
                           const struct cognito_searched_attribute_names_list_type *wanted,
                           struct cognito_user_type *ret)
{
    struct tag *v = ARENA_ARRAY(a, struct tag, user->n_attrs + 1);
    size_t n = 0;
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < user->n_attrs; i++)
        if (!wanted || wanted->n == 0 || COGNITO_HAS(*wanted, user->attrs[i].key))
            v[n++] = user->attrs[i];
    const struct tag_list shown = {v, n};
    *ret = (struct cognito_user_type){.username = user->name,
                                      .user_status = cognito_status_name(user->status)};
    TAGS_INTO_NAMED(ret->attributes, shown, name, value);
    WIRE_SET(ret, user_create_date, user->created_ms);
    WIRE_SET(ret, user_last_modified_date, user->modified_ms);
    WIRE_SET(ret, enabled, !user->disabled);
    return ERR_OK;
}

/* --- groups ------------------------------------------------------------------------------------- */

enum err cognito_group_read(struct txn *txn, struct str pool_id, struct str name,
                            struct cognito_group *ret)
{
    *ret = (struct cognito_group){0};
    return txn_read(txn, key_make(txn->arena, &cognito_k_group, pool_id, name),
                    &cognito_group_rec_type, ret);
}

void cognito_group_show(struct str pool_id, const struct cognito_group *g,
                        struct cognito_group_type *ret)
{
    *ret = (struct cognito_group_type){.group_name = g->name,
                                       .user_pool_id = pool_id,
                                       .description = g->description,
                                       .role_arn = g->role};
    if (g->precedence >= 0)
        WIRE_SET(ret, precedence, g->precedence);
    WIRE_SET(ret, creation_date, g->created_ms);
    WIRE_SET(ret, last_modified_date, g->modified_ms);
}

struct gathering {
    struct txn *txn;
    struct str pool_id;
    struct cognito_groups groups;
};

static bool stronger(const struct cognito_group *a, const struct cognito_group *b)
{
    /* Without precedence: last. */
    return (uint64_t)a->precedence < (uint64_t)b->precedence;
}

static enum err gather(void *arg, struct str key, struct str val)
{
    struct gathering *g = arg;
    struct cognito_groups *to = &g->groups;
    struct cognito_group group;
    struct str name;
    TRY(key_read(&cognito_k_member, key, g->txn->arena, KEY_SKIP, KEY_SKIP, &name));
    enum err err = cognito_group_read(g->txn, g->pool_id, name, &group);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    size_t at = to->n++;
    while (at > 0 && stronger(&group, &to->v[at - 1])) {
        to->v[at] = to->v[at - 1];
        at--;
    }
    to->v[at] = group;
    return to->n == COGNITO_GROUPS_MAX ? ERR_CLOSED : ERR_OK;
}

enum err cognito_groups_of(struct txn *txn, const struct cognito_pool *pool,
                           const struct cognito_user *user, struct cognito_groups *ret)
{
    struct str name = cognito_fold(txn->arena, pool, user->name);
    struct gathering g = {.txn = txn, .pool_id = pool->rec.id};
    g.groups.v = ARENA_ARRAY(txn->arena, struct cognito_group, COGNITO_GROUPS_MAX);
    if (!g.groups.v || !str_is_set(name))
        return ERR_NOMEM;
    TRY(txn_each(txn, key_range(txn->arena, &cognito_k_member, pool->rec.id, name), gather, &g));
    *ret = g.groups;
    return ERR_OK;
}
