/* Amazon S3: buckets, objects with versions, multipart uploads, event notifications. README.md
 * argues the design.
 *
 * Layer: svc. Thread: handlers on any loop; see the functions. */
#ifndef WEIR_SVC_S3_S3_H
#define WEIR_SVC_S3_S3_H

#include "core/core.h"
#include "svc/lambda/lambda_port.h"
#include "svc/s3/s3_port.h"
#include "svc/sqs/sqs_port.h"

enum {
    S3_BUCKETS_MAX = 10 * 1000,
    S3_KEY_BYTES_MAX = 1024,
    S3_INLINE_MAX = 16 * 1024, /* objects up to this many bytes live in the store */
    S3_METADATA_MAX = 2 * 1024,
    S3_OBJECT_TAGS_MAX = 10,
    S3_BUCKET_TAGS_MAX = 50,
    S3_PARTS_MAX = 10 * 1000,
    S3_LIST_MAX = 1000,
    S3_DELETE_MAX = 1000, /* keys of one DeleteObjects */
    S3_NOTIFICATIONS_MAX = 100,
    S3_POLICY_MAX = 20 * 1024,
};
#define S3_PUT_MAX (5ull << 30)    /* bytes of one PutObject, UploadPart or copy source */
#define S3_OBJECT_MAX (5ull << 40) /* bytes of an object */
#define S3_PART_MIN (5ull << 20)   /* bytes of a part that is not the last */

struct s3;

/* Makes the service and its folders under the data directory. The ports are borrowed for its life
 * and looked at only while requests are handled, so they may be filled afterwards. ERR_NOMEM,
 * ERR_IO. */
enum err s3_new(struct core *core, const struct lambda_port *lambda, const struct sqs_port *sqs,
                struct s3 **ret_s3) WARN_UNUSED;
/* Before loops serve: removes what uploads left unfinished at the last stop, and begins removing
 * the files of deleted objects. Cost: proportional to those, not to what is stored. ERR_IO,
 * ERR_NOMEM, ERR_CORRUPT. */
enum err s3_start(struct s3 *s3) WARN_UNUSED;
/* After the loops stopped; no background work begins once the core is stopping. */
void s3_free(struct s3 *s3);

void s3_svc(struct s3 *s3, struct svc *ret_svc);
void s3_port(struct s3 *s3, struct s3_port *ret_port);

#endif
