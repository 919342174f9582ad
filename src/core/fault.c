/* See fault.h. Layer: core. */
#include "core/fault.h"

#include <assert.h>

enum err fault_set(struct arena *a, struct fault *f, const struct wire_error *error,
                   const char *fmt, ...)
{
    va_list ap;
    assert(error);
    va_start(ap, fmt);
    f->error = error;
    f->message = str_vfmt(a, fmt, ap);
    va_end(ap);
    return str_is_set(f->message) ? ERR_FAILED : ERR_NOMEM;
}

enum err fault_reply(struct call *call, enum err err, const struct fault *f)
{
    if (err != ERR_FAILED)
        return err;
    assert(f->error);
    return call_error(call, f->error, STR_FMT, STR_ARG(f->message));
}

struct str fault_code(const struct fault *f)
{
    return str_is_set(f->error->query_code) ? f->error->query_code : f->error->code;
}
