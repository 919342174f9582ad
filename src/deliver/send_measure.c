/* What CloudWatch hears of pieces that are sent: "AWS/Events" by RuleName, "AWS/Scheduler" by ScheduleGroup.
 *
 * Source: EventBridge User Guide, "Monitoring Amazon EventBridge"; EventBridge Scheduler User Guide,
 * "Monitoring Amazon EventBridge Scheduler with Amazon CloudWatch".
 * Layer: deliver. Thread: any. */
#include <assert.h>

#include "base/arn.h"
#include "core/measure.h"
#include "deliver/deliver_int.h"
#include "deliver/send_int.h"

enum { NAMES_MAX = 3 };

static const struct sender {
    const char *space, *dim;
    const char *names[SEND_TOLD_N][NAMES_MAX];
} senders[SEND_WORDS_N] = {
    [SEND_WORDS_EVENTS] =
        {
            .space = "AWS/Events",
            .dim = "RuleName",
            .names =
                {
                    [SEND_SENT] = {"Invocations", "InvocationAttempts",
                                   "SuccessfulInvocationAttempts"},
                    [SEND_FAILED] = {"InvocationAttempts"},
                    [SEND_THROTTLED] = {"InvocationAttempts"},
                    [SEND_AGAIN] = {"RetryInvocationAttempts"},
                    [SEND_HELD] = {"ThrottledRules"},
                    [SEND_DEAD] = {"Invocations", "FailedInvocations", "InvocationsSentToDlq"},
                    [SEND_LOST] = {"Invocations", "FailedInvocations",
                                   "InvocationsFailedToBeSentToDlq"},
                    [SEND_DROPPED] = {"Invocations", "FailedInvocations"},
                },
        },
    [SEND_WORDS_SCHEDULER] =
        {
            .space = "AWS/Scheduler",
            .dim = "ScheduleGroup",
            .names =
                {
                    [SEND_SENT] = {"InvocationAttemptCount"},
                    [SEND_FAILED] = {"InvocationAttemptCount", "TargetErrorCount"},
                    [SEND_THROTTLED] = {"InvocationAttemptCount", "TargetErrorCount",
                                        "TargetErrorThrottledCount"},
                    [SEND_DEAD] = {"InvocationDroppedCount", "InvocationsSentToDeadLetterCount"},
                    [SEND_LOST] = {"InvocationDroppedCount",
                                   "InvocationsFailedToBeSentToDeadLetterCount"},
                    [SEND_DROPPED] = {"InvocationDroppedCount"},
                },
        },
};

void send_tell(struct deliver *d, const struct send *s, enum send_told what)
{
    const struct sender *by = &senders[s->words];
    struct arn arn;
    if (!measure_wanted(d->core) || !str_is_set(s->source_arn) ||
        arn_parse(s->source_arn, &arn) != ERR_OK)
        return;
    /* rule/NAME, rule/BUS/NAME; schedule/GROUP/NAME */
    const struct measure_dim dim = {
        str_c(by->dim), s->words == SEND_WORDS_EVENTS ? arn_last(&arn) : arn_segment(&arn, 1)};
    const struct measure m = {arn.region, str_c(by->space), &dim, 1, arn.account};
    for (size_t i = 0; i < NAMES_MAX && by->names[what][i]; i++)
        measure_put(d->core, &m, str_c(by->names[what][i]), MEASURE_COUNT, 1);
}

struct telling {
    struct deliver *d;
    struct send send; /* of it, what send_tell looks at */
    enum send_told what;
};

static void committed(void *arg)
{
    const struct telling *t = arg;
    if (t->what == SEND_SENT)
        atomic_fetch_add(&t->d->sends.sent, 1);
    else if (t->what == SEND_DEAD)
        atomic_fetch_add(&t->d->sends.dead, 1);
    else if (t->what == SEND_LOST || t->what == SEND_DROPPED)
        atomic_fetch_add(&t->d->sends.dropped, 1);
    send_tell(t->d, &t->send, t->what);
}

enum err send_end(struct deliver *d, struct txn *txn, const struct send *s, enum send_told what)
{
    struct telling *t = ARENA_NEW(txn->arena, struct telling);
    assert(what != SEND_AGAIN && what < SEND_TOLD_N);
    if (!t)
        return ERR_NOMEM;
    *t = (struct telling){.d = d, .what = what};
    t->send.words = s->words;
    t->send.source_arn = str_dup(txn->arena, s->source_arn);
    if (str_is_set(s->source_arn) && !str_is_set(t->send.source_arn))
        return ERR_NOMEM;
    return txn_on_commit(txn, committed, t);
}
