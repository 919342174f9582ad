/* Sending to targets outside of Weir: a request over HTTP for each attempt, made anew by the target's
 * kind, so that what was changed since holds.
 *
 *   attempt --permitted, its turn--> asked --2xx---------------------------------> gone
 *      ^          |                    +--429, 5xx, 401, 407, 409, no answer--+
 *      +--- wait -+<----- backoff, no sooner than Retry-After says -----------+
 *                                      +--anything else, or the last attempt--> dead letter, or dropped
 *
 * Source: EventBridge User Guide, "API destinations as targets" (what is tried again, Retry-After,
 * limits of invocations), "Using dead-letter queues".
 *
 * Both kinds are registered here, which is above send.c.
 * Layer: deliver. Thread: the home loop. */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "deliver/deliver_int.h"
#include "deliver/outgoing.h"
#include "deliver/pace.h"
#include "deliver/send_int.h"

enum { TIMEOUT_MS = 5000 };
#define UNABLE "Unable to invoke ApiDestination endpoint: "

static int64_t backoff_ms(void *self, const struct deliver_work *work, int next)
{
    const struct send_attempt *at = work->user;
    int64_t plain = deliver_backoff_ms(work, next);
    if (!at || at->wait_ms <= 0)
        return plain;
    return next == work->attempt ? at->wait_ms : max_i64(at->wait_ms, plain);
}

/* --- the answer --------------------------------------------------------------------------------- */

static void give_fault(struct send_attempt *at, struct send_fault f)
{
    at->code = f.code;
    at->message = f.message;
}

static void end(struct send_attempt *at, enum deliver_outcome outcome)
{
    deliver_done(at->d, at->work, outcome);
}

static enum err unknown_body(struct txn *txn, void *arg)
{
    struct send_attempt *at = arg;
    return target_unknown(txn, at->send.arn);
}

static void unknown_done(void *arg, enum err err)
{
    struct send_attempt *at = arg;
    end(at, at->outcome); /* whatever came of it: the next attempt shows */
}

static bool again(int status)
{
    return status == 401 || status == 407 || status == 409 || status == 429 || status >= 500;
}

static void answered(void *arg, const struct outgoing_answer *a)
{
    struct send_attempt *at = arg;
    at->outcome = outgoing_outcome(a, again(a->status));
    at->wait_ms = max_i64(a->retry_after_ms, 0);
    at->work->exact = at->wait_ms > 0; /* no sooner */
    if (at->outcome == DELIVER_OK) {
        atomic_fetch_add(&at->d->sends.sent, 1);
        send_tell(at->d, &at->send, SEND_SENT);
        end(at, DELIVER_OK);
        return;
    }
    send_tell(at->d, &at->send, a->status == 429 ? SEND_THROTTLED : SEND_FAILED);
    at->code = a->err == ERR_TIMEOUT ? STR("TIMEOUT") : STR("SDK_CLIENT_ERROR");
    at->message = a->err ? str_fmt(&at->arena, UNABLE "it cannot be reached: " STR_FMT "%s",
                                   STR_ARG(a->why), outgoing_hint(a))
                         : str_fmt(&at->arena, UNABLE "it answered with status %d.", a->status);
    log_warn("send", "attempt %d at " STR_FMT " failed: status=%d " STR_FMT "%s", at->work->attempt,
             STR_ARG(at->send.arn), a->status, STR_ARG(a->why), outgoing_hint(a));
    if ((a->status == 401 || a->status == 407) && a->err == ERR_OK &&
        txn_run(at->d->core, at->d->home, unknown_body, at, unknown_done) == ERR_OK)
        return;
    end(at, at->outcome);
}

/* --- the request -------------------------------------------------------------------------------- */

static enum err prepare(struct txn *txn, void *arg)
{
    struct send_attempt *at = arg;
    const struct send *s = &at->send;
    const struct target target = send_target_of(s);
    const struct target_delivery delivery = {.payload = s->payload, .http = &s->http};
    struct target_request r;
    enum err err = send_trusted(txn, s);
    at->untrusted = err == ERR_DENIED;
    TRY(err);
    TRY(target_ask(txn, &target, &delivery, &r));
    return target_request_dup(&at->arena, &r, &at->request);
}

static void ask(struct send_attempt *at)
{
    const struct target_request *r = &at->request;
    if (at->work->attempt > 1)
        send_tell(at->d, &at->send, SEND_AGAIN);
    const struct outgoing_request request = {
        .method = r->method,
        .url = r->url,
        .headers = r->headers,
        .n_headers = r->n_headers,
        .body = r->body,
        .timeout_ms = TIMEOUT_MS,
        .done = answered,
        .arg = at,
    };
    enum err err = outgoing_start(at->d, &request);
    if (err == ERR_INVALID || err == ERR_UNSUPPORTED)
        answered(at, &(struct outgoing_answer){.err = err, .why = STR("it cannot be asked")});
    else if (err) /* no memory, or too many at once: not the server's fault */
        end(at, DELIVER_RETRY_UNCOUNTED);
}

static void prepared(void *arg, enum err err)
{
    struct send_attempt *at = arg;
    if (err == ERR_OK) {
        at->wait_ms =
            paces_take(&at->d->outgoing.paces, at->send.arn, (size_t)at->request.per_second,
                       clock_now_ms(), at->work->uncounted > 0);
        at->work->exact = at->wait_ms > 0 && at->wait_ms < PACE_TURN_MAX_MS;
        if (at->wait_ms > 0) {
            send_tell(at->d, &at->send, SEND_HELD);
            end(at, DELIVER_RETRY_UNCOUNTED);
        } else
            ask(at);
        return;
    }
    if (target_fault(err)) {
        give_fault(at, at->untrusted ? send_no_role(&at->send) : send_fault_of(&at->send, err));
        end(at, DELIVER_GIVE_UP);
        return;
    }
    if (err == ERR_CLOSED) {
        at->code = STR("SDK_CLIENT_ERROR");
        at->message = STR(UNABLE "its connection is not authorized.");
    }
    end(at, err == ERR_CLOSED ? DELIVER_RETRY : DELIVER_RETRY_UNCOUNTED);
}

static void attempt(void *self, struct deliver_work *work)
{
    struct deliver *d = self;
    struct send_attempt *at = NULL;
    enum err err = send_attempt_new(d, work, &at);
    if (err) { /* a damaged one is told of by give_up */
        deliver_done(d, work, err == ERR_CORRUPT ? DELIVER_GIVE_UP : DELIVER_RETRY_UNCOUNTED);
        return;
    }
    work->user = at;
    if (str_is_set(at->send.fault)) {
        at->code = at->message = at->send.fault;
        end(at, DELIVER_GIVE_UP);
    } else if (txn_run(d->core, d->home, prepare, at, prepared) != ERR_OK) {
        end(at, DELIVER_RETRY_UNCOUNTED);
    }
}

enum err send_register(struct deliver *d)
{
    struct deliver_kind kind = send_kind(d);
    enum err err = deliver_register(d, &kind);
    if (err)
        return err == ERR_EXISTS ? ERR_OK : err;
    kind.id = DELIVER_OUTSIDE; /* apart, since slow servers of others hold up nobody else */
    kind.name = "send-outside";
    kind.attempt = attempt;
    kind.backoff_ms = backoff_ms;
    return deliver_register(d, &kind);
}
