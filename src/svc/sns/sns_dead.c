/* Dead letters: what an endpoint did not take goes to the subscription's queue, with what was wrong as
 * attributes. Source: SNS developer guide, "Amazon SNS dead-letter queues". Layer: svc/sns. */
#include "base/log.h"
#include "base/rng.h"
#include "svc/sns/sns_int.h"

enum err sns_dead_letter(struct txn *txn, const struct sns_sub *sub, struct str body,
                         const char *code, const char *why)
{
    char id[RNG_UUID_LEN + 1];
    if (!str_is_set(sub->dlq)) {
        log_warn("sns", "message dropped: topic=" STR_FMT " endpoint=" STR_FMT " %s",
                 STR_ARG(sub->topic_arn), STR_ARG(sub->endpoint), why);
        return sns_measure_failed(txn, sub->topic_arn, SNS_NO_QUEUE);
    }
    const struct target_attribute attributes[] = {
        {.name = STR("RequestID"), .value = rng_uuid(id)},
        {.name = STR("ErrorCode"), .value = str_c(code), .number = true},
        {.name = STR("ErrorMessage"), .value = str_c(why)},
    };
    bool fifo = str_ends(sub->dlq, STR(".fifo"));
    const struct target target = {.arn = sub->dlq,
                                  .service = STR(SNS_PRINCIPAL),
                                  .source_arn = sub->topic_arn,
                                  .source_account = wire_account_in(sub->topic_arn)};
    enum err err = target_stage(
        txn, &target,
        &(struct target_delivery){.payload = body,
                                  .attributes = attributes,
                                  .n_attributes = ARRAY_LEN(attributes),
                                  .group_id = fifo ? sub->id : STR_NONE,
                                  .dedup_id = fifo ? str_n(id, RNG_UUID_LEN) : STR_NONE});
    if (err == ERR_OK)
        return sns_measure_failed(txn, sub->topic_arn, SNS_BURIED);
    if (!target_fault(err))
        return err;
    log_error("sns",
              "dead letter lost: topic=" STR_FMT " endpoint=" STR_FMT " queue=" STR_FMT " %s",
              STR_ARG(sub->topic_arn), STR_ARG(sub->endpoint), STR_ARG(sub->dlq), err_name(err));
    return sns_measure_failed(txn, sub->topic_arn, SNS_NOT_BURIED);
}
