/* The inside of src/http: parsers, connection, shard (the part of a server that lives on one loop).
 *
 * Layer: http. Thread: a shard, its connections and their requests on the shard's loop only. */
#ifndef WEIR_HTTP_HTTP_INT_H
#define WEIR_HTTP_HTTP_INT_H

#include <netinet/in.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/http.h"

enum {
    HTTP_METHOD_MAX = 32,        /* bytes */
    HTTP_TRAILER_COUNT_MAX = 64, /* trailer fields */
    HTTP_LINGER_MS = 2000,       /* how long a closing connection swallows what still comes in */
    HTTP_ACCEPT_BATCH = 16,      /* connections accepted per wake-up */
    HTTP_COPY_MAX = 16 * 1024,   /* bodies up to this go out in one buffer with the head */
    HTTP_REPLY_HEAD_MAX = 256 * 1024,
    HTTP_BODY_RATE_MIN = 1024, /* bytes a second that a body has to keep up, over body_timeout_ms */
    HTTP_PROBE_FIRST_MS = 100, /* whether a peer that shut its side is still there */
    HTTP_PROBE_MAX_MS = 16000,
    HTTP_EVICT_LOOK_MAX = 64, /* strangers looked at to find one that can go */
};

/* --- parsers (pure) --------------------------------------------------------------------------- */

enum http_parse { HTTP_MORE, HTTP_DONE, HTTP_BAD };

/* Finds the end of a head that arrives in pieces. Zeroed before use. */
struct http_scan {
    size_t scanned;    /* bytes already looked at */
    size_t line_start; /* where the unfinished line begins */
    size_t skip;       /* length of the empty line that may stand before the head: 0 or 2 */
    unsigned lines;    /* finished lines of the head */
};

/* Looks at the first `len` bytes of the connection's input, of which earlier calls saw a prefix.
 * HTTP_DONE: *ret_len bytes, empty lines included, are the head. HTTP_BAD: *ret_status. */
enum http_parse http_head_scan(struct http_scan *s, const char *p, size_t len, size_t *ret_len,
                               int *ret_status);

/* Parses a whole head as http_head_scan found it, into req's members (method .. keep_alive) with
 * header memory from req->arena; strings borrow from `head`. 0, or the status to refuse with. */
int http_head_parse(struct http_req *req, struct str head, const struct http_scan *s);

/* The same judgement of a head that came in parts: fills req's members from its method, its target and
 * the fields in req->headers, "Host" among them. 0, or the status to refuse with. */
int http_head_check(struct http_req *req, struct str method, struct str target);
/* Whether name and value could stand in a field line. */
bool http_field_valid(const struct http_header *field);

/* One field line without its CRLF. False when malformed. */
bool http_field_parse(struct str line, struct http_header *ret_field);

enum http_chunk_state {
    CHUNK_SIZE_FIRST, /* a hex digit must come */
    CHUNK_SIZE,
    CHUNK_EXT,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER,
    CHUNK_END,
};

struct http_chunk {
    enum http_chunk_state state;
    uint64_t left;       /* of the size line or the data */
    size_t line_len;     /* bytes of the size line so far */
    struct buf trailers; /* trailer section, in the request's arena */
    size_t line_start;   /* in trailers */
};

void http_chunk_init(struct http_chunk *c, struct arena *arena);
/* Consumes *ret_used bytes. HTTP_MORE with data: *ret_data borrows from p. HTTP_MORE without:
 * feed more. HTTP_DONE: the body ended (trailers are complete). HTTP_BAD: malformed. */
enum http_parse http_chunk_feed(struct http_chunk *c, const char *p, size_t len, size_t *ret_used,
                                struct str *ret_data);
/* Fields of the trailer section after HTTP_DONE. ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
enum err http_chunk_trailers(const struct http_chunk *c, struct arena *arena,
                             struct http_header **ret_fields, size_t *ret_n) WARN_UNUSED;

/* --- reply heads (pure) ----------------------------------------------------------------------- */

const char *http_reason(int status);
/* Of replies that have no body and no length. */
static inline bool http_status_bodyless(int status)
{
    return status == 204 || status == 304;
}

struct http_reply_head {
    int status;
    const struct http_header *headers;
    size_t n_headers;
    int64_t length; /* -1: none is told */
    bool chunked;
    bool close;   /* tell "Connection: close" */
    bool is_head; /* reply to HEAD: the handler may tell the length itself */
    struct str date;
};
/* Appends status line and headers, with the empty line. The handler's Content-Length, Date,
 * Connection and Transfer-Encoding are left out (but see is_head), CR, LF and NUL in values become
 * spaces. */
void http_reply_head_write(struct buf *out, const struct http_reply_head *head);
/* Whether a field of the handler's is left out for the framing's own. */
bool http_reply_drops(const struct http_reply_head *head, const struct http_header *field);
/* `value` with CR, LF and NUL as spaces, into `ret_text`, as long as it. */
void http_reply_value(struct str value, char *ret_text);

/* --- connections ------------------------------------------------------------------------------ */

enum conn_state {
    CONN_HEAD,    /* between requests, or a head that is not complete; nothing came yet */
    CONN_REQUEST, /* with the handler */
    CONN_DRAIN,   /* replied; the rest of the body is swallowed */
    CONN_STREAMS, /* HTTP/2: requests are with its streams */
    CONN_LINGER,  /* no more requests: our side is shut, what comes in is swallowed */
    CONN_CLOSED,  /* handle is closing */
};

struct http_tls;
struct http_conn;
struct http_exchange;

/* How a request comes and its reply goes: what HTTP/1.1 and HTTP/2 do differently. No member calls the
 * handler; output that fails marks the connection. */
struct http_framing {
    /* The reply's head and all of its body (empty for HEAD and the like), borrowed. */
    void (*whole)(struct http_exchange *x, struct http_reply_head *head, struct str body);
    /* The head of a reply whose body follows by `data` and ends by `last`. */
    void (*head)(struct http_exchange *x, struct http_reply_head *head);
    void (*data)(struct http_exchange *x, const void *p, size_t len); /* copied; never bodyless */
    void (*last)(struct http_exchange *x);
    /* The peer must see that the reply is not whole. */
    void (*abort)(struct http_exchange *x);
    /* Tells the peer that the body is wanted. */
    void (*go_on)(struct http_exchange *x);
    /* Bytes of the reply that wait for the peer. */
    size_t (*waiting)(const struct http_exchange *x);
    /* The handler asked for the body, resumed it, or ended the reply: to be looked at at the next safe
     * point. */
    void (*changed)(struct http_exchange *x);
};

/* A request and its reply; lifetime: HTTP/1.1's connection, HTTP/2's stream, used again for the next. */
struct http_exchange {
    struct http_req req;
    struct arena arena;
    struct http_conn *conn;
    const struct http_framing *framing;
    struct list
        open; /* in conn->open while the request is with the handler, which is owed an end */

    /* request body */
    void (*on_body)(struct http_req *, const void *, size_t, bool, enum err);
    uint64_t body_seen;
    uint64_t body_max;
    int64_t body_ms;  /* when it was asked for, plus the time of pauses */
    int64_t pause_ms; /* when the present pause began */
    bool body_wanted, body_paused;
    bool body_read;   /* all of it came off the wire */
    bool body_told;   /* last piece or error was delivered */
    bool body_failed; /* malformed or too long: what is left of it cannot be used */
    bool continue_sent;

    /* reply */
    void (*on_drain)(struct http_req *);
    int64_t reply_left; /* -1: unbounded */
    bool reply_started, reply_ended;
    bool reply_bodyless; /* HEAD, 204, 304 */
    bool drain_wanted;   /* http_reply_write said false */
};

struct http_conn {
    uv_tcp_t tcp;
    struct http_shard *shard;
    struct list link;     /* in shard->conns */
    struct list deferred; /* in shard->deferred */
    struct list stranger; /* in shard->strangers, until somebody vouched for it */
    struct list writing;  /* in shard->writing, while `queued` or `held` */
    struct list open;     /* exchanges that are with the handler */
    enum conn_state state;
    bool processing; /* inside http_conn_consume: callbacks need not schedule anything */
    bool failed;     /* socket or memory failed: close at the next safe point */
    bool reading;
    bool agreed;   /* plaintext came: the protocol is known */
    bool adopted;  /* counted in server->n_adopted */
    bool shut;     /* uv_shutdown done */
    bool disowned; /* `queued` and `held` are no longer in the shard's: it gave way */
    bool eof;      /* the peer shut its side: nothing more comes in */
    bool sealed;   /* uv_shutdown begun */
    bool unread;   /* the peer may have sent what we will not read: linger before closing */

    /* HTTP/1.1 */
    struct buf in; /* input that could not be used at once; bounded by one head and two reads */
    struct http_scan scan;
    struct http_exchange x; /* valid in CONN_REQUEST, CONN_DRAIN */
    struct http_chunk chunk;
    uint64_t body_left; /* of a Content-Length body */
    uint64_t drained;
    bool reply_chunked;
    bool close_after;

    struct http_h2 *h2; /* in CONN_STREAMS, and until the end */

    size_t queued;    /* bytes in unfinished writes */
    size_t held;      /* bytes of replies that streams may not send yet */
    size_t last_left; /* libuv's queue at the last look of the timer: progress within one write */

    struct io_timer timer;
    int64_t deadline_ms; /* monotonic; INT64_MAX: none */
    int64_t armed_ms;    /* when `timer` will look; INT64_MAX: not armed */
    int64_t head_ms;     /* first byte of the present head; 0: none yet */
    int64_t write_ms;    /* last progress of the write queue */
    int64_t phase_ms;    /* CONN_DRAIN, CONN_LINGER: when it began */
    int64_t probe_ms;    /* until the next look whether the peer is still there; 0: none yet */

    struct http_tls *tls;
    uv_shutdown_t shutdown_req;
    char peer[INET6_ADDRSTRLEN];
    uint16_t peer_port;
    int mark; /* the handler's */
};

/* The part of a server on one loop. */
struct http_shard {
    struct http_server *server;
    struct io_loop *loop;
    uv_poll_t poll;
    uv_prepare_t prepare;
    bool running;   /* prepare and poll are initialised */
    bool accepting; /* poll is open */
    bool draining;
    struct list conns;
    struct list deferred;
    struct list strangers; /* connections nobody vouched for, oldest first */
    struct list writing;   /* connections with output waiting, the longest without progress first */
    size_t queued;         /* bytes of their output */
    size_t kept;           /* bytes of bodies that streams hold for their handlers */
    _Atomic size_t n_conns; /* also those on their way here */
    char *read_buf;         /* HTTP_READ_BYTES */
    char *plain_buf;        /* HTTP_READ_BYTES, once there was a connection with TLS */
    struct buf out;         /* reply head under construction */
    int64_t date_s;
    char date[CLOCK_TEXT_MAX];
    size_t date_len;
    struct io_task task;       /* start, drain */
    struct io_task drain_task; /* stop accepting: start may not have run yet */
    struct io_task report;     /* to the home loop */
    struct io_timer grace;
};

/* --- exchanges -------------------------------------------------------------------------------- */

/* `framing` is static. */
void http_exchange_init(struct http_exchange *x, struct http_conn *c,
                        const struct http_framing *framing);
/* Ready for the next request, without memory of the last. */
void http_exchange_clear(struct http_exchange *x);
void http_exchange_release(struct http_exchange *x);
static inline bool http_exchange_busy(const struct http_exchange *x)
{
    return list_linked(&x->open);
}
/* The head stands in x->req: it goes to the handler. */
void http_exchange_begin(struct http_exchange *x);
/* The handler is told that nothing will come of it; nothing when it was not with the handler. */
void http_exchange_close(struct http_exchange *x);
/* The handler waits for more of the body. */
static inline bool http_exchange_wants(const struct http_exchange *x)
{
    return x->body_wanted && !x->body_paused && !x->body_told;
}
/* A piece of the body to the handler, or over its limit the error; `last`: there is no more. While it
 * wants. */
void http_exchange_tell(struct http_exchange *x, const char *p, size_t len, bool last);
void http_exchange_tell_error(struct http_exchange *x, enum err err);
/* While it wants: when the body is too slow, on the loop's clock. */
int64_t http_exchange_body_deadline(const struct http_exchange *x);
/* Enough was written for the handler to go on, if it waits for that. */
void http_exchange_drained(struct http_exchange *x);

/* --- HTTP/2 (http_h2_int.h) ------------------------------------------------------------------- */

struct http_h2;
/* Its session agreed on HTTP/2: what comes goes to http_h2_input from now on, while the connection is in
 * CONN_STREAMS. On failure the connection is marked. */
void http_h2_open(struct http_conn *c);
void http_h2_input(struct http_conn *c, const char *p, size_t len);
/* Does what is deferred, and sends. */
void http_h2_run(struct http_conn *c);
/* When to look whether a time limit passed, on the loop's clock; and that look. */
int64_t http_h2_deadline(const struct http_conn *c);
void http_h2_expire(struct http_conn *c);
/* No new streams: it ends with the last. */
void http_h2_drain(struct http_conn *c);
/* When the connection's handles are closed. NULL: nothing. */
void http_h2_free(struct http_h2 *h2);

/* --- lower half of a connection --------------------------------------------------------------- */

/* Milliseconds of the loop's monotonic clock. */
static inline int64_t http_conn_now(const struct http_conn *c)
{
    return (int64_t)uv_now(io_loop_uv(c->shard->loop));
}
/* Runs http_conn_run before the loop next waits, unless the connection is being worked on. */
void http_conn_defer(struct http_conn *c);
/* A request is with the handler, which is owed an on_close if the connection dies. */
static inline bool http_conn_busy(const struct http_conn *c)
{
    return !list_empty(&c->open);
}
/* http_h1.c: HTTP/1.1. Works on input; returns how many bytes were used. */
extern const struct http_framing http_h1_framing;
size_t http_conn_consume(struct http_conn *c, const char *p, size_t len);
/* Sends "100 Continue". */
void http_h1_continue(struct http_conn *c);
/* No more replies: closes our side once everything is written, then the rest. */
void http_conn_finish(struct http_conn *c);
/* Answers on http's own account and ends the connection; no request is with the handler. */
void http_conn_refuse(struct http_conn *c, int status);
/* Writes a head into the shard's buffer; false: memory failed, the connection is marked. */
bool http_conn_compose(struct http_conn *c, const struct http_reply_head *head);
/* Output that waits inside the connection, not yet on the socket: more, less. */
void http_conn_hold(struct http_conn *c, size_t len);
void http_conn_unhold(struct http_conn *c, size_t len);
/* Tells the handler that nothing will come of what it has of this connection. */
void http_conn_orphan(struct http_conn *c);
/* Sends plaintext. */
void http_conn_write(struct http_conn *c, uv_buf_t *bufs, unsigned n);
static inline uv_buf_t http_buf(const void *p, size_t len)
{
    return (uv_buf_t){.base = (char *)(uintptr_t)p, .len = len};
}

/* Takes `fd`, a connected non-blocking socket. On failure closes it. `tls` NULL: plain. */
void http_conn_open(struct http_shard *shard, int fd, struct http_tls_ctx *tls, int mark);
/* Closes now; a request with the handler gets on_close. */
void http_conn_close(struct http_conn *c);
/* Carries on with deferred work. */
void http_conn_run(struct http_conn *c);
/* Draining began: closes it when it is between requests. */
void http_conn_drain(struct http_conn *c);
/* Puts bytes on the socket, as they are. Copies what the socket does not take at once. */
void http_conn_write_raw(struct http_conn *c, uv_buf_t *bufs, unsigned n);
/* Marks it broken; it is closed at the next safe point, never inside this call. */
void http_conn_fail(struct http_conn *c);
/* http_shard.c: drops a hold on the server; the last one frees it. */
void http_server_unref(struct http_server *server);
/* Stops accepting on this loop; harmless when it does not. */
void http_shard_close_poll(struct http_shard *shard);
void http_shard_close_prepare(struct http_shard *shard);
/* While draining: reports to the home loop once no connection is left. */
void http_shard_check_drained(struct http_shard *shard);
/* Called by a connection whose handles are closed. */
void http_shard_conn_gone(struct http_shard *shard);
/* http_shard.c: gives back the place of a connection, whose descriptor is closed now. */
void http_server_leave(struct http_server *server, bool adopted, bool stranger);
struct str http_shard_date(struct http_shard *shard);

/* --- TLS -------------------------------------------------------------------------------------- */

enum err http_tls_ctx_new(const char *cert_path, const char *key_path,
                          struct http_tls_ctx **ret_ctx, char *ret_why,
                          size_t why_size) WARN_UNUSED;
/* What a session asks of its connection. `ctx` is the one given to http_tls_new. */
struct http_tls_io {
    /* Ciphertext for the socket; copied where it does not go out at once. */
    void (*send)(void *ctx, uv_buf_t *bufs, unsigned n);
    /* Plaintext, borrowed. False: the connection is closed, and the session may be gone soon. */
    bool (*plain)(void *ctx, const char *p, size_t len);
    /* The peer said that it will send no more. */
    void (*eof)(void *ctx);
    /* Broken: no further call of the session has an effect. */
    void (*fail)(void *ctx);
};
/* `io` is static. ERR_NOMEM. */
enum err http_tls_new(struct http_tls_ctx *ctx, const struct http_tls_io *io, void *io_ctx,
                      struct http_tls **ret_tls) WARN_UNUSED;
void http_tls_free(struct http_tls *tls);
/* What was agreed on, "1.2" or later; once plaintext came. */
struct str http_tls_version(const struct http_tls *tls);
/* Ciphertext from the socket. `scratch` holds HTTP_READ_BYTES. */
void http_tls_input(struct http_tls *tls, char *scratch, const char *p, size_t len);
/* Plaintext to the peer. */
void http_tls_write(struct http_tls *tls, const uv_buf_t *bufs, unsigned n);
/* Whether HTTP/2 was agreed on; once plaintext came. */
bool http_tls_is_h2(const struct http_tls *tls);
/* Sends close_notify. */
void http_tls_shutdown(struct http_tls *tls);

struct http_server {
    struct http_server_config cfg;
    struct http_tls_ctx *tls;
    int fd;       /* listening socket */
    int spare_fd; /* given up for a moment when descriptors run out */
    uint16_t port;
    struct http_shard *shards;
    size_t n_shards;
    _Atomic size_t refs; /* open handles, and the owner */
    /* Places, from acceptance to close. */
    _Atomic size_t n_open;
    _Atomic size_t n_adopted; /* those of them that http_server_adopt took */
    _Atomic size_t n_strangers;
    /* draining; home loop's thread */
    size_t reports;
    int64_t grace_ms;
    void (*done)(void *arg);
    void *done_arg;
};

#endif
