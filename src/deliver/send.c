/* What send.h says: the record of a piece, its attempt, its dead letter.
 *
 * Layer: deliver. Thread: the transaction's; attempts on the home loop. */
#include "deliver/send.h"

#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/record.h"
#include "core/inner.h"
#include "deliver/deliver_int.h"
#include "deliver/send_int.h"

enum { RUNNING_MAX = 256, MESSAGE_MAX = 1024, ARENA_MAX = 4 * 1024 * 1024 };

/* --- records ---------------------------------------------------------------------------------- */

static const struct record_field send_fields[] = {
    REC_STR(struct send, arn),
    REC_STR(struct send, service),
    REC_STR(struct send, source_arn),
    REC_STR(struct send, source_account),
    REC_STR(struct send, role),
    REC_STR(struct send, call_service),
    REC_STR(struct send, call_operation),
    REC_STR(struct send, region),
    REC_STR(struct send, call_body),
    REC_STR(struct send, payload),
    REC_STR(struct send, attempt_mark),
    REC_STR(struct send, group_id),
    REC_STR(struct send, trace),
    REC_BOOL(struct send, is_event),
    REC_STR(struct send, source),
    REC_STR(struct send, detail_type),
    REC_LIST(struct send, resources, n_resources, SEND_RESOURCES_MAX, &record_str),
    REC_STR(struct send, dead_letter),
    REC_BOOL(struct send, dead_by_role),
    REC_STR(struct send, dead_payload),
    REC_ENUM(struct send, words, SEND_WORDS_N),
    REC_LIST(struct send, attributes, n_attributes, SEND_ATTRIBUTES_MAX, &target_pair_type),
    REC_STR(struct send, fault),
    REC_SINCE(2, REC_STRUCT(struct send, http, &target_http_type)),
};
static const struct record_type send_type = RECORD_TYPE(struct send, 2, send_fields);

enum err send_add(struct deliver *d, struct txn *txn, const struct send *send,
                  const struct deliver_options *opt)
{
    struct str record;
    assert(str_is_set(send->payload) && str_is_set(send->arn));
    TRY(record_make(&send_type, txn->arena, send, &record));
    return deliver_add(d, txn, target_outside(d->core, send->arn) ? DELIVER_OUTSIDE : DELIVER_SEND,
                       record, opt);
}

/* --- what went wrong -------------------------------------------------------------------------- */

/* The codes of what the target registry answers. */
static const struct {
    enum err err;
    const char *code[SEND_WORDS_N];
    const char *message;
} words[] = {
    {ERR_NOT_FOUND, {"NO_RESOURCE", "ResourceNotFoundException"}, "The target does not exist."},
    {ERR_DENIED,
     {"NO_PERMISSIONS", "AccessDeniedException"},
     "Not authorized to send to the target."},
    {ERR_LIMIT, {"INVALID_PARAMETER", "ValidationException"}, "Too large for the target."},
    {ERR_INVALID, {"INVALID_PARAMETER", "ValidationException"}, "Not what the target takes."},
    {ERR_UNSUPPORTED,
     {"SDK_CLIENT_ERROR", "ValidationException"},
     "There is no target of this kind in Weir."},
};
static const char *const no_role[SEND_WORDS_N] = {"FAILED_TO_ASSUME_ROLE", "AccessDeniedException"};

struct send_fault send_fault_of(const struct send *s, enum err err)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].err == err)
            return (struct send_fault){.code = str_c(words[i].code[s->words]),
                                       .message = str_c(words[i].message)};
    return (struct send_fault){.code = STR("INTERNAL_ERROR"), .message = str_c(err_name(err))};
}

/* --- the dead letter -------------------------------------------------------------------------- */

static struct target dead_target(const struct send *s)
{
    return (struct target){
        .arn = s->dead_letter,
        .service = s->service,
        .source_arn = s->source_arn,
        .source_account = s->source_account,
        .role = s->dead_by_role ? s->role : STR_NONE,
    };
}

static void note(struct target_attribute *v, size_t *n, const char *name, struct str value)
{
    if (str_is_set(value) && value.len > 0)
        v[(*n)++] = (struct target_attribute){.name = str_c(name), .value = value};
}

static enum err drop(struct deliver *d, struct txn *txn, const struct send *s,
                     const struct send_fault *f, enum err why)
{
    log_warn("send", "dropped: from=" STR_FMT " to=" STR_FMT " %.*s: %.*s%s%s",
             STR_ARG(s->source_arn), STR_ARG(s->arn), STR_ARG(f->code), STR_ARG(f->message),
             why ? " dead letter: " : "", why ? err_name(why) : "");
    return send_end(d, txn, s, why ? SEND_LOST : SEND_DROPPED);
}

static enum err bury(struct deliver *d, struct txn *txn, const struct send *s,
                     const struct send_fault *f)
{
    struct target_attribute v[SEND_ATTRIBUTES_MAX + 5];
    size_t n = 0;
    if (!str_is_set(s->dead_letter))
        return drop(d, txn, s, f, ERR_OK);
    struct str retries = str_fmt(txn->arena, "%d", f->retries);
    if (!str_is_set(retries))
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_attributes; i++)
        v[n++] = (struct target_attribute){.name = s->attributes[i].name,
                                           .value = s->attributes[i].value};
    note(v, &n, "ERROR_CODE", f->code);
    note(v, &n, "ERROR_MESSAGE", str_sub(f->message, 0, MESSAGE_MAX));
    note(v, &n, "EXHAUSTED_RETRY_CONDITION", f->exhausted);
    note(v, &n, "RETRY_ATTEMPTS", retries);
    assert(n <= ARRAY_LEN(v));
    struct target target = dead_target(s);
    const struct target_delivery delivery = {
        .payload = str_is_set(s->dead_payload) ? s->dead_payload : s->payload,
        .attributes = v,
        .n_attributes = n,
    };
    enum err err = target_stage(txn, &target, &delivery);
    if (target_fault(err))
        return drop(d, txn, s, f, err);
    TRY(err);
    return send_end(d, txn, s, SEND_DEAD);
}

/* --- sending ---------------------------------------------------------------------------------- */

struct send_fault send_no_role(const struct send *s)
{
    return (struct send_fault){.code = str_c(no_role[s->words]),
                               .message =
                                   STR("The role does not trust the service, or is not there.")};
}

enum err send_trusted(struct txn *txn, const struct send *s)
{
    const struct identity_port *id = &txn->core->identity;
    if (!str_is_set(s->role))
        return ERR_OK;
    enum err err = id->role_trusts(id->self, txn, s->role, s->service);
    return err == ERR_NOT_FOUND ? ERR_DENIED : err;
}

struct target send_target_of(const struct send *s)
{
    return (struct target){
        .arn = s->arn,
        .service = s->service,
        .source_arn = s->source_arn,
        .source_account = s->source_account,
        .role = s->role,
    };
}

static enum err stage(struct txn *txn, const struct send *s)
{
    const struct target target = send_target_of(s);
    const struct target_event event = {s->source, s->detail_type, s->resources, s->n_resources};
    const struct target_delivery delivery = {
        .payload = s->payload,
        .group_id = s->group_id,
        .trace = s->trace,
        .event = s->is_event ? &event : NULL,
    };
    return target_stage(txn, &target, &delivery);
}

/* The one attempt that there is in a transaction has failed. */
static enum err failed_now(struct deliver *d, struct txn *txn, const struct send *s,
                           const struct send_fault *f)
{
    TRY(send_end(d, txn, s, SEND_FAILED));
    return bury(d, txn, s, f);
}

enum err send_now(struct deliver *d, struct txn *txn, const struct send *s)
{
    struct send_fault f;
    if (str_is_set(s->fault))
        return bury(d, txn, s, &(struct send_fault){.code = s->fault, .message = s->fault});
    enum err err = send_trusted(txn, s);
    if (err == ERR_DENIED) {
        f = send_no_role(s);
        return failed_now(d, txn, s, &f);
    }
    TRY(err);
    err = stage(txn, s);
    if (target_fault(err)) {
        f = send_fault_of(s, err);
        return failed_now(d, txn, s, &f);
    }
    TRY(err);
    return send_end(d, txn, s, SEND_SENT);
}

/* --- the kind --------------------------------------------------------------------------------- */

void send_attempt_free(struct send_attempt *at)
{
    arena_release(&at->arena);
    mem_free(at);
}

enum err send_attempt_new(struct deliver *d, struct deliver_work *work, struct send_attempt **ret)
{
    struct send_attempt *at = mem_calloc(1, sizeof(*at));
    if (!at)
        return ERR_NOMEM;
    at->d = d;
    at->work = work;
    arena_init(&at->arena, ARENA_MAX);
    enum err err = record_unpack(&send_type, &at->arena, work->payload, &at->send);
    if (err)
        send_attempt_free(at);
    else
        *ret = at;
    return err;
}

static void release(void *self, struct deliver_work *work)
{
    send_attempt_free(work->user);
    work->user = NULL;
}

static bool throttled(const struct core_result *r)
{
    return r->status == 429 || str_find_str(r->code, STR("Throttl")) != SIZE_MAX ||
           str_eq(r->code, STR("TooManyRequestsException"));
}

/* Worth another try: throttled, or the service's own trouble. */
static bool passing(const struct core_result *r)
{
    return r->err != ERR_FAILED || r->status >= 500 || throttled(r);
}

static void called(void *arg, const struct core_result *r)
{
    struct send_attempt *at = arg;
    enum deliver_outcome outcome = DELIVER_OK;
    if (r->err == ERR_OK) {
        atomic_fetch_add(&at->d->sends.sent, 1);
        send_tell(at->d, &at->send, SEND_SENT);
    } else {
        at->code = str_dup(&at->arena, r->code);
        at->message = str_dup(&at->arena, r->message);
        outcome = r->err == ERR_NOT_FOUND || r->err == ERR_LIMIT || !passing(r) ? DELIVER_GIVE_UP
                                                                                : DELIVER_RETRY;
        send_tell(at->d, &at->send, throttled(r) ? SEND_THROTTLED : SEND_FAILED);
    }
    deliver_done(at->d, at->work, outcome);
}

static enum err trust_body(struct txn *txn, void *arg)
{
    struct send_attempt *at = arg;
    return send_trusted(txn, &at->send);
}

/* `text` with the attempt's number where its mark stands. */
static enum err numbered(struct send_attempt *at, struct str text, struct str *ret)
{
    struct str mark = at->send.attempt_mark;
    struct buf b;
    size_t found;
    *ret = text;
    if (!str_is_set(mark) || str_find_str(text, mark) == SIZE_MAX)
        return ERR_OK;
    buf_init_arena(&b, &at->arena, DELIVER_PAYLOAD_MAX);
    while ((found = str_find_str(text, mark)) != SIZE_MAX) {
        buf_add(&b, text.p, found);
        buf_add_i64(&b, at->work->attempt);
        text = str_sub(text, found + mark.len, SIZE_MAX);
    }
    buf_add_str(&b, text);
    *ret = buf_str(&b);
    return buf_err(&b);
}

static void trust_done(void *arg, enum err err)
{
    struct send_attempt *at = arg;
    const struct send *s = &at->send;
    struct str input, body = s->call_body;
    if (at->work->attempt > 1)
        send_tell(at->d, s, SEND_AGAIN);
    if (err == ERR_OK)
        err = numbered(at, s->payload, &input);
    if (err == ERR_OK && str_is_set(body))
        err = numbered(at, s->call_body, &body);
    if (err == ERR_OK) {
        const struct core_request req = {
            .service = s->call_service,
            .operation = s->call_operation,
            .input = input,
            .body = body,
            .role_arn = s->role,
            .session_name = STR("weir"),
            .region = s->region,
            .via = s->service,
            .source_arn = s->source_arn,
            .source_account = s->source_account,
        };
        err = core_call(at->d->core, &req, called, at, NULL);
    }
    if (err == ERR_OK)
        return;
    if (err == ERR_DENIED) {
        const struct send_fault f = send_no_role(s);
        at->code = f.code;
        at->message = f.message;
        send_tell(at->d, s, SEND_FAILED);
    }
    deliver_done(at->d, at->work, err == ERR_DENIED ? DELIVER_GIVE_UP : DELIVER_RETRY_UNCOUNTED);
}

static void call_operation(struct deliver *d, struct deliver_work *work)
{
    struct send_attempt *at = NULL;
    enum err err = send_attempt_new(d, work, &at);
    if (err == ERR_OK)
        err = txn_run(d->core, core_home_loop(d->core), trust_body, at, trust_done);
    if (err == ERR_OK) {
        work->user = at;
        return;
    }
    if (at)
        send_attempt_free(at);
    deliver_done(d, work, DELIVER_RETRY_UNCOUNTED);
}

static enum err is_operation(struct str payload, bool *ret)
{
    struct arena a;
    struct send s = {0};
    arena_init(&a, ARENA_MAX);
    enum err err = record_unpack(&send_type, &a, payload, &s);
    *ret = str_is_set(s.call_operation);
    arena_release(&a);
    return err;
}

static void attempt(void *self, struct deliver_work *work)
{
    struct deliver *d = self;
    bool operation = false;
    enum err err = is_operation(work->payload, &operation);
    if (err == ERR_NOMEM)
        deliver_done(d, work, DELIVER_RETRY_UNCOUNTED);
    else if (err || !operation)
        deliver_done(d, work, DELIVER_OK_STAGED); /* in succeed: SE1 */
    else
        call_operation(d, work);
}

static enum err read_send(struct deliver *d, struct txn *txn, const struct deliver_work *work,
                          struct send *ret)
{
    *ret = (struct send){0};
    enum err err = record_unpack(&send_type, txn->arena, work->payload, ret);
    if (err == ERR_CORRUPT) {
        log_error("send", "piece %llu does not decode: dropped", (unsigned long long)work->id);
        TRY(send_end(d, txn, ret, SEND_DROPPED));
    }
    return err;
}

static enum err succeed(void *self, struct txn *txn, const struct deliver_work *work)
{
    struct send s;
    enum err err = read_send(self, txn, work, &s);
    if (err)
        return err == ERR_CORRUPT ? ERR_OK : err;
    return send_now(self, txn, &s);
}

static enum err give_up(void *self, struct txn *txn, const struct deliver_work *work, bool expired)
{
    const struct send_attempt *at = work->user;
    struct send s;
    enum err err = read_send(self, txn, work, &s);
    if (err)
        return err == ERR_CORRUPT ? ERR_OK : err;
    struct send_fault f = {
        .code = at && str_is_set(at->code) ? at->code : STR("TIMEOUT"),
        .message = at && str_is_set(at->message) ? at->message : STR("It became too old."),
        .retries = work->attempt > 0 ? work->attempt - 1 : 0,
    };
    if (expired)
        f.exhausted = STR("MaximumEventAgeInSeconds");
    else if (f.retries > 0)
        f.exhausted = STR("MaximumRetryAttempts");
    return bury(self, txn, &s, &f);
}

struct send_stats send_get_stats(const struct deliver *d)
{
    return (struct send_stats){
        .sent = atomic_load(&d->sends.sent),
        .dead = atomic_load(&d->sends.dead),
        .dropped = atomic_load(&d->sends.dropped),
    };
}

struct deliver_kind send_kind(struct deliver *d)
{
    return (struct deliver_kind){
        .id = DELIVER_SEND,
        .name = "send",
        .self = d,
        .running_max = RUNNING_MAX,
        .attempt = attempt,
        .give_up = give_up,
        .succeed = succeed,
        .release = release,
    };
}
