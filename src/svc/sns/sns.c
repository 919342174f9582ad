/* SNS as a service: making it, starting and ending it, what core asks it. Layer: svc/sns. */
#include "svc/sns/sns.h"

#include "base/mem.h"
#include "svc/sns/sns_int.h"

/* --- life ------------------------------------------------------------------------------------- */

static void release(void *self)
{
    struct sns *s = self;
    sns_sign_release(s);
    catalogue_free(s->subs);
    mem_free(s);
}

static enum err make(struct core *core, void **ret_self)
{
    struct sns *s = mem_calloc(1, sizeof(*s));
    if (!s)
        return ERR_NOMEM;
    s->core = core;
    s->port = (struct sns_port){.self = s, .letter = sns_mail_letter};
    sns_sign_init(s);
    enum err err = sns_subs_new(s);
    if (err == ERR_OK)
        err = sns_http_register(s);
    if (err == ERR_OK)
        err = sns_jobs_register(s);
    if (err)
        release(s);
    else
        *ret_self = s;
    return err;
}

static enum err load(struct txn *txn, void *arg)
{
    struct sns *s = arg;
    struct str prefix = key_prefix_vals(txn->arena, &sns_k_sub, NULL, 0);
    return str_is_set(prefix) ? catalogue_load(s->subs, txn, prefix) : ERR_NOMEM;
}

static enum err start(void *self)
{
    struct sns *s = self;
    TRY(txn_run_now(s->core, load, s));
    TRY(sns_sign_start(s));
    return sns_mail_start(s);
}

static const void *port(void *self)
{
    const struct sns *s = self;
    return &s->port;
}

/* --- what core asks --------------------------------------------------------------------------- */

static enum err resource_policy(void *self, struct txn *txn, struct str arn, struct str *ret_json)
{
    struct sns_topic_ref t;
    *ret_json = STR_NONE;
    enum err err = sns_topic_find(txn, arn, &t);
    if (err == ERR_OK)
        *ret_json = t.rec.policy;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* By the operations about a subscription: what it names; else absent. */
static struct str subscription_of(const struct call *call)
{
    unsigned op = call->op->index;
    bool one = op == SNS_OP_UNSUBSCRIBE || op == SNS_OP_GET_SUBSCRIPTION_ATTRIBUTES ||
               op == SNS_OP_SET_SUBSCRIPTION_ATTRIBUTES;
    return one ? call_input_str(call, STR("SubscriptionArn")) : STR_NONE;
}

/* Whether the caller's account subscribed to another's topic: then it judges by its own policies alone. */
static enum err is_own_abroad(const struct call *call, struct str arn, bool *ret_own)
{
    struct sns_sub_ref sub;
    enum err err = sns_sub_find(call->txn, arn, &sub);
    *ret_own = err == ERR_OK && sns_sub_is_abroad(&sub, call->who->account);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* A topic's account ends others' subscriptions to it, and whom its policy lets. */
static enum err owner(struct call *call, const void *in, struct str *ret_account)
{
    struct str arn = subscription_of(call);
    bool own;
    if (call->op->index != SNS_OP_UNSUBSCRIBE || !str_is_set(arn))
        return ERR_OK;
    TRY(is_own_abroad(call, arn, &own));
    if (!own)
        *ret_account = wire_account_in(arn);
    return ERR_OK;
}

/* Not the topic, which is another account's, and whose policy has no say. */
static enum err real_resource(struct call *call, struct str *resource)
{
    struct str arn = subscription_of(call);
    bool own;
    if (!str_is_set(arn) || !str_eq(arn, *resource))
        return ERR_OK;
    TRY(is_own_abroad(call, arn, &own));
    if (own)
        *resource = STR("*");
    return ERR_OK;
}

/* Confirming and unsubscribing need no signature: a link in a letter does it. Who signs must be
 * allowed to; who does not is judged by the handler. */
static enum err authorize_more(struct call *call, const void *in)
{
    if (call->who->kind == PRINCIPAL_ANONYMOUS)
        return ERR_OK;
    if (call->op == &sns_service.ops[SNS_OP_CONFIRM_SUBSCRIPTION]) {
        const struct sns_confirm_subscription_input *c = in;
        return call_authorize(call, "sns:ConfirmSubscription", c->topic_arn);
    }
    if (call->op == &sns_service.ops[SNS_OP_UNSUBSCRIBE]) {
        struct str resource = subscription_of(call);
        TRY(real_resource(call, &resource));
        return call_authorize(call, "sns:Unsubscribe", resource);
    }
    return ERR_OK;
}

const struct svc_def sns_def = {
    .wire = &sns_service,
    .make = make,
    .start = start,
    .release = release,
    .port = port,
    .resource_policy = resource_policy,
    .real_resource = real_resource,
    .owner = owner,
    .authorize_more = authorize_more,
    .tags = &sns_tags,
    .targets = sns_targets,
    .n_targets = ARRAY_LEN(sns_targets),
};
