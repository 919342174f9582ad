/* The embedded metric format: an event that says of itself which of its members are metrics.
 *
 *   {"_aws": {"Timestamp": ms, "CloudWatchMetrics": [{"Namespace": "n", "Dimensions": [["d"]],
 *             "Metrics": [{"Name": "m", "Unit": "Count", "StorageResolution": 60}]}]}, "d": "v", "m": 1}
 *
 * What is not as it should be is left out; the event is stored in any case.
 * Layer: svc/logs. Thread: the transaction's. Source: CloudWatch User Guide, "Specification: Embedded metric
 * format". */
#include <math.h>

#include "svc/logs/logs_int.h"

enum { METRICS_MAX = 100, DIMS_MAX = 30, SETS_MAX = 100, VALUES_MAX = 100 };
#define VALUE_MAX 2.348542582773833e+108

struct embedded {
    struct logs *logs;
    struct txn *txn;
    struct key_scope scope;
    const struct json *event;
    int64_t at_ms;
};

enum err logs_put_metric(struct logs *logs, struct txn *txn, struct key_scope scope,
                         struct cw_datum *datum)
{
    enum err err = logs->cloudwatch->put(logs->cloudwatch->self, txn, scope, datum);
    return err == ERR_INVALID ? ERR_OK : err;
}

static enum err add_value(const struct json *v, struct tally *t)
{
    double value;
    if (v->kind != JSON_NUMBER || json_to_f64(v, &value) != ERR_OK || fabs(value) > VALUE_MAX)
        return ERR_OK;
    return tally_add(t, value, 1);
}

/* A number, or a list of them. */
static enum err values_of(const struct json *v, struct tally *t)
{
    size_t n = 0;
    if (!v)
        return ERR_OK;
    if (v->kind != JSON_ARRAY)
        return add_value(v, t);
    JSON_EACH (v, it)
        if (n++ < VALUES_MAX)
            TRY(add_value(it, t));
    return ERR_OK;
}

/* One set of dimensions, by the names of members. False: it is not as it should be. */
static bool dims_of(const struct embedded *e, const struct json *set, struct cw_dim *dims,
                    size_t *ret_n)
{
    *ret_n = 0;
    JSON_EACH (set, it) {
        struct str value = json_get_str(e->event, it->text);
        if (it->kind != JSON_STRING || value.len == 0 || *ret_n == DIMS_MAX)
            return false;
        dims[(*ret_n)++] = (struct cw_dim){it->text, value};
    }
    return true;
}

static enum err put_metric(const struct embedded *e, const struct json *def, struct str space,
                           const struct json *set, const struct tally *values)
{
    struct cw_dim dims[DIMS_MAX];
    int64_t resolution = 60;
    const struct json *fine = json_get(def, STR("StorageResolution"));
    struct cw_datum d = {
        .metric = {space, json_get_str(def, STR("Name")), dims, 0},
        .unit = json_get_str(def, STR("Unit")),
        .at_ms = e->at_ms,
        .high = fine && json_to_i64(fine, &resolution) == ERR_OK && resolution == 1,
        .values = values,
    };
    if (!dims_of(e, set, dims, &d.metric.n_dims))
        return ERR_OK;
    return logs_put_metric(e->logs, e->txn, e->scope, &d);
}

static enum err put_directive(const struct embedded *e, const struct json *directive)
{
    struct str space = json_get_str(directive, STR("Namespace"));
    const struct json *sets = json_get(directive, STR("Dimensions"));
    size_t metrics = 0, n;
    JSON_EACH (json_get(directive, STR("Metrics")), def) {
        struct tally values;
        tally_init(&values, e->txn->arena);
        if (!str_is_set(json_get_str(def, STR("Name"))) || metrics++ == METRICS_MAX)
            continue;
        TRY(values_of(json_get(e->event, json_get_str(def, STR("Name"))), &values));
        if (values.count <= 0)
            continue;
        if (!sets || sets->n == 0)
            TRY(put_metric(e, def, space, NULL, &values));
        n = 0;
        JSON_EACH (sets, set)
            if (n++ < SETS_MAX)
                TRY(put_metric(e, def, space, set, &values));
    }
    return ERR_OK;
}

enum err logs_embedded(struct logs *logs, struct txn *txn, struct key_scope scope,
                       const struct logs_event *event)
{
    struct embedded e = {.logs = logs, .txn = txn, .scope = scope};
    struct json *v;
    if (str_find_str(event->message, STR("\"CloudWatchMetrics\"")) == SIZE_MAX)
        return ERR_OK;
    enum err err = json_parse(txn->arena, event->message, &v, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_OK;
    const struct json *aws = json_get(v, STR("_aws"));
    const struct json *at = json_get(aws, STR("Timestamp"));
    e.event = v;
    if (!at || json_to_i64(at, &e.at_ms) != ERR_OK)
        e.at_ms = event->timestamp_ms;
    JSON_EACH (json_get(aws, STR("CloudWatchMetrics")), directive)
        TRY(put_directive(&e, directive));
    return ERR_OK;
}
