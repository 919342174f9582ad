/* CreateQueue, GetQueueUrl, ListQueues, ListDeadLetterSourceQueues, DeleteQueue, PurgeQueue.
 * Layer: svc/sqs. */
#include <assert.h>

#include "base/rng.h"
#include "core/page.h"
#include "svc/sqs/sqs_move.h"

enum { LIST_MAX = 1000 };

/* --- CreateQueue ------------------------------------------------------------------------------ */

static bool wants_fifo(const struct sqs_queue_attribute_map *in)
{
    for (size_t i = 0; i < in->n; i++)
        if (str_eq_c(in->v[i].key, "FifoQueue"))
            return str_eq_nocase(in->v[i].value, STR("true"));
    return false;
}

static enum err check_name(struct call *call, struct str name, bool fifo)
{
    static const struct str suffix = STR_INIT(".fifo");
    bool suffixed = str_ends(name, suffix);
    if (str_empty(name))
        return call_error(call, &sqs_err_invalid_parameter_value, "Queue name cannot be empty");
    struct str stem = fifo && suffixed ? str_sub(name, 0, name.len - suffix.len) : name;
    if (name.len <= SQS_NAME_MAX && sqs_word_ok(stem) && (suffixed || !fifo))
        return ERR_OK;
    if (fifo)
        return call_error(call, &sqs_err_invalid_parameter_value,
                          "The name of a FIFO queue can only include alphanumeric characters, "
                          "hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in "
                          "length.");
    return call_error(call, &sqs_err_invalid_parameter_value,
                      "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 "
                      "in length");
}

static enum err existing_queue(struct call *call, const struct sqs_create_queue_input *in,
                               struct str arn, const struct sqs_config *have)
{
    struct sqs_config want = *have;
    struct fault f;
    TRY(fault_reply(call, sqs_config_apply(call->svc, call->txn, arn, &in->attributes, &want, &f),
                    &f));
    struct str differs = sqs_config_differs(call->arena, &in->attributes, have, &want);
    if (str_is_set(differs))
        return call_error(call, &sqs_err_queue_name_exists,
                          "A queue already exists with the same name and a different value for "
                          "attribute " STR_FMT,
                          STR_ARG(differs));
    return ERR_OK;
}

static void create_committed(void *arg)
{
    sqs_queue_enter_or_keep(arg);
}

static void create_aborted(void *arg)
{
    sqs_queue_unref(arg);
}

static enum err create(struct call *call, const struct sqs_create_queue_input *in, struct str arn,
                       struct str key)
{
    struct sqs *s = call->svc;
    struct sqs_config c;
    struct fault f;
    struct sqs_queue *q;
    bool held;
    TRY(sqs_name_is_held(s, call->txn, key, &held));
    if (held)
        return call_error(call, &sqs_err_queue_deleted_recently,
                          "You must wait %lld seconds after deleting a queue before you can create "
                          "another with the same name.",
                          (long long)(s->core->cfg.queue_held_ms / 1000));
    sqs_config_init(&c, call->txn->now_ms);
    c.id = rng_u64();
    c.fifo = wants_fifo(&in->attributes);
    TRY(tags_op_create(call, &sqs_tags, &(struct tags_resource){.arn = arn}, TAGS_FROM(in->tags)));
    TRY(fault_reply(call, sqs_config_apply(s, call->txn, arn, &in->attributes, &c, &f), &f));
    TRY(sqs_queue_new(s, call_scope(call), in->queue_name, &c, &q));
    TRY(sqs_on_end(call->txn, create_committed, create_aborted, q));
    return sqs_save(call->txn, q, &c);
}

enum err sqs_create_queue(struct call *call, const struct sqs_create_queue_input *in,
                          struct sqs_create_queue_output *out)
{
    struct sqs_config have;
    TRY(check_name(call, in->queue_name, wants_fifo(&in->attributes)));
    struct str arn = call_arn(call, "sqs", STR_FMT, STR_ARG(in->queue_name));
    out->queue_url = sqs_queue_url(call->arena, call->core, call->account, in->queue_name);
    if (!str_is_set(arn) || !str_is_set(out->queue_url))
        return ERR_NOMEM;
    struct str key = key_make(call->arena, &sqs_k_queue, call_scope(call), in->queue_name);
    enum err err = txn_read(call->txn, key, &sqs_config_type, &have);
    if (err == ERR_OK)
        return existing_queue(call, in, arn, &have);
    return err == ERR_NOT_FOUND ? create(call, in, arn, key) : err;
}

/* --- finding ---------------------------------------------------------------------------------- */

enum err sqs_get_queue_url(struct call *call, const struct sqs_get_queue_url_input *in,
                           struct sqs_get_queue_url_output *out)
{
    struct sqs_open o;
    enum err err = ERR_NOT_FOUND;
    if (!str_is_set(in->queue_owner_aws_account_id) ||
        str_eq(in->queue_owner_aws_account_id, call->account))
        err = sqs_open(call->svc, call->txn, call_scope(call), in->queue_name, &o);
    if (err == ERR_NOT_FOUND)
        return sqs_no_queue(call);
    TRY(err);
    out->queue_url = sqs_queue_url(call->arena, call->core, call->account, in->queue_name);
    return str_is_set(out->queue_url) ? ERR_OK : ERR_NOMEM;
}

/* A list of the account's queues on its way. */
struct listing {
    struct call *call;
    struct str dlq_arn; /* only those that redrive to it; absent: all */
    struct str *urls;
    size_t n;
};

static enum err redrives(void *arg, struct str key, struct str record, bool *ret_match)
{
    const struct listing *l = arg;
    struct sqs_config c;
    TRY(record_unpack(&sqs_config_type, l->call->arena, record, &c));
    *ret_match = str_eq(c.dlq_arn, l->dlq_arn);
    return ERR_OK;
}

static enum err take_url(void *arg, struct str key, struct str record)
{
    struct listing *l = arg;
    struct call *call = l->call;
    struct str name;
    TRY(key_read(&sqs_k_queue, key, call->arena, KEY_SKIP, &name));
    assert(l->n < LIST_MAX);
    l->urls[l->n] = sqs_queue_url(call->arena, call->core, call->account, name);
    return str_is_set(l->urls[l->n++]) ? ERR_OK : ERR_NOMEM;
}

/* `prefix` may be empty. Who does not say MaxResults is not told of a next page. */
static enum err list(struct listing *l, struct str prefix, struct page page, bool has_max,
                     int64_t max, struct str *ret_token)
{
    struct call *call = l->call;
    const struct page_fns fns = {.match = str_is_set(l->dlq_arn) ? redrives : NULL,
                                 .take = take_url};
    if (has_max && (max < 1 || max > LIST_MAX))
        return call_error(
            call, &sqs_err_invalid_parameter_value,
            "Value for parameter MaxResults is invalid. Reason: MaxResults must be an "
            "integer between 1 and 1000.");
    if (has_max)
        page.limit = (size_t)max;
    else
        page.look_max = SIZE_MAX;
    l->urls = ARENA_ARRAY(call->arena, struct str, page.limit);
    if (!l->urls)
        return ERR_NOMEM;
    enum err err = page_scan(
        call->txn, &page,
        key_range(call->arena, &sqs_k_queue, call_scope(call), KEY_STARTS(prefix)), &fns, l);
    if (err == ERR_INVALID)
        return call_error(call, &sqs_err_invalid_parameter_value, "Invalid or expired next token.");
    if (err == ERR_OK && has_max)
        *ret_token = page.next_token;
    return err;
}

enum err sqs_list_queues(struct call *call, const struct sqs_list_queues_input *in,
                         struct sqs_list_queues_output *out)
{
    struct listing l = {.call = call};
    TRY(list(&l, in->queue_name_prefix,
             page_of_call(call, in->queue_name_prefix, in->next_token, LIST_MAX),
             in->has_max_results, in->max_results, &out->next_token));
    if (l.n) /* AWS leaves the member out */
        out->queue_urls = (struct sqs_queue_url_list){l.urls, l.n};
    return ERR_OK;
}

enum err
sqs_list_dead_letter_source_queues(struct call *call,
                                   const struct sqs_list_dead_letter_source_queues_input *in,
                                   struct sqs_list_dead_letter_source_queues_output *out)
{
    struct sqs_open o;
    TRY(sqs_open_url(call, in->queue_url, &o));
    struct listing l = {.call = call, .dlq_arn = sqs_queue_arn(call->arena, o.queue)};
    if (!str_is_set(l.dlq_arn))
        return ERR_NOMEM;
    TRY(list(&l, STR(""), page_of_call(call, l.dlq_arn, in->next_token, LIST_MAX),
             in->has_max_results, in->max_results, &out->next_token));
    out->queue_urls = (struct sqs_queue_url_list){l.urls, l.n};
    return ERR_OK;
}

/* --- ending ----------------------------------------------------------------------------------- */

static enum err put_garbage(struct txn *txn, uint64_t queue_id, uint64_t bound)
{
    return txn_put(txn, key_make(txn->arena, &sqs_k_garbage, queue_id, bound), STR(""));
}

static void delete_committed(void *arg)
{
    struct sqs_queue *q = arg;
    sqs_clean_soon(q->sqs);
    sqs_queue_leave(q);
}

enum err sqs_delete_queue(struct call *call, const struct sqs_delete_queue_input *in,
                          struct sqs_delete_queue_output *out)
{
    struct sqs_open o;
    TRY(sqs_open_url(call, in->queue_url, &o));
    struct str arn = sqs_queue_arn(call->arena, o.queue);
    if (!str_is_set(arn))
        return ERR_NOMEM;
    TRY(txn_del(call->txn, o.queue->key));
    TRY(sqs_hold_name(call->svc, call->txn, o.queue->key));
    TRY(tags_drop(call->txn, arn));
    TRY(put_garbage(call->txn, o.config.id, UINT64_MAX));
    TRY(sqs_move_forget(call->txn, &o));
    return txn_on_commit(call->txn, delete_committed, o.queue);
}

/* A purge on its way through the commit. In the transaction's arena. */
struct purge {
    struct sqs_queue *queue;
    struct sqs_index *fresh;
    uint64_t seq;
};

static void purge_committed(void *arg)
{
    struct purge *p = arg;
    sqs_queue_purge(p->queue, p->fresh, p->seq);
    sqs_clean_soon(p->queue->sqs);
}

static void purge_aborted(void *arg)
{
    struct purge *p = arg;
    sqs_index_unref(p->fresh);
}

enum err sqs_purge_queue(struct call *call, const struct sqs_purge_queue_input *in,
                         struct sqs_purge_queue_output *out)
{
    struct sqs_open o;
    TRY(sqs_open_url(call, in->queue_url, &o));
    int64_t now_ms = call->txn->now_ms;
    if (o.config.purged_ms && now_ms - o.config.purged_ms < SQS_PURGE_INTERVAL_MS)
        return call_error(call, &sqs_err_purge_queue_in_progress,
                          "Only one PurgeQueue operation on " STR_FMT
                          " is allowed every 60 seconds.",
                          STR_ARG(o.queue->name));
    struct purge *p = ARENA_NEW(call->arena, struct purge);
    if (!p)
        return ERR_NOMEM;
    p->queue = o.queue;
    p->fresh = sqs_index_new(o.queue->fifo);
    if (!p->fresh)
        return ERR_NOMEM;
    TRY(sqs_on_end(call->txn, purge_committed, purge_aborted, p));
    pthread_mutex_lock(&o.queue->lock);
    p->seq = sqs_queue_next_seq(o.queue, now_ms);
    pthread_mutex_unlock(&o.queue->lock);
    o.config.purge_seq = p->seq;
    o.config.purged_ms = now_ms;
    TRY(put_garbage(call->txn, o.config.id, p->seq));
    return sqs_save(call->txn, o.queue, &o.config);
}
