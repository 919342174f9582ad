/* Alarms as records, and mirrored in memory: who watches a metric, and which composite alarms ask for an
 * alarm, is asked at each value and each change of state.
 *
 * Layer: svc/cloudwatch. Thread: the transaction's. */
#include <assert.h>

#include "svc/cloudwatch/cloudwatch_int.h"
#include "svc/cloudwatch/cw_rule.h"

enum { ALARM_BYTES_MAX = 1024 * 1024 };

static const struct record_field dim_fields[] = {
    REC_STR(struct cw_dim, name),
    REC_STR(struct cw_dim, value),
};
static const struct record_type dim_type = RECORD_TYPE(struct cw_dim, 1, dim_fields);

static const struct record_field query_fields[] = {
    REC_STR(struct cw_query, id),
    REC_STR(struct cw_query, expression),
    REC_STR(struct cw_query, label),
    REC_STR(struct cw_query, space),
    REC_STR(struct cw_query, name),
    REC_STR(struct cw_query, stat),
    REC_LIST(struct cw_query, dims, n_dims, CW_DIMS_MAX, &dim_type),
    REC_INT(struct cw_query, period_s),
    REC_UINT(struct cw_query, unit),
    REC_BOOL(struct cw_query, returned),
};
static const struct record_type query_type = RECORD_TYPE(struct cw_query, 1, query_fields);

static const struct record_field alarm_fields[] = {
    REC_BOOL(struct cw_alarm, composite),
    REC_BOOL(struct cw_alarm, actions_off),
    REC_BOOL(struct cw_alarm, math),
    REC_STR(struct cw_alarm, description),
    REC_LIST(struct cw_alarm, ok, n_ok, CW_ACTIONS_MAX, &record_str),
    REC_LIST(struct cw_alarm, alarm, n_alarm, CW_ACTIONS_MAX, &record_str),
    REC_LIST(struct cw_alarm, insufficient, n_insufficient, CW_ACTIONS_MAX, &record_str),
    REC_INT(struct cw_alarm, configured_ms),
    REC_INT(struct cw_alarm, updated_ms),
    REC_INT(struct cw_alarm, transitioned_ms),
    REC_ENUM(struct cw_alarm, state, CW_STATES),
    REC_STR(struct cw_alarm, reason),
    REC_STR(struct cw_alarm, reason_data),
    REC_LIST(struct cw_alarm, queries, n_queries, CW_ALARM_QUERIES_MAX, &query_type),
    REC_INT(struct cw_alarm, periods),
    REC_INT(struct cw_alarm, to_alarm),
    REC_F64(struct cw_alarm, threshold),
    REC_ENUM(struct cw_alarm, comparison, CW_COMPARISONS),
    REC_ENUM(struct cw_alarm, missing, CW_MISSING_VALUES),
    REC_BOOL(struct cw_alarm, missing_given),
    REC_ENUM(struct cw_alarm, low_samples, CW_LOW_VALUES),
    REC_STR(struct cw_alarm, rule),
    REC_STR(struct cw_alarm, suppressor),
    REC_INT(struct cw_alarm, wait_s),
    REC_INT(struct cw_alarm, extension_s),
    REC_ENUM(struct cw_alarm, suppressed, CW_SUPPRESSED_ALARM + 1),
    REC_INT(struct cw_alarm, suppressed_until_ms),
    REC_STR(struct cw_alarm, suppressed_reason),
    REC_BOOL(struct cw_alarm, set_by_hand),
};
static const struct record_type alarm_type = RECORD_TYPE(struct cw_alarm, 1, alarm_fields);

/* --- names -------------------------------------------------------------------------------------- */

static const struct str states[CW_STATES] = {
    [CW_OK] = STR_INIT("OK"),
    [CW_ALARM] = STR_INIT("ALARM"),
    [CW_INSUFFICIENT] = STR_INIT("INSUFFICIENT_DATA"),
};

static const struct str comparisons[CW_COMPARISONS] = {
    [CW_GREATER_OR_EQUAL] = STR_INIT("GreaterThanOrEqualToThreshold"),
    [CW_GREATER] = STR_INIT("GreaterThanThreshold"),
    [CW_LESS] = STR_INIT("LessThanThreshold"),
    [CW_LESS_OR_EQUAL] = STR_INIT("LessThanOrEqualToThreshold"),
};
static const struct str missings[CW_MISSING_VALUES] = {
    [CW_MISSING_MISSING] = STR_INIT("missing"),
    [CW_MISSING_IGNORE] = STR_INIT("ignore"),
    [CW_MISSING_BREACHING] = STR_INIT("breaching"),
    [CW_MISSING_NOT_BREACHING] = STR_INIT("notBreaching"),
};

struct str cw_comparison_name(enum cw_comparison c)
{
    return comparisons[c];
}

struct str cw_missing_name(enum cw_missing m)
{
    return missings[m];
}

struct str cw_state_name(enum cw_state state)
{
    assert(state < CW_STATES);
    return states[state];
}

bool cw_state_parse(struct str name, enum cw_state *ret)
{
    for (int s = 0; s < CW_STATES; s++)
        if (str_eq(name, states[s]))
            return *ret = (enum cw_state)s, true;
    return false;
}

struct str cw_alarm_arn(struct arena *a, const struct core *core, struct key_scope scope,
                        struct str name)
{
    const struct arn arn = {.partition = core->cfg.partition,
                            .service = STR("cloudwatch"),
                            .region = scope.region,
                            .account = scope.account};
    return arn_make(a, &arn, "alarm:" STR_FMT, STR_ARG(name));
}

struct str cw_alarm_ref(struct arena *a, struct key_scope scope, struct str name)
{
    struct arn arn;
    if (arn_is(name)) {
        if (arn_parse_as(name, "cloudwatch", "alarm", &arn) != ERR_OK ||
            !str_eq(arn.account, scope.account) || !str_eq(arn.region, scope.region))
            return STR_NONE;
        name = arn_tail(&arn, 1);
    }
    return key_make(a, &cw_k_alarm, scope, name);
}

struct str cw_query_metric(struct arena *a, struct key_scope scope, const struct cw_query *q)
{
    const struct cw_metric m = {q->space, q->name, q->dims, q->n_dims};
    assert(str_is_set(q->name));
    return cw_metric_key(a, scope, &m);
}

/* --- the catalogue ------------------------------------------------------------------------------ */

static enum err index_queries(struct cw_alarm *alarm, struct key_scope scope)
{
    for (size_t i = 0; i < alarm->n_queries; i++) {
        if (!str_is_set(alarm->queries[i].name))
            continue;
        struct str key = cw_query_metric(&alarm->object.arena, scope, &alarm->queries[i]);
        if (!str_is_set(key))
            return ERR_NOMEM;
        TRY(catalogue_index(&alarm->object, CW_BY_METRIC, key));
    }
    return ERR_OK;
}

static enum err index_child(struct cw_alarm *alarm, struct key_scope scope, struct str name)
{
    struct str key = cw_alarm_ref(&alarm->object.arena, scope, name);
    return str_is_set(key) ? catalogue_index(&alarm->object, CW_BY_CHILD, key) : ERR_NOMEM;
}

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    struct cw_alarm *alarm = CONTAINER_OF(object, struct cw_alarm, object);
    struct key_scope scope;
    struct str name;
    TRY(record_unpack_copy(&alarm_type, &object->arena, record, alarm));
    TRY(key_read(&cw_k_alarm, object->key, &object->arena, &scope, &name));
    if (!alarm->composite)
        return index_queries(alarm, scope);
    struct cw_rule *rule = ARENA_NEW(&object->arena, struct cw_rule);
    if (!rule)
        return ERR_NOMEM;
    enum err err = cw_rule_parse(&object->arena, alarm->rule, rule, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_CORRUPT;
    for (size_t i = 0; i < rule->n_names; i++)
        TRY(index_child(alarm, scope, rule->names[i]));
    return str_is_set(alarm->suppressor) ? index_child(alarm, scope, alarm->suppressor) : ERR_OK;
}

static const struct catalogue_type catalogue_type = {
    .name = "cloudwatch: alarm",
    .size = sizeof(struct cw_alarm),
    .arena_max = ALARM_BYTES_MAX,
    .n_indexes = CW_ALARM_INDEXES,
    .when = CATALOGUE_COMMITTED,
    .lack = CATALOGUE_RETRY,
    .decode = decode,
};

enum err cw_alarms_init(struct cw *cw)
{
    return catalogue_new(cw->core, &catalogue_type, cw, &cw->alarms);
}

enum err cw_alarms_load(struct txn *txn, void *self)
{
    struct cw *cw = self;
    struct buf prefix;
    buf_init_arena(&prefix, txn->arena, KEY_HEAD);
    key_start(&prefix, (enum key_space)cw_k_alarm.space, cw_k_alarm.table);
    TRY(buf_err(&prefix));
    return catalogue_load(cw->alarms, txn, buf_str(&prefix));
}

/* --- records ------------------------------------------------------------------------------------ */

enum err cw_alarm_parse(struct arena *a, struct str record, struct cw_alarm *ret)
{
    memset(ret, 0, sizeof(*ret));
    return record_unpack_copy(&alarm_type, a, record, ret);
}

enum err cw_alarm_read(struct txn *txn, struct str key, struct cw_alarm *ret)
{
    struct str record;
    TRY(txn_get(txn, key, &record));
    return cw_alarm_parse(txn->arena, record, ret);
}

enum err cw_alarm_write(struct cw *cw, struct txn *txn, struct str key,
                        const struct cw_alarm *alarm)
{
    struct str record;
    assert(alarm->composite ? str_is_set(alarm->rule) : alarm->n_queries > 0);
    TRY(record_make(&alarm_type, txn->arena, alarm, &record));
    return catalogue_put(cw->alarms, txn, key, record);
}
