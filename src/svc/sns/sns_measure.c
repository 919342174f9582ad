/* The topics' own metrics ("AWS/SNS" by TopicName), of what was committed.
 *
 * Layer: svc/sns. Thread: the committing one; requests to endpoints: the home loop. Source: SNS Developer
 * Guide, "Monitoring Amazon SNS topics using CloudWatch". */
#include "base/arn.h"
#include "core/measure.h"
#include "svc/sns/sns_int.h"

/* By topic; what the name of the topic is not in, is not told. */
static void put(struct core *core, struct str topic_arn, struct str name, double n)
{
    struct arn arn;
    if (n <= 0 || arn_parse(topic_arn, &arn) != ERR_OK)
        return;
    const struct measure_dim dim = {STR("TopicName"), arn.resource};
    measure_put_many(core, &(struct measure){arn.region, STR("AWS/SNS"), &dim, 1, arn.account},
                     name, MEASURE_COUNT, 1, n);
}

void sns_measure_one(struct core *core, struct str topic_arn, struct str name)
{
    if (measure_wanted(core))
        put(core, topic_arn, name, 1);
}

/* --- a publication ------------------------------------------------------------------------------ */

static void published(void *arg)
{
    const struct sns_counts *c = arg;
    struct core *core = c->core;
    struct arn arn;
    if (c->published && arn_parse(c->topic_arn, &arn) == ERR_OK) {
        const struct measure_dim dim = {STR("TopicName"), arn.resource};
        const struct measure what = {arn.region, STR("AWS/SNS"), &dim, 1, arn.account};
        measure_put(core, &what, STR("NumberOfMessagesPublished"), MEASURE_COUNT, 1);
        measure_put(core, &what, STR("PublishSize"), MEASURE_BYTES, (double)c->bytes);
    }
    size_t out = c->by_attributes + c->by_no_attributes + c->by_body + c->by_bad_body;
    put(core, c->topic_arn, STR("NumberOfNotificationsDelivered"), (double)c->delivered);
    put(core, c->topic_arn, STR("NumberOfNotificationsFilteredOut"), (double)out);
    put(core, c->topic_arn, STR("NumberOfNotificationsFilteredOut-MessageAttributes"),
        (double)c->by_attributes);
    put(core, c->topic_arn, STR("NumberOfNotificationsFilteredOut-NoMessageAttributes"),
        (double)c->by_no_attributes);
    put(core, c->topic_arn, STR("NumberOfNotificationsFilteredOut-MessageBody"),
        (double)c->by_body);
    put(core, c->topic_arn, STR("NumberOfNotificationsFilteredOut-InvalidMessageBody"),
        (double)c->by_bad_body);
}

enum err sns_measure_begin(struct txn *txn, struct str topic_arn, struct sns_counts **ret)
{
    struct sns_counts *c = ARENA_NEW(txn->arena, struct sns_counts);
    if (!c)
        return ERR_NOMEM;
    *ret = c;
    if (!measure_wanted(txn->core))
        return ERR_OK;
    c->core = txn->core;
    c->topic_arn = str_dup(txn->arena, topic_arn);
    return str_is_set(c->topic_arn) ? txn_on_commit(txn, published, c) : ERR_NOMEM;
}

/* --- what failed -------------------------------------------------------------------------------- */

struct failed {
    struct core *core;
    struct str topic_arn;
    enum sns_burial burial;
};

static void buried(void *arg)
{
    const struct failed *f = arg;
    put(f->core, f->topic_arn, STR("NumberOfNotificationsFailed"), 1);
    if (f->burial == SNS_BURIED)
        put(f->core, f->topic_arn, STR("NumberOfNotificationsRedrivenToDlq"), 1);
    else if (f->burial == SNS_NOT_BURIED)
        put(f->core, f->topic_arn, STR("NumberOfNotificationsFailedToRedriveToDlq"), 1);
}

enum err sns_measure_failed(struct txn *txn, struct str topic_arn, enum sns_burial burial)
{
    if (!measure_wanted(txn->core))
        return ERR_OK;
    struct failed *f = ARENA_NEW(txn->arena, struct failed);
    if (!f)
        return ERR_NOMEM;
    *f = (struct failed){txn->core, str_dup(txn->arena, topic_arn), burial};
    return str_is_set(f->topic_arn) ? txn_on_commit(txn, buried, f) : ERR_NOMEM;
}
