/* The service's state: the catalogue of tables and its refresh, start and stop. */
#include "svc/dynamodb/dynamodb_int.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"

enum { CATALOGUE_KEY_MAX = 12 + 64 + 1024 + 2, LOAD_ARENA_MAX = 256 * 1024 * 1024 };

/* --- catalogue -------------------------------------------------------------------------------- */

/* "account/region/name" in `out`; STR_NONE when it is too long to be a table's. */
static struct str catalogue_key(char out[CATALOGUE_KEY_MAX], struct str account, struct str region,
                                struct str name)
{
    struct str parts[] = {account, region, name};
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].len + 1 > CATALOGUE_KEY_MAX - len)
            return STR_NONE;
        memcpy(out + len, parts[i].p, parts[i].len);
        len += parts[i].len;
        out[len++] = '/';
    }
    return str_n(out, len);
}

/* Publishes `table` (its reference is taken) in place of what has its name. Under the write lock.
 */
static enum err publish(struct dynamodb *ddb, struct ddb_table *table)
{
    char buf[CATALOGUE_KEY_MAX];
    struct str key = catalogue_key(buf, table->account, table->region, table->name);
    if (!str_is_set(key))
        return ERR_CORRUPT;
    struct ddb_table *before = map_get(&ddb->tables, key);
    if (before && before->id == table->id) {
        table->figures = before->figures;
        atomic_fetch_add(&table->figures->refs, 1);
    } else {
        TRY(ddb_figures_new(&table->figures));
    }
    void *old = NULL;
    TRY(map_put(&ddb->tables, key, table, &old));
    ddb_table_unref(old);
    return ERR_OK;
}

struct refresh {
    struct dynamodb *ddb;
    struct str account, region, name;
};

/* The newest committed definition of a name, or ERR_NOT_FOUND. */
static enum err load_committed(struct refresh *r, struct ddb_table **ret_table)
{
    struct kv_txn *txn;
    struct arena a;
    struct str record;
    TRY(kv_begin(r->ddb->core->kv, &txn));
    arena_init(&a, LOAD_ARENA_MAX);
    struct str key = ddb_table_record_key(&a, r->account, r->region, r->name);
    enum err err = key.p ? kv_peek(txn, key, &a, &record) : ERR_NOMEM;
    if (!err)
        err = ddb_table_decode(key, record, ret_table);
    kv_rollback(txn);
    arena_release(&a);
    return err;
}

/* Reloading under the lock makes the last of several see the last commit. When there is no memory
 * or the store cannot be read the old definition stays, and its writes conflict by the guard. */
static enum err reload(struct refresh *r)
{
    struct ddb_table *table = NULL;
    char buf[CATALOGUE_KEY_MAX];
    pthread_rwlock_wrlock(&r->ddb->lock);
    enum err err = load_committed(r, &table);
    if (err == ERR_OK) {
        err = publish(r->ddb, table);
        if (err)
            ddb_table_unref(table);
    } else if (err == ERR_NOT_FOUND) {
        struct str key = catalogue_key(buf, r->account, r->region, r->name);
        ddb_table_unref(str_is_set(key) ? map_del(&r->ddb->tables, key) : NULL);
        err = ERR_OK;
    }
    pthread_rwlock_unlock(&r->ddb->lock);
    return err;
}

/* Commit hook (C2). After a failure every lookup reloads first: slow, but right. */
static void refresh(void *arg)
{
    struct refresh *r = arg;
    atomic_fetch_add(&r->ddb->undurable, 1);
    enum err err = reload(r);
    if (!err)
        return;
    atomic_store(&r->ddb->behind, true);
    log_error("dynamodb", "table definition not refreshed: %s", err_name(err));
}

static void refreshed(void *arg)
{
    struct refresh *r = arg;
    atomic_fetch_sub(&r->ddb->undurable, 1);
}

/* The catalogue is ahead of the disk while a commit is on its way there: a reply that tells of such
 * a definition has to wait for it as for anything read (P1), so the record is read. */
static enum err wait_with_definition(struct call *call, struct str name)
{
    const struct dynamodb *ddb = call->svc;
    struct str value;
    if (!atomic_load(&ddb->undurable))
        return ERR_OK;
    struct str key = ddb_table_record_key(call->arena, call->account, call->region, name);
    enum err err = key.p ? txn_peek(call->txn, key, &value) : ERR_NOMEM;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err ddb_catalogue_get(struct dynamodb *ddb, struct str account, struct str region,
                           struct str name, struct ddb_table **ret_table)
{
    char buf[CATALOGUE_KEY_MAX];
    struct str key = str_empty(name) ? STR_NONE : catalogue_key(buf, account, region, name);
    if (!str_is_set(key))
        return ERR_NOT_FOUND;
    if (atomic_load(&ddb->behind))
        TRY(reload(&(struct refresh){ddb, account, region, name}));
    pthread_rwlock_rdlock(&ddb->lock);
    struct ddb_table *table = map_get(&ddb->tables, key);
    if (table)
        ddb_table_ref(table);
    pthread_rwlock_unlock(&ddb->lock);
    if (!table)
        return ERR_NOT_FOUND;
    *ret_table = table;
    return ERR_OK;
}

static enum err hook_refresh(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table)
{
    struct refresh *r = ARENA_NEW(txn->arena, struct refresh);
    if (!r)
        return ERR_NOMEM;
    *r = (struct refresh){ddb, str_dup(txn->arena, table->account),
                          str_dup(txn->arena, table->region), str_dup(txn->arena, table->name)};
    if (!r->account.p || !r->region.p || !r->name.p)
        return ERR_NOMEM;
    TRY(txn_on_commit(txn, refresh, r));
    return txn_on_durable(txn, refreshed, r);
}

enum err ddb_stage_table(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table)
{
    struct str record, key, guard = ddb_guard_key(txn->arena, table->id);
    struct buf generation;
    key = ddb_table_record_key(txn->arena, table->account, table->region, table->name);
    TRY(ddb_table_encode(txn->arena, table, &record));
    buf_init_arena(&generation, txn->arena, 16);
    pack_uint(&generation, table->generation);
    if (!key.p || !guard.p || buf_err(&generation))
        return ERR_NOMEM;
    TRY(txn_put(txn, key, record));
    TRY(txn_put(txn, guard, buf_str(&generation)));
    return hook_refresh(ddb, txn, table);
}

enum err ddb_stage_drop(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table)
{
    struct str guard = ddb_guard_key(txn->arena, table->id);
    struct str key = ddb_table_record_key(txn->arena, table->account, table->region, table->name);
    if (!key.p || !guard.p)
        return ERR_NOMEM;
    TRY(txn_del(txn, key));
    TRY(txn_del(txn, guard));
    TRY(ddb_stage_sweep(ddb, txn, table->id, 0));
    return hook_refresh(ddb, txn, table);
}

static void unref_table(void *table)
{
    ddb_table_unref(table);
}

enum err ddb_read_table(struct txn *txn, const struct ddb_table *cached,
                        struct ddb_table **ret_table)
{
    struct str record;
    struct str key =
        ddb_table_record_key(txn->arena, cached->account, cached->region, cached->name);
    if (!key.p)
        return ERR_NOMEM;
    enum err err = txn_get(txn, key, &record);
    if (err == ERR_NOT_FOUND)
        return ERR_CONFLICT; /* dropped since it was looked up: the rerun will see that */
    TRY(err);
    struct ddb_table *table;
    TRY(ddb_table_decode(key, record, &table));
    err = arena_on_release(txn->arena, unref_table, table);
    if (err) {
        ddb_table_unref(table);
        return err;
    }
    if (table->id != cached->id)
        return ERR_CONFLICT;
    *ret_table = table;
    return ERR_OK;
}

/* --- lookup by calls -------------------------------------------------------------------------- */

struct str ddb_table_name(struct str name)
{
    if (!str_starts(name, STR("arn:")))
        return name;
    size_t at = str_find_str(name, STR(":table/"));
    if (at == SIZE_MAX)
        return STR("");
    struct str rest = str_sub(name, at + 7, name.len);
    return str_cut(&rest, '/');
}

enum err ddb_use_table(struct call *call, struct str name_or_arn, bool control,
                       struct ddb_table **ret_table)
{
    struct dynamodb *ddb = call->svc;
    struct str name = ddb_table_name(name_or_arn);
    struct ddb_table *table;
    enum err err = ddb_catalogue_get(ddb, call->account, call->region, name, &table);
    /* An ARN must be the table's own to the letter: permissions were checked for that one. */
    if (err == ERR_OK && str_starts(name_or_arn, STR("arn:")) && !str_eq(name_or_arn, table->arn)) {
        ddb_table_unref(table);
        err = ERR_NOT_FOUND;
    }
    if (err == ERR_NOT_FOUND) {
        if (control)
            return call_error(call, &dynamodb_err_resource_not_found_exception,
                              "Requested resource not found: Table: " STR_FMT " not found",
                              STR_ARG(name));
        return call_error(call, &dynamodb_err_resource_not_found_exception,
                          "Requested resource not found");
    }
    TRY(err);
    err = arena_on_release(call->arena, unref_table, table);
    if (err) {
        ddb_table_unref(table);
        return err;
    }
    TRY(wait_with_definition(call, name));
    *ret_table = table;
    return ERR_OK;
}

enum err ddb_answer(struct call *call, const struct ddb_diag *diag, enum err err)
{
    if (err != ERR_INVALID || !str_is_set(diag->msg))
        return err;
    if (diag->throttled)
        return call_error(call, &dynamodb_err_provisioned_throughput_exceeded_exception, STR_FMT,
                          STR_ARG(diag->msg));
    return call_error(call,
                      diag->serialization ? &dynamodb_err_serialization : &dynamodb_err_validation,
                      STR_FMT, STR_ARG(diag->msg));
}

/* --- life ------------------------------------------------------------------------------------- */

static enum err make(struct core *core, void **ret_self)
{
    struct dynamodb *ddb = mem_calloc(1, sizeof(*ddb));
    if (!ddb)
        return ERR_NOMEM;
    ddb->core = core;
    map_init(&ddb->tables);
    if (pthread_rwlock_init(&ddb->lock, NULL) != 0) {
        mem_free(ddb);
        return ERR_NOMEM;
    }
    *ret_self = ddb;
    return ERR_OK;
}

static enum err load_all(struct txn *txn, void *arg)
{
    struct dynamodb *ddb = arg;
    struct ddb_range range = ddb_all_tables_range(txn->arena);
    struct kv_iter *it;
    struct str key, record;
    if (!range.from.p)
        return ERR_NOMEM;
    TRY(kv_scan(txn->kv, range.from, range.to, false, &it));
    enum err err;
    while ((err = kv_next(it, &key, &record)) == ERR_OK) {
        struct ddb_table *table;
        err = ddb_table_decode(key, record, &table);
        if (err)
            break;
        err = publish(ddb, table);
        if (err) {
            ddb_table_unref(table);
            break;
        }
    }
    kv_iter_close(it);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err start(void *self)
{
    struct dynamodb *ddb = self;
    TRY(txn_run_now(ddb->core, load_all, ddb));
    return ddb_jobs_start(ddb);
}

static void release(void *self)
{
    struct dynamodb *ddb = self;
    size_t it = 0;
    struct str key;
    void *table;
    while (map_next(&ddb->tables, &it, &key, &table))
        ddb_table_unref(table);
    map_release(&ddb->tables);
    pthread_rwlock_destroy(&ddb->lock);
    mem_free(ddb);
}

const struct svc_def dynamodb_def = {
    .wire = &dynamodb_service,
    .make = make,
    .start = start,
    .release = release,
    .auth_context = ddb_auth_context,
    .authorize_more = ddb_authorize_more,
};
