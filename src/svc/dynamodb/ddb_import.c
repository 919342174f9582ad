/* Imports: a new table out of the objects of a bucket.
 *
 *   begin (the log's group and stream) -> read -> visit (indexes) -> the table is there
 *
 *   dynamodb.import   key: ddb_k_transfer; argument: none; cursor: record (struct place)
 *
 * Objects are read in the order of their keys, by ranges; a step takes rows out of the text that is in memory and stages
 * their items. The table is `restoring` meanwhile, so nobody else uses it: items are put blindly, a later one in the
 * place of an earlier, and indexes are made of what is there in the end. What is wrong with a row is an event of
 * /aws-dynamodb/imports and a count; a row that is no item at all ends its object.
 *
 * Invariants
 *   DM1  A step's items, counts, events and place are one commit (JB2): a crash repeats nothing and leaves out nothing.
 *   DM2  What is in memory (struct reader) follows the place: it is dropped and read anew where the two do not fit, from
 *        the place on, or from the object's beginning where it is compressed.
 *   DM3  All of an object is of one version: ranges ask for the ETag of the first.
 *   DM4  Memory is bounded: READ_BYTES of an object, a row and UNPACK_BYTES of its text.
 *
 * Layer: svc/dynamodb. Thread: steps run on the home loop. Source: developer guide, "DynamoDB data import from Amazon
 * S3". */
#include <assert.h>

#include "base/arn.h"
#include "base/mem.h"
#include "codec/unzip.h"
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/dynamodb/ddb_rows.h"
#include "svc/dynamodb/ddb_transfer.h"
#include "wire/kept.h"

enum {
    READ_BYTES = 4 * 1024 * 1024,     /* of an object, by one call */
    UNPACK_BYTES = 512 * 1024,        /* of text, at a time */
    STEP_BYTES_MAX = 2 * 1024 * 1024, /* of rows that one step takes */
    LIST_KEYS = 1000,
    LISTED_BYTES_MAX = 8 * 1024 * 1024,
    ERRORS_STEP_MAX = 100,
    ERRORS_LOGGED_MAX = 10 * 1000, /* of one import, as AWS */
    EVENTS_BYTES_MAX = 512 * 1024, /* PutLogEvents takes a MiB */
    MESSAGE_BYTES_MAX = 1024,
};

static const struct str LOG_GROUP = STR_INIT("/aws-dynamodb/imports");

/* Stored: never renumber. */
enum phase { BEGIN, READ, VISIT, DONE, PHASES };

struct place {
    enum phase phase;
    struct str after;     /* key of the last object that was read; absent: none was */
    struct str key, etag; /* of the object that is being read; absent: none is */
    int64_t size;         /* its bytes */
    int64_t offset;       /* of the next row, in its text */
    int64_t row;          /* that row's number; a header has none */
    struct str header;    /* a CSV object's own; absent: none, or it was not read yet */
    struct str at;        /* key of the next item that is visited */
    int64_t objects, logged;
};

static const struct record_field place_fields[] = {
    REC_ENUM(struct place, phase, PHASES),
    REC_STR(struct place, after),
    REC_STR(struct place, key),
    REC_STR(struct place, etag),
    REC_INT(struct place, size),
    REC_INT(struct place, offset),
    REC_INT(struct place, row),
    REC_STR(struct place, header),
    REC_STR(struct place, at),
    REC_INT(struct place, objects),
    REC_INT(struct place, logged),
};
static const struct record_type place_type = RECORD_TYPE(struct place, 1, place_fields);

struct listed {
    struct str key;
    int64_t size;
};

/* job->user: what is in memory of the objects. */
struct reader {
    struct ddb_s3 s3; /* first: ddb_s3_run */
    enum { ASKS_LIST, ASKS_OBJECT } asks;
    struct arena list_arena;
    struct listed *list; /* behind what `after` was then */
    size_t n_list;
    bool has_list, list_ends; /* nothing follows */
    struct arena key_arena;
    struct str key, etag; /* of the object that follows; absent: none */
    struct unzip *unzip;
    struct buf text;
    int64_t base, fetched; /* where `text` begins in the whole; bytes that were asked for */
    struct str in;         /* not unpacked yet; of s3.arena */
    bool ends;             /* `text` is the last of it */
    struct str broken;     /* why it cannot be read on; absent: it can */
    bool failed;           /* the whole import, as s3.code says */
};

struct bad_row {
    struct str key;
    int64_t row;
    struct str message;
};

struct importing {
    struct dynamodb *ddb;
    struct txn *txn;
    struct job *job;
    struct job_budget *budget;
    struct ddb_transfer t;
    struct place p;
    struct reader *r;
    struct ddb_table *table;
    struct ddb_cipher cipher;
    char delimiter;            /* 0: not CSV */
    struct ddb_columns names;  /* of CSV */
    bool has_names, own_names; /* own: of the request's HeaderList */
    struct bad_row faults[ERRORS_STEP_MAX];
    size_t n_faults, bytes;
    struct str code, message; /* set: it failed */
};

/* --- memory ------------------------------------------------------------------------------------- */

static struct reader *reader_new(struct dynamodb *ddb)
{
    struct reader *r = mem_calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    ddb_s3_init(&r->s3, ddb);
    arena_init(&r->list_arena, LISTED_BYTES_MAX);
    arena_init(&r->key_arena, DDB_CSV_HEADER_BYTES_MAX);
    buf_init(&r->text, DDB_ROW_BYTES_MAX + 2 * UNPACK_BYTES);
    return r;
}

static void reader_free(void *self, void *user)
{
    struct reader *r = user;
    if (!r)
        return;
    unzip_free(r->unzip);
    buf_release(&r->text);
    arena_release(&r->key_arena);
    arena_release(&r->list_arena);
    ddb_s3_release(&r->s3);
    mem_free(r);
}

static enum unzip_kind compression_of(const struct ddb_transfer *t)
{
    return str_eq_c(t->compression, "GZIP")   ? UNZIP_GZIP
           : str_eq_c(t->compression, "ZSTD") ? UNZIP_ZSTD
                                              : UNZIP_NONE;
}

/* Begins the place's object in memory. */
static enum err reader_open(struct importing *g)
{
    struct reader *r = g->r;
    enum unzip_kind kind = compression_of(&g->t);
    arena_clear(&r->key_arena);
    r->key = str_dup(&r->key_arena, g->p.key);
    r->etag = str_is_set(g->p.etag) ? str_dup(&r->key_arena, g->p.etag) : STR_NONE;
    r->broken = r->in = STR_NONE;
    r->ends = false;
    r->base = r->fetched = kind == UNZIP_NONE ? g->p.offset : 0;
    buf_clear(&r->text);
    unzip_free(r->unzip);
    r->unzip = unzip_new(kind);
    if (r->unzip && str_is_set(r->key) && !r->key_arena.failed)
        return ERR_OK;
    r->key = STR_NONE;
    return ERR_NOMEM;
}

/* --- events and ends ---------------------------------------------------------------------------- */

static enum err log_call(struct importing *g, const char *operation, struct str input)
{
    struct principal who;
    struct core_result result;
    struct arn arn;
    enum err err = principal_of_kept(g->ddb->core, g->txn->arena, g->t.id, &g->t.who, &who);
    if (err)
        return err;
    TRY(arn_parse(g->t.table_arn, &arn));
    const struct core_request req = {
        .service = STR("logs"),
        .operation = str_c(operation),
        .input = input,
        .who = &who,
        .region = arn.region,
        .via = STR("dynamodb.amazonaws.com"),
        .source_arn = g->t.table_arn,
        .source_account = arn.account,
    };
    err = core_call_in_txn(g->txn, &req, &result);
    if (err == ERR_FAILED && str_eq_c(result.code, "ResourceAlreadyExistsException"))
        return ERR_OK;
    if (err != ERR_FAILED)
        return err;
    g->code = result.code;
    g->message = result.message;
    return ERR_OK;
}

/* {"logGroupName": ..., "logStreamName": ... */
static void put_log_names(struct importing *g, struct json_out *o, bool stream)
{
    json_open(o, '{');
    json_kv_str(o, STR("logGroupName"), LOG_GROUP);
    if (stream)
        json_kv_str(o, STR("logStreamName"),
                    str_fmt(g->txn->arena, STR_FMT "/error", STR_ARG(g->t.id)));
}

static enum err open_log(struct importing *g)
{
    static const char *const operations[] = {"CreateLogGroup", "CreateLogStream"};
    for (size_t i = 0; i < ARRAY_LEN(operations) && !str_is_set(g->code); i++) {
        struct buf b;
        struct json_out o;
        buf_init_arena(&b, g->txn->arena, EVENTS_BYTES_MAX);
        json_out_init(&o, &b);
        put_log_names(g, &o, i == 1);
        json_close(&o, '}');
        TRY(buf_err(&b));
        TRY(log_call(g, operations[i], buf_str(&b)));
    }
    g->p.phase = READ;
    return ERR_OK;
}

static enum err put_fault(struct importing *g, struct json_out *events, const struct bad_row *f)
{
    struct buf b;
    struct json_out o;
    struct str arn = ddb_transfer_arn(g->txn->arena, &g->t);
    buf_init_arena(&b, g->txn->arena, EVENTS_BYTES_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_key(&o, STR("itemS3Pointer"));
    json_open(&o, '{');
    json_kv_str(&o, STR("bucket"), g->t.bucket);
    json_kv_str(&o, STR("key"), f->key);
    json_kv_i64(&o, STR("itemIndex"), f->row);
    json_close(&o, '}');
    json_kv_str(&o, STR("importArn"), arn);
    json_key(&o, STR("errorMessages"));
    json_open(&o, '[');
    json_str(&o, str_sub(f->message, 0, MESSAGE_BYTES_MAX));
    json_close(&o, ']');
    json_close(&o, '}');
    TRY(buf_err(&b));
    json_open(events, '{');
    json_kv_i64(events, STR("timestamp"), g->txn->wall_ms);
    json_kv_str(events, STR("message"), buf_str(&b));
    json_close(events, '}');
    return str_is_set(arn) ? ERR_OK : ERR_NOMEM;
}

/* The step's faults as events. */
static enum err log_faults(struct importing *g)
{
    struct buf b;
    struct json_out o;
    size_t n = g->n_faults;
    g->t.errors += (int64_t)n;
    if (g->p.logged >= ERRORS_LOGGED_MAX || n == 0 || str_is_set(g->code))
        return ERR_OK;
    buf_init_arena(&b, g->txn->arena, EVENTS_BYTES_MAX);
    json_out_init(&o, &b);
    put_log_names(g, &o, true);
    json_key(&o, STR("logEvents"));
    json_open(&o, '[');
    for (size_t i = 0; i < n; i++)
        TRY(put_fault(g, &o, &g->faults[i]));
    json_close(&o, ']');
    json_close(&o, '}');
    TRY(buf_err(&b));
    g->p.logged += (int64_t)n;
    return log_call(g, "PutLogEvents", buf_str(&b));
}

static enum err note_fault(struct importing *g, struct str message)
{
    assert(g->n_faults < ERRORS_STEP_MAX);
    struct bad_row *f = &g->faults[g->n_faults++];
    *f = (struct bad_row){g->p.key, g->p.row, str_dup(g->txn->arena, message)};
    return str_is_set(f->message) ? ERR_OK : ERR_NOMEM;
}

/* There will be no table. */
static enum err fail(struct importing *g)
{
    TRY(ddb_stage_drop(g->ddb, g->txn, g->table));
    TRY(ddb_stage_sweep(g->ddb, g->txn, g->t.items, 0));
    return ddb_transfer_end(g->txn, &g->t, g->code, g->message);
}

static enum err finish(struct importing *g)
{
    static const struct str WRONG =
        STR_INIT("Some of the items failed validation checks and were not imported. Please check "
                 "CloudWatch error logs for more details.");
    bool wrong = g->t.errors > 0;
    g->table->restoring = false;
    g->table->generation++;
    TRY(ddb_stage_table(g->ddb, g->txn, g->table));
    return ddb_transfer_end(g->txn, &g->t, wrong ? STR("ItemValidationError") : STR_NONE,
                            wrong ? WRONG : STR_NONE);
}

/* --- calls of S3 -------------------------------------------------------------------------------- */

/* {"Bucket": ..., and whose it is. */
static void put_bucket(struct importing *g, struct json_out *o)
{
    json_open(o, '{');
    json_kv_str(o, STR("Bucket"), g->t.bucket);
    json_kv_str(o, STR("ExpectedBucketOwner"), g->t.owner);
}

static enum err ask(struct importing *g, bool list, struct buf *b, enum job_state *ret_state)
{
    TRY(buf_err(b));
    ddb_s3_clear(&g->r->s3);
    g->r->asks = list ? ASKS_LIST : ASKS_OBJECT;
    *ret_state = JOB_RUN;
    return ddb_s3_prepare(&g->r->s3, &g->t, list ? "ListObjectsV2" : "GetObject", buf_str(b));
}

static enum err ask_list(struct importing *g, enum job_state *ret_state)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, g->txn->arena, 64 * 1024);
    json_out_init(&o, &b);
    put_bucket(g, &o);
    json_kv_i64(&o, STR("MaxKeys"), LIST_KEYS);
    json_kv_str(&o, STR("Prefix"), g->t.prefix);
    json_kv_str(&o, STR("StartAfter"), g->p.after);
    json_close(&o, '}');
    return ask(g, true, &b, ret_state);
}

static enum err ask_object(struct importing *g, enum job_state *ret_state)
{
    struct reader *r = g->r;
    struct buf b;
    struct json_out o;
    int64_t last = r->fetched + READ_BYTES < g->p.size ? r->fetched + READ_BYTES : g->p.size;
    buf_init_arena(&b, g->txn->arena, 64 * 1024);
    json_out_init(&o, &b);
    put_bucket(g, &o);
    json_kv_str(&o, STR("Key"), r->key);
    json_kv_str(&o, STR("IfMatch"), r->etag);
    json_kv_str(
        &o, STR("Range"),
        str_fmt(g->txn->arena, "bytes=%lld-%lld", (long long)r->fetched, (long long)last - 1));
    json_close(&o, '}');
    return ask(g, false, &b, ret_state);
}

static enum err take_list(struct reader *r)
{
    struct json *reply;
    size_t cap = 0;
    arena_clear(&r->list_arena);
    r->list = NULL;
    r->n_list = 0;
    TRY(json_parse(&r->s3.arena, r->s3.output, &reply, NULL));
    const struct json *more = json_get(reply, STR("IsTruncated"));
    r->list_ends = !more || !more->b;
    JSON_EACH (json_get(reply, STR("Contents")), c) {
        struct listed l = {.key = str_dup(&r->list_arena, json_get_str(c, STR("Key")))};
        const struct json *size = json_get(c, STR("Size"));
        TRY(size ? json_to_i64(size, &l.size) : ERR_CORRUPT);
        TRY(ARENA_GROW(&r->list_arena, r->list, r->n_list, cap, LIST_KEYS));
        r->list[r->n_list++] = l;
    }
    r->has_list = true;
    ddb_s3_clear(&r->s3);
    return r->list_arena.failed ? ERR_NOMEM : ERR_OK;
}

static enum err take_object(struct reader *r)
{
    struct json *reply;
    TRY(json_parse(&r->s3.arena, r->s3.output, &reply, NULL));
    if (!str_is_set(r->etag))
        r->etag = str_dup(&r->key_arena, json_get_str(reply, STR("ETag")));
    r->in = r->s3.got;
    r->fetched += (int64_t)r->in.len;
    r->s3.ready = false;
    if (r->in.len == 0)
        r->broken = STR("The object ends before its size");
    return str_is_set(r->etag) ? ERR_OK : ERR_NOMEM;
}

/* Whether the object is what is wrong, and not who asks or the bucket. */
static bool is_of_object(struct str code)
{
    static const char *const codes[] = {"NoSuchKey", "PreconditionFailed", "InvalidRange",
                                        "InvalidObjectState"};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (str_eq_c(code, codes[i]))
            return true;
    return false;
}

/* What came of the call that the last step asked for: into memory only, so that a rerun finds it. */
static enum err take_answer(struct reader *r)
{
    struct ddb_s3 *s = &r->s3;
    if (!s->ready || r->failed)
        return ERR_OK;
    if (!s->done) { /* that step's commit failed */
        ddb_s3_clear(s);
        return ERR_OK;
    }
    if (s->err == ERR_OK)
        return r->asks == ASKS_LIST ? take_list(r) : take_object(r);
    enum err err = s->err;
    bool told = err == ERR_FAILED || err == ERR_NOT_FOUND || err == ERR_DENIED;
    if (told && r->asks == ASKS_OBJECT && is_of_object(s->code)) {
        r->broken = str_dup(&r->key_arena, s->message);
        ddb_s3_clear(s);
        return str_is_set(r->broken) ? ERR_OK : ERR_NOMEM;
    }
    r->failed = told;
    if (told)
        return ERR_OK;
    ddb_s3_clear(s);
    return err; /* the environment's: the step is tried again */
}

/* --- rows --------------------------------------------------------------------------------------- */

static enum err put_item(struct importing *g, struct ddb_diag *diag, const struct ddb_av *item)
{
    struct arena *a = g->txn->arena;
    struct ddb_key key;
    struct str raw;
    size_t size = ddb_item_size(item);
    TRY(ddb_key_of_item(diag, &g->table->key, item, &key));
    TRY(ddb_check_index_keys(diag, g->table, item));
    if (size > DDB_ITEM_BYTES_MAX)
        return ddb_invalid(diag, "Item size has exceeded the maximum allowed size");
    TRY(ddb_item_encode(a, item, size, &raw));
    struct str at = ddb_item_key(a, g->table->id, key);
    if (!str_is_set(at))
        return ERR_NOMEM;
    TRY(ddb_record_seal(&g->cipher, a, at, &raw));
    TRY(txn_put(g->txn, at, raw));
    g->t.count++;
    return ERR_OK;
}

static enum err object_done(struct importing *g)
{
    struct place *p = &g->p;
    p->after = p->key;
    p->key = p->etag = p->header = STR_NONE;
    p->size = p->offset = p->row = 0;
    g->has_names = g->own_names;
    return ERR_OK;
}

/* Nothing more can be made of the object. */
static enum err abandon(struct importing *g, struct str why)
{
    TRY(note_fault(g, why));
    return object_done(g);
}

/* The row as the names of columns. ERR_CORRUPT: it is not. */
static enum err take_names(struct importing *g, struct str row)
{
    enum err err = row.len > DDB_CSV_HEADER_BYTES_MAX || !str_is_utf8(row)
                       ? ERR_INVALID
                       : ddb_csv_fields(g->txn->arena, row, g->delimiter, &g->names);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return ERR_CORRUPT;
    TRY(err);
    for (size_t i = 0; i < g->names.n; i++)
        for (size_t k = 0; k <= i; k++)
            if (k == i ? str_empty(g->names.v[i]) : str_eq(g->names.v[i], g->names.v[k]))
                return ERR_CORRUPT;
    g->has_names = true;
    return ERR_OK;
}

static enum err take_header(struct importing *g, struct str row)
{
    enum err err = take_names(g, row);
    if (err == ERR_CORRUPT)
        return abandon(g, STR("The header is not a row of CSV with different names"));
    g->p.header = row;
    return err;
}

static enum err take_row(struct importing *g, struct str row)
{
    struct ddb_diag diag = {.arena = g->txn->arena};
    struct ddb_av *item;
    enum err err = g->delimiter ? ddb_row_csv(&diag, g->table, &g->names, row, g->delimiter, &item)
                                : ddb_row_json(&diag, row, &item);
    if (!err)
        err = put_item(g, &diag, item);
    if (err == ERR_CORRUPT)
        return abandon(g, diag.msg);
    if (err == ERR_INVALID)
        TRY(note_fault(g, diag.msg));
    else
        TRY(err);
    g->p.row++;
    return ERR_OK;
}

/* Text up to the next row is dropped; *ret_there: that is in memory. */
static void drop_read(struct importing *g, bool *ret_there)
{
    struct reader *r = g->r;
    size_t n = min_size((size_t)(g->p.offset - r->base), r->text.len);
    buf_drop_front(&r->text, n);
    r->base += (int64_t)n;
    *ret_there = r->base == g->p.offset;
}

/* More text, or the call that gets it. The row that begins it is not whole. */
static enum err read_on(struct importing *g, enum job_state *ret_state)
{
    struct reader *r = g->r;
    job_spend(g->budget, 1);
    enum err err = unzip_step(r->unzip, &r->in, &r->text, UNPACK_BYTES);
    if (err == ERR_INVALID)
        r->broken = STR("The object is not compressed as InputCompressionType says");
    else
        TRY(err);
    if (err || r->in.len > 0 || r->text.len >= UNPACK_BYTES)
        return ERR_OK;
    if (r->fetched < g->p.size)
        return ask_object(g, ret_state);
    r->ends = true;
    if (!unzip_may_end(r->unzip))
        r->broken = STR("The compressed object is cut short");
    return ERR_OK;
}

static enum err one_row(struct importing *g, struct str row, size_t len)
{
    static const struct str BOM = STR_INIT("\xef\xbb\xbf");
    if (g->p.offset == 0 && str_starts(row, BOM))
        row = str_sub(row, BOM.len, SIZE_MAX);
    g->p.offset += (int64_t)len;
    g->t.bytes += (int64_t)len;
    g->bytes += len;
    if (str_empty(str_trim(row)))
        return ERR_OK;
    job_spend(g->budget, 1);
    return g->delimiter && !g->has_names ? take_header(g, row) : take_row(g, row);
}

/* Rows of the text in memory, until it, the object or the step's budget is spent. */
static enum err read_rows(struct importing *g, enum job_state *ret_state)
{
    struct reader *r = g->r;
    size_t at = 0, len;
    struct str row;
    bool there;
    drop_read(g, &there);
    while (*ret_state == JOB_MORE && str_is_set(g->p.key)) {
        if (job_spent(g->budget) || g->bytes >= STEP_BYTES_MAX || g->n_faults == ERRORS_STEP_MAX)
            return ERR_OK;
        if (str_is_set(r->broken))
            return abandon(g, r->broken);
        if (!there) { /* after a restart: a compressed object is unpacked up to the place again */
            if (r->ends)
                return abandon(g, STR("The object was changed while it was read"));
            TRY(read_on(g, ret_state));
            drop_read(g, &there);
            continue;
        }
        enum err err = ddb_row_next(str_sub(buf_str(&r->text), at, SIZE_MAX), g->delimiter, r->ends,
                                    &row, &len);
        if (err == ERR_INVALID || err == ERR_LIMIT)
            return abandon(g, err == ERR_LIMIT ? STR("A row is too long")
                                               : STR("The quotes of a row are not those of CSV"));
        if (err == ERR_NOT_FOUND && (r->ends || at > 0))
            return r->ends ? object_done(g) : ERR_OK; /* what was taken is committed first */
        if (err == ERR_NOT_FOUND) {
            TRY(read_on(g, ret_state));
            continue;
        }
        TRY(err);
        TRY(one_row(g, row, len));
        at += len;
    }
    return ERR_OK;
}

/* --- objects ------------------------------------------------------------------------------------ */

/* The next object becomes the place's; *ret_found false: they must be listed, or there is none. */
static enum err next_object(struct importing *g, bool *ret_found)
{
    const struct reader *r = g->r;
    struct place *p = &g->p;
    *ret_found = false;
    for (size_t i = 0; i < r->n_list && !*ret_found; i++) {
        const struct listed *l = &r->list[i];
        if (l->size == 0 || (str_is_set(p->after) && str_cmp(l->key, p->after) <= 0))
            continue;
        p->key = l->key;
        p->size = l->size;
        p->objects++;
        *ret_found = true;
    }
    if (p->objects <= DDB_IMPORT_OBJECTS_MAX)
        return ERR_OK;
    g->code = STR("LimitExceeded");
    g->message = str_fmt(g->txn->arena, "The number of objects exceeds the limit of %d",
                         DDB_IMPORT_OBJECTS_MAX);
    return str_is_set(g->message) ? ERR_OK : ERR_NOMEM;
}

static enum err read_objects(struct importing *g, enum job_state *ret_state)
{
    struct reader *r = g->r;
    bool found = str_is_set(g->p.key);
    TRY(take_answer(r));
    if (r->failed)
        return ddb_s3_fault(&r->s3, g->txn->arena, &g->code, &g->message);
    if (!found)
        TRY(next_object(g, &found));
    if (!found && r->has_list && r->list_ends) {
        g->p.phase = g->table->n_indexes ? VISIT : DONE;
        return ERR_OK;
    }
    if (!found) {
        if (r->n_list) /* objects without bytes may end a page */
            g->p.after = str_dup(g->txn->arena, r->list[r->n_list - 1].key);
        r->has_list = false;
        r->n_list = 0;
        return ask_list(g, ret_state);
    }
    if (str_is_set(g->code))
        return ERR_OK;
    if (!str_is_set(r->key) || !str_eq(r->key, g->p.key) || r->base > g->p.offset)
        TRY(reader_open(g));
    TRY(read_rows(g, ret_state));
    if (str_is_set(g->p.key) && str_is_set(r->etag))
        g->p.etag = str_dup(g->txn->arena, r->etag);
    else if (!str_is_set(g->p.key))
        r->key = STR_NONE;
    return ERR_OK;
}

/* --- indexes ------------------------------------------------------------------------------------ */

static enum err visit_one(void *arg, struct str key, struct str raw)
{
    struct importing *g = arg;
    for (size_t i = 0; i < g->table->n_indexes; i++)
        TRY(ddb_index_add(g->txn, g->table, &g->table->indexes[i], &g->cipher, key));
    g->p.at = key_successor(g->txn->arena, key);
    g->bytes += raw.len * g->table->n_indexes;
    job_spend(g->budget, g->table->n_indexes);
    if (!str_is_set(g->p.at))
        return ERR_NOMEM;
    return job_spent(g->budget) || g->bytes >= STEP_BYTES_MAX ? ERR_CLOSED : ERR_OK;
}

static enum err visit(struct importing *g)
{
    struct key_range range = ddb_scan_range(g->txn->arena, g->t.items, 0, 0, 1);
    if (str_is_set(range.from) && str_is_set(g->p.at))
        range.from = g->p.at;
    g->bytes = 0;
    TRY(txn_each(g->txn, range, visit_one, g));
    if (g->bytes == 0)
        g->p.phase = DONE;
    return ERR_OK;
}

/* --- steps -------------------------------------------------------------------------------------- */

static enum err open_csv(struct importing *g)
{
    struct dynamodb_input_format_options options = {0};
    if (!str_eq_c(g->t.format, "CSV"))
        return ERR_OK;
    g->delimiter = ',';
    if (str_is_set(g->t.options))
        TRY(wire_kept(&dynamodb_service,
                      wire_shape_of(dynamodb_service.ops[DYNAMODB_OP_IMPORT_TABLE].input,
                                    STR("InputFormatOptions")),
                      g->t.options, g->txn->arena, &options));
    if (options.csv && str_is_set(options.csv->delimiter))
        g->delimiter = options.csv->delimiter.p[0];
    if (options.csv && options.csv->header_list.n) {
        g->names = (struct ddb_columns){(struct str *)options.csv->header_list.v,
                                        options.csv->header_list.n};
        g->has_names = g->own_names = true;
    } else if (str_is_set(g->p.header)) {
        TRY(take_names(g, g->p.header));
    }
    return ERR_OK;
}

/* The table, which nobody else changes, and what its items are sealed with. */
static enum err open_table(struct importing *g)
{
    struct ddb_diag diag = {.arena = g->txn->arena};
    struct key_scope scope;
    struct arn arn;
    void *object;
    TRY(key_read(&ddb_k_transfer, g->job->key, g->txn->arena, &scope, KEY_SKIP, KEY_SKIP));
    TRY(arn_parse(g->t.table_arn, &arn));
    struct str key = key_make(g->txn->arena, &ddb_k_table, scope, arn_segment(&arn, 1));
    TRY(str_is_set(key) ? ERR_OK : ERR_NOMEM);
    TRY(catalogue_read(g->ddb->tables, g->txn, key, &object));
    g->table = object;
    if (g->table->id != g->t.items || !g->table->restoring)
        return ERR_CORRUPT;
    enum err err = ddb_cipher_of(&diag, g->txn, g->table, &g->cipher);
    if (err != ERR_DENIED)
        return err;
    g->code = STR("KMSKeyInaccessible");
    g->message = STR(DDB_KEY_GONE);
    return ERR_OK;
}

static enum err advance(struct importing *g, enum job_state *ret_state)
{
    enum err err = g->p.phase == BEGIN  ? open_log(g)
                   : g->p.phase == READ ? read_objects(g, ret_state)
                                        : visit(g);
    if (!err)
        err = log_faults(g);
    if (err != ERR_DENIED)
        return err;
    g->code = STR("AccessDenied");
    g->message = STR("Whoever asked for the import may not act any more");
    return ERR_OK;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct importing g = {.ddb = self, .txn = txn, .job = job, .budget = budget};
    enum err err = ddb_transfer_get(txn, job->key, &g.t);
    *ret_state = JOB_DONE;
    if (err || g.t.status != DDB_TRANSFER_RUNS)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (!str_empty(job->cursor))
        TRY(record_unpack(&place_type, txn->arena, job->cursor, &g.p));
    if (!job->user)
        job->user = reader_new(self);
    g.r = job->user;
    if (!g.r)
        return ERR_NOMEM;
    TRY(open_table(&g));
    TRY(open_csv(&g));
    *ret_state = JOB_MORE;
    if (!str_is_set(g.code))
        TRY(advance(&g, ret_state));
    if (str_is_set(g.code) || g.p.phase == DONE) {
        *ret_state = JOB_DONE;
        return str_is_set(g.code) ? fail(&g) : finish(&g);
    }
    TRY(ddb_transfer_put(txn, &g.t));
    return record_make(&place_type, txn->arena, &g.p, &job->cursor);
}

enum err ddb_import_begin(struct dynamodb *ddb, struct txn *txn, const struct ddb_transfer *t)
{
    TRY(ddb_transfer_put(txn, t));
    return job_add(txn, ddb->imports, t->key, STR(""));
}

enum err ddb_import_register(struct dynamodb *ddb)
{
    const struct job_def imports = {.name = "dynamodb.import",
                                    .self = ddb,
                                    .step = step,
                                    .run = ddb_s3_run,
                                    .release = reader_free,
                                    .at_once = 2};
    return job_register(deliver_due(ddb->core->deliver), &imports, &ddb->imports);
}
