/* Queues as operations find them: by URL, ARN or name. Layer: svc/sqs. Thread: any loop. */
#include <assert.h>

#include "base/arn.h"
#include "svc/sqs/sqs_int.h"

/* --- names ------------------------------------------------------------------------------------ */

enum err sqs_url_parse(struct str url, struct str *ret_account, struct str *ret_name)
{
    /* No leniency about what follows the name: authorisation reads the URL in the same way. */
    size_t slash = str_rfind(url, '/');
    if (slash == SIZE_MAX) { /* the bare name: the caller's */
        if (!str_is_set(url) || url.len == 0)
            return ERR_INVALID;
        *ret_account = STR_NONE;
        *ret_name = url;
        return ERR_OK;
    }
    struct str name = str_sub(url, slash + 1, url.len), rest = str_sub(url, 0, slash);
    slash = str_rfind(rest, '/');
    struct str account = slash == SIZE_MAX ? rest : str_sub(rest, slash + 1, rest.len);
    if (name.len == 0 || account.len == 0)
        return ERR_INVALID;
    *ret_account = account;
    *ret_name = name;
    return ERR_OK;
}

enum err sqs_arn_parse(struct str text, struct key_scope *ret_scope, struct str *ret_name)
{
    struct arn arn;
    if (arn_parse_as(text, "sqs", NULL, &arn) != ERR_OK || str_is_set(arn_segment(&arn, 1)))
        return ERR_NOT_FOUND;
    *ret_scope = (struct key_scope){arn.account, arn.region};
    *ret_name = arn.resource;
    return ERR_OK;
}

struct str sqs_queue_arn(struct arena *a, const struct sqs_queue *q)
{
    const struct arn arn = {.partition = q->sqs->core->cfg.partition,
                            .service = STR("sqs"),
                            .region = q->scope.region,
                            .account = q->scope.account};
    return arn_make(a, &arn, STR_FMT, STR_ARG(q->name));
}

struct str sqs_queue_url(struct arena *a, const struct core *core, struct str account,
                         struct str name)
{
    return str_fmt(a, STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(core->cfg.endpoint),
                   STR_ARG(account), STR_ARG(name));
}

/* Enters the queues that found no memory when they were made. */
static void settle_homeless(struct sqs *s)
{
    struct list rest;
    list_init(&rest);
    pthread_rwlock_wrlock(&s->lock);
    while (!list_empty(&s->homeless))
        list_push_back(&rest, list_pop_front(&s->homeless));
    pthread_rwlock_unlock(&s->lock);
    while (!list_empty(&rest))
        sqs_queue_enter_or_keep(CONTAINER_OF(list_pop_front(&rest), struct sqs_queue, home));
}

/* --- opening ---------------------------------------------------------------------------------- */

static struct sqs_queue *find(struct sqs *s, struct str key)
{
    pthread_rwlock_rdlock(&s->lock);
    struct sqs_queue *q = map_get(&s->queues, key);
    if (q)
        sqs_queue_ref(q);
    pthread_rwlock_unlock(&s->lock);
    return q;
}

enum err sqs_open(struct sqs *s, struct txn *txn, struct key_scope scope, struct str name,
                  struct sqs_open *ret_open)
{
    struct sqs_open o = {0};
    if (name.len > SQS_NAME_MAX)
        return ERR_NOT_FOUND;
    struct str key = key_make(txn->arena, &sqs_k_queue, scope, name);
    TRY(txn_read(txn, key, &sqs_config_type, &o.config));
    o.queue = find(s, key);
    if (!o.queue || o.queue->id != o.config.id) {
        sqs_queue_unref(o.queue);
        TRY(sqs_load_now(s, key));
        settle_homeless(s);
        o.queue = find(s, key);
    }
    if (!o.queue)
        return ERR_CONFLICT; /* its creation's hook is still to run on another loop */
    TRY(sqs_queue_hold(txn->arena, o.queue));
    if (o.queue->id != o.config.id)
        return ERR_CONFLICT;
    *ret_open = o;
    return ERR_OK;
}

enum err sqs_open_arn(struct sqs *s, struct txn *txn, struct str arn, struct sqs_open *ret_open)
{
    struct key_scope scope;
    struct str name;
    TRY(sqs_arn_parse(arn, &scope, &name));
    return sqs_open(s, txn, scope, name, ret_open);
}

enum err sqs_no_queue(struct call *call)
{
    return call_error(call, &sqs_err_queue_does_not_exist, "The specified queue does not exist.");
}

enum err sqs_open_url(struct call *call, struct str url, struct sqs_open *ret_open)
{
    struct str account, name;
    if (sqs_url_parse(url, &account, &name) != ERR_OK)
        return call_error(call, &sqs_err_invalid_address,
                          "The address " STR_FMT " is not valid for this endpoint.", STR_ARG(url));
    enum err err = ERR_NOT_FOUND;
    /* Authorisation looked at the caller's account: no other one may be reached from here. */
    if (!str_is_set(account) || str_eq(account, call->account))
        err = sqs_open(call->svc, call->txn, call_scope(call), name, ret_open);
    return err == ERR_NOT_FOUND ? sqs_no_queue(call) : err;
}

enum err sqs_save(struct txn *txn, const struct sqs_queue *q, const struct sqs_config *c)
{
    assert(q->id == c->id && q->fifo == c->fifo);
    return txn_write(txn, q->key, &sqs_config_type, c);
}
