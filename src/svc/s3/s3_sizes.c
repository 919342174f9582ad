/* What buckets hold, as metrics: BucketSizeBytes by storage class, NumberOfObjects. A singleton job
 * (deliver/job.h) that goes through all buckets once a day:
 *
 *   no bucket: nothing is kept; the first one kicks it
 *   waits for midnight UTC --> bucket: current versions --> old ones --> parts of uploads --> told, next bucket
 *            ^                                                                                       |
 *            +----------------------------------- after the last -----------------------------------+
 *
 * Figures are counted by going through, as lists do, and not kept beside the objects: a sum per bucket would make
 * all its writers meet. What changes meanwhile is counted as it was, or as it is.
 *
 * Source: S3 User Guide, "Metrics and dimensions".
 * Layer: svc. Thread: home loop. */
#include "core/measure.h"
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/s3/s3_life.h"
#include "svc/s3/s3_meter.h"
#include "svc/s3/s3_upload.h"

/* Part of the disk format. */
enum phase { CURRENT, OLD, UPLOADS, PHASES };

enum { LOOK_EVERY_MS = 24 * 3600 * 1000 };

/* The job's cursor. */
struct place {
    int64_t next_ms;   /* wall time of the next run */
    struct str bucket; /* name of the one at work, or of the last one; empty: none yet */
    uint64_t id;       /* of that bucket; 0: it is done with */
    uint64_t phase;
    struct str from; /* key of the store to go on at; empty: the beginning */
    uint64_t objects;
    uint64_t bytes[S3_CLASSES];
};

static const struct record_field place_fields[] = {
    REC_INT(struct place, next_ms),   REC_STR(struct place, bucket),
    REC_UINT(struct place, id),       REC_UINT(struct place, phase),
    REC_STR(struct place, from),      REC_UINT(struct place, objects),
    REC_UINT(struct place, bytes[0]), REC_UINT(struct place, bytes[1]),
    REC_UINT(struct place, bytes[2]), REC_UINT(struct place, bytes[3]),
    REC_UINT(struct place, bytes[4]), REC_UINT(struct place, bytes[5]),
};
static const struct record_type place_type = RECORD_TYPE(struct place, 1, place_fields);
_Static_assert(S3_CLASSES == 6, "each class has its sum in the cursor");

/* Values of the dimension StorageType. */
static const char *const storage_types[S3_CLASSES] = {
    [S3_STANDARD] = "StandardStorage",
    [S3_REDUCED_REDUNDANCY] = "ReducedRedundancyStorage",
    [S3_STANDARD_IA] = "StandardIAStorage",
    [S3_ONEZONE_IA] = "OneZoneIAStorage",
    [S3_INTELLIGENT_TIERING] = "IntelligentTieringFAStorage",
    [S3_GLACIER_IR] = "GlacierInstantRetrievalStorage",
};

/* One step at work. */
struct count {
    struct s3 *s3;
    struct txn *txn;
    struct job_budget *budget;
    struct place at;
    struct s3_bucket_rec b;
    bool more; /* the budget was spent in the middle of a table */
};

/* --- telling ---------------------------------------------------------------------------------- */

struct sized {
    struct core *core;
    struct str account, region, bucket;
    uint64_t objects, bytes[S3_CLASSES];
};

static void put(const struct sized *s, const char *type, struct str name, enum measure_unit unit,
                uint64_t value)
{
    const struct measure_dim dims[] = {
        {STR("BucketName"), s->bucket},
        {STR("StorageType"), str_c(type)},
    };
    measure_put(s->core, &(struct measure){s->region, STR("AWS/S3"), dims, 2, s->account}, name,
                unit, (double)value);
}

static void committed(void *arg)
{
    const struct sized *s = arg;
    put(s, "AllStorageTypes", STR("NumberOfObjects"), MEASURE_COUNT, s->objects);
    for (size_t i = 0; i < S3_CLASSES; i++)
        if (s->bytes[i] > 0 || i == S3_STANDARD)
            put(s, storage_types[i], STR("BucketSizeBytes"), MEASURE_BYTES, s->bytes[i]);
}

static enum err tell(struct count *c)
{
    struct sized *s = ARENA_NEW(c->txn->arena, struct sized);
    if (!s)
        return ERR_NOMEM;
    *s = (struct sized){.core = c->s3->core,
                        .account = c->b.account,
                        .region = c->b.region,
                        .bucket = c->at.bucket,
                        .objects = c->at.objects};
    memcpy(s->bytes, c->at.bytes, sizeof(s->bytes));
    return txn_on_commit(c->txn, committed, s);
}

/* --- the tables ------------------------------------------------------------------------------- */

/* Ends the scan behind `key` when the budget is spent. */
static enum err pass(struct count *c, struct str key, size_t n)
{
    job_spend(c->budget, n);
    if (!job_spent(c->budget))
        return ERR_OK;
    c->more = true;
    c->at.from = job_key_behind(c->txn->arena, key);
    return str_is_set(c->at.from) ? ERR_CLOSED : ERR_NOMEM;
}

static enum err add_version(void *arg, struct str store_key, struct str value)
{
    struct count *c = arg;
    struct s3_object_rec rec;
    TRY(record_unpack(&s3_object_type, c->txn->arena, value, &rec));
    c->at.objects++;
    c->at.bytes[rec.attrs.storage_class] += rec.size;
    return pass(c, store_key, 1);
}

static enum err add_upload(void *arg, struct str store_key, struct str value)
{
    struct count *c = arg;
    struct s3_upload_rec rec;
    struct s3_manifest parts;
    struct str upload_id;
    bool more;
    TRY(key_read(&s3_k_upload, store_key, c->txn->arena, KEY_SKIP, KEY_SKIP, &upload_id));
    TRY(record_unpack(&s3_upload_type, c->txn->arena, value, &rec));
    TRY(s3_parts_load(c->txn, upload_id, 0, S3_PARTS_MAX, &parts, &more));
    c->at.objects += parts.n;
    for (size_t i = 0; i < parts.n; i++)
        c->at.bytes[rec.attrs.storage_class] += parts.parts[i].size;
    return pass(c, store_key, 1 + parts.n);
}

static const struct {
    const struct key_layout *table;
    enum err (*add)(void *arg, struct str store_key, struct str value);
} phases[PHASES] = {
    [CURRENT] = {&s3_k_current, add_version},
    [OLD] = {&s3_k_version, add_version},
    [UPLOADS] = {&s3_k_upload, add_upload},
};

static enum err scan(struct count *c)
{
    struct key_range r = key_range(c->txn->arena, phases[c->at.phase].table, c->at.id);
    if (str_cmp(c->at.from, r.from) > 0 && str_cmp(c->at.from, r.to) < 0)
        r.from = c->at.from;
    return txn_each(c->txn, r, phases[c->at.phase].add, c);
}

/* --- the job ---------------------------------------------------------------------------------- */

/* The first bucket from a key on; absent: from the beginning. ERR_NOT_FOUND. */
static enum err find_bucket(struct count *c, struct str from, struct str *ret_name)
{
    struct key_range r = key_range_table(c->txn->arena, &s3_k_bucket);
    struct str key, value;
    TRY(job_first_pair(c->txn, str_is_set(from) ? from : r.from, r.to, &key, &value));
    TRY(key_read(&s3_k_bucket, key, c->txn->arena, ret_name));
    return s3_bucket_unpack(c->txn->arena, value, &c->b);
}

/* The bucket to go on with: the one at work, if it is still there, or the next. ERR_NOT_FOUND. */
static enum err go_to_bucket(struct count *c)
{
    struct str name, from = STR_NONE;
    if (c->at.bucket.len > 0) {
        from = key_make(c->txn->arena, &s3_k_bucket, c->at.bucket);
        if (str_is_set(from) && c->at.id == 0)
            from = job_key_behind(c->txn->arena, from);
        if (!str_is_set(from))
            return ERR_NOMEM;
    }
    TRY(find_bucket(c, from, &name));
    if (c->at.id == c->b.id && str_eq(name, c->at.bucket))
        return ERR_OK;
    c->at =
        (struct place){.next_ms = c->at.next_ms, .bucket = name, .id = c->b.id, .from = STR("")};
    return ERR_OK;
}

/* One table of one bucket, as far as the budget goes. ERR_NOT_FOUND: there is no further bucket. */
static enum err go_on(struct count *c)
{
    TRY(go_to_bucket(c));
    job_spend(c->budget, 1);
    TRY(scan(c));
    if (c->more)
        return ERR_OK;
    c->at.from = STR("");
    if (++c->at.phase < PHASES)
        return ERR_OK;
    c->at.id = 0;
    c->at.phase = CURRENT;
    return tell(c);
}

static enum err rest(struct job *job, struct txn *txn, int64_t next_ms, enum job_state *ret_state)
{
    const struct place at = {.next_ms = next_ms, .bucket = STR(""), .from = STR("")};
    job->wait_until_ms = txn->now_ms + (next_ms - txn->wall_ms);
    *ret_state = JOB_WAIT;
    return record_make(&place_type, txn->arena, &at, &job->cursor);
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct count c = {.s3 = self, .txn = txn, .budget = budget};
    struct str name;
    int64_t midnight_ms = (txn->wall_ms / S3_DAY_MS + 1) * S3_DAY_MS;
    if (job->cursor.len == 0) { /* nothing is kept, and nothing written, where there is no bucket */
        enum err err =
            measure_wanted(c.s3->core) ? find_bucket(&c, STR_NONE, &name) : ERR_NOT_FOUND;
        *ret_state = JOB_DONE;
        if (err == ERR_NOT_FOUND)
            return ERR_OK;
        TRY(err);
        return rest(job, txn, midnight_ms, ret_state);
    }
    TRY(record_unpack(&place_type, txn->arena, job->cursor, &c.at));
    if (c.at.phase >= PHASES)
        return ERR_CORRUPT;
    if (txn->wall_ms < c.at.next_ms)
        return rest(job, txn, c.at.next_ms, ret_state);
    enum err err = ERR_OK;
    while (err == ERR_OK && !c.more && !job_spent(budget))
        err = go_on(&c);
    if (err == ERR_NOT_FOUND)
        return rest(job, txn, midnight_ms, ret_state);
    TRY(err);
    *ret_state = JOB_MORE;
    return record_make(&place_type, txn->arena, &c.at, &job->cursor);
}

enum err s3_sizes_register(struct s3 *s3)
{
    const struct job_def def = {.name = "s3.sizes",
                                .self = s3,
                                .step = step,
                                .at_once = 1,
                                .singleton = true,
                                .every_ms = LOOK_EVERY_MS};
    return job_register(deliver_due(s3->core->deliver), &def, &s3->sizes);
}

enum err s3_sizes_soon(struct s3 *s3, struct txn *txn)
{
    return txn_on_durable(txn, job_kick_hook, s3->sizes);
}
