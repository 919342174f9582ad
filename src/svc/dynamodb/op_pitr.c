/* UpdateContinuousBackups and DescribeContinuousBackups.
 *
 * AWS reports ContinuousBackupsStatus ENABLED for every table; what a user can switch is the recovery below
 * it. Every moment up to now can be restored, so LatestRestorableDateTime is now; AWS's lies five minutes
 * back. */
#include "base/arn.h"
#include "svc/dynamodb/ddb_backup.h"

enum { SECOND_MS = 1000 };

enum err ddb_use_source(struct call *call, struct str name_or_arn, struct ddb_table **ret)
{
    struct str name = ddb_table_name(name_or_arn);
    enum err err = ddb_find_table(call, name, ret);
    if (err == ERR_OK && arn_is(name_or_arn) && !str_eq(name_or_arn, (*ret)->arn))
        err = ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND)
        return call_error(call, &dynamodb_err_table_not_found_exception,
                          "Table not found: " STR_FMT, STR_ARG(name_or_arn));
    return err;
}

enum err ddb_read_source(struct call *call, struct str name_or_arn, struct ddb_table **ret)
{
    struct ddb_table *cached;
    TRY(ddb_use_source(call, name_or_arn, &cached));
    if (cached->restoring)
        return call_error(call, &dynamodb_err_table_in_use_exception,
                          "Table is being created: " STR_FMT, STR_ARG(cached->name));
    return ddb_read_table(call, cached, ret);
}

int64_t ddb_pitr_earliest_ms(const struct ddb_table *table, int64_t wall_ms)
{
    int64_t kept = wall_ms - (int64_t)table->pitr_days * DDB_DAY_MS;
    return max_i64(kept, table->pitr_since_ms);
}

/* Many clients name full seconds only. */
static int64_t next_second(int64_t ms)
{
    return (ms + SECOND_MS - 1) / SECOND_MS * SECOND_MS;
}

static enum err describe(struct call *call, const struct ddb_table *table,
                         const struct dynamodb_continuous_backups_description **ret)
{
    struct dynamodb_continuous_backups_description *d =
        ARENA_NEW(call->arena, struct dynamodb_continuous_backups_description);
    struct dynamodb_point_in_time_recovery_description *p =
        ARENA_NEW(call->arena, struct dynamodb_point_in_time_recovery_description);
    if (!d || !p)
        return ERR_NOMEM;
    d->continuous_backups_status = STR("ENABLED");
    d->point_in_time_recovery_description = p;
    p->point_in_time_recovery_status = table->pitr ? STR("ENABLED") : STR("DISABLED");
    if (table->pitr) {
        WIRE_SET(p, recovery_period_in_days, table->pitr_days);
        WIRE_SET(p, earliest_restorable_date_time,
                 next_second(ddb_pitr_earliest_ms(table, call->txn->wall_ms)));
        WIRE_SET(p, latest_restorable_date_time, call->txn->wall_ms);
    }
    *ret = d;
    return ERR_OK;
}

enum err
dynamodb_describe_continuous_backups(struct call *call,
                                     const struct dynamodb_describe_continuous_backups_input *in,
                                     struct dynamodb_describe_continuous_backups_output *out)
{
    struct ddb_table *table;
    TRY(ddb_use_source(call, in->table_name, &table));
    return describe(call, table, &out->continuous_backups_description);
}

static enum err set(struct call *call, struct ddb_table *table,
                    const struct dynamodb_point_in_time_recovery_specification *in)
{
    uint64_t copies;
    bool on = in->point_in_time_recovery_enabled;
    if (table->pitr) /* what is gone does not come back with a longer period */
        table->pitr_since_ms = ddb_pitr_earliest_ms(table, call->txn->wall_ms);
    else
        table->pitr_since_ms = call->txn->wall_ms;
    if (in->has_recovery_period_in_days)
        table->pitr_days = (uint32_t)in->recovery_period_in_days;
    else if (!table->pitr)
        table->pitr_days = DDB_PITR_DAYS;
    TRY(ddb_hold_count(call->txn, table->id, &copies));
    table->pitr = on;
    table->undo = on || copies > 0;
    table->generation++;
    TRY(ddb_stage_table(call->svc, call->txn, table));
    return ddb_undo_trim(call->svc, call->txn, table->id, table->object.key);
}

enum err
dynamodb_update_continuous_backups(struct call *call,
                                   const struct dynamodb_update_continuous_backups_input *in,
                                   struct dynamodb_update_continuous_backups_output *out)
{
    const struct dynamodb_point_in_time_recovery_specification *spec =
        in->point_in_time_recovery_specification;
    struct ddb_table *cached, *table;
    if (!spec->point_in_time_recovery_enabled && spec->has_recovery_period_in_days)
        return ddb_refuse(call, "Invalid Request: Cannot specify RecoveryPeriodInDays when "
                                "disabling point-in-time recovery.");
    TRY(ddb_use_source(call, in->table_name, &cached));
    if (cached->restoring)
        return call_error(call, &dynamodb_err_continuous_backups_unavailable_exception,
                          "Backups are being enabled for the table: " STR_FMT
                          ". Please retry later",
                          STR_ARG(cached->name));
    TRY(ddb_read_table(call, cached, &table));
    if (table->pitr || spec->point_in_time_recovery_enabled)
        TRY(set(call, table, spec));
    return describe(call, table, &out->continuous_backups_description);
}
