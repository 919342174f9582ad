/* Outgoing HTTP(S) on a loop: libcurl's multi interface, bounded on every side.
 *
 *   FE1 libcurl is loaded at the first request, not at start: linking it costs 28 more shared objects
 *       and several milliseconds of every start.
 *   FE2 A request that was started ends in exactly one `done`, never from inside fetch_start; or in
 *       none, after fetch_cancel or fetch_free.
 *   FE3 Where a name leads is checked after it is resolved, for each connection: link-local and cloud
 *       metadata addresses, multicast, unspecified, and, unless allowed, loopback are refused.
 *   FE4 Requests are made of checked tokens: no method, header or URL can carry another line.
 *   FE5 Certificates are verified. Redirects are answers like others, not followed. Proxies and other
 *       settings of the environment are not looked at.
 *
 * Layer: fetch (includes base, io). Thread: the loop's only. */
#ifndef WEIR_FETCH_FETCH_H
#define WEIR_FETCH_FETCH_H

#include <sys/socket.h>

#include "io/io.h"

enum {
    FETCH_URL_BYTES_MAX = 16 * 1024,
    FETCH_HEADERS_MAX = 200,                 /* either way */
    FETCH_HEADERS_BYTES_MAX = 64 * 1024,     /* either way */
    FETCH_CONNECTIONS_MAX = 256,             /* default */
    FETCH_HOST_CONNECTIONS_MAX = 32,         /* default, per host */
    FETCH_REQUESTS_MAX = 4096,               /* default: running and waiting for a connection */
    FETCH_BODY_BYTES_MAX = 10 * 1024 * 1024, /* default for a response */
    FETCH_TIMEOUT_MS = 30 * 1000,            /* default, in all */
    FETCH_CONNECT_TIMEOUT_MS = 10 * 1000,    /* default */
    FETCH_IDLE_TIMEOUT_S = 30,               /* default: no byte either way */
};

struct fetch;
struct fetch_op;

struct fetch_config {
    struct io_loop *loop;
    bool allow_loopback;
    const char *ca_file;                                      /* NULL: the system's */
    long connections_max, host_connections_max, requests_max; /* 0: defaults above */
};

struct fetch_header {
    struct str name, value;
};

enum fetch_flow { FETCH_GO, FETCH_PAUSE, FETCH_ABORT };

/* What to send and whom to tell. Text is copied by fetch_start; `arg` is the caller's. */
struct fetch_call {
    struct str method, url;
    const struct fetch_header *headers;
    size_t headers_n;
    struct str body; /* absent: none, or `read` */
    /* Streams the body: up to `cap` bytes to `p`, *ret_n = 0 ends it. FETCH_PAUSE: nothing now,
     * fetch_resume later. `body_bytes` is its length, -1 unknown (chunked). May be NULL. */
    enum fetch_flow (*read)(void *arg, char *p, size_t cap, size_t *ret_n);
    int64_t body_bytes;
    /* Status and headers of the answer, once; borrowed. May be NULL. */
    enum fetch_flow (*head)(void *arg, int status, const struct fetch_header *headers, size_t n);
    /* A piece of the body; FETCH_PAUSE: the same piece comes again after fetch_resume. May be NULL. */
    enum fetch_flow (*data)(void *arg, struct str piece);
    /* ERR_OK: the whole answer came (whatever its status). ERR_TIMEOUT, ERR_DENIED (FE3), ERR_NOT_FOUND
     * (the name), ERR_CLOSED (cannot connect, or cut off), ERR_LIMIT (the answer is too large),
     * ERR_FAILED (FETCH_ABORT), ERR_NOMEM, ERR_IO (TLS and the rest). `why` is libcurl's text. Must
     * not be NULL. */
    void (*done)(void *arg, enum err e, struct str why);
    void *arg;
    int64_t response_bytes_max; /* 0: default, as the next three */
    int64_t timeout_ms, connect_timeout_ms, idle_timeout_s;
};

/* Allocates little and loads nothing yet (FE1). ERR_NOMEM. */
enum err fetch_new(const struct fetch_config *cfg, struct fetch **ret_fetch) WARN_UNUSED;
/* Ends all requests without telling; the memory goes when the loop has run once more or is freed. */
void fetch_free(struct fetch *f);

/* Starts a request. *ret_op, when given, is valid until `done` is called or it is cancelled.
 * ERR_INVALID (FE4), ERR_LIMIT (too many or too large), ERR_UNSUPPORTED (no libcurl), ERR_NOMEM, ERR_IO. */
enum err fetch_start(struct fetch *f, const struct fetch_call *call,
                     struct fetch_op **ret_op) WARN_UNUSED;
/* No callback comes any more. */
void fetch_cancel(struct fetch_op *op);
/* After FETCH_PAUSE, either direction; from the next turn of the loop on. */
void fetch_resume(struct fetch_op *op);

/* FE3, for tests and for checks before a request is stored. */
bool fetch_is_denied(const struct sockaddr *address, bool allow_loopback);

#endif
