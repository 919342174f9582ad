/* A table that gets a key of KMS when it has items: a job seals what was there before.
 *
 *   dynamodb.seal  key: ddb_k_job of the table; argument: key of the table's record; cursor: key to go on
 *                  at, through the items and then through the indexes' records
 *
 * Writes seal from the definition's commit on (DT1), so what the job has passed stays sealed; each record
 * is read tracked, so it conflicts with writes of that record. The images of the stream that were written
 * before stay as they are for their day.
 *
 * Layer: svc/dynamodb. Thread: steps run on the home loop. */
#include <assert.h>

#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/dynamodb/dynamodb_int.h"

struct sealing {
    struct txn *txn;
    struct ddb_cipher cipher;
    struct job_budget *budget;
    struct str next; /* where to go on; absent: the range is through */
};

static enum err seal_one(void *arg, struct str key, struct str value)
{
    struct sealing *s = arg;
    struct arena *a = s->txn->arena;
    struct str raw;
    enum err err = txn_get(s->txn, key, &raw);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (err == ERR_OK && !ddb_is_sealed(raw)) {
        TRY(ddb_record_seal(&s->cipher, a, key, &raw));
        TRY(txn_put(s->txn, str_dup(a, key), raw));
    }
    job_spend(s->budget, 1);
    if (!job_spent(s->budget))
        return ERR_OK;
    s->next = key_successor(a, key);
    return str_is_set(s->next) ? ERR_CLOSED : ERR_NOMEM;
}

/* Items lie before all indexes' records, so one key says how far both are. */
static enum err seal_some(struct sealing *s, const struct ddb_table *table, struct str cursor)
{
    struct key_range ranges[] = {
        ddb_scan_range(s->txn->arena, table->id, 0, 0, 1),
        ddb_all_indexes_range(s->txn->arena, table->id),
    };
    for (size_t i = 0; i < ARRAY_LEN(ranges) && !str_is_set(s->next); i++) {
        struct key_range left = ranges[i];
        if (!str_is_set(left.from) || !str_is_set(left.to))
            return ERR_NOMEM;
        if (str_cmp(cursor, left.to) >= 0)
            continue;
        if (str_cmp(cursor, left.from) > 0)
            left.from = cursor;
        TRY(txn_each(s->txn, left, seal_one, s));
    }
    return ERR_OK;
}

static enum err seal(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct dynamodb *ddb = self;
    struct ddb_diag diag = {.arena = txn->arena};
    struct sealing s = {.txn = txn, .budget = budget};
    uint32_t table_id;
    void *object;
    TRY(key_read(&ddb_k_job, job->key, txn->arena, &table_id, KEY_SKIP));
    *ret_state = JOB_DONE;
    enum err err = catalogue_read(ddb->tables, txn, job->argument, &object);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct ddb_table *table = object;
    if (table->id != table_id || !table->sealing)
        return ERR_OK;
    TRY(ddb_cipher_of(&diag, txn, table, &s.cipher));
    assert(str_is_set(s.cipher.key));
    TRY(seal_some(&s, table, job->cursor));
    job->cursor = s.next;
    if (str_is_set(s.next)) {
        *ret_state = JOB_MORE;
        return ERR_OK;
    }
    table->sealing = false;
    table->generation++;
    return ddb_stage_table(ddb, txn, table);
}

enum err ddb_stage_seal(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table)
{
    struct str key = key_make(txn->arena, &ddb_k_job, table->id, (uint16_t)0);
    assert(str_is_set(table->object.key));
    return str_is_set(key) ? job_add(txn, ddb->seal, key, table->object.key) : ERR_NOMEM;
}

enum err ddb_seal_register(struct dynamodb *ddb)
{
    const struct job_def seals = {.name = "dynamodb.seal", .self = ddb, .step = seal, .at_once = 1};
    return job_register(deliver_due(ddb->core->deliver), &seals, &ddb->seal);
}
