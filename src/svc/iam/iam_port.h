/* What IAM does for other services: roles to be assumed, and temporary credentials. Reached by
 * iam_port_of. */
#ifndef WEIR_SVC_IAM_IAM_PORT_H
#define WEIR_SVC_IAM_IAM_PORT_H

#include "core/core.h"

enum {
    IAM_SESSION_POLICY_ARNS_MAX = 10,
    IAM_SESSION_TAGS_MAX = 50,
    IAM_SESSION_NAME_MAX = 64,
    IAM_SESSION_CLAIMS_MAX = 16,
};

/* A role as AssumeRole needs it; held by the arena. */
struct iam_assumable {
    struct str name, arn, id;
    const struct policy *trust;
    int64_t max_session_s;
};

/* What a session is made of. */
struct iam_session {
    enum principal_kind kind; /* PRINCIPAL_ROLE, _USER, _ROOT, _FEDERATED */
    struct str id;            /* of the role or user; root: the account's */
    struct str session_name;  /* of a role session or federated user */
    int64_t issued_ms, expires_ms;
    struct str policy_json; /* session policy, absent: none */
    const struct str *policy_arns;
    size_t n_policy_arns;
    const struct principal_tag *tags;
    size_t n_tags;
    bool chained;                      /* made with credentials of another role session */
    const struct str *transitive_keys; /* of the tags that go on, as struct principal says */
    size_t n_transitive_keys;
    struct str source_identity; /* absent: none */
    struct str provider;        /* of web identity: its ARN; absent: it is none */
    const struct principal_tag *claims;
    size_t n_claims;
};

/* An OpenID Connect provider as STS needs it; held by the transaction. */
struct iam_web_provider {
    struct str arn;
    const struct str *client_ids;
    size_t n_client_ids;
};

struct iam_port {
    void *self;
    /* ERR_NOT_FOUND. Reads memory. */
    enum err (*role)(void *self, struct str role_arn, struct arena *arena,
                     struct iam_assumable *ret_role);
    /* The account's provider with this URL, as tokens name it ("https://..."). ERR_NOT_FOUND. */
    enum err (*web_provider)(void *self, struct txn *txn, struct str account, struct str url,
                             struct iam_web_provider *ret) WARN_UNUSED;
    /* Whether a managed policy of this ARN exists. ERR_NOT_FOUND. */
    enum err (*managed_policy)(void *self, struct str policy_arn, struct arena *arena);
    /* Whose account an access key is, temporary ones included. ERR_NOT_FOUND: it has not the form of one, or is
     * nobody's here. */
    enum err (*key_account)(void *self, struct str access_key, struct arena *arena,
                            struct str *ret_account) WARN_UNUSED;
    /* Temporary credentials; nothing is stored. ERR_LIMIT when the token would be too long. */
    enum err (*mint)(void *self, const struct iam_session *session, struct arena *arena,
                     struct str *ret_access_key, struct str *ret_secret, struct str *ret_token);
    /* What a token of this access key says, to know a caller's own session. ERR_INVALID. */
    enum err (*open_token)(void *self, struct str access_key, struct str token, struct arena *arena,
                           struct iam_session *ret_session);
};

/* The port of this process's instance; NULL without one. From start on. */
static inline const struct iam_port *iam_port_of(const struct core *core)
{
    return core_port(core, "iam");
}

#endif
