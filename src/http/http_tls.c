/* TLS for connections: OpenSSL between two memory BIOs, so that libuv keeps the sockets.
 *
 *   socket --http_tls_input--> rbio -> SSL_read  --io.plain--> connection
 *   socket <--------io.send--- wbio <- SSL_write <--http_tls_write-- connection
 *
 * All of one socket read is decrypted at once; what the connection cannot use waits there,
 * decrypted, and bounds itself by not reading further. A session knows its connection by struct
 * http_tls_io only.
 *
 * Layer: http. Thread: the context is shared, a session is its connection's. */
#include "http/http_int.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { RECORD_MAX = 16 * 1024 };

/* Of TLS 1.2 what RFC 9325 section 4.2 recommends: forward secrecy and AEAD. Those of 1.3 all are. */
#define TLS12_SUITES "ECDHE+AESGCM:ECDHE+CHACHA20"

struct http_tls_ctx {
    SSL_CTX *ssl;
};

struct http_tls {
    SSL *ssl;
    BIO *rbio, *wbio; /* owned by ssl */
    const struct http_tls_io *io;
    void *ctx;
    bool failed;
};

/* The first of ours that the client offers; one that offers others only is refused. */
static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    static const struct str ours[] = {STR_INIT("h2"), STR_INIT("http/1.1")};
    for (size_t k = 0; k < ARRAY_LEN(ours); k++) {
        for (unsigned i = 0; i < in_len; i += 1u + in[i]) {
            if (i + 1u + in[i] <= in_len &&
                str_eq(str_n((const char *)in + i + 1, in[i]), ours[k])) {
                *out = in + i + 1;
                *out_len = in[i];
                return SSL_TLSEXT_ERR_OK;
            }
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* OpenSSL's reason for the last failure. */
static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return text ? text : "unknown error";
}

static enum err load_pair(SSL_CTX *ssl, const char *cert_path, const char *key_path, char *ret_why,
                          size_t why_size)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ssl, cert_path) != 1) {
        snprintf(ret_why, why_size, "cannot use the TLS certificate %s: %s", cert_path, reason());
        return ERR_INVALID;
    }
    if (!key_path || SSL_CTX_use_PrivateKey_file(ssl, key_path, SSL_FILETYPE_PEM) != 1) {
        snprintf(ret_why, why_size, "cannot use the TLS key %s: %s", key_path ? key_path : "(none)",
                 key_path ? reason() : "a certificate needs its key");
        return ERR_INVALID;
    }
    if (SSL_CTX_check_private_key(ssl) != 1) {
        snprintf(ret_why, why_size, "the TLS key %s does not belong to the certificate %s",
                 key_path, cert_path);
        return ERR_INVALID;
    }
    return ERR_OK;
}

/* All that does not depend on whose certificate it is. */
static enum err ctx_make(struct http_tls_ctx **ret_ctx)
{
    static const unsigned char session_id_context[] = "weir";
    struct http_tls_ctx *ctx = mem_calloc(1, sizeof(*ctx));
    if (!ctx)
        return ERR_NOMEM;
    ctx->ssl = SSL_CTX_new(TLS_server_method());
    if (!ctx->ssl || SSL_CTX_set_min_proto_version(ctx->ssl, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_session_id_context(ctx->ssl, session_id_context,
                                       sizeof(session_id_context) - 1) != 1 ||
        SSL_CTX_set_cipher_list(ctx->ssl, TLS12_SUITES) != 1) {
        http_tls_ctx_free(ctx);
        return ERR_NOMEM;
    }
    SSL_CTX_set_options(ctx->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                      SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx->ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx->ssl, SSL_SESS_CACHE_OFF); /* tickets need no memory here */
    SSL_CTX_set_alpn_select_cb(ctx->ssl, select_alpn, NULL);
    *ret_ctx = ctx;
    return ERR_OK;
}

/* Once the client has said whom it wants. */
static int choose(SSL *ssl, void *arg)
{
    const struct http_tls_names *names = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    X509 *cert = NULL;
    EVP_PKEY *key = NULL;
    if (names->find(names->arg, name ? str_c(name) : STR(""), &cert, &key) != ERR_OK)
        return 0;
    int ok = SSL_use_certificate(ssl, cert) == 1 && SSL_use_PrivateKey(ssl, key) == 1;
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok;
}

enum err http_tls_ctx_by_name(const struct http_tls_names *names, struct http_tls_ctx **ret_ctx)
{
    TRY(ctx_make(ret_ctx));
    SSL_CTX_set_cert_cb((*ret_ctx)->ssl, choose, (void *)(uintptr_t)names);
    return ERR_OK;
}

enum err http_tls_ctx_new(const char *cert_path, const char *key_path,
                          struct http_tls_ctx **ret_ctx, char *ret_why, size_t why_size)
{
    struct http_tls_ctx *ctx;
    TRY(ctx_make(&ctx));
    enum err err = load_pair(ctx->ssl, cert_path, key_path, ret_why, why_size);
    if (err != ERR_OK) {
        http_tls_ctx_free(ctx);
        return err;
    }
    *ret_ctx = ctx;
    return ERR_OK;
}

void http_tls_ctx_free(struct http_tls_ctx *ctx)
{
    if (!ctx)
        return;
    SSL_CTX_free(ctx->ssl);
    mem_free(ctx);
}

enum err http_tls_new(struct http_tls_ctx *ctx, const struct http_tls_io *io, void *io_ctx,
                      struct http_tls **ret_tls)
{
    struct http_tls *tls = mem_calloc(1, sizeof(*tls));
    if (!tls)
        return ERR_NOMEM;
    tls->ssl = SSL_new(ctx->ssl);
    tls->rbio = BIO_new(BIO_s_mem());
    tls->wbio = BIO_new(BIO_s_mem());
    if (!tls->ssl || !tls->rbio || !tls->wbio) {
        BIO_free(tls->rbio);
        BIO_free(tls->wbio);
        SSL_free(tls->ssl);
        mem_free(tls);
        return ERR_NOMEM;
    }
    SSL_set_bio(tls->ssl, tls->rbio, tls->wbio);
    SSL_set_accept_state(tls->ssl);
    tls->io = io;
    tls->ctx = io_ctx;
    *ret_tls = tls;
    return ERR_OK;
}

void http_tls_free(struct http_tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    mem_free(tls);
}

static void fail(struct http_tls *tls)
{
    tls->failed = true;
    tls->io->fail(tls->ctx);
}

/* Sends what OpenSSL has put into wbio. */
static void flush(struct http_tls *tls)
{
    char *p;
    long n = BIO_get_mem_data(tls->wbio, &p);
    if (n <= 0)
        return;
    uv_buf_t b = uv_buf_init(p, (unsigned)n);
    tls->io->send(tls->ctx, &b, 1);
    (void)BIO_reset(tls->wbio);
}

struct str http_tls_version(const struct http_tls *tls)
{
    int version = SSL_version(tls->ssl);
    assert(version == TLS1_2_VERSION || version == TLS1_3_VERSION);
    return version == TLS1_3_VERSION ? STR("1.3") : STR("1.2");
}

bool http_tls_is_h2(const struct http_tls *tls)
{
    const unsigned char *name;
    unsigned len;
    SSL_get0_alpn_selected(tls->ssl, &name, &len);
    return len == 2 && memcmp(name, "h2", 2) == 0;
}

void http_tls_input(struct http_tls *tls, char *scratch, const char *p, size_t len)
{
    ERR_clear_error();
    if (BIO_write(tls->rbio, p, (int)len) != (int)len) {
        fail(tls);
        return;
    }
    for (;;) {
        size_t n = 0;
        int r = SSL_read_ex(tls->ssl, scratch, HTTP_READ_BYTES, &n);
        int why = r == 1 ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, r);
        flush(tls); /* handshake messages, tickets, alerts */
        if (r == 1) {
            if (!tls->io->plain(tls->ctx, scratch, n))
                return;
            continue;
        }
        if (why == SSL_ERROR_ZERO_RETURN)
            tls->io->eof(tls->ctx);
        else if (why != SSL_ERROR_WANT_READ)
            fail(tls);
        return;
    }
}

void http_tls_write(struct http_tls *tls, const uv_buf_t *bufs, unsigned n)
{
    ERR_clear_error();
    for (unsigned i = 0; i < n; i++) {
        for (size_t at = 0; at < bufs[i].len && !tls->failed;) {
            size_t len = min_size(bufs[i].len - at, 4 * RECORD_MAX);
            size_t done = 0;
            /* A memory BIO takes everything and renegotiation is off: short writes are errors. */
            if (SSL_write_ex(tls->ssl, bufs[i].base + at, len, &done) != 1 || done != len) {
                fail(tls);
                return;
            }
            at += len;
            flush(tls);
        }
    }
}

void http_tls_shutdown(struct http_tls *tls)
{
    ERR_clear_error();
    if (SSL_is_init_finished(tls->ssl) && SSL_shutdown(tls->ssl) >= 0)
        flush(tls);
}
