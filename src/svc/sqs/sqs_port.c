/* SQS for other services: what an event source mapping does to its queue. See sqs_port.h.
 * Layer: svc/sqs. */
#include "svc/sqs/sqs_port.h"

#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "svc/sqs/sqs_int.h"

enum { LAMBDA_RECORD_MAX = 16 * 1024 * 1024 };

/* --- out -------------------------------------------------------------------------------------- */

static void put_message_attributes(struct json_out *o, struct arena *a, const struct sqs_body *m)
{
    json_key(o, STR("messageAttributes"));
    json_open(o, '{');
    for (size_t i = 0; i < m->n_attrs; i++) {
        const struct sqs_attr *attr = &m->attrs[i];
        json_key(o, attr->name);
        json_open(o, '{');
        if (sqs_attr_is_binary(attr))
            json_kv_str(o, STR("binaryValue"), base64_encode(a, attr->value.p, attr->value.len));
        else
            json_kv_str(o, STR("stringValue"), attr->value);
        json_key(o, STR("stringListValues"));
        json_open(o, '[');
        json_close(o, ']');
        json_key(o, STR("binaryListValues"));
        json_open(o, '[');
        json_close(o, ']');
        json_kv_str(o, STR("dataType"), attr->type);
        json_close(o, '}');
    }
    json_close(o, '}');
}

/* An element of a Lambda event's Records. Source: Lambda developer guide, "Using Lambda with Amazon
 * SQS". */
static enum err lambda_record(struct arena *a, const struct sqs_open *o, struct str arn,
                              const struct sqs_taken *t, struct str md5, struct str *ret_json)
{
    struct buf b;
    struct json_out out;
    struct sqs_told told[SQS_TOLD_MAX];
    size_t n_told;
    TRY(sqs_taken_tell(a, t, told, &n_told));
    buf_init_arena(&b, a, LAMBDA_RECORD_MAX);
    json_out_init(&out, &b);
    json_open(&out, '{');
    json_kv_str(&out, STR("messageId"), t->body.id);
    json_kv_str(&out, STR("receiptHandle"), t->receipt);
    json_kv_str(&out, STR("body"), t->body.body);
    json_key(&out, STR("attributes"));
    json_open(&out, '{');
    for (size_t i = 0; i < n_told; i++)
        json_kv_str(&out, told[i].name, told[i].value);
    json_close(&out, '}');
    put_message_attributes(&out, a, &t->body);
    json_kv_str(&out, STR("md5OfMessageAttributes"),
                sqs_attrs_md5(a, t->body.attrs, t->body.n_attrs));
    json_kv_str(&out, STR("md5OfBody"), md5);
    json_kv_str(&out, STR("eventSource"), STR("aws:sqs"));
    json_kv_str(&out, STR("eventSourceARN"), arn);
    json_kv_str(&out, STR("awsRegion"), o->queue->scope.region);
    json_close(&out, '}');
    TRY(buf_err(&b));
    *ret_json = buf_str(&b);
    return ERR_OK;
}

static enum err port_receive(void *self, struct txn *txn, struct str queue_arn, struct str role,
                             size_t max, int64_t visibility_ms, struct sqs_received *ret,
                             size_t *ret_n)
{
    struct sqs *s = self;
    struct sqs_open o;
    struct sqs_taken taken[SQS_BATCH_MAX];
    size_t n = 0;
    bool staged;
    assert(max >= 1);
    struct fault f;
    const struct sqs_asker by = {.as = {.role = role}, .fault = &f};
    TRY(sqs_open_arn(s, txn, queue_arn, &o));
    o.by = &by;
    int64_t visibility_s = visibility_ms < 0 ? o.config.visibility_s : (visibility_ms + 999) / 1000;
    enum err err =
        sqs_take(txn, &o, min_size(max, SQS_BATCH_MAX), visibility_s, taken, &n, &staged);
    if (err == ERR_LIMIT) { /* too many in flight: nothing for now */
        *ret_n = 0;
        return ERR_OK;
    }
    if (err)
        return err == ERR_FAILED ? ERR_DENIED : err;
    for (size_t i = 0; i < n; i++) {
        struct str md5 = hex_encode(txn->arena, taken[i].body.md5, HASH_MD5_LEN);
        struct str json;
        if (!str_is_set(md5))
            return ERR_NOMEM;
        TRY(lambda_record(txn->arena, &o, queue_arn, &taken[i], md5, &json));
        ret[i] = (struct sqs_received){.message_id = taken[i].body.id,
                                       .receipt_handle = taken[i].receipt,
                                       .body = taken[i].body.body,
                                       .md5_of_body = md5,
                                       .lambda_record_json = json,
                                       .trace = taken[i].body.trace};
    }
    *ret_n = n;
    return ERR_OK;
}

static enum err port_delete_message(void *self, struct txn *txn, struct str queue_arn,
                                    struct str receipt_handle)
{
    struct sqs_open o;
    struct fault f;
    TRY(sqs_open_arn(self, txn, queue_arn, &o));
    enum err err = sqs_delete_stage(txn, &o, receipt_handle, &f);
    return err == ERR_FAILED ? ERR_NOT_FOUND : err;
}

static enum err port_change_visibility(void *self, struct txn *txn, struct str queue_arn,
                                       struct str receipt_handle, int64_t visibility_ms)
{
    struct sqs_open o;
    struct fault f;
    TRY(sqs_open_arn(self, txn, queue_arn, &o));
    enum err err = sqs_visibility_stage(txn, &o, receipt_handle, (visibility_ms + 999) / 1000, &f);
    return err == ERR_FAILED ? ERR_NOT_FOUND : err;
}

static enum err port_visibility_timeout(void *self, struct txn *txn, struct str queue_arn,
                                        int64_t *ret_s)
{
    struct sqs_open o;
    TRY(sqs_open_arn(self, txn, queue_arn, &o));
    *ret_s = o.config.visibility_s;
    return ERR_OK;
}

/* --- watching --------------------------------------------------------------------------------- */

static struct sqs_watcher *find_watcher(struct sqs *s, struct str key, void *arg)
{
    LIST_EACH (&s->watchers, it) {
        struct sqs_watcher *w = CONTAINER_OF(it, struct sqs_watcher, all);
        if (w->arg == arg && str_eq(w->key, key))
            return w;
    }
    return NULL;
}

/* One that watches nothing yet. ERR_NOT_FOUND: no queue's ARN. */
static enum err watcher_new(struct str arn, struct sqs_watcher **ret_watcher)
{
    struct key_scope scope;
    struct str name;
    TRY(sqs_arn_parse(arn, &scope, &name));
    struct sqs_watcher *w = mem_calloc(1, sizeof(*w));
    if (!w)
        return ERR_NOMEM;
    list_init(&w->all);
    list_init(&w->link);
    buf_init(&w->text, KV_KEY_MAX);
    key_put(&w->text, &sqs_k_queue, scope, name);
    w->key = buf_str(&w->text);
    enum err err = buf_err(&w->text);
    if (err)
        sqs_watcher_free(w);
    else
        *ret_watcher = w;
    return err;
}

void sqs_watcher_free(struct sqs_watcher *w)
{
    if (!w)
        return;
    assert(!list_linked(&w->all) && !list_linked(&w->link));
    buf_release(&w->text);
    mem_free(w);
}

static enum err port_watch(void *self, struct str queue_arn, void (*fn)(void *arg), void *arg)
{
    struct sqs *s = self;
    struct sqs_watcher *w;
    assert(fn);
    TRY(watcher_new(queue_arn, &w));
    w->fn = fn;
    w->arg = arg;
    pthread_rwlock_wrlock(&s->lock);
    bool watched = find_watcher(s, w->key, arg); /* one per (queue, arg) */
    if (!watched)
        list_push_back(&s->watchers, &w->all);
    struct sqs_queue *q = watched ? NULL : map_get(&s->queues, w->key);
    if (q) {
        pthread_mutex_lock(&q->lock);
        w->queue = q;
        list_push_back(&q->watchers, &w->link);
        (void)sqs_index_promote(q->ix, clock_now_ms());
        sqs_queue_wake(q);
        pthread_mutex_unlock(&q->lock);
    }
    pthread_rwlock_unlock(&s->lock);
    if (watched)
        sqs_watcher_free(w);
    return ERR_OK;
}

static void port_unwatch(void *self, struct str queue_arn, void *arg)
{
    struct sqs *s = self;
    struct sqs_watcher *like; /* the one looked for */
    if (watcher_new(queue_arn, &like) != ERR_OK)
        return;
    pthread_rwlock_wrlock(&s->lock);
    struct sqs_watcher *w = find_watcher(s, like->key, arg);
    if (w)
        list_remove(&w->all);
    if (w && w->queue) {
        pthread_mutex_lock(&w->queue->lock); /* fn runs under it: not after this */
        list_remove(&w->link);
        pthread_mutex_unlock(&w->queue->lock);
    }
    pthread_rwlock_unlock(&s->lock);
    sqs_watcher_free(w);
    sqs_watcher_free(like);
}

void sqs_port_fill(struct sqs *s)
{
    s->port = (struct sqs_port){
        .self = s,
        .receive = port_receive,
        .delete_message = port_delete_message,
        .change_visibility = port_change_visibility,
        .watch = port_watch,
        .unwatch = port_unwatch,
        .visibility_timeout = port_visibility_timeout,
    };
}
