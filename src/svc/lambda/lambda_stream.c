/* Event source mappings of DynamoDB streams: batches of changes to functions, in order.
 *
 * A shard is worked on by ParallelizationFactor lanes; a change is the lane's that the hash of its
 * partition key names, so that the changes of one item are one lane's. A lane does one batch at a time:
 *
 *   commit --wake (any thread)--> read --full, or window over--> range --invoked, OK--> settled --> read
 *                                  ^                               |  ^                    |
 *                                  +---------- batch done ---------|--|--------------------+
 *                                         error: a pause, halves, --+  +-- the rest of the batch
 *                                         or given up: destination and checkpoint in one commit
 *
 * Invariants
 *   LS1  A checkpoint moves only behind what the function has processed, or what was given up (with
 *        the delivery to the destination in the same commit); so after a crash every change that was
 *        not done is read again, and none is passed over.
 *   LS2  A lane invokes in the order of its shard, and never a change before an earlier one of its is
 *        done: the changes of an item arrive in order. A failing batch holds up its own lane alone.
 *   LS3  A shard's checkpoints are one record, for a number of lanes. With another number of lanes all
 *        begin at the least of them: what was done beyond is repeated, and in order.
 *   LS4  Nothing runs while nothing is committed: a lane that found no record waits for a wake, which
 *        was arranged before it read. With an open window (lambda_window.h) it wakes at its end.
 *   LS5  A lane's window is stored by the commits that move its checkpoint, so its state is the sum of the
 *        records between the window's beginning and the checkpoint, whatever crashed. No batch has
 *        records of two windows.
 *
 *   checkpoint  u8 version, uint lanes, { uint commit, uint which of it }
 *
 * Source: Lambda developer guide, "Process DynamoDB records with Lambda". Layer: svc. Thread: home
 * loop, but the wake. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pack.h"
#include "base/rng.h"
#include "codec/json.h"
#include "svc/lambda/lambda_int.h"
#include "svc/lambda/lambda_keys.h"
#include "svc/lambda/lambda_window.h"

enum {
    CHECKPOINT_VERSION = 1,
    LANES_MAX = 10,  /* of a shard: ParallelizationFactor */
    RANGES_MAX = 18, /* halves of halves of LAMBDA_BATCH_MAX, of what a window cut off */
    READ_MAX = 1000, /* changes taken by one read */
    LOOK_MAX = 10 * 1000,
    NO_ROOM_MS = 200,
    PROBLEM_MS = 10 * 1000,
    SETTLE_AGAIN_MS = 1000,
    BACKOFF_MIN_MS = 100,
    BACKOFF_MAX_MS = 60 * 1000,
    EVENT_BYTES_MAX = LAMBDA_PAYLOAD_SYNC_MAX - 1024,
    BATCH_ARENA_MAX = 64 * 1024 * 1024,
    DOCUMENT_MAX = 64 * 1024,
    LOOK_AGAIN_MS = 60 * 1000, /* at an open window: the wall clock may jump */
    WINDOW_EVENT_MAX = 4096,   /* bytes of its event besides the state, which may fill a response */
};
static const int64_t NEVER_MS = INT64_MAX;

struct piece { /* one change of a batch */
    struct ddb_place place;
    int64_t now_ms, wall_ms;
    struct str sequence, record;
};

struct lane {
    struct lambda_stream *s;
    uint16_t shard, nth;
    bool loaded; /* read_to is known */
    bool maybe;  /* there may be changes behind read_to */
    bool busy;   /* a transaction or an invocation is under way */
    bool again;  /* a settlement is to be repeated */
    bool failed; /* once the settlement is done, what is left of the range counts as failed */
    struct ddb_place read_to;
    /* the batch */
    struct arena arena;
    struct piece *v;
    size_t n, cap, bytes;
    bool full;
    int64_t due_ms; /* end of the window */
    /* what is left of it: from..ends[n_ends - 1] is next; none while it is gathered */
    size_t from, ends[RANGES_MAX], n_ends;
    int failures; /* of this range, that count */
    int invoked;
    int64_t not_before_ms, backoff_ms;
    struct lambda_invocation inv;
    struct buf event;
    bool function_error; /* of the last invocation */
    /* the open window, and what the settlement makes of it; the states lie in the buffers */
    struct lambda_window window, next_window;
    struct buf state, next_state;
    bool final; /* the window is being ended: an invocation without records, and its settlement */
    char shard_id[DDB_SHARD_ID_LEN + 1];
    struct ddb_place settled; /* as the checkpoint says */
    /* the settlement: up to here; why it was given up, or NULL */
    size_t upto;
    const char *condition;
    /* the read under way; texts in its transaction's arena */
    struct arena *got_arena;
    struct piece *got;
    size_t n_got, want, looked, got_bytes;
    struct ddb_place got_from, got_to; /* got_from: of the first read */
    struct lambda_window got_window;
    bool got_more, got_full;
};

struct lambda_stream {
    struct lambda *l;
    const struct lambda_stream_host *host;
    void *poller;
    const struct lambda_mapping *m;
    bool opening, opened, halted;
    uint32_t id;
    uint16_t shards;
    bool watching;
    size_t parallel;
    struct lane *lanes; /* shards * parallel */
    size_t n_lanes;
    struct arena scratch; /* for filters and responses */
    struct io_timer timer;
    atomic_bool hot[DDB_STREAM_SHARDS_MAX]; /* shards with new records */
};

static void tell(const struct lambda_stream *s, const char *text)
{
    s->host->result(s->poller, text);
}

/* --- checkpoints ------------------------------------------------------------------------------ */

static struct str checkpoint_key(struct txn *txn, const struct lane *ln)
{
    const struct lambda_mapping *m = ln->s->m;
    return key_make(txn->arena, &lambda_k_checkpoint, m->function.scope, m->uuid, ln->shard);
}

static void set_all(struct ddb_place *places, struct ddb_place place)
{
    for (size_t i = 0; i < LANES_MAX; i++)
        places[i] = place;
}

/* The places of all lanes of the shard, tracked (LS3). *ret_other: they were another number of lanes. */
static enum err checkpoint_get(struct txn *txn, const struct lane *ln, struct ddb_place *places,
                               bool *ret_other)
{
    const struct lambda_mapping *m = ln->s->m;
    struct str value;
    struct unpack u;
    struct ddb_place least = {UINT64_MAX, 0};
    *ret_other = false;
    enum err err = txn_get(txn, checkpoint_key(txn, ln), &value);
    if (err == ERR_NOT_FOUND) {
        set_all(places, (struct ddb_place){m->start_commit, m->latest ? UINT16_MAX : 0});
        return ERR_OK;
    }
    TRY(err);
    unpack_init(&u, value);
    if (unpack_u8(&u) != CHECKPOINT_VERSION)
        return ERR_CORRUPT;
    uint64_t lanes = unpack_uint(&u);
    if (lanes < 1 || lanes > LANES_MAX)
        return ERR_CORRUPT;
    for (size_t i = 0; i < lanes; i++) {
        places[i].commit = unpack_uint(&u);
        places[i].nth = (uint16_t)unpack_uint(&u);
        if (ddb_place_before(places[i], least))
            least = places[i];
    }
    TRY(unpack_end(&u));
    if (lanes == ln->s->parallel)
        return ERR_OK;
    TRY(lambda_windows_least(txn, m, ln->shard, &least));
    set_all(places, least);
    *ret_other = true;
    return ERR_OK;
}

static enum err checkpoint_put(struct txn *txn, const struct lane *ln, struct ddb_place place)
{
    struct ddb_place places[LANES_MAX];
    struct buf b;
    bool other;
    TRY(checkpoint_get(txn, ln, places, &other));
    if (other)
        TRY(lambda_windows_drop(txn, ln->s->m, ln->shard));
    places[ln->nth] = place;
    buf_init_arena(&b, txn->arena, LANES_MAX * 32);
    pack_u8(&b, CHECKPOINT_VERSION);
    pack_uint(&b, ln->s->parallel);
    for (size_t i = 0; i < ln->s->parallel; i++) {
        pack_uint(&b, places[i].commit);
        pack_uint(&b, places[i].nth);
    }
    TRY(buf_err(&b));
    return txn_put(txn, checkpoint_key(txn, ln), buf_str(&b));
}

/* --- batches ---------------------------------------------------------------------------------- */

static void batch_clear(struct lane *ln)
{
    arena_clear(&ln->arena);
    ln->n = ln->bytes = ln->from = ln->n_ends = 0;
    ln->full = false;
}

static enum err batch_add(struct lane *ln, const struct piece *got)
{
    if (ln->n == ln->cap) {
        size_t cap = ln->cap ? ln->cap * 2 : 16;
        struct piece *v = mem_realloc(ln->v, cap * sizeof(*v));
        if (!v)
            return ERR_NOMEM;
        ln->v = v;
        ln->cap = cap;
    }
    struct piece *piece = &ln->v[ln->n];
    *piece = *got;
    piece->sequence = str_dup(&ln->arena, got->sequence);
    piece->record = str_dup(&ln->arena, got->record);
    if (!str_is_set(piece->sequence) || !str_is_set(piece->record))
        return ERR_NOMEM;
    ln->n++;
    ln->bytes += piece->record.len + 1;
    return ERR_OK;
}

static void problem(struct lane *ln, const char *text)
{
    tell(ln->s, text);
    ln->not_before_ms = clock_now_ms() + PROBLEM_MS;
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum err take(void *arg, const struct ddb_change *c)
{
    struct lane *ln = arg;
    struct lambda_stream *s = ln->s;
    struct buf b;
    bool match;
    if (ln->n_got == ln->want || ++ln->looked > LOOK_MAX) {
        ln->got_more = true;
        return ERR_CLOSED;
    }
    if (c->spread % s->parallel == ln->nth) {
        struct piece *piece = &ln->got[ln->n_got];
        buf_init_arena(&b, ln->got_arena, DDB_CHANGE_JSON_MAX);
        TRY(s->l->ddb->text->event(&b, ln->got_arena, c));
        arena_clear(&s->scratch);
        TRY(lambda_filters_match(s->m, &s->scratch, buf_str(&b), &match));
        if (match && ln->n + ln->n_got > 0 &&
            ln->bytes + ln->got_bytes + b.len >= EVENT_BYTES_MAX) {
            ln->got_full = ln->got_more = true;
            return ERR_CLOSED;
        }
        *piece = (struct piece){.place = c->place,
                                .now_ms = c->now_ms,
                                .wall_ms = c->wall_ms,
                                .sequence = s->l->ddb->text->sequence(ln->got_arena, c->place),
                                .record = buf_str(&b)};
        if (!str_is_set(piece->sequence))
            return ERR_NOMEM;
        if (match) {
            ln->n_got++;
            ln->got_bytes += b.len + 1;
        }
    }
    ln->got_to = c->place;
    return ERR_OK;
}

/* Where the lane stands, at the first read. */
static enum err load(struct txn *txn, struct lane *ln, const struct ddb_stream *stream)
{
    const struct lambda_stream *s = ln->s;
    struct ddb_place places[LANES_MAX];
    bool other;
    struct str shard_id = s->l->ddb->text->shard_id(txn->arena, stream, ln->shard);
    if (!str_is_set(shard_id))
        return ERR_NOMEM;
    assert(shard_id.len < sizeof(ln->shard_id));
    memcpy(ln->shard_id, shard_id.p, shard_id.len);
    TRY(checkpoint_get(txn, ln, places, &other));
    ln->got_from = ln->got_to = places[ln->nth];
    return lambda_window_get(txn, s->m, ln->shard, ln->nth, s->parallel, &ln->got_window);
}

/* The stream of an encrypted table is read as the function's role. */
static enum err unlock(struct txn *txn, const struct dynamodb_port *ddb, struct ddb_stream *stream,
                       struct str role)
{
    const struct target as = {.role = role};
    struct principal who;
    struct str why;
    if (!str_is_set(stream->data_key))
        return ERR_OK;
    TRY(target_principal(txn, &as, STR("lambda.amazonaws.com"), &who));
    return ddb->unlock(ddb->self, txn, stream, &who, &why);
}

static enum err read_body(struct txn *txn, void *arg)
{
    struct lane *ln = arg;
    const struct lambda_stream *s = ln->s;
    const struct dynamodb_port *ddb = s->l->ddb;
    struct ddb_stream *stream;
    struct str role;
    size_t batch = (size_t)s->m->batch_size;
    ln->n_got = ln->looked = ln->got_bytes = 0;
    ln->got_more = ln->got_full = false;
    ln->got_to = ln->read_to;
    ln->got_arena = txn->arena;
    ln->want = batch > ln->n ? min_size(batch - ln->n, READ_MAX) : 0;
    TRY(lambda_mapping_may(txn, s->l, s->m, "dynamodb:GetRecords", &role));
    TRY(ddb->find(ddb->self, txn, s->m->source_arn, &stream));
    if (!ln->loaded)
        TRY(load(txn, ln, stream));
    ln->got = ARENA_ARRAY(txn->arena, struct piece, ln->want + 1);
    if (!ln->got)
        return ERR_NOMEM;
    TRY(unlock(txn, ddb, stream, role));
    return ddb->read(ddb->self, txn, stream, ln->shard, ln->got_to, take, ln);
}

static enum err loaded(struct lane *ln)
{
    buf_clear(&ln->state);
    buf_add_str(&ln->state, ln->got_window.state);
    TRY(buf_err(&ln->state));
    ln->window = ln->got_window;
    ln->window.state = buf_str(&ln->state);
    ln->settled = ln->got_from;
    ln->loaded = true;
    return ERR_OK;
}

static void read_done(void *arg, enum err err)
{
    struct lane *ln = arg;
    bool was_empty = ln->n == 0;
    ln->busy = false;
    for (size_t i = 0; i < ln->n_got && err == ERR_OK; i++)
        err = batch_add(ln, &ln->got[i]);
    ln->got = NULL;
    if (err == ERR_OK && !ln->loaded)
        err = loaded(ln);
    if (err == ERR_OK) {
        ln->read_to = ln->got_to;
        ln->full = ln->full || ln->got_full;
        ln->maybe = ln->maybe || ln->got_more;
        if (was_empty)
            ln->due_ms = clock_now_ms() + ln->s->m->window_s * 1000;
    } else {
        if (was_empty)
            batch_clear(ln);
        ln->maybe = true;
        problem(ln, err == ERR_NOT_FOUND ? "PROBLEM: Stream not found"
                    : err == ERR_DENIED  ? "PROBLEM: The function's role may not read the stream"
                                         : "PROBLEM: The stream cannot be read");
    }
    lambda_stream_pump(ln->s);
}

static void run(struct lane *ln, enum err (*body)(struct txn *txn, void *arg),
                void (*done)(void *arg, enum err err))
{
    struct lambda *l = ln->s->l;
    assert(!ln->busy);
    ln->busy = true;
    if (txn_run(l->core, core_home_loop(l->core), body, ln, done) == ERR_OK)
        return;
    ln->busy = false;
    problem(ln, "PROBLEM: Memory ran out");
}

static void read_start(struct lane *ln)
{
    ln->maybe = false; /* a wake that comes from here on is of a later commit, or seen */
    run(ln, read_body, read_done);
    if (!ln->busy)
        ln->maybe = true;
}

/* --- events ------------------------------------------------------------------------------------ */

/* The records up to `end`, and with `window` what is told of the window. */
static void put_event(struct buf *b, const struct lane *ln, size_t end, bool window)
{
    BUF_ADD_LIT(b, "{\"Records\":[");
    for (size_t i = ln->from; i < end; i++) {
        if (i > ln->from)
            buf_add_byte(b, ',');
        buf_add_str(b, ln->v[i].record);
    }
    buf_add_byte(b, ']');
    if (window && lambda_window_is_open(&ln->next_window))
        lambda_window_put_event(b, &ln->next_window, ln->final, str_c(ln->shard_id),
                                ln->s->m->source_arn);
    buf_add_byte(b, '}');
}

/* --- after the invocation --------------------------------------------------------------------- */

static void put_batch_info(struct json_out *o, const struct lane *ln, struct str settled)
{
    char text[CLOCK_TEXT_MAX];
    /* The end of a window has no records: it is told by where the lane stands. */
    const struct piece end = {.wall_ms = ln->window.end_ms, .sequence = settled};
    const struct piece *first = ln->final ? &end : &ln->v[ln->from];
    const struct piece *last = ln->final ? &end : &ln->v[ln->upto - 1];
    json_key(o, STR("DDBStreamBatchInfo"));
    json_open(o, '{');
    json_kv_str(o, STR("shardId"), str_c(ln->shard_id));
    json_kv_str(o, STR("startSequenceNumber"), first->sequence);
    json_kv_str(o, STR("endSequenceNumber"), last->sequence);
    json_kv_str(o, STR("approximateArrivalOfFirstRecord"), clock_iso8601(text, first->wall_ms));
    json_kv_str(o, STR("approximateArrivalOfLastRecord"), clock_iso8601(text, last->wall_ms));
    json_kv_i64(o, STR("batchSize"), ln->final ? 0 : (int64_t)(ln->upto - ln->from));
    json_kv_str(o, STR("streamArn"), ln->s->m->source_arn);
    json_close(o, '}');
}

/* Says of a range that was given up where it is; `payload` absent: not what it holds. */
static enum err put_note(struct txn *txn, const struct lane *ln, struct str payload,
                         struct str *ret_note)
{
    char text[CLOCK_TEXT_MAX];
    struct buf b;
    struct json_out o;
    struct str settled = ln->s->l->ddb->text->sequence(txn->arena, ln->settled);
    if (!str_is_set(settled))
        return ERR_NOMEM;
    buf_init_arena(&b, txn->arena, str_is_set(payload) ? LAMBDA_BUCKET_RECORD_MAX : DOCUMENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_key(&o, STR("requestContext"));
    json_open(&o, '{');
    json_kv_str(&o, STR("requestId"), str_c(ln->inv.request_id));
    json_kv_str(&o, STR("functionArn"), ln->s->m->function_arn);
    json_kv_str(&o, STR("condition"), str_c(ln->condition));
    json_kv_i64(&o, STR("approximateInvokeCount"), ln->invoked);
    json_close(&o, '}');
    if (ln->invoked) {
        json_key(&o, STR("responseContext"));
        json_open(&o, '{');
        json_kv_i64(&o, STR("statusCode"), 200);
        json_kv_str(&o, STR("executedVersion"), ln->inv.fn->version);
        if (ln->function_error)
            json_kv_str(&o, STR("functionError"), STR("Unhandled"));
        json_close(&o, '}');
    }
    json_kv_str(&o, STR("version"), STR("1.0"));
    json_kv_str(&o, STR("timestamp"), clock_iso8601_ms(text, txn->wall_ms));
    put_batch_info(&o, ln, settled);
    json_kv_str(&o, STR("payload"), payload);
    json_close(&o, '}');
    *ret_note = buf_str(&b);
    return buf_err(&b);
}

/* A bucket has the records, too: nobody need look for them in the stream while it still has them. Those of more than may
 * wait in the store are left out. */
static enum err put_in_bucket(struct txn *txn, const struct lane *ln)
{
    const struct lambda_mapping *m = ln->s->m;
    struct lambda_bucket_record stored = {.arn = m->on_failure};
    struct str folder = lambda_mapping_folder(txn->arena, m);
    struct buf b;
    buf_init_arena(&b, txn->arena, LAMBDA_BUCKET_RECORD_MAX);
    put_event(&b, ln, ln->final ? ln->from : ln->upto, ln->invoked > 0);
    enum err err = buf_err(&b);
    if (err == ERR_OK)
        err = put_note(txn, ln, buf_str(&b), &stored.document);
    if (err == ERR_LIMIT)
        err = put_note(txn, ln, STR_NONE, &stored.document);
    TRY(err);
    if (!str_is_set(folder))
        return ERR_NOMEM;
    stored.folder = str_fmt(txn->arena, STR_FMT "/%s", STR_ARG(folder), ln->shard_id);
    return str_is_set(stored.folder) ? lambda_bucket_send(txn, ln->s->l, ln->inv.fn, &stored)
                                     : ERR_NOMEM;
}

static enum err give_up(struct txn *txn, const struct lane *ln)
{
    struct target_delivery note = {0};
    struct str to = ln->s->m->on_failure;
    if (str_empty(to))
        return ERR_OK;
    if (lambda_is_bucket(to))
        return put_in_bucket(txn, ln);
    TRY(put_note(txn, ln, STR_NONE, &note.payload));
    return lambda_send_to(txn, ln->inv.fn, to, &note, STR("DestinationDeliveryFailures"));
}

/* Where the settlement puts the checkpoint. */
static struct ddb_place settle_place(const struct lane *ln)
{
    return ln->upto == ln->n ? ln->read_to : ln->v[ln->upto - 1].place;
}

static enum err settle_body(struct txn *txn, void *arg)
{
    struct lane *ln = arg;
    const struct lambda_mapping *m = ln->s->m;
    struct str record;
    enum err err =
        txn_get(txn, key_make(txn->arena, &lambda_k_mapping, m->function.scope, m->uuid), &record);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err; /* deleted: nothing is kept of it */
    if (ln->condition)
        TRY(give_up(txn, ln));
    if (ln->final)
        return lambda_window_put(txn, m, ln->shard, ln->nth, &(struct lambda_window){0});
    TRY(checkpoint_put(txn, ln, settle_place(ln)));
    if (ln->condition || !lambda_window_is_open(&ln->next_window))
        return ERR_OK;
    return lambda_window_put(txn, m, ln->shard, ln->nth, &ln->next_window);
}

static void settle(struct lane *ln, size_t upto, const char *condition);

static void back_off(struct lane *ln)
{
    ln->backoff_ms = ln->backoff_ms ? min_i64(ln->backoff_ms * 2, BACKOFF_MAX_MS) : BACKOFF_MIN_MS;
    ln->not_before_ms = clock_now_ms() + ln->backoff_ms;
}

/* The range failed: it is halved, tried again, or given up. */
static void fail(struct lane *ln, bool may_halve)
{
    const struct lambda_mapping *m = ln->s->m;
    size_t end = ln->final ? ln->from : ln->ends[ln->n_ends - 1];
    assert(ln->inv.fn && (ln->final || end > ln->from));
    ln->failures++;
    if (may_halve && !ln->final && m->bisect && end - ln->from > 1 && ln->n_ends < RANGES_MAX) {
        ln->ends[ln->n_ends++] = ln->from + (end - ln->from) / 2;
        ln->failures = 0;
    } else if (m->retries >= 0 && ln->failures > m->retries) {
        settle(ln, end, "RetryAttemptsExhausted");
        return;
    }
    back_off(ln);
}

/* What was settled of the window holds from now on. */
static void take_window(struct lane *ln)
{
    if (ln->final) {
        ln->window = (struct lambda_window){0};
        return;
    }
    ln->settled = settle_place(ln);
    if (ln->condition || !lambda_window_is_open(&ln->next_window))
        return;
    struct buf old = ln->state;
    ln->state = ln->next_state;
    ln->next_state = old;
    ln->window = ln->next_window;
    ln->window.state = buf_str(&ln->state);
}

static void settle_done(void *arg, enum err err)
{
    struct lane *ln = arg;
    ln->busy = false;
    if (err != ERR_OK) {
        log_error("lambda", "what a mapping did of a stream cannot be noted: %s", err_name(err));
        ln->again = true;
        ln->not_before_ms = clock_now_ms() + SETTLE_AGAIN_MS;
        lambda_stream_pump(ln->s);
        return;
    }
    take_window(ln);
    ln->again = false;
    ln->condition = NULL;
    ln->from = ln->upto;
    ln->failures = 0;
    ln->invoked = ln->failed;
    ln->backoff_ms = 0;
    if (ln->final) {
        ln->final = false;
        lambda_stream_pump(ln->s);
        return;
    }
    while (ln->n_ends && ln->ends[ln->n_ends - 1] <= ln->from)
        ln->n_ends--;
    if (ln->n_ends == 0)
        batch_clear(ln);
    else if (ln->failed)
        fail(ln, false);
    ln->failed = false;
    lambda_stream_pump(ln->s);
}

static void settle(struct lane *ln, size_t upto, const char *condition)
{
    assert((ln->final || upto > ln->from) && upto <= ln->n && ln->inv.fn); /* LS1 */
    ln->upto = upto;
    ln->condition = condition;
    run(ln, settle_body, settle_done);
    ln->again = !ln->busy;
}

/* The first change of the range that the response says failed; the end when none did. ERR_INVALID:
 * all of it did. */
static enum err first_failure(struct lane *ln, struct str response, size_t *ret_at)
{
    size_t n = ln->ends[ln->n_ends - 1] - ln->from;
    struct arena *a = &ln->s->scratch;
    arena_clear(a);
    struct str *ids = ARENA_ARRAY(a, struct str, n);
    bool *failed = ARENA_ARRAY(a, bool, n);
    if (!ids || !failed)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        ids[i] = ln->v[ln->from + i].sequence;
    TRY(lambda_batch_failures(a, response, ids, n, failed));
    size_t at = 0;
    while (at < n && !failed[at])
        at++;
    *ret_at = ln->from + at;
    return ERR_OK;
}

/* Keeps the state that a window is to have next. ERR_INVALID: the response has none. */
static enum err next_state(struct lane *ln, struct str response)
{
    struct str state;
    arena_clear(&ln->s->scratch);
    TRY(lambda_window_answer(&ln->s->scratch, response, &state));
    buf_clear(&ln->next_state);
    buf_add_str(&ln->next_state, state);
    TRY(buf_err(&ln->next_state));
    ln->next_window.state = buf_str(&ln->next_state);
    ln->next_window.early = state.len > LAMBDA_WINDOW_STATE_MAX;
    return ERR_OK;
}

/* The function answered. */
static void answered(struct lane *ln, const struct lambda_result *r)
{
    size_t end = ln->final ? ln->from : ln->ends[ln->n_ends - 1], done = end;
    if (lambda_window_is_open(&ln->next_window) && next_state(ln, r->body) != ERR_OK) {
        tell(ln->s, "PROBLEM: Function returned no state of its window");
        fail(ln, true);
        return;
    }
    if (ln->final) {
        tell(ln->s, "OK");
        settle(ln, end, NULL);
        return;
    }
    if (ln->s->m->partial && first_failure(ln, r->body, &done) != ERR_OK) {
        tell(ln->s, "PROBLEM: Function returned an invalid batch response");
        fail(ln, true);
        return;
    }
    tell(ln->s, "OK");
    if (done == ln->from) {
        fail(ln, false);
        return;
    }
    ln->failed = done < end;
    settle(ln, done, NULL);
}

static void on_invoked(struct lambda_invocation *inv, const struct lambda_result *r)
{
    struct lane *ln = inv->user;
    ln->busy = false;
    buf_clear(&ln->event);
    ln->function_error = r->status == INVOKE_FUNCTION_ERROR;
    switch (r->status) {
    case INVOKE_OK:
        ln->invoked++;
        answered(ln, r);
        break;
    case INVOKE_FUNCTION_ERROR:
        ln->invoked++;
        tell(ln->s, "PROBLEM: Function call failed");
        fail(ln, true);
        break;
    case INVOKE_LOOP: /* nothing causes it that has a lineage */
    case INVOKE_THROTTLED:
    case INVOKE_FAILED:
    case INVOKE_STOPPING:
    case INVOKE_KMS:
        tell(ln->s, "PROBLEM: Function call was throttled or could not start");
        back_off(ln);
        break;
    }
    lambda_stream_pump(ln->s);
}

/* --- invoking --------------------------------------------------------------------------------- */

static void hold_fn(struct lane *ln, struct lambda_fn *fn)
{
    lambda_fn_unref(ln->inv.fn);
    ln->inv.fn = lambda_fn_ref(fn);
}

static void write_event(struct lane *ln)
{
    buf_clear(&ln->event);
    put_event(&ln->event, ln, ln->final ? ln->from : ln->ends[ln->n_ends - 1], true);
}

static void invoke(struct lane *ln)
{
    struct lambda_fn *fn = ln->inv.fn;
    char id[RNG_UUID_LEN + 1];
    write_event(ln);
    if (buf_err(&ln->event) != ERR_OK) {
        tell(ln->s, "PROBLEM: The event is too large or memory ran out");
        buf_clear(&ln->event);
        fail(ln, true);
        return;
    }
    ln->inv = (struct lambda_invocation){
        .fn = fn, .event = buf_str(&ln->event), .on_done = on_invoked, .user = ln};
    (void)rng_uuid(id);
    memcpy(ln->inv.request_id, id, sizeof(ln->inv.request_id));
    lambda_invoked_arn(ln->s->l, &ln->s->m->function, ln->inv.invoked_arn);
    if (!ln->final)
        lambda_measure_age(ln->s->l->core, fn, STR("IteratorAge"),
                           clock_now_ms() - ln->v[ln->ends[ln->n_ends - 1] - 1].now_ms);
    ln->busy = true;
    lambda_engine_invoke(ln->s->l->engine, &ln->inv);
}

/* The changes at the beginning of the range that are older than the mapping wants; the end of them. */
static size_t too_old(const struct lane *ln, int64_t now_ms)
{
    int64_t age_max_s = ln->s->m->age_max_s;
    size_t at = ln->from;
    while (age_max_s >= 0 && at < ln->ends[ln->n_ends - 1] &&
           now_ms - ln->v[at].now_ms > age_max_s * 1000)
        at++;
    return at;
}

/* Takes hold of the function, which an alias chooses for each batch anew; false when none would start
 * now. */
static bool choose_fn(struct lane *ln)
{
    struct lambda *l = ln->s->l;
    struct lambda_fn *fn;
    if (lambda_fn_find(l, &ln->s->m->function, &fn) != ERR_OK)
        return false;
    bool room = lambda_engine_room(l->engine, fn, 1) > 0;
    if (room)
        hold_fn(ln, fn);
    lambda_fn_unref(fn);
    return room;
}

/* The window that the range's records are of, and the range ends with it (LS5). */
static void enter_window(struct lane *ln)
{
    int64_t length_s = ln->s->m->tumbling_s;
    ln->next_window = (struct lambda_window){0};
    if (!length_s)
        return;
    ln->next_window = lambda_window_of(&ln->window, ln->v[ln->from].wall_ms, length_s);
    ln->next_window.lanes = ln->s->parallel;
    if (!lambda_window_is_open(&ln->window))
        ln->next_window.from = ln->settled;
    size_t at = ln->from, end = ln->ends[ln->n_ends - 1];
    while (at < end && !lambda_window_is_behind(&ln->next_window, ln->v[at].wall_ms))
        at++;
    assert(at > ln->from && (at == end || ln->n_ends < RANGES_MAX));
    if (at < end)
        ln->ends[ln->n_ends++] = at;
}

/* Whether the open window is over and all of its records are done. *ret_left_ms: until it is. */
static bool window_is_over(const struct lane *ln, int64_t *ret_left_ms)
{
    const struct lambda_window *w = &ln->window;
    *ret_left_ms = NEVER_MS;
    if (!lambda_window_is_open(w))
        return false;
    if (ln->final || w->early || !ln->s->m->tumbling_s)
        return true;
    if (ln->n)
        return lambda_window_is_behind(w, ln->v[ln->n_ends ? ln->from : 0].wall_ms);
    int64_t left_ms = w->end_ms + LAMBDA_WINDOW_GRACE_MS - clock_wall_ms();
    *ret_left_ms = min_i64(max_i64(left_ms, 1), LOOK_AGAIN_MS);
    return left_ms <= 0 && !ln->maybe;
}

/* The last invocation for the window: with its state, without records. */
static int64_t end_window(struct lane *ln, int64_t now_ms)
{
    if (!choose_fn(ln))
        return NO_ROOM_MS;
    if (!ln->final)
        ln->failures = ln->invoked = 0;
    if (ln->n == 0)
        ln->from = 0;
    ln->final = true;
    ln->next_window = ln->window;
    invoke(ln);
    return ln->busy ? NEVER_MS : max_i64(ln->not_before_ms - now_ms, 1);
}

/* The next thing of a batch that is under way. */
static int64_t go_on(struct lane *ln, int64_t now_ms)
{
    if (!choose_fn(ln))
        return NO_ROOM_MS;
    size_t old = too_old(ln, now_ms);
    if (old > ln->from) {
        settle(ln, old, "RecordAgeExceeded");
    } else {
        enter_window(ln);
        invoke(ln);
    }
    return ln->busy ? NEVER_MS : max_i64(ln->not_before_ms - now_ms, 1);
}

static bool batch_ready(const struct lane *ln, int64_t now_ms)
{
    const struct lambda_mapping *m = ln->s->m;
    return ln->n > 0 &&
           (ln->full || ln->n >= (size_t)m->batch_size || m->window_s == 0 || now_ms >= ln->due_ms);
}

/* Does what there is to do; when to look again, in ms from now. */
static int64_t step(struct lane *ln, int64_t now_ms)
{
    int64_t left_ms;
    if (ln->busy)
        return NEVER_MS; /* its end pumps */
    if (now_ms < ln->not_before_ms)
        return ln->not_before_ms - now_ms;
    if (ln->again) {
        settle(ln, ln->upto, ln->condition);
        return ln->busy ? NEVER_MS : SETTLE_AGAIN_MS;
    }
    if (window_is_over(ln, &left_ms))
        return end_window(ln, now_ms);
    if (ln->n_ends == 0 && batch_ready(ln, now_ms)) {
        ln->from = 0;
        ln->ends[ln->n_ends++] = ln->n;
        ln->failures = ln->invoked = 0;
    }
    if (ln->n_ends)
        return go_on(ln, now_ms);
    if (ln->maybe) {
        read_start(ln);
        return ln->busy ? NEVER_MS : PROBLEM_MS;
    }
    return ln->n ? max_i64(ln->due_ms - now_ms, 1) : left_ms;
}

/* --- the stream as a whole -------------------------------------------------------------------- */

/* Any thread. */
static void on_commit(void *arg, uint16_t shard)
{
    struct lambda_stream *s = arg;
    assert(shard < DDB_STREAM_SHARDS_MAX);
    atomic_store(&s->hot[shard], true);
    s->host->wake(s->poller);
}

static void free_lanes(struct lambda_stream *s)
{
    for (size_t i = 0; i < s->n_lanes; i++) {
        lambda_fn_unref(s->lanes[i].inv.fn);
        buf_release(&s->lanes[i].event);
        buf_release(&s->lanes[i].state);
        buf_release(&s->lanes[i].next_state);
        arena_release(&s->lanes[i].arena);
        mem_free(s->lanes[i].v);
    }
    mem_free(s->lanes);
    s->lanes = NULL;
    s->n_lanes = 0;
}

static enum err make_lanes(struct lambda_stream *s)
{
    size_t parallel = (size_t)s->m->parallel;
    assert(parallel >= 1 && parallel <= LANES_MAX && lambda_stream_at_rest(s));
    free_lanes(s);
    s->lanes = mem_calloc(s->shards * parallel, sizeof(struct lane));
    if (!s->lanes)
        return ERR_NOMEM;
    s->parallel = parallel;
    s->n_lanes = s->shards * parallel;
    for (size_t i = 0; i < s->n_lanes; i++) {
        struct lane *ln = &s->lanes[i];
        ln->s = s;
        ln->shard = (uint16_t)(i / parallel);
        ln->nth = (uint16_t)(i % parallel);
        ln->maybe = true;
        arena_init(&ln->arena, BATCH_ARENA_MAX);
        buf_init(&ln->event, LAMBDA_PAYLOAD_SYNC_MAX + WINDOW_EVENT_MAX);
        buf_init(&ln->state, LAMBDA_PAYLOAD_SYNC_MAX);
        buf_init(&ln->next_state, LAMBDA_PAYLOAD_SYNC_MAX);
    }
    return ERR_OK;
}

static void rest(struct lambda_stream *s)
{
    if (!s->halted && io_timer_start(&s->timer, PROBLEM_MS) != ERR_OK)
        log_error("lambda", "a mapping rests for want of memory");
}

static enum err open_body(struct txn *txn, void *arg)
{
    struct lambda_stream *s = arg;
    const struct dynamodb_port *ddb = s->l->ddb;
    struct ddb_stream *stream;
    TRY(ddb->find(ddb->self, txn, s->m->source_arn, &stream));
    s->id = stream->id;
    s->shards = stream->shards;
    return ERR_OK;
}

static void open_done(void *arg, enum err err)
{
    struct lambda_stream *s = arg;
    const struct dynamodb_port *ddb = s->l->ddb;
    s->opening = false;
    if (err == ERR_OK && !s->watching)
        err = ddb->watch(ddb->self, s->id, on_commit, s);
    s->watching = s->watching || err == ERR_OK; /* before the first read: LS4 */
    s->opened = err == ERR_OK;
    if (err != ERR_OK) {
        tell(s, err == ERR_NOT_FOUND ? "PROBLEM: Stream not found"
                                     : "PROBLEM: The stream cannot be read");
        rest(s);
        return;
    }
    lambda_stream_pump(s);
}

/* True once the stream is known and there are lanes for it as the mapping says. */
static bool is_open(struct lambda_stream *s)
{
    struct lambda *l = s->l;
    if (s->opening)
        return false;
    if (!s->opened) {
        s->opening = txn_run(l->core, core_home_loop(l->core), open_body, s, open_done) == ERR_OK;
        return false;
    }
    if (s->parallel == (size_t)s->m->parallel && s->lanes)
        return true;
    return lambda_stream_at_rest(s) && make_lanes(s) == ERR_OK;
}

static void note_wakes(struct lambda_stream *s)
{
    for (uint16_t shard = 0; shard < s->shards; shard++) {
        if (!atomic_exchange(&s->hot[shard], false))
            continue;
        for (size_t i = 0; i < s->parallel; i++)
            s->lanes[shard * s->parallel + i].maybe = true;
    }
}

void lambda_stream_pump(struct lambda_stream *s)
{
    struct lambda_fn *fn;
    int64_t delay = NEVER_MS, now_ms = clock_now_ms();
    if (s->host->gone(s->poller) && lambda_stream_at_rest(s))
        s->host->wake(s->poller); /* it ends there, under nobody's feet */
    if (s->halted || s->host->gone(s->poller) || !s->m->enabled)
        return;
    if (!is_open(s)) {
        if (lambda_stream_at_rest(s)) /* for want of memory */
            rest(s);
        return;
    }
    note_wakes(s);
    if (lambda_fn_find(s->l, &s->m->function, &fn) != ERR_OK)
        return; /* a change kicks */
    lambda_fn_unref(fn);
    for (size_t i = 0; i < s->n_lanes; i++)
        delay = min_i64(delay, step(&s->lanes[i], now_ms));
    if (delay == NEVER_MS)
        io_timer_stop(&s->timer);
    else if (io_timer_start(&s->timer, max_i64(delay, 1)) != ERR_OK)
        log_error("lambda", "a mapping rests for want of memory until the next change");
}

bool lambda_stream_at_rest(const struct lambda_stream *s)
{
    for (size_t i = 0; i < s->n_lanes; i++)
        if (s->lanes[i].busy)
            return false;
    return !s->opening;
}

static void on_timer(struct io_timer *t)
{
    lambda_stream_pump(t->arg);
}

struct lambda_stream *lambda_stream_new(struct lambda *l, const struct lambda_stream_host *host,
                                        void *poller)
{
    struct lambda_stream *s = mem_calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->l = l;
    s->host = host;
    s->poller = poller;
    arena_init(&s->scratch, BATCH_ARENA_MAX);
    io_timer_init(&s->timer, core_home_loop(l->core), on_timer, s);
    return s;
}

void lambda_stream_use(struct lambda_stream *s, const struct lambda_mapping *m)
{
    s->m = m;
}

void lambda_stream_halt(struct lambda_stream *s)
{
    const struct dynamodb_port *ddb = s->l->ddb;
    s->halted = true;
    io_timer_stop(&s->timer);
    if (s->watching)
        ddb->unwatch(ddb->self, s->id, s);
    s->watching = false;
}

void lambda_stream_free(struct lambda_stream *s)
{
    if (!s)
        return;
    free_lanes(s);
    arena_release(&s->scratch);
    mem_free(s);
}
