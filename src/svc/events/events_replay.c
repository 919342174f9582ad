/* Replays: what an archive has of a span of time comes to its bus again, a job of small steps.
 *
 *   STARTING --first step--> RUNNING --end of the span--> COMPLETED
 *                               | CancelReplay
 *                               v
 *                           CANCELLING --next step--> CANCELLED
 *   FAILED: the archive is gone
 *
 * A step stages what some events cause and moves the replay on in one commit, so that each event is
 * replayed exactly once, also across a crash. Cursor: the key of the last event.
 *
 * Source: EventBridge User Guide, "Replaying archived events".
 * Layer: svc/events. Thread: the home loop. */
#include "deliver/job.h"
#include "svc/events/events_int.h"

enum { AT_ONCE = 2, STEP_BYTES_MAX = 256 * 1024 };

struct replaying {
    struct events *ev;
    struct txn *txn;
    struct job_budget *budget;
    struct key_scope scope;
    struct str name;
    struct events_replay_rec *rec;
    size_t bytes;
    struct str last; /* key */
    bool more;
};

static enum err replay_one(void *arg, struct str key, struct str text)
{
    struct replaying *r = arg;
    struct arena *a = r->txn->arena;
    struct events_event e = {.scope = r->scope, .bus = r->rec->bus, .replay = r->rec};
    if (job_spent(r->budget) || r->bytes > STEP_BYTES_MAX) {
        r->more = true;
        return ERR_CLOSED;
    }
    job_spend(r->budget, 1);
    r->bytes += text.len;
    r->last = str_dup(a, key);
    if (!str_is_set(r->last))
        return ERR_NOMEM;
    TRY(key_read(&events_k_archived, key, a, KEY_SKIP, &r->rec->last_ms, KEY_SKIP));
    TRY(events_event_replayed(a, text, r->name, &e.text));
    TRY(events_event_parse(a, &e));
    return events_emit(r->ev, r->txn, &e);
}

static enum err save(struct txn *txn, struct str key, const struct events_replay_rec *rec)
{
    struct str record;
    TRY(record_make(&events_replay_type, txn->arena, rec, &record));
    return txn_put(txn, key, record);
}

static enum err finish(struct txn *txn, struct str key, struct events_replay_rec *rec,
                       enum events_replay_state state)
{
    rec->state = state;
    rec->ended_ms = txn->wall_ms;
    return save(txn, key, rec);
}

static enum err replay_some(struct events *ev, struct txn *txn, struct job *job,
                            struct job_budget *budget, struct events_replay_rec *rec,
                            enum job_state *ret_state)
{
    struct replaying r = {.ev = ev, .txn = txn, .budget = budget, .rec = rec};
    TRY(key_read(&events_k_replay, job->key, txn->arena, &r.scope, &r.name));
    struct key_range range = {
        job->cursor.len > 0
            ? key_successor(txn->arena, job->cursor)
            : key_make(txn->arena, &events_k_archived, rec->archive_id, rec->from_ms, (uint64_t)0),
        key_make(txn->arena, &events_k_archived, rec->archive_id, rec->to_ms, (uint64_t)0),
    };
    TRY(txn_each(txn, range, replay_one, &r));
    if (str_is_set(r.last))
        job->cursor = r.last;
    if (!r.more)
        return finish(txn, job->key, rec, EVENTS_COMPLETED);
    *ret_state = JOB_MORE;
    rec->state = EVENTS_RUNNING;
    return save(txn, job->key, rec);
}

static enum err step(void *self, struct txn *txn, struct job *job, struct job_budget *budget,
                     enum job_state *ret_state)
{
    struct events_replay_rec rec = {0};
    struct events_archive_rec *archive;
    struct str record;
    struct key_scope scope;
    void *object = NULL;
    *ret_state = JOB_DONE;
    enum err err = txn_get(txn, job->key, &record);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    TRY(record_unpack(&events_replay_type, txn->arena, record, &rec));
    if (rec.state == EVENTS_CANCELLING)
        return finish(txn, job->key, &rec, EVENTS_CANCELLED);
    TRY(key_read(&events_k_replay, job->key, txn->arena, &scope, KEY_SKIP));
    err = catalogue_read(((struct events *)self)->archives, txn,
                         key_make(txn->arena, &events_k_archive, scope, rec.archive), &object);
    archive = object;
    if (err == ERR_NOT_FOUND || (err == ERR_OK && archive->id != rec.archive_id))
        return finish(txn, job->key, &rec, EVENTS_FAILED);
    TRY(err);
    return replay_some(self, txn, job, budget, &rec, ret_state);
}

enum err events_replay_register(struct events *ev)
{
    const struct job_def def = {
        .name = "events.replay",
        .self = ev,
        .step = step,
        .at_once = AT_ONCE,
    };
    return job_register(deliver_due(ev->core->deliver), &def, &ev->replays);
}
