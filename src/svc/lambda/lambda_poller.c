/* Event source mappings: batches of messages from queues to functions.
 *
 *   watch (any thread) --wake_task--> pump --receive (one at a time, for all batches that could be
 *   invoked now)--> batches
 *   batch --full, or no window, or window over--> invoked --> messages deleted, but those that the
 *   function reported as failed; after an error they stay until their visibility time-out; after a
 *   throttle they are visible again at once and the mapping pauses.
 *
 *   catalogue --changed (any thread)--> next --wake_task--> taken: the poller goes by it
 *             --deleted--------------> gone --wake_task--> nothing new begins; once nothing is under
 *                                      way it lets its last version go, whose release frees it
 *
 * Invariants
 *   LM1  A message is deleted only after the function processed it; so it is processed at least
 *        once, also across a crash: what is in flight here is merely invisible in the queue.
 *   LM2  A mapping has at most `limit` batches at once: LAMBDA_MAPPING_START at first, one more with
 *        each success up to its maximum, half after a throttle.
 *   LM3  A poller lives as long as a version of its mapping does, and while it is on the home loop
 *        (in `all`) it holds one: `m`.
 *
 * Layer: svc. Thread: home loop, but what says any. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "codec/json.h"
#include "svc/lambda/lambda_int.h"
#include "svc/lambda/lambda_keys.h"
#include "svc/lambda/lambda_trace.h"

enum {
    RECEIVE_MAX = 10, /* messages of one receive */
    SEVERAL_MAX =
        200, /* of receives for several batches, which are one transaction: some ms of the loop */
    POLL_MS = 20 * 1000, /* looked at even without a wake-up */
    NO_ROOM_MS = 200,
    PROBLEM_MS = 10 * 1000,
    BACKOFF_MIN_MS = 500,
    BACKOFF_MAX_MS = 60 * 1000,
    EVENT_BYTES_MAX = LAMBDA_PAYLOAD_SYNC_MAX - 1024,
    BATCH_ARENA_MAX = 64 * 1024 * 1024,
    MAPPING_ARENA_MAX = 8 * 1024 * 1024, /* with the tree of its filters */
};

struct message {
    struct message *next;
    struct str id, receipt, record;
};

struct batch {
    struct lambda_poller *p;
    struct list link; /* p->batches */
    struct arena arena;
    struct message *first, **last;
    size_t n;
    size_t bytes;        /* of records */
    struct str cause;    /* the trace header with most hops of its messages; absent: none has one */
    bool full;           /* no room in the event */
    struct batch *spill; /* of a full one that is gathered: what had no room in it */
    int64_t due_ms;      /* end of the window */
    struct lambda_invocation inv;
    struct buf event;
    bool *failed; /* per message, in order: stays in the queue */
    bool release; /* make all visible again instead of deleting */
    /* of the receive under way, in its transaction's arena */
    struct sqs_received *got;
    size_t n_got;
    size_t slots; /* batches that it is for: this one and those behind it */
};

/* Any thread may touch the first part. */
struct lambda_poller {
    struct lambda *l;
    atomic_int refs;                       /* versions of the mapping that carry it */
    _Atomic(struct lambda_mapping *) next; /* newest version, referenced, to be taken */
    atomic_bool gone;                      /* the mapping was deleted */
    _Atomic(const char *) last_result;     /* static text; NULL: none yet */
    atomic_bool wake_posted;
    struct io_task wake_task;
    /* home loop */
    struct lambda_stream
        *stream;              /* of a stream's mapping; then nothing below but `m` and `all` is */
    struct lambda_mapping *m; /* the version that it goes by, referenced; NULL: not begun */
    struct list all;          /* pollers->all, while `m` is set */
    bool watching;
    bool receiving;
    bool maybe;           /* there may be messages */
    struct batch *gather; /* being filled */
    struct list batches;
    struct batch *drop; /* messages that no filter wants, on their way out of the queue */
    size_t in_flight;   /* batches with the function, or being settled */
    size_t limit;
    int64_t not_before_ms;
    int64_t backoff_ms;
    struct arena scratch; /* for filters */
    struct io_timer timer;
};

struct lambda_pollers {
    struct lambda *l;
    struct list all;
    bool stopped;
};

static void pump(struct lambda_poller *p);
static bool at_rest(const struct lambda_poller *p);
static void batch_free(struct batch *b);

/* --- life of a poller, any thread ------------------------------------------------------------- */

static void wake_task(struct io_task *task);

static void wake(void *poller)
{
    struct lambda_poller *p = poller;
    if (!atomic_exchange(&p->wake_posted, true))
        io_post(core_home_loop(p->l->core), &p->wake_task);
}

static enum err decode(void *self, struct catalogue_object *object, struct str record)
{
    struct lambda_mapping *m = (struct lambda_mapping *)object;
    struct str message;
    TRY(record_unpack_copy(&lambda_mapping_type, &object->arena, record, m));
    enum err err = lambda_filters_open(&object->arena, m, &message);
    if (err)
        return err == ERR_INVALID ? ERR_CORRUPT : err;
    return m->batch_size >= 1 && m->batch_size <= LAMBDA_BATCH_MAX ? ERR_OK : ERR_CORRUPT;
}

static struct lambda_poller *poller_new(struct lambda *l)
{
    struct lambda_poller *p = mem_calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->l = l;
    p->limit = LAMBDA_MAPPING_START;
    arena_init(&p->scratch, BATCH_ARENA_MAX);
    p->wake_task.fn = wake_task;
    list_init(&p->all);
    list_init(&p->batches);
    return p;
}

static enum err carry(void *self, struct catalogue_object *object, struct catalogue_object *old)
{
    struct lambda_mapping *m = (struct lambda_mapping *)object;
    m->poller = old ? ((struct lambda_mapping *)old)->poller : poller_new(self);
    if (!m->poller)
        return ERR_NOMEM;
    atomic_fetch_add(&m->poller->refs, 1);
    return ERR_OK;
}

static void release(void *self, struct catalogue_object *object)
{
    struct lambda_poller *p = ((struct lambda_mapping *)object)->poller;
    if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    assert(!p->m && !list_linked(&p->all) && list_empty(&p->batches)); /* LM3 */
    arena_release(&p->scratch);
    mem_free(p);
}

static void changed(void *self, struct catalogue_object *old, struct catalogue_object *now)
{
    struct lambda_mapping *m = (struct lambda_mapping *)(now ? now : old);
    if (now)
        catalogue_unref(atomic_exchange(&m->poller->next, lambda_mapping_ref(m)));
    /* A wake is claimed before `gone` can be seen: once it is and none is posted, none follows, so the
     * home loop may let go of the poller. */
    bool post = !atomic_exchange(&m->poller->wake_posted, true);
    if (!now)
        atomic_store(&m->poller->gone, true);
    if (post)
        io_post(core_home_loop(m->poller->l->core), &m->poller->wake_task);
}

static const struct catalogue_type mappings_type = {
    .name = "lambda: mapping",
    .size = sizeof(struct lambda_mapping),
    .arena_max = MAPPING_ARENA_MAX,
    .when = CATALOGUE_DURABLE,
    .decode = decode,
    .carry = carry,
    .release = release,
    .changed = changed,
};

static void set_result(struct lambda_poller *p, const char *text)
{
    atomic_store(&p->last_result, text);
}

struct str lambda_mapping_last_result(struct lambda *l, const struct lambda_mapping *m)
{
    const char *text = NULL;
    void *known;
    if (catalogue_take(l->mappings, NULL, m->object.key, &known) == ERR_OK) {
        text = atomic_load(&((struct lambda_mapping *)known)->poller->last_result);
        catalogue_unref(known);
    }
    return str_c(text ? text : "No records processed");
}

/* --- life of a poller, home loop -------------------------------------------------------------- */

static void on_timer(struct io_timer *t)
{
    struct lambda_poller *p = t->arg;
    p->maybe = true;
    pump(p);
}

static void watch(struct lambda_poller *p, bool on)
{
    const struct sqs_port *sqs = p->l->sqs;
    if (on == p->watching || p->m->stream)
        return;
    if (on) {
        /* Without the watch (no memory, no such queue yet) the timer polls. */
        p->watching = sqs->watch(sqs->self, p->m->source_arn, wake, p) == ERR_OK;
    } else {
        sqs->unwatch(sqs->self, p->m->source_arn, p);
        p->watching = false;
    }
}

static void tell_result(void *poller, const char *text)
{
    set_result(poller, text);
}

static bool is_gone(void *poller)
{
    return atomic_load(&((struct lambda_poller *)poller)->gone);
}

static const struct lambda_stream_host host = {wake, tell_result, is_gone};

static size_t limit_max(const struct lambda_poller *p)
{
    return p->m->concurrency_max ? (size_t)p->m->concurrency_max
                                 : (size_t)LAMBDA_MAPPING_CONCURRENCY_MAX;
}

/* Goes by the newest version from now on. */
static void take_next(struct lambda_poller *p)
{
    struct lambda_mapping *next = atomic_exchange(&p->next, NULL);
    struct lambda_mapping *old = p->m;

    if (!next)
        return;
    assert(next->poller == p);
    if (old) {
        watch(p, false);
    } else {
        io_timer_init(&p->timer, core_home_loop(p->l->core), on_timer, p);
        list_push_back(&p->l->pollers->all, &p->all);
    }
    p->m = next;
    if (next->stream && !p->stream)
        p->stream = lambda_stream_new(p->l, &host, p);
    if (p->stream)
        lambda_stream_use(p->stream, next);
    p->limit = min_size(p->limit, limit_max(p));
    catalogue_unref(old);
}

static void halt(struct lambda_poller *p)
{
    watch(p, false);
    io_timer_stop(&p->timer);
    if (p->stream)
        lambda_stream_halt(p->stream);
}

/* Off the home loop; the poller goes with the last version of its mapping, maybe here. */
static void leave(struct lambda_poller *p)
{
    struct lambda_mapping *m = p->m;
    while (!list_empty(&p->batches))
        batch_free(CONTAINER_OF(p->batches.next, struct batch, link));
    list_remove(&p->all);
    lambda_stream_free(p->stream);
    p->stream = NULL;
    p->m = NULL;
    catalogue_unref(m);
}

static void wake_task(struct io_task *task)
{
    struct lambda_poller *p = CONTAINER_OF(task, struct lambda_poller, wake_task);
    atomic_store(&p->wake_posted, false);
    take_next(p);
    if (!p->m)
        return;
    if (atomic_load(&p->gone) && at_rest(p)) {
        halt(p);
        if (!atomic_load(&p->wake_posted)) /* else it comes here once more */
            leave(p);
        return;
    }
    p->maybe = true;
    pump(p);
}

static void batch_free(struct batch *b)
{
    list_remove(&b->link);
    lambda_fn_unref(b->inv.fn);
    buf_release(&b->event);
    arena_release(&b->arena);
    mem_free(b);
}

/* --- all of them ------------------------------------------------------------------------------ */

enum err lambda_pollers_new(struct lambda *l, struct lambda_pollers **ret_pollers)
{
    struct lambda_pollers *ps = mem_calloc(1, sizeof(*ps));
    if (!ps)
        return ERR_NOMEM;
    ps->l = l;
    list_init(&ps->all);
    enum err err = catalogue_new(l->core, &mappings_type, l, &l->mappings);
    if (err) {
        mem_free(ps);
        return err;
    }
    *ret_pollers = ps;
    return ERR_OK;
}

enum err lambda_pollers_load(struct lambda_pollers *ps, struct txn *txn)
{
    return catalogue_load(ps->l->mappings, txn,
                          key_range_table(txn->arena, &lambda_k_mapping).from);
}

static bool is_of(const struct lambda_mapping *m, const struct lambda_name *function)
{
    return str_eq(m->function.name, function->name) &&
           str_eq(m->function.scope.region, function->scope.region) &&
           str_eq(m->function.scope.account, function->scope.account);
}

void lambda_pollers_kick(struct lambda_pollers *ps, const struct lambda_name *function)
{
    LIST_EACH (&ps->all, link) {
        struct lambda_poller *p = CONTAINER_OF(link, struct lambda_poller, all);
        if (is_of(p->m, function))
            wake(p);
    }
}

static void kick_one(void *arg, const void *object)
{
    const struct lambda_mapping *m = object;
    if (is_of(m, arg))
        wake(m->poller);
}

void lambda_pollers_kick_alias(struct lambda *l, const struct lambda_alias *alias)
{
    struct lambda_name function = alias->function;
    catalogue_each(l->mappings, STR(""), kick_one, &function);
}

void lambda_pollers_stop(struct lambda_pollers *ps)
{
    ps->stopped = true;
    LIST_EACH (&ps->all, link)
        halt(CONTAINER_OF(link, struct lambda_poller, all));
}

/* A poller that its wake never reached (the loops did not run any more). */
static void drop_next(void *arg, const void *object)
{
    struct lambda_poller *p = ((const struct lambda_mapping *)object)->poller;
    catalogue_unref(atomic_exchange(&p->next, NULL));
}

void lambda_pollers_free(struct lambda_pollers *ps)
{
    if (!ps)
        return;
    while (!list_empty(&ps->all))
        leave(CONTAINER_OF(ps->all.next, struct lambda_poller, all));
    catalogue_each(ps->l->mappings, STR(""), drop_next, NULL);
    mem_free(ps);
}

/* --- after the invocation --------------------------------------------------------------------- */

static enum err settle_body(struct txn *txn, void *arg)
{
    struct batch *b = arg;
    struct lambda_poller *p = b->p;
    const struct sqs_port *sqs = p->l->sqs;
    size_t i = 0;

    if (!b->release)
        TRY(lambda_role_allowed(txn, b->inv.fn->role, "sqs:DeleteMessage", p->m->source_arn));
    for (struct message *msg = b->first; msg; msg = msg->next, i++) {
        enum err err = ERR_OK;
        if (b->release)
            err = sqs->change_visibility(sqs->self, txn, p->m->source_arn, msg->receipt, 0);
        else if (!b->failed[i])
            err = sqs->delete_message(sqs->self, txn, p->m->source_arn, msg->receipt);
        /* Gone meanwhile, or received anew after its visibility time-out: nothing to settle. */
        if (err != ERR_OK && err != ERR_NOT_FOUND && err != ERR_INVALID)
            return err;
    }
    return ERR_OK;
}

static void batch_end(struct batch *b)
{
    struct lambda_poller *p = b->p;
    assert(p->in_flight > 0);
    p->in_flight--;
    batch_free(b);
    pump(p);
}

static void settle_done(void *arg, enum err err)
{
    struct batch *b = arg;
    if (err == ERR_DENIED)
        set_result(b->p, "PROBLEM: The function's role may not delete messages");
    else if (err != ERR_OK)
        log_error("lambda", "processed messages cannot be deleted, they will come again: %s",
                  err_name(err));
    batch_end(b);
}

static void settle(struct batch *b)
{
    assert(b->p->in_flight > 0 && (b->release || b->failed)); /* LM1 */
    struct lambda *l = b->p->l;
    if (txn_run(l->core, core_home_loop(l->core), settle_body, b, settle_done) != ERR_OK)
        batch_end(b);
}

static void mapping_backoff(struct lambda_poller *p)
{
    p->backoff_ms = p->backoff_ms ? min_i64(p->backoff_ms * 2, BACKOFF_MAX_MS) : BACKOFF_MIN_MS;
    p->not_before_ms = clock_now_ms() + p->backoff_ms;
    p->limit = p->limit > 1 ? p->limit / 2 : 1;
}

/* Marks what the response says failed; false when the whole batch did. */
static bool read_failures(struct batch *b, struct str response)
{
    struct str *ids = ARENA_ARRAY(&b->arena, struct str, b->n);
    size_t i = 0;

    if (!ids)
        return false;
    for (struct message *msg = b->first; msg; msg = msg->next)
        ids[i++] = msg->id;
    return lambda_batch_failures(&b->arena, response, ids, b->n, b->failed) == ERR_OK;
}

static void batch_invoked(struct lambda_invocation *inv, const struct lambda_result *r)
{
    struct batch *b = inv->user;
    struct lambda_poller *p = b->p;

    buf_release(&b->event);
    assert(p->in_flight > 0);
    switch (r->status) {
    case INVOKE_OK:
        p->backoff_ms = 0;
        if (p->m->partial && !read_failures(b, r->body)) {
            set_result(p, "PROBLEM: Function returned an invalid batch response");
            break;
        }
        set_result(p, "OK");
        if (p->limit < limit_max(p))
            p->limit++;
        settle(b);
        return;
    case INVOKE_FUNCTION_ERROR:
        set_result(p, "PROBLEM: Function call failed");
        break;
    case INVOKE_THROTTLED:
    case INVOKE_FAILED:
    case INVOKE_STOPPING:
    case INVOKE_KMS:
    case INVOKE_LOOP: /* of what it allowed when the messages were received */
        set_result(p, "PROBLEM: Function call was throttled or could not start");
        mapping_backoff(p);
        b->release = true;
        settle(b);
        return;
    }
    batch_end(b);
}

/* --- batches ---------------------------------------------------------------------------------- */

static struct batch *batch_new(struct lambda_poller *p)
{
    struct batch *b = mem_calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    b->p = p;
    b->last = &b->first;
    arena_init(&b->arena, BATCH_ARENA_MAX);
    buf_init(&b->event, LAMBDA_PAYLOAD_SYNC_MAX);
    list_push_back(&p->batches, &b->link);
    return b;
}

static void batch_invoke(struct batch *b, struct lambda_fn *fn)
{
    struct lambda_poller *p = b->p;
    char id[RNG_UUID_LEN + 1];

    assert(b->n > 0 && p->in_flight < p->limit); /* LM2 */
    BUF_ADD_LIT(&b->event, "{\"Records\":[");
    for (struct message *msg = b->first; msg; msg = msg->next) {
        if (msg != b->first)
            buf_add_byte(&b->event, ',');
        buf_add_str(&b->event, msg->record);
    }
    BUF_ADD_LIT(&b->event, "]}");
    b->failed = ARENA_ARRAY(&b->arena, bool, b->n);
    p->in_flight++;
    b->inv.fn = lambda_fn_ref(fn);
    if (buf_err(&b->event) != ERR_OK || !b->failed) {
        set_result(p, "PROBLEM: The event is too large or memory ran out");
        mapping_backoff(p);
        b->release = true;
        settle(b);
        return;
    }
    b->inv.event = buf_str(&b->event);
    b->inv.cause = b->cause;
    (void)rng_uuid(id);
    memcpy(b->inv.request_id, id, sizeof(b->inv.request_id));
    b->inv.on_done = batch_invoked;
    lambda_invoked_arn(p->l, &p->m->function, b->inv.invoked_arn);
    b->inv.user = b;
    lambda_engine_invoke(p->l->engine, &b->inv);
}

static bool batch_ready(const struct batch *b, int64_t now_ms)
{
    return b->n > 0 && (b->full || b->n >= (size_t)b->p->m->batch_size || b->p->m->window_s == 0 ||
                        now_ms >= b->due_ms);
}

/* --- receiving -------------------------------------------------------------------------------- */

/* Messages of a FIFO queue's group are of one batch, so that is for one. */
static size_t wanted(const struct batch *b)
{
    const struct lambda_mapping *m = b->p->m;
    size_t size = (size_t)m->batch_size;
    size_t slots = str_ends(m->source_arn, STR(".fifo")) ? 1 : b->slots;
    size_t several = min_size(size * slots, SEVERAL_MAX);
    return (several > size ? several : size) - b->n;
}

static enum err receive_body(struct txn *txn, void *arg)
{
    struct batch *b = arg;
    struct lambda_poller *p = b->p;
    const struct sqs_port *sqs = p->l->sqs;
    struct str role;
    size_t bytes = b->bytes;

    b->n_got = 0;
    if (b->n >= (size_t)p->m->batch_size) /* it became smaller meanwhile */
        return ERR_OK;
    size_t want = wanted(b);
    TRY(lambda_mapping_may(txn, p->l, p->m, "sqs:ReceiveMessage", &role));
    b->got = ARENA_ARRAY(txn->arena, struct sqs_received, want);
    if (!b->got)
        return ERR_NOMEM;
    while (b->n_got < want && bytes <= EVENT_BYTES_MAX) {
        struct sqs_received part[RECEIVE_MAX];
        size_t n = 0;
        TRY(sqs->receive(sqs->self, txn, p->m->source_arn, role,
                         min_size(want - b->n_got, RECEIVE_MAX), -1, part, &n));
        assert(n <= RECEIVE_MAX);
        if (n == 0)
            break;
        for (size_t i = 0; i < n; i++) {
            bytes += part[i].lambda_record_json.len + 1;
            b->got[b->n_got++] = part[i];
        }
    }
    return ERR_OK;
}

static enum err keep_message(struct batch *b, const struct sqs_received *got)
{
    struct message *msg = ARENA_NEW(&b->arena, struct message);
    if (!msg)
        return ERR_NOMEM;
    msg->id = str_dup(&b->arena, got->message_id);
    msg->receipt = str_dup(&b->arena, got->receipt_handle);
    msg->record = str_dup(&b->arena, got->lambda_record_json);
    struct str cause = lambda_trace_longer(b->cause, got->trace, &b->p->m->function);
    if (cause.p != b->cause.p)
        b->cause = str_dup(&b->arena, cause);
    if (!str_is_set(msg->id) || !str_is_set(msg->receipt) || !str_is_set(msg->record))
        return ERR_NOMEM;
    b->bytes += msg->record.len + 1;
    *b->last = msg;
    b->last = &msg->next;
    b->n++;
    return ERR_OK;
}

/* A message that no filter wants is deleted, as AWS does. */
static enum err keep_unwanted(struct batch *b, const struct sqs_received *got)
{
    struct lambda_poller *p = b->p;
    if (!p->drop)
        p->drop = batch_new(p);
    return p->drop ? keep_message(p->drop, got) : ERR_NOMEM;
}

/* Deletes what keep_unwanted gathered. What cannot be deleted now comes again. */
static void drop_unwanted(struct lambda_poller *p)
{
    struct batch *b = p->drop;
    p->drop = NULL;
    if (!b)
        return;
    b->failed = ARENA_ARRAY(&b->arena, bool, b->n);
    if (!b->failed || lambda_fn_find(p->l, &p->m->function, &b->inv.fn) != ERR_OK) {
        batch_free(b);
        return;
    }
    p->in_flight++;
    settle(b);
}

/* A message that the function sent to itself through too many others stays in the queue, like one that it
 * fails on: once received often enough, it is in the queue's dead letter queue.
 * Source: Lambda developer guide, "Recursive loop detection". */
static bool leave_in_loop(struct lambda_poller *p, const struct sqs_received *got)
{
    if (!lambda_is_loop(p->l, &p->m->function, got->trace))
        return false;
    lambda_loop_stopped(p->l, &p->m->function);
    set_result(p, "PROBLEM: Recursive invocations were stopped");
    return true;
}

/* Into the batch, and what it has no room for into the ones behind it. What an event has no room for may be
 * in more batches than can be invoked now: it is leased all the same. */
static enum err keep_received(struct batch *b)
{
    struct batch *into = b;
    for (size_t i = 0; i < b->n_got; i++) {
        size_t size = b->got[i].lambda_record_json.len + 1;
        bool wanted;
        arena_clear(&b->p->scratch);
        TRY(lambda_filters_match(b->p->m, &b->p->scratch, b->got[i].lambda_record_json, &wanted));
        if (!wanted) {
            TRY(keep_unwanted(b, &b->got[i]));
            continue;
        }
        if (leave_in_loop(b->p, &b->got[i]))
            continue;
        if (into->n > 0 &&
            (into->n >= (size_t)b->p->m->batch_size || into->bytes + size > EVENT_BYTES_MAX)) {
            struct batch *next = batch_new(b->p);
            if (!next)
                return ERR_NOMEM;
            next->due_ms = b->due_ms;
            into->full = true;
            into->spill = next;
            into = next;
        }
        TRY(keep_message(into, &b->got[i]));
    }
    return ERR_OK;
}

static void receive_failed(struct lambda_poller *p, enum err err)
{
    set_result(p, err == ERR_NOT_FOUND ? "PROBLEM: The queue does not exist"
                  : err == ERR_DENIED  ? "PROBLEM: The function's role may not receive messages"
                                       : "PROBLEM: Messages cannot be received");
    p->not_before_ms = clock_now_ms() + PROBLEM_MS;
}

static void receive_done(void *arg, enum err err)
{
    struct batch *b = arg;
    struct lambda_poller *p = b->p;

    assert(p->receiving && p->gather == b);
    p->receiving = false;
    if (err == ERR_OK && b->n_got > 0) {
        p->maybe = true;
        if (b->n == 0)
            b->due_ms = clock_now_ms() + p->m->window_s * 1000;
        /* What memory does not hold comes again after its visibility time-out. */
        err = keep_received(b);
        drop_unwanted(p);
    }
    b->got = NULL;
    if (err != ERR_OK)
        receive_failed(p, err);
    pump(p);
}

static void receive_start(struct lambda_poller *p, size_t slots)
{
    struct lambda *l = p->l;

    if (!p->gather)
        p->gather = batch_new(p);
    if (!p->gather) {
        receive_failed(p, ERR_NOMEM);
        return;
    }
    assert(!p->receiving);
    p->maybe = false;
    p->receiving = true;
    p->gather->slots = slots;
    if (txn_run(l->core, core_home_loop(l->core), receive_body, p->gather, receive_done) !=
        ERR_OK) {
        p->receiving = false;
        receive_failed(p, ERR_NOMEM);
    }
}

/* What is to be done now with `fn`, which an alias chooses for each batch anew; returns when to look
 * again, in ms from now. */
static int64_t step_with(struct lambda_poller *p, struct lambda_fn *fn, int64_t now_ms)
{
    size_t slots = lambda_engine_room(p->l->engine, fn, p->limit - p->in_flight);
    if (slots == 0)
        return NO_ROOM_MS;
    struct batch *b = p->gather;
    if (b && batch_ready(b, now_ms)) {
        p->gather = b->spill;
        batch_invoke(b, fn);
        return 0;
    }
    if (p->maybe) {
        receive_start(p, slots);
        return p->receiving ? POLL_MS : PROBLEM_MS;
    }
    return b && b->n ? max_i64(b->due_ms - now_ms, 0) : POLL_MS;
}

static int64_t step(struct lambda_poller *p, int64_t now_ms)
{
    struct lambda_fn *fn;
    if (now_ms < p->not_before_ms)
        return p->not_before_ms - now_ms;
    if (p->in_flight >= p->limit)
        return POLL_MS; /* the end of a batch wakes */
    if (lambda_fn_find(p->l, &p->m->function, &fn) != ERR_OK)
        return POLL_MS; /* a change kicks */
    int64_t delay = step_with(p, fn, now_ms);
    lambda_fn_unref(fn);
    return delay;
}

/* What was gathered for a mapping that is no more, or rests, is visible again at once. */
static void release_gathered(struct lambda_poller *p)
{
    struct batch *b;
    while ((b = p->gather) && b->n) {
        p->gather = b->spill;
        p->in_flight++;
        b->release = true;
        settle(b);
    }
}

/* Nothing is with the function, being settled, received or gathered. */
static bool at_rest(const struct lambda_poller *p)
{
    if (p->m->stream)
        return !p->stream || lambda_stream_at_rest(p->stream);
    return !p->receiving && p->in_flight == 0 && (!p->gather || p->gather->n == 0);
}

static void pump_stream(struct lambda_poller *p)
{
    if (p->stream)
        lambda_stream_pump(p->stream);
    else
        set_result(p, "PROBLEM: Memory ran out");
}

static void pump(struct lambda_poller *p)
{
    assert(p->m); /* LM3 */
    bool gone = atomic_load(&p->gone);

    if (p->l->pollers->stopped || p->receiving)
        return;
    if (!p->m->stream && (gone || !p->m->enabled))
        release_gathered(p);
    if (gone) {
        if (at_rest(p))
            wake(p); /* it ends there, under nobody's feet */
        return;
    }
    if (p->m->stream) {
        pump_stream(p);
        return;
    }
    watch(p, p->m->enabled);
    int64_t delay = POLL_MS, now_ms = clock_now_ms();
    while (p->m->enabled && (delay = step(p, now_ms)) == 0 && !p->receiving)
        ;
    if (!p->receiving && p->m->enabled && io_timer_start(&p->timer, max_i64(delay, 1)) != ERR_OK)
        log_error("lambda", "a mapping rests for want of memory until the next message");
}
