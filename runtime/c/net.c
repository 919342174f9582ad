/* Connections and HTTP/1.1 exchanges of a client: see net.h.
 *
 * Layer: runtime/c. Thread: one a connection. */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { NS_PER_MS = 1000 * 1000 };

void net_init(struct net_conn *c)
{
    *c = (struct net_conn){.fd = -1};
    buf_init(&c->in, NET_HEAD_MAX + NET_READ);
}

void net_close(struct net_conn *c)
{
    if (c->ssl) {
        SSL_free(c->ssl);
        c->ssl = NULL;
    }
    if (c->fd >= 0)
        close(c->fd);
    buf_release(&c->in);
    net_init(c);
}

/* Waits until `events` are possible. ERR_TIMEOUT, ERR_CLOSED. */
static enum err wait_for(int fd, short events, int64_t deadline_ns)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int timeout = -1;
        if (deadline_ns) {
            int64_t left = deadline_ns - clock_mono_ns();
            if (left <= 0)
                return ERR_TIMEOUT;
            timeout = (int)min_i64((left + NS_PER_MS - 1) / NS_PER_MS, 1000 * 1000);
        }
        int n = poll(&p, 1, timeout);
        if (n > 0)
            return ERR_OK;
        if (n < 0 && errno != EINTR)
            return ERR_CLOSED;
    }
}

/* --- TLS -------------------------------------------------------------------------------------- */

/* Where systems keep their certificates: Debian, Amazon Linux. */
static const char *const bundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                      "/etc/pki/tls/certs/ca-bundle.crt"};

static SSL_CTX *tls_context(void)
{
    static SSL_CTX *ctx;
    if (ctx)
        return ctx;
    ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx)
        return NULL;
    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    const char *bundle = getenv("AWS_CA_BUNDLE");
    if (bundle && *bundle) {
        (void)SSL_CTX_load_verify_locations(ctx, bundle, NULL);
        return ctx;
    }
    (void)SSL_CTX_set_default_verify_paths(ctx);
    for (size_t i = 0; i < ARRAY_LEN(bundles); i++)
        if (access(bundles[i], R_OK) == 0)
            (void)SSL_CTX_load_verify_locations(ctx, bundles[i], NULL);
    return ctx;
}

/* After SSL_* returned n <= 0: waits for what it wants. ERR_OK means try again. */
static enum err tls_wait(struct net_conn *c, int n, int64_t deadline_ns)
{
    switch (SSL_get_error(c->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(c->fd, POLLIN, deadline_ns);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(c->fd, POLLOUT, deadline_ns);
    default:
        return ERR_CLOSED;
    }
}

static enum err tls_start(struct net_conn *c, const char *host, int64_t deadline_ns)
{
    SSL_CTX *ctx = tls_context();
    SSL *ssl = ctx ? SSL_new(ctx) : NULL;
    if (!ssl)
        return ERR_NOMEM;
    c->ssl = ssl;
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    struct in_addr in;
    bool numeric = inet_pton(AF_INET, host, &in) == 1;
    if (SSL_set_fd(ssl, c->fd) != 1 ||
        (numeric ? X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1
                 : SSL_set_tlsext_host_name(ssl, host) != 1 || SSL_set1_host(ssl, host) != 1))
        return ERR_NOMEM;
    for (int n; (n = SSL_connect(ssl)) != 1;) {
        enum err err = tls_wait(c, n, deadline_ns);
        if (err == ERR_OK)
            continue;
        return SSL_get_verify_result(ssl) != X509_V_OK ? ERR_DENIED : err;
    }
    return ERR_OK;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static enum err tcp_connect(struct net_conn *c, const char *host, uint16_t port,
                            int64_t deadline_ns)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    TRY(net_resolve(host, &to.sin_addr.s_addr, deadline_ns));
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        return ERR_CLOSED;
    int on = 1, failure = 0;
    socklen_t size = sizeof failure;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0)
        return ERR_OK;
    if (errno != EINPROGRESS)
        return ERR_CLOSED;
    TRY(wait_for(c->fd, POLLOUT, deadline_ns));
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0 || failure)
        return ERR_CLOSED;
    return ERR_OK;
}

enum err net_connect(struct net_conn *c, const char *host, uint16_t port, bool tls,
                     int64_t deadline_ns)
{
    net_close(c);
    enum err err = tcp_connect(c, host, port, deadline_ns);
    if (err == ERR_OK && tls)
        err = tls_start(c, host, deadline_ns);
    if (err != ERR_OK)
        net_close(c);
    return err;
}

static enum err send_piece(struct net_conn *c, struct str s, bool more, int64_t deadline_ns)
{
    while (s.len) {
        ssize_t n;
        if (c->ssl) {
            n = SSL_write(c->ssl, s.p, (int)min_size(s.len, 1 << 30));
            if (n <= 0) {
                TRY(tls_wait(c, (int)n, deadline_ns));
                continue;
            }
        } else {
            n = send(c->fd, s.p, s.len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
            if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
                TRY(wait_for(c->fd, POLLOUT, deadline_ns));
                continue;
            }
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                return ERR_CLOSED;
        }
        s = str_sub(s, (size_t)n, SIZE_MAX);
    }
    return ERR_OK;
}

enum err net_send(struct net_conn *c, const struct str *pieces, size_t n, int64_t deadline_ns)
{
    for (size_t i = 0; i < n; i++)
        TRY(send_piece(c, pieces[i], i + 1 < n, deadline_ns));
    return ERR_OK;
}

/* Some bytes, at least one, to `p`. ERR_CLOSED at the end. */
static enum err receive(struct net_conn *c, char *p, size_t size, size_t *ret_n,
                        int64_t deadline_ns)
{
    for (;;) {
        ssize_t n;
        if (c->ssl) {
            n = SSL_read(c->ssl, p, (int)min_size(size, 1 << 30));
            if (n <= 0) {
                TRY(tls_wait(c, (int)n, deadline_ns));
                continue;
            }
        } else {
            n = recv(c->fd, p, size, 0);
            if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
                TRY(wait_for(c->fd, POLLIN, deadline_ns));
                continue;
            }
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                return ERR_CLOSED;
        }
        *ret_n = (size_t)n;
        return ERR_OK;
    }
}

/* --- replies ---------------------------------------------------------------------------------- */

static struct str unread(const struct net_conn *c)
{
    return str_n(c->in.p ? c->in.p + c->in_used : "", c->in.len - c->in_used);
}

/* Reads more into c->in. */
static enum err fill(struct net_conn *c, int64_t deadline_ns)
{
    size_t n = 0;
    if (c->in_used) {
        buf_drop_front(&c->in, c->in_used);
        c->in_used = 0;
    }
    char *room = buf_reserve(&c->in, NET_READ);
    if (!room)
        return buf_err(&c->in);
    TRY(receive(c, room, NET_READ, &n, deadline_ns));
    buf_grew(&c->in, n);
    return ERR_OK;
}

/* Cuts a line that ends in CRLF (or LF) off what is unread. */
static enum err take_line(struct net_conn *c, struct str *ret_line, int64_t deadline_ns)
{
    for (;;) {
        struct str have = unread(c);
        size_t nl = str_find(have, '\n');
        if (nl != SIZE_MAX) {
            c->in_used += nl + 1;
            *ret_line = str_sub(have, 0, nl && have.p[nl - 1] == '\r' ? nl - 1 : nl);
            return ERR_OK;
        }
        if (have.len > NET_HEAD_MAX)
            return ERR_LIMIT;
        TRY(fill(c, deadline_ns));
    }
}

/* `n` bytes of body: what is unread first, the rest straight into `body`. */
static enum err take_bytes(struct net_conn *c, uint64_t n, struct buf *body, int64_t deadline_ns)
{
    struct str have = unread(c);
    size_t now = (size_t)(n < have.len ? n : have.len);
    buf_add(body, have.p, now);
    c->in_used += now;
    n -= now;
    while (n) {
        size_t want = (size_t)(n < 1024 * 1024 ? n : 1024 * 1024), got = 0;
        char *room = buf_reserve(body, want);
        if (!room)
            return buf_err(body);
        TRY(receive(c, room, want, &got, deadline_ns));
        buf_grew(body, got);
        n -= got;
    }
    return buf_err(body);
}

static enum err take_chunks(struct net_conn *c, struct buf *body, int64_t deadline_ns)
{
    for (;;) {
        struct str line;
        uint64_t size = 0;
        TRY(take_line(c, &line, deadline_ns));
        struct str digits = str_trim(str_cut(&line, ';'));
        if (digits.len == 0 || digits.len > 15)
            return ERR_INVALID;
        for (size_t i = 0; i < digits.len; i++) {
            char d = digits.p[i];
            int v = d >= '0' && d <= '9'   ? d - '0'
                    : d >= 'a' && d <= 'f' ? d - 'a' + 10
                    : d >= 'A' && d <= 'F' ? d - 'A' + 10
                                           : -1;
            if (v < 0)
                return ERR_INVALID;
            size = size * 16 + (uint64_t)v;
        }
        TRY(take_bytes(c, size, body, deadline_ns));
        if (size == 0)
            break;
        TRY(take_line(c, &line, deadline_ns));
        if (line.len)
            return ERR_INVALID;
    }
    for (struct str line = STR("x"); line.len;) /* trailers */
        TRY(take_line(c, &line, deadline_ns));
    return ERR_OK;
}

static enum err take_to_end(struct net_conn *c, struct buf *body, int64_t deadline_ns)
{
    for (;;) {
        struct str have = unread(c);
        buf_add(body, have.p, have.len);
        c->in_used += have.len;
        TRY(buf_err(body));
        enum err err = fill(c, deadline_ns);
        if (err == ERR_CLOSED)
            return ERR_OK;
        TRY(err);
    }
}

static enum err take_head(struct net_conn *c, struct arena *arena, struct net_reply *r,
                          int64_t deadline_ns)
{
    struct str line;
    TRY(take_line(c, &line, deadline_ns));
    /* "HTTP/1.1 200 OK" */
    uint64_t status = 0;
    if (!str_starts(line, STR("HTTP/1.")) || str_to_u64(str_sub(line, 9, 3), &status) != ERR_OK)
        return ERR_INVALID;
    r->status = (int)status;
    r->keep = line.p[7] == '1';
    r->n_headers = 0;
    r->headers = ARENA_ARRAY(arena, struct net_header, NET_HEADERS_MAX);
    if (!r->headers)
        return ERR_NOMEM;
    for (;;) {
        TRY(take_line(c, &line, deadline_ns));
        if (line.len == 0)
            return ERR_OK;
        if (r->n_headers == NET_HEADERS_MAX)
            return ERR_LIMIT;
        struct str rest = line;
        struct str name = str_dup(arena, str_cut(&rest, ':'));
        struct str value = str_dup(arena, str_trim(str_is_set(rest) ? rest : STR("")));
        if (!str_is_set(name) || !str_is_set(value))
            return ERR_NOMEM;
        r->headers[r->n_headers++] = (struct net_header){name, value};
    }
}

static struct str header(const struct net_reply *r, struct str name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_eq_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return STR_NONE;
}

enum err net_reply(struct net_conn *c, bool head_request, struct arena *arena,
                   struct net_reply *ret_reply, struct buf *body, int64_t deadline_ns)
{
    struct net_reply r = {0};
    buf_clear(body);
    do
        TRY(take_head(c, arena, &r, deadline_ns));
    while (r.status >= 100 && r.status < 200);
    uint64_t length = 0;
    struct str length_text = header(&r, STR("content-length"));
    if (str_eq_nocase(header(&r, STR("connection")), STR("close")))
        r.keep = false;
    if (head_request || r.status == 204 || r.status == 304) {
        /* no body */
    } else if (str_eq_nocase(header(&r, STR("transfer-encoding")), STR("chunked"))) {
        TRY(take_chunks(c, body, deadline_ns));
    } else if (str_is_set(length_text)) {
        TRY(str_to_u64(length_text, &length));
        TRY(take_bytes(c, length, body, deadline_ns));
    } else {
        TRY(take_to_end(c, body, deadline_ns));
        r.keep = false;
    }
    *ret_reply = r;
    return ERR_OK;
}
