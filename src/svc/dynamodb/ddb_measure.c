/* The tables' own metrics ("AWS/DynamoDB" by TableName, by that and Operation, by that and
 * GlobalSecondaryIndexName): of calls, of all that reads and writes, and each minute of what is provisioned.
 *
 * Layer: svc/dynamodb. Thread: the call's loop, the committing one; gauges: the home loop. Source: DynamoDB
 * Developer Guide, "DynamoDB metrics and dimensions". */
#include <stdio.h>

#include "core/measure.h"
#include "core/observe.h"
#include "svc/dynamodb/dynamodb_int.h"

#define SPACE STR("AWS/DynamoDB")

enum {
    GAUGED_MIN = 15, /* minutes for which a table that is not used any more tells what it has */
    PLACES_MAX = 40, /* accounts and regions whose tables are added up */
    REGION_LEN = 32, /* with its NUL */
    ACCOUNT_LEN = 16,
    TABLES_MAX = 100, /* that one request names: TransactWriteItems' elements */
    PER_CENT = 100,
};

/* --- what is read and written ------------------------------------------------------------------- */

/* One value of a table (absent: and of its index). */
static void put(const struct ddb_table *t, struct str index, struct str name, double value)
{
    const struct measure_dim dims[] = {
        {STR("GlobalSecondaryIndexName"), index},
        {STR("TableName"), t->name},
    };
    const struct measure what = {t->region, SPACE, str_is_set(index) ? dims : dims + 1,
                                 str_is_set(index) ? 2 : 1, wire_account_in(t->arn)};
    measure_put(t->figures->core, &what, name, MEASURE_COUNT, value);
}

void ddb_measure_units(const struct ddb_table *t, const struct ddb_units *units, bool write)
{
    const struct str name =
        write ? STR("ConsumedWriteCapacityUnits") : STR("ConsumedReadCapacityUnits");
    double of_table = units->table; /* with those of its local indexes */
    if (!measure_wanted(t->figures->core))
        return;
    if (atomic_load_explicit(&t->figures->gauged, memory_order_relaxed) != GAUGED_MIN)
        atomic_store_explicit(&t->figures->gauged, GAUGED_MIN, memory_order_relaxed);
    for (size_t i = 0; i < t->n_indexes; i++)
        if (!t->indexes[i].global)
            of_table += units->index[i];
        else if (units->index[i] > 0)
            put(t, t->indexes[i].name, name, units->index[i]);
    if (of_table > 0)
        put(t, STR_NONE, name, of_table);
}

void ddb_measure_throttle(const struct ddb_table *t, const struct ddb_index *index, bool write)
{
    struct str of = index ? index->name : STR_NONE;
    if (!measure_wanted(t->figures->core))
        return;
    put(t, of, write ? STR("WriteThrottleEvents") : STR("ReadThrottleEvents"), 1);
    put(t, of,
        write ? STR("WriteProvisionedThroughputThrottleEvents")
              : STR("ReadProvisionedThroughputThrottleEvents"),
        1);
}

void ddb_measure_expired(const struct ddb_table *t)
{
    if (measure_wanted(t->figures->core))
        put(t, STR_NONE, STR("TimeToLiveDeletedItemCount"), 1);
}

/* --- calls -------------------------------------------------------------------------------------- */

/* The tables that a request names. Those of PartiQL statements are not among them. */
struct tables {
    struct str v[TABLES_MAX];
    size_t n;
};

static void add(struct tables *t, struct str name_or_arn)
{
    struct str name = str_is_set(name_or_arn) ? ddb_table_name(name_or_arn) : STR_NONE;
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->v[i], name))
            return;
    if (name.len > 0 && t->n < TABLES_MAX)
        t->v[t->n++] = name;
}

static void add_write(struct tables *t, const struct dynamodb_transact_write_item *a)
{
    if (a->put)
        add(t, a->put->table_name);
    if (a->update)
        add(t, a->update->table_name);
    if (a->delete)
        add(t, a->delete->table_name);
    if (a->condition_check)
        add(t, a->condition_check->table_name);
}

static void tables_of(const struct core_seen *seen, struct tables *t)
{
    const struct dynamodb_batch_get_item_input *get = seen->in;
    const struct dynamodb_batch_write_item_input *put = seen->in;
    const struct dynamodb_transact_get_items_input *read = seen->in;
    const struct dynamodb_transact_write_items_input *write = seen->in;
    switch (seen->call->op->index) {
    case DYNAMODB_OP_BATCH_GET_ITEM:
        for (size_t i = 0; i < get->request_items.n; i++)
            add(t, get->request_items.v[i].key);
        break;
    case DYNAMODB_OP_BATCH_WRITE_ITEM:
        for (size_t i = 0; i < put->request_items.n; i++)
            add(t, put->request_items.v[i].key);
        break;
    case DYNAMODB_OP_TRANSACT_GET_ITEMS:
        for (size_t i = 0; i < read->transact_items.n; i++)
            if (read->transact_items.v[i].get)
                add(t, read->transact_items.v[i].get->table_name);
        break;
    case DYNAMODB_OP_TRANSACT_WRITE_ITEMS:
        for (size_t i = 0; i < write->transact_items.n; i++)
            add_write(t, &write->transact_items.v[i]);
        break;
    default:
        add(t, call_input_str(seen->call, STR("TableName")));
        break;
    }
}

/* A value of each table. */
static void put_each(const struct core_seen *seen, const struct tables *t, bool by_operation,
                     struct str name, enum measure_unit unit, double value)
{
    struct measure_dim dims[] = {{STR("Operation"), seen->call->op->name},
                                 {STR("TableName"), STR_NONE}};
    const struct measure what = {seen->call->region, SPACE, by_operation ? dims : dims + 1,
                                 by_operation ? 2 : 1, seen->call->account};
    for (size_t i = 0; i < t->n; i++) {
        dims[1].value = t->v[i];
        measure_put(seen->call->core, &what, name, unit, value);
    }
}

static void tell_error(const struct core_seen *seen, const struct tables *t)
{
    if (seen->status >= 500)
        put_each(seen, t, true, STR("SystemErrors"), MEASURE_COUNT, 1);
    else if (seen->error == &dynamodb_err_conditional_check_failed_exception)
        put_each(seen, t, false, STR("ConditionalCheckFailedRequests"), MEASURE_COUNT, 1);
    else if (seen->error == &dynamodb_err_transaction_conflict_exception)
        put_each(seen, t, false, STR("TransactionConflict"), MEASURE_COUNT, 1);
    else if (seen->error == &dynamodb_err_provisioned_throughput_exceeded_exception)
        put_each(seen, t, true, STR("ThrottledRequests"), MEASURE_COUNT, 1);
    else if (!str_eq_c(seen->error->code, "ThrottlingException"))
        measure_put(seen->call->core,
                    &(struct measure){seen->call->region, SPACE, NULL, 0, seen->call->account},
                    STR("UserErrors"), MEASURE_COUNT, 1);
}

static void tell_success(const struct core_seen *seen, const struct tables *t)
{
    const struct dynamodb_query_output *query = seen->out;
    const struct dynamodb_scan_output *scan = seen->out;
    put_each(seen, t, true, STR("SuccessfulRequestLatency"), MEASURE_MILLISECONDS,
             (double)seen->duration_ns / 1e6);
    if (seen->call->op->index == DYNAMODB_OP_QUERY)
        put_each(seen, t, true, STR("ReturnedItemCount"), MEASURE_COUNT, (double)query->count);
    else if (seen->call->op->index == DYNAMODB_OP_SCAN)
        put_each(seen, t, true, STR("ReturnedItemCount"), MEASURE_COUNT, (double)scan->count);
}

void ddb_measure(void *self, const struct core_seen *seen)
{
    struct tables t;
    t.n = 0;
    if (!seen->call->op || !seen->in)
        return;
    tables_of(seen, &t);
    if (seen->error)
        tell_error(seen, &t);
    else
        tell_success(seen, &t);
}

/* --- gauges ------------------------------------------------------------------------------------- */

/* What the tables of an account in a region, and the largest of them, have. */
struct provisioned {
    char account[ACCOUNT_LEN], region[REGION_LEN];
    int64_t sum[2], most[2]; /* of reads, of writes */
};
struct gauging {
    struct core *core;
    size_t n;
    struct provisioned places[PLACES_MAX];
};

static struct provisioned *place_of(struct gauging *g, struct str account, struct str region)
{
    for (size_t i = 0; i < g->n; i++)
        if (str_eq_c(region, g->places[i].region) && str_eq_c(account, g->places[i].account))
            return &g->places[i];
    if (g->n == PLACES_MAX || region.len >= REGION_LEN || account.len >= ACCOUNT_LEN)
        return NULL;
    struct provisioned *p = &g->places[g->n++];
    *p = (struct provisioned){0};
    snprintf(p->account, sizeof(p->account), STR_FMT, STR_ARG(account));
    snprintf(p->region, sizeof(p->region), STR_FMT, STR_ARG(region));
    return p;
}

static void put_throughput(const struct ddb_table *t, struct str index,
                           const struct ddb_throughput *has, struct provisioned *p)
{
    const int64_t units[2] = {has->read, has->write};
    for (size_t i = 0; i < 2; i++) {
        put(t, index,
            i ? STR("ProvisionedWriteCapacityUnits") : STR("ProvisionedReadCapacityUnits"),
            (double)units[i]);
        if (!p)
            continue;
        p->sum[i] += units[i];
        p->most[i] = max_i64(p->most[i], units[i]);
    }
}

static void gauge(void *arg, const void *object)
{
    struct gauging *g = arg;
    const struct ddb_table *t = object;
    int left = atomic_load(&t->figures->gauged);
    if (t->on_demand || left == 0)
        return;
    atomic_compare_exchange_strong(&t->figures->gauged, &left, left - 1); /* or it is used now */
    struct provisioned *p = place_of(g, wire_account_in(t->arn), t->region);
    put_throughput(t, STR_NONE, &t->throughput, p);
    for (size_t i = 0; i < t->n_indexes; i++)
        if (t->indexes[i].global)
            put_throughput(t, t->indexes[i].name, &t->indexes[i].throughput, p);
}

static void gauge_account(struct core *core, const struct provisioned *p)
{
    static const char *const names[2][4] = {
        {"AccountMaxReads", "AccountMaxTableLevelReads",
         "AccountProvisionedReadCapacityUtilization", "MaxProvisionedTableReadCapacityUtilization"},
        {"AccountMaxWrites", "AccountMaxTableLevelWrites",
         "AccountProvisionedWriteCapacityUtilization",
         "MaxProvisionedTableWriteCapacityUtilization"},
    };
    const struct measure what = {str_c(p->region), SPACE, NULL, 0, str_c(p->account)};
    for (size_t i = 0; i < 2; i++) {
        measure_put(core, &what, str_c(names[i][0]), MEASURE_COUNT, DDB_ACCOUNT_UNITS);
        measure_put(core, &what, str_c(names[i][1]), MEASURE_COUNT, DDB_TABLE_UNITS);
        measure_put(core, &what, str_c(names[i][2]), MEASURE_PER_CENT,
                    (double)p->sum[i] * PER_CENT / DDB_ACCOUNT_UNITS);
        measure_put(core, &what, str_c(names[i][3]), MEASURE_PER_CENT,
                    (double)p->most[i] * PER_CENT / DDB_TABLE_UNITS);
    }
}

void ddb_gauges(void *self)
{
    struct dynamodb *ddb = self;
    struct gauging g = {.core = ddb->core};
    if (!measure_wanted(ddb->core))
        return;
    catalogue_each(ddb->tables, STR(""), gauge, &g);
    for (size_t i = 0; i < g.n; i++)
        gauge_account(ddb->core, &g.places[i]);
}
