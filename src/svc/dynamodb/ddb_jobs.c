/* Background work, as jobs (deliver/job.h): sweeping what was dropped, filling new indexes, dropping
 * request tokens that are out of date, counting items.
 *
 *   dynamodb.sweep     key: ddb_k_job of the table (index 0) or index; cursor: key to go on at
 *   dynamodb.backfill  key: ddb_k_job; argument: key of the table's record; cursor: key to go on at
 *   dynamodb.tokens    singleton, every TOKENS_SWEEP_EVERY_MS
 *   dynamodb.count     singleton, kicked by DescribeTable; its place is in memory (struct count), as
 *                      the figures are
 *
 * Invariants
 *   DJ1  A sweep or backfill is added in the commit that causes it, so it happens (JB1).
 *   DJ2  A backfill reads the table's record tracked: it ends when table or index is gone, and a
 *        drop at the same time makes it conflict.
 *   DJ3  A backfill reads each item tracked, so it conflicts with writes of that item; writes after
 *        the index was made keep it up to date themselves (DT1).
 *   DJ4  A token and its expiry record are made, replaced and dropped together; dropping reads the
 *        expiry record tracked, so a token that is used anew at the same time stays.
 *
 * Thread: steps run on the home loop. */
#include <assert.h>

#include "base/mem.h"
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/dynamodb/dynamodb_int.h"

enum {
    COUNT_NOW_RECORDS_MAX = 1000,  /* figures of tables up to this size are always exact, */
    COUNT_BYTES_MAX = 1024 * 1024, /* and this one; a step of a count reads no more either */
    TOKENS_SWEEP_EVERY_MS = 60 * 1000,
};

static const struct str ITEMS_STAY =
    STR_INIT("indexes"); /* a sweep's argument: a backup has them */

/* A job of a table or index. */
static enum err add_job(struct txn *txn, struct job_kind *kind, uint32_t table, uint16_t index,
                        struct str argument)
{
    assert(table > 0);
    struct str key = key_make(txn->arena, &ddb_k_job, table, index);
    return str_is_set(key) ? job_add(txn, kind, key, argument) : ERR_NOMEM;
}

/* --- sweep ------------------------------------------------------------------------------------ */

/* A table's items lie before all its indexes' records, and those before its expiry times, so one key
 * says how far all are. */
static enum err sweep(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                      enum job_state *ret_state)
{
    uint32_t table;
    uint16_t index;
    bool more = false;
    TRY(key_read(&ddb_k_job, job->key, txn->arena, &table, &index));
    struct key_range ranges[] = {
        str_eq(job->argument, ITEMS_STAY) ? (struct key_range){STR(""), STR("")}
                                          : ddb_scan_range(txn->arena, table, index, 0, 1),
        index ? (struct key_range){STR(""), STR("")} : ddb_all_indexes_range(txn->arena, table),
        index ? (struct key_range){STR(""), STR("")} : key_range(txn->arena, &ddb_k_ttl, table),
    };
    for (size_t i = 0; i < ARRAY_LEN(ranges) && !more; i++) {
        struct key_range left = ranges[i];
        if (!str_is_set(left.from) || !str_is_set(left.to))
            return ERR_NOMEM;
        if (str_cmp(job->cursor, left.to) >= 0)
            continue;
        if (str_cmp(job->cursor, left.from) > 0)
            left.from = job->cursor;
        TRY(job_remove_range(txn, &left.from, left.to, budget, &more));
        if (more)
            job->cursor = left.from;
    }
    assert(!more || !str_empty(job->cursor));
    *ret_state = more ? JOB_MORE : JOB_DONE;
    return ERR_OK;
}

enum err ddb_stage_sweep_indexes(struct dynamodb *ddb, struct txn *txn, uint32_t table)
{
    return add_job(txn, ddb->sweep, table, 0, ITEMS_STAY);
}

enum err ddb_stage_sweep(struct dynamodb *ddb, struct txn *txn, uint32_t table, uint16_t index)
{
    return add_job(txn, ddb->sweep, table, index, STR(""));
}

/* --- backfill --------------------------------------------------------------------------------- */

struct fill {
    struct txn *txn;
    const struct ddb_table *table;
    const struct ddb_index *index;
    struct ddb_cipher cipher;
    struct job_budget *budget;
    struct str next; /* where to go on; absent: all items are in */
};

enum err ddb_index_add(struct txn *txn, const struct ddb_table *table,
                       const struct ddb_index *index, const struct ddb_cipher *cipher,
                       struct str key)
{
    struct arena *a = txn->arena;
    struct ddb_diag diag = {.arena = a};
    struct ddb_key own, identity;
    struct ddb_av *item, *part;
    struct str raw, entry;
    bool in;
    enum err err = txn_get(txn, key, &raw);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    TRY(ddb_record_open(cipher, a, key, &raw));
    TRY(ddb_item_decode(a, raw, &item));
    TRY(ddb_key_of_item(&diag, &table->key, item, &identity));
    err = ddb_key_in_index(&diag, index, item, &own, &in);
    if (err == ERR_INVALID || (!err && !in))
        return ERR_OK;
    TRY(err);
    TRY(ddb_index_project(a, table, index, item, &part));
    TRY(ddb_item_encode(a, part, ddb_item_size(part), &entry));
    struct str at = ddb_index_key(a, table->id, index->id, &index->key, own, identity);
    if (!str_is_set(at))
        return ERR_NOMEM;
    TRY(ddb_record_seal(cipher, a, at, &entry));
    return txn_put(txn, at, entry);
}

static enum err fill_next(void *arg, struct str key, struct str value)
{
    struct fill *f = arg;
    TRY(ddb_index_add(f->txn, f->table, f->index, &f->cipher, key));
    job_spend(f->budget, 1);
    if (!job_spent(f->budget))
        return ERR_OK;
    f->next = key_successor(f->txn->arena, key);
    return str_is_set(f->next) ? ERR_CLOSED : ERR_NOMEM;
}

static enum err fill_index(struct dynamodb *ddb, struct txn *txn, struct job *job,
                           struct ddb_table *table, struct ddb_index *index,
                           struct job_budget *budget, enum job_state *ret_state)
{
    struct fill f = {.txn = txn, .table = table, .index = index, .budget = budget};
    struct key_range range = ddb_scan_range(txn->arena, table->id, 0, 0, 1);
    struct ddb_diag diag = {.arena = txn->arena};
    assert(index->global && index->backfilling);
    TRY(ddb_cipher_of(&diag, txn, table, &f.cipher));
    if (str_is_set(range.from) && !str_empty(job->cursor))
        range.from = job->cursor;
    TRY(txn_each(txn, range, fill_next, &f));
    assert(!str_is_set(f.next) || job_spent(budget));
    *ret_state = str_is_set(f.next) ? JOB_MORE : JOB_DONE;
    job->cursor = f.next;
    if (*ret_state == JOB_MORE)
        return ERR_OK;
    index->backfilling = false;
    table->generation++;
    return ddb_stage_table(ddb, txn, table);
}

static enum err backfill(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                         enum job_state *ret_state)
{
    struct dynamodb *ddb = self;
    uint32_t table_id;
    uint16_t index_id;
    void *object;
    TRY(key_read(&ddb_k_job, job->key, txn->arena, &table_id, &index_id));
    *ret_state = JOB_DONE;
    enum err err = catalogue_read(ddb->tables, txn, job->argument, &object);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct ddb_table *table = object;
    for (size_t i = 0; i < table->n_indexes && table->id == table_id; i++)
        if (table->indexes[i].id == index_id)
            return fill_index(ddb, txn, job, table, &table->indexes[i], budget, ret_state);
    return ERR_OK;
}

enum err ddb_stage_backfill(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table,
                            uint16_t index)
{
    assert(index > 0 && index <= table->last_index_id && str_is_set(table->object.key));
    return add_job(txn, ddb->backfill, table->id, index, table->object.key);
}

/* --- request tokens --------------------------------------------------------------------------- */

struct token_drop {
    struct txn *txn;
    struct job_budget *budget;
};

static enum err drop_token(void *arg, struct str key, struct str value)
{
    struct token_drop *d = arg;
    struct arena *a = d->txn->arena;
    struct key_scope scope;
    struct str token;
    enum err err = txn_get(d->txn, key, &value);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    TRY(key_read(&ddb_k_expiry, key, a, KEY_SKIP, &scope, &token));
    TRY(txn_del(d->txn, key_make(a, &ddb_k_token, scope, token)));
    TRY(txn_del(d->txn, key));
    job_spend(d->budget, 2);
    return job_spent(d->budget) ? ERR_CLOSED : ERR_OK;
}

static enum err drop_tokens(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                            enum job_state *ret_state)
{
    struct token_drop d = {txn, budget};
    struct key_range used = key_range_table(txn->arena, &ddb_k_expiry);
    used.to = key_prefix(txn->arena, &ddb_k_expiry, txn->now_ms - DDB_TOKEN_LIFE_MS);
    if (!str_is_set(used.to))
        return ERR_NOMEM;
    TRY(txn_each(txn, used, drop_token, &d));
    *ret_state = job_spent(budget) ? JOB_MORE : JOB_DONE;
    return ERR_OK;
}

/* --- counting --------------------------------------------------------------------------------- */

/* A count in progress: the job's `user`. */
struct count {
    struct ddb_figures *figures; /* a reference */
    uint32_t table;
    uint64_t writes, generation; /* when it began */
    struct ddb_sums sums;
    size_t from_len; /* 0: at the beginning */
    char from[KV_KEY_MAX + 1];
};

struct tally {
    struct arena *arena;
    struct job_budget *budget;
    struct ddb_sums *sums;
    size_t bytes_read;
    struct str next; /* where to go on; absent: that were all */
};

/* Where a record of this index (0: an item) is counted; NULL where a sweep has yet to remove what was dropped of
 * more indexes than a table can have. */
static struct ddb_sum *sum_of(struct ddb_sums *s, uint16_t index)
{
    if (index == 0)
        return &s->table;
    for (size_t i = s->n_indexes; i > 0; i--) /* records of an index lie together */
        if (s->index[i - 1].id == index)
            return &s->index[i - 1].sum;
    if (s->n_indexes == ARRAY_LEN(s->index))
        return NULL;
    s->index[s->n_indexes].id = index;
    return &s->index[s->n_indexes++].sum;
}

static enum err tally_record(void *arg, struct str key, struct str raw)
{
    struct tally *t = arg;
    size_t size;
    struct ddb_sum *sum = sum_of(t->sums, ddb_record_index(key));
    TRY(ddb_item_raw_size(raw, &size));
    if (sum) {
        sum->items++;
        sum->bytes += (int64_t)size;
    }
    t->bytes_read += raw.len;
    job_spend(t->budget, 1);
    if (!job_spent(t->budget) && t->bytes_read < COUNT_BYTES_MAX)
        return ERR_OK;
    t->next = key_successor(t->arena, key);
    return str_is_set(t->next) ? ERR_CLOSED : ERR_NOMEM;
}

/* A table's items, then all its indexes' records, which lie behind them; `from` empty: from the first. */
static enum err tally_table(struct txn *txn, uint32_t table, struct str from, struct tally *t)
{
    struct key_range ranges[] = {ddb_scan_range(txn->arena, table, 0, 0, 1),
                                 ddb_all_indexes_range(txn->arena, table)};
    for (size_t i = 0; i < ARRAY_LEN(ranges) && !str_is_set(t->next); i++) {
        if (!str_is_set(ranges[i].from) || !str_is_set(ranges[i].to))
            return ERR_NOMEM;
        if (str_cmp(from, ranges[i].to) >= 0)
            continue;
        if (str_cmp(from, ranges[i].from) > 0)
            ranges[i].from = from;
        TRY(txn_each(txn, ranges[i], tally_record, t));
    }
    return ERR_OK;
}

static void set_sums(struct ddb_figures *f, const struct ddb_sums *sums)
{
    atomic_store(&f->items, sums->table.items);
    atomic_store(&f->bytes, sums->table.bytes);
    pthread_mutex_lock(&f->lock);
    memcpy(f->sums, sums->index, sizeof(f->sums));
    f->n_sums = sums->n_indexes;
    pthread_mutex_unlock(&f->lock);
}

static void publish(struct ddb_figures *f, uint64_t writes, uint64_t generation,
                    const struct ddb_sums *sums)
{
    set_sums(f, sums);
    atomic_store(&f->counted_generation, generation);
    atomic_store(&f->counted_at, writes + 1);
}

static void end_count(void *self, void *user)
{
    struct count *c = user;
    if (c->figures)
        atomic_store(&c->figures->counting, false);
    ddb_figures_unref(c->figures);
    mem_free(c);
}

/* Takes up the first table that asked to be counted. */
static void pick_table(void *arg, const void *object)
{
    struct count *c = arg;
    const struct ddb_table *table = object;
    if (c->figures || !atomic_load(&table->figures->counting))
        return;
    c->figures = ddb_figures_ref(table->figures);
    c->table = table->id;
    c->generation = table->generation;
    c->writes = atomic_load(&c->figures->writes);
}

static enum err count_some(struct txn *txn, struct count *c, struct job_budget *budget,
                           bool *ret_done)
{
    struct tally t = {.arena = txn->arena, .budget = budget, .sums = &c->sums};
    assert(c->figures && atomic_load(&c->figures->counting) && c->from_len <= sizeof(c->from));
    budget->keys = SIZE_MAX; /* it only reads: time and bytes bound it */
    TRY(tally_table(txn, c->table, str_n(c->from, c->from_len), &t));
    *ret_done = !str_is_set(t.next);
    assert(t.next.len <= sizeof(c->from));
    if (!*ret_done)
        memcpy(c->from, t.next.p, t.next.len);
    c->from_len = t.next.len;
    return ERR_OK;
}

static enum err count(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                      enum job_state *ret_state)
{
    const struct dynamodb *ddb = self;
    struct count *c = job->user;
    bool done = true;
    if (!c) {
        c = mem_calloc(1, sizeof(*c));
        if (!c)
            return ERR_NOMEM;
        job->user = c;
        catalogue_each(ddb->tables, STR(""), pick_table, c);
    }
    assert(job->user == c);
    *ret_state = c->figures ? JOB_MORE : JOB_DONE;
    if (c->figures)
        TRY(count_some(txn, c, budget, &done));
    if (!done)
        return ERR_OK;
    if (c->figures)
        publish(c->figures, c->writes, c->generation, &c->sums);
    end_count(self, c);
    job->user = NULL;
    return ERR_OK;
}

enum err ddb_count(struct dynamodb *ddb, struct txn *txn, struct ddb_table *table)
{
    struct ddb_figures *f = table->figures;
    struct job_budget budget = {INT64_MAX, COUNT_NOW_RECORDS_MAX * (1 + table->n_indexes) + 1};
    struct ddb_sums sums = {0};
    struct tally t = {.arena = txn->arena, .budget = &budget, .sums = &sums};
    uint64_t writes = atomic_load(&f->writes);
    if (atomic_load(&f->counted_at) == writes + 1 &&
        atomic_load(&f->counted_generation) == table->generation)
        return ERR_OK;
    TRY(tally_table(txn, table->id, STR(""), &t));
    if (!str_is_set(t.next)) {
        publish(f, writes, table->generation, &sums);
        return ERR_OK;
    }
    if (atomic_load(&f->counted_at) == 0) /* a lower bound until the count is done */
        set_sums(f, &sums);
    if (!atomic_exchange(&f->counting, true))
        job_kick(ddb->count);
    return ERR_OK;
}

/* --- kinds ------------------------------------------------------------------------------------ */

enum err ddb_jobs_register(struct dynamodb *ddb)
{
    struct due *due = deliver_due(ddb->core->deliver);
    const struct job_def sweeps = {
        .name = "dynamodb.sweep", .self = ddb, .step = sweep, .at_once = 1};
    const struct job_def backfills = {
        .name = "dynamodb.backfill", .self = ddb, .step = backfill, .at_once = 1};
    const struct job_def tokens = {.name = "dynamodb.tokens",
                                   .self = ddb,
                                   .step = drop_tokens,
                                   .at_once = 1,
                                   .singleton = true,
                                   .every_ms = TOKENS_SWEEP_EVERY_MS};
    const struct job_def counts = {.name = "dynamodb.count",
                                   .self = ddb,
                                   .step = count,
                                   .release = end_count,
                                   .at_once = 1,
                                   .singleton = true};
    TRY(job_register(due, &sweeps, &ddb->sweep));
    TRY(job_register(due, &backfills, &ddb->backfill));
    TRY(job_register(due, &tokens, &ddb->tokens));
    return job_register(due, &counts, &ddb->count);
}
