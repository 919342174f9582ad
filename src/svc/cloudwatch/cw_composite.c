/* Composite alarms: their rule over other alarms' states, and the suppression of their actions.
 *
 *   changed, suppressor in ALARM ----------------------------> held by it --leaves ALARM--> held, extension period
 *   changed, suppressor not -> held, wait period --in ALARM--^                              |   |
 *                                    |                        ^----------------- in ALARM --+   |
 *                                    +--over--> actions <-----------------------over------------+
 *
 * Source: CloudWatch API Reference, PutCompositeAlarm; User Guide, "Alarm suppression".
 * Layer: svc/cloudwatch. Thread: the transaction's. */
#include <assert.h>

#include "base/clock.h"
#include "codec/json.h"
#include "svc/cloudwatch/cloudwatch_int.h"
#include "svc/cloudwatch/cw_rule.h"

enum { TEXT_MAX = 64 * 1024 };

/* The states of a rule's alarms; one that is gone has no data. */
struct children {
    struct cw_rule rule;
    enum cw_state states[CW_RULE_NAMES_MAX];
    struct cw_alarm alarms[CW_RULE_NAMES_MAX];
};

static enum err read_children(struct cw_alarm_at *at, struct children *c)
{
    enum err err = cw_rule_parse(at->txn->arena, at->alarm->rule, &c->rule, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_CORRUPT;
    for (size_t i = 0; i < c->rule.n_names; i++) {
        struct str key = cw_alarm_ref(at->txn->arena, at->scope, c->rule.names[i]);
        err = cw_alarm_read(at->txn, key, &c->alarms[i]);
        if (err && err != ERR_NOT_FOUND)
            return err;
        c->states[i] = err ? CW_INSUFFICIENT : c->alarms[i].state;
    }
    return ERR_OK;
}

/* The alarm that changed last. */
static size_t newest(const struct children *c)
{
    size_t at = 0;
    for (size_t i = 1; i < c->rule.n_names; i++)
        if (c->alarms[i].transitioned_ms > c->alarms[at].transitioned_ms)
            at = i;
    return at;
}

static enum err tell(struct cw_alarm_at *at, const struct children *c, enum cw_state state)
{
    struct buf reason, data;
    struct json_out o;
    char when[CLOCK_TEXT_MAX];
    buf_init_arena(&reason, at->txn->arena, TEXT_MAX);
    buf_init_arena(&data, at->txn->arena, TEXT_MAX);
    json_out_init(&o, &data);
    json_open(&o, '{');
    json_key(&o, STR("triggeringAlarms"));
    json_open(&o, '[');
    if (c->rule.n_names > 0) {
        size_t k = newest(c);
        struct str key = cw_alarm_ref(at->txn->arena, at->scope, c->rule.names[k]), name;
        if (!str_is_set(key))
            return ERR_NOMEM;
        TRY(key_read(&cw_k_alarm, key, at->txn->arena, KEY_SKIP, &name));
        struct str arn = cw_alarm_arn(at->txn->arena, at->cw->core, at->scope, name);
        struct str iso = clock_iso8601_ms(when, c->alarms[k].transitioned_ms);
        buf_add_fmt(&reason, STR_FMT " transitioned to " STR_FMT " at " STR_FMT, STR_ARG(arn),
                    STR_ARG(cw_state_name(c->states[k])), STR_ARG(iso));
        json_open(&o, '{');
        json_kv_str(&o, STR("arn"), arn);
        json_key(&o, STR("state"));
        json_open(&o, '{');
        json_kv_str(&o, STR("value"), cw_state_name(c->states[k]));
        json_kv_str(&o, STR("timestamp"), iso);
        json_close(&o, '}');
        json_close(&o, '}');
    } else {
        buf_add_fmt(&reason, "The rule is always %s.", state == CW_ALARM ? "true" : "false");
    }
    json_close(&o, ']');
    json_close(&o, '}');
    TRY(buf_err(&reason));
    TRY(buf_err(&data));
    return cw_set_state(at, state, buf_str(&reason), buf_str(&data));
}

/* --- suppression -------------------------------------------------------------------------------- */

/* What is held goes on as the suppressor does. */
static enum err go_on(struct cw_alarm_at *at)
{
    struct cw_alarm *a = at->alarm;
    enum cw_suppressed was = a->suppressed;
    bool alarms, over = a->suppressed_until_ms <= at->txn->wall_ms;
    if (was == CW_SUPPRESSED_NOT)
        return ERR_OK;
    TRY(cw_suppressor_alarms(at, &alarms));
    if (alarms && was != CW_SUPPRESSED_ALARM)
        cw_hold(at, CW_SUPPRESSED_ALARM, 0);
    else if (!alarms && was == CW_SUPPRESSED_ALARM && a->extension_s > 0)
        cw_hold(at, CW_SUPPRESSED_EXTENSION, a->extension_s);
    else if (!alarms && (was == CW_SUPPRESSED_ALARM || over))
        a->suppressed = CW_SUPPRESSED_NOT;
    if (a->suppressed == was)
        return ERR_OK;
    if (a->suppressed == CW_SUPPRESSED_NOT) {
        a->suppressed_reason = STR_NONE;
        TRY(cw_do_actions(at));
    }
    return cw_alarm_write(at->cw, at->txn, at->key, a);
}

enum err cw_evaluate_composite(struct cw_alarm_at *at)
{
    struct children *c = ARENA_NEW(at->txn->arena, struct children);
    assert(at->alarm->composite);
    if (!c)
        return ERR_NOMEM;
    TRY(read_children(at, c));
    enum cw_state state = cw_rule_holds(&c->rule, c->states) ? CW_ALARM : CW_OK;
    if (state == at->alarm->state && !at->alarm->set_by_hand)
        return go_on(at);
    at->alarm->set_by_hand = false;
    return tell(at, c, state);
}
