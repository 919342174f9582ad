/* CreateBackup, DescribeBackup, ListBackups, DeleteBackup. */
#include "core/page.h"
#include "svc/dynamodb/ddb_backup.h"

enum { LIST_DEFAULT = 100 };

static enum err not_found(struct call *call, struct str arn)
{
    return call_error(call, &dynamodb_err_backup_not_found_exception, "Backup not found: " STR_FMT,
                      STR_ARG(arn));
}

static enum err in_use(struct call *call, struct str arn, const char *by)
{
    return call_error(call, &dynamodb_err_backup_in_use_exception, "Backup is being %s: " STR_FMT,
                      by, STR_ARG(arn));
}

enum err ddb_use_backup(struct call *call, struct str arn, struct ddb_backup *ret)
{
    struct str key = ddb_backup_key(call->arena, call_scope(call), arn);
    if (!str_is_set(key))
        return not_found(call, arn);
    enum err err = ddb_backup_get(call->txn, key, ret);
    if (err == ERR_NOT_FOUND)
        return not_found(call, arn);
    TRY(err);
    if (!str_eq(ret->arn, arn)) /* permissions were checked for that one, to the letter */
        return not_found(call, arn);
    return ERR_OK;
}

enum err ddb_use_ready_backup(struct call *call, struct str arn, struct ddb_backup *ret)
{
    TRY(ddb_use_backup(call, arn, ret));
    return ret->ready ? ERR_OK : in_use(call, arn, "created");
}

/* --- descriptions ----------------------------------------------------------------------------- */

static struct str status(const struct ddb_backup *b)
{
    return b->ready ? STR("AVAILABLE") : STR("CREATING");
}

static struct str type(const struct ddb_backup *b)
{
    return b->system ? STR("SYSTEM") : STR("USER");
}

static enum err details(struct arena *a, const struct ddb_backup *b,
                        const struct dynamodb_backup_details **ret)
{
    struct dynamodb_backup_details *d = ARENA_NEW(a, struct dynamodb_backup_details);
    if (!d)
        return ERR_NOMEM;
    d->backup_arn = b->arn;
    d->backup_name = b->name;
    d->backup_status = status(b);
    d->backup_type = type(b);
    WIRE_SET(d, backup_size_bytes, b->bytes);
    WIRE_SET(d, backup_creation_date_time, b->created_ms);
    if (b->expires_ms)
        WIRE_SET(d, backup_expiry_date_time, b->expires_ms);
    *ret = d;
    return ERR_OK;
}

static const struct dynamodb_provisioned_throughput *throughput(struct arena *a,
                                                                struct ddb_throughput t)
{
    struct dynamodb_provisioned_throughput *p =
        ARENA_NEW(a, struct dynamodb_provisioned_throughput);
    if (!p)
        return NULL;
    WIRE_SET(p, read_capacity_units, t.read);
    WIRE_SET(p, write_capacity_units, t.write);
    return p;
}

static enum err source(struct arena *a, const struct ddb_backup *b,
                       const struct dynamodb_source_table_details **ret)
{
    const struct ddb_table *t = b->table;
    struct dynamodb_source_table_details *d = ARENA_NEW(a, struct dynamodb_source_table_details);
    if (!d)
        return ERR_NOMEM;
    d->table_name = t->name;
    d->table_id = t->uuid;
    d->table_arn = t->arn;
    d->billing_mode = t->on_demand ? STR("PAY_PER_REQUEST") : STR("PROVISIONED");
    WIRE_SET(d, table_size_bytes, b->bytes);
    WIRE_SET(d, item_count, b->count);
    WIRE_SET(d, table_creation_date_time, t->created_ms);
    d->provisioned_throughput = throughput(a, t->throughput);
    *ret = d;
    return d->provisioned_throughput ? ddb_key_schema_text(a, &t->key, &d->key_schema) : ERR_NOMEM;
}

static enum err local_info(struct arena *a, const struct ddb_index *ix,
                           struct dynamodb_local_secondary_index_info *ret)
{
    ret->index_name = ix->name;
    ret->projection = ddb_projection_text(a, ix);
    return ret->projection ? ddb_key_schema_text(a, &ix->key, &ret->key_schema) : ERR_NOMEM;
}

static enum err global_info(struct arena *a, const struct ddb_index *ix,
                            struct dynamodb_global_secondary_index_info *ret)
{
    ret->index_name = ix->name;
    ret->projection = ddb_projection_text(a, ix);
    ret->provisioned_throughput = throughput(a, ix->throughput);
    if (!ret->projection || !ret->provisioned_throughput)
        return ERR_NOMEM;
    return ddb_key_schema_text(a, &ix->key, &ret->key_schema);
}

static enum err indexes(struct arena *a, const struct ddb_table *t,
                        struct dynamodb_source_table_feature_details *d)
{
    struct dynamodb_local_secondary_index_info *local =
        ARENA_ARRAY(a, struct dynamodb_local_secondary_index_info, t->n_indexes);
    struct dynamodb_global_secondary_index_info *global =
        ARENA_ARRAY(a, struct dynamodb_global_secondary_index_info, t->n_indexes);
    size_t n_local = 0, n_global = 0;
    if (!local || !global)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n_indexes; i++)
        if (t->indexes[i].global)
            TRY(global_info(a, &t->indexes[i], &global[n_global++]));
        else
            TRY(local_info(a, &t->indexes[i], &local[n_local++]));
    if (n_local) {
        d->local_secondary_indexes.v = local;
        d->local_secondary_indexes.n = n_local;
    }
    if (n_global) {
        d->global_secondary_indexes.v = global;
        d->global_secondary_indexes.n = n_global;
    }
    return ERR_OK;
}

static enum err features(struct arena *a, const struct ddb_table *t,
                         const struct dynamodb_source_table_feature_details **ret)
{
    struct dynamodb_source_table_feature_details *d =
        ARENA_NEW(a, struct dynamodb_source_table_feature_details);
    struct dynamodb_stream_specification *stream =
        ARENA_NEW(a, struct dynamodb_stream_specification);
    struct dynamodb_time_to_live_description *ttl =
        ARENA_NEW(a, struct dynamodb_time_to_live_description);
    struct dynamodb_sse_description *sse = ARENA_NEW(a, struct dynamodb_sse_description);
    if (!d || !stream || !ttl || !sse)
        return ERR_NOMEM;
    if (t->stream) {
        WIRE_SET(stream, stream_enabled, true);
        stream->stream_view_type = ddb_view_name(t->view);
        d->stream_description = stream;
    }
    ttl->time_to_live_status = ddb_ttl_kept(t) ? STR("ENABLED") : STR("DISABLED");
    if (ddb_ttl_kept(t))
        ttl->attribute_name = t->ttl_attribute;
    d->time_to_live_description = ttl;
    if (str_is_set(t->kms_arn)) {
        sse->status = STR("ENABLED");
        sse->sse_type = STR("KMS");
        sse->kms_master_key_arn = t->kms_arn;
        d->sse_description = sse;
    }
    *ret = d;
    return indexes(a, t, d);
}

static enum err describe(struct arena *a, const struct ddb_backup *b,
                         const struct dynamodb_backup_description **ret)
{
    struct dynamodb_backup_description *d = ARENA_NEW(a, struct dynamodb_backup_description);
    if (!d)
        return ERR_NOMEM;
    *ret = d;
    TRY(details(a, b, &d->backup_details));
    TRY(source(a, b, &d->source_table_details));
    return features(a, b->table, &d->source_table_feature_details);
}

/* --- operations ------------------------------------------------------------------------------- */

static enum err create(struct call *call, struct ddb_table *table, struct ddb_backup *b)
{
    struct txn *txn = call->txn;
    TRY(ddb_next_id(txn, DDB_ID_TABLE, &b->items));
    TRY(ddb_backup_put(txn, b));
    const struct ddb_copy copy = {
        .kind = DDB_COPY_BACKUP,
        .source = table->id,
        .target = b->items,
        .undone = true,
        .moment_ms = DDB_MOMENT_NOW,
        .source_key = table->object.key,
        .source_arn = table->arn,
        .kms_arn = table->kms_arn,
        .data_key = table->data_key,
        .target_key = b->key,
    };
    return ddb_begin_copy(call, &copy, table);
}

enum err dynamodb_create_backup(struct call *call, const struct dynamodb_create_backup_input *in,
                                struct dynamodb_create_backup_output *out)
{
    struct ddb_table *table;
    struct ddb_backup b;
    TRY(ddb_read_source(call, in->table_name, &table));
    TRY(ddb_backup_make(call->txn, table, &b));
    b.name = in->backup_name;
    TRY(create(call, table, &b));
    return details(call->arena, &b, &out->backup_details);
}

enum err dynamodb_describe_backup(struct call *call,
                                  const struct dynamodb_describe_backup_input *in,
                                  struct dynamodb_describe_backup_output *out)
{
    struct ddb_backup b;
    TRY(ddb_use_backup(call, in->backup_arn, &b));
    return describe(call->arena, &b, &out->backup_description);
}

enum err dynamodb_delete_backup(struct call *call, const struct dynamodb_delete_backup_input *in,
                                struct dynamodb_delete_backup_output *out)
{
    struct ddb_backup b;
    uint64_t copies;
    TRY(ddb_use_ready_backup(call, in->backup_arn, &b));
    TRY(ddb_hold_count(call->txn, b.items, &copies));
    if (copies)
        return in_use(call, in->backup_arn, "restored");
    TRY(ddb_backup_drop(call->svc, call->txn, &b));
    TRY(describe(call->arena, &b, &out->backup_description));
    ((struct dynamodb_backup_details *)out->backup_description->backup_details)->backup_status =
        STR("DELETED");
    return ERR_OK;
}

struct listing {
    struct arena *arena;
    const struct dynamodb_list_backups_input *in;
    struct dynamodb_backup_summary *v;
    size_t n;
    struct ddb_backup last;
};

static enum err match(void *arg, struct str key, struct str value, bool *ret_match)
{
    struct listing *l = arg;
    const struct dynamodb_list_backups_input *in = l->in;
    struct ddb_backup *b = &l->last;
    TRY(ddb_backup_from(l->arena, key, value, b));
    struct str wanted = str_is_set(in->backup_type) ? in->backup_type : STR("USER");
    *ret_match = (str_eq_c(wanted, "ALL") || str_eq(wanted, type(b))) &&
                 (!in->has_time_range_lower_bound || b->created_ms >= in->time_range_lower_bound) &&
                 (!in->has_time_range_upper_bound || b->created_ms < in->time_range_upper_bound);
    return ERR_OK;
}

static enum err take(void *arg, struct str key, struct str value)
{
    struct listing *l = arg;
    const struct ddb_backup *b = &l->last; /* match read it */
    struct dynamodb_backup_summary *s = &l->v[l->n++];
    s->table_name = b->table->name;
    s->table_id = b->table->uuid;
    s->table_arn = b->table->arn;
    s->backup_arn = b->arn;
    s->backup_name = b->name;
    s->backup_status = status(b);
    s->backup_type = type(b);
    WIRE_SET(s, backup_creation_date_time, b->created_ms);
    WIRE_SET(s, backup_size_bytes, b->bytes);
    if (b->expires_ms)
        WIRE_SET(s, backup_expiry_date_time, b->expires_ms);
    return ERR_OK;
}

enum err dynamodb_list_backups(struct call *call, const struct dynamodb_list_backups_input *in,
                               struct dynamodb_list_backups_output *out)
{
    static const struct page_fns fns = {.match = match, .take = take};
    size_t limit = in->has_limit ? (size_t)in->limit : LIST_DEFAULT;
    struct page page = page_of_call(call, STR_NONE, STR_NONE, limit);
    struct listing l = {.arena = call->arena, .in = in};
    struct key_scope scope = call_scope(call);
    page.plain = true;
    if (str_is_set(in->exclusive_start_backup_arn)) {
        page.after = ddb_backup_key(call->arena, scope, in->exclusive_start_backup_arn);
        if (!str_is_set(page.after))
            return ddb_refuse(call, "Invalid ExclusiveStartBackupArn: " STR_FMT,
                              STR_ARG(in->exclusive_start_backup_arn));
    }
    l.v = ARENA_ARRAY(call->arena, struct dynamodb_backup_summary, limit);
    if (!l.v)
        return ERR_NOMEM;
    struct key_range range =
        str_is_set(in->table_name)
            ? key_range(call->arena, &ddb_k_backup, scope, ddb_table_name(in->table_name))
            : key_range(call->arena, &ddb_k_backup, scope);
    TRY(page_scan(call->txn, &page, range, &fns, &l));
    out->backup_summaries.v = l.v;
    out->backup_summaries.n = l.n;
    if (page.more && l.n)
        out->last_evaluated_backup_arn = l.v[l.n - 1].backup_arn;
    return ERR_OK;
}
