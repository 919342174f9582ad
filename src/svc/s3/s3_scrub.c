/* Checking all files. See s3_scrub.h. The background part is a singleton job (deliver/job.h):
 *
 *   step: damage that the last run met is told, the next files are collected
 *     --some--> run: checked on the pool --> step --the rate--> wait --> step
 *     --none: the pass is over--> wait for the next pass --> step
 *
 * The cursor says the file, and where in it, up to which this pass has come. A file that was removed
 * while it was read is no damage: its record is looked up again before anything is told.
 *
 * Layer: svc. Thread: home loop, but for the reading. */
#include "svc/s3/s3_scrub.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "codec/hex.h"
#include "core/page.h"
#include "deliver/deliver.h"
#include "deliver/job.h"
#include "svc/s3/s3_log.h"
#include "svc/s3/s3_read.h"

enum {
    SLICE_BYTES = S3_SCRUB_BYTES_PER_S, /* of a run */
    SLICE_FILES = 256,
    LINE_BYTES = 2 * 1024,
    LOOK_EVERY_MS = 24 * 3600 * 1000, /* whether there are files at all */
};

/* --- telling --------------------------------------------------------------------------------- */

/* A damaged file of a slice. */
struct damaged {
    uint64_t bucket;
    struct str key; /* the transaction's */
    struct s3_damage damage;
    char name[S3_BUCKET_NAME_MAX + 1]; /* of the bucket; "": not found */
};

/* Those of one transaction: one scan names the buckets of all. */
struct telling {
    size_t n, n_named;
    struct arena scratch;
    struct damaged v[SLICE_FILES];
};

static enum err add_damaged(struct telling *t, struct txn *txn, const struct s3_file_rec *rec,
                            const struct s3_damage *damage)
{
    struct str key = str_dup(txn->arena, rec->key);
    assert(t->n < SLICE_FILES);
    if (!str_is_set(key))
        return ERR_NOMEM;
    t->v[t->n++] = (struct damaged){.bucket = rec->bucket, .key = key, .damage = *damage};
    return ERR_OK;
}

static enum err name_bucket(void *arg, struct str key, struct str value)
{
    struct telling *t = arg;
    struct s3_bucket_rec rec;
    struct str name = STR_NONE;
    TRY(s3_bucket_glance(&t->scratch, value, &rec));
    for (size_t i = 0; i < t->n; i++) {
        struct damaged *d = &t->v[i];
        if (d->bucket != rec.id)
            continue;
        if (!str_is_set(name))
            TRY(key_read(&s3_k_bucket, key, &t->scratch, &name));
        snprintf(d->name, sizeof(d->name), STR_FMT, STR_ARG(name));
        t->n_named++;
    }
    return t->n_named == t->n ? ERR_CLOSED : ERR_OK;
}

/* "bucket=b key=k file=... missing at byte 0", for people, of each. Damage is told also when its
 * bucket cannot be looked up: whoever scrubs has to get on. */
static void tell_damaged(struct telling *t, struct txn *txn, s3_scrub_say *say, void *arg)
{
    char line[LINE_BYTES], hex[2 * S3_ID_LEN];
    if (t->n == 0)
        return;
    t->n_named = 0;
    arena_init(&t->scratch, S3_BUCKET_BYTES_MAX);
    enum err err = txn_each(txn, key_range_table(txn->arena, &s3_k_bucket), name_bucket, t);
    arena_release(&t->scratch);
    for (size_t i = 0; i < t->n; i++) {
        const struct damaged *d = &t->v[i];
        hex_to(hex, d->damage.file.b, S3_ID_LEN);
        snprintf(line, sizeof(line), "bucket=%s key=" STR_FMT " file=%.*s %s at byte %" PRIu64,
                 d->name[0] ? d->name
                 : err      ? "(unknown)"
                            : "(deleted)",
                 STR_ARG(d->key), (int)sizeof(hex), hex, d->damage.what, d->damage.at);
        say(arg, line);
    }
}

/* --- one file -------------------------------------------------------------------------------- */

static enum err take_id(struct txn *txn, struct str key, struct s3_id *ret_id)
{
    struct str id;
    TRY(key_read(&s3_k_file, key, txn->arena, &id));
    if (id.len != S3_ID_LEN)
        return ERR_CORRUPT;
    memcpy(ret_id->b, id.p, S3_ID_LEN);
    return ERR_OK;
}

/* --- without a server ------------------------------------------------------------------------- */

struct whole {
    struct s3 *s3;
    struct txn *txn;
    s3_scrub_say *say;
    void *arg;
    char *block;
    struct s3_id last; /* file checked */
    size_t n;          /* in this transaction */
    struct s3_scrub_found found;
    struct telling telling;
};

static enum err check_file(void *arg, struct str key, struct str value)
{
    struct whole *wh = arg;
    struct s3_file_rec rec;
    struct s3_id id;
    struct s3_damage damage;
    uint64_t at = 0;
    if (wh->n == SLICE_FILES)
        return ERR_CLOSED;
    TRY(take_id(wh->txn, key, &id));
    if (wh->found.files > 0 && memcmp(id.b, wh->last.b, S3_ID_LEN) == 0)
        return ERR_OK;
    TRY(record_unpack(&s3_file_type, wh->txn->arena, value, &rec));
    enum err err = s3_file_verify(wh->s3, &id, rec.size, &at, UINT64_MAX, wh->block,
                                  CALL_BLOCK_BYTES, &damage);
    if (err == ERR_NOMEM)
        return err;
    wh->last = id;
    wh->n++;
    wh->found.files++;
    wh->found.bytes += at;
    if (err == ERR_OK)
        return ERR_OK;
    wh->found.damaged++;
    return add_damaged(&wh->telling, wh->txn, &rec, &damage);
}

/* The next files: a transaction's memory is that of a slice, however many files there are. */
static enum err check_some(struct txn *txn, void *arg)
{
    struct whole *wh = arg;
    struct key_range r = key_range_table(txn->arena, &s3_k_file);
    wh->txn = txn;
    wh->n = 0;
    if (wh->found.files > 0)
        r.from = key_make(txn->arena, &s3_k_file, s3_id_str(&wh->last));
    if (!str_is_set(r.from))
        return ERR_NOMEM;
    wh->telling.n = 0;
    enum err err = txn_each(txn, r, check_file, wh);
    tell_damaged(&wh->telling, txn, wh->say, wh->arg);
    return err;
}

enum err s3_scrub(struct core *core, s3_scrub_say *say, void *arg, struct s3_scrub_found *ret_found)
{
    struct s3 s3 = {.core = core};
    *ret_found = (struct s3_scrub_found){0};
    struct whole *wh = mem_calloc(1, sizeof(*wh));
    if (!wh)
        return ERR_NOMEM;
    wh->s3 = &s3;
    wh->say = say;
    wh->arg = arg;
    arena_init(&s3.arena, 64 * 1024);
    wh->block = mem_alloc(CALL_BLOCK_BYTES);
    enum err err = wh->block ? s3_files_locate(&s3) : ERR_NOMEM;
    do {
        if (err == ERR_OK)
            err = txn_run_now(core, check_some, wh);
    } while (err == ERR_OK && wh->n == SLICE_FILES);
    *ret_found = wh->found;
    mem_free(wh->block);
    mem_free(wh);
    arena_release(&s3.arena);
    return err == ERR_OK && ret_found->damaged > 0 ? ERR_CORRUPT : err;
}

enum { EACH_FILES = 4096 /* of one transaction, whose memory they take */ };

struct walk {
    enum err (*fn)(void *arg, const char *below, uint64_t bytes);
    void *arg;
    struct txn *txn;
    struct s3_id last;
    size_t n;
    bool begun;
};

static enum err walk_file(void *arg, struct str key, struct str value)
{
    struct walk *w = arg;
    struct s3_file_rec rec;
    struct s3_id id;
    char hex[2 * S3_ID_LEN], below[64];
    TRY(take_id(w->txn, key, &id));
    if (w->begun && memcmp(id.b, w->last.b, S3_ID_LEN) == 0)
        return ERR_OK;
    if (w->n++ == EACH_FILES)
        return ERR_CLOSED;
    TRY(record_unpack(&s3_file_type, w->txn->arena, value, &rec));
    hex_to(hex, id.b, S3_ID_LEN);
    snprintf(below, sizeof(below), "s3/objects/%.2s/%.*s", hex, (int)sizeof(hex), hex);
    w->last = id;
    w->begun = true;
    return w->fn(w->arg, below, s3_file_bytes(rec.size));
}

static enum err walk_some(struct txn *txn, void *arg)
{
    struct walk *w = arg;
    struct key_range r = key_range_table(txn->arena, &s3_k_file);
    w->txn = txn;
    w->n = 0;
    if (w->begun)
        r.from = key_make(txn->arena, &s3_k_file, s3_id_str(&w->last));
    return txn_each(txn, r, walk_file, w);
}

enum err s3_files_each(struct core *core,
                       enum err (*fn)(void *arg, const char *below, uint64_t bytes), void *arg)
{
    struct walk w = {.fn = fn, .arg = arg};
    enum err err;
    do
        err = txn_run_now(core, walk_some, &w);
    while (err == ERR_OK && w.n > EACH_FILES);
    return err;
}

/* --- in the background ------------------------------------------------------------------------ */

struct cursor {
    int64_t begins_ms; /* of the pass */
    struct s3_id file; /* up to which it has come, and `at` in it; zero: before the first */
    uint64_t at;
    bool whole; /* that file is done */
};

static const struct record_field cursor_fields[] = {
    REC_INT(struct cursor, begins_ms),
    REC_BYTES(struct cursor, file),
    REC_UINT(struct cursor, at),
    REC_BOOL(struct cursor, whole),
};
static const struct record_type cursor_type = RECORD_TYPE(struct cursor, 1, cursor_fields);

struct slice_file {
    struct s3_id id;
    uint64_t size, at;
    enum err err;
    struct s3_damage damage;
};

struct scrubbing {
    struct io_work work;
    struct s3 *s3;
    struct due_fire *run; /* while it runs */
    size_t n;
    uint64_t bytes;         /* of the slice; before the run the wish, after it what was read */
    bool ran;               /* the slice was checked, and the next step has to take that in */
    struct telling telling; /* of this step */
    struct slice_file files[SLICE_FILES];
};

static void check_slice(struct io_work *w)
{
    struct scrubbing *s = CONTAINER_OF(w, struct scrubbing, work);
    char *block = mem_alloc(CALL_BLOCK_BYTES);
    s->bytes = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct slice_file *f = &s->files[i];
        uint64_t from = f->at;
        f->err = !block ? ERR_NOMEM
                        : s3_file_verify(s->s3, &f->id, f->size, &f->at, SLICE_BYTES - s->bytes,
                                         block, CALL_BLOCK_BYTES, &f->damage);
        s->bytes += f->at - from;
    }
    mem_free(block);
}

static void slice_checked(struct io_work *w)
{
    struct scrubbing *s = CONTAINER_OF(w, struct scrubbing, work);
    struct due_fire *run = s->run;
    assert(run && !s->ran);
    s->ran = true;
    s->run = NULL;
    job_continue(run);
}

static void run(void *self, struct due_fire *fire)
{
    struct scrubbing *s = fire->user;
    assert(s && s->n > 0 && !s->ran);
    s->run = fire;
    s->work.work = check_slice;
    s->work.done = slice_checked;
    if (io_work_start(core_home_loop(s->s3->core), &s->work) == ERR_OK)
        return;
    s->run = NULL; /* the next step collects them again */
    job_continue(fire);
}

static void log_damaged(void *arg, const char *line)
{
    log_error("s3", "object bytes damaged: %s", line);
}

/* Tells what the last run met, of files that are still referenced, and moves the cursor on. A file
 * for which there was no memory is left to the next pass. */
static enum err take_in(struct scrubbing *s, struct txn *txn, struct cursor *c)
{
    s->telling.n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct slice_file *f = &s->files[i];
        struct s3_file_rec rec;
        struct str value;
        c->file = f->id;
        c->at = f->at;
        c->whole = f->err || f->at == f->size;
        if (!f->err || f->err == ERR_NOMEM)
            continue;
        enum err err = txn_peek(txn, key_make(txn->arena, &s3_k_file, s3_id_str(&f->id)), &value);
        if (err == ERR_NOT_FOUND)
            continue;
        TRY(err);
        TRY(record_unpack(&s3_file_type, txn->arena, value, &rec));
        TRY(add_damaged(&s->telling, txn, &rec, &f->damage));
    }
    tell_damaged(&s->telling, txn, log_damaged, NULL);
    return ERR_OK;
}

struct collecting {
    struct scrubbing *s;
    struct txn *txn;
    const struct cursor *c;
};

static enum err collect_file(void *arg, struct str key, struct str value)
{
    struct collecting *co = arg;
    struct scrubbing *s = co->s;
    struct slice_file *f = &s->files[s->n];
    struct s3_file_rec rec;
    if (s->n == SLICE_FILES || s->bytes >= SLICE_BYTES)
        return ERR_CLOSED;
    *f = (struct slice_file){0};
    TRY(take_id(co->txn, key, &f->id));
    TRY(record_unpack(&s3_file_type, co->txn->arena, value, &rec));
    f->size = rec.size;
    if (memcmp(f->id.b, co->c->file.b, S3_ID_LEN) == 0) {
        if (co->c->whole)
            return ERR_OK;
        f->at = co->c->at < rec.size ? co->c->at : 0;
    }
    s->bytes += rec.size - f->at;
    s->n++;
    return ERR_OK;
}

/* The next files behind the cursor. */
static enum err collect(struct scrubbing *s, struct txn *txn, const struct cursor *c)
{
    struct collecting co = {s, txn, c};
    struct key_range r = key_range_table(txn->arena, &s3_k_file);
    r.from = key_make(txn->arena, &s3_k_file, s3_id_str(&c->file));
    if (!str_is_set(r.from))
        return ERR_NOMEM;
    s->n = 0;
    s->bytes = 0;
    return txn_each(txn, r, collect_file, &co);
}

static enum err scrubbing_of(struct s3 *s3, struct job *job, struct scrubbing **ret_s)
{
    if (!job->user) {
        struct scrubbing *s = mem_calloc(1, sizeof(*s));
        if (!s)
            return ERR_NOMEM;
        s->s3 = s3;
        job->user = s;
    }
    *ret_s = job->user;
    return ERR_OK;
}

/* How it goes on after `c`: the rate, the next pass, or the next files. */
static enum err go_on(struct scrubbing *s, struct txn *txn, struct job *job, struct cursor *c,
                      enum job_state *ret_state)
{
    *ret_state = JOB_WAIT;
    job->wait_until_ms = c->begins_ms;
    if (s->ran)
        job->wait_until_ms = txn->now_ms + 1 + (int64_t)(s->bytes * 1000 / S3_SCRUB_BYTES_PER_S);
    if (s->ran || txn->now_ms < c->begins_ms)
        return ERR_OK;
    TRY(collect(s, txn, c));
    if (s->n > 0) {
        *ret_state = JOB_RUN;
        return ERR_OK;
    }
    *c = (struct cursor){.begins_ms = txn->now_ms + S3_SCRUB_EVERY_MS};
    job->wait_until_ms = c->begins_ms;
    return ERR_OK;
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct scrubbing *s = NULL;
    struct cursor c = {.begins_ms = txn->now_ms + S3_SCRUB_EVERY_MS};
    TRY(scrubbing_of(self, job, &s));
    if (job->cursor.len > 0) {
        TRY(record_unpack(&cursor_type, txn->arena, job->cursor, &c));
    } else { /* nothing is kept, and nothing written, for a store without files */
        struct str key, value;
        struct key_range r = key_range_table(txn->arena, &s3_k_file);
        enum err err = job_first_pair(txn, r.from, r.to, &key, &value);
        if (err == ERR_NOT_FOUND) {
            *ret_state = JOB_DONE;
            return ERR_OK;
        }
        TRY(err);
    }
    if (s->ran)
        TRY(take_in(s, txn, &c));
    TRY(go_on(s, txn, job, &c, ret_state));
    job_spend(budget, 1 + s->n);
    return record_make(&cursor_type, txn->arena, &c, &job->cursor);
}

/* The step is durable: what it took in is done with. */
static void stepped(void *self, const struct job *job, enum job_state state)
{
    struct s3 *s3 = self;
    struct scrubbing *s = job->user;
    assert(s && !s->run && (state != JOB_RUN || (s->n > 0 && !s->ran)));
    if (!s->ran)
        return;
    atomic_fetch_add(&s3->scrubbed_bytes, s->bytes);
    atomic_fetch_add(&s3->scrub_damaged, s->telling.n);
    s->ran = false;
    s->n = 0;
}

static void release(void *self, void *user)
{
    mem_free(user);
}

enum err s3_scrub_register(struct s3 *s3)
{
    const struct job_def def = {
        .name = "s3.scrub",
        .self = s3,
        .step = step,
        .run = run,
        .stepped = stepped,
        .release = release,
        .at_once = 1,
        .singleton = true,
        .every_ms = LOOK_EVERY_MS,
    };
    return job_register(deliver_due(s3->core->deliver), &def, &s3->scrub);
}

/* --- figures ---------------------------------------------------------------------------------- */

void s3_metrics(void *self, struct buf *b)
{
    struct s3 *s3 = self;
    buf_add_fmt(b,
                "# HELP weir_s3_scrubbed_bytes_total Object bytes checked in the background.\n"
                "# TYPE weir_s3_scrubbed_bytes_total counter\n"
                "weir_s3_scrubbed_bytes_total %" PRIu64 "\n"
                "# HELP weir_s3_damaged_total Damaged object files met, in the background and by "
                "readers.\n"
                "# TYPE weir_s3_damaged_total counter\n"
                "weir_s3_damaged_total{by=\"scrub\"} %" PRIu64 "\n"
                "weir_s3_damaged_total{by=\"read\"} %" PRIu64 "\n",
                atomic_load(&s3->scrubbed_bytes), atomic_load(&s3->scrub_damaged),
                atomic_load(&s3->damaged_reads));
    s3_logs_metrics(s3, b);
}
