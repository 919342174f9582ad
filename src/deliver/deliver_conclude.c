/* Conclusions: what an attempt's outcome does to the store.
 *
 * Outcomes that only move or remove a record are committed together, one batch at a time, so that
 * ten thousand deliveries a second cost a few hundred commits. A give-up runs foreign code
 * (deliver_kind.give_up), so each has a transaction of its own: its failure concerns it alone.
 *
 * Layer: deliver. Thread: home loop. */
#include "deliver/deliver_conclude.h"

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "deliver/deliver_int.h"

enum { JITTER_PERCENT = 20 };

static void left_running(struct deliver_entry *e)
{
    if (e->aside) {
        e->aside = false;
        return;
    }
    assert(e->q->running > 0 && e->q->d->running > 0);
    e->q->running--;
    e->q->d->running--;
    deliver_share_leave(e);
}

static void conclude_staged(struct deliver_entry *e);

static void store_failed(struct deliver *d, const char *what, enum err err)
{
    log_error("deliver", "%s: %s", what, err_name(err));
    d->commit_after_ns = clock_mono_ns() + (int64_t)DELIVER_STORE_RETRY_MS * 1000000;
}

static void lease_lost(struct deliver *d)
{
    log_error("deliver", "another process took the due work over: this one stops delivering");
    assert(d->started);
    d->stopped = true;
    d->leased = false; /* what is concluding stays so: it is the other's to conclude */
}

void deliver_conclude_later(struct deliver_entry *e)
{
    struct deliver *d = e->q->d;

    assert(e->state != DELIVER_ENTRY_WAITING);
    left_running(e);
    deliver_entry_drop_payload(e);
    e->not_before_ms = clock_now_ms() + DELIVER_STORE_RETRY_MS;
    deliver_queue_admit(e->q, e);
    deliver_pump_soon(d);
}

/* --- batches ---------------------------------------------------------------------------------- */

struct batch {
    struct deliver *d;
    size_t n;
    struct deliver_entry *entries[DELIVER_BATCH_MAX];
};

static enum err stage_outcome(struct txn *txn, const struct deliver_entry *e)
{
    enum deliver_kind_id kind = e->q->kind.id;
    bool retry = e->outcome == DELIVER_RETRY;

    TRY(deliver_record_del(txn, kind, e->at, e->rec.large && !retry));
    if (!retry)
        return ERR_OK;
    assert(e->next.id == e->at.id && e->next_attempt >= e->rec.attempt); /* the same piece, later */
    struct deliver_record rec = e->rec;
    rec.attempt = e->next_attempt;
    rec.uncounted = e->next_uncounted;
    return deliver_record_put(txn, kind, e->next, &rec, e->work.payload, false);
}

static enum err batch_body(struct txn *txn, void *arg)
{
    struct batch *batch = arg;

    TRY(deliver_lease_check(txn, DELIVER_LEASE_WORK, batch->d->token));
    for (size_t i = 0; i < batch->n; i++)
        TRY(stage_outcome(txn, batch->entries[i]));
    return ERR_OK;
}

static void concluded(struct deliver_entry *e)
{
    struct deliver *d = e->q->d;

    assert(e->state == DELIVER_ENTRY_CONCLUDING && !list_linked(&e->link));
    left_running(e);
    if (e->outcome != DELIVER_RETRY) {
        deliver_entry_free(e);
        return;
    }
    d->stats.retried++;
    e->at = e->next;
    e->rec.attempt = e->work.attempt = e->next_attempt;
    e->rec.uncounted = e->work.uncounted = e->next_uncounted;
    deliver_entry_release_user(e);
    deliver_queue_admit(e->q, e);
}

static void batch_done(void *arg, enum err err)
{
    struct batch *batch = arg;
    struct deliver *d = batch->d;

    assert(d->committing && batch->n > 0);
    d->committing = false;
    if (err == ERR_CLOSED)
        lease_lost(d);
    else if (err != ERR_OK)
        store_failed(d, "cannot conclude work", err);
    for (size_t i = 0; i < batch->n; i++) {
        if (err == ERR_OK)
            concluded(batch->entries[i]);
        else
            list_push_back(&d->concluding, &batch->entries[i]->link);
    }
    mem_free(batch);
    deliver_pump_soon(d);
}

void deliver_conclude_pump(struct deliver *d)
{
    bool none = list_empty(&d->concluding) && list_empty(&d->postponed);
    if (d->committing || none || !d->leased || clock_mono_ns() < d->commit_after_ns)
        return;
    struct batch *batch = mem_calloc(1, sizeof(*batch));
    if (!batch) {
        store_failed(d, "cannot conclude work", ERR_NOMEM);
        return;
    }
    batch->d = d;
    size_t bytes = 0;
    while (batch->n < DELIVER_BATCH_MAX && bytes < DELIVER_BATCH_BYTES_MAX) {
        struct list *link = list_pop_front(&d->concluding);
        if (!link)
            link = list_pop_front(&d->postponed);
        if (!link)
            break;
        struct deliver_entry *e = CONTAINER_OF(link, struct deliver_entry, link);
        bytes += e->rec.large ? 0 : e->rec.payload_len;
        batch->entries[batch->n++] = e;
    }
    assert(batch->n > 0); /* the list was not empty */
    d->committing = true;
    if (txn_run(d->core, d->home, batch_body, batch, batch_done) != ERR_OK)
        batch_done(batch, ERR_NOMEM);
}

static void conclude(struct deliver_entry *e, enum deliver_outcome outcome)
{
    struct deliver *d = e->q->d;

    assert(e->state != DELIVER_ENTRY_WAITING && !list_linked(&e->link));
    e->outcome = outcome;
    e->state = DELIVER_ENTRY_CONCLUDING;
    list_push_back(e->aside ? &d->postponed : &d->concluding, &e->link);
    deliver_pump_soon(d);
}

void deliver_conclude_drop(struct deliver_entry *e)
{
    conclude(e, DELIVER_OK);
}

/* --- retry ------------------------------------------------------------------------------------ */

int64_t deliver_backoff_ms(const struct deliver_work *work, int next)
{
    int doublings = (next == work->attempt ? work->uncounted : next - 1) - 1;
    int64_t delay = DELIVER_BACKOFF_MIN_MS;

    while (doublings-- > 0 && delay < DELIVER_BACKOFF_MAX_MS)
        delay *= 2;
    return min_i64(delay, DELIVER_BACKOFF_MAX_MS);
}

static int64_t jittered(int64_t delay_ms)
{
    int64_t spread = delay_ms * JITTER_PERCENT / 100;
    return delay_ms - spread + (int64_t)rng_below((uint64_t)spread * 2 + 1);
}

static void conclude_retry(struct deliver_entry *e, bool counted)
{
    const struct deliver_kind *kind = &e->q->kind;
    int64_t now_ms = clock_now_ms();

    e->next_attempt = counted ? e->work.attempt + 1 : e->work.attempt;
    e->next_uncounted = counted ? 0 : e->work.uncounted + 1;
    e->work.uncounted = e->next_uncounted; /* backoff_ms looks at it */
    int64_t delay = kind->backoff_ms ? kind->backoff_ms(kind->self, &e->work, e->next_attempt)
                                     : deliver_backoff_ms(&e->work, e->next_attempt);
    delay = max_i64(delay, 0);
    int64_t due = now_ms + (e->work.exact ? delay : jittered(delay));
    e->work.exact = false;
    assert(e->next_attempt >= 1 && e->next_uncounted >= 0);
    if (e->rec.age_max_ms) /* not later than the moment it is given up */
        due = min_i64(due, max_i64(e->rec.created_ms + e->rec.age_max_ms, now_ms));
    e->next = (struct deliver_pos){due, e->at.id};
    conclude(e, DELIVER_RETRY);
}

void deliver_conclude_postpone(struct deliver_entry *e, int64_t due_ms)
{
    left_running(e); /* while its commit is on the way, others are attempted */
    e->aside = true;
    e->next_attempt = e->work.attempt;
    e->next_uncounted = e->work.uncounted;
    e->next = (struct deliver_pos){due_ms, e->at.id};
    conclude(e, DELIVER_RETRY);
}

void deliver_done(struct deliver *d, struct deliver_work *work, enum deliver_outcome outcome)
{
    struct deliver_entry *e = CONTAINER_OF(work, struct deliver_entry, work);
    assert(e->state == DELIVER_ENTRY_RUNNING); /* once per attempt */
    bool over = e->rec.age_max_ms && clock_now_ms() - e->rec.created_ms >= e->rec.age_max_ms;

    switch (outcome) {
    case DELIVER_OK:
        d->stats.done++;
        conclude(e, DELIVER_OK);
        return;
    case DELIVER_OK_STAGED:
        e->outcome = outcome;
        conclude_staged(e);
        return;
    case DELIVER_RETRY:
        if (e->work.attempt < e->rec.attempts_max && !over) {
            conclude_retry(e, true);
            return;
        }
        e->expired = e->work.attempt < e->rec.attempts_max;
        break;
    case DELIVER_RETRY_UNCOUNTED:
        if (!over) {
            conclude_retry(e, false);
            return;
        }
        e->expired = true;
        break;
    case DELIVER_GIVE_UP:
        break;
    }
    deliver_conclude_give_up(e);
}

/* --- giving up -------------------------------------------------------------------------------- */

static enum err give_up_body(struct txn *txn, void *arg)
{
    struct deliver_entry *e = arg;
    const struct deliver_kind *kind = &e->q->kind;

    TRY(deliver_lease_check(txn, DELIVER_LEASE_WORK, e->q->d->token));
    TRY(deliver_record_del(txn, kind->id, e->at, e->rec.large));
    assert(e->outcome != DELIVER_OK_STAGED || kind->succeed);
    if (e->outcome == DELIVER_OK_STAGED)
        return kind->succeed(kind->self, txn, &e->work);
    return kind->give_up ? kind->give_up(kind->self, txn, &e->work, e->expired) : ERR_OK;
}

static void give_up_done(void *arg, enum err err)
{
    struct deliver_entry *e = arg;
    struct deliver *d = e->q->d;

    if (err == ERR_OK) {
        if (e->outcome == DELIVER_OK_STAGED) {
            d->stats.done++;
        } else {
            log_warn("deliver", "%s work %llu given up after attempt %d%s", e->q->kind.name,
                     (unsigned long long)e->at.id, e->work.attempt, e->expired ? " (too old)" : "");
            d->stats.given_up++;
        }
        left_running(e);
        deliver_entry_free(e);
    } else if (err == ERR_CLOSED) {
        lease_lost(d);
    } else {
        log_error("deliver", "cannot conclude %s work %llu: %s", e->q->kind.name,
                  (unsigned long long)e->at.id, err_name(err));
        e->outcome = DELIVER_RETRY;
        e->next = (struct deliver_pos){clock_now_ms() + DELIVER_GIVE_UP_RETRY_MS, e->at.id};
        e->next_attempt = e->rec.attempts_max;
        e->next_uncounted = e->work.uncounted;
        conclude(e, DELIVER_RETRY);
    }
    deliver_pump_soon(d);
}

/* Runs the kind's code for the end, as e->outcome says, and removes the piece. */
static void conclude_staged(struct deliver_entry *e)
{
    assert(e->state == DELIVER_ENTRY_RUNNING && !list_linked(&e->link));
    e->state = DELIVER_ENTRY_CONCLUDING;
    if (txn_run(e->q->d->core, e->q->d->home, give_up_body, e, give_up_done) != ERR_OK)
        deliver_conclude_later(e);
}

void deliver_conclude_give_up(struct deliver_entry *e)
{
    e->outcome = DELIVER_GIVE_UP;
    conclude_staged(e);
}
