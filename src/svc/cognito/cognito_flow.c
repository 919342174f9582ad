/* Calls that wait for others: a trigger's function, a commit of its own. The call is suspended and begins
 * anew with each answer, which is kept by its name (CG5).
 *
 *   cognito_trigger --on the loop--> core_call lambda:Invoke --done--> kept, woken --> rerun --> given
 *                   |                   ^                 |--too slow, throttled, 5xx--+
 *                   |                   +-- up to COGNITO_TRIGGER_TRIES times ---------+
 *                   +--on a worker--> suspended at once: the dispatcher begins anew on the loop
 *
 * Source: Cognito developer guide, "Customizing user pool workflows with Lambda triggers".
 * Layer: svc/cognito. Thread: the call's loop, but for what is kept of hashing. */
#include <assert.h>

#include "base/mem.h"
#include "svc/cognito/cognito_int.h"

enum { EVENT_MAX = 256 * 1024, NOTE_MS = 30 * 1000 };

/* Something asked for, by name. Lifetime: the call's. */
struct wait {
    struct wait *next;
    const char *name;
    bool done;
    int tries; /* of a function */
    enum err err;
    int status;
    struct str bytes;         /* what came of it */
    struct str code, message; /* of a service's error */
    bool function_failed;
};

struct cognito_flow {
    struct call *call;
    struct wait *waits;
    struct core_inner *inner; /* on its way; NULL: none */
    struct wait *pending;     /* what `inner` or a note ends */
    struct note *note;        /* being committed; NULL: none */
};

static struct cognito_flow *flow_of(struct call *call)
{
    struct cognito_flow *f = call->state;
    if (!f) {
        f = ARENA_NEW(call->arena, struct cognito_flow);
        if (f)
            f->call = call;
        call->state = f;
    }
    return f;
}

static struct wait *wait_find(const struct cognito_flow *f, const char *name)
{
    for (struct wait *w = f ? f->waits : NULL; w; w = w->next)
        if (str_eq_c(str_c(w->name), name))
            return w;
    return NULL;
}

static struct wait *wait_add(struct cognito_flow *f, const char *name)
{
    struct wait *w = ARENA_NEW(f->call->arena, struct wait);
    if (w) {
        w->name = name;
        w->next = f->waits;
        f->waits = w;
    }
    return w;
}

enum err cognito_kept(struct call *call, const char *name, struct str *ret)
{
    const struct wait *w = wait_find(call->state, name);
    if (!w)
        return ERR_NOT_FOUND;
    *ret = w->bytes;
    return ERR_OK;
}

enum err cognito_keep(struct call *call, const char *name, struct str bytes)
{
    struct cognito_flow *f = flow_of(call);
    struct wait *w = f ? wait_add(f, name) : NULL;
    if (!w)
        return ERR_NOMEM;
    w->done = true;
    w->bytes = str_dup(call->arena, bytes);
    return str_is_set(w->bytes) ? ERR_OK : ERR_NOMEM;
}

static void cancelled(struct call *call)
{
    struct cognito_flow *f = call->state;
    if (f->inner)
        core_call_cancel(f->inner);
    f->inner = NULL;
    f->pending = NULL;
}

/* --- asking a function -------------------------------------------------------------------------- */

static void answered(void *arg, const struct core_result *result)
{
    struct cognito_flow *f = arg;
    struct wait *w = f->pending;
    struct arena *a = f->call->arena;
    f->inner = NULL;
    f->pending = NULL;
    assert(w);
    w->err = result->err;
    w->status = result->status;
    w->bytes = str_dup(a, result->body);
    w->code = str_dup(a, result->code);
    w->message = str_dup(a, result->message);
    w->function_failed = str_find_str(result->output, STR("\"FunctionError\"")) != SIZE_MAX;
    w->done = true;
    call_wake(f->call);
}

static enum err event_text(const struct cognito_act *act, const struct cognito_event *e,
                           struct str *ret)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, act->call->arena, EVENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_kv_str(&o, STR("version"), STR("1"));
    json_kv_str(&o, STR("region"), act->pool->rec.region);
    json_kv_str(&o, STR("userPoolId"), act->pool->rec.id);
    json_kv_str(&o, STR("userName"), e->user);
    json_key(&o, STR("callerContext"));
    json_open(&o, '{');
    json_kv_str(&o, STR("awsSdkVersion"), STR("aws-sdk-unknown-unknown"));
    json_kv_str(&o, STR("clientId"),
                act->client ? act->client->set.client_id : STR("CLIENT_ID_NOT_APPLICABLE"));
    json_close(&o, '}');
    json_kv_str(&o, STR("triggerSource"), str_c(e->source));
    json_key(&o, STR("request"));
    json_raw(&o, e->request);
    json_key(&o, STR("response"));
    json_raw(&o, e->response);
    json_close(&o, '}');
    *ret = buf_str(&b);
    return buf_err(&b);
}

static enum err ask(const struct cognito_act *act, const struct cognito_event *e, struct str arn,
                    struct cognito_flow *f)
{
    static const struct str service = STR_INIT(COGNITO_PRINCIPAL);
    struct principal *who = ARENA_NEW(act->call->arena, struct principal);
    struct str event,
        input = str_fmt(act->call->arena, "{\"FunctionName\":\"" STR_FMT "\"}", STR_ARG(arn));
    struct wait *w = wait_find(f, e->trigger);
    if (!w)
        w = wait_add(f, e->trigger);
    if (!w || !who || !str_is_set(input))
        return ERR_NOMEM;
    TRY(event_text(act, e, &event));
    *who = (struct principal){.kind = PRINCIPAL_SERVICE, .service = service, .arn = service};
    const struct core_request req = {
        .service = STR("lambda"),
        .operation = STR("Invoke"),
        .input = input,
        .body = event,
        .who = who,
        .region = act->pool->rec.region,
        .via = STR_NONE,
        .source_arn = act->pool->arn,
        .source_account = act->pool->rec.account,
        .from = act->call,
    };
    w->done = false;
    w->tries++;
    f->pending = w;
    TRY(core_call(act->call->core, &req, answered, f, &f->inner));
    enum err err = call_suspend(act->call, COGNITO_TRIGGER_MS, cancelled);
    if (err != ERR_SUSPENDED)
        cancelled(act->call);
    return err;
}

/* --- its answer --------------------------------------------------------------------------------- */

static enum err unexpected(const struct cognito_act *act, const struct cognito_event *e,
                           struct str code)
{
    return call_error(act->call, &cognito_err_unexpected_lambda_exception,
                      "%s invocation failed due to error " STR_FMT ".", e->trigger, STR_ARG(code));
}

static enum err read_answer(const struct cognito_act *act, const struct cognito_event *e,
                            const struct wait *w, const struct json **ret)
{
    struct json *root = NULL;
    if (w->err == ERR_NOMEM)
        return ERR_NOMEM;
    if (w->err != ERR_OK)
        return unexpected(act, e, str_is_set(w->code) ? w->code : STR("InternalError"));
    enum err err = json_parse(act->call->arena, w->bytes, &root, NULL);
    if (err == ERR_NOMEM)
        return err;
    if (w->function_failed) {
        struct str message = err == ERR_OK ? json_get_str(root, STR("errorMessage")) : STR_NONE;
        return call_error(act->call, &cognito_err_user_lambda_validation_exception,
                          "%s failed with error " STR_FMT ".", e->trigger, STR_ARG(message));
    }
    const struct json *response = err == ERR_OK ? json_get(root, STR("response")) : NULL;
    if (!response || response->kind != JSON_OBJECT)
        return call_error(act->call, &cognito_err_invalid_lambda_response_exception,
                          "Unrecognizable lambda output");
    *ret = response;
    return ERR_OK;
}

static struct str config_arn(const struct cognito_lambda_config_type *l, const char *trigger)
{
    const struct {
        const char *name;
        struct str arn;
    } rows[] = {
        {"PreSignUp", l->pre_sign_up},
        {"CustomMessage", l->custom_message},
        {"PostConfirmation", l->post_confirmation},
        {"PreAuthentication", l->pre_authentication},
        {"PostAuthentication", l->post_authentication},
        {"DefineAuthChallenge", l->define_auth_challenge},
        {"CreateAuthChallenge", l->create_auth_challenge},
        {"VerifyAuthChallengeResponse", l->verify_auth_challenge_response},
        {"PreTokenGeneration", l->pre_token_generation_config
                                   ? l->pre_token_generation_config->lambda_arn
                                   : l->pre_token_generation},
        {"UserMigration", l->user_migration},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq_c(str_c(rows[i].name), trigger))
            return rows[i].arn;
    return STR_NONE;
}

struct str cognito_trigger_arn(const struct cognito_pool *pool, const char *trigger)
{
    const struct cognito_lambda_config_type *l = pool->set.lambda_config;
    return l ? config_arn(l, trigger) : STR_NONE;
}

/* The function did not answer in time, or did not run. */
static bool worth_asking_again(const struct wait *w)
{
    return w->err == ERR_TIMEOUT ||
           (w->err != ERR_OK && w->err != ERR_NOMEM && (w->status >= 500 || w->status == 429));
}

enum err cognito_trigger(const struct cognito_act *act, const struct cognito_event *e,
                         const struct json **ret)
{
    struct call *call = act->call;
    struct str arn = cognito_trigger_arn(act->pool, e->trigger);
    *ret = NULL;
    if (!str_is_set(arn))
        return ERR_OK;
    struct cognito_flow *f = flow_of(call);
    if (!f)
        return ERR_NOMEM;
    struct wait *w = wait_find(f, e->trigger);
    if (w && !w->done && call->timed_out) {
        cancelled(call);
        w->done = true;
        w->err = ERR_TIMEOUT;
        w->code = STR("Timeout");
    }
    if (w && w->done && (!worth_asking_again(w) || w->tries >= COGNITO_TRIGGER_TRIES))
        return read_answer(act, e, w, ret);
    if ((w && !w->done) ||
        !io_loop_current()) /* still under way; or on a worker: to be begun on the loop */
        return call_suspend(call, COGNITO_TRIGGER_MS, cancelled);
    return ask(act, e, arn, f);
}

/* --- events ------------------------------------------------------------------------------------- */

void cognito_event_begin(struct json_out *o, const struct cognito_user *user)
{
    json_open(o, '{');
    json_key(o, STR("userAttributes"));
    json_open(o, '{');
    for (size_t i = 0; user && i < user->n_attrs; i++)
        json_kv_str(o, user->attrs[i].key, user->attrs[i].value);
    if (user && str_is_set(user->sub) && user->created_ms)
        json_kv_str(o, STR("cognito:user_status"), cognito_status_name(user->status));
    json_close(o, '}');
}

void cognito_event_end(struct json_out *o, const struct cognito_act *act, const char *metadata)
{
    if (act->metadata.n) {
        json_key(o, str_c(metadata));
        cognito_put_map(o, act->metadata);
    }
    json_close(o, '}');
}

/* --- notes (CG6) -------------------------------------------------------------------------------- */

/* Lifetime: until its commit is durable; the call may be gone before. */
struct note {
    struct cognito_flow *flow; /* NULL: nobody waits */
    struct str pool_id, user, purpose;
    enum cognito_note kind;
    char room[];
};

static enum err write_note(struct txn *txn, void *arg)
{
    const struct note *n = arg;
    struct cognito_user user = {0};
    struct str key = key_make(txn->arena, &cognito_k_user, n->pool_id, n->user);
    enum err err = txn_read(txn, key, &cognito_user_rec_type, &user);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (n->kind == COGNITO_NOTE_SIGN_IN) {
        user.failures++;
        user.failed_ms = txn->wall_ms;
    }
    for (size_t i = 0; n->kind == COGNITO_NOTE_CODE && i < user.n_codes; i++)
        if (str_eq(user.codes[i].purpose, n->purpose))
            user.codes[i].tries++;
    return txn_write(txn, key, &cognito_user_rec_type, &user);
}

static void noted(void *arg, enum err err)
{
    struct note *n = arg;
    struct cognito_flow *f = n->flow;
    struct wait *w = f ? wait_find(f, "note") : NULL;
    if (w && f->pending == w) {
        f->pending = NULL;
        f->note = NULL;
        w->done = true;
        w->err = err;
        call_wake(f->call);
    }
    mem_free(n);
}

static struct str room_for(char **at, struct str text)
{
    struct str copy = str_n(*at, text.len);
    if (text.len)
        memcpy(*at, text.p, text.len);
    *at += text.len;
    return copy;
}

/* The note outlives the call when its client leaves: then it must not look at the flow. */
static void leave_note(struct call *call)
{
    struct cognito_flow *f = call->state;
    if (f->note)
        f->note->flow = NULL;
    f->note = NULL;
    f->pending = NULL;
}

static enum err start_note(struct call *call, struct cognito_flow *f, const struct note *said)
{
    struct note *n = mem_alloc(sizeof(*n) + said->pool_id.len + said->user.len + said->purpose.len);
    struct wait *w = n ? wait_add(f, "note") : NULL;
    if (!w) {
        mem_free(n);
        return ERR_NOMEM;
    }
    char *at = n->room;
    *n = (struct note){.flow = f, .kind = said->kind};
    n->pool_id = room_for(&at, said->pool_id);
    n->user = room_for(&at, said->user);
    n->purpose = room_for(&at, said->purpose);
    f->note = n;
    f->pending = w;
    enum err err = txn_run(call->core, call->loop, write_note, n, noted);
    if (err) {
        leave_note(call);
        mem_free(n);
        return err;
    }
    err = call_suspend(call, NOTE_MS, leave_note);
    if (err != ERR_SUSPENDED)
        leave_note(call);
    return err;
}

enum err cognito_note(const struct cognito_act *act, const struct cognito_user *user,
                      enum cognito_note kind, struct str purpose)
{
    struct call *call = act->call;
    struct cognito_flow *f = flow_of(call);
    if (!f)
        return ERR_NOMEM;
    struct wait *w = wait_find(f, "note");
    if (w && w->done)
        return w->err;
    if (w || !io_loop_current()) {
        if (w && call->timed_out)
            return ERR_IO;
        return call_suspend(call, NOTE_MS, w ? leave_note : cancelled);
    }
    const struct note said = {.pool_id = act->pool->rec.id,
                              .user = cognito_fold(call->arena, act->pool, user->name),
                              .purpose = purpose,
                              .kind = kind};
    return str_is_set(said.user) ? start_note(call, f, &said) : ERR_NOMEM;
}
