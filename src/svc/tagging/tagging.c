/* The service's definition and its tokens. Layer: svc. */
#include "svc/tagging/tagging.h"

#include "codec/base64.h"
#include "svc/tagging/tagging_int.h"

static enum err make(struct core *core, void **ret_self)
{
    *ret_self = core;
    return ERR_OK;
}

const struct svc_def tagging_def = {.wire = &tagging_service, .make = make};

enum err tagging_token_read(struct call *call, struct str token, struct str *ret_after)
{
    *ret_after = STR_NONE;
    if (str_empty(token))
        return ERR_OK;
    enum err err = base64_decode(call->arena, token, ret_after);
    if (err == ERR_NOMEM)
        return err;
    if (err != ERR_OK || !str_starts(*ret_after, STR("arn:")))
        return call_error(call, &tagging_err_pagination_token_expired_exception,
                          "The pagination token is not valid; begin again without one.");
    return ERR_OK;
}

enum err tagging_token_make(struct call *call, struct str last, struct str *ret_token)
{
    *ret_token = str_is_set(last) ? base64_encode(call->arena, last.p, last.len) : STR("");
    return str_is_set(*ret_token) ? ERR_OK : ERR_NOMEM;
}
