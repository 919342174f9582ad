/* Tokens of connections of type OAUTH_CLIENT_CREDENTIALS: one due key each.
 *
 *   AUTHORIZING --due--> held, asked --token--> AUTHORIZED --a minute before it ends--> held, asked
 *                            |                      +--a destination answers 401, 407--> AUTHORIZING
 *                            +--refused, or nothing TRIES_MAX times--> DEAUTHORIZED (no key)
 *
 * What was asked for a connection that changed meanwhile is thrown away: its version tells.
 *
 * Source: EventBridge User Guide, "Connections for API endpoint targets"; RFC 6749 section 5.
 * Layer: svc/events. Thread: the home loop; wanting in any transaction. */
#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "deliver/due.h"
#include "deliver/outgoing.h"
#include "svc/events/events_int.h"

enum {
    FIRING_MAX = 32,
    TRIES_MAX = 3,
    TRY_AGAIN_MS = 1000,
    EARLY_MS = 60 * 1000, /* before its end a token is asked for anew */
    SHORTEST_MS = 5 * 1000,
    TIMEOUT_MS = 10 * 1000,
    ARENA_MAX = 4 * 1024 * 1024,
};

/* A request for a token: due_fire's user. */
struct exchange {
    struct events *ev;
    struct due_fire *fire; /* held */
    struct arena arena;    /* of the request, then of the answer */
    struct target_request request;
    uint64_t version;
    int tries;
    bool done; /* answered, as follows */
    struct str token, fault;
    bool again; /* the fault may pass */
    int64_t seconds;
};

static struct str key_of(struct arena *a, const struct events_connection_ref *c)
{
    return key_make(a, &events_k_connection, c->scope, c->name);
}

enum err events_token_want(struct events *ev, struct txn *txn, struct events_connection_ref *c)
{
    struct str key = key_of(txn->arena, c);
    if (!str_is_set(key))
        return ERR_NOMEM;
    c->rec.state = EVENTS_AUTHORIZING;
    c->rec.reason = STR_NONE;
    c->rec.version = rng_u64();
    TRY(due_set(txn, ev->tokens, key, txn->now_ms, STR("")));
    return events_connection_put(txn, c);
}

enum err events_token_forget(struct events *ev, struct txn *txn,
                             const struct events_connection_ref *c)
{
    struct str key = key_of(txn->arena, c);
    return str_is_set(key) ? due_clear(txn, ev->tokens, key) : ERR_NOMEM;
}

/* --- asking ------------------------------------------------------------------------------------- */

static void answered(void *arg, const struct outgoing_answer *a)
{
    struct exchange *x = arg;
    x->done = true;
    x->again = outgoing_outcome(a, a->status == 429 || a->status >= 500) == DELIVER_RETRY;
    x->fault = STR("No memory is left.");
    if (a->err)
        x->fault = str_fmt(&x->arena, "The authorization endpoint cannot be reached: " STR_FMT "%s",
                           STR_ARG(a->why), outgoing_hint(a));
    else if (a->status < 200 || a->status >= 300)
        x->fault =
            str_fmt(&x->arena, "The authorization endpoint answered with status %d.", a->status);
    else if (events_token_read(&x->arena, str_dup(&x->arena, a->body), &x->token, &x->seconds))
        x->fault = STR("The authorization endpoint gave no access_token.");
    else
        x->fault = STR_NONE;
    if (!str_is_set(x->fault) && !str_is_set(x->token))
        x->fault = STR("No memory is left.");
    due_resume(x->fire);
}

/* What the firing made is asked once it is durable. */
static void fired(void *self, struct due_fire *f)
{
    struct exchange *x = f->user;
    if (!x)
        return;
    if (x->done && !str_is_set(x->fault))
        x->tries = 0;
    x->done = false;
    if (f->next != DUE_HOLD)
        return;
    const struct target_request *r = &x->request;
    const struct outgoing_request request = {
        .method = r->method,
        .url = r->url,
        .headers = r->headers,
        .n_headers = r->n_headers,
        .body = r->body,
        .timeout_ms = TIMEOUT_MS,
        .keep_body = true,
        .done = answered,
        .arg = x,
    };
    x->fire = f;
    x->tries++;
    enum err err = outgoing_start(x->ev->core->deliver, &request);
    if (err)
        answered(x, &(struct outgoing_answer){.err = err, .why = str_c(err_name(err))});
}

/* --- firing ------------------------------------------------------------------------------------- */

static enum err prepare(struct events *ev, struct txn *txn, const struct events_connection_ref *c,
                        struct due_fire *f)
{
    struct exchange *x = f->user;
    struct events_auth auth;
    TRY(events_auth_open(txn, &c->rec, &auth));
    if (!x) {
        x = mem_calloc(1, sizeof(*x));
        if (!x)
            return ERR_NOMEM;
        x->ev = ev;
        arena_init(&x->arena, ARENA_MAX);
        f->user = x;
    }
    arena_release(&x->arena);
    arena_init(&x->arena, ARENA_MAX);
    if (x->version != c->rec.version)
        x->tries = 0;
    x->version = c->rec.version;
    x->token = STR_NONE;
    f->next = DUE_HOLD;
    /* The opened secrets are the transaction's; the request outlives it. */
    struct target_request r;
    TRY(events_token_request(txn->arena, &auth, &r));
    return target_request_dup(&x->arena, &r, &x->request);
}

static enum err authorized(struct txn *txn, const struct exchange *x,
                           struct events_connection_ref *c, struct due_fire *f)
{
    struct events_auth auth;
    TRY(events_auth_open(txn, &c->rec, &auth));
    auth.token = x->token;
    TRY(events_auth_seal(txn, &auth, &c->rec));
    c->rec.state = EVENTS_AUTHORIZED;
    c->rec.reason = STR_NONE;
    c->rec.authorized_ms = txn->wall_ms;
    if (x->seconds > 0) {
        f->next = DUE_MOVE;
        f->next_ms = txn->now_ms + max_i64(x->seconds * 1000 - EARLY_MS, SHORTEST_MS);
    }
    return events_connection_put(txn, c);
}

static enum err refused(struct txn *txn, const struct exchange *x, struct events_connection_ref *c,
                        struct due_fire *f)
{
    if (x->again && x->tries < TRIES_MAX) {
        f->next = DUE_MOVE;
        f->next_ms = txn->now_ms + TRY_AGAIN_MS * x->tries;
        return ERR_OK;
    }
    log_warn("events", "connection " STR_FMT " is not authorized: " STR_FMT, STR_ARG(c->name),
             STR_ARG(x->fault));
    c->rec.state = EVENTS_DEAUTHORIZED;
    c->rec.reason = str_sub(x->fault, 0, 512);
    return events_connection_put(txn, c);
}

static enum err fire(void *self, struct txn *txn, struct due_fire *f)
{
    struct exchange *x = f->user;
    struct key_scope scope;
    struct str name;
    struct events_connection_ref c;
    TRY(key_read(&events_k_connection, f->key, txn->arena, &scope, &name));
    enum err err = events_connection_read(txn, scope, name, &c);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(err);
    if (c.rec.type != EVENTS_OAUTH || c.rec.state == EVENTS_DEAUTHORIZED)
        return ERR_OK;
    if (!x || !x->done || x->version != c.rec.version)
        return prepare(self, txn, &c, f);
    return str_is_set(x->fault) ? refused(txn, x, &c, f) : authorized(txn, x, &c, f);
}

static void release(void *self, void *user)
{
    struct exchange *x = user;
    arena_release(&x->arena);
    mem_free(x);
}

enum err events_token_register(struct events *ev)
{
    const struct due_def def = {
        .name = "events.token",
        .self = ev,
        .fire = fire,
        .fired = fired,
        .release = release,
        .running_max = FIRING_MAX,
    };
    return due_register(deliver_due(ev->core->deliver), &def, &ev->tokens);
}
