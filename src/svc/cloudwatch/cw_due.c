/* When alarms of metrics are evaluated.
 *
 *   value of a watched metric --cw_alarm_wake--> due once its step is over
 *   PutMetricAlarm, SetAlarmState -------------> due at once, or a moment later
 *   due --> evaluated --+--> due when a value passes from one period to another
 *                       +--> asleep (CW3): nothing could change its state but a new value
 *
 * An alarm looks back from whole steps of the wall clock: each minute; each ten seconds, where its period is
 * shorter than a minute; each hour, where it looks back for more than a day. Its periods end there, too. An
 * evaluation waits a little after a step's end, for what is told of it late.
 *
 * Source: CloudWatch User Guide, "Alarm evaluation".
 * Layer: svc/cloudwatch. Thread: any transaction. */
#include "svc/cloudwatch/cloudwatch_int.h"

enum {
    STEP_FINE_MS = 10 * 1000,
    STEP_LONG_MS = 60 * CW_MINUTE_MS,
    SETTLE_MS = 3000,
    SETTLE_FINE_MS = 1500, /* after a step shorter than a minute */
};

int64_t cw_alarm_period_ms(const struct cw_alarm *alarm)
{
    int64_t longest = 0;
    for (size_t i = 0; i < alarm->n_queries; i++)
        longest = max_i64(longest, alarm->queries[i].period_s);
    return (longest > 0 ? longest : 60) * 1000;
}

int64_t cw_alarm_step_ms(const struct cw_alarm *alarm)
{
    int64_t period = cw_alarm_period_ms(alarm);
    if (period < CW_MINUTE_MS)
        return STEP_FINE_MS;
    return alarm->periods * period > CW_DAY_MS ? STEP_LONG_MS : CW_MINUTE_MS;
}

int64_t cw_settle_ms(int64_t step_ms)
{
    return step_ms < CW_MINUTE_MS ? SETTLE_FINE_MS : SETTLE_MS;
}

int64_t cw_looks_at(const struct cw_alarm *alarm)
{
    return alarm->periods + CW_EXTRA_PERIODS;
}

enum err cw_alarm_due(struct cw *cw, struct txn *txn, struct str key, int64_t in_ms)
{
    struct str value;
    int64_t when = txn->now_ms + max_i64(in_ms, 0), set;
    enum err err = due_get(txn, cw->due, key, &set, &value);
    if (err && err != ERR_NOT_FOUND)
        return err;
    return err == ERR_OK && set <= when ? ERR_OK : due_set(txn, cw->due, key, when, STR(""));
}

enum err cw_alarm_wake(struct cw *cw, struct txn *txn, const struct cw_alarm *alarm, int64_t at_ms)
{
    int64_t step = cw_alarm_step_ms(alarm);
    int64_t end = at_ms - at_ms % step + step, ago = txn->wall_ms - end;
    if (ago > cw_looks_at(alarm) * cw_alarm_period_ms(alarm))
        return ERR_OK; /* too old to be looked at */
    int64_t in = ago >= cw_settle_ms(step) ? 0 : cw_settle_ms(step) - ago;
    return cw_alarm_due(cw, txn, alarm->object.key, in);
}
