/* GetParametersByPath, DescribeParameters. Layer: svc/ssm. Source: Systems Manager API Reference. */
#include "svc/ssm/ssm_op.h"

struct listing {
    struct call *call;
    const struct ssm_filters *filters;
    /* GetParametersByPath. */
    struct str head;
    bool recursive, open;
    struct ssm_parameter *v;
    /* DescribeParameters. */
    struct ssm_parameter_metadata *meta;
    size_t n;
    /* The pair that match looked at, for take. */
    struct str path;
    struct ssm_param p;
    uint64_t number;
};

static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct call *call = l->call;
    TRY(key_read(&ssm_k_parameter, key, call->arena, KEY_SKIP, &l->path));
    *ret_match = ssm_is_below(l->path, l->head, l->recursive);
    if (!*ret_match)
        return ERR_OK;
    TRY(ssm_parse(call->arena, record, &l->p));
    return ssm_filters_match(call, l->filters, l->path, &l->p, ret_match, &l->number);
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct ssm_version v;
    TRY(ssm_version_read(l->call->txn, call_scope(l->call), l->path, &l->p, l->number, &v));
    return ssm_give(l->call, l->path, &l->p, &v, l->open, &l->v[l->n++]);
}

/* What AWS gives everybody, from memory; the filters are for what is stored. */
static enum err list_public(struct listing *l, struct page *page)
{
    const struct str *paths;
    size_t n;
    struct str after, last = STR_NONE;
    TRY(page_start(page, &after));
    TRY(ssm_public_paths(l->call->arena, &paths, &n));
    for (size_t i = 0; i < n; i++) {
        if (!ssm_is_below(paths[i], l->head, l->recursive) ||
            (str_is_set(after) && str_cmp(paths[i], after) <= 0))
            continue;
        if (l->n == page->limit)
            return page_end(page, last);
        last = paths[i];
        TRY(ssm_give_public(l->call, paths[i], &l->v[l->n++]));
    }
    return ERR_OK;
}

enum err ssm_get_parameters_by_path(struct call *call,
                                    const struct ssm_get_parameters_by_path_input *in,
                                    struct ssm_get_parameters_by_path_output *out)
{
    static const struct page_fns fns = {match, take};
    struct ssm_filters filters;
    struct listing l = {
        .call = call, .filters = &filters, .recursive = in->recursive, .open = in->with_decryption};
    TRY(ssm_path_check(call, in->path, &l.head));
    TRY(ssm_filters_take(call, in->parameter_filters, true, &filters));
    struct page page = page_of_call(call, l.head, in->next_token,
                                    in->has_max_results ? (size_t)in->max_results : SSM_PATH_PAGE);
    l.v = ARENA_ARRAY(call->arena, struct ssm_parameter, page.limit);
    if (!l.v)
        return ERR_NOMEM;
    struct key_range range =
        key_range(call->arena, &ssm_k_parameter, call_scope(call), KEY_STARTS(l.head));
    TRY(ssm_paged(call, ssm_path_is_public(l.head) ? list_public(&l, &page)
                                                   : page_scan(call->txn, &page, range, &fns, &l)));
    out->parameters.v = l.v;
    out->parameters.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}

/* --- DescribeParameters --------------------------------------------------------------------------- */

static enum err take_meta(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    const struct ssm_version *v = &l->p.last;
    struct ssm_parameter_metadata *m = &l->meta[l->n++];
    *m = (struct ssm_parameter_metadata){
        .name = l->p.name,
        .arn = ssm_arn(l->call->arena, l->call->core, call_scope(l->call), l->path),
        .type = ssm_type_text(v->type),
        .key_id = v->key_id,
        .last_modified_user = v->user,
        .description = v->description,
        .allowed_pattern = v->pattern,
        .tier = ssm_tier_text(v->tier),
        .data_type = v->data_type,
    };
    WIRE_SET(m, version, (int64_t)v->number);
    WIRE_SET(m, last_modified_date, v->modified_ms);
    return str_is_set(m->arn) ? ERR_OK : ERR_NOMEM;
}

enum err ssm_describe_parameters(struct call *call, const struct ssm_describe_parameters_input *in,
                                 struct ssm_describe_parameters_output *out)
{
    static const struct page_fns fns = {match, take_meta};
    struct ssm_filters filters;
    struct listing l = {.call = call, .filters = &filters, .head = STR(""), .recursive = true};
    if (in->filters.n > 0 && in->parameter_filters.n > 0)
        return call_error(call, &ssm_err_validation,
                          "You can use either Filters or ParameterFilters in a single request.");
    TRY(in->filters.n > 0 ? ssm_filters_take_old(call, in->filters, &filters)
                          : ssm_filters_take(call, in->parameter_filters, false, &filters));
    struct page page = page_of_call(call, STR(""), in->next_token,
                                    in->has_max_results ? (size_t)in->max_results : SSM_PAGE);
    l.meta = ARENA_ARRAY(call->arena, struct ssm_parameter_metadata, page.limit);
    if (!l.meta)
        return ERR_NOMEM;
    struct key_range range = key_range(call->arena, &ssm_k_parameter, call_scope(call));
    if (!in->shared) /* by other accounts: there are none */
        TRY(ssm_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->parameters.v = l.meta;
    out->parameters.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
