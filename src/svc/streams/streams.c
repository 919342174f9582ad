/* The service's definition. Nothing is kept in memory. Layer: svc. */
#include "svc/streams/streams_int.h"

static enum err make(struct core *core, void **ret_self)
{
    *ret_self = core;
    return ERR_OK;
}

extern const struct svc_def streams_def;
const struct svc_def streams_def = {
    .wire = &streams_service,
    .make = make,
    .authorize_more = streams_authorize_more,
};
