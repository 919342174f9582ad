/* Inside STS.
 *
 * Layer: svc. */
#ifndef WEIR_SVC_STS_STS_INT_H
#define WEIR_SVC_STS_STS_INT_H

#include "sts_api.h"
#include "svc/cognito/cognito_port.h"
#include "svc/sts/sts.h"

/* STS API Reference: limits of durations and session policies. */
enum {
    STS_DURATION_DEFAULT_S = 3600,
    STS_CHAINED_MAX_S = 3600,      /* a role assumed with another role's session */
    STS_SESSION_DEFAULT_S = 43200, /* GetSessionToken, GetFederationToken */
    STS_SESSION_ROOT_MAX_S = 3600,
    STS_POLICY_CHARS = 2048,
    STS_PACKED_CHARS = 12 * 1024, /* what a PackedPolicySize of 100 percent is of */
};

struct sts_idps;

struct sts {
    struct core *core;
    const struct iam_port *iam;
    const struct cognito_port *cognito; /* NULL: there are no user pools */
    struct sts_idps *idps;              /* sts_idp.h */
};

/* op_assume_role.c: whether the caller may assume the role; sets AccessDenied. */
enum err sts_authorize_assume_role(struct call *call,
                                   const struct sts_assume_role_input *in) WARN_UNUSED;
/* op_web_identity.c: the tags that a token brings, as condition keys. */
enum err sts_web_context(struct call *call, struct policy_context *ctx) WARN_UNUSED;
/* sts_credentials.c: mints and fills the reply's shape. */
enum err sts_credentials(struct call *call, const struct iam_session *session,
                         const struct sts_credentials **ret_credentials) WARN_UNUSED;

/* --- sts_session.c: pieces of a session, checked and put in ------------------------------------ */

/* `account`: whose managed policies may limit, besides AWS's own. `policy` absent: none. MalformedPolicyDocument, PackedPolicyTooLarge, ValidationError. */
enum err sts_session_policies(struct call *call, struct str account, struct str policy,
                              const struct sts_policy_descriptor_list_type *arns,
                              struct iam_session *session) WARN_UNUSED;
/* `chained`: with what goes on of the caller's own. InvalidParameterValue. */
enum err sts_session_tags(struct call *call, const struct sts_tag_list_type *tags,
                          const struct str *transitive, size_t n_transitive, bool chained,
                          struct iam_session *session) WARN_UNUSED;
enum err sts_session_duration(struct call *call, bool has_duration, int64_t duration_s,
                              const struct iam_assumable *role,
                              struct iam_session *session) WARN_UNUSED;
enum err sts_assumed_role(struct call *call, const struct iam_assumable *role, struct str name,
                          const struct sts_assumed_role_user **ret) WARN_UNUSED;
/* How much of what a session may be limited and told by it uses. False: it is neither. */
bool sts_packed_size(const struct iam_session *session, int64_t *ret_percent);

#endif
