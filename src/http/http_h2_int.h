/* The inside of HTTP/2: a session (one connection's, nghttp2 does the frames) and its streams, each of
 * which carries one exchange.
 *
 *   http_conn.c -> http_h2.c (session: input, output, time limits, ends)
 *                    -> http_h2_stream.c (a stream: request, body, reply)
 *                         -> http_h2_head.c, http_h2_guard.c (pure), http_h2_mem.c
 *
 * Layer: http. Thread: the shard's loop. */
#ifndef WEIR_HTTP_HTTP_H2_INT_H
#define WEIR_HTTP_HTTP_H2_INT_H

#include <nghttp2/nghttp2.h>

#include "http/http_int.h"

enum {
    HTTP_H2_STREAMS_MAX = 100,       /* at a time, of a connection */
    HTTP_H2_STREAM_WINDOW = 1 << 17, /* bytes of a body that come unasked */
    HTTP_H2_CONN_WINDOW = 1 << 18,   /* bytes on the wire of all of a connection's streams */
    /* Bytes of bodies that streams hold for handlers that pause, of the whole server. Over it they count
     * against their connection's window until their handlers have taken them. */
    HTTP_H2_KEPT_MAX = 64 * 1024 * 1024,
    HTTP_H2_BLOCK_MAX = 4 * HTTP_HEAD_MAX, /* decoded bytes of one block of fields */
    HTTP_H2_FIELD_COST = 32,               /* what RFC 9113 section 6.5.2 adds to each field */
    HTTP_H2_TABLE_MAX = 4096,              /* bytes of the compression table of what we send */
    HTTP_H2_SESSION_MAX = 2 * 1024 * 1024, /* bytes that nghttp2 may hold for a connection */
    HTTP_H2_ACKS_MAX = 64,                 /* answers to PING and SETTINGS that wait to be sent */
    HTTP_H2_SETTINGS_MAX = 32,             /* entries of a SETTINGS frame */
    HTTP_H2_OUT_HIGH = 128 * 1024, /* on the socket's queue, above which frames are not made */
    HTTP_H2_OUT_BATCH = 64 * 1024, /* bytes of frames that are written together */
    /* What a peer may cost that does no work: see http_h2_guard.c. */
    HTTP_H2_PATIENCE_MAX = 4000,
    HTTP_H2_PATIENCE_PER_S = 400,
    HTTP_H2_COST_FRAME =
        1, /* PING, SETTINGS, PRIORITY, WINDOW_UPDATE, unknown, empty DATA, HEADERS */
    HTTP_H2_COST_RESET = 20,   /* a stream that either side broke off */
    HTTP_H2_EARN_REPLY = 5,    /* a reply that went out whole */
    HTTP_H2_EARN_BYTES = 1024, /* of bodies, both ways: earn one */
};

/* --- fields of a head or of trailers (pure) --------------------------------------------------- */

/* Zeroed and with its limits set before use. Memory is the arena's. */
struct http_h2_head {
    struct arena *arena;
    size_t bytes_max, fields_max;
    size_t bytes; /* counted as RFC 9113 section 6.5.2 does */
    struct str method, scheme, authority, target;
    struct http_header *fields; /* the first is kept free for "Host" */
    size_t n, cap;
    struct buf cookies;
    size_t cookie_at; /* index of the field; 0: none */
    bool has_length;
    int status; /* to refuse with; 0: none so far */
};
/* The next field, copied. False: over HTTP_H2_BLOCK_MAX, the connection is to end. */
bool http_h2_head_add(struct http_h2_head *h, struct str name, struct str value) WARN_UNUSED;
/* All fields came: fills in req. `ended`: no body follows. 0, or the status to refuse with. */
int http_h2_head_finish(struct http_h2_head *h, struct http_req *req, bool ended);

/* --- what a session may cost (pure) ----------------------------------------------------------- */

struct http_h2_guard {
    int64_t patience; /* what is left */
    int64_t last_ms;  /* when it was last refilled */
    uint64_t bytes;   /* of bodies that have earned nothing yet */
    size_t memory;    /* bytes that nghttp2 holds */
};
void http_h2_guard_init(struct http_h2_guard *g, int64_t now_ms);
/* False: none is left. */
bool http_h2_guard_spend(struct http_h2_guard *g, int64_t now_ms, int cost);
void http_h2_guard_earn(struct http_h2_guard *g, int n);
void http_h2_guard_bytes(struct http_h2_guard *g, size_t n);

/* --- session and streams ---------------------------------------------------------------------- */

struct http_h2 {
    struct http_conn *conn;
    nghttp2_session *session;
    struct http_h2_guard guard;
    struct list streams;
    struct list ready; /* streams with something to do at the next safe point */
    size_t n_streams;
    struct http_h2_stream *spare; /* one that ended, for the next */
    int64_t look_ms;              /* no stream's time limit is before */
    int64_t idle_ms;              /* since when there is no stream */
    bool ending;                  /* GOAWAY is sent: when the streams have ended, so does it */
    bool broken; /* no more input: what is still to be sent goes out, then it ends */
};

/*   head --END_HEADERS--> with the handler --reply ended--> over --both ends closed--> freed
 *     |-- refused ------------------------------------------^
 * nghttp2 may close the stream at any time (`gone`): the handler is told, and it is freed at the next
 * safe point. */
struct http_h2_stream {
    struct http_exchange x;
    struct http_h2 *h2;
    int32_t id;
    struct list link, ready;
    bool begun;       /* its head is complete */
    bool over;        /* the reply ended, and what the request held was released */
    bool sent;        /* the reply's last frame went out */
    bool broken;      /* RST_STREAM is submitted */
    bool gone;        /* nghttp2 has closed it */
    int64_t phase_ms; /* head: its begin; over: when the reply went out */

    struct http_h2_head head; /* of the request, later of its trailers */

    struct buf in;      /* body that its handler has not taken; bounded by the stream's window */
    size_t owed;        /* of it, what the connection's window has not got back */
    uint64_t swallowed; /* body bytes that nobody wanted */

    struct buf out; /* reply body, from out_at on not yet framed */
    size_t out_at;
    bool out_last;    /* nothing will be added */
    bool out_asleep;  /* nghttp2 waits to be told of more */
    int64_t moved_ms; /* when output last went on */
};

/* http_h2_mem.c: what nghttp2 allocates, counted and bounded. */
nghttp2_mem http_h2_mem(struct http_h2_guard *g);
/* Releases what a stream holds, without a word to anybody. */
void http_h2_stream_free(struct http_h2_stream *s);

/* http_h2_stream.c. A stream of `id` with nothing but its place. NULL: out of memory. */
struct http_h2_stream *http_h2_stream_new(struct http_h2 *h2, int32_t id);
/* The head is complete; `ended`: there is no body. */
void http_h2_stream_request(struct http_h2_stream *s, bool ended);
void http_h2_stream_data(struct http_h2_stream *s, const char *p, size_t len);
/* Trailers came; all of the body has come. */
void http_h2_stream_trailers(struct http_h2_stream *s);
void http_h2_stream_body_end(struct http_h2_stream *s);
/* The last frame of the reply went out. */
void http_h2_stream_sent(struct http_h2_stream *s);
/* nghttp2 closed it. */
void http_h2_stream_closed(struct http_h2_stream *s);
/* Does what is to be done at a safe point; may free it. */
void http_h2_stream_work(struct http_h2_stream *s);
/* Its time limit on the loop's clock, INT64_MAX for none, and what comes of it. */
int64_t http_h2_stream_deadline(const struct http_h2_stream *s);
void http_h2_stream_expire(struct http_h2_stream *s);

#endif
