/* HTTP requests of the command line: to a Weir on this machine, and to whatever speaks AWS's protocols. The
 * certificate of the first is not judged: its address is the one that the running server wrote into its own
 * data folder, or the user's word. That of all others is (`verify`).
 *
 * Layer: cli. Thread: blocking; the command line's own. */
#ifndef WEIR_CLI_ASK_H
#define WEIR_CLI_ASK_H

#include "base/buf.h"

enum {
    ASK_REPLY_MAX = 4 * 1024 * 1024,
    ASK_TIMEOUT_S = 10,
    ASK_HOST_MAX = 128,
    ASK_AUTHORITY_MAX = 256
};

/* Where a Weir serves. */
struct ask_at {
    char host[ASK_HOST_MAX]; /* without brackets */
    char port[8];
    bool tls;
};

/* "127.0.0.1:4566", "http://127.0.0.1:4566/", "https://[::1]:4566". ERR_INVALID. */
enum err ask_at_parse(struct str url, struct ask_at *ret_at) WARN_UNUSED;

/* What a request's Host says: the port only where it is not the scheme's own. */
void ask_authority(const struct ask_at *at, char ret_host[ASK_AUTHORITY_MAX]);

struct ask;

struct ask_field {
    struct str name, value;
};

struct ask_request {
    const char *method, *path; /* the path with its query, encoded */
    const struct ask_field *fields;
    size_t n_fields;
    struct str body; /* absent: none */
    bool verify;     /* the certificate must be one for the host's name, */
    const char *ca;  /* by this PEM file, or the system's authorities (NULL) */
};

/* Sends a request; Host and Content-Length are added. ERR_CLOSED nobody answers, ERR_DENIED the certificate
 * is not accepted, ERR_TIMEOUT, ERR_NOMEM. The caller ends it with ask_free. */
enum err ask_send(const struct ask_at *at, const struct ask_request *request,
                  struct ask **ret_ask) WARN_UNUSED;
/* Sends a request without a body. `bearer`: token for the Authorization header, or NULL. ERR_CLOSED nobody
 * answers, ERR_TIMEOUT, ERR_NOMEM. The caller ends it with ask_free. */
enum err ask_open(const struct ask_at *at, const char *method, const char *path, const char *bearer,
                  struct ask **ret_ask) WARN_UNUSED;
/* Reads the head; gives the status. ERR_CLOSED, ERR_TIMEOUT, ERR_INVALID not HTTP, ERR_LIMIT. */
enum err ask_head(struct ask *ask, int *ret_status) WARN_UNUSED;
/* The next line of the body, without its end; borrowed until the next call. ERR_NOT_FOUND: that was all.
 * ERR_CLOSED, ERR_TIMEOUT, ERR_LIMIT. */
enum err ask_line(struct ask *ask, struct str *ret_line) WARN_UNUSED;
/* Reads the body to its end and appends it. Errors as above. */
enum err ask_body(struct ask *ask, struct buf *body) WARN_UNUSED;
/* Whether the server still holds the connection; takes in what it has sent meanwhile. */
bool ask_is_open(struct ask *ask);
/* Breaks the connection off if the reply is not over. Accepts NULL. */
void ask_free(struct ask *ask);

/* A GET of a small document: appends the body, gives the status. Errors as above. */
enum err ask_get(const struct ask_at *at, const char *path, struct buf *body,
                 int *ret_status) WARN_UNUSED;

#endif
