/* A scripted HTTP peer on a loopback port: for each request that comes, the next reply. */
#ifndef HELP_SERVER_H
#define HELP_SERVER_H

#include <stddef.h>
#include <stdint.h>

enum { HELP_REQUESTS_MAX = 16, HELP_REQUEST_MAX = 8192 };

struct help_reply {
    const char *bytes; /* NULL: close without a reply */
    int close_after;
};

struct help_server {
    const struct help_reply *replies;
    size_t n_replies;
    uint16_t port;
    int fd;
    unsigned long thread;
    size_t n_requests;
    char requests[HELP_REQUESTS_MAX][HELP_REQUEST_MAX];
};

/* Starts a thread that serves the replies, then closes everything. */
void help_server_start(struct help_server *s, const struct help_reply *replies, size_t n);
/* Waits for its end. */
void help_server_join(struct help_server *s);

#endif
