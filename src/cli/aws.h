/* A client of AWS's protocols for the command line: where each service is, as whom, and signed calls.
 *
 * Layer: cli (includes auth, codec). Lifetime: what it keeps lives in its arena, what a call gives in the
 * call's. Thread: blocking; the command line's own. */
#ifndef WEIR_CLI_AWS_H
#define WEIR_CLI_AWS_H

#include "cli/ask.h"
#include "codec/xml.h"

enum aws_service { AWS_CLOUDFORMATION, AWS_S3, AWS_STS, AWS_SERVICES };

enum {
    AWS_WHY_MAX = 1024,
    AWS_FORM_BYTES_MAX =
        2 * 1024 * 1024,              /* of a query-protocol request: a template and parameters */
    AWS_FILE_BYTES_MAX = 1024 * 1024, /* of a credentials file */
};

/* What the command was told and found. All borrowed. */
struct aws_where {
    const char
        *endpoint; /* --endpoint: a URL, or "aws", which is AWS itself; NULL: the environment's */
    const char *region; /* --region, or NULL */
    /* The Weir that serves from the data folder, taken when nobody names another: */
    const char *local;             /* its URL */
    const char *local_region;      /* of it */
    const char *local_credentials; /* file with its root key; NULL: the development key is taken */
};

struct aws_keys {
    struct str access_key, secret, session_token; /* token absent: none */
};

struct aws {
    struct arena *arena;
    struct str region;
    struct str urls[AWS_SERVICES]; /* without a slash at the end */
    struct ask_at at[AWS_SERVICES];
    bool is_aws;   /* AWS itself: its own addresses are in outputs */
    bool is_local; /* on this machine */
    bool verify;   /* see ask.h */
    const char *ca;
    struct aws_keys keys;
    char why[AWS_WHY_MAX]; /* of the last failure: a sentence for the user */
};

/* Finds out all of it but the keys. ERR_INVALID, with `why`; ERR_NOMEM. */
enum err aws_open(struct aws *aws, struct arena *a, const struct aws_where *where) WARN_UNUSED;

/* The keys, afterwards: the environment's, of AWS_PROFILE or AWS_SHARED_CREDENTIALS_FILE; of the local Weir, as
 * `where` says; else of the default profile. With `why`. ERR_NOT_FOUND, ERR_NOMEM. */
enum err aws_keys_find(struct aws *aws, const struct aws_where *where) WARN_UNUSED;
/* One profile of an INI text. ERR_NOT_FOUND: it, or its key, is not there. */
enum err aws_keys_read(struct arena *a, struct str text, struct str profile,
                       struct aws_keys *ret_keys) WARN_UNUSED;

struct aws_request {
    enum aws_service service;
    const char *method;
    struct str path; /* encoded, with its query */
    struct str type; /* Content-Type; absent: none */
    struct str body; /* absent: none */
};

struct aws_answer {
    int status;
    struct str body;
    const struct xml *xml;    /* NULL: the body is none */
    struct str code, message; /* of an error: absent where the answer says none */
};

/* Sends it, signed, and reads the answer whole, of whatever status. ERR_CLOSED, ERR_TIMEOUT, ERR_DENIED,
 * ERR_INVALID no HTTP: with `why`. ERR_NOMEM. */
enum err aws_send(struct aws *aws, struct arena *a, const struct aws_request *request,
                  struct aws_answer *ret_answer) WARN_UNUSED;

/* A query-protocol call: fields are added with aws_field, whose `name` is a literal or lives as long. */
struct aws_form {
    struct buf text;
};
void aws_form_init(struct aws_form *form, struct arena *a, struct str action);
/* An absent value adds nothing. */
void aws_field(struct aws_form *form, const char *name, struct str value);
/* "Parameters.member.3.ParameterKey" */
void aws_member(struct aws_form *form, const char *list, size_t index_from_1, const char *name,
                struct str value);
/* *ret_result: the element ActionResult, or the answer's root where there is none. ERR_FAILED: the service
 * refused, with *ret_answer's code and message, and `why`; ERR_CLOSED: it cannot now (5xx, throttled);
 * others as aws_send. */
enum err aws_call(struct aws *aws, struct arena *a, enum aws_service service,
                  const struct aws_form *form, struct aws_answer *ret_answer,
                  const struct xml **ret_result) WARN_UNUSED;

/* Sets `why`. */
void aws_say(struct aws *aws, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
