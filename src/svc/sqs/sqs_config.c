/* Queue attributes: which there are, what values they take, how they are told back. Source: SQS API
 * reference, CreateQueue and SetQueueAttributes.
 *
 * A key of KMS is taken as it is given, as SQS does: whether it can be used is told by the first message
 * (sqs_cipher.c). Encryption with SQS's own keys (SqsManagedSseEnabled) is invisible to clients and merely
 * remembered; a queue has the one or the other.
 *
 * Layer: svc/sqs. Thread: pure, but for the lookup of a redrive target. */
#include <assert.h>

#include "base/arn.h"
#include "codec/json.h"
#include "core/statement.h"
#include "svc/sqs/sqs_int.h"

enum {
    RECEIVES_MAX = 1000,
    REDRIVE_SOURCES_MAX = 10,
    QUEUE_POLICY_MAX = 8192,
    STATEMENTS_MAX = 20,
    KMS_KEY_ID_MAX = 2048
};

void sqs_config_init(struct sqs_config *c, int64_t now_ms)
{
    *c = (struct sqs_config){
        .created_ms = now_ms,
        .modified_ms = now_ms,
        .sse = true,
        .size_max = SQS_SIZE_MAX,
        .retention_s = 4 * 86400,
        .visibility_s = 30,
        .kms_reuse_s = SQS_KMS_REUSE_S,
    };
}

struct sqs_config_apply {
    struct sqs *sqs;
    struct txn *txn;
    struct arena *a;
    struct str queue_arn;
    struct sqs_config *c;
    struct fault *f;
    bool gave_kms, gave_sse; /* which encryption was asked for */
};

static enum err invalid(struct sqs_config_apply *ap, struct str name, const char *why)
{
    return fault_set(ap->a, ap->f, &sqs_err_invalid_attribute_value,
                     "Invalid value for the parameter " STR_FMT ".%s%s", STR_ARG(name),
                     *why ? " Reason: " : "", why);
}

static enum err unknown(struct sqs_config_apply *ap, struct str name)
{
    return fault_set(ap->a, ap->f, &sqs_err_invalid_attribute_name,
                     "Unknown Attribute " STR_FMT ".", STR_ARG(name));
}

/* --- one function per kind of value ----------------------------------------------------------- */

static enum err apply_number(struct sqs_config_apply *ap, const struct sqs_config_attr *at,
                             struct str value)
{
    int64_t v;
    if (str_to_i64(value, &v) != ERR_OK || v < at->min || v > at->max)
        return invalid(ap, at->name, "");
    *(int64_t *)(void *)((char *)ap->c + at->offset) = v;
    return ERR_OK;
}

static enum err apply_choice(struct sqs_config_apply *ap, const struct sqs_config_attr *at,
                             struct str value)
{
    bool words = str_eq_c(at->yes, "true"); /* in any case */
    bool yes = words ? str_eq_nocase(value, at->yes) : str_eq(value, at->yes);
    if (!yes && !(words ? str_eq_nocase(value, at->no) : str_eq(value, at->no)))
        return invalid(ap, at->name, "");
    *((bool *)ap->c + at->offset) = yes;
    return ERR_OK;
}

static enum err apply_scope(struct sqs_config_apply *ap, const struct sqs_config_attr *at,
                            struct str value)
{
    bool before = ap->c->dedup_per_group;
    TRY(apply_choice(ap, at, value));
    if (ap->c->dedup_per_group != before)
        ap->c->dedup_changed_ms = ap->txn->now_ms;
    return ERR_OK;
}

/* Decided by CreateQueue; never by false. */
static enum err apply_fifo(struct sqs_config_apply *ap, const struct sqs_config_attr *at,
                           struct str value)
{
    bool fifo = ap->c->fifo;
    TRY(apply_choice(ap, at, value));
    bool same = ap->c->fifo && fifo;
    ap->c->fifo = fifo;
    if (fifo && !same)
        return invalid(ap, at->name, "Modifying queue type is not supported.");
    return same ? ERR_OK : unknown(ap, at->name);
}

static enum err apply_sse(struct sqs_config_apply *ap, const struct sqs_config_attr *at,
                          struct str value)
{
    TRY(apply_choice(ap, at, value));
    if (ap->c->sse) {
        ap->c->kms_key = STR_NONE;
        ap->gave_sse = true;
    }
    return ERR_OK;
}

static enum err apply_kms_key(struct sqs_config_apply *ap, const struct sqs_config_attr *at,
                              struct str value)
{
    if (value.len > KMS_KEY_ID_MAX)
        return invalid(ap, at->name, "");
    ap->c->kms_key = str_empty(value) ? STR_NONE : value;
    ap->gave_kms = !str_empty(value);
    if (ap->c->kms_reuse_s == 0) /* made before there were keys */
        ap->c->kms_reuse_s = SQS_KMS_REUSE_S;
    return ERR_OK;
}

static enum err policy_fault(struct arena *a, enum err err, const char *why, struct fault *f)
{
    if (err != ERR_INVALID && err != ERR_LIMIT)
        return err;
    return fault_set(a, f, &sqs_err_invalid_attribute_value,
                     "Invalid value for the parameter Policy. Reason: %s",
                     err == ERR_LIMIT ? "The policy is too long." : why);
}

enum err sqs_policy_check(struct txn *txn, struct str json, bool more, struct fault *f)
{
    const char *why = NULL;
    size_t n;
    enum err err = json.len > QUEUE_POLICY_MAX
                       ? ERR_LIMIT
                       : core_policy_check(txn->core, txn->arena, POLICY_RESOURCE, json, &why);
    if (err != ERR_OK)
        return policy_fault(txn->arena, err, why, f);
    TRY(statement_count(txn->arena, json, &n));
    if (n <= STATEMENTS_MAX)
        return ERR_OK;
    return fault_set(txn->arena, f, &sqs_err_over_limit,
                     more ? "%zu Statements were found, maximum allowed is %d."
                          : "%zu statements were found in the submitted policy, max allowed is %d",
                     n, STATEMENTS_MAX);
}

static enum err apply_policy(struct sqs_config_apply *ap, const struct sqs_config_attr *at,
                             struct str value)
{
    if (str_empty(value)) {
        ap->c->policy = STR_NONE;
        return ERR_OK;
    }
    const char *why = NULL;
    TRY(sqs_policy_check(ap->txn, value, false, ap->f));
    enum err err = core_policy_stored(ap->txn, value, &why, &ap->c->policy);
    return policy_fault(ap->a, err, why, ap->f);
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

/* "Value {..} for parameter RedrivePolicy is invalid. Reason: .." */
static enum err bad_document(struct sqs_config_apply *ap, struct str name, struct str given,
                             const char *why)
{
    return fault_set(ap->a, ap->f, &sqs_err_invalid_parameter_value,
                     "Value " STR_FMT " for parameter " STR_FMT " is invalid. Reason: %s",
                     STR_ARG(given), STR_ARG(name), why);
}

/* One of the owner's queues in the queue's region (itself, if the owner likes): nobody asks its policy. */
static enum err check_target(struct sqs_config_apply *ap, struct str name, struct str given,
                             struct str arn)
{
    struct sqs_open target;
    struct key_scope scope, own;
    struct str target_name, own_name;
    struct arn any;
    if (arn_parse(arn, &any) != ERR_OK)
        return bad_document(ap, name, given, "Invalid value for deadLetterTargetArn.");
    if (sqs_arn_parse(arn, &scope, &target_name) != ERR_OK)
        return bad_document(ap, name, given,
                            "Only SQS queues are valid resources for deadLetterTargetArn.");
    if (!str_eq(scope.account, wire_account_in(ap->queue_arn)))
        return bad_document(ap, name, given,
                            "Dead-letter target owner should be same as the source.");
    enum err err = sqs_arn_parse(ap->queue_arn, &own, &own_name);
    assert(err == ERR_OK);
    err = str_eq(scope.region, own.region) ? sqs_open(ap->sqs, ap->txn, scope, target_name, &target)
                                           : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return bad_document(ap, name, given, "Dead letter target does not exist.");
    TRY(err);
    if (target.config.fifo != ap->c->fifo) /* SQS ends it so */
        return bad_document(ap, name, given,
                            "Dead-letter queue must be same type of queue as the source..");
    if (!redrive_allowed(ap->a, target.config.redrive_allow, ap->queue_arn))
        return invalid(ap, name, "The dead-letter queue does not allow this source queue.");
    return ERR_OK;
}

static enum err bad_count(struct sqs_config_apply *ap, struct str given, const struct json *max)
{
    bool plain = max->kind == JSON_STRING || max->kind == JSON_NUMBER;
    struct str text = plain ? max->text : STR("null");
    return fault_set(ap->a, ap->f, &sqs_err_invalid_parameter_value,
                     "Value " STR_FMT " for parameter RedrivePolicy is invalid. Reason: Invalid "
                     "value for maxReceiveCount: " STR_FMT
                     ", valid values are from 1 to %d both inclusive.",
                     STR_ARG(given), STR_ARG(text), RECEIVES_MAX);
}

/* Whether an object has members beside these two. */
static bool has_more(const struct json *doc, struct str one, struct str other)
{
    JSON_EACH (doc, it)
        if (!str_eq(it->key, one) && !str_eq(it->key, other))
            return true;
    return false;
}

static enum err apply_redrive(struct sqs_config_apply *ap, const struct sqs_config_attr *at,
                              struct str value)
{
    static const struct str dead = STR_INIT("deadLetterTargetArn"),
                            most = STR_INIT("maxReceiveCount");
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
    if (err != ERR_OK || doc->kind != JSON_OBJECT)
        return invalid(ap, at->name, "Redrive policy is not a valid JSON map.");
    struct str arn = json_get_str(doc, dead);
    const struct json *max = json_get(doc, most);
    if (!max || !str_is_set(arn))
        return bad_document(
            ap, at->name, value,
            max ? "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
                : "Redrive policy does not contain mandatory attribute: maxReceiveCount.");
    if (has_more(doc, dead, most))
        return bad_document(
            ap, at->name, value,
            "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].");
    err = max->kind == JSON_STRING ? str_to_i64(max->text, &receives) : json_to_i64(max, &receives);
    if (err != ERR_OK || receives < 1 || receives > RECEIVES_MAX)
        return bad_count(ap, value, max);
    TRY(check_target(ap, at->name, value, arn));
    ap->c->dlq_arn = arn;
    ap->c->receives_max = receives;
    return ERR_OK;
}

#define NO_REDRIVE_ALLOW "Amazon SQS can't create the redrive allow policy"

/* Queues' ARNs, whether there are such queues or not: a queue is allowed before it is made. */
static bool are_queues(const struct json *arns)
{
    struct key_scope scope;
    struct str name;
    if (arns->kind != JSON_ARRAY)
        return false;
    JSON_EACH (arns, it)
        if (it->kind != JSON_STRING || sqs_arn_parse(it->text, &scope, &name) != ERR_OK)
            return false;
    return true;
}

static enum err apply_redrive_allow(struct sqs_config_apply *ap, const struct sqs_config_attr *at,
                                    struct str value)
{
    static const struct str permission = STR_INIT("redrivePermission"),
                            queues = STR_INIT("sourceQueueArns");
    struct json *doc;
    if (str_empty(value)) {
        ap->c->redrive_allow = STR_NONE;
        return ERR_OK;
    }
    enum err err = json_parse(ap->a, value, &doc, NULL);
    if (err == ERR_NOMEM)
        return err;
    struct str kind = err == ERR_OK ? json_get_str(doc, permission) : STR_NONE;
    const struct json *arns = err == ERR_OK ? json_get(doc, queues) : NULL;
    bool by_queue = str_eq_c(kind, "byQueue");
    if ((!by_queue && !str_eq_c(kind, "allowAll") && !str_eq_c(kind, "denyAll")) ||
        has_more(doc, permission, queues) || (arns && !are_queues(arns)))
        return invalid(ap, at->name,
                       NO_REDRIVE_ALLOW ", as it\xe2\x80\x99s in an unsupported format.");
    if (arns && !by_queue)
        return bad_document(ap, at->name, value,
                            NO_REDRIVE_ALLOW ". To specify one or more source queue ARNs, you must "
                                             "set redrivePermission to byQueue.");
    if (by_queue && (!arns || arns->n < 1))
        return bad_document(ap, at->name, value,
                            NO_REDRIVE_ALLOW ". When you specify the byQueue permission type, you "
                                             "must also specify one or more sourceQueueArns "
                                             "values.");
    if (by_queue && arns->n > REDRIVE_SOURCES_MAX)
        return bad_document(ap, at->name, value,
                            NO_REDRIVE_ALLOW ". The maximum number of source queue ARNs you can "
                                             "specify is 10.");
    ap->c->redrive_allow = value;
    return ERR_OK;
}

/* --- telling ---------------------------------------------------------------------------------- */

static struct str tell_number(struct arena *a, const struct sqs_config *c,
                              const struct sqs_config_attr *at)
{
    return str_fmt(a, "%lld",
                   (long long)*(const int64_t *)(const void *)((const char *)c + at->offset));
}

static struct str tell_choice(struct arena *a, const struct sqs_config *c,
                              const struct sqs_config_attr *at)
{
    return *((const bool *)c + at->offset) ? at->yes : at->no;
}

static struct str tell_text(struct arena *a, const struct sqs_config *c,
                            const struct sqs_config_attr *at)
{
    return *(const struct str *)(const void *)((const char *)c + at->offset);
}

static struct str tell_reuse(struct arena *a, const struct sqs_config *c,
                             const struct sqs_config_attr *at)
{
    return str_is_set(c->kms_key) ? tell_number(a, c, at) : STR_NONE;
}

static struct str tell_redrive(struct arena *a, const struct sqs_config *c,
                               const struct sqs_config_attr *at)
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

/* --- the attributes ---------------------------------------------------------------------------- */

#define NUMBER(name_, member, min_, max_)                                                          \
    {                                                                                              \
        .name = STR_INIT(name_), .apply = apply_number, .tell = tell_number,                       \
        .offset = offsetof(struct sqs_config, member), .min = (min_), .max = (max_)                \
    }
#define CHOICE(name_, member, no_, yes_, fifo_, apply_)                                            \
    {                                                                                              \
        .name = STR_INIT(name_), .apply = (apply_), .tell = tell_choice, .fifo = (fifo_),          \
        .offset = offsetof(struct sqs_config, member), .no = STR_INIT(no_), .yes = STR_INIT(yes_)  \
    }
#define TEXT(name_, member, apply_, tell_)                                                         \
    {                                                                                              \
        .name = STR_INIT(name_), .apply = (apply_), .tell = (tell_),                               \
        .offset = offsetof(struct sqs_config, member)                                              \
    }

const struct sqs_config_attr sqs_config_attrs[SQS_CONFIG_ATTRS] = {
    NUMBER("VisibilityTimeout", visibility_s, 0, SQS_VISIBILITY_MAX_S),
    NUMBER("DelaySeconds", delay_s, 0, SQS_DELAY_MAX_S),
    NUMBER("ReceiveMessageWaitTimeSeconds", wait_s, 0, SQS_WAIT_MAX_S),
    NUMBER("MaximumMessageSize", size_max, 1024, SQS_SIZE_MAX),
    NUMBER("MessageRetentionPeriod", retention_s, 60, 1209600),
    CHOICE("SqsManagedSseEnabled", sse, "false", "true", false, apply_sse),
    TEXT("Policy", policy, apply_policy, tell_text),
    TEXT("RedrivePolicy", dlq_arn, apply_redrive, tell_redrive),
    TEXT("RedriveAllowPolicy", redrive_allow, apply_redrive_allow, tell_text),
    CHOICE("FifoQueue", fifo, "false", "true", true, apply_fifo),
    CHOICE("ContentBasedDeduplication", content_dedup, "false", "true", true, apply_choice),
    CHOICE("DeduplicationScope", dedup_per_group, "queue", "messageGroup", true, apply_scope),
    CHOICE("FifoThroughputLimit", limit_per_group, "perQueue", "perMessageGroupId", true,
           apply_choice),
    TEXT("KmsMasterKeyId", kms_key, apply_kms_key, tell_text),
    {.name = STR_INIT("KmsDataKeyReusePeriodSeconds"),
     .apply = apply_number,
     .tell = tell_reuse,
     .offset = offsetof(struct sqs_config, kms_reuse_s),
     .min = SQS_KMS_REUSE_MIN_S,
     .max = SQS_KMS_REUSE_MAX_S},
};

const struct sqs_config_attr *sqs_config_attr(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(sqs_config_attrs); i++)
        if (str_eq(sqs_config_attrs[i].name, name))
            return &sqs_config_attrs[i];
    return NULL;
}

static enum err apply_one(struct sqs_config_apply *ap, struct str name, struct str value)
{
    const struct sqs_config_attr *at = sqs_config_attr(name);
    if (at && (!at->fifo || ap->c->fifo || at->apply == apply_fifo))
        return at->apply(ap, at, value);
    if (!at ||
        str_eq_c(name, "ContentBasedDeduplication")) /* the others are told of what they need */
        return unknown(ap, name);
    return fault_set(ap->a, ap->f, &sqs_err_invalid_attribute_name,
                     "You can specify the " STR_FMT " only when FifoQueue is set to true.",
                     STR_ARG(name));
}

enum err sqs_config_apply(struct sqs *s, struct txn *txn, struct str queue_arn,
                          const struct sqs_queue_attribute_map *in, struct sqs_config *c,
                          struct fault *f)
{
    struct sqs_config_apply ap = {
        .sqs = s, .txn = txn, .a = txn->arena, .queue_arn = queue_arn, .c = c, .f = f};
    for (size_t i = 0; i < in->n; i++)
        TRY(apply_one(&ap, in->v[i].key, in->v[i].value));
    if (ap.gave_kms && ap.gave_sse)
        return fault_set(
            ap.a, f, &sqs_err_invalid_attribute_name,
            "You can use one type of server-side encryption (SSE) at one time. You can "
            "either enable KMS SSE or SQS SSE.");
    if (ap.gave_kms)
        c->sse = false;
    if (c->limit_per_group && !c->dedup_per_group)
        return invalid(
            &ap, STR("FifoThroughputLimit"),
            "To set FifoThroughputLimit to perMessageGroupId, the DeduplicationScope must "
            "be messageGroup.");
    return ERR_OK;
}

struct str sqs_config_get(struct arena *a, const struct sqs_config *c, struct str name)
{
    const struct sqs_config_attr *at = sqs_config_attr(name);
    return at && at->tell && (c->fifo || !at->fifo) ? at->tell(a, c, at) : STR_NONE;
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
