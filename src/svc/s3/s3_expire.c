/* Carries out the lifecycle rules of buckets: a job (deliver/job.h) for each bucket that has some.
 *
 *   added with the first rules --> waits for midnight UTC --> current versions --> old ones --> uploads
 *                                          ^                                                       |
 *                                          +-------------------------------------------------------+
 *   no rules, no bucket: it ends
 *
 * A step scans a piece of one of the three tables, and what it removes goes by the code of
 * DeleteObject and AbortMultipartUpload, with its events. It reads the rules anew, tracked, so that
 * whoever changes them meanwhile meets it. Two tables are never of one step: a scan does not see what
 * its own transaction staged, and old versions are looked at by what is current.
 *
 * Layer: svc. Thread: home loop. */
#include "base/rng.h"
#include "codec/hex.h"
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/s3/s3_life.h"
#include "svc/s3/s3_lock.h"
#include "svc/s3/s3_log.h"
#include "svc/s3/s3_upload.h"

/* Part of the disk format. */
enum phase { CURRENT, OLD, UPLOADS, PHASES };

enum { REMOVAL_KEYS = 4, PART_KEYS = 3 }; /* written for a version, for a part: about */

/* The job's cursor. */
struct place {
    uint64_t phase;
    int64_t next_ms; /* wall time of the next run: the midnight after this one began */
    struct str from; /* key of the store to go on at; empty: the beginning */
    /* OLD: what was seen of the object in whose versions `from` is. */
    struct str of;    /* its key; empty: nothing yet */
    uint64_t newer;   /* noncurrent versions before `from` */
    int64_t since_ms; /* when the version before `from` was made, and the next one noncurrent */
};

static const struct record_field place_fields[] = {
    REC_UINT(struct place, phase), REC_INT(struct place, next_ms), REC_STR(struct place, from),
    REC_STR(struct place, of),     REC_UINT(struct place, newer),  REC_INT(struct place, since_ms),
};
static const struct record_type place_type = RECORD_TYPE(struct place, 1, place_fields);

/* One step at work. */
struct sweep {
    struct s3 *s3;
    struct txn *txn;
    struct job_budget *budget;
    struct s3_bucket_ref b;
    struct place at;
    struct call call; /* as far as events and uploads look at one */
    bool more;
};

/* --- removing --------------------------------------------------------------------------------- */

/* Whoever is told of it sees S3 itself at work. */
static enum err act_as_s3(struct sweep *sw)
{
    static const struct principal s3_itself = {.kind = PRINCIPAL_SERVICE,
                                               .service = STR_INIT("s3.amazonaws.com"),
                                               .arn = STR_INIT("s3.amazonaws.com")};
    const struct core *core = sw->s3->core;
    uint8_t id[8];
    rng_bytes(id, sizeof(id));
    sw->call = (struct call){
        .txn = sw->txn,
        .arena = sw->txn->arena,
        .service = &s3_service,
        .svc = sw->s3,
        .core = sw->s3->core,
        .request_id = hex_encode(sw->txn->arena, id, sizeof(id)),
        .account = s3_bucket_owner(core, &sw->b.rec),
        .region = str_is_set(sw->b.rec.region) ? sw->b.rec.region : core->cfg.region,
        .partition = core->cfg.partition,
        .who = &s3_itself,
        .source_ip = s3_itself.arn,
    };
    return str_is_set(sw->call.request_id) ? ERR_OK : ERR_NOMEM;
}

static enum err tell(struct sweep *sw, struct str key, const struct s3_deletion *d)
{
    job_spend(sw->budget, REMOVAL_KEYS);
    if (d->happened)
        TRY(s3_log_lifecycle(&sw->call, &sw->b,
                             d->made_marker ? "S3.CREATE.DELETEMARKER" : "S3.EXPIRE.OBJECT", key,
                             d->version_id));
    return s3_notify_deletion(&sw->call, &sw->b, key, d, S3_EVENT_EXPIRED, S3_EVENT_EXPIRED_MARKER);
}

static enum err remove_version(struct sweep *sw, struct str key, const struct s3_object_rec *rec)
{
    struct s3_deletion d = {0};
    if (s3_lock_hold(&rec->attrs.lock, sw->txn->wall_ms) != S3_FREE)
        return ERR_OK; /* a later run will */
    job_spend(sw->budget, rec->body.n_parts * PART_KEYS);
    TRY(s3_delete_version(sw->s3, sw->txn, &sw->b, key, rec->version_id, &d));
    return tell(sw, key, &d);
}

/* Ends the scan behind `key` when the budget is spent. */
static enum err pass(struct sweep *sw, struct str key)
{
    job_spend(sw->budget, 1);
    if (!job_spent(sw->budget))
        return ERR_OK;
    sw->more = true;
    sw->at.from = job_key_behind(sw->txn->arena, key);
    return str_is_set(sw->at.from) ? ERR_CLOSED : ERR_NOMEM;
}

/* --- the tables ------------------------------------------------------------------------------- */

static enum err look_at_current(void *arg, struct str store_key, struct str value)
{
    struct sweep *sw = arg;
    struct s3_object_rec rec;
    struct str key;
    const struct s3_life_rule *rule;
    struct s3_deletion d = {0};
    TRY(key_read(&s3_k_current, store_key, sw->txn->arena, KEY_SKIP, &key));
    TRY(record_unpack(&s3_object_type, sw->txn->arena, value, &rec));
    if (s3_life_expiry(&sw->b.rec.life, key, &rec, &rule) <= sw->txn->wall_ms) {
        job_spend(sw->budget, rec.body.n_parts * PART_KEYS);
        TRY(s3_delete_key(sw->s3, sw->txn, &sw->b, key, &d));
        TRY(tell(sw, key, &d));
    }
    return pass(sw, store_key);
}

/* Whether nothing is behind this entry of the versions. */
static enum err is_last(struct sweep *sw, struct str store_key, struct str key, bool *ret_last)
{
    struct str k, v, from = job_key_behind(sw->txn->arena, store_key);
    struct key_range r = key_range(sw->txn->arena, &s3_k_version, sw->b.rec.id, key);
    if (!str_is_set(from))
        return ERR_NOMEM;
    enum err err = job_first_pair(sw->txn, from, r.to, &k, &v);
    *ret_last = err == ERR_NOT_FOUND;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* The newest of a key's entries: what it stands behind, if anything. */
static enum err look_at_newest(struct sweep *sw, struct str store_key, struct str key,
                               const struct s3_object_rec *rec, bool *ret_noncurrent)
{
    struct s3_object_rec current;
    bool last;
    sw->at.of = str_dup(sw->txn->arena, key);
    sw->at.newer = 0;
    if (!str_is_set(sw->at.of))
        return ERR_NOMEM;
    job_spend(sw->budget, 1);
    enum err err = s3_current(sw->txn, sw->b.rec.id, key, false, &current);
    *ret_noncurrent = err == ERR_OK;
    if (err == ERR_OK)
        sw->at.since_ms = current.modified_ms;
    if (err != ERR_NOT_FOUND)
        return err;
    if (!rec->delete_marker || !s3_life_drops_marker(&sw->b.rec.life, key, rec, sw->txn->wall_ms))
        return ERR_OK;
    TRY(is_last(sw, store_key, key, &last));
    return last ? remove_version(sw, key, rec) : ERR_OK;
}

static enum err look_at_old(void *arg, struct str store_key, struct str value)
{
    struct sweep *sw = arg;
    struct s3_object_rec rec;
    struct str key;
    bool noncurrent = true;
    TRY(key_read(&s3_k_version, store_key, sw->txn->arena, KEY_SKIP, &key, KEY_SKIP));
    TRY(record_unpack(&s3_object_type, sw->txn->arena, value, &rec));
    if (!str_eq(key, sw->at.of))
        TRY(look_at_newest(sw, store_key, key, &rec, &noncurrent));
    if (noncurrent) {
        if (s3_life_drops_noncurrent(&sw->b.rec.life, key, &rec, sw->at.since_ms, sw->at.newer,
                                     sw->txn->wall_ms))
            TRY(remove_version(sw, key, &rec));
        sw->at.newer++;
    }
    sw->at.since_ms = rec.modified_ms;
    return pass(sw, store_key);
}

/* Reads the upload's record tracked, so that a part that comes meanwhile meets the removal. */
static enum err abort_upload(struct sweep *sw, struct str store_key, struct str key,
                             struct str upload_id)
{
    struct s3_manifest parts;
    struct str value;
    bool more;
    enum err err = txn_get(sw->txn, store_key, &value);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    TRY(s3_parts_load(sw->txn, upload_id, 0, S3_PARTS_MAX, &parts, &more));
    job_spend(sw->budget, parts.n * PART_KEYS);
    TRY(s3_log_lifecycle(&sw->call, &sw->b, "S3.DELETE.UPLOAD", key, STR_NONE));
    return s3_upload_remove(&sw->call, &sw->b, key, upload_id, &parts, NULL);
}

static enum err look_at_upload(void *arg, struct str store_key, struct str value)
{
    struct sweep *sw = arg;
    struct s3_upload_rec rec;
    struct str key, upload_id;
    TRY(key_read(&s3_k_upload, store_key, sw->txn->arena, KEY_SKIP, &key, &upload_id));
    TRY(record_unpack(&s3_upload_type, sw->txn->arena, value, &rec));
    if (s3_life_aborts(&sw->b.rec.life, key, rec.initiated_ms, sw->txn->wall_ms))
        TRY(abort_upload(sw, store_key, key, upload_id));
    return pass(sw, store_key);
}

static const struct {
    const struct key_layout *table;
    enum err (*look)(void *arg, struct str store_key, struct str value);
} phases[PHASES] = {
    [CURRENT] = {&s3_k_current, look_at_current},
    [OLD] = {&s3_k_version, look_at_old},
    [UPLOADS] = {&s3_k_upload, look_at_upload},
};

/* Whether a rule could remove something of this table. */
static bool wanted(const struct s3_life *life, uint64_t phase)
{
    for (size_t i = 0; i < life->n; i++) {
        const struct s3_life_rule *r = &life->v[i];
        bool expires = r->days > 0 || r->date_ms != S3_LIFE_NONE;
        bool old = expires || r->expired_marker || r->noncurrent_days > 0;
        if (r->enabled && (phase == CURRENT ? expires : phase == OLD ? old : r->abort_days > 0))
            return true;
    }
    return false;
}

/* --- the job ---------------------------------------------------------------------------------- */

static enum err keep(struct job *job, struct txn *txn, const struct place *at)
{
    return record_make(&place_type, txn->arena, at, &job->cursor);
}

static int64_t next_midnight(const struct txn *txn)
{
    return (txn->wall_ms / S3_DAY_MS + 1) * S3_DAY_MS;
}

/* Weir's time at a moment of the wall's. */
static int64_t due_at(const struct txn *txn, int64_t wall_ms)
{
    return txn->now_ms + (wall_ms - txn->wall_ms);
}

/* Until the next run, which is due already where this one took longer than a day. */
static enum err rest(struct job *job, struct txn *txn, int64_t next_ms, enum job_state *ret_state)
{
    job->wait_until_ms = due_at(txn, next_ms);
    *ret_state = JOB_WAIT;
    return keep(job, txn, &(struct place){.from = STR(""), .of = STR("")});
}

static enum err scan(struct sweep *sw)
{
    struct key_range r = key_range(sw->txn->arena, phases[sw->at.phase].table, sw->b.rec.id);
    /* A bucket made anew under the name has another range. */
    if (str_cmp(sw->at.from, r.from) > 0 && str_cmp(sw->at.from, r.to) < 0)
        r.from = sw->at.from;
    TRY(act_as_s3(sw));
    return txn_each(sw->txn, r, phases[sw->at.phase].look, sw);
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct sweep sw = {.s3 = self,
                       .txn = txn,
                       .budget = budget,
                       .b = {.name = job->key},
                       .at = {.from = STR(""), .of = STR("")}};
    enum err err = s3_bucket_read(txn, job->key, &sw.b.rec);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && sw.b.rec.life.n == 0)) {
        *ret_state = JOB_DONE;
        return ERR_OK;
    }
    TRY(err);
    if (job->cursor.len > 0)
        TRY(record_unpack(&place_type, txn->arena, job->cursor, &sw.at));
    if (sw.at.phase >= PHASES)
        return ERR_CORRUPT;
    if (sw.at.phase == CURRENT && sw.at.from.len == 0)
        sw.at.next_ms = next_midnight(txn);
    if (wanted(&sw.b.rec.life, sw.at.phase))
        TRY(scan(&sw));
    *ret_state = JOB_MORE;
    if (sw.more)
        return keep(job, txn, &sw.at);
    if (sw.at.phase + 1 == PHASES)
        return rest(job, txn, sw.at.next_ms, ret_state);
    sw.at.phase++;
    sw.at.from = sw.at.of = STR("");
    return keep(job, txn, &sw.at);
}

enum err s3_expire_register(struct s3 *s3)
{
    const struct job_def def = {.name = "s3.expire", .self = s3, .step = step, .at_once = 1};
    return job_register(deliver_due(s3->core->deliver), &def, &s3->expire);
}

enum err s3_expire_begin(struct s3 *s3, struct txn *txn, struct str bucket)
{
    return job_add_at(txn, s3->expire, bucket, STR(""), due_at(txn, next_midnight(txn)));
}

enum err s3_expire_end(struct s3 *s3, struct txn *txn, struct str bucket)
{
    return job_cancel(txn, s3->expire, bucket);
}
