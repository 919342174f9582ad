/* Counters of calls, per operation: how many, how they ended, how long they took. Updated with
 * relaxed atomics from every loop, read by /_weir/metrics in Prometheus' text format. */
#include <assert.h>
#include <inttypes.h>

#include "base/mem.h"
#include "core/call_int.h"
#include "core/claim.h"

/* Upper bounds of the latency histogram's buckets, in microseconds. */
static const int64_t bounds_us[] = {50,   100,   250,   500,    1000,   2500,
                                    5000, 10000, 50000, 250000, 1000000};

struct op_metrics {
    _Atomic uint64_t ok, client_errors, server_errors, us_sum;
    _Atomic uint64_t buckets[ARRAY_LEN(bounds_us) + 1];
};

struct metrics {
    size_t n;
    struct {
        const struct wire_service *wire;
        struct op_metrics *ops; /* by wire_op.index */
    } services[];
};

struct metrics *metrics_new(struct core *core)
{
    struct metrics *m = mem_calloc(1, sizeof(*m) + core->n_svcs * sizeof(m->services[0]));
    if (!m)
        return NULL;
    for (size_t i = 0; i < core->n_svcs; i++) {
        const struct wire_service *wire = core->svcs[i].def->wire;
        m->services[i].wire = wire;
        m->services[i].ops = mem_calloc(wire->n_ops, sizeof(struct op_metrics));
        m->n++;
        if (!m->services[i].ops) {
            metrics_free(m);
            return NULL;
        }
    }
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n; i++)
        mem_free(m->services[i].ops);
    mem_free(m);
}

static void add(_Atomic uint64_t *counter, uint64_t v)
{
    atomic_fetch_add_explicit(counter, v, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void count(struct op_metrics *o, int status, int64_t ns)
{
    add(status < 400 ? &o->ok : status < 500 ? &o->client_errors : &o->server_errors, 1);
    add(&o->us_sum, (uint64_t)(ns / 1000));
    size_t b = 0;
    while (b < ARRAY_LEN(bounds_us) && ns / 1000 > bounds_us[b])
        b++;
    add(&o->buckets[b], 1);
}

void metrics_call(struct metrics *m, const struct wire_op *op, const struct core_claim *claim,
                  int status, int64_t ns)
{
    if (claim) {
        count(claim->metrics, status, ns);
        return;
    }
    for (size_t i = 0; i < m->n; i++) {
        if (m->services[i].wire != op->service)
            continue;
        assert(op->index < m->services[i].wire->n_ops);
        count(&m->services[i].ops[op->index], status, ns);
        return;
    }
}

enum err metrics_claim(struct core_claim *claim)
{
    assert(!claim->metrics);
    claim->metrics = mem_calloc(1, sizeof(*claim->metrics));
    return claim->metrics ? ERR_OK : ERR_NOMEM;
}

void metrics_free_claims(struct core_claim *claims)
{
    for (struct core_claim *claim = claims, *next; claim; claim = next) {
        next = claim->next;
        mem_free(claim->metrics);
        claim->metrics = NULL;
        claim->next = NULL;
    }
}

static bool any(const struct op_metrics *o)
{
    return get(&o->ok) || get(&o->client_errors) || get(&o->server_errors);
}

static void put_op(struct buf *b, const struct wire_op *op, const struct op_metrics *o)
{
    char labels[160];
    snprintf(labels, sizeof(labels), "service=\"" STR_FMT "\",operation=\"" STR_FMT "\"",
             STR_ARG(op->service->name), STR_ARG(op->name));
    buf_add_fmt(b, "weir_calls_total{%s,outcome=\"ok\"} %" PRIu64 "\n", labels, get(&o->ok));
    buf_add_fmt(b, "weir_calls_total{%s,outcome=\"client_error\"} %" PRIu64 "\n", labels,
                get(&o->client_errors));
    buf_add_fmt(b, "weir_calls_total{%s,outcome=\"server_error\"} %" PRIu64 "\n", labels,
                get(&o->server_errors));
    uint64_t sum = 0;
    for (size_t i = 0; i < ARRAY_LEN(bounds_us); i++) {
        sum += get(&o->buckets[i]);
        buf_add_fmt(b, "weir_call_seconds_bucket{%s,le=\"%g\"} %" PRIu64 "\n", labels,
                    (double)bounds_us[i] / 1e6, sum);
    }
    sum += get(&o->buckets[ARRAY_LEN(bounds_us)]);
    buf_add_fmt(b, "weir_call_seconds_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", labels, sum);
    buf_add_fmt(b, "weir_call_seconds_sum{%s} %.6f\n", labels, (double)get(&o->us_sum) / 1e6);
    buf_add_fmt(b, "weir_call_seconds_count{%s} %" PRIu64 "\n", labels, sum);
}

void metrics_put(const struct metrics *m, struct core *core, struct buf *b)
{
    BUF_ADD_LIT(b, "# HELP weir_calls_total API calls that were answered.\n"
                   "# TYPE weir_calls_total counter\n"
                   "# HELP weir_call_seconds From the first byte of the request to the reply.\n"
                   "# TYPE weir_call_seconds histogram\n");
    for (size_t i = 0; i < m->n; i++)
        for (size_t k = 0; k < m->services[i].wire->n_ops; k++) {
            const struct op_metrics *o = &m->services[i].ops[k];
            if (any(o))
                put_op(b, &m->services[i].wire->ops[k], o);
        }
    for (const struct core_claim *claim = core->impl->claims; claim; claim = claim->next)
        if (any(claim->metrics))
            put_op(b, claim->op, claim->metrics);
    buf_add_fmt(
        b,
        "# HELP weir_calls_handed_over_total Times that a call went on on the worker pool.\n"
        "# TYPE weir_calls_handed_over_total counter\n"
        "weir_calls_handed_over_total %" PRIu64 "\n"
        "# HELP weir_calls_running Calls now between the end of their request (the head, of a "
        "streamed "
        "one) and the reply.\n"
        "# TYPE weir_calls_running gauge\nweir_calls_running %zu\n",
        atomic_load(&core->impl->handed_over), atomic_load(&core->impl->running));
}
