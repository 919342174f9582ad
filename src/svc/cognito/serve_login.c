/* Where users sign in: /oauth2/authorize, /login with its form, /logout.
 *
 *   GET /oauth2/authorize?.. --checked--> GET /login?.. --form--> POST /login?.. --> redirect_uri?code=..
 *                               |              ^                      |              or #access_token=..
 *                               |              +-- challenge, wrong --+                  ^
 *                               +--- signed on already (serve_sign_on.c) ----------------+
 *
 * response_type=token is the implicit flow: tokens in the fragment, which browsers send nobody, and no
 * refresh token.
 *
 * A form brings back the number that was set as a cookie with it, so that another site's form signs
 * nobody in.
 *
 * Source: RFC 6749 sections 4.1.1, 4.1.2, 4.2.1 and 4.2.2, RFC 7636 section 4.3; Cognito developer guide,
 * "The redirect and authorization endpoint" (errors are in the query, in the implicit flow, too).
 * Layer: svc/cognito. Thread: the call's. */
#include "codec/xml.h"
#include "svc/cognito/serve.h"

enum { PAGE_MAX = 64 * 1024, CSRF_BYTES = 16, CODE_MINUTES = 5, CHALLENGE_LEN = 43 };
#define COOKIE "weir-csrf"

/* What an application asks for, checked. */
struct asked {
    const struct cognito_client *client;
    struct str redirect, scope, state;
    bool implicit;
    const char *error; /* that the application is told; NULL: none */
};

/* What is wrong with what a known application asks for; NULL: nothing. */
static const char *wrong_in(const struct cognito_serve *s, const struct asked *asked)
{
    const struct cognito_user_pool_client_type *c = &asked->client->set;
    struct str challenge = cognito_serve_query(s, "code_challenge");
    if (!asked->implicit && !str_eq_c(cognito_serve_query(s, "response_type"), "code"))
        return "unsupported_response_type";
    if (!c->allowed_o_auth_flows_user_pool_client ||
        !cognito_has(c->allowed_o_auth_flows.v, c->allowed_o_auth_flows.n,
                     asked->implicit ? STR("implicit") : STR("code")))
        return "unauthorized_client";
    if (!cognito_serve_scopes_allowed(asked->scope, asked->client))
        return "invalid_scope";
    if (str_is_set(challenge) &&
        (!str_eq_c(cognito_serve_query(s, "code_challenge_method"), "S256") ||
         challenge.len != CHALLENGE_LEN))
        return "invalid_request";
    return NULL;
}

/* ERR_INVALID: nothing that the application may be told, since it is not known to be one. */
static enum err read_asked(const struct cognito_serve *s, struct asked *ret)
{
    *ret = (struct asked){
        .state = cognito_serve_query(s, "state"),
        .scope = cognito_serve_query(s, "scope"),
        .implicit = str_eq_c(cognito_serve_query(s, "response_type"), "token"),
    };
    enum err err = cognito_serve_client(s, cognito_serve_query(s, "client_id"), &ret->client);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_INVALID : err;
    const struct cognito_user_pool_client_type *c = &ret->client->set;
    ret->redirect = cognito_serve_query(s, "redirect_uri");
    if (!str_is_set(ret->redirect))
        ret->redirect = str_is_set(c->default_redirect_uri) ? c->default_redirect_uri
                        : c->callback_urls.n == 1           ? c->callback_urls.v[0]
                                                            : STR_NONE;
    if (!str_is_set(ret->redirect) || !COGNITO_HAS(c->callback_urls, ret->redirect))
        return ERR_INVALID;
    TRY(cognito_serve_scopes(s, ret->client, &ret->scope));
    ret->error = wrong_in(s, ret);
    return ERR_OK;
}

static void put_state(struct buf *b, const struct asked *asked)
{
    if (!str_is_set(asked->state))
        return;
    BUF_ADD_LIT(b, "&state=");
    percent_put(b, asked->state, false);
}

/* The application's own address with what it is told. */
static enum err tell(const struct cognito_serve *s, const struct asked *asked, const char *name,
                     struct str value)
{
    struct buf b;
    buf_init_arena(&b, s->call->arena, PAGE_MAX);
    buf_add_str(&b, asked->redirect);
    buf_add_fmt(&b, "%c%s=", str_find(asked->redirect, '?') == SIZE_MAX ? '?' : '&', name);
    percent_put(&b, value, false);
    put_state(&b, asked);
    TRY(buf_err(&b));
    return cognito_serve_redirect(s, buf_str(&b));
}

static enum err tell_tokens(const struct cognito_serve *s, const struct asked *asked,
                            const struct cognito_authentication_result_type *tokens)
{
    struct buf b;
    buf_init_arena(&b, s->call->arena, PAGE_MAX);
    buf_add_str(&b, asked->redirect);
    BUF_ADD_LIT(&b, "#");
    if (str_is_set(tokens->id_token))
        buf_add_fmt(&b, "id_token=" STR_FMT "&", STR_ARG(tokens->id_token));
    buf_add_fmt(&b, "access_token=" STR_FMT "&token_type=Bearer&expires_in=%lld",
                STR_ARG(tokens->access_token), (long long)tokens->expires_in);
    put_state(&b, asked);
    TRY(buf_err(&b));
    return cognito_serve_redirect(s, buf_str(&b));
}

/* The request's query, as it came: for links back here. */
static struct str here(const struct cognito_serve *s, const char *path)
{
    return str_fmt(s->call->arena, "%s?" STR_FMT, path, STR_ARG(s->call->request->query));
}

static enum err nonsense(const struct cognito_serve *s)
{
    return cognito_serve_html(
        s, SERVE_BAD,
        STR("<!doctype html><html lang=\"en\"><title>Bad request</title><h1>Bad request</h1><p>The "
            "application, or where it wants to go on, is not known here.</p></html>"));
}

static enum err give_code(const struct cognito_serve *s, const struct asked *asked,
                          const struct cognito_user *user, int64_t auth_ms)
{
    const struct cognito_session session = {
        .pool_id = s->pool->rec.id,
        .client_id = asked->client->set.client_id,
        .user = user->name,
        .sub = user->sub,
        .epoch = user->epoch,
        .issued_ms = s->call->txn->wall_ms,
        .auth_ms = auth_ms,
        .scope = asked->scope,
        .redirect = asked->redirect,
        .nonce = cognito_serve_query(s, "nonce"),
        .pkce = cognito_serve_query(s, "code_challenge"),
    };
    struct str code;
    TRY(cognito_session_put(s->call->txn, cognito_of(s->call), COGNITO_MARK_CODE, &session,
                            CODE_MINUTES * COGNITO_MINUTE_MS, &code));
    return tell(s, asked, "code", code);
}

/* What the implicit flow gives; who it is for is to be filled in. */
static struct cognito_grant implicit_grant(const struct cognito_serve *s, const struct asked *asked)
{
    return (struct cognito_grant){
        .scope = asked->scope,
        .nonce = cognito_serve_query(s, "nonce"),
        .source = "TokenGeneration_HostedAuth",
        .id = cognito_has_scope(asked->scope, "openid"),
    };
}

/* Of who is signed on. */
static enum err give_tokens(const struct cognito_serve *s, const struct asked *asked,
                            const struct cognito_user *user, int64_t auth_ms)
{
    const struct cognito_act act = {.call = s->call, .pool = s->pool, .client = asked->client};
    struct cognito_authentication_result_type tokens;
    struct cognito_grant grant = implicit_grant(s, asked);
    grant.act = &act;
    grant.user = user;
    grant.auth_ms = auth_ms;
    enum err err = cognito_tokens(&grant, &tokens);
    if (err == ERR_FAILED) { /* the pool's trigger */
        call_error_clear(s->call);
        return tell(s, asked, "error", STR("invalid_request"));
    }
    TRY(err);
    return tell_tokens(s, asked, &tokens);
}

enum err cognito_serve_authorize(const struct cognito_serve *s)
{
    struct asked asked;
    struct cognito_user user;
    struct str prompt = cognito_serve_query(s, "prompt");
    int64_t auth_ms;
    enum err err = read_asked(s, &asked);
    if (err == ERR_INVALID)
        return nonsense(s);
    TRY(err);
    if (asked.error)
        return tell(s, &asked, "error", str_c(asked.error));
    err = str_eq_c(prompt, "login") ? ERR_NOT_FOUND : cognito_sign_on_read(s, &user, &auth_ms);
    if (err == ERR_OK)
        return asked.implicit ? give_tokens(s, &asked, &user, auth_ms)
                              : give_code(s, &asked, &user, auth_ms);
    if (err != ERR_NOT_FOUND)
        return err;
    if (str_eq_c(prompt, "none"))
        return tell(s, &asked, "error", STR("login_required"));
    return cognito_serve_redirect(s, here(s, "/login"));
}

/* --- the form ----------------------------------------------------------------------------------- */

static void put_field(struct buf *b, const char *name, const char *label, const char *type,
                      const char *complete)
{
    buf_add_fmt(b,
                "<p><label for=\"%s\">%s</label><br><input id=\"%s\" name=\"%s\" type=\"%s\" "
                "autocomplete=\"%s\" required></p>\n",
                name, label, name, name, type, complete);
}

static void put_hidden(struct buf *b, const char *name, struct str value)
{
    buf_add_fmt(b, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    xml_put_text(b, value);
    BUF_ADD_LIT(b, "\">\n");
}

static void put_fields(struct buf *b, const struct cognito_auth *at)
{
    if (!at || !str_is_set(at->challenge)) {
        put_field(b, "username", "User name", "text", "username");
        put_field(b, "password", "Password", "password", "current-password");
        return;
    }
    put_hidden(b, "username", at->user.name);
    put_hidden(b, "challenge", at->challenge);
    put_hidden(b, "session", at->session_told);
    if (str_eq_c(at->challenge, "NEW_PASSWORD_REQUIRED"))
        put_field(b, "new_password", "New password", "password", "new-password");
    else
        put_field(b, "code", "Code of your authenticator app", "text", "one-time-code");
}

/* `at`: a challenge to be answered; NULL: none. */
static enum err put_form(const struct cognito_serve *s, const struct cognito_auth *at,
                         const char *alert)
{
    struct buf b;
    struct str csrf = cognito_random_hex(s->call->arena, CSRF_BYTES);
    struct str cookie = str_fmt(s->call->arena,
                                COOKIE "=" STR_FMT "; Path=/login; HttpOnly; "
                                       "SameSite=Lax%s",
                                STR_ARG(csrf), s->call->request->tls ? "; Secure" : "");
    if (!str_is_set(csrf) || !str_is_set(cookie))
        return ERR_NOMEM;
    buf_init_arena(&b, s->call->arena, PAGE_MAX);
    BUF_ADD_LIT(&b,
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width\"><title>Sign in</title>"
                "<style>body{font:1.1em sans-serif;max-width:22em;margin:3em auto;padding:0 1em}"
                "input,button{font:inherit;width:100%;padding:.4em;box-sizing:border-box}"
                "[role=alert]{color:#a00}</style></head><body><main><h1>Sign in</h1>\n");
    if (alert)
        buf_add_fmt(&b, "<p role=\"alert\">%s</p>\n", alert);
    BUF_ADD_LIT(&b, "<form method=\"post\" action=\"");
    xml_put_text(&b, here(s, "/login"));
    BUF_ADD_LIT(&b, "\">\n");
    put_hidden(&b, "_csrf", csrf);
    put_fields(&b, at);
    BUF_ADD_LIT(&b,
                "<p><button type=\"submit\">Sign in</button></p></form></main></body></html>\n");
    TRY(buf_err(&b));
    TRY(call_reply_header(s->call, STR("Set-Cookie"), cookie));
    return cognito_serve_html(s, alert ? SERVE_DENIED : SERVE_OK, buf_str(&b));
}

/* The form's number is the cookie's. */
static bool is_ours(const struct cognito_serve *s)
{
    struct str csrf = cognito_serve_form(s, "_csrf");
    return !str_empty(csrf) && str_eq_consttime(csrf, cognito_serve_cookie(s, COOKIE));
}

/* --- signing in --------------------------------------------------------------------------------- */

/* Answers the challenge that the form was about. */
static enum err answer(const struct cognito_serve *s, struct cognito_auth *at)
{
    struct arena *a = s->call->arena;
    struct tag *v = ARENA_ARRAY(a, struct tag, 3);
    struct str username = cognito_serve_form(s, "username"), secret;
    if (!v)
        return ERR_NOMEM;
    at->challenge_asked = cognito_serve_form(s, "challenge");
    at->session_asked = cognito_serve_form(s, "session");
    v[0] = (struct tag){STR("USERNAME"), username};
    v[1] = str_eq_c(at->challenge_asked, "NEW_PASSWORD_REQUIRED")
               ? (struct tag){STR("NEW_PASSWORD"), cognito_serve_form(s, "new_password")}
               : (struct tag){STR("SOFTWARE_TOKEN_MFA_CODE"), cognito_serve_form(s, "code")};
    at->parameters = (struct tag_list){v, 2};
    /* The form is the pool's own: the client's secret is not its to know. */
    TRY(cognito_client_secret(s->call->txn, at->act.client, &secret));
    if (str_is_set(secret)) {
        v[2] = (struct tag){STR("SECRET_HASH"),
                            cognito_secret_hash_of(a, at->act.client, secret, username)};
        if (!str_is_set(v[2].value))
            return ERR_NOMEM;
        at->parameters.n = 3;
    }
    return cognito_auth_answer(at);
}

static enum err try_to(const struct cognito_serve *s, struct cognito_auth *at)
{
    struct str username = cognito_serve_form(s, "username");
    struct str password = cognito_serve_form(s, "password");
    if (str_is_set(cognito_serve_form(s, "challenge")))
        return answer(s, at);
    if (str_empty(username) || str_empty(password))
        return COGNITO_REFUSED(s->call, "Incorrect username or password.");
    TRY(cognito_auth_password(at, username, password));
    return cognito_auth_next(at);
}

enum err cognito_serve_login(const struct cognito_serve *s)
{
    struct asked asked;
    enum err err = read_asked(s, &asked);
    if (err == ERR_INVALID)
        return nonsense(s);
    TRY(err);
    if (asked.error)
        return tell(s, &asked, "error", str_c(asked.error));
    if (str_eq_c(s->call->request->method, "GET"))
        return put_form(s, NULL, NULL);
    if (!is_ours(s))
        return put_form(s, NULL, "The form has expired: please try again.");
    const struct cognito_grant grant = implicit_grant(s, &asked);
    struct cognito_auth at = {.act = {.call = s->call, .pool = s->pool, .client = asked.client},
                              .hosted = true,
                              .grant = asked.implicit ? &grant : NULL};
    err = try_to(s, &at);
    if (err == ERR_FAILED) {
        call_error_clear(s->call);
        return put_form(s, NULL, "Signing in failed: please check what you entered.");
    }
    TRY(err);
    if (str_eq_c(at.challenge, "MFA_SETUP"))
        return put_form(s, NULL, "An authenticator app must be set up first.");
    if (str_is_set(at.challenge))
        return put_form(s, &at, NULL);
    TRY(cognito_sign_on_begin(s, &at.user));
    return asked.implicit ? tell_tokens(s, &asked, at.result)
                          : give_code(s, &asked, &at.user, s->call->txn->wall_ms);
}

/* --- /logout ------------------------------------------------------------------------------------ */

enum err cognito_serve_logout(const struct cognito_serve *s)
{
    const struct cognito_client *client;
    struct str to = cognito_serve_query(s, "logout_uri");
    enum err err = cognito_serve_client(s, cognito_serve_query(s, "client_id"), &client);
    if (err == ERR_NOT_FOUND)
        return nonsense(s);
    TRY(err);
    TRY(cognito_sign_on_end(s));
    if (str_is_set(to))
        return COGNITO_HAS(client->set.logout_urls, to) ? cognito_serve_redirect(s, to)
                                                        : nonsense(s);
    return cognito_serve_redirect(s, here(s, "/oauth2/authorize"));
}
