/* Background work: sweeping what was dropped or expired, filling new indexes, counting items.
 *
 *   job record = u8 version (1), u8 kind, str cursor, then for a backfill: str account, region,
 * name
 *
 * Invariants
 *   B1  A sweep or backfill is stored in the commit that causes it, and its record goes in the
 *       commit that ends it: a crash in between resumes it at the next start.
 *   B2  Each step reads its record tracked: when another request replaces the record (an index is
 *       dropped while it fills), the running job ends.
 *   B3  A backfill reads each item tracked, so it conflicts with writes of that item; writes after
 *       the index was made keep it up to date themselves (ddb_table C3).
 *   B4  A step is bounded (STEP_*), so the home loop is never held long.
 *
 * Thread: steps run on the home loop. */
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "svc/dynamodb/dynamodb_int.h"

enum {
    JOB_VERSION = 1,
    STEP_RECORDS_MAX = 200,
    STEP_BYTES_MAX = 1024 * 1024,
    COUNT_NOW_RECORDS_MAX = 1000, /* figures of tables up to this size are always exact */
    COUNT_STEP_RECORDS_MAX = 4000,
    TOKENS_SWEEP_EVERY_MS = 60 * 1000,
};

/* The first two are stored (B1). */
enum job_kind { JOB_SWEEP = 1, JOB_BACKFILL = 2, JOB_COUNT = 3, JOB_TOKENS = 4 };

/* A running job; heap, one at a time on the home loop until it ends. */
struct job {
    struct dynamodb *ddb;
    enum job_kind kind;
    uint32_t table;
    uint16_t index;
    bool finished;
    /* JOB_COUNT */
    struct ddb_table *counted;
    char *cursor; /* heap; last key counted */
    size_t cursor_len;
    uint64_t writes_before;
    int64_t items, bytes;
};

/* What a job's record says. */
struct job_record {
    enum job_kind kind;
    struct str cursor, account, region, name;
};

static enum err put_record(struct txn *txn, uint32_t table, uint16_t index,
                           const struct job_record *r)
{
    struct buf b;
    struct str key = ddb_job_key(txn->arena, table, index);
    buf_init_arena(&b, txn->arena, 64 * 1024);
    pack_u8(&b, JOB_VERSION);
    pack_u8(&b, (uint8_t)r->kind);
    pack_str(&b, r->cursor);
    pack_str(&b, r->account);
    pack_str(&b, r->region);
    pack_str(&b, r->name);
    TRY(buf_err(&b));
    return key.p ? txn_put(txn, key, buf_str(&b)) : ERR_NOMEM;
}

static enum err read_record(struct str value, struct job_record *ret)
{
    struct unpack u;
    unpack_init(&u, value);
    if (unpack_u8(&u) != JOB_VERSION)
        return ERR_CORRUPT;
    ret->kind = (enum job_kind)unpack_u8(&u);
    ret->cursor = unpack_str(&u);
    ret->account = unpack_str(&u);
    ret->region = unpack_str(&u);
    ret->name = unpack_str(&u);
    return unpack_end(&u);
}

/* --- sweep ------------------------------------------------------------------------------------ */

/* Deletes some records of a range; *ret_more when there may be others, *ret_last the last one. */
static enum err sweep_range(struct txn *txn, struct ddb_range range, bool *ret_more,
                            struct str *ret_last)
{
    struct kv_iter *it;
    struct str key, value;
    size_t n = 0;
    enum err err;
    if (!range.from.p)
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, range.from, range.to, false, &it));
    struct str *keys = ARENA_ARRAY(txn->arena, struct str, STEP_RECORDS_MAX);
    err = keys ? ERR_OK : ERR_NOMEM;
    while (!err && n < STEP_RECORDS_MAX) {
        err = kv_next(it, &key, &value);
        if (!err) {
            keys[n] = str_dup(txn->arena, key);
            err = keys[n++].p ? ERR_OK : ERR_NOMEM;
        }
    }
    kv_iter_close(it);
    *ret_more = err != ERR_NOT_FOUND;
    if (err && err != ERR_NOT_FOUND)
        return err;
    for (size_t i = 0; i < n; i++)
        TRY(txn_del(txn, keys[i]));
    if (n)
        *ret_last = keys[n - 1];
    return ERR_OK;
}

/* Deletes a request token, unless it was used anew after it had expired. */
static enum err drop_token(struct txn *txn, struct str key)
{
    struct str value;
    struct unpack u;
    enum err err = txn_get(txn, key, &value);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    unpack_init(&u, value);
    int64_t when = unpack_int(&u);
    return !u.bad && txn->now_ms - when < DDB_TOKEN_LIFE_MS ? ERR_OK : txn_del(txn, key);
}

/* Expired request tokens: both records of each. */
static enum err tokens_step(struct txn *txn, struct job *job)
{
    struct ddb_range range = ddb_expiry_range(txn->arena, txn->now_ms - DDB_TOKEN_LIFE_MS);
    struct kv_iter *it;
    struct str key, value, token;
    enum err err = ERR_OK;
    if (!range.from.p || !range.to.p)
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, range.from, range.to, false, &it));
    for (size_t n = 0; !err && n < STEP_RECORDS_MAX; n++) {
        err = kv_next(it, &key, &value);
        if (!err) {
            key = str_dup(txn->arena, key);
            err = key.p ? ddb_expiry_key_read(txn->arena, key, &token) : ERR_NOMEM;
        }
        if (!err)
            err = drop_token(txn, token);
        if (!err)
            err = txn_del(txn, key);
    }
    kv_iter_close(it);
    job->finished = err == ERR_NOT_FOUND;
    return job->finished ? ERR_OK : err;
}

static bool range_holds(struct ddb_range range, struct str key)
{
    return str_is_set(key) && str_cmp(key, range.from) >= 0 && str_cmp(key, range.to) < 0;
}

/* Goes on behind the cursor: what is before it are markers of deleted records, and a scan from the
 * beginning would skip them all again with each step (P6). */
static enum err sweep_step(struct txn *txn, struct job *job, struct job_record *r)
{
    struct ddb_range items = ddb_scan_range(txn->arena, job->table, job->index, 0, 1);
    struct ddb_range indexes = ddb_all_indexes_range(txn->arena, job->table);
    struct str cursor = r->cursor;
    bool more = false;
    if (!items.from.p || !items.to.p || !indexes.from.p || !indexes.to.p)
        return ERR_NOMEM;
    bool in_indexes = job->index == 0 && range_holds(indexes, cursor);
    if (in_indexes)
        TRY(ddb_range_after(txn->arena, &indexes, cursor, false));
    else if (range_holds(items, cursor))
        TRY(ddb_range_after(txn->arena, &items, cursor, false));
    if (!in_indexes)
        TRY(sweep_range(txn, items, &more, &r->cursor));
    if (!more && job->index == 0)
        TRY(sweep_range(txn, indexes, &more, &r->cursor));
    job->finished = !more;
    return more ? put_record(txn, job->table, job->index, r) : ERR_OK;
}

/* --- backfill --------------------------------------------------------------------------------- */

/* Adds one item's record to the index. Items whose attributes have the wrong type stay out. */
static enum err fill_one(struct txn *txn, const struct ddb_table *table,
                         const struct ddb_index *index, struct str key)
{
    struct ddb_diag diag = {.arena = txn->arena};
    struct ddb_key own, identity;
    struct ddb_av *item, *part;
    struct str raw, entry;
    bool in;
    enum err err = txn_get(txn, key, &raw);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    TRY(ddb_item_decode(txn->arena, raw, &item));
    TRY(ddb_key_of_item(&diag, &table->key, item, &identity));
    err = ddb_key_in_index(&diag, index, item, &own, &in);
    if (err == ERR_INVALID || (!err && !in))
        return ERR_OK;
    TRY(err);
    TRY(ddb_index_project(txn->arena, table, index, item, &part));
    TRY(ddb_item_encode(txn->arena, part, ddb_item_size(part), &entry));
    struct str at = ddb_index_key(txn->arena, table->id, index->id, own, identity);
    return at.p ? txn_put(txn, at, entry) : ERR_NOMEM;
}

/* Keys of the next items after the cursor; *ret_more when there may be others. */
static enum err next_items(struct txn *txn, struct ddb_range range, struct str *keys, size_t *ret_n,
                           bool *ret_more)
{
    struct kv_iter *it;
    struct str key, value;
    size_t n = 0, bytes = 0;
    enum err err = ERR_OK;
    TRY(kv_scan(txn->kv, range.from, range.to, false, &it));
    while (n < STEP_RECORDS_MAX && bytes < STEP_BYTES_MAX) {
        err = kv_next(it, &key, &value);
        if (err)
            break;
        keys[n] = str_dup(txn->arena, key);
        if (!keys[n++].p) {
            err = ERR_NOMEM;
            break;
        }
        bytes += value.len;
    }
    kv_iter_close(it);
    *ret_n = n;
    *ret_more = err != ERR_NOT_FOUND;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err end_backfill(struct job *job, struct txn *txn, struct ddb_table *table)
{
    for (size_t i = 0; i < table->n_indexes; i++)
        if (table->indexes[i].id == job->index)
            table->indexes[i].backfilling = false;
    table->generation++;
    job->finished = true;
    return ddb_stage_table(job->ddb, txn, table);
}

static enum err fill_from(struct txn *txn, struct job *job, struct job_record *r,
                          struct ddb_table *table)
{
    const struct ddb_index *index = NULL;
    for (size_t i = 0; i < table->n_indexes; i++)
        if (table->indexes[i].id == job->index)
            index = &table->indexes[i];
    struct str *keys = ARENA_ARRAY(txn->arena, struct str, STEP_RECORDS_MAX);
    struct ddb_range range = ddb_scan_range(txn->arena, table->id, 0, 0, 1);
    size_t n;
    bool more;
    if (!keys || !range.from.p)
        return ERR_NOMEM;
    if (table->id != job->table || !index) { /* dropped meanwhile */
        job->finished = true;
        return ERR_OK;
    }
    if (str_is_set(r->cursor))
        TRY(ddb_range_after(txn->arena, &range, r->cursor, false));
    TRY(next_items(txn, range, keys, &n, &more));
    for (size_t i = 0; i < n; i++)
        TRY(fill_one(txn, table, index, keys[i]));
    if (!more)
        return end_backfill(job, txn, table);
    r->cursor = keys[n - 1];
    return put_record(txn, job->table, job->index, r);
}

static enum err backfill_step(struct txn *txn, struct job *job, struct job_record *r)
{
    void *table;
    struct str key = ddb_table_record_key(txn->arena, r->account, r->region, r->name);
    if (!key.p)
        return ERR_NOMEM;
    enum err err = catalogue_read(job->ddb->tables, txn, key, &table);
    if (err == ERR_NOT_FOUND) { /* dropped meanwhile */
        job->finished = true;
        return ERR_OK;
    }
    TRY(err);
    return fill_from(txn, job, r, table);
}

/* --- counting --------------------------------------------------------------------------------- */

/* Adds up records after `cursor`; *ret_last is the last key seen when there may be more. */
static enum err count_range(struct txn *txn, struct ddb_range range, size_t max, int64_t *items,
                            int64_t *bytes, struct str *ret_last)
{
    struct kv_iter *it;
    struct str key, raw;
    enum err err = ERR_OK;
    size_t looked_at = 0;
    *ret_last = STR_NONE;
    if (!range.from.p)
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, range.from, range.to, false, &it));
    for (size_t n = 0; !err && n < max && looked_at < STEP_BYTES_MAX; n++) {
        size_t size;
        err = kv_next(it, &key, &raw);
        if (err)
            break;
        err = ddb_item_raw_size(raw, &size);
        if (err)
            break;
        looked_at += raw.len;
        *bytes += (int64_t)size;
        *items += 1;
        *ret_last = key;
    }
    if (!err && ret_last->p) {
        *ret_last = str_dup(txn->arena, *ret_last);
        err = ret_last->p ? ERR_OK : ERR_NOMEM;
    } else if (err == ERR_NOT_FOUND) {
        *ret_last = STR_NONE;
        err = ERR_OK;
    }
    kv_iter_close(it);
    return err;
}

static void publish_figures(struct ddb_figures *f, uint64_t writes, int64_t items, int64_t bytes)
{
    atomic_store(&f->items, items);
    atomic_store(&f->bytes, bytes);
    atomic_store(&f->counted_at, writes + 1);
}

static enum err count_step(struct txn *txn, struct job *job)
{
    struct ddb_range range = ddb_scan_range(txn->arena, job->table, 0, 0, 1);
    int64_t items = job->items, bytes = job->bytes;
    struct str last;
    if (job->cursor)
        TRY(ddb_range_after(txn->arena, &range, str_n(job->cursor, job->cursor_len), false));
    TRY(count_range(txn, range, COUNT_STEP_RECORDS_MAX, &items, &bytes, &last));
    if (str_is_set(last)) {
        char *cursor = mem_alloc(last.len);
        if (!cursor)
            return ERR_NOMEM;
        memcpy(cursor, last.p, last.len);
        mem_free(job->cursor);
        job->cursor = cursor;
        job->cursor_len = last.len;
    } else {
        publish_figures(job->counted->figures, job->writes_before, items, bytes);
        job->finished = true;
    }
    job->items = items;
    job->bytes = bytes;
    return ERR_OK;
}

/* --- running ---------------------------------------------------------------------------------- */

static enum err step(struct txn *txn, void *arg)
{
    struct job *job = arg;
    struct job_record r;
    struct str value, key = ddb_job_key(txn->arena, job->table, job->index);
    job->finished = false;
    if (job->kind == JOB_COUNT)
        return count_step(txn, job);
    if (job->kind == JOB_TOKENS)
        return tokens_step(txn, job);
    if (!key.p)
        return ERR_NOMEM;
    enum err err = txn_get(txn, key, &value);
    if (err == ERR_NOT_FOUND) {
        job->finished = true;
        return ERR_OK;
    }
    TRY(err);
    TRY(read_record(value, &r));
    if (r.kind != job->kind) { /* B2 */
        job->finished = true;
        return ERR_OK;
    }
    TRY(job->kind == JOB_SWEEP ? sweep_step(txn, job, &r) : backfill_step(txn, job, &r));
    return job->finished ? txn_del(txn, key) : ERR_OK;
}

static void free_job(struct job *job)
{
    if (job->counted) {
        atomic_store(&job->counted->figures->counting, false);
        catalogue_unref(job->counted);
    }
    mem_free(job->cursor);
    mem_free(job);
}

static void done(void *arg, enum err err);

/* Runs the next step; the job is freed when it cannot. Stored jobs resume at the next start. */
static void run(struct job *job)
{
    struct core *core = job->ddb->core;
    if (atomic_load(&core->stopping) ||
        txn_run(core, core_home_loop(core), step, job, done) != ERR_OK)
        free_job(job);
}

static void done(void *arg, enum err err)
{
    struct job *job = arg;
    if (err)
        log_error("dynamodb", "background work on table %u stopped: %s", job->table, err_name(err));
    if (err || job->finished)
        free_job(job);
    else
        run(job);
}

struct start {
    struct dynamodb *ddb;
    enum job_kind kind;
    uint32_t table;
    uint16_t index;
};

static void start_job(void *arg)
{
    const struct start *s = arg;
    struct job *job = mem_calloc(1, sizeof(*job));
    if (!job) {
        log_error("dynamodb", "background work on table %u waits for the next start: no memory",
                  s->table);
        return;
    }
    job->ddb = s->ddb;
    job->kind = s->kind;
    job->table = s->table;
    job->index = s->index;
    run(job);
}

static enum err stage(struct dynamodb *ddb, struct txn *txn, uint32_t table, uint16_t index,
                      const struct job_record *r)
{
    struct start *s = ARENA_NEW(txn->arena, struct start);
    if (!s)
        return ERR_NOMEM;
    *s = (struct start){ddb, r->kind, table, index};
    TRY(put_record(txn, table, index, r));
    return txn_on_durable(txn, start_job, s);
}

enum err ddb_stage_sweep(struct dynamodb *ddb, struct txn *txn, uint32_t table, uint16_t index)
{
    struct job_record r = {.kind = JOB_SWEEP};
    return stage(ddb, txn, table, index, &r);
}

enum err ddb_sweep_tokens(struct dynamodb *ddb, struct txn *txn)
{
    int64_t last = atomic_load(&ddb->tokens_swept_ms);
    if (txn->now_ms - last < TOKENS_SWEEP_EVERY_MS ||
        !atomic_compare_exchange_strong(&ddb->tokens_swept_ms, &last, txn->now_ms))
        return ERR_OK;
    struct start *s = ARENA_NEW(txn->arena, struct start);
    if (!s)
        return ERR_NOMEM;
    *s = (struct start){.ddb = ddb, .kind = JOB_TOKENS};
    return txn_on_durable(txn, start_job, s);
}

enum err ddb_stage_backfill(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table,
                            uint16_t index)
{
    struct job_record r = {JOB_BACKFILL, STR_NONE, table->account, table->region, table->name};
    return stage(ddb, txn, table->id, index, &r);
}

static enum err load_jobs(struct txn *txn, void *arg)
{
    struct ddb_range range = ddb_all_jobs_range(txn->arena);
    struct kv_iter *it;
    struct str key, value;
    enum err err;
    if (!range.from.p)
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, range.from, range.to, false, &it));
    while ((err = kv_next(it, &key, &value)) == ERR_OK) {
        struct job_record r;
        struct start s = {.ddb = arg};
        err = read_record(value, &r);
        if (!err)
            err = ddb_job_key_read(key, &s.table, &s.index);
        if (err)
            break;
        s.kind = r.kind;
        start_job(&s);
    }
    kv_iter_close(it);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err ddb_jobs_start(struct dynamodb *ddb)
{
    return txn_run_now(ddb->core, load_jobs, ddb);
}

/* --- figures on demand ------------------------------------------------------------------------ */

enum err ddb_count(struct dynamodb *ddb, struct txn *txn, struct ddb_table *table)
{
    struct ddb_figures *f = table->figures;
    uint64_t writes = atomic_load(&f->writes);
    int64_t items = 0, bytes = 0;
    struct str last;
    if (atomic_load(&f->counted_at) == writes + 1)
        return ERR_OK;
    TRY(count_range(txn, ddb_scan_range(txn->arena, table->id, 0, 0, 1), COUNT_NOW_RECORDS_MAX + 1,
                    &items, &bytes, &last));
    if (!str_is_set(last)) {
        publish_figures(f, writes, items, bytes);
        return ERR_OK;
    }
    if (atomic_load(&f->counted_at) == 0) { /* a lower bound until the count is done */
        atomic_store(&f->items, items);
        atomic_store(&f->bytes, bytes);
    }
    bool counting = false;
    if (!atomic_compare_exchange_strong(&f->counting, &counting, true))
        return ERR_OK;
    struct job *job = mem_calloc(1, sizeof(*job));
    if (!job) {
        atomic_store(&f->counting, false);
        return ERR_NOMEM;
    }
    job->ddb = ddb;
    job->kind = JOB_COUNT;
    job->table = table->id;
    job->counted = table;
    catalogue_ref(table);
    job->writes_before = writes;
    run(job);
    return ERR_OK;
}
