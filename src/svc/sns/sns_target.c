/* Topics as targets of other services' deliveries: a delivery is a message published in the sender's
 * transaction. See core/target.h. Layer: svc/sns. */
#include <assert.h>

#include "svc/sns/sns_int.h"

static enum err find(void *self, struct txn *txn, struct str arn, struct target_found *ret_found)
{
    struct sns_topic_ref *t = ARENA_NEW(txn->arena, struct sns_topic_ref);
    if (!t)
        return ERR_NOMEM;
    TRY(sns_topic_find(txn, arn, t));
    *ret_found = (struct target_found){.arn = t->arn, .opened = t};
    return ERR_OK;
}

static enum err take_attributes(struct arena *a, const struct target_delivery *d,
                                struct sns_message_attribute_map *ret)
{
    struct sns_message_attribute_map_entry *v =
        ARENA_ARRAY(a, struct sns_message_attribute_map_entry, d->n_attributes + 1);
    if (!v)
        return ERR_NOMEM;
    for (size_t i = 0; i < d->n_attributes; i++) {
        v[i].key = d->attributes[i].name;
        v[i].value.data_type = d->attributes[i].number ? STR("Number") : STR("String");
        v[i].value.string_value = d->attributes[i].value;
    }
    *ret = (struct sns_message_attribute_map){v, d->n_attributes};
    return ERR_OK;
}

static enum err stage(void *self, struct txn *txn, const struct target *target,
                      const struct target_found *found, const struct target_delivery *d)
{
    struct sns_topic_ref *t = found->opened;
    struct sns_message_attribute_map attrs;
    struct sns_message m;
    struct fault f;
    size_t bytes;
    assert(t);
    TRY(take_attributes(txn->arena, d, &attrs));
    const struct sns_draft draft = {.subject = d->subject,
                                    .body = d->payload,
                                    .group = d->group_id,
                                    .dedup = d->dedup_id,
                                    .attrs = &attrs};
    if (d->payload.len > SNS_MESSAGE_MAX)
        return ERR_LIMIT;
    enum err err = sns_message_check(txn->arena, &t->rec, &draft, &m, &bytes, &f);
    if (err == ERR_FAILED)
        return ERR_INVALID;
    TRY(err);
    err = sns_key_to_publish(txn, t, NULL, target, &f);
    if (err) /* who may publish, but not use the topic's key, is denied */
        return err == ERR_FAILED ? ERR_DENIED : err;
    m.trace = d->trace;
    return sns_publish_stage(self, txn, t, &m);
}

const struct target_kind sns_targets[1] = {{
    .service = "sns",
    .type = NULL,
    .name = "topic",
    .open_to_owner = true,
    .action = "sns:Publish",
    .find = find,
    .stage = stage,
}};
