/* Topics and subscriptions as requests name them, and the mirror of subscriptions. Layer: svc/sns. */
#include "base/arn.h"
#include "svc/sns/sns_int.h"

/* --- topics ----------------------------------------------------------------------------------- */

static enum err read_topic(struct txn *txn, const struct arn *arn, struct sns_topic_ref *ret)
{
    struct sns_topic_ref t = {
        .scope = {arn->account, arn->region},
        .name = arn_segment(arn, 0),
    };
    if (t.name.len > SNS_NAME_MAX)
        return ERR_NOT_FOUND;
    t.key = key_make(txn->arena, &sns_k_topic, t.scope, t.name);
    TRY(txn_read(txn, t.key, &sns_topic_type, &t.rec));
    t.arn = arn_make(txn->arena, arn, STR_FMT, STR_ARG(t.name));
    if (!str_is_set(t.arn))
        return ERR_NOMEM;
    *ret = t;
    return ERR_OK;
}

enum err sns_topic_find(struct txn *txn, struct str text, struct sns_topic_ref *ret)
{
    struct arn arn;
    if (arn_parse_as(text, "sns", NULL, &arn) != ERR_OK || str_is_set(arn_segment(&arn, 1)))
        return ERR_NOT_FOUND;
    return read_topic(txn, &arn, ret);
}

/* A signature says the region. A link from a letter has none, and means its topic's. */
static bool is_here(const struct call *call, const struct arn *arn)
{
    return str_eq(arn->region, call->region) || call->who->kind == PRINCIPAL_ANONYMOUS;
}

/* What AWS says of a text that is no ARN of SNS's. */
static enum err bad_arn(struct call *call, const char *param, struct str text)
{
    size_t parts = 1;
    for (size_t i = 0; i < text.len; i++)
        parts += text.p[i] == ':';
    if (parts < 6)
        return SNS_INVALID(call, "%s Reason: An ARN must have at least 6 elements, not %zu", param,
                           parts);
    return SNS_INVALID(call, "%s", param);
}

enum err sns_topic_look(struct call *call, const char *param, struct str text,
                        struct sns_topic_ref *ret)
{
    struct arn arn;
    if (arn_parse_as(text, "sns", NULL, &arn) != ERR_OK || str_is_set(arn_segment(&arn, 1)) ||
        !is_here(call, &arn))
        return bad_arn(call, param, text);
    return str_eq(arn.account, call->account) ? read_topic(call->txn, &arn, ret) : ERR_NOT_FOUND;
}

enum err sns_topic_need(struct call *call, const char *param, struct str text,
                        struct sns_topic_ref *ret)
{
    enum err err = sns_topic_look(call, param, text, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &sns_err_not_found_exception, "Topic does not exist");
    return err;
}

enum err sns_topic_save(struct txn *txn, const struct sns_topic_ref *t)
{
    return txn_write(txn, t->key, &sns_topic_type, &t->rec);
}

/* --- subscriptions ---------------------------------------------------------------------------- */

struct str sns_sub_arn(struct arena *a, const struct sns_sub *sub)
{
    return str_fmt(a, STR_FMT ":" STR_FMT, STR_ARG(sub->topic_arn), STR_ARG(sub->id));
}

static enum err read_sub(struct txn *txn, const struct arn *arn, struct sns_sub_ref *ret)
{
    struct str id = arn_tail(arn, 1);
    if (id.len != SNS_ID_LEN)
        return ERR_NOT_FOUND;
    TRY(read_topic(txn, arn, &ret->topic));
    ret->key = key_make(txn->arena, &sns_k_sub, ret->topic.scope, ret->topic.rec.id, id);
    TRY(txn_read(txn, ret->key, &sns_sub_type, &ret->rec));
    ret->arn = sns_sub_arn(txn->arena, &ret->rec);
    return str_is_set(ret->arn) ? ERR_OK : ERR_NOMEM;
}

enum err sns_sub_find(struct txn *txn, struct str text, struct sns_sub_ref *ret)
{
    struct arn arn;
    if (arn_parse_as(text, "sns", NULL, &arn) != ERR_OK)
        return ERR_NOT_FOUND;
    return read_sub(txn, &arn, ret);
}

bool sns_sub_is_abroad(const struct sns_sub_ref *sub, struct str account)
{
    return !str_eq(sub->topic.scope.account, account) && str_eq(sub->rec.owner, account);
}

enum err sns_sub_look(struct call *call, struct str text, struct sns_sub_ref *ret)
{
    struct arn arn;
    if (arn_parse_as(text, "sns", NULL, &arn) != ERR_OK || !str_is_set(arn_segment(&arn, 1)) ||
        !is_here(call, &arn))
        return bad_arn(call, "SubscriptionArn", text);
    TRY(read_sub(call->txn, &arn, ret));
    bool its = str_eq(arn.account, call->account) || sns_sub_is_abroad(ret, call->account);
    return its ? ERR_OK : ERR_NOT_FOUND;
}

enum err sns_sub_need(struct call *call, struct str text, struct sns_sub_ref *ret)
{
    enum err err = sns_sub_look(call, text, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &sns_err_not_found_exception, "Subscription does not exist");
    return err;
}

static bool has_owner_abroad(const struct sns_sub_ref *sub)
{
    return !str_empty(sub->rec.owner) && sns_sub_is_abroad(sub, sub->rec.owner);
}

/* Its place in its owner's list; STR_NONE on exhaustion. */
static struct str abroad_key(struct txn *txn, const struct sns_sub_ref *sub)
{
    const struct key_scope owner = {sub->rec.owner, sub->topic.scope.region};
    return key_make(txn->arena, &sns_k_abroad, owner, sub->rec.topic_id, sub->rec.id);
}

enum err sns_sub_save(struct sns *s, struct txn *txn, const struct sns_sub_ref *sub)
{
    struct str record;
    TRY(record_make(&sns_sub_type, txn->arena, &sub->rec, &record));
    if (has_owner_abroad(sub))
        TRY(txn_put(txn, abroad_key(txn, sub), sub->key));
    return catalogue_put(s->subs, txn, sub->key, record);
}

enum err sns_sub_remove(struct sns *s, struct txn *txn, const struct sns_sub_ref *sub)
{
    if (has_owner_abroad(sub))
        TRY(txn_del(txn, abroad_key(txn, sub)));
    TRY(sns_pending_clear(s, txn, sub));
    return catalogue_del(s->subs, txn, sub->key);
}

enum err sns_sub_drop(struct sns *s, struct txn *txn, struct sns_sub_ref *sub)
{
    struct sns_topic_rec *t = &sub->topic.rec;
    uint64_t *count = sub->rec.pending ? &t->pending : &t->confirmed;
    struct str name = sns_protocol_name(sub->rec.protocol);
    *count -= *count > 0;
    t->deleted += !sub->rec.pending;
    t->filtered -= t->filtered > 0 && str_is_set(sub->rec.filter);
    TRY(sns_topic_save(txn, &sub->topic));
    TRY(txn_del(txn, key_make(txn->arena, &sns_k_endpoint, t->id, name, sub->rec.endpoint)));
    return sns_sub_remove(s, txn, sub);
}

/* --- pending ones: a due time for each -------------------------------------------------------- */

enum err sns_pending_set(struct sns *s, struct txn *txn, const struct sns_sub_ref *sub)
{
    return due_set(txn, s->pending, sub->key, txn->now_ms + SNS_PENDING_MS, sub->arn);
}

enum err sns_pending_clear(struct sns *s, struct txn *txn, const struct sns_sub_ref *sub)
{
    return due_clear(txn, s->pending, sub->key);
}

/* --- the mirror ------------------------------------------------------------------------------- */

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    struct sns_sub_live *sub = CONTAINER_OF(object, struct sns_sub_live, object);
    struct arena *a = &object->arena;
    struct str why;
    TRY(record_unpack_copy(&sns_sub_type, a, record, &sub->rec));
    sub->arn = sns_sub_arn(a, &sub->rec);
    if (!str_is_set(sub->arn))
        return ERR_NOMEM;
    enum err err = sns_filter_parse(a, &sub->rec, &sub->filter, &why);
    return err == ERR_INVALID ? ERR_CORRUPT : err; /* it was checked when it was stored */
}

enum err sns_subs_new(struct sns *s)
{
    static const struct catalogue_type type = {
        .name = "sns: subscription",
        .size = sizeof(struct sns_sub_live),
        .arena_max = 16 * 1024 * 1024,
        .when = CATALOGUE_COMMITTED,
        .lack = CATALOGUE_RETRY,
        .decode = decode,
    };
    return catalogue_new(s->core, &type, s, &s->subs);
}
