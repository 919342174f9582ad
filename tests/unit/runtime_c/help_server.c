#include "help_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* Whether the last chunk and what trails it are there; in this peer's requests no piece looks like it. */
static int chunks_ended(const char *end, size_t n)
{
    return memmem(end, n, "\r\n0\r\n", 5) && memcmp(end + n - 4, "\r\n\r\n", 4) == 0;
}

/* One whole request into `out`; 0 when the peer closed. */
static int read_request(int fd, char *out)
{
    size_t n = 0;
    for (;;) {
        ssize_t r = read(fd, out + n, HELP_REQUEST_MAX - 1 - n);
        if (r <= 0)
            return 0;
        n += (size_t)r;
        out[n] = 0;
        char *end = strstr(out, "\r\n\r\n");
        if (end && strcasestr(out, "transfer-encoding: chunked")) {
            if (chunks_ended(end, n - (size_t)(end - out)))
                return 1;
            continue;
        }
        char *length = end ? strcasestr(out, "content-length:") : NULL;
        if (end && n >= (size_t)(end + 4 - out) + (length ? strtoul(length + 15, NULL, 10) : 0))
            return 1;
    }
}

static void *serve(void *arg)
{
    struct help_server *s = arg;
    int c = -1;
    for (size_t i = 0; i < s->n_replies;) {
        if (c < 0)
            c = accept(s->fd, NULL, NULL);
        if (c < 0)
            break;
        if (!read_request(c, s->requests[s->n_requests])) {
            close(c);
            c = -1;
            continue;
        }
        s->n_requests++;
        const struct help_reply *r = &s->replies[i++];
        if (r->bytes && write(c, r->bytes, strlen(r->bytes)) < 0)
            break;
        if (!r->bytes || r->close_after) {
            close(c);
            c = -1;
        }
    }
    if (c >= 0)
        close(c);
    close(s->fd);
    return NULL;
}

void help_server_start(struct help_server *s, const struct help_reply *replies, size_t n)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t size = sizeof a;
    pthread_t thread;
    memset(s, 0, sizeof *s);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->replies = replies;
    s->n_replies = n;
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(s->fd, 8) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&a, &size) != 0)
        abort();
    s->port = ntohs(a.sin_port);
    if (pthread_create(&thread, NULL, serve, s) != 0)
        abort();
    s->thread = (unsigned long)thread;
}

void help_server_join(struct help_server *s)
{
    pthread_join((pthread_t)s->thread, NULL);
}
