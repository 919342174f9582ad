/* The service's life.
 *
 * Layer: svc. */
#include "svc/sts/sts.h"

#include <assert.h>

#include "base/mem.h"
#include "svc/sts/sts_idp.h"

static enum err make(struct core *core, void **ret_self)
{
    struct sts *sts = mem_calloc(1, sizeof(*sts));
    if (!sts)
        return ERR_NOMEM;
    sts->core = core;
    enum err err = sts_idps_new(core, &sts->idps);
    if (err) {
        mem_free(sts);
        return err;
    }
    *ret_self = sts;
    return ERR_OK;
}

static enum err start(void *self)
{
    struct sts *sts = self;
    sts->iam = iam_port_of(sts->core);
    sts->cognito = cognito_port_of(sts->core);
    assert(sts->iam); /* there are no credentials without identities */
    return ERR_OK;
}

static void release(void *self)
{
    struct sts *sts = self;
    if (sts)
        sts_idps_free(sts->idps);
    mem_free(sts);
}

/* A role's trust policy has its own logic. The other operations need no permission: anyone known
 * may ask who he is, and GetSessionToken gives a caller no more than he has. */
static enum err authorize(struct call *call, const void *in)
{
    return call->op->index == STS_OP_ASSUME_ROLE ? sts_authorize_assume_role(call, in) : ERR_OK;
}

static enum err auth_context(struct call *call, const void *in, struct policy_context *ctx)
{
    return call->op->index == STS_OP_ASSUME_ROLE_WITH_WEB_IDENTITY ? sts_web_context(call, ctx)
                                                                   : ERR_OK;
}

const struct svc_def sts_def = {
    .wire = &sts_service,
    .make = make,
    .start = start,
    .release = release,
    .auth_context = auth_context,
    .authorize_more = authorize,
};
