/* RestoreTableFromBackup and RestoreTableToPointInTime: a new table whose items a job copies (ddb_copy.c).
 *
 * As on AWS the new table has the source's keys, indexes, throughput and key of KMS unless the request
 * says otherwise, and not its tags, policies, stream, time to live, recovery or deletion protection. */
#include <assert.h>

#include "base/rng.h"
#include "svc/dynamodb/ddb_backup.h"
#include "svc/dynamodb/ddb_schema.h"

/* What both operations say. */
struct wanted {
    struct str name, billing;
    const struct dynamodb_global_secondary_index_list *global;
    const struct dynamodb_local_secondary_index_list *local;
    const struct dynamodb_provisioned_throughput *throughput;
    const struct dynamodb_on_demand_throughput *on_demand;
    const struct dynamodb_sse_specification *sse;
};

#define WANTED(in)                                                                                 \
    {                                                                                              \
        .name = (in)->target_table_name, .billing = (in)->billing_mode_override,                   \
        .global = &(in)->global_secondary_index_override,                                          \
        .local = &(in)->local_secondary_index_override,                                            \
        .throughput = (in)->provisioned_throughput_override,                                       \
        .on_demand = (in)->on_demand_throughput_override, .sse = (in)->sse_specification_override, \
    }

struct restoring {
    struct call *call;
    struct ddb_diag *diag;
    const struct wanted *in;
    const struct ddb_table *source;
    struct str backup; /* its ARN; absent: from a table */
    struct ddb_table *table;
};

/* --- the definition --------------------------------------------------------------------------- */

static bool same_projection(const struct ddb_index *a, const struct ddb_index *b)
{
    if (a->projection != b->projection || a->n_include != b->n_include)
        return false;
    for (size_t i = 0; i < a->n_include; i++) {
        bool in = false;
        for (size_t k = 0; k < b->n_include && !in; k++)
            in = str_eq(a->include[i], b->include[k]);
        if (!in)
            return false;
    }
    return true;
}

/* An override names an index that the source has, as it is there. */
static enum err check_index(const struct restoring *r, bool global, struct str name,
                            const struct dynamodb_key_schema *keys,
                            const struct dynamodb_projection *projection)
{
    const struct ddb_index *old = ddb_table_index(r->source, name);
    struct ddb_index asked = {0};
    if (old && old->global == global) {
        TRY(ddb_schema_from(r->diag, r->source, keys, &asked.key));
        TRY(ddb_projection_from(r->diag, r->call->arena, projection, &asked));
        if (ddb_same_schema(&asked.key, &old->key) && same_projection(&asked, old))
            return ERR_OK;
    }
    return ddb_invalid(r->diag,
                       "One or more parameter values were invalid: the index " STR_FMT
                       " of the override does not match one of the source table",
                       STR_ARG(name));
}

static enum err check_overrides(const struct restoring *r)
{
    const struct wanted *in = r->in;
    for (size_t i = 0; i < in->global->n; i++) {
        const struct dynamodb_global_secondary_index *g = &in->global->v[i];
        TRY(ddb_refuse_settings(r->call, g->warm_throughput, g->on_demand_throughput));
        TRY(check_index(r, true, g->index_name, &g->key_schema, g->projection));
    }
    for (size_t i = 0; i < in->local->n; i++) {
        const struct dynamodb_local_secondary_index *l = &in->local->v[i];
        TRY(check_index(r, false, l->index_name, &l->key_schema, l->projection));
    }
    return ERR_OK;
}

/* Whether the new table has this index; `*ret` is what the request says of its throughput. */
static bool index_wanted(const struct wanted *in, const struct ddb_index *index,
                         const struct dynamodb_provisioned_throughput **ret)
{
    *ret = NULL;
    if (index->global ? !in->global->v : !in->local->v)
        return true;
    for (size_t i = 0; index->global && i < in->global->n; i++)
        if (str_eq(in->global->v[i].index_name, index->name)) {
            *ret = in->global->v[i].provisioned_throughput;
            return true;
        }
    for (size_t i = 0; !index->global && i < in->local->n; i++)
        if (str_eq(in->local->v[i].index_name, index->name))
            return true;
    return false;
}

static enum err index_throughput(const struct restoring *r, struct ddb_index *index,
                                 const struct dynamodb_provisioned_throughput *asked)
{
    if (!index->global)
        return ERR_OK;
    if (!asked && !r->table->on_demand && index->throughput.read)
        return ERR_OK;
    return ddb_throughput_from(r->diag, r->table->on_demand, asked, &index->throughput);
}

static enum err take_indexes(const struct restoring *r)
{
    const struct ddb_table *source = r->source;
    struct ddb_table *table = r->table;
    const struct dynamodb_provisioned_throughput *asked;
    table->indexes = ARENA_ARRAY(r->call->arena, struct ddb_index, source->n_indexes);
    table->defs = ARENA_ARRAY(r->call->arena, struct ddb_attribute_def, source->n_defs);
    if (!table->indexes || !table->defs)
        return ERR_NOMEM;
    TRY(check_overrides(r));
    for (size_t i = 0; i < source->n_indexes; i++) {
        if (!index_wanted(r->in, &source->indexes[i], &asked))
            continue;
        struct ddb_index *index = &table->indexes[table->n_indexes++];
        *index = source->indexes[i];
        index->id = ++table->last_index_id;
        index->backfilling = false;
        TRY(index_throughput(r, index, asked));
    }
    for (size_t i = 0; i < source->n_defs; i++)
        if (ddb_def_used(table, source->defs[i].name))
            table->defs[table->n_defs++] = source->defs[i];
    assert(table->n_defs > 0); /* its key's */
    return ERR_OK;
}

static enum err take_billing(const struct restoring *r)
{
    const struct wanted *in = r->in;
    struct ddb_table *table = r->table;
    bool told = str_is_set(in->billing);
    table->on_demand = told ? str_eq_c(in->billing, "PAY_PER_REQUEST") : r->source->on_demand;
    table->billing_told = table->on_demand || r->source->billing_told || told;
    table->on_demand_since_ms = table->on_demand ? table->created_ms : 0;
    TRY(ddb_refuse_settings(r->call, NULL, in->on_demand));
    if (!in->throughput && !table->on_demand && !r->source->on_demand) {
        table->throughput = r->source->throughput;
        return ERR_OK;
    }
    return ddb_throughput_from(r->diag, table->on_demand, in->throughput, &table->throughput);
}

/* The source's key, unless another is asked for. */
static enum err take_sse(const struct restoring *r)
{
    const struct dynamodb_sse_specification same = {
        .enabled = true,
        .has_enabled = true,
        .sse_type = STR("KMS"),
        .kms_master_key_id = r->source->kms_arn,
    };
    const struct dynamodb_sse_specification *asked = r->in->sse;
    struct ddb_cipher source;
    r->diag->who = r->call->who;
    TRY(ddb_cipher_of(r->diag, r->call->txn, r->source, &source)); /* he must be able to read it */
    if (!asked && str_is_set(r->source->kms_arn))
        asked = &same;
    return ddb_set_sse(r->call, r->diag, asked, r->table);
}

static enum err define(struct restoring *r)
{
    struct call *call = r->call;
    struct ddb_table *table = ARENA_NEW(call->arena, struct ddb_table);
    char uuid[RNG_UUID_LEN + 1];
    if (!table)
        return ERR_NOMEM;
    r->table = table;
    table->name = r->in->name;
    table->object.key = key_make(call->arena, &ddb_k_table, call_scope(call), table->name);
    table->arn = call_arn(call, "dynamodb", "table/" STR_FMT, STR_ARG(table->name));
    table->uuid = str_dup(call->arena, rng_uuid(uuid));
    if (!str_is_set(table->object.key) || !str_is_set(table->arn) || !str_is_set(table->uuid))
        return ERR_NOMEM;
    table->generation = 1;
    table->created_ms = call->txn->wall_ms;
    table->restoring = true;
    table->key = r->source->key;
    table->table_class = r->source->table_class;
    table->restored_table = r->source->arn;
    table->restored_backup = r->backup;
    TRY(take_billing(r));
    return take_indexes(r);
}

/* --- staging ---------------------------------------------------------------------------------- */

static void count_restoring(void *arg, const void *object)
{
    const struct ddb_table *table = object;
    size_t *n = arg;
    *n += table->restoring && str_is_set(table->restored_table);
}

static enum err check_place(const struct restoring *r)
{
    struct call *call = r->call;
    struct dynamodb *ddb = call->svc;
    struct str all = key_prefix(call->arena, &ddb_k_table, call_scope(call));
    size_t busy = 0;
    TRY(ddb_check_place(call, r->table, &dynamodb_err_table_already_exists_exception));
    if (!str_is_set(all))
        return ERR_NOMEM;
    catalogue_each(ddb->tables, all, count_restoring, &busy);
    if (busy >= DDB_COPIES_MAX)
        return call_error(call, &dynamodb_err_limit_exceeded_exception,
                          "Subscriber limit exceeded: Number of restores at a time is limited to "
                          "%d",
                          DDB_COPIES_MAX);
    return ERR_OK;
}

/* Makes and stages the new table. */
static enum err make(struct restoring *r, int64_t moment_ms)
{
    TRY(define(r));
    TRY(check_place(r));
    TRY(ddb_next_id(r->call->txn, DDB_ID_TABLE, &r->table->id));
    r->table->restored_ms = moment_ms;
    TRY(take_sse(r));
    return ddb_stage_table(r->call->svc, r->call->txn, r->table);
}

static enum err start(const struct restoring *r, struct ddb_copy copy, struct ddb_table *held,
                      const struct dynamodb_table_description **ret)
{
    struct call *call = r->call;
    copy.kind = DDB_COPY_RESTORE;
    copy.target = r->table->id;
    copy.target_key = r->table->object.key;
    copy.source_arn = r->source->arn;
    copy.kms_arn = r->source->kms_arn;
    copy.data_key = r->source->data_key;
    TRY(ddb_begin_copy(call, &copy, held));
    return ddb_describe(call, r->table, "CREATING", ret);
}

/* --- RestoreTableFromBackup ------------------------------------------------------------------- */

static enum err from_backup(struct call *call, struct ddb_diag *diag, const struct wanted *wanted,
                            const struct ddb_backup *b,
                            const struct dynamodb_table_description **ret)
{
    struct restoring r = {.call = call, .diag = diag, .in = wanted};
    r.source = b->table;
    r.backup = b->arn;
    TRY(make(&r, b->created_ms));
    const struct ddb_copy copy = {.source = b->items, .moment_ms = DDB_MOMENT_NOW};
    return start(&r, copy, NULL, ret);
}

enum err
dynamodb_restore_table_from_backup(struct call *call,
                                   const struct dynamodb_restore_table_from_backup_input *in,
                                   struct dynamodb_restore_table_from_backup_output *out)
{
    struct ddb_diag diag = {.arena = call->arena};
    struct ddb_backup b;
    const struct wanted wanted = WANTED(in);
    TRY(ddb_use_ready_backup(call, in->backup_arn, &b));
    return ddb_answer(call, &diag, from_backup(call, &diag, &wanted, &b, &out->table_description));
}

/* --- RestoreTableToPointInTime ---------------------------------------------------------------- */

static enum err find_source(struct call *call,
                            const struct dynamodb_restore_table_to_point_in_time_input *in,
                            struct ddb_table **ret)
{
    if (str_is_set(in->source_table_arn) == str_is_set(in->source_table_name))
        return ddb_refuse(call, "Invalid Request: Must provide exactly one of: sourceTableArn, "
                                "sourceTableName");
    return ddb_read_source(
        call, str_is_set(in->source_table_arn) ? in->source_table_arn : in->source_table_name, ret);
}

static enum err find_moment(struct call *call, const struct ddb_table *table,
                            const struct dynamodb_restore_table_to_point_in_time_input *in,
                            int64_t *ret_ms)
{
    bool latest = in->use_latest_restorable_time;
    if (!table->pitr)
        return call_error(call, &dynamodb_err_point_in_time_recovery_unavailable_exception,
                          "Point in time recovery is not enabled for table '" STR_FMT "'",
                          STR_ARG(table->name));
    if (latest == in->has_restore_date_time)
        return ddb_refuse(call, "Invalid Request: Either one of RestoreDateTime or "
                                "UseLatestRestorableTime must be specified, but not both");
    *ret_ms = latest ? DDB_MOMENT_NOW : in->restore_date_time;
    if (!latest &&
        (*ret_ms > call->txn->wall_ms || *ret_ms < ddb_pitr_earliest_ms(table, call->txn->wall_ms)))
        return call_error(call, &dynamodb_err_invalid_restore_time_exception,
                          "An invalid restore time was specified. RestoreDateTime must be between "
                          "EarliestRestorableDateTime and LatestRestorableDateTime.");
    return ERR_OK;
}

static enum err to_moment(struct call *call, struct ddb_diag *diag, const struct wanted *wanted,
                          struct ddb_table *source, int64_t moment_ms,
                          const struct dynamodb_table_description **ret)
{
    struct restoring r = {.call = call, .diag = diag, .in = wanted, .source = source};
    TRY(make(&r, moment_ms == DDB_MOMENT_NOW ? call->txn->wall_ms : moment_ms));
    const struct ddb_copy copy = {
        .source = source->id,
        .undone = true,
        .moment_ms = moment_ms,
        .source_key = source->object.key,
    };
    return start(&r, copy, source, ret);
}

enum err dynamodb_restore_table_to_point_in_time(
    struct call *call, const struct dynamodb_restore_table_to_point_in_time_input *in,
    struct dynamodb_restore_table_to_point_in_time_output *out)
{
    struct ddb_diag diag = {.arena = call->arena};
    struct ddb_table *source;
    int64_t moment_ms = 0;
    const struct wanted wanted = WANTED(in);
    TRY(find_source(call, in, &source));
    TRY(find_moment(call, source, in, &moment_ms));
    return ddb_answer(call, &diag,
                      to_moment(call, &diag, &wanted, source, moment_ms, &out->table_description));
}
