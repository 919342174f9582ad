/* See sts_idp.h.
 *
 *   known set --no--> discovery document --> keys --> kept, verify
 *       |                                     ^
 *       +-- its key is not there, and the set not of just now --+ (from the start)
 *
 * Each arrow to the right is a run of the call's handler, woken by the answer.
 *
 * Layer: svc/sts. Thread: the call's loop. */
#include <pthread.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fetch/fetch.h"
#include "svc/sts/sts_idp.h"

#define DISCOVERY "/.well-known/openid-configuration"
enum { MS_NS = 1000 * 1000 };

/* Lifetime: of the table, or until the slot is taken by another. */
struct set {
    char *issuer; /* NULL: free */
    struct jwt_keys keys;
    int64_t at_ms; /* of the monotonic clock */
};

struct sts_idps {
    struct core *core;
    struct fetch **loops; /* by loop, made when first needed */
    pthread_mutex_t lock;
    struct set sets[STS_SETS_MAX];
};

enum step { ASK_NOTHING, ASK_DISCOVERY, ASK_KEYS };

struct sts_idp_ask {
    struct call *call;
    enum step step;
    struct fetch_op *op; /* while one runs */
    bool done;
    enum err err;
    int status;
    struct buf body;
};

/* --- life ------------------------------------------------------------------------------------- */

enum err sts_idps_new(struct core *core, struct sts_idps **ret)
{
    struct sts_idps *idps = mem_calloc(1, sizeof(*idps));
    if (!idps)
        return ERR_NOMEM;
    idps->core = core;
    idps->loops = mem_calloc(core->n_loops, sizeof(struct fetch *));
    if (!idps->loops) {
        mem_free(idps);
        return ERR_NOMEM;
    }
    pthread_mutex_init(&idps->lock, NULL);
    *ret = idps;
    return ERR_OK;
}

static void set_clear(struct set *s)
{
    jwt_keys_release(&s->keys);
    mem_free(s->issuer);
    *s = (struct set){0};
}

void sts_idps_free(struct sts_idps *idps)
{
    if (!idps)
        return;
    for (size_t i = 0; i < idps->core->n_loops; i++)
        if (idps->loops[i])
            fetch_free(idps->loops[i]);
    for (size_t i = 0; i < STS_SETS_MAX; i++)
        set_clear(&idps->sets[i]);
    pthread_mutex_destroy(&idps->lock);
    mem_free(idps->loops);
    mem_free(idps);
}

/* --- sets ------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    return clock_mono_ns() / MS_NS;
}

static struct set *find(struct sts_idps *idps, struct str issuer)
{
    for (size_t i = 0; i < STS_SETS_MAX; i++)
        if (idps->sets[i].issuer && str_eq_c(issuer, idps->sets[i].issuer))
            return &idps->sets[i];
    return NULL;
}

/* Takes the keys, in the place of the issuer's older ones or of the oldest of all. */
static enum err keep(struct sts_idps *idps, struct str issuer, struct jwt_keys *keys)
{
    char *name = mem_alloc(issuer.len + 1);
    if (!name) {
        jwt_keys_release(keys);
        return ERR_NOMEM;
    }
    memcpy(name, issuer.p, issuer.len);
    name[issuer.len] = '\0';
    pthread_mutex_lock(&idps->lock);
    struct set *s = find(idps, issuer), *oldest = &idps->sets[0];
    for (size_t i = 1; i < STS_SETS_MAX; i++) /* a free one is older than any */
        if (idps->sets[i].at_ms < oldest->at_ms)
            oldest = &idps->sets[i];
    s = s ? s : oldest;
    set_clear(s);
    *s = (struct set){name, *keys, now_ms()};
    pthread_mutex_unlock(&idps->lock);
    return ERR_OK;
}

/* ERR_CLOSED: there is no set, or not one that may answer: ask. */
static enum err verify_known(struct sts_idps *idps, struct str issuer, const struct jwt *jwt,
                             bool just_asked)
{
    enum err err = ERR_CLOSED;
    pthread_mutex_lock(&idps->lock);
    struct set *s = find(idps, issuer);
    if (s && (just_asked || now_ms() - s->at_ms < STS_SET_MS)) {
        err = jwt_verify_set(jwt, &s->keys);
        if (err == ERR_NOT_FOUND && !just_asked && now_ms() - s->at_ms >= STS_AGAIN_MS)
            err = ERR_CLOSED;
    }
    pthread_mutex_unlock(&idps->lock);
    return err;
}

/* --- questions -------------------------------------------------------------------------------- */

static enum fetch_flow on_head(void *arg, int status, const struct fetch_header *headers, size_t n)
{
    struct sts_idp_ask *ask = arg;
    ask->status = status;
    return FETCH_GO;
}

static enum fetch_flow on_data(void *arg, struct str piece)
{
    struct sts_idp_ask *ask = arg;
    buf_add_str(&ask->body, piece);
    return buf_err(&ask->body) ? FETCH_ABORT : FETCH_GO;
}

static void on_done(void *arg, enum err err, struct str why)
{
    struct sts_idp_ask *ask = arg;
    ask->op = NULL;
    ask->done = true;
    ask->err = err;
    call_wake(ask->call);
}

static void cancel(struct sts_idp_ask *ask)
{
    if (ask->op)
        fetch_cancel(ask->op);
    ask->op = NULL;
}

static void on_cancel(struct call *call)
{
    struct sts_idp_ask **ask = call->state; /* the first member of the operation's own */
    if (*ask)
        cancel(*ask);
}

static bool may_ask(const struct sts_idps *idps, struct str url)
{
    return str_starts(url, STR("https://")) ||
           (idps->core->cfg.outgoing_loopback && str_starts(url, STR("http://")));
}

static enum err begin(struct sts_idps *idps, struct sts_idp_ask *ask, enum step step,
                      struct str url)
{
    struct fetch **at = &idps->loops[io_loop_index(ask->call->loop)];
    const struct fetch_config cfg = {.loop = ask->call->loop,
                                     .allow_loopback = idps->core->cfg.outgoing_loopback};
    if (!may_ask(idps, url))
        return ERR_NOT_FOUND;
    if (!*at)
        TRY(fetch_new(&cfg, at));
    ask->step = step;
    ask->done = false;
    ask->status = 0;
    buf_init_arena(&ask->body, ask->call->arena, STS_ANSWER_MAX);
    const struct fetch_call fetch = {.method = STR("GET"),
                                     .url = url,
                                     .head = on_head,
                                     .data = on_data,
                                     .done = on_done,
                                     .arg = ask,
                                     .response_bytes_max = STS_ANSWER_MAX,
                                     .timeout_ms = STS_ASK_MS};
    enum err err = fetch_start(*at, &fetch, &ask->op);
    if (err)
        return err == ERR_NOMEM ? err : ERR_CLOSED;
    ask->call->timed_out = false;
    err = call_suspend(ask->call, 2 * STS_ASK_MS, on_cancel);
    if (err != ERR_SUSPENDED)
        cancel(ask);
    return err;
}

static enum err ask_discovery(struct sts_idps *idps, struct sts_idp_ask *ask, struct str issuer)
{
    struct str base = str_ends(issuer, STR("/")) ? str_sub(issuer, 0, issuer.len - 1) : issuer;
    struct str url = str_fmt(ask->call->arena, STR_FMT DISCOVERY, STR_ARG(base));
    return str_is_set(url) ? begin(idps, ask, ASK_DISCOVERY, url) : ERR_NOMEM;
}

/* --- answers ---------------------------------------------------------------------------------- */

static enum err ask_keys(struct sts_idps *idps, struct sts_idp_ask *ask, struct str issuer)
{
    struct json *doc = NULL;
    enum err err = json_parse(ask->call->arena, buf_str(&ask->body), &doc, NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_NOT_FOUND;
    if (doc->kind != JSON_OBJECT || !str_eq(json_get_str(doc, STR("issuer")), issuer))
        return ERR_NOT_FOUND;
    struct str url = json_get_str(doc, STR("jwks_uri"));
    return str_is_set(url) ? begin(idps, ask, ASK_KEYS, url) : ERR_NOT_FOUND;
}

static enum err take_keys(struct sts_idps *idps, struct sts_idp_ask *ask, struct str issuer)
{
    struct jwt_keys keys = {0};
    enum err err = jwt_keys_parse(buf_str(&ask->body), ask->call->arena, &keys);
    if (err)
        return err == ERR_NOMEM ? err : ERR_NOT_FOUND;
    return keep(idps, issuer, &keys);
}

/* An answer came, or none will. */
static enum err next(struct sts_idps *idps, struct sts_idp_ask *ask, struct str issuer,
                     const struct jwt *jwt)
{
    enum step was = ask->step;
    if (!ask->done) { /* the call's own time ran out */
        cancel(ask);
        return ERR_CLOSED;
    }
    if (ask->err)
        return ask->err == ERR_NOMEM ? ask->err : ERR_CLOSED;
    if (ask->status != 200)
        return ERR_NOT_FOUND;
    if (was == ASK_DISCOVERY)
        return ask_keys(idps, ask, issuer);
    ask->step = ASK_NOTHING;
    TRY(take_keys(idps, ask, issuer));
    return verify_known(idps, issuer, jwt, true);
}

enum err sts_idp_verify(struct sts_idps *idps, struct call *call, struct sts_idp_ask **ask,
                        struct str issuer, const struct jwt *jwt)
{
    if (str_eq(jwt->alg, jwt_alg_name(JWT_HS256)))
        return ERR_DENIED;
    if (*ask && (*ask)->step != ASK_NOTHING)
        return next(idps, *ask, issuer, jwt);
    enum err err = verify_known(idps, issuer, jwt, false);
    if (err != ERR_CLOSED)
        return err;
    if (!*ask)
        *ask = ARENA_NEW(call->arena, struct sts_idp_ask);
    if (!*ask)
        return ERR_NOMEM;
    (*ask)->call = call;
    return ask_discovery(idps, *ask, issuer);
}
