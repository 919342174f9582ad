/* Inside STS.
 *
 * Layer: svc. */
#ifndef WEIR_SVC_STS_STS_INT_H
#define WEIR_SVC_STS_STS_INT_H

#include "sts_api.h"
#include "svc/sts/sts.h"

/* STS API Reference: limits of durations and session policies. */
enum {
    STS_DURATION_DEFAULT_S = 3600,
    STS_CHAINED_MAX_S = 3600,      /* a role assumed with another role's session */
    STS_SESSION_DEFAULT_S = 43200, /* GetSessionToken */
    STS_SESSION_ROOT_MAX_S = 3600,
    STS_POLICY_CHARS = 2048,
};

struct sts {
    struct core *core;
    const struct iam_port *iam;
};

/* op_assume_role.c: whether the caller may assume the role; sets AccessDenied. */
enum err sts_authorize_assume_role(struct call *call,
                                   const struct sts_assume_role_input *in) WARN_UNUSED;
/* sts_credentials.c: mints and fills the reply's shape. */
enum err sts_credentials(struct call *call, const struct iam_session *session,
                         const struct sts_credentials **ret_credentials) WARN_UNUSED;

#endif
