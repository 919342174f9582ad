/* Signed requests of the services, as an SDK sends them, with the development key.
 * Layer: bench. Thread: one. */
#ifndef WEIR_BENCH_AWS_H
#define WEIR_BENCH_AWS_H

#include "auth/sigv4.h"
#include "load.h"

struct aws {
    struct load_target target;
    struct arena arena; /* of the request being made */
    struct str host;    /* "127.0.0.1:4566" */
    char host_text[64];
};

void aws_init(struct aws *aws, const struct load_target *target);
void aws_release(struct aws *aws);

struct aws_request {
    const char *method;
    const char *service;      /* "dynamodb" */
    struct str path;          /* absent: "/" */
    struct str query;         /* absent: none */
    const char *target;       /* X-Amz-Target; NULL: none */
    const char *content_type; /* NULL: none */
    struct str body;
    uint64_t large_body; /* S3: length of a body that is not signed, sent after the head */
};

/* Appends the head and body to `out`. */
void aws_write(struct aws *aws, struct buf *out, const struct aws_request *req);

/* awsJson shorthand: "DynamoDB_20120810.GetItem" and its body. */
void aws_write_json(struct aws *aws, struct buf *out, const char *service, const char *target,
                    struct str body);

/* One request by itself, for preparing things. *ret_body, when given, receives the reply's body
 * (release it). ERR_FAILED when the status is not 2xx (printed unless `quiet`). */
enum err aws_call(struct aws *aws, const struct aws_request *req, bool quiet,
                  struct buf *ret_body) WARN_UNUSED;

/* The text of `"name":"..."` in a JSON body; absent when it is not there. */
struct str aws_json_text(struct str body, const char *name);

#endif
