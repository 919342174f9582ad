/* ReceiveMessage: takes what is visible, or waits for it.
 *
 *   take -> some: reply
 *     |       ^
 *     none    | woken: take again
 *     v       |
 *   suspended (a waiter in the queue's list) -- deadline --> empty reply
 *
 * Layer: svc/sqs. Thread: the call's loop; others wake it. */
#include "codec/hex.h"
#include "svc/sqs/sqs_int.h"

/* --- waiting ---------------------------------------------------------------------------------- */

static enum err wait_for_message(struct call *call, struct sqs_queue *q, int64_t now_ms)
{
    struct sqs_waiter *w = call->state;
    enum err err = ERR_CONFLICT; /* something came in between: rerun */
    pthread_mutex_lock(&q->lock);
    (void)sqs_index_promote(q->ix, now_ms);
    if (!sqs_index_some(q->ix) && !q->deleted && !atomic_load(&q->sqs->stopped)) {
        err = waiter_wait(&w->waiter, &q->waiters, max_i64(w->deadline_ms - now_ms, 1));
        if (err == ERR_SUSPENDED)
            sqs_queue_wake(q); /* nothing to give: arms the timer */
    }
    pthread_mutex_unlock(&q->lock);
    return err;
}

/* --- what is told of a message ---------------------------------------------------------------- */

static bool listed(const struct str *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name) || str_eq_c(names[i], "All"))
            return true;
    return false;
}

static enum err system_attributes(struct call *call, const struct sqs_receive_message_input *in,
                                  const struct sqs_taken *t,
                                  struct sqs_message_system_attribute_map *ret_map)
{
    struct sqs_told all[SQS_TOLD_MAX];
    size_t n = 0, n_all;
    TRY(sqs_taken_tell(call->arena, t, all, &n_all));
    struct sqs_message_system_attribute_map_entry *v =
        ARENA_ARRAY(call->arena, struct sqs_message_system_attribute_map_entry, n_all);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n_all; i++)
        if (listed(in->attribute_names.v, in->attribute_names.n, all[i].name) ||
            listed(in->message_system_attribute_names.v, in->message_system_attribute_names.n,
                   all[i].name))
            v[n++] = (struct sqs_message_system_attribute_map_entry){all[i].name, all[i].value};
    if (n)
        *ret_map = (struct sqs_message_system_attribute_map){v, n};
    return ERR_OK;
}

/* "All", "*", ".*", a name, or a prefix and ".*". */
static bool attr_wanted(const struct sqs_message_attribute_name_list *names, struct str name)
{
    for (size_t i = 0; i < names->n; i++) {
        struct str want = names->v[i];
        if (str_eq(want, name) || str_eq_c(want, "All") || str_eq_c(want, "*"))
            return true;
        if (str_ends(want, STR(".*")) && str_starts(name, str_sub(want, 0, want.len - 2)))
            return true;
    }
    return false;
}

static enum err user_attributes(struct call *call, const struct sqs_receive_message_input *in,
                                const struct sqs_body *m, struct sqs_message *out)
{
    size_t n = 0;
    struct sqs_attr *some = ARENA_ARRAY(call->arena, struct sqs_attr, m->n_attrs + 1);
    struct sqs_message_body_attribute_map_entry *v =
        ARENA_ARRAY(call->arena, struct sqs_message_body_attribute_map_entry, m->n_attrs + 1);
    if (!some || !v)
        return ERR_NOMEM;
    for (size_t i = 0; i < m->n_attrs; i++) {
        const struct sqs_attr *attr = &m->attrs[i];
        if (!attr_wanted(&in->message_attribute_names, attr->name))
            continue;
        some[n] = *attr;
        v[n].key = attr->name;
        v[n].value.data_type = attr->type;
        if (sqs_attr_is_binary(attr))
            v[n].value.binary_value = attr->value;
        else
            v[n].value.string_value = attr->value;
        n++;
    }
    if (n == 0)
        return ERR_OK;
    out->message_attributes = (struct sqs_message_body_attribute_map){v, n};
    out->md5_of_message_attributes = sqs_attrs_md5(call->arena, some, n);
    return str_is_set(out->md5_of_message_attributes) ? ERR_OK : ERR_NOMEM;
}

static enum err describe(struct call *call, const struct sqs_receive_message_input *in,
                         const struct sqs_taken *t, struct sqs_message *out)
{
    out->message_id = t->body.id;
    out->receipt_handle = t->receipt;
    out->body = t->body.body;
    out->md5_of_body = hex_encode(call->arena, t->body.md5, HASH_MD5_LEN);
    if (!str_is_set(out->md5_of_body))
        return ERR_NOMEM;
    TRY(system_attributes(call, in, t, &out->attributes));
    return user_attributes(call, in, &t->body, out);
}

/* --- the operation ---------------------------------------------------------------------------- */

static enum err check_range(struct call *call, const char *name, bool has, int64_t v, int64_t min,
                            int64_t max)
{
    if (!has || (v >= min && v <= max))
        return ERR_OK;
    return call_error(call, &sqs_err_invalid_parameter_value,
                      "Value %lld for parameter %s is invalid. Reason: Must be %s %lld and %s%lld, "
                      "if provided.",
                      (long long)v, name, min ? "between" : ">=", (long long)min,
                      min ? "" : "<= ", (long long)max);
}

static enum err check_input(struct call *call, const struct sqs_receive_message_input *in)
{
    TRY(check_range(call, "MaxNumberOfMessages", in->has_max_number_of_messages,
                    in->max_number_of_messages, 1, SQS_BATCH_MAX));
    TRY(check_range(call, "WaitTimeSeconds", in->has_wait_time_seconds, in->wait_time_seconds, 0,
                    SQS_WAIT_MAX_S));
    TRY(check_range(call, "VisibilityTimeout", in->has_visibility_timeout, in->visibility_timeout,
                    0, SQS_VISIBILITY_MAX_S));
    return ERR_OK;
}

/* Takes what is there, or once more what the same receive took before. ERR_LIMIT: too many are in flight. */
static enum err take(struct call *call, const struct sqs_receive_message_input *in,
                     const struct sqs_open *o, struct sqs_taken *ret_taken, size_t *ret_n,
                     bool *ret_staged)
{
    struct str id = o->config.fifo ? in->receive_request_attempt_id : STR_NONE; /* else: ignored */
    size_t max = in->has_max_number_of_messages ? (size_t)in->max_number_of_messages : 1;
    int64_t visibility_s =
        in->has_visibility_timeout ? in->visibility_timeout : o->config.visibility_s;
    TRY(sqs_fifo_id_check(call->arena, o->by->fault, "ReceiveRequestAttemptId", id));
    if (str_is_set(id)) {
        enum err err = sqs_attempt_again(call->txn, o, id, visibility_s, ret_taken, ret_n);
        if (err != ERR_NOT_FOUND)
            return err;
    }
    TRY(sqs_take(call->txn, o, max, visibility_s, ret_taken, ret_n, ret_staged));
    if (!str_is_set(id) || *ret_n == 0)
        return ERR_OK;
    return sqs_attempt_note(call->txn, o, id, visibility_s, ret_taken, *ret_n);
}

static enum err reply(struct call *call, const struct sqs_receive_message_input *in,
                      const struct sqs_taken *taken, size_t n,
                      struct sqs_receive_message_output *out)
{
    if (n == 0)
        return ERR_OK;
    struct sqs_message *v = ARENA_ARRAY(call->arena, struct sqs_message, n);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        TRY(describe(call, in, &taken[i], &v[i]));
    out->messages = (struct sqs_message_list){v, n};
    return ERR_OK;
}

enum err sqs_receive_message(struct call *call, const struct sqs_receive_message_input *in,
                             struct sqs_receive_message_output *out)
{
    struct sqs_open o;
    struct fault f;
    const struct sqs_asker by = {.who = call->who, .fault = &f};
    struct sqs_taken taken[SQS_BATCH_MAX];
    struct sqs_waiter *w = call->state;
    size_t n = 0;
    bool staged = false;
    int64_t now_ms = call->txn->now_ms;
    if (w)
        (void)waiter_resume(&w->waiter);
    TRY(check_input(call, in));
    TRY(sqs_open_url(call, in->queue_url, &o));
    o.by = &by;
    enum err err = take(call, in, &o, taken, &n, &staged);
    if (err == ERR_LIMIT)
        return call_error(call, &sqs_err_over_limit,
                          "Too many messages in flight for queue " STR_FMT ".",
                          STR_ARG(o.queue->name));
    TRY(fault_reply(call, err, &f));
    int64_t wait_s = in->has_wait_time_seconds ? in->wait_time_seconds : o.config.wait_s;
    if (!w) {
        w = ARENA_NEW(call->arena, struct sqs_waiter);
        if (!w)
            return ERR_NOMEM;
        waiter_init(&w->waiter, call);
        w->deadline_ms = now_ms + wait_s * 1000;
    }
    /* Dead letters and expiries that were staged are to be committed: an early, empty reply. */
    bool may_wait = !call->timed_out && !atomic_load(&o.queue->sqs->stopped);
    if (n == 0 && !staged && may_wait && now_ms < w->deadline_ms)
        return wait_for_message(call, o.queue, now_ms);
    return reply(call, in, taken, n, out);
}
