/* Amazon S3: buckets, objects with versions, multipart uploads, event notifications. README.md
 * argues the design.
 *
 * Layer: svc. Thread: handlers on any loop; see the functions. */
#ifndef WEIR_SVC_S3_S3_H
#define WEIR_SVC_S3_S3_H

#include "core/core.h"
#include "svc/s3/s3_port.h"

enum {
    S3_BUCKETS_MAX = 10 * 1000,
    S3_KEY_BYTES_MAX = 1024,
    S3_BUCKET_NAME_MAX = 63,
    S3_INLINE_MAX = 16 * 1024,      /* objects up to this many bytes live in the store */
    S3_RECORD_BYTES_MAX = 2 * 1024, /* and up to this many in their record, which listings read */
    S3_METADATA_MAX = 2 * 1024,
    S3_OBJECT_TAGS_MAX = 10,
    S3_BUCKET_TAGS_MAX = 50,
    S3_PARTS_MAX = 10 * 1000,
    S3_LIST_MAX = 1000,
    S3_DELETE_MAX = 1000, /* keys of one DeleteObjects */
    S3_NOTIFICATIONS_MAX = 100,
    S3_POLICY_MAX = 20 * 1024,
    S3_SITE_RULES_MAX = 50,
    S3_CORS_RULES_MAX = 100,
    S3_LIFE_RULES_MAX = 1000,
    S3_METERS_MAX = 1000, /* metrics configurations of a bucket */
};
#define S3_PUT_MAX (5ull << 30)    /* bytes of one PutObject, UploadPart or copy source */
#define S3_OBJECT_MAX (5ull << 40) /* bytes of an object */
#define S3_PART_MIN (5ull << 20)   /* bytes of a part that is not the last */

struct s3;

/* make makes the folders below the data directory. start removes what uploads left unfinished at the
 * last stop, and begins removing the files of deleted objects; cost: proportional to those, not to
 * what is stored. No background work begins once the core is stopping. */
extern const struct svc_def s3_def;

#endif
