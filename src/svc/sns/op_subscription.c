/* ListSubscriptions, ListSubscriptionsByTopic, Get- and SetSubscriptionAttributes. Layer: svc/sns. */
#include "core/page.h"
#include "svc/sns/sns_int.h"

/* --- listing ---------------------------------------------------------------------------------- */

struct listing {
    struct call *call;
    struct sns_subscription v[SNS_PAGE];
    size_t n;
};

static enum err take_sub(void *arg, struct str key, struct str val)
{
    struct listing *l = arg;
    struct arena *a = l->call->arena;
    struct sns_sub rec = {0};
    TRY(record_unpack_copy(&sns_sub_type, a, val, &rec));
    struct str arn = rec.pending ? STR("PendingConfirmation") : sns_sub_arn(a, &rec);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    l->v[l->n++] = (struct sns_subscription){
        .subscription_arn = arn,
        .owner = rec.owner,
        .protocol = sns_protocol_name(rec.protocol),
        .endpoint = rec.endpoint,
        .topic_arn = rec.topic_arn,
    };
    return ERR_OK;
}

/* Of a list of keys: the subscription there. */
static enum err take_abroad(void *arg, struct str key, struct str val)
{
    const struct listing *l = arg;
    struct str record;
    TRY(txn_get(l->call->txn, val, &record));
    return take_sub(arg, key, record);
}

/* Whether one to the caller's topic is his own, too. */
static enum err is_own(void *arg, struct str key, struct str val, bool *ret_match)
{
    const struct call *call = ((const struct listing *)arg)->call;
    struct sns_sub rec = {0};
    TRY(record_unpack(&sns_sub_type, call->arena, val, &rec));
    *ret_match = str_empty(rec.owner) || str_eq(rec.owner, call->account);
    return ERR_OK;
}

/* A page of what is in `range`, and, unless it is full, of `abroad` (absent: of nothing more), whose keys are
 * behind those. */
static enum err list(struct call *call, struct str scope, struct key_range range,
                     const struct page_fns *fns, const struct key_range *abroad, struct str token,
                     struct sns_subscriptions_list *ret, struct str *ret_token)
{
    static const struct page_fns abroad_fns = {.take = take_abroad};
    struct listing *l = ARENA_NEW(call->arena, struct listing);
    if (!l)
        return ERR_NOMEM;
    l->call = call;
    struct page page = page_of_call(call, scope, token, SNS_PAGE);
    enum err err = page_scan(call->txn, &page, range, fns, l);
    if (err == ERR_OK && abroad && !page.more)
        err = page_scan(call->txn, &page, *abroad, &abroad_fns, l);
    if (err == ERR_INVALID)
        return SNS_INVALID(call, "NextToken");
    TRY(err);
    *ret = (struct sns_subscriptions_list){l->v, l->n};
    *ret_token = page.next_token;
    return ERR_OK;
}

/* The caller's, whosever the topic is. */
enum err sns_list_subscriptions(struct call *call, const struct sns_list_subscriptions_input *in,
                                struct sns_list_subscriptions_output *out)
{
    static const struct page_fns fns = {.match = is_own, .take = take_sub};
    struct key_range abroad = key_range(call->arena, &sns_k_abroad, call_scope(call));
    return list(call, STR(""), key_range(call->arena, &sns_k_sub, call_scope(call)), &fns, &abroad,
                in->next_token, &out->subscriptions, &out->next_token);
}

enum err sns_list_subscriptions_by_topic(struct call *call,
                                         const struct sns_list_subscriptions_by_topic_input *in,
                                         struct sns_list_subscriptions_by_topic_output *out)
{
    struct sns_topic_ref t;
    TRY(sns_topic_need(call, "TopicArn", in->topic_arn, &t));
    static const struct page_fns fns = {.take = take_sub};
    return list(call, t.arn, key_range(call->arena, &sns_k_sub, t.scope, t.rec.id), &fns, NULL,
                in->next_token, &out->subscriptions, &out->next_token);
}

/* --- attributes ------------------------------------------------------------------------------- */

enum err sns_get_subscription_attributes(struct call *call,
                                         const struct sns_get_subscription_attributes_input *in,
                                         struct sns_get_subscription_attributes_output *out)
{
    struct sns_sub_ref sub;
    TRY(sns_sub_need(call, in->subscription_arn, &sub));
    return sns_sub_tell(call->arena, &sub, &out->attributes);
}

enum err sns_set_subscription_attributes(struct call *call,
                                         const struct sns_set_subscription_attributes_input *in,
                                         struct sns_set_subscription_attributes_output *out)
{
    struct sns_sub_ref sub;
    struct fault f;
    TRY(sns_sub_need(call, in->subscription_arn, &sub));
    bool filtered = str_is_set(sub.rec.filter);
    TRY(fault_reply(
        call, sns_sub_apply(call->txn, &sub, in->attribute_name, in->attribute_value, &f), &f));
    TRY(fault_reply(call, sns_sub_check(call->txn, &sub.rec, &f), &f));
    if (filtered != str_is_set(sub.rec.filter)) {
        if (!filtered && sub.topic.rec.filtered >= SNS_FILTERS_MAX)
            return call_error(call, &sns_err_filter_policy_limit_exceeded_exception,
                              "A topic has at most %d filter policies", SNS_FILTERS_MAX);
        sub.topic.rec.filtered += filtered ? (uint64_t)-1 : 1;
        TRY(sns_topic_save(call->txn, &sub.topic));
    }
    return sns_sub_save(call->svc, call->txn, &sub);
}
