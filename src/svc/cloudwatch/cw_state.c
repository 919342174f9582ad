/* What a change of an alarm's state brings with it, all in one commit (CW4): history, the event on the default
 * bus, actions, and a turn for the composite alarms that ask for it.
 *
 * Source: CloudWatch User Guide, "Alarm events and EventBridge", "Invoke a Lambda function from an alarm";
 * the messages that topics get, as AWS sends them.
 * Layer: svc/cloudwatch. Thread: the transaction's. */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "codec/json.h"
#include "svc/cloudwatch/cloudwatch_int.h"

enum { DOC_MAX = 128 * 1024, DATA_MAX = 4095, SUMMARY_MAX = 255 };

/* A moment as alarms tell it: "2026-11-29T11:20:00.000+0000". */
void cw_moment_json(struct json_out *o, struct str key, int64_t ms)
{
    char iso[CLOCK_TEXT_MAX], text[CLOCK_TEXT_MAX + 8];
    struct str s = clock_iso8601_ms(iso, ms);
    int n = snprintf(text, sizeof(text), "%.*s+0000", (int)s.len - 1, s.p);
    json_kv_str(o, key, str_n(text, (size_t)n));
}

enum err cw_alarm_at(struct cw *cw, struct txn *txn, struct str key, struct cw_alarm *alarm,
                     struct cw_alarm_at *ret)
{
    *ret = (struct cw_alarm_at){.cw = cw, .txn = txn, .key = key, .alarm = alarm};
    TRY(key_read(&cw_k_alarm, key, txn->arena, &ret->scope, &ret->name));
    ret->arn = cw_alarm_arn(txn->arena, cw->core, ret->scope, ret->name);
    return str_is_set(ret->arn) ? ERR_OK : ERR_NOMEM;
}

/* --- history ------------------------------------------------------------------------------------ */

static const struct record_field history_fields[] = {
    REC_ENUM(struct cw_history, type, CW_HISTORY_TYPES),
    REC_BOOL(struct cw_history, composite),
    REC_STR(struct cw_history, summary),
    REC_STR(struct cw_history, data),
};
static const struct record_type history_type = RECORD_TYPE(struct cw_history, 1, history_fields);

enum err cw_history_parse(struct arena *a, struct str record, struct cw_history *ret)
{
    return record_unpack_copy(&history_type, a, record, ret);
}

/* Of one moment a change of state comes before its actions. */
enum err cw_history_add(struct cw_alarm_at *at, enum cw_history_type type, struct str summary,
                        struct str data)
{
    struct txn *txn = at->txn;
    struct str record;
    const struct cw_history h = {type, at->alarm->composite, str_sub(summary, 0, SUMMARY_MAX),
                                 data.len <= DATA_MAX ? data : STR("{}")};
    uint64_t number = ((uint64_t)type << 56) | (rng_u64() >> 8);
    TRY(record_make(&history_type, txn->arena, &h, &record));
    TRY(txn_put(txn, key_make(txn->arena, &cw_k_history, at->scope, at->name, txn->wall_ms, number),
                record));
    return txn_put(
        txn, key_make(txn->arena, &cw_k_history_time, at->scope, txn->wall_ms, number, at->name),
        STR(""));
}

/* --- the alarm as JSON -------------------------------------------------------------------------- */

void cw_configuration_json(struct json_out *o, const struct cw_alarm_at *at)
{
    const struct cw_alarm *a = at->alarm;
    json_open(o, '{');
    json_kv_str(o, STR("description"), a->description);
    if (a->composite) {
        json_kv_str(o, STR("alarmRule"), a->rule);
        if (str_is_set(a->suppressor)) {
            json_kv_str(o, STR("actionsSuppressor"), a->suppressor);
            json_kv_i64(o, STR("actionsSuppressorWaitPeriod"), a->wait_s);
            json_kv_i64(o, STR("actionsSuppressorExtensionPeriod"), a->extension_s);
        }
    } else {
        json_key(o, STR("metrics"));
        json_open(o, '[');
        for (size_t i = 0; i < a->n_queries; i++)
            cw_query_json(o, &a->queries[i]);
        json_close(o, ']');
    }
    json_close(o, '}');
}

struct moment_of_state {
    enum cw_state state;
    struct str reason, reason_data;
    int64_t at_ms;
};

static void state_json(struct json_out *o, const struct moment_of_state *s)
{
    json_open(o, '{');
    json_kv_str(o, STR("value"), cw_state_name(s->state));
    json_kv_str(o, STR("reason"), s->reason);
    json_kv_str(o, STR("reasonData"), s->reason_data);
    cw_moment_json(o, STR("timestamp"), s->at_ms);
    json_close(o, '}');
}

static struct moment_of_state state_of(const struct cw_alarm *a)
{
    return (struct moment_of_state){a->state, a->reason, a->reason_data, a->updated_ms};
}

static void detail_members(struct json_out *o, const struct cw_alarm_at *at,
                           const struct moment_of_state *before)
{
    struct moment_of_state now = state_of(at->alarm);
    json_kv_str(o, STR("alarmName"), at->name);
    json_key(o, STR("state"));
    state_json(o, &now);
    json_key(o, STR("previousState"));
    state_json(o, before);
    json_key(o, STR("configuration"));
    cw_configuration_json(o, at);
}

static void half_of_history(struct json_out *o, struct str key, const struct moment_of_state *s)
{
    json_key(o, key);
    json_open(o, '{');
    json_kv_str(o, STR("stateValue"), cw_state_name(s->state));
    json_kv_str(o, STR("stateReason"), s->reason);
    if (str_is_set(s->reason_data)) {
        json_key(o, STR("stateReasonData"));
        json_raw(o, s->reason_data);
    }
    json_close(o, '}');
}

static enum err tell_history(struct cw_alarm_at *at, const struct moment_of_state *before)
{
    struct buf b;
    struct json_out o;
    struct moment_of_state now = state_of(at->alarm);
    struct str summary =
        str_fmt(at->txn->arena, "Alarm updated from " STR_FMT " to " STR_FMT,
                STR_ARG(cw_state_name(before->state)), STR_ARG(cw_state_name(now.state)));
    buf_init_arena(&b, at->txn->arena, DOC_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("version"), STR("1.0"));
    half_of_history(&o, STR("oldState"), before);
    half_of_history(&o, STR("newState"), &now);
    json_close(&o, '}');
    TRY(buf_err(&b));
    if (!str_is_set(summary))
        return ERR_NOMEM;
    return cw_history_add(at, CW_HISTORY_STATE, summary, buf_str(&b));
}

/* --- the event ---------------------------------------------------------------------------------- */

/* A service's events need no permission of the default bus. */
static enum err tell_bus(struct cw_alarm_at *at, const struct moment_of_state *before)
{
    struct buf b;
    struct json_out o;
    struct arn bus = {.partition = at->cw->core->cfg.partition,
                      .service = STR("events"),
                      .region = at->scope.region,
                      .account = at->scope.account};
    const struct target target = {.arn = arn_make(at->txn->arena, &bus, "event-bus/default")};
    const struct target_event event = {
        .source = STR("aws.cloudwatch"),
        .detail_type = STR("CloudWatch Alarm State Change"),
        .resources = &at->arn,
        .n_resources = 1,
    };
    if (!str_is_set(target.arn))
        return ERR_NOMEM;
    buf_init_arena(&b, at->txn->arena, DOC_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    detail_members(&o, at, before);
    json_close(&o, '}');
    TRY(buf_err(&b));
    enum err err = target_stage(at->txn, &target,
                                &(struct target_delivery){.payload = buf_str(&b), .event = &event});
    return err && !target_fault(err) ? err : ERR_OK; /* a build without buses has none to tell */
}

/* --- actions ------------------------------------------------------------------------------------ */

/* Regions by the names that people read. */
static struct str region_title(struct str region)
{
    static const struct {
        const char *id, *title;
    } names[] = {
        {"us-east-1", "US East (N. Virginia)"},
        {"us-east-2", "US East (Ohio)"},
        {"us-west-1", "US West (N. California)"},
        {"us-west-2", "US West (Oregon)"},
        {"eu-west-1", "EU (Ireland)"},
        {"eu-west-2", "EU (London)"},
        {"eu-central-1", "EU (Frankfurt)"},
        {"ap-northeast-1", "Asia Pacific (Tokyo)"},
        {"ap-southeast-1", "Asia Pacific (Singapore)"},
        {"ap-southeast-2", "Asia Pacific (Sydney)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(region, names[i].id))
            return str_c(names[i].title);
    return region;
}

static void actions_json(struct json_out *o, struct str key, const struct str *v, size_t n)
{
    json_key(o, key);
    json_open(o, '[');
    for (size_t i = 0; i < n; i++)
        json_str(o, v[i]);
    json_close(o, ']');
}

static struct str statistic_upper(struct arena *a, struct str stat)
{
    static const struct {
        const char *stat, *upper;
    } names[] = {{"Average", "AVERAGE"},
                 {"Sum", "SUM"},
                 {"Minimum", "MINIMUM"},
                 {"Maximum", "MAXIMUM"},
                 {"SampleCount", "SAMPLE_COUNT"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_c(stat, names[i].stat))
            return str_c(names[i].upper);
    return STR_NONE;
}

static void trigger_metric(struct json_out *o, struct arena *arena, const struct cw_query *q)
{
    struct str upper = statistic_upper(arena, q->stat);
    json_kv_str(o, STR("MetricName"), q->name);
    json_kv_str(o, STR("Namespace"), q->space);
    json_kv_str(o, STR("StatisticType"),
                str_is_set(upper) ? STR("Statistic") : STR("ExtendedStatistic"));
    json_kv_str(o, str_is_set(upper) ? STR("Statistic") : STR("ExtendedStatistic"),
                str_is_set(upper) ? upper : q->stat);
    json_key(o, STR("Unit"));
    if (q->unit < CW_UNITS)
        json_str(o, cw_unit_name(q->unit));
    else
        json_null(o);
    json_key(o, STR("Dimensions"));
    json_open(o, '[');
    for (size_t i = 0; i < q->n_dims; i++) {
        json_open(o, '{');
        json_kv_str(o, STR("value"), q->dims[i].value);
        json_kv_str(o, STR("name"), q->dims[i].name);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void trigger_json(struct json_out *o, struct arena *arena, const struct cw_alarm *a)
{
    json_key(o, STR("Trigger"));
    json_open(o, '{');
    if (!a->math)
        trigger_metric(o, arena, &a->queries[0]);
    json_kv_i64(o, STR("Period"), cw_alarm_period_ms(a) / 1000);
    json_kv_i64(o, STR("EvaluationPeriods"), a->periods);
    if (a->to_alarm)
        json_kv_i64(o, STR("DatapointsToAlarm"), a->to_alarm);
    json_kv_str(o, STR("ComparisonOperator"), cw_comparison_name(a->comparison));
    json_key(o, STR("Threshold"));
    json_f64(o, a->threshold);
    json_kv_str(o, STR("TreatMissingData"),
                a->missing_given ? cw_missing_name(a->missing) : STR("missing"));
    if (a->math) {
        json_key(o, STR("Metrics"));
        json_open(o, '[');
        for (size_t i = 0; i < a->n_queries; i++)
            cw_query_json(o, &a->queries[i]);
        json_close(o, ']');
    }
    json_close(o, '}');
}

static enum err topic_message(struct cw_alarm_at *at, enum cw_state before, struct str *ret)
{
    const struct cw_alarm *a = at->alarm;
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, at->txn->arena, DOC_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("AlarmName"), at->name);
    json_key(&o, STR("AlarmDescription"));
    if (str_is_set(a->description))
        json_str(&o, a->description);
    else
        json_null(&o);
    json_kv_str(&o, STR("AlarmRule"), a->composite ? a->rule : STR_NONE);
    json_kv_str(&o, STR("AWSAccountId"), at->scope.account);
    cw_moment_json(&o, STR("AlarmConfigurationUpdatedTimestamp"), a->configured_ms);
    json_kv_str(&o, STR("NewStateValue"), cw_state_name(a->state));
    json_kv_str(&o, STR("NewStateReason"), a->reason);
    cw_moment_json(&o, STR("StateChangeTime"), a->updated_ms);
    json_kv_str(&o, STR("Region"), region_title(at->scope.region));
    json_kv_str(&o, STR("AlarmArn"), at->arn);
    json_kv_str(&o, STR("OldStateValue"), cw_state_name(before));
    actions_json(&o, STR("OKActions"), a->ok, a->n_ok);
    actions_json(&o, STR("AlarmActions"), a->alarm, a->n_alarm);
    actions_json(&o, STR("InsufficientDataActions"), a->insufficient, a->n_insufficient);
    if (!a->composite)
        trigger_json(&o, at->txn->arena, a);
    json_close(&o, '}');
    *ret = buf_str(&b);
    return buf_err(&b);
}

static enum err function_event(struct cw_alarm_at *at, const struct moment_of_state *before,
                               struct str *ret)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, at->txn->arena, DOC_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("source"), STR("aws.cloudwatch"));
    json_kv_str(&o, STR("alarmArn"), at->arn);
    json_kv_str(&o, STR("accountId"), at->scope.account);
    cw_moment_json(&o, STR("time"), at->alarm->updated_ms);
    json_kv_str(&o, STR("region"), at->scope.region);
    json_key(&o, STR("alarmData"));
    json_open(&o, '{');
    detail_members(&o, at, before);
    json_close(&o, '}');
    json_close(&o, '}');
    *ret = buf_str(&b);
    return buf_err(&b);
}

static enum err act(struct cw_alarm_at *at, const struct moment_of_state *before, struct str action)
{
    bool function = target_is(at->cw->core, action, "function");
    const struct target target = {
        .arn = action,
        .service = function ? STR("lambda.alarms.cloudwatch.amazonaws.com")
                            : STR("cloudwatch.amazonaws.com"),
        .source_arn = at->arn,
        .source_account = at->scope.account,
        .tells_owner = true,
    };
    struct target_delivery d = {
        .subject = str_fmt(at->txn->arena, STR_FMT ": \"" STR_FMT "\" in " STR_FMT,
                           STR_ARG(cw_state_name(at->alarm->state)), STR_ARG(at->name),
                           STR_ARG(region_title(at->scope.region))),
    };
    if (!str_is_set(d.subject))
        return ERR_NOMEM;
    d.subject = str_sub(d.subject, 0, 100); /* SNS takes no longer one */
    TRY(function ? function_event(at, before, &d.payload)
                 : topic_message(at, before->state, &d.payload));
    enum err err = target_stage(at->txn, &target, &d);
    if (err && !target_fault(err))
        return err;
    struct str summary =
        err ? str_fmt(at->txn->arena, "Failed to execute action " STR_FMT, STR_ARG(action))
            : str_fmt(at->txn->arena, "Successfully executed action " STR_FMT, STR_ARG(action));
    struct str data = str_fmt(
        at->txn->arena, "{\"actionState\":\"%s\",\"notificationResource\":\"" STR_FMT "\"%s%s%s}",
        err ? "Failed" : "Succeeded", STR_ARG(action), err ? ",\"error\":\"" : "",
        err ? err_name(err) : "", err ? "\"" : "");
    if (!str_is_set(summary) || !str_is_set(data))
        return ERR_NOMEM;
    return cw_history_add(at, CW_HISTORY_ACTION, summary, data);
}

static enum err do_actions(struct cw_alarm_at *at, const struct moment_of_state *before)
{
    const struct cw_alarm *a = at->alarm;
    const struct str *v = a->state == CW_OK      ? a->ok
                          : a->state == CW_ALARM ? a->alarm
                                                 : a->insufficient;
    size_t n = a->state == CW_OK ? a->n_ok : a->state == CW_ALARM ? a->n_alarm : a->n_insufficient;
    if (a->actions_off)
        return ERR_OK;
    for (size_t i = 0; i < n; i++)
        TRY(act(at, before, v[i]));
    return ERR_OK;
}

enum err cw_do_actions(struct cw_alarm_at *at)
{
    struct moment_of_state now = state_of(at->alarm);
    return do_actions(at, &now);
}

/* --- the change --------------------------------------------------------------------------------- */

enum err cw_wake_parents(struct cw_alarm_at *at)
{
    struct catalogue_page page;
    TRY(catalogue_list_by(at->cw->alarms, at->txn, CW_BY_CHILD, at->key, CATALOGUE_PAGE_MAX,
                          &page));
    for (size_t i = 0; i < page.n; i++) {
        const struct cw_alarm *parent = page.objects[i];
        TRY(cw_alarm_due(at->cw, at->txn, parent->object.key, 0));
    }
    return ERR_OK;
}

enum err cw_set_state(struct cw_alarm_at *at, enum cw_state state, struct str reason,
                      struct str reason_data)
{
    struct cw_alarm *a = at->alarm;
    const struct moment_of_state before = state_of(a);
    bool wait = false;
    a->state = state;
    a->reason = str_sub(reason, 0, CW_REASON_MAX);
    a->reason_data = reason_data.len <= CW_REASON_DATA_MAX ? reason_data : STR_NONE;
    a->updated_ms = at->txn->wall_ms;
    if (state != before.state) {
        a->transitioned_ms = a->updated_ms;
        TRY(tell_history(at, &before));
        TRY(tell_bus(at, &before));
        if (a->composite)
            TRY(cw_suppress(at, &wait));
        if (!wait)
            TRY(do_actions(at, &before));
        TRY(cw_wake_parents(at));
    }
    return cw_alarm_write(at->cw, at->txn, at->key, a);
}
