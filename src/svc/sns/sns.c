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
        const struct sns_unsubscribe_input *u = in;
        return call_authorize(call, "sns:Unsubscribe", u->subscription_arn);
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
    .authorize_more = authorize_more,
    .tags = &sns_tags,
    .targets = sns_targets,
    .n_targets = ARRAY_LEN(sns_targets),
};
