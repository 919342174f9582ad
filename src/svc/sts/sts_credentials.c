/* Credentials as the operations answer them.
 *
 * Layer: svc. Thread: the call's loop. */
#include <assert.h>

#include "svc/sts/sts_int.h"

enum err sts_credentials(struct call *call, const struct iam_session *session,
                         const struct sts_credentials **ret_credentials)
{
    struct sts *sts = call->svc;
    struct sts_credentials *c = ARENA_NEW(call->arena, struct sts_credentials);
    if (!c)
        return ERR_NOMEM;
    enum err err = sts->iam->mint(sts->iam->self, session, call->arena, &c->access_key_id,
                                  &c->secret_access_key, &c->session_token);
    if (err == ERR_LIMIT)
        return call_error(call, &sts_err_packed_policy_too_large_exception,
                          "Serialized token too large for session");
    TRY(err);
    assert(str_is_set(c->access_key_id) && str_is_set(c->session_token));
    WIRE_SET(c, expiration, session->expires_ms);
    *ret_credentials = c;
    return ERR_OK;
}
