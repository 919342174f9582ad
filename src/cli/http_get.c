#include "cli/http_get.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static enum err dial(const char *host, const char *port, int *ret_fd)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    if (getaddrinfo(host, port, &hints, &list) != 0)
        return ERR_CLOSED;
    enum err err = ERR_CLOSED;
    for (struct addrinfo *a = list; a && err; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        struct timeval tv = {.tv_sec = HTTP_GET_TIMEOUT_S};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
        if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
            *ret_fd = fd;
            err = ERR_OK;
        } else {
            close(fd);
        }
    }
    freeaddrinfo(list);
    return err;
}

static enum err read_all(int fd, struct buf *b)
{
    for (;;) {
        char *p = buf_reserve(b, 4096);
        if (!p)
            return buf_err(b);
        ssize_t n = recv(fd, p, 4096, 0);
        if (n == 0)
            return ERR_OK;
        if (n < 0)
            return errno == EAGAIN ? ERR_TIMEOUT : ERR_CLOSED;
        buf_grew(b, (size_t)n);
    }
}

/* "HTTP/1.1 200 OK" ... blank line; the connection's end is the body's. */
static enum err split(struct str all, struct str *ret_body, int *ret_status)
{
    int64_t status;
    size_t end = str_find_str(all, STR("\r\n\r\n"));
    if (end == SIZE_MAX || !str_starts(all, STR("HTTP/1.")) ||
        str_to_i64(str_sub(all, 9, 3), &status) != ERR_OK)
        return ERR_INVALID;
    *ret_body = str_sub(all, end + 4, all.len);
    *ret_status = (int)status;
    return ERR_OK;
}

enum err http_get(const char *host, const char *port, const char *path, struct buf *body,
                  int *ret_status)
{
    int fd;
    TRY(dial(host, port, &fd));
    struct buf all;
    buf_init(&all, HTTP_GET_MAX);
    buf_add_fmt(&all, "GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n", path, host,
                port);
    enum err err = buf_err(&all);
    if (!err && send(fd, all.p, all.len, MSG_NOSIGNAL) != (ssize_t)all.len)
        err = ERR_CLOSED;
    buf_clear(&all);
    if (!err)
        err = read_all(fd, &all);
    struct str text = STR_NONE;
    if (!err)
        err = split(buf_str(&all), &text, ret_status);
    if (!err) {
        buf_add_str(body, text);
        err = buf_err(body);
    }
    buf_release(&all);
    close(fd);
    return err;
}
