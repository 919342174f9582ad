/* ImportTable, DescribeImport, ListImports. */
#include "codec/hex.h"
#include "core/page.h"
#include "svc/dynamodb/ddb_schema.h"
#include "svc/dynamodb/ddb_transfer.h"
#include "wire/kept.h"

enum {
    /* ListImports' tokens are of these digits, in groups, and not shorter. */
    TOKEN_GROUP = 16,
    TOKEN_MIN = 112,
};

static const struct wire_shape *part_shape(const char *member)
{
    return wire_shape_of(dynamodb_service.ops[DYNAMODB_OP_IMPORT_TABLE].input, str_c(member));
}

/* --- descriptions ------------------------------------------------------------------------------- */

static struct str log_group(struct call *call)
{
    return call_arn(call, "logs", "log-group:/aws-dynamodb/imports:*");
}

static const struct dynamodb_s3_bucket_source *source_of(struct arena *a,
                                                         const struct ddb_transfer *t)
{
    struct dynamodb_s3_bucket_source *s = ARENA_NEW(a, struct dynamodb_s3_bucket_source);
    if (s)
        *s = (struct dynamodb_s3_bucket_source){
            .s3_bucket_owner = t->owner, .s3_bucket = t->bucket, .s3_key_prefix = t->prefix};
    return s;
}

static enum err describe_asked(struct arena *a, const struct ddb_transfer *t,
                               struct dynamodb_import_table_description *d)
{
    struct dynamodb_table_creation_parameters *p =
        ARENA_NEW(a, struct dynamodb_table_creation_parameters);
    struct dynamodb_input_format_options *o = ARENA_NEW(a, struct dynamodb_input_format_options);
    if (!p || !o)
        return ERR_NOMEM;
    TRY(wire_kept(&dynamodb_service, part_shape("TableCreationParameters"), t->definition, a, p));
    d->table_creation_parameters = p;
    if (!str_is_set(t->options))
        return ERR_OK;
    TRY(wire_kept(&dynamodb_service, part_shape("InputFormatOptions"), t->options, a, o));
    d->input_format_options = o;
    return ERR_OK;
}

static enum err describe(struct call *call, const struct ddb_transfer *t,
                         const struct dynamodb_import_table_description **ret)
{
    struct arena *a = call->arena;
    struct dynamodb_import_table_description *d =
        ARENA_NEW(a, struct dynamodb_import_table_description);
    if (!d)
        return ERR_NOMEM;
    *ret = d;
    d->import_arn = ddb_transfer_arn(a, t);
    d->import_status = ddb_transfer_status_text(t);
    d->table_arn = t->table_arn;
    d->table_id = t->table_uuid;
    d->client_token = t->token;
    d->s3_bucket_source = source_of(a, t);
    d->cloud_watch_log_group_arn = log_group(call);
    d->input_format = t->format;
    d->input_compression_type = t->compression;
    d->failure_code = t->failure;
    d->failure_message = t->message;
    WIRE_SET(d, start_time, t->start_ms);
    WIRE_SET(d, error_count, t->errors);
    WIRE_SET(d, imported_item_count, t->count);
    WIRE_SET(d, processed_item_count, t->count + t->errors);
    if (t->bytes > 0)
        WIRE_SET(d, processed_size_bytes, t->bytes);
    if (t->status != DDB_TRANSFER_RUNS)
        WIRE_SET(d, end_time, t->end_ms);
    if (!str_is_set(d->import_arn) || !str_is_set(d->cloud_watch_log_group_arn) ||
        !d->s3_bucket_source)
        return ERR_NOMEM;
    return describe_asked(a, t, d);
}

/* --- ImportTable -------------------------------------------------------------------------------- */

static enum err check(struct call *call, const struct dynamodb_import_table_input *in)
{
    if (in->input_format_options && in->input_format_options->csv &&
        !str_eq_c(in->input_format, "CSV"))
        return ddb_refuse(call,
                          "Invalid Request: Unsupported InputFormatOptions for the given input "
                          "format: " STR_FMT ".",
                          STR_ARG(in->input_format));
    if (str_eq_c(in->input_format, "ION"))
        return ddb_refuse(call, "Invalid Request: InputFormat ION is not supported here");
    return ERR_OK;
}

/* What is kept of the request, and its digest. */
static enum err take_request(struct call *call, const struct dynamodb_import_table_input *in,
                             struct ddb_transfer *t)
{
    struct arena *a = call->arena;
    const struct dynamodb_s3_bucket_source *s = in->s3_bucket_source;
    *t = (struct ddb_transfer){
        .token = in->client_token,
        .bucket = s->s3_bucket,
        .owner = str_is_set(s->s3_bucket_owner) ? s->s3_bucket_owner : call_scope(call).account,
        .prefix = s->s3_key_prefix,
        .format = in->input_format,
        .compression =
            str_is_set(in->input_compression_type) ? in->input_compression_type : STR("NONE"),
    };
    TRY(wire_keep(part_shape("TableCreationParameters"), in->table_creation_parameters, a,
                  &t->definition));
    if (in->input_format_options)
        TRY(wire_keep(part_shape("InputFormatOptions"), in->input_format_options, a, &t->options));
    const struct str all[] = {t->bucket,      t->owner,      t->prefix, t->format,
                              t->compression, t->definition, t->options};
    return ddb_transfer_digest(a, all, ARRAY_LEN(all), &t->digest);
}

static enum err create(struct call *call, const struct dynamodb_table_creation_parameters *p,
                       struct ddb_table **ret_table)
{
    struct ddb_diag diag = {.arena = call->arena};
    const struct dynamodb_create_table_input in = {
        .table_name = p->table_name,
        .attribute_definitions = p->attribute_definitions,
        .key_schema = p->key_schema,
        .billing_mode = p->billing_mode,
        .provisioned_throughput = p->provisioned_throughput,
        .on_demand_throughput = p->on_demand_throughput,
        .sse_specification = p->sse_specification,
        .global_secondary_indexes = p->global_secondary_indexes,
    };
    return ddb_answer(call, &diag, ddb_create_table(call, &diag, &in, true, ret_table));
}

/* The import that the token was used for: while it runs, or once its table is gone. */
static enum err repeated(struct call *call, const struct dynamodb_import_table_input *in,
                         const struct ddb_transfer *asked, struct ddb_transfer *ret)
{
    struct ddb_table *table;
    TRY(ddb_transfer_repeated(call, DDB_IMPORT, in->client_token, asked->digest, ret));
    if (ret->status == DDB_TRANSFER_RUNS)
        return ERR_OK;
    enum err err = ddb_find_table(call, in->table_creation_parameters->table_name, &table);
    return err == ERR_NOT_FOUND ? ERR_OK : err ? err : ERR_NOT_FOUND;
}

enum err dynamodb_import_table(struct call *call, const struct dynamodb_import_table_input *in,
                               struct dynamodb_import_table_output *out)
{
    struct ddb_transfer t, old;
    struct ddb_table *table;
    TRY(check(call, in));
    TRY(take_request(call, in, &t));
    enum err err = repeated(call, in, &t, &old);
    if (err == ERR_OK)
        return describe(call, &old, &out->import_table_description);
    if (err != ERR_NOT_FOUND)
        return err;
    TRY(create(call, in->table_creation_parameters, &table));
    t.table_arn = table->arn;
    t.table_uuid = table->uuid;
    t.items = table->id;
    TRY(ddb_transfer_make(call, DDB_IMPORT, &t));
    TRY(ddb_import_begin(call->svc, call->txn, &t));
    return describe(call, &t, &out->import_table_description);
}

/* --- DescribeImport, ListImports ---------------------------------------------------------------- */

enum err dynamodb_describe_import(struct call *call,
                                  const struct dynamodb_describe_import_input *in,
                                  struct dynamodb_describe_import_output *out)
{
    struct ddb_transfer t;
    TRY(ddb_transfer_by_arn(call, DDB_IMPORT, in->import_arn, &t));
    return describe(call, &t, &out->import_table_description);
}

/* A token of core's in the digits that clients check: its bytes, and zeros behind. */
static enum err token_out(struct arena *a, struct str token, struct str *ret)
{
    struct buf b;
    if (!str_is_set(token)) {
        *ret = token;
        return ERR_OK;
    }
    buf_init_arena(&b, a, 4 * PAGE_TOKEN_BYTES_MAX);
    hex_put(&b, token.p, token.len);
    while (b.len < TOKEN_MIN || b.len % TOKEN_GROUP)
        buf_add_byte(&b, '0');
    *ret = buf_str(&b);
    return buf_err(&b);
}

static enum err token_in(struct arena *a, struct str token, struct str *ret)
{
    *ret = token;
    if (!str_is_set(token))
        return ERR_OK;
    char *bytes = arena_alloc(a, token.len / 2 + 1);
    if (!bytes)
        return ERR_NOMEM;
    TRY(token.len % 2 ? ERR_INVALID : hex_decode_to(token, bytes, token.len / 2));
    *ret = str_n(bytes, token.len / 2);
    while (ret->len && ret->p[ret->len - 1] == '\0')
        ret->len--;
    return ERR_OK;
}

struct listing {
    struct call *call;
    struct dynamodb_import_summary *v;
    size_t n;
};

static enum err take(void *arg, const struct ddb_transfer *t)
{
    struct listing *l = arg;
    struct arena *a = l->call->arena;
    struct dynamodb_import_summary *s = &l->v[l->n++];
    s->import_arn = ddb_transfer_arn(a, t);
    s->import_status = ddb_transfer_status_text(t);
    s->table_arn = t->table_arn;
    s->s3_bucket_source = source_of(a, t);
    s->cloud_watch_log_group_arn = log_group(l->call);
    s->input_format = t->format;
    WIRE_SET(s, start_time, t->start_ms);
    if (t->status != DDB_TRANSFER_RUNS)
        WIRE_SET(s, end_time, t->end_ms);
    return str_is_set(s->import_arn) && s->s3_bucket_source &&
                   str_is_set(s->cloud_watch_log_group_arn)
               ? ERR_OK
               : ERR_NOMEM;
}

enum err dynamodb_list_imports(struct call *call, const struct dynamodb_list_imports_input *in,
                               struct dynamodb_list_imports_output *out)
{
    size_t limit = in->has_page_size ? (size_t)in->page_size : DDB_LIST_DEFAULT;
    struct str token;
    struct listing l = {call, ARENA_ARRAY(call->arena, struct dynamodb_import_summary, limit), 0};
    if (!l.v)
        return ERR_NOMEM;
    enum err err = token_in(call->arena, in->next_token, &token);
    struct page page = page_of_call(call, in->table_arn, err ? STR("") : token, limit);
    if (!err)
        err = ddb_transfer_list(call, DDB_IMPORT, in->table_arn, &page, take, &l);
    if (err == ERR_INVALID)
        return ddb_refuse(call, "Invalid Request: Provided nextToken is invalid: " STR_FMT,
                          STR_ARG(in->next_token));
    TRY(err);
    out->import_summary_list.v = l.v;
    out->import_summary_list.n = l.n;
    return token_out(call->arena, page.next_token, &out->next_token);
}
