/* A GET of a small document from a Weir on this machine, for `weir status`. Plain HTTP only.
 *
 * Layer: cli. Thread: blocking; the command line's own. */
#ifndef WEIR_CLI_HTTP_GET_H
#define WEIR_CLI_HTTP_GET_H

#include "base/buf.h"

enum { HTTP_GET_MAX = 1024 * 1024, HTTP_GET_TIMEOUT_S = 5 };

/* Fetches http://host:port/path; appends the body to `body`, gives the status. ERR_CLOSED nobody
 * answers, ERR_TIMEOUT, ERR_INVALID not HTTP, ERR_LIMIT. */
enum err http_get(const char *host, const char *port, const char *path, struct buf *body,
                  int *ret_status) WARN_UNUSED;

#endif
