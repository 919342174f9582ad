/* A client of HTTP/2 over TLS: nghttp2's own client side, driven over a blocking socket. */
#ifndef WEIR_TESTS_HTTP_HELP_H2_H
#define WEIR_TESTS_HTTP_HELP_H2_H

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "help_tls.h"

enum { H2_CALLS_MAX = 256 };

/* What came of one request. */
struct h2_call {
    int32_t id;
    int status;      /* of the final reply */
    int interim;     /* count of 1xx */
    struct buf head; /* "name: value\n" of the final reply */
    struct buf body; /* of the reply */
    bool ended;      /* the reply is whole */
    bool closed;     /* the stream is */
    uint32_t code;   /* and why, when it was broken off */
    /* request */
    const char *send; /* body, sent as windows allow; NULL: none */
    size_t send_len, sent;
    bool holds_back; /* the body's end is not sent */
    bool sleeps;     /* nghttp2 waits for h2_wake */
};

struct h2_client {
    struct client tls;
    nghttp2_session *session;
    struct h2_call calls[H2_CALLS_MAX];
    size_t n_calls;
    bool goaway, end; /* GOAWAY came; the connection ended */
    uint32_t goaway_code;
    int32_t goaway_last;
    uint32_t streams_max; /* as the server's SETTINGS say */
    int settings_acks, pings;
};

/* `window` 0: as large as can be, for streams and connection, else what a stream may send us. */
void h2_open(struct h2_client *c, const struct fixture *f, int32_t window);
void h2_close(struct h2_client *c);
/* Fields as "name: value" lines, pseudo fields among them, each ended by '\n'. Gives the call. */
struct h2_call *h2_call_fields(struct h2_client *c, const char *fields, const char *send,
                               size_t len);
struct h2_call *h2_call(struct h2_client *c, const char *method, const char *path, const char *send,
                        size_t len);
/* The rest of a body that was held back: its end. */
void h2_wake(struct h2_client *c, struct h2_call *call);
/* Sends what there is to send. */
void h2_flush(struct h2_client *c);
/* Sends bytes as they are, past nghttp2. */
void h2_raw(struct h2_client *c, const void *p, size_t len);
/* Sends, receives once (or more), until... Fails the test after PATIENCE_S without anything. */
void h2_step(struct h2_client *c);
void h2_until_closed(struct h2_client *c, const struct h2_call *call);
void h2_until_end(struct h2_client *c);
/* Whether the reply's head has this line; one that begins so. */
bool h2_says(const struct h2_call *call, const char *begin);
bool h2_has(const struct h2_call *call, const char *line);
/* Status and body. */
void h2_expect(struct h2_client *c, struct h2_call *call, int status, const char *body);

#endif
