/* Subscribe, ConfirmSubscription, Unsubscribe. Layer: svc/sns.
 *
 *   Subscribe --queue, function--> confirmed
 *       |                              ^   |
 *       +--HTTP, mail--> pending --ConfirmSubscription   Unsubscribe
 *                           |                            |
 *                           +--SNS_PENDING_MS--> gone <--+--(HTTP, mail: a token that restores it)
 *
 * Source: SNS API reference; developer guide, "Creating a subscription to an Amazon SNS topic". */
#include "base/rng.h"
#include "svc/sns/sns_int.h"

static bool needs_confirmation(enum sns_protocol p)
{
    return p != SNS_SQS && p != SNS_LAMBDA;
}

/* --- endpoints -------------------------------------------------------------------------------- */

static bool mail_ok(struct str address)
{
    size_t at = str_find(address, '@');
    for (size_t i = 0; i < address.len; i++)
        if ((uint8_t)address.p[i] <= ' ' || address.p[i] == 0x7f)
            return false;
    return at != SIZE_MAX && at > 0 && at + 1 < address.len && str_rfind(address, '@') == at &&
           str_find(str_sub(address, at, SIZE_MAX), '.') != SIZE_MAX;
}

static bool url_ok(struct str url, struct str scheme)
{
    for (size_t i = 0; i < url.len; i++)
        if ((uint8_t)url.p[i] <= ' ' || url.p[i] == 0x7f)
            return false;
    return str_starts(url, scheme) && url.len > scheme.len && url.p[scheme.len] != '/';
}

static enum err check_fifo(struct call *call, const struct sns_topic_ref *t,
                           const struct sns_sub *sub)
{
    bool fifo_queue = sub->protocol == SNS_SQS && str_ends(sub->endpoint, STR(".fifo"));
    if (t->rec.fifo && sub->protocol != SNS_SQS)
        return SNS_INVALID(call, "Invalid parameter: Endpoint Reason: Please use SQS queues with "
                                 "FIFO topics");
    if (!t->rec.fifo && fifo_queue)
        return SNS_INVALID(call, "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be "
                                 "subscribed to standard SNS topics");
    if (t->rec.fifo && t->rec.confirmed + t->rec.pending >= SNS_FIFO_SUBS_MAX)
        return call_error(call, &sns_err_subscription_limit_exceeded_exception,
                          "A FIFO topic has at most %d subscriptions", SNS_FIFO_SUBS_MAX);
    return ERR_OK;
}

static enum err check_endpoint(struct call *call, const struct sns_sub *sub)
{
    switch (sub->protocol) {
    case SNS_SQS:
        return target_is(call->core, sub->endpoint, "queue")
                   ? ERR_OK
                   : SNS_INVALID(call, "SQS endpoint ARN");
    case SNS_LAMBDA:
        return target_is(call->core, sub->endpoint, "function")
                   ? ERR_OK
                   : SNS_INVALID(call, "Lambda endpoint ARN");
    case SNS_HTTP:
        return url_ok(sub->endpoint, STR("http://"))
                   ? ERR_OK
                   : SNS_INVALID(call, "Endpoint must match the specified protocol");
    case SNS_HTTPS:
        return url_ok(sub->endpoint, STR("https://"))
                   ? ERR_OK
                   : SNS_INVALID(call, "Endpoint must match the specified protocol");
    case SNS_EMAIL:
    case SNS_EMAIL_JSON:
        return mail_ok(sub->endpoint) ? ERR_OK : SNS_INVALID(call, "Email address");
    case SNS_PROTOCOLS:
        break;
    }
    return SNS_INVALID(call, "Protocol");
}

static enum err take_protocol(struct call *call, struct str name, enum sns_protocol *ret)
{
    static const struct str lacking[] = {STR_INIT("sms"), STR_INIT("application"),
                                         STR_INIT("firehose")};
    for (size_t i = 0; i < ARRAY_LEN(lacking); i++)
        if (str_eq(name, lacking[i]))
            return SNS_INVALID(call, "Protocol Reason: Weir does not support " STR_FMT,
                               STR_ARG(name));
    if (sns_protocol_of(name, ret) != ERR_OK)
        return SNS_INVALID(call, "Amazon SNS does not support this protocol string: " STR_FMT,
                           STR_ARG(name));
    return ERR_OK;
}

/* --- Subscribe -------------------------------------------------------------------------------- */

/* What is asked for, as a subscription that is not stored yet. */
static enum err wanted(struct call *call, const struct sns_subscribe_input *in,
                       struct sns_sub_ref *sub)
{
    struct fault f;
    char *id = arena_alloc(call->arena, RNG_UUID_LEN + 1);
    if (!id)
        return ERR_NOMEM;
    *sub = (struct sns_sub_ref){0};
    TRY(sns_topic_need(call, "TopicArn", in->topic_arn, &sub->topic));
    TRY(take_protocol(call, in->protocol, &sub->rec.protocol));
    bool pending = needs_confirmation(sub->rec.protocol);
    sub->rec.topic_id = sub->topic.rec.id;
    sub->rec.id = rng_uuid(id);
    sub->rec.topic_arn = sub->topic.arn;
    sub->rec.endpoint = in->endpoint;
    sub->rec.owner = call->who->account;
    sub->rec.principal = call->who->arn;
    sub->rec.created_ms = call->txn->wall_ms;
    sub->rec.pending = pending;
    sub->rec.authenticated = !pending;
    if (str_empty(in->endpoint) || in->endpoint.len > SNS_ENDPOINT_MAX)
        return SNS_INVALID(call, "Endpoint");
    TRY(check_endpoint(call, &sub->rec));
    for (size_t i = 0; i < in->attributes.n; i++)
        TRY(fault_reply(
            call,
            sns_sub_apply(call->txn, sub, in->attributes.v[i].key, in->attributes.v[i].value, &f),
            &f));
    return fault_reply(call, sns_sub_check(call->txn, &sub->rec, &f), &f);
}

/* Stages a new one, its place under its endpoint, its topic's counts; asks for confirmation. */
static enum err add(struct call *call, struct sns_sub_ref *sub)
{
    struct sns_topic_rec *t = &sub->topic.rec;
    TRY(check_fifo(call, &sub->topic, &sub->rec));
    if (str_is_set(sub->rec.filter) && t->filtered >= SNS_FILTERS_MAX)
        return call_error(call, &sns_err_filter_policy_limit_exceeded_exception,
                          "A topic has at most %d filter policies", SNS_FILTERS_MAX);
    t->pending += sub->rec.pending;
    t->confirmed += !sub->rec.pending;
    t->filtered += str_is_set(sub->rec.filter);
    sub->arn = sns_sub_arn(call->arena, &sub->rec);
    sub->key = key_make(call->arena, &sns_k_sub, sub->topic.scope, t->id, sub->rec.id);
    if (!str_is_set(sub->arn) || !str_is_set(sub->key))
        return ERR_NOMEM;
    TRY(sns_topic_save(call->txn, &sub->topic));
    TRY(txn_put(call->txn,
                key_make(call->arena, &sns_k_endpoint, t->id, sns_protocol_name(sub->rec.protocol),
                         sub->rec.endpoint),
                sub->rec.id));
    if (sub->rec.pending) {
        TRY(sns_pending_set(call->svc, call->txn, sub));
        TRY(sns_ask(call->svc, call->txn, sub, SNS_CONFIRM));
    }
    return sns_sub_save(call->svc, call->txn, sub);
}

/* The endpoint's subscription to the topic. ERR_NOT_FOUND. */
static enum err existing(struct call *call, const struct sns_sub_ref *want,
                         struct sns_sub_ref *ret_have)
{
    struct str id;
    *ret_have = *want;
    TRY(txn_get(call->txn,
                key_make(call->arena, &sns_k_endpoint, want->topic.rec.id,
                         sns_protocol_name(want->rec.protocol), want->rec.endpoint),
                &id));
    ret_have->key = key_make(call->arena, &sns_k_sub, want->topic.scope, want->topic.rec.id, id);
    TRY(txn_read(call->txn, ret_have->key, &sns_sub_type, &ret_have->rec));
    ret_have->arn = sns_sub_arn(call->arena, &ret_have->rec);
    return str_is_set(ret_have->arn) ? ERR_OK : ERR_NOMEM;
}

enum err sns_subscribe(struct call *call, const struct sns_subscribe_input *in,
                       struct sns_subscribe_output *out)
{
    struct sns_sub_ref want, have;
    TRY(wanted(call, in, &want));
    enum err err = existing(call, &want, &have);
    if (err == ERR_NOT_FOUND) {
        TRY(add(call, &want));
        have = want;
    } else {
        TRY(err);
        if (in->attributes.n && sns_sub_differs(&have.rec, &want.rec))
            return SNS_INVALID(call, "Attributes Reason: Subscription already exists with "
                                     "different attributes");
        if (have.rec.pending) /* asked again */
            TRY(sns_ask(call->svc, call->txn, &have, SNS_CONFIRM));
    }
    bool tell = !have.rec.pending || in->return_subscription_arn;
    out->subscription_arn = tell ? have.arn : STR("pending confirmation");
    return ERR_OK;
}

/* --- ConfirmSubscription ---------------------------------------------------------------------- */

/* One that ended, which its endpoint takes back. */
static enum err restore(struct call *call, const struct sns_topic_ref *t,
                        const struct sns_token *token, struct sns_sub_ref *sub)
{
    char *id = arena_alloc(call->arena, RNG_UUID_LEN + 1);
    if (!id)
        return ERR_NOMEM;
    *sub = (struct sns_sub_ref){.topic = *t};
    sub->rec = (struct sns_sub){
        .topic_id = t->rec.id,
        .id = rng_uuid(id),
        .topic_arn = t->arn,
        .protocol = (enum sns_protocol)token->protocol,
        .endpoint = token->endpoint,
        .owner = t->scope.account,
        .principal = call->who->arn,
        .created_ms = call->txn->wall_ms,
    };
    enum err err = existing(call, sub, sub); /* asked for twice */
    return err == ERR_NOT_FOUND ? add(call, sub) : err;
}

static enum err confirm(struct call *call, struct sns_sub_ref *sub, bool with_auth)
{
    bool signed_ = call->who->kind != PRINCIPAL_ANONYMOUS;
    if (with_auth && !signed_)
        return call_error(call, &sns_err_authorization_error_exception,
                          "AuthenticateOnUnsubscribe needs a signed request");
    if (!sub->rec.pending)
        return ERR_OK;
    sub->topic.rec.pending -= sub->topic.rec.pending > 0;
    sub->topic.rec.confirmed++;
    sub->rec.pending = false;
    sub->rec.authenticated = signed_;
    sub->rec.auth_unsubscribe = with_auth;
    TRY(sns_topic_save(call->txn, &sub->topic));
    TRY(sns_pending_clear(call->svc, call->txn, sub));
    return sns_sub_save(call->svc, call->txn, sub);
}

enum err sns_confirm_subscription(struct call *call,
                                  const struct sns_confirm_subscription_input *in,
                                  struct sns_confirm_subscription_output *out)
{
    struct sns_topic_ref t;
    struct sns_token token;
    struct sns_sub_ref sub;
    bool with_auth = str_eq_nocase(in->authenticate_on_unsubscribe, STR("true"));
    TRY(sns_topic_need(call, "TopicArn", in->topic_arn, &t));
    enum err err = sns_token_open(call->txn, &t, in->token, &token);
    if (err == ERR_INVALID)
        return SNS_INVALID(call, "Token");
    TRY(err);
    if (str_is_set(token.endpoint)) {
        TRY(restore(call, &t, &token, &sub));
    } else {
        struct str arn =
            str_fmt(call->arena, STR_FMT ":" STR_FMT, STR_ARG(t.arn), STR_ARG(token.sub_id));
        err = str_is_set(arn) ? sns_sub_find(call->txn, arn, &sub) : ERR_NOMEM;
        if (err == ERR_NOT_FOUND)
            return SNS_INVALID(call, "Token");
        TRY(err);
        TRY(confirm(call, &sub, with_auth));
    }
    out->subscription_arn = sub.arn;
    return ERR_OK;
}

/* --- Unsubscribe ------------------------------------------------------------------------------ */

enum err sns_unsubscribe(struct call *call, const struct sns_unsubscribe_input *in,
                         struct sns_unsubscribe_output *out)
{
    struct sns_sub_ref sub;
    bool anonymous = call->who->kind == PRINCIPAL_ANONYMOUS;
    enum err err = sns_sub_look(call, in->subscription_arn, &sub);
    if (err) /* what is not there has ended already, as on AWS */
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (anonymous && sub.rec.auth_unsubscribe)
        return call_error(call, &sns_err_authorization_error_exception,
                          "This subscription ends by a signed request only");
    if (sub.rec.pending)
        return SNS_INVALID(call,
                           "SubscriptionArn Reason: Cannot unsubscribe a subscription that is "
                           "pending confirmation"); /* by which Terraform knows it */
    if (needs_confirmation(sub.rec.protocol))
        TRY(sns_ask(call->svc, call->txn, &sub, SNS_UNSUBSCRIBED));
    return sns_sub_drop(call->svc, call->txn, &sub);
}
