/* The evaluation of alarms of metrics; when, says cw_due.c.
 *
 * Layer: svc/cloudwatch. Thread: the home loop. */
#include <math.h>

#include "base/clock.h"
#include "codec/json.h"
#include "svc/cloudwatch/cloudwatch_int.h"

enum {
    FIRING_MAX = 16,
    TEXT_MAX = 8 * 1024,
    TOLD_MAX = 10, /* points that a reason tells */
};

/* --- what is said of it ------------------------------------------------------------------------- */

static const char *const comparison_words[CW_COMPARISONS] = {
    "greater than or equal to",
    "greater than",
    "less than",
    "less than or equal to",
};

/* An alarm while it is evaluated. */
struct judging {
    struct cw_alarm_at *at;
    int64_t from_ms, to_ms, period_ms, step_ms;
    size_t n;
    struct cw_point_seen *points; /* newest first */
    int64_t changes_ms;           /* as in cw_points */
    struct cw_judged judged;
    bool few; /* samples: the newest point says nothing */
};

static void put_f64(struct buf *b, double v)
{
    if (fabs(v) < 1e15 && v == floor(v))
        buf_add_fmt(b, "%.1f", v);
    else
        json_put_f64(b, v);
}

/* "[5.0 (29/11/26 11:20:00), 4.0 (29/11/26 11:19:00)]" */
static void put_points(struct buf *b, const struct judging *j)
{
    size_t told = 0;
    buf_add_byte(b, '[');
    for (size_t i = 0; i < j->n && told < TOLD_MAX && told < j->judged.used; i++) {
        if (!j->points[i].there)
            continue;
        struct civil c = clock_civil(j->to_ms - (int64_t)(i + 1) * j->period_ms);
        if (told++)
            BUF_ADD_LIT(b, ", ");
        put_f64(b, j->points[i].value);
        buf_add_fmt(b, " (%02d/%02d/%02d %02d:%02d:%02d)", c.day, c.month, c.year % 100, c.hour,
                    c.minute, c.second);
    }
    buf_add_byte(b, ']');
}

static const char *s_of(size_t n)
{
    return n == 1 ? "" : "s";
}

static void put_crossed(struct buf *b, const struct judging *j, const struct cw_rule_of_points *r)
{
    bool alarm = j->judged.state == CW_ALARM;
    size_t n = alarm ? j->judged.breaching : j->judged.used - j->judged.breaching;
    size_t least = alarm ? r->to_alarm : r->periods - r->to_alarm + 1;
    buf_add_fmt(b, "Threshold Crossed: %zu out of the last %zu datapoints ", n, r->periods);
    put_points(b, j);
    buf_add_fmt(b, " %s %s%s the threshold (", n == 1 ? "was" : "were", alarm ? "" : "not ",
                comparison_words[r->comparison]);
    put_f64(b, r->threshold);
    buf_add_fmt(b, ") (minimum %zu datapoint%s for %s transition).", least, s_of(least),
                alarm ? "OK -> ALARM" : "ALARM -> OK");
}

static void put_reason(struct buf *b, const struct judging *j, const struct cw_rule_of_points *r)
{
    if (j->judged.state == CW_INSUFFICIENT)
        buf_add_fmt(b, "Insufficient Data: %zu datapoint%s %s unknown.", r->periods,
                    s_of(r->periods), r->periods == 1 ? "was" : "were");
    else if (j->judged.used == 0)
        buf_add_fmt(b,
                    "Threshold Crossed: no datapoints were received for %zu period%s and %zu "
                    "missing datapoint%s %s treated as [%s].",
                    r->periods, s_of(r->periods), j->judged.filled, s_of(j->judged.filled),
                    j->judged.filled == 1 ? "was" : "were",
                    r->missing == CW_MISSING_BREACHING ? "Breaching" : "NonBreaching");
    else
        put_crossed(b, j, r);
}

static void put_reason_data(struct buf *b, const struct judging *j)
{
    const struct cw_alarm *a = j->at->alarm;
    struct json_out o;
    size_t told = 0;
    json_out_init(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, STR("version"), STR("1.0"));
    cw_moment_json(&o, STR("queryDate"), j->at->txn->wall_ms);
    cw_moment_json(&o, STR("startDate"), j->from_ms);
    if (!a->math)
        json_kv_str(&o, STR("statistic"), a->queries[0].stat);
    json_kv_i64(&o, STR("period"), j->period_ms / 1000);
    json_key(&o, STR("recentDatapoints"));
    json_open(&o, '[');
    for (size_t i = j->n; i > 0 && told < 10 * TOLD_MAX; i--)
        if (j->points[i - 1].there) {
            json_f64(&o, j->points[i - 1].value);
            told++;
        }
    json_close(&o, ']');
    json_key(&o, STR("threshold"));
    json_f64(&o, a->threshold);
    json_close(&o, '}');
}

/* --- evaluation --------------------------------------------------------------------------------- */

/* A percentile of few samples says little (User Guide, "Percentile-based alarms and low data samples"). */
static bool too_few(const struct cw_alarm *a, double count)
{
    struct cw_stat s;
    if (a->low_samples != CW_LOW_IGNORE || a->math ||
        cw_stat_parse(a->queries[0].stat, &s) != ERR_OK || s.kind != CW_STAT_PERCENTILE)
        return false;
    double p = s.high / 100;
    return count * (p >= 0.5 ? 1 - p : p) < 10 - 1e-9;
}

static enum err look(struct judging *j)
{
    const struct cw_alarm *a = j->at->alarm;
    struct cw_answer answer;
    const struct cw_asked asked = {a->queries, a->n_queries, j->at->scope,
                                   j->from_ms, j->to_ms,     j->step_ms};
    size_t which = 0;
    while (which + 1 < a->n_queries && !a->queries[which].returned)
        which++;
    enum err err = cw_data(j->at->txn, &asked, which, &answer);
    j->changes_ms = answer.changes_ms;
    if (err == ERR_INVALID || (err == ERR_OK && answer.n == 0))
        return ERR_OK; /* an expression that no longer makes sense has no values */
    TRY(err);
    const struct cw_series *s = &answer.v[0];
    for (size_t i = 0; i < s->n; i++) {
        int64_t from_end = (j->to_ms - s->at_ms[i]) / j->period_ms;
        if (from_end < 1 || from_end > (int64_t)j->n)
            continue;
        j->points[from_end - 1] = (struct cw_point_seen){true, s->v[i]};
        j->few = s->counts && too_few(a, s->counts[i]);
    }
    return ERR_OK;
}

static enum err conclude(struct judging *j, const struct cw_rule_of_points *r)
{
    struct cw_alarm *a = j->at->alarm;
    struct buf reason, data;
    bool by_hand = a->set_by_hand;
    if (j->judged.state == a->state && !by_hand)
        return ERR_OK; /* nothing is written where nothing changed */
    a->set_by_hand = false;
    buf_init_arena(&reason, j->at->txn->arena, TEXT_MAX);
    buf_init_arena(&data, j->at->txn->arena, TEXT_MAX);
    put_reason(&reason, j, r);
    put_reason_data(&data, j);
    TRY(buf_err(&reason));
    TRY(buf_err(&data));
    return cw_set_state(j->at, j->judged.state, buf_str(&reason), buf_str(&data));
}

static enum err judging_of(struct cw_alarm_at *at, struct judging *j)
{
    const struct cw_alarm *a = at->alarm;
    *j = (struct judging){.at = at, .changes_ms = CW_NEVER};
    j->period_ms = cw_alarm_period_ms(a);
    j->step_ms = cw_alarm_step_ms(a);
    j->to_ms = at->txn->wall_ms - at->txn->wall_ms % j->step_ms;
    j->n = (size_t)min_i64(cw_looks_at(a), j->to_ms / j->period_ms);
    j->from_ms = j->to_ms - (int64_t)j->n * j->period_ms;
    j->points = ARENA_ARRAY(at->txn->arena, struct cw_point_seen, j->n + 1);
    return j->points ? ERR_OK : ERR_NOMEM;
}

static enum err evaluate_metric(struct cw_alarm_at *at, struct due_fire *f)
{
    const struct cw_alarm *a = at->alarm;
    struct judging j;
    const struct cw_rule_of_points rule = {(size_t)a->periods,
                                           (size_t)(a->to_alarm ? a->to_alarm : a->periods),
                                           a->comparison, a->threshold, a->missing};
    TRY(judging_of(at, &j));
    TRY(look(&j));
    j.judged = cw_judge(&rule, j.points, j.n, a->state);
    if (!j.few)
        TRY(conclude(&j, &rule));
    if (j.changes_ms == CW_NEVER)
        return ERR_OK;
    f->next = DUE_MOVE;
    f->next_ms = at->txn->now_ms + j.changes_ms + cw_settle_ms(j.step_ms) - at->txn->wall_ms;
    return ERR_OK;
}

static enum err evaluate_composite(struct cw_alarm_at *at, struct due_fire *f)
{
    TRY(cw_evaluate_composite(at));
    if (at->alarm->suppressed == CW_SUPPRESSED_WAIT ||
        at->alarm->suppressed == CW_SUPPRESSED_EXTENSION) {
        f->next = DUE_MOVE;
        f->next_ms =
            at->txn->now_ms + max_i64(0, at->alarm->suppressed_until_ms - at->txn->wall_ms);
    }
    return ERR_OK;
}

static enum err fire(void *self, struct txn *txn, struct due_fire *f)
{
    struct cw_alarm alarm;
    struct cw_alarm_at at;
    enum err err = cw_alarm_read(txn, f->key, &alarm);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    TRY(cw_alarm_at(self, txn, f->key, &alarm, &at));
    return alarm.composite ? evaluate_composite(&at, f) : evaluate_metric(&at, f);
}

enum err cw_due_register(struct cw *cw)
{
    const struct due_def def = {
        .name = "cloudwatch.alarm",
        .self = cw,
        .fire = fire,
        .running_max = FIRING_MAX,
    };
    return due_register(deliver_due(cw->core->deliver), &def, &cw->due);
}
