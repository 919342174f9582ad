/* ExportTableToPointInTime, DescribeExport, ListExports. */
#include "base/arn.h"
#include "base/clock.h"
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

enum {
    WINDOW_MIN_MS = 15 * 60 * 1000, /* of an incremental export */
    WINDOW_MAX_MS = DDB_DAY_MS,
};

static enum err describe_window(struct arena *a, const struct ddb_transfer *t,
                                struct dynamodb_export_description *d)
{
    struct dynamodb_incremental_export_specification *window =
        ARENA_NEW(a, struct dynamodb_incremental_export_specification);
    if (!window)
        return ERR_NOMEM;
    WIRE_SET(window, export_from_time, t->from_ms);
    WIRE_SET(window, export_to_time, t->moment_ms);
    window->export_view_type = ddb_export_view(t);
    d->incremental_export_specification = window;
    return ERR_OK;
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
    d->export_format = ddb_export_format(t);
    d->export_type = ddb_export_type(t);
    WIRE_SET(d, start_time, t->start_ms);
    if (t->incremental)
        TRY(describe_window(a, t, d));
    else
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

static struct str time_text(struct arena *a, bool is_given, int64_t ms)
{
    return is_given ? str_fmt(a, "%lld", (long long)ms) : STR_NONE;
}

static bool is_ion(const struct dynamodb_export_table_to_point_in_time_input *in)
{
    return str_eq_c(in->export_format, "ION");
}

static enum err digest_of(struct arena *a,
                          const struct dynamodb_export_table_to_point_in_time_input *in,
                          struct str *ret)
{
    static const struct dynamodb_incremental_export_specification none;
    const struct dynamodb_incremental_export_specification *window =
        in->incremental_export_specification ? in->incremental_export_specification : &none;
    const struct str all[] = {
        in->table_arn,
        time_text(a, in->has_export_time, in->export_time),
        in->s3_bucket,
        in->s3_bucket_owner,
        in->s3_prefix,
        in->s3_sse_algorithm,
        in->s3_sse_kms_key_id,
        /* Only of incremental ones and of Ion, so that tokens of before hold. */
        time_text(a, window->has_export_from_time, window->export_from_time),
        time_text(a, window->has_export_to_time, window->export_to_time),
        window->export_view_type,
        in->export_format,
    };
    return ddb_transfer_digest(a, all,
                               is_ion(in)                             ? ARRAY_LEN(all)
                               : in->incremental_export_specification ? ARRAY_LEN(all) - 1
                                                                      : 7,
                               ret);
}

static bool is_incremental(const struct dynamodb_export_table_to_point_in_time_input *in)
{
    return str_eq_c(in->export_type, "INCREMENTAL_EXPORT");
}

/* ExportType and IncrementalExportSpecification go together. */
static enum err check_type(struct call *call,
                           const struct dynamodb_export_table_to_point_in_time_input *in)
{
    if (in->incremental_export_specification && !str_is_set(in->export_type))
        return ddb_refuse(call, "Invalid Request: Export Type expected to be Incremental Export "
                                "when incremental export specification is provided");
    if (in->incremental_export_specification && !is_incremental(in))
        return ddb_refuse(call, "Invalid Request: When Export Type is Full Export , Incremental "
                                "Export Specification should not be provided");
    if (is_incremental(in) && !in->incremental_export_specification)
        return ddb_refuse(call, "Invalid Request: Incremental Export Specification expected when "
                                "export type is set as Incremental Export");
    if (is_incremental(in) && !in->incremental_export_specification->has_export_from_time)
        return ddb_refuse(call, "Invalid Request: ExportFromTime must be provided in "
                                "IncrementalExportSpecification");
    if (is_incremental(in) && in->has_export_time)
        return ddb_refuse(call, "Invalid Request: ExportTime should not be provided when Export "
                                "Type is Incremental Export");
    return ERR_OK;
}

static enum err check(struct call *call,
                      const struct dynamodb_export_table_to_point_in_time_input *in)
{
    struct arn arn;
    if (!arn_is(in->table_arn))
        return ddb_refuse(call, "One or more parameter values were invalid: tableArn is not a "
                                "valid ARN");
    if (arn_parse_as(in->table_arn, "dynamodb", "table", &arn) != ERR_OK ||
        str_is_set(arn_segment(&arn, 2)))
        return ddb_refuse(call, "Invalid Request: Table ARN is invalid.");
    if (str_is_set(in->s3_sse_kms_key_id) && !str_eq_c(in->s3_sse_algorithm, "KMS"))
        return ddb_refuse(call, "Invalid Request: KMS Key Id is not supported for this encryption "
                                "type");
    return check_type(call, in);
}

static enum err not_recovering(struct call *call, const struct ddb_table *table)
{
    return call_error(call, &dynamodb_err_point_in_time_recovery_unavailable_exception,
                      "Point in time recovery is not enabled for table '" STR_FMT "'",
                      STR_ARG(table->name));
}

/* The moment of a full export, in the table's window. */
static enum err use_moment(struct call *call,
                           const struct dynamodb_export_table_to_point_in_time_input *in,
                           const struct ddb_table *table, struct ddb_transfer *t)
{
    int64_t now = call->txn->wall_ms;
    if (!table->pitr)
        return not_recovering(call, table);
    t->moment_ms = in->has_export_time ? in->export_time : now;
    if (t->moment_ms > now || t->moment_ms < ddb_pitr_earliest_ms(table, now))
        return call_error(call, &dynamodb_err_invalid_export_time_exception,
                          "Export Time is invalid");
    return ERR_OK;
}

static enum err bad_window(struct call *call, const char *what)
{
    return call_error(call, &dynamodb_err_invalid_export_time_exception, "%s", what);
}

static enum err bad_time(struct call *call, const char *what, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];
    return call_error(call, &dynamodb_err_invalid_export_time_exception,
                      "Incremental export period %s : " STR_FMT, what,
                      STR_ARG(clock_iso8601(text, ms)));
}

/* The window of an incremental one. That which begins before the table does is said first, also where recovery is
 * off. */
static enum err use_window(struct call *call,
                           const struct dynamodb_incremental_export_specification *in,
                           const struct ddb_table *table, struct ddb_transfer *t)
{
    int64_t now = call->txn->wall_ms;
    t->incremental = true;
    t->old_images = !str_eq_c(in->export_view_type, "NEW_IMAGE");
    t->from_ms = in->export_from_time;
    t->moment_ms = in->has_export_to_time ? in->export_to_time : now;
    if (t->moment_ms > now)
        return bad_time(call, "to time cannot be greater than the current time", t->moment_ms);
    if (t->from_ms < table->created_ms)
        return bad_time(call, "from time cannot be less than the table creation time", t->from_ms);
    if (!table->pitr)
        return not_recovering(call, table);
    if (t->from_ms < ddb_pitr_earliest_ms(table, now))
        return bad_window(call, "Incremental export period from time is outside of the table's "
                                "point in time recovery window");
    if (t->moment_ms - t->from_ms < WINDOW_MIN_MS)
        return bad_window(call, "Difference between export period from time and export period to "
                                "time is less than 15 minutes");
    if (t->moment_ms - t->from_ms > WINDOW_MAX_MS)
        return bad_window(call, "Difference between export period from time and export period to "
                                "time is greater than 24 hours");
    return ERR_OK;
}

/* Writes that are open begin anew (DW1), and are of later than the moment. Else one of them could be committed behind
 * what this export sees, and still be too early for that which begins where this one ends. */
static enum err end_open_writes(struct call *call, struct ddb_table *table)
{
    table->generation++;
    return ddb_stage_table(call->svc, call->txn, table);
}

static enum err begin(struct call *call, struct ddb_table *table, struct ddb_transfer *t)
{
    TRY(end_open_writes(call, table));
    if (t->incremental)
        return ddb_window_begin(call, table, t);
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
    struct ddb_transfer when = {0};
    struct ddb_table *table;
    struct str digest;
    TRY(check(call, in));
    TRY(digest_of(call->arena, in, &digest));
    enum err err = ddb_transfer_repeated(call, DDB_EXPORT, in->client_token, digest, &t);
    if (err == ERR_OK)
        return describe(call->arena, &t, &out->export_description);
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(ddb_read_source(call, in->table_arn, &table));
    TRY(is_incremental(in) ? use_window(call, in->incremental_export_specification, table, &when)
                           : use_moment(call, in, table, &when));
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
        .incremental = when.incremental,
        .old_images = when.old_images,
        .from_ms = when.from_ms,
        .moment_ms = when.moment_ms,
        .ion = is_ion(in),
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
    s->export_type = ddb_export_type(t);
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
