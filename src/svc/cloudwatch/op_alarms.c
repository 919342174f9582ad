/* DeleteAlarms, EnableAlarmActions, DisableAlarmActions, SetAlarmState, DescribeAlarmHistory.
 * Layer: svc/cloudwatch. Source: CloudWatch API Reference. */
#include "svc/cloudwatch/cloudwatch_int.h"

enum { HAND_MS = 60 * 1000, HAND_FINE_MS = 10 * 1000 };

enum err cw_need_alarm(struct call *call, struct str name, struct str *ret_key,
                       struct cw_alarm *ret)
{
    *ret_key = key_make(call->arena, &cw_k_alarm, call_scope(call), name);
    enum err err = cw_alarm_read(call->txn, *ret_key, ret);
    if (err == ERR_NOT_FOUND)
        return call_error(call, &cloudwatch_err_resource_not_found, "Unknown alarm: " STR_FMT,
                          STR_ARG(name));
    return err;
}

/* --- deleting ----------------------------------------------------------------------------------- */

/* CW5: alarms that are deleted with it do not count. */
static enum err check_unused(struct call *call, const struct cloudwatch_alarm_names *names,
                             struct str key, struct str name)
{
    struct catalogue_page page;
    TRY(catalogue_list_by(cw_of(call)->alarms, call->txn, CW_BY_CHILD, key, CATALOGUE_PAGE_MAX,
                          &page));
    for (size_t i = 0; i < page.n; i++) {
        const struct cw_alarm *parent = page.objects[i];
        struct str parent_name;
        bool goes = false;
        TRY(key_read(&cw_k_alarm, parent->object.key, call->arena, KEY_SKIP, &parent_name));
        for (size_t k = 0; k < names->n; k++)
            goes = goes || str_eq(names->v[k], parent_name);
        if (!goes)
            return CW_INVALID(call,
                              "Cannot delete " STR_FMT " as there are composite alarm(s) depending "
                              "on it: " STR_FMT,
                              STR_ARG(name), STR_ARG(parent_name));
    }
    return ERR_OK;
}

static enum err delete_one(struct call *call, const struct cloudwatch_alarm_names *names,
                           struct str name)
{
    struct cw_alarm alarm;
    struct cw_alarm_at at;
    struct str key;
    TRY(cw_need_alarm(call, name, &key, &alarm));
    TRY(check_unused(call, names, key, name));
    TRY(cw_alarm_at(cw_of(call), call->txn, key, &alarm, &at));
    struct str summary = str_fmt(call->arena, "Alarm \"" STR_FMT "\" deleted", STR_ARG(name));
    if (!str_is_set(summary))
        return ERR_NOMEM;
    TRY(cw_history_add(&at, CW_HISTORY_CONFIGURATION, summary,
                       STR("{\"version\":\"1.0\",\"type\":\"Delete\"}")));
    TRY(due_clear(call->txn, cw_of(call)->due, key));
    TRY(tags_drop(call->txn, at.arn));
    return catalogue_del(cw_of(call)->alarms, call->txn, key);
}

enum err cloudwatch_delete_alarms(struct call *call,
                                  const struct cloudwatch_delete_alarms_input *in,
                                  struct cloudwatch_delete_alarms_output *out)
{
    for (size_t i = 0; i < in->alarm_names.n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(in->alarm_names.v[i], in->alarm_names.v[k]))
                return CW_INVALID(call, "An alarm is named more than once.");
    for (size_t i = 0; i < in->alarm_names.n; i++)
        TRY(delete_one(call, &in->alarm_names, in->alarm_names.v[i]));
    return ERR_OK;
}

/* --- actions on and off -------------------------------------------------------------------------- */

/* Alarms that do not exist are passed over. */
static enum err switch_actions(struct call *call, const struct cloudwatch_alarm_names *names,
                               bool off)
{
    for (size_t i = 0; i < names->n; i++) {
        struct cw_alarm alarm;
        struct str key = key_make(call->arena, &cw_k_alarm, call_scope(call), names->v[i]);
        enum err err = cw_alarm_read(call->txn, key, &alarm);
        if (err == ERR_NOT_FOUND)
            continue;
        TRY(err);
        if (alarm.actions_off == off)
            continue;
        alarm.actions_off = off;
        alarm.configured_ms = call->txn->wall_ms;
        TRY(cw_alarm_write(cw_of(call), call->txn, key, &alarm));
    }
    return ERR_OK;
}

enum err cloudwatch_enable_alarm_actions(struct call *call,
                                         const struct cloudwatch_enable_alarm_actions_input *in,
                                         struct cloudwatch_enable_alarm_actions_output *out)
{
    return switch_actions(call, &in->alarm_names, false);
}

enum err cloudwatch_disable_alarm_actions(struct call *call,
                                          const struct cloudwatch_disable_alarm_actions_input *in,
                                          struct cloudwatch_disable_alarm_actions_output *out)
{
    return switch_actions(call, &in->alarm_names, true);
}

/* --- by hand ------------------------------------------------------------------------------------ */

enum err cloudwatch_set_alarm_state(struct call *call,
                                    const struct cloudwatch_set_alarm_state_input *in,
                                    struct cloudwatch_set_alarm_state_output *out)
{
    struct cw_alarm alarm;
    struct cw_alarm_at at;
    struct str key;
    struct json *data;
    enum cw_state state;
    TRY(cw_need_alarm(call, in->alarm_name, &key, &alarm));
    if (!cw_state_parse(in->state_value, &state))
        return CW_INVALID(call, "The state " STR_FMT " is unknown.", STR_ARG(in->state_value));
    if (str_is_set(in->state_reason_data)) {
        enum err err = json_parse(call->arena, in->state_reason_data, &data, NULL);
        if (err == ERR_INVALID || err == ERR_LIMIT)
            return call_error(call, &cloudwatch_err_invalid_format_fault,
                              "StateReasonData was not valid JSON");
        TRY(err);
    }
    TRY(cw_alarm_at(cw_of(call), call->txn, key, &alarm, &at));
    alarm.set_by_hand = true;
    TRY(cw_set_state(&at, state, in->state_reason, in->state_reason_data));
    if (alarm.composite)
        return alarm.suppressed == CW_SUPPRESSED_WAIT
                   ? cw_alarm_due(cw_of(call), call->txn, key, alarm.wait_s * 1000)
                   : ERR_OK; /* until an alarm of its rule changes */
    /* Not before that, though it was due: people look what became of it. */
    bool fine = cw_alarm_period_ms(&alarm) < CW_MINUTE_MS;
    return due_set(call->txn, cw_of(call)->due, key,
                   call->txn->now_ms + (fine ? HAND_FINE_MS : HAND_MS), STR(""));
}

/* --- history ------------------------------------------------------------------------------------ */

static const struct str types[CW_HISTORY_TYPES] = {
    [CW_HISTORY_CONFIGURATION] = STR_INIT("ConfigurationUpdate"),
    [CW_HISTORY_STATE] = STR_INIT("StateUpdate"),
    [CW_HISTORY_ACTION] = STR_INIT("Action"),
};

struct past {
    struct call *call;
    const struct cloudwatch_describe_alarm_history_input *in;
    struct cloudwatch_alarm_history_item *v;
    size_t n;
    bool of_one; /* the keys are those of one alarm's history */
};

/* The item that a key of either table stands for. */
static enum err read_item(struct past *p, struct str key, struct str record,
                          struct cloudwatch_alarm_history_item *ret, struct cw_history *h)
{
    struct call *call = p->call;
    struct key_scope scope;
    uint64_t number;
    if (p->of_one) {
        TRY(key_read(&cw_k_history, key, call->arena, &scope, &ret->alarm_name, &ret->timestamp,
                     &number));
    } else {
        TRY(key_read(&cw_k_history_time, key, call->arena, &scope, &ret->timestamp, &number,
                     &ret->alarm_name));
        TRY(txn_peek(
            call->txn,
            key_make(call->arena, &cw_k_history, scope, ret->alarm_name, ret->timestamp, number),
            &record));
    }
    ret->has_timestamp = true;
    TRY(cw_history_parse(call->arena, record, h));
    ret->alarm_type = h->composite ? STR("CompositeAlarm") : STR("MetricAlarm");
    ret->history_item_type = types[h->type];
    ret->history_summary = h->summary;
    ret->history_data = h->data;
    return ERR_OK;
}

static bool type_asked(const struct cloudwatch_alarm_types *asked, struct str type)
{
    for (size_t i = 0; i < asked->n; i++)
        if (str_eq(asked->v[i], type))
            return true;
    return asked->n == 0 && str_eq_c(type, "MetricAlarm");
}

static enum err match_item(void *arg, struct str key, struct str record, bool *ret_match)
{
    struct past *p = arg;
    struct cloudwatch_alarm_history_item item = {0};
    struct cw_history h;
    TRY(read_item(p, key, record, &item, &h));
    *ret_match = type_asked(&p->in->alarm_types, item.alarm_type) &&
                 (!str_is_set(p->in->history_item_type) ||
                  str_eq(p->in->history_item_type, item.history_item_type)) &&
                 (!p->in->has_start_date || item.timestamp >= p->in->start_date) &&
                 (!p->in->has_end_date || item.timestamp <= p->in->end_date);
    return ERR_OK;
}

static enum err take_item(void *arg, struct str key, struct str record)
{
    struct past *p = arg;
    struct cw_history h;
    TRY(read_item(p, key, record, &p->v[p->n], &h));
    p->n++;
    return ERR_OK;
}

enum err cloudwatch_describe_alarm_history(struct call *call,
                                           const struct cloudwatch_describe_alarm_history_input *in,
                                           struct cloudwatch_describe_alarm_history_output *out)
{
    static const struct page_fns fns = {match_item, take_item};
    struct past p = {.call = call, .in = in, .of_one = str_is_set(in->alarm_name)};
    size_t limit = in->has_max_records ? (size_t)in->max_records : CW_ALARMS_PAGE;
    if (str_is_set(in->alarm_contributor_id))
        return CW_INVALID(call, "Contributors of alarms are not supported by Weir.");
    p.v = ARENA_ARRAY(call->arena, struct cloudwatch_alarm_history_item, limit);
    if (!p.v)
        return ERR_NOMEM;
    struct key_range range =
        p.of_one ? key_range(call->arena, &cw_k_history, call_scope(call), in->alarm_name)
                 : key_range(call->arena, &cw_k_history_time, call_scope(call));
    struct page page =
        page_of_call(call, p.of_one ? in->alarm_name : STR(""), in->next_token, limit);
    page.reverse = !str_eq_c(in->scan_by, "TimestampAscending");
    TRY(cw_paged(call, page_scan(call->txn, &page, range, &fns, &p)));
    out->alarm_history_items.v = p.v;
    out->alarm_history_items.n = p.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
