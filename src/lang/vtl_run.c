/* How a run counts its work and ends. */
#include <stdarg.h>

#include "lang/vtl_int.h"

void vtl_place(struct str text, size_t at, struct vtl_error *error)
{
    error->line = error->column = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        bool newline = text.p[i] == '\n' ||
                       (text.p[i] == '\r' && (i + 1 == text.len || text.p[i + 1] != '\n'));
        error->line += newline;
        error->column = newline ? 1 : error->column + 1;
    }
}

enum err vtl_fail(struct vtl_run *run, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str message = str_vfmt(run->a, fmt, ap);
    va_end(ap);
    if (!str_is_set(message))
        return ERR_NOMEM;
    if (!run->error.message.p)
        run->error.message = message;
    return ERR_INVALID;
}

enum err vtl_exceed(struct vtl_run *run, const char *message)
{
    if (!run->error.message.p)
        run->error.message = str_c(message);
    return ERR_LIMIT;
}

enum err vtl_work(struct vtl_run *run, size_t n)
{
    run->steps += n;
    return run->steps <= VTL_STEPS_MAX ? ERR_OK
                                       : vtl_exceed(run, "the template takes too many steps");
}
