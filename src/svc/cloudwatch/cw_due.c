/* When alarms are evaluated, and the evaluation of those of metrics.
 *
 *   value of a watched metric --cw_alarm_wake--> due at the end of its period
 *   PutMetricAlarm, SetAlarmState -------------> due at once, or at the next period
 *   due --> evaluated --+--> due at the next period, while its metrics have values to look at
 *                       +--> asleep (CW3): nothing could change its state but a new value
 *
 * Periods are those of the wall clock, and only whole ones count. An evaluation waits a little after a period's
 * end, for what is told of it late.
 *
 * Layer: svc/cloudwatch. Thread: any transaction. */
#include "svc/cloudwatch/cloudwatch_int.h"

enum {
    SETTLE_MS = 3000,      /* after a period of a minute or more */
    SETTLE_FINE_MS = 1500, /* after a shorter one */
};

int64_t cw_alarm_period_ms(const struct cw_alarm *alarm)
{
    int64_t longest = 0;
    for (size_t i = 0; i < alarm->n_queries; i++)
        longest = max_i64(longest, alarm->queries[i].period_s);
    return (longest > 0 ? longest : 60) * 1000;
}

int64_t cw_settle_ms(int64_t period_ms)
{
    return period_ms < CW_MINUTE_MS ? SETTLE_FINE_MS : SETTLE_MS;
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
    int64_t period = cw_alarm_period_ms(alarm);
    int64_t end = at_ms - at_ms % period + period, ago = txn->wall_ms - end;
    if (ago > cw_looks_at(alarm) * period)
        return ERR_OK; /* too old to be looked at */
    int64_t in = ago >= cw_settle_ms(period) ? 0 : cw_settle_ms(period) - ago;
    return cw_alarm_due(cw, txn, alarm->object.key, in);
}
