/* Asynchronous invocations: durable events (deliver), two retries, then the dead letter queue and
 * the destination of failure; the destination of success.
 *
 *   attempt: function gone or created anew -> dropped
 *            may never run (reserved concurrency 0) -> give_up
 *            started -> OK              -> done, or on-success destination in the same commit
 *                    -> function error  -> retry after base, 2 * base; then give_up
 *                    -> throttled       -> retry after 1 s doubling to 5 min, until the event is old
 *            in a loop (lambda_trace.h) -> give_up
 *   give_up: dead letter queue and on-failure destination in the commit that removes the event (P2)
 *
 * Source: Lambda developer guide, "Asynchronous invocation", "Retaining records of asynchronous
 * invocations".
 * Layer: svc. Thread: home loop; staging in any transaction. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "codec/json.h"
#include "deliver/send.h"
#include "svc/lambda/lambda_int.h"

enum {
    RETRY_BASE_MS = 60 * 1000,
    THROTTLE_MIN_MS = 1000,
    THROTTLE_MAX_MS = 5 * 60 * 1000,
    RESPONSE_KEEP_MAX = 1024 * 1024, /* of a response, for the destination's record */
    RECORD_MAX = 3 * 1024 * 1024,
    SHARE_PRIME = 1000003,
    ERROR_MESSAGE_MAX = 1024, /* of the dead letter's attribute, as AWS cuts it */
};

/* --- staging ---------------------------------------------------------------------------------- */

/* What holds for events that were sent to the name: an alias has its own. */
static enum err config_of(struct txn *txn, struct lambda *l, const struct lambda_name *name,
                          const struct lambda_fn *fn, struct lambda_async_config *ret_config)
{
    struct lambda_alias *alias;
    *ret_config = fn->async;
    if (!lambda_is_alias(name->qualifier))
        return ERR_OK;
    TRY(lambda_alias_get(txn, l, name, &alias));
    *ret_config = alias->async;
    return ERR_OK;
}

enum err lambda_async_add(struct txn *txn, struct lambda *l, const struct lambda_fn *fn,
                          struct lambda_event *ev)
{
    struct lambda_async_config config;
    ev->name.scope = fn->name.scope;
    ev->name.name = fn->name.name;
    ev->fn_id = fn->id;
    TRY(config_of(txn, l, &ev->name, fn, &config));
    int retries = config.retries >= 0 ? config.retries : LAMBDA_ASYNC_RETRIES;
    int64_t age_s = config.age_max_s >= 0 ? config.age_max_s : LAMBDA_ASYNC_AGE_MAX_S;
    const struct deliver_options opt = {
        .attempts_max = retries + 1,
        .age_max_ms = age_s * 1000,
    };
    struct str record;

    if (ev->payload.len > LAMBDA_PAYLOAD_ASYNC_MAX)
        return ERR_LIMIT;
    TRY(record_make(&lambda_event_type, txn->arena, ev, &record));
    TRY(lambda_measure_staged(txn, fn, STR("AsyncEventsReceived")));
    return deliver_add(l->deliver, txn, DELIVER_LAMBDA_ASYNC, record, &opt);
}

/* Text borrowed from the payload. */
static enum err read_event(const struct deliver_work *work, struct lambda_event *ret_ev)
{
    *ret_ev = (struct lambda_event){0};
    return record_unpack(&lambda_event_type, NULL, work->payload, ret_ev); /* no lists: no arena */
}

/* --- attempts --------------------------------------------------------------------------------- */

/* One attempt, and what is known of its end until that is committed: work->user. */
struct attempt {
    struct lambda_invocation inv;
    struct list link; /* l->attempts */
    struct lambda *l;
    struct deliver_work *work;
    bool by_alias;
    bool answered; /* the function ran */
    bool function_error;
    bool loop;      /* it was not begun, as one too many of its chain */
    char *response; /* heap; NULL when too large to be kept */
    size_t response_len;
};

static void attempt_free(struct attempt *at)
{
    list_remove(&at->link);
    lambda_fn_unref(at->inv.fn);
    mem_free(at->response);
    mem_free(at);
}

static void release(void *self, struct deliver_work *work)
{
    attempt_free(work->user);
    work->user = NULL;
}

static void keep_response(struct attempt *at, struct str body)
{
    if (body.len > RESPONSE_KEEP_MAX)
        return;
    at->response = mem_alloc(body.len + 1);
    if (!at->response)
        return;
    memcpy(at->response, body.p, body.len);
    at->response_len = body.len;
}

static void attempt_done(struct lambda_invocation *inv, const struct lambda_result *r)
{
    struct attempt *at = inv->user;
    assert(at->work && at->work->user == at);
    enum deliver_outcome outcome = DELIVER_RETRY_UNCOUNTED;

    switch (r->status) {
    case INVOKE_OK:
        /* Of an alias only its record says. */
        outcome =
            at->by_alias || str_is_set(inv->fn->async.on_success) ? DELIVER_OK_STAGED : DELIVER_OK;
        at->answered = true;
        if (outcome == DELIVER_OK_STAGED)
            keep_response(at, r->body);
        break;
    case INVOKE_FUNCTION_ERROR:
        outcome = DELIVER_RETRY;
        at->answered = at->function_error = true;
        keep_response(at, r->body);
        break;
    case INVOKE_THROTTLED:
    case INVOKE_FAILED:
    case INVOKE_STOPPING:
    case INVOKE_KMS:
        break;
    case INVOKE_LOOP:
        outcome = DELIVER_GIVE_UP;
        at->loop = true;
        break;
    }
    deliver_done(at->l->deliver, at->work, outcome);
}

/* Reserved concurrency of nothing: its events fail at once, without a try.
 * Source: Lambda developer guide, "Configuring reserved concurrency". */
static bool never_runs(struct lambda *l, const struct lambda_fn *fn)
{
    const struct lambda_name name = {.scope = fn->name.scope, .name = fn->name.name};
    struct lambda_fn *latest;
    if (!fn->number)
        return fn->reserved == 0;
    if (lambda_fn_find(l, &name, &latest) != ERR_OK)
        return false;
    bool never = latest->reserved == 0;
    lambda_fn_unref(latest);
    return never;
}

static void attempt(void *self, struct deliver_work *work)
{
    struct lambda *l = self;
    struct lambda_event ev;

    assert(!work->user && work->attempt >= 1);
    if (read_event(work, &ev) != ERR_OK) {
        log_error("lambda", "asynchronous event %llu does not decode: dropped",
                  (unsigned long long)work->id);
        deliver_done(l->deliver, work, DELIVER_OK);
        return;
    }
    struct lambda_fn *fn = NULL;
    enum err err = lambda_fn_find(l, &ev.name, &fn);
    if (err != ERR_OK && err != ERR_NOT_FOUND) { /* nobody knows for now */
        deliver_done(l->deliver, work, DELIVER_RETRY_UNCOUNTED);
        return;
    }
    if (!fn || !str_eq(fn->id, ev.fn_id)) { /* deleted: its events go with it */
        lambda_fn_unref(fn);
        deliver_done(l->deliver, work, DELIVER_OK);
        return;
    }
    if (never_runs(l, fn)) {
        lambda_fn_unref(fn);
        deliver_done(l->deliver, work, DELIVER_GIVE_UP);
        return;
    }
    struct attempt *at = mem_calloc(1, sizeof(*at));
    if (!at) {
        lambda_fn_unref(fn);
        deliver_done(l->deliver, work, DELIVER_RETRY_UNCOUNTED);
        return;
    }
    at->l = l;
    list_push_back(&l->attempts, &at->link);
    at->work = work;
    at->inv.fn = fn;
    at->inv.event = ev.payload;
    at->inv.client_context = ev.client_context;
    at->inv.cause = ev.cause;
    memcpy(at->inv.request_id, ev.request_id.p,
           min_size(ev.request_id.len, sizeof(at->inv.request_id) - 1));
    at->inv.may_wait = true;
    at->by_alias = lambda_is_alias(ev.name.qualifier);
    lambda_invoked_arn(l, &ev.name, at->inv.invoked_arn);
    lambda_measure_age(l->core, fn, STR("AsyncEventAge"), clock_now_ms() - work->created_ms);
    at->inv.on_done = attempt_done;
    at->inv.user = at;
    work->user = at;
    lambda_engine_invoke(l->engine, &at->inv);
}

/* A function's events, of all its versions, have a share of their own (deliver.h D6). */
static uint64_t share(void *self, const struct deliver_work *work)
{
    struct lambda_event ev;
    if (read_event(work, &ev) != ERR_OK)
        return 0;
    const struct str parts[] = {ev.name.scope.account, ev.name.scope.region, ev.name.name};
    uint64_t hash = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        hash = hash * SHARE_PRIME + str_hash(parts[i]);
    return hash;
}

static int64_t backoff_ms(void *self, const struct deliver_work *work, int next)
{
    const struct lambda *l = self;
    int64_t base = l->core->cfg.async_retry_base_ms;

    assert(next == work->attempt || next == work->attempt + 1);
    if (base <= 0)
        base = RETRY_BASE_MS;
    if (next != work->attempt) /* a function error: one base, then two */
        return base * (next - 1);
    int64_t delay = THROTTLE_MIN_MS;
    for (int i = 1; i < work->uncounted && delay < THROTTLE_MAX_MS; i++)
        delay *= 2;
    return min_i64(delay, THROTTLE_MAX_MS);
}

/* --- what a destination is sent --------------------------------------------------------------- */

/* Text that is JSON as it is; anything else as null, so that the record always parses. */
static void put_json(struct json_out *o, struct str text)
{
    size_t at;
    if (str_is_set(text) && lambda_payload_is_json(text, &at))
        json_raw(o, text);
    else
        json_null(o);
}

void lambda_invoked_arn(const struct lambda *l, const struct lambda_name *name,
                        char out[LAMBDA_ARN_MAX])
{
    out[0] = 0;
    if (!str_is_set(name->qualifier) ||
        snprintf(out, LAMBDA_ARN_MAX,
                 "arn:" STR_FMT ":lambda:" STR_FMT ":" STR_FMT ":function:" STR_FMT ":" STR_FMT,
                 STR_ARG(l->core->cfg.partition), STR_ARG(name->scope.region),
                 STR_ARG(name->scope.account), STR_ARG(name->name),
                 STR_ARG(name->qualifier)) >= LAMBDA_ARN_MAX)
        out[0] = 0;
}

void lambda_destination_record_put(struct buf *b, const struct lambda_destination_record *r)
{
    char text[CLOCK_TEXT_MAX];
    struct json_out o;

    json_out_init(&o, b);
    json_open(&o, '{');
    json_kv_str(&o, STR("version"), STR("1.0"));
    json_kv_str(&o, STR("timestamp"), clock_iso8601_ms(text, r->now_ms));
    json_key(&o, STR("requestContext"));
    json_open(&o, '{');
    json_kv_str(&o, STR("requestId"), r->request_id);
    json_kv_str(&o, STR("functionArn"), r->function_arn);
    json_kv_str(&o, STR("condition"), str_c(r->condition));
    json_kv_i64(&o, STR("approximateInvokeCount"), r->invoke_count);
    json_close(&o, '}');
    json_key(&o, STR("requestPayload"));
    put_json(&o, r->request_payload);
    if (r->has_response) {
        json_key(&o, STR("responseContext"));
        json_open(&o, '{');
        json_kv_i64(&o, STR("statusCode"), 200);
        json_kv_str(&o, STR("executedVersion"), r->version);
        if (r->function_error)
            json_kv_str(&o, STR("functionError"), STR("Unhandled"));
        json_close(&o, '}');
        json_key(&o, STR("responsePayload"));
        put_json(&o, r->response_payload);
    }
    json_close(&o, '}');
}

enum err lambda_send_to(struct txn *txn, const struct lambda_fn *fn, struct str arn,
                        const struct target_delivery *delivery, struct str measured)
{
    const struct target target = {
        .arn = arn,
        .service = STR(LAMBDA_PRINCIPAL),
        .source_arn = fn->arn,
        .source_account = fn->name.scope.account,
        .role = fn->role,
    };
    enum err err = target_stage(txn, &target, delivery);
    if (target_fault(err)) {
        log_error("lambda", "outcome of " STR_FMT " cannot be sent to " STR_FMT ": %s",
                  STR_ARG(fn->name.name), STR_ARG(arn), err_name(err));
        return lambda_measure_staged(txn, fn, measured);
    }
    return err;
}

struct str lambda_async_folder(struct arena *a, const struct lambda_fn *fn)
{
    return str_fmt(a, "aws/lambda/async/" STR_FMT, STR_ARG(fn->name.name));
}

static enum err store_record(struct txn *txn, struct lambda *l, const struct lambda_fn *fn,
                             struct str bucket, struct lambda_destination_record *record)
{
    struct buf b;
    struct lambda_bucket_record stored = {.arn = bucket,
                                          .folder = lambda_async_folder(txn->arena, fn)};
    buf_init_arena(&b, txn->arena, LAMBDA_BUCKET_RECORD_MAX);
    lambda_destination_record_put(&b, record);
    if (buf_err(&b) == ERR_LIMIT) { /* what was asked for matters more than what came of it */
        record->response_payload = STR_NONE;
        buf_init_arena(&b, txn->arena, LAMBDA_BUCKET_RECORD_MAX);
        lambda_destination_record_put(&b, record);
    }
    TRY(buf_err(&b));
    stored.document = buf_str(&b);
    return str_is_set(stored.folder) ? lambda_bucket_send(txn, l, fn, &stored) : ERR_NOMEM;
}

static enum err send_record(struct txn *txn, struct lambda *l, const struct lambda_fn *fn,
                            const struct lambda_event *ev, const struct deliver_work *work,
                            struct str target, const char *condition)
{
    const struct attempt *at = work->user;
    struct buf b;
    struct lambda_destination_record record = {
        .now_ms = txn->wall_ms,
        .request_id = ev->request_id,
        .function_arn =
            lambda_arn(txn->arena, l->core->cfg.partition, &fn->name,
                       str_is_set(ev->name.qualifier) ? ev->name.qualifier : STR(LAMBDA_LATEST)),
        .version = at && at->inv.fn ? at->inv.fn->version : fn->version,
        .condition = condition,
        .invoke_count = at && at->answered ? work->attempt : work->attempt - 1,
        .request_payload = ev->payload,
        .has_response = at && at->answered,
        .function_error = at && at->function_error,
        .response_payload = at && at->response ? str_n(at->response, at->response_len) : STR_NONE,
    };

    if (lambda_is_bucket(target))
        return store_record(txn, l, fn, target, &record);
    buf_init_arena(&b, txn->arena, RECORD_MAX);
    lambda_destination_record_put(&b, &record);
    if (buf_err(&b) == ERR_NOMEM)
        return ERR_NOMEM;
    /* What an event bus makes of it. Source: Lambda developer guide, "Adding a destination". */
    const struct str resources[] = {target, record.function_arn};
    const struct target_event event = {
        .source = STR("lambda"),
        .detail_type = strcmp(condition, "Success") == 0
                           ? STR("Lambda Function Invocation Result - Success")
                           : STR("Lambda Function Invocation Result - Failure"),
        .resources = resources,
        .n_resources = ARRAY_LEN(resources),
    };
    return lambda_send_to(txn, fn, target,
                          &(struct target_delivery){.payload = buf_str(&b), .event = &event},
                          STR("DestinationDeliveryFailures"));
}

/* The dead letter: the event itself, with what went wrong as attributes. */
static enum err send_dead_letter(struct txn *txn, struct lambda *l, const struct lambda_fn *fn,
                                 const struct lambda_event *ev, const struct deliver_work *work)
{
    const struct attempt *at = work->user;
    struct json *doc = NULL;
    bool refused = !at && never_runs(l, fn), loop = at && at->loop;
    struct str message = refused ? STR("Rate Exceeded.")
                         : loop  ? STR("The function invokes itself in a loop.")
                                 : STR("The event was not processed in time");

    if (at && at->response &&
        json_parse(txn->arena, str_n(at->response, at->response_len), &doc, NULL) == ERR_OK) {
        message = json_get_str(doc, STR("errorMessage"));
        if (str_empty(message))
            message = STR("Unhandled");
    }
    const struct target_attribute attributes[] = {
        {.name = STR("RequestID"), .value = ev->request_id},
        {.name = STR("ErrorCode"),
         .value = refused ? STR("429")
                  : loop  ? STR("400")
                          : STR("200"),
         .number = true},
        {.name = STR("ErrorMessage"), .value = str_sub(message, 0, ERROR_MESSAGE_MAX)},
    };
    return lambda_send_to(txn, fn, fn->dlq_arn,
                          &(struct target_delivery){.payload = ev->payload,
                                                    .attributes = attributes,
                                                    .n_attributes = ARRAY_LEN(attributes)},
                          STR("DeadLetterErrors"));
}

/* The event and the function it is for; ERR_NOT_FOUND when there is none any more. */
static enum err event_and_function(struct txn *txn, struct lambda *l,
                                   const struct deliver_work *work, struct lambda_event *ret_ev,
                                   struct lambda_fn **ret_fn)
{
    TRY(read_event(work, ret_ev));
    TRY(lambda_fn_get(txn, l, &ret_ev->name, ret_fn));
    return str_eq((*ret_fn)->id, ret_ev->fn_id) ? ERR_OK : ERR_NOT_FOUND;
}

static enum err give_up(void *self, struct txn *txn, const struct deliver_work *work, bool expired)
{
    struct lambda *l = self;
    const struct attempt *at = work->user;
    struct lambda_event ev;
    struct lambda_fn *fn;
    struct lambda_async_config config;

    enum err err = event_and_function(txn, l, work, &ev, &fn);
    if (err == ERR_OK)
        err = config_of(txn, l, &ev.name, fn, &config);
    if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
        return ERR_OK;
    TRY(err);
    TRY(lambda_measure_staged(txn, fn, STR("AsyncEventsDropped")));
    if (str_is_set(fn->dlq_arn))
        TRY(send_dead_letter(txn, l, fn, &ev, work));
    if (str_is_set(config.on_failure))
        TRY(send_record(txn, l, fn, &ev, work, config.on_failure,
                        at && at->loop ? "RecursiveInvocationDetected"
                        : expired      ? "EventAgeExceeded"
                                       : "RetriesExhausted"));
    return ERR_OK;
}

static enum err succeed(void *self, struct txn *txn, const struct deliver_work *work)
{
    struct lambda *l = self;
    struct lambda_event ev;
    struct lambda_fn *fn;
    struct lambda_async_config config;

    enum err err = event_and_function(txn, l, work, &ev, &fn);
    if (err == ERR_OK)
        err = config_of(txn, l, &ev.name, fn, &config);
    if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
        return ERR_OK;
    TRY(err);
    if (!str_is_set(config.on_success))
        return ERR_OK;
    return send_record(txn, l, fn, &ev, work, config.on_success, "Success");
}

void lambda_async_forget(struct lambda *l)
{
    struct list *link;
    while ((link = list_pop_front(&l->attempts))) {
        struct attempt *at = CONTAINER_OF(link, struct attempt, link);
        lambda_fn_unref(at->inv.fn);
        at->inv.fn = NULL;
    }
}

enum err lambda_async_register(struct lambda *l)
{
    const struct deliver_kind kind = {
        .id = DELIVER_LAMBDA_ASYNC,
        .name = "lambda-async",
        .self = l,
        .running_max = LAMBDA_ASYNC_RUNNING_MAX,
        .attempt = attempt,
        .give_up = give_up,
        .succeed = succeed,
        .release = release,
        .share = share,
        .backoff_ms = backoff_ms,
    };
    TRY(send_register(l->deliver)); /* what buckets are sent */
    return deliver_register(l->deliver, &kind);
}
