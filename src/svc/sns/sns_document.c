/* What endpoints get: the document of a notification, confirmation or cancellation as AWS writes it
 * (two spaces, " : "), the event of a function, and what of it is signed.
 *
 * Source: SNS developer guide, "Parsing Amazon SNS message formats", "Verifying the signatures of
 * Amazon SNS messages"; Lambda developer guide, "Invoking Lambda functions with Amazon SNS".
 * Layer: svc/sns. Thread: pure. */
#include "base/clock.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "svc/sns/sns_int.h"

enum { DOCUMENT_MAX = 8 * 1024 * 1024, SEQ_TEXT = 24 };

struct str sns_kind_name(enum sns_kind kind)
{
    static const struct str names[SNS_KINDS] = {
        [SNS_NOTIFICATION] = STR_INIT("Notification"),
        [SNS_CONFIRM] = STR_INIT("SubscriptionConfirmation"),
        [SNS_UNSUBSCRIBED] = STR_INIT("UnsubscribeConfirmation"),
    };
    return names[kind];
}

struct str sns_link(struct arena *a, const struct core *core, const char *action, const char *name,
                    struct str value, struct str token)
{
    bool has_token = str_is_set(token);
    /* The version tells whose action it is: AWS's links have a host of SNS's own for that. */
    return str_fmt(a, STR_FMT "/?Action=%s&%s=" STR_FMT "%s" STR_FMT "&Version=2010-03-31",
                   STR_ARG(core->cfg.endpoint), action, name, STR_ARG(value),
                   has_token ? "&Token=" : "", STR_ARG(token));
}

/* --- what is signed --------------------------------------------------------------------------- */

static void sign_field(struct buf *b, const char *name, struct str value)
{
    if (!str_is_set(value))
        return;
    buf_add_c(b, name);
    buf_add_byte(b, '\n');
    buf_add_str(b, value);
    buf_add_byte(b, '\n');
}

struct str sns_document_signed(struct arena *a, const struct sns_document *d)
{
    char at[CLOCK_TEXT_MAX];
    struct buf b;
    bool note = d->kind == SNS_NOTIFICATION;
    buf_init_arena(&b, a, DOCUMENT_MAX);
    sign_field(&b, "Message", d->text);
    sign_field(&b, "MessageId", d->m->id);
    sign_field(&b, "Subject", note ? d->m->subject : STR_NONE);
    sign_field(&b, "SubscribeURL", note ? STR_NONE : d->links.subscribe);
    sign_field(&b, "Timestamp", clock_iso8601_ms(at, d->m->sent_ms));
    sign_field(&b, "Token", note ? STR_NONE : d->links.token);
    sign_field(&b, "TopicArn", d->m->topic_arn);
    sign_field(&b, "Type", sns_kind_name(d->kind));
    return buf_err(&b) ? STR_NONE : buf_str(&b);
}

/* --- the document ----------------------------------------------------------------------------- */

static void put_field(struct buf *b, const char *name, struct str value)
{
    if (!str_is_set(value))
        return;
    buf_add_c(b, b->len == 0 ? "{\n  " : ",\n  ");
    json_put_str(b, str_c(name));
    buf_add_c(b, " : ");
    json_put_str(b, value);
}

/* {"Type":"String","Value":"v"} */
static void put_attr(struct buf *b, struct arena *a, const struct sns_attr *at)
{
    bool binary = str_starts(at->type, STR("Binary"));
    json_put_str(b, at->name);
    buf_add_c(b, " : {\"Type\":");
    json_put_str(b, at->type);
    buf_add_c(b, ",\"Value\":");
    json_put_str(b, binary ? base64_encode(a, at->value.p, at->value.len) : at->value);
    buf_add_byte(b, '}');
}

static void put_attrs(struct buf *b, struct arena *a, const struct sns_message *m)
{
    if (m->n_attrs == 0)
        return;
    buf_add_c(b, ",\n  \"MessageAttributes\" : {");
    for (size_t i = 0; i < m->n_attrs; i++) {
        buf_add_c(b, i ? ",\n    " : "\n    ");
        put_attr(b, a, &m->attrs[i]);
    }
    buf_add_c(b, "\n  }");
}

static struct str seq_text(char out[SEQ_TEXT], uint64_t seq)
{
    struct buf b;
    if (!seq)
        return STR_NONE;
    buf_init_fixed(&b, out, SEQ_TEXT);
    buf_add_fmt(&b, "%020llu", (unsigned long long)seq);
    return buf_str(&b);
}

/* An absent signature leaves all three of its fields out: FIFO topics do not sign. */
static void put_signature(struct buf *b, const struct sns_document *d)
{
    if (!str_is_set(d->signature))
        return;
    put_field(b, "SignatureVersion", d->m->signature_version == 2 ? STR("2") : STR("1"));
    put_field(b, "Signature", d->signature);
    put_field(b, "SigningCertURL", d->links.cert);
}

struct str sns_document_text(struct arena *a, const struct sns_document *d)
{
    char at[CLOCK_TEXT_MAX], seq[SEQ_TEXT];
    struct buf b;
    bool note = d->kind == SNS_NOTIFICATION;
    buf_init_arena(&b, a, DOCUMENT_MAX);
    put_field(&b, "Type", sns_kind_name(d->kind));
    put_field(&b, "MessageId", d->m->id);
    put_field(&b, "SequenceNumber", note ? seq_text(seq, d->m->seq) : STR_NONE);
    put_field(&b, "Token", note ? STR_NONE : d->links.token);
    put_field(&b, "TopicArn", d->m->topic_arn);
    put_field(&b, "Subject", note ? d->m->subject : STR_NONE);
    put_field(&b, "Message", d->text);
    put_field(&b, "SubscribeURL", note ? STR_NONE : d->links.subscribe);
    put_field(&b, "Timestamp", clock_iso8601_ms(at, d->m->sent_ms));
    put_signature(&b, d);
    put_field(&b, "UnsubscribeURL", note ? d->links.unsubscribe : STR_NONE);
    if (note)
        put_attrs(&b, a, d->m);
    buf_add_c(&b, "\n}");
    return buf_err(&b) ? STR_NONE : buf_str(&b);
}

/* --- the event of a function ------------------------------------------------------------------ */

static void put_event_attrs(struct json_out *o, struct arena *a, const struct sns_message *m)
{
    json_key(o, STR("MessageAttributes"));
    json_open(o, '{');
    for (size_t i = 0; i < m->n_attrs; i++) {
        const struct sns_attr *at = &m->attrs[i];
        bool binary = str_starts(at->type, STR("Binary"));
        json_key(o, at->name);
        json_open(o, '{');
        json_kv_str(o, STR("Type"), at->type);
        json_kv_str(o, STR("Value"),
                    binary ? base64_encode(a, at->value.p, at->value.len) : at->value);
        json_close(o, '}');
    }
    json_close(o, '}');
}

static void put_event_message(struct json_out *o, struct arena *a, const struct sns_document *d)
{
    char at[CLOCK_TEXT_MAX];
    json_kv_str(o, STR("Type"), STR("Notification"));
    json_kv_str(o, STR("MessageId"), d->m->id);
    json_kv_str(o, STR("TopicArn"), d->m->topic_arn);
    json_key(o, STR("Subject"));
    if (str_is_set(d->m->subject))
        json_str(o, d->m->subject);
    else
        json_null(o);
    json_kv_str(o, STR("Message"), d->text);
    json_kv_str(o, STR("Timestamp"), clock_iso8601_ms(at, d->m->sent_ms));
    json_kv_str(o, STR("SignatureVersion"), d->m->signature_version == 2 ? STR("2") : STR("1"));
    json_kv_str(o, STR("Signature"), d->signature);
    json_kv_str(o, STR("SigningCertUrl"), d->links.cert);
    json_kv_str(o, STR("UnsubscribeUrl"), d->links.unsubscribe);
    put_event_attrs(o, a, d->m);
}

struct str sns_document_event(struct arena *a, const struct sns_document *d)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, DOCUMENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_key(&o, STR("Records"));
    json_open(&o, '[');
    json_open(&o, '{');
    json_kv_str(&o, STR("EventSource"), STR("aws:sns"));
    json_kv_str(&o, STR("EventVersion"), STR("1.0"));
    json_kv_str(&o, STR("EventSubscriptionArn"), d->sub_arn);
    json_key(&o, STR("Sns"));
    json_open(&o, '{');
    put_event_message(&o, a, d);
    json_close(&o, '}');
    json_close(&o, '}');
    json_close(&o, ']');
    json_close(&o, '}');
    return buf_err(&b) ? STR_NONE : buf_str(&b);
}
