/* HTTP server: HTTP/1.1 by a strict parser (RFC 9110, RFC 9112), HTTP/2 (RFC 9113) where TLS agrees on
 * it, connections, streamed bodies both ways. It knows nothing of AWS, and handlers do not notice which
 * protocol a request came by.
 *
 * Invariants
 *   H1  A message that could be read in two ways is refused with 400 and the connection closed:
 *       Content-Length twice or with Transfer-Encoding, any Transfer-Encoding but a single
 *       "chunked", bare LF or CR, obs-fold, NUL, white space before the colon, a second Host. The
 *       same of HTTP/2 (another Host beside ":authority", a Content-Length that is not what came)
 *       ends its stream.
 *   H2  At most one request of a connection is with the handler at a time; pipelined ones wait,
 *       unparsed, bounded by one read buffer. Of HTTP/2 one for each stream, HTTP_H2_STREAMS_MAX.
 *   H3  Bytes of a body are read from the socket only while the handler asks for them, but for one
 *       read buffer, of HTTP/2 a stream's window.
 *   H4  After on_close, or after the reply ended, the request is gone: no callback follows.
 *
 * States of a request:
 *   head --on_request--> [body wanted] --> replying --> done
 *        handler: http_body_start .. on_body(last)   http_reply* .. http_reply_end
 *   A reply may end before the body was read: the rest is drained up to HTTP_DRAIN_MAX, else the
 *   connection closes after the reply.
 *
 * Layer: http (includes io). Thread: everything about a connection on its loop's thread. */
#ifndef WEIR_HTTP_HTTP_H
#define WEIR_HTTP_HTTP_H

#include <sys/socket.h>

#include "base/arena.h"
#include "io/io.h"

struct x509_st;
struct evp_pkey_st;

enum {
    HTTP_HEAD_MAX = 64 * 1024,      /* request line and headers together, bytes */
    HTTP_HEADERS_MAX = 128,         /* count */
    HTTP_TARGET_MAX = 16 * 1024,    /* bytes of the request target */
    HTTP_CHUNK_LINE_MAX = 4 * 1024, /* chunk size line with extensions */
    HTTP_TRAILERS_MAX = 8 * 1024,   /* trailer section bytes */
    HTTP_DRAIN_MAX = 256 * 1024,    /* unread body bytes swallowed to keep a connection */
    HTTP_READ_BYTES = 64 * 1024,    /* socket read size */
    HTTP_WRITE_HIGH = 1024 * 1024,  /* queued reply bytes above which writers should wait */
};

struct http_header {
    struct str name;  /* as sent (lower-case by HTTP/2, but for "Host"); compare without case */
    struct str value; /* trimmed */
};

struct http_req {
    /* Set before on_request; borrowed from the request's arena. */
    struct str method; /* upper-case token */
    struct str target; /* as sent, origin form or absolute form reduced to origin form */
    struct str path;   /* target before '?', still percent-encoded */
    struct str query;  /* after '?', still encoded; absent without '?' */
    struct http_header *headers;
    size_t n_headers;
    int64_t content_length; /* -1: not told beforehand; 0: no body */
    bool chunked;           /* content_length is -1 */
    /* 100 Continue is sent when the body is first asked for, at once when it is empty; a reply before
     * that closes the connection. */
    bool expect_continue;
    bool keep_alive;
    int minor_version; /* of HTTP/1: 0 or 1; what came by HTTP/2 counts as 1.1 */
    bool tls;
    struct str tls_version; /* "1.2", "1.3"; absent: plain */
    struct str peer;        /* "127.0.0.1", text address */
    uint16_t peer_port;
    struct arena *arena; /* request lifetime: until on_close or the end of the reply */
    struct io_loop *loop;
    int64_t start_ns; /* clock_mono_ns when the first byte of the head was seen */
    /* Set once on_body said `last`: trailer fields. */
    struct http_header *trailers;
    size_t n_trailers;
    void *user; /* the handler's */
};

struct http_handler {
    void *ctx;
    /* A head is complete. The handler answers at once or later, on this thread. */
    void (*on_request)(void *ctx, struct http_req *req);
    /* The connection died (or is shut down) before the reply ended. Not called after it ended. */
    void (*on_close)(void *ctx, struct http_req *req);
};

/* Header by name without case; STR_NONE when absent. The first of several. */
struct str http_header(const struct http_req *req, struct str name);

/* A number of the handler's that lives as long as the connection; 0 at its start. */
int *http_conn_mark(struct http_req *req);
/* Addresses of the connection's two ends. ERR_CLOSED when it is broken. */
enum err http_conn_ends(const struct http_req *req, struct sockaddr_storage *ret_local,
                        struct sockaddr_storage *ret_peer) WARN_UNUSED;
/* The connection is somebody's whom the handler knows: it does not give way to new ones. Before the
 * reply ended. */
void http_vouch(struct http_req *req);
/* Whether somebody vouched for the connection, at this request or an earlier one. */
bool http_vouched(const struct http_req *req);

/* --- request body ----------------------------------------------------------------------------- */

/* Asks for the body. on_body runs for each piece (borrowed for the call) and once with last = true
 * (maybe with len 0). err != ERR_OK: malformed chunk or over `max` bytes (ERR_LIMIT); then no
 * further call, and the handler should reply (the connection closes after). */
void http_body_start(struct http_req *req, uint64_t max,
                     void (*on_body)(struct http_req *req, const void *p, size_t len, bool last,
                                     enum err err));
/* Stops and restarts delivery, for backpressure. */
void http_body_pause(struct http_req *req);
void http_body_resume(struct http_req *req);

/* --- reply ------------------------------------------------------------------------------------ */

/* Whole reply at once. `headers` need no Content-Length, Date or Connection: they are added (those
 * of the handler are dropped, but for a Content-Length in a reply to HEAD). Body bytes are copied
 * or written before return. For HEAD the body is left out but its length is told. Status 204 and
 * 304 carry none. The request is gone; its arena lives until the handler has returned to the loop.
 */
void http_reply(struct http_req *req, int status, const struct http_header *headers,
                size_t n_headers, struct str body);

/* Streamed reply: head first; `length` >= 0 gives Content-Length, -1 chunked encoding. */
void http_reply_start(struct http_req *req, int status, const struct http_header *headers,
                      size_t n_headers, int64_t length);
/* Queues body bytes (copied). Returns false when more than HTTP_WRITE_HIGH is queued or the
 * connection broke: the writer then waits for on_drain, set with http_reply_on_drain, or on_close.
 */
bool http_reply_write(struct http_req *req, const void *p, size_t len);
void http_reply_on_drain(struct http_req *req, void (*on_drain)(struct http_req *req));
/* Ends the reply; the request is gone. Fewer bytes than promised closes the connection. */
void http_reply_end(struct http_req *req);
/* Breaks the connection, or the stream: for a body that fails half-way. The request is gone; no
 * on_close. */
void http_reply_abort(struct http_req *req);

/* --- server ----------------------------------------------------------------------------------- */

struct http_server;

struct http_server_config {
    /* A socket that listens already, taken over when the server was made; host and port are then not
     * looked at. */
    bool has_listener;
    int listener;
    const char *host;     /* numeric address */
    uint16_t port;        /* 0: any free one */
    const char *tls_cert; /* PEM chain path; NULL: plain */
    const char *tls_key;
    struct io_loop **loops; /* each accepts; borrowed */
    size_t n_loops;
    struct http_handler handler;
    int64_t head_timeout_ms; /* first byte to end of head; 0 = 30,000 */
    int64_t idle_timeout_ms; /* between requests; 0 = 75,000 */
    /* Without progress while the body is wanted, and before its average rate counts
     * (HTTP_BODY_RATE_MIN); 0 = 60,000. */
    int64_t body_timeout_ms;
    int64_t write_timeout_ms; /* without progress of a reply; 0 = 60,000 */
    size_t connections_max;   /* over it: accepted and closed with 503; 0 = 10,000 */
    /* Connections that nobody vouched for (http_vouch), over which the oldest that waits for input
     * gives way to a new one; 0: as many as there may be. */
    size_t strangers_max;
    size_t output_max;        /* bytes of replies that wait for their readers; 0 = 256 MiB */
    size_t request_arena_max; /* bytes; 0 = 64 MiB */
};

/* Binds and listens on every loop (loops may already run). On failure writes a sentence for the
 * user to *ret_why (arena-free static or inside the server's config lifetime): address in use,
 * not permitted, bad certificate. ERR_EXISTS busy port, ERR_DENIED, ERR_INVALID, ERR_IO. */
enum err http_server_new(const struct http_server_config *cfg, struct http_server **ret_server,
                         char *ret_why, size_t why_size) WARN_UNUSED;
uint16_t http_server_port(const struct http_server *server);

/* TLS for names that are known only when a client says them. */
struct http_tls_ctx;
struct http_tls_names {
    void *arg;
    /* Certificate and key for `name` (lower case not assured; empty when the client named none), each
     * with a reference for the caller. Any error refuses the handshake. Any thread. */
    enum err (*find)(void *arg, struct str name, struct x509_st **ret_cert,
                     struct evp_pkey_st **ret_key);
};
/* `names` is borrowed for the life of the context and of every session. ERR_NOMEM. */
enum err http_tls_ctx_by_name(const struct http_tls_names *names,
                              struct http_tls_ctx **ret_ctx) WARN_UNUSED;
void http_tls_ctx_free(struct http_tls_ctx *ctx);

/* Takes a connection that somebody else accepted (non-blocking), on the thread of one of the server's
 * loops; `tls` NULL: plain. Its http_conn_mark begins as `mark`, not 0. While the server drains, and over
 * the cap, which is half of connections_max for all such ones, it is closed. */
void http_server_adopt(struct http_server *server, int fd, struct http_tls_ctx *tls, int mark);
/* Stops accepting, closes idle connections, lets running requests end within `grace_ms`, then
 * closes them (on_close). `done` on the home loop's thread. */
void http_server_drain(struct http_server *server, int64_t grace_ms, void (*done)(void *arg),
                       void *arg);
/* After drain and after the loops stopped. */
void http_server_free(struct http_server *server);
/* Open connections now. */
size_t http_server_connections(const struct http_server *server);

#endif
