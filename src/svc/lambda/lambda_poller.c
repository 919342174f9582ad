/* Event source mappings: batches of messages from queues to functions.
 *
 *   watch (any thread) --wake_task--> pump --receive (one at a time)--> batch
 *   batch --full, or no window, or window over--> invoked --> messages deleted, but those that the
 *   function reported as failed; after an error they stay until their visibility time-out; after a
 *   throttle they are visible again at once and the mapping pauses.
 *
 * Invariants
 *   M1  A message is deleted only after the function processed it; so it is processed at least
 * once, also across a crash: what is in flight here is merely invisible in the queue. M2  A mapping
 * has at most `limit` batches at once: LAMBDA_MAPPING_START at first, one more with each success up
 * to its maximum, half after a throttle. M3  The newest generation of a mapping's record wins,
 * whatever order changes arrive in.
 *
 * Layer: svc. Thread: home loop, but what says any; pollers.lock guards the map and last_result. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "codec/json.h"
#include "svc/lambda/lambda_int.h"

enum {
    RECEIVE_MAX = 10,    /* messages of one receive */
    POLL_MS = 20 * 1000, /* looked at even without a wake-up */
    NO_ROOM_MS = 200,
    PROBLEM_MS = 10 * 1000,
    BACKOFF_MIN_MS = 500,
    BACKOFF_MAX_MS = 60 * 1000,
    EVENT_BYTES_MAX = LAMBDA_PAYLOAD_SYNC_MAX - 1024,
    BATCH_ARENA_MAX = 64 * 1024 * 1024,
    RECORD_ARENA_MAX = 64 * 1024,
};

struct message {
    struct message *next;
    struct str id, receipt, record;
};

struct batch {
    struct mapping *m;
    struct list link; /* m->batches */
    struct arena arena;
    struct message *first, **last;
    size_t n;
    size_t bytes;        /* of records */
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
};

struct mapping {
    struct lambda_pollers *p;
    struct arena arena; /* of rec */
    struct lambda_mapping rec;
    bool deleted, watching;
    bool receiving;
    bool maybe;           /* there may be messages */
    struct batch *gather; /* being filled */
    struct list batches;
    size_t in_flight;
    size_t limit;
    int64_t not_before_ms;
    int64_t backoff_ms;
    struct io_timer timer;
    struct io_task wake_task;
    atomic_bool wake_posted;
    const char *last_result; /* static text; under pollers.lock */
};

struct lambda_pollers {
    struct lambda *l;
    pthread_mutex_t lock;
    struct map by_uuid;
    bool started, stopped;
};

static void pump(struct mapping *m);

/* --- mappings --------------------------------------------------------------------------------- */

enum err lambda_pollers_new(struct lambda *l, struct lambda_pollers **ret_pollers)
{
    struct lambda_pollers *p = mem_calloc(1, sizeof(*p));
    if (!p)
        return ERR_NOMEM;
    p->l = l;
    pthread_mutex_init(&p->lock, NULL);
    map_init(&p->by_uuid);
    *ret_pollers = p;
    return ERR_OK;
}

static void set_result(struct mapping *m, const char *text)
{
    pthread_mutex_lock(&m->p->lock);
    m->last_result = text;
    pthread_mutex_unlock(&m->p->lock);
}

struct str lambda_pollers_last_result(struct lambda_pollers *p, struct str uuid, struct arena *a)
{
    const char *text = "No records processed";
    pthread_mutex_lock(&p->lock);
    const struct mapping *m = map_get(&p->by_uuid, uuid);
    if (m && m->last_result)
        text = m->last_result;
    pthread_mutex_unlock(&p->lock);
    return str_dup(a, str_c(text));
}

static void wake_task(struct io_task *task)
{
    struct mapping *m = CONTAINER_OF(task, struct mapping, wake_task);
    atomic_store(&m->wake_posted, false);
    m->maybe = true;
    pump(m);
}

/* Any thread. */
static void on_watch(void *arg)
{
    struct mapping *m = arg;
    if (!atomic_exchange(&m->wake_posted, true))
        io_post(core_home_loop(m->p->l->core), &m->wake_task);
}

static void on_timer(struct io_timer *t)
{
    struct mapping *m = t->arg;
    m->maybe = true;
    pump(m);
}

static void watch(struct mapping *m, bool on)
{
    const struct sqs_port *sqs = m->p->l->sqs;
    if (on == m->watching)
        return;
    if (on) {
        /* Without the watch (no memory, no such queue yet) the timer polls. */
        m->watching = sqs->watch(sqs->self, m->rec.source_arn, on_watch, m) == ERR_OK;
    } else {
        sqs->unwatch(sqs->self, m->rec.source_arn, m);
        m->watching = false;
    }
}

static void batch_free(struct batch *b)
{
    list_remove(&b->link);
    lambda_conf_unref(b->inv.conf);
    buf_release(&b->event);
    arena_release(&b->arena);
    mem_free(b);
}

static struct mapping *mapping_get(struct lambda_pollers *p, struct str uuid)
{
    struct mapping *m = map_get(&p->by_uuid, uuid);
    if (m)
        return m;
    m = mem_calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->p = p;
    m->limit = LAMBDA_MAPPING_START;
    m->maybe = true;
    arena_init(&m->arena, RECORD_ARENA_MAX);
    list_init(&m->batches);
    io_timer_init(&m->timer, core_home_loop(p->l->core), on_timer, m);
    m->wake_task.fn = wake_task;
    pthread_mutex_lock(&p->lock);
    enum err err = map_put(&p->by_uuid, uuid, m, NULL);
    pthread_mutex_unlock(&p->lock);
    if (err != ERR_OK) {
        mem_free(m);
        return NULL;
    }
    return m;
}

static size_t limit_max(const struct mapping *m)
{
    return m->rec.concurrency_max ? (size_t)m->rec.concurrency_max
                                  : (size_t)LAMBDA_MAPPING_CONCURRENCY_MAX;
}

/* A change on its way to the home loop. */
struct change {
    struct io_task task;
    struct lambda_pollers *p;
    struct arena arena;
    struct lambda_mapping rec;
    bool deleted;
};

static void change_free(struct change *c)
{
    arena_release(&c->arena);
    mem_free(c);
}

static void change_task(struct io_task *task)
{
    struct change *c = CONTAINER_OF(task, struct change, task);
    struct mapping *m = mapping_get(c->p, c->rec.uuid);

    if (!m || c->rec.generation <= m->rec.generation) {
        change_free(c);
        return;
    }
    if (c->deleted) {
        watch(m, false);
        m->deleted = true;
        m->rec.generation = c->rec.generation;
        io_timer_stop(&m->timer);
    } else {
        struct arena old = m->arena;
        watch(m, false);
        m->arena = c->arena;
        m->rec = c->rec;
        c->arena = old;
        if (m->limit > limit_max(m))
            m->limit = limit_max(m);
        m->maybe = true;
    }
    change_free(c);
    pump(m);
}

static struct change *change_new(struct lambda_pollers *p)
{
    struct change *c = mem_calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->p = p;
    c->task.fn = change_task;
    arena_init(&c->arena, RECORD_ARENA_MAX);
    return c;
}

enum err lambda_pollers_take(struct lambda_pollers *p, struct str record)
{
    struct change *c = change_new(p);
    if (!c)
        return ERR_NOMEM;
    enum err err = lambda_mapping_unpack(&c->arena, record, &c->rec);
    if (err != ERR_OK) {
        change_free(c);
        return err;
    }
    io_post(core_home_loop(p->l->core), &c->task);
    return ERR_OK;
}

void lambda_pollers_deleted(struct lambda_pollers *p, struct str uuid, uint64_t generation)
{
    struct change *c = change_new(p);
    if (!c)
        return; /* the queue's next receive finds no mapping only after a restart */
    c->rec.uuid = str_dup(&c->arena, uuid);
    c->rec.generation = generation;
    c->deleted = true;
    if (str_is_set(c->rec.uuid))
        io_post(core_home_loop(p->l->core), &c->task);
    else
        change_free(c);
}

static void each_mapping(struct lambda_pollers *p, void (*fn)(struct mapping *m))
{
    size_t it = 0;
    struct str key;
    void *value;
    while (map_next(&p->by_uuid, &it, &key, &value))
        fn(value);
}

void lambda_pollers_start(struct lambda_pollers *p)
{
    p->started = true;
}

void lambda_pollers_kick(struct lambda_pollers *p, struct str function)
{
    size_t it = 0;
    struct str key;
    void *value;
    while (map_next(&p->by_uuid, &it, &key, &value)) {
        struct mapping *m = value;
        if (!m->deleted && str_eq(m->rec.function, function))
            on_watch(m);
    }
}

static void mapping_stop(struct mapping *m)
{
    watch(m, false);
    io_timer_stop(&m->timer);
}

void lambda_pollers_stop(struct lambda_pollers *p)
{
    p->stopped = true;
    each_mapping(p, mapping_stop);
}

static void mapping_free(struct mapping *m)
{
    while (!list_empty(&m->batches))
        batch_free(CONTAINER_OF(m->batches.next, struct batch, link));
    arena_release(&m->arena);
    mem_free(m);
}

void lambda_pollers_free(struct lambda_pollers *p)
{
    if (!p)
        return;
    each_mapping(p, mapping_free);
    map_release(&p->by_uuid);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

/* --- after the invocation --------------------------------------------------------------------- */

enum err lambda_batch_failures(struct arena *a, struct str response, const struct str *ids,
                               size_t n_ids, bool *ret_failed)
{
    struct json *doc;
    struct map index;
    enum err err = ERR_OK;

    if (str_empty(str_trim(response)))
        return ERR_OK;
    TRY(json_parse(a, response, &doc, NULL));
    const struct json *list = json_get(doc, STR("batchItemFailures"));
    if (!list || list->kind == JSON_NULL)
        return ERR_OK;
    if (list->kind != JSON_ARRAY)
        return ERR_INVALID;
    map_init(&index);
    for (size_t i = 0; i < n_ids && err == ERR_OK; i++)
        err = map_put(&index, ids[i], &ret_failed[i], NULL);
    if (err == ERR_OK) {
        JSON_EACH (list, item) {
            struct str id = json_get_str(item, STR("itemIdentifier"));
            bool *failed = str_empty(id) ? NULL : map_get(&index, id);
            if (!failed) {
                err = ERR_INVALID;
                break;
            }
            *failed = true;
        }
    }
    map_release(&index);
    return err;
}

static enum err settle_body(struct txn *txn, void *arg)
{
    struct batch *b = arg;
    const struct sqs_port *sqs = b->m->p->l->sqs;
    size_t i = 0;

    if (!b->release)
        TRY(lambda_role_allowed(txn, b->inv.conf->rec.role, "sqs:DeleteMessage",
                                b->m->rec.source_arn));
    for (struct message *msg = b->first; msg; msg = msg->next, i++) {
        enum err err = ERR_OK;
        if (b->release)
            err = sqs->change_visibility(sqs->self, txn, b->m->rec.source_arn, msg->receipt, 0);
        else if (!b->failed[i])
            err = sqs->delete_message(sqs->self, txn, b->m->rec.source_arn, msg->receipt);
        /* Gone meanwhile, or received anew after its visibility time-out: nothing to settle. */
        if (err != ERR_OK && err != ERR_NOT_FOUND && err != ERR_INVALID)
            return err;
    }
    return ERR_OK;
}

static void batch_end(struct batch *b)
{
    struct mapping *m = b->m;
    m->in_flight--;
    batch_free(b);
    pump(m);
}

static void settle_done(void *arg, enum err err)
{
    struct batch *b = arg;
    if (err == ERR_DENIED)
        set_result(b->m, "PROBLEM: The function's role may not delete messages");
    else if (err != ERR_OK)
        log_error("lambda", "processed messages cannot be deleted, they will come again: %s",
                  err_name(err));
    batch_end(b);
}

static void settle(struct batch *b)
{
    struct lambda *l = b->m->p->l;
    if (txn_run(l->core, core_home_loop(l->core), settle_body, b, settle_done) != ERR_OK)
        batch_end(b);
}

static void mapping_backoff(struct mapping *m)
{
    m->backoff_ms = m->backoff_ms ? min_i64(m->backoff_ms * 2, BACKOFF_MAX_MS) : BACKOFF_MIN_MS;
    m->not_before_ms = clock_now_ms() + m->backoff_ms;
    m->limit = m->limit > 1 ? m->limit / 2 : 1;
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
    struct mapping *m = b->m;

    buf_release(&b->event);
    switch (r->status) {
    case INVOKE_OK:
        m->backoff_ms = 0;
        if (m->rec.partial && !read_failures(b, r->body)) {
            set_result(m, "PROBLEM: Function returned an invalid batch response");
            break;
        }
        set_result(m, "OK");
        if (m->limit < limit_max(m))
            m->limit++;
        settle(b);
        return;
    case INVOKE_FUNCTION_ERROR:
        set_result(m, "PROBLEM: Function call failed");
        break;
    case INVOKE_THROTTLED:
    case INVOKE_FAILED:
    case INVOKE_STOPPING:
        set_result(m, "PROBLEM: Function call was throttled or could not start");
        mapping_backoff(m);
        b->release = true;
        settle(b);
        return;
    }
    batch_end(b);
}

/* --- batches ---------------------------------------------------------------------------------- */

static struct batch *batch_new(struct mapping *m)
{
    struct batch *b = mem_calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    b->m = m;
    b->last = &b->first;
    arena_init(&b->arena, BATCH_ARENA_MAX);
    buf_init(&b->event, LAMBDA_PAYLOAD_SYNC_MAX);
    list_push_back(&m->batches, &b->link);
    return b;
}

static void batch_invoke(struct batch *b, struct lambda_conf *conf)
{
    struct mapping *m = b->m;
    char id[RNG_UUID_LEN + 1];

    BUF_ADD_LIT(&b->event, "{\"Records\":[");
    for (struct message *msg = b->first; msg; msg = msg->next) {
        if (msg != b->first)
            buf_add_byte(&b->event, ',');
        buf_add_str(&b->event, msg->record);
    }
    BUF_ADD_LIT(&b->event, "]}");
    b->failed = ARENA_ARRAY(&b->arena, bool, b->n);
    m->in_flight++;
    b->inv.conf = lambda_conf_ref(conf);
    if (buf_err(&b->event) != ERR_OK || !b->failed) {
        set_result(m, "PROBLEM: The event is too large or memory ran out");
        mapping_backoff(m);
        b->release = true;
        settle(b);
        return;
    }
    b->inv.event = buf_str(&b->event);
    (void)rng_uuid(id);
    memcpy(b->inv.request_id, id, sizeof(b->inv.request_id));
    b->inv.on_done = batch_invoked;
    b->inv.user = b;
    lambda_engine_invoke(m->p->l->engine, &b->inv);
}

static bool batch_ready(const struct batch *b, int64_t now_ms)
{
    return b->n > 0 && (b->full || b->n >= (size_t)b->m->rec.batch_size ||
                        b->m->rec.window_s == 0 || now_ms >= b->due_ms);
}

/* --- receiving -------------------------------------------------------------------------------- */

static enum err may_receive(struct txn *txn, const struct mapping *m)
{
    struct lambda_name name = {m->rec.account, m->rec.region, m->rec.function, STR_NONE};
    struct lambda_conf *conf;
    enum err err = lambda_conf_find(m->p->l, &name, &conf);
    if (err == ERR_NOT_FOUND)
        return ERR_DENIED;
    TRY(err);
    err = lambda_role_allowed(txn, conf->rec.role, "sqs:ReceiveMessage", m->rec.source_arn);
    lambda_conf_unref(conf);
    return err;
}

static enum err receive_body(struct txn *txn, void *arg)
{
    struct batch *b = arg;
    struct mapping *m = b->m;
    const struct sqs_port *sqs = m->p->l->sqs;
    size_t want = (size_t)m->rec.batch_size - b->n;
    size_t bytes = b->bytes;

    b->n_got = 0;
    TRY(may_receive(txn, m));
    b->got = ARENA_ARRAY(txn->arena, struct sqs_received, want);
    if (!b->got)
        return ERR_NOMEM;
    while (b->n_got < want && bytes <= EVENT_BYTES_MAX) {
        struct sqs_received part[RECEIVE_MAX];
        size_t n = 0;
        TRY(sqs->receive(sqs->self, txn, m->rec.source_arn, min_size(want - b->n_got, RECEIVE_MAX),
                         -1, part, &n));
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
    if (!str_is_set(msg->id) || !str_is_set(msg->receipt) || !str_is_set(msg->record))
        return ERR_NOMEM;
    b->bytes += msg->record.len + 1;
    *b->last = msg;
    b->last = &msg->next;
    b->n++;
    return ERR_OK;
}

/* Into the batch, and what its event has no room for into the ones behind it: they are leased all
 * the same. */
static enum err keep_received(struct batch *b)
{
    struct batch *into = b;
    for (size_t i = 0; i < b->n_got; i++) {
        size_t size = b->got[i].lambda_record_json.len + 1;
        if (into->n > 0 && into->bytes + size > EVENT_BYTES_MAX) {
            struct batch *next = batch_new(b->m);
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

static void receive_failed(struct mapping *m, enum err err)
{
    set_result(m, err == ERR_NOT_FOUND ? "PROBLEM: The queue does not exist"
                  : err == ERR_DENIED  ? "PROBLEM: The function's role may not receive messages"
                                       : "PROBLEM: Messages cannot be received");
    m->not_before_ms = clock_now_ms() + PROBLEM_MS;
}

static void receive_done(void *arg, enum err err)
{
    struct batch *b = arg;
    struct mapping *m = b->m;

    m->receiving = false;
    if (err == ERR_OK && b->n_got > 0) {
        m->maybe = true;
        if (b->n == 0)
            b->due_ms = clock_now_ms() + m->rec.window_s * 1000;
        /* What memory does not hold comes again after its visibility time-out. */
        err = keep_received(b);
    }
    b->got = NULL;
    if (err != ERR_OK)
        receive_failed(m, err);
    pump(m);
}

static void receive_start(struct mapping *m)
{
    struct lambda *l = m->p->l;

    if (!m->gather)
        m->gather = batch_new(m);
    if (!m->gather) {
        receive_failed(m, ERR_NOMEM);
        return;
    }
    m->maybe = false;
    m->receiving = true;
    if (txn_run(l->core, core_home_loop(l->core), receive_body, m->gather, receive_done) !=
        ERR_OK) {
        m->receiving = false;
        receive_failed(m, ERR_NOMEM);
    }
}

/* What is to be done now; returns when to look again, in ms from now. */
static int64_t step(struct mapping *m, struct lambda_conf *conf, int64_t now_ms)
{
    if (now_ms < m->not_before_ms)
        return m->not_before_ms - now_ms;
    if (m->in_flight >= m->limit)
        return POLL_MS; /* the end of a batch wakes */
    if (!lambda_engine_has_room(m->p->l->engine, conf))
        return NO_ROOM_MS;
    struct batch *b = m->gather;
    if (b && batch_ready(b, now_ms)) {
        m->gather = b->spill;
        batch_invoke(b, conf);
        return 0;
    }
    if (m->maybe) {
        receive_start(m);
        return m->receiving ? POLL_MS : PROBLEM_MS;
    }
    return b && b->n ? max_i64(b->due_ms - now_ms, 0) : POLL_MS;
}

/* What was gathered for a mapping that is no more, or rests, is visible again at once. */
static void release_gathered(struct mapping *m)
{
    struct batch *b;
    while ((b = m->gather) && b->n) {
        m->gather = b->spill;
        m->in_flight++;
        b->release = true;
        settle(b);
    }
}

static void pump(struct mapping *m)
{
    struct lambda_pollers *p = m->p;
    struct lambda_name name = {m->rec.account, m->rec.region, m->rec.function, STR_NONE};

    if (p->stopped || m->receiving)
        return;
    if (m->deleted || !m->rec.enabled)
        release_gathered(m);
    if (m->deleted)
        return;
    watch(m, m->rec.enabled);
    struct lambda_conf *conf = NULL;
    int64_t delay = POLL_MS; /* disabled, or the function is gone: a change kicks */
    if (m->rec.enabled && lambda_conf_find(p->l, &name, &conf) == ERR_OK) {
        int64_t now_ms = clock_now_ms();
        while ((delay = step(m, conf, now_ms)) == 0 && !m->receiving)
            ;
    }
    lambda_conf_unref(conf);
    if (!m->receiving && m->rec.enabled && io_timer_start(&m->timer, max_i64(delay, 1)) != ERR_OK)
        log_error("lambda", "a mapping rests for want of memory until the next message");
}
