#include "base/base.h"

static const char *const names[] = {
    [ERR_OK] = "ok",
    [ERR_NOMEM] = "nomem",
    [ERR_IO] = "io",
    [ERR_CORRUPT] = "corrupt",
    [ERR_INVALID] = "invalid",
    [ERR_LIMIT] = "limit",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_EXISTS] = "exists",
    [ERR_CONFLICT] = "conflict",
    [ERR_DENIED] = "denied",
    [ERR_TIMEOUT] = "timeout",
    [ERR_CLOSED] = "closed",
    [ERR_UNSUPPORTED] = "unsupported",
    [ERR_FAILED] = "failed",
    [ERR_SUSPENDED] = "suspended",
    [ERR_LONG] = "long",
};

const char *err_name(enum err err)
{
    return (size_t)err < ARRAY_LEN(names) ? names[err] : "unknown";
}
