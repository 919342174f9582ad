/* Points: values as they are put, read back by any period, and swept when their time is over.
 *
 * A value is added to a point of each class of periods at once (CW1): three or four small records are
 * written, and a period of any length reads the coarsest class that divides it, so a graph of a year costs
 * what one of a day does. Rejected: rolling up when a class's time is over, which is a job over all metrics
 * that must be exactly once; one record for many points, which every value would rewrite.
 *
 * Layer: svc/cloudwatch. Thread: the transaction's; the sweep on the home loop. */
#include <assert.h>

#include "base/rng.h"
#include "svc/cloudwatch/cloudwatch_int.h"

enum {
    SWEEP_EVERY_MS = 10 * 60 * 1000,
    SWEEP_STEP = 500, /* records of one transaction */
    PUT_STEP_MS = 5 * 60 * 1000,
};
#define HOUR_MS ((int64_t)60 * 60 * 1000)

const struct cw_class_def cw_classes[CW_CLASSES] = {
    [CW_1S] = {1000, 3 * HOUR_MS, HOUR_MS},
    [CW_1M] = {CW_MINUTE_MS, 15 * CW_DAY_MS, CW_DAY_MS},
    [CW_5M] = {5 * CW_MINUTE_MS, 63 * CW_DAY_MS, 4 * CW_DAY_MS},
    [CW_1H] = {HOUR_MS, 455 * CW_DAY_MS, 30 * CW_DAY_MS},
};

static const struct record_field value_fields[] = {
    REC_F64(struct tally_value, value),
    REC_F64(struct tally_value, weight),
};
static const struct record_type value_type = RECORD_TYPE(struct tally_value, 1, value_fields);

static const struct record_field tally_fields[] = {
    REC_F64(struct tally, sum),
    REC_F64(struct tally, count),
    REC_F64(struct tally, min),
    REC_F64(struct tally, max),
    REC_F64(struct tally, blind),
    REC_ENUM(struct tally, grid, TALLY_GRID_MAX + 1),
    REC_LIST(struct tally, values, n, TALLY_VALUES_MAX, &value_type),
};
static const struct record_type tally_type = RECORD_TYPE(struct tally, 1, tally_fields);

static enum err parse_point(struct arena *a, struct str record, struct tally *ret)
{
    tally_init(ret, a);
    TRY(record_unpack(&tally_type, a, record, ret));
    ret->cap = ret->n;
    return ERR_OK;
}

static int64_t floor_to(int64_t at_ms, int64_t step_ms)
{
    assert(at_ms >= 0 && step_ms > 0);
    return at_ms - at_ms % step_ms;
}

/* --- putting ------------------------------------------------------------------------------------ */

/* A metric in a transaction that puts values of it. */
struct putting {
    struct txn *txn;
    struct str key;
    struct cw_metric_rec rec;
    const struct cw_datum *datum;
    unsigned unit;
};

static enum err put_point(struct putting *p, enum cw_class class)
{
    const struct cw_class_def *c = &cw_classes[class];
    struct txn *txn = p->txn;
    struct tally t;
    struct str record;
    int64_t at = floor_to(p->datum->at_ms, c->period_ms);
    struct str key =
        key_make(txn->arena, &cw_k_point, p->rec.id, (uint8_t) class, at, (uint8_t)p->unit);
    enum err err = txn_get(txn, key, &record);
    if (err == ERR_NOT_FOUND) {
        tally_init(&t, txn->arena);
        struct str chunk = key_make(txn->arena, &cw_k_chunk, (uint8_t) class,
                                    floor_to(at, c->chunk_ms), p->rec.id);
        TRY(txn_put(txn, chunk, p->key));
    } else {
        TRY(err);
        TRY(parse_point(txn->arena, record, &t));
    }
    TRY(tally_merge(&t, p->datum->values));
    TRY(record_make(&tally_type, txn->arena, &t, &record));
    TRY(txn_work(txn, record.len + TXN_ROW_WORK));
    return txn_put(txn, key, record);
}

extern const struct record_type cw_metric_type;

/* The metric's record, made with its first value, and written again when it says something new. */
static enum err know_metric(struct putting *p)
{
    struct txn *txn = p->txn;
    struct str record;
    const struct cw_metric_rec seen = {
        .newest_ms = floor_to(p->datum->at_ms, CW_MINUTE_MS),
        .put_ms = floor_to(txn->wall_ms, PUT_STEP_MS),
    };
    enum err err = cw_metric_read(txn, p->key, &p->rec);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (err == ERR_OK && p->rec.newest_ms >= seen.newest_ms && p->rec.put_ms >= seen.put_ms)
        return ERR_OK;
    if (err == ERR_NOT_FOUND)
        p->rec = (struct cw_metric_rec){.id = rng_u64()};
    p->rec.newest_ms = max_i64(p->rec.newest_ms, seen.newest_ms);
    p->rec.put_ms = max_i64(p->rec.put_ms, seen.put_ms);
    TRY(record_make(&cw_metric_type, txn->arena, &p->rec, &record));
    return txn_put(txn, p->key, record);
}

static enum err wake_watchers(struct cw *cw, struct putting *p)
{
    struct catalogue_page page;
    TRY(catalogue_list_by(cw->alarms, p->txn, CW_BY_METRIC, p->key, CW_WATCHERS_MAX, &page));
    for (size_t i = 0; i < page.n; i++)
        TRY(cw_alarm_wake(cw, p->txn, page.objects[i], p->datum->at_ms));
    return ERR_OK;
}

enum err cw_put(struct cw *cw, struct txn *txn, struct key_scope scope,
                const struct cw_datum *datum)
{
    struct putting p = {.txn = txn,
                        .key = cw_metric_key(txn->arena, scope, &datum->metric),
                        .datum = datum,
                        .unit = str_is_set(datum->unit) ? cw_unit_of(datum->unit) : CW_UNIT_NONE};
    assert(p.unit < CW_UNITS && datum->at_ms >= 0);
    if (!str_is_set(p.key))
        return ERR_NOMEM;
    if (p.key.len > KV_KEY_MAX)
        return ERR_LIMIT;
    TRY(know_metric(&p));
    for (int class = datum->high ? CW_1S : CW_1M; class < CW_CLASSES; class ++)
        if (datum->at_ms >= txn->wall_ms - cw_classes[class].kept_ms)
            TRY(put_point(&p, (enum cw_class) class));
    return wake_watchers(cw, &p);
}

/* --- reading ------------------------------------------------------------------------------------ */

struct reading {
    struct txn *txn;
    const struct cw_range *range;
    struct cw_points *to;
};

/* A range that trails: when the value at `at` passes to another period, or comes into the range. */
static void note_change(struct reading *r, int64_t at, int64_t start)
{
    int64_t step = r->range->step_ms, in = at - start;
    int64_t when =
        at >= r->range->to_ms ? at - at % step + step : r->range->to_ms + in - in % step + step;
    r->to->changes_ms = min_i64(r->to->changes_ms, when);
}

/* The point of a period (and unit); periods come in the order of time. */
static struct cw_point *point_for(struct reading *r, int64_t at, unsigned unit)
{
    struct cw_points *to = r->to;
    int64_t start = at - (at - r->range->from_ms) % r->range->period_ms;
    for (size_t i = to->n; i > 0 && to->v[i - 1].at_ms == start; i--)
        if (!r->range->by_unit || to->v[i - 1].unit == unit)
            return &to->v[i - 1];
    if (ARENA_GROW(r->txn->arena, to->v, to->n, to->cap, 16) != ERR_OK)
        return NULL;
    struct cw_point *p = &to->v[to->n++];
    *p = (struct cw_point){.at_ms = start, .unit = unit};
    tally_init(&p->values, r->txn->arena);
    return p;
}

static enum err read_one(void *arg, struct str key, struct str record)
{
    struct reading *r = arg;
    struct tally t;
    int64_t at;
    uint8_t unit;
    TRY(txn_work_row(r->txn, key, record));
    TRY(key_read(&cw_k_point, key, r->txn->arena, KEY_SKIP, KEY_SKIP, &at, &unit));
    if (r->range->unit != CW_ANY_UNIT && r->range->unit != unit)
        return ERR_OK;
    if (at >= r->range->to_ms) { /* of what comes later the first is enough */
        note_change(r, at, at);
        return ERR_CLOSED;
    }
    TRY(parse_point(r->txn->arena, record, &t));
    struct cw_point *p = point_for(r, at, unit);
    if (p && r->range->step_ms > 0)
        note_change(r, at, p->at_ms);
    return p ? tally_merge(&p->values, &t) : ERR_NOMEM;
}

/* The coarsest class that periods and their starts can be made of, now and when the range has moved on. */
static enum cw_class class_for(const struct cw_range *range)
{
    for (int c = CW_1H; c > CW_1S; c--)
        if (range->period_ms % cw_classes[c].period_ms == 0 &&
            range->from_ms % cw_classes[c].period_ms == 0 &&
            range->step_ms % cw_classes[c].period_ms == 0)
            return (enum cw_class)c;
    return CW_1S;
}

enum err cw_read_points(struct txn *txn, struct str metric_key, const struct cw_range *range,
                        struct cw_points *ret)
{
    struct cw_metric_rec rec;
    struct reading r = {txn, range, ret};
    *ret = (struct cw_points){.changes_ms = CW_NEVER};
    enum err err = cw_metric_read(txn, metric_key, &rec);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    enum cw_class class = class_for(range);
    int64_t kept_ms = txn->wall_ms - cw_classes[class].kept_ms;
    int64_t from = max_i64(range->from_ms, kept_ms - kept_ms % cw_classes[class].period_ms);
    struct key_range keys = {
        .from = key_prefix(txn->arena, &cw_k_point, rec.id, (uint8_t) class, from),
        .to = key_prefix(txn->arena, &cw_k_point, rec.id, (uint8_t) class,
                         range->step_ms > 0 ? INT64_MAX : max_i64(range->to_ms, from)),
    };
    if (!str_is_set(keys.from) || !str_is_set(keys.to))
        return ERR_NOMEM;
    return txn_each(txn, keys, read_one, &r);
}

/* --- sweeping ----------------------------------------------------------------------------------- */

struct sweep {
    struct txn *txn;
    size_t left;
};

static enum err sweep_one(void *arg, struct str key, struct str record)
{
    struct sweep *s = arg;
    if (s->left == 0)
        return ERR_CLOSED;
    s->left--;
    struct str copy = str_dup(s->txn->arena, key);
    return txn_del(s->txn, copy);
}

/* A metric goes with the last chunk of its coarsest class, unless it has had values since. */
static enum err forget_metric(struct sweep *s, struct str metric_key)
{
    struct cw_metric_rec rec;
    enum err err = cw_metric_read(s->txn, metric_key, &rec);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    bool old = rec.newest_ms < s->txn->wall_ms - cw_classes[CW_1H].kept_ms;
    return old ? txn_del(s->txn, metric_key) : ERR_OK;
}

static enum err sweep_chunk(void *arg, struct str key, struct str record)
{
    struct sweep *s = arg;
    uint8_t class;
    int64_t start;
    uint64_t id;
    if (s->left == 0)
        return ERR_CLOSED;
    struct str own = str_dup(s->txn->arena, key), metric = str_dup(s->txn->arena, record);
    if (!str_is_set(own) || !str_is_set(metric))
        return ERR_NOMEM;
    TRY(key_read(&cw_k_chunk, own, s->txn->arena, &class, &start, &id));
    struct key_range points = {
        key_prefix(s->txn->arena, &cw_k_point, id, class, start),
        key_prefix(s->txn->arena, &cw_k_point, id, class, start + cw_classes[class].chunk_ms),
    };
    TRY(txn_each(s->txn, points, sweep_one, s));
    if (s->left == 0)
        return ERR_CLOSED;
    s->left--;
    if (class == CW_1H)
        TRY(forget_metric(s, metric));
    return txn_del(s->txn, own);
}

static enum err sweep_class(struct sweep *s, enum cw_class class)
{
    const struct cw_class_def *c = &cw_classes[class];
    struct key_range gone = {
        key_prefix(s->txn->arena, &cw_k_chunk, (uint8_t) class),
        key_prefix(s->txn->arena, &cw_k_chunk, (uint8_t) class,
                   s->txn->wall_ms - c->kept_ms - c->chunk_ms),
    };
    if (!str_is_set(gone.from) || !str_is_set(gone.to))
        return ERR_NOMEM;
    return txn_each(s->txn, gone, sweep_chunk, s);
}

/* Old items of one scope; scopes stand one after the other. */
struct scope_seen {
    struct sweep *s;
    bool any;
    struct key_scope scope; /* of an item that stays */
};

static enum err sweep_item(void *arg, struct str key, struct str record)
{
    struct scope_seen *seen = arg;
    struct sweep *s = seen->s;
    struct str name, own = str_dup(s->txn->arena, key);
    int64_t at;
    uint64_t number;
    if (s->left < 2)
        return s->left = 0, ERR_CLOSED;
    if (!str_is_set(own))
        return ERR_NOMEM;
    TRY(key_read(&cw_k_history_time, own, s->txn->arena, &seen->scope, &at, &number, &name));
    seen->any = at >= s->txn->wall_ms - CW_HISTORY_DAYS * CW_DAY_MS;
    if (seen->any)
        return ERR_CLOSED;
    s->left -= 2;
    TRY(txn_del(s->txn, key_make(s->txn->arena, &cw_k_history, seen->scope, name, at, number)));
    return txn_del(s->txn, own);
}

static enum err sweep_history(struct sweep *s)
{
    struct key_range all = key_range_table(s->txn->arena, &cw_k_history_time);
    struct scope_seen seen = {.s = s, .any = true};
    while (seen.any) {
        seen.any = false;
        TRY(txn_each(s->txn, all, sweep_item, &seen));
        if (seen.any) /* on with the next scope */
            all.from = key_after_prefix(s->txn->arena,
                                        key_prefix(s->txn->arena, &cw_k_history_time, seen.scope));
    }
    return ERR_OK;
}

static enum err sweep(void *self, struct txn *txn, struct due_fire *f)
{
    struct sweep s = {txn, SWEEP_STEP};
    for (int class = CW_1S; class < CW_CLASSES && s.left > 0; class ++)
        TRY(sweep_class(&s, (enum cw_class) class));
    if (s.left > 0)
        TRY(sweep_history(&s));
    f->next = s.left > 0 ? DUE_DONE : DUE_AGAIN;
    return ERR_OK;
}

enum err cw_sweep_register(struct cw *cw)
{
    const struct due_def def = {
        .name = "cloudwatch.sweep",
        .self = cw,
        .fire = sweep,
        .running_max = 1,
        .steps = true,
        .singleton = true,
        .every_ms = SWEEP_EVERY_MS,
    };
    return due_register(deliver_due(cw->core->deliver), &def, &cw->sweep);
}
