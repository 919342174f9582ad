/* Names of queues that were deleted a moment ago: nobody may make a queue of such a name for as long as
 * core_config.queue_held_ms says. A due key per name, which goes at its time; that it is there says that the
 * name is held. Source: SQS API Reference, DeleteQueue. Layer: svc/sqs. */
#include "deliver/deliver.h"
#include "deliver/due.h"
#include "svc/sqs/sqs_int.h"

/* The time is over. */
static enum err let_go(void *self, struct txn *txn, struct due_fire *f)
{
    return ERR_OK;
}

enum err sqs_held_register(struct sqs *s)
{
    const struct due_def def = {.name = "sqs.name", .self = s, .fire = let_go, .running_max = 1};
    return due_register(deliver_due(s->core->deliver), &def, &s->held);
}

enum err sqs_hold_name(struct sqs *s, struct txn *txn, struct str key)
{
    int64_t held_ms = s->core->cfg.queue_held_ms;
    if (held_ms == 0)
        return ERR_OK;
    return due_set(txn, s->held, key, txn->now_ms + held_ms, STR(""));
}

enum err sqs_name_is_held(struct sqs *s, struct txn *txn, struct str key, bool *ret_held)
{
    int64_t until_ms;
    struct str nothing;
    *ret_held = false;
    if (s->core->cfg.queue_held_ms == 0) /* perhaps it was another before this start */
        return ERR_OK;
    enum err err = due_get(txn, s->held, key, &until_ms, &nothing);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    *ret_held = until_ms > txn->now_ms;
    return ERR_OK;
}
