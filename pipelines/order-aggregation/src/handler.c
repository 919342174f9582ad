/* order-aggregation: the function behind the bucket. For each file that was put:
 *
 *   1. read the object as it is now, check its rows, write its rejects, and record its ETag in the
 *      table (SET), under a condition: who loses reads everything again;
 *   2. when customers, orders and items of the date are all recorded, and this revision of the set
 *      was not sent: take the lease (SEND), read the three objects by their ETags, join them, and
 *      send one message per customer, remembering how far it came (outbox.h).
 *
 * A file that can be no part of a set, by its name or its header row, is told: a log line, and a
 * letter to the dead-letter queue (send.h), besides its rejects.
 *
 * Invariants
 *   H1  An event is answered without error only when nothing is left to do for its set's current
 *       revision, or another event will do it. Everything else is an error, so Lambda tries again.
 *   H2  A message is sent at least once for each customer of a revision; more than once only when
 *       the function dies between sending and remembering, then for at most OUTBOX_CUSTOMERS of
 *       them, with the same message_id.
 *   H3  No file is passed over in silence: its event ends in a recorded file or in a letter, but for
 *       the function's own rejects, folder markers, and objects that are gone again.
 *
 * Layer: pipeline. Thread: one. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/rng.h"
#include "codec/percent.h"
#include "lambda.h"
#include "outbox.h"
#include "send.h"

enum {
    FILE_MAX = 512 * 1024 * 1024,
    REJECTS_MAX = 256 * 1024 * 1024,
    CONFLICTS_MAX = 50,
    WAIT_MS = 100,              /* between looks at somebody else's lease */
    TIME_RESERVE_MS = 5 * 1000, /* left for giving the lease back */
};

struct app {
    struct state state;
    struct aws *aws;
    struct str queue_url, dlq_url;
};

static struct app app;

/* One event's work on one file. */
struct job {
    struct lambda_context *ctx;
    struct arena *a;
    const struct json *record; /* of the event */
    struct str bucket, key, date;
    enum kind kind;
    const char *unusable; /* why the object, as read last, is no part of a set; NULL: it is one */
};

#define REJECTS_FOLDER "rejects/"

static int fail(struct job *j, const char *what, enum err err)
{
    return lambda_fail(j->ctx, "Pipeline.Failed", "%s for s3://" STR_FMT "/" STR_FMT ": %s: %s",
                       what, STR_ARG(j->bucket), STR_ARG(j->key), err_name(err),
                       aws_error(app.aws));
}

/* --- rejects ---------------------------------------------------------------------------------- */

struct rejects {
    struct buf text[KINDS]; /* JSON lines */
    const struct set *set;
    const struct job *job;
    const char *last; /* reason; in the job's arena */
};

static void rejects_init(struct rejects *r, const struct job *job, const struct set *set)
{
    *r = (struct rejects){.set = set, .job = job};
    for (int k = 0; k < KINDS; k++)
        buf_init(&r->text[k], REJECTS_MAX);
}

static void rejects_release(struct rejects *r)
{
    for (int k = 0; k < KINDS; k++)
        buf_release(&r->text[k]);
}

static void on_reject(void *arg, enum kind kind, uint64_t line, const char *reason)
{
    struct rejects *r = arg;
    struct json_out o;
    r->last = reason;
    json_out_init(&o, &r->text[kind]);
    json_open(&o, '{');
    json_kv_str(&o, STR("file"), r->set ? r->set->files[kind].key : r->job->key);
    json_kv_i64(&o, STR("line"), (int64_t)line);
    json_kv_str(&o, STR("reason"), str_c(reason));
    json_close(&o, '}');
    buf_add_byte(&r->text[kind], '\n');
}

/* rejects/<file name>.jsonl: a folder whose events are passed over. Without rejects the object of an
 * earlier revision goes away. */
static enum err write_rejects(const struct job *j, struct str key, const struct buf *text)
{
    struct aws_reply reply;
    size_t slash = str_rfind(key, '/');
    struct str name = slash == SIZE_MAX ? key : str_sub(key, slash + 1, SIZE_MAX);
    struct str where = str_fmt(j->a, REJECTS_FOLDER STR_FMT ".jsonl", STR_ARG(name));
    TRY(buf_err(text));
    if (!str_is_set(where))
        return ERR_NOMEM;
    if (text->len == 0)
        return aws_s3_delete(app.aws, j->bucket, where, j->a, &reply);
    return aws_s3_put(app.aws, j->bucket, where, STR("application/jsonl"), buf_str(text), j->a,
                      &reply);
}

/* --- step 1: one file ------------------------------------------------------------------------- */

/* Checks the object's bytes and fills in what SET says of it. */
static enum err check_file(struct job *j, struct str etag, struct str text, struct set *set)
{
    struct rejects rejects;
    uint64_t rows = 0, bad = 0;
    rejects_init(&rejects, j, NULL);
    enum err err = model_check(j->a, j->kind, text, on_reject, &rejects, &rows, &bad);
    /* Without a good header row it is no part of a set. */
    j->unusable = err == ERR_INVALID ? rejects.last : NULL;
    if (err == ERR_OK || err == ERR_INVALID)
        err = write_rejects(j, j->key, &rejects.text[j->kind]);
    rejects_release(&rejects);
    TRY(err);
    set->bucket = j->bucket;
    set->files[j->kind] = (struct set_file){
        .key = j->key,
        .etag = j->unusable ? STR_NONE : etag,
        .rows = (int64_t)rows,
        .rejects = (int64_t)bad,
    };
    return ERR_OK;
}

/* One try; ERR_CONFLICT when the set changed meanwhile. */
static enum err record_once(struct job *j, struct set *set)
{
    struct aws_reply reply;
    struct buf text;
    j->unusable = NULL;
    buf_init(&text, FILE_MAX);
    /* First the set, then the object: whoever writes last has read the object after the other
     * wrote, so the recorded ETag is never older than the object was at the last event. */
    enum err err = state_get_set(&app.state, j->a, j->date, set);
    if (err == ERR_OK)
        err = aws_s3_get(app.aws, j->bucket, j->key, STR_NONE, STR_NONE, j->a, &reply, &text);
    if (err == ERR_FAILED && reply.status == 404) {
        printf("the object is gone again: " STR_FMT "\n", STR_ARG(j->key));
        err = ERR_OK;
    } else if (err == ERR_OK) {
        struct str etag = aws_reply_header(&reply, STR("etag"));
        if (!str_eq(etag, set->files[j->kind].etag) || !str_eq(j->key, set->files[j->kind].key)) {
            err = check_file(j, etag, buf_str(&text), set);
            if (err == ERR_OK)
                err = state_put_set(&app.state, j->a, j->date, set);
        }
    }
    buf_release(&text);
    return err;
}

static enum err record_file(struct job *j, struct set *set)
{
    enum err err = ERR_CONFLICT;
    for (int i = 0; i < CONFLICTS_MAX && err == ERR_CONFLICT; i++) {
        if (i)
            (void)poll(NULL, 0, 1 + (int)rng_below(20));
        err = record_once(j, set);
    }
    return err;
}

/* --- step 2: the set -------------------------------------------------------------------------- */

/* Whether the set's files, as recorded now, are those of `revision`. */
static enum err is_current(const struct job *j, struct str revision, bool *ret_current)
{
    struct set now;
    TRY(state_get_set(&app.state, j->a, j->date, &now));
    *ret_current = set_complete(&now) && str_eq(set_revision(j->a, &now), revision);
    return ERR_OK;
}

/* Waits for the right to send `revision`. *ret_needed false: it was sent, or a newer one replaced
 * it (whose event sees to it). ERR_TIMEOUT: somebody else is at it still. */
static enum err take_lease(struct job *j, struct str revision, struct str owner,
                           struct sending *sending, bool *ret_needed)
{
    for (;;) {
        bool current;
        int64_t now_ms = clock_now_ms();
        TRY(state_get_sending(&app.state, j->a, j->date, sending));
        *ret_needed = !str_eq(sending->done_revision, revision);
        if (!*ret_needed)
            return ERR_OK;
        if (sending->lease_until_ms <= now_ms) {
            enum err err = state_claim(&app.state, j->a, j->date, revision, owner, now_ms, sending);
            if (err != ERR_CONFLICT)
                return err;
            continue;
        }
        if (lambda_remaining_ms(j->ctx) < TIME_RESERVE_MS)
            return ERR_TIMEOUT;
        (void)poll(NULL, 0, WAIT_MS);
        TRY(is_current(j, revision, &current));
        if (!current) {
            *ret_needed = false;
            return ERR_OK;
        }
    }
}

/* Reads and joins the three files of the set. ERR_CONFLICT: one of them is not what it was. */
static enum err load(const struct job *j, const struct set *set, struct model *m,
                     struct buf texts[KINDS])
{
    for (int k = 0; k < KINDS; k++) {
        struct aws_reply reply;
        enum err err = aws_s3_get(app.aws, set->bucket, set->files[k].key, STR_NONE,
                                  set->files[k].etag, j->a, &reply, &texts[k]);
        if (err == ERR_FAILED && (reply.status == 412 || reply.status == 404))
            return ERR_CONFLICT;
        TRY(err);
        TRY(model_add(m, (enum kind)k, buf_str(&texts[k])));
    }
    return ERR_OK;
}

static enum err finish(struct job *j, const struct set *set, const struct model *m,
                       struct rejects *rejects, struct str revision, struct str owner,
                       size_t too_large)
{
    uint64_t bad = too_large;
    bool current;
    /* The rejects of a file that was replaced under way are those that its own event wrote. */
    TRY(is_current(j, revision, &current));
    for (int k = 0; k < KINDS; k++) {
        bad += m->rejects[k];
        if (current)
            TRY(write_rejects(j, set->files[k].key, &rejects->text[k]));
    }
    TRY(state_finish(&app.state, j->a, j->date, owner, revision,
                     (int64_t)(m->n[KIND_CUSTOMERS] - too_large), (int64_t)bad));
    printf("sent revision " STR_FMT " of " STR_FMT ": %zu messages, %llu rejected rows\n",
           STR_ARG(revision), STR_ARG(j->date), m->n[KIND_CUSTOMERS] - too_large,
           (unsigned long long)bad);
    return ERR_OK;
}

static enum err aggregate(struct job *j, const struct set *set)
{
    struct str revision = set_revision(j->a, set);
    char uuid[RNG_UUID_LEN + 1];
    struct str owner = str_dup(j->a, rng_uuid(uuid));
    struct sending sending;
    struct buf texts[KINDS];
    struct rejects rejects;
    struct model m;
    size_t too_large = 0;
    bool needed = false;
    if (!str_is_set(revision) || !str_is_set(owner))
        return ERR_NOMEM;
    TRY(take_lease(j, revision, owner, &sending, &needed));
    if (!needed)
        return ERR_OK;
    rejects_init(&rejects, j, set);
    model_init(&m, j->a, on_reject, &rejects);
    for (int k = 0; k < KINDS; k++)
        buf_init(&texts[k], FILE_MAX);
    enum err err = load(j, set, &m, texts);
    struct outbox outbox = {&app.state,
                            app.queue_url,
                            j->date,
                            revision,
                            owner,
                            &m,
                            j->ctx->deadline_ms - TIME_RESERVE_MS};
    size_t next = (size_t)sending.next;
    if (err == ERR_OK)
        err = outbox_send(&outbox, j->a, &next, &too_large);
    else if (state_progress(&app.state, j->a, j->date, owner, sending.next, 0) != ERR_OK)
        printf("the lease could not be given back\n");
    if (err == ERR_OK)
        err = finish(j, set, &m, &rejects, revision, owner, too_large);
    for (int k = 0; k < KINDS; k++)
        buf_release(&texts[k]);
    model_release(&m);
    rejects_release(&rejects);
    return err;
}

/* --- events ----------------------------------------------------------------------------------- */

/* The file is not used: says so where people look. Told again whenever the event comes again. */
static int tell(struct job *j, const char *reason)
{
    struct str file =
        str_fmt(j->a, "s3://" STR_FMT "/" STR_FMT, STR_ARG(j->bucket), STR_ARG(j->key));
    if (!str_is_set(file))
        return fail(j, "telling of the file", ERR_NOMEM);
    printf("not used: " STR_FMT ": %s\n", STR_ARG(file), reason);
    enum err err = send_letter(app.aws, app.dlq_url, j->a, j->record, file, str_c(reason));
    return err == ERR_OK ? 0 : fail(j, "telling of the file", err);
}

static int handle_file(struct job *j)
{
    struct set set = {0};
    enum err err;
    if (str_starts(j->key, STR(REJECTS_FOLDER)) || str_ends(j->key, STR("/")))
        return 0;
    if (model_parse_name(j->key, &j->kind, &j->date) != ERR_OK)
        return tell(j, "its name is not customers_, orders_ or items_YYYYMMDD.csv");
    for (int tries = 0; tries < CONFLICTS_MAX; tries++) {
        err = record_file(j, &set);
        if (err != ERR_OK)
            return fail(j, "recording the file", err);
        if (j->unusable)
            return tell(j, j->unusable);
        if (!set_complete(&set))
            return 0;
        /* ERR_CONFLICT: a file of the set was replaced under way; look again. */
        err = aggregate(j, &set);
        if (err == ERR_OK)
            return 0;
        if (err != ERR_CONFLICT)
            return fail(j, "sending the set", err);
        (void)poll(NULL, 0, WAIT_MS);
    }
    return fail(j, "sending the set", ERR_CONFLICT);
}

static int handle(struct lambda_context *ctx, struct str event, struct buf *reply)
{
    struct json *doc = NULL;
    size_t files = 0;
    if (json_parse(ctx->arena, event, &doc, NULL) != ERR_OK)
        return lambda_fail(ctx, "Pipeline.BadEvent", "the event is not JSON");
    JSON_EACH (json_get(doc, STR("Records")), record) {
        const struct json *s3 = json_get(record, STR("s3"));
        struct job j = {.ctx = ctx, .a = ctx->arena, .record = record};
        j.bucket = json_get_str(json_get(s3, STR("bucket")), STR("name"));
        struct str key = json_get_str(json_get(s3, STR("object")), STR("key"));
        if (!j.bucket.len || !key.len || percent_decode(ctx->arena, key, true, &j.key) != ERR_OK)
            return lambda_fail(ctx, "Pipeline.BadEvent", "a record without bucket and key");
        int failed = handle_file(&j);
        if (failed)
            return failed;
        files++;
    }
    buf_add_fmt(reply, "{\"files\":%zu}", files);
    return 0;
}

int main(void)
{
    const char *table = getenv("TABLE"), *queue = getenv("QUEUE_URL"), *dlq = getenv("DLQ_URL");
    if (!table || !queue || !dlq) {
        lambda_init_error("Pipeline.Configuration", "TABLE, QUEUE_URL and DLQ_URL must be set");
        return 1;
    }
    if (aws_new(&app.aws) != ERR_OK) {
        lambda_init_error("Pipeline.Configuration", "no credentials or region in the environment");
        return 1;
    }
    app.state = (struct state){app.aws, str_c(table)};
    app.queue_url = str_c(queue);
    app.dlq_url = str_c(dlq);
    return lambda_run(handle);
}
