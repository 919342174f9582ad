/* A client connection with deadlines, plain or TLS, and HTTP/1.1 exchanges over it.
 *
 * Names are resolved here (numeric addresses, /etc/hosts, then DNS over UDP from /etc/resolv.conf)
 * because a statically linked getaddrinfo needs the very C library it was built with at run time,
 * which is not what AWS Lambda has. IPv4 only.
 *
 * Layer: runtime/c, internal. Thread: a connection belongs to one. */
#ifndef WEIR_RUNTIME_NET_H
#define WEIR_RUNTIME_NET_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    NET_HEAD_MAX = 64 * 1024, /* bytes of a reply's head */
    NET_HEADERS_MAX = 64,
    NET_HOST_MAX = 256,
    NET_READ = 64 * 1024,
    NET_NO_DEADLINE = 0,
};

struct net_header {
    struct str name, value;
};

struct net_conn {
    int fd;        /* -1: closed */
    void *ssl;     /* SSL *, NULL plain */
    struct buf in; /* bytes read and not yet used */
    size_t in_used;
    bool used; /* it carried an exchange before: the peer may have closed it since */
};

/* Addresses are those of clock_mono_ns(); NET_NO_DEADLINE waits for ever. */
void net_init(struct net_conn *c);
/* Connects; `tls` verifies the certificate for `host`. ERR_CLOSED, ERR_TIMEOUT, ERR_NOT_FOUND (no
 * such name), ERR_DENIED (certificate), ERR_NOMEM. */
enum err net_connect(struct net_conn *c, const char *host, uint16_t port, bool tls,
                     int64_t deadline_ns) WARN_UNUSED;
void net_close(struct net_conn *c);

/* One piece after the other, all of it. ERR_CLOSED, ERR_TIMEOUT. */
enum err net_send(struct net_conn *c, const struct str *pieces, size_t n,
                  int64_t deadline_ns) WARN_UNUSED;

struct net_reply {
    int status;
    struct net_header *headers; /* arena */
    size_t n_headers;
    bool keep; /* the connection may be used again */
};

/* Reads a reply; its body goes to `body` (cleared first). `head_request`: the reply has no body.
 * ERR_CLOSED before its end, ERR_TIMEOUT, ERR_INVALID not HTTP, ERR_LIMIT too long, ERR_NOMEM. */
enum err net_reply(struct net_conn *c, bool head_request, struct arena *arena,
                   struct net_reply *ret_reply, struct buf *body, int64_t deadline_ns) WARN_UNUSED;

/* IPv4 address of a name, network byte order. ERR_NOT_FOUND, ERR_TIMEOUT. */
enum err net_resolve(const char *host, uint32_t *ret_address, int64_t deadline_ns) WARN_UNUSED;
/* Reads the answer of DNS to query `id`: the first A record. ERR_INVALID, ERR_NOT_FOUND. */
enum err net_parse_dns(struct str packet, uint16_t id, uint32_t *ret_address) WARN_UNUSED;

#endif
