/* CUSTOM_AUTH: the pool's functions say what is asked, whether the answer is right, and when it is enough.
 *
 *   DefineAuthChallenge --CUSTOM_CHALLENGE--> CreateAuthChallenge --> client --> VerifyAuthChallengeResponse
 *         ^   |                                                                          |
 *         |   +--PASSWORD_VERIFIER--> SRP --------------------+                          |
 *         +---+---issueTokens, failAuthentication             +--------------------------+
 *
 * The rounds so far travel in the session, as JSON.
 *
 * Source: Cognito developer guide, "Custom authentication challenge Lambda triggers".
 * Layer: svc/cognito. Thread: the call's. */
#include "svc/cognito/cognito_int.h"

enum { EVENT_MAX = 64 * 1024, ROUNDS_MAX = 16 };

static enum err parse(struct arena *a, struct str text, struct json **ret)
{
    enum err err = json_parse(a, str_is_set(text) ? text : STR("[]"), ret, NULL);
    return err == ERR_OK || err == ERR_NOMEM ? err : ERR_CORRUPT;
}

static void put_rounds(struct json_out *o, struct str rounds)
{
    json_key(o, STR("session"));
    json_raw(o, str_is_set(rounds) ? rounds : STR("[]"));
}

/* Appends a round to the session's list. */
static enum err add_round(struct cognito_auth *at, const char *challenge, bool right,
                          struct str metadata)
{
    struct buf b;
    struct json_out o;
    struct json *rounds;
    TRY(parse(at->act.call->arena, at->session.rounds, &rounds));
    if (rounds->n >= ROUNDS_MAX)
        return COGNITO_REFUSED(at->act.call, "Too many challenges.");
    buf_init_arena(&b, at->act.call->arena, EVENT_MAX);
    json_out_init(&o, &b);
    json_open(&o, '[');
    JSON_EACH (rounds, it)
        json_tree(&o, it);
    json_open(&o, '{');
    json_kv_str(&o, STR("challengeName"), str_c(challenge));
    json_kv_bool(&o, STR("challengeResult"), right);
    json_kv_str(&o, STR("challengeMetadata"), metadata);
    json_close(&o, '}');
    json_close(&o, ']');
    at->session.rounds = buf_str(&b);
    return buf_err(&b);
}

static enum err define(struct cognito_auth *at, const struct json **ret)
{
    struct buf b;
    struct json_out o;
    buf_init_arena(&b, at->act.call->arena, EVENT_MAX);
    json_out_init(&o, &b);
    cognito_event_begin(&o, &at->user);
    put_rounds(&o, at->session.rounds);
    if (str_eq_c(at->user.sub, "-"))
        json_kv_bool(&o, STR("userNotFound"), true);
    cognito_event_end(&o, &at->act, "clientMetadata");
    TRY(buf_err(&b));
    TRY(cognito_trigger(
        &at->act,
        &(struct cognito_event){.trigger = "DefineAuthChallenge",
                                .source = "DefineAuthChallenge_Authentication",
                                .user = at->user.name,
                                .request = buf_str(&b),
                                .response = STR("{\"challengeName\":null,\"issueTokens\":null,"
                                                "\"failAuthentication\":null}")},
        ret));
    return *ret ? ERR_OK
                : COGNITO_INVALID(at->act.call, "Custom auth lambda trigger is not configured for "
                                                "the user pool.");
}

static enum err ask(struct cognito_auth *at)
{
    struct buf b;
    struct json_out o;
    const struct json *said;
    struct call *call = at->act.call;
    buf_init_arena(&b, call->arena, EVENT_MAX);
    json_out_init(&o, &b);
    cognito_event_begin(&o, &at->user);
    json_kv_str(&o, STR("challengeName"), STR("CUSTOM_CHALLENGE"));
    put_rounds(&o, at->session.rounds);
    cognito_event_end(&o, &at->act, "clientMetadata");
    TRY(buf_err(&b));
    TRY(cognito_trigger(
        &at->act,
        &(struct cognito_event){
            .trigger = "CreateAuthChallenge",
            .source = "CreateAuthChallenge_Authentication",
            .user = at->user.name,
            .request = buf_str(&b),
            .response = STR("{\"publicChallengeParameters\":null,"
                            "\"privateChallengeParameters\":null,\"challengeMetadata\":null}")},
        &said));
    if (!said)
        return COGNITO_INVALID(call, "Custom auth lambda trigger is not configured for the user "
                                     "pool.");
    const struct json *secret = json_get(said, STR("privateChallengeParameters"));
    buf_init_arena(&b, call->arena, EVENT_MAX);
    if (secret && secret->kind == JSON_OBJECT)
        json_put(&b, secret);
    else
        BUF_ADD_LIT(&b, "{}");
    TRY(buf_err(&b));
    at->session.custom = true;
    at->session.secret_parameters = buf_str(&b);
    at->session.metadata = json_get_str(said, STR("challengeMetadata"));
    TRY(cognito_auth_challenge(at, "CUSTOM_CHALLENGE", &at->session_told));
    TRY(cognito_auth_param(at, "USERNAME", at->user.name));
    JSON_EACH (json_get(said, STR("publicChallengeParameters")), it) {
        char *name = str_cstr(call->arena, it->key);
        if (name && it->kind == JSON_STRING)
            TRY(cognito_auth_param(at, name, it->text));
    }
    return ERR_OK;
}

static enum err decide(struct cognito_auth *at)
{
    const struct json *said;
    TRY(define(at, &said));
    const struct json *fail = json_get(said, STR("failAuthentication"));
    const struct json *issue = json_get(said, STR("issueTokens"));
    struct str name = json_get_str(said, STR("challengeName"));
    if (fail && fail->b)
        return COGNITO_REFUSED(at->act.call, "Incorrect username or password.");
    if (issue && issue->b) {
        if (str_eq_c(at->user.sub, "-"))
            return COGNITO_REFUSED(at->act.call, "Incorrect username or password.");
        TRY(cognito_auth_state(at));
        return cognito_auth_next(at);
    }
    if (str_eq_c(name, "CUSTOM_CHALLENGE"))
        return ask(at);
    if (str_eq_c(name, "PASSWORD_VERIFIER") &&
        str_is_set(cognito_get(at->parameters, STR("SRP_A")))) {
        at->session.custom = true;
        return cognito_srp_begin(at);
    }
    return call_error(at->act.call, &cognito_err_invalid_lambda_response_exception,
                      "DefineAuthChallenge returned no challenge that can be asked");
}

enum err cognito_custom_begin(struct cognito_auth *at)
{
    struct call *call = at->act.call;
    struct str username = cognito_get(at->parameters, STR("USERNAME"));
    if (!str_is_set(username))
        return COGNITO_INVALID(call, "Missing required parameter USERNAME");
    TRY(cognito_secret_hash(call, at->act.client, username,
                            cognito_get(at->parameters, STR("SECRET_HASH"))));
    enum err err = cognito_user_find(call->txn, at->act.pool, username, &at->user);
    if (err == ERR_NOT_FOUND && !cognito_hides_users(at->act.client))
        return call_error(call, &cognito_err_user_not_found_exception, "User does not exist.");
    if (err == ERR_NOT_FOUND)
        at->user = (struct cognito_user){.name = username, .sub = STR("-")};
    else
        TRY(err);
    if (str_is_set(cognito_get(at->parameters, STR("SRP_A"))))
        TRY(add_round(at, "SRP_A", true, STR_NONE));
    return decide(at);
}

enum err cognito_custom_next(struct cognito_auth *at, const char *challenge, bool right,
                             struct str metadata)
{
    TRY(add_round(at, challenge, right, metadata));
    return decide(at);
}

enum err cognito_custom_answer(struct cognito_auth *at)
{
    struct buf b;
    struct json_out o;
    const struct json *said;
    struct str answer = cognito_get(at->parameters, STR("ANSWER"));
    if (!str_is_set(answer))
        return COGNITO_INVALID(at->act.call, "Missing required parameter ANSWER");
    buf_init_arena(&b, at->act.call->arena, EVENT_MAX);
    json_out_init(&o, &b);
    cognito_event_begin(&o, &at->user);
    json_key(&o, STR("privateChallengeParameters"));
    json_raw(&o,
             str_is_set(at->session.secret_parameters) ? at->session.secret_parameters : STR("{}"));
    json_kv_str(&o, STR("challengeAnswer"), answer);
    cognito_event_end(&o, &at->act, "clientMetadata");
    TRY(buf_err(&b));
    TRY(cognito_trigger(
        &at->act,
        &(struct cognito_event){.trigger = "VerifyAuthChallengeResponse",
                                .source = "VerifyAuthChallengeResponse_Authentication",
                                .user = at->user.name,
                                .request = buf_str(&b),
                                .response = STR("{\"answerCorrect\":null}")},
        &said));
    const struct json *right = json_get(said, STR("answerCorrect"));
    return cognito_custom_next(at, "CUSTOM_CHALLENGE", right && right->b, at->session.metadata);
}
