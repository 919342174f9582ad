/* The pages of a pool's domain: what its files share. A page answers by itself, errors included.
 *
 * Layer: svc/cognito. Thread: the call's. */
#ifndef WEIR_SVC_COGNITO_SERVE_H
#define WEIR_SVC_COGNITO_SERVE_H

#include "codec/percent.h"
#include "svc/cognito/cognito_int.h"

enum { SERVE_OK = 200, SERVE_FOUND = 302, SERVE_BAD = 400, SERVE_DENIED = 401, SERVE_ABSENT = 404 };

/* Lifetime: the call's. */
struct cognito_serve {
    struct call *call;
    const struct cognito_pool *pool;
    const struct percent_pair *query, *form;
    size_t n_query, n_form;
};

struct str cognito_serve_query(const struct cognito_serve *s, const char *name);
struct str cognito_serve_form(const struct cognito_serve *s, const char *name);
/* A client of the pool. ERR_NOT_FOUND. */
enum err cognito_serve_client(const struct cognito_serve *s, struct str id,
                              const struct cognito_client **ret) WARN_UNUSED;
/* Replies. */
enum err cognito_serve_redirect(const struct cognito_serve *s, struct str url) WARN_UNUSED;
enum err cognito_serve_json(const struct cognito_serve *s, int status, struct str body) WARN_UNUSED;
/* {"error":..}, RFC 6749 section 5.2; invalid_client is a 401. */
enum err cognito_serve_error(const struct cognito_serve *s, const char *error) WARN_UNUSED;
enum err cognito_serve_html(const struct cognito_serve *s, int status, struct str body) WARN_UNUSED;

/* Scopes that nothing was said of (absent, empty) are all of the client's. */
enum err cognito_serve_scopes(const struct cognito_serve *s, const struct cognito_client *client,
                              struct str *scopes) WARN_UNUSED;
/* Whether every one of `scopes`, names divided by spaces, is among the client's. */
bool cognito_serve_scopes_allowed(struct str scopes, const struct cognito_client *client);

/* serve_sign_on.c: who is signed on by a cookie. */
struct str cognito_serve_cookie(const struct cognito_serve *s, const char *name);
enum err cognito_sign_on_begin(const struct cognito_serve *s,
                               const struct cognito_user *user) WARN_UNUSED;
/* *ret_auth_ms: when he gave his password. ERR_NOT_FOUND: nobody is. */
enum err cognito_sign_on_read(const struct cognito_serve *s, struct cognito_user *ret_user,
                              int64_t *ret_auth_ms) WARN_UNUSED;
enum err cognito_sign_on_end(const struct cognito_serve *s) WARN_UNUSED;
/* serve_login.c */
enum err cognito_serve_authorize(const struct cognito_serve *s) WARN_UNUSED;
enum err cognito_serve_login(const struct cognito_serve *s) WARN_UNUSED;
enum err cognito_serve_logout(const struct cognito_serve *s) WARN_UNUSED;
/* serve_token.c */
enum err cognito_serve_token(const struct cognito_serve *s) WARN_UNUSED;
enum err cognito_serve_revoke(const struct cognito_serve *s) WARN_UNUSED;
enum err cognito_serve_user_info(const struct cognito_serve *s) WARN_UNUSED;

#endif
