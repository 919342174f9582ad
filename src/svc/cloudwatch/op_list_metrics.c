/* ListMetrics. Layer: svc/cloudwatch. Source: CloudWatch API Reference, ListMetrics. */
#include "svc/cloudwatch/cloudwatch_int.h"

enum { RECENT_MS = 3 * 60 * 60 * 1000 };

struct listing {
    struct call *call;
    const struct cloudwatch_list_metrics_input *in;
    struct cloudwatch_metric *v;
    size_t n;
};

static bool has_dimension(const struct cw_metric *m, const struct cloudwatch_dimension_filter *f)
{
    for (size_t i = 0; i < m->n_dims; i++)
        if (str_eq(m->dims[i].name, f->name) &&
            (!str_is_set(f->value) || str_eq(m->dims[i].value, f->value)))
            return true;
    return false;
}

/* Metrics without values for two weeks are not listed. */
static enum err match(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct key_scope scope;
    struct cw_metric m;
    struct cw_metric_rec rec;
    int64_t now = l->call->txn->wall_ms;
    TRY(cw_metric_of_key(l->call->arena, key, &scope, &m));
    TRY(cw_metric_parse(l->call->arena, record, &rec));
    *ret_match = false;
    if (str_is_set(l->in->namespace) && !str_eq(m.space, l->in->namespace))
        return ERR_OK;
    if (str_is_set(l->in->metric_name) && !str_eq(m.name, l->in->metric_name))
        return ERR_OK;
    if (rec.put_ms < now - CW_PAST_MS)
        return ERR_OK;
    if (str_is_set(l->in->recently_active) && rec.put_ms < now - RECENT_MS)
        return ERR_OK;
    for (size_t i = 0; i < l->in->dimensions.n; i++)
        if (!has_dimension(&m, &l->in->dimensions.v[i]))
            return ERR_OK;
    *ret_match = true;
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct key_scope scope;
    struct cw_metric m;
    TRY(cw_metric_of_key(l->call->arena, key, &scope, &m));
    l->v[l->n++] = (struct cloudwatch_metric){
        .namespace = m.space,
        .metric_name = m.name,
        .dimensions = {(const struct cloudwatch_dimension *)(const void *)m.dims, m.n_dims},
    };
    return ERR_OK;
}

enum err cloudwatch_list_metrics(struct call *call, const struct cloudwatch_list_metrics_input *in,
                                 struct cloudwatch_list_metrics_output *out)
{
    static const struct page_fns fns = {match, take};
    struct listing l = {.call = call, .in = in};
    if (str_is_set(in->owning_account) && !str_eq(in->owning_account, call->account))
        return CW_BAD_VALUE(call, "There are no linked accounts in Weir.");
    if (in->include_linked_accounts && in->has_include_linked_accounts)
        return CW_BAD_VALUE(call, "There are no linked accounts in Weir.");
    l.v = ARENA_ARRAY(call->arena, struct cloudwatch_metric, CW_LIST_METRICS);
    if (!l.v)
        return ERR_NOMEM;
    struct key_range range =
        !str_is_set(in->namespace) ? key_range(call->arena, &cw_k_metric, call_scope(call))
        : str_is_set(in->metric_name)
            ? key_range(call->arena, &cw_k_metric, call_scope(call), in->namespace, in->metric_name)
            : key_range(call->arena, &cw_k_metric, call_scope(call), in->namespace);
    struct str asked =
        str_fmt(call->arena, STR_FMT ":" STR_FMT, STR_ARG(in->namespace), STR_ARG(in->metric_name));
    if (!str_is_set(asked))
        return ERR_NOMEM;
    struct page page = page_of_call(call, asked, in->next_token, CW_LIST_METRICS);
    TRY(cw_paged(call, page_scan(call->txn, &page, range, &fns, &l)));
    out->metrics.v = l.v;
    out->metrics.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
