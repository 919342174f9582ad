/* ListUsers: filters that name one user are looked up, those that a name begins with are a range, the
 * others pass over at most COGNITO_LOOK_MAX users a page.
 * Layer: svc/cognito. Thread: the call's. Source: Cognito user pools API Reference. */
#include "svc/cognito/cognito_int.h"

struct listing {
    struct call *call;
    const struct cognito_pool *pool;
    const struct cognito_list_users_input *in;
    struct cognito_filter filter;
    struct cognito_user_type *v;
    size_t n;
};

static bool folds(const struct cognito_pool *pool)
{
    const struct cognito_username_configuration_type *c = pool->set.username_configuration;
    return c && c->has_case_sensitive && !c->case_sensitive;
}

static struct str value_of(const struct listing *l, const struct cognito_user *user)
{
    struct str name = l->filter.attribute;
    if (str_eq_c(name, "username"))
        return user->name;
    if (str_eq_c(name, "cognito:user_status"))
        return cognito_status_name(user->status);
    if (str_eq_c(name, "status"))
        return user->disabled ? STR("Disabled") : STR("Enabled");
    return cognito_get((struct tag_list){user->attrs, user->n_attrs}, name);
}

static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct cognito_user user = {0};
    *ret_match = true;
    if (!str_is_set(l->filter.attribute))
        return ERR_OK;
    TRY(txn_work_row(l->call->txn, key, record));
    TRY(record_unpack(&cognito_user_rec_type, l->call->arena, record, &user));
    bool nocase = folds(l->pool) || str_eq_c(l->filter.attribute, "status");
    *ret_match = cognito_filter_match(&l->filter, value_of(l, &user), nocase);
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct cognito_user user = {0};
    TRY(record_unpack_copy(&cognito_user_rec_type, l->call->arena, record, &user));
    return cognito_user_show(l->call->arena, &user, &l->in->attributes_to_get, &l->v[l->n++]);
}

static enum err scan(struct listing *l, size_t limit, struct cognito_list_users_output *out)
{
    static const struct page_fns fns = {match, take};
    struct call *call = l->call;
    const bool by_name = l->filter.begins && str_eq_c(l->filter.attribute, "username");
    struct str start = cognito_fold(call->arena, l->pool, by_name ? l->filter.value : STR(""));
    struct str scope =
        str_fmt(call->arena, STR_FMT " " STR_FMT, STR_ARG(l->pool->rec.id), STR_ARG(l->in->filter));
    if (!str_is_set(start) || !str_is_set(scope))
        return ERR_NOMEM;
    struct page page = page_of_call(call, scope, l->in->pagination_token, limit);
    page.look_max = COGNITO_LOOK_MAX;
    struct key_range range =
        key_range(call->arena, &cognito_k_user, l->pool->rec.id, KEY_STARTS(start));
    TRY(cognito_paged(call, page_scan(call->txn, &page, range, &fns, l)));
    out->pagination_token = page.next_token;
    return ERR_OK;
}

/* A filter that one user at most can pass. */
static enum err look_up(struct listing *l)
{
    struct cognito_user user;
    enum err err = cognito_user_find(l->call->txn, l->pool, l->filter.value, &user);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (!cognito_filter_match(&l->filter, value_of(l, &user), folds(l->pool)))
        return ERR_OK;
    return cognito_user_show(l->call->arena, &user, &l->in->attributes_to_get, &l->v[l->n++]);
}

enum err cognito_list_users(struct call *call, const struct cognito_list_users_input *in,
                            struct cognito_list_users_output *out)
{
    struct listing l = {.call = call, .in = in};
    size_t limit = in->has_limit && in->limit > 0 ? (size_t)in->limit : COGNITO_LIST_MAX;
    TRY(cognito_pool_need(call, in->user_pool_id, &l.pool));
    enum err err = cognito_filter_parse(call->arena, in->filter, &l.filter);
    if (err == ERR_INVALID)
        return COGNITO_INVALID(call, "Error while parsing filter.");
    TRY(err);
    l.v = ARENA_ARRAY(call->arena, struct cognito_user_type, limit);
    if (!l.v)
        return ERR_NOMEM;
    const bool one = !l.filter.begins && (str_eq_c(l.filter.attribute, "username") ||
                                          str_eq_c(l.filter.attribute, "sub"));
    TRY(one ? look_up(&l) : scan(&l, limit, out));
    out->users.v = l.v;
    out->users.n = l.n;
    return ERR_OK;
}
