/* A server with a handler that tests can steer by path, and a blocking client.
 *
 *   /hello   replies "hello"                       /echo    replies with the request's body
 *   /ignore  replies "ignored" without the body    /slow    as /echo, pausing after each piece
 *   /hold    never replies                         /late    replies "late" from a timer
 *   /stream  replies with `stream_bytes`, waiting for on_drain; /chunks the same without a length
 *   /short   promises 10 bytes and ends after 5    /abort   begins a reply and breaks it off
 *   /inject  puts CR LF into a header              /trailer replies with the trailer fields
 *   /small   as /echo with a body limit of 10      /none    replies 204
 *   /known   vouches for the connection                /fields  replies with the head
 *   /early   replies when the first piece of the body came */
#ifndef WEIR_TESTS_HTTP_HELP_SERVER_H
#define WEIR_TESTS_HTTP_HELP_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "http/http.h"

/* Longer than a busy machine takes for anything, in seconds. */
enum { PATIENCE_S = 120 };

struct fixture {
    struct http_server_config cfg; /* filled by fixture_init; change before fixture_start */
    struct io_loop *loops[2];
    size_t n_loops;
    struct http_server *server;
    uint64_t stream_bytes;
    _Atomic int requests, closes;
    _Atomic int marks;         /* the test's own, see mark */
    _Atomic uint64_t streamed; /* bytes accepted by http_reply_write */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* requests, closes, drained */
    bool drained;
};

void fixture_init(struct fixture *f, size_t n_loops);
void fixture_start(struct fixture *f);
/* Drains with `grace_ms` and waits for its end. */
void fixture_drain(struct fixture *f, int64_t grace_ms);
/* Begins to drain. */
void fixture_drain_begin(struct fixture *f, int64_t grace_ms);
void fixture_drain_wait(struct fixture *f);
void fixture_stop(struct fixture *f);
/* Waits until the counter is at least n (fails the test after PATIENCE_S). */
void wait_requests(struct fixture *f, int n);
void wait_closes(struct fixture *f, int n);
/* For what a test runs on the loop itself: counts, and waits for the count. */
void mark(struct fixture *f);
void wait_marks(struct fixture *f, int n);

/* Connected socket with a receive time limit of 10 s. */
int dial(const struct fixture *f);
void send_all(int fd, const char *p, size_t len);
void send_text(int fd, const char *text);
/* Reads until `len` bytes, the end or a reset came; returns the count. */
size_t read_up_to(int fd, char *p, size_t len);
/* Reads one reply with Content-Length or chunked coding; the body, decoded, goes to `body` (NUL
 * added), the head to `head`. Returns the status, 0 at the end of the connection. */
int read_reply(int fd, char *head, size_t head_size, char *body, size_t body_size, size_t *ret_len);
/* True when the peer closes (or resets) without sending anything more. */
bool at_end(int fd);

#endif
