/* The deployment bucket: what templates refer to lies there under the hash of its bytes, so that it is sent
 * once. The bucket is made when first something is put in it.
 *
 * Layer: cli. Thread: blocking. */
#ifndef WEIR_CLI_UPLOAD_H
#define WEIR_CLI_UPLOAD_H

#include <stdio.h>

#include "cli/aws.h"
#include "cli/package.h"

struct upload {
    struct aws *aws;
    FILE *out;                  /* each thing that is sent is told here */
    struct package_store store; /* for package_template */
    size_t sent, kept;          /* things; `kept` were there */
};

/* `bucket` NULL: weir-deploy-ACCOUNT-REGION; the account is asked for when first something is put. */
void upload_init(struct upload *u, struct aws *aws, const char *bucket, FILE *out);
/* Takes the bucket away with all that is in it, where the account has no stacks left: whatever is packaged again
 * is put again. Errors as below. */
enum err upload_remove(struct upload *u) WARN_UNUSED;
/* As package_store.put, whose `arg` is the struct upload. ERR_FAILED and others of aws_send,
 * with aws->why; ERR_NOMEM. */
enum err upload_put(void *arg, struct str what, struct str key, struct str bytes) WARN_UNUSED;

#endif
