/* Topic attributes: which there are, what values they take, how they are told back. Source: SNS API
 * reference, CreateTopic, SetTopicAttributes and GetTopicAttributes.
 *
 * Layer: svc/sns. Thread: the transaction's. */
#include "codec/json.h"
#include "svc/sns/sns_int.h"

enum { DEFAULT_POLICY_MAX = 4096, KMS_KEY_ID_MAX = 2048 };

struct apply {
    struct txn *txn;
    struct sns_topic_ref *t;
    struct str name;
    bool create;
    struct fault *f;
};

#define INVALID(ap, ...)                                                                           \
    fault_set((ap)->txn->arena, (ap)->f, &sns_err_invalid_parameter_exception,                     \
              "Invalid parameter: " __VA_ARGS__)

static enum err invalid_value(struct apply *ap, const char *why)
{
    return INVALID(ap, "Attributes Reason: " STR_FMT ": %s", STR_ARG(ap->name), why);
}

/* --- policies --------------------------------------------------------------------------------- */

enum err sns_policy_stored(struct txn *txn, struct str json, struct str *ret_stored,
                           struct fault *f)
{
    const char *why = "the policy is too long";
    enum err err = ERR_LIMIT;
    if (json.len <= SNS_POLICY_MAX)
        err = core_policy_check(txn->core, txn->arena, POLICY_RESOURCE, json, &why);
    if (err == ERR_OK)
        err = core_policy_stored(txn, json, &why, ret_stored);
    if (err != ERR_INVALID && err != ERR_LIMIT)
        return err;
    return fault_set(txn->arena, f, &sns_err_invalid_parameter_exception,
                     "Invalid parameter: Policy Error: %s", why);
}

enum err sns_default_policy(struct arena *a, const struct sns_topic_ref *t, struct str *ret_json)
{
    static const char *const actions[] = {
        "SNS:GetTopicAttributes",
        "SNS:SetTopicAttributes",
        "SNS:AddPermission",
        "SNS:RemovePermission",
        "SNS:DeleteTopic",
        "SNS:Subscribe",
        "SNS:ListSubscriptionsByTopic",
        "SNS:Publish",
    };
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, a, DEFAULT_POLICY_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("Version"), STR("2008-10-17"));
    json_kv_str(&o, STR("Id"), STR("__default_policy_ID"));
    json_key(&o, STR("Statement"));
    json_open(&o, '[');
    json_open(&o, '{');
    json_kv_str(&o, STR("Sid"), STR("__default_statement_ID"));
    json_kv_str(&o, STR("Effect"), STR("Allow"));
    json_key(&o, STR("Principal"));
    json_raw(&o, STR("{\"AWS\":\"*\"}"));
    json_key(&o, STR("Action"));
    json_open(&o, '[');
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        json_str(&o, str_c(actions[i]));
    json_close(&o, ']');
    json_kv_str(&o, STR("Resource"), t->arn);
    json_key(&o, STR("Condition"));
    json_open(&o, '{');
    json_key(&o, STR("StringEquals"));
    json_open(&o, '{');
    json_kv_str(&o, STR("AWS:SourceOwner"), t->scope.account);
    json_close(&o, '}');
    json_close(&o, '}');
    json_close(&o, '}');
    json_close(&o, ']');
    json_close(&o, '}');
    TRY(buf_err(&b));
    *ret_json = buf_str(&b);
    return ERR_OK;
}

/* --- one function per kind of value ----------------------------------------------------------- */

static enum err apply_policy(struct apply *ap, struct str value)
{
    if (str_empty(value))
        return INVALID(ap, "Policy Error: null");
    return sns_policy_stored(ap->txn, value, &ap->t->rec.policy, ap->f);
}

static enum err apply_display(struct apply *ap, struct str value)
{
    if (!str_is_utf8(value) || str_utf8_count(value) > SNS_DISPLAY_MAX)
        return INVALID(ap, "DisplayName");
    ap->t->rec.display_name = value;
    return ERR_OK;
}

static enum err apply_delivery(struct apply *ap, struct str value)
{
    struct sns_delivery d;
    const char *why = "";
    enum err err = sns_delivery_parse(ap->txn->arena, value, true, &d, &why);
    if (err == ERR_INVALID)
        return INVALID(ap, "%s", why);
    TRY(err);
    ap->t->rec.delivery_policy = str_empty(value) ? STR_NONE : value;
    return ERR_OK;
}

static enum err apply_bool(struct apply *ap, struct str value, bool *to)
{
    if (!str_eq_nocase(value, STR("true")) && !str_eq_nocase(value, STR("false")))
        return invalid_value(ap, "the value must be true or false");
    *to = str_eq_nocase(value, STR("true"));
    return ERR_OK;
}

static enum err apply_fifo(struct apply *ap, struct str value)
{
    bool fifo = ap->t->rec.fifo;
    if (!ap->create)
        return INVALID(ap, "AttributeName");
    TRY(apply_bool(ap, value, &fifo));
    ap->t->rec.fifo = fifo;
    return ERR_OK;
}

static enum err apply_content(struct apply *ap, struct str value)
{
    return apply_bool(ap, value, &ap->t->rec.content_dedup);
}

static enum err apply_scope(struct apply *ap, struct str value)
{
    if (!str_eq_c(value, "Topic") && !str_eq_c(value, "MessageGroup"))
        return invalid_value(ap, "the value must be Topic or MessageGroup");
    ap->t->rec.dedup_per_group = str_eq_c(value, "MessageGroup");
    return ERR_OK;
}

static enum err apply_signature(struct apply *ap, struct str value)
{
    if (!str_eq_c(value, "1") && !str_eq_c(value, "2"))
        return INVALID(ap, "SignatureVersion");
    ap->t->rec.signature_version = value.p[0] - '0';
    return ERR_OK;
}

static enum err apply_tracing(struct apply *ap, struct str value)
{
    if (str_eq_c(value, "Active"))
        return invalid_value(ap, "active tracing is not supported by Weir");
    if (!str_eq_c(value, "PassThrough"))
        return invalid_value(ap, "the value must be PassThrough or Active");
    ap->t->rec.tracing = value;
    return ERR_OK;
}

/* Taken as it is given: the first message tells whether it can be used. */
static enum err apply_kms(struct apply *ap, struct str value)
{
    if (value.len > KMS_KEY_ID_MAX)
        return invalid_value(ap, "too long");
    ap->t->rec.kms_key = str_empty(value) ? STR_NONE : value;
    return ERR_OK;
}

static enum err apply_refused(struct apply *ap, struct str value)
{
    return str_empty(value) ? ERR_OK : invalid_value(ap, "not supported by Weir");
}

/* --- telling ---------------------------------------------------------------------------------- */

static struct str tell_bool(bool v)
{
    return v ? STR("true") : STR("false");
}

static struct str tell_display(struct arena *a, const struct sns_topic_ref *t)
{
    return str_is_set(t->rec.display_name) ? t->rec.display_name : STR("");
}

static struct str tell_delivery(struct arena *a, const struct sns_topic_ref *t)
{
    return t->rec.delivery_policy;
}

static struct str tell_fifo(struct arena *a, const struct sns_topic_ref *t)
{
    return t->rec.fifo ? STR("true") : STR_NONE;
}

static struct str tell_content(struct arena *a, const struct sns_topic_ref *t)
{
    return t->rec.fifo ? tell_bool(t->rec.content_dedup) : STR_NONE;
}

static struct str tell_scope(struct arena *a, const struct sns_topic_ref *t)
{
    if (!t->rec.fifo)
        return STR_NONE;
    return t->rec.dedup_per_group ? STR("MessageGroup") : STR("Topic");
}

static struct str tell_signature(struct arena *a, const struct sns_topic_ref *t)
{
    if (!t->rec.signature_version)
        return STR_NONE;
    return t->rec.signature_version == 2 ? STR("2") : STR("1");
}

static struct str tell_tracing(struct arena *a, const struct sns_topic_ref *t)
{
    return t->rec.tracing;
}

static struct str tell_kms(struct arena *a, const struct sns_topic_ref *t)
{
    return t->rec.kms_key;
}

static struct str tell_arn(struct arena *a, const struct sns_topic_ref *t)
{
    return t->arn;
}

static struct str tell_owner(struct arena *a, const struct sns_topic_ref *t)
{
    return t->scope.account;
}

static struct str tell_confirmed(struct arena *a, const struct sns_topic_ref *t)
{
    return str_fmt(a, "%llu", (unsigned long long)t->rec.confirmed);
}

static struct str tell_pending(struct arena *a, const struct sns_topic_ref *t)
{
    return str_fmt(a, "%llu", (unsigned long long)t->rec.pending);
}

static struct str tell_deleted(struct arena *a, const struct sns_topic_ref *t)
{
    return str_fmt(a, "%llu", (unsigned long long)t->rec.deleted);
}

/* --- the attributes --------------------------------------------------------------------------- */

static const struct attribute {
    struct str name;
    bool fifo;                                                          /* of FIFO topics only */
    enum err (*apply)(struct apply *ap, struct str value);              /* NULL: only told */
    struct str (*tell)(struct arena *a, const struct sns_topic_ref *t); /* NULL: never told */
} attributes[] = {
    {STR_INIT("TopicArn"), false, NULL, tell_arn},
    {STR_INIT("Owner"), false, NULL, tell_owner},
    {STR_INIT("DisplayName"), false, apply_display, tell_display},
    {STR_INIT("Policy"), false, apply_policy, NULL},
    {STR_INIT("DeliveryPolicy"), false, apply_delivery, tell_delivery},
    {STR_INIT("SubscriptionsConfirmed"), false, NULL, tell_confirmed},
    {STR_INIT("SubscriptionsPending"), false, NULL, tell_pending},
    {STR_INIT("SubscriptionsDeleted"), false, NULL, tell_deleted},
    {STR_INIT("FifoTopic"), false, apply_fifo, tell_fifo},
    {STR_INIT("ContentBasedDeduplication"), true, apply_content, tell_content},
    {STR_INIT("FifoThroughputScope"), true, apply_scope, tell_scope},
    {STR_INIT("SignatureVersion"), false, apply_signature, tell_signature},
    {STR_INIT("TracingConfig"), false, apply_tracing, tell_tracing},
    {STR_INIT("KmsMasterKeyId"), false, apply_kms, tell_kms},
    {STR_INIT("ArchivePolicy"), false, apply_refused, NULL},
    {STR_INIT("DataProtectionPolicy"), false, apply_refused, NULL},
};

/* "LambdaSuccessFeedbackRoleArn" and the like: delivery status logging. */
static bool is_feedback(struct str name)
{
    return str_ends(name, STR("FeedbackRoleArn")) || str_ends(name, STR("FeedbackSampleRate"));
}

/* No role, and a rate of nothing: what is so here. Terraform sets each rate to 0. */
static enum err apply_feedback(struct apply *ap, struct str value)
{
    bool rate = str_ends(ap->name, STR("SampleRate"));
    return rate && str_eq_c(value, "0") ? ERR_OK : apply_refused(ap, value);
}

enum err sns_topic_apply(struct txn *txn, struct sns_topic_ref *t, struct str name,
                         struct str value, bool create, struct fault *f)
{
    struct apply ap = {.txn = txn, .t = t, .name = name, .create = create, .f = f};
    if (!str_is_set(value))
        value = STR("");
    if (is_feedback(name))
        return apply_feedback(&ap, value);
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (str_eq(attributes[i].name, name)) {
            if (!attributes[i].apply || (attributes[i].fifo && !t->rec.fifo))
                break;
            return attributes[i].apply(&ap, value);
        }
    return create ? INVALID(&ap, "Attributes Reason: Unknown attribute " STR_FMT, STR_ARG(name))
                  : INVALID(&ap, "AttributeName");
}

struct str sns_topic_tell_one(struct arena *a, const struct sns_topic_ref *t, struct str name)
{
    if (str_eq_c(name, "Policy"))
        return t->rec.policy;
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (str_eq(attributes[i].name, name) && attributes[i].tell)
            return attributes[i].tell(a, t);
    return STR_NONE;
}

static enum err tell_policies(struct core *core, struct arena *a, const struct sns_topic_ref *t,
                              struct str *ret_policy, struct str *ret_effective)
{
    struct sns_delivery d;
    const char *why = "";
    if (str_is_set(t->rec.policy))
        TRY(core_policy_shown(core, a, t->rec.policy, ret_policy));
    else
        TRY(sns_default_policy(a, t, ret_policy));
    enum err err = sns_delivery_parse(a, t->rec.delivery_policy, true, &d, &why);
    if (err)
        return err == ERR_INVALID ? ERR_CORRUPT : err;
    d = sns_delivery_effective(&d, NULL);
    *ret_effective = sns_delivery_text(a, &d, true);
    return str_is_set(*ret_effective) ? ERR_OK : ERR_NOMEM;
}

enum err sns_topic_tell(struct core *core, struct arena *a, const struct sns_topic_ref *t,
                        struct sns_topic_attributes_map *ret)
{
    struct str policy, effective;
    size_t n = 0;
    struct sns_topic_attributes_map_entry *v =
        ARENA_ARRAY(a, struct sns_topic_attributes_map_entry, ARRAY_LEN(attributes) + 2);
    if (!v)
        return ERR_NOMEM;
    TRY(tell_policies(core, a, t, &policy, &effective));
    v[n++] = (struct sns_topic_attributes_map_entry){STR("Policy"), policy};
    v[n++] = (struct sns_topic_attributes_map_entry){STR("EffectiveDeliveryPolicy"), effective};
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        struct str value = attributes[i].tell ? attributes[i].tell(a, t) : STR_NONE;
        if (str_is_set(value))
            v[n++] = (struct sns_topic_attributes_map_entry){attributes[i].name, value};
    }
    *ret = (struct sns_topic_attributes_map){v, n};
    return ERR_OK;
}
