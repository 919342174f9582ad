/* Who is calling, and the port through which core asks IAM about it.
 *
 * Layer: core. The IAM service implements struct identity_port; main hands it over. */
#ifndef WEIR_CORE_IDENTITY_H
#define WEIR_CORE_IDENTITY_H

#include "auth/policy.h"
#include "base/str.h"

struct txn;

enum principal_kind {
    PRINCIPAL_ANONYMOUS, /* unsigned request */
    PRINCIPAL_ROOT,      /* the account's root key: all identity checks allow */
    PRINCIPAL_USER,
    PRINCIPAL_ROLE,      /* assumed-role session */
    PRINCIPAL_SERVICE,   /* an internal delivery, e.g. s3.amazonaws.com */
    PRINCIPAL_FEDERATED, /* session of GetFederationToken: a user's, within session policies */
    PRINCIPAL_WEB, /* whom an identity provider vouches for, while he asks for a role: no account */
    PRINCIPALS,
};

/* Lifetime: as struct principal. */
struct principal_tag {
    struct str key, value;
};

/* Lifetime: the call's arena, or static. */
struct principal {
    enum principal_kind kind;
    struct str account;   /* 12 digits; absent when anonymous */
    struct str arn;       /* user ARN, assumed-role ARN, "arn:aws:iam::ACCT:root" */
    struct str user_id;   /* AIDA.../AROA...:session/account/account:name */
    struct str owner_id;  /* of a federated user: his user's; absent: root's */
    struct str user_name; /* user or role name; absent for root */
    struct str role_arn;  /* of a role session; of a federated user: his user's */
    struct str service;   /* of PRINCIPAL_SERVICE, e.g. "s3.amazonaws.com" */
    struct str access_key;
    int64_t token_issued_ms; /* of a session; 0 otherwise */
    /* What policy evaluation needs; parsed and cached by the identity port. Borrowed until the call
     * ends (the port keeps replaced ones alive that long, or they live in the arena). */
    const struct policy *const *identity_policies;
    size_t n_identity_policies;
    const struct policy *boundary;                /* NULL: none */
    const struct policy *const *session_policies; /* of AssumeRole; the union of them limits */
    size_t n_session_policies;                    /* 0: not limited by a session policy */
    const struct principal_tag *tags;             /* aws:PrincipalTag/<key> */
    size_t n_tags;
    const struct str
        *transitive_keys; /* of those tags that go on to roles that the session assumes */
    size_t n_transitive_keys;
    struct str source_identity; /* of a session; absent: none was set */
    /* Of PRINCIPAL_WEB, and of the sessions that he gets: who vouches for him, and what of it is a
     * condition key ("example.com:sub"). */
    struct str provider;
    const struct principal_tag *claims;
    size_t n_claims;
};

struct credential {
    struct str secret;        /* for the signature */
    struct str session_token; /* what must come along; absent for long-lived keys */
    int64_t expires_ms;       /* 0: never */
};

struct identity_port {
    void *self;
    /* Secret of an access key id. `session_token` is what came with the request, or absent: a
     * temporary key (ASIA...) is looked up by its token, since neither is stored. ERR_NOT_FOUND
     * unknown key; ERR_DENIED inactive key; ERR_INVALID a temporary key without its own token, or a
     * token that does not belong to the key (InvalidClientTokenId, S3: InvalidToken). Expiry is the
     * caller's to check. Reads memory only: no store access, any loop's thread. */
    enum err (*credential)(void *self, struct str access_key, struct str session_token,
                           struct arena *arena, struct credential *ret_cred);
    /* Principal behind a key whose signature was right, with its policies. Errors as above, and
     * ERR_NOT_FOUND when the session's role or user is gone by now. */
    enum err (*principal)(void *self, struct str access_key, struct str session_token,
                          struct arena *arena, struct principal *ret_who);
    /* The role as if a session `session_name` of it had been assumed, to evaluate what work done
     * under it may do. ERR_NOT_FOUND. */
    enum err (*role_principal)(void *self, struct str role_arn, struct str session_name,
                               struct arena *arena, struct principal *ret_who);
    /* Temporary credentials of a role for a service that acts for its owner (Lambda functions):
     * session of `role_arn` named `session_name`, valid `duration_s`. The role's trust policy must
     * allow `service` (e.g. "lambda.amazonaws.com"). ERR_NOT_FOUND no such role, ERR_DENIED not
     * trusted. Commits nothing: the credentials are self-contained and survive a restart. */
    enum err (*assume_for_service)(void *self, struct str role_arn, struct str service,
                                   struct str session_name, int64_t duration_s, struct arena *arena,
                                   struct str *ret_access_key, struct str *ret_secret,
                                   struct str *ret_token, int64_t *ret_expires_ms);
    /* Unique id by which stored policies name the user, role or session of this ARN (or id), which is
     * read tracked: "AIDA...", "AROA...", "AROA...:session". What is of an account that is not here, or can never be a
     * caller, is given back as it is. ERR_NOT_FOUND: of an account that is here, and not there. */
    enum err (*id_of_arn)(void *self, struct txn *txn, struct str arn, struct str *ret_id);
    /* The other way, from memory. ERR_NOT_FOUND. */
    enum err (*arn_of_id)(void *self, struct str id, struct arena *arena, struct str *ret_arn);
    /* Whether `role_arn` exists and trusts `service`, as CreateFunction checks. */
    enum err (*role_trusts)(void *self, struct txn *txn, struct str role_arn, struct str service);
};

#endif
