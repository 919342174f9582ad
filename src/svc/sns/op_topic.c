/* CreateTopic, DeleteTopic, ListTopics, GetTopicAttributes, SetTopicAttributes. Layer: svc/sns. */
#include "base/rng.h"
#include "core/page.h"
#include "svc/sns/sns_int.h"

/* --- making ----------------------------------------------------------------------------------- */

static bool name_ok(struct str name)
{
    struct str base = str_ends(name, STR(".fifo")) ? str_sub(name, 0, name.len - 5) : name;
    for (size_t i = 0; i < base.len; i++) {
        char c = base.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return base.len >= 1 && name.len <= SNS_NAME_MAX;
}

static struct str attribute_of(const struct sns_create_topic_input *in, const char *name)
{
    for (size_t i = 0; i < in->attributes.n; i++)
        if (str_eq_c(in->attributes.v[i].key, name))
            return in->attributes.v[i].value;
    return STR_NONE;
}

/* What is asked for, as a topic that is not stored yet. */
static enum err wanted(struct call *call, const struct sns_create_topic_input *in,
                       struct sns_topic_ref *t)
{
    struct fault f;
    bool fifo_name = str_ends(in->name, STR(".fifo"));
    *t = (struct sns_topic_ref){.scope = call_scope(call), .name = in->name};
    t->arn = call_arn(call, "sns", STR_FMT, STR_ARG(in->name));
    t->key = key_make(call->arena, &sns_k_topic, t->scope, t->name);
    if (!str_is_set(t->arn) || !str_is_set(t->key))
        return ERR_NOMEM;
    t->rec.fifo = str_eq_nocase(attribute_of(in, "FifoTopic"), STR("true"));
    if (t->rec.fifo && (!fifo_name || !name_ok(in->name)))
        return SNS_INVALID(call, "Fifo Topic names must end with .fifo and must be made up of only "
                                 "uppercase and lowercase ASCII letters, numbers, underscores, and "
                                 "hyphens, and must be between 1 and 256 characters long.");
    if (!name_ok(in->name) || (fifo_name && !t->rec.fifo))
        return SNS_INVALID(call, "Topic Name");
    if (in->data_protection_policy.len)
        return SNS_INVALID(call, "DataProtectionPolicy Reason: not supported by Weir");
    for (size_t i = 0; i < in->attributes.n; i++)
        TRY(fault_reply(call,
                        sns_topic_apply(call->txn, t, in->attributes.v[i].key,
                                        in->attributes.v[i].value, true, &f),
                        &f));
    return ERR_OK;
}

/* A topic of that name is the one asked for when it has what is asked for. */
static enum err same(struct call *call, const struct sns_create_topic_input *in,
                     const struct sns_topic_ref *have, const struct sns_topic_ref *want)
{
    struct tag_list tags, sorted;
    for (size_t i = 0; i < in->attributes.n; i++) {
        struct str name = in->attributes.v[i].key;
        if (!str_eq(sns_topic_tell_one(call->arena, have, name),
                    sns_topic_tell_one(call->arena, want, name)))
            return SNS_INVALID(call,
                               "Attributes Reason: Topic already exists with different attributes");
    }
    if (in->tags.n == 0)
        return ERR_OK;
    TRY(tags_check_call(call, &sns_tags.rules, TAGS_FROM(in->tags)));
    TRY(tags_of(call->txn, have->arn, &tags));
    TRY(tags_merge(call->arena, &sns_tags.rules, (struct tag_list){0}, TAGS_FROM(in->tags),
                   &sorted));
    bool equal = tags.n == sorted.n;
    for (size_t i = 0; equal && i < tags.n; i++)
        equal =
            str_eq(tags.v[i].key, sorted.v[i].key) && str_eq(tags.v[i].value, sorted.v[i].value);
    return equal ? ERR_OK
                 : SNS_INVALID(call, "Tags Reason: Topic already exists with different tags");
}

enum err sns_create_topic(struct call *call, const struct sns_create_topic_input *in,
                          struct sns_create_topic_output *out)
{
    struct sns_topic_ref want, have;
    TRY(wanted(call, in, &want));
    out->topic_arn = want.arn;
    have = want;
    enum err err = txn_read(call->txn, want.key, &sns_topic_type, &have.rec);
    if (err == ERR_OK)
        return same(call, in, &have, &want);
    if (err != ERR_NOT_FOUND)
        return err;
    want.rec.id = rng_u64();
    want.rec.created_ms = call->txn->wall_ms;
    TRY(tags_op_create(call, &sns_tags, &(struct tags_resource){.arn = want.arn},
                       TAGS_FROM(in->tags)));
    return sns_topic_save(call->txn, &want);
}

/* --- ending ----------------------------------------------------------------------------------- */

/* One that is not there is gone already: AWS says so for whoever asks twice. */
enum err sns_delete_topic(struct call *call, const struct sns_delete_topic_input *in,
                          struct sns_delete_topic_output *out)
{
    struct sns_topic_ref t;
    enum err err = sns_topic_look(call, "TopicArn", in->topic_arn, &t);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    TRY(txn_del(call->txn, t.key));
    TRY(tags_drop(call->txn, t.arn));
    return sns_removal_add(call->svc, call->txn, &t);
}

/* --- listing ---------------------------------------------------------------------------------- */

struct listing {
    struct call *call;
    struct sns_topic v[SNS_PAGE];
    size_t n;
};

static enum err take_topic(void *arg, struct str key, struct str val)
{
    struct listing *l = arg;
    struct key_scope scope;
    struct str name;
    TRY(key_read(&sns_k_topic, key, l->call->arena, &scope, &name));
    struct str arn = call_arn(l->call, "sns", STR_FMT, STR_ARG(name));
    if (!str_is_set(arn))
        return ERR_NOMEM;
    l->v[l->n++].topic_arn = arn;
    return ERR_OK;
}

enum err sns_list_topics(struct call *call, const struct sns_list_topics_input *in,
                         struct sns_list_topics_output *out)
{
    static const struct page_fns fns = {.take = take_topic};
    struct listing *l = ARENA_NEW(call->arena, struct listing);
    if (!l)
        return ERR_NOMEM;
    l->call = call;
    struct page page = page_of_call(call, STR(""), in->next_token, SNS_PAGE);
    enum err err = page_scan(call->txn, &page,
                             key_range(call->arena, &sns_k_topic, call_scope(call)), &fns, l);
    if (err == ERR_INVALID)
        return SNS_INVALID(call, "NextToken");
    TRY(err);
    out->topics = (struct sns_topics_list){l->v, l->n};
    out->next_token = page.next_token;
    return ERR_OK;
}

/* --- attributes ------------------------------------------------------------------------------- */

enum err sns_get_topic_attributes(struct call *call,
                                  const struct sns_get_topic_attributes_input *in,
                                  struct sns_get_topic_attributes_output *out)
{
    struct sns_topic_ref t;
    TRY(sns_topic_need(call, "TopicArn", in->topic_arn, &t));
    return sns_topic_tell(call->core, call->arena, &t, &out->attributes);
}

enum err sns_set_topic_attributes(struct call *call,
                                  const struct sns_set_topic_attributes_input *in,
                                  struct sns_set_topic_attributes_output *out)
{
    struct sns_topic_ref t;
    struct fault f;
    TRY(sns_topic_need(call, "TopicArn", in->topic_arn, &t));
    TRY(fault_reply(
        call, sns_topic_apply(call->txn, &t, in->attribute_name, in->attribute_value, false, &f),
        &f));
    return sns_topic_save(call->txn, &t);
}
