/* Exports: a table's items at one moment as files in a bucket, as AWS lays them out.
 *
 *   copy (ddb_copy.c) -> started -> files -> manifest of files and its sum -> summary and its sum -> over -> lines of the
 *   manifest removed
 *
 *   dynamodb.export   key: ddb_k_transfer; argument: none; cursor: record (struct place)
 *
 * The copy is exact (DC1), and nothing writes to it; so a file is made anew from where it began when a crash lost it,
 * and is the same bytes under the same name. A data file is made in memory by several steps, each of which adds a
 * member of gzip, and goes to the bucket by one PutObject.
 *
 * An incremental export's changes (ddb_window.c) are in place of the copy, and its files beside those of others.
 *
 * Invariants
 *   DO1  What the place says to be written was answered by S3; the copy and the manifest's lines stay until the export is over.
 *   DO2  The summary is written last: who finds it finds all that it tells of.
 *
 * Layer: svc/dynamodb. Thread: steps run on the home loop. Source: developer guide, "DynamoDB table export output
 * format". */
#include <assert.h>

#include "base/arn.h"
#include "base/clock.h"
#include "codec/base64.h"
#include "codec/gzip.h"
#include "codec/hash.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/dynamodb/ddb_ion.h"
#include "svc/dynamodb/ddb_transfer.h"

enum {
    CHUNK_BYTES = 256 * 1024, /* of JSON that one step makes and packs */
    FILE_BYTES_MAX =
        8 * 1024 * 1024, /* packed, about: a file ends behind the chunk that reaches it */
    MANIFEST_MAX = 16 * 1024 * 1024,
    FILE_CHUNKS_MAX = GZIP_MEMBERS_MAX - 4, /* what our own reader takes, too */
    NAME_DIGITS = 26,
};

/* Stored: never renumber. */
enum phase { STARTED, FILES, MANIFEST, MANIFEST_SUM, SUMMARY, SUMMARY_SUM, OVER, PHASES };

struct place {
    enum phase phase;
    struct str at; /* key of the first item that is in no file yet; absent: all are to be */
    uint32_t files;
};

static const struct record_field place_fields[] = {
    REC_ENUM(struct place, phase, PHASES),
    REC_STR(struct place, at),
    REC_UINT(struct place, files),
};
static const struct record_type place_type = RECORD_TYPE(struct place, 1, place_fields);

struct exporting {
    struct dynamodb *ddb;
    struct txn *txn;
    struct job *job;
    struct ddb_transfer t;
    struct place p;
    struct ddb_s3 *s; /* the job's */
};

struct str ddb_export_type(const struct ddb_transfer *t)
{
    return t->incremental ? STR("INCREMENTAL_EXPORT") : STR("FULL_EXPORT");
}

struct str ddb_export_view(const struct ddb_transfer *t)
{
    return t->old_images ? STR("NEW_AND_OLD_IMAGES") : STR("NEW_IMAGE");
}

/* It is told to be over; the lines of the manifest and changes go in steps of their own (clean). */
static enum err end(struct exporting *g, struct str code, struct str message)
{
    if (!g->t.incremental)
        TRY(ddb_stage_sweep(g->ddb, g->txn, g->t.items, 0));
    return ddb_transfer_end(g->txn, &g->t, code, message);
}

struct str ddb_export_format(const struct ddb_transfer *t)
{
    return t->ion ? STR("ION") : STR("DYNAMODB_JSON");
}

/* --- names -------------------------------------------------------------------------------------- */

/* Absent `folder`: in that which exports to the same place share. */
static struct str name_under(struct exporting *g, struct str folder, const char *name)
{
    bool slash = str_is_set(g->t.prefix) && !str_ends(g->t.prefix, STR("/"));
    return str_fmt(g->txn->arena, STR_FMT "%sAWSDynamoDB/" STR_FMT "%s%s",
                   STR_ARG(str_is_set(g->t.prefix) ? g->t.prefix : STR("")), slash ? "/" : "",
                   STR_ARG(str_is_set(folder) ? folder : STR("")), str_is_set(folder) ? "/" : "",
                   name);
}

static struct str object_name(struct exporting *g, const char *name)
{
    return name_under(g, g->t.id, name);
}

/* Of the n-th data file: looks random, is the same after a crash. */
static struct str file_name(struct exporting *g, uint32_t n)
{
    char hex[2 * HASH_SHA256_LEN], name[64];
    struct str seed = str_fmt(g->txn->arena, STR_FMT " %u", STR_ARG(g->t.id), n);
    if (!str_is_set(seed))
        return STR_NONE;
    hash_sha256_hex(seed.p, seed.len, hex);
    (void)snprintf(name, sizeof(name), "data/%.*s.%s.gz", NAME_DIGITS, hex,
                   g->t.ion ? "ion" : "json");
    return name_under(g, g->t.incremental ? STR_NONE : g->t.id, name);
}

static void put_md5(struct buf *b, struct str bytes)
{
    uint8_t md5[HASH_MD5_LEN];
    hash_once(HASH_MD5, bytes.p, bytes.len, md5);
    base64_put(b, md5, sizeof(md5));
}

/* --- writing objects ---------------------------------------------------------------------------- */

/* Has s->body put under this name. */
static enum err put_object(struct exporting *g, struct str name, enum job_state *ret_state)
{
    struct buf b;
    if (!str_is_set(name))
        return ERR_NOMEM;
    buf_init_arena(&b, g->txn->arena, 64 * 1024);
    BUF_ADD_LIT(&b, "{\"Bucket\":");
    json_put_str(&b, g->t.bucket);
    BUF_ADD_LIT(&b, ",\"Key\":");
    json_put_str(&b, name);
    const struct {
        const char *name;
        struct str value;
    } more[] = {{"ExpectedBucketOwner", g->t.owner},
                {"ServerSideEncryption", str_eq_c(g->t.sse, "KMS") ? STR("aws:kms") : g->t.sse},
                {"SSEKMSKeyId", g->t.sse_key}};
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        if (!str_is_set(more[i].value))
            continue;
        buf_add_fmt(&b, ",\"%s\":", more[i].name);
        json_put_str(&b, more[i].value);
    }
    buf_add_byte(&b, '}');
    TRY(buf_err(&b));
    TRY(buf_err(&g->s->body));
    *ret_state = JOB_RUN;
    return ddb_s3_prepare(g->s, &g->t, "PutObject", buf_str(&b));
}

/* --- data --------------------------------------------------------------------------------------- */

struct chunk {
    struct exporting *g;
    struct ddb_cipher cipher;
    struct buf text;
    struct str next;
};

static void put_name(struct chunk *c, struct str name)
{
    if (c->g->t.ion)
        ddb_ion_put_name(&c->text, name);
    else
        json_put_str(&c->text, name);
    buf_add_byte(&c->text, ':');
}

static void put_value(struct chunk *c, const struct ddb_av *av)
{
    if (c->g->t.ion)
        ddb_ion_put(&c->text, av);
    else
        ddb_av_put_json(&c->text, av);
}

/* A stored item. */
static enum err put_item(struct chunk *c, struct str raw)
{
    struct ddb_av *item;
    if (!c->g->t.ion)
        return ddb_item_raw_put_json(&c->text, raw);
    TRY(ddb_item_decode(c->g->txn->arena, raw, &item));
    ddb_ion_put(&c->text, item);
    return ERR_OK;
}

static void begin_line(struct chunk *c)
{
    if (c->g->t.ion)
        BUF_ADD_LIT(&c->text, DDB_ION_MARK);
    buf_add_byte(&c->text, '{');
}

static enum err end_line(struct chunk *c, struct str key)
{
    BUF_ADD_LIT(&c->text, "}\n");
    TRY(buf_err(&c->text));
    c->g->s->items++;
    c->next = key_successor(c->g->txn->arena, key);
    if (!str_is_set(c->next))
        return ERR_NOMEM;
    return c->text.len >= CHUNK_BYTES ? ERR_CLOSED : ERR_OK;
}

static enum err add_item(void *arg, struct str key, struct str raw)
{
    struct chunk *c = arg;
    TRY(ddb_record_open(&c->cipher, c->g->txn->arena, key, &raw));
    begin_line(c);
    put_name(c, STR("Item"));
    TRY(put_item(c, raw));
    return end_line(c, key);
}

/* An item of the table at one end of the window; absent in *ret_raw: there was none. */
static enum err get_image(struct chunk *c, enum ddb_window_part part, struct str tail,
                          struct str *ret_raw)
{
    const struct exporting *g = c->g;
    struct arena *a = g->txn->arena;
    enum err err = txn_peek(g->txn, ddb_window_key(a, g->t.items, part, tail), ret_raw);
    if (err == ERR_OK)
        return ddb_record_open(&c->cipher, a, ddb_key_under(a, g->t.source, tail), ret_raw);
    *ret_raw = STR_NONE;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err put_keys(struct chunk *c, struct str raw)
{
    const struct str names[] = {c->g->t.hash, c->g->t.range};
    struct arena *a = c->g->txn->arena;
    buf_add_byte(&c->text, ',');
    put_name(c, STR("Keys"));
    buf_add_byte(&c->text, '{');
    for (size_t i = 0; i < ARRAY_LEN(names) && str_is_set(names[i]); i++) {
        struct ddb_av *av;
        enum err err = ddb_item_find(a, raw, names[i], &av);
        if (err)
            return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
        if (i)
            buf_add_byte(&c->text, ',');
        put_name(c, names[i]);
        put_value(c, av);
    }
    buf_add_byte(&c->text, '}');
    return ERR_OK;
}

static enum err put_image(struct chunk *c, struct str name, struct str raw)
{
    if (!str_is_set(raw))
        return ERR_OK;
    buf_add_byte(&c->text, ',');
    put_name(c, name);
    return put_item(c, raw);
}

/* The time of the last write. */
static void put_metadata(struct chunk *c, int64_t wall_ms)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%lld000", (long long)wall_ms);
    const struct ddb_av micros = {.type = DDB_N, .s = str_c(text)};
    put_name(c, STR("Metadata"));
    buf_add_byte(&c->text, '{');
    put_name(c, STR("WriteTimestampMicros"));
    put_value(c, &micros);
    buf_add_byte(&c->text, '}');
}

/* A line of an incremental export. */
static enum err add_change(void *arg, struct str key, struct str value)
{
    struct chunk *c = arg;
    struct arena *a = c->g->txn->arena;
    struct str tail, was, is;
    struct ddb_window_change change;
    TRY(ddb_window_read(a, value, &change));
    TRY(key_read(&ddb_k_window, key, a, KEY_SKIP, KEY_SKIP, &tail));
    TRY(get_image(c, DDB_WINDOW_OLD, tail, &was));
    TRY(get_image(c, DDB_WINDOW_NEW, tail, &is));
    begin_line(c);
    if (c->g->t.ion)
        BUF_ADD_LIT(&c->text, "Record:{");
    put_metadata(c, change.wall_ms);
    TRY(put_keys(c, str_is_set(is) ? is : was));
    if (c->g->t.old_images)
        TRY(put_image(c, STR("OldImage"), was));
    TRY(put_image(c, STR("NewImage"), is));
    if (c->g->t.ion)
        buf_add_byte(&c->text, '}');
    return end_line(c, key);
}

/* Adds a chunk to the file that is being made; ready when it is full, or the items are over. */
static enum err fill_file(struct exporting *g, enum job_state *ret_state)
{
    struct ddb_s3 *s = g->s;
    struct chunk c = {.g = g};
    struct ddb_diag diag = {.arena = g->txn->arena};
    struct key_range range = g->t.incremental ? ddb_window_range(g->txn->arena, g->t.items)
                                              : ddb_scan_range(g->txn->arena, g->t.items, 0, 0, 1);
    if (str_is_set(g->t.data_key)) {
        enum err err =
            ddb_cipher_load(&diag, g->txn, g->t.table_arn, g->t.kms_arn, g->t.data_key, &c.cipher);
        if (err == ERR_DENIED)
            return end(g, STR("KMSKeyInaccessible"), STR(DDB_KEY_GONE));
        TRY(err);
    }
    struct str from = str_is_set(s->next) ? s->next : g->p.at;
    if (str_is_set(range.from) && str_is_set(from))
        range.from = from;
    buf_init_arena(&c.text, g->txn->arena, DDB_JSON_MAX);
    int64_t items = s->items;
    TRY(txn_each(g->txn, range, g->t.incremental ? add_change : add_item, &c));
    if (c.text.len) {
        TRY(gzip_pack(buf_str(&c.text), &s->body));
        s->chunks++;
        s->next = str_dup(&s->arena, c.next);
        if (!str_is_set(s->next))
            return ERR_NOMEM;
    }
    *ret_state = JOB_MORE;
    if (s->items == 0) { /* nothing is left */
        g->p.phase = MANIFEST;
        return ERR_OK;
    }
    bool over = s->items == items || c.text.len < CHUNK_BYTES;
    return over || s->body.len >= FILE_BYTES_MAX || s->chunks == FILE_CHUNKS_MAX
               ? put_object(g, file_name(g, g->p.files), ret_state)
               : ERR_OK;
}

/* The file is in the bucket: its line of the manifest. */
static enum err note_file(struct exporting *g)
{
    struct arena *a = g->txn->arena;
    struct buf b;
    struct json *reply;
    TRY(json_parse(a, g->s->output, &reply, NULL));
    const struct json *etag = json_get(reply, STR("ETag"));
    struct str tag = etag && etag->kind == JSON_STRING ? etag->text : STR("");
    if (tag.len > 2 && tag.p[0] == '"')
        tag = str_sub(tag, 1, tag.len - 2);
    buf_init_arena(&b, a, 64 * 1024);
    buf_add_fmt(&b, "{\"itemCount\":%lld,\"md5Checksum\":\"", (long long)g->s->items);
    put_md5(&b, buf_str(&g->s->body));
    BUF_ADD_LIT(&b, "\",\"etag\":");
    json_put_str(&b, tag);
    BUF_ADD_LIT(&b, ",\"dataFileS3Key\":");
    json_put_str(&b, file_name(g, g->p.files));
    BUF_ADD_LIT(&b, "}\n");
    TRY(buf_err(&b));
    TRY(txn_put(g->txn, key_make(a, &ddb_k_transfer_file, g->t.items, g->p.files), buf_str(&b)));
    g->p.files++;
    g->p.at = str_dup(a, g->s->next);
    return str_is_set(g->p.at) ? ERR_OK : ERR_NOMEM;
}

/* --- manifests ---------------------------------------------------------------------------------- */

static enum err add_line(void *arg, struct str key, struct str value)
{
    buf_add_str(arg, value);
    return buf_err(arg);
}

static enum err put_manifest(struct exporting *g, struct buf *b)
{
    return txn_each(g->txn, key_range(g->txn->arena, &ddb_k_transfer_file, g->t.items), add_line,
                    b);
}

static void put_time(struct buf *b, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];
    buf_add_fmt(b, ",\"%s\":\"" STR_FMT "\"", name, STR_ARG(clock_iso8601_ms(text, ms)));
}

static void put_text(struct buf *b, const char *name, struct str value)
{
    buf_add_fmt(b, ",\"%s\":", name);
    if (str_is_set(value))
        json_put_str(b, value);
    else
        BUF_ADD_LIT(b, "null");
}

static enum err put_summary(struct exporting *g, struct buf *b)
{
    struct arena *a = g->txn->arena;
    const struct ddb_transfer *t = &g->t;
    struct str arn = ddb_transfer_arn(a, t), files = object_name(g, "manifest-files.json");
    if (!str_is_set(arn) || !str_is_set(files))
        return ERR_NOMEM;
    buf_add_fmt(b, "{\"version\":\"%s\"", t->incremental ? "2023-08-01" : "2020-06-30");
    put_text(b, "exportArn", arn);
    put_time(b, "startTime", t->start_ms);
    put_time(b, "endTime", t->end_ms);
    put_text(b, "tableArn", t->table_arn);
    put_text(b, "tableId", t->table_uuid);
    if (t->incremental)
        put_time(b, "exportFromTime", t->from_ms);
    put_time(b, t->incremental ? "exportToTime" : "exportTime", t->moment_ms);
    put_text(b, "s3Bucket", t->bucket);
    put_text(b, "s3Prefix", t->prefix);
    put_text(b, "s3SseAlgorithm", t->sse);
    put_text(b, "s3SseKmsKeyId", t->sse_key);
    put_text(b, "manifestFilesS3Key", files);
    buf_add_fmt(b, ",\"billedSizeBytes\":%lld,\"itemCount\":%lld", (long long)t->bytes,
                (long long)t->count);
    put_text(b, "outputFormat", ddb_export_format(t));
    if (t->incremental)
        put_text(b, "outputView", ddb_export_view(t));
    put_text(b, "exportType", ddb_export_type(t));
    buf_add_byte(b, '}');
    return buf_err(b);
}

/* The object of a phase that is one object. */
static enum err put_phase(struct exporting *g, enum job_state *ret_state)
{
    static const char *const names[PHASES] = {[STARTED] = "_started",
                                              [MANIFEST] = "manifest-files.json",
                                              [MANIFEST_SUM] = "manifest-files.md5",
                                              [SUMMARY] = "manifest-summary.json",
                                              [SUMMARY_SUM] = "manifest-summary.md5"};
    struct buf b, *out = &g->s->body;
    buf_init_arena(&b, g->txn->arena, MANIFEST_MAX);
    if (g->p.phase == MANIFEST || g->p.phase == MANIFEST_SUM)
        TRY(put_manifest(g, &b));
    else if (g->p.phase != STARTED)
        TRY(put_summary(g, &b));
    if (g->p.phase == MANIFEST_SUM || g->p.phase == SUMMARY_SUM)
        put_md5(out, buf_str(&b));
    else
        buf_add_str(out, buf_str(&b));
    return put_object(g, object_name(g, names[g->p.phase]), ret_state);
}

/* --- steps -------------------------------------------------------------------------------------- */

static enum err clean(struct exporting *g, struct job_budget *budget, enum job_state *ret_state)
{
    struct arena *a = g->txn->arena;
    struct key_range left[] = {key_range(a, &ddb_k_transfer_file, g->t.items),
                               key_range(a, &ddb_k_window, g->t.items)};
    *ret_state = JOB_MORE;
    for (size_t i = 0; i < ARRAY_LEN(left); i++) {
        bool more;
        TRY(job_remove_range(g->txn, &left[i].from, left[i].to, budget, &more));
        if (more)
            return ERR_OK;
    }
    *ret_state = JOB_DONE;
    return ERR_OK;
}

static void forget(struct exporting *g)
{
    ddb_s3_free(g->ddb, g->job->user);
    g->job->user = g->s = NULL;
}

/* What came of the call that the last step prepared. */
static enum err take_answer(struct exporting *g)
{
    if (g->p.phase == FILES)
        return note_file(g);
    g->p.phase++;
    return ERR_OK;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct exporting g = {.ddb = self, .txn = txn, .job = job, .s = job->user};
    enum err err = ddb_transfer_get(txn, job->key, &g.t);
    *ret_state = JOB_DONE;
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (g.t.status != DDB_TRANSFER_RUNS)
        return clean(&g, budget, ret_state);
    *ret_state = JOB_MORE;
    if (!str_empty(job->cursor))
        TRY(record_unpack(&place_type, txn->arena, job->cursor, &g.p));
    if (g.s && g.s->done) {
        if (g.s->err == ERR_FAILED || g.s->err == ERR_NOT_FOUND || g.s->err == ERR_DENIED) {
            struct str code, message;
            TRY(ddb_s3_fault(g.s, txn->arena, &code, &message));
            return end(&g, code, message);
        }
        if (g.s->err) {
            err = g.s->err;
            forget(&g);
            return err; /* the environment's: the step is tried again */
        }
        TRY(take_answer(&g));
        forget(&g);
        if (g.p.phase == OVER)
            return end(&g, STR_NONE, STR_NONE);
        if (g.p.phase == SUMMARY && !g.t.end_ms) {
            g.t.end_ms = txn->wall_ms; /* both writings of the summary tell the same */
            TRY(ddb_transfer_put(txn, &g.t));
        }
        *ret_state = JOB_MORE;
        return record_make(&place_type, txn->arena, &g.p, &job->cursor);
    }
    if (g.s && g.s->ready)
        forget(&g); /* that step's commit failed */
    if (!g.s)
        g.s = job->user = ddb_s3_new(self);
    if (!g.s)
        return ERR_NOMEM;
    err = g.p.phase == FILES ? fill_file(&g, ret_state) : put_phase(&g, ret_state);
    if (err)
        *ret_state = JOB_MORE;
    if (err == ERR_DENIED)
        return end(&g, STR("AccessDenied"),
                   STR("Whoever asked for the export may not act any more"));
    if (err == ERR_LIMIT) /* it would be no less the next time */
        return end(&g, STR("LimitExceeded"),
                   STR("The manifest of the export's files would be too large"));
    if (err)
        forget(&g);
    TRY(err);
    if (*ret_state == JOB_MORE && g.s->items == 0)
        forget(&g);
    return record_make(&place_type, txn->arena, &g.p, &job->cursor);
}

enum err ddb_export_begin(struct dynamodb *ddb, struct txn *txn, struct ddb_transfer *t)
{
    TRY(ddb_transfer_put(txn, t));
    return job_add(txn, ddb->exports, t->key, STR(""));
}

enum err ddb_export_register(struct dynamodb *ddb)
{
    const struct job_def exports = {.name = "dynamodb.export",
                                    .self = ddb,
                                    .step = step,
                                    .run = ddb_s3_run,
                                    .release = ddb_s3_free,
                                    .at_once = 2};
    return job_register(deliver_due(ddb->core->deliver), &exports, &ddb->exports);
}
