/* TLS for tests: a certificate that is made here, and a blocking client. */
#ifndef WEIR_TESTS_HTTP_HELP_TLS_H
#define WEIR_TESTS_HTTP_HELP_TLS_H

#include <openssl/ssl.h>

#include "help_server.h"

/* Of files in a folder of the program's own, between tls_make_files and tls_remove_files (CMocka's group
 * functions). The other key does not belong to the certificate. */
extern char cert_path[64], key_path[64], other_key_path[64];
int tls_make_files(void **state);
int tls_remove_files(void **state);

struct client {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};
/* `alpn` as OpenSSL takes it, NULL for none. False when the handshake was refused. */
bool client_open(struct client *c, const struct fixture *f, int max_version, const char *alpn);
/* May be called twice. */
void client_close(struct client *c);

#endif
