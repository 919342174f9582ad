/* Whose token a request brings: an access token of one client of one user pool.
 *
 * Source: Cognito Developer Guide, "Verifying JSON web tokens". Layer: pipeline, pure. */
#ifndef TEXTS_BEARER_H
#define TEXTS_BEARER_H

#include "auth/jwt.h"

enum { BEARER_SKEW_MS = 60 * 1000 }; /* how far the clocks may be apart */

struct bearer_rules {
    struct str issuer;    /* "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc" */
    struct str client_id; /* the only one that is taken */
};

/* "Bearer TOKEN" (RFC 6750 section 2.1; the word in any case). Absent: it is something else. */
struct str bearer_token(struct str authorization);

/* The subject of a token that `keys` verify and the rules take. ERR_NOT_FOUND: no key has its kid, maybe a new
 * one has; ERR_DENIED and others: *ret_why says what is wrong with it. */
enum err bearer_subject(struct arena *a, struct str token, const struct jwt_keys *keys,
                        const struct bearer_rules *rules, int64_t now_ms, struct str *ret_subject,
                        const char **ret_why) WARN_UNUSED;

/* The answer of an authorizer that lets `subject` do what was asked:
 * {"principalId":..,"policyDocument":{..},"context":{"sub":..}} */
void bearer_put_allow(struct json_out *o, struct str subject, struct str method_arn);

#endif
