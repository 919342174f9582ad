/* The groups' own metrics ("AWS/Logs" by LogGroupName, and of all): what was put into them.
 *
 * Layer: svc/logs. Thread: the committing one. Source: CloudWatch Logs User Guide, "CloudWatch Logs metrics and
 * dimensions". */
#include "core/measure.h"
#include "svc/logs/logs_int.h"

struct incoming {
    struct core *core;
    struct str account, region, group;
    size_t events, bytes;
};

static void committed(void *arg)
{
    const struct incoming *in = arg;
    const struct measure_dim dim = {STR("LogGroupName"), in->group};
    for (size_t n_dims = 0; n_dims <= 1; n_dims++) {
        const struct measure what = {in->region, STR("AWS/Logs"), &dim, n_dims, in->account};
        measure_put_many(in->core, &what, STR("IncomingLogEvents"), MEASURE_COUNT, 1,
                         (double)in->events);
        measure_put(in->core, &what, STR("IncomingBytes"), MEASURE_BYTES, (double)in->bytes);
    }
}

enum err logs_measure_staged(struct txn *txn, struct key_scope scope, struct str group,
                             const struct logs_event *events, size_t n)
{
    if (!measure_wanted(txn->core) || n == 0)
        return ERR_OK;
    struct incoming *in = ARENA_NEW(txn->arena, struct incoming);
    if (!in)
        return ERR_NOMEM;
    *in = (struct incoming){txn->core,
                            str_dup(txn->arena, scope.account),
                            str_dup(txn->arena, scope.region),
                            str_dup(txn->arena, group),
                            n,
                            0};
    for (size_t i = 0; i < n; i++)
        in->bytes += events[i].message.len;
    return str_is_set(in->region) && str_is_set(in->group) ? txn_on_commit(txn, committed, in)
                                                           : ERR_NOMEM;
}
