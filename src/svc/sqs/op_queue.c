/* CreateQueue, GetQueueUrl, ListQueues, ListDeadLetterSourceQueues, DeleteQueue, PurgeQueue.
 * Layer: svc/sqs. */
#include "base/mem.h"
#include "codec/base64.h"
#include "svc/sqs/sqs_int.h"

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
    struct str stem =
        fifo && str_ends(name, suffix) ? str_sub(name, 0, name.len - suffix.len) : name;
    bool ok =
        name.len >= 1 && name.len <= SQS_NAME_MAX && stem.len > 0 && (!fifo || stem.len < name.len);
    for (size_t i = 0; i < stem.len && ok; i++) {
        char c = stem.p[i];
        ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_';
    }
    if (ok)
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
                               struct str arn, struct str bytes)
{
    struct sqs_config have, want;
    struct sqs_fault f;
    TRY(sqs_config_unpack(call->arena, bytes, &have));
    want = have;
    TRY(sqs_fault_reply(
        call, sqs_config_apply(call->svc, call->txn, arn, &in->attributes, &want, &f), &f));
    struct str differs = sqs_config_differs(call->arena, &in->attributes, &have, &want);
    if (str_is_set(differs))
        return call_error(call, &sqs_err_queue_name_exists,
                          "A queue already exists with the same name and a different value for "
                          "attribute " STR_FMT,
                          STR_ARG(differs));
    return ERR_OK;
}

static enum err next_queue_id(struct txn *txn, uint64_t *ret_id)
{
    struct str key = sqs_key_meta(txn->arena, SQS_META_LAST_QUEUE_ID), bytes;
    uint64_t id = 0;
    if (!str_is_set(key))
        return ERR_NOMEM;
    enum err err = txn_get(txn, key, &bytes);
    if (err == ERR_OK)
        err = str_to_u64(bytes, &id) == ERR_OK ? ERR_OK : ERR_CORRUPT;
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    struct str text = str_fmt(txn->arena, "%llu", (unsigned long long)++id);
    if (!str_is_set(text))
        return ERR_NOMEM;
    *ret_id = id;
    return txn_put(txn, key, text);
}

static void create_committed(void *arg)
{
    sqs_queue_enter_or_keep(arg);
}

static void create_aborted(void *arg)
{
    sqs_queue_unref(arg);
}

static enum err create(struct call *call, const struct sqs_create_queue_input *in, struct str arn)
{
    struct sqs *s = call->svc;
    struct sqs_config c;
    struct sqs_fault f;
    struct sqs_queue *q;
    sqs_config_init(&c, call->txn->now_ms);
    c.fifo = wants_fifo(&in->attributes);
    TRY(tags_op_create(call, &sqs_tags, &(struct tags_resource){.arn = arn}, TAGS_FROM(in->tags)));
    TRY(sqs_fault_reply(call, sqs_config_apply(s, call->txn, arn, &in->attributes, &c, &f), &f));
    TRY(next_queue_id(call->txn, &c.id));
    TRY(sqs_queue_new(s, call->region, call->account, in->queue_name, &c, &q));
    enum err err = txn_on_abort(call->txn, create_aborted, q);
    if (err != ERR_OK) {
        sqs_queue_unref(q);
        return err;
    }
    TRY(txn_on_commit(call->txn, create_committed, q));
    return sqs_save(call->txn, q, &c);
}

enum err sqs_create_queue(struct call *call, const struct sqs_create_queue_input *in,
                          struct sqs_create_queue_output *out)
{
    struct str bytes;
    TRY(check_name(call, in->queue_name, wants_fifo(&in->attributes)));
    struct str arn = call_arn(call, "sqs", STR_FMT, STR_ARG(in->queue_name));
    struct str key = sqs_key_queue(call->arena, call->region, call->account, in->queue_name);
    out->queue_url = sqs_queue_url(call->arena, call->core, call->account, in->queue_name);
    if (!str_is_set(arn) || !str_is_set(key) || !str_is_set(out->queue_url))
        return ERR_NOMEM;
    enum err err = txn_get(call->txn, key, &bytes);
    if (err == ERR_OK)
        return existing_queue(call, in, arn, bytes);
    return err == ERR_NOT_FOUND ? create(call, in, arn) : err;
}

/* --- finding ---------------------------------------------------------------------------------- */

enum err sqs_get_queue_url(struct call *call, const struct sqs_get_queue_url_input *in,
                           struct sqs_get_queue_url_output *out)
{
    struct sqs_open o;
    struct str account = call->account;
    enum err err = ERR_NOT_FOUND;
    if (!str_is_set(in->queue_owner_aws_account_id) ||
        str_eq(in->queue_owner_aws_account_id, account))
        err = sqs_open(call->svc, call->txn, call->region, account, in->queue_name, &o);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &sqs_err_queue_does_not_exist,
                          "The specified queue does not exist.");
    TRY(err);
    out->queue_url = sqs_queue_url(call->arena, call->core, account, in->queue_name);
    return str_is_set(out->queue_url) ? ERR_OK : ERR_NOMEM;
}

/* A page of the account's queues: those whose name starts with `prefix`, or, with `dlq_arn`, that
 * redrive to it. The token is the last name of the page before, in base64. */
struct page {
    struct str prefix, dlq_arn, token;
    int64_t max;
    bool paged; /* the caller asked for pages, so may be told of a next one */
};

static enum err list_page(struct call *call, const struct page *page, struct str *urls,
                          size_t *ret_n, struct str *ret_token)
{
    struct str base = sqs_key_queues(call->arena, call->region, call->account), from = base;
    struct str to = key_after_prefix(call->arena, base), last = STR_NONE;
    if (str_is_set(page->token)) {
        if (base64_decode(call->arena, page->token, &last) != ERR_OK || str_empty(last))
            return call_error(call, &sqs_err_invalid_parameter_value,
                              "Invalid or expired next token.");
        from = sqs_key_queue(call->arena, call->region, call->account, last);
    } else if (str_is_set(page->prefix)) {
        struct buf b;
        buf_init_arena(&b, call->arena, KV_KEY_MAX);
        key_raw(&b, base);
        key_raw(&b, page->prefix);
        from = buf_err(&b) == ERR_OK ? buf_str(&b) : STR_NONE;
    }
    if (!str_is_set(from) || !str_is_set(to))
        return ERR_NOMEM;
    struct kv_iter *it;
    struct str key, bytes, region, account, name = STR_NONE;
    size_t n = 0;
    bool more = false;
    TRY(kv_scan(call->txn->kv, from, to, false, &it));
    enum err err;
    while ((err = kv_next(it, &key, &bytes)) == ERR_OK) {
        struct sqs_config c;
        struct str copy = str_dup(call->arena, key), copy_bytes = str_dup(call->arena, bytes);
        if (!str_is_set(copy) || !str_is_set(copy_bytes))
            err = ERR_NOMEM;
        if (err == ERR_OK)
            err = sqs_key_read_queue(call->arena, copy, &region, &account, &name);
        if (err == ERR_OK)
            err = sqs_config_unpack(call->arena, copy_bytes, &c);
        if (err != ERR_OK)
            break;
        if (str_is_set(page->token) && str_cmp(name, last) <= 0)
            continue;
        if (str_is_set(page->prefix) && !str_starts(name, page->prefix))
            break;
        if (str_is_set(page->dlq_arn) && !str_eq(c.dlq_arn, page->dlq_arn))
            continue;
        if ((int64_t)n == page->max) {
            more = true;
            break;
        }
        urls[n] = sqs_queue_url(call->arena, call->core, account, name);
        last = name;
        if (!str_is_set(urls[n++])) {
            err = ERR_NOMEM;
            break;
        }
    }
    kv_iter_close(it);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    if (more && page->paged) {
        *ret_token = base64_encode(call->arena, last.p, last.len);
        if (!str_is_set(*ret_token))
            return ERR_NOMEM;
    }
    *ret_n = n;
    return ERR_OK;
}

static enum err list(struct call *call, struct page *page, bool has_max, int64_t max,
                     struct sqs_queue_url_list *ret_urls, struct str *ret_token)
{
    size_t n;
    if (has_max && (max < 1 || max > LIST_MAX))
        return call_error(call, &sqs_err_invalid_parameter_value,
                          "Value for parameter MaxResults is invalid. Reason: Must be an integer "
                          "from 1 to 1000.");
    page->max = has_max ? max : LIST_MAX;
    page->paged = has_max;
    struct str *urls = ARENA_ARRAY(call->arena, struct str, (size_t)page->max + 1);
    if (!urls)
        return ERR_NOMEM;
    TRY(list_page(call, page, urls, &n, ret_token));
    *ret_urls = (struct sqs_queue_url_list){urls, n};
    return ERR_OK;
}

enum err sqs_list_queues(struct call *call, const struct sqs_list_queues_input *in,
                         struct sqs_list_queues_output *out)
{
    struct page page = {.prefix =
                            str_empty(in->queue_name_prefix) ? STR_NONE : in->queue_name_prefix,
                        .token = in->next_token};
    TRY(list(call, &page, in->has_max_results, in->max_results, &out->queue_urls,
             &out->next_token));
    if (out->queue_urls.n == 0) /* AWS leaves the member out */
        out->queue_urls.v = NULL;
    return ERR_OK;
}

enum err
sqs_list_dead_letter_source_queues(struct call *call,
                                   const struct sqs_list_dead_letter_source_queues_input *in,
                                   struct sqs_list_dead_letter_source_queues_output *out)
{
    struct sqs_open o;
    TRY(sqs_open_url(call, in->queue_url, &o));
    struct page page = {.dlq_arn = sqs_queue_arn(call->arena, call->core, o.queue),
                        .token = in->next_token};
    if (!str_is_set(page.dlq_arn))
        return ERR_NOMEM;
    return list(call, &page, in->has_max_results, in->max_results, &out->queue_urls,
                &out->next_token);
}

/* --- ending ----------------------------------------------------------------------------------- */

static enum err put_garbage(struct txn *txn, uint64_t queue_id, uint64_t bound)
{
    struct str key = sqs_key_garbage(txn->arena, queue_id, bound);
    return str_is_set(key) ? txn_put(txn, key, STR("")) : ERR_NOMEM;
}

static void delete_committed(void *arg)
{
    struct sqs_queue *q = arg;
    sqs_clean_kick(q->sqs);
    sqs_queue_leave(q);
}

enum err sqs_delete_queue(struct call *call, const struct sqs_delete_queue_input *in,
                          struct sqs_delete_queue_output *out)
{
    struct sqs_open o;
    TRY(sqs_open_url(call, in->queue_url, &o));
    struct str key = sqs_key_queue(call->arena, o.queue->region, o.queue->account, o.queue->name);
    struct str arn = sqs_queue_arn(call->arena, call->core, o.queue);
    if (!str_is_set(key) || !str_is_set(arn))
        return ERR_NOMEM;
    TRY(txn_del(call->txn, key));
    TRY(tags_drop(call->txn, arn));
    TRY(put_garbage(call->txn, o.config.id, UINT64_MAX));
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
    sqs_clean_kick(p->queue->sqs);
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
    enum err err = txn_on_abort(call->txn, purge_aborted, p);
    if (err != ERR_OK) {
        purge_aborted(p);
        return err;
    }
    TRY(txn_on_commit(call->txn, purge_committed, p));
    pthread_mutex_lock(&o.queue->lock);
    p->seq = sqs_queue_next_seq(o.queue, now_ms);
    pthread_mutex_unlock(&o.queue->lock);
    o.config.purge_seq = p->seq;
    o.config.purged_ms = now_ms;
    TRY(put_garbage(call->txn, o.config.id, p->seq));
    return sqs_save(call->txn, o.queue, &o.config);
}
