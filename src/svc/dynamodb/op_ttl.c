/* UpdateTimeToLive and DescribeTimeToLive. */
#include "svc/dynamodb/dynamodb_int.h"

enum { CHANGE_EVERY_MS = 3600 * 1000 /* AWS takes no further change of a table within an hour */ };

enum err dynamodb_describe_time_to_live(struct call *call,
                                        const struct dynamodb_describe_time_to_live_input *in,
                                        struct dynamodb_describe_time_to_live_output *out)
{
    static const struct str states[DDB_TTLS] = {
        [DDB_TTL_OFF] = STR_INIT("DISABLED"),
        [DDB_TTL_ENABLING] = STR_INIT("ENABLING"),
        [DDB_TTL_ON] = STR_INIT("ENABLED"),
        [DDB_TTL_DISABLING] = STR_INIT("DISABLING"),
    };
    struct ddb_table *table;
    struct dynamodb_time_to_live_description *d =
        ARENA_NEW(call->arena, struct dynamodb_time_to_live_description);
    TRY(ddb_use_table(call, in->table_name, true, &table));
    if (!d)
        return ERR_NOMEM;
    d->time_to_live_status = states[table->ttl];
    if (table->ttl != DDB_TTL_OFF)
        d->attribute_name = table->ttl_attribute;
    out->time_to_live_description = d;
    return ERR_OK;
}

static enum err check(struct ddb_diag *diag, const struct ddb_table *table, int64_t now_ms,
                      const struct dynamodb_time_to_live_specification *in)
{
    if (table->ttl_changed_ms && now_ms - table->ttl_changed_ms < CHANGE_EVERY_MS &&
        !(ddb_ttl_kept(table) && in->enabled))
        return ddb_invalid(diag, "Time to live has been modified multiple times within a fixed "
                                 "interval");
    if (in->enabled && ddb_ttl_kept(table) && !str_eq(table->ttl_attribute, in->attribute_name))
        return ddb_invalid(diag,
                           "TimeToLive is active on a different AttributeName: current "
                           "AttributeName is " STR_FMT,
                           STR_ARG(table->ttl_attribute));
    if (in->enabled && ddb_ttl_kept(table))
        return ddb_invalid(diag, "TimeToLive is already enabled");
    if (!in->enabled && !ddb_ttl_kept(table))
        return ddb_invalid(diag, "TimeToLive is already disabled");
    if (!in->enabled && !str_eq(table->ttl_attribute, in->attribute_name))
        return ddb_invalid(diag,
                           "TimeToLive is active on a different AttributeName: current "
                           "AttributeName is " STR_FMT,
                           STR_ARG(table->ttl_attribute));
    return ERR_OK;
}

static enum err update(struct call *call, struct ddb_diag *diag,
                       const struct dynamodb_time_to_live_specification *in,
                       struct ddb_table *cached)
{
    struct ddb_table *table;
    TRY(ddb_read_table(call, cached, &table));
    TRY(check(diag, table, call->txn->now_ms, in));
    table->ttl = in->enabled ? DDB_TTL_ENABLING : DDB_TTL_DISABLING;
    table->ttl_attribute = in->attribute_name;
    table->ttl_changed_ms = call->txn->now_ms;
    table->generation++;
    TRY(ddb_stage_table(call->svc, call->txn, table));
    return ddb_expiry_rebuild(call->svc, call->txn, table);
}

enum err dynamodb_update_time_to_live(struct call *call,
                                      const struct dynamodb_update_time_to_live_input *in,
                                      struct dynamodb_update_time_to_live_output *out)
{
    struct ddb_diag diag = {.arena = call->arena};
    struct ddb_table *cached;
    TRY(ddb_use_table(call, in->table_name, true, &cached));
    TRY(ddb_answer(call, &diag, update(call, &diag, in->time_to_live_specification, cached)));
    out->time_to_live_specification = in->time_to_live_specification;
    return ERR_OK;
}
