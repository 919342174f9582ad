/* The service's life. */
#include "svc/dynamodb/ddb_transfer.h"

#include "base/mem.h"

static void release(void *self)
{
    struct dynamodb *ddb = self;
    catalogue_free(ddb->tables);
    ddb_streams_close(ddb);
    mem_free(ddb);
}

static enum err make(struct core *core, void **ret_self)
{
    struct dynamodb *ddb = mem_calloc(1, sizeof(*ddb));
    if (!ddb)
        return ERR_NOMEM;
    ddb->core = core;
    enum err err = ddb_streams_open(ddb);
    if (!err)
        err = catalogue_new(core, &ddb_table_type, ddb, &ddb->tables);
    if (!err)
        err = ddb_jobs_register(ddb);
    if (!err)
        err = ddb_expiry_register(ddb);
    if (!err)
        err = ddb_seal_register(ddb);
    if (!err)
        err = ddb_undo_register(ddb);
    if (!err)
        err = ddb_copy_register(ddb);
    if (!err)
        err = ddb_backup_register(ddb);
    if (!err)
        err = ddb_export_register(ddb);
    if (!err)
        err = ddb_window_register(ddb);
    if (!err)
        err = ddb_import_register(ddb);
    if (err) {
        release(ddb);
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

static const void *port(void *self)
{
    return &((const struct dynamodb *)self)->port;
}

const struct svc_def dynamodb_def = {
    .wire = &dynamodb_service,
    .make = make,
    .start = start,
    .release = release,
    .port = port,
    .auth_context = ddb_auth_context,
    .authorize_more = ddb_authorize_more,
    .resource_policy = ddb_resource_policy,
    .tags = &dynamodb_tags,
    .measure = ddb_measure,
    .gauges = ddb_gauges,
};
