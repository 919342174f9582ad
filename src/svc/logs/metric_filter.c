/* Metric filters: events that match a pattern, counted as a metric in the commit that stores them.
 *
 * Values of one batch with the same dimensions in the same minute are put together first: what is written does
 * not grow with the events.
 * Layer: svc/logs. Thread: the transaction's. Source: CloudWatch Logs User Guide, "Creating metrics from log
 * events using filters". */
#include <math.h>

#include "base/pack.h"
#include "base/record.h"
#include "svc/logs/logs_int.h"

enum {
    MINUTE_MS = 60 * 1000,
    SERIES_MAX = 200, /* of one filter in one batch; more are left out */
    TOLD_BITS = 64,
};
#define VALUE_MAX 2.348542582773833e+108 /* what CloudWatch takes: 2^360 */

static const struct record_field dim_fields[] = {
    REC_STR(struct logs_metric_dim, name),
    REC_STR(struct logs_metric_dim, value),
};
static const struct record_type dim_type = RECORD_TYPE(struct logs_metric_dim, 1, dim_fields);

static const struct record_field metric_fields[] = {
    REC_STR(struct logs_metric_rec, pattern),
    REC_STR(struct logs_metric_rec, name),
    REC_STR(struct logs_metric_rec, space),
    REC_STR(struct logs_metric_rec, value),
    REC_STR(struct logs_metric_rec, unit),
    REC_BOOL(struct logs_metric_rec, has_otherwise),
    REC_F64(struct logs_metric_rec, otherwise),
    REC_LIST(struct logs_metric_rec, dims, n_dims, LOGS_METRIC_DIMS_MAX, &dim_type),
    REC_INT(struct logs_metric_rec, created_ms),
    REC_SINCE(2, REC_INT(struct logs_metric_rec, told_ms)),
    REC_SINCE(2, REC_UINT(struct logs_metric_rec, told)),
};
static const struct record_type metric_type = RECORD_TYPE(struct logs_metric_rec, 2, metric_fields);

enum err logs_metric_parse(struct arena *a, struct str record, struct logs_metric_rec *ret)
{
    return record_unpack_copy(&metric_type, a, record, ret);
}

enum err logs_metric_read(struct txn *txn, uint64_t group_id, struct str name,
                          struct logs_metric_rec *ret)
{
    struct str record;
    TRY(txn_get(txn, key_make(txn->arena, &logs_k_metric, group_id, name), &record));
    return record_unpack(&metric_type, txn->arena, record, ret);
}

enum err logs_metric_write(struct txn *txn, uint64_t group_id, struct str name,
                           const struct logs_metric_rec *rec)
{
    struct str record;
    TRY(record_make(&metric_type, txn->arena, rec, &record));
    return txn_put(txn, key_make(txn->arena, &logs_k_metric, group_id, name), record);
}

/* --- one filter over a batch --------------------------------------------------------------------- */

struct gathered {
    int64_t minute_ms;
    struct cw_dim dims[LOGS_METRIC_DIMS_MAX];
    size_t n_dims;
    struct tally values;
};

struct counting {
    struct logs *logs;
    struct txn *txn;
    struct key_scope scope;
    struct logs_metric_rec rec;
    struct filter filter;
    bool extracts; /* the value is taken from the event */
    double fixed;
    struct filter_extract value, dims[LOGS_METRIC_DIMS_MAX];
    struct gathered *v;
    size_t n;
    int64_t empty[SERIES_MAX]; /* minutes of events that did not match */
    size_t n_empty;
};

static enum err prepare(struct counting *c)
{
    struct arena *a = c->txn->arena;
    TRY(filter_parse(a, c->rec.pattern, &c->filter, NULL));
    c->extracts = str_to_f64(c->rec.value, &c->fixed) != ERR_OK;
    if (c->extracts)
        TRY(filter_extract_parse(a, &c->filter, c->rec.value, &c->value));
    for (size_t i = 0; i < c->rec.n_dims; i++)
        TRY(filter_extract_parse(a, &c->filter, c->rec.dims[i].value, &c->dims[i]));
    c->v = ARENA_ARRAY(a, struct gathered, SERIES_MAX);
    return c->v ? ERR_OK : ERR_NOMEM;
}

static bool same(const struct gathered *g, int64_t minute_ms, const struct cw_dim *dims, size_t n)
{
    bool yes = g->minute_ms == minute_ms && g->n_dims == n;
    for (size_t i = 0; yes && i < n; i++)
        yes = str_eq(g->dims[i].value, dims[i].value);
    return yes;
}

static enum err gather(struct counting *c, int64_t at_ms, const struct cw_dim *dims, size_t n_dims,
                       double value)
{
    int64_t minute = at_ms - at_ms % MINUTE_MS;
    size_t i = 0;
    if (!isfinite(value) || fabs(value) > VALUE_MAX)
        return ERR_OK;
    while (i < c->n && !same(&c->v[i], minute, dims, n_dims))
        i++;
    if (i == SERIES_MAX)
        return ERR_OK;
    struct gathered *g = &c->v[i];
    if (i == c->n) {
        g->minute_ms = minute;
        g->n_dims = n_dims;
        for (size_t k = 0; k < n_dims; k++)
            g->dims[k] = dims[k];
        tally_init(&g->values, c->txn->arena);
        c->n++;
    }
    return tally_add(&g->values, value, 1);
}

/* Events come in the order of time. */
static void note_empty(struct counting *c, int64_t minute_ms)
{
    if (c->n_empty == SERIES_MAX || (c->n_empty > 0 && c->empty[c->n_empty - 1] == minute_ms))
        return;
    c->empty[c->n_empty++] = minute_ms;
}

/* Whether the minute had a value before; from now on it has. What is older than the bits say had one. */
static bool take_minute(struct logs_metric_rec *r, int64_t minute_ms)
{
    int64_t ahead = (minute_ms - r->told_ms) / MINUTE_MS;
    if (ahead <= -TOLD_BITS)
        return true;
    if (ahead > 0) {
        r->told = ahead < TOLD_BITS ? r->told << ahead : 0;
        r->told_ms = minute_ms;
        ahead = 0;
    }
    uint64_t bit = (uint64_t)1 << -ahead;
    bool had = r->told & bit;
    r->told |= bit;
    return had;
}

/* The minutes of the batch that have no value yet get the default one. A match that comes later in such a
 * minute adds its own. */
static enum err fill_empty(struct counting *c, struct str key)
{
    struct str record;
    const uint64_t before = c->rec.told;
    const int64_t before_ms = c->rec.told_ms;
    if (!c->rec.has_otherwise)
        return ERR_OK;
    for (size_t i = 0; i < c->n; i++)
        (void)take_minute(&c->rec, c->v[i].minute_ms);
    for (size_t i = 0; i < c->n_empty; i++)
        if (!take_minute(&c->rec, c->empty[i]))
            TRY(gather(c, c->empty[i], NULL, 0, c->rec.otherwise));
    if (c->rec.told == before && c->rec.told_ms == before_ms)
        return ERR_OK;
    TRY(record_make(&metric_type, c->txn->arena, &c->rec, &record));
    return txn_put(c->txn, key, record);
}

static enum err count_event(struct counting *c, const struct logs_event *e)
{
    struct cw_dim dims[LOGS_METRIC_DIMS_MAX];
    struct filter_parts parts;
    size_t n = 0;
    bool matches;
    double value = c->fixed;
    TRY(filter_matches(&c->filter, c->txn->arena, e->message, &parts, &matches));
    if (!matches) {
        if (c->rec.has_otherwise)
            note_empty(c, e->timestamp_ms - e->timestamp_ms % MINUTE_MS);
        return ERR_OK;
    }
    if (c->extracts && str_to_f64(filter_extract_text(&c->value, &parts), &value) != ERR_OK)
        return ERR_OK; /* it has no such number */
    for (size_t i = 0; i < c->rec.n_dims; i++) {
        struct str text = filter_extract_text(&c->dims[i], &parts);
        if (text.len > 0)
            dims[n++] = (struct cw_dim){c->rec.dims[i].name, text};
    }
    return gather(c, e->timestamp_ms, dims, n, value);
}

struct batch {
    struct logs *logs;
    struct txn *txn;
    struct key_scope scope;
    const struct logs_event *events;
    size_t n;
};

static enum err count_by(void *arg, struct str key, struct str record)
{
    const struct batch *b = arg;
    struct counting *c = ARENA_NEW(b->txn->arena, struct counting);
    if (!c)
        return ERR_NOMEM;
    c->logs = b->logs;
    c->txn = b->txn;
    c->scope = b->scope;
    TRY(logs_metric_parse(b->txn->arena, record, &c->rec));
    enum err err = prepare(c);
    if (err)
        return err == ERR_NOMEM ? err : ERR_OK; /* stored by a version that knew more */
    struct str own = str_dup(b->txn->arena, key);
    if (!str_is_set(own))
        return ERR_NOMEM;
    for (size_t i = 0; i < b->n; i++)
        TRY(count_event(c, &b->events[i]));
    TRY(fill_empty(c, own));
    for (size_t i = 0; i < c->n; i++) {
        struct cw_datum d = {
            .metric = {c->rec.space, c->rec.name, c->v[i].dims, c->v[i].n_dims},
            .unit = c->rec.unit,
            .at_ms = c->v[i].minute_ms,
            .values = &c->v[i].values,
        };
        TRY(logs_put_metric(b->logs, b->txn, b->scope, &d));
    }
    return ERR_OK;
}

enum err logs_events_as_metrics(struct logs *logs, struct txn *txn, struct key_scope scope,
                                const struct logs_group *g, const struct logs_event *events,
                                size_t n)
{
    struct batch b = {logs, txn, scope, events, n};
    if (!logs->cloudwatch)
        return ERR_OK;
    for (size_t i = 0; i < n; i++)
        if (events[i].message.len > 0 && events[i].message.p[0] == '{')
            TRY(logs_embedded(logs, txn, scope, &events[i]));
    if (g->metric_filters == 0)
        return ERR_OK;
    return txn_each(txn, key_range(txn->arena, &logs_k_metric, g->id), count_by, &b);
}
