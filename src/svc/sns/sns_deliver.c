/* A message on its way to one subscription: whether it wants it, in which form, and by which way.
 * What several subscriptions share (bodies by protocol, signatures, parsed forms for filters) is
 * made once, when first asked for.
 *
 * Layer: svc/sns. Thread: the transaction's. */
#include "base/rng.h"
#include "codec/json.h"
#include "svc/sns/sns_int.h"

static struct str or_nomem(struct str s, enum err *err)
{
    if (!str_is_set(s))
        *err = ERR_NOMEM;
    return s;
}

enum err sns_publication_init(struct sns_publication *p, struct sns *s, struct txn *txn,
                              const struct sns_topic_ref *t, const struct sns_message *m,
                              struct sns_counts *counts)
{
    const char *why;
    *p = (struct sns_publication){.s = s, .txn = txn, .t = t, .m = m, .counts = counts};
    if (m->structured)
        TRY(json_parse(txn->arena, m->body, &p->structure, NULL));
    enum err err =
        sns_delivery_parse(txn->arena, t->rec.delivery_policy, true, &p->topic_policy, &why);
    return err == ERR_INVALID ? ERR_CORRUPT : err;
}

/* The body for a protocol. Protocols with the same text share what is made of it. */
static struct sns_variant *variant_of(struct sns_publication *p, enum sns_protocol protocol)
{
    struct str text = sns_message_body(p->m, p->structure, protocol);
    for (unsigned i = 0; i < SNS_PROTOCOLS; i++)
        if (p->variants[i].made && p->variants[i].text.p == text.p)
            return &p->variants[i];
    struct sns_variant *v = &p->variants[protocol];
    v->made = true;
    v->text = text;
    return v;
}

/* --- filters ---------------------------------------------------------------------------------- */

static enum err attributes_event(struct sns_publication *p)
{
    const struct sns_message *m = p->m;
    struct pattern_attribute *v =
        ARENA_ARRAY(p->txn->arena, struct pattern_attribute, m->n_attrs + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < m->n_attrs; i++)
        v[i] = (struct pattern_attribute){m->attrs[i].name, m->attrs[i].type, m->attrs[i].value};
    return pattern_attributes(p->txn->arena, v, m->n_attrs, &p->attributes);
}

/* A body that is no JSON matches no filter of bodies. */
static enum err body_event(struct sns_publication *p, struct sns_variant *v)
{
    v->parsed = true;
    enum err err = json_parse(p->txn->arena, v->text, &v->json, NULL);
    if (err)
        v->json = NULL;
    return err == ERR_NOMEM ? err : ERR_OK;
}

static void count_out(struct sns_publication *p, const struct sns_sub_live *sub, bool any)
{
    struct sns_counts *c = p->counts;
    if (sub->rec.filter_body)
        (*(any ? &c->by_body : &c->by_bad_body))++;
    else
        (*(p->m->n_attrs > 0 ? &c->by_attributes : &c->by_no_attributes))++;
}

static enum err wants(struct sns_publication *p, const struct sns_sub_live *sub,
                      struct sns_variant *v, bool *ret)
{
    const struct json *event;
    const uint32_t *ids;
    size_t n = 0;
    *ret = true;
    if (!sub->filter)
        return ERR_OK;
    if (sub->rec.filter_body && !v->parsed)
        TRY(body_event(p, v));
    if (!sub->rec.filter_body && !p->attributes)
        TRY(attributes_event(p));
    event = sub->rec.filter_body ? v->json : p->attributes;
    if (event) {
        enum err err = pattern_set_match(sub->filter, event, p->txn->arena, &ids, &n);
        if (err && err != ERR_LIMIT) /* too much to look at is no match */
            return err;
    }
    *ret = n > 0;
    if (n == 0)
        count_out(p, sub, event != NULL);
    return ERR_OK;
}

/* --- documents -------------------------------------------------------------------------------- */

static enum err sign(struct sns_publication *p, struct sns_variant *v)
{
    enum err err = ERR_OK;
    const struct sns_document d = {.kind = SNS_NOTIFICATION, .m = p->m, .text = v->text};
    if (p->t->rec.fifo || str_is_set(v->signature))
        return ERR_OK;
    struct str text = or_nomem(sns_document_signed(p->txn->arena, &d), &err);
    TRY(err);
    return sns_sign(p->s, p->txn, p->m->signature_version, text, &v->signature, &v->cert);
}

static enum err document(struct sns_publication *p, const struct sns_sub_live *sub,
                         struct sns_variant *v, struct sns_document *ret)
{
    enum err err = ERR_OK;
    struct arena *a = p->txn->arena;
    TRY(sign(p, v));
    *ret = (struct sns_document){.kind = SNS_NOTIFICATION,
                                 .m = p->m,
                                 .text = v->text,
                                 .signature = v->signature,
                                 .sub_arn = sub->arn};
    ret->links.cert = v->cert;
    ret->links.unsubscribe = or_nomem(
        sns_link(a, p->s->core, "Unsubscribe", "SubscriptionArn", sub->arn, STR_NONE), &err);
    return err;
}

static enum err document_text(struct sns_publication *p, const struct sns_sub_live *sub,
                              struct sns_variant *v, struct str *ret)
{
    enum err err = ERR_OK;
    struct sns_document d;
    TRY(document(p, sub, v, &d));
    *ret = or_nomem(sns_document_text(p->txn->arena, &d), &err);
    return err;
}

/* --- queues and functions --------------------------------------------------------------------- */

/* A target's fault in words and numbers of HTTP, for the dead letter. */
static const char *fault_code_of(enum err err)
{
    return err == ERR_DENIED ? "403" : err == ERR_NOT_FOUND ? "404" : "400";
}

static const char *fault_words(enum err err)
{
    switch (err) {
    case ERR_DENIED:
        return "The endpoint's policy does not allow the topic to send to it.";
    case ERR_NOT_FOUND:
    case ERR_UNSUPPORTED:
        return "The endpoint does not exist.";
    case ERR_LIMIT:
        return "The message is too large for the endpoint.";
    default:
        return "The endpoint does not take the message.";
    }
}

static enum err to_target(struct sns_publication *p, const struct sns_sub_live *sub,
                          struct target_delivery *d)
{
    const struct target target = {.arn = sub->rec.endpoint,
                                  .service = STR(SNS_PRINCIPAL),
                                  .source_arn = sub->rec.topic_arn,
                                  .source_account = wire_account_in(sub->rec.topic_arn)};
    d->trace = p->m->trace;
    enum err err = target_stage(p->txn, &target, d);
    p->counts->delivered += err == ERR_OK;
    return target_fault(err) ? sns_dead_letter(p->txn, &sub->rec, d->payload, fault_code_of(err),
                                               fault_words(err))
                             : err;
}

/* Attributes as the queue's own. */
static enum err raw_attributes(struct sns_publication *p, struct target_delivery *d)
{
    const struct sns_message *m = p->m;
    struct target_attribute *v =
        ARENA_ARRAY(p->txn->arena, struct target_attribute, m->n_attrs + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < m->n_attrs; i++)
        v[i] = (struct target_attribute){
            .name = m->attrs[i].name, .value = m->attrs[i].value, .type = m->attrs[i].type};
    d->attributes = v;
    d->n_attributes = m->n_attrs;
    return ERR_OK;
}

static enum err to_queue(struct sns_publication *p, const struct sns_sub_live *sub,
                         struct sns_variant *v)
{
    struct target_delivery d = {.payload = v->text};
    if (sub->rec.raw)
        TRY(raw_attributes(p, &d));
    else
        TRY(document_text(p, sub, v, &d.payload));
    if (str_ends(sub->rec.endpoint, STR(".fifo"))) {
        d.group_id = p->m->group;
        d.dedup_id = p->m->dedup;
    }
    return to_target(p, sub, &d);
}

static enum err to_function(struct sns_publication *p, const struct sns_sub_live *sub,
                            struct sns_variant *v)
{
    enum err err = ERR_OK;
    struct sns_document doc;
    TRY(document(p, sub, v, &doc));
    struct target_delivery d = {.payload = or_nomem(sns_document_event(p->txn->arena, &doc), &err)};
    TRY(err);
    return to_target(p, sub, &d);
}

/* --- HTTP and letters ------------------------------------------------------------------------- */

/* How the endpoint of a subscription is sent requests. */
static enum err http_policy(struct arena *a, const struct sns_delivery *topic,
                            const struct sns_sub *sub, struct sns_request *r)
{
    struct sns_delivery own;
    const char *why;
    enum err err = sns_delivery_parse(a, sub->delivery_policy, false, &own, &why);
    if (err)
        return err == ERR_INVALID ? ERR_CORRUPT : err;
    own = sns_delivery_effective(topic, &own);
    r->retry = own.retry;
    r->content_type = own.content_type;
    return ERR_OK;
}

static enum err to_http(struct sns_publication *p, const struct sns_sub_live *sub,
                        struct sns_variant *v)
{
    struct sns_request r = {.sub_arn = sub->arn,
                            .topic_arn = sub->rec.topic_arn,
                            .url = sub->rec.endpoint,
                            .type = sns_kind_name(SNS_NOTIFICATION),
                            .message_id = p->m->id,
                            .raw = sub->rec.raw,
                            .body = v->text};
    TRY(http_policy(p->txn->arena, &p->topic_policy, &sub->rec, &r));
    if (!sub->rec.raw)
        TRY(document_text(p, sub, v, &r.body));
    if (str_is_set(p->t->data_key.plain)) {
        TRY(sns_seal(p->txn, p->t, p->m->id, &r.body));
        r.data_key = p->t->data_key.sealed;
    }
    enum err err = sns_http_add(p->s, p->txn, &r);
    return err == ERR_LIMIT
               ? sns_dead_letter(p->txn, &sub->rec, v->text, fault_code_of(err), fault_words(err))
               : err;
}

static enum err to_mail(struct sns_publication *p, const struct sns_sub_live *sub,
                        struct sns_variant *v)
{
    enum err err = ERR_OK;
    struct arena *a = p->txn->arena;
    struct sns_mail mail = {
        .to = sub->rec.endpoint,
        .subject = str_is_set(p->m->subject) ? p->m->subject : STR("AWS Notification Message"),
        .sub_arn = sub->arn,
        .json = sub->rec.protocol == SNS_EMAIL_JSON,
    };
    if (mail.json) {
        TRY(document_text(p, sub, v, &mail.body));
    } else {
        struct str link = or_nomem(
            sns_link(a, p->s->core, "Unsubscribe", "SubscriptionArn", sub->arn, STR_NONE), &err);
        mail.body = or_nomem(str_fmt(a, STR_FMT "\n\n--\nTo get no more of these: " STR_FMT "\n",
                                     STR_ARG(v->text), STR_ARG(link)),
                             &err);
        TRY(err);
    }
    if (str_is_set(p->t->data_key.plain)) {
        TRY(sns_seal(p->txn, p->t, sub->arn, &mail.subject));
        TRY(sns_seal(p->txn, p->t, sub->arn, &mail.body));
        mail.data_key = p->t->data_key.sealed;
    }
    p->counts->delivered++;
    return sns_mail_add(p->s, p->txn, &mail);
}

/* --- one subscription ------------------------------------------------------------------------- */

enum err sns_deliver(struct sns_publication *p, const struct sns_sub_live *sub)
{
    static enum err (*const ways[SNS_PROTOCOLS])(
        struct sns_publication *, const struct sns_sub_live *, struct sns_variant *) = {
        [SNS_SQS] = to_queue,  [SNS_LAMBDA] = to_function, [SNS_HTTP] = to_http,
        [SNS_HTTPS] = to_http, [SNS_EMAIL] = to_mail,      [SNS_EMAIL_JSON] = to_mail,
    };
    bool wanted;
    if (sub->rec.pending)
        return ERR_OK;
    struct sns_variant *v = variant_of(p, sub->rec.protocol);
    TRY(wants(p, sub, v, &wanted));
    return wanted ? ways[sub->rec.protocol](p, sub, v) : ERR_OK;
}

/* --- asking for confirmation ------------------------------------------------------------------ */

/* AWS's own sentences, which clients show. */
static struct str ask_words(struct arena *a, const struct sns_sub_ref *sub, enum sns_kind kind)
{
    if (kind == SNS_CONFIRM)
        return str_fmt(a,
                       "You have chosen to subscribe to the topic " STR_FMT
                       ".\nTo confirm the subscription, visit the SubscribeURL included in this "
                       "message.",
                       STR_ARG(sub->rec.topic_arn));
    return str_fmt(a,
                   "You have chosen to deactivate subscription " STR_FMT
                   ".\nTo cancel this operation and restore the subscription, visit the "
                   "SubscribeURL included in this message.",
                   STR_ARG(sub->arn));
}

static enum err ask_document(struct sns *s, struct txn *txn, const struct sns_sub_ref *sub,
                             struct sns_document *d)
{
    enum err err = ERR_OK;
    struct arena *a = txn->arena;
    bool again = d->kind == SNS_UNSUBSCRIBED;
    const struct sns_token token = {.sub_id = sub->rec.id,
                                    .protocol = sub->rec.protocol,
                                    .endpoint = again ? sub->rec.endpoint : STR_NONE};
    TRY(sns_token_make(txn, &sub->topic, &token, &d->links.token));
    d->links.subscribe = or_nomem(
        sns_link(a, s->core, "ConfirmSubscription", "TopicArn", sub->rec.topic_arn, d->links.token),
        &err);
    d->text = or_nomem(ask_words(a, sub, d->kind), &err);
    struct str text = or_nomem(sns_document_signed(a, d), &err);
    TRY(err);
    return sns_sign(s, txn, d->m->signature_version, text, &d->signature, &d->links.cert);
}

enum err sns_ask(struct sns *s, struct txn *txn, const struct sns_sub_ref *sub, enum sns_kind kind)
{
    struct sns_delivery topic;
    const char *why;
    char *id = arena_alloc(txn->arena, RNG_UUID_LEN + 1);
    enum err err = ERR_OK;
    if (!id)
        return ERR_NOMEM;
    const struct sns_topic_rec *t = &sub->topic.rec;
    const struct sns_message m = {.id = rng_uuid(id),
                                  .topic_arn = sub->rec.topic_arn,
                                  .sent_ms = txn->wall_ms,
                                  .signature_version =
                                      t->signature_version ? t->signature_version : 1};
    struct sns_document d = {.kind = kind, .m = &m};
    TRY(ask_document(s, txn, sub, &d));
    struct str body = or_nomem(sns_document_text(txn->arena, &d), &err);
    TRY(err);
    if (sub->rec.protocol == SNS_EMAIL || sub->rec.protocol == SNS_EMAIL_JSON) {
        const struct sns_mail mail = {
            .to = sub->rec.endpoint,
            .subject = STR("AWS Notification - Subscription Confirmation"),
            .body = sub->rec.protocol == SNS_EMAIL
                        ? or_nomem(str_fmt(txn->arena, STR_FMT "\n\n" STR_FMT "\n", STR_ARG(d.text),
                                           STR_ARG(d.links.subscribe)),
                                   &err)
                        : body,
            .sub_arn = sub->arn,
            .json = sub->rec.protocol == SNS_EMAIL_JSON,
        };
        TRY(err);
        return sns_mail_add(s, txn, &mail);
    }
    struct sns_request r = {.sub_arn = sub->arn,
                            .topic_arn = sub->rec.topic_arn,
                            .url = sub->rec.endpoint,
                            .type = sns_kind_name(kind),
                            .message_id = m.id,
                            .body = body};
    err = sns_delivery_parse(txn->arena, t->delivery_policy, true, &topic, &why);
    if (err)
        return err == ERR_INVALID ? ERR_CORRUPT : err;
    TRY(http_policy(txn->arena, &topic, &sub->rec, &r));
    return sns_http_add(s, txn, &r);
}
