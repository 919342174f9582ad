/* The service's life, and what its operations share.
 *
 * Layer: svc. */
#include "svc/sts/sts.h"

#include "base/mem.h"
#include "svc/sts/sts_int.h"

enum err sts_new(struct core *core, const struct iam_port *iam, struct sts **ret_sts)
{
    struct sts *sts = mem_calloc(1, sizeof(*sts));
    if (!sts)
        return ERR_NOMEM;
    sts->core = core;
    sts->iam = *iam;
    *ret_sts = sts;
    return ERR_OK;
}

void sts_free(struct sts *sts)
{
    mem_free(sts);
}

/* A role's trust policy has its own logic. The other operations need no permission: anyone known
 * may ask who he is, and GetSessionToken gives a caller no more than he has. */
static enum err authorize(struct call *call, const void *in)
{
    return call->op->index == STS_OP_ASSUME_ROLE ? sts_authorize_assume_role(call, in) : ERR_OK;
}

void sts_svc(struct sts *sts, struct svc *ret_svc)
{
    *ret_svc = (struct svc){.wire = &sts_service, .self = sts, .authorize_more = authorize};
}

enum err sts_credentials(struct call *call, const struct iam_session *session,
                         const struct sts_credentials **ret_credentials)
{
    struct sts *sts = call->svc;
    struct sts_credentials *c = ARENA_NEW(call->arena, struct sts_credentials);
    if (!c)
        return ERR_NOMEM;
    enum err e = sts->iam.mint(sts->iam.self, session, call->arena, &c->access_key_id,
                               &c->secret_access_key, &c->session_token);
    if (e == ERR_LIMIT)
        return call_error(call, &sts_err_packed_policy_too_large_exception,
                          "Serialized token too large for session");
    TRY(e);
    WIRE_SET(c, expiration, session->expires_ms);
    *ret_credentials = c;
    return ERR_OK;
}
