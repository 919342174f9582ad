/* GET by HTTP or HTTPS, by libcurl: what the API answers.
 *
 * Layer: pipeline. Thread: one. */
#ifndef QUOTES_FETCH_H
#define QUOTES_FETCH_H

#include "base/buf.h"

enum {
    FETCH_BYTES_MAX = 1024 * 1024, /* of an answer */
    FETCH_TRIES_MAX = 3,
    FETCH_PAUSE_MS = 200, /* before the second try; twice that before the third */
    FETCH_REDIRECTS_MAX = 3,
    FETCH_CONNECT_TIMEOUT_MS = 3000,
    FETCH_TIMEOUT_MS = 8000, /* of a try */
};

/* Appends the body of a 200 answer to `body`. Tried again: no connection, a timeout, 429, 5xx.
 * ERR_NOT_FOUND: no libcurl; ERR_FAILED: no answer or another one; both with *ret_why. */
enum err fetch_get(struct arena *a, const char *url, struct buf *body,
                   struct str *ret_why) WARN_UNUSED;

#endif
