/* Table definitions: the record, the catalogue's type, and how calls look tables up. */
#include <assert.h>

#include "svc/dynamodb/dynamodb_int.h"

#include "base/arn.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/record.h"
#include "core/account.h"

/* --- the record ------------------------------------------------------------------------------- */

enum { LIST_MAX = 10000 /* elements of any list in a record */ };

static const struct record_field part_fields[] = {
    REC_STR(struct ddb_key_part, name),
    REC_ENUM(struct ddb_key_part, type, DDB_TYPES),
};
static const struct record_type part_type = RECORD_TYPE(struct ddb_key_part, 1, part_fields);

static const struct record_field schema_fields[] = {
    REC_STR(struct ddb_key_schema, hash),
    REC_ENUM(struct ddb_key_schema, hash_type, DDB_TYPES),
    REC_STR(struct ddb_key_schema, range),
    REC_ENUM(struct ddb_key_schema, range_type, DDB_TYPES),
    REC_SINCE(6, REC_LIST(struct ddb_key_schema, more, n_more, DDB_KEY_MORE_MAX, &part_type)),
    REC_SINCE(6, REC_UINT(struct ddb_key_schema, more_hash)),
};
static const struct record_type schema_type = RECORD_TYPE(struct ddb_key_schema, 1, schema_fields);

static const struct record_field throughput_fields[] = {
    REC_INT(struct ddb_throughput, read),
    REC_INT(struct ddb_throughput, write),
};
static const struct record_type throughput_type =
    RECORD_TYPE(struct ddb_throughput, 1, throughput_fields);

static const struct record_field index_fields[] = {
    REC_UINT(struct ddb_index, id),
    REC_BOOL(struct ddb_index, global),
    REC_BOOL(struct ddb_index, backfilling),
    REC_STR(struct ddb_index, name),
    REC_STRUCT(struct ddb_index, key, &schema_type),
    REC_ENUM(struct ddb_index, projection, DDB_PROJECT_INCLUDE + 1),
    REC_LIST(struct ddb_index, include, n_include, LIST_MAX, &record_str),
    REC_STRUCT(struct ddb_index, throughput, &throughput_type),
};
static const struct record_type index_type = RECORD_TYPE(struct ddb_index, 1, index_fields);

static const struct record_field def_fields[] = {
    REC_STR(struct ddb_attribute_def, name),
    REC_ENUM(struct ddb_attribute_def, type, DDB_TYPES),
};
static const struct record_type def_type = RECORD_TYPE(struct ddb_attribute_def, 1, def_fields);

static const struct record_field policy_fields[] = {
    REC_STR(struct ddb_policy, text),
    REC_STR(struct ddb_policy, revision),
};
const struct record_type ddb_policy_record = RECORD_TYPE(struct ddb_policy, 1, policy_fields);

static const struct record_field table_fields[] = {
    REC_UINT(struct ddb_table, id),
    REC_UINT(struct ddb_table, generation),
    REC_STR(struct ddb_table, arn),
    REC_STR(struct ddb_table, uuid),
    REC_INT(struct ddb_table, created_ms),
    REC_BOOL(struct ddb_table, on_demand),
    REC_BOOL(struct ddb_table, billing_told),
    REC_BOOL(struct ddb_table, protect),
    REC_INT(struct ddb_table, on_demand_since_ms),
    REC_STRUCT(struct ddb_table, throughput, &throughput_type),
    REC_STR(struct ddb_table, table_class),
    REC_LIST(struct ddb_table, defs, n_defs, LIST_MAX, &def_type),
    REC_STRUCT(struct ddb_table, key, &schema_type),
    REC_UINT(struct ddb_table, last_index_id),
    REC_LIST(struct ddb_table, indexes, n_indexes, DDB_INDEXES_MAX, &index_type),
    REC_SINCE(2, REC_BOOL(struct ddb_table, sse)),
    REC_SINCE(3, REC_UINT(struct ddb_table, stream)),
    REC_SINCE(3, REC_ENUM(struct ddb_table, view, DDB_VIEWS)),
    REC_SINCE(3, REC_STR(struct ddb_table, label)),
    REC_SINCE(3, REC_ENUM(struct ddb_table, ttl, DDB_TTLS)),
    REC_SINCE(3, REC_STR(struct ddb_table, ttl_attribute)),
    REC_SINCE(3, REC_INT(struct ddb_table, ttl_changed_ms)),
    REC_SINCE(4, REC_STR(struct ddb_table, kms_arn)),
    REC_SINCE(4, REC_STR(struct ddb_table, data_key)),
    REC_SINCE(4, REC_BOOL(struct ddb_table, sealing)),
    REC_SINCE(5, REC_BOOL(struct ddb_table, undo)),
    REC_SINCE(5, REC_BOOL(struct ddb_table, pitr)),
    REC_SINCE(5, REC_UINT(struct ddb_table, pitr_days)),
    REC_SINCE(5, REC_INT(struct ddb_table, pitr_since_ms)),
    REC_SINCE(5, REC_BOOL(struct ddb_table, restoring)),
    REC_SINCE(5, REC_INT(struct ddb_table, restored_ms)),
    REC_SINCE(5, REC_STR(struct ddb_table, restored_backup)),
    REC_SINCE(5, REC_STR(struct ddb_table, restored_table)),
    REC_SINCE(7, REC_STRUCT(struct ddb_table, policy, &ddb_policy_record)),
};
static const struct record_type table_record = RECORD_TYPE(struct ddb_table, 7, table_fields);

enum err ddb_table_pack(struct arena *a, const struct ddb_table *table, struct str *ret_record)
{
    return record_make(&table_record, a, table, ret_record);
}

enum err ddb_table_unpack(struct arena *a, struct str record, struct ddb_table *table)
{
    return record_unpack_copy(&table_record, a, record, table);
}

/* --- figures ----------------------------------------------------------------------------------- */

static enum err figures_new(struct dynamodb *ddb, struct ddb_figures **ret_figures)
{
    struct ddb_figures *f = mem_calloc(1, sizeof(*f));
    if (!f)
        return ERR_NOMEM;
    if (pthread_mutex_init(&f->lock, NULL) != 0) {
        mem_free(f);
        return ERR_NOMEM;
    }
    atomic_init(&f->refs, 1);
    f->core = ddb->core;
    f->watch = &ddb->watch;
    f->expiry = ddb->expiry;
    *ret_figures = f;
    return ERR_OK;
}

struct ddb_figures *ddb_figures_ref(struct ddb_figures *f)
{
    uint64_t before = atomic_fetch_add(&f->refs, 1);
    assert(before > 0);
    (void)before;
    return f;
}

void ddb_figures_unref(struct ddb_figures *f)
{
    if (!f)
        return;
    uint64_t before = atomic_fetch_sub(&f->refs, 1);
    assert(before > 0);
    if (before > 1)
        return;
    pthread_mutex_destroy(&f->lock);
    mem_free(f);
}

struct ddb_sum ddb_index_sum(const struct ddb_table *table, uint16_t index)
{
    struct ddb_sum sum = {0};
    struct ddb_figures *f = table->figures;
    if (!f)
        return sum;
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n_sums; i++)
        if (f->sums[i].id == index)
            sum = f->sums[i].sum;
    pthread_mutex_unlock(&f->lock);
    return sum;
}

const struct ddb_index *ddb_table_index(const struct ddb_table *table, struct str name)
{
    for (size_t i = 0; i < table->n_indexes; i++)
        if (str_eq(table->indexes[i].name, name))
            return &table->indexes[i];
    return NULL;
}

/* --- the catalogue of tables ------------------------------------------------------------------ */

static enum err decode_table(void *self, struct catalogue_object *object, struct str record)
{
    struct ddb_table *t = (struct ddb_table *)object;
    struct key_scope scope;
    struct str name;
    TRY(ddb_table_unpack(&object->arena, record, t));
    TRY(key_read(&ddb_k_table, object->key, &object->arena, &scope, &name));
    t->name = name;
    t->region = scope.region;
    return t->generation > 0 && t->n_defs > 0 ? ERR_OK : ERR_CORRUPT;
}

/* Figures and throttling are the table's, whatever its definition; a table made anew under the name
 * has its own. */
static enum err carry_figures(void *self, struct catalogue_object *object,
                              struct catalogue_object *old)
{
    struct ddb_table *table = (struct ddb_table *)object;
    assert(!table->figures);
    const struct ddb_table *before = (const struct ddb_table *)old;
    if (!before || before->id != table->id)
        return figures_new(self, &table->figures);
    table->figures = ddb_figures_ref(before->figures);
    return ERR_OK;
}

static void release_table(void *self, struct catalogue_object *object)
{
    ddb_figures_unref(((struct ddb_table *)object)->figures);
}

const struct catalogue_type ddb_table_type = {
    .name = "dynamodb",
    .size = sizeof(struct ddb_table),
    .arena_max = DDB_TABLE_BYTES_MAX,
    .decode = decode_table,
    .carry = carry_figures,
    .release = release_table,
};

struct key_scope ddb_scope_of(struct call *call, struct str name_or_arn)
{
    struct key_scope scope = call_scope(call);
    switch ((enum dynamodb_op)call->op->index) {
    case DYNAMODB_OP_BATCH_GET_ITEM:
    case DYNAMODB_OP_BATCH_WRITE_ITEM:
    case DYNAMODB_OP_TRANSACT_GET_ITEMS:
    case DYNAMODB_OP_TRANSACT_WRITE_ITEMS:
        break;
    default:
        return scope;
    }
    if (!arn_is(name_or_arn) || !call->core->more_accounts)
        return scope;
    struct str account = wire_account_in(name_or_arn);
    if (account_known(call->core, account))
        scope.account = account;
    return scope;
}

enum err ddb_find_table(struct call *call, struct str name, struct ddb_table **ret_table)
{
    return ddb_find_table_in(call, call_scope(call), name, ret_table);
}

enum err ddb_find_table_in(struct call *call, struct key_scope scope, struct str name,
                           struct ddb_table **ret_table)
{
    const struct dynamodb *ddb = call->svc;
    void *table;
    if (str_empty(name))
        return ERR_NOT_FOUND;
    struct str key = key_make(call->arena, &ddb_k_table, scope, name);
    if (!str_is_set(key))
        return ERR_NOMEM;
    TRY(catalogue_get(ddb->tables, call->txn, key, &table));
    *ret_table = table;
    return ERR_OK;
}

enum err ddb_stage_table(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table)
{
    struct str record;
    struct buf generation;
    assert(str_is_set(table->object.key) && table->id > 0 && table->generation > 0);
    assert(table->n_defs > 0 && table->n_indexes <= DDB_INDEXES_MAX);
    TRY(ddb_table_pack(txn->arena, table, &record));
    buf_init_arena(&generation, txn->arena, 16);
    pack_uint(&generation, table->generation);
    TRY(buf_err(&generation));
    TRY(txn_put(txn, key_make(txn->arena, &ddb_k_guard, table->id), buf_str(&generation)));
    return catalogue_put(ddb->tables, txn, table->object.key, record);
}

enum err ddb_stage_drop(struct dynamodb *ddb, struct txn *txn, const struct ddb_table *table)
{
    assert(table->id > 0 && !table->protect);
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
    if (table->restoring)
        return call_error(call, &dynamodb_err_resource_in_use_exception,
                          "Attempt to change a resource which is still in use: Table is being "
                          "created: " STR_FMT,
                          STR_ARG(table->name));
    *ret_table = table;
    return ERR_OK;
}

/* --- lookup by calls -------------------------------------------------------------------------- */

struct str ddb_table_name(struct str name)
{
    struct arn arn;
    if (!arn_is(name))
        return name;
    return arn_parse_as(name, "dynamodb", "table", &arn) == ERR_OK ? arn_segment(&arn, 1) : STR("");
}

enum err ddb_use_table(struct call *call, struct str name_or_arn, bool control,
                       struct ddb_table **ret_table)
{
    struct str name = ddb_table_name(name_or_arn);
    /* Taken, not read: when this attempt fails for an old definition, the rerun looks anew. */
    struct ddb_table *table = ddb_memo_take_table(call->state, name.p);
    enum err err =
        table ? ERR_OK : ddb_find_table_in(call, ddb_scope_of(call, name_or_arn), name, &table);
    /* An ARN must be the table's own to the letter: permissions were checked for that one. */
    if (err == ERR_OK && arn_is(name_or_arn) && !str_eq(name_or_arn, table->arn))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK && table->restoring && !control)
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
    assert(table->figures); /* the catalogue's carry gave them */
    *ret_table = table;
    return ERR_OK;
}

enum err ddb_answer(struct call *call, const struct ddb_diag *diag, enum err err)
{
    if (err != ERR_INVALID || !str_is_set(diag->msg))
        return err;
    if (diag->denied)
        return call_error(call, &dynamodb_err_access_denied, STR_FMT, STR_ARG(diag->msg));
    if (diag->throttled)
        return call_error(call, &dynamodb_err_provisioned_throughput_exceeded_exception, STR_FMT,
                          STR_ARG(diag->msg));
    return call_error(call,
                      diag->serialization ? &dynamodb_err_serialization : &dynamodb_err_validation,
                      STR_FMT, STR_ARG(diag->msg));
}

enum err ddb_check_place(struct call *call, const struct ddb_table *table,
                         const struct wire_error *taken)
{
    struct dynamodb *ddb = call->svc;
    struct str record, all = key_prefix(call->arena, &ddb_k_table, call_scope(call));
    enum err err = txn_get(call->txn, table->object.key, &record);
    if (err == ERR_OK)
        return call_error(call, taken, "Table already exists: " STR_FMT, STR_ARG(table->name));
    if (err != ERR_NOT_FOUND)
        return err;
    if (!str_is_set(all))
        return ERR_NOMEM;
    if (catalogue_count(ddb->tables, all) >= DDB_TABLES_MAX)
        return call_error(call, &dynamodb_err_limit_exceeded_exception,
                          "Subscriber limit exceeded: Number of tables is limited to %d",
                          DDB_TABLES_MAX);
    return ERR_OK;
}
