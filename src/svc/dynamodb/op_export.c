/* ExportTableToPointInTime, DescribeExport, ListExports. */
#include "core/page.h"
#include "svc/dynamodb/ddb_transfer.h"

/* --- descriptions ------------------------------------------------------------------------------- */

static enum err manifest_of(struct arena *a, const struct ddb_transfer *t, struct str *ret)
{
    bool prefix = str_is_set(t->prefix), slash = prefix && !str_ends(t->prefix, STR("/"));
    *ret = str_fmt(a, STR_FMT "%sAWSDynamoDB/" STR_FMT "/manifest-summary.json",
                   STR_ARG(prefix ? t->prefix : STR("")), slash ? "/" : "", STR_ARG(t->id));
    return str_is_set(*ret) ? ERR_OK : ERR_NOMEM;
}

static enum err describe(struct arena *a, const struct ddb_transfer *t,
                         const struct dynamodb_export_description **ret)
{
    struct dynamodb_export_description *d = ARENA_NEW(a, struct dynamodb_export_description);
    if (!d)
        return ERR_NOMEM;
    *ret = d;
    d->export_arn = ddb_transfer_arn(a, t);
    d->export_status = ddb_transfer_status_text(t);
    d->table_arn = t->table_arn;
    d->table_id = t->table_uuid;
    d->client_token = t->token;
    d->s3_bucket = t->bucket;
    d->s3_bucket_owner = t->owner;
    d->s3_prefix = t->prefix;
    d->s3_sse_algorithm = t->sse;
    d->s3_sse_kms_key_id = t->sse_key;
    d->failure_code = t->failure;
    d->failure_message = t->message;
    d->export_format = STR("DYNAMODB_JSON");
    d->export_type = STR("FULL_EXPORT");
    WIRE_SET(d, start_time, t->start_ms);
    WIRE_SET(d, export_time, t->moment_ms);
    if (!str_is_set(d->export_arn))
        return ERR_NOMEM;
    if (t->status == DDB_TRANSFER_RUNS)
        return ERR_OK;
    WIRE_SET(d, end_time, t->end_ms);
    if (t->status == DDB_TRANSFER_FAILED)
        return ERR_OK;
    WIRE_SET(d, billed_size_bytes, t->bytes);
    WIRE_SET(d, item_count, t->count);
    return manifest_of(a, t, &d->export_manifest);
}

/* --- ExportTableToPointInTime --------------------------------------------------------------------- */

static enum err digest_of(struct arena *a,
                          const struct dynamodb_export_table_to_point_in_time_input *in,
                          struct str *ret)
{
    const struct str all[] = {
        in->table_arn,
        in->has_export_time ? str_fmt(a, "%lld", (long long)in->export_time) : STR_NONE,
        in->s3_bucket,
        in->s3_bucket_owner,
        in->s3_prefix,
        in->s3_sse_algorithm,
        in->s3_sse_kms_key_id,
    };
    return ddb_transfer_digest(a, all, ARRAY_LEN(all), ret);
}

static enum err check(struct call *call,
                      const struct dynamodb_export_table_to_point_in_time_input *in)
{
    if (str_eq_c(in->export_type, "INCREMENTAL_EXPORT") || in->incremental_export_specification)
        return ddb_refuse(call, "Invalid Request: INCREMENTAL_EXPORT is not supported here");
    if (str_eq_c(in->export_format, "ION"))
        return ddb_refuse(call, "Invalid Request: ExportFormat ION is not supported here");
    if (str_is_set(in->s3_sse_kms_key_id) && !str_eq_c(in->s3_sse_algorithm, "KMS"))
        return ddb_refuse(call, "Invalid Request: KMS Key Id is not supported for this encryption "
                                "type");
    return ERR_OK;
}

/* The table, with recovery on, and the moment in its window. */
static enum err use_moment(struct call *call,
                           const struct dynamodb_export_table_to_point_in_time_input *in,
                           struct ddb_table **ret_table, int64_t *ret_moment)
{
    int64_t now = call->txn->wall_ms;
    TRY(ddb_read_source(call, in->table_arn, ret_table));
    const struct ddb_table *table = *ret_table;
    if (!table->pitr)
        return call_error(call, &dynamodb_err_point_in_time_recovery_unavailable_exception,
                          "Point in time recovery is not enabled for table '" STR_FMT "'",
                          STR_ARG(table->name));
    *ret_moment = in->has_export_time ? in->export_time : now;
    if (*ret_moment > now || *ret_moment < ddb_pitr_earliest_ms(table, now))
        return call_error(call, &dynamodb_err_invalid_export_time_exception,
                          "Export time must be within the table's point-in-time-recovery window");
    return ERR_OK;
}

static enum err begin(struct call *call, struct ddb_table *table, struct ddb_transfer *t)
{
    TRY(ddb_next_id(call->txn, DDB_ID_TABLE, &t->items));
    TRY(ddb_transfer_put(call->txn, t));
    const struct ddb_copy copy = {
        .kind = DDB_COPY_EXPORT,
        .source = table->id,
        .target = t->items,
        .undone = true,
        .moment_ms =
            t->moment_ms, /* not when the copy begins: what is written until then is later */
        .source_key = table->object.key,
        .source_arn = table->arn,
        .kms_arn = table->kms_arn,
        .data_key = table->data_key,
        .target_key = t->key,
    };
    return ddb_begin_copy(call, &copy, table);
}

enum err dynamodb_export_table_to_point_in_time(
    struct call *call, const struct dynamodb_export_table_to_point_in_time_input *in,
    struct dynamodb_export_table_to_point_in_time_output *out)
{
    struct ddb_transfer t = {0};
    struct ddb_table *table;
    int64_t moment = 0;
    struct str digest;
    TRY(check(call, in));
    TRY(digest_of(call->arena, in, &digest));
    enum err err = ddb_transfer_repeated(call, DDB_EXPORT, in->client_token, digest, &t);
    if (err == ERR_OK)
        return describe(call->arena, &t, &out->export_description);
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(use_moment(call, in, &table, &moment));
    t = (struct ddb_transfer){
        .token = in->client_token,
        .digest = digest,
        .table_arn = table->arn,
        .table_uuid = table->uuid,
        .bucket = in->s3_bucket,
        .owner = in->s3_bucket_owner,
        .prefix = in->s3_prefix,
        .sse = str_is_set(in->s3_sse_algorithm) ? in->s3_sse_algorithm : STR("AES256"),
        .sse_key = in->s3_sse_kms_key_id,
        .kms_arn = table->kms_arn,
        .data_key = table->data_key,
        .moment_ms = moment,
    };
    TRY(ddb_transfer_make(call, DDB_EXPORT, &t));
    TRY(begin(call, table, &t));
    return describe(call->arena, &t, &out->export_description);
}

/* --- DescribeExport, ListExports ------------------------------------------------------------------ */

enum err dynamodb_describe_export(struct call *call,
                                  const struct dynamodb_describe_export_input *in,
                                  struct dynamodb_describe_export_output *out)
{
    struct ddb_transfer t;
    TRY(ddb_transfer_by_arn(call, DDB_EXPORT, in->export_arn, &t));
    return describe(call->arena, &t, &out->export_description);
}

struct listing {
    struct arena *arena;
    struct dynamodb_export_summary *v;
    size_t n;
};

static enum err take(void *arg, const struct ddb_transfer *t)
{
    struct listing *l = arg;
    struct dynamodb_export_summary *s = &l->v[l->n++];
    s->export_arn = ddb_transfer_arn(l->arena, t);
    s->export_status = ddb_transfer_status_text(t);
    s->export_type = STR("FULL_EXPORT");
    return str_is_set(s->export_arn) ? ERR_OK : ERR_NOMEM;
}

enum err dynamodb_list_exports(struct call *call, const struct dynamodb_list_exports_input *in,
                               struct dynamodb_list_exports_output *out)
{
    size_t limit = in->has_max_results ? (size_t)in->max_results : DDB_LIST_DEFAULT;
    struct page page = page_of_call(call, in->table_arn, in->next_token, limit);
    struct listing l = {call->arena,
                        ARENA_ARRAY(call->arena, struct dynamodb_export_summary, limit), 0};
    if (!l.v)
        return ERR_NOMEM;
    enum err err = ddb_transfer_list(call, DDB_EXPORT, in->table_arn, &page, take, &l);
    if (err == ERR_INVALID)
        return ddb_refuse(call, "Invalid Request: Provided nextToken is invalid: " STR_FMT,
                          STR_ARG(in->next_token));
    TRY(err);
    out->export_summaries.v = l.v;
    out->export_summaries.n = l.n;
    out->next_token = page.next_token;
    return ERR_OK;
}
