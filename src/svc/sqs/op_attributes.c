/* Get/SetQueueAttributes, tags, AddPermission and RemovePermission. Layer: svc/sqs. */
#include "codec/json.h"
#include "svc/sqs/sqs_int.h"

enum { LABEL_MAX = 80, POLICY_OUT_MAX = 64 * 1024, POLICY_ACTIONS_MAX = 7 };

/* --- attributes ------------------------------------------------------------------------------- */

static const struct str settable[] = {
    STR_INIT("VisibilityTimeout"),
    STR_INIT("DelaySeconds"),
    STR_INIT("ReceiveMessageWaitTimeSeconds"),
    STR_INIT("MaximumMessageSize"),
    STR_INIT("MessageRetentionPeriod"),
    STR_INIT("SqsManagedSseEnabled"),
    STR_INIT("Policy"),
    STR_INIT("RedrivePolicy"),
    STR_INIT("RedriveAllowPolicy"),
    STR_INIT("FifoQueue"),
    STR_INIT("ContentBasedDeduplication"),
    STR_INIT("DeduplicationScope"),
    STR_INIT("FifoThroughputLimit"),
    STR_INIT("KmsMasterKeyId"),
    STR_INIT("KmsDataKeyReusePeriodSeconds"),
};

static const struct str computed[] = {
    STR_INIT("QueueArn"),
    STR_INIT("CreatedTimestamp"),
    STR_INIT("LastModifiedTimestamp"),
    STR_INIT("ApproximateNumberOfMessages"),
    STR_INIT("ApproximateNumberOfMessagesNotVisible"),
    STR_INIT("ApproximateNumberOfMessagesDelayed"),
};

static struct str number(struct arena *a, int64_t v)
{
    return str_fmt(a, "%lld", (long long)v);
}

static struct str get_computed(struct call *call, const struct sqs_open *o, struct str name)
{
    struct sqs_queue *q = o->queue;
    if (str_eq_c(name, "QueueArn"))
        return sqs_queue_arn(call->arena, call->core, q);
    if (str_eq_c(name, "CreatedTimestamp"))
        return number(call->arena, o->config.created_ms / 1000);
    if (str_eq_c(name, "LastModifiedTimestamp"))
        return number(call->arena, o->config.modified_ms / 1000);
    pthread_mutex_lock(&q->lock);
    if (sqs_index_promote(q->ix, call->txn->now_ms) > 0)
        sqs_queue_wake(q);
    size_t n = q->ix->count[SQS_SLOT_VISIBLE];
    if (str_eq_c(name, "ApproximateNumberOfMessagesNotVisible"))
        n = q->ix->count[SQS_SLOT_LEASED] + q->ix->count[SQS_SLOT_TAKEN];
    else if (str_eq_c(name, "ApproximateNumberOfMessagesDelayed"))
        n = q->ix->count[SQS_SLOT_DELAYED];
    pthread_mutex_unlock(&q->lock);
    return number(call->arena, (int64_t)n);
}

static bool is_one_of(const struct str *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static bool wanted(const struct sqs_attribute_name_list *names, struct str name)
{
    return is_one_of(names->v, names->n, STR("All")) || is_one_of(names->v, names->n, name);
}

enum err sqs_get_queue_attributes(struct call *call,
                                  const struct sqs_get_queue_attributes_input *in,
                                  struct sqs_get_queue_attributes_output *out)
{
    struct sqs_open o;
    size_t n = 0;
    TRY(sqs_open_url(call, in->queue_url, &o));
    for (size_t i = 0; i < in->attribute_names.n; i++) {
        struct str name = in->attribute_names.v[i];
        if (!str_eq_c(name, "All") && !is_one_of(settable, ARRAY_LEN(settable), name) &&
            !is_one_of(computed, ARRAY_LEN(computed), name))
            return call_error(call, &sqs_err_invalid_attribute_name,
                              "Unknown Attribute " STR_FMT ".", STR_ARG(name));
    }
    struct sqs_queue_attribute_map_entry *v =
        ARENA_ARRAY(call->arena, struct sqs_queue_attribute_map_entry,
                    ARRAY_LEN(settable) + ARRAY_LEN(computed));
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < ARRAY_LEN(computed); i++) {
        if (!wanted(&in->attribute_names, computed[i]))
            continue;
        v[n] = (struct sqs_queue_attribute_map_entry){computed[i],
                                                      get_computed(call, &o, computed[i])};
        if (!str_is_set(v[n++].value))
            return ERR_NOMEM;
    }
    for (size_t i = 0; i < ARRAY_LEN(settable); i++) {
        if (!wanted(&in->attribute_names, settable[i]))
            continue;
        struct str value = sqs_config_get(call->arena, &o.config, settable[i]);
        if (str_is_set(value))
            v[n++] = (struct sqs_queue_attribute_map_entry){settable[i], value};
    }
    if (n)
        out->attributes = (struct sqs_queue_attribute_map){v, n};
    return ERR_OK;
}

/* Settings that the queue's memory mirrors. In the transaction's arena. */
struct mirror {
    struct sqs_queue *queue;
    int64_t retention_ms;
};

static void set_committed(void *arg)
{
    const struct mirror *m = arg;
    pthread_mutex_lock(&m->queue->lock);
    m->queue->retention_ms = m->retention_ms;
    pthread_mutex_unlock(&m->queue->lock);
}

static enum err save_changed(struct call *call, struct sqs_open *o)
{
    struct mirror *m = ARENA_NEW(call->arena, struct mirror);
    if (!m)
        return ERR_NOMEM;
    *m = (struct mirror){.queue = o->queue, .retention_ms = o->config.retention_s * 1000};
    o->config.modified_ms = call->txn->now_ms;
    TRY(txn_on_commit(call->txn, set_committed, m));
    return sqs_save(call->txn, o->queue, &o->config);
}

enum err sqs_set_queue_attributes(struct call *call,
                                  const struct sqs_set_queue_attributes_input *in,
                                  struct sqs_set_queue_attributes_output *out)
{
    struct sqs_open o;
    struct sqs_fault f;
    TRY(sqs_open_url(call, in->queue_url, &o));
    struct str arn = sqs_queue_arn(call->arena, call->core, o.queue);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(sqs_fault_reply(
        call, sqs_config_apply(call->svc, call->txn, arn, &in->attributes, &o.config, &f), &f));
    return save_changed(call, &o);
}

/* --- tags ------------------------------------------------------------------------------------- */

enum err sqs_list_queue_tags(struct call *call, const struct sqs_list_queue_tags_input *in,
                             struct sqs_list_queue_tags_output *out)
{
    struct sqs_open o;
    TRY(sqs_open_url(call, in->queue_url, &o));
    if (o.config.n_tags == 0)
        return ERR_OK;
    struct sqs_tag_map_entry *v =
        ARENA_ARRAY(call->arena, struct sqs_tag_map_entry, o.config.n_tags);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < o.config.n_tags; i++)
        v[i] = (struct sqs_tag_map_entry){o.config.tags[i].key, o.config.tags[i].value};
    out->tags = (struct sqs_tag_map){v, o.config.n_tags};
    return ERR_OK;
}

static struct sqs_tag *find_tag(const struct sqs_config *c, struct str key)
{
    for (size_t i = 0; i < c->n_tags; i++)
        if (str_eq(c->tags[i].key, key))
            return &c->tags[i];
    return NULL;
}

enum err sqs_tag_queue(struct call *call, const struct sqs_tag_queue_input *in,
                       struct sqs_tag_queue_output *out)
{
    struct sqs_open o;
    TRY(sqs_open_url(call, in->queue_url, &o));
    if (in->tags.n == 0)
        return call_error(call, &sqs_err_missing_parameter,
                          "The request must contain the parameter Tags.");
    struct sqs_tag *tags = ARENA_ARRAY(call->arena, struct sqs_tag, o.config.n_tags + in->tags.n);
    if (!tags)
        return ERR_NOMEM;
    memcpy(tags, o.config.tags, o.config.n_tags * sizeof(*tags));
    o.config.tags = tags;
    for (size_t i = 0; i < in->tags.n; i++) {
        const struct sqs_tag_map_entry *e = &in->tags.v[i];
        if (e->key.len == 0 || str_utf8_count(e->key) > 128 || str_utf8_count(e->value) > 256)
            return call_error(call, &sqs_err_invalid_parameter_value,
                              "Tag keys have 1 to 128 characters, tag values up to 256.");
        struct sqs_tag *old = find_tag(&o.config, e->key);
        if (old)
            old->value = e->value;
        else
            tags[o.config.n_tags++] = (struct sqs_tag){e->key, e->value};
    }
    if (o.config.n_tags > SQS_TAGS_MAX)
        return call_error(call, &sqs_err_invalid_parameter_value,
                          "Too many tags added for queue " STR_FMT ".", STR_ARG(o.queue->name));
    return sqs_save(call->txn, o.queue, &o.config);
}

enum err sqs_untag_queue(struct call *call, const struct sqs_untag_queue_input *in,
                         struct sqs_untag_queue_output *out)
{
    struct sqs_open o;
    size_t kept = 0;
    TRY(sqs_open_url(call, in->queue_url, &o));
    for (size_t i = 0; i < o.config.n_tags; i++)
        if (!is_one_of(in->tag_keys.v, in->tag_keys.n, o.config.tags[i].key))
            o.config.tags[kept++] = o.config.tags[i];
    o.config.n_tags = kept;
    return sqs_save(call->txn, o.queue, &o.config);
}

/* --- permissions ------------------------------------------------------------------------------ */

/* Actions that AddPermission knows. Source: SQS API reference, AddPermission. */
static bool action_ok(struct str action)
{
    static const struct str known[] = {
        STR_INIT("*"),
        STR_INIT("SendMessage"),
        STR_INIT("ReceiveMessage"),
        STR_INIT("DeleteMessage"),
        STR_INIT("ChangeMessageVisibility"),
        STR_INIT("GetQueueAttributes"),
        STR_INIT("GetQueueUrl"),
        STR_INIT("ListDeadLetterSourceQueues"),
        STR_INIT("PurgeQueue"),
    };
    return is_one_of(known, ARRAY_LEN(known), action);
}

static bool label_ok(struct str label)
{
    for (size_t i = 0; i < label.len; i++) {
        char c = label.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return label.len >= 1 && label.len <= LABEL_MAX;
}

static void put_statement(struct json_out *o, const struct sqs_add_permission_input *in,
                          struct str partition, struct str queue_arn, struct arena *a)
{
    json_open(o, '{');
    json_kv_str(o, STR("Sid"), in->label);
    json_kv_str(o, STR("Effect"), STR("Allow"));
    json_key(o, STR("Principal"));
    json_open(o, '{');
    json_key(o, STR("AWS"));
    json_open(o, '[');
    for (size_t i = 0; i < in->aws_account_ids.n; i++)
        json_str(o, str_fmt(a, "arn:" STR_FMT ":iam::" STR_FMT ":root", STR_ARG(partition),
                            STR_ARG(in->aws_account_ids.v[i])));
    json_close(o, ']');
    json_close(o, '}');
    json_key(o, STR("Action"));
    json_open(o, '[');
    for (size_t i = 0; i < in->actions.n; i++)
        json_str(o, str_fmt(a, "SQS:" STR_FMT, STR_ARG(in->actions.v[i])));
    json_close(o, ']');
    json_kv_str(o, STR("Resource"), queue_arn);
    json_close(o, '}');
}

/* Statement with this Sid; NULL. */
static const struct json *find_statement(const struct json *doc, struct str label)
{
    JSON_EACH (json_get(doc, STR("Statement")), it)
        if (str_eq(json_get_str(it, STR("Sid")), label))
            return it;
    return NULL;
}

/* Writes the policy anew: the members and statements that stay, then the one that is added. */
static enum err rewrite(struct call *call, const struct json *doc, const struct json *without,
                        const struct sqs_add_permission_input *add, struct sqs_open *o)
{
    struct buf b;
    struct json_out out;
    struct str arn = sqs_queue_arn(call->arena, call->core, o->queue);
    size_t statements = add ? 1 : 0;
    if (!str_is_set(arn))
        return ERR_NOMEM;
    buf_init_arena(&b, call->arena, POLICY_OUT_MAX);
    json_out_init(&out, &b);
    json_open(&out, '{');
    struct str version = json_get_str(doc, STR("Version")), id = json_get_str(doc, STR("Id"));
    json_kv_str(&out, STR("Version"), str_is_set(version) ? version : STR("2012-10-17"));
    json_kv_str(&out, STR("Id"),
                str_is_set(id) ? id
                               : str_fmt(call->arena, STR_FMT "/SQSDefaultPolicy", STR_ARG(arn)));
    json_key(&out, STR("Statement"));
    json_open(&out, '[');
    const struct json *list = json_get(doc, STR("Statement"));
    if (list && list->kind == JSON_OBJECT) { /* a single statement may stand without brackets */
        json_tree(&out, list);
        statements++;
    } else {
        JSON_EACH (list, it)
            if (it != without) {
                json_tree(&out, it);
                statements++;
            }
    }
    if (add)
        put_statement(&out, add, call->partition, arn, call->arena);
    json_close(&out, ']');
    json_close(&out, '}');
    TRY(buf_err(&b));
    o->config.policy = statements ? buf_str(&b) : STR_NONE;
    return ERR_OK;
}

static enum err parse_policy(struct call *call, const struct sqs_open *o, struct json **ret_doc)
{
    *ret_doc = NULL;
    if (!str_is_set(o->config.policy))
        return ERR_OK;
    enum err err = json_parse(call->arena, o->config.policy, ret_doc, NULL);
    return err == ERR_NOMEM || err == ERR_OK ? err : ERR_CORRUPT;
}

enum err sqs_add_permission(struct call *call, const struct sqs_add_permission_input *in,
                            struct sqs_add_permission_output *out)
{
    struct sqs_open o;
    struct sqs_fault f;
    struct json *doc;
    TRY(sqs_open_url(call, in->queue_url, &o));
    if (!label_ok(in->label))
        return call_error(call, &sqs_err_invalid_parameter_value,
                          "Value " STR_FMT " for parameter Label is invalid. Reason: Can only "
                          "include alphanumeric characters, hyphens, or underscores. 1 to 80 in "
                          "length.",
                          STR_ARG(in->label));
    if (in->actions.n > POLICY_ACTIONS_MAX)
        return call_error(call, &sqs_err_over_limit,
                          "%zu Actions were found, maximum allowed is 7.", in->actions.n);
    for (size_t i = 0; i < in->actions.n; i++)
        if (!action_ok(in->actions.v[i]))
            return call_error(call, &sqs_err_invalid_parameter_value,
                              "Value SQS:" STR_FMT " for parameter ActionName is invalid. Reason: "
                              "Only the queue owner is allowed to invoke this action.",
                              STR_ARG(in->actions.v[i]));
    TRY(parse_policy(call, &o, &doc));
    if (find_statement(doc, in->label))
        return call_error(call, &sqs_err_invalid_parameter_value,
                          "Value " STR_FMT " for parameter Label is invalid. Reason: Already "
                          "exists.",
                          STR_ARG(in->label));
    TRY(rewrite(call, doc, NULL, in, &o));
    TRY(sqs_fault_reply(call, sqs_policy_check(call->arena, o.config.policy, &f), &f));
    return save_changed(call, &o);
}

enum err sqs_remove_permission(struct call *call, const struct sqs_remove_permission_input *in,
                               struct sqs_remove_permission_output *out)
{
    struct sqs_open o;
    struct json *doc;
    TRY(sqs_open_url(call, in->queue_url, &o));
    TRY(parse_policy(call, &o, &doc));
    const struct json *found = find_statement(doc, in->label);
    if (!found)
        return call_error(call, &sqs_err_invalid_parameter_value,
                          "Value " STR_FMT " for parameter Label is invalid. Reason: can't find "
                          "label on existing policy.",
                          STR_ARG(in->label));
    TRY(rewrite(call, doc, found, NULL, &o));
    return save_changed(call, &o);
}
