/* Queue attributes: which there are, what values they take, how they are told back. Source: SQS API
 * reference, CreateQueue and SetQueueAttributes.
 *
 * Encryption with keys of KMS is refused: there is no KMS here to do it (P4). Encryption with
 * SQS's own keys (SqsManagedSseEnabled) is invisible to clients and merely remembered.
 *
 * Layer: svc/sqs. Thread: pure, but for the lookup of a redrive target. */
#include "auth/policy.h"
#include "codec/json.h"
#include "svc/sqs/sqs_int.h"

enum { RECEIVES_MAX = 1000, REDRIVE_SOURCES_MAX = 10, QUEUE_POLICY_MAX = 8192 };

void sqs_config_init(struct sqs_config *c, int64_t now_ms)
{
    *c = (struct sqs_config){
        .created_ms = now_ms,
        .modified_ms = now_ms,
        .sse = true,
        .size_max = SQS_SIZE_MAX,
        .retention_s = 4 * 86400,
        .visibility_s = 30,
    };
}

struct apply {
    struct sqs *sqs;
    struct txn *txn;
    struct arena *a;
    struct str queue_arn;
    struct sqs_config *c;
    struct sqs_fault *f;
};

static enum err invalid(struct apply *ap, struct str name, const char *why)
{
    return sqs_fault_set(ap->a, ap->f, &sqs_err_invalid_attribute_value,
                         "Invalid value for the parameter " STR_FMT ".%s%s", STR_ARG(name),
                         *why ? " Reason: " : "", why);
}

/* --- one function per kind of value ----------------------------------------------------------- */

static const struct number_attr {
    struct str name;
    size_t offset; /* in sqs_config */
    int64_t min, max;
} numbers[] = {
    {STR_INIT("DelaySeconds"), offsetof(struct sqs_config, delay_s), 0, SQS_DELAY_MAX_S},
    {STR_INIT("MaximumMessageSize"), offsetof(struct sqs_config, size_max), 1024, SQS_SIZE_MAX},
    {STR_INIT("MessageRetentionPeriod"), offsetof(struct sqs_config, retention_s), 60, 1209600},
    {STR_INIT("ReceiveMessageWaitTimeSeconds"), offsetof(struct sqs_config, wait_s), 0,
     SQS_WAIT_MAX_S},
    {STR_INIT("VisibilityTimeout"), offsetof(struct sqs_config, visibility_s), 0,
     SQS_VISIBILITY_MAX_S},
};

static const struct number_attr *find_number(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (str_eq(numbers[i].name, name))
            return &numbers[i];
    return NULL;
}

static enum err apply_number(struct apply *ap, const struct number_attr *n, struct str value)
{
    int64_t v;
    if (str_to_i64(value, &v) != ERR_OK || v < n->min || v > n->max)
        return invalid(ap, n->name, "");
    *(int64_t *)(void *)((char *)ap->c + n->offset) = v;
    return ERR_OK;
}

static enum err apply_bool(struct apply *ap, struct str name, struct str value, bool *ret)
{
    if (!str_eq_nocase(value, STR("true")) && !str_eq_nocase(value, STR("false")))
        return invalid(ap, name, "");
    *ret = str_eq_nocase(value, STR("true"));
    return ERR_OK;
}

enum err sqs_policy_check(struct arena *a, struct str json, struct sqs_fault *f)
{
    const char *why = "Invalid value for the parameter Policy.";
    struct policy *policy;
    enum err err = json.len > QUEUE_POLICY_MAX
                       ? ERR_LIMIT
                       : policy_parse(a, POLICY_RESOURCE, json, &why, &policy);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return sqs_fault_set(a, f, &sqs_err_invalid_attribute_value,
                             "Invalid value for the parameter Policy. Reason: %s",
                             err == ERR_LIMIT ? "The policy is too long." : why);
    return err;
}

static enum err apply_policy(struct apply *ap, struct str name, struct str value)
{
    if (str_empty(value)) {
        ap->c->policy = STR_NONE;
        return ERR_OK;
    }
    TRY(sqs_policy_check(ap->a, value, ap->f));
    ap->c->policy = value;
    return ERR_OK;
}

/* Whether the target's RedriveAllowPolicy lets this queue redrive to it. */
static bool redrive_allowed(struct arena *a, struct str policy, struct str source_arn)
{
    struct json *doc;
    if (str_empty(policy) || json_parse(a, policy, &doc, NULL) != ERR_OK)
        return true;
    struct str kind = json_get_str(doc, STR("redrivePermission"));
    if (str_eq_c(kind, "denyAll"))
        return false;
    if (!str_eq_c(kind, "byQueue"))
        return true;
    JSON_EACH (json_get(doc, STR("sourceQueueArns")), it)
        if (it->kind == JSON_STRING && str_eq(it->text, source_arn))
            return true;
    return false;
}

static enum err check_target(struct apply *ap, struct str name, struct str arn)
{
    struct sqs_open target;
    enum err err = sqs_open_arn(ap->sqs, ap->txn, arn, &target);
    if (err == ERR_NOT_FOUND)
        return sqs_fault_set(ap->a, ap->f, &sqs_err_invalid_parameter_value,
                             "Value {\"deadLetterTargetArn\":\"" STR_FMT
                             "\"} for parameter RedrivePolicy is invalid. Reason: Dead letter "
                             "target does not exist.",
                             STR_ARG(arn));
    TRY(err);
    if (target.config.fifo != ap->c->fifo)
        return invalid(ap, name, "Dead-letter queue must be same type of queue as the source.");
    if (!redrive_allowed(ap->a, target.config.redrive_allow, ap->queue_arn))
        return invalid(ap, name, "The dead-letter queue does not allow this source queue.");
    return ERR_OK;
}

static enum err apply_redrive(struct apply *ap, struct str name, struct str value)
{
    struct json *doc;
    int64_t receives = 10;
    if (str_empty(value)) {
        ap->c->dlq_arn = STR_NONE;
        ap->c->receives_max = 0;
        return ERR_OK;
    }
    enum err err = json_parse(ap->a, value, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    struct str arn = err == ERR_OK ? json_get_str(doc, STR("deadLetterTargetArn")) : STR_NONE;
    const struct json *max = err == ERR_OK ? json_get(doc, STR("maxReceiveCount")) : NULL;
    if (err != ERR_OK || doc->kind != JSON_OBJECT)
        return invalid(ap, name, "Redrive policy is not a valid JSON map.");
    if (!str_is_set(arn))
        return invalid(ap, name,
                       "Redrive policy does not contain mandatory attribute: "
                       "deadLetterTargetArn.");
    if (!max)
        return invalid(ap, name,
                       "Redrive policy does not contain mandatory attribute: maxReceiveCount.");
    err = max->kind == JSON_STRING ? str_to_i64(max->text, &receives) : json_to_i64(max, &receives);
    if (err != ERR_OK || receives < 1 || receives > RECEIVES_MAX)
        return invalid(ap, name,
                       "Invalid value for maxReceiveCount: it must be an integer between 1 and "
                       "1000.");
    TRY(check_target(ap, name, arn));
    ap->c->dlq_arn = arn;
    ap->c->receives_max = receives;
    return ERR_OK;
}

static enum err apply_redrive_allow(struct apply *ap, struct str name, struct str value)
{
    struct json *doc;
    if (str_empty(value)) {
        ap->c->redrive_allow = STR_NONE;
        return ERR_OK;
    }
    enum err err = json_parse(ap->a, value, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    struct str kind = err == ERR_OK ? json_get_str(doc, STR("redrivePermission")) : STR_NONE;
    const struct json *sources = err == ERR_OK ? json_get(doc, STR("sourceQueueArns")) : NULL;
    bool by_queue = str_eq_c(kind, "byQueue");
    if (!by_queue && !str_eq_c(kind, "allowAll") && !str_eq_c(kind, "denyAll"))
        return invalid(ap, name, "redrivePermission must be allowAll, denyAll or byQueue.");
    if (by_queue != (sources != NULL) ||
        (sources &&
         (sources->kind != JSON_ARRAY || sources->n < 1 || sources->n > REDRIVE_SOURCES_MAX)))
        return invalid(ap, name,
                       "sourceQueueArns with 1 to 10 ARNs goes with redrivePermission byQueue.");
    ap->c->redrive_allow = value;
    return ERR_OK;
}

static enum err unknown(struct apply *ap, struct str name)
{
    return sqs_fault_set(ap->a, ap->f, &sqs_err_invalid_attribute_name,
                         "Unknown Attribute " STR_FMT ".", STR_ARG(name));
}

static enum err apply_fifo_attr(struct apply *ap, struct str name, struct str value)
{
    struct sqs_config *c = ap->c;
    if (str_eq_c(name, "FifoQueue")) {
        bool fifo;
        TRY(apply_bool(ap, name, value, &fifo));
        if (fifo != c->fifo || !fifo) /* decided by CreateQueue; never by false */
            return unknown(ap, name);
        return ERR_OK;
    }
    if (!c->fifo)
        return unknown(ap, name);
    if (str_eq_c(name, "ContentBasedDeduplication"))
        return apply_bool(ap, name, value, &c->content_dedup);
    bool per_group;
    if (str_eq_c(name, "DeduplicationScope")) {
        per_group = str_eq_c(value, "messageGroup");
        if (!per_group && !str_eq_c(value, "queue"))
            return invalid(ap, name, "");
        c->dedup_per_group = per_group;
        return ERR_OK;
    }
    per_group = str_eq_c(value, "perMessageGroupId");
    if (!per_group && !str_eq_c(value, "perQueue"))
        return invalid(ap, name, "");
    c->limit_per_group = per_group;
    return ERR_OK;
}

static bool is_fifo_attr(struct str name)
{
    return str_eq_c(name, "FifoQueue") || str_eq_c(name, "ContentBasedDeduplication") ||
           str_eq_c(name, "DeduplicationScope") || str_eq_c(name, "FifoThroughputLimit");
}

static enum err apply_one(struct apply *ap, struct str name, struct str value)
{
    const struct number_attr *n = find_number(name);
    if (n)
        return apply_number(ap, n, value);
    if (is_fifo_attr(name))
        return apply_fifo_attr(ap, name, value);
    if (str_eq_c(name, "Policy"))
        return apply_policy(ap, name, value);
    if (str_eq_c(name, "RedrivePolicy"))
        return apply_redrive(ap, name, value);
    if (str_eq_c(name, "RedriveAllowPolicy"))
        return apply_redrive_allow(ap, name, value);
    if (str_eq_c(name, "SqsManagedSseEnabled"))
        return apply_bool(ap, name, value, &ap->c->sse);
    if (str_eq_c(name, "KmsMasterKeyId") && str_empty(value))
        return ERR_OK; /* none, as it is */
    if (str_eq_c(name, "KmsMasterKeyId") || str_eq_c(name, "KmsDataKeyReusePeriodSeconds"))
        return sqs_fault_set(ap->a, ap->f, &sqs_err_unsupported_operation,
                             STR_FMT " is not supported by Weir: it has no KMS. Messages can be "
                                     "encrypted by the client, or the data directory's disk.",
                             STR_ARG(name));
    return unknown(ap, name);
}

enum err sqs_config_apply(struct sqs *s, struct txn *txn, struct str queue_arn,
                          const struct sqs_queue_attribute_map *in, struct sqs_config *c,
                          struct sqs_fault *f)
{
    struct apply ap = {
        .sqs = s, .txn = txn, .a = txn->arena, .queue_arn = queue_arn, .c = c, .f = f};
    for (size_t i = 0; i < in->n; i++)
        TRY(apply_one(&ap, in->v[i].key, in->v[i].value));
    if (c->limit_per_group && !c->dedup_per_group)
        return invalid(&ap, STR("FifoThroughputLimit"),
                       "perMessageGroupId goes with DeduplicationScope messageGroup.");
    return ERR_OK;
}

/* --- telling ---------------------------------------------------------------------------------- */

static struct str bool_text(bool v)
{
    return v ? STR("true") : STR("false");
}

static struct str redrive_text(struct arena *a, const struct sqs_config *c)
{
    struct buf b;
    struct json_out o;
    if (!str_is_set(c->dlq_arn))
        return STR_NONE;
    buf_init_arena(&b, a, 4096);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("deadLetterTargetArn"), c->dlq_arn);
    json_kv_i64(&o, STR("maxReceiveCount"), c->receives_max);
    json_close(&o, '}');
    return buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
}

struct str sqs_config_get(struct arena *a, const struct sqs_config *c, struct str name)
{
    const struct number_attr *n = find_number(name);
    if (n)
        return str_fmt(a, "%lld",
                       (long long)*(const int64_t *)(const void *)((const char *)c + n->offset));
    if (str_eq_c(name, "Policy"))
        return c->policy;
    if (str_eq_c(name, "RedrivePolicy"))
        return redrive_text(a, c);
    if (str_eq_c(name, "RedriveAllowPolicy"))
        return c->redrive_allow;
    if (str_eq_c(name, "SqsManagedSseEnabled"))
        return bool_text(c->sse);
    if (!c->fifo)
        return STR_NONE;
    if (str_eq_c(name, "FifoQueue"))
        return STR("true");
    if (str_eq_c(name, "ContentBasedDeduplication"))
        return bool_text(c->content_dedup);
    if (str_eq_c(name, "DeduplicationScope"))
        return c->dedup_per_group ? STR("messageGroup") : STR("queue");
    if (str_eq_c(name, "FifoThroughputLimit"))
        return c->limit_per_group ? STR("perMessageGroupId") : STR("perQueue");
    return STR_NONE;
}

struct str sqs_config_differs(struct arena *a, const struct sqs_queue_attribute_map *in,
                              const struct sqs_config *have, const struct sqs_config *want)
{
    for (size_t i = 0; i < in->n; i++) {
        struct str name = in->v[i].key;
        struct str x = sqs_config_get(a, have, name), y = sqs_config_get(a, want, name);
        if (!str_eq(x, y))
            return name;
    }
    return STR_NONE;
}
