/* The service as a whole: life, port, and the figures of all services that are collected here.
 *
 * Layer: svc/cloudwatch. Thread: see core/svc.h. */
#include "svc/cloudwatch/cloudwatch.h"

#include "base/mem.h"
#include "core/measure.h"
#include "svc/cloudwatch/cloudwatch_int.h"

static void release(void *self)
{
    struct cw *cw = self;
    if (cw->measuring)
        measures_free(cw->core);
    catalogue_free(cw->alarms);
    mem_free(cw);
}

/* --- the port ----------------------------------------------------------------------------------- */

static bool name_fits(struct str s, size_t max)
{
    return s.len > 0 && s.len <= max;
}

static bool datum_fits(const struct txn *txn, const struct cw_datum *d)
{
    if (!name_fits(d->metric.space, 255) || !name_fits(d->metric.name, 255) ||
        d->metric.n_dims > CW_DIMS_MAX || d->values->count <= 0)
        return false;
    for (size_t i = 0; i < d->metric.n_dims; i++)
        if (!name_fits(d->metric.dims[i].name, 255) || !name_fits(d->metric.dims[i].value, 1024))
            return false;
    if (str_is_set(d->unit) && cw_unit_of(d->unit) >= CW_UNITS)
        return false;
    return d->at_ms >= max_i64(0, txn->wall_ms - CW_PAST_MS) &&
           d->at_ms <= txn->wall_ms + CW_FUTURE_MS;
}

static enum err port_put(void *self, struct txn *txn, struct key_scope scope,
                         struct cw_datum *datum)
{
    if (!datum_fits(txn, datum))
        return ERR_INVALID;
    TRY(cw_metric_sort(txn->arena, &datum->metric));
    enum err err = cw_put(self, txn, scope, datum);
    return err == ERR_LIMIT ? ERR_INVALID : err;
}

static const void *port(void *self)
{
    struct cw *cw = self;
    return &cw->port;
}

/* --- services' figures -------------------------------------------------------------------------- */

static const char *const measured_units[] = {
    [MEASURE_NONE] = "None",
    [MEASURE_COUNT] = "Count",
    [MEASURE_MILLISECONDS] = "Milliseconds",
    [MEASURE_SECONDS] = "Seconds",
    [MEASURE_BYTES] = "Bytes",
    [MEASURE_PER_CENT] = "Percent",
};

/* What cannot be a metric (a name that is too long) is left out. */
static enum err put_measured(void *arg, struct txn *txn, const struct measure_seen *seen)
{
    struct cw *cw = arg;
    struct cw_dim dims[MEASURE_DIMS_MAX];
    struct cw_datum d = {
        .metric = {seen->space, seen->name, dims, seen->n_dims},
        .unit = str_c(measured_units[seen->unit]),
        .at_ms = seen->at_ms,
        .values = seen->values,
    };
    for (size_t i = 0; i < seen->n_dims; i++)
        dims[i] = (struct cw_dim){seen->dims[i].name, seen->dims[i].value};
    const struct key_scope scope = {str_is_set(seen->account) ? seen->account
                                                              : cw->core->cfg.account,
                                    str_is_set(seen->region) ? seen->region : cw->core->cfg.region};
    enum err err = port_put(cw, txn, scope, &d);
    return err == ERR_INVALID ? ERR_OK : err;
}

/* --- life --------------------------------------------------------------------------------------- */

static enum err start(void *self)
{
    struct cw *cw = self;
    TRY(txn_run_now(cw->core, cw_alarms_load, cw));
    TRY(measures_new(cw->core, put_measured, cw));
    cw->measuring = true;
    return ERR_OK;
}

static enum err make(struct core *core, void **ret_self)
{
    struct cw *cw = mem_calloc(1, sizeof(*cw));
    if (!cw)
        return ERR_NOMEM;
    cw->core = core;
    cw->port = (struct cloudwatch_port){.self = cw, .put = port_put};
    enum err err = cw_alarms_init(cw);
    if (err == ERR_OK)
        err = cw_due_register(cw);
    if (err == ERR_OK)
        err = cw_sweep_register(cw);
    if (err) {
        release(cw);
        return err;
    }
    *ret_self = cw;
    return ERR_OK;
}

static void drain(void *self, void (*done)(void *arg), void *arg)
{
    struct cw *cw = self;
    measures_drain(cw->core, done, arg);
}

/* --- permissions that lists of names need -------------------------------------------------------- */

static enum err authorize_alarms(struct call *call, const char *action,
                                 const struct cloudwatch_alarm_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        struct str arn = cw_alarm_arn(call->arena, call->core, call_scope(call), names->v[i]);
        if (!str_is_set(arn))
            return ERR_NOMEM;
        TRY(call_authorize(call, action, arn));
    }
    return ERR_OK;
}

static enum err authorize_more(struct call *call, const void *in)
{
    if (call->op->index == CLOUDWATCH_OP_DELETE_ALARMS)
        return authorize_alarms(call, "cloudwatch:DeleteAlarms",
                                &((const struct cloudwatch_delete_alarms_input *)in)->alarm_names);
    if (call->op->index == CLOUDWATCH_OP_ENABLE_ALARM_ACTIONS)
        return authorize_alarms(
            call, "cloudwatch:EnableAlarmActions",
            &((const struct cloudwatch_enable_alarm_actions_input *)in)->alarm_names);
    if (call->op->index == CLOUDWATCH_OP_DISABLE_ALARM_ACTIONS)
        return authorize_alarms(
            call, "cloudwatch:DisableAlarmActions",
            &((const struct cloudwatch_disable_alarm_actions_input *)in)->alarm_names);
    if (call->op->index != CLOUDWATCH_OP_DELETE_DASHBOARDS)
        return ERR_OK;
    const struct cloudwatch_delete_dashboards_input *d = in;
    for (size_t i = 0; i < d->dashboard_names.n; i++) {
        struct str arn =
            cw_dashboard_arn(call->arena, call->core, call_scope(call), d->dashboard_names.v[i]);
        if (!str_is_set(arn))
            return ERR_NOMEM;
        TRY(call_authorize(call, "cloudwatch:DeleteDashboards", arn));
    }
    return ERR_OK;
}

const struct svc_def cloudwatch_def = {
    .wire = &cloudwatch_service,
    .make = make,
    .start = start,
    .drain = drain,
    .release = release,
    .port = port,
    .authorize_more = authorize_more,
    .tags = &cw_tags,
};
