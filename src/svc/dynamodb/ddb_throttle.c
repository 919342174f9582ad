/* Provisioned throughput: one token bucket for the reads and one for the writes of a table and of
 * each global index, refilled at the provisioned rate, holding up to BURST_S seconds of it. A
 * request is let in while its bucket is not empty and charged for what it used, so a large one
 * leaves a debt that later ones wait for, as on AWS.
 *
 * Levels live in memory and start full. Thread: any; one lock a table, held for a few instructions.
 * Source: developer guide, "Burst and adaptive capacity". */
#include <assert.h>

#include "svc/dynamodb/dynamodb_int.h"

enum { BURST_S = 300, MS_PER_S = 1000 };

/* The bucket's rate in units a second; 0: not limited. Local indexes draw on the table's. */
static int64_t rate_of(const struct ddb_table *table, size_t slot, bool write)
{
    assert(slot <= table->n_indexes);
    const struct ddb_throughput *t =
        slot ? &table->indexes[slot - 1].throughput : &table->throughput;
    if (table->on_demand)
        return 0;
    return write ? t->write : t->read;
}

/* Slot 0 is the table; slot i the index at i - 1. */
static size_t slot_of(const struct ddb_table *table, const struct ddb_index *index)
{
    assert(!index || (index >= table->indexes && index < table->indexes + table->n_indexes));
    return index && index->global ? (size_t)(index - table->indexes) + 1 : 0;
}

static double refilled(struct ddb_bucket *b, int64_t rate, int64_t now_ms)
{
    double full = (double)rate * BURST_S;
    assert(rate > 0);
    if (b->filled_ms == 0)
        b->level = full;
    else if (now_ms > b->filled_ms)
        b->level += (double)rate * (double)(now_ms - b->filled_ms) / MS_PER_S;
    if (b->level > full)
        b->level = full;
    if (now_ms > b->filled_ms)
        b->filled_ms = now_ms;
    assert(b->level <= full);
    return b->level;
}

static enum err admit(struct ddb_diag *diag, const struct ddb_table *table, size_t slot, bool write,
                      double ahead, int64_t now_ms)
{
    int64_t rate = rate_of(table, slot, write);
    if (rate == 0)
        return ERR_OK;
    pthread_mutex_lock(&table->figures->lock);
    double level = refilled(&table->figures->buckets[slot][write], rate, now_ms);
    pthread_mutex_unlock(&table->figures->lock);
    if (level > ahead)
        return ERR_OK;
    diag->throttled = true;
    ddb_measure_throttle(table, slot ? &table->indexes[slot - 1] : NULL, write);
    if (slot)
        return ddb_invalid(diag, "The level of configured provisioned throughput for one or more "
                                 "global secondary indexes of the table was exceeded. Consider "
                                 "increasing your provisioning level for the under-provisioned "
                                 "global secondary indexes with the UpdateTable API");
    return ddb_invalid(diag, "The level of configured provisioned throughput for the table was "
                             "exceeded. Consider increasing your provisioning level with the "
                             "UpdateTable API.");
}

static void charge(const struct ddb_table *table, size_t slot, bool write, double units)
{
    assert(units >= 0);
    if (units == 0 || rate_of(table, slot, write) == 0)
        return;
    pthread_mutex_lock(&table->figures->lock);
    table->figures->buckets[slot][write].level -= units;
    pthread_mutex_unlock(&table->figures->lock);
}

enum err ddb_admit_read(struct ddb_diag *diag, const struct ddb_table *table,
                        const struct ddb_index *index, double ahead, int64_t now_ms)
{
    return admit(diag, table, slot_of(table, index), false, ahead, now_ms);
}

enum err ddb_admit_write(struct ddb_diag *diag, const struct ddb_table *table,
                         const struct ddb_units *ahead, int64_t now_ms)
{
    double own = ahead ? ahead->table : 0;
    for (size_t i = 0; i < table->n_indexes && ahead; i++)
        if (!table->indexes[i].global)
            own += ahead->index[i];
    TRY(admit(diag, table, 0, true, own, now_ms));
    for (size_t i = 0; i < table->n_indexes; i++)
        if (table->indexes[i].global)
            TRY(admit(diag, table, i + 1, true, ahead ? ahead->index[i] : 0, now_ms));
    return ERR_OK;
}

void ddb_charge(const struct ddb_table *table, const struct ddb_units *units, bool write)
{
    charge(table, 0, write, units->table);
    for (size_t i = 0; i < table->n_indexes; i++)
        charge(table, slot_of(table, &table->indexes[i]), write, units->index[i]);
    ddb_measure_units(table, units, write);
}

void ddb_charge_transact(const struct ddb_table *table, const struct ddb_units *units, bool write)
{
    struct ddb_units all = {.table = DDB_TRANSACT_TIMES * units->table};
    for (size_t i = 0; i < table->n_indexes; i++)
        all.index[i] = DDB_TRANSACT_TIMES * units->index[i];
    ddb_charge(table, &all, write);
}
