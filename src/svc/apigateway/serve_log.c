/* Execution logs. See serve_request.h.
 *
 * Layer: svc. Thread: the call's loop. */
#include <stdio.h>

#include "svc/apigateway/serve_request.h"

void serve_log(struct serve_req *r, const char *fmt, ...)
{
    va_list ap;
    if (!r->logging)
        return;
    va_start(ap, fmt);
    struct str line = str_vfmt(r->call->arena, fmt, ap);
    va_end(ap);
    buf_add_fmt(&r->log, "(" STR_FMT ") ", STR_ARG(r->call->request_id));
    buf_add_str(&r->log, line);
    buf_add_byte(&r->log, '\n');
}
