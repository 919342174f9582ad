/* Requests to HTTP endpoints: durable pieces of work (deliver/deliver.h), attempted by
 * deliver/outgoing.h, retried as the delivery policy says.
 *
 *   attempt: 2xx                     -> done
 *            4xx but 429, refused address, malformed URL -> given up: trying again cannot help
 *            anything else           -> retry; after the policy's last one, given up
 *   give_up: dead-letter queue, if the subscription is still there and has one (D2)
 *
 * Source: SNS developer guide, "Amazon SNS message delivery retries", "Sending Amazon SNS messages
 * to HTTP/HTTPS endpoints". Layer: svc/sns. Thread: home loop; adding in any transaction. */
#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/secret.h"
#include "svc/sns/sns_int.h"

enum { HEADERS_MAX = 8 };

enum err sns_http_add(struct sns *s, struct txn *txn, const struct sns_request *r)
{
    const struct deliver_options opt = {.attempts_max = (int)r->retry.retries + 1};
    struct str payload;
    TRY(record_make(&sns_request_type, txn->arena, r, &payload));
    return deliver_add(s->core->deliver, txn, DELIVER_SNS_HTTP, payload, &opt);
}

/* Text borrowed from the payload. */
static enum err read_request(const struct deliver_work *work, struct sns_request *r)
{
    *r = (struct sns_request){0};
    return record_unpack(&sns_request_type, NULL, work->payload, r); /* no lists: no arena */
}

/* --- attempts --------------------------------------------------------------------------------- */

/* One attempt: work->user, until its conclusion is committed. */
struct attempt {
    struct sns *s;
    struct deliver_work *work;
    int status;       /* 0: no answer yet */
    struct buf plain; /* a body that lies sealed, open */
};

static void attempt_free(struct attempt *at)
{
    buf_release(&at->plain);
    mem_free(at);
}

static void release(void *self, struct deliver_work *work)
{
    if (work->user)
        attempt_free(work->user);
    work->user = NULL;
}

static void answered(void *arg, const struct outgoing_answer *a)
{
    struct attempt *at = arg;
    struct sns_request r;
    bool again = a->status < 400 || a->status >= 500 || a->status == 429;
    enum deliver_outcome outcome = outgoing_outcome(a, again);
    at->status = a->status;
    if (outcome == DELIVER_OK && read_request(at->work, &r) == ERR_OK &&
        str_eq(r.type, sns_kind_name(SNS_NOTIFICATION)))
        sns_measure_one(at->s->core, r.topic_arn, STR("NumberOfNotificationsDelivered"));
    if (outcome != DELIVER_OK && read_request(at->work, &r) == ERR_OK)
        log_warn("sns", "attempt %d at " STR_FMT " failed: status=%d " STR_FMT "%s",
                 at->work->attempt, STR_ARG(r.url), a->status, STR_ARG(a->why), outgoing_hint(a));
    deliver_done(at->s->core->deliver, at->work, outcome);
}

static enum err begin(struct sns *s, struct attempt *at, const struct sns_request *r)
{
    struct target_pair h[HEADERS_MAX];
    size_t n = 0;
    h[n++] = (struct target_pair){STR("x-amz-sns-message-type"), r->type};
    h[n++] = (struct target_pair){STR("x-amz-sns-message-id"), r->message_id};
    h[n++] = (struct target_pair){STR("x-amz-sns-topic-arn"), r->topic_arn};
    if (!str_eq(r->type, sns_kind_name(SNS_CONFIRM)))
        h[n++] = (struct target_pair){STR("x-amz-sns-subscription-arn"), r->sub_arn};
    if (r->raw)
        h[n++] = (struct target_pair){STR("x-amz-sns-rawdelivery"), STR("true")};
    h[n++] = (struct target_pair){STR("Content-Type"), r->content_type};
    h[n++] =
        (struct target_pair){STR("User-Agent"), STR("Amazon Simple Notification Service Agent")};
    assert(n <= HEADERS_MAX);
    const struct outgoing_request request = {
        .method = STR("POST"),
        .url = r->url,
        .headers = h,
        .n_headers = n,
        .body = r->body,
        .timeout_ms = SNS_HTTP_TIMEOUT_MS,
        .done = answered,
        .arg = at,
    };
    return outgoing_start(s->core->deliver, &request);
}

static void go(struct attempt *at, const struct sns_request *r)
{
    enum err err = begin(at->s, at, r);
    if (err == ERR_INVALID || err == ERR_UNSUPPORTED)
        answered(at, &(struct outgoing_answer){.err = err, .why = STR("cannot be asked")});
    else if (err) /* no memory, or too many at once: not the endpoint's fault */
        deliver_done(at->s->core->deliver, at->work, DELIVER_RETRY_UNCOUNTED);
}

/* ERR_DENIED, ERR_NOT_FOUND: sns_open_key's. */
static enum err open_text(struct txn *txn, const struct sns_request *r, struct str *ret_body)
{
    struct kms_data_key key;
    TRY(sns_open_key(txn, r->topic_arn, r->data_key, &key));
    return secret_open_with(key.plain, txn->arena, r->message_id, r->body, ret_body);
}

static enum err open_body(struct txn *txn, void *arg)
{
    struct attempt *at = arg;
    struct sns_request r;
    struct str body;
    TRY(read_request(at->work, &r));
    TRY(open_text(txn, &r, &body));
    buf_clear(&at->plain);
    buf_add_str(&at->plain, body);
    return buf_err(&at->plain);
}

static void opened(void *arg, enum err err)
{
    struct attempt *at = arg;
    struct sns_request r;
    if (err == ERR_OK)
        err = read_request(at->work, &r);
    if (err) {
        deliver_done(at->s->core->deliver, at->work,
                     err == ERR_NOT_FOUND ? DELIVER_GIVE_UP
                     : err == ERR_DENIED  ? DELIVER_RETRY
                                          : DELIVER_RETRY_UNCOUNTED);
        return;
    }
    r.body = buf_str(&at->plain);
    go(at, &r);
}

static void attempt(void *self, struct deliver_work *work)
{
    struct sns *s = self;
    struct sns_request r;
    assert(!work->user && work->attempt >= 1);
    if (read_request(work, &r) != ERR_OK) {
        log_error("sns", "request %llu does not decode: dropped", (unsigned long long)work->id);
        deliver_done(s->core->deliver, work, DELIVER_OK);
        return;
    }
    struct attempt *at = mem_calloc(1, sizeof(*at));
    if (!at) {
        deliver_done(s->core->deliver, work, DELIVER_RETRY_UNCOUNTED);
        return;
    }
    *at = (struct attempt){.s = s, .work = work};
    buf_init(&at->plain, DELIVER_PAYLOAD_MAX);
    work->user = at;
    if (!str_is_set(r.data_key))
        go(at, &r);
    else if (txn_run(s->core, core_home_loop(s->core), open_body, at, opened) != ERR_OK)
        deliver_done(s->core->deliver, work, DELIVER_RETRY_UNCOUNTED);
}

static int64_t backoff_ms(void *self, const struct deliver_work *work, int next)
{
    struct sns_request r;
    if (next == work->attempt || read_request(work, &r) != ERR_OK)
        return 1000;
    return sns_retry_delay_ms(&r.retry, next - 1);
}

/* The dead letter is what the endpoint would have got. */
static enum err give_up(void *self, struct txn *txn, const struct deliver_work *work, bool expired)
{
    const struct attempt *at = work->user;
    struct sns_request r;
    struct sns_sub_ref sub;
    char code[12] = "400", why[64] = "The endpoint could not be reached.";
    if (read_request(work, &r) != ERR_OK || !str_eq(r.type, sns_kind_name(SNS_NOTIFICATION)))
        return ERR_OK;
    enum err err = sns_sub_find(txn, r.sub_arn, &sub);
    if (err == ERR_NOT_FOUND) /* it ended meanwhile */
        return ERR_OK;
    TRY(err);
    if (str_is_set(r.data_key))
        err = open_text(txn, &r, &r.body);
    if (err == ERR_DENIED || err == ERR_NOT_FOUND) /* told in the log */
        return ERR_OK;
    TRY(err);
    if (at && at->status) {
        struct buf b;
        buf_init_fixed(&b, code, sizeof(code) - 1);
        buf_add_fmt(&b, "%d", at->status);
        buf_init_fixed(&b, why, sizeof(why) - 1);
        buf_add_fmt(&b, "The endpoint answered with status %d.", at->status);
        why[b.len] = 0;
    }
    return sns_dead_letter(txn, &sub.rec, r.body, code, why);
}

/* --- life ------------------------------------------------------------------------------------- */

enum err sns_http_register(struct sns *s)
{
    const struct deliver_kind kind = {
        .id = DELIVER_SNS_HTTP,
        .name = "sns-http",
        .self = s,
        .running_max = SNS_HTTP_RUNNING_MAX,
        .attempt = attempt,
        .give_up = give_up,
        .release = release,
        .backoff_ms = backoff_ms,
    };
    return deliver_register(s->core->deliver, &kind);
}
