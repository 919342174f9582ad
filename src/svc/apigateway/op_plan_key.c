/* CreateUsagePlanKey, GetUsagePlanKey, GetUsagePlanKeys, DeleteUsagePlanKey, and what of a plan its keys
 * used: GetUsage, UpdateUsage. Layer: svc/apigateway.
 * Source: API Gateway API Reference, "UsagePlanKey", "Usage". */
#include "svc/apigateway/op_key_int.h"

/* NotFoundException unless the key is in the plan. */
static enum err need_member(struct call *call, struct str plan_id, struct str key_id,
                            struct usage_plan *ret_plan, struct usage_key *ret_key)
{
    TRY(keys_plan_need(call, plan_id, ret_plan));
    TRY(keys_need(call, key_id, ret_key));
    return keys_member_place(ret_key, plan_id) != SIZE_MAX
               ? ERR_OK
               : APIGATEWAY_ABSENT(call, "Invalid API Key identifier specified");
}

static enum err doc_of(struct call *call, const struct usage_key *key, struct json **ret)
{
    struct json *doc = json_new(call->arena, JSON_OBJECT);
    struct str value;
    if (!doc)
        return ERR_NOMEM;
    TRY(keys_value(call, key, &value));
    TRY(keys_set(call, doc, "id", key->id));
    TRY(keys_set(call, doc, "type", STR("API_KEY")));
    TRY(keys_set(call, doc, "value", value));
    *ret = doc;
    return keys_set(call, doc, "name", key->name);
}

static enum err show(struct call *call, const struct usage_key *key, void *out)
{
    struct json *doc;
    TRY(doc_of(call, key, &doc));
    return apigateway_show(call, doc, out);
}

enum err apigateway_create_usage_plan_key(struct call *call,
                                          const struct apigateway_create_usage_plan_key_input *in,
                                          struct apigateway_create_usage_plan_key_output *out)
{
    struct usage_plan plan;
    struct usage_key key;
    TRY(keys_plan_need(call, in->usage_plan_id, &plan));
    if (!str_eq_c(in->key_type, "API_KEY"))
        return APIGATEWAY_BAD(call, "Invalid key type: it must be API_KEY");
    TRY(keys_need(call, in->key_id, &key));
    TRY(keys_member_add(call, &plan, &key));
    return show(call, &key, out);
}

enum err apigateway_get_usage_plan_key(struct call *call,
                                       const struct apigateway_get_usage_plan_key_input *in,
                                       struct apigateway_get_usage_plan_key_output *out)
{
    struct usage_plan plan;
    struct usage_key key;
    TRY(need_member(call, in->usage_plan_id, in->key_id, &plan, &key));
    return show(call, &key, out);
}

enum err apigateway_delete_usage_plan_key(struct call *call,
                                          const struct apigateway_delete_usage_plan_key_input *in,
                                          struct apigateway_delete_usage_plan_key_output *out)
{
    struct usage_plan plan;
    struct usage_key key;
    TRY(need_member(call, in->usage_plan_id, in->key_id, &plan, &key));
    TRY(keys_member_drop(call, plan.id, &key));
    return keys_write(call, &key);
}

/* --- listing ------------------------------------------------------------------------------------ */

struct listing {
    struct call *call;
    struct str name;
    struct json *items;
};

static enum err read_member(struct listing *l, struct str name, struct usage_key *ret)
{
    struct str id, record;
    TRY(key_read(&usage_k_member, name, l->call->arena, KEY_SKIP, KEY_SKIP, &id));
    TRY(txn_peek(l->call->txn, key_make(l->call->arena, &usage_k_key, call_scope(l->call), id),
                 &record));
    return record_unpack(&usage_key_type, l->call->arena, record, ret);
}

static enum err is_asked(void *arg, struct str name, struct str record, bool *ret_match)
{
    struct listing *l = arg;
    struct usage_key key;
    *ret_match = true;
    if (!str_is_set(l->name))
        return ERR_OK;
    TRY(read_member(l, name, &key));
    *ret_match = str_starts(key.name, l->name);
    return ERR_OK;
}

static enum err take(void *arg, struct str name, struct str record)
{
    struct listing *l = arg;
    struct usage_key key;
    struct json *doc;
    TRY(read_member(l, name, &key));
    TRY(doc_of(l->call, &key, &doc));
    return json_push(l->items, doc);
}

enum err apigateway_get_usage_plan_keys(struct call *call,
                                        const struct apigateway_get_usage_plan_keys_input *in,
                                        struct apigateway_get_usage_plan_keys_output *out)
{
    static const struct page_fns fns = {is_asked, take};
    struct listing l = {call, in->name_query, json_new(call->arena, JSON_ARRAY)};
    struct usage_plan plan;
    struct page page;
    TRY(keys_plan_need(call, in->usage_plan_id, &plan));
    TRY(keys_page(call, plan.id, in->position, in->has_limit, in->limit, &page));
    TRY(keys_scan(call, &page, key_range(call->arena, &usage_k_member, call_scope(call), plan.id),
                  &fns, &l));
    return keys_show_page(call, l.items, &page, out);
}

/* --- what was used ------------------------------------------------------------------------------ */

/* The days that were asked for, of one key after the other. */
struct days {
    struct call *call;
    const struct usage_plan *plan;
    int64_t from, to;    /* both included */
    struct usage_day *v; /* of the key at hand, by day - from */
    struct json *items;
};

static enum err take_day(void *arg, struct str key, struct str record)
{
    struct days *d = arg;
    struct usage_day day;
    TRY(record_unpack(&usage_day_type, d->call->arena, record, &day));
    if (day.day > d->to)
        return ERR_CLOSED;
    if (day.day >= d->from)
        d->v[day.day - d->from] = day;
    return ERR_OK;
}

/* Days of which nothing is stored had no request: what was left the day before, or the limit in a new
 * period. */
static enum err push_days(struct days *d, struct json *list)
{
    const struct usage_quota *q = &d->plan->quota;
    int64_t limit = q->period == USAGE_NO_QUOTA ? USAGE_LEFT_UNLIMITED : q->limit, left = limit;
    struct arena *a = d->call->arena;
    for (int64_t day = d->from; day <= d->to; day++) {
        const struct usage_day *u = &d->v[day - d->from];
        if (usage_period_first(q, day) == day)
            left = limit;
        if (u->day)
            left = u->left;
        struct json *pair = json_new(a, JSON_ARRAY);
        TRY(json_push(list, pair));
        TRY(json_push(pair, json_new_i64(a, u->used)));
        TRY(json_push(pair, json_new_i64(a, left)));
    }
    return ERR_OK;
}

static enum err add_days(struct days *d, struct str key_id)
{
    struct call *call = d->call;
    const struct usage_member member = {call_scope(call), d->plan->id, key_id};
    struct json *list = json_new(call->arena, JSON_ARRAY);
    struct usage_count now;
    int64_t today = usage_day_of(call->txn->wall_ms);
    memset(d->v, 0, sizeof(*d->v) * (size_t)(d->to - d->from + 1));
    TRY(json_set(d->items, key_id, list));
    TRY(txn_each(call->txn,
                 key_range(call->arena, &usage_k_day, member.scope, member.plan_id, key_id),
                 take_day, d));
    TRY(usage_counters_read(apigateway_of(call)->usage->counters, call->txn, &member,
                            &d->plan->quota, today, &now));
    const struct usage_day *newest[] = {&now.before, &now.today}; /* maybe not written yet */
    for (size_t i = 0; i < ARRAY_LEN(newest); i++)
        if (newest[i]->day >= d->from && newest[i]->day <= d->to && newest[i]->day)
            d->v[newest[i]->day - d->from] = *newest[i];
    return push_days(d, list);
}

static enum err take_member(void *arg, struct str key, struct str record)
{
    struct days *d = arg;
    struct str id;
    TRY(key_read(&usage_k_member, key, d->call->arena, KEY_SKIP, KEY_SKIP, &id));
    return add_days(d, id);
}

static enum err check_days(struct call *call, const struct apigateway_get_usage_input *in,
                           struct days *d)
{
    if (usage_day_parse(in->start_date, &d->from) != ERR_OK ||
        usage_day_parse(in->end_date, &d->to) != ERR_OK)
        return APIGATEWAY_BAD(call, "Invalid date: it must be of the form YYYY-MM-DD");
    if (d->to < d->from || d->to - d->from >= USAGE_DAYS_KEPT)
        return APIGATEWAY_BAD(call,
                              "Invalid date range: the end must not be before the start, nor "
                              "%d days or more after it",
                              USAGE_DAYS_KEPT);
    d->v = ARENA_ARRAY(call->arena, struct usage_day, USAGE_DAYS_KEPT);
    return d->v && d->items ? ERR_OK : ERR_NOMEM;
}

static enum err show_usage(struct call *call, const struct days *d, const struct page *page,
                           void *out)
{
    struct json *doc = json_new(call->arena, JSON_OBJECT);
    if (!doc)
        return ERR_NOMEM;
    TRY(keys_set(call, doc, "usagePlanId", d->plan->id));
    TRY(keys_set(call, doc, "startDate", usage_day_text(call->arena, d->from)));
    TRY(keys_set(call, doc, "endDate", usage_day_text(call->arena, d->to)));
    TRY(json_set(doc, STR("values"), d->items));
    TRY(keys_set(call, doc, "position", page ? page->next_token : STR_NONE));
    return apigateway_show(call, doc, out);
}

enum err apigateway_get_usage(struct call *call, const struct apigateway_get_usage_input *in,
                              struct apigateway_get_usage_output *out)
{
    static const struct page_fns fns = {NULL, take_member};
    struct usage_plan plan;
    struct usage_key key;
    struct page page;
    struct days d = {call, &plan, 0, 0, NULL, json_new(call->arena, JSON_OBJECT)};
    TRY(check_days(call, in, &d));
    TRY(keys_page(call, in->usage_plan_id, in->position, in->has_limit, in->limit, &page));
    if (str_is_set(in->key_id)) {
        TRY(need_member(call, in->usage_plan_id, in->key_id, &plan, &key));
        TRY(add_days(&d, key.id));
        return show_usage(call, &d, NULL, out);
    }
    TRY(keys_plan_need(call, in->usage_plan_id, &plan));
    TRY(keys_scan(call, &page, key_range(call->arena, &usage_k_member, call_scope(call), plan.id),
                  &fns, &d));
    return show_usage(call, &d, &page, out);
}

enum err apigateway_update_usage(struct call *call, const struct apigateway_update_usage_input *in,
                                 struct apigateway_update_usage_output *out)
{
    static const struct apigateway_patch_row rules[] = {
        {"/remaining", APIGATEWAY_REPLACE, APIGATEWAY_NUMBER, NULL}};
    static const struct apigateway_patch_table table = APIGATEWAY_PATCH_TABLE(rules);
    struct json *asked = json_new(call->arena, JSON_OBJECT);
    struct usage_plan plan;
    struct usage_key key;
    struct usage_count count;
    int64_t left;
    if (!asked)
        return ERR_NOMEM;
    TRY(need_member(call, in->usage_plan_id, in->key_id, &plan, &key));
    TRY(apigateway_patch(call, &table, in->patch_operations, asked));
    const struct json *given = json_get(asked, STR("remaining"));
    if (plan.quota.period == USAGE_NO_QUOTA)
        return APIGATEWAY_BAD(call, "Usage Plan " STR_FMT " has no quota", STR_ARG(plan.id));
    if (!given || json_to_i64(given, &left) != ERR_OK || left < 0 || left > INT32_MAX)
        return APIGATEWAY_BAD(call,
                              "Invalid remaining quota: it must be a whole number of requests");
    const struct usage_member member = {call_scope(call), plan.id, key.id};
    int64_t today = usage_day_of(call->txn->wall_ms);
    TRY(usage_counters_grant(apigateway_of(call)->usage->counters, call->txn, &member, &plan.quota,
                             today, left, &count));
    struct days d = {call, &plan, today, today, &count.today, json_new(call->arena, JSON_OBJECT)};
    struct json *list = json_new(call->arena, JSON_ARRAY);
    if (!d.items)
        return ERR_NOMEM;
    TRY(json_set(d.items, key.id, list));
    TRY(push_days(&d, list));
    return show_usage(call, &d, NULL, out);
}
