#include "cli/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"

enum { READ_BYTES = 64 * 1024, SEND_BYTES = 256 * 1024 };

struct ask {
    int fd;
    SSL_CTX *ctx; /* NULL: plain */
    SSL *ssl;
    struct buf in; /* what came and was not given yet, from `at` on */
    size_t at;
    bool over; /* the connection's end was seen, which is the body's */
};

enum err ask_at_parse(struct str url, struct ask_at *ret_at)
{
    struct ask_at at = {0};
    uint64_t port;
    if (str_starts(url, STR("http://"))) {
        url = str_sub(url, 7, SIZE_MAX);
    } else if (str_starts(url, STR("https://"))) {
        url = str_sub(url, 8, SIZE_MAX);
        at.tls = true;
    }
    while (url.len && url.p[url.len - 1] == '/')
        url.len--;
    size_t colon = str_rfind(url, ':');
    if (colon == SIZE_MAX || colon == 0 || str_find(url, '/') != SIZE_MAX)
        return ERR_INVALID;
    struct str host = str_n(url.p, colon), digits = str_sub(url, colon + 1, SIZE_MAX);
    if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 2);
    if (str_to_u64(digits, &port) != ERR_OK || port > UINT16_MAX || host.len >= sizeof(at.host))
        return ERR_INVALID;
    memcpy(at.host, host.p, host.len);
    snprintf(at.port, sizeof(at.port), "%u", (unsigned)port);
    *ret_at = at;
    return ERR_OK;
}

/* --- the connection --------------------------------------------------------------------------- */

static enum err dial(const struct ask_at *at, int *ret_fd)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    if (getaddrinfo(at->host, at->port, &hints, &list) != 0)
        return ERR_CLOSED;
    enum err err = ERR_CLOSED;
    for (struct addrinfo *a = list; a && err; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        struct timeval tv = {.tv_sec = ASK_TIMEOUT_S};
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

/* Who must be at the other end. */
static enum err judge(struct ask *a, const struct ask_at *at, const char *ca)
{
    SSL_CTX_set_verify(a->ctx, SSL_VERIFY_PEER, NULL);
    int known = ca ? SSL_CTX_load_verify_locations(a->ctx, ca, NULL)
                   : SSL_CTX_set_default_verify_paths(a->ctx);
    X509_VERIFY_PARAM *param = SSL_get0_param(a->ssl);
    /* An address is one in the certificate, too. */
    bool named = X509_VERIFY_PARAM_set1_ip_asc(param, at->host) == 1 ||
                 X509_VERIFY_PARAM_set1_host(param, at->host, 0) == 1;
    return known == 1 && named ? ERR_OK : ERR_DENIED;
}

static enum err wrap(struct ask *a, const struct ask_at *at, const struct ask_request *request)
{
    a->ctx = SSL_CTX_new(TLS_client_method());
    if (!a->ctx || !(a->ssl = SSL_new(a->ctx)) || SSL_set_fd(a->ssl, a->fd) != 1)
        return ERR_NOMEM;
    if (request->verify) {
        TRY(judge(a, at, request->ca));
        SSL_set_verify(a->ssl, SSL_VERIFY_PEER, NULL);
        SSL_set_tlsext_host_name(a->ssl, at->host);
    }
    if (SSL_connect(a->ssl) == 1)
        return ERR_OK;
    return SSL_get_verify_result(a->ssl) == X509_V_OK ? ERR_CLOSED : ERR_DENIED;
}

static enum err send_all(struct ask *a, struct str text)
{
    while (text.len) {
        size_t piece = min_size(text.len, SEND_BYTES);
        ssize_t n = a->ssl ? SSL_write(a->ssl, text.p, (int)piece)
                           : send(a->fd, text.p, piece, MSG_NOSIGNAL);
        if (n <= 0)
            return ERR_CLOSED;
        text = str_sub(text, (size_t)n, SIZE_MAX);
    }
    return ERR_OK;
}

/* Reads what has come, or waits for it. */
static enum err more(struct ask *a)
{
    if (a->over)
        return ERR_CLOSED;
    char *p = buf_reserve(&a->in, READ_BYTES);
    if (!p)
        return buf_err(&a->in);
    errno = 0;
    ssize_t n = a->ssl ? SSL_read(a->ssl, p, READ_BYTES) : recv(a->fd, p, READ_BYTES, 0);
    if (n > 0) {
        buf_grew(&a->in, (size_t)n);
        return ERR_OK;
    }
    if (n < 0 && errno == EAGAIN)
        return ERR_TIMEOUT;
    a->over = true;
    return n == 0 ? ERR_OK : ERR_CLOSED;
}

void ask_free(struct ask *a)
{
    if (!a)
        return;
    if (a->ssl)
        SSL_free(a->ssl);
    if (a->ctx)
        SSL_CTX_free(a->ctx);
    if (a->fd >= 0)
        close(a->fd);
    buf_release(&a->in);
    mem_free(a);
}

/* HTTP/1.0: the connection's end is the body's, and nothing comes in chunks. */
static enum err send_request(struct ask *a, const struct ask_at *at, const struct ask_request *r)
{
    struct buf b;
    char host[ASK_AUTHORITY_MAX];
    buf_init(&b, ASK_REPLY_MAX);
    ask_authority(at, host);
    buf_add_fmt(&b, "%s %s HTTP/1.0\r\nHost: %s\r\n", r->method, r->path, host);
    for (size_t i = 0; i < r->n_fields; i++)
        buf_add_fmt(&b, STR_FMT ": " STR_FMT "\r\n", STR_ARG(r->fields[i].name),
                    STR_ARG(r->fields[i].value));
    if (str_is_set(r->body))
        buf_add_fmt(&b, "Content-Length: %zu\r\n", r->body.len);
    buf_add_fmt(&b, "\r\n");
    enum err err = buf_err(&b);
    if (!err)
        err = send_all(a, buf_str(&b));
    buf_release(&b);
    /* Who refuses a request by its head may answer and close before it read the body. */
    if (!err && r->body.len)
        (void)!send_all(a, r->body);
    return err;
}

void ask_authority(const struct ask_at *at, char ret_host[ASK_AUTHORITY_MAX])
{
    bool v6 = strchr(at->host, ':');
    bool usual = strcmp(at->port, at->tls ? "443" : "80") == 0;
    snprintf(ret_host, ASK_AUTHORITY_MAX, "%s%s%s%s%s", v6 ? "[" : "", at->host, v6 ? "]" : "",
             usual ? "" : ":", usual ? "" : at->port);
}

enum err ask_send(const struct ask_at *at, const struct ask_request *request, struct ask **ret_ask)
{
    struct ask *a = mem_calloc(1, sizeof(*a));
    if (!a)
        return ERR_NOMEM;
    buf_init(&a->in, ASK_REPLY_MAX);
    a->fd = -1;
    enum err err = dial(at, &a->fd);
    if (!err && at->tls)
        err = wrap(a, at, request);
    if (!err)
        err = send_request(a, at, request);
    if (err)
        ask_free(a);
    else
        *ret_ask = a;
    return err;
}

enum err ask_open(const struct ask_at *at, const char *method, const char *path, const char *bearer,
                  struct ask **ret_ask)
{
    char value[ASK_AUTHORITY_MAX];
    struct ask_field field = {STR("Authorization"), STR_NONE};
    if (bearer && snprintf(value, sizeof(value), "Bearer %s", bearer) >= (int)sizeof(value))
        return ERR_LIMIT;
    field.value = bearer ? str_c(value) : STR_NONE;
    struct ask_request request = {
        .method = method, .path = path, .fields = &field, .n_fields = bearer ? 1 : 0};
    return ask_send(at, &request, ret_ask);
}

/* --- the reply -------------------------------------------------------------------------------- */

static struct str unread(const struct ask *a)
{
    return str_sub(buf_str(&a->in), a->at, SIZE_MAX);
}

enum err ask_head(struct ask *a, int *ret_status)
{
    size_t end;
    int64_t status;
    while ((end = str_find_str(unread(a), STR("\r\n\r\n"))) == SIZE_MAX)
        TRY(more(a));
    struct str head = str_n(unread(a).p, end);
    if (!str_starts(head, STR("HTTP/1.")) || str_to_i64(str_sub(head, 9, 3), &status) != ERR_OK)
        return ERR_INVALID;
    a->at += end + 4;
    *ret_status = (int)status;
    return ERR_OK;
}

enum err ask_line(struct ask *a, struct str *ret_line)
{
    size_t end;
    if (a->at == a->in.len) { /* all was given: begin anew, for this may go on for hours */
        buf_clear(&a->in);
        a->at = 0;
    }
    while ((end = str_find(unread(a), '\n')) == SIZE_MAX) {
        if (a->over)
            return ERR_NOT_FOUND;
        TRY(more(a));
    }
    *ret_line = str_n(unread(a).p, end);
    a->at += end + 1;
    return ERR_OK;
}

enum err ask_body(struct ask *a, struct buf *body)
{
    while (!a->over)
        TRY(more(a));
    buf_add_str(body, unread(a));
    return buf_err(body);
}

bool ask_is_open(struct ask *a)
{
    struct pollfd p = {.fd = a->fd, .events = POLLIN};
    while (!a->over && poll(&p, 1, 0) > 0) {
        buf_clear(&a->in);
        a->at = 0;
        if (more(a) != ERR_OK)
            return false;
    }
    return !a->over;
}

enum err ask_get(const struct ask_at *at, const char *path, struct buf *body, int *ret_status)
{
    struct ask *a = NULL;
    enum err err = ask_open(at, "GET", path, NULL, &a);
    if (!err)
        err = ask_head(a, ret_status);
    if (!err)
        err = ask_body(a, body);
    ask_free(a);
    return err;
}
