/* What is stored. Settings that have the API's own shape are kept as its JSON (wire/kept.h).
 * Layer: svc/cognito. Thread: pure. */
#ifndef WEIR_SVC_COGNITO_COGNITO_RECORD_H
#define WEIR_SVC_COGNITO_COGNITO_RECORD_H

#include "base/record.h"
#include "core/tags.h"

enum {
    COGNITO_ATTRS_MAX = 100, /* of a user: standard ones and 50 custom ones, with room */
    COGNITO_ALIASES_MAX = 8,
    COGNITO_CODES_MAX = 8, /* one a purpose */
    COGNITO_JSON_MAX = 256 * 1024,
};

struct cognito_pool_rec {
    struct str account, region, id;
    struct str settings; /* UserPoolType as JSON */
    bool software_token; /* TOTP may be used */
};

struct cognito_client_rec {
    struct str pool_id;
    struct str secret;   /* sealed; absent: it has none */
    struct str settings; /* UserPoolClientType as JSON */
};

/* A code that was sent, by what it is for: "signup", "password", or the attribute that it verifies. */
struct cognito_code {
    struct str purpose;
    struct str digest; /* HMAC of the user's sub and the code, under the store's key */
    int64_t expires_ms;
    uint64_t tries;
    struct str value; /* of an attribute that is not changed before it is verified; absent: it is */
};

enum cognito_status {
    COGNITO_UNCONFIRMED,
    COGNITO_CONFIRMED,
    COGNITO_RESET_REQUIRED,
    COGNITO_FORCE_CHANGE,
    COGNITO_STATUSES,
};

struct cognito_user {
    struct str name, sub;
    unsigned status; /* enum cognito_status */
    bool disabled;
    int64_t created_ms, modified_ms;
    struct tag *attrs; /* sub is one of them */
    size_t n_attrs;
    struct tag *aliases; /* by which it is found: what the alias table has of it */
    size_t n_aliases;
    struct str password; /* Argon2id, see cognito_password.c; absent: none */
    struct str verifier; /* of SRP, sealed */
    struct str srp_salt;
    int64_t password_until_ms; /* a temporary one; 0: it is not */
    struct str totp, totp_new; /* secrets, sealed; absent: none; totp_new waits to be verified */
    uint64_t totp_step;        /* of the newest code taken: none is taken twice */
    bool totp_on, totp_preferred;
    struct cognito_code *codes;
    size_t n_codes;
    uint64_t failures; /* of signing in, in a row */
    int64_t failed_ms;
    uint64_t epoch; /* drawn anew when all its tokens end */
};

struct cognito_group {
    struct str name, description, role;
    int64_t precedence; /* -1: none */
    int64_t created_ms, modified_ms;
};

/* A sign-in under way, or what an authorization code or a refresh token stands for. */
struct cognito_session {
    struct str pool_id, client_id, user, sub;
    uint64_t epoch;
    int64_t issued_ms, auth_ms;
    struct str challenge;         /* what is to be answered */
    bool custom;                  /* within CUSTOM_AUTH: DefineAuthChallenge decides what follows */
    struct str rounds;            /* CUSTOM_AUTH: JSON list of what was answered so far */
    struct str secret_parameters; /* of CreateAuthChallenge, JSON */
    struct str metadata;
    struct str srp_a, srp_b_secret, srp_b; /* hexadecimal; sealed with the rest */
    struct str totp_new;
    struct str origin;                       /* origin_jti */
    struct str scope, redirect, nonce, pkce; /* of an authorization code */
};

extern const struct record_type cognito_pool_rec_type, cognito_client_rec_type,
    cognito_user_rec_type, cognito_group_rec_type, cognito_session_rec_type;

#endif
