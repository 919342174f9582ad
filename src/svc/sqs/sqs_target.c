/* Queues as targets of other services' deliveries; see core/target.h. Layer: svc/sqs. */
#include <assert.h>

#include "svc/sqs/sqs_int.h"

static enum err find(void *self, struct txn *txn, struct str arn, struct target_found *ret_found)
{
    struct sqs_open *o = ARENA_NEW(txn->arena, struct sqs_open);
    if (!o)
        return ERR_NOMEM;
    TRY(sqs_open_arn(self, txn, arn, o));
    *ret_found = (struct target_found){.arn = arn, .opened = o};
    return ERR_OK;
}

static enum err take_attributes(struct arena *a, const struct target_delivery *d,
                                struct sqs_draft *draft)
{
    struct sqs_message_body_attribute_map *map =
        ARENA_NEW(a, struct sqs_message_body_attribute_map);
    struct sqs_message_body_attribute_map_entry *v =
        ARENA_ARRAY(a, struct sqs_message_body_attribute_map_entry, d->n_attributes + 1);
    if (!map || !v)
        return ERR_NOMEM;
    for (size_t i = 0; i < d->n_attributes; i++) {
        const struct target_attribute *at = &d->attributes[i];
        struct str type = at->number ? STR("Number") : STR("String");
        v[i].key = at->name;
        v[i].value.data_type = str_is_set(at->type) ? at->type : type;
        if (str_starts(v[i].value.data_type, STR("Binary")))
            v[i].value.binary_value = at->value;
        else
            v[i].value.string_value = at->value;
    }
    *map = (struct sqs_message_body_attribute_map){v, d->n_attributes};
    draft->attributes = map;
    return ERR_OK;
}

static enum err take_trace(struct arena *a, const struct target_delivery *d,
                           struct sqs_draft *draft)
{
    if (!str_is_set(d->trace))
        return ERR_OK;
    struct sqs_message_body_system_attribute_map *map =
        ARENA_NEW(a, struct sqs_message_body_system_attribute_map);
    struct sqs_message_body_system_attribute_map_entry *v =
        ARENA_NEW(a, struct sqs_message_body_system_attribute_map_entry);
    if (!map || !v)
        return ERR_NOMEM;
    v->key = STR("AWSTraceHeader");
    v->value.data_type = STR("String");
    v->value.string_value = d->trace;
    *map = (struct sqs_message_body_system_attribute_map){v, 1};
    draft->system = map;
    return ERR_OK;
}

/* Who may send, but not use the queue's key, is denied. */
static enum err key_to_send(struct txn *txn, const struct target *target, struct sqs_open *to)
{
    struct fault f;
    const struct sqs_asker by = {.as = *target, .fault = &f};
    enum err err = sqs_key_to_send(txn, to, &by);
    return err == ERR_FAILED ? ERR_DENIED : err;
}

static enum err stage(void *self, struct txn *txn, const struct target *target,
                      const struct target_found *found, const struct target_delivery *d)
{
    struct sqs_open *o = found->opened;
    struct fault f;
    struct sqs_checked checked;
    struct sqs_sent sent;
    assert(o && o->queue->id == o->config.id);
    if (d->payload.len > (size_t)o->config.size_max)
        return ERR_LIMIT;
    struct sqs_draft draft = {
        .body = d->payload,
        .group = d->group_id,
        .dedup = d->dedup_id,
        .sender = str_is_set(target->service) && !str_is_set(target->role) ? target->service
                  : str_is_set(target->source_account)                     ? target->source_account
                                                       : o->queue->scope.account,
    };
    TRY(take_attributes(txn->arena, d, &draft));
    TRY(take_trace(txn->arena, d, &draft));
    enum err err = sqs_message_check(txn->arena, &o->config, &draft, &checked, &f);
    if (err == ERR_FAILED)
        return ERR_INVALID;
    TRY(err);
    TRY(key_to_send(txn, target, o));
    return sqs_send_stage(txn, o, &checked.body, checked.delay_s, &sent);
}

const struct target_kind sqs_targets[1] = {{
    .service = "sqs",
    .type = NULL,
    .name = "queue",
    .action = "sqs:SendMessage",
    .find = find,
    .stage = stage,
}};
