/* Buckets that go with all that is in them.
 *
 * Layer: cli. Thread: blocking. */
#ifndef WEIR_CLI_BUCKET_H
#define WEIR_CLI_BUCKET_H

#include "cli/aws.h"

/* Removes every object, earlier versions too; that there is no such bucket is fine. A call an object. ERR_FAILED
 * and others of aws_send, with aws->why; ERR_NOMEM. */
enum err bucket_empty(struct aws *aws, struct str bucket) WARN_UNUSED;
/* The same, and the bucket. *ret_was_there. */
enum err bucket_remove(struct aws *aws, struct str bucket, bool *ret_was_there) WARN_UNUSED;

#endif
