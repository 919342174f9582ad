/* The service's state: the catalogue of tables and its refresh, start and stop. */
#include "svc/dynamodb/dynamodb_int.h"

#include "base/mem.h"
#include "base/pack.h"

/* --- the catalogue of tables ------------------------------------------------------------------ */

static enum err decode_table(void *self, struct catalogue_object *object, struct str record)
{
    return ddb_table_decode((struct ddb_table *)object, record);
}

/* Figures and throttling are the table's, whatever its definition; a table made anew under the name
 * has its own. */
static enum err carry_figures(void *self, struct catalogue_object *object,
                              struct catalogue_object *old)
{
    struct ddb_table *table = (struct ddb_table *)object;
    const struct ddb_table *before = (const struct ddb_table *)old;
    if (!before || before->id != table->id)
        return ddb_figures_new(&table->figures);
    table->figures = ddb_figures_ref(before->figures);
    return ERR_OK;
}

static void release_table(void *self, struct catalogue_object *object)
{
    ddb_figures_unref(((struct ddb_table *)object)->figures);
}

static const struct catalogue_type table_type = {
    .name = "dynamodb",
    .size = sizeof(struct ddb_table),
    .arena_max = DDB_TABLE_BYTES_MAX,
    .decode = decode_table,
    .carry = carry_figures,
    .release = release_table,
};

enum err ddb_find_table(struct call *call, struct str name, struct ddb_table **ret_table)
{
    const struct dynamodb *ddb = call->svc;
    void *table;
    if (str_empty(name))
        return ERR_NOT_FOUND;
    struct str key = key_make(call->arena, &ddb_k_table, call_scope(call), name);
    if (!key.p)
        return ERR_NOMEM;
    TRY(catalogue_get(ddb->tables, call->txn, key, &table));
    *ret_table = table;
    return ERR_OK;
}

enum err ddb_stage_table(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table)
{
    struct str record;
    struct buf generation;
    TRY(ddb_table_encode(txn->arena, table, &record));
    buf_init_arena(&generation, txn->arena, 16);
    pack_uint(&generation, table->generation);
    TRY(buf_err(&generation));
    TRY(txn_put(txn, key_make(txn->arena, &ddb_k_guard, table->id), buf_str(&generation)));
    return catalogue_put(ddb->tables, txn, table->object.key, record);
}

enum err ddb_stage_drop(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table)
{
    TRY(txn_del(txn, key_make(txn->arena, &ddb_k_guard, table->id)));
    TRY(tags_drop(txn, table->arn));
    return catalogue_del(ddb->tables, txn, table->object.key);
}

enum err ddb_read_table(struct call *call, const struct ddb_table *cached,
                        struct ddb_table **ret_table)
{
    const struct dynamodb *ddb = call->svc;
    void *object;
    enum err err = catalogue_read(ddb->tables, call->txn, cached->object.key, &object);
    if (err == ERR_NOT_FOUND)
        return ERR_CONFLICT; /* dropped since it was looked up: the rerun will see that */
    TRY(err);
    struct ddb_table *table = object;
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
    struct str name = ddb_table_name(name_or_arn);
    /* Taken, not read: when this attempt fails for an old definition, the rerun looks anew. */
    struct ddb_table *table = ddb_memo_take_table(call->state, name.p);
    enum err err = table ? ERR_OK : ddb_find_table(call, name, &table);
    /* An ARN must be the table's own to the letter: permissions were checked for that one. */
    if (err == ERR_OK && str_starts(name_or_arn, STR("arn:")) && !str_eq(name_or_arn, table->arn))
        err = ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND) {
        if (control)
            return call_error(call, &dynamodb_err_resource_not_found_exception,
                              "Requested resource not found: Table: " STR_FMT " not found",
                              STR_ARG(name));
        return call_error(call, &dynamodb_err_resource_not_found_exception,
                          "Requested resource not found");
    }
    TRY(err);
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
    enum err err = catalogue_new(core, &table_type, ddb, &ddb->tables);
    if (!err)
        err = ddb_jobs_register(ddb);
    if (err) {
        catalogue_free(ddb->tables);
        mem_free(ddb);
        return err;
    }
    *ret_self = ddb;
    return ERR_OK;
}

static enum err load_all(struct txn *txn, void *arg)
{
    const struct dynamodb *ddb = arg;
    struct str prefix = key_range_table(txn->arena, &ddb_k_table).from;
    return str_is_set(prefix) ? catalogue_load(ddb->tables, txn, prefix) : ERR_NOMEM;
}

static enum err start(void *self)
{
    struct dynamodb *ddb = self;
    return txn_run_now(ddb->core, load_all, ddb);
}

static void release(void *self)
{
    struct dynamodb *ddb = self;
    catalogue_free(ddb->tables);
    mem_free(ddb);
}

const struct svc_def dynamodb_def = {
    .wire = &dynamodb_service,
    .make = make,
    .start = start,
    .release = release,
    .auth_context = ddb_auth_context,
    .authorize_more = ddb_authorize_more,
    .tags = &dynamodb_tags,
};
