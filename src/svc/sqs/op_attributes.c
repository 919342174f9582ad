/* GetQueueAttributes and SetQueueAttributes. Layer: svc/sqs. */
#include "svc/sqs/sqs_int.h"

/* --- attributes ------------------------------------------------------------------------------- */

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
        return sqs_queue_arn(call->arena, q);
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
        const struct sqs_config_attr *at = sqs_config_attr(name);
        if (!str_eq_c(name, "All") && (!at || (at->fifo && !o.config.fifo)) &&
            !is_one_of(computed, ARRAY_LEN(computed), name))
            return call_error(call, &sqs_err_invalid_attribute_name,
                              "Unknown Attribute " STR_FMT ".", STR_ARG(name));
    }
    struct sqs_queue_attribute_map_entry *v = ARENA_ARRAY(
        call->arena, struct sqs_queue_attribute_map_entry, SQS_CONFIG_ATTRS + ARRAY_LEN(computed));
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
    for (size_t i = 0; i < SQS_CONFIG_ATTRS; i++) {
        if (!wanted(&in->attribute_names, sqs_config_attrs[i].name))
            continue;
        struct str value = sqs_config_get(call->arena, &o.config, sqs_config_attrs[i].name);
        if (str_is_set(value) && str_eq_c(sqs_config_attrs[i].name, "Policy"))
            TRY(core_policy_shown(call->core, call->arena, value, &value));
        if (str_is_set(value))
            v[n++] = (struct sqs_queue_attribute_map_entry){sqs_config_attrs[i].name, value};
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

enum err sqs_save_changed(struct call *call, struct sqs_open *o)
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
    struct fault f;
    TRY(sqs_open_url(call, in->queue_url, &o));
    if (in->attributes.n == 0)
        return call_error(call, &sqs_err_missing_parameter,
                          "The request must contain the parameter Attribute.Name.");
    struct str arn = sqs_queue_arn(call->arena, o.queue);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(fault_reply(
        call, sqs_config_apply(call->svc, call->txn, arn, &in->attributes, &o.config, &f), &f));
    return sqs_save_changed(call, &o);
}
