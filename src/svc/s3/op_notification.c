/* Put- and GetBucketNotificationConfiguration. Layer: svc. */
#include "base/clock.h"
#include "base/rng.h"
#include "codec/json.h"
#include "svc/s3/s3_int.h"

enum { FILTER_BYTES_MAX = 1024, TEST_EVENT_MAX = 4096, ID_BYTES_MAX = 255 };

/* --- reading the request ---------------------------------------------------------------------- */

static enum err take_events(struct call *call, const struct s3_event_list *events,
                            struct s3_rule *rule)
{
    rule->names = *events;
    for (size_t i = 0; i < events->n; i++) {
        uint32_t bits = s3_event_bits(events->v[i]);
        if (!bits) {
            TRY(call_error_detail(call, "ArgumentName", STR("Event")));
            TRY(call_error_detail(call, "ArgumentValue", events->v[i]));
            return call_error(call, &s3_err_invalid_argument,
                              "The event is not supported for notifications: Weir has no event of "
                              "this kind");
        }
        rule->events |= bits;
    }
    return ERR_OK;
}

static enum err filter_error(struct call *call, const char *message)
{
    return call_error(call, &s3_err_invalid_argument, "%s", message);
}

static enum err take_filter(struct call *call, const struct s3_notification_configuration_filter *f,
                            struct s3_rule *rule)
{
    if (!f || !f->key)
        return ERR_OK;
    for (size_t i = 0; i < f->key->filter_rules.n; i++) {
        const struct s3_filter_rule *r = &f->key->filter_rules.v[i];
        struct str *to = str_eq_nocase(r->name, STR("prefix"))   ? &rule->prefix
                         : str_eq_nocase(r->name, STR("suffix")) ? &rule->suffix
                                                                 : NULL;
        if (!to)
            return filter_error(call, "filter rule name must be either prefix or suffix");
        if (str_is_set(*to))
            return filter_error(call, "Cannot specify more than one prefix or suffix rule in a "
                                      "filter.");
        struct str value = str_is_set(r->value) ? r->value : STR("");
        if (value.len > FILTER_BYTES_MAX)
            return filter_error(call, "Size of filter rule value cannot exceed 1024 bytes in UTF-8 "
                                      "representation");
        *to = value;
    }
    return ERR_OK;
}

static enum err take_id(struct call *call, struct str id, struct s3_rule *rule)
{
    char uuid[RNG_UUID_LEN + 1];
    if (id.len > ID_BYTES_MAX)
        return filter_error(call, "The maximum length of a notification's Id is 255");
    rule->id = str_is_set(id) && id.len > 0 ? id : str_dup(call->arena, rng_uuid(uuid));
    return str_is_set(rule->id) ? ERR_OK : ERR_NOMEM;
}

static enum err check_number(struct call *call, const struct s3_notification_configuration *c)
{
    if (c->queue_configurations.n + c->topic_configurations.n +
            c->lambda_function_configurations.n >
        S3_NOTIFICATIONS_MAX)
        return filter_error(call, "The number of notification configurations exceeds 100");
    return ERR_OK;
}

/* A rule of any kind: its destination and the parts that all kinds have. */
struct asked {
    enum s3_rule_kind kind;
    struct str arn, id;
    const struct s3_event_list *events;
    const struct s3_notification_configuration_filter *filter;
};

static enum err take_rule(struct call *call, struct asked a, struct s3_rules *rules)
{
    struct s3_rule *r = &rules->v[rules->n++];
    r->kind = a.kind;
    r->arn = a.arn;
    TRY(take_id(call, a.id, r));
    TRY(take_events(call, a.events, r));
    return take_filter(call, a.filter, r);
}

static enum err take_rules(struct call *call, const struct s3_notification_configuration *c,
                           struct s3_rules *rules)
{
    size_t n =
        c->queue_configurations.n + c->topic_configurations.n + c->lambda_function_configurations.n;
    *rules = (struct s3_rules){ARENA_ARRAY(call->arena, struct s3_rule, n), 0};
    if (!rules->v)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->queue_configurations.n; i++) {
        const struct s3_queue_configuration *q = &c->queue_configurations.v[i];
        struct asked a = {S3_TO_QUEUE, q->queue_arn, q->id, &q->events, q->filter};
        TRY(take_rule(call, a, rules));
    }
    for (size_t i = 0; i < c->topic_configurations.n; i++) {
        const struct s3_topic_configuration *t = &c->topic_configurations.v[i];
        struct asked a = {S3_TO_TOPIC, t->topic_arn, t->id, &t->events, t->filter};
        TRY(take_rule(call, a, rules));
    }
    for (size_t i = 0; i < c->lambda_function_configurations.n; i++) {
        const struct s3_lambda_function_configuration *f = &c->lambda_function_configurations.v[i];
        struct asked a = {S3_TO_FUNCTION, f->lambda_function_arn, f->id, &f->events, f->filter};
        TRY(take_rule(call, a, rules));
    }
    return ERR_OK;
}

/* --- checking it ------------------------------------------------------------------------------ */

static enum err check_overlaps(struct call *call, const struct s3_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        for (size_t k = 0; k < i; k++) {
            if (str_eq(rules->v[i].id, rules->v[k].id))
                return filter_error(call, "Same ID used for multiple configurations. IDs must be "
                                          "unique");
            const char *why = s3_rules_overlap(&rules->v[i], &rules->v[k]);
            if (why)
                return filter_error(call, why);
        }
    return ERR_OK;
}

/* What a kind of destination is called: by target_is, in S3's words, in its errors. */
static const struct {
    const char *target, *words;
    struct str argument;
} kinds[S3_RULE_KINDS] = {
    [S3_TO_FUNCTION] = {"function", "Lambda function", STR_INIT("CloudFunction")},
    [S3_TO_QUEUE] = {"queue", "queue", STR_INIT("Queue")},
    [S3_TO_TOPIC] = {"topic", "topic", STR_INIT("Topic")},
};

/* What is wrong with a destination, in S3's words. */
static struct str fault_words(struct call *call, const struct s3_rule *rule, enum err err)
{
    if (err == ERR_NOT_FOUND)
        return str_fmt(call->arena, "The destination %s does not exist", kinds[rule->kind].words);
    if (rule->kind != S3_TO_FUNCTION)
        return str_fmt(call->arena,
                       "Permissions on the destination %s do not allow S3 to publish "
                       "notifications from this bucket",
                       kinds[rule->kind].words);
    return str_fmt(call->arena, "Not authorized to invoke function [" STR_FMT "]",
                   STR_ARG(rule->arn));
}

static enum err check_rule(struct call *call, const struct s3_rule *rule, struct str bucket_arn)
{
    if (!target_is(call->core, rule->arn, kinds[rule->kind].target)) {
        TRY(call_error_detail(call, "ArgumentName", kinds[rule->kind].argument));
        TRY(call_error_detail(call, "ArgumentValue", rule->arn));
        return filter_error(call, "The ARN could not be parsed");
    }
    struct target target = s3_target(call, rule, bucket_arn);
    enum err err = target_check(call->txn, &target);
    if (!target_fault(err))
        return err;
    TRY(call_error_detail(call, "ArgumentName1", rule->arn));
    TRY(call_error_detail(call, "ArgumentValue1", fault_words(call, rule, err)));
    return call_error(call, &s3_err_invalid_argument,
                      "Unable to validate the following destination configurations");
}

/* Queues and topics get a message that says the configuration works, as on AWS. */
static enum err send_test_event(struct call *call, const struct s3_bucket_ref *b,
                                const struct s3_rule *rule, struct str bucket_arn)
{
    struct target target = s3_target(call, rule, bucket_arn);
    char ts[CLOCK_TEXT_MAX];
    struct buf doc;
    struct json_out o;
    buf_init_arena(&doc, call->arena, TEST_EVENT_MAX);
    json_out_init(&o, &doc);
    json_open(&o, '{');
    json_kv_str(&o, STR("Service"), STR("Amazon S3"));
    json_kv_str(&o, STR("Event"), STR("s3:TestEvent"));
    json_kv_str(&o, STR("Time"), clock_iso8601_ms(ts, call->txn->wall_ms));
    json_kv_str(&o, STR("Bucket"), b->name);
    json_kv_str(&o, STR("RequestId"), call->request_id);
    json_kv_str(&o, STR("HostId"), call->core->cfg.host_id);
    json_close(&o, '}');
    TRY(buf_err(&doc));
    return target_stage(call->txn, &target,
                        &(struct target_delivery){.payload = buf_str(&doc),
                                                  .subject = STR("Amazon S3 Notification")});
}

static enum err check_targets(struct call *call, const struct s3_bucket_ref *b,
                              const struct s3_rules *rules)
{
    struct str arn = s3_arn(call, b->name, STR_NONE);
    for (size_t i = 0; i < rules->n; i++) {
        TRY(check_rule(call, &rules->v[i], arn));
        enum err err = rules->v[i].kind == S3_TO_FUNCTION
                           ? ERR_OK
                           : send_test_event(call, b, &rules->v[i], arn);
        if (target_fault(err)) /* FIFO queues take no message without a group */
            return call_error(call, &s3_err_invalid_argument,
                              "Unable to validate the following destination configurations");
        TRY(err);
    }
    return ERR_OK;
}

enum err s3_put_bucket_notification_configuration(
    struct call *call, const struct s3_put_bucket_notification_configuration_input *in,
    struct s3_put_bucket_notification_configuration_output *out)
{
    struct s3_bucket_ref b;
    struct s3_rules rules;
    TRY(s3_verify_body(call, wire_header_get(call->request, STR("Content-MD5"))));
    TRY(s3_bucket_get(call, in->bucket, in->expected_bucket_owner, &b));
    TRY(check_number(call, in->notification_configuration));
    TRY(take_rules(call, in->notification_configuration, &rules));
    TRY(check_overlaps(call, &rules));
    if (!in->skip_destination_validation)
        TRY(check_targets(call, &b, &rules));
    b.rec.flags &= ~(uint64_t)S3_HAS_NOTIFICATION;
    b.rec.flags &= ~(uint64_t)S3_TO_EVENT_BUS;
    b.rec.flags |= rules.n > 0 ? S3_HAS_NOTIFICATION : 0;
    b.rec.flags |= in->notification_configuration->event_bridge_configuration ? S3_TO_EVENT_BUS : 0;
    b.rec.rules = rules;
    return s3_bucket_put(call->svc, call->txn, &b);
}

/* --- giving it back --------------------------------------------------------------------------- */

static const struct s3_notification_configuration_filter *give_filter(struct arena *a,
                                                                      const struct s3_rule *r)
{
    size_t n = 0;
    if (!str_is_set(r->prefix) && !str_is_set(r->suffix))
        return NULL;
    struct s3_filter_rule *v = ARENA_ARRAY(a, struct s3_filter_rule, 2);
    struct s3_s3_key_filter *key = ARENA_NEW(a, struct s3_s3_key_filter);
    struct s3_notification_configuration_filter *f =
        ARENA_NEW(a, struct s3_notification_configuration_filter);
    if (!v || !key || !f)
        return NULL;
    if (str_is_set(r->prefix))
        v[n++] = (struct s3_filter_rule){STR("Prefix"), r->prefix};
    if (str_is_set(r->suffix))
        v[n++] = (struct s3_filter_rule){STR("Suffix"), r->suffix};
    key->filter_rules = (struct s3_filter_rule_list){v, n};
    f->key = key;
    return f;
}

enum err s3_get_bucket_notification_configuration(
    struct call *call, const struct s3_get_bucket_notification_configuration_input *in,
    struct s3_get_bucket_notification_configuration_output *out)
{
    struct s3_bucket_ref b;
    size_t queues = 0, topics = 0, functions = 0;
    TRY(s3_bucket_peek(call, in->bucket, in->expected_bucket_owner, &b));
    struct s3_rules rules = b.rec.rules;
    struct s3_queue_configuration *q =
        ARENA_ARRAY(call->arena, struct s3_queue_configuration, rules.n);
    struct s3_topic_configuration *t =
        ARENA_ARRAY(call->arena, struct s3_topic_configuration, rules.n);
    struct s3_lambda_function_configuration *f =
        ARENA_ARRAY(call->arena, struct s3_lambda_function_configuration, rules.n);
    if (!q || !t || !f)
        return ERR_NOMEM;
    for (size_t i = 0; i < rules.n; i++) {
        const struct s3_rule *r = &rules.v[i];
        if (r->kind == S3_TO_TOPIC)
            t[topics++] = (struct s3_topic_configuration){.id = r->id,
                                                          .topic_arn = r->arn,
                                                          .events = r->names,
                                                          .filter = give_filter(call->arena, r)};
        else if (r->kind == S3_TO_QUEUE)
            q[queues++] = (struct s3_queue_configuration){.id = r->id,
                                                          .queue_arn = r->arn,
                                                          .events = r->names,
                                                          .filter = give_filter(call->arena, r)};
        else
            f[functions++] =
                (struct s3_lambda_function_configuration){.id = r->id,
                                                          .lambda_function_arn = r->arn,
                                                          .events = r->names,
                                                          .filter = give_filter(call->arena, r)};
    }
    if (b.rec.flags & S3_TO_EVENT_BUS) {
        out->event_bridge_configuration =
            ARENA_NEW(call->arena, struct s3_event_bridge_configuration);
        if (!out->event_bridge_configuration)
            return ERR_NOMEM;
    }
    out->queue_configurations = (struct s3_queue_configuration_list){q, queues};
    out->topic_configurations = (struct s3_topic_configuration_list){t, topics};
    out->lambda_function_configurations =
        (struct s3_lambda_function_configuration_list){f, functions};
    return ERR_OK;
}
