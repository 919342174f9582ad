/* Whether a composite alarm's actions are held back when it changes; how that goes on: cw_composite.c.
 *
 * Source: CloudWatch User Guide, "Alarm suppression". Layer: svc/cloudwatch. Thread: the transaction's. */
#include "svc/cloudwatch/cloudwatch_int.h"

enum err cw_suppressor_alarms(struct cw_alarm_at *at, bool *ret)
{
    struct cw_alarm s;
    enum err err =
        cw_alarm_read(at->txn, cw_alarm_ref(at->txn->arena, at->scope, at->alarm->suppressor), &s);
    *ret = err == ERR_OK && s.state == CW_ALARM;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

void cw_hold(struct cw_alarm_at *at, enum cw_suppressed how, int64_t seconds)
{
    struct cw_alarm *a = at->alarm;
    a->suppressed = how;
    a->suppressed_until_ms = at->txn->wall_ms + seconds * 1000;
    a->suppressed_reason = how == CW_SUPPRESSED_ALARM
                               ? STR("Actions are suppressed by the suppressor "
                                     "alarm.")
                           : how == CW_SUPPRESSED_WAIT
                               ? STR("Actions wait for the suppressor alarm.")
                               : STR("Actions wait, since the suppressor alarm has left ALARM.");
}

enum err cw_suppress(struct cw_alarm_at *at, bool *ret_wait)
{
    struct cw_alarm *a = at->alarm;
    bool alarms;
    *ret_wait = false;
    a->suppressed = CW_SUPPRESSED_NOT;
    if (!str_is_set(a->suppressor))
        return ERR_OK;
    TRY(cw_suppressor_alarms(at, &alarms));
    if (alarms)
        cw_hold(at, CW_SUPPRESSED_ALARM, 0);
    else if (a->wait_s > 0)
        cw_hold(at, CW_SUPPRESSED_WAIT, a->wait_s);
    *ret_wait = a->suppressed != CW_SUPPRESSED_NOT;
    return ERR_OK;
}
