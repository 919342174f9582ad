/* An event: its document, and its way from a bus to archives and targets.
 *
 * Source: EventBridge User Guide, "Events", "Event bus targets" (no third bus), "Using dead-letter
 * queues".
 * Layer: svc/events. Thread: the transaction's. */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "svc/events/events_int.h"

/* --- the document ------------------------------------------------------------------------------- */

enum err events_event_make(struct txn *txn, struct key_scope scope, const struct events_draft *d,
                           struct str *ret_text, struct str *ret_id)
{
    char uuid[RNG_UUID_LEN + 1], when[CLOCK_TEXT_MAX];
    struct buf b;
    struct json_out o;
    *ret_id = str_dup(txn->arena, rng_uuid(uuid));
    if (!str_is_set(*ret_id))
        return ERR_NOMEM;
    buf_init_arena(&b, txn->arena, EVENTS_EVENT_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("version"), STR("0"));
    json_kv_str(&o, STR("id"), *ret_id);
    json_kv_str(&o, STR("detail-type"), d->detail_type);
    json_kv_str(&o, STR("source"), d->source);
    json_kv_str(&o, STR("account"), scope.account);
    json_kv_str(&o, STR("time"), clock_iso8601(when, d->time_ms));
    json_kv_str(&o, STR("region"), scope.region);
    json_key(&o, STR("resources"));
    json_open(&o, '[');
    for (size_t i = 0; i < d->n_resources; i++)
        json_str(&o, d->resources[i]);
    json_close(&o, ']');
    json_key(&o, STR("detail"));
    json_raw(&o, d->detail);
    json_close(&o, '}');
    *ret_text = buf_str(&b);
    return buf_err(&b);
}

enum err events_event_replayed(struct arena *a, struct str text, struct str replay,
                               struct str *ret_text)
{
    struct buf b;
    assert(str_ends(text, STR("}")));
    buf_init_arena(&b, a, EVENTS_EVENT_BYTES_MAX + 1024);
    buf_add(&b, text.p, text.len - 1);
    BUF_ADD_LIT(&b, ",\"replay-name\":");
    json_put_str(&b, replay);
    buf_add_byte(&b, '}');
    *ret_text = buf_str(&b);
    return buf_err(&b);
}

enum err events_event_parse(struct arena *a, struct events_event *e)
{
    int64_t ms;
    enum err err = json_parse(a, e->text, &e->tree, NULL);
    if (err == ERR_NOMEM || err == ERR_OK)
        TRY(err);
    if (err || e->tree->kind != JSON_OBJECT)
        return ERR_INVALID;
    if (clock_parse_iso8601(json_get_str(e->tree, STR("time")), &ms) == ERR_OK)
        e->time_ms = ms;
    return ERR_OK;
}

/* --- to targets --------------------------------------------------------------------------------- */

struct sending {
    struct events *ev;
    struct txn *txn;
    const struct events_rule_rec *rule;
    const struct events_event *event;
    struct str rule_arn;
};

static enum err send_target(const struct sending *s, const struct events_target_rec *t)
{
    struct core *core = s->ev->core;
    bool bus = target_is(core, t->arn, "bus");
    const struct target_pair attributes[] = {
        {STR("RULE_ARN"), s->rule_arn},
        {STR("TARGET_ARN"), t->arn},
    };
    const struct events_input_for input = {t, s->rule_arn, s->rule->name, s->txn->wall_ms};
    struct send piece = {
        .arn = t->arn,
        .service = STR(EVENTS_PRINCIPAL),
        .source_arn = s->rule_arn,
        .source_account = s->rule->scope.account,
        .role = str_is_set(t->role) ? t->role
                : bus               ? s->rule->role
                                    : STR_NONE,
        .group_id = t->group_id,
        .trace = s->event->trace,
        .dead_letter = t->dead_letter,
        .dead_payload = s->event->text,
        .words = SEND_WORDS_EVENTS,
        .attributes = attributes,
        .n_attributes = ARRAY_LEN(attributes),
        .fault = bus && s->event->from_bus ? STR("THIRD_ACCOUNT_HOP_DETECTED") : STR_NONE,
    };
    TRY(events_http_fill(s->txn->arena, &t->http, s->event->tree, &piece.http));
    enum err err =
        events_input_make(s->txn->arena, &input, s->event->text, s->event->tree, &piece.payload);
    if (err == ERR_LIMIT) {
        piece.payload = STR("{}");
        piece.fault = STR("INVALID_PARAMETER");
    } else
        TRY(err);
    if (!str_is_set(piece.fault) && str_eq(piece.payload, s->event->text))
        piece.dead_payload = STR_NONE; /* once is enough */
    const struct deliver_options opt = {
        .attempts_max = (int)(t->retries >= 0 ? t->retries : EVENTS_RETRIES) + 1,
        .age_max_ms = (t->age_max_s >= 0 ? t->age_max_s : EVENTS_AGE_MAX_S) * 1000,
    };
    return send_add(core->deliver, s->txn, &piece, &opt);
}

enum err events_send_targets(struct events *ev, struct txn *txn, const struct events_rule_rec *r,
                             const struct events_event *e)
{
    struct sending s = {.ev = ev, .txn = txn, .rule = r, .event = e};
    TRY(events_measure_rule(ev, txn, r));
    if (r->n_targets == 0)
        return ERR_OK;
    s.rule_arn = events_rule_arn(txn->arena, ev->core, r);
    if (!str_is_set(s.rule_arn))
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n_targets; i++) {
        TRY(txn_work(txn, e->text.len));
        TRY(send_target(&s, &r->targets[i]));
    }
    return ERR_OK;
}

/* --- matching ----------------------------------------------------------------------------------- */

static bool chosen(const struct events *ev, struct txn *txn, const struct events_event *e,
                   const struct events_rule_rec *r)
{
    if (!e->replay || e->replay->n_filters == 0)
        return true;
    struct str arn = events_rule_arn(txn->arena, ev->core, r);
    for (size_t i = 0; i < e->replay->n_filters; i++)
        if (str_eq(e->replay->filters[i], arn))
            return true;
    return false;
}

static enum err matched(struct events *ev, struct txn *txn, const struct events_event *e,
                        const struct events_index *index, uint32_t id)
{
    if (id < index->n_rules) {
        const struct events_rule_rec *r = index->rules[id];
        return chosen(ev, txn, e, r) ? events_send_targets(ev, txn, r, e) : ERR_OK;
    }
    return e->replay ? ERR_OK /* EV4 */
                     : events_archive_event(txn, index->set_archives[id - index->n_rules], e);
}

enum err events_emit(struct events *ev, struct txn *txn, const struct events_event *e)
{
    struct events_index *index;
    const uint32_t *ids = NULL;
    size_t n = 0;
    assert(e->tree && str_is_set(e->bus));
    TRY(txn_work_row(txn, e->bus, e->text));
    TRY(events_index_take(ev, txn, e->scope, e->bus, &index));
    enum err err = pattern_set_match(index->set, e->tree, txn->arena, &ids, &n);
    if (err == ERR_LIMIT)
        log_warn("events", "an event on " STR_FMT " is too intricate to be matched",
                 STR_ARG(e->bus));
    else
        TRY(err);
    for (size_t i = 0; i < n; i++)
        TRY(matched(ev, txn, e, index, ids[i]));
    for (size_t i = 0; i < index->n_all_archives && !e->replay; i++)
        TRY(events_archive_event(txn, index->all_archives[i], e));
    atomic_fetch_add(&ev->emitted, 1);
    return ERR_OK;
}
