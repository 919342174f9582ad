/* Subscription attributes: which there are, what values they take, how they are told back. Source:
 * SNS API reference, Subscribe, SetSubscriptionAttributes and GetSubscriptionAttributes.
 *
 * Layer: svc/sns. Thread: the transaction's; the filter's parsing is pure. */
#include "base/arn.h"
#include "codec/json.h"
#include "svc/sns/sns_int.h"

struct apply {
    struct txn *txn;
    struct sns_sub_ref *sub;
    struct fault *f;
};

#define INVALID(ap, ...)                                                                           \
    fault_set((ap)->txn->arena, (ap)->f, &sns_err_invalid_parameter_exception,                     \
              "Invalid parameter: " __VA_ARGS__)

/* "" and "{}" take a policy away. */
static bool is_nothing(struct str value)
{
    struct str s = str_trim(value);
    return s.len == 0 || (s.len >= 2 && s.p[0] == '{' && s.p[s.len - 1] == '}' &&
                          str_trim(str_sub(s, 1, s.len - 2)).len == 0);
}

static bool is_http(const struct sns_sub *sub)
{
    return sub->protocol == SNS_HTTP || sub->protocol == SNS_HTTPS;
}

/* --- one function per kind of value ----------------------------------------------------------- */

enum err sns_filter_parse(struct arena *a, const struct sns_sub *rec, struct pattern_set **ret,
                          struct str *ret_why)
{
    if (!str_is_set(rec->filter)) {
        *ret = NULL;
        return ERR_OK;
    }
    struct pattern **one = ARENA_NEW(a, struct pattern *);
    if (!one)
        return ERR_NOMEM;
    TRY(pattern_parse(a, rec->filter, rec->filter_body ? PATTERN_SNS_BODY : PATTERN_SNS_ATTRIBUTES,
                      one, ret_why));
    return pattern_set_new(a, one, 1, ret);
}

static enum err apply_filter(struct apply *ap, struct str value)
{
    ap->sub->rec.filter = is_nothing(value) ? STR_NONE : value;
    return ERR_OK;
}

static enum err apply_scope(struct apply *ap, struct str value)
{
    if (!str_eq_c(value, "MessageAttributes") && !str_eq_c(value, "MessageBody"))
        return INVALID(ap,
                       "FilterPolicyScope: Invalid value [" STR_FMT
                       "]. Please use either MessageBody or MessageAttributes",
                       STR_ARG(value));
    ap->sub->rec.filter_body = str_eq_c(value, "MessageBody");
    return ERR_OK;
}

static enum err apply_raw(struct apply *ap, struct str value)
{
    bool on = str_eq_nocase(value, STR("true"));
    if (!on && !str_eq_nocase(value, STR("false")))
        return INVALID(ap,
                       "Attributes Reason: RawMessageDelivery: Invalid value [" STR_FMT
                       "]. Must be true or false.",
                       STR_ARG(value));
    if (on && ap->sub->rec.protocol != SNS_SQS && !is_http(&ap->sub->rec))
        return INVALID(ap,
                       "Attributes Reason: RawMessageDelivery: Delivery protocol [" STR_FMT
                       "] does not support raw message delivery.",
                       STR_ARG(sns_protocol_name(ap->sub->rec.protocol)));
    ap->sub->rec.raw = on;
    return ERR_OK;
}

static enum err apply_redrive(struct apply *ap, struct str value)
{
    struct json *doc;
    struct arn arn;
    if (is_nothing(value)) {
        ap->sub->rec.redrive = ap->sub->rec.dlq = STR_NONE;
        return ERR_OK;
    }
    enum err err = json_parse(ap->txn->arena, value, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (err || doc->kind != JSON_OBJECT)
        return INVALID(ap, "RedrivePolicy: failed to deserialize JSON.");
    JSON_EACH (doc, m)
        if (!str_eq_c(m->key, "deadLetterTargetArn"))
            return INVALID(ap, "RedrivePolicy: unknown member " STR_FMT, STR_ARG(m->key));
    struct str dlq = json_get_str(doc, STR("deadLetterTargetArn"));
    if (arn_parse_as(dlq, "sqs", NULL, &arn) != ERR_OK)
        return INVALID(ap, "RedrivePolicy: deadLetterTargetArn is an invalid arn");
    if (!str_eq(arn.region, ap->sub->topic.scope.region) ||
        !str_eq(arn.account, ap->sub->topic.scope.account))
        return INVALID(ap, "RedrivePolicy: deadLetterTargetArn must be in the same account and "
                           "region as the subscription");
    if (str_ends(dlq, STR(".fifo")) != ap->sub->topic.rec.fifo)
        return INVALID(ap, "RedrivePolicy: must use a %s queue as DLQ for a %s topic",
                       ap->sub->topic.rec.fifo ? "FIFO" : "standard",
                       ap->sub->topic.rec.fifo ? "FIFO" : "standard");
    ap->sub->rec.redrive = value;
    ap->sub->rec.dlq = dlq;
    return ERR_OK;
}

static enum err apply_delivery(struct apply *ap, struct str value)
{
    struct sns_delivery d;
    const char *why = "";
    if (is_nothing(value)) {
        ap->sub->rec.delivery_policy = STR_NONE;
        return ERR_OK;
    }
    if (!is_http(&ap->sub->rec))
        return INVALID(ap, "DeliveryPolicy: the protocol of the subscription takes none");
    enum err err = sns_delivery_parse(ap->txn->arena, value, false, &d, &why);
    if (err == ERR_INVALID)
        return INVALID(ap, "%s", why);
    TRY(err);
    ap->sub->rec.delivery_policy = value;
    return ERR_OK;
}

static enum err apply_refused(struct apply *ap, struct str value)
{
    return is_nothing(value) ? ERR_OK : INVALID(ap, "Attributes Reason: not supported by Weir");
}

static const struct {
    struct str name;
    enum err (*apply)(struct apply *ap, struct str value);
} attributes[] = {
    {STR_INIT("FilterPolicy"), apply_filter},     {STR_INIT("FilterPolicyScope"), apply_scope},
    {STR_INIT("RawMessageDelivery"), apply_raw},  {STR_INIT("RedrivePolicy"), apply_redrive},
    {STR_INIT("DeliveryPolicy"), apply_delivery}, {STR_INIT("SubscriptionRoleArn"), apply_refused},
    {STR_INIT("ReplayPolicy"), apply_refused},
};

/* A filter is checked under the scope that holds when all is applied. */
enum err sns_sub_check(struct txn *txn, const struct sns_sub *rec, struct fault *f)
{
    struct apply ap = {.txn = txn, .f = f};
    struct pattern_set *set;
    struct str why = STR_NONE;
    enum err err = sns_filter_parse(txn->arena, rec, &set, &why);
    if (err == ERR_LIMIT)
        return INVALID(&ap, "FilterPolicy: Filter policy is too complex");
    if (err == ERR_INVALID)
        return fault_set(txn->arena, f, &sns_err_invalid_parameter_exception, STR_FMT,
                         STR_ARG(why));
    return err;
}

enum err sns_sub_apply(struct txn *txn, struct sns_sub_ref *sub, struct str name, struct str value,
                       struct fault *f)
{
    struct apply ap = {.txn = txn, .sub = sub, .f = f};
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (str_eq(attributes[i].name, name))
            return attributes[i].apply(&ap, str_is_set(value) ? value : STR(""));
    return INVALID(&ap, "AttributeName");
}

bool sns_sub_differs(const struct sns_sub *a, const struct sns_sub *b)
{
    return a->raw != b->raw || a->filter_body != b->filter_body || !str_eq(a->filter, b->filter) ||
           !str_eq(a->redrive, b->redrive) || !str_eq(a->delivery_policy, b->delivery_policy);
}

/* --- telling ---------------------------------------------------------------------------------- */

/* Entries in the making. */
struct told {
    struct sns_subscription_attributes_map_entry *v;
    size_t n;
};

static void tell(struct told *t, struct str name, struct str value)
{
    if (str_is_set(value))
        t->v[t->n++] = (struct sns_subscription_attributes_map_entry){name, value};
}

static void tell_bool(struct told *t, struct str name, bool value)
{
    tell(t, name, value ? STR("true") : STR("false"));
}

static enum err tell_effective(struct arena *a, const struct sns_sub_ref *sub, struct told *t)
{
    struct sns_delivery topic, own;
    const char *why;
    if (!is_http(&sub->rec))
        return ERR_OK;
    enum err err = sns_delivery_parse(a, sub->topic.rec.delivery_policy, true, &topic, &why);
    if (err == ERR_OK)
        err = sns_delivery_parse(a, sub->rec.delivery_policy, false, &own, &why);
    if (err)
        return err == ERR_INVALID ? ERR_CORRUPT : err;
    own = sns_delivery_effective(&topic, &own);
    struct str text = sns_delivery_text(a, &own, false);
    tell(t, STR("EffectiveDeliveryPolicy"), text);
    return str_is_set(text) ? ERR_OK : ERR_NOMEM;
}

enum err sns_sub_tell(struct arena *a, const struct sns_sub_ref *sub,
                      struct sns_subscription_attributes_map *ret)
{
    enum { TOLD_MAX = 16 };
    const struct sns_sub *r = &sub->rec;
    struct told t = {ARENA_ARRAY(a, struct sns_subscription_attributes_map_entry, TOLD_MAX), 0};
    if (!t.v)
        return ERR_NOMEM;
    tell(&t, STR("SubscriptionArn"), sub->arn);
    tell(&t, STR("TopicArn"), r->topic_arn);
    tell(&t, STR("Owner"), r->owner);
    tell(&t, STR("Protocol"), sns_protocol_name(r->protocol));
    tell(&t, STR("Endpoint"), r->endpoint);
    tell(&t, STR("SubscriptionPrincipal"), r->principal);
    tell_bool(&t, STR("PendingConfirmation"), r->pending);
    tell_bool(&t, STR("ConfirmationWasAuthenticated"), r->authenticated);
    tell_bool(&t, STR("RawMessageDelivery"), r->raw);
    tell(&t, STR("FilterPolicy"), r->filter);
    if (str_is_set(r->filter))
        tell(&t, STR("FilterPolicyScope"),
             r->filter_body ? STR("MessageBody") : STR("MessageAttributes"));
    tell(&t, STR("RedrivePolicy"), r->redrive);
    tell(&t, STR("DeliveryPolicy"), r->delivery_policy);
    TRY(tell_effective(a, sub, &t));
    *ret = (struct sns_subscription_attributes_map){t.v, t.n};
    return ERR_OK;
}
